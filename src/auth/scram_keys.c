// SCRAM's keys: HMAC and PBKDF2 by OpenSSL, SASLprep by ICU.
#include "auth/scram_keys.h"

#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "auth/limits.h"
#include "base/wire.h"

static void hmac(const uint8_t *key, const void *data, size_t len, uint8_t out[SCRAM_HASH_SIZE]) {
    HMAC(EVP_sha256(), key, SCRAM_HASH_SIZE, data, len, out, NULL);
}

// --- The password ---

// SASLprep ([RFC 4013]); what it does not allow is taken as it is, as clients do.
static char *prepare(const char *password) {
    UErrorCode error = U_ZERO_ERROR;
    UChar wide[AUTH_PASSWORD_MAX + 1], prepared[4 * AUTH_PASSWORD_MAX];
    int32_t n = 0, n_prepared;
    char *out = NULL;
    UStringPrepProfile *profile = usprep_openByType(USPREP_RFC4013_SASLPREP, &error);
    u_strFromUTF8(wide, G_N_ELEMENTS(wide), &n, password, -1, &error);
    n_prepared = U_SUCCESS(error)
                     ? usprep_prepare(profile, wide, n, prepared, G_N_ELEMENTS(prepared),
                                      USPREP_ALLOW_UNASSIGNED, NULL, &error)
                     : 0;
    if (U_SUCCESS(error) && n_prepared > 0) {
        size_t size = (size_t)n_prepared * 3 + 1;
        out = g_malloc0(size);
        u_strToUTF8(out, (int32_t)size, NULL, prepared, n_prepared, &error);
    }
    if (profile != NULL)
        usprep_close(profile);
    OPENSSL_cleanse(wide, sizeof wide);
    OPENSSL_cleanse(prepared, sizeof prepared);
    if (out != NULL && U_SUCCESS(error))
        return out;
    g_free(out);
    return g_strdup(password);
}

enum ec scram_keys_derive(const char *password, struct scram_keys *keys) {
    uint8_t salted[SCRAM_HASH_SIZE], client_key[SCRAM_HASH_SIZE];
    char *prepared = prepare(password);
    int done = PKCS5_PBKDF2_HMAC(prepared, (int)strlen(prepared), keys->salt, sizeof keys->salt,
                                 (int)keys->iterations, EVP_sha256(), sizeof salted, salted);
    if (done == 1) {
        hmac(salted, "Client Key", 10, client_key);
        EVP_Q_digest(NULL, "SHA256", NULL, client_key, sizeof client_key, keys->stored_key, NULL);
        hmac(salted, "Server Key", 10, keys->server_key);
    }
    OPENSSL_cleanse(salted, sizeof salted);
    OPENSSL_cleanse(client_key, sizeof client_key);
    OPENSSL_cleanse(prepared, strlen(prepared));
    g_free(prepared);
    return done == 1 ? EC_OK : EC_CALL_FAILED;
}

enum ec scram_keys_make(const char *password, unsigned iterations, uint8_t out[SCRAM_STORED_SIZE]) {
    struct scram_keys keys = {.iterations = iterations};
    if (RAND_bytes(keys.salt, sizeof keys.salt) != 1)
        return EC_CALL_FAILED;
    EC_TRY(scram_keys_derive(password, &keys));
    struct wire_writer w = wire_writer(SCRAM_STORED_SIZE);
    wire_put_u32(&w, keys.iterations);
    wire_put_bytes(&w, keys.salt, sizeof keys.salt);
    wire_put_bytes(&w, keys.stored_key, sizeof keys.stored_key);
    wire_put_bytes(&w, keys.server_key, sizeof keys.server_key);
    memcpy(out, w.bytes->data, SCRAM_STORED_SIZE);
    OPENSSL_cleanse(w.bytes->data, w.bytes->len);
    wire_writer_clear(&w);
    OPENSSL_cleanse(&keys, sizeof keys);
    return EC_OK;
}

bool scram_keys_read(const uint8_t stored[SCRAM_STORED_SIZE], struct scram_keys *out) {
    struct wire_reader r = wire_reader(stored, SCRAM_STORED_SIZE);
    out->iterations = wire_u32(&r);
    memcpy(out->salt, wire_bytes(&r, SCRAM_SALT_SIZE), SCRAM_SALT_SIZE);
    memcpy(out->stored_key, wire_bytes(&r, SCRAM_HASH_SIZE), SCRAM_HASH_SIZE);
    memcpy(out->server_key, wire_bytes(&r, SCRAM_HASH_SIZE), SCRAM_HASH_SIZE);
    return out->iterations > 0 && out->iterations <= INT32_MAX;
}

void scram_keys_fake(const uint8_t secret[32], const char *name, unsigned iterations,
                     struct scram_keys *out) {
    uint8_t first[SCRAM_HASH_SIZE];
    hmac(secret, name, strlen(name), first);
    out->iterations = iterations;
    memcpy(out->salt, first, sizeof out->salt);
    // Nobody knows what these are of.
    hmac(first, "stored", 6, out->stored_key);
    hmac(first, "server", 6, out->server_key);
}

// --- The proof ---

bool scram_keys_verify(const struct scram_keys *keys, const char *auth_message,
                       const uint8_t proof[SCRAM_HASH_SIZE],
                       uint8_t signature_out[SCRAM_HASH_SIZE]) {
    uint8_t client_key[SCRAM_HASH_SIZE], stored[SCRAM_HASH_SIZE];
    hmac(keys->stored_key, auth_message, strlen(auth_message), client_key);
    for (size_t i = 0; i < SCRAM_HASH_SIZE; i++)
        client_key[i] ^= proof[i];
    EVP_Q_digest(NULL, "SHA256", NULL, client_key, sizeof client_key, stored, NULL);
    hmac(keys->server_key, auth_message, strlen(auth_message), signature_out);
    bool fits = CRYPTO_memcmp(stored, keys->stored_key, sizeof stored) == 0;
    OPENSSL_cleanse(client_key, sizeof client_key);
    return fits;
}
