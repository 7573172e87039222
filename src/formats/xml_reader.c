// The tree, built by libxml2's events. What is not allowed stops its parser at once.
#include "formats/xml_reader.h"

#include <libxml/parser.h>
#include <string.h>

#define CHUNK (32 * 1024)

struct level {
    struct xml_node *node, *last; // and its newest child
    GString *text;
};

struct reader {
    struct arena *arena;
    const struct xml_limits *limits;
    xmlParserCtxt *parser;
    struct xml_node *root;
    struct level levels[XML_DEPTH_MAX];
    unsigned depth, nodes;
    enum ec ec;
};

static void stop(struct reader *r, enum ec ec) {
    if (r->ec == EC_OK)
        r->ec = ec;
    xmlStopParser(r->parser);
}

static const struct xml_attribute *read_attributes(struct reader *r, int n, const xmlChar **all) {
    struct xml_attribute *first = NULL;
    // libxml2 gives five pointers each: name, prefix, namespace, start and end of the value.
    for (int i = n - 1; i >= 0; i--) {
        const xmlChar **a = all + 5 * i;
        struct xml_attribute *attribute = arena_alloc0(r->arena, sizeof *attribute);
        attribute->name = arena_strdup(r->arena, (const char *)a[0]);
        attribute->value = arena_strndup(r->arena, (const char *)a[3],
                                         (size_t)((const char *)a[4] - (const char *)a[3]));
        attribute->next = first;
        first = attribute;
    }
    return first;
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes) {
    (void)prefix, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    struct reader *r = data;
    if (r->ec != EC_OK)
        return;
    r->nodes += 1 + (unsigned)n_attributes;
    if (r->depth >= MIN(r->limits->depth, XML_DEPTH_MAX) || r->nodes > r->limits->nodes) {
        stop(r, EC_TOO_COMPLEX);
        return;
    }
    struct xml_node *node = arena_alloc0(r->arena, sizeof *node);
    node->name = arena_strdup(r->arena, (const char *)name);
    node->uri = uri != NULL ? arena_strdup(r->arena, (const char *)uri) : "";
    node->text = "";
    node->attributes = read_attributes(r, n_attributes, attributes);
    if (r->depth == 0) {
        r->root = node;
    } else {
        struct level *up = &r->levels[r->depth - 1];
        *(up->last != NULL ? &up->last->next : &up->node->child) = node;
        up->last = node;
    }
    r->levels[r->depth++] = (struct level){.node = node};
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    (void)name, (void)prefix, (void)uri;
    struct reader *r = data;
    if (r->ec != EC_OK || r->depth == 0)
        return;
    struct level *level = &r->levels[--r->depth];
    if (level->text == NULL)
        return;
    char *text = g_strstrip(level->text->str);
    level->node->text = *text != '\0' ? arena_strdup(r->arena, text) : "";
    g_string_free(level->text, TRUE);
    level->text = NULL;
}

static void on_text(void *data, const xmlChar *text, int len) {
    struct reader *r = data;
    if (r->ec != EC_OK || r->depth == 0)
        return;
    struct level *level = &r->levels[r->depth - 1];
    if (level->text == NULL)
        level->text = g_string_new(NULL);
    g_string_append_len(level->text, (const char *)text, len);
}

static void on_dtd(void *data, const xmlChar *name, const xmlChar *external,
                   const xmlChar *system) {
    (void)name, (void)external, (void)system;
    stop(data, EC_FORMAT_ERROR);
}

static void on_error(void *data, xmlErrorPtr error) {
    struct reader *r = data;
    if (error->level >= XML_ERR_ERROR)
        stop(r, EC_FORMAT_ERROR);
}

static void feed(struct reader *r, const char *data, size_t len) {
    for (size_t at = 0; at < len && r->ec == EC_OK; at += CHUNK)
        xmlParseChunk(r->parser, data + at, (int)MIN(len - at, CHUNK), 0);
    if (r->ec == EC_OK)
        xmlParseChunk(r->parser, NULL, 0, 1);
    if (r->ec == EC_OK && (!r->parser->wellFormed || r->root == NULL || r->depth > 0))
        r->ec = EC_FORMAT_ERROR;
}

enum ec xml_read(struct arena *arena, const void *data, size_t len, const struct xml_limits *limits,
                 struct xml_node **out) {
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .cdataBlock = on_text,
                         .internalSubset = on_dtd,
                         .serror = (xmlStructuredErrorFunc)on_error};
    struct reader r = {.arena = arena, .limits = limits};
    if (len > limits->bytes)
        return EC_TOO_COMPLEX;
    xmlInitParser();
    r.parser = xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL);
    if (r.parser == NULL)
        return EC_NO_MEMORY;
    xmlCtxtUseOptions(r.parser, XML_PARSE_NOENT | XML_PARSE_NONET);
    feed(&r, data, len);
    xmlFreeParserCtxt(r.parser);
    for (unsigned i = 0; i < XML_DEPTH_MAX; i++)
        if (r.levels[i].text != NULL)
            g_string_free(r.levels[i].text, TRUE);
    if (r.ec == EC_OK)
        *out = r.root;
    return r.ec;
}

// --- Looking at it ---

static struct xml_node *find(struct xml_node *from, const char *name, size_t len) {
    while (from != NULL && (strncmp(from->name, name, len) != 0 || from->name[len] != '\0'))
        from = from->next;
    return from;
}

struct xml_node *xml_child(const struct xml_node *node, const char *path) {
    struct xml_node *found = NULL;
    while (node != NULL) {
        size_t len = strcspn(path, "/");
        node = found = find(node->child, path, len);
        if (path[len] == '\0')
            break;
        path += len + 1;
    }
    return found;
}

struct xml_node *xml_next(const struct xml_node *node) {
    return find(node->next, node->name, strlen(node->name));
}

const char *xml_child_text(const struct xml_node *node, const char *path) {
    const struct xml_node *child = xml_child(node, path);
    return child != NULL ? child->text : "";
}

const char *xml_attribute(const struct xml_node *node, const char *name) {
    for (const struct xml_attribute *a = node->attributes; a != NULL; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a->value;
    return NULL;
}

// --- Writing ---

// [XML] 2.2.
static bool is_char(gunichar c) {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xD800) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

void xml_add_text(GString *out, const char *text) {
    while (*text != '\0') {
        gunichar c = g_utf8_get_char_validated(text, -1);
        bool is_valid = c != (gunichar)-1 && c != (gunichar)-2;
        switch (c) {
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        case '\r':
            g_string_append(out, "&#13;");
            break;
        default:
            g_string_append_unichar(out, is_valid && is_char(c) ? c : 0xFFFD);
        }
        text = is_valid ? g_utf8_next_char(text) : text + 1;
    }
}

void xml_add_element(GString *out, const char *name, const char *text) {
    if (text == NULL)
        return;
    g_string_append_printf(out, "<%s>", name);
    xml_add_text(out, text);
    g_string_append_printf(out, "</%s>", name);
}
