// Mailboxes as people know them.
#pragma once

#include "admin/command.h"

// The address of a mailbox's owner, or its guid when nobody in the directory has it. In the call's
// arena.
const char *mailbox_owner_name(struct command_call *call, const struct guid *guid);
