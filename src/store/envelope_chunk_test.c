// Envelopes kept in chunks: a scan gives what the messages themselves give, whatever was changed,
// deleted, added or damaged meanwhile.
#include "store/envelope_chunk.h"

#include "store/background.h"
#include "store/check.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

#define N 1500
#define MIME "Subject: x\r\n\r\nbody\r\n"

struct create {
    unsigned n, from;
};

static enum ec do_create(struct mbox_tx *tx, void *ctx) {
    const struct create *c = ctx;
    g_autoptr(GBytes) mime = g_bytes_new_static(MIME, strlen(MIME));
    for (unsigned i = c->from; i < c->from + c->n; i++) {
        g_autofree char *envelope = g_strdup_printf("(\"date\" \"subject %u\" NIL)", i);
        g_autofree char *structure = g_strdup_printf("(\"TEXT\" \"PLAIN\" %u)", i % 7);
        struct message_value *value = message_value_new();
        struct message_new spec = {
            .value = value, .mime = mime, .envelope = envelope, .structure = structure};
        uint64_t mid;
        enum ec ec = message_create(tx, FID_INBOX, &spec, &mid, NULL);
        message_value_free(value);
        EC_TRY(ec);
    }
    return EC_OK;
}

static void create(struct fixture *f, unsigned from, unsigned n) {
    struct create c = {n, from};
    assert_ok(mbox_write(f->mbox, do_create, &c));
}

// Scans from `uid` on and compares each row with the message read by itself. The number of rows.
static unsigned compare(struct fixture *f, uint32_t uid) {
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    struct message_scan *scan;
    struct message_scan_row row;
    unsigned n = 0;
    uint32_t last = 0;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_scan_new(tx, FID_INBOX, uid, &scan));
    while (message_scan_next(scan, &row)) {
        struct message_mime mime;
        uint64_t mid;
        g_assert_cmpuint(row.uid, >, last);
        last = row.uid;
        if (message_by_uid(tx, FID_INBOX, row.uid, &mid) != EC_OK)
            continue; // deleted since the chunk was made
        n++;
        g_assert_cmpuint(mid, ==, row.mid);
        arena_reset(arena);
        assert_ok(message_get_mime(tx, arena, mid, true, true, &mime));
        g_assert_cmpuint(mime.blob, ==, row.blob);
        g_assert_cmpuint(mime.size, ==, row.size);
        g_assert_cmpmem(mime.envelope, strlen(mime.envelope), row.envelope, row.envelope_len);
        g_assert_cmpmem(mime.structure, strlen(mime.structure), row.structure, row.structure_len);
    }
    assert_ok(message_scan_free(scan));
    mbox_read_end(tx);
    return n;
}

static unsigned count_chunks(struct fixture *f) {
    struct mbox_tx *tx;
    struct envelope_chunk chunk;
    unsigned n = 0;
    assert_ok(mbox_read(f->mbox, &tx));
    for (uint32_t uid = 1; envelope_chunk_find(tx, FID_INBOX, uid, false, &chunk) == EC_OK; n++)
        uid = chunk.last + 1;
    mbox_read_end(tx);
    return n;
}

static void settle(struct fixture *f) {
    compare(f, 1);
    background_drain(f->store);
}

static enum ec do_exec(struct mbox_tx *tx, void *ctx) {
    return db_exec(tx->conn, ctx);
}

static void exec(struct fixture *f, char *sql) {
    assert_ok(mbox_write(f->mbox, do_exec, sql));
}

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
}

static void test_scan(struct fixture *f, gconstpointer data) {
    (void)data;
    create(f, 0, 900);
    g_assert_cmpuint(compare(f, 1), ==, 900);
    background_drain(f->store);
    g_assert_cmpuint(count_chunks(f), ==, 0); // a small folder needs none
    create(f, 900, N - 900);
    settle(f);
    g_assert_cmpuint(count_chunks(f), ==, 6);
    g_assert_cmpuint(compare(f, 1), ==, N);
    g_assert_cmpuint(compare(f, 700), ==, N - 699);
    create(f, N, 30); // read beside the chunks
    g_assert_cmpuint(compare(f, 1), ==, N + 30);
    background_drain(f->store);
    g_assert_cmpuint(count_chunks(f), ==, 6);
    create(f, N + 30, 100);
    settle(f);
    g_assert_cmpuint(count_chunks(f), ==, 7);
    fixture_close(f);
    fixture_open(f);
    g_assert_cmpuint(compare(f, 1), ==, N + 130);
    assert_clean(f);
}

