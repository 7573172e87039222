// Messages on their way: copying, moving, deleting, restoring
// ([MS-OXCFOLD] 2.2.1.6, 2.2.1.7, 2.2.1.11).
//
// A copy shares the contents (a new row and one more reference), a move keeps them; both give the
// message a new id and uid in the target.
#include "store/recoverable_internal.h"

static enum ec delete_row(struct mbox_tx *tx, const struct message_full *m) {
    struct db_stmt *q = db_query(tx->conn, sql_message_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)m->fid);
    db_bind_i64(q, 3, m->uid);
    EC_TRY(db_run(q, NULL));
    return folder_is_recoverable(m->fid) ? recoverable_drop_origin(tx, m->mid) : EC_OK;
}

static enum ec bury(struct mbox_tx *tx, const struct message_full *m, uint64_t cn, bool is_soft) {
    struct db_stmt *q = db_query(tx->conn, sql_tombstone_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)m->fid);
    db_bind_i64(q, 3, (int64_t)cn);
    db_bind_i64(q, 4, (int64_t)m->mid);
    db_bind_i64(q, 5, m->uid);
    db_bind_i64(q, 6, m->flags);
    db_bind_i64(q, 7, is_soft);
    return db_run(q, NULL);
}

// Gives `m` its place in the target: new mid, uid and change number. `m` holds the source's row
// before. `origin`: the folder it came from first, for Recoverable Items; `new_mid` 0: the next id.
static enum ec settle(struct mbox_tx *tx, struct message_full *m, uint64_t to_fid, uint64_t origin,
                      uint64_t new_mid) {
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, to_fid, &c));
    if (c->type == 2)
        return EC_SEARCH_FOLDER;
    if (c->uid_next == UINT32_MAX)
        return EC_TOO_MANY_OBJECTS;
    m->fid = to_fid;
    m->mid = new_mid ? new_mid : mbox_next_id(tx);
    m->cn = m->read_cn = m->modseq = mbox_next_id(tx);
    m->uid = c->uid_next++;
    if (!folder_is_recoverable(to_fid))
        m->deleted = 0;
    else if (m->deleted == 0)
        m->deleted = tx->now;
    m->pcl = (struct prop_bin){0, NULL};
    EC_TRY(message_full_insert(tx, m));
    if (folder_is_recoverable(to_fid))
        EC_TRY(recoverable_set_origin(tx, m->mid, origin));
    return message_count(tx, m, 1, m->modseq);
}

static enum ec transfer_one(struct mbox_tx *tx, const struct message_full *from, uint64_t to_fid,
                            bool is_move, uint64_t new_mid, struct message_copied *out) {
    struct message_full m = *from;
    uint64_t origin;
    EC_TRY(recoverable_origin(tx, from->fid, from->mid, &origin));
    if (is_move) {
        EC_TRY(recoverable_may_leave(tx, from));
        uint64_t cn = mbox_next_id(tx);
        EC_TRY(delete_row(tx, from));
        EC_TRY(bury(tx, from, cn, false));
        EC_TRY(message_count(tx, from, -1, cn));
    } else {
        EC_TRY(contents_ref(tx, from->doc));
    }
    EC_TRY(settle(tx, &m, to_fid, origin, new_mid));
    message_publish(tx, is_move ? EVENT_MOVED : EVENT_COPIED, &m, from->fid, from->mid);
    *out = (struct message_copied){from->mid, m.mid, from->uid, m.uid};
    return EC_OK;
}

static enum ec transfer(struct mbox_tx *tx, uint64_t from_fid, const uint64_t *mids, unsigned n,
                        uint64_t to_fid, bool is_move, GArray **out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) done = g_array_new(FALSE, FALSE, sizeof(struct message_copied));
    struct folder_counters *target;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(tx_counters(tx, to_fid, &target));
    for (unsigned i = 0; i < n; i++) {
        struct message_full from;
        struct message_copied copied;
        arena_reset(arena);
        enum ec ec = message_full_get(tx, arena, mids[i], &from);
        if (ec == EC_NOT_FOUND ||
            (ec == EC_OK && (from.fid != from_fid || (from.flags & MSG_SOFT_DELETED))))
            continue;
        EC_TRY(ec);
        EC_TRY(transfer_one(tx, &from, to_fid, is_move, 0, &copied));
        g_array_append_val(done, copied);
    }
    if (out)
        *out = g_steal_pointer(&done);
    return EC_OK;
}

