// The values of a row in the order of the columns: a message's, or a header row's ([MS-OXCTABL]
// 2.2.1, 2.2.2.5.2), cut to what rows may carry.
#include <string.h>

#include "mapi/props.h"
#include "store/table_internal.h"

enum row_type { ROW_LEAF = 1, ROW_EXPANDED = 3, ROW_COLLAPSED = 4 }; // PidTagRowType

// Values are read up to this size to be cut.
#define VALUE_MAX_BYTES 65536u

// --- Cutting ---

static const char *cut_string(struct arena *arena, const char *s) {
    unsigned units = 0;
    for (const char *p = s; *p;) {
        unsigned char lead = (unsigned char)*p;
        unsigned len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        units += len == 4 ? 2 : 1;
        if (units > TABLE_STRING_MAX)
            return arena_strndup(arena, s, (size_t)(p - s));
        for (unsigned i = 0; i < len && *p; i++)
            p++;
    }
    return s;
}

static bool needs_cut(const struct prop_value *v) {
    switch (PROP_TYPE(v->tag)) {
    case PT_UNICODE:
        return strlen(v->str) > TABLE_STRING_MAX;
    case PT_BINARY:
    case PT_OBJECT:
    case PT_SVREID:
        return v->bin.len > TABLE_BINARY_MAX;
    case PT_MV_UNICODE:
    case PT_MV_BINARY:
        return true;
    default:
        return false;
    }
}

static const struct prop_value *cut(struct arena *arena, const struct prop_value *v) {
    if (!v || v->is_external || !needs_cut(v))
        return v;
    struct prop_value *out = arena_memdup(arena, v, sizeof *v);
    if (PROP_TYPE(v->tag) == PT_UNICODE) {
        out->str = cut_string(arena, v->str);
    } else if (PROP_TYPE(v->tag) == PT_MV_UNICODE) {
        const char **strings = arena_alloc(arena, v->mv.n * sizeof *strings);
        for (uint32_t i = 0; i < v->mv.n; i++)
            strings[i] = cut_string(arena, v->mv.str[i]);
        out->mv.str = strings;
    } else if (PROP_TYPE(v->tag) == PT_MV_BINARY) {
        struct prop_bin *bins = arena_alloc(arena, v->mv.n * sizeof *bins);
        for (uint32_t i = 0; i < v->mv.n; i++)
            bins[i] = (struct prop_bin){MIN(v->mv.bin[i].len, TABLE_BINARY_MAX), v->mv.bin[i].data};
        out->mv.bin = bins;
    } else {
        out->bin.len = TABLE_BINARY_MAX;
    }
    return out;
}

// --- Values ---

static const struct prop_value *make_long(struct arena *arena, proptag_t tag, uint32_t l) {
    struct prop_value v = prop_long(tag, (int32_t)MIN(l, INT32_MAX));
    return arena_memdup(arena, &v, sizeof v);
}

static enum ec header_value(struct table *t, struct arena *arena, uint32_t i, proptag_t tag,
                            const struct prop_value **out) {
    const struct header h = *visible_header(&t->visible, i);
    const struct rows *rows = t->rows;
    struct mbox_tx *tx;
    uint64_t id;
    *out = NULL;
    switch (tag) {
    case PidTagRowType:
        *out = make_long(arena, tag, h.is_expanded ? ROW_EXPANDED : ROW_COLLAPSED);
        return EC_OK;
    case PidTagDepth:
        *out = make_long(arena, tag, h.level);
        return EC_OK;
    case PidTagContentCount:
        *out = make_long(arena, tag, h.end - h.entry);
        return EC_OK;
    case PidTagContentUnreadCount:
        *out = make_long(arena, tag, rows->ops->unread(rows, h.entry, h.end));
        return EC_OK;
    case PidTagInstanceNum:
        *out = make_long(arena, tag, 0);
        return EC_OK;
    case PidTagInstID:
        EC_TRY(visible_header_id(t, rows, &t->visible, i, &id));
        struct prop_value v = prop_i8(tag, (int64_t)id);
        *out = arena_memdup(arena, &v, sizeof v);
        return EC_OK;
    default:
        break;
    }
    for (unsigned level = 0; level <= h.level; level++) {
        if (t->effective.columns[level].tag != tag)
            continue;
        EC_TRY(table_tx(t, &tx));
        return rows->ops->values(rows, tx, arena, h.entry, &tag, 1, VALUE_MAX_BYTES, out);
    }
    return EC_OK;
}

static enum ec header_values(struct table *t, struct arena *arena, uint32_t i,
                             const struct prop_value **values) {
    for (unsigned c = 0; c < t->n_columns; c++)
        EC_TRY(header_value(t, arena, i, t->tags[c], &values[c]));
    return EC_OK;
}

static enum ec leaf_values(struct table *t, struct arena *arena, uint32_t entry,
                           const struct prop_value **values) {
    struct mbox_tx *tx;
    EC_TRY(table_tx(t, &tx));
    EC_TRY(t->rows->ops->values(t->rows, tx, arena, entry, t->tags, t->n_columns, VALUE_MAX_BYTES,
                                values));
    for (unsigned c = 0; table_is_contents(t) && c < t->n_columns; c++) {
        if (t->tags[c] == PidTagRowType)
            values[c] = make_long(arena, PidTagRowType, ROW_LEAF);
        else if (t->tags[c] == PidTagDepth)
            values[c] = make_long(arena, PidTagDepth, t->visible.n_levels);
    }
    return EC_OK;
}

// The header row at the position, or false for a leaf; then its entry.
static bool is_header_at(const struct visible *v, uint32_t pos, uint32_t *i_out,
                         uint32_t *entry_out) {
    struct place place = visible_place(v, pos);
    *entry_out = place.entry;
    if (place.level >= v->n_levels)
        return false;
    uint32_t i = visible_last_header(v, place.entry);
    while (visible_header(v, i)->level > place.level)
        i = visible_header(v, i)->parent;
    *i_out = i;
    return true;
}

enum ec table_row_values(struct table *t, struct arena *arena, uint32_t pos,
                         const struct prop_value ***out) {
    uint32_t i, entry;
    const struct prop_value **values = arena_alloc(arena, t->n_columns * sizeof *values);
    if (is_header_at(&t->visible, pos, &i, &entry))
        EC_TRY(header_values(t, arena, i, values));
    else
        EC_TRY(leaf_values(t, arena, entry, values));
    for (unsigned c = 0; c < t->n_columns; c++)
        values[c] = cut(arena, values[c]);
    *out = values;
    return EC_OK;
}

// --- Matching ---

struct header_source {
    struct table *t;
    struct arena *arena;
    uint32_t i;
    enum ec ec;
};

static const struct prop_value *get_header_value(void *ctx, proptag_t tag) {
    struct header_source *s = ctx;
    const struct prop_value *v = NULL;
    enum ec ec = header_value(s->t, s->arena, s->i, tag, &v);
    if (ec != EC_OK)
        s->ec = ec;
    return v;
}

enum ec table_row_matches(struct table *t, uint32_t pos, const struct restriction *restriction,
                          bool *out) {
    uint32_t i, entry;
    struct mbox_tx *tx;
    if (is_header_at(&t->visible, pos, &i, &entry)) {
        ARENA_AUTO arena = arena_new();
        struct header_source s = {.t = t, .arena = arena, .i = i};
        struct restriction_source source = {.get = get_header_value, .ctx = &s};
        *out = restriction_matches(restriction, &source);
        return s.ec;
    }
    EC_TRY(table_tx(t, &tx));
    return t->rows->ops->matches(t->rows, tx, entry, restriction, out);
}
