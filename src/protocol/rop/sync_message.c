// ICS uploads of messages: made, changed, moved ([MS-OXCFXICS] 2.2.3.2.4.2, 2.2.3.2.4.4,
// 3.1.5.6, 3.2.5.9.4.2, 3.2.5.9.4.4). An imported message is an ordinary Message object that the
// client fills; saving it finds conflicts, resolves them and notes the client's change.
#include "base/clock.h"
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"

enum { IMPORT_ASSOCIATED = 0x10, IMPORT_FAIL_ON_CONFLICT = 0x40, IMPORT_KNOWN = 0x50 };
enum { RESOLVE_LAST_WRITER_WINS = 0x1 }; // PidTagResolveMethod
#define MAX_VERSIONS 16                  // kept in one conflict resolve message
#define N_MESSAGE_VALUES 4

void import_free(struct rop_import *i) {
    if (!i)
        return;
    arena_free(i->arena);
    g_free(i);
}

// --- Requests ---

static enum ec read_header(struct rop_call *c, struct rop_upload *u, struct rop_import *i) {
    struct prop_wire form = rop_form(&u->object);
    unsigned n = wire_u16(c->r);
    // MS-OXCFXICS_R1299 to R1307: these, in this order.
    static const proptag_t tags[N_MESSAGE_VALUES] = {PidTagSourceKey, PidTagLastModificationTime,
                                                     PidTagChangeKey, PidTagPredecessorChangeList};
    if (n != N_MESSAGE_VALUES)
        return EC_INVALID_PARAMETER;
    struct prop_value *v = prop_wire_tagged_array(c->r, &form, c->arena, n);
    for (unsigned k = 0; v && k < n; k++)
        if (v[k].tag != tags[k])
            return EC_INVALID_PARAMETER;
    if (!v)
        return EC_INVALID_PARAMETER;
    EC_TRY(import_counter(u->object.logon, v[0].bin, &i->mid));
    i->modified = v[1].time;
    if (!xid_parse(v[2].bin, &i->change.key) ||
        pcl_parse(i->arena, v[3].bin, &i->change.pcl) != EC_OK)
        return EC_INVALID_PARAMETER;
    return pcl_add(i->arena, &i->change.pcl, &i->change.key, &i->change.pcl);
}

// Whether the client's version may take the place of the one that is there.
static enum ec check_change(struct rop_import *i, struct mbox_tx *tx, enum pcl_order *order) {
    ARENA_AUTO arena = arena_new();
    struct replica_change here;
    EC_TRY(replica_message_change(tx, arena, i->mid, &here));
    *order = pcl_compare(&i->change.pcl, &here.pcl);
    if (*order == PCL_EQUAL || *order == PCL_OLDER)
        return EC_SYNC_IGNORE;
    return *order == PCL_CONFLICT && i->fails_on_conflict ? EC_SYNC_CONFLICT : EC_OK;
}

static enum ec find(struct rop_import *i, struct rop_upload *u) {
    MBOX_TX_AUTO tx = NULL;
    struct message_row row;
    enum pcl_order order;
    uint64_t fid;
    EC_TRY(mbox_read(u->object.logon->mbox, &tx));
    enum ec ec = message_get_row(tx, i->mid, &fid, &row);
    i->is_new = ec == EC_NOT_FOUND;
    if (i->is_new)
        return replica_check(tx, u->fid, i->mid);
    EC_TRY(ec);
    if (row.keywords)
        shared_text_unref(row.keywords);
    if (fid != u->fid || row.flags & MSG_SOFT_DELETED)
        return EC_SYNC_OBJECT_DELETED;
    return check_change(i, tx, &order);
}

// MS-OXCFXICS_R2229: what a client can set is taken out of the object (not out of the mailbox).
static void purge(struct rop_message *m) {
    struct message_value *value = rop_message_value(m);
    bag_free(value->bag);
    value->bag = bag_new();
    g_ptr_array_set_size(value->recipients, 0);
    g_ptr_array_set_size(value->attachments, 0);
    m->is_changed = true;
}

