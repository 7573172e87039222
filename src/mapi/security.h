// Security identifiers, access lists and security descriptors in their self-relative form
// ([MS-DTYP] 2.4.2, 2.4.4-2.4.6), as PidTagNTSecurityDescriptor and free/busy rights carry them
// ([MS-OXCPERM], [MS-OXCFXICS]).
//
// Values live in an arena; reading checks every offset and size against the bytes.
#pragma once

#include "base/wire.h"
#include "mapi/prop.h"

#define SID_MAX_SUB_AUTHORITIES 15
#define SECURITY_MAX_ACES 1024
#define SECURITY_DESCRIPTOR_MAX (64u * 1024) // bytes

struct sid {
    uint64_t authority; // 48 bits
    uint8_t n;
    uint32_t sub[SID_MAX_SUB_AUTHORITIES];
};
#define SID_STRING_SIZE 192 // "S-1-0x123456789abc-..." and a NUL

extern const struct sid SID_EVERYONE;  // S-1-1-0
extern const struct sid SID_ANONYMOUS; // S-1-5-7

bool sid_equal(const struct sid *a, const struct sid *b);
bool sid_parse(const char *text, struct sid *out); // "S-1-5-21-..."
void sid_format(const struct sid *sid, char out[SID_STRING_SIZE]);
// On the wire; the reader fails on a bad revision or count.
struct sid sid_read(struct wire_reader *r);
void sid_put(struct wire_writer *w, const struct sid *sid);

enum ace_type {
    ACE_ALLOWED = 0x00,
    ACE_DENIED = 0x01,
    ACE_AUDIT = 0x02,
    ACE_ALLOWED_OBJECT = 0x05,
    ACE_DENIED_OBJECT = 0x06,
};
struct ace {
    uint8_t type;        // enum ace_type
    uint8_t flags;       // inheritance
    bool has_sid;        // of the types above; others keep their bytes alone
    uint32_t mask;       // the rights
    struct sid sid;      // whose
    struct prop_bin raw; // types without has_sid: what follows type, flags and size. Object ACEs:
                         // flags and GUIDs
};
struct acl {
    uint32_t n;
    const struct ace *items;
};

enum security_control {
    SECURITY_DACL_PRESENT = 0x0004,
    SECURITY_SACL_PRESENT = 0x0010,
    SECURITY_SELF_RELATIVE = 0x8000,
};
struct security_descriptor {
    uint16_t control; // enum security_control
    bool has_owner, has_group, has_dacl, has_sacl;
    struct sid owner, group;
    struct acl dacl, sacl;
};

// EC_CORRUPT_DATA; EC_TOO_COMPLEX for more than SECURITY_MAX_ACES. A DACL that is present but NULL
// (has_dacl false, SECURITY_DACL_PRESENT set) allows everything.
enum ec security_descriptor_parse(struct arena *arena, struct prop_bin bytes,
                                  struct security_descriptor *out);
// The self-relative form, in the arena; empty when it would be longer than SECURITY_DESCRIPTOR_MAX.
// Control flags for what is there are set.
struct prop_bin security_descriptor_bytes(struct arena *arena,
                                          const struct security_descriptor *sd);

// The value of PidTagNTSecurityDescriptor: a header that says where the descriptor begins, then the
// descriptor.
enum ec security_property_parse(struct arena *arena, struct prop_bin bytes,
                                struct security_descriptor *out);
struct prop_bin security_property_bytes(struct arena *arena, const struct security_descriptor *sd);

// Rights that the DACL gives to somebody who is all of `sids`: entries in order, the first that
// names a right decides it.
uint32_t acl_rights(const struct acl *dacl, const struct sid *sids, unsigned n_sids);
