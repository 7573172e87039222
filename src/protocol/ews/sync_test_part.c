// SyncFolderHierarchy and SyncFolderItems over EWS ([MS-OXWSSYNC]).
#include "protocol/ews/folders_fixture.h"
#include "protocol/ews/sync_state.h"

static const char *sync_items(struct ews_world *e, const char *state, unsigned max) {
    g_autofree char *known =
        state ? g_strdup_printf("<m:SyncState>%s</m:SyncState>", state) : g_strdup("");
    return ews_ask(
        e,
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>Default</t:BaseShape></m:ItemShape>"
        "<m:SyncFolderId><t:DistinguishedFolderId Id='inbox'/></m:SyncFolderId>%s"
        "<m:MaxChangesReturned>%u</m:MaxChangesReturned></m:SyncFolderItems>",
        known, max);
}

static const char *sync_folders(struct ews_world *e, const char *state) {
    g_autofree char *known =
        state ? g_strdup_printf("<m:SyncState>%s</m:SyncState>", state) : g_strdup("");
    return ews_ask(e,
                   "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>Default</t:BaseShape>"
                   "</m:FolderShape>%s</m:SyncFolderHierarchy>",
                   known);
}

static char *state_of(const char *answer) {
    return value_after(answer, "<m:SyncState>", 0);
}

static void test_items(struct ews_world *e, gconstpointer data) {
    (void)data;
    uint64_t mids[5];
    for (unsigned i = 0; i < 5; i++)
        assert_ok(world_append(&e->w, FID_INBOX, "hello", 10, &mids[i]));
    const char *a = sync_items(e, NULL, 3);             // MS-OXWSSYNC_R382
    assert_count(a, "<t:Create>", 3);                   // MS-OXWSSYNC_R131
    assert_has(a, "<m:IncludesLastItemInRange>false<"); // MS-OXWSSYNC_R6702
    assert_count(a, "<m:SyncFolderItemsResponseMessage ", 1);
    g_autofree char *one = state_of(a);
    a = sync_items(e, one, 3);
    assert_count(a, "<t:Create>", 2);
    assert_has(a, "<m:IncludesLastItemInRange>true<"); // MS-OXWSSYNC_R6701
    g_autofree char *two = state_of(a);
    a = sync_items(e, two, 512);
    assert_has(a, "<m:Changes/>");
    // The same state again gives the same.
    a = sync_items(e, one, 3);
    assert_count(a, "<t:Create>", 2);
    struct mailbox_flags read = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    struct mailbox_flags flag = {
        .mode = MAILBOX_FLAGS_ADD, .flags = MSG_FLAGGED, .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(e->w.m, FID_INBOX, &mids[0], 1, &read, NULL));
    assert_ok(mailbox_change_flags(e->w.m, FID_INBOX, &mids[1], 1, &flag, NULL));
    assert_ok(mailbox_expunge(e->w.m, FID_INBOX, &mids[2], 1));
    assert_ok(mailbox_move(e->w.m, FID_INBOX, &mids[3], 1, FID_DRAFTS, NULL));
    assert_ok(world_append(&e->w, FID_INBOX, "new one", 10, NULL));
    a = sync_items(e, two, 512);
    assert_count(a, "<t:ReadFlagChange>", 1);   // MS-OXWSSYNC_R136
    assert_has(a, "<t:IsRead>true</t:IsRead>"); // MS-OXWSSYNC_R1951
    assert_count(a, "<t:Update>", 1);           // MS-OXWSSYNC_R132
    assert_count(a, "<t:Delete>", 2);           // MS-OXWSSYNC_R134
    assert_count(a, "<t:Create>", 1);
    assert_has(a, "<t:Subject>new one</t:Subject>");
    // Ignored ones are left out.
    g_autofree char *deleted = value_after(strstr(a, "<t:Delete>"), "<t:ItemId Id=\"", 0);
    g_autofree char *ignoring = g_strdup_printf(
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        "<m:SyncFolderId><t:DistinguishedFolderId Id='inbox'/></m:SyncFolderId><m:SyncState>%s"
        "</m:SyncState><m:Ignore><t:ItemId Id='%s'/></m:Ignore><m:MaxChangesReturned>512"
        "</m:MaxChangesReturned></m:SyncFolderItems>",
        two, deleted);
    assert_count(ews_ask(e, "%s", ignoring), "<t:Delete>", 1);
}

