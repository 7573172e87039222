// Sorting a view for the first time: by one column after the other, the last first, each pass a
// stable radix sort by numbers. Dictionaries are sorted once and then give each entry its rank.
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mapi/prop_shape.h"
#include "store/view_internal.h"

#define SMALL 256          // entries below which a comparing sort is quicker
#define PARALLEL_MIN 20000 // dictionary entries from which on two threads sort
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

// --- Ranks of dictionary entries ---

struct item {
    uint64_t a, b; // the first 16 bytes as they are compared
    uint32_t entry;
};

static uint64_t first_eight(const uint8_t *p, size_t len) {
    uint8_t bytes[8] = {0};
    memcpy(bytes, p, MIN(len, sizeof bytes));
    uint64_t v;
    memcpy(&v, bytes, sizeof v);
    return GUINT64_FROM_BE(v);
}

static struct item item_of(const struct column *c, struct arena *arena, uint32_t entry) {
    struct item item = {.entry = entry};
    struct prop_value v;
    uint16_t type = PROP_TYPE(c->tag);
    if (c->form != FORM_TEXT && type != PT_BINARY)
        return item;
    if (!column_entry_value(c, entry, arena, &v))
        return item;
    const uint8_t *p = v.bin.data;
    size_t len = v.bin.len;
    uint8_t folded[16];
    if (c->form == FORM_TEXT) {
        size_t n = strlen(v.str);
        if (text_is_ascii(v.str, n)) {
            len = MIN(n, sizeof folded);
            for (size_t i = 0; i < len; i++)
                folded[i] = (uint8_t)g_ascii_tolower(v.str[i]);
            p = folded;
        } else {
            arena_reset(arena);
            p = (const uint8_t *)text_fold(arena, v.str);
            len = strlen((const char *)p);
        }
    }
    item.a = first_eight(p, len);
    if (len > 8)
        item.b = first_eight(p + 8, len - 8);
    return item;
}

static int compare_items(const void *x, const void *y, void *data) {
    const struct item *i = x, *k = y;
    const struct column *c = data;
    if (i->a != k->a)
        return i->a < k->a ? -1 : 1;
    if (i->b != k->b)
        return i->b < k->b ? -1 : 1;
    struct prop_value u, v;
    if (c->form == FORM_TEXT) {
        column_entry_value(c, i->entry, NULL, &u);
        column_entry_value(c, k->entry, NULL, &v);
        return text_compare_folded(u.str, v.str);
    }
    ARENA_AUTO arena = arena_new();
    column_entry_value(c, i->entry, arena, &u);
    column_entry_value(c, k->entry, arena, &v);
    return prop_compare(&u, &v);
}

struct half {
    const struct column *c;
    struct item *items;
    size_t n;
    uint32_t first;
};

static void *sort_half(void *data) {
    struct half *h = data;
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < h->n; i++)
        h->items[i] = item_of(h->c, arena, h->first + (uint32_t)i);
    qsort_r(h->items, h->n, sizeof *h->items, compare_items, (void *)h->c);
    return NULL;
}

static struct item *merge(const struct column *c, struct item *items, size_t middle, size_t n) {
    struct item *merged = g_new(struct item, n);
    size_t i = 0, k = middle, to = 0;
    while (i < middle && k < n)
        merged[to++] =
            compare_items(&items[i], &items[k], (void *)c) <= 0 ? items[i++] : items[k++];
    while (i < middle)
        merged[to++] = items[i++];
    while (k < n)
        merged[to++] = items[k++];
    g_free(items);
    return merged;
}

// Entries [first, first + n) in order.
static struct item *sort_entries(const struct column *c, uint32_t first, uint32_t n) {
    struct item *items = g_new(struct item, n + 1);
    pthread_t thread;
    size_t middle = n / 2;
    struct half left = {c, items, middle, first};
    struct half right = {c, items + middle, n - middle, first + (uint32_t)middle};
    if (n < PARALLEL_MIN || pthread_create(&thread, NULL, sort_half, &right) != 0) {
        left.n = n;
        sort_half(&left);
        return items;
    }
    sort_half(&left);
    pthread_join(thread, NULL);
    return merge(c, items, middle, n);
}

static bool is_same(const struct column *c, uint32_t entry) {
    return c->same && (c->same[entry / 8] >> entry % 8 & 1);
}

