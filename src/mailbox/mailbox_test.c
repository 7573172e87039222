// The use cases on a real store: rights, paths, subscriptions, flags, renditions, search, watching.
#include <stdatomic.h>
#include <string.h>

#include "base/test.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/search_text.h"
#include "mapi/props.h"

struct test {
    char *dir, *path;
    struct store *store;
    struct directory *directory;
    struct mailbox_service *service;
    struct principal alice, bob;
    struct mailbox *m; // alice's own
};

static struct principal add_user(struct test *t, const char *address) {
    struct directory_object user = {
        .kind = DIRECTORY_USER, .address = address, .display_name = address, .has_mailbox = true};
    assert_ok(directory_add(t->directory, &user));
    struct mbox_new spec = {user.guid, address, address, "en"};
    assert_ok(store_create_mailbox(t->store, &spec));
    return (struct principal){.refs = 1000000, .guid = user.guid, .address = (char *)address};
}

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    t->dir = test_folder();
    t->path = g_build_filename(t->dir, "directory.db", NULL);
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(t->dir, &options, &t->store));
    assert_ok(directory_open(t->path, &t->directory));
    assert_ok(directory_domain_add(t->directory, "example.test"));
    t->alice = add_user(t, "alice@example.test");
    t->bob = add_user(t, "bob@example.test");
    assert_ok(mailbox_service_new(t->store, t->directory, &t->service));
    assert_ok(mailbox_open_own(t->service, &t->alice, &t->m));
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    mailbox_close(t->m);
    mailbox_service_free(t->service);
    directory_close(t->directory);
    store_close(t->store);
    g_free(t->path);
    test_folder_remove(t->dir);
}

static enum ec append(struct mailbox *m, uint64_t fid, const char *text) {
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_append message = {.mime = mime};
    return mailbox_append(m, fid, &message, NULL, NULL);
}

static uint64_t fid_of(struct mailbox *m, const char *path) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    assert_ok(mailbox_find_folder(m, arena, path, &f));
    return f.fid;
}

static void test_rights(struct test *t, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox *m;
    struct mailbox_folder f;
    struct mailbox_folder_list list;
    struct mailbox_view *view;
    assert_ok(mailbox_create_folder(t->m, "Shared", NULL));
    uint64_t shared = fid_of(t->m, "Shared");
    assert_ok(append(t->m, shared, "Subject: x\r\n\r\n"));

    assert_ec(mailbox_open(t->service, &t->bob, &t->alice.guid, &m), EC_ACCESS_DENIED);
    assert_ok(mailbox_grant(t->m, "Shared", "bob@example.test", RIGHTS_VISIBLE));
    assert_ok(mailbox_open(t->service, &t->bob, &t->alice.guid, &m));
    g_assert_false(mailbox_is_owner(m));
    assert_ok(mailbox_list_folders(m, arena, &list));
    g_assert_cmpuint(list.n, ==, 1);
    assert_ok(mailbox_find_folder(m, arena, "Shared", &f));
    assert_ec(mailbox_find_folder(m, arena, "Drafts", &f), EC_NOT_FOUND); // not even that it exists
    assert_ec(mailbox_view_open(m, shared, &view), EC_ACCESS_DENIED);
    assert_ec(mailbox_view_open(m, FID_INBOX, &view), EC_NOT_FOUND);

    assert_ok(mailbox_grant(t->m, "Shared", "bob@example.test", RIGHTS_VISIBLE | RIGHTS_READ_ANY));
    assert_ok(mailbox_view_open(m, shared, &view));
    uint64_t mid = mailbox_view_row(view, 0)->mid;
    mailbox_view_free(view);
    struct mailbox_flags seen = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    assert_ec(mailbox_change_flags(m, shared, &mid, 1, &seen, NULL), EC_ACCESS_DENIED);
    assert_ec(mailbox_expunge(m, shared, &mid, 1), EC_ACCESS_DENIED);
    assert_ec(append(m, shared, "Subject: y\r\n\r\n"), EC_ACCESS_DENIED);
    assert_ec(mailbox_delete_folder(m, "Shared"), EC_ACCESS_DENIED);
    assert_ec(mailbox_create_folder(m, "Shared/x", NULL), EC_ACCESS_DENIED);
    assert_ec(mailbox_copy(m, shared, &mid, 1, FID_INBOX, NULL), EC_NOT_FOUND);
    assert_ec(mailbox_grant(m, "Shared", "bob@example.test", RIGHTS_ALL), EC_ACCESS_DENIED);
    assert_ec(mailbox_subscribe(m, "Shared", true), EC_ACCESS_DENIED);

    assert_ok(mailbox_grant(t->m, "Shared", "bob@example.test", ROLE_OWNER));
    assert_ok(mailbox_change_flags(m, shared, &mid, 1, &seen, NULL));
    assert_ok(append(m, shared, "Subject: y\r\n\r\n"));
    mailbox_close(m);

    // The default entry counts for those without one of their own.
    assert_ok(mailbox_grant(t->m, "Shared", "bob@example.test", 0));
    assert_ec(mailbox_open(t->service, &t->bob, &t->alice.guid, &m), EC_ACCESS_DENIED);
    assert_ok(mailbox_grant(t->m, "Shared", "default", RIGHTS_VISIBLE | RIGHTS_READ_ANY));
    assert_ok(mailbox_open(t->service, &t->bob, &t->alice.guid, &m));
    mailbox_close(m);
}

