// From the queue into mailboxes: groups, contacts, reports, loops, retries, expiry.
#include "transport/test_world.h"
#include "transport/transport_internal.h"

static const char text[] = "From: alice@example.test\r\nSubject: Hi\r\n"
                           "Message-ID: <1@example.test>\r\n\r\nbody\r\n";

static void submit(struct world *w, const char *sender, const char *const *to, const char *body) {
    struct queue_recipient recipients[16];
    unsigned n = 0;
    for (; to[n]; n++)
        recipients[n] = (struct queue_recipient){.address = to[n]};
    struct queue_envelope envelope = {
        .sender = sender, .recipients = recipients, .n_recipients = n};
    struct queue_spool *spool;
    char id[QUEUE_ID_SIZE];
    assert_ok(queue_spool_new(w->queue, &spool));
    assert_ok(queue_spool_write(spool, body, strlen(body)));
    assert_ok(queue_submit_take(w->queue, &envelope, spool, id));
}

#define TO(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct transport *start(struct world *w, const struct transport_options *options) {
    struct transport *t;
    assert_ok(transport_new(w->queue, w->mailboxes, options, &t));
    return t;
}

static const struct transport_options usual = {.hostname = "mx.example.test", .workers = 2};

static void test_local(struct world *w, gconstpointer data) {
    struct transport *t = start(w, &usual);
    submit(w, "x@elsewhere.test", TO("alice@example.test", "BOB+lists@example.test"), text);
    submit(w, "", TO("alice@example.test"), text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 2);
    g_assert_cmpuint(world_count(w, &w->bob), ==, 1);
    g_autofree char *stored = world_read(w, &w->bob, 1);
    g_autofree char *expected = g_strconcat("Return-Path: <x@elsewhere.test>\r\n", text, NULL);
    g_assert_cmpstr(stored, ==, expected);
    struct transport_stats stats;
    transport_free(t);
    t = start(w, &usual);
    transport_stats(t, &stats);
    g_assert_cmpuint(stats.delivered, ==, 0);
    transport_free(t);
}

// Group, alias-like contact and the person itself: one copy each.
static void test_group(struct world *w, gconstpointer data) {
    struct transport *t = start(w, &usual);
    submit(w, "x@elsewhere.test",
           TO("staff@example.test", "alice@example.test", "tobob@example.test"), text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 1);
    g_assert_cmpuint(world_count(w, &w->bob), ==, 1);
    transport_free(t);
}

static void test_report(struct world *w, gconstpointer data) {
    struct transport *t = start(w, &usual);
    submit(w, "alice@example.test",
           TO("bob@example.test", "nobody@example.test", "partner@example.test",
              "full@example.test", "x@remote.test", "ping@example.test"),
           text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->bob), ==, 1);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 1);
    g_autofree char *report = world_read(w, &w->alice, 1);
    static const char *const expected[] = {
        "Return-Path: <>\r\n",
        "To: <alice@example.test>\r\n",
        "Subject: Undeliverable: Hi\r\n",
        "In-Reply-To: <1@example.test>\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "multipart/report; report-type=delivery-status",
        "Reporting-MTA: dns; mx.example.test\r\n",
        "Final-Recipient: rfc822; nobody@example.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Final-Recipient: rfc822; partner@example.test\r\nAction: failed\r\nStatus: 5.4.4\r\n",
        "Final-Recipient: rfc822; full@example.test\r\nAction: failed\r\nStatus: 5.2.2\r\n",
        "Final-Recipient: rfc822; x@remote.test\r\nAction: failed\r\nStatus: 5.4.4\r\n",
        "Content-Type: message/rfc822\r\n",
        "body\r\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        if (!strstr(report, expected[i]))
            g_error("no \"%s\" in %s", expected[i], report);
    g_assert_null(strstr(report, "bob@example.test"));
    struct transport_stats stats;
    transport_stats(t, &stats);
    g_assert_cmpuint(stats.reports, ==, 1);
    transport_free(t);
}

// No report about a report, none to where none can go.
static void test_no_report(struct world *w, gconstpointer data) {
    struct transport *t = start(w, &usual);
    submit(w, "", TO("nobody@example.test"), text);
    submit(w, "x@remote.test", TO("nobody@example.test"), text);
    submit(w, "unknown@example.test", TO("nobody@example.test"), text);
    world_wait(w, 0);
    struct transport_stats stats;
    transport_stats(t, &stats);
    g_assert_cmpuint(stats.reports, ==, 0);
    g_assert_cmpuint(stats.bounced, ==, 3);
    transport_free(t);
}

static void test_loop(struct world *w, gconstpointer data) {
    struct transport *t = start(w, &usual);
    g_autoptr(GString) looping = g_string_new(NULL);
    for (unsigned i = 0; i <= TRANSPORT_RECEIVED_MAX; i++)
        g_string_append(looping, "Received: from a\r\n\tby b\r\n");
    g_autofree char *almost =
        g_strconcat(looping->str + strlen("Received: from a\r\n\tby b\r\n"), text, NULL);
    g_string_append(looping, text);
    submit(w, "alice@example.test", TO("bob@example.test"), looping->str);
    submit(w, "", TO("bob@example.test"), almost);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->bob), ==, 1);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 1);
    g_autofree char *report = world_read(w, &w->alice, 1);
    g_assert_nonnull(strstr(report, "Status: 5.4.6\r\n"));
    transport_free(t);
}

// A mailbox whose file cannot be opened: tried again, then given up and reported.
static void test_retry(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    char *path = store_mailbox_path(w->store, arena, &w->bob);
    g_autofree char *aside = g_strconcat(path, ".aside", NULL);
    g_assert_cmpint(g_rename(path, aside), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    filetime_t now = clock_now();
    clock_set(now);
    struct transport *t = start(w, &usual);
    submit(w, "alice@example.test", TO("bob@example.test", "alice@example.test"), text);
    struct queue_entry *list;
    unsigned n = 0;
    for (unsigned i = 0; i < 1000; i++) {
        assert_ok(queue_list(w->queue, arena, &list, &n));
        if (n == 1 && list[0].attempts == 1)
            break;
        g_usleep(10000);
    }
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(list[0].attempts, ==, 1);
    g_assert_cmpuint(list[0].n_pending, ==, 1);
    g_assert_cmpstr(list[0].pending[0], ==, "bob@example.test");
    g_assert_nonnull(list[0].reason);
    g_assert_cmpuint(list[0].next, >=, now + 45 * FILETIME_SECOND);
    g_assert_cmpuint(list[0].next, <=, now + 75 * FILETIME_SECOND);
    clock_set(now + (TRANSPORT_EXPIRE_SECONDS + 1) * FILETIME_SECOND);
    queue_retry(w->queue, NULL);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 2);
    g_autofree char *report = world_read(w, &w->alice, 2);
    g_assert_nonnull(strstr(report, "Status: 5.4.7\r\n"));
    clock_set(0);
    transport_free(t);
}

#define ADD(path, test) g_test_add(path, struct world, NULL, world_setup, test, world_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/transport/local", test_local);
    ADD("/transport/group", test_group);
    ADD("/transport/report", test_report);
    ADD("/transport/no-report", test_no_report);
    ADD("/transport/loop", test_loop);
    ADD("/transport/retry", test_retry);
    return g_test_run();
}
