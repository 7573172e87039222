// The public store: one mailbox that is nobody's own, with folders of its own
// ([MS-OXCSTOR] 2.2.1.1.4).
#pragma once

#include "store/store.h"

// Its mailbox has the guid that is its provider UID in entry ids ([MS-OXCDATA] 2.2.4).
extern const struct guid STORE_PUBLIC_GUID;
bool mbox_is_public(const struct mbox *mbox);
bool store_has_public(struct store *store);
// EC_COLLISION when there is one.
enum ec store_create_public(struct store *store, const char *locale);

//     name, id, parent, display name, rights of everybody
#define PUBLIC_FOLDERS(X)                                                                          \
    X(ROOT, 1, 0, "Public Root", 0)                                                                \
    X(IPM_SUBTREE, 4, 1, "IPM_SUBTREE", ROLE_AUTHOR)                                               \
    X(NON_IPM_SUBTREE, 0x80, 1, "NON_IPM_SUBTREE", 0)                                              \
    X(EFORMS_REGISTRY, 0x81, 0x80, "EFORMS REGISTRY", ROLE_AUTHOR)                                 \
    X(SCHEDULE_FREE_BUSY, 0x82, 0x80, "SCHEDULE+ FREE BUSY", ROLE_EDITOR)                          \
    X(OFFLINE_ADDRESS_BOOK, 0x83, 0x80, "OFFLINE ADDRESS BOOK", ROLE_REVIEWER)                     \
    X(RECOVERABLE_ITEMS, 37, 0x80, "Recoverable Items", 0)                                         \
    X(RECOVERABLE_DELETIONS, 38, 37, "Deletions", 0)

enum public_folder {
#define X(name, id, parent, display, rights) FID_PUBLIC_##name = id,
    PUBLIC_FOLDERS(X)
#undef X
};

// --- Limits of a folder; 0: none ---
struct folder_limits {
    uint64_t item_size; // bytes of a message
    uint64_t quota;     // bytes of the folder's messages
    uint32_t age_days;  // messages that arrived longer ago are deleted
};
enum ec folder_get_limits(struct mbox_tx *tx, uint64_t fid, struct folder_limits *out);
enum ec folder_set_limits(struct mbox_tx *tx, uint64_t fid, const struct folder_limits *limits);
// EC_MESSAGE_TOO_BIG, EC_QUOTA_EXCEEDED: a message of `size` bytes has no place in the folder.
enum ec folder_check_limits(struct mbox_tx *tx, uint64_t fid, uint64_t size);
// Deletes (softly) up to `max` messages that are too old, in all folders that have a limit.
enum ec folders_delete_aged(struct mbox_tx *tx, unsigned max, unsigned *n_out);
