// Contacts and personal distribution lists as vCards, and back ([MS-OXVCARD]).
//
// Lines that no property of a contact stands for are kept in a property of our own and written
// again.
#pragma once

#include "convert/convert.h"
#include "formats/vcard.h"

// The contact (or list) of the next card at or after `*p`, which moves behind it. False: there is
// none. Names are local.
bool convert_vcard_next(const char **p, const char *end, struct message_value **out);

// Appends the contact as a card; `source` may be NULL when nothing is external. EC_NOT_SUPPORTED:
// the message is neither a contact nor a distribution list; what `source` answers.
enum ec convert_message_to_vcard(const struct message_value *message,
                                 const struct convert_source *source, enum vcard_version version,
                                 GString *out);
