// SCRAM-SHA-256 and -PLUS ([RFC 5802], [RFC 7677]): the client proves to know the password without
// sending it, the server proves to know it too.
//
// Somebody without keys (unknown, no password, a password older than SCRAM here) takes the same
// steps with keys that no proof fits.
#include <openssl/rand.h>
#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/sasl_internal.h"
#include "auth/scram_keys.h"
#include "base/text.h"

#define NONCE_SIZE 18 // bytes, 24 characters in base64

enum scram_state { SCRAM_FIRST, SCRAM_PROOF, SCRAM_END };

struct scram {
    enum scram_state state;
    struct attempt attempt;
    struct scram_keys keys;
    bool has_keys;
    // In the exchange's arena.
    const char *gs2_header, *binding_type; // binding_type NULL: none
    const char *authorization, *user;
    const char *client_first, *server_first, *nonce;
    struct principal *who; // until the client has seen our signature
};

static bool is_usable(const struct auth *auth) {
    return auth->options.scram_iterations > 0;
}

// --- The client's first message ---

// "=2C" and "=3D" undone; NULL: another "=".
static char *read_name(struct arena *arena, const char *name) {
    char *out = arena_strdup(arena, name), *to = out;
    for (const char *p = name; *p != '\0'; p++) {
        if (*p != '=') {
            *to++ = *p;
            continue;
        }
        if (strncmp(p, "=2C", 3) != 0 && strncmp(p, "=3D", 3) != 0)
            return NULL;
        *to++ = p[2] == 'C' ? ',' : '=';
        p += 2;
    }
    *to = '\0';
    return out;
}

// The text up to the next comma (or the end), which is passed; NULL when there is none left.
static char *next_part(struct arena *arena, const char **at) {
    if (*at == NULL)
        return NULL;
    size_t len = strcspn(*at, ",");
    char *part = arena_strndup(arena, *at, len);
    *at = (*at)[len] != '\0' ? *at + len + 1 : NULL;
    return part;
}

// "p=type", "n" or "y", then "a=name" or nothing, each with a comma.
static bool read_gs2_header(struct sasl *s, struct scram *x, const char *message) {
    const char *at = message;
    char *flag = next_part(s->arena, &at), *name = next_part(s->arena, &at);
    if (name == NULL || at == NULL)
        return false;
    x->gs2_header = arena_strndup(s->arena, message, (size_t)(at - message));
    x->client_first = at;
    x->authorization = strncmp(name, "a=", 2) == 0 ? read_name(s->arena, name + 2)
                       : name[0] == '\0'           ? ""
                                                   : NULL;
    if (g_str_has_prefix(flag, "p="))
        x->binding_type = flag + 2;
    // "y": the client would have bound, but saw no -PLUS. If we offered it, somebody on the way
    // took it out.
    bool is_plain =
        strcmp(flag, "n") == 0 || (strcmp(flag, "y") == 0 && !sasl_has_binding(&s->peer));
    return x->authorization != NULL &&
           (s->mechanism->is_bound ? x->binding_type != NULL : is_plain);
}

static bool is_nonce(const char *text) {
    for (const char *p = text; *p != '\0'; p++)
        if (*p < 0x21 || *p > 0x7e)
            return false;
    return text[0] != '\0';
}

// "n=user,r=nonce", then extensions, which we know none of and may pass over. A "m=" first would be
// one that must be known.
static bool read_first(struct sasl *s, struct scram *x, const char *message) {
    if (message == NULL || !read_gs2_header(s, x, message))
        return false;
    const char *at = x->client_first;
    const char *name = next_part(s->arena, &at), *nonce = next_part(s->arena, &at);
    if (nonce == NULL || !g_str_has_prefix(name, "n=") || !g_str_has_prefix(nonce, "r=") ||
        !is_nonce(nonce + 2))
        return false;
    x->user = read_name(s->arena, name + 2);
    x->nonce = nonce + 2;
    return x->user != NULL && x->user[0] != '\0';
}

// What nobody's salt hangs on: a name in the form that a user's address has, so that other
// spellings of it give the same one.
static const char *salt_name(struct sasl *s, struct scram *x) {
    if (x->attempt.object != NULL)
        return text_fold(s->arena, x->attempt.object->address);
    g_autofree char *domain = directory_default_domain(s->auth->directory);
    const char *name = x->user;
    if (strpbrk(name, "@\\/") == NULL && domain != NULL)
        name = arena_printf(s->arena, "%s@%s", name, domain);
    return text_fold(s->arena, name);
}

static enum ec read_keys(struct sasl *s, struct scram *x) {
    struct directory_credentials c;
    struct scram_keys fake;
    EC_TRY(attempt_credentials(&x->attempt, &c));
    scram_keys_fake(s->auth->fake_key, salt_name(s, x), s->auth->options.scram_iterations, &fake);
    x->has_keys = c.has_scram_keys && scram_keys_read(c.scram_keys, &x->keys);
    if (!x->has_keys)
        x->keys = fake;
    directory_credentials_clear(&c);
    return EC_OK;
}

