// Extended buffers: a payload behind an RPC_HEADER_EXT, compressed or obfuscated
// ([MS-OXCRPC] 2.2.2.1, 3.1.4.1.1).
#include "protocol/rop/rop_internal.h"

enum { HEADER_COMPRESSED = 0x0001, HEADER_XOR = 0x0002, HEADER_LAST = 0x0004 };
#define XOR_BYTE 0xA5

enum ec rop_buffer_read(struct wire_reader *r, struct arena *arena, struct wire_reader *out,
                        bool *is_last_out) {
    uint16_t version = wire_u16(r), flags = wire_u16(r);
    uint16_t size = wire_u16(r), actual = wire_u16(r);
    const uint8_t *data = wire_bytes(r, size);
    if (!wire_ok(r) || version != 0)
        return EC_RPC_FORMAT;
    if (flags & HEADER_XOR) {
        uint8_t *clear = arena_memdup(arena, data, size);
        for (size_t i = 0; i < size; i++)
            clear[i] ^= XOR_BYTE;
        data = clear;
    }
    if (flags & HEADER_COMPRESSED)
        return EC_RPC_FORMAT;
    if (size != actual)
        return EC_RPC_FORMAT;
    *out = wire_reader(data, actual);
    *is_last_out = flags & HEADER_LAST;
    return EC_OK;
}

void rop_buffer_put(struct wire_writer *w, unsigned flags, const uint8_t *payload, size_t len,
                    size_t *flags_pos_out) {
    unsigned header = flags & ROP_NO_XOR ? 0 : HEADER_XOR;
    wire_put_u16(w, 0);
    *flags_pos_out = wire_writer_len(w);
    wire_put_u16(w, (uint16_t)header);
    wire_put_u16(w, (uint16_t)len);
    wire_put_u16(w, (uint16_t)len);
    size_t start = wire_writer_len(w);
    wire_put_bytes(w, payload, len);
    if (header & HEADER_XOR && wire_writer_ok(w))
        for (size_t i = 0; i < len; i++)
            w->bytes->data[start + i] ^= XOR_BYTE;
}

void rop_buffer_end(struct wire_writer *w, size_t flags_pos) {
    if (!wire_writer_ok(w))
        return;
    uint16_t flags = (uint16_t)(w->bytes->data[flags_pos] | w->bytes->data[flags_pos + 1] << 8);
    wire_patch_u16(w, flags_pos, flags | HEADER_LAST);
}
