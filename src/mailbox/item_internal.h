// An open item, shared by the files item*.c.
#pragma once

#include "mailbox/item.h"
#include "mailbox/mailbox_internal.h"

struct item_batch {
    struct mailbox *m;
    struct mbox_tx *tx;
};

struct item {
    struct mailbox *m;
    struct item_batch *batch; // NULL: of a value
    bool has_own_batch;
    struct message *message;     // stored; NULL: embedded or of a value
    struct message_value *value; // of the message, or what it is about
    struct item *parent;         // embedded
    struct message_row row;      // stored; keywords are own
    uint64_t fid, cn;
    uint32_t rights;
    bool is_own;
    bool is_changed;
    unsigned bodies_set; // body_replaced of a value
};

// The transaction that external values are read in; NULL: there are none.
struct mbox_tx *item_tx(struct item *i);
// What a new item has to have ([MS-OXCMSG] 2.2.1): times, class, search key, creator, conversation.
void item_value_finish(const struct mailbox *m, struct message_value *value);
// Who changed it last and when.
void item_value_touch(const struct mailbox *m, struct bag *bag);
