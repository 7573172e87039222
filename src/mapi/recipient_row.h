// Recipient rows ([MS-OXCDATA] 2.8.3): a recipient's standard properties in a short form, then the
// values of the columns.
//
// A recipient is a property bag: PidTagAddressType, PidTagEmailAddress, PidTagDisplayName,
// PidTagAddressBookDisplayNamePrintable, PidTagTransmittableDisplayName, PidTagEntryId,
// PidTagSearchKey, PidTagDisplayType, PidTagResponsibility, PidTagSendRichInfo and any others.
// PidTagRecipientType stands outside of the row.
#pragma once

#include "mapi/bag.h"
#include "mapi/row.h"

// Reads a row and sets its properties in the bag. `dn_prefix` is the address prefix that the server
// gave when the client connected; X500 DNs are written relative to it. EC_FORMAT_ERROR, or what
// bag_set says.
enum ec recipient_row_read(struct wire_reader *r, const struct prop_wire *form,
                           const struct columns *columns, const char *dn_prefix,
                           struct bag *recipient);

// Writes a row; strings in Unicode, or in the form's code page.
void recipient_row_put(struct wire_writer *w, const struct prop_wire *form,
                       const struct columns *columns, bool is_unicode, const struct bag *recipient);
