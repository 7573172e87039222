// Attachments of items: ids that find them again, and their elements.
//
// Attachments have no id of their own in a message. Theirs here is the place and a fingerprint: the
// one at the place counts when it has the fingerprint, else any other that has it, so that an id
// holds when attachments before it are deleted.
#include "protocol/ews/ews_attachments.h"

#include <string.h>

#include "formats/mime.h"
#include "mapi/props.h"

enum { BY_VALUE = 1, BY_REFERENCE = 2, BY_REF_ONLY = 4, EMBEDDED = 5, OLE = 6, BY_WEB = 7 };
#define ATTACH_RENDERED 4
#define NESTED_MAX 4 // item attachments in one request

// --- Ids ---

static void fingerprint(const struct item *item, const struct attachment_value *a, unsigned index,
                        uint8_t out[EWS_ATTACHMENT_ID]) {
    static const proptag_t tags[] = {PidTagAttachLongFilename, PidTagAttachFilename,
                                     PidTagAttachContentId, PidTagAttachMimeTag};
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    uint8_t digest[32];
    gsize len = sizeof digest;
    int32_t method = bag_long(a->bag, PidTagAttachMethod, 0);
    (void)item;
    g_checksum_update(sum, (const guchar *)&method, sizeof method);
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
        const char *text = bag_str(a->bag, tags[i]);
        if (text)
            g_checksum_update(sum, (const guchar *)text, -1);
        g_checksum_update(sum, (const guchar *)"", 1);
    }
    g_checksum_get_digest(sum, digest, &len);
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(index >> (8 * i));
    memcpy(out + 4, digest, EWS_ATTACHMENT_ID - 4);
}

void ews_attachment_id(const struct ews_id *parent, struct item *item, unsigned index,
                       struct ews_id *out) {
    const struct attachment_value *a = item_value(item)->attachments->pdata[index];
    *out = *parent;
    out->kind = EWS_ID_ATTACHMENT;
    if (out->n_attachments < EWS_ID_MAX_LEVELS)
        fingerprint(item, a, index, out->attachments[out->n_attachments++]);
}

static bool find(struct item *item, const uint8_t id[EWS_ATTACHMENT_ID], unsigned *index_out) {
    const GPtrArray *all = item_value(item)->attachments;
    uint32_t at = id[0] | (uint32_t)id[1] << 8 | (uint32_t)id[2] << 16 | (uint32_t)id[3] << 24;
    uint8_t print[EWS_ATTACHMENT_ID];
    bool is_found = false;
    for (guint i = 0; i < all->len; i++) {
        fingerprint(item, all->pdata[i], i, print);
        if (memcmp(print + 4, id + 4, EWS_ATTACHMENT_ID - 4) != 0 || (is_found && i != at))
            continue;
        *index_out = i;
        is_found = true;
        if (i == at)
            return true;
    }
    return is_found;
}

// --- Finding ---

void ews_attachment_close(struct ews_attachment *a) {
    while (a->n_items > 0)
        item_close(a->items[--a->n_items]);
}

enum ec ews_attachment_enter(struct ews_call *call, struct ews_attachment *a) {
    if (a->n_items > EWS_ID_MAX_LEVELS)
        return ews_fail(call, "ErrorInvalidIdTooManyAttachmentLevels", NULL);
    enum ec ec = item_open_embedded(a->items[a->n_items - 1], a->index, &a->items[a->n_items]);
    if (ec == EC_NOT_SUPPORTED)
        return ews_fail(call, "ErrorInvalidIdNotAnItemAttachmentId", NULL);
    EC_TRY(ec);
    a->n_items++;
    return EC_OK;
}

enum ec ews_attachment_open(struct ews_call *call, const struct ews_id *id,
                            struct ews_attachment *out) {
    *out = (struct ews_attachment){.id = *id};
    if (id->kind != EWS_ID_ATTACHMENT)
        return ews_fail(call, "ErrorInvalidAttachmentId", NULL);
    EC_TRY(ews_open_mailbox(call, &id->mailbox, &out->mailbox));
    enum ec ec = item_open(out->mailbox->m, id->mid, &out->items[0]);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorInvalidAttachmentId", NULL);
    EC_TRY(ec);
    out->n_items = 1;
    for (unsigned i = 0; i < id->n_attachments; i++) {
        if (i > 0)
            EC_TRY(ews_attachment_enter(call, out));
        if (!find(out->items[out->n_items - 1], id->attachments[i], &out->index))
            return ews_fail(call, "ErrorInvalidAttachmentId", NULL);
    }
    return EC_OK;
}

enum ec ews_attachment_read(struct ews_call *call, const struct ews_node *node,
                            struct ews_attachment *out) {
    struct ews_id id;
    *out = (struct ews_attachment){0};
    if (!ews_is(node, "AttachmentId"))
        return ews_fail(call, "ErrorInvalidAttachmentId", NULL);
    const char *wrong = ews_id_parse(ews_attribute(node, "Id"), &id, NULL);
    if (wrong)
        return ews_fail(call, wrong, NULL);
    return ews_attachment_open(call, &id, out);
}

