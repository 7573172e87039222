// The database layer: transactions, savepoints, snapshots, migrations, and what goes wrong.
#include "db/db.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"

static const char *const steps_1[] = {
    "CREATE TABLE item (id BIGINT NOT NULL, name TEXT, data $BLOB, PRIMARY KEY (id)) $CLUSTERED;"
    "CREATE UNIQUE INDEX item_name ON item (name);",
    NULL};
static const struct db_schema schema_1 = {"test", steps_1};
static const struct db_options relaxed = {.durability = DB_RELAXED};

struct fixture {
    char *folder, *path;
    struct db *db;
};

static void setup(struct fixture *f, gconstpointer data) {
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "test.db", NULL);
    if (data != NULL)
        assert_ok(db_open(f->path, &schema_1, data, &f->db));
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    db_close(f->db);
    g_free(f->path);
    test_folder_remove(f->folder);
}

static enum ec insert(struct db_conn *conn, int64_t id, const char *name) {
    struct db_stmt *q = db_query(conn, "INSERT INTO item (id, name, data) VALUES ($1, $2, $3)");
    db_bind_i64(q, 1, id);
    db_bind_text(q, 2, name);
    db_bind_blob(q, 3, "\0\1\2", 3);
    return db_run(q, NULL);
}

static int64_t count(struct db_conn *conn) {
    struct db_stmt *q = db_query(conn, "SELECT count(*) FROM item");
    int64_t n = db_step(q) ? db_col_i64(q, 0) : -1;
    assert_ok(db_finish(q));
    return n;
}

static int64_t count_now(struct db *db) {
    struct db_conn *conn;
    assert_ok(db_read(db, &conn));
    int64_t n = count(conn);
    db_read_end(conn);
    return n;
}

static void test_values(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    assert_ok(insert(conn, INT64_MIN, "low"));
    assert_ok(insert(conn, INT64_MAX, NULL));
    // Parameters that do not appear in order.
    struct db_stmt *q = db_query(conn, "UPDATE item SET data = $2 WHERE id = $1");
    db_bind_i64(q, 1, INT64_MAX);
    db_bind_blob(q, 2, "", 0);
    int64_t changed = 0;
    assert_ok(db_run(q, &changed));
    g_assert_cmpint(changed, ==, 1);
    assert_ok(db_commit(conn));

    assert_ok(db_read(f->db, &conn));
    q = db_query(conn, "SELECT id, name, data FROM item ORDER BY id");
    g_assert_true(db_step(q));
    size_t len;
    g_assert_cmpint(db_col_i64(q, 0), ==, INT64_MIN);
    g_assert_cmpstr(db_col_text(q, 1), ==, "low");
    g_assert_cmpmem(db_col_blob(q, 2, &len), 3, "\0\1\2", 3);
    g_assert_cmpuint(len, ==, 3);
    g_assert_true(db_step(q));
    g_assert_cmpint(db_col_i64(q, 0), ==, INT64_MAX);
    g_assert_null(db_col_text(q, 1));
    g_assert_true(db_col_is_null(q, 1));
    g_assert_nonnull(db_col_blob(q, 2, &len)); // empty is not NULL
    g_assert_cmpuint(len, ==, 0);
    g_assert_false(db_step(q));
    g_assert_false(db_step(q)); // does not start anew
    g_assert_cmpint(db_col_i64(q, 0), ==, 0);
    assert_ok(db_finish(q));
    db_read_end(conn);
}