// Where an entry stands among the first ones, which are in order.
static uint32_t place_of(const struct column *c, uint32_t n_sorted, const struct item *item) {
    ARENA_AUTO arena = arena_new();
    uint32_t low = ENTRY_FIRST, high = n_sorted;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct item at = item_of(c, arena, middle);
        if (compare_items(&at, item, (void *)c) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t *column_ranks(const struct column *c, uint32_t n_entries, uint32_t **order_out,
                       uint32_t *n_out) {
    uint32_t n_sorted = MIN(c->n_sorted, n_entries), n_later = n_entries - n_sorted, n = 0;
    uint32_t *ranks = g_new0(uint32_t, n_entries + 1), *order = g_new(uint32_t, n_entries + 1);
    g_autofree struct item *later = sort_entries(c, n_sorted, n_later);
    uint32_t at = ENTRY_FIRST, rank = 2; // 0: absent; 1: external, which compares as empty
    for (uint32_t k = 0; k <= n_later; k++) {
        uint32_t until = k < n_later ? place_of(c, n_sorted, &later[k]) : n_sorted;
        for (; at < until; at++) {
            bool same = n > 0 && is_same(c, at);
            // One that came between two equals is equal to both.
            rank += n > 0 && !same;
            ranks[at] = rank;
            order[n++] = at;
        }
        if (k == n_later)
            break;
        uint32_t entry = later[k].entry;
        struct item last = {0};
        ARENA_AUTO arena = arena_new();
        if (n > 0)
            last = item_of(c, arena, order[n - 1]);
        if (n > 0 && compare_items(&last, &later[k], (void *)c) != 0)
            rank++;
        ranks[entry] = rank;
        order[n++] = entry;
    }
    ranks[ENTRY_ABSENT] = 0;
    ranks[ENTRY_EXTERNAL] = 1;
    // Empty values equal external ones.
    struct prop_value v;
    ARENA_AUTO arena = arena_new();
    bool can_be_external = c->form == FORM_TEXT || prop_is_bytes(PROP_TYPE(c->tag));
    for (uint32_t i = 0; i < n && can_be_external; i++) {
        column_entry_value(c, order[i], arena, &v);
        if (c->form == FORM_TEXT ? *v.str != 0 : v.bin.len > 0)
            break;
        ranks[order[i]] = 1;
    }
    if (order_out)
        *order_out = order;
    else
        g_free(order);
    if (n_out)
        *n_out = n;
    return ranks;
}

// --- Sort keys of entries ---

// Keys of the values of multi-valued entries: those of entry e start at starts[e].
struct value_keys {
    uint32_t *starts;
    GArray *keys; // of uint64_t
};

static void value_keys_clear(struct value_keys *k) {
    g_free(k->starts);
    g_array_unref(k->keys);
}

// `single`: a column of the values one by one, which gives them their ranks.
static struct value_keys value_keys_of(const struct column *c, struct column *single) {
    struct value_keys k = {g_new0(uint32_t, c->n_entries + 1),
                           g_array_new(FALSE, FALSE, sizeof(uint64_t))};
    ARENA_AUTO arena = arena_new();
    for (uint32_t e = ENTRY_FIRST; e < c->n_entries; e++) {
        struct prop_value v;
        k.starts[e] = k.keys->len;
        arena_reset(arena);
        if (!column_entry_value(c, e, arena, &v) || v.is_external)
            continue;
        for (uint32_t i = 0; i < v.mv.n; i++) {
            struct prop_value element = prop_element(&v, i);
            column_put(single, 0, &element);
            uint64_t key =
                single->form == FORM_NUMBER ? number_of(&element) : column_entry(single, 0);
            g_array_append_val(k.keys, key);
        }
    }
    if (single->form == FORM_NUMBER)
        return k;
    g_autofree uint32_t *ranks = column_ranks(single, single->n_entries, NULL, NULL);
    for (guint i = 0; i < k.keys->len; i++) {
        uint64_t *key = &g_array_index(k.keys, uint64_t, i);
        *key = ranks[*key];
    }
    return k;
}

static void fill_instance_keys(const struct column *c, const struct entry *entries, uint32_t n,
                               uint64_t *keys) {
    struct columns *scratch = columns_new(0, VIEW_CONTENTS, false, 0);
    struct column *single = column_new(scratch, c->tag & ~PT_MV);
    if (single->source == FROM_SLOT)
        single->source = FROM_BAG;
    struct value_keys values = value_keys_of(c, single);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t instance = entries[i].instance;
        uint32_t start = values.starts[column_entry(c, entries[i].slot)];
        keys[i] = instance ? g_array_index(values.keys, uint64_t, start + instance - 1) : 0;
    }
    value_keys_clear(&values);
    column_free(single);
    columns_unref(scratch);
}

// Another order by the same column compares no texts again.
static const uint32_t *kept_ranks(const struct column *column) {
    struct column *c = (struct column *)column; // what is kept with it changes nothing in it
    if (!c->ranks || c->n_ranked != c->n_entries) {
        column_forget_ranks(c);
        c->ranks = column_ranks(c, c->n_entries, NULL, NULL);
        c->n_ranked = c->n_entries;
        view_memory_add((ssize_t)(c->n_ranked + 1) * (ssize_t)sizeof *c->ranks);
    }
    return c->ranks;
}

static void fill_keys(const struct view *v, unsigned column, const struct entry *entries,
                      uint32_t n, uint64_t *keys) {
    const struct column *c = v->columns[column];
    if (v->key->sort.columns[column].is_instance) {
        fill_instance_keys(c, entries, n, keys);
    } else if (c->form == FORM_NUMBER) {
        for (uint32_t i = 0; i < n; i++)
            keys[i] = column_number(v->cols, c, entries[i].slot);
    } else {
        const uint32_t *ranks = kept_ranks(v->columns[column]);
        for (uint32_t i = 0; i < n; i++)
            keys[i] = ranks[column_entry(c, entries[i].slot)];
    }
}

// --- The sort ---

struct keyed {
    uint64_t key;
    struct entry entry;
};

// By the bits from `low` up.
static void radix_sort(struct keyed **items, struct keyed **spare, uint32_t n, uint64_t range,
                       unsigned low) {
    for (unsigned shift = low; shift < 64 && range >> shift; shift += DIGIT_BITS) {
        uint32_t counts[DIGITS] = {0}, sum = 0;
        struct keyed *from = *items, *to = *spare;
        for (uint32_t i = 0; i < n; i++)
            counts[from[i].key >> shift & (DIGITS - 1)]++;
        for (unsigned d = 0; d < DIGITS; d++) {
            uint32_t count = counts[d];
            counts[d] = sum;
            sum += count;
        }
        for (uint32_t i = 0; i < n; i++)
            to[counts[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
        *items = to;
        *spare = from;
    }
}

static gint compare_keyed(gconstpointer a, gconstpointer b, gpointer data) {
    const struct keyed *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

// Orders by the bits below `low` what is in order by those above: short runs, mostly of one.
static void sort_runs(struct keyed *items, uint32_t n, unsigned low) {
    for (uint32_t start = 0, end; low > 0 && start < n; start = end) {
        for (end = start + 1; end < n && items[end].key >> low == items[start].key >> low; end++)
            ;
        if (end - start > 1)
            g_qsort_with_data(items + start, (gint)(end - start), sizeof *items, compare_keyed,
                              NULL); // stable
    }
}

static void sort_by_keys(struct entry *entries, uint64_t *keys, uint32_t n, bool is_descending) {
    uint64_t least = UINT64_MAX, most = 0;
    bool is_sorted = true;
    for (uint32_t i = 0; i < n; i++) {
        least = MIN(least, keys[i]);
        most = MAX(most, keys[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = is_descending ? most - keys[i] : keys[i] - least;
        is_sorted &= i == 0 || keys[i - 1] <= keys[i];
    }
    if (is_sorted)
        return;
    struct keyed *items = g_new(struct keyed, n), *spare = g_new(struct keyed, n);
    for (uint32_t i = 0; i < n; i++)
        items[i] = (struct keyed){keys[i], entries[i]};
    // Wide keys (times) mostly differ in their upper bits.
    unsigned bits = 64u - (unsigned)__builtin_clzll(most - least);
    unsigned low = bits > 3 * DIGIT_BITS ? bits - 3 * DIGIT_BITS : 0;
    radix_sort(&items, &spare, n, most - least, low);
    sort_runs(items, n, low);
    for (uint32_t i = 0; i < n; i++)
        entries[i] = items[i].entry;
    g_free(items);
    g_free(spare);
}

struct comparison {
    const struct view *v;
    unsigned n;
};

static gint compare_entries(gconstpointer a, gconstpointer b, gpointer data) {
    const struct comparison *c = data;
    return view_compare_columns(c->v, a, b, c->n);
}

void view_sort(const struct view *v, struct entry *entries, uint32_t n, unsigned n_columns) {
    if (n < SMALL) {
        struct comparison c = {v, n_columns};
        g_qsort_with_data(entries, (gint)n, sizeof *entries, compare_entries, &c); // stable
        return;
    }
    g_autofree uint64_t *keys = g_new(uint64_t, n);
    for (unsigned k = n_columns; k-- > 0;) {
        fill_keys(v, k, entries, n, keys);
        sort_by_keys(entries, keys, n, v->key->sort.columns[k].direction == SORT_DESCENDING);
    }
}
