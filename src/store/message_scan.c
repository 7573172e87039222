// Renditions of a folder's messages in uid order, with one statement for all of them: what lists
// and searches of mail clients are made of.
#include "store/message_internal.h"

struct message_scan {
    struct db_stmt *q;
};

enum ec message_scan_new(struct mbox_tx *tx, uint64_t fid, uint32_t uid,
                         struct message_scan **out) {
    struct message_scan *s = g_new(struct message_scan, 1);
    s->q = db_query(tx->conn, sql_mime_scan);
    db_bind_i64(s->q, 1, MBX);
    db_bind_i64(s->q, 2, (int64_t)fid);
    db_bind_i64(s->q, 3, uid);
    *out = s;
    return EC_OK;
}

bool message_scan_next(struct message_scan *s, struct message_scan_row *out) {
    if (!db_step(s->q))
        return false;
    *out = (struct message_scan_row){
        .uid = (uint32_t)db_col_i64(s->q, 0),
        .mid = (uint64_t)db_col_i64(s->q, 1),
        .size = (uint64_t)db_col_i64(s->q, 2),
        .blob = (uint64_t)db_col_i64(s->q, 3),
    };
    out->envelope = db_col_blob(s->q, 4, &out->envelope_len);
    out->structure = db_col_blob(s->q, 5, &out->structure_len);
    return true;
}

enum ec message_scan_free(struct message_scan *s) {
    if (!s)
        return EC_OK;
    enum ec ec = db_finish(s->q);
    g_free(s);
    return ec;
}
