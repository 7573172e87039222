// Making a view and bringing it up to date by what the set's log tells.
#include <stdlib.h>
#include <string.h>

#include "mapi/props.h"
#include "store/view_internal.h"

#define REMAKE_MIN 1000 // changes from which on sorting anew may be cheaper than merging

// --- Views as objects ---

static struct view *view_new(struct view_key *key) {
    struct view *v = g_new0(struct view, 1);
    struct view_set *set = key->set;
    v->refs = 1;
    v->key = key;
    v->cols = columns_ref(set->cols);
    v->seq = set->seq;
    v->n_slots = set->cols->n;
    atomic_store(&v->modseq, set->modseq);
    for (unsigned i = 0; i < key->sort.n; i++) {
        const struct sort_column *c = &key->sort.columns[i];
        v->columns[i] = columns_get(set->cols, c->is_instance ? c->tag | PT_MV : c->tag);
    }
    g_atomic_int_inc(&key->snapshots);
    view_memory_add(sizeof *v);
    return v;
}

// --- Entries of slots ---

static void add_entries(const struct view *v, uint32_t slot, GArray *out) {
    struct entry e = {slot, 0};
    uint32_t n = v->key->has_instances ? view_instances(v, slot) : 0;
    if (n == 0)
        g_array_append_val(out, e);
    for (e.instance = 1; e.instance <= n; e.instance++)
        g_array_append_val(out, e);
}

// --- From nothing ---

static enum ec matching_entries(struct mbox_tx *tx, const struct view *v, GArray *entries) {
    uint32_t n;
    g_autofree uint32_t *slots = columns_living(v->cols, &n);
    if (!v->key->restriction && !v->key->has_instances) {
        g_array_set_size(entries, n);
        for (uint32_t i = 0; i < n; i++)
            g_array_index(entries, struct entry, i) = (struct entry){slots[i], 0};
        return EC_OK;
    }
    struct matcher *m = matcher_new(v->cols, v->seq, tx, v->key->restriction, true);
    for (uint32_t i = 0; i < n && matcher_result(m) == EC_OK; i++)
        if (matcher_matches(m, slots[i]))
            add_entries(v, slots[i], entries);
    enum ec ec = matcher_result(m);
    matcher_free(m);
    return ec;
}

static gint compare_entries(gconstpointer a, gconstpointer b, gpointer data) {
    return view_compare(data, a, b);
}

// Conversations: the first of each group of the members, which are newest first.
static void conversation_heads(const struct view *v, GArray *entries) {
    const struct view *members = v->members;
    for (uint32_t i = 0; i < members->order.count; i = view_group_end(members, 0, i)) {
        struct entry e = order_at(&members->order, i);
        g_array_append_val(entries, e);
    }
    g_array_sort_with_data(entries, compare_entries, (gpointer)v);
}

struct group {
    struct entry head;
    uint32_t start, end;
};

static gint compare_groups(gconstpointer a, gconstpointer b, gpointer data) {
    const struct group *x = a, *y = b;
    return view_compare(data, &x->head, &y->head);
}

// Categories in order of their largest value: the groups of the members, whose first entry has it.
static void groups_by_maximum(const struct view *v, GArray *entries) {
    const struct view *members = v->members;
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(struct group));
    for (uint32_t i = 0; i < members->order.count;) {
        struct group g = {order_at(&members->order, i), i,
                          view_group_end(members, v->key->maximum - 1, i)};
        g_array_append_val(groups, g);
        i = g.end;
    }
    g_array_sort_with_data(groups, compare_groups, (gpointer)v);
    for (guint k = 0; k < groups->len; k++) {
        const struct group *g = &g_array_index(groups, struct group, k);
        guint start = entries->len;
        for (uint32_t i = g->start; i < g->end; i++) {
            struct entry e = order_at(&members->order, i);
            g_array_append_val(entries, e);
        }
        if (g->end - g->start > 1)
            g_qsort_with_data(&g_array_index(entries, struct entry, start),
                              (gint)(g->end - g->start), sizeof(struct entry), compare_entries,
                              (gpointer)v);
    }
}

