// Sliding windows: what was counted in this window, and of the one before the share that is less
// than a window ago. A full table counts nobody new: it lets through, rather than grow.
#include "protocol/smtp/rates.h"

#include <arpa/inet.h>
#include <pthread.h>

#include "protocol/smtp/limits.h"

struct counter {
    int64_t window; // number of the current one
    unsigned now, before;
};

struct smtp_rates {
    pthread_mutex_t lock;
    GHashTable *counters; // "kind key" -> struct counter
    int64_t swept;        // when the table was last cleaned
};

static int64_t window_us(enum smtp_rate what) {
    return (what == SMTP_RATE_USER_RECIPIENTS ? INT64_C(3600) : 60) * G_USEC_PER_SEC;
}

struct smtp_rates *smtp_rates_new(void) {
    struct smtp_rates *rates = g_new0(struct smtp_rates, 1);
    pthread_mutex_init(&rates->lock, NULL);
    rates->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return rates;
}

void smtp_rates_free(struct smtp_rates *rates) {
    if (!rates)
        return;
    g_hash_table_unref(rates->counters);
    pthread_mutex_destroy(&rates->lock);
    g_free(rates);
}

static char *key_of(enum smtp_rate what, const char *key) {
    struct in6_addr in6;
    bool is_address = what == SMTP_RATE_CONNECTIONS || what == SMTP_RATE_MESSAGES;
    if (!is_address || inet_pton(AF_INET6, key, &in6) != 1)
        return g_strdup_printf("%d %s", (int)what, key);
    char text[INET6_ADDRSTRLEN];
    for (unsigned i = 8; i < 16; i++)
        in6.s6_addr[i] = 0;
    inet_ntop(AF_INET6, &in6, text, sizeof text);
    return g_strdup_printf("%d %s/64", (int)what, text);
}

// Kinds with the longer window are only swept later.
static gboolean is_over(gpointer key, gpointer value, gpointer data) {
    const char *text = key;
    const struct counter *c = value;
    enum smtp_rate what = (enum smtp_rate)(text[0] - '0');
    return *(const int64_t *)data / window_us(what) > c->window + 1;
}

static void sweep(struct smtp_rates *rates, int64_t now) {
    if (now - rates->swept < INT64_C(60) * G_USEC_PER_SEC)
        return;
    rates->swept = now;
    g_hash_table_foreach_remove(rates->counters, is_over, &now);
}

static struct counter *find(struct smtp_rates *rates, char *key, int64_t window) {
    struct counter *c = g_hash_table_lookup(rates->counters, key);
    if (!c && g_hash_table_size(rates->counters) < SMTP_RATES_MAX) {
        c = g_new0(struct counter, 1);
        c->window = window;
        g_hash_table_insert(rates->counters, g_strdup(key), c);
    }
    if (c && c->window != window) {
        c->before = c->window + 1 == window ? c->now : 0;
        c->now = 0;
        c->window = window;
    }
    return c;
}

bool smtp_rates_take(struct smtp_rates *rates, enum smtp_rate what, const char *key, unsigned limit,
                     int64_t now) {
    g_autofree char *text = key_of(what, key);
    int64_t length = window_us(what);
    pthread_mutex_lock(&rates->lock);
    sweep(rates, now);
    struct counter *c = find(rates, text, now / length);
    bool is_within = true;
    if (c) {
        double left = 1.0 - (double)(now % length) / (double)length;
        is_within = c->now + c->before * left < limit;
        if (is_within)
            c->now++;
    }
    pthread_mutex_unlock(&rates->lock);
    return is_within;
}
