// What a SASL mechanism supplies (mech_*.c), and what an exchange holds.
#pragma once

#include "auth/auth_internal.h"
#include "base/arena.h"

struct sasl;

// One message of the client, and what is answered.
struct sasl_turn {
    const uint8_t *in;
    size_t in_len;
    uint8_t *challenge; // g_malloc; with EC_BUSY
    size_t challenge_len;
    struct principal *who; // with EC_OK
};

struct sasl_mechanism {
    const char *name;
    // Whether the server's settings allow it.
    bool (*is_usable)(const struct auth *auth);
    bool is_bound; // only where the connection has a channel binding
    // Asked when the client sends no initial response; NULL: nothing is, `step` gets an empty
    // message.
    const char *question;
    size_t size; // of s->data, zeroed at the beginning
    enum ec (*step)(struct sasl *s, struct sasl_turn *t);
    void (*end)(struct sasl *s); // clears what s->data holds; may be NULL
};

struct sasl {
    const struct sasl_mechanism *mechanism;
    struct auth *auth;
    struct auth_peer peer; // with its own address
    struct arena *arena;   // of the exchange
    bool has_begun, is_done;
    bool is_bare; // of HTTP: Kerberos ends with its context, and its last token goes with EC_OK
    void *data;
};

extern const struct sasl_mechanism mech_plain, mech_login, mech_scram, mech_scram_plus,
    mech_xoauth2, mech_oauthbearer, mech_gssapi, mech_ntlm;

// As sasl_step; t->challenge (g_free) may be there with EC_OK too.
enum ec sasl_turn_take(struct sasl *s, struct sasl_turn *t);
// EC_BUSY with a challenge.
enum ec sasl_challenge(struct sasl_turn *t, const void *data, size_t len);
// A message as a string in the exchange's arena; NULL: it has a NUL inside or is no UTF-8.
char *sasl_text(struct sasl *s, const struct sasl_turn *t);
// Whether the connection has a channel binding of any kind.
bool sasl_has_binding(const struct auth_peer *peer);

// mech_ntlm.c: a check sum with the key of a login that was right (ntlm_sign). False: there is no
// key.
bool mech_ntlm_sign(struct sasl *s, bool is_client, const uint8_t *data, size_t len,
                    uint8_t out[16]);
