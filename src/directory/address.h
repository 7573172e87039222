// Mail addresses: syntax (RFC 5321 4.1.2, RFC 6531 3.3) and the form they are compared in.
#pragma once

#include "base/arena.h"
#include "base/result.h"

struct address {
    const char *local;  // unquoted, as written
    const char *domain; // lower-case A-labels (RFC 5890), or an address literal "[...]"
    const char *text;   // local, quoted where it must be, and domain
    const char *key;    // equal for equal addresses: folded local part and domain
};

// Takes an address apart. EC_INVALID_PARAMETER when it is none, or too long.
enum ec address_parse(struct arena *arena, const char *text, struct address *out);

// The key of an address whose local part is the first `local_len` bytes of `address`'s
// (plus-addressing).
const char *address_key(struct arena *arena, const char *local, size_t local_len,
                        const char *domain);

// A domain name as lower-case A-labels. EC_INVALID_PARAMETER.
enum ec address_domain(struct arena *arena, const char *domain, const char **out);
