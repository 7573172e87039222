// NTLM as a mechanism ([MS-SMTPNTLM], [MS-OXIMAP4], [MS-OXPOP3]): three messages, NTLMv2 only.
//
// The server answers by itself (there is no domain controller to ask), so it has to hold the NT
// hash, which is as good as the password: [auth] ntlm is off unless somebody needs it.
#include <openssl/rand.h>
#include <sodium.h>
#include <string.h>

#include "auth/ntlm.h"
#include "auth/sasl_internal.h"
#include "base/clock.h"

struct ntlm {
    uint8_t nonce[8];
    GBytes *negotiate, *challenge; // NULL: not said yet
    bool has_key;                  // the proof fitted
    uint8_t key[16];
    uint32_t flags;
};

static bool is_usable(const struct auth *auth) {
    return auth->options.store_nt_hash;
}

// --- The challenge ---

static enum ec challenge_step(struct sasl *s, struct ntlm *x, struct sasl_turn *t) {
    struct ntlm_challenge c = {.now = clock_now(), .computer_dns = s->auth->options.hostname};
    if (!ntlm_read_negotiate(t->in, t->in_len, &c.flags))
        return EC_FORMAT_ERROR;
    if (RAND_bytes(x->nonce, sizeof x->nonce) != 1)
        return EC_CALL_FAILED;
    // Short (NetBIOS) names: the first labels in capitals, 15 characters at most.
    g_autofree char *domain = directory_default_domain(s->auth->directory);
    c.domain_dns = domain != NULL ? domain : "localhost";
    g_autofree char *short_domain =
        g_ascii_strup(c.domain_dns, (gssize)MIN(strcspn(c.domain_dns, "."), 15u));
    g_autofree char *short_name =
        g_ascii_strup(c.computer_dns, (gssize)MIN(strcspn(c.computer_dns, "."), 15u));
    c.domain = short_domain;
    c.computer = short_name;
    memcpy(c.nonce, x->nonce, sizeof c.nonce);
    x->negotiate = g_bytes_new(t->in, t->in_len);
    x->challenge = g_byte_array_free_to_bytes(ntlm_write_challenge(&c));
    return sasl_challenge(t, g_bytes_get_data(x->challenge, NULL), g_bytes_get_size(x->challenge));
}

// --- The proof ---

static const char *login_of(struct sasl *s, const struct ntlm_authenticate *m) {
    return m->domain[0] == '\0' || strpbrk(m->user, "@\\") != NULL
               ? m->user
               : arena_printf(s->arena, "%s\\%s", m->domain, m->user);
}

// NULL: it fits. Somebody without a hash is compared with one that nobody has.
static const char *fault_of(struct ntlm *x, const struct attempt *a, struct sasl_turn *t,
                            const struct ntlm_authenticate *m, struct directory_credentials *c) {
    uint8_t session_key[16], key[16];
    bool has_hash = a->object != NULL && c->has_nt_hash;
    if (!has_hash)
        randombytes_buf(c->nt_hash, sizeof c->nt_hash);
    bool fits = ntlm_verify(m, c->nt_hash, x->nonce, session_key) && has_hash;
    ntlm_exported_key(m, session_key, key);
    uint8_t *copy = g_memdup2(t->in, t->in_len);
    bool is_whole =
        !m->has_mic || ntlm_verify_mic(m, key, x->negotiate, x->challenge, copy, t->in_len);
    g_free(copy);
    sodium_memzero(session_key, sizeof session_key);
    x->has_key = fits && is_whole;
    memcpy(x->key, key, sizeof key);
    x->flags = m->flags;
    sodium_memzero(key, sizeof key);
    return !fits ? "wrong password" : !is_whole ? "a message was changed on the way" : NULL;
}

static enum ec proof_step(struct sasl *s, struct ntlm *x, struct sasl_turn *t) {
    struct ntlm_authenticate m;
    struct attempt a;
    struct directory_credentials c;
    bool is_refused;
    if (!ntlm_read_authenticate(s->arena, t->in, t->in_len, &m, &is_refused))
        return EC_FORMAT_ERROR;
    if (is_refused) {
        EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, NULL));
        return attempt_conclude(&a, EC_LOGON_FAILED, "anonymous, or older than NTLMv2", &t->who);
    }
    EC_TRY(attempt_begin(&a, s->arena, s->auth, &s->peer, login_of(s, &m)));
    if (!attempt_may_try(&a))
        return attempt_conclude(&a, EC_SERVER_BUSY, NULL, &t->who);
    EC_TRY(attempt_credentials(&a, &c));
    const char *fault = fault_of(x, &a, t, &m, &c);
    directory_credentials_clear(&c);
    return attempt_conclude(&a, fault == NULL ? EC_OK : EC_LOGON_FAILED, fault, &t->who);
}

bool mech_ntlm_sign(struct sasl *s, bool is_client, const uint8_t *data, size_t len,
                    uint8_t out[NTLM_SIGNATURE_SIZE]) {
    const struct ntlm *x = s->data;
    if (x->has_key)
        ntlm_sign(x->flags, x->key, is_client, data, len, out);
    return x->has_key;
}

// --- The mechanism ---

static enum ec step(struct sasl *s, struct sasl_turn *t) {
    struct ntlm *x = s->data;
    return x->challenge == NULL ? challenge_step(s, x, t) : proof_step(s, x, t);
}

static void end(struct sasl *s) {
    struct ntlm *x = s->data;
    g_clear_pointer(&x->negotiate, g_bytes_unref);
    g_clear_pointer(&x->challenge, g_bytes_unref);
}

const struct sasl_mechanism mech_ntlm = {.name = "NTLM",
                                         .is_usable = is_usable,
                                         .question = "",
                                         .size = sizeof(struct ntlm),
                                         .step = step,
                                         .end = end};
