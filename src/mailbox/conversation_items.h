// The messages of a conversation over the folders of a mailbox ([MS-OXWSCONV]), by
// PidTagConversationId.
#pragma once

#include "mailbox/mailbox.h"

struct conversation_item {
    uint64_t fid, mid;
};
// Newest message first within a folder. `fids` NULL: every folder of the IPM subtree that holds
// items and that the principal may read, but for the `n_ignored` in `ignored`; named ones that may
// not be read give EC_ACCESS_DENIED. At most `max` of them go to *out (GArray of struct
// conversation_item).
struct conversation_scope {
    const uint64_t *fids;
    unsigned n_fids;
    const uint64_t *ignored;
    unsigned n_ignored;
};
enum ec mailbox_conversation_items(struct mailbox *m, const struct conversation_scope *scope,
                                   const uint8_t id[16], unsigned max, GArray **out);
