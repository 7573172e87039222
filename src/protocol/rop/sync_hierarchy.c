// What changed among the folders below one since a state ([MS-OXCFXICS] 2.2.4.3.5, 2.2.4.3.9,
// 3.2.5.3). Folders are few: what the client has is compared with what is there, so that folders
// that were moved out of the tree count as deleted.
#include "protocol/rop/transfer_internal.h"

static struct globset *own(const struct rop_download *d, struct idset *set) {
    return idset_of_guid(set, &d->source.object.logon->replica, true);
}

enum ec hierarchy_plan(struct rop_download *d, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct rop_logon *logon = d->source.object.logon;
    const struct globset *seen = own(d, d->state.seen);
    struct folder_list list;
    struct folder_info root;
    EC_TRY(folder_get(tx, arena, d->fid, &root));
    EC_TRY(folder_list(tx, arena, d->fid, true, &list));
    globset_add_all(d->deleted, own(d, d->state.given));
    for (unsigned i = 0; i < list.n; i++) { // parents before children (MS-OXCFXICS_R1129)
        const struct folder_info *f = &list.items[i];
        if (f->type == FOLDER_TYPE_SEARCH ||
            mailbox_require(logon->mailbox, tx, f->fid, RIGHTS_VISIBLE) != EC_OK)
            continue;
        globset_remove(d->deleted, f->fid, f->fid);
        struct sync_item item = {.id = f->fid, .cn = f->cn};
        if (!globset_contains(seen, f->cn)) // MS-OXCFXICS_R2042
            g_array_append_val(d->items, item);
    }
    return EC_OK;
}

// What the header has, or what is of this mailbox alone.
static bool is_of_header(proptag_t tag) {
    static const proptag_t tags[] = {
        PidTagFolderId,          PidTagParentFolderId,     PidTagSourceKey,
        PidTagParentSourceKey,   PidTagChangeKey,          PidTagPredecessorChangeList,
        PidTagChangeNumber,      PidTagDisplayName,        PidTagLastModificationTime,
        PidTagContentCount,      PidTagContentUnreadCount, PidTagAssociatedContentCount,
        PidTagDeletedCountTotal, PidTagMessageSize,        PidTagMessageSizeExtended,
        PidTagLocalCommitTime,   PidTagSubfolders,
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        if (PROP_ID(tags[i]) == PROP_ID(tag))
            return true;
    return false;
}

enum ec hierarchy_put(struct rop_download *d, struct mbox_tx *tx, struct sync_item *item) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO bag = NULL;
    struct ft_writer *w = d->source.w;
    const struct guid *replica = &d->source.object.logon->replica;
    struct fast_filter filter = {d->tags, d->n_tags, (d->flags & SYNC_ONLY_SPECIFIED) != 0};
    struct replica_change change;
    struct folder_info f;
    enum ec ec = folder_get(tx, arena, item->id, &f);
    if (ec == EC_NOT_FOUND) { // deleted meanwhile
        item->cn = 0;
        return EC_OK;
    }
    EC_TRY(ec);
    EC_TRY(folder_get_props(tx, item->id, &bag));
    EC_TRY(replica_folder_change(tx, arena, item->id, &change));
    item->cn = f.cn;
    struct prop_value changed = prop_time(PidTagLastModificationTime, f.changed),
                      name = prop_str(PidTagDisplayName, f.name);
    ft_put_marker(w, FT_CHANGE);
    if (f.parent == d->fid) // MS-OXCFXICS_R1127, R2081
        ft_put_binary(w, PidTagParentSourceKey, NULL, 0);
    else
        sync_put_key(w, PidTagParentSourceKey, replica, f.parent);
    sync_put_key(w, PidTagSourceKey, replica, f.fid);
    ft_put_value(w, &changed, NULL);
    sync_put_change(w, arena, &change);
    ft_put_value(w, &name, NULL);
    if (d->extra & EXTRA_EID) // MS-OXCFXICS_R2191
        ft_put_value(w, bag_get(bag, PidTagFolderId), NULL);
    if (d->extra & EXTRA_EID || d->flags & SYNC_NO_FOREIGN_IDS) // MS-OXCFXICS_R1097
        ft_put_value(w, bag_get(bag, PidTagParentFolderId), NULL);
    return fast_put_folder_bag(w, tx, bag, &filter, is_of_header);
}
