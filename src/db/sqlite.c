// The embedded engine: SQLite in WAL mode, one file a database.
//
// Nothing here opens a database file except through SQLite: closing a descriptor of our own would
// drop the POSIX locks that SQLite holds on the same file in this process. (A file that is created
// here is created exclusively, before SQLite knows it.)
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db_internal.h"
#include "db/limits.h"
#include "db/sqlite_internal.h"

// --- Errors ---

static bool errno_is_full(int error) {
    // EFBIG: the process's limit of file sizes, which an admin sets as a quota.
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

enum ec lite_errno_to_ec(int error) {
    if (errno_is_full(error))
        return EC_DISK_FULL;
    if (error == EACCES || error == EPERM || error == EROFS)
        return EC_ACCESS_DENIED;
    return error == ENOENT ? EC_NOT_FOUND : EC_DISK_ERROR;
}

enum ec lite_code_to_ec(int code, int system_error) {
    switch (code) { // extended codes first
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return EC_DUPLICATE_OBJECT;
    case SQLITE_IOERR_NOMEM:
        return EC_NO_MEMORY;
    }
    switch (code & 0xff) {
    case SQLITE_OK:
        return EC_OK;
    case SQLITE_FULL:
        return EC_DISK_FULL;
    case SQLITE_IOERR:
        return errno_is_full(system_error) ? EC_DISK_FULL : EC_DISK_ERROR;
    case SQLITE_CANTOPEN:
        // Making the -wal or -shm file may be what found no place.
        return errno_is_full(system_error) ? EC_DISK_FULL : EC_DISK_ERROR;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return EC_CORRUPT_DATA;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return EC_BUSY;
    case SQLITE_NOMEM:
        return EC_NO_MEMORY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return EC_ACCESS_DENIED;
    case SQLITE_TOOBIG:
        return EC_NOT_ENOUGH_RESOURCES;
    default:
        return EC_DATABASE_ERROR;
    }
}

const char *lite_advice(enum ec ec) {
    switch (ec) {
    case EC_DISK_FULL:
        return "make room on the disk";
    case EC_DISK_ERROR:
        return "check the disk, the kernel's log, and that the folder may be written";
    case EC_CORRUPT_DATA:
        return "run `bourse check`; restore the file from a backup";
    case EC_BUSY:
        return "another process uses the file; stop it";
    case EC_ACCESS_DENIED:
        return "check the owner and the permissions of the file and its folder";
    default:
        return NULL;
    }
}

// The result of the connection's last call that failed with `code`, logged unless it is one that
// callers ask for.
enum ec lite_failure(struct db_conn *conn, int code, const char *sql) {
    sqlite3 *handle = conn->handle;
    int system_error = handle != NULL ? sqlite3_system_errno(handle) : 0;
    enum ec ec = lite_code_to_ec(code, system_error);
    if (ec == EC_OK || ec == EC_DUPLICATE_OBJECT)
        return ec;
    log_event(LOG_LEVEL_ERROR, "db.failed", "path", conn->db->path, "error", ec_name(ec), "sqlite",
              handle != NULL ? sqlite3_errmsg(handle) : sqlite3_errstr(code), "code", log_i64(code),
              "errno", system_error != 0 ? g_strerror(system_error) : NULL, "sql", sql, "do",
              lite_advice(ec), NULL);
    return ec;
}

// SQLite's own log: what is worth knowing and no statement's result. Errors come back as results
// and are logged there, with the path.
static void on_sqlite_log(void *data, int code, const char *text) {
    (void)data;
    enum log_level level = LOG_LEVEL_DEBUG;
    if (code == SQLITE_NOTICE_RECOVER_WAL)
        level = LOG_LEVEL_INFO;
    else if ((code & 0xff) == SQLITE_WARNING &&
             (g_str_has_prefix(text, "file unlinked while open") ||
              g_str_has_prefix(text, "file renamed while open")))
        level = LOG_LEVEL_DEBUG; // moving and replacing a mailbox do that
    else if ((code & 0xff) == SQLITE_WARNING || (code & 0xff) == SQLITE_CORRUPT)
        level = LOG_LEVEL_WARNING;
    log_event(level, "db.sqlite", "code", log_i64(code), "text", text, NULL);
}

static void configure_sqlite(void) {
    // One thread a connection at a time is our rule, so that SQLite needs no locks of its own for
    // it; and memory statistics are a global lock on every allocation.
    if (sqlite3_config(SQLITE_CONFIG_MULTITHREAD) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOG, on_sqlite_log, NULL) != SQLITE_OK)
        log_event(LOG_LEVEL_WARNING, "db.sqlite_in_use_before", NULL);
    sqlite3_initialize();
    lite_sums_register();
}

