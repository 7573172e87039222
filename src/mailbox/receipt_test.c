// Receipts: who gets one, once, and what it says.
#include "mailbox/receipt.h"

#include "convert/convert.h"
#include "directory/setting.h"
#include "mailbox/mailbox_fixture.h"
#include "mailbox/outbox.h"
#include "mailbox/owner_settings.h"
#include "mapi/props.h"
#include "queue/queue.h"

static GPtrArray *sent; // char *: "kind sender recipient\n" and the bytes

static enum ec note_sent(void *ctx, const struct mailbox_outgoing *m) {
    (void)ctx;
    gsize len;
    const char *data = g_bytes_get_data(m->mime, &len);
    g_assert_true(m->never_reports);
    g_ptr_array_add(sent, g_strdup_printf("%d <%s> <%s>\n%.*s", m->kind, m->sender, m->recipient,
                                          (int)len, data));
    return EC_OK;
}

static void setup(struct world *w, gconstpointer data) {
    world_setup(w, data);
    sent = g_ptr_array_new_with_free_func(g_free);
    mailbox_service_set_outbox(w->service, note_sent, NULL);
}

static void teardown(struct world *w, gconstpointer data) {
    world_assert_clean(w, &w->alice);
    g_ptr_array_unref(sent);
    world_teardown(w, data);
}

#define ASKS                                                                                       \
    "Return-Path: <x@remote.test>\r\nFrom: X <x@remote.test>\r\nTo: alice@example.test\r\n"        \
    "Disposition-Notification-To: X <x@remote.test>\r\nSubject: Hello\r\n"                         \
    "Message-ID: <1@remote.test>\r\n\r\nbody\r\n"

static uint64_t put(struct world *w, const char *text) {
    g_autoptr(GBytes) mime = g_bytes_new_static(text, strlen(text));
    struct mailbox_append message = {.mime = mime};
    uint64_t mid;
    assert_ok(mailbox_append(w->m, FID_INBOX, &message, &mid, NULL));
    return mid;
}

static void set_flags(struct world *w, uint64_t mid, enum mailbox_flags_mode mode, uint32_t flags) {
    struct mailbox_flags change = {.mode = mode, .flags = flags, .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(w->m, FID_INBOX, &mid, 1, &change, NULL));
}

static void read_it(struct world *w, uint64_t mid) {
    set_flags(w, mid, MAILBOX_FLAGS_ADD, MSG_READ);
}

static void test_read(struct world *w, gconstpointer data) {
    // A client of the kind that answers by itself.
    read_it(w, put(w, ASKS));
    g_assert_cmpuint(sent->len, ==, 0);
    mailbox_set_receipts(w->m, true);
    uint64_t mid = put(w, ASKS);
    read_it(w, mid);
    g_assert_cmpuint(sent->len, ==, 1);
    const char *mdn = sent->pdata[0];
    g_assert_true(g_str_has_prefix(mdn, "2 <> <x@remote.test>\nAuto-Submitted: auto-replied\r\n"));
    static const char *const parts[] = {
        "report-type=disposition-notification", "\r\nSubject: Read: Hello\r\n",
        "Final-Recipient: rfc822;alice@example.test\r\n",
        "Original-Message-ID: <1@remote.test>\r\n",
        "Disposition: automatic-action/MDN-sent-automatically; displayed\r\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        if (!strstr(mdn, parts[i]))
            g_error("no \"%s\" in %s", parts[i], mdn);
    // The other side reads it as what it is.
    ARENA_AUTO arena = arena_new();
    const char *raw = strchr(mdn, '\n') + 1;
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime_scan(arena, raw, strlen(raw)), &m));
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "REPORT.IPM.Note.IPNRN");
    g_assert_cmpstr(bag_str(m->bag, PidTagOriginalMessageId), ==, "<1@remote.test>");
    message_value_free(m);
    // Once, also when it becomes unread and read again, and is deleted.
    set_flags(w, mid, MAILBOX_FLAGS_REMOVE, MSG_READ);
    read_it(w, mid);
    set_flags(w, mid, MAILBOX_FLAGS_REMOVE, MSG_READ);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mid, 1));
    g_assert_cmpuint(sent->len, ==, 1);
    // A change that sets all flags, and one that has a condition.
    set_flags(w, put(w, ASKS), MAILBOX_FLAGS_SET, MSG_READ | MSG_FLAGGED);
    g_assert_cmpuint(sent->len, ==, 2);
    mid = put(w, ASKS);
    struct mailbox_flags change = {.mode = MAILBOX_FLAGS_ADD, .flags = MSG_READ};
    change.unchanged_since = UINT64_MAX - 1;
    assert_ok(mailbox_change_flags(w->m, FID_INBOX, &mid, 1, &change, NULL));
    g_assert_cmpuint(sent->len, ==, 3);
    struct folder_info info = world_folder(w, &w->alice, FID_INBOX);
    g_assert_cmpuint(info.n_unread, ==, 0);
}

