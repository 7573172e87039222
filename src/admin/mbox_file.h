// mbox files: messages one after the other, each after a line "From sender date" ([RFC 4155] and
// the older habits).
//
// Lines of a message that begin with "From " are quoted in one of four ways: mboxo and mboxrd put a
// '>' before them (mboxrd before ">From " too), mboxcl adds Content-Length to that, mboxcl2 has
// Content-Length alone. Reading tells them apart a message at a time; writing follows mboxrd.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/filetime.h"

enum mbox_quoting {
    MBOX_AUTO, // by what the message looks like
    MBOX_RD,   // one '>' before "From " is always quoting
    MBOX_NONE, // never
};

struct mbox_file_cursor {
    const char *data; // the whole file, borrowed
    size_t len, pos;
    enum mbox_quoting quoting;
};

struct mbox_file_entry {
    const char *data; // as it stands in the file, without the "From " line and the empty line after
    size_t len;
    bool is_quoted;     // '>' before "From " has to go
    bool is_internal;   // a mail program's own data, not a message
    filetime_t date;    // of the "From " line (UTC unless it names a zone); 0: unknown
    uint32_t flags;     // enum message_flag, from Status and X-Status
    char keywords[200]; // from X-Keywords, as in message_row; "" none
};

// Whether the bytes begin like an mbox file.
bool mbox_file_looks_like(const char *data, size_t len);

// The next message; false at the end. Bytes before the first "From " line are passed over.
bool mbox_file_next(struct mbox_file_cursor *cursor, struct mbox_file_entry *out);

// The message itself: quoting undone, Status, X-Status and X-Keywords (which became flags) left
// out.
GBytes *mbox_file_content(const struct mbox_file_entry *entry);

// What stands before and after a message when it is written.
struct mbox_file_writer {
    bool at_line_start, ends_with_newline;
    char keep[8]; // the beginning of a line whose quoting is not decided yet
    unsigned n_keep;
};
// Appends the "From " line.
void mbox_file_write_from(struct mbox_file_writer *w, const char *sender, filetime_t date,
                          GString *out);
// Appends a piece of the message, quoted. Status lines for `flags` and `keywords` come first.
void mbox_file_write_status(struct mbox_file_writer *w, uint32_t flags, const char *keywords,
                            GString *out);
void mbox_file_write(struct mbox_file_writer *w, const char *data, size_t len, GString *out);
// Appends what ends the message.
void mbox_file_write_end(struct mbox_file_writer *w, GString *out);
