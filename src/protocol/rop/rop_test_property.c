// Properties, streams, copying, submitting.
#include "mailbox/outbox.h"
#include "mapi/entry_id.h"
#include "mapi/named.h"
#include "protocol/rop/rop_message_fixture.h"
#include "protocol/rop/rop_tests.h"

// --- Properties ---

static void test_properties(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagSubject,       PidTagNormalizedSubject,
                                     PidTagSubjectPrefix, PROP_TAG(0x37, PT_STRING8),
                                     PidTagComment,       PROP_TAG(0x0017, PT_UNICODE)};
    struct prop_value values[] = {prop_str(PidTagSubject, "FW: gr\xc3\xbc\xc3\x9f"),
                                  prop_long(PidTagAccess, 7), prop_str(PidTagComment, "c")};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    set_props(f, 2, values, 3);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x0A, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1); // MS-OXCPRPT_R47505
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    g_assert_cmphex(wire_u32(&f->r), ==, PidTagAccess);
    g_assert_cmphex(wire_u32(&f->r), ==, (uint32_t)EC_COMPUTED);
    expect_end(f);
    struct prop_value *v = get_props(f, 2, tags, G_N_ELEMENTS(tags));
    g_assert_cmpstr(v[0].str, ==, "FW: gr\xc3\xbc\xc3\x9f");
    g_assert_cmpstr(v[1].str, ==, "gr\xc3\xbc\xc3\x9f");
    g_assert_cmpstr(v[2].str, ==, "FW: ");
    g_assert_cmpstr(v[3].str, ==, "FW: gr\xc3\xbc\xc3\x9f"); // went in the code page
    g_assert_cmpstr(v[4].str, ==, "c");
    g_assert_cmpuint(PROP_TYPE(v[5].tag), ==, PT_ERROR); // a number is no string
    static const proptag_t gone[] = {PidTagComment, PROP_TAG(0x6001, PT_LONG), PidTagAccess};
    rop1(f, 0x0B, 2);
    put_tags(f, gone, 3);
    rop1(f, 0x09, 2);
    rop1(f, 0x08, 2);
    u16(f, 0);
    u16(f, 1);
    rop1(f, 0x0B, 9);
    put_tags(f, gone, 3);
    run(f);
    expect(f, 0x0B, 2, EC_OK);
    expect_hex(f, "01 00 02 00 03 00 F4 0F 1A 01 04 80"); // MS-OXCPRPT_R48405
    expect(f, 0x09, 2, EC_OK);
    struct columns list = columns_read(&f->r, f->arena);
    bool has_subject = false;
    for (unsigned i = 0; i < list.n; i++) {
        has_subject |= list.tags[i] == PidTagSubject;
        g_assert_cmphex(list.tags[i], !=, PidTagComment); // MS-OXCPRPT_R874
    }
    g_assert_true(has_subject);
    expect(f, 0x08, 2, EC_OK);
    unsigned n = wire_u16(&f->r);
    g_assert_cmpuint(n, >, 15);
    g_assert_nonnull(prop_wire_tagged_array(&f->r, &rop_wire, f->arena, n));
    expect(f, 0x0B, 9, EC_NULL_OBJECT);
    expect_end(f);
}

// Values that are too long for a response are to be read as a stream.
static void test_large(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagBody, PidTagSubject};
    g_autofree char *body = g_strnfill(20000, 'b');
    struct prop_value values[] = {prop_str(PidTagBody, body), prop_str(PidTagSubject, "s")};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    set_props(f, 2, values, 2);
    run(f);
    struct prop_value *v = get_props(f, 2, tags, 2);
    g_assert_cmphex((uint32_t)v[0].l, ==, (uint32_t)EC_NO_MEMORY);
    g_assert_cmpuint(PROP_TYPE(v[0].tag), ==, PT_ERROR);
    g_assert_cmpstr(v[1].str, ==, "s");
    rop1(f, 0x08, 2);
    u16(f, 0);
    u16(f, 0);
    run(f);
    expect(f, 0x08, 2, EC_OK);
    unsigned n = wire_u16(&f->r);
    struct prop_value *all = prop_wire_tagged_array(&f->r, &rop_wire, f->arena, n);
    bool found = false;
    for (unsigned i = 0; i < n; i++)
        if (all[i].tag == PROP_TAG(PROP_ID(PidTagBody), PT_ERROR))
            found = all[i].l == (int32_t)EC_NO_MEMORY;
    g_assert_true(found);
}

