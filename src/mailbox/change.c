// Changing messages that are there: flags, copy, move, expunge.
#include "mailbox/mailbox_internal.h"

// What the store says of copied messages is what mailbox.h promises; the structs are the same.
G_STATIC_ASSERT(sizeof(struct mailbox_copied) == sizeof(struct message_copied));
G_STATIC_ASSERT(G_STRUCT_OFFSET(struct mailbox_copied, new_uid) ==
                G_STRUCT_OFFSET(struct message_copied, new_uid));

struct change_messages {
    struct mailbox *m;
    uint64_t fid, to;
    const uint64_t *mids;
    unsigned n;
    struct message_flags_change flags;
    struct mailbox_limits limits;
    GArray **out;
};

static enum ec change_flags(struct mbox_tx *tx, void *ctx) {
    struct change_messages *c = ctx;
    // Marking for deletion is the first half of deleting, and needs that right alone.
    bool deletes = c->flags.mode != FLAGS_REMOVE && (c->flags.flags & MSG_DELETED);
    bool only_deletes = deletes && c->flags.mode == FLAGS_ADD && c->flags.flags == MSG_DELETED &&
                        c->flags.n_keywords == 0;
    if (!only_deletes)
        EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, c->mids,
                                    c->n));
    if (deletes)
        EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED,
                                    c->mids, c->n));
    return message_change_flags(tx, c->fid, c->mids, c->n, &c->flags, c->out);
}

enum ec mailbox_change_flags(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n,
                             const struct mailbox_flags *change, GArray **modified_out) {
    static const enum message_flags_mode modes[] = {
        [MAILBOX_FLAGS_ADD] = FLAGS_ADD,
        [MAILBOX_FLAGS_REMOVE] = FLAGS_REMOVE,
        [MAILBOX_FLAGS_SET] = FLAGS_SET,
    };
    struct change_messages c = {.m = m, .fid = fid, .mids = mids, .n = n, .out = modified_out};
    c.flags = (struct message_flags_change){
        .mode = modes[change->mode],
        .flags = change->flags & MSG_CLIENT_FLAGS,
        .keywords = change->keywords,
        .n_keywords = change->n_keywords,
        .unchanged_since = change->unchanged_since,
    };
    return mbox_write(m->mbox, change_flags, &c);
}

// What is copied or moved is afterwards the work of whoever did it.
static enum ec transfer(struct change_messages *c, struct mbox_tx *tx,
                        enum ec (*store)(struct mbox_tx *tx, uint64_t from, const uint64_t *mids,
                                         unsigned n, uint64_t to, GArray **out)) {
    g_autoptr(GArray) copied = NULL;
    EC_TRY(store(tx, c->fid, c->mids, c->n, c->to, &copied));
    EC_TRY(rights_note_creators(c->m, tx, copied));
    if (c->out)
        *c->out = g_steal_pointer(&copied);
    return EC_OK;
}

static enum ec change_copy(struct mbox_tx *tx, void *ctx) {
    struct change_messages *c = ctx;
    EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE, c->mids, c->n));
    EC_TRY(rights_require(c->m, tx, c->to, RIGHTS_CREATE));
    struct mbox_usage before;
    mbox_get_usage(tx, &before);
    EC_TRY(quota_admit(&c->limits, tx, c->to, 0, c->n));
    EC_TRY(transfer(c, tx, message_copy));
    enum ec ec = quota_settled(&c->limits, tx, &before);
    if (ec != EC_OK && c->out)
        g_clear_pointer(c->out, g_array_unref);
    return ec;
}

enum ec mailbox_copy(struct mailbox *m, uint64_t from, const uint64_t *mids, unsigned n,
                     uint64_t to, GArray **out) {
    struct change_messages c = {.m = m, .fid = from, .mids = mids, .n = n, .to = to, .out = out};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    return mbox_write(m->mbox, change_copy, &c);
}

static enum ec change_move(struct mbox_tx *tx, void *ctx) {
    struct change_messages *c = ctx;
    EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE, c->mids, c->n));
    EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, c->mids,
                                c->n));
    EC_TRY(rights_require(c->m, tx, c->to, RIGHTS_CREATE));
    // What only changes its folder is let in even when the mailbox is full.
    if (c->limits.folder_items && c->fid != c->to) {
        uint64_t items;
        EC_TRY(folder_get_items(tx, c->to, &items));
        if (items + c->n > c->limits.folder_items)
            return EC_TOO_MANY_OBJECTS;
    }
    return transfer(c, tx, message_move);
}

enum ec mailbox_move(struct mailbox *m, uint64_t from, const uint64_t *mids, unsigned n,
                     uint64_t to, GArray **out) {
    struct change_messages c = {.m = m, .fid = from, .mids = mids, .n = n, .to = to, .out = out};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    return mbox_write(m->mbox, change_move, &c);
}

static enum ec change_expunge(struct mbox_tx *tx, void *ctx) {
    struct change_messages *c = ctx;
    EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, c->mids,
                                c->n));
    return message_delete(tx, c->fid, c->mids, c->n, DELETE_SOFT, NULL);
}

enum ec mailbox_expunge(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n) {
    struct change_messages c = {.m = m, .fid = fid, .mids = mids, .n = n};
    return n ? mbox_write(m->mbox, change_expunge, &c) : EC_OK;
}
