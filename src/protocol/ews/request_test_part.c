// Requests that are wrong, hostile or strange, and ids ([MS-OXWSITEMID]).
#include "protocol/ews/ews_fixture.h"
#include "protocol/ews/items_test_part.h"

static const char *send_text(struct ews_fixture *f, const char *text) {
    return ews_send(f, f->alice, text, strlen(text));
}

static void test_not_soap(struct ews_fixture *f, gconstpointer data) {
    static const char *const requests[] = {
        "",
        "x",
        "<a/>",
        "<a><b></a>",
        "\xff\xfe<\0a\0/\0>",
        // A bomb, and a file to be read: no DTD is taken.
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><x>&b;</x>",
        "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>",
        "<?xml version=\"1.0\"?><?php echo 1 ?><a/>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"/>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>",
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><a/></s:Body>"
        "</s:Envelope>",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(requests); i++) {
        const char *answer = send_text(f, requests[i]);
        assert_has(answer, "<faultcode");
        assert_has(answer, "ErrorSchemaValidation</e:ResponseCode>");
        g_assert_cmpuint(f->status, ==, 500);
    }
}

static void test_too_deep(struct ews_fixture *f, gconstpointer data) {
    g_autoptr(GString) deep = g_string_new(NULL);
    for (unsigned i = 0; i < 200000; i++)
        g_string_append(deep, "<t:Not>");
    const char *answer = ews_ask(f, f->alice, deep->str);
    assert_has(answer, "ErrorSchemaValidation");
    assert_has(answer, "too many levels");
    // As many elements as one likes are not taken either.
    g_string_truncate(deep, 0);
    g_string_append(deep, "<m:GetItem>");
    for (unsigned i = 0; i < EWS_MAX_NODES; i++)
        g_string_append(deep, "<t:a/>");
    g_string_append(deep, "</m:GetItem>");
    assert_has(ews_ask(f, f->alice, deep->str), "too many elements");
}

static void test_unknown(struct ews_fixture *f, gconstpointer data) {
    const char *answer = ews_ask(f, f->alice, "<m:NoSuchThing/>");
    assert_has(answer, "a:ErrorSchemaValidation");
    assert_has(answer, "Could not find schema information for the element 'NoSuchThing'");
    assert_has(ews_ask(f, f->alice, "<t:GetItem/>"), "ErrorSchemaValidation");
    assert_has(ews_ask(f, f->alice, "<m:GetItem/>"), "ErrorSchemaValidation");
    answer = ews_ask(f, f->alice,
                     "<m:CreateItem MessageDisposition=\"SaveOnly\"><m:Items><t:Message>"
                     "<t:Nonsense>1</t:Nonsense></t:Message></m:Items></m:CreateItem>");
    assert_has(answer, "invalid child element 'Nonsense'");
    answer = ews_get(f, f->alice, "<t:ItemId Id=\"AAA\"/>", "IdOnly",
                     "<t:AdditionalProperties><t:FieldURI FieldURI=\"item:Nonsense\"/>"
                     "</t:AdditionalProperties>");
    assert_has(answer, "ErrorSchemaValidation");
    f->header = "<t:MailboxCulture>de-DE</t:MailboxCulture><t:MailboxCulture>x</t:MailboxCulture>";
    assert_has(ews_ask(f, f->alice, "<m:GetItem/>"), "ErrorDuplicateSOAPHeader");
}

