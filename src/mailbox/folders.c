// Folders by path, as mail clients know them: list, find, create, delete, rename.
//
// A path is the display names from the IPM subtree down, joined by '/'. The Inbox is INBOX whatever
// it is called in the user's language.
#include <string.h>

#include "mailbox/metadata.h"
#include "mailbox/metadata_internal.h"
#include "mailbox/public_read.h"

#define SLASH "/"
#define DIVISION_SLASH "\xe2\x88\x95" // U+2215 stands for a '/' inside a name

// `name` with every `from` replaced by `to`.
static char *replace(struct arena *arena, const char *name, const char *from, const char *to) {
    if (!strstr(name, from))
        return arena_strdup(arena, name);
    g_auto(GStrv) pieces = g_strsplit(name, from, -1);
    g_autofree char *joined = g_strjoinv(to, pieces);
    return arena_strdup(arena, joined);
}

static const char *path_component(struct arena *arena, uint64_t fid, const char *name) {
    return fid == FID_INBOX ? "INBOX" : replace(arena, name, SLASH, DIVISION_SLASH);
}

static const char *path_join(struct arena *arena, const char *parent, const char *component) {
    return parent && *parent ? arena_printf(arena, "%s/%s", parent, component) : component;
}

char **path_split(struct arena *arena, const char *path, unsigned *n_out) {
    char **names = arena_alloc(arena, (FOLDER_MAX_DEPTH + 1) * sizeof *names);
    unsigned n = 0;
    for (const char *s = path;;) {
        size_t len = strcspn(s, "/");
        if (len == 0 || n == FOLDER_MAX_DEPTH)
            return NULL;
        names[n++] = arena_strndup(arena, s, len);
        s += len;
        if (!*s || !s[1])
            break;
        s++;
    }
    names[n] = NULL;
    *n_out = n;
    return names;
}

// The child of `parent` that a path calls `name`.
static enum ec find_child(struct mbox_tx *tx, struct arena *arena, uint64_t parent,
                          const char *name, uint64_t *fid_out) {
    if (parent == FID_IPM_SUBTREE && g_ascii_strcasecmp(name, "INBOX") == 0) {
        *fid_out = FID_INBOX;
        return EC_OK;
    }
    enum ec ec = folder_find(tx, parent, name, fid_out);
    if (ec == EC_NOT_FOUND && strstr(name, DIVISION_SLASH))
        ec = folder_find(tx, parent, replace(arena, name, DIVISION_SLASH, SLASH), fid_out);
    return ec;
}

enum ec folder_of_path(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                       const char *path, uint64_t *fid_out, const char **canonical_out) {
    unsigned n;
    char **names = path_split(arena, path, &n);
    if (!names)
        return EC_NOT_FOUND;
    uint64_t fid = FID_IPM_SUBTREE;
    const char *canonical = "";
    for (unsigned i = 0; i < n; i++) {
        EC_TRY(find_child(tx, arena, fid, names[i], &fid));
        if (canonical_out) {
            struct folder_info info;
            EC_TRY(folder_get(tx, arena, fid, &info));
            canonical = path_join(arena, canonical, path_component(arena, fid, info.name));
        }
    }
    if (!m->is_owner) {
        uint32_t rights;
        EC_TRY(rights_of(m, tx, fid, &rights));
        if (!(rights & RIGHTS_VISIBLE))
            return EC_NOT_FOUND;
    }
    *fid_out = fid;
    if (canonical_out)
        *canonical_out = canonical;
    return EC_OK;
}

static void fill(struct mailbox_folder *f, const struct folder_info *info, const char *path,
                 uint32_t rights) {
    const struct special_folder_info *special = special_folder(info->fid);
    *f = (struct mailbox_folder){
        .fid = info->fid,
        .parent = info->parent,
        .path = path,
        .special_use = special ? special->special_use : "",
        .container_class = info->container_class,
        .rights = rights,
        .n_messages = info->n_messages,
        .n_unread = info->n_unread,
        .uid_validity = info->uid_validity,
        .uid_next = info->uid_next,
        .modseq = info->modseq,
        .size = info->size,
        .is_subscribed = info->is_subscribed,
        .has_children = info->n_subfolders > 0,
    };
}

