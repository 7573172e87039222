// What SEARCH and SORT give back: RETURN options and the ESEARCH response ([RFC 4731], [RFC 5267],
// [RFC 5182], [RFC 9394]).
#pragma once

#include "protocol/imap/imap_session.h"

enum search_return_option {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    RETURN_RELEVANCY = 16,
    RETURN_SAVE = 32,
    RETURN_UPDATE = 64,
    RETURN_CONTEXT = 128, // a hint that more will be asked for: nothing to be done about it
    RETURN_PARTIAL = 256,
};

// "1:500" or, counted from the end, "-1:-500"; both numbers from 1 on.
struct search_partial {
    uint32_t first, last; // first <= last
    bool is_from_end;
};

struct search_return {
    bool is_given; // RETURN stood there: the answer is ESEARCH
    unsigned what; // enum search_return_option
    struct search_partial partial;
    // Of a folder that need not be selected ([RFC 7377]); NULL: of the selected one.
    const char *mailbox;
    uint32_t uid_validity;
};

// Reads "RETURN (...) " where it stands. False: the parser failed.
bool search_return_parse(struct imap_parser *p, struct search_return *out);
bool search_partial_parse(struct imap_parser *p, struct search_partial *out);
// Which of `n` results, counted from 0, a PARTIAL means: [*from_out, *end_out).
void search_partial_resolve(const struct search_partial *partial, uint32_t n, uint32_t *from_out,
                            uint32_t *end_out);

// The number or uid of a row, whichever the command counts in.
uint32_t search_number_of(const struct imap_cmd *c, uint32_t index);
// "* ESEARCH (TAG "a") UID ...". `found`: indexes of rows in the order of the result.
void search_put_extended(struct imap_cmd *c, const GArray *found, const struct search_return *ret,
                         bool with_modseq);
// "(MODSEQ n)" of these results.
uint64_t search_highest_modseq(const struct imap_cmd *c, const GArray *found, guint from,
                               guint end);
// Keeps the result for "$". `found` NULL: an empty one.
void search_save(struct imap_cmd *c, const GArray *found, const struct search_return *ret);
