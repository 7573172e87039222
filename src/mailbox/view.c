// Snapshots of a folder's rows for protocols: the store's snapshot plus what the principal may do.
#include "mailbox/public_read.h"
#include "store/change.h"

struct mailbox_view {
    struct folder_rows *rows;
    uint64_t fid;
    uint32_t rights;
    struct read_overlay *overlay; // public store: the rows as the principal sees them; else NULL
};

static enum ec open_overlay(struct mailbox *m, struct mailbox_view *v,
                            struct read_overlay *before) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    return read_overlay_new(m, tx, v->fid, v->rows, before, &v->overlay);
}

static enum ec open_view(struct mailbox *m, uint64_t fid, struct read_overlay *before,
                         struct mailbox_view **out);

enum ec mailbox_view_open(struct mailbox *m, uint64_t fid, struct mailbox_view **out) {
    return open_view(m, fid, NULL, out);
}

static enum ec open_view(struct mailbox *m, uint64_t fid, struct read_overlay *before,
                         struct mailbox_view **out) {
    uint32_t rights = RIGHTS_ALL;
    if (!m->is_owner) {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(m->mbox, &tx));
        EC_TRY(rights_require(m, tx, fid, RIGHTS_READ_ANY));
        EC_TRY(rights_of(m, tx, fid, &rights));
    }
    struct folder_rows *rows;
    EC_TRY(folder_rows_get(m->mbox, fid, &rows));
    struct mailbox_view *v = g_new(struct mailbox_view, 1);
    *v = (struct mailbox_view){.rows = rows, .fid = fid, .rights = rights};
    enum ec ec = m->is_public ? open_overlay(m, v, before) : EC_OK;
    if (ec == EC_OK)
        *out = v;
    else
        mailbox_view_free(v);
    return ec;
}

void mailbox_view_free(struct mailbox_view *v) {
    if (!v)
        return;
    read_overlay_unref(v->overlay);
    folder_rows_unref(v->rows);
    g_free(v);
}

enum ec mailbox_view_refresh(struct mailbox *m, const struct mailbox_view *v,
                             struct mailbox_view **out) {
    return open_view(m, v->fid, v->overlay, out);
}

uint64_t mailbox_view_fid(const struct mailbox_view *v) {
    return v->fid;
}

uint32_t mailbox_view_rights(const struct mailbox_view *v) {
    return v->rights;
}

uint32_t mailbox_view_count(const struct mailbox_view *v) {
    return folder_rows_count(v->rows);
}

uint64_t mailbox_view_modseq(const struct mailbox_view *v) {
    return folder_rows_modseq(v->rows);
}

uint32_t mailbox_view_uid_next(const struct mailbox_view *v) {
    return folder_rows_uid_next(v->rows);
}

uint32_t mailbox_view_uid_validity(const struct mailbox_view *v) {
    return folder_rows_uid_validity(v->rows);
}

uint32_t mailbox_view_unread(const struct mailbox_view *v) {
    return v->overlay ? read_overlay_unread(v->overlay) : folder_rows_unread(v->rows);
}

uint32_t mailbox_view_first_unread(const struct mailbox_view *v) {
    uint32_t n = mailbox_view_count(v);
    if (!v->overlay)
        return folder_rows_first_unread(v->rows);
    for (uint32_t i = 0; i < n; i++)
        if (!(read_overlay_at(v->overlay, i)->flags & MSG_READ))
            return i;
    return n;
}

uint32_t mailbox_view_next_keywords(const struct mailbox_view *v, uint32_t index) {
    return folder_rows_next_keywords(v->rows, index);
}

const struct message_row *mailbox_view_row(const struct mailbox_view *v, uint32_t index) {
    return v->overlay ? read_overlay_at(v->overlay, index) : folder_rows_at(v->rows, index);
}

uint32_t mailbox_view_find_uid(const struct mailbox_view *v, uint32_t uid) {
    return folder_rows_find_uid(v->rows, uid);
}

struct diff {
    void (*change)(void *ctx, enum mailbox_view_change what, uint32_t index,
                   const struct message_row *row);
    void *ctx;
};

static void on_change(void *ctx, enum rows_change what, uint32_t index,
                      const struct message_row *row) {
    struct diff *d = ctx;
    static const enum mailbox_view_change kinds[] = {
        [ROWS_REMOVED] = VIEW_REMOVED,
        [ROWS_CHANGED] = VIEW_CHANGED,
        [ROWS_ADDED] = VIEW_ADDED,
    };
    d->change(d->ctx, kinds[what], index, row);
}

void mailbox_view_diff(const struct mailbox_view *from, const struct mailbox_view *to,
                       void (*change)(void *ctx, enum mailbox_view_change what, uint32_t index,
                                      const struct message_row *row),
                       void *ctx) {
    if (from->overlay && to->overlay) {
        if (from->overlay != to->overlay)
            read_overlay_diff(from->overlay, to->overlay, change, ctx);
        return;
    }
    if (from->rows == to->rows)
        return;
    struct diff d = {change, ctx};
    folder_rows_diff(from->rows, to->rows, on_change, &d);
}

static gint by_number(gconstpointer a, gconstpointer b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool view_has_uid(const struct mailbox_view *v, uint32_t uid) {
    uint32_t i = mailbox_view_find_uid(v, uid);
    return i < mailbox_view_count(v) && mailbox_view_row(v, i)->uid == uid;
}

enum ec mailbox_view_vanished(struct mailbox *m, const struct mailbox_view *v, uint64_t since,
                              GArray **uids_out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct change_list changes;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, v->fid, RIGHTS_READ_ANY));
    EC_TRY(deletions_of_folder(tx, arena, v->fid, since, &changes));
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (unsigned i = 0; i < changes.n; i++) {
        const struct change *c = &changes.items[i];
        if (!c->is_associated && !view_has_uid(v, c->uid))
            g_array_append_val(uids, c->uid);
    }
    g_array_sort(uids, by_number);
    *uids_out = uids;
    return EC_OK;
}
