// Checksums of pages: four lanes of 64 bits, which a processor computes side by side; a page of
// 8 KiB takes about as long as copying it.
#include "db/page_sum.h"

#include <glib.h>
#include <string.h>

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t rotate(uint64_t v, unsigned bits) {
    return v << bits | v >> (64 - bits);
}

static uint64_t word_at(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return GUINT64_FROM_LE(v);
}

static uint64_t stir(uint64_t lane, uint64_t word) {
    return rotate(lane + word * P2, 31) * P1;
}

static uint64_t join(uint64_t sum, uint64_t lane) {
    return (sum ^ stir(0, lane)) * P1 + P4;
}

static uint64_t end(uint64_t sum, const uint8_t *p, size_t len) {
    for (; len >= 8; p += 8, len -= 8)
        sum = rotate(sum ^ stir(0, word_at(p)), 27) * P1 + P4;
    if (len >= 4) {
        uint32_t v;
        memcpy(&v, p, sizeof v);
        sum = rotate(sum ^ GUINT32_FROM_LE(v) * P1, 23) * P2 + P3;
        p += 4, len -= 4;
    }
    for (; len > 0; p++, len--)
        sum = rotate(sum ^ *p * P5, 11) * P1;
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}

uint64_t page_sum(const uint8_t *data, size_t len, uint64_t seed) {
    size_t left = len;
    uint64_t sum = seed + P5;
    if (left >= 32) {
        uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
        for (; left >= 32; data += 32, left -= 32) {
            a = stir(a, word_at(data));
            b = stir(b, word_at(data + 8));
            c = stir(c, word_at(data + 16));
            d = stir(d, word_at(data + 24));
        }
        sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
        sum = join(join(join(join(sum, a), b), c), d);
    }
    return end(sum + len, data, left);
}

void page_sum_seal(uint8_t *page, size_t len, uint64_t number) {
    uint64_t sum = GUINT64_TO_LE(page_sum(page, len - PAGE_SUM_SIZE, number));
    memcpy(page + len - PAGE_SUM_SIZE, &sum, sizeof sum);
}

static bool is_hole(const uint8_t *page, size_t len) {
    for (size_t i = 0; i < len; i += 8)
        if (word_at(page + i) != 0)
            return false;
    return true;
}

bool page_sum_is_right(const uint8_t *page, size_t len, uint64_t number) {
    uint64_t found = word_at(page + len - PAGE_SUM_SIZE);
    if (found == page_sum(page, len - PAGE_SUM_SIZE, number))
        return true;
    return found == 0 && is_hole(page, len);
}
