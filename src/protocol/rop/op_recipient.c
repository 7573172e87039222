// Recipients of an open message ([MS-OXCMSG] 2.2.3.4 to 2.2.3.6, 3.2.5.4 to 3.2.5.6).
//
// PidTagRowid names a recipient while the message is open; recipients without one are numbered in
// their order when a client first asks.
#include "mapi/recipient_row.h"
#include "protocol/rop/message_internal.h"

#define ROW_MAX 65535

static gint by_row_id(gconstpointer a, gconstpointer b) {
    const struct bag *x = *(struct bag *const *)a, *y = *(struct bag *const *)b;
    uint32_t i = (uint32_t)bag_long(x, PidTagRowid, 0), k = (uint32_t)bag_long(y, PidTagRowid, 0);
    return i < k ? -1 : i > k;
}

// The recipients, each with its row id.
static GPtrArray *numbered(struct rop_message *m) {
    GPtrArray *all = rop_message_value(m)->recipients;
    uint32_t next = 0;
    for (guint i = 0; i < all->len; i++) {
        const struct prop_value *v = bag_get(all->pdata[i], PidTagRowid);
        if (v && (uint32_t)v->l >= next)
            next = (uint32_t)v->l + 1;
    }
    for (guint i = 0; i < all->len; i++)
        if (!bag_get(all->pdata[i], PidTagRowid))
            bag_set_long(all->pdata[i], PidTagRowid, (int32_t)next++);
    g_ptr_array_sort(all, by_row_id);
    return all;
}

static bool stands_in_row(proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagRecipientType):
    case PROP_ID(PidTagRowid):
    case PROP_ID(PidTagAddressType):
    case PROP_ID(PidTagEmailAddress):
    case PROP_ID(PidTagDisplayName):
    case PROP_ID(PidTagAddressBookDisplayNamePrintable):
    case PROP_ID(PidTagTransmittableDisplayName):
    case PROP_ID(PidTagResponsibility):
    case PROP_ID(PidTagSendRichInfo):
        return true;
    default:
        return false;
    }
}

struct columns rop_recipient_columns(struct rop_message *m, struct arena *arena) {
    GPtrArray *all = rop_message_value(m)->recipients;
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
        const struct bag *bag = all->pdata[i];
        for (unsigned k = 0; k < bag_count(bag) && tags->len < ROW_MAX_COLUMNS; k++) {
            proptag_t tag = bag_at(bag, k)->tag;
            if (!stands_in_row(tag) && g_hash_table_add(seen, GUINT_TO_POINTER(PROP_ID(tag))))
                g_array_append_val(tags, tag);
        }
    }
    return (struct columns){tags->len,
                            arena_memdup(arena, tags->data, tags->len * sizeof(proptag_t))};
}

static bool put_row(struct wire_writer *w, const struct rop_recipient_rows *rows,
                    const struct bag *recipient) {
    struct prop_wire form = rop_form(&rows->message->object);
    struct wire_writer row = wire_writer(ROW_MAX);
    recipient_row_put(&row, &form, rows->columns, true, recipient);
    g_autoptr(GByteArray) bytes = wire_writer_take(&row);
    wire_writer_clear(&row);
    size_t head = rows->with_ids ? 11 : 7;
    if (!bytes || wire_writer_len(w) + head + bytes->len > rows->room)
        return false;
    if (rows->with_ids)
        wire_put_u32(w, (uint32_t)bag_long(recipient, PidTagRowid, 0));
    wire_put_u8(w, (uint8_t)bag_long(recipient, PidTagRecipientType, 1));
    wire_put_u16(w, (uint16_t)form.code_page);
    wire_put_u16(w, 0); // Reserved
    wire_put_u16(w, (uint16_t)bytes->len);
    wire_put_bytes(w, bytes->data, bytes->len);
    return true;
}

