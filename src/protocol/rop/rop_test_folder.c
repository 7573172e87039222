// Folders, their contents and tables.
#include "protocol/rop/rop_fixture.h"
#include "protocol/rop/rop_tests.h"

#define PARTIAL(f) g_assert_cmpuint(wire_u8(&(f)->r), ==, 1)
#define COMPLETE(f) g_assert_cmpuint(wire_u8(&(f)->r), ==, 0)

static uint64_t create_folder(struct rops *f, uint8_t parent, uint8_t out, const char *name,
                              uint8_t type) {
    rop2(f, 0x1C, parent, out);
    u8(f, type);
    u8(f, 1); // Unicode
    u8(f, 0);
    u8(f, 0);
    str16(f, name);
    str16(f, "a comment");
    run(f);
    expect(f, 0x1C, out, EC_OK);
    uint64_t fid = read_id(f);
    COMPLETE(f); // IsExistingFolder
    expect_end(f);
    return fid;
}

static void test_create(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    uint64_t fid = create_folder(f, 1, 2, "Projects", 1);
    rop2(f, 0x1C, 1, 3);
    hex(f, "01 01 00 00");
    str16(f, "projects");
    str16(f, "");
    rop2(f, 0x1C, 1, 3); // OpenExisting, in the code page
    hex(f, "01 00 01 00");
    str8(f, "PROJECTS");
    str8(f, "");
    rop2(f, 0x1C, 1, 3);
    hex(f, "05 01 00 00");
    str16(f, "x");
    str16(f, "");
    rop2(f, 0x1C, 0, 3);
    hex(f, "01 01 00 00");
    str16(f, "x");
    str16(f, "");
    run(f);
    expect(f, 0x1C, 3, EC_COLLISION); // MS-OXCFOLD_R481
    expect(f, 0x1C, 3, EC_OK);
    g_assert_cmpuint(read_id(f), ==, fid);
    expect_hex(f, "01 00 00");                // existing, no rules, not ghosted
    expect(f, 0x1C, 3, EC_INVALID_PARAMETER); // MS-OXCFOLD_R487
    expect(f, 0x1C, 3, EC_NOT_SUPPORTED);     // MS-OXCFOLD_R494
    expect_end(f);
    static const proptag_t tags[] = {PidTagDisplayName, PidTagComment,    PidTagAccess,
                                     PidTagObjectType,  PidTagSubfolders, PidTagRights};
    struct prop_value *v = get_props(f, 2, tags, 6);
    g_assert_cmpstr(v[0].str, ==, "Projects");
    g_assert_cmpstr(v[1].str, ==, "a comment");
    g_assert_cmphex((uint32_t)v[2].l, ==, 0x3F);
    g_assert_cmpint(v[3].l, ==, 3);
    g_assert_false(v[4].b);
    g_assert_cmphex((uint32_t)v[5].l, ==, RIGHTS_ALL);
}

static void test_open_missing(struct rops *f, gconstpointer data) {
    logon(f);
    rop2(f, 0x02, 0, 1);
    id(f, 0x7777);
    u8(f, 0);
    rop2(f, 0x02, 0, 1);
    id(f, FID_INBOX);
    u8(f, 0xFB); // MS-OXCFOLD_R465
    run(f);
    expect(f, 0x02, 1, EC_NOT_FOUND);
    expect(f, 0x02, 1, EC_OK);
}

static void test_delete(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    uint64_t fid = create_folder(f, 1, 2, "A", 1);
    uint64_t below = create_folder(f, 2, 3, "B", 1);
    make_message(f, 3, below, "one");
    static const struct {
        uint8_t flags;
        enum ec ec;
        bool is_partial;
    } steps[] = {
        {0x02, EC_INVALID_PARAMETER, false}, // MS-OXCFOLD_R1234
        {0x01, EC_OK, true},                 // MS-OXCFOLD_R1080, R1081
        {0x05, EC_OK, false},
        {0x05, EC_NOT_FOUND, false}, // MS-OXCFOLD_R504
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        rop1(f, 0x1D, 1);
        u8(f, steps[i].flags);
        id(f, fid);
        run(f);
        expect(f, 0x1D, 1, steps[i].ec);
        g_assert_cmpuint(wire_u8(&f->r), ==, steps[i].is_partial);
        expect_end(f);
    }
    rop1(f, 0x1D, 0); // of a logon
    u8(f, 0);
    id(f, fid);
    run(f);
    expect(f, 0x1D, 0, EC_NOT_SUPPORTED); // MS-OXCFOLD_R510
    COMPLETE(f);
    // Special folders stay.
    open_folder(f, 4, FID_IPM_SUBTREE);
    rop1(f, 0x1D, 4);
    u8(f, 0x05);
    id(f, FID_INBOX);
    run(f);
    expect(f, 0x1D, 4, EC_ACCESS_DENIED); // MS-OXCFOLD_R2500
}

