// LZFu both ways ([MS-OXRTFCP] 2.1.3, 3.1). The dictionary is a ring of the last 4096 bytes, which
// begins with words of RTF. A control byte goes before eight tokens, each a byte or a reference of
// 12 bits of place and 4 bits of length; a reference to the place that is written next is the end.
#include "formats/rtf_compressed.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "base/wire.h"

#define TYPE_COMPRESSED 0x75465A4Cu
#define TYPE_STORED 0x414C454Du
#define RING 4096u
#define MIN_MATCH 2u
#define MAX_MATCH 17u

static const char initial[] = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil "
                              "\\froman \\fswiss \\fmodern \\fscript "
                              "\\fdecor MS Sans SerifSymbolArialTimes New "
                              "RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
                              "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
#define INITIAL_LEN (sizeof initial - 1)
G_STATIC_ASSERT(INITIAL_LEN == 207);

uint32_t rtf_checksum(const void *data, size_t len) {
    const uint8_t *p = data;
    uLong crc = 0xFFFFFFFFu;
    while (len > 0) {
        uInt n = (uInt)MIN(len, 1u << 30);
        crc = crc32(crc, p, n);
        p += n;
        len -= n;
    }
    return ~(uint32_t)crc;
}

// --- Decompressing ---

struct unpacking {
    uint8_t ring[RING];
    unsigned at;
    GByteArray *out;
    size_t max;
};

static void put(struct unpacking *u, uint8_t byte) {
    u->ring[u->at] = byte;
    u->at = (u->at + 1) % RING;
    g_byte_array_append(u->out, &byte, 1);
}

// False: this was the end.
static bool put_reference(struct unpacking *u, unsigned reference) {
    unsigned from = reference >> 4, n = (reference & 0xF) + MIN_MATCH;
    if (from == u->at)
        return false;
    for (; n > 0 && u->out->len < u->max; n--) {
        put(u, u->ring[from]);
        from = (from + 1) % RING;
    }
    return true;
}

// EC_CORRUPT_DATA when the contents end without the end mark before `max` bytes were made.
static enum ec unpack(struct wire_reader *r, struct unpacking *u) {
    memset(u->ring, 0, sizeof u->ring);
    memcpy(u->ring, initial, INITIAL_LEN);
    u->at = INITIAL_LEN;
    while (u->out->len < u->max && wire_left(r) > 0) {
        unsigned control = wire_u8(r);
        for (unsigned bit = 0; bit < 8 && u->out->len < u->max; bit++) {
            if (!(control & 1u << bit)) {
                uint8_t byte = wire_u8(r);
                if (!wire_ok(r))
                    return EC_CORRUPT_DATA;
                put(u, byte);
                continue;
            }
            unsigned reference = wire_be16(r);
            if (!wire_ok(r))
                return EC_CORRUPT_DATA;
            if (!put_reference(u, reference))
                return EC_OK;
        }
    }
    return u->out->len < u->max ? EC_CORRUPT_DATA : EC_OK;
}

static enum ec decompress(struct wire_reader *contents, uint32_t raw_size, uint32_t crc,
                          GBytes **out) {
    if (rtf_checksum(contents->data, contents->len) != crc)
        return EC_CORRUPT_DATA;
    // Each two bytes make at most 17.
    size_t likely = MIN((size_t)raw_size, contents->len * 9);
    struct unpacking *u = g_new(struct unpacking, 1);
    u->out = g_byte_array_sized_new((guint)likely);
    u->max = raw_size;
    enum ec ec = unpack(contents, u);
    if (ec == EC_OK)
        *out = g_byte_array_free_to_bytes(u->out);
    else
        g_byte_array_unref(u->out);
    g_free(u);
    return ec;
}

enum ec rtf_decompress(const void *data, size_t len, size_t max, GBytes **out) {
    struct wire_reader r = wire_reader(data, len);
    uint32_t size = wire_u32(&r), raw_size = wire_u32(&r), type = wire_u32(&r), crc = wire_u32(&r);
    // The size counts the twelve bytes of the header that follow it.
    if (!wire_ok(&r) || size < RTF_COMPRESSED_HEADER - 4 ||
        size - (RTF_COMPRESSED_HEADER - 4) > wire_left(&r))
        return EC_CORRUPT_DATA;
    if (raw_size > max || raw_size > G_MAXINT32)
        return EC_MESSAGE_TOO_BIG;
    struct wire_reader contents = wire_sub(&r, size - (RTF_COMPRESSED_HEADER - 4));
    if (type == TYPE_COMPRESSED)
        return decompress(&contents, raw_size, crc, out);
    if (type != TYPE_STORED)
        return EC_CORRUPT_DATA;
    *out = g_bytes_new(contents.data, MIN(raw_size, contents.len));
    return EC_OK;
}

