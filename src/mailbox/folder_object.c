// Folders by id: reading them and changing the tree, with rights and limits asked for.
#include "mailbox/folder_object.h"

#include <string.h>

#include "mailbox/public_read.h"
#include "mapi/props.h"
#include "store/change.h"
#include "store/gone_folder.h"
#include "store/search_folder.h"

#define TRASH_NAMES 1000 // tried before the deletion is refused

// --- Reading ---

static enum ec fill(struct mailbox *m, struct mbox_tx *tx, const struct folder_info *info,
                    uint32_t rights, bool with_props, struct mailbox_folder_object *out) {
    *out = (struct mailbox_folder_object){
        .fid = info->fid,
        .parent = info->parent,
        .cn = info->cn,
        .name = info->name,
        .container_class = info->container_class,
        .is_search = info->type == FOLDER_TYPE_SEARCH,
        .is_hidden = info->is_hidden,
        .n_messages = info->n_messages,
        .n_unread = info->n_unread,
        .n_children = info->n_subfolders,
        .rights = rights,
    };
    if (m->is_public && info->n_messages)
        EC_TRY(read_state_unread(m, tx, info->fid, &out->n_unread));
    return with_props ? folder_get_props(tx, info->fid, &out->props) : EC_OK;
}

enum ec mailbox_get_folder_object(struct mailbox *m, struct arena *arena, uint64_t fid,
                                  bool with_props, struct mailbox_folder_object *out) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    uint32_t rights;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &info));
    EC_TRY(rights_of(m, tx, fid, &rights));
    if (!(rights & RIGHTS_VISIBLE))
        return EC_NOT_FOUND;
    return fill(m, tx, &info, rights, with_props, out);
}

void mailbox_folder_object_clear(struct mailbox_folder_object *f) {
    g_clear_pointer(&f->props, bag_free);
}

void mailbox_folder_objects_clear(struct mailbox_folder_objects *list) {
    for (unsigned i = 0; i < list->n; i++)
        mailbox_folder_object_clear(&list->items[i]);
    list->n = 0;
}

static enum ec list_below(struct mailbox *m, struct mbox_tx *tx, struct arena *arena, uint64_t root,
                          bool is_deep, bool with_props, struct mailbox_folder_objects *out) {
    struct folder_list all;
    struct rights_table *table = NULL;
    EC_TRY(folder_list(tx, arena, root, is_deep, &all));
    out->items = arena_alloc0(arena, (all.n + 1) * sizeof *out->items);
    enum ec ec = rights_table_new(m, tx, arena, &table);
    for (unsigned i = 0; ec == EC_OK && i < all.n; i++) {
        uint32_t rights = rights_table_of(table, all.items[i].fid);
        if (!(rights & RIGHTS_VISIBLE))
            continue;
        ec = fill(m, tx, &all.items[i], rights, with_props, &out->items[out->n]);
        if (ec == EC_OK)
            out->n++;
    }
    rights_table_end(table);
    return ec;
}

enum ec mailbox_list_folder_objects(struct mailbox *m, struct arena *arena, uint64_t root,
                                    bool is_deep, bool with_props,
                                    struct mailbox_folder_objects *out) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    *out = (struct mailbox_folder_objects){.root = root};
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(folder_get(tx, arena, root, &info));
    EC_TRY(rights_require(m, tx, root, RIGHTS_VISIBLE));
    enum ec ec = list_below(m, tx, arena, root, is_deep, with_props, out);
    if (ec != EC_OK)
        mailbox_folder_objects_clear(out);
    return ec;
}

// Whether the deleted folder `at` was below `root`: through others that were deleted with it, or
// through one that is still there.
static bool was_below(struct mbox_tx *tx, const struct gone_folders *gone,
                      const struct gone_folder *at, uint64_t root) {
    uint64_t fid = at->parent;
    for (unsigned depth = 0; depth <= FOLDER_MAX_DEPTH; depth++) {
        if (fid == root)
            return true;
        if (fid == 0 || fid == FID_ROOT)
            return false;
        const struct gone_folder *next = NULL;
        for (unsigned i = 0; i < gone->n && !next; i++)
            if (gone->items[i].fid == fid)
                next = &gone->items[i];
        ARENA_AUTO arena = arena_new();
        struct folder_info info;
        if (next)
            fid = next->parent;
        else if (folder_get(tx, arena, fid, &info) == EC_OK)
            fid = info.parent;
        else
            return false;
    }
    return false;
}

