// Folders: create, move, copy, delete, counts ([MS-OXCFOLD]).
//
// All functions that change need a write transaction, assign change numbers and publish events.
#pragma once

#include "mapi/bag.h"
#include "store/store.h"

#define FOLDER_NAME_MAX 255 // characters
#define FOLDER_MAX_DEPTH 300

enum folder_type { FOLDER_TYPE_ROOT = 0, FOLDER_TYPE_GENERIC = 1, FOLDER_TYPE_SEARCH = 2 };

struct folder_info {
    uint64_t fid, parent;
    const char *name;            // display name, UTF-8
    const char *container_class; // "" none
    enum folder_type type;
    uint32_t n_messages, n_unread, n_associated, n_soft_deleted, n_subfolders;
    uint64_t size;   // bytes of the normal and associated messages
    uint64_t cn;     // change number of the folder object
    uint64_t modseq; // the newest change of its contents; IMAP HIGHESTMODSEQ
    uint32_t uid_validity, uid_next;
    filetime_t created, changed;
    bool is_subscribed; // IMAP LSUB
    bool is_hidden;     // PidTagAttributeHidden
};

enum ec folder_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid, struct folder_info *out);

// The child of `parent` called `name` (caselessly). EC_NOT_FOUND.
enum ec folder_find(struct mbox_tx *tx, uint64_t parent, const char *name, uint64_t *fid_out);

// All folders below `root` (not itself), parents before children, siblings by name; of the first
// level only unless `is_deep`. In the arena.
struct folder_list {
    struct folder_info *items;
    unsigned n;
};
enum ec folder_list(struct mbox_tx *tx, struct arena *arena, uint64_t root, bool is_deep,
                    struct folder_list *out);

// EC_COLLISION: the name is taken; EC_BAD_FOLDER_NAME: empty, too long or not UTF-8;
// EC_TOO_COMPLEX: too deep; EC_NOT_FOUND: no such parent. `container_class` NULL: the parent's.
enum ec folder_create(struct mbox_tx *tx, uint64_t parent, const char *name, enum folder_type type,
                      const char *container_class, uint64_t *fid_out);

// The same with a client's id that was claimed for it (replica.h).
enum ec folder_create_as(struct mbox_tx *tx, uint64_t fid, uint64_t parent, const char *name,
                         const char *container_class);

// The child of that name if there is one (*is_existing_out), else a new folder.
enum ec folder_open_or_create(struct mbox_tx *tx, uint64_t parent, const char *name,
                              enum folder_type type, const char *container_class, uint64_t *fid_out,
                              bool *is_existing_out);

// Moves and renames in one step (new_name NULL: keeps it). EC_FOLDER_CYCLE, EC_COLLISION,
// EC_ACCESS_DENIED for a special folder's parent change.
enum ec folder_move(struct mbox_tx *tx, uint64_t fid, uint64_t new_parent, const char *new_name);

// Copies a folder with its messages (and subfolders when `is_deep`).
enum ec folder_copy(struct mbox_tx *tx, uint64_t fid, uint64_t new_parent, const char *new_name,
                    bool is_deep, uint64_t *fid_out);

enum folder_delete_flags {
    FOLDER_DELETE_MESSAGES = 1, // otherwise EC_HAS_MESSAGES
    FOLDER_DELETE_FOLDERS = 4,  // otherwise EC_HAS_FOLDERS
    FOLDER_DELETE_HARD =
        16, // now; otherwise messages are kept soft-deleted in Recoverable Items\Deletions
};
// EC_ACCESS_DENIED for special folders, EC_NOT_SUPPORTED for the root.
enum ec folder_delete(struct mbox_tx *tx, uint64_t fid, unsigned flags);

// Deletes the messages (and subfolders with FOLDER_DELETE_FOLDERS); associated ones too when
// `with_associated`.
enum ec folder_empty(struct mbox_tx *tx, uint64_t fid, unsigned flags, bool with_associated);

// Properties of the folder object: its bag, with the computed ones (PidTagContentCount,
// PidTagDisplayName, PidTagFolderId, ...) filled in. *out: bag_free.
enum ec folder_get_props(struct mbox_tx *tx, uint64_t fid, struct bag **out);
// The folder's own bag, without computed properties. *out: bag_free.
enum ec folder_get_stored_props(struct mbox_tx *tx, uint64_t fid, struct bag **out);
// Sets and removes; computed ones are EC_COMPUTED; PidTagDisplayName renames.
enum ec folder_set_props(struct mbox_tx *tx, uint64_t fid, const struct bag *set,
                         const uint32_t *remove, unsigned n_remove);

enum ec folder_set_subscribed(struct mbox_tx *tx, uint64_t fid, bool is_subscribed);

// --- Permissions (data side; rights are evaluated in mailbox/) ---
struct folder_permission {
    uint64_t fid;
    const char *member; // GUID text of a directory object, "default" or "anonymous"
    uint32_t rights;    // enum folder_rights
};
struct folder_permissions {
    struct folder_permission *items;
    unsigned n;
};
enum ec folder_get_permissions(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                               struct folder_permissions *out);
// Of every folder that has any, ordered by fid.
enum ec folder_get_all_permissions(struct mbox_tx *tx, struct arena *arena,
                                   struct folder_permissions *out);
// The whole list anew (`fid` of the entries is not looked at).
enum ec folder_set_permissions(struct mbox_tx *tx, uint64_t fid,
                               const struct folder_permissions *list);
// rights 0 with `remove` true takes the member out.
enum ec folder_set_permission(struct mbox_tx *tx, uint64_t fid, const char *member, uint32_t rights,
                              bool remove);
