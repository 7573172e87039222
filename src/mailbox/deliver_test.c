// Delivery: once only, many together, quotas, plus-address folders, and what one failure does to
// the others.
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/test.h"
#include "mailbox/mailbox.h"
#include "store/folder.h"
#include "store/message.h"

struct fixture {
    char *dir;
    struct directory *d;
    struct store *store;
    struct mailbox_service *service;
    struct guid alice, bob;
};

static struct guid add_user(struct fixture *f, const char *address, uint64_t quota) {
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = address,
                                    .display_name = address,
                                    .has_mailbox = true,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS,
                                    .quota = quota};
    assert_ok(directory_add(f->d, &user));
    struct mbox_new spec = {user.guid, address, address, "en"};
    assert_ok(store_create_mailbox(f->store, &spec));
    return user.guid;
}

static void setup(struct fixture *f, gconstpointer data) {
    f->dir = test_folder();
    g_autofree char *path = g_build_filename(f->dir, "directory.db", NULL);
    g_autofree char *store = g_build_filename(f->dir, "store", NULL);
    struct store_options options = {.is_durable = false};
    assert_ok(directory_open(path, &f->d));
    assert_ok(directory_domain_add(f->d, "example.test"));
    assert_ok(store_open(store, &options, &f->store));
    assert_ok(mailbox_service_new(f->store, f->d, &f->service));
    f->alice = add_user(f, "alice@example.test", 0);
    f->bob = add_user(f, "bob@example.test", 20000);
}

static void teardown(struct fixture *f, gconstpointer data) {
    mailbox_service_free(f->service);
    store_close(f->store);
    directory_close(f->d);
    test_folder_remove(f->dir);
}

static const char text[] = "Return-Path: <a@b>\r\nFrom: A <a@b>\r\nTo: alice@example.test\r\n"
                           "Subject: Hello\r\n\r\nbody\r\n";

static GBytes *message(void) {
    return g_bytes_new_static(text, strlen(text));
}

static struct folder_info folder(struct fixture *f, const struct guid *guid, uint64_t fid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    assert_ok(store_open_mailbox(f->store, guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &info));
    info.name = info.container_class = NULL;
    return info;
}

static void test_once(struct fixture *f, gconstpointer data) {
    g_autoptr(GBytes) mime = message();
    for (int round = 0; round < 3; round++) {
        struct mailbox_delivery d[] = {
            {.mailbox = &f->alice, .delivery_id = "q1/a", .mime = mime, .arrived = clock_now()},
            {.mailbox = &f->alice, .delivery_id = "q2/a", .mime = mime, .arrived = clock_now()},
            {.mailbox = &f->bob, .delivery_id = "q1/b", .mime = mime, .arrived = clock_now()},
            {.mailbox = &f->alice, .delivery_id = "q1/a", .mime = mime, .arrived = clock_now()}};
        mailbox_deliver(f->service, d, G_N_ELEMENTS(d));
        for (unsigned i = 0; i < G_N_ELEMENTS(d); i++)
            g_assert_cmpint(d[i].result, ==, EC_OK);
    }
    struct folder_info inbox = folder(f, &f->alice, FID_INBOX);
    g_assert_cmpuint(inbox.n_messages, ==, 2);
    g_assert_cmpuint(inbox.n_unread, ==, 2);
    g_assert_cmpuint(folder(f, &f->bob, FID_INBOX).n_messages, ==, 1);
}

static void test_bytes(struct fixture *f, gconstpointer data) {
    g_autoptr(GBytes) mime = message();
    struct mailbox_delivery d = {
        .mailbox = &f->alice, .delivery_id = "q1/a", .mime = mime, .arrived = 5};
    mailbox_deliver(f->service, &d, 1);
    assert_ok(d.result);
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    uint64_t mid, fid;
    struct message_row row;
    struct message_mime stored;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(store_open_mailbox(f->store, &f->alice, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(message_by_uid(tx, FID_INBOX, 1, &mid));
    assert_ok(message_get_row(tx, mid, &fid, &row));
    g_assert_cmpuint(row.received, ==, 5);
    g_assert_cmpuint(row.size, ==, strlen(text));
    assert_ok(message_get_mime(tx, arena, mid, true, true, &stored));
    assert_ok(blob_read(tx, stored.blob, 0, 0, &bytes));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), text, strlen(text));
    g_assert_nonnull(strstr(stored.envelope, "\"Hello\""));
    g_assert_nonnull(strstr(stored.structure, "\"text\""));
}

