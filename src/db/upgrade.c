// Bringing a database file of an older version up on a copy.
//
// PATH is copied to PATH.migrating, the steps run there, each in a transaction of its own, the
// result is verified and synced, PATH gets the second name PATH.old-vN, and the copy is renamed
// over PATH. Killed at any point, PATH is a whole database, old or new. The copy notes what file it
// was made of: while that is unchanged the next process goes on with it instead of beginning anew.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db_internal.h"
#include "db/limits.h"

#define MIGRATING ".migrating"
#define OLD ".old-v"

struct upgrade {
    struct db *db;
    const struct db_schema *schema;
    int64_t found, wanted;
    int64_t step; // the one that runs
    char *copy_path;
    char *source; // what the copy is made of
    gint64 started, shown;
};

// --- Files ---

static enum ec error_of(int error) {
    return error == ENOSPC || error == EDQUOT                    ? EC_DISK_FULL
           : error == EACCES || error == EPERM || error == EROFS ? EC_ACCESS_DENIED
                                                                 : EC_DISK_ERROR;
}

void db_file_unlink(const char *path) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *file = g_strconcat(path, suffixes[i], NULL);
        unlink(file);
    }
}

static enum ec sync_path(const char *path, int flags) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return error_of(errno);
    enum ec ec = fsync(fd) == 0 ? EC_OK : error_of(errno);
    close(fd);
    return ec;
}

static enum ec sync_folder_of(const char *path) {
    g_autofree char *folder = g_path_get_dirname(path);
    return sync_path(folder, O_DIRECTORY);
}

enum ec db_file_rename(const char *from, const char *to) {
    if (rename(from, to) != 0)
        return error_of(errno);
    return sync_folder_of(to);
}

// Changes with every write to a file whose WAL has been moved into it.
static char *identity_of(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return NULL;
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld",
                           (guint64)st.st_ino, (guint64)st.st_size, (gint64)st.st_mtim.tv_sec,
                           st.st_mtim.tv_nsec);
}

// --- Telling how far it is ---

static void tell(struct upgrade *u, const char *what, int64_t percent) {
    gint64 now = g_get_monotonic_time();
    if (now - u->shown < DB_MIGRATION_TELL_SECONDS * G_USEC_PER_SEC)
        return;
    u->shown = now;
    log_event(LOG_LEVEL_INFO, "db.migrating", "path", u->db->path, "doing", what, "step",
              u->step > 0 ? log_i64(u->step) : NULL, "percent",
              percent >= 0 ? log_i64(percent) : NULL, "seconds",
              log_i64((now - u->started) / G_USEC_PER_SEC), NULL);
}

static void tell_copied(void *data, int percent) {
    tell(data, "copy", percent);
}

static void tell_step(void *data) {
    tell(data, "step", -1);
}

// --- The copy ---

// The file alone has everything: nothing is left in its WAL.
static enum ec settle_source(struct upgrade *u) {
    enum ec ec = u->db->engine->checkpoint(u->db->writer, true);
    db_close_connections(u->db);
    if (ec == EC_BUSY)
        log_event(LOG_LEVEL_ERROR, "db.in_use", "path", u->db->path, "do",
                  "stop the other program that reads the file", NULL);
    EC_TRY(ec);
    u->source = identity_of(u->db->path);
    return u->source != NULL ? EC_OK : error_of(errno);
}

static enum ec note_source(struct db *copy, const char *source) {
    struct db_conn *conn;
    EC_TRY(db_write(copy, &conn));
    enum ec ec = db_exec(conn, "CREATE TABLE IF NOT EXISTS schema_migration (source TEXT NOT NULL"
                               " PRIMARY KEY)");
    if (ec == EC_OK) {
        struct db_stmt *q = db_query(conn, "INSERT INTO schema_migration (source) VALUES ($1)");
        db_bind_text(q, 1, source);
        ec = db_run(q, NULL);
    }
    if (ec == EC_OK)
        return db_commit(conn);
    db_rollback(conn);
    return ec;
}

// Whether a copy begun before is of the file as it is now.
static bool is_of_source(struct db *copy, const char *source) {
    struct db_conn *conn;
    bool is_same = false;
    if (db_read(copy, &conn) != EC_OK)
        return false;
    struct db_stmt *q = db_query(conn, copy->engine->table_exists_sql);
    db_bind_text(q, 1, "schema_migration");
    bool exists = db_step(q);
    if (db_finish(q) == EC_OK && exists) {
        q = db_query(conn, "SELECT source FROM schema_migration");
        is_same = db_step(q) && g_strcmp0(db_col_text(q, 0), source) == 0;
        is_same = db_finish(q) == EC_OK && is_same;
    }
    db_read_end(conn);
    return is_same;
}

static enum ec copy_source(struct upgrade *u) {
    struct db *db = u->db;
    enum ec ec = EC_OK;
    bool is_remade = false;
    if (db->engine->needs_remaking != NULL) {
        if (db->writer == NULL)
            ec = db_conn_open(db, true, &db->writer);
        if (ec == EC_OK && db->engine->needs_remaking(db->writer)) {
            tell(u, "copy", -1);
            is_remade = true;
            ec = db->engine->remake(db->writer, u->copy_path);
        }
    }
    if (ec == EC_OK && !is_remade)
        ec = db_copy(db, u->copy_path, tell_copied, u);
    db_close_connections(db);
    return ec;
}

