// Associated messages of a folder by their class: configuration, templates, settings
// ([MS-OXCMSG] FAI, [MS-OXOCFG]).
#pragma once

#include "store/store.h"

struct associated_row {
    uint64_t mid, cn;
    const char *class; // in the arena
};
struct associated_rows {
    struct associated_row *items;
    unsigned n;
};
// Those whose class is `prefix` or begins with it and a period, oldest first ("" all); soft-deleted
// ones are left out. In a read or a write, its own changes included. In the arena.
enum ec associated_list(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char *prefix,
                        struct associated_rows *out);
// The newest of exactly this class, caselessly. EC_NOT_FOUND.
enum ec associated_find(struct mbox_tx *tx, uint64_t fid, const char *class, uint64_t *mid_out);

extern const char sql_associated_list[];
