// An internet message becomes a MAPI message: the entry points. Headers are read in headers_in.c,
// bodies and attachments in body_in.c and attachment_in.c.
#include "convert/convert_internal.h"

enum ec convert_mime_to_message(const struct mime_message *mime, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    struct reading r = {.arena = arena, .mime = mime, .message = message_value_new()};
    read_headers(&r);
    read_structure(&r);
    *out = r.message;
    return EC_OK;
}

enum ec convert_embedded(const struct mime_message *mime, struct message_value **out) {
    return convert_mime_to_message(mime, out);
}