enum ec rop_put_recipients(struct wire_writer *w, const struct rop_recipient_rows *rows,
                           uint32_t from) {
    GPtrArray *all = numbered(rows->message);
    struct wire_writer out = wire_writer(rows->room);
    unsigned n = 0, n_wanted = 0;
    for (guint i = 0; i < all->len && n < rows->max; i++) {
        if ((uint32_t)bag_long(all->pdata[i], PidTagRowid, 0) < from)
            continue;
        n_wanted++;
        if (!put_row(&out, rows, all->pdata[i]))
            break;
        n++;
    }
    g_autoptr(GByteArray) bytes = wire_writer_take(&out);
    wire_writer_clear(&out);
    if (rows->with_ids && n_wanted == 0) // MS-OXCMSG_R1055
        return EC_NOT_FOUND;
    if (rows->with_ids && n == 0) // MS-OXCMSG_R1056
        return EC_BUFFER_TOO_SMALL;
    wire_put_u8(w, (uint8_t)n);
    if (bytes)
        wire_put_bytes(w, bytes->data, bytes->len);
    return EC_OK;
}

// --- The ROPs ---

enum ec rop_remove_all_recipients(struct rop_call *c) {
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    g_ptr_array_set_size(rop_message_value(m)->recipients, 0);
    m->is_changed = true;
    return EC_OK;
}

static int find_recipient(const GPtrArray *all, uint32_t id) {
    for (guint i = 0; i < all->len; i++)
        if ((uint32_t)bag_long(all->pdata[i], PidTagRowid, -1) == id)
            return (int)i;
    return -1;
}

// One row of the request; its bag goes to *out, NULL: the recipient is to be deleted.
static enum ec read_row(struct rop_call *c, const struct prop_wire *form,
                        const struct columns *columns, uint32_t *id_out, struct bag **out) {
    *id_out = wire_u32(c->r);
    uint8_t type = wire_u8(c->r);
    struct wire_reader sub = wire_sub(c->r, wire_u16(c->r));
    *out = NULL;
    if (!wire_ok(c->r))
        return EC_RPC_FORMAT;
    if (wire_left(&sub) == 0)
        return EC_OK;
    *out = bag_new();
    enum ec ec = recipient_row_read(&sub, form, columns, c->session->dn_prefix, *out);
    if (ec != EC_OK) {
        bag_free(g_steal_pointer(out));
        return ec;
    }
    bag_set_long(*out, PidTagRecipientType, type);
    bag_set_long(*out, PidTagRowid, (int32_t)*id_out);
    return EC_OK;
}

static enum ec apply_row(GPtrArray *all, uint32_t id, struct bag *bag) {
    int i = find_recipient(all, id);
    if (!bag) { // MS-OXCMSG_R391
        if (i >= 0)
            g_ptr_array_remove_index(all, (guint)i);
        return EC_OK;
    }
    if (i >= 0) { // MS-OXCMSG_R390
        bag_free(all->pdata[i]);
        all->pdata[i] = bag;
        return EC_OK;
    }
    if (all->len >= ROP_MAX_RECIPIENTS) {
        bag_free(bag);
        return EC_TOO_MANY_RECIPIENTS;
    }
    g_ptr_array_add(all, bag); // MS-OXCMSG_R389
    return EC_OK;
}

enum ec rop_modify_recipients(struct rop_call *c) {
    struct rop_message *m;
    struct columns columns = columns_read(c->r, c->arena);
    unsigned n = wire_u16(c->r);
    EC_TRY(rop_message_in(c, &m));
    if (!m->is_writable)
        return EC_ACCESS_DENIED;
    struct prop_wire form = rop_form(&m->object);
    GPtrArray *all = numbered(m);
    for (unsigned i = 0; i < n; i++) {
        uint32_t id;
        struct bag *bag;
        EC_TRY(read_row(c, &form, &columns, &id, &bag));
        EC_TRY(apply_row(all, id, bag));
        m->is_changed = true;
    }
    return rop_message_account(m);
}

enum ec rop_read_recipients(struct rop_call *c) {
    uint32_t from = wire_u32(c->r);
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    struct columns columns = rop_recipient_columns(m, c->arena);
    struct rop_recipient_rows rows = {.message = m,
                                      .columns = &columns,
                                      .max = UINT8_MAX,
                                      .room = c->room > 1 ? c->room - 1 : 0,
                                      .with_ids = true};
    return rop_put_recipients(c->w, &rows, from);
}
