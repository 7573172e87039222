// Queue ids for which something was done once while they wait; in memory, bounded, thread-safe.
// After a restart it may be done once more.
#pragma once

#include <stdbool.h>

struct id_set;
struct id_set *id_set_new(void);
void id_set_free(struct id_set *s); // accepts NULL
bool id_set_has(struct id_set *s, const char *id);
void id_set_add(struct id_set *s, const char *id);
void id_set_remove(struct id_set *s, const char *id);
