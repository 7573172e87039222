// Read state by user: table user_read, one serialized set a user and folder.
#include "store/per_user.h"

#include "base/wire.h"
#include "store/rights_internal.h"

#define PER_USER_MAX (4 * 1024 * 1024) // bytes of a set

static void bind(struct db_stmt *q, const struct guid *user, uint64_t fid,
                 char text[GUID_STRING_SIZE]) {
    guid_format(user, text);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, text);
    db_bind_i64(q, 3, (int64_t)fid);
}

enum ec per_user_bytes(struct mbox_tx *tx, const struct guid *user, uint64_t fid, GBytes **out) {
    char text[GUID_STRING_SIZE];
    struct db_stmt *q = db_query(tx->conn, sql_user_read_get);
    bind(q, user, fid, text);
    *out = NULL;
    if (db_step(q)) {
        size_t len;
        const void *data = db_col_blob(q, 0, &len);
        *out = g_bytes_new(data, len);
    }
    return db_finish(q);
}

enum ec per_user_get(struct mbox_tx *tx, const struct guid *user, uint64_t fid,
                     struct idset **out) {
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(per_user_bytes(tx, user, fid, &bytes));
    if (!bytes) {
        *out = idset_new();
        return EC_OK;
    }
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    struct prop_bin bin = {(uint32_t)len, data};
    return len <= PER_USER_MAX && idset_parse(bin, IDSET_REPLGUID, out) == EC_OK ? EC_OK
                                                                                 : EC_CORRUPT_DATA;
}

struct globset *per_user_own(struct mbox_tx *tx, struct idset *read, bool create) {
    return idset_of_guid(read, &tx->mbox->replica, create);
}

enum ec per_user_set(struct mbox_tx *tx, const struct guid *user, uint64_t fid,
                     const struct idset *read) {
    char text[GUID_STRING_SIZE];
    EC_TRY(tx_check_writer(tx));
    struct wire_writer w = wire_writer(PER_USER_MAX);
    idset_put(&w, IDSET_REPLGUID, read);
    enum ec ec = w.failed ? EC_TOO_COMPLEX : EC_OK;
    if (ec == EC_OK) {
        struct db_stmt *q = db_query(tx->conn, sql_user_read_set);
        bind(q, user, fid, text);
        // An empty set is a value too.
        db_bind_blob(q, 4, wire_writer_len(&w) ? (const void *)w.bytes->data : "",
                     wire_writer_len(&w));
        ec = db_run(q, NULL);
    }
    wire_writer_clear(&w);
    EC_TRY(ec);
    struct event e = {.kind = EVENT_MODIFIED, .is_folder = true, .fid = fid};
    tx_publish(tx, &e);
    return EC_OK;
}