static void test_move_copy_folder(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    open_folder(f, 2, FID_DRAFTS);
    uint64_t a = create_folder(f, 1, 3, "A", 1);
    uint64_t b = create_folder(f, 3, 4, "B", 1);
    make_message(f, 4, b, "one");
    rop2(f, 0x36, 1, 2); // copy A with B to Drafts
    hex(f, "00 01 01");
    id(f, a);
    str16(f, "Copy of A");
    rop2(f, 0x35, 1, 4); // A below its own B
    hex(f, "00 01");
    id(f, a);
    str16(f, "");
    rop2(f, 0x35, 1, 2);
    hex(f, "00 00");
    id(f, a);
    str8(f, "Moved");
    rop2(f, 0x35, 1, 2); // not there any more
    hex(f, "00 00");
    id(f, a);
    str8(f, "x");
    rop2(f, 0x35, 1, 9); // no destination
    hex(f, "00 00");
    id(f, a);
    str8(f, "x");
    run(f);
    expect(f, 0x36, 1, EC_OK);
    COMPLETE(f);
    expect(f, 0x35, 1, EC_FOLDER_CYCLE);
    COMPLETE(f);
    expect(f, 0x35, 1, EC_OK);
    COMPLETE(f);
    expect(f, 0x35, 1, EC_NOT_FOUND); // MS-OXCFOLD_R599
    COMPLETE(f);
    expect(f, 0x35, 1, EC_DST_NULL_OBJECT);
    g_assert_cmpuint(wire_u32(&f->r), ==, 9); // DestHandleIndex
    COMPLETE(f);
    expect_end(f);
    // MS-OXCFOLD_R605: all levels of both are there: Moved, Moved/B, Copy of A, Copy of A/B.
    rop2(f, 0x04, 2, 5);
    u8(f, 0x04);
    run(f);
    expect(f, 0x04, 5, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 4);
}

