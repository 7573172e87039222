// Conversations: what is sent and what must come back, fed to the session in one piece and byte by
// byte; then the same over real connections, with messages read back from the mailbox.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/smtp/session.h"
#include "transport/test_world.h"

struct conversation {
    const char *name;
    enum smtp_kind kind;
    const char *in;
    const char *out;   // codes and texts: the answers must begin with these lines
    unsigned n_queued; // messages afterwards
};

#define HI "EHLO me\r\n"
#define HI_ANSWER                                                                                  \
    "250-mx\n250-PIPELINING\n250-SIZE 100000\n250-8BITMIME\n250-BINARYMIME\n250-SMTPUTF8\n"        \
    "250-DSN\n250-ENHANCED\n"
#define HELLO_END "250-AUTH PLAIN LOGIN\n250-LIMITS RCPTMAX=4\n250-HELP\n250 CHUNKING\n"
#define HI_OK "220 mx\n" HI_ANSWER HELLO_END
#define SUBMISSION_OK "220 mx\n" HI_ANSWER "250-FUTURERELEASE 604800 604800\n" HELLO_END
#define LOGIN "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n"
#define MAIL "MAIL FROM:<x@y.test>\r\n"
#define MAIL_OK "250 2.1.0\n"
#define RCPT "RCPT TO:<alice@example.test>\r\n"
#define RCPT_OK "250 2.1.5\n"
#define TEXT "Subject: x\r\n\r\nbody\r\n"

#define OWN "MAIL FROM:<alice@example.test>\r\n" RCPT "DATA\r\n"
#define REFUSED MAIL_OK RCPT_OK "354 \n550 5.7.60\n"
#define ACCEPTED MAIL_OK RCPT_OK "354 \n250 2.0.0\n"

