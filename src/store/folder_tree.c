// Folders with all that is in them: copying, deleting, emptying
// ([MS-OXCFOLD] 2.2.1.3, 2.2.1.8, 2.2.1.9).
#include "mapi/special_folder.h"
#include "store/annotation.h"
#include "store/columns_internal.h"
#include "store/envelope_chunk.h"
#include "store/folder_internal.h"
#include "store/gone_folder.h"
#include "store/message.h"
#include "store/receive_folder.h"
#include "store/recoverable_internal.h"
#include "store/replica.h"
#include "store/rights_internal.h"
#include "store/rows_saved.h"
#include "store/rule.h"
#include "store/search_folder_internal.h"
#include "store/store_internal.h"

enum { LIST_NORMAL = 1, LIST_ASSOCIATED = 2, LIST_SOFT = 4 };

static enum ec list_messages(struct mbox_tx *tx, uint64_t fid, unsigned which, GArray *mids) {
    struct db_stmt *q = db_query(tx->conn, sql_message_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        uint64_t mid = (uint64_t)db_col_i64(q, 0);
        int64_t flags = db_col_i64(q, 1);
        unsigned kind = flags & MSG_SOFT_DELETED ? LIST_SOFT
                        : flags & MSG_ASSOCIATED ? LIST_ASSOCIATED
                                                 : LIST_NORMAL;
        if (kind & which)
            g_array_append_val(mids, mid);
    }
    return db_finish(q);
}

static enum ec remove_messages(struct mbox_tx *tx, uint64_t fid, unsigned which, bool hard) {
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(list_messages(tx, fid, which, mids));
    const uint64_t *ids = (const uint64_t *)(void *)mids->data;
    return message_delete(tx, fid, ids, mids->len, hard ? DELETE_HARD : DELETE_SOFT, NULL);
}

// What a deleted folder held goes to Recoverable Items\Deletions, or for good.
static enum ec clear_folder(struct mbox_tx *tx, uint64_t fid, bool hard) {
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (!hard) {
        EC_TRY(list_messages(tx, fid, LIST_NORMAL | LIST_ASSOCIATED, mids));
        EC_TRY(message_move(tx, fid, (const uint64_t *)(void *)mids->data, mids->len,
                            FID_RECOVERABLE_DELETIONS, NULL));
        // What was soft-deleted before stays restorable for the rest of its time.
        g_array_set_size(mids, 0);
        EC_TRY(list_messages(tx, fid, LIST_SOFT, mids));
        EC_TRY(message_retire(tx, fid, (const uint64_t *)(void *)mids->data, mids->len,
                              FID_RECOVERABLE_DELETIONS));
    }
    return remove_messages(tx, fid, LIST_NORMAL | LIST_ASSOCIATED | LIST_SOFT, true);
}

static enum ec delete_row(struct mbox_tx *tx, uint64_t fid, uint64_t parent, bool hard) {
    uint64_t cn = mbox_next_id(tx);
    EC_TRY(recoverable_note_folder(tx, fid));
    if (!hard)
        EC_TRY(gone_folder_note(tx, fid));
    tx_forget_counters(tx, fid);
    struct db_stmt *q = db_query(tx->conn, sql_folder_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    q = db_query(tx->conn, sql_tombstone_drop_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    EC_TRY(rows_forget(tx, fid));
    EC_TRY(columns_forget(tx, fid));
    EC_TRY(search_folder_deleted(tx, fid));
    EC_TRY(envelope_chunks_forget(tx, fid));
    EC_TRY(rights_drop_folder(tx, fid));
    EC_TRY(replica_drop_folder(tx, fid));
    EC_TRY(rule_drop_folder(tx, fid));
    EC_TRY(receive_folder_drop_folder(tx, fid));
    EC_TRY(annotations_drop_folder(tx, fid));
    q = db_query(tx->conn, sql_folder_tombstone_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)cn);
    db_bind_i64(q, 3, (int64_t)fid);
    db_bind_i64(q, 4, (int64_t)parent);
    EC_TRY(db_run(q, NULL));
    struct event e = {
        .kind = EVENT_DELETED, .is_folder = true, .fid = fid, .parent = parent, .cn = cn};
    tx_publish(tx, &e);
    return EC_OK;
}

// Everything below `fid`, deepest first.
static enum ec delete_below(struct mbox_tx *tx, uint64_t fid, bool hard) {
    ARENA_AUTO arena = arena_new();
    struct folder_list below;
    EC_TRY(folder_list(tx, arena, fid, true, &below));
    for (unsigned i = 0; i < below.n; i++)
        if (below.items[i].fid < FID_FIRST_FREE)
            return EC_ACCESS_DENIED;
    for (unsigned i = below.n; i-- > 0;) {
        EC_TRY(clear_folder(tx, below.items[i].fid, hard));
        EC_TRY(delete_row(tx, below.items[i].fid, below.items[i].parent, hard));
    }
    return EC_OK;
}

enum ec folder_delete(struct mbox_tx *tx, uint64_t fid, unsigned flags) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    if (fid == FID_ROOT)
        return EC_NOT_SUPPORTED; // [MS-OXCFOLD] 3.2.5.3
    if (fid < FID_FIRST_FREE)
        return EC_ACCESS_DENIED;
    if (f.n_subfolders > 0 && !(flags & FOLDER_DELETE_FOLDERS))
        return EC_HAS_FOLDERS;
    if (f.n_messages > 0 && f.type != FOLDER_TYPE_SEARCH && !(flags & FOLDER_DELETE_MESSAGES))
        return EC_HAS_MESSAGES;
    bool hard = flags & FOLDER_DELETE_HARD;
    EC_TRY(delete_below(tx, fid, hard));
    EC_TRY(clear_folder(tx, fid, hard));
    return delete_row(tx, fid, f.parent, hard);
}

