// Certificates for libmicrohttpd's TLS (GnuTLS): loaded here, chosen by the name that the client
// asks for (SNI), read again without a restart.
//
// GnuTLS's callback has no argument of ours, so the servers' sets of certificates stand in one
// list. A certificate that was handed out may be in use by a handshake at any time: the old ones
// are kept until the server ends.
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "http/http_internal.h"

#define CHAIN_MAX 8

struct certificate {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
    gnutls_x509_crt_t leaf;
};

struct source {
    char *cert_file, *key_file;
    struct certificate *current; // in `all`
};

struct http_tls {
    GArray *sources; // struct source
    GPtrArray *all;  // struct certificate
};

static pthread_mutex_t sets_lock = PTHREAD_MUTEX_INITIALIZER;
static GList *sets; // struct http_tls, under the lock with what is in them

static void certificate_free(void *data) {
    struct certificate *c = data;
    for (unsigned i = 0; i < c->n; i++)
        gnutls_pcert_deinit(&c->chain[i]);
    if (c->key != NULL)
        gnutls_privkey_deinit(c->key);
    if (c->leaf != NULL)
        gnutls_x509_crt_deinit(c->leaf);
    g_free(c);
}

struct http_tls *http_tls_new(void) {
    struct http_tls *tls = g_new0(struct http_tls, 1);
    tls->sources = g_array_new(FALSE, FALSE, sizeof(struct source));
    tls->all = g_ptr_array_new_with_free_func(certificate_free);
    pthread_mutex_lock(&sets_lock);
    sets = g_list_prepend(sets, tls);
    pthread_mutex_unlock(&sets_lock);
    return tls;
}

void http_tls_free(struct http_tls *tls) {
    if (tls == NULL)
        return;
    pthread_mutex_lock(&sets_lock);
    sets = g_list_remove(sets, tls);
    pthread_mutex_unlock(&sets_lock);
    for (unsigned i = 0; i < tls->sources->len; i++) {
        g_free(g_array_index(tls->sources, struct source, i).cert_file);
        g_free(g_array_index(tls->sources, struct source, i).key_file);
    }
    g_array_unref(tls->sources);
    g_ptr_array_unref(tls->all);
    g_free(tls);
}

static int import(struct certificate *c, const char *cert_file, const char *key_file,
                  const char **wrong) {
    gnutls_datum_t cert = {0}, key = {0};
    *wrong = cert_file;
    int rc = gnutls_load_file(cert_file, &cert);
    c->n = CHAIN_MAX;
    if (rc == 0)
        rc = gnutls_pcert_list_import_x509_raw(c->chain, &c->n, &cert, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0)
        c->n = 0;
    if (rc >= 0)
        rc = gnutls_x509_crt_init(&c->leaf);
    if (rc >= 0)
        rc = gnutls_x509_crt_import(c->leaf, &cert, GNUTLS_X509_FMT_PEM);
    if (rc >= 0) {
        *wrong = key_file;
        rc = gnutls_load_file(key_file, &key);
    }
    if (rc >= 0)
        rc = gnutls_privkey_init(&c->key);
    if (rc >= 0)
        rc = gnutls_privkey_import_x509_raw(c->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_free(cert.data);
    if (key.data != NULL)
        gnutls_memset(key.data, 0, key.size);
    gnutls_free(key.data);
    return rc;
}

static enum ec load(const char *cert_file, const char *key_file, struct certificate **out,
                    char **error_out) {
    struct certificate *c = g_new0(struct certificate, 1);
    const char *wrong;
    int rc = import(c, cert_file, key_file, &wrong);
    if (rc < 0) {
        *error_out = g_strdup_printf("cannot use %s: %s", wrong, gnutls_strerror(rc));
        certificate_free(c);
        return EC_INVALID_PARAMETER;
    }
    *out = c;
    return EC_OK;
}

enum ec http_tls_add(struct http_tls *tls, const char *cert_file, const char *key_file,
                     char **error_out) {
    struct source source = {0};
    EC_TRY(load(cert_file, key_file, &source.current, error_out));
    source.cert_file = g_strdup(cert_file);
    source.key_file = g_strdup(key_file);
    pthread_mutex_lock(&sets_lock);
    g_array_append_val(tls->sources, source);
    g_ptr_array_add(tls->all, source.current);
    pthread_mutex_unlock(&sets_lock);
    return EC_OK;
}

enum ec http_tls_reload(struct http_tls *tls, char **error_out) {
    for (unsigned i = 0; i < tls->sources->len; i++) {
        struct source *source = &g_array_index(tls->sources, struct source, i);
        struct certificate *fresh;
        EC_TRY(load(source->cert_file, source->key_file, &fresh, error_out));
        pthread_mutex_lock(&sets_lock);
        source->current = fresh;
        g_ptr_array_add(tls->all, fresh);
        pthread_mutex_unlock(&sets_lock);
    }
    return EC_OK;
}

// The first that has the name; without one the newest server's first.
static struct certificate *choose_locked(const char *name) {
    struct certificate *first = NULL;
    for (GList *at = sets; at != NULL; at = at->next) {
        const struct http_tls *tls = at->data;
        for (unsigned i = 0; i < tls->sources->len; i++) {
            struct certificate *c = g_array_index(tls->sources, struct source, i).current;
            if (first == NULL)
                first = c;
            if (name != NULL && gnutls_x509_crt_check_hostname(c->leaf, name))
                return c;
        }
    }
    return first;
}

static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
                  const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                  gnutls_pcert_st **chain_out, unsigned *n_out, gnutls_privkey_t *key_out) {
    (void)authorities, (void)n_authorities, (void)algorithms, (void)n_algorithms;
    char name[256];
    size_t len = sizeof name;
    unsigned type;
    bool has_name = gnutls_server_name_get(session, name, &len, &type, 0) == 0;
    pthread_mutex_lock(&sets_lock);
    struct certificate *c = choose_locked(has_name ? name : NULL);
    pthread_mutex_unlock(&sets_lock);
    if (c == NULL)
        return -1;
    *chain_out = c->chain;
    *n_out = c->n;
    *key_out = c->key;
    return 0;
}

void *http_tls_callback(void) {
    return (void *)(uintptr_t)&choose;
}