static enum ec open_copy(struct upgrade *u, struct db **out) {
    struct db *copy;
    if (access(u->copy_path, F_OK) == 0 &&
        db_open_as_is(u->copy_path, &u->db->options, &copy) == EC_OK) {
        if (is_of_source(copy, u->source)) {
            log_event(LOG_LEVEL_INFO, "db.migration_resumed", "path", u->db->path, NULL);
            *out = copy;
            return EC_OK;
        }
        db_close(copy);
    }
    db_file_unlink(u->copy_path);
    EC_TRY(copy_source(u));
    EC_TRY(db_open_as_is(u->copy_path, &u->db->options, &copy));
    enum ec ec = note_source(copy, u->source);
    if (ec != EC_OK) {
        db_close(copy);
        return ec;
    }
    *out = copy;
    return EC_OK;
}

static enum ec run_steps(struct upgrade *u, struct db *copy) {
    struct db_conn *conn;
    int64_t at;
    EC_TRY(db_read(copy, &conn));
    enum ec ec = db_version_read(conn, u->schema->name, &at);
    db_read_end(conn);
    EC_TRY(ec);
    if (at < u->found || at > u->wanted)
        return EC_CORRUPT_DATA;
    copy->engine->watch(copy->writer, tell_step, u);
    for (; at < u->wanted && ec == EC_OK; at++) {
        u->step = at + 1;
        ec = db_migrate_step(copy, u->schema, at);
        if (ec == EC_OK)
            ec = db_checkpoint(copy, 0); // the WAL must not hold all steps at once
    }
    if (copy->writer != NULL)
        copy->engine->watch(copy->writer, NULL, NULL);
    return ec;
}

static enum ec verify(struct upgrade *u, struct db *copy) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct db_conn *conn;
    EC_TRY(db_write(copy, &conn));
    enum ec ec = db_exec(conn, "DROP TABLE schema_migration");
    if (ec == EC_OK)
        ec = db_verify(conn, faults);
    if (ec == EC_OK && faults->len > 0) {
        log_event(LOG_LEVEL_ERROR, "db.migration_unsound", "path", u->db->path, "fault",
                  faults->pdata[0], "do",
                  "run `bourse check --repair`; the old file stays in place", NULL);
        ec = EC_CORRUPT_DATA;
    }
    if (ec == EC_OK)
        return db_commit(conn);
    db_rollback(conn);
    return ec;
}

// --- Taking the old file's place ---

static enum ec keep_old(const struct upgrade *u) {
    g_autofree char *old =
        g_strdup_printf("%s" OLD "%" G_GINT64_FORMAT, u->db->path, (gint64)u->found);
    if (unlink(old) != 0 && errno != ENOENT)
        return error_of(errno);
    return link(u->db->path, old) == 0 ? EC_OK : error_of(errno);
}

static enum ec swap(const struct upgrade *u) {
    g_autofree char *now = identity_of(u->db->path);
    g_autofree char *wal = g_strconcat(u->db->path, "-wal", NULL);
    struct stat st;
    // Somebody wrote to it meanwhile, or has it open: its WAL would be taken for the new file's.
    if (g_strcmp0(now, u->source) != 0 || (stat(wal, &st) == 0 && st.st_size > 0))
        return EC_BUSY;
    EC_TRY(sync_path(u->copy_path, 0));
    EC_TRY(keep_old(u));
    return db_file_rename(u->copy_path, u->db->path);
}

static enum ec upgrade(struct upgrade *u) {
    struct db *copy;
    EC_TRY(settle_source(u));
    EC_TRY(open_copy(u, &copy));
    enum ec ec = run_steps(u, copy);
    if (ec == EC_OK)
        ec = verify(u, copy);
    db_close(copy); // moves its WAL into it
    if (ec == EC_OK)
        ec = swap(u);
    return ec;
}

enum ec db_upgrade(struct db *db, const struct db_schema *schema, int64_t found) {
    struct upgrade u = {
        .db = db, .schema = schema, .found = found, .wanted = db_schema_version(schema)};
    u.copy_path = g_strconcat(db->path, MIGRATING, NULL);
    u.started = u.shown = g_get_monotonic_time();
    enum ec ec = upgrade(&u);
    // Only who is killed leaves a copy: one that failed gives its room on the disk back.
    if (ec != EC_OK)
        db_file_unlink(u.copy_path);
    if (ec == EC_OK) {
        db_close_connections(db);
        db->wal_bytes = 0;
        ec = db_conn_open(db, true, &db->writer);
    }
    g_free(u.copy_path);
    g_free(u.source);
    return ec;
}

// --- What migrations leave ---

enum ec db_peek_version(const char *path, const struct db_schema *schema, int64_t *found_out,
                        int64_t *newest_out) {
    struct db_options options = {.read_only = true};
    struct db *db;
    struct db_conn *conn;
    *newest_out = db_schema_version(schema);
    if (access(path, F_OK) != 0)
        return EC_NOT_FOUND;
    EC_TRY(db_open_as_is(path, &options, &db));
    enum ec ec = db_read(db, &conn);
    if (ec == EC_OK) {
        ec = db_version_read(conn, schema->name, found_out);
        db_read_end(conn);
    }
    db_close(db);
    return ec;
}

// Calls `each` with the files that stand beside `path` under its name and ".old-v".
static unsigned each_old(const char *path, int (*each)(const char *file)) {
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *prefix = g_strconcat(base, OLD, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    unsigned n = 0;
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_prefix(name, prefix))
            continue;
        g_autofree char *file = g_build_filename(folder, name, NULL);
        n++;
        if (each != NULL)
            each(file);
    }
    return n;
}

bool db_has_old(const char *path) {
    return each_old(path, NULL) > 0;
}

void db_forget_old(const char *path) {
    each_old(path, unlink);
}
