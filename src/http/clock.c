// One thread that wakes parked requests when their time has come, and has a look at all
// connections once a second.
#include <errno.h>
#include <time.h>

#include "http/http_internal.h"

static int by_time(gconstpointer a, gconstpointer b, gpointer data) {
    (void)data;
    const struct http_request *x = a, *y = b;
    return x->park_until != y->park_until ? (x->park_until < y->park_until ? -1 : 1)
           : x->id != y->id               ? (x->id < y->id ? -1 : 1)
                                          : 0;
}

void http_clock_add(struct http_request *r) {
    struct http_clock *clock = &r->server->clock;
    pthread_mutex_lock(&clock->lock);
    r->in_clock = g_sequence_insert_sorted(clock->parked, http_request_ref(r), by_time, NULL);
    if (g_sequence_iter_is_begin(r->in_clock))
        pthread_cond_signal(&clock->changed);
    pthread_mutex_unlock(&clock->lock);
}

void http_clock_remove(struct http_request *r) {
    struct http_clock *clock = &r->server->clock;
    pthread_mutex_lock(&clock->lock);
    bool was_in = r->in_clock != NULL;
    if (was_in)
        g_sequence_remove(r->in_clock);
    r->in_clock = NULL;
    pthread_mutex_unlock(&clock->lock);
    if (was_in)
        http_request_unref(r); // the caller has another
}

// The next request whose time has come; NULL: none, and *next_out says when.
static struct http_request *take_due_locked(struct http_clock *clock, int64_t now,
                                            int64_t *next_out) {
    GSequenceIter *first = g_sequence_get_begin_iter(clock->parked);
    if (g_sequence_iter_is_end(first))
        return NULL;
    struct http_request *r = g_sequence_get(first);
    if (r->park_until > now) {
        *next_out = MIN(*next_out, r->park_until);
        return NULL;
    }
    g_sequence_remove(first);
    r->in_clock = NULL;
    return r;
}

static void wait_until(struct http_clock *clock, int64_t when) {
    struct timespec ts = {.tv_sec = when / G_USEC_PER_SEC, .tv_nsec = when % G_USEC_PER_SEC * 1000};
    pthread_cond_timedwait(&clock->changed, &clock->lock, &ts);
}

static void *clock_main(void *data) {
    struct http_server *s = data;
    struct http_clock *clock = &s->clock;
    int64_t sweep = g_get_monotonic_time() + HTTP_SWEEP_SECONDS * G_USEC_PER_SEC;
    pthread_mutex_lock(&clock->lock);
    while (!clock->is_stopping) {
        int64_t now = g_get_monotonic_time(), next = sweep;
        struct http_request *r = take_due_locked(clock, now, &next);
        if (r == NULL && now < sweep) {
            wait_until(clock, next);
            continue;
        }
        pthread_mutex_unlock(&clock->lock);
        if (r != NULL) {
            http_request_wake(r);
            http_request_unref(r);
        } else {
            http_conns_sweep(s);
            access_log_flush(s->access_log);
            sweep = g_get_monotonic_time() + HTTP_SWEEP_SECONDS * G_USEC_PER_SEC;
        }
        pthread_mutex_lock(&clock->lock);
    }
    pthread_mutex_unlock(&clock->lock);
    return NULL;
}

bool http_clock_start(struct http_server *s) {
    struct http_clock *clock = &s->clock;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&clock->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&clock->lock, NULL);
    clock->parked = g_sequence_new(NULL);
    clock->is_running = pthread_create(&clock->thread, NULL, clock_main, s) == 0;
    if (clock->is_running)
        pthread_setname_np(clock->thread, "http-clock");
    return clock->is_running;
}

void http_clock_stop(struct http_server *s) {
    struct http_clock *clock = &s->clock;
    if (clock->parked == NULL)
        return;
    pthread_mutex_lock(&clock->lock);
    clock->is_stopping = true;
    pthread_cond_signal(&clock->changed);
    pthread_mutex_unlock(&clock->lock);
    if (clock->is_running)
        pthread_join(clock->thread, NULL);
    g_sequence_free(clock->parked);
    clock->parked = NULL;
    pthread_cond_destroy(&clock->changed);
    pthread_mutex_destroy(&clock->lock);
}
