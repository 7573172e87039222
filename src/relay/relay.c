// The engine: destinations with work stand in a line, threads take them from it in turn. What a
// thread then does for a destination is in job.c.
#include "relay/relay.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/relay_internal.h"

// --- Jobs ---

void job_fill(struct relay_job *job, const struct relay_result *result) {
    for (unsigned i = 0; i < job->n_recipients; i++)
        if (!job->recipients[i].result.status && job->recipients[i].result.verdict != RELAY_BUSY)
            job->recipients[i].result = *result;
}

static void finish_unsent(struct relay_job *job, const struct relay_result *result) {
    job_fill(job, result);
    job->done(job);
}

static void fail_all(GQueue *jobs, struct relay *r, struct destination *d) {
    for (GList *link; (link = g_queue_pop_head_link(jobs));) {
        struct relay_job *job = link->data;
        pthread_mutex_lock(&r->lock);
        struct relay_result why = destination_problem(d, job->arena);
        pthread_mutex_unlock(&r->lock);
        finish_unsent(job, &why);
    }
}

static const struct relay_result busy = {.verdict = RELAY_BUSY};

void relay_send(struct relay *r, struct relay_job *job) {
    job->link.data = job;
    job->since = g_get_monotonic_time();
    pthread_mutex_lock(&r->lock);
    struct destination *d = destination_get(r, job->destination);
    struct relay_result answer = busy;
    bool is_taken = false;
    if (atomic_load(&r->is_stopping) || d->jobs.length >= RELAY_DESTINATION_JOBS ||
        r->n_jobs >= RELAY_JOBS_MAX) {
        d->was_full = true;
    } else if (d->down_until > job->since) {
        answer = destination_problem(d, job->arena);
    } else {
        g_queue_push_tail_link(&d->jobs, &job->link);
        r->n_jobs++;
        destination_offer(r, d);
        is_taken = true;
    }
    pthread_mutex_unlock(&r->lock);
    if (!is_taken)
        finish_unsent(job, &answer);
}

// Under the lock.
static struct relay_job *pop_job(struct relay *r, struct destination *d) {
    GList *link = g_queue_pop_head_link(&d->jobs);
    if (link)
        r->n_jobs--;
    return link ? link->data : NULL;
}

// Tells the caller that there is room again; the lock is not held.
static void tell_room(struct relay *r, const char *name, unsigned n) {
    if (r->options.has_room)
        r->options.has_room(r->options.ctx, name, n);
}

// Under the lock: whether there is room again where there was none.
static bool takes_more(struct destination *d) {
    if (!d->was_full || d->jobs.length > RELAY_DESTINATION_JOBS / 2)
        return false;
    d->was_full = false;
    return true;
}

struct relay_job *relay_next_job(struct relay *r, struct destination *d) {
    pthread_mutex_lock(&r->lock);
    struct relay_job *job = atomic_load(&r->is_stopping) ? NULL : pop_job(r, d);
    bool has_room = takes_more(d);
    pthread_mutex_unlock(&r->lock);
    if (has_room)
        tell_room(r, d->name, RELAY_DESTINATION_JOBS / 2);
    return job;
}

void relay_return_job(struct relay *r, struct destination *d, struct relay_job *job,
                      const struct relay_result *why) {
    if (++job->n_returns > RELAY_JOB_RETURNS || atomic_load(&r->is_stopping)) {
        finish_unsent(job, atomic_load(&r->is_stopping) ? &busy : why);
        return;
    }
    for (unsigned i = 0; i < job->n_recipients; i++)
        job->recipients[i].result = (struct relay_result){0};
    pthread_mutex_lock(&r->lock);
    g_queue_push_head_link(&d->jobs, &job->link);
    r->n_jobs++;
    destination_offer(r, d);
    pthread_mutex_unlock(&r->lock);
}

void relay_job_done(struct relay *r, struct relay_job *job) {
    r->messages++;
    job->done(job);
}

// --- Threads ---

static void *run(void *relay);

// Under the lock: a thread more, if one is wanted and allowed.
static void grow(struct relay *r) {
    if (r->ready.length <= r->n_idle || r->n_threads >= RELAY_THREADS_MAX ||
        r->n_threads - r->n_slow >= r->options.connections || atomic_load(&r->is_stopping))
        return;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, RELAY_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (pthread_create(&thread, &attr, run, r) == 0)
        r->n_threads++;
    else if (r->n_threads == 0)
        log_event(LOG_LEVEL_ERROR, "relay.thread_failed", NULL);
    pthread_attr_destroy(&attr);
}

void destination_offer(struct relay *r, struct destination *d) {
    bool may = d->jobs.length > 0 && d->n_sessions < d->limit && !d->is_ready &&
               (d->n_sessions == 0 || d->idle.length > 0 || d->is_urgent ||
                d->jobs.length > d->n_sessions * RELAY_JOBS_PER_SESSION);
    if (!may)
        return;
    d->is_ready = true;
    d->is_urgent = false;
    d->ready.data = d;
    g_queue_push_tail_link(&r->ready, &d->ready);
    atomic_store(&r->n_ready, r->ready.length);
    if (r->n_idle > 0)
        pthread_cond_signal(&r->has_work);
    grow(r);
}