static void test_rights_by_group(struct test *t, gconstpointer data) {
    struct mailbox *m;
    struct directory_object group = {
        .kind = DIRECTORY_GROUP, .address = "team@example.test", .display_name = "Team"};
    assert_ok(directory_add(t->directory, &group));
    assert_ok(mailbox_create_folder(t->m, "Team", NULL));
    assert_ok(mailbox_grant(t->m, "Team", "team@example.test", RIGHTS_VISIBLE | RIGHTS_READ_ANY));
    assert_ec(mailbox_open(t->service, &t->bob, &t->alice.guid, &m), EC_ACCESS_DENIED);
    assert_ok(directory_member_add(t->directory, &group.guid, &t->bob.guid));
    assert_ok(mailbox_open(t->service, &t->bob, &t->alice.guid, &m));
    mailbox_close(m);
}

static void test_paths(struct test *t, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    g_assert_cmpuint(fid_of(t->m, "inbox"), ==, FID_INBOX);
    assert_ok(mailbox_create_folder(t->m, "a/b/c", NULL)); // missing parents are made
    assert_ec(mailbox_create_folder(t->m, "a/b/c", NULL), EC_COLLISION);
    assert_ec(mailbox_create_folder(t->m, "a//c", NULL), EC_BAD_FOLDER_NAME);
    assert_ec(mailbox_delete_folder(t->m, "a/b"), EC_HAS_FOLDERS);
    assert_ec(mailbox_delete_folder(t->m, "Drafts"), EC_ACCESS_DENIED);
    assert_ec(mailbox_rename_folder(t->m, "a", "a/b/d"), EC_FOLDER_CYCLE);
    assert_ok(mailbox_rename_folder(t->m, "a/b", "x/y"));
    assert_ok(mailbox_rename_folder(t->m, "x/y", "x/Y")); // case alone
    assert_ok(mailbox_find_folder(t->m, arena, "x/y/c", &f));
    g_assert_cmpstr(f.path, ==, "x/Y/c");
    assert_ec(mailbox_find_folder(t->m, arena, "a/b", &f), EC_NOT_FOUND);
    assert_ok(mailbox_create_folder(t->m, "INBOX/sub", NULL));
    assert_ok(mailbox_find_folder(t->m, arena, "Inbox/sub", &f));
    g_assert_cmpuint(f.parent, ==, FID_INBOX);
}