static enum ec open_object(struct rop_import *i, struct rop_upload *u, bool is_associated,
                           struct rop_message **out) {
    struct rop_logon *logon = u->object.logon;
    if (i->is_new)
        EC_TRY(rop_message_create(logon, u->fid, is_associated, out));
    else
        EC_TRY(rop_message_open(logon, u->fid, i->mid, ROP_READ_WRITE, out));
    purge(*out);
    return EC_OK;
}

enum ec rop_synchronization_import_message_change(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    struct rop_upload *u;
    struct rop_message *m;
    EC_TRY(upload_in(c, true, &u));
    if (flags & ~IMPORT_KNOWN) // MS-OXCFXICS_R3509
        return EC_INVALID_PARAMETER;
    struct rop_import *i = g_new0(struct rop_import, 1);
    i->arena = arena_new();
    i->fails_on_conflict = flags & IMPORT_FAIL_ON_CONFLICT;
    enum ec ec = read_header(c, u, i);
    if (ec == EC_OK)
        ec = find(i, u);
    if (ec == EC_OK)
        ec = open_object(i, u, flags & IMPORT_ASSOCIATED, &m);
    if (ec != EC_OK) {
        import_free(i);
        return ec;
    }
    i->upload = u->object.handle;
    m->import = i;
    wire_put_u64(c->w, 0); // MS-OXCFXICS_R808
    return rop_give(c, &m->object);
}

// --- Conflicts ---

struct saving {
    struct rop_message *m;
    struct rop_import *import;
    bool is_conflict;
    uint64_t cn;
};

// One side of a conflict.
struct side {
    struct message_value *value;
    const struct replica_change *change;
    filetime_t modified;
};

static bool is_version(const struct attachment_value *a) {
    return a->embedded && bag_bool(a->bag, PidTagInConflict, false);
}

static void drop_versions(struct message_value *value) {
    for (guint i = value->attachments->len; i-- > 0;)
        if (is_version(value->attachments->pdata[i]))
            g_ptr_array_remove_index(value->attachments, i);
}

// A version as an attachment, with what synchronization tells of it (sync_contents.c).
static struct attachment_value *version_of(const struct side *s) {
    ARENA_AUTO arena = arena_new();
    struct attachment_value *a = attachment_value_new();
    struct prop_bin key = xid_bytes(arena, &s->change->key),
                    pcl = pcl_bytes(arena, &s->change->pcl);
    bag_set_long(a->bag, PidTagAttachMethod, 5);
    bag_set_long(a->bag, PidTagRenderingPosition, -1);
    bag_set_bool(a->bag, PidTagInConflict, true); // MS-OXCFXICS_R1821
    a->embedded = rop_value_copy(s->value);
    drop_versions(a->embedded);
    bag_set_bytes(a->embedded->bag, PidTagChangeKey, key.data, key.len);
    bag_set_bytes(a->embedded->bag, PidTagPredecessorChangeList, pcl.data, pcl.len);
    bag_set_time(a->embedded->bag, PidTagLastModificationTime, s->modified);
    return a;
}

static bool is_of_change(const struct attachment_value *a, const struct replica_change *change) {
    struct xid key;
    return xid_parse(bag_bytes(a->embedded->bag, PidTagChangeKey), &key) &&
           guid_equal(&key.space, &change->key.space) && key.local_len == change->key.local_len &&
           memcmp(key.local, change->key.local, key.local_len) == 0;
}

// A side's versions: those it has, when it is the result of a conflict itself, or it alone; both
// when it was changed since.
static void add_versions(const struct side *s, GPtrArray *to) {
    bool is_there = false;
    for (guint i = 0; i < s->value->attachments->len; i++) {
        const struct attachment_value *a = s->value->attachments->pdata[i];
        if (!is_version(a))
            continue;
        g_ptr_array_add(to, rop_attachment_copy(a));
        is_there = is_of_change(a, s->change);
    }
    if (!is_there)
        g_ptr_array_add(to, version_of(s));
}

// Makes the winner a conflict resolve message: all versions are attached, its own last.
static void attach_versions(const struct side *winner, const struct side *loser) {
    g_autoptr(GPtrArray) versions = g_ptr_array_new();
    GPtrArray *attachments = winner->value->attachments;
    add_versions(loser, versions);
    add_versions(winner, versions);
    drop_versions(winner->value);
    for (guint i = 0; i < versions->len; i++) {
        if (versions->len - i > MAX_VERSIONS)
            attachment_value_free(versions->pdata[i]);
        else
            g_ptr_array_add(attachments, versions->pdata[i]);
    }
    int32_t status = bag_long(winner->value->bag, PidTagMessageStatus, 0);
    bag_set_long(winner->value->bag, PidTagMessageStatus, status | IN_CONFLICT); // R1820
}

