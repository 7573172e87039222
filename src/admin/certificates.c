// X.509 by OpenSSL: one authority, one leaf.
#include "admin/certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <idn2.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AUTHORITY_DAYS 3650
#define LEAF_DAYS 397 // the longest that every client accepts
#define DAY 86400

struct names {
    char *organization, *hostname, *domain; // the last two as A-labels
};

static void names_clear(struct names *names) {
    g_free(names->organization);
    g_free(names->hostname);
    g_free(names->domain);
}

char *host_name_to_ascii(const char *name) {
    char *ascii = NULL;
    if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return NULL;
    char *result = g_ascii_strdown(ascii, -1);
    idn2_free(ascii);
    size_t len = strlen(result);
    bool ok = len > 0 && len <= 253 && result[0] != '.' && result[0] != '-' &&
              result[len - 1] != '.' && !strstr(result, "..");
    for (const char *p = result; *p && ok; p++)
        ok = g_ascii_isalnum(*p) || *p == '.' || *p == '-';
    if (!ok)
        g_clear_pointer(&result, g_free);
    return result;
}

// Writes a file as a whole or not at all.
static enum ec write_file(const char *path, BIO *bio, mode_t mode, char **error_out) {
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = fd >= 0 && len > 0 && write(fd, data, (size_t)len) == len && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (ok && rename(temporary, path) == 0)
        return EC_OK;
    *error_out = g_strdup_printf("cannot write %s: %s", path, g_strerror(ok ? errno : error));
    unlink(temporary);
    return EC_DISK_ERROR;
}

static enum ec write_key(const char *path, EVP_PKEY *key, char **error_out) {
    BIO *bio = BIO_new(BIO_s_secmem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    enum ec ec = write_file(path, bio, 0600, error_out);
    BIO_free(bio);
    return ec;
}

static enum ec write_certificates(const char *path, X509 *first, X509 *second, char **error_out) {
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, first);
    if (second)
        PEM_write_bio_X509(bio, second);
    enum ec ec = write_file(path, bio, 0644, error_out);
    BIO_free(bio);
    return ec;
}

static X509 *read_certificate(const char *path) {
    FILE *f = fopen(path, "re");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (f)
        fclose(f);
    return x;
}

static EVP_PKEY *read_key(const char *path) {
    FILE *f = fopen(path, "re");
    // An empty pass phrase instead of a prompt: these keys have none.
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, (void *)"") : NULL;
    if (f)
        fclose(f);
    return key;
}

// --- Building ---

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension && X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

// A random serial number of 127 bits ([RFC 5280] 4.1.2.2: positive, at most 20 bytes).
static bool set_serial(X509 *x) {
    BIGNUM *n = BN_new();
    bool ok = BN_rand(n, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool add_name(X509_NAME *name, const char *field, const char *text) {
    g_autofree char *cut = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), 64)); // ub-*
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)cut, -1,
                                      -1, 0);
}

// The part that both kinds share. An hour back, for clocks that are behind.
static X509 *new_certificate(EVP_PKEY *key, int days) {
    X509 *x = X509_new();
    if (X509_set_version(x, 2) && set_serial(x) && X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
        X509_gmtime_adj(X509_getm_notAfter(x), (long)days * DAY) && X509_set_pubkey(x, key))
        return x;
    X509_free(x);
    return NULL;
}

