// Changing objects of the store by id, with the principal's rights: what ROPs ask for
// ([MS-OXCFOLD] 3.2.5, [MS-OXCMSG] 3.2.5, [MS-OXCPERM] 3.2.4.1).
#include "mailbox/public_read.h"
#include "mailbox/receipt_internal.h"
#include "mapi/props.h"
#include "store/public_store.h"

enum ec mailbox_rights(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out) {
    return rights_of(m, tx, fid, out);
}

enum ec mailbox_require(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t needed) {
    return rights_require(m, tx, fid, needed);
}

enum ec mailbox_require_items(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t any,
                              uint32_t own, const uint64_t *mids, unsigned n) {
    return rights_require_items(m, tx, fid, any, own, mids, n);
}

enum ec mailbox_is_read(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, const uint64_t *mids,
                        unsigned n, bool *out) {
    if (m->is_public)
        return read_state_which(m, tx, fid, mids, n, out);
    for (unsigned i = 0; i < n; i++) {
        struct message_row row;
        enum ec ec = message_get_row(tx, mids[i], NULL, &row);
        if (ec == EC_OK && row.keywords)
            shared_text_unref(row.keywords);
        out[i] = ec == EC_OK && row.flags & MSG_READ;
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}

enum ec mailbox_unread(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint32_t *out) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, fid, &info));
    *out = info.n_unread;
    return m->is_public ? read_state_unread(m, tx, fid, out) : EC_OK;
}

// --- Messages ---

struct put {
    struct mailbox *m;
    uint64_t fid, size;
    mailbox_put put;
    void *ctx;
    struct mailbox_limits limits;
};

static enum ec change_put(struct mbox_tx *tx, void *ctx) {
    struct put *p = ctx;
    uint64_t mid;
    struct mbox_usage before;
    EC_TRY(rights_require(p->m, tx, p->fid, RIGHTS_CREATE));
    mbox_get_usage(tx, &before);
    EC_TRY(quota_admit(&p->limits, tx, p->fid, p->size, 1));
    if (p->m->is_public)
        EC_TRY(folder_check_limits(tx, p->fid, p->size));
    EC_TRY(p->put(tx, p->ctx, &mid));
    EC_TRY(rights_note_creator(p->m, tx, mid));
    if (p->m->is_public) {
        bool is_read = true; // whoever wrote it knows it
        EC_TRY(read_state_set(p->m, tx, p->fid, &mid, 1, &is_read));
    }
    return quota_settled(&p->limits, tx, &before);
}

enum ec mailbox_put_message(struct mailbox *m, uint64_t fid, uint64_t size, mailbox_put put,
                            void *ctx) {
    struct put p = {.m = m, .fid = fid, .size = size, .put = put, .ctx = ctx};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &p.limits));
    return mbox_write(m->mbox, change_put, &p);
}

struct edit {
    struct mailbox *m;
    uint64_t fid, mid;
    mbox_change change;
    void *ctx;
    struct mailbox_limits limits;
};

static enum ec change_edit(struct mbox_tx *tx, void *ctx) {
    struct edit *e = ctx;
    struct mbox_usage before;
    EC_TRY(rights_require_items(e->m, tx, e->fid, RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, &e->mid, 1));
    mbox_get_usage(tx, &before);
    EC_TRY(e->change(tx, e->ctx));
    return quota_settled(&e->limits, tx, &before);
}

enum ec mailbox_edit_message(struct mailbox *m, uint64_t fid, uint64_t mid, mbox_change change,
                             void *ctx) {
    struct edit e = {.m = m, .fid = fid, .mid = mid, .change = change, .ctx = ctx};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &e.limits));
    return mbox_write(m->mbox, change_edit, &e);
}

enum ec mailbox_has_read(struct mailbox *m, struct mbox_tx *tx, uint64_t fid, uint64_t mid,
                         bool *out) {
    return read_state_which(m, tx, fid, &mid, 1, out);
}

struct delete {
    struct mailbox *m;
    uint64_t fid;
    const uint64_t *mids;
    unsigned n;
    bool is_hard, notifies;
    struct receipts receipts;
    unsigned n_deleted;
};

static enum ec change_delete(struct mbox_tx *tx, void *ctx) {
    struct delete *d = ctx;
    g_autofree uint64_t *mids = g_new(uint64_t, d->n + 1);
    unsigned n = 0;
    EC_TRY(rights_require(d->m, tx, d->fid, RIGHTS_VISIBLE));
    for (unsigned i = 0; i < d->n; i++)
        if (rights_require_items(d->m, tx, d->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED,
                                 &d->mids[i], 1) == EC_OK)
            mids[n++] = d->mids[i];
    if (n == 0 && d->n > 0)
        return EC_ACCESS_DENIED;
    if (d->notifies) {
        EC_TRY(receipts_note(&d->receipts, tx, d->fid, mids, n, RECEIPT_NOT_READ));
        EC_TRY(receipts_mark(&d->receipts, tx, d->fid));
    }
    return message_delete(tx, d->fid, mids, n, d->is_hard ? DELETE_HARD : DELETE_SOFT,
                          &d->n_deleted);
}