static void test_named(struct rops *f, gconstpointer data) {
    static const struct guid set = GUID_INIT(0x11223344, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    struct prop_name names[] = {
        {.kind = PROP_NAME_LID, .set = set, .lid = 7},
        {.kind = PROP_NAME_STRING, .set = set, .string = "Color"},
    };
    begin(f);
    for (unsigned i = 0; i < 2; i++) {
        rop1(f, 0x56, 0);
        u8(f, i ? 2 : 0);
        u16(f, 2);
        prop_name_put(&f->w, &names[0]);
        prop_name_put(&f->w, &names[1]);
    }
    run(f);
    expect(f, 0x56, 0, EC_ERRORS_RETURNED);
    expect_hex(f, "02 00 00 00 00 00");
    expect(f, 0x56, 0, EC_OK); // MS-OXCPRPT_R534
    g_assert_cmpuint(wire_u16(&f->r), ==, 2);
    uint16_t a = wire_u16(&f->r), b = wire_u16(&f->r);
    g_assert_cmphex(a, >=, 0x8000);
    g_assert_cmphex(a, !=, b);
    struct prop_value v = prop_str(PROP_TAG(b, PT_UNICODE), "red");
    create_message(f, 1, 2, FID_DRAFTS);
    set_props(f, 2, &v, 1);
    rop1(f, 0x55, 0);
    u16(f, 4);
    u16(f, a);
    u16(f, b);
    u16(f, 0x0037);
    u16(f, 0xFFF0);
    rop1(f, 0x5F, 2);
    u8(f, 0);
    u8(f, 0);
    rop1(f, 0x5F, 2);
    u8(f, 1); // NoStrings
    u8(f, 1);
    wire_put_guid(&f->w, &set);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x0A, 2, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x55, 0, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 4);
    struct prop_name n = prop_name_read(&f->r, f->arena);
    g_assert_cmpuint(n.lid, ==, 7);
    n = prop_name_read(&f->r, f->arena);
    g_assert_cmpstr(n.string, ==, "Color");
    n = prop_name_read(&f->r, f->arena); // MS-OXCPRPT_R518 to R520: PS_MAPI
    g_assert_cmpuint(n.kind, ==, PROP_NAME_LID);
    g_assert_cmpuint(n.lid, ==, 0x37);
    n = prop_name_read(&f->r, f->arena); // MS-OXCPRPT_R523
    g_assert_cmpuint(n.kind, ==, PROP_NAME_NONE);
    expect(f, 0x5F, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    g_assert_cmphex(wire_u16(&f->r), ==, b);
    n = prop_name_read(&f->r, f->arena);
    g_assert_cmpstr(n.string, ==, "Color");
    expect(f, 0x5F, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 0); // MS-OXCPRPT_R876
    expect_end(f);
}

// --- Streams ---

static void open_stream(struct rops *f, uint8_t index, uint8_t out, proptag_t tag, uint8_t mode) {
    rop2(f, 0x2B, index, out);
    u32(f, tag);
    u8(f, mode);
}
static void write_stream(struct rops *f, uint8_t index, const char *text) {
    rop1(f, 0x2D, index);
    u16(f, (uint16_t)strlen(text));
    wire_put_bytes(&f->w, text, strlen(text));
}

static void test_streams(struct rops *f, gconstpointer data) {
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    open_stream(f, 2, 3, PidTagHtml, 0);
    open_stream(f, 2, 3, PidTagMessageFlags, 0);
    open_stream(f, 2, 3, PidTagHtml, 2);
    write_stream(f, 3, "hello world");
    rop1(f, 0x2E, 3); // seek
    u8(f, 0);
    u64(f, 6);
    write_stream(f, 3, "WORLD");
    rop1(f, 0x5E, 3);
    rop1(f, 0x2E, 3);
    u8(f, 0);
    u64(f, (uint64_t)-1);
    rop1(f, 0x2E, 3);
    u8(f, 3);
    u64(f, 0);
    rop1(f, 0x2F, 3);
    u64(f, 13);
    rop1(f, 0x5D, 3);
    rop1(f, 0x01, 3);
    open_stream(f, 2, 4, PidTagHtml, 0);
    rop1(f, 0x2C, 4);
    u16(f, 5);
    rop1(f, 0x2C, 4);
    u16(f, 0xBABE);
    u32(f, 100);
    write_stream(f, 4, "no");
    rop1(f, 0x2C, 9);
    u16(f, 5);
    run(f);
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x2B, 3, EC_NOT_FOUND);     // MS-OXCPRPT_R549
    expect(f, 0x2B, 3, EC_NOT_SUPPORTED); // MS-OXCPRPT_R548
    expect(f, 0x2B, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
    expect(f, 0x2D, 3, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 11);
    expect(f, 0x2E, 3, EC_OK);
    g_assert_cmpuint(wire_u64(&f->r), ==, 6);
    expect(f, 0x2D, 3, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x5E, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 11);
    expect(f, 0x2E, 3, EC_STREAM_SEEK_ERROR);        // MS-OXCPRPT_R584
    expect(f, 0x2E, 3, EC_STREAM_INVALID_PARAMETER); // MS-OXCPRPT_R902
    expect(f, 0x2F, 3, EC_OK);
    expect(f, 0x5D, 3, EC_OK);
    expect(f, 0x2B, 4, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 13);
    expect(f, 0x2C, 4, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 5); // MS-OXCPRPT_R55206
    g_assert_cmpmem(wire_bytes(&f->r, 5), 5, "hello", 5);
    expect(f, 0x2C, 4, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 8);                  // MS-OXCPRPT_R55205
    g_assert_cmpmem(wire_bytes(&f->r, 8), 8, " WORLD\0\0", 8); // MS-OXCPRPT_R57706
    expect(f, 0x2D, 4, EC_STREAM_ACCESS_DENIED);               // MS-OXCPRPT_R900
    wire_u16(&f->r);
    expect(f, 0x2C, 9, EC_NULL_OBJECT);
    wire_u16(&f->r);
    expect_end(f);
}

static void test_stream_copy_clone_lock(struct rops *f, gconstpointer data) {
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    open_stream(f, 2, 3, PidTagHtml, 2);
    open_stream(f, 2, 4, PidTagBody, 2);
    write_stream(f, 3, "a\0b\0c");
    rop1(f, 0x2D, 3);
    u16(f, 4);
    hex(f, "78 00 79 00");
    rop1(f, 0x2E, 3);
    u8(f, 0);
    u64(f, 1);
    rop2(f, 0x3A, 3, 4);
    u64(f, 100);
    rop2(f, 0x3A, 3, 9);
    u64(f, 100);
    rop2(f, 0x3B, 3, 5);
    rop1(f, 0x5B, 3); // lock
    u64(f, 0);
    u64(f, 2);
    u32(f, 0);
    rop1(f, 0x2E, 5);
    u8(f, 0);
    u64(f, 0);
    write_stream(f, 5, "z");
    rop1(f, 0x5B, 5);
    u64(f, 1);
    u64(f, 2);
    u32(f, 0);
    rop1(f, 0x5C, 3);
    u64(f, 0);
    u64(f, 2);
    u32(f, 0);
    write_stream(f, 5, "z");
    rop1(f, 0x90, 4);
    u16(f, 2);
    hex(f, "7A 00");
    rop1(f, 0xA3, 3);
    u16(f, 1);
    hex(f, "7A");
    run(f);
    f->r.pos = 0;
    expect(f, 0x06, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x2B, 3, EC_OK);
    wire_u32(&f->r);
    expect(f, 0x2B, 4, EC_OK);
    wire_u32(&f->r);
    expect(f, 0x2D, 3, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x2D, 3, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x2E, 3, EC_OK);
    wire_u64(&f->r);
    expect(f, 0x3A, 3, EC_OK);
    g_assert_cmpuint(wire_u64(&f->r), ==, 4);
    g_assert_cmpuint(wire_u64(&f->r), ==, 4);
    expect(f, 0x3A, 3, EC_DST_NULL_OBJECT); // MS-OXCPRPT_R593
    g_assert_cmpuint(wire_u32(&f->r), ==, 9);
    wire_skip(&f->r, 16);
    expect(f, 0x3B, 5, EC_OK);
    expect(f, 0x5B, 3, EC_OK);
    expect(f, 0x2E, 5, EC_OK);
    wire_u64(&f->r);
    expect(f, 0x2D, 5, EC_ACCESS_DENIED);
    wire_u16(&f->r);
    expect(f, 0x5B, 5, EC_ACCESS_DENIED); // MS-OXCPRPT_R611
    expect(f, 0x5C, 3, EC_OK);
    expect(f, 0x2D, 5, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x90, 4, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 2);
    expect(f, 0xA3, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 1);
    expect_end(f);
    static const proptag_t body[] = {PidTagBody};
    g_assert_cmpstr(get_props(f, 2, body, 1)->str, ==, "xyz");
}

// --- Copying ---

static void test_copy(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagSubject, PidTagComment, PidTagDisplayTo};
    struct prop_value values[] = {prop_str(PidTagSubject, "s"), prop_str(PidTagComment, "c")};
    struct prop_value other = prop_str(PidTagComment, "own");
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    create_message(f, 1, 3, FID_DRAFTS);
    set_props(f, 2, values, 2);
    set_props(f, 3, &other, 1);
    modify(f, 2, 1);
    put_recipient(f, 0, 1, "One", "one@example.test");
    rop2(f, 0x23, 2, 4);
    rop2(f, 0x25, 2, 4);
    u8(f, 0x02);
    rop2(f, 0x67, 2, 3); // CopyProperties, no overwriting
    hex(f, "00 02");
    put_tags(f, tags, 2);
    rop2(f, 0x67, 2, 3);
    hex(f, "00 04");
    put_tags(f, tags, 2);
    rop2(f, 0x67, 2, 1); // of another kind
    hex(f, "00 00");
    put_tags(f, tags, 2);
    rop2(f, 0x67, 2, 9);
    hex(f, "00 00");
    put_tags(f, tags, 2);
    run(f);
    wire_skip(&f->r, 7 + 7 + 8 + 8 + 6 + 10 + 6);
    expect(f, 0x67, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 0);
    expect(f, 0x67, 2, EC_INVALID_PARAMETER); // MS-OXCPRPT_R880
    expect(f, 0x67, 2, EC_NOT_SUPPORTED);     // MS-OXCPRPT_R508
    expect(f, 0x67, 2, EC_DST_NULL_OBJECT);
    g_assert_cmpuint(wire_u32(&f->r), ==, 9);
    expect_end(f);
    struct prop_value *v = get_props(f, 3, tags, 3);
    g_assert_cmpstr(v[0].str, ==, "s");
    g_assert_cmpstr(v[1].str, ==, "own"); // MS-OXCPRPT_R879
    g_assert_cmpstr(v[2].str, ==, "");
    rop2(f, 0x39, 2, 3); // CopyTo with what is in it
    hex(f, "00 01 00");
    u16(f, 0);
    rop1(f, 0x52, 3);
    rop2(f, 0x39, 2, 2);
    hex(f, "00 01 00");
    u16(f, 0);
    save(f, 3, 0);
    run(f);
    expect(f, 0x39, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 0);
    expect(f, 0x52, 3, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1); // MS-OXCPRPT_R181
    wire_u32(&f->r);
    expect(f, 0x39, 2, EC_LOOP_DETECTED); // MS-OXCPRPT_R896
    expect(f, 0x0C, 15, EC_OK);
    v = get_props(f, 3, tags, 3);
    g_assert_cmpstr(v[1].str, ==, "c");
    g_assert_cmpstr(v[2].str, ==, "One");
}

