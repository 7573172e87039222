// What changed in a folder, or in the tree, since a client last looked ([MS-OXWSSYNC]): creations,
// changes, read states and deletions, in pieces, from a small state that the client keeps.
//
// Nothing is stored on the server. An incremental synchronization costs what changed, whatever the
// folder holds. A first one gives what is there, newest first, and then goes on with what changed
// meanwhile.
#pragma once

#include "mailbox/mailbox.h"

struct mailbox_sync_state { // all zero: nothing is known yet
    uint64_t since;         // everything up to this change number is known, but for the rest below
    uint64_t at;            // done up to here in a run that was cut; else `since`
    uint32_t uid_next;      // of the folder then: items with lower uids are known
    uint32_t below, below_associated; // first synchronization: items with lower uids are to come
};

enum mailbox_sync_kind { SYNC_CREATE, SYNC_UPDATE, SYNC_READ_STATE, SYNC_DELETE };
struct mailbox_sync_change {
    enum mailbox_sync_kind kind;
    uint64_t id, cn; // message or folder
    bool is_read;    // SYNC_READ_STATE
};
struct mailbox_sync_list {
    struct mailbox_sync_change *items; // in the arena
    unsigned n;
    bool is_last; // nothing more is to come now
    struct mailbox_sync_state next;
};
#define MAILBOX_SYNC_MAX 512 // changes at once

// `max` up to MAILBOX_SYNC_MAX. Needs RIGHTS_READ_ANY. EC_INVALID_PARAMETER: the state cannot be of
// this folder; EC_SEARCH_FOLDER.
enum ec mailbox_sync_items(struct mailbox *m, struct arena *arena, uint64_t fid,
                           bool with_associated, const struct mailbox_sync_state *from,
                           unsigned max, struct mailbox_sync_list *out);
// Folders below `root` (all at once; `since` is the only part of the state that counts). Those that
// may not be seen are left out.
enum ec mailbox_sync_folders(struct mailbox *m, struct arena *arena, uint64_t root,
                             const struct mailbox_sync_state *from, struct mailbox_sync_list *out);
