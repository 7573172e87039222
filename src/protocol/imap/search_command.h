// What SEARCH, SORT and THREAD share: the charset, the keys, and finding the messages.
#pragma once

#include "protocol/imap/search_parse.h"
#include "protocol/imap/search_return.h"

struct search_command {
    struct search_return ret;
    struct search_program program;
};

// Reads the keys ("CHARSET x" before them when `charset_is_bare` is false, just "x" otherwise) up
// to the end. False: the reply is set.
bool search_command_parse(struct imap_cmd *c, bool charset_is_bare, struct search_command *out);
// The indexes of the rows that match, ascending.
enum ec search_command_run(struct imap_cmd *c, const struct search_command *command,
                           GArray **found_out);