enum ec folder_empty(struct mbox_tx *tx, uint64_t fid, unsigned flags, bool with_associated) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    if (f.type == FOLDER_TYPE_SEARCH || fid == FID_ROOT)
        return EC_NOT_SUPPORTED; // what it shows lies elsewhere; [MS-OXCFOLD] 3.2.5.9
    bool hard = flags & FOLDER_DELETE_HARD;
    if (flags & FOLDER_DELETE_FOLDERS)
        EC_TRY(delete_below(tx, fid, hard));
    return remove_messages(tx, fid, LIST_NORMAL | (with_associated ? LIST_ASSOCIATED : 0u), hard);
}

// --- Copying ---

static enum ec copy_one(struct mbox_tx *tx, const struct folder_info *from, uint64_t new_parent,
                        const char *name, uint64_t *fid_out) {
    EC_TRY(folder_create(tx, new_parent, name, from->type, from->container_class, fid_out));
    BAG_AUTO props = NULL;
    EC_TRY(folder_get_stored_props(tx, from->fid, &props));
    if (bag_count(props) > 0)
        EC_TRY(folder_set_props(tx, *fid_out, props, NULL, 0));
    // The copy is as open as the original, whatever the parent is.
    ARENA_AUTO arena = arena_new();
    struct folder_permissions permissions;
    EC_TRY(folder_get_permissions(tx, arena, from->fid, &permissions));
    EC_TRY(folder_set_permissions(tx, *fid_out, &permissions));
    if (from->type == FOLDER_TYPE_SEARCH)
        return search_folder_copied(tx, from->fid, *fid_out);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(list_messages(tx, from->fid, LIST_NORMAL | LIST_ASSOCIATED, mids));
    return message_copy(tx, from->fid, (const uint64_t *)(void *)mids->data, mids->len, *fid_out,
                        NULL);
}

enum ec folder_copy(struct mbox_tx *tx, uint64_t fid, uint64_t new_parent, const char *new_name,
                    bool is_deep, uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    struct folder_list below = {0};
    unsigned depth;
    bool is_below_itself;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    EC_TRY(folder_depth(tx, new_parent, fid, &depth, &is_below_itself));
    if (is_deep && is_below_itself)
        return EC_FOLDER_CYCLE;
    if (is_deep)
        EC_TRY(folder_list(tx, arena, fid, true, &below));
    uint64_t copy;
    EC_TRY(copy_one(tx, &f, new_parent, new_name ? new_name : f.name, &copy));
    g_autoptr(GHashTable) copies = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_hash_table_insert(copies, &fid, &copy);
    for (unsigned i = 0; i < below.n; i++) { // parents come first
        uint64_t *child = arena_alloc(arena, sizeof *child);
        const uint64_t *parent = g_hash_table_lookup(copies, &below.items[i].parent);
        EC_TRY(copy_one(tx, &below.items[i], *parent, below.items[i].name, child));
        g_hash_table_insert(copies, &below.items[i].fid, child);
    }
    *fid_out = copy;
    return EC_OK;
}
