// Folder elements: which properties a shape has, and writing them in the schema's order
// ([MS-OXWSFOLD] 2.2.4.5, 2.2.4.12).
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_folders.h"

static const struct {
    const char *uri;
    uint32_t field;
} fields[] = {
    {"folder:FolderId", FOLDER_FIELD_ID},
    {"folder:ParentFolderId", FOLDER_FIELD_PARENT},
    {"folder:FolderClass", FOLDER_FIELD_CLASS},
    {"folder:DisplayName", FOLDER_FIELD_NAME},
    {"folder:TotalCount", FOLDER_FIELD_TOTAL},
    {"folder:ChildFolderCount", FOLDER_FIELD_CHILDREN},
    {"folder:ManagedFolderInformation", FOLDER_FIELD_MANAGED},
    {"folder:EffectiveRights", FOLDER_FIELD_RIGHTS},
    {"folder:DistinguishedFolderId", FOLDER_FIELD_DISTINGUISHED},
    {"folder:PolicyTag", FOLDER_FIELD_POLICY},
    {"folder:ArchiveTag", FOLDER_FIELD_ARCHIVE},
    {"folder:ReplicaList", FOLDER_FIELD_REPLICAS},
    {"folder:SharingEffectiveRights", FOLDER_FIELD_SHARING},
    {"folder:PermissionSet", FOLDER_FIELD_PERMISSIONS},
    {"folder:UnreadCount", FOLDER_FIELD_UNREAD},
    {"folder:SearchParameters", FOLDER_FIELD_SEARCH},
};

#define DEFAULT_FIELDS                                                                             \
    (FOLDER_FIELD_ID | FOLDER_FIELD_NAME | FOLDER_FIELD_TOTAL | FOLDER_FIELD_CHILDREN |            \
     FOLDER_FIELD_UNREAD)
// The list of members has to be asked for by name.
#define ALL_FIELDS                                                                                 \
    (DEFAULT_FIELDS | FOLDER_FIELD_PARENT | FOLDER_FIELD_CLASS | FOLDER_FIELD_RIGHTS |             \
     FOLDER_FIELD_DISTINGUISHED | FOLDER_FIELD_POLICY | FOLDER_FIELD_ARCHIVE |                     \
     FOLDER_FIELD_SHARING | FOLDER_FIELD_SEARCH)

uint32_t ews_folder_field(const char *uri) {
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        if (strcmp(fields[i].uri, uri) == 0)
            return fields[i].field;
    return 0;
}

// --- Reading a shape ---

static enum ec add_path(struct ews_call *call, const struct ews_node *node,
                        struct ews_folder_shape *out) {
    struct ews_path path;
    EC_TRY(ews_read_path(call, node, &path));
    if (path.kind == EWS_PATH_EXTENDED) {
        g_array_append_val(out->extended, path);
        return EC_OK;
    }
    uint32_t field = path.kind == EWS_PATH_FIELD ? ews_folder_field(path.uri) : 0;
    if (!field) {
        struct ews_failure failure = {.code = "ErrorInvalidPropertyRequest", .path = node};
        return ews_fail_with(call, &failure);
    }
    out->fields |= field;
    return EC_OK;
}

enum ec ews_read_folder_shape(struct ews_call *call, const struct ews_node *node,
                              struct ews_folder_shape *out) {
    const char *base = ews_child_text(call->arena, node, "BaseShape");
    *out = (struct ews_folder_shape){
        .fields = FOLDER_FIELD_ID,
        .extended = g_array_new(FALSE, FALSE, sizeof(struct ews_path)),
    };
    if (base && strcmp(base, "Default") == 0)
        out->fields = DEFAULT_FIELDS;
    else if (base && strcmp(base, "AllProperties") == 0)
        out->fields = ALL_FIELDS;
    const struct ews_node *more = ews_child(node, "AdditionalProperties");
    if (ews_count(more) > EWS_FOLDER_ADDITIONS)
        return ews_fail(call, "ErrorInvalidPropertyRequest", "Too many additional properties.");
    for (const struct ews_node *p = more ? more->child : NULL; p; p = p->next)
        if (ews_is_path(p))
            EC_TRY(add_path(call, p, out));
    out->with_props =
        out->extended->len > 0 || (out->fields & (FOLDER_FIELD_POLICY | FOLDER_FIELD_ARCHIVE));
    return EC_OK;
}