enum ec mailbox_list_deleted_folders(struct mailbox *m, struct arena *arena, uint64_t root,
                                     bool is_deep, struct mailbox_folder_objects *out) {
    MBOX_TX_AUTO tx = NULL;
    struct gone_folders gone;
    *out = (struct mailbox_folder_objects){.root = root};
    if (!rights_are_full(m))
        return EC_ACCESS_DENIED;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(gone_folders_list(tx, arena, &gone));
    out->items = arena_alloc0(arena, (gone.n + 1) * sizeof *out->items);
    for (unsigned i = 0; i < gone.n; i++) {
        const struct gone_folder *g = &gone.items[i];
        if (g->parent != root && !(is_deep && was_below(tx, &gone, g, root)))
            continue;
        out->items[out->n++] = (struct mailbox_folder_object){
            .fid = g->fid,
            .parent = g->parent,
            .name = g->name,
            .container_class = g->class ? g->class : "",
            .is_hidden = g->is_hidden,
            .n_messages = g->n_messages,
            .rights = RIGHTS_ALL,
        };
    }
    return EC_OK;
}

enum ec mailbox_find_child(struct mailbox *m, uint64_t parent, const char *name,
                           uint64_t *fid_out) {
    MBOX_TX_AUTO tx = NULL;
    uint64_t fid;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, parent, RIGHTS_VISIBLE));
    EC_TRY(folder_find(tx, parent, name, &fid));
    enum ec ec = rights_require(m, tx, fid, RIGHTS_VISIBLE);
    if (ec != EC_OK)
        return ec == EC_ACCESS_DENIED ? EC_NOT_FOUND : ec;
    *fid_out = fid;
    return EC_OK;
}

enum ec mailbox_get_search_criteria(struct mailbox *m, struct arena *arena, uint64_t fid,
                                    struct mailbox_search_criteria *out) {
    MBOX_TX_AUTO tx = NULL;
    struct search_criteria criteria;
    uint32_t state;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, fid, RIGHTS_VISIBLE));
    EC_TRY(search_folder_get(tx, arena, fid, &criteria, &state));
    *out = (struct mailbox_search_criteria){criteria.restriction, criteria.scope, criteria.n_scope,
                                            criteria.is_recursive};
    return EC_OK;
}

// --- Changing ---

struct object_change {
    struct mailbox *m;
    struct arena *arena;
    uint64_t fid, target;
    const struct mailbox_folder_new *spec;
    const struct mailbox_folder_change *change;
    enum mailbox_delete_folder how;
    bool with_folders;
    struct mailbox_limits limits;
    GArray *gone; // fids of deleted folders, for the directory
};

static enum ec set_search(const struct object_change *c, struct mbox_tx *tx, uint64_t fid,
                          const struct mailbox_search_criteria *search) {
    struct search_criteria criteria = {.restriction = search->restriction,
                                       .scope = search->scope,
                                       .n_scope = search->n_scope,
                                       .is_recursive = search->is_recursive};
    for (unsigned i = 0; i < search->n_scope; i++)
        EC_TRY(rights_require(c->m, tx, search->scope[i], RIGHTS_READ_ANY));
    return search_folder_set(tx, fid, &criteria);
}

// Whoever makes a folder in somebody else's mailbox owns it.
static enum ec own_folder(const struct object_change *c, struct mbox_tx *tx, uint64_t fid) {
    const struct mailbox *m = c->m;
    if (rights_are_full(m) || m->who->is_anonymous)
        return EC_OK;
    char text[GUID_STRING_SIZE];
    guid_format(&m->who->guid, text);
    return folder_set_permission(tx, fid, text, ROLE_OWNER, false);
}

static enum ec require_no_search(const struct object_change *c, struct mbox_tx *tx, uint64_t fid) {
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, fid, &info));
    return info.type == FOLDER_TYPE_SEARCH ? EC_SEARCH_FOLDER : EC_OK;
}

