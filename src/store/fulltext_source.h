// The texts of an internet message that a search for a substring looks at.
//
// One walk for two: the search itself (mailbox/search_text.c) and the signatures that tell which
// messages it can pass over (fulltext_grams.h). Only because both see the same bytes can the
// signatures never hide a hit.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "formats/mime.h"

// Gets the texts; true stops the walk.
struct source_sink {
    // Text whose ASCII bytes are compared as they are, caselessly (in any charset that has ASCII
    // where it belongs).
    bool (*raw)(struct source_sink *sink, const char *data, size_t len);
    // A piece of a text in UTF-8, folded (NFKC case folding); `is_first`: a new text begins. The
    // pieces of a text put together are the whole of it, folded.
    bool (*folded)(struct source_sink *sink, const char *data, size_t len, bool is_first);
    // Wants only folded texts in which ASCII letters come from other characters ("ß", "ﬁ").
    bool only_new_ascii;
    // Needs no raw texts.
    bool no_raw;
};

// A text in UTF-8.
bool source_text(struct source_sink *sink, const char *text, size_t len);
// A header value as it stands in a message: unfolded, trimmed, decoded, runs of white space as one
// space.
bool source_header_value(struct source_sink *sink, struct arena *scratch, const char *value,
                         size_t len);
// The values of the fields called `name` (any case; NULL: all) of the message's own header.
bool source_fields(struct source_sink *sink, struct arena *scratch, const struct mime_message *m,
                   const char *name);
// All fields of a part's header ("Name: value" as one text).
bool source_headers(struct source_sink *sink, struct arena *scratch, const struct mime_message *m,
                    const struct mime_part *part);
// The decoded text parts, and the headers of messages inside.
bool source_bodies(struct source_sink *sink, struct arena *scratch, const struct mime_message *m);
