// TLS over real sockets: implicit and STARTTLS, injection, garbage, tickets, reload, deadlines.
#include <fcntl.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/wait.h>

#include "net/echo_test.h"

static char *folder, *cert_file, *key_file;

// A self-signed certificate with a P-256 key.
static void make_certificate(const char *name) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    g_assert_cmpint(X509_sign(cert, key, EVP_sha256()), >, 0);
    FILE *file = fopen(cert_file, "w");
    g_assert_cmpint(PEM_write_X509(file, cert), ==, 1);
    fclose(file);
    file = fopen(key_file, "w");
    g_assert_cmpint(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), ==, 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct net_tls *load(void) {
    struct net_tls *tls = NULL;
    char *error = NULL;
    assert_ok(net_tls_new(cert_file, key_file, &tls, &error));
    return tls;
}

static struct server *tls_server(bool implicit) {
    struct net_tls *tls = load();
    struct server *server =
        server_new(&(struct net_listen){.tls = tls, .implicit_tls = implicit, .idle_seconds = 60});
    net_tls_unref(tls); // the listener has its own
    return server;
}

// The client's side of the handshake; `ctx` NULL: a new one. False when it fails.
static bool client_tls(struct client *client, SSL_CTX *ctx, SSL_SESSION *session) {
    SSL_CTX *own = ctx ? NULL : SSL_CTX_new(TLS_client_method());
    client->ssl = SSL_new(ctx ? ctx : own);
    SSL_CTX_free(own);
    if (session)
        SSL_set_session(client->ssl, session);
    SSL_set_fd(client->ssl, client->fd);
    return SSL_connect(client->ssl) == 1;
}

static void test_implicit(void) {
    struct server *server = tls_server(true);
    struct client *client = client_new(server);
    g_assert_true(client_tls(client, NULL, NULL));
    client_expect(client, "HELLO");
    client_send(client, "TLS\nECHO secret\n");
    client_expect(client, "YES");
    client_expect(client, "secret");
    client_send(client, "STARTTLS\n"); // twice makes no sense
    client_expect(client, "GO");
    client_expect(client, "NO");
    client_send(client, "QUIT\n");
    client_expect(client, "BYE");
    client_expect(client, NULL);
    g_assert_cmpint(SSL_get_shutdown(client->ssl), ==, SSL_RECEIVED_SHUTDOWN);
    client_free(client);
    server_free(server);
}

static void test_big(void) {
    struct server *server = tls_server(true);
    struct client *client = client_new(server);
    g_assert_true(client_tls(client, NULL, NULL));
    client_expect(client, "HELLO");
    GString *all = g_string_new("BIG 10000000\nREF 3000000\n");
    for (int i = 0; i < 20000; i++) // several buffers full: OpenSSL holds input we do not take
        g_string_append_printf(all, "ECHO %d\n", i);
    client_send(client, all->str);
    g_string_free(all, TRUE);
    char buf[65536];
    for (size_t left = 10000001 + 3000001; left > 0;) {
        ssize_t n = client_read(client, buf, MIN(sizeof buf, left));
        g_assert_cmpint(n, >, 0);
        left -= (size_t)n;
    }
    for (int i = 0; i < 20000; i++) {
        g_autofree char *want = g_strdup_printf("%d", i);
        client_expect(client, want);
    }
    client_free(client);
    server_free(server);
}

static void test_start_tls(void) {
    struct server *server = tls_server(false);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "TLS\nSTARTTLS\n");
    client_expect(client, "NO");
    client_expect(client, "GO");
    g_assert_true(client_tls(client, NULL, NULL));
    client_send(client, "TLS\n");
    client_expect(client, "YES");
    client_send(client, "BIG 3000000\n");
    char buf[65536];
    for (size_t left = 3000001; left > 0;) {
        ssize_t n = client_read(client, buf, MIN(sizeof buf, left));
        g_assert_cmpint(n, >, 0);
        left -= (size_t)n;
    }
    client_free(client);
    g_assert_cmpuint(server->service.opened, ==, 1);
    server_free(server);
}

// A command that came in the clear after STARTTLS must not be taken for one within TLS.
static void test_injection(void) {
    struct server *server = tls_server(false);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "STARTTLS\nECHO injected\nECHO again");
    client_expect(client, "GO");
    g_assert_true(client_tls(client, NULL, NULL));
    client_send(client, "ECHO clean\n");
    client_expect(client, "clean");
    g_assert_cmpuint(server->service.units, ==, 2);
    client_free(client);
    server_free(server);
}

// Output that waits for a slow reader goes out in the clear before the handshake.
static void test_start_tls_after_output(void) {
    struct server *server = tls_server(false);
    struct client *client = g_new0(struct client, 1);
    client->fd = client_socket(server, 16 * 1024);
    client_expect(client, "HELLO");
    client_send(client, "REF 900000\nSTARTTLS\n");
    g_usleep(100 * 1000);
    char buf[65536];
    for (size_t left = 900001; left > 0;) {
        ssize_t n = client_read(client, buf, MIN(sizeof buf, left));
        g_assert_cmpint(n, >, 0);
        left -= (size_t)n;
    }
    client_expect(client, "GO");
    g_assert_true(client_tls(client, NULL, NULL));
    client_send(client, "TLS\n");
    client_expect(client, "YES");
    client_free(client);
    server_free(server);
}

