// Whole messages as TNEF and back ([MS-OXTNEF]).
//
// TNEF that came in with mail is read by convert_mime_to_message, which believes little of it. The
// functions here are for messages that are ours: nothing is left out, so that a message made of the
// TNEF of a message is the same message.
#pragma once

#include "convert/convert.h"

#define TNEF_MAX (1024u * 1024 * 1024) // bytes of TNEF that are written
#define TNEF_DEPTH_MAX 16              // messages in TNEF in messages in TNEF

enum tnef_purpose {
    TNEF_WHOLE,    // everything, recipients too
    TNEF_FOR_MAIL, // as winmail.dat: what the header fields do not say, nothing that is private
};

// The message as TNEF; `source` may be NULL when nothing is external. EC_MESSAGE_TOO_BIG past
// TNEF_MAX; what `source` answers. Properties whose names are not known are left out.
enum ec convert_message_to_tnef(const struct message_value *message,
                                const struct convert_source *source, enum tnef_purpose purpose,
                                GBytes **out);

// The message in TNEF, all of its properties, under local names. What is cut off or broken gives
// what stands before. EC_FORMAT_ERROR: it is no TNEF.
enum ec convert_tnef_to_message(const void *data, size_t len, struct message_value **out);
