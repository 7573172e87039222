// Addresses: what is one, and which are equal.
#include "directory/address.h"

#include <string.h>

#include "base/test.h"

static void test_good(void) {
    static const struct {
        const char *text, *local, *domain, *canonical, *key;
    } cases[] = {
        {"Alice@Example.TEST", "Alice", "example.test", "Alice@example.test", "alice@example.test"},
        {"a.b+c@x", "a.b+c", "x", "a.b+c@x", "a.b+c@x"},
        {"\"alice\"@x.test", "alice", "x.test", "alice@x.test", "alice@x.test"},
        {"\"a b\\\"c\"@x.test", "a b\"c", "x.test", "\"a b\\\"c\"@x.test", "a b\"c@x.test"},
        {"\"a@b\"@x.test", "a@b", "x.test", "\"a@b\"@x.test", "a@b@x.test"},
        {"\"a..b\"@x.test", "a..b", "x.test", "\"a..b\"@x.test", "a..b@x.test"},
        {"Jörg@Bücher.example", "Jörg", "xn--bcher-kva.example", "Jörg@xn--bcher-kva.example",
         "jörg@xn--bcher-kva.example"},
        {"JÖRG@xn--bcher-KVA.example", "JÖRG", "xn--bcher-kva.example",
         "JÖRG@xn--bcher-kva.example", "jörg@xn--bcher-kva.example"},
        // Decomposed and composed are one.
        {"jo\xcc\x88rg@x.test", "jo\xcc\x88rg", "x.test", "jo\xcc\x88rg@x.test", "jörg@x.test"},
        {"a@straße.test", "a", "xn--strae-oqa.test", "a@xn--strae-oqa.test",
         "a@xn--strae-oqa.test"},
        {"a@[IPv6:2001:DB8::1]", "a", "[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]",
         "a@[ipv6:2001:db8::1]"},
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct address a;
        assert_ok(address_parse(arena, cases[i].text, &a));
        g_assert_cmpstr(a.local, ==, cases[i].local);
        g_assert_cmpstr(a.domain, ==, cases[i].domain);
        g_assert_cmpstr(a.text, ==, cases[i].canonical);
        g_assert_cmpstr(a.key, ==, cases[i].key);
        // The canonical text means the same.
        struct address again;
        assert_ok(address_parse(arena, a.text, &again));
        g_assert_cmpstr(again.key, ==, a.key);
        g_assert_cmpstr(again.text, ==, a.text);
    }
}

static void test_bad(void) {
    static const char *const cases[] = {
        "",           "alice",    "@x.test",    "alice@",         "a@b@c",       ".a@x",
        "a.@x",       "a..b@x",   "a b@x",      "a@x y",          "a@-x",        "a@x-",
        "a@x..y",     "a@.x",     "a@x.",       "a@x_y",          "a@[",         "a@[]",
        "a@[1.2.3.4", "a@[1\\2]", "\"a@x",      "\"a\"b@x",       "\"a\\",       "\"\"@x",
        "a\x01@x",    "a@x\n",    "\"a\nb\"@x", "a\xff@x",        "a\xc2\x85@x", "<a@x>",
        "a(c)@x",     "a,b@x",    "\xc2\xad@x", "a@\xc3\x9f\xff",
    };
    ARENA_AUTO arena = arena_new();
    struct address a;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (address_parse(arena, cases[i], &a) != EC_INVALID_PARAMETER)
            g_error("taken for an address: %s", cases[i]);
}

static void test_lengths(void) {
    ARENA_AUTO arena = arena_new();
    struct address a;
    g_autofree char *l64 = g_strnfill(64, 'l'), *l65 = g_strnfill(65, 'l');
    g_autofree char *d63 = g_strnfill(63, 'd');
    assert_ok(address_parse(arena, arena_printf(arena, "%s@x.test", l64), &a));
    assert_ec(address_parse(arena, arena_printf(arena, "%s@x.test", l65), &a),
              EC_INVALID_PARAMETER);
    assert_ok(address_parse(arena, arena_printf(arena, "a@%s.test", d63), &a));
    assert_ec(address_parse(arena, arena_printf(arena, "a@%sd.test", d63), &a),
              EC_INVALID_PARAMETER);
    assert_ok(
        address_parse(arena, arena_printf(arena, "a@%s.%s.%s.%.61s", d63, d63, d63, d63), &a));
    g_assert_cmpuint(strlen(a.domain), ==, 253);
    assert_ec(address_parse(arena, arena_printf(arena, "a@%s.%s.%s.%.62s", d63, d63, d63, d63), &a),
              EC_INVALID_PARAMETER);
    g_autofree char *huge = g_strnfill(1 << 20, 'a');
    assert_ec(address_parse(arena, huge, &a), EC_INVALID_PARAMETER);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/address/good", test_good);
    g_test_add_func("/address/bad", test_bad);
    g_test_add_func("/address/lengths", test_lengths);
    return g_test_run();
}
