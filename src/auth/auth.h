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
    char *mailbox;     // named in the login name beside the user, not checked; NULL: the user's own
    bool is_admin;     // the local administrator (command line)
    bool is_anonymous; // somebody who gave no name; the guid is zero
};
struct principal *principal_ref(struct principal *p);
void principal_unref(struct principal *p); // accepts NULL
struct principal *principal_admin(void);   // for the command line and delivery
struct principal *principal_anonymous(void);

struct auth;
// Strings are copied. What is NULL or zero is off.
struct auth_options {
    bool plaintext_loopback;   // [auth] plaintext = loopback
    bool store_nt_hash;        // [auth] ntlm: NTLM, and the hash that it needs
    unsigned scram_iterations; // [auth] scram_iterations: of new SCRAM keys
    const char *hostname;      // the server's name, which NTLM tells
    // Bearer tokens (auth/token.h); they need the first three.
    const char *oauth_issuer, *oauth_audience, *oauth_keys, *oauth_claim;
    // Kerberos: the server's keys, and the realm whose principals are our users (NULL: those of
    // realms that are our domains in capitals).
    const char *gssapi_keytab, *gssapi_realm;
};
enum ec auth_new(struct directory *directory, const struct auth_options *options,
                 struct auth **out);
void auth_free(struct auth *auth); // accepts NULL

// What binds a login to the TLS connection it comes through ([RFC 5929], [RFC 9266]).
enum auth_binding { AUTH_TLS_EXPORTER, AUTH_TLS_END_POINT };
#define AUTH_BINDING_MAX 64
struct auth_peer {
    const char *address; // of the client
    bool is_tls, is_loopback;
    enum directory_protocol protocol; // has to be switched on for the user
    // Gives the length of the binding's bytes, 0: there is none. NULL: none of any kind.
    size_t (*binding)(const void *connection, enum auth_binding kind,
                      uint8_t out[AUTH_BINDING_MAX]);
    const void *connection;
};
struct net_conn;
// Lets a peer's logins be bound to its connection, which must outlive them.
void auth_peer_bind(struct auth_peer *peer, const struct net_conn *conn);

// Whether a password may be sent on this connection at all (TLS, or loopback where configured).
bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer);

// Login names: user@domain, DOMAIN\\user, domain.fqdn\\user, a bare name in the default domain; and
// of those who open somebody else's mailbox ([MS-OXIMAP4], [MS-OXPOP3]) domain/user/mailbox,
// user@domain/mailbox and user/mailbox. Whether they may is decided where the mailbox is opened
// (mailbox_open_login).

// Checks a password. EC_LOGON_FAILED (unknown user, wrong password: the same answer in the same
// time), EC_ACCOUNT_DISABLED (only after a right password; protocol or account switched off),
// EC_SERVER_BUSY (throttled: too many failures from the address or for the user; no hash is
// computed), EC_NOT_AUTHORIZED (plaintext not allowed here).
enum ec auth_password(struct auth *auth, const struct auth_peer *peer, const char *login,
                      const char *password, struct principal **out);

// Sets a password: its hash (argon2id), and what SCRAM and NTLM need where they are switched on
// (for passwords set before that, the next login with the password makes it up). Nothing of an
// older password is left. EC_INVALID_PARAMETER for an empty one.
enum ec auth_set_password(struct auth *auth, const struct guid *user, const char *password);

// --- SASL, for SMTP, IMAP, POP3 (one file a mechanism: mech_*.c) ---
//
// No mechanism here protects what follows the login, so none is offered where a password may not be
// sent: somebody on the way could read everything and go on with the session.

struct sasl; // one exchange
// Space-separated mechanisms to offer on this connection ("SCRAM-SHA-256 PLAIN LOGIN"), the better
// ones first; "" when none is allowed. Lives as long as `auth`.
const char *sasl_mechanisms(const struct auth *auth, const struct auth_peer *peer);
// EC_NOT_SUPPORTED: no such mechanism; EC_NOT_AUTHORIZED: not without TLS.
enum ec sasl_begin(struct auth *auth, const struct auth_peer *peer, const char *mechanism,
                   struct sasl **out);
void sasl_free(struct sasl *s); // accepts NULL; clears secrets
// One step. `in` is the client's message, undone from base64 (NULL: no initial response). EC_OK:
// done, *out is the principal; a mechanism's last message has been sent as a challenge before.
// EC_BUSY: send `*challenge_out` (g_free, base64 not yet applied) and
// call again. Others: as auth_password; EC_FORMAT_ERROR for a malformed message.
enum ec sasl_step(struct sasl *s, const uint8_t *in, size_t in_len, char **challenge_out,
                  size_t *challenge_len_out, struct principal **out);

// A client's message undone from base64, strictly: nothing is passed over. False: it is none.
// `*out` (g_free; may be NULL for an empty one) may hold a password.
bool sasl_decode(const char *base64, uint8_t **out, size_t *len_out);

// --- HTTP ([RFC 9110] 11), over the same mechanisms ---

// Space-separated schemes to offer on this connection ("Negotiate NTLM Bearer Basic"), the better
// ones first; "" when none is allowed. Lives as long as `auth`.
const char *auth_schemes(const struct auth *auth, const struct auth_peer *peer);
// A bearer token ([RFC 6750]). As auth_password; EC_NOT_SUPPORTED: none are taken.
enum ec auth_token(struct auth *auth, const struct auth_peer *peer, const char *token,
                   struct principal **out);
// Whether somebody who logged in a while ago still may: EC_OK, EC_ACCOUNT_DISABLED (protocol or
// account switched off), EC_LOGON_FAILED (gone).
enum ec auth_recheck(struct auth *auth, const struct auth_peer *peer, const struct principal *who);

// A login by "Negotiate" ([RFC 4559]: SPNEGO with Kerberos or NTLM, or NTLM bare) or "NTLM"
// ([MS-NTHT]), which takes several requests of one connection.
struct auth_exchange;
enum ec auth_exchange_begin(struct auth *auth, const struct auth_peer *peer, const char *scheme,
                            struct auth_exchange **out);
void auth_exchange_free(struct auth_exchange *x); // accepts NULL
// Whether the message begins an exchange of its own instead of going on with this one.
bool auth_exchange_is_first(const struct auth_exchange *x, const char *scheme, const uint8_t *in,
                            size_t len);
// One step. EC_BUSY: send the reply and call again. EC_OK: *who_out, and a reply if *len_out is
// not 0. `*reply_out` g_free. Others: as sasl_step.
enum ec auth_exchange_step(struct auth_exchange *x, const uint8_t *in, size_t in_len,
                           uint8_t **reply_out, size_t *len_out, struct principal **who_out);
