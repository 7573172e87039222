// MIME, as it stands in the bytes: a scanner that finds the structure of a message and keeps
// offsets, never copies ([RFC 5322], [RFC 2045]-[RFC 2047], [RFC 2231], [RFC 6532]).
//
// Nothing is rejected: every sequence of bytes is a message of some structure, as mail readers see
// it. Depth, parts and headers are limited (the rest of the bytes then belongs to the last part
// opened, as text), so time and memory stay linear in the input.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/result.h"

#define MIME_MAX_DEPTH 64
#define MIME_MAX_PARTS 10000
#define MIME_MAX_PARAMS 64

// A run of bytes inside the message.
struct mime_span {
    size_t pos, len;
};

enum mime_encoding {
    MIME_7BIT,
    MIME_8BIT,
    MIME_BINARY,
    MIME_BASE64,
    MIME_QUOTED_PRINTABLE,
    MIME_UUENCODE,
    MIME_UNKNOWN_ENCODING
};

struct mime_param {
    const char *name;  // lower case
    const char *value; // decoded to UTF-8 (RFC 2231 continuations joined, RFC 2047 tolerated)
    // As it stands, unquoted (for IMAP BODYSTRUCTURE); RFC 2231 pieces keep their own rows. NULL in
    // the further row, after the others, that holds the joined value of such pieces.
    const char *raw;
};

struct mime_part {
    struct mime_part *parent, *first_child,
        *next; // tree; message/rfc822 has one child, the embedded message's root
    unsigned depth;
    struct mime_span header;           // with the empty line that ends it
    struct mime_span body;             // without the line end that belongs to the boundary
    uint32_t header_lines, body_lines; // number of LF in body, as IMAP counts "lines"
    const char *type,
        *subtype; // lower case; "text"/"plain" by default, "message"/"rfc822" in a digest
    struct mime_param *params; // of Content-Type, raw rows in order; charset us-ascii without one
    unsigned n_params;
    const char *disposition; // lower case, NULL: none
    struct mime_param *disposition_params;
    unsigned n_disposition_params;
    enum mime_encoding encoding;
    const char *encoding_name;             // as written, upper case; "7BIT" by default
    const char *content_id;                // raw text with the angle brackets; NULL: none
    const char *description;               // raw
    const char *md5, *language, *location; // raw; NULL: none
    bool is_truncated;                     // a limit was reached inside
};

struct mime_message {
    const uint8_t *data; // borrowed: must outlive this
    size_t len;
    struct mime_part *root;
    unsigned n_parts;
};

// Scans `len` bytes. Everything is allocated in the arena. Never fails.
struct mime_message *mime_scan(struct arena *arena, const void *data, size_t len);

// The part with this IMAP part number ("1.2"), or NULL. For a message/rfc822 part, ".1" goes into
// its message; "" is the root.
const struct mime_part *mime_find(const struct mime_message *m, const char *section);

// --- Headers ---

struct mime_header {
    struct mime_span name;  // without the colon
    struct mime_span value; // after the colon, folded as it stands, without the final line end
    struct mime_span whole; // with the line end
};

// Walks the header fields of a part: `*pos` starts at 0; false at the end. Lines that are no field
// are skipped.
bool mime_header_next(const struct mime_message *m, const struct mime_part *part, size_t *pos,
                      struct mime_header *out);

// The value of a field that mime_header_next gave, unfolded and trimmed, not decoded; at most `max`
// bytes of it. NULs become spaces. In the arena.
char *mime_header_value(struct arena *arena, const struct mime_message *m,
                        const struct mime_header *header, size_t max);

// The first field called `name` (any case) of a part, unfolded but not decoded, trimmed; in the
// arena. NULL: none.
char *mime_header_raw(struct arena *arena, const struct mime_message *m,
                      const struct mime_part *part, const char *name);

// The same decoded to UTF-8: encoded words (adjacent ones joined), raw UTF-8, other raw 8-bit read
// in `fallback_charset` (NULL: windows-1252).
char *mime_header_text(struct arena *arena, const struct mime_message *m,
                       const struct mime_part *part, const char *name,
                       const char *fallback_charset);

