// Synchronization from a small state, over the store's changes since a change number.
//
// A first synchronization lists the folder by uid, downwards from the uid that would have been
// next, so that a piece is found again however much changes between two of them. What changed
// meanwhile comes after it, from the change number at its beginning on.
#include "mailbox/sync.h"

#include "mailbox/public_read.h"
#include "store/change.h"
#include "store/view.h"

struct sync {
    struct mailbox *m;
    struct mbox_tx *tx;
    struct arena *arena;
    uint64_t fid;
    bool with_associated;
    unsigned max;
    struct mailbox_sync_list *out;
};

static void add(struct sync *s, enum mailbox_sync_kind kind, uint64_t id, uint64_t cn,
                bool is_read) {
    s->out->items[s->out->n++] = (struct mailbox_sync_change){kind, id, cn, is_read};
}

// --- The first time ---

static enum ec list_normal(struct sync *s) {
    struct folder_rows *rows;
    struct mailbox_sync_state *next = &s->out->next;
    EC_TRY(folder_rows_get(s->m->mbox, s->fid, &rows));
    uint32_t i = folder_rows_find_uid(rows, next->below);
    while (i > 0 && s->out->n < s->max) {
        const struct message_row *row = folder_rows_at(rows, --i);
        add(s, SYNC_CREATE, row->mid, row->modseq, row->flags & MSG_READ);
        next->below = row->uid;
    }
    if (i == 0)
        next->below = 0;
    folder_rows_unref(rows);
    return EC_OK;
}

static gint newest_first(gconstpointer a, gconstpointer b) {
    const struct view_entry *x = a, *y = b;
    return x->uid > y->uid ? -1 : x->uid < y->uid;
}

// There are few of them.
static enum ec list_associated(struct sync *s) {
    struct view *view;
    struct mailbox_sync_state *next = &s->out->next;
    struct view_spec spec = {.fid = s->fid, .kind = VIEW_ASSOCIATED};
    EC_TRY(view_get(s->m->mbox, &spec, &view));
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct view_entry));
    for (uint32_t i = 0; i < view_count(view); i++) {
        struct view_entry e = view_at(view, i);
        if (e.uid < next->below_associated)
            g_array_append_val(entries, e);
    }
    view_unref(view);
    g_array_sort(entries, newest_first);
    guint i = 0;
    for (; i < entries->len && s->out->n < s->max; i++) {
        const struct view_entry *e = &g_array_index(entries, struct view_entry, i);
        add(s, SYNC_CREATE, e->mid, 0, true);
        next->below_associated = e->uid;
    }
    if (i == entries->len)
        next->below_associated = 0;
    return EC_OK;
}

// --- What changed ---

// The change that went before is the last that the client was told of; what it never saw needs no
// deletion.
static enum ec add_change(struct sync *s, const struct change *c,
                          const struct mailbox_sync_state *from) {
    struct message_row row;
    uint64_t fid;
    if (c->is_associated && !s->with_associated)
        return EC_OK;
    switch (c->kind) {
    case CHANGE_DELETED:
        if (c->id <= from->at)
            add(s, SYNC_DELETE, c->id, c->cn, false);
        return EC_OK;
    case CHANGE_MESSAGE:
        add(s, c->uid >= from->uid_next ? SYNC_CREATE : SYNC_UPDATE, c->id, c->cn, false);
        return EC_OK;
    case CHANGE_READ_STATE:
        EC_TRY(message_get_row(s->tx, c->id, &fid, &row));
        if (row.keywords)
            shared_text_unref(row.keywords);
        if (s->m->is_public)
            EC_TRY(read_state_apply(s->m, s->tx, s->fid, &row));
        add(s, SYNC_READ_STATE, c->id, c->cn, row.flags & MSG_READ);
        return EC_OK;
    }
    return EC_OK;
}

static enum ec list_changes(struct sync *s, const struct folder_info *info) {
    struct mailbox_sync_state *next = &s->out->next;
    for (;;) {
        struct change_list list;
        unsigned room = s->max - s->out->n;
        if (room == 0)
            return EC_OK;
        EC_TRY(changes_of_folder(s->tx, s->arena, s->fid, next->at, room, &list));
        struct mailbox_sync_state from = *next;
        for (unsigned i = 0; i < list.n; i++)
            EC_TRY(add_change(s, &list.items[i], &from));
        if (!list.is_cut)
            break;
        next->at = list.items[list.n - 1].cn;
    }
    *next = (struct mailbox_sync_state){
        .since = info->modseq, .at = info->modseq, .uid_next = info->uid_next};
    s->out->is_last = true;
    return EC_OK;
}