static X509 *make_authority(EVP_PKEY *key, const char *organization) {
    X509 *x = new_certificate(key, AUTHORITY_DAYS);
    if (!x)
        return NULL;
    X509_NAME *name = X509_get_subject_name(x);
    g_autofree char *common = g_strconcat(organization, " mail authority", NULL);
    if (add_name(name, "O", organization) && add_name(name, "CN", common) &&
        X509_set_issuer_name(x, name) &&
        add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

static char *alternative_names(const struct names *names) {
    struct in_addr v4;
    const char *kind = inet_pton(AF_INET, names->hostname, &v4) == 1 ? "IP" : "DNS";
    return g_strdup_printf("%s:%s,DNS:autodiscover.%s,DNS:localhost,IP:127.0.0.1,IP:::1", kind,
                           names->hostname, names->domain);
}

static X509 *make_leaf(EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key,
                       const struct names *names) {
    X509 *x = new_certificate(key, LEAF_DAYS);
    if (!x)
        return NULL;
    g_autofree char *alternatives = alternative_names(names);
    if (add_name(X509_get_subject_name(x), "CN", names->hostname) &&
        X509_set_issuer_name(x, X509_get_subject_name(authority)) &&
        add_extension(x, authority, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(x, authority, NID_key_usage, "critical,digitalSignature") &&
        add_extension(x, authority, NID_ext_key_usage, "serverAuth") &&
        add_extension(x, authority, NID_subject_key_identifier, "hash") &&
        add_extension(x, authority, NID_authority_key_identifier, "keyid:always") &&
        add_extension(x, authority, NID_subject_alt_name, alternatives) &&
        X509_sign(x, authority_key, EVP_sha256()))
        return x;
    X509_free(x);
    return NULL;
}

// --- The two jobs ---

static enum ec take_names(struct names *names, const char *organization, const char *hostname,
                          const char *domain, char **error_out) {
    names->organization = g_strdup(organization);
    names->hostname = host_name_to_ascii(hostname);
    names->domain = host_name_to_ascii(domain);
    if (names->hostname && names->domain)
        return EC_OK;
    *error_out = g_strdup_printf("'%s' is not a valid host or domain name",
                                 names->hostname ? domain : hostname);
    return EC_INVALID_PARAMETER;
}

static enum ec openssl_failed(char **error_out) {
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    *error_out = g_strdup_printf("cannot make a certificate: %s", text);
    return EC_CALL_FAILED;
}

static enum ec create_in(const char *dir, const struct names *names, char **error_out) {
    g_autofree char *ca_path = g_build_filename(dir, "ca.pem", NULL);
    g_autofree char *ca_key_path = g_build_filename(dir, "ca-key.pem", NULL);
    g_autofree char *cert_path = g_build_filename(dir, "cert.pem", NULL);
    g_autofree char *key_path = g_build_filename(dir, "key.pem", NULL);
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    X509 *ca = ca_key ? make_authority(ca_key, names->organization) : NULL;
    X509 *leaf = ca && key ? make_leaf(key, ca, ca_key, names) : NULL;
    enum ec ec = leaf ? EC_OK : openssl_failed(error_out);
    if (ec == EC_OK)
        ec = write_key(ca_key_path, ca_key, error_out);
    if (ec == EC_OK)
        ec = write_certificates(ca_path, ca, NULL, error_out);
    if (ec == EC_OK)
        ec = write_key(key_path, key, error_out);
    if (ec == EC_OK)
        ec = write_certificates(cert_path, leaf, ca, error_out);
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return ec;
}

enum ec certificates_create(const char *tls_dir, const char *organization, const char *hostname,
                            const char *domain, char **error_out) {
    struct names names;
    enum ec ec = take_names(&names, organization, hostname, domain, error_out);
    if (ec == EC_OK)
        ec = create_in(tls_dir, &names, error_out);
    names_clear(&names);
    return ec;
}

static enum ec renew_in(const char *dir, const struct names *names, char **error_out) {
    g_autofree char *ca_path = g_build_filename(dir, "ca.pem", NULL);
    g_autofree char *ca_key_path = g_build_filename(dir, "ca-key.pem", NULL);
    g_autofree char *cert_path = g_build_filename(dir, "cert.pem", NULL);
    g_autofree char *key_path = g_build_filename(dir, "key.pem", NULL);
    X509 *ca = read_certificate(ca_path), *leaf = NULL;
    EVP_PKEY *ca_key = read_key(ca_key_path), *key = read_key(key_path);
    enum ec ec = EC_OK;
    if (!ca || !ca_key || !key) {
        *error_out =
            g_strdup_printf("%s, %s or %s is missing or damaged", ca_path, ca_key_path, key_path);
        ec = EC_NOT_FOUND;
    } else {
        leaf = make_leaf(key, ca, ca_key, names);
        ec = leaf ? write_certificates(cert_path, leaf, ca, error_out) : openssl_failed(error_out);
    }
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return ec;
}

enum ec certificates_renew(const char *tls_dir, const char *hostname, const char *domain,
                           char **error_out) {
    struct names names;
    enum ec ec = take_names(&names, NULL, hostname, domain, error_out);
    if (ec == EC_OK)
        ec = renew_in(tls_dir, &names, error_out);
    names_clear(&names);
    return ec;
}

enum ec certificate_expires(const char *cert_file, int64_t *out) {
    if (access(cert_file, R_OK) != 0)
        return EC_NOT_FOUND;
    X509 *x = read_certificate(cert_file);
    int days, seconds;
    bool ok = x && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x));
    X509_free(x);
    if (!ok)
        return EC_FORMAT_ERROR;
    *out = g_get_real_time() / G_USEC_PER_SEC + (int64_t)days * DAY + seconds;
    return EC_OK;
}
