// The public folders: first rights, read state by user, limits, ageing, mail, the check.
#include "base/clock.h"
#include "base/wire.h"
#include "mailbox/rights_fixture.h"
#include "mapi/entry_id.h"
#include "mapi/idset.h"
#include "store/check.h"
#include "store/public_store.h"

struct scene {
    struct mailbox *admin, *bob, *carol;
    uint64_t fid;
};

static struct scene begin(struct world *w) {
    struct scene s;
    struct principal *admin = principal_admin();
    assert_ec(mailbox_open_public(w->service, admin, &s.admin), EC_NOT_FOUND);
    assert_ok(mailbox_create_public(w->service));
    assert_ec(mailbox_create_public(w->service), EC_COLLISION);
    assert_ok(mailbox_open_public(w->service, admin, &s.admin));
    assert_ok(mailbox_create_folder(s.admin, "News", &s.fid));
    assert_ok(mailbox_open_public(w->service, &w->bob, &s.bob));
    assert_ok(mailbox_open_public(w->service, &w->carol, &s.carol));
    principal_unref(admin);
    return s;
}

static void end(struct world *w, struct scene *s) {
    mailbox_close(s->admin);
    mailbox_close(s->bob);
    mailbox_close(s->carol);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(w->store, &STORE_PUBLIC_GUID, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_error("check: %s", (char *)faults->pdata[i]);
}

static uint32_t unread(struct world *w, struct mailbox *m, const char *path) {
    struct mailbox_folder f;
    struct mailbox_folder_list list;
    assert_ok(mailbox_find_folder(m, w->arena, path, &f));
    assert_ok(mailbox_list_folders(m, w->arena, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i].fid == f.fid)
            g_assert_cmpuint(list.items[i].n_unread, ==, f.n_unread);
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(m, f.fid, &view));
    g_assert_cmpuint(mailbox_view_unread(view), ==, f.n_unread);
    mailbox_view_free(view);
    return f.n_unread;
}

static enum ec flag(struct mailbox *m, uint64_t fid, uint64_t mid, enum mailbox_flags_mode mode,
                    uint32_t flags) {
    struct mailbox_flags change = {.mode = mode, .flags = flags, .unchanged_since = UINT64_MAX};
    return mailbox_change_flags(m, fid, &mid, 1, &change, NULL);
}

