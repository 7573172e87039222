// Sets of ids and change numbers: GLOBSET and IDSET ([MS-OXCFXICS] 2.2.2.4-2.2.2.6).
//
// In memory a set is a sorted array of ranges: a mailbox's changes are a handful of ranges, however
// many messages it has. On the wire it is the byte stack encoding of the specification.
#pragma once

#include "mapi/change.h"

#define GLOBSET_MAX_RANGES (1u << 20)
#define IDSET_MAX_REPLICAS 4096

// A set of counters of one replica.
struct globset;
struct globset *globset_new(void);
void globset_free(struct globset *set); // accepts NULL
struct globset *globset_copy(const struct globset *set);

// Counters from `low` to `high`, both included; low <= high <= COUNTER_MAX. Adding in rising order
// takes constant time.
void globset_add(struct globset *set, uint64_t low, uint64_t high);
void globset_remove(struct globset *set, uint64_t low, uint64_t high);
void globset_add_all(struct globset *set, const struct globset *other);
void globset_remove_all(struct globset *set, const struct globset *other);

bool globset_contains(const struct globset *set, uint64_t counter);
bool globset_includes(const struct globset *set, const struct globset *other);
bool globset_equal(const struct globset *a, const struct globset *b);
uint64_t globset_count(const struct globset *set);

// The ranges in rising order.
struct globset_range {
    uint64_t low, high;
};
unsigned globset_n_ranges(const struct globset *set);
struct globset_range globset_range(const struct globset *set, unsigned i);

// Reads a GLOBSET to its end and adds what it holds. EC_FORMAT_ERROR, EC_TOO_COMPLEX. On error the
// set is unchanged.
enum ec globset_read(struct wire_reader *r, struct globset *set);
void globset_put(struct wire_writer *w, const struct globset *set);

// Sets of counters by replica: MetaTagIdsetGiven, MetaTagCnsetSeen, ... (by GUID, from clients) and
// MetaTagIdsetDeleted, ... (by replica id).
enum idset_form { IDSET_REPLGUID, IDSET_REPLID };
struct idset;
struct idset *idset_new(void);
void idset_free(struct idset *set); // accepts NULL
struct idset *idset_copy(const struct idset *set);

// The set of a replica; NULL when there is none and `create` is false.
struct globset *idset_of_guid(struct idset *set, const struct guid *replica, bool create);
struct globset *idset_of_replid(struct idset *set, uint16_t replid, bool create);
bool idset_contains(const struct idset *set, const struct gid *gid);
bool idset_is_empty(const struct idset *set);
void idset_add_all(struct idset *set, const struct idset *other);

// All of the bytes (an IDSET has no end mark of its own). EC_FORMAT_ERROR, EC_TOO_COMPLEX; on error
// nothing is made.
enum ec idset_parse(struct prop_bin bytes, enum idset_form form, struct idset **out);
// Replicas that were added in the other form and empty sets are left out.
void idset_put(struct wire_writer *w, enum idset_form form, const struct idset *set);
