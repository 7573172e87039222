// Lists of `tag=value;`, the language of DKIM signatures and keys, ARC seals and DMARC records
// ([RFC 6376] 3.2).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

struct tag {
    const char *name;
    const char *value; // without white space at the ends
    size_t at, len;    // where the value stands in the text, everything up to the semicolon
};
struct tag_list {
    struct tag *items;
    unsigned n;
};

// `text` may be folded over lines. False: not such a list, a tag twice, or more than TAGS_MAX.
bool tag_list_parse(struct arena *arena, const char *text, size_t len, struct tag_list *out);
// NULL: not there.
const struct tag *tag_list_find(const struct tag_list *list, const char *name);
const char *tag_list_get(const struct tag_list *list, const char *name);

// A value without any white space. In the arena.
char *tag_compact(struct arena *arena, const char *value);
// Decodes base64 with white space in it; false: it is none, or longer than `max` bytes.
bool tag_base64(struct arena *arena, const char *value, size_t max, uint8_t **out, size_t *len_out);
// A number of 1 to 12 digits; false: none.
bool tag_number(const char *value, uint64_t *out);
// Whether `word` is one of the words of a list with `separator` between them, white space around
// them passed over, letters of either case.
bool tag_has_word(const char *list, char separator, const char *word);
