// Annotations of folders and of a user's mailbox ([RFC 5464] METADATA), and what a folder is said
// to be for ([RFC 6154]).
//
// Entries are "/private/..." (each user's own) or "/shared/..." (everybody's), in lower case.
#pragma once

#include "mailbox/mailbox.h"

#define METADATA_ENTRY_MAX 255         // bytes of a name
#define METADATA_VALUE_MAX (64 * 1024) // bytes of a value
#define METADATA_ENTRIES_MAX 100       // of a folder, each user's and everybody's
#define METADATA_SPECIAL_USE "/private/specialuse"

struct mailbox_metadata {
    const char *entry;
    const void *value; // NULL: is to be removed
    size_t len;
};
struct mailbox_metadata_list {
    struct mailbox_metadata *items; // by name
    unsigned n;
};

// All of a folder's (fid 0: of the mailbox itself). Needs RIGHTS_VISIBLE. In the arena.
enum ec mailbox_get_metadata(struct mailbox *m, struct arena *arena, uint64_t fid,
                             struct mailbox_metadata_list *out);
// Sets them, all or nothing. Everybody's need RIGHTS_OWNER, and of the mailbox nobody sets those.
// EC_INVALID_PARAMETER: no name of an entry, or no use that a folder can have;
// EC_MESSAGE_TOO_BIG: a value; EC_TOO_MANY_OBJECTS.
enum ec mailbox_set_metadata(struct mailbox *m, uint64_t fid, const struct mailbox_metadata *items,
                             unsigned n);

// Whether folders may be made for this use ("\\Archive").
bool mailbox_is_special_use(const char *use);
// mailbox_create_folder with a use (NULL: none).
enum ec mailbox_create_folder_for(struct mailbox *m, const char *path, const char *use,
                                  uint64_t *fid_out);
