// What surrounds a message: parameters kept in the envelope, LMTP, XCLIENT, limits that slow or
// refuse, the inbound policy, and fields that are taken out.
#include "directory/restriction.h"
#include "directory/setting.h"
#include "protocol/smtp/session.h"
#include "transport/test_world.h"

#define HI "EHLO me\r\n"
#define LOGIN "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQ=\r\n"
#define MAIL "MAIL FROM:<x@y.test>\r\n"
#define RCPT "RCPT TO:<alice@example.test>\r\n"
#define TEXT "Subject: x\r\n\r\nbody\r\n"
#define SEND MAIL RCPT "DATA\r\n" TEXT ".\r\n"

static struct smtp_settings plain(enum smtp_kind kind) {
    return (struct smtp_settings){
        .hostname = "mx.example.test", .kind = kind, .limits = {.max_size = 100000}};
}

// A conversation with a service of these settings from an address. `*next_out` may be NULL.
static char *talk_from(struct world *w, const struct smtp_settings *settings, const char *address,
                       bool is_tls, const char *in, enum smtp_next *next_out) {
    struct smtp_service *service;
    assert_ok(smtp_service_new(settings, w->queue, w->directory, w->auth, &service));
    smtp_service_ask_mailboxes(service, w->mailboxes);
    GString *out = g_string_new(NULL);
    struct smtp_peer peer = {
        .address = address, .is_loopback = net_text_is_loopback(address), .is_tls = is_tls};
    struct smtp_session *s = smtp_session_new(service, &peer, out);
    enum smtp_next next = SMTP_READ;
    for (size_t len = strlen(in); len > 0 && (next == SMTP_READ || next == SMTP_DELAY);) {
        ssize_t n = smtp_session_frame(s, (const uint8_t *)in, MIN(len, SMTP_CHUNK_MAX));
        g_assert_cmpint(n, >, 0);
        next = smtp_session_unit(s, (const uint8_t *)in, (size_t)n);
        in += n;
        len -= (size_t)n;
        if (next == SMTP_DELAY)
            g_string_append(out, "(late)\r\n");
    }
    if (next_out)
        *next_out = next;
    smtp_session_free(s);
    smtp_service_free(service);
    return g_string_free(out, FALSE);
}

static char *talk(struct world *w, const struct smtp_settings *settings, const char *in) {
    return talk_from(w, settings, "127.0.0.1", false, in, NULL);
}

// The answers end with these lines (beginnings of them, separated by newlines).
static void assert_ends(const char *got, const char *expected) {
    g_auto(GStrv) lines = g_strsplit(got, "\r\n", -1);
    g_auto(GStrv) wants = g_strsplit(expected, "\n", -1);
    guint n = g_strv_length(lines) - 1, k = g_strv_length(wants);
    for (guint i = 0; i < k; i++)
        if (n < k || !g_str_has_prefix(lines[n - k + i], wants[i]))
            g_error("the end should be \"%s\" in:\n%s", wants[i], got);
}

static struct queue_item *claim(struct world *w) {
    struct queue_item *item;
    unsigned n;
    assert_ok(queue_claim(w->queue, &item, 1, 0, &n));
    g_assert_cmpuint(n, ==, 1);
    return item;
}

