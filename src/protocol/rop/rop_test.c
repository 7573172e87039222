// Sessions, buffers, handles and logons.
#include "formats/lzxpress.h"
#include "protocol/rop/rop_fixture.h"
#include "protocol/rop/rop_tests.h"

// --- Buffers ---

static void test_logon(struct rops *f, gconstpointer data) {
    put_logon(f, 3, 0, rops_dn(f, f->alice));
    run(f);
    expect(f, 0xFE, 3, EC_OK);
    g_assert_cmphex(wire_u8(&f->r), ==, 0x01); // MS-OXCSTOR_R1062
    for (uint64_t fid = FID_ROOT; fid <= FID_SHORTCUTS; fid++)
        g_assert_cmpuint(read_id(f), ==, fid);
    g_assert_cmphex(wire_u8(&f->r), ==, 0x07); // MS-OXCSTOR_R123, R125, R127
    struct guid mailbox = wire_guid(&f->r);
    g_assert_true(guid_equal(&mailbox, &f->alice->guid));
    g_assert_cmpuint(wire_u16(&f->r), ==, REPLID_OWN);
    struct guid replica = wire_guid(&f->r);
    g_assert_false(guid_is_zero(&replica));
    wire_skip(&f->r, 16);
    g_assert_cmpuint(wire_u32(&f->r), ==, 0); // MS-OXCSTOR_R141
    expect_end(f);
    g_assert_cmphex(f->handles[3], !=, UINT32_MAX); // MS-OXCROPS_R4560
    g_assert_cmphex(f->handles[0], ==, UINT32_MAX);
}

static void test_logon_errors(struct rops *f, gconstpointer data) {
    put_logon(f, 0, 0, DN_PREFIX "nobody");
    put_logon(f, 0, 0, "");
    put_logon(f, 0, 0x40000000, rops_dn(f, f->alice));
    put_logon(f, 0, 0x2, rops_dn(f, f->alice));
    put_logon(f, 0, 0, rops_dn(f, f->bob));
    put_logon(f, 99, 0, rops_dn(f, f->alice));
    run(f);
    expect(f, 0xFE, 0, EC_UNKNOWN_USER); // MS-OXCSTOR_R788
    expect(f, 0xFE, 0, EC_UNKNOWN_USER);
    expect(f, 0xFE, 0, EC_CALL_FAILED); // MS-OXCSTOR_R1202
    expect(f, 0xFE, 0, EC_INVALID_PARAMETER);
    expect(f, 0xFE, 0, EC_ACCESS_DENIED); // MS-OXCSTOR_R188
    expect(f, 0xFE, 99, EC_NULL_OBJECT);
    expect_end(f);
}

static void test_logon_again(struct rops *f, gconstpointer data) {
    logon(f);
    uint32_t first = f->handles[0];
    open_folder(f, 1, FID_INBOX);
    logon(f);
    g_assert_cmpuint(f->handles[0], !=, first);
    // MS-OXCROPS_R28: what belonged to the first logon went with it.
    rop1(f, 0x09, 1);
    run(f);
    expect(f, 0x09, 1, EC_NULL_OBJECT);
}

static void test_connect(struct rops *f, gconstpointer data) {
    struct rop_session *s;
    struct rop_connect connect = {.user_dn = rops_dn(f, f->bob)};
    assert_ec(rop_session_new(f->service, f->alice, &connect, &s), EC_ACCESS_DENIED);
    connect.user_dn = "/o=Elsewhere/cn=x";
    assert_ec(rop_session_new(f->service, f->alice, &connect, &s), EC_UNKNOWN_USER);
    g_assert_cmpstr(rop_session_display_name(f->session), ==, "Alice Adams");
    g_assert_cmpstr(rop_session_dn_prefix(f->session), ==, DN_PREFIX);
}

