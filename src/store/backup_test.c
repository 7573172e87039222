// The target of backups: what is put comes back byte for byte, nothing is stored twice, and every
// damage is found.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "store/backup_internal.h"

struct fixture {
    char *dir, *target_path, *file;
    struct backup_target *t;
    struct arena *arena;
};

static void setup(struct fixture *f, gconstpointer data) {
    (void)data;
    char *error;
    f->dir = test_folder();
    f->target_path = g_build_filename(f->dir, "target", NULL);
    f->file = g_build_filename(f->dir, "file", NULL);
    f->arena = arena_new();
    assert_ok(backup_target_open(f->target_path, true, &f->t, &error));
}

static void teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    backup_target_close(f->t);
    arena_free(f->arena);
    g_free(f->target_path);
    g_free(f->file);
    test_folder_remove(f->dir);
}

static char *make_bytes(size_t len, unsigned seed) {
    char *bytes = g_malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)((i * 2654435761u + seed * 97u + (i >> 12)) >> 13);
    bytes[len] = 0;
    return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t len) {
    g_assert_true(g_file_set_contents(path, bytes, (gssize)len, NULL));
}

static struct backup_file put(struct fixture *f, const char *name, struct backup_stats *stats) {
    struct backup_file file = {.name = name, .address = "", .state = ""};
    assert_ok(backup_put(f->t, f->file, NULL, &file, stats, NULL, NULL));
    return file;
}

static void expect_back(struct fixture *f, const struct backup_file *file, const char *bytes,
                        size_t len) {
    g_autofree char *path = g_build_filename(f->dir, "back", NULL);
    g_autofree char *error = NULL, *found = NULL;
    gsize n;
    assert_ok(backup_get(f->t, file, path, &error));
    g_assert_true(g_file_get_contents(path, &found, &n, NULL));
    g_assert_cmpmem(found, n, bytes, len);
    unlink(path);
}

static void test_round_trip(struct fixture *f, gconstpointer data) {
    (void)data;
    static const size_t sizes[] = {0, 1, BACKUP_CHUNK - 1, BACKUP_CHUNK, BACKUP_CHUNK + 1, 500000};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *bytes = make_bytes(sizes[i], i);
        struct backup_stats stats = {0};
        write_bytes(f->file, bytes, sizes[i]);
        struct backup_file file = put(f, "x", &stats);
        g_assert_cmpuint(file.size, ==, sizes[i]);
        expect_back(f, &file, bytes, sizes[i]);
    }
}

static void test_only_what_changed_is_stored(struct fixture *f, gconstpointer data) {
    (void)data;
    size_t len = 20 * BACKUP_CHUNK;
    g_autofree char *bytes = make_bytes(len, 1);
    struct backup_stats first = {0}, second = {0}, third = {0};
    write_bytes(f->file, bytes, len);
    struct backup_file before = put(f, "x", &first);
    bytes[7 * BACKUP_CHUNK + 5] ^= 1;
    write_bytes(f->file, bytes, len);
    struct backup_file after = put(f, "x", &second);
    g_assert_cmpuint(second.chunks_new, ==, 2); // the chunk and the list
    expect_back(f, &after, bytes, len);
    bytes[7 * BACKUP_CHUNK + 5] ^= 1;
    expect_back(f, &before, bytes, len);
    write_bytes(f->file, bytes, len);
    put(f, "y", &third);
    g_assert_cmpuint(third.chunks_new, ==, 0);
}

static void flip(const char *path, off_t pos) {
    int fd = open(path, O_RDWR);
    uint8_t c;
    g_assert_cmpint(pread(fd, &c, 1, pos), ==, 1);
    c ^= 0x10;
    g_assert_cmpint(pwrite(fd, &c, 1, pos), ==, 1);
    close(fd);
}

static struct backup_manifest manifest_of(const char *id, struct backup_file *files, unsigned n) {
    return (struct backup_manifest){.id = id,
                                    .created = filetime_from_unix(1000),
                                    .kind = BACKUP_FULL,
                                    .version = "1",
                                    .files = files,
                                    .n_files = n};
}

