// The index's life: states, indexing in slices, rebuilding, and when the background does it.
//
// A slice reads what comes after the watermark in a snapshot, prepares its words without holding
// anything, and writes them with the new watermark in one small transaction, which gives up when
// somebody else moved the watermark meanwhile. So it does not matter who indexes, nor when it dies.
#include "store/fulltext.h"

#include <string.h>
#include <unicode/uchar.h>

#include "base/log.h"
#include "store/background.h"
#include "store/fulltext_internal.h"

#define FORMAT 1

void store_set_fulltext(struct store *store, const struct fulltext_options *options) {
    store->fulltext_policy = (int)options->policy;
    g_free(store->fulltext_converter);
    store->fulltext_converter =
        options->converter && *options->converter ? g_strdup(options->converter) : NULL;
}

// --- States ---

int64_t fulltext_format(void) {
    UVersionInfo version;
    u_getUnicodeVersion(version);
    return FORMAT * 1000000 + version[0] * 1000 + version[1];
}

enum ec fulltext_states(struct mbox_tx *tx, struct fulltext_state out[DB_FULLTEXT_SLOTS]) {
    memset(out, 0, DB_FULLTEXT_SLOTS * sizeof *out);
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_states);
    db_bind_i64(q, 1, MBX);
    unsigned n_live = 0;
    bool is_sound = true;
    while (db_step(q)) {
        int64_t slot = db_col_i64(q, 0), watermark = db_col_i64(q, 3), n_docs = db_col_i64(q, 4);
        if (slot < 0 || slot >= DB_FULLTEXT_SLOTS || watermark < 0 || n_docs < 0) {
            is_sound = false;
            continue;
        }
        bool is_live = db_col_i64(q, 1) != 0;
        n_live += is_live;
        out[slot] = (struct fulltext_state){.slot = (unsigned)slot,
                                            .exists = true,
                                            .is_live = is_live,
                                            .format = db_col_i64(q, 2),
                                            .watermark = (uint64_t)watermark,
                                            .n_docs = (uint64_t)n_docs};
    }
    EC_TRY(db_finish(q));
    bool some = out[0].exists || out[1].exists;
    return is_sound && n_live == (some ? 1u : 0u) ? EC_OK : EC_CORRUPT_DATA;
}

enum ec fulltext_state_set(struct mbox_tx *tx, const struct fulltext_state *s) {
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_state_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, s->slot);
    db_bind_i64(q, 3, s->is_live);
    db_bind_i64(q, 4, s->format);
    db_bind_i64(q, 5, (int64_t)s->watermark);
    db_bind_i64(q, 6, (int64_t)s->n_docs);
    return db_run(q, NULL);
}

static enum ec state_drop(struct mbox_tx *tx, unsigned slot) {
    EC_TRY(db_fulltext_drop(tx->conn, slot));
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_state_drop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, slot);
    return db_run(q, NULL);
}

enum ec fulltext_begin(struct mbox_tx *tx, unsigned slot, bool is_live) {
    EC_TRY(db_fulltext_create(tx->conn, slot));
    struct fulltext_state s = {.slot = slot, .is_live = is_live, .format = fulltext_format()};
    return fulltext_state_set(tx, &s);
}

enum ec fulltext_drop_all(struct mbox_tx *tx) {
    static const char *const rows[] = {sql_fulltext_states_drop, sql_fulltext_docs_drop};
    for (unsigned i = 0; i < DB_FULLTEXT_SLOTS; i++)
        EC_TRY(db_fulltext_drop(tx->conn, i));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct db_stmt *q = db_query(tx->conn, rows[i]);
        db_bind_i64(q, 1, MBX);
        EC_TRY(db_run(q, NULL));
    }
    return EC_OK;
}

enum ec fulltext_count(struct mbox_tx *tx, const char *sql, uint64_t watermark, uint64_t *out) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)watermark);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

// The one in use, and the one to fill: the same, unless a new one is being built. NULL: none.
static struct fulltext_state *live_of(struct fulltext_state *s) {
    return s[0].exists && s[0].is_live ? &s[0] : s[1].exists && s[1].is_live ? &s[1] : NULL;
}

static struct fulltext_state *growing_of(struct fulltext_state *s) {
    for (unsigned i = 0; i < DB_FULLTEXT_SLOTS; i++)
        if (s[i].exists && !s[i].is_live)
            return &s[i];
    return live_of(s);
}

