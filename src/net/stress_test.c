// What only shows under load and at the end: wakes that race with jobs, the pool's fairness,
// timers, shutdown, a process without file descriptors. Also run under ThreadSanitizer.
#include <fcntl.h>
#include <sys/resource.h>

#include "net/echo_test.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SCALE 1
#else
#define SCALE 4
#endif

// --- No wake is lost: a session that answers each change of a counter it is woken for ---

struct ticker {
    pthread_mutex_t lock;
    unsigned value; // under lock
    struct net_conn *conn;
    _Atomic bool closed;
    unsigned said; // session
};

static void *ticker_open(struct net_conn *conn, void *data) {
    struct ticker *ticker = data;
    ticker->conn = net_conn_ref(conn);
    net_write_str(conn, "0\n");
    return ticker;
}

static ssize_t ticker_frame(void *session, const uint8_t *data, size_t len) {
    return 1; // every byte is a unit
}

static enum net_next ticker_unit(void *session, const uint8_t *data, size_t len) {
    return NET_READ;
}

static enum net_next ticker_wake(void *session) {
    struct ticker *ticker = session;
    pthread_mutex_lock(&ticker->lock);
    unsigned value = ticker->value;
    pthread_mutex_unlock(&ticker->lock);
    if (value != ticker->said)
        net_printf(ticker->conn, "%u\n", value);
    ticker->said = value;
    return NET_READ;
}

static void ticker_close(void *session) {
    struct ticker *ticker = session;
    ticker->closed = true;
}

static const struct net_proto ticker_proto = {
    .name = "ticker",
    .open = ticker_open,
    .frame = ticker_frame,
    .max_unit = 16,
    .unit = ticker_unit,
    .wake = ticker_wake,
    .close = ticker_close,
};

#define WAKERS 3
#define CHANGES (10000 * SCALE)

static void *waker_main(void *data) {
    struct ticker *ticker = data;
    for (int i = 0; i < CHANGES; i++) {
        pthread_mutex_lock(&ticker->lock);
        ticker->value++;
        pthread_mutex_unlock(&ticker->lock);
        net_conn_wake(ticker->conn);
        if (i % 64 == 0)
            g_usleep(100);
    }
    return NULL;
}

// Sends units all the while, so that wakes meet every state of the connection.
static void *sender_main(void *data) {
    struct client *client = data;
    for (int i = 0; i < CHANGES / 4; i++)
        client_send(client, "abc");
    return NULL;
}

static void test_wakes(void) {
    struct ticker ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct server *server = g_new0(struct server, 1);
    assert_ok(net_new(1, 3, &server->net));
    struct net_listen listen = {
        .address = "127.0.0.1:0", .proto = &ticker_proto, .service = &ticker};
    assert_ok(net_listen(server->net, &listen, &server->address));
    struct client *client = client_new(server);
    client_expect(client, "0");

    pthread_t wakers[WAKERS], sender;
    for (int i = 0; i < WAKERS; i++)
        g_assert_true(net_thread_start(&wakers[i], "test", waker_main, &ticker));
    g_assert_true(net_thread_start(&sender, "test", sender_main, client));
    // The last value has to be said, whatever came together before; a lost wake ends this test.
    unsigned last = 0;
    while (last < WAKERS * CHANGES) {
        g_autofree char *line = client_line(client);
        g_assert_nonnull(line);
        unsigned value = (unsigned)strtoul(line, NULL, 10);
        g_assert_cmpuint(value, >, last);
        last = value;
    }
    for (int i = 0; i < WAKERS; i++)
        pthread_join(wakers[i], NULL);
    pthread_join(sender, NULL);

    // One at a time, each has to be answered.
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&ticker.lock);
        unsigned want = ++ticker.value;
        pthread_mutex_unlock(&ticker.lock);
        if (i % 2)
            client_send(client, "x");
        net_conn_wake(ticker.conn);
        g_autofree char *text = g_strdup_printf("%u", want);
        client_expect(client, text);
    }
    client_free(client);
    wait_for(ticker.closed);
    net_free(server->net, 100);
    net_conn_unref(ticker.conn);
    g_free(server->address);
    g_free(server);
}

