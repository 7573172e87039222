// The spool: submitting, claiming, retrying, reading back, torn tails, a full disk, many threads.
#include "queue/queue.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"

static const struct queue_recipient two[] = {{.address = "b@example.test"},
                                             {.address = "c@example.test", .notify = 3}};
static const struct queue_envelope envelope = {.sender = "a@example.test",
                                               .recipients = two,
                                               .n_recipients = 2,
                                               .helo = "client.example.test",
                                               .peer = "192.0.2.1",
                                               .is_8bit = true};

static enum ec submit(struct queue *q, const void *data, size_t len, char id[QUEUE_ID_SIZE]) {
    struct queue_spool *s;
    EC_TRY(queue_spool_new(q, &s));
    enum ec ec = EC_OK;
    for (size_t pos = 0; pos < len && ec == EC_OK; pos += 60000)
        ec = queue_spool_write(s, (const char *)data + pos, MIN(60000, len - pos));
    if (ec != EC_OK) {
        queue_spool_free(s);
        return ec;
    }
    char unused[QUEUE_ID_SIZE];
    return queue_submit_take(q, &envelope, s, id ? id : unused);
}

static void submit_text(struct queue *q, const char *text, char id[QUEUE_ID_SIZE]) {
    assert_ok(submit(q, text, strlen(text), id));
}

static struct queue_item *claim_one(struct queue *q, unsigned wait_ms) {
    struct queue_item *item = NULL;
    unsigned n;
    assert_ok(queue_claim(q, &item, 1, wait_ms, &n));
    return n ? item : NULL;
}

static void finish(struct queue_item *item) {
    ARENA_AUTO arena = arena_new();
    unsigned *indexes, n = queue_item_pending(item, arena, &indexes);
    for (unsigned i = 0; i < n; i++)
        queue_item_recipient_done(item, indexes[i]);
    queue_item_release(item, 0, NULL, NULL);
}