static unsigned verify(struct fixture *f, const char *id) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(backup_hash_hash, backup_hash_same, g_free, NULL);
    struct backup_manifest m;
    assert_ok(backup_manifest_get(f->t, f->arena, id, &m));
    assert_ok(backup_verify(f->t, &m, seen, faults, NULL, NULL));
    return faults->len;
}

static void test_damage_is_found(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autofree char *bytes = make_bytes(300000, 3);
    g_autofree char *back = g_build_filename(f->dir, "back", NULL);
    g_autofree char *error = NULL;
    struct backup_stats stats = {0}, again = {0};
    write_bytes(f->file, bytes, 300000);
    struct backup_file file = put(f, "x", &stats);
    struct backup_manifest m = manifest_of("a", &file, 1);
    assert_ok(backup_manifest_put(f->t, &m));
    assert_ec(backup_manifest_put(f->t, &m), EC_COLLISION);
    g_assert_cmpuint(verify(f, "a"), ==, 0);
    struct backup_hash hash;
    backup_hash_of(bytes + BACKUP_CHUNK, BACKUP_CHUNK, &hash);
    g_autofree char *chunk = backup_chunk_path(f->t, &hash);
    flip(chunk, 30);
    g_assert_cmpuint(verify(f, "a"), ==, 1);
    assert_ec(backup_get(f->t, &file, back, &error), EC_CORRUPT_DATA);
    g_assert_nonnull(strstr(error, "is damaged"));
    g_assert_cmpint(access(back, F_OK), !=, 0);
    // The next full backup mends it; one that knows its chunks does not look.
    put(f, "x", &again);
    g_assert_cmpuint(again.chunks_new, ==, 1);
    g_assert_cmpuint(verify(f, "a"), ==, 0);
    unlink(chunk);
    g_assert_cmpuint(verify(f, "a"), ==, 1);
    g_autofree char *list = backup_chunk_path(f->t, &file.list);
    flip(list, 12);
    g_assert_cmpuint(verify(f, "a"), ==, 1);
    g_autofree char *path = g_build_filename(f->target_path, "manifests", "a", NULL);
    flip(path, 40);
    struct backup_manifest found;
    assert_ec(backup_manifest_get(f->t, f->arena, "a", &found), EC_CORRUPT_DATA);
    assert_ec(backup_manifest_get(f->t, f->arena, "../a", &found), EC_NOT_FOUND);
}

static void test_prune(struct fixture *f, gconstpointer data) {
    (void)data;
    size_t len = 10 * BACKUP_CHUNK;
    g_autofree char *bytes = make_bytes(len, 4);
    struct backup_stats stats = {0};
    struct backup_file files[3];
    static const char *const ids[] = {"1", "2", "3"};
    for (unsigned i = 0; i < 3; i++) {
        bytes[i * BACKUP_CHUNK]++;
        write_bytes(f->file, bytes, len);
        files[i] = put(f, "x", &stats);
        struct backup_manifest m = manifest_of(ids[i], &files[i], 1);
        assert_ok(backup_manifest_put(f->t, &m));
    }
    bytes[5 * BACKUP_CHUNK]++; // of a backup that was interrupted
    write_bytes(f->file, bytes, len);
    put(f, "x", &stats);
    struct backup_pruned pruned;
    assert_ok(backup_prune(f->t, 9, &pruned));
    g_assert_cmpuint(pruned.n_backups, ==, 0);
    g_assert_cmpuint(pruned.n_chunks, ==, 2);
    assert_ok(backup_prune(f->t, 2, &pruned));
    g_assert_cmpuint(pruned.n_backups, ==, 1);
    g_assert_cmpuint(pruned.n_chunks, ==, 2);
    g_assert_cmpuint(verify(f, "2"), ==, 0);
    g_assert_cmpuint(verify(f, "3"), ==, 0);
    struct backup_manifest found;
    assert_ok(backup_manifest_find(f->t, f->arena, 0, "x", &found));
    g_assert_cmpstr(found.id, ==, "3");
    assert_ec(backup_manifest_find(f->t, f->arena, 5, "x", &found), EC_NOT_FOUND);
    assert_ec(backup_manifest_find(f->t, f->arena, 0, "z", &found), EC_NOT_FOUND);
    // A manifest that cannot be read keeps everything.
    g_autofree char *path = g_build_filename(f->target_path, "manifests", "2", NULL);
    flip(path, 30);
    assert_ec(backup_prune(f->t, 5, &pruned), EC_CORRUPT_DATA);
}

