// The stored form of property bags:
//
//     u8 width     1: offsets are u16; 2: offsets are u32
//     u8 0
//     u16 count
//     count times: u32 tag (bit 15 of the type: external), offset of the value; sorted by tag
//     the values one after the other; each ends where the next begins
//
// Values: fixed-size types as on the wire; strings with their NUL; binaries as they are;
// multi-valued ones: varint count, then the elements (binaries with a varint length each); external
// ones: varint blob, pos, len, u8 encoding, charset with its NUL. It is stored in mailboxes, so
// that a change of it needs a new first byte.
//
// Reading is written on plain pointers that were checked once a value: lists read properties of
// very many messages straight from here.
#include <string.h>

#include "mapi/bag.h"
#include "mapi/bag_internal.h"
#include "mapi/prop_shape.h"

#define HEADER 4
#define EXTERNAL 0x8000u
enum width { NARROW = 1, WIDE = 2 };

// --- Sizes ---
static size_t varint_size(uint64_t v) {
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static size_t external_size(const struct prop_external *e) {
    return varint_size(e->blob) + varint_size(e->pos) + varint_size(e->len) + 1 +
           (e->charset ? strlen(e->charset) : 0) + 1;
}

static size_t mv_size(const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    size_t size = varint_size(v->mv.n);
    if (type == PT_MV_UNICODE) {
        for (uint32_t i = 0; i < v->mv.n; i++)
            size += strlen(v->mv.str[i]) + 1;
    } else if (type == PT_MV_BINARY) {
        for (uint32_t i = 0; i < v->mv.n; i++)
            size += varint_size(v->mv.bin[i].len) + v->mv.bin[i].len;
    } else {
        size += (size_t)v->mv.n * prop_fixed_size(type);
    }
    return size;
}

size_t bag_value_size(const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (v->is_external)
        return external_size(&v->external);
    if (prop_is_mv(type))
        return mv_size(v);
    if (type == PT_UNICODE)
        return strlen(v->str) + 1;
    unsigned fixed = prop_fixed_size(type);
    return fixed ? fixed : v->bin.len;
}

// --- Writing: into memory that was measured before ---
static uint8_t *put(uint8_t *p, const void *data, size_t len) {
    if (len)
        memcpy(p, data, len);
    return p + len;
}

static uint8_t *put_le(uint8_t *p, uint64_t v, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
    return p + n;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v) {
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *put_cstring(uint8_t *p, const char *s) {
    return put(p, s, strlen(s) + 1);
}

static uint8_t *put_external(uint8_t *p, const struct prop_external *e) {
    p = put_varint(p, e->blob);
    p = put_varint(p, e->pos);
    p = put_varint(p, e->len);
    *p++ = e->encoding;
    return put_cstring(p, e->charset ? e->charset : "");
}

static uint8_t *put_mv(uint8_t *p, const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    p = put_varint(p, v->mv.n);
    if (type == PT_MV_UNICODE) {
        for (uint32_t i = 0; i < v->mv.n; i++)
            p = put_cstring(p, v->mv.str[i]);
    } else if (type == PT_MV_BINARY) {
        for (uint32_t i = 0; i < v->mv.n; i++) {
            p = put_varint(p, v->mv.bin[i].len);
            p = put(p, v->mv.bin[i].data, v->mv.bin[i].len);
        }
    } else {
        p = put(p, v->mv.i2, (size_t)v->mv.n * prop_fixed_size(type));
    }
    return p;
}

static uint8_t *put_value(uint8_t *p, const struct prop_value *v) {
    uint16_t type = PROP_TYPE(v->tag);
    if (v->is_external)
        return put_external(p, &v->external);
    if (prop_is_mv(type))
        return put_mv(p, v);
    if (type == PT_UNICODE)
        return put_cstring(p, v->str);
    unsigned fixed = prop_fixed_size(type);
    return fixed ? put(p, prop_fixed_const(v), fixed) : put(p, v->bin.data, v->bin.len);
}

GBytes *bag_encode(const struct bag *bag) {
    size_t narrow = HEADER + (size_t)bag->n * 6 + bag->bytes;
    unsigned offset_size = narrow <= UINT16_MAX ? 2 : 4;
    size_t values = HEADER + (size_t)bag->n * (4 + offset_size);
    uint8_t *start = g_malloc(values + bag->bytes);
    uint8_t *p = put_le(start, offset_size == 2 ? NARROW : WIDE, 2);
    p = put_le(p, bag->n, 2);
    uint8_t *value = start + values;
    for (unsigned i = 0; i < bag->n; i++) {
        const struct prop_value *v = &bag->items[i];
        p = put_le(p, v->tag | (v->is_external ? EXTERNAL : 0), 4);
        p = put_le(p, (size_t)(value - start), offset_size);
        value = put_value(value, v);
    }
    g_assert(value == start + values + bag->bytes);
    return g_bytes_new_take(start, values + bag->bytes);
}

// --- Reading ---
struct stored {
    const uint8_t *data;
    size_t len;
    unsigned n, offset_size;
};

static uint32_t get_le(const uint8_t *p, unsigned n) {
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8;
    return n == 2 ? v : v | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool open_stored(const void *data, size_t len, struct stored *out) {
    const uint8_t *p = data;
    if (len < HEADER || p[0] < NARROW || p[0] > WIDE || p[1] != 0)
        return false;
    *out = (struct stored){p, len, get_le(p + 2, 2), p[0] == NARROW ? 2 : 4};
    return out->n <= BAG_MAX_PROPS && len >= HEADER + (size_t)out->n * (4 + out->offset_size);
}

static const uint8_t *entry(const struct stored *s, unsigned i) {
    return s->data + HEADER + (size_t)i * (4 + s->offset_size);
}

// Where the i-th value begins; the i past the last gives the end.
static size_t value_offset(const struct stored *s, unsigned i) {
    return i < s->n ? get_le(entry(s, i) + 4, s->offset_size) : s->len;
}

// A read position inside one value; `p` is NULL once something was wrong.
struct cursor {
    const uint8_t *p, *end;
};

static uint64_t get_varint(struct cursor *c) {
    uint64_t v = 0;
    for (unsigned shift = 0; c->p && c->p < c->end && shift < 63; shift += 7) {
        uint8_t b = *c->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b & 0x80)
            continue;
        if (b == 0 && shift > 0) // longer than put_varint writes: the sizes would not add up
            break;
        return v;
    }
    // The tenth byte of a full 64-bit number.
    if (c->p && c->p < c->end && *c->p == 1 && c->p[-1] & 0x80) {
        c->p++;
        return v | UINT64_C(1) << 63;
    }
    c->p = NULL;
    return 0;
}

static const char *get_cstring(struct cursor *c) {
    const char *s = (const char *)c->p;
    const uint8_t *nul = c->p && c->p < c->end ? memchr(c->p, 0, (size_t)(c->end - c->p)) : NULL;
    c->p = nul ? nul + 1 : NULL;
    return nul ? s : NULL;
}

static struct prop_bin get_bin(struct cursor *c) {
    uint64_t len = get_varint(c);
    if (!c->p || len > (size_t)(c->end - c->p)) {
        c->p = NULL;
        return (struct prop_bin){0};
    }
    struct prop_bin bin = {(uint32_t)len, c->p};
    c->p += len;
    return bin;
}

static void get_external(struct cursor *c, struct prop_value *v) {
    struct prop_external *e = &v->external;
    v->is_external = true;
    *e = (struct prop_external){0};
    e->blob = get_varint(c);
    e->pos = get_varint(c);
    e->len = get_varint(c);
    if (!c->p || c->p == c->end) {
        c->p = NULL;
        return;
    }
    e->encoding = *c->p++;
    const char *charset = get_cstring(c);
    e->charset = charset && *charset ? charset : NULL;
}

static void get_mv(struct cursor *c, struct prop_value *v, struct arena *arena) {
    uint16_t type = PROP_TYPE(v->tag);
    uint64_t n = get_varint(c);
    unsigned fixed = prop_fixed_size(type);
    size_t left = c->p ? (size_t)(c->end - c->p) : 0;
    if (!c->p || n > left / (fixed ? fixed : 1)) { // an element takes a byte at least
        c->p = NULL;
        return;
    }
    v->mv.n = (uint32_t)n;
    if (type == PT_MV_UNICODE) {
        const char **str = arena_alloc(arena, n * sizeof *str);
        for (uint64_t i = 0; i < n; i++)
            str[i] = get_cstring(c);
        v->mv.str = str;
    } else if (type == PT_MV_BINARY) {
        struct prop_bin *bin = arena_alloc(arena, n * sizeof *bin);
        for (uint64_t i = 0; i < n; i++)
            bin[i] = get_bin(c);
        v->mv.bin = bin;
    } else {
        v->mv.i2 = arena_memdup(arena, c->p, n * fixed); // the input is not aligned
        c->p += n * fixed;
    }
}

// The value between two offsets, borrowed from the stored form where it can be. Whether the value
// fills them exactly.
static bool get_value(const struct stored *s, unsigned i, struct arena *arena,
                      struct prop_value *v) {
    size_t from = value_offset(s, i), to = value_offset(s, i + 1);
    if (from > to || to > s->len || from < (size_t)(entry(s, s->n) - s->data))
        return false;
    uint32_t tag = get_le(entry(s, i), 4);
    v->tag = tag & ~EXTERNAL;
    v->is_external = false;
    struct cursor c = {s->data + from, s->data + to};
    uint16_t type = PROP_TYPE(v->tag);
    unsigned fixed = prop_fixed_size(type);
    if (!prop_type_is_valid(type))
        return false;
    if (tag & EXTERNAL) {
        get_external(&c, v);
    } else if (prop_is_mv(type)) {
        get_mv(&c, v, arena);
    } else if (type == PT_UNICODE) {
        v->str = get_cstring(&c);
    } else if (fixed) {
        if (to - from != fixed || (type == PT_BOOLEAN && *c.p > 1))
            return false;
        memcpy(prop_fixed(v), c.p, fixed);
        return true;
    } else {
        v->bin = (struct prop_bin){(uint32_t)(to - from), c.p};
        return true;
    }
    return c.p == c.end;
}

enum ec bag_decode(const void *data, size_t len, struct bag **out) {
    struct stored s;
    if (len > BAG_MAX_BYTES + (HEADER + BAG_MAX_PROPS * 8) || !open_stored(data, len, &s))
        return EC_CORRUPT_DATA;
    struct bag *bag = bag_new();
    bag->decoded = g_memdup2(data, len);
    s.data = bag->decoded;
    bag->items = g_new(struct prop_value, MAX(s.n, 1));
    bag->capacity = MAX(s.n, 1);
    size_t values = (size_t)(entry(&s, s.n) - s.data);
    bool ok = value_offset(&s, 0) == values;
    uint32_t last_id = 0;
    for (unsigned i = 0; ok && i < s.n; i++) {
        struct prop_value *v = &bag->items[i];
        if (!bag->arena && prop_is_mv((uint16_t)get_le(entry(&s, i), 4)))
            bag->arena = arena_new();
        ok = get_value(&s, i, bag->arena, v) && (i == 0 || PROP_ID(v->tag) > last_id);
        last_id = PROP_ID(v->tag);
        bag->n = i + 1;
    }
    bag->bytes = len - values;
    if (!ok) {
        bag_free(bag);
        return EC_CORRUPT_DATA;
    }
    *out = bag;
    return EC_OK;
}

enum ec bag_view_get(const void *data, size_t len, struct arena *arena, proptag_t tag,
                     struct prop_value *out) {
    struct stored s;
    if (!open_stored(data, len, &s))
        return EC_CORRUPT_DATA;
    unsigned low = 0, high = s.n, id = PROP_ID(tag);
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (get_le(entry(&s, mid) + 2, 2) < id)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s.n || get_le(entry(&s, low) + 2, 2) != id)
        return EC_NOT_FOUND;
    uint32_t found = get_le(entry(&s, low), 4) & ~EXTERNAL;
    if (found != tag && PROP_TYPE(tag) != PT_UNSPECIFIED)
        return EC_NOT_FOUND;
    return get_value(&s, low, arena, out) ? EC_OK : EC_CORRUPT_DATA;
}
