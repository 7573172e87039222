// The bodies of the address book's operations as bytes: requests as clients write them, answers as
// [MS-OXCMAPIHTTP] 2.2.5 has them, and requests cut off anywhere.
#include <string.h>

#include "directory/dn.h"
#include "directory/test_directory.h"
#include "mapi/catalogue.h"
#include "mapihttp/mapihttp_internal.h"

struct body_fixture {
    struct fixture f;
    struct nspi_service *service;
    struct nspi_session *session;
    struct principal *who;
    GByteArray *answer;
    struct wire_reader r; // over the answer
};

static void setup(struct body_fixture *b, gconstpointer data) {
    fixture_setup(&b->f, data);
    struct guid alice = add(&b->f, DIRECTORY_USER, "alice@example.test", "Alice");
    add(&b->f, DIRECTORY_USER, "bob@example.test", "B\303\266b");
    struct nspi_options options = {b->f.d, "Example", "mail.example.test"};
    assert_ok(nspi_service_new(&options, &b->service));
    b->who = g_new0(struct principal, 1);
    *b->who = (struct principal){.refs = 1,
                                 .guid = alice,
                                 .address = g_strdup("alice@example.test"),
                                 .display_name = g_strdup("Alice")};
    assert_ok(nspi_bind(b->service, b->who, 0, NULL, &b->session));
}

static void teardown(struct body_fixture *b, gconstpointer data) {
    if (b->answer)
        g_byte_array_unref(b->answer);
    nspi_unbind(b->session);
    nspi_service_free(b->service);
    principal_unref(b->who);
    fixture_teardown(&b->f, data);
}

static enum response_code run(struct body_fixture *b, const char *name, const void *data,
                              size_t len) {
    struct wire_reader in = wire_reader(data, len);
    struct wire_writer out = wire_writer(1 << 20);
    struct nspi_call call = {b->session, b->f.arena, &in, &out, "https://m/", "https://a/"};
    enum response_code code = nspi_body_run(&call, name);
    if (b->answer)
        g_byte_array_unref(b->answer);
    b->answer = wire_writer_take(&out);
    g_assert_nonnull(b->answer);
    b->r = wire_reader(b->answer->data, b->answer->len);
    return code;
}

// Runs a request, and before that each of its beginnings, which have to be refused.
static void run_ok(struct body_fixture *b, const char *name, struct wire_writer *w) {
    GByteArray *request = wire_writer_take(w);
    g_assert_nonnull(request);
    for (unsigned len = 0; len < request->len; len++) {
        uint8_t *part = g_memdup2(request->data, len); // so that reading past its end shows
        g_assert_cmpint(run(b, name, part, len), ==, RESPONSE_INVALID_BODY);
        g_free(part);
    }
    g_assert_cmpint(run(b, name, request->data, request->len), ==, RESPONSE_SUCCESS);
    g_byte_array_unref(request);
    g_assert_cmpuint(wire_u32(&b->r), ==, 0); // StatusCode; MS-OXCMAPIHTTP_R1287
}

static void at_end(struct body_fixture *b) {
    g_assert_cmpuint(wire_u32(&b->r), ==, 0); // AuxiliaryBufferSize
    g_assert_true(wire_ok(&b->r));
    g_assert_cmpuint(wire_left(&b->r), ==, 0);
}

static const struct nspi_stat start = {
    .code_page = 1252, .template_locale = 1033, .sort_locale = 1033};

static struct nspi_stat read_stat(struct body_fixture *b) {
    struct nspi_stat stat;
    g_assert_true(nspi_wire_stat(&b->r, &stat));
    return stat;
}