// --- Many connections at once, of all fates ---

#define CLIENTS 24
#define ROUNDS (15 * SCALE)

static _Atomic bool stop_waking;

static void *wake_watched(void *data) {
    struct server *server = data;
    while (!stop_waking) {
        pthread_mutex_lock(&server->service.lock);
        struct net_conn *conn =
            server->service.watched ? net_conn_ref(server->service.watched) : NULL;
        pthread_mutex_unlock(&server->service.lock);
        if (conn)
            net_conn_wake(conn);
        net_conn_unref(conn);
        g_usleep(50);
    }
    return NULL;
}

static void *client_main(void *data) {
    struct server *server = data;
    GRand *rand = g_rand_new();
    for (int i = 0; i < ROUNDS; i++) {
        struct client *client = client_new(server);
        client_expect(client, "HELLO");
        client_send(client, "BIG 200000\nWATCH\nECHO x\n");
        if (g_rand_int_range(rand, 0, 3) > 0) {
            char buf[65536];
            for (size_t left = 200000; left > 0;) {
                ssize_t n = client_read(client, buf, MIN(sizeof buf, left));
                g_assert_cmpint(n, >, 0);
                left -= (size_t)n;
            }
            client_expect(client, "");
            client_expect(client, "OK");
            for (;;) { // wakes come in between
                g_autofree char *line = client_line(client);
                if (g_strcmp0(line, "x") == 0)
                    break;
                g_assert_cmpstr(line, ==, "WOKE");
            }
        }
        if (g_rand_boolean(rand))
            client_reset(client);
        else
            client_free(client);
    }
    g_rand_free(rand);
    return NULL;
}

static void test_fates(void) {
    struct server *server = server_new(NULL);
    pthread_t clients[CLIENTS], waker;
    stop_waking = false;
    g_assert_true(net_thread_start(&waker, "test", wake_watched, server));
    for (int i = 0; i < CLIENTS; i++)
        g_assert_true(net_thread_start(&clients[i], "test", client_main, server));
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
    stop_waking = true;
    pthread_join(waker, NULL);
    wait_for(server->service.closed == CLIENTS * ROUNDS);
    server_free(server);
}

// --- The pool ---

static _Atomic unsigned ran;
static _Atomic bool hold;

static void run_count(void *data) {
    ran++;
}

static void run_sleep(void *data) {
    g_usleep(2000);
    ran++;
}

static void run_hold(void *data) {
    while (hold)
        g_usleep(1000);
    ran++;
}

// Blocking jobs leave room for connections, blocked connections for jobs and timers.
static void test_starvation(void) {
    struct server *server = server_new(NULL);
    ran = 0;
    hold = true;
    for (int i = 0; i < 100; i++)
        net_run(server->net, run_hold, NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "ECHO alive\n");
    client_expect(client, "alive");
    g_assert_cmpuint(ran, ==, 0);
    hold = false;
    wait_for(ran == 100);

    ran = 0;
    struct client *sleepers[60];
    for (unsigned i = 0; i < G_N_ELEMENTS(sleepers); i++) {
        sleepers[i] = client_new(server);
        client_expect(sleepers[i], "HELLO");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sleepers); i++)
        client_send(sleepers[i], "SLEEP 1000\n");
    struct net_timer *timer = net_timer_new(server->net, 10, run_count, NULL);
    int64_t start = g_get_monotonic_time();
    net_run(server->net, run_count, NULL);
    wait_for(ran >= 10);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 900000);
    for (unsigned i = 0; i < G_N_ELEMENTS(sleepers); i++) {
        client_expect(sleepers[i], "SLEPT");
        client_free(sleepers[i]);
    }
    // Four threads would have needed 20 s: the pool grew.
    g_assert_cmpint(g_get_monotonic_time() - start, <, 8000000);
    net_timer_free(timer);
    client_free(client);
    server_free(server);
}

