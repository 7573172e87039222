// Reserved and unused ids; the notes of clients' changes.
#include "store/replica.h"

#include <string.h>

#include "store/message_internal.h"
#include "store/replica_internal.h"

// --- Ids ---

static enum ec insert_range(struct mbox_tx *tx, uint64_t low, uint64_t high) {
    struct db_stmt *q = db_query(tx->conn, sql_reserved_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)low);
    db_bind_i64(q, 3, (int64_t)high);
    return db_run(q, NULL);
}

enum ec replica_reserve(struct mbox_tx *tx, uint32_t n, uint64_t *first_out) {
    EC_TRY(tx_check_writer(tx));
    if (n == 0 || n > REPLICA_RESERVE_MAX || tx->mbox->next_id > COUNTER_MAX - n)
        return EC_INVALID_PARAMETER;
    *first_out = tx->mbox->next_id;
    tx->mbox->next_id += n;
    return insert_range(tx, *first_out, *first_out + n - 1);
}

// The range of a table in which the id is; ranges are not inside one another, so that the one that
// begins last before the id reaches farthest.
static enum ec find_range(struct db_stmt *q, uint64_t id, uint64_t *low, uint64_t *high) {
    bool found = db_step(q);
    *low = found ? (uint64_t)db_col_i64(q, 0) : 0;
    *high = found ? (uint64_t)db_col_i64(q, 1) : 0;
    EC_TRY(db_finish(q));
    return found && *high >= id ? EC_OK : EC_NOT_FOUND;
}

static enum ec find_reserved(struct mbox_tx *tx, uint64_t id, uint64_t *low, uint64_t *high) {
    struct db_stmt *q = db_query(tx->conn, sql_reserved_find);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)id);
    return find_range(q, id, low, high);
}

static enum ec find_unused(struct mbox_tx *tx, uint64_t fid, uint64_t id, uint64_t *low,
                           uint64_t *high) {
    struct db_stmt *q = db_query(tx->conn, sql_unused_find);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)id);
    return find_range(q, id, low, high);
}

static enum ec check(struct mbox_tx *tx, uint64_t fid, uint64_t id, uint64_t *low, uint64_t *high) {
    uint64_t unused_low, unused_high;
    if (id == 0 || id >= tx->mbox->next_id)
        return EC_INVALID_PARAMETER;
    enum ec ec = find_unused(tx, fid, id, &unused_low, &unused_high);
    if (ec != EC_NOT_FOUND)
        return ec == EC_OK ? EC_SYNC_OBJECT_DELETED : ec;
    ec = find_reserved(tx, id, low, high);
    return ec == EC_NOT_FOUND ? EC_SYNC_OBJECT_DELETED : ec;
}

enum ec replica_check(struct mbox_tx *tx, uint64_t fid, uint64_t id) {
    uint64_t low, high;
    return check(tx, fid, id, &low, &high);
}

enum ec replica_claim(struct mbox_tx *tx, uint64_t fid, uint64_t id) {
    uint64_t low, high;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(check(tx, fid, id, &low, &high));
    struct db_stmt *q = db_query(tx->conn, sql_reserved_delete);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)low);
    EC_TRY(db_run(q, NULL));
    if (low < id)
        EC_TRY(insert_range(tx, low, id - 1));
    return id < high ? insert_range(tx, id + 1, high) : EC_OK;
}

enum ec replica_bury(struct mbox_tx *tx, uint64_t fid, uint64_t low, uint64_t high) {
    uint64_t l, h;
    EC_TRY(tx_check_writer(tx));
    if (low == 0 || low > high || high > COUNTER_MAX)
        return EC_INVALID_PARAMETER;
    enum ec ec = find_unused(tx, fid, low, &l, &h);
    if (ec == EC_OK && h >= high)
        return EC_OK;
    if (ec != EC_OK && ec != EC_NOT_FOUND)
        return ec;
    struct db_stmt *q = db_query(tx->conn, sql_unused_delete_inside);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)low);
    db_bind_i64(q, 4, (int64_t)high);
    EC_TRY(db_run(q, NULL));
    q = db_query(tx->conn, sql_unused_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)low);
    db_bind_i64(q, 4, (int64_t)high);
    return db_run(q, NULL);
}

