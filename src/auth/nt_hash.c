// MD4 (RFC 1320), and the NT hash that is made of it.
#include "auth/nt_hash.h"

#include <sodium.h>
#include <string.h>

#include "base/text.h"

static uint32_t rotate(uint32_t v, unsigned n) {
    return v << n | v >> (32 - n);
}

static uint32_t load(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// One of the three rounds' functions, its constant, the order of words, and the rotations.
static const struct {
    uint32_t constant;
    uint8_t order[16];
    uint8_t rotations[4];
} rounds[3] = {
    {0, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {3, 7, 11, 19}},
    {0x5a827999, {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, {3, 5, 9, 13}},
    {0x6ed9eba1, {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, {3, 9, 11, 15}},
};

static uint32_t mix(unsigned round, uint32_t x, uint32_t y, uint32_t z) {
    switch (round) {
    case 0:
        return (x & y) | (~x & z);
    case 1:
        return (x & y) | (x & z) | (y & z);
    default:
        return x ^ y ^ z;
    }
}

static void md4_block(uint32_t state[4], const uint8_t block[64]) {
    uint32_t v[4];
    memcpy(v, state, sizeof v);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 16; i++) {
            // The four words take turns: a, d, c, b.
            uint32_t *a = &v[(16 - i) % 4];
            uint32_t b = v[(17 - i) % 4], c = v[(18 - i) % 4], d = v[(19 - i) % 4];
            uint32_t word = load(block + 4 * rounds[round].order[i]);
            *a = rotate(*a + mix(round, b, c, d) + word + rounds[round].constant,
                        rounds[round].rotations[i % 4]);
        }
    }
    for (int i = 0; i < 4; i++)
        state[i] += v[i];
}

void md4(const uint8_t *data, size_t len, uint8_t out[16]) {
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t left = len;
    for (; left >= 64; data += 64, left -= 64)
        md4_block(state, data);
    // The rest, a one bit, zeros, and the length in bits: in one block or two.
    uint8_t tail[128] = {0};
    if (left > 0)
        memcpy(tail, data, left);
    tail[left] = 0x80;
    size_t size = left < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++)
        tail[size - 8 + (size_t)i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
    for (size_t at = 0; at < size; at += 64)
        md4_block(state, tail + at);
    for (int i = 0; i < 16; i++)
        out[i] = (uint8_t)(state[i / 4] >> (8 * (i % 4)));
    sodium_memzero(tail, sizeof tail);
}

void nt_hash(const char *password, uint8_t out[16]) {
    GByteArray *wide = g_byte_array_sized_new((guint)(strlen(password) * 2 + 2));
    text_to_utf16(password, strlen(password), wide);
    md4(wide->data, wide->len, out);
    sodium_memzero(wide->data, wide->len);
    g_byte_array_unref(wide);
}
