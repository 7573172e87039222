// A message taken out of one mailbox to be put into another: everything it refers to is with it.
#pragma once

#include "store/message.h"

struct message_portable {
    struct message_new spec; // borrows from the rest
    struct message_value *value;
    GBytes *mime;
    char *envelope, *structure, *keywords;
    // The names of its named properties, whose ids are the mailbox's own.
    GArray *names;       // of struct portable_name
    struct arena *arena; // of the names
};
// Soft-deleted ones too. `*out` is to be cleared with message_portable_clear. EC_NOT_FOUND.
enum ec message_take(struct mbox_tx *tx, uint64_t mid, struct message_portable *out);
void message_portable_clear(struct message_portable *p); // accepts a zeroed one

// Puts it into a folder of this mailbox (a write). `once`: as message_new.delivery_id, may be NULL.
// EC_DUPLICATE_OBJECT: it was put there before. Gives the value's named properties the ids they
// have here: to be called once.
enum ec message_put(struct mbox_tx *tx, uint64_t fid, struct message_portable *p, const char *once,
                    uint64_t *mid_out);
