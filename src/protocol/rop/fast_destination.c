// FastTransfer uploads ([MS-OXCFXICS] 2.2.3.1.2, 3.2.5.8.2): a stream taken apart into a folder, a
// message or an attachment. What goes to a message or attachment stays in the open object until it
// is saved; messages and folders are made at once.
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"

enum {
    OPERATION_COPY_TO = 1,
    OPERATION_COPY_PROPERTIES,
    OPERATION_COPY_MESSAGES,
    OPERATION_COPY_FOLDER
};
#define COPY_KNOWN 0x01
enum { STATUS_PARTIAL = 1 };

// A folder that is being filled. One that is new is made when its properties are complete.
struct level {
    uint64_t fid; // 0: not made yet
    struct bag *props;
    bool is_root;
};

struct destination {
    struct rop_object object;
    struct ft_parser *parser;
    GArray *levels; // of struct level; targets that are folders
};

static void clear_level(void *data) {
    bag_free(((struct level *)data)->props);
}

static void destroy_destination(struct rop_object *o) {
    struct destination *d = (struct destination *)o;
    ft_parser_free(d->parser);
    if (d->levels)
        g_array_unref(d->levels);
}

// --- Names ---

struct name_id {
    const struct prop_name *name;
    uint16_t id;
};

static enum ec make_id(struct mbox_tx *tx, void *ctx) {
    struct name_id *n = ctx;
    return mbox_name_to_id(tx, n->name, true, &n->id);
}

static uint16_t id_of(void *ctx, struct message_value *m, const struct prop_name *name) {
    struct destination *d = ctx;
    struct name_id n = {name, 0};
    MBOX_TX_AUTO tx = NULL;
    if (m && m->names_are_local)
        return message_value_local_name(m, name);
    if (mbox_read(d->object.logon->mbox, &tx) != EC_OK)
        return 0;
    enum ec ec = mbox_name_to_id(tx, name, false, &n.id);
    mbox_read_end(g_steal_pointer(&tx));
    if (ec == EC_NOT_FOUND)
        ec = mbox_write(d->object.logon->mbox, make_id, &n);
    return ec == EC_OK ? n.id : 0;
}

// --- Messages and attachments ---

static enum ec set_prop(void *ctx, const struct prop_value *v) {
    struct destination *d = ctx;
    // What is refused of one property (a computed one) is no error of the transfer.
    return rop_set_props(d->object.owner, v, 1, NULL);
}

static struct rop_message *target_message(struct destination *d) {
    struct rop_message *m = (struct rop_message *)d->object.owner;
    m->is_changed = true;
    return m;
}

static enum ec add_recipient(void *ctx, struct bag *take) {
    struct message_value *value = rop_message_value(target_message(ctx));
    if (value->recipients->len >= ROP_MAX_RECIPIENTS) {
        bag_free(take);
        return EC_TOO_MANY_RECIPIENTS;
    }
    bag_set_long(take, PidTagRowid, (int32_t)value->recipients->len);
    g_ptr_array_add(value->recipients, take);
    return EC_OK;
}

static enum ec add_attachment(void *ctx, struct attachment_value *take) {
    struct rop_message *m = target_message(ctx);
    struct message_value *value = rop_message_value(m);
    if (value->attachments->len >= ROP_MAX_ATTACHMENTS) {
        attachment_value_free(take);
        return EC_TOO_MANY_OBJECTS;
    }
    bag_set_long(take->bag, PidTagAttachNumber, (int32_t)m->next_number++);
    g_ptr_array_add(value->attachments, take);
    return rop_message_account(m);
}

static enum ec delete_children(void *ctx, proptag_t kind) {
    struct message_value *value = rop_message_value(target_message(ctx));
    if (PROP_ID(kind) == PROP_ID(PidTagMessageRecipients))
        g_ptr_array_set_size(value->recipients, 0);
    else if (PROP_ID(kind) == PROP_ID(PidTagMessageAttachments))
        g_ptr_array_set_size(value->attachments, 0);
    return EC_OK;
}

static enum ec set_embedded(void *ctx, struct message_value *take) {
    struct destination *d = ctx;
    struct rop_attachment *a = (struct rop_attachment *)d->object.owner;
    message_value_free(a->value->embedded);
    a->value->embedded = take;
    bag_set_long(a->value->bag, PidTagAttachMethod, 5);
    a->is_changed = true;
    return EC_OK;
}

