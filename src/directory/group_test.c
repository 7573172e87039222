// Groups: nesting, filters, loops, and belonging.
#include "directory/directory.h"
#include "directory/test_directory.h"

static const char *expanded(struct fixture *f, const struct guid *group) {
    struct directory_list list;
    assert_ok(directory_expand(f->d, f->arena, group, &list));
    return addresses_of(f, &list);
}

static void test_nested(struct fixture *f, gconstpointer data) {
    struct guid a = add(f, DIRECTORY_USER, "a@example.test", "A");
    struct guid b = add(f, DIRECTORY_USER, "b@example.test", "B");
    struct guid c = add(f, DIRECTORY_CONTACT, "c@far.test", "C");
    struct guid outer = add(f, DIRECTORY_GROUP, "outer@example.test", "Outer");
    struct guid inner = add(f, DIRECTORY_GROUP, "inner@example.test", "Inner");
    struct guid empty = add(f, DIRECTORY_GROUP, "empty@example.test", "Empty");
    assert_ok(directory_member_add(f->d, &outer, &a));
    assert_ok(directory_member_add(f->d, &outer, &inner));
    assert_ok(directory_member_add(f->d, &outer, &empty));
    assert_ok(directory_member_add(f->d, &inner, &b));
    assert_ok(directory_member_add(f->d, &inner, &c));
    assert_ok(directory_member_add(f->d, &inner, &a)); // twice in the whole
    g_assert_cmpstr(expanded(f, &outer), ==, "a@example.test b@example.test c@far.test");
    g_assert_cmpstr(expanded(f, &empty), ==, "");
    struct directory_list list;
    assert_ok(directory_members(f->d, f->arena, &outer, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==,
                    "a@example.test empty@example.test inner@example.test");
    assert_ec(directory_expand(f->d, f->arena, &a, &list), EC_NOT_FOUND);
    assert_ec(directory_members(f->d, f->arena, &a, &list), EC_NOT_FOUND);

    for (int round = 0; round < 2; round++) { // read, then remembered
        g_assert_true(directory_is_member(f->d, &outer, &b));
        g_assert_true(directory_is_member(f->d, &outer, &inner));
        g_assert_true(directory_is_member(f->d, &inner, &b));
        g_assert_false(directory_is_member(f->d, &empty, &b));
        g_assert_false(directory_is_member(f->d, &outer, &outer));
        g_assert_false(directory_is_member(f->d, &a, &outer));
    }
    assert_ok(directory_member_remove(f->d, &inner, &b));
    assert_ec(directory_member_remove(f->d, &inner, &b), EC_NOT_FOUND);
    g_assert_false(directory_is_member(f->d, &outer, &b));

    assert_ec(directory_member_add(f->d, &inner, &a), EC_COLLISION);
    assert_ec(directory_member_add(f->d, &a, &b), EC_INVALID_PARAMETER);
    struct guid nobody = guid_new();
    assert_ec(directory_member_add(f->d, &inner, &nobody), EC_NOT_FOUND);
    assert_ec(directory_member_add(f->d, &nobody, &a), EC_NOT_FOUND);
    // Who goes leaves the groups too.
    assert_ok(directory_remove(f->d, &a));
    assert_ok(directory_remove(f->d, &empty));
    g_assert_cmpstr(expanded(f, &outer), ==, "c@far.test");
    assert_sound(f);
}

static void test_no_loops(struct fixture *f, gconstpointer data) {
    struct guid g[4];
    for (int i = 0; i < 4; i++)
        g[i] = add(f, DIRECTORY_GROUP, arena_printf(f->arena, "g%d@example.test", i), NULL);
    assert_ec(directory_member_add(f->d, &g[0], &g[0]), EC_LOOP_DETECTED);
    for (int i = 0; i < 3; i++)
        assert_ok(directory_member_add(f->d, &g[i], &g[i + 1]));
    assert_ec(directory_member_add(f->d, &g[3], &g[0]), EC_LOOP_DETECTED);
    assert_ec(directory_member_add(f->d, &g[1], &g[0]), EC_LOOP_DETECTED);
    assert_ok(directory_member_add(f->d, &g[0], &g[3])); // two ways down are no loop
    assert_sound(f);
}

static void test_dynamic(struct fixture *f, gconstpointer data) {
    struct directory_object o = {.kind = DIRECTORY_USER,
                                 .address = "a@example.test",
                                 .department = "Sales",
                                 .is_hidden = true};
    assert_ok(directory_add(f->d, &o));
    struct guid a = o.guid;
    struct guid b = add(f, DIRECTORY_USER, "b@example.test", "B");
    struct guid room = add(f, DIRECTORY_ROOM, "r@example.test", "R");
    struct guid sales = add_dynamic(f, "sales@example.test", "(department=sales)");
    struct guid all = add_dynamic(f, "all@example.test", "(displayName=*)");
    struct guid alias = add_dynamic(f, "alias@example.test", "(proxyAddresses=*@other.test)");
    struct guid outer = add(f, DIRECTORY_GROUP, "outer@example.test", "Outer");
    assert_ok(directory_member_add(f->d, &outer, &sales));
    assert_ok(directory_member_add(f->d, &outer, &room));
    assert_ec(directory_member_add(f->d, &sales, &b), EC_INVALID_PARAMETER);
    g_assert_cmpstr(expanded(f, &sales), ==, "a@example.test");
    // Groups, itself among them, are never its members.
    g_assert_cmpstr(expanded(f, &all), ==, "a@example.test b@example.test r@example.test");
    g_assert_cmpstr(expanded(f, &outer), ==, "r@example.test a@example.test");
    struct directory_list list;
    assert_ok(directory_members(f->d, f->arena, &sales, &list));
    g_assert_cmpuint(list.n, ==, 1);
    g_assert_true(directory_is_member(f->d, &sales, &a));
    g_assert_true(directory_is_member(f->d, &outer, &a)); // through the dynamic one
    g_assert_false(directory_is_member(f->d, &outer, &b));
    g_assert_false(directory_is_member(f->d, &all, &outer));

    g_assert_cmpstr(expanded(f, &alias), ==, "");
    assert_ok(directory_alias_add(f->d, &b, "bb@other.test"));
    g_assert_cmpstr(expanded(f, &alias), ==, "b@example.test");
    g_assert_true(directory_is_member(f->d, &alias, &b));

    struct directory_object *object = get(f, &b);
    object->department = "SALES";
    assert_ok(directory_update(f->d, object));
    g_assert_true(directory_is_member(f->d, &outer, &b));
    g_assert_cmpstr(expanded(f, &sales), ==, "a@example.test b@example.test");
    assert_sound(f);
}

static void test_large(struct fixture *f, gconstpointer data) {
    struct guid group = add(f, DIRECTORY_GROUP, "large@example.test", "Large");
    for (int i = 0; i < 300; i++) {
        struct guid user =
            add(f, DIRECTORY_USER, arena_printf(f->arena, "u%03d@example.test", i), NULL);
        assert_ok(directory_member_add(f->d, &group, &user));
    }
    // A long chain of groups around it.
    for (int i = 0; i < 50; i++) {
        struct guid outer =
            add(f, DIRECTORY_GROUP, arena_printf(f->arena, "g%d@example.test", i), NULL);
        assert_ok(directory_member_add(f->d, &outer, &group));
        group = outer;
    }
    struct directory_list list;
    assert_ok(directory_expand(f->d, f->arena, &group, &list));
    g_assert_cmpuint(list.n, ==, 300);
    g_assert_true(directory_is_member(f->d, &group, &list.items[0]->guid));
    assert_sound(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/group/nested", test_nested);
    ADD_TEST("/group/no-loops", test_no_loops);
    ADD_TEST("/group/dynamic", test_dynamic);
    ADD_TEST("/group/large", test_large);
    return g_test_run();
}
