// What the tests of transport/ and smtp/ share: a directory with people and groups, their
// mailboxes, and a queue.
#pragma once

#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "base/test.h"
#include "mailbox/mailbox.h"
#include "queue/queue.h"
#include "store/folder.h"
#include "store/message.h"
#include "transport/transport.h"

struct world {
    char *dir;
    struct directory *directory;
    struct auth *auth;
    struct store *store;
    struct mailbox_service *mailboxes;
    struct queue *queue;
    struct guid alice, bob, full;
};

static inline struct guid world_add(struct world *w, enum directory_kind kind, const char *address,
                                    const char *target, uint64_t quota) {
    bool has_mailbox = kind == DIRECTORY_USER;
    struct directory_object o = {.kind = kind,
                                 .address = address,
                                 .display_name = address,
                                 .target = target,
                                 .has_mailbox = has_mailbox,
                                 .protocols = DIRECTORY_ALL_PROTOCOLS,
                                 .quota = quota};
    assert_ok(directory_add(w->directory, &o));
    struct mbox_new spec = {o.guid, address, address, "en"};
    if (has_mailbox)
        assert_ok(store_create_mailbox(w->store, &spec));
    return o.guid;
}

static inline void world_setup(struct world *w, gconstpointer data) {
    (void)data;
    w->dir = test_folder();
    g_autofree char *directory = g_build_filename(w->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(w->dir, "store", NULL);
    g_autofree char *queue = g_build_filename(w->dir, "queue", NULL);
    struct store_options options = {.is_durable = false};
    static const struct auth_options loopback = {.plaintext_loopback = true};
    assert_ok(directory_open(directory, &w->directory));
    assert_ok(directory_domain_add(w->directory, "example.test"));
    assert_ok(auth_new(w->directory, &loopback, &w->auth));
    assert_ok(store_open(store, &options, &w->store));
    assert_ok(mailbox_service_new(w->store, w->directory, &w->mailboxes));
    assert_ok(queue_open(queue, &w->queue));
    w->alice = world_add(w, DIRECTORY_USER, "alice@example.test", NULL, 0);
    w->bob = world_add(w, DIRECTORY_USER, "bob@example.test", NULL, 0);
    w->full = world_add(w, DIRECTORY_USER, "full@example.test", NULL, 10);
    assert_ok(auth_set_password(w->auth, &w->alice, "secret"));
    struct guid staff = world_add(w, DIRECTORY_GROUP, "staff@example.test", NULL, 0);
    assert_ok(directory_member_add(w->directory, &staff, &w->alice));
    assert_ok(directory_member_add(w->directory, &staff, &w->bob));
    world_add(w, DIRECTORY_CONTACT, "partner@example.test", "someone@elsewhere.test", 0);
    world_add(w, DIRECTORY_CONTACT, "tobob@example.test", "bob@example.test", 0);
    world_add(w, DIRECTORY_CONTACT, "ping@example.test", "pong@example.test", 0);
    world_add(w, DIRECTORY_CONTACT, "pong@example.test", "ping@example.test", 0);
}

static inline void world_teardown(struct world *w, gconstpointer data) {
    (void)data;
    queue_close(w->queue);
    mailbox_service_free(w->mailboxes);
    store_close(w->store);
    auth_free(w->auth);
    directory_close(w->directory);
    test_folder_remove(w->dir);
}

// How many messages are in an inbox.
static inline unsigned world_count(struct world *w, const struct guid *guid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    assert_ok(store_open_mailbox(w->store, guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, FID_INBOX, &info));
    return info.n_messages;
}

// The bytes of the message with this uid in an inbox (g_free).
static inline char *world_read(struct world *w, const struct guid *guid, uint32_t uid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    uint64_t mid;
    struct message_mime mime;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(store_open_mailbox(w->store, guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(message_by_uid(tx, FID_INBOX, uid, &mid));
    assert_ok(message_get_mime(tx, arena, mid, false, false, &mime));
    assert_ok(blob_read(tx, mime.blob, 0, 0, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    return g_strndup(data, len);
}

// Waits for the queue to have `n` entries left.
static inline void world_wait(struct world *w, unsigned n) {
    for (unsigned i = 0; i < 1000 && queue_count(w->queue) != n; i++)
        g_usleep(10000);
    g_assert_cmpuint(queue_count(w->queue), ==, n);
}
