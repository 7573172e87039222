// Archive mailboxes: a second mailbox of a user, in a database of its own, with the owner's rights
// and a quota of its own. What retention archives goes there, into a folder of the same path.
#pragma once

#include "mailbox/mailbox.h"

// Makes the archive, or takes up the one that was switched off. EC_COLLISION: it is on already;
// EC_NOT_FOUND: no such user with a mailbox.
enum ec mailbox_archive_enable(struct mailbox_service *s, const struct guid *owner);
// The archive's database stays, for nobody to see, until it is switched on again. EC_NOT_FOUND.
enum ec mailbox_archive_disable(struct mailbox_service *s, const struct guid *owner);
// The archive's mailbox. EC_NOT_FOUND: the user has none.
enum ec mailbox_archive_of(struct mailbox_service *s, const struct guid *owner,
                           struct guid *archive_out);
// Whose archive a mailbox is (switched off too). EC_NOT_FOUND: nobody's.
enum ec mailbox_archive_owner(struct mailbox_service *s, const struct guid *archive,
                              struct guid *owner_out);
// Deletes the archive with its owner. EC_OK when there is none; EC_BUSY while somebody has it open.
enum ec mailbox_archive_delete(struct mailbox_service *s, const struct guid *owner);

// A user's archive: for the owner and the administrator. EC_NOT_FOUND, EC_ACCESS_DENIED.
enum ec mailbox_open_archive(struct mailbox_service *s, struct principal *who,
                             const struct guid *owner, struct mailbox **out);
