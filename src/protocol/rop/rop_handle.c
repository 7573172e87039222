// Objects behind handles: who owns whom, limits, and finding the object that a request names.
#include "protocol/rop/rop_internal.h"

// --- Owning ---

static void unlink_owned(struct rop_object *o) {
    if (!o->owner)
        return;
    for (struct rop_object **p = &o->owner->owned; *p; p = &(*p)->next_owned)
        if (*p == o) {
            *p = o->next_owned;
            break;
        }
    o->owner = NULL;
}

void rop_object_free(struct rop_object *o) {
    if (!o)
        return;
    while (o->owned)
        rop_object_free(o->owned);
    unlink_owned(o);
    if (o->session) {
        rop_notify_forget(o->session, o);
        if (o->handle)
            g_hash_table_remove(o->session->objects, GUINT_TO_POINTER(o->handle));
        o->session->memory -= o->memory;
        o->session->n_objects--;
    }
    if (o->destroy)
        o->destroy(o);
    g_free(o);
}

// `owner` of a logon is NULL, and its session is set already.
enum ec rop_object_init(struct rop_object *o, enum rop_kind kind, struct rop_object *owner,
                        void (*destroy)(struct rop_object *o)) {
    struct rop_session *s = owner ? owner->session : o->session;
    o->kind = kind;
    o->destroy = destroy;
    if (s->n_objects >= s->service->max_handles) {
        o->session = NULL; // not counted
        rop_object_free(o);
        return EC_TOO_MANY_OBJECTS;
    }
    s->n_objects++;
    o->session = s;
    if (owner) {
        o->logon = owner->logon;
        o->owner = owner;
        o->next_owned = owner->owned;
        owner->owned = o;
    }
    return EC_OK;
}

enum ec rop_account(struct rop_object *o, size_t bytes) {
    struct rop_session *s = o->session;
    size_t others = s->memory - o->memory;
    if (bytes > o->memory &&
        (bytes > s->service->max_memory || others > s->service->max_memory - bytes))
        return EC_NO_MEMORY;
    s->memory = others + bytes;
    o->memory = bytes;
    return EC_OK;
}

// --- Finding ---

static struct rop_object *find(struct rop_call *c, uint8_t index) {
    if (index >= c->n_handles)
        return NULL;
    uint32_t handle = c->handles[index];
    struct rop_object *o = g_hash_table_lookup(c->session->objects, GUINT_TO_POINTER(handle));
    return o && o->logon->id == c->logon_id ? o : NULL;
}

// What a ROP on the wrong kind of object answers: most that are about messages say that there is no
// such object ([MS-OXCMSG] 3.2.5), all others that they are not for it.
static enum ec wrong_kind(const struct rop_operation *op) {
    switch (op->id) {
    case 0x03: // RopOpenMessage, MS-OXCMSG_R1478
    case 0x0D: // RopRemoveAllRecipients, MS-OXCMSG_R1493
    case 0x0E: // RopModifyRecipients, MS-OXCMSG_R1982
    case 0x0F: // RopReadRecipients, MS-OXCMSG_R1057
    case 0x10: // RopReloadCachedInformation, MS-OXCMSG_R1498
    case 0x11: // RopSetMessageReadFlag, MS-OXCMSG_R1521
    case 0x1F: // RopGetMessageStatus, MS-OXCMSG_R1507
    case 0x20: // RopSetMessageStatus, MS-OXCMSG_R1505
    case 0x21: // RopGetAttachmentTable, MS-OXCMSG_R1526
    case 0x22: // RopOpenAttachment, MS-OXCMSG_R1620
    case 0x23: // RopCreateAttachment, MS-OXCMSG_R1712
    case 0x24: // RopDeleteAttachment, MS-OXCMSG_R1524
    case 0x46: // RopOpenEmbeddedMessage, MS-OXCMSG_R1525
    case 0x66: // RopSetReadFlags, MS-OXCMSG_R1516
        return EC_NULL_OBJECT;
    default:
        return EC_NOT_SUPPORTED;
    }
}

// MS-OXCROPS_R4712, R4555
enum ec rop_in(struct rop_call *c, unsigned kinds, struct rop_object **out) {
    struct rop_object *o = find(c, c->op->indexes == ROP_RESPONSE_IN ? c->index2 : c->index1);
    if (!o)
        return EC_NULL_OBJECT;
    if (!(kinds & ROP_IS(o->kind)))
        return wrong_kind(c->op);
    *out = o;
    return EC_OK;
}

