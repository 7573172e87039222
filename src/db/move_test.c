// A database that moves to another file, or is replaced by one, while threads read and write it.
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "db/db.h"

static const char *const steps[] = {"CREATE TABLE item (id BIGINT NOT NULL, data $BLOB,"
                                    " PRIMARY KEY (id)) $CLUSTERED;",
                                    NULL};
static const struct db_schema schema = {"test", steps};
static const struct db_options relaxed = {.durability = DB_RELAXED};

#define WRITERS 2
#define READERS 2

struct fixture {
    char *folder, *path, *to, *part;
    struct db *db;
    int64_t next;     // atomic: ids given out
    int64_t commits;  // atomic: acknowledged
    bool is_stopping; // atomic
    unsigned n_moves, n_commits;
};

static enum ec insert(struct db *db, int64_t id, size_t size) {
    g_autofree char *data = g_malloc(size);
    struct db_conn *conn;
    memset(data, (int)(id & 0xff), size);
    EC_TRY(db_write(db, &conn));
    struct db_stmt *q = db_query(conn, "INSERT INTO item (id, data) VALUES ($1, $2)");
    db_bind_i64(q, 1, id);
    db_bind_blob(q, 2, data, size);
    enum ec ec = db_run(q, NULL);
    if (ec != EC_OK) {
        db_rollback(conn);
        return ec;
    }
    return db_commit(conn);
}

static enum ec count(struct db *db, int64_t *out) {
    struct db_conn *conn;
    EC_TRY(db_read(db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT count(*) FROM item");
    *out = db_step(q) ? db_col_i64(q, 0) : -1;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    return ec;
}

static void setup(struct fixture *f, gconstpointer data) {
    (void)data;
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "a.db", NULL);
    f->to = g_build_filename(f->folder, "b.db", NULL);
    f->part = g_build_filename(f->folder, "b.db.moving", NULL);
    assert_ok(db_open(f->path, &schema, &relaxed, &f->db));
    for (; f->next < 400; f->next++, f->commits++)
        assert_ok(insert(f->db, f->next, 20000));
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    db_close(f->db);
    g_free(f->path);
    g_free(f->to);
    g_free(f->part);
    test_folder_remove(f->folder);
}

static void unlink_all(const char *path) {
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    g_autofree char *shm = g_strconcat(path, "-shm", NULL);
    unlink(wal);
    unlink(shm);
    unlink(path);
}

static enum ec commit(void *ctx) {
    struct fixture *f = ctx;
    f->n_commits++;
    if (rename(f->part, f->to) != 0)
        return EC_DISK_ERROR;
    unlink_all(f->path);
    return EC_OK;
}

static enum ec refuse(void *ctx) {
    struct fixture *f = ctx;
    f->n_commits++;
    return EC_DISK_ERROR;
}

static struct db_move move_of(struct fixture *f) {
    return (struct db_move){.part = f->part, .path = f->to, .commit = commit, .ctx = f};
}

static void *write_on(void *data) {
    struct fixture *f = data;
    while (!__atomic_load_n(&f->is_stopping, __ATOMIC_ACQUIRE)) {
        int64_t id = __atomic_fetch_add(&f->next, 1, __ATOMIC_RELAXED);
        assert_ok(insert(f->db, id, id % 50 == 0 ? 3000000 : 300));
        __atomic_fetch_add(&f->commits, 1, __ATOMIC_RELEASE);
        if (id % 20 == 0)
            assert_ok(db_checkpoint(f->db, 100000));
    }
    return NULL;
}

static void *read_on(void *data) {
    struct fixture *f = data;
    while (!__atomic_load_n(&f->is_stopping, __ATOMIC_ACQUIRE)) {
        int64_t before = __atomic_load_n(&f->commits, __ATOMIC_ACQUIRE), n;
        assert_ok(count(f->db, &n));
        g_assert_cmpint(n, >=, before); // nobody sees an older state
        g_usleep(500);
    }
    return NULL;
}

static void test_moves_in_use(struct fixture *f, gconstpointer data) {
    (void)data;
    pthread_t threads[WRITERS + READERS];
    for (unsigned i = 0; i < WRITERS + READERS; i++)
        pthread_create(&threads[i], NULL, i < WRITERS ? write_on : read_on, f);
    for (unsigned i = 0; i < 6; i++) {
        struct db_move move = move_of(f);
        assert_ok(db_move(f->db, &move));
        // And back again, while some may still read the file that had this name before.
        char *path = f->path;
        f->path = f->to;
        f->to = path;
        g_usleep(20000);
    }
    __atomic_store_n(&f->is_stopping, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < WRITERS + READERS; i++)
        pthread_join(threads[i], NULL);
    int64_t n;
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, f->commits);
    db_close(f->db);
    g_assert_cmpint(access(f->to, F_OK), !=, 0);
    assert_ok(db_open(f->path, &schema, &relaxed, &f->db));
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, f->commits);
    struct db_conn *conn;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_ok(db_read(f->db, &conn));
    assert_ok(db_verify(conn, faults));
    g_assert_cmpuint(faults->len, ==, 0);
    db_read_end(conn);
}

