// Where the rows of a table come from: snapshots of ordered entries behind one interface, so that
// one engine serves contents (views) and the small tables (lists). Only table*.c include this.
#pragma once

#include "mapi/restriction.h"
#include "mapi/sort_order.h"
#include "store/store.h"

struct row_key {
    uint64_t id; // PidTagInstID
    uint32_t instance;
};

enum row_change { ROW_GONE, ROW_NEW, ROW_DIFFERENT };
typedef void (*row_change_fn)(void *ctx, enum row_change what, struct row_key key, uint32_t index);

struct rows;
struct rows_ops {
    void (*free)(struct rows *rows);
    struct row_key (*at)(const struct rows *rows, uint32_t i);
    bool (*find)(const struct rows *rows, struct row_key key, uint32_t *i_out);
    // As view_lower_bound, view_group_end, view_unread. Not asked of rows without an order.
    uint32_t (*lower_bound)(const struct rows *rows, const struct prop_value *const *values,
                            unsigned n);
    uint32_t (*group_end)(const struct rows *rows, unsigned level, uint32_t i);
    uint32_t (*unread)(const struct rows *rows, uint32_t from, uint32_t to);
    // As view_values. Multi-value instances are asked for by the type of one value.
    enum ec (*values)(const struct rows *rows, struct mbox_tx *tx, struct arena *arena, uint32_t i,
                      const proptag_t *tags, unsigned n, size_t max_bytes,
                      const struct prop_value **values);
    enum ec (*matches)(const struct rows *rows, struct mbox_tx *tx, uint32_t i,
                       const struct restriction *restriction, bool *out);
    // As view_diff.
    bool (*diff)(const struct rows *from, const struct rows *to, unsigned limit, row_change_fn fn,
                 void *ctx);
};

// A snapshot. It stays within one handle, so that its count needs no atomics.
struct rows {
    const struct rows_ops *ops;
    unsigned refs;
    uint32_t n;
};

static inline struct rows *rows_ref(struct rows *rows) {
    if (rows)
        rows->refs++;
    return rows;
}
static inline void rows_unref(struct rows *rows) {
    if (rows && --rows->refs == 0)
        rows->ops->free(rows);
}

struct rows_source;
struct source_ops {
    void (*free)(struct rows_source *source);
    // The newest snapshot. `old`: one of the same order and restriction, which is returned
    // (referenced) when nothing changed; or NULL. `order` NULL: the default.
    enum ec (*get)(struct rows_source *source, const struct sort_order *order,
                   const struct restriction *restriction, struct rows *old, struct rows **out);
};
struct rows_source {
    const struct source_ops *ops;
    struct mbox *mbox; // referenced; NULL: needs none
    const proptag_t *columns;
    unsigned n_columns;
};
