// What the parts of auth/ share.
#pragma once

#include <pthread.h>

#include "auth/auth.h"
#include "auth/password.h"
#include "auth/throttle.h"

struct token_keys;

struct auth {
    struct directory *directory; // borrowed
    struct auth_options options; // strings owned
    struct password_checker *passwords;
    struct throttle *throttle;
    struct token_keys *token_keys; // NULL: no tokens are taken
    uint8_t fake_key[32];          // of the salts of those who have none
    pthread_mutex_t offer_lock;
    char *offers[2]; // under the lock, made when first asked for: without, with binding
    char *schemes;   // the same, of HTTP
};

// --- principal.c ---
struct principal *principal_new(const struct directory_object *object);

// --- attempt.c: one attempt to log in, by any mechanism ---
//
// The order matters. Throttling comes before any work; nobody costs what somebody costs; and that
// an account is switched off is told only to who has proved to be its user.
struct attempt {
    struct auth *auth;
    const struct auth_peer *peer;
    struct directory_object *object; // NULL: nobody has the login name
    const char *mailbox;             // the login name names somebody else's; NULL: it does not
    const char *user_key;            // of the throttle; NULL: not counted
    const char *address_key;         // NULL: not counted
};
// `login` NULL: not known yet (attempt_name later). What the attempt holds is in the arena.
enum ec attempt_begin(struct attempt *a, struct arena *arena, struct auth *auth,
                      const struct auth_peer *peer, const char *login);
enum ec attempt_name(struct attempt *a, struct arena *arena, const char *login);
// Whether there were too many failures. `attempt` is a struct attempt.
bool attempt_may_try(void *attempt);
// Also of nobody, so that the database is asked as often.
enum ec attempt_credentials(const struct attempt *a, struct directory_credentials *out);
// Makes a principal of EC_OK; counts and logs a failure, with `reason` (never secret).
enum ec attempt_conclude(struct attempt *a, enum ec ec, const char *reason, struct principal **out);
// Whether an authorization name (as login names; "": none) is the attempt's user; the mailbox it
// may name is the attempt's then.
bool attempt_is_authorized(struct attempt *a, struct arena *arena, const char *name);

// --- auth.c ---
// Compares a password; to be concluded.
enum ec auth_password_attempt(struct attempt *a, const char *password);
