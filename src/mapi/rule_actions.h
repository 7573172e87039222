// The actions of rules: PidTagRuleActions of standard rules, and the RuleAction part of
// PidTagExtendedRuleMessageActions ([MS-OXORULE] 2.2.5).
//
// The form says which: counts and lengths have 2 bytes in standard rules (PROP_WIRE_ROP), 4 in
// extended ones (PROP_WIRE_EXTENDED).
#pragma once

#include "mapi/change.h"
#include "mapi/prop_wire.h"

enum rule_action_type {
    RULE_MOVE = 0x01,
    RULE_COPY = 0x02,
    RULE_REPLY = 0x03,
    RULE_OOF_REPLY = 0x04,
    RULE_DEFER = 0x05, // the client does it: opaque
    RULE_BOUNCE = 0x06,
    RULE_FORWARD = 0x07,
    RULE_DELEGATE = 0x08,
    RULE_TAG = 0x09, // sets a property
    RULE_DELETE = 0x0A,
    RULE_MARK_AS_READ = 0x0B,
};

enum rule_flavor {
    RULE_FORWARD_PRESERVE_SENDER = 0x1,
    RULE_FORWARD_UNCHANGED = 0x2,
    RULE_FORWARD_AS_ATTACHMENT = 0x4, // alone
    RULE_FORWARD_AS_SMS = 0x8,        // alone
    RULE_REPLY_NOT_TO_SENDER = 0x1,
    RULE_REPLY_FIXED_TEXT = 0x2,
};

enum rule_bounce {
    RULE_BOUNCE_TOO_LARGE = 0x0D,
    RULE_BOUNCE_NOT_DISPLAYABLE = 0x1F,
    RULE_BOUNCE_DENIED = 0x26,
};

struct rule_recipient {
    uint8_t reserved; // kept
    uint32_t n;
    const struct prop_value *values;
};

struct rule_action {
    enum rule_action_type type;
    uint32_t flavor; // enum rule_flavor
    uint32_t flags;  // the client's own
    union {
        struct {                       // RULE_MOVE, RULE_COPY
            bool is_in_this_store;     // standard: `folder_id` is a ServerEid of 21 bytes
            struct prop_bin store_id;  // entry id of the store
            struct prop_bin folder_id; // extended: a folder entry id
        } move;
        struct {                             // RULE_REPLY, RULE_OOF_REPLY
            struct short_id folder, message; // standard: the template
            struct prop_bin message_id;      // extended: its entry id
            struct guid template_id;
        } reply;
        struct prop_bin deferred; // RULE_DEFER
        uint32_t bounce;          // enum rule_bounce
        struct {                  // RULE_FORWARD, RULE_DELEGATE
            uint32_t n;
            const struct rule_recipient *items;
        } to;
        struct prop_value tag; // RULE_TAG
    };
};

struct rule_actions {
    uint32_t n;
    const struct rule_action *items;
};

// Reads the actions; values live in the arena or borrow from the reader's bytes. EC_FORMAT_ERROR:
// cut off, no action, a length that does not fit, an unknown type; EC_INVALID_PARAMETER: flavors or
// values that may not be.
enum ec rule_actions_read(struct wire_reader *r, const struct prop_wire *form, struct arena *arena,
                          struct rule_actions *out);
void rule_actions_put(struct wire_writer *w, const struct prop_wire *form,
                      const struct rule_actions *actions);

// The counter of the folder that a standard move or copy action names. False: not in this store.
bool rule_action_folder(const struct rule_action *action, struct short_id *folder_out);
