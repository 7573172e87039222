// What may become of a message that is about to be delivered: hooks look at it in turn and change
// the plan, before the transaction that stores it ([MS-OXORULE] 3.2.5.1).
//
// A hook reads the mailbox in a snapshot and never writes: it notes what is to be done. What is to
// be sent is durable in the queue before the message is stored, so that a crash may send it twice
// but never loses it. A new hook is a function here and a line in the table in deliver_plan.c.
#pragma once

#include "formats/mime.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/outbox.h"
#include "mailbox/owner_settings.h"

struct broken_rule {
    uint64_t fid, id;
};

struct delivery_plan {
    // What is known.
    struct mailbox_service *service;
    struct mbox_tx *tx; // a snapshot of the mailbox
    struct arena *arena;
    const struct mailbox_delivery *delivery;
    const struct message_value *value; // shared with other mailboxes: not to be changed
    const struct owner_settings *owner;
    bool has_inbox_rules; // otherwise nobody needs to look for them
    bool was_delivered;   // before: nothing is sent again

    // What the hooks decide.
    uint64_t fid;         // where it goes
    GArray *copies;       // uint64_t: folders that get one too; NULL: none
    uint32_t flags;       // MSG_READ
    bool is_dropped;      // the mailbox does not keep it
    bool is_done;         // no further hook is asked
    GPtrArray *outgoing;  // struct mailbox_outgoing, in the arena; their `mime` is freed with it
    GArray *tags;         // struct prop_value, in the arena: set on the stored message; NULL: none
    GArray *broken_rules; // struct broken_rule: could not be carried out; NULL: none
    enum ec result;       // not EC_OK: the mailbox refuses the message
};

typedef enum ec (*delivery_hook)(struct delivery_plan *plan);

enum ec delivery_forward(struct delivery_plan *plan);       // deliver_forward.c
enum ec delivery_rules(struct delivery_plan *plan);         // deliver_rules.c
enum ec delivery_out_of_office(struct delivery_plan *plan); // deliver_rules.c

// --- deliver_plan.c ---

// Asks all hooks. An error: nothing may be done with the message now.
enum ec delivery_plan_make(struct delivery_plan *plan);
void delivery_plan_clear(struct delivery_plan *plan);
// Hands over what is to be sent; after the snapshot was given back.
enum ec delivery_plan_send(struct delivery_plan *plan);

// --- deliver_forward.c, for rules ---

// The message sent on to `recipient` as it is, by its sender; `field` (a header field with CRLF)
// goes on top.
void delivery_redirect(struct delivery_plan *plan, enum mailbox_outgoing_kind kind,
                       const char *recipient, const char *field);
// A new message of the owner's with what the message says; `is_attached`: with the message whole.
void delivery_send_forward(struct delivery_plan *plan, const char *recipient, bool is_attached,
                           const char *field);
// Whether a header field `name` of the message has this value.
bool delivery_has_field(const struct delivery_plan *plan, const char *name, const char *value);
