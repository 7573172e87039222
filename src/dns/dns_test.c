// Questions to a real name server, answers that do not come, and bytes that are no records.
#include "base/test.h"
#include "dns/dns_fixture.h"
#include "dns/dns_internal.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct dns_fixture_zone zones[] = {
    {.name = "plain.test",
     .records = "@ MX 20 mx2\n@ MX 10 mx1\n@ TXT \"v=spf1 \" \"-all\"\nmx1 A 192.0.2.1\n"
                "mx1 A 192.0.2.2\nmx1 AAAA 2001:db8::1\nwww CNAME mx1\nloose CNAME gone\n"
                "null MX 0 .\n_imaps._tcp SRV 5 7 993 mx1\n_imaps._tcp SRV 1 0 994 mx2\n"
                "xn--bcher-kva A 192.0.2.9\nodd TXT \"a\\000b\"\nodd MX 1 bad\\032name\n"
                "* TXT \"any\"\nptr PTR mx1\n"},
    {.name = "signed.test",
     .records = "@ MX 10 mx\nmx A 192.0.2.3\n_25._tcp.mx TLSA 3 1 1 " DIGEST "\n",
     .is_signed = true},
    {.name = "bogus.test",
     .records = "@ A 192.0.2.4\n",
     .is_signed = true,
     .has_wrong_anchor = true},
};

static struct dns_fixture fixture;
static bool has_server;

static bool lookup(struct arena *arena, const char *name, enum dns_type type,
                   struct dns_answer *out) {
    if (!has_server) {
        g_test_skip("knot is not installed");
        return false;
    }
    dns_lookup(fixture.dns, arena, name, type, out);
    return true;
}

static void test_mx_is_sorted(void) {
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    if (!lookup(arena, "plain.TEST", DNS_MX, &a))
        return;
    g_assert_cmpint(a.status, ==, DNS_OK);
    g_assert_cmpuint(a.n, ==, 2);
    g_assert_cmpstr(a.records[0].host, ==, "mx1.plain.test");
    g_assert_cmpuint(a.records[0].number, ==, 10);
    g_assert_cmpstr(a.records[1].host, ==, "mx2.plain.test");
    g_assert_false(a.is_secure);
    g_assert_cmpuint(a.ttl, <=, 300);
    g_assert_cmpuint(a.ttl, >, 0);
}

static void test_every_type(void) {
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    if (!lookup(arena, "mx1.plain.test.", DNS_A, &a))
        return;
    g_assert_cmpuint(a.n, ==, 2);
    g_assert_true(g_str_has_prefix(a.records[0].address, "192.0.2."));
    lookup(arena, "mx1.plain.test", DNS_AAAA, &a);
    g_assert_cmpstr(a.records[0].address, ==, "2001:db8::1");
    lookup(arena, "plain.test", DNS_TXT, &a);
    g_assert_cmpstr(a.records[0].text, ==, "v=spf1 -all");
    lookup(arena, "_imaps._tcp.plain.test", DNS_SRV, &a);
    g_assert_cmpuint(a.n, ==, 2);
    g_assert_cmpuint(a.records[0].port, ==, 994);
    g_assert_cmpuint(a.records[1].weight, ==, 7);
    g_assert_cmpstr(a.records[1].host, ==, "mx1.plain.test");
    lookup(arena, "www.plain.test", DNS_A, &a); // through the CNAME
    g_assert_cmpuint(a.n, ==, 2);
    lookup(arena, "www.plain.test", DNS_CNAME, &a);
    g_assert_cmpstr(a.records[0].host, ==, "mx1.plain.test");
    lookup(arena, "ptr.plain.test", DNS_PTR, &a);
    g_assert_cmpstr(a.records[0].host, ==, "mx1.plain.test");
    lookup(arena, "null.plain.test", DNS_MX, &a);
    g_assert_cmpstr(a.records[0].host, ==, "");
    lookup(arena,
           "b\xc3\xbc"
           "cher.plain.test",
           DNS_A, &a);
    g_assert_cmpstr(a.records[0].address, ==, "192.0.2.9");
    lookup(arena, "odd.plain.test", DNS_TXT, &a);
    g_assert_cmpstr(a.records[0].text, ==, "a?b");
    lookup(arena, "odd.plain.test", DNS_MX, &a); // a name that no host has
    g_assert_cmpint(a.status, ==, DNS_NO_DATA);
}

