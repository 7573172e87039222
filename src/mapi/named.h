// Named properties: names, their form on the wire, and a mailbox's map of names to ids
// ([MS-OXCDATA] 2.6.1, [MS-OXCPRPT] 3.2.5.9, 3.2.5.10).
//
// The names of the catalogue have the same ids in every mailbox and are never in the map's own
// rows; other names get the next free id from NAMED_ID_FIRST_OWN when they are first used. Names of
// PS_MAPI are the property ids below 0x8000. Strings of PS_INTERNET_HEADERS are lower-cased.
#pragma once

#include "base/wire.h"
#include "mapi/catalogue.h"

// A name's length is one byte of bytes on the wire, its two terminating zeros included.
#define NAMED_STRING_MAX_UNITS 126
// Names that one mailbox may add unless its owner says otherwise.
#define NAMED_DEFAULT_LIMIT 16384

enum prop_name_kind {
    PROP_NAME_LID = 0x00,    // MNID_ID
    PROP_NAME_STRING = 0x01, // MNID_STRING
    PROP_NAME_NONE = 0xFF,   // the id has no name
};

struct prop_name {
    enum prop_name_kind kind;
    struct guid set;
    uint32_t lid;
    const char *string; // borrowed
};

static inline struct prop_name prop_name_lid(const struct guid *set, uint32_t lid) {
    return (struct prop_name){.kind = PROP_NAME_LID, .set = *set, .lid = lid};
}
static inline struct prop_name prop_name_string(const struct guid *set, const char *string) {
    return (struct prop_name){.kind = PROP_NAME_STRING, .set = *set, .string = string};
}

// On the wire. After an error kind is PROP_NAME_NONE; strings are in the arena. A string that is
// too long fails the writer.
struct prop_name prop_name_read(struct wire_reader *r, struct arena *arena);
void prop_name_put(struct wire_writer *w, const struct prop_name *name);

// The id of a name of the catalogue or of PS_MAPI; 0: neither.
uint16_t named_fixed_id(const struct prop_name *name);
// The name of a catalogue id or an id below 0x8000 (in PS_MAPI). False: neither. Static.
bool named_fixed_name(uint16_t id, struct prop_name *out);

// The names that a mailbox added, in memory; the store keeps them as rows. Not thread-safe.
struct named_map;
struct named_map *named_map_new(unsigned limit);
void named_map_free(struct named_map *map); // accepts NULL

// A stored row. EC_CORRUPT_DATA: the id is out of range or taken, the name is taken or fixed.
enum ec named_map_load(struct named_map *map, uint16_t id, const struct prop_name *name);

// The id of a name. EC_NOT_FOUND when it has none; with `create` one is assigned instead
// (`*is_new_out`: store the row), or EC_NAMED_PROP_QUOTA. EC_INVALID_PARAMETER: not a possible
// name; EC_STRING_TOO_LONG. is_new_out may be NULL.
enum ec named_map_id(struct named_map *map, const struct prop_name *name, bool create,
                     uint16_t *out, bool *is_new_out);

// The name of an id, fixed ones included; EC_NOT_FOUND. Borrowed from the map while the row is
// there.
enum ec named_map_name(const struct named_map *map, uint16_t id, struct prop_name *out);

// Takes back an id that was just assigned (its transaction failed).
void named_map_forget(struct named_map *map, uint16_t id);

// The rows, in the order of their ids. The i-th: false when there is none.
unsigned named_map_count(const struct named_map *map);
bool named_map_at(const struct named_map *map, unsigned i, uint16_t *id_out,
                  struct prop_name *name_out);
