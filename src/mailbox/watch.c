// Waking a session when a folder changes.
#include "mailbox/mailbox_internal.h"
#include "store/event.h"

struct mailbox_watch {
    struct mbox_watch *watch;
    void (*wake)(void *ctx);
    void *ctx;
};

static void on_events(void *ctx, const struct event *events, unsigned n) {
    (void)events, (void)n;
    struct mailbox_watch *w = ctx;
    w->wake(w->ctx);
}

enum ec mailbox_watch_new(struct mailbox *m, uint64_t fid, void (*wake)(void *ctx), void *ctx,
                          struct mailbox_watch **out) {
    const unsigned kinds = EVENT_NEW_MAIL | EVENT_CREATED | EVENT_DELETED | EVENT_MODIFIED |
                           EVENT_MOVED | EVENT_COPIED;
    if (!m->is_owner) {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(m->mbox, &tx));
        // Without a folder the news would tell of every folder.
        EC_TRY(fid                  ? rights_require(m, tx, fid, RIGHTS_READ_ANY)
               : rights_are_full(m) ? EC_OK
                                    : EC_ACCESS_DENIED);
    }
    struct mailbox_watch *w = g_new0(struct mailbox_watch, 1);
    w->wake = wake;
    w->ctx = ctx;
    w->watch = mbox_watch_new(m->mbox, fid, kinds, on_events, w);
    *out = w;
    return EC_OK;
}

void mailbox_watch_free(struct mailbox_watch *w) {
    if (!w)
        return;
    mbox_watch_free(w->watch);
    g_free(w);
}