// --- The store and folders ---

static void test_object_properties(struct rops *f, gconstpointer data) {
    static const proptag_t store[] = {PidTagMailboxOwnerName, PidTagObjectType, PidTagMessageSize,
                                      PidTagIpmOutboxEntryId, PidTagSortLocaleId};
    static const proptag_t inbox[] = {PidTagIpmAppointmentEntryId, PidTagAdditionalRenEntryIds,
                                      PidTagSourceKey, PidTagContainerClass, PidTagChangeKey};
    struct prop_value values[] = {prop_str(PidTagComment, "mine"), prop_long(PidTagRights, 0)};
    begin(f);
    open_folder(f, 5, FID_INBOX);
    struct prop_value *v = get_props(f, 0, store, 5);
    g_assert_cmpstr(v[0].str, ==, "Alice Adams");
    g_assert_cmpint(v[1].l, ==, 1);
    g_assert_cmpuint(PROP_TYPE(v[2].tag), ==, PT_LONG);
    g_assert_cmpuint(v[3].bin.len, ==, 46);
    g_assert_cmpint(v[4].l, ==, 0x409);
    v = get_props(f, 5, inbox, 5);
    g_assert_cmpuint(v[0].bin.len, ==, 46);
    g_assert_cmpuint(v[1].mv.n, ==, 5);
    g_assert_cmpuint(v[2].bin.len, ==, 22);
    g_assert_cmpstr(v[3].str, ==, "IPF.Note");
    g_assert_cmpuint(v[4].bin.len, ==, 22);
    set_props(f, 5, values, 2);
    set_props(f, 0, values, 2);
    rop1(f, 0x0B, 5);
    put_tags(f, &values[0].tag, 1);
    open_stream(f, 5, 6, PidTagComment, 2);
    rop1(f, 0x2D, 6);
    u16(f, 4);
    hex(f, "6F 00 6B 00");
    rop1(f, 0x01, 6); // MS-OXCPRPT_R56405
    run(f);
    expect(f, 0x0A, 5, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    wire_skip(&f->r, 10);
    expect(f, 0x0A, 0, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    wire_skip(&f->r, 10);
    expect(f, 0x0B, 5, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 0);
    static const proptag_t comment[] = {PidTagComment};
    g_assert_cmpstr(get_props(f, 5, comment, 1)->str, ==, "ok");
    g_assert_cmpstr(get_props(f, 0, comment, 1)->str, ==, "mine");
}

static void test_transport(struct rops *f, gconstpointer data) {
    begin(f);
    uint64_t mid = make_message(f, 1, FID_DRAFTS, "x");
    rop1(f, 0x47, 0);
    rop1(f, 0x49, 0);
    rop1(f, 0x6D, 0);
    rop1(f, 0x48, 0);
    id(f, mid);
    u8(f, 0);
    rop1(f, 0x6F, 0);
    str8(f, "SMTP");
    u8(f, 0);
    rop1(f, 0x51, 0);
    id(f, mid);
    id(f, FID_DRAFTS);
    str8(f, "IPM.Note");
    u32(f, 0);
    rop1(f, 0x34, 0);
    id(f, FID_DRAFTS);
    id(f, mid);
    rop1(f, 0x32, 1);
    u8(f, 0);
    rop1(f, 0x50, 0);
    u8(f, 0);
    run(f);
    expect(f, 0x47, 0, EC_OK);
    expect(f, 0x49, 0, EC_OK);
    expect_hex(f, "03 00 10 00 45 58 00 53 4D 54 50 00 4D 41 50 49 50 44 4C 00");
    expect(f, 0x6D, 0, EC_OK);
    read_id(f);
    expect(f, 0x48, 0, EC_OK);
    expect(f, 0x6F, 0, EC_OK);
    expect_hex(f, "01 00 00 00 00");
    expect(f, 0x51, 0, EC_OK);
    expect(f, 0x34, 0, EC_NOT_IN_QUEUE);
    expect(f, 0x32, 1, EC_NOT_SUPPORTED);
    expect(f, 0x50, 0, EC_NOT_SUPPORTED);
    expect_end(f);
}

// [MS-OXCPRPT] 4.3: the prefix and the rest of a subject; [MS-OXCTABL] 4.5.3.1, 4.3.2.
static void test_examples(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagSubject};
    begin(f);
    create_message(f, 1, 2, FID_DRAFTS);
    rop2(f, 0x05, 1, 3);
    u8(f, 0);
    run(f);
    uint32_t handle = f->handles[0];
    f->handles[0] = f->handles[2];
    hex(f, "0A 00 00 24 00 02 00 1F 00 3D 00 00 00 1F 00 1D 0E 48 00 65 00 6C 00 6C 00 6F 00 20 00 "
           "57 00 6F 00 72 00 6C 00 64 00 00 00");
    run(f);
    expect_hex(f, "0A 00 00 00 00 00 00 00");
    expect_end(f);
    g_assert_cmpstr(get_props(f, 0, tags, 1)->str, ==, "Hello World");
    f->handles[0] = handle;
    save(f, 2, 0x0A);
    run(f);
    f->handles[1] = f->handles[3];
    f->handles[0] = f->handles[3];
    hex(f, "12 00 01 00 01 00 1F 00 1D 0E");
    hex(f, "13 00 01 00 01 00 00 00 00 00 40 00 06 0E 01");
    hex(f, "15 00 00 00 01 32 00");
    run(f);
    expect_hex(f, "12 01 00 00 00 00 00");
    expect_hex(f, "13 01 00 00 00 00 00");
    expect_hex(f, "15 00 00 00 00 00 02 01 00 00 48 00 65 00 6C 00 6C 00 6F 00 20 00 57 00 6F 00 "
                  "72 00 6C 00 64 00 00 00");
    expect_end(f);
}

// --- Submitting ---

struct sent {
    unsigned n, n_recipients;
    char *sender, *recipient, *mime;
    filetime_t hold_until;
};

static enum ec take_sent(void *ctx, const struct mailbox_outgoing *message) {
    struct sent *s = ctx;
    gsize len;
    const char *data = g_bytes_get_data(message->mime, &len);
    g_free(s->sender);
    g_free(s->recipient);
    g_free(s->mime);
    s->n++;
    s->n_recipients = message->n_recipients;
    s->sender = g_strdup(message->sender);
    s->recipient = g_strdup(message->recipients[0].address);
    s->mime = g_strndup(data, len);
    s->hold_until = message->hold_until;
    return EC_OK;
}

static void free_sent(struct sent *s) {
    g_free(s->sender);
    g_free(s->recipient);
    g_free(s->mime);
}

// A recipient by an X.500 name.
static void put_ex_recipient(struct rops *f, const char *dn) {
    struct columns none = {0, NULL};
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagAddressType, "EX");
    bag_set_str(bag, PidTagEmailAddress, dn);
    bag_set_str(bag, PidTagDisplayName, "Bob Brown");
    struct wire_writer w = wire_writer(10000);
    recipient_row_put(&w, &rop_wire, &none, true, bag);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    u32(f, 0);
    u8(f, 1);
    u16(f, (uint16_t)bytes->len);
    wire_put_bytes(&f->w, bytes->data, bytes->len);
}

