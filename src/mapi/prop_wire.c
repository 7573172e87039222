// Reading and writing property values in the form of [MS-OXCDATA] 2.11.
#include "mapi/prop_wire.h"

#include <string.h>

#include "base/text.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"
#include "mapi/restriction.h"

enum property_flag { FLAG_VALUE = 0x00, FLAG_ABSENT = 0x01, FLAG_ERROR = 0x0A };
enum string_type {
    STRING_NONE = 0,
    STRING_EMPTY = 1,
    STRING_REDUCED = 3,
    STRING_UNICODE = 4,
};

// --- Strings ---
static const char *read_unicode(struct wire_reader *r, struct arena *arena) {
    size_t left = wire_left(r);
    const uint8_t *p = r->data + r->pos;
    for (size_t i = 0; i + 1 < left; i += 2) {
        if (p[i] == 0 && p[i + 1] == 0) {
            wire_skip(r, i + 2);
            return text_from_utf16(arena, p, i);
        }
    }
    wire_fail(r);
    return "";
}

static const char *read_string8(struct wire_reader *r, const struct prop_wire *form,
                                struct arena *arena) {
    const char *s = wire_cstring(r);
    return s ? code_page_to_utf8(arena, form->code_page, s, strlen(s)) : "";
}

const char *prop_wire_string(struct wire_reader *r, const struct prop_wire *form,
                             struct arena *arena, bool is_unicode) {
    return is_unicode ? read_unicode(r, arena) : read_string8(r, form, arena);
}

void prop_wire_put_string(struct wire_writer *w, const struct prop_wire *form, bool is_unicode,
                          const char *s) {
    size_t len = strlen(s);
    if (w->failed || len > w->max) {
        w->failed = true;
        return;
    }
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (is_unicode) {
        text_to_utf16(s, len, bytes);
        g_byte_array_append(bytes, (const guint8 *)"\0", 2);
    } else {
        code_page_from_utf8(form->code_page, s, bytes);
        g_byte_array_append(bytes, (const guint8 *)"", 1);
    }
    wire_put_bytes(w, bytes->data, bytes->len);
}

void prop_wire_put_typed_string(struct wire_writer *w, const char *s) {
    bool is_ascii = s && text_is_ascii(s, strlen(s));
    wire_put_u8(w, !s         ? STRING_NONE
                   : !*s      ? STRING_EMPTY
                   : is_ascii ? STRING_REDUCED
                              : STRING_UNICODE);
    if (s && *s && is_ascii)
        wire_put_cstring(w, s);
    else if (s && *s)
        prop_wire_put_string(w, &PROP_WIRE_ROP, true, s);
}

// --- Marks ---
static bool is_marked(const struct prop_wire *form, uint16_t type) {
    return form->count_size == PROP_WIRE_MARKED &&
           (type == PT_STRING8 || type == PT_UNICODE || type == PT_BINARY || type & PT_MV);
}

// Whether a value follows.
static bool read_mark(struct wire_reader *r) {
    uint8_t mark = wire_u8(r);
    if (mark != 0x00 && mark != 0xFF)
        wire_fail(r);
    return mark == 0xFF && wire_ok(r);
}

// --- Reading values ---
static uint32_t read_count(struct wire_reader *r, const struct prop_wire *form) {
    return form->count_size == 2 ? wire_u16(r) : wire_u32(r);
}

static struct prop_bin read_binary(struct wire_reader *r, const struct prop_wire *form) {
    uint32_t len = read_count(r, form);
    const uint8_t *data = wire_bytes(r, len);
    return (struct prop_bin){data ? len : 0, data};
}

// The bytes of a rule's actions: a count, then blocks that say how long they are
// ([MS-OXORULE] 2.2.5).
static struct prop_bin read_actions(struct wire_reader *r, const struct prop_wire *form) {
    size_t start = r->pos;
    uint32_t n = read_count(r, form);
    for (uint32_t i = 0; i < n && wire_ok(r); i++)
        wire_skip(r, read_count(r, form));
    return (struct prop_bin){(uint32_t)(r->pos - start), r->data + start};
}

static struct prop_bin read_restriction(struct wire_reader *r, const struct prop_wire *form,
                                        struct arena *arena) {
    size_t start = r->pos;
    struct restriction *unused;
    if (restriction_read(r, form, arena, &unused) != EC_OK)
        wire_fail(r);
    return (struct prop_bin){(uint32_t)(r->pos - start), r->data + start};
}

