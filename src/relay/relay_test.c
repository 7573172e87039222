// The relay against a server that does as it is told: replies, extensions, cuts, back-off, reuse.
#include "base/test.h"
#include "relay/relay_internal.h"
#include "relay/smtp_fixture.h"

static const char text[] = "Subject: hi\r\n\r\n.dot\r\nend\r\n";

// --- Jobs that are waited for ---

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned n_open;
    const char *message;
};

static void waiter_init(struct waiter *w, const char *message) {
    *w = (struct waiter){.message = message};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->cond, NULL);
}

static enum ec read_text(struct relay_job *job, GBytes **top, GBytes **message) {
    const struct waiter *w = job->ctx;
    *top = NULL;
    *message = g_bytes_new(w->message, strlen(w->message));
    return EC_OK;
}

static void on_done(struct relay_job *job) {
    struct waiter *w = job->ctx;
    pthread_mutex_lock(&w->lock);
    w->n_open--;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static void wait_all(struct waiter *w) {
    pthread_mutex_lock(&w->lock);
    while (w->n_open)
        pthread_cond_wait(&w->cond, &w->lock);
    pthread_mutex_unlock(&w->lock);
}

static struct relay_job *make_job(struct relay *r, struct waiter *w, const char *const *to) {
    struct arena *arena = arena_new();
    struct relay_job *job = arena_alloc0(arena, sizeof *job);
    unsigned n = g_strv_length((char **)to);
    *job = (struct relay_job){.arena = arena,
                              .destination = relay_destination(r, arena, to[0]),
                              .id = "1",
                              .sender = "me@example.test",
                              .recipients = arena_alloc0(arena, n * sizeof *job->recipients),
                              .n_recipients = n,
                              .read = read_text,
                              .done = on_done,
                              .ctx = w};
    for (unsigned i = 0; i < n; i++)
        job->recipients[i].address = to[i];
    g_assert_nonnull(job->destination);
    w->n_open++;
    return job;
}

#define TO(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct relay *start(struct fake *f, struct relay_options *options) {
    struct relay *r;
    fake_start(f);
    g_autofree char *smarthost = g_strdup_printf("127.0.0.1:%u", f->port);
    options->smarthost = smarthost;
    options->hostname = "mail.example.test";
    options->backoff_ms = 50;
    assert_ok(relay_new(options, &r));
    return r;
}

static struct relay *start_usual(struct fake *f) {
    struct relay_options options = {.tls = RELAY_TLS_MAY};
    return start(f, &options);
}

static void stop(struct fake *f, struct relay *r) {
    relay_free(r);
    fake_stop(f);
}

static void assert_result(const struct relay_job *job, unsigned i, enum relay_verdict verdict,
                          const char *status) {
    const struct relay_result *r = &job->recipients[i].result;
    if (r->verdict != verdict || g_strcmp0(r->status, status) != 0)
        g_error("recipient %u: verdict %d %s (%s), expected %d %s", i, r->verdict, r->status,
                r->text, verdict, status);
}

// One message to these; the job is the caller's (arena_free(job->arena)).
static struct relay_job *send_one(struct relay *r, const char *message, const char *const *to) {
    struct waiter w;
    waiter_init(&w, message);
    struct relay_job *job = make_job(r, &w, to);
    relay_send(r, job);
    wait_all(&w);
    return job;
}

// --- Tests ---

