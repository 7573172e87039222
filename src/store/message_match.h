// Restrictions on whole messages: properties, recipients and attachments of the message itself.
#pragma once

#include "mapi/restriction.h"
#include "store/message.h"

#define MATCH_VALUE_MAX (4u * 1024 * 1024) // larger values (bodies) count as absent

// Whether an opened message matches; external values are read as far as the restriction asks for
// them. EC_CORRUPT_DATA and the database's errors; a property that cannot be had is absent.
enum ec message_matches(struct mbox_tx *tx, struct message *m, const struct restriction *res,
                        bool *matches_out);
