// Rights: every operation against every right, the list of members, groups, full access.
#include "mailbox/rights_fixture.h"

// --- The matrix: what each operation needs, and that nothing else opens it ---

struct scene {
    struct world *w;
    struct mailbox *m;                // bob's way in
    uint64_t fid, other;              // the folder in question; one bob may do everything with
    uint64_t own_mid, their_mid, mid; // created by bob, by alice, in `other`
};

static enum ec op_see(struct scene *s) {
    struct mailbox_folder f;
    return mailbox_find_folder(s->m, s->w->arena, "Target", &f);
}

static enum ec op_list(struct scene *s) {
    struct mailbox_folder_list list;
    enum ec ec = mailbox_list_folders(s->m, s->w->arena, &list);
    for (unsigned i = 0; ec == EC_OK && i < list.n; i++)
        if (list.items[i].fid == s->fid)
            return EC_OK;
    return ec == EC_OK ? EC_NOT_FOUND : ec;
}

static enum ec op_members(struct scene *s) {
    struct mailbox_member_list list;
    return mailbox_permissions(s->m, s->w->arena, s->fid, true, &list);
}

static enum ec op_view(struct scene *s) {
    struct mailbox_view *view = NULL;
    enum ec ec = mailbox_view_open(s->m, s->fid, &view);
    mailbox_view_free(view);
    return ec;
}

// A view that was opened while it was allowed.
static struct mailbox_view *old_view(struct scene *s) {
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(s->w->own, s->fid, &view));
    return view;
}

static enum ec op_refresh(struct scene *s) {
    struct mailbox_view *view = old_view(s), *newer = NULL;
    enum ec ec = mailbox_view_refresh(s->m, view, &newer);
    mailbox_view_free(newer);
    mailbox_view_free(view);
    return ec;
}

static enum ec op_vanished(struct scene *s) {
    struct mailbox_view *view = old_view(s);
    g_autoptr(GArray) uids = NULL;
    enum ec ec = mailbox_view_vanished(s->m, view, 0, &uids);
    mailbox_view_free(view);
    return ec;
}

static enum ec op_search(struct scene *s) {
    struct mailbox_view *view = old_view(s);
    struct search_node all = {.kind = SEARCH_ALL};
    g_autoptr(GArray) found = NULL;
    enum ec ec = mailbox_search(s->m, view, &all, NULL, NULL, &found);
    mailbox_view_free(view);
    return ec;
}

// Finds only what may be read, and does not say that there is more.
static enum ec op_search_all(struct scene *s) {
    struct search_scope scope = {.fids = &s->fid, .n_fids = 1};
    struct search_node all = {.kind = SEARCH_ALL};
    g_autoptr(GArray) found = NULL;
    enum ec ec =
        mailbox_search_all(s->m, &scope, &all, SEARCH_NEWEST_ARRIVED, 10, NULL, NULL, &found);
    if (ec != EC_OK || found->len > 0)
        return ec;
    struct mailbox_folder f;
    return mailbox_find_folder(s->m, s->w->arena, "Target", &f) == EC_OK ? EC_ACCESS_DENIED
                                                                         : EC_NOT_FOUND;
}

static void wake(void *ctx) {
    (void)ctx;
}

static enum ec op_watch(struct scene *s) {
    struct mailbox_watch *watch = NULL;
    enum ec ec = mailbox_watch_new(s->m, s->fid, wake, NULL, &watch);
    mailbox_watch_free(watch);
    return ec;
}

static enum ec read_one(struct scene *s, uint64_t mid) {
    struct mailbox_reader *r;
    g_autoptr(GBytes) mime = NULL, part = NULL;
    const char *envelope;
    uint64_t size;
    enum ec ec = mailbox_reader_open(s->m, s->fid, &r);
    if (ec != EC_OK)
        return ec;
    ec = mailbox_read_mime(r, mid, &mime);
    g_assert_cmpint(mailbox_read_mime_range(r, mid, 1, 2, &part), ==, ec);
    g_assert_cmpint(mailbox_read_envelope(r, mid, &envelope, NULL), ==, ec);
    g_assert_cmpint(mailbox_read_size(r, mid, &size), ==, ec);
    // A reader of this folder reads no other.
    g_autoptr(GBytes) foreign = NULL;
    g_assert_cmpint(mailbox_read_mime(r, s->mid, &foreign), ==, EC_NOT_FOUND);
    mailbox_reader_close(r);
    return ec;
}

static enum ec op_read_own(struct scene *s) {
    return read_one(s, s->own_mid);
}

static enum ec op_read_any(struct scene *s) {
    return read_one(s, s->their_mid);
}

static enum ec op_append(struct scene *s) {
    return world_append(s->m, s->fid, "new", NULL);
}

