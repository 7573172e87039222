// Rights over mailboxes: granted, through groups, revoked, removed with their objects; who may send
// as whom; what is shared with whom.
#include <string.h>

#include "directory/test_directory.h"

static void test_grants(struct fixture *f, gconstpointer data) {
    (void)data;
    struct guid boss = add(f, DIRECTORY_SHARED, "boss@example.test", "Boss");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    struct guid eve = add(f, DIRECTORY_USER, "eve@example.test", "Eve");
    struct guid outer = add(f, DIRECTORY_GROUP, "outer@example.test", "Outer");
    struct guid inner = add(f, DIRECTORY_GROUP, "inner@example.test", "Inner");
    struct directory_grant_list list;
    assert_ok(directory_member_add(f->d, &outer, &inner));
    assert_ok(directory_member_add(f->d, &inner, &eve));

    g_assert_cmpuint(directory_rights(f->d, &boss, &bob), ==, 0);
    assert_ok(directory_grant(f->d, &boss, &bob, DIRECTORY_SEND_AS));
    assert_ok(directory_grant(f->d, &boss, &bob, DIRECTORY_FULL_ACCESS));
    assert_ok(directory_grant(f->d, &boss, &outer, DIRECTORY_SEND_ON_BEHALF));
    g_assert_cmpuint(directory_rights(f->d, &boss, &bob), ==,
                     DIRECTORY_SEND_AS | DIRECTORY_FULL_ACCESS);
    g_assert_cmpuint(directory_rights(f->d, &boss, &eve), ==, DIRECTORY_SEND_ON_BEHALF);
    assert_ok(directory_grants(f->d, f->arena, &boss, &list));
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpstr(list.items[0].who->address, ==, "bob@example.test");

    // Taken away: one right, then by leaving the group, then with the object.
    assert_ok(directory_revoke(f->d, &boss, &bob, DIRECTORY_SEND_AS));
    assert_ec(directory_revoke(f->d, &boss, &bob, DIRECTORY_SEND_AS), EC_NOT_FOUND);
    g_assert_cmpuint(directory_rights(f->d, &boss, &bob), ==, DIRECTORY_FULL_ACCESS);
    assert_ok(directory_member_remove(f->d, &inner, &eve));
    g_assert_cmpuint(directory_rights(f->d, &boss, &eve), ==, 0);
    assert_ok(directory_remove(f->d, &bob));
    g_assert_cmpuint(directory_rights(f->d, &boss, &bob), ==, 0);
    assert_ok(directory_grants(f->d, f->arena, &boss, &list));
    g_assert_cmpuint(list.n, ==, 1);

    assert_ec(directory_grant(f->d, &boss, &boss, DIRECTORY_SEND_AS), EC_INVALID_PARAMETER);
    assert_ec(directory_grant(f->d, &boss, &eve, 0), EC_INVALID_PARAMETER);
    assert_ec(directory_grant(f->d, &boss, &eve, 1 << 9), EC_INVALID_PARAMETER);
    assert_ec(directory_grant(f->d, &boss, &bob, DIRECTORY_SEND_AS), EC_NOT_FOUND);
    assert_sound(f);
}

