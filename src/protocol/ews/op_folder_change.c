// UpdateFolder, DeleteFolder, EmptyFolder, MoveFolder, CopyFolder ([MS-OXWSFOLD] 3.1.4.1, 3.1.4.4,
// 3.1.4.5, 3.1.4.7, 3.1.4.8).
#include <string.h>

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_folder_change.h"
#include "protocol/ews/ews_operations.h"

#define UPDATES_MAX 1000 // of one folder

// --- UpdateFolder ---

struct update {
    struct ews_call *call;
    struct ews_folder_ref ref;
    struct mailbox_folder_object folder;
    struct bag *set;
    GArray *remove; // proptag_t
    struct mailbox_search_criteria search;
    bool has_search, has_permissions;
    const struct ews_node *permissions;
};

static enum ec fail_path(struct update *u, const char *code, const struct ews_node *path) {
    struct ews_failure failure = {.code = code, .path = path};
    return ews_fail_with(u->call, &failure);
}

// t:PolicyTag, t:ArchiveTag
static enum ec set_tag(struct update *u, const struct ews_node *tag, proptag_t prop) {
    struct guid guid;
    const char *text = tag ? ews_text(u->call->arena, tag) : "";
    if (!guid_parse(text, &guid))
        return ews_fail(u->call, "ErrorInvalidRetentionTagIdGuid", NULL);
    bag_set_bytes(u->set, prop, guid.bytes, sizeof guid.bytes);
    return EC_OK;
}

static enum ec set_field(struct update *u, const struct ews_path *path,
                         const struct ews_node *folder) {
    struct ews_call *call = u->call;
    const char *text;
    switch (ews_folder_field(path->uri)) {
    case FOLDER_FIELD_NAME:
        text = ews_child_text(call->arena, folder, "DisplayName");
        if (!text)
            return fail_path(u, "ErrorUpdatePropertyMismatch", path->node);
        bag_set_str(u->set, PidTagDisplayName, text);
        return EC_OK;
    case FOLDER_FIELD_CLASS:
        text = ews_child_text(call->arena, folder, "FolderClass");
        if (!text)
            return fail_path(u, "ErrorUpdatePropertyMismatch", path->node);
        bag_set_str(u->set, PidTagContainerClass, text);
        return EC_OK;
    case FOLDER_FIELD_POLICY:
        return set_tag(u, ews_child(folder, "PolicyTag"), PidTagPolicyTag);
    case FOLDER_FIELD_ARCHIVE:
        return set_tag(u, ews_child(folder, "ArchiveTag"), PidTagArchiveTag);
    case FOLDER_FIELD_PERMISSIONS:
        u->permissions = ews_child(folder, "PermissionSet");
        u->has_permissions = u->permissions != NULL;
        return u->permissions ? EC_OK : fail_path(u, "ErrorUpdatePropertyMismatch", path->node);
    case FOLDER_FIELD_SEARCH:
        if (!u->folder.is_search)
            return ews_fail(call, "ErrorInvalidFolderTypeForOperation", NULL);
        u->has_search = true;
        return ews_read_search(call, u->ref.mailbox, ews_child(folder, "SearchParameters"),
                               &u->search);
    default:
        return fail_path(u, "ErrorInvalidPropertySet", path->node);
    }
}

static enum ec read_set(struct update *u, const struct ews_node *change) {
    struct ews_path path;
    const struct ews_node *folder = NULL;
    EC_TRY(ews_read_path_child(u->call, change, &path));
    for (const struct ews_node *n = change->child; n; n = n->next)
        if (!ews_is_path(n))
            folder = n;
    if (!folder)
        return fail_path(u, "ErrorUpdatePropertyMismatch", path.node);
    // MS-OXWSCDATA_R335: one property each
    if (ews_count(folder) != 1)
        return fail_path(u, "ErrorIncorrectUpdatePropertyCount", path.node);
    if (path.kind == EWS_PATH_FIELD)
        return set_field(u, &path, folder);
    const struct ews_node *property = ews_child(folder, "ExtendedProperty");
    if (path.kind != EWS_PATH_EXTENDED || !property)
        return fail_path(u, "ErrorUpdatePropertyMismatch", path.node);
    return ews_read_folder_extended(u->call, u->ref.mailbox, property, u->set);
}

