// SyncState of SyncFolderItems and SyncFolderHierarchy: opaque to clients, in base64, with a
// version and a checksum ([MS-OXWSSYNC] 3.1.4.1.3.4).
#pragma once

#include "mailbox/sync.h"

enum sync_state_kind { SYNC_STATE_FOLDERS = 1, SYNC_STATE_ITEMS = 2 };
struct sync_state {
    enum sync_state_kind kind;
    struct guid mailbox; // whose folder it is
    uint64_t fid;
    bool with_associated;
    struct mailbox_sync_state at;
};
#define SYNC_STATE_MAX 1024 // characters
// In the arena.
const char *sync_state_format(struct arena *arena, const struct sync_state *s);
// False: no state of this server's.
bool sync_state_parse(const char *text, struct sync_state *out);
