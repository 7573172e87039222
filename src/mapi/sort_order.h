// Sort orders of tables, with categories ([MS-OXCDATA] 2.13, [MS-OXCTABL] 2.2.2.3).
#pragma once

#include "base/wire.h"
#include "mapi/prop.h"

#define SORT_ORDER_MAX 32

enum sort_direction {
    SORT_ASCENDING = 0x00,
    SORT_DESCENDING = 0x01,
    SORT_MAXIMUM_CATEGORY =
        0x04, // orders the category before it by its largest value of this column
};

struct sort_column {
    proptag_t tag; // with is_instance the type of one value
    enum sort_direction direction;
    bool is_instance; // a multi-valued property whose rows appear once for each value
};

struct sort_order {
    unsigned n;
    unsigned n_categories; // the first n_categories columns group rows under header rows
    unsigned n_expanded;   // of which so many are expanded at first
    struct sort_column columns[SORT_ORDER_MAX];
};

// Reads a SortOrderSet. EC_FORMAT_ERROR; EC_INVALID_PARAMETER for counts that do not fit together,
// more than one multi-value instance, or a maximum that follows no category; EC_TOO_COMPLEX for
// more than SORT_ORDER_MAX columns.
enum ec sort_order_read(struct wire_reader *r, struct sort_order *out);
void sort_order_put(struct wire_writer *w, const struct sort_order *order);

// Orders two rows, whose values (NULL: absent) are in the order of the columns. Absent values come
// first when ascending.
int sort_order_compare(const struct sort_order *order, const struct prop_value *const *a,
                       const struct prop_value *const *b);
