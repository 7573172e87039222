// What the files on views share: orders of entries, views, and the sets that keep them.
//
// A `struct view_set` is a folder's contents of one kind: its columns, what changed lately, and the
// views that somebody asked for. It is brought up to date with its lock held; views and columns are
// read without one.
#pragma once

#include "store/columns_internal.h"

// An entry: a slot and, with a multi-value instance column, the number of the value.
struct entry {
    uint32_t slot, instance;
};

// --- view_order.c: entries in order, in chunks that newer orders share ---
struct order_chunk;
struct order {
    struct order_chunk **chunks;
    uint32_t *starts; // index of each chunk's first entry
    uint32_t n_chunks, count;
};
// `flags` counts unread entries. `with_instances`: else every instance is 0 and takes no room.
void order_build(struct order *order, const struct columns *cols, const struct entry *entries,
                 uint32_t n, bool with_instances);
void order_clear(struct order *order);
struct entry order_at(const struct order *order, uint32_t i);
// The first entry that `is_before` is false for (it is true for those before and false from there).
uint32_t order_partition(const struct order *order,
                         bool (*is_before)(const void *ctx, const struct entry *e),
                         const void *ctx);
uint32_t order_unread(const struct order *order, const struct columns *cols, uint32_t from,
                      uint32_t to);
// What becomes of an order: entries at `removed` (rising) are left out, each of `added` stands
// before the old entry `at` (rising, in order among themselves).
struct order_addition {
    uint32_t at;
    struct entry entry;
};
void order_change(const struct order *old, const struct columns *cols, const uint32_t *removed,
                  uint32_t n_removed, const struct order_addition *added, uint32_t n_added,
                  bool with_instances, struct order *out);
// Entries (struct order_addition) of the chunks that only one of two orders has, with their places;
// some may stand in both. False: more than `limit` of one.
bool order_differences(const struct order *from, const struct order *to, uint32_t limit,
                       GArray *gone, GArray *come);

// --- view_sort.c ---
// Ranks of a dictionary's entries: equal values have equal ones. `order_out`: entries in order
// (without the two special ones), g_free like the result.
uint32_t *column_ranks(const struct column *c, uint32_t n_entries, uint32_t **order_out,
                       uint32_t *n_out);

struct view;
// Sorts entries, which come in the order that breaks ties, by the first columns of the sort order.
void view_sort(const struct view *v, struct entry *entries, uint32_t n, unsigned n_columns);

// --- Views ---
struct view_key {
    struct view_set *set;
    struct arena *arena;
    GBytes *id; // what was asked for, as bytes
    enum view_kind kind;
    struct sort_order sort;
    const struct restriction *restriction; // NULL: everything
    uint32_t limit;                        // of a RES_COUNT at the top
    unsigned maximum;                      // the SORT_MAXIMUM_CATEGORY column; 0: none
    bool has_instances;
    struct view_key *members; // conversations and maximum categories: what they are made of
    struct view *newest;
    uint64_t seq;     // what of the set's log `newest` is known to agree with
    uint32_t n_slots; // and the slots there were then
    int snapshots;    // atomic: views of it that somebody has, the newest included
    gint64 used;
};

struct view {
    int refs; // atomic
    struct view_key *key;
    struct columns *cols;
    const struct column *columns[SORT_ORDER_MAX]; // of the sort order; instances: all values
    struct order order;
    struct view *members;
    uint64_t seq;            // what of the set's log it was made with
    _Atomic uint64_t modseq; // grows in place while nothing else changes
    uint32_t n_slots;
};

// Orders two entries by the first `n` columns of the sort order, as the view has them.
int view_compare_columns(const struct view *v, const struct entry *a, const struct entry *b,
                         unsigned n);
int view_compare(const struct view *v, const struct entry *a, const struct entry *b);
// The value of one column for an entry; false: absent.
bool view_column_value(const struct view *v, unsigned column, const struct entry *e,
                       struct arena *arena, struct prop_value *out);
// The first entry of the group of the first `n` columns that `e` (which need not be there) is of.
uint32_t view_group_start(const struct view *v, const struct entry *e, unsigned n);
// The index of an entry; false: not there.
bool view_index_of(const struct view *v, const struct entry *e, uint32_t *i_out);
// How often a message stands in a view with instances: once for each value.
uint32_t view_instances(const struct view *v, uint32_t slot);

// --- view_make.c: making and renewing one view; the set's lock is held ---
struct matcher;
enum ec view_make(struct mbox_tx *tx, struct view_key *key, struct view **out);

// --- view_match.c ---
// Evaluates a restriction on slots; a column is used where it is loaded (and not younger than
// `seq`). `is_bulk`: every slot of the folder will be asked about.
struct matcher *matcher_new(struct columns *cols, uint64_t seq, struct mbox_tx *tx,
                            const struct restriction *res, bool is_bulk);
void matcher_free(struct matcher *m);
bool matcher_matches(struct matcher *m, uint32_t slot);
enum ec matcher_result(const struct matcher *m); // the first error of reading

// --- Sets ---
struct log_entry {
    uint32_t dead, born; // SLOT_NONE: none
};
struct view_set {
    struct view_cache *cache;
    uint64_t fid;
    enum view_kind kind;
    pthread_mutex_t lock;
    struct columns *cols;
    uint64_t modseq, commits;
    uint32_t uid_validity;
    uint64_t seq, log_start; // seq of the log's end and of its first entry
    GArray *log;             // of struct log_entry
    GPtrArray *keys;         // of struct view_key
    uint64_t loaded;         // modseq of the saved state that the base slots are of
    uint64_t saved;          // modseq of the newest saved state, 0: none
    GArray *saved_tags;      // and its columns
    unsigned users;          // under the cache's lock
    gint64 used;
};
enum ec set_refresh(struct view_set *set, struct mbox_tx *tx);
enum ec set_need_column(struct view_set *set, struct mbox_tx *tx, proptag_t tag);

struct view_cache *view_cache_new(void);
void view_cache_free(struct view_cache *cache); // accepts NULL
void view_cache_save(struct mbox *mbox);
void view_cache_trim(struct mbox *mbox);