void relay_thread_is_slow(struct relay *r, bool is_slow) {
    pthread_mutex_lock(&r->lock);
    if (is_slow) {
        r->n_slow++;
        grow(r);
    } else {
        r->n_slow--;
    }
    pthread_mutex_unlock(&r->lock);
}

// Waits for a destination that has work; NULL: the thread is to end. Under the lock.
static struct destination *next_ready(struct relay *r) {
    for (bool has_waited = false;;) {
        int64_t now = g_get_monotonic_time();
        if (now - r->last_swept > 1000000)
            destinations_sweep(r, now);
        GList *link = g_queue_pop_head_link(&r->ready);
        if (link) {
            struct destination *d = link->data;
            d->is_ready = false;
            atomic_store(&r->n_ready, r->ready.length);
            return d;
        }
        if (atomic_load(&r->is_stopping))
            return NULL;
        // The last thread stays as long as there is something to look after.
        bool is_needed = r->n_threads == 1 && (r->n_jobs > 0 || g_hash_table_size(r->destinations));
        if (has_waited && !is_needed)
            return NULL;
        int64_t until = now + (is_needed ? 1000 : RELAY_THREAD_IDLE_MS) * 1000;
        struct timespec at = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
        r->n_idle++;
        has_waited = pthread_cond_timedwait(&r->has_work, &r->lock, &at) != 0;
        r->n_idle--;
    }
}

// One turn of a thread for a destination. Under the lock, which is given up meanwhile.
static void serve(struct relay *r, struct destination *d) {
    struct relay_job *job = pop_job(r, d);
    if (!job)
        return;
    GList *idle = g_queue_pop_head_link(&d->idle);
    d->n_sessions++;
    d->last_used = g_get_monotonic_time();
    destination_offer(r, d); // the next thread
    bool has_room = takes_more(d);
    pthread_mutex_unlock(&r->lock);
    if (has_room)
        tell_room(r, d->name, RELAY_DESTINATION_JOBS / 2);
    session_run(r, d, job, idle ? idle->data : NULL);
    pthread_mutex_lock(&r->lock);
    d->n_sessions--;
    destination_offer(r, d);
}

static void *run(void *relay) {
    struct relay *r = relay;
    pthread_mutex_lock(&r->lock);
    for (struct destination *d; (d = next_ready(r));)
        serve(r, d);
    r->n_threads--;
    pthread_cond_signal(&r->has_ended);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

// --- Opening and closing ---

static char *or_null(const char *s) {
    return s && *s ? g_strdup(s) : NULL;
}

static void take_options(struct relay_options *o, const struct relay_options *from) {
    *o = *from;
    o->hostname = g_strdup(from->hostname && *from->hostname ? from->hostname : "localhost");
    o->smarthost = or_null(from->smarthost);
    o->smarthost_user = or_null(from->smarthost_user);
    o->smarthost_password = or_null(from->smarthost_password);
    o->routes = or_null(from->routes);
    o->ca_file = or_null(from->ca_file);
    o->sts_dir = or_null(from->sts_dir);
#define DEFAULT(field, value)                                                                      \
    if (o->field == 0)                                                                             \
    o->field = value
    DEFAULT(port, RELAY_PORT);
    DEFAULT(sts_port, 443);
    DEFAULT(connections, RELAY_CONNECTIONS);
    DEFAULT(connections_per_destination, RELAY_PER_DESTINATION);
    DEFAULT(idle_ms, RELAY_IDLE_MS);
    DEFAULT(backoff_ms, RELAY_BACKOFF_MS);
    DEFAULT(backoff_max_ms, RELAY_BACKOFF_MAX_MS);
    DEFAULT(connect_seconds, RELAY_CONNECT_SECONDS);
    DEFAULT(command_seconds, RELAY_COMMAND_SECONDS);
    DEFAULT(data_seconds, RELAY_DATA_SECONDS);
    DEFAULT(end_seconds, RELAY_END_SECONDS);
#undef DEFAULT
    o->connections = MIN(o->connections, RELAY_THREADS_MAX);
}

static void free_route(void *entry) {
    struct route_entry *e = entry;
    g_free(e->domain);
    g_free(e->destination);
}

enum ec relay_new(const struct relay_options *options, struct relay **out) {
    struct relay *r = g_new0(struct relay, 1);
    take_options(&r->options, options);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&r->has_work, &attr);
    pthread_cond_init(&r->has_ended, &attr);
    pthread_condattr_destroy(&attr);
    r->destinations = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, destination_free);
    r->routes = g_array_new(false, true, sizeof(struct route_entry));
    g_array_set_clear_func(r->routes, free_route);
    r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum ec ec = r->stop_fd < 0 ? EC_NOT_ENOUGH_RESOURCES : routes_read(r);
    if (ec == EC_OK)
        ec = plan_context(&r->options, &r->tls);
    if (ec == EC_OK && !r->options.no_mta_sts && r->options.dns)
        ec = sts_new(&r->options, &r->is_stopping, &r->sts);
    if (ec != EC_OK) {
        relay_free(r);
        return ec;
    }
    *out = r;
    return EC_OK;
}

