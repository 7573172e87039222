// Snapshots of folders' rows in memory.
//
// A snapshot is an array of chunk pointers; a chunk holds up to CHUNK_ROWS rows in uid order and
// never changes once a snapshot shows it. A newer snapshot is made by reading what changed since
// (rows by modseq, tombstones by change number) and replacing only the chunks concerned. The
// mailbox keeps the newest snapshot of each folder looked at lately.
#include "store/rows.h"

#include <string.h>

#include "store/flag_range.h"
#include "store/rows_saved.h"
#include "store/store_internal.h"

#define CHUNK_ROWS 512
#define CACHE_KEEP_USEC (120 * G_USEC_PER_SEC)

struct chunk {
    int refs; // atomic
    uint32_t n;
    uint32_t first_unread; // index in `rows`; n: none
    bool has_keywords;
    struct message_row rows[];
};

struct folder_rows {
    int refs; // atomic
    uint64_t fid, modseq;
    uint32_t uid_next, uid_validity, unread, count, n_chunks;
    struct chunk **chunks;
    uint32_t *starts; // index of each chunk's first row
};

struct cached {
    uint64_t fid;
    struct folder_rows *rows;
    uint64_t commits; // mbox->commits when it was known to be the newest
    uint64_t saved;   // modseq of the saved snapshot, 0: none known
    gint64 used;
};

struct rows_cache {
    pthread_mutex_t lock; // held while a snapshot is made: two openers of a folder make it once
    GHashTable *folders;  // fid -> struct cached
};

static _Atomic size_t memory;

// --- Chunks ---

static struct chunk *chunk_new(uint32_t n) {
    size_t size = sizeof(struct chunk) + n * sizeof(struct message_row);
    struct chunk *c = g_malloc(size);
    atomic_fetch_add(&memory, size);
    c->refs = 1;
    c->n = n;
    return c;
}

static void chunk_unref(struct chunk *c) {
    if (!g_atomic_int_dec_and_test(&c->refs))
        return;
    for (uint32_t i = 0; i < c->n; i++)
        if (c->rows[i].keywords)
            shared_text_unref(c->rows[i].keywords);
    atomic_fetch_sub(&memory, sizeof *c + c->n * sizeof(struct message_row));
    g_free(c);
}

static void chunk_summarize(struct chunk *c) {
    c->first_unread = c->n;
    c->has_keywords = false;
    for (uint32_t i = c->n; i-- > 0;) {
        if (!(c->rows[i].flags & MSG_READ))
            c->first_unread = i;
        c->has_keywords |= c->rows[i].keywords != NULL;
    }
}

// Takes over the rows' references to their keywords.
static struct chunk *chunk_take(const struct message_row *rows, uint32_t n) {
    struct chunk *c = chunk_new(n);
    memcpy(c->rows, rows, n * sizeof *rows);
    chunk_summarize(c);
    return c;
}

// --- Building ---

// The chunks of a snapshot being made. Rows are added in uid order.
struct builder {
    GPtrArray *chunks;
    struct message_row pending[CHUNK_ROWS];
    uint32_t n_pending;
};

static void builder_flush(struct builder *b) {
    if (b->n_pending > 0)
        g_ptr_array_add(b->chunks, chunk_take(b->pending, b->n_pending));
    b->n_pending = 0;
}

static void builder_add_take(struct builder *b, const struct message_row *row) {
    if (b->n_pending == CHUNK_ROWS)
        builder_flush(b);
    b->pending[b->n_pending++] = *row;
}

static void builder_add_copy(struct builder *b, const struct message_row *row) {
    builder_add_take(b, row);
    if (row->keywords)
        shared_text_ref(row->keywords);
}

static void builder_add_chunk(struct builder *b, struct chunk *c) {
    builder_flush(b);
    g_atomic_int_inc(&c->refs);
    g_ptr_array_add(b->chunks, c);
}

static void builder_drop(struct builder *b) {
    builder_flush(b);
    for (guint i = 0; i < b->chunks->len; i++)
        chunk_unref(b->chunks->pdata[i]);
    g_ptr_array_unref(b->chunks);
}

static struct folder_rows *builder_finish(struct builder *b, uint64_t fid) {
    builder_flush(b);
    struct folder_rows *rows = g_new0(struct folder_rows, 1);
    rows->refs = 1;
    rows->fid = fid;
    rows->n_chunks = b->chunks->len;
    rows->starts = g_new(uint32_t, rows->n_chunks + 1);
    for (uint32_t i = 0; i < rows->n_chunks; i++) {
        rows->starts[i] = rows->count;
        rows->count += ((struct chunk *)b->chunks->pdata[i])->n;
    }
    rows->chunks = (struct chunk **)g_ptr_array_free(b->chunks, FALSE);
    atomic_fetch_add(&memory, sizeof *rows + rows->n_chunks * (sizeof(void *) + 4));
    return rows;
}

