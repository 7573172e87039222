// Property bags: the properties of one object, sorted by tag.
//
// In memory a bag is a sorted array over values it owns (in its own arena). Stored, it is one
// compact byte string with a directory in front, so that one property is read by binary search
// without decoding the rest (bag_view_*). A property id occurs once, whatever its type.
#pragma once

#include <glib.h>

#include "base/wire.h"
#include "mapi/prop.h"

#define BAG_MAX_PROPS 4096
#define BAG_MAX_BYTES (64u * 1024 * 1024)

struct bag;

struct bag *bag_new(void);
void bag_free(struct bag *bag); // accepts NULL
#define BAG_AUTO __attribute__((cleanup(bag_cleanup_))) struct bag *
static inline void bag_cleanup_(struct bag **bag) {
    bag_free(*bag);
}
struct bag *bag_copy(const struct bag *bag);

unsigned bag_count(const struct bag *bag);
// The i-th property in tag order; borrowed until the next change.
const struct prop_value *bag_at(const struct bag *bag, unsigned i);

// The property `tag`: same id and same type. With type PT_UNSPECIFIED any type. NULL: none.
const struct prop_value *bag_get(const struct bag *bag, proptag_t tag);

// Sets (copies) a value, replacing one of the same id. EC_TOO_MANY_OBJECTS past BAG_MAX_PROPS,
// EC_INVALID_PARAMETER for a type that cannot be stored.
enum ec bag_set(struct bag *bag, const struct prop_value *v);
bool bag_remove(struct bag *bag, proptag_t tag); // by id; whether it was there

// Short forms; set: strings NULL remove nothing and set nothing.
void bag_set_str(struct bag *bag, proptag_t tag, const char *s);
void bag_set_long(struct bag *bag, proptag_t tag, int32_t v);
void bag_set_bool(struct bag *bag, proptag_t tag, bool v);
void bag_set_time(struct bag *bag, proptag_t tag, filetime_t v);
void bag_set_bytes(struct bag *bag, proptag_t tag, const void *data, size_t len);
const char *bag_str(const struct bag *bag, proptag_t tag); // NULL: none (or external)
int32_t bag_long(const struct bag *bag, proptag_t tag, int32_t def);
bool bag_bool(const struct bag *bag, proptag_t tag, bool def);
filetime_t bag_time(const struct bag *bag, proptag_t tag);       // 0: none
struct prop_bin bag_bytes(const struct bag *bag, proptag_t tag); // {0, NULL}: none

// Copies every property of `from` over those of `to`.
enum ec bag_merge(struct bag *to, const struct bag *from);

// The stored form. bag_decode: EC_CORRUPT_DATA for anything that bag_encode does not make.
GBytes *bag_encode(const struct bag *bag);
enum ec bag_decode(const void *data, size_t len, struct bag **out);

// One property straight from the stored form; strings and bytes are borrowed from `data`,
// multi-valued ones are built in the arena. EC_NOT_FOUND, EC_CORRUPT_DATA.
enum ec bag_view_get(const void *data, size_t len, struct arena *arena, proptag_t tag,
                     struct prop_value *out);