// A handle that is not there fails its ROP alone (MS-OXCROPS_R4712, R4548, R4550).
static void test_wrong_handles(struct rops *f, gconstpointer data) {
    logon(f);
    rop1(f, 0x16, 9);  // RopGetStatus: no object
    rop1(f, 0x16, 0);  // of a logon
    rop1(f, 0x16, 77); // no such index
    rop1(f, 0x7B, 0);  // RopGetStoreState: goes on
    rop1(f, 0x0D, 0);  // RopRemoveAllRecipients, MS-OXCMSG_R1493
    u32(f, 0);
    run(f);
    expect(f, 0x16, 9, EC_NULL_OBJECT);
    expect(f, 0x16, 0, EC_NOT_SUPPORTED); // MS-OXCTABL_R490
    expect(f, 0x16, 77, EC_NULL_OBJECT);
    expect(f, 0x7B, 0, EC_OK);
    g_assert_cmphex(wire_u32(&f->r), ==, 0); // MS-OXCSTOR_R334
    expect(f, 0x0D, 0, EC_NULL_OBJECT);
    expect_end(f);
}

static void test_other_logon_id(struct rops *f, gconstpointer data) {
    logon(f);
    wire_put_u8(&f->w, 0x7B);
    wire_put_u8(&f->w, 5); // LogonId: of no logon
    wire_put_u8(&f->w, 0);
    run(f);
    expect(f, 0x7B, 0, EC_NULL_OBJECT); // MS-OXCROPS_R4555
}

static void test_malformed(struct rops *f, gconstpointer data) {
    logon(f);
    u8(f, 0x28); // reserved
    hex(f, "00 00");
    assert_ec(rops_execute(f, f->session), EC_RPC_FORMAT); // MS-OXCROPS_R4551
    rop2(f, 0x02, 0, 1);
    u32(f, 0); // cut off
    assert_ec(rops_execute(f, f->session), EC_RPC_FORMAT);
    const uint8_t *out;
    size_t len;
    static const uint8_t header[] = {0, 0, 4, 0, 9, 0, 9, 0, 2, 0};
    assert_ec(rop_execute(f->session, 0, header, sizeof header, 4096, f->arena, &out, &len),
              EC_RPC_FORMAT);
    // The session is as good as before.
    open_folder(f, 1, FID_INBOX);
}

static void test_release(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    rop1(f, 0x01, 1);
    rop1(f, 0x01, 55); // errors are ignored
    rop1(f, 0x0D, 1);
    u32(f, 0);
    run(f);
    expect(f, 0x0D, 1, EC_NULL_OBJECT);
    expect_end(f);
}

