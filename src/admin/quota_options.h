// Quotas and the archive of a user, as options of `bourse user` and in what it shows.
#pragma once

#include "admin/recipient.h"

// What --quota-warn, --quota-send, ... and --archive say; --quota-receive goes into `object`.
// False: one was wrong, and that has been reported.
struct quota_options {
    const char *values[5];    // by setting; NULL: not given
    int archive;              // -1: not given, 0: off, 1: on
    const char *imap_folders; // "all", "mail", "default"; NULL: not given
};
bool quota_options_take(struct command_call *call, struct directory_object *object,
                        struct quota_options *out);
// Stores them for an object that is in the directory. The exit status; failures are reported.
int quota_options_apply(struct command_call *call, const struct directory_object *object,
                        const struct quota_options *options);

// Fields of `bourse user show`: limits, use, archive, holds.
void quota_print(struct command_call *call, const struct directory_object *object);
