// Entries in order: an array of chunks that newer orders share with older ones, so that a change
// costs a chunk and not a million entries.
#include <string.h>

#include "store/view_internal.h"

#define CHUNK_ENTRIES 1024
#define CHUNK_MIN 256 // smaller ones are joined when they are made anew

struct order_chunk {
    int refs; // atomic
    uint32_t n, unread;
    uint32_t stride; // numbers an entry: 1, or 2 with instances
    uint32_t data[];
};

static struct entry chunk_at(const struct order_chunk *c, uint32_t i) {
    return (struct entry){c->data[(size_t)i * c->stride],
                          c->stride == 2 ? c->data[(size_t)i * 2 + 1] : 0};
}

static size_t chunk_size(const struct order_chunk *c) {
    return sizeof *c + (size_t)c->n * c->stride * sizeof(uint32_t);
}

static struct order_chunk *chunk_new(const struct columns *cols, const struct entry *entries,
                                     uint32_t n, uint32_t stride) {
    struct order_chunk *c = g_malloc(sizeof *c + (size_t)n * stride * sizeof(uint32_t));
    *c = (struct order_chunk){.refs = 1, .n = n, .stride = stride};
    for (uint32_t i = 0; i < n; i++) {
        c->data[(size_t)i * stride] = entries[i].slot;
        if (stride == 2)
            c->data[(size_t)i * 2 + 1] = entries[i].instance;
        c->unread += !(slot_flags(cols, entries[i].slot) & MSG_READ);
    }
    view_memory_add((ssize_t)chunk_size(c));
    return c;
}

static void chunk_unref(struct order_chunk *c) {
    if (!g_atomic_int_dec_and_test(&c->refs))
        return;
    view_memory_add(-(ssize_t)chunk_size(c));
    g_free(c);
}

// --- Building ---

struct builder {
    GPtrArray *chunks;
    const struct columns *cols;
    uint32_t stride, n;
    struct entry pending[CHUNK_ENTRIES * 2];
};

static void flush(struct builder *b) {
    // Two halves rather than a full chunk and a small one.
    uint32_t first = b->n > CHUNK_ENTRIES ? b->n / 2 : b->n;
    if (b->n > 0)
        g_ptr_array_add(b->chunks, chunk_new(b->cols, b->pending, first, b->stride));
    if (b->n > first)
        g_ptr_array_add(b->chunks, chunk_new(b->cols, b->pending + first, b->n - first, b->stride));
    b->n = 0;
}

static void add(struct builder *b, struct entry e) {
    if (b->n == G_N_ELEMENTS(b->pending))
        flush(b);
    b->pending[b->n++] = e;
}

static void add_shared(struct builder *b, struct order_chunk *c) {
    if (b->n > 0 && (b->n < CHUNK_MIN || c->n < CHUNK_MIN) && b->n + c->n <= CHUNK_ENTRIES) {
        for (uint32_t i = 0; i < c->n; i++)
            add(b, chunk_at(c, i));
        return;
    }
    flush(b);
    g_atomic_int_inc(&c->refs);
    g_ptr_array_add(b->chunks, c);
}

static void finish(struct builder *b, struct order *out) {
    flush(b);
    out->n_chunks = b->chunks->len;
    out->starts = g_new(uint32_t, out->n_chunks + 1);
    out->count = 0;
    for (uint32_t i = 0; i < out->n_chunks; i++) {
        out->starts[i] = out->count;
        out->count += ((struct order_chunk *)b->chunks->pdata[i])->n;
    }
    out->chunks = (struct order_chunk **)g_ptr_array_free(b->chunks, FALSE);
    view_memory_add((ssize_t)(out->n_chunks * (sizeof(void *) + sizeof(uint32_t))));
}

void order_build(struct order *order, const struct columns *cols, const struct entry *entries,
                 uint32_t n, bool with_instances) {
    g_autofree struct builder *b = g_new(struct builder, 1);
    b->chunks = g_ptr_array_new();
    b->cols = cols;
    b->stride = with_instances ? 2 : 1;
    b->n = 0;
    for (uint32_t i = 0; i < n; i += CHUNK_ENTRIES)
        g_ptr_array_add(b->chunks,
                        chunk_new(cols, entries + i, MIN(CHUNK_ENTRIES, n - i), b->stride));
    finish(b, order);
}

void order_clear(struct order *order) {
    for (uint32_t i = 0; i < order->n_chunks; i++)
        chunk_unref(order->chunks[i]);
    if (order->chunks)
        view_memory_add(-(ssize_t)(order->n_chunks * (sizeof(void *) + sizeof(uint32_t))));
    g_free(order->chunks);
    g_free(order->starts);
    *order = (struct order){0};
}