static struct message_row read_row(struct mbox_tx *tx, uint64_t fid, struct db_stmt *q) {
    const char *keywords = db_col_text(q, 6);
    struct flag_state state = {.uid = (uint32_t)db_col_i64(q, 0),
                               .modseq = (uint64_t)db_col_i64(q, 2),
                               .flags = (uint32_t)db_col_i64(q, 3)};
    flag_ranges_overlay(tx, fid, &state);
    return (struct message_row){
        .uid = state.uid,
        .mid = (uint64_t)db_col_i64(q, 1),
        .modseq = state.modseq,
        .flags = state.flags,
        .received = (filetime_t)db_col_i64(q, 4),
        .size = (uint64_t)db_col_i64(q, 5),
        .keywords = keywords && *keywords ? shared_text_new(keywords) : NULL,
    };
}

static bool is_shown(const struct message_row *row) {
    return !(row->flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED));
}

static enum ec build_all(struct mbox_tx *tx, uint64_t fid, struct folder_rows **out) {
    EC_TRY(flag_ranges_load(tx));
    g_autofree struct builder *b = g_new0(struct builder, 1);
    b->chunks = g_ptr_array_new();
    struct db_stmt *q = db_query(tx->conn, sql_message_scan);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct message_row row = read_row(tx, fid, q);
        if (is_shown(&row))
            builder_add_take(b, &row);
        else if (row.keywords)
            shared_text_unref(row.keywords);
    }
    enum ec ec = db_finish(q);
    if (ec == EC_OK)
        *out = builder_finish(b, fid);
    else
        builder_drop(b);
    return ec;
}

// --- Bringing up to date ---

// A uid's new state: a row, or gone.
struct delta {
    struct message_row row; // owns its keywords
    bool is_gone;
};

static gint by_uid(gconstpointer a, gconstpointer b) {
    const struct delta *x = a, *y = b;
    return x->row.uid < y->row.uid ? -1 : x->row.uid > y->row.uid;
}

static void clear_delta(gpointer data) {
    struct delta *d = data;
    if (d->row.keywords)
        shared_text_unref(d->row.keywords);
}

static enum ec read_deltas(struct mbox_tx *tx, uint64_t fid, uint64_t since, GArray *deltas) {
    EC_TRY(flag_ranges_load(tx));
    struct db_stmt *q = db_query(tx->conn, sql_message_since);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)since);
    db_bind_i64(q, 4, INT64_MAX);
    while (db_step(q)) {
        struct delta d = {.row = read_row(tx, fid, q)};
        d.is_gone = !is_shown(&d.row);
        g_array_append_val(deltas, d);
    }
    EC_TRY(db_finish(q));
    q = db_query(tx->conn, sql_tombstone_since);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)since);
    db_bind_i64(q, 4, INT64_MAX);
    while (db_step(q)) {
        struct delta d = {.row = {.uid = (uint32_t)db_col_i64(q, 2)}, .is_gone = true};
        g_array_append_val(deltas, d); // a uid never comes back: a restored message gets a new one
    }
    EC_TRY(db_finish(q));
    g_array_sort(deltas, by_uid);
    return EC_OK;
}

// One chunk of the old snapshot merged with the deltas of its uid range; returns the next delta.
static guint merge_chunk(struct builder *b, struct chunk *c, GArray *deltas, guint d,
                         uint32_t range_end) {
    for (uint32_t i = 0; i < c->n; i++) {
        const struct message_row *row = &c->rows[i];
        while (d < deltas->len) {
            struct delta *next = &g_array_index(deltas, struct delta, d);
            if (next->row.uid >= row->uid)
                break;
            if (!next->is_gone)
                builder_add_copy(b, &next->row);
            d++;
        }
        struct delta *same = d < deltas->len ? &g_array_index(deltas, struct delta, d) : NULL;
        if (!same || same->row.uid != row->uid) {
            builder_add_copy(b, row);
            continue;
        }
        bool is_gone = false;
        const struct message_row *changed = NULL;
        for (; d < deltas->len && g_array_index(deltas, struct delta, d).row.uid == row->uid; d++) {
            is_gone |= g_array_index(deltas, struct delta, d).is_gone;
            changed = &g_array_index(deltas, struct delta, d).row;
        }
        if (!is_gone)
            builder_add_copy(b, changed);
    }
    for (; d < deltas->len; d++) {
        struct delta *next = &g_array_index(deltas, struct delta, d);
        if (next->row.uid >= range_end)
            break;
        if (!next->is_gone)
            builder_add_copy(b, &next->row);
    }
    return d;
}

