// Counting in sliding windows, by address, network and user.
#include "protocol/smtp/rates.h"

#include "base/test.h"
#include "protocol/smtp/limits.h"

#define SECOND INT64_C(1000000)

static unsigned take(struct smtp_rates *rates, enum smtp_rate what, const char *key, unsigned n,
                     int64_t now) {
    unsigned taken = 0;
    for (unsigned i = 0; i < n; i++)
        taken += smtp_rates_take(rates, what, key, 10, now);
    return taken;
}

static void test_window(void) {
    struct smtp_rates *rates = smtp_rates_new();
    int64_t start = 6000 * SECOND;
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "192.0.2.1", 20, start), ==, 10);
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "192.0.2.2", 20, start), ==, 10);
    g_assert_cmpuint(take(rates, SMTP_RATE_CONNECTIONS, "192.0.2.1", 20, start), ==, 10);
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "192.0.2.1", 1, start + 59 * SECOND), ==, 0);
    // Half a minute later half of them are more than a minute ago.
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "192.0.2.1", 20, start + 90 * SECOND), ==, 5);
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "192.0.2.1", 20, start + 600 * SECOND), ==,
                     10);
    g_assert_cmpuint(take(rates, SMTP_RATE_USER_RECIPIENTS, "a@b", 20, start), ==, 10);
    g_assert_cmpuint(take(rates, SMTP_RATE_USER_RECIPIENTS, "a@b", 20, start + 600 * SECOND), ==,
                     0);
    smtp_rates_free(rates);
}

static void test_networks(void) {
    struct smtp_rates *rates = smtp_rates_new();
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "2001:db8::1", 6, 0), ==, 6);
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "2001:db8::ffff:1", 6, 0), ==, 4);
    g_assert_cmpuint(take(rates, SMTP_RATE_MESSAGES, "2001:db8:0:1::1", 6, 0), ==, 6);
    smtp_rates_free(rates);
    smtp_rates_free(NULL);
}

// A flood of addresses takes no more than its place, and is gone after a while.
static void test_full(void) {
    struct smtp_rates *rates = smtp_rates_new();
    for (unsigned i = 0; i < SMTP_RATES_MAX + 100; i++) {
        char key[32];
        g_snprintf(key, sizeof key, "key%u", i);
        g_assert_true(smtp_rates_take(rates, SMTP_RATE_MESSAGES, key, 1, 0));
    }
    g_assert_false(smtp_rates_take(rates, SMTP_RATE_MESSAGES, "key1", 1, 0));
    g_assert_true(smtp_rates_take(rates, SMTP_RATE_MESSAGES, "new", 1, 0));
    g_assert_true(smtp_rates_take(rates, SMTP_RATE_MESSAGES, "new", 1, 0)); // not counted
    int64_t later = 180 * SECOND;
    g_assert_true(smtp_rates_take(rates, SMTP_RATE_MESSAGES, "new", 1, later));
    g_assert_false(smtp_rates_take(rates, SMTP_RATE_MESSAGES, "new", 1, later));
    smtp_rates_free(rates);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rates/window", test_window);
    g_test_add_func("/rates/networks", test_networks);
    g_test_add_func("/rates/full", test_full);
    return g_test_run();
}