static enum ec make_anew(struct mbox_tx *tx, struct view *v) {
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    if (v->key->kind == VIEW_CONVERSATIONS) {
        conversation_heads(v, entries);
    } else if (v->key->maximum) {
        groups_by_maximum(v, entries);
    } else {
        EC_TRY(matching_entries(tx, v, entries));
        if (entries->len > INT32_MAX / 2)
            return EC_TOO_COMPLEX;
        view_sort(v, (struct entry *)(void *)entries->data, entries->len, v->key->sort.n);
    }
    order_build(&v->order, v->cols, (struct entry *)(void *)entries->data, entries->len,
                v->key->has_instances);
    return EC_OK;
}

// --- From the view before ---

// What leaves the old order and what comes into the new one.
struct difference {
    GArray *gone, *come; // of struct entry
    GHashTable *seen;    // heads of groups that were looked at
};

// The dead that the old view can know, and the born that still live.
static void log_since(const struct view_key *key, GArray *dead, GArray *born) {
    const struct view_set *set = key->set;
    for (guint i = (guint)(key->seq - set->log_start); i < set->log->len; i++) {
        const struct log_entry *l = &g_array_index(set->log, struct log_entry, i);
        if (l->dead != SLOT_NONE && l->dead < key->n_slots)
            g_array_append_val(dead, l->dead);
        if (l->born != SLOT_NONE && !columns_is_dead(set->cols, l->born))
            g_array_append_val(born, l->born);
    }
}

static enum ec plain_difference(struct mbox_tx *tx, const struct view *v, GArray *dead,
                                GArray *born, struct difference *d) {
    for (guint i = 0; i < dead->len; i++)
        add_entries(v, g_array_index(dead, uint32_t, i), d->gone);
    struct matcher *m = matcher_new(v->cols, v->seq, tx, v->key->restriction, false);
    for (guint i = 0; i < born->len; i++) {
        uint32_t slot = g_array_index(born, uint32_t, i);
        if (matcher_matches(m, slot))
            add_entries(v, slot, d->come);
    }
    enum ec ec = matcher_result(m);
    matcher_free(m);
    return ec;
}

static void *entry_key(const struct entry *e) {
    return (void *)(uintptr_t)((uint64_t)e->slot << 32 | e->instance);
}

// The group that an entry is (or would be) of in the members, [start, end); empty: it is not there.
static void group_of(const struct view *members, const struct entry *e, unsigned n,
                     uint32_t *start_out, uint32_t *end_out) {
    uint32_t start = view_group_start(members, e, n);
    *start_out = *end_out = start;
    if (start == members->order.count)
        return;
    struct entry head = order_at(&members->order, start);
    if (view_compare_columns(members, &head, e, n) == 0)
        *end_out = view_group_end(members, n - 1, start);
}

// All of the group that the entry is of, each group once. `is_head_only`: its first entry.
static void add_group(const struct view *members, const struct entry *e, unsigned n,
                      bool is_head_only, GHashTable *seen, GArray *out) {
    uint32_t start, end;
    group_of(members, e, n, &start, &end);
    if (start == end)
        return;
    struct entry head = order_at(&members->order, start);
    if (!g_hash_table_add(seen, entry_key(&head)))
        return;
    for (uint32_t i = start; i < (is_head_only ? start + 1 : end); i++) {
        struct entry member = order_at(&members->order, i);
        g_array_append_val(out, member);
    }
}

static void group_difference(const struct view *old, const struct view *v, const GArray *dead,
                             const GArray *born, struct difference *d) {
    bool heads = v->key->kind == VIEW_CONVERSATIONS;
    unsigned n = heads ? 1 : v->key->maximum;
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    g_autoptr(GHashTable) seen_old = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) seen_new = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < dead->len; i++)
        add_entries(v->members, g_array_index(dead, uint32_t, i), entries);
    for (guint i = 0; i < born->len; i++)
        add_entries(v->members, g_array_index(born, uint32_t, i), entries);
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *e = &g_array_index(entries, struct entry, i);
        add_group(old->members, e, n, heads, seen_old, d->gone);
        add_group(v->members, e, n, heads, seen_new, d->come);
    }
}

