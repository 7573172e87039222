// Opening, making and saving messages ([MS-OXCMSG] 2.2.3.1 to 2.2.3.3, 2.2.3.7).
#include "mailbox/mailbox.h"
#include "mapi/code_page.h"
#include "protocol/rop/message_internal.h"

#define CODE_PAGE_OF_LOGON 0x0FFF

enum ec rop_code_page(const struct rop_session *s, uint16_t wanted, unsigned *out) {
    if (wanted == CODE_PAGE_OF_LOGON) {
        *out = s->code_page;
        return EC_OK;
    }
    if (!code_page_charset(wanted)) // MS-OXCMSG_R1068
        return EC_UNKNOWN_CODE_PAGE;
    *out = wanted;
    return EC_OK;
}

// --- The head of a message, with as many recipients as fit ---

static void put_head(struct wire_writer *w, struct rop_message *m, const char *prefix,
                     const char *subject) {
    const struct bag *bag = rop_message_value(m)->bag;
    unsigned n = bag_count(bag);
    wire_put_u8(w, n > 0 && PROP_IS_NAMED(bag_at(bag, n - 1)->tag));
    prop_wire_put_typed_string(w, prefix);
    prop_wire_put_typed_string(w, subject);
}

enum ec rop_put_message(struct rop_call *c, struct rop_message *m) {
    const struct bag *bag = rop_message_value(m)->bag;
    const char *prefix = bag_str(bag, PidTagSubjectPrefix);
    const char *subject = bag_str(bag, PidTagNormalizedSubject);
    if (!subject)
        subject = bag_str(bag, PidTagSubject);
    put_head(c->w, m, prefix, subject);
    struct columns columns = rop_recipient_columns(m, c->arena);
    GPtrArray *all = rop_message_value(m)->recipients;
    wire_put_u16(c->w, (uint16_t)MIN(all->len, UINT16_MAX));
    columns_put(c->w, &columns);
    struct rop_recipient_rows rows = {
        .message = m, .columns = &columns, .max = UINT8_MAX, .with_ids = false};
    size_t used = wire_writer_len(c->w) + 1;
    rows.room = c->room > used ? c->room - used : 0;
    return rop_put_recipients(c->w, &rows, 0);
}

// --- The ROPs ---

static enum ec folder_or_logon(struct rop_call *c, struct rop_logon **out) {
    struct rop_object *in;
    EC_TRY(rop_in(c, ROP_IS(ROP_LOGON) | ROP_IS(ROP_FOLDER), &in));
    *out = in->logon;
    return EC_OK;
}

enum ec rop_open_message(struct rop_call *c) {
    uint16_t code_page = wire_u16(c->r);
    uint64_t fid = rop_read_id(c);
    uint8_t mode = wire_u8(c->r);
    uint64_t mid = rop_read_id(c);
    struct rop_logon *l;
    struct rop_message *m;
    unsigned page;
    EC_TRY(folder_or_logon(c, &l));
    EC_TRY(rop_code_page(c->session, code_page, &page));
    EC_TRY(rop_message_open(l, fid, mid, mode, &m));
    m->code_page = page;
    EC_TRY(rop_give(c, &m->object));
    return rop_put_message(c, m);
}

enum ec rop_create_message(struct rop_call *c) {
    uint16_t code_page = wire_u16(c->r);
    uint64_t fid = rop_read_id(c);
    bool is_associated = wire_u8(c->r);
    struct rop_logon *l;
    struct rop_message *m;
    unsigned page;
    EC_TRY(folder_or_logon(c, &l));
    EC_TRY(rop_code_page(c->session, code_page, &page));
    EC_TRY(rop_message_create(l, fid, is_associated, &m));
    m->code_page = page;
    EC_TRY(rop_give(c, &m->object));
    wire_put_u8(c->w, 0); // HasMessageId: it gets one when it is saved
    return EC_OK;
}

enum { KEEP_OPEN_READ_ONLY = 0x01, KEEP_OPEN_READ_WRITE = 0x02, FORCE_SAVE = 0x04 };

enum ec rop_save_changes_message(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    if (!m->is_writable) // MS-OXCMSG_R1699
        return EC_CALL_FAILED;
    EC_TRY(rop_message_save(m, flags & FORCE_SAVE ? MESSAGE_SAVE_FORCE : 0));
    if (!(flags & (KEEP_OPEN_READ_WRITE | FORCE_SAVE)))
        m->is_writable = false;
    wire_put_u8(c->w, c->index2);
    rop_put_id(c->w, m->mid);
    return EC_OK;
}

enum ec rop_reload_cached_information(struct rop_call *c) {
    struct rop_message *m;
    EC_TRY(rop_message_in(c, &m));
    return rop_put_message(c, m);
}
