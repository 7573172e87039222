// Connections without TLS, over real sockets: framing, long answers, wakes, limits, deadlines.
#include "net/echo_test.h"

static void test_echo(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "ECHO one\n");
    client_expect(client, "one");
    client_send(client, "TLS\nNONSENSE\n");
    client_expect(client, "NO");
    client_expect(client, "WHAT");
    client_send(client, "STARTTLS\n"); // no certificate
    client_expect(client, "GO");
    client_expect(client, "NO");
    client_send(client, "QUIT\nECHO never\n");
    client_expect(client, "BYE");
    client_expect(client, NULL);
    client_free(client);
    wait_for(server->service.closed == 1);
    struct net_stats stats;
    net_stats(server->net, &stats);
    g_assert_cmpuint(stats.accepted, ==, 1);
    g_assert_cmpuint(stats.bytes_in, >, 20);
    g_assert_cmpuint(stats.bytes_out, >, 20);
    server_free(server);
}

static void test_pipelining(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    GString *all = g_string_new(NULL);
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(all, "ECHO %d\n", i);
    client_send(client, all->str);
    for (int i = 0; i < 5000; i++) {
        g_autofree char *want = g_strdup_printf("%d", i);
        client_expect(client, want);
    }
    g_string_free(all, TRUE);
    client_free(client);
    server_free(server);
}

static void test_chunks(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    for (const char *c = "ECHO a b\nECHO c\nEC"; *c; c++) {
        client_send_bytes(client, c, 1);
        g_usleep(2000);
    }
    client_expect(client, "a b");
    client_expect(client, "c");
    client_send(client, "HO d\n");
    client_expect(client, "d");
    client_free(client);
    server_free(server);
}

static void test_too_long(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    // Far more than is read: the answer has to arrive all the same, without a reset before it.
    g_autofree char *line = g_strnfill(300 * 1024, 'x');
    client_send(client, line);
    client_expect(client, "TOOLONG");
    client_expect(client, NULL);
    client_free(client);
    server_free(server);
}

static void test_slow_reader(void) {
    struct server *server = server_new(NULL);
    struct client *client = g_new0(struct client, 1);
    client->fd = client_socket(server, 16 * 1024);
    client_expect(client, "HELLO");
    client_send(client, "BIG 20000000\nECHO after\n");
    g_usleep(300 * 1000);
    // The socket is full: little was made ahead, and no worker waits.
    g_assert_cmpuint(server->service.resumes, <, 400);
    struct client *other = client_new(server);
    client_expect(other, "HELLO");
    client_free(other);
    size_t total = 0;
    char buf[65536];
    while (total < 20000001) {
        ssize_t n = client_read(client, buf, MIN(sizeof buf, 20000001 - total));
        g_assert_cmpint(n, >, 0);
        total += (size_t)n;
    }
    client_expect(client, "after");
    g_assert_cmpuint(server->service.resumes, ==, 20000000 / (32 * 1024));
    client_free(client);
    server_free(server);
}

// Answers by reference are queued as a whole; no further unit is run above the high mark.
static void test_output_high(void) {
    struct server *server = server_new(NULL);
    struct client *client = g_new0(struct client, 1);
    client->fd = client_socket(server, 16 * 1024);
    client_expect(client, "HELLO");
    for (int i = 0; i < 20; i++)
        client_send(client, "REF 8000000\n");
    g_usleep(300 * 1000);
    g_assert_cmpuint(server->service.units, <=, 3);
    for (int i = 0; i < 20; i++) {
        size_t left = 8000001;
        char buf[65536];
        while (left > 0) {
            ssize_t n = client_read(client, buf, MIN(sizeof buf, left));
            g_assert_cmpint(n, >, 0);
            left -= (size_t)n;
        }
    }
    g_assert_cmpuint(server->service.units, ==, 20);
    client_free(client);
    server_free(server);
}

static struct net_conn *watched(struct server *server) {
    pthread_mutex_lock(&server->service.lock);
    struct net_conn *conn = net_conn_ref(server->service.watched);
    pthread_mutex_unlock(&server->service.lock);
    return conn;
}

