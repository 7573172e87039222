// The directory's life, and how a change becomes visible: one transaction, one generation.
#include "directory/directory.h"

#include "directory/directory_internal.h"
#include "directory/limits.h"

static enum ec generation_read(struct db_conn *conn, const char *sql, uint64_t *out) {
    struct db_stmt *q = db_query(conn, sql);
    *out = db_step(q) ? (uint64_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    return *out != 0 ? EC_OK : EC_CORRUPT_DATA;
}

enum ec directory_open(const char *path, struct directory **out) {
    struct db_options options = {.durability = DB_DURABLE, .cache_kib = 4096};
    struct db *db;
    EC_TRY(db_open(path, &directory_schema, &options, &db));
    struct directory *d = g_new0(struct directory, 1);
    d->db = db;
    pthread_rwlock_init(&d->lock, NULL);
    cache_open(d);
    struct db_conn *conn;
    enum ec ec = db_read(db, &conn);
    if (ec == EC_OK) {
        ec = generation_read(conn, sql_generation, &d->generation);
        if (ec == EC_OK)
            ec = domains_load(conn, &d->domains);
        db_read_end(conn);
    }
    if (ec != EC_OK) {
        directory_close(d);
        return ec;
    }
    *out = d;
    return EC_OK;
}

enum ec directory_copy(struct directory *d, const char *to_path) {
    return db_copy(d->db, to_path, NULL, NULL);
}

void directory_close(struct directory *d) {
    if (d == NULL)
        return;
    cache_close(d);
    if (d->domains != NULL)
        g_ptr_array_unref(d->domains);
    pthread_rwlock_destroy(&d->lock);
    db_close(d->db);
    g_free(d);
}

enum ec directory_commit(struct directory *d, struct db_conn *conn, enum ec ec) {
    uint64_t generation = 0;
    GPtrArray *domains = NULL;
    if (ec == EC_OK)
        ec = generation_read(conn, sql_generation_grow, &generation);
    if (ec == EC_OK)
        ec = domains_load(conn, &domains);
    if (ec != EC_OK) {
        db_rollback(conn);
        return ec;
    }
    ec = db_commit(conn);
    if (ec != EC_OK) {
        g_ptr_array_unref(domains);
        return ec;
    }
    // After the commit: whoever read the old state meanwhile finds the generation changed and does
    // not put it into the cache. Two writers can come here in the wrong order; the newer one wins.
    pthread_rwlock_wrlock(&d->lock);
    if (generation > d->generation) {
        d->generation = generation;
        GPtrArray *old = d->domains;
        d->domains = domains;
        domains = old;
    }
    cache_clear_locked(d);
    pthread_rwlock_unlock(&d->lock);
    g_ptr_array_unref(domains);
    // Changes are rare; every few thousandth one pays for moving them into the file. A failure
    // shows in the log and costs nothing but room.
    db_checkpoint(d->db, DIRECTORY_WAL_BYTES);
    return EC_OK;
}

uint64_t directory_generation(struct directory *d) {
    pthread_rwlock_rdlock(&d->lock);
    uint64_t generation = d->generation;
    pthread_rwlock_unlock(&d->lock);
    return generation;
}
