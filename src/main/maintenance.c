// Background work of the server: a timer of one second on a worker.
#include "base/clock.h"
#include "base/log.h"
#include "mailbox/retention.h"
#include "main/server.h"
#include "store/store.h"
#include "transport/track.h"

#define SECOND 1000
#define PASS_MS 300                // of a tick, at most, for the nightly passes
#define TLS_CHECK (12 * 3600)      // seconds between looks at the certificate
#define AGING_INTERVAL 3600        // seconds
#define PURGE_INTERVAL (24 * 3600) // seconds between purges of delivery ids
#define PURGE_AGE (30 * UINT64_C(86400) * FILETIME_SECOND) // nothing stays in the queue so long

static enum ec purge(struct mbox_tx *tx, void *ctx) {
    return mbox_purge_delivered(tx, *(const filetime_t *)ctx);
}

static void purge_all(struct server *server) {
    struct store *store = server->services.store;
    g_autoptr(GArray) mailboxes = NULL;
    filetime_t before = clock_now() - PURGE_AGE;
    if (store_list_mailboxes(store, &mailboxes) != EC_OK)
        return;
    for (unsigned i = 0; i < mailboxes->len; i++) {
        MBOX_AUTO mbox = NULL;
        if (store_open_mailbox(store, &g_array_index(mailboxes, struct guid, i), &mbox) == EC_OK)
            mbox_write(mbox, purge, &before);
    }
}

static void tick(void *data) {
    struct server *server = data;
    server->ticks++;
    store_maintain(server->services.store);
    track_flush();
    retention_passes_step(server->passes, PASS_MS);
    if (server->ticks % TLS_CHECK == 0 && tls_look_after(server))
        tls_reload(server);
    if (server->ticks % PURGE_INTERVAL == 0)
        purge_all(server);
    if (server->ticks % AGING_INTERVAL == 1)
        mailbox_age_public(server->services.mailboxes);
}

void maintenance_start(struct server *server) {
    server->passes = retention_passes_new(server->services.mailboxes);
    server->timer = net_timer_new(server->net, SECOND, tick, server);
}
