// Changes since a change number, from the narrow rows' modseq index and the tombstones.
#include "store/change.h"

#include "mapi/change.h"
#include "mapi/special_folder.h"
#include "store/flag_range.h"
#include "store/folder.h"
#include "store/message_internal.h"
#include "store/replica.h"
#include "store/store_internal.h"

static gint by_cn(gconstpointer a, gconstpointer b) {
    const struct change *x = a, *y = b;
    return x->cn < y->cn ? -1 : x->cn > y->cn;
}

// Sorts what both sources gave, cuts at the limit, hands it over in the arena.
static void finish(struct arena *arena, GArray *list, unsigned limit, struct change_list *out) {
    g_array_sort(list, by_cn);
    out->is_cut = limit > 0 && list->len > limit;
    out->n = out->is_cut ? limit : list->len;
    out->items = arena_memdup(arena, list->data, out->n * sizeof(struct change));
}

static void add_message(struct mbox_tx *tx, uint64_t fid, uint64_t since, struct db_stmt *q,
                        GArray *list) {
    struct flag_state row = {.uid = (uint32_t)db_col_i64(q, 0),
                             .modseq = (uint64_t)db_col_i64(q, 2),
                             .flags = (uint32_t)db_col_i64(q, 3),
                             .cn = (uint64_t)db_col_i64(q, 7),
                             .read_cn = (uint64_t)db_col_i64(q, 8)};
    flag_ranges_overlay(tx, fid, &row);
    struct change c = {
        .kind = row.cn > since ? CHANGE_MESSAGE : CHANGE_READ_STATE,
        .id = (uint64_t)db_col_i64(q, 1),
        .cn = row.modseq,
        .uid = row.uid,
        .is_associated = (row.flags & MSG_ASSOCIATED) != 0,
        .message_cn = row.cn,
        .read_cn = row.read_cn,
        .size = (uint64_t)db_col_i64(q, 9),
        .received = (filetime_t)db_col_i64(q, 4),
        .is_read = (row.flags & MSG_READ) != 0,
    };
    // Those that are soft-deleted have a tombstone.
    if (row.modseq > since && !(row.flags & MSG_SOFT_DELETED))
        g_array_append_val(list, c);
}

static enum ec add_messages(struct mbox_tx *tx, uint64_t fid, uint64_t since, int64_t limit,
                            GArray *list) {
    unsigned first = 0;
    EC_TRY(flag_ranges_load(tx));
    bool reads_all = flag_ranges_reach(tx, fid, since, &first) != NULL;
    struct db_stmt *q = db_query(tx->conn, reads_all ? sql_message_scan_all : sql_message_since);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    if (!reads_all) {
        db_bind_i64(q, 3, (int64_t)since);
        db_bind_i64(q, 4, limit);
    }
    while (db_step(q))
        add_message(tx, fid, since, q, list);
    return db_finish(q);
}

static enum ec add_tombstones(struct mbox_tx *tx, uint64_t fid, uint64_t since, int64_t limit,
                              GArray *list) {
    struct db_stmt *q = db_query(tx->conn, sql_tombstone_since);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)since);
    db_bind_i64(q, 4, limit);
    while (db_step(q)) {
        struct change c = {
            .kind = CHANGE_DELETED,
            .id = (uint64_t)db_col_i64(q, 1),
            .cn = (uint64_t)db_col_i64(q, 0),
            .uid = (uint32_t)db_col_i64(q, 2),
            .is_associated = (db_col_i64(q, 3) & MSG_ASSOCIATED) != 0,
            .is_soft = db_col_i64(q, 4) != 0,
        };
        g_array_append_val(list, c);
    }
    return db_finish(q);
}

enum ec changes_of_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid, uint64_t since,
                          unsigned limit, struct change_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct change));
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, fid, &f));
    int64_t rows = limit ? (int64_t)limit + 1 : INT64_MAX;
    EC_TRY(add_messages(tx, fid, since, rows, list));
    if (since > 0) // somebody who has nothing yet needs no deletions
        EC_TRY(add_tombstones(tx, fid, since, rows, list));
    out->last = f.modseq;
    finish(arena, list, limit, out);
    return EC_OK;
}

enum ec deletions_of_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid, uint64_t since,
                            struct change_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct change));
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, fid, &f));
    EC_TRY(add_tombstones(tx, fid, since, INT64_MAX, list));
    out->last = f.modseq;
    finish(arena, list, 0, out);
    return EC_OK;
}

// Which folders are below `root`: the set of their ids.
static enum ec folders_below(struct mbox_tx *tx, struct arena *arena, uint64_t root,
                             GHashTable *set) {
    struct folder_list below;
    EC_TRY(folder_list(tx, arena, root, true, &below));
    for (unsigned i = 0; i < below.n; i++)
        g_hash_table_add(set, &below.items[i].fid);
    return EC_OK;
}

static enum ec add_folders(struct mbox_tx *tx, const char *sql, enum change_kind kind,
                           uint64_t since, GHashTable *below, GArray *list, uint64_t *last) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)since);
    while (db_step(q)) {
        struct change c = {
            .kind = kind, .cn = (uint64_t)db_col_i64(q, 0), .id = (uint64_t)db_col_i64(q, 1)};
        *last = MAX(*last, c.cn);
        // Where a deleted folder stood cannot be told any more: every deletion is reported, and a
        // client ignores ids it does not know.
        if (kind == CHANGE_DELETED || g_hash_table_contains(below, &c.id))
            g_array_append_val(list, c);
    }
    return db_finish(q);
}

enum ec changes_of_hierarchy(struct mbox_tx *tx, struct arena *arena, uint64_t root, uint64_t since,
                             unsigned limit, struct change_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct change));
    g_autoptr(GHashTable) below = g_hash_table_new(g_int64_hash, g_int64_equal);
    EC_TRY(folders_below(tx, arena, root, below));
    out->last = since;
    EC_TRY(add_folders(tx, sql_folder_since, CHANGE_MESSAGE, since, below, list, &out->last));
    if (since > 0)
        EC_TRY(add_folders(tx, sql_folder_tombstone_since, CHANGE_DELETED, since, below, list,
                           &out->last));
    finish(arena, list, limit, out);
    return EC_OK;
}

// --- Change keys ---

enum ec change_key_of(struct mbox_tx *tx, struct arena *arena, uint64_t id, const uint8_t **key_out,
                      uint32_t *key_len_out, const uint8_t **pcl_out, uint32_t *pcl_len_out) {
    struct replica_change change;
    enum ec ec = replica_message_change(tx, arena, id, &change);
    if (ec == EC_NOT_FOUND)
        ec = replica_folder_change(tx, arena, id, &change);
    EC_TRY(ec);
    struct prop_bin key = xid_bytes(arena, &change.key), pcl = pcl_bytes(arena, &change.pcl);
    *key_out = key.data;
    *key_len_out = key.len;
    *pcl_out = pcl.data;
    *pcl_len_out = pcl.len;
    return EC_OK;
}
