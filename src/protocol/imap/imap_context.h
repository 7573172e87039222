// Searches and sorts whose results the server keeps up to date ([RFC 5267] 4.3): RETURN (UPDATE).
#pragma once

#include "protocol/imap/search_command.h"
#include "protocol/imap/sort_parse.h"

// Before a command with RETURN (UPDATE) reads its keys: they are read again for the context from
// here. `columns` NULL: a SEARCH.
struct imap_context_start {
    size_t pos; // of the charset or the first key
    const struct mailbox_sort_column *columns;
    unsigned n_columns;
};
// Keeps the result up to date from now on, or says "* NO [NOUPDATE tag]".
void imap_context_begin(struct imap_cmd *c, const struct imap_context_start *start,
                        const GArray *found);

// After the client was told what leads from one view to the other, which s->view is.
void imap_contexts_update(struct imap_session *s, const struct mailbox_view *from);
void imap_contexts_free(struct imap_contexts *contexts); // accepts NULL
