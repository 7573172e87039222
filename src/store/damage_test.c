// Damage that the check finds and mends: rows that say nonsense, and files with bad pages.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/check.h"
#include "store/rows.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

static unsigned check(struct fixture *f, bool repair, GPtrArray *out, unsigned *repaired_out) {
    struct check_options options = {.repair = repair, .with_contents = true};
    unsigned n;
    assert_ok(
        store_check_mailbox(f->store, &f->guid, &options, out, repaired_out ? repaired_out : &n));
    return out->len;
}

static void expect_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    check(f, false, faults, NULL);
    for (guint i = 0; i < faults->len; i++)
        g_test_message("left: %s", (char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

static char *path_of(struct fixture *f) {
    ARENA_AUTO arena = arena_new();
    return g_strdup(store_mailbox_path(f->store, arena, &f->guid));
}

static void run_sql(struct fixture *f, const char *sql) {
    g_autofree char *path = path_of(f);
    struct db_options options = {.durability = DB_RELAXED};
    struct db *db;
    struct db_conn *conn;
    fixture_close(f);
    assert_ok(db_open(path, &store_schema, &options, &db));
    assert_ok(db_write(db, &conn));
    assert_ok(db_exec(conn, sql));
    assert_ok(db_commit(conn));
    db_close(db);
    struct store_options store_options = {.is_durable = false};
    assert_ok(store_open(f->dir, &store_options, &f->store));
}

static bool has_line(const GPtrArray *lines, const char *text) {
    for (guint i = 0; i < lines->len; i++)
        if (strstr(lines->pdata[i], text))
            return true;
    return false;
}

static unsigned inbox_count(struct fixture *f) {
    struct folder_rows *rows;
    MBOX_AUTO mbox = NULL;
    assert_ok(store_open_mailbox(f->store, &f->guid, &mbox));
    assert_ok(folder_rows_get(mbox, FID_INBOX, &rows));
    unsigned n = folder_rows_count(rows);
    folder_rows_unref(rows);
    return n;
}

static const char mime[] = "Subject: from the original\r\nFrom: a@b.test\r\n\r\nhello\r\n";

static void test_rows(struct fixture *f, gconstpointer data) {
    (void)data;
    static const struct {
        const char *sql, *line;
    } damages[] = {
        {"DELETE FROM folder WHERE fid = 16 OR name = 'Drafts'", "special folder \"Drafts\""},
        {"UPDATE message_data SET props = x'ffffffff' WHERE doc = (SELECT doc FROM message WHERE"
         " subject = 'with mime')",
         "uid 1 \"with mime\": its properties"},
        {"UPDATE message_data SET props = x'00', recipients = x'ff' WHERE doc = (SELECT doc FROM"
         " message WHERE subject = 'without')",
         "uid 2 \"without\": its properties"},
        {"DELETE FROM message_data WHERE doc = (SELECT doc FROM message WHERE subject = 'without')",
         "uid 2 \"without\""},
        {"UPDATE folder SET props = x'01ff' WHERE fid = 5", "folder \"Inbox\": its properties"},
        {"UPDATE mailbox SET props = x'ffff'", "mailbox: its properties"},
        {"UPDATE message SET modseq = modseq + 1000 WHERE subject = 'without';"
         "UPDATE mailbox SET next_id = next_id + 5000",
         "modseq is not"},
        {"DELETE FROM message_mime", "\"with mime\": its internet form"},
        {"INSERT INTO permission VALUES (1, 4711, 'default', 1)", "1 permissions"},
        {"INSERT INTO search_link VALUES (1, 4711, 1, 1, 0, 0)", "1 results of search folders"},
        {"INSERT INTO search_folder VALUES (1, 4711, 0, x'00', x'00', 0, 0, 0)", "1 criteria"},
        {"INSERT INTO rule VALUES (1, 4711, 1, 1, x'00')", "1 rules"},
        {"INSERT INTO receive_folder VALUES (1, 'IPM', 4711, 1)", "1 receive folders"},
        {"INSERT INTO user_read VALUES (1, 'x', 4711, x'00')", "1 read states"},
        {"INSERT INTO rule VALUES (1, 5, 77, 1, x'ffff')", "folder \"Inbox\": rule 0x4d cannot be"},
        {"INSERT INTO search_folder VALUES (1, 5, 4, x'ff', x'00', 0, 0, 0)",
         "search folder \"Inbox\": its criteria"},
        {"INSERT INTO permission VALUES (1, 5, 'nobody', 1)", "the permission 0x1 of \"nobody\""},
        {"INSERT INTO permission VALUES (1, 5, 'anonymous', 1073741824)",
         "the permission 0x40000000 of \"anonymous\""},
        {"INSERT INTO receive_folder VALUES (1, '.bad', 5, 1)", "receive folder of \".bad\""},
        {"INSERT INTO blob_chunk VALUES (1, 4711 << 15, x'00')", "1 pieces"},
    };
    fixture_add(f, FID_INBOX, "with mime", mime);
    fixture_add(f, FID_INBOX, "without", NULL);
    expect_clean(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func(g_free);
        unsigned n_repaired;
        run_sql(f, damages[i].sql);
        g_assert_cmpuint(check(f, false, found, NULL), >, 0);
        for (guint k = 0; k < found->len; k++)
            g_test_message("%s", (char *)found->pdata[k]);
        g_assert_true(has_line(found, damages[i].line));
        check(f, true, mended, &n_repaired);
        g_assert_cmpuint(n_repaired, >, 0);
        for (guint k = 0; k < mended->len; k++)
            g_test_message("mended: %s", (char *)mended->pdata[k]);
        // What was quarantined may leave blobs that a second run takes away.
        g_autoptr(GPtrArray) second = g_ptr_array_new_with_free_func(g_free);
        check(f, true, second, NULL);
        expect_clean(f);
        g_assert_cmpuint(inbox_count(f), ==, 2);
    }
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
}

static void test_missing_blob_is_named(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    fixture_add(f, FID_INBOX, "the one", mime);
    run_sql(f, "DELETE FROM blob");
    check(f, true, found, NULL);
    g_assert_true(has_line(found, "folder \"Inbox\", uid 1 \"the one\": blob"));
    g_assert_cmpuint(inbox_count(f), ==, 1);
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
}

static void test_lost_replica_and_row(struct fixture *f, gconstpointer data) {
    (void)data;
    static const char *const damages[] = {"UPDATE mailbox SET replica = x'01'",
                                          "DELETE FROM mailbox"};
    fixture_add(f, FID_INBOX, "one", mime);
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func(g_free);
        struct mbox *mbox;
        run_sql(f, damages[i]);
        assert_ec(store_open_mailbox(f->store, &f->guid, &mbox), EC_CORRUPT_DATA);
        check(f, true, mended, NULL);
        g_assert_true(has_line(mended, i ? "its own row" : "replica id"));
        g_autoptr(GPtrArray) second = g_ptr_array_new_with_free_func(g_free);
        check(f, true, second, NULL);
        expect_clean(f);
        g_assert_cmpuint(inbox_count(f), ==, 1);
    }
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
}

// Overwrites part of a page; the mailbox is closed.
static void spoil(const char *path, off_t pos, size_t len) {
    g_autofree uint8_t *junk = g_malloc(len);
    memset(junk, 0xa5, len);
    int fd = open(path, O_RDWR);
    g_assert_cmpint(pwrite(fd, junk, len, pos), ==, (ssize_t)len);
    close(fd);
}

static void reopen(struct fixture *f) {
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(f->dir, &options, &f->store));
}

