// What happens besides delivery: journaling, tracking, sent copies, forwards and reports through
// the queue.
#include "directory/setting.h"
#include "mailbox/owner_settings.h"
#include "transport/test_world.h"
#include "transport/track.h"
#include "transport/transport_internal.h"

static const char text[] = "From: Alice <alice@example.test>\r\nTo: bob@example.test\r\n"
                           "Cc: staff@example.test\r\nSubject: Hi\r\n"
                           "Message-ID: <1@example.test>\r\n\r\nbody\r\n";

static void submit(struct world *w, struct queue_envelope envelope, const char *to, uint32_t notify,
                   const char *body) {
    g_auto(GStrv) names = g_strsplit(to, " ", -1);
    struct queue_recipient recipients[8] = {0};
    for (unsigned i = 0; names[i]; i++)
        recipients[envelope.n_recipients++] =
            (struct queue_recipient){.address = names[i], .notify = notify};
    envelope.recipients = recipients;
    struct queue_spool *spool;
    char id[QUEUE_ID_SIZE];
    assert_ok(queue_spool_new(w->queue, &spool));
    assert_ok(queue_spool_write(spool, body, strlen(body)));
    assert_ok(queue_submit_take(w->queue, &envelope, spool, id));
}

static struct transport *start(struct world *w, const char *journal, const char *domains) {
    struct transport_options options = {.hostname = "mx.example.test",
                                        .workers = 1,
                                        .journal = journal,
                                        .journal_domains = domains};
    struct transport *t;
    assert_ok(transport_new(w->queue, w->mailboxes, &options, &t));
    return t;
}

static void assert_has(const char *all, const char *part) {
    if (!strstr(all, part))
        g_error("no \"%s\" in %s", part, all);
}

static const struct queue_envelope by_alice = {
    .sender = "alice@example.test", .auth = "alice@example.test", .peer = "127.0.0.1"};
static const struct queue_envelope by_stranger = {
    .sender = "x@remote.test", .helo = "remote.test", .peer = "192.0.2.1"};

// --- Journaling ---

static void test_journal(struct world *w, gconstpointer data) {
    struct guid keeper = world_add(w, DIRECTORY_USER, "keeper@example.test", NULL, 0);
    struct transport *t = start(w, "keeper@example.test", NULL);
    submit(w, by_alice, "bob@example.test staff@example.test full@example.test", 0, text);
    world_wait(w, 0);
    g_autofree char *report = world_read(w, &keeper, 1);
    static const char *const parts[] = {
        "X-MS-Journal-Report:",
        "To: <keeper@example.test>\r\nSubject: Hi\r\n",
        "\r\nSender: alice@example.test\r\nSubject: Hi\r\nMessage-Id: <1@example.test>\r\n",
        "\r\nTo: bob@example.test\r\n",
        "\r\nCc: alice@example.test, Expanded: staff@example.test\r\n",
        "\r\nCc: bob@example.test, Expanded: staff@example.test\r\n",
        "\r\nBcc: full@example.test\r\n",
        "Content-Type: message/rfc822\r\n",
        "\r\n\r\nbody\r\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(report, parts[i]);
    // One report, and none about it, about what it made fail, or without a sender.
    g_assert_cmpuint(world_count(w, &keeper), ==, 1);
    submit(w, (struct queue_envelope){.sender = "", .peer = "192.0.2.1"}, "bob@example.test", 0,
           text);
    submit(w, by_stranger, "bob@example.test", 0, "X-MS-Journal-Report:\r\n\r\n");
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &keeper), ==, 1);
    // Of a stranger it is not believed whom the header names.
    submit(w, by_stranger, "bob@example.test", 0, text);
    world_wait(w, 0);
    g_autofree char *second = world_read(w, &keeper, 2);
    assert_has(second, "\r\nSender: x@remote.test\r\n");
    assert_has(second, "\r\nRecipient: bob@example.test\r\n");
    transport_free(t);
}

