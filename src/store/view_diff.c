// What leads from one snapshot of a view to a newer one.
//
// A slot's place among others never changes (but for groups in order of their maximum), so that
// what differs is found by comparing the chunks that the two do not share.
#include <string.h>

#include "store/view_internal.h"

#define COMPARED_MAX 65536 // entries in chunks that differ; beyond, the table changed

static gpointer entry_key(const struct entry *e) {
    return (gpointer)(uintptr_t)((uint64_t)e->slot << 32 | e->instance);
}

static GHashTable *index_of(const GArray *entries) {
    GHashTable *table = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < entries->len; i++)
        g_hash_table_add(table, entry_key(&g_array_index(entries, struct order_addition, i).entry));
    return table;
}

// Leaves out what stands in the other, too.
static void subtract(GArray *entries, GHashTable *other) {
    guint kept = 0;
    for (guint i = 0; i < entries->len; i++) {
        struct order_addition a = g_array_index(entries, struct order_addition, i);
        if (!g_hash_table_contains(other, entry_key(&a.entry)))
            g_array_index(entries, struct order_addition, kept++) = a;
    }
    g_array_set_size(entries, kept);
}

// Entries are the same for the client when message and instance are.
struct row_key {
    uint64_t mid;
    uint32_t instance;
};

static guint row_hash(gconstpointer key) {
    const struct row_key *k = key;
    return (guint)(k->mid * 31 + k->instance);
}

static gboolean row_same(gconstpointer a, gconstpointer b) {
    const struct row_key *x = a, *y = b;
    return x->mid == y->mid && x->instance == y->instance;
}

static GHashTable *rows_of(const struct view *v, const GArray *entries, GArray *keys) {
    GHashTable *table = g_hash_table_new(row_hash, row_same);
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *e = &g_array_index(entries, struct order_addition, i).entry;
        struct row_key key = {slot_mid(v->cols, e->slot), e->instance};
        g_array_append_val(keys, key);
    }
    for (guint i = 0; i < keys->len; i++)
        g_hash_table_add(table, &g_array_index(keys, struct row_key, i));
    return table;
}

static struct view_entry shown(const struct view *v, const struct entry *e) {
    return (struct view_entry){slot_mid(v->cols, e->slot), lane_u32(&v->cols->uid, e->slot),
                               e->instance};
}

// Whether groups stand in the same order: the common entries do.
static bool keeps_order(const GArray *gone, const GArray *come) {
    g_autoptr(GHashTable) places = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < gone->len; i++)
        g_hash_table_insert(places, entry_key(&g_array_index(gone, struct order_addition, i).entry),
                            GUINT_TO_POINTER(i + 1));
    guint last = 0;
    for (guint i = 0; i < come->len; i++) {
        guint at = GPOINTER_TO_UINT(g_hash_table_lookup(
            places, entry_key(&g_array_index(come, struct order_addition, i).entry)));
        if (at && at < last)
            return false;
        last = MAX(at, last);
    }
    return true;
}

bool view_diff(const struct view *from, const struct view *to, unsigned limit,
               void (*change)(void *ctx, enum view_change what, const struct view_entry *entry,
                              uint32_t index),
               void *ctx) {
    if (from == to)
        return true;
    if (from->cols != to->cols || to->key->limit != UINT32_MAX)
        return false;
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(struct order_addition));
    g_autoptr(GArray) come = g_array_new(FALSE, FALSE, sizeof(struct order_addition));
    if (!order_differences(&from->order, &to->order, COMPARED_MAX, gone, come))
        return false;
    if (to->key->maximum && !keeps_order(gone, come))
        return false;
    g_autoptr(GHashTable) old = index_of(gone);
    g_autoptr(GHashTable) new = index_of(come);
    subtract(gone, new);
    subtract(come, old);
    g_autoptr(GArray) gone_keys = g_array_new(FALSE, FALSE, sizeof(struct row_key));
    g_autoptr(GArray) come_keys = g_array_new(FALSE, FALSE, sizeof(struct row_key));
    g_autoptr(GHashTable) gone_rows = rows_of(from, gone, gone_keys);
    g_autoptr(GHashTable) come_rows = rows_of(to, come, come_keys);
    guint n = come->len;
    for (guint i = 0; i < gone->len; i++)
        n += !g_hash_table_contains(come_rows, &g_array_index(gone_keys, struct row_key, i));
    if (n > limit)
        return false;
    for (guint i = 0; i < gone->len; i++) {
        const struct order_addition *a = &g_array_index(gone, struct order_addition, i);
        if (g_hash_table_contains(come_rows, &g_array_index(gone_keys, struct row_key, i)))
            continue;
        struct view_entry e = shown(from, &a->entry);
        change(ctx, VIEW_ROW_REMOVED, &e, a->at);
    }
    for (guint i = 0; i < come->len; i++) {
        const struct order_addition *a = &g_array_index(come, struct order_addition, i);
        bool is_known =
            g_hash_table_contains(gone_rows, &g_array_index(come_keys, struct row_key, i));
        struct view_entry e = shown(to, &a->entry);
        change(ctx, is_known ? VIEW_ROW_MODIFIED : VIEW_ROW_ADDED, &e, a->at);
    }
    return true;
}
