// Internet messages as MAPI messages: properties, recipients, bodies, attachments, classes.
#include "base/test.h"
#include "convert/convert_internal.h"
#include "mapi/conversation.h"

struct fixture {
    struct arena *arena;
    struct mime_message *mime;
    struct message_value *message;
};

static void setup(struct fixture *f, const char *text) {
    f->arena = arena_new();
    f->mime = mime_scan(f->arena, text, strlen(text));
    assert_ok(convert_mime_to_message(f->mime, &f->message));
}

static void teardown(struct fixture *f) {
    message_value_free(f->message);
    arena_free(f->arena);
}

static const char *external_text(struct fixture *f, const struct prop_external *e) {
    g_assert_cmpuint(e->pos + e->len, <=, f->mime->len);
    g_autoptr(GBytes) bytes = mime_decode(f->mime->data + e->pos, e->len, e->encoding);
    return mime_to_utf8(f->arena, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                        e->charset ? e->charset : "utf-8", NULL);
}

static const char *text_of(struct fixture *f, const struct bag *bag, proptag_t tag) {
    const struct prop_value *v = bag_get(bag, tag);
    if (!v)
        return NULL;
    if (v->is_external)
        return external_text(f, &v->external);
    if (PROP_TYPE(tag) == PT_BINARY)
        return arena_strndup(f->arena, (const char *)v->bin.data, v->bin.len);
    return v->str;
}

static const struct attachment_value *attachment(struct fixture *f, unsigned i) {
    g_assert_cmpuint(i, <, f->message->attachments->len);
    return f->message->attachments->pdata[i];
}

#define assert_str(f, tag, want) g_assert_cmpstr(text_of(f, (f)->message->bag, tag), ==, want)

// --- Headers ---