enum ec fulltext_get_status(struct mbox_tx *tx, struct fulltext_status *out) {
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    uint64_t present;
    *out = (struct fulltext_status){0};
    EC_TRY(fulltext_states(tx, states));
    const struct fulltext_state *live = live_of(states), *growing = growing_of(states);
    EC_TRY(fulltext_count(tx, sql_fulltext_count_waiting, growing ? growing->watermark : 0,
                          &out->n_waiting));
    if (!live)
        return EC_OK;
    EC_TRY(fulltext_count(tx, sql_fulltext_count_present, live->watermark, &present));
    out->exists = true;
    out->is_rebuilding = growing != live;
    out->is_outdated = live->format != fulltext_format();
    out->watermark = live->watermark;
    out->n_docs = live->n_docs;
    out->n_gone = live->n_docs > present ? live->n_docs - present : 0;
    return EC_OK;
}

enum ec fulltext_open(struct mbox_tx *tx, struct fulltext_index *out) {
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    EC_TRY(fulltext_states(tx, states));
    const struct fulltext_state *live = live_of(states);
    // Words made by other rules than those asked for would be missed.
    if (!live || live->format != fulltext_format())
        return EC_NOT_FOUND;
    *out = (struct fulltext_index){live->slot, live->watermark};
    return EC_OK;
}

// --- A slice ---

struct slice {
    struct arena *arena;
    struct fulltext_state state; // as it was read
    uint64_t watermark;          // afterwards
    GArray *docs;                // of struct fulltext_prepared
    bool is_end;                 // nothing was left behind these
};

struct listed {
    uint64_t doc;
    bool is_wanted;
};

// The next contents in order; those of associated messages only are passed over.
static enum ec list_docs(struct mbox_tx *tx, uint64_t after, GArray *out, bool *is_end_out) {
    unsigned n_rows = 0;
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_next);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)after);
    db_bind_i64(q, 3, FULLTEXT_SLICE_DOCS);
    for (; db_step(q); n_rows++) {
        struct listed d = {(uint64_t)db_col_i64(q, 0), !(db_col_i64(q, 1) & MSG_ASSOCIATED)};
        struct listed *last = out->len ? &g_array_index(out, struct listed, out->len - 1) : NULL;
        if (last && last->doc == d.doc)
            last->is_wanted |= d.is_wanted;
        else
            g_array_append_val(out, d);
    }
    *is_end_out = n_rows < FULLTEXT_SLICE_DOCS;
    return db_finish(q);
}

static enum ec read_slice(struct mbox *mbox, struct slice *s, bool *nothing_out) {
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct listed));
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(fulltext_states(tx, states));
    const struct fulltext_state *growing = growing_of(states);
    *nothing_out = !growing;
    if (!growing)
        return EC_OK;
    s->state = *growing;
    s->watermark = growing->watermark;
    bool is_last;
    EC_TRY(list_docs(tx, growing->watermark, list, &is_last));
    gint64 end = g_get_monotonic_time() + FULLTEXT_SLICE_USEC;
    size_t n_bytes = 0;
    guint i = 0;
    for (; i < list->len; i++) {
        const struct listed *d = &g_array_index(list, struct listed, i);
        if (n_bytes > FULLTEXT_SLICE_BYTES || (i && g_get_monotonic_time() > end) ||
            background_is_stopping(mbox))
            break;
        s->watermark = d->doc;
        if (!d->is_wanted)
            continue;
        struct fulltext_prepared p;
        fulltext_prepare(tx, s->arena, d->doc, &p);
        n_bytes += p.n_bytes;
        g_array_append_val(s->docs, p);
    }
    s->is_end = i == list->len && is_last;
    *nothing_out = list->len == 0 && growing->is_live;
    return EC_OK;
}

static enum ec write_doc(struct mbox_tx *tx, unsigned slot, const struct fulltext_prepared *p) {
    EC_TRY(db_fulltext_add(tx->conn, slot, p->doc, p->words.columns));
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_doc_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)p->doc);
    db_bind_blob(q, 3, p->grams.head, p->grams.head_len);
    db_bind_blob(q, 4, p->grams.body, p->grams.body_len);
    return db_run(q, NULL);
}

static enum ec drop_gone(struct mbox_tx *tx, uint64_t after, uint64_t to) {
    struct db_stmt *q = db_query(tx->conn, sql_fulltext_docs_gone);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)after);
    db_bind_i64(q, 3, (int64_t)to);
    return db_run(q, NULL);
}

// The new index is complete: it takes the place of the old one.
static enum ec take_over(struct mbox_tx *tx, struct fulltext_state *states,
                         struct fulltext_state *grown) {
    struct fulltext_state *live = live_of(states);
    if (live)
        EC_TRY(state_drop(tx, live->slot));
    grown->is_live = true;
    return EC_OK;
}