static enum ec op_import(struct scene *s) {
    g_autoptr(GBytes) mime = g_bytes_new_static("Subject: i\r\n\r\n", 14);
    struct mailbox_import message = {.mime = mime};
    mailbox_import(s->m, s->fid, &message, 1);
    return message.result;
}

static enum ec op_copy_in(struct scene *s) {
    return mailbox_copy(s->m, s->other, &s->mid, 1, s->fid, NULL);
}

static enum ec op_copy_own_out(struct scene *s) {
    return mailbox_copy(s->m, s->fid, &s->own_mid, 1, s->other, NULL);
}

static enum ec op_copy_any_out(struct scene *s) {
    return mailbox_copy(s->m, s->fid, &s->their_mid, 1, s->other, NULL);
}

static enum ec flag(struct scene *s, uint64_t mid, uint32_t flags) {
    struct mailbox_flags change = {
        .mode = MAILBOX_FLAGS_ADD, .flags = flags, .unchanged_since = UINT64_MAX};
    return mailbox_change_flags(s->m, s->fid, &mid, 1, &change, NULL);
}

static enum ec op_edit_own(struct scene *s) {
    return flag(s, s->own_mid, MSG_FLAGGED);
}

static enum ec op_edit_any(struct scene *s) {
    return flag(s, s->their_mid, MSG_FLAGGED);
}

static enum ec op_mark_own(struct scene *s) {
    return flag(s, s->own_mid, MSG_DELETED);
}

static enum ec op_mark_any(struct scene *s) {
    return flag(s, s->their_mid, MSG_DELETED);
}

static enum ec op_move_own(struct scene *s) {
    return mailbox_move(s->m, s->fid, &s->own_mid, 1, s->other, NULL);
}

static enum ec op_move_any(struct scene *s) {
    return mailbox_move(s->m, s->fid, &s->their_mid, 1, s->other, NULL);
}

static enum ec op_delete_own(struct scene *s) {
    return mailbox_expunge(s->m, s->fid, &s->own_mid, 1);
}

static enum ec op_delete_any(struct scene *s) {
    return mailbox_expunge(s->m, s->fid, &s->their_mid, 1);
}

static enum ec op_subfolder(struct scene *s) {
    return mailbox_create_folder(s->m, "Target/child", NULL);
}

static enum ec op_move_folder_in(struct scene *s) {
    return mailbox_rename_folder(s->m, "Other/mine", "Target/mine");
}

static enum ec op_rename(struct scene *s) {
    return mailbox_rename_folder(s->m, "Target", "Other/renamed");
}

static enum ec op_delete_folder(struct scene *s) {
    return mailbox_delete_folder(s->m, "Target");
}

static enum ec op_grant(struct scene *s) {
    return mailbox_grant(s->m, "Target", "carol@example.test", ROLE_REVIEWER);
}

static enum ec op_modify_members(struct scene *s) {
    struct mailbox_permission_change change = {
        .op = PERMISSION_MODIFY, .member_id = MEMBER_DEFAULT, .rights = 0};
    return mailbox_modify_permissions(s->m, s->fid, 0, &change, 1);
}