static void test_headers(void) {
    struct fixture f;
    setup(&f,
          "Received: from a by b; Mon, 1 Jan 2024 00:00:05 +0000\r\n"
          "Date: Mon, 1 Jan 2024 01:00:00 +0100\r\n"
          "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>, second@example.test\r\n"
          "Sender: \"The Secretary\" <sec@example.test>\r\n"
          "Reply-To: List <list@example.test>, other@example.test\r\n"
          "To: Bob <bob@example.test>, Team: carol@example.test;\r\nTo: dan@example.test\r\n"
          "Cc: =?utf-8?b?w6Q=?= <eve@example.test>\r\nBcc: frank@example.test\r\n"
          "Subject: =?iso-8859-1?q?Re:_Gr=FC=DFe?=\r\n"
          "Message-ID: <1@example.test>\r\nIn-Reply-To: <0@example.test>\r\n"
          "References: <r@example.test>\r\n\t<0@example.test>\r\n"
          "X-Priority: 1 (Highest)\r\nPriority: urgent\r\nSensitivity: private\r\n"
          "Disposition-Notification-To: joerg@example.test\r\n"
          "Keywords: red, green; blue\r\nX-Auto-Response-Suppress: OOF, AutoReply\r\n"
          "Expires: Tue, 2 Jan 2024 00:00:00 +0000\r\n"
          "List-Unsubscribe: <mailto:x@example.test>\r\n"
          "Accept-Language: de-DE\r\nX-CallID: 42\r\nX-Message-Flag: Call back\r\n\r\nbody\r\n");
    struct bag *bag = f.message->bag;
    assert_str(&f, PidTagSubject,
               "Re: Gr\xc3\xbc\xc3\x9f"
               "e");
    assert_str(&f, PidTagSubjectPrefix, "Re: ");
    assert_str(&f, PidTagNormalizedSubject,
               "Gr\xc3\xbc\xc3\x9f"
               "e");
    assert_str(&f, PidTagConversationTopic,
               "Gr\xc3\xbc\xc3\x9f"
               "e");
    assert_str(&f, PidTagMessageClass, "IPM.Note");
    assert_str(&f, PidTagSentRepresentingName, "J\xc3\xb6rg");
    assert_str(&f, PidTagSentRepresentingEmailAddress, "joerg@example.test");
    assert_str(&f, PidTagSentRepresentingAddressType, "SMTP");
    assert_str(&f, PidTagSenderName, "The Secretary");
    assert_str(&f, PidTagSenderSmtpAddress, "sec@example.test");
    assert_str(&f, PidTagReplyRecipientNames, "List;other@example.test");
    assert_str(&f, PidTagInternetMessageId, "<1@example.test>");
    assert_str(&f, PidTagInReplyToId, "<0@example.test>");
    assert_str(&f, PidTagInternetReferences, "<r@example.test> <0@example.test>");
    assert_str(&f, PidTagListUnsubscribe, "<mailto:x@example.test>");
    assert_str(&f, PidNameAcceptLanguage, "de-DE");
    assert_str(&f, PidNameXCallId, "42");
    assert_str(&f, PidLidFlagRequest, "Call back");
    assert_str(&f, PidTagBody, "body\r\n");
    g_assert_true(g_str_has_prefix(text_of(&f, bag, PidTagTransportMessageHeaders), "Received:"));
    g_assert_cmpint(bag_long(bag, PidTagImportance, -1), ==, 2);
    g_assert_cmpint(bag_long(bag, PidTagPriority, -1), ==, 1);
    g_assert_cmpint(bag_long(bag, PidTagSensitivity, -1), ==, 2);
    g_assert_cmpint(bag_long(bag, PidTagAutoResponseSuppress, -1), ==, 48);
    g_assert_true(bag_bool(bag, PidTagReadReceiptRequested, false));
    g_assert_cmpint(filetime_to_unix(bag_time(bag, PidTagClientSubmitTime)), ==, 1704067200);
    g_assert_cmpint(filetime_to_unix(bag_time(bag, PidTagExpiryTime)), ==, 1704153600);
    const struct prop_value *keywords = bag_get(bag, PidNameKeywords);
    g_assert_cmpuint(keywords->mv.n, ==, 3);
    g_assert_cmpstr(keywords->mv.str[2], ==, "blue");
    struct conversation_index index;
    g_assert_true(conversation_index_parse(bag_bytes(bag, PidTagConversationIndex), &index));

    static const struct {
        int type;
        const char *name, *address;
    } people[] = {{1, "Bob", "bob@example.test"},
                  {1, "carol@example.test", "carol@example.test"},
                  {1, "dan@example.test", "dan@example.test"},
                  {2, "\xc3\xa4", "eve@example.test"},
                  {3, "frank@example.test", "frank@example.test"}};
    g_assert_cmpuint(f.message->recipients->len, ==, G_N_ELEMENTS(people));
    for (size_t i = 0; i < G_N_ELEMENTS(people); i++) {
        const struct bag *r = f.message->recipients->pdata[i];
        g_assert_cmpint(bag_long(r, PidTagRecipientType, 0), ==, people[i].type);
        g_assert_cmpstr(bag_str(r, PidTagDisplayName), ==, people[i].name);
        g_assert_cmpstr(bag_str(r, PidTagEmailAddress), ==, people[i].address);
    }
    const struct bag *bob = f.message->recipients->pdata[0];
    struct prop_bin key = bag_bytes(bob, PidTagSearchKey);
    g_assert_cmpmem(key.data, key.len, "SMTP:BOB@EXAMPLE.TEST", 22);
    struct prop_bin id = bag_bytes(bob, PidTagEntryId);
    struct person person;
    g_assert_true(one_off_get(f.arena, id.data, id.len, &person));
    g_assert_cmpstr(person.name, ==, "Bob");
    g_assert_cmpstr(person.type, ==, "SMTP");
    g_assert_cmpstr(person.address, ==, "bob@example.test");
    teardown(&f);
}