static void test_denials(void) {
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    if (!lookup(arena, "nothing.signed.test", DNS_A, &a))
        return;
    g_assert_cmpint(a.status, ==, DNS_NO_NAME);
    g_assert_true(a.is_secure);
    lookup(arena, "mx.signed.test", DNS_AAAA, &a);
    g_assert_cmpint(a.status, ==, DNS_NO_DATA);
    g_assert_true(a.is_secure);
    lookup(arena, "mx1.plain.test", DNS_TLSA, &a);
    g_assert_cmpint(a.status, ==, DNS_NO_DATA);
    g_assert_false(a.is_secure);
    static const char *const bad[] = {"",
                                      ".",
                                      "a..b",
                                      "a b.test",
                                      "a\\046.test",
                                      "\xff.test",
                                      ".a.b",
                                      "a\nb",
                                      "0123456789012345678901234567890123456789"
                                      "012345678901234567890123456789.test"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        lookup(arena, bad[i], DNS_A, &a);
        g_assert_cmpint(a.status, ==, DNS_NO_NAME);
        g_assert_cmpuint(a.n, ==, 0);
    }
}

static void test_dnssec(void) {
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    if (!lookup(arena, "_25._tcp.mx.signed.test", DNS_TLSA, &a))
        return;
    g_assert_cmpint(a.status, ==, DNS_OK);
    g_assert_true(a.is_secure);
    g_assert_cmpuint(a.records[0].usage, ==, 3);
    g_assert_cmpuint(a.records[0].len, ==, 32);
    g_assert_cmphex(a.records[0].data[1], ==, 0x23);
    lookup(arena, "bogus.test", DNS_A, &a);
    g_assert_cmpint(a.status, ==, DNS_BOGUS);
    g_assert_cmpuint(a.n, ==, 0);
    struct dns_stats stats;
    dns_stats(fixture.dns, &stats);
    g_assert_cmpuint(stats.bogus, ==, 1);
}

static gpointer ask_often(gpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < 50; i++) {
        struct dns_answer a;
        const char *name = arena_printf(arena, "n%u.plain.test", i % 20);
        dns_lookup(fixture.dns, arena, name, DNS_TXT, &a);
        g_assert_cmpint(a.status, ==, DNS_OK);
        g_assert_cmpstr(a.records[0].text, ==, "any");
    }
    return NULL;
}

static void test_many_threads(void) {
    if (!has_server) {
        g_test_skip("knot is not installed");
        return;
    }
    GThread *threads[8];
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("asker", ask_often, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
}

// A server that takes questions and never answers.
static void test_deadline(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof address;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(udp, (struct sockaddr *)&address, sizeof address), ==, 0);
    getsockname(udp, (struct sockaddr *)&address, &len);
    g_autofree char *server = g_strdup_printf("127.0.0.1:%u", ntohs(address.sin_port));
    struct dns_options options = {.servers = server, .trust_anchor = "none", .timeout_ms = 200};
    struct dns *dns;
    assert_ok(dns_new(&options, &dns));
    gint64 start = g_get_monotonic_time();
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    dns_lookup(dns, arena, "mx1.plain.test", DNS_A, &a);
    g_assert_cmpint(a.status, ==, DNS_FAILED);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    struct dns_stats stats;
    dns_stats(dns, &stats);
    g_assert_cmpuint(stats.questions, ==, 1);
    g_assert_cmpuint(stats.failures, ==, 1);
    // After a few of them nobody waits for long.
    for (unsigned i = 0; i < 5; i++)
        dns_lookup(dns, arena, arena_printf(arena, "n%u.plain.test", i), DNS_A, &a);
    start = g_get_monotonic_time();
    for (unsigned i = 0; i < 5; i++)
        dns_lookup(dns, arena, arena_printf(arena, "m%u.plain.test", i), DNS_A, &a);
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
    dns_free(dns); // with the question still on its way
    close(udp);
}

