// Replies of SMTP servers ([RFC 5321] 4.2, [RFC 2034]): bytes of strangers, parsed with limits.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/limits.h"

struct reply {
    unsigned code;   // 200 to 599
    char status[16]; // enhanced status code, if it has one that fits the code; else ""
    char text[RELAY_REPLY_TEXT_MAX + 1]; // its lines, joined by spaces; printable UTF-8, one line
};

enum reply_parse {
    REPLY_MORE, // not all of it is there
    REPLY_DONE, // *used bytes were one reply
    REPLY_BAD,  // this is not SMTP, or too long
};

// Parses the reply that `data` begins with. When `line` is given it is called for the text of each
// line (not NUL-terminated), as EHLO needs, once the reply is whole.
enum reply_parse reply_parse(const uint8_t *data, size_t len, struct reply *out, size_t *used,
                             void (*line)(void *ctx, const char *text, size_t len), void *ctx);

static inline bool reply_is_good(const struct reply *r) {
    return r->code >= 200 && r->code < 300;
}
static inline bool reply_is_permanent(const struct reply *r) {
    return r->code >= 500;
}

// What EHLO said.
struct extensions {
    bool is_pipelining, is_8bitmime, is_smtputf8, is_dsn, is_chunking, is_binarymime, has_starttls,
        has_requiretls, has_size, has_auth_plain, has_auth_login;
    uint64_t max_size; // 0: none said
};
// Reads a line of EHLO's reply after the first.
void extensions_read(struct extensions *e, const char *text, size_t len);