// One header, one property, one string.
static void test_single_headers(void) {
    static const struct {
        const char *header;
        proptag_t tag;
        const char *value;
    } cases[] = {
        {"Subject: RE:x", PidTagSubject, "RE:x"},
        {"Subject: AW: x", PidTagNormalizedSubject, "x"},
        {"Subject: a1: x", PidTagSubjectPrefix, ""},
        {"Subject: long: x", PidTagSubjectPrefix, ""},
        {"Subject:", PidTagSubject, ""},
        {"X: y", PidTagSubject, ""},
        {"Subject: \xe4", PidTagSubject, "\xc3\xa4"},
        {"Content-Type: text/plain; charset=koi8-r\r\nSubject: \xc1", PidTagSubject, "\xd0\xb0"},
        {"Content-Type: text/plain; charset=utf-8\r\nSubject: \xe4", PidTagSubject, "\xc3\xa4"},
        {"Subject: one\r\nSubject: two", PidTagSubject, "one"},
        {"Subject: a\r\nThread-Topic: t", PidTagConversationTopic, "t"},
        {"Sender: a@b", PidTagSentRepresentingEmailAddress, "a@b"},
        {"From: a@b", PidTagSenderEmailAddress, "a@b"},
        {"From: \"a b\"@c", PidTagSenderEmailAddress, "\"a b\"@c"},
        {"From: \xc3\xa4@\xc3\xb6.test", PidTagSenderEmailAddress, "\xc3\xa4@\xc3\xb6.test"},
        {"From: \xe4@b", PidTagSenderEmailAddress, "\xc3\xa4@b"},
        {"From: G:;", PidTagSenderName, NULL},
        {"From: nobody", PidTagSenderName, "nobody"},
        {"Message-ID: \xc3\xa4", PidTagInternetMessageId, "\xc3\xa4"},
        {"Content-Class: fax", PidNameContentClass, "fax"},
        {"From x\r\nSubject: a", PidTagSubject, "a"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strconcat(cases[i].header, "\r\n\r\n", NULL);
        struct fixture f;
        g_test_message("case %zu", i);
        setup(&f, message);
        assert_str(&f, cases[i].tag, cases[i].value);
        teardown(&f);
    }
}

static void test_importance(void) {
    static const struct {
        const char *header;
        int importance;
    } cases[] = {{"X: y", 1},
                 {"Importance: LOW", 0},
                 {"Importance: high\r\nX-Priority: 5", 2},
                 {"X-Priority: 4 (Low)", 0},
                 {"X-MSMail-Priority: High", 2},
                 {"Priority: non-urgent", 0},
                 {"Importance: nonsense\r\nPriority: urgent", 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = g_strconcat(cases[i].header, "\r\n\r\n", NULL);
        struct fixture f;
        setup(&f, message);
        g_assert_cmpint(bag_long(f.message->bag, PidTagImportance, -1), ==, cases[i].importance);
        teardown(&f);
    }
}

static void test_conversation(void) {
    // All answers of one thread have one GUID; Outlook's own index is taken as it is.
    struct fixture a, b, c;
    setup(&a, "Message-ID: <1@x>\r\nDate: 1 Jan 2024 00:00:00 +0000\r\n\r\n");
    setup(&b, "Message-ID: <3@x>\r\nReferences: <1@x> <2@x>\r\n\r\n");
    setup(&c, "Thread-Index: AQHZAAAAAAECAwQFBgcICQoLDA0ODw==\r\n\r\n");
    struct conversation_index ia, ib;
    g_assert_true(
        conversation_index_parse(bag_bytes(a.message->bag, PidTagConversationIndex), &ia));
    g_assert_true(
        conversation_index_parse(bag_bytes(b.message->bag, PidTagConversationIndex), &ib));
    g_assert_true(guid_equal(&ia.guid, &ib.guid));
    g_assert_cmpuint(bag_bytes(c.message->bag, PidTagConversationIndex).len, ==, 22);
    g_assert_true(bag_bool(c.message->bag, PidTagConversationIndexTracking, false));
    teardown(&a);
    teardown(&b);
    teardown(&c);
}

// --- Bodies ---

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ALTERNATIVE "Content-Type: multipart/alternative; boundary=a\r\n\r\n"
#define RELATED "Content-Type: multipart/related; boundary=r\r\n\r\n"
#define TEXT "Content-Type: text/plain\r\n\r\ntext\r\n"
#define HTML "Content-Type: text/html\r\n\r\n<p>html\r\n"
#define IMAGE "Content-Type: image/png; name=i.png\r\nContent-ID: <i@x>\r\n\r\npng\r\n"

static const struct {
    const char *name, *message, *text, *html;
    int codepage;
    unsigned attachments;
} bodies[] = {
    {"plain", "\r\nx", "x", NULL, 20127, 0},
    {"empty", "", "", NULL, 20127, 0},
    {"html", "Content-Type: text/html; charset=iso-8859-1\r\n\r\n\xe4", NULL, "\xef\xbf\xbd", 28591,
     0},
    {"html without charset", "Content-Type: text/html\r\n\r\n\xc3\xa4", NULL, "\xc3\xa4", 65001, 0},
    {"html that says its charset", "Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\">\xc1",
     NULL, "<meta charset=\"koi8-r\">\xef\xbf\xbd", 20866, 0},
    {"html in a charset without code page", "Content-Type: text/html; charset=utf-7\r\n\r\n+AOQ-",
     NULL, "\xc3\xa4", 65001, 0},
    {"quoted-printable",
     "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
     "quoted-printable\r\n\r\n"
     "=C3=A4=\r\nb",
     "\xc3\xa4"
     "b",
     NULL, 65001, 0},
    {"alternative", ALTERNATIVE "--a\r\n" TEXT "--a\r\n" HTML "--a--", "text", "<p>html", 65001, 0},
    {"alternative with more renditions",
     ALTERNATIVE "--a\r\n" TEXT "--a\r\nContent-Type: text/x-amp-html\r\n\r\namp\r\n--a\r\n" HTML
                 "--a--",
     "text", "<p>html", 65001, 0},
    {"alternative with calendar",
     ALTERNATIVE "--a\r\n" TEXT "--a\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n--a--", "text",
     NULL, 20127, 1},
    {"mixed", MIXED "--b\r\n" TEXT "--b\r\n" IMAGE "--b--", "text", NULL, 20127, 1},
    {"attachment first", MIXED "--b\r\n" IMAGE "--b\r\n" TEXT "--b--", "text", NULL, 20127, 1},
    {"text attached",
     MIXED "--b\r\nContent-Disposition: attachment\r\n\r\na\r\n--b\r\n" TEXT "--b--", "text", NULL,
     20127, 1},
    {"two texts", MIXED "--b\r\n" TEXT "--b\r\n" TEXT "--b--", "text", NULL, 20127, 1},
    {"empty footer", MIXED "--b\r\n" TEXT "--b\r\n\r\n\r\n--b--", "text", NULL, 20127, 0},
    {"only an image", IMAGE, NULL, NULL, -1, 1},
    {"related", RELATED "--r\r\n" HTML "--r\r\n" IMAGE "--r--", NULL, "<p>html", 65001, 1},
    {"related in alternative",
     ALTERNATIVE "--a\r\n" TEXT "--a\r\n" RELATED "--r\r\n" HTML "--r\r\n" IMAGE "--r--\r\n--a--",
     "text", "<p>html", 65001, 1},
    {"alternative in related in mixed",
     MIXED "--b\r\n" RELATED "--r\r\n" ALTERNATIVE "--a\r\n" TEXT "--a\r\n" HTML
           "--a--\r\n--r\r\n" IMAGE "--r--\r\n--b\r\n" IMAGE "--b--",
     "text", "<p>html", 65001, 2},
    {"message inside",
     MIXED "--b\r\n" TEXT "--b\r\nContent-Type: message/rfc822\r\n\r\n"
           "Subject: in\r\n" MIXED "--c\r\n" TEXT "--b--",
     "text", NULL, 20127, 1},
    {"pgp signed",
     "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; "
     "boundary=b\r\n\r\n--b\r\n" TEXT
     "--b\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--b--",
     "text", NULL, 20127, 1},
    {"flowed",
     "Content-Type: text/plain; format=flowed\r\n\r\na \r\nb\r\n>c \r\n> d\r\n-- \r\n  e \r\nf\r\n",
     "a b\r\n> c d\r\n-- \r\n e f\r\n", NULL, 20127, 0},
    {"flowed with delsp", "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\na \r\nb\r\n",
     "ab\r\n", NULL, 20127, 0},
    {"no boundary", "Content-Type: multipart/mixed\r\n\r\nx", "x", NULL, 20127, 0},
};

static void test_bodies(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        struct fixture f;
        g_test_message("%s", bodies[i].name);
        setup(&f, bodies[i].message);
        assert_str(&f, PidTagBody, bodies[i].text);
        assert_str(&f, PidTagHtml, bodies[i].html);
        g_assert_cmpint(bag_long(f.message->bag, PidTagInternetCodepage, -1), ==,
                        bodies[i].codepage);
        g_assert_cmpint(bag_long(f.message->bag, PidTagNativeBody, -1), ==,
                        bodies[i].html   ? 3
                        : bodies[i].text ? 1
                                         : 0);
        g_assert_cmpuint(f.message->attachments->len, ==, bodies[i].attachments);
        teardown(&f);
    }
}

// --- Attachments ---

static void test_attachment(void) {
    struct fixture f;
    setup(&f,
          MIXED "--b\r\n" TEXT "--b\r\nContent-Type: application/pdf\r\n"
                "Content-Transfer-Encoding: base64\r\n"
                "Content-Disposition: attachment; filename*=utf-8''a%2Fb%5C%C3%A4%3A1.pdf;\r\n"
                " creation-date=\"Mon, 1 Jan 2024 00:00:00 +0000\"\r\n\r\nYWJj\r\n"
                "--b\r\nContent-Type: image/png\r\n\r\nx\r\n"
                "--b\r\nContent-Type: text/csv; charset=koi8-r; name=\"a long name.csv\"\r\n\r\n"
                "\r\n--b--");
    g_assert_cmpuint(f.message->attachments->len, ==, 3);
    const struct attachment_value *a = attachment(&f, 0);
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachLongFilename), ==, "\xc3\xa4_1.pdf");
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachFilename), ==, "_1~1.pdf");
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachExtension), ==, ".pdf");
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachMimeTag), ==, "application/pdf");
    g_assert_cmpint(bag_long(a->bag, PidTagAttachMethod, 0), ==, 1);
    g_assert_cmpint(bag_long(a->bag, PidTagAttachSize, 0), ==, 3);
    g_assert_cmpint(bag_long(a->bag, PidTagRenderingPosition, 0), ==, -1);
    g_assert_cmpint(filetime_to_unix(bag_time(a->bag, PidTagCreationTime)), ==, 1704067200);
    g_assert_cmpstr(external_text(&f, &a->external), ==, "abc");
    g_assert_cmpstr(bag_str(attachment(&f, 1)->bag, PidTagAttachLongFilename), ==, "ATT00001.png");
    a = attachment(&f, 2);
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachFilename), ==, "alongn~1.csv");
    g_assert_cmpstr(bag_str(a->bag, PidTagTextAttachmentCharset), ==, "koi8-r");
    g_assert_cmpuint(a->external.len, ==, 0);
    g_assert_cmpuint(g_bytes_get_size(a->data), ==, 0);
    teardown(&f);
}

