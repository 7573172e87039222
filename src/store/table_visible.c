// The index of visible rows: which rows of a grouped table are shown, and where.
//
// Only visible header rows are listed; what is collapsed costs nothing. A header's id is a hash of
// its level and category values, so that it is the same in every snapshot and every handle; ids are
// computed when somebody asks for them.
#include <string.h>

#include "base/text.h"
#include "mapi/prop_wire.h"
#include "store/table_internal.h"

// Set in the ids of headers, where ids of messages and folders have their replica id, which is
// smaller.
#define HEADER_ID_MARK UINT64_C(0x8000)
#define VALUE_MAX_BYTES (1u << 20)

void visible_clear(struct visible *v) {
    if (v->headers)
        g_array_unref(v->headers);
    if (v->by_id)
        g_hash_table_unref(v->by_id);
    *v = (struct visible){0};
}

const struct header *visible_header(const struct visible *v, uint32_t i) {
    return &g_array_index(v->headers, struct header, i);
}

// --- Ids ---

static uint64_t mix(uint64_t hash, const void *data, size_t len) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001B3);
    return hash;
}

// The value as bytes that are the same for values that compare equal (case does not count).
static uint64_t mix_value(uint64_t hash, struct arena *arena, const struct prop_value *v) {
    struct prop_wire form = {4, 65001};
    struct prop_value folded;
    if (!v || v->is_external || PROP_TYPE(v->tag) == PT_ERROR)
        return mix(hash, "\0", 1);
    folded = *v;
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        folded.str = text_fold(arena, v->str);
    if ((PROP_TYPE(v->tag) == PT_DOUBLE || PROP_TYPE(v->tag) == PT_APPTIME) && v->d == 0)
        folded.d = 0; // not -0
    if (PROP_TYPE(v->tag) == PT_FLOAT && v->f == 0)
        folded.f = 0;
    struct wire_writer w = wire_writer(VALUE_MAX_BYTES);
    prop_wire_put_typed(&w, &form, PROP_TYPE(folded.tag), &folded);
    if (w.bytes)
        hash = mix(hash, w.bytes->data, w.bytes->len);
    wire_writer_clear(&w);
    return hash;
}

static uint64_t finish(uint64_t hash) {
    hash ^= hash >> 30;
    hash *= UINT64_C(0xBF58476D1CE4E5B9);
    hash ^= hash >> 27;
    hash *= UINT64_C(0x94D049BB133111EB);
    return (hash ^ hash >> 31) | HEADER_ID_MARK;
}

// The id of the group above goes in, so that only one value is read when that is known.
enum ec visible_group_id(struct table *t, const struct rows *rows, uint32_t entry, unsigned level,
                         uint64_t above, uint64_t *out) {
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    unsigned from = above ? level : 0;
    proptag_t tags[SORT_ORDER_MAX];
    const struct prop_value *values[SORT_ORDER_MAX];
    EC_TRY(table_tx(t, &tx));
    for (unsigned i = from; i <= level; i++)
        tags[i - from] = t->effective.columns[i].tag;
    EC_TRY(rows->ops->values(rows, tx, arena, entry, tags, level - from + 1, 0, values));
    uint64_t id = above ? above : UINT64_C(0xCBF29CE484222325);
    for (unsigned i = from; i <= level; i++) {
        uint8_t number = (uint8_t)i;
        bool is_maximum = t->effective.columns[i].direction == SORT_MAXIMUM_CATEGORY;
        id = mix(id, &number, 1);
        id = finish(is_maximum ? id : mix_value(id, arena, values[i - from]));
    }
    *out = id;
    return EC_OK;
}

enum ec visible_header_id(struct table *t, const struct rows *rows, struct visible *v, uint32_t i,
                          uint64_t *id_out) {
    struct header *h = &g_array_index(v->headers, struct header, i);
    if (!h->id) {
        uint64_t above = 0;
        if (h->level > 0)
            EC_TRY(visible_header_id(t, rows, v, h->parent, &above)); // at most SORT_ORDER_MAX deep
        EC_TRY(visible_group_id(t, rows, h->entry, h->level, above, &h->id));
    }
    *id_out = h->id;
    return EC_OK;
}

enum ec visible_find_header(struct table *t, const struct rows *rows, struct visible *v,
                            uint64_t id, uint32_t *i_out) {
    if (!v->headers || !(id & HEADER_ID_MARK))
        return EC_NOT_FOUND;
    if (!v->by_id) {
        g_autoptr(GHashTable) by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
        for (guint i = 0; i < v->headers->len; i++) {
            uint64_t each;
            EC_TRY(visible_header_id(t, rows, v, i, &each));
        }
        for (guint i = 0; i < v->headers->len; i++)
            g_hash_table_insert(by_id, &g_array_index(v->headers, struct header, i).id,
                                GUINT_TO_POINTER(i + 1));
        v->by_id = g_steal_pointer(&by_id);
    }
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(v->by_id, &id));
    if (!found)
        return EC_NOT_FOUND;
    *i_out = found - 1;
    return EC_OK;
}

// --- Building ---

struct builder {
    struct table *t;
    const struct rows *rows;
    struct visible v;
    const struct visible *known; // NULL: none
    uint32_t known_at;           // its headers before this one stand before the one being made
    uint32_t pos;                // of the next row
};

// The id that an earlier index of the same rows has for the header. Both are in the order of
// entries, then levels.
static uint64_t known_id(struct builder *b, uint32_t entry, unsigned level) {
    while (b->known && b->known_at < b->known->headers->len) {
        const struct header *h = visible_header(b->known, b->known_at);
        if (h->entry == entry && h->level == level)
            return h->id;
        if (h->entry > entry || (h->entry == entry && h->level > level))
            break;
        b->known_at++;
    }
    return 0;
}

