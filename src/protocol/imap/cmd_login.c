// LOGIN, AUTHENTICATE, STARTTLS ([RFC 3501] 6.2, [RFC 4959] SASL-IR).
#include "base/log.h"
#include "protocol/imap/imap_commands.h"
#include "protocol/imap/imap_write.h"

struct exchange {
    struct sasl *sasl;
};

static void log_failure(struct imap_session *s, enum ec ec) {
    log_event(LOG_LEVEL_INFO, "imap.login_failed", "peer", imap_peer(s).address, "reason",
              ec_name(ec), NULL);
}

// The end of both ways to log in. `who` NULL: refused with `ec`.
static void conclude(struct imap_cmd *c, enum ec ec, struct principal *who) {
    struct imap_session *s = c->s;
    if (ec == EC_OK)
        ec = imap_log_in(s, who);
    if (ec == EC_OK) {
        g_autoptr(GString) saved = s->out; // the capabilities go into the answer
        s->out = g_string_new("[CAPABILITY ");
        imap_put_capabilities(s);
        imap_puts(s, "] Logged in");
        imap_reply(c, "OK", arena_strdup(c->arena, s->out->str));
        g_string_free(s->out, TRUE);
        s->out = g_steal_pointer(&saved);
        return;
    }
    log_failure(s, ec);
    if (ec == EC_FORMAT_ERROR) {
        imap_reply(c, "BAD", "Invalid SASL message");
    } else if (ec == EC_NOT_FOUND) {
        imap_reply(c, "NO", "[AUTHORIZATIONFAILED] No mailbox that may be opened");
    } else if (ec == EC_NOT_AUTHORIZED) {
        imap_reply(c, "NO", "[PRIVACYREQUIRED] Use TLS before logging in");
    } else {
        imap_reply_ec(c, ec);
    }
    if (++s->n_login_failures >= IMAP_MAX_LOGIN_FAILURES) {
        imap_puts(s, "* BYE Too many failed logins\r\n");
        s->state = IMAP_LOGOUT;
        c->next = NET_CLOSE;
    }
}

void cmd_login(struct imap_cmd *c) {
    const char *user = imap_astring(&c->args, NULL);
    imap_space(&c->args);
    const char *password = imap_astring(&c->args, NULL);
    if (!imap_arg_end(c))
        return;
    struct auth_peer peer = imap_peer(c->s);
    struct principal *who = NULL;
    enum ec ec = c->s->service->auth
                     ? auth_password(c->s->service->auth, &peer, user, password, &who)
                     : EC_LOGON_FAILED;
    conclude(c, ec, who);
    principal_unref(who);
}

// --- AUTHENTICATE ---

static void free_exchange(struct imap_cmd *c) {
    struct exchange *x = c->data;
    sasl_free(x->sasl);
}

// One step with the client's message (NULL: none yet). Either the answer is set or the next
// challenge is written and the command waits.
static void step(struct imap_cmd *c, const uint8_t *in, size_t len) {
    struct exchange *x = c->data;
    struct principal *who = NULL;
    char *challenge = NULL;
    size_t challenge_len = 0;
    enum ec ec = sasl_step(x->sasl, in, len, &challenge, &challenge_len, &who);
    c->is_waiting = ec == EC_BUSY;
    if (ec == EC_BUSY) {
        g_autofree char *text = g_base64_encode((const guchar *)challenge, challenge_len);
        imap_printf(c->s, "+ %s\r\n", text);
        c->s->input = INPUT_SASL;
    } else {
        conclude(c, ec, who);
    }
    g_free(challenge);
    principal_unref(who);
}

static bool step_base64(struct imap_cmd *c, const char *text, size_t len) {
    g_autofree char *copy = g_strndup(text, len);
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (strlen(copy) != len || !sasl_decode(copy, &bytes, &n))
        return false;
    memset(copy, 0, len);
    step(c, bytes ? bytes : (const uint8_t *)"", n);
    if (bytes)
        memset(bytes, 0, n);
    g_free(bytes);
    return true;
}

void cmd_authenticate(struct imap_cmd *c) {
    const char *mechanism = imap_atom(&c->args);
    const char *initial = NULL;
    if (mechanism && imap_accept(&c->args, ' '))
        initial = imap_astring(&c->args, NULL);
    if (!imap_arg_end(c))
        return;
    struct auth_peer peer = imap_peer(c->s);
    struct exchange *x = arena_alloc0(c->arena, sizeof *x);
    enum ec ec = c->s->service->auth ? sasl_begin(c->s->service->auth, &peer, mechanism, &x->sasl)
                                     : EC_NOT_SUPPORTED;
    if (ec == EC_NOT_SUPPORTED) {
        imap_reply(c, "NO", "[CANNOT] Unsupported authentication mechanism");
        return;
    }
    if (ec != EC_OK) {
        conclude(c, ec, NULL);
        return;
    }
    c->data = x;
    c->free_data = free_exchange;
    if (!initial)
        step(c, NULL, 0);
    else if (strcmp(initial, "=") == 0) // an empty initial response
        step(c, (const uint8_t *)"", 0);
    else if (!step_base64(c, initial, strlen(initial)))
        imap_reply(c, "BAD", "Invalid base64");
}

enum net_next imap_take_sasl(struct imap_session *s, const char *data, size_t len) {
    struct imap_cmd *c = s->cmd;
    s->input = INPUT_LINE;
    bool is_whole = len > 0 && data[len - 1] == '\n';
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r'))
        len--;
    if (!is_whole || len > IMAP_LINE_MAX) {
        imap_puts(s, "* BYE Line too long\r\n");
        c->next = NET_CLOSE;
        imap_reply(c, "BAD", "Line too long");
    } else if (len == 1 && *data == '*') {
        imap_reply(c, "BAD", "Authentication cancelled");
    } else if (!step_base64(c, data, len)) {
        imap_reply(c, "BAD", "Invalid base64");
    } else if (c->is_waiting) {
        return NET_READ;
    }
    c->is_waiting = false;
    return imap_finish(c);
}

// --- STARTTLS ---

void cmd_starttls(struct imap_cmd *c) {
    struct imap_session *s = c->s;
    if (imap_is_tls(s) || !s->service->has_starttls || !s->conn) {
        imap_reply(c, "BAD", imap_is_tls(s) ? "TLS is active already" : "TLS is not available");
        return;
    }
    // The answer has to leave before the handshake begins, in the clear.
    imap_printf(s, "%s OK Begin TLS negotiation now\r\n", c->tag);
    imap_flush(s);
    s->scanned = 0;
    enum ec ec = net_conn_start_tls(s->conn);
    if (ec != EC_OK) {
        c->next = NET_ABORT;
        log_event(LOG_LEVEL_ERROR, "imap.starttls", "reason", ec_name(ec), NULL);
    }
    imap_reply(c, NULL, NULL);
    c->has_answered = true;
}
