// From a destination to a connection on which MAIL can be said: hosts, addresses, greeting, EHLO,
// STARTTLS, AUTH. One host after the other is tried; what went wrong with the last is the answer,
// unless another promised that it may work later.
#include <string.h>

#include "base/log.h"
#include "relay/relay_internal.h"

struct relay_result result_from_reply(struct arena *arena, const char *remote,
                                      const struct reply *reply, const char *status) {
    bool is_permanent = reply_is_permanent(reply);
    const char *said = reply->status[0] ? reply->status : status;
    // A class that does not fit the reply would turn a delay into a failure for programs.
    char class = is_permanent ? '5' : reply_is_good(reply) ? '2' : '4';
    return (struct relay_result){
        .verdict = is_permanent           ? RELAY_FAILED
                   : reply_is_good(reply) ? RELAY_SENT
                                          : RELAY_DEFERRED,
        .status = arena_printf(arena, "%c%s", class, said + 1),
        .remote = arena_strdup(arena, remote),
        .reply = arena_printf(arena, "%u %s", reply->code, reply->text),
        .text = arena_printf(arena, "%s said: %u %s", remote, reply->code, reply->text),
    };
}

struct relay_result result_from_ec(struct arena *arena, const char *remote, enum ec ec,
                                   const char *doing) {
    return (struct relay_result){
        .verdict = ec == EC_CANCEL ? RELAY_BUSY : RELAY_DEFERRED,
        .status = ec == EC_NOT_AUTHORIZED ? "4.7.5"
                  : ec == EC_FORMAT_ERROR ? "4.5.0"
                                          : "4.4.2",
        .remote = arena_strdup(arena, remote),
        .text = arena_printf(arena, "%s: %s", remote, doing),
    };
}

struct opening {
    struct relay *r;
    struct arena *arena;
    const struct hop *hop;
    const char *address;
    struct tls_plan plan; // of the host that is tried
    bool without_tls;     // STARTTLS failed where it need not succeed
    struct connection *c;
    struct relay_result *why;
};

static bool lost(struct opening *o, enum ec ec, const char *doing) {
    const char *error = peer_error(o->c->peer);
    *o->why =
        result_from_ec(o->arena, o->c->remote, ec, arena_printf(o->arena, "%s (%s)", error, doing));
    return false;
}

static bool refused(struct opening *o, const struct reply *reply, const char *status) {
    *o->why = result_from_reply(o->arena, o->c->remote, reply, status);
    return false;
}

static bool insecure(struct opening *o, const char *status, const char *text) {
    *o->why = (struct relay_result){.verdict = RELAY_DEFERRED,
                                    .status = status,
                                    .remote = arena_strdup(o->arena, o->c->remote),
                                    .text = arena_printf(o->arena, "%s %s", o->c->remote, text)};
    return false;
}

// --- The steps ---

static void on_line(void *extensions, const char *text, size_t len) {
    extensions_read(extensions, text, len);
}

static bool say_hello(struct opening *o) {
    struct reply reply;
    struct peer *ch = o->c->peer;
    unsigned seconds = o->r->options.command_seconds;
    o->c->extensions = (struct extensions){0};
    peer_printf(ch, "EHLO %s\r\n", o->r->options.hostname);
    enum ec ec = peer_reply(ch, seconds, &reply, on_line, &o->c->extensions);
    if (ec != EC_OK)
        return lost(o, ec, "EHLO");
    if (reply_is_good(&reply))
        return true;
    o->c->extensions = (struct extensions){0};
    if (!reply_is_permanent(&reply))
        return refused(o, &reply, "4.3.0");
    peer_printf(ch, "HELO %s\r\n", o->r->options.hostname);
    ec = peer_reply(ch, seconds, &reply, NULL, NULL);
    if (ec != EC_OK)
        return lost(o, ec, "HELO");
    return reply_is_good(&reply) || refused(o, &reply, "4.3.0");
}

static bool shake_hands(struct opening *o) {
    SSL *ssl = plan_ssl(o->r, &o->plan);
    if (!ssl)
        return insecure(o, "4.7.5", "cannot be talked to by TLS: its TLSA records are unusable");
    enum ec ec = peer_start_tls(o->c->peer, ssl, o->r->options.command_seconds);
    if (ec != EC_OK) {
        lost(o, ec, "TLS handshake");
        if (ec != EC_CANCEL)
            o->why->status = "4.7.5";
        return false;
    }
    o->c->is_tls = true;
    o->c->is_verified = o->plan.level == LEVEL_DANE || (o->plan.is_trusted && o->plan.name &&
                                                        SSL_get_verify_result(ssl) == X509_V_OK);
    o->r->tls_connections++;
    return true;
}

static bool start_tls(struct opening *o) {
    enum tls_level level = o->plan.level;
    if (level == LEVEL_NONE || o->c->is_tls || o->without_tls)
        return true;
    if (!o->c->extensions.has_starttls)
        return level == LEVEL_MAY || insecure(o, "4.7.10", "does not offer TLS, which is required");
    struct reply reply;
    peer_put(o->c->peer, "STARTTLS\r\n");
    enum ec ec = peer_reply(o->c->peer, o->r->options.command_seconds, &reply, NULL, NULL);
    if (ec != EC_OK)
        return lost(o, ec, "STARTTLS");
    if (!reply_is_good(&reply))
        return level == LEVEL_MAY ||
               insecure(o, "4.7.10", "refuses to start TLS, which is required");
    // Bytes that came in the clear must not count as said under TLS ([RFC 3207] 6, injection).
    if (peer_has_input(o->c->peer))
        return insecure(o, "4.7.5", "sent more than a reply before TLS");
    return shake_hands(o) && say_hello(o);
}

