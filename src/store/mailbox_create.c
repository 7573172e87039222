// A new mailbox: the special folders and the entry ids by which clients find them
// ([MS-OXOSFLD] 2.2).
#include <string.h>

#include "base/clock.h"
#include "base/wire.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "mapi/rights.h"
#include "mapi/special_folder.h"
#include "store/folder_internal.h"
#include "store/public_internal.h"
#include "store/store_internal.h"

#define FOLDER_ENTRY_ID_SIZE 46

struct folder_entry_id {
    uint8_t bytes[FOLDER_ENTRY_ID_SIZE];
};

static struct folder_entry_id make_entry_id(const struct mbox *mbox, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_entry_id id;
    struct prop_bin bytes = entry_id_of_folder(arena, &mbox->guid, &mbox->replica, fid);
    g_assert(bytes.len == sizeof id.bytes);
    memcpy(id.bytes, bytes.data, sizeof id.bytes);
    return id;
}

static const struct {
    proptag_t tag;
    uint64_t fid;
} on_root_and_inbox[] = {
    {PidTagIpmAppointmentEntryId, FID_CALENDAR}, {PidTagIpmContactEntryId, FID_CONTACTS},
    {PidTagIpmJournalEntryId, FID_JOURNAL},      {PidTagIpmNoteEntryId, FID_NOTES},
    {PidTagIpmTaskEntryId, FID_TASKS},           {PidTagRemindersOnlineEntryId, FID_REMINDERS},
    {PidTagIpmDraftsEntryId, FID_DRAFTS},
};

static const struct {
    proptag_t tag;
    uint64_t fid;
} on_store[] = {
    {PidTagIpmSubtreeEntryId, FID_IPM_SUBTREE},
    {PidTagIpmOutboxEntryId, FID_OUTBOX},
    {PidTagIpmWastebasketEntryId, FID_DELETED_ITEMS},
    {PidTagIpmSentMailEntryId, FID_SENT_ITEMS},
    {PidTagViewsEntryId, FID_VIEWS},
    {PidTagCommonViewsEntryId, FID_COMMON_VIEWS},
    {PidTagFinderEntryId, FID_FINDER},
};

// PidTagAdditionalRenEntryIds, by index ([MS-OXOSFLD] 2.2.4).
static const uint64_t additional[] = {FID_CONFLICTS, FID_SYNC_ISSUES, FID_LOCAL_FAILURES,
                                      FID_SERVER_FAILURES, FID_JUNK};

// PidTagAdditionalRenEntryIdsEx, by persist id ([MS-OXOSFLD] 2.2.5).
static const struct {
    uint16_t persist_id;
    uint64_t fid;
} additional_ex[] = {
    {0x8001, FID_RSS_FEEDS},       {0x8002, FID_TRACKED_MAIL},
    {0x8004, FID_TODO_SEARCH},     {0x8006, FID_CONVERSATION_ACTIONS},
    {0x8007, FID_QUICK_STEPS},     {0x8008, FID_SUGGESTED_CONTACTS},
    {0x800A, FID_IM_CONTACT_LIST}, {0x800B, FID_QUICK_CONTACTS},
};

static void add_multiple(struct bag *bag, proptag_t tag, const struct mbox *mbox,
                         const uint64_t *fids, unsigned n) {
    struct folder_entry_id ids[8];
    struct prop_bin bins[8];
    g_assert(n <= 8);
    for (unsigned i = 0; i < n; i++) {
        if (fids[i]) {
            ids[i] = make_entry_id(mbox, fids[i]);
            bins[i] = (struct prop_bin){FOLDER_ENTRY_ID_SIZE, ids[i].bytes};
        } else {
            bins[i] = (struct prop_bin){0, (const uint8_t *)""};
        }
    }
    struct prop_value v = {.tag = tag, .mv = {.n = n, .bin = bins}};
    bag_set(bag, &v);
}

static void add_additional_ex(struct bag *bag, const struct mbox *mbox) {
    struct wire_writer w = wire_writer(4096);
    for (unsigned i = 0; i < G_N_ELEMENTS(additional_ex); i++) {
        struct folder_entry_id id = make_entry_id(mbox, additional_ex[i].fid);
        wire_put_u16(&w, additional_ex[i].persist_id);
        wire_put_u16(&w, 4 + FOLDER_ENTRY_ID_SIZE);
        wire_put_u16(&w, 1); // RSF_ELID_ENTRYID
        wire_put_u16(&w, FOLDER_ENTRY_ID_SIZE);
        wire_put_bytes(&w, id.bytes, FOLDER_ENTRY_ID_SIZE);
    }
    wire_put_u32(&w, 0); // PERSIST_SENTINEL
    bag_set_bytes(bag, PidTagAdditionalRenEntryIdsEx, w.bytes->data, w.bytes->len);
    wire_writer_clear(&w);
}