static char *text_of(struct queue_item *item) {
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(queue_item_read(item, &bytes));
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void finish(struct queue_item *item) {
    for (unsigned i = 0; i < queue_item_envelope(item)->n_recipients; i++)
        queue_item_recipient_done(item, i);
    queue_item_release(item, 0, NULL, NULL);
}

static void test_dsn(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    g_autofree char *got = talk(
        w, &settings,
        HI "MAIL FROM:<x@y> RET=FULL RET=HDRS\r\nMAIL FROM:<x@y> RET=SOME\r\n"
           "MAIL FROM:<x@y> ENVID=a=b\r\nMAIL FROM:<x@y> ENVID\r\nMAIL FROM:<x@y> HOLDFOR=1\r\n"
           "MAIL FROM:<x@y> REQUIRETLS\r\nMAIL FROM:<x@y> RET=hdrs ENVID=QQ+3D1\r\n"
           "RCPT TO:<alice@example.test> NOTIFY=NEVER,DELAY\r\n"
           "RCPT TO:<alice@example.test> ORCPT=alice\r\n"
           "RCPT TO:<alice@example.test> NOTIFY=NEVER NOTIFY=NEVER\r\n"
           "RCPT TO:<alice@example.test> NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@example.test\r\n"
           "RCPT TO:<bob@example.test> NOTIFY=NEVER\r\nDATA\r\n" TEXT ".\r\n");
    assert_ends(got,
                "501 5.5.4\n501 5.5.4\n501 5.5.4\n501 5.5.4\n555 5.5.4\n530 5.7.10\n250 2.1.0\n"
                "501 5.5.4\n501 5.5.4\n501 5.5.4\n250 2.1.5\n250 2.1.5\n354\n250 2.0.0");
    struct queue_item *item = claim(w);
    const struct queue_envelope *e = queue_item_envelope(item);
    g_assert_cmpstr(e->ret, ==, "HDRS");
    g_assert_cmpstr(e->envid, ==, "QQ+3D1");
    g_assert_cmpuint(e->n_recipients, ==, 2);
    g_assert_cmpstr(e->recipients[0].orcpt, ==, "rfc822;a+2Bb@example.test");
    g_assert_cmpuint(e->recipients[0].notify, ==, QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_DELAY);
    g_assert_null(e->recipients[1].orcpt);
    g_assert_cmpuint(e->recipients[1].notify, ==, QUEUE_NOTIFY_NEVER);
    g_assert_cmpint(e->scl, ==, QUEUE_SCL_NONE);
    finish(item);
}

static void test_requiretls(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_SUBMISSION);
    g_autofree char *got =
        talk_from(w, &settings, "192.0.2.1", true,
                  HI LOGIN "MAIL FROM:<alice@example.test> REQUIRETLS HOLDFOR=0\r\n" RCPT
                           "DATA\r\n" TEXT ".\r\n",
                  NULL);
    g_assert_nonnull(strstr(got, "\r\n250-REQUIRETLS\r\n"));
    assert_ends(got, "235\n250\n250\n354\n250 2.0.0");
    struct queue_item *item = claim(w);
    g_assert_true(queue_item_envelope(item)->requires_tls);
    g_assert_cmpstr(queue_item_envelope(item)->auth, ==, "alice@example.test");
    g_assert_cmpint(queue_item_envelope(item)->scl, ==, -1);
    finish(item);
    g_autofree char *held = talk_from(
        w, &settings, "192.0.2.1", true,
        HI LOGIN "MAIL FROM:<alice@example.test> HOLDFOR=1000\r\n" RCPT "DATA\r\n" TEXT ".\r\n",
        NULL);
    assert_ends(held, "250 2.0.0");
    unsigned n;
    assert_ok(queue_claim(w->queue, &item, 1, 0, &n));
    g_assert_cmpuint(n, ==, 0);
}

// Any bytes, but only by BDAT.
static void test_binary(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    g_autofree char *got = talk(w, &settings,
                                HI "MAIL FROM:<x@y> BODY=BINARYMIME\r\n" RCPT
                                   "DATA\r\nBDAT 16 LAST\r\nA: b\r\n\r\na\nb\r.\r\n.");
    assert_ends(got, "250 2.1.0\n250 2.1.5\n503 5.5.1\n250 2.0.0");
    struct queue_item *item = claim(w);
    g_autofree char *text = text_of(item);
    g_assert_true(g_str_has_suffix(text, "\r\nA: b\r\n\r\na\nb\r.\r\n."));
    g_assert_true(queue_item_envelope(item)->is_binary);
    g_assert_true(queue_item_envelope(item)->is_8bit);
    finish(item);
    g_autofree char *big = g_strnfill(200000, 'x');
    g_autofree char *in =
        g_strconcat(HI MAIL RCPT "BDAT 200000\r\n", big, MAIL RCPT "BDAT 60000\r\n", big + 140000,
                    "BDAT 60000 LAST\r\n", big + 140000, "NOOP\r\n", NULL);
    g_autofree char *refused = talk(w, &settings, in);
    assert_ends(refused, "552 5.3.4\n250\n250\n250\n552 5.3.4\n250 2.0.0");
}

