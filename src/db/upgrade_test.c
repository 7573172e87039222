// Migration on a copy: what a new version finds, a killed one, a full disk, a step that fails.
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "db/db.h"

#define ROWS 2000

static const char version_1[] = "CREATE TABLE item (id BIGINT NOT NULL, name TEXT, data $BLOB,"
                                " PRIMARY KEY (id)) $CLUSTERED;";
// The second step leaves a mark that no other run of it would leave.
static const char version_2[] = "ALTER TABLE item ADD COLUMN size BIGINT NOT NULL DEFAULT 0;"
                                "CREATE TABLE mark (value $BLOB);"
                                "INSERT INTO mark (value) VALUES (randomblob(16));";
static const char version_3[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
    "INSERT INTO item (id, name, size) SELECT 1000000 + i, 'made', i FROM n;"
    "UPDATE item SET size = length(data) WHERE data IS NOT NULL;";
static const char broken[] = "CREATE TABLE other (id BIGINT NOT NULL); INSERT INTO nowhere (a)"
                             " VALUES (1);";

static const char *const steps_1[] = {version_1, NULL};
static const char *const steps_3[] = {version_1, version_2, version_3, NULL};
static const char *const steps_broken[] = {version_1, version_2, broken, NULL};
static const struct db_schema schema_1 = {"test", steps_1}, schema_3 = {"test", steps_3},
                              schema_broken = {"test", steps_broken};
static const struct db_options relaxed = {.durability = DB_RELAXED};

struct fixture {
    char *folder, *path, *migrating;
};

static void insert(const char *path, int64_t first, int n) {
    struct db *db;
    struct db_conn *conn;
    char data[500];
    memset(data, 'x', sizeof data);
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    assert_ok(db_write(db, &conn));
    for (int i = 0; i < n; i++) {
        struct db_stmt *q =
            db_query(conn, "INSERT INTO item (id, name, data) VALUES ($1, 'old', $2)");
        db_bind_i64(q, 1, first + i);
        db_bind_blob(q, 2, data, sizeof data);
        assert_ok(db_run(q, NULL));
    }
    assert_ok(db_commit(conn));
    db_close(db);
}

static void setup(struct fixture *f, gconstpointer data) {
    (void)data;
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "test.db", NULL);
    f->migrating = g_strconcat(f->path, ".migrating", NULL);
    insert(f->path, 1, ROWS);
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    g_free(f->path);
    g_free(f->migrating);
    test_folder_remove(f->folder);
}

static int64_t number(struct db *db, const char *sql) {
    struct db_conn *conn;
    assert_ok(db_read(db, &conn));
    struct db_stmt *q = db_query(conn, sql);
    int64_t n = db_step(q) ? db_col_i64(q, 0) : -1;
    assert_ok(db_finish(q));
    db_read_end(conn);
    return n;
}

