// Attachments of an open message and the messages inside them ([MS-OXCMSG] 2.2.3.12 to 2.2.3.18).
#include "base/clock.h"
#include "protocol/rop/message_internal.h"

static void destroy_attachment(struct rop_object *o) {
    attachment_value_free(((struct rop_attachment *)o)->value);
}

// Takes the value, also when it fails.
static enum ec attachment_new(struct rop_message *m, struct attachment_value *value,
                              struct rop_attachment **out) {
    struct rop_attachment *a = g_new0(struct rop_attachment, 1);
    a->message = m;
    a->value = value;
    EC_TRY(rop_object_init(&a->object, ROP_ATTACHMENT, &m->object, destroy_attachment));
    *out = a;
    return EC_OK;
}

// The message in a part of an internet original becomes one of its own when it is first opened.
static enum ec load_embedded(struct rop_message *m, unsigned index) {
    struct attachment_value *value = rop_message_value(m)->attachments->pdata[index];
    struct message_value *embedded;
    MBOX_TX_AUTO tx = NULL;
    if (value->embedded || bag_long(value->bag, PidTagAttachMethod, 0) != 5)
        return EC_OK;
    EC_TRY(mbox_read(m->object.logon->mbox, &tx));
    enum ec ec = message_open_embedded(tx, m->message, index, &embedded);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

enum ec rop_attachment_open(struct rop_message *m, uint32_t number, bool is_writable,
                            struct rop_attachment **out) {
    int index = rop_attachment_index(m, number);
    if (index < 0) // MS-OXCMSG_R440
        return EC_NOT_FOUND;
    EC_TRY(load_embedded(m, (unsigned)index));
    EC_TRY(attachment_new(m, rop_attachment_copy(rop_message_value(m)->attachments->pdata[index]),
                          out));
    (*out)->number = number;
    (*out)->is_writable = is_writable;
    return EC_OK;
}

enum ec rop_open_attachment(struct rop_call *c) {
    uint8_t mode = wire_u8(c->r);
    uint32_t number = wire_u32(c->r);
    struct rop_message *m;
    struct rop_attachment *a;
    EC_TRY(rop_message_in(c, &m));
    if ((mode & ROP_BEST_ACCESS) == ROP_READ_WRITE && !m->is_writable) // MS-OXCMSG_R442
        return EC_ACCESS_DENIED;
    EC_TRY(rop_attachment_open(m, number, m->is_writable && mode & ROP_READ_WRITE, &a));
    return rop_give(c, &a->object);
}

enum ec rop_attachment_create(struct rop_message *m, struct rop_attachment **out) {
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    if (rop_message_value(m)->attachments->len >= ROP_MAX_ATTACHMENTS) // MS-OXCMSG_R1060
        return EC_TOO_MANY_ATTACHMENTS;
    EC_TRY(attachment_new(m, attachment_value_new(), out));
    struct rop_attachment *a = *out;
    filetime_t now = clock_now();
    a->number = m->next_number++;
    a->is_writable = a->is_new = a->is_changed = true;
    bag_set_long(a->value->bag, PidTagAttachNumber, (int32_t)a->number);
    bag_set_long(a->value->bag, PidTagRenderingPosition, -1);     // MS-OXCMSG_R451
    bag_set_time(a->value->bag, PidTagCreationTime, now);         // MS-OXCMSG_R452
    bag_set_time(a->value->bag, PidTagLastModificationTime, now); // MS-OXCMSG_R453
    return EC_OK;
}

enum ec rop_create_attachment(struct rop_call *c) {
    struct rop_message *m;
    struct rop_attachment *a;
    EC_TRY(rop_message_in(c, &m));
    EC_TRY(rop_attachment_create(m, &a));
    EC_TRY(rop_give(c, &a->object));
    wire_put_u32(c->w, a->number);
    return EC_OK;
}

enum ec rop_delete_attachment(struct rop_call *c) {
    uint32_t number = wire_u32(c->r);
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    if (!m->is_writable) // MS-OXCMSG_R1064
        return EC_ACCESS_DENIED;
    int index = rop_attachment_index(m, number);
    if (index < 0) // MS-OXCMSG_R1063
        return EC_NOT_FOUND;
    g_ptr_array_remove_index(rop_message_value(m)->attachments, (guint)index);
    m->is_changed = true;
    return EC_OK;
}

enum ec rop_attachment_save(struct rop_attachment *a) {
    struct rop_message *m = a->message;
    GPtrArray *all = rop_message_value(m)->attachments;
    if (!a->is_changed)
        return EC_OK;
    bag_set_time(a->value->bag, PidTagLastModificationTime, clock_now());
    struct attachment_value *copy = rop_attachment_copy(a->value);
    int index = a->is_new ? -1 : rop_attachment_index(m, a->number);
    if (index >= 0) {
        attachment_value_free(all->pdata[index]);
        all->pdata[index] = copy;
    } else {
        g_ptr_array_add(all, copy);
    }
    a->is_new = a->is_changed = false;
    m->is_changed = true;
    return rop_message_account(m);
}

enum { KEEP_OPEN_READ_WRITE = 0x02, FORCE_SAVE = 0x04, SAVE_KNOWN = 0x07 };

enum ec rop_save_changes_attachment(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_attachment *a;
    EC_TRY(rop_attachment_in(c, &a));
    if (flags & ~SAVE_KNOWN) // MS-OXCMSG_R466
        return EC_NOT_SUPPORTED;
    if (!a->is_writable)
        return EC_ACCESS_DENIED;
    EC_TRY(rop_attachment_save(a));
    if (!(flags & (KEEP_OPEN_READ_WRITE | FORCE_SAVE)))
        a->is_writable = false;
    return EC_OK;
}

// --- Messages inside ---

static unsigned depth_of(const struct rop_attachment *a) {
    unsigned depth = 1;
    for (const struct rop_message *m = a->message; m->container; m = m->container->message)
        depth++;
    return depth;
}

enum ec rop_open_embedded_message(struct rop_call *c) {
    uint16_t code_page = wire_u16(c->r);
    uint8_t mode = wire_u8(c->r);
    struct rop_attachment *a;
    struct rop_message *m;
    unsigned page;
    EC_TRY(rop_attachment_in(c, &a));
    EC_TRY(rop_code_page(c->session, code_page, &page));
    bool is_new = !a->value->embedded;
    if (is_new && !(mode & ROP_OPEN_CREATE))
        return EC_NOT_FOUND;
    if (is_new && !a->is_writable)
        return EC_ACCESS_DENIED;
    if (depth_of(a) >= ROP_EMBEDDED_DEPTH)
        return EC_TOO_COMPLEX;
    EC_TRY(rop_message_of_attachment(a, is_new, &m));
    m->code_page = page;
    if (!(mode & (ROP_READ_WRITE | ROP_OPEN_CREATE)))
        m->is_writable = false;
    EC_TRY(rop_give(c, &m->object));
    wire_put_u8(c->w, 0); // Reserved
    rop_put_id(c->w, 0);
    return rop_put_message(c, m);
}

enum ec rop_get_valid_attachments(struct rop_call *c) {
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    GPtrArray *all = rop_message_value(m)->attachments;
    wire_put_u16(c->w, (uint16_t)MIN(all->len, UINT16_MAX));
    for (guint i = 0; i < all->len && i < UINT16_MAX; i++) {
        const struct attachment_value *a = all->pdata[i];
        wire_put_u32(c->w, (uint32_t)bag_long(a->bag, PidTagAttachNumber, (int32_t)i));
    }
    return EC_OK;
}
