// HTML as plain text.
#pragma once

#include <stddef.h>

#include "base/arena.h"

enum html_text_purpose {
    HTML_TEXT_WORDS, // to be searched: "\n" line ends; alt and title texts; no ornaments
    HTML_TEXT_BODY,  // to be read: CRLF line ends; list marks, addresses of links, table columns
};

// The text of `len` bytes of HTML, valid UTF-8 without control characters but tabs and line ends,
// at most about `max` bytes. Tags, comments, scripts, styles and the document's title are left out,
// character references resolved, block elements and <br> begin lines, white space is one space but
// in <pre>.
//
// `charset` NULL: the byte order mark says it, or a <meta>, or it is UTF-8 if it can be, else
// windows-1252. Never fails; linear in time. In the arena; the length goes to `len_out` when it is
// not NULL.
char *html_to_text(struct arena *arena, const void *html, size_t len, const char *charset,
                   enum html_text_purpose purpose, size_t max, size_t *len_out);

// The HTML itself as valid UTF-8, its charset found likewise (the <meta> stays as it is). In the
// arena.
char *html_to_utf8(struct arena *arena, const void *html, size_t len, const char *charset,
                   size_t *len_out);
