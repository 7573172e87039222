// Passwords: checking and setting them, and what is derived from them.
#include "auth/auth_internal.h"

#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/nt_hash.h"
#include "auth/scram_keys.h"
#include "auth/token.h"
#include "base/log.h"
#include "net/net.h"

static void copy_options(struct auth_options *o) {
    o->hostname = g_strdup(o->hostname != NULL ? o->hostname : "localhost");
    o->oauth_issuer = g_strdup(o->oauth_issuer);
    o->oauth_audience = g_strdup(o->oauth_audience);
    o->oauth_keys = g_strdup(o->oauth_keys);
    o->oauth_claim = g_strdup(o->oauth_claim);
    o->gssapi_keytab = g_strdup(o->gssapi_keytab);
    o->gssapi_realm = g_strdup(o->gssapi_realm);
}

enum ec auth_new(struct directory *directory, const struct auth_options *options,
                 struct auth **out) {
    struct password_checker *passwords;
    uint8_t key[32] = {0};
    if (options->scram_iterations > 0)
        EC_TRY(directory_secret(directory, "scram.salts", key));
    EC_TRY(password_checker_new(&passwords));
    struct auth *auth = g_new0(struct auth, 1);
    auth->directory = directory;
    auth->options = *options;
    copy_options(&auth->options);
    auth->passwords = passwords;
    auth->throttle = throttle_new(AUTH_THROTTLE_ENTRIES);
    if (options->oauth_issuer != NULL && options->oauth_audience != NULL &&
        options->oauth_keys != NULL)
        auth->token_keys = token_keys_new(options->oauth_keys);
    memcpy(auth->fake_key, key, sizeof key);
    pthread_mutex_init(&auth->offer_lock, NULL);
    *out = auth;
    return EC_OK;
}

void auth_free(struct auth *auth) {
    if (auth == NULL)
        return;
    struct auth_options *o = &auth->options;
    const char *const strings[] = {o->hostname,    o->oauth_issuer, o->oauth_audience,
                                   o->oauth_keys,  o->oauth_claim,  o->gssapi_keytab,
                                   o->gssapi_realm};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free((char *)(uintptr_t)strings[i]);
    password_checker_free(auth->passwords);
    throttle_free(auth->throttle);
    token_keys_free(auth->token_keys);
    g_free(auth->offers[0]);
    g_free(auth->offers[1]);
    g_free(auth->schemes);
    pthread_mutex_destroy(&auth->offer_lock);
    sodium_memzero(auth->fake_key, sizeof auth->fake_key);
    g_free(auth);
}

bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer) {
    return peer->is_tls || (peer->is_loopback && auth->options.plaintext_loopback);
}

static size_t binding_of(const void *connection, enum auth_binding kind,
                         uint8_t out[AUTH_BINDING_MAX]) {
    return kind == AUTH_TLS_EXPORTER ? net_conn_tls_exporter(connection, out)
                                     : net_conn_tls_end_point(connection, out);
}

void auth_peer_bind(struct auth_peer *peer, const struct net_conn *conn) {
    peer->binding = binding_of;
    peer->connection = conn;
}

// --- What is made of a password besides its hash ---

static enum ec derive(const struct auth *auth, const char *password,
                      struct directory_credentials *c) {
    c->has_nt_hash = auth->options.store_nt_hash;
    if (c->has_nt_hash)
        nt_hash(password, c->nt_hash);
    c->has_scram_keys = auth->options.scram_iterations > 0;
    return c->has_scram_keys
               ? scram_keys_make(password, auth->options.scram_iterations, c->scram_keys)
               : EC_OK;
}

// Somebody whose password was set before a mechanism was switched on has shown it now.
static void make_up(struct attempt *a, const char *password, struct directory_credentials *c) {
    const struct auth_options *o = &a->auth->options;
    if (c->has_nt_hash >= o->store_nt_hash && c->has_scram_keys >= (o->scram_iterations > 0))
        return;
    enum ec ec = derive(a->auth, password, c);
    if (ec == EC_OK)
        ec = directory_renew_credentials(a->auth->directory, &a->object->guid, c);
    if (ec != EC_OK && ec != EC_NOT_FOUND) // the password has been changed meanwhile
        log_event(LOG_LEVEL_WARNING, "auth.credentials_not_renewed", "user", a->object->address,
                  "reason", ec_name(ec), NULL);
}

// --- Checking ---

static enum ec try_password(struct attempt *a, const char *password) {
    if (!attempt_may_try(a))
        return EC_SERVER_BUSY;
    struct directory_credentials c;
    EC_TRY(attempt_credentials(a, &c));
    enum ec ec = password_verify(a->auth->passwords, c.password_hash, password, attempt_may_try, a);
    if (ec == EC_OK)
        make_up(a, password, &c);
    directory_credentials_clear(&c);
    return ec;
}

enum ec auth_password_attempt(struct attempt *a, const char *password) {
    // Too long to be anybody's: compared all the same, as something short that is nobody's.
    if (strlen(password) > AUTH_PASSWORD_MAX) {
        a->object = NULL;
        password = "";
    }
    return try_password(a, password);
}

enum ec auth_password(struct auth *auth, const struct auth_peer *peer, const char *login,
                      const char *password, struct principal **out) {
    if (!auth_plaintext_allowed(auth, peer))
        return EC_NOT_AUTHORIZED;
    ARENA_AUTO arena = arena_new();
    struct attempt a;
    EC_TRY(attempt_begin(&a, arena, auth, peer, login));
    return attempt_conclude(&a, auth_password_attempt(&a, password), "wrong password", out);
}

// --- Changing ---

enum ec auth_set_password(struct auth *auth, const struct guid *user, const char *password) {
    size_t len = strlen(password);
    if (len == 0 || len > AUTH_PASSWORD_MAX)
        return EC_INVALID_PARAMETER;
    struct directory_credentials c = {0};
    EC_TRY(password_hash(auth->passwords, password, &c.password_hash));
    enum ec ec = derive(auth, password, &c);
    if (ec == EC_OK)
        ec = directory_set_credentials(auth->directory, user, &c);
    directory_credentials_clear(&c);
    return ec;
}
