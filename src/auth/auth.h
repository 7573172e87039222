// Who somebody is: passwords and SASL, with throttling ([RFC 4422], [RFC 4616], [MS-XLOGIN]).
//
// Every protocol logs in through here; the result is a `struct principal`, which mailbox/ checks
// rights for.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/result.h"
#include "directory/directory.h"

// An authenticated user; reference-counted, immutable.
struct principal {
    int refs; // atomic
    struct guid guid;
    char *address; // primary
    char *display_name;
    bool is_admin;     // the local administrator (command line)
    bool is_anonymous; // somebody who gave no name; the guid is zero
};
struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p); // accepts NULL
struct principal *principal_admin(void);   // for the command line and delivery
struct principal *principal_anonymous(void);

struct auth;
struct auth_options {
    bool plaintext_loopback; // [auth] plaintext = loopback
    bool store_nt_hash;      // [auth] ntlm
};
enum ec auth_new(struct directory *directory, const struct auth_options *options,
                 struct auth **out);
void auth_free(struct auth *auth); // accepts NULL

struct auth_peer {
    const char *address; // of the client
    bool is_tls, is_loopback;
    enum directory_protocol protocol; // has to be switched on for the user
};

// Whether a password may be sent on this connection at all (TLS, or loopback where configured).
bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer);

// Checks a password. EC_LOGON_FAILED (unknown user, wrong password: the same answer in the same
// time), EC_ACCOUNT_DISABLED (only after a right password; protocol or account switched off),
// EC_SERVER_BUSY (throttled: too many failures from the address or for the user; no hash is
// computed), EC_NOT_AUTHORIZED (plaintext not allowed here).
enum ec auth_password(struct auth *auth, const struct auth_peer *peer, const char *login,
                      const char *password, struct principal **out);

// Sets a password (argon2id; the NT hash too where it is switched on). EC_INVALID_PARAMETER for an
// empty one.
enum ec auth_set_password(struct auth *auth, const struct guid *user, const char *password);

// --- SASL, for SMTP, IMAP, POP3 ---

struct sasl; // one exchange
// Space-separated mechanisms to offer on this connection ("PLAIN LOGIN"); "" when none is allowed.
const char *sasl_mechanisms(const struct auth *auth, const struct auth_peer *peer);
// EC_NOT_SUPPORTED: no such mechanism; EC_NOT_AUTHORIZED: not without TLS.
enum ec sasl_begin(struct auth *auth, const struct auth_peer *peer, const char *mechanism,
                   struct sasl **out);
void sasl_free(struct sasl *s); // accepts NULL; clears secrets
// One step. `in` is the client's message, undone from base64 (NULL: no initial response). EC_OK:
// done, *out is the principal. EC_BUSY: send `*challenge_out` (g_free, base64 not yet applied) and
// call again. Others: as auth_password; EC_FORMAT_ERROR for a malformed message.
enum ec sasl_step(struct sasl *s, const uint8_t *in, size_t in_len, char **challenge_out,
                  size_t *challenge_len_out, struct principal **out);

// A client's message undone from base64, strictly: nothing is passed over. False: it is none.
// `*out` (g_free; may be NULL for an empty one) may hold a password.
bool sasl_decode(const char *base64, uint8_t **out, size_t *len_out);
