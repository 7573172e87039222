// Password hashes by libsodium.
//
// Each hash takes 19 MiB and some 20 ms, so that only a few are computed at once and the others
// wait in line. IMAP clients log in again and again: a right password is remembered for a while,
// as a BLAKE2b hash of it and the stored hash under a key that lives and dies with the process. A
// changed password has another stored hash and so is never found by the old one.
#include "auth/password.h"

#include <glib.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "auth/limits.h"
#include "base/clock.h"

struct verified {
    uint8_t digest[32];
    filetime_t expires;
};

struct password_checker {
    uint8_t key[crypto_generichash_KEYBYTES];
    char *dummy; // hash of nothing anybody knows
    pthread_mutex_t lock;
    pthread_cond_t slot_free;
    unsigned computing, waiting, computed;
    GHashTable *verified; // struct verified, a set
};

// --- Secrets in memory ---

// The password in the form it is hashed in: composed, so that it does not matter which keyboard an
// accent came from.
static char *normalize(const char *password) {
    char *normal = NULL;
    if (g_utf8_validate(password, -1, NULL))
        normal = g_utf8_normalize(password, -1, G_NORMALIZE_NFC);
    return normal != NULL ? normal : g_strdup(password);
}

static void secret_free(char *secret) {
    sodium_memzero(secret, strlen(secret));
    g_free(secret);
}

// --- Remembered passwords ---

static guint verified_hash(gconstpointer data) {
    guint h;
    memcpy(&h, data, sizeof h); // a digest is evenly spread already
    return h;
}

static gboolean verified_equal(gconstpointer a, gconstpointer b) {
    return memcmp(a, b, sizeof((struct verified *)0)->digest) == 0;
}

static void digest(const struct password_checker *checker, const char *hash, const char *password,
                   uint8_t out[32]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, checker->key, sizeof checker->key, 32);
    crypto_generichash_update(&state, (const uint8_t *)hash, strlen(hash) + 1);
    crypto_generichash_update(&state, (const uint8_t *)password, strlen(password));
    crypto_generichash_final(&state, out, 32);
    sodium_memzero(&state, sizeof state);
}

static bool is_verified_locked(struct password_checker *checker, const uint8_t key[32]) {
    const struct verified *found = g_hash_table_lookup(checker->verified, key);
    if (found == NULL)
        return false;
    filetime_t now = clock_now();
    // A clock that was set back must not make it last longer.
    if (now < found->expires && found->expires - now <= AUTH_VERIFIED_SECONDS * FILETIME_SECOND)
        return true;
    g_hash_table_remove(checker->verified, key);
    return false;
}

static void remember_locked(struct password_checker *checker, const uint8_t key[32]) {
    if (g_hash_table_size(checker->verified) >= AUTH_VERIFIED_ENTRIES)
        g_hash_table_remove_all(checker->verified);
    struct verified *entry = g_new0(struct verified, 1);
    memcpy(entry->digest, key, 32);
    entry->expires = clock_now() + AUTH_VERIFIED_SECONDS * FILETIME_SECOND;
    g_hash_table_add(checker->verified, entry);
}

// --- Turns ---

static bool slot_take_locked(struct password_checker *checker) {
    if (checker->computing >= AUTH_HASHES_AT_ONCE) {
        if (checker->waiting >= AUTH_HASHES_WAITING)
            return false;
        checker->waiting++;
        while (checker->computing >= AUTH_HASHES_AT_ONCE)
            pthread_cond_wait(&checker->slot_free, &checker->lock);
        checker->waiting--;
    }
    checker->computing++;
    return true;
}

static void slot_give_locked(struct password_checker *checker) {
    checker->computing--;
    pthread_cond_signal(&checker->slot_free);
}

// --- Public ---

static enum ec compute_hash(const char *password, char **out) {
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str(hash, password, strlen(password), AUTH_HASH_PASSES, AUTH_HASH_MEMORY) !=
        0)
        return EC_NO_MEMORY;
    *out = g_strdup(hash);
    return EC_OK;
}

