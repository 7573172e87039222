// Flags and keywords between IMAP's words and the store's bits.
#pragma once

#include "protocol/imap/imap_parse.h"

struct imap_flags {
    uint32_t flags; // of MSG_CLIENT_FLAGS
    const char **keywords;
    unsigned n_keywords;
};

// "(\Seen Work)" or, for STORE, the same without parentheses. \Recent is passed over; other
// system flags that do not exist fail.
bool imap_parse_flags(struct imap_parser *p, bool allow_bare, struct imap_flags *out);

// "$Forwarded Work": sorted, one space between, as rows hold them; NULL without keywords. Arena.
const char *imap_join_keywords(struct arena *arena, const struct imap_flags *flags);

// The system flags of these bits: "\Seen \Flagged" (no parentheses). Static.
const char *imap_flag_names(uint32_t flags);