// --- Files and connections ---

int lite_sync_folder_of(const char *path) {
    g_autofree char *folder = g_path_get_dirname(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    close(fd);
    return result;
}

// SQLite gives -wal and -shm the mode of the database, but would make that readable for all.
enum ec lite_create_file(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? EC_COLLISION : lite_errno_to_ec(errno);
    close(fd);
    return lite_sync_folder_of(path) == 0 ? EC_OK : lite_errno_to_ec(errno);
}

static enum ec lite_prepare_database(struct db *db, bool *is_new_out) {
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    pthread_once(&configured, configure_sqlite);
    enum ec ec;
    if (db->options.read_only)
        ec = access(db->path, F_OK) == 0 ? EC_OK : lite_errno_to_ec(errno);
    else
        ec = lite_create_file(db->path);
    *is_new_out = !db->options.read_only && ec == EC_OK;
    if (ec == EC_COLLISION)
        ec = EC_OK;
    if (ec != EC_OK) {
        log_event(LOG_LEVEL_ERROR, "db.open_failed", "path", db->path, "error", ec_text(ec), "do",
                  lite_advice(ec), NULL);
        return ec;
    }
    // What a killed predecessor left behind counts as not yet checkpointed.
    g_autofree char *wal = g_strconcat(db->path, "-wal", NULL);
    struct stat st;
    db->wal_bytes = stat(wal, &st) == 0 ? (uint64_t)st.st_size : 0;
    return EC_OK;
}

static int on_commit(void *data, sqlite3 *handle, const char *name, int pages) {
    (void)handle, (void)name;
    struct db *db = data;
    __atomic_store_n(&db->wal_bytes, (uint64_t)pages * DB_PAGE_SIZE, __ATOMIC_RELAXED);
    return SQLITE_OK;
}

static enum ec lite_exec(struct db_conn *conn, const char *sql) {
    int code = sqlite3_exec(conn->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? EC_OK : lite_failure(conn, code, sql);
}

// Turns WAL on (it stays on in the file); not every file system has what it needs.
static enum ec enter_wal_mode(struct db_conn *conn) {
    sqlite3_stmt *stmt;
    const char *sql = "PRAGMA journal_mode = WAL";
    int code = sqlite3_prepare_v2(conn->handle, sql, -1, &stmt, NULL);
    if (code != SQLITE_OK)
        return lite_failure(conn, code, sql);
    code = sqlite3_step(stmt);
    enum ec ec = EC_OK;
    if (code != SQLITE_ROW) {
        ec = lite_failure(conn, code, sql);
    } else if (g_strcmp0((const char *)sqlite3_column_text(stmt, 0), "wal") != 0) {
        log_event(LOG_LEVEL_ERROR, "db.no_wal", "path", conn->db->path, "do",
                  "move the data to a local file system", NULL);
        ec = EC_DISK_ERROR;
    }
    sqlite3_finalize(stmt);
    return ec;
}

static enum ec lite_connect(struct db_conn *conn) {
    const struct db_options *options = &conn->db->options;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
                (options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    sqlite3 *handle = NULL;
    int code = sqlite3_open_v2(conn->db->path, &handle, flags, LITE_VFS);
    conn->handle = handle;
    if (code == SQLITE_OK)
        code = lite_sums_begin(handle);
    if (code != SQLITE_OK)
        return lite_failure(conn, code, NULL);
    sqlite3_busy_timeout(handle, DB_BUSY_TIMEOUT_MS);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    g_autofree char *pragmas = g_strdup_printf(
        "PRAGMA page_size = %d; PRAGMA cache_size = -%u; PRAGMA synchronous = %s;"
        "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA foreign_keys = OFF;"
        "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = %s;",
        DB_PAGE_SIZE, options->cache_kib, options->durability == DB_RELAXED ? "NORMAL" : "FULL",
        conn->is_writer ? "OFF" : "ON");
    EC_TRY(lite_exec(conn, pragmas));
    // The hook takes the place of automatic checkpoints, which would run inside some commit.
    sqlite3_wal_autocheckpoint(handle, 0);
    // Opens the WAL too: a connection that is there belongs to one file, whatever takes its name.
    if (!conn->is_writer)
        return lite_exec(conn, "SELECT 1 FROM sqlite_master LIMIT 1");
    EC_TRY(enter_wal_mode(conn));
    sqlite3_wal_hook(handle, on_commit, conn->db);
    return EC_OK;
}

static void lite_disconnect(struct db_conn *conn) {
    int code = sqlite3_close(conn->handle);
    if (code != SQLITE_OK)
        lite_failure(conn, code, "close");
}

// Leaves the file and its WAL alone when it closes: something else has their place.
static void lite_abandon(struct db_conn *conn) {
    sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static bool lite_in_transaction(struct db_conn *conn) {
    return sqlite3_get_autocommit(conn->handle) == 0;
}

// --- Statements ---

static enum ec lite_prepare(struct db_stmt *q) {
    sqlite3_stmt *stmt = NULL;
    int code =
        sqlite3_prepare_v3(q->conn->handle, q->text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (code != SQLITE_OK)
        return lite_failure(q->conn, code, q->text);
    // SQLite numbers "$2" by its first appearance, not by its name.
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
        char name[16];
        snprintf(name, sizeof name, "$%d", i);
        if (g_strcmp0(sqlite3_bind_parameter_name(stmt, i), name) != 0)
            q->is_unordered = true;
    }
    q->handle = stmt;
    return EC_OK;
}

static void lite_finalize(struct db_stmt *q) {
    sqlite3_finalize(q->handle);
}

static void lite_reset(struct db_stmt *q) {
    // Its result is the one the last step had.
    sqlite3_reset(q->handle);
    sqlite3_clear_bindings(q->handle);
}

static enum ec lite_step(struct db_stmt *q, bool *row_out) {
    int code = sqlite3_step(q->handle);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *row_out = code == SQLITE_ROW;
        return EC_OK;
    }
    return lite_failure(q->conn, code, q->text);
}

static int parameter(struct db_stmt *q, int i) {
    if (!q->is_unordered)
        return i;
    char name[16];
    snprintf(name, sizeof name, "$%d", i);
    return sqlite3_bind_parameter_index(q->handle, name);
}

static enum ec bound(struct db_stmt *q, int code) {
    return code == SQLITE_OK ? EC_OK : lite_failure(q->conn, code, q->text);
}

static enum ec lite_bind_i64(struct db_stmt *q, int i, int64_t v) {
    return bound(q, sqlite3_bind_int64(q->handle, parameter(q, i), v));
}

static enum ec lite_bind_text(struct db_stmt *q, int i, const char *s) {
    return bound(q, sqlite3_bind_text(q->handle, parameter(q, i), s, -1, SQLITE_STATIC));
}

static enum ec lite_bind_blob(struct db_stmt *q, int i, const void *data, size_t len) {
    return bound(q, sqlite3_bind_blob64(q->handle, parameter(q, i), data, len, SQLITE_STATIC));
}

static enum ec lite_bind_null(struct db_stmt *q, int i) {
    return bound(q, sqlite3_bind_null(q->handle, parameter(q, i)));
}

static int64_t lite_col_i64(struct db_stmt *q, int i) {
    return sqlite3_column_int64(q->handle, i);
}

static const char *lite_col_text(struct db_stmt *q, int i) {
    return (const char *)sqlite3_column_text(q->handle, i);
}

static const void *lite_col_blob(struct db_stmt *q, int i, size_t *len_out) {
    const void *data = sqlite3_column_blob(q->handle, i);
    *len_out = (size_t)sqlite3_column_bytes(q->handle, i);
    // An empty blob is not NULL, but SQLite has no address for it.
    if (data == NULL && sqlite3_column_type(q->handle, i) != SQLITE_NULL)
        return "";
    return data;
}

static bool lite_col_is_null(struct db_stmt *q, int i) {
    return sqlite3_column_type(q->handle, i) == SQLITE_NULL;
}

static void lite_trust(struct db_conn *conn, bool is_trusting) {
    int on = is_trusting;
    sqlite3_file_control(conn->handle, "main", LITE_SUMS_TRUST, &on);
}

static int64_t lite_changes(struct db_conn *conn) {
    return sqlite3_changes64(conn->handle);
}

// --- Upkeep ---

struct watch {
    void (*tick)(void *data);
    void *data;
};

static int on_progress(void *data) {
    const struct watch *w = data;
    w->tick(w->data);
    return 0;
}

static void lite_watch(struct db_conn *conn, void (*tick)(void *data), void *data) {
    static _Thread_local struct watch watch; // one is watched at a time, by its own thread
    watch = (struct watch){tick, data};
    sqlite3_progress_handler(conn->handle, tick != NULL ? 1000000 : 0, on_progress, &watch);
}

static enum ec lite_checkpoint(struct db_conn *conn, bool truncate) {
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int in_wal = 0, moved = 0;
    // Who waits for readers to go would keep the writer waiting: rather come again later.
    sqlite3_busy_timeout(conn->handle, 0);
    int code = sqlite3_wal_checkpoint_v2(conn->handle, NULL, mode, &in_wal, &moved);
    sqlite3_busy_timeout(conn->handle, DB_BUSY_TIMEOUT_MS);
    if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        return EC_BUSY;
    if (code != SQLITE_OK)
        return lite_failure(conn, code, "checkpoint");
    if (in_wal == moved)
        __atomic_store_n(&conn->db->wal_bytes, 0, __ATOMIC_RELAXED);
    return EC_OK;
}

const struct db_engine db_sqlite = {
    .blob_word = "BLOB",
    .rowid_word = "INTEGER PRIMARY KEY",
    .is_file = true,
    .rowid_is_key = true,
    .clustered_word = "WITHOUT ROWID",
    .table_exists_sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    .begin_write_sql = "BEGIN IMMEDIATE",
    .begin_read_sql = "BEGIN",
    .prepare_database = lite_prepare_database,
    .connect = lite_connect,
    .disconnect = lite_disconnect,
    .abandon = lite_abandon,
    .in_transaction = lite_in_transaction,
    .exec = lite_exec,
    .prepare = lite_prepare,
    .finalize = lite_finalize,
    .reset = lite_reset,
    .step = lite_step,
    .bind_i64 = lite_bind_i64,
    .bind_text = lite_bind_text,
    .bind_blob = lite_bind_blob,
    .bind_null = lite_bind_null,
    .col_i64 = lite_col_i64,
    .col_text = lite_col_text,
    .col_blob = lite_col_blob,
    .col_is_null = lite_col_is_null,
    .changes = lite_changes,
    .watch = lite_watch,
    .checkpoint = lite_checkpoint,
    .verify = lite_verify,
    .copy_begin = lite_copy_begin,
    .copy_step = lite_copy_step,
    .copy_end = lite_copy_end,
    .trust = lite_trust,
    .needs_remaking = lite_needs_remaking,
    .remake = lite_remake,
    .verify_file = lite_verify_file,
};