enum ec mailbox_delete_messages(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n,
                                bool is_hard, bool notifies, unsigned *n_out) {
    struct delete d = {m, fid, mids, n, is_hard, notifies, {0}, 0};
    if (notifies)
        receipts_begin(m, &d.receipts);
    enum ec ec = mbox_write(m->mbox, change_delete, &d);
    if (ec == EC_OK && notifies)
        receipts_send(m, &d.receipts);
    if (notifies)
        receipts_end(&d.receipts);
    EC_TRY(ec);
    *n_out = d.n_deleted;
    return d.n_deleted == n ? EC_OK : EC_PARTIAL_COMPLETION;
}

// --- Folders ---

struct tree {
    struct mailbox *m;
    uint64_t fid, parent, source;
    const char *name, *comment;
    unsigned flags;
    bool is_search, may_exist, is_deep, with_associated;
    struct mailbox_limits limits;
    bool is_existing; // out
    GArray *gone;     // of uint64_t: folders that were deleted
};

enum ec mailbox_own_folder(struct mailbox *m, struct mbox_tx *tx, uint64_t fid) {
    char text[GUID_STRING_SIZE];
    if (rights_are_full(m) || m->who->is_anonymous)
        return EC_OK;
    guid_format(&m->who->guid, text);
    return folder_set_permission(tx, fid, text, ROLE_OWNER, false);
}

static enum ec own(struct tree *t, struct mbox_tx *tx) {
    return mailbox_own_folder(t->m, tx, t->fid);
}

static enum ec set_comment(struct tree *t, struct mbox_tx *tx) {
    BAG_AUTO bag = bag_new();
    if (!t->comment || !*t->comment)
        return EC_OK;
    bag_set_str(bag, PidTagComment, t->comment);
    return folder_set_props(tx, t->fid, bag, NULL, 0);
}

static enum ec change_add(struct mbox_tx *tx, void *ctx) {
    struct tree *t = ctx;
    enum folder_type type = t->is_search ? FOLDER_TYPE_SEARCH : FOLDER_TYPE_GENERIC;
    t->is_existing = false;
    EC_TRY(rights_require(t->m, tx, t->parent, RIGHTS_VISIBLE));
    enum ec ec = folder_find(tx, t->parent, t->name, &t->fid);
    if (ec == EC_OK) {
        ARENA_AUTO arena = arena_new();
        struct folder_info info;
        EC_TRY(folder_get(tx, arena, t->fid, &info));
        if (!t->may_exist || info.type != type)
            return EC_COLLISION;
        EC_TRY(rights_require(t->m, tx, t->fid, RIGHTS_VISIBLE));
        t->is_existing = true;
        return EC_OK;
    }
    if (ec != EC_NOT_FOUND)
        return ec;
    EC_TRY(rights_require(t->m, tx, t->parent, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(quota_admit_folder(&t->limits, tx, t->parent, true));
    EC_TRY(folder_create(tx, t->parent, t->name, type, NULL, &t->fid));
    EC_TRY(set_comment(t, tx));
    return own(t, tx);
}

enum ec mailbox_add_folder(struct mailbox *m, uint64_t parent, const char *name, bool is_search,
                           bool may_exist, const char *comment, uint64_t *fid_out,
                           bool *is_existing_out) {
    struct tree t = {.m = m,
                     .parent = parent,
                     .name = name,
                     .comment = comment,
                     .is_search = is_search,
                     .may_exist = may_exist};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &t.limits));
    EC_TRY(mbox_write(m->mbox, change_add, &t));
    *fid_out = t.fid;
    *is_existing_out = t.is_existing;
    return EC_OK;
}

static enum ec list_below(struct mbox_tx *tx, uint64_t fid, GArray *out) {
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    g_array_set_size(out, 0);
    EC_TRY(folder_list(tx, arena, fid, true, &list));
    for (unsigned i = 0; i < list.n; i++)
        g_array_append_val(out, list.items[i].fid);
    return EC_OK;
}

// Everything below a folder that goes with it must be the principal's to delete.
static enum ec require_below(struct tree *t, struct mbox_tx *tx, uint64_t fid) {
    EC_TRY(list_below(tx, fid, t->gone));
    for (guint i = 0; i < t->gone->len; i++)
        EC_TRY(rights_require(t->m, tx, g_array_index(t->gone, uint64_t, i), RIGHTS_OWNER));
    return EC_OK;
}

