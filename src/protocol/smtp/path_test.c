// Addresses and parameters of MAIL and RCPT.
#include "protocol/smtp/path.h"

#include "base/test.h"

static const struct {
    const char *in, *address; // NULL: refused
    unsigned n_params;
} cases[] = {
    {"<a@b>", "a@b", 0},
    {" <a@b>", "a@b", 0},
    {"<>", "", 0},
    {"<> SIZE=1", "", 1},
    {"<a.b+c@d-e.f> SIZE=10 BODY=8BITMIME SMTPUTF8", "a.b+c@d-e.f", 3},
    {"<@x,@y.z:a@b>", "a@b", 0},
    {"<\"a\"@b>", "a@b", 0},
    {"<\"a b\\\"\"@b>", "\"a b\\\"\"@b", 0},
    {"<\"\"@b>", "\"\"@b", 0},
    {"<a@[192.0.2.1]>", "a@[192.0.2.1]", 0},
    {"<a@[IPv6:::1]>", "a@[IPv6:::1]", 0},
    {"<postmaster>", "postmaster", 0},
    {"<PostMaster>", "PostMaster", 0},
    {"<\xc3\xbc@\xc3\xb6.test>", "\xc3\xbc@\xc3\xb6.test", 0},
    {"<\xfc@b>", NULL, 0},
    {"a@b", NULL, 0},
    {"<a@b", NULL, 0},
    {"<a>", NULL, 0},
    {"<a@>", NULL, 0},
    {"<@b>", NULL, 0},
    {"<a..b@c>", NULL, 0},
    {"<.a@c>", NULL, 0},
    {"<a@b..c>", NULL, 0},
    {"<a b@c>", NULL, 0},
    {"<\"a@b>", NULL, 0},
    {"<\"a\\", NULL, 0},
    {"<a@[", NULL, 0},
    {"<a@b>x", NULL, 0},
    {"<a@b> =x", NULL, 0},
    {"<a@b> A=1 B=1 C=1 D=1 E=1 F=1 G=1 H=1 I=1 J=1 K=1 L=1 M=1 N=1 O=1 P=1 Q=1", NULL, 0},
    {"", NULL, 0},
};

static void test_cases(void) {
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct smtp_path path;
        const char *problem = smtp_path_parse(arena, cases[i].in, &path);
        if (!cases[i].address != !!problem)
            g_error("%s: %s", cases[i].in, problem ? problem : path.address);
        if (problem)
            continue;
        g_assert_cmpstr(path.address, ==, cases[i].address);
        g_assert_cmpuint(path.n_params, ==, cases[i].n_params);
    }
    struct smtp_path path;
    g_assert_null(smtp_path_parse(arena, "<a@b> size=5 x", &path));
    g_assert_cmpstr(path.params[0].name, ==, "SIZE");
    g_assert_cmpstr(path.params[0].value, ==, "5");
    g_assert_null(path.params[1].value);
    g_autofree char *local = g_strnfill(65, 'a');
    g_assert_nonnull(smtp_path_parse(arena, arena_printf(arena, "<%s@b>", local), &path));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/path/cases", test_cases);
    return g_test_run();
}
