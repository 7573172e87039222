// Sets of networks: what is in them, what is none.
#include "net/networks.h"

#include "base/test.h"

static void test_have(void) {
    struct net_networks *networks = NULL;
    g_autofree char *error = NULL;
    assert_ok(net_networks_parse("10.0.0.0/8, 192.0.2.1 2001:db8::/33,::ffff:198.51.100.7,,"
                                 "203.0.113.128/25",
                                 &networks, &error));
    static const struct {
        const char *address;
        bool is_in;
    } cases[] = {
        {"10.255.0.1", true},
        {"11.0.0.0", false},
        {"192.0.2.1", true},
        {"192.0.2.2", false},
        {"::ffff:192.0.2.1", true},
        {"198.51.100.7", true},
        {"2001:db8:7fff::1", true},
        {"2001:db8:8000::1", false},
        {"203.0.113.128", true},
        {"203.0.113.127", false},
        {"::1", false},
        {"unknown", false},
        {"", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(net_networks_have(networks, cases[i].address), ==, cases[i].is_in);
    g_assert_false(net_networks_have(NULL, "10.0.0.1"));
    struct net_networks *other = net_networks_ref(networks);
    net_networks_unref(networks);
    g_assert_true(net_networks_have(other, "10.0.0.1"));
    net_networks_unref(other);
    net_networks_unref(NULL);

    assert_ok(net_networks_parse("0.0.0.0/0", &networks, &error));
    g_assert_true(net_networks_have(networks, "198.51.100.1"));
    g_assert_false(net_networks_have(networks, "2001:db8::1"));
    net_networks_unref(networks);
}

static void test_errors(void) {
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0/8",       "host.example.test",
                                      "::/129",      "10.0.0.0/8/8",   "10.0.0.0/-1",
                                      "10.0.0.0/",   "192.0.2.1, all", "::ffff:10.0.0.0/104"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct net_networks *networks = NULL;
        g_autofree char *error = NULL;
        assert_ec(net_networks_parse(bad[i], &networks, &error), EC_INVALID_PARAMETER);
        g_assert_nonnull(strstr(error, "is no network"));
    }
    g_assert_true(net_text_is_loopback("127.3.2.1"));
    g_assert_true(net_text_is_loopback("::1"));
    g_assert_true(net_text_is_loopback("::ffff:127.0.0.1"));
    g_assert_false(net_text_is_loopback("128.0.0.1"));
    g_assert_false(net_text_is_loopback("localhost"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/networks/have", test_have);
    g_test_add_func("/networks/errors", test_errors);
    return g_test_run();
}
