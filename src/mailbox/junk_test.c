// Junk lists and what they do to a delivery ([MS-OXCSPAM]).
#include "mailbox/junk.h"

#include "mailbox/mailbox_fixture.h"
#include "mailbox/quota.h"
#include "mapi/props.h"

static unsigned n_sent;

static int32_t level_of(struct mbox_tx *tx, struct message *message, proptag_t tag, int32_t def) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    enum ec ec = message_get_prop(tx, message, arena, tag, 4, &v);
    g_assert_true(ec == EC_OK || ec == EC_NOT_FOUND);
    return ec == EC_OK ? v.l : def;
}

static uint32_t count(struct mbox_tx *tx, uint64_t fid, uint32_t *uid_next) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    assert_ok(folder_get(tx, arena, fid, &info));
    *uid_next = info.uid_next;
    return info.n_messages;
}

// Delivers to alice, and looks where the message is and which levels are stored.
static void expect(struct world *w, const char *from, const char *to, int scl, int pcl,
                   uint64_t folder, int stored) {
    g_autofree char *text = g_strdup_printf(
        "From: %s\r\nTo: %s\r\nMessage-ID: <%u@x.test>\r\n\r\nHi\r\n", from, to, n_sent);
    g_autofree char *id = g_strdup_printf("q%u", n_sent++);
    g_autoptr(GBytes) mime = g_bytes_new(text, strlen(text));
    struct mailbox_delivery d = {.mailbox = &w->alice,
                                 .delivery_id = id,
                                 .mime = mime,
                                 .arrived = clock_now(),
                                 .scl = scl,
                                 .pcl = pcl};
    MBOX_AUTO mbox = NULL;
    MBOX_TX_AUTO tx = NULL;
    uint32_t uid_next;
    uint64_t mid;
    struct message *message;
    assert_ok(store_open_mailbox(w->store, &w->alice, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    uint32_t before = count(tx, folder, &uid_next);
    mbox_read_end(g_steal_pointer(&tx));
    mailbox_deliver(w->service, &d, 1);
    assert_ok(d.result);
    assert_ok(mbox_read(mbox, &tx));
    if (count(tx, folder, &uid_next) != before + 1)
        g_error("from %s, SCL %d, PCL %d: is in another folder", from, scl, pcl);
    assert_ok(message_by_uid(tx, folder, uid_next - 1, &mid));
    assert_ok(message_open(tx, mid, &message));
    g_assert_cmpint(level_of(tx, message, PidTagContentFilterSpamConfidenceLevel, -9), ==, stored);
    g_assert_cmpint(level_of(tx, message, PidTagContentFilterPhishingConfidenceLevel, 0), ==, pcl);
    message_free(message);
}

static void setup(struct world *w, gconstpointer data) {
    world_setup(w, data);
    struct mailbox_options options = {.junk_threshold = 5};
    mailbox_service_configure(w->service, &options);
    n_sent = 0;
}

#define ME "alice@example.test"

static void test_threshold(struct world *w, gconstpointer data) {
    (void)data;
    expect(w, "a@b.test", ME, -2, 0, FID_INBOX, -9); // not checked: no property
    expect(w, "a@b.test", ME, 0, 0, FID_INBOX, 0);
    expect(w, "a@b.test", ME, 4, 2, FID_INBOX, 4);
    expect(w, "a@b.test", ME, 5, 0, FID_JUNK, 5);
    expect(w, "a@b.test", ME, 9, 7, FID_JUNK, 9);
    expect(w, "a@b.test", ME, -1, 0, FID_INBOX, -1);
    assert_ok(mailbox_set_junk_threshold(w->m, 3));
    expect(w, "a@b.test", ME, 3, 0, FID_JUNK, 3);
    assert_ok(mailbox_set_junk_threshold(w->m, JUNK_THRESHOLD_NONE));
    expect(w, "a@b.test", ME, 9, 0, FID_INBOX, 9);
    assert_ok(mailbox_set_junk_threshold(w->m, JUNK_THRESHOLD_TRUSTED_ONLY));
    expect(w, "a@b.test", ME, 0, 0, FID_JUNK, 0);
    assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_SENDERS, "a@b.test"));
    expect(w, "a@b.test", ME, 0, 0, FID_INBOX, -1);
    assert_ok(mailbox_set_junk_threshold(w->m, JUNK_THRESHOLD_DEFAULT));
    expect(w, "x@b.test", ME, 4, 0, FID_INBOX, 4);
    assert_ec(mailbox_set_junk_threshold(w->m, 10), EC_INVALID_PARAMETER);
    assert_ec(mailbox_set_junk_threshold(w->m, -2), EC_INVALID_PARAMETER);
}