static void test_wake(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "WATCH\n");
    client_expect(client, "OK");
    struct net_conn *conn = watched(server);
    int64_t worst = 0, sum = 0;
    for (int i = 0; i < 200; i++) {
        int64_t start = g_get_monotonic_time();
        net_conn_wake(conn);
        client_expect(client, "WOKE");
        int64_t took = g_get_monotonic_time() - start;
        worst = MAX(worst, took);
        sum += took;
    }
    g_test_message("wake to client: mean %ld us, worst %ld us", (long)(sum / 200), (long)worst);
    g_assert_cmpint(sum / 200, <, 20000);

    // Wakes during a job come after it, as one.
    client_send(client, "SLEEP 100\n");
    wait_for(server->service.units == 2);
    unsigned before = server->service.wakes;
    for (int i = 0; i < 50; i++)
        net_conn_wake(conn);
    client_expect(client, "SLEPT");
    client_expect(client, "WOKE");
    client_send(client, "ECHO x\n");
    client_expect(client, "x");
    g_assert_cmpuint(server->service.wakes, ==, before + 1);

    client_send(client, "BYESOON\n");
    client_expect(client, "OK");
    net_conn_wake(conn);
    client_expect(client, NULL);
    client_free(client);
    wait_for(server->service.closed == 1);
    net_conn_wake(conn); // does nothing
    server_free(server);
    net_conn_wake(conn);
    net_conn_unref(conn);
}

// A partial line is in the buffer while wakes come: it is neither run nor lost.
static void test_wake_mid_line(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "WATCH\nECHO ha");
    client_expect(client, "OK");
    struct net_conn *conn = watched(server);
    net_conn_wake(conn);
    client_expect(client, "WOKE");
    client_send(client, "lf\n");
    client_expect(client, "half");
    net_conn_unref(conn);
    client_free(client);
    server_free(server);
}

// NET_WAIT: nothing runs before the wake, whether it comes early, late or not at all.
static void test_wait(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "IDLE 1\nLATER\nECHO after\n");
    client_expect(client, "OK");
    wait_for(server->service.units == 2);
    g_usleep(2500 * 1000); // not idle either: it is we who owe an answer
    g_assert_cmpuint(server->service.units, ==, 2);
    struct net_conn *conn = watched(server);
    net_conn_wake(conn);
    net_conn_unref(conn);
    client_expect(client, "WOKE");
    client_expect(client, "after");
    client_send(client, "SELF\nECHO again\n");
    client_expect(client, "WOKE");
    client_expect(client, "again");

    client_send(client, "LATER\nECHO last\n"); // the client has said all it wants to
    shutdown(client->fd, SHUT_WR);
    wait_for(server->service.units == 6);
    conn = watched(server);
    net_conn_wake(conn);
    net_conn_unref(conn);
    client_expect(client, "WOKE");
    client_expect(client, "last");
    client_expect(client, NULL);
    client_free(client);

    client = client_new(server); // or is gone before the answer
    client_expect(client, "HELLO");
    client_send(client, "LATER\n");
    wait_for(server->service.units == 8);
    client_reset(client);
    wait_for(server->service.closed == 2);
    conn = watched(server);
    net_conn_wake(conn);
    net_conn_unref(conn);
    server_free(server);
}

static void test_idle(void) {
    struct server *server = server_new(&(struct net_listen){.idle_seconds = 60});
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "IDLE 1\n"); // nearer than what was scheduled
    client_expect(client, "OK");
    int64_t start = g_get_monotonic_time();
    client_expect(client, "TIMEOUT");
    client_expect(client, NULL);
    g_assert_cmpint(g_get_monotonic_time() - start, >, 900000);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 6000000);
    client_free(client);
    server_free(server);
}

static void test_write_timeout(void) {
    struct server *server = server_new(NULL);
    server->net->write_seconds = 1;
    struct client *client = g_new0(struct client, 1);
    client->fd = client_socket(server, 16 * 1024);
    client_expect(client, "HELLO");
    client_send(client, "BIG 50000000\n");
    wait_for(server->service.closed == 1);
    g_assert_cmpuint(server->service.units, ==, 1);
    client_free(client);
    server_free(server);
}

static void test_half_close(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "SLEEP 20\nECHO one\nBIG 3000000\nECHO two\nrest");
    shutdown(client->fd, SHUT_WR);
    client_expect(client, "SLEPT");
    client_expect(client, "one");
    g_assert_cmpuint(client->len, <=, sizeof client->buf);
    size_t total = client->len;
    char buf[65536], last[4] = "";
    ssize_t n;
    while ((n = client_read(client, buf, sizeof buf)) > 0) {
        total += (size_t)n;
        memcpy(last, buf + MAX(n, 4) - 4, 4);
    }
    g_assert_cmpint(n, ==, 0);
    g_assert_cmpuint(total, ==, 3000001 + 4);
    g_assert_cmpmem(last, 4, "two\n", 4);
    client_free(client);
    server_free(server);
}

