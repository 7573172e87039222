// CreateAttachment, GetAttachment, DeleteAttachment ([MS-OXWSATT] 3.1.4).
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/op_items.h"

static struct ews_id id_of_item(const struct ews_item_ref *ref) {
    return (struct ews_id){.kind = EWS_ID_ITEM,
                           .mailbox = ref->mailbox->guid,
                           .is_public = ref->mailbox->is_public,
                           .fid = ref->fid,
                           .mid = ref->mid};
}

static void put_root(struct ews_call *call, const struct ews_mailbox *m, struct item *item,
                     const char *id_name, const char *key_name) {
    struct ews_id id = {.kind = EWS_ID_ITEM,
                        .mailbox = m->guid,
                        .is_public = m->is_public,
                        .fid = item_fid(item),
                        .mid = item_mid(item)};
    unsigned object = ews_class_object(ews_class_of(item_class(item)));
    ews_attr(call->w, id_name, ews_id_format(call->arena, &id, &m->replica));
    ews_attr(call->w, key_name,
             ews_change_key_format(call->arena, object, &m->replica, item_change(item)));
}

// --- Creating ---

static void put_created(struct ews_call *call, struct ews_mailbox *m, const struct ews_id *parent,
                        struct item *item, unsigned index) {
    const struct attachment_value *a = item_value(item)->attachments->pdata[index];
    struct ews_id id;
    ews_attachment_id(parent, item, index, &id);
    ews_success(call);
    ews_open(call->w, "m:Attachments");
    ews_open(call->w, a->embedded ? "t:ItemAttachment" : "t:FileAttachment");
    ews_open(call->w, "t:AttachmentId");
    ews_attr(call->w, "Id", ews_id_format(call->arena, &id, &m->replica));
    put_root(call, m, item, "RootItemId", "RootItemChangeKey");
    ews_close(call->w);
    ews_close(call->w);
    ews_close(call->w);
    ews_message_end(call);
}

static enum ec create_one(struct ews_call *call, const struct ews_item_ref *ref, struct item *item,
                          const struct ews_node *node) {
    struct attachment_value *a;
    struct ews_id parent = id_of_item(ref);
    unsigned index;
    EC_TRY(ews_read_attachment(call, ref->mailbox, node, 0, &a));
    EC_TRY(item_add_attachment_take(item, a, &index));
    EC_TRY(item_save(item, ITEM_SAVE_FORCE));
    put_created(call, ref->mailbox, &parent, item, index);
    return EC_OK;
}

enum ec op_create_attachment(struct ews_call *call) {
    struct ews_item_ref ref;
    struct item *item;
    const struct ews_node *parent = ews_child(call->request, "ParentItemId");
    const struct ews_node *list = ews_child(call->request, "Attachments");
    if (!parent || !list)
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: CreateAttachment is not whole.");
    EC_TRY(ews_read_item_id(call, parent, &ref));
    if (ref.attachment)
        return ews_fail(call, "ErrorInvalidOperation",
                        "Attachments cannot be added to an item in an attachment.");
    for (const struct ews_node *node = list->child; node; node = node->next) {
        // Opened for each, so that one that fails leaves nothing behind in memory.
        enum ec ec = ews_fail_item(call, item_open(ref.mailbox->m, ref.mid, &item));
        if (ec == EC_OK) {
            ec = create_one(call, &ref, item, node);
            item_close(item);
        }
        if (call->is_fault)
            return ec;
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}

// --- Reading ---

static enum ec get_one(struct ews_call *call, const struct ews_node *node,
                       const struct ews_shape *shape) {
    struct ews_attachment a;
    enum ec ec = ews_attachment_read(call, node, &a);
    if (ec == EC_OK) {
        struct ews_id parent = a.id;
        parent.n_attachments--;
        ews_success(call);
        ews_open(call->w, "m:Attachments");
        ews_write_attachment(call, a.mailbox, &parent, a.items[a.n_items - 1], a.index, shape);
        ews_close(call->w);
        ews_message_end(call);
    }
    ews_attachment_close(&a);
    return ec;
}

// t:AttachmentShape is an item's shape without the base: all properties of the item inside.
static enum ec read_shape(struct ews_call *call, struct ews_shape *out) {
    EC_TRY(ews_read_shape(call, ews_child(call->request, "AttachmentShape"), false, out));
    out->base = EWS_ALL_PROPERTIES;
    return EC_OK;
}

enum ec op_get_attachment(struct ews_call *call) {
    struct ews_shape shape;
    const struct ews_node *ids = ews_child(call->request, "AttachmentIds");
    if (ews_count(ids) > EWS_MAX_IDS)
        return ews_fault(call, "ErrorBatchProcessingStopped", "There are too many ids.");
    EC_TRY(read_shape(call, &shape));
    enum ec ec = EC_OK;
    for (const struct ews_node *node = ids ? ids->child : NULL; node; node = node->next) {
        ec = get_one(call, node, &shape);
        if (call->is_fault)
            break;
        if (ec != EC_OK)
            ews_error(call, ec);
        ec = EC_OK;
    }
    ews_shape_clear(&shape);
    return ec;
}

// --- Deleting ---

static enum ec delete_one(struct ews_call *call, const struct ews_node *node) {
    struct ews_attachment a;
    enum ec ec = ews_attachment_read(call, node, &a);
    if (ec == EC_OK && a.n_items > 1)
        ec = ews_fail(call, "ErrorInvalidOperation",
                      "Attachments of an item in an attachment cannot be deleted.");
    if (ec == EC_OK)
        ec = item_remove_attachment(a.items[0], a.index);
    if (ec == EC_OK)
        ec = item_save(a.items[0], ITEM_SAVE_FORCE);
    if (ec == EC_OK) {
        ews_success(call);
        ews_open(call->w, "m:RootItemId");
        put_root(call, a.mailbox, a.items[0], "RootItemId", "RootItemChangeKey");
        ews_close(call->w);
        ews_message_end(call);
    }
    ews_attachment_close(&a);
    return ec;
}

enum ec op_delete_attachment(struct ews_call *call) {
    const struct ews_node *ids = ews_child(call->request, "AttachmentIds");
    for (const struct ews_node *node = ids ? ids->child : NULL; node; node = node->next) {
        enum ec ec = delete_one(call, node);
        if (call->is_fault)
            return ec;
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}
