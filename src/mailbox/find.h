// Finding in one folder: its items sorted, filtered, grouped and paged, with their properties
// ([MS-OXWSSRCH] FindItem; what web mail and ActiveSync list with).
//
// A `struct mailbox_found` is one snapshot and one read transaction: every row and value of an
// answer is of the same moment. It belongs to one thread and is closed within the request.
#pragma once

#include "mailbox/mailbox.h"
#include "mapi/sort_order.h"

enum mailbox_find_kind {
    FIND_NORMAL,
    FIND_ASSOCIATED,
    FIND_SOFT_DELETED,
    FIND_CONVERSATIONS, // the newest message of each
};
struct mailbox_find {
    uint64_t fid;
    enum mailbox_find_kind kind;
    const struct sort_order *sort;         // NULL: by delivery time, newest first
    const struct restriction *restriction; // NULL: everything
    const struct search_node *query;       // NULL: none; only with FIND_NORMAL
};

struct mailbox_found;
// Needs RIGHTS_READ_ANY. EC_NOT_FOUND, EC_ACCESS_DENIED, EC_TOO_COMPLEX.
enum ec mailbox_find_open(struct mailbox *m, const struct mailbox_find *find,
                          struct mailbox_found **out);
void mailbox_found_close(struct mailbox_found *f); // accepts NULL
uint32_t mailbox_found_count(const struct mailbox_found *f);
uint64_t mailbox_found_mid(const struct mailbox_found *f, uint32_t i);
bool mailbox_found_find(const struct mailbox_found *f, uint64_t mid, uint32_t *i_out);
// Values of row `i`, as those of tables: NULL absent; strings longer than `max_bytes` are cut.
enum ec mailbox_found_values(struct mailbox_found *f, struct arena *arena, uint32_t i,
                             const proptag_t *tags, unsigned n, size_t max_bytes,
                             const struct prop_value **values);
// The first row (is_backward: the last) that matches; the count when there is none.
enum ec mailbox_found_seek(struct mailbox_found *f, const struct restriction *restriction,
                           bool is_backward, uint32_t *i_out);
// The index after the last row of the group that row `i` is in, by the first column of the order.
uint32_t mailbox_found_group_end(const struct mailbox_found *f, uint32_t i);
// The first row whose first column is not before the value.
uint32_t mailbox_found_lower_bound(const struct mailbox_found *f, const struct prop_value *v);
uint32_t mailbox_found_unread(const struct mailbox_found *f, uint32_t from, uint32_t to);

// Values of any message of the folder, in the same transaction (tags as above). EC_NOT_FOUND.
struct mailbox_item_reader;
enum ec mailbox_item_reader_open(struct mailbox *m, uint64_t fid, struct mailbox_item_reader **out);
void mailbox_item_reader_close(struct mailbox_item_reader *r); // accepts NULL
enum ec mailbox_item_values(struct mailbox_item_reader *r, struct arena *arena, uint64_t mid,
                            const proptag_t *tags, unsigned n, size_t max_bytes,
                            const struct prop_value **values);
