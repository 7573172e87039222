// XML from strangers as a small tree: no DTD and so no entities but the five, no network, and
// limits on size, depth and number of elements. For requests of a few hundred KiB at most.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/result.h"

struct xml_attribute {
    const char *name, *value;
    const struct xml_attribute *next;
};

struct xml_node {
    const char *uri;  // the namespace; "": none
    const char *name; // without prefix
    const char *text; // its own, without that of elements in it and without blanks around; ""
    const struct xml_attribute *attributes;
    struct xml_node *child, *next;
};

struct xml_limits {
    size_t bytes;
    unsigned depth; // at most XML_DEPTH_MAX
    unsigned nodes; // elements and attributes
};
#define XML_DEPTH_MAX 64

// The root. Everything is in the arena. EC_FORMAT_ERROR (not well-formed, a DTD), EC_TOO_COMPLEX
// (beyond a limit).
enum ec xml_read(struct arena *arena, const void *data, size_t len, const struct xml_limits *limits,
                 struct xml_node **out);

// The first child of this name in any namespace, by a path ("Body/Request"). NULL: none; a NULL
// node has none.
struct xml_node *xml_child(const struct xml_node *node, const char *path);
// The next sibling of the same name; NULL: none.
struct xml_node *xml_next(const struct xml_node *node);
// "" without such a child.
const char *xml_child_text(const struct xml_node *node, const char *path);
const char *xml_attribute(const struct xml_node *node, const char *name); // NULL: none

// --- Writing ---

// Text with what has a meaning in XML replaced; what XML cannot hold (control characters, invalid
// UTF-8) becomes U+FFFD.
void xml_add_text(GString *out, const char *text);
// <name>text</name>; NULL: nothing.
void xml_add_element(GString *out, const char *name, const char *text);
