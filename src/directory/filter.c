// Search filters, read into a tree and evaluated on directory objects.
//
// They come from administrators, and once there is an LDAP server from anybody: reading is bounded
// in depth and size, and evaluation is linear in the tree.
#include "directory/filter.h"

#include <string.h>

#include "base/text.h"
#include "directory/limits.h"

enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_PRESENT,
    NODE_PATTERN,
    NODE_AT_LEAST,
    NODE_AT_MOST
};

enum attribute_kind { TEXT, ADDRESSES, KIND, NUMBER, FLAG };

struct attribute {
    const char *name; // folded
    enum attribute_kind kind;
    size_t offset; // in struct directory_object
};

#define FIELD(name) offsetof(struct directory_object, name)
static const struct attribute attributes[] = {
    {"capacity", NUMBER, FIELD(capacity)},
    {"cn", TEXT, FIELD(display_name)},
    {"company", TEXT, FIELD(company)},
    {"department", TEXT, FIELD(department)},
    {"disabled", FLAG, FIELD(is_disabled)},
    {"displayname", TEXT, FIELD(display_name)},
    {"givenname", TEXT, FIELD(given_name)},
    {"hidden", FLAG, FIELD(is_hidden)},
    {"info", TEXT, FIELD(notes)},
    {"initials", TEXT, FIELD(initials)},
    {"kind", KIND, FIELD(kind)},
    {"locale", TEXT, FIELD(locale)},
    {"mail", TEXT, FIELD(address)},
    {"mobile", TEXT, FIELD(mobile)},
    {"notes", TEXT, FIELD(notes)},
    {"office", TEXT, FIELD(office)},
    {"phone", TEXT, FIELD(phone)},
    {"physicaldeliveryofficename", TEXT, FIELD(office)},
    {"proxyaddresses", ADDRESSES, 0},
    {"quota", NUMBER, FIELD(quota)},
    {"sn", TEXT, FIELD(surname)},
    {"surname", TEXT, FIELD(surname)},
    {"telephonenumber", TEXT, FIELD(phone)},
    {"title", TEXT, FIELD(title)},
};

static const char *const kind_names[] = {"user",  "shared",  "room",   "equipment",
                                         "group", "dynamic", "contact"};

struct filter {
    enum node_kind kind;
    const struct attribute *attribute;
    const char *const *parts;          // pattern: folded pieces between the stars; at least one
    unsigned n_parts;                  // 1: equality
    uint64_t number;                   // of a number's value
    const struct filter *first, *next; // operands of & | !, and the next operand of the parent
    bool needs_addresses;              // here or below
};

struct parser {
    struct arena *arena;
    const char *start, *at;
    unsigned depth, nodes;
};

// --- Reading ---

static enum ec parse_filter(struct parser *p, struct filter **out);

static void skip_space(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r')
        p->at++;
}

static enum ec parse_operands(struct parser *p, struct filter *node) {
    const struct filter **link = &node->first;
    unsigned n = 0;
    for (skip_space(p); *p->at == '('; skip_space(p), n++) {
        struct filter *operand;
        EC_TRY(parse_filter(p, &operand));
        node->needs_addresses |= operand->needs_addresses;
        *link = operand;
        link = &operand->next;
    }
    // (&) and (|) are the absolute true and false filters of RFC 4526.
    return node->kind == NODE_NOT && n != 1 ? EC_INVALID_PARAMETER : EC_OK;
}

static const struct attribute *parse_attribute(struct parser *p) {
    char name[64];
    size_t n = 0;
    while (g_ascii_isalnum(*p->at) && n < sizeof name - 1)
        name[n++] = g_ascii_tolower(*p->at++);
    name[n] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (strcmp(attributes[i].name, name) == 0)
            return &attributes[i];
    return NULL;
}

