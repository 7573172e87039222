// Plain LZ77 both ways ([MS-OXCRPC] 3.1.4.11.1). A mask of 32 bits, the highest first, goes before
// as many tokens: 0 a byte, 1 a reference of 13 bits of distance and 3 of length. Longer lengths go
// on in a half byte (two references share one byte: the first takes the low half), then in a byte,
// then in two. Past the last token the mask has ones.
#include "formats/lzxpress.h"

#include <string.h>

#define WINDOW 8192u
#define MIN_MATCH 3u
#define MAX_MATCH (65535u + MIN_MATCH)
#define INLINE_MAX 7u // in the reference itself, from here on a half byte follows
#define HALF_MAX 15u  // in the half byte, from here on a byte follows
#define BYTE_MAX 255u // in the byte: two bytes follow, which hold the whole length
#define HASH_BITS 13
#define MAX_CHAIN 32 // places looked at for the longest match: more gain little

// --- Expanding ---

struct expanding {
    const uint8_t *in;
    size_t in_len, at;
    size_t shared; // where the half byte is whose high half is free; 0: none
    bool failed;
};

static unsigned take(struct expanding *x) {
    if (x->at >= x->in_len) {
        x->failed = true;
        return 0;
    }
    return x->in[x->at++];
}

static unsigned take_half(struct expanding *x) {
    if (x->shared != 0) {
        unsigned half = x->in[x->shared] >> 4;
        x->shared = 0;
        return half;
    }
    x->shared = x->at; // never 0: a mask and a reference come before
    return take(x) & 0xF;
}

// What is to be added to MIN_MATCH.
static size_t take_length(struct expanding *x, unsigned low) {
    size_t n = low;
    if (n < INLINE_MAX)
        return n;
    unsigned half = take_half(x);
    n += half;
    if (half < HALF_MAX)
        return n;
    unsigned byte = take(x);
    if (byte < BYTE_MAX)
        return n + byte;
    n = take(x);
    n |= (size_t)take(x) << 8;
    if (n < INLINE_MAX + HALF_MAX)
        x->failed = true;
    return n;
}

enum ec lzxpress_decode(const void *in, size_t in_len, void *out, size_t out_len) {
    struct expanding x = {.in = in, .in_len = in_len};
    uint8_t *to = out;
    uint32_t mask = 0;
    unsigned bits = 0;
    for (size_t n = 0; n < out_len;) {
        if (bits == 0) {
            mask = take(&x);
            mask |= (uint32_t)take(&x) << 8;
            mask |= (uint32_t)take(&x) << 16;
            mask |= (uint32_t)take(&x) << 24;
            bits = 32;
        }
        bool is_reference = mask & 0x80000000u;
        mask <<= 1;
        bits--;
        if (!is_reference) {
            to[n] = (uint8_t)take(&x);
            if (x.failed)
                return EC_FORMAT_ERROR;
            n++;
            continue;
        }
        unsigned reference = take(&x);
        reference |= take(&x) << 8;
        size_t distance = (reference >> 3) + 1;
        size_t length = take_length(&x, reference & 7) + MIN_MATCH;
        if (x.failed || distance > n || length > out_len - n)
            return EC_FORMAT_ERROR;
        for (size_t i = 0; i < length; i++) // may overlap: a run repeats
            to[n + i] = to[n + i - distance];
        n += length;
    }
    return EC_OK; // what may be left is a mask of no tokens
}

// --- Compressing ---

struct packing {
    const uint8_t *in;
    size_t in_len;
    uint8_t *out;
    size_t max, at;
    size_t mask_at; // where the current mask stands
    uint32_t mask;
    unsigned bits; // used of it
    size_t shared; // as in expanding
    bool failed;
    uint32_t heads[1u << HASH_BITS]; // 1 + the newest place of a hash
    uint32_t before[WINDOW];         // by place: 1 + the place before of the same hash
};

static void give(struct packing *p, unsigned byte) {
    if (p->at >= p->max) {
        p->failed = true;
        return;
    }
    p->out[p->at++] = (uint8_t)byte;
}

static void mask_open(struct packing *p) {
    p->mask_at = p->at;
    p->mask = 0;
    p->bits = 0;
    for (unsigned i = 0; i < 4; i++)
        give(p, 0);
}