// A connection with endless input does not keep another from its turn.
static void test_fairness(void) {
    struct server *server = g_new0(struct server, 1);
    pthread_mutex_init(&server->service.lock, NULL);
    assert_ok(net_new(1, 2, &server->net)); // one worker for connections
    server->net->pool.max_threads = 2;
    struct net_listen listen = {
        .address = "127.0.0.1:0", .proto = &echo_proto, .service = &server->service};
    assert_ok(net_listen(server->net, &listen, &server->address));
    struct client *greedy = client_new(server), *modest = client_new(server);
    client_expect(greedy, "HELLO");
    client_expect(modest, "HELLO");
    GString *all = g_string_new(NULL);
    for (int i = 0; i < 300; i++)
        g_string_append(all, "SLEEP 1\n");
    client_send(greedy, all->str);
    g_string_free(all, TRUE);
    wait_for(server->service.units > 0);
    client_send(modest, "ECHO turn\n");
    client_expect(modest, "turn");
    g_assert_cmpuint(server->service.units, <, 200);
    client_free(greedy);
    client_free(modest);
    server_free(server);
}

// --- Timers ---

struct slow_timer {
    _Atomic int inside, overlaps, runs;
    struct net_timer *_Atomic own; // the first turn may come before it is known
};

static void run_slow(void *data) {
    struct slow_timer *slow = data;
    if (atomic_fetch_add(&slow->inside, 1) > 0)
        slow->overlaps++;
    g_usleep(30000);
    slow->inside--;
    slow->runs++;
}

static void run_own_end(void *data) {
    struct slow_timer *slow = data;
    if (!slow->own)
        return;
    net_timer_free(slow->own);
    slow->runs++;
}

static void test_timers(void) {
    struct server *server = server_new(NULL);
    struct slow_timer slow = {0};
    struct net_timer *timer = net_timer_new(server->net, 5, run_slow, &slow);
    wait_for(slow.runs == 3);
    net_timer_free(timer);
    int runs = slow.runs;
    g_assert_cmpint(slow.inside, ==, 0);
    g_usleep(50000);
    g_assert_cmpint(slow.runs, ==, runs);
    g_assert_cmpint(slow.overlaps, ==, 0);

    for (int i = 0; i < 200; i++) { // freed at any moment
        timer = net_timer_new(server->net, 1, run_count, NULL);
        g_usleep((gulong)(i % 20) * 100);
        net_timer_free(timer);
    }
    slow.runs = 0;
    slow.own = net_timer_new(server->net, 1, run_own_end, &slow);
    wait_for(slow.runs == 1);
    g_usleep(10000);
    g_assert_cmpint(slow.runs, ==, 1);
    net_timer_free(NULL);
    timer = net_timer_new(server->net, 1, run_count, NULL); // outlives the server
    ran = 0;
    for (int i = 0; i < 40; i++) // what is queued at the end is still run
        net_run(server->net, run_sleep, NULL);
    server_free(server);
    g_assert_cmpuint(ran, >=, 40);
    net_timer_free(timer);
}

// --- The end ---

static void test_shutdown(void) {
    struct server *server = server_new(NULL);
    struct client *idle = client_new(server), *busy = client_new(server);
    client_expect(idle, "HELLO");
    client_expect(busy, "HELLO");
    client_send(busy, "SLEEP 200\n");
    wait_for(server->service.units == 1);
    int64_t start = g_get_monotonic_time();
    net_free(server->net, 5000);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 4000000);
    client_expect(idle, "SHUTDOWN");
    client_expect(idle, NULL);
    client_expect(busy, "SLEPT");
    client_expect(busy, "SHUTDOWN");
    client_expect(busy, NULL);
    g_assert_cmpuint(server->service.closed, ==, 2);
    client_free(idle);
    client_free(busy);
    g_free(server->address);
    g_free(server);
}

// A client that takes no output and one in its TLS handshake do not hold up the end for ever.
static void test_shutdown_by_force(void) {
    struct server *server = server_new(NULL);
    struct client *stuck = g_new0(struct client, 1);
    stuck->fd = client_socket(server, 16 * 1024);
    client_expect(stuck, "HELLO");
    client_send(stuck, "BIG 50000000\n");
    wait_for(server->service.units == 1);
    int64_t start = g_get_monotonic_time();
    net_free(server->net, 300);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 300000);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2000000);
    g_assert_cmpuint(server->service.closed, ==, 1);
    client_free(stuck);
    g_free(server->address);
    g_free(server);
    net_free(NULL, 0);
}