static void test_wake_in_handshake(void) {
    struct server *server = tls_server(false);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "WATCH\nSTARTTLS\n");
    client_expect(client, "OK");
    client_expect(client, "GO");
    struct net_conn *conn = server->service.watched;
    for (int i = 0; i < 5; i++)
        net_conn_wake(conn);
    g_usleep(50 * 1000);
    g_assert_cmpuint(server->service.wakes, ==, 0);
    g_assert_true(client_tls(client, NULL, NULL));
    client_expect(client, "WOKE");
    client_send(client, "TLS\n");
    client_expect(client, "YES");
    client_free(client);
    server_free(server);
}

static void test_garbage(void) {
    struct server *server = tls_server(true);
    static const char *const garbage[] = {"GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\xff\xff\x01",
                                          "\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
                                          "\x80\x2e\x01"};
    static const size_t len[] = {18, 6, 10, 3};
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++) {
        struct client *client = client_new(server);
        client_send_bytes(client, garbage[i], len[i]);
        shutdown(client->fd, SHUT_WR);
        char buf[256];
        while (client_read(client, buf, sizeof buf) > 0)
            continue;
        client_free(client);
    }
    for (int i = 0; i < 20; i++) {
        struct client *client = client_new(server);
        if (i % 2)
            client_send_bytes(client, garbage[1], len[1]);
        client_reset(client);
    }
    struct net_stats stats;
    wait_for((net_stats(server->net, &stats), stats.open_now == 0));
    g_assert_cmpuint(stats.tls_failures, >=, 4);
    g_assert_cmpuint(server->service.opened, ==, 0);
    server_free(server);

    // Within a session: it is closed as usual.
    server = tls_server(false);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "STARTTLS\n");
    client_expect(client, "GO");
    client_send(client, "ECHO in the clear\n");
    char buf[256];
    while (client_read(client, buf, sizeof buf) > 0)
        continue;
    wait_for(server->service.closed == 1);
    g_assert_cmpuint(server->service.units, ==, 1);
    client_free(client);
    server_free(server);
}

static void test_handshake_timeout(void) {
    struct server *server = tls_server(true);
    server->net->handshake_seconds = 1;
    struct client *silent = client_new(server), *slow = client_new(server);
    client_send_bytes(slow, "\x16\x03\x01\x02", 4);
    client_expect(silent, NULL);
    client_expect(slow, NULL);
    client_free(silent);
    client_free(slow);
    server_free(server);
}

static void test_old_version(void) {
    struct server *server = tls_server(true);
    struct client *client = client_new(server);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    g_assert_false(client_tls(client, ctx, NULL));
    client_free(client);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    client = client_new(server);
    g_assert_true(client_tls(client, ctx, NULL));
    client_expect(client, "HELLO");
    client_free(client);
    SSL_CTX_free(ctx);
    server_free(server);
}

static SSL_SESSION *last_session;

static int keep_session(SSL *ssl, SSL_SESSION *session) {
    SSL_SESSION_free(last_session);
    last_session = session;
    return 1;
}

static void test_tickets(void) {
    struct server *server = tls_server(true);
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (unsigned i = 0; i < G_N_ELEMENTS(versions); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_max_proto_version(ctx, versions[i]);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
        for (int turn = 0; turn < 2; turn++) {
            struct client *client = client_new(server);
            g_assert_true(client_tls(client, ctx, last_session));
            client_expect(client, "HELLO"); // TLS 1.3 brings the ticket along
            g_assert_cmpint(SSL_session_reused(client->ssl), ==, turn);
            client_send(client, "QUIT\n");
            client_expect(client, "BYE");
            client_expect(client, NULL);
            g_assert_cmpint(SSL_get_shutdown(client->ssl), ==, SSL_RECEIVED_SHUTDOWN);
            client_free(client);
        }
        SSL_SESSION_free(last_session);
        last_session = NULL;
        SSL_CTX_free(ctx);
    }
    server_free(server);
}

// Client-started renegotiation is refused; key updates (TLS 1.3) are answered.
static void test_renegotiation(void) {
    struct server *server = tls_server(true);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct client *client = client_new(server);
    g_assert_true(client_tls(client, ctx, NULL));
    client_expect(client, "HELLO");
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(SSL_key_update(client->ssl, SSL_KEY_UPDATE_REQUESTED), ==, 1);
        client_send(client, "ECHO updated\n");
        client_expect(client, "updated");
    }
    client_free(client);

    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    client = client_new(server);
    g_assert_true(client_tls(client, ctx, NULL));
    client_expect(client, "HELLO");
    SSL_renegotiate(client->ssl);
    g_assert_cmpint(SSL_do_handshake(client->ssl), !=, 1);
    client_free(client);
    SSL_CTX_free(ctx);
    server_free(server);
}

