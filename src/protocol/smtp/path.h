// Addresses and parameters of MAIL and RCPT ([RFC 5321] 4.1.2, [RFC 6531]).
#pragma once

#include <stdbool.h>

#include "base/arena.h"

struct smtp_param {
    const char *name;  // upper case
    const char *value; // NULL: none
};

struct smtp_path {
    const char *address; // "local@domain", "" for <>, "postmaster" for <postmaster>
    bool is_utf8;        // has characters outside ASCII
    const struct smtp_param *params;
    unsigned n_params;
};

// Reads "<address> params" (after "FROM:" or "TO:"); source routes are dropped, needless quotes
// undone. NULL on success, else what is wrong, for the reply.
const char *smtp_path_parse(struct arena *arena, const char *text, struct smtp_path *out);