static void test_lmtp(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_LMTP);
    enum smtp_next next;
    g_autofree char *got =
        talk(w, &settings,
             "EHLO me\r\nMAIL FROM:<x@y>\r\nLHLO me\r\n" MAIL "DATA\r\n" RCPT
             "RCPT TO:<nobody@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n" TEXT
             ".\r\n" MAIL RCPT "RCPT TO:<bob@example.test>\r\nDATA\r\na\nb\r\n.\r\n" MAIL RCPT
             "RCPT TO:<bob@example.test>\r\nBDAT 4\r\na\r\nbBDAT 5 LAST\r\n\r\nc\r\nQUIT\r\n");
    g_assert_true(g_str_has_prefix(got, "220 mx.example.test LMTP"));
    g_assert_null(strstr(got, "AUTH"));
    assert_ends(got, "250 2.1.0\n503 5.5.1\n250 2.1.5\n550 5.1.1\n250 2.1.5\n354\n"
                     "250 2.0.0 Ok: queued as\n250 2.0.0 Ok: queued as\n"
                     "250\n250\n250\n354\n550 5.6.11\n550 5.6.11\n"
                     "250\n250\n250\n250 2.0.0 Chunk\n250 2.0.0 Ok\n250 2.0.0 Ok\n221");
    struct queue_item *item = claim(w);
    g_autofree char *text = text_of(item);
    g_assert_nonnull(strstr(text, "\r\n\tby mx.example.test with LMTP\r\n"));
    g_assert_cmpuint(queue_item_envelope(item)->n_recipients, ==, 2);
    finish(item);
    finish(claim(w));
    g_autofree char *stranger = talk_from(w, &settings, "192.0.2.1", false, "", &next);
    assert_ends(stranger, "554 5.7.1");
}

static void test_xclient(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    g_autofree char *error = NULL;
    assert_ok(net_networks_parse("127.0.0.1", &settings.limits.trusted, &error));
    g_autofree char *got =
        talk(w, &settings,
             HI "XCLIENT ADDR=x\r\nXCLIENT\r\nXCLIENT LOGIN=alice\r\nXCLIENT NAME=a(b\r\n"
                "XCLIENT NAME=client.test ADDR=192.0.2.7 PORT=25 PROTO=ESMTP HELO=given.test\r\n"
                "EHLO said.test\r\n" SEND
                "XCLIENT ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]\r\n" HI SEND);
    g_assert_nonnull(strstr(got, "\r\n250-XCLIENT NAME ADDR PORT PROTO HELO\r\n"));
    g_assert_nonnull(strstr(got, "\r\n501 5.5.4"));
    assert_ends(got, "250 2.1.0\n250 2.1.5\n354\n250 2.0.0");
    struct queue_item *item = claim(w);
    g_autofree char *text = text_of(item);
    g_assert_true(g_str_has_prefix(text, "Received: from said.test (client.test [192.0.2.7])\r\n"));
    g_assert_cmpstr(queue_item_envelope(item)->peer, ==, "192.0.2.7");
    finish(item);
    item = claim(w);
    g_autofree char *second = text_of(item);
    g_assert_true(g_str_has_prefix(second, "Received: from me ([IPv6:2001:db8::1])\r\n"));
    finish(item);
    // Whoever speaks for others is no local client, and strangers speak for nobody.
    g_autofree char *login =
        talk(w, &settings, "XCLIENT ADDR=192.0.2.7\r\n" HI "AUTH PLAIN AGEAYg==\r\n");
    assert_ends(login, "538 5.7.11");
    g_autofree char *stranger =
        talk_from(w, &settings, "192.0.2.1", false, HI "XCLIENT ADDR=192.0.2.7\r\n", NULL);
    assert_ends(stranger, "550 5.7.0");
    g_assert_null(strstr(stranger, "250-XCLIENT"));
    net_networks_unref(settings.limits.trusted);
}

// Errors and refused recipients beyond some are answered late; strangers only.
static void test_slowed(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    settings.limits.tarpit_after = 2;
    settings.limits.tarpit_seconds = 5;
    settings.limits.max_unknown = 4;
#define NOBODY "RCPT TO:<nobody@example.test>\r\n"
    enum smtp_next next;
    g_autofree char *got = talk_from(w, &settings, "192.0.2.1", false,
                                     HI MAIL "FOO\r\n" NOBODY NOBODY RCPT NOBODY NOBODY, &next);
    assert_ends(got, "250 2.1.0\n500 5.5.1\n550 5.1.1\n550 5.1.1\n(late)\n250 2.1.5\n550 5.1.1\n"
                     "(late)\n550 5.1.1\n421 4.7.0");
    g_assert_cmpint(next, ==, SMTP_CLOSE);
    g_autofree char *local = talk(w, &settings, HI MAIL NOBODY NOBODY NOBODY NOBODY NOBODY);
    assert_ends(local, "550 5.1.1\n550 5.1.1\n550 5.1.1\n550 5.1.1\n550 5.1.1");
}