// [MS-OXCROPS] 4.4: two ROPs without a response.
static void test_release_example(struct rops *f, gconstpointer data) {
    static const uint8_t request[] = {0,    0,    4,    0,    16,   0,    16,   0,
                                      0x08, 0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x01,
                                      0x6F, 0,    0,    0,    0x6E, 0,    0,    0};
    const uint8_t *out;
    size_t len;
    assert_ok(rop_execute(f->session, ROP_NO_COMPRESSION | ROP_NO_XOR, request, sizeof request,
                          4096, f->arena, &out, &len));
    static const uint8_t answer[] = {0, 0,    4,    0,    10,   0,    10,   0,    2,
                                     0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    g_assert_cmpmem(out, len, answer, sizeof answer);
}

// What does not fit comes back to be asked again (MS-OXCROPS_R4447, R4517).
static void test_too_small(struct rops *f, gconstpointer data) {
    logon(f);
    f->max_out = 8 + 2 + 4 * N_HANDLES + 19;
    rop1(f, 0x7B, 0);
    rop1(f, 0x7B, 0);
    rop1(f, 0x7B, 0);
    run(f);
    expect(f, 0x7B, 0, EC_OK);
    wire_u32(&f->r);
    g_assert_cmphex(wire_u8(&f->r), ==, 0xFF);
    g_assert_cmpuint(wire_u16(&f->r), ==, 32767);
    expect_hex(f, "7B 00 00 7B 00 00");
    expect_end(f);
    f->max_out = 20;
    rop1(f, 0x7B, 0);
    assert_ec(rops_execute(f, f->session), EC_BUFFER_TOO_SMALL);
}

static void test_obfuscated(struct rops *f, gconstpointer data) {
    static const uint8_t plain[] = {8, 0, 0x16, 0, 0, 0x16, 0, 0};
    uint8_t request[8 + sizeof plain] = {0, 0, 6, 0, sizeof plain, 0, sizeof plain, 0};
    const uint8_t *out;
    size_t len;
    for (unsigned i = 0; i < sizeof plain; i++)
        request[8 + i] = plain[i] ^ 0xA5;
    assert_ok(rop_execute(f->session, ROP_NO_COMPRESSION, request, sizeof request, 4096, f->arena,
                          &out, &len));
    g_assert_cmpuint(len, ==, 8 + 2 + 12);
    g_assert_cmphex(out[2], ==, 6);
    g_assert_cmphex(out[8] ^ 0xA5, ==, 14);
    g_assert_cmphex(out[10] ^ 0xA5, ==, 0x16);
}

static void test_compressed(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    for (unsigned i = 0; i < 300; i++)
        rop1(f, 0x7B, 0);
    f->flags = 0;
    assert_ok(rops_execute(f, f->session));
    struct wire_reader r = f->r;
    wire_u16(&r);
    g_assert_cmphex(wire_u16(&r), ==, 7); // compressed, obfuscated, the last
    size_t size = wire_u16(&r), actual = wire_u16(&r);
    g_assert_cmpuint(size, <, actual);
    uint8_t *packed = arena_memdup(f->arena, wire_bytes(&r, size), size);
    uint8_t *plain = arena_alloc(f->arena, actual);
    rpc_obfuscate(packed, size);
    assert_ok(lzxpress_decode(packed, size, plain, actual));
    g_assert_cmphex(plain[2], ==, 0x7B);
    // And the other way.
    uint8_t request[400];
    const uint8_t *out;
    size_t len, n;
    uint8_t rops[2 + 90 * 3 + 4] = {(2 + 90 * 3) & 0xFF, (2 + 90 * 3) >> 8};
    for (unsigned i = 0; i < 90; i++)
        rops[2 + i * 3] = 0x7B;
    memcpy(rops + 2 + 90 * 3, &f->handles[0], 4);
    g_assert_true(lzxpress_encode(rops, sizeof rops, request + 8, sizeof request - 8, &n));
    const uint8_t header[] = {
        0, 0, 5, 0, (uint8_t)n, (uint8_t)(n >> 8), sizeof rops & 0xFF, sizeof rops >> 8};
    memcpy(request, header, 8);
    assert_ok(rop_execute(f->session, ROP_NO_COMPRESSION | ROP_NO_XOR, request, 8 + n, 10000,
                          f->arena, &out, &len));
    g_assert_cmpuint(len, ==, 8 + 2 + 90 * 10 + 4);
    request[9] ^= 0x55;
    request[8 + n - 1] ^= 0xFF;
    rop_execute(f->session, 0, request, 8 + n, 10000, f->arena, &out, &len);
}

static GByteArray *upload(struct rops *f, const char *text, bool is_last) {
    struct wire_writer w = wire_writer(10000);
    size_t n = strlen(text), size = 2 + 5 + n + 4 * N_HANDLES;
    wire_put_u16(&w, 0);
    wire_put_u16(&w, is_last ? 4 : 0);
    wire_put_u16(&w, (uint16_t)size);
    wire_put_u16(&w, (uint16_t)size);
    wire_put_u16(&w, (uint16_t)(2 + 5 + n));
    wire_put_u8(&w, 0xA3);
    wire_put_u8(&w, 0);
    wire_put_u8(&w, 3);
    wire_put_u16(&w, (uint16_t)n);
    wire_put_bytes(&w, text, n);
    for (unsigned i = 0; i < N_HANDLES; i++)
        wire_put_u32(&w, f->handles[i]);
    return wire_writer_take(&w);
}

// Several buffers with one RopWriteStreamExtended each are answered as one (MS-OXCRPC_R1649009,
// R1649010, R1649011).
static void test_packed_upload(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    rop2(f, 0x06, 1, 2);
    u16(f, 0x0FFF);
    id(f, FID_INBOX);
    u8(f, 0);
    rop2(f, 0x2B, 2, 3);
    u32(f, PidTagHtml);
    u8(f, 2);
    run(f);
    g_autoptr(GByteArray) all = upload(f, "one ", false);
    g_autoptr(GByteArray) two = upload(f, "two ", false);
    g_autoptr(GByteArray) three = upload(f, "three", true);
    g_byte_array_append(all, two->data, two->len);
    g_byte_array_append(all, three->data, three->len);
    const uint8_t *out;
    size_t len;
    assert_ok(
        rop_execute(f->session, f->flags, all->data, all->len, MAX_OUT, f->arena, &out, &len));
    f->r = wire_reader(out, len);
    g_assert_cmpuint(len, ==, 8 + 2 + 10 + 4 * N_HANDLES);
    rops_next(f);
    expect(f, 0xA3, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 13);
    expect_end(f);
    rop1(f, 0x5E, 3);
    run(f);
    expect(f, 0x5E, 3, EC_OK);
    g_assert_cmpuint(wire_u32(&f->r), ==, 13);
}

// --- Public folders ---

static void put_public_logon(struct rops *f, uint8_t index, uint32_t flags) {
    rop1(f, 0xFE, index);
    u8(f, 0);
    u32(f, flags);
    u32(f, 0);
    u16(f, 0);
}

static void test_public(struct rops *f, gconstpointer data) {
    struct mailbox *m;
    uint64_t fid;
    put_public_logon(f, 0, 0x2);
    run(f);
    expect(f, 0xFE, 0, EC_LOGON_FAILED); // MS-OXCSTOR_R59751
    assert_ok(mailbox_create_public(f->mailboxes));
    struct principal *admin = principal_admin();
    assert_ok(mailbox_open_public(f->mailboxes, admin, &m));
    assert_ok(mailbox_create_folder(m, "Talk", &fid));
    mailbox_close(m);
    principal_unref(admin);
    put_public_logon(f, 0, 0);
    put_public_logon(f, 0, 0x102);
    put_public_logon(f, 0, 0x2);
    run(f);
    expect(f, 0xFE, 0, EC_INVALID_PARAMETER); // MS-OXCSTOR_R3110001
    expect(f, 0xFE, 0, EC_LOGON_FAILED);      // MS-OXCSTOR_R835
    expect(f, 0xFE, 0, EC_OK);
    g_assert_cmphex(wire_u8(&f->r), ==, 0); // MS-OXCSTOR_R1071
    g_assert_cmpuint(read_id(f), ==, 1);
    g_assert_cmpuint(read_id(f), ==, 4);
    wire_skip(&f->r, 11 * 8 + 2 + 16 + 16);
    expect_end(f);
    open_folder(f, 1, fid);
    uint64_t mid = make_message(f, 1, fid, "to all");
    rop1(f, 0x42, 0);
    id(f, fid);
    rop1(f, 0x45, 0);
    id(f, fid);
    rop1(f, 0x42, 0);
    id(f, 0x7777);
    rop1(f, 0x27, 0);
    str8(f, "IPM");
    rop1(f, 0x7B, 0);
    run(f);
    expect(f, 0x42, 0, EC_OK);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);
    g_assert_cmpuint(wire_u16(&f->r), ==, 1);                      // MS-OXCSTOR_R367, R368
    g_assert_cmpstr(wire_cstring(&f->r), ==, "mail.example.test"); // MS-OXCSTOR_R371
    expect(f, 0x45, 0, EC_OK);
    g_assert_cmpuint(wire_u8(&f->r), ==, 0); // MS-OXCSTOR_R405
    expect(f, 0x42, 0, EC_NOT_FOUND);
    expect(f, 0x27, 0, EC_NOT_SUPPORTED); // MS-OXCSTOR_R239
    expect(f, 0x7B, 0, EC_NOT_SUPPORTED);
    expect_end(f);
    // What one has read is one's own.
    static const proptag_t unread[] = {PidTagContentUnreadCount};
    g_assert_cmpint(get_props(f, 1, unread, 1)->l, ==, 0);
    struct rop_session *bob = rops_connect(f, f->bob), *alice = f->session;
    memset(f->handles, 0xFF, sizeof f->handles);
    f->session = bob;
    put_public_logon(f, 0, 0x2);
    rop2(f, 0x02, 0, 1);
    id(f, fid);
    u8(f, 0);
    rop2(f, 0x05, 1, 2);
    u8(f, 0);
    rop1(f, 0x12, 2);
    u8(f, 0);
    u16(f, 1);
    u32(f, PidTagMessageFlags);
    rop1(f, 0x15, 2);
    hex(f, "01 01 05 00");
    rop1(f, 0x66, 1);
    hex(f, "00 00");
    u16(f, 1);
    id(f, mid);
    rop1(f, 0x15, 2);
    hex(f, "01 01 05 00");
    run(f);
    expect(f, 0xFE, 0, EC_OK);
    wire_skip(&f->r, 1 + 13 * 8 + 2 + 32);
    expect(f, 0x02, 1, EC_OK);
    wire_u16(&f->r);
    expect(f, 0x05, 2, EC_OK);
    wire_u32(&f->r);
    expect(f, 0x12, 2, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x15, 2, EC_OK);
    wire_skip(&f->r, 4);
    g_assert_cmphex(wire_u32(&f->r) & 1, ==, 0);
    expect(f, 0x66, 1, EC_OK);
    wire_u8(&f->r);
    expect(f, 0x15, 2, EC_OK);
    wire_skip(&f->r, 4);
    g_assert_cmphex(wire_u32(&f->r) & 1, ==, 1);
    f->session = alice;
    rop_session_free(bob);
}