// --- Changes ---

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    (void)ctx;
    for (uint32_t uid = 100; uid < 500; uid += 3) {
        uint64_t mid;
        EC_TRY(message_by_uid(tx, FID_INBOX, uid, &mid));
        EC_TRY(message_delete(tx, FID_INBOX, &mid, 1, DELETE_HARD, NULL));
    }
    return EC_OK;
}

// Saved with new contents, and a new rendition right after.
static enum ec do_save(struct mbox_tx *tx, void *ctx) {
    const bool *with_mime = ctx;
    struct message *m;
    uint64_t mid;
    EC_TRY(message_by_uid(tx, FID_INBOX, 600, &mid));
    EC_TRY(message_open(tx, mid, &m));
    struct prop_value subject = prop_str(PidTagSubject, "another");
    assert_ok(message_set_prop(m, &subject));
    enum ec ec = message_save(tx, m, 0);
    message_free(m);
    EC_TRY(ec);
    g_autoptr(GBytes) mime = g_bytes_new_static("Subject: another\r\n\r\n", 20);
    return *with_mime ? message_set_mime(tx, mid, mime, "(another)", "(structure)") : EC_OK;
}

static void test_changes(struct fixture *f, gconstpointer data) {
    (void)data;
    bool with_mime = true;
    create(f, 0, N);
    settle(f);
    assert_ok(mbox_write(f->mbox, do_delete, NULL));
    g_assert_cmpuint(compare(f, 1), ==, N - 134);
    assert_ok(mbox_write(f->mbox, do_save, &with_mime));
    g_assert_cmpuint(count_chunks(f), ==, 5);
    g_assert_cmpuint(compare(f, 1), ==, N - 134); // compared with what it is now
    background_drain(f->store);
    g_assert_cmpuint(count_chunks(f), ==, 6);
    g_assert_cmpuint(compare(f, 1), ==, N - 134);
    with_mime = false; // without a rendition it is left out
    assert_ok(mbox_write(f->mbox, do_save, &with_mime));
    g_assert_cmpuint(compare(f, 1), ==, N - 135);
    settle(f);
    g_assert_cmpuint(compare(f, 1), ==, N - 135);
    assert_clean(f);
}

static void test_damage(struct fixture *f, gconstpointer data) {
    (void)data;
    static char *const damages[] = {
        "UPDATE envelope_chunk SET data = x'00112233' WHERE uid_first = 257",
        "UPDATE envelope_chunk SET size = 4611686018427387904 WHERE uid_first = 257",
        "UPDATE envelope_chunk SET size = size - 1 WHERE uid_first = 257",
        // An empty frame: an envelope chunk of no bytes answers for nothing it has not.
        "UPDATE envelope_chunk SET data = (SELECT data FROM envelope_chunk WHERE uid_first = 1)"
        ", size = (SELECT size FROM envelope_chunk WHERE uid_first = 1) WHERE uid_first = 257",
    };
    create(f, 0, N);
    settle(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(damages); i++) {
        g_assert_cmpuint(count_chunks(f), ==, 6);
        exec(f, damages[i]);
        g_assert_cmpuint(compare(f, 1), ==, N);
        background_drain(f->store); // made anew
        g_assert_cmpuint(count_chunks(f), ==, 6);
        g_assert_cmpuint(compare(f, 1), ==, N);
    }
}

// Any bytes in place of the rows: no row is read outside of the chunk.
static void test_bytes(void) {
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = (size_t)g_test_rand_int_range(0, 60);
        struct envelope_chunk c = {.first = 1, .last = 50, .bytes = g_malloc(len + 1), .len = len};
        struct message_scan_row row;
        for (size_t i = 0; i < len; i++)
            c.bytes[i] = (uint8_t)g_test_rand_int_range(0, g_test_rand_bit() ? 5 : 256);
        while (envelope_chunk_next(&c, &row)) {
            g_assert_true(row.uid >= 1 && row.uid <= 50);
            g_assert_cmpuint(row.envelope_len + row.structure_len, <=, len);
        }
        envelope_chunk_clear(&c);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/envelope_chunk/scan", struct fixture, NULL, fixture_setup, test_scan,
               fixture_teardown);
    g_test_add("/envelope_chunk/changes", struct fixture, NULL, fixture_setup, test_changes,
               fixture_teardown);
    g_test_add("/envelope_chunk/damage", struct fixture, NULL, fixture_setup, test_damage,
               fixture_teardown);
    g_test_add_func("/envelope_chunk/bytes", test_bytes);
    return g_test_run();
}
