// What an entry is given beyond its fields: named values, for what few entries have (limits that
// differ from the default, an archive, a hold).
#pragma once

#include "directory/directory.h"

// In the arena. EC_NOT_FOUND: not set.
enum ec directory_setting(struct directory *d, struct arena *arena, const struct guid *guid,
                          const char *name, const char **out);
struct directory_setting {
    const char *name, *value;
};
struct directory_settings {
    struct directory_setting *items;
    unsigned n;
};
// All of an entry, by name. In the arena.
enum ec directory_settings(struct directory *d, struct arena *arena, const struct guid *guid,
                           struct directory_settings *out);
// `value` NULL takes it away. EC_NOT_FOUND: no such entry.
enum ec directory_set_setting(struct directory *d, const struct guid *guid, const char *name,
                              const char *value);
// The entry whose setting `name` has this value. EC_NOT_FOUND.
enum ec directory_find_setting(struct directory *d, const char *name, const char *value,
                               struct guid *guid_out);
