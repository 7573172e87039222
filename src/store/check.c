// The check of a mailbox: one write transaction that reads everything, and mends what can be
// derived.
//
// Without repair the transaction is rolled back. What cannot be derived (contents that are gone) is
// reported and left.
#include "store/check.h"

#include <stdarg.h>
#include <string.h>

#include "store/check_internal.h"
#include "store/columns_internal.h"
#include "store/envelope_chunk.h"
#include "store/flag_range.h"
#include "store/fulltext_internal.h"
#include "store/rows_saved.h"

void check_fault(struct check *c, bool is_repaired, const char *format, ...) {
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(c->faults, g_strconcat(text, is_repaired ? " [repaired]" : "", NULL));
    c->n_repaired += is_repaired;
}

bool check_wants_repair(const struct check *c) {
    return c->options->repair;
}

void check_saw_id(struct check *c, uint64_t id) {
    c->max_id = MAX(c->max_id, id);
}

struct doc_seen *check_doc(struct check *c, uint64_t doc) {
    struct doc_seen *d = g_hash_table_lookup(c->docs, &doc);
    if (!d) {
        d = g_new0(struct doc_seen, 1);
        d->doc = doc;
        g_hash_table_insert(c->docs, &d->doc, d);
    }
    return d;
}

struct blob_seen *check_blob(struct check *c, uint64_t blob) {
    struct blob_seen *b = g_hash_table_lookup(c->blobs, &blob);
    if (!b) {
        b = g_new0(struct blob_seen, 1);
        b->blob = blob;
        g_hash_table_insert(c->blobs, &b->blob, b);
    }
    return b;
}

static void progress(const struct check *c, const char *step, unsigned percent) {
    if (c->options->progress)
        c->options->progress(c->options->ctx, step, percent);
}

static enum ec check_engine(struct check *c) {
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    EC_TRY(db_verify(c->tx->conn, lines));
    for (guint i = 0; i < lines->len; i++)
        check_fault(c, false, "database: %s", (const char *)lines->pdata[i]);
    return EC_OK;
}

// The counter must be past every id given out, or an id would be given out twice.
static enum ec check_counter(struct check *c) {
    struct mbox *mbox = c->tx->mbox;
    if (mbox->next_id > c->max_id)
        return EC_OK;
    check_fault(c, check_wants_repair(c),
                "mailbox: the next id is %" G_GUINT64_FORMAT ", but %" G_GUINT64_FORMAT
                " is in use",
                (guint64)mbox->next_id, (guint64)c->max_id);
    if (check_wants_repair(c))
        mbox->next_id = c->max_id + 1; // saved with the transaction
    return EC_OK;
}

static enum ec run(struct mbox_tx *tx, void *ctx) {
    struct check *c = ctx;
    c->tx = tx;
    progress(c, "database", 0);
    EC_TRY(check_engine(c));
    EC_TRY(flag_ranges_settle(tx, 0)); // so that the rows say what is counted
    progress(c, "folders", 20);
    EC_TRY(check_folders(c));
    progress(c, "messages", 40);
    EC_TRY(check_contents(c));
    EC_TRY(check_counter(c));
    EC_TRY(check_fulltext(c));
    if (c->n_repaired > 0) { // derived from what was just mended
        EC_TRY(rows_forget(tx, 0));
        EC_TRY(columns_forget(tx, 0));
        EC_TRY(envelope_chunks_forget(tx, 0));
        EC_TRY(usage_load(tx->conn, &tx->usage));
    }
    progress(c, "done", 100);
    return c->n_repaired > 0 ? EC_OK : EC_CANCEL; // nothing changed: nothing to commit
}

enum ec store_check_mailbox(struct store *store, const struct guid *guid,
                            const struct check_options *options, GPtrArray *faults,
                            unsigned *n_repaired_out) {
    struct mbox *mbox;
    enum ec ec = store_open_mailbox(store, guid, &mbox);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? ec : EC_CORRUPT_DATA;
    struct check c = {.options = options, .faults = faults};
    c.docs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    c.blobs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    ec = mbox_write(mbox, run, &c);
    g_hash_table_unref(c.docs);
    g_hash_table_unref(c.blobs);
    mbox_unref(mbox);
    if (n_repaired_out)
        *n_repaired_out = ec == EC_OK ? c.n_repaired : 0;
    return ec == EC_CANCEL ? EC_OK : ec;
}