static enum ec change_create(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    const struct mailbox_folder_new *spec = c->spec;
    EC_TRY(require_no_search(c, tx, c->target));
    EC_TRY(rights_require(c->m, tx, c->target, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(quota_admit_folder(&c->limits, tx, c->target, true));
    // A search folder shows what others show: only the owner may look so far.
    if (spec->search && !rights_are_full(c->m))
        return EC_ACCESS_DENIED;
    EC_TRY(folder_create(tx, c->target, spec->name,
                         spec->search ? FOLDER_TYPE_SEARCH : FOLDER_TYPE_GENERIC,
                         spec->container_class, &c->fid));
    if (spec->set && bag_count(spec->set) > 0)
        EC_TRY(folder_set_props(tx, c->fid, spec->set, NULL, 0));
    if (spec->search)
        EC_TRY(set_search(c, tx, c->fid, spec->search));
    return own_folder(c, tx, c->fid);
}

enum ec mailbox_create_folder_object(struct mailbox *m, uint64_t parent,
                                     const struct mailbox_folder_new *spec, uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct object_change c = {.m = m, .arena = arena, .target = parent, .spec = spec};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    EC_TRY(mbox_write(m->mbox, change_create, &c));
    *fid_out = c.fid;
    return EC_OK;
}

static enum ec change_update(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    const struct mailbox_folder_change *change = c->change;
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, c->fid, &info));
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_OWNER));
    if (change->cn && change->cn != info.cn)
        return EC_OBJECT_MODIFIED;
    const char *name = change->set ? bag_str(change->set, PidTagDisplayName) : NULL;
    if (name && c->fid < FID_FIRST_FREE && strcmp(name, info.name) != 0)
        return EC_ACCESS_DENIED;
    if ((change->set && bag_count(change->set) > 0) || change->n_remove > 0)
        EC_TRY(folder_set_props(tx, c->fid, change->set, change->remove, change->n_remove));
    if (!change->search)
        return EC_OK;
    if (!rights_are_full(c->m))
        return EC_ACCESS_DENIED;
    return set_search(c, tx, c->fid, change->search);
}

enum ec mailbox_update_folder_object(struct mailbox *m, uint64_t fid,
                                     const struct mailbox_folder_change *change) {
    ARENA_AUTO arena = arena_new();
    struct object_change c = {.m = m, .arena = arena, .fid = fid, .change = change};
    return mbox_write(m->mbox, change_update, &c);
}

static enum ec change_move(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, c->fid, &info));
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_OWNER));
    if (c->fid < FID_FIRST_FREE)
        return EC_ACCESS_DENIED;
    EC_TRY(require_no_search(c, tx, c->target));
    EC_TRY(rights_require(c->m, tx, c->target, RIGHTS_CREATE_SUBFOLDER));
    if (info.parent != c->target)
        EC_TRY(quota_admit_folder(&c->limits, tx, c->target, false));
    return folder_move(tx, c->fid, c->target, NULL);
}

enum ec mailbox_move_folder_object(struct mailbox *m, uint64_t fid, uint64_t new_parent) {
    ARENA_AUTO arena = arena_new();
    struct object_change c = {.m = m, .arena = arena, .fid = fid, .target = new_parent};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    return mbox_write(m->mbox, change_move, &c);
}

// Everything that is copied must be readable, and there must be room for it.
static enum ec admit_copy(struct object_change *c, struct mbox_tx *tx) {
    struct folder_list below;
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_READ_ANY));
    EC_TRY(folder_list(tx, c->arena, c->fid, true, &below));
    for (unsigned i = 0; i < below.n; i++)
        EC_TRY(rights_require(c->m, tx, below.items[i].fid, RIGHTS_READ_ANY));
    return EC_OK;
}