static enum ec run_items(struct sync *s, const struct mailbox_sync_state *from) {
    struct folder_info info;
    struct mailbox_sync_state *next = &s->out->next;
    EC_TRY(folder_get(s->tx, s->arena, s->fid, &info));
    EC_TRY(rights_require(s->m, s->tx, s->fid, RIGHTS_READ_ANY));
    if (info.type == FOLDER_TYPE_SEARCH)
        return EC_SEARCH_FOLDER;
    // Numbers that the folder has not reached are of another one, or of before a restore.
    if (from->since > info.modseq || from->at > info.modseq || from->at < from->since ||
        from->uid_next > info.uid_next || from->below > from->uid_next ||
        from->below_associated > from->uid_next)
        return EC_INVALID_PARAMETER;
    *next = *from;
    if (from->uid_next == 0)
        *next =
            (struct mailbox_sync_state){.since = info.modseq,
                                        .at = info.modseq,
                                        .uid_next = info.uid_next,
                                        .below = info.uid_next,
                                        .below_associated = s->with_associated ? info.uid_next : 0};
    if (next->below)
        EC_TRY(list_normal(s));
    if (!next->below && next->below_associated && s->out->n < s->max)
        EC_TRY(list_associated(s));
    if (!next->below && !next->below_associated)
        EC_TRY(list_changes(s, &info));
    return EC_OK;
}

enum ec mailbox_sync_items(struct mailbox *m, struct arena *arena, uint64_t fid,
                           bool with_associated, const struct mailbox_sync_state *from,
                           unsigned max, struct mailbox_sync_list *out) {
    MBOX_TX_AUTO tx = NULL;
    max = CLAMP(max, 1, MAILBOX_SYNC_MAX);
    *out = (struct mailbox_sync_list){.items = arena_alloc(arena, max * sizeof *out->items)};
    EC_TRY(mbox_read(m->mbox, &tx));
    struct sync s = {m, tx, arena, fid, with_associated, max, out};
    return run_items(&s, from);
}

// --- Folders ---

static enum ec run_folders(struct sync *s, uint64_t since, const struct rights_table *table) {
    struct mbox_info info;
    struct folder_list all;
    struct change_list changes;
    EC_TRY(mbox_get_info(s->tx, s->arena, &info));
    if (since > info.last_change)
        return EC_INVALID_PARAMETER;
    EC_TRY(folder_list(s->tx, s->arena, s->fid, true, &all));
    EC_TRY(changes_of_hierarchy(s->tx, s->arena, s->fid, since, 0, &changes));
    s->out->items = arena_alloc(s->arena, (all.n + changes.n + 1) * sizeof *s->out->items);
    for (unsigned i = 0; i < all.n; i++) { // parents first, whatever changed last
        const struct folder_info *f = &all.items[i];
        if (f->cn <= since && since > 0)
            continue;
        if (rights_table_of(table, f->fid) & RIGHTS_VISIBLE)
            add(s, since == 0 || f->fid > since ? SYNC_CREATE : SYNC_UPDATE, f->fid, f->cn, false);
    }
    for (unsigned i = 0; i < changes.n; i++) {
        const struct change *c = &changes.items[i];
        if (c->kind == CHANGE_DELETED && c->id <= since)
            add(s, SYNC_DELETE, c->id, c->cn, false);
    }
    s->out->next = (struct mailbox_sync_state){.since = info.last_change, .at = info.last_change};
    s->out->is_last = true;
    return EC_OK;
}

enum ec mailbox_sync_folders(struct mailbox *m, struct arena *arena, uint64_t root,
                             const struct mailbox_sync_state *from, struct mailbox_sync_list *out) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    struct rights_table *table = NULL;
    *out = (struct mailbox_sync_list){0};
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(folder_get(tx, arena, root, &info));
    EC_TRY(rights_require(m, tx, root, RIGHTS_VISIBLE));
    EC_TRY(rights_table_new(m, tx, arena, &table));
    struct sync s = {.m = m, .tx = tx, .arena = arena, .fid = root, .out = out};
    enum ec ec = run_folders(&s, from->since, table);
    rights_table_end(table);
    return ec;
}
