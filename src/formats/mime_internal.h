// What the files of the MIME codec share and no one else sees: character classes, unfolding, and
// the parsers of structured fields that the scanner calls while it walks a header.
#pragma once

#include "formats/mime.h"

#define MIME_MAX_FIELD (4u * 1024 * 1024) // bytes of one header value that are looked at
#define MIME_MAX_CONTENT_FIELD (64u * 1024)
#define MIME_MAX_ADDRESSES 10000
#define MIME_MAX_IDS 1000

static inline bool mime_is_wsp(int c) {
    return c == ' ' || c == '\t';
}

// White space as it occurs in fields that may still be folded.
static inline bool mime_is_space(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// A character of a header field's name ([RFC 5322] 2.2).
static inline bool mime_is_ftext(int c) {
    return c > 32 && c < 127 && c != ':';
}

// The special characters of structured fields ([RFC 2045] 5.1 "tspecials").
static inline bool mime_is_tspecial(int c) {
    switch (c) {
    case '(':
    case ')':
    case '<':
    case '>':
    case '@':
    case ',':
    case ';':
    case ':':
    case '\\':
    case '"':
    case '/':
    case '[':
    case ']':
    case '?':
    case '=':
        return true;
    default:
        return false;
    }
}

// A character that an atom may hold ([RFC 5322] 3.2.3, with UTF-8 as of [RFC 6532]).
static inline bool mime_is_atext(int c) {
    if (c <= 32 || c == 127)
        return false;
    switch (c) {
    case '(':
    case ')':
    case '<':
    case '>':
    case '[':
    case ']':
    case ':':
    case ';':
    case '@':
    case '\\':
    case ',':
    case '.':
    case '"':
        return false;
    default:
        return true;
    }
}

static inline int mime_hex_value(int c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

// Whether the header field named by `name` has the `len` characters of `text` as its name.
bool mime_name_is(const uint8_t *text, size_t len, const char *name);

// A header value on one line: line ends removed (a tab after one becomes a space), NULs and bare
// CRs become spaces, trimmed. At most `max` bytes of the value are read.
char *mime_unfold(struct arena *arena, const uint8_t *data, size_t len, size_t max);

// Skips white space and comments of a structured field; nested comments count. The last comment's
// text (unquoted, in the arena) goes to `comment_out` unless that is NULL.
const char *mime_skip_cfws(struct arena *arena, const char *p, const char **comment_out);

// Content-Type: type and subtype, lower case ("text", "plain" when there is none), and the
// parameters. Content-Disposition: the same with one token.
void mime_parse_content_type(struct arena *arena, const char *value, struct mime_part *part);
void mime_parse_disposition(struct arena *arena, const char *value, struct mime_part *part);

enum mime_encoding mime_encoding_parse(const char *name);

// An encoded word at `p`: its end, or NULL when there is none. `*closed` becomes false when no "?="
// follows anywhere, so that the caller need not look again.
const char *mime_encoded_word_end(const char *p, bool *closed);

// Bytes of transfer encodings into a buffer of at least `len` bytes; the number of bytes made.
size_t mime_base64_decode(const uint8_t *in, size_t len, uint8_t *out);
size_t mime_qp_decode(const uint8_t *in, size_t len, uint8_t *out);
size_t mime_uu_decode(const uint8_t *in, size_t len, uint8_t *out);

// Whether the bytes are text in UTF-8; ASCII is.
bool mime_is_utf8(const void *data, size_t len);
