// What changes of messages ask of receipt.c.
#pragma once

#include "mailbox/mailbox_internal.h"
#include "mailbox/receipt.h"

enum receipt_kind { RECEIPT_READ, RECEIPT_NOT_READ };

struct receipts {
    bool is_wanted;
    bool is_confirmed; // somebody agreed to each; otherwise only to whom the message came from
    struct arena *arena;
    GPtrArray *items; // struct receipt
    GArray *mids;     // uint64_t: the messages that they are about
};
// Before the change: whether there may be any.
void receipts_begin(struct mailbox *m, struct receipts *r);
// In the change, before messages become read or are deleted: notes those that ask for it.
enum ec receipts_note(struct receipts *r, struct mbox_tx *tx, uint64_t fid, const uint64_t *mids,
                      unsigned n, enum receipt_kind kind);
// In the change: those noted count as answered from now on.
enum ec receipts_mark(struct receipts *r, struct mbox_tx *tx, uint64_t fid);
// After the commit: sends what was noted.
void receipts_send(struct mailbox *m, struct receipts *r);
void receipts_end(struct receipts *r);
