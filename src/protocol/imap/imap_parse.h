// Command arguments: a cursor over one whole command ([RFC 3501] 9).
//
// The command is one run of bytes, literals standing in it as "{n}CRLF" and their bytes; messages
// of APPEND that were spooled are beside it (struct imap_spooled) and only their "{n}CRLF" stands
// there. The error is sticky: after the first that does not fit, everything fails, and the command
// checks once.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/filetime.h"
#include "mailbox/mailbox.h"

// A literal that was not put into the command: its header ends at `pos`.
struct imap_spooled {
    size_t pos;
    GBytes *bytes;
};

struct imap_parser {
    struct arena *arena; // strings that are given out
    const char *data;
    size_t len, pos;
    const struct imap_spooled *spooled;
    unsigned n_spooled;
    const GArray *saved; // what "$" stands for in sets: struct search_range of uids; NULL: nothing
    bool failed;
    const char *error; // what was expected, for the BAD response; static
};

static inline bool imap_ok(const struct imap_parser *p) {
    return !p->failed;
}

// Marks the command as wrong; keeps the first reason. Always false.
bool imap_fail(struct imap_parser *p, const char *error);

int imap_peek(const struct imap_parser *p);      // the next byte, -1 at the end
bool imap_accept(struct imap_parser *p, char c); // skips `c` if it is next
bool imap_expect(struct imap_parser *p, char c); // fails unless `c` is next
bool imap_space(struct imap_parser *p);          // exactly one space (more are tolerated)
bool imap_at_end(const struct imap_parser *p);   // nothing is left
bool imap_end(struct imap_parser *p);            // fails when something is left
bool imap_accept_word(struct imap_parser *p, const char *word); // the next whole atom, any case

// Each gives NULL (and fails) when the next thing is not one. NUL-terminated, in the arena.
const char *imap_tag(struct imap_parser *p);
const char *imap_atom(struct imap_parser *p);
const char *imap_string(struct imap_parser *p, size_t *len_out);  // quoted or literal
const char *imap_astring(struct imap_parser *p, size_t *len_out); // atom or string
const char *imap_nstring(struct imap_parser *p);                  // "" for NIL
const char *imap_list_pattern(struct imap_parser *p);             // atom with wildcards, or string
const char *imap_fetch_word(struct imap_parser *p); // letters, digits and '.' (data item names)

bool imap_number(struct imap_parser *p, uint32_t *out);
bool imap_number64(struct imap_parser *p, uint64_t *out); // up to 2^63-1

// A literal or literal8 as bytes, spooled or not (the message of APPEND). Caller frees with
// g_bytes_unref.
GBytes *imap_literal_bytes(struct imap_parser *p);

// A sequence set; '*' is UINT32_MAX. In the order written.
struct imap_set {
    struct search_range *ranges;
    unsigned n;
    bool is_uids; // "$" ([RFC 5182]): uids, whatever the command counts in
};
bool imap_parse_set(struct imap_parser *p, struct imap_set *out);

// Whether a line ends with a literal's header: {n}, {n+}, the number in `*size_out` (UINT64_MAX
// when it does not fit), whether the client waits for a go-ahead in `*is_sync_out`.
bool imap_ends_with_literal(const char *line, size_t len, uint64_t *size_out, bool *is_sync_out);
