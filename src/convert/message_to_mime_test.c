// MAPI messages as internet messages, and round trips: what is written reads back the same.
#include "base/clock.h"
#include "base/test.h"
#include "convert/convert_internal.h"

static GBytes *write_out(const struct message_value *m, const struct convert_source *source,
                         bool with_bcc) {
    GBytes *out = NULL;
    assert_ok(convert_message_to_mime(m, source, with_bcc, &out));
    gsize len;
    const char *s = g_bytes_get_data(out, &len);
    // CRLF everywhere, 998 octets a line at most, no NUL.
    size_t line = 0;
    for (gsize i = 0; i < len; i++, line++) {
        g_assert_true(s[i] != '\0');
        if (s[i] == '\n') {
            g_assert_true(i > 0 && s[i - 1] == '\r');
            g_assert_cmpuint(line, <, 999);
            line = (size_t)-1;
        }
    }
    g_assert_true(len >= 2 && memcmp(s + len - 2, "\r\n", 2) == 0);
    return out;
}

static void add_recipient(struct message_value *m, int type, const char *name, const char *kind,
                          const char *address, const char *smtp) {
    struct bag *bag = bag_new();
    struct person person = {name, kind, address, smtp};
    person_set(bag, &recipient_tags, &person);
    bag_set_long(bag, PidTagRecipientType, type);
    g_ptr_array_add(m->recipients, bag);
}

static struct attachment_value *add_attachment(struct message_value *m, const char *name,
                                               const char *data) {
    struct attachment_value *a = attachment_value_new();
    bag_set_long(a->bag, PidTagAttachMethod, 1);
    bag_set_str(a->bag, PidTagAttachLongFilename, name);
    if (data)
        a->data = g_bytes_new(data, strlen(data));
    g_ptr_array_add(m->attachments, a);
    return a;
}

static struct message_value *simple_message(void) {
    struct message_value *m = message_value_new();
    struct person alice = {"Alice \xc3\xa4", "SMTP", "alice@example.test", "alice@example.test"};
    person_set(m->bag, &sent_representing_tags, &alice);
    person_set(m->bag, &sender_tags, &alice);
    add_recipient(m, 1, "Bob", "SMTP", "bob@example.test", NULL);
    add_recipient(m, 2, NULL, "SMTP", "carol@example.test", NULL);
    add_recipient(m, 3, "Secret", "SMTP", "dan@example.test", NULL);
    bag_set_str(m->bag, PidTagSubject,
                "Gr\xc3\xbc\xc3\x9f"
                "e");
    bag_set_str(m->bag, PidTagInternetMessageId, "<1@example.test>");
    bag_set_time(m->bag, PidTagClientSubmitTime, filetime_from_unix(1704067200));
    bag_set_str(m->bag, PidTagBody, "hello\nthere");
    return m;
}

static void test_plain(void) {
    struct message_value *m = simple_message();
    g_autoptr(GBytes) out = write_out(m, NULL, false);
    g_autofree char *text = g_strndup(g_bytes_get_data(out, NULL), g_bytes_get_size(out));
    g_assert_cmpstr(text, ==,
                    "From: =?utf-8?Q?Alice_=C3=A4?= <alice@example.test>\r\n"
                    "To: Bob <bob@example.test>\r\nCc: carol@example.test\r\n"
                    "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
                    "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n"
                    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
                    "Content-Transfer-Encoding: 7bit\r\n\r\nhello\r\nthere\r\n");
    g_autoptr(GBytes) with_bcc = write_out(m, NULL, true);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(with_bcc, NULL), -1, "Bcc: Secret <dan@"));
    message_value_free(m);
}

