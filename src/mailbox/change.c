// Changing messages that are there: flags, copy, move, expunge.
#include "mailbox/public_read.h"
#include "mailbox/receipt_internal.h"
#include "store/public_store.h"

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
    struct receipts receipts;
    GArray **out;
};

// Flags that are the message's own, seen by everybody.
static enum ec change_shared_flags(struct change_messages *c, struct mbox_tx *tx) {
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
    // What was changed since is answered too: somebody has seen it.
    bool reads = c->flags.flags & MSG_READ && c->flags.mode != FLAGS_REMOVE;
    if (reads)
        EC_TRY(receipts_note(&c->receipts, tx, c->fid, c->mids, c->n, RECEIPT_READ));
    EC_TRY(message_change_flags(tx, c->fid, c->mids, c->n, &c->flags, c->out));
    return reads ? receipts_mark(&c->receipts, tx, c->fid) : EC_OK;
}

// Passes over what was changed since, as message_change_flags does.
static enum ec find_modified(struct change_messages *c, struct mbox_tx *tx, GArray *modified) {
    for (unsigned i = 0; c->flags.unchanged_since != UINT64_MAX && i < c->n; i++) {
        struct message_row row;
        enum ec ec = message_get_row(tx, c->mids[i], NULL, &row);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        if (row.keywords)
            shared_text_unref(row.keywords);
        if (row.modseq > c->flags.unchanged_since)
            g_array_append_val(modified, c->mids[i]);
    }
    return EC_OK;
}

static bool is_among(const GArray *mids, uint64_t mid) {
    for (guint i = 0; i < mids->len; i++)
        if (g_array_index(mids, uint64_t, i) == mid)
            return true;
    return false;
}

// In the public store what one has read is one's own, and reading needs no right to edit. A message
// that the change gave another change number stays read to whoever changed it.
static enum ec change_flags_public(struct change_messages *c, struct mbox_tx *tx) {
    bool sets = c->flags.mode == FLAGS_SET, wants_read = c->flags.flags & MSG_READ;
    bool changes_read = sets || wants_read;
    g_autofree bool *read = g_new0(bool, c->n + 1);
    g_autoptr(GArray) modified = NULL;
    EC_TRY(rights_require_items(c->m, tx, c->fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE, c->mids, c->n));
    EC_TRY(read_state_which(c->m, tx, c->fid, c->mids, c->n, read));
    c->flags.flags &= ~(uint32_t)MSG_READ;
    if (sets || c->flags.flags || c->flags.n_keywords) {
        GArray **out = c->out;
        c->out = &modified;
        enum ec ec = change_shared_flags(c, tx);
        c->out = out;
        EC_TRY(ec);
    }
    if (!modified) {
        modified = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        EC_TRY(find_modified(c, tx, modified));
    }
    for (unsigned i = 0; changes_read && i < c->n; i++)
        if (modified->len == 0 || !is_among(modified, c->mids[i]))
            read[i] = wants_read && c->flags.mode != FLAGS_REMOVE;
    EC_TRY(read_state_set(c->m, tx, c->fid, c->mids, c->n, read));
    if (c->out)
        *c->out = g_steal_pointer(&modified);
    return EC_OK;
}

static enum ec change_flags(struct mbox_tx *tx, void *ctx) {
    struct change_messages *c = ctx;
    return c->m->is_public ? change_flags_public(c, tx) : change_shared_flags(c, tx);
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
    if (c.flags.flags & MSG_READ && change->mode != MAILBOX_FLAGS_REMOVE)
        receipts_begin(m, &c.receipts);
    enum ec ec = mbox_write(m->mbox, change_flags, &c);
    if (ec == EC_OK)
        receipts_send(m, &c.receipts);
    receipts_end(&c.receipts);
    return ec;
}

// Whether the target has room for the messages.
static enum ec check_limits(struct change_messages *c, struct mbox_tx *tx) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < c->n; i++) {
        struct message_row row;
        enum ec ec = message_get_row(tx, c->mids[i], NULL, &row);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        if (row.keywords)
            shared_text_unref(row.keywords);
        sum += row.size;
        ec = folder_check_limits(tx, c->to, row.size);
        EC_TRY(ec);
    }
    enum ec ec = c->n > 1 ? folder_check_limits(tx, c->to, sum) : EC_OK;
    return ec == EC_MESSAGE_TOO_BIG ? EC_OK : ec; // no single one is
}

// What was read stays read in its new place.
static enum ec keep_read(struct change_messages *c, struct mbox_tx *tx, const GArray *copied,
                         const bool *read) {
    g_autofree uint64_t *mids = g_new(uint64_t, copied->len + 1);
    g_autofree bool *flags = g_new0(bool, copied->len + 1);
    unsigned k = 0;
    for (guint i = 0; i < copied->len; i++) {
        const struct message_copied *one = &g_array_index(copied, struct message_copied, i);
        while (k < c->n && c->mids[k] != one->old_mid) // in the same order
            k++;
        mids[i] = one->new_mid;
        flags[i] = k < c->n && read[k];
    }
    return read_state_set(c->m, tx, c->to, mids, copied->len, flags);
}

// What is copied or moved is afterwards the work of whoever did it.
static enum ec transfer(struct change_messages *c, struct mbox_tx *tx,
                        enum ec (*store)(struct mbox_tx *tx, uint64_t from, const uint64_t *mids,
                                         unsigned n, uint64_t to, GArray **out)) {
    g_autoptr(GArray) copied = NULL;
    g_autofree bool *read = g_new0(bool, c->n + 1);
    if (c->m->is_public) {
        EC_TRY(check_limits(c, tx));
        EC_TRY(read_state_which(c->m, tx, c->fid, c->mids, c->n, read));
    }
    EC_TRY(store(tx, c->fid, c->mids, c->n, c->to, &copied));
    EC_TRY(rights_note_creators(c->m, tx, copied));
    if (c->m->is_public)
        EC_TRY(keep_read(c, tx, copied, read));
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
    EC_TRY(receipts_note(&c->receipts, tx, c->fid, c->mids, c->n, RECEIPT_NOT_READ));
    EC_TRY(receipts_mark(&c->receipts, tx, c->fid));
    return message_delete(tx, c->fid, c->mids, c->n, DELETE_SOFT, NULL);
}

enum ec mailbox_expunge(struct mailbox *m, uint64_t fid, const uint64_t *mids, unsigned n) {
    struct change_messages c = {.m = m, .fid = fid, .mids = mids, .n = n};
    if (n == 0)
        return EC_OK;
    receipts_begin(m, &c.receipts);
    enum ec ec = mbox_write(m->mbox, change_expunge, &c);
    if (ec == EC_OK)
        receipts_send(m, &c.receipts);
    receipts_end(&c.receipts);
    return ec;
}

void mailbox_keep_deletable(struct mailbox *m, uint64_t fid, GArray *mids) {
    MBOX_TX_AUTO tx = NULL;
    if (m->is_owner || mids->len == 0)
        return;
    if (mbox_read(m->mbox, &tx) != EC_OK) {
        g_array_set_size(mids, 0);
        return;
    }
    guint kept = 0;
    for (guint i = 0; i < mids->len; i++) {
        uint64_t mid = g_array_index(mids, uint64_t, i);
        if (rights_require_items(m, tx, fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, &mid, 1) ==
            EC_OK)
            g_array_index(mids, uint64_t, kept++) = mid;
    }
    g_array_set_size(mids, kept);
}