static const struct conversation conversations[] = {
    {"pipelined", SMTP_MX, HI MAIL RCPT "DATA\r\n" TEXT ".\r\n" MAIL RCPT "DATA\r\n.\r\nQUIT\r\n",
     HI_OK MAIL_OK RCPT_OK "354 \n250 2.0.0 Ok: queued as\n" MAIL_OK RCPT_OK
                           "354 \n250 2.0.0 Ok\n221 2.0.0\n",
     2},
    {"helo", SMTP_MX, "HELO me\r\n" MAIL RCPT "DATA\r\n" TEXT ".\r\n",
     "220 mx\n250 mx\n" MAIL_OK RCPT_OK "354 \n250 2.0.0\n", 1},
    {"sequence", SMTP_MX,
     MAIL "DATA\r\n" HI RCPT "DATA\r\n" MAIL MAIL
          "DATA\r\nRSET\r\nDATA\r\nNOOP x\r\nVRFY a\r\nHELP\r\n",
     "220 mx\n503 5.5.1\n503 5.5.1\n" HI_ANSWER HELLO_END "503 5.5.1\n503 5.5.1\n" MAIL_OK
     "503 5.5.1\n554 5.5.1\n250 2.0.0\n503 5.5.1\n250 2.0.0\n"
     "252 2.1.5\n214 2.0.0\n",
     0},
    {"recipients", SMTP_MX,
     HI MAIL "RCPT TO:<nobody@example.test>\r\nRCPT TO:<x@remote.test>\r\nRCPT TO:<>\r\n"
             "RCPT TO:<a@b> NOTIFY=x\r\nRCPT TO:<a@b> FOO=1\r\nRCPT "
             "TO:<staff@example.test>\r\nRCPT TO:x\r\n",
     HI_OK MAIL_OK "550 5.1.1\n550 5.7.1\n501 5.1.3\n501 5.5.4\n555 5.5.4\n" RCPT_OK "501 5.1.3\n",
     0},
    {"too many recipients", SMTP_MX, HI MAIL RCPT RCPT RCPT RCPT RCPT,
     HI_OK MAIL_OK RCPT_OK RCPT_OK RCPT_OK RCPT_OK "452 4.5.3\n", 0},
    {"parameters", SMTP_MX,
     HI "MAIL FROM:<a@b> SIZE=100001\r\nMAIL FROM:<a@b> SIZE=x\r\nMAIL FROM:<a@b> BODY=9BIT\r\n"
        "MAIL FROM:<a@b> FOO=HDRS\r\nMAIL FROM:<\xc3\xbc@b>\r\n"
        "MAIL FROM:<\xc3\xbc@b> SIZE=5 BODY=8BITMIME SMTPUTF8\r\n",
     HI_OK "552 5.3.4\n501 5.5.4\n501 5.5.4\n555 5.5.4\n553 5.6.7\n" MAIL_OK, 0},
    {"bare newlines", SMTP_MX,
     HI MAIL RCPT "DATA\r\na\n.\nMAIL FROM:<evil@x>\r\n\r\n.\r\n" MAIL RCPT
                  "DATA\r\na\r\n.\r.\r\n\r\n.\r\n",
     HI_OK MAIL_OK RCPT_OK "354 \n550 5.6.11\n" MAIL_OK RCPT_OK "354 \n550 5.6.11\n", 0},
    {"bdat", SMTP_MX,
     HI MAIL RCPT "BDAT 6\r\nab\r\n.\r"
                  "BDAT 3 LAST\r\n\nc\n" MAIL RCPT "BDAT 6\r\nab\r\n.\r"
                  "BDAT 4 LAST\r\n\nc\r\n"
                  "BDAT 5 LAST\r\nRSET\n" MAIL RCPT "BDAT 0 LAST\r\nBDAT x\r\n",
     HI_OK MAIL_OK RCPT_OK "250 2.0.0\n550 5.6.11\n" MAIL_OK RCPT_OK
                           "250 2.0.0\n250 2.0.0 Ok: queued\n503 5.5.1\n" MAIL_OK RCPT_OK
                           "250 2.0.0 Ok: queued\n501 5.5.4\n",
     2},
    {"bad lines", SMTP_MX, "NOOP\nFOO\r\nNO\tOP\r\nEHLO\r\nRSET x\r\nSTARTTLS\r\n\r\n",
     "220 mx\n500 5.5.2\n500 5.5.1\n500 5.5.2\n501 5.5.4\n501 5.5.4\n503 5.5.1\n500 5.5.1\n", 0},
    {"too many errors", SMTP_MX, "A\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nNOOP\r\n",
     "220 mx\n500 \n500 \n500 \n500 \n500 \n500 \n500 \n500 \n500 \n500 \n421 4.7.0\n", 0},
    {"submission needs a login", SMTP_SUBMISSION, HI MAIL, SUBMISSION_OK "530 5.7.0\n", 0},
    {"login", SMTP_SUBMISSION,
     HI
     "AUTH PLAIN !\r\nAUTH FOO\r\nAUTH LOGIN\r\n*\r\nAUTH PLAIN AGFsaWNlAHg=\r\n" LOGIN LOGIN MAIL
     "MAIL FROM:<bob@example.test>\r\nMAIL FROM:<Alice+x@Example.test>\r\n"
     "RCPT TO:<x@remote.test>\r\nDATA\r\nhello\n.\r\n.\r\n",
     SUBMISSION_OK
     "501 5.5.2\n504 5.5.4\n334 \n501 5.7.0\n535 5.7.8\n235 2.7.0\n503 5.5.1\n550 5.7.60\n"
     "550 5.7.60\n" MAIL_OK RCPT_OK "354 \n250 2.0.0\n",
     1},
    // From, Sender and Resent-From are the user's own addresses, however they are written.
    {"senders in the header", SMTP_SUBMISSION,
     HI LOGIN OWN "From: bob@example.test\r\n\r\nx\r\n.\r\n" OWN
                  "Subject: x\r\nfrom :\r\n \"Alice\"\r\n\t<bob@example.test>\r\n\r\nx\r\n.\r\n" OWN
                  "From: alice@example.test, x@remote.test\r\n\r\nx\r\n.\r\n" OWN
                  "From: alice@example.test\r\nFrom: bob@example.test\r\n\r\nx\r\n.\r\n" OWN
                  "From: alice@example.test\r\nSender: bob@example.test\r\n\r\nx\r\n.\r\n" OWN
                  "From: x@y\r\nResent-From: bob@example.test\r\n\r\nx\r\n.\r\n" OWN
                  "From: x@y\r\nResent-From: alice@example.test\r\n\r\nx\r\n.\r\n" OWN
                  "From: A <ALICE+y@example.test>\r\n\r\nFrom: bob@example.test\r\n.\r\n",
     SUBMISSION_OK "235 2.7.0\n" REFUSED REFUSED REFUSED REFUSED REFUSED REFUSED ACCEPTED ACCEPTED,
     2},
};

