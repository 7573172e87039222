// Sets of counters as sorted ranges, none of which touches the next.
#include "mapi/idset.h"

#include <string.h>

#include "mapi/idset_internal.h"

struct globset *globset_new(void) {
    return g_new0(struct globset, 1);
}

void globset_free(struct globset *set) {
    if (!set)
        return;
    g_free(set->ranges);
    g_free(set);
}

struct globset *globset_copy(const struct globset *set) {
    struct globset *copy = globset_new();
    globset_add_all(copy, set);
    return copy;
}

// Position of the first range that ends at or after `counter`.
static unsigned find(const struct globset *set, uint64_t counter) {
    unsigned low = 0, high = set->n;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (set->ranges[mid].high < counter)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

// Replaces the ranges from `from` to before `to` by `n` new ones (0 to 2).
static void splice(struct globset *set, unsigned from, unsigned to,
                   const struct globset_range *with, unsigned n) {
    unsigned count = set->n - (to - from) + n;
    if (count > set->capacity) {
        set->capacity = MAX(MAX(4, count), set->capacity * 2);
        set->ranges = g_renew(struct globset_range, set->ranges, set->capacity);
    }
    if (set->n > to)
        memmove(&set->ranges[from + n], &set->ranges[to], (set->n - to) * sizeof *with);
    if (n)
        memcpy(&set->ranges[from], with, n * sizeof *with);
    set->n = count;
}

void globset_add(struct globset *set, uint64_t low, uint64_t high) {
    g_assert(low <= high && high <= COUNTER_MAX);
    // The ranges that overlap or touch the new one become one with it.
    unsigned from = set->n && set->ranges[set->n - 1].high < low
                        ? (set->ranges[set->n - 1].high + 1 == low ? set->n - 1 : set->n)
                        : find(set, low > 0 ? low - 1 : 0);
    unsigned to = from;
    struct globset_range merged = {low, high};
    while (to < set->n && set->ranges[to].low <= high + 1) {
        merged.low = MIN(merged.low, set->ranges[to].low);
        merged.high = MAX(merged.high, set->ranges[to].high);
        to++;
    }
    splice(set, from, to, &merged, 1);
}

void globset_remove(struct globset *set, uint64_t low, uint64_t high) {
    g_assert(low <= high);
    unsigned from = find(set, low), to = from, n = 0;
    struct globset_range rest[2];
    while (to < set->n && set->ranges[to].low <= high) {
        struct globset_range r = set->ranges[to++];
        if (r.low < low)
            rest[n++] = (struct globset_range){r.low, low - 1};
        if (r.high > high)
            rest[n++] = (struct globset_range){high + 1, r.high};
    }
    if (to > from)
        splice(set, from, to, rest, n);
}

static int compare_ranges(const void *a, const void *b) {
    const struct globset_range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

void globset_add_ranges(struct globset *set, const struct globset_range *ranges, unsigned n) {
    unsigned total = set->n + n;
    struct globset_range *all = g_new(struct globset_range, MAX(total, 1));
    if (set->n)
        memcpy(all, set->ranges, set->n * sizeof *all);
    if (n)
        memcpy(all + set->n, ranges, n * sizeof *all);
    qsort(all, total, sizeof *all, compare_ranges);
    unsigned kept = 0;
    for (unsigned i = 0; i < total; i++) {
        if (kept && all[i].low <= all[kept - 1].high + 1)
            all[kept - 1].high = MAX(all[kept - 1].high, all[i].high);
        else
            all[kept++] = all[i];
    }
    g_free(set->ranges);
    set->ranges = all;
    set->n = kept;
    set->capacity = MAX(total, 1);
}

void globset_add_all(struct globset *set, const struct globset *other) {
    globset_add_ranges(set, other->ranges, other->n);
}

void globset_remove_all(struct globset *set, const struct globset *other) {
    for (unsigned i = 0; i < other->n; i++)
        globset_remove(set, other->ranges[i].low, other->ranges[i].high);
}

bool globset_contains(const struct globset *set, uint64_t counter) {
    unsigned i = find(set, counter);
    return i < set->n && set->ranges[i].low <= counter;
}

bool globset_includes(const struct globset *set, const struct globset *other) {
    for (unsigned i = 0; i < other->n; i++) {
        unsigned at = find(set, other->ranges[i].low);
        if (at == set->n || set->ranges[at].low > other->ranges[i].low ||
            set->ranges[at].high < other->ranges[i].high)
            return false;
    }
    return true;
}

bool globset_equal(const struct globset *a, const struct globset *b) {
    return a->n == b->n &&
           (a->n == 0 || memcmp(a->ranges, b->ranges, a->n * sizeof *a->ranges) == 0);
}

uint64_t globset_count(const struct globset *set) {
    uint64_t count = 0;
    for (unsigned i = 0; i < set->n; i++)
        count += set->ranges[i].high - set->ranges[i].low + 1;
    return count;
}

unsigned globset_n_ranges(const struct globset *set) {
    return set->n;
}

struct globset_range globset_range(const struct globset *set, unsigned i) {
    g_assert(i < set->n);
    return set->ranges[i];
}
