// Filters: what they match, and what is none.
#include "directory/filter.h"

#include <string.h>

#include "base/test.h"
#include "directory/limits.h"

static const struct directory_object alice = {
    .kind = DIRECTORY_USER,
    .address = "alice@example.test",
    .display_name = "Alice Ångström",
    .given_name = "Alice",
    .surname = "Ångström",
    .department = "Sales (EMEA)",
    .office = "Berlin*Mitte",
    .locale = "de-AT",
    .is_hidden = true,
};
static const struct directory_object room = {
    .kind = DIRECTORY_ROOM,
    .address = "r1@example.test",
    .display_name = "Room 1",
    .capacity = 12,
    .locale = "en",
};
static char *const alice_addresses[] = {(char *)"alice@example.test", (char *)"al@other.test",
                                        NULL};

static void test_matches(void) {
    static const struct {
        const char *filter;
        bool alice, room;
    } cases[] = {
        {"(kind=user)", true, false},
        {"(KIND=Room)", false, true},
        {"(kind=*)", true, true},
        {"(displayName=alice ångström)", true, false},
        {"(cn=ALICE \xc3\x85NGSTR\xc3\x96M)", true, false},
        {"(sn=a\xcc\x8angstro\xcc\x88m)", true, false}, // decomposed
        {"(sn=\\c3\\a5ngstr\\c3\\b6m)", true, false},
        {"(department=sales \\28emea\\29)", true, false},
        {"(office=Berlin\\2aMitte)", true, false},
        {"(office=Berlin\\2aM*)", true, false},
        {"(office=Berlin\\2a)", false, false},
        {"(displayName=*ice*ström)", true, false},
        {"(displayName=a*b*c)", false, false},
        {"(displayName=a*)", true, false},
        {"(displayName=*1)", false, true},
        {"(displayName=al*lice*)", false, false}, // pieces do not overlap
        {"(department=*)", true, false},
        {"(!(department=*))", false, true},
        {"(&(kind=user)(department=Sales*))", true, false},
        {"(|(kind=room)(department=Sales*))", true, true},
        {"(&)", true, true},
        {"(|)", false, false},
        {" ( & ( kind=user ) (!(office=Wien)) ) ", false, false}, // "user " is not "user"
        {"(&\n (kind=user)\n (!(office=Wien))\n)\n", true, false},
        {"(capacity>=12)", false, true},
        {"(capacity>=13)", false, false},
        {"(capacity<=11)", true, false},
        {"(capacity=12)", false, true},
        {"(capacity=*)", false, true},
        {"(quota=0)", true, true},
        {"(givenName>=al)", true, false},
        {"(givenName<=al)", false, false},
        {"(givenName~=alice)", true, false},
        {"(hidden=TRUE)", true, false},
        {"(disabled=false)", true, true},
        {"(mail=*@example.test)", true, true},
        {"(proxyAddresses=AL@*)", true, false},
        {"(proxyAddresses=*)", true, false},
        {"(locale=de*)", true, false},
        {"(notes=)", false, false},
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct filter *filter;
        size_t at;
        enum ec ec = filter_parse(arena, cases[i].filter, &filter, &at);
        if (ec != EC_OK)
            g_error("%s: %s at %zu", cases[i].filter, ec_name(ec), at);
        if (filter_matches(filter, &alice, alice_addresses, arena) != cases[i].alice)
            g_error("%s is wrong for a user", cases[i].filter);
        if (filter_matches(filter, &room, NULL, arena) != cases[i].room)
            g_error("%s is wrong for a room", cases[i].filter);
        g_assert_cmpint(filter_needs_addresses(filter), ==,
                        strstr(cases[i].filter, "proxy") != NULL);
    }
}

static void test_bad(void) {
    static const char *const cases[] = {
        "",
        "kind=user",
        "(",
        "()",
        "(kind)",
        "(kind=user",
        "(kind=user))",
        "(kind=user)x",
        "(nothing=1)",
        "(kind:=user)",
        "(kind>user)",
        "(!)",
        "(!(kind=user)(kind=room))",
        "(&(kind=user)",
        "(cn=a\\2)",
        "(cn=a\\zz)",
        "(cn=a\\00b)",
        "(cn=(b))",
        "(capacity=many)",
        "(capacity=1*)",
        "(capacity>=)",
        "(cn>=a*)",
        "(kind=us*r)",
        "(cn=\\ff)",
        "(cn=\xff)",
        "(capacity=-1)",
    };
    ARENA_AUTO arena = arena_new();
    const struct filter *filter;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (filter_parse(arena, cases[i], &filter, NULL) != EC_INVALID_PARAMETER)
            g_error("taken for a filter: %s", cases[i]);
    size_t at;
    assert_ec(filter_parse(arena, "(&(kind=user)(oops=1))", &filter, &at), EC_INVALID_PARAMETER);
    g_assert_cmpuint(at, ==, 18);
}

static void test_limits(void) {
    ARENA_AUTO arena = arena_new();
    const struct filter *filter;
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < FILTER_DEPTH_MAX - 1; i++)
        g_string_append(deep, "(!");
    g_string_append(deep, "(cn=*)");
    for (int i = 0; i < FILTER_DEPTH_MAX - 1; i++)
        g_string_append_c(deep, ')');
    assert_ok(filter_parse(arena, deep->str, &filter, NULL));
    g_string_prepend(deep, "(!");
    g_string_append_c(deep, ')');
    assert_ec(filter_parse(arena, deep->str, &filter, NULL), EC_TOO_COMPLEX);

    g_autoptr(GString) wide = g_string_new("(|");
    for (int i = 0; i < FILTER_NODES_MAX - 1; i++)
        g_string_append(wide, "(cn=a)");
    g_string_append_c(wide, ')');
    assert_ok(filter_parse(arena, wide->str, &filter, NULL));
    g_string_insert(wide, 2, "(cn=a)");
    assert_ec(filter_parse(arena, wide->str, &filter, NULL), EC_TOO_COMPLEX);

    g_autofree char *parens = g_strnfill(FILTER_TEXT_MAX + 1, '(');
    assert_ec(filter_parse(arena, parens, &filter, NULL), EC_TOO_COMPLEX);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/matches", test_matches);
    g_test_add_func("/filter/bad", test_bad);
    g_test_add_func("/filter/limits", test_limits);
    return g_test_run();
}