static void test_handle_limit(struct rops *f, gconstpointer data) {
    struct rop_options small = {.mailboxes = f->mailboxes,
                                .organization = ORGANIZATION,
                                .max_handles = 3,
                                .hostname = "mail.example.test"};
    struct rop_service *service = f->service;
    rop_session_free(f->session);
    assert_ok(rop_service_new(&small, &f->service));
    f->session = rops_connect(f, f->alice);
    logon(f);
    open_folder(f, 1, FID_INBOX);
    open_folder(f, 2, FID_INBOX);
    rop2(f, 0x02, 0, 3);
    id(f, FID_INBOX);
    u8(f, 0);
    rop1(f, 0x01, 2);
    rop2(f, 0x02, 0, 3);
    id(f, FID_INBOX);
    u8(f, 0);
    run(f);
    expect(f, 0x02, 3, EC_TOO_MANY_OBJECTS);
    expect(f, 0x02, 3, EC_OK);
    rop_session_free(f->session);
    f->session = NULL;
    rop_service_free(f->service);
    f->service = service;
}

// --- The store ---

static void test_ids(struct rops *f, gconstpointer data) {
    logon(f);
    rop1(f, 0x43, 0);
    id(f, FID_INBOX);
    run(f);
    expect(f, 0x43, 0, EC_OK);
    const uint8_t *ltid = arena_memdup(f->arena, wire_bytes(&f->r, 24), 24);
    expect_end(f);
    rop1(f, 0x44, 0);
    wire_put_bytes(&f->w, ltid, 24);
    rop1(f, 0x44, 0);
    hex(f, "00112233445566778899AABBCCDDEEFF 0000000000050000");
    rop1(f, 0x43, 0);
    hex(f, "09 00 00 00 00 00 00 05");
    run(f);
    expect(f, 0x44, 0, EC_OK);
    g_assert_cmpuint(read_id(f), ==, FID_INBOX);
    expect(f, 0x44, 0, EC_NOT_FOUND);
    expect(f, 0x43, 0, EC_NOT_FOUND);
    expect_end(f);
}