static void test_wrong_ids(struct ews_fixture *f, gconstpointer data) {
    static const struct {
        const char *id, *code;
    } cases[] = {
        {"<t:ItemId Id=\"\"/>", "ErrorInvalidIdEmpty"},
        {"<t:ItemId Id=\"AAA\"/>", "ErrorInvalidIdMalformed"},
        {"<t:ItemId Id=\"AAAA\"/>", "ErrorInvalidIdMalformed"},
        {"<t:ItemId Id=\"AQEB\"/>", "ErrorInvalidIdMalformed"}, // a run without its count
        {"<t:ItemId Id=\"!!!!\"/>", "ErrorInvalidIdMalformed"},
        {"<t:ItemId Id=\"//////////////////////////8=\"/>", "ErrorInvalidIdMalformed"},
        {"<t:ItemId/>", "ErrorInvalidIdEmpty"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_has(ews_get(f, f->alice, cases[i].id, "IdOnly", NULL), cases[i].code);
    // Every cut of a good one, and every byte of it another.
    const char *good = ews_cut(f, ews_make(f, f->alice, "<t:Message/>"), "Id=\"", "\"");
    for (size_t n = 1; n < strlen(good); n++) {
        g_autofree char *id = g_strdup_printf("<t:ItemId Id=\"%.*s\"/>", (int)n, good);
        assert_has(ews_get(f, f->alice, id, "IdOnly", NULL), "ErrorInvalidId");
    }
    for (size_t n = 0; n < strlen(good); n += 3) {
        g_autofree char *other = g_strdup(good);
        other[n] = other[n] == 'Q' ? 'R' : 'Q';
        g_autofree char *id = g_strdup_printf("<t:ItemId Id=\"%s\"/>", other);
        const char *answer = ews_get(f, f->alice, id, "Default", NULL);
        if (!strstr(answer, "ResponseClass=\"Error\""))
            assert_has(answer, good); // a byte that says nothing
    }
}

static void test_id_round_trip(struct ews_fixture *f, gconstpointer data) {
    struct guid replica = guid_new(), back_replica;
    struct ews_id id = {.kind = EWS_ID_ITEM, .mailbox = guid_new(), .fid = 5, .mid = 0x123456};
    struct ews_id back;
    // MS-OXWSITEMID_R2, MS-OXWSITEMID_R36, MS-OXWSITEMID_R76
    const char *text = ews_id_format(f->arena, &id, &replica);
    g_assert_null(ews_id_parse(text, &back, &back_replica));
    g_assert_cmpint(back.kind, ==, EWS_ID_ITEM);
    g_assert_true(guid_equal(&back.mailbox, &id.mailbox));
    g_assert_true(guid_equal(&back_replica, &replica));
    g_assert_cmpuint(back.fid, ==, 5);
    g_assert_cmpuint(back.mid, ==, 0x123456);
    // MS-OXWSITEMID_R18: what has runs of bytes is shorter with them.
    gsize len;
    g_autofree guchar *bytes = g_base64_decode(text, &len);
    g_assert_cmpuint(bytes[0], ==, 1);
    g_assert_cmpuint(bytes[1], ==, 3); // MailboxItemMailboxGuidBased
    // MS-OXWSITEMID_R52: attachments in attachments.
    id.kind = EWS_ID_ATTACHMENT;
    id.n_attachments = 2;
    memset(id.attachments[0], 7, EWS_ATTACHMENT_ID);
    memset(id.attachments[1], 8, EWS_ATTACHMENT_ID);
    g_assert_null(ews_id_parse(ews_id_format(f->arena, &id, &replica), &back, NULL));
    g_assert_cmpint(back.kind, ==, EWS_ID_ATTACHMENT);
    g_assert_cmpuint(back.n_attachments, ==, 2);
    g_assert_cmpmem(back.attachments[1], EWS_ATTACHMENT_ID, id.attachments[1], EWS_ATTACHMENT_ID);
    // MS-OXWSITEMID_R75
    id = (struct ews_id){.kind = EWS_ID_CONVERSATION, .mailbox = id.mailbox};
    memset(id.conversation, 9, sizeof id.conversation);
    g_assert_null(ews_id_parse(ews_id_format(f->arena, &id, &replica), &back, NULL));
    g_assert_cmpint(back.kind, ==, EWS_ID_CONVERSATION);
    // MS-OXWSITEMID_R77, MS-OXWSITEMID_R44
    id = (struct ews_id){.kind = EWS_ID_FOLDER, .is_public = true, .fid = 300};
    g_assert_null(ews_id_parse(ews_id_format(f->arena, &id, &replica), &back, NULL));
    g_assert_true(back.is_public && back.kind == EWS_ID_FOLDER && back.fid == 300);
    id.kind = EWS_ID_ITEM;
    id.mid = 301;
    g_assert_null(ews_id_parse(ews_id_format(f->arena, &id, &replica), &back, NULL));
    g_assert_true(back.is_public && back.kind == EWS_ID_ITEM && back.mid == 301);
    // Change keys.
    uint64_t cn;
    g_assert_true(ews_change_key_parse(ews_change_key_format(f->arena, 9, &replica, 77), &cn));
    g_assert_cmpuint(cn, ==, 77);
    g_assert_false(ews_change_key_parse("CQAAAA==", &cn));
}

static void test_dates(struct ews_fixture *f, gconstpointer data) {
    static const struct {
        const char *text, *zone, *expected; // NULL: none
    } cases[] = {
        {"2026-11-24T16:40:33Z", NULL, "2026-11-24T16:40:33Z"},
        {"2026-11-24T16:40:33.5+02:00", NULL, "2026-11-24T14:40:33Z"},
        {"2026-11-24T16:40:33", NULL, "2026-11-24T16:40:33Z"},
        {"2026-07-24T16:40:33", "W. Europe Standard Time", "2026-07-24T14:40:33Z"},
        {"2026-11-24T16:40:33", "W. Europe Standard Time", "2026-11-24T15:40:33Z"},
        {"2026-11-24", NULL, "2026-11-24T00:00:00Z"},
        {"2026-11-24Z", NULL, "2026-11-24T00:00:00Z"},
        {"2000-02-29T00:00:00Z", NULL, "2000-02-29T00:00:00Z"},
        {"2026-02-29T00:00:00Z", NULL, NULL},
        {"2026-13-01T00:00:00Z", NULL, NULL},
        {"0001-01-01T00:00:00Z", NULL, NULL},
        {"yesterday", NULL, NULL},
        {"2026-11-24T16:40:33Q", NULL, NULL},
    };
    struct ews_call *call = g_new0(struct ews_call, 1);
    call->arena = f->arena;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        filetime_t t;
        call->time_zone = cases[i].zone;
        bool ok = ews_date_parse(call, cases[i].text, &t);
        g_assert_true(ok == (cases[i].expected != NULL));
        if (ok)
            g_assert_cmpstr(ews_date_format(call, t), ==, cases[i].expected);
    }
    g_free(call);
}

// What XML has no room for does not come out.
static void test_characters(struct ews_fixture *f, gconstpointer data) {
    struct ews_writer *w = ews_writer_new(1000);
    ews_open(w, "a");
    ews_attr(w, "b", "<\"\n&");
    ews_put_text(w, "x\x01\x1f<&>\r\xff\xed\xa0\x80\xef\xbf\xbf"
                    "\xc3\xa9\xf0\x9f\x98\x80"
                    "y");
    ews_close(w);
    g_autoptr(GBytes) bytes = ews_writer_take(w);
    gsize len;
    const char *text = g_bytes_get_data(bytes, &len);
    static const char expected[] = "<a b=\"&lt;&quot;&#xA;&amp;\">x&lt;&amp;&gt;&#xD;"
                                   "\xc3\xa9\xf0\x9f\x98\x80y</a>";
    g_assert_cmpmem(text, len, expected, strlen(expected));
    ews_open(w, "a");
    for (unsigned i = 0; i < 1000; i++)
        ews_put_text(w, "much");
    g_assert_false(ews_writer_ok(w));
    ews_writer_free(w);
}

void request_tests(void) {
    EWS_TEST("/ews/request/not-soap", test_not_soap);
    EWS_TEST("/ews/request/too-deep", test_too_deep);
    EWS_TEST("/ews/request/unknown", test_unknown);
    EWS_TEST("/ews/request/wrong-ids", test_wrong_ids);
    EWS_TEST("/ews/request/id-round-trip", test_id_round_trip);
    EWS_TEST("/ews/request/dates", test_dates);
    EWS_TEST("/ews/request/characters", test_characters);
}
