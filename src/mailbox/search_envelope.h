// Searching header fields in the ENVELOPE that is stored with each message ([RFC 3501] 7.4.2),
// without the message.
#pragma once

#include "mailbox/search_text.h"

// In the order they stand in.
enum envelope_field {
    ENVELOPE_DATE,
    ENVELOPE_SUBJECT,
    ENVELOPE_FROM,
    ENVELOPE_SENDER,
    ENVELOPE_REPLY_TO,
    ENVELOPE_TO,
    ENVELOPE_CC,
    ENVELOPE_BCC,
    ENVELOPE_IN_REPLY_TO,
    ENVELOPE_MESSAGE_ID,
    ENVELOPE_NONE, // the envelope does not tell
};

// The field of the envelope that answers whether header fields called `name` contain the text of
// `needle`; ENVELOPE_NONE where only the header can: other fields, and for addresses texts that are
// more than a part of a name or an address (the envelope does not keep how they were punctuated).
enum envelope_field envelope_field_for(const char *name, const struct search_needle *needle);

// Whether `field` contains the needle. False: the envelope cannot be read, or is so long that it
// may be cut; ask the header.
bool envelope_contains(struct arena *scratch, const char *envelope, size_t len,
                       enum envelope_field field, const struct search_needle *needle,
                       bool *found_out);

// What sorting and threading need of an envelope: texts without their quotes, encoded words as they
// stand; of addresses the first one. In the arena; NULL: absent. False as above.
struct envelope_person {
    const char *name, *mailbox, *domain;
};
struct envelope_parts {
    const char *date, *subject, *in_reply_to, *message_id;
    struct envelope_person from, to, cc;
};
bool envelope_read(struct arena *arena, const char *envelope, size_t len,
                   struct envelope_parts *out);

// The Date field as it stands, in the arena; NULL in *date_out: none. False as above.
bool envelope_date(struct arena *arena, const char *envelope, size_t len, const char **date_out);
