// XCLIENT, as Postfix speaks it: a server in front of us says on whose behalf it talks. Only hosts
// of trusted networks may; the conversation begins anew as if the client itself had connected.
#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "protocol/smtp/params.h"
#include "protocol/smtp/session.h"

#define NAMES_MAX 16

static bool is_unknown(const char *value) {
    return g_ascii_strcasecmp(value, "[UNAVAILABLE]") == 0 ||
           g_ascii_strcasecmp(value, "[TEMPUNAVAIL]") == 0;
}

// "192.0.2.1", "IPV6:2001:db8::1"; NULL: none.
static const char *address_of(const char *value) {
    uint8_t bytes[16];
    if (inet_pton(AF_INET, value, bytes) == 1)
        return value;
    if (g_ascii_strncasecmp(value, "IPV6:", 5) == 0)
        value += 5;
    return inet_pton(AF_INET6, value, bytes) == 1 ? value : NULL;
}

// A name that may stand in a header.
static bool is_name(const char *value) {
    size_t len = strlen(value);
    for (const char *c = value; *c; c++)
        if (!g_ascii_isgraph(*c) || strchr("()<>\"\\;,", *c))
            return false;
    return len > 0 && len <= SMTP_DOMAIN_MAX;
}

struct client {
    const char *address, *name, *helo;
    bool is_extended, has_protocol;
};

// False: malformed. What is said to be unknown is as if it were not said.
static bool take(struct client *c, const char *name, const char *value) {
    bool known = !is_unknown(value);
    if (g_ascii_strcasecmp(name, "ADDR") == 0)
        return !known || (c->address = address_of(value)) != NULL;
    if (g_ascii_strcasecmp(name, "NAME") == 0) {
        c->name = known ? value : NULL;
        return !known || is_name(value);
    }
    if (g_ascii_strcasecmp(name, "HELO") == 0) {
        c->helo = known ? value : NULL;
        return !known || is_name(value);
    }
    if (g_ascii_strcasecmp(name, "PORT") == 0) {
        guint64 port;
        return !known || g_ascii_string_to_unsigned(value, 10, 0, 65535, &port, NULL);
    }
    if (g_ascii_strcasecmp(name, "PROTO") == 0)
        return g_ascii_strcasecmp(value, "SMTP") == 0 || g_ascii_strcasecmp(value, "ESMTP") == 0;
    return false;
}

static bool parse(struct arena *arena, const char *args, struct client *out) {
    g_auto(GStrv) words = g_strsplit(args, " ", NAMES_MAX);
    bool is_good = *args;
    for (char **word = words; *word && is_good; word++) {
        char *equals = strchr(*word, '=');
        const char *value = equals ? smtp_xtext_decode(arena, equals + 1) : NULL;
        if (equals)
            *equals = '\0';
        if (**word)
            is_good = value && take(out, arena_strdup(arena, *word), value);
    }
    return is_good;
}

enum smtp_next smtp_cmd_xclient(struct smtp_session *s, const char *args) {
    ARENA_AUTO arena = arena_new();
    struct client client = {0};
    if (!s->may_xclient)
        return smtp_reject(s, 550, "5.7.0", "XCLIENT is for trusted networks");
    if (s->arena)
        return smtp_reject(s, 503, "5.5.1", "Not during a mail transaction");
    if (!parse(arena, args, &client))
        return smtp_reject(s, 501, "5.5.4", "Syntax: XCLIENT NAME=value ...");
    if (client.address)
        smtp_set_peer(s, client.address);
    g_free(s->client_name);
    s->client_name = g_strdup(client.name);
    g_clear_pointer(&s->helo, g_free);
    s->helo = g_strdup(client.helo);
    s->is_extended = false;
    g_clear_pointer(&s->who, principal_unref);
    log_event(LOG_LEVEL_DEBUG, "smtp.xclient", "peer", s->peer.address, NULL);
    smtp_greet(s);
    return s->is_refused ? SMTP_CLOSE : SMTP_READ;
}