// --- Writing ---

static const char *name_of(const struct bag *bag) {
    const char *name = bag_str(bag, PidTagAttachLongFilename);
    if (!name)
        name = bag_str(bag, PidTagAttachFilename);
    return name ? name : bag_str(bag, PidTagDisplayName);
}

static uint64_t size_of(struct item *item, unsigned index) {
    const struct attachment_value *a = item_value(item)->attachments->pdata[index];
    int32_t size = bag_long(a->bag, PidTagAttachSize, 0);
    if (a->data)
        return g_bytes_get_size(a->data);
    return size > 0 ? (uint64_t)size : a->external.len;
}

static void put_description(struct ews_call *call, const struct ews_id *id,
                            const struct ews_mailbox *mailbox, struct item *item, unsigned index) {
    const struct attachment_value *a = item_value(item)->attachments->pdata[index];
    const struct bag *bag = a->bag;
    struct ews_writer *w = call->w;
    bool is_inline = bag_long(bag, PidTagAttachFlags, 0) & ATTACH_RENDERED ||
                     bag_bool(bag, PidTagAttachmentHidden, false);
    ews_open(w, "t:AttachmentId");
    ews_attr(w, "Id", ews_id_format(call->arena, id, &mailbox->replica));
    ews_close(w);
    ews_element(w, "t:Name", name_of(bag));
    ews_element(w, "t:ContentType", bag_str(bag, PidTagAttachMimeTag));
    ews_element(w, "t:ContentId", bag_str(bag, PidTagAttachContentId));
    ews_element(w, "t:ContentLocation", bag_str(bag, PidTagAttachContentLocation));
    if (call->version < EWS_2010)
        return;
    ews_element_int(w, "t:Size", (int64_t)MIN(size_of(item, index), (uint64_t)INT32_MAX));
    ews_element_time(call, "t:LastModifiedTime", bag_time(bag, PidTagLastModificationTime));
    ews_element_bool(w, "t:IsInline", is_inline);
}

static void put_content(struct ews_call *call, struct item *item, unsigned index) {
    g_autoptr(GBytes) bytes = NULL;
    if (item_attachment_data(item, index, &bytes) != EC_OK)
        return;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    ews_element_base64(call->w, "t:Content", data, len);
}

static void put_item(struct ews_call *call, struct ews_mailbox *mailbox, const struct ews_id *id,
                     struct item *item, unsigned index, const struct ews_shape *shape) {
    struct item *inner;
    struct ews_source source;
    if (item_open_embedded(item, index, &inner) != EC_OK)
        return;
    ews_source_of_item(call, mailbox, inner, &source);
    source.attachment = id;
    if (source.class == EWS_LIST) // not among the kinds that an attachment may have
        source.class = EWS_MESSAGE;
    ews_write_item(call, shape, &source);
    item_close(inner);
}

void ews_write_attachment(struct ews_call *call, struct ews_mailbox *mailbox,
                          const struct ews_id *parent, struct item *item, unsigned index,
                          const struct ews_shape *shape) {
    const struct attachment_value *a = item_value(item)->attachments->pdata[index];
    int32_t method = bag_long(a->bag, PidTagAttachMethod, 0);
    bool is_reference = method == BY_REFERENCE || method == BY_REF_ONLY || method == BY_WEB;
    struct ews_writer *w = call->w;
    struct ews_id *id = arena_alloc(call->arena, sizeof *id);
    ews_attachment_id(parent, item, index, id);
    if (method == EMBEDDED) {
        ews_open(w, "t:ItemAttachment");
        put_description(call, id, mailbox, item, index);
        if (shape)
            put_item(call, mailbox, id, item, index, shape);
    } else if (is_reference && call->version >= EWS_2013_SP1) {
        ews_open(w, "t:ReferenceAttachment");
        put_description(call, id, mailbox, item, index);
        ews_element(w, "t:AttachLongPathName", bag_str(a->bag, PidTagAttachLongPathname));
    } else {
        ews_open(w, "t:FileAttachment");
        put_description(call, id, mailbox, item, index);
        if (call->version >= EWS_2010)
            ews_element_bool(w, "t:IsContactPhoto",
                             bag_bool(a->bag, PidTagAttachmentContactPhoto, false));
        if (shape)
            put_content(call, item, index);
    }
    ews_close(w);
}

void ews_put_attachments(struct ews_write *o, const struct ews_property *p) {
    struct item *item = ews_write_open(o);
    const struct ews_source *s = o->source;
    if (!item || item_value(item)->attachments->len == 0)
        return;
    struct ews_id root = {.kind = EWS_ID_ITEM,
                          .mailbox = s->mailbox->guid,
                          .is_public = s->mailbox->is_public,
                          .fid = s->fid,
                          .mid = s->mid};
    ews_open(o->w, p->element);
    for (guint i = 0; i < item_value(item)->attachments->len; i++)
        ews_write_attachment(o->call, s->mailbox, s->attachment ? s->attachment : &root, item, i,
                             NULL);
    ews_close(o->w);
}