enum ec replica_drop_folder(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_unused_drop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

// --- Put by ---

static void bind_gid(struct db_stmt *q, int at, const struct gid *gid, uint8_t out[GID_SIZE]) {
    struct wire_writer w = wire_writer(GID_SIZE);
    gid_put(&w, gid);
    memcpy(out, w.bytes->data, GID_SIZE);
    wire_writer_clear(&w);
    db_bind_blob(q, at, out, GID_SIZE);
}

enum ec replica_per_user_get(struct mbox_tx *tx, const struct gid *folder, struct guid *source_out,
                             GBytes **data_out) {
    uint8_t key[GID_SIZE];
    struct db_stmt *q = db_query(tx->conn, sql_per_user_get);
    db_bind_i64(q, 1, MBX);
    bind_gid(q, 2, folder, key);
    bool found = db_step(q);
    size_t len, data_len;
    const void *source = found ? db_col_blob(q, 0, &len) : NULL;
    if (source && len == sizeof source_out->bytes) {
        memcpy(source_out->bytes, source, len);
        const void *data = db_col_blob(q, 1, &data_len);
        if (data_out)
            *data_out = g_bytes_new(data, data_len);
    } else {
        found = false;
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

enum ec replica_per_user_set(struct mbox_tx *tx, const struct gid *folder,
                             const struct guid *source, GBytes *data) {
    uint8_t key[GID_SIZE];
    gsize len;
    const void *bytes = g_bytes_get_data(data, &len);
    EC_TRY(tx_check_writer(tx));
    struct db_stmt *q = db_query(tx->conn, sql_per_user_set);
    db_bind_i64(q, 1, MBX);
    bind_gid(q, 2, folder, key);
    db_bind_blob(q, 3, source->bytes, sizeof source->bytes);
    db_bind_blob(q, 4, bytes ? bytes : "", len);
    return db_run(q, NULL);
}

enum ec replica_per_user_list(struct mbox_tx *tx, const struct guid *source, GArray *out) {
    struct db_stmt *q = db_query(tx->conn, sql_per_user_list);
    db_bind_i64(q, 1, MBX);
    db_bind_blob(q, 2, source->bytes, sizeof source->bytes);
    while (db_step(q)) {
        size_t len;
        const void *key = db_col_blob(q, 0, &len);
        struct wire_reader r = wire_reader(key, len);
        struct gid folder = gid_read(&r);
        if (wire_ok(&r))
            g_array_append_val(out, folder);
    }
    return db_finish(q);
}

// --- Changes ---
// A note: the change number it is about, the key with its length, the list.

struct replica_change replica_change_decode(struct arena *arena, const struct guid *replica,
                                            uint64_t cn, struct prop_bin note) {
    static const struct pcl none;
    struct wire_reader r = wire_reader(note.data, note.len);
    uint64_t noted = note.len > 0 ? wire_varint(&r) : 0;
    struct wire_reader key = wire_sub(&r, note.len > 0 ? wire_u8(&r) : 0);
    struct replica_change out;
    struct pcl before = none;
    bool is_readable = note.len > 0 && wire_ok(&r) &&
                       xid_parse((struct prop_bin){(uint32_t)key.len, key.data}, &out.key) &&
                       pcl_parse(arena, (struct prop_bin){(uint32_t)wire_left(&r), r.data + r.pos},
                                 &before) == EC_OK;
    if (is_readable && noted == cn) {
        out.pcl = before;
        return out;
    }
    // Changed here since, or never by a client.
    struct gid own = {*replica, cn};
    out.key = xid_of(&own);
    if (!is_readable || pcl_add(arena, &before, &out.key, &out.pcl) != EC_OK)
        pcl_add(arena, &none, &out.key, &out.pcl);
    return out;
}

static enum ec encode(struct arena *arena, uint64_t cn, const struct replica_change *change,
                      struct prop_bin *out) {
    struct pcl pcl;
    EC_TRY(pcl_add(arena, &change->pcl, &change->key, &pcl));
    struct prop_bin key = xid_bytes(arena, &change->key), list = pcl_bytes(arena, &pcl);
    struct wire_writer w = wire_writer(list.len + 64u);
    wire_put_varint(&w, cn);
    wire_put_u8(&w, (uint8_t)key.len);
    wire_put_bytes(&w, key.data, key.len);
    wire_put_bytes(&w, list.data, list.len);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    if (!bytes)
        return EC_TOO_COMPLEX;
    *out = (struct prop_bin){bytes->len, arena_memdup(arena, bytes->data, bytes->len)};
    return EC_OK;
}

enum ec replica_message_change(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                               struct replica_change *out) {
    struct message_full m;
    EC_TRY(message_full_get(tx, arena, mid, &m));
    *out = replica_change_decode(arena, &tx->mbox->replica, m.cn, m.pcl);
    return EC_OK;
}

static enum ec folder_note(struct mbox_tx *tx, struct arena *arena, uint64_t fid, uint64_t *cn,
                           struct prop_bin *note) {
    struct db_stmt *q = db_query(tx->conn, sql_folder_change_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    bool found = db_step(q);
    if (found) {
        size_t len;
        const void *data = db_col_blob(q, 1, &len);
        *cn = (uint64_t)db_col_i64(q, 0);
        *note = (struct prop_bin){(uint32_t)len, data ? arena_memdup(arena, data, len) : NULL};
        if (!data)
            note->len = 0;
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

enum ec replica_folder_change(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                              struct replica_change *out) {
    uint64_t cn;
    struct prop_bin note;
    EC_TRY(folder_note(tx, arena, fid, &cn, &note));
    *out = replica_change_decode(arena, &tx->mbox->replica, cn, note);
    return EC_OK;
}

static enum ec write_note(struct mbox_tx *tx, const char *sql, uint64_t id, struct prop_bin note) {
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_blob(q, 1, note.data, note.len);
    db_bind_i64(q, 2, MBX);
    db_bind_i64(q, 3, (int64_t)id);
    return db_run(q, NULL);
}

enum ec replica_note_message(struct mbox_tx *tx, uint64_t mid,
                             const struct replica_change *change) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    struct prop_bin note;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(message_full_get(tx, arena, mid, &m));
    EC_TRY(encode(arena, m.cn, change, &note));
    return write_note(tx, sql_message_change_set, mid, note);
}

enum ec replica_note_folder(struct mbox_tx *tx, uint64_t fid, const struct replica_change *change) {
    ARENA_AUTO arena = arena_new();
    uint64_t cn;
    struct prop_bin note;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_note(tx, arena, fid, &cn, &note));
    EC_TRY(encode(arena, cn, change, &note));
    return write_note(tx, sql_folder_change_set, fid, note);
}
