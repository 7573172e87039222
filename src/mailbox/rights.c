// Who may do what: the only place where rights are decided ([MS-OXCPERM] 3.1.4).
//
// The owner of a mailbox and the administrator may do everything. For others an entry of their own
// counts alone; without one, the entries of all groups they are in count together; without any, the
// folder's default entry does.
#include <string.h>

#include "mailbox/mailbox_internal.h"

static uint32_t rights_in(const struct mailbox *m, const struct folder_permissions *permissions) {
    uint32_t by_default = 0, by_group = 0;
    bool in_group = false;
    for (unsigned i = 0; i < permissions->n; i++) {
        const struct folder_permission *p = &permissions->items[i];
        struct guid member;
        if (strcmp(p->member, "default") == 0) {
            by_default = p->rights;
        } else if (guid_parse(p->member, &member)) {
            if (guid_equal(&member, &m->who->guid))
                return p->rights;
            if (directory_is_member(m->service->directory, &member, &m->who->guid)) {
                by_group |= p->rights;
                in_group = true;
            }
        }
    }
    return in_group ? by_group : by_default;
}

enum ec rights_of(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out) {
    if (m->is_owner) {
        *out = RIGHTS_ALL;
        return EC_OK;
    }
    ARENA_AUTO arena = arena_new();
    struct folder_permissions permissions;
    EC_TRY(folder_get_permissions(tx, arena, fid, &permissions));
    uint32_t rights = rights_in(m, &permissions);
    *out = rights & RIGHTS_OWNER ? (uint32_t)RIGHTS_ALL : rights;
    return EC_OK;
}

enum ec rights_require(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed) {
    uint32_t rights;
    EC_TRY(rights_of(m, tx, fid, &rights));
    if ((rights & needed) == needed)
        return EC_OK;
    return rights & (RIGHTS_VISIBLE | RIGHTS_READ_ANY) ? EC_ACCESS_DENIED : EC_NOT_FOUND;
}

enum ec rights_anywhere(const struct mailbox *m, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct folder_list folders;
    EC_TRY(folder_list(tx, arena, FID_IPM_SUBTREE, true, &folders));
    for (unsigned i = 0; i < folders.n; i++) {
        uint32_t rights;
        EC_TRY(rights_of(m, tx, folders.items[i].fid, &rights));
        if (rights & ~(uint32_t)(RIGHTS_FREE_BUSY_SIMPLE | RIGHTS_FREE_BUSY_DETAILED))
            return EC_OK;
    }
    return EC_ACCESS_DENIED;
}
