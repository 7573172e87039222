// ICS uploads: opening them, ids for objects that clients make, deletions and read states
// ([MS-OXCFXICS] 2.2.3.2.4, 3.2.5.9.4).
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"

static void destroy_upload(struct rop_object *o) {
    state_clear(&((struct rop_upload *)o)->state);
}

enum ec rop_synchronization_open_collector(struct rop_call *c) {
    bool is_contents = wire_u8(c->r) != 0;
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    struct rop_upload *u = g_new0(struct rop_upload, 1);
    EC_TRY(rop_object_init(&u->object, ROP_SYNC_UPLOAD, &f->object, destroy_upload));
    u->is_contents = is_contents;
    u->fid = f->fid;
    state_init(&u->state);
    return rop_give(c, &u->object);
}

enum ec upload_in(struct rop_call *c, bool is_contents, struct rop_upload **out) {
    struct rop_object *o;
    EC_TRY(rop_in(c, ROP_IS(ROP_SYNC_UPLOAD), &o));
    *out = (struct rop_upload *)o;
    return (*out)->is_contents == is_contents ? EC_OK : EC_NOT_SUPPORTED;
}

enum ec import_counter(const struct rop_logon *logon, struct prop_bin gid, uint64_t *out) {
    struct wire_reader r = wire_reader(gid.data, gid.len);
    if (gid.len != GID_SIZE)
        return EC_INVALID_PARAMETER;
    struct gid id = gid_read(&r);
    if (!guid_equal(&id.replica, &logon->replica) || id.counter == 0)
        return EC_INVALID_PARAMETER;
    *out = id.counter;
    return EC_OK;
}

// --- Ids ---

struct reserve {
    uint32_t n;
    uint64_t first;
};

static enum ec reserve(struct mbox_tx *tx, void *ctx) {
    struct reserve *r = ctx;
    return replica_reserve(tx, r->n, &r->first);
}

enum ec rop_get_local_replica_ids(struct rop_call *c) {
    struct reserve r = {.n = wire_u32(c->r)};
    struct rop_logon *logon;
    EC_TRY(rop_logon_in(c, &logon));
    EC_TRY(mbox_write(logon->mbox, reserve, &r));
    wire_put_guid(c->w, &logon->replica); // MS-OXCFXICS_R934
    counter_put(c->w, r.first);
    return EC_OK;
}

struct range {
    uint64_t low, high;
};
struct bury {
    struct rop_folder *folder;
    const struct range *ranges;
    uint32_t n;
};

static enum ec bury(struct mbox_tx *tx, void *ctx) {
    struct bury *b = ctx;
    EC_TRY(mailbox_require(b->folder->object.logon->mailbox, tx, b->folder->fid, RIGHTS_VISIBLE));
    for (uint32_t i = 0; i < b->n; i++)
        EC_TRY(replica_bury(tx, b->folder->fid, b->ranges[i].low, b->ranges[i].high));
    return EC_OK;
}

enum ec rop_set_local_replica_midset_deleted(struct rop_call *c) {
    uint16_t size = wire_u16(c->r);
    uint32_t n = wire_u32(c->r);
    struct rop_folder *f;
    EC_TRY(rop_folder_in(c, &f));
    if (n == 0 || size < 4 || n != (size - 4u) / (2 * LONG_TERM_ID_SIZE)) // MS-OXCFXICS_R945, R948
        return EC_INVALID_PARAMETER;
    struct range *ranges = arena_alloc(c->arena, n * sizeof *ranges);
    for (uint32_t i = 0; i < n; i++) {
        struct gid low = long_term_id_read(c->r), high = long_term_id_read(c->r);
        // MS-OXCFXICS_R953
        if (!guid_equal(&low.replica, &f->object.logon->replica) ||
            !guid_equal(&high.replica, &low.replica))
            return EC_INVALID_PARAMETER;
        ranges[i] = (struct range){low.counter, high.counter};
    }
    struct bury b = {f, ranges, n};
    return mbox_write(f->object.logon->mbox, bury, &b);
}

