// The store's background threads: works by mailbox, due at a time, each once while it waits.
//
// A waiting work names its mailbox by guid and holds no reference, so that a mailbox can be closed
// or deleted whatever waits for it.
#include "store/background.h"

#include <string.h>

#include "store/background_internal.h"
#include "store/store_internal.h"

#define THREADS 2

struct waiting {
    struct guid guid;
    background_work work;
    gint64 due; // monotonic, microseconds
};

struct background {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed; // something was asked for, has ended, or the store closes
    GArray *waiting;        // of struct waiting, in order of being asked for
    struct guid running[THREADS];
    bool is_running[THREADS];
    pthread_t threads[THREADS];
    unsigned n_threads; // started when the first work is asked for
    unsigned n_drains;
    _Atomic bool is_stopping;
};

struct thread_arg {
    struct background *b;
    unsigned number;
};

struct background *background_new(struct store *store) {
    struct background *b = g_new0(struct background, 1);
    pthread_condattr_t attr;
    b->store = store;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->changed, &attr);
    pthread_condattr_destroy(&attr);
    b->waiting = g_array_new(FALSE, FALSE, sizeof(struct waiting));
    return b;
}

static bool is_running(const struct background *b, const struct guid *guid) {
    for (unsigned i = 0; i < THREADS; i++)
        if (b->is_running[i] && guid_equal(&b->running[i], guid))
            return true;
    return false;
}

// The index of the work to run now, or -1 and when to look again (INT64_MAX: when woken).
static int pick(const struct background *b, gint64 now, gint64 *next_out) {
    int best = -1;
    *next_out = G_MAXINT64;
    for (guint i = 0; i < b->waiting->len; i++) {
        const struct waiting *w = &g_array_index(b->waiting, struct waiting, i);
        if (is_running(b, &w->guid))
            continue;
        if (w->due > now && b->n_drains == 0) {
            *next_out = MIN(*next_out, w->due);
            continue;
        }
        if (best < 0 || w->due < g_array_index(b->waiting, struct waiting, best).due)
            best = (int)i;
    }
    return best;
}

static void run(struct background *b, const struct waiting *w) {
    struct store *store = b->store;
    pthread_mutex_lock(&store->lock);
    struct mbox *mbox = g_hash_table_lookup(store->open, &w->guid);
    if (mbox)
        mbox->refs++;
    pthread_mutex_unlock(&store->lock);
    if (mbox)
        w->work(mbox);
    mbox_unref(mbox);
}

static void *background_thread(void *data) {
    g_autofree struct thread_arg *arg = data;
    struct background *b = arg->b;
    pthread_mutex_lock(&b->lock);
    while (!b->is_stopping) {
        gint64 next;
        int i = pick(b, g_get_monotonic_time(), &next);
        if (i < 0) {
            struct timespec until = {next / G_USEC_PER_SEC, next % G_USEC_PER_SEC * 1000};
            if (next == G_MAXINT64)
                pthread_cond_wait(&b->changed, &b->lock);
            else
                pthread_cond_timedwait(&b->changed, &b->lock, &until);
            continue;
        }
        struct waiting w = g_array_index(b->waiting, struct waiting, i);
        g_array_remove_index(b->waiting, (guint)i);
        b->running[arg->number] = w.guid;
        b->is_running[arg->number] = true;
        pthread_mutex_unlock(&b->lock);
        run(b, &w);
        pthread_mutex_lock(&b->lock);
        b->is_running[arg->number] = false;
        pthread_cond_broadcast(&b->changed);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void start_threads(struct background *b) {
    while (b->n_threads < THREADS) {
        struct thread_arg *arg = g_new(struct thread_arg, 1);
        *arg = (struct thread_arg){b, b->n_threads};
        if (pthread_create(&b->threads[b->n_threads], NULL, background_thread, arg) != 0) {
            g_free(arg);
            return; // what waits is done by those there are, or after the next start
        }
        b->n_threads++;
    }
}

void background_free(struct background *b) {
    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    b->is_stopping = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    for (unsigned i = 0; i < b->n_threads; i++)
        pthread_join(b->threads[i], NULL);
    g_array_unref(b->waiting);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    g_free(b);
}

void background_want(struct mbox *mbox, background_work work, unsigned delay_ms, bool postpone) {
    struct background *b = mbox->store->background;
    gint64 due = g_get_monotonic_time() + (gint64)delay_ms * 1000;
    struct waiting *w = NULL;
    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    for (guint i = 0; i < b->waiting->len && !w; i++) {
        struct waiting *other = &g_array_index(b->waiting, struct waiting, i);
        if (other->work == work && guid_equal(&other->guid, &mbox->guid))
            w = other;
    }
    if (w) {
        w->due = postpone ? MAX(w->due, due) : MIN(w->due, due);
    } else if (!b->is_stopping) {
        struct waiting new = {mbox->guid, work, due};
        g_array_append_val(b->waiting, new);
        start_threads(b);
    }
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

bool background_is_stopping(struct mbox *mbox) {
    return mbox->store->background->is_stopping;
}

void background_forget(struct background *b, const struct guid *guid) {
    pthread_mutex_lock(&b->lock);
    for (guint i = b->waiting->len; i-- > 0;)
        if (guid_equal(&g_array_index(b->waiting, struct waiting, i).guid, guid))
            g_array_remove_index(b->waiting, i);
    while (is_running(b, guid))
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

static bool is_busy(const struct background *b) {
    bool busy = b->waiting->len > 0;
    for (unsigned i = 0; i < THREADS; i++)
        busy |= b->is_running[i];
    return busy;
}

void background_drain(struct store *store) {
    struct background *b = store->background;
    pthread_mutex_lock(&b->lock);
    b->n_drains++;
    pthread_cond_broadcast(&b->changed);
    while (is_busy(b) && !b->is_stopping)
        pthread_cond_wait(&b->changed, &b->lock);
    b->n_drains--;
    pthread_mutex_unlock(&b->lock);
}
