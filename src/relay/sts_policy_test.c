// MTA-STS records and policies ([RFC 8461]).
#include <string.h>

#include "base/test.h"
#include "relay/sts.h"

static enum ec parse(struct arena *arena, const char *text, struct sts_policy *out) {
    return sts_policy_parse(text, strlen(text), arena, out);
}

static void test_policy(void) {
    ARENA_AUTO arena = arena_new();
    struct sts_policy p;
    assert_ok(parse(arena,
                    "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
                    "mx: *.example.net\r\nfuture: x\r\nmax_age: 604800\r\n",
                    &p));
    g_assert_cmpint(p.mode, ==, STS_ENFORCE);
    g_assert_cmpuint(p.max_age, ==, 604800);
    g_assert_true(sts_policy_allows(&p, "MAIL.example.com"));
    g_assert_true(sts_policy_allows(&p, "mx1.example.net"));
    g_assert_false(sts_policy_allows(&p, "a.mx1.example.net")); // one label only
    g_assert_false(sts_policy_allows(&p, "example.net"));
    g_assert_false(sts_policy_allows(&p, ".example.net"));
    g_assert_false(sts_policy_allows(&p, "evil.test"));
    assert_ok(parse(arena, "version:STSv1\nmode:none\nmax_age:1", &p));
    assert_ok(parse(arena, "version: STSv1\nmode: testing\nmax_age: 9999999999\nmx: a.b", &p));
    g_assert_cmpuint(p.max_age, ==, RELAY_STS_AGE_MAX);
    static const char *const bad[] = {
        "",
        "mode: enforce\nmx: a.b\nmax_age: 1\n",
        "version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 1\n",
        "version: STSv1\nmode: maybe\nmx: a.b\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.b\n",
        "version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: -1\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(parse(arena, bad[i], &p), EC_FORMAT_ERROR);
}

static void test_record(void) {
    char id[33];
    g_assert_true(sts_record_parse("v=STSv1; id=20160831085700Z;", id));
    g_assert_cmpstr(id, ==, "20160831085700Z");
    g_assert_true(sts_record_parse("v=STSv1;id=a; more=x", id));
    static const char *const bad[] = {"v=STSv1;",
                                      "id=a; v=STSv1",
                                      "v=STSv2; id=a",
                                      "",
                                      "v=STSv1; id=a-b",
                                      "v=STSv1; id=",
                                      "v=STSv1; id=123456789012345678901234567890123"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(sts_record_parse(bad[i], id));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sts/policy", test_policy);
    g_test_add_func("/sts/record", test_record);
    return g_test_run();
}