enum ec password_checker_new(struct password_checker **out) {
    if (sodium_init() < 0)
        return EC_CALL_FAILED;
    struct password_checker *checker = g_new0(struct password_checker, 1);
    crypto_generichash_keygen(checker->key);
    pthread_mutex_init(&checker->lock, NULL);
    pthread_cond_init(&checker->slot_free, NULL);
    checker->verified = g_hash_table_new_full(verified_hash, verified_equal, g_free, NULL);
    char random[33];
    for (size_t i = 0; i < 32; i++)
        random[i] = (char)('!' + randombytes_uniform(90));
    random[32] = '\0';
    enum ec ec = compute_hash(random, &checker->dummy);
    sodium_memzero(random, sizeof random);
    if (ec != EC_OK) {
        password_checker_free(checker);
        return ec;
    }
    *out = checker;
    return EC_OK;
}

void password_checker_free(struct password_checker *checker) {
    if (checker == NULL)
        return;
    g_hash_table_destroy(checker->verified);
    pthread_cond_destroy(&checker->slot_free);
    pthread_mutex_destroy(&checker->lock);
    g_free(checker->dummy);
    sodium_memzero(checker->key, sizeof checker->key);
    g_free(checker);
}

enum ec password_hash(struct password_checker *checker, const char *password, char **out) {
    pthread_mutex_lock(&checker->lock);
    bool may = slot_take_locked(checker);
    pthread_mutex_unlock(&checker->lock);
    if (!may)
        return EC_SERVER_BUSY;
    char *normal = normalize(password);
    enum ec ec = compute_hash(normal, out);
    secret_free(normal);
    pthread_mutex_lock(&checker->lock);
    checker->computed++;
    slot_give_locked(checker);
    pthread_mutex_unlock(&checker->lock);
    return ec;
}

// Computes one hash, right or wrong; the caller has a turn.
static bool compare(const char *hash, const char *password) {
    return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
}

static enum ec verify_normal(struct password_checker *checker, const char *hash,
                             const char *password, bool (*may_go_on)(void *data), void *data) {
    bool exists = hash != NULL;
    uint8_t key[32];
    digest(checker, exists ? hash : checker->dummy, password, key);
    pthread_mutex_lock(&checker->lock);
    bool is_right = is_verified_locked(checker, key);
    if (!is_right && !slot_take_locked(checker)) {
        pthread_mutex_unlock(&checker->lock);
        return EC_SERVER_BUSY;
    }
    if (is_right) {
        pthread_mutex_unlock(&checker->lock);
        return EC_OK;
    }
    // While this one waited another login may have shown that the password is right, or others
    // have failed so often that no more guesses are allowed.
    is_right = is_verified_locked(checker, key);
    pthread_mutex_unlock(&checker->lock);
    bool may = is_right || may_go_on(data);
    bool computes = !is_right && may;
    if (computes)
        is_right = compare(exists ? hash : checker->dummy, password) && exists;
    pthread_mutex_lock(&checker->lock);
    checker->computed += computes;
    if (computes && is_right)
        remember_locked(checker, key);
    slot_give_locked(checker);
    pthread_mutex_unlock(&checker->lock);
    return is_right ? EC_OK : may ? EC_LOGON_FAILED : EC_SERVER_BUSY;
}

enum ec password_verify(struct password_checker *checker, const char *hash, const char *password,
                        bool (*may_go_on)(void *data), void *data) {
    char *normal = normalize(password);
    enum ec ec = verify_normal(checker, hash, normal, may_go_on, data);
    secret_free(normal);
    return ec;
}

unsigned password_hashes_computed(struct password_checker *checker) {
    pthread_mutex_lock(&checker->lock);
    unsigned n = checker->computed;
    pthread_mutex_unlock(&checker->lock);
    return n;
}