// `needs`: sets of rights, one of which must be there as a whole (after what rights imply).
// MS-OXCPERM_R87: the table is what PidTagMemberRights grants.
static const struct {
    const char *name;
    enum ec (*run)(struct scene *s);
    uint32_t needs[2];
} operations[] = {
    {"see", op_see, {RIGHTS_VISIBLE}},   // MS-OXCPERM_R1120, MS-OXCFOLD_R462, MS-OXCFOLD_R46202
    {"list", op_list, {RIGHTS_VISIBLE}}, // MS-OXCPERM_R103
    {"members", op_members, {RIGHTS_VISIBLE}}, // MS-OXCPERM_R177, MS-OXCPERM_R2014
    {"view", op_view, {RIGHTS_READ_ANY}},
    {"refresh", op_refresh, {RIGHTS_READ_ANY}},
    {"vanished", op_vanished, {RIGHTS_READ_ANY}},
    {"search", op_search, {RIGHTS_READ_ANY}},
    {"search all", op_search_all, {RIGHTS_READ_ANY}},
    {"watch", op_watch, {RIGHTS_READ_ANY}},
    {"read own", op_read_own, {RIGHTS_VISIBLE}},
    {"read any", op_read_any, {RIGHTS_READ_ANY}}, // MS-OXCPERM_R143, MS-OXCPERM_R144
    {"append", op_append, {RIGHTS_CREATE}},       // MS-OXCPERM_R140, MS-OXCPERM_R141
    {"import", op_import, {RIGHTS_CREATE}},
    {"copy in", op_copy_in, {RIGHTS_CREATE}},
    {"copy own out", op_copy_own_out, {RIGHTS_VISIBLE}},
    {"copy any out", op_copy_any_out, {RIGHTS_READ_ANY}},
    {"edit own", op_edit_own, {RIGHTS_EDIT_OWNED}}, // MS-OXCPERM_R131, MS-OXCPERM_R132
    {"edit any", op_edit_any, {RIGHTS_EDIT_ANY}},   // MS-OXCPERM_R124, MS-OXCPERM_R125
    {"mark own", op_mark_own, {RIGHTS_DELETE_OWNED}},
    {"mark any", op_mark_any, {RIGHTS_DELETE_ANY}},
    {"move own", op_move_own, {RIGHTS_VISIBLE | RIGHTS_DELETE_OWNED}},
    {"move any", op_move_any, {RIGHTS_READ_ANY | RIGHTS_DELETE_ANY}},
    {"delete own", op_delete_own, {RIGHTS_DELETE_OWNED}}, // MS-OXCPERM_R127, MS-OXCPERM_R128
    {"delete any", op_delete_any, {RIGHTS_DELETE_ANY}},   // MS-OXCPERM_R121, MS-OXCPERM_R122
    // MS-OXCPERM_R118, MS-OXCPERM_R119, MS-OXCFOLD_R1066, MS-OXCFOLD_R489
    {"subfolder", op_subfolder, {RIGHTS_CREATE_SUBFOLDER}},
    {"move folder in", op_move_folder_in, {RIGHTS_CREATE_SUBFOLDER}},
    // MS-OXCPERM_R115, MS-OXCPERM_R115002, MS-OXCPERM_R116, MS-OXCPERM_R116001
    {"rename", op_rename, {RIGHTS_OWNER}},
    {"delete folder", op_delete_folder, {RIGHTS_OWNER}}, // MS-OXCFOLD_R503, MS-OXCFOLD_R405
    {"grant", op_grant, {RIGHTS_OWNER}},
    {"modify members", op_modify_members, {RIGHTS_OWNER}}, // MS-OXCPERM_R180, MS-OXCPERM_R182
};

// Which rights bob gets, one after the other.
static const uint32_t granted[] = {
    0,
    RIGHTS_VISIBLE,
    RIGHTS_READ_ANY,
    RIGHTS_CREATE,
    RIGHTS_CREATE | RIGHTS_VISIBLE,
    RIGHTS_EDIT_OWNED | RIGHTS_VISIBLE,
    RIGHTS_DELETE_OWNED | RIGHTS_VISIBLE,
    RIGHTS_DELETE_OWNED,
    RIGHTS_EDIT_ANY | RIGHTS_VISIBLE,
    RIGHTS_EDIT_ANY,
    RIGHTS_DELETE_ANY | RIGHTS_VISIBLE,
    RIGHTS_DELETE_ANY | RIGHTS_READ_ANY,
    RIGHTS_CREATE_SUBFOLDER | RIGHTS_VISIBLE,
    RIGHTS_OWNER,
    RIGHTS_CONTACT, // MS-OXCPERM_R3003: means nothing to the server
    RIGHTS_FREE_BUSY,
    ROLE_CONTRIBUTOR,
    ROLE_REVIEWER,
    ROLE_NONEDITING_AUTHOR,
    ROLE_AUTHOR,
    ROLE_PUBLISHING_AUTHOR,
    ROLE_EDITOR,
    ROLE_PUBLISHING_EDITOR,
    ROLE_OWNER,
};

static enum ec expected_of(const uint32_t needs[2], uint32_t rights) {
    rights = rights_complete(rights);
    for (unsigned i = 0; i < 2; i++)
        if (needs[i] && (rights & needs[i]) == needs[i])
            return EC_OK;
    // MS-OXCFOLD_R470: not even that it is there
    return rights & RIGHTS_VISIBLE ? EC_ACCESS_DENIED : EC_NOT_FOUND;
}

static void set_rights(struct world *w, uint64_t fid, struct principal *who, uint32_t rights) {
    struct mailbox_permission_change change = {
        .op = PERMISSION_ADD, .member = &who->guid, .rights = rights};
    assert_ok(mailbox_modify_permissions(w->own, fid, 0, &change, 1));
}

