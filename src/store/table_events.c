// What became of a table's rows since its client was told last ([MS-OXCNOTIF] 2.2.1.1.1, 3.1.4.3).
//
// The snapshots' difference is in entries; what is told is in visible rows: of a collapsed category
// only the header, whose counts changed, and headers come and go with their first and last rows.
#include "store/table_internal.h"

struct entry_change {
    enum row_change what;
    struct row_key key;
    uint32_t index;
};

struct events {
    struct table *t;
    void (*fn)(void *ctx, const struct table_event *event);
    void *ctx;
    const struct rows *old;
    struct visible was;  // of `old`, with today's collapsed categories
    GArray *changes;     // of struct entry_change
    GHashTable *deleted; // rows told as deleted: table_row id and instance hashed
    GArray *positions;   // visible indexes of what is new or different (uint32_t)
    enum ec ec;
};

static void note(void *ctx, enum row_change what, struct row_key key, uint32_t index) {
    struct events *e = ctx;
    struct entry_change c = {what, key, index};
    g_array_append_val(e->changes, c);
}

static void tell_kind(struct events *e, enum table_event_kind kind) {
    struct table_event event = {.kind = kind};
    e->fn(e->ctx, &event);
}

static void tell_deleted(struct events *e, struct table_row row) {
    struct table_event event = {.kind = TABLE_ROW_DELETED, .row = row};
    e->fn(e->ctx, &event);
}

// Whether the leaf was, or is, visible.
static bool is_leaf_shown(const struct rows *rows, const struct visible *v, struct row_key key) {
    uint32_t i;
    bool is_shown = false;
    if (rows->ops->find(rows, key, &i))
        visible_pos(v, (struct place){i, PLACE_LEAF}, &is_shown);
    return is_shown;
}

static enum ec tell_at(struct events *e, uint32_t pos) {
    ARENA_AUTO arena = arena_new();
    struct table *t = e->t;
    uint32_t i;
    const struct prop_value **values;
    struct table_event event = {.is_first = pos == 0};
    EC_TRY(visible_row(t, t->rows, &t->visible, pos, &event.row));
    if (pos > 0)
        EC_TRY(visible_row(t, t->rows, &t->visible, pos - 1, &event.before));
    bool was_shown;
    if (event.row.is_header) {
        enum ec ec = visible_find_header(t, e->old, &e->was, event.row.id, &i);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
        was_shown = ec == EC_OK;
    } else {
        was_shown =
            is_leaf_shown(e->old, &e->was, (struct row_key){event.row.id, event.row.instance});
    }
    event.kind = was_shown ? TABLE_ROW_MODIFIED : TABLE_ROW_ADDED;
    if (t->n_columns > 0) {
        EC_TRY(table_row_values(t, arena, pos, &values));
        event.values = values;
    }
    e->fn(e->ctx, &event);
    return EC_OK;
}

// --- Headers ---

// The headers above an entry, outermost last; at most SORT_ORDER_MAX.
static unsigned headers_above(const struct visible *v, uint32_t entry,
                              uint32_t out[SORT_ORDER_MAX]) {
    unsigned n = 0;
    if (v->n_levels == 0 || entry >= v->n_entries)
        return 0;
    for (uint32_t i = visible_last_header(v, entry);; i = visible_header(v, i)->parent) {
        out[n++] = i;
        if (visible_header(v, i)->level == 0)
            return n;
    }
}

// The headers of a changed entry in the old snapshot: told as deleted, once, when they are no more.
static enum ec old_headers(struct events *e, uint32_t entry) {
    struct table *t = e->t;
    uint32_t above[SORT_ORDER_MAX], i;
    unsigned n = headers_above(&e->was, entry, above);
    for (unsigned k = 0; k < n; k++) {
        struct table_row row = {.is_header = true};
        EC_TRY(visible_header_id(t, e->old, &e->was, above[k], &row.id));
        enum ec ec = visible_find_header(t, t->rows, &t->visible, row.id, &i);
        if (ec == EC_OK) // its counts may have changed
            g_array_append_val(e->positions, visible_header(&t->visible, i)->pos);
        else if (ec != EC_NOT_FOUND)
            return ec;
        else if (g_hash_table_add(e->deleted, GUINT_TO_POINTER(above[k] + 1)))
            tell_deleted(e, row);
    }
    return EC_OK;
}