// The properties of the root and the Inbox by which clients find the other folders.
struct bag *mailbox_new_finder_props(const struct mbox *mbox) {
    static const uint64_t free_busy[] = {0, 0, 0, FID_FREEBUSY_DATA};
    struct bag *bag = bag_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(on_root_and_inbox); i++) {
        struct folder_entry_id id = make_entry_id(mbox, on_root_and_inbox[i].fid);
        bag_set_bytes(bag, on_root_and_inbox[i].tag, id.bytes, sizeof id.bytes);
    }
    add_multiple(bag, PidTagAdditionalRenEntryIds, mbox, additional, G_N_ELEMENTS(additional));
    add_multiple(bag, PidTagFreeBusyEntryIds, mbox, free_busy, G_N_ELEMENTS(free_busy));
    add_additional_ex(bag, mbox);
    return bag;
}

struct bag *mailbox_new_store_props(const struct mbox *mbox) {
    struct bag *bag = bag_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(on_store); i++) {
        struct folder_entry_id id = make_entry_id(mbox, on_store[i].fid);
        bag_set_bytes(bag, on_store[i].tag, id.bytes, sizeof id.bytes);
    }
    bag_set_long(bag, PidTagValidFolderMask, 0xff);
    return bag;
}

static bool is_search(uint64_t fid) {
    return fid == FID_REMINDERS || fid == FID_TODO_SEARCH || fid == FID_TRACKED_MAIL ||
           fid == FID_ALL_ITEMS || fid == FID_MY_CONTACTS || fid == FID_WORKING_SET;
}

// Settings folders clients do not show.
static bool is_hidden(uint64_t fid) {
    return fid == FID_CONVERSATION_ACTIONS || fid == FID_QUICK_STEPS || fid == FID_QUICK_CONTACTS ||
           fid == FID_IM_CONTACT_LIST || fid == FID_GAL_CONTACTS;
}

enum ec mailbox_insert_special(struct mbox_tx *tx, uint64_t fid, const char *name,
                               const char *locale) {
    const struct special_folder_info *info = special_folder(fid);
    bool is_finder = fid == FID_ROOT || fid == FID_INBOX;
    BAG_AUTO finder = is_finder ? mailbox_new_finder_props(tx->mbox) : NULL;
    struct folder_info f = {
        .fid = fid,
        .parent = info->parent,
        .name = name ? name : special_folder_name(fid, locale),
        .container_class = info->container_class,
        .type = fid == FID_ROOT  ? FOLDER_TYPE_ROOT
                : is_search(fid) ? FOLDER_TYPE_SEARCH
                                 : FOLDER_TYPE_GENERIC,
        .uid_validity = (uint32_t)filetime_to_unix(tx->now),
        .created = tx->now,
        .changed = tx->now,
        .is_hidden = is_hidden(fid),
        .is_subscribed = !is_hidden(fid) && strcmp(info->container_class, "IPF.Note") == 0,
    };
    f.cn = f.modseq = mbox_next_id(tx);
    return folder_insert(tx, &f, finder);
}

static enum ec insert_folders(struct mbox_tx *tx, const struct mbox_new *spec) {
    if (mbox_is_public(tx->mbox))
        return public_insert_folders(tx);
    unsigned n;
    const struct special_folder_info *all = special_folders(&n);
    for (unsigned i = 0; i < n; i++)
        EC_TRY(mailbox_insert_special(tx, all[i].fid, NULL, spec->locale));
    // Everybody may ask when somebody is free ([MS-OXCPERM], the default of Calendar).
    return folder_set_permission(tx, FID_CALENDAR, "default", RIGHTS_FREE_BUSY_SIMPLE, false);
}

enum ec mailbox_insert_row(struct mbox_tx *tx, const struct mbox_new *spec) {
    BAG_AUTO props = mailbox_new_store_props(tx->mbox);
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_blob(q, 2, tx->mbox->guid.bytes, 16);
    db_bind_blob(q, 3, tx->mbox->replica.bytes, 16);
    db_bind_text(q, 4, spec->address);
    db_bind_text(q, 5, spec->display_name);
    db_bind_text(q, 6, spec->locale ? spec->locale : "en");
    db_bind_i64(q, 7, (int64_t)tx->now);
    db_bind_i64(q, 8, (int64_t)tx->mbox->next_id);
    // Starts at the time, so that a mailbox made anew under the same name has other uids to its
    // clients.
    db_bind_i64(q, 9, filetime_to_unix(tx->now));
    EC_TRY(db_run(q, NULL));
    return mbox_set_props(tx, props, NULL, 0);
}

enum ec mailbox_fill(struct db *db, const struct mbox_new *spec) {
    struct mbox mbox = {.guid = spec->guid, .replica = guid_new(), .next_id = FID_FIRST_FREE};
    struct mbox_tx tx = {.mbox = &mbox, .is_writer = true, .now = clock_now()};
    EC_TRY(db_write(db, &tx.conn));
    tx.counters = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    tx.events = g_array_new(FALSE, FALSE, sizeof(struct event));
    enum ec ec = mailbox_insert_row(&tx, spec);
    if (ec == EC_OK)
        ec = insert_folders(&tx, spec);
    if (ec == EC_OK) {
        struct db_stmt *q = db_query(tx.conn, sql_mailbox_next_id);
        db_bind_i64(q, 1, (int64_t)mbox.next_id);
        db_bind_i64(q, 2, MBX);
        ec = db_run(q, NULL);
    }
    if (ec == EC_OK)
        ec = db_commit(tx.conn);
    else
        db_rollback(tx.conn);
    g_hash_table_unref(tx.counters);
    g_array_unref(tx.events);
    return ec;
}
