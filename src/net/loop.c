// An event-loop thread: an event base, a queue for messages from other threads, and the wheel that
// keeps time for tens of thousands of connections.
//
// The wheel has one slot a second. A connection's activity does not touch it: when its slot comes,
// the connection is looked at, and if nothing is due it moves to a later slot.
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "net/net_internal.h"

static int64_t seconds_now(void) {
    return net_now() / G_USEC_PER_SEC;
}

void net_wheel_insert(struct net_loop *loop, struct net_conn *conn, int64_t second) {
    second = CLAMP(second, loop->second + 1, loop->second + NET_WHEEL_SLOTS - 1);
    struct net_conn **slot = &loop->wheel[second % NET_WHEEL_SLOTS];
    conn->wheel_at = second;
    conn->wheel_next = *slot;
    conn->wheel_prev = slot;
    if (*slot)
        (*slot)->wheel_prev = &conn->wheel_next;
    *slot = conn;
}

void net_wheel_remove(struct net_conn *conn) {
    if (!conn->wheel_prev)
        return;
    *conn->wheel_prev = conn->wheel_next;
    if (conn->wheel_next)
        conn->wheel_next->wheel_prev = conn->wheel_prev;
    conn->wheel_next = NULL;
    conn->wheel_prev = NULL;
}

// At the beginning of the next second, so that nothing is looked at up to a second late.
static void add_tick(struct net_loop *loop) {
    int64_t left = G_USEC_PER_SEC - net_now() % G_USEC_PER_SEC;
    event_add(&loop->tick,
              &(struct timeval){.tv_sec = left / G_USEC_PER_SEC, .tv_usec = left % G_USEC_PER_SEC});
}

static void on_tick(evutil_socket_t fd, short what, void *data) {
    struct net_loop *loop = data;
    int64_t now = seconds_now();
    if (now - loop->second > NET_WHEEL_SLOTS) // the machine slept: one round sees them all
        loop->second = now - NET_WHEEL_SLOTS;
    while (loop->second < now) {
        loop->second++;
        struct net_conn *conn;
        // Whoever is looked at goes to another slot: at least the next.
        while ((conn = loop->wheel[loop->second % NET_WHEEL_SLOTS])) {
            net_wheel_remove(conn);
            net_conn_tick(conn);
        }
    }
    add_tick(loop);
}

static void on_wake(evutil_socket_t fd, short what, void *data) {
    struct net_loop *loop = data;
    uint64_t count;
    if (read(loop->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_event(LOG_LEVEL_ERROR, "net.eventfd_failed", "reason", g_strerror(errno), NULL);
    pthread_mutex_lock(&loop->lock);
    struct net_queue posted = loop->posted;
    loop->posted = (struct net_queue){0};
    bool stop = loop->stop;
    pthread_mutex_unlock(&loop->lock);
    struct net_task *task;
    while ((task = net_queue_pop(&posted)))
        task->run(task);
    if (stop)
        event_base_loopbreak(loop->base);
}

static void ring(struct net_loop *loop) {
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof one);
    (void)n; // EAGAIN: the counter is full, so the loop will wake anyway
}

void net_loop_post(struct net_loop *loop, struct net_task *task) {
    pthread_mutex_lock(&loop->lock);
    bool was_empty = !loop->posted.head;
    net_queue_push(&loop->posted, task);
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        ring(loop);
}

struct call {
    struct net_task task;
    struct net_loop *loop;
    void (*fn)(struct net_loop *loop, void *data);
    void *data;
    pthread_mutex_t lock;
    pthread_cond_t ran;
    bool done;
};

static void run_call(struct net_task *task) {
    struct call *call = NET_CONTAINER(task, struct call, task);
    call->fn(call->loop, call->data);
    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->ran);
    pthread_mutex_unlock(&call->lock);
}

void net_loop_call(struct net_loop *loop, void (*fn)(struct net_loop *loop, void *data),
                   void *data) {
    struct call call = {.task.run = run_call, .loop = loop, .fn = fn, .data = data};
    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.ran, NULL);
    net_loop_post(loop, &call.task);
    pthread_mutex_lock(&call.lock);
    while (!call.done)
        pthread_cond_wait(&call.ran, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.ran);
    pthread_mutex_destroy(&call.lock);
}

static void *loop_main(void *data) {
    struct net_loop *loop = data;
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static struct event_base *new_base(void) {
    struct event_config *config = event_config_new();
    if (!config)
        return NULL;
    // Only the loop's own thread touches its base. No changelist: an epoll_ctl put off until after
    // the close could hit another loop's connection of the same number.
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

enum ec net_loop_start(struct net_loop *loop, struct net *net) {
    loop->net = net;
    loop->second = seconds_now();
    pthread_mutex_init(&loop->lock, NULL);
    loop->scratch = g_malloc(NET_SCRATCH);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->base = new_base();
    if (loop->wake_fd < 0 || !loop->base) {
        log_event(LOG_LEVEL_ERROR, "net.loop_failed", "reason", g_strerror(errno), NULL);
        return EC_NOT_ENOUGH_RESOURCES;
    }
    event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    event_add(&loop->wake, NULL);
    evtimer_assign(&loop->tick, loop->base, on_tick, loop);
    add_tick(loop);
    loop->started = net_thread_start(&loop->thread, "net-loop", loop_main, loop);
    return loop->started ? EC_OK : EC_NOT_ENOUGH_RESOURCES;
}

void net_loop_stop(struct net_loop *loop) {
    if (!loop->started)
        return;
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    ring(loop);
    pthread_join(loop->thread, NULL);
    loop->started = false;
}

void net_loop_free(struct net_loop *loop) {
    if (loop->base) {
        event_del(&loop->wake);
        event_del(&loop->tick);
        event_base_free(loop->base);
    }
    if (loop->wake_fd > 0)
        close(loop->wake_fd);
    g_free(loop->scratch);
    pthread_mutex_destroy(&loop->lock);
}
