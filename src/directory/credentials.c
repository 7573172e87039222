// The secrets of entries, and of the server: their schema and statements. Only auth/ compares them;
// nothing here is logged.
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "directory/directory_internal.h"

const char directory_schema_credentials[] =
    "ALTER TABLE object ADD COLUMN scram_keys $BLOB;"
    "CREATE TABLE secret (name TEXT NOT NULL PRIMARY KEY, value $BLOB NOT NULL) $CLUSTERED;";

static const char sql_credentials[] =
    "SELECT password_hash, nt_hash, scram_keys FROM object WHERE guid = $1";
static const char sql_credentials_set[] =
    "UPDATE object SET password_hash = $2, nt_hash = $3, scram_keys = $4 WHERE guid = $1";
static const char sql_credentials_renew[] =
    "UPDATE object SET nt_hash = $3, scram_keys = $4 WHERE guid = $1 AND password_hash = $2";
static const char sql_secret[] = "SELECT value FROM secret WHERE name = $1";
static const char sql_secret_add[] =
    "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

// --- Of entries ---

static bool read_blob(struct db_stmt *q, int column, uint8_t *out, size_t size) {
    size_t len = 0;
    const void *data = db_col_blob(q, column, &len);
    if (data == NULL || len != size)
        return false;
    memcpy(out, data, size);
    return true;
}

enum ec directory_credentials(struct directory *d, const struct guid *guid,
                              struct directory_credentials *out) {
    struct db_conn *conn;
    struct directory_credentials c = {0};
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_credentials);
    bind_guid(q, 1, guid);
    if (db_step(q)) {
        c.password_hash = g_strdup(db_col_text(q, 0));
        c.has_nt_hash = read_blob(q, 1, c.nt_hash, sizeof c.nt_hash);
        c.has_scram_keys = read_blob(q, 2, c.scram_keys, sizeof c.scram_keys);
    }
    enum ec ec = db_finish(q);
    db_read_end(conn);
    if (ec == EC_OK)
        *out = c;
    else
        directory_credentials_clear(&c);
    return ec;
}

void directory_credentials_clear(struct directory_credentials *c) {
    g_free(c->password_hash);
    OPENSSL_cleanse(c, sizeof *c);
}

static enum ec write_credentials(struct directory *d, const char *sql, const struct guid *guid,
                                 const struct directory_credentials *c) {
    struct db_conn *conn;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql);
    bind_guid(q, 1, guid);
    db_bind_text(q, 2, c->password_hash);
    db_bind_blob(q, 3, c->has_nt_hash ? c->nt_hash : NULL, sizeof c->nt_hash);
    db_bind_blob(q, 4, c->has_scram_keys ? c->scram_keys : NULL, sizeof c->scram_keys);
    int64_t changed = 0;
    enum ec ec = db_run(q, &changed);
    return directory_commit(d, conn, ec == EC_OK && changed == 0 ? EC_NOT_FOUND : ec);
}

enum ec directory_set_credentials(struct directory *d, const struct guid *guid,
                                  const struct directory_credentials *c) {
    return write_credentials(d, sql_credentials_set, guid, c);
}

enum ec directory_renew_credentials(struct directory *d, const struct guid *guid,
                                    const struct directory_credentials *c) {
    return write_credentials(d, sql_credentials_renew, guid, c);
}

// --- Of the server ---

static enum ec read_secret(struct directory *d, const char *name, uint8_t out[32]) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_secret);
    db_bind_text(q, 1, name);
    bool is_there = db_step(q) && read_blob(q, 0, out, 32);
    enum ec ec = db_finish(q);
    db_read_end(conn);
    return ec == EC_OK && !is_there ? EC_NOT_FOUND : ec;
}

static enum ec add_secret(struct directory *d, const char *name) {
    uint8_t value[32];
    struct db_conn *conn;
    if (RAND_bytes(value, sizeof value) != 1)
        return EC_CALL_FAILED;
    EC_TRY(db_write(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_secret_add);
    db_bind_text(q, 1, name);
    db_bind_blob(q, 2, value, sizeof value);
    enum ec ec = db_run(q, NULL);
    OPENSSL_cleanse(value, sizeof value);
    return directory_commit(d, conn, ec);
}

enum ec directory_secret(struct directory *d, const char *name, uint8_t out[32]) {
    enum ec ec = read_secret(d, name, out);
    if (ec != EC_NOT_FOUND)
        return ec;
    EC_TRY(add_secret(d, name)); // another process may have been quicker: its value counts
    return read_secret(d, name, out);
}
