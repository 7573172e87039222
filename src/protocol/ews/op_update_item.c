// UpdateItem ([MS-OXWSCORE] 3.1.4.9).
#include <string.h>

#include "mailbox/receipt.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/op_items.h"

enum conflict { NEVER_OVERWRITE, AUTO_RESOLVE, ALWAYS_OVERWRITE };

struct updating {
    struct ews_call *call;
    enum conflict conflict;
    bool has_disposition, suppresses_receipts;
    enum ews_disposition disposition;
    struct ews_folder_ref folder; // of sent copies; mailbox NULL: none named
    bool in_recoverable;          // UpdateItemInRecoverableItems
};

// The element of the item in t:SetItemField beside its path: t:Message and so on.
static const struct ews_node *find_item(const struct ews_node *field) {
    for (const struct ews_node *c = field->child; c; c = c->next)
        if (!ews_is_path(c))
            return c;
    return NULL;
}

static enum ec fail_path(struct ews_call *call, const char *code, const struct ews_path *path) {
    return ews_fail_with(call, &(struct ews_failure){.code = code, .path = path->node});
}

// Whether the element is what the path names.
static bool fits(const struct ews_path *path, const struct ews_property *p) {
    if (path->kind == EWS_PATH_FIELD)
        return strcmp(p->uri, path->uri) == 0;
    const struct ews_indexed *entry = ews_indexed_find(path->uri, path->index);
    return entry && strcmp(p->uri, entry->property) == 0;
}

static enum ec set_field(struct ews_update *u, const struct ews_node *field, bool appends) {
    static const char *const appendable[] = {"item:Body",
                                             "message:ToRecipients",
                                             "message:CcRecipients",
                                             "message:BccRecipients",
                                             "message:ReplyTo",
                                             "calendar:RequiredAttendees",
                                             "calendar:OptionalAttendees",
                                             "calendar:Resources",
                                             "distributionlist:Members"};
    struct ews_call *call = u->call;
    struct ews_path path;
    const struct ews_node *item = find_item(field);
    EC_TRY(ews_read_path_child(call, field, &path));
    if (ews_count(item) != 1)
        return fail_path(call, "ErrorIncorrectUpdatePropertyCount", &path);
    if (path.kind == EWS_PATH_EXTENDED) {
        if (!ews_is(item->child, "ExtendedProperty"))
            return fail_path(call, "ErrorUpdatePropertyMismatch", &path);
        return appends ? fail_path(call, "ErrorInvalidPropertyAppend", &path)
                       : ews_update_extended(u, item->child);
    }
    bool may_append = false;
    for (unsigned i = 0; appends && i < G_N_ELEMENTS(appendable); i++)
        may_append |= strcmp(appendable[i], path.uri) == 0;
    if (appends && !may_append)
        return fail_path(call, "ErrorInvalidPropertyAppend", &path);
    enum ews_class class = ews_class_of(item_class(u->item));
    const struct ews_property *p = ews_property_by_element(item->child->name, class);
    if (!p)
        return fail_path(
            call, path.property ? "ErrorInvalidPropertyRequest" : "ErrorInvalidPropertySet", &path);
    if (!fits(&path, p))
        return fail_path(call, "ErrorUpdatePropertyMismatch", &path);
    u->appends = appends;
    enum ec ec = ews_update_element(u, p, item->child);
    u->appends = false;
    return ec;
}

static enum ec apply(struct ews_update *u, const struct ews_node *updates) {
    for (const struct ews_node *c = updates ? updates->child : NULL; c; c = c->next) {
        struct ews_path path;
        if (ews_is(c, "SetItemField")) {
            EC_TRY(set_field(u, c, false));
        } else if (ews_is(c, "AppendToItemField")) {
            EC_TRY(set_field(u, c, true));
        } else if (ews_is(c, "DeleteItemField")) {
            EC_TRY(ews_read_path_child(u->call, c, &path));
            EC_TRY(ews_update_delete(u, &path));
        } else {
            return ews_fault(u->call, "ErrorSchemaValidation",
                             "The request failed schema validation: an update has an unknown "
                             "element.");
        }
    }
    return EC_OK;
}

static enum ec check_conflict(const struct updating *s, const struct ews_item_ref *ref,
                              struct item *item) {
    if (s->conflict != NEVER_OVERWRITE)
        return EC_OK;
    if (!ref->change)
        return ews_fail(s->call, "ErrorChangeKeyRequiredForWriteOperations", NULL);
    return ref->change == item_change(item) ? EC_OK
                                            : ews_fail(s->call, "ErrorIrresolvableConflict", NULL);
}

static enum ec save(struct updating *s, const struct ews_item_ref *ref, struct ews_update *u,
                    const struct ews_node *updates) {
    EC_TRY(check_conflict(s, ref, u->item));
    EC_TRY(apply(u, updates));
    return ews_fail_item(s->call,
                         item_save(u->item, s->conflict == NEVER_OVERWRITE ? 0 : ITEM_SAVE_FORCE));
}

