// Changes since a change number: what every synchronization protocol reads ([MS-OXCFXICS] 3.2.5,
// [RFC 7162]).
#pragma once

#include "store/store.h"

enum change_kind {
    CHANGE_MESSAGE,    // created or changed (cn)
    CHANGE_READ_STATE, // only the read state (or other per-user flags) changed since
    CHANGE_DELETED,    // hard- or soft-deleted, or moved away
};
struct change {
    enum change_kind kind;
    uint64_t id; // mid or fid
    uint64_t cn; // change number of the change
    uint32_t uid;
    bool is_associated, is_soft; // soft: a CHANGE_DELETED that can be restored
    // Of messages that are there:
    uint64_t message_cn, read_cn; // cn is the larger of the two
    uint64_t size;
    filetime_t received;
    bool is_read;
};
struct change_list {
    struct change *items;
    unsigned n;
    uint64_t last; // everything up to this change number is in the list (when it was not cut)
    bool is_cut;   // `limit` was reached; go on with the last item's cn
};

// Contents of a folder after `since` (0: everything that exists), ordered by cn. In the arena.
enum ec changes_of_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid, uint64_t since,
                          unsigned limit, struct change_list *out);
// Only what was deleted: costs what that is, however much else changed.
enum ec deletions_of_folder(struct mbox_tx *tx, struct arena *arena, uint64_t fid, uint64_t since,
                            struct change_list *out);
// The folder tree below `root`: folder objects created, changed, deleted.
enum ec changes_of_hierarchy(struct mbox_tx *tx, struct arena *arena, uint64_t root, uint64_t since,
                             unsigned limit, struct change_list *out);

// The change key (XID: replica GUID + change number, 22 bytes) and predecessor change list of an
// object, as in PidTagChangeKey and PidTagPredecessorChangeList. In the arena.
enum ec change_key_of(struct mbox_tx *tx, struct arena *arena, uint64_t id, const uint8_t **key_out,
                      uint32_t *key_len_out, const uint8_t **pcl_out, uint32_t *pcl_len_out);