static bool is_fed(struct smtp_session *s, const uint8_t **data, size_t *len, size_t piece) {
    size_t have = 0;
    while (*len > 0) {
        have = MIN(have + piece, *len);
        ssize_t n = smtp_session_frame(s, *data, MIN(have, SMTP_CHUNK_MAX));
        if (n == 0 && have == *len)
            return true; // the rest is no unit
        if (n == 0)
            continue;
        g_assert_cmpint(n, >, 0);
        enum smtp_next next = smtp_session_unit(s, *data, (size_t)n);
        *data += n;
        *len -= (size_t)n;
        have = 0;
        if (next != SMTP_READ)
            return next != SMTP_CLOSE;
    }
    return true;
}

static void assert_answers(const char *name, const char *got, const char *expected) {
    g_auto(GStrv) lines = g_strsplit(got, "\r\n", -1);
    g_auto(GStrv) wants = g_strsplit(expected, "\n", -1);
    unsigned i = 0;
    for (; wants[i] && *wants[i]; i++)
        if (!lines[i] || !g_str_has_prefix(lines[i], wants[i]))
            g_error("%s: line %u should begin with \"%s\" in:\n%s", name, i, wants[i], got);
    if (lines[i] && *lines[i])
        g_error("%s: \"%s\" comes too much in:\n%s", name, lines[i], got);
}

static struct smtp_service *make_service(struct world *w, enum smtp_kind kind) {
    struct smtp_settings settings = {
        .hostname = "mx.example.test",
        .kind = kind,
        .limits = {.max_size = 100000, .max_recipients = 4, .max_errors = 10}};
    struct smtp_service *service;
    assert_ok(smtp_service_new(&settings, w->queue, w->directory, w->auth, &service));
    return service;
}

static void talk(struct world *w, const struct conversation *c, size_t piece) {
    struct smtp_service *service = make_service(w, c->kind);
    g_autoptr(GString) out = g_string_new(NULL);
    struct smtp_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    uint64_t before = queue_count(w->queue);
    struct smtp_session *s = smtp_session_new(service, &peer, out);
    const uint8_t *data = (const uint8_t *)c->in;
    size_t len = strlen(c->in);
    is_fed(s, &data, &len, piece);
    assert_answers(c->name, out->str, c->out);
    g_assert_cmpuint(queue_count(w->queue) - before, ==, c->n_queued);
    smtp_session_free(s);
    smtp_service_free(service);
}

static void test_conversations(struct world *w, gconstpointer data) {
    static const size_t pieces[] = {100000, 1, 7};
    for (unsigned i = 0; i < G_N_ELEMENTS(conversations); i++)
        for (unsigned k = 0; k < G_N_ELEMENTS(pieces); k++)
            talk(w, &conversations[i], pieces[k]);
}

