// Holds on mailboxes (store/recoverable.h says what they keep). For the administrator.
#pragma once

#include "mailbox/mailbox.h"
#include "store/recoverable.h"

// Of the mailbox and, where there is one, the archive.
enum ec mailbox_set_hold(struct mailbox_service *s, const struct guid *owner, enum hold_kind kind,
                         bool is_on, filetime_t duration);
enum ec mailbox_get_holds(struct mailbox_service *s, const struct guid *owner,
                          struct mbox_holds *out);
