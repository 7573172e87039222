// Quotas and limits at their edges, from one thread and from many.
#include <pthread.h>

#include "mailbox/mailbox_fixture.h"
#include "mapi/props.h"

static void set_receive(struct world *w, uint64_t quota) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *alice;
    assert_ok(directory_find_guid(w->d, arena, &w->alice, &alice));
    alice->quota = quota;
    assert_ok(directory_update(w->d, alice));
}

static void set(struct world *w, const char *name, uint64_t value) {
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)value);
    assert_ok(directory_set_setting(w->d, &w->alice, name, text));
}

static void test_defaults(struct world *w, gconstpointer data) {
    struct mailbox_limits l;
    struct mailbox_options options = {.quota_warn = 100, .quota_send = 200, .quota_receive = 300};
    assert_ok(mailbox_limits(w->service, &w->alice, &l));
    g_assert_cmpuint(l.receive, ==, 0);
    mailbox_service_configure(w->service, &options);
    assert_ok(mailbox_limits(w->service, &w->alice, &l));
    g_assert_cmpuint(l.warn, ==, 100);
    g_assert_cmpuint(l.send, ==, 200);
    g_assert_cmpuint(l.receive, ==, 300);
    set_receive(w, 1000);
    set(w, SETTING_QUOTA_WARN, MAILBOX_NO_LIMIT);
    set(w, SETTING_QUOTA_SEND, 900);
    assert_ok(mailbox_limits(w->service, &w->alice, &l));
    g_assert_cmpuint(l.warn, ==, 0);
    g_assert_cmpuint(l.send, ==, 900);
    g_assert_cmpuint(l.receive, ==, 1000);
    assert_ok(mailbox_limits(w->service, &w->bob, &l)); // others keep the defaults
    g_assert_cmpuint(l.receive, ==, 300);
}

static void test_exact_limit(struct world *w, gconstpointer data) {
    assert_ok(world_append(w, FID_INBOX, "first", 10000, NULL));
    uint64_t one = world_usage(w).size;
    set_receive(w, 2 * one);
    // MS-OXCSTOR_R646: nothing more is delivered once the limit is reached, not before.
    assert_ok(world_deliver(w, &w->alice, "first", 10000));
    g_assert_cmpuint(world_usage(w).size, ==, 2 * one);
    assert_ec(world_deliver(w, &w->alice, "x", 0), EC_QUOTA_EXCEEDED);
    assert_ec(world_append(w, FID_INBOX, "x", 0, NULL), EC_QUOTA_EXCEEDED);
    set_receive(w, 3 * one - 1);
    assert_ec(world_deliver(w, &w->alice, "first", 10000), EC_QUOTA_EXCEEDED);
    set_receive(w, 3 * one);
    assert_ok(world_deliver(w, &w->alice, "first", 10000));
    g_assert_cmpuint(world_usage(w).size, ==, 3 * one);
    // MS-OXCSTOR_R647: without a value there is no limit.
    set_receive(w, 0);
    assert_ok(world_deliver(w, &w->alice, "first", 10000));
    world_assert_clean(w, &w->alice);
}

static void test_recoverable_does_not_count(struct world *w, gconstpointer data) {
    uint64_t mid;
    assert_ok(world_append(w, FID_INBOX, "first", 10000, &mid));
    set_receive(w, world_usage(w).size);
    assert_ec(world_deliver(w, &w->alice, "x", 0), EC_QUOTA_EXCEEDED);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    assert_ok(world_deliver(w, &w->alice, "x", 0));
}

static void test_send(struct world *w, gconstpointer data) {
    assert_ok(mailbox_may_send(w->service, &w->alice));
    assert_ok(world_append(w, FID_INBOX, "first", 10000, NULL));
    // MS-OXCSTOR_R648: at the limit nothing can be submitted any more.
    set(w, SETTING_QUOTA_SEND, world_usage(w).size + 1);
    assert_ok(mailbox_may_send(w->service, &w->alice));
    set(w, SETTING_QUOTA_SEND, world_usage(w).size);
    assert_ec(mailbox_may_send(w->service, &w->alice), EC_QUOTA_EXCEEDED);
    assert_ok(mailbox_may_send(w->service, &w->bob)); // MS-OXCSTOR_R649
    // Who cannot send can still receive.
    assert_ok(world_deliver(w, &w->alice, "x", 10));
}

