// Shared texts: one copy, gone with the last reference, under threads that take and drop them.
#include "base/shared_text.h"

#include <pthread.h>
#include <string.h>

#include "base/test.h"

static void test_shared(void) {
    char buf[] = "k1 k2";
    char *a = shared_text_new(buf), *b = shared_text_new("k1 k2"), *c = shared_text_new("k1");
    g_assert_true(a == b && a != c && a != buf);
    g_assert_cmpstr(a, ==, "k1 k2");
    shared_text_unref(a);
    g_assert_cmpstr(b, ==, "k1 k2");
    g_assert_true(shared_text_ref(b) == b);
    shared_text_unref(b);
    shared_text_unref(b);
    shared_text_unref(c);
}

static void *churn(void *data) {
    char text[8];
    for (unsigned i = 0; i < 200000; i++) {
        g_snprintf(text, sizeof text, "t%u", i % 3);
        char *t = shared_text_new(text);
        g_assert_cmpstr(t, ==, text);
        if (i % 5 == 0)
            shared_text_unref(shared_text_ref(t));
        shared_text_unref(t);
    }
    return data;
}

static void test_threads(void) {
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, churn, NULL), ==, 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shared_text/shared", test_shared);
    g_test_add_func("/shared_text/threads", test_threads);
    return g_test_run();
}