void ews_folder_shape_clear(struct ews_folder_shape *shape) {
    g_clear_pointer(&shape->extended, g_array_unref);
}

// --- Kinds of folders ---

static bool is_class(const struct mailbox_folder_object *f, const char *class) {
    size_t len = strlen(class);
    return g_ascii_strncasecmp(f->container_class, class, len) == 0 &&
           (f->container_class[len] == '\0' || f->container_class[len] == '.');
}

static const struct {
    const char *class, *element;
    unsigned object;
} kinds[] = {
    {"IPF.Appointment", "t:CalendarFolder", EWS_OBJECT_CALENDAR_FOLDER},
    {"IPF.Contact", "t:ContactsFolder", EWS_OBJECT_CONTACTS_FOLDER},
    {"IPF.Task", "t:TasksFolder", EWS_OBJECT_TASKS_FOLDER},
};

const char *ews_folder_element(const struct mailbox_folder_object *f) {
    if (f->is_search)
        return "t:SearchFolder";
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (is_class(f, kinds[i].class))
            return kinds[i].element;
    return "t:Folder";
}

unsigned ews_folder_object(const struct mailbox_folder_object *f) {
    if (f->is_search)
        return EWS_OBJECT_SEARCH_FOLDER;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (is_class(f, kinds[i].class))
            return kinds[i].object;
    return EWS_OBJECT_FOLDER;
}

// --- Writing ---

static enum ec write_extended(struct ews_call *call, struct ews_mailbox *m,
                              const struct ews_folder_shape *shape,
                              const struct mailbox_folder_object *f) {
    for (guint i = 0; f->props && i < shape->extended->len; i++) {
        const struct ews_path *path = &g_array_index(shape->extended, struct ews_path, i);
        proptag_t tag;
        enum ec ec = ews_path_tag(call, m, path, &tag);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        const struct prop_value *v = bag_get(f->props, tag);
        if (v && !v->is_external)
            ews_write_extended(call, path, v);
    }
    return EC_OK;
}

// t:PolicyTag, t:ArchiveTag: the tag's GUID, and whether the folder has it of its own.
static void write_tag(struct ews_call *call, const char *element,
                      const struct mailbox_folder_object *f, proptag_t tag) {
    struct prop_bin bytes = f->props ? bag_bytes(f->props, tag) : (struct prop_bin){0};
    struct guid guid;
    char text[GUID_STRING_SIZE];
    if (bytes.len != sizeof guid.bytes)
        return;
    memcpy(guid.bytes, bytes.data, sizeof guid.bytes);
    guid_format(&guid, text);
    ews_open(call->w, element);
    ews_attr_bool(call->w, "IsExplicit", true);
    ews_put_text(call->w, text);
    ews_close(call->w);
}

static enum ec write_search(struct ews_call *call, struct ews_mailbox *m,
                            const struct mailbox_folder_object *f) {
    struct mailbox_search_criteria criteria;
    struct ews_writer *w = call->w;
    enum ec ec = mailbox_get_search_criteria(m->m, call->arena, f->fid, &criteria);
    if (ec == EC_NOT_INITIALIZED || ec == EC_NOT_SEARCH_FOLDER || !criteria.restriction)
        return EC_OK; // has nothing that could be written
    EC_TRY(ec);
    ews_open(w, "t:SearchParameters");
    ews_attr(w, "Traversal", criteria.is_recursive ? "Deep" : "Shallow");
    ews_open(w, "t:Restriction");
    ews_write_restriction(call, m, criteria.restriction);
    ews_close(w);
    ews_open(w, "t:BaseFolderIds");
    for (unsigned i = 0; i < criteria.n_scope; i++)
        ews_write_folder_id(call, "t:FolderId", m, criteria.scope[i], EWS_OBJECT_FOLDER, 0);
    ews_close(w);
    ews_close(w);
    return EC_OK;
}

