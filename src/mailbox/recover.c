// Listing and restoring deleted messages.
#include "mailbox/recover.h"

#include <string.h>

#include "base/text.h"
#include "mailbox/mailbox_internal.h"
#include "store/gone_folder.h"

#define PAGE 200 // messages of one transaction

struct walk {
    struct mailbox *m;
    const struct mailbox_recover_filter *filter;
    char *folder, *subject, *sender; // of the filter, folded
    filetime_t deleted;              // where the walk stands
    uint64_t mid;
};

static enum ec walk_begin(struct walk *w, struct mailbox *m,
                          const struct mailbox_recover_filter *filter, struct arena *arena) {
    if (!m->is_owner)
        return EC_ACCESS_DENIED;
    if (filter->with_held && !m->who->is_admin)
        return EC_ACCESS_DENIED;
    *w = (struct walk){.m = m, .filter = filter, .deleted = filter->since};
    w->folder = filter->folder ? text_fold(arena, filter->folder) : NULL;
    w->subject = filter->subject ? text_fold(arena, filter->subject) : NULL;
    w->sender = filter->sender ? text_fold(arena, filter->sender) : NULL;
    return EC_OK;
}

static enum recoverable_place place_of(const struct recoverable_item *item) {
    if (item->flags & MSG_SOFT_DELETED || item->fid == FID_RECOVERABLE_DELETIONS)
        return RECOVERABLE_DELETED;
    return item->fid == FID_RECOVERABLE_VERSIONS ? RECOVERABLE_VERSION : RECOVERABLE_PURGED;
}

