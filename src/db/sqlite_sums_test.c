// A flipped bit anywhere in a file is found, told by page and table, and read around.
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "db/db.h"

#define PAGE 8192
#define ROWS 400

static const char version_1[] =
    "CREATE TABLE folder (mbx BIGINT NOT NULL, fid BIGINT NOT NULL, PRIMARY KEY (mbx, fid))"
    " $CLUSTERED;"
    "CREATE TABLE message (mbx BIGINT NOT NULL, fid BIGINT NOT NULL, uid BIGINT NOT NULL,"
    " doc BIGINT NOT NULL, subject TEXT, PRIMARY KEY (mbx, fid, uid)) $CLUSTERED;"
    "CREATE TABLE wide (doc $ROWID, data $BLOB $ROWKEY(mbx, doc));"
    "INSERT INTO folder VALUES (1, 5);";
static const char version_2[] = "CREATE TABLE other (id BIGINT NOT NULL, PRIMARY KEY (id))"
                                " $CLUSTERED;";
static const char *const steps_1[] = {version_1, NULL}, *const steps_2[] = {version_1, version_2,
                                                                            NULL};
static const struct db_schema schema_1 = {"test", steps_1}, schema_2 = {"test", steps_2};
static const struct db_options relaxed = {.durability = DB_RELAXED};

struct fixture {
    char *folder, *path, *sound;
    gsize len;
};

static void fill(struct db *db) {
    struct db_conn *conn;
    char data[700];
    assert_ok(db_write(db, &conn));
    for (int i = 0; i < ROWS; i++) {
        g_autofree char *subject = g_strdup_printf("the subject of message %d", i);
        memset(data, 'a' + i % 26, sizeof data);
        struct db_stmt *q = db_query(conn, "INSERT INTO message (mbx, fid, uid, doc, subject)"
                                           " VALUES (1, 5, $1, $2, $3)");
        db_bind_i64(q, 1, i + 1);
        db_bind_i64(q, 2, i + 1);
        db_bind_text(q, 3, subject);
        assert_ok(db_run(q, NULL));
        q = db_query(conn, "INSERT INTO wide (doc, data) VALUES ($1, $2)");
        db_bind_i64(q, 1, i + 1);
        db_bind_blob(q, 2, data, sizeof data);
        assert_ok(db_run(q, NULL));
    }
    assert_ok(db_commit(conn));
}

static void setup(struct fixture *f, gconstpointer data) {
    (void)data;
    struct db *db;
    f->folder = test_folder();
    f->path = g_build_filename(f->folder, "test.db", NULL);
    assert_ok(db_open(f->path, &schema_1, &relaxed, &db));
    fill(db);
    db_close(db);
    g_assert_true(g_file_get_contents(f->path, &f->sound, &f->len, NULL));
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    g_free(f->path);
    g_free(f->sound);
    test_folder_remove(f->folder);
}

static void flip(const char *path, off_t pos) {
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(pread(fd, &byte, 1, pos), ==, 1);
    byte ^= 0x04;
    g_assert_cmpint(pwrite(fd, &byte, 1, pos), ==, 1);
    close(fd);
}

// Where a text stands in the file; it is there once.
static off_t find(const struct fixture *f, const char *text) {
    const char *at = memmem(f->sound, f->len, text, strlen(text));
    g_assert_nonnull(at);
    return at - f->sound;
}

static GPtrArray *verify(const char *path) {
    GPtrArray *faults = g_ptr_array_new_with_free_func(g_free);
    struct db *db;
    struct db_conn *conn;
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    assert_ok(db_read(db, &conn));
    assert_ok(db_verify(conn, faults));
    db_read_end(conn);
    db_close(db);
    return faults;
}

static enum ec read_all(const char *path, int64_t *n_out) {
    struct db *db;
    struct db_conn *conn;
    *n_out = 0;
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    assert_ok(db_read(db, &conn));
    struct db_stmt *q = db_query(conn, "SELECT subject FROM message WHERE mbx = 1 AND fid = 5");
    while (db_step(q))
        ++*n_out;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    db_close(db);
    return ec;
}

static void test_flipped_text(struct fixture *f, gconstpointer data) {
    (void)data;
    int64_t n;
    g_autoptr(GPtrArray) sound = verify(f->path);
    g_assert_cmpuint(sound->len, ==, 0);
    off_t pos = find(f, "the subject of message 217");
    flip(f->path, pos + 6);
    assert_ec(read_all(f->path, &n), EC_CORRUPT_DATA);
    g_autoptr(GPtrArray) faults = verify(f->path);
    g_autofree char *line =
        g_strdup_printf("page %d, table message: its checksum is wrong", (int)(pos / PAGE) + 1);
    g_assert_cmpuint(faults->len, ==, 1);
    g_assert_cmpstr(faults->pdata[0], ==, line);
}

static void test_every_page(struct fixture *f, gconstpointer data) {
    (void)data;
    for (off_t page = 0; page * PAGE < (off_t)f->len; page++) {
        g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
        // Somewhere at the beginning (of the file: what says whether there are sums), the last byte
        // that is SQLite's, the sum itself.
        static const off_t places[] = {20, PAGE - 9, PAGE - 1};
        for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
            off_t pos = places[i];
            g_assert_true(g_file_set_contents(f->path, f->sound, (gssize)f->len, NULL));
            flip(f->path, page * PAGE + pos);
            g_ptr_array_set_size(faults, 0);
            assert_ok(db_verify_file(f->path, faults));
            g_assert_cmpuint(faults->len, ==, 1);
        }
    }
}