// --- Deletions ---

enum { DELETE_HIERARCHY = 0x01, DELETE_HARD_NOW = 0x02, DELETE_KNOWN = 0x03 };

struct bury_unknown {
    struct rop_upload *upload;
    const uint64_t *ids;
    unsigned n;
};

static bool exists(struct mbox_tx *tx, struct rop_upload *u, struct arena *arena, uint64_t id) {
    struct message_row row;
    struct folder_info info;
    uint64_t fid;
    if (!u->is_contents)
        return folder_get(tx, arena, id, &info) == EC_OK;
    if (message_get_row(tx, id, &fid, &row) != EC_OK)
        return false;
    if (row.keywords)
        shared_text_unref(row.keywords);
    return fid == u->fid;
}

// MS-OXCFXICS_R2251: what never was here shall not come back.
static enum ec bury_unknown(struct mbox_tx *tx, void *ctx) {
    struct bury_unknown *b = ctx;
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < b->n; i++)
        if (!exists(tx, b->upload, arena, b->ids[i]))
            EC_TRY(replica_bury(tx, b->upload->is_contents ? b->upload->fid : 0, b->ids[i],
                                b->ids[i]));
    return EC_OK;
}

static enum ec delete_messages(struct rop_upload *u, const uint64_t *ids, unsigned n,
                               bool is_hard) {
    unsigned deleted;
    enum ec ec =
        mailbox_delete_messages(u->object.logon->mailbox, u->fid, ids, n, is_hard, false, &deleted);
    // MS-OXCFXICS_R2250: those that are gone already are passed over.
    return ec == EC_PARTIAL_COMPLETION ? EC_OK : ec;
}

