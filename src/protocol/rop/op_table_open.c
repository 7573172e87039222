// Opening tables: of a folder's contents, of the folders below one, of a message's attachments
// ([MS-OXCFOLD] 2.2.1.13, 2.2.1.14, [MS-OXCMSG] 2.2.3.17).
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"

enum {
    TABLE_FLAG_ASSOCIATED = 0x02,
    TABLE_FLAG_DEPTH = 0x04,
    TABLE_FLAG_DEFERRED_ERRORS = 0x08,
    TABLE_FLAG_NO_NOTIFICATIONS = 0x10,
    TABLE_FLAG_SOFT_DELETES = 0x20,
    TABLE_FLAG_USE_UNICODE = 0x40,
    TABLE_FLAG_CONVERSATION_MEMBERS = 0x80,     // of contents
    TABLE_FLAG_SUPPRESSES_NOTIFICATIONS = 0x80, // of a hierarchy
    HIERARCHY_KNOWN = 0xFC,
    CONTENTS_KNOWN = 0xFA,
};

static void destroy_table(struct rop_object *o) {
    table_free(((struct rop_table *)o)->table);
}

enum ec rop_table_new(struct rop_logon *logon, struct rop_object *owner, struct table *table,
                      uint64_t fid, unsigned flags, struct rop_table **out) {
    struct rop_table *t = g_new0(struct rop_table, 1);
    t->table = table;
    t->fid = fid;
    t->flags = flags;
    EC_TRY(rop_object_init(&t->object, ROP_TABLE, owner ? owner : &logon->object, destroy_table));
    *out = t;
    return EC_OK;
}

static enum ec rights_on(struct rop_folder *f, uint32_t *out) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    return mailbox_rights(f->object.logon->mailbox, tx, f->fid, out);
}

// The object with its number of rows, as the response has it.
static enum ec give(struct rop_call *c, struct rop_table *t) {
    uint32_t position, count;
    EC_TRY(rop_give(c, &t->object));
    EC_TRY(table_query_position(t->table, &position, &count));
    wire_put_u32(c->w, count);
    return EC_OK;
}

enum ec rop_get_hierarchy_table(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_folder *f;
    struct rop_table *t;
    struct table *table;
    uint32_t rights;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~HIERARCHY_KNOWN) // MS-OXCFOLD_R314
        return EC_NOT_SUPPORTED;
    EC_TRY(rights_on(f, &rights));
    if (!(rights & RIGHTS_VISIBLE))
        return EC_ACCESS_DENIED;
    EC_TRY(table_open_hierarchy(f->object.logon->mbox, f->fid, flags & TABLE_FLAG_DEPTH,
                                flags & TABLE_FLAG_SOFT_DELETES, &table));
    EC_TRY(rop_table_new(f->object.logon, NULL, table, f->fid, flags, &t));
    t->hides = !mailbox_is_owner(f->object.logon->mailbox);
    return give(c, t);
}

enum ec rop_get_contents_table(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_folder *f;
    struct rop_table *t;
    struct table *table;
    uint32_t rights;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~CONTENTS_KNOWN) // MS-OXCFOLD_R1179
        return EC_INVALID_PARAMETER;
    EC_TRY(rights_on(f, &rights));
    if (!(rights & RIGHTS_READ_ANY))
        return EC_ACCESS_DENIED;
    enum table_kind kind = flags & TABLE_FLAG_ASSOCIATED             ? TABLE_ASSOCIATED
                           : flags & TABLE_FLAG_SOFT_DELETES         ? TABLE_SOFT_DELETED
                           : flags & TABLE_FLAG_CONVERSATION_MEMBERS ? TABLE_CONVERSATIONS
                                                                     : TABLE_CONTENTS;
    EC_TRY(table_open_contents(f->object.logon->mbox, f->fid, kind, &table));
    EC_TRY(rop_table_new(f->object.logon, NULL, table, f->fid, flags, &t));
    t->overlays = f->object.logon->is_public && kind == TABLE_CONTENTS;
    return give(c, t);
}

enum ec rop_get_attachment_table(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_message *m;
    struct rop_table *t;
    struct table *table;
    EC_TRY(rop_message_in(c, &m));
    EC_TRY(table_open_attachments(rop_message_value(m), &table));
    EC_TRY(rop_table_new(m->object.logon, &m->object, table, 0, flags, &t));
    return rop_give(c, &t->object);
}
