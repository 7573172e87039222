// Sync states in bytes: version, what they are of, numbers, eight bytes of SHA-256 over it all. The
// checksum keeps out what was cut or garbled; a state gives no rights, so nothing more is needed.
#include "protocol/ews/sync_state.h"

#include <string.h>

#include "base/wire.h"

#define VERSION 1
#define CHECK_SIZE 8
#define STATE_BYTES_MAX 256
#define FLAG_ASSOCIATED 1

static void checksum(const uint8_t *data, size_t len, uint8_t out[CHECK_SIZE]) {
    uint8_t digest[32];
    gsize size = sizeof digest;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, data, (gssize)len);
    g_checksum_get_digest(sum, digest, &size);
    memcpy(out, digest, CHECK_SIZE);
}

const char *sync_state_format(struct arena *arena, const struct sync_state *s) {
    struct wire_writer w = wire_writer(STATE_BYTES_MAX);
    uint8_t check[CHECK_SIZE];
    wire_put_u8(&w, VERSION);
    wire_put_u8(&w, (uint8_t)s->kind);
    wire_put_u8(&w, s->with_associated ? FLAG_ASSOCIATED : 0);
    wire_put_guid(&w, &s->mailbox);
    wire_put_varint(&w, s->fid);
    wire_put_varint(&w, s->at.since);
    wire_put_varint(&w, s->at.at);
    wire_put_varint(&w, s->at.uid_next);
    wire_put_varint(&w, s->at.below);
    wire_put_varint(&w, s->at.below_associated);
    checksum(w.bytes->data, w.bytes->len, check);
    wire_put_bytes(&w, check, sizeof check);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    g_autofree char *text = g_base64_encode(bytes->data, bytes->len);
    return arena_strdup(arena, text);
}

static bool read_u32(struct wire_reader *r, uint32_t *out) {
    uint64_t v = wire_varint(r);
    *out = (uint32_t)v;
    return v <= UINT32_MAX;
}

static bool read_state(struct wire_reader *r, struct sync_state *out) {
    uint8_t version = wire_u8(r), kind = wire_u8(r), flags = wire_u8(r);
    if (version != VERSION || (kind != SYNC_STATE_FOLDERS && kind != SYNC_STATE_ITEMS) ||
        (flags & ~FLAG_ASSOCIATED))
        return false;
    *out = (struct sync_state){
        .kind = (enum sync_state_kind)kind,
        .with_associated = flags & FLAG_ASSOCIATED,
        .mailbox = wire_guid(r),
    };
    out->fid = wire_varint(r);
    out->at.since = wire_varint(r);
    out->at.at = wire_varint(r);
    bool fits = read_u32(r, &out->at.uid_next);
    fits &= read_u32(r, &out->at.below);
    fits &= read_u32(r, &out->at.below_associated);
    return fits && wire_ok(r);
}

bool sync_state_parse(const char *text, struct sync_state *out) {
    size_t text_len = strlen(text);
    uint8_t bytes[SYNC_STATE_MAX], check[CHECK_SIZE];
    gint state = 0;
    guint save = 0;
    if (text_len == 0 || text_len > SYNC_STATE_MAX)
        return false;
    gsize len = g_base64_decode_step(text, text_len, bytes, &state, &save);
    if (len <= CHECK_SIZE)
        return false;
    len -= CHECK_SIZE;
    checksum(bytes, len, check);
    struct wire_reader r = wire_reader(bytes, len);
    return memcmp(check, bytes + len, CHECK_SIZE) == 0 && read_state(&r, out) && wire_left(&r) == 0;
}
