// What was deleted comes back where it was.
#include "mailbox/hold.h"
#include "mailbox/mailbox_fixture.h"
#include "mailbox/recover.h"
#include "mapi/props.h"

struct found {
    GPtrArray *lines; // "subject folder"
    uint64_t last_mid;
};

static bool collect(void *ctx, const struct mailbox_recoverable *item) {
    struct found *f = ctx;
    static const char *const places[] = {"", " purged", " version"};
    g_ptr_array_add(f->lines,
                    g_strdup_printf("%s in %s%s%s", item->subject, item->folder,
                                    item->is_folder_gone ? " gone" : "", places[item->place]));
    f->last_mid = item->mid;
    return true;
}

// The list joined by commas; g_free.
static char *list_as(struct mailbox *m, const struct mailbox_recover_filter *filter) {
    struct found f = {.lines = g_ptr_array_new_with_free_func(g_free)};
    assert_ok(mailbox_list_recoverable(m, filter, collect, &f));
    g_ptr_array_add(f.lines, NULL);
    char *joined = g_strjoinv(", ", (char **)f.lines->pdata);
    g_ptr_array_unref(f.lines);
    return joined;
}

static void assert_list(struct mailbox *m, struct mailbox_recover_filter filter, const char *want) {
    g_autofree char *got = list_as(m, &filter);
    g_assert_cmpstr(got, ==, want);
}

static struct mailbox *admin_mailbox(struct world *w) {
    struct mailbox *m;
    struct principal *admin = principal_admin();
    assert_ok(mailbox_open(w->service, admin, &w->alice, &m));
    principal_unref(admin);
    return m;
}

static void test_expunged(struct world *w, gconstpointer data) {
    uint64_t a, b;
    unsigned n;
    clock_set(START);
    assert_ok(world_append(w, FID_INBOX, "Apples", 100, &a));
    assert_ok(world_append(w, FID_INBOX, "Pears", 100, &b));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &a, 1));
    clock_set(START + DAY);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &b, 1));
    assert_list(w->m, (struct mailbox_recover_filter){0}, "Apples in INBOX, Pears in INBOX");
    assert_list(w->m, (struct mailbox_recover_filter){.subject = "PEAR"}, "Pears in INBOX");
    assert_list(w->m, (struct mailbox_recover_filter){.since = START + 1}, "Pears in INBOX");
    assert_list(w->m, (struct mailbox_recover_filter){.before = START + 1}, "Apples in INBOX");
    assert_list(w->m, (struct mailbox_recover_filter){.folder = "inbox", .sender = "a"},
                "Apples in INBOX, Pears in INBOX");
    assert_list(w->m, (struct mailbox_recover_filter){.folder = "In"}, "");
    assert_ok(
        mailbox_restore(w->m, &(struct mailbox_recover_filter){.subject = "apples"}, NULL, &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 1);
    assert_list(w->m, (struct mailbox_recover_filter){0}, "Pears in INBOX");
    world_assert_clean(w, &w->alice);
}

static enum ec dress(struct mbox_tx *tx, void *ctx) {
    uint64_t fid = *(uint64_t *)ctx, mid;
    BAG_AUTO props = bag_new();
    bag_set_str(props, PidTagComment, "about the plans");
    EC_TRY(folder_set_props(tx, fid, props, NULL, 0));
    EC_TRY(folder_set_permission(tx, fid, "default", 0x401, false));
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Configuration.Test");
    bag_set_str(value->bag, PidTagSubject, "settings");
    struct message_new spec = {.value = value, .flags = MSG_ASSOCIATED};
    enum ec ec = message_create(tx, fid, &spec, &mid, NULL);
    message_value_free(value);
    return ec;
}

