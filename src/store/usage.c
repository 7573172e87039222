// Counting what a mailbox holds; message_count and the commit call this.
#include "store/usage.h"

#include "mapi/special_folder.h"
#include "store/message_internal.h"
#include "store/recoverable.h"
#include "store/sql_retain.h"

enum ec usage_load(struct db_conn *conn, struct mbox_usage *out) {
    *out = (struct mbox_usage){0};
    struct db_stmt *q = db_query(conn, sql_usage);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, FID_RECOVERABLE_ITEMS);
    db_bind_i64(q, 3, FID_RECOVERABLE_AUDITS);
    if (db_step(q)) {
        // A damaged counter may be negative; `bourse check` mends it.
        out->size = (uint64_t)MAX(db_col_i64(q, 0), 0);
        out->n_messages = (uint64_t)MAX(db_col_i64(q, 1), 0);
        out->recoverable_size = (uint64_t)MAX(db_col_i64(q, 2), 0);
        out->n_recoverable = (uint64_t)MAX(db_col_i64(q, 3), 0);
    }
    return db_finish(q);
}

static uint64_t add(uint64_t value, uint64_t n, int sign) {
    return sign > 0 ? value + n : value - MIN(n, value);
}

void usage_count(struct mbox_tx *tx, const struct message_full *m, int sign) {
    struct mbox_usage *u = &tx->usage;
    if ((m->flags & MSG_SOFT_DELETED) || folder_is_recoverable(m->fid)) {
        u->recoverable_size = add(u->recoverable_size, m->size, sign);
        u->n_recoverable = add(u->n_recoverable, 1, sign);
    } else {
        u->size = add(u->size, m->size, sign);
        u->n_messages = add(u->n_messages, 1, sign);
    }
}

void mbox_get_usage(struct mbox_tx *tx, struct mbox_usage *out) {
    if (tx->is_writer) {
        *out = tx->usage;
        return;
    }
    pthread_mutex_lock(&tx->mbox->usage_lock);
    *out = tx->mbox->usage;
    pthread_mutex_unlock(&tx->mbox->usage_lock);
}

enum ec folder_get_items(struct mbox_tx *tx, uint64_t fid, uint64_t *out) {
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, fid, &c));
    *out = (uint64_t)MAX(c->n_messages, 0);
    return EC_OK;
}
