// Receive folders: where incoming messages of a class go ([MS-OXCSTOR] 2.2.1.2 to 2.2.1.4).
//
// A new mailbox delivers "", "IPM" and "Report.IPM" to the Inbox and "IPC" to the root; these are
// there without being stored.
#pragma once

#include "store/store.h"

#define RECEIVE_FOLDER_CLASS_MAX 254 // characters
#define RECEIVE_FOLDER_MAX 1024      // classes of a mailbox

struct receive_folder {
    const char *class; // as it was set; case does not count
    uint64_t fid;
    filetime_t changed; // PidTagLastModificationTime of the row
};
struct receive_folders {
    struct receive_folder *items;
    unsigned n;
};

// Whether a message class may be set or asked for: printable ASCII, no period at the ends, no two
// together.
bool receive_folder_class_is_valid(const char *class);

// The row of the class or of the nearest class it is a subclass of ("": every class). In the arena.
// EC_INVALID_PARAMETER.
enum ec receive_folder_get(struct mbox_tx *tx, struct arena *arena, const char *class,
                           struct receive_folder *out);
// All rows. EC_NO_RECEIVE_FOLDER: there are none.
enum ec receive_folder_list(struct mbox_tx *tx, struct arena *arena, struct receive_folders *out);
// `fid` 0 takes the class out. EC_INVALID_PARAMETER: no valid class; EC_ACCESS_DENIED: "IPM" and
// "Report.IPM" stay; EC_CALL_FAILED: "" cannot be taken out; EC_NOT_FOUND: no such folder;
// EC_NOT_ENOUGH_RESOURCES.
enum ec receive_folder_set(struct mbox_tx *tx, const char *class, uint64_t fid);

// Classes that went to a folder that is being deleted go where they went before they were set.
enum ec receive_folder_drop_folder(struct mbox_tx *tx, uint64_t fid);
