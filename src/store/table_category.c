// Categories: expanding, collapsing, and their state as bytes that clients keep ([MS-OXCTABL]
// 3.2.5.17 to 3.2.5.20).
#include <string.h>

#include "store/table_internal.h"

#define STATE_MAGIC 0x53435442u // "BTCS"
#define STATE_VERSION 1
#define STATE_HEAD_SIZE 24

static enum ec rebuild(struct table *t) {
    struct visible v;
    EC_TRY(visible_build(t, t->rows, &t->visible, &v));
    visible_clear(&t->visible);
    t->visible = v;
    return EC_OK;
}

static enum ec toggle(struct table *t, uint64_t category) {
    if (!g_hash_table_remove(t->toggled, &category)) {
        if (g_hash_table_size(t->toggled) >= TABLE_MAX_TOGGLED)
            return EC_NOT_ENOUGH_RESOURCES;
        g_hash_table_add(t->toggled, g_memdup2(&category, sizeof category));
    }
    return EC_OK;
}

static enum ec set_expanded(struct table *t, uint64_t category, bool is_expanded, uint32_t *pos_out,
                            uint32_t *count_out) {
    uint32_t i, before = t->visible.n;
    EC_TRY(visible_find_header(t, t->rows, &t->visible, category, &i));
    const struct header *h = visible_header(&t->visible, i);
    if (h->is_expanded == is_expanded)
        return is_expanded ? EC_NOT_COLLAPSED : EC_NOT_EXPANDED;
    *pos_out = h->pos;
    EC_TRY(toggle(t, category));
    enum ec ec = rebuild(t);
    if (ec != EC_OK) {
        toggle(t, category);
        return ec;
    }
    *count_out = is_expanded ? t->visible.n - before : before - t->visible.n;
    return EC_OK;
}

static enum ec expand(struct table *t, uint64_t category, unsigned max, table_row_fn row, void *ctx,
                      unsigned *n_out, uint32_t *count_out) {
    ARENA_AUTO arena = arena_new();
    uint32_t pos, count;
    unsigned n = 0;
    EC_TRY(set_expanded(t, category, true, &pos, &count));
    for (; n < max && n < count; n++) {
        const struct prop_value **values;
        arena_reset(arena);
        EC_TRY(table_row_values(t, arena, pos + 1 + n, &values));
        if (!row(ctx, values))
            break;
    }
    *n_out = n;
    *count_out = count;
    return EC_OK;
}

enum ec table_expand(struct table *t, uint64_t category, unsigned max, table_row_fn row, void *ctx,
                     unsigned *n_out, uint32_t *count_out) {
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, true));
    enum ec ec = expand(t, category, max, row, ctx, n_out, count_out);
    table_end(t);
    return ec;
}

enum ec table_collapse(struct table *t, uint64_t category, uint32_t *count_out) {
    uint32_t pos;
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, true));
    enum ec ec = set_expanded(t, category, false, &pos, count_out);
    table_end(t);
    return ec;
}

// --- The state as bytes ---

enum { STATE_ROW_NONE, STATE_ROW_LEAF, STATE_ROW_HEADER };

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum ec put_state(struct table *t, uint64_t row, uint32_t instance, GByteArray **out) {
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GHashTableIter iter;
    gpointer key;
    uint32_t i;
    uint8_t kind = STATE_ROW_NONE;
    if (t->rows->ops->find(t->rows, (struct row_key){row, instance}, &i)) {
        kind = STATE_ROW_LEAF;
    } else {
        enum ec ec = visible_find_header(t, t->rows, &t->visible, row, &i);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
        kind = ec == EC_OK ? STATE_ROW_HEADER : STATE_ROW_NONE;
    }
    g_hash_table_iter_init(&iter, t->toggled);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_array_append_val(ids, *(const uint64_t *)key);
    g_array_sort(ids, compare_ids);
    struct wire_writer w = wire_writer(TABLE_COLLAPSE_STATE_MAX);
    wire_put_u32(&w, STATE_MAGIC);
    wire_put_u8(&w, STATE_VERSION);
    wire_put_u8(&w, (uint8_t)t->effective.n_categories);
    wire_put_u8(&w, (uint8_t)t->effective.n_expanded);
    wire_put_u8(&w, kind);
    wire_put_u64(&w, row);
    wire_put_u32(&w, instance);
    wire_put_u32(&w, ids->len);
    for (guint k = 0; k < ids->len; k++)
        wire_put_u64(&w, g_array_index(ids, uint64_t, k));
    *out = wire_writer_take(&w);
    return *out ? EC_OK : EC_TOO_COMPLEX;
}

