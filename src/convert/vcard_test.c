// vCards as contacts and back: the examples of [MS-OXVCARD] 3, every row of its tables, all three
// versions, distribution lists, and lines that stand for nothing.
#include "base/law.h"
#include "base/test.h"
#include "convert/vcard_table.h"

static struct message_value *read_card(const char *text) {
    const char *p = text;
    struct message_value *m = NULL;
    g_assert_true(convert_vcard_next(&p, text + strlen(text), &m));
    return m;
}

static char *write_card(const struct message_value *m, enum vcard_version version) {
    GString *out = g_string_new(NULL);
    assert_ok(convert_message_to_vcard(m, NULL, version, out));
    return g_string_free(out, FALSE);
}

static void check_str(const struct message_value *m, proptag_t tag, const char *expected) {
    g_assert_cmpstr(bag_str(m->bag, tag), ==, expected);
}

// [MS-OXVCARD] 3.1 with its lines in the syntax of [RFC 2426].
static void test_example(void) {
    struct message_value *m =
        read_card("BEGIN:vCard\r\nVERSION:3.0\r\nPRODID:Microsoft Exchange\r\nFN:Dan Fennell\r\n"
                  "N:Fennell;Dan;;;\r\nORG:Contoso\\, Ltd\r\n"
                  "ADR;TYPE=work,pref:;;7890 Elm Street;Boulder;CO;33041;U.S.\r\n"
                  "ADR;TYPE=home:;;345 Aspen Street;Boulder;CO;33041;U.S.\r\n"
                  "EMAIL;TYPE=internet:dfennell@fabrikam.com\r\n"
                  "EMAIL;TYPE=internet,pref:dan.fennell@contoso.com\r\n"
                  "TEL;TYPE=work,pref:+1-206-555-0102\r\nTEL;TYPE=cell:+1-425-555-0199\r\n"
                  "X-MS-TEL;TYPE=COMPANY:+1-206-555-0100\r\nX-MS-ASSISTANT;TYPE=N:Jeff Price\r\n"
                  "X-MS-TEL;TYPE=ASSISTANT:+1-206-555-0188\r\nEND:vCard\r\n");
    check_str(m, PidTagMessageClass, "IPM.Contact");
    check_str(m, PidTagDisplayName, "Dan Fennell");
    check_str(m, PidTagSurname, "Fennell");
    check_str(m, PidTagGivenName, "Dan");
    check_str(m, PidTagCompanyName, "Contoso, Ltd");
    check_str(m, PidLidWorkAddressStreet, "7890 Elm Street");
    check_str(m, PidTagStreetAddress, "7890 Elm Street"); // the preferred one
    check_str(m, PidTagHomeAddressStreet, "345 Aspen Street");
    check_str(m, PidTagHomeAddressCountry, "U.S.");
    check_str(m, PidLidEmail1EmailAddress, "dan.fennell@contoso.com");
    check_str(m, PidLidEmail2EmailAddress, "dfennell@fabrikam.com");
    check_str(m, PidLidEmail1AddressType, "SMTP");
    check_str(m, PidTagBusinessTelephoneNumber, "+1-206-555-0102");
    check_str(m, PidTagMobileTelephoneNumber, "+1-425-555-0199");
    check_str(m, PidTagCompanyMainTelephoneNumber, "+1-206-555-0100");
    check_str(m, PidTagAssistant, "Jeff Price");
    check_str(m, PidTagAssistantTelephoneNumber, "+1-206-555-0188");
    check_str(m, PidLidFileUnder, "Fennell, Dan");
    g_autofree char *text = write_card(m, VCARD_3_0);
    g_assert_nonnull(strstr(text, "\r\nN:Fennell;Dan;;;\r\n"));
    g_assert_nonnull(strstr(text, "\r\nORG:Contoso\\, Ltd;\r\n"));
    g_assert_nonnull(strstr(text, "\r\nX-MS-TEL;TYPE=COMPANY:+1-206-555-0100\r\n"));
    g_assert_nonnull(strstr(text, "\r\nEMAIL;TYPE=internet,pref:dan.fennell@contoso.com\r\n"));
    message_value_free(m);
}