static void test_errors(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    assert_ok(insert(conn, 1, "a"));
    assert_ec(insert(conn, 1, "b"), EC_DUPLICATE_OBJECT); // primary key
    assert_ec(insert(conn, 2, "a"), EC_DUPLICATE_OBJECT); // unique index
    assert_ec(db_run(db_query(conn, "SELECT nonsense"), NULL), EC_DATABASE_ERROR);
    assert_ec(db_run(db_query(conn, "SELECT nonsense"), NULL), EC_DATABASE_ERROR);
    struct db_stmt *q = db_query(conn, "SELECT id FROM item WHERE id = $1");
    db_bind_i64(q, 2, 1); // no such parameter
    g_assert_false(db_step(q));
    assert_ec(db_finish(q), EC_DATABASE_ERROR);
    // The transaction goes on after each.
    assert_ok(insert(conn, 3, "c"));
    assert_ok(db_commit(conn));
    g_assert_cmpint(count_now(f->db), ==, 2);

    // A reader cannot write.
    assert_ok(db_read(f->db, &conn));
    assert_ec(insert(conn, 9, "z"), EC_ACCESS_DENIED);
    db_read_end(conn);
}

static void test_nested_statement(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    for (int i = 1; i <= 3; i++)
        assert_ok(insert(conn, i, NULL));
    static const char sql[] = "SELECT id FROM item ORDER BY id";
    int pairs = 0;
    struct db_stmt *outer = db_query(conn, sql);
    while (db_step(outer)) {
        struct db_stmt *inner = db_query(conn, sql);
        g_assert_true(inner != outer);
        while (db_step(inner))
            pairs++;
        assert_ok(db_finish(inner));
    }
    assert_ok(db_finish(outer));
    g_assert_cmpint(pairs, ==, 9);
    db_query(conn, sql);
    db_rollback(conn); // ends the one left open, with a line in the log
    g_assert_cmpint(count_now(f->db), ==, 0);
}

static void test_savepoints(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    assert_ok(insert(conn, 1, NULL));
    assert_ok(db_savepoint(conn));
    assert_ok(insert(conn, 2, NULL));
    assert_ok(db_savepoint(conn));
    assert_ok(insert(conn, 3, NULL));
    db_savepoint_rollback(conn);
    assert_ok(db_savepoint(conn));
    assert_ok(insert(conn, 4, NULL));
    assert_ok(db_savepoint_release(conn));
    g_assert_cmpint(count(conn), ==, 3);
    db_savepoint_rollback(conn);
    g_assert_cmpint(count(conn), ==, 1);
    assert_ok(db_savepoint(conn));
    assert_ok(insert(conn, 5, NULL));
    assert_ok(db_savepoint_release(conn));
    assert_ok(db_commit(conn));
    g_assert_cmpint(count_now(f->db), ==, 2);
}

