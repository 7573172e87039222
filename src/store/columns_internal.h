// Columns: what views know of a folder's messages, one array a property.
//
// A message's state takes a *slot*; slots are only ever added. A message that changes gets a new
// slot and its old one is dead, so that snapshots which show it go on reading what they showed, and
// nothing that a reader can see is ever written again. When a third of the slots is dead,
// everything is copied together into new columns; snapshots keep the old ones as long as they live.
//
// Numbers and times stand in a column as sort keys (order of prop_compare; 0: absent), everything
// else as the number of an entry in the column's dictionary, where each value stands once.
#pragma once

#include "mapi/prop.h"
#include "store/message_internal.h"
#include "store/view.h"

#define SLOT_NONE UINT32_MAX
#define LANE_SEGMENTS 28
#define COLUMNS_MAX 96 // of a folder

// A growing array whose elements never move: the first segment for what is known at the start, then
// segments that double.
struct lane {
    uint32_t width, first, shift; // the second segment has 1 << shift elements
    uint8_t *segments[LANE_SEGMENTS];
};
void lane_init(struct lane *lane, uint32_t width, uint32_t first);
void lane_clear(struct lane *lane);
void *lane_grow(struct lane *lane, uint32_t i); // makes room for element i; new room is zero

static inline void *lane_at(const struct lane *lane, uint32_t i) {
    if (i < lane->first)
        return lane->segments[0] + (size_t)i * lane->width;
    uint32_t rest = i - lane->first;
    uint32_t k = 31u - (uint32_t)__builtin_clz((rest >> lane->shift) + 1);
    return lane->segments[k + 1] + (size_t)(rest - (((1u << k) - 1) << lane->shift)) * lane->width;
}
static inline uint32_t lane_u32(const struct lane *lane, uint32_t i) {
    return *(const uint32_t *)lane_at(lane, i);
}
static inline uint64_t lane_u64(const struct lane *lane, uint32_t i) {
    return *(const uint64_t *)lane_at(lane, i);
}

// Where a column's values come from.
enum column_source {
    FROM_SLOT,    // computed from mid and flags: nothing is stored
    FROM_ROW,     // the narrow row
    FROM_BAG,     // the message's stored bag
    FROM_MESSAGE, // the opened message
};
enum column_form { FORM_NUMBER, FORM_TEXT, FORM_BYTES };

// Entries of a dictionary; the first two are no values.
#define ENTRY_ABSENT 0
#define ENTRY_EXTERNAL 1 // in the mailbox's blobs: compares as empty, matched by the message itself
#define ENTRY_FIRST 2

struct column {
    proptag_t tag;
    enum column_source source;
    enum column_form form;
    uint64_t since;     // set->seq when it was loaded: older snapshots may lack values here
    struct lane values; // uint32_t or uint64_t; entry numbers of dictionaries
    // The dictionary: pointers to NUL-ended text, or to a uint32_t length and bytes.
    struct lane entries;
    uint32_t n_entries;
    GPtrArray *blocks;
    size_t block_used, block_size;
    GHashTable *known; // entry -> number, only while a folder is read for the first time
    // Entries [ENTRY_FIRST, n_sorted) are in order; `same`: a bit for each that equals the one
    // before.
    uint32_t n_sorted;
    uint8_t *same;
    // What the last sort found: the ranks of the first n_ranked entries. Only with the set's lock
    // held.
    uint32_t *ranks;
    uint32_t n_ranked;
};

struct columns {
    int refs; // atomic
    uint64_t fid;
    enum view_kind kind;
    bool is_search;     // links to messages of many folders: uid is not unique
    uint32_t n, n_base; // slots; those that were there at the start, in order of uid (mid)
    uint32_t n_dead;
    struct lane mid, uid, flags;
    GByteArray *dead; // a bit a slot; only with the set's lock held, like n and n_dead

    pthread_mutex_t index_lock;
    bool is_by_mid;    // base slots are in order of mid
    uint32_t *by_mid;  // else base slots by mid, made when first needed
    GHashTable *later; // mid -> newest slot past the base, + 1
    GArray *older;     // of each slot past the base: the slot before it with the same mid

    _Atomic unsigned n_columns;
    struct column *list[COLUMNS_MAX];
};

// Bytes of columns and views of the process.
void view_memory_add(ssize_t bytes);

struct columns *columns_new(uint64_t fid, enum view_kind kind, bool is_search, uint32_t n_base);
struct columns *columns_ref(struct columns *cols);
void columns_unref(struct columns *cols); // accepts NULL

// Adds a slot. The first n_base ones come in order.
uint32_t columns_add(struct columns *cols, uint64_t mid, uint32_t uid, uint32_t flags);
void columns_kill(struct columns *cols, uint32_t slot);
bool columns_is_dead(const struct columns *cols, uint32_t slot);
// The newest slot below `limit` of the message. SLOT_NONE.
uint32_t columns_find(struct columns *cols, uint64_t mid, uint32_t limit);
// The living slots in the order that breaks ties. g_free.
uint32_t *columns_living(const struct columns *cols, uint32_t *n_out);
int columns_compare_tie(const struct columns *cols, uint32_t a, uint32_t b);

