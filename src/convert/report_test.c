// Reports read and written ([MS-OXCMAIL] 2.2.3.7, 2.1.3.6).
#include "base/test.h"
#include "convert/convert_internal.h"

static struct message_value *read_raw(struct arena *arena, const char *raw) {
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime_scan(arena, raw, strlen(raw)), &m));
    return m;
}

#define REPORT(type)                                                                               \
    "From: MX <postmaster@mx.example>\r\nTo: Ann <ann@e.example>\r\nSubject: report\r\n"           \
    "Date: Mon, 01 Jan 2024 00:00:00 +0000\r\n"                                                    \
    "Content-Type: multipart/report; report-type=x; boundary=b\r\n\r\n"                            \
    "--b\r\n\r\nfor people\r\n--b\r\nContent-Type: message/" type "\r\n\r\n"
#define ORIGINAL                                                                                   \
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: =?utf-8?q?=C3=A4?=\r\n"              \
    "Message-ID: <id@e.example>\r\nTo: Bob <bob@f.example>, carl@f.example\r\n"                    \
    "Date: Sun, 31 Dec 2023 00:00:00 +0000\r\n\r\n--b--\r\n"

static const char delivery[] =
    REPORT("delivery-status") "Reporting-MTA: dns; mx.example (our)\r\n\r\n"
                              "Final-Recipient: rfc822; ok@f.example\r\nAction: "
                              "delivered\r\nStatus: 2.0.0\r\n\r\n"
                              "Original-Recipient: rfc822;b@f.example\r\nFinal-Recipient: "
                              "RFC822;bob@f.example\r\n"
                              "Action: Failed\r\nStatus: 5.1.1 (no such user)\r\nRemote-MTA: dns; "
                              "in.f.example\r\n"
                              "Diagnostic-Code: smtp; 550 5.1.1\r\n  unknown\r\nX-Display-Name: "
                              "Bob B\r\n\r\n\r\n"
                              "Final-Recipient: rfc822; carl@f.example\r\nAction: "
                              "failed\r\nStatus: 5.2.22\r\n" ORIGINAL;

static void test_failed(void) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = read_raw(arena, delivery);
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.NDR");
    g_assert_cmpstr(bag_str(m->bag, PidTagReportingMessageTransferAgent), ==, "mx.example");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalSubject), ==, "ä");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalMessageId), ==, "<id@e.example>");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalDisplayTo), ==,
                    "Bob <bob@f.example>, carl@f.example");
    filetime_t sent = filetime_from_unix(1704067200);
    g_assert_cmpuint(bag_time(m->bag, PidTagReportTime), ==, sent);
    g_assert_cmpuint(bag_time(m->bag, PidTagOriginalSubmitTime), ==,
                     filetime_from_unix(1703980800));
    // Only those it failed for, and not whom the report went to.
    g_assert_cmpuint(m->recipients->len, ==, 2);
    const struct bag *bob = m->recipients->pdata[0], *carl = m->recipients->pdata[1];
    g_assert_cmpstr(bag_str(bob, PidTagSmtpAddress), ==, "bob@f.example");
    g_assert_cmpstr(bag_str(bob, PidTagDisplayName), ==, "Bob B");
    g_assert_cmpint(bag_long(bob, PidTagNonDeliveryReportStatusCode, 0), ==, 511);
    g_assert_cmpint(bag_long(bob, PidTagNonDeliveryReportDiagCode, 0), ==, 35);
    g_assert_cmpint(bag_long(bob, PidTagNonDeliveryReportReasonCode, 0), ==, 1);
    g_assert_cmpstr(bag_str(bob, PidTagRemoteMessageTransferAgent), ==, "in.f.example");
    g_assert_cmpstr(bag_str(bob, PidTagSupplementaryInfo), ==,
                    "<in.f.example #5.1.1 smtp; 550 5.1.1 unknown>");
    g_assert_cmpuint(bag_time(bob, PidTagReportTime), ==, sent);
    g_assert_cmpuint(bag_time(bob, PidTagDeliverTime), ==, 0);
    g_assert_cmpint(bag_long(carl, PidTagNonDeliveryReportStatusCode, 0), ==, 520);
    g_assert_cmpstr(bag_str(carl, PidTagSupplementaryInfo), ==, "< #5.2.22>");
    // The machine's part is no attachment; the original's header is.
    g_assert_cmpuint(m->attachments->len, ==, 1);
    message_value_free(m);
}

