// Table handles: one client's use of a table, with columns, order, filter, position, bookmarks and
// collapsed categories ([MS-OXCTABL]). Values in, values out; the ROP layer only encodes.
//
// A handle shows the newest committed state: each operation first takes the newest snapshot. The
// position and the bookmarks stay with their rows while rows come and go: a row that is gone leaves
// them at the row that follows it. A handle belongs to one thread at a time. Operations that a kind
// of table does not have are EC_NOT_SUPPORTED; those that need columns are EC_NULL_OBJECT before
// table_set_columns succeeded; after a sort order or restriction failed they are EC_NOT_INITIALIZED
// until one succeeds or the table is reset.
#pragma once

#include "mapi/message_value.h"
#include "mapi/restriction.h"
#include "mapi/row.h"
#include "mapi/sort_order.h"
#include "store/store.h"

#define TABLE_MAX_BOOKMARKS 4096
#define TABLE_MAX_TOGGLED 65536        // categories whose state differs from the initial one
#define TABLE_COLLAPSE_STATE_MAX 65535 // bytes; what a ROP can carry
#define TABLE_MAX_EVENTS 256           // row events at once; more are told as TABLE_CHANGED
#define TABLE_STRING_MAX 255           // UTF-16 units of a string in a row
#define TABLE_BINARY_MAX 510           // bytes of a binary in a row

enum table_kind {
    TABLE_CONTENTS,
    TABLE_ASSOCIATED,
    TABLE_SOFT_DELETED,
    TABLE_CONVERSATIONS,
    TABLE_HIERARCHY,
    TABLE_ATTACHMENTS,
    TABLE_PERMISSIONS,
    TABLE_RULES,
    TABLE_RECEIVE_FOLDERS,
};

// TableStatus ([MS-OXCTABL] 2.2.2.1.3). Work is done at once: only these occur.
enum table_status {
    TABLE_COMPLETE = 0x00,
    TABLE_SORT_ERROR = 0x0A,
    TABLE_SETCOL_ERROR = 0x0D,
    TABLE_RESTRICT_ERROR = 0x0F,
};

// Predefined bookmarks ([MS-OXCTABL] 2.2.2.1.1).
enum table_origin { TABLE_BEGINNING = 0x00, TABLE_CURRENT = 0x01, TABLE_END = 0x02 };

struct table;

// --- Opening (EC_NOT_FOUND: no such folder) ---
// The contents of a folder; `kind` one of the first four.
enum ec table_open_contents(struct mbox *mbox, uint64_t fid, enum table_kind kind,
                            struct table **out);
// The folders below one; `is_deep`: all levels, parents before children. `is_soft_deleted`: those
// deleted but restorable (gone_folder.h).
enum ec table_open_hierarchy(struct mbox *mbox, uint64_t fid, bool is_deep, bool is_soft_deleted,
                             struct table **out);
// The attachments of an open message as they are now; `message` is not needed afterwards.
enum ec table_open_attachments(const struct message_value *message, struct table **out);
// The members of a folder and their rights ([MS-OXCPERM] 2.2.1). Who they are and what they may is
// known above the store: `get` gives the list (in the arena) whenever the mailbox changed.
struct table_member {
    int64_t id; // PidTagMemberId
    const char *name;
    struct prop_bin entry_id;
    uint32_t rights;
};
struct table_members {
    enum ec (*get)(void *ctx, struct arena *arena, struct table_member **out, unsigned *n_out);
    void (*free)(void *ctx); // NULL: nothing to do; also called when opening fails
    void *ctx;
};
enum ec table_open_permissions(struct mbox *mbox, const struct table_members *members,
                               struct table **out);
enum ec table_open_rules(struct mbox *mbox, uint64_t fid, struct table **out);
enum ec table_open_receive_folders(struct mbox *mbox, struct table **out);
void table_free(struct table *t); // with its bookmarks; accepts NULL

enum table_kind table_kind(const struct table *t);

// --- What is shown ---
// Sets the columns of rows: types may be PT_STRING8 and multi-value instances (PT_MV | 0x2000).
// EC_INVALID_PARAMETER: none, too many, or one of no valid type (PT_UNSPECIFIED, PT_ERROR, ...);
// the table has no columns then.
enum ec table_set_columns(struct table *t, const proptag_t *tags, unsigned n, bool is_async);
// The columns set. n 0: none.
struct columns table_columns(const struct table *t);
// Sorts and groups; an order without columns is the default one. The position goes to the
// beginning, bookmarks become invalid, categories have their initial state. EC_INVALID_PARAMETER.
enum ec table_sort(struct table *t, const struct sort_order *order, bool is_async);
// Shows only rows that match; NULL: all. The restriction is copied. The position goes to the
// beginning, bookmarks become invalid. EC_TOO_COMPLEX.
enum ec table_restrict(struct table *t, const struct restriction *restriction, bool is_async);
// As it was when opened.
enum ec table_reset(struct table *t);
enum table_status table_status(const struct table *t);
// Nothing can be aborted, as everything is done at once: EC_CANCEL ("unable to abort").
enum ec table_abort(struct table *t);
// Columns the table can show. Static.
struct columns table_all_columns(const struct table *t);

