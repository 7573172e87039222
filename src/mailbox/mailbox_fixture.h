// A directory, a store and the use cases over them, with users, for the tests of mailbox/.
#pragma once

#include <string.h>

#include "base/clock.h"
#include "base/test.h"
#include "directory/directory.h"
#include "directory/setting.h"
#include "mailbox/mailbox_internal.h"
#include "store/check.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)
#define START (FILETIME_UNIX_EPOCH + UINT64_C(1700000000) * FILETIME_SECOND)

struct world {
    char *dir;
    struct directory *d;
    struct store *store;
    struct mailbox_service *service;
    struct guid alice, bob;
    struct mailbox *m; // alice's, as herself
};

static inline struct guid world_add_user(struct world *w, const char *address, uint64_t quota) {
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = address,
                                    .display_name = address,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS,
                                    .quota = quota};
    assert_ok(directory_add(w->d, &user));
    struct mbox_new spec = {user.guid, address, address, "en"};
    assert_ok(store_create_mailbox(w->store, &spec));
    return user.guid;
}

static inline struct principal *world_principal(const struct guid *guid, const char *address) {
    struct principal *who = g_new0(struct principal, 1);
    who->refs = 1;
    who->guid = *guid;
    who->address = g_strdup(address);
    who->display_name = g_strdup(address);
    return who;
}

static inline void world_open(struct world *w) {
    g_autofree char *store = g_build_filename(w->dir, "store", NULL);
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(store, &options, &w->store));
    assert_ok(mailbox_service_new(w->store, w->d, &w->service));
}

static inline void world_log_in(struct world *w) {
    struct principal *who = world_principal(&w->alice, "alice@example.test");
    assert_ok(mailbox_open_own(w->service, who, &w->m));
    principal_unref(who);
}

static inline void world_setup(struct world *w, gconstpointer data) {
    (void)data;
    w->dir = test_folder();
    g_autofree char *path = g_build_filename(w->dir, "directory.db", NULL);
    assert_ok(directory_open(path, &w->d));
    assert_ok(directory_domain_add(w->d, "example.test"));
    world_open(w);
    clock_set(START - 1000 * DAY); // before whatever the test's clock says
    w->alice = world_add_user(w, "alice@example.test", 0);
    w->bob = world_add_user(w, "bob@example.test", 0);
    clock_set(0);
    world_log_in(w);
}

static inline void world_close_store(struct world *w) {
    mailbox_close(w->m);
    mailbox_service_free(w->service);
    store_close(w->store);
    w->m = NULL;
}

// As after a restart.
static inline void world_reopen(struct world *w) {
    world_close_store(w);
    world_open(w);
    world_log_in(w);
}

static inline void world_teardown(struct world *w, gconstpointer data) {
    (void)data;
    world_close_store(w);
    directory_close(w->d);
    test_folder_remove(w->dir);
    clock_set(0);
}

static inline void world_assert_clean(struct world *w, const struct guid *guid) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(w->store, guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_error("%s", (const char *)faults->pdata[i]);
}

// A message with a body of `size` letters.
static inline GBytes *world_message(const char *subject, size_t size) {
    g_autofree char *body = g_strnfill(size, 'x');
    char *text = g_strdup_printf("From: A <a@b>\r\nTo: alice@example.test\r\nSubject: %s\r\n"
                                 "\r\n%s\r\n",
                                 subject, body);
    return g_bytes_new_take(text, strlen(text));
}

static inline enum ec world_append(struct world *w, uint64_t fid, const char *subject, size_t size,
                                   uint64_t *mid_out) {
    g_autoptr(GBytes) mime = world_message(subject, size);
    struct mailbox_append message = {.mime = mime};
    return mailbox_append(w->m, fid, &message, mid_out, NULL);
}

static inline enum ec world_deliver(struct world *w, const struct guid *to, const char *subject,
                                    size_t size) {
    static int next;
    g_autoptr(GBytes) mime = world_message(subject, size);
    g_autofree char *id = g_strdup_printf("q%d", g_atomic_int_add(&next, 1));
    struct mailbox_delivery d = {
        .mailbox = to, .delivery_id = id, .mime = mime, .arrived = clock_now()};
    mailbox_deliver(w->service, &d, 1);
    return d.result;
}

static inline struct folder_info world_folder(struct world *w, const struct guid *guid,
                                              uint64_t fid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    assert_ok(store_open_mailbox(w->store, guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &info));
    mbox_read_end(tx);
    tx = NULL;
    info.name = info.container_class = NULL;
    return info;
}

static inline struct mbox_usage world_usage(struct world *w) {
    struct mailbox_quota q;
    assert_ok(mailbox_get_quota(w->m, &q));
    return q.usage;
}

#define WORLD_TEST(path, function)                                                                 \
    g_test_add(path, struct world, NULL, world_setup, function, world_teardown)
