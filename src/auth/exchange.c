// Logins of HTTP: what is offered, tokens, and the exchanges of Negotiate and NTLM around the
// mechanisms of SASL (mech_*.c).
//
// Negotiate is Kerberos, which GSSAPI unwraps itself, or NTLM: bare as old clients send it, or
// within SPNEGO, which is unwrapped here. A client whose first choice we have no keys for is asked
// to go on with NTLM.
#include <string.h>

#include "auth/auth_internal.h"
#include "auth/ntlm.h"
#include "auth/sasl_internal.h"
#include "auth/spnego.h"

enum wrapping { WRAP_NONE, WRAP_SPNEGO };

struct auth_exchange {
    struct auth *auth;
    struct auth_peer peer; // with its own address
    bool is_negotiate;
    enum wrapping wrapping;
    bool has_named;     // the mechanism, to the client
    GBytes *mechanisms; // that the client offered
    struct sasl *sasl;  // NULL: not begun
};

// --- What is offered ---

static char *list_schemes(const struct auth *auth) {
    bool has_ntlm = mech_ntlm.is_usable(auth), has_kerberos = mech_gssapi.is_usable(auth);
    return g_strconcat(has_ntlm || has_kerberos ? "Negotiate " : "", has_ntlm ? "NTLM " : "",
                       auth->token_keys != NULL ? "Bearer " : "", "Basic", NULL);
}

const char *auth_schemes(const struct auth *auth, const struct auth_peer *peer) {
    if (!auth_plaintext_allowed(auth, peer))
        return "";
    struct auth *owned = (struct auth *)(uintptr_t)auth; // a cache of what it says
    pthread_mutex_lock(&owned->offer_lock);
    if (owned->schemes == NULL)
        owned->schemes = list_schemes(auth);
    const char *schemes = owned->schemes;
    pthread_mutex_unlock(&owned->offer_lock);
    return schemes;
}

enum ec auth_recheck(struct auth *auth, const struct auth_peer *peer, const struct principal *who) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    enum ec ec = directory_find_guid(auth->directory, arena, &who->guid, &object);
    if (ec == EC_NOT_FOUND)
        return EC_LOGON_FAILED;
    EC_TRY(ec);
    bool may = !object->is_disabled && (object->protocols & peer->protocol) != 0;
    return may ? EC_OK : EC_ACCOUNT_DISABLED;
}

// --- An exchange ---

enum ec auth_exchange_begin(struct auth *auth, const struct auth_peer *peer, const char *scheme,
                            struct auth_exchange **out) {
    bool is_negotiate = g_ascii_strcasecmp(scheme, "Negotiate") == 0;
    if (!is_negotiate && g_ascii_strcasecmp(scheme, "NTLM") != 0)
        return EC_NOT_SUPPORTED;
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    struct auth_exchange *x = g_new0(struct auth_exchange, 1);
    x->auth = auth;
    x->peer = *peer;
    x->peer.address = g_strdup(peer->address);
    x->is_negotiate = is_negotiate;
    *out = x;
    return EC_OK;
}

void auth_exchange_free(struct auth_exchange *x) {
    if (x == NULL)
        return;
    sasl_free(x->sasl);
    g_clear_pointer(&x->mechanisms, g_bytes_unref);
    g_free((char *)(uintptr_t)x->peer.address);
    g_free(x);
}

static bool is_ntlm(const uint8_t *in, size_t len, uint8_t type) {
    return len >= 12 && memcmp(in, "NTLMSSP", 8) == 0 && in[8] == type;
}

bool auth_exchange_is_first(const struct auth_exchange *x, const char *scheme, const uint8_t *in,
                            size_t len) {
    bool is_negotiate = g_ascii_strcasecmp(scheme, "Negotiate") == 0;
    return x->is_negotiate != is_negotiate || is_ntlm(in, len, 1) || (len > 0 && in[0] == 0x60);
}

static enum ec begin(struct auth_exchange *x, const char *mechanism) {
    EC_TRY(sasl_begin(x->auth, &x->peer, mechanism, &x->sasl));
    x->sasl->is_bare = true;
    return EC_OK;
}

static void reply(struct sasl_turn *t, uint8_t **reply_out, size_t *len_out) {
    *reply_out = t->challenge;
    *len_out = t->challenge_len;
}

// --- NTLM within SPNEGO ---