static void test_abort_and_reset(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    client_send(client, "ABORT\n");
    client_expect(client, NULL);
    client_free(client);
    wait_for(server->service.closed == 1);
    for (int i = 0; i < 200; i++) {
        client = client_new(server);
        if (i % 4 > 0)
            client_expect(client, "HELLO");
        if (i % 4 > 1)
            client_send(client, "ECHO x\nBIG 5000000\nECHO y\n");
        if (i % 4 > 2)
            g_usleep(500);
        client_reset(client);
    }
    // Those reset before they were accepted never opened.
    wait_for(server->service.opened == server->service.closed);
    struct net_stats stats;
    wait_for((net_stats(server->net, &stats), stats.open_now == 0));
    server_free(server);
}

static void test_refuse(void) {
    struct server *server = server_new(NULL);
    server->service.refuse = true;
    struct client *client = client_new(server);
    client_expect(client, "BUSY");
    client_expect(client, NULL);
    client_free(client);
    server_free(server);
}

static void test_limits(void) {
    struct server *server = server_new(&(struct net_listen){.max_connections = 2});
    struct client *a = client_new(server), *b = client_new(server);
    client_expect(a, "HELLO");
    client_expect(b, "HELLO");
    struct client *c = client_new(server);
    client_expect(c, NULL);
    client_free(c);
    client_free(a);
    struct net_stats stats;
    wait_for((net_stats(server->net, &stats), stats.open_now == 1));
    g_assert_cmpuint(stats.refused, ==, 1);
    c = client_new(server);
    client_expect(c, "HELLO");
    client_free(b);
    client_free(c);
    server_free(server);
}

// Loopback is excepted from the limit a peer address, so it is asked directly.
static void test_addresses(void) {
    struct sockaddr_storage ss;
    socklen_t len;
    static const struct {
        const char *text, *plain;
        bool loopback;
    } good[] = {
        {"127.0.0.1:25", "127.0.0.1", true},
        {"127.9.9.9:1", "127.9.9.9", true},
        {"[::1]:25", "::1", true},
        {"[::]:143", "::", false},
        {"0.0.0.0:25", "0.0.0.0", false},
        {"[::ffff:127.0.0.1]:2", "127.0.0.1", true},
        {"[2001:db8::7]:1", "2001:db8::7", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        assert_ok(net_address_parse(good[i].text, &ss, &len));
        struct net_address address = net_address_of(&ss);
        g_autofree char *plain = net_address_text(&address);
        g_assert_cmpstr(plain, ==, good[i].plain);
        g_assert_cmpint(net_address_is_loopback(&address), ==, good[i].loopback);
    }
    g_autofree char *text = net_address_format_port(&ss);
    g_assert_cmpstr(text, ==, "[2001:db8::7]:1");
    static const char *const bad[] = {
        "",    ":25",       "127.0.0.1", "127.0.0.1:", "[::1]", "[]:1",
        "x:1", "1.2.3.4:x", "host:25",   "[::1:25",    "::"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(net_address_parse(bad[i], &ss, &len), EC_INVALID_PARAMETER);
}

static void test_listen_errors(void) {
    struct server *server = server_new(NULL);
    struct net_listen again = {
        .address = server->address, .proto = &echo_proto, .service = &server->service};
    char *bound = NULL;
    assert_ec(net_listen(server->net, &again, &bound), EC_NETWORK_ERROR);
    again.address = "nowhere";
    assert_ec(net_listen(server->net, &again, &bound), EC_NETWORK_ERROR);
    g_assert_null(bound);
    server_free(server);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/echo", test_echo);
    g_test_add_func("/net/pipelining", test_pipelining);
    g_test_add_func("/net/chunks", test_chunks);
    g_test_add_func("/net/too-long", test_too_long);
    g_test_add_func("/net/slow-reader", test_slow_reader);
    g_test_add_func("/net/output-high", test_output_high);
    g_test_add_func("/net/wake", test_wake);
    g_test_add_func("/net/wake-mid-line", test_wake_mid_line);
    g_test_add_func("/net/wait", test_wait);
    g_test_add_func("/net/idle", test_idle);
    g_test_add_func("/net/write-timeout", test_write_timeout);
    g_test_add_func("/net/half-close", test_half_close);
    g_test_add_func("/net/abort-and-reset", test_abort_and_reset);
    g_test_add_func("/net/refuse", test_refuse);
    g_test_add_func("/net/limits", test_limits);
    g_test_add_func("/net/addresses", test_addresses);
    g_test_add_func("/net/listen-errors", test_listen_errors);
    return g_test_run();
}