static void test_copy_move(struct world *w, gconstpointer data) {
    uint64_t mid;
    GArray *out = NULL;
    assert_ok(world_append(w, FID_INBOX, "first", 10000, &mid));
    uint64_t one = world_usage(w).size;
    set_receive(w, 2 * one - 1);
    assert_ec(mailbox_copy(w->m, FID_INBOX, &mid, 1, FID_ARCHIVE, &out), EC_QUOTA_EXCEEDED);
    g_assert_null(out);
    g_assert_cmpuint(world_usage(w).size, ==, one); // nothing of it happened
    set_receive(w, 2 * one);
    assert_ok(mailbox_copy(w->m, FID_INBOX, &mid, 1, FID_ARCHIVE, &out));
    g_array_unref(out);
    set_receive(w, one / 2);
    assert_ok(mailbox_move(w->m, FID_INBOX, &mid, 1, FID_DELETED_ITEMS, &out));
    g_array_unref(out);
    world_assert_clean(w, &w->alice);
}

static void test_limits(struct world *w, gconstpointer data) {
    struct mailbox_options options = {
        .message = 1000, .folder_items = 2, .subfolders = 2, .folder_depth = 4};
    uint64_t mid;
    GArray *out = NULL;
    mailbox_service_configure(w->service, &options);
    assert_ec(world_append(w, FID_INBOX, "x", 1000, NULL), EC_MESSAGE_TOO_BIG);
    assert_ok(world_append(w, FID_INBOX, "x", 10, &mid));
    assert_ok(world_append(w, FID_INBOX, "x", 10, NULL));
    assert_ec(world_append(w, FID_INBOX, "x", 10, NULL), EC_TOO_MANY_OBJECTS);
    assert_ec(world_deliver(w, &w->alice, "x", 10), EC_TOO_MANY_OBJECTS);
    assert_ec(mailbox_copy(w->m, FID_INBOX, &mid, 1, FID_INBOX, &out), EC_TOO_MANY_OBJECTS);

    assert_ok(mailbox_create_folder(w->m, "INBOX/a", NULL));
    assert_ok(mailbox_create_folder(w->m, "INBOX/b", NULL));
    assert_ec(mailbox_create_folder(w->m, "INBOX/c", NULL), EC_TOO_MANY_OBJECTS);
    assert_ok(mailbox_create_folder(w->m, "INBOX/a/deep", NULL));
    assert_ec(mailbox_create_folder(w->m, "INBOX/a/deep/deeper", NULL), EC_TOO_COMPLEX);
    assert_ok(mailbox_create_folder(w->m, "Archive/x", NULL));
    assert_ec(mailbox_rename_folder(w->m, "Archive/x", "INBOX/x"), EC_TOO_MANY_OBJECTS);
    assert_ok(mailbox_rename_folder(w->m, "INBOX/a", "INBOX/c"));
    options = (struct mailbox_options){.folders = 10};
    mailbox_service_configure(w->service, &options);
    assert_ec(mailbox_create_folder(w->m, "INBOX/d", NULL), EC_TOO_MANY_OBJECTS);
}

static void test_names(struct world *w, gconstpointer data) {
    g_autofree char *longest = g_strnfill(255, 'n'), *longer = g_strnfill(256, 'n');
    assert_ok(mailbox_create_folder(w->m, longest, NULL));
    assert_ec(mailbox_create_folder(w->m, longer, NULL), EC_BAD_FOLDER_NAME);
    assert_ec(mailbox_create_folder(w->m,
                                    "a\x01"
                                    "b",
                                    NULL),
              EC_BAD_FOLDER_NAME);
    assert_ec(mailbox_create_folder(w->m, "a\xff", NULL), EC_BAD_FOLDER_NAME);
    assert_ec(mailbox_create_folder(w->m, "INBOX//x", NULL), EC_BAD_FOLDER_NAME);
}

