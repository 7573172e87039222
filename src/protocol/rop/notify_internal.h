// Between the queue of notifications and their form on the wire ([MS-OXCNOTIF] 2.2.1.4.1.2).
#pragma once

#include "protocol/rop/rop_internal.h"
#include "store/event.h"

#define NO_NOTIFICATIONS 0x10 // TableFlags
#define PENDING_SIZE 3        // of RopPending

enum notification {
    NOTIFY_NEW_MAIL = 0x0002,
    NOTIFY_OBJECT_CREATED = 0x0004,
    NOTIFY_OBJECT_DELETED = 0x0008,
    NOTIFY_OBJECT_MODIFIED = 0x0010,
    NOTIFY_OBJECT_MOVED = 0x0020,
    NOTIFY_OBJECT_COPIED = 0x0040,
    NOTIFY_SEARCH_COMPLETED = 0x0080,
    NOTIFY_TABLE_MODIFIED = 0x0100,
    NOTIFY_TOTAL = 0x1000,
    NOTIFY_UNREAD = 0x2000,
    NOTIFY_IN_SEARCH_FOLDER = 0x4000,
    NOTIFY_MESSAGE = 0x8000,
};

// NotificationData of an event. False: there is nothing to tell (any more).
bool notify_put_event(struct wire_writer *w, struct mbox_tx *tx, const struct event *e);
// That the counts of a folder's messages changed.
bool notify_put_counts(struct wire_writer *w, struct mbox_tx *tx, uint64_t fid);
// An event of a table.
void notify_put_row(struct wire_writer *w, struct rop_table *t, const struct table_event *e);
