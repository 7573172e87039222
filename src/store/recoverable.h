// Recoverable Items ([MS-OXCFOLD] soft deletes, Exchange's dumpster) and holds.
//
// What is deleted can come back for a while. An expunged message stays in its folder, soft-deleted;
// messages of a deleted folder go to Recoverable Items\Deletions; each has the time it was deleted
// at. While a hold is on, what would be deleted for good goes to Recoverable Items\Purges, and a
// changed message leaves its original in Recoverable Items\Versions. message_delete and
// message_save see to that, so that nobody gets around it; only message_purge removes for good what
// is held.
#pragma once

#include "mapi/special_folder.h"
#include "store/message.h"

static inline bool folder_is_recoverable(uint64_t fid) {
    return fid >= FID_RECOVERABLE_ITEMS && fid <= FID_RECOVERABLE_AUDITS;
}

// --- Holds ---
enum hold_kind {
    HOLD_LITIGATION = 1,  // nothing goes, or not before its time
    HOLD_SINGLE_ITEM = 2, // what the user purges stays as long as deleted messages are kept anyway
};
struct mbox_holds {
    bool has_litigation, has_single_item;
    filetime_t litigation_since, litigation_duration; // duration: from a message's arrival; 0: ever
    filetime_t single_item_since;
};
enum ec mbox_get_holds(struct mbox_tx *tx, struct mbox_holds *out);
// In a write. `duration` counts for HOLD_LITIGATION.
enum ec mbox_set_hold(struct mbox_tx *tx, enum hold_kind kind, bool is_on, filetime_t duration);
// Whether the litigation hold is on a message that arrived then.
bool holds_keep(const struct mbox_holds *holds, filetime_t received, filetime_t now);

// --- What can be restored ---
struct recoverable_item {
    uint64_t mid, fid, origin; // origin: the folder it came from; maybe gone
    uint32_t uid, flags;
    filetime_t deleted, received;
    uint64_t size;
    const char *subject, *sender, *class; // in the arena; "" none
};
struct recoverable_list {
    struct recoverable_item *items;
    unsigned n;
};
// By the time of deletion, oldest first, after (deleted, mid); at most `limit`. In the arena.
enum ec recoverable_list(struct mbox_tx *tx, struct arena *arena, filetime_t deleted, uint64_t mid,
                         unsigned limit, struct recoverable_list *out);
// The same of those deleted before `before`.
enum ec recoverable_due(struct mbox_tx *tx, struct arena *arena, filetime_t before,
                        filetime_t deleted, uint64_t mid, unsigned limit,
                        struct recoverable_list *out);

// The path of a folder that is there: names from the IPM subtree down joined by '/' (a '/' inside a
// name as U+2215, the Inbox as INBOX), and its container class. In the arena; class_out may be
// NULL.
enum ec folder_path(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char **path_out,
                    const char **class_out);
// The same of a deleted folder. EC_NOT_FOUND.
enum ec recoverable_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                           const char **path_out, const char **class_out);
// Forgets names of folders deleted before `before` of which nothing is left to restore.
enum ec recoverable_forget_folders(struct mbox_tx *tx, filetime_t before);

// Deletes for good, held or not: only what the retention has decided on.
enum ec message_purge(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n);
// Into another folder of Recoverable Items (soft-deleted ones too), keeping the time of deletion
// and where they came from.
enum ec message_retire(struct mbox_tx *tx, uint64_t fid, const uint64_t *mids, unsigned n,
                       uint64_t to_fid);

// --- Passes over a mailbox (retention): where one stands ---
struct mbox_pass {
    filetime_t started, finished; // finished 0: under way
    uint32_t step;
    uint64_t fid;
    uint32_t uid;
    uint64_t n_seen, n_deleted, n_purged, n_archived;
    filetime_t warned; // when the owner was last told of the quota
};
enum ec mbox_get_pass(struct mbox_tx *tx, unsigned kind, struct mbox_pass *out); // zeros: never
enum ec mbox_set_pass(struct mbox_tx *tx, unsigned kind, const struct mbox_pass *pass);

// What a message says about its own retention ([MS-OXCMSG] 2.2.1.60).
struct message_policy {
    struct guid policy_tag, archive_tag;              // zero: none
    int32_t retention_period, archive_period;         // days; -1: none
    filetime_t retention_date, archive_date, created; // 0: none
    uint32_t flags;                                   // PidTagRetentionFlags
    uint8_t start[12];                                // PidTagStartDateEtc
    bool has_start;
};
struct slice_row {
    uint32_t uid, flags;
    uint64_t mid;
    filetime_t received;
    struct message_policy policy;
};
// The normal messages of a folder after `uid`, in uid order (struct slice_row); `limit` rows are
// read, the last one's uid goes to *last_out (0: that was the end).
enum ec message_slice(struct mbox_tx *tx, uint64_t fid, uint32_t uid, unsigned limit, GArray *rows,
                      uint32_t *last_out);

enum ec mbox_count_folders(struct mbox_tx *tx, uint64_t *out);
