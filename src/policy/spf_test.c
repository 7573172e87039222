// SPF: the grammar, the macros of [RFC 7208] 7.4, and whole checks against a real name server.
#include "dns/dns_fixture.h"
#include "policy/spf_internal.h"

static const struct dns_fixture_zone zones[] = {
    {.name = "spf.test",
     .records =
         "pass TXT \"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all\"\n"
         "soft TXT \"v=spf1 ~all\"\n"
         "neutral TXT \"v=spf1 ?all\"\n"
         "empty TXT \"v=spf1\"\n"
         "two TXT \"v=spf1 -all\"\ntwo TXT \"v=spf1 +all\"\n"
         "other TXT \"some text\"\nother TXT \"v=spf10 +all\"\n"
         "bad TXT \"v=spf1 +all ip4:999.1.1.1\"\n"
         "a A 192.0.2.7\na AAAA 2001:db8::7\na TXT \"v=spf1 a -all\"\n"
         "acidr A 192.0.2.7\nacidr TXT \"v=spf1 a/24 -all\"\n"
         "aother TXT \"v=spf1 a:a.spf.test -all\"\n"
         "mx MX 10 a\nmx MX 20 none\nmx TXT \"v=spf1 mx -all\"\n"
         "exists TXT \"v=spf1 exists:%{ir}.list.spf.test -all\"\n"
         "7.2.0.192.list A 127.0.0.2\n"
         "include TXT \"v=spf1 include:pass.spf.test -all\"\n"
         "incnone TXT \"v=spf1 include:nothing.spf.test -all\"\n"
         "redirect TXT \"v=spf1 redirect=pass.spf.test\"\n"
         "rednone TXT \"v=spf1 redirect=nothing.spf.test\"\n"
         "loop TXT \"v=spf1 include:loop.spf.test -all\"\n"
         "redloop TXT \"v=spf1 redirect=redloop.spf.test\"\n"
         "many TXT \"v=spf1 a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test "
         "a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test +all\"\n"
         "ten TXT \"v=spf1 a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test "
         "a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test a:a.spf.test +all\"\n"
         "voids TXT \"v=spf1 a:v1.spf.test a:v2.spf.test a:v3.spf.test +all\"\n"
         "void2 TXT \"v=spf1 a:v1.spf.test a:v2.spf.test -all\"\n"
         "exp TXT \"v=spf1 -all exp=why.spf.test\"\n"
         "why TXT \"%{i} is not allowed to send for %{d}; see https://%{h}/?s=%{S}\"\n"
         "incexp TXT \"v=spf1 include:exp.spf.test -all\"\n"
         "ptr TXT \"v=spf1 ptr:spf.test -all\"\n"
         "long TXT \"v=spf1 ip4:198.51.100.1 \" \"ip4:192.0.2.7 -all\"\n"},
    {.name = "2.0.192.in-addr.arpa", .records = "7 PTR a.spf.test.\n8 PTR a.spf.test.\n"},
};

static struct dns_fixture fixture;
static bool has_server;

static enum spf_result check(struct arena *arena, const char *client, const char *sender,
                             struct spf_answer *out) {
    const struct resolver resolver = {.dns = fixture.dns};
    struct spf_question q = {
        .client = client, .helo = "pass.spf.test", .sender = sender, .hostname = "mx.here.test"};
    spf_check(&resolver, arena, &q, out);
    return out->result;
}

