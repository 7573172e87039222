// Messages, recipients and attachments.
#include "protocol/rop/rop_message_fixture.h"
#include "protocol/rop/rop_tests.h"

static void test_create_save(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {
        PidTagImportance,         PidTagMessageClass, PidTagSensitivity,
        PidTagDisplayTo,          PidTagMessageFlags, PidTagHasAttachments,
        PidTagTrustSender,        PidTagAccess,       PidTagAccessLevel,
        PidTagMessageLocaleId,    PidTagCreatorName,  PidTagLastModifierName,
        PidTagHasNamedProperties, PidTagMid,          PidTagSearchKey};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect_end(f);
    struct prop_value *v = get_props(f, 2, tags, G_N_ELEMENTS(tags));
    g_assert_cmpint(v[0].l, ==, 1);                       // MS-OXCMSG_R341
    g_assert_cmpstr(v[1].str, ==, "IPM.Note");            // MS-OXCMSG_R342
    g_assert_cmpint(v[2].l, ==, 0);                       // MS-OXCMSG_R343
    g_assert_cmpstr(v[3].str, ==, "");                    // MS-OXCMSG_R346
    g_assert_cmphex((uint32_t)v[4].l, ==, 0x9);           // MS-OXCMSG_R347
    g_assert_false(v[5].b);                               // MS-OXCMSG_R349
    g_assert_cmpint(v[6].l, ==, 1);                       // MS-OXCMSG_R352
    g_assert_cmpint(v[7].l, ==, 3);                       // MS-OXCMSG_R353
    g_assert_cmpint(v[8].l, ==, 1);                       // MS-OXCMSG_R354
    g_assert_cmpint(v[9].l, ==, 0x409);                   // MS-OXCMSG_R359
    g_assert_cmpstr(v[10].str, ==, "Alice Adams");        // MS-OXCMSG_R360
    g_assert_cmpstr(v[11].str, ==, "Alice Adams");        // MS-OXCMSG_R362
    g_assert_false(v[12].b);                              // MS-OXCMSG_R364
    g_assert_cmpuint(PROP_TYPE(v[13].tag), ==, PT_ERROR); // no id yet
    g_assert_cmpuint(v[14].bin.len, ==, 16);              // MS-OXCMSG_R358
    // MS-OXCMSG_R339: nobody sees it before it is saved.
    rop2(f, 0x05, 1, 3);
    u8(f, 0);
    save(f, 2, 0x02);
    rop2(f, 0x05, 1, 3);
    u8(f, 0);
    save(f, 2, 0x01); // nothing changed; read-only from now on
    save(f, 2, 0x01);
    run(f);
    expect(f, 0x05, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
    expect(f, 0x0C, 15, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 2);
    uint64_t mid = read_id(f); // MS-OXCMSG_R372
    expect(f, 0x05, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 1);
    expect(f, 0x0C, 15, EC_OK);
    wire_u8(&f->r);
    g_assert_cmpuint(read_id(f), ==, mid);
    expect(f, 0x0C, 15, EC_CALL_FAILED); // MS-OXCMSG_R1699
    expect_end(f);
}

static void test_open(struct rops *f, gconstpointer data) {
    begin(f);
    uint64_t mid = make_message(f, 1, FID_DRAFTS, "RE: Hello");
    open_message(f, 1, 2, FID_DRAFTS, 0, mid);
    open_message(f, 1, 3, FID_DRAFTS, 0, 0x7777);
    open_message(f, 1, 3, FID_INBOX, 0, mid);
    rop2(f, 0x03, 1, 3); // an unknown code page
    u16(f, 12345);
    id(f, FID_DRAFTS);
    u8(f, 0);
    id(f, mid);
    rop1(f, 0x10, 2);
    u16(f, 0);
    open_message(f, 2, 3, FID_DRAFTS, 0, mid); // on a message
    run(f);
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            expect(f, 0x03, 2, EC_OK);
        else
            expect(f, 0x10, 2, EC_OK);
        g_assert_cmpuint(wire_u8(&f->r), ==, 0); // HasNamedProperties
        g_assert_cmpstr(typed_string(f), ==, "RE: ");
        g_assert_cmpstr(typed_string(f), ==, "Hello");
        g_assert_cmpuint(wire_u16(&f->r), ==, 0); // RecipientCount
        g_assert_cmpuint(wire_u16(&f->r), ==, 0); // ColumnCount
        g_assert_cmpuint(wire_u8(&f->r), ==, 0);  // RowCount
        if (i == 0) {
            expect(f, 0x03, 3, EC_NOT_FOUND); // MS-OXCMSG_R333
            expect(f, 0x03, 3, EC_NOT_FOUND); // MS-OXCMSG_R1477
            expect(f, 0x03, 3, EC_UNKNOWN_CODE_PAGE);
        }
    }
    expect(f, 0x03, 3, EC_NULL_OBJECT); // MS-OXCMSG_R1478
    expect_end(f);
}

