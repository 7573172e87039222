// Watches on a mailbox and the publishing of what was committed.
#include "store/event.h"

#include "store/rows.h"
#include "store/store_internal.h"

#define BATCH_EVENTS 128

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

static void publish(struct mbox *mbox, const struct event *events, unsigned n) {
    for (guint i = 0; n > 0 && i < mbox->watches->len; i++)
        publish_to(mbox->watches->pdata[i], events, n);
}

// The events of a run from row `*i` on, up to `max` of them.
static unsigned next_events(const struct event_run *run, uint32_t *i, struct event *out,
                            unsigned max) {
    unsigned n = 0;
    for (; *i < run->n && n < max; (*i)++) {
        const struct message_row *row = folder_rows_at(run->rows, run->first + *i);
        struct flag_state state = {.uid = row->uid, .flags = row->flags, .modseq = row->modseq};
        if (flag_range_apply(&run->range, &state))
            out[n++] = (struct event){.kind = EVENT_MODIFIED,
                                      .fid = run->range.fid,
                                      .mid = row->mid,
                                      .message_flags = state.flags,
                                      .cn = state.modseq};
    }
    return n;
}

static void publish_run(struct mbox *mbox, const struct event_run *run) {
    const struct event any = {.kind = EVENT_MODIFIED, .fid = run->range.fid};
    bool is_wanted = false;
    for (guint i = 0; i < mbox->watches->len && !is_wanted; i++)
        is_wanted = wants(mbox->watches->pdata[i], &any);
    struct event events[BATCH_EVENTS];
    for (uint32_t i = 0; is_wanted && i < run->n;)
        publish(mbox, events, next_events(run, &i, events, BATCH_EVENTS));
}

void watches_publish(struct mbox *mbox, const GArray *events, const GArray *runs) {
    if (events->len == 0 && runs->len == 0)
        return;
    const struct event *all = (const struct event *)(void *)events->data;
    guint done = 0;
    pthread_mutex_lock(&mbox->watch_lock);
    for (guint i = 0; i < runs->len; i++) {
        const struct event_run *run = &g_array_index(runs, struct event_run, i);
        publish(mbox, all + done, run->at - done);
        publish_run(mbox, run);
        done = run->at;
    }
    publish(mbox, all + done, events->len - done);
    pthread_mutex_unlock(&mbox->watch_lock);
}

static void clear_run(gpointer data) {
    folder_rows_unref(((struct event_run *)data)->rows);
}

GArray *event_runs_new(void) {
    GArray *runs = g_array_new(FALSE, FALSE, sizeof(struct event_run));
    g_array_set_clear_func(runs, clear_run);
    return runs;
}

void tx_publish_run(struct mbox_tx *tx, struct folder_rows *rows, uint32_t first, uint32_t n,
                    const struct flag_range *range) {
    struct event_run run = {tx->events->len, folder_rows_ref(rows), first, n, *range};
    g_array_append_val(tx->event_runs, run);
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
