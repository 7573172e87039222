// The certificates as a client checks them.
#include "admin/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/test.h"

static X509 *load(const char *dir, const char *name) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    FILE *f = fopen(path, "r");
    g_assert_nonnull(f);
    X509 *x = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    g_assert_nonnull(x);
    return x;
}

static bool verifies(X509 *leaf, X509 *ca) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, NULL);
    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
    bool ok = X509_verify_cert(ctx) == 1;
    if (!ok)
        g_test_message("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static void test_create(void) {
    char *dir = test_folder();
    char *error = NULL;
    assert_ok(certificates_create(dir, "Müller & Söhne, Ltd.", "mail.Example.test", "exämple.test",
                                  &error));
    X509 *ca = load(dir, "ca.pem"), *leaf = load(dir, "cert.pem");
    g_assert_true(verifies(leaf, ca));
    g_assert_true(X509_check_ca(ca));
    g_assert_false(X509_check_ca(leaf));
    g_assert_cmpint(X509_check_host(leaf, "mail.example.test", 0, 0, NULL), ==, 1);
    g_assert_cmpint(X509_check_host(leaf, "autodiscover.xn--exmple-cua.test", 0, 0, NULL), ==, 1);
    g_assert_cmpint(X509_check_host(leaf, "localhost", 0, 0, NULL), ==, 1);
    g_assert_cmpint(X509_check_host(leaf, "example.test", 0, 0, NULL), ==, 0);
    g_assert_cmpint(X509_check_ip_asc(leaf, "127.0.0.1", 0), ==, 1);
    g_assert_cmpint(X509_check_ip_asc(leaf, "::1", 0), ==, 1);
    static const char *const keys[] = {"key.pem", "ca-key.pem"};
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *path = g_build_filename(dir, keys[i], NULL);
        struct stat st;
        g_assert_cmpint(stat(path, &st), ==, 0);
        g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    }
    X509_free(leaf);
    X509_free(ca);
    test_folder_remove(dir);
}

static void test_renew(void) {
    char *dir = test_folder();
    char *error = NULL;
    int64_t expires;
    assert_ok(certificates_create(dir, "Org", "old.example.test", "example.test", &error));
    X509 *old = load(dir, "cert.pem");
    assert_ok(certificates_renew(dir, "new.example.test", "example.test", &error));
    X509 *ca = load(dir, "ca.pem"), *leaf = load(dir, "cert.pem");
    g_assert_true(verifies(leaf, ca));
    g_assert_cmpint(X509_check_host(leaf, "new.example.test", 0, 0, NULL), ==, 1);
    // The key stays, the serial number does not.
    g_assert_cmpint(EVP_PKEY_eq(X509_get0_pubkey(old), X509_get0_pubkey(leaf)), ==, 1);
    g_assert_cmpint(ASN1_INTEGER_cmp(X509_get_serialNumber(old), X509_get_serialNumber(leaf)), !=,
                    0);
    g_autofree char *path = g_build_filename(dir, "cert.pem", NULL);
    assert_ok(certificate_expires(path, &expires));
    int64_t days = (expires - g_get_real_time() / G_USEC_PER_SEC) / 86400;
    g_assert_cmpint(days, >=, 395);
    g_assert_cmpint(days, <=, 397);
    X509_free(old);
    X509_free(leaf);
    X509_free(ca);
    test_folder_remove(dir);
}

static void test_mistakes(void) {
    char *dir = test_folder();
    static const char *const names[] = {"",    "-x.test",         "a..b",
                                        "a b", "a,DNS:evil.test", "a.test\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *error = NULL;
        g_test_message("%s", names[i]);
        assert_ec(certificates_create(dir, "Org", names[i], "example.test", &error),
                  EC_INVALID_PARAMETER);
        g_assert_nonnull(error);
    }
    g_autofree char *error = NULL;
    assert_ec(certificates_renew(dir, "a.test", "b.test", &error), EC_NOT_FOUND);
    g_autofree char *path = g_build_filename(dir, "cert.pem", NULL);
    int64_t expires;
    assert_ec(certificate_expires(path, &expires), EC_NOT_FOUND);
    g_file_set_contents(path, "nonsense", -1, NULL);
    assert_ec(certificate_expires(path, &expires), EC_FORMAT_ERROR);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/certificates/create", test_create);
    g_test_add_func("/certificates/renew", test_renew);
    g_test_add_func("/certificates/mistakes", test_mistakes);
    return g_test_run();
}