static void play(struct world *w, unsigned op, uint32_t rights) {
    struct scene s = {.w = w};
    s.fid = world_folder(w, "Target");
    s.other = world_folder(w, "Other");
    s.m = world_enter(w, &w->bob);
    set_rights(w, s.fid, &w->bob, ROLE_OWNER);
    set_rights(w, s.other, &w->bob, ROLE_OWNER);
    assert_ok(mailbox_create_folder(s.m, "Other/mine", NULL));
    assert_ok(world_append(s.m, s.fid, "own", &s.own_mid));
    assert_ok(world_append(w->own, s.fid, "theirs", &s.their_mid));
    assert_ok(world_append(w->own, s.other, "other", &s.mid));
    set_rights(w, s.fid, &w->bob, rights);

    enum ec ec = operations[op].run(&s), expected = expected_of(operations[op].needs, rights);
    if (ec != expected)
        g_error("%s with rights 0x%x: %s, expected %s", operations[op].name, rights, ec_name(ec),
                ec_name(expected));
    mailbox_close(s.m);
    // Whatever became of the folders.
    for (const char *const *p = (const char *const[]){"Target/child", "Target/mine", "Target",
                                                      "Other/mine", "Other/renamed", "Other", NULL};
         *p; p++)
        mailbox_delete_folder(w->own, *p);
}

static void test_matrix(struct world *w, gconstpointer data) {
    (void)data;
    // Which row shows which is said at the rows of `operations` and `granted`:
    // MS-OXCPERM_R87 R103 R115 R116 R118 R119 R121 R122 R124 R125 R127 R128 R131 R132 R140 R141
    // R143 R144 R173 R177 R180 R182 R1120 R1192 R2014 R3003 R115002 R116001
    // MS-OXCFOLD_R405 R462 R470 R489 R503 R1066 R46202
    for (unsigned op = 0; op < G_N_ELEMENTS(operations); op++)
        for (unsigned i = 0; i < G_N_ELEMENTS(granted); i++)
            play(w, op, granted[i]);
}

// --- The list of members ---

static const struct mailbox_member *member(struct world *w, uint64_t fid, int64_t id,
                                           bool with_free_busy) {
    struct mailbox_member_list list;
    assert_ok(mailbox_permissions(w->own, w->arena, fid, with_free_busy, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i].id == id)
            return &list.items[i];
    return NULL;
}

static int64_t id_of(struct world *w, uint64_t fid, const struct principal *who) {
    struct mailbox_member_list list;
    assert_ok(mailbox_permissions(w->own, w->arena, fid, false, &list));
    for (unsigned i = 0; i < list.n; i++)
        if (guid_equal(&list.items[i].guid, &who->guid))
            return list.items[i].id;
    return 0;
}