static void test_slash_in_a_name(struct test *t, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    uint64_t fid;
    assert_ok(mailbox_create_folder(t->m, "plain", &fid));
    assert_ok(mailbox_find_folder(t->m, arena, "plain", &f));
    // A name that MAPI clients may give shows with a division slash, and is found by it.
    assert_ok(mailbox_rename_folder(t->m, "plain", "in\xe2\x88\x95out"));
    assert_ok(mailbox_find_folder(t->m, arena, "in\xe2\x88\x95out", &f));
    g_assert_cmpuint(f.fid, ==, fid);
    assert_ec(mailbox_find_folder(t->m, arena, "in/out", &f), EC_NOT_FOUND);
}

static enum ec hide(struct mbox_tx *tx, void *ctx) {
    BAG_AUTO set = bag_new();
    bag_set_bool(set, PidTagAttributeHidden, true);
    return folder_set_props(tx, *(uint64_t *)ctx, set, NULL, 0);
}

// What is below a hidden folder is not listed either, and does not show as somebody's child.
static void test_hidden_parent(struct test *t, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder_list list;
    uint64_t hidden;
    bool has_top = false;
    assert_ok(mailbox_create_folder(t->m, "top/hidden", &hidden));
    assert_ok(mailbox_create_folder(t->m, "top/hidden/child", NULL));
    assert_ok(mbox_write(mailbox_mbox(t->m), hide, &hidden));
    assert_ok(mailbox_list_folders(t->m, arena, &list));
    for (unsigned i = 0; i < list.n; i++) {
        g_assert_null(strstr(list.items[i].path, "hidden"));
        if (strcmp(list.items[i].path, "top") == 0) {
            has_top = true;
            g_assert_false(list.items[i].has_children);
        }
    }
    g_assert_true(has_top);
}

static bool is_subscribed(struct mailbox *m, const char *path) {
    g_auto(GStrv) names = NULL;
    assert_ok(mailbox_subscriptions(m, &names));
    return g_strv_contains((const char *const *)names, path);
}

static void test_subscriptions(struct test *t, gconstpointer data) {
    assert_ok(mailbox_subscribe(t->m, "later", true));
    g_assert_true(is_subscribed(t->m, "later"));
    assert_ok(mailbox_create_folder(t->m, "later", NULL));
    g_assert_true(is_subscribed(t->m, "later"));
    assert_ok(mailbox_delete_folder(t->m, "later"));
    g_assert_true(is_subscribed(t->m, "later"));
    assert_ok(mailbox_subscribe(t->m, "later", false));
    g_assert_false(is_subscribed(t->m, "later"));
}

static enum ec create_without_mime(struct mbox_tx *tx, void *ctx) {
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, "born in MAPI");
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    struct message_new spec = {.value = value};
    enum ec ec = message_create(tx, FID_INBOX, &spec, ctx, &(uint32_t){0});
    message_value_free(value);
    return ec;
}

static void test_rendition(struct test *t, gconstpointer data) {
    uint64_t mid, size;
    struct mailbox_reader *r;
    g_autoptr(GBytes) first = NULL, second = NULL, part = NULL;
    assert_ok(mbox_write(mailbox_mbox(t->m), create_without_mime, &mid));
    assert_ok(mailbox_reader_open(t->m, FID_INBOX, &r));
    assert_ok(mailbox_read_mime(r, mid, &first));
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(first, NULL), (gssize)g_bytes_get_size(first),
                                  "born in MAPI"));
    assert_ok(mailbox_read_size(r, mid, &size)); // the same snapshot, before it was stored
    g_assert_cmpuint(size, ==, g_bytes_get_size(first));
    mailbox_reader_close(r);
    assert_ok(mailbox_reader_open(t->m, FID_INBOX, &r));
    assert_ok(mailbox_read_mime(r, mid, &second)); // bytes never change
    g_assert_true(g_bytes_equal(first, second));
    assert_ok(mailbox_read_mime_range(r, mid, 3, 4, &part));
    g_assert_cmpmem(g_bytes_get_data(part, NULL), g_bytes_get_size(part),
                    (const char *)g_bytes_get_data(first, NULL) + 3, 4);
    g_autoptr(GBytes) beyond = NULL;
    assert_ok(mailbox_read_mime_range(r, mid, size + 5, 4, &beyond));
    g_assert_cmpuint(g_bytes_get_size(beyond), ==, 0);
    assert_ec(mailbox_read_mime(r, 999999, &second), EC_NOT_FOUND);
    mailbox_reader_close(r);
}

