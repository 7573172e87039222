// Flag changes of a whole uid range of a folder: one record in place of a change of every row.
// Internal to store/.
//
// Until the background has settled a record into the rows, a row in its range that is older than
// the record stands for the row with the record applied. So whoever reads flags, cn, read_cn or
// modseq of table `message` passes the row through flag_ranges_overlay, and whoever writes a row
// settles it first (message_full_get does both). What looks for rows *by* modseq or flags in SQL
// must reckon with the records too (flag_ranges_reach), or settle the folder before.
#pragma once

#include "store/store.h"

extern const char schema_flag_range[];

struct flag_range {
    uint64_t fid;
    uint64_t base;        // change number of uid `first`; base + (uid - first) that of a later one
    uint32_t first, last; // uids
    uint32_t kept, set;   // flags = flags & kept | set
};

// What of a row a record changes.
struct flag_state {
    uint32_t uid, flags;
    uint64_t cn, read_cn, modseq;
};

// Reads the mailbox's records, once a transaction. To be called before the two that follow.
enum ec flag_ranges_load(struct mbox_tx *tx);
// Brings a row of folder `fid` as it is stored up to date. False: it was.
bool flag_ranges_overlay(struct mbox_tx *tx, uint64_t fid, struct flag_state *row);
// The records of a folder made after change number `since`, oldest first: the next one from `*i`
// on (begin with 0); NULL after the last. Rows that SQL finds older than `since` may be newer then.
const struct flag_range *flag_ranges_reach(struct mbox_tx *tx, uint64_t fid, uint64_t since,
                                           unsigned *i);

// Applies one record. False: the row is not concerned.
bool flag_range_apply(const struct flag_range *r, struct flag_state *row);

// --- Only in a write ---

// Adds a record; the change numbers are the caller's to take. What waits is settled soon after the
// commit.
enum ec flag_ranges_add(struct mbox_tx *tx, const struct flag_range *r);
// Like flag_ranges_overlay (loads itself), and writes the row when it was not up to date.
enum ec flag_ranges_settle_row(struct mbox_tx *tx, uint64_t fid, struct flag_state *row);
// Settles a folder (0: all of them) in this transaction.
enum ec flag_ranges_settle(struct mbox_tx *tx, uint64_t fid);

// --- The background ---

// Settles what waits soon, in small transactions.
void flag_ranges_want(struct mbox *mbox);
// Whether a mailbox just opened has records from before.
struct db_conn;
enum ec flag_ranges_any(struct db_conn *conn, bool *out);