static struct folder_rows *merge(const struct folder_rows *old, GArray *deltas) {
    g_autofree struct builder *b = g_new0(struct builder, 1);
    b->chunks = g_ptr_array_new();
    guint d = 0;
    for (uint32_t i = 0; i < old->n_chunks; i++) {
        struct chunk *c = old->chunks[i];
        bool is_last = i + 1 == old->n_chunks;
        uint32_t range_end = is_last ? UINT32_MAX : old->chunks[i + 1]->rows[0].uid;
        bool is_touched =
            d < deltas->len && g_array_index(deltas, struct delta, d).row.uid < range_end;
        // New mail after a full last chunk starts a chunk of its own; the full one stays shared.
        if (is_touched && is_last && c->n == CHUNK_ROWS &&
            g_array_index(deltas, struct delta, d).row.uid > c->rows[c->n - 1].uid)
            is_touched = false;
        if (is_touched)
            d = merge_chunk(b, c, deltas, d, range_end);
        else
            builder_add_chunk(b, c);
        // Chunks stay small after a merge, and do not run into the next one, which may be shared.
        if (!is_last)
            builder_flush(b);
    }
    for (; d < deltas->len; d++) {
        struct delta *next = &g_array_index(deltas, struct delta, d);
        if (!next->is_gone)
            builder_add_copy(b, &next->row);
    }
    return builder_finish(b, old->fid);
}

static struct chunk *chunk_copy(const struct chunk *c) {
    struct chunk *copy = chunk_take(c->rows, c->n);
    for (uint32_t i = 0; i < c->n; i++)
        if (c->rows[i].keywords)
            shared_text_ref(c->rows[i].keywords);
    return copy;
}

// The chunk with a record applied: itself when no row of it is concerned.
static struct chunk *chunk_with_range(struct chunk *c, const struct flag_range *r) {
    struct chunk *to = NULL;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct message_row *row = &c->rows[i];
        struct flag_state state = {.uid = row->uid, .flags = row->flags, .modseq = row->modseq};
        if (!flag_range_apply(r, &state))
            continue;
        if (!to)
            to = chunk_copy(c);
        to->rows[i].flags = state.flags;
        to->rows[i].modseq = state.modseq;
    }
    if (!to)
        return c;
    chunk_summarize(to);
    chunk_unref(c);
    return to;
}

// Flag changes of ranges since the old snapshot: most of their rows are no deltas, since they stand
// in the table as they were. `rows` is not shown to anybody yet.
static void apply_ranges(struct mbox_tx *tx, struct folder_rows *rows, uint64_t since) {
    const struct flag_range *r;
    for (unsigned i = 0; (r = flag_ranges_reach(tx, rows->fid, since, &i)) != NULL;)
        for (uint32_t c = 0; c < rows->n_chunks; c++) {
            const struct chunk *chunk = rows->chunks[c];
            if (chunk->rows[0].uid <= r->last && chunk->rows[chunk->n - 1].uid >= r->first)
                rows->chunks[c] = chunk_with_range(rows->chunks[c], r);
        }
}

static enum ec bring_up_to_date(struct mbox_tx *tx, const struct folder_rows *old,
                                struct folder_rows **out) {
    g_autoptr(GArray) deltas = g_array_new(FALSE, FALSE, sizeof(struct delta));
    g_array_set_clear_func(deltas, clear_delta);
    EC_TRY(read_deltas(tx, old->fid, old->modseq, deltas));
    *out = merge(old, deltas);
    apply_ranges(tx, *out, old->modseq);
    return EC_OK;
}

// --- The cache ---

struct folder_state {
    uint64_t modseq;
    uint32_t uid_next, uid_validity, unread, count;
};

static enum ec read_state(struct mbox_tx *tx, uint64_t fid, struct folder_state *out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_state);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found)
        *out = (struct folder_state){
            .modseq = (uint64_t)db_col_i64(q, 0),
            .uid_next = (uint32_t)db_col_i64(q, 1),
            .uid_validity = (uint32_t)db_col_i64(q, 2),
            .unread = (uint32_t)db_col_i64(q, 3),
            .count = (uint32_t)db_col_i64(q, 4),
        };
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

