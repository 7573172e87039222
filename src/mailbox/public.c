// The public folders: opening them, what limits they have, deleting what is too old
// ([MS-OXCSTOR] 3.2.5.1.1).
#include <string.h>

#include "base/log.h"
#include "mailbox/mailbox_internal.h"
#include "store/background.h"
#include "store/public_store.h"

#define AGING_BATCH 500 // messages deleted in one transaction

const struct guid *mailbox_public_guid(void) {
    return &STORE_PUBLIC_GUID;
}

enum ec mailbox_create_public(struct mailbox_service *s) {
    return store_create_public(s->store, "en");
}

enum ec mailbox_open_public(struct mailbox_service *s, struct principal *who,
                            struct mailbox **out) {
    return store_has_public(s->store) ? mailbox_open(s, who, &STORE_PUBLIC_GUID, out)
                                      : EC_NOT_FOUND;
}

bool mailbox_is_public(const struct mailbox *m) {
    return m->is_public;
}

// --- Limits ---

struct limits_change {
    struct mailbox *m;
    uint64_t fid;
    struct folder_limits limits;
};

static enum ec change_limits(struct mbox_tx *tx, void *ctx) {
    struct limits_change *c = ctx;
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_OWNER));
    return folder_set_limits(tx, c->fid, &c->limits);
}

enum ec mailbox_set_folder_limits(struct mailbox *m, uint64_t fid,
                                  const struct mailbox_folder_limits *limits) {
    struct limits_change c = {m, fid, {limits->item_size, limits->quota, limits->age_days}};
    return m->is_public ? mbox_write(m->mbox, change_limits, &c) : EC_NOT_SUPPORTED;
}

enum ec mailbox_get_folder_limits(struct mailbox *m, uint64_t fid,
                                  struct mailbox_folder_limits *out) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_limits limits;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, fid, RIGHTS_VISIBLE));
    EC_TRY(folder_get_limits(tx, fid, &limits));
    *out = (struct mailbox_folder_limits){limits.item_size, limits.quota, limits.age_days};
    return EC_OK;
}

// --- Ageing ---

static enum ec change_age(struct mbox_tx *tx, void *ctx) {
    return folders_delete_aged(tx, AGING_BATCH, ctx);
}

enum ec public_delete_aged(struct mbox *mbox, unsigned *n_out) {
    unsigned n = 0;
    *n_out = 0;
    do {
        EC_TRY(mbox_write(mbox, change_age, &n));
        *n_out += n;
    } while (n == AGING_BATCH && !background_is_stopping(mbox));
    return EC_OK;
}

static void age(struct mbox *mbox) {
    unsigned n;
    enum ec ec = public_delete_aged(mbox, &n);
    if (ec != EC_OK)
        log_event(LOG_LEVEL_ERROR, "public.aging_failed", "error", ec_name(ec), NULL);
    else if (n > 0)
        log_event(LOG_LEVEL_INFO, "public.aged", "messages", log_u64(n), NULL);
}

void mailbox_age_public(struct mailbox_service *s) {
    MBOX_AUTO mbox = NULL;
    if (store_has_public(s->store) &&
        store_open_mailbox(s->store, &STORE_PUBLIC_GUID, &mbox) == EC_OK)
        background_want(mbox, age, 0, false);
}

// --- Addresses of folders ---

static bool is_mail_folder(uint64_t fid) {
    return fid >= FID_FIRST_FREE;
}

enum ec mailbox_mail_enable(struct mailbox *m, const char *path, const char *address,
                            const char *display_name) {
    ARENA_AUTO arena = arena_new();
    struct directory *d = m->service->directory;
    struct mailbox_folder f;
    if (!m->is_public)
        return EC_NOT_SUPPORTED;
    if (!m->who->is_admin) // the directory is the administrator's
        return EC_ACCESS_DENIED;
    EC_TRY(mailbox_find_folder(m, arena, path, &f));
    if (!is_mail_folder(f.fid))
        return EC_NOT_SUPPORTED;
    const char *slash = strrchr(f.path, '/');
    struct directory_object object = {.address = address,
                                      .display_name = display_name ? display_name
                                                      : slash      ? slash + 1
                                                                   : f.path};
    return directory_add_folder(d, &object, f.fid);
}

enum ec mailbox_mail_disable(struct mailbox *m, const char *path) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder f;
    struct directory_object *object;
    if (!m->is_public)
        return EC_NOT_SUPPORTED;
    if (!m->who->is_admin)
        return EC_ACCESS_DENIED;
    EC_TRY(mailbox_find_folder(m, arena, path, &f));
    EC_TRY(directory_find_folder(m->service->directory, arena, f.fid, &object));
    return directory_remove(m->service->directory, &object->guid);
}

void public_folder_gone(struct mailbox *m, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object;
    if (m->is_public && m->service->directory &&
        directory_find_folder(m->service->directory, arena, fid, &object) == EC_OK)
        directory_remove(m->service->directory, &object->guid);
}
