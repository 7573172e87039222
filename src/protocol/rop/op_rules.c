// Rules as data ([MS-OXORULE] 2.2.1 to 2.2.3, 3.2.5.2 to 3.2.5.4). Delivery carries them out.
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"
#include "store/change.h"
#include "store/rule.h"

enum { TABLE_UNICODE = 0x40 };
enum { RULES_REPLACE = 0x01 };

static enum ec require_owner(struct rop_folder *f) {
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    return mailbox_require(f->object.logon->mailbox, tx, f->fid, RIGHTS_OWNER);
}

enum ec rop_get_rules_table(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_folder *f;
    struct table *table;
    struct rop_table *t;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~TABLE_UNICODE) // MS-OXORULE_R130
        return EC_INVALID_PARAMETER;
    EC_TRY(require_owner(f));
    EC_TRY(table_open_rules(f->object.logon->mbox, f->fid, &table));
    EC_TRY(rop_table_new(f->object.logon, NULL, table, f->fid, flags, &t));
    return rop_give(c, &t->object);
}

struct modify {
    struct rop_folder *folder;
    const struct rule_change *changes;
    unsigned n;
    bool replace;
    struct prop_wire form;
};

static enum ec modify(struct mbox_tx *tx, void *ctx) {
    struct modify *m = ctx;
    EC_TRY(mailbox_require(m->folder->object.logon->mailbox, tx, m->folder->fid, RIGHTS_OWNER));
    return rule_modify(tx, m->folder->fid, m->changes, m->n, m->replace, &m->form);
}

enum ec rop_modify_rules(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    unsigned n = wire_u16(c->r);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~RULES_REPLACE || n > wire_left(c->r) / 3)
        return EC_INVALID_PARAMETER;
    struct rule_change *changes = arena_alloc0(c->arena, (n + 1) * sizeof *changes);
    struct modify m = {f, changes, n, (flags & RULES_REPLACE) != 0, rop_form(&f->object)};
    for (unsigned i = 0; i < n; i++) {
        changes[i].kind = wire_u8(c->r);
        changes[i].n = wire_u16(c->r);
        changes[i].values = prop_wire_tagged_array(c->r, &m.form, c->arena, changes[i].n);
        if (!changes[i].values)
            return EC_INVALID_PARAMETER;
    }
    return mbox_write(f->object.logon->mbox, modify, &m);
}

// --- Deferred action messages ---

struct backpatch {
    struct rop_logon *logon;
    struct prop_bin server, client;
};

static enum ec backpatch_one(struct backpatch *b, struct mbox_tx *tx, uint64_t mid) {
    struct message *m;
    EC_TRY(message_open(tx, mid, &m));
    struct prop_bin was = bag_bytes(message_peek(m)->bag, PidTagDamOriginalEntryId);
    enum ec ec = EC_OK;
    if (was.len == b->server.len && memcmp(was.data, b->server.data, was.len) == 0) {
        struct prop_value id = prop_bytes(PidTagDamOriginalEntryId, b->client.data, b->client.len);
        struct prop_value done = prop_bool(PidTagDamBackPatched, true);
        ec = message_set_prop(m, &id);
        if (ec == EC_OK)
            ec = message_set_prop(m, &done);
        if (ec == EC_OK)
            ec = message_save(tx, m, 0);
    }
    message_free(m);
    return ec;
}

static enum ec backpatch(struct mbox_tx *tx, void *ctx) {
    struct backpatch *b = ctx;
    ARENA_AUTO arena = arena_new();
    struct change_list list;
    EC_TRY(mailbox_require(b->logon->mailbox, tx, FID_DEFERRED_ACTION, RIGHTS_EDIT_ANY));
    EC_TRY(changes_of_folder(tx, arena, FID_DEFERRED_ACTION, 0, 0, &list));
    for (unsigned i = 0; i < list.n; i++)
        EC_TRY(backpatch_one(b, tx, list.items[i].id));
    return EC_OK;
}

// The client moved a message to where the server does not see it: the notes on what is to be done
// with it get its new entry id (MS-OXORULE_R136).
enum ec rop_update_deferred_action_messages(struct rop_call *c) {
    struct backpatch b = {0};
    uint16_t len = wire_u16(c->r);
    b.server = (struct prop_bin){len, wire_bytes(c->r, len)};
    len = wire_u16(c->r);
    b.client = (struct prop_bin){len, wire_bytes(c->r, len)};
    EC_TRY(rop_logon_in(c, &b.logon));
    if (b.server.len == 0 || !wire_ok(c->r))
        return EC_INVALID_PARAMETER;
    if (b.logon->is_public)
        return EC_NOT_SUPPORTED;
    return mbox_write(b.logon->mbox, backpatch, &b);
}