static void read_mv(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                    uint16_t type, struct prop_value *v) {
    uint32_t n = wire_u32(r);
    unsigned fixed = prop_fixed_size(type);
    unsigned least = fixed ? fixed : type == PT_MV_STRING8 || is_marked(form, type) ? 1 : 2;
    if (n > PROP_WIRE_MAX_VALUES || n > wire_left(r) / least) {
        wire_fail(r);
        return;
    }
    v->mv.n = n;
    if (fixed) {
        const uint8_t *p = wire_bytes(r, (size_t)n * fixed);
        v->mv.i2 = p ? arena_memdup(arena, p, (size_t)n * fixed) : NULL;
    } else if (type == PT_MV_BINARY) {
        struct prop_bin *bin = arena_alloc0(arena, n * sizeof *bin);
        for (uint32_t i = 0; i < n; i++)
            if (!is_marked(form, PT_BINARY) || read_mark(r))
                bin[i] = read_binary(r, form);
        v->mv.bin = bin;
    } else {
        const char **str = arena_alloc(arena, n * sizeof *str);
        for (uint32_t i = 0; i < n; i++)
            str[i] = !is_marked(form, PT_UNICODE) || read_mark(r)
                         ? prop_wire_string(r, form, arena, type == PT_MV_UNICODE)
                         : "";
        v->mv.str = str;
    }
}

static void read_fixed(struct wire_reader *r, uint16_t type, struct prop_value *v) {
    unsigned size = prop_fixed_size(type);
    const uint8_t *p = wire_bytes(r, size);
    if (!p)
        return;
    if (type == PT_BOOLEAN)
        v->b = *p != 0;
    else
        memcpy(prop_fixed(v), p, size);
}

static struct prop_value read_typed(struct wire_reader *r, const struct prop_wire *form,
                                    struct arena *arena, uint16_t id, uint16_t type) {
    struct prop_value v = {.tag = PROP_TAG(id, type)};
    if (is_marked(form, type) && !read_mark(r))
        return (struct prop_value){.tag = PROP_TAG(id, PT_NULL)};
    if (type == PT_OBJECT && form->count_size == PROP_WIRE_MARKED) {
        v.bin = (struct prop_bin){4, wire_bytes(r, 4)};
        return wire_ok(r) ? v : (struct prop_value){.tag = PROP_TAG(id, PT_NULL)};
    }
    switch (type) {
    case PT_NULL:
        break;
    case PT_STRING8:
        v.tag = PROP_TAG(id, PT_UNICODE);
        v.str = read_string8(r, form, arena);
        break;
    case PT_UNICODE:
        v.str = read_unicode(r, arena);
        break;
    case PT_BINARY:
    case PT_SVREID:
    case PT_OBJECT:
        v.bin = read_binary(r, form);
        break;
    case PT_SRESTRICT:
        v.bin = read_restriction(r, form, arena);
        break;
    case PT_ACTIONS:
        v.bin = read_actions(r, form);
        break;
    case PT_MV_STRING8:
        v.tag = PROP_TAG(id, PT_MV_UNICODE);
        read_mv(r, form, arena, type, &v);
        break;
    case PT_ERROR:
        read_fixed(r, type, &v);
        break;
    default:
        if (!prop_type_is_valid(type))
            wire_fail(r);
        else if (prop_is_mv(type))
            read_mv(r, form, arena, type, &v);
        else
            read_fixed(r, type, &v);
    }
    return wire_ok(r) ? v : (struct prop_value){.tag = PROP_TAG(id, PT_NULL)};
}

struct prop_value prop_wire_value(struct wire_reader *r, const struct prop_wire *form,
                                  struct arena *arena, proptag_t tag) {
    uint16_t type = PROP_TYPE(tag);
    if (type == PT_UNSPECIFIED)
        type = wire_u16(r);
    return read_typed(r, form, arena, PROP_ID(tag), type);
}

struct prop_value prop_wire_tagged(struct wire_reader *r, const struct prop_wire *form,
                                   struct arena *arena) {
    uint32_t tag = wire_u32(r);
    return read_typed(r, form, arena, PROP_ID(tag), PROP_TYPE(tag));
}

struct prop_value *prop_wire_tagged_array(struct wire_reader *r, const struct prop_wire *form,
                                          struct arena *arena, unsigned n) {
    if (n > PROP_WIRE_MAX_VALUES || n > wire_left(r) / 4) {
        wire_fail(r);
        return NULL;
    }
    struct prop_value *values = arena_alloc(arena, n * sizeof *values);
    for (unsigned i = 0; i < n; i++)
        values[i] = prop_wire_tagged(r, form, arena);
    return wire_ok(r) ? values : NULL;
}