static void test_rates(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    settings.rates = smtp_rates_new();
    settings.limits.connections_per_minute = 2;
    settings.limits.messages_per_minute = 1;
    settings.limits.user_recipients_per_hour = 2;
    g_autofree char *first =
        talk_from(w, &settings, "192.0.2.1", false, HI MAIL "RSET\r\n" MAIL, NULL);
    assert_ends(first, "250 2.1.0\n250 2.0.0\n450 4.7.1");
    g_autofree char *second = talk_from(w, &settings, "192.0.2.1", false, "NOOP\r\n", NULL);
    assert_ends(second, "220\n250");
    g_autofree char *third = talk_from(w, &settings, "192.0.2.1", false, "", NULL);
    assert_ends(third, "421 4.7.0");
    g_autofree char *other = talk_from(w, &settings, "192.0.2.2", false, "", NULL);
    assert_ends(other, "220");
    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *local = talk(w, &settings, HI MAIL "RSET\r\n" MAIL);
        assert_ends(local, "250 2.1.0\n250 2.0.0\n250 2.1.0");
    }
    g_autofree char *user =
        talk(w, &settings, HI LOGIN "MAIL FROM:<alice@example.test>\r\n" RCPT RCPT RCPT);
    assert_ends(user, "235\n250\n250\n250\n452 4.5.3");
    smtp_rates_free(settings.rates);
}

// New limits count from the next message of an open connection on.
static void test_reload(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    struct smtp_service *service;
    assert_ok(smtp_service_new(&settings, w->queue, w->directory, w->auth, &service));
    g_autoptr(GString) out = g_string_new(NULL);
    struct smtp_peer peer = {.address = "192.0.2.1"};
    struct smtp_session *s = smtp_session_new(service, &peer, out);
    static const char hi[] = HI, mail[] = "MAIL FROM:<x@y> SIZE=2000\r\n";
    smtp_session_unit(s, (const uint8_t *)hi, sizeof hi - 1);
    settings.limits.max_size = 1000;
    smtp_service_set_limits(service, &settings.limits);
    smtp_session_unit(s, (const uint8_t *)mail, sizeof mail - 1);
    assert_ends(out->str, "552 5.3.4");
    settings.limits.max_size = 3000;
    smtp_service_set_limits(service, &settings.limits);
    smtp_session_unit(s, (const uint8_t *)mail, sizeof mail - 1);
    assert_ends(out->str, "250 2.1.0");
    smtp_session_free(s);
    smtp_service_free(service);
}

static void test_recipients(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    struct directory_object *staff;
    static const char *const relayed[] = {"other.test", "Third.test", NULL};
    ARENA_AUTO arena = arena_new();
    settings.limits.relay_domains = relayed;
    assert_ok(directory_find_address(w->directory, arena, "staff@example.test", &staff));
    assert_ok(directory_set_setting(w->directory, &staff->guid, SETTING_AUTHENTICATED, "1"));
    g_autofree char *got =
        talk(w, &settings,
             HI MAIL "RCPT TO:<staff@example.test>\r\nRCPT TO:<full@example.test>\r\n"
                     "RCPT TO:<a@other.test>\r\nRCPT TO:<a@THIRD.test>\r\nRCPT TO:<a@x.test>\r\n"
                     "RCPT TO:<alice+list@example.test>\r\nRCPT TO:<abuse@example.test>\r\n"
                     "RCPT TO:<postmaster>\r\nRSET\r\n"
                     "MAIL FROM:<x@y.test> SIZE=50\r\nRCPT TO:<full@example.test>\r\n");
    assert_ends(got, "550 5.7.133\n250 2.1.5\n250 2.1.5\n250 2.1.5\n550 5.7.1\n250 2.1.5\n"
                     "250 2.1.5\n250 2.1.5\n250\n250\n552 5.2.2");
    g_autofree char *user = talk(
        w, &settings,
        HI LOGIN "MAIL FROM:<alice@example.test>\r\nRCPT TO:<staff@example.test>\r\n"
                 "VRFY bob@example.test\r\nVRFY <nobody@example.test>\r\nEXPN x\r\nETRN x\r\n");
    assert_ends(user, "250 2.1.5\n250 2.1.5 <bob@example.test>\n252\n502\n502");
    assert_ok(directory_domain_set_catchall(w->directory, "example.test", "bob@example.test"));
    g_autofree char *any = talk(w, &settings, HI MAIL "RCPT TO:<anything@example.test>\r\n");
    assert_ends(any, "250 2.1.5");
}

