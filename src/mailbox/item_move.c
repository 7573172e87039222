// Deleting, moving and copying single items, and their read state.
#include "mailbox/item_internal.h"
#include "mailbox/receipt_internal.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"

enum ec item_folder(struct mailbox *m, uint64_t mid, uint64_t *fid_out) {
    MBOX_TX_AUTO tx = NULL;
    struct message_row row;
    uint64_t fid;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(message_get_row(tx, mid, &fid, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    if ((row.flags & MSG_SOFT_DELETED) && !m->is_owner)
        return EC_NOT_FOUND;
    uint32_t rights;
    EC_TRY(rights_of(m, tx, fid, &rights));
    if (!(rights & RIGHTS_VISIBLE))
        return EC_NOT_FOUND;
    *fid_out = fid;
    return EC_OK;
}

// --- Deleting ---

struct deletion {
    struct mailbox *m;
    uint64_t mid, fid, new_mid;
    enum item_delete_mode mode;
    struct receipts receipts;
};

static enum ec to_trash(struct deletion *d, struct mbox_tx *tx) {
    g_autoptr(GArray) moved = NULL;
    // Nobody needs a right in Deleted Items to delete.
    EC_TRY(message_move(tx, d->fid, &d->mid, 1, FID_DELETED_ITEMS, &moved));
    if (moved->len == 0)
        return EC_NOT_FOUND;
    d->new_mid = g_array_index(moved, struct message_copied, 0).new_mid;
    return rights_note_creators(d->m, tx, moved);
}

static enum ec change_delete(struct mbox_tx *tx, void *ctx) {
    struct deletion *d = ctx;
    struct message_row row;
    EC_TRY(message_get_row(tx, d->mid, &d->fid, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    bool is_gone = row.flags & MSG_SOFT_DELETED;
    if (is_gone && (!d->m->is_owner || d->mode != ITEM_DELETE_HARD))
        return EC_NOT_FOUND;
    EC_TRY(
        rights_require_items(d->m, tx, d->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, &d->mid, 1));
    if (!is_gone) {
        EC_TRY(receipts_note(&d->receipts, tx, d->fid, &d->mid, 1, RECEIPT_NOT_READ));
        EC_TRY(receipts_mark(&d->receipts, tx, d->fid));
    }
    bool is_hidden = row.flags & MSG_ASSOCIATED;
    if (d->mode == ITEM_DELETE_TO_TRASH && d->fid != FID_DELETED_ITEMS && !d->m->is_public &&
        !is_hidden)
        return to_trash(d, tx);
    return message_delete(tx, d->fid, &d->mid, 1,
                          d->mode == ITEM_DELETE_HARD ? DELETE_HARD : DELETE_SOFT, NULL);
}

enum ec item_delete(struct mailbox *m, uint64_t mid, enum item_delete_mode mode,
                    uint64_t *new_mid_out) {
    struct deletion d = {.m = m, .mid = mid, .mode = mode};
    // Into Deleted Items it may still be read there.
    if (mode == ITEM_DELETE_TO_TRASH)
        d.receipts = (struct receipts){0};
    else
        receipts_begin(m, &d.receipts);
    enum ec ec = mbox_write(m->mbox, change_delete, &d);
    if (ec == EC_OK)
        receipts_send(m, &d.receipts);
    receipts_end(&d.receipts);
    if (ec == EC_OK && new_mid_out)
        *new_mid_out = d.new_mid;
    return ec;
}

// --- Moving and copying ---

static enum ec transfer(struct mailbox *m, uint64_t mid, struct mailbox *to, uint64_t to_fid,
                        uint64_t *new_mid_out,
                        enum ec (*how)(struct mailbox *from, uint64_t fid, const uint64_t *mids,
                                       unsigned n, struct mailbox *to, uint64_t to_fid,
                                       GArray **out)) {
    g_autoptr(GArray) copied = NULL;
    uint64_t fid;
    EC_TRY(item_folder(m, mid, &fid));
    EC_TRY(how(m, fid, &mid, 1, to, to_fid, &copied));
    if (copied->len == 0)
        return EC_NOT_FOUND;
    *new_mid_out = g_array_index(copied, struct mailbox_copied, 0).new_mid;
    return EC_OK;
}

enum ec item_move(struct mailbox *m, uint64_t mid, struct mailbox *to, uint64_t to_fid,
                  uint64_t *new_mid_out) {
    return transfer(m, mid, to, to_fid, new_mid_out, mailbox_move_to);
}

enum ec item_copy(struct mailbox *m, uint64_t mid, struct mailbox *to, uint64_t to_fid,
                  uint64_t *new_mid_out) {
    return transfer(m, mid, to, to_fid, new_mid_out, mailbox_copy_to);
}

// --- Read state ---

static enum ec change_flag(struct mailbox *m, uint64_t fid, uint64_t mid, bool is_added,
                           uint32_t flags, const char *keyword) {
    struct mailbox_flags change = {
        .mode = is_added ? MAILBOX_FLAGS_ADD : MAILBOX_FLAGS_REMOVE,
        .flags = flags,
        .keywords = &keyword,
        .n_keywords = keyword ? 1 : 0,
        .unchanged_since = UINT64_MAX,
    };
    return mailbox_change_flags(m, fid, &mid, 1, &change, NULL);
}

// A receipt counts as sent when none is wanted.
static enum ec suppress(struct mailbox *m, uint64_t fid, uint64_t mid) {
    struct item *item;
    EC_TRY(item_open(m, mid, &item));
    bool asks = bag_bool(item_value(item)->bag, PidTagReadReceiptRequested, false);
    item_close(item);
    return asks ? change_flag(m, fid, mid, true, 0, RECEIPT_KEYWORD) : EC_OK;
}

enum ec item_mark_read(struct mailbox *m, uint64_t mid, bool is_read, bool suppress_receipt) {
    uint64_t fid;
    EC_TRY(item_folder(m, mid, &fid));
    if (is_read && suppress_receipt && !m->is_public)
        EC_TRY(suppress(m, fid, mid));
    return change_flag(m, fid, mid, is_read, MSG_READ, NULL);
}