// What is known of a folder while the tree is walked.
struct walked {
    const char *path;
    bool is_hidden; // itself or something above it
    int item;       // its index in the result, -1: not in it
};

static enum ec list_in(struct mailbox *m, struct mbox_tx *tx, struct arena *arena, bool with_hidden,
                       const struct rights_table *table, struct mailbox_folder_list *out) {
    struct folder_list all;
    EC_TRY(folder_list(tx, arena, FID_IPM_SUBTREE, true, &all));
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    struct walked *walked = arena_alloc0(arena, (all.n + 1) * sizeof *walked);
    out->items = arena_alloc0(arena, (all.n + 1) * sizeof *out->items);
    out->n = 0;
    for (unsigned i = 0; i < all.n; i++) {
        const struct folder_info *info = &all.items[i];
        struct walked *parent = g_hash_table_lookup(seen, &info->parent), *w = &walked[i];
        w->path = path_join(arena, parent ? parent->path : NULL,
                            path_component(arena, info->fid, info->name));
        w->is_hidden = info->is_hidden || (parent && parent->is_hidden);
        w->item = -1;
        g_hash_table_insert(seen, (gpointer)&info->fid, w);
        uint32_t rights = rights_table_of(table, info->fid);
        if ((w->is_hidden && !with_hidden) || !(rights & RIGHTS_VISIBLE))
            continue;
        w->item = (int)out->n;
        struct mailbox_folder *f = &out->items[out->n++];
        fill(f, info, w->path, rights);
        if (m->is_public && info->n_messages)
            EC_TRY(read_state_unread(m, tx, info->fid, &f->n_unread));
        f->has_children = false;
        if (parent && parent->item >= 0)
            out->items[parent->item].has_children = true;
    }
    return metadata_mark_uses(tx, arena, out);
}

static enum ec list_folders(struct mailbox *m, struct arena *arena, bool with_hidden,
                            struct mailbox_folder_list *out) {
    struct mbox_tx *tx;
    EC_TRY(mbox_read(m->mbox, &tx));
    struct rights_table *table = NULL;
    enum ec ec = rights_table_new(m, tx, arena, &table);
    if (ec == EC_OK)
        ec = list_in(m, tx, arena, with_hidden, table, out);
    rights_table_end(table);
    mbox_read_end(tx);
    // A delegate sees what there is: subscriptions are the owner's.
    for (unsigned i = 0; ec == EC_OK && m->is_login && i < out->n; i++)
        out->items[i].is_subscribed = true;
    return ec;
}

enum ec mailbox_list_folders(struct mailbox *m, struct arena *arena,
                             struct mailbox_folder_list *out) {
    return list_folders(m, arena, false, out);
}

enum ec mailbox_list_all_folders(struct mailbox *m, struct arena *arena,
                                 struct mailbox_folder_list *out) {
    return m->is_owner ? list_folders(m, arena, true, out) : EC_ACCESS_DENIED;
}

static enum ec find_in(struct mailbox *m, struct mbox_tx *tx, struct arena *arena, const char *path,
                       struct mailbox_folder *out) {
    uint64_t fid;
    const char *canonical;
    struct folder_info info;
    uint32_t rights;
    EC_TRY(folder_of_path(m, tx, arena, path, &fid, &canonical));
    EC_TRY(folder_get(tx, arena, fid, &info));
    EC_TRY(rights_of(m, tx, fid, &rights));
    fill(out, &info, canonical, rights);
    return m->is_public && info.n_messages ? read_state_unread(m, tx, fid, &out->n_unread) : EC_OK;
}

enum ec mailbox_find_folder(struct mailbox *m, struct arena *arena, const char *path,
                            struct mailbox_folder *out) {
    struct mbox_tx *tx;
    EC_TRY(mbox_read(m->mbox, &tx));
    enum ec ec = find_in(m, tx, arena, path, out);
    mbox_read_end(tx);
    return ec;
}

