// Limits of public folders: the size of a message, of a folder, and how long messages stay.
#include "store/folder.h"
#include "store/message.h"
#include "store/public_store.h"
#include "store/rights_internal.h"

enum ec folder_get_limits(struct mbox_tx *tx, uint64_t fid, struct folder_limits *out) {
    struct db_stmt *q = db_query(tx->conn, sql_limits_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    *out = (struct folder_limits){0};
    if (db_step(q))
        *out = (struct folder_limits){(uint64_t)MAX(db_col_i64(q, 0), 0),
                                      (uint64_t)MAX(db_col_i64(q, 1), 0),
                                      (uint32_t)CLAMP(db_col_i64(q, 2), 0, UINT32_MAX)};
    return db_finish(q);
}

enum ec folder_set_limits(struct mbox_tx *tx, uint64_t fid, const struct folder_limits *limits) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    if (limits->item_size > INT64_MAX || limits->quota > INT64_MAX)
        return EC_INVALID_PARAMETER;
    struct db_stmt *q = db_query(tx->conn, sql_limits_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)limits->item_size);
    db_bind_i64(q, 4, (int64_t)limits->quota);
    db_bind_i64(q, 5, limits->age_days);
    return db_run(q, NULL);
}

enum ec folder_check_limits(struct mbox_tx *tx, uint64_t fid, uint64_t size) {
    ARENA_AUTO arena = arena_new();
    struct folder_limits limits;
    struct folder_info f;
    EC_TRY(folder_get_limits(tx, fid, &limits));
    if (limits.item_size && size > limits.item_size)
        return EC_MESSAGE_TOO_BIG;
    if (!limits.quota)
        return EC_OK;
    EC_TRY(folder_get(tx, arena, fid, &f));
    return f.size > limits.quota || size > limits.quota - f.size ? EC_QUOTA_EXCEEDED : EC_OK;
}

// --- Ageing ---

struct aging {
    uint64_t fid;
    filetime_t before;
};

static enum ec list_aging(struct mbox_tx *tx, GArray *out) {
    struct db_stmt *q = db_query(tx->conn, sql_limits_aging);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        filetime_t age = (filetime_t)db_col_i64(q, 1) * 24 * 3600 * FILETIME_SECOND;
        struct aging a = {(uint64_t)db_col_i64(q, 0), tx->now > age ? tx->now - age : 0};
        g_array_append_val(out, a);
    }
    return db_finish(q);
}

enum ec folders_delete_aged(struct mbox_tx *tx, unsigned max, unsigned *n_out) {
    g_autoptr(GArray) aging = g_array_new(FALSE, FALSE, sizeof(struct aging));
    *n_out = 0;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(list_aging(tx, aging));
    for (guint i = 0; i < aging->len && *n_out < max; i++) {
        const struct aging *a = &g_array_index(aging, struct aging, i);
        g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        struct db_stmt *q = db_query(tx->conn, sql_limits_expired);
        db_bind_i64(q, 1, MBX);
        db_bind_i64(q, 2, (int64_t)a->fid);
        db_bind_i64(q, 3, (int64_t)a->before);
        db_bind_i64(q, 4, max - *n_out);
        while (db_step(q)) {
            uint64_t mid = (uint64_t)db_col_i64(q, 0);
            g_array_append_val(mids, mid);
        }
        EC_TRY(db_finish(q));
        unsigned n;
        EC_TRY(message_delete(tx, a->fid, (const uint64_t *)(void *)mids->data, mids->len,
                              DELETE_SOFT, &n));
        *n_out += n;
    }
    return EC_OK;
}
