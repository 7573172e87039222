// A whole message as a value: what conversions make and take, what the store saves and loads.
//
// Recipients and attachments are property bags in order. Large contents either stand in the value
// (`data`), or point into the internet original that travels beside it (`external` with blob 0).
#pragma once

#include <glib.h>

#include "mapi/bag.h"
#include "mapi/named.h"

struct message_value;

// A named property's id and its name; the string is owned.
struct value_name {
    uint16_t id;
    struct prop_name name;
};
#define VALUE_NAMES_MAX 1024

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
    // Names of properties in `bag` that are not in the catalogue; NULL: none are known here.
    GPtrArray *names; // struct value_name *, by id
    // The ids in `names` are this value's own, counted from NAMED_ID_FIRST_OWN, and no mailbox's:
    // conversions do not know the mailbox. The store gives the properties their ids when it takes
    // the value.
    bool names_are_local;
};

struct message_value *message_value_new(
    void); // with empty bag and arrays, which free their elements
void message_value_free(struct message_value *m); // accepts NULL

// The local id of a name, added when it is new; for values that are not from a mailbox. 0: there
// are VALUE_NAMES_MAX already, or it is no possible name.
uint16_t message_value_local_name(struct message_value *m, const struct prop_name *name);
// Notes what a mailbox calls the property `id`.
void message_value_note_name(struct message_value *m, uint16_t id, const struct prop_name *name);
// The name of a property id: of the catalogue's, or noted here. False: not known.
bool message_value_name(const struct message_value *m, uint16_t id, struct prop_name *out);
// Forgets the noted names.
void message_value_clear_names(struct message_value *m);

struct attachment_value *attachment_value_new(void);    // with an empty bag
void attachment_value_free(struct attachment_value *a); // accepts NULL