// --- Changing the tree ---

struct tree_change {
    struct mailbox *m;
    struct arena *arena;
    const char *path, *new_path;
    const char *use;             // what a new folder is for; NULL: nothing special
    const char *container_class; // of the last folder; NULL: mail
    uint64_t fid;                // out: the folder made
    struct folder_rows *rows;    // of the Inbox when it is renamed
    struct mailbox_limits limits;
};

// A new folder; whoever makes one in somebody else's mailbox owns it.
static enum ec make_folder(struct tree_change *c, struct mbox_tx *tx, uint64_t parent,
                           const char *name, const char *container_class, uint64_t *fid_out) {
    struct mailbox *m = c->m;
    EC_TRY(rights_require(m, tx, parent, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(quota_admit_folder(&c->limits, tx, parent, true));
    EC_TRY(folder_create(tx, parent, name, FOLDER_TYPE_GENERIC, container_class, fid_out));
    if (rights_are_full(m) || m->who->is_anonymous)
        return EC_OK;
    char text[GUID_STRING_SIZE];
    guid_format(&m->who->guid, text);
    return folder_set_permission(tx, *fid_out, text, ROLE_OWNER, false);
}

// Walks to the folder above the last name of `path`, making what is missing. The last name goes to
// *last_out.
static enum ec make_parents(struct tree_change *c, struct mbox_tx *tx, const char *path,
                            uint64_t *parent_out, const char **last_out) {
    unsigned n;
    char **names = path_split(c->arena, path, &n);
    if (!names)
        return EC_BAD_FOLDER_NAME;
    uint64_t fid = FID_IPM_SUBTREE;
    for (unsigned i = 0; i + 1 < n; i++) {
        uint64_t child;
        enum ec ec = find_child(tx, c->arena, fid, names[i], &child);
        if (ec == EC_NOT_FOUND)
            ec = make_folder(c, tx, fid, names[i], "IPF.Note", &child);
        if (ec != EC_OK)
            return ec;
        fid = child;
    }
    *parent_out = fid;
    *last_out = names[n - 1];
    return EC_OK;
}

enum ec folder_make(struct mbox_tx *tx, struct arena *arena, const char *path,
                    const char *container_class, uint64_t *fid_out) {
    unsigned n;
    char **names = path_split(arena, path, &n);
    uint64_t fid = FID_IPM_SUBTREE;
    if (!names)
        return EC_BAD_FOLDER_NAME;
    for (unsigned i = 0; i < n; i++) {
        uint64_t child;
        enum ec ec = find_child(tx, arena, fid, names[i], &child);
        if (ec == EC_NOT_FOUND)
            ec = folder_create(tx, fid, replace(arena, names[i], DIVISION_SLASH, SLASH),
                               FOLDER_TYPE_GENERIC, container_class, &child);
        EC_TRY(ec);
        fid = child;
    }
    *fid_out = fid;
    return EC_OK;
}

static enum ec create_last(struct tree_change *c, struct mbox_tx *tx, const char *path) {
    uint64_t parent, existing;
    const char *name;
    EC_TRY(make_parents(c, tx, path, &parent, &name));
    if (find_child(tx, c->arena, parent, name, &existing) == EC_OK)
        return EC_COLLISION;
    EC_TRY(make_folder(c, tx, parent, name, c->container_class ? c->container_class : "IPF.Note",
                       &c->fid));
    return subscription_follow(tx, path, c->fid, true);
}

static enum ec change_create(struct mbox_tx *tx, void *ctx) {
    struct tree_change *c = ctx;
    EC_TRY(create_last(c, tx, c->path));
    return c->use ? metadata_set_use(tx, c->fid, c->use) : EC_OK;
}

static enum ec create(struct mailbox *m, const char *path, const char *use,
                      const char *container_class, uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct tree_change c = {
        .m = m, .arena = arena, .path = path, .use = use, .container_class = container_class};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    EC_TRY(mbox_write(m->mbox, change_create, &c));
    if (fid_out)
        *fid_out = c.fid;
    return EC_OK;
}

enum ec mailbox_create_folder(struct mailbox *m, const char *path, uint64_t *fid_out) {
    return create(m, path, NULL, NULL, fid_out);
}

enum ec mailbox_create_folder_for(struct mailbox *m, const char *path, const char *use,
                                  uint64_t *fid_out) {
    return create(m, path, use, NULL, fid_out);
}

enum ec mailbox_create_folder_of_class(struct mailbox *m, const char *path,
                                       const char *container_class, uint64_t *fid_out) {
    return create(m, path, NULL, container_class, fid_out);
}

static enum ec change_delete(struct mbox_tx *tx, void *ctx) {
    struct tree_change *c = ctx;
    uint64_t fid;
    const char *canonical;
    EC_TRY(folder_of_path(c->m, tx, c->arena, c->path, &fid, &canonical));
    if (fid < FID_FIRST_FREE)
        return EC_ACCESS_DENIED;
    EC_TRY(rights_require(c->m, tx, fid, RIGHTS_OWNER));
    EC_TRY(subscription_follow(tx, canonical, fid, false));
    c->fid = fid;
    return folder_delete(tx, fid, FOLDER_DELETE_MESSAGES);
}

enum ec mailbox_delete_folder(struct mailbox *m, const char *path) {
    ARENA_AUTO arena = arena_new();
    struct tree_change c = {.m = m, .arena = arena, .path = path};
    EC_TRY(mbox_write(m->mbox, change_delete, &c));
    public_folder_gone(m, c.fid);
    return EC_OK;
}

// [RFC 3501] 6.3.5: the Inbox itself stays; its messages go to a new folder of that name.
static enum ec rename_inbox(struct tree_change *c, struct mbox_tx *tx) {
    EC_TRY(rights_require(c->m, tx, FID_INBOX, RIGHTS_DELETE_ANY));
    EC_TRY(create_last(c, tx, c->new_path));
    uint32_t n = folder_rows_count(c->rows);
    g_autofree uint64_t *mids = g_new(uint64_t, n + 1);
    for (uint32_t i = 0; i < n; i++)
        mids[i] = folder_rows_at(c->rows, i)->mid;
    return n ? message_move(tx, FID_INBOX, mids, n, c->fid, NULL) : EC_OK;
}

static enum ec change_rename(struct mbox_tx *tx, void *ctx) {
    struct tree_change *c = ctx;
    uint64_t fid, parent, existing;
    const char *name;
    EC_TRY(folder_of_path(c->m, tx, c->arena, c->path, &fid, NULL));
    if (fid == FID_INBOX)
        return rename_inbox(c, tx);
    if (fid < FID_FIRST_FREE)
        return EC_ACCESS_DENIED;
    EC_TRY(rights_require(c->m, tx, fid, RIGHTS_OWNER));
    EC_TRY(make_parents(c, tx, c->new_path, &parent, &name));
    // A change of case alone finds the folder itself.
    if (find_child(tx, c->arena, parent, name, &existing) == EC_OK && existing != fid)
        return EC_COLLISION;
    EC_TRY(rights_require(c->m, tx, parent, RIGHTS_CREATE_SUBFOLDER));
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, fid, &info));
    if (info.parent != parent)
        EC_TRY(quota_admit_folder(&c->limits, tx, parent, false));
    return folder_move(tx, fid, parent, name);
}

enum ec mailbox_rename_folder(struct mailbox *m, const char *path, const char *new_path) {
    ARENA_AUTO arena = arena_new();
    struct tree_change c = {.m = m, .arena = arena, .path = path, .new_path = new_path};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    if (g_ascii_strcasecmp(path, "INBOX") == 0)
        EC_TRY(folder_rows_get(m->mbox, FID_INBOX, &c.rows));
    enum ec ec = mbox_write(m->mbox, change_rename, &c);
    folder_rows_unref(c.rows);
    return ec;
}
