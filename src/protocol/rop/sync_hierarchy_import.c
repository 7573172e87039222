// ICS uploads of folders ([MS-OXCFXICS] 2.2.3.2.4.3, 3.2.5.9.4.3): made, changed, moved.
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"

#define N_HIERARCHY_VALUES 6

struct import {
    struct rop_upload *upload;
    uint64_t fid, parent;
    const char *name;
    filetime_t modified;
    struct replica_change change;
    const struct bag *props;
    uint64_t cn; // out; 0: the state does not get it
};

static enum ec read_header(struct rop_call *c, struct import *i) {
    struct prop_wire form = rop_form(&i->upload->object);
    unsigned n = wire_u16(c->r);
    // MS-OXCFXICS_R1309 to R1322: these, in this order.
    static const proptag_t tags[N_HIERARCHY_VALUES] = {
        PidTagParentSourceKey,       PidTagSourceKey,  PidTagLastModificationTime, PidTagChangeKey,
        PidTagPredecessorChangeList, PidTagDisplayName};
    if (n != N_HIERARCHY_VALUES)
        return EC_INVALID_PARAMETER;
    struct prop_value *v = prop_wire_tagged_array(c->r, &form, c->arena, n);
    for (unsigned k = 0; v && k < n; k++)
        if (v[k].tag != tags[k])
            return EC_INVALID_PARAMETER;
    if (!v || !*v[5].str)
        return EC_INVALID_PARAMETER;
    const struct rop_logon *logon = i->upload->object.logon;
    i->parent = i->upload->fid;
    if (v[0].bin.len > 0)
        EC_TRY(import_counter(logon, v[0].bin, &i->parent));
    EC_TRY(import_counter(logon, v[1].bin, &i->fid));
    i->modified = v[2].time;
    i->name = v[5].str;
    if (!xid_parse(v[3].bin, &i->change.key) ||
        pcl_parse(c->arena, v[4].bin, &i->change.pcl) != EC_OK)
        return EC_INVALID_PARAMETER;
    return pcl_add(c->arena, &i->change.pcl, &i->change.key, &i->change.pcl);
}

// What the server says itself of a folder, or what stands in the header (MS-OXCFXICS_R2243).
static bool is_ignored(proptag_t tag) {
    static const proptag_t tags[] = {
        PidTagParentSourceKey,
        PidTagSourceKey,
        PidTagLastModificationTime,
        PidTagChangeKey,
        PidTagPredecessorChangeList,
        PidTagDisplayName,
        PidTagFolderId,
        PidTagParentFolderId,
        PidTagContentCount,
        PidTagContentUnreadCount,
        PidTagSubfolders,
        PidTagMessageSize,
        PidTagMessageSizeExtended,
        PidTagFolderType,
        PidTagCreationTime,
        PidTagChangeNumber,
        PidTagHierarchyChangeNumber,
        PidTagLocalCommitTime,
        PidTagParentEntryId,
        PidTagFolderFlags,
        PidTagAssociatedContentCount,
        PidTagDeletedCountTotal,
        PidTagEntryId,
        PidTagRecordKey,
        PidTagAccess,
        PidTagAccessLevel,
        PidTagRights,
        PidTagHasRules,
        PidTagStoreEntryId,
        PidTagStoreRecordKey,
    };
    if (PROP_ID(tag) >= 0x6600 && PROP_ID(tag) <= 0x67FF) // MS-OXCFXICS_R2281
        return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        if (PROP_ID(tags[i]) == PROP_ID(tag))
            return true;
    return false;
}

static enum ec read_props(struct rop_call *c, const struct import *i, struct bag *bag) {
    struct prop_wire form = rop_form(&i->upload->object);
    unsigned n = wire_u16(c->r);
    struct prop_value *v = prop_wire_tagged_array(c->r, &form, c->arena, n);
    for (unsigned k = 0; v && k < n; k++)
        if (!is_ignored(v[k].tag))
            EC_TRY(bag_set(bag, &v[k]));
    return wire_ok(c->r) ? EC_OK : EC_INVALID_PARAMETER;
}

static enum ec note(struct import *i, struct mbox_tx *tx, bool is_seen) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    if (bag_count(i->props) > 0)
        EC_TRY(folder_set_props(tx, i->fid, i->props, NULL, 0));
    EC_TRY(replica_note_folder(tx, i->fid, &i->change));
    EC_TRY(folder_get(tx, arena, i->fid, &f));
    i->cn = is_seen ? f.cn : 0;
    return EC_OK;
}

static enum ec make(struct import *i, struct mbox_tx *tx) {
    struct mailbox *mailbox = i->upload->object.logon->mailbox;
    EC_TRY(replica_claim(tx, 0, i->fid));
    EC_TRY(mailbox_require(mailbox, tx, i->parent, RIGHTS_CREATE_SUBFOLDER));
    EC_TRY(folder_create_as(tx, i->fid, i->parent, i->name, NULL));
    EC_TRY(mailbox_own_folder(mailbox, tx, i->fid));
    return note(i, tx, true);
}

static enum ec change(struct import *i, struct mbox_tx *tx, const struct folder_info *f) {
    ARENA_AUTO arena = arena_new();
    struct mailbox *mailbox = i->upload->object.logon->mailbox;
    struct replica_change here;
    EC_TRY(replica_folder_change(tx, arena, i->fid, &here));
    enum pcl_order order = pcl_compare(&i->change.pcl, &here.pcl);
    if (order == PCL_EQUAL || order == PCL_OLDER)
        return EC_SYNC_IGNORE;
    EC_TRY(mailbox_require(mailbox, tx, i->fid, RIGHTS_OWNER));
    bool is_conflict = order == PCL_CONFLICT;
    if (is_conflict) {
        EC_TRY(pcl_merge(arena, &i->change.pcl, &here.pcl, &i->change.pcl));
        // The last writer wins; of equals the server (MS-OXCFXICS_R1829). The client hears of the
        // result in its next download (R2239).
        if (i->modified <= f->changed) {
            i->change.key = here.key;
            return replica_note_folder(tx, i->fid, &i->change);
        }
    }
    if (f->parent != i->parent)
        EC_TRY(mailbox_require(mailbox, tx, i->parent, RIGHTS_CREATE_SUBFOLDER));
    if (f->parent != i->parent || strcmp(f->name, i->name) != 0)
        EC_TRY(folder_move(tx, i->fid, i->parent, i->name));
    else if (bag_count(i->props) == 0)
        EC_TRY(folder_move(tx, i->fid, i->parent, NULL)); // another change number
    return note(i, tx, !is_conflict);
}

static enum ec import(struct mbox_tx *tx, void *ctx) {
    struct import *i = ctx;
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    enum ec ec = folder_get(tx, arena, i->fid, &f);
    if (ec == EC_NOT_FOUND)
        return make(i, tx);
    EC_TRY(ec);
    return change(i, tx, &f);
}

enum ec rop_synchronization_import_hierarchy_change(struct rop_call *c) {
    struct import i = {0};
    BAG_AUTO bag = bag_new();
    EC_TRY(upload_in(c, false, &i.upload));
    EC_TRY(read_header(c, &i));
    EC_TRY(read_props(c, &i, bag));
    i.props = bag;
    struct rop_logon *logon = i.upload->object.logon;
    EC_TRY(mbox_write(logon->mbox, import, &i));
    if (i.cn) // MS-OXCFXICS_R2235
        globset_add(idset_of_guid(i.upload->state.seen, &logon->replica, true), i.cn, i.cn);
    wire_put_u64(c->w, 0); // MS-OXCFXICS_R835
    return EC_OK;
}
