// What a mailbox holds, for its quotas.
//
// Kept by the writer in memory from the folders' counters, so that asking costs nothing however
// many folders and messages there are; read once from the folders when the mailbox is opened.
#pragma once

#include "store/store.h"

struct mbox_usage {
    uint64_t size, n_messages; // what stands in folders, associated messages included
    uint64_t recoverable_size, n_recoverable; // soft-deleted, and in Recoverable Items
};
// Of a write: with what it did so far. Of a read: of the newest commit.
void mbox_get_usage(struct mbox_tx *tx, struct mbox_usage *out);
// Normal messages of a folder; in a write. EC_NOT_FOUND.
enum ec folder_get_items(struct mbox_tx *tx, uint64_t fid, uint64_t *out);
