// Folders: opening, making, deleting, moving and copying them ([MS-OXCFOLD] 2.2.1, 3.2.5).
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"
#include "store/gone_folder.h"

enum ec rop_folder_new(struct rop_logon *logon, uint64_t fid, struct rop_folder **out) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &info));
    EC_TRY(mailbox_require(logon->mailbox, tx, fid, RIGHTS_VISIBLE));
    struct rop_folder *f = g_new0(struct rop_folder, 1);
    f->fid = fid;
    f->type = info.type;
    EC_TRY(rop_object_init(&f->object, ROP_FOLDER, &logon->object, NULL));
    *out = f;
    return EC_OK;
}

static enum ec has_rules(struct rop_folder *f, bool *out) {
    MBOX_TX_AUTO tx = NULL;
    BAG_AUTO props = NULL;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    EC_TRY(folder_get_stored_props(tx, f->fid, &props));
    *out = bag_bool(props, PidTagHasRules, false);
    return EC_OK;
}

enum ec rop_open_folder(struct rop_call *c) {
    uint64_t fid = rop_read_id(c);
    struct rop_object *in;
    struct rop_folder *f;
    bool rules;
    wire_u8(c->r); // OpenModeFlags: a soft-deleted folder has left no object to open
    EC_TRY(rop_in(c, ROP_IS(ROP_LOGON) | ROP_IS(ROP_FOLDER), &in));
    EC_TRY(rop_folder_new(in->logon, fid, &f));
    EC_TRY(rop_give(c, &f->object));
    EC_TRY(has_rules(f, &rules));
    wire_put_u8(c->w, rules);
    wire_put_u8(c->w, 0); // IsGhosted
    return EC_OK;
}

// --- Making ---

enum ec rop_create_folder(struct rop_call *c) {
    uint8_t type = wire_u8(c->r);
    bool is_unicode = wire_u8(c->r), may_exist = wire_u8(c->r);
    wire_u8(c->r); // Reserved
    const char *name = rop_read_string(c, is_unicode), *comment = rop_read_string(c, is_unicode);
    struct rop_folder *parent, *f;
    uint64_t fid;
    bool is_existing;
    EC_TRY(rop_folder_in(c, &parent));
    if (type != FOLDER_TYPE_GENERIC && type != FOLDER_TYPE_SEARCH) // MS-OXCFOLD_R487
        return EC_INVALID_PARAMETER;
    if (!*name)
        return EC_INVALID_PARAMETER;
    if (parent->type == FOLDER_TYPE_SEARCH ||
        (type == FOLDER_TYPE_SEARCH && parent->object.logon->is_public))
        return EC_NOT_SUPPORTED;
    EC_TRY(mailbox_add_folder(parent->object.logon->mailbox, parent->fid, name,
                              type == FOLDER_TYPE_SEARCH, may_exist, comment, &fid, &is_existing));
    EC_TRY(rop_folder_new(parent->object.logon, fid, &f));
    EC_TRY(rop_give(c, &f->object));
    rop_put_id(c->w, fid);
    wire_put_u8(c->w, is_existing);
    if (is_existing) {
        bool rules;
        EC_TRY(has_rules(f, &rules));
        wire_put_u8(c->w, rules);
        wire_put_u8(c->w, 0); // IsGhosted
    }
    return EC_OK;
}

// --- Deleting, moving, copying ---

enum { DEL_MESSAGES = 0x01, DEL_FOLDERS = 0x04, DELETE_HARD_DELETE = 0x10 };

enum ec rop_delete_folder(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    uint64_t fid = rop_read_id(c);
    struct rop_folder *parent;
    EC_TRY(rop_folder_in(c, &parent));
    if (flags & ~(DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE)) // MS-OXCFOLD_R1234
        return EC_INVALID_PARAMETER;
    unsigned how = (flags & DEL_MESSAGES ? FOLDER_DELETE_MESSAGES : 0) |
                   (flags & DEL_FOLDERS ? FOLDER_DELETE_FOLDERS : 0) |
                   (flags & DELETE_HARD_DELETE ? FOLDER_DELETE_HARD : 0);
    enum ec ec = mailbox_remove_folder(parent->object.logon->mailbox, parent->fid, fid, how);
    bool is_partial = ec == EC_HAS_MESSAGES || ec == EC_HAS_FOLDERS;
    if (!is_partial)
        EC_TRY(ec);
    wire_put_u8(c->w, is_partial); // MS-OXCFOLD_R816, R817, R1080, R1081
    return EC_OK;
}

static enum ec two_folders(struct rop_call *c, struct rop_folder **from, struct rop_folder **to) {
    struct rop_object *dest;
    EC_TRY(rop_folder_in(c, from));
    EC_TRY(rop_dest(c, ROP_IS(ROP_FOLDER), &dest));
    *to = (struct rop_folder *)dest;
    return EC_OK;
}

// The source is the folder's parent.
static enum ec check_parent(struct rop_folder *parent, uint64_t fid) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    EC_TRY(mbox_read(parent->object.logon->mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &info));
    return info.parent == parent->fid ? EC_OK : EC_NOT_FOUND;
}

enum ec rop_move_folder(struct rop_call *c) {
    struct rop_folder *from, *to;
    wire_u8(c->r); // WantAsynchronous: it is done at once
    bool is_unicode = wire_u8(c->r);
    uint64_t fid = rop_read_id(c);
    const char *name = rop_read_string(c, is_unicode);
    EC_TRY(two_folders(c, &from, &to));
    EC_TRY(check_parent(from, fid));
    if (from->object.logon->mbox != to->object.logon->mbox || to->type == FOLDER_TYPE_SEARCH)
        return EC_NOT_SUPPORTED;
    EC_TRY(mailbox_move_folder(from->object.logon->mailbox, fid, to->fid, *name ? name : NULL));
    wire_put_u8(c->w, 0);
    return EC_OK;
}

enum ec rop_copy_folder(struct rop_call *c) {
    struct rop_folder *from, *to;
    uint64_t copy;
    wire_u8(c->r); // WantAsynchronous
    bool is_deep = wire_u8(c->r), is_unicode = wire_u8(c->r);
    uint64_t fid = rop_read_id(c);
    const char *name = rop_read_string(c, is_unicode);
    EC_TRY(two_folders(c, &from, &to));
    EC_TRY(check_parent(from, fid));
    if (from->object.logon->mbox != to->object.logon->mbox || to->type == FOLDER_TYPE_SEARCH)
        return EC_NOT_SUPPORTED;
    EC_TRY(mailbox_copy_folder(from->object.logon->mailbox, fid, to->fid, *name ? name : NULL,
                               is_deep, &copy));
    wire_put_u8(c->w, 0);
    return EC_OK;
}

static enum ec empty(struct rop_call *c, bool is_hard) {
    wire_u8(c->r); // WantAsynchronous
    bool with_associated = wire_u8(c->r);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (f->type == FOLDER_TYPE_SEARCH || f->fid == FID_ROOT) // MS-OXCFOLD_R1248, R1249
        return EC_NOT_SUPPORTED;
    EC_TRY(mailbox_empty_folder(f->object.logon->mailbox, f->fid, is_hard, true, with_associated));
    wire_put_u8(c->w, 0);
    return EC_OK;
}

enum ec rop_empty_folder(struct rop_call *c) {
    return empty(c, false);
}

enum ec rop_hard_delete_messages_and_subfolders(struct rop_call *c) {
    return empty(c, true);
}
