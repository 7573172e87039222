// The server on loopback: logging in, TLS, pipelining, long answers to a slow reader, IDLE wakes.
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/imap/imap_fixture.h"

struct test {
    struct imap_fixture f;
    struct directory *directory;
    struct net *net;
    unsigned short port, tls_port;   // with STARTTLS; with implicit TLS
    struct imap_service tls_service; // of the latter
};

// A self-signed certificate with its key in one file.
static struct net_tls *make_tls(const char *folder) {
    g_autofree char *path = g_build_filename(folder, "cert.pem", NULL);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"imap.example.test", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    g_assert_cmpint(X509_sign(cert, key, EVP_sha256()), >, 0);
    FILE *file = fopen(path, "w");
    g_assert_cmpint(PEM_write_X509(file, cert), ==, 1);
    g_assert_cmpint(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), ==, 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
    struct net_tls *tls;
    char *error = NULL;
    assert_ok(net_tls_new(path, path, &tls, &error));
    return tls;
}

static unsigned short listen_on(struct net *net, struct imap_service *service, struct net_tls *tls,
                                bool is_implicit) {
    struct net_listen spec = {.address = "127.0.0.1:0",
                              .proto = &imap_proto,
                              .service = service,
                              .tls = tls,
                              .implicit_tls = is_implicit,
                              .max_connections = 10,
                              .max_per_address = 10,
                              .idle_seconds = 60};
    g_autofree char *bound = NULL;
    assert_ok(net_listen(net, &spec, &bound));
    return (unsigned short)atoi(strrchr(bound, ':') + 1);
}

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    imap_fixture_setup(&t->f);
    g_autofree char *path = g_build_filename(t->f.dir, "directory.db", NULL);
    assert_ok(directory_open(path, &t->directory));
    assert_ok(directory_domain_add(t->directory, "example.test"));
    struct directory_object user = {.guid = t->f.principal.guid,
                                    .kind = DIRECTORY_USER,
                                    .address = "alice@example.test",
                                    .display_name = "Alice Adams",
                                    .protocols = DIRECTORY_ALL_PROTOCOLS,
                                    .has_mailbox = true};
    assert_ok(directory_add(t->directory, &user));
    struct auth_options options = {.plaintext_loopback = true};
    assert_ok(auth_new(t->directory, &options, &t->f.service.auth));
    assert_ok(auth_set_password(t->f.service.auth, &user.guid, "secret"));
    assert_ok(net_new(1, 2, &t->net));
    struct net_tls *tls = make_tls(t->f.dir);
    t->tls_service = t->f.service;
    t->f.service.has_starttls = true;
    t->port = listen_on(t->net, &t->f.service, tls, false);
    t->tls_port = listen_on(t->net, &t->tls_service, tls, true);
    net_tls_unref(tls);
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    net_free(t->net, 200);
    auth_free(t->f.service.auth);
    directory_close(t->directory);
    imap_fixture_teardown(&t->f);
}

static int connect_to_port(unsigned short port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof a), ==, 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static int connect_to(const struct test *t) {
    return connect_to_port(t->port);
}

static void say(int fd, const char *text) {
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
}

// Reads until what came ends with a line that begins with `start`, or the connection closes.
static GString *read_to(int fd, const char *start) {
    GString *got = g_string_new(NULL);
    char buf[65536];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        g_string_append_len(got, buf, n);
        if (got->len < 2 || got->str[got->len - 1] != '\n')
            continue;
        const char *line = got->str + got->len - 1;
        while (line > got->str && line[-1] != '\n')
            line--;
        if (g_str_has_prefix(line, start))
            return got;
    }
    return got;
}

#define answer(fd, text, start, pattern)                                                           \
    do {                                                                                           \
        say(fd, text);                                                                             \
        GString *got_ = read_to(fd, start);                                                        \
        if (!g_pattern_match_simple(pattern, got_->str))                                           \
            g_error("%s:%d: sent\n%s\ngot\n%s", __FILE__, __LINE__, text, got_->str);              \
        g_string_free(got_, TRUE);                                                                 \
    } while (0)

static int log_in(const struct test *t) {
    int fd = connect_to(t);
    answer(fd, "", "* OK", "* OK [CAPABILITY IMAP4rev1 *AUTH=PLAIN*] imap.example.test *");
    answer(fd, "1 LOGIN alice@example.test secret\r\n", "1 ", "1 OK [CAPABILITY *UIDPLUS*] *");
    return fd;
}