static enum ec write_slice(struct mbox_tx *tx, void *ctx) {
    struct slice *s = ctx;
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    EC_TRY(fulltext_states(tx, states));
    struct fulltext_state *now = &states[s->state.slot];
    if (!now->exists || now->is_live != s->state.is_live || now->watermark != s->state.watermark)
        return EC_CANCEL; // somebody else was here
    for (guint i = 0; i < s->docs->len; i++)
        EC_TRY(write_doc(tx, now->slot, &g_array_index(s->docs, struct fulltext_prepared, i)));
    if (!now->is_live)
        EC_TRY(drop_gone(tx, now->watermark, s->watermark));
    now->watermark = s->watermark;
    now->n_docs += s->docs->len;
    if (!now->is_live && s->is_end)
        EC_TRY(take_over(tx, states, now));
    return fulltext_state_set(tx, now);
}

// One slice. *more_out: there may be more to do; *done_out: how many contents were added.
static enum ec run_slice(struct mbox *mbox, bool *more_out, uint64_t *done_out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) docs = g_array_new(FALSE, FALSE, sizeof(struct fulltext_prepared));
    struct slice s = {.arena = arena, .docs = docs};
    bool nothing;
    *more_out = false;
    *done_out = 0;
    EC_TRY(read_slice(mbox, &s, &nothing));
    if (nothing || background_is_stopping(mbox))
        return EC_OK;
    enum ec ec = mbox_write(mbox, write_slice, &s);
    if (ec == EC_CANCEL) {
        *more_out = true;
        return EC_OK;
    }
    EC_TRY(ec);
    *more_out = !s.is_end;
    *done_out = docs->len;
    db_checkpoint(mbox->db, 16u * 1024 * 1024);
    return EC_OK;
}

// --- Beginning, rebuilding ---

static enum ec change_begin(struct mbox_tx *tx, void *ctx) {
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    (void)ctx;
    enum ec ec = fulltext_states(tx, states);
    if (ec == EC_CORRUPT_DATA) // derived: begin anew
        EC_TRY(fulltext_drop_all(tx));
    else
        EC_TRY(ec);
    return ec == EC_OK && live_of(states) ? EC_CANCEL : fulltext_begin(tx, 0, true);
}

static enum ec change_rebuild(struct mbox_tx *tx, void *ctx) {
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    enum ec ec = fulltext_states(tx, states);
    if (ec == EC_CORRUPT_DATA)
        EC_TRY(fulltext_drop_all(tx));
    else
        EC_TRY(ec);
    struct fulltext_state *live = ec == EC_OK ? live_of(states) : NULL;
    if (!live)
        return fulltext_begin(tx, 0, true);
    return fulltext_begin(tx, 1 - live->slot, false);
}

static enum ec change_mend(struct mbox_tx *tx, void *ctx) {
    (void)ctx;
    EC_TRY(fulltext_drop_all(tx));
    return fulltext_begin(tx, 0, true);
}

static enum ec change_forget(struct mbox_tx *tx, void *ctx) {
    (void)ctx;
    return fulltext_drop_all(tx);
}

enum ec fulltext_forget(struct mbox *mbox) {
    mbox->fulltext_wanted = false;
    return mbox_write(mbox, change_forget, NULL);
}

static enum ec count_waiting(struct mbox *mbox, uint64_t *out) {
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_status status;
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(fulltext_get_status(tx, &status));
    *out = status.n_waiting;
    return EC_OK;
}

static enum ec run_all(struct mbox *mbox, fulltext_progress progress, void *ctx) {
    uint64_t waiting = 0, done = 0, n;
    EC_TRY(count_waiting(mbox, &waiting));
    for (bool more = true; more;) {
        EC_TRY(run_slice(mbox, &more, &n));
        if (background_is_stopping(mbox))
            return EC_CANCEL;
        done += n;
        if (progress)
            progress(ctx, done, waiting > done ? waiting - done : 0);
    }
    return EC_OK;
}

enum ec fulltext_catch_up(struct mbox *mbox, fulltext_progress progress, void *ctx) {
    enum ec ec = mbox_write(mbox, change_begin, NULL);
    if (ec != EC_CANCEL)
        EC_TRY(ec);
    mbox->fulltext_wanted = true;
    return run_all(mbox, progress, ctx);
}

enum ec fulltext_rebuild(struct mbox *mbox, fulltext_progress progress, void *ctx) {
    EC_TRY(mbox_write(mbox, change_rebuild, NULL));
    mbox->fulltext_wanted = true;
    return run_all(mbox, progress, ctx);
}

// --- In the background ---

static bool is_off(const struct mbox *mbox) {
    return mbox->store->fulltext_policy == FULLTEXT_OFF;
}