static void test_inline(void) {
    struct fixture f;
    setup(&f, RELATED
          "--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:i%40x\"> cid:\r\n--r\r\n" IMAGE
          "--r\r\nContent-Type: image/gif\r\nContent-ID: <unused@x>\r\n\r\ngif\r\n--r--");
    const struct bag *shown = attachment(&f, 0)->bag, *other = attachment(&f, 1)->bag;
    g_assert_cmpstr(bag_str(shown, PidTagAttachContentId), ==, "i@x");
    g_assert_cmpint(bag_long(shown, PidTagAttachFlags, 0), ==, 4);
    g_assert_true(bag_bool(shown, PidTagAttachmentHidden, false));
    g_assert_cmpint(bag_long(other, PidTagAttachFlags, -1), ==, 0);
    g_assert_false(bag_bool(other, PidTagAttachmentHidden, false));
    g_assert_false(bag_bool(f.message->bag, PidLidSmartNoAttach, false));
    teardown(&f);
}

// Pictures found by where they are, also relative to a base.
static void test_inline_location(void) {
    struct fixture f;
    setup(&f, "Content-Base: http://e.example/\r\n" RELATED
              "--r\r\nContent-Type: text/html\r\n\r\n<img src=\"http://e.example/a.png\">"
              "<img src=\"http://f.example/b.png\">\r\n"
              "--r\r\nContent-Type: image/png\r\nContent-Location: a.png\r\n\r\na\r\n"
              "--r\r\nContent-Type: image/png\r\nContent-Location: b.png\r\n"
              "Content-Base: http://f.example/\r\n\r\nb\r\n"
              "--r\r\nContent-Type: image/png\r\nContent-Location: c.png\r\n\r\nc\r\n--r--");
    assert_str(&f, PidNameContentBase, "http://e.example/");
    static const bool hidden[] = {true, true, false};
    for (unsigned i = 0; i < G_N_ELEMENTS(hidden); i++)
        g_assert_cmpint(bag_bool(attachment(&f, i)->bag, PidTagAttachmentHidden, false), ==,
                        hidden[i]);
    g_assert_cmpstr(bag_str(attachment(&f, 1)->bag, PidTagAttachContentBase), ==,
                    "http://f.example/");
    teardown(&f);
}

