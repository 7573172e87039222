// X.500 names: stable, caseless, found by whatever organization they were made with.
#include "directory/dn.h"

#include <string.h>

#include "directory/test_directory.h"

static void names_lead_to_entries(struct fixture *f, gconstpointer data) {
    (void)data;
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    const char *dn = dn_of_guid(f->arena, "Example/Corp", &alice);
    g_assert_true(g_str_has_prefix(dn, "/o=Example-Corp/ou=Exchange Administrative Group "
                                       "(FYDIBOHF23SPDLT)/cn=Recipients/cn="));
    g_assert_true(g_str_has_prefix(dn, dn_prefix(f->arena, "Example/Corp")));
    struct directory_object *o;
    assert_ok(directory_find_dn(f->d, f->arena, dn, &o));
    g_assert_cmpstr(o->address, ==, "alice@example.test");
    g_autofree char *upper = g_ascii_strup(dn_of_guid(f->arena, "", &alice), -1);
    assert_ok(directory_find_dn(f->d, f->arena, upper, &o));
    g_assert_true(guid_equal(&o->guid, &alice));
    struct guid none;
    memset(&none, 0x11, sizeof none);
    assert_ec(directory_find_dn(f->d, f->arena, dn_of_guid(f->arena, "", &none), &o), EC_NOT_FOUND);
    assert_ec(directory_find_dn(f->d, f->arena, "alice", &o), EC_NOT_FOUND);
    assert_ec(directory_find_dn(f->d, f->arena, "", &o), EC_NOT_FOUND);
    assert_ec(directory_find_dn(f->d, f->arena, "/o=x/cn=Recipients/cn=alice", &o), EC_NOT_FOUND);
}

static void old_names(struct fixture *f, gconstpointer data) {
    (void)data;
    struct guid alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    assert_ok(directory_x500_add(f->d, &alice, "/O=Old/OU=First/CN=Recipients/CN=AliceL"));
    assert_ec(directory_x500_add(f->d, &bob, "/o=old/ou=first/cn=recipients/cn=alicel"),
              EC_COLLISION);
    assert_ec(directory_x500_add(f->d, &bob, "no name"), EC_INVALID_PARAMETER);
    struct directory_object *o;
    assert_ok(directory_find_dn(f->d, f->arena, "/o=old/ou=First/cn=Recipients/cn=alicel", &o));
    g_assert_true(guid_equal(&o->guid, &alice));
    assert_ok(directory_x500_add(f->d, &alice, "/o=older/cn=a"));
    char **names;
    assert_ok(directory_x500_names(f->d, f->arena, &alice, &names));
    g_assert_cmpuint(g_strv_length(names), ==, 2);
    assert_ok(directory_x500_remove(f->d, &alice, "/o=OLDER/cn=A"));
    assert_ec(directory_x500_remove(f->d, &alice, "/o=OLDER/cn=A"), EC_NOT_FOUND);
    assert_ec(directory_find_dn(f->d, f->arena, "/o=older/cn=a", &o), EC_NOT_FOUND);
    assert_sound(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/dn/names lead to entries", names_lead_to_entries);
    ADD_TEST("/dn/old names", old_names);
    return g_test_run();
}
