// Standard rules of a folder, as data ([MS-OXORULE] 2.2.1, 3.2.5.2). Extended rules are FAI
// messages; rules are carried out by the delivery.
#pragma once

#include "mapi/prop_wire.h"
#include "store/store.h"

#define RULE_MAX_COUNT 1024           // rules of a folder
#define RULE_MAX_BYTES (1024u * 1024) // of all rules of a folder

// PidTagRuleState.
enum rule_state {
    RULE_ENABLED = 0x01,
    RULE_ERROR = 0x02, // the server's
    RULE_ONLY_WHEN_OOF = 0x04,
    RULE_KEEP_OOF_HISTORY = 0x08,
    RULE_EXIT_LEVEL = 0x10,
    RULE_SKIP_IF_SAFE = 0x20,
    RULE_PARSE_ERROR = 0x40, // the server's
};

struct rule {
    uint64_t id; // PidTagRuleId: unique in the mailbox
    int32_t sequence;
    uint32_t state, user_flags;
    const char *name, *provider;
    struct prop_bin provider_data;
    struct prop_bin condition; // a restriction as in PROP_WIRE_ROP; empty: every message
    struct prop_bin actions;   // rule_actions as in PROP_WIRE_ROP
};
struct rule_list {
    struct rule *items;
    unsigned n;
};
// The rules in the order in which they are carried out. In the arena. EC_NOT_FOUND: no such folder.
enum ec rule_list_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid, struct rule_list *out);

enum rule_change_kind { RULE_ADD = 0x01, RULE_MODIFY = 0x02, RULE_REMOVE = 0x04 };
struct rule_change {
    enum rule_change_kind kind;
    const struct prop_value *values; // PidTagRule*; modify and remove name the rule by PidTagRuleId
    unsigned n;
};
// Makes all of the changes or, on an error, none. `replace`: the new rules take the place of all;
// only RULE_ADD then. `form`: what the values' restrictions and actions are in (standard rules have
// PROP_WIRE_ROP with the client's code page). They are checked, and kept in Unicode.
// EC_INVALID_PARAMETER, EC_FORMAT_ERROR, EC_TOO_COMPLEX for what rules may not be, EC_NOT_FOUND:
// no such rule or folder; EC_NO_MEMORY: more than the limits. PidTagHasRules of the folder follows.
enum ec rule_modify(struct mbox_tx *tx, uint64_t fid, const struct rule_change *changes, unsigned n,
                    bool replace, const struct prop_wire *form);
// The server's bits of a rule's state (RULE_ERROR, RULE_PARSE_ERROR), when it could not be carried
// out.
enum ec rule_set_error(struct mbox_tx *tx, uint64_t fid, uint64_t id, uint32_t bits);

// Rules of a folder that is being deleted.
enum ec rule_drop_folder(struct mbox_tx *tx, uint64_t fid);
