// Made by tools/ews_schema.py from schema.txt; change that instead.
// clang-format off
// The messages and types of EWS in document order, each node with its depth, and the operations.
#include "protocol/ews/schema_internal.h"

#include <stddef.h>

const struct ews_schema_node ews_schema_nodes[] = {
};
const unsigned ews_schema_n_nodes = 0;

// By name: types, "<" elements, "%" groups, "@" sets of attributes.
const struct ews_schema_name ews_schema_names[] = {
};
const unsigned ews_schema_n_names = 0;

const struct ews_schema_operation ews_schema_operations[] = {
};
const unsigned ews_schema_n_operations = 0;