static enum ec read_delete(struct update *u, const struct ews_node *change) {
    struct ews_path path;
    proptag_t tag;
    EC_TRY(ews_read_path_child(u->call, change, &path));
    uint32_t field = path.kind == EWS_PATH_FIELD ? ews_folder_field(path.uri) : 0;
    if (path.kind == EWS_PATH_EXTENDED) {
        enum ec ec = ews_path_tag(u->call, u->ref.mailbox, &path, &tag);
        if (ec == EC_NOT_FOUND) // nothing has it
            return EC_OK;
        EC_TRY(ec);
    } else if (field == FOLDER_FIELD_POLICY || field == FOLDER_FIELD_ARCHIVE) {
        tag = field == FOLDER_FIELD_POLICY ? PidTagPolicyTag : PidTagArchiveTag;
    } else if (field == FOLDER_FIELD_PERMISSIONS) {
        u->permissions = NULL; // nobody but the default entry is left
        u->has_permissions = true;
        return EC_OK;
    } else {
        return fail_path(u, "ErrorInvalidPropertyDelete", path.node);
    }
    g_array_append_val(u->remove, tag);
    return EC_OK;
}

static enum ec read_updates(struct update *u, const struct ews_node *updates) {
    if (ews_count(updates) > UPDATES_MAX)
        return ews_fail(u->call, "ErrorInvalidRequest", "Too many changes.");
    for (const struct ews_node *c = updates ? updates->child : NULL; c; c = c->next) {
        if (ews_is(c, "SetFolderField"))
            EC_TRY(read_set(u, c));
        else if (ews_is(c, "DeleteFolderField"))
            EC_TRY(read_delete(u, c));
        else
            return fail_path(u, "ErrorInvalidPropertyAppend", c->child);
    }
    return EC_OK;
}

static enum ec apply(struct update *u) {
    struct ews_call *call = u->call;
    struct mailbox_folder_change change = {
        .set = u->set,
        .remove = (const proptag_t *)(void *)u->remove->data,
        .n_remove = u->remove->len,
        .search = u->has_search ? &u->search : NULL,
    };
    EC_TRY(ews_folder_failure(
        call, mailbox_update_folder_object(u->ref.mailbox->m, u->ref.fid, &change), NULL));
    if (u->has_permissions)
        EC_TRY(ews_set_permissions(call, u->ref.mailbox, u->ref.fid,
                                   ews_folder_object(&u->folder) == EWS_OBJECT_CALENDAR_FOLDER,
                                   u->permissions));
    return ews_folder_answer(call, u->ref.mailbox, u->ref.fid);
}

static enum ec update_one(struct ews_call *call, const struct ews_node *node) {
    BAG_AUTO set = bag_new();
    g_autoptr(GArray) remove = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    struct update u = {.call = call, .set = set, .remove = remove};
    EC_TRY(ews_read_folder_child(call, node, &u.ref));
    EC_TRY(ews_get_folder(call, &u.ref, false, &u.folder));
    EC_TRY(read_updates(&u, ews_child(node, "Updates")));
    return apply(&u);
}

enum ec op_update_folder(struct ews_call *call) {
    const struct ews_node *changes = ews_child(call->request, "FolderChanges");
    if (ews_count(changes) > EWS_MAX_IDS)
        return ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *c = changes ? changes->child : NULL; c; c = c->next) {
        enum ec ec = update_one(call, c);
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}

// --- DeleteFolder, EmptyFolder ---

static enum ec read_disposal(struct ews_call *call, enum mailbox_delete_folder *out) {
    const char *text = ews_attribute(call->request, "DeleteType");
    if (g_strcmp0(text, "HardDelete") == 0)
        *out = MAILBOX_FOLDER_HARD;
    else if (g_strcmp0(text, "SoftDelete") == 0)
        *out = MAILBOX_FOLDER_SOFT;
    else if (g_strcmp0(text, "MoveToDeletedItems") == 0)
        *out = MAILBOX_FOLDER_TO_TRASH;
    else
        return ews_fail(call, "ErrorInvalidRequest", "DeleteType");
    return EC_OK;
}

static void answer_ok(struct ews_call *call) {
    ews_success(call);
    ews_message_end(call);
}