static void put_updated(struct ews_call *call, struct ews_mailbox *m, uint64_t mid) {
    ews_success(call);
    ews_open(call->w, "m:Items");
    if (mid)
        ews_write_ids(call, m, mid);
    ews_close(call->w);
    if (call->version >= EWS_2007_SP1) {
        ews_open(call->w, "m:ConflictResults");
        ews_element_int(call->w, "t:Count", 0);
        ews_close(call->w);
    }
    ews_message_end(call);
}

static enum ec send_updated(struct updating *s, const struct ews_item_ref *ref) {
    struct item_send how = {.saves_copy = s->disposition == EWS_SEND_AND_SAVE};
    uint64_t copy;
    if (s->folder.mailbox) {
        how.copy_mailbox = s->folder.mailbox->m;
        how.copy_fid = s->folder.fid;
    }
    EC_TRY(item_send_stored(ref->mailbox->m, ref->mid, &how, &copy));
    put_updated(s->call, ref->mailbox, copy);
    return EC_OK;
}

static enum ec update_one(struct updating *s, const struct ews_node *change) {
    struct ews_item_ref ref;
    struct item *item;
    EC_TRY(ews_read_item_id(s->call, change->child, &ref));
    if (ref.attachment)
        return ews_fail(s->call, "ErrorInvalidOperation",
                        "An item in an attachment cannot be changed.");
    EC_TRY(ews_fail_item(s->call, s->in_recoverable
                                      ? item_open_deleted(ref.mailbox->m, ref.mid, &item)
                                      : item_open(ref.mailbox->m, ref.mid, &item)));
    struct ews_update u = {.call = s->call, .mailbox = ref.mailbox, .item = item};
    bool is_message = ews_class_of(item_class(item)) == EWS_MESSAGE;
    bool is_draft = item_flags(item) & MSG_DRAFT;
    enum ec ec = EC_OK;
    if (is_message && !s->has_disposition && !s->in_recoverable)
        ec = ews_fail(s->call, "ErrorMessageDispositionRequired", NULL);
    if (ec == EC_OK)
        ec = save(s, &ref, &u, ews_child(change, "Updates"));
    item_close(item);
    ews_update_clear(&u);
    mailbox_set_receipts(ref.mailbox->m, !s->suppresses_receipts);
    if (ec == EC_OK && u.has_read)
        ec = item_mark_read(ref.mailbox->m, ref.mid, u.is_read, s->suppresses_receipts);
    EC_TRY(ec);
    if (is_message && is_draft && s->has_disposition && s->disposition != EWS_SAVE_ONLY)
        return send_updated(s, &ref);
    put_updated(s->call, ref.mailbox, ref.mid);
    return EC_OK;
}

static enum ec read_attributes(struct updating *s) {
    static const char *const names[] = {"NeverOverwrite", "AutoResolve", "AlwaysOverwrite"};
    struct ews_call *call = s->call;
    const char *conflict = ews_attribute(call->request, "ConflictResolution");
    const struct ews_node *folder = ews_child(call->request, "SavedItemFolderId");
    s->conflict = AUTO_RESOLVE;
    for (unsigned i = 0; conflict && i < G_N_ELEMENTS(names); i++)
        if (strcmp(conflict, names[i]) == 0)
            s->conflict = (enum conflict)i;
    s->has_disposition = ews_read_disposition(call->request, &s->disposition);
    ews_parse_bool(ews_attribute(call->request, "SuppressReadReceipts"), &s->suppresses_receipts);
    return folder ? ews_read_folder_child(call, folder, &s->folder) : EC_OK;
}

enum ec op_update_item(struct ews_call *call) {
    struct updating s = {.call = call};
    const struct ews_node *changes = ews_child(call->request, "ItemChanges");
    EC_TRY(read_attributes(&s));
    if (ews_count(changes) > EWS_MAX_IDS)
        return ews_fault(call, "ErrorBatchProcessingStopped", "There are too many changes.");
    for (const struct ews_node *c = changes ? changes->child : NULL; c; c = c->next) {
        struct ews_mark mark = ews_mark(call->w);
        unsigned n_messages = call->n_messages;
        enum ec ec = c->child ? update_one(&s, c) : ews_fail(call, "ErrorInvalidIdEmpty", NULL);
        if (call->is_fault)
            return ec;
        if (ec == EC_OK)
            continue;
        ews_rewind(call->w, mark);
        call->n_messages = n_messages;
        ews_error(call, ec);
    }
    return EC_OK;
}

enum ec op_update_item_in_recoverable_items(struct ews_call *call) {
    struct updating s = {.call = call, .conflict = ALWAYS_OVERWRITE, .in_recoverable = true};
    // The request is one change itself.
    enum ec ec = update_one(&s, call->request);
    if (ec != EC_OK && !call->is_fault) {
        ews_rewind(call->w, call->body);
        call->n_messages = 0;
        ews_error(call, ec);
        return EC_OK;
    }
    return ec;
}
