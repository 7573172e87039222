// Between globset.c (sets in memory), globset_codec.c (their encoding) and idset.c.
#pragma once

#include "mapi/idset.h"

struct globset {
    struct globset_range *ranges;
    unsigned n, capacity;
};

// Adds ranges in any order at once.
void globset_add_ranges(struct globset *set, const struct globset_range *ranges, unsigned n);
