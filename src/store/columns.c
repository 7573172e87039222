// Columns in memory: lanes, slots, finding a message's slot. One column is in column.c.
#include "store/columns_internal.h"

#include <string.h>

#define UNIT_MIN_SHIFT 6

// --- Lanes ---

void lane_init(struct lane *lane, uint32_t width, uint32_t first) {
    *lane = (struct lane){.width = width, .first = first, .shift = UNIT_MIN_SHIFT};
    while ((first >> 5) > (1u << lane->shift))
        lane->shift++;
    if (first > 0) {
        lane->segments[0] = g_malloc0((size_t)first * width);
        view_memory_add((ssize_t)first * width);
    }
}

static size_t segment_size(const struct lane *lane, unsigned k) {
    return (size_t)(k == 0 ? lane->first : 1u << lane->shift << (k - 1)) * lane->width;
}

void lane_clear(struct lane *lane) {
    for (unsigned k = 0; k < LANE_SEGMENTS; k++) {
        if (!lane->segments[k])
            continue;
        view_memory_add(-(ssize_t)segment_size(lane, k));
        g_free(lane->segments[k]);
        lane->segments[k] = NULL;
    }
}

void *lane_grow(struct lane *lane, uint32_t i) {
    if (i >= lane->first) {
        uint32_t rest = i - lane->first;
        unsigned k = 32u - (unsigned)__builtin_clz((rest >> lane->shift) + 1);
        g_assert(k < LANE_SEGMENTS);
        if (!lane->segments[k]) {
            lane->segments[k] = g_malloc0(segment_size(lane, k));
            view_memory_add((ssize_t)segment_size(lane, k));
        }
    }
    return lane_at(lane, i);
}

// --- Slots ---

struct columns *columns_new(uint64_t fid, enum view_kind kind, bool is_search, uint32_t n_base) {
    struct columns *cols = g_new0(struct columns, 1);
    cols->refs = 1;
    cols->fid = fid;
    cols->kind = kind;
    cols->is_search = is_search;
    cols->n_base = n_base;
    cols->is_by_mid = true;
    lane_init(&cols->mid, sizeof(uint64_t), n_base);
    lane_init(&cols->uid, sizeof(uint32_t), n_base);
    lane_init(&cols->flags, sizeof(uint32_t), n_base);
    cols->dead = g_byte_array_new();
    pthread_mutex_init(&cols->index_lock, NULL);
    cols->later = g_hash_table_new(g_direct_hash, g_direct_equal);
    cols->older = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    view_memory_add(sizeof *cols);
    return cols;
}

struct columns *columns_ref(struct columns *cols) {
    g_atomic_int_inc(&cols->refs);
    return cols;
}

void columns_unref(struct columns *cols) {
    if (!cols || !g_atomic_int_dec_and_test(&cols->refs))
        return;
    for (unsigned i = 0; i < cols->n_columns; i++)
        column_free(cols->list[i]);
    lane_clear(&cols->mid);
    lane_clear(&cols->uid);
    lane_clear(&cols->flags);
    g_byte_array_unref(cols->dead);
    if (cols->by_mid)
        view_memory_add(-(ssize_t)(cols->n_base * sizeof(uint32_t)));
    g_free(cols->by_mid);
    g_hash_table_unref(cols->later);
    g_array_unref(cols->older);
    pthread_mutex_destroy(&cols->index_lock);
    view_memory_add(-(ssize_t)sizeof *cols);
    g_free(cols);
}

static gpointer mid_key(uint64_t mid) {
    return (gpointer)(uintptr_t)mid;
}

static void index_later(struct columns *cols, uint64_t mid, uint32_t slot) {
    uint32_t before = columns_find(cols, mid, UINT32_MAX);
    pthread_mutex_lock(&cols->index_lock);
    g_array_append_val(cols->older, before);
    g_hash_table_insert(cols->later, mid_key(mid), GUINT_TO_POINTER(slot + 1));
    pthread_mutex_unlock(&cols->index_lock);
}

uint32_t columns_add(struct columns *cols, uint64_t mid, uint32_t uid, uint32_t flags) {
    uint32_t slot = cols->n;
    if (slot >= cols->n_base)
        index_later(cols, mid, slot);
    else if (slot > 0 && mid <= slot_mid(cols, slot - 1))
        cols->is_by_mid = false;
    *(uint64_t *)lane_grow(&cols->mid, slot) = mid;
    *(uint32_t *)lane_grow(&cols->uid, slot) = uid;
    *(uint32_t *)lane_grow(&cols->flags, slot) = flags;
    cols->n++;
    return slot;
}

