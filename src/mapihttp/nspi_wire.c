// The structures of the address book's bodies ([MS-OXCMAPIHTTP] 2.2.1, [MS-OXNSPI] 2.2.8).
#include "mapi/prop_shape.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

#define MAX_TAGS 100000 // of a LargePropertyTagArray

bool nspi_wire_stat(struct wire_reader *r, struct nspi_stat *out) {
    *out = (struct nspi_stat){0};
    if (!wire_u8(r))
        return false;
    out->sort_type = wire_u32(r);
    out->container = wire_u32(r);
    out->current = wire_u32(r);
    out->delta = (int32_t)wire_u32(r);
    out->position = wire_u32(r);
    out->total = wire_u32(r);
    out->code_page = wire_u32(r);
    out->template_locale = wire_u32(r);
    out->sort_locale = wire_u32(r);
    return wire_ok(r);
}

void nspi_wire_put_stat(struct wire_writer *w, bool is_there, const struct nspi_stat *stat) {
    wire_put_u8(w, is_there ? 0xFF : 0);
    if (!is_there)
        return;
    wire_put_u32(w, stat->sort_type);
    wire_put_u32(w, stat->container);
    wire_put_u32(w, stat->current);
    wire_put_u32(w, (uint32_t)stat->delta);
    wire_put_u32(w, stat->position);
    wire_put_u32(w, stat->total);
    wire_put_u32(w, stat->code_page);
    wire_put_u32(w, stat->template_locale);
    wire_put_u32(w, stat->sort_locale);
}

// A count of four bytes and as many numbers; NULL: too many, or cut off.
static uint32_t *read_numbers(struct wire_reader *r, struct arena *arena, unsigned *n_out) {
    uint32_t n = wire_u32(r);
    if (n > MAX_TAGS || n > wire_left(r) / 4) {
        wire_fail(r);
        n = 0;
    }
    uint32_t *numbers = arena_alloc(arena, (n + 1) * sizeof *numbers);
    for (uint32_t i = 0; i < n; i++)
        numbers[i] = wire_u32(r);
    *n_out = n;
    return numbers;
}

struct columns nspi_wire_columns(struct wire_reader *r, struct arena *arena, bool *is_there_out) {
    struct columns out = {0};
    *is_there_out = wire_u8(r) != 0;
    if (*is_there_out)
        out.tags = read_numbers(r, arena, &out.n);
    return out;
}

struct nspi_mids nspi_wire_mids(struct wire_reader *r, struct arena *arena) {
    struct nspi_mids out;
    out.ids = read_numbers(r, arena, &out.n);
    return out;
}

void nspi_wire_put_tags(struct wire_writer *w, unsigned n, const uint32_t *tags) {
    wire_put_u32(w, n);
    for (unsigned i = 0; i < n; i++)
        wire_put_u32(w, tags[i]);
}

static struct prop_wire form_of(uint32_t code_page) {
    // What is asked for in 8 bits with a code page of 16, and in TELETEX, comes in Windows-1252.
    bool is_odd = code_page == NSPI_CODE_PAGE_UNICODE || code_page == NSPI_CODE_PAGE_TELETEX;
    return (struct prop_wire){PROP_WIRE_MARKED, is_odd ? 1252 : code_page};
}

// Columns, then rows of values by themselves.
void nspi_wire_put_rows(struct wire_writer *w, uint32_t code_page, const struct nspi_rows *rows) {
    struct prop_wire form = form_of(code_page);
    nspi_wire_put_tags(w, rows->columns.n, rows->columns.tags);
    wire_put_u32(w, rows->n);
    const struct prop_value **values = g_new(const struct prop_value *, rows->columns.n + 1);
    for (unsigned i = 0; i < rows->n && wire_writer_ok(w); i++) {
        for (unsigned k = 0; k < rows->columns.n; k++)
            values[k] = &rows->rows[i][k];
        row_put(w, &form, &rows->columns, values);
    }
    g_free(values);
}

static uint16_t list_type(const struct prop_value *v, bool is_string8) {
    uint16_t type = PROP_TYPE(v->tag);
    return is_string8 && prop_is_string(type) ? type - (PT_UNICODE - PT_STRING8) : type;
}

// An AddressBookPropertyValueList: values with their tags.
void nspi_wire_put_list(struct wire_writer *w, uint32_t code_page, const struct nspi_list *list) {
    struct prop_wire form = form_of(code_page);
    wire_put_u32(w, list->n);
    for (unsigned i = 0; i < list->n; i++) {
        const struct prop_value *v = &list->values[i];
        uint16_t type = list_type(v, list->is_string8);
        wire_put_u32(w, PROP_TAG(PROP_ID(v->tag), type));
        if (type == PT_ERROR)
            wire_put_u32(w, (uint32_t)v->l);
        else
            prop_wire_put_value(w, &form, type, v);
    }
}