enum ec message_copy(struct mbox_tx *tx, uint64_t from_fid, const uint64_t *mids, unsigned n,
                     uint64_t to_fid, GArray **out) {
    return transfer(tx, from_fid, mids, n, to_fid, false, out);
}

enum ec message_move(struct mbox_tx *tx, uint64_t from_fid, const uint64_t *mids, unsigned n,
                     uint64_t to_fid, GArray **out) {
    return transfer(tx, from_fid, mids, n, to_fid, true, out);
}

enum ec message_move_as(struct mbox_tx *tx, uint64_t from_fid, uint64_t mid, uint64_t to_fid,
                        uint64_t new_mid) {
    ARENA_AUTO arena = arena_new();
    struct message_full from;
    struct message_copied copied;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(message_full_get(tx, arena, mid, &from));
    if (from.fid != from_fid || (from.flags & MSG_SOFT_DELETED))
        return EC_NOT_FOUND;
    return transfer_one(tx, &from, to_fid, true, new_mid, &copied);
}

// --- Deleting ---

static enum ec soft_delete(struct mbox_tx *tx, struct message_full *m, uint64_t cn) {
    EC_TRY(message_count(tx, m, -1, cn));
    m->flags |= MSG_SOFT_DELETED;
    EC_TRY(message_count(tx, m, 1, cn));
    struct db_stmt *q = db_query(tx->conn, sql_message_soft_delete);
    db_bind_i64(q, 1, m->flags);
    db_bind_i64(q, 2, (int64_t)cn);
    db_bind_i64(q, 3, (int64_t)cn);
    db_bind_i64(q, 4, (int64_t)tx->now);
    db_bind_i64(q, 5, MBX);
    db_bind_i64(q, 6, (int64_t)m->fid);
    db_bind_i64(q, 7, m->uid);
    return db_run(q, NULL);
}

static enum ec hard_delete(struct mbox_tx *tx, const struct message_full *m, uint64_t cn) {
    EC_TRY(message_count(tx, m, -1, cn));
    EC_TRY(delete_row(tx, m));
    return contents_unref(tx, m->doc);
}

// Into a folder of Recoverable Items, keeping the time of deletion and the origin.
static enum ec retire_one(struct mbox_tx *tx, const struct message_full *from, uint64_t to_fid) {
    struct message_full m = *from;
    bool was_soft = from->flags & MSG_SOFT_DELETED;
    uint64_t origin, cn = mbox_next_id(tx);
    EC_TRY(recoverable_origin(tx, from->fid, from->mid, &origin));
    EC_TRY(delete_row(tx, from));
    EC_TRY(message_count(tx, from, -1, cn));
    if (!was_soft) { // else buried when it was soft-deleted
        struct message_full before = *from;
        EC_TRY(bury(tx, from, cn, true));
        before.modseq = cn;
        message_publish(tx, EVENT_DELETED, &before, 0, 0);
    }
    m.flags &= ~(uint32_t)MSG_SOFT_DELETED;
    return settle(tx, &m, to_fid, origin, 0);
}

// Purging is deciding that no hold is on it any more.
enum delete_how { HOW_SOFT, HOW_HARD, HOW_PURGE };

static enum ec delete_one(struct mbox_tx *tx, struct message_full *m, enum delete_how how) {
    bool was_soft = m->flags & MSG_SOFT_DELETED;
    // Associated messages hold settings, which nobody restores; what is deleted from Recoverable
    // Items has been restorable.
    bool soft = how == HOW_SOFT && !(m->flags & MSG_ASSOCIATED) && !folder_is_recoverable(m->fid);
    if (soft && was_soft)
        return EC_OK;
    if (!soft && how != HOW_PURGE) {
        enum recoverable_fate fate;
        EC_TRY(recoverable_fate(tx, m, &fate));
        if (fate == FATE_PURGES)
            return retire_one(tx, m, FID_RECOVERABLE_PURGES);
    }
    uint64_t cn = mbox_next_id(tx);
    struct message_full before = *m;
    EC_TRY(soft ? soft_delete(tx, m, cn) : hard_delete(tx, m, cn));
    if (was_soft)
        return EC_OK; // buried when it was soft-deleted
    EC_TRY(bury(tx, &before, cn, soft));
    before.modseq = cn;
    message_publish(tx, EVENT_DELETED, &before, 0, 0);
    return EC_OK;
}

