// Watches on a mailbox and the publishing of what was committed.
#include "store/event.h"

#include "store/store_internal.h"

struct mbox_watch {
    struct mbox *mbox;
    uint64_t fid;
    unsigned kinds;
    void (*fn)(void *ctx, const struct event *events, unsigned n);
    void *ctx;
};

struct mbox_watch *mbox_watch_new(struct mbox *mbox, uint64_t fid, unsigned kinds,
                                  void (*fn)(void *ctx, const struct event *events, unsigned n),
                                  void *ctx) {
    struct mbox_watch *watch = g_new0(struct mbox_watch, 1);
    *watch = (struct mbox_watch){mbox_ref(mbox), fid, kinds, fn, ctx};
    pthread_mutex_lock(&mbox->watch_lock);
    g_ptr_array_add(mbox->watches, watch);
    pthread_mutex_unlock(&mbox->watch_lock);
    return watch;
}

void mbox_watch_free(struct mbox_watch *watch) {
    if (!watch)
        return;
    struct mbox *mbox = watch->mbox;
    pthread_mutex_lock(&mbox->watch_lock);
    g_ptr_array_remove_fast(mbox->watches, watch);
    pthread_mutex_unlock(&mbox->watch_lock);
    mbox_unref(mbox);
    g_free(watch);
}

static bool wants(const struct mbox_watch *watch, const struct event *e) {
    return (watch->kinds & e->kind) && (watch->fid == 0 || watch->fid == e->fid ||
                                        (watch->fid == e->old_fid && e->kind == EVENT_MOVED));
}

// Calls the watch for each run of events it wants; most commits are one run.
static void publish_to(const struct mbox_watch *watch, const struct event *events, unsigned n) {
    for (unsigned i = 0; i < n;) {
        unsigned end = i;
        while (end < n && wants(watch, &events[end]))
            end++;
        if (end > i)
            watch->fn(watch->ctx, events + i, end - i);
        i = end + 1;
    }
}

void watches_publish(struct mbox *mbox, const struct event *events, unsigned n) {
    if (n == 0)
        return;
    pthread_mutex_lock(&mbox->watch_lock);
    for (guint i = 0; i < mbox->watches->len; i++)
        publish_to(mbox->watches->pdata[i], events, n);
    pthread_mutex_unlock(&mbox->watch_lock);
}

void watches_wake(struct mbox *mbox) {
    pthread_mutex_lock(&mbox->watch_lock);
    for (guint i = 0; i < mbox->watches->len; i++) {
        const struct mbox_watch *watch = mbox->watches->pdata[i];
        struct event e = {.kind = watch->kinds & -watch->kinds, .fid = watch->fid};
        if (e.kind)
            watch->fn(watch->ctx, &e, 1);
    }
    pthread_mutex_unlock(&mbox->watch_lock);
}