static void test_submit(struct rops *f, gconstpointer data) {
    struct sent sent = {0};
    mailbox_service_set_outbox(f->mailboxes, take_sent, &sent);
    logon(f);
    open_folder(f, 1, FID_OUTBOX);
    open_folder(f, 5, FID_SENT_ITEMS);
    struct server_id target = {.is_ours = true, .folder = {REPLID_OWN, FID_SENT_ITEMS}};
    struct prop_bin eid = server_id_bytes(f->arena, &target);
    filetime_t later = FILETIME_UNIX_EPOCH + UINT64_C(4000000000) * FILETIME_SECOND;
    struct prop_value values[] = {prop_str(PidTagSubject, "Hello Bob"),
                                  prop_str(PidTagBody, "text\r\n"),
                                  prop_bytes(PidTagSentMailSvrEID, eid.data, eid.len),
                                  prop_time(PidTagDeferredSendTime, later)};
    create_message(f, 1, 2, FID_OUTBOX);
    set_props(f, 2, values, 4);
    rop1(f, 0x32, 2);
    u8(f, 0);
    modify(f, 2, 1);
    put_ex_recipient(f, rops_dn(f, f->bob));
    rop1(f, 0x32, 2);
    u8(f, 0x40);
    rop1(f, 0x32, 2);
    u8(f, 0);
    rop2(f, 0x05, 1, 6);
    u8(f, 0);
    rop2(f, 0x05, 5, 7);
    u8(f, 0);
    run(f);
    wire_skip(&f->r, 7 + 8);
    expect(f, 0x32, 2, EC_INVALID_RECIPIENTS);
    expect(f, 0x0E, 2, EC_OK);
    expect(f, 0x32, 2, EC_INVALID_PARAMETER);
    expect(f, 0x32, 2, EC_OK);
    expect(f, 0x05, 6, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
    expect(f, 0x05, 7, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 1);
    g_assert_cmpuint(sent.n, ==, 1);
    g_assert_cmpuint(sent.n_recipients, ==, 1);
    g_assert_cmpstr(sent.sender, ==, "alice@example.test");
    g_assert_cmpstr(sent.recipient, ==, "bob@example.test");
    g_assert_cmpuint(sent.hold_until, ==, later);
    g_assert_nonnull(strstr(sent.mime, "Subject: Hello Bob"));
    g_assert_nonnull(strstr(sent.mime, "bob@example.test"));
    static const proptag_t tags[] = {PidTagMessageFlags, PidTagClientSubmitTime,
                                     PidTagSenderSmtpAddress};
    struct prop_value *v = get_props(f, 2, tags, 3);
    g_assert_cmphex((uint32_t)v[0].l & 9, ==, 1); // read, no longer unsent
    g_assert_cmpuint(v[1].time, !=, 0);
    g_assert_cmpstr(v[2].str, ==, "alice@example.test");
    // As somebody else, and gone afterwards.
    struct prop_value other[] = {prop_str(PidTagSentRepresentingAddressType, "SMTP"),
                                 prop_str(PidTagSentRepresentingEmailAddress, "bob@example.test"),
                                 prop_bool(PidTagDeleteAfterSubmit, true)};
    create_message(f, 1, 3, FID_OUTBOX);
    set_props(f, 3, other, 3);
    modify(f, 3, 1);
    put_recipient(f, 0, 1, "X", "x@elsewhere.test");
    rop1(f, 0x4A, 3);
    run(f);
    wire_skip(&f->r, 7 + 8 + 6);
    expect(f, 0x4A, 3, EC_SEND_AS_DENIED);
    assert_ok(directory_grant(f->d, &f->bob->guid, &f->alice->guid, DIRECTORY_SEND_ON_BEHALF));
    rop1(f, 0x4A, 3);
    rop2(f, 0x05, 1, 6);
    u8(f, 0);
    run(f);
    expect(f, 0x4A, 3, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    unsigned n = wire_u16(&f->r);
    g_assert_nonnull(prop_wire_tagged_array(&f->r, &rop_wire, f->arena, n));
    expect(f, 0x05, 6, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
    g_assert_cmpuint(sent.n, ==, 2);
    g_assert_nonnull(strstr(sent.mime, "Sender: "));
    mailbox_service_set_outbox(f->mailboxes, NULL, NULL);
    free_sent(&sent);
}

void add_property_tests(void) {
    ROPS_TEST("/rop/props/set-get-delete", test_properties);
    ROPS_TEST("/rop/props/large", test_large);
    ROPS_TEST("/rop/props/named", test_named);
    ROPS_TEST("/rop/props/copy", test_copy);
    ROPS_TEST("/rop/props/objects", test_object_properties);
    ROPS_TEST("/rop/stream", test_streams);
    ROPS_TEST("/rop/stream/copy-clone-lock", test_stream_copy_clone_lock);
    ROPS_TEST("/rop/transport", test_transport);
    ROPS_TEST("/rop/submit", test_submit);
    ROPS_TEST("/rop/examples", test_examples);
}