static enum ec change_copy(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    struct mbox_usage before;
    uint64_t copy;
    mbox_get_usage(tx, &before);
    EC_TRY(admit_copy(c, tx));
    EC_TRY(require_no_search(c, tx, c->target));
    EC_TRY(rights_require(c->m, tx, c->target, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(quota_admit_folder(&c->limits, tx, c->target, true));
    EC_TRY(folder_copy(tx, c->fid, c->target, NULL, true, &copy));
    EC_TRY(own_folder(c, tx, copy));
    c->fid = copy;
    return quota_settled(&c->limits, tx, &before);
}

enum ec mailbox_copy_folder_object(struct mailbox *m, uint64_t fid, uint64_t new_parent,
                                   uint64_t *fid_out) {
    ARENA_AUTO arena = arena_new();
    struct object_change c = {.m = m, .arena = arena, .fid = fid, .target = new_parent};
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    EC_TRY(mbox_write(m->mbox, change_copy, &c));
    *fid_out = c.fid;
    return EC_OK;
}

// --- Deleting ---

// Below Deleted Items, under the first free name.
static enum ec move_to_trash(struct object_change *c, struct mbox_tx *tx,
                             const struct folder_info *info) {
    const char *name = info->name;
    for (unsigned i = 1; i <= TRASH_NAMES; i++) {
        enum ec ec = folder_move(tx, info->fid, FID_DELETED_ITEMS, name);
        if (ec != EC_COLLISION)
            return ec;
        name = arena_printf(c->arena, "%s%u", info->name, i);
    }
    return EC_COLLISION;
}

static enum ec delete_one(struct object_change *c, struct mbox_tx *tx,
                          const struct folder_info *info) {
    EC_TRY(rights_require(c->m, tx, info->fid, RIGHTS_OWNER));
    if (info->fid < FID_FIRST_FREE)
        return EC_ACCESS_DENIED;
    g_array_append_val(c->gone, info->fid);
    if (c->how == MAILBOX_FOLDER_TO_TRASH && info->parent != FID_DELETED_ITEMS && !c->m->is_public)
        return move_to_trash(c, tx, info);
    return folder_delete(tx, info->fid,
                         FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS |
                             (c->how == MAILBOX_FOLDER_HARD ? FOLDER_DELETE_HARD : 0u));
}

static enum ec change_delete(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    struct folder_info info;
    EC_TRY(folder_get(tx, c->arena, c->fid, &info));
    return delete_one(c, tx, &info);
}

static void tell_gone(struct object_change *c) {
    for (guint i = 0; c->m->is_public && i < c->gone->len; i++)
        public_folder_gone(c->m, g_array_index(c->gone, uint64_t, i));
}

enum ec mailbox_delete_folder_object(struct mailbox *m, uint64_t fid,
                                     enum mailbox_delete_folder how) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct object_change c = {.m = m, .arena = arena, .fid = fid, .how = how, .gone = gone};
    EC_TRY(mbox_write(m->mbox, change_delete, &c));
    tell_gone(&c);
    return EC_OK;
}

// The normal messages of a folder, as the write sees them.
static enum ec list_messages(struct object_change *c, struct mbox_tx *tx, GArray *mids) {
    struct change_list all;
    EC_TRY(changes_of_folder(tx, c->arena, c->fid, 0, 0, &all));
    for (unsigned i = 0; i < all.n; i++)
        if (all.items[i].kind != CHANGE_DELETED && !all.items[i].is_associated)
            g_array_append_val(mids, all.items[i].id);
    return EC_OK;
}

static enum ec change_empty(struct mbox_tx *tx, void *ctx) {
    struct object_change *c = ctx;
    struct folder_list below = {0};
    EC_TRY(require_no_search(c, tx, c->fid));
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_DELETE_ANY));
    if (c->with_folders)
        EC_TRY(folder_list(tx, c->arena, c->fid, false, &below));
    for (unsigned i = 0; i < below.n; i++)
        EC_TRY(delete_one(c, tx, &below.items[i]));
    if (c->how != MAILBOX_FOLDER_TO_TRASH || c->fid == FID_DELETED_ITEMS || c->m->is_public)
        return folder_empty(tx, c->fid,
                            FOLDER_DELETE_MESSAGES |
                                (c->how == MAILBOX_FOLDER_HARD ? FOLDER_DELETE_HARD : 0u),
                            false);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(list_messages(c, tx, mids));
    return message_move(tx, c->fid, (const uint64_t *)(void *)mids->data, mids->len,
                        FID_DELETED_ITEMS, NULL);
}

enum ec mailbox_empty_folder_object(struct mailbox *m, uint64_t fid, enum mailbox_delete_folder how,
                                    bool with_folders) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct object_change c = {
        .m = m, .arena = arena, .fid = fid, .how = how, .with_folders = with_folders, .gone = gone};
    EC_TRY(mbox_write(m->mbox, change_empty, &c));
    tell_gone(&c);
    return EC_OK;
}