// --- Reading new ones ---

static void set_description(struct ews_call *call, const struct ews_node *node, struct bag *bag) {
    const char *name = ews_child_text(call->arena, node, "Name");
    const char *dot = name ? strrchr(name, '.') : NULL;
    bag_set_str(bag, PidTagAttachLongFilename, name);
    bag_set_str(bag, PidTagDisplayName, name);
    if (dot && dot[1] && strlen(dot) < 16)
        bag_set_str(bag, PidTagAttachExtension, dot);
    bag_set_str(bag, PidTagAttachMimeTag, ews_child_text(call->arena, node, "ContentType"));
    bag_set_str(bag, PidTagAttachContentId, ews_child_text(call->arena, node, "ContentId"));
    bag_set_str(bag, PidTagAttachContentLocation,
                ews_child_text(call->arena, node, "ContentLocation"));
    bag_set_long(bag, PidTagRenderingPosition, -1);
    if (ews_child_bool(node, "IsInline", false)) {
        bag_set_long(bag, PidTagAttachFlags, ATTACH_RENDERED);
        bag_set_bool(bag, PidTagAttachmentHidden, true);
    }
    if (ews_child_bool(node, "IsContactPhoto", false))
        bag_set_bool(bag, PidTagAttachmentContactPhoto, true);
    bag_set_time(bag, PidTagCreationTime, filetime_from_usec(g_get_real_time()));
    bag_set_time(bag, PidTagLastModificationTime, filetime_from_usec(g_get_real_time()));
}

static enum ec read_file(struct ews_call *call, const struct ews_node *node,
                         struct attachment_value *a) {
    struct prop_bin content = {0, (const uint8_t *)""};
    const struct ews_node *element = ews_child(node, "Content");
    if (element && ews_node_base64(call->arena, element, &content) != EC_OK)
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: The 'Content' element is no "
                         "base64.");
    bag_set_long(a->bag, PidTagAttachMethod, BY_VALUE);
    bag_set_long(a->bag, PidTagAttachSize, (int32_t)MIN(content.len, (uint32_t)INT32_MAX));
    a->data = g_bytes_new(content.data, content.len);
    return EC_OK;
}

static enum ec read_item(struct ews_call *call, struct ews_mailbox *mailbox,
                         const struct ews_node *node, unsigned depth, struct attachment_value *a) {
    static const struct {
        const char *element;
        enum ews_class class;
        const char *message_class;
    } kinds[] = {
        {"Message", EWS_MESSAGE, "IPM.Note"},    {"Item", EWS_ITEM, "IPM.Note"},
        {"Contact", EWS_CONTACT, "IPM.Contact"}, {"Task", EWS_TASK, "IPM.Task"},
        {"PostItem", EWS_POST, "IPM.Post"},      {"CalendarItem", EWS_CALENDAR, "IPM.Appointment"},
    };
    if (depth >= NESTED_MAX)
        return ews_fail(call, "ErrorAttachmentNestLevelLimitExceeded", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const struct ews_node *inner = ews_child(node, kinds[i].element);
        if (!inner)
            continue;
        struct message_value *value = message_value_new();
        struct item *item = item_of_value(mailbox->m, value);
        struct ews_update u = {.call = call,
                               .mailbox = mailbox,
                               .item = item,
                               .value = value,
                               .is_new = true,
                               .depth = depth + 1};
        bag_set_str(value->bag, PidTagMessageClass, kinds[i].message_class);
        enum ec ec = ews_update_all(&u, inner, kinds[i].class);
        if (ec == EC_OK && u.mime)
            ec = item_value_inline(value, u.mime);
        ews_update_clear(&u);
        item_close(item);
        if (ec != EC_OK) {
            message_value_free(value);
            return ec;
        }
        a->embedded = value;
        bag_set_long(a->bag, PidTagAttachMethod, EMBEDDED);
        return EC_OK;
    }
    return ews_fail(call, "ErrorMissingItemForCreateItemAttachment",
                    "The item of an item attachment is missing.");
}

enum ec ews_read_attachment(struct ews_call *call, struct ews_mailbox *mailbox,
                            const struct ews_node *node, unsigned depth,
                            struct attachment_value **out) {
    struct attachment_value *a = attachment_value_new();
    enum ec ec;
    set_description(call, node, a->bag);
    if (ews_is(node, "FileAttachment")) {
        ec = read_file(call, node, a);
    } else if (ews_is(node, "ItemAttachment")) {
        ec = read_item(call, mailbox, node, depth, a);
    } else if (ews_is(node, "ReferenceAttachment")) {
        bag_set_long(a->bag, PidTagAttachMethod, BY_WEB);
        bag_set_str(a->bag, PidTagAttachLongPathname,
                    ews_child_text(call->arena, node, "AttachLongPathName"));
        ec = EC_OK;
    } else {
        ec = ews_fault(call, "ErrorSchemaValidation",
                       "The request failed schema validation: that is no attachment.");
    }
    if (ec == EC_OK)
        *out = a;
    else
        attachment_value_free(a);
    return ec;
}
