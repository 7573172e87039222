// Events of a mailbox: published after the commit, in commit order, exactly once
// ([MS-OXCNOTIF] 2.2.1.1).
#pragma once

#include "store/store.h"

enum event_kind {
    EVENT_NEW_MAIL = 1 << 0,
    EVENT_CREATED = 1 << 1,
    EVENT_DELETED = 1 << 2,
    EVENT_MODIFIED = 1 << 3,
    EVENT_MOVED = 1 << 4,
    EVENT_COPIED = 1 << 5,
    EVENT_SEARCH_COMPLETE = 1 << 6, // a search folder has looked at everything there was
};
struct event {
    enum event_kind kind;
    bool is_folder;              // the object is a folder
    bool is_link;                // `fid` is a search folder in which the message appeared, ...
    uint64_t fid, mid;           // folder (of the object), message (0 for folders)
    uint64_t old_fid, old_mid;   // moved, copied
    uint64_t parent, old_parent; // folders
    uint32_t message_flags;
    uint64_t cn;
};

struct mbox_watch;
// Calls `fn` with the events of each commit, on the committing thread, one commit at a time. It
// must be quick and take no lock that is held around store calls (wake somebody, append to a list).
// `fid` 0: the whole mailbox; otherwise events of that folder's contents and of the folder itself.
struct mbox_watch *mbox_watch_new(struct mbox *mbox, uint64_t fid, unsigned kinds,
                                  void (*fn)(void *ctx, const struct event *events, unsigned n),
                                  void *ctx);
void mbox_watch_free(struct mbox_watch *watch); // when it returns, fn is not running; accepts NULL
