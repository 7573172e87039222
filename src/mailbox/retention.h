// Retention: what becomes of messages with time ([MS-OXCMSG] 2.2.1.60, directory/retention.h).
//
// A message has the tag it was given itself, else that of its folder or of one above, else the
// organization's for that special folder or for everything. Its age counts from when it was
// delivered. A nightly pass goes over every mailbox: it deletes, purges or archives what has come
// of age, purges what was deleted longer ago than deleted messages are kept (unless a hold is on),
// and puts a warning into the Inbox of an owner whose mailbox is too large. A pass works in slices
// of a few hundred messages, each a transaction that also notes how far it came, so that it goes on
// after a restart, and leaves the mailbox to its users in between.
#pragma once

#include "directory/retention.h"
#include "mailbox/mailbox.h"
#include "store/recoverable.h"
#include "store/retention_policy.h"

// --- Tags on folders ---
// Gives a folder (a path; "" the whole mailbox) a tag of the organization, or with `tag` NULL takes
// those of this kind away. Needs RIGHTS_OWNER. EC_NOT_FOUND.
enum ec mailbox_assign_retention(struct mailbox *m, const char *path,
                                 const struct retention_tag *tag, bool is_archive);

// --- When ---
// retention_expires and retention_archives (store/retention_policy.h) say it. What clients read as
// PidTagRetentionDate and PidTagArchiveDate follows from the policies that this notes in the
// mailbox: with each pass and when a folder is given a tag. `changed_out` may be NULL.
enum ec mailbox_note_policies(struct mailbox_service *s, struct mbox *mbox, bool *changed_out);

// --- The pass ---
struct retention_result {
    uint64_t n_seen, n_deleted, n_purged, n_archived;
    bool was_warned;
};
// One whole pass over a mailbox, now. For commands.
enum ec mailbox_retention_run(struct mailbox_service *s, const struct guid *mailbox,
                              struct retention_result *out);

struct retention_passes; // over all mailboxes
// `s` must outlive it.
struct retention_passes *retention_passes_new(struct mailbox_service *s);
void retention_passes_free(struct retention_passes *p); // accepts NULL
// Does a little (up to `milliseconds`) of what is due, if anything is. True: there is more to do
// now. Called from one thread at a time, every second or so.
bool retention_passes_step(struct retention_passes *p, unsigned milliseconds);
