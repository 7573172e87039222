// Transactions: snapshots for readers, group commit for writers.
//
// A thread that wants to write queues its change. If nobody leads, it becomes the leader: it runs
// all changes that wait, each in a savepoint of its own, commits them as one, publishes their
// events, tells the others, and hands the lead to the next that came meanwhile.
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/flag_range.h"
#include "store/fulltext_internal.h"
#include "store/id_time_internal.h"
#include "store/search_folder_internal.h"
#include "store/store_internal.h"

#define GROUP_MAX 256

struct writer {
    mbox_change change;
    void *ctx;
    enum ec result;
    bool is_done, is_leader;
    pthread_cond_t cond;
};

enum ec tx_check_writer(struct mbox_tx *tx) {
    g_return_val_if_fail(tx->is_writer, EC_ACCESS_DENIED);
    return EC_OK;
}

struct mbox *tx_mbox(struct mbox_tx *tx) {
    return tx->mbox;
}

// --- Reading ---

enum ec mbox_read(struct mbox *mbox, struct mbox_tx **out) {
    struct db_conn *conn;
    uint64_t commits = atomic_load(&mbox->commits);
    EC_TRY(db_read(mbox->db, &conn));
    struct mbox_tx *tx = g_new0(struct mbox_tx, 1);
    tx->mbox = mbox;
    tx->conn = conn;
    tx->now = clock_now();
    tx->commits = commits;
    *out = tx;
    return EC_OK;
}

void mbox_read_end(struct mbox_tx *tx) {
    if (!tx)
        return;
    db_read_end(tx->conn);
    g_clear_pointer(&tx->flag_ranges, g_array_unref);
    g_free(tx->holds);
    g_free(tx);
}

// --- Counters ---

enum ec tx_counters(struct mbox_tx *tx, uint64_t fid, struct folder_counters **out) {
    EC_TRY(tx_check_writer(tx));
    struct folder_counters *c = g_hash_table_lookup(tx->counters, &fid);
    if (c) {
        *out = c;
        return EC_OK;
    }
    struct db_stmt *q = db_query(tx->conn, sql_folder_counters_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    if (db_step(q)) {
        c = g_new0(struct folder_counters, 1);
        c->fid = fid;
        c->uid_next = (uint32_t)db_col_i64(q, 0);
        c->modseq = (uint64_t)db_col_i64(q, 1);
        c->n_messages = db_col_i64(q, 2);
        c->n_unread = db_col_i64(q, 3);
        c->n_associated = db_col_i64(q, 4);
        c->n_soft = db_col_i64(q, 5);
        c->size = db_col_i64(q, 6);
        c->soft_size = db_col_i64(q, 7);
        c->type = (int)db_col_i64(q, 8);
    }
    enum ec ec = db_finish(q);
    if (ec != EC_OK) {
        g_free(c);
        return ec;
    }
    if (!c)
        return EC_NOT_FOUND;
    g_hash_table_insert(tx->counters, &c->fid, c);
    *out = c;
    return EC_OK;
}

void tx_forget_counters(struct mbox_tx *tx, uint64_t fid) {
    g_hash_table_remove(tx->counters, &fid);
}

static enum ec write_counters(struct mbox_tx *tx) {
    GHashTableIter it;
    gpointer value;
    g_hash_table_iter_init(&it, tx->counters);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct folder_counters *c = value;
        if (!c->is_dirty)
            continue;
        struct db_stmt *q = db_query(tx->conn, sql_folder_counters_set);
        db_bind_i64(q, 1, c->uid_next);
        db_bind_i64(q, 2, (int64_t)c->modseq);
        db_bind_i64(q, 3, c->n_messages);
        db_bind_i64(q, 4, c->n_unread);
        db_bind_i64(q, 5, c->n_associated);
        db_bind_i64(q, 6, c->n_soft);
        db_bind_i64(q, 7, c->size);
        db_bind_i64(q, 8, c->soft_size);
        db_bind_i64(q, 9, MBX);
        db_bind_i64(q, 10, (int64_t)c->fid);
        EC_TRY(db_run(q, NULL));
        c->is_dirty = false;
    }
    return EC_OK;
}

// --- Writing ---

uint64_t mbox_next_id(struct mbox_tx *tx) {
    g_assert(tx->is_writer);
    return tx->mbox->next_id++;
}

void tx_publish(struct mbox_tx *tx, const struct event *event) {
    g_array_append_vals(tx->events, event, 1);
}

