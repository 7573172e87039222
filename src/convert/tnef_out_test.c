// Messages as TNEF: the law that nothing is lost, the attributes of the document, and what mail
// does not carry.
#include "base/test.h"
#include "convert/law_message.h"
#include "convert/tnef.h"
#include "formats/tnef.h"

static struct message_value *round_trip(const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    struct message_value *back = NULL;
    assert_ok(convert_message_to_tnef(m, NULL, TNEF_WHOLE, &bytes));
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    assert_ok(convert_tnef_to_message(data, len, &back));
    return back;
}

static bool is_identity(struct choices *c) {
    struct message_value *m = make_message(c, 3), *back = round_trip(m);
    bool same = same_messages(m, back);
    message_value_free(m);
    message_value_free(back);
    return same;
}

static void test_identity(void) {
    law_check("a message made of the TNEF of a message is the same", is_identity, 150, 600);
}

// The bytes that the sample in [MS-OXTNEF] 3.1 begins with.
static void test_start(void) {
    static const uint8_t expected[] = {0x78, 0x9F, 0x3E, 0x22, 0x01, 0x00, 0x01, 0x06, 0x90, 0x08,
                                       0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01,
                                       0x00, 0x01, 0x07, 0x90, 0x06, 0x00, 0x08, 0x00, 0x00, 0x00,
                                       0xE4, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xE8, 0x00};
    struct message_value *m = message_value_new();
    g_autoptr(GBytes) bytes = NULL;
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Note");
    bag_set_long(m->bag, PidTagImportance, 1);
    bag_set_str(m->bag, PidTagSubject, "Simple subject");
    assert_ok(convert_message_to_tnef(m, NULL, TNEF_WHOLE, &bytes));
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    g_assert_cmpuint(len, >, sizeof expected);
    g_assert_cmpmem(data, sizeof expected, expected, sizeof expected);
    // attMessageClass, attPriority and attSubject with the sample's checksums.
    static const struct {
        uint32_t id;
        size_t len;
        uint16_t checksum;
    } attributes[] = {
        {TNEF_MESSAGE_CLASS, 24, 0x0831}, {TNEF_PRIORITY, 2, 0x0002}, {TNEF_SUBJECT, 15, 0x057A}};
    struct wire_reader r = wire_reader(data + sizeof expected, len - sizeof expected);
    for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_assert_cmpuint(wire_u8(&r), ==, 1);
        g_assert_cmphex(wire_u32(&r), ==, attributes[i].id);
        g_assert_cmpuint(wire_u32(&r), ==, attributes[i].len);
        wire_skip(&r, attributes[i].len);
        g_assert_cmphex(wire_u16(&r), ==, attributes[i].checksum);
    }
    message_value_free(m);
}

static struct message_value *for_mail(const struct message_value *m) {
    g_autoptr(GBytes) bytes = NULL;
    struct message_value *back = NULL;
    assert_ok(convert_message_to_tnef(m, NULL, TNEF_FOR_MAIL, &bytes));
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    assert_ok(convert_tnef_to_message(data, len, &back));
    return back;
}

// Recipients (Bcc too) and what only the store knows do not travel.
static void test_mail(void) {
    struct message_value *m = message_value_new();
    struct person secret = {"Secret", "SMTP", "secret@example.test", NULL};
    struct bag *bag = bag_new();
    person_set(bag, &recipient_tags, &secret);
    bag_set_long(bag, PidTagRecipientType, RECIPIENT_BCC);
    g_ptr_array_add(m->recipients, bag);
    bag_set_str(m->bag, PidTagDisplayBcc, "Secret");
    bag_set_str(m->bag, PidTagTransportMessageHeaders, "Received: x");
    bag_set_long(m->bag, PidLidPercentComplete, 3);
    bag_set_str(m->bag, PidTagCompanyName, "Firm");
    struct message_value *back = for_mail(m);
    g_assert_cmpuint(back->recipients->len, ==, 0);
    g_assert_null(bag_str(back->bag, PidTagDisplayBcc));
    g_assert_null(bag_str(back->bag, PidTagTransportMessageHeaders));
    g_assert_cmpstr(bag_str(back->bag, PidTagCompanyName), ==, "Firm");
    message_value_free(m);
    message_value_free(back);
}

// An author who asks for it gets winmail.dat, and a reader of ours sees everything again.
static void check_form(enum convert_form form) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = message_value_new(), *back = NULL;
    struct person alice = {"Alice", "SMTP", "alice@example.test", NULL};
    g_autoptr(GBytes) bytes = NULL;
    person_set(m->bag, &sender_tags, &alice);
    person_set(m->bag, &sent_representing_tags, &alice);
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Appointment");
    bag_set_str(m->bag, PidTagSubject, "Party");
    bag_set_str(m->bag, PidTagBody, "At eight");
    bag_set_str(m->bag, PidLidLocation, "Room 1");
    bag_set_bool(m->bag, PidLidUseTnef, true);
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, ATTACH_BY_VALUE);
    bag_set_str(a->bag, PidTagAttachLongFilename, "plan.txt");
    a->data = g_bytes_new_static("the plan", 8);
    g_ptr_array_add(m->attachments, a);
    if (form == CONVERT_WINMAIL)
        assert_ok(convert_message_to_mime(m, NULL, false, &bytes));
    else
        assert_ok(convert_message_to_mime_as(m, NULL, false, form, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    g_assert_nonnull(g_strstr_len(data, (gssize)len, "X-MS-TNEF-Correlator: <"));
    struct mime_message *mime = mime_scan(arena, data, len);
    assert_ok(convert_mime_to_message(mime, &back));
    g_assert_cmpstr(bag_str(back->bag, PidTagMessageClass), ==, "IPM.Appointment");
    g_assert_cmpstr(bag_str(back->bag, PidTagSubject), ==, "Party");
    g_assert_cmpstr(bag_str(back->bag, PidLidLocation), ==, "Room 1");
    g_assert_cmpstr(bag_str(back->bag, PidTagSenderEmailAddress), ==, "alice@example.test");
    g_assert_nonnull(bag_get(back->bag, PidTagBody));
    g_assert_cmpuint(back->attachments->len, ==, 1);
    a = back->attachments->pdata[0];
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachLongFilename), ==, "plan.txt");
    g_assert_cmpmem(g_bytes_get_data(a->data, NULL), g_bytes_get_size(a->data), "the plan", 8);
    message_value_free(m);
    message_value_free(back);
}

