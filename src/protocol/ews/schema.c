// Questions about the schema's tables: finding types, the order of their elements, versions.
#include "protocol/ews/schema.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/ews/schema_internal.h"

#define BASES_MAX 16 // types that extend one another

static int compare_names(const void *key, const void *entry) {
    return strcmp(key, ((const struct ews_schema_name *)entry)->name);
}

const struct ews_schema_node *ews_schema_find(const char *name) {
    const struct ews_schema_name *found =
        bsearch(name, ews_schema_names, ews_schema_n_names, sizeof *found, compare_names);
    return found ? &ews_schema_nodes[found->node] : NULL;
}

const struct ews_schema_node *ews_schema_end(const struct ews_schema_node *node) {
    const struct ews_schema_node *end = ews_schema_nodes + ews_schema_n_nodes, *n = node + 1;
    while (n < end && n->depth > node->depth)
        n++;
    return n;
}

// --- The elements of a type ---

// The search for an element in a type and those it extends; `place` counts.
struct search {
    const char *element;
    int place;
    const struct ews_schema_node *found;
};

static void search_particle(struct search *s, const struct ews_schema_node *n, bool counts);

static void search_inside(struct search *s, const struct ews_schema_node *n, bool counts) {
    const struct ews_schema_node *end = ews_schema_end(n);
    for (n++; n < end && !s->found; n = ews_schema_end(n))
        search_particle(s, n, counts);
}

// Elements that may stand for an abstract one.
static void search_head(struct search *s, const char *head) {
    for (unsigned i = 0; i < ews_schema_n_names && !s->found; i++) {
        const struct ews_schema_node *n = &ews_schema_nodes[ews_schema_names[i].node];
        if (n->kind == XS_ELEMENT && n->extra && strcmp(n->extra, head) == 0 &&
            strcmp(n->name, s->element) == 0)
            s->found = n;
    }
}

static void search_named(struct search *s, const char *mark, const char *name, bool counts) {
    char key[128];
    g_snprintf(key, sizeof key, "%.2s%s%s", name, mark, name + 2);
    const struct ews_schema_node *n = ews_schema_find(key);
    if (!n)
        return;
    if (n->kind == XS_GROUP)
        search_inside(s, n, counts);
    else if (strcmp(n->name, s->element) == 0)
        s->found = n;
    else
        search_head(s, name);
}

static void search_particle(struct search *s, const struct ews_schema_node *n, bool counts) {
    bool is_free = n->high != 1 || n->kind == XS_CHOICE || n->kind == XS_ALL;
    switch ((enum ews_schema_kind)n->kind) {
    case XS_ELEMENT:
        if (strcmp(n->name, s->element) == 0)
            s->found = n;
        break;
    case XS_REF:
        search_named(s, "<", n->type, false);
        break;
    case XS_GROUP_REF:
        search_named(s, "%", n->type, counts && !is_free);
        if (!is_free)
            return; // those inside have counted
        break;
    case XS_SEQUENCE:
    case XS_CHOICE:
    case XS_ALL:
        search_inside(s, n, counts && !is_free);
        if (!is_free)
            return; // those inside have counted
        break;
    default:
        return;
    }
    if (counts && !s->found)
        s->place++;
}

static const struct ews_schema_node *search_type(const char *type, const char *element,
                                                 int *place_out) {
    const struct ews_schema_node *chain[BASES_MAX];
    unsigned n = 0;
    for (const char *name = type; name && name[0] != 'x' && n < BASES_MAX; n++) {
        const struct ews_schema_node *node = ews_schema_find(name);
        if (!node || node->kind != XS_COMPLEX)
            break;
        chain[n] = node;
        name = node->flags & XS_RESTRICTS ? NULL : node->type;
    }
    struct search s = {.element = element};
    while (n > 0 && !s.found)
        search_inside(&s, chain[--n], true);
    if (place_out)
        *place_out = s.place;
    return s.found;
}

// --- Questions ---

int ews_schema_place(const char *type, const char *element) {
    int place;
    return search_type(type, element, &place) ? place : -1;
}

bool ews_schema_knows(const char *type, const char *element, enum ews_version version) {
    const struct ews_schema_node *n = search_type(type, element, NULL);
    return n && n->since <= version;
}

static int compare_operations(const void *key, const void *entry) {
    return strcmp(key, ((const struct ews_schema_operation *)entry)->name);
}

static const struct ews_schema_operation *find_operation(const char *name) {
    return bsearch(name, ews_schema_operations, ews_schema_n_operations,
                   sizeof ews_schema_operations[0], compare_operations);
}

bool ews_schema_operation_since(const char *operation, enum ews_version *out) {
    const struct ews_schema_operation *o = find_operation(operation);
    if (o)
        *out = o->since;
    return o;
}

const char *ews_schema_response(const char *operation) {
    const struct ews_schema_operation *o = find_operation(operation);
    return o ? o->response : NULL;
}

bool ews_schema_is_value(const char *type, const char *value) {
    const struct ews_schema_node *n = ews_schema_find(type);
    if (!n || n->kind != XS_SIMPLE)
        return false;
    const struct ews_schema_node *end = ews_schema_end(n);
    for (n++; n < end; n++)
        if (n->kind == XS_VALUE && strcmp(n->name, value) == 0)
            return true;
    return false;
}
