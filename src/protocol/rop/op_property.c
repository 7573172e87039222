// Reading and changing properties ([MS-OXCPRPT] 2.2.2 to 2.2.8, 3.2.5.1 to 3.2.5.5).
#include "protocol/rop/props_internal.h"

#define ANY_OBJECT                                                                                 \
    (ROP_IS(ROP_LOGON) | ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT))

// The largest value of a response: PropertySizeLimit, or what fits a buffer.
static size_t value_limit(uint16_t limit) {
    return limit ? limit : ROP_BUFFER_MAX;
}

// --- Some properties: a row ---

// The value in the form of the column; PT_ERROR when it has another type or cannot be read.
static const struct prop_value *get_column(struct rop_props *p, proptag_t column, size_t max) {
    struct prop_value *v = arena_alloc0(p->arena, sizeof *v);
    proptag_t tag = PROP_TYPE(column) == PT_UNSPECIFIED
                        ? column
                        : PROP_TAG(PROP_ID(column), column_value_type(column));
    enum ec ec = rop_props_get(p, tag, max, v);
    if (ec != EC_OK)
        *v = prop_long(PROP_TAG(PROP_ID(column), PT_ERROR), (int32_t)rop_error(ec));
    return v;
}

// A row that is too long gets errors in the place of its largest values (MS-OXCPRPT 3.2.5.1).
static void drop_largest(struct arena *arena, const struct prop_value **values, unsigned n) {
    unsigned largest = 0;
    size_t size = 0;
    for (unsigned i = 0; i < n; i++)
        if (PROP_TYPE(values[i]->tag) != PT_ERROR && prop_size(values[i]) > size) {
            size = prop_size(values[i]);
            largest = i;
        }
    if (size == 0)
        return;
    struct prop_value *v = arena_alloc0(arena, sizeof *v);
    *v = prop_long(PROP_TAG(PROP_ID(values[largest]->tag), PT_ERROR), (int32_t)EC_NO_MEMORY);
    values[largest] = v;
}

static bool put_row_within(struct rop_call *c, const struct prop_wire *form,
                           const struct columns *columns, const struct prop_value **values) {
    struct wire_writer w = wire_writer(c->room);
    row_put(&w, form, columns, values);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    if (bytes)
        wire_put_bytes(c->w, bytes->data, bytes->len);
    return bytes != NULL;
}

enum ec rop_get_properties_specific(struct rop_call *c) {
    size_t max = value_limit(wire_u16(c->r));
    wire_u16(c->r); // WantUnicode: the tags say it
    struct columns columns = columns_read(c->r, c->arena);
    struct rop_object *o;
    struct rop_props p;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    EC_TRY(rop_props_begin(o, tx, c->arena, &p));
    const struct prop_value **values = arena_alloc0(c->arena, (columns.n + 1) * sizeof *values);
    for (unsigned i = 0; i < columns.n; i++)
        values[i] = get_column(&p, columns.tags[i], max);
    rop_props_end(&p);
    struct prop_wire form = rop_form(o);
    for (unsigned i = 0; i <= columns.n; i++) {
        if (put_row_within(c, &form, &columns, values))
            return EC_OK;
        drop_largest(c->arena, values, columns.n);
    }
    return EC_BUFFER_TOO_SMALL;
}

// --- All properties ---

static void put_tagged(struct wire_writer *w, const struct prop_wire *form, bool is_unicode,
                       const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (!is_unicode && type == PT_UNICODE)
        type = PT_STRING8;
    if (!is_unicode && type == PT_MV_UNICODE)
        type = PT_MV_STRING8;
    wire_put_u32(w, PROP_TAG(PROP_ID(v->tag), type));
    prop_wire_put_value(w, form, type, v);
}

// One value, or the error that says to read it as a stream.
static void put_property(struct rop_call *c, struct rop_props *p, const struct prop_wire *form,
                         proptag_t tag, size_t max, bool is_unicode, unsigned *n) {
    struct prop_value v;
    size_t used = wire_writer_len(c->w), room = c->room > used ? c->room - used : 0;
    enum ec ec = rop_props_get(p, tag, max, &v);
    if (ec == EC_NOT_FOUND)
        return;
    struct wire_writer w = wire_writer(room);
    if (ec == EC_OK)
        put_tagged(&w, form, is_unicode, &v);
    if (ec != EC_OK || !wire_writer_ok(&w)) {
        wire_writer_clear(&w);
        w = wire_writer(room);
        wire_put_u32(&w, PROP_TAG(PROP_ID(tag), PT_ERROR));
        wire_put_u32(&w, rop_error(ec != EC_OK ? ec : EC_NO_MEMORY));
    }
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    if (!bytes)
        return;
    wire_put_bytes(c->w, bytes->data, bytes->len);
    ++*n;
}

enum ec rop_get_properties_all(struct rop_call *c) {
    uint16_t limit = wire_u16(c->r);
    bool is_unicode = wire_u16(c->r);
    struct rop_object *o;
    struct rop_props p;
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    unsigned n = 0;
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    EC_TRY(rop_props_begin(o, tx, c->arena, &p));
    struct prop_wire form = rop_form(o);
    rop_props_list(&p, tags);
    // Without a limit a few large values must not keep out all others.
    size_t max = limit ? limit : ROP_PROPERTY_MAX;
    wire_put_u16(c->w, 0);
    for (guint i = 0; i < tags->len && i < UINT16_MAX; i++)
        put_property(c, &p, &form, g_array_index(tags, proptag_t, i), max, is_unicode, &n);
    rop_props_end(&p);
    wire_patch_u16(c->w, 0, (uint16_t)n);
    return EC_OK;
}

enum ec rop_get_properties_list(struct rop_call *c) {
    struct rop_object *o;
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    EC_TRY(rop_list_props(o, tx, tags));
    struct columns columns = {tags->len, (const proptag_t *)(void *)tags->data};
    columns_put(c->w, &columns);
    return EC_OK;
}

// --- Changing ---

void rop_put_problems(struct wire_writer *w, const GArray *problems) {
    wire_put_u16(w, (uint16_t)problems->len);
    for (guint i = 0; i < problems->len; i++) {
        const struct rop_problem *p = &g_array_index(problems, struct rop_problem, i);
        wire_put_u16(w, p->index);
        wire_put_u32(w, p->tag);
        wire_put_u32(w, rop_error(p->ec));
    }
}

enum ec rop_set_properties(struct rop_call *c) {
    struct wire_reader sub = wire_sub(c->r, wire_u16(c->r));
    struct rop_object *o;
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(struct rop_problem));
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    struct prop_wire form = rop_form(o);
    unsigned n = wire_u16(&sub);
    struct prop_value *values = prop_wire_tagged_array(&sub, &form, c->arena, n);
    if (!values || !wire_ok(&sub))
        return EC_RPC_FORMAT;
    EC_TRY(rop_set_props(o, values, n, problems));
    rop_put_problems(c->w, problems);
    return EC_OK;
}

enum ec rop_delete_properties(struct rop_call *c) {
    struct columns tags = columns_read(c->r, c->arena);
    struct rop_object *o;
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(struct rop_problem));
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(rop_remove_props(o, tags.tags, tags.n, problems));
    rop_put_problems(c->w, problems);
    return EC_OK;
}

// Everything is done before its response: there is never anything to ask about.
enum ec rop_progress(struct rop_call *c) {
    struct rop_object *o;
    wire_u8(c->r); // WantCancel
    return rop_in(c, 0, &o);
}
