// Deleted folders that can be restored ([MS-OXCFOLD] 3.1.4.2.3, soft-deleted folders).
//
// A folder that is deleted, not for good, leaves what it was: its place, name, class, properties
// and permissions; its messages, associated ones too, lie in Recoverable Items\Deletions and know
// which folder they came from. It is shown in soft-deleted hierarchy tables, and forgotten when
// deleted messages of its age are purged. A folder that is restored is a new one (another id) that
// is as the old one was.
#pragma once

#include "store/folder.h"

struct gone_folder {
    uint64_t fid, parent;
    const char *name, *path, *class; // path as folder_path; in the arena
    bool is_hidden;
    filetime_t created, deleted;
    unsigned n_messages; // that can be restored, without associated ones
};
struct gone_folders {
    struct gone_folder *items; // by path
    unsigned n;
};
enum ec gone_folders_list(struct mbox_tx *tx, struct arena *arena, struct gone_folders *out);

// Gives a folder the properties and permissions of a deleted one. In a write. EC_NOT_FOUND.
enum ec gone_folder_dress(struct mbox_tx *tx, uint64_t gone, uint64_t fid);
// It is restored (or not wanted): forgotten, its name too when no message needs it any longer.
enum ec gone_folder_forget(struct mbox_tx *tx, uint64_t gone);

// Before a folder's row goes (folder_tree.c).
enum ec gone_folder_note(struct mbox_tx *tx, uint64_t fid);
// Forgets what belongs to names that were forgotten (recoverable_forget_folders).
enum ec gone_folders_purge(struct mbox_tx *tx);

extern const char sql_gone_state_set[], sql_gone_state_get[], sql_gone_permissions_copy[],
    sql_gone_permissions_get[], sql_gone_list[], sql_gone_state_drop[], sql_gone_permissions_drop[],
    sql_gone_name_drop[], sql_gone_state_purge[], sql_gone_permission_purge[];
