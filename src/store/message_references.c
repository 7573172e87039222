// One scan over the stored property bags of a folder; a bag is not decoded, only looked into.
#include "store/message_references.h"

#include "mapi/props.h"
#include "store/sql_imap.h"
#include "store/store_internal.h"

enum ec message_references_walk(struct mbox_tx *tx, uint64_t fid, uint32_t uid,
                                bool (*each)(void *ctx, uint32_t uid, const char *references),
                                void *ctx) {
    ARENA_AUTO arena = arena_new();
    struct db_stmt *q = db_query(tx->conn, sql_references_walk);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, uid);
    while (db_step(q)) {
        size_t len;
        const void *data = db_col_blob(q, 1, &len);
        struct prop_value v;
        const proptag_t tag = PidTagInternetReferences;
        // A damaged bag has no references; `bourse check` reports it.
        bool has = len > 0 && bag_view_get(data, len, arena, tag, &v) == EC_OK && v.tag == tag &&
                   !v.is_external;
        if (!each(ctx, (uint32_t)db_col_i64(q, 0), has && v.str ? v.str : ""))
            break;
        arena_reset(arena);
    }
    return db_finish(q);
}
