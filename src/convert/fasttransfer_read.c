// Reading a FastTransfer stream, put in pieces of any size ([MS-OXCFXICS] 2.2.4.1). Bytes wait
// until an element is whole; how many it takes is known from its head, so that a large value is
// looked at once.
#include <string.h>

#include "base/text.h"
#include "convert/fasttransfer.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define MAX_MANY 65535u                                   // values of a multi-valued property
#define MAX_NAME_BYTES (2 * (NAMED_STRING_MAX_UNITS + 1)) // of a name, its NUL included
#define HEAD_MAX 1024u                                    // bytes of an element beside its value
#define TYPE_IS_CODE_PAGE 0x8000u
#define CODE_PAGE_UTF16 1200u

struct ft_reader {
    unsigned code_page;
    size_t max;
    GByteArray *bytes;
    size_t at;     // what is before was read
    size_t wanted; // bytes from `at` without which the next element is not whole
};

struct ft_reader *ft_reader_new(unsigned code_page, size_t max) {
    struct ft_reader *r = g_new0(struct ft_reader, 1);
    r->code_page = code_page ? code_page : CODE_PAGE_WINDOWS_1252;
    r->max = MIN(max, (size_t)FT_VALUE_MAX);
    r->bytes = g_byte_array_new();
    return r;
}

void ft_reader_free(struct ft_reader *r) {
    if (!r)
        return;
    g_byte_array_unref(r->bytes);
    g_free(r);
}

void ft_reader_put(struct ft_reader *r, const void *data, size_t len) {
    if (r->at > 0) {
        g_byte_array_remove_range(r->bytes, 0, (guint)r->at);
        r->at = 0;
    }
    g_byte_array_append(r->bytes, data, (guint)len);
}

bool ft_reader_is_empty(const struct ft_reader *r) {
    return r->at == r->bytes->len;
}

// A try to read one element. A short read leaves how much is wanted. The first try only measures:
// an element that comes in many pieces is tried with each of them.
struct attempt {
    struct ft_reader *r;
    struct wire_reader w;
    struct arena *arena; // NULL: only measures
    enum ec ec;          // EC_OK: only short
};

static void refuse(struct attempt *a, enum ec ec) {
    if (a->ec == EC_OK)
        a->ec = ec;
    wire_fail(&a->w);
}

// False when fewer than `len` bytes are there.
static bool need(struct attempt *a, size_t len) {
    if (!wire_ok(&a->w))
        return false;
    if (wire_left(&a->w) >= len)
        return true;
    if (a->w.pos + len > a->r->max + HEAD_MAX)
        a->ec = EC_MESSAGE_TOO_BIG;
    a->r->wanted = a->w.pos + len;
    wire_fail(&a->w);
    return false;
}

static struct prop_bin read_sized(struct attempt *a) {
    if (!need(a, 4))
        return (struct prop_bin){0, NULL};
    uint32_t len = wire_u32(&a->w);
    if (len > a->r->max) {
        refuse(a, EC_MESSAGE_TOO_BIG);
        return (struct prop_bin){0, NULL};
    }
    if (!need(a, len))
        return (struct prop_bin){0, NULL};
    return (struct prop_bin){len, wire_bytes(&a->w, len)};
}

// A string's bytes; the NUL at the end is taken off when it is there (2.2.4.1.3).
static const char *read_string(struct attempt *a, unsigned code_page) {
    struct prop_bin b = read_sized(a);
    if (!wire_ok(&a->w))
        return "";
    if (code_page == CODE_PAGE_UTF16) {
        if (b.len % 2)
            refuse(a, EC_FORMAT_ERROR);
        return a->arena ? text_from_utf16(a->arena, b.data, b.len & ~1u) : "";
    }
    return a->arena ? code_page_to_utf8(a->arena, code_page, (const char *)b.data, b.len) : "";
}

static void read_fixed(struct attempt *a, uint16_t type, struct prop_value *v) {
    unsigned size = type == PT_BOOLEAN ? 2 : prop_fixed_size(type);
    if (!need(a, size))
        return;
    if (type == PT_BOOLEAN)
        v->b = wire_u16(&a->w) != 0;
    else
        memcpy(prop_fixed(v), wire_bytes(&a->w, size), size);
}

static void read_many(struct attempt *a, uint16_t type, unsigned code_page, struct prop_value *v) {
    if (!need(a, 4))
        return;
    uint32_t n = wire_u32(&a->w);
    unsigned fixed = prop_fixed_size(type);
    size_t least = fixed ? fixed : 4;
    if (n > MAX_MANY) {
        refuse(a, EC_MESSAGE_TOO_BIG);
        return;
    }
    if (!need(a, n * least))
        return;
    v->mv.n = n;
    if (fixed) {
        const uint8_t *p = wire_bytes(&a->w, (size_t)n * fixed);
        v->mv.i2 = a->arena ? arena_memdup(a->arena, p, (size_t)n * fixed) : NULL;
        return;
    }
    struct prop_bin *bin = a->arena ? arena_alloc(a->arena, n * sizeof *bin) : NULL;
    const char **str = a->arena ? arena_alloc(a->arena, n * sizeof *str) : NULL;
    for (uint32_t i = 0; i < n && wire_ok(&a->w); i++) {
        if (type == PT_MV_BINARY) {
            struct prop_bin b = read_sized(a);
            if (bin)
                bin[i] = (struct prop_bin){b.len, arena_memdup(a->arena, b.data, b.len)};
        } else {
            const char *s = read_string(a, code_page);
            if (str)
                str[i] = s;
        }
    }
    if (type == PT_MV_BINARY)
        v->mv.bin = bin;
    else
        v->mv.str = str;
}