enum ec table_get_collapse_state(struct table *t, uint64_t row, uint32_t instance,
                                 GByteArray **out) {
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, true));
    enum ec ec = put_state(t, row, instance, out);
    table_end(t);
    return ec;
}

struct state {
    uint8_t kind;
    uint64_t row;
    uint32_t instance;
    GHashTable *toggled;
};

// Foreign bytes: a client may have kept them for years, or made them up.
static enum ec read_state(struct table *t, const void *bytes, size_t len, struct state *out) {
    struct wire_reader r = wire_reader(bytes, len);
    if (wire_u32(&r) != STATE_MAGIC || wire_u8(&r) != STATE_VERSION)
        return EC_FORMAT_ERROR;
    unsigned n_categories = wire_u8(&r), n_expanded = wire_u8(&r);
    struct state s = {.kind = wire_u8(&r)};
    s.row = wire_u64(&r);
    s.instance = wire_u32(&r);
    uint32_t n = wire_u32(&r);
    if (!wire_ok(&r) || s.kind > STATE_ROW_HEADER || n > TABLE_MAX_TOGGLED ||
        wire_left(&r) != (size_t)n * 8)
        return EC_FORMAT_ERROR;
    if (n_categories != t->effective.n_categories || n_expanded != t->effective.n_expanded)
        return EC_INVALID_PARAMETER;
    s.toggled = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t id = wire_u64(&r);
        g_hash_table_add(s.toggled, g_memdup2(&id, sizeof id));
    }
    *out = s;
    return EC_OK;
}

// The visible index of the state's row; the beginning when it is gone.
static enum ec state_pos(struct table *t, const struct state *s, uint32_t *out) {
    uint32_t i;
    bool is_shown;
    *out = 0;
    if (s->kind == STATE_ROW_HEADER) {
        enum ec ec = visible_find_header(t, t->rows, &t->visible, s->row, &i);
        if (ec == EC_OK)
            *out = visible_header(&t->visible, i)->pos;
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    }
    if (s->kind == STATE_ROW_LEAF &&
        t->rows->ops->find(t->rows, (struct row_key){s->row, s->instance}, &i))
        *out = visible_pos(&t->visible, (struct place){i, PLACE_LEAF}, &is_shown);
    return EC_OK;
}

static enum ec set_state(struct table *t, const void *bytes, size_t len,
                         uint8_t bookmark_out[TABLE_BOOKMARK_SIZE]) {
    struct state s;
    uint32_t pos;
    EC_TRY(read_state(t, bytes, len, &s));
    GHashTable *before = t->toggled;
    t->toggled = s.toggled;
    enum ec ec = rebuild(t);
    if (ec != EC_OK) {
        g_hash_table_unref(t->toggled);
        t->toggled = before;
        return ec;
    }
    g_hash_table_unref(before);
    EC_TRY(state_pos(t, &s, &pos));
    t->cursor = visible_place(&t->visible, pos);
    return table_add_bookmark(t, pos, bookmark_out);
}

enum ec table_set_collapse_state(struct table *t, const void *state, size_t len,
                                 uint8_t bookmark_out[TABLE_BOOKMARK_SIZE]) {
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, true));
    enum ec ec = set_state(t, state, len, bookmark_out);
    table_end(t);
    return ec;
}
