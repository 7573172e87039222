// SEARCH keys into mailbox/'s query tree ([RFC 3501] 6.4.4, [RFC 5032] WITHIN, [RFC 7162] MODSEQ).
#pragma once

#include "protocol/imap/imap_session.h"

struct search_program {
    struct search_node *root; // an AND of all keys
    bool has_modseq;
    bool is_out_of_range; // a sequence number names no message
};

// Parses the keys up to the end. Texts are UTF-8 already. False: the parser failed.
bool search_parse(struct imap_cmd *c, struct search_program *out);
