// Folder functions other files of store/ use.
#pragma once

#include "store/folder.h"

enum ec folder_check_name(const char *name);

// Levels from the root (which is 0); `through_out`: whether `through` is `fid` or above it.
enum ec folder_depth(struct mbox_tx *tx, uint64_t fid, uint64_t through, unsigned *depth_out,
                     bool *through_out);

// The row itself, with every field of `f` that is stored; `props` may be NULL.
enum ec folder_insert(struct mbox_tx *tx, const struct folder_info *f, const struct bag *props);

// A new change number for the folder object (its properties changed).
enum ec folder_touch(struct mbox_tx *tx, uint64_t fid);

