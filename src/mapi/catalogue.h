// The property catalogue: what [MS-OXPROPS] says of every property, to look up by tag and by name.
//
// Constants for all of them (PidTagSubject, PidLidReminderSet, PidNameKeywords) are in props.h;
// both are made from properties.csv. A named property of the catalogue has the same id, from 0x8001
// up, in every mailbox, so that its constant is a tag like any other.
#pragma once

#include <stdint.h>

#include "mapi/prop.h"
#include "mapi/props.h"

// Ids of named properties: those of the catalogue, then those that a mailbox assigns itself.
#define NAMED_ID_FIRST_FIXED 0x8001
#define NAMED_ID_FIRST_OWN 0x9000
#define NAMED_ID_LAST 0xFFFE

enum catalogue_kind {
    CATALOGUE_TAG,          // by a property id
    CATALOGUE_ADDRESS_BOOK, // by a property id from 0x8000 up, on address book objects alone
    CATALOGUE_LID,          // named by a number in a property set
    CATALOGUE_STRING,       // named by a string in a property set
};

struct catalogue_property {
    const char *name; // "PidTagSubject"
    proptag_t tag;
    enum catalogue_kind kind;
    const struct guid *set; // the property set; NULL for tags
    uint32_t lid;           // CATALOGUE_LID
    const char *string;     // CATALOGUE_STRING; lower-case in PS_INTERNET_HEADERS
};

// The property of a message, folder or store with this tag; failing that, with this id (some ids
// are used twice with different types: the first in tag order). NULL: none.
const struct catalogue_property *catalogue_by_tag(proptag_t tag);

// The same for address book objects, whose ids from 0x8000 up are not named properties.
const struct catalogue_property *catalogue_by_address_book_tag(proptag_t tag);

// By the specification's name, in its case. NULL: none.
const struct catalogue_property *catalogue_by_name(const char *name);

// Named properties. Strings compare exactly, except in PS_INTERNET_HEADERS, where case does not
// count ([MS-OXCPRPT] 3.2.5.10). NULL: none.
const struct catalogue_property *catalogue_by_lid(const struct guid *set, uint32_t lid);
const struct catalogue_property *catalogue_by_string(const struct guid *set, const char *string);

// All of them in the order of the CSV; `*n_out` rows.
const struct catalogue_property *catalogue_all(unsigned *n_out);
