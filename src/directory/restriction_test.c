// Who may write to whom: authenticated senders only, accepted and rejected ones, by groups too.
#include "directory/restriction.h"

#include "directory/setting.h"
#include "directory/test_directory.h"

static void test_restrictions(struct fixture *f, gconstpointer data) {
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    struct guid staff = add(f, DIRECTORY_GROUP, "staff@example.test", "Staff");
    struct guid all = add(f, DIRECTORY_GROUP, "all@example.test", "All");
    assert_ok(directory_member_add(f->d, &staff, &alice));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, NULL));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, &bob));

    assert_ok(directory_set_setting(f->d, &all, SETTING_AUTHENTICATED, "1"));
    assert_ec(directory_may_write_to(f->d, f->arena, &all, NULL), EC_NOT_AUTHORIZED);
    assert_ok(directory_may_write_to(f->d, f->arena, &all, &bob));
    assert_ok(directory_may_write_to(f->d, f->arena, &bob, NULL));

    g_autofree char *members = directory_guids_text(&staff, 1);
    assert_ok(directory_set_setting(f->d, &all, SETTING_ACCEPT, members));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, &alice));
    assert_ec(directory_may_write_to(f->d, f->arena, &all, &bob), EC_ACCESS_DENIED);
    assert_ok(directory_set_setting(f->d, &all, SETTING_AUTHENTICATED, NULL));
    assert_ec(directory_may_write_to(f->d, f->arena, &all, NULL), EC_NOT_AUTHORIZED);
    g_autofree char *one = directory_guids_text(&alice, 1);
    assert_ok(directory_set_setting(f->d, &all, SETTING_REJECT, one));
    assert_ec(directory_may_write_to(f->d, f->arena, &all, &alice), EC_ACCESS_DENIED);

    assert_ok(directory_set_setting(f->d, &all, SETTING_ACCEPT, NULL));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, NULL));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, &bob));
    assert_ok(directory_set_setting(f->d, &all, SETTING_REJECT, NULL));
    assert_ok(directory_may_write_to(f->d, f->arena, &all, &alice));
}

static void test_lists(struct fixture *f, gconstpointer data) {
    struct guid guids[3] = {add(f, DIRECTORY_USER, "alice@example.test", "Alice"), guid_new(),
                            add(f, DIRECTORY_USER, "bob@example.test", "Bob")};
    g_autofree char *text = directory_guids_text(guids, 3);
    struct directory_list list;
    assert_ok(directory_guids_objects(f->d, f->arena, text, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "alice@example.test bob@example.test");
    assert_ok(directory_guids_objects(f->d, f->arena, "x,,y", &list));
    g_assert_cmpuint(list.n, ==, 0);
}

// Mail to postmaster and abuse finds somebody in every domain of ours.
static void test_roles(struct fixture *f, gconstpointer data) {
    enum directory_route route;
    struct directory_object *object;
    add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    static const char *const roles[] = {"postmaster@example.test", "Abuse@other.test"};
    for (unsigned i = 0; i < G_N_ELEMENTS(roles); i++) {
        assert_ok(directory_route(f->d, f->arena, roles[i], &route, &object, NULL));
        g_assert_cmpint(route, !=, DIRECTORY_ROUTE_UNKNOWN);
        g_assert_cmpstr(object->address, ==, "alice@example.test");
    }
}

#define ADD(path, test)                                                                            \
    g_test_add(path, struct fixture, NULL, fixture_setup, test, fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/restriction/who", test_restrictions);
    ADD("/restriction/lists", test_lists);
    ADD("/restriction/roles", test_roles);
    return g_test_run();
}
