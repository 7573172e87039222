// Checking passwords: who may try, whether it is right, and what is told.
//
// The order matters. Throttling comes before any work; an unknown user costs one hash like a known
// one; and that an account is switched off is told only to who knows its password.
#include "auth/auth_internal.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/nt_hash.h"
#include "base/log.h"
#include "base/text.h"

enum ec auth_new(struct directory *directory, const struct auth_options *options,
                 struct auth **out) {
    struct password_checker *passwords;
    EC_TRY(password_checker_new(&passwords));
    struct auth *auth = g_new0(struct auth, 1);
    auth->directory = directory;
    auth->options = *options;
    auth->passwords = passwords;
    auth->throttle = throttle_new(AUTH_THROTTLE_ENTRIES);
    *out = auth;
    return EC_OK;
}

void auth_free(struct auth *auth) {
    if (auth == NULL)
        return;
    password_checker_free(auth->passwords);
    throttle_free(auth->throttle);
    g_free(auth);
}

bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer) {
    return peer->is_tls || (peer->is_loopback && auth->options.plaintext_loopback);
}

// --- One attempt ---

struct attempt {
    struct auth *auth;
    const struct auth_peer *peer;
    struct directory_object *object; // NULL: nobody has the login name
    const char *user_key;            // of the throttle
    const char *address_key;         // NULL: not counted
};

// An IPv6 network of 64 bits is one customer, who has all of its addresses.
static const char *network_of(struct arena *arena, const char *address) {
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) != 1 || IN6_IS_ADDR_V4MAPPED(&v6))
        return address;
    const uint8_t *b = v6.s6_addr;
    return arena_printf(arena, "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", b[0], b[1], b[2], b[3],
                        b[4], b[5], b[6], b[7]);
}

static bool may_try(void *data) {
    const struct attempt *a = data;
    return !throttle_is_blocked(a->auth->throttle, THROTTLE_USER, a->user_key) &&
           (a->address_key == NULL ||
            !throttle_is_blocked(a->auth->throttle, THROTTLE_ADDRESS, a->address_key));
}

static void log_attempt(const struct attempt *a, const char *event, const char *reason) {
    // The name of nobody may be a password in the wrong field: not logged.
    log_event(LOG_LEVEL_INFO, event, "from", a->peer->address, "user",
              a->object != NULL ? a->object->address : "(unknown)", "reason", reason, NULL);
}

static enum ec find_user(struct arena *arena, struct attempt *a, const char *login) {
    enum ec ec = directory_find_login(a->auth->directory, arena, login, &a->object);
    if (ec == EC_OK) {
        // All spellings of a name count as one.
        char guid[GUID_STRING_SIZE];
        guid_format(&a->object->guid, guid);
        a->user_key = arena_strdup(arena, guid);
        return EC_OK;
    }
    a->object = NULL;
    a->user_key = g_utf8_validate(login, -1, NULL) ? text_fold(arena, login) : login;
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

// The hash is read even for nobody, so that the database is asked as often.
static enum ec stored_hash(struct attempt *a, char **out) {
    static const struct guid nobody;
    enum ec ec = directory_password_hash(a->auth->directory,
                                         a->object != NULL ? &a->object->guid : &nobody, out);
    if (ec == EC_NOT_FOUND)
        *out = NULL;
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

static enum ec try_password(struct attempt *a, const char *password) {
    if (!may_try(a))
        return EC_SERVER_BUSY;
    g_autofree char *hash = NULL;
    EC_TRY(stored_hash(a, &hash));
    return password_verify(a->auth->passwords, hash, password, may_try, a);
}

static enum ec conclude(struct attempt *a, enum ec ec, struct principal **out) {
    struct throttle *throttle = a->auth->throttle;
    if (ec == EC_LOGON_FAILED) {
        throttle_fail(throttle, THROTTLE_USER, a->user_key);
        if (a->address_key != NULL)
            throttle_fail(throttle, THROTTLE_ADDRESS, a->address_key);
        log_attempt(a, "auth.failed", a->object != NULL ? "wrong password" : "no such user");
        return ec;
    }
    if (ec == EC_SERVER_BUSY)
        log_attempt(a, "auth.throttled", NULL);
    EC_TRY(ec);
    throttle_forget(throttle, THROTTLE_USER, a->user_key);
    if (a->object->is_disabled || (a->object->protocols & a->peer->protocol) == 0) {
        log_attempt(a, "auth.refused",
                    a->object->is_disabled ? "account disabled" : "protocol disabled");
        return EC_ACCOUNT_DISABLED;
    }
    *out = principal_new(a->object);
    return EC_OK;
}

enum ec auth_password(struct auth *auth, const struct auth_peer *peer, const char *login,
                      const char *password, struct principal **out) {
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    ARENA_AUTO arena = arena_new();
    struct attempt a = {.auth = auth, .peer = peer};
    // Loopback stands for whoever a proxy or webmail on this machine speaks for.
    if (!peer->is_loopback)
        a.address_key = network_of(arena, peer->address);
    // Too long to be anybody's: compared all the same, as something short that is nobody's.
    bool is_too_long = strlen(login) > AUTH_LOGIN_MAX || strlen(password) > AUTH_PASSWORD_MAX;
    EC_TRY(find_user(arena, &a, is_too_long ? "" : login));
    return conclude(&a, try_password(&a, is_too_long ? "" : password), out);
}

// --- Changing ---

enum ec auth_set_password(struct auth *auth, const struct guid *user, const char *password) {
    size_t len = strlen(password);
    if (len == 0 || len > AUTH_PASSWORD_MAX)
        return EC_INVALID_PARAMETER;
    g_autofree char *hash = NULL;
    EC_TRY(password_hash(auth->passwords, password, &hash));
    EC_TRY(directory_set_password_hash(auth->directory, user, hash));
    if (!auth->options.store_nt_hash)
        return directory_set_nt_hash(auth->directory, user, NULL); // of an older password
    uint8_t nt[16];
    nt_hash(password, nt);
    enum ec ec = directory_set_nt_hash(auth->directory, user, nt);
    sodium_memzero(nt, sizeof nt);
    return ec;
}
