// STATUS items, asked for by STATUS and by LIST ... RETURN (STATUS (...)).
#pragma once

#include "protocol/imap/imap_session.h"

// "(MESSAGES UNSEEN ...)" as bits.
bool imap_parse_status_items(struct imap_parser *p, unsigned *out);
// "* STATUS name (...)".
void imap_put_status(struct imap_session *s, const struct mailbox_folder *folder, unsigned items);
