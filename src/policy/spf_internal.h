// Between the files of SPF: records as values, macros.
#pragma once

#include "policy/spf.h"

enum spf_mechanism {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
};
struct spf_term {
    enum spf_mechanism mechanism;
    enum spf_result result; // of the qualifier
    const char *domain;     // a macro string; NULL: the domain at hand
    uint8_t network[16];    // ip4, ip6
    unsigned prefix4, prefix6;
};
struct spf_record {
    struct spf_term *terms;
    unsigned n;
    const char *redirect, *exp; // macro strings; NULL: none
};

// --- spf_record.c ---

// Whether a TXT record is one of SPF.
bool spf_is_record(const char *text);
// False: an error of syntax anywhere in it ([RFC 7208] 4.6).
bool spf_record_parse(struct arena *arena, const char *text, struct spf_record *out);

// --- spf_macro.c ---

struct spf_macro_values {
    const char *sender; // whole address
    const char *local;  // its parts
    const char *sender_domain;
    const char *domain; // at hand
    const char *helo;
    const char *hostname;
    uint8_t address[16];
    bool is_ipv6;
};
// Whether `text` is a macro string; `is_domain`: one that ends as a name does ([RFC 7208] 7.1).
// `is_exp`: c, r and t are allowed and so are spaces.
bool spf_macro_is_valid(const char *text, bool is_domain, bool is_exp);
// Expands a valid one; names longer than 253 characters lose labels at their left when `is_domain`.
const char *spf_macro_expand(struct arena *arena, const char *text,
                             const struct spf_macro_values *values, bool is_domain);
