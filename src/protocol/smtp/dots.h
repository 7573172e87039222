// The bytes of a message as DATA sends them: dot-stuffed lines up to CRLF.CRLF ([RFC 5321] 4.5.2),
// undone across pieces of any size. Only CRLF ends a line and only CRLF.CRLF the message, so that
// no other server's idea of a line end can smuggle a second message in; bare CR and LF are noticed.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dots_state {
    DOTS_LINE_START,
    DOTS_DOT,    // a dot at the start of a line
    DOTS_DOT_CR, // and a CR
    DOTS_TEXT,
    DOTS_CR,
    DOTS_END, // the final CRLF.CRLF was read
};

struct dots {
    enum dots_state state;
    bool is_stuffed;  // DATA; false for BDAT, where only line ends are looked at
    bool fixes_lines; // bare CR and LF become CRLF (mail from our users)
    bool has_bare, has_nul;
};

static inline struct dots dots(bool is_stuffed, bool fixes_lines) {
    return (struct dots){.is_stuffed = is_stuffed, .fixes_lines = fixes_lines};
}

// How many of the bytes belong to the message, its end included: all when the end is not in them.
size_t dots_find_end(const struct dots *d, const uint8_t *data, size_t len);

// Undoes the stuffing of `len` bytes (no more than dots_find_end said) and appends to `out`.
void dots_decode(struct dots *d, const uint8_t *data, size_t len, GByteArray *out);

// The message is over (BDAT LAST): gives what was held back.
void dots_finish(struct dots *d, GByteArray *out);