static void test_2_1(void) {
    struct message_value *m =
        read_card("BEGIN:VCARD\r\nVERSION:2.1\r\n"
                  "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=FCrgen\r\n"
                  "FN;CHARSET=utf-8;QUOTED-PRINTABLE:J=C3=BCrgen =\r\nM=C3=BCller\r\n"
                  "TEL;HOME;VOICE:1\r\nTEL;HOME:2\r\nTEL;HOME:3\r\nTEL;FAX;WORK:4\r\nTEL:5\r\n"
                  "PHOTO;JPEG;ENCODING=BASE64:\r\n /9j/4AAQ\r\n SkZJRg==\r\n\r\n"
                  "AGENT:\r\nBEGIN:VCARD\r\nVERSION:2.1\r\nFN:Other\r\nEND:VCARD\r\n"
                  "NOTE:a long\r\n  note\r\nEND:VCARD\r\n");
    check_str(m, PidTagSurname, "M\xc3\xbcller");
    check_str(m, PidTagDisplayName, "J\xc3\xbcrgen M\xc3\xbcller");
    check_str(m, PidTagHomeTelephoneNumber, "1");
    check_str(m, PidTagHome2TelephoneNumber, "2");
    check_str(m, PidTagBusinessFaxNumber, "4");
    check_str(m, PidTagOtherTelephoneNumber, "5");
    check_str(m, PidTagBody, "a long  note");
    g_assert_true(bag_bool(m->bag, PidLidHasPicture, false));
    const struct attachment_value *a = m->attachments->pdata[0];
    g_assert_cmpuint(g_bytes_get_size(a->data), ==, 10);
    g_assert_cmpstr(bag_str(a->bag, PidTagAttachLongFilename), ==, "ContactPicture.jpg");
    g_assert_true(bag_bool(a->bag, PidTagAttachmentContactPhoto, false));
    g_autofree char *text = write_card(m, VCARD_3_0);
    g_assert_nonnull(strstr(text, "TEL;HOME:3\r\n")); // no place for it: kept as it is
    message_value_free(m);
}

