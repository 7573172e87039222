// TLS by OpenSSL: certificates, handshakes, records.
//
// Memory is what counts, since most connections are idle: no SSL object before the client's first
// bytes, read and write buffers released when empty, no session cache (tickets instead, one a
// handshake), one SSL_CTX a certificate. Handshakes run on workers: a signature with an RSA key of
// 4096 bits would hold up a loop for milliseconds.
#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "base/log.h"
#include "net/net_internal.h"

struct net_tls {
    _Atomic int refs;
    char *cert_file, *key_file;
    pthread_mutex_t lock;
    SSL_CTX *ctx; // under lock; connections keep references of their own
};

static const char *openssl_reason(void) {
    unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SYS)
        return g_strerror(ERR_GET_REASON(error));
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    return reason ? reason : "unknown";
}

// A key with a passphrase is an error; a server has nobody to ask.
static int no_passphrase(char *buf, int size, int is_writing, void *data) {
    return -1;
}

static SSL_CTX *load(const char *cert_file, const char *key_file, char **error_out) {
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        *error_out = g_strdup_printf("OpenSSL cannot start: %s", openssl_reason());
        return NULL;
    }
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); // a record by one read, not two
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bourse", 6);

    const char *wrong = NULL;
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1)
        wrong = cert_file;
    else if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(ctx) != 1)
        wrong = key_file;
    if (!wrong)
        return ctx;
    *error_out = g_strdup_printf("cannot use the %s %s: %s",
                                 wrong == cert_file ? "certificate" : "private key", wrong,
                                 openssl_reason());
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

enum ec net_tls_new(const char *cert_file, const char *key_file, struct net_tls **out,
                    char **error_out) {
    SSL_CTX *ctx = load(cert_file, key_file, error_out);
    if (!ctx)
        return EC_INVALID_PARAMETER;
    struct net_tls *tls = g_new0(struct net_tls, 1);
    tls->refs = 1;
    tls->cert_file = g_strdup(cert_file);
    tls->key_file = g_strdup(key_file);
    tls->ctx = ctx;
    pthread_mutex_init(&tls->lock, NULL);
    *out = tls;
    return EC_OK;
}

enum ec net_tls_reload(struct net_tls *tls, char **error_out) {
    SSL_CTX *ctx = load(tls->cert_file, tls->key_file, error_out);
    if (!ctx)
        return EC_INVALID_PARAMETER;
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *old = tls->ctx;
    tls->ctx = ctx;
    pthread_mutex_unlock(&tls->lock);
    SSL_CTX_free(old);
    return EC_OK;
}

void net_tls_ref(struct net_tls *tls) {
    atomic_fetch_add(&tls->refs, 1);
}

void net_tls_unref(struct net_tls *tls) {
    if (!tls || atomic_fetch_sub(&tls->refs, 1) != 1)
        return;
    SSL_CTX_free(tls->ctx);
    pthread_mutex_destroy(&tls->lock);
    g_free(tls->cert_file);
    g_free(tls->key_file);
    g_free(tls);
}

static bool begin(struct net_conn *conn) {
    struct net_tls *tls = conn->listener->tls;
    pthread_mutex_lock(&tls->lock);
    conn->ssl = SSL_new(tls->ctx);
    pthread_mutex_unlock(&tls->lock);
    if (!conn->ssl || SSL_set_fd(conn->ssl, conn->fd) != 1)
        return false;
    SSL_set_accept_state(conn->ssl);
    return true;
}

// The alert, if any, was sent by OpenSSL; closing gently lets it arrive.
static void handshake_failed(struct net_conn *conn, int error) {
    bool peer_left = error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL);
    conn->net->counters.tls_failures++;
    log_event(peer_left ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "net.tls_failed", "protocol",
              conn->proto->name, "conn", log_u64(conn->id), "peer", net_conn_peer(conn), "reason",
              peer_left ? "the peer closed" : openssl_reason(), NULL);
    ERR_clear_error();
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    net_output_clear(&conn->out);
    if (peer_left)
        net_conn_fail(conn);
    else
        net_conn_set_phase(conn, NET_PHASE_FLUSH);
}