// Whom a message is from, and who sent it, when these are not the same.
static void test_delegates(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_SUBMISSION);
    static const char *const good[][2] = {
        {"From: Bob <bob@example.test>\r\n\r\n", "Sender: <alice@example.test>\r\n"},
        {"From: bob@example.test\r\nSender: alice@example.test\r\n\r\n", NULL},
        {"From: alice@example.test, bob@example.test\r\n\r\n", "Sender: <alice@example.test>\r\n"},
        {"From: alice@example.test, Alice <alice+x@example.test>\r\n\r\n",
         "Sender: <alice@example.test>\r\n"},
        {"From: full@example.test\r\n\r\n", NULL}, // send-as
        {"From: a@b\r\nResent-From: bob@example.test\r\n\r\n",
         "Resent-Sender: <alice@example.test>\r\n"},
    };
    static const char *const bad[] = {
        "From: bob@example.test\r\nSender: bob@example.test\r\n\r\n",
        "From: partner@example.test\r\n\r\n",
        "From: alice@example.test\r\nResent-From: alice@example.test\r\n"
        "Resent-Sender: x@remote.test\r\n\r\n",
    };
    assert_ok(directory_grant(w->directory, &w->bob, &w->alice, DIRECTORY_SEND_ON_BEHALF));
    assert_ok(directory_grant(w->directory, &w->full, &w->alice, DIRECTORY_SEND_AS));
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *in =
            g_strconcat(HI LOGIN "MAIL FROM:<bob@example.test>\r\n" RCPT "DATA\r\n", good[i][0],
                        "x\r\n.\r\n", NULL);
        g_autofree char *got = talk(w, &settings, in);
        assert_ends(got, "250 2.1.0\n250 2.1.5\n354\n250 2.0.0");
        struct queue_item *item = claim(w);
        g_autofree char *text = text_of(item);
        g_assert_true((strstr(text, "Sender: <") != NULL) == (good[i][1] != NULL));
        g_assert_true(!good[i][1] || strstr(text, good[i][1]));
        finish(item);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *in =
            g_strconcat(HI LOGIN "MAIL FROM:<alice@example.test>\r\n" RCPT "DATA\r\n", bad[i],
                        "x\r\n.\r\n", NULL);
        g_autofree char *got = talk(w, &settings, in);
        assert_ends(got, "550 5.7.60");
    }
}

// --- The policy ---

struct fake {
    struct policy_verdict verdict;
    unsigned n;
    char *seen;
};

static void fake_check(struct policy *policy, struct arena *arena,
                       const struct policy_message *message, struct policy_verdict *out) {
    struct fake *fake = (struct fake *)policy;
    gsize len;
    const char *data = g_bytes_get_data(message->bytes, &len);
    fake->n++;
    g_free(fake->seen);
    fake->seen = g_strdup_printf("%s %s %s %u %.*s", message->client, message->helo,
                                 message->sender, message->n_recipients, (int)len, data);
    *out = fake->verdict;
}