static void test_logging_in(struct test *t, gconstpointer data) {
    int fd = log_in(t);
    close(fd);
    fd = connect_to(t);
    answer(fd, "1 LOGIN alice@example.test wrong\r\n", "1 ", "* OK *1 NO [AUTHENTICATIONFAILED] *");
    answer(fd, "2 AUTHENTICATE PLAIN\r\n", "+", "+ \r\n");
    answer(fd, "*\r\n", "2 ", "2 BAD *");
    answer(fd, "3 AUTHENTICATE PLAIN !!!\r\n", "3 ", "3 BAD *");
    answer(fd, "4 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n", "4 ", "4 OK *");
    close(fd);
    fd = connect_to(t);
    answer(fd, "1 AUTHENTICATE LOGIN\r\n", "+", "* OK *+ *\r\n");
    answer(fd, "YWxpY2VAZXhhbXBsZS50ZXN0\r\n", "+", "+ *\r\n");
    answer(fd, "c2VjcmV0\r\n", "1 ", "1 OK *");
    answer(fd, "2 LOGOUT\r\n", "2 ", "* BYE *2 OK *");
    char end;
    g_assert_cmpint(read(fd, &end, 1), ==, 0);
    close(fd);
}

static void test_pipelining(struct test *t, gconstpointer data) {
    int fd = log_in(t);
    answer(fd,
           "a CREATE x\r\nb APPEND x {16+}\r\nSubject: x\r\n\r\nhi\r\nc SELECT x\r\n"
           "d FETCH 1 UID\r\ne NOOP\r\n",
           "e ", "a OK *b OK *c OK *\r\n* 1 FETCH (UID 1)\r\nd OK *e OK *");
    close(fd);
}

// An answer of several steps, to a reader that takes its time, arrives whole.
static void test_long_answer(struct test *t, gconstpointer data) {
    const size_t len = 200000, n = 30;
    int fd = log_in(t);
    g_autoptr(GString) message = g_string_new("Subject: long\r\n\r\n");
    while (message->len < len)
        g_string_append_c(message, 'x');
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *head = g_strdup_printf("a APPEND INBOX {%zu+}\r\n", message->len);
        say(fd, head);
        for (size_t done = 0; done < message->len;) {
            ssize_t w = write(fd, message->str + done, message->len - done);
            g_assert_cmpint(w, >, 0);
            done += (size_t)w;
        }
        answer(fd, "\r\n", "a ", "a OK *");
    }
    answer(fd, "b SELECT INBOX\r\n", "b ", "*b OK *");
    say(fd, "c FETCH 1:* (UID BODY.PEEK[])\r\n");
    g_usleep(300000);
    GString *got = read_to(fd, "c OK");
    size_t pos = 0;
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *line =
            g_strdup_printf("* %u FETCH (UID %u BODY[] {%zu}\r\n", i + 1, i + 1, message->len);
        g_assert_true(g_str_has_prefix(got->str + pos, line));
        pos += strlen(line);
        g_assert_cmpmem(got->str + pos, message->len, message->str, message->len);
        pos += message->len;
        g_assert_true(g_str_has_prefix(got->str + pos, ")\r\n"));
        pos += 3;
    }
    g_assert_true(g_str_has_prefix(got->str + pos, "c OK "));
    g_string_free(got, TRUE);
    close(fd);
}

// A client that sends the message, then the end of the line, does not wait for a delayed
// acknowledgement in between. The fastest of some, as the machine may be busy.
static void test_append_in_two_writes(struct test *t, gconstpointer data) {
    gint64 fastest = G_MAXINT64;
    int fd = log_in(t);
    for (unsigned i = 0; i < 20; i++) {
        gint64 start = g_get_monotonic_time();
        answer(fd, "a APPEND INBOX {16}\r\n", "+", "+ *\r\n");
        say(fd, "Subject: x\r\n\r\nhi");
        answer(fd, "\r\n", "a ", "a OK *");
        fastest = MIN(fastest, g_get_monotonic_time() - start);
    }
    g_assert_cmpint(fastest, <, 35000); // the delay is 40 ms
    close(fd);
}

static void test_idle_wakes(struct test *t, gconstpointer data) {
    int idle = log_in(t), other = log_in(t);
    answer(idle, "a SELECT INBOX\r\n", "a ", "*a OK *");
    answer(idle, "b IDLE\r\n", "+", "+ *\r\n");
    for (unsigned i = 1; i <= 3; i++) {
        gint64 start = g_get_monotonic_time();
        say(other, "x APPEND INBOX {14+}\r\nSubject: x\r\n\r\n\r\n");
        g_autofree char *exists = g_strdup_printf("* %u EXISTS\r\n*", i);
        answer(idle, "", "* 0 RECENT", exists);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 1000000);
        g_string_free(read_to(other, "x OK"), TRUE);
    }
    answer(idle, "DONE\r\n", "b ", "b OK *");
    close(idle);
    close(other);
}