static void test_salvage(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *to = g_strconcat(f->path, ".new", NULL);
    int64_t n;
    flip(f->path, find(f, "the subject of message 217") + 6);
    assert_ok(db_salvage(f->path, &schema_1, to, lines));
    assert_ok(read_all(to, &n));
    g_assert_cmpint(n, ==, ROWS); // nothing is lost
    g_autoptr(GPtrArray) faults = verify(to);
    g_assert_cmpuint(faults->len, ==, 0);
    bool is_table_told = false, is_message_told = false, is_other_told = false;
    for (guint i = 0; i < lines->len; i++) {
        is_table_told |= g_str_has_prefix(lines->pdata[i], "table message is damaged: 400 rows");
        is_message_told |= strstr(lines->pdata[i], "uid 218 ") != NULL;
        is_other_told |= strstr(lines->pdata[i], "uid 1 ") || strstr(lines->pdata[i], "table wide");
    }
    g_assert_true(is_table_told && is_message_told && !is_other_told);
}

static void test_salvage_of_a_bad_head(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *to = g_strconcat(f->path, ".new", NULL);
    int64_t n;
    flip(f->path, 20); // says whether there are checksums
    assert_ok(db_salvage(f->path, &schema_1, to, lines));
    assert_ok(read_all(to, &n));
    g_assert_cmpint(n, ==, ROWS);
}

static void test_copies_have_sums(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autofree char *to = g_strconcat(f->path, ".copy", NULL);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct db *db;
    assert_ok(db_open(f->path, &schema_1, &relaxed, &db));
    struct db_conn *conn;
    assert_ok(db_write(db, &conn));
    assert_ok(db_exec(conn, "UPDATE wide SET data = 'short'")); // in the WAL only
    assert_ok(db_commit(conn));
    assert_ok(db_copy(db, to, NULL, NULL));
    db_close(db);
    assert_ok(db_verify_file(to, faults));
    g_assert_cmpuint(faults->len, ==, 0);
    g_autofree char *bytes = NULL;
    g_assert_true(g_file_get_contents(to, &bytes, NULL, NULL));
    g_assert_cmpint(bytes[20], ==, 8);
}

// A file of before there were checksums, as the program of then made it.
static void make_old(const char *path) {
    sqlite3 *handle;
    g_assert_cmpint(sqlite3_open(path, &handle), ==, SQLITE_OK);
    g_assert_cmpint(
        sqlite3_exec(handle,
                     "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;"
                     "CREATE TABLE schema_version (name TEXT NOT NULL PRIMARY KEY, version BIGINT);"
                     "INSERT INTO schema_version VALUES ('test', 1);"
                     "CREATE TABLE folder (mbx BIGINT NOT NULL, fid BIGINT NOT NULL,"
                     " PRIMARY KEY (mbx, fid)) WITHOUT ROWID;"
                     "CREATE TABLE message (mbx BIGINT NOT NULL, fid BIGINT NOT NULL,"
                     " uid BIGINT NOT NULL, doc BIGINT NOT NULL, subject TEXT,"
                     " PRIMARY KEY (mbx, fid, uid)) WITHOUT ROWID;"
                     "CREATE TABLE wide (doc INTEGER PRIMARY KEY, data BLOB);"
                     "INSERT INTO folder VALUES (1, 5);",
                     NULL, NULL, NULL),
        ==, SQLITE_OK);
    sqlite3_close(handle);
}

static void test_old_files(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autofree char *path = g_strconcat(f->path, ".old", NULL);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct db *db;
    int64_t n;
    make_old(path);
    // Of the same version it is used as it is.
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    fill(db);
    db_close(db);
    assert_ok(read_all(path, &n));
    g_assert_cmpint(n, ==, ROWS);
    g_autofree char *copy = g_strconcat(path, ".copy", NULL);
    assert_ok(db_open(path, &schema_1, &relaxed, &db));
    assert_ok(db_copy(db, copy, NULL, NULL));
    db_close(db);
    assert_ok(read_all(copy, &n));
    g_assert_cmpint(n, ==, ROWS);
    // An upgrade makes room.
    assert_ok(db_open(path, &schema_2, &relaxed, &db));
    db_close(db);
    g_autofree char *bytes = NULL;
    gsize len;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    g_assert_cmpint(bytes[20], ==, 8);
    assert_ok(db_verify_file(path, faults));
    g_assert_cmpuint(faults->len, ==, 0);
    const char *at = memmem(bytes, len, "the subject of message 217", 26);
    flip(path, at - bytes + 5);
    assert_ok(db_verify_file(path, faults));
    g_assert_cmpuint(faults->len, ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/db/sums/" name, struct fixture, NULL, setup, function, teardown)
    ADD("a flipped bit in a text", test_flipped_text);
    ADD("every page", test_every_page);
    ADD("salvage keeps what is doubtful and names it", test_salvage);
    ADD("salvage of a bad head", test_salvage_of_a_bad_head);
    ADD("copies have sums", test_copies_have_sums);
    ADD("files of before", test_old_files);
    return g_test_run();
}
