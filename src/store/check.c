// The check of a mailbox: one write transaction that reads everything, and mends what can be
// derived.
//
// Without repair the transaction is rolled back. What cannot be derived (contents that are gone) is
// reported and left.
#include "store/check.h"

#include <stdarg.h>
#include <string.h>

#include "base/log.h"
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

char *check_message_name(struct check *c, uint64_t fid, uint32_t uid, const char *subject) {
    const char *name = g_hash_table_lookup(c->folder_names, &fid);
    return g_strdup_printf("folder \"%s\", uid %u \"%s\"", name ? name : "?", uid,
                           subject ? subject : "");
}

static void doc_free(gpointer p) {
    struct doc_seen *d = p;
    g_free(d->subject);
    g_free(d);
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
    c->is_damaged = lines->len > 0;
    // Nothing is mended in a file that must be given up.
    return c->is_damaged && c->options->repair ? EC_CORRUPT_DATA : EC_OK;
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
    EC_TRY(check_damage(c));
    EC_TRY(check_folders(c));
    progress(c, "messages", 40);
    EC_TRY(check_contents(c));
    EC_TRY(check_recoverable(c));
    EC_TRY(check_links(c));
    EC_TRY(check_settings(c));
    EC_TRY(check_counter(c));
    EC_TRY(check_rights(c));
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

// Of a file that does not open.
static void name_bad_pages(struct store *store, const struct guid *guid, GPtrArray *faults) {
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *file = mailbox_file(store, guid);
    db_verify_file(file, lines);
    for (guint i = 0; i < lines->len; i++)
        g_ptr_array_add(faults, g_strconcat("database: ", (const char *)lines->pdata[i], NULL));
}

static enum ec check_once(struct store *store, const struct guid *guid,
                          const struct check_options *options, GPtrArray *faults,
                          unsigned *n_repaired_out, bool *is_damaged_out) {
    struct mbox *mbox;
    *n_repaired_out = 0;
    *is_damaged_out = true;
    enum ec ec = store_open_mailbox(store, guid, &mbox);
    if (ec == EC_CORRUPT_DATA || ec == EC_DATABASE_ERROR) {
        name_bad_pages(store, guid, faults);
        return EC_CORRUPT_DATA;
    }
    *is_damaged_out = false;
    EC_TRY(ec);
    struct check c = {.options = options, .faults = faults};
    c.docs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, doc_free);
    c.blobs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    c.folder_names = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    ec = mbox_write(mbox, run, &c);
    *is_damaged_out = c.is_damaged || ec == EC_CORRUPT_DATA;
    g_hash_table_unref(c.docs);
    g_hash_table_unref(c.blobs);
    g_hash_table_unref(c.folder_names);
    mbox_unref(mbox);
    *n_repaired_out = ec == EC_OK ? c.n_repaired : 0;
    return ec == EC_CANCEL ? EC_OK : ec;
}

static void log_faults(struct store *store, const struct guid *guid, const GPtrArray *faults) {
    g_autofree char *file = mailbox_file(store, guid);
    if (faults->len > 0)
        log_event(LOG_LEVEL_WARNING, "store.check_faults", "file", file, "faults",
                  log_u64(faults->len), "first", faults->pdata[0], NULL);
}

enum ec store_check_mailbox(struct store *store, const struct guid *guid,
                            const struct check_options *options, GPtrArray *faults,
                            unsigned *n_repaired_out) {
    unsigned n_repaired = 0;
    bool is_damaged;
    enum ec ec = check_once(store, guid, options, faults, &n_repaired, &is_damaged);
    if (is_damaged && options->repair) {
        unsigned salvaged = 0;
        guint before = faults->len;
        ec = check_salvage(store, guid, faults);
        if (ec == EC_OK)
            ec = check_once(store, guid, options, faults, &n_repaired, &is_damaged);
        // What the file was found damaged by is gone with it.
        for (guint i = 0; ec == EC_OK && !is_damaged && i < before; i++, salvaged++) {
            char *line = faults->pdata[i];
            faults->pdata[i] = g_strconcat(line, " [repaired]", NULL);
            g_free(line);
        }
        for (guint i = before; ec == EC_OK && i < faults->len - n_repaired; i++)
            salvaged += g_str_has_suffix(faults->pdata[i], "[repaired]");
        n_repaired += salvaged;
    }
    log_faults(store, guid, faults);
    if (ec == EC_OK && faults->len == 0)
        store_forget_old(store, guid); // the migrated file is as good as the one before
    if (n_repaired_out)
        *n_repaired_out = n_repaired;
    return ec;
}