static void assert_message(struct queue_item *item, const char *text) {
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(queue_item_read(item, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_assert_cmpmem(data, len, text, strlen(text));
}

static unsigned count_files(const char *dir, const char *suffix) {
    g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
    unsigned n = 0;
    for (const char *name; (name = g_dir_read_name(d));)
        n += g_str_has_suffix(name, suffix);
    return n;
}

static void test_submit_claim(void) {
    char *dir = test_folder(), id[QUEUE_ID_SIZE], id2[QUEUE_ID_SIZE];
    struct queue *q, *other;
    assert_ok(queue_open(dir, &q));
    assert_ec(queue_open(dir, &other), EC_BUSY);
    submit_text(q, "first", id);
    submit_text(q, "second", id2);
    g_assert_cmpstr(id, !=, id2);
    g_assert_cmpuint(queue_count(q), ==, 2);
    struct queue_item *item = claim_one(q, 0);
    g_assert_cmpstr(queue_item_id(item), ==, id);
    assert_message(item, "first");
    const struct queue_envelope *e = queue_item_envelope(item);
    g_assert_cmpstr(e->sender, ==, "a@example.test");
    g_assert_cmpuint(e->n_recipients, ==, 2);
    g_assert_cmpstr(e->recipients[1].address, ==, "c@example.test");
    g_assert_cmpuint(e->recipients[1].notify, ==, 3);
    g_assert_cmpstr(e->helo, ==, "client.example.test");
    g_assert_null(e->auth);
    g_assert_true(e->is_8bit);
    g_assert_false(e->is_smtputf8);
    assert_ec(queue_drop(q, id), EC_BUSY);
    finish(item);
    assert_ok(queue_drop(q, id2));
    assert_ec(queue_drop(q, id2), EC_NOT_FOUND);
    assert_ec(queue_drop(q, "nonsense"), EC_NOT_FOUND);
    g_assert_null(claim_one(q, 5));
    queue_close(q);
    g_assert_cmpuint(count_files(dir, ".seg"), ==, 0);
    test_folder_remove(dir);
}

// A message that is held comes when its time has come, also over a restart.
static void test_hold(void) {
    char *dir = test_folder(), id[QUEUE_ID_SIZE];
    struct queue *q;
    struct queue_spool *s;
    struct queue_envelope held = envelope;
    held.hold_until = clock_now() + 3600 * FILETIME_SECOND;
    assert_ok(queue_open(dir, &q));
    assert_ok(queue_spool_new(q, &s));
    assert_ok(queue_spool_write(s, "later", 5));
    assert_ok(queue_submit_take(q, &held, s, id));
    g_assert_null(claim_one(q, 0));
    held.hold_until = clock_now() + FILETIME_SECOND / 10;
    assert_ok(queue_spool_new(q, &s));
    assert_ok(queue_spool_write(s, "soon", 4));
    assert_ok(queue_submit_take(q, &held, s, id));
    struct queue_item *item = claim_one(q, 5000);
    assert_message(item, "soon");
    finish(item);
    queue_close(q);
    assert_ok(queue_open(dir, &q));
    g_assert_cmpuint(queue_count(q), ==, 1);
    g_assert_null(claim_one(q, 0));
    queue_close(q);
    test_folder_remove(dir);
}

static void test_reopen(void) {
    char *dir = test_folder(), id[QUEUE_ID_SIZE], id2[QUEUE_ID_SIZE], id3[QUEUE_ID_SIZE];
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    submit_text(q, "stays", id);
    submit_text(q, "goes", id2);
    struct queue_item *first = claim_one(q, 0), *second = claim_one(q, 0);
    finish(second);
    queue_item_recipient_done(first, 0);
    queue_item_release(first, clock_now() + 3600 * FILETIME_SECOND, "mailbox is busy", NULL);
    queue_close(q);

    assert_ok(queue_open(dir, &q));
    ARENA_AUTO arena = arena_new();
    struct queue_entry *list;
    unsigned n;
    assert_ok(queue_list(q, arena, &list, &n));
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpstr(list->id, ==, id);
    g_assert_cmpstr(list->reason, ==, "mailbox is busy");
    g_assert_cmpuint(list->attempts, ==, 1);
    g_assert_cmpuint(list->n_pending, ==, 1);
    g_assert_cmpstr(list->pending[0], ==, "c@example.test");
    g_assert_null(claim_one(q, 0));
    assert_ec(queue_retry(q, "0123456789abcdef"), EC_NOT_FOUND);
    assert_ok(queue_retry(q, id));
    struct queue_item *item = claim_one(q, 0);
    assert_message(item, "stays");
    unsigned *indexes;
    g_assert_cmpuint(queue_item_pending(item, arena, &indexes), ==, 1);
    g_assert_cmpuint(indexes[0], ==, 1);
    finish(item);
    submit_text(q, "new", id3);
    g_assert_cmpstr(id3, !=, id);
    g_assert_cmpstr(id3, !=, id2);
    assert_ok(queue_drop(q, id3));
    queue_close(q);
    test_folder_remove(dir);
}

static void test_large(void) {
    char *dir = test_folder();
    struct queue *q;
    size_t len = 3 * 1024 * 1024 + 17;
    g_autofree char *data = g_malloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)(i * 31 >> 3);
    assert_ok(queue_open(dir, &q));
    assert_ok(submit(q, data, len, NULL));
    g_assert_cmpuint(count_files(dir, ".msg"), ==, 1);
    struct queue_spool *s;
    assert_ok(queue_spool_new(q, &s)); // given up half way
    assert_ok(queue_spool_write(s, data, len));
    queue_close(q);
    g_assert_cmpuint(count_files(dir, ".msg"), ==, 2);

    assert_ok(queue_open(dir, &q)); // the orphan is swept
    g_assert_cmpuint(count_files(dir, ".msg"), ==, 1);
    queue_spool_free(s);
    struct queue_item *item = claim_one(q, 0);
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(queue_item_read(item, &bytes));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), data, len);
    finish(item);
    queue_close(q);
    g_assert_cmpuint(count_files(dir, ".msg"), ==, 0);
    test_folder_remove(dir);
}