static void on_wake(void *ctx) {
    atomic_fetch_add((_Atomic unsigned *)ctx, 1);
}

static void test_watch(struct test *t, gconstpointer data) {
    _Atomic unsigned inbox = 0, anywhere = 0;
    struct mailbox_watch *a, *b;
    assert_ok(mailbox_watch_new(t->m, FID_INBOX, on_wake, &inbox, &a));
    assert_ok(mailbox_watch_new(t->m, 0, on_wake, &anywhere, &b));
    assert_ok(append(t->m, FID_INBOX, "Subject: x\r\n\r\n"));
    assert_ok(append(t->m, FID_DRAFTS, "Subject: x\r\n\r\n"));
    g_assert_cmpuint(inbox, ==, 1);
    g_assert_cmpuint(anywhere, ==, 2);
    mailbox_watch_free(a);
    mailbox_watch_free(b);
    assert_ok(append(t->m, FID_INBOX, "Subject: x\r\n\r\n"));
    g_assert_cmpuint(inbox, ==, 1);
}

static void test_search_depth(struct test *t, gconstpointer data) {
    struct search_node nodes[200] = {0};
    for (unsigned i = 0; i < 199; i++)
        nodes[i] = (struct search_node){.kind = SEARCH_NOT, .children = &nodes[i + 1]};
    struct mailbox_view *view;
    GArray *found = NULL;
    assert_ok(mailbox_view_open(t->m, FID_INBOX, &view));
    assert_ec(mailbox_search(t->m, view, nodes, NULL, NULL, &found), EC_TOO_COMPLEX);
    assert_ok(mailbox_search(t->m, view, &nodes[150], NULL, NULL, &found));
    g_array_unref(found);
    mailbox_view_free(view);
}

static void test_needles(struct test *t, gconstpointer data) {
    static const struct {
        const char *needle, *text;
        bool found;
    } cases[] = {
        {"", "x", true},
        {"", "", true},
        {"a", "", false},
        {"a", "bbA", true},
        {"HELLO", "say hello there", true},
        {"hello", "HELL O", false},
        {"aab", "aaaab", true},
        {"abcabd", "abcabcabd", true},
        {"\xc3\xa4pfel", "\xc3\x84PFEL", true},
        {"\xc3\xa4pfel", "Apfel", false},
        {"stra\xc3\x9f"
         "e",
         "gro\xc3\x9f"
         "e STRASSE \xc3\x9f",
         true},
        {"end", "the end", true},
        {"longer than the text", "short", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct search_needle *n = search_needle_new(arena, cases[i].needle);
        bool found = search_needle_in(n, cases[i].text, strlen(cases[i].text));
        if (found != cases[i].found)
            g_error("\"%s\" in \"%s\"", cases[i].needle, cases[i].text);
    }
    // Across the windows that long texts are folded in.
    for (unsigned pos = 16300; pos < 16500; pos++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < pos)
            g_string_append_c(text, 'x');
        g_string_append(text, "\xc3\x84pfel");
        while (text->len < 40000)
            g_string_append(text, "\xc3\xb6");
        struct search_needle *n = search_needle_new(arena, "\xc3\xa4pfel");
        g_assert_true(search_needle_in(n, text->str, text->len));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        void (*run)(struct test *t, gconstpointer data);
    } tests[] = {
        {"/mailbox/rights", test_rights},
        {"/mailbox/rights-by-group", test_rights_by_group},
        {"/mailbox/paths", test_paths},
        {"/mailbox/slash-in-a-name", test_slash_in_a_name},
        {"/mailbox/hidden-parent", test_hidden_parent},
        {"/mailbox/subscriptions", test_subscriptions},
        {"/mailbox/rendition", test_rendition},
        {"/mailbox/watch", test_watch},
        {"/mailbox/search-depth", test_search_depth},
        {"/mailbox/needles", test_needles},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, struct test, NULL, setup, tests[i].run, teardown);
    return g_test_run();
}
