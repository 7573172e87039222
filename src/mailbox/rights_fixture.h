// A store and directory with three users, a group and alice's mailbox, for the tests on rights.
#pragma once

#include <string.h>

#include "base/test.h"
#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"

struct world {
    char *dir, *path;
    struct store *store;
    struct directory *directory;
    struct mailbox_service *service;
    struct principal alice, bob, carol;
    struct mailbox *own; // alice's
    struct arena *arena;
};

static inline struct principal world_user(struct world *w, const char *address) {
    struct directory_object user = {
        .kind = DIRECTORY_USER, .address = address, .display_name = address};
    assert_ok(directory_add(w->directory, &user));
    struct mbox_new spec = {user.guid, address, address, "en"};
    assert_ok(store_create_mailbox(w->store, &spec));
    return (struct principal){.refs = 1000000,
                              .guid = user.guid,
                              .address = (char *)address,
                              .display_name = (char *)address};
}

static inline struct guid world_group(struct world *w, const char *address) {
    struct directory_object group = {
        .kind = DIRECTORY_GROUP, .address = address, .display_name = address};
    assert_ok(directory_add(w->directory, &group));
    return group.guid;
}

static inline void world_setup(struct world *w, gconstpointer data) {
    (void)data;
    w->dir = test_folder();
    w->path = g_build_filename(w->dir, "directory.db", NULL);
    w->arena = arena_new();
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(w->dir, &options, &w->store));
    assert_ok(directory_open(w->path, &w->directory));
    assert_ok(directory_domain_add(w->directory, "example.test"));
    w->alice = world_user(w, "alice@example.test");
    w->bob = world_user(w, "bob@example.test");
    w->carol = world_user(w, "carol@example.test");
    assert_ok(mailbox_service_new(w->store, w->directory, &w->service));
    assert_ok(mailbox_open_own(w->service, &w->alice, &w->own));
}

static inline void world_teardown(struct world *w, gconstpointer data) {
    (void)data;
    mailbox_close(w->own);
    mailbox_service_free(w->service);
    directory_close(w->directory);
    store_close(w->store);
    arena_free(w->arena);
    g_free(w->path);
    test_folder_remove(w->dir);
}

// Access to alice's mailbox without asking whether anything there is open to `who`.
static inline struct mailbox *world_enter(struct world *w, struct principal *who) {
    struct mailbox *m = g_new0(struct mailbox, 1);
    m->service = w->service;
    m->who = principal_ref(who);
    assert_ok(store_open_mailbox(w->store, &w->alice.guid, &m->mbox));
    m->rights = rights_cache_new();
    return m;
}

static inline enum ec world_append(struct mailbox *m, uint64_t fid, const char *subject,
                                   uint64_t *mid_out) {
    g_autofree char *text = g_strdup_printf("Subject: %s\r\n\r\nText\r\n", subject);
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_append message = {.mime = mime};
    return mailbox_append(m, fid, &message, mid_out, NULL);
}

static inline uint64_t world_folder(struct world *w, const char *path) {
    uint64_t fid;
    assert_ok(mailbox_create_folder(w->own, path, &fid));
    return fid;
}

#define WORLD_TEST(path, test)                                                                     \
    g_test_add(path, struct world, NULL, world_setup, test, world_teardown)
