// What search folders found: links, and the counters that show them as contents.
#include "store/event.h"
#include "store/search_folder_internal.h"

static enum ec read_link(struct mbox_tx *tx, uint64_t fid, uint64_t mid, bool *exists_out,
                         bool *is_unread_out, uint64_t *size_out) {
    struct db_stmt *q = db_query(tx->conn, sql_link_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)mid);
    *exists_out = db_step(q);
    *is_unread_out = *exists_out && db_col_i64(q, 0) != 0;
    *size_out = *exists_out ? (uint64_t)db_col_i64(q, 1) : 0;
    return db_finish(q);
}

static enum ec add_link(struct mbox_tx *tx, uint64_t fid, const struct found *f, uint64_t cn) {
    struct db_stmt *q = db_query(tx->conn, sql_link_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)f->mid);
    db_bind_i64(q, 4, (int64_t)cn);
    db_bind_i64(q, 5, f->is_unread);
    db_bind_i64(q, 6, (int64_t)f->size);
    return db_run(q, NULL);
}

static enum ec remove_link(struct mbox_tx *tx, uint64_t fid, uint64_t mid, uint64_t cn) {
    struct db_stmt *q = db_query(tx->conn, sql_link_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)mid);
    EC_TRY(db_run(q, NULL));
    q = db_query(tx->conn, sql_tombstone_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)cn);
    db_bind_i64(q, 4, (int64_t)mid);
    db_bind_i64(q, 5, 0); // a link has no uid
    db_bind_i64(q, 6, 0);
    db_bind_i64(q, 7, 0);
    return db_run(q, NULL);
}

enum ec search_link_apply(struct mbox_tx *tx, uint64_t fid, const struct found *f) {
    bool exists, was_unread;
    uint64_t old_size;
    struct folder_counters *c;
    EC_TRY(read_link(tx, fid, f->mid, &exists, &was_unread, &old_size));
    if (!exists && !f->is_match)
        return EC_OK;
    EC_TRY(tx_counters(tx, fid, &c));
    uint64_t cn = mbox_next_id(tx);
    EC_TRY(f->is_match ? add_link(tx, fid, f, cn) : remove_link(tx, fid, f->mid, cn));
    if (exists) {
        c->n_messages--;
        c->n_unread -= was_unread;
        c->size -= (int64_t)old_size;
    }
    if (f->is_match) {
        c->n_messages++;
        c->n_unread += f->is_unread;
        c->size += (int64_t)f->size;
    }
    c->modseq = cn;
    c->is_dirty = true;
    struct event e = {.kind = !f->is_match ? EVENT_DELETED
                              : exists     ? EVENT_MODIFIED
                                           : EVENT_CREATED,
                      .is_link = true,
                      .fid = fid,
                      .mid = f->mid,
                      .cn = cn};
    tx_publish(tx, &e);
    return EC_OK;
}

enum ec search_link_clear(struct mbox_tx *tx, uint64_t fid) {
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, fid, &c));
    g_autoptr(GArray) mids = NULL;
    EC_TRY(search_folder_list(tx, fid, &mids));
    for (guint i = 0; i < mids->len; i++) {
        struct found gone = {.mid = g_array_index(mids, uint64_t, i)};
        EC_TRY(search_link_apply(tx, fid, &gone));
    }
    return EC_OK;
}

static enum ec read_ids(struct mbox_tx *tx, const char *sql, uint64_t id, GArray **out) {
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)id);
    while (db_step(q)) {
        uint64_t found = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(ids, found);
    }
    EC_TRY(db_finish(q));
    *out = g_steal_pointer(&ids);
    return EC_OK;
}

enum ec search_folders_of(struct mbox_tx *tx, uint64_t mid, GArray **fids_out) {
    return read_ids(tx, sql_link_folders, mid, fids_out);
}

enum ec search_folder_list(struct mbox_tx *tx, uint64_t fid, GArray **mids_out) {
    return read_ids(tx, sql_link_list, fid, mids_out);
}