static void add_loaded(void *ctx, const struct message_row *row) {
    builder_add_take(ctx, row);
}

// The saved snapshot, to be brought up to date; one that is damaged or from the future is passed
// over.
static struct folder_rows *load_saved(struct mbox_tx *tx, uint64_t fid,
                                      const struct folder_state *state) {
    g_autofree struct builder *b = g_new0(struct builder, 1);
    uint64_t modseq = 0;
    b->chunks = g_ptr_array_new();
    enum ec ec = rows_load(tx, fid, state->uid_validity, add_loaded, b, &modseq);
    if (ec != EC_OK || modseq > state->modseq) {
        builder_drop(b);
        return NULL;
    }
    struct folder_rows *rows = builder_finish(b, fid);
    rows->modseq = modseq;
    rows->uid_validity = state->uid_validity;
    return rows;
}

static enum ec renew(struct mbox_tx *tx, uint64_t fid, struct cached *cached) {
    struct folder_state state;
    struct folder_rows *rows;
    EC_TRY(read_state(tx, fid, &state));
    if (!cached->rows && (cached->rows = load_saved(tx, fid, &state)) != NULL)
        cached->saved = cached->rows->modseq;
    if (cached->rows && cached->rows->modseq == state.modseq &&
        cached->rows->uid_validity == state.uid_validity) {
        if (g_atomic_int_get(&cached->rows->refs) == 1) { // just loaded: nobody sees it yet
            cached->rows->uid_next = state.uid_next;
            cached->rows->unread = state.unread;
        }
        return EC_OK;
    }
    if (cached->rows && cached->rows->uid_validity == state.uid_validity) {
        EC_TRY(bring_up_to_date(tx, cached->rows, &rows));
    } else {
        EC_TRY(build_all(tx, fid, &rows));
    }
    rows->modseq = state.modseq;
    rows->uid_next = state.uid_next;
    rows->uid_validity = state.uid_validity;
    rows->unread = state.unread;
    folder_rows_unref(cached->rows);
    cached->rows = rows;
    return EC_OK;
}

static void free_cached(gpointer data) {
    struct cached *cached = data;
    folder_rows_unref(cached->rows);
    g_free(cached);
}

struct rows_cache *rows_cache_new(void) {
    struct rows_cache *cache = g_new0(struct rows_cache, 1);
    pthread_mutex_init(&cache->lock, NULL);
    cache->folders = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_cached);
    return cache;
}

void rows_cache_free(struct rows_cache *cache) {
    if (!cache)
        return;
    g_hash_table_unref(cache->folders);
    pthread_mutex_destroy(&cache->lock);
    g_free(cache);
}

// --- Saving ---

struct save {
    uint64_t fid;
    struct folder_rows *rows;
};

static enum ec do_save(struct mbox_tx *tx, void *ctx) {
    const struct save *s = ctx;
    return rows_save(tx, s->fid, s->rows);
}

// Saved again when about a tenth has changed since: each delivery takes about three numbers of the
// counter.
static bool wants_saving(const struct cached *c) {
    return c->rows && c->rows->count >= ROWS_SAVE_MIN &&
           (c->saved == 0 || c->rows->modseq - c->saved > c->rows->count * 3 / 10);
}

void rows_cache_save(struct mbox *mbox) {
    struct rows_cache *cache = mbox->rows;
    g_autoptr(GArray) saves = g_array_new(FALSE, FALSE, sizeof(struct save));
    GHashTableIter it;
    gpointer value;
    pthread_mutex_lock(&cache->lock);
    g_hash_table_iter_init(&it, cache->folders);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        struct cached *c = value;
        if (!wants_saving(c))
            continue;
        struct save s = {c->fid, folder_rows_ref(c->rows)};
        c->saved = c->rows->modseq;
        g_array_append_val(saves, s);
    }
    pthread_mutex_unlock(&cache->lock);
    for (guint i = 0; i < saves->len; i++) {
        struct save *s = &g_array_index(saves, struct save, i);
        mbox_write(mbox, do_save, s); // a failure costs only time at the next start
        folder_rows_unref(s->rows);
    }
}

static gboolean is_unused(gpointer key, gpointer value, gpointer data) {
    const struct cached *cached = value;
    bool is_held = cached->rows && g_atomic_int_get(&cached->rows->refs) > 1;
    return !is_held && *(gint64 *)data - cached->used > CACHE_KEEP_USEC;
}

