// The values of a view's entries: from columns where they are loaded, otherwise from the message.
#include <string.h>

#include "mapi/change.h"
#include "mapi/prop_shape.h"
#include "mapi/props.h"
#include "store/view_internal.h"

#define MV_INSTANCE 0x2000u
#define WHOLE_MAX (4u * 1024 * 1024) // strings are read to be cut up to this size

struct row {
    const struct view *v;
    struct mbox_tx *tx;
    struct arena *arena;
    struct entry entry;
    struct message *m;
    bool is_opened;
};

static const struct prop_value *keep(struct arena *arena, struct prop_value v) {
    return arena_memdup(arena, &v, sizeof v);
}

static int64_t wire_id(uint64_t id) {
    return short_id_value((struct short_id){REPLID_OWN, id});
}

// The single value that the entry stands for: the tag as of one value, with or without the bits
// that say so.
static bool is_instance_tag(const struct view *v, proptag_t tag, unsigned *column_out) {
    for (unsigned i = 0; i < v->key->sort.n; i++) {
        const struct sort_column *c = &v->key->sort.columns[i];
        if (!c->is_instance || PROP_ID(c->tag) != PROP_ID(tag))
            continue;
        *column_out = i;
        return tag == c->tag || tag == (c->tag | PT_MV | MV_INSTANCE);
    }
    return false;
}

// A value of the entry itself; false: the message's.
static bool of_entry(const struct row *row, proptag_t tag, const struct prop_value **out) {
    uint64_t mid = slot_mid(row->v->cols, row->entry.slot);
    unsigned column;
    struct prop_value v;
    *out = NULL;
    switch (tag) {
    case PidTagMid:
    case PidTagInstID: // the same for every instance of a message
        *out = keep(row->arena, prop_i8(tag, wire_id(mid)));
        return true;
    case PidTagInstanceNum:
        *out = keep(row->arena, prop_long(tag, (int32_t)row->entry.instance));
        return true;
    default:
        break;
    }
    if (!is_instance_tag(row->v, tag, &column))
        return false;
    if (view_column_value(row->v, column, &row->entry, row->arena, &v))
        *out = keep(row->arena, prop_copy(row->arena, &v));
    return true;
}

// False: no column tells.
static bool of_column(const struct row *row, proptag_t tag, const struct prop_value **out) {
    const struct column *c = columns_get(row->v->cols, tag);
    struct prop_value v;
    *out = NULL;
    if (!c || c->since > row->v->seq)
        return false;
    if (!column_value(row->v->cols, c, row->entry.slot, row->arena, &v))
        return true;
    if (v.is_external)
        return false;
    *out = keep(row->arena, prop_copy(row->arena, &v));
    return true;
}

static enum ec of_message(struct row *row, proptag_t tag, size_t max_bytes,
                          const struct prop_value **out) {
    uint64_t mid = slot_mid(row->v->cols, row->entry.slot);
    struct prop_value v;
    *out = NULL;
    if (!row->is_opened) {
        row->is_opened = true;
        enum ec ec = message_open(row->tx, mid, &row->m);
        if (ec != EC_OK && ec != EC_NOT_FOUND && ec != EC_CORRUPT_DATA)
            return ec;
    }
    if (!row->m)
        return EC_OK;
    if (tag == PidTagParentFolderId) {
        *out = keep(row->arena, prop_i8(tag, wire_id(message_fid(row->m))));
        return EC_OK;
    }
    size_t max = max_bytes ? WHOLE_MAX : 0;
    enum ec ec = message_get_prop(row->tx, row->m, row->arena, tag, max, &v);
    if (ec == EC_OK)
        *out = keep(row->arena, v);
    return ec == EC_NOT_FOUND || ec == EC_MESSAGE_TOO_BIG || ec == EC_CORRUPT_DATA ? EC_OK : ec;
}

// Strings are cut at a character, anything else that is too long is absent.
static const struct prop_value *cut(struct arena *arena, const struct prop_value *v,
                                    size_t max_bytes) {
    if (!v || max_bytes == 0)
        return v;
    uint16_t type = PROP_TYPE(v->tag);
    if (type != PT_UNICODE)
        return (prop_is_bytes(type) || prop_is_mv(type)) && prop_size(v) > max_bytes ? NULL : v;
    size_t len = strlen(v->str);
    if (len <= max_bytes)
        return v;
    len = max_bytes;
    while (len > 0 && ((unsigned char)v->str[len] & 0xC0) == 0x80)
        len--;
    return keep(arena, prop_str(v->tag, arena_strndup(arena, v->str, len)));
}

enum ec view_values(const struct view *v, struct mbox_tx *tx, struct arena *arena, uint32_t i,
                    const proptag_t *tags, unsigned n, size_t max_bytes,
                    const struct prop_value **values) {
    struct row row = {.v = v, .tx = tx, .arena = arena, .entry = order_at(&v->order, i)};
    enum ec ec = EC_OK;
    for (unsigned k = 0; k < n && ec == EC_OK; k++) {
        const struct prop_value *value = NULL;
        if (!of_entry(&row, tags[k], &value) && !of_column(&row, tags[k], &value))
            ec = of_message(&row, tags[k], max_bytes, &value);
        values[k] = cut(arena, value, max_bytes);
    }
    message_free(row.m);
    return ec;
}

enum ec view_matches(const struct view *v, struct mbox_tx *tx, uint32_t i,
                     const struct restriction *restriction, bool *matches_out) {
    struct entry e = order_at(&v->order, i);
    struct matcher *m = matcher_new(v->cols, v->seq, tx, restriction, false);
    *matches_out = matcher_matches(m, e.slot);
    enum ec ec = matcher_result(m);
    matcher_free(m);
    return ec;
}
