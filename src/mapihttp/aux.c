// Auxiliary buffers ([MS-OXCRPC] 2.2.2.1, 2.2.2.2): what clients tell of themselves, for the log,
// and what they are told of the server at Connect.
//
// A compressed buffer is passed over: nothing in it changes an answer.
#include <string.h>

#include "base/text.h"
#include "mapihttp/limits.h"
#include "mapihttp/mapihttp_internal.h"

enum header_flags { HEADER_COMPRESSED = 0x1, HEADER_XOR = 0x2, HEADER_LAST = 0x4 };
#define XOR_BYTE 0xA5

enum aux_type {
    AUX_CLIENT_INFO = 0x02,
    AUX_CLIENT_CONTROL = 0x0A,
    AUX_PROCESS_INFO = 0x0B,
    AUX_EXORG_INFO = 0x17,
    AUX_ENDPOINT_CAPABILITIES = 0x48,
    AUX_SERVER_SESSION_INFO = 0x4B,
};
#define AUX_HEADER_SIZE 4

// --- Reading ---

// A Unicode string at an offset from the start of the block; 0: none.
static const char *string_at(struct arena *arena, const uint8_t *block, size_t len,
                             uint16_t offset) {
    if (offset < AUX_HEADER_SIZE || offset >= len)
        return NULL;
    return text_from_utf16(arena, block + offset, (len - offset) & ~(size_t)1);
}

// AUX_PERF_CLIENTINFO, [MS-OXCRPC] 2.2.2.2.4.
static void read_client_info(const uint8_t *block, size_t len, struct arena *arena,
                             struct aux_in *out) {
    struct wire_reader r = wire_reader(block, len);
    wire_skip(&r, AUX_HEADER_SIZE + 4); // adapter speed
    wire_skip(&r, 2);                   // client id
    uint16_t machine = wire_u16(&r), user = wire_u16(&r);
    wire_skip(&r, 6 * 2); // addresses
    uint16_t mode = wire_u16(&r);
    if (!wire_ok(&r))
        return;
    out->client_machine = string_at(arena, block, len, machine);
    out->user = string_at(arena, block, len, user);
    out->client_mode = mode;
}

// AUX_PERF_PROCESSINFO, [MS-OXCRPC] 2.2.2.2.6.
static void read_process_info(const uint8_t *block, size_t len, struct arena *arena,
                              struct aux_in *out) {
    struct wire_reader r = wire_reader(block, len);
    wire_skip(&r, AUX_HEADER_SIZE + 2 + 2 + 16); // id, reserved, GUID
    uint16_t name = wire_u16(&r);
    const char *process = wire_ok(&r) ? string_at(arena, block, len, name) : NULL;
    if (process)
        g_strlcpy(out->process, process, sizeof out->process);
}

static bool read_blocks(struct wire_reader *r, struct arena *arena, struct aux_in *out) {
    while (wire_left(r) > 0) {
        uint16_t size = wire_u16(r);
        wire_skip(r, 1); // the version: what is read stands in all of them
        uint8_t type = wire_u8(r);
        if (!wire_ok(r) || size < AUX_HEADER_SIZE || size - AUX_HEADER_SIZE > (int)wire_left(r))
            return false;
        const uint8_t *block = r->data + r->pos - AUX_HEADER_SIZE;
        if (type == AUX_CLIENT_INFO)
            read_client_info(block, size, arena, out);
        else if (type == AUX_PROCESS_INFO)
            read_process_info(block, size, arena, out);
        out->n_blocks++;
        wire_skip(r, size - AUX_HEADER_SIZE);
    }
    return true;
}

bool aux_read(struct wire_reader *r, struct arena *arena, struct aux_in *out) {
    *out = (struct aux_in){0};
    uint32_t len = wire_u32(r);
    struct wire_reader sub = wire_sub(r, len);
    if (!wire_ok(r) || len > MAPIHTTP_MAX_AUX)
        return false;
    if (len == 0)
        return true;
    uint16_t version = wire_u16(&sub), flags = wire_u16(&sub), size = wire_u16(&sub);
    wire_skip(&sub, 2); // the size without compression
    const uint8_t *payload = wire_bytes(&sub, size);
    if (!wire_ok(&sub) || version != 0 || !(flags & HEADER_LAST))
        return false;
    if (flags & HEADER_COMPRESSED)
        return true;
    uint8_t *clear = arena_memdup(arena, payload, size);
    for (uint16_t i = 0; i < size && flags & HEADER_XOR; i++)
        clear[i] ^= XOR_BYTE;
    struct wire_reader blocks = wire_reader(clear, size);
    return read_blocks(&blocks, arena, out);
}

// --- Writing ---

void aux_put_none(struct wire_writer *w) {
    wire_put_u32(w, 0);
}

static void put_block(struct wire_writer *w, uint8_t type, uint16_t size) {
    wire_put_u16(w, AUX_HEADER_SIZE + size);
    wire_put_u8(w, 1);
    wire_put_u8(w, type);
}

void aux_put_connect(struct wire_writer *w, bool has_public_folders, const char *session_info) {
    g_autoptr(GByteArray) info = g_byte_array_new();
    text_to_utf16(session_info, strlen(session_info), info);
    g_byte_array_append(info, (const guint8 *)"\0", 2);
    size_t at = wire_writer_len(w);
    wire_put_u32(w, 0);
    wire_put_u16(w, 0); // version
    wire_put_u16(w, HEADER_LAST);
    wire_put_u32(w, 0); // both sizes
    size_t start = wire_writer_len(w);
    put_block(w, AUX_EXORG_INFO, 4);
    wire_put_u32(w, has_public_folders ? 1 : 0); // PUBLIC_FOLDERS_ENABLED
    put_block(w, AUX_CLIENT_CONTROL, 8);
    wire_put_u32(w, 0x4 | 0x8);      // ENABLE_COMPRESSION, ENABLE_HTTP_TUNNELING
    wire_put_u32(w, 60 * 60 * 1000); // ms these are good for
    put_block(w, AUX_ENDPOINT_CAPABILITIES, 4);
    wire_put_u32(w, 1); // ENDPOINT_CAPABILITIES_SINGLE_ENDPOINT
    put_block(w, AUX_SERVER_SESSION_INFO, (uint16_t)(2 + info->len));
    wire_put_u16(w, AUX_HEADER_SIZE + 2);
    wire_put_bytes(w, info->data, info->len);
    if (!wire_writer_ok(w))
        return;
    uint16_t size = (uint16_t)(wire_writer_len(w) - start);
    wire_patch_u32(w, at, 8u + size);
    wire_patch_u16(w, start - 4, size);
    wire_patch_u16(w, start - 2, size);
}
