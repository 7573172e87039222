// Reading an issuer's keys: PEM and JWK sets into OpenSSL's form.
#include "auth/token_keys.h"

#include <json-glib/json-glib.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "auth/limits.h"
#include "base/log.h"

// --- Encodings ---

uint8_t *token_base64url(struct arena *arena, const char *text, size_t len, size_t *len_out) {
    char *padded = arena_alloc0(arena, len + 4);
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isalnum(text[i]) && text[i] != '-' && text[i] != '_')
            return NULL;
        padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    }
    if (len % 4 == 1)
        return NULL;
    for (size_t i = len; i % 4 != 0; i++)
        padded[i] = '=';
    gsize n = 0;
    if (len > 0)
        g_base64_decode_inplace(padded, &n);
    *len_out = n;
    return (uint8_t *)padded;
}

// JSON-GLib's parser calls itself for each level.
static bool is_shallow(const char *text, size_t len) {
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > AUTH_JSON_DEPTH)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        } else if (c == '/' || c == '\'' || c == '#') {
            return false; // comments are no JSON, and hide brackets
        }
    }
    return true;
}

struct _JsonObject *token_json_object(const char *text, size_t len) {
    if (!g_utf8_validate(text, (gssize)len, NULL) || !is_shallow(text, len))
        return NULL;
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize)len, NULL))
        return NULL;
    JsonNode *root = json_parser_get_root(parser);
    return root != NULL && JSON_NODE_HOLDS_OBJECT(root)
               ? json_object_ref(json_node_get_object(root))
               : NULL;
}

// A member that is a string; NULL otherwise.
static const char *text_member(JsonObject *object, const char *name) {
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

// --- Keys ---

static void key_free(gpointer data) {
    struct token_key *k = data;
    EVP_PKEY_free(k->key);
    g_free(k->id);
    g_free(k);
}

// Which algorithm a key is for; false: none of ours, or it is too weak.
static bool algorithm_of(EVP_PKEY *key, enum token_algorithm *out) {
    char group[32] = "";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        *out = TOKEN_RS256;
        return EVP_PKEY_get_bits(key) >= AUTH_TOKEN_RSA_BITS;
    case EVP_PKEY_EC:
        *out = TOKEN_ES256;
        return EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
               strcmp(group, "prime256v1") == 0;
    case EVP_PKEY_ED25519:
        *out = TOKEN_EDDSA;
        return true;
    default:
        return false;
    }
}

static void add_key_take(GPtrArray *keys, EVP_PKEY *key, const char *id) {
    struct token_key *k = g_new0(struct token_key, 1);
    k->key = key;
    k->id = g_strdup(id);
    if (key != NULL && keys->len < AUTH_TOKEN_KEYS && algorithm_of(key, &k->algorithm))
        g_ptr_array_add(keys, k);
    else
        key_free(k);
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static uint8_t *bytes_member(struct arena *arena, JsonObject *jwk, const char *name,
                             size_t *len_out) {
    const char *text = text_member(jwk, name);
    return text != NULL ? token_base64url(arena, text, strlen(text), len_out) : NULL;
}

static EVP_PKEY *rsa_of_jwk(struct arena *arena, JsonObject *jwk) {
    size_t n_len, e_len;
    uint8_t *n = bytes_member(arena, jwk, "n", &n_len), *e = bytes_member(arena, jwk, "e", &e_len);
    if (n == NULL || e == NULL || n_len > 2048 || e_len > 8)
        return NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *bn_n = BN_bin2bn(n, (int)n_len, NULL), *bn_e = BN_bin2bn(e, (int)e_len, NULL);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, bn_n);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, bn_e);
    EVP_PKEY *key = make_key("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(bn_n);
    BN_free(bn_e);
    return key;
}

static EVP_PKEY *ec_of_jwk(struct arena *arena, JsonObject *jwk) {
    size_t x_len, y_len;
    uint8_t point[65] = {4};
    uint8_t *x = bytes_member(arena, jwk, "x", &x_len), *y = bytes_member(arena, jwk, "y", &y_len);
    if (g_strcmp0(text_member(jwk, "crv"), "P-256") != 0 || x == NULL || y == NULL || x_len != 32 ||
        y_len != 32)
        return NULL;
    memcpy(point + 1, x, 32);
    memcpy(point + 33, y, 32);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
    EVP_PKEY *key = make_key("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *ed25519_of_jwk(struct arena *arena, JsonObject *jwk) {
    size_t len;
    uint8_t *x = bytes_member(arena, jwk, "x", &len);
    return g_strcmp0(text_member(jwk, "crv"), "Ed25519") == 0 && x != NULL && len == 32
               ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len)
               : NULL;
}