// --- Folders ---

static struct level *current(struct destination *d) {
    return &g_array_index(d->levels, struct level, d->levels->len - 1);
}

static enum ec begin_folder(void *ctx) {
    struct destination *d = ctx;
    struct level l = {.props = bag_new()};
    EC_TRY(current(d)->fid ? EC_OK : EC_FORMAT_ERROR);
    g_array_append_val(d->levels, l);
    return EC_OK;
}

// What a new folder does not take from the one that was copied.
static bool is_of_source(proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagContentCount):
    case PROP_ID(PidTagContentUnreadCount):
    case PROP_ID(PidTagAssociatedContentCount):
    case PROP_ID(PidTagDeletedCountTotal):
    case PROP_ID(PidTagSubfolders):
    case PROP_ID(PidTagMessageSize):
    case PROP_ID(PidTagFolderType):
    case PROP_ID(PidTagCreationTime):
    case PROP_ID(PidTagLastModificationTime):
    case PROP_ID(PidTagParentEntryId):
    case PROP_ID(PidTagEntryId):
    case PROP_ID(PidTagRecordKey):
    case PROP_ID(PidTagHasRules):
    case PROP_ID(PidTagDisplayName):
        return true;
    default:
        return false;
    }
}

static enum ec folder_prop(void *ctx, const struct prop_value *v) {
    struct destination *d = ctx;
    struct level *l = current(d);
    if (is_of_source(v->tag) && (v->tag != PidTagDisplayName || l->is_root))
        return EC_OK;
    return bag_set(l->props, v);
}

struct set_folder {
    struct destination *d;
    uint64_t fid;
    struct bag *props;
};

static enum ec set_folder(struct mbox_tx *tx, void *ctx) {
    struct set_folder *s = ctx;
    EC_TRY(mailbox_require(s->d->object.logon->mailbox, tx, s->fid, RIGHTS_OWNER));
    return folder_set_props(tx, s->fid, s->props, NULL, 0);
}

// The properties of the current folder are complete: it is made, or the target gets them.
static enum ec settle(struct destination *d) {
    struct level *l = current(d);
    struct rop_logon *logon = d->object.logon;
    if (!l->fid) {
        uint64_t parent = g_array_index(d->levels, struct level, d->levels->len - 2).fid;
        const char *name = bag_str(l->props, PidTagDisplayName);
        bool is_existing;
        if (!name && d->levels->len == 2)
            l->fid = parent; // a top folder without a name: its contents go into the target
        else
            EC_TRY(mailbox_add_folder(logon->mailbox, parent, name ? name : "", false, true, NULL,
                                      &l->fid, &is_existing));
    }
    bag_remove(l->props, PidTagDisplayName);
    if (bag_count(l->props) == 0)
        return EC_OK;
    struct set_folder s = {d, l->fid, l->props};
    enum ec ec = mbox_write(logon->mbox, set_folder, &s);
    bag_free(l->props);
    l->props = bag_new();
    return ec == EC_COMPUTED ? EC_OK : ec;
}

static enum ec end_folder(void *ctx) {
    struct destination *d = ctx;
    EC_TRY(settle(d));
    g_array_set_size(d->levels, d->levels->len - 1);
    return EC_OK;
}

static enum ec begin_sub_folder(void *ctx) {
    EC_TRY(settle(ctx));
    return begin_folder(ctx);
}

static enum ec put(struct mbox_tx *tx, void *ctx, uint64_t *mid_out) {
    struct message *m = ctx;
    EC_TRY(message_save(tx, m, 0));
    *mid_out = message_mid(m);
    return EC_OK;
}

static enum ec add_message(void *ctx, struct message_value *take, bool is_associated) {
    struct destination *d = ctx;
    struct rop_logon *logon = d->object.logon;
    enum ec ec = settle(d);
    if (ec != EC_OK) {
        message_value_free(take);
        return ec;
    }
    struct bag *props = take->bag;
    take->bag = bag_new();
    struct message *m = message_of_value_take(logon->mbox, current(d)->fid,
                                              is_associated ? MSG_ASSOCIATED : 0, take);
    size_t size = 0;
    for (unsigned i = 0; i < bag_count(props) && ec == EC_OK; i++) {
        const struct prop_value *v = bag_at(props, i);
        size += prop_size(v);
        ec = message_set_prop(m, v);
        if (ec == EC_COMPUTED)
            ec = EC_OK;
    }
    bag_free(props);
    for (guint i = 0; i < take->attachments->len; i++) {
        const struct attachment_value *a = take->attachments->pdata[i];
        size += a->data ? g_bytes_get_size(a->data) : 0;
    }
    if (ec == EC_OK)
        ec = mailbox_put_message(logon->mailbox, current(d)->fid, size, put, m);
    message_free(m);
    return ec;
}

