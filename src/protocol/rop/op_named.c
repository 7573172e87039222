// Named properties ([MS-OXCPRPT] 2.2.9, 2.2.12, 2.2.13, 3.2.5.6, 3.2.5.9, 3.2.5.10).
#include "mapi/named.h"
#include "protocol/rop/props_internal.h"

#define ANY_OBJECT                                                                                 \
    (ROP_IS(ROP_LOGON) | ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT))

// --- Names to ids ---

struct lookup {
    const struct prop_name *names;
    uint16_t *ids;
    unsigned n;
    bool creates;
    bool is_partial;
};

static enum ec find_ids(struct mbox_tx *tx, void *ctx) {
    struct lookup *l = ctx;
    l->is_partial = false;
    for (unsigned i = 0; i < l->n; i++) {
        enum ec ec = l->names[i].kind == PROP_NAME_NONE
                         ? EC_NOT_FOUND
                         : mbox_name_to_id(tx, &l->names[i], l->creates, &l->ids[i]);
        if (ec == EC_NAMED_PROP_QUOTA) // MS-OXCPRPT_R53502
            return EC_NO_MEMORY;
        if (ec != EC_OK && ec != EC_NOT_FOUND && ec != EC_INVALID_PARAMETER &&
            ec != EC_STRING_TOO_LONG)
            return ec;
        if (ec != EC_OK) {
            l->ids[i] = 0;
            l->is_partial = true;
        }
    }
    return EC_OK;
}

// Every name that the mailbox has an id for: those of the catalogue, and its own.
static void all_ids(struct mbox_tx *tx, struct arena *arena, GArray *ids, GArray *names) {
    unsigned n;
    const struct catalogue_property *all = catalogue_all(&n);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (unsigned i = 0; i < n; i++) {
        struct prop_name name;
        uint16_t id = PROP_ID(all[i].tag);
        if ((all[i].kind != CATALOGUE_LID && all[i].kind != CATALOGUE_STRING) ||
            !g_hash_table_add(seen, GUINT_TO_POINTER(id)) || !named_fixed_name(id, &name))
            continue;
        g_array_append_val(ids, id);
        g_array_append_val(names, name);
    }
    for (unsigned id = NAMED_ID_FIRST_OWN; id <= NAMED_ID_LAST; id++) {
        struct prop_name name;
        uint16_t id16 = (uint16_t)id;
        if (mbox_id_to_name(tx, arena, id16, &name) != EC_OK)
            break; // they are given in order
        g_array_append_val(ids, id16);
        g_array_append_val(names, name);
    }
}

static enum ec put_all_ids(struct rop_call *c, struct rop_object *o) {
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(struct prop_name));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    all_ids(tx, c->arena, ids, names);
    wire_put_u16(c->w, (uint16_t)ids->len);
    for (guint i = 0; i < ids->len; i++)
        wire_put_u16(c->w, g_array_index(ids, uint16_t, i));
    return EC_OK;
}

enum { NAMES_CREATE = 0x02 };

enum ec rop_get_property_ids_from_names(struct rop_call *c) {
    uint8_t flags = wire_u8(c->r);
    unsigned n = wire_u16(c->r);
    struct rop_object *o;
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    if (flags & ~NAMES_CREATE)
        return EC_INVALID_PARAMETER;
    if (n == 0 && o->kind == ROP_LOGON)
        return put_all_ids(c, o);
    if (n > wire_left(c->r))
        return EC_RPC_FORMAT;
    struct prop_name *names = arena_alloc0(c->arena, (n + 1) * sizeof *names);
    struct lookup l = {.names = names, .n = n, .creates = flags & NAMES_CREATE};
    l.ids = arena_alloc0(c->arena, (n + 1) * sizeof *l.ids);
    for (unsigned i = 0; i < n; i++)
        names[i] = prop_name_read(c->r, c->arena);
    if (l.creates) {
        EC_TRY(mbox_write(o->logon->mbox, find_ids, &l));
    } else {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(o->logon->mbox, &tx));
        EC_TRY(find_ids(tx, &l));
    }
    wire_put_u16(c->w, (uint16_t)n);
    for (unsigned i = 0; i < n; i++)
        wire_put_u16(c->w, l.ids[i]);
    if (!l.is_partial)
        return EC_OK;
    rop_keep_body(c);
    return EC_ERRORS_RETURNED;
}

