// Background works: once while they wait, one at a time a mailbox, gone with the mailbox.
#include "store/background.h"

#include <stdatomic.h>

#include "store/store_fixture.h"

static _Atomic int runs, at_once, most_at_once;

static void count(struct mbox *mbox) {
    (void)mbox;
    int now = atomic_fetch_add(&at_once, 1) + 1;
    if (now > atomic_load(&most_at_once))
        atomic_store(&most_at_once, now);
    g_usleep(2000);
    atomic_fetch_sub(&at_once, 1);
    atomic_fetch_add(&runs, 1);
}

static void count_too(struct mbox *mbox) {
    count(mbox);
}

static void setup(struct fixture *f, gconstpointer data) {
    fixture_setup(f, data);
    runs = at_once = most_at_once = 0;
}

static void test_once_while_waiting(struct fixture *f, gconstpointer data) {
    (void)data;
    for (int i = 0; i < 10; i++)
        background_want(f->mbox, count, 60000, false);
    g_usleep(20000);
    g_assert_cmpint(runs, ==, 0); // not before its time
    background_drain(f->store);
    g_assert_cmpint(runs, ==, 1);
}

static void test_one_at_a_time(struct fixture *f, gconstpointer data) {
    (void)data;
    for (int i = 0; i < 20; i++) {
        background_want(f->mbox, count, 0, false);
        background_want(f->mbox, count_too, 0, false);
        g_usleep(500);
    }
    background_drain(f->store);
    g_assert_cmpint(runs, >=, 2);
    g_assert_cmpint(most_at_once, ==, 1);
}

static void test_earlier_and_later(struct fixture *f, gconstpointer data) {
    (void)data;
    background_want(f->mbox, count, 60000, false);
    background_want(f->mbox, count, 0, false); // the earlier time counts
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (runs == 0 && g_get_monotonic_time() < end)
        g_usleep(1000);
    g_assert_cmpint(runs, ==, 1);
    background_want(f->mbox, count, 100, false);
    background_want(f->mbox, count, 60000, true); // put off
    g_usleep(200000);
    g_assert_cmpint(runs, ==, 1);
}

static void test_closed_mailbox(struct fixture *f, gconstpointer data) {
    (void)data;
    background_want(f->mbox, count, 60000, false);
    mbox_unref(f->mbox);
    f->mbox = NULL;
    assert_ok(store_delete_mailbox(f->store, &f->guid));
    background_drain(f->store);
    g_assert_cmpint(runs, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/background/once", struct fixture, NULL, setup, test_once_while_waiting,
               fixture_teardown);
    g_test_add("/background/one_at_a_time", struct fixture, NULL, setup, test_one_at_a_time,
               fixture_teardown);
    g_test_add("/background/time", struct fixture, NULL, setup, test_earlier_and_later,
               fixture_teardown);
    g_test_add("/background/closed", struct fixture, NULL, setup, test_closed_mailbox,
               fixture_teardown);
    return g_test_run();
}
