// What clients say of objects they make and change by synchronization ([MS-OXCFXICS] 3.1.5.3,
// 3.2.5.9.4): ids that were given to them in advance, ids that will not be used, and the change
// keys of their own changes.
//
// A change that a client made is noted with the change number it got here. As soon as the object is
// changed again, that note is only a predecessor: the newest change is then the mailbox's own. So
// nothing has to be written when the server changes an object.
#pragma once

#include "mapi/change.h"
#include "store/store.h"

#define REPLICA_RESERVE_MAX (1u << 20) // ids at once

// --- Ids ---
// `n` ids of the mailbox's counter for a client. EC_INVALID_PARAMETER: none or too many.
enum ec replica_reserve(struct mbox_tx *tx, uint32_t n, uint64_t *first_out);
// Whether a client may create an object with this id in `fid` (a folder: 0).
// EC_SYNC_OBJECT_DELETED: it was used before, or told not to be used there;
// EC_INVALID_PARAMETER: never given to anybody.
enum ec replica_check(struct mbox_tx *tx, uint64_t fid, uint64_t id);
// The same, and takes it out of the reserved ones. In a write.
enum ec replica_claim(struct mbox_tx *tx, uint64_t fid, uint64_t id);
// Ids from `low` to `high` will not be used in the folder (0: for folders).
enum ec replica_bury(struct mbox_tx *tx, uint64_t fid, uint64_t low, uint64_t high);
// Of a folder that is being deleted.
enum ec replica_drop_folder(struct mbox_tx *tx, uint64_t fid);

// --- What a client puts by of its read state in public folders ([MS-OXCSTOR] 2.2.1.10) ---
// `folder`: of the public store; `source`: the database the data is of. EC_NOT_FOUND. *data_out may
// be NULL, not wanted.
enum ec replica_per_user_get(struct mbox_tx *tx, const struct gid *folder, struct guid *source_out,
                             GBytes **data_out);
enum ec replica_per_user_set(struct mbox_tx *tx, const struct gid *folder,
                             const struct guid *source, GBytes *data);
// The folders with data of a database: appended to an array of struct gid.
enum ec replica_per_user_list(struct mbox_tx *tx, const struct guid *source, GArray *out);

// --- Changes ---
struct replica_change {
    struct xid key; // PidTagChangeKey
    struct pcl pcl; // PidTagPredecessorChangeList
};
// In the arena. EC_NOT_FOUND.
enum ec replica_message_change(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                               struct replica_change *out);
enum ec replica_folder_change(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                              struct replica_change *out);
// Notes that the object's present state is the client's change. The key is added to the list.
enum ec replica_note_message(struct mbox_tx *tx, uint64_t mid, const struct replica_change *change);
enum ec replica_note_folder(struct mbox_tx *tx, uint64_t fid, const struct replica_change *change);
// The change of an object whose change number is `cn`, with the note stored for it (may be empty).
struct replica_change replica_change_decode(struct arena *arena, const struct guid *replica,
                                            uint64_t cn, struct prop_bin note);