static const char *sharing_rights(const struct mailbox_folder_object *f, bool is_calendar) {
    if (f->rights & RIGHTS_READ_ANY)
        return "FullDetails";
    if (is_calendar && (f->rights & RIGHTS_FREE_BUSY_DETAILED))
        return "TimeAndSubjectAndLocation";
    return is_calendar && (f->rights & RIGHTS_FREE_BUSY_SIMPLE) ? "TimeOnly" : "None";
}

// What t:FolderType and those of calendars, contacts and searches have beyond t:BaseFolderType.
static enum ec write_own(struct ews_call *call, uint32_t wanted, struct ews_mailbox *m,
                         const struct mailbox_folder_object *f) {
    struct ews_writer *w = call->w;
    unsigned object = ews_folder_object(f);
    bool is_calendar = object == EWS_OBJECT_CALENDAR_FOLDER;
    bool is_plain = !is_calendar && object != EWS_OBJECT_CONTACTS_FOLDER;
    if (!is_plain && !m->is_own && (wanted & FOLDER_FIELD_SHARING) && call->version >= EWS_2010)
        ews_element(w, "t:SharingEffectiveRights", sharing_rights(f, is_calendar));
    if ((wanted & FOLDER_FIELD_PERMISSIONS) && call->version >= EWS_2007_SP1 && !f->is_search)
        EC_TRY(ews_write_permissions(call, m, f));
    if (is_plain && (wanted & FOLDER_FIELD_UNREAD))
        ews_element_int(w, "t:UnreadCount", f->n_unread);
    return f->is_search && (wanted & FOLDER_FIELD_SEARCH) ? write_search(call, m, f) : EC_OK;
}

enum ec ews_write_folder(struct ews_call *call, const struct ews_folder_shape *shape,
                         struct ews_mailbox *m, const struct mailbox_folder_object *f) {
    struct ews_writer *w = call->w;
    uint32_t wanted = shape->fields;
    const char *distinguished =
        m->is_public || m->is_archive ? NULL : ews_distinguished_name(f->fid);
    ews_open(w, ews_folder_element(f));
    if (wanted & FOLDER_FIELD_ID)
        ews_write_folder_id(call, "t:FolderId", m, f->fid, ews_folder_object(f), f->cn);
    if ((wanted & FOLDER_FIELD_PARENT) && f->parent)
        ews_write_folder_id(call, "t:ParentFolderId", m, f->parent, EWS_OBJECT_FOLDER, 0);
    if ((wanted & FOLDER_FIELD_CLASS) && *f->container_class)
        ews_element(w, "t:FolderClass", f->container_class);
    if (wanted & FOLDER_FIELD_NAME)
        ews_element(w, "t:DisplayName", f->name);
    if (wanted & FOLDER_FIELD_TOTAL)
        ews_element_int(w, "t:TotalCount", f->n_messages);
    if (wanted & FOLDER_FIELD_CHILDREN)
        ews_element_int(w, "t:ChildFolderCount", f->n_children);
    EC_TRY(write_extended(call, m, shape, f));
    if (wanted & FOLDER_FIELD_RIGHTS)
        ews_write_effective_rights(call, f->rights, true, false);
    if ((wanted & FOLDER_FIELD_DISTINGUISHED) && distinguished && call->version >= EWS_2013)
        ews_element(w, "t:DistinguishedFolderId", distinguished);
    if ((wanted & FOLDER_FIELD_POLICY) && call->version >= EWS_2013)
        write_tag(call, "t:PolicyTag", f, PidTagPolicyTag);
    if ((wanted & FOLDER_FIELD_ARCHIVE) && call->version >= EWS_2013)
        write_tag(call, "t:ArchiveTag", f, PidTagArchiveTag);
    EC_TRY(write_own(call, wanted, m, f));
    ews_close(w);
    return EC_OK;
}

enum ec ews_get_folder(struct ews_call *call, const struct ews_folder_ref *ref, bool with_props,
                       struct mailbox_folder_object *out) {
    return ews_fail_folder(
        call, mailbox_get_folder_object(ref->mailbox->m, call->arena, ref->fid, with_props, out));
}
