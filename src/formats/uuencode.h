// Files that stand uuencoded in the middle of a plain text ("begin 644 name" to "end"), as old mail
// programs attach them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uuencoded {
    size_t pos, len; // the whole block, "end" and its line end included
    size_t size;     // bytes that its lines say they hold
    size_t name_pos, name_len;
};

// The first complete block at or after `from`; false: there is none. A block begins at the start of
// a line, all its lines hold as much as they say, and "end" follows. Linear in `len`.
bool uuencoded_find(const void *text, size_t len, size_t from, struct uuencoded *out);
