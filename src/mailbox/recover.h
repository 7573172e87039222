// Bringing back what was deleted (Recoverable Items, store/recoverable.h). For the owner and the
// administrator; what a hold keeps (purged messages, earlier versions) for the administrator alone.
#pragma once

#include "mailbox/mailbox.h"

enum recoverable_place {
    RECOVERABLE_DELETED, // expunged, or its folder was deleted
    RECOVERABLE_PURGED,  // deleted for good by its owner, kept by a hold
    RECOVERABLE_VERSION, // what a message was before it was changed
};
struct mailbox_recoverable {
    uint64_t mid;
    enum recoverable_place place;
    const char *folder; // path it had; "" unknown
    bool is_folder_gone;
    const char *subject, *sender;
    filetime_t deleted, received;
    uint64_t size;
};

// NULL and 0 narrow nothing down.
struct mailbox_recover_filter {
    const char *folder;       // path the messages had, or of a folder above, caselessly
    const char *subject;      // part of it, caselessly
    const char *sender;       // part of the sender's name, caselessly
    filetime_t since, before; // deleted then
    uint64_t mid;             // this one
    bool with_held;           // purged messages and versions too; only for the administrator
};

// Calls `each` with the messages, oldest deletion first, until it gives false. What it gets lives
// until it returns. EC_ACCESS_DENIED for others than the owner.
enum ec mailbox_list_recoverable(struct mailbox *m, const struct mailbox_recover_filter *filter,
                                 bool (*each)(void *ctx, const struct mailbox_recoverable *item),
                                 void *ctx);

// A deleted folder that can be restored.
struct mailbox_gone_folder {
    uint64_t fid;
    const char *path; // it had
    filetime_t deleted;
    unsigned n_messages;
};
// In the arena, by path. EC_ACCESS_DENIED for others than the owner.
enum ec mailbox_list_gone_folders(struct mailbox *m, struct arena *arena,
                                  struct mailbox_gone_folder **out, unsigned *n_out);
// Makes the deleted folder and those that were below it again, also empty ones, as they were: with
// their properties, permissions and messages, associated ones too. EC_NOT_FOUND: no such folder was
// deleted.
enum ec mailbox_restore_folder(struct mailbox *m, const char *path, unsigned *n_folders_out,
                               unsigned *n_messages_out);

// Puts those messages back into their folders. Where a folder is gone its messages go to the folder
// `to` (a path, made when missing), or with NULL to one made anew under the old path. What a hold
// keeps is copied. In steps of its own transactions; *n_out counts what was restored also when one
// fails.
enum ec mailbox_restore(struct mailbox *m, const struct mailbox_recover_filter *filter,
                        const char *to, unsigned *n_out);
