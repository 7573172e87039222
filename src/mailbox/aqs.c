// From a typed query to search nodes: a lexer for words, quotations and signs, and a descent
// through OR, AND and NOT. What stands behind properties is read in aqs_values.c.
#include <string.h>

#include "base/text.h"
#include "mailbox/aqs_internal.h"

// --- Lexer ---

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_word(char c) {
    return c == 0 || is_space(c) || c == '"' || c == '(' || c == ')';
}

static enum aqs_operator read_operator(struct aqs_parser *s) {
    static const struct {
        const char *text;
        enum aqs_operator op;
    } operators[] = {{"<>", OP_NOT}, {"<=", OP_LE}, {">=", OP_GE},
                     {"<", OP_LT},   {">", OP_GT},  {"=", OP_IS}};
    for (unsigned i = 0; i < G_N_ELEMENTS(operators); i++)
        if (g_str_has_prefix(s->p, operators[i].text)) {
            s->p += strlen(operators[i].text);
            return operators[i].op;
        }
    return OP_IS;
}

// "name:", "name=", "name>" ... where `name` is one we know.
static const struct aqs_property *read_property(struct aqs_parser *s, enum aqs_operator *op_out) {
    size_t len = 0;
    while (g_ascii_isalpha(s->p[len]))
        len++;
    char sign = s->p[len];
    if (len == 0 || !sign || !strchr(":=<>", sign))
        return NULL;
    const struct aqs_property *p = aqs_property_named(s->p, len);
    if (!p)
        return NULL;
    s->p += len + (sign == ':');
    *op_out = read_operator(s);
    return p;
}

static const char *read_quoted(struct aqs_parser *s) {
    const char *start = ++s->p;
    while (*s->p && *s->p != '"')
        s->p++;
    const char *text = arena_strndup(s->arena, start, (size_t)(s->p - start));
    s->p += *s->p == '"';
    return text;
}

static const char *read_word(struct aqs_parser *s) {
    const char *start = s->p;
    while (!ends_word(*s->p))
        s->p++;
    return arena_strndup(s->arena, start, (size_t)(s->p - start));
}

// "this week" without quotation marks: the two words together are a date.
static const char *read_date(struct aqs_parser *s, const char *first) {
    const char *before = s->p;
    struct aqs_span span;
    while (is_space(*s->p))
        s->p++;
    if (s->p != before && !ends_word(*s->p)) {
        const char *both_words = arena_printf(s->arena, "%s %s", first, read_word(s));
        if (aqs_date(both_words, s->options, &span))
            return both_words;
    }
    s->p = before;
    return first;
}

static bool is_date(const struct aqs_property *p) {
    return p && (p->kind == VALUE_RECEIVED || p->kind == VALUE_SENT);
}

static void read_term(struct aqs_parser *s) {
    struct aqs_token *t = &s->at;
    t->kind = TOKEN_TERM;
    t->property = read_property(s, &t->op);
    if (t->property)
        while (is_space(*s->p))
            s->p++;
    if (*s->p == '"') {
        t->is_quoted = true;
        t->value = read_quoted(s);
    } else if (t->property && *s->p == '(') {
        t->value = NULL;
    } else {
        t->value = read_word(s);
        if (is_date(t->property))
            t->value = read_date(s, t->value);
    }
}

static bool read_keyword(struct aqs_parser *s, const char *keyword) {
    size_t len = strlen(keyword);
    if (strncmp(s->p, keyword, len) != 0 || !ends_word(s->p[len]))
        return false;
    s->p += len;
    return true;
}

