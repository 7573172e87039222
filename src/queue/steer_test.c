// Steering the queue: entries that wait for a destination, that are held, that were not tried; what
// of that survives an opening.
#include <string.h>

#include "base/clock.h"
#include "base/test.h"
#include "queue/queue.h"

static const struct queue_recipient two[] = {{.address = "b@one.test"}, {.address = "c@two.test"}};
static const struct queue_envelope envelope = {
    .sender = "a@example.test", .recipients = two, .n_recipients = 2};

static void submit(struct queue *q, char id[QUEUE_ID_SIZE]) {
    struct queue_spool *s;
    assert_ok(queue_spool_new(q, &s));
    assert_ok(queue_spool_write(s, "text", 4));
    assert_ok(queue_submit_take(q, &envelope, s, id));
}

static struct queue_item *claim(struct queue *q) {
    struct queue_item *item = NULL;
    unsigned n;
    assert_ok(queue_claim(q, &item, 1, 0, &n));
    return n ? item : NULL;
}

static struct queue *open_queue(const char *dir) {
    struct queue *q;
    assert_ok(queue_open(dir, &q));
    return q;
}

static filetime_t in_an_hour(void) {
    return clock_now() + 3600 * FILETIME_SECOND;
}

static void test_hold(void) {
    ARENA_AUTO arena = arena_new();
    char *dir = test_folder(), id[QUEUE_ID_SIZE];
    struct queue *q = open_queue(dir);
    submit(q, id);
    assert_ok(queue_hold(q, id));
    g_assert_null(claim(q));
    assert_ok(queue_retry(q, NULL)); // does not mean the held ones
    assert_ok(queue_retry(q, id));
    unsigned n;
    assert_ok(queue_flush(q, "one.test", &n));
    g_assert_cmpuint(n, ==, 0);
    queue_close(q);
    q = open_queue(dir);
    struct queue_entry entry;
    struct queue_envelope got;
    assert_ok(queue_get(q, arena, id, &entry, &got));
    g_assert_true(entry.is_held);
    g_assert_cmpuint(entry.attempts, ==, 0);
    g_assert_cmpuint(got.n_recipients, ==, 2);
    g_assert_null(claim(q));
    assert_ok(queue_unhold(q, id));
    struct queue_item *item = claim(q);
    g_assert_nonnull(item);
    assert_ec(queue_hold(q, id), EC_BUSY);
    assert_ok(queue_get(q, arena, id, &entry, &got));
    g_assert_true(entry.is_active);
    queue_item_release(item, in_an_hour(), "later", NULL);
    assert_ec(queue_hold(q, "0000000000000000"), EC_NOT_FOUND);
    assert_ec(queue_get(q, arena, "x", &entry, &got), EC_NOT_FOUND);
    queue_close(q);
    test_folder_remove(dir);
}

static void test_lanes(void) {
    char *dir = test_folder(), ids[4][QUEUE_ID_SIZE];
    struct queue *q = open_queue(dir);
    for (unsigned i = 0; i < 4; i++) {
        submit(q, ids[i]);
        struct queue_item *item = claim(q);
        if (i % 2)
            queue_item_release(item, in_an_hour(), "down", i < 3 ? "one.test" : NULL);
        else
            queue_item_put_back(item, in_an_hour(), "one.test");
    }
    queue_wake_lane(q, "two.test", 0);
    g_assert_null(claim(q));
    queue_wake_lane(q, "one.test", 2);
    for (unsigned i = 0; i < 2; i++) {
        struct queue_item *item = claim(q);
        g_assert_cmpstr(queue_item_id(item), ==, ids[i]);
        g_assert_cmpuint(queue_item_attempts(item), ==, i); // put back: none
        queue_item_put_back(item, in_an_hour(), "two.test");
    }
    g_assert_null(claim(q));
    assert_ok(queue_drop(q, ids[0])); // leaves its lane
    queue_wake_lane(q, "two.test", 0);
    queue_wake_lane(q, "one.test", 0);
    for (unsigned i = 1; i < 3; i++) {
        struct queue_item *item = claim(q);
        g_assert_cmpstr(queue_item_id(item), ==, ids[i]);
        queue_item_put_back(item, in_an_hour(), "one.test");
    }
    g_assert_null(claim(q));
    unsigned n;
    assert_ok(queue_flush(q, "TWO.test", &n));
    g_assert_cmpuint(n, ==, 3);
    for (unsigned i = 0; i < 3; i++)
        queue_item_put_back(claim(q), 0, NULL);
    queue_close(q);
    test_folder_remove(dir);
}

// What was noted is done after a crash, and the sender is told of a delay once.
static void test_notes(void) {
    ARENA_AUTO arena = arena_new();
    char *dir = test_folder(), id[QUEUE_ID_SIZE], other[QUEUE_ID_SIZE];
    unsigned *pending;
    struct queue *q = open_queue(dir);
    submit(q, id);
    submit(q, other);
    struct queue_item *item = claim(q);
    queue_item_recipient_done(item, 0);
    queue_item_note(item);
    g_assert_cmpuint(queue_item_attempts(item), ==, 0);
    queue_item_set_delay_reported(item);
    queue_item_release(item, 0, "slow", NULL);
    item = claim(q); // the other: put back with a recipient done
    queue_item_recipient_done(item, 1);
    queue_item_put_back(item, 0, NULL);
    queue_close(q);
    q = open_queue(dir);
    item = claim(q);
    g_assert_cmpstr(queue_item_id(item), ==, id);
    g_assert_true(queue_item_is_delay_reported(item));
    g_assert_cmpuint(queue_item_attempts(item), ==, 1);
    g_assert_cmpuint(queue_item_pending(item, arena, &pending), ==, 1);
    g_assert_cmpuint(pending[0], ==, 1);
    struct queue_item *second = claim(q);
    g_assert_false(queue_item_is_delay_reported(second));
    g_assert_cmpuint(queue_item_attempts(second), ==, 0);
    g_assert_cmpuint(queue_item_pending(second, arena, &pending), ==, 1);
    g_assert_cmpuint(pending[0], ==, 0);
    queue_item_put_back(item, 0, NULL);
    queue_item_put_back(second, 0, NULL);
    queue_close(q);
    test_folder_remove(dir);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/steer/hold", test_hold);
    g_test_add_func("/queue/steer/lanes", test_lanes);
    g_test_add_func("/queue/steer/notes", test_notes);
    return g_test_run();
}