// A deleted folder comes back as it was: empty ones, properties, permissions, settings.
static void test_folder_again(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t fid, deep, again;
    struct mailbox_gone_folder *gone;
    unsigned n, n_folders, n_messages;
    clock_set(START);
    assert_ok(mailbox_create_folder(w->m, "Plans", &fid));
    assert_ok(mailbox_create_folder(w->m, "Plans/Empty", &deep));
    assert_ok(mbox_write(w->m->mbox, dress, &fid));
    assert_ok(world_append(w, fid, "Plan", 100, NULL));
    assert_ok(mailbox_delete_folder(w->m, "Plans/Empty"));
    assert_ok(mailbox_delete_folder(w->m, "Plans"));
    assert_list(w->m, (struct mailbox_recover_filter){0}, "Plan in Plans gone");
    assert_ok(mailbox_list_gone_folders(w->m, arena, &gone, &n));
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(gone[0].path, ==, "Plans");
    g_assert_cmpuint(gone[0].n_messages, ==, 1);
    g_assert_cmpstr(gone[1].path, ==, "Plans/Empty");
    world_assert_clean(w, &w->alice);
    assert_ec(mailbox_restore_folder(w->m, "Pla", &n_folders, &n_messages), EC_NOT_FOUND);
    assert_ok(mailbox_restore_folder(w->m, "plans", &n_folders, &n_messages));
    g_assert_cmpuint(n_folders, ==, 2);
    g_assert_cmpuint(n_messages, ==, 1);
    struct mailbox_folder folder;
    assert_ok(mailbox_find_folder(w->m, arena, "Plans/Empty", &folder));
    assert_ok(mailbox_find_folder(w->m, arena, "Plans", &folder));
    again = folder.fid;
    g_assert_cmpuint(again, !=, fid);
    MBOX_TX_AUTO tx = NULL;
    BAG_AUTO props = NULL;
    struct folder_permissions permissions;
    struct folder_info info;
    assert_ok(mbox_read(w->m->mbox, &tx));
    assert_ok(folder_get(tx, arena, again, &info));
    g_assert_cmpuint(info.n_associated, ==, 1);
    assert_ok(folder_get_props(tx, again, &props));
    g_assert_cmpstr(bag_str(props, PidTagComment), ==, "about the plans");
    assert_ok(folder_get_permissions(tx, arena, again, &permissions));
    bool is_open = false;
    for (unsigned i = 0; i < permissions.n; i++)
        is_open |= strcmp(permissions.items[i].member, "default") == 0 &&
                   permissions.items[i].rights == 0x401;
    g_assert_true(is_open);
    assert_ok(mailbox_list_gone_folders(w->m, arena, &gone, &n));
    g_assert_cmpuint(n, ==, 0);
}

static void delete_tree(struct world *w) {
    uint64_t fid, deep, mid;
    assert_ok(mailbox_create_folder(w->m, "Projects", &fid));
    assert_ok(mailbox_create_folder(w->m, "Projects/2026", &deep));
    assert_ok(world_append(w, fid, "Plan", 100, NULL));
    assert_ok(world_append(w, deep, "Old plan", 100, &mid));
    assert_ok(world_append(w, deep, "New plan", 100, NULL));
    assert_ok(mailbox_expunge(w->m, deep, &mid, 1));
    assert_ok(mailbox_delete_folder(w->m, "Projects/2026"));
    assert_ok(mailbox_delete_folder(w->m, "Projects"));
}

static void test_folder_gone(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    unsigned n;
    clock_set(START);
    delete_tree(w);
    assert_list(w->m, (struct mailbox_recover_filter){.folder = "projects/2026"},
                "New plan in Projects/2026 gone, Old plan in Projects/2026 gone");
    assert_ok(mailbox_restore(w->m, &(struct mailbox_recover_filter){0}, NULL, &n));
    g_assert_cmpuint(n, ==, 3);
    assert_ok(mailbox_find_folder(w->m, arena, "Projects/2026", &f));
    g_assert_cmpuint(f.n_messages, ==, 2);
    assert_ok(mailbox_find_folder(w->m, arena, "Projects", &f));
    g_assert_cmpuint(f.n_messages, ==, 1);
    assert_list(w->m, (struct mailbox_recover_filter){0}, "");
    world_assert_clean(w, &w->alice);
}

