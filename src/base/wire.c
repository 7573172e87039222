// Bounds-checked reading and writing of binary structures.
#include "base/wire.h"

#include <string.h>

void wire_fail(struct wire_reader *r) {
    r->failed = true;
}

const uint8_t *wire_bytes(struct wire_reader *r, size_t len) {
    if (r->failed || len > r->len - r->pos) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->pos;
    r->pos += len;
    return p;
}

static uint64_t read_le(struct wire_reader *r, size_t n) {
    const uint8_t *p = wire_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static uint64_t read_be(struct wire_reader *r, size_t n) {
    const uint8_t *p = wire_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

uint8_t wire_u8(struct wire_reader *r) {
    return (uint8_t)read_le(r, 1);
}

uint16_t wire_u16(struct wire_reader *r) {
    return (uint16_t)read_le(r, 2);
}

uint32_t wire_u32(struct wire_reader *r) {
    return (uint32_t)read_le(r, 4);
}

uint64_t wire_u64(struct wire_reader *r) {
    return read_le(r, 8);
}

uint16_t wire_be16(struct wire_reader *r) {
    return (uint16_t)read_be(r, 2);
}

uint32_t wire_be32(struct wire_reader *r) {
    return (uint32_t)read_be(r, 4);
}

uint64_t wire_be64(struct wire_reader *r) {
    return read_be(r, 8);
}

struct guid wire_guid(struct wire_reader *r) {
    struct guid guid = {{0}};
    const uint8_t *p = wire_bytes(r, sizeof guid.bytes);
    if (p)
        memcpy(guid.bytes, p, sizeof guid.bytes);
    return guid;
}

uint64_t wire_varint(struct wire_reader *r) {
    const uint8_t *p = r->data + r->pos;
    size_t max = MIN(wire_left(r), 10);
    uint64_t v = 0;
    for (size_t i = 0; i < max; i++) {
        if (i == 9 && p[i] > 1) // the 64th bit is the last
            break;
        v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80)) {
            r->pos += i + 1;
            return v;
        }
    }
    r->failed = true;
    return 0;
}

const char *wire_cstring(struct wire_reader *r) {
    size_t left = wire_left(r);
    const uint8_t *p = r->data + r->pos;
    const uint8_t *end = left ? memchr(p, 0, left) : NULL;
    if (!end) {
        r->failed = true;
        return NULL;
    }
    r->pos += (size_t)(end - p) + 1;
    return (const char *)p;
}

struct wire_reader wire_sub(struct wire_reader *r, size_t len) {
    const uint8_t *p = wire_bytes(r, len);
    struct wire_reader sub = wire_reader(p, p ? len : 0);
    sub.failed = !p;
    return sub;
}

void wire_skip(struct wire_reader *r, size_t len) {
    wire_bytes(r, len);
}

struct wire_writer wire_writer(size_t max) {
    return (struct wire_writer){.bytes = g_byte_array_new(), .max = max};
}

void wire_writer_clear(struct wire_writer *w) {
    if (w->bytes)
        g_byte_array_unref(w->bytes);
    w->bytes = NULL;
}

GByteArray *wire_writer_take(struct wire_writer *w) {
    GByteArray *bytes = w->bytes;
    w->bytes = NULL; // the next write makes a new one: most writers end here and are not cleared
    if (!w->failed)
        return bytes ? bytes : g_byte_array_new();
    if (bytes)
        g_byte_array_unref(bytes);
    return NULL;
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t len) {
    if (w->failed || len > w->max - MIN(w->max, wire_writer_len(w)) || len > G_MAXUINT / 2) {
        w->failed = true;
        return;
    }
    if (!len)
        return;
    if (!w->bytes)
        w->bytes = g_byte_array_new();
    g_byte_array_append(w->bytes, data, (guint)len);
}

static void put_le(struct wire_writer *w, uint64_t v, size_t n) {
    uint8_t b[8];
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    wire_put_bytes(w, b, n);
}

static void put_be(struct wire_writer *w, uint64_t v, size_t n) {
    uint8_t b[8];
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    wire_put_bytes(w, b, n);
}

void wire_put_u8(struct wire_writer *w, uint8_t v) {
    put_le(w, v, 1);
}

void wire_put_u16(struct wire_writer *w, uint16_t v) {
    put_le(w, v, 2);
}

void wire_put_u32(struct wire_writer *w, uint32_t v) {
    put_le(w, v, 4);
}

void wire_put_u64(struct wire_writer *w, uint64_t v) {
    put_le(w, v, 8);
}

void wire_put_be16(struct wire_writer *w, uint16_t v) {
    put_be(w, v, 2);
}

void wire_put_be32(struct wire_writer *w, uint32_t v) {
    put_be(w, v, 4);
}

void wire_put_be64(struct wire_writer *w, uint64_t v) {
    put_be(w, v, 8);
}

void wire_put_guid(struct wire_writer *w, const struct guid *guid) {
    wire_put_bytes(w, guid->bytes, sizeof guid->bytes);
}

void wire_put_varint(struct wire_writer *w, uint64_t v) {
    while (v >= 0x80) {
        wire_put_u8(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    wire_put_u8(w, (uint8_t)v);
}

void wire_put_cstring(struct wire_writer *w, const char *s) {
    wire_put_bytes(w, s, strlen(s) + 1);
}

void wire_patch_u16(struct wire_writer *w, size_t pos, uint16_t v) {
    if (w->failed)
        return;
    g_assert(pos + 2 <= wire_writer_len(w));
    w->bytes->data[pos] = (uint8_t)v;
    w->bytes->data[pos + 1] = (uint8_t)(v >> 8);
}

void wire_patch_u32(struct wire_writer *w, size_t pos, uint32_t v) {
    if (w->failed)
        return;
    g_assert(pos + 4 <= wire_writer_len(w));
    for (unsigned i = 0; i < 4; i++)
        w->bytes->data[pos + i] = (uint8_t)(v >> (8 * i));
}
