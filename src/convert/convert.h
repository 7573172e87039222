// Messages between MAPI values and internet formats ([MS-OXCMAIL], [MS-OXBBODY]).
#pragma once

#include "base/arena.h"
#include "formats/mime.h"
#include "mapi/message_value.h"

// Makes the MAPI message of an internet message: headers to properties (subject with prefix and
// normalized subject, sender and sent-representing, reply-to, message id, references, in-reply-to,
// dates, importance, priority, sensitivity, receipts, message class, conversation topic and index,
// transport headers, keywords, x-headers as named properties, ...), recipients, body properties and
// attachments.
//
// Bodies and attachment contents are *external values* with blob 0: byte ranges of `mime->data`
// with the transfer encoding and charset to undo; message/rfc822 parts become attachments with
// method 5 (embedded) whose content is external too, opened with convert_embedded when needed.
// Small inline results (empty body) may stand in the bag. PidTagMessageDeliveryTime is not set.
// Never fails for well-formed or malformed input alike; EC_NO_MEMORY-like conditions abort.
enum ec convert_mime_to_message(const struct mime_message *mime, struct message_value **out);

// The message inside a message/rfc822 part (bytes of the part's body, transfer encoding undone).
// External values point into `mime->data` again.
enum ec convert_embedded(const struct mime_message *mime, struct message_value **out);

// Gives the contents of external values (bytes already decoded, strings as UTF-8) to
// message_to_mime.
struct convert_source {
    enum ec (*read)(void *ctx, const struct prop_external *external, GBytes **out);
    void *ctx;
};

enum convert_form {
    CONVERT_INTERNET,     // parts and header fields that every mail program knows
    CONVERT_WINMAIL,      // a text, and winmail.dat with what is not in the header
    CONVERT_SUMMARY_TNEF, // TNEF alone, in binary: for servers that take BINARYMIME and know it
};
enum ec convert_message_to_mime_as(const struct message_value *message,
                                   const struct convert_source *source, bool with_bcc,
                                   enum convert_form form, GBytes **out);

// The internet rendition of a MAPI message, CRLF line ends: [MS-OXCMAIL] 2.1. `source` may be NULL
// when nothing is external. BCC recipients are written only when `with_bcc` (drafts, sent items).
// The form is CONVERT_WINMAIL where its author asked for it (PidLidUseTnef), else CONVERT_INTERNET.
enum ec convert_message_to_mime(const struct message_value *message,
                                const struct convert_source *source, bool with_bcc, GBytes **out);