static void test_list(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t fid = world_folder(w, "Shared"), second = world_folder(w, "Second");
    struct mailbox_member_list list;
    assert_ok(mailbox_permissions(w->own, w->arena, fid, false, &list));
    // MS-OXCPERM_R190, MS-OXCPERM_R1080, MS-OXCPERM_R189, MS-OXCPERM_R1079: always there
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpint(list.items[0].id, ==, 0);
    g_assert_cmpstr(list.items[0].name, ==, "");
    g_assert_cmpint(list.items[1].id, ==, -1);
    g_assert_cmpstr(list.items[1].name, ==, "Anonymous");
    g_assert_true(guid_is_zero(&list.items[0].guid)); // MS-OXCPERM_R1070: no entry id

    // MS-OXCPERM_R47, MS-OXCPERM_R51, MS-OXCPERM_R1204: added
    struct mailbox_permission_change add[] = {
        {.op = PERMISSION_ADD, .member = &w->carol.guid, .rights = ROLE_AUTHOR},
        {.op = PERMISSION_ADD, .member = &w->bob.guid, .rights = ROLE_EDITOR},
        {.op = PERMISSION_MODIFY, .member_id = MEMBER_DEFAULT, .rights = ROLE_REVIEWER},
    };
    assert_ok(mailbox_modify_permissions(w->own, fid, 0, add, 3));
    assert_ok(mailbox_modify_permissions(w->own, second, 0, add, 3));
    assert_ok(mailbox_permissions(w->own, w->arena, fid, false, &list));
    g_assert_cmpuint(list.n, ==, 4);
    g_assert_cmpstr(list.items[2].name, ==, "bob@example.test"); // MS-OXCPERM_R1081
    g_assert_cmpstr(list.items[3].address, ==, "carol@example.test");
    g_assert_cmphex(list.items[0].rights, ==, ROLE_REVIEWER);
    int64_t bob = id_of(w, fid, &w->bob), carol = id_of(w, fid, &w->carol);
    g_assert_cmpint(bob, !=, carol);
    g_assert_cmpint(bob, ==, id_of(w, second, &w->bob)); // stable

    // MS-OXCPERM_R1187, MS-OXCPERM_R52; MS-OXCPERM_R1188, MS-OXCPERM_R186; MS-OXCPERM_R1175: an
    // unknown one is passed over
    struct mailbox_permission_change modify[] = {
        {.op = PERMISSION_MODIFY, .member_id = bob, .rights = ROLE_REVIEWER},
        {.op = PERMISSION_MODIFY, .member_id = 12345, .rights = ROLE_OWNER},
        {.op = PERMISSION_REMOVE, .member_id = carol},
        {.op = PERMISSION_REMOVE, .member_id = 12345},
    };
    assert_ok(mailbox_modify_permissions(w->own, fid, 0, modify, 4));
    g_assert_cmphex(member(w, fid, bob, false)->rights, ==, ROLE_REVIEWER);
    g_assert_null(member(w, fid, carol, false));
    assert_ok(mailbox_permissions(w->own, w->arena, fid, false, &list));
    g_assert_cmpuint(list.n, ==, 3);

    // MS-OXCPERM_R1197: all but the default entry are replaced; MS-OXCPERM_R45: by additions only
    struct mailbox_permission_change anonymous = {
        .op = PERMISSION_MODIFY, .member_id = MEMBER_ANONYMOUS, .rights = ROLE_REVIEWER};
    assert_ok(mailbox_modify_permissions(w->own, fid, 0, &anonymous, 1));
    assert_ok(mailbox_modify_permissions(w->own, fid, PERMISSIONS_REPLACE, add, 1));
    g_assert_null(member(w, fid, bob, false));
    g_assert_cmphex(member(w, fid, carol, false)->rights, ==, ROLE_AUTHOR);
    g_assert_cmphex(member(w, fid, MEMBER_DEFAULT, false)->rights, ==, ROLE_REVIEWER);
    g_assert_cmphex(member(w, fid, MEMBER_ANONYMOUS, false)->rights, ==, 0);
    assert_ec(mailbox_modify_permissions(w->own, fid, PERMISSIONS_REPLACE, modify, 1),
              EC_INVALID_PARAMETER);
    g_assert_cmphex(member(w, fid, carol, false)->rights, ==, ROLE_AUTHOR); // nothing happened

    // The two that are always there cannot be removed: they lose their rights.
    struct mailbox_permission_change remove = {.op = PERMISSION_REMOVE,
                                               .member_id = MEMBER_DEFAULT};
    assert_ok(mailbox_modify_permissions(w->own, fid, 0, &remove, 1));
    g_assert_cmphex(member(w, fid, MEMBER_DEFAULT, false)->rights, ==, 0);

    struct guid nobody = guid_new();
    struct mailbox_permission_change bad[] = {
        {.op = PERMISSION_ADD, .member = &nobody, .rights = ROLE_OWNER},
        {.op = PERMISSION_ADD, .member = &w->bob.guid, .rights = 0x00100000},
        {.op = PERMISSION_ADD, .member_id = 77, .rights = ROLE_OWNER},
    };
    assert_ec(mailbox_modify_permissions(w->own, fid, 0, &bad[0], 1), EC_NOT_FOUND);
    assert_ec(mailbox_modify_permissions(w->own, fid, 0, &bad[1], 1), EC_INVALID_PARAMETER);
    assert_ec(mailbox_modify_permissions(w->own, fid, 0, &bad[2], 1), EC_INVALID_PARAMETER);
    assert_ec(mailbox_modify_permissions(w->own, 0x999999, 0, add, 1), EC_NOT_FOUND);

    // Whoever sees the list may not change it for that (MS-OXCPERM_R181).
    struct mailbox *m = world_enter(w, &w->bob);
    set_rights(w, fid, &w->bob, ROLE_REVIEWER);
    assert_ok(mailbox_permissions(m, w->arena, fid, false, &list));
    assert_ec(mailbox_modify_permissions(m, fid, 0, add, 1), EC_ACCESS_DENIED);
    mailbox_close(m);
}

