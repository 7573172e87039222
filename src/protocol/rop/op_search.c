// Search folders ([MS-OXCFOLD] 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5).
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"
#include "store/search_folder.h"

struct set_search {
    struct rop_folder *folder;
    struct restriction *restriction;
    const uint64_t *scope;
    unsigned n;
    uint32_t flags;
};

static enum ec set_criteria(struct mbox_tx *tx, void *ctx) {
    struct set_search *s = ctx;
    struct mailbox *m = s->folder->object.logon->mailbox;
    EC_TRY(mailbox_require(m, tx, s->folder->fid, RIGHTS_OWNER));
    for (unsigned i = 0; i < s->n; i++)
        EC_TRY(mailbox_require(m, tx, s->scope[i], RIGHTS_READ_ANY));
    return search_folder_request(tx, s->folder->fid, s->restriction != NULL, s->restriction,
                                 s->scope, s->n, s->flags);
}

enum ec rop_set_search_criteria(struct rop_call *c) {
    struct wire_reader sub = wire_sub(c->r, wire_u16(c->r));
    struct set_search s = {0};
    s.scope = rop_read_ids(c, &s.n);
    s.flags = wire_u32(c->r);
    EC_TRY(rop_folder_in(c, &s.folder));
    if (s.folder->type != FOLDER_TYPE_SEARCH)
        return EC_NOT_SEARCH_FOLDER;
    struct prop_wire form = rop_form(&s.folder->object);
    if (wire_left(&sub) > 0)
        EC_TRY(restriction_read(&sub, &form, c->arena, &s.restriction));
    return mbox_write(s.folder->object.logon->mbox, set_criteria, &s);
}

static enum ec put_restriction(struct rop_call *c, const struct prop_wire *form,
                               const struct restriction *restriction) {
    struct wire_writer w = wire_writer(UINT16_MAX);
    if (restriction)
        restriction_put(&w, form, restriction);
    bool is_ok = wire_writer_ok(&w);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    if (!is_ok)
        return EC_BUFFER_TOO_SMALL;
    wire_put_u16(c->w, bytes ? (uint16_t)bytes->len : 0);
    if (bytes)
        wire_put_bytes(c->w, bytes->data, bytes->len);
    return EC_OK;
}

enum ec rop_get_search_criteria(struct rop_call *c) {
    wire_u8(c->r); // UseUnicode: restrictions are kept and given in Unicode
    bool with_restriction = wire_u8(c->r), with_folders = wire_u8(c->r);
    struct rop_folder *f;
    struct search_criteria criteria;
    uint32_t state;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(rop_folder_in(c, &f));
    if (f->type != FOLDER_TYPE_SEARCH)
        return EC_NOT_SEARCH_FOLDER;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    EC_TRY(mailbox_require(f->object.logon->mailbox, tx, f->fid, RIGHTS_VISIBLE));
    EC_TRY(search_folder_get(tx, c->arena, f->fid, &criteria, &state));
    struct prop_wire form = rop_form(&f->object);
    EC_TRY(put_restriction(c, &form, with_restriction ? criteria.restriction : NULL));
    wire_put_u8(c->w, c->logon_id);
    wire_put_u16(c->w, with_folders ? (uint16_t)criteria.n_scope : 0);
    for (unsigned i = 0; with_folders && i < criteria.n_scope; i++)
        rop_put_id(c->w, criteria.scope[i]);
    wire_put_u32(c->w, state);
    return EC_OK;
}