static void query_rows(struct body_fixture *b, gconstpointer data) {
    static const uint32_t tags[] = {PidTagDisplayName, 0x3001001E, PidTagTitle, 0x0FFE0003,
                                    PROP_TAG(0x3001, PT_UNSPECIFIED)};
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &start);
    wire_put_u32(&w, 0);
    wire_put_u32(&w, 10);
    wire_put_u8(&w, 0xFF);
    nspi_wire_put_tags(&w, G_N_ELEMENTS(tags), tags);
    wire_put_u32(&w, 0);
    run_ok(b, "QueryRows", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    struct nspi_stat stat = read_stat(b); // MS-OXCMAPIHTTP_R850
    g_assert_cmpuint(stat.total, ==, 2);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF);                // MS-OXCMAPIHTTP_R854
    g_assert_cmpuint(wire_u32(&b->r), ==, G_N_ELEMENTS(tags)); // MS-OXCMAPIHTTP_R24
    wire_skip(&b->r, sizeof tags);
    g_assert_cmpuint(wire_u32(&b->r), ==, 2); // MS-OXCMAPIHTTP_R856
    // A row with an error: flagged values (MS-OXCMAPIHTTP_R453), strings marked (R2001).
    static const uint8_t row[] = {
        1,    0,    0xFF, 'A',  0,    'l', 0,   'i', 0,   'c', 0,   'e', 0,   0, 0, //
        0,    0xFF, 'A',  'l',  'i',  'c', 'e', 0,                                  // R2002
        0x0A, 0x0F, 0x01, 0x04, 0x80,                                               // R2024
        0,    6,    0,    0,    0,                                                  //
        0x1F, 0,    0,    0xFF, 'A',  0,   'l', 0,   'i', 0,   'c', 0,   'e', 0, 0, 0};
    const uint8_t *got = wire_bytes(&b->r, sizeof row);
    g_assert_cmpmem(got, sizeof row, row, sizeof row);
    g_assert_cmpuint(wire_u8(&b->r), ==, 1);
    wire_skip(&b->r, 2 + 8);
    static const uint8_t latin[] = {0, 0xFF, 'B', 0xF6, 'b', 0}; // MS-OXNSPI_R446
    g_assert_cmpmem(wire_bytes(&b->r, sizeof latin), sizeof latin, latin, sizeof latin);
    wire_skip(&b->r, 5 + 5 + 2 + 2 + 8);
    at_end(b);
}

static void explicit_rows(struct body_fixture *b, gconstpointer data) {
    static const uint32_t tags[] = {0x0FFE0003};
    const uint32_t mids[] = {0x7777};
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &start);
    nspi_wire_put_tags(&w, 1, mids);
    wire_put_u32(&w, 1);
    wire_put_u8(&w, 1);
    nspi_wire_put_tags(&w, 1, tags);
    wire_put_u32(&w, 0);
    run_ok(b, "QueryRows", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK); // MS-OXNSPI_R985
    read_stat(b);
    wire_skip(&b->r, 1 + 4 + 4 + 4);
    g_assert_cmpuint(wire_u8(&b->r), ==, 1);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0x0A);
    g_assert_cmpuint(wire_u32(&b->r), ==, (uint32_t)EC_NOT_FOUND);
    at_end(b);
}

static void get_props(struct body_fixture *b, gconstpointer data) {
    static const uint32_t tags[] = {0x3001001E, PidTagTitle, PidTagAddressBookProxyAddresses};
    struct nspi_stat stat = start;
    const char *name = dn_of_guid(b->f.arena, "", &b->who->guid);
    struct nspi_mids mids;
    assert_ok(nspi_dn_to_mid(b->session, b->f.arena, &name, 1, &mids));
    stat.current = mids.ids[0];
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &stat);
    wire_put_u8(&w, 1);
    nspi_wire_put_tags(&w, 3, tags);
    wire_put_u32(&w, 0);
    run_ok(b, "GetProps", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_ERRORS_RETURNED);
    g_assert_cmpuint(wire_u32(&b->r), ==, 1252); // MS-OXCMAPIHTTP_R622
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF);
    g_assert_cmpuint(wire_u32(&b->r), ==, 3);
    static const uint8_t values[] = {
        0x1E, 0x00, 0x01, 0x30, 0xFF, 'A',  'l',  'i',  'c', 'e', 0, // MS-OXCMAPIHTTP_R2012
        0x0A, 0x00, 0x17, 0x3A, 0x0F, 0x01, 0x04, 0x80,              // MS-OXNSPI_R910
        0x1F, 0x10, 0x0F, 0x80, 0xFF, 2,    0,    0,    0,   0xFF};
    g_assert_cmpmem(wire_bytes(&b->r, sizeof values), sizeof values, values, sizeof values);
}

