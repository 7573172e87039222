// The server over real sockets: bodies, answers in pieces, parking, bad input, stopping.
#include "http/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/test_auth.h"
#include "http/limits.h"
#include "net/net.h"

#define LARGE (3 * 1024 * 1024)

struct world {
    struct fixture auth; // first
    struct net *net;
    struct http_server *server;
    uint16_t port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_waker *waker;
    unsigned closed, resumed;
};

// --- Routes ---

static enum http_next run_echo(struct http_request *r, void *service) {
    size_t len;
    const uint8_t *body = http_body(r, &len);
    http_set_header(r, "Content-Type", "application/octet-stream");
    http_write(r, body, len);
    return HTTP_DONE;
}

static enum http_next run_says(struct http_request *r, void *service) {
    const char *x = http_argument(r, "x"), *cookie = http_cookie(r, "c");
    http_write_str(r, http_method(r));
    http_write_str(r, " ");
    http_write_str(r, http_path(r));
    http_write_str(r, x != NULL ? x : "-");
    http_write_str(r, cookie != NULL ? cookie : "-");
    http_write_str(r, http_principal(r) != NULL ? http_principal(r)->address : "-");
    http_add_header(r, "Set-Cookie", "a=1");
    http_add_header(r, "Set-Cookie", "b=2");
    http_add_header(r, "X-Bad", "a\r\nb: c");
    return HTTP_DONE;
}

static enum http_next more(struct http_request *r, void *service) {
    size_t sent = (size_t)(uintptr_t)http_state(r);
    g_autofree char *piece = g_malloc(100000);
    memset(piece, 'a' + (int)(sent / 100000 % 26), 100000);
    if (sent >= LARGE)
        return HTTP_DONE;
    http_write(r, piece, 100000);
    http_set_state(r, (void *)(uintptr_t)(sent + 100000));
    return HTTP_MORE;
}

static enum http_next run_park(struct http_request *r, void *service) {
    struct world *w = service;
    if (http_argument(r, "first") != NULL)
        http_write_str(r, "first;");
    if (http_argument(r, "ms") != NULL)
        http_park_until(r, g_get_monotonic_time() + 1000 * atoi(http_argument(r, "ms")));
    pthread_mutex_lock(&w->lock);
    http_waker_unref(w->waker);
    w->waker = http_waker_ref(r);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return HTTP_PARK;
}

static enum http_next resume_park(struct http_request *r, void *service) {
    struct world *w = service;
    pthread_mutex_lock(&w->lock);
    w->resumed++;
    pthread_mutex_unlock(&w->lock);
    http_write_str(r, http_is_stopping(r) ? "stopping" : "woken");
    return HTTP_DONE;
}