// --- Compressing ---

// Positions count from the start of the initial dictionary; the last ones with the same two bytes
// are chained. A match lies at most RING - 1 back, so that it is never taken for the end.
#define HEADS 65536u
#define MAX_TRIES 48u

struct packing {
    const uint8_t *text; // the initial dictionary, then the input
    size_t len;
    uint32_t head[HEADS]; // position + 1; 0: none
    uint32_t prev[RING];
    GByteArray *out;
    guint control_at;
    unsigned n_tokens;
};

static unsigned key_at(const struct packing *p, size_t pos) {
    return (unsigned)p->text[pos] << 8 | p->text[pos + 1];
}

static void learn(struct packing *p, size_t pos) {
    if (pos + 1 >= p->len)
        return;
    unsigned key = key_at(p, pos);
    p->prev[pos % RING] = p->head[key];
    p->head[key] = (uint32_t)pos + 1;
}

static size_t match_length(const struct packing *p, size_t a, size_t pos) {
    size_t n = 0, max = MIN(p->len - pos, MAX_MATCH);
    while (n < max && p->text[a + n] == p->text[pos + n])
        n++;
    return n;
}

// The longest match for `pos`; 0: none. The oldest of several, which the document's examples have.
static size_t find_match(const struct packing *p, size_t pos, size_t *from_out) {
    size_t best = 0;
    if (pos + 1 >= p->len)
        return 0;
    uint32_t next = p->head[key_at(p, pos)];
    for (unsigned tries = 0; next && tries < MAX_TRIES; tries++) {
        size_t from = next - 1;
        if (pos - from >= RING)
            break;
        size_t n = match_length(p, from, pos);
        if (n >= best) {
            best = n;
            *from_out = from;
        }
        uint32_t older = p->prev[from % RING];
        if (older >= next) // the slot was taken over
            break;
        next = older;
    }
    return best;
}

static void begin_token(struct packing *p, bool is_reference) {
    unsigned bit = p->n_tokens++ % 8;
    if (bit == 0) {
        p->control_at = p->out->len;
        g_byte_array_append(p->out, (const uint8_t *)"", 1);
    }
    if (is_reference)
        p->out->data[p->control_at] |= (uint8_t)(1u << bit);
}

static void put_token_reference(struct packing *p, size_t from, size_t n) {
    unsigned v = (unsigned)(from % RING) << 4 | (unsigned)(n - MIN_MATCH);
    uint8_t bytes[2] = {(uint8_t)(v >> 8), (uint8_t)v};
    begin_token(p, true);
    g_byte_array_append(p->out, bytes, sizeof bytes);
}

static void pack(struct packing *p) {
    for (size_t i = 0; i < INITIAL_LEN; i++)
        learn(p, i);
    for (size_t pos = INITIAL_LEN; pos < p->len;) {
        size_t from = 0, n = find_match(p, pos, &from);
        if (n >= MIN_MATCH) {
            put_token_reference(p, from, n);
        } else {
            n = 1;
            begin_token(p, false);
            g_byte_array_append(p->out, p->text + pos, 1);
        }
        for (; n > 0; n--)
            learn(p, pos++);
    }
    put_token_reference(p, p->len, MIN_MATCH); // the end
}

static GBytes *wrap(uint32_t type, const uint8_t *contents, size_t len, size_t raw_size,
                    uint32_t crc) {
    struct wire_writer w = wire_writer(RTF_COMPRESSED_HEADER + len);
    wire_put_u32(&w, (uint32_t)len + RTF_COMPRESSED_HEADER - 4);
    wire_put_u32(&w, (uint32_t)raw_size);
    wire_put_u32(&w, type);
    wire_put_u32(&w, crc);
    wire_put_bytes(&w, contents, len);
    return g_byte_array_free_to_bytes(wire_writer_take(&w));
}

GBytes *rtf_compress(const void *rtf, size_t len) {
    uint8_t *text = g_malloc(INITIAL_LEN + len + 1);
    memcpy(text, initial, INITIAL_LEN);
    if (len > 0)
        memcpy(text + INITIAL_LEN, rtf, len);
    struct packing *p = g_new0(struct packing, 1);
    p->text = text;
    p->len = INITIAL_LEN + len;
    p->out = g_byte_array_sized_new((guint)(len / 2 + 16));
    pack(p);
    GBytes *out = wrap(TYPE_COMPRESSED, p->out->data, p->out->len, len,
                       rtf_checksum(p->out->data, p->out->len));
    g_byte_array_unref(p->out);
    g_free(p);
    g_free(text);
    return out;
}

GBytes *rtf_store(const void *rtf, size_t len) {
    return wrap(TYPE_STORED, rtf, len, len, 0);
}
