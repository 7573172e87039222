// Folder rights: PidTagMemberRights ([MS-OXCPERM] 2.2.7), and the roles clients show for them.
#pragma once

#include <stdint.h>

enum folder_rights {
    RIGHTS_READ_ANY = 0x00000001,
    RIGHTS_CREATE = 0x00000002,
    RIGHTS_EDIT_OWNED = 0x00000008,
    RIGHTS_DELETE_OWNED = 0x00000010,
    RIGHTS_EDIT_ANY = 0x00000020,
    RIGHTS_DELETE_ANY = 0x00000040,
    RIGHTS_CREATE_SUBFOLDER = 0x00000080,
    RIGHTS_OWNER = 0x00000100, // the folder object and its list of members
    RIGHTS_CONTACT = 0x00000200,
    RIGHTS_VISIBLE = 0x00000400,
    RIGHTS_FREE_BUSY_SIMPLE = 0x00000800,
    RIGHTS_FREE_BUSY_DETAILED = 0x00001000,
    RIGHTS_ALL = 0x000005FB,
    RIGHTS_FREE_BUSY = RIGHTS_FREE_BUSY_SIMPLE | RIGHTS_FREE_BUSY_DETAILED,
    RIGHTS_KNOWN = RIGHTS_ALL | RIGHTS_CONTACT | RIGHTS_FREE_BUSY,
};

// In the stored rights of an entry of the Calendar's list: its free/busy flags were set by
// somebody; without it they follow from the others.
#define RIGHTS_FREE_BUSY_IS_SET 0x80000000u
#define RIGHTS_STORED (RIGHTS_KNOWN | RIGHTS_FREE_BUSY_IS_SET) // what a stored entry may have

enum folder_role {
    ROLE_NONE = 0,
    ROLE_CONTRIBUTOR = RIGHTS_CREATE | RIGHTS_VISIBLE,
    ROLE_REVIEWER = RIGHTS_READ_ANY | RIGHTS_VISIBLE,
    ROLE_NONEDITING_AUTHOR = ROLE_REVIEWER | RIGHTS_CREATE | RIGHTS_DELETE_OWNED,
    ROLE_AUTHOR = ROLE_NONEDITING_AUTHOR | RIGHTS_EDIT_OWNED,
    ROLE_PUBLISHING_AUTHOR = ROLE_AUTHOR | RIGHTS_CREATE_SUBFOLDER,
    ROLE_EDITOR = ROLE_AUTHOR | RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY,
    ROLE_PUBLISHING_EDITOR = ROLE_EDITOR | RIGHTS_CREATE_SUBFOLDER,
    ROLE_OWNER = ROLE_PUBLISHING_EDITOR | RIGHTS_OWNER | RIGHTS_CONTACT,
};

// The rights with everything they imply, and without flags that nobody defined.
static inline uint32_t rights_complete(uint32_t rights) {
    rights &= RIGHTS_KNOWN;
    if (rights & RIGHTS_EDIT_ANY)
        rights |= RIGHTS_EDIT_OWNED;
    if (rights & RIGHTS_DELETE_ANY)
        rights |= RIGHTS_DELETE_OWNED;
    if (rights & (RIGHTS_READ_ANY | RIGHTS_OWNER))
        rights |= RIGHTS_VISIBLE;
    if (rights & RIGHTS_FREE_BUSY_DETAILED)
        rights |= RIGHTS_FREE_BUSY_SIMPLE;
    return rights;
}