static void read_name(struct attempt *a, struct prop_name *out) {
    if (!need(a, 17))
        return;
    out->set = wire_guid(&a->w);
    uint8_t kind = wire_u8(&a->w);
    if (kind == PROP_NAME_LID) {
        out->kind = PROP_NAME_LID;
        if (need(a, 4))
            out->lid = wire_u32(&a->w);
        return;
    }
    if (kind != PROP_NAME_STRING) {
        refuse(a, EC_FORMAT_ERROR);
        return;
    }
    const uint8_t *p = a->w.data + a->w.pos;
    size_t left = wire_left(&a->w), len = 0;
    while (len + 1 < left && (p[len] || p[len + 1]) && len < MAX_NAME_BYTES)
        len += 2;
    if (len >= MAX_NAME_BYTES)
        refuse(a, EC_FORMAT_ERROR);
    else if (need(a, len + 2)) {
        out->kind = PROP_NAME_STRING;
        out->string = a->arena ? text_from_utf16(a->arena, p, len) : "";
        wire_skip(&a->w, len + 2);
    }
}

// The type as we keep it and, for strings, their code page. False: no type of the stream.
static bool type_of(const struct attempt *a, uint32_t tag, uint16_t *type, unsigned *code_page) {
    *type = PROP_TYPE(tag);
    *code_page = CODE_PAGE_UTF16;
    if (tag == MetaTagIdsetGiven) {
        *type = PT_BINARY;
    } else if (*type & TYPE_IS_CODE_PAGE) {
        *code_page = *type & ~TYPE_IS_CODE_PAGE;
        *type = PT_UNICODE;
    } else if ((*type & ~PT_MV) == PT_STRING8) {
        *code_page = a->r->code_page;
        *type = *type & PT_MV ? PT_MV_UNICODE : PT_UNICODE;
    }
    return prop_fixed_size(*type) > 0
               ? *type != PT_ERROR && *type != (PT_ERROR | PT_MV) && *type != (PT_BOOLEAN | PT_MV)
               : prop_is_string(*type) || *type == PT_BINARY || *type == PT_SVREID ||
                     *type == PT_OBJECT || *type == PT_MV_BINARY;
}

static void read_value(struct attempt *a, uint32_t tag, struct ft_element *out) {
    uint16_t type;
    unsigned code_page;
    if (!type_of(a, tag, &type, &code_page)) {
        refuse(a, EC_FORMAT_ERROR);
        return;
    }
    out->kind = FT_VALUE;
    out->value = (struct prop_value){.tag = PROP_TAG(PROP_ID(tag), type)};
    if (PROP_IS_NAMED(tag)) {
        out->has_name = true;
        read_name(a, &out->name);
    }
    if (prop_is_mv(type)) {
        read_many(a, type, code_page, &out->value);
    } else if (prop_is_string(type)) {
        out->value.str = read_string(a, code_page);
    } else if (prop_is_bytes(type)) {
        out->value.bin = read_sized(a);
        if (a->arena && wire_ok(&a->w))
            out->value.bin.data = arena_memdup(a->arena, out->value.bin.data, out->value.bin.len);
    } else {
        read_fixed(a, type, &out->value);
    }
}

static enum ec try_element(struct attempt *a, struct ft_element *out) {
    *out = (struct ft_element){.kind = FT_MORE};
    uint32_t tag = wire_u32(&a->w);
    if (ft_is_marker(tag)) {
        out->kind = FT_MARKER;
        out->marker = tag;
    } else {
        read_value(a, tag, out);
    }
    if (!wire_ok(&a->w))
        *out = (struct ft_element){.kind = FT_MORE};
    return a->ec;
}

enum ec ft_reader_next(struct ft_reader *r, struct arena *arena, struct ft_element *out) {
    size_t left = r->bytes->len - r->at;
    *out = (struct ft_element){.kind = FT_MORE};
    if (left < MAX(r->wanted, (size_t)4))
        return EC_OK;
    struct wire_reader w = wire_reader(r->bytes->data + r->at, left);
    r->wanted = 0;
    struct attempt measure = {.r = r, .w = w};
    EC_TRY(try_element(&measure, out));
    if (out->kind == FT_MORE)
        return EC_OK;
    struct attempt a = {.r = r, .w = w, .arena = arena};
    EC_TRY(try_element(&a, out));
    r->at += a.w.pos;
    return EC_OK;
}
