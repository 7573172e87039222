// EHLO, LHLO and HELO, and the commands that change nothing.
#include <string.h>

#include "protocol/smtp/session.h"

// A name, an address literal, or whatever else clients send: printable and not too long.
static bool is_good_name(const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len > SMTP_DOMAIN_MAX || !g_utf8_validate(name, -1, NULL))
        return false;
    for (; *name; name++)
        if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr("()<>\"\\;,", *name))
            return false;
    return true;
}

static bool greet(struct smtp_session *s, const char *name) {
    if (!is_good_name(name))
        return false;
    smtp_reset_transaction(s);
    smtp_renew_rules(s);
    g_free(s->helo);
    s->helo = g_strdup(name);
    return true;
}

// Extensions that only some sessions have.
static void put_more_extensions(struct smtp_session *s) {
    const struct smtp_settings *settings = &s->service->settings;
    if (settings->has_tls && !s->peer.is_tls)
        g_string_append(s->out, "250-STARTTLS\r\n");
    if (s->peer.is_tls) // [RFC 8689] 3: never where somebody could have taken it away
        g_string_append(s->out, "250-REQUIRETLS\r\n");
    if (settings->kind == SMTP_SUBMISSION)
        g_string_append_printf(s->out, "250-FUTURERELEASE %d %d\r\n", SMTP_HOLD_MAX, SMTP_HOLD_MAX);
    const char *mechanisms =
        s->who || settings->kind == SMTP_LMTP ? "" : sasl_mechanisms(s->service->auth, &s->peer);
    if (*mechanisms)
        g_string_append_printf(s->out, "250-AUTH %s\r\n", mechanisms);
    if (s->may_xclient)
        g_string_append(s->out, "250-XCLIENT NAME ADDR PORT PROTO HELO\r\n");
}

static enum smtp_next greet_extended(struct smtp_session *s, const char *name) {
    if (!greet(s, name))
        return smtp_reject(s, 501, "5.5.4", "Say your name too");
    const struct smtp_limits *limits = &s->rules->limits;
    s->is_extended = true;
    g_string_append_printf(s->out,
                           "250-%s\r\n250-PIPELINING\r\n250-SIZE %" G_GUINT64_FORMAT
                           "\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
                           "250-ENHANCEDSTATUSCODES\r\n",
                           s->service->settings.hostname, (guint64)limits->max_size);
    put_more_extensions(s);
    g_string_append_printf(s->out, "250-LIMITS RCPTMAX=%u\r\n250-HELP\r\n250 CHUNKING\r\n",
                           limits->max_recipients);
    return SMTP_READ;
}

enum smtp_next smtp_cmd_ehlo(struct smtp_session *s, const char *args) {
    return greet_extended(s, args);
}

enum smtp_next smtp_cmd_lhlo(struct smtp_session *s, const char *args) {
    return greet_extended(s, args);
}

enum smtp_next smtp_cmd_helo(struct smtp_session *s, const char *args) {
    if (!greet(s, args))
        return smtp_reject(s, 501, "5.5.4", "HELO needs your name");
    s->is_extended = false;
    smtp_reply(s, 250, NULL, "%s", s->service->settings.hostname);
    return SMTP_READ;
}

enum smtp_next smtp_cmd_noop(struct smtp_session *s, const char *args) {
    smtp_reply(s, 250, "2.0.0", "Ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_rset(struct smtp_session *s, const char *args) {
    smtp_reset_transaction(s);
    smtp_reply(s, 250, "2.0.0", "Ok");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_quit(struct smtp_session *s, const char *args) {
    smtp_reply(s, 221, "2.0.0", "%s Bye", s->service->settings.hostname);
    return SMTP_CLOSE;
}

enum smtp_next smtp_cmd_help(struct smtp_session *s, const char *args) {
    smtp_reply(s, 214, "2.0.0", "%s MAIL RCPT DATA BDAT RSET NOOP QUIT STARTTLS%s VRFY HELP",
               s->service->settings.kind == SMTP_LMTP ? "LHLO" : "EHLO HELO",
               s->service->settings.kind == SMTP_LMTP ? "" : " AUTH");
    return SMTP_READ;
}

// Who exists is told to strangers at RCPT only ([RFC 5321] 7.3); users may see it in the address
// book anyway.
enum smtp_next smtp_cmd_vrfy(struct smtp_session *s, const char *args) {
    if (!*args)
        return smtp_reject(s, 501, "5.5.4", "VRFY needs an address");
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    size_t len = strlen(args);
    bool is_bracketed = len > 2 && args[0] == '<' && args[len - 1] == '>';
    const char *address = is_bracketed ? arena_strndup(arena, args + 1, len - 2) : args;
    if (s->who && directory_find_address(s->service->directory, arena, address, &object) == EC_OK &&
        !object->is_hidden)
        smtp_reply(s, 250, "2.1.5", "<%s>", object->address);
    else
        smtp_reply(s, 252, "2.1.5", "Cannot verify, but mail will be taken if it can be delivered");
    return SMTP_READ;
}

enum smtp_next smtp_cmd_expn(struct smtp_session *s, const char *args) {
    return smtp_reject(s, 502, "5.5.1", "Lists are not shown");
}

enum smtp_next smtp_cmd_etrn(struct smtp_session *s, const char *args) {
    return smtp_reject(s, 502, "5.5.1", "Mail is sent on when it is due, not on request");
}
