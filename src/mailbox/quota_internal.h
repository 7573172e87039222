// What the use cases that add something ask of quota.c, inside their transactions.
#pragma once

#include "mailbox/quota.h"

struct quota_cache;
struct quota_cache *quota_cache_new(void);
void quota_cache_free(struct quota_cache *cache); // accepts NULL

struct mailbox_options mailbox_options_of(struct mailbox_service *s);

// Before adding `n` messages of `size` bytes in all: EC_QUOTA_EXCEEDED, EC_MESSAGE_TOO_BIG (of
// one), EC_TOO_MANY_OBJECTS (in the folder).
enum ec quota_admit(const struct mailbox_limits *l, struct mbox_tx *tx, uint64_t fid, uint64_t size,
                    unsigned n);
// After a change that may have let the mailbox grow: EC_QUOTA_EXCEEDED undoes it. `before`: at the
// beginning of the change.
enum ec quota_settled(const struct mailbox_limits *l, struct mbox_tx *tx,
                      const struct mbox_usage *before);
// Before making a folder below `parent`, or moving one there (not `is_new`): EC_TOO_MANY_OBJECTS,
// EC_TOO_COMPLEX.
enum ec quota_admit_folder(const struct mailbox_limits *l, struct mbox_tx *tx, uint64_t parent,
                           bool is_new);