// What is too long or too large is answered, and the conversation goes on.
static void test_too_large(struct world *w, gconstpointer data) {
    g_autofree char *line = g_strnfill(5000, 'x');
    g_autofree char *big = g_strnfill(150000, 'y');
    g_autofree char *in =
        g_strconcat(HI, line, "\r\nNOOP\r\nAUTH ", line, "\r\nAUTH LOGIN\r\n", line, line, line,
                    "\r\n", MAIL RCPT "DATA\r\n", big, "\r\n.\r\nNOOP\r\n", MAIL RCPT "DATA\r\n",
                    line, "\r\n.\r\n", NULL);
    struct conversation c = {"too large", SMTP_MX, in,
                             HI_OK
                             "500 5.5.2\n250 2.0.0\n504 5.5.4\n334 \n500 5.5.6\n" MAIL_OK RCPT_OK
                             "354 \n552 5.3.4\n250 2.0.0\n" MAIL_OK RCPT_OK "354 \n250 2.0.0\n",
                             1};
    talk(w, &c, 100000);
    talk(w, &c, 1000);
    static const char nul[] = HI MAIL RCPT "DATA\r\na\0b\r\n.\r\nNO\0OP\r\n";
    struct smtp_service *service = make_service(w, SMTP_MX);
    g_autoptr(GString) out = g_string_new(NULL);
    struct smtp_peer peer = {.address = "127.0.0.1", .is_loopback = true};
    struct smtp_session *s = smtp_session_new(service, &peer, out);
    const uint8_t *bytes = (const uint8_t *)nul;
    size_t len = sizeof nul - 1;
    is_fed(s, &bytes, &len, 1000);
    assert_answers("nul", out->str, HI_OK MAIL_OK RCPT_OK "354 \n554 5.6.0\n500 5.5.2\n");
    smtp_session_free(s);
    smtp_service_free(service);
}

// --- Over the network ---

struct server {
    struct net *net;
    struct smtp_service *service;
    struct transport *transport;
    int port;
};

static void server_start(struct server *server, struct world *w, enum smtp_kind kind) {
    static const struct transport_options options = {.hostname = "mx.example.test", .workers = 2};
    server->service = make_service(w, kind);
    assert_ok(net_new(1, 2, &server->net));
    assert_ok(transport_new(w->queue, w->mailboxes, &options, &server->transport));
    struct net_listen listen = {.address = "127.0.0.1:0",
                                .proto = &smtp_proto,
                                .service = server->service,
                                .max_connections = 1000,
                                .max_per_address = 1000,
                                .idle_seconds = 60};
    g_autofree char *bound = NULL;
    assert_ok(net_listen(server->net, &listen, &bound));
    server->port = atoi(strrchr(bound, ':') + 1);
}

static void server_stop(struct server *server) {
    net_free(server->net, 1000);
    transport_free(server->transport);
    smtp_service_free(server->service);
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    struct timeval timeout = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
}

// Reads one answer; its code. The client waits for each, so that nothing more is in the buffer.
static int answer(int fd) {
    char text[4096];
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, text + len, sizeof text - 1 - len);
        if (n <= 0)
            return -1;
        len += (size_t)n;
        text[len] = '\0';
        if (text[len - 1] != '\n')
            continue;
        text[len - 1] = '\0';
        const char *last = strrchr(text, '\n');
        last = last ? last + 1 : text;
        if (strlen(last) > 3 && last[3] == ' ')
            return atoi(last);
        text[len - 1] = '\n';
    }
}

static void say(int fd, const char *text, int code) {
    g_assert_cmpint(write(fd, text, strlen(text)), ==, (ssize_t)strlen(text));
    g_assert_cmpint(answer(fd), ==, code);
}

static void test_delivery(struct world *w, gconstpointer data) {
    struct server server;
    server_start(&server, w, SMTP_SUBMISSION);
    int fd = dial(server.port);
    g_assert_cmpint(answer(fd), ==, 220);
    say(fd, HI, 250);
    say(fd, LOGIN, 235);
    say(fd, "MAIL FROM:<alice@example.test>\r\n", 250);
    say(fd, "RCPT TO:<bob@example.test>\r\n", 250);
    say(fd, "DATA\r\n", 354);
    say(fd, "Subject: dots\r\n\r\n..line\r\n.\r\n", 250);
    say(fd, "QUIT\r\n", 221);
    g_assert_cmpint(answer(fd), ==, -1);
    close(fd);
    world_wait(w, 0);
    g_autofree char *got = world_read(w, &w->bob, 1);
    g_assert_true(g_str_has_prefix(got, "Return-Path: <alice@example.test>\r\n"
                                        "Received: from me ([127.0.0.1])\r\n"
                                        "\tby mx.example.test with ESMTPA\r\n\tid "));
    g_assert_nonnull(strstr(got, " for <bob@example.test>;\r\n\t"));
    g_assert_nonnull(strstr(got, "\r\nMessage-ID: <"));
    g_assert_nonnull(strstr(got, "\r\nDate: "));
    g_assert_true(g_str_has_suffix(got, "\r\nSubject: dots\r\n\r\n.line\r\n"));
    server_stop(&server);
}

