// Copying and moving from one mailbox to another: the whole message with its properties, not only
// what of it a mail shows (store/message_portable.h). Named properties get the ids they have there.
//
// Messages are taken and put in batches, so that memory is bounded; what was put is deleted again
// when a later batch fails.
#include "mailbox/public_read.h"
#include "store/message_portable.h"
#include "store/public_store.h"

#define BATCH_MESSAGES 100
#define BATCH_BYTES (UINT64_C(16) << 20)

struct taken {
    struct message_portable message;
    uint64_t size;
    struct mailbox_copied copied;
};

struct transfer {
    struct mailbox *from, *to;
    uint64_t fid, to_fid;
    struct mbox_tx *tx; // of the source
    struct mailbox_reader *reader;
    struct mailbox_limits limits;
    GArray *batch; // of struct taken
    uint64_t bytes;
    GArray *copied; // of struct mailbox_copied
};

static void clear_taken(gpointer p) {
    message_portable_clear(&((struct taken *)p)->message);
}

// --- Taking ---

// EC_NOT_FOUND: the message is not there any more.
static enum ec take(struct transfer *t, uint64_t mid) {
    struct message_row row;
    uint64_t in;
    EC_TRY(mailbox_reader_check(t->reader, mid));
    EC_TRY(message_get_row(t->tx, mid, &in, &row));
    enum ec ec = in == t->fid && !(row.flags & MSG_SOFT_DELETED) ? EC_OK : EC_NOT_FOUND;
    if (ec == EC_OK && t->from->is_public)
        ec = read_state_apply(t->from, t->tx, t->fid, &row);
    struct taken one = {.size = row.size, .copied = {.old_mid = mid, .old_uid = row.uid}};
    if (ec == EC_OK)
        ec = message_take(t->tx, mid, &one.message);
    if (row.keywords)
        shared_text_unref(row.keywords);
    EC_TRY(ec);
    one.message.spec.flags = row.flags & MSG_CLIENT_FLAGS;
    t->bytes += one.size;
    g_array_append_val(t->batch, one);
    return EC_OK;
}

// --- Putting ---

static enum ec put_one(struct transfer *t, struct mbox_tx *tx, struct taken *one) {
    struct mailbox *to = t->to;
    struct message_row row;
    struct mailbox_copied *copied = &one->copied;
    bool is_read = one->message.spec.flags & MSG_READ;
    EC_TRY(quota_admit(&t->limits, tx, t->to_fid, one->size, 1));
    if (to->is_public) {
        EC_TRY(folder_check_limits(tx, t->to_fid, one->size));
        one->message.spec.flags &= ~(uint32_t)MSG_READ; // it is one user's, not the message's
    }
    EC_TRY(message_put(tx, t->to_fid, &one->message, NULL, &copied->new_mid));
    EC_TRY(rights_note_creator(to, tx, copied->new_mid));
    EC_TRY(message_get_row(tx, copied->new_mid, NULL, &row));
    copied->new_uid = row.uid;
    if (row.keywords)
        shared_text_unref(row.keywords);
    return to->is_public ? read_state_set(to, tx, t->to_fid, &copied->new_mid, 1, &is_read) : EC_OK;
}

static enum ec change_put(struct mbox_tx *tx, void *ctx) {
    struct transfer *t = ctx;
    struct mbox_usage before;
    EC_TRY(rights_require(t->to, tx, t->to_fid, RIGHTS_CREATE));
    mbox_get_usage(tx, &before);
    for (guint i = 0; i < t->batch->len; i++)
        EC_TRY(put_one(t, tx, &g_array_index(t->batch, struct taken, i)));
    return quota_settled(&t->limits, tx, &before);
}

static enum ec put_batch(struct transfer *t) {
    enum ec ec = t->batch->len ? mbox_write(t->to->mbox, change_put, t) : EC_OK;
    for (guint i = 0; ec == EC_OK && i < t->batch->len; i++)
        g_array_append_val(t->copied, g_array_index(t->batch, struct taken, i).copied);
    g_array_set_size(t->batch, 0);
    t->bytes = 0;
    return ec;
}

static enum ec copy_all(struct transfer *t, const uint64_t *mids, unsigned n) {
    EC_TRY(rights_check(t->to, t->to_fid, RIGHTS_CREATE));
    for (unsigned i = 0; i < n; i++) {
        enum ec ec = take(t, mids[i]);
        if (ec != EC_NOT_FOUND)
            EC_TRY(ec);
        if (t->batch->len == BATCH_MESSAGES || t->bytes >= BATCH_BYTES)
            EC_TRY(put_batch(t));
    }
    return put_batch(t);
}

static enum ec change_undo(struct mbox_tx *tx, void *ctx) {
    const struct transfer *t = ctx;
    for (guint i = 0; i < t->copied->len; i++)
        EC_TRY(message_delete(tx, t->to_fid,
                              &g_array_index(t->copied, struct mailbox_copied, i).new_mid, 1,
                              DELETE_HARD, NULL));
    return EC_OK;
}

enum ec mailbox_copy_to(struct mailbox *from, uint64_t fid, const uint64_t *mids, unsigned n,
                        struct mailbox *to, uint64_t to_fid, GArray **out) {
    if (from == to)
        return mailbox_copy(from, fid, mids, n, to_fid, out);
    struct transfer t = {.from = from, .to = to, .fid = fid, .to_fid = to_fid};
    EC_TRY(mailbox_limits(to->service, mbox_guid(to->mbox), &t.limits));
    EC_TRY(mailbox_reader_open(from, fid, &t.reader));
    t.tx = reader_tx(t.reader);
    t.batch = g_array_new(FALSE, FALSE, sizeof(struct taken));
    g_array_set_clear_func(t.batch, clear_taken);
    t.copied = g_array_new(FALSE, FALSE, sizeof(struct mailbox_copied));
    enum ec ec = copy_all(&t, mids, n);
    mailbox_reader_close(t.reader);
    g_array_unref(t.batch);
    if (ec != EC_OK && t.copied->len)
        mbox_write(to->mbox, change_undo, &t); // all or nothing
    if (ec == EC_OK && out)
        *out = g_array_ref(t.copied);
    g_array_unref(t.copied);
    return ec;
}

enum ec mailbox_move_to(struct mailbox *from, uint64_t fid, const uint64_t *mids, unsigned n,
                        struct mailbox *to, uint64_t to_fid, GArray **out) {
    if (from == to)
        return mailbox_move(from, fid, mids, n, to_fid, out);
    {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(from->mbox, &tx));
        EC_TRY(
            rights_require_items(from, tx, fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, mids, n));
    }
    GArray *copied;
    EC_TRY(mailbox_copy_to(from, fid, mids, n, to, to_fid, &copied));
    g_autofree uint64_t *gone = g_new(uint64_t, copied->len + 1);
    for (guint i = 0; i < copied->len; i++)
        gone[i] = g_array_index(copied, struct mailbox_copied, i).old_mid;
    enum ec ec = mailbox_expunge(from, fid, gone, copied->len);
    if (ec == EC_OK && out)
        *out = g_array_ref(copied);
    g_array_unref(copied);
    return ec;
}
