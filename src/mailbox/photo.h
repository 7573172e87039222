// A user's picture, for everybody in the organization to see ([MS-OXWSCONT] GetUserPhoto).
//
// It is kept as it was given, in an associated message of the user's mailbox, and not scaled.
#pragma once

#include "mailbox/mailbox.h"

#define PHOTO_MAX (2 * 1024 * 1024)

struct photo {
    GBytes *bytes;
    const char *type;  // "image/jpeg"; static
    uint64_t revision; // another one after each change
};
// EC_NOT_FOUND: there is none, or no mailbox. g_bytes_unref(out->bytes).
enum ec mailbox_get_photo(struct mailbox_service *s, const struct guid *owner, struct photo *out);
// For the owner and the administrator; NULL takes it away. EC_FORMAT_ERROR: neither JPEG, PNG nor
// GIF; EC_MESSAGE_TOO_BIG.
enum ec mailbox_set_photo(struct mailbox *m, GBytes *bytes);