static void test_props(struct world *w, gconstpointer data) {
    BAG_AUTO props = NULL;
    assert_ok(mailbox_store_props(w->m, &props));
    g_assert_null(bag_get(props, PidTagProhibitSendQuota));
    g_clear_pointer(&props, bag_free);
    assert_ok(world_append(w, FID_INBOX, "first", 10000, NULL));
    set_receive(w, 4096 * 1024);
    set(w, SETTING_QUOTA_SEND, 3072 * 1024);
    set(w, SETTING_QUOTA_WARN, 2048 * 1024);
    assert_ok(mailbox_store_props(w->m, &props));
    g_assert_cmpint(bag_long(props, PidTagProhibitReceiveQuota, 0), ==, 4096); // MS-OXCSTOR_R3058
    g_assert_cmpint(bag_long(props, PidTagProhibitSendQuota, 0), ==, 3072);    // MS-OXCSTOR_R3059
    g_assert_cmpint(bag_long(props, 0x3FF50003u, 0), ==, 2048);
    g_assert_cmpint(bag_get(props, PidTagMessageSizeExtended)->i8, ==,
                    (int64_t)world_usage(w).size);
}

// A message that the queue delivers again, since the server died before it knew, is not refused.
static void test_again_when_full(struct world *w, gconstpointer data) {
    g_autoptr(GBytes) mime = world_message("m", 1000);
    struct mailbox_delivery d = {
        .mailbox = &w->alice, .delivery_id = "again", .mime = mime, .arrived = START};
    mailbox_deliver(w->service, &d, 1);
    assert_ok(d.result);
    set_receive(w, 1);
    mailbox_deliver(w->service, &d, 1);
    assert_ok(d.result);
    g_assert_cmpuint(world_usage(w).n_messages, ==, 1);
    d.delivery_id = "another";
    mailbox_deliver(w->service, &d, 1);
    assert_ec(d.result, EC_QUOTA_EXCEEDED);
}

static void test_nobodys(struct world *w, gconstpointer data) {
    struct mailbox_limits l;
    struct mailbox_options options = {.quota_receive = 300, .message = 1000};
    struct guid nobody = guid_new();
    mailbox_service_configure(w->service, &options);
    assert_ok(mailbox_limits(w->service, &nobody, &l));
    g_assert_cmpuint(l.receive, ==, 0);
    g_assert_cmpuint(l.message, ==, 1000);
}

enum { THREADS = 8, PER_THREAD = 12 };

struct deliverer {
    struct world *w;
    unsigned n_accepted;
};

static void *deliver_many(void *data) {
    struct deliverer *d = data;
    for (int i = 0; i < PER_THREAD; i++) {
        enum ec ec = world_deliver(d->w, &d->w->alice, "first", 10000);
        g_assert_true(ec == EC_OK || ec == EC_QUOTA_EXCEEDED);
        d->n_accepted += ec == EC_OK;
    }
    return NULL;
}

// Exactly as many as fit are accepted, whoever comes first.
static void test_concurrent(struct world *w, gconstpointer data) {
    pthread_t threads[THREADS];
    struct deliverer deliverers[THREADS];
    enum { FIT = 41 };
    unsigned n = 0;
    assert_ok(world_append(w, FID_INBOX, "first", 10000, NULL));
    uint64_t one = world_usage(w).size;
    set_receive(w, (FIT + 1) * one + one / 2);
    for (int i = 0; i < THREADS; i++) {
        deliverers[i] = (struct deliverer){.w = w};
        g_assert_cmpint(pthread_create(&threads[i], NULL, deliver_many, &deliverers[i]), ==, 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        n += deliverers[i].n_accepted;
    }
    g_assert_cmpuint(n, ==, FIT);
    g_assert_cmpuint(world_usage(w).size, ==, (FIT + 1) * one);
    world_reopen(w);
    g_assert_cmpuint(world_usage(w).size, ==, (FIT + 1) * one);
    world_assert_clean(w, &w->alice);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/quota/defaults", test_defaults);
    WORLD_TEST("/mailbox/quota/exact limit", test_exact_limit);
    WORLD_TEST("/mailbox/quota/recoverable does not count", test_recoverable_does_not_count);
    WORLD_TEST("/mailbox/quota/send", test_send);
    WORLD_TEST("/mailbox/quota/copy and move", test_copy_move);
    WORLD_TEST("/mailbox/quota/limits", test_limits);
    WORLD_TEST("/mailbox/quota/names", test_names);
    WORLD_TEST("/mailbox/quota/props", test_props);
    WORLD_TEST("/mailbox/quota/delivered again when full", test_again_when_full);
    WORLD_TEST("/mailbox/quota/nobody's", test_nobodys);
    WORLD_TEST("/mailbox/quota/concurrent", test_concurrent);
    return g_test_run();
}