static void test_targets(struct fixture *f, gconstpointer data) {
    (void)data;
    struct backup_target *second = NULL;
    g_autofree char *e1 = NULL, *e2 = NULL, *e3 = NULL;
    assert_ec(backup_target_open(f->target_path, true, &second, &e1), EC_BUSY);
    assert_ec(backup_target_open(f->dir, true, &second, &e2), EC_COLLISION);
    g_autofree char *nowhere = g_build_filename(f->dir, "nowhere", NULL);
    assert_ec(backup_target_open(nowhere, false, &second, &e3), EC_NOT_FOUND);
    g_assert_nonnull(e1);
    g_assert_nonnull(e2);
    g_assert_nonnull(e3);
    // What an interrupted backup left on its way.
    g_autofree char *left = backup_temporary(f->t, "left");
    write_bytes(left, "x", 1);
    backup_target_close(f->t);
    g_autofree char *e4 = NULL;
    assert_ok(backup_target_open(f->target_path, true, &f->t, &e4));
    g_assert_cmpint(access(left, F_OK), !=, 0);
}

static void test_manifest_text(struct fixture *f, gconstpointer data) {
    (void)data;
    struct backup_file files[2] = {
        {.name = "store/3c836a5a-2313-40f0-a457-a5c64403b7b7.mbx",
         .address = "ALICE@example.test",
         .state = "a\tb\nc\\",
         .size = 77},
        {.name = "tls/ca.pem", .address = "", .state = ""},
    };
    struct backup_manifest m = manifest_of("x", files, 2), back;
    g_autoptr(GString) text = backup_manifest_format(&m);
    assert_ok(backup_manifest_parse(text->str, text->len, f->arena, &back));
    g_assert_cmpuint(back.n_files, ==, 2);
    g_assert_cmpstr(back.files[0].state, ==, files[0].state);
    g_assert_cmpuint(back.files[0].size, ==, 77);
    g_assert_cmpuint(back.created, ==, m.created);
    struct guid guid;
    g_assert_true(backup_file_is_mailbox(&back.files[0], &guid));
    g_assert_false(backup_file_is_mailbox(&back.files[1], &guid));
    g_assert_true(backup_manifest_mailbox(&back, "alice@example.test") == &back.files[0]);
    for (size_t i = 0; i < text->len; i++) {
        text->str[i] ^= 1;
        assert_ec(backup_manifest_parse(text->str, text->len, f->arena, &back), EC_CORRUPT_DATA);
        text->str[i] ^= 1;
        assert_ec(backup_manifest_parse(text->str, i, f->arena, &back), EC_CORRUPT_DATA);
    }
    files[1].name = "../outside";
    g_autoptr(GString) outside = backup_manifest_format(&m);
    assert_ec(backup_manifest_parse(outside->str, outside->len, f->arena, &back), EC_CORRUPT_DATA);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/store/backup/" name, struct fixture, NULL, setup, function, teardown)
    ADD("round trip", test_round_trip);
    ADD("only what changed is stored", test_only_what_changed_is_stored);
    ADD("damage is found", test_damage_is_found);
    ADD("prune", test_prune);
    ADD("targets", test_targets);
    ADD("manifest text", test_manifest_text);
    return g_test_run();
}
