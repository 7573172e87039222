// Hierarchy tables: the folders below one ([MS-OXCFOLD] 2.2.1.13). What the folder's row has is in
// the list; other properties are read from the folder when a column or restriction asks for them.
#include "mapi/change.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/gone_folder.h"
#include "store/store_internal.h"
#include "store/table_list.h"

struct hierarchy {
    struct guid mailbox, replica;
    uint64_t fid;
    bool is_deep, is_soft_deleted;
};

static const proptag_t columns[] = {
    PidTagInstID,
    PidTagInstanceNum,
    PidTagDepth,
    PidTagFolderId,
    PidTagParentFolderId,
    PidTagEntryId,
    PidTagParentEntryId,
    PidTagRecordKey,
    PidTagSourceKey,
    PidTagParentSourceKey,
    PidTagChangeKey,
    PidTagDisplayName,
    PidTagComment,
    PidTagContainerClass,
    PidTagContentCount,
    PidTagContentUnreadCount,
    PidTagAssociatedContentCount,
    PidTagDeletedCountTotal,
    PidTagSubfolders,
    PidTagFolderType,
    PidTagFolderFlags,
    PidTagAttributeHidden,
    PidTagMessageSize,
    PidTagMessageSizeExtended,
    PidTagCreationTime,
    PidTagLastModificationTime,
    PidTagLocalCommitTimeMax,
    PidTagHasRules,
    PidTagObjectType,
    PidTagRights,
    PidTagAccess,
};

static int64_t wire_id(uint64_t fid) {
    return short_id_value((struct short_id){REPLID_OWN, fid});
}

static struct prop_bin source_key(struct arena *arena, const struct guid *replica, uint64_t id) {
    struct wire_writer w = wire_writer(GID_SIZE);
    struct gid gid = {*replica, id};
    gid_put(&w, &gid);
    struct prop_bin bin = {w.bytes->len, arena_memdup(arena, w.bytes->data, w.bytes->len)};
    wire_writer_clear(&w);
    return bin;
}

static struct prop_value bin_value(proptag_t tag, struct prop_bin bin) {
    return prop_bytes(tag, bin.data, bin.len);
}

enum { OBJECT_FOLDER = 3 }; // PidTagObjectType

// `deleted` 0: it is there.
static void add_folder(const struct hierarchy *h, struct list *list, const struct folder_info *f,
                       int32_t depth, filetime_t deleted) {
    struct arena *arena = list_arena(list);
    struct prop_bin entry = entry_id_of_folder(arena, &h->mailbox, &h->replica, f->fid);
    struct prop_bin parent = entry_id_of_folder(arena, &h->mailbox, &h->replica, f->parent);
    struct prop_value values[] = {
        prop_long(PidTagDepth, depth),
        prop_i8(PidTagFolderId, wire_id(f->fid)),
        prop_i8(PidTagParentFolderId, wire_id(f->parent)),
        bin_value(PidTagEntryId, entry),
        bin_value(PidTagRecordKey, entry),
        bin_value(PidTagParentEntryId, parent),
        bin_value(PidTagSourceKey, source_key(arena, &h->replica, f->fid)),
        bin_value(PidTagParentSourceKey, source_key(arena, &h->replica, f->parent)),
        bin_value(PidTagChangeKey, source_key(arena, &h->replica, f->cn)),
        prop_str(PidTagDisplayName, f->name),
        prop_long(PidTagContentCount, (int32_t)f->n_messages),
        prop_long(PidTagContentUnreadCount, (int32_t)f->n_unread),
        prop_long(PidTagAssociatedContentCount, (int32_t)f->n_associated),
        prop_long(PidTagDeletedCountTotal, (int32_t)f->n_soft_deleted),
        prop_bool(PidTagSubfolders, f->n_subfolders > 0),
        prop_long(PidTagFolderType, f->type),
        prop_bool(PidTagAttributeHidden, f->is_hidden),
        prop_long(PidTagMessageSize, (int32_t)MIN(f->size, (uint64_t)INT32_MAX)),
        prop_i8(PidTagMessageSizeExtended, (int64_t)f->size),
        prop_time(PidTagCreationTime, f->created),
        prop_time(PidTagLastModificationTime, f->changed),
        prop_long(PidTagObjectType, OBJECT_FOLDER),
        // The last ones are absent when there are none.
        deleted ? prop_time(PidTagDeletedOn, deleted)
                : prop_str(PidTagContainerClass, f->container_class),
        prop_str(PidTagContainerClass, f->container_class),
    };
    unsigned n = G_N_ELEMENTS(values) - (deleted ? 0u : 1u) - (*f->container_class ? 0u : 1u);
    list_add(list, (struct row_key){(uint64_t)wire_id(f->fid), 0}, values, n);
}