void relay_stop(struct relay *r) {
    static const uint64_t one = 1;
    GQueue left = G_QUEUE_INIT;
    pthread_mutex_lock(&r->lock);
    if (!atomic_load(&r->is_stopping)) {
        r->stop_until = g_get_monotonic_time() + RELAY_GRACE_MS * 1000;
        atomic_store(&r->is_stopping, true);
        ssize_t n = write(r->stop_fd, &one, sizeof one);
        (void)n; // a counter of 1 always fits
    }
    pthread_cond_broadcast(&r->has_work);
    while (r->n_threads > 0)
        pthread_cond_wait(&r->has_ended, &r->lock);
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, r->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        for (struct relay_job *job; (job = pop_job(r, value));)
            g_queue_push_tail_link(&left, &job->link);
    pthread_mutex_unlock(&r->lock);
    for (GList *link; (link = g_queue_pop_head_link(&left));)
        finish_unsent(link->data, &busy);
}

void relay_free(struct relay *r) {
    if (!r)
        return;
    relay_stop(r);
    g_hash_table_unref(r->destinations);
    g_array_unref(r->routes);
    g_free(r->smarthost);
    SSL_CTX_free(r->tls);
    sts_free(r->sts);
    if (r->stop_fd >= 0)
        close(r->stop_fd);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->has_work);
    pthread_cond_destroy(&r->has_ended);
    struct relay_options *o = &r->options;
    const char *const strings[] = {
        o->hostname, o->smarthost, o->smarthost_user, o->smarthost_password,
        o->routes,   o->ca_file,   o->sts_dir};
    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        g_free((char *)strings[i]);
    g_free(r);
}

// --- What is known ---

void relay_connection_failed(struct relay *r, struct destination *d, struct relay_job *job,
                             const struct relay_result *why) {
    GQueue failed = G_QUEUE_INIT;
    if (why->verdict == RELAY_BUSY) { // a stop
        finish_unsent(job, &busy);
        return;
    }
    r->failures++;
    pthread_mutex_lock(&r->lock);
    bool others_work = d->n_sessions > 1 && d->last_success &&
                       g_get_monotonic_time() - d->last_success < 60 * G_TIME_SPAN_SECOND;
    if (others_work && why->verdict == RELAY_DEFERRED) {
        d->limit = MAX(1, d->n_sessions - 1); // the server has enough of them
        pthread_mutex_unlock(&r->lock);
        relay_return_job(r, d, job, why);
        return;
    }
    g_queue_push_head_link(&d->jobs, &job->link);
    r->n_jobs++;
    destination_failed(r, d, why, &failed);
    pthread_mutex_unlock(&r->lock);
    fail_all(&failed, r, d);
}

void relay_succeeded(struct relay *r, struct destination *d) {
    pthread_mutex_lock(&r->lock);
    bool was_down = d->failures > 0;
    destination_succeeded(r, d);
    pthread_mutex_unlock(&r->lock);
    if (was_down)
        tell_room(r, d->name, 0);
}

void relay_forget_failures(struct relay *r, const char *name) {
    GHashTableIter iter;
    void *value;
    pthread_mutex_lock(&r->lock);
    g_hash_table_iter_init(&iter, r->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct destination *d = value;
        if (!name || strcmp(d->name, name) == 0)
            d->down_until = 0;
    }
    pthread_mutex_unlock(&r->lock);
}

void relay_states(struct relay *r, struct arena *arena, struct relay_state **out, unsigned *n_out) {
    GHashTableIter iter;
    void *value;
    unsigned n = 0;
    int64_t now = g_get_monotonic_time();
    pthread_mutex_lock(&r->lock);
    struct relay_state *states =
        arena_alloc(arena, g_hash_table_size(r->destinations) * sizeof *states);
    g_hash_table_iter_init(&iter, r->destinations);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct destination *d = value;
        states[n++] = (struct relay_state){
            .destination = arena_strdup(arena, d->name),
            .n_jobs = d->jobs.length,
            .n_connections = d->n_sessions + d->idle.length,
            .limit = d->limit,
            .failures = d->failures,
            .down_ms = d->down_until > now ? (unsigned)((d->down_until - now) / 1000) : 0,
            .reason = d->failures ? arena_strdup(arena, d->reason) : NULL,
        };
    }
    pthread_mutex_unlock(&r->lock);
    *out = states;
    *n_out = n;
}

void relay_stats(struct relay *r, struct relay_stats *out) {
    *out = (struct relay_stats){r->messages, r->connections, r->tls_connections, r->failures};
}
