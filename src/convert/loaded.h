// Messages with all their contents in memory, for formats that are written as a whole.
#pragma once

#include "convert/convert.h"

// A copy of the message in which nothing is external: contents are read through `source` (NULL:
// nothing is), internet messages in it are taken apart. EC_MESSAGE_TOO_BIG: a body is past
// BAG_MAX_BYTES; what `source` answers.
enum ec convert_load(const struct message_value *message, const struct convert_source *source,
                     struct message_value **out);

// Reads what convert_mime_to_message left in the message's bytes. Borrows `mime`.
struct convert_source convert_mime_source(const struct mime_message *mime);
