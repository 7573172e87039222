// What deleted folders were, and making new ones like them.
#include "store/gone_folder.h"

#include "mapi/props.h"
#include "store/message.h"
#include "store/store_internal.h"

static enum ec run(struct mbox_tx *tx, const char *sql, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    if (fid)
        db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

enum ec gone_folder_note(struct mbox_tx *tx, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO props = NULL;
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, fid, &f));
    if (f.type != FOLDER_TYPE_GENERIC)
        return EC_OK; // a search folder holds nothing
    EC_TRY(folder_get_stored_props(tx, fid, &props));
    g_autoptr(GBytes) bytes = bag_encode(props);
    struct db_stmt *q = db_query(tx->conn, sql_gone_state_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)f.parent);
    db_bind_text(q, 4, f.name);
    db_bind_i64(q, 5, f.is_hidden);
    db_bind_i64(q, 6, (int64_t)f.created);
    db_bind_blob(q, 7, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    EC_TRY(db_run(q, NULL));
    return run(tx, sql_gone_permissions_copy, fid);
}

enum ec gone_folders_list(struct mbox_tx *tx, struct arena *arena, struct gone_folders *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct gone_folder));
    struct db_stmt *q = db_query(tx->conn, sql_gone_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, MSG_ASSOCIATED);
    while (db_step(q)) {
        struct gone_folder f = {.fid = (uint64_t)db_col_i64(q, 0),
                                .parent = (uint64_t)db_col_i64(q, 1),
                                .name = arena_strdup(arena, db_col_text(q, 2)),
                                .is_hidden = db_col_i64(q, 3) != 0,
                                .created = (filetime_t)db_col_i64(q, 4),
                                .path = arena_strdup(arena, db_col_text(q, 5)),
                                .class = arena_strdup(arena, db_col_text(q, 6)),
                                .deleted = (filetime_t)db_col_i64(q, 7),
                                .n_messages = (unsigned)db_col_i64(q, 8)};
        g_array_append_val(list, f);
    }
    EC_TRY(db_finish(q));
    out->n = list->len;
    out->items = arena_memdup(arena, list->data, list->len * sizeof(struct gone_folder));
    return EC_OK;
}

static enum ec read_state(struct mbox_tx *tx, uint64_t gone, bool *hidden_out, struct bag **out) {
    struct db_stmt *q = db_query(tx->conn, sql_gone_state_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)gone);
    enum ec ec = EC_NOT_FOUND;
    if (db_step(q)) {
        *hidden_out = db_col_i64(q, 0) != 0;
        ec = stored_bag(q, 1, out);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

static enum ec read_permissions(struct mbox_tx *tx, struct arena *arena, uint64_t gone,
                                uint64_t fid, struct folder_permissions *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct folder_permission));
    struct db_stmt *q = db_query(tx->conn, sql_gone_permissions_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)gone);
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

enum ec gone_folder_dress(struct mbox_tx *tx, uint64_t gone, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO props = NULL;
    struct folder_permissions permissions;
    bool is_hidden = false;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(read_state(tx, gone, &is_hidden, &props));
    if (is_hidden)
        bag_set_bool(props, PidTagAttributeHidden, true);
    if (bag_count(props) > 0)
        EC_TRY(folder_set_props(tx, fid, props, NULL, 0));
    EC_TRY(read_permissions(tx, arena, gone, fid, &permissions));
    return folder_set_permissions(tx, fid, &permissions);
}

enum ec gone_folder_forget(struct mbox_tx *tx, uint64_t gone) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(run(tx, sql_gone_state_drop, gone));
    EC_TRY(run(tx, sql_gone_permissions_drop, gone));
    return run(tx, sql_gone_name_drop, gone);
}

enum ec gone_folders_purge(struct mbox_tx *tx) {
    EC_TRY(run(tx, sql_gone_state_purge, 0));
    return run(tx, sql_gone_permission_purge, 0);
}