// Fields that are there are not added again, and mail by MX gets none.
static void test_headers(struct world *w, gconstpointer data) {
    static const char *const messages[] = {"date: x\r\nMessage-Id: <1>\r\n\r\nb\r\n",
                                           "no header here\r\n", "\r\nDate: body\r\n"};
    for (int kind = 0; kind < 2; kind++)
        for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
            struct smtp_service *service = make_service(w, (enum smtp_kind)kind);
            g_autoptr(GString) out = g_string_new(NULL);
            struct smtp_peer peer = {.address = "127.0.0.1", .is_loopback = true};
            struct smtp_session *s = smtp_session_new(service, &peer, out);
            g_autofree char *in =
                g_strconcat(HI, kind ? LOGIN "MAIL FROM:<alice@example.test>\r\n" : MAIL,
                            RCPT "DATA\r\n", messages[i], ".\r\n", NULL);
            const uint8_t *bytes = (const uint8_t *)in;
            size_t len = strlen(in);
            is_fed(s, &bytes, &len, 3);
            struct queue_item *item;
            unsigned n;
            assert_ok(queue_claim(w->queue, &item, 1, 0, &n));
            g_assert_cmpuint(n, ==, 1);
            g_autoptr(GBytes) stored = NULL;
            assert_ok(queue_item_read(item, &stored));
            g_autofree char *text =
                g_strndup(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored));
            g_assert_true(g_str_has_suffix(text, messages[i]));
            bool is_added = kind == SMTP_SUBMISSION && i > 0;
            g_assert_cmpint(strstr(text, "\r\nMessage-ID: <") != NULL, ==, is_added);
            g_assert_cmpint(strstr(text, "\r\n\r\nno header") != NULL, ==, is_added && i == 1);
            queue_item_recipient_done(item, 0);
            queue_item_release(item, 0, NULL, NULL);
            smtp_session_free(s);
            smtp_service_free(service);
        }
}

// --- A policy that takes its time ---

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool is_open;
    unsigned n_waiting;
};

