// Mail that a mailbox sends by itself: what it forwards, receipts, answers of rules.
//
// Use cases make such messages; who knows the queue (transport/) says once where they go. They are
// handed over outside of every transaction.
#pragma once

#include "mailbox/mailbox.h"

enum mailbox_outgoing_kind {
    OUTGOING_FORWARD, // sent on as it came
    OUTGOING_RULE,    // made by a rule
    OUTGOING_RECEIPT, // about reading
    OUTGOING_REPLY,   // out of office
    OUTGOING_SUBMIT,  // a client's message
};
struct mailbox_outgoing_recipient {
    const char *address;
    uint32_t notify; // QUEUE_NOTIFY_*; 0: the default
};
struct mailbox_outgoing {
    enum mailbox_outgoing_kind kind;
    const struct guid *mailbox;
    const char *owner;                                   // its address
    const char *sender;                                  // envelope; "" for the null sender
    const char *recipient;                               // envelope; or the two below
    const struct mailbox_outgoing_recipient *recipients; // of one message
    unsigned n_recipients;                               // 0: `recipient` alone
    const char *user;      // OUTGOING_SUBMIT: the address of who sends it
    filetime_t hold_until; // it is not delivered before; 0: at once
    bool never_reports;    // DSN NOTIFY=NEVER
    bool requires_tls;
    GBytes *mime;
    const char *delivery_id; // of the delivery it comes from; NULL: none
};
// Makes the message durable; an error: it was not.
typedef enum ec (*mailbox_submit)(void *ctx, const struct mailbox_outgoing *message);
// NULL: nothing is sent (EC_NOT_INITIALIZED). Call it before the service is used by others.
void mailbox_service_set_outbox(struct mailbox_service *s, mailbox_submit submit, void *ctx);
