// Views as their users see them: entries, places, groups.
#include "store/view.h"

#include <string.h>

#include "mapi/prop_shape.h"
#include "store/view_internal.h"

struct view *view_ref(struct view *v) {
    g_atomic_int_inc(&v->refs);
    return v;
}

void view_unref(struct view *v) {
    if (!v || !g_atomic_int_dec_and_test(&v->refs))
        return;
    struct view_key *key = v->key;
    order_clear(&v->order);
    view_unref(v->members);
    columns_unref(v->cols);
    view_memory_add(-(ssize_t)sizeof *v);
    g_free(v);
    g_atomic_int_add(&key->snapshots, -1); // last: then the key may go
}

uint32_t view_count(const struct view *v) {
    return MIN(v->order.count, v->key->limit);
}

uint64_t view_modseq(const struct view *v) {
    return atomic_load(&v->modseq);
}

struct view_entry view_at(const struct view *v, uint32_t i) {
    struct entry e = order_at(&v->order, i);
    return (struct view_entry){slot_mid(v->cols, e.slot), lane_u32(&v->cols->uid, e.slot),
                               e.instance};
}

// --- Comparing entries ---

uint32_t view_instances(const struct view *v, uint32_t slot) {
    for (unsigned i = 0; i < v->key->sort.n; i++) {
        if (!v->key->sort.columns[i].is_instance)
            continue;
        ARENA_AUTO arena = arena_new();
        struct prop_value all;
        if (!column_value(v->cols, v->columns[i], slot, arena, &all) || all.is_external)
            return 0;
        return all.mv.n;
    }
    return 0;
}

bool view_column_value(const struct view *v, unsigned column, const struct entry *e,
                       struct arena *arena, struct prop_value *out) {
    struct prop_value all;
    if (!v->key->sort.columns[column].is_instance)
        return column_value(v->cols, v->columns[column], e->slot, arena, out);
    if (e->instance == 0 || !column_value(v->cols, v->columns[column], e->slot, arena, &all) ||
        all.is_external || e->instance > all.mv.n)
        return false;
    *out = prop_element(&all, e->instance - 1);
    return true;
}

static int compare_values(const struct prop_value *a, const struct prop_value *b) {
    return a && b ? prop_compare(a, b) : (a != NULL) - (b != NULL);
}

// Ascending, whatever the sort order says.
static int compare_column(const struct view *v, unsigned column, const struct entry *a,
                          const struct entry *b) {
    if (!v->key->sort.columns[column].is_instance)
        return column_compare(v->cols, v->columns[column], a->slot, b->slot);
    ARENA_AUTO arena = arena_new();
    struct prop_value x, y;
    bool has_x = view_column_value(v, column, a, arena, &x);
    bool has_y = view_column_value(v, column, b, arena, &y);
    return compare_values(has_x ? &x : NULL, has_y ? &y : NULL);
}

static bool is_descending(const struct view *v, unsigned column) {
    return v->key->sort.columns[column].direction == SORT_DESCENDING;
}

static int compare_range(const struct view *v, const struct entry *a, const struct entry *b,
                         unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++) {
        int c = compare_column(v, i, a, b);
        if (c)
            return is_descending(v, i) ? -c : c;
    }
    return 0;
}

int view_compare_columns(const struct view *v, const struct entry *a, const struct entry *b,
                         unsigned n) {
    return compare_range(v, a, b, 0, n);
}

// The entry with the largest value of the maximum column in the group of `e`; `e` itself when the
// group is not there.
static struct entry maximum_of(const struct view *v, const struct entry *e) {
    unsigned n = v->key->maximum;
    uint32_t i = view_group_start(v->members, e, n);
    if (i == v->members->order.count)
        return *e;
    struct entry head = order_at(&v->members->order, i);
    return view_compare_columns(v->members, &head, e, n) == 0 ? head : *e;
}

// The groups of the category before a SORT_MAXIMUM_CATEGORY column stand in the direction of that
// category, by their largest values.
static int compare_by_maximum(const struct view *v, const struct entry *a, const struct entry *b) {
    unsigned m = v->key->maximum;
    int c = compare_range(v, a, b, 0, m - 1);
    if (c)
        return c;
    c = compare_range(v, a, b, m - 1, m);
    if (c == 0)
        return compare_range(v, a, b, m + 1, v->key->sort.n);
    struct entry x = maximum_of(v, a), y = maximum_of(v, b);
    int by_value = compare_column(v, m, &x, &y);
    if (by_value == 0)
        return c;
    return is_descending(v, m - 1) ? -by_value : by_value;
}

