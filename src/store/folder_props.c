// A folder object's properties: its bag and what is computed ([MS-OXCFOLD] 2.2.2).
#include <string.h>

#include "mapi/change.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "store/folder_internal.h"
#include "store/replica.h"
#include "store/store_internal.h"

static enum ec run_props_get(struct mbox_tx *tx, uint64_t fid, struct bag **out) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_props_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    enum ec ec = db_step(q) ? stored_bag(q, 0, out) : EC_NOT_FOUND;
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

enum ec folder_get_stored_props(struct mbox_tx *tx, uint64_t fid, struct bag **out) {
    return run_props_get(tx, fid, out);
}

// Computed from the row; never in the stored bag.
static const proptag_t computed[] = {
    PidTagFolderId,
    PidTagParentFolderId,
    PidTagContentCount,
    PidTagContentUnreadCount,
    PidTagAssociatedContentCount,
    PidTagDeletedCountTotal,
    PidTagSubfolders,
    PidTagMessageSize,
    PidTagMessageSizeExtended,
    PidTagFolderType,
    PidTagCreationTime,
    PidTagLastModificationTime,
    PidTagChangeNumber,
    PidTagHierarchyChangeNumber,
    PidTagLocalCommitTime,
    PidTagParentEntryId,
    PidTagFolderFlags,
    PidTagSourceKey,
    PidTagParentSourceKey,
    PidTagChangeKey,
    PidTagPredecessorChangeList,
};

static bool is_computed(proptag_t tag) {
    for (unsigned i = 0; i < G_N_ELEMENTS(computed); i++)
        if (PROP_ID(computed[i]) == PROP_ID(tag))
            return true;
    return false;
}

static int64_t wire_id(uint64_t id) {
    return short_id_value((struct short_id){REPLID_OWN, id});
}

static void set_i8(struct bag *bag, proptag_t tag, int64_t v) {
    struct prop_value value = prop_i8(tag, v);
    bag_set(bag, &value);
}

static void add_computed(struct bag *bag, const struct folder_info *f) {
    set_i8(bag, PidTagFolderId, wire_id(f->fid));
    set_i8(bag, PidTagParentFolderId, wire_id(f->parent));
    bag_set_str(bag, PidTagDisplayName, f->name);
    if (*f->container_class)
        bag_set_str(bag, PidTagContainerClass, f->container_class);
    bag_set_long(bag, PidTagContentCount, (int32_t)f->n_messages);
    bag_set_long(bag, PidTagContentUnreadCount, (int32_t)f->n_unread);
    bag_set_long(bag, PidTagAssociatedContentCount, (int32_t)f->n_associated);
    bag_set_long(bag, PidTagDeletedCountTotal, (int32_t)f->n_soft_deleted);
    bag_set_bool(bag, PidTagSubfolders, f->n_subfolders > 0);
    bag_set_bool(bag, PidTagAttributeHidden, f->is_hidden);
    bag_set_long(bag, PidTagMessageSize, (int32_t)MIN(f->size, (uint64_t)INT32_MAX));
    set_i8(bag, PidTagMessageSizeExtended, (int64_t)f->size);
    bag_set_long(bag, PidTagFolderType, f->type);
    bag_set_time(bag, PidTagCreationTime, f->created);
    bag_set_time(bag, PidTagLastModificationTime, f->changed);
    bag_set_time(bag, PidTagLocalCommitTime, f->changed);
    set_i8(bag, PidTagChangeNumber, wire_id(f->cn));
}

enum { FLAG_IPM = 1, FLAG_SEARCH = 2, FLAG_NORMAL = 4 }; // PidTagFolderFlags

static enum ec add_place(struct mbox_tx *tx, struct arena *arena, struct bag *bag,
                         const struct folder_info *f) {
    unsigned depth;
    bool is_ipm;
    EC_TRY(folder_depth(tx, f->fid, FID_IPM_SUBTREE, &depth, &is_ipm));
    struct prop_bin parent =
        entry_id_of_folder(arena, &tx->mbox->guid, &tx->mbox->replica, f->parent);
    bag_set_bytes(bag, PidTagParentEntryId, parent.data, parent.len);
    bag_set_long(bag, PidTagFolderFlags,
                 (is_ipm ? FLAG_IPM : 0) |
                     (f->type == FOLDER_TYPE_SEARCH ? FLAG_SEARCH : FLAG_NORMAL));
    return EC_OK;
}

