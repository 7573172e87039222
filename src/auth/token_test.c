// Bearer tokens: signed by each algorithm, by nobody, for others, too late; keys in PEM and JWK
// sets; and the two mechanisms that carry them.
#include "auth/token.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "auth/test_auth.h"
#include "auth/token_keys.h"

#define NOW 1800000000
#define ISSUER "https://login.example.test"
#define CLAIMS                                                                                     \
    "\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":1800000300,\"email\":\"alice@example."      \
    "test\""

struct world {
    struct fixture f;
    char *path;
    EVP_PKEY *rsa, *ec, *ed;
};

// --- An issuer ---

static char *base64url(const void *data, size_t len) {
    char *text = g_base64_encode(data, len);
    text[strcspn(text, "=")] = '\0';
    return g_strdelimit(g_strdelimit(text, "+", '-'), "/", '_');
}

static char *sign(EVP_PKEY *key, const char *text) {
    uint8_t der[1024], raw[64];
    size_t len = sizeof der;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *hash = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    g_assert_cmpint(EVP_DigestSignInit(ctx, NULL, hash, NULL, key), ==, 1);
    g_assert_cmpint(EVP_DigestSign(ctx, der, &len, (const uint8_t *)text, strlen(text)), ==, 1);
    EVP_MD_CTX_free(ctx);
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        return base64url(der, len);
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
    ECDSA_SIG_free(sig);
    return base64url(raw, sizeof raw);
}

static char *token_of(EVP_PKEY *key, const char *header, const char *claims) {
    g_autofree char *h = base64url(header, strlen(header)), *c = base64url(claims, strlen(claims));
    g_autofree char *text = g_strdup_printf("%s.%s", h, c);
    g_autofree char *signature = sign(key, text);
    return g_strdup_printf("%s.%s", text, signature);
}

static char *pem_of(EVP_PKEY *key) {
    char *data;
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    long len = BIO_get_mem_data(bio, &data);
    char *text = g_strndup(data, (gsize)len);
    BIO_free(bio);
    return text;
}

static char *number_of(EVP_PKEY *key, const char *name) {
    BIGNUM *n = NULL;
    uint8_t bytes[512];
    g_assert_cmpint(EVP_PKEY_get_bn_param(key, name, &n), ==, 1);
    int len = BN_bn2bin(n, bytes);
    BN_free(n);
    return base64url(bytes, (size_t)len);
}

static char *jwks_of(struct world *w) {
    uint8_t point[65], raw[32];
    size_t len = sizeof point, raw_len = sizeof raw;
    EVP_PKEY_set_utf8_string_param(w->ec, "point-format", "uncompressed");
    g_assert_cmpint(EVP_PKEY_get_octet_string_param(w->ec, "pub", point, sizeof point, &len), ==,
                    1);
    g_assert_cmpuint(len, ==, 65);
    EVP_PKEY_get_raw_public_key(w->ed, raw, &raw_len);
    g_autofree char *n = number_of(w->rsa, "n"), *e = number_of(w->rsa, "e"),
                    *x = base64url(point + 1, 32), *y = base64url(point + 33, 32),
                    *ed = base64url(raw, 32);
    return g_strdup_printf(
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"use\":\"sig\",\"n\":\"%s\",\"e\":\"%s\"},"
        "{\"kty\":\"EC\",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"},"
        "{\"kty\":\"OKP\",\"kid\":\"d\",\"crv\":\"Ed25519\",\"x\":\"%s\"},"
        "{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"RSA\",\"use\":\"enc\",\"n\":\"%s\",\"e\":"
        "\"AQAB\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"\"},7,{}]}",
        n, e, x, y, ed, n);
}