// --- The ROPs ---

static bool root_of(const struct rop_object *o, uint8_t operation, enum ft_root *out) {
    bool is_object = operation == OPERATION_COPY_TO || operation == OPERATION_COPY_PROPERTIES;
    if (o->kind != ROP_FOLDER) {
        *out = o->kind == ROP_MESSAGE ? FT_ROOT_MESSAGE : FT_ROOT_ATTACHMENT;
        return is_object;
    }
    *out = is_object                              ? FT_ROOT_FOLDER
           : operation == OPERATION_COPY_MESSAGES ? FT_ROOT_MESSAGES
                                                  : FT_ROOT_TOP_FOLDER;
    return is_object || operation == OPERATION_COPY_MESSAGES || operation == OPERATION_COPY_FOLDER;
}

static struct ft_sink sink_of(struct destination *d, enum rop_kind kind) {
    struct ft_sink sink = {.id = id_of, .ctx = d};
    if (kind == ROP_FOLDER) {
        sink.prop = folder_prop;
        sink.message = add_message;
        sink.folder_begin = begin_sub_folder;
        sink.folder_end = end_folder;
        return sink;
    }
    sink.prop = set_prop;
    if (kind == ROP_ATTACHMENT) {
        sink.embedded = set_embedded;
        return sink;
    }
    sink.recipient = add_recipient;
    sink.attachment = add_attachment;
    sink.delete_children = delete_children;
    return sink;
}

static bool is_writable(const struct rop_object *o) {
    if (o->kind == ROP_MESSAGE)
        return ((const struct rop_message *)o)->is_writable;
    return o->kind == ROP_FOLDER || ((const struct rop_attachment *)o)->is_writable;
}

enum ec rop_fast_transfer_destination_configure(struct rop_call *c) {
    uint8_t operation = wire_u8(c->r), flags = wire_u8(c->r);
    struct rop_object *o;
    enum ft_root root;
    EC_TRY(rop_in(c, ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT), &o));
    if (!root_of(o, operation, &root) || flags & ~COPY_KNOWN) // MS-OXCFXICS_R2153, R3492
        return EC_INVALID_PARAMETER;
    if (!is_writable(o))
        return EC_ACCESS_DENIED;
    struct destination *d = g_new0(struct destination, 1);
    EC_TRY(rop_object_init(&d->object, ROP_FAST_DESTINATION, o, destroy_destination));
    struct ft_sink sink = sink_of(d, o->kind);
    d->parser = ft_parser_new(root, c->session->code_page, &sink);
    d->levels = g_array_new(FALSE, FALSE, sizeof(struct level));
    g_array_set_clear_func(d->levels, clear_level);
    if (o->kind == ROP_FOLDER) {
        struct level l = {((struct rop_folder *)o)->fid, bag_new(), true};
        g_array_append_val(d->levels, l);
    }
    return rop_give(c, &d->object);
}

static enum ec put_buffer(struct rop_call *c, unsigned count_size) {
    uint16_t len = wire_u16(c->r);
    const uint8_t *data = wire_bytes(c->r, len);
    struct rop_object *o;
    EC_TRY(rop_in(c, ROP_IS(ROP_FAST_DESTINATION), &o));
    if (!data || len == 0) // MS-OXCFXICS_R619
        return EC_INVALID_PARAMETER;
    struct destination *d = (struct destination *)o;
    EC_TRY(ft_parser_put(d->parser, data, len));
    wire_put_u16(c->w, STATUS_PARTIAL);
    for (unsigned i = 0; i < 2 * count_size; i++) // MS-OXCFXICS_R3175
        wire_put_u8(c->w, 0);
    wire_put_u8(c->w, 0);
    wire_put_u16(c->w, len);
    return EC_OK;
}

enum ec rop_fast_transfer_destination_put_buffer(struct rop_call *c) {
    return put_buffer(c, 2);
}

enum ec rop_fast_transfer_destination_put_buffer_extended(struct rop_call *c) {
    return put_buffer(c, 4);
}
