// What the operations on items share.
#pragma once

#include "protocol/ews/ews_attachments.h"
#include "protocol/ews/ews_properties.h"

// An item of a request, opened: stored, or inside attachments.
struct ews_opened {
    struct ews_mailbox *mailbox;
    struct item *item;
    struct ews_attachment chain; // n_items 0: not in an attachment
};
enum ec ews_open_ref(struct ews_call *call, const struct ews_item_ref *ref, struct ews_opened *out);
void ews_opened_close(struct ews_opened *o); // accepts one that was not opened

// An element with the item's ids alone, as answers to changes have it; the item is read anew.
enum ec ews_write_ids(struct ews_call *call, struct ews_mailbox *m, uint64_t mid);

// The items of `ids` (m:ItemIds) one after the other: `one` answers each, with a message of its
// own. ErrorMissingArgument-like faults when there are none, or more than EWS_MAX_IDS.
enum ec ews_each_item(struct ews_call *call, const struct ews_node *ids,
                      enum ec (*one)(struct ews_call *call, const struct ews_item_ref *ref,
                                     void *ctx),
                      void *ctx);

// A new item from its parts (op_create_item.c, ews_reply.c).
enum ews_disposition { EWS_SAVE_ONLY, EWS_SEND_ONLY, EWS_SEND_AND_SAVE };
struct ews_new_item {
    struct ews_update update;
    enum ews_class class;
};
// The disposition attribute. False: there is none, or it is wrong.
bool ews_read_disposition(const struct ews_node *node, enum ews_disposition *out);

// Replies and forwards (ews_reply.c). What t:ReplyToItem and the like name, and what was done to
// it.
enum ews_verb { EWS_REPLY = 102, EWS_REPLY_ALL = 103, EWS_FORWARD = 104 };
enum ec ews_reply_begin(struct ews_call *call, const struct ews_node *node, enum ews_verb verb,
                        struct ews_mailbox *target, struct message_value **value_out,
                        struct ews_item_ref *original_out);
// Notes on the original that it was answered or sent on.
void ews_reply_note(struct ews_call *call, const struct ews_item_ref *original, enum ews_verb verb);