static void close_one(struct http_request *r, void *service) {
    struct world *w = service;
    pthread_mutex_lock(&w->lock);
    w->closed++;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static enum http_next run_abort(struct http_request *r, void *service) {
    return HTTP_ABORT;
}

static const struct http_route routes[] = {
    {.path = "/echo",
     .methods = "POST PUT",
     .protocol = DIRECTORY_IMAP,
     .max_body = LARGE,
     .run = run_echo},
    {.path = "/says/*", .protocol = DIRECTORY_IMAP, .run = run_says},
    {.path = "/user",
     .access = HTTP_USER,
     .protocol = DIRECTORY_IMAP,
     .max_body = LARGE,
     .run = run_says},
    {.path = "/pop", .access = HTTP_USER, .protocol = DIRECTORY_POP3, .run = run_says},
    {.path = "/more",
     .methods = "GET HEAD",
     .protocol = DIRECTORY_IMAP,
     .run = more,
     .resume = more,
     .close = close_one},
    {.path = "/park",
     .protocol = DIRECTORY_IMAP,
     .run = run_park,
     .resume = resume_park,
     .close = close_one},
    {.path = "/abort", .protocol = DIRECTORY_IMAP, .run = run_abort},
    {0},
};

// --- The world ---

static void setup(struct world *w, gconstpointer data) {
    g_autofree char *bound = NULL;
    fixture_setup(&w->auth, NULL);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    assert_ok(net_new(1, 2, &w->net));
    struct http_options options = {.net = w->net,
                                   .auth = w->auth.auth,
                                   .server_name = "test",
                                   .threads = 2,
                                   .max_connections = 20,
                                   .idle_seconds = 30,
                                   .spool_dir = w->auth.folder};
    assert_ok(http_server_new(&options, &w->server));
    http_server_add(w->server, routes, w);
    assert_ok(http_server_listen(w->server, "127.0.0.1:0", NULL, NULL, &bound));
    w->port = (uint16_t)atoi(strrchr(bound, ':') + 1);
}

static void teardown(struct world *w, gconstpointer data) {
    http_server_free(w->server);
    net_free(w->net, 1000);
    http_waker_unref(w->waker);
    fixture_teardown(&w->auth, NULL);
}

static int dial(struct world *w) {
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(w->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
    return fd;
}

static void put(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; // the server has cut it, which the test sees at reading
        data += n;
        len -= (size_t)n;
    }
}

static void say(int fd, const char *text) {
    put(fd, text, strlen(text));
}

struct answer {
    unsigned status;
    GString *head, *body;
};

static void answer_clear(struct answer *a) {
    g_string_free(a->head, TRUE);
    g_string_free(a->body, TRUE);
}
#define ANSWER __attribute__((cleanup(answer_clear))) struct answer

static bool get(int fd, GString *to) {
    char c;
    if (recv(fd, &c, 1, 0) != 1)
        return false;
    g_string_append_c(to, c);
    return true;
}

static void get_line(int fd, GString *line) {
    g_string_truncate(line, 0);
    while (get(fd, line) && !g_str_has_suffix(line->str, "\r\n"))
        ;
}

static void get_block(int fd, GString *to, size_t len) {
    size_t from = to->len;
    g_string_set_size(to, from + len);
    for (size_t got = 0; got < len;) {
        ssize_t n = recv(fd, to->str + from + got, len - got, 0);
        if (n <= 0) {
            g_string_set_size(to, from + got);
            return;
        }
        got += (size_t)n;
    }
}

static void get_chunks(int fd, GString *body) {
    g_autoptr(GString) line = g_string_new(NULL);
    for (;;) {
        get_line(fd, line);
        size_t len = strtoul(line->str, NULL, 16);
        get_block(fd, body, len);
        get_line(fd, line);
        if (len == 0)
            return;
    }
}

// Status 0: the connection was closed.
static struct answer listen_to(int fd, bool has_body) {
    struct answer a = {.head = g_string_new(NULL), .body = g_string_new(NULL)};
    while (!g_str_has_suffix(a.head->str, "\r\n\r\n"))
        if (!get(fd, a.head))
            return a;
    sscanf(a.head->str, "HTTP/1.1 %u", &a.status);
    const char *length = strstr(a.head->str, "Content-Length: ");
    if (strstr(a.head->str, "Transfer-Encoding: chunked") && has_body)
        get_chunks(fd, a.body);
    else if (length != NULL && has_body)
        get_block(fd, a.body, strtoul(length + 16, NULL, 10));
    return a;
}

static struct answer ask(int fd, const char *request) {
    say(fd, request);
    return listen_to(fd, !g_str_has_prefix(request, "HEAD"));
}

static void wait_closed(struct world *w, unsigned n) {
    pthread_mutex_lock(&w->lock);
    while (w->closed < n)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

#define HOST "Host: x\r\n"

// --- Tests ---

static void test_requests(struct world *w, gconstpointer data) {
    int fd = dial(w);
    ANSWER a =
        ask(fd, "GET /SAYS/%C3%A4?x=a+%26b HTTP/1.1\r\n" HOST "Cookie: b=1; c=\"v\"\r\n\r\n");
    g_assert_cmpuint(a.status, ==, 200);
    g_assert_cmpstr(a.body->str, ==,
                    "GET /SAYS/ä"
                    "a &b"
                    "v-");
    g_assert_nonnull(strstr(a.head->str, "Set-Cookie: a=1"));
    g_assert_nonnull(strstr(a.head->str, "Set-Cookie: b=2"));
    g_assert_null(strstr(a.head->str, "X-Bad"));
    g_assert_nonnull(strstr(a.head->str, "Content-Length: "));
    ANSWER b = ask(fd, "HEAD /says/x HTTP/1.1\r\n" HOST "\r\n");
    g_assert_cmpuint(b.status, ==, 200);
    g_assert_nonnull(strstr(b.head->str, "Content-Length: "));
    ANSWER c = ask(fd, "PROPFIND http://x/says HTTP/1.1\r\n" HOST "\r\n"); // on the same connection
    g_assert_cmpstr(c.body->str, ==, "PROPFIND /says---");
    // Two at once.
    say(fd, "GET /says/1 HTTP/1.1\r\n" HOST "\r\nGET /says/2 HTTP/1.1\r\n" HOST "\r\n");
    ANSWER d = listen_to(fd, true), e = listen_to(fd, true);
    g_assert_cmpstr(d.body->str, ==, "GET /says/1---");
    g_assert_cmpstr(e.body->str, ==, "GET /says/2---");
    close(fd);
}

static void test_bodies(struct world *w, gconstpointer data) {
    int fd = dial(w);
    ANSWER a = ask(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    g_assert_cmpstr(a.body->str, ==, "hello");
    ANSWER b = ask(fd, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    g_assert_cmpstr(b.body->str, ==, "abcde");
    ANSWER c = ask(fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    g_assert_cmpuint(c.status, ==, 200);
    g_assert_cmpuint(c.body->len, ==, 0);
    say(fd, "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    ANSWER d = listen_to(fd, false);
    g_assert_cmpuint(d.status, ==, 100);
    ANSWER e = ask(fd, "ok");
    g_assert_cmpstr(e.body->str, ==, "ok");
    // One that goes through a file.
    g_autofree char *large = g_malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 23);
    g_autofree char *head =
        g_strdup_printf("POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
    say(fd, head);
    put(fd, large, LARGE);
    ANSWER f = listen_to(fd, true);
    g_assert_cmpuint(f.body->len, ==, LARGE);
    g_assert_cmpint(memcmp(f.body->str, large, LARGE), ==, 0);
    close(fd);
}

static void test_refused(struct world *w, gconstpointer data) {
    static const struct {
        const char *request;
        unsigned status;
        bool stays; // the connection does
    } cases[] = {
        {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, true},
        {"GET /saysx HTTP/1.1\r\n" HOST "\r\n", 404, true},
        {"POST /nothing HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 404, true},
        {"GET /echo HTTP/1.1\r\n" HOST "\r\n", 405, true},
        {"POST /says/x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 413, true},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", 413, false},
        {"GET /says/%zz HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /says/%00 HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"GET /says/%ff HTTP/1.1\r\n" HOST "\r\n", 400, true},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n",
         400, false},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
         false},
        {"POST /user HTTP/1.1\r\n" HOST "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n", 401,
         false},
        {"GET /abort HTTP/1.1\r\n" HOST "\r\n", 0, false},
        {"nonsense\r\n\r\n", 0, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int fd = dial(w);
        ANSWER a = ask(fd, cases[i].request);
        if (a.status != cases[i].status)
            g_error("case %u: %u", i, a.status);
        if (cases[i].stays) {
            ANSWER b = ask(fd, "GET /says HTTP/1.1\r\n" HOST "\r\n");
            g_assert_cmpuint(b.status, ==, 200);
        }
        close(fd);
    }
    int fd = dial(w);
    g_autofree char *fill = g_strnfill(HTTP_HEAD_MAX + 1000, 'a');
    say(fd, "GET /says HTTP/1.1\r\n" HOST "X: ");
    say(fd, fill);
    ANSWER a = ask(fd, "\r\n\r\n");
    g_assert_cmpuint(a.status, ==, 431);
    close(fd);
}

static void test_login(struct world *w, gconstpointer data) {
    int fd = dial(w);
    ANSWER a = ask(fd, "POST /user HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    g_assert_cmpuint(a.status, ==, 401);
    g_assert_nonnull(strstr(a.head->str, "WWW-Authenticate: Basic realm=\"test\""));
    // "alice@example.test:secret", ":wrong"
    ANSWER b = ask(fd, "GET /user HTTP/1.1\r\n" HOST
                       "Authorization: Basic YWxpY2VAZXhhbXBsZS50ZXN0OnNlY3JldA==\r\n\r\n");
    g_assert_cmpuint(b.status, ==, 200);
    g_assert_nonnull(strstr(b.body->str, "alice@example.test"));
    ANSWER c = ask(fd, "GET /user HTTP/1.1\r\n" HOST "\r\n"); // Basic is of one request
    g_assert_cmpuint(c.status, ==, 401);
    ANSWER d = ask(fd, "GET /user HTTP/1.1\r\n" HOST
                       "Authorization: Basic YWxpY2VAZXhhbXBsZS50ZXN0Ondyb25n\r\n\r\n");
    g_assert_cmpuint(d.status, ==, 401);
    ANSWER e = ask(fd, "GET /pop HTTP/1.1\r\n" HOST
                       "Authorization: Basic YWxpY2VAZXhhbXBsZS50ZXN0OnNlY3JldA==\r\n\r\n");
    g_assert_cmpuint(e.status, ==, 403);
    static const char *const bad[] = {"Basic",    "Basic !!!", "Basic YWxpY2U=", "Digest x",
                                      "Bearer x", "NTLM x",    "Negotiate",      ""};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *request =
            g_strdup_printf("GET /user HTTP/1.1\r\n" HOST "Authorization: %s\r\n\r\n", bad[i]);
        ANSWER f = ask(fd, request);
        g_assert_cmpuint(f.status, ==, 401);
    }
    close(fd);
}

static void test_more(struct world *w, gconstpointer data) {
    int fd = dial(w), slow = dial(w);
    say(slow, "GET /more HTTP/1.1\r\n" HOST "\r\n"); // never reads, and holds nobody up
    ANSWER a = ask(fd, "GET /more HTTP/1.1\r\n" HOST "\r\n");
    g_assert_nonnull(strstr(a.head->str, "Transfer-Encoding: chunked"));
    g_assert_cmpuint(a.body->len, >=, LARGE);
    for (size_t i = 0; i < a.body->len; i += 100000)
        g_assert_cmpint(a.body->str[i], ==, 'a' + (int)(i / 100000 % 26));
    wait_closed(w, 1);
    ANSWER b = ask(fd, "HEAD /more HTTP/1.1\r\n" HOST "\r\n");
    g_assert_cmpuint(b.status, ==, 200);
    close(fd);
    close(slow);
    wait_closed(w, 3);
}

static void wake(struct world *w) {
    pthread_mutex_lock(&w->lock);
    while (w->waker == NULL)
        pthread_cond_wait(&w->changed, &w->lock);
    struct http_waker *waker = w->waker;
    w->waker = NULL;
    pthread_mutex_unlock(&w->lock);
    http_wake(waker);
    http_wake(waker);
    http_waker_unref(waker);
}

static void test_park(struct world *w, gconstpointer data) {
    int fd = dial(w);
    say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    wake(w);
    ANSWER a = listen_to(fd, true);
    g_assert_cmpstr(a.body->str, ==, "woken");
    g_assert_nonnull(strstr(a.head->str, "Content-Length: 5"));
    // What was written before goes out.
    say(fd, "GET /park?first=1 HTTP/1.1\r\n" HOST "\r\n");
    g_autoptr(GString) line = g_string_new(NULL);
    while (!g_str_has_suffix(line->str, "first;"))
        g_assert_true(get(fd, line));
    wake(w);
    while (!g_str_has_suffix(line->str, "woken\r\n0\r\n\r\n"))
        g_assert_true(get(fd, line));
    int64_t start = g_get_monotonic_time();
    ANSWER b = ask(fd, "GET /park?ms=50 HTTP/1.1\r\n" HOST "\r\n");
    g_assert_cmpstr(b.body->str, ==, "woken");
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 50000);
    wait_closed(w, 3);
    // A client that goes away while parked.
    unsigned resumed = w->resumed;
    http_waker_unref(w->waker);
    w->waker = NULL;
    say(fd, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    pthread_mutex_lock(&w->lock);
    while (w->waker == NULL)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    close(fd);
    wait_closed(w, 4);
    g_assert_cmpuint(w->resumed, ==, resumed);
    http_wake(w->waker); // is harmless
}

static void test_stop(struct world *w, gconstpointer data) {
    int parked = dial(w), idle = dial(w), half = dial(w);
    say(parked, "GET /park HTTP/1.1\r\n" HOST "\r\n");
    say(half, "GET /pa");
    pthread_mutex_lock(&w->lock);
    while (w->waker == NULL)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    http_server_stop(w->server, 10000);
    ANSWER a = listen_to(parked, true);
    g_assert_cmpstr(a.body->str, ==, "stopping");
    ANSWER b = listen_to(idle, true);
    g_assert_cmpuint(b.status, ==, 0);
    struct http_stats stats;
    http_stats(w->server, &stats);
    g_assert_cmpuint(stats.connections, ==, 3);
    g_assert_cmpuint(stats.open_connections, ==, 0);
    g_assert_cmpuint(stats.parked, ==, 0);
    g_assert_cmpuint(stats.by_status[2], ==, 1);
    close(parked);
    close(idle);
    close(half);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add("/http/" #name, struct world, NULL, setup, test_##name, teardown)
    ADD(requests);
    ADD(bodies);
    ADD(refused);
    ADD(login);
    ADD(more);
    ADD(park);
    ADD(stop);
    return g_test_run();
}