static enum ec first_step(struct sasl *s, struct scram *x, struct sasl_turn *t) {
    uint8_t random[NONCE_SIZE];
    if (!read_first(s, x, sasl_text(s, t)))
        return EC_FORMAT_ERROR;
    EC_TRY(attempt_begin(&x->attempt, s->arena, s->auth, &s->peer, x->user));
    if (!attempt_may_try(&x->attempt))
        return attempt_conclude(&x->attempt, EC_SERVER_BUSY, NULL, &x->who);
    EC_TRY(read_keys(s, x));
    if (RAND_bytes(random, sizeof random) != 1)
        return EC_CALL_FAILED;
    g_autofree char *ours = g_base64_encode(random, sizeof random);
    g_autofree char *salt = g_base64_encode(x->keys.salt, sizeof x->keys.salt);
    x->nonce = arena_printf(s->arena, "%s%s", x->nonce, ours);
    x->server_first = arena_printf(s->arena, "r=%s,s=%s,i=%u", x->nonce, salt, x->keys.iterations);
    x->state = SCRAM_PROOF;
    return sasl_challenge(t, x->server_first, strlen(x->server_first));
}

// --- The proof ---

// The header of the first message and the binding's bytes, as the client must have seen them.
static bool is_bound_right(struct sasl *s, struct scram *x, const char *base64) {
    uint8_t bytes[AUTH_BINDING_MAX];
    size_t len = 0;
    if (x->binding_type != NULL && s->peer.binding != NULL) {
        if (strcmp(x->binding_type, "tls-exporter") == 0)
            len = s->peer.binding(s->peer.connection, AUTH_TLS_EXPORTER, bytes);
        else if (strcmp(x->binding_type, "tls-server-end-point") == 0)
            len = s->peer.binding(s->peer.connection, AUTH_TLS_END_POINT, bytes);
        if (len == 0)
            return false;
    }
    g_autoptr(GByteArray) whole = g_byte_array_new();
    g_byte_array_append(whole, (const uint8_t *)x->gs2_header, (guint)strlen(x->gs2_header));
    g_byte_array_append(whole, bytes, (guint)len);
    g_autofree char *expected = g_base64_encode(whole->data, whole->len);
    return text_equal_secret(expected, base64);
}

// "c=...,r=...", extensions, "p=..." last. What is signed goes to *without_proof_out.
static bool read_final(struct sasl *s, const char *message, const char **binding_out,
                       const char **nonce_out, uint8_t proof[SCRAM_HASH_SIZE],
                       const char **without_proof_out) {
    const char *last = message != NULL ? g_strrstr(message, ",p=") : NULL;
    if (last == NULL)
        return false;
    const char *at = arena_strndup(s->arena, message, (size_t)(last - message));
    *without_proof_out = at;
    const char *binding = next_part(s->arena, &at), *nonce = next_part(s->arena, &at);
    if (nonce == NULL || !g_str_has_prefix(binding, "c=") || !g_str_has_prefix(nonce, "r="))
        return false;
    *binding_out = binding + 2;
    *nonce_out = nonce + 2;
    g_autofree uint8_t *bytes = NULL;
    size_t len = 0;
    if (!sasl_decode(last + 3, &bytes, &len) || len != SCRAM_HASH_SIZE)
        return false;
    memcpy(proof, bytes, SCRAM_HASH_SIZE);
    return true;
}

static enum ec proof_step(struct sasl *s, struct scram *x, struct sasl_turn *t) {
    const char *binding, *nonce, *without_proof, *reason = "wrong password";
    uint8_t proof[SCRAM_HASH_SIZE], signature[SCRAM_HASH_SIZE];
    if (!read_final(s, sasl_text(s, t), &binding, &nonce, proof, &without_proof))
        return EC_FORMAT_ERROR;
    // Exchanges that were begun together are guesses like others.
    if (!attempt_may_try(&x->attempt))
        return attempt_conclude(&x->attempt, EC_SERVER_BUSY, NULL, &x->who);
    const char *signed_text =
        arena_printf(s->arena, "%s,%s,%s", x->client_first, x->server_first, without_proof);
    bool fits = scram_keys_verify(&x->keys, signed_text, proof, signature) && x->has_keys &&
                strcmp(nonce, x->nonce) == 0;
    if (fits && !is_bound_right(s, x, binding)) {
        fits = false;
        reason = "not bound to this connection";
    }
    if (fits && !attempt_is_authorized(&x->attempt, s->arena, x->authorization)) {
        fits = false;
        reason = "not allowed to act for somebody else";
    }
    EC_TRY(attempt_conclude(&x->attempt, fits ? EC_OK : EC_LOGON_FAILED, reason, &x->who));
    g_autofree char *text = g_base64_encode(signature, sizeof signature);
    const char *answer = arena_printf(s->arena, "v=%s", text);
    x->state = SCRAM_END;
    return sasl_challenge(t, answer, strlen(answer));
}

// --- The mechanism ---

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    struct scram *x = s->data;
    switch (x->state) {
    case SCRAM_FIRST:
        return first_step(s, x, t);
    case SCRAM_PROOF:
        return proof_step(s, x, t);
    case SCRAM_END:
        break;
    }
    if (t->in_len > 0)
        return EC_FORMAT_ERROR;
    t->who = g_steal_pointer(&x->who);
    return EC_OK;
}

static void end(struct sasl *s) {
    struct scram *x = s->data;
    principal_unref(x->who);
}

const struct sasl_mechanism mech_scram = {.name = "SCRAM-SHA-256",
                                          .is_usable = is_usable,
                                          .question = "",
                                          .size = sizeof(struct scram),
                                          .step = step,
                                          .end = end};
const struct sasl_mechanism mech_scram_plus = {.name = "SCRAM-SHA-256-PLUS",
                                               .is_usable = is_usable,
                                               .is_bound = true,
                                               .question = "",
                                               .size = sizeof(struct scram),
                                               .step = step,
                                               .end = end};