void net_tls_handshake(struct net_conn *conn) {
    conn->io_ready = false;
    ERR_clear_error();
    if (!conn->ssl && !begin(conn)) {
        handshake_failed(conn, SSL_ERROR_SSL);
        return;
    }
    int done = SSL_do_handshake(conn->ssl);
    if (done == 1) {
        conn->is_tls = true;
        // The first command may have come along with the end of the handshake.
        conn->tls_pending = SSL_has_pending(conn->ssl);
        net_conn_set_phase(conn, NET_PHASE_OPEN);
        return;
    }
    int error = SSL_get_error(conn->ssl, done);
    if (error == SSL_ERROR_WANT_READ)
        conn->handshake_wants = EV_READ;
    else if (error == SSL_ERROR_WANT_WRITE)
        conn->handshake_wants = EV_WRITE;
    else
        handshake_failed(conn, error);
}

ssize_t net_tls_send(struct net_conn *conn, const struct net_output *out, size_t max) {
    size_t len = 0, sent = 0;
    const uint8_t *data = net_output_head(out, &len);
    ERR_clear_error();
    if (SSL_write_ex(conn->ssl, data, MIN(len, max), &sent) == 1)
        return (ssize_t)sent;
    if (SSL_get_error(conn->ssl, 0) == SSL_ERROR_WANT_WRITE)
        return 0;
    // Wanting to read would mean a renegotiation, which is off.
    ERR_clear_error();
    net_conn_fail(conn);
    return -1;
}

ssize_t net_tls_receive(struct net_conn *conn, void *buf, size_t size) {
    size_t got = 0;
    ERR_clear_error();
    if (SSL_read_ex(conn->ssl, buf, size, &got) == 1)
        return (ssize_t)got;
    switch (SSL_get_error(conn->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_WANT_WRITE: // the answer to a key update
        conn->read_wants_write = true;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        conn->eof = true;
        return -1;
    default:
        ERR_clear_error();
        net_conn_fail(conn);
        return -1;
    }
}

void net_tls_finish(struct net_conn *conn) {
    if (!conn->ssl)
        return;
    ERR_clear_error();
    SSL_shutdown(conn->ssl); // as far as the socket takes it; the peer's answer is not awaited
    ERR_clear_error();
    SSL_free(conn->ssl);
    conn->ssl = NULL;
}

// --- Channel bindings ---

// With TLS 1.3 only: an exporter without a context and one with an empty context, which clients
// take for the same, are two in TLS 1.2 ([RFC 5705] 4).
size_t net_conn_tls_exporter(const struct net_conn *conn, uint8_t out[32]) {
    static const char label[] = "EXPORTER-Channel-Binding";
    if (!conn->is_tls || !conn->ssl || SSL_version(conn->ssl) < TLS1_3_VERSION)
        return 0;
    return SSL_export_keying_material(conn->ssl, out, 32, label, sizeof label - 1, NULL, 0, 1) == 1
               ? 32
               : 0;
}

// The hash of our certificate by its signature's own hash, SHA-256 instead of older ones. A
// signature without one (Ed25519) gives none.
size_t net_conn_tls_end_point(const struct net_conn *conn, uint8_t out[64]) {
    int nid = NID_undef;
    unsigned len = 0;
    X509 *certificate = conn->is_tls && conn->ssl ? SSL_get_certificate(conn->ssl) : NULL;
    if (!certificate || !OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &nid, NULL) ||
        nid == NID_undef)
        return 0;
    if (nid == NID_md5 || nid == NID_sha1)
        nid = NID_sha256;
    const EVP_MD *hash = EVP_get_digestbynid(nid);
    return hash && EVP_MD_get_size(hash) <= 64 && X509_digest(certificate, hash, out, &len) == 1
               ? len
               : 0;
}