// --- TLS ---

static SSL *start_tls(int fd) {
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(ssl, fd);
    g_assert_cmpint(SSL_connect(ssl), ==, 1);
    return ssl;
}

// Sends, and reads until the last line begins with `start`.
static void tls_answer(SSL *ssl, const char *text, const char *start, const char *pattern) {
    g_autoptr(GString) got = g_string_new(NULL);
    char buf[4096];
    int n;
    if (*text)
        g_assert_cmpint(SSL_write(ssl, text, (int)strlen(text)), >, 0);
    while ((n = SSL_read(ssl, buf, sizeof buf)) > 0) {
        g_string_append_len(got, buf, n);
        const char *line = g_strrstr_len(got->str, MAX((gssize)got->len - 2, 0), "\r\n");
        line = line ? line + 2 : got->str;
        if (got->str[got->len - 1] == '\n' && g_str_has_prefix(line, start))
            break;
    }
    if (!g_pattern_match_simple(pattern, got->str))
        g_error("sent\n%s\ngot\n%s\nexpected\n%s", text, got->str, pattern);
}

static void test_implicit_tls(struct test *t, gconstpointer data) {
    int fd = connect_to_port(t->tls_port);
    SSL *ssl = start_tls(fd);
    tls_answer(ssl, "", "* OK", "* OK [CAPABILITY IMAP4rev1 *AUTH=PLAIN*] *");
    tls_answer(ssl, "1 CAPABILITY\r\n", "1 ", "* CAPABILITY *1 OK *");
    tls_answer(ssl, "2 STARTTLS\r\n", "2 ", "2 BAD *");
    tls_answer(ssl, "3 LOGIN alice@example.test secret\r\n", "3 ", "3 OK *");
    // A message larger than one record, both ways.
    g_autoptr(GString) command = g_string_new("4 APPEND INBOX {50016+}\r\nSubject: big\r\n\r\n");
    for (unsigned i = 0; i < 50000; i++)
        g_string_append_c(command, 'x');
    g_string_append(command, "\r\n");
    tls_answer(ssl, command->str, "4 ", "4 OK [APPENDUID *");
    tls_answer(ssl, "5 SELECT INBOX\r\n", "5 ", "** 1 EXISTS*5 OK *");
    tls_answer(ssl, "6 FETCH 1 BODY.PEEK[]\r\n", "6 ",
               "* 1 FETCH (BODY[] {50016}\r\nSubject: big\r\n\r\nxxx*xxx)\r\n6 OK *");
    tls_answer(ssl, "7 LOGOUT\r\n", "7 ", "* BYE *7 OK *");
    SSL_free(ssl);
    close(fd);
}

static void test_starttls(struct test *t, gconstpointer data) {
    int fd = connect_to(t);
    answer(fd, "", "* OK", "* OK [CAPABILITY *STARTTLS*] *");
    // What comes along with the command was not protected, and must not count.
    answer(fd, "1 STARTTLS\r\n9 NOOP\r\n", "1 ", "1 OK *");
    SSL *ssl = start_tls(fd);
    tls_answer(ssl, "2 CAPABILITY\r\n", "2 ", "* CAPABILITY *\r\n2 OK *");
    tls_answer(ssl, "3 STARTTLS\r\n", "3 ", "3 BAD *");
    tls_answer(ssl, "4 AUTHENTICATE PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n", "4 ",
               "4 OK *");
    tls_answer(ssl, "5 SELECT INBOX\r\n", "5 ", "*5 OK *");
    SSL_free(ssl);
    close(fd);
    fd = log_in(t);
    answer(fd, "a STARTTLS\r\n", "a ", "a BAD *"); // too late
    close(fd);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/imap/server/logging-in", struct test, NULL, setup, test_logging_in, teardown);
    g_test_add("/imap/server/pipelining", struct test, NULL, setup, test_pipelining, teardown);
    g_test_add("/imap/server/long-answer", struct test, NULL, setup, test_long_answer, teardown);
    g_test_add("/imap/server/append-in-two-writes", struct test, NULL, setup,
               test_append_in_two_writes, teardown);
    g_test_add("/imap/server/idle-wakes", struct test, NULL, setup, test_idle_wakes, teardown);
    g_test_add("/imap/server/implicit-tls", struct test, NULL, setup, test_implicit_tls, teardown);
    g_test_add("/imap/server/starttls", struct test, NULL, setup, test_starttls, teardown);
    return g_test_run();
}
