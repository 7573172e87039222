// Tables whose rows are few: a list of property rows, made anew when the mailbox changed.
#pragma once

#include "mapi/bag.h"
#include "store/table_internal.h"

struct list;
// Adds a row behind the others; the values are copied. Ids and instances must not repeat.
void list_add(struct list *list, struct row_key key, const struct prop_value *values, unsigned n);
struct arena *list_arena(struct list *list); // lives as long as the snapshot

// Makes a table's rows. What `fill` did not give of a row is asked of `more` (NULL: there is no
// more), which gives a bag (bag_free). `tx` is NULL when the source has no mailbox.
struct list_source_spec {
    enum ec (*fill)(void *ctx, struct mbox_tx *tx, struct list *list);
    enum ec (*more)(void *ctx, struct mbox_tx *tx, struct row_key key, struct bag **out);
    void (*free)(void *ctx); // NULL: nothing to do
    void *ctx;
    const proptag_t *columns;
    unsigned n_columns;
};
struct rows_source *list_source_new(struct mbox *mbox, const struct list_source_spec *spec);
