// Where the position and the bookmarks are when rows come and go
// ([MS-OXCTABL] 2.2.2.1.2, 3.2.5.10).
//
// A bookmark follows its row wherever it moves. The position stays at its row as long as that keeps
// its place in the order; a row that moved is treated like one that is gone, so that a client that
// reads on neither repeats nor skips the rest.
#include <string.h>

#include "store/table_internal.h"

#define SURVIVORS_TRIED 32 // rows after a lost one that are looked for before its values are

// The values a row is ordered by.
static enum ec order_values(struct table *t, const struct rows *rows, struct arena *arena,
                            uint32_t entry, const struct prop_value **values) {
    struct mbox_tx *tx;
    proptag_t tags[SORT_ORDER_MAX];
    EC_TRY(table_tx(t, &tx));
    for (unsigned i = 0; i < t->effective.n; i++)
        tags[i] = t->effective.columns[i].tag;
    return rows->ops->values(rows, tx, arena, entry, tags, t->effective.n, 0, values);
}

static enum ec has_moved(struct table *t, const struct rows *old, uint32_t entry,
                         const struct rows *rows, uint32_t now, bool *out) {
    ARENA_AUTO arena = arena_new();
    const struct prop_value *a[SORT_ORDER_MAX], *b[SORT_ORDER_MAX];
    *out = false;
    if (t->effective.n == 0)
        return EC_OK;
    EC_TRY(order_values(t, old, arena, entry, a));
    EC_TRY(order_values(t, rows, arena, now, b));
    *out = sort_order_compare(&t->effective, a, b) != 0;
    return EC_OK;
}

// The first header of those that stand before the entry of `old` which is shown now.
static enum ec find_header_at(struct table *t, const struct rows *old, uint32_t entry,
                              struct place *out) {
    for (unsigned level = 0; level < t->effective.n_categories; level++) {
        uint64_t id;
        uint32_t i;
        if (entry > 0 && old->ops->group_end(old, level, entry - 1) > entry)
            continue; // in the same category as the entry before
        EC_TRY(visible_group_id(t, old, entry, level, 0, &id));
        enum ec ec = visible_find_header(t, t->rows, &t->visible, id, &i);
        if (ec == EC_OK)
            *out = (struct place){visible_header(&t->visible, i)->entry, (uint8_t)level};
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_NOT_FOUND;
}

// Where the row of `old` that is gone would stand.
static enum ec place_of_lost(struct table *t, const struct rows *old, struct place p,
                             struct place *out) {
    ARENA_AUTO arena = arena_new();
    const struct rows *rows = t->rows;
    const struct prop_value *values[SORT_ORDER_MAX];
    *out = (struct place){MIN(p.entry, rows->n), PLACE_FIRST};
    if (t->effective.n == 0)
        return EC_OK;
    EC_TRY(order_values(t, old, arena, p.entry, values));
    out->entry = rows->ops->lower_bound(rows, values, t->effective.n);
    return EC_OK;
}

// The same place in t->rows. `follows`: goes with the row wherever it moved.
static enum ec move_place(struct table *t, const struct rows *old, struct place p, bool follows,
                          struct place *out) {
    const struct rows *rows = t->rows;
    if (p.entry >= old->n) {
        *out = (struct place){rows->n, PLACE_FIRST};
        return EC_OK;
    }
    if (p.level < PLACE_LEAF) {
        uint64_t id;
        uint32_t i;
        EC_TRY(visible_group_id(t, old, p.entry, p.level, 0, &id));
        enum ec ec = visible_find_header(t, rows, &t->visible, id, &i);
        if (ec == EC_OK)
            *out = (struct place){visible_header(&t->visible, i)->entry, p.level};
        if (ec != EC_NOT_FOUND)
            return ec;
    }
    uint32_t last = MIN(old->n - p.entry, SURVIVORS_TRIED) + p.entry;
    for (uint32_t j = p.entry; j < last; j++) {
        uint32_t now;
        bool moved = false;
        enum ec ec = j > p.entry ? find_header_at(t, old, j, out) : EC_NOT_FOUND;
        if (ec != EC_NOT_FOUND)
            return ec;
        if (!rows->ops->find(rows, old->ops->at(old, j), &now))
            continue;
        if (!follows || j != p.entry)
            EC_TRY(has_moved(t, old, j, rows, now, &moved));
        if (moved)
            continue;
        *out = (struct place){now, j == p.entry ? p.level : PLACE_LEAF};
        return EC_OK;
    }
    return place_of_lost(t, old, p, out);
}

enum ec table_move_places(struct table *t, const struct rows *old, const struct visible *was) {
    GHashTableIter iter;
    gpointer value;
    bool is_shown;
    if (visible_pos(was, t->cursor, &is_shown) == 0)
        t->cursor = (struct place){0, PLACE_FIRST}; // new rows at the beginning are read too
    else
        EC_TRY(move_place(t, old, t->cursor, false, &t->cursor));
    g_hash_table_iter_init(&iter, t->bookmarks);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct bookmark *b = value;
        EC_TRY(move_place(t, old, b->place, true, &b->place));
    }
    return EC_OK;
}

// --- Bookmarks ---

// The bytes: which order and restriction it belongs to, and its number.
static void put_bookmark(uint8_t out[TABLE_BOOKMARK_SIZE], uint32_t generation, uint32_t number) {
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t)(generation >> (8 * i));
        out[4 + i] = (uint8_t)(number >> (8 * i));
    }
}