static void test_bad_states(struct ews_world *e, gconstpointer data) {
    (void)data;
    g_autofree char *items = state_of(sync_items(e, NULL, 10));
    g_autofree char *folders = state_of(sync_folders(e, NULL));
    assert_has(sync_items(e, "AAAA", 10), "ErrorInvalidSyncStateData");
    assert_has(sync_items(e, "!!!", 10), "ErrorInvalidSyncStateData");
    assert_has(sync_items(e, folders, 10), "ErrorInvalidSyncStateData");
    assert_has(sync_folders(e, items), "ErrorInvalidSyncStateData");
    g_autofree char *garbled = g_strdup(items);
    garbled[10] = garbled[10] == 'A' ? 'B' : 'A';
    assert_has(sync_items(e, garbled, 10), "ErrorInvalidSyncStateData");
    for (size_t n = strlen(items) - 1; n > 4; n -= 4) {
        g_autofree char *cut = g_strndup(items, n);
        assert_has(sync_items(e, cut, 10), "ErrorInvalidSyncStateData");
    }
    g_autofree char *huge = g_strnfill(100000, 'A');
    assert_has(sync_items(e, huge, 10), "ErrorInvalidSyncStateData");
    assert_has(sync_items(e, NULL, 0), "ErrorInvalidRequest");
    assert_has(sync_items(e, NULL, 513), "ErrorInvalidRequest");
    assert_has(ews_ask(e, "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
                          "</m:ItemShape><m:MaxChangesReturned>5</m:MaxChangesReturned>"
                          "</m:SyncFolderItems>"),
               "ErrorMissingArgument");
    // MS-OXWSCDATA_R1188
    assert_has(ews_ask(e, "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
                          "<t:IncludeMimeContent>true</t:IncludeMimeContent></m:ItemShape>"
                          "<m:SyncFolderId><t:DistinguishedFolderId Id='inbox'/></m:SyncFolderId>"
                          "<m:MaxChangesReturned>5</m:MaxChangesReturned></m:SyncFolderItems>"),
               "ErrorInvalidPropertyRequest");
}

static void test_hierarchy(struct ews_world *e, gconstpointer data) {
    (void)data;
    uint64_t fid;
    const char *a = sync_folders(e, NULL);
    assert_count(a, "<m:SyncFolderHierarchyResponseMessage ", 1); // MS-OXWSSYNC_R460
    assert_has(a, "<m:IncludesLastFolderInRange>true<");          // MS-OXWSSYNC_R4601
    assert_has(a, "<t:CalendarFolder>");                          // MS-OXWSSYNC_R1021
    assert_has(a, "<t:ContactsFolder>");                          // MS-OXWSSYNC_R1041
    assert_has(a, "<t:TasksFolder>");                             // MS-OXWSSYNC_R1081
    g_autofree char *state = state_of(a);
    assert_has(sync_folders(e, state), "<m:Changes/>");
    assert_ok(mailbox_create_folder(e->w.m, "Made by IMAP", &fid));
    a = sync_folders(e, state);
    assert_count(a, "<t:Create>", 1); // MS-OXWSSYNC_R84
    assert_has(a, "<t:DisplayName>Made by IMAP</t:DisplayName>");
    g_autofree char *next = state_of(a);
    assert_ok(mailbox_rename_folder(e->w.m, "Made by IMAP", "Renamed"));
    a = sync_folders(e, next);
    assert_count(a, "<t:Update>", 1); // MS-OXWSSYNC_R85
    g_autofree char *then = state_of(a);
    assert_ok(mailbox_delete_folder(e->w.m, "Renamed"));
    a = sync_folders(e, then);
    assert_count(a, "<t:Delete>", 1);                         // MS-OXWSSYNC_R87
    assert_has(strstr(a, "<t:Delete>"), "<t:FolderId Id=\""); // MS-OXWSSYNC_R117
}

static void test_state_bytes(void) {
    ARENA_AUTO arena = arena_new();
    struct sync_state s = {.kind = SYNC_STATE_ITEMS,
                           .mailbox = guid_new(),
                           .fid = 0x123456789,
                           .with_associated = true,
                           .at = {1000, 2000, 30, 20, 10}};
    struct sync_state got;
    g_assert_true(sync_state_parse(sync_state_format(arena, &s), &got));
    g_assert_cmpmem(&got.mailbox, sizeof got.mailbox, &s.mailbox, sizeof s.mailbox);
    g_assert_cmpuint(got.fid, ==, s.fid);
    g_assert_true(got.with_associated);
    g_assert_cmpuint(got.at.since, ==, 1000);
    g_assert_cmpuint(got.at.below_associated, ==, 10);
    g_assert_false(sync_state_parse("", &got));
}

void add_sync_tests(void) {
    EWS_TEST("/sync/items", test_items);
    EWS_TEST("/sync/bad-states", test_bad_states);
    EWS_TEST("/sync/hierarchy", test_hierarchy);
    g_test_add_func("/sync/state", test_state_bytes);
}