static void test_empty(void) {
    clock_set(filetime_from_unix(1704067200));
    struct message_value *m = message_value_new();
    g_autoptr(GBytes) out = write_out(m, NULL, false);
    ARENA_AUTO arena = arena_new();
    struct mime_message *mime =
        mime_scan(arena, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
    g_assert_cmpstr(mime->root->type, ==, "text");
    g_assert_nonnull(mime_header_raw(arena, mime, mime->root, "message-id"));
    message_value_free(m);
    clock_set(0);
}

static void test_addresses(void) {
    struct message_value *m = message_value_new();
    struct person boss = {"Boss", "EX", "/o=Org/ou=Site/cn=Recipients/cn=boss",
                          "boss@example.test"};
    struct person aide = {"Aide", "SMTP", "aide@example.test", NULL};
    person_set(m->bag, &sent_representing_tags, &boss);
    person_set(m->bag, &sender_tags, &aide);
    add_recipient(m, 1, "Ex User", "EX", "/o=Org/cn=user", NULL);
    add_recipient(m, 1, "Nameless", "SMTP", "", NULL);
    add_recipient(m, 0x10000001, "Evil\r\nX: y", "SMTP", "e@x\r\nX-Evil: y", NULL);
    ARENA_AUTO arena = arena_new();
    reply_recipients_set(arena, m->bag,
                         mime_parse_addresses(arena, "L <l@example.test>, \"a b\"@x.test"));
    g_autoptr(GBytes) out = write_out(m, NULL, false);
    struct mime_message *mime =
        mime_scan(arena, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
    g_assert_cmpstr(mime_header_raw(arena, mime, mime->root, "from"), ==,
                    "Boss <boss@example.test>");
    g_assert_cmpstr(mime_header_raw(arena, mime, mime->root, "sender"), ==,
                    "Aide <aide@example.test>");
    g_assert_cmpstr(mime_header_raw(arena, mime, mime->root, "reply-to"), ==,
                    "L <l@example.test>, \"a b\"@x.test");
    g_assert_null(mime_header_raw(arena, mime, mime->root, "x"));
    g_assert_null(mime_header_raw(arena, mime, mime->root, "x-evil"));
    const char *to = mime_header_raw(arena, mime, mime->root, "to");
    g_assert_nonnull(strstr(to, "Ex User <IMCEAEX-_o=Org_cn=user@invalid>"));
    message_value_free(m);
}

static char *structure(GBytes *bytes) {
    ARENA_AUTO arena = arena_new();
    struct mime_message *mime =
        mime_scan(arena, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    GString *out = g_string_new(NULL);
    // "mixed(related(alternative(plain html) png) pdf)"
    for (const struct mime_part *p = mime->root; p;) {
        g_string_append_printf(out, "%s%s", out->len && out->str[out->len - 1] != '(' ? " " : "",
                               p->subtype);
        if (p->first_child) {
            g_string_append_c(out, '(');
            p = p->first_child;
            continue;
        }
        while (p && !p->next) {
            p = p->parent;
            if (p)
                g_string_append_c(out, ')');
        }
        p = p ? p->next : NULL;
    }
    return g_string_free(out, FALSE);
}

static void test_structures(void) {
    struct message_value *m = simple_message();
    bag_set_bytes(m->bag, PidTagHtml, "<img src=\"cid:i@x\">", 19);
    bag_set_long(m->bag, PidTagInternetCodepage, 1252);
    g_autoptr(GBytes) both = write_out(m, NULL, false);
    g_autofree char *s1 = structure(both);
    g_assert_cmpstr(s1, ==, "alternative(plain html)");

    struct attachment_value *image = add_attachment(m, "i.png", "png");
    bag_set_str(image->bag, PidTagAttachContentId, "i@x");
    bag_set_long(image->bag, PidTagAttachFlags, 4);
    g_autoptr(GBytes) related = write_out(m, NULL, false);
    g_autofree char *s2 = structure(related);
    g_assert_cmpstr(s2, ==, "related(alternative(plain html) png)");

    struct attachment_value *pdf = add_attachment(m, "\xc3\xa4.pdf", "pdf");
    bag_set_time(pdf->bag, PidTagCreationTime, filetime_from_unix(1704067200));
    struct attachment_value *inner = add_attachment(m, NULL, NULL);
    bag_set_long(inner->bag, PidTagAttachMethod, 5);
    inner->embedded = simple_message();
    g_autoptr(GBytes) mixed = write_out(m, NULL, false);
    g_autofree char *s3 = structure(mixed);
    g_assert_cmpstr(s3, ==, "mixed(related(alternative(plain html) png) pdf rfc822(plain))");

    bag_remove(m->bag, PidTagBody);
    g_ptr_array_set_size(m->attachments, 0);
    g_autoptr(GBytes) html = write_out(m, NULL, false);
    g_autofree char *s4 = structure(html);
    g_assert_cmpstr(s4, ==, "alternative(plain html)"); // the text is made of the HTML
    message_value_free(m);
}

static void test_deep(void) {
    struct message_value *m = simple_message(), *outer = m;
    for (int i = 0; i < 100; i++) {
        struct attachment_value *a = add_attachment(m, NULL, NULL);
        bag_set_long(a->bag, PidTagAttachMethod, 5);
        m = a->embedded = simple_message();
    }
    g_autoptr(GBytes) out = write_out(outer, NULL, false);
    g_assert_cmpuint(g_bytes_get_size(out), >, 1000);
    message_value_free(outer);
}

static void test_text_encodings(void) {
    static const struct {
        const char *text, *encoding;
    } cases[] = {{"plain", "7BIT"},
                 {"one \xc3\xa4 in a longer text", "QUOTED-PRINTABLE"},
                 {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "BASE64"},
                 {"bare \r return", "QUOTED-PRINTABLE"},
                 {"", "7BIT"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct message_value *m = simple_message();
        bag_set_str(m->bag, PidTagBody, cases[i].text);
        g_autoptr(GBytes) out = write_out(m, NULL, false);
        ARENA_AUTO arena = arena_new();
        struct mime_message *mime =
            mime_scan(arena, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
        g_assert_cmpstr(mime->root->encoding_name, ==, cases[i].encoding);
        g_autoptr(GBytes) body = mime_decode_body(mime, mime->root);
        const char *data = g_bytes_get_data(body, NULL);
        g_autofree char *text = g_strndup(data ? data : "", g_bytes_get_size(body));
        g_assert_cmpstr(g_strchomp(text), ==, cases[i].text);
        message_value_free(m);
    }
    struct message_value *m = simple_message();
    g_autofree char *line = g_strnfill(5000, 'x');
    bag_set_str(m->bag, PidTagBody, line);
    g_autoptr(GBytes) out = write_out(m, NULL, false);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(out, NULL), -1, "quoted-printable"));
    message_value_free(m);
}

// --- Round trips ---

static enum ec read_original(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    g_assert_cmpuint(e->pos + e->len, <=, mime->len);
    *out = mime_decode(mime->data + e->pos, e->len, e->encoding);
    if (e->charset) {
        ARENA_AUTO arena = arena_new();
        size_t len;
        const char *text = mime_to_utf8(arena, g_bytes_get_data(*out, NULL), g_bytes_get_size(*out),
                                        e->charset, &len);
        g_bytes_unref(*out);
        *out = g_bytes_new(text, len);
    }
    return EC_OK;
}

static const char *const messages[] = {
    "From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>\r\nSender: s@example.test\r\n"
    "To: \"Doe, Jane\" <jane@example.test>, bob@example.test\r\nCc: c@example.test\r\n"
    "Reply-To: R <r@example.test>\r\nSubject: Re: =?utf-8?q?=C3=A4?=\r\n"
    "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n"
    "References: <0@example.test> <00@example.test>\r\nIn-Reply-To: <0@example.test>\r\n"
    "Importance: high\r\nSensitivity: personal\r\nKeywords: a, b\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdf"
    "e\r\n",
    "From: a@b\r\nMessage-ID: <1@x>\r\nDate: 1 Jan 2024 00:00:00 +0000\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    "Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\ntext\r\n--c\r\n"
    "Content-Type: text/html; charset=utf-8\r\n\r\n<b>\xc3\xa4</b><img src=\"cid:i\">\r\n--c--\r\n"
    "--b\r\nContent-Type: image/png; name=\"=?utf-8?q?=C3=A4?=.png\"\r\nContent-ID: <i>\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ntext\r\n--b--\r\n",
};

static const proptag_t kept_tags[] = {
    PidTagSubject,
    PidTagSubjectPrefix,
    PidTagNormalizedSubject,
    PidTagMessageClass,
    PidTagInternetMessageId,
    PidTagInternetReferences,
    PidTagInReplyToId,
    PidTagImportance,
    PidTagSensitivity,
    PidTagPriority,
    PidNameKeywords,
    PidTagClientSubmitTime,
    PidTagSenderName,
    PidTagSenderEmailAddress,
    PidTagSentRepresentingName,
    PidTagSentRepresentingEntryId,
    PidTagReplyRecipientEntries,
    PidTagReplyRecipientNames,
    PidTagConversationTopic,
    PidTagConversationIndex,
    PidTagNativeBody,
};

static void test_round_trips(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        ARENA_AUTO arena = arena_new();
        struct mime_message *first = mime_scan(arena, messages[i], strlen(messages[i]));
        struct message_value *a, *b;
        assert_ok(convert_mime_to_message(first, &a));
        struct convert_source source = {read_original, first};
        g_autoptr(GBytes) out = write_out(a, &source, true);
        struct mime_message *second =
            mime_scan(arena, g_bytes_get_data(out, NULL), g_bytes_get_size(out));
        assert_ok(convert_mime_to_message(second, &b));
        for (size_t k = 0; k < G_N_ELEMENTS(kept_tags); k++) {
            const struct prop_value *va = bag_get(a->bag, kept_tags[k]);
            const struct prop_value *vb = bag_get(b->bag, kept_tags[k]);
            g_test_message("%08x", kept_tags[k]);
            g_assert_cmpint(va != NULL, ==, vb != NULL);
            g_assert_true(!va || prop_equal(va, vb));
        }
        g_assert_cmpuint(a->recipients->len, ==, b->recipients->len);
        for (guint k = 0; k < a->recipients->len; k++)
            g_assert_cmpstr(bag_str(a->recipients->pdata[k], PidTagEmailAddress), ==,
                            bag_str(b->recipients->pdata[k], PidTagEmailAddress));
        g_assert_cmpuint(a->attachments->len, ==, b->attachments->len);
        for (guint k = 0; k < a->attachments->len; k++) {
            const struct attachment_value *x = a->attachments->pdata[k],
                                          *y = b->attachments->pdata[k];
            g_assert_cmpstr(bag_str(x->bag, PidTagDisplayName), ==,
                            bag_str(y->bag, PidTagDisplayName));
            g_assert_cmpint(bag_long(x->bag, PidTagAttachFlags, -1), ==,
                            bag_long(y->bag, PidTagAttachFlags, -1));
            g_autoptr(GBytes) p =
                mime_decode(first->data + x->external.pos, x->external.len, x->external.encoding);
            g_autoptr(GBytes) q =
                mime_decode(second->data + y->external.pos, y->external.len, y->external.encoding);
            g_assert_true(g_bytes_equal(p, q));
        }
        message_value_free(a);
        message_value_free(b);
    }
}

static void test_signed(void) {
    const char *text =
        "From: a@b\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
        " boundary=b\r\n\r\n--b\r\n\r\nsigned  text\r\n--b\r\n"
        "Content-Type: application/pkcs7-signature\r\n\r\nsig\r\n--b--\r\n";
    ARENA_AUTO arena = arena_new();
    struct mime_message *mime = mime_scan(arena, text, strlen(text));
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime, &m));
    struct convert_source source = {read_original, mime};
    g_autoptr(GBytes) out = write_out(m, &source, true);
    g_assert_nonnull(g_strstr_len(g_bytes_get_data(out, NULL), (gssize)g_bytes_get_size(out),
                                  "--b\r\n\r\nsigned  text\r\n--b\r\n"));
    message_value_free(m);
}

static void test_external_needs_source(void) {
    const char *text = "\r\nbody\r\n";
    ARENA_AUTO arena = arena_new();
    struct message_value *m;
    assert_ok(convert_mime_to_message(mime_scan(arena, text, strlen(text)), &m));
    GBytes *out = NULL;
    assert_ec(convert_message_to_mime(m, NULL, true, &out), EC_NOT_SUPPORTED);
    message_value_free(m);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/convert/message-to-mime/plain", test_plain);
    g_test_add_func("/convert/message-to-mime/empty", test_empty);
    g_test_add_func("/convert/message-to-mime/addresses", test_addresses);
    g_test_add_func("/convert/message-to-mime/structures", test_structures);
    g_test_add_func("/convert/message-to-mime/deep", test_deep);
    g_test_add_func("/convert/message-to-mime/text-encodings", test_text_encodings);
    g_test_add_func("/convert/message-to-mime/round-trips", test_round_trips);
    g_test_add_func("/convert/message-to-mime/signed", test_signed);
    g_test_add_func("/convert/message-to-mime/external", test_external_needs_source);
    return g_test_run();
}
