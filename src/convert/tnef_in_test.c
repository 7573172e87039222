// winmail.dat as a message: properties, attachments, messages inside; and what is not believed.
#include "base/test.h"
#include "convert/convert_internal.h"
#include "convert/tnef_test_writer.h"

enum { MESSAGE = 1, ATTACHMENT = 2 };

static const struct guid own_set = {"own property set"};

static void put_message_props(GByteArray *out) {
    struct wire_writer w = tnef_list();
    tnef_put_string(&w, PROP_TAG(PROP_ID(PidTagMessageClass), PT_STRING8), "IPM.Appointment");
    tnef_put_string(&w, PidTagCompanyName, "Firm \xc3\xa4");
    tnef_put_long(&w, PidTagImportance, 2);
    tnef_put_tag(&w, PidTagReplyRequested);
    wire_put_u32(&w, 1); // a boolean, padded
    tnef_put_tag(&w, PidTagStartDate);
    wire_put_u64(&w, 116444736000000000);
    tnef_put_named(&w, PT_UNICODE, &PSETID_Appointment, 0x8208, NULL);
    wire_put_u32(&w, 1);
    tnef_put_utf16(&w, "Room 1"); // PidLidLocation
    tnef_put_named(&w, PT_LONG, &own_set, 0, "Own");
    wire_put_u32(&w, 42);
    tnef_put_tag(&w, PROP_TAG(0x6789, PT_MV_UNICODE)); // internal, and it has to be skipped
    wire_put_u32(&w, 2);
    tnef_put_utf16(&w, "one");
    tnef_put_utf16(&w, "two");
    tnef_put_tag(&w, PROP_TAG(PROP_ID(PidTagChildrensNames), PT_MV_STRING8));
    wire_put_u32(&w, 2);
    tnef_put_bytes(&w, "An\xe4", 3);
    tnef_put_bytes(&w, "Bo", 3);
    // What a stranger has no say in.
    tnef_put_string(&w, PidTagSenderName, "The Boss");
    tnef_put_string(&w, PidTagSentRepresentingSmtpAddress, "boss@e.example");
    tnef_put_string(&w, PidTagSubject, "Other subject");
    tnef_put_string(&w, PidTagTransportMessageHeaders, "Received: by nobody");
    tnef_put_long(&w, PidTagMessageFlags, 9);
    tnef_put_named(&w, PT_UNICODE, &PS_INTERNET_HEADERS, 0, "X-MS-Exchange-Organization-SCL");
    wire_put_u32(&w, 1);
    tnef_put_utf16(&w, "-1");
    tnef_put_list(out, MESSAGE, TNEF_MESSAGE_PROPS, &w, 15);
}

static void put_attachment(GByteArray *out, uint16_t type, const char *title) {
    uint8_t renddata[14] = {(uint8_t)type, 0, 0xFF, 0xFF, 0xFF, 0xFF};
    tnef_put_attribute(out, ATTACHMENT, TNEF_ATTACH_RENDDATA, renddata, sizeof renddata);
    if (title)
        tnef_put_attribute(out, ATTACHMENT, TNEF_ATTACH_TITLE, title, strlen(title) + 1);
}

static void put_object(GByteArray *out, uint8_t iid, const void *data, size_t len) {
    struct wire_writer w = tnef_list();
    uint8_t full[16] = {
        iid, iid == 7 ? 3 : 0, iid == 7 ? 2 : 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};
    tnef_put_long(&w, PidTagAttachMethod, iid == 7 ? 5 : 6);
    tnef_put_tag(&w, PidTagAttachDataObject);
    wire_put_u32(&w, 1);
    wire_put_u32(&w, (uint32_t)(len + sizeof full));
    wire_put_bytes(&w, full, sizeof full);
    wire_put_bytes(&w, data, len);
    tnef_pad(&w);
    tnef_put_list(out, ATTACHMENT, TNEF_ATTACH_PROPS, &w, 2);
}

