// Records of flag changes of whole ranges: reading rows through them, settling them.
//
// A row shows by its modseq which records it has in it: those older than itself. So records can be
// applied to rows in any slices, twice, or not at all before the next crash; a record is deleted
// only when every row of its range has been seen. Associated and soft-deleted messages are left
// alone, as a STORE leaves them alone; what becomes soft-deleted later is settled before.
#include "store/flag_range.h"

#include "base/log.h"
#include "mapi/message_row.h"
#include "store/background.h"
#include "store/flag_range_internal.h"
#include "store/store_internal.h"

#define SLICE_ROWS 2000     // rows a transaction of the background
#define PENDING_MAX 64      // records of a mailbox; every read of a row passes all of them
#define SETTLE_DELAY_MS 500 // a client that changes flags often changes them several times
#define RETRY_DELAY_MS 30000

bool flag_range_apply(const struct flag_range *r, struct flag_state *row) {
    uint32_t flags = (row->flags & r->kept) | r->set, differ = flags ^ row->flags;
    if (row->uid < r->first || row->uid > r->last || row->modseq >= r->base || differ == 0 ||
        (row->flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED)))
        return false;
    row->modseq = r->base + (row->uid - r->first);
    // As in write_row of message_change.c: the read state alone is no change of the message.
    if (differ != MSG_READ)
        row->cn = row->modseq;
    if (differ & MSG_READ)
        row->read_cn = row->modseq;
    row->flags = flags;
    return true;
}

static void flag_ranges_work(struct mbox *mbox);

// --- Reading ---

static struct flag_range read_record(struct db_stmt *q) {
    return (struct flag_range){
        .base = (uint64_t)db_col_i64(q, 0),
        .fid = (uint64_t)db_col_i64(q, 1),
        .first = (uint32_t)db_col_i64(q, 2),
        .last = (uint32_t)db_col_i64(q, 3),
        .kept = (uint32_t)db_col_i64(q, 4) | ~(uint32_t)MSG_CLIENT_FLAGS,
        .set = (uint32_t)db_col_i64(q, 5) & MSG_CLIENT_FLAGS,
    };
}

enum ec flag_ranges_any(struct db_conn *conn, bool *out) {
    struct db_stmt *q = db_query(conn, sql_flag_range_list);
    db_bind_i64(q, 1, MBX);
    *out = db_step(q);
    return db_finish(q);
}

enum ec flag_ranges_load(struct mbox_tx *tx) {
    if (tx->flag_ranges)
        return EC_OK;
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct flag_range));
    struct db_stmt *q = db_query(tx->conn, sql_flag_range_list);
    db_bind_i64(q, 1, MBX);
    while (db_step(q)) {
        struct flag_range r = read_record(q);
        g_array_append_val(list, r);
    }
    EC_TRY(db_finish(q));
    tx->flag_ranges = g_steal_pointer(&list);
    return EC_OK;
}

bool flag_ranges_overlay(struct mbox_tx *tx, uint64_t fid, struct flag_state *row) {
    bool changed = false;
    for (guint i = 0; i < tx->flag_ranges->len; i++) {
        const struct flag_range *r = &g_array_index(tx->flag_ranges, struct flag_range, i);
        if (r->fid == fid)
            changed |= flag_range_apply(r, row);
    }
    return changed;
}

const struct flag_range *flag_ranges_reach(struct mbox_tx *tx, uint64_t fid, uint64_t since,
                                           unsigned *i) {
    while (*i < tx->flag_ranges->len) {
        const struct flag_range *r = &g_array_index(tx->flag_ranges, struct flag_range, (*i)++);
        if (r->fid == fid && r->base + (r->last - r->first) > since)
            return r;
    }
    return NULL;
}

// --- Settling ---

void flag_ranges_want(struct mbox *mbox) {
    background_want(mbox, flag_ranges_work, SETTLE_DELAY_MS, false);
}

static enum ec stamp(struct mbox_tx *tx, uint64_t fid, const struct flag_state *row) {
    struct db_stmt *q = db_query(tx->conn, sql_flag_range_stamp);
    db_bind_i64(q, 1, row->flags);
    db_bind_i64(q, 2, (int64_t)row->cn);
    db_bind_i64(q, 3, (int64_t)row->read_cn);
    db_bind_i64(q, 4, (int64_t)row->modseq);
    db_bind_i64(q, 5, MBX);
    db_bind_i64(q, 6, (int64_t)fid);
    db_bind_i64(q, 7, row->uid);
    return db_run(q, NULL);
}

enum ec flag_ranges_settle_row(struct mbox_tx *tx, uint64_t fid, struct flag_state *row) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(flag_ranges_load(tx));
    return flag_ranges_overlay(tx, fid, row) ? stamp(tx, fid, row) : EC_OK;
}

