// The PROXY protocol: headers good and bad, and connections that begin with one; and answers that
// come late.
#include "net/echo_test.h"

#define MARK "\r\n\r\n\0\r\nQUIT\n"
#define V2_TCP4 MARK "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x9c\x40\0\x19"

static void assert_parses(const void *data, size_t len, ssize_t expected, const char *peer) {
    struct net_proxy proxy;
    for (size_t n = 0; n < len && expected > 0 && n < (size_t)expected; n++)
        g_assert_cmpint(net_proxy_parse(data, n, &proxy), ==, 0);
    g_assert_cmpint(net_proxy_parse(data, len, &proxy), ==, expected);
    if (expected < 0)
        return;
    g_assert_cmpint(proxy.has_address, ==, peer != NULL);
    if (peer) {
        g_autofree char *text = net_address_text(&proxy.peer);
        g_assert_cmpstr(text, ==, peer);
    }
}

#define GOOD(text, extra, peer)                                                                    \
    assert_parses(text extra, sizeof text extra - 1, (ssize_t)sizeof text - 1, peer)
#define BAD(text) assert_parses(text, sizeof text - 1, -1, NULL)

static void test_parse(void) {
    GOOD("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n", "", "192.0.2.1");
    GOOD("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n", "EHLO x\r\n", "192.0.2.1");
    GOOD("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "", "2001:db8::1");
    GOOD("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n", "", "192.0.2.1");
    GOOD("PROXY UNKNOWN\r\n", "", NULL);
    GOOD("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "x", NULL);
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 40000 70000\r\n");
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n");
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25 x\r\n");
    BAD("PROXY TCP4 2001:db8::1 192.0.2.2 40000 25\r\n");
    BAD("PROXY UDP4 192.0.2.1 192.0.2.2 40000 25\r\n");
    BAD("PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\n");
    BAD("PROXY \r\n");
    BAD("EHLO x\r\n");
    BAD("\x16\x03\x01");
    GOOD(V2_TCP4, "", "192.0.2.1");
    GOOD(V2_TCP4, "EHLO x\r\n", "192.0.2.1");
    GOOD(MARK "\x20\0\0\0", "EHLO", NULL);
    GOOD(MARK "\x20\x11\0\x02zz", "EHLO", NULL);
    GOOD(MARK "\x21\0\0\x03"
              "abc",
         "", NULL);
    GOOD(MARK "\x21\x21\0\x27" // with an addition
              "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"
              "\4\0\0",
         "", "2001:db8::1");
    BAD(MARK "\x21\x11\0\x0b"
             "abcdefghijk");
    BAD(MARK "\x31\x11\0\x0c");
    BAD(MARK "\x22\x11\0\x0c");
    BAD(MARK "\x21\x11\xff\xff");
    g_autofree char *longest = g_strnfill(200, 'x');
    g_autofree char *line = g_strconcat("PROXY UNKNOWN ", longest, "\r\n", NULL);
    assert_parses(line, strlen(line), -1, NULL);
}

static struct server *proxied(const char *trusted, unsigned max_per_address) {
    struct net_networks *networks = NULL;
    g_autofree char *error = NULL;
    assert_ok(net_networks_parse(trusted, &networks, &error));
    struct net_listen spec = {.proxies = networks, .max_per_address = max_per_address};
    struct server *server = server_new(&spec);
    net_networks_unref(networks);
    return server;
}

static void test_connections(void) {
    struct server *server = proxied("127.0.0.0/8", 0);
    struct client *v1 = client_new(server), *v2 = client_new(server), *own = client_new(server);
    client_send(v1, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\nPEER\n");
    client_expect(v1, "HELLO");
    client_expect(v1, "192.0.2.1");
    for (size_t i = 0; i < sizeof V2_TCP4 - 1; i++) { // byte by byte, the end with what follows
        g_usleep(500);
        client_send_bytes(v2, V2_TCP4 + i, 1);
    }
    client_expect(v2, "HELLO");
    client_send(v2, "PEER\n");
    client_expect(v2, "192.0.2.1");
    client_send(own, "PROXY UNKNOWN\r\nPEER\n");
    client_expect(own, "HELLO");
    client_expect(own, "127.0.0.1");
    struct client *none = client_new(server);
    client_send(none, "PEER\n");
    client_expect(none, NULL);
    client_free(v1);
    client_free(v2);
    client_free(own);
    client_free(none);
    server_free(server);
}

static void test_strangers(void) {
    struct server *server = proxied("10.0.0.0/8", 0);
    struct client *client = client_new(server);
    client_send(client, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n");
    client_expect(client, NULL);
    client_free(client);
    g_assert_cmpuint(server->service.opened, ==, 0);
    server_free(server);
}

// The limit of an address counts clients, not the proxy.
static void test_limits(void) {
    struct server *server = proxied("127.0.0.1", 1);
    struct client *a = client_new(server), *b = client_new(server), *again = client_new(server);
    client_send(a, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n");
    client_expect(a, "HELLO");
    client_send(b, "PROXY TCP4 192.0.2.9 192.0.2.2 40000 25\r\n");
    client_expect(b, "HELLO");
    client_send(again, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n");
    client_expect(again, NULL);
    client_free(again);
    client_free(a);
    wait_for(server->service.closed == 1);
    for (bool is_in = false; !is_in;) { // the place is free soon after
        a = client_new(server);
        client_send(a, "PROXY TCP4 192.0.2.1 192.0.2.2 40000 25\r\n");
        g_autofree char *line = client_line(a);
        is_in = line != NULL;
        client_free(a);
    }
    client_free(b);
    server_free(server);
}

// A header that does not come ends the connection, and a stop does not wait for it.
static void test_silence(void) {
    struct server *server = proxied("127.0.0.1", 0);
    server->net->handshake_seconds = 1;
    struct client *client = client_new(server);
    client_send(client, "PROX");
    client_expect(client, NULL);
    client_free(client);
    server->net->handshake_seconds = 100;
    client = client_new(server);
    client_send(client, "PROX");
    server_free(server);
    client_expect(client, NULL);
    client_free(client);
}

static void test_wake_after(void) {
    struct server *server = server_new(NULL);
    struct client *client = client_new(server);
    client_expect(client, "HELLO");
    int64_t start = g_get_monotonic_time();
    client_send(client, "SLOW 1\nECHO after\n");
    client_expect(client, "WOKE");
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 900000);
    client_expect(client, "after");
    g_assert_cmpuint(server->service.wakes, ==, 1);
    client_free(client);
    server_free(server);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/proxy/parse", test_parse);
    g_test_add_func("/proxy/connections", test_connections);
    g_test_add_func("/proxy/strangers", test_strangers);
    g_test_add_func("/proxy/limits", test_limits);
    g_test_add_func("/proxy/silence", test_silence);
    g_test_add_func("/net/wake-after", test_wake_after);
    return g_test_run();
}
