// Noted deliveries.
#include "store/duplicate.h"

#include "store/store_internal.h"

extern const char sql_delivered_time[], sql_delivered_note[];

enum ec mbox_note_delivered(struct mbox_tx *tx, const char *id, filetime_t since, bool *was_out) {
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_delivered_time);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, id);
    *was_out = db_step(q) && (filetime_t)db_col_i64(q, 0) >= since;
    EC_TRY(db_finish(q));
    if (*was_out)
        return EC_OK;
    q = db_query(tx->conn, sql_delivered_note);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, id);
    db_bind_i64(q, 3, (int64_t)tx->now);
    return db_run(q, NULL);
}