static void test_receive_folders(struct rops *f, gconstpointer data) {
    logon(f);
    rop1(f, 0x27, 0);
    str8(f, "IPM.Note.Foo");
    rop1(f, 0x26, 0);
    id(f, FID_DRAFTS);
    str8(f, "IPM.Note.Foo");
    rop1(f, 0x27, 0);
    str8(f, "ipm.note.foo.bar");
    rop1(f, 0x26, 0);
    id(f, FID_DRAFTS);
    str8(f, "IPM");
    rop1(f, 0x26, 0);
    id(f, FID_DRAFTS);
    str8(f, ".IPM");
    rop1(f, 0x26, 0);
    id(f, 0);
    str8(f, "");
    rop1(f, 0x68, 0);
    run(f);
    expect(f, 0x27, 0, EC_OK);
    g_assert_cmpuint(read_id(f), ==, FID_INBOX);
    g_assert_cmpstr(wire_cstring(&f->r), ==, "IPM"); // MS-OXCSTOR_R1224
    expect(f, 0x26, 0, EC_OK);
    expect(f, 0x27, 0, EC_OK);
    g_assert_cmpuint(read_id(f), ==, FID_DRAFTS);
    g_assert_cmpstr(wire_cstring(&f->r), ==, "IPM.Note.Foo");
    expect(f, 0x26, 0, EC_ACCESS_DENIED);     // MS-OXCSTOR_R859
    expect(f, 0x26, 0, EC_INVALID_PARAMETER); // MS-OXCSTOR_R858
    expect(f, 0x26, 0, EC_CALL_FAILED);       // MS-OXCSTOR_R860
    expect(f, 0x68, 0, EC_OK);
    uint32_t n = wire_u32(&f->r);
    g_assert_cmpuint(n, ==, 5);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(wire_u8(&f->r), ==, 0); // MS-OXCSTOR_R299
        read_id(f);
        wire_cstring(&f->r);
        wire_u64(&f->r);
    }
    expect_end(f);
}