static inline uint64_t slot_mid(const struct columns *cols, uint32_t slot) {
    return lane_u64(&cols->mid, slot);
}
static inline uint32_t slot_flags(const struct columns *cols, uint32_t slot) {
    return lane_u32(&cols->flags, slot);
}

// A column of this tag that is loaded; NULL.
struct column *columns_get(const struct columns *cols, proptag_t tag);
// Whether a property can be a column: its type is known, and it is no body.
bool column_is_possible(proptag_t tag);
// Adds an empty one; NULL when there are too many.
struct column *column_new(struct columns *cols, proptag_t tag);
void column_publish(struct columns *cols, struct column *c);
void column_free(struct column *c);
void column_forget_ranks(struct column *c);
void column_put(struct column *c, uint32_t slot, const struct prop_value *v); // NULL: absent
void column_copy(struct column *c, uint32_t to, uint32_t from);
uint32_t column_intern(struct column *c, const void *data, size_t len, bool is_new);

uint64_t column_number(const struct columns *cols, const struct column *c, uint32_t slot);
static inline uint32_t column_entry(const struct column *c, uint32_t slot) {
    return lane_u32(&c->values, slot);
}
// False: absent. Borrowed from the column, or in the arena.
bool column_value(const struct columns *cols, const struct column *c, uint32_t slot,
                  struct arena *arena, struct prop_value *out);
bool column_entry_value(const struct column *c, uint32_t entry, struct arena *arena,
                        struct prop_value *out);
int column_compare(const struct columns *cols, const struct column *c, uint32_t a, uint32_t b);
uint64_t number_of(const struct prop_value *v);

// --- columns_read.c ---
struct view_set;
// A message as columns read it: what a column does not ask for is not read.
struct column_reader {
    struct mbox_tx *tx;
    struct arena *arena;
    uint64_t mid;
    bool has_row, has_props, has_message;
    struct message_full row;
    struct prop_bin props;
    struct message *m;
};
enum ec column_read(struct column_reader *r, const struct column *c, struct prop_value *out,
                    bool *has_out);
void column_reader_end(struct column_reader *r);
// Every message of the folder.
enum ec columns_scan(struct mbox_tx *tx, uint64_t fid, enum view_kind kind, bool is_search,
                     struct columns **out);
// Fills the column for all living slots (those from `from` on).
enum ec column_load(struct mbox_tx *tx, struct columns *cols, struct column *c, uint32_t from);
bool kind_has(enum view_kind kind, uint32_t flags);
// A message as the statements on slots give it, with what flag ranges say about it. After
// flag_ranges_load.
struct slot_row {
    uint64_t mid, cn;
    uint32_t uid, flags;
};
struct slot_row slot_row_read(struct mbox_tx *tx, struct db_stmt *q);

// --- columns_saved.c ---
#define COLUMNS_SAVE_MIN 1000 // messages; smaller folders are read as quickly from the tables
struct columns_saving;
// What is to be saved, taken with the set's lock held; encoding and writing need no lock. `kept`:
// tags that are saved of the very same state and stay as they are (NULL: everything is written
// anew).
struct columns_saving *columns_saving_new(const struct columns *cols, uint64_t modseq,
                                          uint32_t uid_validity, const GArray *kept);
void columns_saving_encode(struct columns_saving *s);
enum ec columns_saving_write(struct mbox_tx *tx, void *ctx);
void columns_saving_free(struct columns_saving *s);
// Base of a saved state. EC_NOT_FOUND.
enum ec columns_load_saved(struct mbox_tx *tx, uint64_t fid, enum view_kind kind, bool is_search,
                           uint32_t uid_validity, uint64_t *modseq_out, struct columns **out);
// A column of that state: its base slots. EC_NOT_FOUND.
enum ec column_load_saved(struct mbox_tx *tx, const struct columns *cols, struct column *c,
                          uint64_t modseq);
// The tags of a folder's saved columns (array of proptag_t).
enum ec columns_saved_tags(struct mbox_tx *tx, uint64_t fid, GArray *tags);
enum ec columns_forget(struct mbox_tx *tx, uint64_t fid); // fid 0: every folder's

extern const char sql_view_base[], sql_view_base_aside[], sql_view_links[], sql_view_changed[],
    sql_view_links_changed[], sql_view_gone[], sql_view_props[], sql_view_folder[], sql_view_bags[],
    sql_view_received[], sql_view_submitted[], sql_view_size[], sql_view_class[],
    sql_view_subject[], sql_view_conversation[], sql_view_saved_get[], sql_view_saved_tags[],
    sql_view_saved_insert[], sql_view_saved_delete_folder[], sql_view_saved_delete_all[];
