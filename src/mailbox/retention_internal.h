// One mailbox's pass, cut into slices.
#pragma once

#include "mailbox/mailbox_internal.h"
#include "mailbox/retention.h"

#define PASS_NIGHTLY 1 // mbox_pass kind
#define SLICE 200      // messages looked at in one transaction

// The steps of a pass, in order; stored.
enum pass_step { STEP_RETENTION = 0, STEP_PURGE = 1, STEP_QUOTA = 2, STEP_END = 3 };

struct mailbox_pass {
    struct mailbox_service *service;
    struct mailbox_options options;
    struct mbox *mbox, *archive; // archive NULL: none
    struct arena *arena;         // lives as long as the pass
    struct retention_tags tags;
    struct mbox_pass state;
};
// Opens the mailbox and takes up the pass that was under way, or begins one.
enum ec pass_open(struct mailbox_service *s, const struct guid *mailbox, struct mailbox_pass *out);
// One slice; *done_out when the pass has ended (and was logged).
enum ec pass_slice(struct mailbox_pass *p, bool *done_out);
void pass_close(struct mailbox_pass *p);

// retention_tags.c: the slices of STEP_RETENTION. They move p->state on (not saved yet).
enum ec pass_retention_slice(struct mailbox_pass *p);
// retention_purge.c: of STEP_PURGE.
enum ec pass_purge_slice(struct mailbox_pass *p);
// quota_warning.c: tells the owner, at most once a day.
enum ec pass_warn(struct mailbox_pass *p);

// The state in the transaction of the slice's work.
enum ec pass_save(struct mailbox_pass *p, struct mbox_tx *tx);
