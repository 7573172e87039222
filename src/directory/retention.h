// Retention tags of the organization: how long messages are kept, and what becomes of them then
// ([MS-OXCMSG] PidTagPolicyTag, PidTagArchiveTag: a tag's GUID).
#pragma once

#include "directory/directory.h"

enum retention_action {
    RETENTION_DELETE,  // restorable for a while
    RETENTION_PURGE,   // for good
    RETENTION_ARCHIVE, // into the archive mailbox
};

struct retention_tag {
    struct guid guid;
    const char *name;
    enum retention_action action;
    uint32_t days; // 0: never
    // The special folder (mapi/special_folder.h) whose messages it is for when they have no other,
    // the IPM subtree for all folders; 0: a personal tag, only where it was assigned.
    uint64_t folder;
};
struct retention_tags {
    struct retention_tag *items;
    unsigned n;
};

// By name. In the arena.
enum ec directory_retention_tags(struct directory *d, struct arena *arena,
                                 struct retention_tags *out);
// By name, caselessly. EC_NOT_FOUND.
enum ec directory_retention_find(struct directory *d, struct arena *arena, const char *name,
                                 struct retention_tag *out);
// Fills in the guid. EC_COLLISION: there is one of this name, or another with the same folder and
// kind of action (delete and purge are one kind).
enum ec directory_retention_add(struct directory *d, struct retention_tag *tag);
// Messages that have it are no longer acted on. EC_NOT_FOUND.
enum ec directory_retention_remove(struct directory *d, const struct guid *guid);
