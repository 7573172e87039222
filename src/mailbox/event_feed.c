// Feeds of events: one watch on the mailbox, a filter, a ring that grows while nobody reads.
//
// Events come on the committing thread with the mailbox's watches locked; only the feed's own lock
// is taken there, and no lock is held while `wake` runs but that of the watches.
#include "mailbox/event_feed.h"

#include <pthread.h>
#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "store/event.h"

#define RING_MIN 8
#define ALL_KINDS                                                                                  \
    (EVENT_NEW_MAIL | EVENT_CREATED | EVENT_DELETED | EVENT_MODIFIED | EVENT_MOVED | EVENT_COPIED)

G_STATIC_ASSERT((unsigned)MAILBOX_EVENT_NEW_MAIL == (unsigned)EVENT_NEW_MAIL);
G_STATIC_ASSERT((unsigned)MAILBOX_EVENT_COPIED == (unsigned)EVENT_COPIED);

struct mailbox_feed {
    struct mbox_watch *watch;
    uint64_t *fids; // ascending
    unsigned n_fids;
    unsigned kinds;
    void (*wake)(void *ctx);
    void *ctx;
    pthread_mutex_t lock; // of what follows
    struct mailbox_event *ring;
    unsigned size, n, first; // power of two; events; the oldest one's place
    uint64_t last;           // seq of the newest
    uint64_t lost;           // events up to this seq were dropped
};

static size_t all_bytes; // atomic: rings of the process