static void test_messages(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    open_folder(f, 2, FID_DRAFTS);
    uint64_t a = make_message(f, 1, FID_INBOX, "a"), b = make_message(f, 1, FID_INBOX, "b");
    rop2(f, 0x33, 1, 2); // copy a and one that is not there
    u16(f, 2);
    id(f, a);
    id(f, 0x7777);
    hex(f, "00 01");
    rop2(f, 0x33, 1, 2); // move b
    u16(f, 1);
    id(f, b);
    hex(f, "00 00");
    rop1(f, 0x1E, 1);
    hex(f, "00 00");
    u16(f, 2);
    id(f, a);
    id(f, b);
    rop1(f, 0x91, 1);
    hex(f, "00 00");
    u16(f, 1);
    id(f, 0x7777);
    rop2(f, 0x05, 1, 3); // contents
    u8(f, 0);
    rop2(f, 0x05, 2, 4);
    u8(f, 0);
    rop2(f, 0x05, 1, 5); // soft-deleted
    u8(f, 0x20);
    rop2(f, 0x05, 1, 6);
    u8(f, 0x01);
    run(f);
    expect(f, 0x33, 1, EC_OK);
    PARTIAL(f); // MS-OXCFOLD_R586
    expect(f, 0x33, 1, EC_OK);
    COMPLETE(f);
    expect(f, 0x1E, 1, EC_OK);
    PARTIAL(f); // MS-OXCFOLD_R1147
    expect(f, 0x91, 1, EC_OK);
    PARTIAL(f);
    expect(f, 0x05, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
    expect(f, 0x05, 4, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 2);
    expect(f, 0x05, 5, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 1);
    expect(f, 0x05, 6, EC_INVALID_PARAMETER); // MS-OXCFOLD_R1179
    expect_end(f);
    rop1(f, 0x58, 2);
    hex(f, "00 00");
    rop1(f, 0x92, 1);
    hex(f, "00 01");
    run(f);
    expect(f, 0x58, 2, EC_OK);
    COMPLETE(f);
    expect(f, 0x92, 1, EC_OK);
    COMPLETE(f);
    open_folder(f, 7, FID_ROOT);
    rop1(f, 0x58, 7);
    hex(f, "00 00");
    rop2(f, 0x05, 2, 4);
    u8(f, 0);
    run(f);
    expect(f, 0x58, 7, EC_NOT_SUPPORTED); // MS-OXCFOLD_R1248
    COMPLETE(f);
    expect(f, 0x05, 4, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0);
}

static void test_read_flags(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    uint64_t a = make_message(f, 1, FID_INBOX, "a"), b = make_message(f, 1, FID_INBOX, "b");
    rop1(f, 0x66, 1);
    hex(f, "00 04"); // rfClearReadFlag
    u16(f, 0);       // all
    rop1(f, 0x66, 1);
    hex(f, "00 01");
    u16(f, 1);
    id(f, a);
    rop1(f, 0x66, 1);
    hex(f, "00 00");
    u16(f, 1);
    id(f, 0x7777);
    rop2(f, 0x03, 1, 2);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 0);
    id(f, b);
    run(f);
    expect(f, 0x66, 1, EC_OK);
    COMPLETE(f);
    expect(f, 0x66, 1, EC_OK);
    COMPLETE(f);
    expect(f, 0x66, 1, EC_OK);
    PARTIAL(f); // MS-OXCMSG_R1514
    expect(f, 0x03, 2, EC_OK);
    static const proptag_t tags[] = {PidTagContentUnreadCount};
    g_assert_cmpint(get_props(f, 1, tags, 1)->l, ==, 1);
    rop2(f, 0x11, 1, 2);
    u8(f, 0);
    rop2(f, 0x11, 1, 2);
    u8(f, 0);
    run(f);
    expect(f, 0x11, 1, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 1); // changed
    expect(f, 0x11, 1, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect_end(f);
    g_assert_cmpint(get_props(f, 1, tags, 1)->l, ==, 0);
}

static void test_status(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    uint64_t a = make_message(f, 1, FID_INBOX, "a");
    rop1(f, 0x20, 1);
    id(f, a);
    u32(f, 0x1009);
    u32(f, 0x1008);
    rop1(f, 0x20, 1);
    id(f, a);
    u32(f, 0);
    u32(f, 0x0008);
    rop1(f, 0x1F, 1);
    id(f, a);
    rop1(f, 0x1F, 1);
    id(f, 0x7777);
    rop1(f, 0x1F, 0);
    id(f, a);
    run(f);
    expect(f, 0x20, 1, EC_OK);
    g_assert_cmphex(wire_u32(&f->r), ==, 0);
    expect(f, 0x20, 1, EC_OK);
    g_assert_cmphex(wire_u32(&f->r), ==, 0x1008); // MS-OXCMSG_R416
    expect(f, 0x1F, 1, EC_OK);
    g_assert_cmphex(wire_u32(&f->r), ==, 0x1000); // MS-OXCMSG_R1500
    expect(f, 0x1F, 1, EC_NOT_FOUND);
    expect(f, 0x1F, 0, EC_NULL_OBJECT); // MS-OXCMSG_R1507
    expect_end(f);
}

// --- Tables ---

static void set_columns(struct rops *f, uint8_t table, const proptag_t *tags, unsigned n) {
    rop1(f, 0x12, table);
    u8(f, 0);
    put_tags(f, tags, n);
}

// RopQueryRows; *n_out rows, whose first column goes to subjects.
static void query(struct rops *f, uint8_t table, uint8_t flags, bool forward, uint16_t max,
                  uint8_t origin, const char *subjects) {
    rop1(f, 0x15, table);
    u8(f, flags);
    u8(f, forward);
    u16(f, max);
    run(f);
    expect(f, 0x15, table, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, origin);
    unsigned n = wire_u16(&f->r);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(wire_u8(&f->r), ==, 0);
        for (uint16_t c; (c = wire_u16(&f->r));)
            g_string_append_c(text, (char)c);
        g_string_append_c(text, ' ');
    }
    expect_end(f);
    g_assert_cmpstr(text->str, ==, subjects);
}

