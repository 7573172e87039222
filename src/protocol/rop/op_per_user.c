// Which messages of public folders a user has read, as a whole ([MS-OXCSTOR] 2.2.1.10 to 2.2.1.13,
// 3.2.5.10 to 3.2.5.13): the truth in a public logon, what the client put by in a private one.
#include "mailbox/mailbox.h"
#include "mapi/rights.h"
#include "protocol/rop/transfer_internal.h"

#define READ_SIZE 4096           // when the client leaves it open
#define WRITE_MAX (1024u * 1024) // bytes of a set
#define HEAD_SIZE 3

// --- Reading ---

static enum ec get_data(struct rop_logon *logon, const struct gid *folder, GBytes **out) {
    if (logon->is_public) {
        if (!guid_equal(&folder->replica, &logon->replica))
            return EC_NOT_FOUND;
        return mailbox_get_read_state(logon->mailbox, folder->counter, out);
    }
    MBOX_TX_AUTO tx = NULL;
    struct guid source;
    EC_TRY(mbox_read(logon->mbox, &tx));
    return replica_per_user_get(tx, folder, &source, out);
}

// MS-OXCSTOR_R541, R544: what did not change since it was given is not given again.
static bool is_known(struct rop_logon *logon, const struct gid *folder, GBytes *data, bool note) {
    gpointer key = GUINT_TO_POINTER((guint)(folder->counter ^ (folder->counter >> 32)));
    gpointer hash = GUINT_TO_POINTER(g_bytes_hash(data) | 1u);
    if (!logon->per_user_given)
        logon->per_user_given = g_hash_table_new(NULL, NULL);
    if (note)
        g_hash_table_insert(logon->per_user_given, key, hash);
    return g_hash_table_lookup(logon->per_user_given, key) == hash;
}

enum ec rop_read_per_user_information(struct rop_call *c) {
    struct gid folder = long_term_id_read(c->r);
    wire_u8(c->r);
    uint32_t offset = wire_u32(c->r);
    uint16_t max = wire_u16(c->r);
    struct rop_logon *logon;
    g_autoptr(GBytes) data = NULL;
    EC_TRY(rop_logon_in(c, &logon));
    enum ec ec = get_data(logon, &folder, &data);
    if (ec == EC_NOT_FOUND && !logon->is_public) {
        data = g_bytes_new(NULL, 0); // nothing was put by
        ec = EC_OK;
    }
    EC_TRY(ec);
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(data, &len);
    if (offset > len)
        return EC_INVALID_PARAMETER;
    size_t n = len - offset, room = c->room > HEAD_SIZE ? c->room - HEAD_SIZE : 0;
    bool is_same = offset == 0 && is_known(logon, &folder, data, false);
    n = is_same ? 0 : MIN(n, MIN((size_t)(max ? max : READ_SIZE), room));
    bool is_last = is_same || offset + n == len;
    if (is_last)
        is_known(logon, &folder, data, true);
    wire_put_u8(c->w, is_last);
    wire_put_u16(c->w, (uint16_t)n);
    if (n > 0)
        wire_put_bytes(c->w, bytes + offset, n);
    return EC_OK;
}

// --- Writing ---

struct set {
    struct gid folder;
    struct guid source;
    GBytes *data;
};

static enum ec set_data(struct mbox_tx *tx, void *ctx) {
    struct set *s = ctx;
    return replica_per_user_set(tx, &s->folder, &s->source, s->data);
}

static enum ec finish_write(struct rop_logon *logon) {
    struct set s = {logon->per_user_folder, logon->per_user_source, NULL};
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(g_steal_pointer(&logon->per_user));
    struct idset *set;
    gsize len;
    const uint8_t *bytes = g_bytes_get_data(data, &len);
    EC_TRY(idset_parse((struct prop_bin){(uint32_t)len, bytes}, IDSET_REPLGUID, &set));
    idset_free(set);
    s.data = data;
    if (logon->is_public)
        return mailbox_set_read_state(logon->mailbox, s.folder.counter, data);
    return mbox_write(logon->mbox, set_data, &s);
}

enum ec rop_write_per_user_information(struct rop_call *c) {
    struct gid folder = long_term_id_read(c->r);
    bool is_last = wire_u8(c->r) != 0;
    uint32_t offset = wire_u32(c->r);
    uint16_t len = wire_u16(c->r);
    const uint8_t *data = wire_bytes(c->r, len);
    struct rop_logon *logon;
    EC_TRY(rop_logon_in(c, &logon));
    if (logon->is_public && !guid_equal(&folder.replica, &logon->replica))
        return EC_NOT_FOUND;
    if (offset == 0) {
        if (logon->per_user)
            g_byte_array_unref(logon->per_user);
        logon->per_user = g_byte_array_new();
        logon->per_user_folder = folder;
        if (!logon->is_public)
            logon->per_user_source = wire_guid(c->r);
    }
    // MS-OXCSTOR_R582
    if (!logon->per_user || offset != logon->per_user->len || !data ||
        folder.counter != logon->per_user_folder.counter)
        return EC_INVALID_PARAMETER;
    if (offset + len > WRITE_MAX)
        return EC_TOO_COMPLEX;
    g_byte_array_append(logon->per_user, data, len);
    return is_last ? finish_write(logon) : EC_OK;
}

// --- What was put by in a private mailbox ---

static enum ec private_logon(struct rop_call *c, struct rop_logon **out) {
    EC_TRY(rop_logon_in(c, out));
    return (*out)->is_public ? EC_NOT_SUPPORTED : EC_OK; // MS-OXCSTOR_R469, R488
}

enum ec rop_get_per_user_long_term_ids(struct rop_call *c) {
    struct guid source = wire_guid(c->r);
    struct rop_logon *logon;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(private_logon(c, &logon));
    g_autoptr(GArray) folders = g_array_new(FALSE, FALSE, sizeof(struct gid));
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(replica_per_user_list(tx, &source, folders));
    wire_put_u16(c->w, (uint16_t)MIN(folders->len, (guint)UINT16_MAX));
    for (guint i = 0; i < folders->len; i++)
        long_term_id_put(c->w, &g_array_index(folders, struct gid, i));
    return EC_OK;
}

enum ec rop_get_per_user_guid(struct rop_call *c) {
    struct gid folder = long_term_id_read(c->r);
    struct rop_logon *logon;
    struct guid source;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(private_logon(c, &logon));
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(replica_per_user_get(tx, &folder, &source, NULL));
    wire_put_guid(c->w, &source);
    return EC_OK;
}
