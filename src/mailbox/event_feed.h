// What happened in a mailbox, kept for one client until it has read it: the notifications of EWS
// (pull, push, streaming), later of ActiveSync and MAPI ([MS-OXWSNTIF]).
//
// A feed holds a bounded number of events; when a client does not keep up, or all feeds of the
// process together hold too much, what was missed is told by `is_lost`. An idle feed costs a few
// hundred bytes. Thread-safe.
#pragma once

#include "mailbox/mailbox.h"

enum mailbox_event_kind { // as in the store
    MAILBOX_EVENT_NEW_MAIL = 1 << 0,
    MAILBOX_EVENT_CREATED = 1 << 1,
    MAILBOX_EVENT_DELETED = 1 << 2,
    MAILBOX_EVENT_MODIFIED = 1 << 3,
    MAILBOX_EVENT_MOVED = 1 << 4,
    MAILBOX_EVENT_COPIED = 1 << 5,
};
struct mailbox_event {
    uint64_t seq; // 1, 2, ... in this feed
    enum mailbox_event_kind kind;
    bool is_folder;
    uint64_t fid, mid;         // mid 0: the folder fid
    uint64_t old_fid, old_mid; // moved, copied
    uint64_t parent, old_parent;
    uint64_t cn;
    filetime_t time;
};

#define MAILBOX_FEED_EVENTS 4096                // kept for one client
#define MAILBOX_FEED_BUDGET (64u * 1024 * 1024) // bytes of all feeds
#define MAILBOX_FEED_FOLDERS 1000

struct mailbox_feed;
struct mailbox_feed_spec {
    const uint64_t *fids; // whose contents and objects are watched
    unsigned n_fids;      // 0: the whole mailbox
    unsigned kinds;       // enum mailbox_event_kind
    // Called after something was added; quick, from any thread. May be NULL.
    void (*wake)(void *ctx);
    void *ctx;
};
// Needs RIGHTS_READ_ANY on each folder, and everything for the whole mailbox. EC_NOT_FOUND,
// EC_ACCESS_DENIED, EC_TOO_COMPLEX.
enum ec mailbox_feed_new(struct mailbox *m, const struct mailbox_feed_spec *spec,
                         struct mailbox_feed **out);
void mailbox_feed_free(struct mailbox_feed *f); // accepts NULL; afterwards wake is not running
// Nothing more is added and wake is not running any more; what is there can be read. Once.
void mailbox_feed_stop(struct mailbox_feed *f);
// Whether the principal may still see what the feed tells of (rights may have gone since).
enum ec mailbox_feed_check(struct mailbox *m, const struct mailbox_feed *f);

// Copies up to `max` events after `after`, oldest first, and gives how many. `is_lost_out`: some of
// them were dropped; nothing is given then. `more_out`: there are others.
unsigned mailbox_feed_read(struct mailbox_feed *f, uint64_t after, struct mailbox_event *out,
                           unsigned max, bool *more_out, bool *is_lost_out);
// The client has seen everything up to `seq`.
void mailbox_feed_forget(struct mailbox_feed *f, uint64_t seq);
uint64_t mailbox_feed_last(struct mailbox_feed *f); // seq of the newest event; 0: none yet
// Everything so far counts as seen.
void mailbox_feed_clear(struct mailbox_feed *f);
