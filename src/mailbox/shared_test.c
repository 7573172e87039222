// One path for everything: others' mailboxes and the public folders beside one's own; copying
// between them.
#include "directory/setting.h"
#include "mailbox/rights_fixture.h"
#include "mapi/named.h"

// "path path ..." of what a set lists beyond the user's own mailbox.
static const char *listed(struct world *w, struct mailbox_set *set, unsigned levels) {
    struct mailbox_folder_list list;
    const char *text = "";
    assert_ok(mailbox_set_list(set, w->arena, levels, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (g_str_has_prefix(list.items[i].path, MAILBOX_OTHER_USERS) ||
            g_str_has_prefix(list.items[i].path, MAILBOX_PUBLIC_FOLDERS))
            text = arena_printf(w->arena, "%s%s%s", text, *text ? ";" : "", list.items[i].path);
    return text;
}

static void make_public(struct world *w, const char *path) {
    struct principal *admin = principal_admin();
    struct mailbox *m;
    enum ec ec = mailbox_create_public(w->service);
    if (ec != EC_COLLISION)
        assert_ok(ec);
    assert_ok(mailbox_open_public(w->service, admin, &m));
    assert_ok(mailbox_create_folder(m, path, NULL));
    mailbox_close(m);
    principal_unref(admin);
}

static void test_paths(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_set *set;
    struct mailbox *m;
    struct mailbox_folder f;
    const char *rest;
    world_folder(w, "Shared/Deep");
    world_folder(w, "Private");
    assert_ok(mailbox_set_new(w->service, &w->bob, &set));
    g_assert_cmpstr(listed(w, set, 3), ==, "");
    assert_ec(mailbox_set_find(set, w->arena, "Other Users/alice@example.test/Shared", &m, &f),
              EC_NOT_FOUND);
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_grant(w->own, "Shared/Deep", "bob@example.test", ROLE_REVIEWER));
    make_public(w, "News");
    g_assert_cmpstr(listed(w, set, 0), ==, "");
    g_assert_cmpstr(listed(w, set, 1), ==, "Other Users;Public Folders");
    g_assert_cmpstr(listed(w, set, 2), ==,
                    "Other Users;Other Users/alice@example.test;Public Folders;"
                    "Public Folders/News");
    g_assert_cmpstr(listed(w, set, 3), ==,
                    "Other Users;Other Users/alice@example.test;"
                    "Other Users/alice@example.test/Shared;"
                    "Other Users/alice@example.test/Shared/Deep;Public Folders;"
                    "Public Folders/News");
    assert_ok(
        mailbox_set_find(set, w->arena, "Other Users/ALICE@example.test/shared/Deep", &m, &f));
    g_assert_cmpstr(f.path, ==, "Other Users/ALICE@example.test/Shared/Deep");
    g_assert_false(m == mailbox_set_own(set));
    assert_ok(mailbox_set_locate(set, "Public Folders/News", &m, &rest));
    g_assert_cmpstr(rest, ==, "News");
    g_assert_true(mailbox_is_public(m));
    assert_ok(mailbox_set_locate(set, "Public FoldersX", &m, &rest));
    g_assert_true(m == mailbox_set_own(set));
    static const char *const missing[] = {
        "Other Users/alice@example.test/Private",
        "Other Users/alice@example.test",
        "Other Users/carol@example.test/INBOX",
        "Other Users/nobody@example.test/INBOX",
        "Other Users/",
        "Other Users//x",
        "Public Folders",
        "Public Folders/None",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(missing); i++)
        assert_ec(mailbox_set_find(set, w->arena, missing[i], &m, &f), EC_NOT_FOUND);
    // Subscriptions are bob's, whosever the folder is.
    assert_ok(mailbox_subscribe(mailbox_set_own(set), "Public Folders/News", true));
    struct mailbox_folder_list list;
    assert_ok(mailbox_set_list(set, w->arena, 3, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (strcmp(list.items[i].path, "Public Folders/News") == 0)
            g_assert_true(list.items[i].is_subscribed);
    // Rights that are taken away close the way while the set is open.
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", 0));
    assert_ok(mailbox_grant(w->own, "Shared/Deep", "bob@example.test", 0));
    assert_ec(mailbox_set_find(set, w->arena, "Other Users/alice@example.test/Shared", &m, &f),
              EC_NOT_FOUND);
    mailbox_set_free(set);
}

static void test_copy_between(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_set *set;
    struct mailbox *m;
    struct mailbox_folder f;
    uint64_t shared = world_folder(w, "Shared"), mids[2];
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_REVIEWER));
    assert_ok(world_append(w->own, shared, "one", &mids[0]));
    assert_ok(world_append(w->own, shared, "two", &mids[1]));
    struct mailbox_flags flagged = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_FLAGGED, .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(w->own, shared, &mids[0], 1, &flagged, NULL));
    assert_ok(mailbox_set_new(w->service, &w->bob, &set));
    assert_ok(mailbox_set_find(set, w->arena, "Other Users/alice@example.test/Shared", &m, &f));
    struct mailbox *own = mailbox_set_own(set);
    g_autoptr(GArray) copied = NULL;
    assert_ok(mailbox_copy_to(m, f.fid, mids, 2, own, FID_INBOX, &copied));
    g_assert_cmpuint(copied->len, ==, 2);
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(own, FID_INBOX, &view));
    g_assert_cmpuint(mailbox_view_count(view), ==, 2);
    g_assert_cmphex(mailbox_view_row(view, 0)->flags & MSG_CLIENT_FLAGS, ==, MSG_FLAGGED);
    g_assert_cmpuint(mailbox_view_row(view, 0)->uid, ==,
                     g_array_index(copied, struct mailbox_copied, 0).new_uid);
    mailbox_view_free(view);
    // A reviewer may neither move away nor copy in; nothing is left half done.
    assert_ec(mailbox_move_to(m, f.fid, mids, 2, own, FID_INBOX, NULL), EC_ACCESS_DENIED);
    uint64_t mine = g_array_index(copied, struct mailbox_copied, 0).new_mid;
    assert_ec(mailbox_copy_to(own, FID_INBOX, &mine, 1, m, f.fid, NULL), EC_ACCESS_DENIED);
    assert_ok(mailbox_find_folder(own, w->arena, "INBOX", &f));
    g_assert_cmpuint(f.n_messages, ==, 2);
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_EDITOR));
    assert_ok(mailbox_move_to(m, shared, mids, 2, own, FID_INBOX, NULL));
    assert_ok(mailbox_find_folder(w->own, w->arena, "Shared", &f));
    g_assert_cmpuint(f.n_messages, ==, 0);
    assert_ok(mailbox_copy_to(own, FID_INBOX, &mine, 1, m, shared, NULL));
    mailbox_set_free(set);
}