static void test_options(void) {
    ARENA_AUTO arena = arena_new();
    struct dns_answer a;
    struct dns *dns = NULL;
    static const char *const bad[] = {"nonsense", "127.0.0.1:0", "127.0.0.1:99999", "[::1",
                                      "[::1]x53"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct dns_options options = {.servers = bad[i], .trust_anchor = "none"};
        assert_ec(dns_new(&options, &dns), EC_INVALID_PARAMETER);
    }
    struct dns_options options = {.servers = "127.0.0.1", .trust_anchor = "/nonexistent/anchor"};
    assert_ec(dns_new(&options, &dns), EC_INVALID_PARAMETER);
    options = (struct dns_options){.servers = "192.0.2.1 2001:db8::1,[2001:db8::2]:53",
                                   .trust_anchor = "none"};
    assert_ok(dns_new(&options, &dns));
    dns_free(dns);
    options = (struct dns_options){.servers = "off"};
    assert_ok(dns_new(&options, &dns));
    dns_lookup(dns, arena, "example.test", DNS_A, &a);
    g_assert_cmpint(a.status, ==, DNS_FAILED);
    dns_free(dns);
    dns_free(NULL);
}

static void test_reverse_names(void) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(dns_reverse_name(arena, "192.0.2.1"), ==, "1.2.0.192.in-addr.arpa");
    g_assert_cmpstr(dns_reverse_name(arena, "::ffff:192.0.2.1"), ==, "1.2.0.192.in-addr.arpa");
    g_assert_cmpstr(dns_reverse_name(arena, "2001:db8::567:89ab"), ==,
                    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    g_assert_null(dns_reverse_name(arena, "example.test"));
}

// Records that are cut, too long or hold what text cannot.
static void test_bad_records(void) {
    static const struct {
        enum dns_type type;
        const char *bytes;
        size_t len;
    } bad[] = {
        {DNS_A, "\xc0\x00\x02", 3},
        {DNS_A, "\xc0\x00\x02\x01\x01", 5},
        {DNS_AAAA, "\xc0\x00\x02\x01", 4},
        {DNS_MX, "\x00\x0a", 2},
        {DNS_MX, "\x00\x0a\x04mai", 6},
        {DNS_MX, "\x00\x0a\x04mail", 7},
        {DNS_MX, "\x00\x0a\xc0\x0c", 4}, // a pointer
        {DNS_MX, "\x00\x0a\x01 \x00", 5},
        {DNS_PTR, "\x03\r\na\x00", 5},
        {DNS_TXT, "\x05ve", 3},
        {DNS_SRV, "\0\1\0\1\0", 5},
        {DNS_TLSA, "\3\1", 2},
        {(enum dns_type)6, "\0\0", 2},
    };
    ARENA_AUTO arena = arena_new();
    struct dns_record record;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(dns_rdata_parse(arena, bad[i].type, bad[i].bytes, bad[i].len, &record));
    g_assert_true(dns_rdata_parse(arena, DNS_TXT, "", 0, &record));
    g_assert_cmpstr(record.text, ==, "");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    has_server = dns_fixture_start(&fixture, zones, G_N_ELEMENTS(zones));
    g_test_add_func("/dns/mx is sorted", test_mx_is_sorted);
    g_test_add_func("/dns/every type", test_every_type);
    g_test_add_func("/dns/denials", test_denials);
    g_test_add_func("/dns/dnssec", test_dnssec);
    g_test_add_func("/dns/many threads", test_many_threads);
    g_test_add_func("/dns/deadline", test_deadline);
    g_test_add_func("/dns/options", test_options);
    g_test_add_func("/dns/reverse names", test_reverse_names);
    g_test_add_func("/dns/bad records", test_bad_records);
    int status = g_test_run();
    if (has_server)
        dns_fixture_stop(&fixture);
    return status;
}