static void test_policy(struct world *w, gconstpointer data) {
    struct fake fake = {.verdict = {POLICY_ACCEPT, NULL, NULL, "X-Verdict: 1\r\n", 6, 2}};
    struct smtp_settings settings = plain(SMTP_MX);
    settings.check = fake_check;
    settings.policy = (struct policy *)&fake;
    g_autofree char *got = talk_from(w, &settings, "192.0.2.1", false, HI SEND, NULL);
    assert_ends(got, "354\n250 2.0.0 Ok: queued");
    g_assert_cmpstr(fake.seen, ==, "192.0.2.1 me x@y.test 1 " TEXT);
    struct queue_item *item = claim(w);
    g_assert_cmpstr(queue_item_envelope(item)->fields, ==, "X-Verdict: 1\r\n");
    g_assert_cmpint(queue_item_envelope(item)->scl, ==, 6);
    g_assert_cmpint(queue_item_envelope(item)->pcl, ==, 2);
    g_autofree char *text = text_of(item);
    g_assert_true(g_str_has_prefix(text, "Received: from me ([192.0.2.1])"));
    finish(item);

    fake.verdict = (struct policy_verdict){POLICY_REJECT, "5.7.26", "Not\r\n250 allowed", "", 9, 0};
    g_autofree char *rejected =
        talk_from(w, &settings, "192.0.2.1", false, HI SEND "NOOP\r\n", NULL);
    assert_ends(rejected, "354\n550 5.7.26 Not  250 allowed\n250 2.0.0");
    fake.verdict = (struct policy_verdict){POLICY_DEFER, "4.7.1", "Later", "", 0, 0};
    g_autofree char *deferred = talk_from(w, &settings, "192.0.2.1", false, HI SEND, NULL);
    assert_ends(deferred, "451 4.7.1 Later");
    g_assert_cmpuint(queue_count(w->queue), ==, 0);
    g_assert_cmpuint(fake.n, ==, 3);
    // Users and trusted hosts are not asked about.
    g_autofree char *user = talk(
        w, &settings, HI LOGIN "MAIL FROM:<alice@example.test>\r\n" RCPT "DATA\r\n" TEXT ".\r\n");
    assert_ends(user, "250 2.0.0");
    g_assert_cmpuint(fake.n, ==, 3);
    finish(claim(w));
    g_free(fake.seen);
}

static void test_fields(struct world *w, gconstpointer data) {
    struct smtp_settings settings = plain(SMTP_MX);
    g_autofree char *loop = g_strdup("");
    for (unsigned i = 0; i < 101; i++) {
        char *longer = g_strconcat(loop, "Received: from a by b; now\r\n", NULL);
        g_free(loop);
        loop = longer;
    }
    g_autofree char *in = g_strconcat(
        HI MAIL RCPT "DATA\r\nAuthentication-Results: mx.example.test;\r\n dkim=pass\r\n"
                     "Bcc: stays@x\r\nX-MS-Exchange-Organization-SCL: -1\r\n" TEXT ".\r\n" MAIL RCPT
                     "DATA\r\n",
        loop, "\r\nx\r\n.\r\n", NULL);
    g_autofree char *got = talk_from(w, &settings, "192.0.2.1", false, in, NULL);
    assert_ends(got, "354\n250 2.0.0\n250\n250\n354\n554 5.4.6");
    struct queue_item *item = claim(w);
    g_autofree char *text = text_of(item);
    g_assert_true(g_str_has_suffix(text, "\r\nBcc: stays@x\r\n" TEXT));
    g_assert_null(strstr(text, "dkim"));
    finish(item);
    settings.kind = SMTP_SUBMISSION;
    settings.limits.hides_clients = true;
    g_autofree char *sent =
        talk(w, &settings,
             HI LOGIN "MAIL FROM:<alice@example.test>\r\n" RCPT
                      "DATA\r\nFrom: alice@example.test\r\nBCC: a@b,\r\n c@d\r\n"
                      "Subject: x\r\n\r\nBcc: body\r\n.\r\n");
    assert_ends(sent, "354\n250 2.0.0");
    item = claim(w);
    g_autofree char *own = text_of(item);
    g_assert_true(g_str_has_prefix(own, "Received: by mx.example.test with ESMTPA\r\n"));
    g_assert_null(strstr(own, "127.0.0.1"));
    g_assert_true(
        g_str_has_suffix(own, "\r\nFrom: alice@example.test\r\nSubject: x\r\n\r\nBcc: body\r\n"));
    finish(item);
}

#define ADD(path, test) g_test_add(path, struct world, NULL, world_setup, test, world_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/smtp/dsn", test_dsn);
    ADD("/smtp/requiretls", test_requiretls);
    ADD("/smtp/binary", test_binary);
    ADD("/smtp/lmtp", test_lmtp);
    ADD("/smtp/xclient", test_xclient);
    ADD("/smtp/slowed", test_slowed);
    ADD("/smtp/rates", test_rates);
    ADD("/smtp/reload", test_reload);
    ADD("/smtp/recipients", test_recipients);
    ADD("/smtp/delegates", test_delegates);
    ADD("/smtp/policy", test_policy);
    ADD("/smtp/fields", test_fields);
    return g_test_run();
}
