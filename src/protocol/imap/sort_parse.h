// Sort criteria of SORT ([RFC 5256] 5).
#pragma once

#include "mailbox/sort.h"
#include "protocol/imap/imap_parse.h"

// "(REVERSE DATE SUBJECT)": up to MAILBOX_SORT_MAX columns to `out`. False: the parser failed.
bool sort_parse(struct imap_parser *p, struct mailbox_sort_column *out, unsigned *n_out);
