// Read receipts: telling a sender who asked for it that a message was read, or deleted unread
// ([MS-OXOMSG] 2.2.1.29, 2.2.2, 3.3.4, [RFC 8098]).
//
// Each message is answered once: the keyword $MDNSent ([RFC 3503]) is set in the change that marks
// it read or deletes it, so that IMAP clients, who send their own, and the server never answer
// both. A server that stops between that change and the sending sends none.
#pragma once

#include "mailbox/mailbox.h"

struct bag;

#define RECEIPT_KEYWORD "$MDNSent"

// The client behind `m` leaves receipts to the server (as Outlook does), with its user's consent.
// Otherwise, as after mailbox_open, only the owner's setting "always" makes the server send them.
void mailbox_set_receipts(struct mailbox *m, bool by_server);

// What a message about to be sent asks of its delivery, as DSN NOTIFY (QUEUE_NOTIFY_*): of
// PidTagOriginatorDeliveryReportRequested and PidTagOriginatorNonDeliveryReportRequested. 0: the
// default.
uint32_t mailbox_notify_bits(const struct bag *bag);