static void check_class(const char *fields, const char *class) {
    ARENA_AUTO arena = arena_new();
    g_autofree char *raw = g_strconcat(REPORT("delivery-status"), "Reporting-MTA: dns; x\r\n\r\n",
                                       fields, "\r\n--b--\r\n", NULL);
    struct message_value *m = read_raw(arena, raw);
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, class);
    message_value_free(m);
}

static void test_severity(void) {
    check_class("Final-Recipient: rfc822; a@b\r\nAction: delivered", "REPORT.IPM.Note.DR");
    check_class("Final-Recipient: rfc822; a@b\r\nAction: delivered\r\n\r\n"
                "Final-Recipient: rfc822; a@b\r\nAction: delayed",
                "REPORT.IPM.Note.Delayed.DR");
    check_class("Final-Recipient: rfc822; a@b\r\nAction: relayed", "REPORT.IPM.Note.Relayed.DR");
    check_class("Final-Recipient: rfc822; a@b\r\nAction: expanded", "REPORT.IPM.Note.Expanded.DR");
    check_class("Final-Recipient: rfc822; a@b\r\nAction: dreamed", "IPM.Note");
    check_class("", "IPM.Note");
}

static void test_read(void) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = read_raw(
        arena,
        REPORT("disposition-notification") "Final-Recipient: rfc822; bob@f.example\r\n"
                                           "Original-Message-ID: "
                                           "<id@e.example>\r\nX-MSExch-Correlation-Key: AQID\r\n"
                                           "Disposition: manual-action/MDN-sent-manually; "
                                           "displayed\r\n\r\n--b--\r\n");
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.IPNRN");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalMessageId), ==, "<id@e.example>");
    g_assert_cmpstr(bag_str(m->bag, PidTagInternetReferences), ==, "<id@e.example>");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalDisplayTo), ==, "bob@f.example");
    g_assert_cmpstr(bag_str(m->bag, PidTagReportText), ==,
                    "manual-action/MDN-sent-manually; displayed");
    struct prop_bin key = bag_bytes(m->bag, PidTagParentKey);
    g_assert_cmpmem(key.data, key.len, "\1\2\3", 3);
    g_assert_cmpuint(bag_time(m->bag, PidTagReceiptTime), !=, 0);
    message_value_free(m);
    m = read_raw(
        arena,
        REPORT("disposition-notification") "Disposition: automatic-action/MDN-sent-automatically; "
                                           "deleted\r\n--b--\r\n");
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.IPNNRN");
    message_value_free(m);
    m = read_raw(arena, REPORT("disposition-notification") "Disposition: nonsense\r\n--b--\r\n");
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "IPM.Note");
    g_assert_cmpuint(m->attachments->len, ==, 1); // then it is a part like any other
    message_value_free(m);
}

// Written and read again: the properties are the same.
static void check_round(struct message_value *m, const proptag_t *tags, size_t n) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) out = NULL;
    bag_set_str(m->bag, PidTagBody, "for people"); // it was external
    g_ptr_array_set_size(m->attachments, 0);
    assert_ok(convert_message_to_mime(m, NULL, false, &out));
    g_autofree char *raw = g_strndup(g_bytes_get_data(out, NULL), g_bytes_get_size(out));
    struct message_value *again = read_raw(arena, raw);
    for (size_t i = 0; i < n; i++) {
        const struct prop_value *a = bag_get(m->bag, tags[i]), *b = bag_get(again->bag, tags[i]);
        g_assert_true(a && b && prop_equal(a, b));
    }
    g_assert_cmpuint(again->recipients->len, ==, m->recipients->len);
    for (guint i = 0; i < m->recipients->len; i++) {
        static const proptag_t own[] = {PidTagSmtpAddress, PidTagDisplayName};
        for (size_t k = 0; k < G_N_ELEMENTS(own); k++)
            g_assert_cmpstr(bag_str(m->recipients->pdata[i], own[k]), ==,
                            bag_str(again->recipients->pdata[i], own[k]));
        static const proptag_t numbers[] = {PidTagNonDeliveryReportStatusCode,
                                            PidTagNonDeliveryReportDiagCode};
        for (size_t k = 0; k < G_N_ELEMENTS(numbers); k++)
            g_assert_cmpint(bag_long(m->recipients->pdata[i], numbers[k], 0), ==,
                            bag_long(again->recipients->pdata[i], numbers[k], 0));
    }
    message_value_free(again);
}

