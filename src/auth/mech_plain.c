// PLAIN ([RFC 4616]): authorization name, login name and password in one message.
#include <sodium.h>
#include <string.h>

#include "auth/sasl_internal.h"

static bool always(const struct auth *auth) {
    (void)auth;
    return true;
}

// `message` has a NUL after its end: authorization name NUL login name NUL password.
static enum ec check_message(struct sasl *s, const char *message, size_t len,
                             struct principal **out) {
    const char *end = message + len, *parts[3] = {message};
    for (int i = 1; i < 3; i++) {
        const char *nul = memchr(parts[i - 1], '\0', (size_t)(end - parts[i - 1]));
        if (nul == NULL)
            return EC_FORMAT_ERROR;
        parts[i] = nul + 1;
    }
    if (strlen(parts[2]) != (size_t)(end - parts[2]) || parts[1][0] == '\0' ||
        parts[2][0] == '\0' || !g_utf8_validate(parts[0], -1, NULL) ||
        !g_utf8_validate(parts[1], -1, NULL))
        return EC_FORMAT_ERROR;
    struct attempt a;
    const char *reason = "wrong password";
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, parts[1]));
    enum ec ec = auth_password_attempt(&a, parts[2]);
    if (ec == EC_OK && !attempt_is_authorized(&a, s->arena, parts[0])) {
        ec = EC_LOGON_FAILED;
        reason = "not allowed to act for somebody else";
    }
    return attempt_conclude(&a, ec, reason, out);
}

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    char *message = g_malloc0(t->in_len + 1);
    memcpy(message, t->in, t->in_len);
    enum ec ec = check_message(s, message, t->in_len, &t->who);
    sodium_memzero(message, t->in_len);
    g_free(message);
    return ec;
}

const struct sasl_mechanism mech_plain = {
    .name = "PLAIN", .is_usable = always, .question = "", .step = step};