static void test_limit(void) {
    char *dir = test_folder();
    struct queue *q;
    struct queue_spool *s;
    assert_ok(queue_open(dir, &q));
    assert_ok(queue_spool_new(q, &s));
    queue_spool_limit(s, 10);
    assert_ok(queue_spool_write(s, "1234567890", 10));
    assert_ec(queue_spool_write(s, "1", 1), EC_MESSAGE_TOO_BIG);
    char id[QUEUE_ID_SIZE];
    assert_ec(queue_submit_take(q, &envelope, s, id), EC_MESSAGE_TOO_BIG);
    queue_set_min_free(q, UINT64_MAX);
    assert_ec(queue_spool_new(q, &s), EC_DISK_FULL);
    queue_set_min_free(q, 0);
    submit_text(q, "fits", id);
    assert_ok(queue_drop(q, id));
    queue_close(q);
    test_folder_remove(dir);
}

// The waiting claimer is woken by a submission, by a retry's time and by queue_wake.
static void *submit_later(void *q) {
    g_usleep(20000);
    submit_text(q, "late", NULL);
    return NULL;
}

static void *wake_later(void *q) {
    g_usleep(20000);
    queue_wake(q);
    return NULL;
}

static void test_waiting(void) {
    char *dir = test_folder();
    struct queue *q;
    pthread_t thread;
    assert_ok(queue_open(dir, &q));
    pthread_create(&thread, NULL, submit_later, q);
    struct queue_item *item = claim_one(q, 10000);
    g_assert_nonnull(item);
    pthread_join(thread, NULL);
    int64_t start = g_get_monotonic_time();
    queue_item_release(item, clock_now() + FILETIME_SECOND / 20, "later", NULL);
    item = claim_one(q, 10000);
    int64_t took = g_get_monotonic_time() - start;
    g_assert_nonnull(item);
    g_assert_cmpint(took, >=, 40000);
    g_assert_cmpint(took, <, 5000000);
    finish(item);
    pthread_create(&thread, NULL, wake_later, q);
    start = g_get_monotonic_time();
    g_assert_null(claim_one(q, 10000));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5000000);
    pthread_join(thread, NULL);
    queue_close(q);
    test_folder_remove(dir);
}

// Items become due in the order of their times.
static void test_order(void) {
    char *dir = test_folder();
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    filetime_t start = clock_now();
    struct queue_item *items[20];
    for (unsigned i = 0; i < 20; i++)
        submit_text(q, "x", NULL);
    unsigned n;
    assert_ok(queue_claim(q, items, 20, 0, &n));
    g_assert_cmpuint(n, ==, 20);
    for (unsigned i = 0; i < 20; i++)
        queue_item_release(items[i], start + (100 + i * 7 % 20) * FILETIME_SECOND, "wait", NULL);
    filetime_t last = 0;
    for (unsigned i = 0; i < 20; i++) {
        clock_set(start + (100 + i) * FILETIME_SECOND);
        struct queue_item *item = claim_one(q, 0);
        g_assert_nonnull(item);
        g_assert_cmpuint(queue_item_attempts(item), ==, 1);
        g_assert_null(claim_one(q, 0));
        g_assert_cmpuint(last, <, clock_now());
        last = clock_now();
        finish(item);
    }
    clock_set(0);
    queue_close(q);
    test_folder_remove(dir);
}

// A file cut anywhere in its last record loses this record only.
static void test_torn_tail(void) {
    char *dir = test_folder(), *torn = test_folder(), id[QUEUE_ID_SIZE];
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    submit_text(q, "one", NULL);
    submit_text(q, "two", NULL);
    queue_close(q);
    g_autofree char *path = g_build_filename(dir, "0000000000000001.seg", NULL);
    g_autofree char *copy = g_build_filename(torn, "0000000000000001.seg", NULL);
    g_autofree char *before = NULL, *after = NULL;
    gsize before_len, after_len;
    g_assert_true(g_file_get_contents(path, &before, &before_len, NULL));
    gsize last = (before_len - 24) / 2; // the two records are equally long
    for (gsize cut = before_len - last; cut <= before_len; cut++) {
        // Cut, and also: of the right length but never written from there on.
        for (int zeros = 0; zeros < 2; zeros++) {
            g_autofree char *bytes = g_memdup2(before, before_len);
            memset(bytes + cut, 0, before_len - cut);
            g_assert_true(g_file_set_contents_full(copy, bytes, (gssize)(zeros ? before_len : cut),
                                                   G_FILE_SET_CONTENTS_NONE, 0600, NULL));
            assert_ok(queue_open(torn, &q));
            g_assert_cmpuint(queue_count(q), ==, cut == before_len ? 2 : 1);
            struct queue_item *item = claim_one(q, 0);
            assert_message(item, "one");
            queue_item_release(item, 0, NULL, NULL);
            queue_close(q);
            g_assert_true(g_file_get_contents(copy, &after, &after_len, NULL));
            g_assert_cmpuint(after_len, ==, cut == before_len ? before_len : before_len - last);
            g_clear_pointer(&after, g_free);
            g_autofree char *second = g_build_filename(torn, "0000000000000002.seg", NULL);
            unlink(second);
        }
    }
    assert_ok(queue_open(torn, &q));
    submit_text(q, "three", id);
    g_assert_cmpuint(queue_count(q), ==, 3);
    queue_close(q);
    test_folder_remove(dir);
    test_folder_remove(torn);
}

