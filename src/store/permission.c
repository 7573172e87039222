// Folder permissions as data; what they allow is decided in mailbox/.
#include "mapi/rights.h"
#include "store/folder_internal.h"
#include "store/rights_internal.h"

enum ec folder_get_permissions(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                               struct folder_permissions *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct folder_permission));
    struct db_stmt *q = db_query(tx->conn, sql_permission_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct folder_permission p = {fid, arena_strdup(arena, db_col_text(q, 0)),
                                      (uint32_t)db_col_i64(q, 1)};
        g_array_append_val(list, p);
    }
    EC_TRY(db_finish(q));
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct folder_permission));
    return EC_OK;
}

enum ec folder_get_all_permissions(struct mbox_tx *tx, struct arena *arena,
                                   struct folder_permissions *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct folder_permission));
    struct db_stmt *q = db_query(tx->conn, sql_permission_all);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct folder_permission p = {(uint64_t)db_col_i64(q, 0),
                                      arena_strdup(arena, db_col_text(q, 1)),
                                      (uint32_t)db_col_i64(q, 2)};
        g_array_append_val(list, p);
    }
    EC_TRY(db_finish(q));
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct folder_permission));
    return EC_OK;
}

static enum ec write_entry(struct mbox_tx *tx, uint64_t fid, const char *member, uint32_t rights,
                           bool remove) {
    struct db_stmt *q = db_query(tx->conn, remove ? sql_permission_remove : sql_permission_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_text(q, 3, member);
    if (!remove)
        db_bind_i64(q, 4, rights);
    return db_run(q, NULL);
}

enum ec folder_set_permission(struct mbox_tx *tx, uint64_t fid, const char *member, uint32_t rights,
                              bool remove) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(write_entry(tx, fid, member, rights, remove));
    return folder_touch(tx, fid);
}

enum ec folder_set_permissions(struct mbox_tx *tx, uint64_t fid,
                               const struct folder_permissions *list) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_permission_drop_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    for (unsigned i = 0; i < list->n; i++)
        EC_TRY(write_entry(tx, fid, list->items[i].member, list->items[i].rights, false));
    return folder_touch(tx, fid);
}

static enum ec drop(struct mbox_tx *tx, const char *sql, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

enum ec rights_drop_folder(struct mbox_tx *tx, uint64_t fid) {
    EC_TRY(drop(tx, sql_permission_drop_folder, fid));
    EC_TRY(drop(tx, sql_limits_drop, fid));
    return drop(tx, sql_user_read_drop, fid);
}
