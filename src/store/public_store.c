// Making the public store: its folders and who may use them at first ([MS-OXCSTOR] 3.2.5.1.1).
#include "store/public_store.h"

#include <string.h>

#include "mapi/rights.h"
#include "mapi/special_folder.h"
#include "store/folder_internal.h"
#include "store/public_internal.h"
#include "store/store_internal.h"

// The same bytes as ENTRY_ID_PROVIDER_PUBLIC (mailbox/public_test.c compares).
const struct guid STORE_PUBLIC_GUID = {
    {0x1A, 0x44, 0x73, 0x90, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0, 0xAA, 0, 0x2F, 0xC4, 0x5A}};

G_STATIC_ASSERT((int)FID_PUBLIC_IPM_SUBTREE == (int)FID_IPM_SUBTREE);
G_STATIC_ASSERT((int)FID_PUBLIC_RECOVERABLE_DELETIONS == (int)FID_RECOVERABLE_DELETIONS);

bool mbox_is_public(const struct mbox *mbox) {
    return guid_equal(&mbox->guid, &STORE_PUBLIC_GUID);
}

bool store_has_public(struct store *store) {
    ARENA_AUTO arena = arena_new();
    return g_file_test(store_mailbox_path(store, arena, &STORE_PUBLIC_GUID), G_FILE_TEST_EXISTS);
}

enum ec store_create_public(struct store *store, const char *locale) {
    struct mbox_new spec = {.guid = STORE_PUBLIC_GUID,
                            .address = "public",
                            .display_name = "Public Folders",
                            .locale = locale ? locale : "en"};
    return store_create_mailbox(store, &spec);
}

static const struct {
    uint64_t fid, parent;
    const char *name;
    uint32_t rights;
} folders[] = {
#define X(name, id, parent, display, rights) {id, parent, display, rights},
    PUBLIC_FOLDERS(X)
#undef X
};

bool public_folder_at(unsigned i, uint64_t *fid_out, const char **name_out) {
    if (i >= G_N_ELEMENTS(folders))
        return false;
    *fid_out = folders[i].fid;
    *name_out = folders[i].name;
    return true;
}

enum ec public_insert_folders(struct mbox_tx *tx) {
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        struct folder_info f = {
            .fid = folders[i].fid,
            .parent = folders[i].parent,
            .name = folders[i].name,
            .container_class = "IPF.Note",
            .type = folders[i].fid == FID_ROOT ? FOLDER_TYPE_ROOT : FOLDER_TYPE_GENERIC,
            .uid_validity = (uint32_t)filetime_to_unix(tx->now),
            .created = tx->now,
            .changed = tx->now,
        };
        f.cn = f.modseq = mbox_next_id(tx);
        EC_TRY(folder_insert(tx, &f, NULL));
        if (folders[i].rights)
            EC_TRY(folder_set_permission(tx, f.fid, "default", folders[i].rights, false));
    }
    return EC_OK;
}
