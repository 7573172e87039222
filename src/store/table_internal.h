// What the files of the table engine share: the handle, the index of visible rows, places.
#pragma once

#include "store/table.h"
#include "store/table_source.h"

// The visible header rows in order. The leaf rows of an expanded category of the last level follow
// its header, so that no row of a million needs a word of its own.
struct header {
    uint64_t id;         // 0: not computed yet
    uint32_t entry, end; // its entries
    uint32_t pos;        // the row's index among the visible ones
    uint32_t parent;     // index of the header above; its own at level 0
    uint8_t level;
    bool is_expanded;
};
struct visible {
    unsigned n_levels;
    uint32_t n, n_entries; // rows, entries
    GArray *headers;       // of struct header; NULL without categories
    GHashTable *by_id;     // id -> index + 1; NULL: not made yet
};

// A row by its entry: a leaf, the header of a level, or the first row that begins there.
enum { PLACE_LEAF = 254, PLACE_FIRST = 255 };
struct place {
    uint32_t entry;
    uint8_t level;
};

struct bookmark {
    struct table_row row;
    bool is_end;
    struct place place; // where it is, or would stand
};

struct table {
    enum table_kind kind;
    struct rows_source *source;
    struct mbox_tx *tx; // during an operation, once it was needed

    proptag_t *columns; // as the client gave them
    proptag_t *tags;    // as rows are asked for them
    unsigned n_columns;
    bool has_order;
    struct sort_order order;     // the client's
    struct sort_order effective; // what rows are ordered by, as far as known (n 0: nothing)
    bool is_default_order;       // `effective` need not be named
    struct arena *restriction_arena;
    const struct restriction *restriction;
    bool is_order_bad, is_restriction_bad;
    enum table_status status;

    struct rows *rows; // NULL: to be made anew
    struct visible visible;
    GHashTable *toggled; // ids (uint64_t) of categories that are not in their initial state
    struct place cursor;
    GHashTable *bookmarks; // number -> struct bookmark
    uint32_t generation, next_bookmark;

    struct rows *told; // what the client was told last; NULL: it has seen nothing
    GArray *announced; // of enum table_event_kind: what to tell in any case
};

struct table *table_new(enum table_kind kind, struct rows_source *source_take);
static inline bool table_is_contents(const struct table *t) {
    return t->kind <= TABLE_CONVERSATIONS;
}

// --- table.c ---
// Begins an operation on rows: the newest snapshot, position and bookmarks moved to it.
enum ec table_begin(struct table *t, bool needs_columns);
void table_end(struct table *t);
enum ec table_tx(struct table *t, struct mbox_tx **out); // NULL when the source needs none
void table_forget_rows(struct table *t);                 // order or restriction changed
void table_drop_bookmarks(struct table *t);

// --- table_visible.c ---
// `known`: an index of the same rows, whose ids are taken over; or NULL.
enum ec visible_build(struct table *t, const struct rows *rows, const struct visible *known,
                      struct visible *out);
void visible_clear(struct visible *v);
const struct header *visible_header(const struct visible *v, uint32_t i);
// The last header whose entries begin at or before the entry.
uint32_t visible_last_header(const struct visible *v, uint32_t entry);
// The visible index of a place; `*is_shown`: the row itself is visible, otherwise it is the next.
uint32_t visible_pos(const struct visible *v, struct place place, bool *is_shown);
struct place visible_place(const struct visible *v, uint32_t pos);
enum ec visible_header_id(struct table *t, const struct rows *rows, struct visible *v, uint32_t i,
                          uint64_t *id_out);
// The index of the header with this id. EC_NOT_FOUND.
enum ec visible_find_header(struct table *t, const struct rows *rows, struct visible *v,
                            uint64_t id, uint32_t *i_out);
// The id of the group of `level` that the entry is in (`above`: that of the level above, or 0).
enum ec visible_group_id(struct table *t, const struct rows *rows, uint32_t entry, unsigned level,
                         uint64_t above, uint64_t *out);
enum ec visible_row(struct table *t, const struct rows *rows, struct visible *v, uint32_t pos,
                    struct table_row *out);

// --- table_place.c ---
// Moves position and bookmarks from the old snapshot to t->rows (t->visible is that of t->rows).
enum ec table_move_places(struct table *t, const struct rows *old, const struct visible *was);
enum ec table_bookmark_pos(struct table *t, const void *bookmark, size_t len, uint32_t *pos_out,
                           bool *is_gone_out);
enum ec table_add_bookmark(struct table *t, uint32_t pos, uint8_t out[TABLE_BOOKMARK_SIZE]);

// --- table_values.c ---
// The values of the visible row in the order of the columns.
enum ec table_row_values(struct table *t, struct arena *arena, uint32_t pos,
                         const struct prop_value ***out);
// Whether the visible row matches.
enum ec table_row_matches(struct table *t, uint32_t pos, const struct restriction *restriction,
                          bool *out);