static enum ec delete_folders(struct rop_upload *u, const uint64_t *ids, unsigned n, bool is_hard) {
    unsigned flags =
        FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS | (is_hard ? FOLDER_DELETE_HARD : 0);
    for (unsigned i = 0; i < n; i++) {
        enum ec ec = mailbox_remove_folder(u->object.logon->mailbox, 0, ids[i], flags);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}

enum ec rop_synchronization_import_deletes(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    uint16_t n_values = wire_u16(c->r);
    struct prop_wire form = PROP_WIRE_ROP;
    struct rop_object *o;
    EC_TRY(rop_in(c, ROP_IS(ROP_SYNC_UPLOAD), &o));
    struct rop_upload *u = (struct rop_upload *)o;
    // MS-OXCFXICS_R2254, R887
    if (flags & ~DELETE_KNOWN || u->is_contents == ((flags & DELETE_HIERARCHY) != 0))
        return EC_NOT_SUPPORTED;
    struct prop_value v = prop_wire_tagged(c->r, &form, c->arena);
    if (n_values != 1 || !wire_ok(c->r) || PROP_TYPE(v.tag) != PT_MV_BINARY) // MS-OXCFXICS_R1326
        return EC_INVALID_PARAMETER;
    uint64_t *ids = arena_alloc(c->arena, (v.mv.n + 1) * sizeof *ids);
    unsigned n = 0;
    for (uint32_t i = 0; i < v.mv.n; i++)
        if (import_counter(o->logon, v.mv.bin[i], &ids[n]) == EC_OK)
            n++;
    struct bury_unknown b = {u, ids, n};
    bool is_hard = flags & DELETE_HARD_NOW;
    if (n == 0)
        return EC_OK;
    EC_TRY(mbox_write(o->logon->mbox, bury_unknown, &b));
    return u->is_contents ? delete_messages(u, ids, n, is_hard)
                          : delete_folders(u, ids, n, is_hard);
}

// --- Read states ---

struct read_states {
    struct rop_upload *upload;
    GArray *ids[2]; // of uint64_t: unread, read
};

static enum ec add_read_cns(struct read_states *r, struct mbox_tx *tx, const GArray *ids) {
    const struct guid *replica = &r->upload->object.logon->replica;
    for (guint i = 0; i < ids->len; i++) {
        uint64_t cn;
        enum ec ec = message_get_read_cn(tx, g_array_index(ids, uint64_t, i), &cn);
        if (ec == EC_OK) // MS-OXCFXICS_R2260
            globset_add(idset_of_guid(r->upload->state.read, replica, true), cn, cn);
        else if (ec != EC_NOT_FOUND)
            return ec;
    }
    return EC_OK;
}

static enum ec set_read(struct mbox_tx *tx, void *ctx) {
    struct read_states *r = ctx;
    struct rop_upload *u = r->upload;
    EC_TRY(mailbox_require(u->object.logon->mailbox, tx, u->fid, RIGHTS_READ_ANY));
    for (unsigned i = 0; i < 2; i++) {
        struct message_flags_change change = {
            .mode = i ? FLAGS_ADD : FLAGS_REMOVE, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
        const uint64_t *ids = (const uint64_t *)(void *)r->ids[i]->data;
        if (r->ids[i]->len > 0)
            EC_TRY(message_change_flags(tx, u->fid, ids, r->ids[i]->len, &change, NULL));
        EC_TRY(add_read_cns(r, tx, r->ids[i]));
    }
    return EC_OK;
}

// In a public folder the read state is the principal's.
static enum ec set_public_read(struct read_states *r) {
    struct rop_upload *u = r->upload;
    for (unsigned i = 0; i < 2; i++) {
        struct mailbox_flags change = {.mode = i ? MAILBOX_FLAGS_ADD : MAILBOX_FLAGS_REMOVE,
                                       .flags = MSG_READ,
                                       .unchanged_since = UINT64_MAX};
        const uint64_t *ids = (const uint64_t *)(void *)r->ids[i]->data;
        if (r->ids[i]->len > 0)
            EC_TRY(mailbox_change_flags(u->object.logon->mailbox, u->fid, ids, r->ids[i]->len,
                                        &change, NULL));
    }
    return EC_OK;
}

// Messages of the folder that are not associated (MS-OXCFXICS_R2259).
static bool is_normal(struct mbox_tx *tx, const struct rop_upload *u, uint64_t mid) {
    struct message_row row;
    uint64_t fid;
    if (message_get_row(tx, mid, &fid, &row) != EC_OK)
        return false;
    if (row.keywords)
        shared_text_unref(row.keywords);
    return fid == u->fid && !(row.flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED));
}

static enum ec take_read_states(struct rop_call *c, struct read_states *r, uint16_t size) {
    struct wire_reader in = wire_sub(c->r, size);
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(r->upload->object.logon->mbox, &tx));
    while (wire_left(&in) > 0) {
        uint16_t len = wire_u16(&in);
        struct prop_bin id = {len, wire_bytes(&in, len)};
        bool is_read = wire_u8(&in) != 0;
        uint64_t mid;
        if (!wire_ok(&in))
            return EC_INVALID_PARAMETER;
        if (import_counter(r->upload->object.logon, id, &mid) == EC_OK &&
            is_normal(tx, r->upload, mid))
            g_array_append_val(r->ids[is_read], mid);
    }
    return EC_OK;
}

enum ec rop_synchronization_import_read_state_changes(struct rop_call *c) {
    uint16_t size = wire_u16(c->r);
    struct rop_upload *u;
    EC_TRY(upload_in(c, true, &u));
    if (size == 0) // MS-OXCFXICS_R910
        return EC_INVALID_PARAMETER;
    g_autoptr(GArray) unread = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
                      read = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct read_states r = {u, {unread, read}};
    EC_TRY(take_read_states(c, &r, size));
    if (u->object.logon->is_public)
        return set_public_read(&r);
    return mbox_write(u->object.logon->mbox, set_read, &r);
}