static enum ec delete_all(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                          enum delete_how how, unsigned *n_out) {
    ARENA_AUTO arena = arena_new();
    unsigned deleted = 0;
    EC_TRY(tx_check_writer(tx));
    for (unsigned i = 0; i < n; i++) {
        struct message_full m;
        arena_reset(arena);
        enum ec ec = message_full_get(tx, arena, mids[i], &m);
        if (ec == EC_NOT_FOUND || (ec == EC_OK && m.fid != fid))
            continue;
        EC_TRY(ec);
        EC_TRY(delete_one(tx, &m, how));
        deleted++;
    }
    if (n_out)
        *n_out = deleted;
    return EC_OK;
}

enum ec message_delete(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                       enum message_delete_mode mode, unsigned *n_out) {
    return delete_all(tx, fid, mids, n, mode == DELETE_SOFT ? HOW_SOFT : HOW_HARD, n_out);
}

enum ec message_purge(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n) {
    return delete_all(tx, fid, mids, n, HOW_PURGE, NULL);
}

enum ec message_retire(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                       uint64_t to_fid) {
    ARENA_AUTO arena = arena_new();
    EC_TRY(tx_check_writer(tx));
    for (unsigned i = 0; i < n; i++) {
        struct message_full m;
        arena_reset(arena);
        enum ec ec = message_full_get(tx, arena, mids[i], &m);
        if (ec == EC_NOT_FOUND || (ec == EC_OK && m.fid != fid))
            continue;
        EC_TRY(ec);
        EC_TRY(retire_one(tx, &m, to_fid));
    }
    return EC_OK;
}

enum ec message_keep_version(struct mbox_tx *tx, const struct message_full *m) {
    bool is_wanted;
    EC_TRY(recoverable_wants_version(tx, m, &is_wanted));
    if (!is_wanted)
        return EC_OK;
    struct message_full version = *m;
    version.flags &= ~(uint32_t)MSG_SOFT_DELETED;
    version.deleted = tx->now;
    EC_TRY(contents_ref(tx, m->doc));
    return settle(tx, &version, FID_RECOVERABLE_VERSIONS, m->fid, 0);
}

enum ec message_restore(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n) {
    ARENA_AUTO arena = arena_new();
    EC_TRY(tx_check_writer(tx));
    for (unsigned i = 0; i < n; i++) {
        struct message_full m;
        arena_reset(arena);
        enum ec ec = message_full_get(tx, arena, mids[i], &m);
        if (ec == EC_NOT_FOUND || (ec == EC_OK && (m.fid != fid || !(m.flags & MSG_SOFT_DELETED))))
            continue;
        EC_TRY(ec);
        uint64_t cn = mbox_next_id(tx), from;
        struct guid creator;
        EC_TRY(message_get_creator(tx, m.mid, &from, &creator));
        EC_TRY(message_count(tx, &m, -1, cn));
        EC_TRY(delete_row(tx, &m));
        m.flags &= ~(uint32_t)(MSG_SOFT_DELETED | MSG_DELETED);
        EC_TRY(settle(tx, &m, fid, fid, 0));
        if (!guid_is_zero(&creator))
            EC_TRY(message_set_creator(tx, m.mid, &creator));
        message_publish(tx, EVENT_CREATED, &m, 0, 0);
    }
    return EC_OK;
}

enum ec message_list_soft_deleted(struct mbox_tx *tx, uint64_t fid, filetime_t before,
                                  GArray **mids_out) {
    GArray *mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct db_stmt *q = db_query(tx->conn, sql_message_list_soft);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)MIN(before, (filetime_t)INT64_MAX));
    while (db_step(q)) {
        uint64_t mid = (uint64_t)db_col_i64(q, 0);
        g_array_append_val(mids, mid);
    }
    enum ec ec = db_finish(q);
    if (ec == EC_OK)
        *mids_out = mids;
    else
        g_array_unref(mids);
    return ec;
}
