// The two ways in which DKIM makes a header field and a body insensitive to what relays do
// ([RFC 6376] 3.4).
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/fields.h"

enum canon { CANON_SIMPLE, CANON_RELAXED };

#define CANON_HASH_SIZE 32 // SHA-256

// Appends the field with its CRLF.
void canon_field(enum canon how, const char *bytes, size_t len, GString *out);

// SHA-256 of the first `limit` bytes of the canonical body (UINT64_MAX: all) into `hash`; how long
// the whole canonical body is goes to *len_out.
void canon_body_hash(enum canon how, const char *body, size_t len, uint64_t limit,
                     uint8_t hash[CANON_HASH_SIZE], uint64_t *len_out);
