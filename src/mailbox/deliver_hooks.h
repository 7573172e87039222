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
#include "mapi/rule_actions.h"

// A rule that could not be carried out ([MS-OXORULE] 2.2.7).
enum rule_failure {
    RULE_FAILURE_PARSE = 0x04,
    RULE_FAILURE_MOVE = 0x06, // moving or copying
    RULE_FAILURE_EXECUTE = 0x0B,
};
struct broken_rule {
    uint64_t fid, id;
    const char *provider;
    enum rule_failure failure;
    int32_t action_type, action_number; // 0: of no action in particular
};

// An action that the client carries out ([MS-OXORULE] 2.2.6).
struct deferred_action {
    uint64_t fid, id; // of the rule
    const char *provider;
    const struct rule_action *action;
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
    bool is_safe;         // the owner trusts who sent it
    GArray *copies;       // uint64_t: folders that get one too; NULL: none
    uint32_t flags;       // MSG_READ
    bool is_dropped;      // the mailbox does not keep it
    bool is_done;         // no further hook is asked
    GPtrArray *outgoing;  // struct mailbox_outgoing, in the arena; their `mime` is freed with it
    GArray *tags;         // struct prop_value, in the arena: set on the stored message; NULL: none
    GArray *broken_rules; // struct broken_rule; NULL: none
    GArray *deferred;     // struct deferred_action; NULL: none
    enum ec result;       // not EC_OK: the mailbox refuses the message
};

typedef enum ec (*delivery_hook)(struct delivery_plan *plan);

enum ec delivery_junk(struct delivery_plan *plan);          // junk.c
enum ec delivery_forward(struct delivery_plan *plan);       // deliver_forward.c
enum ec delivery_rules(struct delivery_plan *plan);         // deliver_rules.c
enum ec delivery_out_of_office(struct delivery_plan *plan); // deliver_rules.c

// --- junk.c ---

// Puts the levels into a message that is about to be stored ([MS-OXCSPAM] 2.2.1.3).
void junk_stamp(struct message_value *value, int scl, int pcl);

// --- deliver_plan.c ---

// Asks all hooks. An error: nothing may be done with the message now.
enum ec delivery_plan_make(struct delivery_plan *plan);
void delivery_plan_clear(struct delivery_plan *plan);
// Hands over what is to be sent; after the snapshot was given back.
enum ec delivery_plan_send(struct delivery_plan *plan);

// --- deliver_deferred.c ---

// In the write: what is left to the client becomes messages in the Deferred Action folder, and
// rules that failed are marked and reported there. `mid` 0: the message is not kept.
enum ec delivery_put_deferred(struct mbox_tx *tx, const struct delivery_plan *plan, uint64_t fid,
                              uint64_t mid);

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
