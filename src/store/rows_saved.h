// Snapshots of large folders' rows kept in the database, so that the first look after a start reads
// a few contiguous pages instead of every row. Internal to store/.
#pragma once

#include "store/rows.h"

#define ROWS_SAVE_MIN 1000 // rows; smaller folders are read as quickly from the table

// Writes the snapshot in place of an older one. Only in a write.
enum ec rows_save(struct mbox_tx *tx, uint64_t fid, const struct folder_rows *rows);

// Gives the rows of a saved snapshot in uid order (each with its own reference to its keywords) and
// the modseq they are of. EC_NOT_FOUND: none of this uid_validity; EC_CORRUPT_DATA: some rows may
// have been given.
enum ec rows_load(struct mbox_tx *tx, uint64_t fid, uint32_t uid_validity,
                  void (*add)(void *ctx, const struct message_row *row), void *ctx,
                  uint64_t *modseq_out);

// Forgets a folder's (fid 0: every) saved snapshot.
enum ec rows_forget(struct mbox_tx *tx, uint64_t fid);
