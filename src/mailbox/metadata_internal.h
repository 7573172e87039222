// Between metadata.c and folders.c.
#pragma once

#include "mailbox/mailbox_internal.h"

// Fills special_use of folders that were made for something.
enum ec metadata_mark_uses(struct mbox_tx *tx, struct arena *arena,
                           struct mailbox_folder_list *list);
// `use` (a name that mailbox_is_special_use knows) becomes the folder's. Inside a write.
enum ec metadata_set_use(struct mbox_tx *tx, uint64_t fid, const char *use);