// --- Rows ---
// Values of a row in the order of the columns; NULL: absent; PT_ERROR: could not be read. Strings
// are cut at TABLE_STRING_MAX, binaries at TABLE_BINARY_MAX. Valid during the call. False: there
// is no place for it (it was not taken).
typedef bool (*table_row_fn)(void *ctx, const struct prop_value *const *values);

enum table_query_flags { TABLE_NO_ADVANCE = 0x01 };
struct table_queried {
    unsigned n;               // rows taken
    bool is_full;             // the receiver refused a row
    enum table_origin origin; // TABLE_BEGINNING or TABLE_END when none are left in the direction
};
// Gives up to `max` rows from the position on, or the ones before it: then the row just before the
// position comes first, and the receiver puts them into the order of the table. The position moves
// behind (before) what was taken.
enum ec table_query_rows(struct table *t, unsigned flags, bool is_forward, unsigned max,
                         table_row_fn row, void *ctx, struct table_queried *out);

// --- Position ---
enum ec table_query_position(struct table *t, uint32_t *position_out, uint32_t *count_out);
// Moves by `count` rows (negative: back) from the origin. `*moved_out`: by how many it moved; fewer
// than wanted at an end of the table.
enum ec table_seek(struct table *t, enum table_origin origin, int32_t count, int32_t *moved_out);
// To the row nearest to the fraction. EC_INVALID_BOOKMARK: the denominator is 0.
enum ec table_seek_fraction(struct table *t, uint32_t numerator, uint32_t denominator);

// Bookmarks are bytes of the table's own choice. EC_INVALID_BOOKMARK for bytes that are none of
// this table's, or of one that was freed or ended by sorting, restricting or resetting.
#define TABLE_BOOKMARK_SIZE 8
enum ec table_create_bookmark(struct table *t, uint8_t out[TABLE_BOOKMARK_SIZE]);
enum ec table_free_bookmark(struct table *t, const void *bookmark, size_t len);
// `*is_gone_out`: the row it was made on is not shown any more; the seek begins at the next one.
enum ec table_seek_bookmark(struct table *t, const void *bookmark, size_t len, int32_t count,
                            int32_t *moved_out, bool *is_gone_out);

struct table_find {
    bool is_backward;
    const struct restriction *restriction; // NULL: the first row
    enum table_origin origin;
    const void *bookmark; // not NULL: instead of the origin
    size_t bookmark_len;
};
// Moves the position to the first row that matches and gives it. EC_NOT_FOUND: none (the position
// stays). `*is_gone_out` as above, also with EC_NOT_FOUND. `row` may refuse.
enum ec table_find_row(struct table *t, const struct table_find *find, table_row_fn row, void *ctx,
                       bool *is_gone_out);

// --- Categories ---
// `category`: PidTagInstID of a header row. EC_NOT_FOUND; EC_NOT_COLLAPSED, EC_NOT_EXPANDED.
// Gives up to `max` of the rows that came to sight; `*count_out`: how many came in all.
enum ec table_expand(struct table *t, uint64_t category, unsigned max, table_row_fn row, void *ctx,
                     unsigned *n_out, uint32_t *count_out);
enum ec table_collapse(struct table *t, uint64_t category, uint32_t *count_out);
// What is expanded, and the row with this PidTagInstID and PidTagInstanceNum, as bytes
// (g_byte_array_unref). EC_TOO_COMPLEX: more than TABLE_COLLAPSE_STATE_MAX.
enum ec table_get_collapse_state(struct table *t, uint64_t row, uint32_t instance,
                                 GByteArray **out);
// Moves the position to the row of the state and makes a bookmark of it. EC_FORMAT_ERROR: the bytes
// are no such state; EC_INVALID_PARAMETER: the state of another grouping.
enum ec table_set_collapse_state(struct table *t, const void *state, size_t len,
                                 uint8_t bookmark_out[TABLE_BOOKMARK_SIZE]);

// --- Events ([MS-OXCNOTIF] 2.2.1.1.1) ---
enum table_event_kind {
    TABLE_CHANGED = 0x01, // read it again
    TABLE_ROW_ADDED = 0x03,
    TABLE_ROW_DELETED = 0x04,
    TABLE_ROW_MODIFIED = 0x05, // changed, moved or both
    TABLE_RESTRICTION_CHANGED = 0x07,
};
struct table_row {
    uint64_t id; // PidTagInstID: of messages and folders the eight bytes of their id
    uint32_t instance;
    bool is_header;
};
struct table_event {
    enum table_event_kind kind;
    struct table_row row;
    bool is_first;                          // else it stands behind `before`
    struct table_row before;                // added, modified
    const struct prop_value *const *values; // added, modified, when columns are set; else NULL
};
// Tells what became of the rows since the last call, first what is gone, then the others in the
// order of the table. There are events from the first operation on rows on (query, seek, find, ...)
// until a reset. What the client did itself by sorting, restricting, expanding and collapsing is
// no event.
enum ec table_events(struct table *t, void (*event)(void *ctx, const struct table_event *event),
                     void *ctx);