static void reply_spnego(struct auth_exchange *x, enum spnego_state state,
                         const struct sasl_turn *t, const uint8_t *check, size_t check_len,
                         uint8_t **reply_out, size_t *len_out) {
    GByteArray *a =
        spnego_write(state, !x->has_named, t->challenge, t->challenge_len, check, check_len);
    x->has_named = true;
    *len_out = a->len;
    *reply_out = g_byte_array_free(a, FALSE);
}

// The check sum over the list of mechanisms shows that nobody on the way took the better ones out;
// who sends one wants one.
static enum ec finish_spnego(struct auth_exchange *x, const struct spnego_message *m,
                             const struct sasl_turn *t, uint8_t **reply_out, size_t *len_out) {
    uint8_t check[NTLM_SIGNATURE_SIZE];
    if (m->check == NULL) {
        reply_spnego(x, SPNEGO_COMPLETED, t, NULL, 0, reply_out, len_out);
        return EC_OK;
    }
    size_t len;
    const uint8_t *list = g_bytes_get_data(x->mechanisms, &len);
    if (m->check_len != sizeof check || !mech_ntlm_sign(x->sasl, true, list, len, check) ||
        memcmp(m->check, check, sizeof check) != 0 ||
        !mech_ntlm_sign(x->sasl, false, list, len, check))
        return EC_LOGON_FAILED;
    reply_spnego(x, SPNEGO_COMPLETED, t, check, sizeof check, reply_out, len_out);
    return EC_OK;
}

static enum ec step_spnego(struct auth_exchange *x, const uint8_t *in, size_t in_len,
                           uint8_t **reply_out, size_t *len_out, struct principal **who_out) {
    struct spnego_message m;
    if (!spnego_read(in, in_len, &m))
        return EC_FORMAT_ERROR;
    struct sasl_turn t = {.in = m.token, .in_len = m.token_len};
    if (m.is_init) {
        if (x->mechanisms != NULL)
            return EC_FORMAT_ERROR;
        x->mechanisms = g_bytes_new(m.mechanisms, m.mechanisms_len);
        EC_TRY(begin(x, "NTLM"));
        if (!m.is_ntlm_first || m.token == NULL) {
            reply_spnego(x, SPNEGO_REQUEST_MIC, &t, NULL, 0, reply_out, len_out);
            return EC_BUSY;
        }
    }
    if (x->sasl == NULL || m.token == NULL)
        return EC_FORMAT_ERROR;
    enum ec ec = sasl_turn_take(x->sasl, &t);
    if (ec == EC_BUSY)
        reply_spnego(x, SPNEGO_INCOMPLETE, &t, NULL, 0, reply_out, len_out);
    if (ec == EC_OK) {
        *who_out = t.who;
        ec = finish_spnego(x, &m, &(struct sasl_turn){0}, reply_out, len_out);
        if (ec != EC_OK)
            g_clear_pointer(who_out, principal_unref);
    }
    g_free(t.challenge);
    return ec;
}

// --- One step ---

// Which mechanism the first message is for.
static enum ec choose(struct auth_exchange *x, const uint8_t *in, size_t in_len) {
    struct spnego_message m;
    if (is_ntlm(in, in_len, 1))
        return begin(x, "NTLM");
    if (!x->is_negotiate)
        return EC_FORMAT_ERROR;
    bool is_spnego = spnego_read(in, in_len, &m);
    if ((!is_spnego || m.has_kerberos) && mech_gssapi.is_usable(x->auth))
        return begin(x, "GSSAPI");
    if (!is_spnego || !m.has_ntlm)
        return EC_NOT_SUPPORTED;
    x->wrapping = WRAP_SPNEGO;
    return EC_OK;
}

enum ec auth_exchange_step(struct auth_exchange *x, const uint8_t *in, size_t in_len,
                           uint8_t **reply_out, size_t *len_out, struct principal **who_out) {
    struct sasl_turn t = {.in = in, .in_len = in_len};
    *reply_out = NULL;
    *len_out = 0;
    if (in_len == 0)
        return EC_FORMAT_ERROR;
    if (x->sasl == NULL && x->wrapping == WRAP_NONE)
        EC_TRY(choose(x, in, in_len));
    if (x->wrapping == WRAP_SPNEGO)
        return step_spnego(x, in, in_len, reply_out, len_out, who_out);
    enum ec ec = sasl_turn_take(x->sasl, &t);
    if (ec == EC_OK)
        *who_out = t.who;
    if (ec == EC_OK || ec == EC_BUSY)
        reply(&t, reply_out, len_out);
    else
        g_free(t.challenge);
    return ec;
}
