// GetFolder, CreateFolder, CreateFolderPath, CreateManagedFolder ([MS-OXWSFOLD] 3.1.4.2, 3.1.4.3,
// 3.1.4.6).
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_folder_change.h"
#include "protocol/ews/ews_operations.h"

// --- GetFolder ---

static enum ec get_one(struct ews_call *call, const struct ews_folder_shape *shape,
                       const struct ews_node *node) {
    struct ews_folder_ref ref;
    struct mailbox_folder_object f;
    struct ews_writer *w = call->w;
    EC_TRY(ews_read_folder_id(call, node, &ref));
    EC_TRY(ews_get_folder(call, &ref, shape->with_props, &f));
    struct ews_mark mark = ews_mark(w);
    unsigned n_messages = call->n_messages;
    ews_success(call);
    ews_open(w, "m:Folders");
    enum ec ec = ews_write_folder(call, shape, ref.mailbox, &f);
    mailbox_folder_object_clear(&f);
    if (ec != EC_OK) {
        ews_rewind(w, mark);
        call->n_messages = n_messages;
        return ec;
    }
    ews_close(w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_folder(struct ews_call *call) {
    struct ews_folder_shape shape;
    const struct ews_node *ids = ews_child(call->request, "FolderIds");
    enum ec ec = ews_read_folder_shape(call, ews_child(call->request, "FolderShape"), &shape);
    if (ec == EC_OK && ews_count(ids) > EWS_MAX_IDS)
        ec = ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *id = ec == EC_OK && ids ? ids->child : NULL; id; id = id->next) {
        enum ec one = get_one(call, &shape, id);
        if (one != EC_OK)
            ews_error(call, one);
    }
    ews_folder_shape_clear(&shape);
    return ec;
}

// --- What a new or changed folder's element says ---

static const struct {
    const char *element, *class;
} element_classes[] = {
    {"Folder", "IPF.Note"},
    {"CalendarFolder", "IPF.Appointment"},
    {"ContactsFolder", "IPF.Contact"},
    {"TasksFolder", "IPF.Task"},
    {"SearchFolder", "IPF.Note"},
};

enum ec ews_folder_class(struct ews_call *call, const struct ews_node *node,
                         const char **class_out) {
    const char *given = ews_child_text(call->arena, node, "FolderClass");
    for (unsigned i = 0; i < G_N_ELEMENTS(element_classes); i++) {
        const char *class = element_classes[i].class;
        if (!ews_is(node, element_classes[i].element))
            continue;
        size_t len = strlen(class);
        bool is_plain = i == 0 || i + 1 == G_N_ELEMENTS(element_classes);
        // Only plain folders may be of any class; others keep to their own.
        if (given && *given && !is_plain &&
            (g_ascii_strncasecmp(given, class, len) != 0 || (given[len] && given[len] != '.')))
            return ews_fail(call, "ErrorNoFolderClassOverride", NULL);
        *class_out = given && *given ? given : class;
        return EC_OK;
    }
    return ews_fail(call, "ErrorInvalidRequest", "Not a folder.");
}

enum ec ews_read_search(struct ews_call *call, struct ews_mailbox *m, const struct ews_node *node,
                        struct mailbox_search_criteria *out) {
    const char *traversal = ews_attribute(node, "Traversal");
    const struct ews_node *ids = ews_child(node, "BaseFolderIds");
    struct restriction *restriction = NULL;
    unsigned n = 0;
    if (!ids || !ids->child)
        return ews_fail(call, "ErrorMissingArgument", "BaseFolderIds");
    if (ews_count(ids) > EWS_FOLDER_ADDITIONS)
        return ews_fail(call, "ErrorRestrictionTooComplex", "Too many folders.");
    uint64_t *scope = arena_alloc(call->arena, ews_count(ids) * sizeof *scope);
    for (const struct ews_node *id = ids->child; id; id = id->next) {
        struct ews_folder_ref ref;
        EC_TRY(ews_read_folder_id(call, id, &ref));
        if (!guid_equal(&ref.mailbox->guid, &m->guid))
            return ews_fail(call, "ErrorInvalidFolderId", "A folder of another mailbox.");
        scope[n++] = ref.fid;
    }
    EC_TRY(ews_read_restriction(call, m, ews_child(node, "Restriction"), false, &restriction));
    *out = (struct mailbox_search_criteria){
        .restriction = restriction,
        .scope = scope,
        .n_scope = n,
        .is_recursive = traversal && strcmp(traversal, "Deep") == 0,
    };
    return EC_OK;
}

enum ec ews_read_folder_extended(struct ews_call *call, struct ews_mailbox *m,
                                 const struct ews_node *property, struct bag *set) {
    struct ews_path path;
    struct prop_value v;
    EC_TRY(ews_read_path(call, ews_child(property, "ExtendedFieldURI"), &path));
    EC_TRY(ews_read_extended_value(call, property, &path, &v));
    if (path.name.kind != PROP_NAME_NONE) {
        uint16_t id;
        EC_TRY(mailbox_name_to_id(m->m, &path.name, true, &id));
        v.tag = PROP_TAG(id, PROP_TYPE(v.tag));
    }
    return bag_set(set, &v);
}

// What the failure to make, change or move a folder means.
enum ec ews_folder_failure(struct ews_call *call, enum ec ec, const char *denied) {
    switch (ec) {
    case EC_COLLISION:
        return ews_fail(call, "ErrorFolderExists", NULL); // MS-OXWSFOLD_R217
    case EC_ACCESS_DENIED:
        return ews_fail(call, denied ? denied : "ErrorAccessDenied", NULL);
    case EC_SEARCH_FOLDER:
        return ews_fail(call, "ErrorInvalidParentFolder", "A search folder has no folders.");
    case EC_FOLDER_CYCLE:
        return ews_fail(call, "ErrorMoveCopyFailed", "A folder cannot go below itself.");
    case EC_BAD_FOLDER_NAME:
    case EC_COMPUTED:
        return ews_fail(call, "ErrorFolderSavePropertyError", NULL);
    case EC_OBJECT_MODIFIED:
        return ews_fail(call, "ErrorIrresolvableConflict", NULL);
    default:
        return ews_fail_folder(call, ec);
    }
}

// --- CreateFolder ---

struct new_folder {
    struct mailbox_folder_new spec;
    struct mailbox_search_criteria search;
    const struct ews_node *permissions;
    bool is_calendar;
};

static enum ec read_new(struct ews_call *call, struct ews_mailbox *m, const struct ews_node *node,
                        struct bag *set, struct new_folder *out) {
    EC_TRY(ews_folder_class(call, node, &out->spec.container_class));
    out->spec.name = ews_child_text(call->arena, node, "DisplayName");
    if (!out->spec.name || !*out->spec.name)
        return ews_fail(call, "ErrorRequiredPropertyMissing", "DisplayName");
    for (const struct ews_node *p = ews_child(node, "ExtendedProperty"); p; p = ews_next(p))
        EC_TRY(ews_read_folder_extended(call, m, p, set));
    out->spec.set = set;
    out->permissions = ews_child(node, "PermissionSet");
    out->is_calendar = ews_is(node, "CalendarFolder");
    if (!ews_is(node, "SearchFolder"))
        return EC_OK;
    const struct ews_node *search = ews_child(node, "SearchParameters");
    if (!search)
        return ews_fail(call, "ErrorSearchFolderNotInitialized", NULL);
    EC_TRY(ews_read_search(call, m, search, &out->search));
    out->spec.search = &out->search;
    return EC_OK;
}

static enum ec create_one(struct ews_call *call, const struct ews_folder_ref *parent,
                          const struct ews_node *node) {
    BAG_AUTO set = bag_new();
    struct new_folder new = {0};
    uint64_t fid;
    EC_TRY(read_new(call, parent->mailbox, node, set, &new));
    enum ec ec = mailbox_create_folder_object(parent->mailbox->m, parent->fid, &new.spec, &fid);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorParentFolderNotFound", NULL); // MS-OXWSFOLD_R216
    EC_TRY(ews_folder_failure(call, ec, "ErrorCreateSubfolderAccessDenied"));
    if (new.permissions) {
        ec = ews_set_permissions(call, parent->mailbox, fid, new.is_calendar, new.permissions);
        if (ec != EC_OK) { // all or nothing
            mailbox_delete_folder_object(parent->mailbox->m, fid, MAILBOX_FOLDER_HARD);
            return ec;
        }
    }
    return ews_folder_answer(call, parent->mailbox, fid);
}

// A message of success with the folder's id.
enum ec ews_folder_answer(struct ews_call *call, struct ews_mailbox *m, uint64_t fid) {
    struct mailbox_folder_object f;
    struct ews_folder_ref ref = {.mailbox = m, .fid = fid};
    struct ews_folder_shape shape = {.fields = FOLDER_FIELD_ID};
    EC_TRY(ews_get_folder(call, &ref, false, &f));
    ews_success(call);
    ews_open(call->w, "m:Folders");
    ews_write_folder(call, &shape, m, &f); // the id alone cannot fail
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_create_folder(struct ews_call *call) {
    struct ews_folder_ref parent;
    const struct ews_node *folders = ews_child(call->request, "Folders");
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ParentFolderId"), &parent));
    if (ews_count(folders) > EWS_MAX_IDS)
        return ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *f = folders ? folders->child : NULL; f; f = f->next) {
        enum ec ec = create_one(call, &parent, f);
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}

// --- CreateFolderPath: each below the one before; those that are there are used ---

static enum ec step_path(struct ews_call *call, struct ews_folder_ref *at,
                         const struct ews_node *node) {
    const char *name = ews_child_text(call->arena, node, "DisplayName");
    uint64_t fid;
    enum ec ec =
        name && *name ? mailbox_find_child(at->mailbox->m, at->fid, name, &fid) : EC_NOT_FOUND;
    if (ec == EC_OK) {
        at->fid = fid;
        return ews_folder_answer(call, at->mailbox, fid);
    }
    if (ec != EC_NOT_FOUND)
        return ews_fail_folder(call, ec);
    EC_TRY(create_one(call, at, node));
    EC_TRY(mailbox_find_child(at->mailbox->m, at->fid, name, &fid));
    at->fid = fid;
    return EC_OK;
}

enum ec op_create_folder_path(struct ews_call *call) {
    struct ews_folder_ref at;
    const struct ews_node *folders = ews_child(call->request, "RelativeFolderPath");
    EC_TRY(ews_read_folder_child(call, ews_child(call->request, "ParentFolderId"), &at));
    enum ec ec = EC_OK;
    if (ews_count(folders) > EWS_MAX_DEPTH)
        return ews_fail(call, "ErrorInvalidRequest", "The path is too long.");
    for (const struct ews_node *f = folders ? folders->child : NULL; f; f = f->next) {
        if (ec == EC_OK)
            ec = step_path(call, &at, f);
        else // nothing below what could not be made
            ec = ews_fail(call, "ErrorParentFolderNotFound", NULL);
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}

// Managed folders are made by an administrator's policy, of which this server has none.
enum ec op_create_managed_folder(struct ews_call *call) {
    const struct ews_node *names = ews_child(call->request, "FolderNames");
    const struct ews_node *mailbox = ews_child(call->request, "Mailbox");
    struct ews_mailbox *m;
    EC_TRY(ews_open_named(call, mailbox, &m));
    if (ews_count(names) > EWS_MAX_IDS)
        return ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (const struct ews_node *n = names ? names->child : NULL; n; n = n->next)
        if (!g_hash_table_add(seen, (gpointer)ews_text(call->arena, n)))
            return ews_fail(call, "ErrorDuplicateInputFolderNames", NULL); // MS-OXWSCDATA_R301
    for (const struct ews_node *n = names ? names->child : NULL; n; n = n->next)
        ews_error(call, ews_fail(call, "ErrorManagedFolderNotFound", NULL));
    return EC_OK;
}