// One change: undone alone when it fails. The first of a group of one needs no savepoint.
static enum ec run_change(struct mbox_tx *tx, struct writer *w, bool is_alone) {
    guint events = tx->events->len, runs = tx->event_runs->len;
    struct mbox_usage usage = tx->usage;
    if (!is_alone)
        EC_TRY(db_savepoint(tx->conn));
    enum ec ec = w->change(tx, w->ctx);
    if (ec == EC_OK || ec == EC_PARTIAL_COMPLETION) {
        enum ec written = write_counters(tx);
        if (written == EC_OK && !is_alone)
            written = db_savepoint_release(tx->conn);
        if (written == EC_OK)
            return ec;
        ec = written;
    }
    g_array_set_size(tx->events, events);
    g_array_set_size(tx->event_runs, runs);
    tx->usage = usage;
    g_clear_pointer(&tx->holds, g_free);
    g_hash_table_remove_all(tx->counters); // what they counted is being undone
    g_clear_pointer(&tx->flag_ranges, g_array_unref);
    if (!is_alone)
        db_savepoint_rollback(tx->conn);
    return ec;
}

static bool succeeded(enum ec ec) {
    return ec == EC_OK || ec == EC_PARTIAL_COMPLETION;
}

static enum ec save_next_id(struct mbox_tx *tx) {
    struct mbox *mbox = tx->mbox;
    if (mbox->next_id == mbox->saved_next_id)
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_mailbox_next_id);
    db_bind_i64(q, 1, (int64_t)mbox->next_id);
    db_bind_i64(q, 2, MBX);
    return db_run(q, NULL);
}

// Runs the group in one transaction. The writers' results are set; nothing is signalled yet.
static void run_group(struct mbox *mbox, struct writer **group, unsigned n) {
    struct db_conn *conn;
    enum ec ec = db_write(mbox->db, &conn);
    if (ec != EC_OK) {
        for (unsigned i = 0; i < n; i++)
            group[i]->result = ec;
        return;
    }
    struct mbox_tx tx = {.mbox = mbox, .conn = conn, .is_writer = true, .now = clock_now()};
    tx.counters = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    tx.events = g_array_new(FALSE, FALSE, sizeof(struct event));
    tx.event_runs = event_runs_new();
    tx.usage = mbox->usage; // changed by leaders only
    unsigned n_good = 0;
    for (unsigned i = 0; i < n; i++) {
        group[i]->result = run_change(&tx, group[i], n == 1);
        n_good += succeeded(group[i]->result);
    }
    if (n_good == 0) {
        db_rollback(conn);
    } else {
        bool noted = false;
        ec = save_next_id(&tx);
        if (ec == EC_OK)
            ec = id_time_note(&tx, &noted);
        if (ec == EC_OK)
            ec = db_commit(conn);
        else
            db_rollback(conn);
        if (ec == EC_OK) {
            mbox->saved_next_id = mbox->next_id;
            if (noted)
                mbox->id_time = tx.now;
            pthread_mutex_lock(&mbox->usage_lock);
            mbox->usage = tx.usage;
            pthread_mutex_unlock(&mbox->usage_lock);
            atomic_fetch_add(&mbox->commits, 1);
            atomic_store(&mbox->is_dirty, true);
            search_folders_committed(mbox);
            watches_publish(mbox, tx.events, tx.event_runs);
            if (tx.wants_settling)
                flag_ranges_want(mbox);
            fulltext_committed(mbox, (const struct event *)(void *)tx.events->data, tx.events->len);
        }
        for (unsigned i = 0; ec != EC_OK && i < n; i++)
            if (succeeded(group[i]->result))
                group[i]->result = ec;
    }
    g_hash_table_unref(tx.counters);
    g_array_unref(tx.events);
    g_array_unref(tx.event_runs);
    g_clear_pointer(&tx.flag_ranges, g_array_unref);
    g_free(tx.holds);
}

// Takes the lead's duty once: runs everything that waits, then passes the lead on. Lock held.
static void lead(struct mbox *mbox) {
    struct writer *group[GROUP_MAX];
    unsigned n = 0;
    while (n < GROUP_MAX && !g_queue_is_empty(&mbox->writers))
        group[n++] = g_queue_pop_head(&mbox->writers);
    pthread_mutex_unlock(&mbox->write_lock);
    run_group(mbox, group, n);
    pthread_mutex_lock(&mbox->write_lock);
    for (unsigned i = 0; i < n; i++) {
        group[i]->is_done = true;
        pthread_cond_signal(&group[i]->cond);
    }
    struct writer *next = g_queue_peek_head(&mbox->writers);
    if (next) {
        next->is_leader = true;
        pthread_cond_signal(&next->cond);
    } else {
        mbox->has_leader = false;
    }
}

enum ec mbox_write(struct mbox *mbox, mbox_change change, void *ctx) {
    struct writer w = {.change = change, .ctx = ctx};
    pthread_cond_init(&w.cond, NULL);
    pthread_mutex_lock(&mbox->write_lock);
    g_queue_push_tail(&mbox->writers, &w);
    if (!mbox->has_leader)
        mbox->has_leader = w.is_leader = true;
    while (!w.is_done && !w.is_leader)
        pthread_cond_wait(&w.cond, &mbox->write_lock);
    if (!w.is_done)
        lead(mbox);
    pthread_mutex_unlock(&mbox->write_lock);
    pthread_cond_destroy(&w.cond);
    return w.result;
}
