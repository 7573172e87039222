// RTF as plain text, and the HTML or text that RTF was made from ([MSFT-RTF], [MS-OXRTFEX]).
#pragma once

#include <stddef.h>

#include "base/arena.h"

enum rtf_source {
    RTF_OF_ITS_OWN,
    RTF_FROM_TEXT, // \fromtext
    RTF_FROM_HTML, // \fromhtml1: rtf_to_html gives the HTML back
};

// What the RTF was made from, as one of its first ten tokens says ([MS-OXRTFEX] 2.1.3.1).
enum rtf_source rtf_source(const void *rtf, size_t len);

// The text, valid UTF-8 without control characters but tabs and line ends, each ended by
// `line_end` ("\n", "\r\n"), at most about `max` bytes. Fields show their result, objects theirs;
// font and colour tables, pictures, headers, hidden text and unknown optional destinations are left
// out. Of RTF made from HTML the text of the RTF rendition is given. Never fails; linear in time.
// In the arena; the length goes to `len_out` when it is not NULL.
char *rtf_to_text(struct arena *arena, const void *rtf, size_t len, const char *line_end,
                  size_t max, size_t *len_out);

// The HTML inside RTF that was made from HTML ([MS-OXRTFEX] 3.1.4.1), as UTF-8; the charset that a
// <meta> in it names is not the one it is in any more. Of other RTF its text as HTML, with lines
// and what is bold, italic, underlined and struck out. In the arena.
char *rtf_to_html(struct arena *arena, const void *rtf, size_t len, size_t max, size_t *len_out);