static void test_lists(struct world *w, gconstpointer data) {
    (void)data;
    assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_SENDERS, "Good@Friend.test"));
    assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_SENDERS, "@partner.test"));
    assert_ok(mailbox_add_junk(w->m, JUNK_BLOCKED_SENDERS, "spam.test"));
    assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_RECIPIENTS, "list@lists.test"));
    expect(w, "G <good@friend.test>", ME, 9, 0, FID_INBOX, -1);
    expect(w, "bad@friend.test", ME, 9, 0, FID_JUNK, 9);
    expect(w, "x@partner.test", ME, 9, 0, FID_INBOX, -1);
    expect(w, "x@sub.partner.test", ME, 9, 0, FID_INBOX, -1);
    expect(w, "x@notpartner.test", ME, 9, 0, FID_JUNK, 9);
    expect(w, "x@spam.test", ME, 0, 0, FID_JUNK, 0);
    expect(w, "x@other.test", "L <list@lists.test>", 9, 0, FID_INBOX, -1);
    // Somebody who only says to be a friend.
    expect(w, "good@friend.test", ME, 8, 7, FID_JUNK, 8);
    // An entry is in one list of senders only.
    assert_ok(mailbox_add_junk(w->m, JUNK_BLOCKED_SENDERS, "good@friend.test"));
    expect(w, "good@friend.test", ME, 0, 0, FID_JUNK, 0);
    ARENA_AUTO arena = arena_new();
    struct junk_settings s;
    assert_ok(mailbox_get_junk(w->m, arena, &s));
    g_assert_cmpstr(s.lists[JUNK_SAFE_SENDERS][0], ==, "partner.test");
    g_assert_null(s.lists[JUNK_SAFE_SENDERS][1]);
    g_assert_cmpuint(g_strv_length(s.lists[JUNK_BLOCKED_SENDERS]), ==, 2);
    assert_ok(mailbox_remove_junk(w->m, JUNK_BLOCKED_SENDERS, "GOOD@friend.test"));
    assert_ec(mailbox_remove_junk(w->m, JUNK_BLOCKED_SENDERS, "good@friend.test"), EC_NOT_FOUND);
    static const char *const bad[] = {"",      "@",  "a;b@c.test",  "a b@c.test", "localhost",
                                      "a@b@c", "a@", "\xff@a.test", "<a@b.test>"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(mailbox_add_junk(w->m, JUNK_SAFE_SENDERS, bad[i]), EC_INVALID_PARAMETER);
}

static void test_limits_and_rights(struct world *w, gconstpointer data) {
    (void)data;
    for (unsigned i = 0; i < JUNK_ENTRIES_MAX; i++) {
        g_autofree char *entry = g_strdup_printf("u%u@x.test", i);
        assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_RECIPIENTS, entry));
    }
    assert_ec(mailbox_add_junk(w->m, JUNK_SAFE_RECIPIENTS, "one@more.test"), EC_TOO_MANY_OBJECTS);
    assert_ok(mailbox_add_junk(w->m, JUNK_SAFE_RECIPIENTS, "u5@x.test")); // it is there
    assert_ok(mailbox_grant(w->m, "Inbox", "bob@example.test", RIGHTS_READ_ANY | RIGHTS_VISIBLE));
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    struct mailbox *m;
    ARENA_AUTO arena = arena_new();
    struct junk_settings s;
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    assert_ec(mailbox_get_junk(m, arena, &s), EC_ACCESS_DENIED);
    assert_ec(mailbox_add_junk(m, JUNK_SAFE_SENDERS, "a@b.test"), EC_ACCESS_DENIED);
    assert_ec(mailbox_set_junk_threshold(m, 5), EC_ACCESS_DENIED);
    mailbox_close(m);
    principal_unref(bob);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/junk/threshold", struct world, NULL, setup, test_threshold, world_teardown);
    g_test_add("/junk/lists", struct world, NULL, setup, test_lists, world_teardown);
    g_test_add("/junk/limits and rights", struct world, NULL, setup, test_limits_and_rights,
               world_teardown);
    return g_test_run();
}
