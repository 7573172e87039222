// The tables of the EWS schema: schema_table.c, made in the build, holds them; schema.c and
// schema_document.c read them.
#pragma once

#include <stdint.h>

#include "protocol/ews/schema.h"

enum ews_schema_kind {
    XS_NAMESPACE, // name: its prefix
    XS_COMPLEX,   // name (NULL: of the element above), type: base
    XS_SIMPLE,    // name (NULL: of the element above), type: base, or NULL when it is below
    XS_ELEMENT,   // name, type (NULL: below); extra: default, or the head it may stand for
    XS_REF,       // type: the global element
    XS_GROUP,     // name
    XS_GROUP_REF, // type: the group
    XS_SEQUENCE,
    XS_CHOICE,
    XS_ALL,
    XS_ANY,            // name: how it is processed, type: namespaces
    XS_ATTRIBUTE,      // name, type (NULL: below); extra: default
    XS_ATTRIBUTES,     // name: a set of attributes
    XS_ATTRIBUTES_REF, // type: the set
    XS_ANY_ATTRIBUTE,  // type: namespaces
    XS_VALUE,          // name: of an enumeration
    XS_FACET,          // name, extra: its value
};
enum ews_schema_flag {
    XS_REQUIRED = 1,  // attribute
    XS_NILLABLE = 2,  // element
    XS_ABSTRACT = 4,  // type, element
    XS_RESTRICTS = 8, // the base, instead of extending it
    XS_TEXT = 16,     // text with attributes
    XS_LIST = 32,     // simple type: a list of values of its base
    XS_UNION = 64,
};

struct ews_schema_node {
    uint8_t kind;      // enum ews_schema_kind
    uint8_t depth;     // those that follow with a greater one are inside
    uint8_t since;     // enum ews_version
    uint8_t flags;     // enum ews_schema_flag
    int16_t low, high; // how often; -1: any number
    const char *name, *type, *extra;
};
extern const struct ews_schema_node ews_schema_nodes[];
extern const unsigned ews_schema_n_nodes;

struct ews_schema_name {
    const char *name;
    uint32_t node; // index
};
extern const struct ews_schema_name ews_schema_names[]; // sorted
extern const unsigned ews_schema_n_names;

enum ews_schema_header {
    EWS_HEADER_IMPERSONATION = 1,
    EWS_HEADER_CULTURE = 2,
    EWS_HEADER_VERSION = 4,
    EWS_HEADER_TIME_ZONE = 8,
    EWS_HEADER_PRECISION = 16,
    EWS_HEADER_ROLE = 32,
    EWS_HEADER_CONTEXT = 64,
};
struct ews_schema_operation {
    const char *name, *request, *response, *action; // request, response: elements
    uint8_t headers;                                // enum ews_schema_header
    uint8_t since;                                  // enum ews_version
};
extern const struct ews_schema_operation ews_schema_operations[]; // sorted by name
extern const unsigned ews_schema_n_operations;

// The node of a name as in ews_schema_names, with a mark before the name: "t:<Path". NULL: none.
const struct ews_schema_node *ews_schema_find(const char *name);
// The end of what is inside a node.
const struct ews_schema_node *ews_schema_end(const struct ews_schema_node *node);
