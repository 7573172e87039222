// Views: a folder's contents sorted and filtered, in memory, shared ([MS-OXCTABL] 3.2.5).
//
// A `struct view` is an immutable snapshot of one (folder, kind, sort order, restriction): an array
// of entries in order over columns that all views of the folder share. It is made once, kept for
// everybody who asks for the same and brought up to date by what changed since; columns and orders
// that nobody uses are dropped under a memory budget. Rows are decided and ordered in C, for every
// engine. Table handles (table.h) add position, bookmarks and collapsed categories; EWS paging and
// IMAP SORT read views as they are.
#pragma once

#include "mapi/restriction.h"
#include "mapi/sort_order.h"
#include "store/store.h"

enum view_kind {
    VIEW_CONTENTS,      // normal messages; of a search folder: what it found
    VIEW_ASSOCIATED,    // FAI
    VIEW_SOFT_DELETED,  // normal ones in the soft-deleted contents
    VIEW_CONVERSATIONS, // one row a conversation (its newest message stands for it)
};
struct view_spec {
    uint64_t fid;
    enum view_kind kind;
    const struct sort_order *sort;         // NULL: by delivery time, newest first
    const struct restriction *restriction; // NULL: everything
};

struct view;
// The newest snapshot. EC_NOT_FOUND: no such folder; EC_TOO_COMPLEX: a sort over more instances
// than can be held. `spec` is copied where it is kept.
enum ec view_get(struct mbox *mbox, const struct view_spec *spec, struct view **out);
// The newest snapshot of the same; cheap when nothing changed (then `*out` is `v`, referenced).
enum ec view_renew(struct mbox *mbox, const struct view *v, struct view **out);
struct view *view_ref(struct view *v);
void view_unref(struct view *v); // accepts NULL

uint32_t view_count(const struct view *v);
// The change number up to which the snapshot knows the folder.
uint64_t view_modseq(const struct view *v);

// One entry. A message stands once, or with a multi-value instance column in the sort order once a
// value (`instance` from 1 on, PidTagInstanceNum; 0 otherwise).
struct view_entry {
    uint64_t mid;
    uint32_t uid, instance;
};
struct view_entry view_at(const struct view *v, uint32_t i); // i < view_count
// The index of a message's entry. False: not in the view.
bool view_find(const struct view *v, uint64_t mid, uint32_t instance, uint32_t *i_out);

// The first entry that does not come before the values, one for each of the first `n` columns of
// the sort order (NULL: absent): where a row that is gone would stand.
uint32_t view_lower_bound(const struct view *v, const struct prop_value *const *values, unsigned n);

// --- Categories: entries grouped by the first n_categories columns of the sort order ---
// The index after the last entry of the group of `level` (0: the outermost) that entry `i` is in.
// Groups ordered by a SORT_MAXIMUM_CATEGORY column stand in that order.
uint32_t view_group_end(const struct view *v, unsigned level, uint32_t i);
// Unread entries among [from, to).
uint32_t view_unread(const struct view *v, uint32_t from, uint32_t to);

// --- Values ---
// Columns of the entry's message as in message_get_prop, plus those of the entry itself
// (PidTagInstID, PidTagInstanceNum, the instance's value, PidTagMid, PidTagParentFolderId, ...).
// From the shared columns where they are there, otherwise from the message. values[i]: NULL absent.
// Strings longer than `max_bytes` (0: no limit) are cut, binaries too long are absent. `tx`: of the
// same mailbox; a message deleted since gives only what the columns know.
enum ec view_values(const struct view *v, struct mbox_tx *tx, struct arena *arena, uint32_t i,
                    const proptag_t *tags, unsigned n, size_t max_bytes,
                    const struct prop_value **values);

// Whether an entry matches (RopFindRow): like a restriction of the view.
enum ec view_matches(const struct view *v, struct mbox_tx *tx, uint32_t i,
                     const struct restriction *restriction, bool *matches_out);

// --- Differences, for table events ([MS-OXCNOTIF] 2.2.1.1.1) ---
enum view_change {
    VIEW_ROW_REMOVED,  // `entry` is no longer there
    VIEW_ROW_ADDED,    // `entry` is new, at `index` of `to`
    VIEW_ROW_MODIFIED, // `entry` changed or moved, now at `index` of `to`
};
// What leads from one snapshot to a newer one of the same view: removals first, then the others in
// the order of `to`, so that the entry before each (view_at(to, index - 1)) is known to the client
// when it is told. More than `limit` changes: none is told and false returned (the table changed).
bool view_diff(const struct view *from, const struct view *to, unsigned limit,
               void (*change)(void *ctx, enum view_change what, const struct view_entry *entry,
                              uint32_t index),
               void *ctx);

// --- Memory ---
// Bytes of all views and columns of the process; the budget above which unused ones are dropped
// (0: the default, 256 MiB), and used ones are still made.
size_t view_memory(void);
void view_set_memory_budget(size_t bytes);
