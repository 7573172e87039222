// How commands come into a mailbox: as the administrator, whom nothing is denied.
#pragma once

#include "admin/command.h"
#include "mailbox/mailbox.h"

// Opens the public folders. False: that has been reported.
bool call_open_public(struct command_call *call, struct mailbox **out);
// Opens the mailbox of the user that argument `i` names, or with "public" the public folders.
bool call_open_mailbox(struct command_call *call, unsigned i, struct mailbox **out);

// The folder with this path. False: that has been reported.
bool call_find_folder(struct command_call *call, struct mailbox *mailbox, const char *path,
                      struct mailbox_folder *out);

// A folder's path as people write it: the Inbox is "Inbox", where IMAP says "INBOX". In the arena.
const char *folder_path_text(struct arena *arena, const char *path);

#define MAILBOX_AUTO __attribute__((cleanup(mailbox_cleanup_))) struct mailbox *
static inline void mailbox_cleanup_(struct mailbox **mailbox) {
    mailbox_close(*mailbox);
}