static GByteArray *inner_message(void) {
    GByteArray *out = tnef_begin();
    struct wire_writer w = tnef_list();
    tnef_put_string(&w, PidTagSubject, "inner");
    tnef_put_string(&w, PidTagSenderName, "Ann");
    tnef_put_list(out, MESSAGE, TNEF_MESSAGE_PROPS, &w, 2);
    w = tnef_list();
    wire_put_u32(&w, 1); // one row of one property
    tnef_put_long(&w, PidTagRecipientType, 1);
    wire_put_u32(&w, 2);
    tnef_put_long(&w, PidTagRecipientType, 2);
    tnef_put_string(&w, PROP_TAG(PROP_ID(PidTagDisplayName), PT_STRING8), "Bob");
    tnef_put_list(out, MESSAGE, TNEF_RECIPIENTS, &w, 2);
    put_attachment(out, 1, "deep.txt");
    tnef_put_attribute(out, ATTACHMENT, TNEF_ATTACH_DATA, "deep", 4);
    return out;
}

static GByteArray *whole(void) {
    GByteArray *out = tnef_begin();
    static const uint8_t code_page[8] = {0xE4, 0x04}; // 1252
    tnef_put_attribute(out, MESSAGE, TNEF_OEM_CODE_PAGE, code_page, sizeof code_page);
    tnef_put_attribute(out, MESSAGE, TNEF_MESSAGE_CLASS, "IPM.Microsoft Mail.Note", 24);
    put_message_props(out);
    put_attachment(out, 1, "caf\xe9.txt");
    tnef_put_attribute(out, ATTACHMENT, TNEF_ATTACH_DATA, "content", 7);
    struct wire_writer w = tnef_list();
    tnef_put_string(&w, PidTagAttachLongFilename, "../long name.txt");
    tnef_put_string(&w, PidTagAttachMimeTag, "text/plain");
    tnef_put_list(out, ATTACHMENT, TNEF_ATTACH_PROPS, &w, 2);
    put_attachment(out, 1, NULL);
    g_autoptr(GByteArray) inner = inner_message();
    put_object(out, 7, inner->data, inner->len);
    put_attachment(out, 2, "chart");
    put_object(out, 0x0B, "storage", 7);
    return out;
}

static struct message_value *read_mail(struct arena *arena, const void *tnef, size_t len) {
    g_autofree char *b64 = g_base64_encode(tnef, len);
    char *raw = arena_printf(arena,
                             "From: Real <real@e.example>\r\nSubject: s\r\n"
                             "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n"
                             "--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
                             "Content-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n",
                             b64);
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime_scan(arena, raw, strlen(raw)), &m));
    return m;
}

static void test_properties(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GByteArray) tnef = whole();
    struct message_value *m = read_mail(arena, tnef->data, tnef->len);
    g_assert_cmpstr(bag_str(m->bag, PidTagMessageClass), ==, "IPM.Appointment");
    g_assert_cmpstr(bag_str(m->bag, PidTagCompanyName), ==, "Firm ä");
    g_assert_cmpint(bag_long(m->bag, PidTagImportance, 0), ==, 2);
    g_assert_true(bag_bool(m->bag, PidTagReplyRequested, false));
    g_assert_cmpuint(bag_time(m->bag, PidTagStartDate), ==, 116444736000000000);
    g_assert_cmpstr(bag_str(m->bag, PidLidLocation), ==, "Room 1");
    struct prop_name own = prop_name_string(&own_set, "Own");
    uint16_t id = message_value_local_name(m, &own);
    g_assert_cmpint(bag_long(m->bag, PROP_TAG(id, PT_LONG), 0), ==, 42);
    const struct prop_value *children = bag_get(m->bag, PidTagChildrensNames);
    g_assert_cmpuint(children->mv.n, ==, 2);
    g_assert_cmpstr(children->mv.str[0], ==, "Anä");
    g_assert_cmpstr(children->mv.str[1], ==, "Bo");
    message_value_free(m);
}

