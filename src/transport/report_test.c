// Reports of every kind: what they say, what a mailbox makes of them, when none goes.
#include "transport/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/test.h"
#include "convert/convert.h"
#include "mapi/props.h"
#include "transport/limits.h"

static const char text[] =
    "From: Ann <ann@a.test>\r\nTo: bob@b.test\r\nSubject: =?utf-8?q?=C3=A4?= s\r\n"
    "Message-ID: <1@a.test>\r\nThread-Topic: s\r\n"
    "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n\r\nbody\r\n";

struct fixture {
    GBytes *original;
    struct queue_envelope envelope;
    struct report_about about;
};

static void setup(struct fixture *f, gconstpointer data) {
    f->original = g_bytes_new_static(text, strlen(text));
    f->envelope =
        (struct queue_envelope){.sender = "ann@a.test", .envid = "QQ+2B1", .helo = "client.a.test"};
    f->about = (struct report_about){.hostname = "mx.here.test",
                                     .domain = "here.test",
                                     .envelope = &f->envelope,
                                     .queue_id = "Q1",
                                     .arrived = filetime_from_unix(1704067200),
                                     .original = f->original};
}

static void teardown(struct fixture *f, gconstpointer data) {
    g_bytes_unref(f->original);
}

static void assert_has(const char *report, const char *part) {
    if (!strstr(report, part))
        g_error("no \"%s\" in %s", part, report);
}

static void assert_lacks(const char *report, const char *part) {
    if (strstr(report, part))
        g_error("\"%s\" in %s", part, report);
}

static struct message_value *as_message(const GString *report) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime_scan(arena, report->str, report->len), &m));
    return m;
}

static const struct report_recipient bob = {.address = "bob@b.test",
                                            .orcpt = "rfc822;bob+2Bx@b.test",
                                            .status = "5.1.1",
                                            .text = "there is no such recipient",
                                            .remote = "mx.b.test",
                                            .diagnostic = "550 5.1.1 nobody\r\nX: injected"};

static void test_failed(struct fixture *f, gconstpointer data) {
    g_autoptr(GString) r = report_make(REPORT_FAILED, &f->about, &bob, 1);
    static const char *const parts[] = {
        "From: Mail Delivery System <postmaster@here.test>\r\n",
        "To: <ann@a.test>\r\n",
        "In-Reply-To: <1@a.test>\r\n",
        "Thread-Topic: s\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "report-type=delivery-status",
        "Reporting-MTA: dns; mx.here.test\r\n",
        "Original-Envelope-Id: QQ+1\r\n",
        "Received-From-MTA: dns; client.a.test\r\n",
        "Original-Recipient: rfc822;bob+x@b.test\r\n",
        "Final-Recipient: rfc822; bob@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        "Remote-MTA: dns; mx.b.test\r\n",
        "Diagnostic-Code: smtp; 550 5.1.1 nobody  X: injected\r\n",
        "Check how the address is spelled",
        "Content-Type: message/rfc822\r\n",
        "\r\nbody\r\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_has(r->str, parts[i]);
    // What Outlook shows of it ([MS-OXOMSG] 2.2.2).
    struct message_value *m = as_message(r);
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.NDR");
    g_assert_cmpstr(bag_str(m->bag, PidTagSubject), ==, "Undeliverable: ä s");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSubject), ==, "ä s");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalMessageId), ==, "<1@a.test>");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSenderName), ==, "Ann");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSenderEmailAddress), ==, "ann@a.test");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSentRepresentingName), ==, "Ann");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalDisplayTo), ==, "bob@b.test");
    g_assert_cmpuint(bag_time(m->bag, PidTagOriginalSubmitTime), ==,
                     filetime_from_unix(1704067200));
    g_assert_cmpuint(bag_time(m->bag, PidTagReportTime), !=, 0);
    g_assert_cmpstr(bag_str(m->bag, PidTagReportingMessageTransferAgent), ==, "mx.here.test");
    g_assert_cmpuint(m->recipients->len, ==, 1);
    const struct bag *to = m->recipients->pdata[0];
    g_assert_cmpstr(bag_str(to, PidTagSmtpAddress), ==, "bob@b.test");
    g_assert_cmpint(bag_long(to, PidTagNonDeliveryReportStatusCode, 0), ==, 511);
    g_assert_cmpint(bag_long(to, PidTagNonDeliveryReportDiagCode, 0), ==, 35);
    g_assert_cmpint(bag_long(to, PidTagNonDeliveryReportReasonCode, 0), ==, 1);
    g_assert_cmpstr(bag_str(to, PidTagRemoteMessageTransferAgent), ==, "mx.b.test");
    assert_has(bag_str(to, PidTagSupplementaryInfo), "550 5.1.1 nobody");
    message_value_free(m);
}

