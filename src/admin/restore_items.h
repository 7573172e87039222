// Restoring folders and messages into a live mailbox.
#pragma once

#include "admin/command.h"
#include "mailbox/mailbox.h"

// Takes what --folder and --message say (nothing: every folder) out of the mailbox `from` into
// `to`, below --to when it was given. Messages that are still there are passed over. The exit
// status.
int restore_items(struct command_call *call, struct mailbox *from, struct mailbox *to);
// --list: the folders, or with --folder the messages, of the mailbox `from`.
int restore_list(struct command_call *call, struct mailbox *from);
