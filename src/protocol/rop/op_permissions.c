// Who may do what with a folder ([MS-OXCPERM] 2.2.1, 2.2.2, 3.2.5).
#include "mailbox/mailbox.h"
#include "mapi/entry_id.h"
#include "protocol/rop/transfer_internal.h"

enum { TABLE_FREE_BUSY = 0x02 };
enum { REPLACE_ROWS = 0x01, INCLUDE_FREE_BUSY = 0x02, MODIFY_KNOWN = 0x03 };

// --- Reading ---

struct members {
    struct rop_logon *logon;
    uint64_t fid;
    bool with_free_busy;
};

static enum ec get_members(void *ctx, struct arena *arena, struct table_member **out,
                           unsigned *n_out) {
    const struct members *m = ctx;
    struct mailbox_member_list list;
    EC_TRY(mailbox_permissions(m->logon->mailbox, arena, m->fid, m->with_free_busy, &list));
    *out = arena_alloc0(arena, (list.n + 1) * sizeof **out);
    *n_out = list.n;
    for (unsigned i = 0; i < list.n; i++) {
        const struct mailbox_member *member = &list.items[i];
        struct table_member *row = &(*out)[i];
        *row =
            (struct table_member){.id = member->id, .name = member->name, .rights = member->rights};
        row->entry_id = (struct prop_bin){0, (const uint8_t *)""};
        if (guid_is_zero(&member->guid))
            continue;
        struct directory_object object = {.guid = member->guid};
        row->entry_id = entry_id_of_dn(arena, AB_TYPE_MAIL_USER,
                                       rop_dn_of(m->logon->object.session, arena, &object));
    }
    return EC_OK;
}

// MS-OXCPERM_R179, R2007: that somebody may not see the list is told by its rows.
enum ec rop_get_permissions_table(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_folder *f;
    struct table *table;
    struct rop_table *t;
    EC_TRY(rop_folder_in(c, &f));
    struct members *m = g_new0(struct members, 1);
    *m = (struct members){f->object.logon, f->fid, (flags & TABLE_FREE_BUSY) != 0};
    struct table_members members = {get_members, g_free, m};
    EC_TRY(table_open_permissions(f->object.logon->mbox, &members, &table));
    EC_TRY(rop_table_new(f->object.logon, NULL, table, f->fid, 0, &t));
    return rop_give(c, &t->object);
}

// --- Changing ---

// Whom an entry id names; groups too.
static enum ec find_member(struct rop_call *c, struct prop_bin bytes, struct guid *out) {
    struct entry_id id;
    struct directory_object *object;
    EC_TRY(entry_id_parse(c->arena, bytes, &id));
    if (id.kind != ENTRY_ID_ADDRESS_BOOK)
        return EC_INVALID_PARAMETER;
    EC_TRY(rop_find_dn(c->session, c->arena, id.address_book.dn, &object));
    *out = object->guid;
    return EC_OK;
}

static enum ec read_change(struct rop_call *c, struct mailbox_permission_change *out) {
    struct prop_wire form = PROP_WIRE_ROP;
    uint8_t op = wire_u8(c->r);
    unsigned n = wire_u16(c->r);
    struct prop_value *v = prop_wire_tagged_array(c->r, &form, c->arena, n);
    if (!v || (op != PERMISSION_ADD && op != PERMISSION_MODIFY && op != PERMISSION_REMOVE))
        return EC_INVALID_PARAMETER;
    struct guid *guid = arena_alloc(c->arena, sizeof *guid);
    bool has_id = false;
    *out = (struct mailbox_permission_change){.op = op};
    for (unsigned i = 0; i < n; i++) {
        if (v[i].tag == PidTagEntryId && v[i].bin.len > 0 && op == PERMISSION_ADD) {
            EC_TRY(find_member(c, v[i].bin, guid));
            out->member = guid;
        } else if (v[i].tag == PidTagMemberId) {
            out->member_id = v[i].i8;
            has_id = true;
        } else if (v[i].tag == PidTagMemberRights) {
            out->rights = (uint32_t)v[i].l;
        }
    }
    return has_id || out->member ? EC_OK : EC_INVALID_PARAMETER;
}

enum ec rop_modify_permissions(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    unsigned n = wire_u16(c->r);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (flags & ~MODIFY_KNOWN || n > wire_left(c->r) / 3)
        return EC_INVALID_PARAMETER;
    struct mailbox_permission_change *changes = arena_alloc0(c->arena, (n + 1) * sizeof *changes);
    for (unsigned i = 0; i < n; i++)
        EC_TRY(read_change(c, &changes[i]));
    return mailbox_modify_permissions(f->object.logon->mailbox, f->fid,
                                      (flags & REPLACE_ROWS ? PERMISSIONS_REPLACE : 0) |
                                          (flags & INCLUDE_FREE_BUSY ? PERMISSIONS_FREE_BUSY : 0),
                                      changes, n);
}