static void new_headers(struct events *e, uint32_t entry) {
    uint32_t above[SORT_ORDER_MAX];
    unsigned n = headers_above(&e->t->visible, entry, above);
    for (unsigned k = 0; k < n; k++)
        g_array_append_val(e->positions, visible_header(&e->t->visible, above[k])->pos);
}

// --- Changes ---

static enum ec tell_gone(struct events *e, const struct entry_change *c) {
    uint32_t i;
    bool was_shown = is_leaf_shown(e->old, &e->was, c->key);
    if (was_shown && (c->what == ROW_GONE || !is_leaf_shown(e->t->rows, &e->t->visible, c->key)))
        tell_deleted(e, (struct table_row){.id = c->key.id, .instance = c->key.instance});
    if (e->old->ops->find(e->old, c->key, &i))
        return old_headers(e, i);
    return EC_OK;
}

static int compare_positions(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static enum ec tell_changes(struct events *e) {
    struct table *t = e->t;
    for (guint i = 0; i < e->changes->len; i++)
        EC_TRY(tell_gone(e, &g_array_index(e->changes, struct entry_change, i)));
    for (guint i = 0; i < e->changes->len; i++) {
        const struct entry_change *c = &g_array_index(e->changes, struct entry_change, i);
        uint32_t entry;
        bool is_shown;
        if (c->what == ROW_GONE || !t->rows->ops->find(t->rows, c->key, &entry))
            continue;
        new_headers(e, entry);
        uint32_t pos = visible_pos(&t->visible, (struct place){entry, PLACE_LEAF}, &is_shown);
        if (is_shown)
            g_array_append_val(e->positions, pos);
    }
    g_array_sort(e->positions, compare_positions);
    for (guint i = 0; i < e->positions->len; i++) {
        uint32_t pos = g_array_index(e->positions, uint32_t, i);
        if (i == 0 || pos != g_array_index(e->positions, uint32_t, i - 1))
            EC_TRY(tell_at(e, pos));
    }
    return EC_OK;
}

static enum ec tell_difference(struct events *e) {
    struct table *t = e->t;
    if (!t->told->ops->diff(t->told, t->rows, TABLE_MAX_EVENTS, note, e)) {
        tell_kind(e, TABLE_CHANGED);
        return EC_OK;
    }
    if (e->changes->len == 0)
        return EC_OK;
    EC_TRY(visible_build(t, t->told, NULL, &e->was));
    return tell_changes(e);
}

static enum ec tell(struct table *t, void (*fn)(void *ctx, const struct table_event *event),
                    void *ctx) {
    struct events e = {.t = t, .fn = fn, .ctx = ctx, .old = t->told};
    e.changes = g_array_new(FALSE, FALSE, sizeof(struct entry_change));
    e.positions = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    e.deleted = g_hash_table_new(NULL, NULL);
    enum ec ec = tell_difference(&e);
    visible_clear(&e.was);
    g_array_unref(e.changes);
    g_array_unref(e.positions);
    g_hash_table_unref(e.deleted);
    if (ec == EC_OK) {
        rows_unref(t->told);
        t->told = rows_ref(t->rows);
    }
    return ec;
}

enum ec table_events(struct table *t, void (*fn)(void *ctx, const struct table_event *event),
                     void *ctx) {
    for (guint i = 0; i < t->announced->len; i++) {
        struct table_event event = {.kind = g_array_index(t->announced, enum table_event_kind, i)};
        fn(ctx, &event);
    }
    g_array_set_size(t->announced, 0);
    if (!t->told || t->is_order_bad || t->is_restriction_bad)
        return EC_OK;
    EC_TRY(table_begin(t, false));
    enum ec ec = t->rows == t->told ? EC_OK : tell(t, fn, ctx);
    table_end(t);
    return ec;
}