// The first of two that was saved wins (MS-OXCMSG_R704, R705, R1053, R1475).
static void test_conflict(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagSubject};
    struct prop_value a = prop_str(PidTagSubject, "first"), b = prop_str(PidTagSubject, "second");
    begin(f);
    uint64_t mid = make_message(f, 1, FID_DRAFTS, "x");
    open_message(f, 1, 2, FID_DRAFTS, 1, mid);
    open_message(f, 1, 3, FID_DRAFTS, 1, mid);
    set_props(f, 2, &a, 1);
    set_props(f, 3, &b, 1);
    save(f, 2, 0x02);
    save(f, 3, 0x02);
    run(f);
    g_assert_cmpstr(get_props(f, 2, tags, 1)->str, ==, "first");
    g_assert_cmpstr(get_props(f, 3, tags, 1)->str, ==, "second");
    save(f, 3, 0x02);
    save(f, 3, 0x04); // ForceSave
    open_message(f, 1, 4, FID_DRAFTS, 0, mid);
    run(f);
    expect(f, 0x0C, 15, EC_OBJECT_MODIFIED);
    expect(f, 0x0C, 15, EC_OK);
    g_assert_cmpstr(get_props(f, 4, tags, 1)->str, ==, "second");
    rop1(f, 0x91, 1);
    hex(f, "00 00");
    u16(f, 1);
    id(f, mid);
    set_props(f, 3, &a, 1);
    save(f, 3, 0x02);
    run(f);
    expect(f, 0x91, 1, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x0A, 3, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x0C, 15, EC_OBJECT_DELETED);
}

// --- Recipients ---

// Rows of RopReadRecipients as "ID:TYPE:NAME".
static void expect_recipients(struct rops *f, uint8_t message, uint32_t from, const char *text) {
    struct columns none = {0, NULL};
    rop1(f, 0x0F, message);
    u32(f, from);
    u16(f, 0);
    run(f);
    expect(f, 0x0F, message, EC_OK);
    unsigned n = wire_u8(&f->r);
    g_autoptr(GString) got = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        BAG_AUTO bag = bag_new();
        uint32_t row = wire_u32(&f->r);
        uint8_t type = wire_u8(&f->r);
        g_assert_cmpuint(wire_u16(&f->r), ==, 1252);
        wire_u16(&f->r);
        struct wire_reader sub = wire_sub(&f->r, wire_u16(&f->r));
        assert_ok(recipient_row_read(&sub, &rop_wire, &none, "", bag));
        g_string_append_printf(got, "%u:%u:%s ", row, type, bag_str(bag, PidTagDisplayName));
    }
    expect_end(f);
    g_assert_cmpstr(got->str, ==, text);
}

