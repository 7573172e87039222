// What each user has read in public folders ([MS-OXCSTOR] 3.2.5.12): the read state is not in the
// messages but in a set of change numbers of each user's, laid over the rows when they are looked
// at.
#include "mailbox/public_read.h"

#include <string.h>

struct read_overlay {
    int refs;
    GBytes *bytes;            // of the set; NULL: nothing read
    struct folder_rows *rows; // what it was laid over
    struct message_row *items;
    uint32_t n, n_unread;
};

// --- The set ---

static enum ec load(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid, struct idset **out) {
    if (!guid_is_zero(&m->who->guid))
        return per_user_get(tx, &m->who->guid, fid, out);
    *out = idset_new();
    return EC_OK;
}

enum ec read_state_apply(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         struct message_row *row) {
    struct idset *read;
    EC_TRY(load(m, tx, fid, &read));
    struct globset *own = per_user_own(tx, read, false);
    row->flags &= ~(uint32_t)MSG_READ;
    if (own && globset_contains(own, row->modseq))
        row->flags |= MSG_READ;
    idset_free(read);
    return EC_OK;
}

enum ec read_state_unread(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                          uint32_t *out) {
    struct idset *read;
    struct folder_rows *rows;
    EC_TRY(load(m, tx, fid, &read));
    enum ec ec = folder_rows_get(m->mbox, fid, &rows);
    if (ec == EC_OK) {
        struct globset *own = per_user_own(tx, read, false);
        uint32_t n = folder_rows_count(rows), n_read = 0;
        for (uint32_t i = 0; own && i < n; i++)
            n_read += globset_contains(own, folder_rows_at(rows, i)->modseq);
        folder_rows_unref(rows);
        *out = n - n_read;
    }
    idset_free(read);
    return ec;
}

// The change number of a message of the folder; false: it is not there.
static enum ec change_number(struct mbox_tx *tx, uint64_t fid, uint64_t mid, uint64_t *out) {
    struct message_row row;
    uint64_t in;
    EC_TRY(message_get_row(tx, mid, &in, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    *out = row.modseq;
    return in == fid && !(row.flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED)) ? EC_OK : EC_NOT_FOUND;
}

enum ec read_state_which(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         const uint64_t *mids, unsigned n, bool *read_out) {
    struct idset *read;
    EC_TRY(load(m, tx, fid, &read));
    struct globset *own = per_user_own(tx, read, false);
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < n && ec == EC_OK; i++) {
        uint64_t cn;
        ec = change_number(tx, fid, mids[i], &cn);
        read_out[i] = ec == EC_OK && own && globset_contains(own, cn);
        ec = ec == EC_NOT_FOUND ? EC_OK : ec;
    }
    idset_free(read);
    return ec;
}

enum ec read_state_set(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                       const uint64_t *mids, unsigned n, const bool *read) {
    struct idset *set;
    if (guid_is_zero(&m->who->guid) || n == 0)
        return EC_OK; // nobody whose state could be kept
    EC_TRY(load(m, tx, fid, &set));
    struct globset *own = per_user_own(tx, set, true), *before = globset_copy(own);
    enum ec ec = EC_OK;
    for (unsigned i = 0; i < n && ec == EC_OK; i++) {
        uint64_t cn;
        ec = change_number(tx, fid, mids[i], &cn);
        if (ec == EC_OK && read[i])
            globset_add(own, cn, cn);
        else if (ec == EC_OK)
            globset_remove(own, cn, cn);
        ec = ec == EC_NOT_FOUND ? EC_OK : ec;
    }
    if (ec == EC_OK && !globset_equal(own, before))
        ec = per_user_set(tx, &m->who->guid, fid, set);
    globset_free(before);
    idset_free(set);
    return ec;
}

// --- Export and import ---

enum ec mailbox_get_read_state(struct mailbox *m, uint64_t fid, GBytes **out) {
    MBOX_TX_AUTO tx = NULL;
    if (!m->is_public || guid_is_zero(&m->who->guid))
        return EC_NOT_SUPPORTED;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, fid, RIGHTS_READ_ANY));
    EC_TRY(per_user_bytes(tx, &m->who->guid, fid, out));
    if (!*out)
        *out = g_bytes_new(NULL, 0);
    return EC_OK;
}