static enum ec is_header_expanded(struct builder *b, uint32_t i, bool *out) {
    bool initially = visible_header(&b->v, i)->level < b->t->effective.n_expanded;
    *out = initially;
    if (g_hash_table_size(b->t->toggled) == 0)
        return EC_OK;
    uint64_t id;
    EC_TRY(visible_header_id(b->t, b->rows, &b->v, i, &id));
    *out = initially != g_hash_table_contains(b->t->toggled, &id);
    return EC_OK;
}

// The groups of one level among [from, to). At most SORT_ORDER_MAX deep.
static enum ec add_groups(struct builder *b, unsigned level, uint32_t from, uint32_t to,
                          uint32_t parent) {
    for (uint32_t entry = from; entry < to;) {
        uint32_t end = b->rows->ops->group_end(b->rows, level, entry);
        uint32_t i = b->v.headers->len;
        struct header h = {.id = known_id(b, entry, level),
                           .entry = entry,
                           .end = MIN(MAX(end, entry + 1), to),
                           .pos = b->pos++,
                           .parent = level == 0 ? i : parent,
                           .level = (uint8_t)level};
        g_array_append_val(b->v.headers, h);
        EC_TRY(is_header_expanded(b, i, &h.is_expanded));
        g_array_index(b->v.headers, struct header, i).is_expanded = h.is_expanded;
        if (h.is_expanded && level + 1 < b->v.n_levels)
            EC_TRY(add_groups(b, level + 1, entry, h.end, i));
        else if (h.is_expanded)
            b->pos += h.end - entry;
        entry = h.end;
    }
    return EC_OK;
}

enum ec visible_build(struct table *t, const struct rows *rows, const struct visible *known,
                      struct visible *out) {
    struct builder b = {.t = t, .rows = rows};
    b.v =
        (struct visible){.n_levels = t->effective.n_categories, .n = rows->n, .n_entries = rows->n};
    if (b.v.n_levels > 0) {
        b.known = known && known->headers ? known : NULL;
        b.v.headers = g_array_new(FALSE, FALSE, sizeof(struct header));
        enum ec ec = add_groups(&b, 0, 0, rows->n, 0);
        b.v.n = b.pos;
        if (ec != EC_OK) {
            visible_clear(&b.v);
            return ec;
        }
    }
    *out = b.v;
    return EC_OK;
}

// --- Looking up ---

uint32_t visible_last_header(const struct visible *v, uint32_t entry) {
    uint32_t from = 0, to = v->headers->len;
    while (from < to) { // the first that begins behind the entry
        uint32_t mid = from + (to - from) / 2;
        if (visible_header(v, mid)->entry <= entry)
            from = mid + 1;
        else
            to = mid;
    }
    return from > 0 ? from - 1 : 0;
}

// The row after what is hidden below the header: a collapsed one has nothing after it that is its.
static uint32_t pos_behind(const struct visible *v, uint32_t i) {
    return i + 1 < v->headers->len ? visible_header(v, i + 1)->pos : v->n;
}

static bool first_header_at(const struct visible *v, uint32_t entry, uint32_t last,
                            uint32_t *pos_out) {
    const struct header *h = visible_header(v, last);
    if (h->entry != entry)
        return false;
    while (h->level > 0 && visible_header(v, h->parent)->entry == entry)
        h = visible_header(v, h->parent);
    *pos_out = h->pos;
    return true;
}

uint32_t visible_pos(const struct visible *v, struct place place, bool *is_shown) {
    uint32_t pos;
    *is_shown = place.entry < v->n_entries;
    if (place.entry >= v->n_entries)
        return v->n;
    if (v->n_levels == 0)
        return place.entry;
    uint32_t i = visible_last_header(v, place.entry);
    if (place.level == PLACE_FIRST && first_header_at(v, place.entry, i, &pos))
        return pos;
    const struct header *h = visible_header(v, i);
    if (place.level >= v->n_levels) {
        if (h->is_expanded)
            return h->pos + 1 + (place.entry - h->entry);
        *is_shown = false;
        return pos_behind(v, i);
    }
    const struct header *above = h;
    while (above->level > place.level)
        above = visible_header(v, above->parent);
    if (above->level == place.level)
        return above->pos;
    *is_shown = false;
    return pos_behind(v, i);
}

struct place visible_place(const struct visible *v, uint32_t pos) {
    if (pos >= v->n)
        return (struct place){v->n_entries, PLACE_FIRST};
    if (v->n_levels == 0)
        return (struct place){pos, PLACE_LEAF};
    uint32_t from = 0, to = v->headers->len;
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (visible_header(v, mid)->pos <= pos)
            from = mid + 1;
        else
            to = mid;
    }
    const struct header *h = visible_header(v, from - 1);
    if (h->pos == pos)
        return (struct place){h->entry, h->level};
    return (struct place){h->entry + (pos - h->pos - 1), PLACE_LEAF};
}

enum ec visible_row(struct table *t, const struct rows *rows, struct visible *v, uint32_t pos,
                    struct table_row *out) {
    struct place place = visible_place(v, pos);
    if (place.level >= v->n_levels) {
        struct row_key key = rows->ops->at(rows, place.entry);
        *out = (struct table_row){.id = key.id, .instance = key.instance};
        return EC_OK;
    }
    // The header itself: the last one at this entry down to its level.
    uint32_t i = visible_last_header(v, place.entry);
    while (visible_header(v, i)->level > place.level)
        i = visible_header(v, i)->parent;
    *out = (struct table_row){.is_header = true};
    return visible_header_id(t, rows, v, i, &out->id);
}
