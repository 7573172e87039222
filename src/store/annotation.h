// Annotations of folders and of the mailbox: IMAP METADATA ([RFC 5464]).
#pragma once

#include "store/store.h"

struct annotation {
    const char *member; // whose own; "": everybody's
    const char *entry;  // lower case, "/comment": without /private and /shared
    const void *value;
    size_t len;
};
struct annotation_list {
    struct annotation *items; // by entry
    unsigned n;
};
// Of a folder (fid 0: of the mailbox): everybody's and those of `member`. In the arena.
enum ec annotations_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid, const char *member,
                        struct annotation_list *out);
// Sets one; `value` NULL removes it. Only in a write.
enum ec annotation_set(struct mbox_tx *tx, uint64_t fid, const struct annotation *annotation);
// Everybody's called ANNOTATION_USE, of all folders that have one, by fid. `fids_out`: in the
// arena, as many as there are items.
#define ANNOTATION_USE "/specialuse"
enum ec annotations_get_uses(struct mbox_tx *tx, struct arena *arena, uint64_t **fids_out,
                             struct annotation_list *out);
// A deleted folder's go. Only in a write.
enum ec annotations_drop_folder(struct mbox_tx *tx, uint64_t fid);