static enum ec resolve_method(struct mbox_tx *tx, uint64_t fid, int32_t *out) {
    BAG_AUTO props = NULL;
    EC_TRY(folder_get_stored_props(tx, fid, &props));
    *out = bag_long(props, PidTagResolveMethod, 0);
    return EC_OK;
}

// Whether the client's version wins (3.1.5.6.2.2).
static bool client_wins(const struct rop_import *i, const struct replica_change *here,
                        filetime_t modified_here) {
    if (i->modified != modified_here)
        return i->modified > modified_here;
    return guid_compare(&i->change.key.space, &here->key.space) > 0;
}

// Saves whichever version wins, with the other inside unless the folder or the kind of message does
// without (MS-OXCFXICS_R3402, R3403).
static enum ec save_conflict(struct saving *s, struct mbox_tx *tx) {
    ARENA_AUTO arena = arena_new();
    struct rop_import *i = s->import;
    struct replica_change here;
    struct message *server;
    struct prop_value v;
    int32_t method;
    EC_TRY(replica_message_change(tx, arena, i->mid, &here));
    EC_TRY(resolve_method(tx, s->m->fid, &method));
    EC_TRY(message_open(tx, i->mid, &server));
    filetime_t modified_here = 0;
    if (message_get_prop(tx, server, arena, PidTagLastModificationTime, 0, &v) == EC_OK)
        modified_here = v.time;
    bool client_won = client_wins(i, &here, modified_here);
    struct side client_side = {message_value(s->m->message), &i->change, i->modified},
                server_side = {message_value(server), &here, modified_here};
    if (!s->m->is_associated && !(method & RESOLVE_LAST_WRITER_WINS))
        attach_versions(client_won ? &client_side : &server_side,
                        client_won ? &server_side : &client_side);
    enum ec ec = message_save(tx, client_won ? s->m->message : server, MESSAGE_SAVE_FORCE);
    // A successor of both (MS-OXCFXICS_R1804, R1805).
    if (ec == EC_OK)
        ec = pcl_merge(arena, &i->change.pcl, &here.pcl, &here.pcl);
    if (client_won)
        here.key = i->change.key;
    if (ec == EC_OK)
        ec = replica_note_message(tx, i->mid, &here);
    message_free(server);
    return ec;
}

// --- Saving ---

static enum ec save_new(struct mbox_tx *tx, void *ctx, uint64_t *mid_out) {
    struct saving *s = ctx;
    EC_TRY(replica_claim(tx, s->m->fid, s->import->mid));
    message_set_id(s->m->message, s->import->mid);
    EC_TRY(message_save(tx, s->m->message, 0));
    *mid_out = message_mid(s->m->message);
    EC_TRY(replica_note_message(tx, *mid_out, &s->import->change)); // MS-OXCFXICS_R1911
    return message_get_cn(tx, *mid_out, &s->cn);
}

static enum ec save_changed(struct mbox_tx *tx, void *ctx) {
    struct saving *s = ctx;
    enum pcl_order order;
    // It may have been changed here since it was opened.
    EC_TRY(check_change(s->import, tx, &order));
    s->is_conflict = order == PCL_CONFLICT;
    if (s->is_conflict)
        return save_conflict(s, tx);
    EC_TRY(message_save(tx, s->m->message, MESSAGE_SAVE_FORCE));
    EC_TRY(replica_note_message(tx, s->import->mid, &s->import->change));
    return message_get_cn(tx, s->import->mid, &s->cn);
}

static void note_seen(struct saving *s) {
    struct rop_object *o =
        g_hash_table_lookup(s->m->object.session->objects, GUINT_TO_POINTER(s->import->upload));
    // MS-OXCFXICS_R1907, R190701; of a conflict the client downloads the result.
    if (!o || o->kind != ROP_SYNC_UPLOAD || s->is_conflict)
        return;
    struct sync_state *state = &((struct rop_upload *)o)->state;
    struct idset *seen = s->m->is_associated ? state->seen_fai : state->seen;
    globset_add(idset_of_guid(seen, &o->logon->replica, true), s->cn, s->cn);
}

