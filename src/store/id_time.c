// Notes of when ids were given.
#include "store/id_time.h"

#include "base/clock.h"
#include "store/id_time_internal.h"
#include "store/sql_imap.h"

static bool adds_messages(const struct mbox_tx *tx) {
    const unsigned kinds = EVENT_CREATED | EVENT_MOVED | EVENT_COPIED;
    for (guint i = 0; i < tx->events->len; i++) {
        const struct event *e = &g_array_index(tx->events, struct event, i);
        if (!e->is_folder && (e->kind & kinds))
            return true;
    }
    return false;
}

enum ec id_time_note(struct mbox_tx *tx, bool *noted_out) {
    struct mbox *mbox = tx->mbox;
    filetime_t last = mbox->id_time;
    *noted_out = false;
    // A clock that was set back counts as a new second too.
    bool is_same_second = last <= tx->now && tx->now < last + FILETIME_SECOND;
    if (is_same_second || !adds_messages(tx))
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_id_time_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mbox->saved_next_id);
    db_bind_i64(q, 3, (int64_t)tx->now);
    EC_TRY(db_run(q, NULL));
    *noted_out = true;
    return EC_OK;
}

enum ec id_time_of(struct mbox_tx *tx, uint64_t id, filetime_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_id_time_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)id);
    bool found = db_step(q);
    *out = found ? (filetime_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

static enum ec first_since(struct mbox_tx *tx, filetime_t since, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql_id_time_since);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)since);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : UINT64_MAX;
    return db_finish(q);
}

enum ec id_time_boundary(struct mbox_tx *tx, filetime_t since, uint64_t *first_out,
                         uint64_t *known_out) {
    EC_TRY(first_since(tx, since, first_out));
    return first_since(tx, 0, known_out);
}
