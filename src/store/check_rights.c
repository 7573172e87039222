// Checking what hangs on folders beside their messages: permissions, limits, read state.
#include "mapi/idset.h"
#include "store/check_internal.h"
#include "store/rights_internal.h"

static const struct {
    const char *what, *list, *drop;
} parts[] = {
    {"permissions", sql_check_permissions, sql_permission_drop_folder},
    {"limits", sql_check_limits, sql_limits_drop},
    {"read state", sql_check_user_read, sql_user_read_drop},
};

static enum ec check_orphans(struct check *c, const char *what, const char *list,
                             const char *drop) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    struct db_stmt *q = db_query(c->tx->conn, list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        int64_t fid = db_col_i64(q, 0);
        g_array_append_val(fids, fid);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < fids->len; i++) {
        int64_t fid = g_array_index(fids, int64_t, i);
        if (check_wants_repair(c)) {
            q = db_query(c->tx->conn, drop);
            db_bind_i64(q, 1, MBX);
            db_bind_i64(q, 2, fid);
            EC_TRY(db_run(q, NULL));
        }
        check_fault(c, check_wants_repair(c),
                    "%s of folder 0x%" G_GINT64_MODIFIER "x, which is gone", what, (guint64)fid);
    }
    return EC_OK;
}

// A set that cannot be read would fail whoever opens the folder; without it, all is unread.
static enum ec check_sets(struct check *c) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(int64_t));
    struct db_stmt *q = db_query(c->tx->conn, sql_user_read_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        size_t len;
        const uint8_t *data = db_col_blob(q, 2, &len);
        int64_t fid = db_col_i64(q, 1);
        struct idset *set;
        if (idset_parse((struct prop_bin){(uint32_t)len, data}, IDSET_REPLGUID, &set) == EC_OK)
            idset_free(set);
        else
            g_array_append_val(fids, fid);
    }
    EC_TRY(db_finish(q));
    for (guint i = 0; i < fids->len; i++) {
        int64_t fid = g_array_index(fids, int64_t, i);
        if (check_wants_repair(c)) {
            q = db_query(c->tx->conn, sql_user_read_drop);
            db_bind_i64(q, 1, MBX);
            db_bind_i64(q, 2, fid);
            EC_TRY(db_run(q, NULL));
        }
        check_fault(c, check_wants_repair(c),
                    "read state of folder 0x%" G_GINT64_MODIFIER "x cannot be read", (guint64)fid);
    }
    return EC_OK;
}

enum ec check_rights(struct check *c) {
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        EC_TRY(check_orphans(c, parts[i].what, parts[i].list, parts[i].drop));
    return check_sets(c);
}
