// Databases, their connections, and transactions.
//
// One writer, handed out first come first served (a starving delivery is worse than a slow one),
// and a pool of readers. Everything engine-specific is behind `struct db_engine`.
#include "db/db.h"

#include <string.h>

#include "base/log.h"
#include "db/db_internal.h"
#include "db/limits.h"

struct writer_wait {
    pthread_cond_t cond;
    bool is_granted;
};

// --- Connections ---

static unsigned generation_of(struct db *db) {
    return __atomic_load_n(&db->generation, __ATOMIC_RELAXED);
}

enum ec db_conn_open(struct db *db, bool is_writer, struct db_conn **out) {
    struct db_conn *conn = g_new0(struct db_conn, 1);
    conn->db = db;
    conn->is_writer = is_writer;
    conn->statements = g_hash_table_new(NULL, NULL);
    pthread_mutex_lock(&db->open_lock);
    conn->generation = db->generation;
    enum ec ec = db->engine->connect(conn);
    pthread_mutex_unlock(&db->open_lock);
    if (ec != EC_OK) {
        db_conn_close(conn);
        return ec;
    }
    *out = conn;
    return EC_OK;
}

void db_conn_close(struct db_conn *conn) {
    if (conn == NULL)
        return;
    db_conn_free_statements(conn);
    if (conn->handle != NULL) {
        // Only who ends with the newest file may tidy up after it.
        if (conn->generation != generation_of(conn->db))
            conn->db->engine->abandon(conn);
        conn->db->engine->disconnect(conn);
    }
    g_hash_table_destroy(conn->statements);
    g_free(conn);
}

void db_conn_note_error(struct db_conn *conn, enum ec error) {
    if (conn->in_transaction && conn->broken == EC_OK && !conn->db->engine->in_transaction(conn))
        conn->broken = error;
}

// --- Databases ---

enum ec db_open_as_is(const char *path, const struct db_options *options, struct db **out) {
    static const struct db_options defaults;
    struct db *db = g_new0(struct db, 1);
    db->engine = &db_sqlite;
    db->path = g_strdup(path);
    db->options = options != NULL ? *options : defaults;
    if (db->options.cache_kib == 0)
        db->options.cache_kib = DB_CACHE_KIB;
    pthread_mutex_init(&db->lock, NULL);
    pthread_mutex_init(&db->open_lock, NULL);
    g_queue_init(&db->waiting);
    db->idle = g_ptr_array_new();

    bool is_new = false;
    enum ec ec = db->engine->prepare_database(db, &is_new);
    if (ec == EC_OK && !db->options.read_only)
        ec = db_conn_open(db, true, &db->writer);
    if (ec != EC_OK) {
        db_close(db);
        return ec;
    }
    *out = db;
    return EC_OK;
}

enum ec db_open(const char *path, const struct db_schema *schema, const struct db_options *options,
                struct db **out) {
    struct db *db;
    EC_TRY(db_open_as_is(path, options, &db));
    enum ec ec = db_migrate(db, schema);
    if (ec != EC_OK) {
        db_close(db);
        return ec;
    }
    *out = db;
    return EC_OK;
}

void db_close_connections(struct db *db) {
    g_assert(db->in_use == 0);
    for (guint i = 0; i < db->idle->len; i++)
        db_conn_close(db->idle->pdata[i]);
    g_ptr_array_set_size(db->idle, 0);
    // The last connection to go moves the WAL into the database, so it must be one that may write.
    g_clear_pointer(&db->writer, db_conn_close);
}

void db_close(struct db *db) {
    if (db == NULL)
        return;
    db_close_connections(db);
    g_ptr_array_free(db->idle, TRUE);
    pthread_mutex_destroy(&db->lock);
    pthread_mutex_destroy(&db->open_lock);
    g_free(db->path);
    g_free(db);
}

void db_trim(struct db *db) {
    pthread_mutex_lock(&db->lock);
    GPtrArray *closing = db->idle;
    db->idle = g_ptr_array_new();
    if (!db->is_writer_busy && db->writer != NULL && db->copying == NULL) {
        g_ptr_array_add(closing, db->writer);
        db->writer = NULL;
    }
    pthread_mutex_unlock(&db->lock);
    for (guint i = 0; i < closing->len; i++)
        db_conn_close(closing->pdata[i]);
    g_ptr_array_free(closing, TRUE);
}

