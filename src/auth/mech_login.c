// LOGIN ([MS-XLOGIN]): the obsolete one that Outlook uses. Two questions, two answers; the first
// answer may come with the command.
#include <sodium.h>
#include <string.h>

#include "auth/sasl_internal.h"

struct login {
    const char *user; // in the exchange's arena; NULL: not told yet
};

static bool always(const struct auth *auth) {
    (void)auth;
    return true;
}

static enum ec check_password(struct sasl *s, const char *user, struct sasl_turn *t) {
    if (t->in_len == 0 || memchr(t->in, '\0', t->in_len) != NULL)
        return EC_FORMAT_ERROR;
    char *password = g_strndup((const char *)t->in, t->in_len);
    enum ec ec = auth_password(s->auth, &s->peer, user, password, &t->who);
    sodium_memzero(password, t->in_len);
    g_free(password);
    return ec;
}

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    struct login *login = s->data;
    if (login->user != NULL)
        return check_password(s, login->user, t);
    login->user = t->in_len > 0 ? sasl_text(s, t) : NULL;
    return login->user != NULL ? sasl_challenge(t, "Password:", 9) : EC_FORMAT_ERROR;
}

const struct sasl_mechanism mech_login = {.name = "LOGIN",
                                          .is_usable = always,
                                          .question = "Username:",
                                          .size = sizeof(struct login),
                                          .step = step};
