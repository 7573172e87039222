// Between bag.c (bags in memory) and bag_codec.c (their stored form).
#pragma once

#include "mapi/bag.h"

struct bag {
    struct prop_value *items; // sorted by property id
    unsigned n, capacity;
    size_t bytes;        // stored size of the values
    size_t garbage;      // bytes in the arena that no value uses any more
    struct arena *arena; // values that were set; NULL until one is
    void *decoded;       // what the values borrow from that bag_decode made
};

// Bytes of the value in the stored form.
size_t bag_value_size(const struct prop_value *v);
