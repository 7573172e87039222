// The request as a tree: libxml2's streaming reader under our own limits.
//
// Nothing of a DTD is taken, so there are no entities to expand and nothing to fetch; the reader
// itself never recurses, and depth and number of elements are limited here.
#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <string.h>

#include "protocol/ews/ews_internal.h"

#define CHUNK (64u * 1024)

struct level {
    struct ews_node *node, *last; // and its newest child
    GString *text;                // NULL: none yet
};

struct reader {
    struct arena *arena;
    xmlParserCtxt *parser;
    struct ews_node *root;
    struct level levels[EWS_MAX_DEPTH];
    unsigned depth, n_nodes;
    enum ec ec;
    const char *error;
};

static void fail(struct reader *r, enum ec ec, const char *error) {
    if (r->ec != EC_OK)
        return;
    r->ec = ec;
    r->error = error;
    if (r->parser)
        xmlStopParser(r->parser);
}

static enum ews_ns namespace_of(const char *uri) {
    static const struct {
        const char *uri;
        enum ews_ns ns;
    } known[] = {
        {"http://schemas.microsoft.com/exchange/services/2006/types", EWS_NS_TYPES},
        {"http://schemas.microsoft.com/exchange/services/2006/messages", EWS_NS_MESSAGES},
        {"http://schemas.xmlsoap.org/soap/envelope/", EWS_NS_SOAP},
    };
    for (unsigned i = 0; uri && i < G_N_ELEMENTS(known); i++)
        if (strcmp(uri, known[i].uri) == 0)
            return known[i].ns;
    return EWS_NS_OTHER;
}

static const struct ews_attribute *read_attributes(struct reader *r, int n, const xmlChar **all) {
    struct ews_attribute *first = NULL, **end = &first;
    r->n_nodes += (unsigned)n;
    for (int i = 0; i < n; i++, all += 5) {
        struct ews_attribute *a = arena_alloc0(r->arena, sizeof *a);
        a->name = arena_strdup(r->arena, (const char *)all[0]);
        a->value = arena_strndup(r->arena, (const char *)all[3], (size_t)(all[4] - all[3]));
        *end = a;
        end = (struct ews_attribute **)&a->next;
    }
    return first;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes) {
    struct reader *r = ctx;
    (void)prefix, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
    if (r->ec != EC_OK)
        return;
    if (r->depth == EWS_MAX_DEPTH) {
        fail(r, EC_TOO_COMPLEX, "The request has too many levels of elements.");
        return;
    }
    if (++r->n_nodes > EWS_MAX_NODES || n_attributes > EWS_MAX_DEPTH) {
        fail(r, EC_TOO_COMPLEX, "The request has too many elements.");
        return;
    }
    struct ews_node *node = arena_alloc0(r->arena, sizeof *node);
    node->ns = namespace_of((const char *)uri);
    node->name = arena_strdup(r->arena, (const char *)name);
    node->text = "";
    node->attributes = read_attributes(r, n_attributes, attributes);
    node->line = (uint32_t)MAX(xmlSAX2GetLineNumber(r->parser), 0);
    if (r->depth > 0) {
        struct level *up = &r->levels[r->depth - 1];
        node->parent = up->node;
        if (up->last)
            up->last->next = node;
        else
            up->node->child = node;
        up->last = node;
    } else {
        r->root = node;
    }
    struct level *level = &r->levels[r->depth++];
    level->node = node;
    level->last = NULL;
    if (level->text)
        g_string_truncate(level->text, 0);
}

static bool is_blank(const GString *text) {
    return strspn(text->str, " \t\r\n") == text->len;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    struct reader *r = ctx;
    (void)name, (void)prefix, (void)uri;
    if (r->ec != EC_OK || r->depth == 0)
        return;
    struct level *level = &r->levels[--r->depth];
    GString *text = level->text;
    if (!text || text->len == 0 || (level->node->child && is_blank(text)))
        return;
    level->node->text = arena_strndup(r->arena, text->str, text->len);
    level->node->text_len = text->len;
    if (text->allocated_len > CHUNK) {
        g_string_free(text, TRUE);
        level->text = NULL;
    }
}

