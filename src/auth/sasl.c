// SASL exchanges ([RFC 4422]): which mechanisms there are, and one exchange's life.
#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/sasl_internal.h"

// The better ones first: clients that do not judge take the first that they know.
static const struct sasl_mechanism *const mechanisms[] = {
    &mech_gssapi,  &mech_scram_plus,  &mech_scram, &mech_ntlm,
    &mech_xoauth2, &mech_oauthbearer, &mech_plain, &mech_login,
};

bool sasl_has_binding(const struct auth_peer *peer) {
    uint8_t bytes[AUTH_BINDING_MAX];
    return peer->is_tls && peer->binding != NULL &&
           (peer->binding(peer->connection, AUTH_TLS_EXPORTER, bytes) > 0 ||
            peer->binding(peer->connection, AUTH_TLS_END_POINT, bytes) > 0);
}

static char *list_mechanisms(const struct auth *auth, bool with_bound) {
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        const struct sasl_mechanism *m = mechanisms[i];
        if (m->is_usable(auth) && (with_bound || !m->is_bound))
            g_string_append_printf(list, "%s%s", list->len > 0 ? " " : "", m->name);
    }
    return g_string_free(list, FALSE);
}

const char *sasl_mechanisms(const struct auth *auth, const struct auth_peer *peer) {
    if (!auth_plaintext_allowed(auth, peer))
        return "";
    struct auth *owned = (struct auth *)(uintptr_t)auth; // a cache of what it says
    bool with_bound = sasl_has_binding(peer);
    pthread_mutex_lock(&owned->offer_lock);
    char **list = &owned->offers[with_bound];
    if (*list == NULL)
        *list = list_mechanisms(auth, with_bound);
    const char *offer = *list;
    pthread_mutex_unlock(&owned->offer_lock);
    return offer;
}

enum ec sasl_begin(struct auth *auth, const struct auth_peer *peer, const char *mechanism,
                   struct sasl **out) {
    const struct sasl_mechanism *m = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(mechanisms); i++)
        if (g_ascii_strcasecmp(mechanisms[i]->name, mechanism) == 0)
            m = mechanisms[i];
    if (m == NULL || !m->is_usable(auth))
        return EC_NOT_SUPPORTED;
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    if (m->is_bound && !sasl_has_binding(peer))
        return EC_NOT_SUPPORTED;
    struct sasl *s = g_new0(struct sasl, 1);
    s->mechanism = m;
    s->auth = auth;
    s->peer = *peer;
    s->peer.address = g_strdup(peer->address);
    s->arena = arena_new();
    s->data = g_malloc0(m->size);
    *out = s;
    return EC_OK;
}

void sasl_free(struct sasl *s) {
    if (s == NULL)
        return;
    if (s->mechanism->end != NULL)
        s->mechanism->end(s);
    if (s->data != NULL)
        sodium_memzero(s->data, s->mechanism->size);
    g_free(s->data);
    arena_free(s->arena);
    g_free((char *)(uintptr_t)s->peer.address);
    g_free(s);
}

static enum ec take_message(struct sasl *s, struct sasl_turn *t) {
    bool is_first = !s->has_begun;
    s->has_begun = true;
    if (s->is_done || t->in_len > (s->is_bare ? AUTH_EXCHANGE_MAX : AUTH_SASL_MAX))
        return EC_FORMAT_ERROR;
    if (t->in == NULL) {
        if (!is_first)
            return EC_FORMAT_ERROR;
        const char *question = s->mechanism->question;
        if (question != NULL)
            return sasl_challenge(t, question, strlen(question));
        t->in = (const uint8_t *)"";
    }
    return s->mechanism->step(s, t);
}

enum ec sasl_turn_take(struct sasl *s, struct sasl_turn *t) {
    enum ec ec = take_message(s, t);
    s->is_done |= ec != EC_BUSY;
    return ec;
}

enum ec sasl_step(struct sasl *s, const uint8_t *in, size_t in_len, char **challenge_out,
                  size_t *challenge_len_out, struct principal **out) {
    struct sasl_turn t = {.in = in, .in_len = in_len};
    enum ec ec = sasl_turn_take(s, &t);
    if (ec == EC_BUSY) {
        *challenge_out = (char *)t.challenge;
        *challenge_len_out = t.challenge_len;
        return ec;
    }
    g_free(t.challenge);
    if (ec == EC_OK)
        *out = t.who;
    return ec;
}

// --- For the mechanisms ---

enum ec sasl_challenge(struct sasl_turn *t, const void *data, size_t len) {
    t->challenge = g_malloc(len + 1);
    memcpy(t->challenge, data, len);
    t->challenge[len] = '\0';
    t->challenge_len = len;
    return EC_BUSY;
}

char *sasl_text(struct sasl *s, const struct sasl_turn *t) {
    if (memchr(t->in, '\0', t->in_len) != NULL ||
        !g_utf8_validate((const char *)t->in, (gssize)t->in_len, NULL))
        return NULL;
    return arena_strndup(s->arena, (const char *)t->in, t->in_len);
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
