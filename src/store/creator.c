// Who created a message: for the rights on one's own items ([MS-OXCPERM] 2.2.7, PidTagCreatorName).
#include "store/message.h"
#include "store/rights_internal.h"

enum ec message_get_creator(struct mbox_tx *tx, uint64_t mid, uint64_t *fid_out,
                            struct guid *creator_out) {
    struct db_stmt *q = db_query(tx->conn, sql_creator_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    bool found = db_step(q);
    if (found) {
        const char *text = db_col_text(q, 1);
        *fid_out = (uint64_t)db_col_i64(q, 0);
        if (!text || !guid_parse(text, creator_out))
            *creator_out = (struct guid){0};
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

enum ec message_set_creator(struct mbox_tx *tx, uint64_t mid, const struct guid *creator) {
    EC_TRY(tx_check_writer(tx));
    char text[GUID_STRING_SIZE];
    guid_format(creator, text);
    struct db_stmt *q = db_query(tx->conn, sql_creator_set);
    db_bind_text(q, 1, guid_is_zero(creator) ? NULL : text);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)mid);
    int64_t changed;
    EC_TRY(db_run(q, &changed));
    return changed ? EC_OK : EC_NOT_FOUND;
}
