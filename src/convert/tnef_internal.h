// What reading and writing TNEF share.
#pragma once

#include "convert/convert_internal.h"
#include "convert/tnef.h"
#include "formats/tnef.h"

extern const uint8_t tnef_iid_message[16], tnef_iid_storage[16];

struct decoding {
    struct reading *r; // for names of attachments
    struct message_value *m;
    struct attachment_value *attachment; // the last begun; NULL: none
    unsigned code_page;
    unsigned depth;
    unsigned n_named; // named properties outside the catalogue
    bool is_whole;    // everything is taken (TNEF_WHOLE)
};

// A string of the TNEF as UTF-8, in the arena (tnef_values.c).
const char *tnef_string(struct decoding *d, uint16_t type, const struct wire_reader *v);
// Reads the values of a property; false: it has none that is kept. The tag's id is left to the
// caller.
bool tnef_read_value(struct decoding *d, struct wire_reader *list, const struct tnef_property *p,
                     struct prop_value *out);
// The property's id in this message; 0: none.
uint16_t tnef_id_of(struct decoding *d, const struct tnef_property *p);

// What the store, the transport or the mailbox's owner say, never the sender of a message.
bool tnef_is_internal(uint16_t id);

// Message classes and what they were called of old ([MS-OXTNEF] 2.1.3.3.5); other ones are given
// back.
const char *tnef_new_class(const char *class);
const char *tnef_old_class(const char *class);

// Attributes that stand for properties of people and flags, which whole messages have
// (tnef_legacy.c).
void tnef_read_legacy(struct decoding *d, struct tnef_attribute *t);
