// The mailbox that a login name names: who may, and what a session on it is shown.
#include "mailbox/rights_fixture.h"

// "path;path;..." of everything a session lists.
static const char *listed(struct world *w, struct mailbox_set *set) {
    struct mailbox_folder_list list;
    const char *text = "";
    assert_ok(mailbox_set_list(set, w->arena, 3, &list));
    for (unsigned i = 0; i < list.n; i++) {
        g_assert_true(list.items[i].is_subscribed);
        text = arena_printf(w->arena, "%s%s%s", text, *text ? ";" : "", list.items[i].path);
    }
    return text;
}

static void test_who_may(struct world *w, gconstpointer data) {
    static char short_name[] = "alice", address[] = "ALICE@example.test", nobody[] = "nobody",
                own[] = "bob";
    struct principal bob = w->bob;
    struct mailbox *m;
    (void)data;
    bob.mailbox = short_name;
    assert_ec(mailbox_open_login(w->service, &bob, &m), EC_NOT_FOUND);
    bob.mailbox = nobody;
    assert_ec(mailbox_open_login(w->service, &bob, &m), EC_NOT_FOUND);
    bob.mailbox = own; // one's own is no delegate's
    assert_ok(mailbox_open_login(w->service, &bob, &m));
    g_assert_true(mailbox_is_owner(m));
    mailbox_close(m);
    world_folder(w, "Shared");
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_REVIEWER));
    char *const names[] = {short_name, address};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        bob.mailbox = names[i];
        assert_ok(mailbox_open_login(w->service, &bob, &m));
        g_assert_true(guid_equal(mailbox_guid(m), mailbox_guid(w->own)));
        g_assert_false(mailbox_is_owner(m));
        mailbox_close(m);
    }
}

static void test_session(struct world *w, gconstpointer data) {
    static char name[] = "alice@example.test";
    struct principal bob = w->bob;
    struct mailbox_set *set;
    struct mailbox *m;
    struct mailbox_folder f;
    g_auto(GStrv) names = NULL;
    (void)data;
    bob.mailbox = name;
    world_folder(w, "Shared/Deep");
    world_folder(w, "Private");
    assert_ok(mailbox_grant(w->own, "Shared/Deep", "bob@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_grant(w->own, "INBOX", "bob@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_set_new(w->service, &bob, &set));
    g_assert_nonnull(strstr(listed(w, set), "INBOX"));
    g_assert_nonnull(strstr(listed(w, set), "Shared/Deep"));
    g_assert_null(strstr(listed(w, set), "Private"));
    g_assert_null(strstr(listed(w, set), MAILBOX_OTHER_USERS));
    assert_ok(mailbox_set_find(set, w->arena, "Shared/Deep", &m, &f));
    g_assert_true(m == mailbox_set_own(set));
    assert_ec(mailbox_set_find(set, w->arena, "Private", &m, &f), EC_NOT_FOUND);
    assert_ok(mailbox_subscriptions(mailbox_set_own(set), &names));
    g_assert_true(g_strv_contains((const char *const *)names, "Shared/Deep"));
    // The owner's subscriptions are not the delegate's to change.
    assert_ec(mailbox_subscribe(mailbox_set_own(set), "Shared/Deep", true), EC_ACCESS_DENIED);
    mailbox_set_free(set);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/login/who-may", test_who_may);
    WORLD_TEST("/mailbox/login/session", test_session);
    return g_test_run();
}
