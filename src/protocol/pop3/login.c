// USER and PASS ([RFC 1939] 7), AUTH ([RFC 5034]), STLS ([RFC 2595] 4).
#include <string.h>

#include "base/log.h"
#include "protocol/pop3/session.h"

enum pop3_next pop3_cmd_stls(struct pop3_session *s, const char *args) {
    (void)args;
    if (s->peer.is_tls)
        return pop3_err(s, NULL, "TLS is on already");
    if (!s->service->settings.has_starttls)
        return pop3_err(s, NULL, "TLS is not available");
    pop3_ok(s, "begin TLS");
    return POP3_START_TLS;
}

// Opens the maildrop of who has proved to be `s->who`.
static enum pop3_next enter(struct pop3_session *s) {
    if (pop3_drop_is_too_early(s)) {
        g_clear_pointer(&s->who, principal_unref);
        return pop3_err(s, "LOGIN-DELAY", "the last login is too recent");
    }
    enum ec ec = pop3_drop_open(s);
    if (ec != EC_OK) {
        log_event(LOG_LEVEL_INFO, "pop3.maildrop_refused", "user", s->who->address, "peer",
                  s->peer.address, "reason", ec_name(ec), NULL);
        g_clear_pointer(&s->who, principal_unref);
        if (ec == EC_BUSY)
            return pop3_err(s, "IN-USE", "another session has the maildrop");
        if (ec == EC_NOT_FOUND || ec == EC_ACCESS_DENIED)
            return pop3_err(s, "AUTH", "no mailbox that may be opened");
        return pop3_err_ec(s, ec);
    }
    log_event(LOG_LEVEL_INFO, "pop3.login", "user", s->who->address, "peer", s->peer.address, NULL);
    pop3_ok(s, "%u messages", s->n);
    return POP3_READ;
}

static enum pop3_next fail(struct pop3_session *s, enum ec ec) {
    sasl_free(g_steal_pointer(&s->sasl));
    s->mode = POP3_COMMAND;
    log_event(LOG_LEVEL_INFO, "pop3.login_failed", "peer", s->peer.address, "reason", ec_name(ec),
              NULL);
    enum pop3_next next = pop3_err_ec(s, ec);
    return ++s->n_failures < POP3_MAX_LOGIN_FAILURES ? next : POP3_CLOSE;
}

enum pop3_next pop3_cmd_user(struct pop3_session *s, const char *args) {
    if (!auth_plaintext_allowed(s->service->auth, &s->peer))
        return pop3_err(s, "AUTH", "not without TLS");
    g_clear_pointer(&s->user, g_free);
    if (!*args)
        return pop3_err(s, NULL, "USER needs a name");
    s->user = g_strdup(args);
    pop3_ok(s, "send PASS"); // whether there is such a user is nobody's business
    return POP3_READ;
}

enum pop3_next pop3_cmd_pass(struct pop3_session *s, const char *args) {
    if (!s->user)
        return pop3_err(s, NULL, "USER comes first");
    g_autofree char *user = g_steal_pointer(&s->user);
    enum ec ec = auth_password(s->service->auth, &s->peer, user, args, &s->who);
    return ec == EC_OK ? enter(s) : fail(s, ec);
}

static enum pop3_next step(struct pop3_session *s, const uint8_t *in, size_t len) {
    g_autofree char *challenge = NULL;
    size_t challenge_len = 0;
    enum ec ec = sasl_step(s->sasl, in, len, &challenge, &challenge_len, &s->who);
    if (ec == EC_BUSY) {
        g_autofree char *text =
            g_base64_encode((const guchar *)(challenge ? challenge : ""), challenge_len);
        g_string_append_printf(s->out, "+ %s\r\n", text);
        s->mode = POP3_SASL;
        return POP3_READ;
    }
    if (ec != EC_OK)
        return fail(s, ec);
    sasl_free(g_steal_pointer(&s->sasl));
    s->mode = POP3_COMMAND;
    return enter(s);
}

static enum pop3_next decode_step(struct pop3_session *s, const char *text) {
    g_autofree uint8_t *bytes = NULL;
    size_t len = 0;
    if (!sasl_decode(text, &bytes, &len))
        return fail(s, EC_FORMAT_ERROR);
    enum pop3_next next = step(s, bytes ? bytes : (const uint8_t *)"", len);
    if (bytes)
        memset(bytes, 0, len);
    return next;
}

enum pop3_next pop3_cmd_auth(struct pop3_session *s, const char *args) {
    size_t len = strcspn(args, " ");
    if (len == 0) { // what some old clients ask instead of CAPA
        g_auto(GStrv) names = g_strsplit(sasl_mechanisms(s->service->auth, &s->peer), " ", -1);
        pop3_ok(s, "mechanisms follow");
        for (unsigned i = 0; names[i]; i++)
            if (*names[i])
                g_string_append_printf(s->out, "%s\r\n", names[i]);
        g_string_append(s->out, ".\r\n");
        return POP3_READ;
    }
    g_autofree char *mechanism = g_ascii_strup(args, (gssize)len);
    const char *initial = args + len + strspn(args + len, " ");
    enum ec ec = sasl_begin(s->service->auth, &s->peer, mechanism, &s->sasl);
    if (ec == EC_NOT_SUPPORTED)
        return pop3_err(s, NULL, "no such mechanism");
    if (ec != EC_OK)
        return fail(s, ec);
    if (!*initial)
        return step(s, NULL, 0);
    return decode_step(s, strcmp(initial, "=") == 0 ? "" : initial);
}

enum pop3_next pop3_sasl_line(struct pop3_session *s, const char *line) {
    if (strcmp(line, "*") == 0)
        return fail(s, EC_CANCEL);
    return decode_step(s, line);
}