static void test_embedded(void) {
    struct fixture f;
    setup(&f, MIXED "--b\r\n" TEXT "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                    "Subject: =?utf-8?q?=C3=A4?=\r\nFrom: a@b\r\n\r\ninner\r\n--b--");
    const struct attachment_value *a = attachment(&f, 0);
    g_assert_cmpint(bag_long(a->bag, PidTagAttachMethod, 0), ==, 5);
    g_assert_cmpstr(bag_str(a->bag, PidTagDisplayName), ==, "\xc3\xa4");
    g_assert_null(a->embedded);
    g_autoptr(GBytes) bytes =
        mime_decode(f.mime->data + a->external.pos, a->external.len, a->external.encoding);
    struct fixture inner = {.arena = f.arena};
    inner.mime = mime_scan(f.arena, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    assert_ok(convert_embedded(inner.mime, &inner.message));
    assert_str(&inner, PidTagSubject, "\xc3\xa4");
    assert_str(&inner, PidTagBody, "inner");
    message_value_free(inner.message);
    teardown(&f);
}

// --- Classes ---

static void test_classes(void) {
    static const struct {
        const char *message, *class;
        unsigned attachments;
    } cases[] = {
        {"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n"
         "\r\n--b\r\n" TEXT "--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--b--",
         "IPM.Note.SMIME.MultipartSigned", 1},
        {"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n\r\nx",
         "IPM.Note.SMIME", 1},
        {"Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nx", "IPM.Note.SMIME", 1},
        {"Content-Type: multipart/report; report-type=delivery-status; "
         "boundary=b\r\n\r\n--b\r\n" TEXT
         "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\n"
         "Final-Recipient: y\r\nAction: failed\r\n--b--",
         "REPORT.IPM.Note.NDR", 0},
        {"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" TEXT
         "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
         "Disposition: manual-action/MDN-sent-manually; displayed\r\n--b--",
         "REPORT.IPM.Note.IPNRN", 0},
        {"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" TEXT "--b--", "IPM.Note", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct fixture f;
        setup(&f, cases[i].message);
        assert_str(&f, PidTagMessageClass, cases[i].class);
        g_assert_cmpuint(f.message->attachments->len, ==, cases[i].attachments);
        if (i == 0) {
            assert_str(&f, PidTagBody, "text");
            const char *entity = g_bytes_get_data(attachment(&f, 0)->data, NULL);
            g_assert_true(g_str_has_prefix(entity, "Content-Type: multipart/signed; protocol="));
        }
        teardown(&f);
    }
}

static void test_limits(void) {
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append_printf(s, "To: a%d@x\r\nX-CallID: %d\r\n", i, i);
    g_string_append(s, MIXED);
    for (int i = 0; i < 5000; i++)
        g_string_append(s, "--b\r\n" IMAGE);
    struct fixture f;
    setup(&f, s->str);
    g_assert_cmpuint(f.message->recipients->len, ==, CONVERT_MAX_RECIPIENTS);
    g_assert_cmpuint(f.message->attachments->len, ==, CONVERT_MAX_ATTACHMENTS);
    teardown(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/mime-to-message/headers", test_headers);
    g_test_add_func("/convert/mime-to-message/single-headers", test_single_headers);
    g_test_add_func("/convert/mime-to-message/importance", test_importance);
    g_test_add_func("/convert/mime-to-message/conversation", test_conversation);
    g_test_add_func("/convert/mime-to-message/bodies", test_bodies);
    g_test_add_func("/convert/mime-to-message/attachment", test_attachment);
    g_test_add_func("/convert/mime-to-message/inline", test_inline);
    g_test_add_func("/convert/mime-to-message/inline_location", test_inline_location);
    g_test_add_func("/convert/mime-to-message/embedded", test_embedded);
    g_test_add_func("/convert/mime-to-message/classes", test_classes);
    g_test_add_func("/convert/mime-to-message/limits", test_limits);
    return g_test_run();
}
