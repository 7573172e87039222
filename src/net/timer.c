// Timers of the rest of the server: an event of loop 0 puts the function into the worker pool.
//
// A timer is kept by its user, by the loop while its event is there, and by the pool while it is
// queued; the last to let go frees it.
#include "net/net_internal.h"

struct net_timer {
    struct net *net; // NULL when the net is gone
    struct net_timer *next;
    unsigned ms;
    void (*fn)(void *data);
    void *data;

    struct event event;       // loop 0
    struct net_task add_task; // to loop 0
    struct net_task del_task; // to loop 0
    struct net_task job;      // to the pool

    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned refs;
    bool queued; // in the pool or running
    bool running;
    bool stopped;
    pthread_t runner; // while running
};

// Under the lock, which is gone afterwards.
static void unlock_and_unref(struct net_timer *timer) {
    bool is_last = --timer->refs == 0;
    pthread_mutex_unlock(&timer->lock);
    if (!is_last)
        return;
    pthread_cond_destroy(&timer->ended);
    pthread_mutex_destroy(&timer->lock);
    g_free(timer);
}

static void run_job(struct net_task *task) {
    struct net_timer *timer = NET_CONTAINER(task, struct net_timer, job);
    pthread_mutex_lock(&timer->lock);
    if (!timer->stopped) {
        timer->running = true;
        timer->runner = pthread_self();
        pthread_mutex_unlock(&timer->lock);
        timer->fn(timer->data);
        pthread_mutex_lock(&timer->lock);
        timer->running = false;
        pthread_cond_broadcast(&timer->ended);
    }
    timer->queued = false;
    unlock_and_unref(timer);
}

static void on_due(evutil_socket_t fd, short what, void *data) {
    struct net_timer *timer = data;
    pthread_mutex_lock(&timer->lock);
    if (!timer->stopped && !timer->queued) { // else it is late, and this turn is left out
        timer->queued = true;
        timer->refs++;
        net_pool_push(&timer->net->pool, NET_CLASS_TASK, &timer->job);
    }
    pthread_mutex_unlock(&timer->lock);
}

static void add_event(struct net_task *task) {
    struct net_timer *timer = NET_CONTAINER(task, struct net_timer, add_task);
    struct timeval every = {.tv_sec = timer->ms / 1000, .tv_usec = timer->ms % 1000 * 1000};
    event_assign(&timer->event, timer->net->loops[0].base, -1, EV_PERSIST, on_due, timer);
    event_add(&timer->event, &every);
}

static void del_event(struct net_task *task) {
    struct net_timer *timer = NET_CONTAINER(task, struct net_timer, del_task);
    event_del(&timer->event);
    pthread_mutex_lock(&timer->lock);
    unlock_and_unref(timer);
}

struct net_timer *net_timer_new(struct net *net, unsigned ms, void (*fn)(void *data), void *data) {
    struct net_timer *timer = g_new0(struct net_timer, 1);
    timer->net = net;
    timer->ms = MAX(ms, 1);
    timer->fn = fn;
    timer->data = data;
    timer->add_task.run = add_event;
    timer->del_task.run = del_event;
    timer->job.run = run_job;
    timer->refs = 2; // the user's and the loop's
    pthread_mutex_init(&timer->lock, NULL);
    pthread_cond_init(&timer->ended, NULL);
    pthread_mutex_lock(&net->lock);
    timer->next = net->timers;
    net->timers = timer;
    pthread_mutex_unlock(&net->lock);
    net_loop_post(&net->loops[0], &timer->add_task);
    return timer;
}

// Whoever takes the timer off the list lets the loop's reference go; false: net_free does.
static bool unlist(struct net *net, struct net_timer *timer) {
    pthread_mutex_lock(&net->lock);
    struct net_timer **at = &net->timers;
    while (*at && *at != timer)
        at = &(*at)->next;
    bool found = *at != NULL;
    if (found)
        *at = timer->next;
    pthread_mutex_unlock(&net->lock);
    return found;
}

void net_timer_free(struct net_timer *timer) {
    if (!timer)
        return;
    if (timer->net && unlist(timer->net, timer))
        net_loop_post(&timer->net->loops[0], &timer->del_task);
    pthread_mutex_lock(&timer->lock);
    timer->stopped = true;
    // Its own function may free a timer: then there is nothing to wait for.
    while (timer->running && !pthread_equal(timer->runner, pthread_self()))
        pthread_cond_wait(&timer->ended, &timer->lock);
    unlock_and_unref(timer);
}

static void detach(struct net_loop *loop, void *data) {
    struct net_timer *timer = data;
    event_del(&timer->event);
}

void net_timers_detach(struct net *net) {
    for (;;) {
        pthread_mutex_lock(&net->lock);
        struct net_timer *timer = net->timers;
        if (timer)
            net->timers = timer->next;
        pthread_mutex_unlock(&net->lock);
        if (!timer)
            return;
        net_loop_call(&net->loops[0], detach, timer);
        pthread_mutex_lock(&timer->lock);
        timer->stopped = true;
        while (timer->running)
            pthread_cond_wait(&timer->ended, &timer->lock);
        timer->net = NULL;
        unlock_and_unref(timer);
    }
}
