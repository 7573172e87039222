// Folder permissions as data; what they allow is decided in mailbox/.
#include "mapi/rights.h"
#include "store/folder_internal.h"
#include "store/store_internal.h"

enum ec folder_get_permissions(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                               struct folder_permissions *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct folder_permission));
    struct db_stmt *q = db_query(tx->conn, sql_permission_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct folder_permission p = {arena_strdup(arena, db_col_text(q, 0)),
                                      (uint32_t)db_col_i64(q, 1)};
        g_array_append_val(list, p);
    }
    EC_TRY(db_finish(q));
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct folder_permission));
    return EC_OK;
}

enum ec folder_set_permission(struct mbox_tx *tx, uint64_t fid, const char *member, uint32_t rights,
                              bool remove) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, remove ? sql_permission_remove : sql_permission_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_text(q, 3, member);
    if (!remove)
        db_bind_i64(q, 4, rights);
    EC_TRY(db_run(q, NULL));
    return folder_touch(tx, fid);
}
