// What is asked of the mail transport beside submitting ([MS-OXOMSG] 2.2.3, 3.2.4): the server is
// the spooler itself, so most of it has nothing to do.
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"

static enum ec private_logon(struct rop_call *c, struct rop_logon **out) {
    EC_TRY(rop_logon_in(c, out));
    return (*out)->is_public ? EC_NOT_SUPPORTED : EC_OK;
}

enum ec rop_set_spooler(struct rop_call *c) {
    struct rop_logon *l;
    return private_logon(c, &l);
}

static enum ec find_message(struct rop_logon *l, uint64_t mid) {
    MBOX_TX_AUTO tx = NULL;
    struct message_row row;
    uint64_t fid;
    EC_TRY(mbox_read(l->mbox, &tx));
    EC_TRY(message_get_row(tx, mid, &fid, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    return mailbox_require_items(l->mailbox, tx, fid, RIGHTS_READ_ANY, RIGHTS_VISIBLE, &mid, 1);
}

enum ec rop_spooler_lock_message(struct rop_call *c) {
    uint64_t mid = rop_read_id(c);
    uint8_t state = wire_u8(c->r);
    struct rop_logon *l;
    EC_TRY(private_logon(c, &l));
    if (state > 2)
        return EC_INVALID_PARAMETER;
    return find_message(l, mid);
}

enum ec rop_get_address_types(struct rop_call *c) {
    static const char *const types[] = {"EX", "SMTP", "MAPIPDL"};
    struct rop_logon *l;
    unsigned size = 0;
    EC_TRY(private_logon(c, &l));
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        size += (unsigned)strlen(types[i]) + 1;
    wire_put_u16(c->w, G_N_ELEMENTS(types));
    wire_put_u16(c->w, (uint16_t)size);
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        wire_put_cstring(c->w, types[i]);
    return EC_OK;
}

enum ec rop_transport_new_mail(struct rop_call *c) {
    uint64_t mid = rop_read_id(c);
    struct rop_logon *l;
    EC_TRY(private_logon(c, &l));
    return find_message(l, mid);
}

enum ec rop_get_transport_folder(struct rop_call *c) {
    struct rop_logon *l;
    EC_TRY(private_logon(c, &l));
    rop_put_id(c->w, FID_OUTBOX);
    return EC_OK;
}

// No address type has options of its own.
enum ec rop_options_data(struct rop_call *c) {
    struct rop_logon *l;
    EC_TRY(private_logon(c, &l));
    wire_put_u8(c->w, 1);  // Reserved
    wire_put_u16(c->w, 0); // OptionsInfoSize
    wire_put_u16(c->w, 0); // HelpFileSize
    return EC_OK;
}