static void flip_bit(const char *path, off_t pos) {
    uint8_t byte;
    int fd = open(path, O_RDWR);
    g_assert_cmpint(pread(fd, &byte, 1, pos), ==, 1);
    byte ^= 0x10;
    g_assert_cmpint(pwrite(fd, &byte, 1, pos), ==, 1);
    close(fd);
}

// A bit in the middle of a text: nothing but a checksum tells.
static void test_flipped_bit_in_text(struct fixture *f, gconstpointer data) {
    (void)data;
    static const char *const texts[] = {"a subject to be spoiled", "alice@example.test", "Drafts"};
    fixture_add(f, FID_INBOX, "a subject to be spoiled", NULL);
    g_autofree char *path = path_of(f), *whole = NULL;
    gsize len;
    fixture_close(f);
    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func(g_free);
        struct check_options look = {.repair = false}, mend = {.repair = true};
        unsigned n;
        const char *at = memmem(whole, len, texts[i], strlen(texts[i]));
        g_assert_nonnull(at);
        g_assert_true(g_file_set_contents(path, whole, (gssize)len, NULL));
        flip_bit(path, at - whole + 3);
        reopen(f);
        store_check_mailbox(f->store, &f->guid, &look, found, &n);
        g_assert_true(has_line(found, "its checksum is wrong"));
        g_assert_true(has_line(found, ", table "));
        assert_ok(store_check_mailbox(f->store, &f->guid, &mend, mended, &n));
        for (guint k = 0; k < mended->len; k++)
            g_test_message("%s", (char *)mended->pdata[k]);
        g_assert_true(has_line(mended, "from pages with a wrong checksum"));
        g_autoptr(GPtrArray) second = g_ptr_array_new_with_free_func(g_free);
        assert_ok(store_check_mailbox(f->store, &f->guid, &mend, second, &n));
        expect_clean(f);
        g_assert_cmpuint(inbox_count(f), ==, 1);
        store_close(f->store);
    }
    g_assert_true(g_file_set_contents(path, whole, (gssize)len, NULL));
    fixture_open(f);
}