static void test_checks(void) {
    static const struct {
        const char *domain, *client;
        enum spf_result result;
    } cases[] = {
        {"pass.spf.test", "192.0.2.1", SPF_PASS},
        {"pass.spf.test", "::ffff:192.0.2.1", SPF_PASS},
        {"pass.spf.test", "198.51.100.1", SPF_FAIL},
        {"pass.spf.test", "2001:db8:1::1", SPF_PASS},
        {"pass.spf.test", "2001:db9::1", SPF_FAIL},
        {"soft.spf.test", "192.0.2.1", SPF_SOFTFAIL},
        {"neutral.spf.test", "192.0.2.1", SPF_NEUTRAL},
        {"empty.spf.test", "192.0.2.1", SPF_NEUTRAL},
        {"nothing.spf.test", "192.0.2.1", SPF_NONE},
        {"other.spf.test", "192.0.2.1", SPF_NONE},
        {"test", "192.0.2.1", SPF_NONE},
        {"a..spf.test", "192.0.2.1", SPF_NONE},
        {"[192.0.2.1]", "192.0.2.1", SPF_NONE},
        {"two.spf.test", "192.0.2.1", SPF_PERMERROR},
        {"bad.spf.test", "192.0.2.1", SPF_PERMERROR}, // although +all comes first
        {"a.spf.test", "192.0.2.7", SPF_PASS},
        {"a.spf.test", "2001:db8::7", SPF_PASS},
        {"a.spf.test", "192.0.2.8", SPF_FAIL},
        {"acidr.spf.test", "192.0.2.200", SPF_PASS},
        {"aother.spf.test", "192.0.2.7", SPF_PASS},
        {"mx.spf.test", "192.0.2.7", SPF_PASS},
        {"mx.spf.test", "192.0.2.8", SPF_FAIL},
        {"exists.spf.test", "192.0.2.7", SPF_PASS},
        {"exists.spf.test", "192.0.2.8", SPF_FAIL},
        {"include.spf.test", "192.0.2.7", SPF_PASS},
        {"include.spf.test", "198.51.100.1", SPF_FAIL},
        {"incnone.spf.test", "192.0.2.7", SPF_PERMERROR},
        {"redirect.spf.test", "192.0.2.7", SPF_PASS},
        {"redirect.spf.test", "198.51.100.1", SPF_FAIL},
        {"rednone.spf.test", "192.0.2.7", SPF_PERMERROR},
        {"loop.spf.test", "192.0.2.7", SPF_PERMERROR},
        {"redloop.spf.test", "192.0.2.7", SPF_PERMERROR},
        {"ten.spf.test", "198.51.100.1", SPF_PASS},
        {"many.spf.test", "198.51.100.1", SPF_PERMERROR},
        {"voids.spf.test", "192.0.2.7", SPF_PERMERROR},
        {"void2.spf.test", "192.0.2.7", SPF_FAIL},
        {"ptr.spf.test", "192.0.2.7", SPF_PASS},
        {"ptr.spf.test", "192.0.2.8", SPF_FAIL}, // its name does not lead back
        {"long.spf.test", "192.0.2.7", SPF_PASS},
    };
    if (!has_server) {
        g_test_skip("knot is not installed");
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct spf_answer answer;
        const char *sender = arena_printf(arena, "user@%s", cases[i].domain);
        enum spf_result got = check(arena, cases[i].client, sender, &answer);
        if (got != cases[i].result)
            g_error("%s from %s: %s, expected %s", cases[i].domain, cases[i].client,
                    spf_result_text(got), spf_result_text(cases[i].result));
        g_assert_cmpstr(answer.domain, ==, cases[i].domain);
    }
}

static void test_null_sender_and_explanation(void) {
    ARENA_AUTO arena = arena_new();
    struct spf_answer answer;
    if (!has_server) {
        g_test_skip("knot is not installed");
        return;
    }
    g_assert_cmpint(check(arena, "192.0.2.1", "", &answer), ==, SPF_PASS);
    g_assert_cmpstr(answer.domain, ==, "pass.spf.test");
    g_assert_cmpint(check(arena, "192.0.2.1", "a b@exp.spf.test", &answer), ==, SPF_FAIL);
    g_assert_cmpstr(answer.explanation, ==,
                    "192.0.2.1 is not allowed to send for exp.spf.test; see "
                    "https://pass.spf.test/?s=a%20b%40exp.spf.test");
    g_assert_cmpint(check(arena, "192.0.2.1", "u@incexp.spf.test", &answer), ==, SPF_FAIL);
    g_assert_null(answer.explanation); // that of an include does not count
    g_assert_cmpint(check(arena, "not an address", "u@exp.spf.test", &answer), ==, SPF_NONE);
}