static void test_kinds(struct fixture *f, gconstpointer data) {
    static const struct {
        enum report_action action;
        const char *line, *subject, *class;
    } kinds[] = {
        {REPORT_DELAYED, "Action: delayed\r\n",
         "Subject: Delivery delayed: ", "REPORT.IPM.Note.Delayed.DR"},
        {REPORT_DELIVERED, "Action: delivered\r\n", "Subject: Delivered: ", "REPORT.IPM.Note.DR"},
        {REPORT_RELAYED, "Action: relayed\r\n", "Subject: Relayed: ", "REPORT.IPM.Note.Relayed.DR"},
        {REPORT_EXPANDED, "Action: expanded\r\n",
         "Subject: Expanded: ", "REPORT.IPM.Note.Expanded.DR"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct report_recipient to = {.address = "bob@b.test",
                                      .status = i == 0 ? "4.4.1" : "2.0.0",
                                      .text = "no answer",
                                      .retry_until = filetime_from_unix(1704240000)};
        g_autoptr(GString) r = report_make(kinds[i].action, &f->about, &to, 1);
        assert_has(r->str, kinds[i].line);
        assert_has(r->str, kinds[i].subject);
        assert_lacks(r->str, "\r\nbody\r\n"); // only of failures
        assert_has(r->str, "Content-Type: text/rfc822-headers\r\n");
        if (kinds[i].action == REPORT_DELAYED) {
            assert_has(r->str, "Will-Retry-Until: Wed, 3 Jan 2024 00:00:00 +0000\r\n");
            assert_has(r->str, "It is tried until 2024-01-03 00:00 (UTC).");
        } else {
            assert_lacks(r->str, "Will-Retry-Until");
        }
        struct message_value *m = as_message(r);
        g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, kinds[i].class);
        g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSubject), ==, "ä s");
        message_value_free(m);
    }
}

static void test_ret(struct fixture *f, gconstpointer data) {
    f->envelope.ret = "HDRS";
    g_autoptr(GString) header = report_make(REPORT_FAILED, &f->about, &bob, 1);
    assert_lacks(header->str, "\r\nbody\r\n");
    // A large one comes back whole when that is asked for.
    g_autofree char *body = g_strnfill(TRANSPORT_REPORT_FULL_MAX, 'x');
    g_autofree char *large = g_strconcat(text, body, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new_static(large, strlen(large));
    f->about.original = bytes;
    f->envelope.ret = NULL;
    g_autoptr(GString) short_one = report_make(REPORT_FAILED, &f->about, &bob, 1);
    g_assert_cmpuint(short_one->len, <, 5000);
    f->envelope.ret = "FULL";
    g_autoptr(GString) full = report_make(REPORT_FAILED, &f->about, &bob, 1);
    g_assert_cmpuint(full->len, >, TRANSPORT_REPORT_FULL_MAX);
}

// Addresses beyond ASCII ([RFC 6533]): as they are to whom can take them, else escaped.
static void test_utf8(struct fixture *f, gconstpointer data) {
    struct report_recipient to = {.address = "jürgen@b.test", .status = "5.1.1", .text = "no"};
    g_autoptr(GString) escaped = report_make(REPORT_FAILED, &f->about, &to, 1);
    assert_has(escaped->str, "Content-Type: message/delivery-status\r\n");
    assert_has(escaped->str, "Final-Recipient: utf-8; j\\x{FC}rgen@b.test\r\n");
    struct message_value *m = as_message(escaped);
    g_assert_cmpstr(bag_str(m->recipients->pdata[0], PidTagSmtpAddress), ==, "jürgen@b.test");
    message_value_free(m);
    f->envelope.is_smtputf8 = true;
    g_autoptr(GBytes) bytes = g_bytes_new_static("Subject: ä\r\n\r\nx\r\n", 19);
    f->about.original = bytes;
    g_assert_true(report_is_utf8(&f->about, &to, 1));
    g_autoptr(GString) global = report_make(REPORT_FAILED, &f->about, &to, 1);
    assert_has(global->str, "report-type=global-delivery-status");
    assert_has(global->str, "Content-Type: message/global-delivery-status\r\n");
    assert_has(global->str, "Final-Recipient: utf-8; jürgen@b.test\r\n");
    assert_has(global->str, "Content-Type: message/global\r\n");
    m = as_message(global);
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.NDR");
    g_assert_cmpstr(bag_str(m->recipients->pdata[0], PidTagSmtpAddress), ==, "jürgen@b.test");
    message_value_free(m);
}

static void test_wanted(void) {
    static const struct {
        uint32_t notify;
        bool wanted[5]; // failed, delayed, delivered, relayed, expanded
    } rows[] = {
        {0, {true, true, false, false, false}},
        {QUEUE_NOTIFY_NEVER, {false, false, false, false, false}},
        {QUEUE_NOTIFY_FAILURE, {true, false, false, false, false}},
        {QUEUE_NOTIFY_DELAY, {false, true, false, false, false}},
        {QUEUE_NOTIFY_SUCCESS, {false, false, true, true, true}},
        {QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE, {true, false, true, true, true}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        for (int action = REPORT_FAILED; action <= REPORT_EXPANDED; action++) {
            struct queue_recipient r = {.notify = rows[i].notify};
            g_assert_cmpint(report_is_wanted((enum report_action)action, &r), ==,
                            rows[i].wanted[action]);
        }
}

static void test_limit(void) {
    struct report_limit *l = report_limit_new();
    clock_set(FILETIME_UNIX_EPOCH);
    for (unsigned i = 0; i < TRANSPORT_REPORT_PER_WINDOW; i++)
        g_assert_true(report_limit_admit(l, "a@a", "b@b"));
    g_assert_false(report_limit_admit(l, "a@a", "b@b"));
    g_assert_true(report_limit_admit(l, "a@a", "c@b"));
    g_assert_true(report_limit_admit(l, "c@a", "b@b"));
    clock_set(FILETIME_UNIX_EPOCH + TRANSPORT_REPORT_WINDOW * FILETIME_SECOND);
    g_assert_true(report_limit_admit(l, "a@a", "b@b"));
    clock_set(0);
    report_limit_free(l);
}

#define ADD(path, test) g_test_add(path, struct fixture, NULL, setup, test, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/report/failed", test_failed);
    ADD("/report/kinds", test_kinds);
    ADD("/report/ret", test_ret);
    ADD("/report/utf8", test_utf8);
    g_test_add_func("/report/wanted", test_wanted);
    g_test_add_func("/report/limit", test_limit);
    return g_test_run();
}