static void mask_write(struct packing *p) {
    if (p->failed)
        return;
    for (unsigned i = 0; i < 4; i++)
        p->out[p->mask_at + i] = (uint8_t)(p->mask >> (8 * i));
}

// Room for the next token's bit, before its bytes.
static void token_begin(struct packing *p, bool is_reference) {
    if (p->bits == 32) {
        mask_write(p);
        mask_open(p);
    }
    p->mask = p->mask << 1 | is_reference;
    p->bits++;
}

static void give_half(struct packing *p, unsigned half) {
    if (p->shared != 0) {
        p->out[p->shared] |= (uint8_t)(half << 4);
        p->shared = 0;
        return;
    }
    p->shared = p->at;
    give(p, half);
    if (p->failed)
        p->shared = 0;
}

static void give_reference(struct packing *p, size_t distance, size_t length) {
    size_t n = length - MIN_MATCH;
    unsigned reference =
        (unsigned)(distance - 1) << 3 | (unsigned)(n < INLINE_MAX ? n : INLINE_MAX);
    token_begin(p, true);
    give(p, reference);
    give(p, reference >> 8);
    if (n < INLINE_MAX)
        return;
    size_t rest = n - INLINE_MAX;
    give_half(p, (unsigned)(rest < HALF_MAX ? rest : HALF_MAX));
    if (rest < HALF_MAX)
        return;
    rest -= HALF_MAX;
    give(p, (unsigned)(rest < BYTE_MAX ? rest : BYTE_MAX));
    if (rest < BYTE_MAX)
        return;
    give(p, (unsigned)n);
    give(p, (unsigned)(n >> 8));
}

static unsigned hash_at(const uint8_t *p) {
    uint32_t v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    return (v * 2654435761u) >> (32 - HASH_BITS);
}

static void note_place(struct packing *p, size_t at) {
    if (p->in_len - at < MIN_MATCH)
        return;
    unsigned hash = hash_at(p->in + at);
    p->before[at % WINDOW] = p->heads[hash];
    p->heads[hash] = (uint32_t)at + 1;
}

static size_t match_length(const struct packing *p, size_t from, size_t at) {
    size_t max = p->in_len - at, n = 0;
    if (max > MAX_MATCH)
        max = MAX_MATCH;
    while (n < max && p->in[from + n] == p->in[at + n])
        n++;
    return n;
}

static size_t longest_match(const struct packing *p, size_t at, size_t *distance_out) {
    size_t best = 0;
    if (p->in_len - at < MIN_MATCH)
        return 0;
    uint32_t next = p->heads[hash_at(p->in + at)];
    for (unsigned i = 0; i < MAX_CHAIN && next != 0; i++) {
        size_t from = next - 1;
        if (at - from > WINDOW - 1) // its successor in the chain may be overwritten
            break;
        size_t n = match_length(p, from, at);
        if (n > best) {
            best = n;
            *distance_out = at - from;
        }
        next = p->before[from % WINDOW];
        if (next > from) // overwritten by a newer place
            break;
    }
    return best >= MIN_MATCH ? best : 0;
}

static void pack(struct packing *p) {
    mask_open(p);
    for (size_t at = 0; at < p->in_len && !p->failed;) {
        size_t distance = 0, length = longest_match(p, at, &distance);
        if (length == 0) {
            token_begin(p, false);
            give(p, p->in[at]);
            length = 1;
        } else {
            give_reference(p, distance, length);
        }
        for (size_t end = at + length; at < end; at++)
            note_place(p, at);
    }
    if (p->bits == 32) { // a full mask is followed by another
        mask_write(p);
        mask_open(p);
    }
    p->mask = p->bits == 0 ? UINT32_MAX
                           : p->mask << (32 - p->bits) | ((UINT32_C(1) << (32 - p->bits)) - 1);
    mask_write(p);
}

bool lzxpress_encode(const void *in, size_t len, void *out, size_t max, size_t *out_len) {
    static _Thread_local struct packing p; // too large for the stack of a worker
    memset(&p, 0, sizeof p);
    p.in = in;
    p.in_len = len;
    p.out = out;
    p.max = max;
    pack(&p);
    if (p.failed)
        return false;
    *out_len = p.at;
    return true;
}

void rpc_obfuscate(void *data, size_t len) {
    uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        p[i] ^= 0xA5;
}
