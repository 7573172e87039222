// Keeping our DKIM keys. They are read as a whole and never change then; a reload puts a new set in
// the place of the old one, which lives on for those who sign at the moment.
#include "policy/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "dns/dns.h"
#include "policy/limits.h"

struct policy_keys {
    gint refs;
    GArray *items; // of struct policy_key, sorted
    struct arena *arena;
};

// --- Names ---

static bool is_label(const char *text, bool may_have_dots) {
    size_t len = strlen(text);
    if (len == 0 || len > (may_have_dots ? DNS_NAME_MAX : 63) || *text == '.' || *text == '-' ||
        text[len - 1] == '.')
        return false;
    for (const char *p = text; *p; p++)
        if (!g_ascii_islower(*p) && !g_ascii_isdigit(*p) && *p != '-' && *p != '_' &&
            !(may_have_dots && *p == '.' && p[1] != '.'))
            return false;
    return true;
}

// --- Reading ---

static EVP_PKEY *read_key(const char *path) {
    g_autofree char *text = NULL;
    gsize len;
    if (!g_file_get_contents(path, &text, &len, NULL) || len > KEY_FILE_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    OPENSSL_cleanse(text, len);
    int kind = key ? EVP_PKEY_get_base_id(key) : 0;
    bool is_good = kind == EVP_PKEY_ED25519 ||
                   (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= DKIM_RSA_MIN &&
                    EVP_PKEY_get_bits(key) <= DKIM_RSA_MAX);
    if (is_good)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

static void load_domain(struct policy_keys *keys, const char *dir, const char *domain) {
    g_autofree char *folder = g_build_filename(dir, domain, NULL);
    g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned n = 0;
    while (files && n < KEYS_MAX && (name = g_dir_read_name(files))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *selector = g_strndup(name, strlen(name) >= 4 ? strlen(name) - 4 : 0);
        if (!g_str_has_suffix(name, ".pem") || !is_label(selector, true))
            continue;
        EVP_PKEY *key = read_key(path);
        if (!key) {
            log_event(LOG_LEVEL_WARNING, "policy.bad_key", "file", path, NULL);
            continue;
        }
        struct policy_key item = {
            .domain = arena_strdup(keys->arena, domain),
            .selector = arena_strdup(keys->arena, selector),
            .key = key,
            .is_ed25519 = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519,
        };
        g_array_append_val(keys->items, item);
        n++;
    }
}

static int compare_keys(const void *a, const void *b) {
    const struct policy_key *x = a, *y = b;
    int by_domain = strcmp(x->domain, y->domain);
    return by_domain ? by_domain : strcmp(x->selector, y->selector);
}

enum ec policy_keys_load(const char *dir, struct policy_keys **out) {
    struct policy_keys *keys = g_new0(struct policy_keys, 1);
    keys->refs = 1;
    keys->arena = arena_new();
    keys->items = g_array_new(FALSE, FALSE, sizeof(struct policy_key));
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) domains = dir ? g_dir_open(dir, 0, &error) : NULL;
    if (error && !g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        log_event(LOG_LEVEL_ERROR, "policy.keys_failed", "dir", dir, "reason", error->message,
                  NULL);
        policy_keys_unref(keys);
        return EC_DISK_ERROR;
    }
    const char *name;
    while (domains && (name = g_dir_read_name(domains)))
        if (is_label(name, true))
            load_domain(keys, dir, name);
    g_array_sort(keys->items, compare_keys);
    *out = keys;
    return EC_OK;
}

struct policy_keys *policy_keys_ref(struct policy_keys *keys) {
    g_atomic_int_inc(&keys->refs);
    return keys;
}

void policy_keys_unref(struct policy_keys *keys) {
    if (!keys || !g_atomic_int_dec_and_test(&keys->refs))
        return;
    for (unsigned i = 0; i < keys->items->len; i++)
        EVP_PKEY_free(g_array_index(keys->items, struct policy_key, i).key);
    g_array_unref(keys->items);
    arena_free(keys->arena);
    g_free(keys);
}

const struct policy_key *policy_keys_all(const struct policy_keys *keys, unsigned *n_out) {
    *n_out = keys->items->len;
    return (const struct policy_key *)(void *)keys->items->data;
}

const struct policy_key *policy_keys_of(const struct policy_keys *keys, const char *domain,
                                        unsigned *n_out) {
    unsigned n, first = 0;
    const struct policy_key *all = policy_keys_all(keys, &n);
    while (first < n && g_ascii_strcasecmp(all[first].domain, domain) != 0)
        first++;
    unsigned end = first;
    while (end < n && g_ascii_strcasecmp(all[end].domain, domain) == 0)
        end++;
    *n_out = end - first;
    return all ? all + first : NULL;
}

// --- Making ---

static enum ec write_key(const char *path, EVP_PKEY *key) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? EC_COLLISION : EC_DISK_ERROR;
    FILE *file = fdopen(fd, "w");
    bool is_good = file && PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                   fflush(file) == 0 && fsync(fd) == 0;
    if (file ? fclose(file) != 0 : close(fd) != 0)
        is_good = false;
    if (!is_good)
        g_unlink(path);
    return is_good ? EC_OK : EC_DISK_ERROR;
}

enum ec policy_key_create(const char *dir, const char *domain, const char *selector,
                          enum policy_key_type type) {
    if (!is_label(domain, true) || !is_label(selector, true))
        return EC_INVALID_PARAMETER;
    g_autofree char *folder = g_build_filename(dir, domain, NULL);
    g_autofree char *name = g_strconcat(selector, ".pem", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_mkdir_with_parents(folder, 0700) != 0)
        return EC_DISK_ERROR;
    EVP_PKEY *key =
        type == POLICY_KEY_RSA ? EVP_RSA_gen(2048u) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    enum ec ec = key ? write_key(path, key) : EC_NOT_ENOUGH_RESOURCES;
    EVP_PKEY_free(key);
    return ec;
}

enum ec policy_key_delete(const char *dir, const char *domain, const char *selector) {
    if (!is_label(domain, true) || !is_label(selector, true))
        return EC_NOT_FOUND;
    g_autofree char *folder = g_build_filename(dir, domain, NULL);
    g_autofree char *name = g_strconcat(selector, ".pem", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_unlink(path) != 0)
        return errno == ENOENT ? EC_NOT_FOUND : EC_DISK_ERROR;
    g_rmdir(folder); // if it was the last one
    return EC_OK;
}

const char *policy_key_record(struct arena *arena, const struct policy_key *key) {
    unsigned char raw[32], *bytes = NULL;
    size_t len = sizeof raw;
    if (key->is_ed25519) {
        EVP_PKEY_get_raw_public_key(key->key, raw, &len);
    } else {
        int n = i2d_PUBKEY(key->key, &bytes);
        len = n > 0 ? (size_t)n : 0;
    }
    g_autofree char *base64 = g_base64_encode(bytes ? bytes : raw, len);
    OPENSSL_free(bytes);
    return arena_printf(arena, "v=DKIM1; k=%s; p=%s", key->is_ed25519 ? "ed25519" : "rsa", base64);
}
