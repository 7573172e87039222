// User configuration: what clients and the server keep as settings with a folder, in associated
// messages of the class IPM.Configuration.NAME ([MS-OXOCFG] 2.2.2 to 2.2.5).
#pragma once

#include "mailbox/mailbox.h"
#include "mapi/prop.h"

#define CONFIGURATION_NAME_MAX 237      // characters, as Exchange has it
#define CONFIGURATION_MAX (1024 * 1024) // bytes of each of the three

// PidTagRoamingDatatypes: what a configuration holds.
enum configuration_kind {
    CONFIGURATION_BINARY = 1,
    CONFIGURATION_XML = 2,
    CONFIGURATION_DICTIONARY = 4, // XML of its own ([MS-OXOCFG] 2.2.5.1)
};
struct configuration {
    uint64_t mid, cn; // when read
    const char *name;
    uint32_t kinds;
    struct prop_bin dictionary, xml, binary; // of the kinds it has
};

// The configuration of a name (caselessly) with a folder. Needs RIGHTS_READ_ANY. EC_NOT_FOUND:
// none, or no such folder. In the arena.
enum ec mailbox_get_configuration(struct mailbox *m, struct arena *arena, uint64_t fid,
                                  const char *name, struct configuration *out);
enum configuration_change {
    CONFIGURATION_CREATE, // EC_COLLISION: there is one of this name
    CONFIGURATION_UPDATE, // EC_NOT_FOUND: there is none
    CONFIGURATION_PUT,    // either
};
// Sets the parts of c->kinds; others of an older one stay. Needs RIGHTS_CREATE, or RIGHTS_EDIT_ANY
// where there is one. EC_INVALID_PARAMETER: no possible name (letters, digits and periods);
// EC_MESSAGE_TOO_BIG. `mid_out` may be NULL.
enum ec mailbox_put_configuration(struct mailbox *m, uint64_t fid, const struct configuration *c,
                                  enum configuration_change how, uint64_t *mid_out);
// Needs RIGHTS_DELETE_ANY. EC_NOT_FOUND.
enum ec mailbox_delete_configuration(struct mailbox *m, uint64_t fid, const char *name);
