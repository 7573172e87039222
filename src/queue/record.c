// Encoding and checking the spool's records. Reading treats the file as foreign bytes: after a
// power failure its tail may be anything.
#include "queue/record.h"

#include <string.h>
#include <zlib.h>

#include "base/wire.h"

#define SEGMENT_VERSION 1
#define ENVELOPE_SMTPUTF8 1
#define ENVELOPE_8BIT 2
#define ENVELOPE_MORE 4 // after the recipients stands what the first version did not have
#define MORE_BINARY 1
#define MORE_REQUIRETLS 2
#define SUBMIT_LARGE 1
// A search for the next good record checks at most so many times the segment's size.
#define RESYNC_EFFORT 4

static const uint8_t segment_mark[4] = "BQS1";

static void put_le32(uint8_t *p, uint32_t v) {
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_le32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void segment_header_put(uint8_t out[SEGMENT_HEADER_SIZE], uint64_t number, uint32_t magic) {
    memcpy(out, segment_mark, 4);
    put_le32(out + 4, SEGMENT_VERSION);
    put_le32(out + 8, (uint32_t)number);
    put_le32(out + 12, (uint32_t)(number >> 32));
    put_le32(out + 16, magic);
    put_le32(out + 20, (uint32_t)crc32(0, out, 20));
}

// --- Envelopes ---

// NULL and "" are told apart: a flag byte, then the string.
static void put_optional(struct wire_writer *w, const char *s) {
    wire_put_u8(w, s != NULL);
    if (s)
        wire_put_cstring(w, s);
}

static void put_more(struct wire_writer *w, const struct queue_envelope *e) {
    wire_put_u8(
        w, (uint8_t)((e->is_binary ? MORE_BINARY : 0) | (e->requires_tls ? MORE_REQUIRETLS : 0)));
    wire_put_u8(w, (uint8_t)(int8_t)e->scl);
    wire_put_u8(w, (uint8_t)(int8_t)e->pcl);
    wire_put_varint(w, e->hold_until);
    put_optional(w, e->fields);
}

GByteArray *record_encode_envelope(const struct queue_envelope *e) {
    struct wire_writer w = wire_writer(RECORD_ENVELOPE_MAX);
    wire_put_u8(&w, (uint8_t)((e->is_smtputf8 ? ENVELOPE_SMTPUTF8 : 0) |
                              (e->is_8bit ? ENVELOPE_8BIT : 0) | ENVELOPE_MORE));
    wire_put_cstring(&w, e->sender);
    put_optional(&w, e->envid);
    put_optional(&w, e->ret);
    put_optional(&w, e->helo);
    put_optional(&w, e->peer);
    put_optional(&w, e->auth);
    wire_put_varint(&w, e->n_recipients);
    for (unsigned i = 0; i < e->n_recipients; i++) {
        wire_put_cstring(&w, e->recipients[i].address);
        put_optional(&w, e->recipients[i].orcpt);
        wire_put_varint(&w, e->recipients[i].notify);
    }
    put_more(&w, e);
    GByteArray *bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    return bytes;
}

static const char *get_string(struct wire_reader *r, struct arena *arena) {
    const char *s = wire_cstring(r);
    return s ? arena_strdup(arena, s) : "";
}

static const char *get_optional(struct wire_reader *r, struct arena *arena) {
    return wire_u8(r) ? get_string(r, arena) : NULL;
}

static void get_more(struct wire_reader *r, struct arena *arena, struct queue_envelope *out) {
    uint8_t flags = wire_u8(r);
    out->is_binary = flags & MORE_BINARY;
    out->requires_tls = flags & MORE_REQUIRETLS;
    out->scl = (int8_t)wire_u8(r);
    out->pcl = (int8_t)wire_u8(r);
    out->hold_until = wire_varint(r);
    out->fields = get_optional(r, arena);
}

bool record_decode_envelope(const uint8_t *data, size_t len, struct arena *arena,
                            struct queue_envelope *out) {
    struct wire_reader r = wire_reader(data, len);
    memset(out, 0, sizeof *out);
    uint8_t flags = wire_u8(&r);
    out->is_smtputf8 = flags & ENVELOPE_SMTPUTF8;
    out->is_8bit = flags & ENVELOPE_8BIT;
    out->sender = get_string(&r, arena);
    out->envid = get_optional(&r, arena);
    out->ret = get_optional(&r, arena);
    out->helo = get_optional(&r, arena);
    out->peer = get_optional(&r, arena);
    out->auth = get_optional(&r, arena);
    uint64_t n = wire_varint(&r);
    if (n > wire_left(&r) / 3) // a recipient takes three bytes at least
        return false;
    struct queue_recipient *recipients = arena_alloc0(arena, (size_t)n * sizeof *recipients);
    for (uint64_t i = 0; i < n; i++) {
        recipients[i].address = get_string(&r, arena);
        recipients[i].orcpt = get_optional(&r, arena);
        recipients[i].notify = (uint32_t)wire_varint(&r);
    }
    out->recipients = recipients;
    out->n_recipients = (unsigned)n;
    out->scl = QUEUE_SCL_NONE;
    if (flags & ENVELOPE_MORE)
        get_more(&r, arena, out);
    return wire_ok(&r) && wire_left(&r) == 0;
}

// --- Records ---

GByteArray *record_encode(const struct record *r) {
    static const uint8_t header[RECORD_HEADER_SIZE];
    struct wire_writer w = wire_writer(RECORD_MAX);
    wire_put_bytes(&w, header, sizeof header);
    wire_put_u64(&w, r->id);
    switch (r->type) {
    case RECORD_SUBMIT:
        wire_put_u64(&w, r->arrived);
        wire_put_u64(&w, r->size);
        wire_put_u32(&w, r->is_large ? SUBMIT_LARGE : 0);
        wire_put_u32(&w, (uint32_t)r->envelope_len);
        wire_put_bytes(&w, r->envelope, r->envelope_len);
        break;
    case RECORD_RETRY:
        wire_put_u64(&w, r->next);
        wire_put_u32(&w, r->attempts);
        wire_put_u32(&w, (uint32_t)r->done_len);
        wire_put_bytes(&w, r->done, r->done_len);
        wire_put_cstring(&w, r->reason ? r->reason : "");
        break;
    case RECORD_FINISH:
        break;
    }
    GByteArray *bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    return bytes;
}

void record_seal(GByteArray *head, uint32_t magic, enum record_type type, const void *data,
                 size_t data_len) {
    uint8_t *p = head->data;
    size_t inside = head->len - RECORD_HEADER_SIZE;
    put_le32(p, magic);
    put_le32(p + 8, type);
    put_le32(p + 12, (uint32_t)(inside + data_len));
    uLong crc = crc32(0, p + 8, (uInt)(8 + inside));
    if (data_len)
        crc = crc32(crc, data, (uInt)data_len);
    put_le32(p + 4, (uint32_t)crc);
}

static bool decode_submit(struct wire_reader *in, struct record *r) {
    r->arrived = wire_u64(in);
    r->size = wire_u64(in);
    r->is_large = wire_u32(in) & SUBMIT_LARGE;
    r->envelope_len = wire_u32(in);
    r->envelope = wire_bytes(in, r->envelope_len);
    r->data_pos = r->pos + RECORD_HEADER_SIZE + in->pos;
    return wire_ok(in) && wire_left(in) == (r->is_large ? 0 : r->size);
}

static bool decode_retry(struct wire_reader *in, struct record *r) {
    r->next = wire_u64(in);
    r->attempts = wire_u32(in);
    r->done_len = wire_u32(in);
    r->done = wire_bytes(in, r->done_len);
    r->reason = wire_cstring(in);
    return wire_ok(in);
}

// The record at `pos`, if there is a good one. `*checked` counts the bytes summed.
static bool read_record(const uint8_t *data, size_t len, size_t pos, uint32_t magic,
                        struct record *out, size_t *checked) {
    if (len - pos < RECORD_HEADER_SIZE || get_le32(data + pos) != magic)
        return false;
    size_t inside = get_le32(data + pos + 12);
    if (inside > RECORD_MAX || inside > len - pos - RECORD_HEADER_SIZE)
        return false;
    *checked += inside;
    if (get_le32(data + pos + 4) != (uint32_t)crc32(0, data + pos + 8, (uInt)(8 + inside)))
        return false;
    struct wire_reader in = wire_reader(data + pos + RECORD_HEADER_SIZE, inside);
    memset(out, 0, sizeof *out);
    out->type = (enum record_type)get_le32(data + pos + 8);
    out->pos = pos;
    out->len = RECORD_HEADER_SIZE + inside;
    out->id = wire_u64(&in);
    switch (out->type) {
    case RECORD_SUBMIT:
        return decode_submit(&in, out);
    case RECORD_RETRY:
        return decode_retry(&in, out);
    case RECORD_FINISH:
        return wire_ok(&in);
    }
    return false;
}

bool segment_scan(const uint8_t *data, size_t len,
                  void (*record)(void *ctx, const struct record *r), void *ctx,
                  struct segment_scan *out) {
    memset(out, 0, sizeof *out);
    if (len < SEGMENT_HEADER_SIZE || memcmp(data, segment_mark, 4) != 0 ||
        get_le32(data + 4) != SEGMENT_VERSION ||
        get_le32(data + 20) != (uint32_t)crc32(0, data, 20))
        return false;
    out->number = get_le32(data + 8) | (uint64_t)get_le32(data + 12) << 32;
    uint32_t magic = get_le32(data + 16);
    size_t pos = SEGMENT_HEADER_SIZE, effort = 0;
    out->end = pos;
    while (pos < len && effort / RESYNC_EFFORT <= len) {
        struct record r;
        size_t checked = 0;
        if (!read_record(data, len, pos, magic, &r, &checked)) {
            effort += checked;
            pos++;
            continue;
        }
        out->skipped += pos - out->end;
        record(ctx, &r);
        pos += r.len;
        out->end = pos;
    }
    return true;
}