// A domain's journal and a person's, each once.
static void test_journal_some(struct world *w, gconstpointer data) {
    struct guid keeper = world_add(w, DIRECTORY_USER, "keeper@example.test", NULL, 0);
    struct guid other = world_add(w, DIRECTORY_USER, "other@example.test", NULL, 0);
    struct transport *t = start(w, NULL, "remote.test = other@example.test, nothing");
    assert_ok(directory_set_setting(w->directory, &w->bob, SETTING_JOURNAL, "keeper@example.test"));
    assert_ok(directory_set_setting(w->directory, &w->bob, SETTING_FORWARD, "alice@example.test"));
    submit(w, by_stranger, "bob@example.test", 0, text);
    submit(w, by_stranger, "alice@example.test", 0, text);
    submit(w, by_alice, "alice@example.test", 0, text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &keeper), ==, 1);
    g_assert_cmpuint(world_count(w, &other), ==, 2);
    g_autofree char *report = world_read(w, &keeper, 1);
    assert_has(report, "\r\nRecipient: alice@example.test, Forwarded: bob@example.test\r\n");
    transport_free(t);
}

// --- Forwards ---

// Through the queue, to a mailbox here, and not in a circle.
static void test_forward(struct world *w, gconstpointer data) {
    struct transport *t = start(w, NULL, NULL);
    assert_ok(directory_set_setting(w->directory, &w->bob, SETTING_FORWARD, "alice@example.test"));
    assert_ok(directory_set_setting(w->directory, &w->alice, SETTING_FORWARD, "bob@example.test"));
    assert_ok(directory_set_setting(w->directory, &w->alice, SETTING_FORWARD_KEEP, "yes"));
    submit(w, by_stranger, "bob@example.test", 0, text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 1);
    g_assert_cmpuint(world_count(w, &w->bob), ==, 1); // it came back and is kept
    g_autofree char *stored = world_read(w, &w->alice, 1);
    g_assert_true(g_str_has_prefix(
        stored, "Return-Path: <x@remote.test>\r\nDelivered-To: bob@example.test\r\nFrom: Alice"));
    transport_free(t);
}

// --- Reports of success ---

static void test_success(struct world *w, gconstpointer data) {
    struct transport *t = start(w, NULL, NULL);
    submit(w, by_alice, "bob@example.test", QUEUE_NOTIFY_SUCCESS, text);
    world_wait(w, 0);
    g_autofree char *delivered = world_read(w, &w->alice, 1);
    assert_has(delivered, "Action: delivered\r\nStatus: 2.0.0\r\n");
    submit(w, by_alice, "staff@example.test", QUEUE_NOTIFY_SUCCESS, text);
    world_wait(w, 0);
    g_autofree char *expanded = world_read(w, &w->alice, 3); // after the message itself
    assert_has(expanded, "Final-Recipient: rfc822; staff@example.test\r\nAction: expanded\r\n");
    submit(w, by_alice, "nobody@example.test", QUEUE_NOTIFY_SUCCESS, text);
    world_wait(w, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 3); // of failures nothing was asked for
    transport_free(t);
}

// --- Delays ---

static struct queue_entry wait_for_attempt(struct world *w, struct arena *arena, unsigned n) {
    struct queue_entry *list;
    unsigned count = 0;
    for (unsigned i = 0; i < 1000; i++) {
        assert_ok(queue_list(w->queue, arena, &list, &count));
        for (unsigned k = 0; k < count; k++)
            if (*list[k].sender && list[k].attempts >= n)
                return list[k];
        g_usleep(10000);
    }
    g_error("attempt %u was not made", n);
}

