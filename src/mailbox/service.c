// Opening mailboxes: a principal's own one or somebody else's.
#include "mailbox/archive.h"
#include "mailbox/mailbox_internal.h"
#include "mailbox/sort_index.h"
#include "store/public_store.h"

enum ec mailbox_service_new(struct store *store, struct directory *directory,
                            struct mailbox_service **out) {
    struct mailbox_service *s = g_new0(struct mailbox_service, 1);
    s->store = store;
    s->directory = directory;
    s->quota = quota_cache_new();
    s->owners = owner_cache_new();
    s->sorting = sort_cache_new();
    *out = s;
    return EC_OK;
}

void mailbox_service_free(struct mailbox_service *s) {
    if (!s)
        return;
    quota_cache_free(s->quota);
    owner_cache_free(s->owners);
    sort_cache_free(s->sorting);
    g_free(s);
}

struct directory *mailbox_service_directory(struct mailbox_service *s) {
    return s->directory;
}

struct store *mailbox_service_store(struct mailbox_service *s) {
    return s->store;
}

enum ec mailbox_open_unchecked(struct mailbox_service *s, struct principal *who,
                               const struct guid *guid, struct mailbox **out) {
    struct mbox *mbox;
    EC_TRY(store_open_mailbox(s->store, guid, &mbox));
    struct mailbox *m = g_new0(struct mailbox, 1);
    m->service = s;
    m->who = principal_ref(who);
    m->mbox = mbox;
    m->is_owner = who->is_admin || (!who->is_anonymous && guid_equal(&who->guid, guid));
    m->is_public = mbox_is_public(mbox);
    m->rights = rights_cache_new();
    *out = m;
    return EC_OK;
}

enum ec mailbox_open_own(struct mailbox_service *s, struct principal *who, struct mailbox **out) {
    return mailbox_open_unchecked(s, who, &who->guid, out);
}

enum ec mailbox_open(struct mailbox_service *s, struct principal *who, const struct guid *guid,
                     struct mailbox **out) {
    struct mailbox *m;
    EC_TRY(mailbox_open_unchecked(s, who, guid, &m));
    struct guid owner;
    if (!m->is_owner && mailbox_archive_owner(s, guid, &owner) == EC_OK)
        m->is_owner = guid_equal(&who->guid, &owner);
    if (!m->is_owner) {
        struct mbox_tx *tx;
        enum ec ec = mbox_read(m->mbox, &tx);
        if (ec == EC_OK) {
            ec = rights_anywhere(m, tx);
            mbox_read_end(tx);
        }
        if (ec != EC_OK) {
            mailbox_close(m);
            return ec;
        }
    }
    *out = m;
    return EC_OK;
}

void mailbox_close(struct mailbox *m) {
    if (!m)
        return;
    rights_cache_free(m->rights);
    mbox_unref(m->mbox);
    principal_unref(m->who);
    g_free(m);
}

const struct principal *mailbox_principal(const struct mailbox *m) {
    return m->who;
}

bool mailbox_is_owner(const struct mailbox *m) {
    return m->is_owner;
}

bool mailbox_owner(const struct mailbox *m, struct guid *out) {
    *out = *mbox_guid(m->mbox);
    return !m->is_public;
}

struct mbox *mailbox_mbox(struct mailbox *m) {
    return m->mbox;
}