static void test_to_named_folder(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    uint64_t mid;
    unsigned n;
    delete_tree(w);
    assert_ok(world_append(w, FID_INBOX, "Stays", 100, &mid));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    assert_ok(mailbox_restore(w->m, &(struct mailbox_recover_filter){0}, "Back/Again", &n));
    g_assert_cmpuint(n, ==, 4);
    assert_ok(mailbox_find_folder(w->m, arena, "Back/Again", &f));
    g_assert_cmpuint(f.n_messages, ==, 3);
    // Its folder is there.
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 1);
    world_assert_clean(w, &w->alice);
}

static void test_rights(struct world *w, gconstpointer data) {
    struct mailbox *m;
    unsigned n;
    assert_ok(mailbox_grant(w->m, "INBOX", "bob@example.test", RIGHTS_ALL));
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    principal_unref(bob);
    struct found f = {0};
    struct mailbox_recover_filter all = {0}, held = {.with_held = true};
    assert_ec(mailbox_list_recoverable(m, &all, collect, &f), EC_ACCESS_DENIED);
    assert_ec(mailbox_restore(m, &all, NULL, &n), EC_ACCESS_DENIED);
    assert_ec(mailbox_list_recoverable(w->m, &held, collect, &f), EC_ACCESS_DENIED);
    mailbox_close(m);
}

struct save {
    uint64_t mid;
    bool is_delete;
};

static enum ec change(struct mbox_tx *tx, void *ctx) {
    struct save *s = ctx;
    struct message *m;
    if (s->is_delete)
        return message_delete(tx, FID_INBOX, &s->mid, 1, DELETE_HARD, NULL);
    EC_TRY(message_open(tx, s->mid, &m));
    struct prop_value v = prop_str(PidTagSubject, "Other words");
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static void test_held(struct world *w, gconstpointer data) {
    struct mailbox_recover_filter held = {.with_held = true}, all = {0};
    struct mbox_holds holds;
    struct save s = {0};
    unsigned n;
    assert_ok(mailbox_set_hold(w->service, &w->alice, HOLD_LITIGATION, true, 0));
    assert_ok(mailbox_get_holds(w->service, &w->alice, &holds));
    g_assert_true(holds.has_litigation);
    assert_ok(world_append(w, FID_INBOX, "First words", 100, &s.mid));
    assert_ok(mbox_write(w->m->mbox, change, &s));
    s.is_delete = true;
    assert_ok(mbox_write(w->m->mbox, change, &s));
    struct mailbox *admin = admin_mailbox(w);
    assert_list(w->m, all, ""); // the owner does not see what is held
    assert_list(admin, held, "First words in INBOX version, Other words in INBOX purged");
    held.subject = "other";
    assert_ok(mailbox_restore(admin, &held, NULL, &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_INBOX).n_messages, ==, 1);
    held.subject = NULL; // the evidence stays
    assert_list(admin, held, "First words in INBOX version, Other words in INBOX purged");
    mailbox_close(admin);
    world_assert_clean(w, &w->alice);
}

static void test_many(struct world *w, gconstpointer data) {
    enum { MANY = 450 };
    uint64_t mids[MANY];
    unsigned n;
    clock_set(START); // all deleted at the same time
    for (int i = 0; i < MANY; i++)
        assert_ok(world_append(w, FID_ARCHIVE, i % 2 ? "odd" : "even", 1, &mids[i]));
    assert_ok(mailbox_expunge(w->m, FID_ARCHIVE, mids, MANY));
    assert_ok(mailbox_restore(w->m, &(struct mailbox_recover_filter){.subject = "odd"}, NULL, &n));
    g_assert_cmpuint(n, ==, MANY / 2);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_ARCHIVE).n_messages, ==, MANY / 2);
    g_assert_cmpuint(world_folder(w, &w->alice, FID_ARCHIVE).n_soft_deleted, ==, MANY / 2);
    world_assert_clean(w, &w->alice);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/recover/expunged", test_expunged);
    WORLD_TEST("/mailbox/recover/a folder again", test_folder_again);
    WORLD_TEST("/mailbox/recover/folder gone", test_folder_gone);
    WORLD_TEST("/mailbox/recover/to a named folder", test_to_named_folder);
    WORLD_TEST("/mailbox/recover/rights", test_rights);
    WORLD_TEST("/mailbox/recover/held", test_held);
    WORLD_TEST("/mailbox/recover/many", test_many);
    return g_test_run();
}