int view_compare(const struct view *v, const struct entry *a, const struct entry *b) {
    int c =
        v->key->maximum ? compare_by_maximum(v, a, b) : compare_range(v, a, b, 0, v->key->sort.n);
    if (c == 0)
        c = columns_compare_tie(v->cols, a->slot, b->slot);
    return c ? c : (a->instance > b->instance) - (a->instance < b->instance);
}

// --- Places ---

struct place {
    const struct view *v;
    const struct entry *e;
    unsigned n;
};

static bool is_before(const void *ctx, const struct entry *e) {
    const struct place *p = ctx;
    return view_compare(p->v, e, p->e) < 0;
}

static bool is_before_group(const void *ctx, const struct entry *e) {
    const struct place *p = ctx;
    return view_compare_columns(p->v, e, p->e, p->n) < 0;
}

bool view_index_of(const struct view *v, const struct entry *e, uint32_t *i_out) {
    struct place p = {v, e, 0};
    uint32_t i = order_partition(&v->order, is_before, &p);
    if (i == v->order.count)
        return false;
    struct entry at = order_at(&v->order, i);
    *i_out = i;
    return at.slot == e->slot && at.instance == e->instance;
}

uint32_t view_group_start(const struct view *v, const struct entry *e, unsigned n) {
    struct place p = {v, e, n};
    return order_partition(&v->order, is_before_group, &p);
}

bool view_find(const struct view *v, uint64_t mid, uint32_t instance, uint32_t *i_out) {
    struct entry e = {columns_find(v->cols, mid, v->n_slots), instance};
    return e.slot != SLOT_NONE && view_index_of(v, &e, i_out) && *i_out < v->key->limit;
}

struct bound {
    const struct view *v;
    const struct prop_value *const *values;
    unsigned n;
};

static int compare_to_value(const struct bound *b, const struct entry *e, unsigned column) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    bool has = view_column_value(b->v, column, e, arena, &v);
    return compare_values(has ? &v : NULL, b->values[column]);
}

static bool is_before_values(const void *ctx, const struct entry *e) {
    const struct bound *b = ctx;
    unsigned m = b->v->key->maximum;
    for (unsigned i = 0; i < b->n; i++) {
        unsigned column = i;
        struct entry at = *e;
        bool descending = is_descending(b->v, i);
        // The group's largest value counts before the category itself.
        if (m && m < b->n && (i == m - 1 || i == m)) {
            column = i == m ? m - 1 : m;
            descending = is_descending(b->v, m - 1);
            if (column == m)
                at = maximum_of(b->v, e);
        }
        int c = compare_to_value(b, &at, column);
        if (c)
            return descending ? c > 0 : c < 0;
    }
    return false;
}

uint32_t view_lower_bound(const struct view *v, const struct prop_value *const *values,
                          unsigned n) {
    struct bound b = {v, values, MIN(n, v->key->sort.n)};
    return MIN(order_partition(&v->order, is_before_values, &b), v->key->limit);
}

// --- Categories ---

static bool same_group(const struct view *v, unsigned level, const struct entry *a, uint32_t i) {
    struct entry b = order_at(&v->order, i);
    unsigned m = v->key->maximum;
    for (unsigned k = 0; k <= level; k++)
        if (!(m && k == m) && compare_column(v, k, a, &b) != 0)
            return false;
    return true;
}

uint32_t view_group_end(const struct view *v, unsigned level, uint32_t i) {
    uint32_t count = view_count(v), low = i, step = 1;
    struct entry e = order_at(&v->order, i);
    level = MIN(level, v->key->sort.n - 1);
    // Groups are small more often than not: look near first.
    while (low + step < count && same_group(v, level, &e, low + step)) {
        low += step;
        step *= 2;
    }
    uint32_t high = MIN(low + step, count); // not of the group
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (same_group(v, level, &e, middle))
            low = middle;
        else
            high = middle;
    }
    return high;
}

uint32_t view_unread(const struct view *v, uint32_t from, uint32_t to) {
    return order_unread(&v->order, v->cols, from, MIN(to, view_count(v)));
}
