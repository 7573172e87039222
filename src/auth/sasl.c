// SASL exchanges (RFC 4422): PLAIN (RFC 4616) and LOGIN, the obsolete one that Outlook uses.
#include <sodium.h>
#include <string.h>

#include "auth/auth_internal.h"
#include "auth/limits.h"

enum sasl_state {
    SASL_PLAIN_START,    // waits for the message
    SASL_LOGIN_START,    // waits for an initial response, or to be asked for the user name
    SASL_LOGIN_USER,     // has asked for the user name
    SASL_LOGIN_PASSWORD, // has asked for the password
    SASL_DONE,
};

struct sasl {
    struct auth *auth;
    struct auth_peer peer; // with its own address
    enum sasl_state state;
    char *login; // LOGIN: the user name
};

const char *sasl_mechanisms(const struct auth *auth, const struct auth_peer *peer) {
    return auth_plaintext_allowed(auth, peer) ? "PLAIN LOGIN" : "";
}

enum ec sasl_begin(struct auth *auth, const struct auth_peer *peer, const char *mechanism,
                   struct sasl **out) {
    enum sasl_state state;
    if (g_ascii_strcasecmp(mechanism, "PLAIN") == 0)
        state = SASL_PLAIN_START;
    else if (g_ascii_strcasecmp(mechanism, "LOGIN") == 0)
        state = SASL_LOGIN_START;
    else
        return EC_NOT_SUPPORTED;
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    struct sasl *s = g_new0(struct sasl, 1);
    s->auth = auth;
    s->peer = *peer;
    s->peer.address = g_strdup(peer->address);
    s->state = state;
    *out = s;
    return EC_OK;
}

void sasl_free(struct sasl *s) {
    if (s == NULL)
        return;
    g_free((char *)s->peer.address);
    g_free(s->login);
    g_free(s);
}

static enum ec challenge(struct sasl *s, enum sasl_state next, const char *text,
                         char **challenge_out, size_t *challenge_len_out) {
    s->state = next;
    *challenge_out = g_strdup(text);
    *challenge_len_out = strlen(text);
    return EC_BUSY;
}

static void secret_free(char *secret) {
    sodium_memzero(secret, strlen(secret));
    g_free(secret);
}

// --- PLAIN ---

// Whether the authorization name is the user who logged in: nobody acts for others (yet).
static bool is_same_user(struct sasl *s, const char *name, const struct principal *p) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    return name[0] == '\0' ||
           (directory_find_login(s->auth->directory, arena, name, &object) == EC_OK &&
            guid_equal(&object->guid, &p->guid));
}

// `message` has a NUL after its end: authorization name NUL login name NUL password.
static enum ec plain_message(struct sasl *s, const char *message, size_t len,
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
    struct principal *p;
    EC_TRY(auth_password(s->auth, &s->peer, parts[1], parts[2], &p));
    if (!is_same_user(s, parts[0], p)) {
        principal_unref(p);
        return EC_LOGON_FAILED;
    }
    *out = p;
    return EC_OK;
}

static enum ec plain_step(struct sasl *s, const uint8_t *in, size_t in_len,
                          struct principal **out) {
    s->state = SASL_DONE;
    char *message = g_strndup("", in_len); // zeros, and one more
    memcpy(message, in, in_len);
    enum ec ec = plain_message(s, message, in_len, out);
    sodium_memzero(message, in_len);
    g_free(message);
    return ec;
}

// --- LOGIN ---

// The message as a string; NULL when it is empty or has a NUL inside.
static char *text_of(const uint8_t *in, size_t in_len) {
    if (in_len == 0 || memchr(in, '\0', in_len) != NULL)
        return NULL;
    return g_strndup((const char *)in, in_len);
}

static enum ec login_user(struct sasl *s, const uint8_t *in, size_t in_len, char **challenge_out,
                          size_t *challenge_len_out) {
    s->login = text_of(in, in_len);
    if (s->login == NULL || !g_utf8_validate(s->login, -1, NULL)) {
        s->state = SASL_DONE;
        return EC_FORMAT_ERROR;
    }
    return challenge(s, SASL_LOGIN_PASSWORD, "Password:", challenge_out, challenge_len_out);
}

static enum ec login_password(struct sasl *s, const uint8_t *in, size_t in_len,
                              struct principal **out) {
    s->state = SASL_DONE;
    char *password = text_of(in, in_len);
    if (password == NULL)
        return EC_FORMAT_ERROR;
    enum ec ec = auth_password(s->auth, &s->peer, s->login, password, out);
    secret_free(password);
    return ec;
}

enum ec sasl_step(struct sasl *s, const uint8_t *in, size_t in_len, char **challenge_out,
                  size_t *challenge_len_out, struct principal **out) {
    bool is_start = s->state == SASL_PLAIN_START || s->state == SASL_LOGIN_START;
    if (in_len > AUTH_SASL_MAX || (in == NULL && !is_start)) {
        s->state = SASL_DONE;
        return EC_FORMAT_ERROR;
    }
    switch (s->state) {
    case SASL_PLAIN_START:
        if (in == NULL)
            return challenge(s, SASL_PLAIN_START, "", challenge_out, challenge_len_out);
        return plain_step(s, in, in_len, out);
    case SASL_LOGIN_START:
        if (in == NULL)
            return challenge(s, SASL_LOGIN_USER, "Username:", challenge_out, challenge_len_out);
        return login_user(s, in, in_len, challenge_out, challenge_len_out);
    case SASL_LOGIN_USER:
        return login_user(s, in, in_len, challenge_out, challenge_len_out);
    case SASL_LOGIN_PASSWORD:
        return login_password(s, in, in_len, out);
    case SASL_DONE:
        break;
    }
    return EC_FORMAT_ERROR;
}

// GLib's decoder passes over what it does not know.
bool sasl_decode(const char *base64, uint8_t **out, size_t *len_out) {
    size_t len = strlen(base64), body = len;
    while (body > 0 && len - body < 2 && base64[body - 1] == '=')
        body--;
    for (size_t i = 0; i < body; i++)
        if (!g_ascii_isalnum(base64[i]) && base64[i] != '+' && base64[i] != '/')
            return false;
    if (len % 4 != 0)
        return false;
    *out = g_base64_decode(base64, len_out);
    return true;
}