enum ec import_save(struct rop_message *m, size_t size) {
    struct saving s = {.m = m, .import = m->import};
    struct mailbox *mailbox = m->object.logon->mailbox;
    bag_set_time(rop_message_value(m)->bag, PidTagLastModificationTime, m->import->modified);
    EC_TRY(m->import->is_new
               ? mailbox_put_message(mailbox, m->fid, size, save_new, &s)
               : mailbox_edit_message(mailbox, m->fid, m->import->mid, save_changed, &s));
    note_seen(&s);
    m->mid = m->import->mid;
    // From now on it is saved as any other.
    import_free(g_steal_pointer(&m->import));
    return EC_OK;
}

// --- Moves ---

struct moving {
    struct rop_upload *upload;
    uint64_t from, mid, new_mid;
    struct replica_change change;
    bool is_noted, is_associated;
    uint64_t cn; // out
};

static enum ec move(struct mbox_tx *tx, void *ctx) {
    struct moving *v = ctx;
    ARENA_AUTO arena = arena_new();
    struct mailbox *mailbox = v->upload->object.logon->mailbox;
    uint64_t to = v->upload->fid, fid;
    struct replica_change here;
    struct message_row row;
    enum ec ec = message_get_row(tx, v->mid, &fid, &row);
    if (ec == EC_NOT_FOUND)
        return EC_SYNC_OBJECT_DELETED;
    EC_TRY(ec);
    if (row.keywords)
        shared_text_unref(row.keywords);
    if (fid != v->from || row.flags & MSG_SOFT_DELETED)
        return EC_SYNC_OBJECT_DELETED;
    EC_TRY(mailbox_require_items(mailbox, tx, v->from, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED,
                                 &v->mid, 1));
    EC_TRY(mailbox_require(mailbox, tx, to, RIGHTS_CREATE));
    EC_TRY(replica_message_change(tx, arena, v->mid, &here));
    EC_TRY(replica_claim(tx, to, v->new_mid));
    EC_TRY(message_move_as(tx, v->from, v->mid, to, v->new_mid));
    // MS-OXCFXICS_R875, R876: an older version was moved, which is not the client's.
    enum pcl_order order = pcl_compare(&v->change.pcl, &here.pcl);
    v->is_noted = order == PCL_EQUAL || order == PCL_OLDER;
    v->is_associated = row.flags & MSG_ASSOCIATED;
    if (v->is_noted)
        EC_TRY(replica_note_message(tx, v->new_mid, &v->change));
    return message_get_cn(tx, v->new_mid, &v->cn);
}

static struct prop_bin read_sized(struct rop_call *c) {
    uint32_t len = wire_u32(c->r);
    return (struct prop_bin){len, wire_bytes(c->r, len)};
}

enum ec rop_synchronization_import_message_move(struct rop_call *c) {
    struct moving v = {0};
    EC_TRY(upload_in(c, true, &v.upload));
    struct rop_logon *logon = v.upload->object.logon;
    struct prop_bin folder = read_sized(c), source = read_sized(c), pcl = read_sized(c),
                    target = read_sized(c), key = read_sized(c);
    if (!wire_ok(c->r))
        return EC_INVALID_PARAMETER;
    EC_TRY(import_counter(logon, folder, &v.from));
    EC_TRY(import_counter(logon, source, &v.mid));
    EC_TRY(import_counter(logon, target, &v.new_mid));
    if (!xid_parse(key, &v.change.key) || pcl_parse(c->arena, pcl, &v.change.pcl) != EC_OK)
        return EC_INVALID_PARAMETER;
    EC_TRY(mbox_write(logon->mbox, move, &v));
    if (!v.is_noted)
        return EC_NEWER_CLIENT_CHANGE;
    struct sync_state *state = &v.upload->state; // MS-OXCFXICS_R2246, R2247
    globset_add(
        idset_of_guid(v.is_associated ? state->seen_fai : state->seen, &logon->replica, true), v.cn,
        v.cn);
    wire_put_u64(c->w, 0); // MS-OXCFXICS_R879001
    return EC_OK;
}