// --- Readers ---

static enum ec reader_take(struct db *db, struct db_conn **out) {
    struct db_conn *conn = NULL;
    pthread_mutex_lock(&db->lock);
    if (db->is_retired) {
        pthread_mutex_unlock(&db->lock);
        return EC_END_OF_SESSION;
    }
    if (db->idle->len > 0)
        conn = g_ptr_array_remove_index_fast(db->idle, db->idle->len - 1);
    db->in_use++;
    pthread_mutex_unlock(&db->lock);
    enum ec ec = EC_OK;
    if (conn == NULL)
        ec = db_conn_open(db, false, &conn);
    if (ec != EC_OK) {
        pthread_mutex_lock(&db->lock);
        db->in_use--;
        pthread_mutex_unlock(&db->lock);
        return ec;
    }
    *out = conn;
    return EC_OK;
}

static void reader_give(struct db_conn *conn, bool keep) {
    struct db *db = conn->db;
    pthread_mutex_lock(&db->lock);
    if (keep && db->idle->len < DB_IDLE_READERS && conn->generation == generation_of(db)) {
        g_ptr_array_add(db->idle, conn);
        conn = NULL;
    } else {
        // Counted as in use until it is closed, so that db_close cannot run in between.
        pthread_mutex_unlock(&db->lock);
        db_conn_close(conn);
        pthread_mutex_lock(&db->lock);
    }
    db->in_use--;
    pthread_mutex_unlock(&db->lock);
}

// Ends the transaction without keeping anything; false when the connection is of no more use.
static bool transaction_abandon(struct db_conn *conn) {
    db_conn_reset_statements(conn);
    conn->in_transaction = false;
    conn->broken = EC_OK;
    conn->savepoints = 0;
    if (!conn->db->engine->in_transaction(conn))
        return true;
    db_run(db_query(conn, "ROLLBACK"), NULL);
    return !conn->db->engine->in_transaction(conn);
}

enum ec db_read(struct db *db, struct db_conn **out) {
    struct db_conn *conn;
    EC_TRY(reader_take(db, &conn));
    enum ec ec = db_run(db_query(conn, db->engine->begin_read_sql), NULL);
    if (ec != EC_OK) {
        reader_give(conn, false);
        return ec;
    }
    conn->in_transaction = true;
    *out = conn;
    return EC_OK;
}

void db_read_end(struct db_conn *conn) {
    if (conn == NULL)
        return;
    g_assert(!conn->is_writer);
    // What a damaged database left in the page cache is not worth keeping.
    bool is_sound = conn->broken == EC_OK;
    reader_give(conn, transaction_abandon(conn) && is_sound);
}

// --- The writer ---

void db_writer_take(struct db *db) {
    pthread_mutex_lock(&db->lock);
    g_assert(!db->is_writer_busy || db->writer_thread != g_thread_self());
    if (db->is_writer_busy) {
        struct writer_wait wait = {.is_granted = false};
        pthread_cond_init(&wait.cond, NULL);
        g_queue_push_tail(&db->waiting, &wait);
        while (!wait.is_granted)
            pthread_cond_wait(&wait.cond, &db->lock);
        pthread_cond_destroy(&wait.cond);
    }
    db->is_writer_busy = true;
    db->writer_thread = g_thread_self();
    db->in_use++;
    pthread_mutex_unlock(&db->lock);
}

void db_writer_give(struct db *db) {
    pthread_mutex_lock(&db->lock);
    db->in_use--;
    db->writer_thread = NULL;
    struct writer_wait *next = g_queue_pop_head(&db->waiting);
    if (next != NULL) {
        // The writer goes over without becoming free: nobody who came later can slip in.
        next->is_granted = true;
        pthread_cond_signal(&next->cond);
    } else {
        db->is_writer_busy = false;
    }
    pthread_mutex_unlock(&db->lock);
}