static void test_roots(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    struct mailbox_member_list members;
    struct mailbox_folder_list list;
    g_assert_true(guid_equal(&STORE_PUBLIC_GUID, &ENTRY_ID_PROVIDER_PUBLIC));
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(mailbox_mbox(s.admin), &tx));
    static const struct {
        uint64_t fid, parent;
        const char *name;
    } roots[] = {
        {FID_PUBLIC_IPM_SUBTREE, FID_PUBLIC_ROOT, "IPM_SUBTREE"},
        {FID_PUBLIC_NON_IPM_SUBTREE, FID_PUBLIC_ROOT, "NON_IPM_SUBTREE"},
        {FID_PUBLIC_EFORMS_REGISTRY, FID_PUBLIC_NON_IPM_SUBTREE, "EFORMS REGISTRY"},
        {FID_PUBLIC_SCHEDULE_FREE_BUSY, FID_PUBLIC_NON_IPM_SUBTREE, "SCHEDULE+ FREE BUSY"},
        {FID_PUBLIC_OFFLINE_ADDRESS_BOOK, FID_PUBLIC_NON_IPM_SUBTREE, "OFFLINE ADDRESS BOOK"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(roots); i++) {
        struct folder_info f;
        assert_ok(folder_get(tx, w->arena, roots[i].fid, &f));
        g_assert_cmpuint(f.parent, ==, roots[i].parent);
        g_assert_cmpstr(f.name, ==, roots[i].name);
    }
    g_clear_pointer(&tx, mbox_read_end);
    assert_ok(mailbox_permissions(s.bob, w->arena, s.fid, true, &members));
    g_assert_cmphex(members.items[0].rights, ==, ROLE_AUTHOR);
    g_assert_cmphex(members.items[1].rights, ==, 0);
    assert_ok(mailbox_list_folders(s.bob, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 1); // nothing of NON_IPM_SUBTREE
    assert_ec(mailbox_create_folder(s.bob, "Mine", NULL), EC_ACCESS_DENIED);
    assert_ec(mailbox_delete_folder(s.bob, "News"), EC_ACCESS_DENIED);
    assert_ec(mailbox_mail_enable(s.bob, "News", "news@example.test", NULL), EC_ACCESS_DENIED);
    // Authors: their own messages alone.
    uint64_t bobs, carols;
    assert_ok(world_append(s.bob, s.fid, "bob", &bobs));
    assert_ok(world_append(s.carol, s.fid, "carol", &carols));
    assert_ec(mailbox_expunge(s.bob, s.fid, &carols, 1), EC_ACCESS_DENIED);
    assert_ok(mailbox_expunge(s.bob, s.fid, &bobs, 1));
    GArray *mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_array_append_val(mids, carols);
    mailbox_keep_deletable(s.bob, s.fid, mids);
    g_assert_cmpuint(mids->len, ==, 0);
    g_array_unref(mids);
    assert_ok(mailbox_delete_folder(s.admin, "News")); // what is in it can be recovered
    end(w, &s);
}

static void count_change(void *ctx, enum mailbox_view_change what, uint32_t index,
                         const struct message_row *row) {
    (void)index, (void)row;
    unsigned *counts = ctx;
    counts[what]++;
}

static void test_read_state(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    uint64_t mids[3];
    struct mailbox_view *view, *newer;
    for (unsigned i = 0; i < 3; i++)
        assert_ok(world_append(s.admin, s.fid, "n", &mids[i]));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 3);
    // Reading is no editing: an author may, and it is seen by nobody else.
    assert_ok(mailbox_view_open(s.bob, s.fid, &view));
    assert_ok(flag(s.bob, s.fid, mids[1], MAILBOX_FLAGS_ADD, MSG_READ));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 2);
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 3);
    unsigned counts[3] = {0};
    assert_ok(mailbox_view_refresh(s.bob, view, &newer));
    mailbox_view_diff(view, newer, count_change, counts);
    g_assert_cmpuint(counts[VIEW_CHANGED], ==, 1);
    g_assert_cmpuint(counts[VIEW_REMOVED] + counts[VIEW_ADDED], ==, 0);
    g_assert_cmphex(mailbox_view_row(newer, 1)->flags & MSG_READ, ==, MSG_READ);
    g_assert_cmphex(mailbox_view_row(view, 1)->flags & MSG_READ, ==, 0);
    mailbox_view_free(view);
    mailbox_view_free(newer);
    assert_ec(flag(s.bob, s.fid, mids[1], MAILBOX_FLAGS_ADD, MSG_FLAGGED), EC_ACCESS_DENIED);
    assert_ok(flag(s.bob, s.fid, mids[1], MAILBOX_FLAGS_REMOVE, MSG_READ));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 3);
    // A message that is changed is unread to others and stays read to whoever changed it.
    assert_ok(mailbox_grant(s.admin, "News", "bob@example.test", ROLE_EDITOR));
    assert_ok(flag(s.bob, s.fid, mids[0], MAILBOX_FLAGS_ADD, MSG_READ));
    assert_ok(flag(s.carol, s.fid, mids[0], MAILBOX_FLAGS_ADD, MSG_READ));
    assert_ok(flag(s.bob, s.fid, mids[0], MAILBOX_FLAGS_ADD, MSG_FLAGGED));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 2);
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 3);
    assert_ok(flag(s.bob, s.fid, mids[2], MAILBOX_FLAGS_SET, MSG_READ | MSG_ANSWERED));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 1);
    assert_ok(flag(s.bob, s.fid, mids[2], MAILBOX_FLAGS_SET, MSG_ANSWERED));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 2);
    // UNCHANGEDSINCE.
    struct mailbox_flags late = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ, .unchanged_since = 1};
    g_autoptr(GArray) modified = NULL;
    assert_ok(mailbox_change_flags(s.carol, s.fid, mids, 2, &late, &modified));
    g_assert_cmpuint(modified->len, ==, 2);
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 3);
    // Copies and appended messages.
    assert_ok(mailbox_copy(s.bob, s.fid, mids, 2, s.fid, NULL)); // one read, one not
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 3);
    g_autoptr(GBytes) mime = g_bytes_new_static("Subject: r\r\n\r\n", 14);
    struct mailbox_append read = {.mime = mime, .flags = MSG_READ};
    assert_ok(mailbox_append(s.bob, s.fid, &read, NULL, NULL));
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 3);
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 6);
    end(w, &s);
}

