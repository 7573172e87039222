// Extensions that a user has installed for their clients ([MS-OXWSCEXT]): manifests, kept as
// configurations of the mailbox (mailbox/configuration.h).
#pragma once

#include "mailbox/configuration.h"

struct extension {
    const char *id; // a guid in lower case
    struct prop_bin manifest;
    bool is_disabled;
};
struct extensions {
    struct extension *items;
    unsigned n;
};
// In the arena.
enum ec mailbox_extensions(struct mailbox *m, struct arena *arena, struct extensions *out);
// One of the same id is replaced (*is_new_out false) and switched on again.
enum ec mailbox_install_extension(struct mailbox *m, const char *id, struct prop_bin manifest,
                                  bool *is_new_out);
enum extension_change { EXTENSION_DISABLE, EXTENSION_REMOVE };
// EC_NOT_FOUND: it is not installed.
enum ec mailbox_change_extension(struct mailbox *m, const char *id, enum extension_change change);