static void test_long_reader_keeps_its_snapshot(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db_conn *conn;
    assert_ok(db_read(f->db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT count(*) FROM item");
    g_assert_true(db_step(q));
    struct db_move move = move_of(f);
    assert_ok(insert(f->db, f->next++, 10));
    assert_ok(db_move(f->db, &move));
    assert_ok(insert(f->db, f->next++, 10));
    g_assert_cmpint(db_col_i64(q, 0), ==, 400);
    assert_ok(db_finish(q));
    q = db_query(conn, "SELECT sum(length(data)) FROM item");
    g_assert_true(db_step(q));
    g_assert_cmpint(db_col_i64(q, 0), ==, 400 * 20000);
    assert_ok(db_finish(q));
    int64_t n;
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, 402);
    db_read_end(conn);
    // Its end must not have taken anything of the new file's away.
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, 402);
}

static void test_failed_move_changes_nothing(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db_move move = move_of(f);
    int64_t n;
    move.commit = refuse;
    assert_ec(db_move(f->db, &move), EC_DISK_ERROR);
    g_assert_cmpint(access(f->part, F_OK), !=, 0);
    move.part = "/nowhere/at/all";
    assert_ec(db_move(f->db, &move), EC_NOT_FOUND);
    assert_ok(insert(f->db, f->next++, 10));
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, 401);
    move = move_of(f);
    assert_ok(db_move(f->db, &move));
    assert_ok(count(f->db, &n));
    g_assert_cmpint(n, ==, 401);
}

static enum ec put_other(void *ctx) {
    struct fixture *f = ctx;
    unlink_all(f->path);
    return rename(f->to, f->path) == 0 ? EC_OK : EC_DISK_ERROR;
}

static void test_replaced(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db *other;
    struct db_conn *conn;
    int64_t n;
    assert_ok(db_open(f->to, &schema, &relaxed, &other));
    assert_ok(insert(other, 1, 10));
    db_close(other);
    assert_ok(db_read(f->db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT count(*) FROM item");
    g_assert_true(db_step(q));
    assert_ok(db_replace(f->db, put_other, f));
    assert_ec(count(f->db, &n), EC_END_OF_SESSION);
    assert_ec(insert(f->db, 5000, 1), EC_END_OF_SESSION);
    assert_ec(db_replace(f->db, put_other, f), EC_END_OF_SESSION);
    struct db_move move = move_of(f);
    assert_ec(db_move(f->db, &move), EC_END_OF_SESSION);
    assert_ok(db_open(f->path, &schema, &relaxed, &other));
    assert_ok(insert(other, 2, 10));
    g_assert_cmpint(db_col_i64(q, 0), ==, 400);
    assert_ok(db_finish(q));
    db_read_end(conn);
    db_close(f->db);
    f->db = other;
    assert_ok(count(other, &n));
    g_assert_cmpint(n, ==, 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/db/move/" name, struct fixture, NULL, setup, function, teardown)
    ADD("in use", test_moves_in_use);
    ADD("a long reader keeps its snapshot", test_long_reader_keeps_its_snapshot);
    ADD("a failed move changes nothing", test_failed_move_changes_nothing);
    ADD("replaced", test_replaced);
    return g_test_run();
}