static void test_senders(struct fixture *f, gconstpointer data) {
    (void)data;
    struct guid boss = add(f, DIRECTORY_USER, "boss@example.test", "Boss");
    struct guid bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob");
    struct guid team = add(f, DIRECTORY_GROUP, "team@example.test", "Team");
    assert_ok(directory_alias_add(f->d, &bob, "robert@other.test"));
    assert_ok(directory_grant(f->d, &boss, &bob, DIRECTORY_SEND_ON_BEHALF));
    assert_ok(directory_grant(f->d, &team, &bob, DIRECTORY_SEND_AS));
    assert_ok(directory_domain_set_catchall(f->d, "example.test", "bob@example.test"));
    static const struct {
        const char *address;
        enum directory_sender expected;
    } cases[] = {
        {"bob@example.test", DIRECTORY_SENDER_OWN},
        {"BOB@Example.TEST", DIRECTORY_SENDER_OWN},
        {"bob+list@example.test", DIRECTORY_SENDER_OWN},
        {"robert@other.test", DIRECTORY_SENDER_OWN},
        {"boss@example.test", DIRECTORY_SENDER_ON_BEHALF},
        {"boss+x@example.test", DIRECTORY_SENDER_ON_BEHALF},
        {"team@example.test", DIRECTORY_SENDER_AS},
        {"nobody@example.test",
         DIRECTORY_SENDER_DENIED}, // the catch-all is bob's mail, not his name
        {"somebody@elsewhere.test", DIRECTORY_SENDER_DENIED},
        {"not an address", DIRECTORY_SENDER_DENIED},
        {"", DIRECTORY_SENDER_DENIED},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(directory_may_send(f->d, &bob, cases[i].address), ==, cases[i].expected);
    g_assert_cmpint(directory_may_send(f->d, &boss, "bob@example.test"), ==,
                    DIRECTORY_SENDER_DENIED);
    // Both rights: the stronger counts.
    assert_ok(directory_grant(f->d, &boss, &bob, DIRECTORY_SEND_AS));
    g_assert_cmpint(directory_may_send(f->d, &bob, "boss@example.test"), ==, DIRECTORY_SENDER_AS);
}

static void test_shares(struct fixture *f, gconstpointer data) {
    (void)data;
    static const struct guid everybody;
    struct guid a = add(f, DIRECTORY_USER, "a@example.test", "A");
    struct guid b = add(f, DIRECTORY_USER, "b@example.test", "B");
    struct guid c = add(f, DIRECTORY_SHARED, "c@example.test", "C");
    struct guid d = add(f, DIRECTORY_SHARED, "d@example.test", "D");
    struct guid team = add(f, DIRECTORY_GROUP, "team@example.test", "Team");
    struct directory_list list;
    struct guid *groups;
    unsigned n;
    assert_ok(directory_member_add(f->d, &team, &b));
    assert_ok(directory_groups_of(f->d, f->arena, &b, &groups, &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(guid_equal(&groups[0], &team));

    assert_ok(directory_shared_with(f->d, f->arena, &b, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(directory_share_add(f->d, &a, &b));
    assert_ok(directory_share_add(f->d, &c, &team));
    assert_ok(directory_share_add(f->d, &b, &everybody)); // b's own is not listed for b
    assert_ok(directory_grant(f->d, &d, &b, DIRECTORY_FULL_ACCESS));
    uint64_t generation = directory_generation(f->d);
    assert_ok(directory_share_add(f->d, &a, &b)); // known already: nothing is written
    g_assert_cmpuint(directory_generation(f->d), ==, generation);
    assert_ok(directory_shared_with(f->d, f->arena, &b, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "a@example.test c@example.test d@example.test");
    assert_ok(directory_shared_with(f->d, f->arena, &a, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "b@example.test");
    assert_ok(directory_remove(f->d, &c));
    assert_ok(directory_shared_with(f->d, f->arena, &b, &list));
    g_assert_cmpstr(addresses_of(f, &list), ==, "a@example.test d@example.test");
    assert_sound(f);
}

static void test_folders(struct fixture *f, gconstpointer data) {
    (void)data;
    struct directory_object news = {.address = "news@example.test"}, again = news, *found;
    struct directory_object wrong = {.kind = DIRECTORY_PUBLIC_FOLDER, .address = "x@example.test"};
    uint64_t fid;
    assert_ec(directory_add(f->d, &wrong), EC_INVALID_PARAMETER);
    assert_ec(directory_add_folder(f->d, &news, 0), EC_INVALID_PARAMETER);
    assert_ok(directory_add_folder(f->d, &news, 300));
    assert_ec(directory_add_folder(f->d, &again, 301), EC_COLLISION); // the address
    again.address = "other@example.test";
    assert_ec(directory_add_folder(f->d, &again, 300), EC_COLLISION); // the folder
    assert_ec(directory_find_address(f->d, f->arena, "other@example.test", &found), EC_NOT_FOUND);
    assert_ok(directory_folder_target(f->d, &news.guid, &fid));
    g_assert_cmpuint(fid, ==, 300);
    assert_ok(directory_find_folder(f->d, f->arena, 300, &found));
    g_assert_false(found->has_mailbox);
    assert_ok(directory_remove(f->d, &news.guid));
    assert_ec(directory_find_folder(f->d, f->arena, 300, &found), EC_NOT_FOUND);
    assert_ec(directory_folder_target(f->d, &news.guid, &fid), EC_NOT_FOUND);
    assert_sound(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD_TEST("/directory/access/grants", test_grants);
    ADD_TEST("/directory/access/senders", test_senders);
    ADD_TEST("/directory/access/shares", test_shares);
    ADD_TEST("/directory/access/folders", test_folders);
    return g_test_run();
}