static void test_4_0(void) {
    struct message_value *m = read_card(
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann\r\nGENDER:F\r\nBDAY:19850412\r\n"
        "ANNIVERSARY:20090808T1430-0500\r\nTEL;VALUE=uri;TYPE=\"cell\":tel:+1-555\r\n"
        "PHOTO:data:image/png;base64,iVBORw0KGgo=\r\nUID:urn:uuid:1\r\n"
        "EMAIL;PREF=1:a@e.example\r\nitem1.X-ODD;A=\"b:c\":d\\,e\r\nLANG:fr\r\nEND:VCARD\r\n");
    g_assert_cmpint(bag_get(m->bag, PidTagGender)->i2, ==, 1);
    g_assert_cmpint(filetime_to_unix(bag_time(m->bag, PidTagBirthday)), ==, 482112000);
    g_assert_cmpint(filetime_to_unix(bag_time(m->bag, PidTagWeddingAnniversary)), ==, 1249689600);
    check_str(m, PidTagMobileTelephoneNumber, "+1-555");
    check_str(m, PidLidEmail1EmailAddress, "a@e.example");
    g_autofree char *text = write_card(m, VCARD_4_0);
    static const char *const lines[] = {"BEGIN:VCARD\r\nVERSION:4.0\r\n",
                                        "\r\nUID:urn:uuid:1\r\n",
                                        "\r\nitem1.X-ODD;A=\"b:c\":d\\,e\r\n",
                                        "\r\nLANG:fr\r\n",
                                        "\r\nGENDER:F\r\n",
                                        "\r\nBDAY:19850412\r\n",
                                        "\r\nPHOTO:data:image/png;base64,iVBORw0KGgo=\r\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        g_assert_nonnull(strstr(text, lines[i]));
    message_value_free(m);
}

static void test_list(void) {
    struct message_value *m = read_card(
        "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nFN:Team\r\nMEMBER:mailto:a@e.example\r\n"
        "MEMBER;X-CN=\"Bob ^'B^'\":mailto:b@e.example\r\nMEMBER:urn:uuid:3\r\nEND:VCARD\r\n");
    check_str(m, PidTagMessageClass, "IPM.DistList");
    check_str(m, PidLidDistributionListName, "Team");
    const struct prop_value *v = bag_get(m->bag, PidLidDistributionListMembers);
    g_assert_cmpuint(v->mv.n, ==, 2);
    for (int version = VCARD_2_1; version <= VCARD_4_0; version++) {
        g_autofree char *text = write_card(m, (enum vcard_version)version);
        struct message_value *back = read_card(text);
        check_str(back, PidTagMessageClass, "IPM.DistList");
        g_assert_true(prop_equal(bag_get(back->bag, PidLidDistributionListMembers), v));
        message_value_free(back);
    }
    message_value_free(m);
}

static void test_many(void) {
    static const char text[] = "\xEF\xBB\xBF"
                               "BEGIN:VCARD\nFN:One\nEND:VCARD\nrubbish\nBEGIN:VCARD\nN:Two\n";
    const char *p = text, *end = text + strlen(text);
    struct message_value *m;
    g_assert_true(convert_vcard_next(&p, end, &m));
    check_str(m, PidTagDisplayName, "One");
    message_value_free(m);
    g_assert_true(convert_vcard_next(&p, end, &m));
    check_str(m, PidTagDisplayName, "Two");
    g_assert_false(convert_vcard_next(&p, end, &(struct message_value *){NULL}));
    message_value_free(m);
    m = message_value_new();
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Note");
    g_autoptr(GString) out = g_string_new(NULL);
    assert_ec(convert_message_to_vcard(m, NULL, VCARD_3_0, out), EC_NOT_SUPPORTED);
    message_value_free(m);
}

// --- Every row there and back ---

static const char *make_word(struct choices *c) {
    static const char *const words[] = {"x",
                                        "M\xc3\xbcller",
                                        "a;b",
                                        "a,b\\c",
                                        "1 2",
                                        "\"q\"",
                                        "a:b",
                                        "line\r\nend",
                                        "=41",
                                        "\xe6\x97\xa5\xe6\x9c\xac 0123456789 0123456789 0123456789 "
                                        "0123456789 0123456789 \xe6\x97\xa5\xe6\x9c\xac"};
    return words[choose(c, G_N_ELEMENTS(words))];
}

static void make_some(struct choices *c, struct bag *bag, proptag_t tag) {
    if (choose(c, 3) == 0)
        bag_set_str(bag, tag, make_word(c));
}

static struct message_value *make_contact(struct choices *c) {
    struct message_value *m = message_value_new();
    struct bag *bag = m->bag;
    bag_set_str(bag, PidTagMessageClass, "IPM.Contact");
    bag_set_str(bag, PidTagDisplayName, make_word(c));
    for (unsigned k = 0; k < vcard_n_texts; k++)
        make_some(c, bag, vcard_texts[k].tag);
    for (unsigned k = 0; k < vcard_n_phones; k++)
        make_some(c, bag, vcard_phones[k].tag);
    for (unsigned k = 0; k < G_N_ELEMENTS(vcard_name_parts); k++)
        make_some(c, bag, vcard_name_parts[k]);
    for (unsigned n = 0; n < 3; n++) {
        for (unsigned k = 0; k < ADDRESS_PARTS; k++)
            make_some(c, bag, vcard_addresses[n].parts[k]);
        make_some(c, bag, vcard_addresses[n].whole);
    }
    for (unsigned k = 0; k < 3 && choose(c, 2); k++)
        bag_set_str(bag, vcard_emails[k].address, make_word(c));
    for (unsigned k = 0; k < 4 && choose(c, 2); k++)
        bag_set_str(bag, vcard_user_fields[k], make_word(c));
    make_some(c, bag, PidTagCompanyName);
    make_some(c, bag, PidTagDepartmentName);
    make_some(c, bag, PidTagHobbies);
    if (choose(c, 2)) {
        bag_set_time(bag, PidTagBirthday, filetime_from_unix((int64_t)choose(c, 30000) * 86400));
        bag_set_time(bag, PidLidBirthdayLocal, bag_time(bag, PidTagBirthday));
    }
    if (choose(c, 2))
        bag_set_long(bag, PidTagSensitivity, (int32_t)choose(c, 4));
    if (choose(c, 2))
        bag_set_long(bag, PidLidPostalAddressId, (int32_t)choose(c, 4));
    const char *words[] = {make_word(c), make_word(c)};
    struct prop_value v = {.tag = PidNameKeywords, .mv = {.n = choose(c, 3), .str = words}};
    if (v.mv.n > 0)
        bag_set(bag, &v);
    return m;
}

// The second number of a kind takes the place of a first that is missing.
static bool is_moved(proptag_t tag) {
    return tag == PidTagHomeTelephoneNumber || tag == PidTagHome2TelephoneNumber ||
           tag == PidTagBusinessTelephoneNumber || tag == PidTagBusiness2TelephoneNumber;
}

static bool is_kept_by(const struct message_value *m, enum vcard_version version) {
    g_autofree char *text = write_card(m, version);
    struct message_value *back = read_card(text);
    bool same = true;
    for (unsigned k = 0; k < bag_count(m->bag) && same; k++) {
        const struct prop_value *v = bag_at(m->bag, k), *other = bag_get(back->bag, v->tag);
        same = is_moved(v->tag) || (other && prop_equal(v, other));
        if (!same)
            g_test_message("%08x differs: %s -> %s in\n%s", v->tag,
                           PROP_TYPE(v->tag) == PT_UNICODE ? v->str : "?",
                           other && PROP_TYPE(v->tag) == PT_UNICODE ? other->str : "none", text);
    }
    for (const char *line = text; same && line && *line;) { // no line is too long
        const char *end = strstr(line, "\r\n");
        same = end && (version == VCARD_2_1 || end - line <= 75);
        line = end ? end + 2 : NULL;
    }
    message_value_free(back);
    return same;
}

static bool is_kept(struct choices *c) {
    struct message_value *m = make_contact(c);
    bool same = is_kept_by(m, VCARD_2_1) && is_kept_by(m, VCARD_3_0) && is_kept_by(m, VCARD_4_0);
    message_value_free(m);
    return same;
}

static void test_law(void) {
    law_check("a contact made of the vCard of a contact is the same", is_kept, 150, 200);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vcard/example", test_example);
    g_test_add_func("/vcard/2_1", test_2_1);
    g_test_add_func("/vcard/4_0", test_4_0);
    g_test_add_func("/vcard/list", test_list);
    g_test_add_func("/vcard/many", test_many);
    g_test_add_func("/vcard/law", test_law);
    return g_test_run();
}
