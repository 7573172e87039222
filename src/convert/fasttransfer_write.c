// Writing a FastTransfer stream ([MS-OXCFXICS] 2.2.4.1). The bytes wait in one buffer; beside it
// stand the ends of atoms, so that a buffer for the client is cut where it may be.
#include <string.h>

#include "base/text.h"
#include "convert/fasttransfer.h"
#include "mapi/code_page.h"
#include "mapi/prop_shape.h"

#define CODE_PAGE_TYPE_UNICODE 0x84B0u // 0x8000 and code page 1200

// The end of an atom, or of a variable-size value, which may be cut anywhere.
struct atom {
    size_t end;
    bool is_value;
};

struct ft_writer {
    enum ft_strings strings;
    unsigned code_page;
    GByteArray *bytes;
    GArray *atoms; // of struct atom
    size_t taken;  // bytes of `bytes` that are gone
    unsigned at;   // the first atom that is not wholly taken
};

struct ft_writer *ft_writer_new(enum ft_strings strings, unsigned code_page) {
    struct ft_writer *w = g_new0(struct ft_writer, 1);
    w->strings = strings;
    w->code_page = code_page ? code_page : CODE_PAGE_WINDOWS_1252;
    w->bytes = g_byte_array_new();
    w->atoms = g_array_new(FALSE, FALSE, sizeof(struct atom));
    return w;
}

void ft_writer_free(struct ft_writer *w) {
    if (!w)
        return;
    g_byte_array_unref(w->bytes);
    g_array_unref(w->atoms);
    g_free(w);
}

bool ft_is_marker(uint32_t tag) {
    switch (tag) {
    case FT_START_TOP_FOLDER:
    case FT_START_SUB_FOLDER:
    case FT_END_FOLDER:
    case FT_START_MESSAGE:
    case FT_START_FAI_MESSAGE:
    case FT_END_MESSAGE:
    case FT_START_EMBED:
    case FT_END_EMBED:
    case FT_START_RECIPIENT:
    case FT_END_RECIPIENT:
    case FT_NEW_ATTACHMENT:
    case FT_END_ATTACHMENT:
    case FT_CHANGE:
    case FT_CHANGE_PARTIAL:
    case FT_DELETIONS:
    case FT_SYNC_END:
    case FT_READ_STATES:
    case FT_STATE_BEGIN:
    case FT_STATE_END:
    case FT_PROGRESS_TOTAL:
    case FT_PROGRESS_ITEM:
    case FT_SYNC_MESSAGE:
    case FT_GROUP_INFO:
    case FT_ERROR_INFO:
        return true;
    default:
        return false;
    }
}

// --- Atoms ---

static void end_atom(struct ft_writer *w, bool is_value) {
    struct atom a = {w->bytes->len, is_value};
    g_array_append_val(w->atoms, a);
}

static void put(struct ft_writer *w, const void *data, size_t len) {
    g_byte_array_append(w->bytes, data, (guint)len);
}

static void put_u16(struct ft_writer *w, uint16_t v) {
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    put(w, b, sizeof b);
}

static void put_u32(struct ft_writer *w, uint32_t v) {
    uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    put(w, b, sizeof b);
}

static void put_length(struct ft_writer *w, size_t len) {
    put_u32(w, (uint32_t)len);
    end_atom(w, false);
}

static void put_sized(struct ft_writer *w, const void *data, size_t len) {
    put_length(w, len);
    if (len == 0)
        return;
    put(w, data, len);
    end_atom(w, true);
}

void ft_put_marker(struct ft_writer *w, enum ft_marker marker) {
    put_u32(w, marker);
    end_atom(w, false);
}

// --- Values ---

static uint16_t string_type(const struct ft_writer *w, bool is_mv) {
    // Code page property types have no multi-valued form.
    if (w->strings == FT_STRINGS_TYPED && !is_mv)
        return CODE_PAGE_TYPE_UNICODE;
    if (w->strings == FT_STRINGS_CODE_PAGE)
        return is_mv ? PT_MV_STRING8 : PT_STRING8;
    return is_mv ? PT_MV_UNICODE : PT_UNICODE;
}

static void put_string(struct ft_writer *w, const char *s) {
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    if (w->strings == FT_STRINGS_CODE_PAGE) {
        code_page_from_utf8(w->code_page, s, bytes);
        g_byte_array_append(bytes, (const guint8 *)"", 1);
    } else {
        text_to_utf16(s, strlen(s), bytes);
        g_byte_array_append(bytes, (const guint8 *)"\0", 2);
    }
    put_sized(w, bytes->data, bytes->len);
}