// The free/busy flags belong to the Calendar, and follow from the others until somebody sets them.
static void test_free_busy(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t other = world_folder(w, "Other");
    const uint32_t detailed = RIGHTS_FREE_BUSY;
    set_rights(w, FID_CALENDAR, &w->bob, ROLE_REVIEWER);
    set_rights(w, FID_CALENDAR, &w->carol, ROLE_CONTRIBUTOR);
    int64_t bob = id_of(w, FID_CALENDAR, &w->bob), carol = id_of(w, FID_CALENDAR, &w->carol);
    // MS-OXCPERM_R1182: the defaults
    g_assert_cmphex(member(w, FID_CALENDAR, 0, true)->rights, ==, RIGHTS_FREE_BUSY_SIMPLE);
    g_assert_cmphex(member(w, FID_CALENDAR, -1, true)->rights, ==, 0);
    g_assert_cmphex(member(w, FID_CALENDAR, bob, true)->rights, ==, ROLE_REVIEWER | detailed);
    g_assert_cmphex(member(w, FID_CALENDAR, carol, true)->rights, ==,
                    ROLE_CONTRIBUTOR | RIGHTS_FREE_BUSY_SIMPLE);
    // MS-OXCPERM_R19, MS-OXCPERM_R1010, MS-OXCPERM_R3001: told only when asked for
    g_assert_cmphex(member(w, FID_CALENDAR, bob, false)->rights, ==, ROLE_REVIEWER);

    // MS-OXCPERM_R40, MS-OXCPERM_R1025: set with the flag
    struct mailbox_permission_change change = {
        .op = PERMISSION_MODIFY, .member_id = bob, .rights = ROLE_REVIEWER};
    assert_ok(mailbox_modify_permissions(w->own, FID_CALENDAR, PERMISSIONS_FREE_BUSY, &change, 1));
    g_assert_cmphex(member(w, FID_CALENDAR, bob, true)->rights, ==, ROLE_REVIEWER);
    g_assert_cmphex(member(w, FID_CALENDAR, 0, true)->rights, ==, RIGHTS_FREE_BUSY_SIMPLE);
    // Without it they stay, whatever the rights say.
    change.rights = ROLE_EDITOR | detailed;
    assert_ok(mailbox_modify_permissions(w->own, FID_CALENDAR, 0, &change, 1));
    g_assert_cmphex(member(w, FID_CALENDAR, bob, true)->rights, ==, ROLE_EDITOR);
    change.rights = ROLE_NONE | RIGHTS_FREE_BUSY_DETAILED; // implies the simple one
    assert_ok(mailbox_modify_permissions(w->own, FID_CALENDAR, PERMISSIONS_FREE_BUSY, &change, 1));
    g_assert_cmphex(member(w, FID_CALENDAR, bob, true)->rights, ==, detailed);

    set_rights(w, other, &w->bob, ROLE_REVIEWER | detailed);
    g_assert_cmphex(member(w, other, id_of(w, other, &w->bob), true)->rights, ==, ROLE_REVIEWER);
    // They open nothing.
    struct mailbox *m;
    assert_ok(mailbox_grant(w->own, "Other", "bob@example.test", 0));
    assert_ok(mailbox_grant(w->own, "Calendar", "carol@example.test", 0));
    assert_ec(mailbox_open(w->service, &w->bob, &w->alice.guid, &m), EC_ACCESS_DENIED);
}

// --- Whose entry counts ---

static enum ec enter(struct world *w, struct principal *who) {
    struct mailbox *m = NULL;
    enum ec ec = mailbox_open(w->service, who, &w->alice.guid, &m);
    mailbox_close(m);
    return ec;
}

static uint32_t rights_on(struct mailbox *m, uint64_t fid) {
    MBOX_TX_AUTO tx = NULL;
    uint32_t rights;
    assert_ok(mbox_read(mailbox_mbox(m), &tx));
    assert_ok(rights_of(m, tx, fid, &rights));
    return rights;
}

static void test_whose_entry(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t fid = world_folder(w, "Shared");
    struct guid outer = world_group(w, "outer@example.test");
    struct guid inner = world_group(w, "inner@example.test");
    struct guid third = world_group(w, "third@example.test");
    assert_ok(directory_member_add(w->directory, &outer, &inner));
    struct mailbox *m = world_enter(w, &w->bob);
    assert_ok(mailbox_grant(w->own, "Shared", "default", ROLE_CONTRIBUTOR));
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_CONTRIBUTOR); // MS-OXCPERM_R176
    assert_ok(mailbox_grant(w->own, "Shared", "outer@example.test", ROLE_REVIEWER));
    assert_ok(mailbox_grant(w->own, "Shared", "third@example.test", RIGHTS_CREATE));
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_CONTRIBUTOR);
    // MS-OXCPERM_R175, MS-OXCPERM_R2016: through nested groups, while the session goes on
    assert_ok(directory_member_add(w->directory, &inner, &w->bob.guid));
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_REVIEWER);
    assert_ok(directory_member_add(w->directory, &third, &w->bob.guid));
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_REVIEWER | RIGHTS_CREATE); // together
    // One's own entry counts alone, even when it gives nothing.
    set_rights(w, fid, &w->bob, ROLE_NONE);
    g_assert_cmphex(rights_on(m, fid), ==, 0);
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", 0)); // taken out
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_REVIEWER | RIGHTS_CREATE);
    assert_ok(directory_member_remove(w->directory, &inner, &w->bob.guid));
    assert_ok(directory_member_remove(w->directory, &third, &w->bob.guid));
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_CONTRIBUTOR);
    mailbox_close(m);

    // Nobody in particular: the anonymous entry, never the default one.
    struct principal *nobody = principal_anonymous();
    assert_ec(enter(w, nobody), EC_ACCESS_DENIED); // MS-OXCPERM_R2005
    assert_ok(mailbox_grant(w->own, "Shared", "anonymous", ROLE_REVIEWER | RIGHTS_EDIT_OWNED));
    assert_ok(enter(w, nobody));
    m = world_enter(w, nobody);
    uint64_t mid;
    assert_ok(world_append(w->own, fid, "x", &mid));
    struct scene s = {.w = w, .m = m, .fid = fid};
    assert_ok(op_view(&s));
    assert_ec(flag(&s, mid, MSG_FLAGGED), EC_ACCESS_DENIED); // nothing is its own
    mailbox_close(m);
    principal_unref(nobody);
}

