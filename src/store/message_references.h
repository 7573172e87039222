// The References of a folder's messages, for threads: the one header field of theirs that is not in
// the envelopes.
#pragma once

#include "store/store.h"

// Calls `each` for the messages with uids from `uid` on, in uid order: `references` as it stands in
// the header (PidTagInternetReferences), "" for none. False from `each` ends the walk.
enum ec message_references_walk(struct mbox_tx *tx, uint64_t fid, uint32_t uid,
                                bool (*each)(void *ctx, uint32_t uid, const char *references),
                                void *ctx);