void rows_cache_trim(struct mbox *mbox) {
    gint64 now = g_get_monotonic_time();
    pthread_mutex_lock(&mbox->rows->lock);
    g_hash_table_foreach_remove(mbox->rows->folders, is_unused, &now);
    pthread_mutex_unlock(&mbox->rows->lock);
}

static enum ec refresh(struct mbox *mbox, struct cached *cached) {
    // Read before the snapshot is taken: what commits in between is seen again the next time.
    uint64_t commits = atomic_load(&mbox->commits);
    if (cached->rows && cached->commits == commits)
        return EC_OK;
    struct mbox_tx *tx;
    EC_TRY(mbox_read(mbox, &tx));
    enum ec ec = renew(tx, cached->fid, cached);
    mbox_read_end(tx);
    cached->commits = commits;
    return ec;
}

enum ec folder_rows_get(struct mbox *mbox, uint64_t fid, struct folder_rows **out) {
    struct rows_cache *cache = mbox->rows;
    pthread_mutex_lock(&cache->lock);
    struct cached *cached = g_hash_table_lookup(cache->folders, &fid);
    if (!cached) {
        cached = g_new0(struct cached, 1);
        cached->fid = fid;
        g_hash_table_insert(cache->folders, &cached->fid, cached);
    }
    cached->used = g_get_monotonic_time();
    enum ec ec = refresh(mbox, cached);
    if (ec == EC_OK)
        *out = folder_rows_ref(cached->rows);
    else
        g_hash_table_remove(cache->folders, &fid);
    pthread_mutex_unlock(&cache->lock);
    return ec;
}

enum ec folder_rows_in_write(struct mbox_tx *tx, uint64_t fid, uint32_t max_rows,
                             struct folder_rows **out) {
    struct rows_cache *cache = tx->mbox->rows;
    struct folder_rows *known = NULL;
    struct folder_state state;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(read_state(tx, fid, &state));
    // A reader may be making a snapshot under the lock, which can take long.
    if (pthread_mutex_trylock(&cache->lock) == 0) {
        const struct cached *cached = g_hash_table_lookup(cache->folders, &fid);
        if (cached && cached->rows && cached->rows->uid_validity == state.uid_validity)
            known = folder_rows_ref(cached->rows);
        pthread_mutex_unlock(&cache->lock);
    }
    enum ec ec = EC_NOT_FOUND;
    if (known)
        ec = bring_up_to_date(tx, known, out);
    else if (state.count <= max_rows)
        ec = build_all(tx, fid, out);
    folder_rows_unref(known);
    return ec;
}

// --- Reading ---

struct folder_rows *folder_rows_ref(struct folder_rows *rows) {
    g_atomic_int_inc(&rows->refs);
    return rows;
}

void folder_rows_unref(struct folder_rows *rows) {
    if (!rows || !g_atomic_int_dec_and_test(&rows->refs))
        return;
    for (uint32_t i = 0; i < rows->n_chunks; i++)
        chunk_unref(rows->chunks[i]);
    atomic_fetch_sub(&memory, sizeof *rows + rows->n_chunks * (sizeof(void *) + 4));
    g_free(rows->chunks);
    g_free(rows->starts);
    g_free(rows);
}

uint32_t folder_rows_count(const struct folder_rows *rows) {
    return rows->count;
}

uint64_t folder_rows_modseq(const struct folder_rows *rows) {
    return rows->modseq;
}

uint32_t folder_rows_uid_next(const struct folder_rows *rows) {
    return rows->uid_next;
}

uint32_t folder_rows_uid_validity(const struct folder_rows *rows) {
    return rows->uid_validity;
}

uint32_t folder_rows_unread(const struct folder_rows *rows) {
    return rows->unread;
}

size_t folder_rows_memory(void) {
    return atomic_load(&memory);
}

// The chunk that holds row i.
static uint32_t chunk_of(const struct folder_rows *rows, uint32_t i) {
    uint32_t low = 0, high = rows->n_chunks;
    // Chunks of a folder that only grows are full: one look finds it.
    uint32_t guess = (uint32_t)((uint64_t)i * high / rows->count);
    if (rows->starts[guess] <= i)
        low = guess;
    else
        high = guess;
    if (low + 1 < high && rows->starts[low + 1] > i)
        return low;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (rows->starts[mid] <= i)
            low = mid;
        else
            high = mid;
    }
    return low;
}

