// A whole message as a value: what conversions make and take, what the store saves and loads.
//
// Recipients and attachments are property bags in order. Large contents either stand in the value
// (`data`), or point into the internet original that travels beside it (`external` with blob 0).
#pragma once

#include <glib.h>

#include "mapi/bag.h"

struct message_value;

struct attachment_value {
    struct bag *bag; // PidTagAttachMethod, names, types, rendering position, ...; not the content
    // Exactly one of these holds the content; none for methods by reference:
    GBytes *data;                   // PidTagAttachDataBinary by value (also OLE)
    struct prop_external external;  // len > 0: inside the original (or a stored blob)
    struct message_value *embedded; // PidTagAttachMethod 5
};

struct message_value {
    struct bag *bag;
    GPtrArray *recipients;  // struct bag *: PidTagRecipientType, PidTagEmailAddress, ...
    GPtrArray *attachments; // struct attachment_value *
};

struct message_value *message_value_new(
    void); // with empty bag and arrays, which free their elements
void message_value_free(struct message_value *m);       // accepts NULL
struct attachment_value *attachment_value_new(void);    // with an empty bag
void attachment_value_free(struct attachment_value *a); // accepts NULL