static void set_key(struct bag *bag, struct arena *arena, proptag_t tag, const struct guid *replica,
                    uint64_t id) {
    struct gid gid = {*replica, id};
    struct xid xid = xid_of(&gid);
    struct prop_bin bytes = xid_bytes(arena, &xid);
    bag_set_bytes(bag, tag, bytes.data, bytes.len);
}

// What synchronization knows the folder and its change by ([MS-OXCFXICS] 2.2.1.2).
static enum ec add_keys(struct mbox_tx *tx, struct arena *arena, struct bag *bag,
                        const struct folder_info *f) {
    struct replica_change change;
    EC_TRY(replica_folder_change(tx, arena, f->fid, &change));
    set_key(bag, arena, PidTagSourceKey, &tx->mbox->replica, f->fid);
    set_key(bag, arena, PidTagParentSourceKey, &tx->mbox->replica, f->parent);
    struct prop_bin key = xid_bytes(arena, &change.key), pcl = pcl_bytes(arena, &change.pcl);
    bag_set_bytes(bag, PidTagChangeKey, key.data, key.len);
    bag_set_bytes(bag, PidTagPredecessorChangeList, pcl.data, pcl.len);
    return EC_OK;
}

enum ec folder_get_props(struct mbox_tx *tx, uint64_t fid, struct bag **out) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, fid, &f));
    EC_TRY(run_props_get(tx, fid, out));
    add_computed(*out, &f);
    enum ec ec = add_place(tx, arena, *out, &f);
    if (ec == EC_OK)
        ec = add_keys(tx, arena, *out, &f);
    if (ec != EC_OK)
        g_clear_pointer(out, bag_free);
    return ec;
}

static enum ec apply(struct bag *props, const struct bag *set, const uint32_t *remove,
                     unsigned n_remove, struct folder_info *f) {
    for (unsigned i = 0; i < n_remove; i++) {
        if (is_computed(remove[i]) || PROP_ID(remove[i]) == PROP_ID(PidTagDisplayName))
            return EC_COMPUTED;
        if (PROP_ID(remove[i]) == PROP_ID(PidTagAttributeHidden))
            f->is_hidden = false;
        bag_remove(props, remove[i]);
    }
    for (unsigned i = 0; set && i < bag_count(set); i++) {
        const struct prop_value *v = bag_at(set, i);
        if (is_computed(v->tag))
            return EC_COMPUTED;
        if (v->tag == PidTagDisplayName)
            continue;
        if (v->tag == PidTagContainerClass)
            f->container_class = v->str;
        else if (v->tag == PidTagAttributeHidden)
            f->is_hidden = v->b;
        else
            EC_TRY(bag_set(props, v));
    }
    return EC_OK;
}

enum ec folder_set_props(struct mbox_tx *tx, uint64_t fid, const struct bag *set,
                         const uint32_t *remove, unsigned n_remove) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    BAG_AUTO props = NULL;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &f));
    EC_TRY(run_props_get(tx, fid, &props));
    EC_TRY(apply(props, set, remove, n_remove, &f));
    const char *name = set ? bag_str(set, PidTagDisplayName) : NULL;
    if (name && strcmp(name, f.name) != 0)
        EC_TRY(folder_move(tx, fid, f.parent, name));
    g_autoptr(GBytes) bytes = bag_encode(props);
    struct db_stmt *q = db_query(tx->conn, sql_folder_props_set);
    db_bind_blob(q, 1, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    db_bind_text(q, 2, f.container_class);
    db_bind_i64(q, 3, f.is_hidden);
    db_bind_i64(q, 4, (int64_t)f.cn);
    db_bind_i64(q, 5, (int64_t)tx->now);
    db_bind_i64(q, 6, MBX);
    db_bind_i64(q, 7, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    return folder_touch(tx, fid);
}