// --- Reading ---

// The chunk that holds entry i.
static uint32_t chunk_of(const struct order *order, uint32_t i) {
    uint32_t low = 0, high = order->n_chunks;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (order->starts[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct entry order_at(const struct order *order, uint32_t i) {
    g_assert(i < order->count);
    uint32_t k = chunk_of(order, i);
    return chunk_at(order->chunks[k], i - order->starts[k]);
}

uint32_t order_partition(const struct order *order,
                         bool (*is_before)(const void *ctx, const struct entry *e),
                         const void *ctx) {
    uint32_t low = 0, high = order->n_chunks; // chunks whose first entry is before
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct entry e = chunk_at(order->chunks[middle], 0);
        if (is_before(ctx, &e))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    const struct order_chunk *c = order->chunks[low - 1];
    uint32_t start = order->starts[low - 1];
    for (low = 1, high = c->n; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        struct entry e = chunk_at(c, middle);
        if (is_before(ctx, &e))
            low = middle + 1;
        else
            high = middle;
    }
    return start + low;
}

uint32_t order_unread(const struct order *order, const struct columns *cols, uint32_t from,
                      uint32_t to) {
    uint32_t unread = 0;
    to = MIN(to, order->count);
    for (uint32_t i = from; i < to;) {
        uint32_t k = chunk_of(order, i);
        const struct order_chunk *c = order->chunks[k];
        uint32_t end = order->starts[k] + c->n;
        if (i == order->starts[k] && end <= to) {
            unread += c->unread;
            i = end;
            continue;
        }
        for (; i < MIN(end, to); i++)
            unread += !(slot_flags(cols, chunk_at(c, i - order->starts[k]).slot) & MSG_READ);
    }
    return unread;
}

// --- Changing ---

void order_change(const struct order *old, const struct columns *cols, const uint32_t *removed,
                  uint32_t n_removed, const struct order_addition *added, uint32_t n_added,
                  bool with_instances, struct order *out) {
    g_autofree struct builder *b = g_new(struct builder, 1);
    uint32_t r = 0, a = 0;
    b->chunks = g_ptr_array_new();
    b->cols = cols;
    b->stride = with_instances ? 2 : 1;
    b->n = 0;
    for (uint32_t k = 0; k < old->n_chunks; k++) {
        struct order_chunk *c = old->chunks[k];
        uint32_t start = old->starts[k], end = start + c->n;
        bool is_last = k + 1 == old->n_chunks;
        bool is_touched =
            (r < n_removed && removed[r] < end) || (a < n_added && (added[a].at < end || is_last));
        if (!is_touched) {
            add_shared(b, c);
            continue;
        }
        for (uint32_t i = start; i < end; i++) {
            for (; a < n_added && added[a].at <= i; a++)
                add(b, added[a].entry);
            if (r < n_removed && removed[r] == i)
                r++;
            else
                add(b, chunk_at(c, i - start));
        }
        if (b->n >= CHUNK_MIN)
            flush(b);
    }
    for (; a < n_added; a++)
        add(b, added[a].entry);
    finish(b, out);
}

// --- Comparing ---

// The chunks of one order that the other has not, as entries with their places.
static bool collect(const struct order *order, uint32_t first, uint32_t last, GHashTable *shared,
                    uint32_t limit, GArray *out) {
    for (uint32_t k = first; k < last; k++) {
        const struct order_chunk *c = order->chunks[k];
        if (g_hash_table_contains(shared, c))
            continue;
        if (out->len + c->n > limit)
            return false;
        for (uint32_t i = 0; i < c->n; i++) {
            struct order_addition a = {order->starts[k] + i, chunk_at(c, i)};
            g_array_append_val(out, a);
        }
    }
    return true;
}

bool order_differences(const struct order *from, const struct order *to, uint32_t limit,
                       GArray *gone, GArray *come) {
    uint32_t same = 0, tail = 0, most = MIN(from->n_chunks, to->n_chunks);
    while (same < most && from->chunks[same] == to->chunks[same])
        same++;
    while (tail < most - same &&
           from->chunks[from->n_chunks - 1 - tail] == to->chunks[to->n_chunks - 1 - tail])
        tail++;
    g_autoptr(GHashTable) old = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) shared = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (uint32_t k = same; k < from->n_chunks - tail; k++)
        g_hash_table_add(old, from->chunks[k]);
    for (uint32_t k = same; k < to->n_chunks - tail; k++)
        if (g_hash_table_contains(old, to->chunks[k]))
            g_hash_table_add(shared, to->chunks[k]);
    return collect(from, same, from->n_chunks - tail, shared, limit, gone) &&
           collect(to, same, to->n_chunks - tail, shared, limit, come);
}
