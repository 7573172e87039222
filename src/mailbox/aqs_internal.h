// What the files of typed queries share: terms, and the nodes they become.
#pragma once

#include "mailbox/aqs.h"

enum aqs_value_kind {
    VALUE_WORDS,
    VALUE_RECIPIENT, // number: the recipient's type
    VALUE_FLAG,      // number: the flag
    VALUE_NOT_FLAG,
    VALUE_IS, // the flag is the value: is:unread
    VALUE_IMPORTANCE,
    VALUE_SENSITIVITY,
    VALUE_KIND,
    VALUE_CATEGORY,
    VALUE_SIZE,
    VALUE_RECEIVED,
    VALUE_SENT,
};

struct aqs_property {
    const char *name;
    enum aqs_value_kind kind;
    uint32_t number; // parts, flag or type
};

enum aqs_operator { OP_IS, OP_NOT, OP_LT, OP_LE, OP_GT, OP_GE };

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_OR, TOKEN_AND, TOKEN_NOT, TOKEN_TERM };

struct aqs_token {
    enum token_kind kind;
    const struct aqs_property *property; // NULL: none
    enum aqs_operator op;
    const char *value; // NULL: what follows is in parentheses
    bool is_quoted;
};

struct aqs_parser {
    struct arena *arena;
    const struct aqs_options *options;
    const char *p;
    struct aqs_token at;
    unsigned n_terms, depth;
    const struct aqs_property *property; // that the parentheses around belong to
    enum aqs_operator op;
};

// --- aqs_values.c ---

struct search_node *aqs_node(struct aqs_parser *s, enum search_kind kind);
struct search_node *aqs_negate(struct aqs_parser *s, struct search_node *child);
// A property's value, or words. NULL: it asks for nothing.
struct search_node *aqs_term(struct aqs_parser *s, struct aqs_token *t);
// The property with this name (`len` bytes, any case); NULL: there is none.
const struct aqs_property *aqs_property_named(const char *name, size_t len);
