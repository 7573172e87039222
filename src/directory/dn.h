// X.500 names of entries (legacyExchangeDN, [MS-OXOABK] 2.2.3.12 PidTagEmailAddress of type EX):
// what MAPI clients know users, groups and servers by.
//
//     /o=ORGANIZATION/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=GUID
//
// The last part is the entry's guid in 32 hex digits, so that a name stays right for ever, whatever
// the entry is called; only it is looked at, so that names given before the organization was
// renamed stay right too. An entry that came from another system keeps its old names as X500
// addresses.
#pragma once

#include "directory/directory.h"

#define DN_MAX 1024 // octets; longer ones belong to nobody

// `organization` empty or NULL: "First Organization". In the arena.
const char *dn_prefix(struct arena *arena, const char *organization); // up to the last "cn="
const char *dn_of_guid(struct arena *arena, const char *organization, const struct guid *guid);
// The name of a mailbox server.
const char *dn_of_server(struct arena *arena, const char *organization, const char *hostname);

// Whether a name ends as those above; the entry need not exist.
bool dn_guid(const char *dn, struct guid *out);

// The entry with this name, hidden or not: by its guid, or by an X500 address. EC_NOT_FOUND.
enum ec directory_find_dn(struct directory *d, struct arena *arena, const char *dn,
                          struct directory_object **out);

// Names that an entry had elsewhere ("X500:" addresses, without the prefix). Ended by NULL, in the
// arena. EC_COLLISION: it is another entry's. EC_INVALID_PARAMETER: not a DN; EC_TOO_MANY_OBJECTS.
enum ec directory_x500_names(struct directory *d, struct arena *arena, const struct guid *guid,
                             char ***out);
enum ec directory_x500_add(struct directory *d, const struct guid *guid, const char *dn);
enum ec directory_x500_remove(struct directory *d, const struct guid *guid, const char *dn);