static struct bookmark *find_bookmark(struct table *t, const void *bytes, size_t len,
                                      uint32_t *number_out) {
    struct wire_reader r = wire_reader(bytes, len);
    uint32_t generation = wire_u32(&r), number = wire_u32(&r);
    if (!wire_ok(&r) || wire_left(&r) > 0 || generation != t->generation)
        return NULL;
    *number_out = number;
    return g_hash_table_lookup(t->bookmarks, GUINT_TO_POINTER(number));
}

enum ec table_add_bookmark(struct table *t, uint32_t pos, uint8_t out[TABLE_BOOKMARK_SIZE]) {
    struct bookmark b = {.place = visible_place(&t->visible, pos)};
    if (g_hash_table_size(t->bookmarks) >= TABLE_MAX_BOOKMARKS)
        return EC_NOT_ENOUGH_RESOURCES;
    b.is_end = pos >= t->visible.n;
    if (!b.is_end)
        EC_TRY(visible_row(t, t->rows, &t->visible, pos, &b.row));
    uint32_t number = ++t->next_bookmark;
    g_hash_table_replace(t->bookmarks, GUINT_TO_POINTER(number), g_memdup2(&b, sizeof b));
    put_bookmark(out, t->generation, number);
    return EC_OK;
}

enum ec table_bookmark_pos(struct table *t, const void *bookmark, size_t len, uint32_t *pos_out,
                           bool *is_gone_out) {
    uint32_t number, i;
    bool is_shown;
    struct bookmark *b = find_bookmark(t, bookmark, len, &number);
    if (!b)
        return EC_INVALID_BOOKMARK;
    *is_gone_out = false;
    if (b->is_end) {
        *pos_out = t->visible.n;
        return EC_OK;
    }
    if (b->row.is_header) {
        enum ec ec = visible_find_header(t, t->rows, &t->visible, b->row.id, &i);
        if (ec == EC_OK) {
            *pos_out = visible_header(&t->visible, i)->pos;
            return EC_OK;
        }
        if (ec != EC_NOT_FOUND)
            return ec;
    } else if (t->rows->ops->find(t->rows, (struct row_key){b->row.id, b->row.instance}, &i)) {
        *pos_out = visible_pos(&t->visible, (struct place){i, PLACE_LEAF}, &is_shown);
        *is_gone_out = !is_shown;
        return EC_OK;
    }
    *pos_out = visible_pos(&t->visible, b->place, &is_shown);
    *is_gone_out = true;
    return EC_OK;
}

static bool has_bookmarks(const struct table *t) {
    return table_is_contents(t) || t->kind == TABLE_HIERARCHY;
}

enum ec table_create_bookmark(struct table *t, uint8_t out[TABLE_BOOKMARK_SIZE]) {
    bool is_shown;
    if (!has_bookmarks(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, false));
    enum ec ec = table_add_bookmark(t, visible_pos(&t->visible, t->cursor, &is_shown), out);
    table_end(t);
    return ec;
}

enum ec table_free_bookmark(struct table *t, const void *bookmark, size_t len) {
    uint32_t number;
    if (!has_bookmarks(t))
        return EC_NOT_SUPPORTED;
    if (t->n_columns == 0)
        return EC_NULL_OBJECT;
    if (!find_bookmark(t, bookmark, len, &number))
        return EC_INVALID_BOOKMARK;
    g_hash_table_remove(t->bookmarks, GUINT_TO_POINTER(number));
    return EC_OK;
}

static void seek_from(struct table *t, uint32_t from, int32_t count, int32_t *moved_out) {
    int64_t to = CLAMP((int64_t)from + count, 0, (int64_t)t->visible.n);
    *moved_out = (int32_t)(to - from);
    t->cursor = visible_place(&t->visible, (uint32_t)to);
}

enum ec table_seek_bookmark(struct table *t, const void *bookmark, size_t len, int32_t count,
                            int32_t *moved_out, bool *is_gone_out) {
    uint32_t pos;
    if (!has_bookmarks(t))
        return EC_NOT_SUPPORTED;
    EC_TRY(table_begin(t, true));
    enum ec ec = table_bookmark_pos(t, bookmark, len, &pos, is_gone_out);
    if (ec == EC_OK)
        seek_from(t, pos, count, moved_out);
    table_end(t);
    return ec;
}

// --- Position ---

enum ec table_query_position(struct table *t, uint32_t *position_out, uint32_t *count_out) {
    bool is_shown;
    EC_TRY(table_begin(t, false));
    *position_out = visible_pos(&t->visible, t->cursor, &is_shown);
    *count_out = t->visible.n;
    table_end(t);
    return EC_OK;
}

enum ec table_seek(struct table *t, enum table_origin origin, int32_t count, int32_t *moved_out) {
    uint32_t from;
    bool is_shown;
    if (origin > TABLE_END)
        return EC_INVALID_PARAMETER;
    EC_TRY(table_begin(t, false));
    from = origin == TABLE_BEGINNING ? 0
           : origin == TABLE_END     ? t->visible.n
                                     : visible_pos(&t->visible, t->cursor, &is_shown);
    seek_from(t, from, count, moved_out);
    table_end(t);
    return EC_OK;
}

enum ec table_seek_fraction(struct table *t, uint32_t numerator, uint32_t denominator) {
    uint32_t pos;
    if (denominator == 0)
        return EC_INVALID_BOOKMARK;
    EC_TRY(table_begin(t, false));
    if (numerator >= denominator)
        pos = t->visible.n;
    else
        pos = (uint32_t)(((uint64_t)t->visible.n * numerator + denominator / 2) / denominator);
    if (numerator == 0)
        pos = 0;
    t->cursor = visible_place(&t->visible, pos);
    table_end(t);
    return EC_OK;
}
