// Moving messages into the archive, for retention.c.
#pragma once

#include "mailbox/archive.h"

// Moves messages of a folder into the folder of the same path of `archive`: first there, then away
// here, so that a crash in between leaves them twice and never nowhere; a second try does not add
// them again. *n_out: how many were moved, also when one fails. EC_QUOTA_EXCEEDED: it is full.
enum ec archive_move(struct mailbox_service *s, struct mbox *from, struct mbox *archive,
                     uint64_t fid, const uint64_t *mids, unsigned n, unsigned *n_out);