static void test_recipients(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagDisplayTo, PidTagDisplayCc};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    rop1(f, 0x0D, 2); // MS-OXCMSG_R1491
    u32(f, 0);
    rop1(f, 0x0F, 2);
    u32(f, 0);
    u16(f, 0);
    modify(f, 2, 3);
    put_recipient(f, 5, 1, "Five", "five@example.test");
    put_recipient(f, 1, 1, "One", "one@example.test");
    put_recipient(f, 9, 2, "Nine", "nine@example.test");
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x0D, 2, EC_OK);
    expect(f, 0x0F, 2, EC_NOT_FOUND); // MS-OXCMSG_R1055
    expect(f, 0x0E, 2, EC_OK);
    expect_end(f);
    expect_recipients(f, 2, 0, "1:1:One 5:1:Five 9:2:Nine "); // MS-OXCMSG_R389, R394
    expect_recipients(f, 2, 2, "5:1:Five 9:2:Nine ");         // MS-OXCMSG_R401
    struct prop_value *v = get_props(f, 2, tags, 2);
    g_assert_cmpstr(v[0].str, ==, "One; Five");
    g_assert_cmpstr(v[1].str, ==, "Nine");
    modify(f, 2, 2);
    put_recipient(f, 5, 0, NULL, NULL);                // MS-OXCMSG_R391
    put_recipient(f, 1, 3, "Uno", "one@example.test"); // MS-OXCMSG_R390
    save(f, 2, 0x02);
    run(f);
    expect_recipients(f, 2, 0, "1:3:Uno 9:2:Nine "); // MS-OXCMSG_R393
    rop1(f, 0x0D, 2);
    u32(f, 0);
    rop1(f, 0x0F, 2);
    u32(f, 0);
    u16(f, 0);
    run(f);
    expect(f, 0x0D, 2, EC_OK);
    expect(f, 0x0F, 2, EC_NOT_FOUND); // MS-OXCMSG_R381
}

// --- Attachments ---

static void test_attachments(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagAttachNumber, PidTagAttachSize, PidTagRenderingPosition,
                                     PidTagAccessLevel};
    static const proptag_t contents[] = {PidTagAttachDataBinary, PidTagAttachLongFilename};
    static const proptag_t has[] = {PidTagHasAttachments};
    struct prop_value values[] = {prop_long(PidTagAttachMethod, 1),
                                  prop_str(PidTagAttachLongFilename, "a.txt"),
                                  prop_bytes(PidTagAttachDataBinary, "hello", 5)};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    rop2(f, 0x23, 2, 3);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x23, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0); // MS-OXCMSG_R448
    expect_end(f);
    struct prop_value *v = get_props(f, 3, tags, 4);
    g_assert_cmpint(v[0].l, ==, 0);
    g_assert_cmpint(v[1].l, ==, 0x40); // MS-OXCMSG_R449
    g_assert_cmpint(v[2].l, ==, -1);   // MS-OXCMSG_R451
    g_assert_cmpint(v[3].l, ==, 1);    // MS-OXCMSG_R450
    set_props(f, 3, values, 3);
    run(f);
    // MS-OXCMSG_R446: not the message's before it is saved.
    g_assert_false(get_props(f, 2, has, 1)->b);
    rop2(f, 0x25, 2, 3);
    u8(f, 0x08);
    rop2(f, 0x25, 2, 3);
    u8(f, 0x02);
    rop2(f, 0x25, 3, 2); // of a message
    u8(f, 0x02);
    save(f, 2, 0x02);
    rop1(f, 0x52, 2);
    run(f);
    expect(f, 0x25, 2, EC_NOT_SUPPORTED); // MS-OXCMSG_R466
    expect(f, 0x25, 2, EC_OK);
    expect(f, 0x25, 3, EC_NOT_SUPPORTED); // MS-OXCMSG_R467
    expect(f, 0x0C, 15, EC_OK);
    wire_u8(&f->r);
    uint64_t mid = read_id(f);
    expect(f, 0x52, 2, EC_OK);
    expect_hex(f, "01 00 00 00 00 00");
    expect_end(f);
    open_message(f, 1, 4, FID_DRAFTS, 1, mid);
    rop2(f, 0x22, 4, 5);
    u8(f, 0);
    u32(f, 0);
    rop2(f, 0x22, 4, 6);
    u8(f, 0);
    u32(f, 7);
    run(f);
    g_assert_true(get_props(f, 4, has, 1)->b);
    v = get_props(f, 5, contents, 2);
    g_assert_cmpmem(v[0].bin.data, v[0].bin.len, "hello", 5);
    g_assert_cmpstr(v[1].str, ==, "a.txt");
    rop2(f, 0x21, 4, 6); // the table
    u8(f, 0);
    rop1(f, 0x12, 6);
    u8(f, 0);
    put_tags(f, tags, 1);
    rop1(f, 0x15, 6);
    hex(f, "00 01 05 00");
    rop2(f, 0x22, 4, 7);
    u8(f, 0);
    u32(f, 7);
    rop1(f, 0x24, 4);
    u32(f, 7);
    rop1(f, 0x24, 4);
    u32(f, 0);
    save(f, 4, 0x02);
    run(f);
    expect(f, 0x21, 6, EC_OK);
    expect(f, 0x12, 6, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x15, 6, EC_OK);
    expect_hex(f, "02 01 00 00 00 00 00 00");
    expect(f, 0x22, 7, EC_NOT_FOUND); // MS-OXCMSG_R440
    expect(f, 0x24, 4, EC_NOT_FOUND); // MS-OXCMSG_R1063
    expect(f, 0x24, 4, EC_OK);
    expect(f, 0x0C, 15, EC_OK);
    g_assert_false(get_props(f, 4, has, 1)->b); // MS-OXCMSG_R469
}