// One piece of a value up to a star or the closing parenthesis, with \xx undone, folded.
static enum ec parse_piece(struct parser *p, const char **out) {
    size_t max = strcspn(p->at, "*()"), n = 0;
    char *piece = arena_alloc(p->arena, max + 1);
    for (const char *end = p->at + max; p->at < end; p->at++) {
        char c = *p->at;
        if (c == '\\') {
            int high = g_ascii_xdigit_value(p->at[1]);
            int low = high >= 0 ? g_ascii_xdigit_value(p->at[2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return EC_INVALID_PARAMETER;
            c = (char)(high * 16 + low);
            p->at += 2;
        }
        piece[n++] = c;
    }
    piece[n] = '\0';
    if (!g_utf8_validate(piece, (gssize)n, NULL))
        return EC_INVALID_PARAMETER;
    *out = text_fold(p->arena, piece);
    return EC_OK;
}

static bool parse_number(const char *text, uint64_t *out) {
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, out, NULL);
}

static enum ec parse_value(struct parser *p, struct filter *node) {
    GPtrArray *pieces = g_ptr_array_new();
    enum ec ec = EC_OK;
    for (bool more = true; more && ec == EC_OK;) {
        const char *piece;
        ec = parse_piece(p, &piece);
        if (ec == EC_OK)
            g_ptr_array_add(pieces, (gpointer)piece);
        more = *p->at == '*';
        if (more)
            p->at++;
    }
    node->n_parts = pieces->len;
    node->parts = arena_memdup(p->arena, pieces->pdata, pieces->len * sizeof(char *));
    g_ptr_array_free(pieces, TRUE);
    EC_TRY(ec);
    if (node->kind == NODE_PATTERN && node->n_parts == 2 && node->parts[0][0] == '\0' &&
        node->parts[1][0] == '\0') {
        node->kind = NODE_PRESENT;
        return EC_OK;
    }
    bool is_text = node->attribute->kind == TEXT || node->attribute->kind == ADDRESSES;
    if (node->n_parts > 1 && (node->kind != NODE_PATTERN || !is_text))
        return EC_INVALID_PARAMETER;
    if (node->attribute->kind == NUMBER && !parse_number(node->parts[0], &node->number))
        return EC_INVALID_PARAMETER;
    return EC_OK;
}

static enum ec parse_item(struct parser *p, struct filter *node) {
    node->attribute = parse_attribute(p);
    if (node->attribute == NULL)
        return EC_INVALID_PARAMETER;
    node->needs_addresses = node->attribute->kind == ADDRESSES;
    node->kind = NODE_PATTERN;
    skip_space(p);
    if (*p->at == '>')
        node->kind = NODE_AT_LEAST;
    else if (*p->at == '<')
        node->kind = NODE_AT_MOST;
    if (*p->at == '>' || *p->at == '<' || *p->at == '~')
        p->at++;
    if (*p->at != '=')
        return EC_INVALID_PARAMETER;
    p->at++;
    return parse_value(p, node);
}

static enum ec parse_filter(struct parser *p, struct filter **out) {
    if (p->depth >= FILTER_DEPTH_MAX || p->nodes >= FILTER_NODES_MAX)
        return EC_TOO_COMPLEX;
    p->depth++, p->nodes++;
    struct filter *node = arena_alloc0(p->arena, sizeof *node);
    p->at++; // '('
    skip_space(p);
    enum ec ec;
    if (*p->at == '&' || *p->at == '|' || *p->at == '!') {
        node->kind = *p->at == '&' ? NODE_AND : *p->at == '|' ? NODE_OR : NODE_NOT;
        p->at++;
        ec = parse_operands(p, node);
    } else {
        ec = parse_item(p, node);
    }
    if (ec == EC_OK && *p->at != ')')
        ec = EC_INVALID_PARAMETER;
    if (ec != EC_OK)
        return ec;
    p->at++;
    p->depth--;
    *out = node;
    return EC_OK;
}

enum ec filter_parse(struct arena *arena, const char *text, const struct filter **out,
                     size_t *at_out) {
    struct parser p = {.arena = arena, .start = text, .at = text};
    if (at_out != NULL)
        *at_out = 0;
    if (strlen(text) > FILTER_TEXT_MAX)
        return EC_TOO_COMPLEX;
    struct filter *root = NULL;
    skip_space(&p);
    enum ec ec = *p.at == '(' ? parse_filter(&p, &root) : EC_INVALID_PARAMETER;
    if (ec == EC_OK) {
        skip_space(&p);
        ec = *p.at == '\0' ? EC_OK : EC_INVALID_PARAMETER;
    }
    if (ec != EC_OK) {
        if (at_out != NULL)
            *at_out = (size_t)(p.at - p.start);
        return ec;
    }
    *out = root;
    return EC_OK;
}

// --- Evaluating ---

// The first piece is anchored at the start, the last at the end, the others found in order.
static bool pattern_matches(const struct filter *node, const char *text) {
    if (node->n_parts == 1)
        return strcmp(node->parts[0], text) == 0;
    size_t first_len = strlen(node->parts[0]);
    if (strncmp(text, node->parts[0], first_len) != 0)
        return false;
    text += first_len;
    for (unsigned i = 1; i + 1 < node->n_parts; i++) {
        const char *found = strstr(text, node->parts[i]);
        if (found == NULL)
            return false;
        text = found + strlen(node->parts[i]);
    }
    const char *last = node->parts[node->n_parts - 1];
    size_t last_len = strlen(last), len = strlen(text);
    return len >= last_len && strcmp(text + len - last_len, last) == 0;
}

static bool text_matches(const struct filter *node, const char *text, struct arena *scratch) {
    if (text == NULL)
        return false;
    if (node->kind == NODE_PRESENT)
        return true;
    const char *folded = text_fold(scratch, text);
    if (node->kind == NODE_PATTERN)
        return pattern_matches(node, folded);
    int order = strcmp(folded, node->parts[0]);
    return node->kind == NODE_AT_LEAST ? order >= 0 : order <= 0;
}

static bool number_matches(const struct filter *node, uint64_t number) {
    switch (node->kind) {
    case NODE_PRESENT:
        return number != 0;
    case NODE_AT_LEAST:
        return number >= node->number;
    case NODE_AT_MOST:
        return number <= node->number;
    default:
        return number == node->number;
    }
}

static bool item_matches(const struct filter *node, const struct directory_object *object,
                         char *const *addresses, struct arena *scratch) {
    const char *field = (const char *)object + node->attribute->offset;
    switch (node->attribute->kind) {
    case TEXT:
        return text_matches(node, *(const char *const *)field, scratch);
    case ADDRESSES:
        for (; addresses != NULL && *addresses != NULL; addresses++)
            if (text_matches(node, *addresses, scratch))
                return true;
        return false;
    case KIND:
        return node->kind == NODE_PRESENT ||
               (object->kind < G_N_ELEMENTS(kind_names) &&
                text_matches(node, kind_names[object->kind], scratch));
    case FLAG:
        return node->kind == NODE_PRESENT ||
               text_matches(node, *(const bool *)field ? "true" : "false", scratch);
    case NUMBER:
        return number_matches(node, node->attribute->offset == FIELD(capacity) ? object->capacity
                                                                               : object->quota);
    }
    return false;
}

bool filter_needs_addresses(const struct filter *filter) {
    return filter->needs_addresses;
}

// Recursion is as deep as the filter was allowed to be.
bool filter_matches(const struct filter *filter, const struct directory_object *object,
                    char *const *addresses, struct arena *scratch) {
    const struct filter *operand = filter->first;
    switch (filter->kind) {
    case NODE_AND:
        while (operand != NULL && filter_matches(operand, object, addresses, scratch))
            operand = operand->next;
        return operand == NULL;
    case NODE_OR:
        while (operand != NULL && !filter_matches(operand, object, addresses, scratch))
            operand = operand->next;
        return operand != NULL;
    case NODE_NOT:
        return !filter_matches(operand, object, addresses, scratch);
    default:
        return item_matches(filter, object, addresses, scratch);
    }
}