struct prop_value prop_wire_flagged(struct wire_reader *r, const struct prop_wire *form,
                                    struct arena *arena, proptag_t tag) {
    uint16_t id = PROP_ID(tag), type = PROP_TYPE(tag);
    if (type == PT_UNSPECIFIED)
        type = wire_u16(r);
    switch (wire_u8(r)) {
    case FLAG_VALUE:
        return read_typed(r, form, arena, id, type);
    case FLAG_ERROR:
        return read_typed(r, form, arena, id, PT_ERROR);
    case FLAG_ABSENT:
        break;
    default:
        wire_fail(r);
    }
    return (struct prop_value){.tag = PROP_TAG(id, PT_NULL)};
}

// --- Writing values ---
static void put_binary(struct wire_writer *w, const struct prop_wire *form, struct prop_bin bin) {
    if (form->count_size == 2 && bin.len > UINT16_MAX)
        w->failed = true;
    else if (form->count_size == 2)
        wire_put_u16(w, (uint16_t)bin.len);
    else
        wire_put_u32(w, bin.len);
    wire_put_bytes(w, bin.data, bin.len);
}

static void put_mv(struct wire_writer *w, const struct prop_wire *form, uint16_t type,
                   const struct prop_value *v) {
    bool is_variable = !prop_fixed_size(type);
    wire_put_u32(w, v->mv.n);
    for (uint32_t i = 0; i < v->mv.n && is_variable; i++) {
        if (form->count_size == PROP_WIRE_MARKED)
            wire_put_u8(w, 0xFF);
        if (type == PT_MV_BINARY)
            put_binary(w, form, v->mv.bin[i]);
        else
            prop_wire_put_string(w, form, type == PT_MV_UNICODE, v->mv.str[i]);
    }
    if (!is_variable) {
        wire_put_bytes(w, v->mv.i2, (size_t)v->mv.n * prop_fixed_size(type));
    }
}

static bool type_fits(uint16_t wire_type, uint16_t type) {
    return wire_type == type || (wire_type == PT_STRING8 && type == PT_UNICODE) ||
           (wire_type == PT_MV_STRING8 && type == PT_MV_UNICODE);
}

void prop_wire_put_value(struct wire_writer *w, const struct prop_wire *form, uint16_t type,
                         const struct prop_value *v) {
    if (v->is_external || !type_fits(type, PROP_TYPE(v->tag)))
        w->failed = true;
    if (w->failed || type == PT_NULL)
        return;
    if (is_marked(form, type))
        wire_put_u8(w, 0xFF);
    if (type == PT_UNICODE || type == PT_STRING8)
        prop_wire_put_string(w, form, type == PT_UNICODE, v->str);
    else if (type == PT_SRESTRICT || type == PT_ACTIONS)
        wire_put_bytes(w, v->bin.data, v->bin.len);
    else if (type == PT_OBJECT && form->count_size == PROP_WIRE_MARKED)
        wire_put_bytes(w, v->bin.data, v->bin.len);
    else if (prop_is_bytes(type))
        put_binary(w, form, v->bin);
    else if (prop_is_mv(type))
        put_mv(w, form, type, v);
    else if (prop_fixed_size(type))
        wire_put_bytes(w, prop_fixed_const(v), prop_fixed_size(type));
    else
        w->failed = true;
}

void prop_wire_put_typed(struct wire_writer *w, const struct prop_wire *form, uint16_t type,
                         const struct prop_value *v) {
    wire_put_u16(w, type);
    prop_wire_put_value(w, form, type, v);
}

void prop_wire_put_tagged(struct wire_writer *w, const struct prop_wire *form,
                          const struct prop_value *v) {
    wire_put_u32(w, v->tag);
    prop_wire_put_value(w, form, PROP_TYPE(v->tag), v);
}

void prop_wire_put_flagged(struct wire_writer *w, const struct prop_wire *form, proptag_t tag,
                           const struct prop_value *v) {
    uint16_t type = PROP_TYPE(tag), own = v ? PROP_TYPE(v->tag) : PT_NULL;
    if (type == PT_UNSPECIFIED)
        wire_put_u16(w, type = own);
    if (own == PT_NULL) {
        wire_put_u8(w, FLAG_ABSENT);
    } else if (own == PT_ERROR) {
        wire_put_u8(w, FLAG_ERROR);
        wire_put_u32(w, (uint32_t)v->l);
    } else {
        wire_put_u8(w, FLAG_VALUE);
        prop_wire_put_value(w, form, type, v);
    }
}