enum ec rop_dest(struct rop_call *c, unsigned kinds, struct rop_object **out) {
    struct rop_object *o = NULL;
    if (c->index2 < c->n_handles)
        o = g_hash_table_lookup(c->session->objects, GUINT_TO_POINTER(c->handles[c->index2]));
    if (!o) {
        c->is_failed_destination = true;
        return EC_DST_NULL_OBJECT;
    }
    if (!(kinds & ROP_IS(o->kind)))
        return EC_NOT_SUPPORTED;
    *out = o;
    return EC_OK;
}

#define ROP_IN_OF(name, type, kind)                                                                \
    enum ec name(struct rop_call *c, struct type **out) {                                          \
        struct rop_object *o;                                                                      \
        EC_TRY(rop_in(c, ROP_IS(kind), &o));                                                       \
        *out = (struct type *)o;                                                                   \
        return EC_OK;                                                                              \
    }
ROP_IN_OF(rop_logon_in, rop_logon, ROP_LOGON)
ROP_IN_OF(rop_folder_in, rop_folder, ROP_FOLDER)
ROP_IN_OF(rop_message_in, rop_message, ROP_MESSAGE)
ROP_IN_OF(rop_attachment_in, rop_attachment, ROP_ATTACHMENT)
ROP_IN_OF(rop_table_in, rop_table, ROP_TABLE)
ROP_IN_OF(rop_stream_in, rop_stream, ROP_STREAM)

// --- Giving ---

enum ec rop_give(struct rop_call *c, struct rop_object *o) {
    uint8_t index = c->op->indexes == ROP_OUT ? c->index1 : c->index2;
    if (index >= c->n_handles) {
        rop_object_free(o);
        return EC_NULL_OBJECT;
    }
    struct rop_session *s = c->session;
    // MS-OXCROPS_R4556, R4560
    do {
        o->handle = s->next_handle++;
    } while (o->handle == 0 || o->handle == UINT32_MAX ||
             g_hash_table_contains(s->objects, GUINT_TO_POINTER(o->handle)));
    g_hash_table_insert(s->objects, GUINT_TO_POINTER(o->handle), o);
    c->handles[index] = o->handle; // MS-OXCROPS_R4558
    c->given = o;
    return EC_OK;
}

void rop_keep_body(struct rop_call *c) {
    c->keeps_body = true;
}

// --- Fields ---

uint64_t rop_read_id(struct rop_call *c) {
    struct short_id id = short_id_read(c->r);
    return id.replid == REPLID_OWN ? id.counter : 0;
}

uint64_t *rop_read_ids(struct rop_call *c, unsigned *n_out) {
    unsigned n = wire_u16(c->r);
    if (n > wire_left(c->r) / 8) {
        wire_fail(c->r);
        n = 0;
    }
    uint64_t *ids = arena_alloc0(c->arena, (n + 1) * sizeof *ids);
    for (unsigned i = 0; i < n; i++)
        ids[i] = rop_read_id(c);
    *n_out = n;
    return ids;
}

void rop_put_id(struct wire_writer *w, uint64_t counter) {
    short_id_put(w, (struct short_id){counter ? REPLID_OWN : 0, counter});
}

struct prop_wire rop_form(const struct rop_object *o) {
    const struct rop_object *at = o;
    while (at && at->kind != ROP_MESSAGE)
        at = at->owner;
    struct prop_wire form = PROP_WIRE_ROP;
    unsigned code_page = at ? ((const struct rop_message *)at)->code_page : 0;
    form.code_page = code_page ? code_page : o->session->code_page;
    return form;
}

const char *rop_read_string(struct rop_call *c, bool is_unicode) {
    struct prop_wire form = PROP_WIRE_ROP;
    if (c->session->code_page)
        form.code_page = c->session->code_page;
    return prop_wire_string(c->r, &form, c->arena, is_unicode);
}

// MS-OXCROPS 3.2.5.3: no response, whatever happens.
enum ec rop_release(struct rop_call *c) {
    if (c->index1 < c->n_handles) {
        uint32_t handle = c->handles[c->index1];
        struct rop_object *o = g_hash_table_lookup(c->session->objects, GUINT_TO_POINTER(handle));
        if (o && o->kind == ROP_STREAM)
            rop_stream_close((struct rop_stream *)o);
        rop_object_free(o);
        c->handles[c->index1] = UINT32_MAX;
    }
    return EC_OK;
}
