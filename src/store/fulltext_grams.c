// Making and asking signatures. They are made at full size and then folded in halves while few
// enough bits are set; a group's place in a smaller one is the low part of its hash.
#include "store/fulltext_grams.h"

#include <string.h>

#define FULL_BITS (GRAMS_MAX_BYTES * 8u)
#define MIN_BYTES 8

struct gather {
    struct source_sink sink;
    uint8_t bits[GRAMS_MAX_BYTES];
    unsigned n_bits; // that are set
    uint32_t last;   // the last two bytes of the folded text at hand
    unsigned n_last;
};

static uint16_t hash(uint32_t gram) {
    return (uint16_t)((gram & 0xffffff) * UINT32_C(0x9E3779B1) >> 16);
}

static void put(struct gather *g, uint32_t gram) {
    uint16_t h = hash(gram);
    uint8_t bit = (uint8_t)(1u << (h & 7)), *byte = &g->bits[h >> 3];
    g->n_bits += !(*byte & bit);
    *byte |= bit;
}

// Only ASCII needles are looked for in raw texts: groups with other bytes are of no use.
static bool on_raw(struct source_sink *sink, const char *data, size_t len) {
    struct gather *g = (struct gather *)sink;
    uint32_t gram = 0;
    unsigned n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)data[i];
        if (c >= 0x80) {
            n = 0;
            continue;
        }
        if (c >= 'A' && c <= 'Z')
            c += 'a' - 'A';
        gram = gram << 8 | c;
        if (++n >= 3)
            put(g, gram);
    }
    return false;
}

static bool on_folded(struct source_sink *sink, const char *data, size_t len, bool is_first) {
    struct gather *g = (struct gather *)sink;
    if (is_first)
        g->n_last = 0;
    for (size_t i = 0; i < len; i++) {
        g->last = g->last << 8 | (uint8_t)data[i];
        if (++g->n_last >= 3)
            put(g, g->last);
    }
    g->n_last = MIN(g->n_last, 2u);
    return false;
}

static const uint8_t *finish(struct gather *g, struct arena *arena, size_t *len_out) {
    size_t len = GRAMS_MAX_BYTES;
    // Half of it would still have room for twice the groups.
    while (len > MIN_BYTES && g->n_bits * 2 <= len * 8 / 2) {
        len /= 2;
        for (size_t i = 0; i < len; i++)
            g->bits[i] |= g->bits[len + i];
    }
    *len_out = len;
    return arena_memdup(arena, g->bits, len);
}

void grams_of_message(struct arena *arena, const struct mime_message *m, struct grams *out) {
    struct gather *g = g_new0(struct gather, 1);
    g->sink = (struct source_sink){.raw = on_raw, .folded = on_folded};
    ARENA_AUTO scratch = arena_new();
    source_headers(&g->sink, scratch, m, m->root);
    source_fields(&g->sink, scratch, m, NULL);
    out->head = finish(g, arena, &out->head_len);
    memset(g->bits, 0, sizeof g->bits);
    g->n_bits = 0;
    arena_reset(scratch);
    source_bodies(&g->sink, scratch, m);
    out->body = finish(g, arena, &out->body_len);
    g_free(g);
}

void grams_needle_set(struct grams_needle *n, const char *folded, size_t len) {
    n->n = 0;
    for (size_t i = 0; i + 3 <= len && n->n < GRAMS_NEEDLE_MAX; i++)
        n->hashes[n->n++] = hash((uint32_t)(uint8_t)folded[i] << 16 |
                                 (uint32_t)(uint8_t)folded[i + 1] << 8 | (uint8_t)folded[i + 2]);
}

bool grams_may_contain(const uint8_t *signature, size_t len, const struct grams_needle *needle) {
    if (!signature || len < MIN_BYTES || len > GRAMS_MAX_BYTES || (len & (len - 1)))
        return true;
    size_t mask = len * 8 - 1;
    for (unsigned i = 0; i < needle->n; i++) {
        size_t bit = needle->hashes[i] & mask;
        if (!(signature[bit >> 3] & 1u << (bit & 7)))
            return false;
    }
    return true;
}