static void on_text(void *ctx, const xmlChar *text, int len) {
    struct reader *r = ctx;
    if (r->ec != EC_OK || r->depth == 0 || len <= 0)
        return;
    struct level *level = &r->levels[r->depth - 1];
    if (!level->text)
        level->text = g_string_new(NULL);
    g_string_append_len(level->text, (const char *)text, len);
}

static void on_dtd(void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system) {
    (void)name, (void)external, (void)system;
    fail(ctx, EC_FORMAT_ERROR, "A document type declaration is not allowed.");
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data) {
    (void)target, (void)data;
    fail(ctx, EC_FORMAT_ERROR, "A processing instruction is not allowed.");
}

static void on_error(void *ctx, xmlError *error) {
    struct reader *r = ctx;
    if (error->level < XML_ERR_ERROR || r->ec != EC_OK)
        return;
    g_autofree char *message = g_strstrip(g_strdup(error->message ? error->message : ""));
    fail(r, EC_FORMAT_ERROR,
         arena_printf(r->arena, "The request is not well-formed XML: %s (line %d).", message,
                      error->line));
}

static void feed(struct reader *r, const char *data, size_t len) {
    for (size_t at = 0; at < len && r->ec == EC_OK;) {
        size_t n = MIN(len - at, CHUNK);
        xmlParseChunk(r->parser, data + at, (int)n, 0);
        at += n;
    }
    if (r->ec == EC_OK)
        xmlParseChunk(r->parser, NULL, 0, 1);
    if (r->ec == EC_OK && (!r->parser->wellFormed || !r->root || r->depth > 0))
        fail(r, EC_FORMAT_ERROR, "The request is not well-formed XML.");
}

enum ec ews_node_parse(struct arena *arena, const void *data, size_t len, struct ews_node **out,
                       const char **error_out) {
    struct reader r = {.arena = arena};
    xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
                         .startElementNs = on_start,
                         .endElementNs = on_end,
                         .characters = on_text,
                         .ignorableWhitespace = on_text,
                         .cdataBlock = on_text,
                         .internalSubset = on_dtd,
                         .processingInstruction = on_instruction,
                         .serror = (xmlStructuredErrorFunc)on_error};
    xmlInitParser();
    r.parser = len > EWS_MAX_BODY ? NULL : xmlCreatePushParserCtxt(&sax, &r, NULL, 0, NULL);
    if (r.parser) {
        // Predefined entities are undone also in attributes; HUGE only lifts limits that are
        // lower than ours on texts.
        xmlCtxtUseOptions(r.parser, XML_PARSE_NOENT | XML_PARSE_NONET | XML_PARSE_HUGE);
        feed(&r, data, len);
        xmlFreeParserCtxt(r.parser);
    } else {
        r.ec = EC_TOO_COMPLEX;
        r.error = "The request is too large.";
    }
    for (unsigned i = 0; i < EWS_MAX_DEPTH; i++)
        if (r.levels[i].text)
            g_string_free(r.levels[i].text, TRUE);
    if (error_out)
        *error_out = r.error;
    if (r.ec == EC_OK)
        *out = r.root;
    return r.ec;
}

// --- Looking at it ---

static bool matches(const struct ews_node *node, const char *name, size_t len) {
    return node->ns != EWS_NS_OTHER && strncmp(node->name, name, len) == 0 &&
           node->name[len] == '\0';
}

struct ews_node *ews_child(const struct ews_node *node, const char *path) {
    struct ews_node *found = NULL;
    while (node) {
        size_t len = strcspn(path, "/");
        for (found = node->child; found && !matches(found, path, len); found = found->next)
            continue;
        if (path[len] == '\0')
            break;
        path += len + 1;
        node = found;
    }
    return node ? found : NULL;
}

struct ews_node *ews_next(const struct ews_node *node) {
    struct ews_node *next = node->next;
    while (next && !matches(next, node->name, strlen(node->name)))
        next = next->next;
    return next;
}