static gint by_number(gconstpointer a, gconstpointer b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct place {
    const struct view *v;
    const struct entry *e;
};

static bool is_before(const void *ctx, const struct entry *e) {
    const struct place *p = ctx;
    return view_compare(p->v, e, p->e) < 0;
}

// False: nothing changes.
static bool apply(const struct view *old, struct view *v, struct difference *d) {
    g_autoptr(GArray) removed = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) added = g_array_new(FALSE, FALSE, sizeof(struct order_addition));
    for (guint i = 0; i < d->gone->len; i++) {
        uint32_t at;
        if (view_index_of(old, &g_array_index(d->gone, struct entry, i), &at))
            g_array_append_val(removed, at);
    }
    if (removed->len == 0 && d->come->len == 0)
        return false;
    g_array_sort(removed, by_number);
    // New entries among themselves as the new view has them; among the old ones, too: those whose
    // place depends on something that changed were taken out above.
    g_array_sort_with_data(d->come, compare_entries, v);
    struct order left = {0};
    const struct order *base = &old->order;
    if (removed->len > 0) {
        order_change(base, v->cols, (uint32_t *)(void *)removed->data, removed->len, NULL, 0,
                     v->key->has_instances, &left);
        base = &left;
    }
    for (guint i = 0; i < d->come->len; i++) {
        struct order_addition a = {.entry = g_array_index(d->come, struct entry, i)};
        struct place p = {v, &a.entry};
        a.at = order_partition(base, is_before, &p);
        g_array_append_val(added, a);
    }
    order_change(base, v->cols, NULL, 0, (struct order_addition *)(void *)added->data, added->len,
                 v->key->has_instances, &v->order);
    order_clear(&left);
    return true;
}

static enum ec make_from(struct mbox_tx *tx, const struct view *old, struct view *v,
                         bool *is_changed_out) {
    g_autoptr(GArray) dead = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) born = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(struct entry));
    g_autoptr(GArray) come = g_array_new(FALSE, FALSE, sizeof(struct entry));
    struct difference d = {gone, come, NULL};
    log_since(v->key, dead, born);
    if (v->members)
        group_difference(old, v, dead, born, &d);
    else
        EC_TRY(plain_difference(tx, v, dead, born, &d));
    *is_changed_out = apply(old, v, &d);
    return EC_OK;
}

// --- Either ---

static bool can_follow(const struct view_key *key) {
    const struct view_set *set = key->set;
    const struct view *old = key->newest;
    if (!old || old->cols != set->cols || key->seq < set->log_start)
        return false;
    uint64_t n = set->seq - key->seq;
    return n < REMAKE_MIN || n < set->cols->n / 8;
}

static void key_agrees(struct view_key *key) {
    key->seq = key->set->seq;
    key->n_slots = key->set->cols->n;
    atomic_store(&key->newest->modseq, key->set->modseq);
}

enum ec view_make(struct mbox_tx *tx, struct view_key *key, struct view **out) {
    struct view_set *set = key->set;
    struct view *members = NULL;
    bool is_changed = true;
    if (key->newest && key->newest->cols == set->cols && key->seq == set->seq) {
        key_agrees(key);
        *out = view_ref(key->newest);
        return EC_OK;
    }
    if (key->members)
        EC_TRY(view_make(tx, key->members, &members));
    struct view *v = view_new(key);
    v->members = members;
    enum ec ec = can_follow(key) ? make_from(tx, key->newest, v, &is_changed) : make_anew(tx, v);
    if (ec != EC_OK) {
        view_unref(v);
        return ec;
    }
    // Views of groups look at their members of the same time.
    if (is_changed || (members && members != key->newest->members)) {
        if (!is_changed)
            order_change(&key->newest->order, v->cols, NULL, 0, NULL, 0, key->has_instances,
                         &v->order);
        view_unref(key->newest);
        key->newest = view_ref(v);
    } else {
        view_unref(v);
        v = view_ref(key->newest);
    }
    key_agrees(key);
    *out = v;
    return EC_OK;
}