static void test_read_state_travels(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    uint64_t mids[2];
    g_autoptr(GBytes) none = NULL, bytes = NULL, again = NULL;
    for (unsigned i = 0; i < 2; i++)
        assert_ok(world_append(s.admin, s.fid, "n", &mids[i]));
    assert_ok(mailbox_get_read_state(s.bob, s.fid, &none));
    g_assert_cmpuint(g_bytes_get_size(none), ==, 0);
    assert_ok(flag(s.bob, s.fid, mids[0], MAILBOX_FLAGS_ADD, MSG_READ));
    assert_ok(mailbox_get_read_state(s.bob, s.fid, &bytes));
    gsize len;
    const void *raw = g_bytes_get_data(bytes, &len);
    struct idset *set;
    assert_ok(idset_parse((struct prop_bin){(uint32_t)len, raw}, IDSET_REPLGUID, &set));
    idset_free(set);
    // Given to carol, it is her state.
    assert_ok(mailbox_set_read_state(s.carol, s.fid, bytes));
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 1);
    assert_ok(mailbox_get_read_state(s.carol, s.fid, &again));
    g_assert_true(g_bytes_equal(bytes, again));
    assert_ok(mailbox_set_read_state(s.carol, s.fid, none));
    g_assert_cmpuint(unread(w, s.carol, "News"), ==, 2);
    g_autoptr(GBytes) bad = g_bytes_new_static("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\77", 17);
    assert_ec(mailbox_set_read_state(s.carol, s.fid, bad), EC_FORMAT_ERROR);
    assert_ec(mailbox_set_read_state(s.carol, 0x999999, none), EC_NOT_FOUND);
    assert_ec(mailbox_set_read_state(w->own, FID_INBOX, none), EC_NOT_SUPPORTED);
    assert_ok(mailbox_grant(s.admin, "News", "bob@example.test", ROLE_CONTRIBUTOR));
    assert_ec(mailbox_set_read_state(s.bob, s.fid, bytes), EC_ACCESS_DENIED);
    end(w, &s);
}

static enum ec append_at(struct mailbox *m, uint64_t fid, filetime_t received, uint64_t *mid_out) {
    g_autoptr(GBytes) mime = g_bytes_new_static("Subject: r\r\n\r\n", 14);
    struct mailbox_append message = {.mime = mime, .received = received};
    return mailbox_append(m, fid, &message, mid_out, NULL);
}

static void test_limits(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    struct mailbox_folder_limits limits = {.item_size = 10}, read;
    uint64_t mid;
    assert_ec(mailbox_set_folder_limits(s.bob, s.fid, &limits), EC_ACCESS_DENIED);
    assert_ec(mailbox_set_folder_limits(w->own, FID_INBOX, &limits), EC_NOT_SUPPORTED);
    assert_ok(mailbox_set_folder_limits(s.admin, s.fid, &limits));
    assert_ok(mailbox_get_folder_limits(s.bob, s.fid, &read));
    g_assert_cmpuint(read.item_size, ==, 10);
    assert_ec(world_append(s.bob, s.fid, "too large", NULL), EC_MESSAGE_TOO_BIG);
    limits = (struct mailbox_folder_limits){.item_size = 1000, .quota = 2500};
    assert_ok(mailbox_set_folder_limits(s.admin, s.fid, &limits));
    unsigned n = 0;
    while (n < 100 && world_append(s.bob, s.fid, "fits", &mid) == EC_OK)
        n++;
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <, 100);
    assert_ec(world_append(s.bob, s.fid, "full", NULL), EC_QUOTA_EXCEEDED);
    assert_ec(mailbox_copy(s.bob, s.fid, &mid, 1, s.fid, NULL), EC_QUOTA_EXCEEDED);
    end(w, &s);
}