static void test_embedded(struct rops *f, gconstpointer data) {
    static const proptag_t subject[] = {PidTagSubject}, method[] = {PidTagAttachMethod};
    struct prop_value inner = prop_str(PidTagSubject, "inside");
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    rop2(f, 0x23, 2, 3);
    rop2(f, 0x46, 3, 4); // there is none yet
    u16(f, 0x0FFF);
    u8(f, 0);
    rop2(f, 0x46, 3, 4);
    u16(f, 0x0FFF);
    u8(f, 2);
    set_props(f, 4, &inner, 1);
    rop2(f, 0x46, 2, 5); // of a message
    u16(f, 0x0FFF);
    u8(f, 0);
    save(f, 4, 0x02);
    rop2(f, 0x25, 2, 3);
    u8(f, 0x02);
    save(f, 2, 0x02);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x23, 3, EC_OK);
    wire_u32(&f->r);
    expect(f, 0x46, 4, EC_NOT_FOUND);
    expect(f, 0x46, 4, EC_OK);
    wire_skip(&f->r, 1 + 8 + 1);
    typed_string(f);
    typed_string(f);
    expect_hex(f, "00 00 00 00 00");
    expect(f, 0x0A, 4, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x46, 5, EC_NULL_OBJECT); // MS-OXCMSG_R1525
    expect(f, 0x0C, 15, EC_OK);
    wire_u8(&f->r);
    g_assert_cmpuint(wire_u64(&f->r), ==, 0);
    expect(f, 0x25, 2, EC_OK);
    expect(f, 0x0C, 15, EC_OK);
    wire_u8(&f->r);
    uint64_t mid = read_id(f);
    open_message(f, 1, 6, FID_DRAFTS, 1, mid);
    rop2(f, 0x22, 6, 7);
    u8(f, 1);
    u32(f, 0);
    rop2(f, 0x46, 7, 8);
    u16(f, 0x0FFF);
    u8(f, 1);
    run(f);
    g_assert_cmpstr(get_props(f, 8, subject, 1)->str, ==, "inside");
    g_assert_cmpint(get_props(f, 7, method, 1)->l, ==, 5);
    // MS-OXCROPS_R4732 to R4737: with the message goes what it owns.
    rop1(f, 0x01, 6);
    rop1(f, 0x09, 7);
    rop1(f, 0x09, 8);
    run(f);
    expect(f, 0x09, 7, EC_NULL_OBJECT);
    expect(f, 0x09, 8, EC_NULL_OBJECT);
}

void add_message_tests(void) {
    ROPS_TEST("/rop/message/create-save", test_create_save);
    ROPS_TEST("/rop/message/open", test_open);
    ROPS_TEST("/rop/message/conflict", test_conflict);
    ROPS_TEST("/rop/message/recipients", test_recipients);
    ROPS_TEST("/rop/message/attachments", test_attachments);
    ROPS_TEST("/rop/message/embedded", test_embedded);
}