static void test_per_address(void) {
    struct server *server = server_new(&(struct net_listen){.max_per_address = 2});
    struct net_listener *listener = server->net->listeners;
    struct sockaddr_storage ss;
    socklen_t len;
    assert_ok(net_address_parse("192.0.2.1:1", &ss, &len));
    struct net_address one = net_address_of(&ss);
    assert_ok(net_address_parse("[2001:db8::1]:1", &ss, &len));
    struct net_address two = net_address_of(&ss);
    g_assert_null(net_listener_admit(listener, &one));
    g_assert_null(net_listener_admit(listener, &one));
    g_assert_nonnull(net_listener_admit(listener, &one));
    g_assert_null(net_listener_admit(listener, &two));
    net_listener_release(listener, &one);
    g_assert_null(net_listener_admit(listener, &one));
    g_assert_nonnull(net_listener_admit(listener, &one));
    net_listener_release(listener, &one);
    net_listener_release(listener, &one);
    net_listener_release(listener, &two);
    g_assert_cmpuint(g_hash_table_size(listener->per_address), ==, 0);
    server_free(server);
}

// Without file descriptors accepting pauses, without eating the processor, and goes on later.
static void test_no_descriptors(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    int fd = client_socket(server, 0);
    close(fd); // the lowest free number, for the limit
    struct client *waiting = g_new0(struct client, 1);
    struct rlimit before, limit;
    getrlimit(RLIMIT_NOFILE, &before);
    GArray *fillers = g_array_new(FALSE, FALSE, sizeof(int));
    limit = before;
    limit.rlim_cur = 64;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &limit), ==, 0);
    struct net_stats stats;
    wait_for((net_stats(server->net, &stats), stats.open_now == 1));
    waiting->fd = socket(AF_INET, SOCK_STREAM, 0);
    for (int filler; (filler = open("/dev/null", O_RDONLY)) >= 0;)
        g_array_append_val(fillers, filler);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    in.sin_port = htons((uint16_t)atoi(strrchr(server->address, ':') + 1));
    g_assert_cmpint(connect(waiting->fd, (struct sockaddr *)&in, sizeof in), ==, 0);
    struct rusage start, end;
    getrusage(RUSAGE_SELF, &start);
    g_usleep(500000);
    getrusage(RUSAGE_SELF, &end);
    int64_t used = (end.ru_utime.tv_sec - start.ru_utime.tv_sec) * G_USEC_PER_SEC +
                   end.ru_utime.tv_usec - start.ru_utime.tv_usec +
                   (end.ru_stime.tv_sec - start.ru_stime.tv_sec) * G_USEC_PER_SEC +
                   end.ru_stime.tv_usec - start.ru_stime.tv_usec;
    g_assert_cmpint(used, <, 200000);
    client_send(client, "ECHO fine\n");
    client_expect(client, "fine");
    for (unsigned i = 0; i < fillers->len; i++)
        close(g_array_index(fillers, int, i));
    g_array_free(fillers, TRUE);
    client_expect(waiting, "HELLO");
    setrlimit(RLIMIT_NOFILE, &before);
    client_free(waiting);
    client_free(client);
    server_free(server);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/stress/wakes", test_wakes);
    g_test_add_func("/net/stress/fates", test_fates);
    g_test_add_func("/net/stress/starvation", test_starvation);
    g_test_add_func("/net/stress/fairness", test_fairness);
    g_test_add_func("/net/stress/timers", test_timers);
    g_test_add_func("/net/stress/shutdown", test_shutdown);
    g_test_add_func("/net/stress/shutdown-by-force", test_shutdown_by_force);
    g_test_add_func("/net/stress/per-address", test_per_address);
    g_test_add_func("/net/stress/no-descriptors", test_no_descriptors);
    return g_test_run();
}
