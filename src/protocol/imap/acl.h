// Folder rights as IMAP's letters ([RFC 4314]): one table for every command that shows or sets
// them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

// The letters for PidTagMemberRights: one shows when the right is there for any or for one's own
// messages. In the order of [RFC 4314] 2.1. Arena.
const char *acl_letters(struct arena *arena, uint32_t rights);

enum acl_mode { ACL_SET, ACL_ADD, ACL_REMOVE };
// What `before` becomes when the letters are set, added or taken away. Letters that stand for the
// same right go together; what no letter stands for stays, and so does a right to one's own
// messages only, unless its letter changes. False: a letter that is none.
bool acl_apply(uint32_t before, enum acl_mode mode, const char *letters, uint32_t *out);

// The letters in the groups that go together, "" first, for LISTRIGHTS: "l r sw ip k xa te".
extern const char acl_groups[];
