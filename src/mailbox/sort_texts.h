// A growing set of texts, each with a number, that knows their order: sort keys of messages.
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/arena.h"

struct sort_texts;
struct sort_texts *sort_texts_new(void);
struct sort_texts *sort_texts_ref(struct sort_texts *t);
void sort_texts_unref(struct sort_texts *t); // accepts NULL; from any thread

// The number of a text, 1 and up; 0 for "" and NULL. Thread-safe.
uint32_t sort_texts_intern(struct sort_texts *t, const char *text);
uint32_t sort_texts_count(struct sort_texts *t);

// For each number its place among all texts that there are now (GArray of uint32_t); 0 comes first.
// g_array_unref. Thread-safe.
GArray *sort_texts_ranks(struct sort_texts *t);

// The key under which i;unicode-casemap compares `text`. In the arena.
const char *sort_casemap(struct arena *arena, const char *text);
