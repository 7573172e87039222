// Property rows and arrays of tags on the wire.
#include "mapi/row.h"

#include "mapi/prop_shape.h"

#define MV_INSTANCE 0x2000u

enum row_flag { ROW_STANDARD = 0x00, ROW_FLAGGED = 0x01 };

struct columns columns_read(struct wire_reader *r, struct arena *arena) {
    unsigned n = wire_u16(r);
    if (n > ROW_MAX_COLUMNS || n > wire_left(r) / 4) {
        wire_fail(r);
        return (struct columns){0};
    }
    proptag_t *tags = arena_alloc(arena, n * sizeof *tags);
    for (unsigned i = 0; i < n; i++)
        tags[i] = wire_u32(r);
    return (struct columns){n, tags};
}

void columns_put(struct wire_writer *w, const struct columns *columns) {
    wire_put_u16(w, (uint16_t)columns->n);
    for (unsigned i = 0; i < columns->n; i++)
        wire_put_u32(w, columns->tags[i]);
}

// The type a column's value has on the wire: that of one value for a multi-value instance.
static uint16_t wire_type(proptag_t column) {
    uint16_t type = PROP_TYPE(column);
    return type & MV_INSTANCE ? type & ~(PT_MV | MV_INSTANCE) : type;
}

uint16_t column_value_type(proptag_t column) {
    uint16_t type = wire_type(column);
    return (type & ~PT_MV) == PT_STRING8 ? type + (PT_UNICODE - PT_STRING8) : type;
}

static bool fits(proptag_t column, const struct prop_value *v) {
    uint16_t type = column_value_type(column);
    return !v->is_external && (type == PT_UNSPECIFIED || type == PROP_TYPE(v->tag));
}

static bool is_value(proptag_t column, const struct prop_value *v) {
    return v && PROP_TYPE(v->tag) != PT_ERROR && PROP_TYPE(v->tag) != PT_NULL && fits(column, v);
}

// What stands for a value that cannot be written.
static struct prop_value error_for(proptag_t column, const struct prop_value *v) {
    struct prop_value error = {.tag = PROP_TAG(PROP_ID(column), PT_ERROR), .l = EC_NOT_FOUND};
    if (v && PROP_TYPE(v->tag) == PT_ERROR)
        error.l = v->l;
    else if (v && PROP_TYPE(v->tag) != PT_NULL)
        error.l = v->is_external ? EC_NO_MEMORY : EC_UNEXPECTED_TYPE;
    return error;
}

void row_put(struct wire_writer *w, const struct prop_wire *form, const struct columns *columns,
             const struct prop_value *const *values) {
    bool is_standard = true;
    for (unsigned i = 0; i < columns->n; i++)
        is_standard = is_standard && is_value(columns->tags[i], values[i]);
    wire_put_u8(w, is_standard ? ROW_STANDARD : ROW_FLAGGED);
    for (unsigned i = 0; i < columns->n; i++) {
        const struct prop_value *v = values[i];
        proptag_t column = PROP_TAG(PROP_ID(columns->tags[i]), wire_type(columns->tags[i]));
        struct prop_value error;
        if (!is_value(columns->tags[i], v)) {
            error = error_for(column, v);
            v = &error;
        }
        if (!is_standard)
            prop_wire_put_flagged(w, form, column, v);
        else if (PROP_TYPE(column) == PT_UNSPECIFIED)
            prop_wire_put_typed(w, form, PROP_TYPE(v->tag), v);
        else
            prop_wire_put_value(w, form, PROP_TYPE(column), v);
    }
}

struct prop_value *row_read(struct wire_reader *r, const struct prop_wire *form,
                            struct arena *arena, const struct columns *columns) {
    uint8_t flag = wire_u8(r);
    if (flag > ROW_FLAGGED)
        wire_fail(r);
    struct prop_value *values = arena_alloc(arena, columns->n * sizeof *values);
    for (unsigned i = 0; i < columns->n; i++) {
        proptag_t column = PROP_TAG(PROP_ID(columns->tags[i]), wire_type(columns->tags[i]));
        values[i] = flag == ROW_STANDARD ? prop_wire_value(r, form, arena, column)
                                         : prop_wire_flagged(r, form, arena, column);
    }
    return wire_ok(r) ? values : NULL;
}