static void test_bad_pages(struct fixture *f, gconstpointer data) {
    (void)data;
    for (int i = 0; i < 300; i++)
        fixture_add(f, FID_INBOX, "a subject of some length, to fill pages", mime);
    g_autofree char *path = path_of(f);
    g_autofree char *whole = NULL;
    gsize len;
    fixture_close(f);
    g_assert_true(g_file_get_contents(path, &whole, &len, NULL));
    unsigned n_salvaged = 0, n_kept = 0;
    for (off_t page = 0; page * 8192 < (off_t)len; page += 7) {
        g_assert_true(g_file_set_contents(path, whole, (gssize)len, NULL));
        spoil(path, page * 8192, page ? 64 : 20);
        reopen(f);
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func(g_free);
        struct check_options look = {.repair = false}, mend = {.repair = true};
        unsigned n;
        enum ec ec = store_check_mailbox(f->store, &f->guid, &look, found, &n);
        // Pages of no use may be bad without anybody being the worse for it.
        bool is_found = ec == EC_CORRUPT_DATA || found->len > 0;
        ec = store_check_mailbox(f->store, &f->guid, &mend, mended, &n);
        g_test_message("page %d: found %d, %u lines, repair %s", (int)page, is_found, found->len,
                       ec_name(ec));
        assert_ok(ec);
        if (is_found) {
            n_salvaged++;
            g_autoptr(GPtrArray) second = g_ptr_array_new_with_free_func(g_free);
            assert_ok(store_check_mailbox(f->store, &f->guid, &mend, second, &n));
            // A page high up in a table's tree takes what is below it along; others only
            // themselves.
            n_kept += inbox_count(f) > 100;
        }
        store_close(f->store);
    }
    g_assert_cmpuint(n_salvaged, >, 3);
    g_assert_cmpuint(n_kept * 4, >=, n_salvaged * 3);
    g_autofree char *kept = g_strconcat(path, ".damaged", NULL);
    g_assert_cmpint(access(kept, F_OK), ==, 0);
    // Cut off in the middle.
    g_assert_true(g_file_set_contents(path, whole, (gssize)len, NULL));
    g_assert_cmpint(truncate(path, (off_t)len * 7 / 8 / 8192 * 8192 + 100), ==, 0);
    reopen(f);
    g_autoptr(GPtrArray) mended = g_ptr_array_new_with_free_func(g_free);
    check(f, true, mended, NULL);
    g_assert_cmpuint(mended->len, >, 0);
    inbox_count(f); // it opens
    // And nothing at all.
    store_close(f->store);
    g_assert_cmpint(truncate(path, 0), ==, 0);
    g_assert_true(g_file_set_contents(path, "no database, but something of a user's", -1, NULL));
    reopen(f);
    struct check_options mend = {.repair = true};
    unsigned n;
    assert_ec(store_check_mailbox(f->store, &f->guid, &mend, mended, &n), EC_CORRUPT_DATA);
    g_assert_true(g_file_set_contents(path, whole, (gssize)len, NULL));
    store_close(f->store);
    fixture_open(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/store/damage/" name, struct fixture, NULL, fixture_setup, function,               \
               fixture_teardown)
    ADD("rows", test_rows);
    ADD("a missing blob is named", test_missing_blob_is_named);
    ADD("lost replica and row", test_lost_replica_and_row);
    ADD("a flipped bit in a text", test_flipped_bit_in_text);
    ADD("bad pages", test_bad_pages);
    return g_test_run();
}