static void test_forms(void) {
    check_form(CONVERT_WINMAIL);
    check_form(CONVERT_SUMMARY_TNEF);
}

// Messages in messages end somewhere.
static void test_depth(void) {
    struct message_value *m = message_value_new();
    for (unsigned i = 0; i < 60; i++) {
        struct message_value *outer = message_value_new();
        struct attachment_value *a = attachment_value_new();
        bag_set_long(a->bag, PidTagAttachMethod, ATTACH_EMBEDDED);
        a->embedded = m;
        g_ptr_array_add(outer->attachments, a);
        m = outer;
    }
    struct message_value *back = round_trip(m);
    unsigned depth = 0;
    for (const struct message_value *p = back; p && p->attachments->len > 0; depth++)
        p = ((const struct attachment_value *)p->attachments->pdata[0])->embedded;
    g_assert_cmpuint(depth, >=, 10);
    g_assert_cmpuint(depth, <, 20);
    message_value_free(m);
    message_value_free(back);
}

// A file of an old program: everything stands in attributes.
static void test_old(void) {
    struct wire_writer w = wire_writer(4096), data = wire_writer(100);
    tnef_write_start(&w, 7, 1252);
    wire_put_u16(&data, 4);
    wire_put_u16(&data, 30);
    wire_put_u16(&data, 4);
    wire_put_u16(&data, 19);
    wire_put_bytes(&data, "Ann", 4);
    wire_put_bytes(&data, "SMTP:ann@e.example", 19);
    tnef_write_attribute_take(&w, false, TNEF_FROM, &data);
    tnef_write_attribute(&w, false, TNEF_SUBJECT, "Caf\xe9", 5);
    tnef_write_attribute(&w, false, TNEF_PRIORITY, "\1", 2);
    tnef_write_attribute(&w, false, TNEF_MESSAGE_STATUS, "\x20", 1);
    tnef_write_attribute(&w, false, TNEF_MESSAGE_ID, "0A0B", 5);
    tnef_write_date(&w, false, TNEF_DATE_SENT, filetime_from_unix(1077017135));
    uint8_t rendering[14] = {1, 0, 9};
    tnef_write_attribute(&w, true, TNEF_ATTACH_RENDDATA, rendering, sizeof rendering);
    tnef_write_attribute(&w, true, TNEF_ATTACH_TITLE, "a.txt", 6);
    tnef_write_attribute(&w, true, TNEF_ATTACH_DATA, "text", 4);
    GByteArray *bytes = wire_writer_take(&w);
    struct message_value *m;
    assert_ok(convert_tnef_to_message(bytes->data, bytes->len, &m));
    g_assert_cmpstr(bag_str(m->bag, PidTagSenderName), ==, "Ann");
    g_assert_cmpstr(bag_str(m->bag, PidTagSenderEmailAddress), ==, "ann@e.example");
    g_assert_cmpstr(bag_str(m->bag, PidTagSubject), ==, "Caf\xc3\xa9");
    g_assert_cmpint(bag_long(m->bag, PidTagImportance, 0), ==, 2);
    g_assert_cmpint(bag_long(m->bag, PidTagMessageFlags, 0), ==, 3);
    g_assert_cmpuint(bag_bytes(m->bag, PidTagSearchKey).len, ==, 2);
    g_assert_cmpint(filetime_to_unix(bag_time(m->bag, PidTagClientSubmitTime)), ==, 1077017135);
    const struct attachment_value *a = m->attachments->pdata[0];
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachLongFilename), ==, "a.txt");
    g_assert_cmpint(bag_long(a->bag, PidTagRenderingPosition, 0), ==, 9);
    g_assert_cmpmem(g_bytes_get_data(a->data, NULL), 4, "text", 4);
    assert_ec(convert_tnef_to_message("no TNEF", 7, &m), EC_FORMAT_ERROR);
    g_byte_array_unref(bytes);
    message_value_free(m);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tnef_out/identity", test_identity);
    g_test_add_func("/tnef_out/start", test_start);
    g_test_add_func("/tnef_out/mail", test_mail);
    g_test_add_func("/tnef_out/forms", test_forms);
    g_test_add_func("/tnef_out/depth", test_depth);
    g_test_add_func("/tnef_out/old", test_old);
    return g_test_run();
}
