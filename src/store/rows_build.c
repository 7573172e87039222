// Making snapshots of folders' rows: all of them, or those that changed since an older one.
#include "store/rows_internal.h"

#include <string.h>

_Atomic size_t rows_memory;

// --- Chunks ---

static struct chunk *chunk_new(uint32_t n) {
    size_t size = sizeof(struct chunk) + n * sizeof(struct message_row);
    struct chunk *c = g_malloc(size);
    atomic_fetch_add(&rows_memory, size);
    c->refs = 1;
    c->n = n;
    return c;
}

void rows_chunk_unref(struct chunk *c) {
    if (!g_atomic_int_dec_and_test(&c->refs))
        return;
    for (uint32_t i = 0; i < c->n; i++)
        if (c->rows[i].keywords)
            shared_text_unref(c->rows[i].keywords);
    atomic_fetch_sub(&rows_memory, sizeof *c + c->n * sizeof(struct message_row));
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

static void rows_builder_flush(struct rows_builder *b) {
    if (b->n_pending > 0)
        g_ptr_array_add(b->chunks, chunk_take(b->pending, b->n_pending));
    b->n_pending = 0;
}

void rows_builder_add_take(struct rows_builder *b, const struct message_row *row) {
    if (b->n_pending == CHUNK_ROWS)
        rows_builder_flush(b);
    b->pending[b->n_pending++] = *row;
}

static void builder_add_copy(struct rows_builder *b, const struct message_row *row) {
    rows_builder_add_take(b, row);
    if (row->keywords)
        shared_text_ref(row->keywords);
}

static void builder_add_chunk(struct rows_builder *b, struct chunk *c) {
    rows_builder_flush(b);
    g_atomic_int_inc(&c->refs);
    g_ptr_array_add(b->chunks, c);
}

void rows_builder_drop(struct rows_builder *b) {
    rows_builder_flush(b);
    for (guint i = 0; i < b->chunks->len; i++)
        rows_chunk_unref(b->chunks->pdata[i]);
    g_ptr_array_unref(b->chunks);
}

struct folder_rows *rows_builder_finish(struct rows_builder *b, uint64_t fid) {
    rows_builder_flush(b);
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
    atomic_fetch_add(&rows_memory, sizeof *rows + rows->n_chunks * (sizeof(void *) + 4));
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

enum ec rows_build(struct mbox_tx *tx, uint64_t fid, struct folder_rows **out) {
    EC_TRY(flag_ranges_load(tx));
    g_autofree struct rows_builder *b = g_new0(struct rows_builder, 1);
    b->chunks = g_ptr_array_new();
    struct db_stmt *q = db_query(tx->conn, sql_message_scan);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct message_row row = read_row(tx, fid, q);
        if (is_shown(&row))
            rows_builder_add_take(b, &row);
        else if (row.keywords)
            shared_text_unref(row.keywords);
    }
    enum ec ec = db_finish(q);
    if (ec == EC_OK)
        *out = rows_builder_finish(b, fid);
    else
        rows_builder_drop(b);
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
static guint merge_chunk(struct rows_builder *b, struct chunk *c, GArray *deltas, guint d,
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
    g_autofree struct rows_builder *b = g_new0(struct rows_builder, 1);
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
            rows_builder_flush(b);
    }
    for (; d < deltas->len; d++) {
        struct delta *next = &g_array_index(deltas, struct delta, d);
        if (!next->is_gone)
            builder_add_copy(b, &next->row);
    }
    return rows_builder_finish(b, old->fid);
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
    rows_chunk_unref(c);
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

enum ec rows_follow(struct mbox_tx *tx, const struct folder_rows *old, struct folder_rows **out) {
    g_autoptr(GArray) deltas = g_array_new(FALSE, FALSE, sizeof(struct delta));
    g_array_set_clear_func(deltas, clear_delta);
    EC_TRY(read_deltas(tx, old->fid, old->modseq, deltas));
    *out = merge(old, deltas);
    apply_ranges(tx, *out, old->modseq);
    return EC_OK;
}