// A pass over the rows of a folder that its records are about.
struct pass {
    uint64_t fid;        // 0: none begun
    uint64_t up_to;      // the newest record there was when it began
    uint32_t next, last; // uids
    bool is_done;        // no record is left
};

static bool begin_pass(struct mbox_tx *tx, uint64_t only, struct pass *p) {
    *p = (struct pass){.next = UINT32_MAX};
    for (guint i = 0; i < tx->flag_ranges->len; i++) {
        const struct flag_range *r = &g_array_index(tx->flag_ranges, struct flag_range, i);
        if ((only && r->fid != only) || (p->fid && r->fid != p->fid))
            continue;
        p->fid = r->fid;
        p->up_to = r->base;
        p->next = MIN(p->next, r->first);
        p->last = MAX(p->last, r->last);
    }
    return p->fid != 0;
}

static enum ec end_pass(struct mbox_tx *tx, struct pass *p) {
    struct db_stmt *q = db_query(tx->conn, sql_flag_range_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)p->up_to);
    db_bind_i64(q, 3, (int64_t)p->fid);
    EC_TRY(db_run(q, NULL));
    g_clear_pointer(&tx->flag_ranges, g_array_unref);
    p->fid = 0;
    return EC_OK;
}

static enum ec read_slice(struct mbox_tx *tx, const struct pass *p, GArray *rows) {
    struct db_stmt *q = db_query(tx->conn, sql_flag_range_rows);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)p->fid);
    db_bind_i64(q, 3, p->next);
    db_bind_i64(q, 4, p->last);
    db_bind_i64(q, 5, SLICE_ROWS);
    while (db_step(q)) {
        struct flag_state row = {
            .uid = (uint32_t)db_col_i64(q, 0),
            .flags = (uint32_t)db_col_i64(q, 1),
            .cn = (uint64_t)db_col_i64(q, 2),
            .read_cn = (uint64_t)db_col_i64(q, 3),
            .modseq = (uint64_t)db_col_i64(q, 4),
        };
        g_array_append_val(rows, row);
    }
    return db_finish(q);
}

static enum ec settle_slice(struct mbox_tx *tx, struct pass *p) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct flag_state));
    EC_TRY(read_slice(tx, p, rows));
    for (guint i = 0; i < rows->len; i++)
        EC_TRY(flag_ranges_settle_row(tx, p->fid, &g_array_index(rows, struct flag_state, i)));
    if (rows->len < SLICE_ROWS)
        return end_pass(tx, p);
    p->next = g_array_index(rows, struct flag_state, rows->len - 1).uid + 1;
    return EC_OK;
}

enum ec flag_ranges_settle(struct mbox_tx *tx, uint64_t fid) {
    struct pass p;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(flag_ranges_load(tx));
    while (begin_pass(tx, fid, &p)) {
        while (p.fid)
            EC_TRY(settle_slice(tx, &p));
        EC_TRY(flag_ranges_load(tx));
    }
    return EC_OK;
}

// One slice of the background's work.
static enum ec change_settle(struct mbox_tx *tx, void *ctx) {
    struct pass *p = ctx;
    EC_TRY(flag_ranges_load(tx));
    if (!p->fid && !begin_pass(tx, 0, p)) {
        p->is_done = true;
        return EC_CANCEL; // nothing to commit
    }
    return settle_slice(tx, p);
}

static void flag_ranges_work(struct mbox *mbox) {
    struct pass p = {0};
    while (!background_is_stopping(mbox)) {
        enum ec ec = mbox_write(mbox, change_settle, &p);
        if (p.is_done)
            return;
        if (ec != EC_OK) { // the disk is full: the records stay until it is not
            background_want(mbox, flag_ranges_work, RETRY_DELAY_MS, true);
            return;
        }
    }
}

enum ec flag_ranges_add(struct mbox_tx *tx, const struct flag_range *r) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(flag_ranges_load(tx));
    if (tx->flag_ranges->len >= PENDING_MAX) {
        EC_TRY(flag_ranges_settle(tx, 0));
        EC_TRY(flag_ranges_load(tx));
    }
    struct db_stmt *q = db_query(tx->conn, sql_flag_range_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)r->base);
    db_bind_i64(q, 3, (int64_t)r->fid);
    db_bind_i64(q, 4, r->first);
    db_bind_i64(q, 5, r->last);
    db_bind_i64(q, 6, r->kept);
    db_bind_i64(q, 7, r->set);
    EC_TRY(db_run(q, NULL));
    g_array_append_vals(tx->flag_ranges, r, 1);
    tx->wants_settling = true;
    return EC_OK;
}
