// Messages as .msg files, which Outlook saves, and back ([MS-OXMSG]).
#pragma once

#include "convert/convert.h"

#define MSG_DEPTH_MAX 16 // messages in messages that are read and written

// The message in the file, all of its properties, under local names; OLE objects are compound files
// of their own. What is broken in it is left out. EC_FORMAT_ERROR: no compound file, or one without
// a message; EC_CORRUPT_DATA.
enum ec convert_msg_to_message(const void *data, size_t len, struct message_value **out);

// A file with the whole message; `source` may be NULL when nothing is external. `code_page` 0:
// strings in Unicode; else in this code page, what it lacks is lost. Properties whose names are not
// known are left out. EC_MESSAGE_TOO_BIG; what `source` answers.
enum ec convert_message_to_msg(const struct message_value *message,
                               const struct convert_source *source, unsigned code_page,
                               GBytes **out);
