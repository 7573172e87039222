// Which messages of a public folder a user has read ([MS-OXCSTOR] 2.2.1.11, 3.2.5.12): the change
// numbers of the read ones, as a set. A message that is changed has another change number and is
// unread again.
#pragma once

#include "mapi/idset.h"
#include "store/store.h"

// `*out` is a copy (idset_free), empty when nothing is stored. EC_CORRUPT_DATA.
enum ec per_user_get(struct mbox_tx *tx, const struct guid *user, uint64_t fid, struct idset **out);
// Replaces it; everybody who watches the folder is told. EC_TOO_COMPLEX: too many ranges.
enum ec per_user_set(struct mbox_tx *tx, const struct guid *user, uint64_t fid,
                     const struct idset *read);
// The stored bytes, for comparing; NULL when nothing is stored.
enum ec per_user_bytes(struct mbox_tx *tx, const struct guid *user, uint64_t fid, GBytes **out);
// The part of a set that names this mailbox's changes; may be NULL.
struct globset *per_user_own(struct mbox_tx *tx, struct idset *read, bool create);
