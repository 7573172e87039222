// Filters that say who belongs to a dynamic group or an address list: the LDAP search filters of
// RFC 4515 over the directory's attributes.
//
//     (&(kind=user)(department=Sales)(!(office=Berl*)))
//
// Operators: & | ! and = (also *, a*b*c) >= <= ~= (taken as =). Texts are compared folded; capacity
// and quota as numbers. Attributes have their LDAP names or ours: cn or displayName, givenName,
// sn, initials, title, department, company, physicalDeliveryOfficeName or office, telephoneNumber
// or phone, mobile, info or notes, mail, proxyAddresses, kind (user, shared, room, equipment,
// group, dynamic, contact), capacity, quota, locale, disabled and hidden (TRUE, FALSE).
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/result.h"
#include "directory/directory.h"

struct filter;

// Compiles a filter; it lives in the arena. EC_INVALID_PARAMETER: not a filter, or an unknown
// attribute; EC_TOO_COMPLEX: nested or composed beyond limits.h. `*at_out` (may be NULL) is the
// offset of what was not understood.
enum ec filter_parse(struct arena *arena, const char *text, const struct filter **out,
                     size_t *at_out);

// Whether filter_matches needs `addresses` (all of the object's addresses).
bool filter_needs_addresses(const struct filter *filter);

// `addresses` ends with NULL; may be NULL when they are not needed. `scratch` is used for folded
// texts.
bool filter_matches(const struct filter *filter, const struct directory_object *object,
                    char *const *addresses, struct arena *scratch);
