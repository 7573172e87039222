// A message of one mailbox as a new one in another: restoring from a backup.
//
// Everything comes along: properties, recipients, attachments with what is embedded in them, the
// internet original byte for byte, flags, keywords, the date of delivery. Named properties get the
// ids they have in the new mailbox.
#pragma once

#include "store/message.h"

struct message_adopted;

// Reads the message into memory. EC_NOT_FOUND, EC_CORRUPT_DATA.
enum ec message_adopt_read(struct mbox_tx *from, uint64_t mid, struct message_adopted **out);
// Creates it in the folder `fid` (needs a write).
enum ec message_adopt_create(struct mbox_tx *to, uint64_t fid, struct message_adopted *m,
                             uint64_t *mid_out);
void message_adopted_free(struct message_adopted *m); // accepts NULL
