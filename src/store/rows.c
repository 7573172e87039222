// Snapshots of folders' rows in memory.
//
// A snapshot is an array of chunk pointers; a chunk holds up to CHUNK_ROWS rows in uid order and
// never changes once a snapshot shows it. A newer snapshot is made by reading what changed since
// (rows by modseq, tombstones by change number) and replacing only the chunks concerned. The
// mailbox keeps the newest snapshot of each folder looked at lately.
#include "store/rows_internal.h"

#include <string.h>

// --- Reading ---

struct folder_rows *folder_rows_ref(struct folder_rows *rows) {
    g_atomic_int_inc(&rows->refs);
    return rows;
}

void folder_rows_unref(struct folder_rows *rows) {
    if (!rows || !g_atomic_int_dec_and_test(&rows->refs))
        return;
    for (uint32_t i = 0; i < rows->n_chunks; i++)
        rows_chunk_unref(rows->chunks[i]);
    atomic_fetch_sub(&rows_memory, sizeof *rows + rows->n_chunks * (sizeof(void *) + 4));
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
    return atomic_load(&rows_memory);
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