// Decodes the unstructured value `raw` likewise.
char *mime_decode_words(struct arena *arena, const char *raw, const char *fallback_charset);

// Seconds since 1970 and the zone's minutes east; false when it is no date at all. Obsolete zones,
// missing weekdays and seconds, two-digit years are accepted.
bool mime_parse_date(const char *raw, int64_t *unix_out, int *zone_out);

// --- Addresses ---

struct mime_address {
    struct mime_address *next;
    const char *raw_name; // display name, unquoted, encoded words undecoded; NULL: none
    const char *name;     // decoded to UTF-8; NULL: none
    const char *route;    // obsolete source route; NULL: none
    const char *mailbox;  // local part, unquoted; for a group's start: the group's name
    const char *domain;   // NULL: a group's start (mailbox set) or end (mailbox NULL too)
};

// Parses an address list field, groups included, tolerant: what is no address becomes one with an
// empty domain. At most 10,000 addresses.
struct mime_address *mime_parse_addresses(struct arena *arena, const char *raw);

// "local@domain" (quoted where needed), in the arena.
char *mime_address_format(struct arena *arena, const struct mime_address *a);

// The message ids ("<...>" without the brackets) in a References or Message-ID field; at most
// 1,000.
char **mime_parse_ids(struct arena *arena, const char *raw);

// --- Bodies ---

// The body of `part` with its transfer encoding undone. Invalid input gives what can be had.
GBytes *mime_decode_body(const struct mime_message *m, const struct mime_part *part);

// The same for bytes found otherwise (a span kept in a database).
GBytes *mime_decode(const void *data, size_t len, enum mime_encoding encoding);

// Text in `charset` (any MIME name or alias, NULL: us-ascii) as valid UTF-8; what cannot be
// converted becomes U+FFFD. Unknown charsets are read as windows-1252 when the bytes are not UTF-8.
// In the arena.
char *mime_to_utf8(struct arena *arena, const void *data, size_t len, const char *charset,
                   size_t *len_out);

// A parameter's decoded value, or NULL. `params` are a part's rows.
const char *mime_param(const struct mime_param *params, unsigned n, const char *name);

// The file name of a part from Content-Disposition or Content-Type name, in every encoding seen in
// the wild, decoded; NULL: none.
const char *mime_filename(const struct mime_part *part);

// --- Renditions for IMAP ([RFC 3501] 7.4.2), made once at delivery and stored ---

// "(date subject from sender reply-to to cc bcc in-reply-to message-id)", 8-bit values as literals
// only where a quoted string cannot hold them.
void mime_imap_envelope(const struct mime_message *m, const struct mime_part *part, GString *out);

// BODYSTRUCTURE (`extended`) or BODY of the whole message.
void mime_imap_bodystructure(const struct mime_message *m, bool extended, GString *out);

// Appends `s` as an IMAP nstring: NIL, "quoted" or {n} literal as its bytes need.
void mime_imap_nstring(const char *s, GString *out);

// --- Building ---

// Appends a header field: `text` UTF-8 encoded as RFC 2047 words where needed, folded at 78
// columns.
void mime_put_header(GString *out, const char *name, const char *text);
// A structured value already in ASCII, folded at white space.
void mime_put_raw_header(GString *out, const char *name, const char *value);
// An address list field from decoded names and addresses; nothing when the list is empty.
void mime_put_addresses(GString *out, const char *name, const struct mime_address *list);
// A parameter "; name=value", RFC 2231 where the value is not ASCII or too long, else quoted.
void mime_put_param(GString *out, const char *name, const char *value);
void mime_put_date(GString *out, const char *name, int64_t unix_time, int zone_minutes);
// Bodies: base64 in 76-column CRLF lines; quoted-printable for text (line ends kept as CRLF).
void mime_put_base64(GString *out, const void *data, size_t len);
void mime_put_quoted_printable(GString *out, const void *data, size_t len);
// A boundary that does not occur in anything (random); in the arena.
char *mime_new_boundary(struct arena *arena);