static char *mark_of(const char *path) {
    struct db *db;
    struct db_conn *conn;
    struct db_options options = {.read_only = true};
    assert_ok(db_open(path, &schema_3, &options, &db));
    assert_ok(db_read(db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT hex(value) FROM mark");
    char *mark = db_step(q) ? g_strdup(db_col_text(q, 0)) : NULL;
    assert_ok(db_finish(q));
    db_read_end(conn);
    db_close(db);
    return mark;
}

static int64_t version_of(const char *path, const struct db_schema *schema) {
    int64_t found = -1, newest;
    assert_ok(db_peek_version(path, schema, &found, &newest));
    return found;
}

// The old version's file, whole, with what was in it.
static void expect_old(const char *path, int64_t rows) {
    struct db *db;
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    g_assert_cmpint(number(db, "SELECT count(*) FROM item"), ==, rows);
    db_close(db);
}

static void expect_new(const char *path, int64_t old_rows) {
    struct db *db;
    struct db_conn *conn;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(db_open(path, &schema_3, &relaxed, &db));
    g_assert_cmpint(number(db, "SELECT count(*) FROM item WHERE name = 'old' AND size = 500"), ==,
                    old_rows);
    g_assert_cmpint(number(db, "SELECT count(*) FROM item WHERE name = 'made'"), ==, 60000);
    g_assert_cmpint(
        number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migration'"), ==, 0);
    assert_ok(db_read(db, &conn));
    assert_ok(db_verify(conn, faults));
    g_assert_cmpuint(faults->len, ==, 0);
    db_read_end(conn);
    db_close(db);
}

static void test_keeps_the_old_file(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autofree char *old = g_strconcat(f->path, ".old-v1", NULL);
    expect_new(f->path, ROWS);
    g_assert_cmpint(version_of(f->path, &schema_3), ==, 3);
    g_assert_true(db_has_old(f->path));
    g_assert_cmpint(access(f->migrating, F_OK), !=, 0);
    expect_old(old, ROWS);
    db_forget_old(f->path);
    g_assert_false(db_has_old(f->path));
    expect_new(f->path, ROWS);
}

static pid_t start_migration(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        struct db *db;
        if (db_open(path, &schema_3, &relaxed, &db) == EC_OK)
            db_close(db);
        _exit(0);
    }
    return child;
}

// A child migrates and is killed after `ms`; true: it was not done yet.
static bool migrate_and_kill(const char *path, unsigned ms) {
    pid_t child = start_migration(path);
    g_usleep(ms * 1000UL);
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

static void test_killed_leaves_a_whole_file(struct fixture *f, gconstpointer data) {
    (void)data;
    int64_t rows = ROWS;
    unsigned ms = 1;
    for (unsigned i = 0; i < 14; i++) {
        if (version_of(f->path, &schema_3) == 3)
            break;
        migrate_and_kill(f->path, ms);
        ms += 1 + ms / 3;
        if (version_of(f->path, &schema_3) == 3)
            break;
        expect_old(f->path, rows);
        // Sometimes the old program goes on with it: the copy begun is then of no use.
        if (i % 4 == 3) {
            insert(f->path, 10000 + i, 1);
            rows++;
        }
    }
    expect_new(f->path, rows);
}

static void test_goes_on_where_it_was(struct fixture *f, gconstpointer data) {
    (void)data;
    // Killed when the second step is done: its mark must survive into the result.
    int64_t at = 0, newest;
    pid_t child = start_migration(f->path);
    int status;
    while (at < 2 && waitpid(child, &status, WNOHANG) == 0)
        if (access(f->migrating, F_OK) == 0)
            db_peek_version(f->migrating, &schema_3, &at, &newest);
    if (at < 2) {
        g_test_skip("it was faster than we could look");
        return;
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    if (version_of(f->path, &schema_3) == 3) {
        g_test_skip("it was faster than the signal");
        return;
    }
    struct db *db;
    struct db_conn *conn;
    static const char *const steps_2[] = {version_1, version_2, NULL};
    static const struct db_schema schema_2 = {"test", steps_2};
    struct db_options read_only = {.read_only = true};
    assert_ok(db_open(f->migrating, &schema_2, &read_only, &db));
    assert_ok(db_read(db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT hex(value) FROM mark");
    g_assert_true(db_step(q));
    g_autofree char *before = g_strdup(db_col_text(q, 0));
    assert_ok(db_finish(q));
    db_read_end(conn);
    db_close(db);
    expect_new(f->path, ROWS);
    g_autofree char *after = mark_of(f->path);
    g_assert_cmpstr(before, ==, after);
}

static void test_a_changed_file_begins_anew(struct fixture *f, gconstpointer data) {
    (void)data;
    for (unsigned ms = 20; access(f->migrating, F_OK) != 0; ms += 10)
        if (!migrate_and_kill(f->path, ms)) {
            g_test_skip("it is faster than a signal");
            return;
        }
    insert(f->path, 50000, 7);
    expect_new(f->path, ROWS + 7);
}

static void test_full_disk_leaves_the_old_file(struct fixture *f, gconstpointer data) {
    (void)data;
    struct stat st;
    g_assert_cmpint(stat(f->path, &st), ==, 0);
    for (int i = 0; i < 3; i++) {
        // Not even the copy, the copy but not the steps, almost all.
        rlim_t max = (rlim_t)st.st_size / 2 * (i == 0 ? 1 : i == 1 ? 3 : 4);
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {max, max};
            struct db *db;
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            enum ec ec = db_open(f->path, &schema_3, &relaxed, &db);
            // SQLite does not always tell the errno of a limit, as it does of a full disk.
            _exit(ec == EC_DISK_FULL || ec == EC_DISK_ERROR ? 7 : 1);
        }
        int status;
        waitpid(child, &status, 0);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, 7);
        g_assert_cmpint(access(f->migrating, F_OK), !=, 0);
        g_assert_cmpint(version_of(f->path, &schema_3), ==, 1);
        expect_old(f->path, ROWS);
    }
    expect_new(f->path, ROWS);
}

static void test_a_step_that_fails(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db *db;
    assert_ec(db_open(f->path, &schema_broken, &relaxed, &db), EC_DATABASE_ERROR);
    g_assert_cmpint(access(f->migrating, F_OK), !=, 0);
    g_assert_false(db_has_old(f->path));
    expect_old(f->path, ROWS);
    expect_new(f->path, ROWS);
}

static void test_somebody_else_has_it_open(struct fixture *f, gconstpointer data) {
    (void)data;
    // Another process reads: the WAL cannot be emptied, and must not be left to the new file.
    int ready[2], go[2];
    g_assert_cmpint(pipe(ready), ==, 0);
    g_assert_cmpint(pipe(go), ==, 0);
    pid_t child = fork();
    if (child == 0) {
        struct db *db;
        struct db_conn *conn;
        char c = 0;
        bool ok = db_open(f->path, &schema_1, &relaxed, &db) == EC_OK;
        if (ok && db_write(db, &conn) == EC_OK) {
            ok = db_exec(conn, "INSERT INTO item (id, name) VALUES (77777, 'wal')") == EC_OK;
            ok = db_commit(conn) == EC_OK && ok;
        }
        ok = ok && db_read(db, &conn) == EC_OK;
        struct db_stmt *q = db_query(conn, "SELECT count(*) FROM item");
        ok = ok && db_step(q);
        ok = ok && write(ready[1], &c, 1) == 1 && read(go[0], &c, 1) == 1;
        _exit(!ok);
    }
    char c = 0;
    struct db *db;
    int status;
    g_assert_cmpint(read(ready[0], &c, 1), ==, 1);
    enum ec ec = db_open(f->path, &schema_3, &relaxed, &db);
    if (ec == EC_OK)
        db_close(db);
    g_assert_cmpint(write(go[1], &c, 1), ==, 1);
    waitpid(child, &status, 0);
    g_assert_cmpint(status, ==, 0);
    g_assert_cmpstr(ec_name(ec), ==, "EC_BUSY");
    assert_ok(db_open(f->path, &schema_3, &relaxed, &db));
    g_assert_cmpint(number(db, "SELECT count(*) FROM item WHERE name = 'wal'"), ==, 1);
    db_close(db);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/db/upgrade/" name, struct fixture, NULL, setup, function, teardown)
    ADD("keeps the old file", test_keeps_the_old_file);
    ADD("killed leaves a whole file", test_killed_leaves_a_whole_file);
    ADD("goes on where it was", test_goes_on_where_it_was);
    ADD("a changed file begins anew", test_a_changed_file_begins_anew);
    ADD("full disk leaves the old file", test_full_disk_leaves_the_old_file);
    ADD("a step that fails", test_a_step_that_fails);
    ADD("somebody else has it open", test_somebody_else_has_it_open);
    return g_test_run();
}
