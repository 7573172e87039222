// Mailboxes into backups and out of them.
#pragma once

#include "store/store.h"

// A consistent copy of a mailbox in a new file, while it is used. EC_NOT_FOUND, EC_CORRUPT_DATA...
enum ec store_copy_mailbox(struct store *store, const struct guid *guid, const char *to_path,
                           void (*progress)(void *ctx, int percent), void *ctx);

// What the mailbox's files look like now: differs after any change (g_free). `*changed_out`: when
// they last changed, Unix seconds. NULL: no such mailbox.
char *store_mailbox_state(struct store *store, const struct guid *guid, int64_t *changed_out);

// Makes a copy fit to take a mailbox's place again: brings it to the newest version, gives every
// folder a new UIDVALIDITY (clients must not mistake its uids for those given out since), and lets
// no id up to `last_id` be given out again.
enum ec store_refit_mailbox(struct store *store, const char *path, uint64_t last_id);

// A restored copy opened on its own, to take folders and messages out of it: a store of one mailbox
// in the folder `dir`, made and removed by the caller.
enum ec store_open_copy(const char *dir, const struct guid *guid, struct store **store_out,
                        struct mbox **mbox_out);