static void test_not_believed(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GByteArray) tnef = whole();
    struct message_value *m = read_mail(arena, tnef->data, tnef->len);
    g_assert_cmpstr(bag_str(m->bag, PidTagSenderName), ==, "Real");
    g_assert_cmpstr(bag_str(m->bag, PidTagSentRepresentingSmtpAddress), ==, "real@e.example");
    g_assert_cmpstr(bag_str(m->bag, PidTagSubject), ==, "s");
    g_assert_true(bag_get(m->bag, PidTagTransportMessageHeaders)->is_external);
    g_assert_true(bag_get(m->bag, PidTagBody)->is_external); // the part's, not a copy
    g_assert_null(bag_get(m->bag, PidTagMessageFlags));
    g_assert_null(bag_get(m->bag, PROP_TAG(0x6789, PT_UNSPECIFIED)));
    g_assert_cmpuint(m->names->len, ==, 1); // no header fields
    message_value_free(m);
}

static void check_data(const struct attachment_value *a, const char *expected) {
    g_assert_cmpmem(g_bytes_get_data(a->data, NULL), g_bytes_get_size(a->data), expected,
                    strlen(expected));
}

static void test_attachments(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GByteArray) tnef = whole();
    struct message_value *m = read_mail(arena, tnef->data, tnef->len);
    g_assert_cmpuint(m->attachments->len, ==, 3); // and no winmail.dat
    const struct attachment_value *file = m->attachments->pdata[0];
    g_assert_cmpstr(bag_str(file->bag, PidTagAttachLongFilename), ==, "long name.txt");
    g_assert_cmpstr(bag_str(file->bag, PidTagAttachExtension), ==, ".txt");
    g_assert_cmpint(bag_long(file->bag, PidTagAttachMethod, 0), ==, ATTACH_BY_VALUE);
    g_assert_cmpint(bag_long(file->bag, PidTagAttachSize, 0), ==, 7);
    check_data(file, "content");
    const struct attachment_value *inner = m->attachments->pdata[1];
    g_assert_cmpint(bag_long(inner->bag, PidTagAttachMethod, 0), ==, ATTACH_EMBEDDED);
    g_assert_cmpstr(bag_str(inner->bag, PidTagDisplayName), ==, "inner");
    g_assert_cmpstr(bag_str(inner->embedded->bag, PidTagSenderName), ==, "Ann");
    g_assert_cmpuint(inner->embedded->recipients->len, ==, 1);
    const struct bag *bob = inner->embedded->recipients->pdata[0];
    g_assert_cmpstr(bag_str(bob, PidTagDisplayName), ==, "Bob");
    check_data(inner->embedded->attachments->pdata[0], "deep");
    const struct attachment_value *chart = m->attachments->pdata[2];
    g_assert_cmpint(bag_long(chart->bag, PidTagAttachMethod, 0), ==, ATTACH_OLE);
    check_data(chart, "storage");
    message_value_free(m);
}

// Cut off anywhere, or changed anywhere, it is still a message.
static void test_broken(void) {
    g_autoptr(GByteArray) tnef = whole();
    for (guint len = 0; len < tnef->len; len += 7) {
        ARENA_AUTO arena = arena_new();
        message_value_free(read_mail(arena, tnef->data, len));
    }
    for (guint i = 0; i < tnef->len; i += 5) {
        ARENA_AUTO arena = arena_new();
        tnef->data[i] ^= 0xFF;
        message_value_free(read_mail(arena, tnef->data, tnef->len));
        tnef->data[i] ^= 0xFF;
    }
    ARENA_AUTO arena = arena_new();
    struct message_value *m = read_mail(arena, "no TNEF", 7);
    g_assert_cmpuint(m->attachments->len, ==, 1); // then it is a file
    message_value_free(m);
}

