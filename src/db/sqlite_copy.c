// Copying a database that is in use, with SQLite's backup interface.
//
// A copy made from the writer's connection takes in what that connection commits meanwhile: SQLite
// writes each changed page to both. One made from a reader in a transaction is of its snapshot.
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/log.h"
#include "db/page_sum.h"
#include "db/sqlite_internal.h"

struct db_copying {
    struct db_conn *from;
    sqlite3 *to;
    sqlite3_backup *backup;
    char *path;
    int fd; // to sync by; closed after `to`, for closing it drops SQLite's locks
};

static enum ec copy_failed(struct db_copying *c, int code) {
    enum ec ec = lite_code_to_ec(code, c->to != NULL ? sqlite3_system_errno(c->to) : 0);
    log_event(LOG_LEVEL_ERROR, "db.copy_failed", "path", c->from->db->path, "to", c->path, "error",
              ec_text(ec), "sqlite", sqlite3_errstr(code), "do", lite_advice(ec), NULL);
    return ec;
}

static enum ec open_target(struct db_copying *c) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(c->path, &c->to, flags, LITE_VFS);
    // Pages are copied with what SQLite leaves free in them, or with nothing.
    int has_sums = lite_sums_are_on(c->from->handle);
    if (code == SQLITE_OK)
        code = sqlite3_file_control(c->to, "main", LITE_SUMS_SET, &has_sums);
    if (code == SQLITE_OK)
        code = sqlite3_exec(c->to, "PRAGMA synchronous = FULL; PRAGMA journal_mode = MEMORY", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK) {
        c->backup = sqlite3_backup_init(c->to, "main", c->from->handle, "main");
        if (c->backup == NULL)
            code = sqlite3_extended_errcode(c->to);
    }
    return code == SQLITE_OK ? EC_OK : copy_failed(c, code);
}

enum ec lite_copy_begin(struct db_conn *conn, const char *path, struct db_copying **out) {
    EC_TRY(lite_create_file(path));
    struct db_copying *c = g_new0(struct db_copying, 1);
    c->from = conn;
    c->path = g_strdup(path);
    c->fd = open(path, O_RDONLY | O_CLOEXEC);
    enum ec ec = c->fd >= 0 ? open_target(c) : lite_errno_to_ec(errno);
    if (ec != EC_OK) {
        lite_copy_end(c);
        return ec;
    }
    *out = c;
    return EC_OK;
}

enum ec lite_copy_step(struct db_copying *c, unsigned pages, bool *done_out, int *percent_out) {
    int code = sqlite3_backup_step(c->backup, (int)pages);
    int total = sqlite3_backup_pagecount(c->backup), left = sqlite3_backup_remaining(c->backup);
    *percent_out = total > 0 ? (int)((int64_t)(total - left) * 100 / total) : 0;
    *done_out = code == SQLITE_DONE;
    return code == SQLITE_OK || code == SQLITE_DONE ? EC_OK : copy_failed(c, code);
}

enum ec lite_copy_end(struct db_copying *c) {
    enum ec ec = EC_OK;
    // Its result is that of the last step, which has been told.
    if (c->backup != NULL && sqlite3_backup_finish(c->backup) != SQLITE_OK)
        ec = EC_DATABASE_ERROR;
    sqlite3_close(c->to);
    if (c->fd >= 0) {
        if (ec == EC_OK && fsync(c->fd) != 0)
            ec = lite_errno_to_ec(errno);
        close(c->fd);
    }
    g_free(c->path);
    g_free(c);
    return ec;
}

// --- Files without room for checksums ---

bool lite_needs_remaking(struct db_conn *conn) {
    return !lite_sums_are_on(conn->handle);
}

enum ec lite_remake(struct db_conn *conn, const char *path) {
    int reserved = PAGE_SUM_SIZE;
    sqlite3_stmt *stmt = NULL;
    const char *sql = "VACUUM INTO ?";
    // It is made with the mode of a database; an empty file is as good as none to VACUUM.
    EC_TRY(lite_create_file(path));
    int code = sqlite3_file_control(conn->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    if (code == SQLITE_OK || code == SQLITE_READONLY) // says so, and has noted it
        code = sqlite3_prepare_v2(conn->handle, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && (code = sqlite3_step(stmt)) == SQLITE_DONE)
        code = SQLITE_OK;
    enum ec ec = code == SQLITE_OK ? EC_OK : lite_failure(conn, code, sql);
    sqlite3_finalize(stmt);
    return ec;
}
