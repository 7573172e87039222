// FindFolder ([MS-OXWSSRCH] 3.1.4.1): the folders below one, filtered and paged.
#include <string.h>

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_folders.h"
#include "protocol/ews/ews_operations.h"

enum traversal { TRAVERSE_SHALLOW, TRAVERSE_DEEP, TRAVERSE_DELETED };

struct find {
    struct ews_call *call;
    struct ews_folder_shape shape;
    struct ews_page page;
    enum traversal traversal;
    struct ews_mailbox *m;
};

// --- A folder as what restrictions are evaluated on ---

struct candidate {
    const struct mailbox_folder_object *folder;
    struct prop_value value;   // the one asked for last
    struct prop_value kept[2]; // a comparison holds two at a time
    unsigned turn;
};

static const struct prop_value *keep(struct candidate *c, struct prop_value v) {
    struct prop_value *place = &c->kept[c->turn++ % G_N_ELEMENTS(c->kept)];
    *place = v;
    return place;
}

static const struct prop_value *get(void *ctx, proptag_t tag) {
    struct candidate *c = ctx;
    const struct mailbox_folder_object *f = c->folder;
    switch (tag) {
    case PidTagDisplayName:
        return keep(c, prop_str(tag, f->name));
    case PidTagContainerClass:
        return *f->container_class ? keep(c, prop_str(tag, f->container_class)) : NULL;
    case PidTagContentCount:
        return keep(c, prop_long(tag, (int32_t)f->n_messages));
    case PidTagContentUnreadCount:
        return keep(c, prop_long(tag, (int32_t)f->n_unread));
    case EWS_CHILD_COUNT:
        return keep(c, prop_long(tag, (int32_t)f->n_children));
    default:
        return f->props ? bag_get(f->props, tag) : NULL;
    }
}

static bool matches(const struct restriction *res, const struct mailbox_folder_object *folder) {
    struct candidate c = {.folder = folder};
    struct restriction_source source = {.get = get, .ctx = &c};
    return !res || restriction_matches(res, &source);
}

// Whether the restriction asks for anything that only the bag has.
static bool needs_props(const struct restriction *res) {
    static const proptag_t known[] = {PidTagDisplayName, PidTagContainerClass, PidTagContentCount,
                                      PidTagContentUnreadCount, EWS_CHILD_COUNT};
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    if (!res)
        return false;
    restriction_tags(res, tags);
    for (guint i = 0; i < tags->len; i++) {
        bool is_known = false;
        for (unsigned k = 0; k < G_N_ELEMENTS(known); k++)
            is_known |= g_array_index(tags, proptag_t, i) == known[k];
        if (!is_known)
            return true;
    }
    return false;
}

// --- One parent ---

static enum ec write_found(struct find *f, const struct mailbox_folder_objects *list) {
    struct ews_writer *w = f->call->w;
    ews_success(f->call);
    ews_open(w, "m:RootFolder");
    ews_page_attributes(f->call, &f->page);
    ews_open(w, "t:Folders");
    for (uint32_t i = f->page.from; i < f->page.to; i++)
        EC_TRY(ews_write_folder(f->call, &f->shape, f->m, &list->items[i]));
    ews_close(w);
    ews_close(w);
    ews_message_end(f->call);
    return EC_OK;
}

static enum ec answer(struct find *f, struct mailbox_folder_objects *list,
                      const struct restriction *res) {
    unsigned n = 0;
    for (unsigned i = 0; i < list->n; i++) {
        if (matches(res, &list->items[i]))
            list->items[n++] = list->items[i];
        else
            mailbox_folder_object_clear(&list->items[i]);
    }
    list->n = n;
    ews_page_cut(&f->page, n, 0);
    struct ews_mark mark = ews_mark(f->call->w);
    unsigned n_messages = f->call->n_messages;
    enum ec ec = write_found(f, list);
    if (ec != EC_OK) {
        ews_rewind(f->call->w, mark);
        f->call->n_messages = n_messages;
    }
    return ec;
}

static enum ec find_in(struct find *f, const struct ews_node *node) {
    struct ews_folder_ref ref;
    struct mailbox_folder_objects list;
    struct restriction *res;
    EC_TRY(ews_read_folder_id(f->call, node, &ref));
    f->m = ref.mailbox;
    EC_TRY(ews_read_restriction(f->call, f->m, ews_child(f->call->request, "Restriction"), true,
                                &res));
    bool with_props = f->shape.with_props || needs_props(res);
    enum ec ec =
        f->traversal == TRAVERSE_DELETED
            ? mailbox_list_deleted_folders(f->m->m, f->call->arena, ref.fid, true, &list)
            : mailbox_list_folder_objects(f->m->m, f->call->arena, ref.fid,
                                          f->traversal == TRAVERSE_DEEP, with_props, &list);
    EC_TRY(ews_fail_folder(f->call, ec));
    ec = answer(f, &list, res);
    mailbox_folder_objects_clear(&list);
    return ec;
}

static enum ec read_request(struct find *f) {
    const char *traversal = ews_attribute(f->call->request, "Traversal");
    EC_TRY(ews_read_folder_shape(f->call, ews_child(f->call->request, "FolderShape"), &f->shape));
    EC_TRY(ews_read_page(f->call, f->call->request, &f->page));
    if (g_strcmp0(traversal, "Shallow") == 0)
        f->traversal = TRAVERSE_SHALLOW;
    else if (g_strcmp0(traversal, "Deep") == 0)
        f->traversal = TRAVERSE_DEEP;
    else if (g_strcmp0(traversal, "SoftDeleted") == 0)
        f->traversal = TRAVERSE_DELETED;
    else
        return ews_fail(f->call, "ErrorInvalidRequest", "Traversal");
    return EC_OK;
}

enum ec op_find_folder(struct ews_call *call) {
    struct find f = {.call = call};
    const struct ews_node *ids = ews_child(call->request, "ParentFolderIds");
    enum ec ec = read_request(&f);
    if (ec == EC_OK && ews_count(ids) > EWS_FOLDER_ADDITIONS)
        ec = ews_fail(call, "ErrorInvalidRequest", "Too many folders.");
    for (const struct ews_node *id = ec == EC_OK && ids ? ids->child : NULL; id; id = id->next) {
        enum ec one = find_in(&f, id);
        if (one != EC_OK)
            ews_error(call, one);
    }
    ews_folder_shape_clear(&f.shape);
    return ec;
}
