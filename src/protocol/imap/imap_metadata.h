// Metadata asked for by LIST ... RETURN (METADATA (...)) ([RFC 9590]).
#pragma once

#include "protocol/imap/imap_session.h"

struct imap_metadata_names {
    const char **names; // in the arena
    unsigned n;
};
// "(/private/comment /shared/comment)" or one of them alone.
bool imap_parse_metadata_names(struct imap_parser *p, struct imap_metadata_names *out);
// "* METADATA name (...)" of a folder: all of the entries, NIL for those that it does not have.
void imap_put_list_metadata(struct imap_cmd *c, const struct mailbox_folder *folder,
                            const struct imap_metadata_names *names);