const struct message_row *folder_rows_at(const struct folder_rows *rows, uint32_t i) {
    g_assert(i < rows->count);
    uint32_t c = chunk_of(rows, i);
    return &rows->chunks[c]->rows[i - rows->starts[c]];
}

const struct message_row *folder_rows_span(const struct folder_rows *rows, uint32_t i,
                                           uint32_t *n_out) {
    g_assert(i < rows->count);
    uint32_t c = chunk_of(rows, i), at = i - rows->starts[c];
    *n_out = rows->chunks[c]->n - at;
    return &rows->chunks[c]->rows[at];
}

uint32_t folder_rows_first_unread(const struct folder_rows *rows) {
    for (uint32_t c = 0; c < rows->n_chunks; c++)
        if (rows->chunks[c]->first_unread < rows->chunks[c]->n)
            return rows->starts[c] + rows->chunks[c]->first_unread;
    return rows->count;
}

uint32_t folder_rows_next_keywords(const struct folder_rows *rows, uint32_t i) {
    while (i < rows->count) {
        uint32_t n = chunk_of(rows, i);
        const struct chunk *c = rows->chunks[n];
        for (uint32_t at = i - rows->starts[n]; c->has_keywords && at < c->n; at++)
            if (c->rows[at].keywords)
                return rows->starts[n] + at;
        i = rows->starts[n] + c->n;
    }
    return i;
}

// Whether no uid is missing between the first row and the one of `uid`, which exists.
static bool is_dense_before(const struct folder_rows *rows, uint32_t uid) {
    if (rows->count == 0 || uid < rows->chunks[0]->rows[0].uid)
        return false;
    uint32_t i = uid - rows->chunks[0]->rows[0].uid;
    return i < rows->count && folder_rows_at(rows, i)->uid == uid;
}

uint32_t folder_rows_find_uid(const struct folder_rows *rows, uint32_t uid) {
    uint32_t low = 0, high = rows->n_chunks;
    if (is_dense_before(rows, uid))
        return uid - rows->chunks[0]->rows[0].uid;
    while (low < high) { // the first chunk whose last uid is >= uid
        uint32_t mid = low + (high - low) / 2;
        const struct chunk *c = rows->chunks[mid];
        if (c->rows[c->n - 1].uid < uid)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == rows->n_chunks)
        return rows->count;
    const struct chunk *c = rows->chunks[low];
    uint32_t first = 0, end = c->n;
    while (first < end) {
        uint32_t mid = first + (end - first) / 2;
        if (c->rows[mid].uid < uid)
            first = mid + 1;
        else
            end = mid;
    }
    return rows->starts[low] + first;
}

// --- Comparing ---

struct cursor {
    const struct folder_rows *rows;
    uint32_t chunk, row;
};

static const struct message_row *cursor_row(const struct cursor *c) {
    return c->chunk < c->rows->n_chunks ? &c->rows->chunks[c->chunk]->rows[c->row] : NULL;
}

static uint32_t cursor_index(const struct cursor *c) {
    return c->rows->starts[c->chunk] + c->row;
}

static void cursor_next(struct cursor *c) {
    if (++c->row == c->rows->chunks[c->chunk]->n) {
        c->chunk++;
        c->row = 0;
    }
}

// At the start of the same chunk in both: nothing in it differs.
static bool skip_shared(struct cursor *a, struct cursor *b) {
    if (a->row || b->row || a->chunk == a->rows->n_chunks || b->chunk == b->rows->n_chunks ||
        a->rows->chunks[a->chunk] != b->rows->chunks[b->chunk])
        return false;
    a->chunk++;
    b->chunk++;
    return true;
}

void folder_rows_diff(const struct folder_rows *from, const struct folder_rows *to,
                      void (*change)(void *ctx, enum rows_change what, uint32_t index,
                                     const struct message_row *row),
                      void *ctx) {
    struct cursor a = {.rows = from}, b = {.rows = to};
    for (;;) {
        if (skip_shared(&a, &b))
            continue;
        const struct message_row *x = cursor_row(&a), *y = cursor_row(&b);
        if (!x && !y)
            return;
        if (x && (!y || x->uid < y->uid)) {
            change(ctx, ROWS_REMOVED, cursor_index(&a), x);
            cursor_next(&a);
        } else if (y && (!x || y->uid < x->uid)) {
            change(ctx, ROWS_ADDED, cursor_index(&b), y);
            cursor_next(&b);
        } else {
            if (x->modseq != y->modseq)
                change(ctx, ROWS_CHANGED, cursor_index(&b), y);
            cursor_next(&a);
            cursor_next(&b);
        }
    }
}
