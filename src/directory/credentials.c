// The secrets of entries. Only auth/ compares them; nothing here is logged.
#include <string.h>

#include "directory/directory_internal.h"

static enum ec set_secret(struct directory *d, const char *sql, const struct guid *guid,
                          void (*bind)(struct db_stmt *q, const void *secret), const void *secret) {
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql);
    bind_guid(q, 1, guid);
    bind(q, secret);
    int64_t changed = 0;
    enum ec ec = db_run(q, &changed);
    return directory_commit(d, conn, ec == EC_OK && changed == 0 ? EC_NOT_FOUND : ec);
}

static void bind_text(struct db_stmt *q, const void *secret) {
    db_bind_text(q, 2, secret);
}

static void bind_nt_hash(struct db_stmt *q, const void *secret) {
    db_bind_blob(q, 2, secret, 16);
}

enum ec directory_password_hash(struct directory *d, const struct guid *guid, char **out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_password);
    bind_guid(q, 1, guid);
    char *hash = db_step(q) ? g_strdup(db_col_text(q, 0)) : NULL;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    if (ec == EC_OK && hash == NULL)
        return EC_NOT_FOUND;
    if (ec == EC_OK)
        *out = hash;
    else
        g_free(hash);
    return ec;
}

enum ec directory_set_password_hash(struct directory *d, const struct guid *guid,
                                    const char *hash) {
    return set_secret(d, sql_password_set, guid, bind_text, hash);
}

enum ec directory_nt_hash(struct directory *d, const struct guid *guid, uint8_t out[16]) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_nt_hash);
    bind_guid(q, 1, guid);
    size_t len = 0;
    const void *hash = db_step(q) ? db_col_blob(q, 0, &len) : NULL;
    if (len == 16)
        memcpy(out, hash, 16);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    return ec != EC_OK ? ec : len == 16 ? EC_OK : EC_NOT_FOUND;
}

enum ec directory_set_nt_hash(struct directory *d, const struct guid *guid,
                              const uint8_t hash[16]) {
    return set_secret(d, sql_nt_hash_set, guid, bind_nt_hash, hash);
}
