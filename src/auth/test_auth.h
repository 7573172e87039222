// What the tests of authentication share: a directory with some users, and an auth on it.
#pragma once

#include "auth/auth.h"
#include "auth/auth_internal.h"
#include "base/clock.h"
#include "base/test.h"

struct fixture {
    char *folder;
    struct directory *d;
    struct auth *auth;
    struct guid alice, bob;
};

static inline struct guid fixture_add(struct fixture *f, enum directory_kind kind,
                                      const char *address, const char *password) {
    struct directory_object object = {
        .kind = kind, .address = address, .protocols = DIRECTORY_IMAP | DIRECTORY_SMTP};
    assert_ok(directory_add(f->d, &object));
    if (password != NULL)
        assert_ok(auth_set_password(f->auth, &object.guid, password));
    return object.guid;
}

static inline void fixture_setup(struct fixture *f, gconstpointer data) {
    static const struct auth_options loopback = {.plaintext_loopback = true};
    f->folder = test_folder();
    g_autofree char *path = g_build_filename(f->folder, "directory.db", NULL);
    assert_ok(directory_open(path, &f->d));
    assert_ok(directory_domain_add(f->d, "example.test"));
    assert_ok(auth_new(f->d, data != NULL ? data : &loopback, &f->auth));
    f->alice = fixture_add(f, DIRECTORY_USER, "alice@example.test", "secret");
    f->bob = fixture_add(f, DIRECTORY_USER, "bob@example.test", "bob's");
}

static inline void fixture_teardown(struct fixture *f, gconstpointer data) {
    (void)data;
    clock_set(0);
    auth_free(f->auth);
    directory_close(f->d);
    test_folder_remove(f->folder);
}

static const struct auth_peer tls_peer = {
    .address = "192.0.2.1", .is_tls = true, .protocol = DIRECTORY_IMAP};
static const struct auth_peer loopback_peer = {
    .address = "127.0.0.1", .is_loopback = true, .protocol = DIRECTORY_IMAP};
static const struct auth_peer plain_peer = {.address = "192.0.2.1", .protocol = DIRECTORY_IMAP};