// Over quota and unknown mailboxes fail alone.
static void test_failures(struct fixture *f, gconstpointer data) {
    g_autoptr(GBytes) mime = message();
    g_autofree char *long_text = g_strnfill(30000, 'x');
    g_autoptr(GBytes) large = g_bytes_new(long_text, 30000);
    struct guid nobody = guid_new();
    struct mailbox_delivery d[] = {{.mailbox = &f->bob, .delivery_id = "1", .mime = mime},
                                   {.mailbox = &f->bob, .delivery_id = "2", .mime = large},
                                   {.mailbox = &f->bob, .delivery_id = "3", .mime = mime},
                                   {.mailbox = &nobody, .delivery_id = "4", .mime = mime},
                                   {.mailbox = &f->alice, .delivery_id = "5", .mime = large}};
    static const enum ec expected[] = {EC_OK, EC_QUOTA_EXCEEDED, EC_OK, EC_NOT_FOUND, EC_OK};
    mailbox_deliver(f->service, d, G_N_ELEMENTS(d));
    for (unsigned i = 0; i < G_N_ELEMENTS(d); i++)
        g_assert_cmpint(d[i].result, ==, expected[i]);
    g_assert_cmpuint(folder(f, &f->bob, FID_INBOX).n_messages, ==, 2);
    mailbox_deliver(f->service, NULL, 0);
}

static enum ec create_lists(struct mbox_tx *tx, void *fid) {
    return folder_create(tx, FID_IPM_SUBTREE, "Lists", FOLDER_TYPE_GENERIC, NULL, fid);
}

static void test_detail(struct fixture *f, gconstpointer data) {
    MBOX_AUTO mbox = NULL;
    uint64_t lists;
    assert_ok(store_open_mailbox(f->store, &f->alice, &mbox));
    assert_ok(mbox_write(mbox, create_lists, &lists));
    g_autoptr(GBytes) mime = message();
    static const char *const details[] = {"lists", "nowhere", "Sent Items", "Calendar", NULL};
    for (unsigned i = 0; i < G_N_ELEMENTS(details); i++) {
        g_autofree char *id = g_strdup_printf("q%u", i);
        struct mailbox_delivery d = {
            .mailbox = &f->alice, .delivery_id = id, .mime = mime, .folder_detail = details[i]};
        mailbox_deliver(f->service, &d, 1);
        assert_ok(d.result);
    }
    g_assert_cmpuint(folder(f, &f->alice, lists).n_messages, ==, 1);
    g_assert_cmpuint(folder(f, &f->alice, FID_INBOX).n_messages, ==, 4);
}

// Not an assertion: printed with --verbose.
static void test_cost(struct fixture *f, gconstpointer data) {
    g_autofree char *body = g_strnfill(10000, 'x');
    for (unsigned i = 76; i < 10000; i += 78)
        memcpy(body + i, "\r\n", 2);
    g_autofree char *whole = g_strconcat(text, body, NULL);
    enum { N = 500 };
    g_autofree struct mailbox_delivery *d = g_new0(struct mailbox_delivery, N);
    for (unsigned i = 0; i < N; i++)
        d[i] = (struct mailbox_delivery){.mailbox = &f->alice,
                                         .delivery_id = g_strdup_printf("c%u", i),
                                         .mime = g_bytes_new(whole, strlen(whole))};
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (unsigned i = 0; i < N; i += 10)
        mailbox_deliver(f->service, d + i, 10);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double us = (double)(after.tv_sec - before.tv_sec) * 1e6 +
                (double)(after.tv_nsec - before.tv_nsec) / 1e3;
    g_test_message("%.0f us of CPU a message", us / N);
    for (unsigned i = 0; i < N; i++) {
        assert_ok(d[i].result);
        g_free((char *)d[i].delivery_id);
        g_bytes_unref(d[i].mime);
    }
}

#define ADD(path, test) g_test_add(path, struct fixture, NULL, setup, test, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/deliver/once", test_once);
    ADD("/deliver/bytes", test_bytes);
    ADD("/deliver/failures", test_failures);
    ADD("/deliver/detail", test_detail);
    ADD("/deliver/cost", test_cost);
    return g_test_run();
}
