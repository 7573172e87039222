// The worker pool: threads that run the jobs of connections and the rest of the server's.
//
// Two classes of work, connections and tasks (net_run, timers), take turns, and neither may occupy
// the last thread, so that jobs which block cannot starve the other class. The pool starts small
// and grows when work has waited NET_GROW_MS (all threads sit in fsync, say), up to
// NET_WORKERS_MAX; it does not shrink, a thread that waits costs some ten KiB.
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "net/net_internal.h"

void net_queue_push(struct net_queue *queue, struct net_task *task) {
    task->next = NULL;
    if (queue->tail)
        queue->tail->next = task;
    else
        queue->head = task;
    queue->tail = task;
}

struct net_task *net_queue_pop(struct net_queue *queue) {
    struct net_task *task = queue->head;
    if (!task)
        return NULL;
    queue->head = task->next;
    if (!queue->head)
        queue->tail = NULL;
    task->next = NULL;
    return task;
}

bool net_thread_start(pthread_t *id, const char *name, void *(*fn)(void *), void *data) {
    sigset_t block, before;
    sigfillset(&block);
    static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF};
    for (unsigned i = 0; i < G_N_ELEMENTS(ours); i++)
        sigdelset(&block, ours[i]);
    pthread_sigmask(SIG_SETMASK, &block, &before);
    int error = pthread_create(id, NULL, fn, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error)
        pthread_setname_np(*id, name);
    else
        log_event(LOG_LEVEL_ERROR, "net.thread_failed", "reason", g_strerror(error), NULL);
    return error == 0;
}

static bool may_take(const struct net_pool *pool, enum net_class class) {
    return pool->running[class] + 1 < pool->threads;
}

static struct net_task *take(struct net_pool *pool, enum net_class *class_out) {
    for (unsigned i = 1; i <= NET_CLASSES; i++) {
        enum net_class class = (enum net_class)((pool->last + i) % NET_CLASSES);
        if (!pool->queues[class].head || !may_take(pool, class))
            continue;
        pool->last = class;
        pool->queued--;
        *class_out = class;
        return net_queue_pop(&pool->queues[class]);
    }
    return NULL;
}

static void *worker_main(void *data) {
    struct net_pool *pool = data;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        enum net_class class;
        struct net_task *task = take(pool, &class);
        if (task) {
            pool->running[class]++;
            pthread_mutex_unlock(&pool->lock);
            task->run(task);
            pthread_mutex_lock(&pool->lock);
            pool->running[class]--;
        } else if (pool->stopping && pool->queued == 0) {
            pthread_cond_broadcast(&pool->ready); // some may wait for what was left to others
            break;
        } else {
            pool->idle++;
            pthread_cond_wait(&pool->ready, &pool->lock);
            pool->idle--;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

// Under the lock.
static bool add_thread(struct net_pool *pool) {
    if (!net_thread_start(&pool->ids[pool->threads], "net-worker", worker_main, pool))
        return false;
    pool->threads++;
    return true;
}

void net_pool_push(struct net_pool *pool, enum net_class class, struct net_task *task) {
    task->queued = net_now();
    pthread_mutex_lock(&pool->lock);
    net_queue_push(&pool->queues[class], task);
    pool->queued++;
    bool wakes = pool->idle > 0;
    pool->n_waking += wakes;
    bool watch = !pool->growth_watched && pool->threads < pool->max_threads &&
                 (pool->queued > pool->idle || !may_take(pool, class));
    if (watch) {
        pool->growth_watched = true;
        net_loop_post(&pool->net->loops[0], &pool->watch_task);
    }
    pthread_mutex_unlock(&pool->lock);
    // Without the lock, which whoever wakes takes first.
    if (wakes) {
        pthread_cond_signal(&pool->ready);
        pool->n_waking--;
    }
}

static void watch_again(struct net_pool *pool) {
    struct timeval after = {.tv_usec = NET_GROW_MS * 1000};
    event_add(&pool->watch, &after);
}

static void on_watch_task(struct net_task *task) {
    watch_again(NET_CONTAINER(task, struct net_pool, watch_task));
}

// Loop 0: adds a thread when something has waited too long; looks again while anything waits.
static void on_watch(evutil_socket_t fd, short what, void *data) {
    struct net_pool *pool = data;
    int64_t now = net_now();
    pthread_mutex_lock(&pool->lock);
    bool late = false;
    for (unsigned i = 0; i < NET_CLASSES; i++)
        late |= pool->queues[i].head && now - pool->queues[i].head->queued >= NET_GROW_MS * 1000;
    if (late && !pool->stopping && pool->threads < pool->max_threads && add_thread(pool))
        pthread_cond_broadcast(&pool->ready); // a class may have a thread more
    pool->growth_watched = pool->queued > 0 && !pool->stopping && pool->threads < pool->max_threads;
    if (pool->growth_watched)
        watch_again(pool);
    pthread_mutex_unlock(&pool->lock);
}

enum ec net_pool_start(struct net_pool *pool, struct net *net, unsigned threads) {
    pool->net = net;
    pool->watch_task.run = on_watch_task;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->ready, NULL);
    evtimer_assign(&pool->watch, net->loops[0].base, on_watch, pool);
    if (threads == 0)
        threads = MAX(NET_WORKERS_DEFAULT, 2 * g_get_num_processors());
    threads = CLAMP(threads, NET_WORKERS_MIN, G_N_ELEMENTS(pool->ids));
    pool->max_threads = MAX(threads, NET_WORKERS_MAX);
    pthread_mutex_lock(&pool->lock);
    bool ok = true;
    for (unsigned i = 0; i < threads && ok; i++)
        ok = add_thread(pool);
    pthread_mutex_unlock(&pool->lock);
    return ok ? EC_OK : EC_NOT_ENOUGH_RESOURCES;
}

void net_pool_stop(struct net_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->ready);
    unsigned n = pool->threads; // nothing is added any more
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < n; i++)
        pthread_join(pool->ids[i], NULL);
    while (pool->n_waking > 0) // somebody is about to wake the last one
        sched_yield();
    pthread_cond_destroy(&pool->ready);
    pthread_mutex_destroy(&pool->lock);
}
