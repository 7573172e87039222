// What deleting and saving ask of recoverable.c.
#pragma once

#include "store/message_internal.h"
#include "store/recoverable.h"

// What becomes of a message that is to be deleted for good.
enum recoverable_fate { FATE_DELETE, FATE_PURGES };
// EC_ACCESS_DENIED: it is held where it is.
enum ec recoverable_fate(struct mbox_tx *tx, const struct message_full *m,
                         enum recoverable_fate *out);
// EC_ACCESS_DENIED when a message may not leave its folder because of a hold.
enum ec recoverable_may_leave(struct mbox_tx *tx, const struct message_full *m);
// Whether a change of the message has to leave the original in Versions.
enum ec recoverable_wants_version(struct mbox_tx *tx, const struct message_full *m, bool *out);

enum ec recoverable_set_origin(struct mbox_tx *tx, uint64_t mid, uint64_t origin);
// The folder a message of Recoverable Items came from; its own folder otherwise.
enum ec recoverable_origin(struct mbox_tx *tx, uint64_t fid, uint64_t mid, uint64_t *out);
enum ec recoverable_drop_origin(struct mbox_tx *tx, uint64_t mid);

// Before a folder's row goes: what it was called.
enum ec recoverable_note_folder(struct mbox_tx *tx, uint64_t fid);

// Leaves a copy of a message that is about to change in Versions (message_transfer.c).
enum ec message_keep_version(struct mbox_tx *tx, const struct message_full *m);
