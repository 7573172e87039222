// Sets are sorted and joined first, so that no message comes twice and 1:*,1:* costs nothing.
#include "protocol/imap/imap_set.h"

#include <stdlib.h>

static int by_low(const void *a, const void *b) {
    const struct imap_run *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void join_runs(struct imap_rows *rows) {
    qsort(rows->runs, rows->n, sizeof *rows->runs, by_low);
    unsigned n = 0;
    for (unsigned i = 0; i < rows->n; i++) {
        struct imap_run *last = n ? &rows->runs[n - 1] : NULL;
        if (last && rows->runs[i].first <= last->last + 1)
            last->last = MAX(last->last, rows->runs[i].last);
        else
            rows->runs[n++] = rows->runs[i];
    }
    rows->n = n;
    rows->count = 0;
    for (unsigned i = 0; i < n; i++)
        rows->count += rows->runs[i].last - rows->runs[i].first + 1;
}

bool imap_resolve_set(struct arena *arena, const struct mailbox_view *view,
                      const struct imap_set *set, bool by_uid, struct imap_rows *out) {
    uint32_t count = mailbox_view_count(view);
    by_uid |= set->is_uids;
    uint32_t star = !by_uid ? count : count ? mailbox_view_row(view, count - 1)->uid : 0;
    *out = (struct imap_rows){.runs = arena_alloc(arena, set->n * sizeof *out->runs)};
    for (unsigned i = 0; i < set->n; i++) {
        struct search_range r = set->ranges[i];
        bool has_star = r.low == UINT32_MAX || r.high == UINT32_MAX;
        r.low = r.low == UINT32_MAX ? star : r.low;
        r.high = r.high == UINT32_MAX ? star : r.high;
        if (r.low > r.high) { // 7:4 means the same as 4:7
            uint32_t low = r.high;
            r.high = r.low;
            r.low = low;
        }
        if (by_uid) {
            uint32_t first = mailbox_view_find_uid(view, r.low);
            uint32_t end = r.high == UINT32_MAX ? count : mailbox_view_find_uid(view, r.high + 1);
            if (first < end)
                out->runs[out->n++] = (struct imap_run){first, end - 1};
        } else if (count == 0 && has_star) {
            continue; // 1:* of an empty folder: nothing, and no reason to complain
        } else if (r.low == 0 || r.high > count) {
            return false;
        } else {
            out->runs[out->n++] = (struct imap_run){r.low - 1, r.high - 1};
        }
    }
    join_runs(out);
    return true;
}

void imap_uids_of_set(struct arena *arena, const struct imap_set *set, struct imap_rows *out) {
    const uint32_t highest = UINT32_MAX - 1; // no uid is higher; leaves room to join
    *out = (struct imap_rows){.runs = arena_alloc(arena, set->n * sizeof *out->runs)};
    for (unsigned i = 0; i < set->n; i++) {
        struct search_range r = set->ranges[i];
        uint32_t low = MIN(r.low, r.high), high = MAX(r.low, r.high);
        out->runs[out->n++] = (struct imap_run){MIN(low, highest), MIN(high, highest)};
    }
    join_runs(out);
}

bool imap_rows_contain(const struct imap_rows *rows, uint32_t index) {
    unsigned low = 0, high = rows->n;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (rows->runs[mid].last < index)
            low = mid + 1;
        else
            high = mid;
    }
    return low < rows->n && rows->runs[low].first <= index;
}

void imap_append_set(GString *out, const uint32_t *numbers, unsigned n) {
    for (unsigned i = 0; i < n;) {
        unsigned k = i + 1;
        while (k < n && numbers[k] == numbers[k - 1] + 1)
            k++;
        if (i > 0)
            g_string_append_c(out, ',');
        if (k - i > 1)
            g_string_append_printf(out, "%u:%u", numbers[i], numbers[k - 1]);
        else
            g_string_append_printf(out, "%u", numbers[i]);
        i = k;
    }
}
