// What people type in a To line, and the address lists.
#include "directory/directory.h"
#include "directory/limits.h"
#include "directory/test_directory.h"

static void fill(struct fixture *f) {
    static const struct directory_object people[] = {
        {.address = "ann@example.test",
         .display_name = "Ann Lee",
         .given_name = "Ann",
         .surname = "Lee",
         .office = "Berlin 12"},
        {.address = "ann.leeson@example.test",
         .display_name = "Ann Leeson",
         .given_name = "Ann",
         .surname = "Leeson"},
        {.address = "obrien@example.test",
         .display_name = "Seán O'Brien",
         .given_name = "Seán",
         .surname = "O'Brien"},
        {.address = "jl@example.test", .display_name = "Jean-Luc Müller", .office = "Wien"},
        {.address = "ghost@example.test", .display_name = "Ann Ghost", .is_hidden = true},
        {.kind = DIRECTORY_ROOM, .address = "berlin@example.test", .display_name = "Room Berlin"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        struct directory_object object = people[i];
        assert_ok(directory_add(f->d, &object));
        if (i == 3)
            assert_ok(directory_alias_add(f->d, &object.guid, "captain@other.test"));
    }
}

static void test_resolve(struct fixture *f, gconstpointer data) {
    fill(f);
    static const struct {
        const char *text, *found;
    } cases[] = {
        {"ann lee", "ann@example.test"}, // the whole name, though it begins another
        {"ANN LEE", "ann@example.test"},
        {"ann leeso", "ann.leeson@example.test"},
        {"ann le", "ann@example.test ann.leeson@example.test"},
        {"le ann", "ann@example.test ann.leeson@example.test"},
        {"Lee, Ann", "ann@example.test ann.leeson@example.test"},
        {"ann", "ann@example.test ann.leeson@example.test"},
        {"=lee", "ann@example.test"},
        {"=ann", "ann@example.test ann.leeson@example.test"},
        {"=Ann Leeson", "ann.leeson@example.test"},
        {"=ann le", ""},
        {"=ann.leeson", "ann.leeson@example.test"},
        {"brien", "obrien@example.test"},
        {"o'b", "obrien@example.test"},
        {"sea\xcc\x81n", "obrien@example.test"},
        {"seán obr", "obrien@example.test"},
        {"müller", "jl@example.test"},
        {"luc", "jl@example.test"},
        {"jean-l", "jl@example.test"},
        {"captain", "jl@example.test"},
        {"captain@other.test", "jl@example.test"},
        {"SMTP:captain@other.test", "jl@example.test"},
        {"captain@ot", "jl@example.test"},
        {"berlin", "ann@example.test berlin@example.test"},
        {"berl 12", "ann@example.test"},
        {"wien", "jl@example.test"},
        {"ghost", ""},
        {"ghost@example.test", ""},
        {"  ann lee  ", "ann@example.test"},
        {"nobody", ""},
        {"", ""},
        {"=", ""},
        {" , ", ""},
        {"%", ""},
        {"ann\xff", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct directory_list list;
        enum ec ec = directory_resolve(f->d, f->arena, cases[i].text, &list);
        const char *found = addresses_of(f, &list);
        if (g_strcmp0(found, cases[i].found) != 0)
            g_error("'%s' finds '%s', not '%s'", cases[i].text, found, cases[i].found);
        assert_ec(ec, list.n == 0 ? EC_NOT_FOUND : list.n == 1 ? EC_OK : EC_AMBIGUOUS);
    }
}

static void test_index_follows(struct fixture *f, gconstpointer data) {
    struct directory_list list;
    struct guid a = add(f, DIRECTORY_USER, "a@example.test", "Anton");
    assert_ok(directory_resolve(f->d, f->arena, "anton", &list));
    struct directory_object *object = get(f, &a);
    object->display_name = "Berta";
    assert_ok(directory_update(f->d, object));
    assert_ec(directory_resolve(f->d, f->arena, "anton", &list), EC_NOT_FOUND);
    assert_ok(directory_resolve(f->d, f->arena, "berta", &list));
    assert_ok(directory_alias_add(f->d, &a, "caesar@example.test"));
    assert_ok(directory_resolve(f->d, f->arena, "caes", &list));
    assert_ok(directory_alias_remove(f->d, "caesar@example.test"));
    assert_ec(directory_resolve(f->d, f->arena, "caes", &list), EC_NOT_FOUND);
    assert_ok(directory_remove(f->d, &a));
    assert_ec(directory_resolve(f->d, f->arena, "berta", &list), EC_NOT_FOUND);
    assert_sound(f);
}

static void test_many_candidates(struct fixture *f, gconstpointer data) {
    for (int i = 0; i < ANR_CANDIDATES_MAX + 20; i++)
        add(f, DIRECTORY_USER, arena_printf(f->arena, "s%d@example.test", i), "John Smith");
    struct directory_list list;
    assert_ec(directory_resolve(f->d, f->arena, "smith", &list), EC_AMBIGUOUS);
    g_assert_cmpuint(list.n, ==, ANR_CANDIDATES_MAX);
    assert_ok(directory_resolve(f->d, f->arena, "s119", &list));
    // Long texts are no way in.
    g_autofree char *huge = g_strnfill(100000, 'a');
    assert_ec(directory_resolve(f->d, f->arena, huge, &list), EC_NOT_FOUND);
    g_autofree char *words = g_strnfill(1000, ' ');
    for (int i = 0; i < 1000; i += 2)
        words[i] = 's';
    assert_ec(directory_resolve(f->d, f->arena, words, &list), EC_AMBIGUOUS);
}

static const char *members(struct fixture *f, const char *name, unsigned offset, unsigned limit) {
    struct directory_list list;
    assert_ok(directory_address_list_members(f->d, f->arena, name, offset, limit, &list));
    return addresses_of(f, &list);
}

static void test_address_lists(struct fixture *f, gconstpointer data) {
    fill(f);
    g_assert_cmpstr(members(f, "All Rooms", 0, 10), ==, "berlin@example.test");
    g_assert_cmpstr(members(f, "global address list", 0, 2), ==,
                    "ann@example.test ann.leeson@example.test");
    g_assert_cmpstr(members(f, "Global Address List", 2, 10), ==,
                    "jl@example.test berlin@example.test obrien@example.test");
    g_assert_cmpstr(members(f, "All Groups", 0, 10), ==, "");

    assert_ok(directory_address_list_add(f->d, "Östlich", "(|(office=Wien)(office=Berlin*))"));
    assert_ec(directory_address_list_add(f->d, "ÖSTLICH", "(kind=user)"), EC_COLLISION);
    assert_ec(directory_address_list_add(f->d, "all users", "(kind=user)"), EC_COLLISION);
    assert_ec(directory_address_list_add(f->d, "X", "(oops"), EC_INVALID_PARAMETER);
    assert_ec(directory_address_list_add(f->d, "", "(kind=user)"), EC_INVALID_PARAMETER);
    g_assert_cmpstr(members(f, "östlich", 0, 10), ==, "ann@example.test jl@example.test");
    g_assert_cmpstr(members(f, "östlich", 1, 10), ==, "jl@example.test");
    g_assert_cmpstr(members(f, "östlich", 0, 1), ==, "ann@example.test");
    g_assert_cmpstr(members(f, "östlich", 0, 0), ==, "");
    assert_ok(directory_address_list_add(f->d, "Ghosts", "(cn=*ghost)"));
    g_assert_cmpstr(members(f, "Ghosts", 0, 10), ==, ""); // hidden
    struct directory_list list;
    assert_ec(directory_address_list_members(f->d, f->arena, "None", 0, 1, &list), EC_NOT_FOUND);
    g_auto(GStrv) names = NULL;
    assert_ok(directory_address_lists(f->d, &names));
    g_assert_true(g_strv_contains((const char *const *)names, "Östlich"));
    g_assert_true(g_strv_contains((const char *const *)names, "All Rooms"));
}

static void test_list(struct fixture *f, gconstpointer data) {
    fill(f);
    struct directory_list list;
    assert_ok(directory_list(f->d, f->arena, 1 << DIRECTORY_ROOM, NULL, 0, 10, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "berlin@example.test");
    // For the admin: the hidden one too.
    assert_ok(directory_list(f->d, f->arena, 0, "ANN", 0, 10, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==,
                    "ghost@example.test ann@example.test ann.leeson@example.test");
    assert_ok(directory_list(f->d, f->arena, 0, "captain@", 0, 10, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "jl@example.test");
    assert_ok(directory_list(f->d, f->arena, 0, "zzz", 0, 10, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(directory_list(f->d, f->arena, 0, NULL, 4, 1, &list));
    g_assert_cmpuint(list.n, ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/anr/resolve", test_resolve);
    ADD_TEST("/anr/index-follows", test_index_follows);
    ADD_TEST("/anr/many-candidates", test_many_candidates);
    ADD_TEST("/anr/address-lists", test_address_lists);
    ADD_TEST("/anr/list", test_list);
    return g_test_run();
}
