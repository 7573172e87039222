// Unicode text: checking foreign bytes, UTF-16 to and from UTF-8, comparison keys.
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

// `bytes` as valid UTF-8 without NULs: what is not valid becomes U+FFFD, NULs are dropped. In the
// arena, NUL-terminated; the length in bytes goes to `len_out` when it is not NULL.
char *text_clean(struct arena *arena, const char *bytes, size_t len, size_t *len_out);

// UTF-16LE to UTF-8; unpaired surrogates become U+FFFD, the text ends at a NUL if there is one.
char *text_from_utf16(struct arena *arena, const uint8_t *bytes, size_t len);

// Appends UTF-8 `s` as UTF-16LE (no terminator) to `out`. Invalid bytes become U+FFFD.
void text_to_utf16(const char *s, size_t len, GByteArray *out);

// A key for caseless comparison and search: NFKC case folding by ICU; equal keys mean equal texts
// for folder names, addresses and sorting. In the arena. ASCII is folded without ICU.
char *text_fold(struct arena *arena, const char *s);

// Like strcmp on the folded texts, without an arena.
int text_compare_folded(const char *a, const char *b);

// Whether `haystack` contains `needle` when both are folded.
bool text_contains_folded(const char *haystack, const char *needle);

// True for bytes 0x01-0x7f only.
bool text_is_ascii(const char *s, size_t len);

// Compares secrets in a time that depends on the lengths alone.
bool text_equal_secret(const char *a, const char *b);