static void names(struct body_fixture *b, gconstpointer data) {
    struct prop_wire form = PROP_WIRE_EXTENDED;
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &start);
    wire_put_u8(&w, 0); // the default columns
    wire_put_u8(&w, 0xFF);
    wire_put_u32(&w, 3);
    prop_wire_put_string(&w, &form, true, "alice");
    prop_wire_put_string(&w, &form, true, "b\303\266b");
    prop_wire_put_string(&w, &form, true, "nobody");
    wire_put_u32(&w, 0);
    run_ok(b, "ResolveNames", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpuint(wire_u32(&b->r), ==, 1252);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R940
    g_assert_cmpuint(wire_u32(&b->r), ==, 3);
    g_assert_cmpuint(wire_u32(&b->r), ==, NSPI_RESOLVED);
    g_assert_cmpuint(wire_u32(&b->r), ==, NSPI_RESOLVED);
    g_assert_cmpuint(wire_u32(&b->r), ==, NSPI_UNRESOLVED);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R947
    g_assert_cmpuint(wire_u32(&b->r), ==, 7);
    wire_skip(&b->r, 7 * 4);
    g_assert_cmpuint(wire_u32(&b->r), ==, 2); // MS-OXCMAPIHTTP_R950
}

static void matches(struct body_fixture *b, gconstpointer data) {
    struct prop_wire form = {PROP_WIRE_MARKED, 1252};
    struct prop_value name = prop_str(PidTagDisplayName, "ali");
    struct restriction *res =
        restriction_content(b->f.arena, FUZZY_PREFIX | FUZZY_IGNORE_CASE, PidTagDisplayName, &name);
    struct restriction *both = restriction_list(b->f.arena, RES_AND, &res, 1);
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &start);
    wire_put_u8(&w, 0);
    wire_put_u32(&w, 0);
    wire_put_u8(&w, 0xFF);
    restriction_put(&w, &form, both);
    wire_put_u8(&w, 0);
    wire_put_u32(&w, 50);
    wire_put_u8(&w, 0);
    wire_put_u32(&w, 0);
    run_ok(b, "GetMatches", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    read_stat(b);                               // MS-OXCMAPIHTTP_R530
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R535
    g_assert_cmpuint(wire_u32(&b->r), ==, 1);
    wire_skip(&b->r, 4);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0); // MS-OXCMAPIHTTP_R1451
    at_end(b);
}