static void add_jwk(GPtrArray *keys, JsonObject *jwk) {
    ARENA_AUTO arena = arena_new();
    const char *type = text_member(jwk, "kty"), *use = text_member(jwk, "use");
    EVP_PKEY *key = NULL;
    if (use != NULL && strcmp(use, "sig") != 0)
        return;
    if (g_strcmp0(type, "RSA") == 0)
        key = rsa_of_jwk(arena, jwk);
    else if (g_strcmp0(type, "EC") == 0)
        key = ec_of_jwk(arena, jwk);
    else if (g_strcmp0(type, "OKP") == 0)
        key = ed25519_of_jwk(arena, jwk);
    add_key_take(keys, key, text_member(jwk, "kid"));
}

static void add_set(GPtrArray *keys, JsonObject *set) {
    JsonNode *node = json_object_get_member(set, "keys");
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node)) {
        add_jwk(keys, set);
        return;
    }
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_OBJECT(item))
            add_jwk(keys, json_node_get_object(item));
    }
}

// Public keys and certificates one after the other.
static void add_pem(GPtrArray *keys, const char *text, size_t len) {
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    char *name, *header;
    unsigned char *data;
    long size;
    while (keys->len < AUTH_TOKEN_KEYS && PEM_read_bio(bio, &name, &header, &data, &size) == 1) {
        const unsigned char *p = data;
        EVP_PKEY *key = NULL;
        if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
            key = d2i_PUBKEY(NULL, &p, size);
        } else if (strcmp(name, PEM_STRING_X509) == 0) {
            X509 *certificate = d2i_X509(NULL, &p, size);
            key = certificate != NULL ? X509_get_pubkey(certificate) : NULL;
            X509_free(certificate);
        }
        add_key_take(keys, key, NULL);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(bio);
}

GPtrArray *token_keys_parse(const char *text, size_t len) {
    GPtrArray *keys = g_ptr_array_new_with_free_func(key_free);
    JsonObject *set = len <= AUTH_TOKEN_KEY_FILE_MAX ? token_json_object(text, len) : NULL;
    if (set != NULL) {
        add_set(keys, set);
        json_object_unref(set);
    } else if (len <= AUTH_TOKEN_KEY_FILE_MAX) {
        add_pem(keys, text, len);
    }
    return keys;
}

// --- The file ---

struct token_keys {
    char *path;
    pthread_mutex_t lock; // of what follows
    GPtrArray *keys;      // NULL: not read yet
    struct timespec changed;
    off_t size;
};

struct token_keys *token_keys_new(const char *path) {
    struct token_keys *keys = g_new0(struct token_keys, 1);
    keys->path = g_strdup(path);
    pthread_mutex_init(&keys->lock, NULL);
    return keys;
}

void token_keys_free(struct token_keys *keys) {
    if (keys == NULL)
        return;
    g_clear_pointer(&keys->keys, g_ptr_array_unref);
    pthread_mutex_destroy(&keys->lock);
    g_free(keys->path);
    g_free(keys);
}

static enum ec read_locked(struct token_keys *keys, const struct stat *st) {
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize len;
    if (!g_file_get_contents(keys->path, &text, &len, &error)) {
        log_event(LOG_LEVEL_ERROR, "auth.oauth_keys", "reason", error->message, NULL);
        return EC_DISK_ERROR;
    }
    g_clear_pointer(&keys->keys, g_ptr_array_unref);
    keys->keys = token_keys_parse(text, len);
    keys->changed = st->st_mtim;
    keys->size = st->st_size;
    log_event(keys->keys->len > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "auth.oauth_keys", "file",
              keys->path, "keys", log_u64(keys->keys->len), NULL);
    return EC_OK;
}

enum ec token_keys_get(struct token_keys *keys, GPtrArray **out) {
    struct stat st;
    enum ec ec = EC_OK;
    pthread_mutex_lock(&keys->lock);
    if (stat(keys->path, &st) != 0 || !S_ISREG(st.st_mode) ||
        st.st_size > AUTH_TOKEN_KEY_FILE_MAX) {
        // A file that is just being replaced: the keys we have go on counting.
        ec = keys->keys != NULL ? EC_OK : EC_DISK_ERROR;
        if (ec != EC_OK)
            log_event(LOG_LEVEL_ERROR, "auth.oauth_keys", "file", keys->path, "reason",
                      "cannot be read", NULL);
    } else if (keys->keys == NULL || st.st_size != keys->size ||
               memcmp(&st.st_mtim, &keys->changed, sizeof st.st_mtim) != 0) {
        ec = read_locked(keys, &st);
    }
    if (ec == EC_OK)
        *out = g_ptr_array_ref(keys->keys);
    pthread_mutex_unlock(&keys->lock);
    return ec;
}