// The examples of [RFC 7208] 7.4.
static void test_macros(void) {
    static const struct spf_macro_values v4 = {.sender = "strong-bad@email.example.com",
                                               .local = "strong-bad",
                                               .sender_domain = "email.example.com",
                                               .domain = "email.example.com",
                                               .helo = "mail.example.com",
                                               .address = {192, 0, 2, 3}};
    struct spf_macro_values v6 = v4;
    v6.is_ipv6 = true;
    memcpy(v6.address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\xcb\x01", 16);
    static const char *const cases[][2] = {
        {"%{s}", "strong-bad@email.example.com"},
        {"%{o}", "email.example.com"},
        {"%{d}", "email.example.com"},
        {"%{d4}", "email.example.com"},
        {"%{d3}", "email.example.com"},
        {"%{d2}", "example.com"},
        {"%{d1}", "com"},
        {"%{dr}", "com.example.email"},
        {"%{d2r}", "example.email"},
        {"%{l}", "strong-bad"},
        {"%{l-}", "strong.bad"},
        {"%{lr}", "strong-bad"},
        {"%{lr-}", "bad.strong"},
        {"%{l1r-}", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
        {"a%%b%_c%-d", "a%b c%20d"},
        {"%{p}", "unknown"},
    };
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(spf_macro_is_valid(cases[i][0], false, false));
        g_assert_cmpstr(spf_macro_expand(arena, cases[i][0], &v4, false), ==, cases[i][1]);
    }
    g_assert_cmpstr(spf_macro_expand(arena, "%{ir}.%{v}._spf.%{d2}", &v6, true), ==,
                    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf."
                    "example.com");
    // Too long a name loses labels at its left.
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < 30; i++)
        g_string_append(text, "%{d1}.0123456789.");
    g_string_append(text, "end");
    const char *name = spf_macro_expand(arena, text->str, &v4, true);
    g_assert_cmpuint(strlen(name), <=, DNS_NAME_MAX);
    g_assert_true(g_str_has_suffix(name, ".end"));
}

static void test_grammar(void) {
    static const char *const good[] = {
        "v=spf1",
        "V=SPF1 MX",
        "v=spf1   a   ",
        "v=spf1 a:foo.example/24//64 mx//64 ptr exists:%{i}._spf.%{d} ?include:x.example ~all",
        "v=spf1 unknown=some%{d}thing redirect=a.b",
        "v=spf1 ip6:::1/128 ip4:1.2.3.4/0",
        "v=spf1 a:%{d}",
        "v=spf1 exp=%{o}.example.com -all",
    };
    static const char *const bad[] = {
        "v=spf2 -all",
        "v=spf1-all",
        "v=spf1 all:foo",
        "v=spf1 all/8",
        "v=spf1 ip4",
        "v=spf1 ip4:1.2.3",
        "v=spf1 ip4:1.2.3.4/33",
        "v=spf1 ip4:1.2.3.4/08",
        "v=spf1 ip6:1.2.3.4",
        "v=spf1 ip6:::1/129",
        "v=spf1 a:",
        "v=spf1 a/33",
        "v=spf1 a//129",
        "v=spf1 a/24/64",
        "v=spf1 include",
        "v=spf1 include:localhost",
        "v=spf1 exists",
        "v=spf1 exists:%{x}.example.com",
        "v=spf1 exists:%{d.example.com",
        "v=spf1 exists:%{d0}.example.com",
        "v=spf1 exists:a%b.example.com",
        "v=spf1 exists:%{t}.example.com",
        "v=spf1 redirect=a.b redirect=c.d",
        "v=spf1 exp=a.b exp=c.d",
        "v=spf1 redirect=",
        "v=spf1 foo",
        "v=spf1 +",
        "v=spf1 =x",
        "v=spf1 1a=x",
        "v=spf1 a:example.1",
        "v=spf1 a:ex\xc3\xa4mple.com",
    };
    ARENA_AUTO arena = arena_new();
    struct spf_record record;
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++)
        if (!spf_record_parse(arena, good[i], &record))
            g_error("refused: %s", good[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        if (spf_record_parse(arena, bad[i], &record))
            g_error("accepted: %s", bad[i]);
    g_assert_true(spf_record_parse(arena, good[3], &record));
    g_assert_cmpuint(record.n, ==, 6);
    g_assert_cmpstr(record.terms[0].domain, ==, "foo.example");
    g_assert_cmpuint(record.terms[0].prefix4, ==, 24);
    g_assert_cmpuint(record.terms[0].prefix6, ==, 64);
    g_assert_cmpuint(record.terms[1].prefix4, ==, 32);
    g_assert_cmpuint(record.terms[1].prefix6, ==, 64);
    g_assert_cmpint(record.terms[4].result, ==, SPF_NEUTRAL);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    has_server = dns_fixture_start(&fixture, zones, G_N_ELEMENTS(zones));
    g_test_add_func("/spf/grammar", test_grammar);
    g_test_add_func("/spf/macros", test_macros);
    g_test_add_func("/spf/checks", test_checks);
    g_test_add_func("/spf/null sender and explanation", test_null_sender_and_explanation);
    int status = g_test_run();
    if (has_server)
        dns_fixture_stop(&fixture);
    return status;
}