enum ec db_write(struct db *db, struct db_conn **out) {
    if (db->options.read_only)
        return EC_ACCESS_DENIED;
    db_writer_take(db);
    // Only who has the writer's turn looks at or changes db->writer; is_retired is set with it.
    enum ec ec = db->is_retired ? EC_END_OF_SESSION : EC_OK;
    if (ec == EC_OK && db->writer == NULL)
        ec = db_conn_open(db, true, &db->writer);
    if (ec == EC_OK)
        ec = db_run(db_query(db->writer, db->engine->begin_write_sql), NULL);
    if (ec != EC_OK) {
        db_writer_give(db);
        return ec;
    }
    db->writer->in_transaction = true;
    *out = db->writer;
    return EC_OK;
}

void db_writer_close(struct db *db) {
    if (db->copying != NULL)
        db->engine->copy_end(g_steal_pointer(&db->copying));
    g_clear_pointer(&db->writer, db_conn_close);
}

static void writer_end(struct db_conn *conn) {
    struct db *db = conn->db;
    if (!transaction_abandon(conn))
        db_writer_close(db);
    db_writer_give(db);
}

enum ec db_commit(struct db_conn *conn) {
    g_assert(conn->is_writer && conn->in_transaction);
    db_conn_reset_statements(conn);
    enum ec ec = conn->broken;
    if (ec == EC_OK)
        ec = db_run(db_query(conn, "COMMIT"), NULL);
    writer_end(conn);
    return ec;
}

void db_rollback(struct db_conn *conn) {
    g_assert(conn->is_writer && conn->in_transaction);
    writer_end(conn);
}

// --- Savepoints ---
// All have one name: engines take the innermost one of the name, which is what nesting needs, and
// the statements stay prepared.

enum ec db_savepoint(struct db_conn *conn) {
    g_assert(conn->is_writer && conn->in_transaction);
    EC_TRY(db_run(db_query(conn, "SAVEPOINT mark"), NULL));
    conn->savepoints++;
    return EC_OK;
}

enum ec db_savepoint_release(struct db_conn *conn) {
    g_assert(conn->savepoints > 0);
    conn->savepoints--;
    return db_run(db_query(conn, "RELEASE SAVEPOINT mark"), NULL);
}

void db_savepoint_rollback(struct db_conn *conn) {
    g_assert(conn->savepoints > 0);
    conn->savepoints--;
    if (conn->broken != EC_OK)
        return; // all is undone already
    enum ec ec = db_run(db_query(conn, "ROLLBACK TO SAVEPOINT mark"), NULL);
    if (ec == EC_OK)
        ec = db_run(db_query(conn, "RELEASE SAVEPOINT mark"), NULL);
    // What could not be undone must not be committed.
    if (ec != EC_OK && conn->broken == EC_OK)
        conn->broken = ec;
}

// --- Upkeep ---

enum ec db_checkpoint(struct db *db, size_t min_bytes) {
    if (db->options.read_only || __atomic_load_n(&db->wal_bytes, __ATOMIC_RELAXED) < min_bytes)
        return EC_OK;
    struct db_conn *conn;
    EC_TRY(reader_take(db, &conn));
    uint64_t before = __atomic_load_n(&db->wal_bytes, __ATOMIC_RELAXED);
    enum ec ec = db->engine->checkpoint(conn, false);
    // Almost everything is moved now, so that the writer has to wait for little.
    if (ec == EC_OK && before >= (uint64_t)min_bytes * DB_WAL_TRUNCATE_FACTOR) {
        db_writer_take(db);
        // A WAL that begins anew would make a copy begin anew.
        if (db->copying == NULL)
            ec = db->engine->checkpoint(conn, true);
        db_writer_give(db);
    }
    reader_give(conn, ec == EC_OK);
    return ec == EC_BUSY ? EC_OK : ec;
}

enum ec db_verify(struct db_conn *conn, GPtrArray *faults) {
    return conn->db->engine->verify(conn, faults);
}

enum ec db_verify_file(const char *path, GPtrArray *faults) {
    return db_sqlite.verify_file != NULL ? db_sqlite.verify_file(path, faults) : EC_OK;
}