// Whether a new index is worth its time: too much of it is of messages that are gone, or other
// rules for words hold now.
static bool needs_rebuild(struct mbox *mbox) {
    gint64 now = g_get_monotonic_time(), last = mbox->fulltext_looked;
    if (last && now - last < FULLTEXT_GARBAGE_EVERY)
        return false;
    mbox->fulltext_looked = now;
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_status status;
    if (mbox_read(mbox, &tx) != EC_OK || fulltext_get_status(tx, &status) != EC_OK)
        return false;
    return status.exists && !status.is_rebuilding &&
           (status.is_outdated || (status.n_gone > FULLTEXT_GARBAGE_MIN &&
                                   status.n_gone > status.n_docs - status.n_gone));
}

static void log_failure(struct mbox *mbox, enum ec ec) {
    char guid[GUID_STRING_SIZE];
    guid_format(&mbox->guid, guid);
    log_event(LOG_LEVEL_WARNING, "fulltext.failed", "mailbox", guid, "error", ec_text(ec), "do",
              ec == EC_CORRUPT_DATA ? "run `bourse index --rebuild`" : NULL, NULL);
}

static void log_mended(struct mbox *mbox, enum ec ec) {
    char guid[GUID_STRING_SIZE];
    guid_format(&mbox->guid, guid);
    log_event(LOG_LEVEL_WARNING, "fulltext.built_anew", "mailbox", guid, "because",
              "the index was damaged", "result", ec_text(ec), "do", "run `bourse check`", NULL);
}

static void work(struct mbox *mbox) {
    gint64 end = g_get_monotonic_time() + FULLTEXT_RUN_USEC;
    enum ec ec = EC_OK;
    bool more = true;
    uint64_t n;
    mbox->fulltext_since = 0;
    if (is_off(mbox))
        return;
    if (atomic_exchange(&mbox->fulltext_mend, false)) {
        ec = mbox_write(mbox, change_mend, NULL);
        log_mended(mbox, ec);
    } else if (mbox->fulltext_begin) {
        ec = mbox_write(mbox, change_begin, NULL);
        mbox->fulltext_begin = false;
        ec = ec == EC_CANCEL ? EC_OK : ec;
    } else if (needs_rebuild(mbox)) {
        ec = mbox_write(mbox, change_rebuild, NULL);
    }
    while (ec == EC_OK && more && !background_is_stopping(mbox) && g_get_monotonic_time() < end)
        ec = run_slice(mbox, &more, &n);
    if (ec != EC_OK) {
        log_failure(mbox, ec);
        if (ec == EC_CORRUPT_DATA)
            fulltext_damaged(mbox);
        else
            background_want(mbox, work, FULLTEXT_RETRY_MS, true);
    } else if (more) {
        background_want(mbox, work, 0, false);
    }
}

void fulltext_want(struct mbox *mbox) {
    if (mbox->fulltext_wanted || is_off(mbox))
        return;
    mbox->fulltext_begin = true;
    mbox->fulltext_wanted = true;
    background_want(mbox, work, 0, false);
}

void fulltext_damaged(struct mbox *mbox) {
    if (is_off(mbox) || atomic_exchange(&mbox->fulltext_was_damaged, true))
        return;
    atomic_store(&mbox->fulltext_mend, true);
    mbox->fulltext_wanted = true;
    background_want(mbox, work, 0, false);
}

void fulltext_opened(struct mbox *mbox) {
    if (is_off(mbox))
        return;
    bool is_always = mbox->store->fulltext_policy == FULLTEXT_ALWAYS, exists = false;
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_state states[DB_FULLTEXT_SLOTS];
    if (mbox_read(mbox, &tx) == EC_OK && fulltext_states(tx, states) == EC_OK)
        exists = live_of(states) != NULL;
    if (!exists && !is_always)
        return;
    mbox->fulltext_begin = !exists;
    mbox->fulltext_wanted = true;
    background_want(mbox, work, FULLTEXT_DELAY_MS, false);
}

void fulltext_committed(struct mbox *mbox, const struct event *events, unsigned n) {
    if (!mbox->fulltext_wanted)
        return;
    bool is_new = false;
    for (unsigned i = 0; i < n && !is_new; i++)
        is_new = !events[i].is_folder && events[i].kind & (EVENT_CREATED | EVENT_MODIFIED);
    if (!is_new)
        return;
    // Put off while changes pour in, but not for ever.
    gint64 now = g_get_monotonic_time(), none = 0;
    atomic_compare_exchange_strong(&mbox->fulltext_since, &none, now);
    bool postpone = now - mbox->fulltext_since < FULLTEXT_DELAY_MAX;
    background_want(mbox, work, FULLTEXT_DELAY_MS, postpone);
}