static void test_round(void) {
    ARENA_AUTO arena = arena_new();
    static const proptag_t tags[] = {PidTagMessageClass, PidTagReportingMessageTransferAgent,
                                     PidTagSubject};
    struct message_value *m = read_raw(arena, delivery);
    check_round(m, tags, G_N_ELEMENTS(tags));
    message_value_free(m);

    static const proptag_t read_tags[] = {PidTagMessageClass, PidTagOriginalMessageId,
                                          PidTagParentKey, PidTagSubject};
    for (int i = 0; i < 2; i++) {
        m = message_value_new();
        struct person bob = {"Bob", "SMTP", "bob@f.example", "bob@f.example"};
        person_set(m->bag, &sender_tags, &bob);
        person_set(m->bag, &sent_representing_tags, &bob);
        bag_set_str(m->bag, PidTagMessageClass,
                    i ? "REPORT.IPM.Note.IPNNRN" : "REPORT.IPM.Note.IPNRN");
        bag_set_str(m->bag, PidTagSubject, "Read: s");
        bag_set_str(m->bag, PidTagOriginalMessageId, "<id@e.example>\r\nInjected: x");
        bag_set_bytes(m->bag, PidTagParentKey, "key", 3);
        check_round(m, read_tags, 1);
        bag_set_str(m->bag, PidTagOriginalMessageId, "<id@e.example>");
        check_round(m, read_tags, G_N_ELEMENTS(read_tags));
        message_value_free(m);
    }
}

static void test_status(void) {
    struct report_status s;
    g_assert_true(report_read_status("5.7.1", &s));
    g_assert_cmpint(s.kind * 100 + s.subject * 10 + s.detail, ==, 571);
    static const char *const bad[] = {"", "5", "5.", "5.1", "5.1.", "x.1.1", "51.1.1", "5..1"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(report_read_status(bad[i], &s));
    g_assert_false(report_read_status(NULL, &s));
    s = report_status_of_codes(5, 35, 1);
    g_assert_cmpint(s.kind * 100 + s.subject * 10 + s.detail, ==, 511);
    s = report_status_of_codes(5, -1, 0);
    g_assert_cmpint(s.kind * 100 + s.subject * 10 + s.detail, ==, 500);
}

// --- Header fields that other messages have ---

static void test_fields(void) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = read_raw(
        arena, "Subject: s\r\nX-List-Help: <mailto:h@e>\r\nList-Subscribe: <http://s>\r\n"
               "X-List-Subscribe: <http://other>\r\nAutoForwarded: TRUE\r\nContent-Class: fax\r\n"
               "X-Message-Flag: Call\r\nX-CallingTelephoneNumber: +49 1\r\n"
               "X-FaxNumberOfPages: 3\r\nContent-ID: <body@e>\r\nContent-Location: http://b\r\n"
               "X-Priority: 1 (Highest)\r\n\r\nx");
    g_assert_cmpstr(bag_str(m->bag, PidTagListHelp), ==, "<mailto:h@e>");
    g_assert_cmpstr(bag_str(m->bag, PidTagListSubscribe), ==, "<http://s>");
    g_assert_true(bag_bool(m->bag, PidTagAutoForwarded, false));
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "IPM.Note.Microsoft.Fax");
    g_assert_cmpstr(bag_str(m->bag, PidLidFlagRequest), ==, "Call");
    g_assert_cmpstr(bag_str(m->bag, PidLidToDoTitle), ==, "s");
    g_assert_cmpint(bag_long(m->bag, PidTagFlagStatus, 0), ==, 2);
    g_assert_cmpstr(bag_str(m->bag, PidTagSenderTelephoneNumber), ==, "+49 1");
    g_assert_cmpstr(bag_str(m->bag, PidNameXSenderTelephoneNumber), ==, "+49 1");
    g_assert_cmpint(bag_long(m->bag, PidTagFaxNumberOfPages, 0), ==, 3);
    g_assert_cmpstr(bag_str(m->bag, PidTagBodyContentId), ==, "body@e");
    g_assert_cmpstr(bag_str(m->bag, PidTagBodyContentLocation), ==, "http://b");
    g_assert_cmpint(bag_long(m->bag, PidTagImportance, 0), ==, 2);
    message_value_free(m);
    m = read_raw(arena, "Content-Class: urn:content-class:custom.Own\r\n\r\nx");
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "IPM.Note.Custom.Own");
    message_value_free(m);
    m = read_raw(arena, "Content-Class: urn:content-classes:message\r\n\r\nx");
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "IPM.Note");
    message_value_free(m);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/failed", test_failed);
    g_test_add_func("/report/severity", test_severity);
    g_test_add_func("/report/read", test_read);
    g_test_add_func("/report/round", test_round);
    g_test_add_func("/report/status", test_status);
    g_test_add_func("/report/fields", test_fields);
    return g_test_run();
}