static gint by_number(gconstpointer a, gconstpointer b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_watched(const struct mailbox_feed *f, uint64_t fid) {
    return f->n_fids == 0 ||
           (fid && bsearch(&fid, f->fids, f->n_fids, sizeof fid, by_number) != NULL);
}

static bool wants(const struct mailbox_feed *f, const struct event *e) {
    if (!(e->kind & f->kinds) || e->is_link)
        return false;
    if (is_watched(f, e->fid) || (e->old_fid && is_watched(f, e->old_fid)))
        return true;
    // A folder's own life belongs to its parent, too.
    return e->is_folder &&
           (is_watched(f, e->parent) || (e->old_parent && is_watched(f, e->old_parent)));
}

// --- The ring ---

static void resize(struct mailbox_feed *f, unsigned size) {
    struct mailbox_event *ring = size ? g_new(struct mailbox_event, size) : NULL;
    for (unsigned i = 0; i < f->n; i++)
        ring[i] = f->ring[(f->first + i) & (f->size - 1)];
    __atomic_add_fetch(&all_bytes, size * sizeof *ring, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&all_bytes, f->size * sizeof *ring, __ATOMIC_RELAXED);
    g_free(f->ring);
    f->ring = ring;
    f->size = size;
    f->first = 0;
}

static void drop_all(struct mailbox_feed *f) {
    f->n = f->first = 0;
    if (f->size)
        resize(f, 0);
}

static void lose(struct mailbox_feed *f) {
    f->lost = ++f->last;
    drop_all(f);
}

static void append(struct mailbox_feed *f, const struct event *e, filetime_t now) {
    if (f->lost && f->lost == f->last) { // nobody has noticed yet: nothing more is worth keeping
        lose(f);
        return;
    }
    if (f->n == f->size) {
        unsigned size = f->size ? 2 * f->size : RING_MIN;
        if (size > MAILBOX_FEED_EVENTS ||
            __atomic_load_n(&all_bytes, __ATOMIC_RELAXED) > MAILBOX_FEED_BUDGET) {
            lose(f);
            return;
        }
        resize(f, size);
    }
    f->ring[(f->first + f->n++) & (f->size - 1)] = (struct mailbox_event){
        .seq = ++f->last,
        .kind = (enum mailbox_event_kind)e->kind,
        .is_folder = e->is_folder,
        .fid = e->fid,
        .mid = e->is_folder ? 0 : e->mid,
        .old_fid = e->old_fid,
        .old_mid = e->old_mid,
        .parent = e->parent,
        .old_parent = e->old_parent,
        .cn = e->cn,
        .time = now,
    };
}

static void on_events(void *ctx, const struct event *events, unsigned n) {
    struct mailbox_feed *f = ctx;
    bool is_new = false;
    filetime_t now = clock_now();
    pthread_mutex_lock(&f->lock);
    for (unsigned i = 0; i < n; i++) {
        // What a replaced mailbox sends to wake everybody names no object.
        bool is_nothing = events[i].fid == 0 && events[i].mid == 0;
        if (is_nothing)
            lose(f);
        else if (wants(f, &events[i]))
            append(f, &events[i], now);
        else
            continue;
        is_new = true;
    }
    pthread_mutex_unlock(&f->lock);
    if (is_new && f->wake)
        f->wake(f->ctx);
}

// --- A feed ---

static enum ec check(struct mailbox *m, struct mbox_tx *tx, const uint64_t *fids, unsigned n) {
    if (n == 0)
        return rights_are_full(m) ? EC_OK : EC_ACCESS_DENIED;
    for (unsigned i = 0; i < n; i++) {
        ARENA_AUTO arena = arena_new();
        struct folder_info info;
        EC_TRY(folder_get(tx, arena, fids[i], &info));
        EC_TRY(rights_require(m, tx, fids[i], RIGHTS_READ_ANY));
    }
    return EC_OK;
}

enum ec mailbox_feed_new(struct mailbox *m, const struct mailbox_feed_spec *spec,
                         struct mailbox_feed **out) {
    MBOX_TX_AUTO tx = NULL;
    if (spec->n_fids > MAILBOX_FEED_FOLDERS)
        return EC_TOO_COMPLEX;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(check(m, tx, spec->fids, spec->n_fids));
    struct mailbox_feed *f = g_new0(struct mailbox_feed, 1);
    f->kinds = spec->kinds & ALL_KINDS;
    f->wake = spec->wake;
    f->ctx = spec->ctx;
    f->n_fids = spec->n_fids;
    f->fids = g_memdup2(spec->fids, spec->n_fids * sizeof *spec->fids);
    if (f->n_fids)
        qsort(f->fids, f->n_fids, sizeof *f->fids, by_number);
    pthread_mutex_init(&f->lock, NULL);
    f->watch = mbox_watch_new(m->mbox, 0, f->kinds, on_events, f);
    *out = f;
    return EC_OK;
}

void mailbox_feed_stop(struct mailbox_feed *f) {
    mbox_watch_free(g_steal_pointer(&f->watch));
}

void mailbox_feed_free(struct mailbox_feed *f) {
    if (!f)
        return;
    mbox_watch_free(f->watch);
    drop_all(f);
    pthread_mutex_destroy(&f->lock);
    g_free(f->fids);
    g_free(f);
}

enum ec mailbox_feed_check(struct mailbox *m, const struct mailbox_feed *f) {
    if (m->is_owner)
        return EC_OK;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    enum ec ec = check(m, tx, f->fids, f->n_fids);
    return ec == EC_NOT_FOUND ? EC_OK : ec; // the folder's own deletion is still told
}

unsigned mailbox_feed_read(struct mailbox_feed *f, uint64_t after, struct mailbox_event *out,
                           unsigned max, bool *more_out, bool *is_lost_out) {
    unsigned n = 0;
    pthread_mutex_lock(&f->lock);
    *is_lost_out = after < f->lost;
    *more_out = false;
    for (unsigned i = 0; i < f->n && !*is_lost_out; i++) {
        const struct mailbox_event *e = &f->ring[(f->first + i) & (f->size - 1)];
        if (e->seq <= after)
            continue;
        if (n == max) {
            *more_out = true;
            break;
        }
        out[n++] = *e;
    }
    pthread_mutex_unlock(&f->lock);
    return n;
}

void mailbox_feed_forget(struct mailbox_feed *f, uint64_t seq) {
    pthread_mutex_lock(&f->lock);
    while (f->n > 0 && f->ring[f->first].seq <= seq) {
        f->first = (f->first + 1) & (f->size - 1);
        f->n--;
    }
    if (f->n == 0)
        drop_all(f);
    pthread_mutex_unlock(&f->lock);
}

uint64_t mailbox_feed_last(struct mailbox_feed *f) {
    pthread_mutex_lock(&f->lock);
    uint64_t last = f->last;
    pthread_mutex_unlock(&f->lock);
    return last;
}

void mailbox_feed_clear(struct mailbox_feed *f) {
    pthread_mutex_lock(&f->lock);
    drop_all(f);
    if (f->lost)
        f->lost = 0;
    pthread_mutex_unlock(&f->lock);
}