void columns_kill(struct columns *cols, uint32_t slot) {
    guint len = slot / 8 + 1;
    if (cols->dead->len < len) {
        guint old = cols->dead->len;
        g_byte_array_set_size(cols->dead, len);
        memset(cols->dead->data + old, 0, len - old);
    }
    cols->dead->data[slot / 8] |= (uint8_t)(1 << slot % 8);
    cols->n_dead++;
}

bool columns_is_dead(const struct columns *cols, uint32_t slot) {
    return slot / 8 < cols->dead->len && (cols->dead->data[slot / 8] >> slot % 8 & 1);
}

static gint by_mid(gconstpointer a, gconstpointer b, gpointer data) {
    const struct columns *cols = data;
    uint64_t x = slot_mid(cols, *(const uint32_t *)a), y = slot_mid(cols, *(const uint32_t *)b);
    return x < y ? -1 : x > y;
}

// The base slot of a message. index_lock is held.
static uint32_t find_base(struct columns *cols, uint64_t mid) {
    uint32_t low = 0, high = cols->n_base;
    if (!cols->is_by_mid && !cols->by_mid) {
        cols->by_mid = g_new(uint32_t, cols->n_base);
        for (uint32_t i = 0; i < cols->n_base; i++)
            cols->by_mid[i] = i;
        g_qsort_with_data(cols->by_mid, (gint)cols->n_base, sizeof(uint32_t), by_mid, cols);
        view_memory_add((ssize_t)(cols->n_base * sizeof(uint32_t)));
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t slot = cols->by_mid ? cols->by_mid[middle] : middle;
        uint64_t at = slot_mid(cols, slot);
        if (at == mid)
            return slot;
        if (at < mid)
            low = middle + 1;
        else
            high = middle;
    }
    return SLOT_NONE;
}

uint32_t columns_find(struct columns *cols, uint64_t mid, uint32_t limit) {
    pthread_mutex_lock(&cols->index_lock);
    uint32_t slot = GPOINTER_TO_UINT(g_hash_table_lookup(cols->later, mid_key(mid)));
    slot = slot ? slot - 1 : find_base(cols, mid);
    while (slot != SLOT_NONE && slot >= limit && slot >= cols->n_base)
        slot = g_array_index(cols->older, uint32_t, slot - cols->n_base);
    pthread_mutex_unlock(&cols->index_lock);
    return slot != SLOT_NONE && slot < limit ? slot : SLOT_NONE;
}

int columns_compare_tie(const struct columns *cols, uint32_t a, uint32_t b) {
    if (!cols->is_search) {
        uint32_t x = lane_u32(&cols->uid, a), y = lane_u32(&cols->uid, b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    uint64_t x = slot_mid(cols, a), y = slot_mid(cols, b);
    return x != y ? (x < y ? -1 : 1) : (a > b) - (a < b);
}

static gint by_tie(gconstpointer a, gconstpointer b, gpointer data) {
    return columns_compare_tie(data, *(const uint32_t *)a, *(const uint32_t *)b);
}

uint32_t *columns_living(const struct columns *cols, uint32_t *n_out) {
    uint32_t *slots = g_new(uint32_t, cols->n - cols->n_dead + 1), n = 0;
    for (uint32_t s = 0; s < cols->n_base; s++)
        if (!columns_is_dead(cols, s))
            slots[n++] = s;
    uint32_t base = n;
    for (uint32_t s = cols->n_base; s < cols->n; s++)
        if (!columns_is_dead(cols, s))
            slots[n++] = s;
    *n_out = n;
    if (base == n)
        return slots;
    // The base is in order; the later ones, usually few and newest, are merged into it.
    g_qsort_with_data(slots + base, (gint)(n - base), sizeof *slots, by_tie, (gpointer)cols);
    if (base == 0 || columns_compare_tie(cols, slots[base - 1], slots[base]) < 0)
        return slots;
    uint32_t *merged = g_new(uint32_t, n), i = 0, k = base, to = 0;
    while (i < base && k < n)
        merged[to++] = columns_compare_tie(cols, slots[i], slots[k]) < 0 ? slots[i++] : slots[k++];
    while (i < base)
        merged[to++] = slots[i++];
    while (k < n)
        merged[to++] = slots[k++];
    g_free(slots);
    return merged;
}