// Calls `one` for each folder of FolderIds.
static enum ec each_folder(struct ews_call *call,
                           enum ec (*one)(struct ews_call *call, const struct ews_folder_ref *ref,
                                          void *ctx),
                           void *ctx) {
    const struct ews_node *ids = ews_child(call->request, "FolderIds");
    if (ews_count(ids) > EWS_MAX_IDS)
        return ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *id = ids ? ids->child : NULL; id; id = id->next) {
        struct ews_folder_ref ref;
        enum ec ec = ews_read_folder_id(call, id, &ref);
        if (ec == EC_OK)
            ec = one(call, &ref, ctx);
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}

static enum ec delete_one(struct ews_call *call, const struct ews_folder_ref *ref, void *ctx) {
    const enum mailbox_delete_folder *how = ctx;
    const char *denied = ref->fid < FID_FIRST_FREE ? "ErrorDeleteDistinguishedFolder" : NULL;
    EC_TRY(ews_folder_failure(call, mailbox_delete_folder_object(ref->mailbox->m, ref->fid, *how),
                              denied));
    answer_ok(call);
    return EC_OK;
}

enum ec op_delete_folder(struct ews_call *call) {
    enum mailbox_delete_folder how;
    EC_TRY(read_disposal(call, &how));
    return each_folder(call, delete_one, &how);
}

struct emptying {
    enum mailbox_delete_folder how;
    bool with_folders;
};

static enum ec empty_one(struct ews_call *call, const struct ews_folder_ref *ref, void *ctx) {
    const struct emptying *e = ctx;
    enum ec ec = mailbox_empty_folder_object(ref->mailbox->m, ref->fid, e->how, e->with_folders);
    if (ec == EC_SEARCH_FOLDER || ec == EC_NOT_SUPPORTED)
        return ews_fail(call, "ErrorCannotEmptyFolder", NULL);
    EC_TRY(ews_folder_failure(call, ec, NULL));
    answer_ok(call);
    return EC_OK;
}

enum ec op_empty_folder(struct ews_call *call) {
    struct emptying e = {0};
    const char *text = ews_attribute(call->request, "DeleteSubFolders");
    EC_TRY(read_disposal(call, &e.how));
    if (!text || !ews_parse_bool(text, &e.with_folders))
        return ews_fail(call, "ErrorInvalidRequest", "DeleteSubFolders");
    return each_folder(call, empty_one, &e);
}

// --- MoveFolder, CopyFolder ---

static enum ec check_target(struct ews_call *call, const struct ews_folder_ref *ref,
                            const struct ews_folder_ref *to) {
    struct mailbox_folder_object f;
    if (!guid_equal(&ref->mailbox->guid, &to->mailbox->guid))
        return ews_fail(call, "ErrorCrossMailboxMoveCopy", NULL);
    EC_TRY(ews_get_folder(call, ref, false, &f));
    enum ec ec = mailbox_get_folder_object(to->mailbox->m, call->arena, to->fid, false, &f);
    return ec == EC_NOT_FOUND ? ews_fail(call, "ErrorToFolderNotFound", NULL) : ec;
}

static enum ec move_one(struct ews_call *call, const struct ews_folder_ref *ref, void *ctx) {
    const struct ews_folder_ref *to = ctx;
    const char *denied = ref->fid < FID_FIRST_FREE ? "ErrorMoveDistinguishedFolder" : NULL;
    EC_TRY(check_target(call, ref, to));
    EC_TRY(ews_folder_failure(call, mailbox_move_folder_object(ref->mailbox->m, ref->fid, to->fid),
                              denied));
    return ews_folder_answer(call, ref->mailbox, ref->fid);
}

static enum ec copy_one(struct ews_call *call, const struct ews_folder_ref *ref, void *ctx) {
    const struct ews_folder_ref *to = ctx;
    uint64_t fid;
    EC_TRY(check_target(call, ref, to));
    EC_TRY(ews_folder_failure(
        call, mailbox_copy_folder_object(ref->mailbox->m, ref->fid, to->fid, &fid), NULL));
    return ews_folder_answer(call, ref->mailbox, fid);
}

enum ec op_move_folder(struct ews_call *call) {
    struct ews_folder_ref to;
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ToFolderId"), &to));
    return each_folder(call, move_one, &to);
}

enum ec op_copy_folder(struct ews_call *call) {
    struct ews_folder_ref to;
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ToFolderId"), &to));
    return each_folder(call, copy_one, &to);
}