struct import {
    struct mailbox *m;
    uint64_t fid;
    const struct idset *set;
};

static enum ec change_import(struct mbox_tx *tx, void *ctx) {
    struct import *i = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(rights_require(i->m, tx, i->fid, RIGHTS_READ_ANY));
    EC_TRY(folder_get(tx, arena, i->fid, &f));
    return per_user_set(tx, &i->m->who->guid, i->fid, i->set);
}

enum ec mailbox_set_read_state(struct mailbox *m, uint64_t fid, GBytes *bytes) {
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct idset *set;
    if (!m->is_public || guid_is_zero(&m->who->guid))
        return EC_NOT_SUPPORTED;
    if (len > READ_STATE_MAX)
        return EC_TOO_COMPLEX;
    EC_TRY(idset_parse((struct prop_bin){(uint32_t)len, data}, IDSET_REPLGUID, &set));
    struct import i = {m, fid, set};
    enum ec ec = mbox_write(m->mbox, change_import, &i);
    idset_free(set);
    return ec;
}

// --- Rows as one user sees them ---

struct read_overlay *read_overlay_ref(struct read_overlay *o) {
    g_atomic_int_inc(&o->refs);
    return o;
}

void read_overlay_unref(struct read_overlay *o) {
    if (!o || !g_atomic_int_dec_and_test(&o->refs))
        return;
    g_clear_pointer(&o->bytes, g_bytes_unref);
    folder_rows_unref(o->rows);
    g_free(o->items);
    g_free(o);
}

static bool same_bytes(GBytes *a, GBytes *b) {
    return a && b ? g_bytes_equal(a, b) : a == b;
}

enum ec read_overlay_new(const struct mailbox *m, struct mbox_tx *tx, uint64_t fid,
                         struct folder_rows *rows, struct read_overlay *before,
                         struct read_overlay **out) {
    g_autoptr(GBytes) bytes = NULL;
    struct idset *read;
    if (!guid_is_zero(&m->who->guid))
        EC_TRY(per_user_bytes(tx, &m->who->guid, fid, &bytes));
    if (before && before->rows == rows && same_bytes(before->bytes, bytes)) {
        *out = read_overlay_ref(before);
        return EC_OK;
    }
    EC_TRY(load(m, tx, fid, &read));
    struct globset *own = per_user_own(tx, read, false);
    struct read_overlay *o = g_new0(struct read_overlay, 1);
    o->refs = 1;
    o->bytes = g_steal_pointer(&bytes);
    o->rows = folder_rows_ref(rows);
    o->n = folder_rows_count(rows);
    o->items = g_new(struct message_row, o->n + 1);
    for (uint32_t i = 0; i < o->n; i++) {
        o->items[i] = *folder_rows_at(rows, i);
        o->items[i].flags &= ~(uint32_t)MSG_READ;
        if (own && globset_contains(own, o->items[i].modseq))
            o->items[i].flags |= MSG_READ;
        else
            o->n_unread++;
    }
    idset_free(read);
    *out = o;
    return EC_OK;
}

const struct message_row *read_overlay_at(const struct read_overlay *o, uint32_t i) {
    return &o->items[i];
}

uint32_t read_overlay_unread(const struct read_overlay *o) {
    return o->n_unread;
}

void read_overlay_diff(const struct read_overlay *from, const struct read_overlay *to,
                       void (*change)(void *ctx, enum mailbox_view_change what, uint32_t index,
                                      const struct message_row *row),
                       void *ctx) {
    uint32_t i = 0, k = 0;
    while (i < from->n || k < to->n) {
        const struct message_row *a = i < from->n ? &from->items[i] : NULL,
                                 *b = k < to->n ? &to->items[k] : NULL;
        if (a && (!b || a->uid < b->uid)) {
            change(ctx, VIEW_REMOVED, i++, a);
        } else if (b && (!a || b->uid < a->uid)) {
            change(ctx, VIEW_ADDED, k++, b);
        } else {
            if (a->modseq != b->modseq || a->flags != b->flags)
                change(ctx, VIEW_CHANGED, k, b);
            i++, k++;
        }
    }
}