static char *base64(const char *text, size_t len) {
    return g_base64_encode((const guchar *)text, len);
}

static bool log_in(struct opening *o) {
    const struct hop *hop = o->hop;
    const struct extensions *e = &o->c->extensions;
    struct reply reply;
    if (!hop->user)
        return true;
    if (!o->c->is_tls && hop->tls != RELAY_TLS_OFF)
        return insecure(o, "4.7.10", "offers no TLS, and the password does not go in the clear");
    const char *password = hop->password ? hop->password : "";
    g_autofree char *user = base64(hop->user, strlen(hop->user));
    g_autofree char *secret = base64(password, strlen(password));
    if (!e->has_auth_plain && !e->has_auth_login)
        return insecure(o, "4.7.0", "offers neither AUTH PLAIN nor AUTH LOGIN");
    if (e->has_auth_plain) {
        size_t n = strlen(hop->user);
        g_autofree char *joined = g_strdup_printf(".%s.%s", hop->user, password);
        size_t len = strlen(joined);
        joined[0] = joined[n + 1] = '\0';
        g_autofree char *token = base64(joined, len);
        peer_printf(o->c->peer, "AUTH PLAIN %s\r\n", token);
    } else {
        peer_put(o->c->peer, "AUTH LOGIN\r\n");
    }
    const char *const answers[] = {user, secret};
    for (unsigned i = 0;; i++) {
        enum ec ec = peer_reply(o->c->peer, o->r->options.command_seconds, &reply, NULL, NULL);
        if (ec != EC_OK)
            return lost(o, ec, "AUTH");
        if (reply.code != 334 || e->has_auth_plain || i >= G_N_ELEMENTS(answers))
            break;
        peer_printf(o->c->peer, "%s\r\n", answers[i]);
    }
    if (reply_is_good(&reply))
        return true;
    refused(o, &reply, "4.7.8");
    o->why->verdict = RELAY_DEFERRED; // the administrator can put it right
    o->why->status = "4.7.8";
    return false;
}

static bool greet(struct opening *o) {
    struct reply reply;
    enum ec ec = peer_reply(o->c->peer, o->r->options.command_seconds, &reply, NULL, NULL);
    if (ec != EC_OK)
        return lost(o, ec, "greeting");
    return reply_is_good(&reply) || refused(o, &reply, "4.3.2");
}

// One attempt at one address.
static bool try_address(struct opening *o) {
    o->c = g_new0(struct connection, 1);
    o->c->link.data = o->c;
    o->c->remote = g_strdup(o->plan.name ? o->plan.name : o->address);
    o->r->connections++;
    enum ec ec =
        peer_connect(o->r, o->address, o->hop->port, o->r->options.connect_seconds, &o->c->peer);
    bool is_open = ec == EC_OK;
    if (!is_open) {
        lost(o, ec, arena_printf(o->arena, "connecting to %s port %u", o->address, o->hop->port));
        if (ec != EC_CANCEL)
            o->why->status = "4.4.1";
    }
    if (is_open && o->plan.is_implicit)
        is_open = shake_hands(o);
    return is_open && greet(o) && say_hello(o) && start_tls(o) && log_in(o);
}

static bool open_address(struct opening *o) {
    o->without_tls = false;
    if (try_address(o))
        return true;
    // A handshake that fails is no reason to keep mail back that may go in the clear.
    bool may_try_again = o->plan.level == LEVEL_MAY && o->c->peer && peer_ssl(o->c->peer) &&
                         !o->c->is_tls && o->why->verdict != RELAY_BUSY;
    connection_close(o->c);
    o->c = NULL;
    if (!may_try_again)
        return false;
    log_event(LOG_LEVEL_INFO, "relay.tls_given_up", "address", o->address, "reason", o->why->text,
              NULL);
    o->without_tls = true;
    if (try_address(o))
        return true;
    connection_close(o->c);
    o->c = NULL;
    return false;
}

static bool open_host(struct opening *o, const struct host *host, const struct sts_policy *sts) {
    const char *addresses[RELAY_ADDRESSES_MAX];
    unsigned n;
    bool is_signed;
    if (!host_addresses(o->r, o->arena, host, addresses, &n, &is_signed, o->why) ||
        !plan_make(o->r, o->arena, o->hop, host, is_signed, sts, &o->plan, o->why))
        return false;
    for (unsigned i = 0; i < n; i++) {
        o->address = addresses[i];
        if (open_address(o))
            return true;
        if (o->why->verdict == RELAY_BUSY) // a stop
            return false;
    }
    return false;
}

struct connection *connection_open(struct relay *r, struct arena *arena, const struct hop *hop,
                                   struct relay_result *why) {
    struct hosts hosts;
    if (!hosts_find(r, arena, hop, &hosts, why))
        return NULL;
    struct sts_policy sts = {.mode = STS_NONE};
    if (r->sts && hop->kind == HOP_DOMAIN && hop->tls != RELAY_TLS_OFF)
        sts_find(r->sts, arena, hop->name, &sts);
    struct relay_result later = {.verdict = RELAY_SENT};
    struct opening o = {.r = r, .arena = arena, .hop = hop, .why = why};
    for (unsigned i = 0; i < hosts.n; i++) {
        if (open_host(&o, &hosts.items[i], &sts))
            return o.c;
        if (why->verdict == RELAY_BUSY)
            return NULL;
        if (why->verdict == RELAY_DEFERRED)
            later = *why;
    }
    if (later.verdict == RELAY_DEFERRED)
        *why = later;
    return NULL;
}

void connection_close(struct connection *c) {
    if (!c)
        return;
    if (c->peer && !c->is_broken)
        peer_say_goodbye(c->peer);
    peer_free(c->peer);
    g_free(c->remote);
    g_free(c);
}