bool ews_is(const struct ews_node *node, const char *name) {
    return node && matches(node, name, strlen(name));
}

unsigned ews_count(const struct ews_node *node) {
    unsigned n = 0;
    for (const struct ews_node *c = node ? node->child : NULL; c; c = c->next)
        n++;
    return n;
}

const char *ews_attribute(const struct ews_node *node, const char *name) {
    for (const struct ews_attribute *a = node ? node->attributes : NULL; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a->value;
    return NULL;
}

const char *ews_text(struct arena *arena, const struct ews_node *node) {
    if (!node)
        return NULL;
    const char *start = node->text + strspn(node->text, " \t\r\n");
    size_t len = strlen(start);
    while (len > 0 && strchr(" \t\r\n", start[len - 1]))
        len--;
    return start[len] == '\0' ? start : arena_strndup(arena, start, len);
}

const char *ews_child_text(struct arena *arena, const struct ews_node *node, const char *path) {
    return ews_text(arena, ews_child(node, path));
}

bool ews_parse_bool(const char *text, bool *out) {
    if (!text)
        return false;
    text += strspn(text, " \t\r\n");
    bool is_true = g_str_has_prefix(text, "true") || *text == '1';
    bool is_false = g_str_has_prefix(text, "false") || *text == '0';
    const char *rest = text + (*text == 't' ? 4 : *text == 'f' ? 5 : 1);
    if ((!is_true && !is_false) || rest[strspn(rest, " \t\r\n")] != '\0')
        return false;
    *out = is_true;
    return true;
}

bool ews_parse_int(const char *text, int64_t *out) {
    if (!text)
        return false;
    text += strspn(text, " \t\r\n");
    char *end;
    errno = 0;
    gint64 value = g_ascii_strtoll(text, &end, 10);
    if (end == text || end[strspn(end, " \t\r\n")] != '\0' ||
        ((value == G_MAXINT64 || value == G_MININT64) && errno == ERANGE))
        return false;
    *out = value;
    return true;
}

bool ews_node_bool(const struct ews_node *node, bool def) {
    bool value;
    return node && ews_parse_bool(node->text, &value) ? value : def;
}

bool ews_child_bool(const struct ews_node *node, const char *path, bool def) {
    return ews_node_bool(ews_child(node, path), def);
}

int64_t ews_node_int(const struct ews_node *node, int64_t def) {
    int64_t value;
    return node && ews_parse_int(node->text, &value) ? value : def;
}

int64_t ews_child_int(const struct ews_node *node, const char *path, int64_t def) {
    return ews_node_int(ews_child(node, path), def);
}

static int base64_digit(unsigned char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum ec ews_node_base64(struct arena *arena, const struct ews_node *node, struct prop_bin *out) {
    const char *s = node ? node->text : "";
    size_t len = node ? node->text_len : 0, n = 0;
    uint8_t *data = arena_alloc(arena, len / 4 * 3 + 3);
    uint32_t bits = 0;
    unsigned n_digits = 0, n_padding = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        int digit = base64_digit(c);
        if (c == '=' ? ++n_padding > 2 : (digit < 0 || n_padding > 0))
            return EC_FORMAT_ERROR;
        if (c == '=')
            continue;
        bits = bits << 6 | (uint32_t)digit;
        if (++n_digits % 4 == 0) {
            data[n++] = (uint8_t)(bits >> 16);
            data[n++] = (uint8_t)(bits >> 8);
            data[n++] = (uint8_t)bits;
        }
    }
    unsigned rest = n_digits % 4;
    if (rest == 1 || (rest && n_padding != 4 - rest) || (!rest && n_padding))
        return EC_FORMAT_ERROR;
    if (rest >= 2)
        data[n++] = (uint8_t)(bits >> (rest == 2 ? 4 : 10));
    if (rest == 3)
        data[n++] = (uint8_t)(bits >> 2);
    *out = (struct prop_bin){(uint32_t)n, data};
    return EC_OK;
}