// The sender is told once that it takes longer.
static void test_delay(struct world *w, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    char *path = store_mailbox_path(w->store, arena, &w->bob);
    g_autofree char *aside = g_strconcat(path, ".aside", NULL);
    g_assert_cmpint(g_rename(path, aside), ==, 0);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    filetime_t now = clock_now();
    clock_set(now);
    struct transport *t = start(w, NULL, NULL);
    submit(w, by_alice, "bob@example.test", 0, text);
    wait_for_attempt(w, arena, 1);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 0);
    for (unsigned i = 1; i <= 2; i++) {
        clock_set(now + (TRANSPORT_DELAY_SECONDS + i) * FILETIME_SECOND);
        queue_retry(w->queue, NULL);
        wait_for_attempt(w, arena, i + 1);
        world_wait(w, 1); // the report is delivered
        g_assert_cmpuint(world_count(w, &w->alice), ==, 1);
    }
    g_autofree char *report = world_read(w, &w->alice, 1);
    assert_has(report, "\r\nSubject: Delivery delayed: Hi\r\n");
    assert_has(report, "Action: delayed\r\nStatus: 4.3.0\r\n");
    assert_has(report, "\r\nWill-Retry-Until: ");
    clock_set(0);
    transport_free(t);
}

// --- The sent copy ---

static unsigned n_sent(struct world *w, const struct guid *guid) {
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    assert_ok(store_open_mailbox(w->store, guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, FID_SENT_ITEMS, &info));
    return info.n_messages;
}

static void test_sent_copy(struct world *w, gconstpointer data) {
    struct transport *t = start(w, NULL, NULL);
    assert_ok(directory_set_setting(w->directory, &w->bob, SETTING_SENT_COPY, "yes"));
    static const char for_bob[] =
        "From: \"Bob\" <bob@example.test>\r\nSender: alice@example.test\r\n\r\nbody\r\n";
    submit(w, by_alice, "alice@example.test", 0, for_bob);
    submit(w, by_alice, "alice@example.test", 0, text);       // her own
    submit(w, by_stranger, "alice@example.test", 0, for_bob); // nobody's
    world_wait(w, 0);
    g_assert_cmpuint(n_sent(w, &w->bob), ==, 1);
    g_assert_cmpuint(n_sent(w, &w->alice), ==, 0);
    g_assert_cmpuint(world_count(w, &w->alice), ==, 3);
    transport_free(t);
}

// --- Tracking ---

static bool note(void *ctx, const struct track_event *e) {
    g_string_append_printf(ctx, "%s %s %s %s;", track_kind_name(e->kind),
                           e->message_id ? e->message_id : "-", e->recipient ? e->recipient : "-",
                           e->status ? e->status : "-");
    return true;
}

static void test_track(struct world *w, gconstpointer data) {
    g_autofree char *dir = g_build_filename(w->dir, "track", NULL);
    struct track_options options = {.dir = dir, .keep_seconds = 86400};
    assert_ok(track_open(&options));
    struct transport *t = start(w, NULL, NULL);
    submit(w, by_alice, "bob@example.test nobody@example.test", 0, text);
    world_wait(w, 0);
    transport_free(t);
    track_flush();
    g_autoptr(GString) seen = g_string_new(NULL);
    struct track_filter filter = {.message_id = "1@example.test"};
    assert_ok(track_read(dir, &filter, note, seen));
    g_assert_cmpstr(seen->str, ==,
                    "receive <1@example.test> bob@example.test -;"
                    "receive <1@example.test> nobody@example.test -;"
                    "deliver <1@example.test> bob@example.test 2.0.0;"
                    "fail <1@example.test> nobody@example.test 5.1.1;"
                    "dsn <1@example.test> alice@example.test 5.1.1;");
    track_close();
}

#define ADD(path, test) g_test_add(path, struct world, NULL, world_setup, test, world_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/intake/journal", test_journal);
    ADD("/intake/journal-some", test_journal_some);
    ADD("/intake/forward", test_forward);
    ADD("/intake/success", test_success);
    ADD("/intake/delay", test_delay);
    ADD("/intake/sent-copy", test_sent_copy);
    ADD("/intake/track", test_track);
    return g_test_run();
}
