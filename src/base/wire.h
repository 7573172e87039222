// Bounds-checked cursors over foreign bytes and into growing buffers.
//
// Both have a sticky error: after the first read past the end (or write past the maximum) every
// further read gives zero and every write does nothing, so that a decoder reads a whole structure
// and checks `wire_ok` once. Little-endian unless the name says `be`.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"

struct wire_reader {
    const uint8_t *data; // borrowed
    size_t len;
    size_t pos;
    bool failed;
};

static inline struct wire_reader wire_reader(const void *data, size_t len) {
    return (struct wire_reader){.data = data, .len = len};
}

static inline bool wire_ok(const struct wire_reader *r) {
    return !r->failed;
}

static inline size_t wire_left(const struct wire_reader *r) {
    return r->failed ? 0 : r->len - r->pos;
}

// Marks the reader failed: what was read made no sense.
void wire_fail(struct wire_reader *r);

uint8_t wire_u8(struct wire_reader *r);
uint16_t wire_u16(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);
uint16_t wire_be16(struct wire_reader *r);
uint32_t wire_be32(struct wire_reader *r);
uint64_t wire_be64(struct wire_reader *r);
struct guid wire_guid(struct wire_reader *r);

// A variable-length unsigned number, 7 bits a byte, lowest first (our own stored formats).
uint64_t wire_varint(struct wire_reader *r);

// `len` bytes in place, borrowed from the input; NULL when there are fewer (the reader fails).
const uint8_t *wire_bytes(struct wire_reader *r, size_t len);

// A string in place up to its NUL, which is skipped too; NULL and failure when there is no NUL.
const char *wire_cstring(struct wire_reader *r);

// A reader over the next `len` bytes, which are skipped here.
struct wire_reader wire_sub(struct wire_reader *r, size_t len);

void wire_skip(struct wire_reader *r, size_t len);

// A growing buffer with a maximum. Zero bytes are allocated until the first write.
struct wire_writer {
    GByteArray *bytes;
    size_t max;
    bool failed;
};

// `max` is the size in bytes past which the writer fails instead of growing.
struct wire_writer wire_writer(size_t max);
void wire_writer_clear(struct wire_writer *w);

// Hands over the bytes written (g_byte_array_unref when done); the writer is empty afterwards.
// NULL when the writer had failed.
GByteArray *wire_writer_take(struct wire_writer *w);

static inline bool wire_writer_ok(const struct wire_writer *w) {
    return !w->failed;
}

static inline size_t wire_writer_len(const struct wire_writer *w) {
    return w->bytes ? w->bytes->len : 0;
}

void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u16(struct wire_writer *w, uint16_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_be16(struct wire_writer *w, uint16_t v);
void wire_put_be32(struct wire_writer *w, uint32_t v);
void wire_put_be64(struct wire_writer *w, uint64_t v);
void wire_put_guid(struct wire_writer *w, const struct guid *guid);
void wire_put_varint(struct wire_writer *w, uint64_t v);
void wire_put_bytes(struct wire_writer *w, const void *data, size_t len);
void wire_put_cstring(struct wire_writer *w, const char *s); // with its NUL

// Overwrites four bytes at `pos`, which must have been written already (a size known late).
void wire_patch_u16(struct wire_writer *w, size_t pos, uint16_t v);
void wire_patch_u32(struct wire_writer *w, size_t pos, uint32_t v);