static void small_ones(struct body_fixture *b, gconstpointer data) {
    struct wire_writer w = wire_writer(4096);
    wire_put_u32(&w, 0);
    nspi_wire_put_stat(&w, true, &start);
    wire_put_u8(&w, 1);
    wire_put_u32(&w, 0);
    run_ok(b, "UpdateStat", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    read_stat(b);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R1084
    g_assert_cmpuint(wire_u32(&b->r), ==, 0);
    at_end(b);

    wire_put_u32(&w, 0);
    wire_put_u32(&w, 0x80000000);
    wire_put_u32(&w, 0);
    run_ok(b, "QueryColumns", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R890

    wire_put_u32(&w, 0);
    wire_put_u8(&w, 0xFF);
    wire_put_u32(&w, 2);
    wire_put_cstring(&w, dn_of_guid(b->f.arena, "", &b->who->guid));
    wire_put_cstring(&w, "/o=none");
    wire_put_u32(&w, 0);
    run_ok(b, "DNToMId", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R433
    g_assert_cmpuint(wire_u32(&b->r), ==, 2);
    g_assert_cmpuint(wire_u32(&b->r), >=, 0x10); // MS-OXNSPI_R349
    g_assert_cmpuint(wire_u32(&b->r), ==, 0);
    at_end(b);

    wire_put_u32(&w, NSPI_UNICODE_STRINGS);
    nspi_wire_put_stat(&w, true, &start);
    wire_put_u8(&w, 1);
    wire_put_u32(&w, 0);
    wire_put_u32(&w, 0);
    run_ok(b, "GetSpecialTable", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpuint(wire_u32(&b->r), ==, 1252); // MS-OXCMAPIHTTP_R667
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF);
    g_assert_cmpuint(wire_u32(&b->r), !=, 0); // MS-OXCMAPIHTTP_R669
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF);
    g_assert_cmpuint(wire_u32(&b->r), ==, 7); // MS-OXCMAPIHTTP_R673

    wire_put_u32(&w, 0x61);
    wire_put_u32(&w, 0);
    wire_put_u8(&w, 0);
    wire_put_u32(&w, 1252);
    wire_put_u32(&w, 1033);
    wire_put_u32(&w, 0);
    run_ok(b, "GetTemplateInfo", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpuint(wire_u32(&b->r), ==, 1252);
    g_assert_cmpuint(wire_u8(&b->r), ==, 0xFF); // MS-OXCMAPIHTTP_R719
    g_assert_cmpuint(wire_u32(&b->r), ==, 1);
    g_assert_cmpuint(wire_u32(&b->r), ==, 0x00010102);

    struct prop_wire form = PROP_WIRE_EXTENDED;
    wire_put_u32(&w, 0);
    prop_wire_put_string(&w, &form, true, "/o=x/cn=y");
    wire_put_u32(&w, 0);
    run_ok(b, "GetMailboxUrl", &w);
    g_assert_cmpuint(wire_u32(&b->r), ==, EC_OK);
    g_assert_cmpstr(prop_wire_string(&b->r, &form, b->f.arena, true), ==, "https://m/"); // R1102
    at_end(b);
    g_assert_cmpint(run(b, "GetNothing", "", 0), ==, RESPONSE_INVALID_REQUEST_TYPE);
    wire_writer_clear(&w);
}

static void auxiliary(struct body_fixture *b, gconstpointer data) {
    // A block that nobody knows is skipped (MS-OXCRPC_R1601), obfuscated or not.
    static const uint8_t good[] = {12, 0, 0, 0, 0, 0, 6, 0, 4, 0, 4, 0, 0xA1, 0xA5, 0xA4, 0xD2};
    static const uint8_t block_too_long[] = {12, 0, 0, 0, 0, 0, 4, 0, 4, 0, 4, 0, 9, 0, 1, 0x77};
    static const uint8_t no_last[] = {12, 0, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, 4, 0, 1, 0x77};
    static const uint8_t version[] = {12, 0, 0, 0, 1, 0, 4, 0, 4, 0, 4, 0, 4, 0, 1, 0x77};
    struct aux_in aux;
    struct wire_reader r = wire_reader(good, sizeof good);
    g_assert_true(aux_read(&r, b->f.arena, &aux));
    g_assert_cmpuint(aux.n_blocks, ==, 1);
    r = wire_reader(block_too_long, sizeof block_too_long);
    g_assert_false(aux_read(&r, b->f.arena, &aux));
    r = wire_reader(no_last, sizeof no_last);
    g_assert_false(aux_read(&r, b->f.arena, &aux));
    r = wire_reader(version, sizeof version);
    g_assert_false(aux_read(&r, b->f.arena, &aux));
    // What is told at Connect is read back by the same rules.
    struct wire_writer w = wire_writer(4096);
    aux_put_connect(&w, true, "mail/1");
    GByteArray *bytes = wire_writer_take(&w);
    r = wire_reader(bytes->data, bytes->len);
    g_assert_true(aux_read(&r, b->f.arena, &aux));
    g_assert_cmpuint(aux.n_blocks, ==, 4);
    g_assert_cmpuint(wire_left(&r), ==, 0);
    g_byte_array_unref(bytes);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define BODY_TEST(name, test)                                                                      \
    g_test_add("/nspi bodies/" name, struct body_fixture, NULL, setup, test, teardown)
    BODY_TEST("query rows", query_rows);
    BODY_TEST("explicit rows", explicit_rows);
    BODY_TEST("get props", get_props);
    BODY_TEST("names", names);
    BODY_TEST("matches", matches);
    BODY_TEST("small ones", small_ones);
    BODY_TEST("auxiliary buffers", auxiliary);
    return g_test_run();
}
