// The generated tables behind the property catalogue (props.c).
#pragma once

#include "mapi/catalogue.h"

extern const struct catalogue_property catalogue_table[];
extern const unsigned catalogue_n_table;

// Positions in the table, sorted by: name; tag; set and number; set and string. Aliases of another
// named property are in the first alone.
extern const uint16_t catalogue_index_name[], catalogue_index_tag[], catalogue_index_address_book[],
    catalogue_index_lid[], catalogue_index_string[];
extern const unsigned catalogue_n_name, catalogue_n_tag, catalogue_n_address_book, catalogue_n_lid,
    catalogue_n_string;