static void test_not_read(struct world *w, gconstpointer data) {
    mailbox_set_receipts(w->m, true);
    uint64_t mids[] = {put(w, ASKS), put(w, "Subject: asks for nothing\r\n\r\n")};
    assert_ok(mailbox_expunge(w->m, FID_INBOX, mids, 2));
    g_assert_cmpuint(sent->len, ==, 1);
    g_assert_nonnull(strstr(sent->pdata[0], "Subject: Not read: Hello\r\n"));
    g_assert_nonnull(strstr(sent->pdata[0], "MDN-sent-automatically; deleted\r\n"));
}

// Who decides: the owner, the client, and what an IMAP client says it did.
static void test_settings(struct world *w, gconstpointer data) {
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_RECEIPTS, "always"));
    read_it(w, put(w, ASKS));
    g_assert_cmpuint(sent->len, ==, 1);
    uint64_t mid = put(w, ASKS);
    const char *keyword = "$mdnsent";
    struct mailbox_flags change = {.mode = MAILBOX_FLAGS_ADD,
                                   .keywords = &keyword,
                                   .n_keywords = 1,
                                   .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(w->m, FID_INBOX, &mid, 1, &change, NULL));
    read_it(w, mid);
    g_assert_cmpuint(sent->len, ==, 1);
    // Nobody agreed to these: only to where the message came from, never to nobody.
    read_it(w, put(w, "Return-Path: <list@remote.test>\r\nFrom: x@remote.test\r\n"
                      "Disposition-Notification-To: x@remote.test\r\n\r\n"));
    read_it(w, put(w, "Return-Path: <>\r\nDisposition-Notification-To: x@remote.test\r\n\r\n"));
    read_it(w, put(w, "Disposition-Notification-To: x@remote.test\r\n\r\n"));
    g_assert_cmpuint(sent->len, ==, 1);
    mailbox_set_receipts(w->m, true);
    read_it(w, put(w, "Return-Path: <>\r\nDisposition-Notification-To: x@remote.test\r\n\r\n"));
    g_assert_cmpuint(sent->len, ==, 1);
    assert_ok(directory_set_setting(w->d, &w->alice, SETTING_RECEIPTS, "never"));
    read_it(w, put(w, ASKS));
    g_assert_cmpuint(sent->len, ==, 1);
}

static void test_notify(void) {
    BAG_AUTO bag = bag_new();
    g_assert_cmpuint(mailbox_notify_bits(bag), ==, 0);
    bag_set_bool(bag, PidTagOriginatorDeliveryReportRequested, true);
    g_assert_cmpuint(mailbox_notify_bits(bag), ==,
                     QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_DELAY);
    bag_set_bool(bag, PidTagOriginatorNonDeliveryReportRequested, false);
    g_assert_cmpuint(mailbox_notify_bits(bag), ==, QUEUE_NOTIFY_SUCCESS);
    bag_set_bool(bag, PidTagOriginatorDeliveryReportRequested, false);
    g_assert_cmpuint(mailbox_notify_bits(bag), ==, QUEUE_NOTIFY_NEVER);
}

#define ADD(path, test) g_test_add(path, struct world, NULL, setup, test, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("/receipt/read", test_read);
    ADD("/receipt/not-read", test_not_read);
    ADD("/receipt/settings", test_settings);
    g_test_add_func("/receipt/notify", test_notify);
    return g_test_run();
}