static bool lists(struct world *w, struct mailbox_set *set, const char *path, bool has_children) {
    struct mailbox_folder_list list;
    assert_ok(mailbox_set_list(set, w->arena, 3, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (strcmp(list.items[i].path, path) == 0) {
            g_assert_cmpint(list.items[i].has_children, ==, has_children);
            return true;
        }
    return false;
}

static void test_mail_only(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_options options = {.mail_folders_only = true};
    struct mailbox_set *set;
    struct mailbox *m;
    struct mailbox_folder f;
    world_folder(w, "Parent/Child");
    assert_ok(mailbox_set_new(w->service, &w->alice, &set));
    g_assert_true(lists(w, set, "Calendar", false));
    mailbox_service_configure(w->service, &options);
    g_assert_false(lists(w, set, "Calendar", false));
    g_assert_false(lists(w, set, "Contacts", false));
    g_assert_true(lists(w, set, "INBOX", false));
    g_assert_true(lists(w, set, "Parent", true));
    g_assert_true(lists(w, set, "Parent/Child", false));
    assert_ok(mailbox_set_find(set, w->arena, "Calendar", &m, &f)); // not shown, but there
    // A user's own setting counts before the server's.
    assert_ok(directory_set_setting(w->directory, &w->alice.guid, SETTING_IMAP_FOLDERS, "all"));
    g_assert_true(lists(w, set, "Calendar", false));
    options.mail_folders_only = false;
    mailbox_service_configure(w->service, &options);
    assert_ok(directory_set_setting(w->directory, &w->alice.guid, SETTING_IMAP_FOLDERS, "mail"));
    g_assert_false(lists(w, set, "Calendar", false));
    mailbox_set_free(set);
}

// A message that was never a mail, with a named property and categories.
struct made {
    uint64_t fid, mid;
    uint16_t id;
};

static struct prop_name named(const char *name) {
    return prop_name_string(&PS_PUBLIC_STRINGS, name);
}

static enum ec change_make(struct mbox_tx *tx, void *ctx) {
    struct made *made = ctx;
    // Names that only this mailbox has: ids differ in the other one.
    struct prop_name other = named("x-other"), colour = named("x-colour");
    uint16_t id;
    EC_TRY(mbox_name_to_id(tx, &other, true, &id));
    EC_TRY(mbox_name_to_id(tx, &colour, true, &made->id));
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, "born here");
    bag_set_str(value->bag, PROP_TAG(made->id, PT_UNICODE), "green");
    struct message_new spec = {
        .value = value, .flags = MSG_READ, .keywords = "Work", .received = clock_now()};
    enum ec ec = message_create(tx, made->fid, &spec, &made->mid, NULL);
    message_value_free(value);
    return ec;
}

static void test_copy_keeps_properties(struct world *w, gconstpointer data) {
    (void)data;
    struct mailbox_set *set;
    struct mailbox *m;
    struct mailbox_folder f;
    struct made made = {.fid = world_folder(w, "Shared")};
    assert_ok(mbox_write(w->own->mbox, change_make, &made));
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_set_new(w->service, &w->bob, &set));
    assert_ok(mailbox_set_find(set, w->arena, "Other Users/alice@example.test/Shared", &m, &f));
    g_autoptr(GArray) copied = NULL;
    assert_ok(mailbox_copy_to(m, f.fid, &made.mid, 1, mailbox_set_own(set), FID_INBOX, &copied));
    g_assert_cmpuint(copied->len, ==, 1);
    MBOX_TX_AUTO tx = NULL;
    struct message *message;
    struct prop_name colour = named("x-colour");
    uint16_t id;
    assert_ok(mbox_read(mailbox_set_own(set)->mbox, &tx));
    assert_ok(mbox_name_to_id(tx, &colour, false, &id));
    g_assert_cmpuint(id, !=, made.id);
    assert_ok(message_open(tx, g_array_index(copied, struct mailbox_copied, 0).new_mid, &message));
    const struct bag *bag = message_value(message)->bag;
    g_assert_cmpstr(bag_str(bag, PROP_TAG(id, PT_UNICODE)), ==, "green");
    g_assert_cmpstr(bag_str(bag, PidTagSubject), ==, "born here");
    message_free(message);
    struct message_row row;
    assert_ok(
        message_get_row(tx, g_array_index(copied, struct mailbox_copied, 0).new_mid, NULL, &row));
    g_assert_cmpstr(row.keywords, ==, "Work");
    g_assert_cmphex(row.flags & MSG_HAS_MIME, ==, 0);
    shared_text_unref(row.keywords);
    mailbox_set_free(set);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/shared/paths", test_paths);
    WORLD_TEST("/mailbox/shared/copy", test_copy_between);
    WORLD_TEST("/mailbox/shared/mail-only", test_mail_only);
    WORLD_TEST("/mailbox/shared/copy-keeps-properties", test_copy_keeps_properties);
    return g_test_run();
}