static enum ec describe(struct mbox_tx *tx, struct arena *arena,
                        const struct recoverable_item *item, struct mailbox_recoverable *out) {
    struct folder_info f;
    *out = (struct mailbox_recoverable){
        .mid = item->mid,
        .place = place_of(item),
        .folder = "",
        .subject = item->subject,
        .sender = item->sender,
        .deleted = item->deleted,
        .received = item->received,
        .size = item->size,
    };
    enum ec ec = folder_get(tx, arena, item->origin, &f);
    if (ec == EC_OK)
        return folder_path(tx, arena, item->origin, &out->folder, NULL);
    if (ec != EC_NOT_FOUND)
        return ec;
    out->is_folder_gone = true;
    ec = recoverable_folder(tx, arena, item->origin, &out->folder, NULL);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

static bool is_in_folder(struct arena *arena, const char *path, const char *folded) {
    const char *own = text_fold(arena, path);
    size_t len = strlen(folded);
    return strncmp(own, folded, len) == 0 && (own[len] == '\0' || own[len] == '/');
}

static bool matches(const struct walk *w, struct arena *arena,
                    const struct mailbox_recoverable *item) {
    const struct mailbox_recover_filter *filter = w->filter;
    if (item->place != RECOVERABLE_DELETED && !filter->with_held)
        return false;
    if (filter->mid && item->mid != filter->mid)
        return false;
    if (filter->before && item->deleted >= filter->before)
        return false;
    return (!w->folder || is_in_folder(arena, item->folder, w->folder)) &&
           (!w->subject || text_contains_folded(text_fold(arena, item->subject), w->subject)) &&
           (!w->sender || text_contains_folded(text_fold(arena, item->sender), w->sender));
}

// The next page; `items` in the arena. *n_out 0: the end.
static enum ec next_page(struct walk *w, struct mbox_tx *tx, struct arena *arena,
                         struct recoverable_list *page) {
    EC_TRY(recoverable_list(tx, arena, w->deleted, w->mid, PAGE, page));
    if (page->n > 0) {
        w->deleted = page->items[page->n - 1].deleted;
        w->mid = page->items[page->n - 1].mid;
    }
    return EC_OK;
}

enum ec mailbox_list_recoverable(struct mailbox *m, const struct mailbox_recover_filter *filter,
                                 bool (*each)(void *ctx, const struct mailbox_recoverable *item),
                                 void *ctx) {
    ARENA_AUTO arena = arena_new();
    ARENA_AUTO page_arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct walk w;
    EC_TRY(walk_begin(&w, m, filter, arena));
    EC_TRY(mbox_read(m->mbox, &tx));
    for (;;) {
        struct recoverable_list page;
        arena_reset(page_arena);
        EC_TRY(next_page(&w, tx, page_arena, &page));
        if (page.n == 0)
            return EC_OK;
        for (unsigned i = 0; i < page.n; i++) {
            struct mailbox_recoverable item;
            if (page.items[i].flags & MSG_ASSOCIATED)
                continue; // settings of a deleted folder: they come with it
            EC_TRY(describe(tx, page_arena, &page.items[i], &item));
            if (matches(&w, page_arena, &item) && !each(ctx, &item))
                return EC_OK;
        }
    }
}

// --- Restoring ---

struct restore {
    struct walk walk;
    struct arena *arena; // of one page
    const char *to;
    unsigned n; // restored in this page
    unsigned n_folders;
    bool with_settings; // associated messages too
    bool is_done;
};

// Makes a folder that is gone, and those it was in that are gone too, as they were.
static enum ec make_again(struct restore *r, struct mbox_tx *tx, const char *path,
                          const char *class, uint64_t *fid_out) {
    struct gone_folders gone;
    size_t len = strlen(path);
    EC_TRY(gone_folders_list(tx, r->arena, &gone));
    for (unsigned i = 0; i < gone.n; i++) { // by path: from the top down
        const struct gone_folder *g = &gone.items[i];
        size_t part = strlen(g->path);
        uint64_t fid;
        if (part > len || strncmp(g->path, path, part) != 0 || (path[part] && path[part] != '/'))
            continue;
        if (folder_of_path(r->walk.m, tx, r->arena, g->path, &fid, NULL) == EC_OK)
            continue; // somebody has made one of this name
        EC_TRY(folder_make(tx, r->arena, g->path, *g->class ? g->class : "IPF.Note", &fid));
        EC_TRY(gone_folder_dress(tx, g->fid, fid));
        EC_TRY(gone_folder_forget(tx, g->fid)); // its name stays while messages need it
        r->n_folders++;
    }
    return folder_make(tx, r->arena, path, class, fid_out);
}

// The folder a message goes back to.
static enum ec target_of(struct restore *r, struct mbox_tx *tx, const struct recoverable_item *item,
                         const struct mailbox_recoverable *what, uint64_t *fid_out) {
    if (!what->is_folder_gone && !folder_is_recoverable(item->origin)) {
        *fid_out = item->origin;
        return EC_OK;
    }
    const char *path = what->folder, *class = NULL;
    if (r->to)
        path = r->to;
    else if (what->is_folder_gone)
        recoverable_folder(tx, r->arena, item->origin, &path, &class);
    else
        path = "";
    if (!*path) {
        *fid_out = FID_INBOX;
        return EC_OK;
    }
    class = class && *class ? class : "IPF.Note";
    return r->to ? folder_make(tx, r->arena, path, class, fid_out)
                 : make_again(r, tx, path, class, fid_out);
}

static enum ec unmark(struct mbox_tx *tx, uint64_t fid, GArray *copied) {
    struct message_flags_change change = {
        .mode = FLAGS_REMOVE, .flags = MSG_DELETED, .unchanged_since = UINT64_MAX};
    for (guint i = 0; i < copied->len; i++) {
        uint64_t mid = g_array_index(copied, struct message_copied, i).new_mid;
        EC_TRY(message_change_flags(tx, fid, &mid, 1, &change, NULL));
    }
    return EC_OK;
}

static enum ec restore_one(struct restore *r, struct mbox_tx *tx,
                           const struct recoverable_item *item,
                           const struct mailbox_recoverable *what) {
    uint64_t to;
    EC_TRY(target_of(r, tx, item, what, &to));
    if (item->flags & MSG_SOFT_DELETED)
        return message_restore(tx, item->fid, &item->mid, 1);
    // A version stands for what the message was, and goes on doing so; a purged one may be held.
    g_autoptr(GArray) copied = NULL;
    bool is_copy = what->place != RECOVERABLE_DELETED;
    EC_TRY((is_copy ? message_copy : message_move)(tx, item->fid, &item->mid, 1, to, &copied));
    return unmark(tx, to, copied);
}

static enum ec restore_page(struct mbox_tx *tx, void *ctx) {
    struct restore *r = ctx;
    struct recoverable_list page;
    struct walk before = r->walk;
    r->n = 0;
    enum ec ec = next_page(&r->walk, tx, r->arena, &page);
    r->is_done = ec == EC_OK && page.n == 0;
    for (unsigned i = 0; ec == EC_OK && i < page.n; i++) {
        struct mailbox_recoverable what;
        bool is_setting = page.items[i].flags & MSG_ASSOCIATED;
        if (is_setting && !r->with_settings)
            continue;
        ec = describe(tx, r->arena, &page.items[i], &what);
        if (ec != EC_OK || !matches(&r->walk, r->arena, &what))
            continue;
        ec = restore_one(r, tx, &page.items[i], &what);
        r->n += ec == EC_OK && !is_setting;
    }
    if (ec != EC_OK)
        r->walk = before;
    return ec;
}

enum ec mailbox_restore(struct mailbox *m, const struct mailbox_recover_filter *filter,
                        const char *to, unsigned *n_out) {
    ARENA_AUTO arena = arena_new();
    ARENA_AUTO page_arena = arena_new();
    struct restore r = {.arena = page_arena, .to = to};
    // Settings belong to a folder, not to what is looked for.
    r.with_settings = !to && !filter->subject && !filter->sender && !filter->mid;
    *n_out = 0;
    EC_TRY(walk_begin(&r.walk, m, filter, arena));
    while (!r.is_done) {
        arena_reset(page_arena);
        EC_TRY(mbox_write(m->mbox, restore_page, &r));
        *n_out += r.n;
    }
    return EC_OK;
}

// --- Folders ---

enum ec mailbox_list_gone_folders(struct mailbox *m, struct arena *arena,
                                  struct mailbox_gone_folder **out, unsigned *n_out) {
    MBOX_TX_AUTO tx = NULL;
    struct gone_folders gone;
    if (!m->is_owner)
        return EC_ACCESS_DENIED;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(gone_folders_list(tx, arena, &gone));
    *out = arena_alloc0(arena, (gone.n + 1) * sizeof **out);
    *n_out = gone.n;
    for (unsigned i = 0; i < gone.n; i++)
        (*out)[i] = (struct mailbox_gone_folder){gone.items[i].fid, gone.items[i].path,
                                                 gone.items[i].deleted, gone.items[i].n_messages};
    return EC_OK;
}

// Makes all that were in `r->folder`; then their messages find them there.
static enum ec make_folders(struct mbox_tx *tx, void *ctx) {
    struct restore *r = ctx;
    struct gone_folders gone;
    bool is_known = false;
    EC_TRY(gone_folders_list(tx, r->arena, &gone));
    for (unsigned i = 0; i < gone.n; i++) {
        uint64_t fid;
        if (!is_in_folder(r->arena, gone.items[i].path, r->walk.folder))
            continue;
        is_known = true;
        EC_TRY(make_again(r, tx, gone.items[i].path,
                          *gone.items[i].class ? gone.items[i].class : "IPF.Note", &fid));
    }
    return is_known ? EC_OK : EC_NOT_FOUND;
}

static enum ec forget_folders(struct mbox_tx *tx, void *ctx) {
    struct restore *r = ctx;
    struct gone_folders gone;
    EC_TRY(gone_folders_list(tx, r->arena, &gone));
    for (unsigned i = 0; i < gone.n; i++)
        if (is_in_folder(r->arena, gone.items[i].path, r->walk.folder))
            EC_TRY(gone_folder_forget(tx, gone.items[i].fid));
    return EC_OK;
}

enum ec mailbox_restore_folder(struct mailbox *m, const char *path, unsigned *n_folders_out,
                               unsigned *n_messages_out) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_recover_filter filter = {.folder = path};
    struct restore r = {.arena = arena};
    *n_folders_out = *n_messages_out = 0;
    EC_TRY(walk_begin(&r.walk, m, &filter, arena));
    EC_TRY(mbox_write(m->mbox, make_folders, &r));
    *n_folders_out = r.n_folders;
    EC_TRY(mailbox_restore(m, &filter, NULL, n_messages_out));
    return mbox_write(m->mbox, forget_folders, &r);
}
