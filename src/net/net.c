// The whole: loops, pool and listeners are started here and stopped in order.
#include <time.h>

#include "base/log.h"
#include "net/net_internal.h"

static void free_parts(struct net *net) {
    for (unsigned i = 0; i < net->n_loops; i++)
        net_loop_stop(&net->loops[i]);
    for (unsigned i = 0; i < net->n_loops; i++)
        net_loop_free(&net->loops[i]);
    net_listeners_free(net);
    pthread_cond_destroy(&net->closed);
    pthread_mutex_destroy(&net->lock);
    g_free(net->loops);
    g_free(net);
}

enum ec net_new(unsigned loops, unsigned workers, struct net **out) {
    struct net *net = g_new0(struct net, 1);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&net->closed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&net->lock, NULL);
    net->write_seconds = NET_WRITE_SECONDS;
    net->handshake_seconds = NET_HANDSHAKE_SECONDS;
    net->rest_seconds = NET_DEFLATE_REST_SECONDS;
    if (loops == 0)
        loops = CLAMP(g_get_num_processors() / 2, 1, NET_LOOPS_MAX);
    net->loops = g_new0(struct net_loop, loops);
    enum ec ec = EC_OK;
    while (net->n_loops < loops && ec == EC_OK)
        ec = net_loop_start(&net->loops[net->n_loops++], net);
    if (ec != EC_OK) {
        free_parts(net);
        return ec;
    }
    ec = net_pool_start(&net->pool, net, workers);
    if (ec != EC_OK) {
        net_pool_stop(&net->pool);
        free_parts(net);
        return ec;
    }
    *out = net;
    return EC_OK;
}

static void signal_all(struct net_loop *loop, void *data) {
    uint8_t flag = *(const uint8_t *)data;
    for (unsigned i = 0; i < NET_WHEEL_SLOTS; i++)
        for (struct net_conn *conn = loop->wheel[i]; conn; conn = conn->wheel_next)
            net_conn_signal(conn, flag);
}

static void signal_connections(struct net *net, uint8_t flag) {
    for (unsigned i = 0; i < net->n_loops; i++)
        net_loop_call(&net->loops[i], signal_all, &flag);
}

// Waits until no connection is open; false after `until` (CLOCK_MONOTONIC; NULL: for ever).
static bool wait_closed(struct net *net, const struct timespec *until) {
    int error = 0;
    pthread_mutex_lock(&net->lock);
    while (net->open > 0 && error == 0)
        error = until ? pthread_cond_timedwait(&net->closed, &net->lock, until)
                      : pthread_cond_wait(&net->closed, &net->lock);
    bool done = net->open == 0;
    pthread_mutex_unlock(&net->lock);
    return done;
}

void net_free(struct net *net, unsigned grace_ms) {
    if (!net)
        return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += grace_ms / 1000;
    until.tv_nsec += (long)(grace_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    net_listeners_close(net);
    signal_connections(net, NET_FLAG_SHUTDOWN);
    if (!wait_closed(net, &until)) {
        uint64_t left = net->counters.open_now;
        log_event(LOG_LEVEL_INFO, "net.closing_by_force", "connections", log_u64(left), NULL);
        signal_connections(net, NET_FLAG_KILL);
        wait_closed(net, NULL); // a job that is running has to end
    }
    net_timers_detach(net);
    net_pool_stop(&net->pool);
    free_parts(net);
}

struct run {
    struct net_task task;
    void (*fn)(void *data);
    void *data;
};

static void run_once(struct net_task *task) {
    struct run *run = NET_CONTAINER(task, struct run, task);
    run->fn(run->data);
    g_free(run);
}

void net_run(struct net *net, void (*fn)(void *data), void *data) {
    struct run *run = g_new(struct run, 1);
    *run = (struct run){.task.run = run_once, .fn = fn, .data = data};
    net_pool_push(&net->pool, NET_CLASS_TASK, &run->task);
}

void net_stats(struct net *net, struct net_stats *out) {
    const struct net_counters *c = &net->counters;
    *out = (struct net_stats){
        .accepted = c->accepted,
        .refused = c->refused,
        .open_now = c->open_now,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .jobs = c->jobs,
        .tls_failures = c->tls_failures,
    };
}
