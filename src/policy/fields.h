// A message as DKIM sees it: its header fields byte for byte, and where its body begins.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct mail_field {
    const char *bytes; // with the CRLF at its end
    size_t len;
    size_t name_len;
    size_t value_at; // behind the colon
};
struct mail_fields {
    struct mail_field *items; // in the order of the message
    unsigned n;
    const char *body;
    size_t body_len;
};

// Borrows the message. False: more than FIELDS_MAX fields. A line that is no field (as "From " of
// an mbox) ends the header.
bool mail_fields_read(struct arena *arena, const char *message, size_t len,
                      struct mail_fields *out);

bool mail_field_is(const struct mail_field *field, const char *name);
// The `n`th field of that name from the top (0 is the first). NULL: there are fewer.
const struct mail_field *mail_fields_find(const struct mail_fields *fields, const char *name,
                                          unsigned n);
// What stands behind the colon, unfolded, without white space at the ends. In the arena.
char *mail_field_value(struct arena *arena, const struct mail_field *field);
