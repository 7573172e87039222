// Message sets against a view: which rows "2,4:7,*" means.
#pragma once

#include "protocol/imap/imap_parse.h"

// Rows as runs of 0-based indexes, ascending, not touching.
struct imap_run {
    uint32_t first, last;
};
struct imap_rows {
    struct imap_run *runs;
    unsigned n;
    uint32_t count; // rows in all
};

// By uid every set is fine; what does not exist is passed over. By sequence number false when one
// names no message (the client is out of step: BAD). In the arena.
bool imap_resolve_set(struct arena *arena, const struct mailbox_view *view,
                      const struct imap_set *set, bool by_uid, struct imap_rows *out);

// The uids of a set themselves, whether there are such messages or not, as runs; "*" is the highest
// possible. In the arena.
void imap_uids_of_set(struct arena *arena, const struct imap_set *set, struct imap_rows *out);

bool imap_rows_contain(const struct imap_rows *rows, uint32_t index);

// Appends "1:4,7" for the numbers (ascending runs are joined, the order is kept).
void imap_append_set(GString *out, const uint32_t *numbers, unsigned n);
