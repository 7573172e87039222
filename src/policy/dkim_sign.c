// Making DKIM signatures ([RFC 6376] 5, [RFC 8463]).
#include "policy/dkim_sign.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/clock.h"
#include "policy/dkim.h"

#define LINE_MAX_CHARS 72

// Which fields are signed when they are there ([RFC 6376] 5.4.1), each as often as it occurs and,
// if it says so, once more.
static const struct {
    const char *name;
    bool once_more;
} signed_fields[] = {
    {"From", true},
    {"Subject", true},
    {"Date", true},
    {"To", true},
    {"Cc", true},
    {"Reply-To", true},
    {"Message-ID", true},
    {"In-Reply-To", false},
    {"References", false},
    {"MIME-Version", false},
    {"Content-Type", false},
    {"Content-Transfer-Encoding", false},
    {"Sender", false},
    {"List-Id", false},
    {"List-Unsubscribe", false},
    {"List-Unsubscribe-Post", false},
    {"Resent-From", false},
    {"Resent-To", false},
    {"Resent-Date", false},
    {"Resent-Message-ID", false},
};

static GPtrArray *choose_fields(const struct mail_fields *fields) {
    GPtrArray *names = g_ptr_array_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(signed_fields); i++) {
        unsigned n = signed_fields[i].once_more;
        for (unsigned k = 0; k < fields->n; k++)
            n += mail_field_is(&fields->items[k], signed_fields[i].name);
        for (unsigned k = 0; k < MIN(n, 16); k++)
            g_ptr_array_add(names, (char *)signed_fields[i].name);
    }
    return names;
}

static bool sign_hash(const struct policy_key *key, const uint8_t *hash, uint8_t *out,
                      size_t *len) {
    bool is_good;
    if (key->is_ed25519) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        is_good = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->key) == 1 &&
                  EVP_DigestSign(ctx, out, len, hash, CANON_HASH_SIZE) == 1;
        EVP_MD_CTX_free(ctx);
    } else {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->key, NULL);
        is_good = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                  EVP_PKEY_sign(ctx, out, len, hash, CANON_HASH_SIZE) == 1;
        EVP_PKEY_CTX_free(ctx);
    }
    ERR_clear_error();
    return is_good;
}

// Appends words with `separator` between them, folded.
static void put_folded(GString *out, size_t *column, const char *word, const char *separator) {
    size_t len = strlen(word) + strlen(separator);
    if (*column + len > LINE_MAX_CHARS) {
        g_string_append(out, "\r\n\t");
        *column = 8;
    }
    g_string_append(out, word);
    g_string_append(out, separator);
    *column += len;
}

static void put_base64(GString *out, size_t column, const uint8_t *bytes, size_t len) {
    g_autofree char *text = g_base64_encode(bytes, len);
    for (const char *p = text; *p;) {
        size_t room = column < LINE_MAX_CHARS ? LINE_MAX_CHARS - column : 0,
               n = MIN(strlen(p), room);
        g_string_append_len(out, p, (gssize)n);
        p += n;
        column += n;
        if (*p) {
            g_string_append(out, "\r\n\t");
            column = 8;
        }
    }
}

enum ec dkim_sign(struct arena *arena, const struct mail_fields *fields,
                  const struct policy_key *key, GString *out) {
    if (!mail_fields_find(fields, "From", 0))
        return EC_FORMAT_ERROR;
    uint8_t hash[CANON_HASH_SIZE], signature[1024];
    uint64_t body_len;
    size_t len = sizeof signature, column = 8;
    canon_body_hash(CANON_RELAXED, fields->body, fields->body_len, UINT64_MAX, hash, &body_len);
    g_autoptr(GPtrArray) names = choose_fields(fields);
    g_autoptr(GString) field = g_string_new(NULL);
    g_string_printf(
        field,
        "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n\tt=%" G_GINT64_FORMAT
        "; h=",
        key->is_ed25519 ? "ed25519-sha256" : "rsa-sha256", key->domain, key->selector,
        filetime_to_unix(clock_now()));
    column = 24;
    for (unsigned i = 0; i < names->len; i++)
        put_folded(field, &column, names->pdata[i], i + 1 < names->len ? ":" : ";");
    g_string_append(field, "\r\n\tbh=");
    put_base64(field, 11, hash, sizeof hash);
    g_string_append(field, ";\r\n\tb=");
    g_autoptr(GString) text = g_string_sized_new(2048);
    dkim_put_fields(arena, fields, CANON_RELAXED, (char **)names->pdata, names->len, text);
    canon_field(CANON_RELAXED, field->str, field->len, text);
    g_string_truncate(text, text->len - 2);
    EVP_Digest(text->str, text->len, hash, NULL, EVP_sha256(), NULL);
    if ((size_t)EVP_PKEY_get_size(key->key) > sizeof signature ||
        !sign_hash(key, hash, signature, &len))
        return EC_CALL_FAILED;
    put_base64(field, 10, signature, len);
    g_string_append(field, "\r\n");
    g_string_append_len(out, field->str, (gssize)field->len);
    return EC_OK;
}
