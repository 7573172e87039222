// Which lines of a vCard are which properties of a contact ([MS-OXVCARD] 2.1.3).
#pragma once

#include "convert/convert_internal.h"
#include "convert/vcard.h"

// Texts: `type` is the word that TYPE has to have, NULL: any. Of several rows for one line the
// first whose property is not set yet counts; of several for one property the first is written.
struct vcard_row {
    const char *name, *type;
    proptag_t tag;
};
extern const struct vcard_row vcard_texts[];
extern const unsigned vcard_n_texts;

// Telephone numbers: `types` as they are written; `needs` and `also` have to be among the words.
struct vcard_phone {
    const char *name, *types, *needs, *also;
    proptag_t tag;
};
extern const struct vcard_phone vcard_phones[];
extern const unsigned vcard_n_phones;

// Addresses: post office box, street, city, region, code, country.
enum { ADDRESS_PARTS = 6 };
struct vcard_address {
    const char *type;
    proptag_t parts[ADDRESS_PARTS], whole; // `whole`: the label
    int postal_id;                         // PidLidPostalAddressId
};
extern const struct vcard_address vcard_addresses[3]; // home, work, other
extern const proptag_t vcard_mailing_address[ADDRESS_PARTS];
extern const proptag_t vcard_name_parts[5];
extern const proptag_t vcard_user_fields[4];

// The electronic addresses of a contact.
struct vcard_email {
    proptag_t address, type, name, original_name, entry_id;
};
extern const struct vcard_email vcard_emails[3];

// Dates without a time.
struct vcard_date {
    const char *name;
    proptag_t tag, local;
};
extern const struct vcard_date vcard_dates[];
extern const unsigned vcard_n_dates;

// The property with the lines that stand for nothing else: strings, unfolded.
extern const struct prop_name vcard_other_lines;