static void test_snapshot(struct fixture *f, gconstpointer data) {
    struct db_conn *reader, *writer;
    assert_ok(db_read(f->db, &reader));
    g_assert_cmpint(count(reader), ==, 0);
    assert_ok(db_write(f->db, &writer));
    assert_ok(insert(writer, 1, NULL));
    g_assert_cmpint(count(reader), ==, 0);
    assert_ok(db_commit(writer));
    g_assert_cmpint(count(reader), ==, 0);
    g_assert_cmpint(count_now(f->db), ==, 1);
    // A checkpoint cannot pass the reader's snapshot, and says nothing of it.
    assert_ok(db_checkpoint(f->db, 0));
    g_assert_cmpint(count(reader), ==, 0);
    db_read_end(reader);
    assert_ok(db_checkpoint(f->db, 0));
    g_autofree char *wal = g_strconcat(f->path, "-wal", NULL);
    struct stat st;
    g_assert_cmpint(stat(wal, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 0);
}

static void test_trim_and_mode(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    for (int i = 0; i < 3; i++) {
        assert_ok(db_write(f->db, &conn));
        assert_ok(insert(conn, i, NULL));
        assert_ok(db_commit(conn));
        db_trim(f->db);
        g_assert_cmpint(count_now(f->db), ==, i + 1);
    }
    struct stat st;
    g_assert_cmpint(stat(f->path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
}

// --- Threads ---

struct race {
    struct db *db;
    int written; // atomic
};

// Every transaction writes a pair: a reader must never see half of one.
static gpointer race_writer(gpointer data) {
    struct race *race = data;
    for (int i = 0; i < 50; i++) {
        struct db_conn *conn;
        assert_ok(db_write(race->db, &conn));
        int64_t n = count(conn);
        assert_ok(insert(conn, n, NULL));
        assert_ok(insert(conn, n + 1, NULL));
        if (i % 10 == 9) {
            db_rollback(conn);
            continue;
        }
        assert_ok(db_commit(conn));
        g_atomic_int_add(&race->written, 2);
        if (i % 7 == 0)
            assert_ok(db_checkpoint(race->db, 64 * 1024));
        if (i % 25 == 0)
            db_trim(race->db);
    }
    return NULL;
}

static gpointer race_reader(gpointer data) {
    struct race *race = data;
    int64_t last = 0;
    for (int i = 0; i < 100; i++) {
        struct db_conn *conn;
        assert_ok(db_read(race->db, &conn));
        int64_t n = count(conn);
        g_assert_cmpint(n % 2, ==, 0);
        g_assert_cmpint(n, >=, last);
        g_assert_cmpint(count(conn), ==, n);
        db_read_end(conn);
        last = n;
    }
    return NULL;
}

static void test_threads(struct fixture *f, gconstpointer data) {
    struct race race = {.db = f->db};
    GThread *threads[12];
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("race", i % 2 ? race_reader : race_writer, &race);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(count_now(f->db), ==, race.written);
    g_assert_cmpint(race.written, ==, 6 * 45 * 2);
}

// --- Versions ---

static const char *const steps_2[] = {
    "CREATE TABLE item (id BIGINT NOT NULL, name TEXT, data $BLOB, PRIMARY KEY (id)) $CLUSTERED;"
    "CREATE UNIQUE INDEX item_name ON item (name);",
    "ALTER TABLE item ADD COLUMN colour TEXT; UPDATE item SET colour = 'blue'", NULL};
static const char *const steps_broken[] = {"", "", "CREATE TABLE half (a BIGINT); nonsense", NULL};

static void test_versions(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    assert_ok(insert(conn, 1, NULL));
    assert_ok(db_commit(conn));
    db_close(f->db);
    f->db = NULL;

    struct db_schema newer = {"test", steps_2};
    struct db_options read_only = {.read_only = true};
    assert_ec(db_open(f->path, &newer, &read_only, &f->db), EC_VERSION);
    assert_ok(db_open(f->path, &newer, &relaxed, &f->db));
    assert_ok(db_read(f->db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT colour FROM item");
    g_assert_true(db_step(q));
    g_assert_cmpstr(db_col_text(q, 0), ==, "blue");
    assert_ok(db_finish(q));
    db_read_end(conn);
    db_close(f->db);
    f->db = NULL;

    // A step that fails leaves nothing of itself.
    struct db_schema broken = {"test", steps_broken};
    assert_ec(db_open(f->path, &broken, &relaxed, &f->db), EC_DATABASE_ERROR);
    g_assert_null(f->db);
    assert_ec(db_open(f->path, &schema_1, &relaxed, &f->db), EC_BAD_VERSION);
    g_assert_null(f->db);
    assert_ok(db_open(f->path, &newer, &read_only, &f->db));
    g_assert_cmpint(count_now(f->db), ==, 1);
    assert_ec(db_write(f->db, &conn), EC_ACCESS_DENIED);
}

// --- What goes wrong ---

static void test_open_errors(struct fixture *f, gconstpointer data) {
    struct db *db = NULL;
    g_autofree char *nowhere = g_build_filename(f->folder, "no", "such", "x.db", NULL);
    assert_ec(db_open(nowhere, &schema_1, &relaxed, &db), EC_NOT_FOUND);
    struct db_options read_only = {.read_only = true};
    assert_ec(db_open(f->path, &schema_1, &read_only, &db), EC_NOT_FOUND);
    g_file_set_contents(f->path, "This is no database, but it is long enough to look at.", -1,
                        NULL);
    assert_ec(db_open(f->path, &schema_1, &relaxed, &db), EC_CORRUPT_DATA);
    g_assert_null(db);
}

static void test_corrupt(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    for (int i = 0; i < 2000; i++) {
        g_autofree char *name = g_strdup_printf("a name of some length, to fill pages: %d", i);
        assert_ok(insert(conn, i, name));
    }
    assert_ok(db_commit(conn));
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(db_read(f->db, &conn));
    assert_ok(db_verify(conn, faults));
    g_assert_cmpuint(faults->len, ==, 0);
    db_read_end(conn);
    db_close(f->db);
    f->db = NULL;

    FILE *file = fopen(f->path, "r+");
    for (long page = 4; page < 12; page++) {
        fseek(file, page * 8192 + 8, SEEK_SET);
        for (int i = 0; i < 1000; i++)
            fputc(0xee, file);
    }
    fclose(file);
    assert_ok(db_open(f->path, &schema_1, &relaxed, &f->db));
    assert_ok(db_read(f->db, &conn));
    assert_ok(db_verify(conn, faults));
    g_assert_cmpuint(faults->len, >, 0);
    struct db_stmt *q = db_query(conn, "SELECT id, name, data FROM item");
    while (db_step(q))
        continue;
    assert_ec(db_finish(q), EC_CORRUPT_DATA);
    db_read_end(conn);
}

// A limit of file sizes stands for a full disk. In a child, because limits are the process's.
static void disk_full_child(const char *path) {
    struct db *db;
    assert_ok(db_open(path, &schema_1, NULL, &db));
    struct db_conn *conn;
    assert_ok(db_write(db, &conn));
    assert_ok(insert(conn, 1, "first"));
    assert_ok(db_commit(conn));
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {300 * 1024, 300 * 1024};
    setrlimit(RLIMIT_FSIZE, &limit);

    g_autofree char *big = g_strnfill(100000, 'x');
    assert_ok(db_write(db, &conn));
    enum ec ec = EC_OK;
    for (int i = 2; i < 200 && ec == EC_OK; i++) {
        struct db_stmt *q = db_query(conn, "INSERT INTO item (id, data) VALUES ($1, $2)");
        db_bind_i64(q, 1, i);
        db_bind_blob(q, 2, big, 100000);
        ec = db_run(q, NULL);
    }
    // SQLite spills a large transaction early; either way the commit must not succeed.
    enum ec commit = db_commit(conn);
    g_assert_true(ec == EC_OK || ec == EC_DISK_FULL);
    assert_ec(commit, EC_DISK_FULL);
    g_assert_cmpint(count_now(db), ==, 1);
    // With little to write there is still room.
    assert_ok(db_write(db, &conn));
    assert_ok(insert(conn, 2, "second"));
    assert_ok(db_commit(conn));
    db_close(db);
}

static void test_disk_full(struct fixture *f, gconstpointer data) {
    if (g_test_subprocess()) {
        disk_full_child(g_getenv("BOURSE_TEST_DB"));
        return;
    }
    g_setenv("BOURSE_TEST_DB", f->path, TRUE);
    g_test_trap_subprocess(NULL, 60 * G_USEC_PER_SEC, G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed();
    assert_ok(db_open(f->path, &schema_1, NULL, &f->db));
    g_assert_cmpint(count_now(f->db), ==, 2);
}

// Writes for ever, telling over the pipe what was committed.
static void kill_child(const char *path, int fd) {
    struct db *db;
    if (db_open(path, &schema_1, NULL, &db) != EC_OK)
        _exit(1);
    for (;;) {
        struct db_conn *conn;
        if (db_write(db, &conn) != EC_OK)
            _exit(1);
        int64_t n = count(conn);
        if (insert(conn, n, NULL) != EC_OK || insert(conn, n + 1, NULL) != EC_OK ||
            db_commit(conn) != EC_OK)
            _exit(1);
        n += 2;
        if (write(fd, &n, sizeof n) != sizeof n)
            _exit(1);
        if (n % 40 == 0)
            db_checkpoint(db, 0);
    }
}

static void test_kill(struct fixture *f, gconstpointer data) {
    int64_t acknowledged = 0;
    for (int round = 0; round < 10; round++) {
        int fds[2];
        g_assert_cmpint(pipe(fds), ==, 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            kill_child(f->path, fds[1]);
        }
        close(fds[1]);
        // Its first commit, however slow the machine is, and then some moment later.
        int64_t n;
        g_assert_cmpint(read(fds[0], &n, sizeof n), ==, sizeof n);
        acknowledged = n;
        g_usleep((gulong)g_random_int_range(0, 60000));
        kill(pid, SIGKILL);
        while (read(fds[0], &n, sizeof n) == sizeof n)
            acknowledged = n;
        close(fds[0]);
        int status;
        waitpid(pid, &status, 0);
        g_assert_true(WIFSIGNALED(status));
        // Looked at by a process of its own: a fork must not inherit open databases.
        pid = fork();
        if (pid == 0) {
            struct db *db;
            if (db_open(f->path, &schema_1, NULL, &db) != EC_OK)
                _exit(1);
            int64_t found = count_now(db);
            db_close(db);
            _exit(found >= acknowledged && found % 2 == 0 ? 0 : 2);
        }
        waitpid(pid, &status, 0);
        g_assert_true(WIFEXITED(status));
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    }
    g_assert_cmpint(acknowledged, >, 0);
}

// --- Copies ---

static gpointer copy_writer(gpointer data) {
    struct db *db = data;
    for (int i = 0; i < 100; i++) {
        struct db_conn *conn;
        assert_ok(db_write(db, &conn));
        int64_t n = count(conn);
        assert_ok(insert(conn, n, NULL));
        assert_ok(insert(conn, n + 1, NULL));
        assert_ok(db_commit(conn));
    }
    return NULL;
}

static void note_progress(void *data, int percent) {
    int *last = data;
    g_assert_cmpint(percent, >=, *last);
    *last = percent;
}

static void test_copy(struct fixture *f, gconstpointer data) {
    struct db_conn *conn;
    assert_ok(db_write(f->db, &conn));
    for (int i = 0; i < 20000; i++)
        assert_ok(insert(conn, i, NULL));
    assert_ok(db_commit(conn));
    GThread *thread = g_thread_new("writer", copy_writer, f->db);
    g_autofree char *to = g_build_filename(f->folder, "copy.db", NULL);
    int percent = 0;
    assert_ok(db_copy(f->db, to, note_progress, &percent));
    g_assert_cmpint(percent, ==, 100);
    g_thread_join(thread);
    assert_ec(db_copy(f->db, to, NULL, NULL), EC_COLLISION);

    struct db *copy;
    assert_ok(db_open(to, &schema_1, &relaxed, &copy));
    int64_t n = count_now(copy);
    g_assert_cmpint(n, >=, 20000);
    g_assert_cmpint(n % 2, ==, 0);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(db_read(copy, &conn));
    assert_ok(db_verify(conn, faults));
    db_read_end(conn);
    g_assert_cmpuint(faults->len, ==, 0);
    db_close(copy);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(path, options, test)                                                                   \
    g_test_add("/db/" path, struct fixture, options, setup, test, teardown)
    ADD("kill", NULL, test_kill); // first: it forks
    ADD("values", &relaxed, test_values);
    ADD("errors", &relaxed, test_errors);
    ADD("nested-statement", &relaxed, test_nested_statement);
    ADD("savepoints", &relaxed, test_savepoints);
    ADD("snapshot", &relaxed, test_snapshot);
    ADD("trim-and-mode", &relaxed, test_trim_and_mode);
    ADD("threads", &relaxed, test_threads);
    ADD("versions", &relaxed, test_versions);
    ADD("open-errors", NULL, test_open_errors);
    ADD("corrupt", &relaxed, test_corrupt);
    ADD("disk-full", NULL, test_disk_full);
    ADD("copy", &relaxed, test_copy);
    return g_test_run();
}
