// Signatures of messages: which groups of three bytes their texts contain, so that a search for a
// substring need not read those that cannot have it.
//
// A signature is a set of hashed groups, as bits; its size follows the number of groups so that
// 22-39% of the bits are set (more in very long texts). A message that contains a needle has all
// groups of the needle: no hit is lost. One without it passes by chance with a probability of the
// share of bits to the power of the needle's groups; such messages are only read in vain.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/fulltext_source.h"

#define GRAMS_MAX_BYTES 8192 // of a signature
#define GRAMS_NEEDLE_MAX 64  // groups of a needle that are looked at

// Signatures of a message's own header and of its bodies with what is inside, into `scratch`; NULL
// for none.
struct grams {
    const uint8_t *head, *body;
    size_t head_len, body_len;
};
void grams_of_message(struct arena *arena, const struct mime_message *m, struct grams *out);

struct grams_needle {
    unsigned n;
    uint16_t hashes[GRAMS_NEEDLE_MAX];
};
// `folded`: as search_needle_new folds (NFKC case folding, UTF-8).
void grams_needle_set(struct grams_needle *n, const char *folded, size_t len);
// Whether texts with this signature may contain the needle. A signature that cannot be one says
// yes.
bool grams_may_contain(const uint8_t *signature, size_t len, const struct grams_needle *needle);
