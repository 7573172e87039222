// Failure counts by a clock that is set: delays, expiry, and bounded memory.
#include "auth/throttle.h"

#include "auth/limits.h"
#include "base/clock.h"
#include "base/test.h"

#define SECONDS(n) ((filetime_t)(n)*FILETIME_SECOND)
static const filetime_t start = 134000000000000000;

static void test_expiry(void) {
    clock_set(start);
    struct throttle *t = throttle_new(100);
    for (int i = 0; i < 12; i++)
        throttle_fail(t, THROTTLE_USER, "alice");
    g_assert_true(throttle_is_blocked(t, THROTTLE_USER, "alice"));
    g_assert_false(throttle_is_blocked(t, THROTTLE_ADDRESS, "alice")); // another kind
    g_assert_false(throttle_is_blocked(t, THROTTLE_USER, "bob"));
    clock_set(start + SECONDS(AUTH_USER_DELAY_MAX));
    g_assert_false(throttle_is_blocked(t, THROTTLE_USER, "alice"));
    throttle_fail(t, THROTTLE_USER, "alice");
    g_assert_true(throttle_is_blocked(t, THROTTLE_USER, "alice"));
    // Left alone for long enough it starts from nothing.
    clock_set(start + SECONDS(AUTH_USER_DELAY_MAX + AUTH_FAILURES_EXPIRE));
    throttle_fail(t, THROTTLE_USER, "alice");
    g_assert_false(throttle_is_blocked(t, THROTTLE_USER, "alice"));
    // Others' old failures go when new ones come.
    throttle_fail(t, THROTTLE_USER, "carol");
    g_assert_cmpuint(throttle_size(t), ==, 2);
    clock_set(start + SECONDS(AUTH_USER_DELAY_MAX + 3 * AUTH_FAILURES_EXPIRE));
    throttle_fail(t, THROTTLE_USER, "dan");
    g_assert_cmpuint(throttle_size(t), ==, 1);
    // A clock that was set back blocks nobody.
    for (int i = 0; i < 12; i++)
        throttle_fail(t, THROTTLE_USER, "dan");
    clock_set(start);
    g_assert_false(throttle_is_blocked(t, THROTTLE_USER, "dan"));
    throttle_fail(t, THROTTLE_USER, "dan");
    throttle_forget(t, THROTTLE_USER, "dan");
    throttle_forget(t, THROTTLE_USER, "nobody");
    g_assert_cmpuint(throttle_size(t), ==, 0);
    throttle_free(t);
    throttle_free(NULL);
    clock_set(0);
}

static void test_bounded(void) {
    clock_set(start);
    struct throttle *t = throttle_new(100);
    for (int i = 0; i < 10; i++)
        throttle_fail(t, THROTTLE_USER, "early");
    for (int i = 0; i < 5000; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        throttle_fail(t, THROTTLE_ADDRESS, key);
        if (i % 50 == 0)
            for (int j = 0; j < 10; j++)
                throttle_fail(t, THROTTLE_USER, "busy");
        g_assert_cmpuint(throttle_size(t), <=, 100);
    }
    g_assert_false(throttle_is_blocked(t, THROTTLE_USER, "early")); // made room
    g_assert_true(throttle_is_blocked(t, THROTTLE_USER, "busy"));   // still at it
    throttle_free(t);
    clock_set(0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/throttle/expiry", test_expiry);
    g_test_add_func("/throttle/bounded", test_bounded);
    return g_test_run();
}