static void sort_by_subject(struct rops *f, uint8_t table) {
    rop1(f, 0x13, table);
    u8(f, 0);
    u16(f, 1);
    u16(f, 0);
    u16(f, 0);
    u32(f, PidTagSubject);
    u8(f, 0);
}

static void open_contents(struct rops *f) {
    static const proptag_t tags[] = {PidTagSubject};
    static const char *const subjects[] = {"c", "a", "e", "b", "d"};
    logon(f);
    open_folder(f, 1, FID_INBOX);
    for (unsigned i = 0; i < G_N_ELEMENTS(subjects); i++)
        make_message(f, 1, FID_INBOX, subjects[i]);
    rop2(f, 0x05, 1, 2);
    u8(f, 0);
    set_columns(f, 2, tags, 1);
    sort_by_subject(f, 2);
    run(f);
    expect(f, 0x05, 2, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 5);
    expect(f, 0x12, 2, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect(f, 0x13, 2, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect_end(f);
}

static void test_rows(struct rops *f, gconstpointer data) {
    open_contents(f);
    query(f, 2, 1, true, 2, 1, "a b "); // MS-OXCTABL_R470
    query(f, 2, 0, true, 2, 1, "a b "); // MS-OXCTABL_R462, R463
    query(f, 2, 0, true, 50, 2, "c d e ");
    query(f, 2, 0, true, 50, 2, ""); // MS-OXCTABL_R467
    query(f, 2, 0, false, 2, 1, "d e ");
    rop1(f, 0x17, 2);
    rop1(f, 0x18, 2);
    hex(f, "00 02 00 00 00 01");
    rop1(f, 0x18, 2);
    hex(f, "01 FB FF FF FF 01");
    rop1(f, 0x1A, 2);
    u32(f, 4);
    u32(f, 5);
    rop1(f, 0x17, 2);
    rop1(f, 0x16, 2);
    rop1(f, 0x38, 2);
    rop1(f, 0x37, 2);
    run(f);
    expect(f, 0x17, 2, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 3);
    g_assert_cmpuint(wire_u32(&f->r), ==, 5); // MS-OXCTABL_R491
    expect(f, 0x18, 2, EC_OK);
    expect_hex(f, "00 02 00 00 00");
    expect(f, 0x18, 2, EC_OK);
    expect_hex(f, "01 FE FF FF FF"); // MS-OXCTABL_R154, R160
    expect(f, 0x1A, 2, EC_OK);
    expect(f, 0x17, 2, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 4);
    wire_u32(&f->r);
    expect(f, 0x16, 2, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect(f, 0x38, 2, EC_CANCEL); // MS-OXCTABL_R485
    expect(f, 0x37, 2, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), >, 20);
}

// An error of a seek ends the batch (MS-OXCTABL_R501, R510).
static void test_seek_ends_batch(struct rops *f, gconstpointer data) {
    open_contents(f);
    rop1(f, 0x18, 1); // a folder
    hex(f, "00 02 00 00 00 01");
    rop1(f, 0x17, 2);
    run(f);
    expect(f, 0x18, 1, EC_NOT_SUPPORTED); // MS-OXCTABL_R502
    expect_end(f);
}

static void test_bookmarks(struct rops *f, gconstpointer data) {
    open_contents(f);
    query(f, 2, 0, true, 2, 1, "a b ");
    rop1(f, 0x1B, 2);
    run(f);
    expect(f, 0x1B, 2, EC_OK);
    size_t len = wire_u16(&f->r);
    const uint8_t *bookmark = arena_memdup(f->arena, wire_bytes(&f->r, len), len);
    expect_end(f);
    rop1(f, 0x19, 2);
    u16(f, (uint16_t)len);
    wire_put_bytes(&f->w, bookmark, len);
    hex(f, "01 00 00 00 01");
    run(f);
    expect(f, 0x19, 2, EC_OK);
    expect_hex(f, "00 00 01 00 00 00"); // MS-OXCTABL_R183, R188
    query(f, 2, 0, true, 1, 1, "d ");
    for (unsigned i = 0; i < 2; i++) {
        rop1(f, 0x89, 2);
        u16(f, (uint16_t)len);
        wire_put_bytes(&f->w, bookmark, len);
    }
    rop1(f, 0x19, 2);
    u16(f, (uint16_t)len);
    wire_put_bytes(&f->w, bookmark, len);
    hex(f, "01 00 00 00 01");
    run(f);
    expect(f, 0x89, 2, EC_OK);
    expect(f, 0x89, 2, EC_INVALID_BOOKMARK);
    expect(f, 0x19, 2, EC_INVALID_BOOKMARK); // MS-OXCTABL_R511
    expect_end(f);
}

static void put_restriction(struct rops *f, const char *subject) {
    struct wire_writer w = wire_writer(1000);
    static const struct prop_wire form = PROP_WIRE_ROP;
    struct prop_value v = prop_str(PidTagSubject, subject);
    wire_put_u8(&w, 4); // RES_PROPERTY
    wire_put_u8(&w, 3); // RELOP_GE
    wire_put_u32(&w, PidTagSubject);
    prop_wire_put_tagged(&w, &form, &v);
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    u16(f, (uint16_t)bytes->len);
    wire_put_bytes(&f->w, bytes->data, bytes->len);
}

static void test_restrict_find(struct rops *f, gconstpointer data) {
    open_contents(f);
    rop1(f, 0x14, 2);
    u8(f, 0);
    put_restriction(f, "c");
    rop1(f, 0x4F, 2);
    u8(f, 0);
    put_restriction(f, "d");
    u8(f, 0);
    u16(f, 0);
    rop1(f, 0x4F, 2);
    u8(f, 1);
    put_restriction(f, "f");
    u8(f, 2);
    u16(f, 0);
    run(f);
    expect(f, 0x14, 2, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    expect(f, 0x4F, 2, EC_OK);
    expect_hex(f, "00 01 00 64 00 00 00"); // MS-OXCTABL_R239, R243, R245
    expect(f, 0x4F, 2, EC_NOT_FOUND);
    expect_end(f);
    query(f, 2, 0, true, 9, 2, "d e "); // MS-OXCTABL_R452
    rop1(f, 0x14, 2);
    u8(f, 0);
    u16(f, 0);
    run(f);
    query(f, 2, 0, true, 9, 2, "a b c d e "); // MS-OXCTABL_R453
    rop1(f, 0x81, 2);
    rop1(f, 0x15, 2);
    hex(f, "00 01 01 00");
    run(f);
    expect(f, 0x81, 2, EC_OK);
    expect(f, 0x15, 2, EC_NULL_OBJECT); // MS-OXCTABL_R476
}

static void test_columns_errors(struct rops *f, gconstpointer data) {
    static const proptag_t bad[] = {PROP_TAG(0x37, PT_UNSPECIFIED)};
    open_contents(f);
    set_columns(f, 2, bad, 1);
    rop1(f, 0x15, 2);
    hex(f, "00 01 01 00");
    run(f);
    expect(f, 0x12, 2, EC_INVALID_PARAMETER); // MS-OXCTABL_R435
    expect(f, 0x15, 2, EC_NULL_OBJECT);       // MS-OXCTABL_R429
    expect_end(f);
}

// Rows that do not fit wait for the next request; a packed answer brings several buffers
// (MS-OXCRPC_R963, MS-OXCTABL_R464).
static void test_packed(struct rops *f, gconstpointer data) {
    static const proptag_t tags[] = {PidTagSubject, PidTagBody};
    logon(f);
    open_folder(f, 1, FID_INBOX);
    g_autofree char *body = g_strnfill(2000, 'x');
    for (unsigned i = 0; i < 200; i++) {
        struct prop_value values[] = {prop_str(PidTagSubject, "s"), prop_str(PidTagBody, body)};
        rop2(f, 0x06, 1, 3);
        u16(f, 0x0FFF);
        id(f, FID_INBOX);
        u8(f, 0);
        rop1(f, 0x0A, 3);
        put_values(f, values, 2);
        rop2(f, 0x0C, 1, 3);
        u8(f, 0);
        rop1(f, 0x01, 3);
        run(f);
    }
    rop2(f, 0x05, 1, 2);
    u8(f, 0);
    set_columns(f, 2, tags, 2);
    rop1(f, 0x15, 2);
    hex(f, "02 01 C8 00");
    f->flags |= ROP_CHAIN;
    f->max_out = 200000;
    assert_ok(rops_execute(f, f->session));
    unsigned n_rows = 0, n_buffers = 0;
    for (bool is_last = false; !is_last; n_buffers++) {
        struct wire_reader whole = f->r;
        is_last = whole.data[whole.pos + 2] & 4;
        size_t size = whole.data[whole.pos + 4] | (size_t)whole.data[whole.pos + 5] << 8;
        g_assert_cmpuint(size, <=, 32768); // MS-OXCRPC_R961, R964
        rops_next(f);
        if (n_buffers == 0) {
            expect(f, 0x05, 2, EC_OK);
            wire_u32(&f->r);
            expect(f, 0x12, 2, EC_OK);
            wire_u8(&f->r);
        }
        expect(f, 0x15, 2, EC_OK);
        wire_u8(&f->r);
        n_rows += wire_u16(&f->r);
        f->r = whole;
        f->r.pos += 8 + size;
    }
    g_assert_cmpuint(n_buffers, >, 2);
    g_assert_cmpuint(n_rows, ==, 200);
}

static void test_search_folder(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    open_folder(f, 4, FID_FINDER);
    uint64_t e = make_message(f, 1, FID_INBOX, "e");
    uint64_t fid = create_folder(f, 4, 5, "Found", 2);
    rop1(f, 0x30, 5);
    put_restriction(f, "d");
    u16(f, 0);
    u32(f, 0x2);
    rop1(f, 0x31, 5);
    hex(f, "01 01 01");
    rop1(f, 0x30, 1);
    u16(f, 0);
    u16(f, 0);
    u32(f, 0);
    rop1(f, 0x30, 5);
    put_restriction(f, "d");
    u16(f, 1);
    id(f, fid);
    u32(f, 0x2);
    rop1(f, 0x30, 5);
    put_restriction(f, "d");
    u16(f, 1);
    id(f, FID_INBOX);
    u32(f, 0x80000000);
    rop1(f, 0x30, 5);
    put_restriction(f, "d");
    u16(f, 1);
    id(f, FID_INBOX);
    u32(f, 0x2);
    rop1(f, 0x31, 5);
    hex(f, "01 01 01");
    rop1(f, 0x31, 1);
    hex(f, "01 01 01");
    run(f);
    expect(f, 0x30, 5, EC_NOT_INITIALIZED); // MS-OXCFOLD_R1240
    expect(f, 0x31, 5, EC_NOT_INITIALIZED);
    expect(f, 0x30, 1, EC_NOT_SEARCH_FOLDER);      // MS-OXCFOLD_R569
    expect(f, 0x30, 5, EC_SEARCH_SCOPE_VIOLATION); // MS-OXCFOLD_R1242
    expect(f, 0x30, 5, EC_INVALID_PARAMETER);      // MS-OXCFOLD_R116
    expect(f, 0x30, 5, EC_OK);
    expect(f, 0x31, 5, EC_OK);
    size_t len = wire_u16(&f->r);
    wire_skip(&f->r, len);
    g_assert_cmpuint(len, >, 10);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    g_assert_cmpuint(read_id(f), ==, FID_INBOX);
    wire_u32(&f->r);
    expect(f, 0x31, 1, EC_NOT_SEARCH_FOLDER); // MS-OXCFOLD_R579
    expect_end(f);
    rop1(f, 0x7B, 0);
    run(f);
    expect(f, 0x7B, 0, EC_OK);
    g_assert_cmphex(wire_u32(&f->r), ==, 0x01000000); // MS-OXCSTOR_R3228
    rop1(f, 0x58, 5);
    hex(f, "00 00");
    rop2(f, 0x33, 1, 5);
    u16(f, 1);
    id(f, e);
    hex(f, "00 01");
    run(f);
    expect(f, 0x58, 5, EC_NOT_SUPPORTED); // MS-OXCFOLD_R1249
    COMPLETE(f);
    expect(f, 0x33, 1, EC_SEARCH_FOLDER); // MS-OXCFOLD_R1245
    COMPLETE(f);
}

// --- Rights ---

static void test_delegate(struct rops *f, gconstpointer data) {
    struct mailbox *own;
    assert_ok(mailbox_open_own(f->mailboxes, f->alice, &own));
    assert_ok(mailbox_grant(own, "INBOX", "bob@example.test", ROLE_REVIEWER));
    logon(f);
    open_folder(f, 1, FID_INBOX);
    uint64_t mid = make_message(f, 1, FID_INBOX, "hers");
    struct rop_session *bob = rops_connect(f, f->bob);
    memset(f->handles, 0xFF, sizeof f->handles);
    put_logon(f, 0, 0, rops_dn(f, f->bob));
    rops_run_as(f, bob);
    expect(f, 0xFE, 0, EC_OK);
    // MS-OXCSTOR_R803: another mailbox in the same session needs ids of its own.
    rop1(f, 0xFE, 1);
    f->w.bytes->data[f->w.bytes->len - 2] = 1; // LogonId 1
    u8(f, 1);
    u32(f, 0);
    u32(f, 0);
    const char *dn = rops_dn(f, f->alice);
    u16(f, (uint16_t)(strlen(dn) + 1));
    str8(f, dn);
    rops_run_as(f, bob);
    expect(f, 0xFE, 1, EC_INVALID_PARAMETER);
    put_logon(f, 0, 0, rops_dn(f, f->alice));
    rops_run_as(f, bob);
    expect(f, 0xFE, 0, EC_OK);
    wire_skip(&f->r, 1 + 13 * 8);
    g_assert_cmphex(wire_u8(&f->r), ==, 0x01); // neither owner nor sender
    rop2(f, 0x02, 0, 1);
    id(f, FID_INBOX);
    u8(f, 0);
    rop2(f, 0x02, 0, 2);
    id(f, FID_DRAFTS);
    u8(f, 0);
    rop2(f, 0x06, 1, 3);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 0);
    rop2(f, 0x03, 1, 4);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 1); // read and write
    id(f, mid);
    rop1(f, 0x1E, 1);
    hex(f, "00 00");
    u16(f, 1);
    id(f, mid);
    rop2(f, 0x1C, 1, 5);
    hex(f, "01 01 00 00");
    str16(f, "x");
    str16(f, "");
    rop2(f, 0x03, 1, 4);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 3); // what is possible
    id(f, mid);
    rops_run_as(f, bob);
    expect(f, 0x02, 1, EC_OK);
    f->r.pos += 2;
    expect(f, 0x02, 2, EC_NOT_FOUND);
    expect(f, 0x06, 3, EC_ACCESS_DENIED); // MS-OXCMSG_R369
    expect(f, 0x03, 4, EC_ACCESS_DENIED); // MS-OXCMSG_R2184
    expect(f, 0x1E, 1, EC_ACCESS_DENIED);
    COMPLETE(f);
    expect(f, 0x1C, 5, EC_ACCESS_DENIED);
    expect(f, 0x03, 4, EC_OK);
    rop2(f, 0x0C, 1, 4);
    u8(f, 0);
    rops_run_as(f, bob);
    expect(f, 0x0C, 1, EC_CALL_FAILED); // MS-OXCMSG_R1699
    // Of the folders below the subtree only what is open to him.
    rop2(f, 0x04, 1, 6);
    u8(f, 0);
    rops_run_as(f, bob);
    expect(f, 0x04, 6, EC_OK);
    rop_session_free(bob);
    mailbox_close(own);
}

void add_folder_tests(void) {
    ROPS_TEST("/rop/folder/create", test_create);
    ROPS_TEST("/rop/folder/open-missing", test_open_missing);
    ROPS_TEST("/rop/folder/delete", test_delete);
    ROPS_TEST("/rop/folder/move-copy", test_move_copy_folder);
    ROPS_TEST("/rop/folder/messages", test_messages);
    ROPS_TEST("/rop/folder/read-flags", test_read_flags);
    ROPS_TEST("/rop/folder/status", test_status);
    ROPS_TEST("/rop/table/rows", test_rows);
    ROPS_TEST("/rop/table/seek-ends-batch", test_seek_ends_batch);
    ROPS_TEST("/rop/table/bookmarks", test_bookmarks);
    ROPS_TEST("/rop/table/restrict-find", test_restrict_find);
    ROPS_TEST("/rop/table/columns-errors", test_columns_errors);
    ROPS_TEST("/rop/table/packed", test_packed);
    ROPS_TEST("/rop/search-folder", test_search_folder);
    ROPS_TEST("/rop/delegate", test_delegate);
}