static void setup(struct world *w, gconstpointer data) {
    static EVP_PKEY *keys[3]; // made once: an RSA key takes its time
    if (keys[0] == NULL) {
        keys[0] = EVP_RSA_gen(2048);
        keys[1] = EVP_EC_gen("P-256");
        keys[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    w->rsa = keys[0], w->ec = keys[1], w->ed = keys[2];
    w->path = g_strdup_printf("%s/keys-%d", g_get_tmp_dir(), (int)g_random_int_range(0, G_MAXINT));
    g_autofree char *jwks = jwks_of(w);
    g_assert_true(g_file_set_contents(w->path, jwks, -1, NULL));
    struct auth_options options = {.oauth_issuer = ISSUER,
                                   .oauth_audience = "bourse",
                                   .oauth_keys = w->path,
                                   .oauth_claim = "email"};
    fixture_setup(&w->f, &options);
    clock_set(filetime_from_unix(NOW));
}

static void teardown(struct world *w, gconstpointer data) {
    fixture_teardown(&w->f, data);
    g_unlink(w->path);
    g_free(w->path);
}

// --- Tokens ---

static enum ec check(struct world *w, const char *token, const char **reason_out) {
    static const struct token_rules rules = {ISSUER, "bourse", "email", 0};
    struct token_rules now = rules;
    ARENA_AUTO arena = arena_new();
    struct token_keys *keys = token_keys_new(w->path);
    const char *user = NULL;
    now.now = clock_now();
    enum ec ec = token_check(keys, &now, arena, token, &user, reason_out);
    if (ec == EC_OK)
        g_assert_cmpstr(user, ==, "alice@example.test");
    token_keys_free(keys);
    return ec;
}

static void expect(struct world *w, EVP_PKEY *key, const char *header, const char *claims,
                   const char *fault) {
    const char *reason = NULL;
    g_autofree char *token = token_of(key, header, claims);
    enum ec ec = check(w, token, &reason);
    if (g_strcmp0(reason, fault) != 0 || ec != (fault ? EC_LOGON_FAILED : EC_OK))
        g_error("%s %s: %s, expected %s", header, claims, reason, fault);
}

static void test_algorithms(struct world *w, gconstpointer data) {
    static const char not_signed[] = "not signed by the issuer";
    expect(w, w->rsa, "{\"alg\":\"RS256\"}", "{" CLAIMS "}", NULL);
    expect(w, w->ec, "{\"alg\":\"ES256\",\"kid\":\"e\"}", "{" CLAIMS "}", NULL);
    expect(w, w->ed, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", "{" CLAIMS "}", NULL);
    expect(w, w->rsa, "{\"alg\":\"RS256\",\"kid\":\"other\"}", "{" CLAIMS "}", not_signed);
    expect(w, w->rsa, "{\"alg\":\"ES256\"}", "{" CLAIMS "}", not_signed);
    expect(w, w->rsa, "{\"alg\":\"HS256\"}", "{" CLAIMS "}", not_signed);
    expect(w, w->rsa, "{\"alg\":\"none\"}", "{" CLAIMS "}", not_signed);
    expect(w, w->rsa, "{}", "{" CLAIMS "}", not_signed);
    expect(w, w->rsa, "{\"alg\":\"RS256\",\"crit\":[\"x\"]}", "{" CLAIMS "}", not_signed);
    EVP_PKEY *other = EVP_EC_gen("P-256");
    expect(w, other, "{\"alg\":\"ES256\"}", "{" CLAIMS "}", not_signed);
    EVP_PKEY_free(other);
}

#define EDDSA "{\"alg\":\"EdDSA\"}"
static void test_claims(struct world *w, gconstpointer data) {
    static const struct {
        const char *claims, *fault;
    } cases[] = {
        {"\"iss\":\"" ISSUER "\",\"aud\":[\"x\",\"bourse\"],\"exp\":1800000300.5,"
         "\"email\":\"alice@example.test\"",
         NULL},
        {"\"iss\":\"" ISSUER "/\",\"aud\":\"bourse\",\"exp\":1800000300,\"email\":\"a\"",
         "another issuer"},
        {"\"aud\":\"bourse\",\"exp\":1800000300,\"email\":\"a\"", "another issuer"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"x\",\"exp\":1800000300", "for another audience"},
        {"\"iss\":\"" ISSUER "\",\"aud\":[],\"exp\":1800000300", "for another audience"},
        {"\"iss\":\"" ISSUER "\",\"aud\":{},\"exp\":1800000300", "for another audience"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\"", "expired"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":\"1800000300\"", "expired"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":1799999900", "expired"},
        {CLAIMS ",\"nbf\":1800000100", "not valid yet"},
        {CLAIMS ",\"nbf\":1800000050", NULL}, // clocks differ
        {CLAIMS ",\"nbf\":\"x\"", "not valid yet"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":1799999950,"
         "\"email\":\"alice@example.test\"",
         NULL},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":1800000300", "no claim names the user"},
        {"\"iss\":\"" ISSUER "\",\"aud\":\"bourse\",\"exp\":1800000300,\"email\":7",
         "no claim names the user"},
        {"\"x\":[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]," CLAIMS, "no claims"}, // too deep
        {"}x{", "no claims"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *claims = g_strdup_printf("{%s}", cases[i].claims);
        expect(w, w->ed, EDDSA, claims, cases[i].fault);
    }
}

static void test_malformed(struct world *w, gconstpointer data) {
    static const char *const tokens[] = {"",      ".",        "..",        "...",
                                         "a.b.c", "e30.e30.", "e30.e30.!", "x"};
    const char *reason;
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++)
        assert_ec(check(w, tokens[i], &reason), EC_LOGON_FAILED);
    g_autofree char *huge = g_strnfill(20000, 'a');
    assert_ec(check(w, huge, &reason), EC_LOGON_FAILED);
    // A signature moved to other claims.
    g_autofree char *one = token_of(w->ed, EDDSA, "{" CLAIMS "}"),
                    *two = token_of(w->ed, EDDSA, "{" CLAIMS ",\"x\":1}");
    g_autofree char *mixed =
        g_strdup_printf("%.*s%s", (int)(strrchr(one, '.') - one), one, strrchr(two, '.'));
    assert_ec(check(w, mixed, &reason), EC_LOGON_FAILED);
}

static void test_key_files(struct world *w, gconstpointer data) {
    g_autofree char *rsa = pem_of(w->rsa), *ec = pem_of(w->ec), *ed = pem_of(w->ed);
    g_autofree char *all = g_strconcat("# keys\n", rsa, ec, "nonsense\n", ed, NULL);
    g_autoptr(GPtrArray) keys = token_keys_parse(all, strlen(all));
    g_assert_cmpuint(keys->len, ==, 3);
    g_autofree char *jwks = jwks_of(w);
    g_autoptr(GPtrArray) set = token_keys_parse(jwks, strlen(jwks));
    g_assert_cmpuint(set->len, ==, 3);
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    g_autofree char *weak_pem = pem_of(weak);
    g_autoptr(GPtrArray) none = token_keys_parse(weak_pem, strlen(weak_pem));
    g_assert_cmpuint(none->len, ==, 0);
    EVP_PKEY_free(weak);
    // The file is replaced while the server runs.
    struct token_keys *file = token_keys_new(w->path);
    g_autoptr(GPtrArray) before = NULL, after = NULL, kept = NULL;
    assert_ok(token_keys_get(file, &before));
    g_assert_cmpuint(before->len, ==, 3);
    g_assert_true(g_file_set_contents(w->path, ec, -1, NULL));
    assert_ok(token_keys_get(file, &after));
    g_assert_cmpuint(after->len, ==, 1);
    g_unlink(w->path);
    assert_ok(token_keys_get(file, &kept));
    g_assert_true(kept == after);
    token_keys_free(file);
    file = token_keys_new(w->path);
    assert_ec(token_keys_get(file, &kept), EC_DISK_ERROR);
    token_keys_free(file);
}

// --- The mechanisms ---

static enum ec say(struct sasl *s, const char *text, char **answer, struct principal **who) {
    size_t len;
    *answer = NULL;
    return sasl_step(s, (const uint8_t *)text, strlen(text), answer, &len, who);
}

// The result, after the acknowledgement of the server's reason.
static enum ec login(struct world *w, const struct auth_peer *peer, const char *mechanism,
                     const char *message) {
    struct sasl *s;
    char *answer;
    struct principal *who = NULL;
    assert_ok(sasl_begin(w->f.auth, peer, mechanism, &s));
    enum ec ec = say(s, message, &answer, &who);
    if (ec == EC_BUSY) {
        g_assert_nonnull(strstr(answer, "\"status\":"));
        g_free(answer);
        ec = say(s, "\1", &answer, &who);
        assert_ec(ec, EC_LOGON_FAILED);
    }
    g_assert_true((ec == EC_OK) == (who != NULL));
    if (who != NULL)
        g_assert_cmpstr(who->address, ==, "alice@example.test");
    principal_unref(who);
    sasl_free(s);
    return ec;
}

static void test_mechanisms(struct world *w, gconstpointer data) {
    static const struct {
        const char *mechanism, *format;
        enum ec ec;
    } cases[] = {
        {"XOAUTH2", "user=alice@example.test\1auth=Bearer %s\1\1", EC_OK},
        {"XOAUTH2", "user=ALICE\1auth=bearer %s\1\1", EC_OK},
        {"XOAUTH2", "user=bob@example.test\1auth=Bearer %s\1\1", EC_LOGON_FAILED},
        {"XOAUTH2", "user=alice\1auth=Bearer x%s\1\1", EC_LOGON_FAILED},
        {"XOAUTH2", "user=\1auth=Bearer %s\1\1", EC_FORMAT_ERROR},
        {"XOAUTH2", "user=alice\1auth=Bearer %s\1", EC_FORMAT_ERROR},
        {"XOAUTH2", "user=alice\1auth=Basic %s\1\1", EC_FORMAT_ERROR},
        {"OAUTHBEARER", "n,a=alice@example.test,\1host=x\1port=143\1auth=Bearer %s\1\1", EC_OK},
        {"OAUTHBEARER", "n,,\1auth=Bearer %s\1\1", EC_OK},
        {"OAUTHBEARER", "n,a=bob@example.test,\1auth=Bearer %s\1\1", EC_LOGON_FAILED},
        {"OAUTHBEARER", "n,,\1auth=Bearer %s.\1\1", EC_LOGON_FAILED},
        {"OAUTHBEARER", "n,,\1host=%s\1\1", EC_FORMAT_ERROR},
        {"OAUTHBEARER", "n,,auth=Bearer %s\1\1", EC_FORMAT_ERROR},
        {"OAUTHBEARER", "n,x,\1auth=Bearer %s\1\1", EC_FORMAT_ERROR},
        {"OAUTHBEARER", "p=tls-exporter,,\1auth=Bearer %s\1\1", EC_FORMAT_ERROR},
        {"OAUTHBEARER", "n%s", EC_FORMAT_ERROR},
    };
    g_autofree char *token = token_of(w->ec, "{\"alg\":\"ES256\"}", "{" CLAIMS "}");
    g_assert_cmpstr(sasl_mechanisms(w->f.auth, &tls_peer), ==, "XOAUTH2 OAUTHBEARER PLAIN LOGIN");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *at = strstr(cases[i].format, "%s");
        g_autofree char *message = g_strdup_printf("%.*s%s%s", (int)(at - cases[i].format),
                                                   cases[i].format, token, at + 2);
        assert_ec(login(w, &tls_peer, cases[i].mechanism, message), cases[i].ec);
    }
    g_autofree char *message = g_strdup_printf("n,,\1auth=Bearer %s\1\1", token);
    struct auth_peer pop = tls_peer;
    pop.protocol = DIRECTORY_POP3;
    assert_ec(login(w, &pop, "OAUTHBEARER", message), EC_ACCOUNT_DISABLED);
    // A stranger's tokens slow down the stranger, not the user.
    for (int i = 0; i < 30; i++)
        login(w, &tls_peer, "XOAUTH2", "user=alice\1auth=Bearer a.b.c\1\1");
    assert_ec(login(w, &tls_peer, "OAUTHBEARER", message), EC_SERVER_BUSY);
    struct auth_peer elsewhere = tls_peer;
    elsewhere.address = "198.51.100.7";
    assert_ok(login(w, &elsewhere, "OAUTHBEARER", message));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add(path, struct world, NULL, setup, test, teardown)
    ADD("/token/algorithms", test_algorithms);
    ADD("/token/claims", test_claims);
    ADD("/token/malformed", test_malformed);
    ADD("/token/key-files", test_key_files);
    ADD("/token/mechanisms", test_mechanisms);
    return g_test_run();
}
