// A message's words, for full-text search ([MS-OXOSRCH], PidTagSearch*): what people would look for
// in it.
#pragma once

#include "convert/convert.h"

enum message_text_part {
    TEXT_SUBJECT,
    TEXT_SENDER,     // names and addresses: From, Sender, Reply-To
    TEXT_RECIPIENTS, // To, Cc, Bcc
    TEXT_BODY,
    TEXT_ATTACHMENT_NAMES,
    TEXT_ATTACHMENTS, // what is text in attachments: text, HTML, RTF, iCalendar, vCard, messages
    TEXT_OTHER,       // categories, places, companies: string properties worth searching
    TEXT_PARTS,
};
#define TEXT_PART_MAX (8u * 1024 * 1024) // bytes of one part; what is beyond is not searched
#define TEXT_NESTING_MAX 8               // attached messages in attached messages

// Plain UTF-8 of the whole message, one string a part ("" where there is nothing), tags, encodings
// and control characters undone, pieces separated by '\n'. `external_converter` (NULL: none) is a
// command that gets other attachments on its standard input, their type and name as arguments, and
// prints UTF-8 text; it has 10 seconds and 64 MiB of output.
struct message_text {
    const char *parts[TEXT_PARTS]; // in the arena
};
enum ec message_text(const struct message_value *message, const struct convert_source *source,
                     const char *external_converter, struct arena *arena, struct message_text *out);