// A full disk: an error, nothing acknowledged lost, and work goes on afterwards.
static void test_disk_full(void) {
    char *dir = test_folder();
    struct queue *q;
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(queue_open(dir, &q));
    submit_text(q, "kept", NULL);
    struct rlimit old, small = {.rlim_cur = 100000};
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    g_autofree char *data = g_strnfill(60000, 'x');
    assert_ok(submit(q, data, 60000, NULL));
    assert_ec(submit(q, data, 60000, NULL), EC_DISK_FULL);
    assert_ec(submit(q, data, 60000, NULL), EC_DISK_FULL);
    submit_text(q, "small one", NULL);
    g_autofree char *large = g_strnfill(2000000, 'y');
    assert_ec(submit(q, large, 2000000, NULL), EC_DISK_FULL);
    g_assert_cmpuint(count_files(dir, ".msg"), ==, 0);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_ok(submit(q, data, 60000, NULL));
    assert_ok(submit(q, large, 2000000, NULL));
    g_assert_cmpuint(queue_count(q), ==, 5);
    queue_close(q);
    assert_ok(queue_open(dir, &q));
    g_assert_cmpuint(queue_count(q), ==, 5);
    struct queue_item *item = claim_one(q, 0);
    assert_message(item, "kept");
    finish(item);
    finish(claim_one(q, 0));
    item = claim_one(q, 0);
    assert_message(item, "small one");
    finish(item);
    queue_close(q);
    test_folder_remove(dir);
}

// One old message that waits does not keep the disk space of everything after it.
static void test_old_one_moves(void) {
    char *dir = test_folder();
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    submit_text(q, "waits", NULL);
    struct queue_item *waits = claim_one(q, 0);
    queue_item_recipient_done(waits, 1);
    queue_item_release(waits, clock_now() + 1000 * FILETIME_SECOND, "wait", NULL);
    g_autofree char *data = g_strnfill(1000000, 'z');
    for (unsigned i = 0; i < 400; i++) {
        assert_ok(submit(q, data, 1000000, NULL));
        finish(claim_one(q, 0));
    }
    g_assert_cmpuint(count_files(dir, ".seg"), <=, 10);
    g_autofree char *first = g_build_filename(dir, "0000000000000001.seg", NULL);
    g_assert_false(g_file_test(first, G_FILE_TEST_EXISTS));
    for (unsigned round = 0; round < 2; round++) {
        ARENA_AUTO arena = arena_new();
        struct queue_entry *list;
        unsigned n;
        assert_ok(queue_list(q, arena, &list, &n));
        g_assert_cmpuint(n, ==, 1);
        g_assert_cmpstr(list->reason, ==, "wait");
        g_assert_cmpuint(list->n_pending, ==, 1);
        queue_close(q);
        assert_ok(queue_open(dir, &q));
    }
    assert_ok(queue_retry(q, NULL));
    waits = claim_one(q, 0);
    assert_message(waits, "waits");
    finish(waits);
    queue_close(q);
    g_assert_cmpuint(count_files(dir, ".seg"), ==, 0);
    test_folder_remove(dir);
}

// --- Many threads ---

#define SUBMITTERS 16
struct crowd {
    struct queue *q;
    unsigned per_thread;
    size_t size;
    gint delivered;
};

