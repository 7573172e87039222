// The words in iCalendar and vCard data, which share their content lines ([RFC 5545] 3.1,
// [RFC 6350] 3.2). Only text is read; the objects are the business of others.
#pragma once

#include <stddef.h>

#include "base/arena.h"

// The values people would look for (summaries, descriptions, places, names, addresses, notes; names
// and addresses of attendees), lines unfolded, escapes undone, one a line ended by "\n". Valid
// UTF-8; bytes that are not are read in `charset` (NULL: windows-1252). At most about `max` bytes.
// In the arena; the length goes to `len_out` when it is not NULL.
char *content_lines_text(struct arena *arena, const void *data, size_t len, const char *charset,
                         size_t max, size_t *len_out);