// --- Ids to names ---

enum ec rop_get_names_from_property_ids(struct rop_call *c) {
    unsigned n = wire_u16(c->r);
    struct rop_object *o;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    wire_put_u16(c->w, (uint16_t)n);
    for (unsigned i = 0; i < n; i++) {
        uint16_t id = wire_u16(c->r);
        struct prop_name name;
        // MS-OXCPRPT_R518, R523
        if (!(id < 0x8000 && named_fixed_name(id, &name)) &&
            mbox_id_to_name(tx, c->arena, id, &name) != EC_OK)
            name = (struct prop_name){.kind = PROP_NAME_NONE};
        prop_name_put(c->w, &name);
    }
    return EC_OK;
}

// --- Those an object has ---

enum { QUERY_NO_STRINGS = 0x01, QUERY_NO_IDS = 0x02 };

struct query {
    uint8_t flags;
    bool has_set;
    struct guid set;
};

static bool is_wanted(const struct query *q, const struct prop_name *name) {
    if (q->flags & QUERY_NO_STRINGS && name->kind == PROP_NAME_STRING) // MS-OXCPRPT_R876
        return false;
    if (q->flags & QUERY_NO_IDS && name->kind == PROP_NAME_LID) // MS-OXCPRPT_R877
        return false;
    return !q->has_set || guid_equal(&q->set, &name->set);
}

static enum ec named_of(struct rop_object *o, struct mbox_tx *tx, struct arena *arena, GArray *ids,
                        GArray *names) {
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    if (o->kind == ROP_LOGON) {
        all_ids(tx, arena, ids, names);
        return EC_OK;
    }
    EC_TRY(rop_list_props(o, tx, tags));
    for (guint i = 0; i < tags->len; i++) {
        uint16_t id = PROP_ID(g_array_index(tags, proptag_t, i));
        struct prop_name name;
        if (id < 0x8000 || mbox_id_to_name(tx, arena, id, &name) != EC_OK)
            continue;
        g_array_append_val(ids, id);
        g_array_append_val(names, name);
    }
    return EC_OK;
}

enum ec rop_query_named_properties(struct rop_call *c) {
    struct query q = {.flags = wire_u8(c->r), .has_set = wire_u8(c->r)};
    struct rop_object *o;
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    g_autoptr(GArray) names = g_array_new(FALSE, FALSE, sizeof(struct prop_name));
    if (q.has_set)
        q.set = wire_guid(c->r);
    EC_TRY(rop_in(c, ANY_OBJECT, &o));
    EC_TRY(mbox_read(o->logon->mbox, &tx));
    EC_TRY(named_of(o, tx, c->arena, ids, names));
    struct wire_writer w = wire_writer(c->room);
    unsigned n = 0;
    wire_put_u16(c->w, 0);
    for (guint i = 0; i < ids->len; i++) {
        const struct prop_name *name = &g_array_index(names, struct prop_name, i);
        if (!is_wanted(&q, name))
            continue;
        wire_put_u16(c->w, g_array_index(ids, uint16_t, i));
        prop_name_put(&w, name);
        n++;
    }
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    bool fits = bytes || n == 0;
    if (bytes)
        wire_put_bytes(c->w, bytes->data, bytes->len);
    wire_writer_clear(&w);
    if (!fits)
        return EC_BUFFER_TOO_SMALL;
    wire_patch_u16(c->w, 0, (uint16_t)n);
    return EC_OK;
}
