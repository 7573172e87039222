// Extended buffers: a payload behind an RPC_HEADER_EXT, compressed or obfuscated
// ([MS-OXCRPC] 2.2.2.1, 3.1.4.1.1).
#include "formats/lzxpress.h"
#include "protocol/rop/rop_internal.h"

enum { HEADER_COMPRESSED = 0x0001, HEADER_XOR = 0x0002, HEADER_LAST = 0x0004 };
#define COMPRESS_MIN 256 // bytes from which on compressing is tried

enum ec rop_buffer_read(struct wire_reader *r, struct arena *arena, struct wire_reader *out,
                        bool *is_last_out) {
    uint16_t version = wire_u16(r), flags = wire_u16(r);
    uint16_t size = wire_u16(r), actual = wire_u16(r);
    const uint8_t *data = wire_bytes(r, size);
    if (!wire_ok(r) || version != 0)
        return EC_RPC_FORMAT;
    if (flags & HEADER_XOR) {
        uint8_t *clear = arena_memdup(arena, data, size);
        rpc_obfuscate(clear, size);
        data = clear;
    }
    if (flags & HEADER_COMPRESSED) {
        uint8_t *plain = arena_alloc(arena, actual);
        if (lzxpress_decode(data, size, plain, actual) != EC_OK)
            return EC_RPC_FORMAT;
        data = plain;
    } else if (size != actual) {
        return EC_RPC_FORMAT;
    }
    *out = wire_reader(data, actual);
    *is_last_out = flags & HEADER_LAST;
    return EC_OK;
}

// What goes out in the place of the payload; NULL: the payload itself.
static uint8_t *compress(unsigned flags, const uint8_t *payload, size_t len, size_t *out_len) {
    if (flags & ROP_NO_COMPRESSION || len < COMPRESS_MIN)
        return NULL;
    uint8_t *out = g_malloc(len);
    if (lzxpress_encode(payload, len, out, len - 1, out_len))
        return out;
    g_free(out);
    return NULL;
}

void rop_buffer_put(struct wire_writer *w, unsigned flags, const uint8_t *payload, size_t len,
                    size_t *flags_pos_out) {
    size_t size = len;
    g_autofree uint8_t *packed = compress(flags, payload, len, &size);
    bool is_obfuscated = !(flags & ROP_NO_XOR);
    unsigned header =
        (is_obfuscated ? HEADER_XOR : 0u) | (packed ? (unsigned)HEADER_COMPRESSED : 0u);
    wire_put_u16(w, 0);
    *flags_pos_out = wire_writer_len(w);
    wire_put_u16(w, (uint16_t)header);
    wire_put_u16(w, (uint16_t)size);
    wire_put_u16(w, (uint16_t)len);
    size_t start = wire_writer_len(w);
    wire_put_bytes(w, packed ? packed : payload, size);
    if (is_obfuscated && wire_writer_ok(w))
        rpc_obfuscate(w->bytes->data + start, size);
}

void rop_buffer_end(struct wire_writer *w, size_t flags_pos) {
    if (!wire_writer_ok(w))
        return;
    uint16_t flags = (uint16_t)(w->bytes->data[flags_pos] | w->bytes->data[flags_pos + 1] << 8);
    wire_patch_u16(w, flags_pos, flags | HEADER_LAST);
}