static enum ec change_remove(struct mbox_tx *tx, void *ctx) {
    struct tree *t = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, t->fid, &info));
    if (t->parent && info.parent != t->parent)
        return EC_NOT_FOUND;
    EC_TRY(rights_require(t->m, tx, t->fid, RIGHTS_OWNER));
    EC_TRY(require_below(t, tx, t->fid));
    if (info.type == FOLDER_TYPE_SEARCH) // what it shows is not its own
        t->flags |= FOLDER_DELETE_MESSAGES;
    EC_TRY(folder_delete(tx, t->fid, t->flags));
    g_array_append_val(t->gone, t->fid);
    return EC_OK;
}

static void folders_gone(struct tree *t) {
    for (guint i = 0; i < t->gone->len; i++)
        public_folder_gone(t->m, g_array_index(t->gone, uint64_t, i));
}

enum ec mailbox_remove_folder(struct mailbox *m, uint64_t parent, uint64_t fid, unsigned flags) {
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct tree t = {.m = m, .fid = fid, .parent = parent, .flags = flags, .gone = gone};
    EC_TRY(mbox_write(m->mbox, change_remove, &t));
    folders_gone(&t);
    return EC_OK;
}

static enum ec change_empty(struct mbox_tx *tx, void *ctx) {
    struct tree *t = ctx;
    EC_TRY(rights_require(t->m, tx, t->fid, RIGHTS_DELETE_ANY));
    if (t->flags & FOLDER_DELETE_FOLDERS)
        EC_TRY(require_below(t, tx, t->fid));
    return folder_empty(tx, t->fid, t->flags, t->with_associated);
}

enum ec mailbox_empty_folder(struct mailbox *m, uint64_t fid, bool is_hard, bool with_folders,
                             bool with_associated) {
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    unsigned flags = FOLDER_DELETE_MESSAGES | (is_hard ? FOLDER_DELETE_HARD : 0) |
                     (with_folders ? FOLDER_DELETE_FOLDERS : 0);
    struct tree t = {
        .m = m, .fid = fid, .flags = flags, .with_associated = with_associated, .gone = gone};
    EC_TRY(mbox_write(m->mbox, change_empty, &t));
    folders_gone(&t);
    return EC_OK;
}

static enum ec change_move(struct mbox_tx *tx, void *ctx) {
    struct tree *t = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(folder_get(tx, arena, t->fid, &info));
    if (t->fid < FID_FIRST_FREE && info.parent != t->parent)
        return EC_ACCESS_DENIED;
    EC_TRY(rights_require(t->m, tx, t->fid, RIGHTS_OWNER));
    EC_TRY(rights_require(t->m, tx, t->parent, RIGHTS_CREATE_SUBFOLDER));
    if (info.parent != t->parent)
        EC_TRY(quota_admit_folder(&t->limits, tx, t->parent, false));
    return folder_move(tx, t->fid, t->parent, t->name);
}

enum ec mailbox_move_folder(struct mailbox *m, uint64_t fid, uint64_t new_parent,
                            const char *name) {
    struct tree t = {.m = m, .fid = fid, .parent = new_parent, .name = name};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &t.limits));
    return mbox_write(m->mbox, change_move, &t);
}

static enum ec change_copy(struct mbox_tx *tx, void *ctx) {
    struct tree *t = ctx;
    g_autoptr(GArray) below = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct mbox_usage before;
    uint64_t from = t->source;
    EC_TRY(rights_require(t->m, tx, from, RIGHTS_READ_ANY));
    EC_TRY(rights_require(t->m, tx, t->parent, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(list_below(tx, from, below));
    for (guint i = 0; t->is_deep && i < below->len; i++)
        EC_TRY(rights_require(t->m, tx, g_array_index(below, uint64_t, i), RIGHTS_READ_ANY));
    mbox_get_usage(tx, &before);
    EC_TRY(quota_admit_folder(&t->limits, tx, t->parent, true));
    EC_TRY(folder_copy(tx, from, t->parent, t->name, t->is_deep, &t->fid));
    enum ec ec = own(t, tx);
    if (ec == EC_OK)
        ec = quota_settled(&t->limits, tx, &before);
    return ec;
}

enum ec mailbox_copy_folder(struct mailbox *m, uint64_t fid, uint64_t new_parent, const char *name,
                            bool is_deep, uint64_t *fid_out) {
    struct tree t = {.m = m, .source = fid, .parent = new_parent, .name = name, .is_deep = is_deep};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &t.limits));
    EC_TRY(mbox_write(m->mbox, change_copy, &t));
    *fid_out = t.fid;
    return EC_OK;
}
