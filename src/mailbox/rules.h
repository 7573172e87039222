// Server-side rules of a folder as values, for the protocols without ROPs ([MS-OXORULE] 2.2.1).
#pragma once

#include "mailbox/mailbox.h"
#include "mapi/restriction.h"
#include "mapi/rule_actions.h"
#include "store/rule.h"

struct mailbox_rule {
    uint64_t id;      // 0: a new one
    int32_t sequence; // rules are carried out in ascending order
    uint32_t state;   // enum rule_state
    const char *name, *provider;
    const struct restriction *condition; // NULL: every message
    struct rule_actions actions;
    bool is_strange; // its condition or actions could not be read
};
struct mailbox_rules {
    struct mailbox_rule *items; // in their order
    unsigned n;
};
// In the arena. Needs RIGHTS_OWNER of the folder.
enum ec mailbox_get_rules(struct mailbox *m, struct arena *arena, uint64_t fid,
                          struct mailbox_rules *out);
struct mailbox_rule_change {
    enum rule_change_kind kind;
    struct mailbox_rule rule; // RULE_REMOVE: only the id counts; the name NULL stays as it is
};
// All or nothing, in the order given. EC_NOT_FOUND: no such rule; EC_NO_MEMORY: too many or too
// large; others as rule_modify.
enum ec mailbox_change_rules(struct mailbox *m, uint64_t fid,
                             const struct mailbox_rule_change *changes, unsigned n);

// Outlook's own copy of all rules, with what only it carries out: an associated message of the
// Inbox. Rules changed by others make it stale.
enum ec mailbox_has_rule_blob(struct mailbox *m, bool *out);
enum ec mailbox_remove_rule_blob(struct mailbox *m); // EC_OK when there is none

// The action that puts a message into a folder of this mailbox, and the folder of such an action.
// EC_NOT_FOUND: of another mailbox.
enum ec mailbox_move_action(struct mailbox *m, struct arena *arena, enum rule_action_type type,
                            uint64_t fid, struct rule_action *out);
// The action that sends a message to addresses; `flavor` of enum rule_flavor.
struct rule_address {
    const char *name, *address;
};
struct rule_action mailbox_send_action(struct arena *arena, enum rule_action_type type,
                                       uint32_t flavor, const struct rule_address *to, unsigned n);
// The n-th recipient's address; NULL: it has none that mail can go to.
const char *rule_recipient_address(struct arena *arena, const struct rule_action *action,
                                   unsigned i, const char **name_out);