static void next(struct aqs_parser *s) {
    s->at = (struct aqs_token){.kind = TOKEN_END};
    while (is_space(*s->p) || *s->p == '+')
        s->p++;
    if (*s->p == 0)
        return;
    if (*s->p == '(' || *s->p == ')') {
        s->at.kind = *s->p++ == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
    } else if (*s->p == '-' && s->p[1] && !is_space(s->p[1]) && s->p[1] != ')') {
        s->p++;
        s->at.kind = TOKEN_NOT;
    } else if (read_keyword(s, "OR")) {
        s->at.kind = TOKEN_OR;
    } else if (read_keyword(s, "AND")) {
        s->at.kind = TOKEN_AND;
    } else if (read_keyword(s, "NOT")) {
        s->at.kind = TOKEN_NOT;
    } else {
        read_term(s);
    }
}

// --- Descent ---

static struct search_node *parse_or(struct aqs_parser *s);

// What is in parentheses; deeper ones than allowed are passed over.
static struct search_node *parse_group(struct aqs_parser *s) {
    if (s->depth >= AQS_MAX_DEPTH) {
        unsigned open = 1;
        while (open > 0 && s->at.kind != TOKEN_END) {
            next(s);
            open += s->at.kind == TOKEN_OPEN;
            open -= s->at.kind == TOKEN_CLOSE;
        }
        next(s);
        return NULL;
    }
    s->depth++;
    next(s);
    struct search_node *n = parse_or(s);
    s->depth--;
    if (s->at.kind == TOKEN_CLOSE)
        next(s);
    return n;
}

static struct search_node *parse_one(struct aqs_parser *s) {
    bool is_negated = false;
    while (s->at.kind == TOKEN_NOT) {
        is_negated = !is_negated;
        next(s);
    }
    struct search_node *n = NULL;
    if (s->at.kind == TOKEN_OPEN) {
        n = parse_group(s);
    } else if (s->at.kind == TOKEN_TERM && !s->at.value) {
        const struct aqs_property *outer = s->property;
        enum aqs_operator outer_op = s->op;
        s->property = s->at.property;
        s->op = s->at.op;
        next(s); // the parenthesis
        n = parse_group(s);
        s->property = outer;
        s->op = outer_op;
    } else if (s->at.kind == TOKEN_TERM) {
        struct aqs_token t = s->at;
        n = aqs_term(s, &t);
        next(s);
    }
    return n && is_negated ? aqs_negate(s, n) : n;
}

static void append(struct search_node *list, struct search_node ***last, struct search_node *n) {
    if (!*last)
        *last = &list->children;
    **last = n;
    *last = &n->next;
}

// A list with one member is that member.
static struct search_node *simplify(struct search_node *list) {
    if (!list->children)
        return NULL;
    return list->children->next ? list : list->children;
}

static struct search_node *parse_and(struct aqs_parser *s) {
    struct search_node *list = aqs_node(s, SEARCH_AND), **last = NULL;
    while (s->at.kind != TOKEN_END && s->at.kind != TOKEN_OR) {
        bool closes_nothing = s->at.kind == TOKEN_CLOSE && s->depth == 0;
        if (s->at.kind == TOKEN_CLOSE && !closes_nothing)
            break;
        if (s->at.kind == TOKEN_AND || closes_nothing) {
            next(s);
            continue;
        }
        struct search_node *n = parse_one(s);
        if (n)
            append(list, &last, n);
    }
    return simplify(list);
}

static struct search_node *parse_or(struct aqs_parser *s) {
    struct search_node *list = aqs_node(s, SEARCH_OR), **last = NULL;
    for (;;) {
        struct search_node *n = parse_and(s);
        if (n)
            append(list, &last, n);
        if (s->at.kind != TOKEN_OR)
            return simplify(list);
        next(s);
    }
}

struct search_node *aqs_parse(struct arena *arena, const char *text,
                              const struct aqs_options *options) {
    struct aqs_parser s = {.arena = arena, .options = options};
    s.p = text_clean(arena, text, strnlen(text, AQS_MAX_TEXT), NULL);
    next(&s);
    struct search_node *n = parse_or(&s);
    return n ? n : aqs_node(&s, SEARCH_ALL);
}