static void slow_check(struct policy *policy, struct arena *arena,
                       const struct policy_message *message, struct policy_verdict *out) {
    struct gate *gate = (struct gate *)policy;
    pthread_mutex_lock(&gate->lock);
    gate->n_waiting++;
    pthread_cond_broadcast(&gate->cond);
    while (!gate->is_open)
        pthread_cond_wait(&gate->cond, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    bool is_good = strcmp(message->sender, "x@y.test") == 0;
    *out = (struct policy_verdict){.action = is_good ? POLICY_ACCEPT : POLICY_REJECT,
                                   .status = "5.7.1",
                                   .text = "no",
                                   .fields = ""};
}

static void wait_at_gate(struct gate *gate, unsigned n) {
    pthread_mutex_lock(&gate->lock);
    while (gate->n_waiting < n)
        pthread_cond_wait(&gate->cond, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

// While the policy thinks, its connections wait and others are served; one that went away meanwhile
// does no harm.
static void test_slow_policy(struct world *w, gconstpointer data) {
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    struct server server = {0};
    assert_ok(net_new(1, 2, &server.net));
    struct smtp_settings settings = {.hostname = "mx.example.test",
                                     .kind = SMTP_MX,
                                     .check = slow_check,
                                     .policy = (struct policy *)&gate,
                                     .net = server.net};
    assert_ok(smtp_service_new(&settings, w->queue, w->directory, w->auth, &server.service));
    struct net_listen listen = {
        .address = "127.0.0.1:0", .proto = &smtp_proto, .service = server.service};
    g_autofree char *bound = NULL;
    assert_ok(net_listen(server.net, &listen, &bound));
    server.port = atoi(strrchr(bound, ':') + 1);
    int fds[4];
    for (unsigned i = 0; i < 4; i++) {
        static const char *const senders[] = {MAIL, "MAIL FROM:<bad@y.test>\r\n"};
        fds[i] = dial(server.port);
        g_assert_cmpint(answer(fds[i]), ==, 220);
        say(fds[i], HI, 250);
        say(fds[i], senders[i % 2], 250);
        say(fds[i], RCPT, 250);
        say(fds[i], "DATA\r\n", 354);
        static const char text[] = TEXT ".\r\n";
        g_assert_cmpint(write(fds[i], text, sizeof text - 1), ==, sizeof text - 1);
        wait_at_gate(&gate, i + 1);
    }
    int other = dial(server.port);
    g_assert_cmpint(answer(other), ==, 220);
    say(other, HI, 250);
    close(fds[2]);
    pthread_mutex_lock(&gate.lock);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.cond);
    pthread_mutex_unlock(&gate.lock);
    g_assert_cmpint(answer(fds[0]), ==, 250);
    g_assert_cmpint(answer(fds[1]), ==, 550);
    g_assert_cmpint(answer(fds[3]), ==, 550);
    say(fds[0], "QUIT\r\n", 221);
    close(fds[0]);
    close(fds[1]);
    close(fds[3]);
    close(other);
    net_free(server.net, 1000);
    smtp_service_free(server.service);
}

struct client {
    int port;
    unsigned n, size;
};

static void *client_run(void *data) {
    struct client *c = data;
    int fd = dial(c->port);
    g_autofree char *body = g_strnfill(c->size, 'b');
    for (unsigned i = 75; i + 1 < c->size; i += 77)
        memcpy(body + i, "\r\n", 2);
    g_autofree char *message = g_strconcat("Subject: x\r\n\r\n", body, "\r\n.\r\n", NULL);
    g_assert_cmpint(answer(fd), ==, 220);
    say(fd, HI, 250);
    for (unsigned i = 0; i < c->n; i++) {
        say(fd, MAIL, 250);
        say(fd, i % 2 ? RCPT : "RCPT TO:<bob@example.test>\r\n", 250);
        say(fd, "DATA\r\n", 354);
        say(fd, message, 250);
    }
    say(fd, "QUIT\r\n", 221);
    close(fd);
    return NULL;
}

// Many connections with only two workers: none waits for the disk.
static void test_many(struct world *w, gconstpointer data) {
    static const unsigned connections[] = {1, 16, 64};
    unsigned total = 0;
    struct server server;
    server_start(&server, w, SMTP_MX);
    for (unsigned k = 0; k < G_N_ELEMENTS(connections); k++) {
        unsigned n = connections[k];
        struct client c = {server.port, n == 1 ? 20 : 640 / n, 10000};
        pthread_t threads[64];
        int64_t start = g_get_monotonic_time();
        for (unsigned i = 0; i < n; i++)
            pthread_create(&threads[i], NULL, client_run, &c);
        for (unsigned i = 0; i < n; i++)
            pthread_join(threads[i], NULL);
        int64_t accepted = g_get_monotonic_time() - start;
        world_wait(w, 0);
        int64_t delivered = g_get_monotonic_time() - start;
        g_test_message("%u connections: accepted %.0f/s, delivered %.0f/s", n,
                       n * c.n * 1e6 / (double)accepted, n * c.n * 1e6 / (double)delivered);
        total += n * c.n;
    }
    g_assert_cmpuint(world_count(w, &w->alice) + world_count(w, &w->bob), ==, total);
    server_stop(&server);
}

#define ADD(path, test) g_test_add(path, struct world, NULL, world_setup, test, world_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/smtp/conversations", test_conversations);
    ADD("/smtp/too-large", test_too_large);
    ADD("/smtp/headers", test_headers);
    ADD("/smtp/delivery", test_delivery);
    ADD("/smtp/slow-policy", test_slow_policy);
    ADD("/smtp/many", test_many);
    return g_test_run();
}
