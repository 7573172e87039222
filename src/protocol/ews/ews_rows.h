// Rows of tables and changes as sources of items (FindItem, SyncFolderItems, conversations).
#pragma once

#include "mailbox/find.h"
#include "protocol/ews/ews_internal.h"

#define EWS_ROW_TEXT 2048 // bytes of a string in a row; longer ones are cut

// The properties that a shape reads from rows, and those that rows always need, ascending.
struct ews_columns {
    struct ews_mailbox *mailbox;
    const struct ews_shape *shape;
    proptag_t *tags; // in the call's arena
    unsigned n;
    const struct prop_value **values; // of the row at hand, `n` of them
    uint32_t rights;
    uint64_t fid;
};
// `shape` NULL: only what rows always need.
enum ec ews_columns_init(struct ews_call *call, struct ews_mailbox *m, uint64_t fid,
                         const struct ews_shape *shape, struct ews_columns *out);
const struct prop_value *ews_columns_value(const struct ews_columns *c, proptag_t tag);
// The item whose values are at hand.
enum ec ews_columns_write(struct ews_call *call, struct ews_columns *c, uint64_t mid);
// Its class, change number and real folder, of the values.
struct ews_row_facts {
    enum ews_class class;
    uint64_t cn, fid;
};
struct ews_row_facts ews_columns_facts(const struct ews_columns *c);
