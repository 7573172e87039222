// The rows of a folder in memory: an immutable snapshot, shared by everyone who looks at the
// folder.
//
// Rows (normal, not soft-deleted, not associated) in uid order, held in chunks; a newer snapshot
// shares every chunk that did not change, so that bringing one up to date costs only what changed,
// from a folder of ten messages to one of a million. Two snapshots are compared in the same way.
#pragma once

#include "mapi/message_row.h"
#include "store/store.h"

struct folder_rows;

// The newest snapshot of the folder in `mbox` (made from the database the first time, then kept
// while somebody holds one and for a while after).
enum ec folder_rows_get(struct mbox *mbox, uint64_t fid, struct folder_rows **out);
struct folder_rows *folder_rows_ref(struct folder_rows *rows);
void folder_rows_unref(struct folder_rows *rows); // accepts NULL

// The rows as a write sees them, its own changes included, for nobody else; without a snapshot at
// hand only when the folder has at most `max_rows` (EC_NOT_FOUND otherwise). Counters are not set.
enum ec folder_rows_in_write(struct mbox_tx *tx, uint64_t fid, uint32_t max_rows,
                             struct folder_rows **out);

uint32_t folder_rows_count(const struct folder_rows *rows);
uint64_t folder_rows_modseq(const struct folder_rows *rows);
uint32_t folder_rows_uid_next(const struct folder_rows *rows);
uint32_t folder_rows_uid_validity(const struct folder_rows *rows);
uint32_t folder_rows_unread(const struct folder_rows *rows);
// Row i (0-based: IMAP sequence number - 1). Borrowed from the snapshot.
const struct message_row *folder_rows_at(const struct folder_rows *rows, uint32_t i);
// Row i and those after it that lie beside it in memory: at least 1 and `*n_out` of them.
const struct message_row *folder_rows_span(const struct folder_rows *rows, uint32_t i,
                                           uint32_t *n_out);
// The index of the first unread row, and of the first row from `i` on with keywords; the count when
// there is none. Whole chunks are passed over.
uint32_t folder_rows_first_unread(const struct folder_rows *rows);
uint32_t folder_rows_next_keywords(const struct folder_rows *rows, uint32_t i);
// The index of the first row with a uid >= `uid`; the count when there is none.
uint32_t folder_rows_find_uid(const struct folder_rows *rows, uint32_t uid);

// What leads from snapshot `from` to `to` of the same folder: called in uid order for each row that
// is gone
// (`index` in from), changed or new (`index` in to).
enum rows_change { ROWS_REMOVED, ROWS_CHANGED, ROWS_ADDED };
void folder_rows_diff(const struct folder_rows *from, const struct folder_rows *to,
                      void (*change)(void *ctx, enum rows_change what, uint32_t index,
                                     const struct message_row *row),
                      void *ctx);

// Bytes held by all snapshots of the process, for the memory budget and the tests.
size_t folder_rows_memory(void);
