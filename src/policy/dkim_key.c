// Reading published keys and checking signatures with OpenSSL.
#include "policy/dkim_key.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "policy/limits.h"
#include "policy/tags.h"

#define ED25519_SIZE 32

// The key as SubjectPublicKeyInfo, or (as some publish it) as a bare RSAPublicKey.
static EVP_PKEY *read_rsa(const uint8_t *bytes, size_t len) {
    const uint8_t *p = bytes;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)len);
    if (!key) {
        p = bytes;
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)len);
    }
    ERR_clear_error();
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static void read_flags(const struct tag_list *list, struct dkim_key *out) {
    const char *flags = tag_list_get(list, "t"), *services = tag_list_get(list, "s"),
               *hashes = tag_list_get(list, "h");
    out->is_testing = flags && tag_has_word(flags, ':', "y");
    out->is_exact = flags && tag_has_word(flags, ':', "s");
    out->is_for_email =
        !services || tag_has_word(services, ':', "*") || tag_has_word(services, ':', "email");
    out->allows_sha256 = !hashes || tag_has_word(hashes, ':', "sha256");
}

enum dkim_key_status dkim_key_parse(struct arena *arena, const char *record, struct dkim_key *out) {
    struct tag_list list;
    *out = (struct dkim_key){0};
    if (!tag_list_parse(arena, record, strlen(record), &list))
        return DKIM_KEY_BAD;
    const struct tag *version = tag_list_find(&list, "v");
    if (version && (version != &list.items[0] || strcmp(version->value, "DKIM1") != 0))
        return DKIM_KEY_BAD;
    const char *kind = tag_list_get(&list, "k"), *p = tag_list_get(&list, "p");
    if (!p)
        return DKIM_KEY_BAD;
    if (*p == 0)
        return DKIM_KEY_REVOKED;
    uint8_t *bytes;
    size_t len;
    if (!tag_base64(arena, p, 4096, &bytes, &len))
        return DKIM_KEY_BAD;
    read_flags(&list, out);
    if (!kind || g_ascii_strcasecmp(kind, "rsa") == 0) {
        out->key = read_rsa(bytes, len);
    } else if (g_ascii_strcasecmp(kind, "ed25519") == 0 && len == ED25519_SIZE) {
        out->is_ed25519 = true;
        out->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, len);
    }
    if (!out->key)
        return DKIM_KEY_BAD;
    out->bits = (unsigned)EVP_PKEY_get_bits(out->key);
    return DKIM_KEY_OK;
}

enum dkim_key_status dkim_key_fetch(const struct resolver *dns, struct arena *arena,
                                    const char *selector, const char *domain,
                                    struct dkim_key *out) {
    struct dns_answer answer;
    resolver_ask(dns, arena, arena_printf(arena, "%s._domainkey.%s", selector, domain), DNS_TXT,
                 &answer);
    if (answer.status == DNS_FAILED || answer.status == DNS_BOGUS)
        return DKIM_KEY_TEMPORARY;
    enum dkim_key_status status = DKIM_KEY_NONE;
    // There should be one record; the first that makes sense counts.
    for (unsigned i = 0; i < answer.n && status != DKIM_KEY_OK; i++)
        status = dkim_key_parse(arena, answer.records[i].text, out);
    return status;
}

static bool verify_rsa(EVP_PKEY *key, const uint8_t hash[32], const uint8_t *signature,
                       size_t len) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool is_good = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
                   EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                   EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                   EVP_PKEY_verify(ctx, signature, len, hash, 32) == 1;
    EVP_PKEY_CTX_free(ctx);
    return is_good;
}

static bool verify_ed25519(EVP_PKEY *key, const uint8_t hash[32], const uint8_t *signature,
                           size_t len) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestVerify(ctx, signature, len, hash, 32) == 1;
    EVP_MD_CTX_free(ctx);
    return is_good;
}

bool dkim_key_verify(const struct dkim_key *key, const uint8_t hash[32], const uint8_t *signature,
                     size_t len) {
    bool is_good = key->is_ed25519 ? verify_ed25519(key->key, hash, signature, len)
                                   : verify_rsa(key->key, hash, signature, len);
    ERR_clear_error();
    return is_good;
}