// A part that belongs to another message is a file and no more.
static void test_correlation(void) {
    static const char key[] = "<id@e.example>";
    g_autoptr(GByteArray) tnef = tnef_begin();
    struct wire_writer w = tnef_list();
    tnef_put_string(&w, PidTagCompanyName, "Firm");
    tnef_put_binary(&w, PidTagTnefCorrelationKey, key, sizeof key); // with its NUL
    tnef_put_list(tnef, MESSAGE, TNEF_MESSAGE_PROPS, &w, 2);
    g_autofree char *b64 = g_base64_encode(tnef->data, tnef->len);
    static const struct {
        const char *header;
        bool is_ours;
    } cases[] = {{"", true},
                 {"X-MS-TNEF-Correlator: <id@e.example>\r\n", true},
                 {"X-MS-TNEF-Correlator: <other@e.example>\r\n", false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        const char *raw = arena_printf(arena,
                                       "%sContent-Type: application/ms-tnef\r\n"
                                       "Content-Transfer-Encoding: base64\r\n\r\n%s\r\n",
                                       cases[i].header, b64);
        struct message_value *m;
        assert_ok(convert_mime_to_message(mime_scan(arena, raw, strlen(raw)), &m));
        g_assert_cmpuint(m->attachments->len, ==, cases[i].is_ours ? 0 : 1);
        g_assert_cmpstr(bag_str(m->bag, PidTagCompanyName), ==, cases[i].is_ours ? "Firm" : NULL);
        message_value_free(m);
    }
}

// Messages in messages, deeper than is read.
static void test_deep(void) {
    ARENA_AUTO arena = arena_new();
    GByteArray *tnef = inner_message();
    for (int i = 0; i < 50; i++) {
        GByteArray *outer = tnef_begin();
        put_attachment(outer, 1, "m");
        put_object(outer, 7, tnef->data, tnef->len);
        g_byte_array_unref(tnef);
        tnef = outer;
    }
    struct message_value *m = read_mail(arena, tnef->data, tnef->len);
    unsigned depth = 0;
    for (const struct message_value *p = m; p && p->attachments->len > 0; depth++)
        p = ((struct attachment_value *)p->attachments->pdata[0])->embedded;
    g_assert_cmpuint(depth, ==, 17);
    message_value_free(m);
    g_byte_array_unref(tnef);
}

// --- Uuencoded files, which come by the same way ---

static void test_uuencoded(void) {
    ARENA_AUTO arena = arena_new();
    static const char raw[] =
        "Subject: s\r\n\r\nHello\r\n\r\nbegin 644 a.txt\r\n#86)C\r\n`\r\nend\r\n"
        "between\r\nbegin 644 b.bin\r\n#86)C\r\n`\r\nend\r\n\r\n";
    struct message_value *m;
    struct mime_message *mime = mime_scan(arena, raw, strlen(raw));
    assert_ok(convert_mime_to_message(mime, &m));
    g_assert_cmpuint(m->attachments->len, ==, 2);
    const struct attachment_value *a = m->attachments->pdata[0];
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachLongFilename), ==, "a.txt");
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachMimeTag), ==, "text/plain");
    g_assert_cmpint(bag_long(a->bag, PidTagAttachSize, 0), ==, 3);
    g_autoptr(GBytes) content =
        mime_decode(raw + a->external.pos, a->external.len, a->external.encoding);
    g_assert_cmpmem(g_bytes_get_data(content, NULL), g_bytes_get_size(content), "abc", 3);
    g_assert_cmpstr(bag_str(m->bag, PidTagBody), ==, "Hello\r\n\r\nbetween\r\n");
    message_value_free(m);

    // All text before the file: a range of the original.
    static const char before[] = "\r\nHello\r\nbegin 644 a.txt\r\n#86)C\r\nend\r\n";
    assert_ok(convert_mime_to_message(mime_scan(arena, before, strlen(before)), &m));
    const struct prop_value *body = bag_get(m->bag, PidTagBody);
    g_assert_true(body->is_external);
    g_assert_cmpmem(before + body->external.pos, body->external.len, "Hello\r\n", 7);
    message_value_free(m);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    const char *corpus = g_getenv("BOURSE_TNEF_CORPUS"); // writes the corpus' first file
    if (corpus) {
        g_autoptr(GByteArray) tnef = whole();
        return !g_file_set_contents(corpus, (const char *)tnef->data, tnef->len, NULL);
    }
    g_test_add_func("/tnef_in/properties", test_properties);
    g_test_add_func("/tnef_in/not_believed", test_not_believed);
    g_test_add_func("/tnef_in/attachments", test_attachments);
    g_test_add_func("/tnef_in/broken", test_broken);
    g_test_add_func("/tnef_in/correlation", test_correlation);
    g_test_add_func("/tnef_in/deep", test_deep);
    g_test_add_func("/tnef_in/uuencoded", test_uuencoded);
    return g_test_run();
}
