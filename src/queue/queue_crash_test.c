// kill -9 at random moments: what was acknowledged is delivered at least once or still queued, and
// what is read back is whole.
#include "queue/queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"

#define ROUNDS 60
#define SUBMITTERS 6

struct child {
    struct queue *q;
    int report;
    gint next;
};

// What the parent is told, in one write each (atomic on a pipe).
struct report {
    uint32_t number;
    uint32_t is_delivered;
};

static size_t message_size(uint32_t number) {
    return number % 23 == 0 ? 1100000 : 100 + number * 7919 % 20000;
}

static void fill(uint32_t number, char *out, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (char)((number * 2654435761u + i * 7) >> 3);
    memcpy(out, &number, sizeof number);
}

static void *submit_loop(void *ctx) {
    struct child *c = ctx;
    static const struct queue_recipient to[] = {{.address = "b@example.test"},
                                                {.address = "c@example.test"}};
    struct queue_envelope envelope = {.sender = "a@x", .recipients = to, .n_recipients = 2};
    for (;;) {
        struct report r = {.number = (uint32_t)g_atomic_int_add(&c->next, 1)};
        size_t len = message_size(r.number);
        g_autofree char *data = g_malloc(len);
        fill(r.number, data, len);
        struct queue_spool *s;
        char id[QUEUE_ID_SIZE];
        assert_ok(queue_spool_new(c->q, &s));
        assert_ok(queue_spool_write(s, data, len));
        assert_ok(queue_submit_take(c->q, &envelope, s, id));
        if (write(c->report, &r, sizeof r) != sizeof r)
            abort();
    }
    return NULL;
}

static uint32_t check_message(struct queue_item *item) {
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(queue_item_read(item, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    uint32_t number;
    g_assert_cmpuint(len, >=, sizeof number);
    memcpy(&number, data, sizeof number);
    g_assert_cmpuint(len, ==, message_size(number));
    g_autofree char *expected = g_malloc(len);
    fill(number, expected, len);
    g_assert_true(memcmp(expected, data, len) == 0);
    return number;
}

static void *deliver_loop(void *ctx) {
    struct child *c = ctx;
    for (;;) {
        struct queue_item *items[16];
        unsigned n;
        assert_ok(queue_claim(c->q, items, 16, 1000, &n));
        for (unsigned i = 0; i < n; i++) {
            struct report r = {.number = check_message(items[i]), .is_delivered = 1};
            if (g_random_int_range(0, 4) == 0) { // a failure now and then
                queue_item_recipient_done(items[i], 0);
                queue_item_release(items[i], clock_now() + FILETIME_SECOND / 50, "again", NULL);
                continue;
            }
            if (write(c->report, &r, sizeof r) != sizeof r)
                abort();
            queue_item_recipient_done(items[i], 0);
            queue_item_recipient_done(items[i], 1);
            queue_item_release(items[i], 0, NULL, NULL);
        }
    }
    return NULL;
}

G_NORETURN static void run_child(const char *dir, int report, gint next) {
    struct child c = {.report = report, .next = next};
    pthread_t thread;
    assert_ok(queue_open(dir, &c.q));
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_create(&thread, NULL, submit_loop, &c);
    deliver_loop(&c);
    abort();
}

static void test_kill(void) {
    char *dir = test_folder();
    g_autoptr(GHashTable) owed = g_hash_table_new(NULL, NULL);
    gint next = 1;
    unsigned acknowledged = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int fds[2];
        g_assert_cmpint(pipe(fds), ==, 0);
        pid_t pid = fork();
        if (pid == 0)
            run_child(dir, fds[1], next);
        close(fds[1]);
        g_usleep((gulong)g_random_int_range(1000, 90000));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (struct report r; read(fds[0], &r, sizeof r) == sizeof r;) {
            gpointer key = GUINT_TO_POINTER(r.number);
            // Delivered may be reported before submitted; then it was seen and is owed no more.
            if (r.is_delivered)
                g_hash_table_insert(owed, key, GUINT_TO_POINTER(1));
            else if (!g_hash_table_contains(owed, key))
                g_hash_table_insert(owed, key, NULL);
            acknowledged += !r.is_delivered;
            next = MAX(next, (gint)r.number + 1);
        }
        next += SUBMITTERS; // numbers under way when it died
        close(fds[0]);
    }
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    assert_ok(queue_retry(q, NULL));
    for (struct queue_item *item;;) {
        unsigned n;
        assert_ok(queue_claim(q, &item, 1, 0, &n));
        if (n == 0)
            break;
        uint32_t number = check_message(item);
        g_hash_table_insert(owed, GUINT_TO_POINTER(number), GUINT_TO_POINTER(1));
        queue_item_recipient_done(item, 0);
        queue_item_recipient_done(item, 1);
        queue_item_release(item, 0, NULL, NULL);
    }
    queue_close(q);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, owed);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!value)
            g_error("message %u was acknowledged and is lost", GPOINTER_TO_UINT(key));
    g_test_message("%u messages acknowledged", acknowledged);
    g_assert_cmpuint(acknowledged, >, 0);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/kill", test_kill);
    return g_test_run();
}