static void test_not_built(struct rops *f, gconstpointer data) {
    logon(f);
    open_folder(f, 1, FID_INBOX);
    rop1(f, 0x57, 0); // RopUpdateDeferredActionMessages
    u16(f, 2);
    u16(f, 0xFFFF);
    u16(f, 1);
    u8(f, 7);
    rop1(f, 0x7B, 0);
    run(f);
    f->r.pos += 6;
    expect(f, 0x7B, 0, EC_OK);
    wire_u32(&f->r);
    expect_end(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ROPS_TEST("/rop/logon", test_logon);
    ROPS_TEST("/rop/logon-errors", test_logon_errors);
    ROPS_TEST("/rop/logon-again", test_logon_again);
    ROPS_TEST("/rop/connect", test_connect);
    ROPS_TEST("/rop/wrong-handles", test_wrong_handles);
    ROPS_TEST("/rop/other-logon-id", test_other_logon_id);
    ROPS_TEST("/rop/malformed", test_malformed);
    ROPS_TEST("/rop/release", test_release);
    ROPS_TEST("/rop/release-example", test_release_example);
    ROPS_TEST("/rop/too-small", test_too_small);
    ROPS_TEST("/rop/obfuscated", test_obfuscated);
    ROPS_TEST("/rop/compressed", test_compressed);
    ROPS_TEST("/rop/packed-upload", test_packed_upload);
    ROPS_TEST("/rop/public", test_public);
    ROPS_TEST("/rop/handle-limit", test_handle_limit);
    ROPS_TEST("/rop/ids", test_ids);
    ROPS_TEST("/rop/receive-folders", test_receive_folders);
    ROPS_TEST("/rop/not-built", test_not_built);
    add_folder_tests();
    add_message_tests();
    add_property_tests();
    add_random_tests();
    return g_test_run();
}