static bool server_is(struct server *server, const char *name) {
    struct client *client = client_new(server);
    g_assert_true(client_tls(client, NULL, NULL));
    X509 *cert = SSL_get1_peer_certificate(client->ssl);
    char text[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof text);
    X509_free(cert);
    client_expect(client, "HELLO");
    client_free(client);
    return strcmp(text, name) == 0;
}

static void test_reload(void) {
    struct net_tls *tls = load();
    struct server *server = server_new(&(struct net_listen){.tls = tls, .implicit_tls = true});
    char *error = NULL;
    g_assert_true(server_is(server, "first"));
    make_certificate("second");
    assert_ok(net_tls_reload(tls, &error));
    g_assert_true(server_is(server, "second"));
    g_assert_true(g_file_set_contents(cert_file, "nonsense", -1, NULL));
    assert_ec(net_tls_reload(tls, &error), EC_INVALID_PARAMETER);
    g_test_message("%s", error);
    g_assert_nonnull(strstr(error, cert_file));
    g_free(error);
    g_assert_true(server_is(server, "second"));
    net_tls_unref(tls);
    server_free(server);

    struct net_tls *none = NULL;
    assert_ec(net_tls_new("/nonexistent", key_file, &none, &error), EC_INVALID_PARAMETER);
    g_test_message("%s", error);
    g_free(error);
    make_certificate("first");
    char *other = g_build_filename(folder, "other.pem", NULL);
    g_assert_cmpint(g_rename(cert_file, other), ==, 0);
    make_certificate("first"); // another key
    assert_ec(net_tls_new(other, key_file, &none, &error), EC_INVALID_PARAMETER);
    g_test_message("%s", error);
    g_free(error);
    g_free(other);
    g_assert_null(none);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define IDLE_CLIENTS 300

// The clients live in a process of their own, whose memory does not count.
static pid_t start_clients(int from_parent, int to_parent) {
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char address[64] = "", byte;
    g_assert_cmpint(read(from_parent, address, sizeof address - 1), >, 0);
    struct server server = {.address = address};
    for (int i = 0; i < IDLE_CLIENTS; i++) {
        struct client *client = client_new(&server);
        g_assert_true(client_tls(client, NULL, NULL));
        client_expect(client, "HELLO");
        client_send(client, "ECHO x\n");
        client_expect(client, "x");
    }
    g_assert_cmpint(write(to_parent, "x", 1), ==, 1);
    _exit(read(from_parent, &byte, 1) < 0);
}

// All of an idle TLS connection fits in 16 KiB (most of it OpenSSL's).
static void test_idle_memory(void) {
    int to_child[2], to_parent[2];
    g_assert_cmpint(pipe2(to_child, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(to_parent, O_CLOEXEC), ==, 0);
    pid_t pid = start_clients(to_child[0], to_parent[1]);
    g_assert_cmpint(pid, >, 0);
    struct server *server = tls_server(true);
    size_t before = mallinfo2().uordblks;
    size_t len = strlen(server->address);
    g_assert_cmpint(write(to_child[1], server->address, len), ==, len);
    char byte;
    close(to_parent[1]);
    g_assert_cmpint(read(to_parent[0], &byte, 1), ==, 1);
    g_usleep(100 * 1000);
    size_t each = (mallinfo2().uordblks - before) / IDLE_CLIENTS;
    g_test_message("an idle TLS connection takes %zu bytes", each);
    g_assert_cmpuint(each, <, 16 * 1024);
    g_assert_cmpint(write(to_child[1], "x", 1), ==, 1);
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    close(to_child[0]);
    close(to_child[1]);
    close(to_parent[0]);
    server_free(server);
}
#else
static void test_idle_memory(void) {
    g_test_skip("sanitizers have their own malloc");
}
#endif

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN); // of the clients
    folder = test_folder();
    cert_file = g_build_filename(folder, "cert.pem", NULL);
    key_file = g_build_filename(folder, "key.pem", NULL);
    make_certificate("first");
    g_test_add_func("/net/tls/implicit", test_implicit);
    g_test_add_func("/net/tls/big", test_big);
    g_test_add_func("/net/tls/start-tls", test_start_tls);
    g_test_add_func("/net/tls/injection", test_injection);
    g_test_add_func("/net/tls/start-tls-after-output", test_start_tls_after_output);
    g_test_add_func("/net/tls/wake-in-handshake", test_wake_in_handshake);
    g_test_add_func("/net/tls/garbage", test_garbage);
    g_test_add_func("/net/tls/handshake-timeout", test_handshake_timeout);
    g_test_add_func("/net/tls/old-version", test_old_version);
    g_test_add_func("/net/tls/tickets", test_tickets);
    g_test_add_func("/net/tls/renegotiation", test_renegotiation);
    g_test_add_func("/net/tls/reload", test_reload);
    g_test_add_func("/net/tls/idle-memory", test_idle_memory);
    int failed = g_test_run();
    g_free(cert_file);
    g_free(key_file);
    test_folder_remove(folder);
    return failed;
}