static void test_recipients(void) {
    struct fake f = {.port = 0};
    struct relay *r = start_usual(&f);
    struct relay_job *job =
        send_one(r, text, TO("a@x.test", "no@x.test", "later@x.test", "b@x.test", "<bad@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    assert_result(job, 1, RELAY_FAILED, "5.1.1");
    assert_result(job, 2, RELAY_DEFERRED, "4.2.0");
    assert_result(job, 3, RELAY_SENT, "2.0.0");
    assert_result(job, 4, RELAY_FAILED, "5.1.3");
    g_assert_cmpstr(job->recipients[1].result.reply, ==, "550 5.1.1 nobody here");
    g_assert_false(job->recipients[0].result.sends_reports);
    g_assert_cmpuint(f.messages->len, ==, 1);
    g_assert_cmpstr(f.messages->pdata[0], ==, "Subject: hi\r\n\r\n..dot\r\nend\r\n");
    arena_free(job->arena);
    job = send_one(r, text, TO("no1@x.test", "no2@x.test"));
    assert_result(job, 1, RELAY_FAILED, "5.1.1");
    arena_free(job->arena);
    job = send_one(r, text, TO("c@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    g_assert_cmpuint(f.n_connections, ==, 1); // kept in between
    stop(&f, r);
}

static void run_many(struct fake *f, struct relay *r, unsigned n) {
    struct waiter w;
    waiter_init(&w, text);
    g_autoptr(GPtrArray) jobs = g_ptr_array_new();
    for (unsigned i = 0; i < n; i++)
        g_ptr_array_add(jobs, make_job(r, &w, TO("a@x.test")));
    for (unsigned i = 0; i < n; i++)
        relay_send(r, jobs->pdata[i]);
    wait_all(&w);
    for (unsigned i = 0; i < n; i++) {
        struct relay_job *job = jobs->pdata[i];
        assert_result(job, 0, RELAY_SENT, "2.0.0");
        arena_free(job->arena);
    }
    g_assert_cmpuint(f->messages->len, ==, n);
}

static void test_many(void) {
    struct fake f = {.port = 0};
    struct relay *r = start_usual(&f);
    run_many(&f, r, 300);
    g_assert_cmpuint(f.n_connections, <=, 20);
    stop(&f, r);
}

// A server that hangs up after each message, without warning: all arrive, none twice.
static void test_closes(void) {
    struct fake f = {.closes_after = 2, .ehlo = "250-fake\r\n250 PIPELINING\r\n"};
    struct relay *r = start_usual(&f);
    run_many(&f, r, 30);
    stop(&f, r);
}

// Neither EHLO nor pipelining.
static void test_old_server(void) {
    struct fake f = {.ehlo = "502 what?\r\n"};
    struct relay *r = start_usual(&f);
    run_many(&f, r, 20);
    g_assert_nonnull(strstr(f.said->str, "HELO mail.example.test"));
    stop(&f, r);
}

static void test_cut_in_data(void) {
    struct fake f = {.cuts_in_data = true};
    struct relay *r = start_usual(&f);
    struct relay_job *job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.4.2");
    arena_free(job->arena);
    f.cuts_in_data = false;
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    f.cuts_after_end = true; // in doubt: it is tried again
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.4.2");
    arena_free(job->arena);
    stop(&f, r);
}

static void test_refusals(void) {
    struct fake f = {.mail_reply = "552 5.3.4 too big\r\n"};
    struct relay *r = start_usual(&f);
    struct relay_job *job = send_one(r, text, TO("a@x.test", "b@x.test"));
    assert_result(job, 0, RELAY_FAILED, "5.3.4");
    assert_result(job, 1, RELAY_FAILED, "5.3.4");
    arena_free(job->arena);
    f.mail_reply = NULL;
    f.end_reply = "451 4.3.0 not now\r\n";
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.3.0");
    arena_free(job->arena);
    f.end_reply = "554 5.7.1 spam\r\n";
    job = send_one(r, text, TO("a@x.test", "no@x.test"));
    assert_result(job, 0, RELAY_FAILED, "5.7.1");
    assert_result(job, 1, RELAY_FAILED, "5.1.1");
    arena_free(job->arena);
    f.end_reply = "421 4.3.2 going down\r\n";
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.3.2");
    arena_free(job->arena);
    f.end_reply = NULL;
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    stop(&f, r);
}

static _Atomic unsigned n_room;

static void on_room(void *ctx, const char *destination, unsigned n) {
    (void)ctx, (void)destination;
    if (n == 0)
        n_room++;
}

// Nobody listens: the destination is down, others are answered without an attempt; then it is back.
static void test_down(void) {
    struct fake f = {.greeting = "554 5.3.2 no service\r\n"};
    struct relay_options options = {.has_room = on_room};
    struct relay *r = start(&f, &options);
    struct relay_job *job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_FAILED, "5.3.2"); // it said so itself
    arena_free(job->arena);
    f.greeting = "421 4.3.2 busy\r\n";
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.3.2");
    arena_free(job->arena);
    unsigned n = f.n_connections;
    f.greeting = NULL;
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.3.2");
    arena_free(job->arena);
    g_assert_cmpuint(f.n_connections, ==, n);
    ARENA_AUTO arena = arena_new();
    struct relay_state *states;
    unsigned n_states;
    relay_states(r, arena, &states, &n_states);
    g_assert_cmpuint(n_states, ==, 1);
    g_assert_cmpuint(states[0].failures, ==, 1);
    g_assert_cmpuint(states[0].down_ms, >, 0);
    relay_forget_failures(r, states[0].destination);
    g_assert_cmpuint(n_room, ==, 0);
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    g_assert_cmpuint(n_room, ==, 1);
    stop(&f, r);
}

static void test_extensions(void) {
    struct fake f = {.ehlo = "250-fake\r\n250-SIZE 200\r\n250 DSN\r\n"};
    struct relay *r = start_usual(&f);
    struct waiter w;
    waiter_init(&w, "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n\r\ngr\xc3\xbc\xc3\x9f\r\n");
    struct relay_job *job = make_job(r, &w, TO("a@b\xc3\xbc.test"));
    job->is_8bit = true;
    job->envid = "e+3D1";
    job->ret = "HDRS";
    job->recipients[0].notify = 6;
    job->recipients[0].orcpt = "rfc822;a@x.test";
    relay_send(r, job);
    wait_all(&w);
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    g_assert_true(job->recipients[0].result.sends_reports);
    arena_free(job->arena);
    g_assert_nonnull(strstr(f.said->str, " RET=HDRS ENVID=e+3D1\r\n"));
    g_assert_nonnull(strstr(f.said->str, "MAIL FROM:<me@example.test> SIZE="));
    g_assert_nonnull(strstr(f.said->str, "RCPT TO:<a@xn--b-eha.test> NOTIFY=SUCCESS,FAILURE "
                                         "ORCPT=rfc822;a@x.test\r\n"));
    const char *sent = f.messages->pdata[0];
    g_assert_nonnull(strstr(sent, "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
                                  "gr=C3=BC=C3=9F\r\n"));
    g_assert_null(strstr(sent, "8bit"));
    job = make_job(r, &w, TO("gr\xc3\xbc\xc3\x9f@x.test", "a@x.test"));
    job->is_smtputf8 = true;
    relay_send(r, job);
    wait_all(&w);
    assert_result(job, 0, RELAY_FAILED, "5.6.7");
    assert_result(job, 1, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    job = make_job(r, &w, TO("a@x.test"));
    job->requires_tls = true;
    relay_send(r, job);
    wait_all(&w);
    assert_result(job, 0, RELAY_DEFERRED, "4.7.10");
    arena_free(job->arena);
    g_autofree char *large = g_strnfill(300, 'x');
    job = send_one(r, large, TO("a@x.test"));
    assert_result(job, 0, RELAY_FAILED, "5.3.4");
    arena_free(job->arena);
    stop(&f, r);
}

static void test_tls_required(void) {
    struct fake f = {.port = 0};
    struct relay_options options = {.smarthost_tls = RELAY_TLS_REQUIRED};
    struct relay *r = start(&f, &options);
    struct relay_job *job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.7.10");
    arena_free(job->arena);
    g_assert_cmpuint(f.messages->len, ==, 0);
    stop(&f, r);
}

static void test_auth(void) {
    struct fake f = {.ehlo = "250-fake\r\n250 AUTH PLAIN\r\n"};
    struct relay_options options = {
        .smarthost_tls = RELAY_TLS_OFF, .smarthost_user = "user", .smarthost_password = "secret"};
    struct relay *r = start(&f, &options);
    struct relay_job *job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_SENT, "2.0.0");
    arena_free(job->arena);
    stop(&f, r);
    f = (struct fake){.ehlo = "250-fake\r\n250 AUTH PLAIN\r\n"};
    options.smarthost_password = "wrong";
    r = start(&f, &options);
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_DEFERRED, "4.7.8");
    arena_free(job->arena);
    stop(&f, r);
}

// A stop does not wait for a server that says nothing.
static void test_stop(void) {
    struct fake f = {.is_silent = true};
    struct relay *r = start_usual(&f);
    struct waiter w;
    waiter_init(&w, text);
    struct relay_job *job = make_job(r, &w, TO("a@x.test"));
    relay_send(r, job);
    while (f.n_connections == 0)
        g_usleep(1000);
    int64_t begin = g_get_monotonic_time();
    relay_stop(r);
    wait_all(&w);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 3 * G_TIME_SPAN_SECOND);
    assert_result(job, 0, RELAY_BUSY, job->recipients[0].result.status);
    arena_free(job->arena);
    job = send_one(r, text, TO("a@x.test"));
    assert_result(job, 0, RELAY_BUSY, NULL);
    arena_free(job->arena);
    stop(&f, r);
}

static void test_destinations(void) {
    ARENA_AUTO arena = arena_new();
    struct relay *r;
    struct relay_options options = {
        .routes = "example.net=mx.example.net:2525, .example.org=[192.0.2.1] ,.b.example.org=h:1"};
    assert_ok(relay_new(&options, &r));
    static const char *const expected[][2] = {
        {"a@Example.NET", "[mx.example.net]:2525"},
        {"a@sub.example.net", "sub.example.net"},
        {"a@sub.example.org", "[192.0.2.1]:25"},
        {"a@a.b.example.org", "[h]:1"},
        {"a@example.org", "example.org"},
        {"a@b\xc3\xbc.test", "xn--b-eha.test"},
        {"a@[192.0.2.7]", "[192.0.2.7]:25"},
        {"a@[IPv6:2001:db8::1]", "[2001:db8::1]:25"},
        {"a@[nonsense]", NULL},
        {"a@", NULL},
        {"a", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(relay_destination(r, arena, expected[i][0]), ==, expected[i][1]);
    relay_free(r);
    static const char *const bad[] = {"x",         "x=",         "x=a:b", "x=a:0",
                                      "x=a:70000", "x=[1.2.3.4", "x=a b"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        options.routes = bad[i];
        assert_ec(relay_new(&options, &r), EC_INVALID_PARAMETER);
    }
}

static char *wire(const char *message) {
    g_autoptr(GByteArray) out = g_byte_array_new();
    bool at_start = true;
    // Byte by byte but for CRLF, as pieces may come.
    for (size_t pos = 0, n, len = strlen(message); pos < len; pos += n) {
        n = message[pos] == '\r' && pos + 1 < len ? 2 : 1;
        content_put(out, (const uint8_t *)message + pos, n, &at_start);
    }
    return g_strndup((char *)out->data, out->len);
}

static void test_content(void) {
    static const char *const cases[][2] = {
        {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n"},
        {".a\nb", "..a\r\nb"},
        {"a\r\n\n.\n", "a\r\n\r\n..\r\n"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = wire(cases[i][0]);
        g_assert_cmpstr(got, ==, cases[i][1]);
    }
    g_autoptr(GByteArray) out = g_byte_array_new();
    bool at_start = true;
    static const char smuggled[] = "a\r.\r\rb\n.\r\n";
    content_put(out, (const uint8_t *)smuggled, sizeof smuggled - 1, &at_start);
    g_assert_cmpmem(out->data, out->len, "a\r\n..\r\n\r\nb\r\n..\r\n", 16);
    static const char mixed[] =
        "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding:\r\n 8bit\r\n"
        "X: y\r\n\r\n\xc3\xa4\r\n--b\r\nContent-Type: application/x\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n\xff\xfe\r\n--b\r\n\r\nplain\r\n--b--\r\n";
    g_autoptr(GBytes) seven = content_to_7bit((const uint8_t *)mixed, sizeof mixed - 1);
    g_assert_nonnull(seven);
    gsize len;
    g_autofree char *got = g_strndup(g_bytes_get_data(seven, &len), g_bytes_get_size(seven));
    g_assert_nonnull(strstr(got, "charset=utf-8\r\nX: y\r\nContent-Transfer-Encoding: "
                                 "quoted-printable\r\n\r\n=C3=A4\r\n--b\r\n"));
    g_assert_nonnull(strstr(got, "Content-Transfer-Encoding: base64\r\n\r\n//4=\r\n"));
    g_assert_nonnull(strstr(got, "\r\n--b\r\n\r\nplain\r\n--b--\r\n"));
    g_assert_null(strstr(got, "8bit"));
    static const char sealed[] = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"
                                 "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n--b--\r\n";
    g_assert_null(content_to_7bit((const uint8_t *)sealed, sizeof sealed - 1));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/relay/content", test_content);
    g_test_add_func("/relay/destinations", test_destinations);
    g_test_add_func("/relay/recipients", test_recipients);
    g_test_add_func("/relay/many", test_many);
    g_test_add_func("/relay/closes", test_closes);
    g_test_add_func("/relay/old-server", test_old_server);
    g_test_add_func("/relay/cut-in-data", test_cut_in_data);
    g_test_add_func("/relay/refusals", test_refusals);
    g_test_add_func("/relay/down", test_down);
    g_test_add_func("/relay/extensions", test_extensions);
    g_test_add_func("/relay/tls-required", test_tls_required);
    g_test_add_func("/relay/auth", test_auth);
    g_test_add_func("/relay/stop", test_stop);
    return g_test_run();
}
