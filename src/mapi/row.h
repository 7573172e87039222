// Property rows: values of known columns without their tags ([MS-OXCDATA] 2.8.1), and arrays of
// tags.
#pragma once

#include "mapi/prop_wire.h"

#define ROW_MAX_COLUMNS 4096

// Columns of a row or table. Types may be PT_UNSPECIFIED, PT_STRING8 and multi-value instances
// (PT_MV | 0x2000), whose rows carry one of the values.
struct columns {
    unsigned n;
    const proptag_t *tags;
};

// A count of two bytes and tags. `n` 0 after an error.
struct columns columns_read(struct wire_reader *r, struct arena *arena);
void columns_put(struct wire_writer *w, const struct columns *columns);

// The type a column's value has in the program.
uint16_t column_value_type(proptag_t column);

// Writes a row: a StandardPropertyRow when every value is there, otherwise a FlaggedPropertyRow.
// values[i]: the i-th column's value; NULL is written as the error EC_NOT_FOUND, PT_ERROR values as
// their error, a type that the column does not have as EC_UNEXPECTED_TYPE.
void row_put(struct wire_writer *w, const struct prop_wire *form, const struct columns *columns,
             const struct prop_value *const *values);

// Reads a row of either kind into columns->n values, absent ones with the type PT_NULL. NULL after
// an error. In the arena.
struct prop_value *row_read(struct wire_reader *r, const struct prop_wire *form,
                            struct arena *arena, const struct columns *columns);