static void put_name(struct ft_writer *w, const struct prop_name *name) {
    put(w, name->set.bytes, sizeof name->set.bytes);
    if (name->kind == PROP_NAME_LID) {
        put(w, "", 1);
        put_u32(w, name->lid);
        return;
    }
    put(w, "\1", 1);
    text_to_utf16(name->string, strlen(name->string), w->bytes);
    put(w, "\0", 2);
}

static void put_definition(struct ft_writer *w, uint16_t type, uint16_t id,
                           const struct prop_name *name) {
    put_u16(w, type);
    put_u16(w, id);
    if (id >= 0x8000)
        put_name(w, name);
    end_atom(w, false);
}

static void put_fixed(struct ft_writer *w, const struct prop_value *v) {
    if (PROP_TYPE(v->tag) == PT_BOOLEAN) // two bytes here (2.2.4.1.3)
        put_u16(w, v->b);
    else
        put(w, prop_fixed_const(v), prop_fixed_size(PROP_TYPE(v->tag)));
    end_atom(w, false);
}

static void put_many(struct ft_writer *w, const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    unsigned fixed = prop_fixed_size(type);
    put_length(w, v->mv.n);
    for (uint32_t i = 0; i < v->mv.n; i++) {
        if (fixed) {
            put(w, (const uint8_t *)v->mv.i2 + (size_t)i * fixed, fixed);
            end_atom(w, false);
        } else if (type == PT_MV_BINARY) {
            put_sized(w, v->mv.bin[i].data, v->mv.bin[i].len);
        } else {
            put_string(w, v->mv.str[i]);
        }
    }
}

static bool has_form(uint16_t type) {
    return type != PT_NULL && type != PT_ERROR && type != PT_UNSPECIFIED && type != PT_SRESTRICT &&
           type != PT_ACTIONS && prop_type_is_valid(type);
}

void ft_put_value(struct ft_writer *w, const struct prop_value *v, const struct prop_name *name) {
    uint16_t type = PROP_TYPE(v->tag), id = PROP_ID(v->tag);
    if (v->is_external || !has_form(type) || (id >= 0x8000 && !name))
        return;
    bool is_mv = prop_is_mv(type), is_string = prop_is_string(type);
    put_definition(w, is_string ? string_type(w, is_mv) : type, id, name);
    if (is_mv)
        put_many(w, v);
    else if (is_string)
        put_string(w, v->str);
    else if (prop_is_bytes(type))
        put_sized(w, v->bin.data, v->bin.len);
    else
        put_fixed(w, v);
}

void ft_put_long(struct ft_writer *w, proptag_t tag, int32_t value) {
    struct prop_value v = prop_long(tag, value);
    ft_put_value(w, &v, NULL);
}

void ft_put_binary(struct ft_writer *w, proptag_t tag, const void *data, size_t len) {
    put_definition(w, PROP_TYPE(tag), PROP_ID(tag), NULL); // MetaTagIdsetGiven keeps its type
    put_sized(w, data, len);
}

// --- Taking ---

size_t ft_pending(const struct ft_writer *w) {
    return w->bytes->len - w->taken;
}

// Drops what is taken when it is most of the buffer.
static void compact(struct ft_writer *w) {
    if (w->taken < w->bytes->len && w->taken < 64 * 1024)
        return;
    if (w->taken < w->bytes->len / 2)
        return;
    g_byte_array_remove_range(w->bytes, 0, (guint)w->taken);
    g_array_remove_range(w->atoms, 0, w->at);
    for (unsigned i = 0; i < w->atoms->len; i++)
        g_array_index(w->atoms, struct atom, i).end -= w->taken;
    w->taken = 0;
    w->at = 0;
}

size_t ft_take(struct ft_writer *w, size_t max, GByteArray *out) {
    size_t from = w->taken, limit = from + MIN(max, ft_pending(w)), to = from;
    for (; w->at < w->atoms->len; w->at++) {
        const struct atom *a = &g_array_index(w->atoms, struct atom, w->at);
        if (a->end > limit) {
            if (a->is_value)
                to = limit;
            break;
        }
        to = a->end;
    }
    g_byte_array_append(out, w->bytes->data + from, (guint)(to - from));
    w->taken = to;
    compact(w);
    return to - from;
}

void ft_cut(struct ft_writer *w, size_t mark) {
    size_t end = w->taken + mark;
    while (w->atoms->len > w->at &&
           g_array_index(w->atoms, struct atom, w->atoms->len - 1).end > end)
        g_array_set_size(w->atoms, w->atoms->len - 1);
    if (w->bytes->len > end)
        g_byte_array_set_size(w->bytes, (guint)end);
}