static void test_full_access(struct world *w, gconstpointer data) {
    (void)data;
    struct guid team = world_group(w, "team@example.test");
    assert_ec(enter(w, &w->bob), EC_ACCESS_DENIED);
    assert_ok(directory_grant(w->directory, &w->alice.guid, &team, DIRECTORY_FULL_ACCESS));
    assert_ec(enter(w, &w->bob), EC_ACCESS_DENIED);
    assert_ok(directory_member_add(w->directory, &team, &w->bob.guid));
    struct mailbox *m;
    assert_ok(mailbox_open(w->service, &w->bob, &w->alice.guid, &m));
    g_assert_false(mailbox_is_owner(m));
    assert_ok(world_append(m, FID_INBOX, "x", NULL));
    assert_ok(mailbox_create_folder(m, "New", NULL));
    struct mailbox_watch *watch;
    assert_ok(mailbox_watch_new(m, 0, wake, NULL, &watch));
    mailbox_watch_free(watch);
    // Subscriptions are alice's own all the same.
    char **names;
    assert_ec(mailbox_subscribe(m, "New", true), EC_ACCESS_DENIED);
    assert_ec(mailbox_subscriptions(m, &names), EC_ACCESS_DENIED);
    // Taken away while the session goes on.
    assert_ok(directory_revoke(w->directory, &w->alice.guid, &team, DIRECTORY_FULL_ACCESS));
    assert_ec(world_append(m, FID_INBOX, "y", NULL), EC_NOT_FOUND);
    mailbox_close(m);
    assert_ec(enter(w, &w->bob), EC_ACCESS_DENIED);
    // Other rights over a mailbox do not open it.
    assert_ok(directory_grant(w->directory, &w->alice.guid, &w->bob.guid, DIRECTORY_SEND_AS));
    assert_ec(enter(w, &w->bob), EC_ACCESS_DENIED);
}

// --- What is one's own ---

static void test_creators(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t fid = world_folder(w, "Shared"), theirs, own;
    set_rights(w, fid, &w->bob, ROLE_AUTHOR);
    struct scene s = {.w = w, .m = world_enter(w, &w->bob), .fid = fid};
    assert_ok(world_append(w->own, fid, "theirs", &theirs));
    assert_ok(world_append(s.m, fid, "own", &own));
    uint64_t both[] = {own, theirs}, gone[] = {own, 0x999999};
    assert_ec(mailbox_expunge(s.m, fid, both, 2), EC_ACCESS_DENIED); // all or nothing
    // A copy is the copier's own, the original stays the other's.
    g_autoptr(GArray) copied = NULL;
    assert_ok(mailbox_copy(s.m, fid, &theirs, 1, fid, &copied));
    uint64_t copy = g_array_index(copied, struct mailbox_copied, 0).new_mid;
    assert_ok(flag(&s, copy, MSG_FLAGGED));
    assert_ec(flag(&s, theirs, MSG_FLAGGED), EC_ACCESS_DENIED);
    // What the owner moves is the owner's.
    g_autoptr(GArray) moved = NULL;
    assert_ok(mailbox_move(w->own, fid, &copy, 1, fid, &moved));
    copy = g_array_index(moved, struct mailbox_copied, 0).new_mid;
    assert_ec(flag(&s, copy, MSG_FLAGGED), EC_ACCESS_DENIED);
    assert_ok(mailbox_expunge(s.m, fid, gone, 2)); // what is not there does not count

    // The creator is told to MAPI clients.
    MBOX_TX_AUTO tx = NULL;
    struct message *message;
    struct prop_value name;
    assert_ok(world_append(s.m, fid, "named", &own));
    assert_ok(mbox_read(mailbox_mbox(s.m), &tx));
    assert_ok(message_open(tx, own, &message));
    assert_ok(message_get_prop(tx, message, w->arena, PidTagCreatorName, 0, &name));
    g_assert_cmpstr(name.str, ==, "bob@example.test");
    assert_ok(message_get_prop(tx, message, w->arena, PidTagCreatorEntryId, 0, &name));
    g_assert_cmpuint(name.bin.len, >, 24);
    message_free(message);
    mailbox_close(s.m);
}