static void *crowd_submit(void *ctx) {
    struct crowd *c = ctx;
    g_autofree char *data = g_strnfill(c->size, 'm');
    for (unsigned i = 0; i < c->per_thread; i++)
        assert_ok(submit(c->q, data, c->size, NULL));
    return NULL;
}

static void *crowd_deliver(void *ctx) {
    struct crowd *c = ctx;
    gint total = SUBMITTERS * (gint)c->per_thread;
    while (g_atomic_int_get(&c->delivered) < total) {
        struct queue_item *items[64];
        unsigned n;
        assert_ok(queue_claim(c->q, items, 64, 1000, &n));
        for (unsigned i = 0; i < n; i++) {
            g_autoptr(GBytes) bytes = NULL;
            assert_ok(queue_item_read(items[i], &bytes));
            g_assert_cmpuint(g_bytes_get_size(bytes), ==, c->size);
            finish(items[i]);
        }
        if (g_atomic_int_add(&c->delivered, (gint)n) + (gint)n == total)
            queue_wake(c->q);
    }
    return NULL;
}

static void run_crowd(const char *dir, unsigned submitters, unsigned per_thread, size_t size) {
    struct crowd c = {.per_thread = per_thread, .size = size};
    pthread_t in[SUBMITTERS];
    assert_ok(queue_open(dir, &c.q));
    int64_t start = g_get_monotonic_time();
    for (unsigned i = 0; i < submitters; i++)
        pthread_create(&in[i], NULL, crowd_submit, &c);
    for (unsigned i = 0; i < submitters; i++)
        pthread_join(in[i], NULL);
    g_test_message("%u threads, %zu bytes: %.0f/s", submitters, size,
                   submitters * per_thread * 1e6 / (double)(g_get_monotonic_time() - start));
    g_assert_cmpuint(queue_count(c.q), ==, submitters * per_thread);
    queue_close(c.q);
}

static void test_threads(void) {
    char *dir = test_folder();
    struct crowd c = {.per_thread = 40, .size = 3000};
    pthread_t in[SUBMITTERS], out[2];
    assert_ok(queue_open(dir, &c.q));
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&out[i], NULL, crowd_deliver, &c);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_create(&in[i], NULL, crowd_submit, &c);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(in[i], NULL);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(out[i], NULL);
    g_assert_cmpint(c.delivered, ==, SUBMITTERS * 40);
    g_assert_cmpuint(queue_count(c.q), ==, 0);
    queue_close(c.q);
    test_folder_remove(dir);
}

// Not an assertion: disks differ. Printed with --verbose.
static void test_rate(void) {
    static const unsigned threads[] = {1, 16};
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        char *dir = test_folder();
        run_crowd(dir, threads[i], threads[i] == 1 ? 100 : 500, 10240);
        test_folder_remove(dir);
    }
}

static void async_done(void *ctx, enum ec result) {
    g_assert_cmpint(result, ==, EC_OK);
    g_atomic_int_inc((gint *)ctx);
}

static void test_async(void) {
    char *dir = test_folder();
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    gint n_done = 0;
    for (unsigned i = 0; i < 700; i++) { // more than one batch
        struct queue_spool *s;
        assert_ok(queue_spool_new(q, &s));
        assert_ok(queue_spool_write(s, "async", 5));
        assert_ok(queue_submit_async_take(q, &envelope, s, async_done, &n_done));
    }
    queue_close(q);
    g_assert_cmpint(n_done, ==, 700);
    assert_ok(queue_open(dir, &q));
    g_assert_cmpuint(queue_count(q), ==, 700);
    queue_close(q);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/hold", test_hold);
    g_test_add_func("/queue/submit-claim", test_submit_claim);
    g_test_add_func("/queue/reopen", test_reopen);
    g_test_add_func("/queue/large", test_large);
    g_test_add_func("/queue/limit", test_limit);
    g_test_add_func("/queue/waiting", test_waiting);
    g_test_add_func("/queue/order", test_order);
    g_test_add_func("/queue/torn-tail", test_torn_tail);
    g_test_add_func("/queue/disk-full", test_disk_full);
    g_test_add_func("/queue/old-one-moves", test_old_one_moves);
    g_test_add_func("/queue/threads", test_threads);
    g_test_add_func("/queue/async", test_async);
    g_test_add_func("/queue/rate", test_rate);
    return g_test_run();
}
