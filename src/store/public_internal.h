// Between the making of a mailbox, its check and public_store.c.
#pragma once

#include "store/public_store.h"

// The folders of a new public store. Inside the write that makes it.
enum ec public_insert_folders(struct mbox_tx *tx);
// The `i`th of the folders that are always there; false: no more.
bool public_folder_at(unsigned i, uint64_t *fid_out, const char **name_out);
