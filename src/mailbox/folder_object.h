// Folders by id, as objects with properties: how EWS reads and changes the tree ([MS-OXWSFOLD],
// [MS-OXCFOLD] 2.2.1, 2.2.2). Other protocols that know folders by id use the same.
//
// Reading needs RIGHTS_VISIBLE, changing the object RIGHTS_OWNER, making one below it
// RIGHTS_CREATE_SUBFOLDER; EC_NOT_FOUND where not even the existence may be seen.
#pragma once

#include "mailbox/mailbox.h"
#include "mapi/bag.h"

struct mailbox_folder_object {
    uint64_t fid, parent, cn;
    const char *name, *container_class; // in the arena; "" none
    bool is_search, is_hidden;
    uint32_t n_messages, n_unread, n_children;
    uint32_t rights;   // of the principal
    struct bag *props; // stored and computed ones; NULL unless they were asked for
};
// props goes with mailbox_folder_object_clear.
enum ec mailbox_get_folder_object(struct mailbox *m, struct arena *arena, uint64_t fid,
                                  bool with_props, struct mailbox_folder_object *out);
void mailbox_folder_object_clear(struct mailbox_folder_object *f);

struct mailbox_folder_objects {
    struct mailbox_folder_object *items; // parents before children, siblings by name
    unsigned n;
    uint64_t root;
};
// Those below `root` that may be seen, hidden ones too; props when asked for.
enum ec mailbox_list_folder_objects(struct mailbox *m, struct arena *arena, uint64_t root,
                                    bool is_deep, bool with_props,
                                    struct mailbox_folder_objects *out);
// Folders that were deleted and can be restored, of which `root` was the parent (is_deep: or above
// them). For the owner.
enum ec mailbox_list_deleted_folders(struct mailbox *m, struct arena *arena, uint64_t root,
                                     bool is_deep, struct mailbox_folder_objects *out);
void mailbox_folder_objects_clear(struct mailbox_folder_objects *list);
// The child of `parent` with this name, caselessly. EC_NOT_FOUND.
enum ec mailbox_find_child(struct mailbox *m, uint64_t parent, const char *name, uint64_t *fid_out);

// What a search folder looks for ([MS-OXWSSRCH] 2.2.4.33, store/search_folder.h).
struct mailbox_search_criteria {
    const struct restriction *restriction; // NULL: every message
    const uint64_t *scope;
    unsigned n_scope;
    bool is_recursive;
};
// In the arena. EC_NOT_SEARCH_FOLDER, EC_NOT_INITIALIZED.
enum ec mailbox_get_search_criteria(struct mailbox *m, struct arena *arena, uint64_t fid,
                                    struct mailbox_search_criteria *out);

struct mailbox_folder_new {
    const char *name, *container_class;           // class NULL: the parent's
    const struct bag *set;                        // NULL: nothing else
    const struct mailbox_search_criteria *search; // not NULL: a search folder
};
// EC_COLLISION, EC_BAD_FOLDER_NAME, EC_SEARCH_FOLDER (the parent is one).
enum ec mailbox_create_folder_object(struct mailbox *m, uint64_t parent,
                                     const struct mailbox_folder_new *spec, uint64_t *fid_out);

struct mailbox_folder_change {
    uint64_t cn;           // 0: whatever it is; else EC_OBJECT_MODIFIED
    const struct bag *set; // PidTagDisplayName renames; NULL: nothing
    const proptag_t *remove;
    unsigned n_remove;
    const struct mailbox_search_criteria *search; // NULL: as they are
};
enum ec mailbox_update_folder_object(struct mailbox *m, uint64_t fid,
                                     const struct mailbox_folder_change *change);

// EC_ACCESS_DENIED for special folders; EC_FOLDER_CYCLE, EC_COLLISION.
enum ec mailbox_move_folder_object(struct mailbox *m, uint64_t fid, uint64_t new_parent);
// With everything below it.
enum ec mailbox_copy_folder_object(struct mailbox *m, uint64_t fid, uint64_t new_parent,
                                   uint64_t *fid_out);

enum mailbox_delete_folder {
    MAILBOX_FOLDER_HARD,     // for good (a hold keeps the messages)
    MAILBOX_FOLDER_SOFT,     // restorable
    MAILBOX_FOLDER_TO_TRASH, // below Deleted Items, under another name when that one is taken
};
// With everything below it. EC_ACCESS_DENIED for special folders.
enum ec mailbox_delete_folder_object(struct mailbox *m, uint64_t fid,
                                     enum mailbox_delete_folder how);
// The messages, and with `with_folders` what is below. EC_SEARCH_FOLDER; EC_ACCESS_DENIED when a
// special folder is below.
enum ec mailbox_empty_folder_object(struct mailbox *m, uint64_t fid, enum mailbox_delete_folder how,
                                    bool with_folders);
