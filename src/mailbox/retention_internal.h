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
    filetime_t last_finished;    // of the pass before; 0: none, or it was under way
    struct pass_folder *folders; // in the order of their ids
    unsigned n_folders;
    bool is_archive_full;
    bool is_over_quota;       // STEP_PURGE: also what is not old
    filetime_t purge_deleted; // where STEP_PURGE stands; what is purged is not met again
    uint64_t purge_mid;
};

struct pass_folder {
    uint64_t fid;
    const struct retention_tag *delete, *archive; // for messages without their own; NULL: none
};
// Opens the mailbox and takes up the pass that was under way, or begins one.
enum ec pass_open(struct mailbox_service *s, const struct guid *mailbox, struct mailbox_pass *out);
// The folders and what applies to them. EC_OK with none when no tag could apply.
enum ec pass_list_folders(struct mailbox_pass *p);
// Notes in the mailbox what applies, for those who read dates.
enum ec pass_note_policies(struct mailbox_pass *p, bool *changed_out);
const struct retention_tag *pass_tag(const struct mailbox_pass *p, const struct guid *guid);
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
