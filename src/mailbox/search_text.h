// Finding a text in texts, caselessly: folded once, then compared many times.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "formats/mime.h"

struct search_needle {
    const char *folded;
    size_t len;
    bool is_ascii;
    uint32_t skip[256]; // how far to go on when the window ends in this byte
};

// Folds `text` (UTF-8) and prepares the search; in the arena. An empty text is in everything.
struct search_needle *search_needle_new(struct arena *arena, const char *text);

// The same for search_needle_in_header and _in_fields: runs of white space are one space.
struct search_needle *search_needle_new_squeezed(struct arena *arena, const char *text);

// Whether `data` (UTF-8) contains the needle: as it stands (ASCII caselessly), or when both are
// folded.
bool search_needle_in(const struct search_needle *n, const void *data, size_t len);

// Whether a header value as it stands in a message contains the needle, once unfolded, trimmed and
// decoded, with runs of white space as one space.
bool search_needle_in_header(const struct search_needle *n, struct arena *scratch,
                             const char *value, size_t len);

// Whether one of the fields called `name` (any case) of the message's own header does.
bool search_needle_in_fields(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m, const char *name);

// Whether any field of a header block does ("Name: value" as one text).
bool search_needle_in_headers(const struct search_needle *n, struct arena *scratch,
                              const struct mime_message *m, const struct mime_part *part);

// Whether the decoded text of any text part does, and the headers of messages inside.
bool search_needle_in_bodies(const struct search_needle *n, struct arena *scratch,
                             const struct mime_message *m);