static void test_inheritance(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t fid = world_folder(w, "Shared");
    set_rights(w, fid, &w->bob, ROLE_PUBLISHING_AUTHOR);
    struct mailbox *m = world_enter(w, &w->bob);
    uint64_t child = world_folder(w, "Shared/child"), mine;
    g_assert_cmphex(rights_on(m, child), ==, ROLE_PUBLISHING_AUTHOR); // the parent's list
    assert_ok(mailbox_create_folder(m, "Shared/mine", &mine));
    g_assert_cmphex(rights_on(m, mine), ==, ROLE_OWNER); // whoever makes a folder owns it
    g_assert_cmphex(rights_on(m, fid), ==, ROLE_PUBLISHING_AUTHOR);
    set_rights(w, fid, &w->bob, ROLE_REVIEWER); // the children keep what they have
    g_assert_cmphex(rights_on(m, child), ==, ROLE_PUBLISHING_AUTHOR);
    assert_ok(mailbox_rename_folder(w->own, "Shared/child", "Elsewhere"));
    g_assert_cmphex(rights_on(m, child), ==, ROLE_PUBLISHING_AUTHOR);
    mailbox_close(m);
}

struct copy {
    uint64_t from, to;
};

static enum ec change_copy_folder(struct mbox_tx *tx, void *ctx) {
    struct copy *c = ctx;
    return folder_copy(tx, c->from, FID_IPM_SUBTREE, "Copy", true, &c->to);
}

static void test_folder_copy_keeps_its_list(struct world *w, gconstpointer data) {
    (void)data;
    struct copy c = {.from = world_folder(w, "Shared")};
    set_rights(w, c.from, &w->bob, ROLE_EDITOR);
    assert_ok(mbox_write(mailbox_mbox(w->own), change_copy_folder, &c));
    struct mailbox *m = world_enter(w, &w->bob);
    g_assert_cmphex(rights_on(m, c.to), ==, ROLE_EDITOR);
    mailbox_close(m);
}

// A list of many folders asks the directory once and the database twice.
struct many {
    unsigned n;
    const char *member;
};

static enum ec change_many(struct mbox_tx *tx, void *ctx) {
    struct many *many = ctx;
    for (unsigned i = 0; i < many->n; i++) {
        uint64_t fid;
        g_autofree char *name = g_strdup_printf("f%05u", i);
        EC_TRY(folder_create(tx, FID_IPM_SUBTREE, name, FOLDER_TYPE_GENERIC, "IPF.Note", &fid));
        EC_TRY(folder_set_permission(tx, fid, many->member, ROLE_REVIEWER, false));
    }
    return EC_OK;
}

static void test_many_folders(struct world *w, gconstpointer data) {
    (void)data;
    char text[GUID_STRING_SIZE];
    struct guid team = world_group(w, "team@example.test");
    guid_format(&team, text);
    struct many many = {2000, text};
    struct mailbox_folder_list list;
    assert_ok(mbox_write(mailbox_mbox(w->own), change_many, &many));
    struct mailbox *m = world_enter(w, &w->bob);
    assert_ok(mailbox_list_folders(m, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(directory_member_add(w->directory, &team, &w->bob.guid));
    gint64 start = g_get_monotonic_time();
    assert_ok(mailbox_list_folders(m, w->arena, &list));
    g_assert_cmpuint(list.n, ==, 2000);
    g_test_message("2,000 folders listed in %" G_GINT64_FORMAT " us",
                   g_get_monotonic_time() - start);
    mailbox_close(m);
}

// Whoever gets a right finds the mailbox; the note is there before the right.
static void test_shares(struct world *w, gconstpointer data) {
    (void)data;
    struct directory_list list;
    world_folder(w, "Shared");
    assert_ok(mailbox_grant(w->own, "Shared", "bob@example.test", ROLE_REVIEWER));
    assert_ok(directory_shared_with(w->directory, w->arena, &w->bob.guid, &list));
    g_assert_cmpuint(list.n, ==, 1);
    assert_ok(directory_shared_with(w->directory, w->arena, &w->carol.guid, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(mailbox_grant(w->own, "Shared", "default", ROLE_REVIEWER));
    assert_ok(directory_shared_with(w->directory, w->arena, &w->carol.guid, &list));
    g_assert_cmpuint(list.n, ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/rights/matrix", test_matrix);
    WORLD_TEST("/mailbox/rights/list", test_list);
    WORLD_TEST("/mailbox/rights/free-busy", test_free_busy);
    WORLD_TEST("/mailbox/rights/whose-entry", test_whose_entry);
    WORLD_TEST("/mailbox/rights/full-access", test_full_access);
    WORLD_TEST("/mailbox/rights/creators", test_creators);
    WORLD_TEST("/mailbox/rights/inheritance", test_inheritance);
    WORLD_TEST("/mailbox/rights/folder-copy", test_folder_copy_keeps_its_list);
    WORLD_TEST("/mailbox/rights/many-folders", test_many_folders);
    WORLD_TEST("/mailbox/rights/shares", test_shares);
    return g_test_run();
}