// A deleted folder as a row: what it was, with what can be restored of it.
static struct folder_info gone_info(const struct gone_folder *g) {
    return (struct folder_info){.fid = g->fid,
                                .parent = g->parent,
                                .name = g->name,
                                .container_class = g->class,
                                .type = FOLDER_TYPE_GENERIC,
                                .is_hidden = g->is_hidden,
                                .n_soft_deleted = g->n_messages,
                                .created = g->created,
                                .changed = g->deleted};
}

// The deleted folders that were in this one; deep: those that were below them too.
static enum ec fill_gone(const struct hierarchy *h, struct mbox_tx *tx, struct list *list) {
    struct gone_folders gone;
    g_autoptr(GHashTable) depths = g_hash_table_new(g_int64_hash, g_int64_equal);
    EC_TRY(gone_folders_list(tx, list_arena(list), &gone));
    g_hash_table_insert(depths, (gpointer)&h->fid, GINT_TO_POINTER(1));
    for (unsigned i = 0; i < gone.n; i++) { // by path: parents first
        const struct gone_folder *g = &gone.items[i];
        int depth = GPOINTER_TO_INT(g_hash_table_lookup(depths, &g->parent));
        if (!depth)
            continue;
        struct folder_info f = gone_info(g);
        add_folder(h, list, &f, depth, g->deleted);
        if (h->is_deep)
            g_hash_table_insert(depths, (gpointer)&g->fid, GINT_TO_POINTER(depth + 1));
    }
    return EC_OK;
}

static enum ec fill(void *ctx, struct mbox_tx *tx, struct list *list) {
    const struct hierarchy *h = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info root;
    struct folder_list folders;
    EC_TRY(folder_get(tx, arena, h->fid, &root));
    if (h->is_soft_deleted)
        return fill_gone(h, tx, list);
    EC_TRY(folder_list(tx, arena, h->fid, h->is_deep, &folders));
    // Parents come before their children, so that a folder's depth is that of a row before it.
    g_autoptr(GHashTable) depths = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_hash_table_insert(depths, &root.fid, GINT_TO_POINTER(0));
    for (unsigned i = 0; i < folders.n; i++) {
        struct folder_info *f = &folders.items[i];
        int depth = GPOINTER_TO_INT(g_hash_table_lookup(depths, &f->parent)) + 1;
        g_hash_table_insert(depths, &f->fid, GINT_TO_POINTER(depth));
        add_folder(h, list, f, depth, 0);
    }
    return EC_OK;
}

static enum ec more(void *ctx, struct mbox_tx *tx, struct row_key key, struct bag **out) {
    const struct hierarchy *h = ctx;
    if (h->is_soft_deleted) { // the list has all there is
        *out = bag_new();
        return EC_OK;
    }
    return folder_get_props(tx, short_id_of_value((int64_t)key.id).counter, out);
}

enum ec table_open_hierarchy(struct mbox *mbox, uint64_t fid, bool is_deep, bool is_soft_deleted,
                             struct table **out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_info folder;
    EC_TRY(mbox_read(mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &folder));
    struct hierarchy *h = g_new(struct hierarchy, 1);
    *h = (struct hierarchy){mbox->guid, mbox->replica, fid, is_deep, is_soft_deleted};
    struct list_source_spec spec = {fill, more, g_free, h, columns, G_N_ELEMENTS(columns)};
    *out = table_new(TABLE_HIERARCHY, list_source_new(mbox, &spec));
    return EC_OK;
}
