// STARTTLS ([RFC 3207]) and AUTH ([RFC 4954]).
#include <string.h>

#include "base/log.h"
#include "protocol/smtp/session.h"
#include "protocol/smtp/smtp_errors.h"

enum smtp_next smtp_cmd_starttls(struct smtp_session *s, const char *args) {
    if (s->peer.is_tls)
        return smtp_reject(s, 503, "5.5.1", "TLS is on already");
    if (!s->service->settings.has_tls)
        return smtp_reject(s, 502, "5.5.1", "TLS is not available");
    smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
    return SMTP_START_TLS;
}

static enum smtp_next fail(struct smtp_session *s, enum ec ec) {
    const struct smtp_error *e = smtp_error(ec);
    sasl_free(g_steal_pointer(&s->sasl));
    s->mode = SMTP_COMMAND;
    log_event(LOG_LEVEL_INFO, "smtp.login_failed", "peer", s->peer.address, "reason", ec_name(ec),
              NULL);
    return smtp_reject(s, e->code, e->status, "%s", e->text);
}

static enum smtp_next step(struct smtp_session *s, const uint8_t *in, size_t len) {
    g_autofree char *challenge = NULL;
    size_t challenge_len = 0;
    enum ec ec = sasl_step(s->sasl, in, len, &challenge, &challenge_len, &s->who);
    if (ec == EC_BUSY) {
        g_autofree char *text =
            g_base64_encode((const guchar *)(challenge ? challenge : ""), challenge_len);
        smtp_reply(s, 334, NULL, "%s", text);
        s->mode = SMTP_SASL;
        return SMTP_READ;
    }
    if (ec != EC_OK)
        return fail(s, ec);
    sasl_free(g_steal_pointer(&s->sasl));
    s->mode = SMTP_COMMAND;
    log_event(LOG_LEVEL_INFO, "smtp.login", "user", s->who->address, "peer", s->peer.address, NULL);
    smtp_reply(s, 235, "2.7.0", "Authentication successful");
    return SMTP_READ;
}

static enum smtp_next decode_step(struct smtp_session *s, const char *text) {
    g_autofree uint8_t *bytes = NULL;
    size_t len = 0;
    if (!sasl_decode(text, &bytes, &len))
        return fail(s, EC_FORMAT_ERROR);
    enum smtp_next next = step(s, bytes ? bytes : (const uint8_t *)"", len);
    if (bytes)
        memset(bytes, 0, len);
    return next;
}

enum smtp_next smtp_cmd_auth(struct smtp_session *s, const char *args) {
    if (!s->is_extended)
        return smtp_reject(s, 503, "5.5.1", "Say EHLO first");
    if (s->who)
        return smtp_reject(s, 503, "5.5.1", "You are authenticated already");
    if (s->arena)
        return smtp_reject(s, 503, "5.5.1", "Not during a mail transaction");
    if (!*args)
        return smtp_reject(s, 501, "5.5.4", "AUTH needs a mechanism");
    size_t len = strcspn(args, " ");
    g_autofree char *mechanism = g_ascii_strup(args, (gssize)len);
    const char *initial = args + len + strspn(args + len, " ");
    enum ec ec = sasl_begin(s->service->auth, &s->peer, mechanism, &s->sasl);
    if (ec != EC_OK)
        return fail(s, ec);
    if (!*initial)
        return step(s, NULL, 0);
    return decode_step(s, strcmp(initial, "=") == 0 ? "" : initial);
}

enum smtp_next smtp_sasl_line(struct smtp_session *s, const char *line) {
    if (strcmp(line, "*") == 0)
        return fail(s, EC_CANCEL);
    return decode_step(s, line);
}