static void test_ageing(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    struct mailbox_folder_limits limits = {.age_days = 10};
    filetime_t day = 24 * 3600 * FILETIME_SECOND, now = clock_now();
    uint64_t old, young, other;
    unsigned n;
    assert_ok(mailbox_create_folder(s.admin, "Kept", &other));
    assert_ok(append_at(s.bob, s.fid, now - 11 * day, &old));
    assert_ok(append_at(s.bob, s.fid, now - 9 * day, &young));
    assert_ok(append_at(s.bob, other, now - 100 * day, &old));
    assert_ok(public_delete_aged(mailbox_mbox(s.admin), &n));
    g_assert_cmpuint(n, ==, 0);
    assert_ok(mailbox_set_folder_limits(s.admin, s.fid, &limits));
    assert_ok(public_delete_aged(mailbox_mbox(s.admin), &n));
    g_assert_cmpuint(n, ==, 1);
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(s.bob, s.fid, &view));
    g_assert_cmpuint(mailbox_view_count(view), ==, 1);
    g_assert_cmpuint(mailbox_view_row(view, 0)->mid, ==, young);
    mailbox_view_free(view);
    end(w, &s);
}

static enum ec deliver(struct world *w, const char *id, uint64_t fid) {
    g_autoptr(GBytes) mime = g_bytes_new_static("Subject: m\r\n\r\n", 14);
    struct mailbox_delivery d = {
        .mailbox = mailbox_public_guid(), .delivery_id = id, .mime = mime, .folder = fid};
    mailbox_deliver(w->service, &d, 1);
    return d.result;
}

static void test_mail(struct world *w, gconstpointer data) {
    (void)data;
    struct scene s = begin(w);
    struct directory_object *object;
    enum directory_route route;
    uint64_t fid;
    assert_ec(mailbox_mail_disable(s.admin, "News"), EC_NOT_FOUND);
    assert_ok(mailbox_mail_enable(s.admin, "News", "news@example.test", NULL));
    assert_ec(mailbox_mail_enable(s.admin, "News", "other@example.test", NULL), EC_COLLISION);
    assert_ok(directory_route(w->directory, w->arena, "news@example.test", &route, &object, NULL));
    g_assert_cmpint(route, ==, DIRECTORY_ROUTE_FOLDER);
    g_assert_cmpstr(object->display_name, ==, "News");
    assert_ok(directory_folder_target(w->directory, &object->guid, &fid));
    g_assert_cmpuint(fid, ==, s.fid);
    assert_ok(deliver(w, "1", s.fid));
    assert_ok(deliver(w, "1", s.fid)); // once
    g_assert_cmpuint(unread(w, s.bob, "News"), ==, 1);
    struct mailbox_folder_limits limits = {.item_size = 5};
    assert_ok(mailbox_set_folder_limits(s.admin, s.fid, &limits));
    assert_ec(deliver(w, "2", s.fid), EC_MESSAGE_TOO_BIG);
    assert_ec(deliver(w, "3", 0x999999), EC_NOT_FOUND);
    // The address goes with the folder.
    assert_ok(mailbox_rename_folder(s.admin, "News", "Renamed"));
    assert_ok(directory_find_folder(w->directory, w->arena, s.fid, &object));
    assert_ok(mailbox_delete_folder(s.admin, "Renamed"));
    assert_ec(directory_find_folder(w->directory, w->arena, s.fid, &object), EC_NOT_FOUND);
    assert_ok(directory_route(w->directory, w->arena, "news@example.test", &route, &object, NULL));
    g_assert_cmpint(route, ==, DIRECTORY_ROUTE_UNKNOWN);
    end(w, &s);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/public/roots", test_roots);
    WORLD_TEST("/mailbox/public/read-state", test_read_state);
    WORLD_TEST("/mailbox/public/read-state-travels", test_read_state_travels);
    WORLD_TEST("/mailbox/public/limits", test_limits);
    WORLD_TEST("/mailbox/public/ageing", test_ageing);
    WORLD_TEST("/mailbox/public/mail", test_mail);
    return g_test_run();
}
