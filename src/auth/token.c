// Checking a token: first its signature, and only then what it says.
#include "auth/token.h"

#include <json-glib/json-glib.h>
#include <openssl/ecdsa.h>
#include <string.h>

#include "auth/limits.h"
#include "auth/token_keys.h"

// The three parts of "header.claims.signature".
struct parts {
    const char *header, *claims, *signature;
    size_t header_len, claims_len, signature_len;
};

static bool split(const char *token, struct parts *out) {
    size_t len = strlen(token);
    const char *first = strchr(token, '.');
    const char *second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (len > AUTH_TOKEN_MAX || second == NULL || strchr(second + 1, '.') != NULL)
        return false;
    *out = (struct parts){.header = token,
                          .header_len = (size_t)(first - token),
                          .claims = first + 1,
                          .claims_len = (size_t)(second - first - 1),
                          .signature = second + 1,
                          .signature_len = strlen(second + 1)};
    return out->header_len <= AUTH_TOKEN_HEADER_MAX;
}

static JsonObject *decode(struct arena *arena, const char *text, size_t len) {
    size_t n = 0;
    uint8_t *bytes = token_base64url(arena, text, len, &n);
    return bytes != NULL ? token_json_object((const char *)bytes, n) : NULL;
}

static JsonNode *value_of(JsonObject *object, const char *name, GType type) {
    JsonNode *node = json_object_get_member(object, name);
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type
               ? node
               : NULL;
}

static const char *text_of(JsonObject *object, const char *name) {
    JsonNode *node = value_of(object, name, G_TYPE_STRING);
    return node != NULL ? json_node_get_string(node) : NULL;
}

// --- The signature ---

static bool algorithm_named(const char *name, enum token_algorithm *out) {
    static const char *const names[] = {
        [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256", [TOKEN_EDDSA] = "EdDSA"};
    for (unsigned i = 0; name != NULL && i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum token_algorithm)i;
            return true;
        }
    return false;
}

// The two numbers of an ES256 signature as OpenSSL wants them ([RFC 7518] 3.4); OPENSSL_free.
static uint8_t *ecdsa_der(const uint8_t *raw, size_t len, size_t *len_out) {
    if (len != 64)
        return NULL;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    uint8_t *der = NULL;
    ECDSA_SIG_set0(sig, BN_bin2bn(raw, 32, NULL), BN_bin2bn(raw + 32, 32, NULL));
    int n = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    *len_out = n > 0 ? (size_t)n : 0;
    return n > 0 ? der : NULL;
}

static bool verify(const struct token_key *k, const uint8_t *signature, size_t len,
                   const char *text, size_t text_len) {
    uint8_t *der = NULL;
    if (k->algorithm == TOKEN_ES256) {
        der = ecdsa_der(signature, len, &len);
        if (der == NULL)
            return false;
        signature = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *hash = k->algorithm == TOKEN_EDDSA ? NULL : EVP_sha256();
    bool is_right = EVP_DigestVerifyInit(ctx, NULL, hash, NULL, k->key) == 1 &&
                    EVP_DigestVerify(ctx, signature, len, (const uint8_t *)text, text_len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    return is_right;
}

// Only keys that are made for the algorithm count: the token does not choose how a key is used.
static bool is_signed(GPtrArray *keys, struct arena *arena, const struct parts *p,
                      JsonObject *header) {
    enum token_algorithm algorithm;
    size_t len;
    const char *id = text_of(header, "kid");
    uint8_t *signature = token_base64url(arena, p->signature, p->signature_len, &len);
    // "crit" names extensions that have to be understood: there are none that we do.
    if (signature == NULL || !algorithm_named(text_of(header, "alg"), &algorithm) ||
        json_object_has_member(header, "crit"))
        return false;
    size_t signed_len = p->header_len + 1 + p->claims_len;
    for (guint i = 0; i < keys->len; i++) {
        const struct token_key *k = g_ptr_array_index(keys, i);
        if (k->algorithm == algorithm && (id == NULL || k->id == NULL || strcmp(id, k->id) == 0) &&
            verify(k, signature, len, p->header, signed_len))
            return true;
    }
    return false;
}

// --- The claims ---

// NumericDate ([RFC 7519] 2), with or without a fraction. False: not there or no number.
static bool date_of(JsonObject *claims, const char *name, double *out) {
    JsonNode *whole = value_of(claims, name, G_TYPE_INT64);
    JsonNode *fraction = value_of(claims, name, G_TYPE_DOUBLE);
    if (whole == NULL && fraction == NULL)
        return false;
    *out = whole != NULL ? (double)json_node_get_int(whole) : json_node_get_double(fraction);
    return true;
}

static bool has_audience(JsonObject *claims, const char *audience) {
    JsonNode *node = json_object_get_member(claims, "aud");
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return g_strcmp0(text_of(claims, "aud"), audience) == 0;
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *item = json_array_get_element(array, i);
        if (JSON_NODE_HOLDS_VALUE(item) && json_node_get_value_type(item) == G_TYPE_STRING &&
            strcmp(json_node_get_string(item), audience) == 0)
            return true;
    }
    return false;
}

// What is wrong with the claims; NULL: nothing.
static const char *fault_of(JsonObject *claims, const struct token_rules *rules) {
    double now = (double)filetime_to_unix(rules->now), at;
    if (g_strcmp0(text_of(claims, "iss"), rules->issuer) != 0)
        return "another issuer";
    if (!has_audience(claims, rules->audience))
        return "for another audience";
    if (!date_of(claims, "exp", &at) || !(at + AUTH_TOKEN_SKEW > now))
        return "expired";
    if (json_object_has_member(claims, "nbf") &&
        (!date_of(claims, "nbf", &at) || !(at - AUTH_TOKEN_SKEW <= now)))
        return "not valid yet";
    return NULL;
}

enum ec token_check(struct token_keys *keys, const struct token_rules *rules, struct arena *arena,
                    const char *token, const char **user_out, const char **reason_out) {
    struct parts parts;
    g_autoptr(GPtrArray) known = NULL;
    *reason_out = "no token";
    if (!split(token, &parts))
        return EC_LOGON_FAILED;
    EC_TRY(token_keys_get(keys, &known));
    g_autoptr(JsonObject) header = decode(arena, parts.header, parts.header_len);
    if (header == NULL)
        return EC_LOGON_FAILED;
    *reason_out = "not signed by the issuer";
    if (!is_signed(known, arena, &parts, header))
        return EC_LOGON_FAILED;
    g_autoptr(JsonObject) claims = decode(arena, parts.claims, parts.claims_len);
    *reason_out = claims != NULL ? fault_of(claims, rules) : "no claims";
    if (*reason_out != NULL)
        return EC_LOGON_FAILED;
    const char *user = text_of(claims, rules->claim);
    *reason_out = "no claim names the user";
    if (user == NULL || user[0] == '\0')
        return EC_LOGON_FAILED;
    *reason_out = NULL;
    *user_out = arena_strdup(arena, user);
    return EC_OK;
}
