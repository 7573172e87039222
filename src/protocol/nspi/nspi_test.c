// The address book's operations over a small directory, and paging through a larger one.
#include "protocol/nspi/nspi.h"

#include <string.h>

#include "directory/dn.h"
#include "directory/setting.h"
#include "directory/test_directory.h"
#include "mapi/catalogue.h"
#include "mapi/entry_id.h"

struct book_fixture {
    struct fixture f;
    struct nspi_service *service;
    struct nspi_session *session;
    struct guid alice, anton, bob, room, sales, hidden;
    struct nspi_stat stat;
};

static struct principal *principal_of(const struct guid *guid) {
    struct principal *p = g_new0(struct principal, 1);
    p->refs = 1;
    p->guid = *guid;
    p->address = g_strdup("alice@example.test");
    p->display_name = g_strdup("Alice");
    return p;
}

static void bind_as(struct book_fixture *b, const struct guid *guid) {
    nspi_unbind(b->session);
    struct principal *who = principal_of(guid);
    assert_ok(nspi_bind(b->service, who, 0, &b->stat, &b->session));
    principal_unref(who);
}

static void setup(struct book_fixture *b, gconstpointer data) {
    fixture_setup(&b->f, data);
    struct fixture *f = &b->f;
    b->bob = add(f, DIRECTORY_USER, "bob@example.test", "Bob Baker");
    b->alice = add(f, DIRECTORY_USER, "alice@example.test", "Alice Adams");
    b->anton = add(f, DIRECTORY_USER, "anton@example.test", "\303\204nton Maier");
    b->room = add(f, DIRECTORY_ROOM, "blue@example.test", "Blue Room");
    b->sales = add(f, DIRECTORY_GROUP, "sales@example.test", "Sales");
    struct directory_object contact = {.kind = DIRECTORY_CONTACT,
                                       .address = "carol@example.test",
                                       .display_name = "Carol Outside",
                                       .target = "carol@elsewhere.test"};
    assert_ok(directory_add(f->d, &contact));
    struct directory_object hidden = {.kind = DIRECTORY_USER,
                                      .address = "hidden@example.test",
                                      .display_name = "Hidden",
                                      .is_hidden = true};
    assert_ok(directory_add(f->d, &hidden));
    b->hidden = hidden.guid;
    assert_ok(directory_alias_add(f->d, &b->alice, "ally@example.test"));
    assert_ok(directory_member_add(f->d, &b->sales, &b->alice));
    assert_ok(directory_member_add(f->d, &b->sales, &b->bob));
    struct nspi_options options = {f->d, "Example", "mail.example.test"};
    assert_ok(nspi_service_new(&options, &b->service));
    b->stat = (struct nspi_stat){.code_page = 1252, .template_locale = 0x409, .sort_locale = 0x409};
    bind_as(b, &b->alice);
}

static void teardown(struct book_fixture *b, gconstpointer data) {
    nspi_unbind(b->session);
    nspi_service_free(b->service);
    fixture_teardown(&b->f, data);
}

static const proptag_t name_tags[] = {PidTagDisplayName, PidTagInstanceKey};
static const struct columns name_columns = {2, name_tags};

static const char *name_of(const struct nspi_rows *rows, unsigned i) {
    g_assert_cmpuint(i, <, rows->n);
    g_assert_cmpuint(rows->rows[i][0].tag, ==, PidTagDisplayName);
    return rows->rows[i][0].str;
}

static uint32_t mid_of_row(const struct nspi_rows *rows, unsigned i) {
    uint32_t mid;
    g_assert_cmpuint(rows->rows[i][1].bin.len, ==, 4);
    memcpy(&mid, rows->rows[i][1].bin.data, 4);
    return mid;
}

static uint32_t mid_of_entry(struct book_fixture *b, const struct guid *guid) {
    const char *dn = dn_of_guid(b->f.arena, "Example", guid);
    struct nspi_mids mids;
    assert_ok(nspi_dn_to_mid(b->session, b->f.arena, &dn, 1, &mids));
    g_assert_cmpuint(mids.n, ==, 1);
    return mids.ids[0];
}

// --- Sessions ---

static void binding(struct book_fixture *b, gconstpointer data) {
    struct nspi_session *session = NULL;
    struct principal *who = principal_of(&b->alice);
    struct nspi_stat stat = {.code_page = 0xFFFE};
    // MS-OXNSPI_R696
    assert_ec(nspi_bind(b->service, who, 0, &stat, &session), EC_INVALID_CODEPAGE);
    // MS-OXNSPI_R687
    assert_ec(nspi_bind(b->service, who, NSPI_ANONYMOUS_LOGIN, NULL, &session), EC_LOGON_FAILED);
    stat.code_page = NSPI_CODE_PAGE_TELETEX;                      // MS-OXNSPI_R440
    assert_ok(nspi_bind(b->service, who, 0x80, &stat, &session)); // MS-OXNSPI_R671
    nspi_unbind(session);
    principal_unref(who);
    g_assert_false(guid_is_zero(nspi_service_guid(b->service)));
}

// --- Tables ---

static void rows_in_order(struct book_fixture *b, gconstpointer data) {
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 3, &name_columns, &rows));
    g_assert_cmpuint(rows.n, ==, 3);
    // MS-OXNSPI_R967, MS-OXNSPI_R481: accents do not count
    g_assert_cmpstr(name_of(&rows, 0), ==, "Alice Adams");
    g_assert_cmpstr(name_of(&rows, 1), ==, "\303\204nton Maier");
    g_assert_cmpstr(name_of(&rows, 2), ==, "Blue Room");
    // MS-OXNSPI_R1701, MS-OXNSPI_R333, MS-OXNSPI_R324
    g_assert_cmpuint(stat.total, ==, 6);
    g_assert_cmpuint(stat.position, ==, 3);
    g_assert_cmpint(stat.delta, ==, 0);
    uint32_t current = stat.current;
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 50, &name_columns, &rows));
    g_assert_cmpuint(rows.n, ==, 3);
    g_assert_cmpuint(mid_of_row(&rows, 0), ==, current);
    g_assert_cmpstr(name_of(&rows, 2), ==, "Sales");
    g_assert_cmpuint(stat.current, ==, NSPI_END_OF_TABLE);
    // MS-OXNSPI_R986
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 50, &name_columns, &rows));
    g_assert_cmpuint(rows.n, ==, 0);
    stat.container = 0x7FFFFFFF; // MS-OXNSPI_R948
    struct nspi_stat before = stat;
    assert_ec(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 1, NULL, &rows),
              EC_INVALID_BOOKMARK);
    g_assert_cmpmem(&stat, sizeof stat, &before, sizeof before); // MS-OXNSPI_R1762
}

static void default_columns(struct book_fixture *b, gconstpointer data) {
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 1, NULL, &rows));
    // MS-OXNSPI_R1627
    static const proptag_t expected[] = {0xFFFD0003, 0x0FFE0003, 0x39000003, 0x3001001E,
                                         0x3A1A001E, 0x3A18001E, 0x3A19001E};
    g_assert_cmpmem(rows.columns.tags, rows.columns.n * 4, expected, sizeof expected);
    g_assert_cmpint(rows.rows[0][1].l, ==, 6);
    g_assert_cmpstr(rows.rows[0][3].str, ==, "Alice Adams");
    g_assert_cmpuint(PROP_TYPE(rows.rows[0][5].tag), ==, PT_ERROR);
}

static void positions(struct book_fixture *b, gconstpointer data) {
    struct nspi_stat stat = b->stat;
    int32_t delta = -1;
    stat.delta = 2;
    assert_ok(nspi_update_stat(b->session, &stat, &delta));
    g_assert_cmpint(delta, ==, 2); // MS-OXNSPI_R795
    g_assert_cmpuint(stat.position, ==, 2);
    g_assert_cmpuint(stat.current, ==, mid_of_entry(b, &b->room)); // MS-OXNSPI_R796
    stat.delta = -10; // MS-OXNSPI_R1743, MS-OXNSPI_R1744
    assert_ok(nspi_update_stat(b->session, &stat, &delta));
    g_assert_cmpint(delta, ==, -2);
    g_assert_cmpuint(stat.current, ==, mid_of_entry(b, &b->alice));
    stat.delta = INT32_MAX; // MS-OXNSPI_R554, MS-OXNSPI_R1704
    assert_ok(nspi_update_stat(b->session, &stat, &delta));
    g_assert_cmpuint(stat.current, ==, NSPI_END_OF_TABLE);
    g_assert_cmpuint(stat.position, ==, 6);
    stat.delta = INT32_MIN;
    assert_ok(nspi_update_stat(b->session, &stat, NULL));
    g_assert_cmpuint(stat.position, ==, 0);
    // MS-OXNSPI_R577: half of what the client thinks there is
    stat = b->stat;
    stat.current = NSPI_CURRENT;
    stat.position = 500;
    stat.total = 1000;
    assert_ok(nspi_update_stat(b->session, &stat, NULL));
    g_assert_cmpuint(stat.position, ==, 3);
    stat.current = NSPI_CURRENT; // MS-OXNSPI_R580
    stat.position = UINT32_MAX;
    stat.total = 1;
    assert_ok(nspi_update_stat(b->session, &stat, NULL));
    g_assert_cmpuint(stat.position, ==, 6);
    stat.current = NSPI_CURRENT;
    stat.total = 0;
    assert_ok(nspi_update_stat(b->session, &stat, NULL));
    stat.current = 0x7777; // MS-OXNSPI_R792
    assert_ec(nspi_update_stat(b->session, &stat, NULL), EC_NOT_FOUND);
    stat.container = 5; // MS-OXNSPI_R789
    assert_ec(nspi_update_stat(b->session, &stat, NULL), EC_INVALID_BOOKMARK);
}

static void comparing(struct book_fixture *b, gconstpointer data) {
    int32_t result;
    uint32_t alice = mid_of_entry(b, &b->alice), bob = mid_of_entry(b, &b->bob);
    assert_ok(nspi_compare_mids(b->session, &b->stat, alice, bob, &result));
    g_assert_cmpint(result, <, 0); // MS-OXNSPI_R1236
    assert_ok(nspi_compare_mids(b->session, &b->stat, bob, alice, &result));
    g_assert_cmpint(result, >, 0); // MS-OXNSPI_R1238
    assert_ok(nspi_compare_mids(b->session, &b->stat, bob, bob, &result));
    g_assert_cmpint(result, ==, 0); // MS-OXNSPI_R1240
    assert_ec(nspi_compare_mids(b->session, &b->stat, bob, 0x5555, &result), EC_CALL_FAILED);
    struct nspi_stat stat = b->stat;
    stat.container = 0x5555;
    assert_ec(nspi_compare_mids(b->session, &stat, bob, bob, &result), EC_INVALID_BOOKMARK);
}

static void seeking(struct book_fixture *b, gconstpointer data) {
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    struct prop_value target = prop_str(PidTagDisplayName, "b");
    assert_ok(
        nspi_seek_entries(b->session, b->f.arena, &stat, &target, NULL, &name_columns, &rows));
    // MS-OXNSPI_R1047, MS-OXNSPI_R1051
    g_assert_cmpuint(stat.current, ==, mid_of_entry(b, &b->room));
    g_assert_cmpuint(stat.position, ==, 2);
    g_assert_cmpuint(stat.total, ==, 6);
    g_assert_cmpuint(rows.n, ==, 4); // MS-OXNSPI_R1695
    g_assert_cmpstr(name_of(&rows, 0), ==, "Blue Room");
    target.str = "zz"; // MS-OXNSPI_R1048
    assert_ec(nspi_seek_entries(b->session, b->f.arena, &stat, &target, NULL, NULL, &rows),
              EC_NOT_FOUND);
    uint32_t ids[] = {mid_of_entry(b, &b->alice), mid_of_entry(b, &b->bob),
                      mid_of_entry(b, &b->sales)};
    struct nspi_mids table = {3, ids};
    target.str = "BOB";
    assert_ok(
        nspi_seek_entries(b->session, b->f.arena, &stat, &target, &table, &name_columns, &rows));
    g_assert_cmpuint(stat.position, ==, 1); // MS-OXNSPI_R1052
    g_assert_cmpuint(stat.total, ==, 3);    // MS-OXNSPI_R1054
    g_assert_cmpuint(rows.n, ==, 2);
    target.tag = PidTagGivenName; // MS-OXNSPI_R1043
    assert_ec(nspi_seek_entries(b->session, b->f.arena, &stat, &target, NULL, NULL, &rows),
              EC_CALL_FAILED);
    target.tag = PidTagDisplayName;
    stat.sort_type = NSPI_SORT_PHONETIC_DISPLAY_NAME; // MS-OXNSPI_R1039
    assert_ec(nspi_seek_entries(b->session, b->f.arena, &stat, &target, NULL, NULL, &rows),
              EC_CALL_FAILED);
}

// --- Objects ---

static const struct prop_value *prop(struct book_fixture *b, uint32_t flags, uint32_t mid,
                                     proptag_t tag) {
    struct columns columns = {1, arena_memdup(b->f.arena, &tag, sizeof tag)};
    struct nspi_stat stat = b->stat;
    struct nspi_rows rows;
    stat.current = mid;
    enum ec ec = nspi_get_props(b->session, b->f.arena, flags, &stat, &columns, &rows);
    g_assert_true(ec == EC_OK || ec == EC_ERRORS_RETURNED);
    return ec == EC_OK ? &rows.rows[0][0] : NULL;
}

static void properties(struct book_fixture *b, gconstpointer data) {
    uint32_t alice = mid_of_entry(b, &b->alice);
    const char *dn = dn_of_guid(b->f.arena, "Example", &b->alice);
    g_assert_cmpstr(prop(b, 0, alice, PidTagEmailAddress)->str, ==, dn);
    g_assert_cmpstr(prop(b, 0, alice, PidTagAddressType)->str, ==, "EX");
    g_assert_cmpstr(prop(b, 0, alice, PidTagSmtpAddress)->str, ==, "alice@example.test");
    g_assert_cmpstr(prop(b, 0, alice, PidTagAccount)->str, ==, "alice");
    const struct prop_value *proxies = prop(b, 0, alice, PidTagAddressBookProxyAddresses);
    g_assert_cmpuint(proxies->mv.n, ==, 3);
    g_assert_cmpstr(proxies->mv.str[0], ==, "SMTP:alice@example.test");
    g_assert_cmpstr(proxies->mv.str[1], ==, "smtp:ally@example.test");
    g_assert_true(g_str_has_prefix(proxies->mv.str[2], "X500:/o=Example/"));
    struct entry_id id;
    // MS-OXNSPI_R901, MS-OXNSPI_R393, MS-OXNSPI_R1664
    assert_ok(entry_id_parse(b->f.arena, prop(b, 0, alice, PidTagEntryId)->bin, &id));
    g_assert_cmpint(id.kind, ==, ENTRY_ID_ADDRESS_BOOK);
    g_assert_cmpstr(id.address_book.dn, ==, dn);
    g_assert_cmpuint(id.address_book.type, ==, AB_TYPE_MAIL_USER);
    // MS-OXNSPI_R899, MS-OXNSPI_R362, MS-OXNSPI_R1716
    struct prop_bin eph = prop(b, NSPI_EPHEMERAL_IDS, alice, PidTagEntryId)->bin;
    g_assert_cmpuint(eph.len, ==, 32);
    g_assert_cmpuint(eph.data[0], ==, 0x87);
    g_assert_cmpmem(eph.data + 4, 16, nspi_service_guid(b->service)->bytes, 16);
    g_assert_cmpuint(eph.data[20], ==, 1);
    g_assert_cmpmem(eph.data + 28, 4, &alice, 4);
    g_assert_cmpint(prop(b, 0, mid_of_entry(b, &b->room), PidTagDisplayTypeEx)->l, ==, 7);
    g_assert_cmpint(prop(b, 0, mid_of_entry(b, &b->sales), PidTagObjectType)->l, ==, 8);
    g_assert_cmpint(
        prop(b, 0, mid_of_entry(b, &b->sales), PidTagAddressBookDistributionListMemberCount)->l, ==,
        2);
    g_assert_cmpstr(
        prop(b, 0, mid_of_entry(b, &b->anton), PidTagAddressBookDisplayNamePrintable)->str, ==,
        "Anton Maier");
    // Hidden entries are in no list, but have properties.
    g_assert_cmpstr(prop(b, 0, mid_of_entry(b, &b->hidden), PidTagDisplayName)->str, ==, "Hidden");
    // MS-OXNSPI_R907, MS-OXNSPI_R909, MS-OXNSPI_R1985
    g_assert_null(prop(b, 0, 0x7777, PidTagDisplayName));
    g_assert_null(prop(b, 0, NSPI_CURRENT, PidTagDisplayName));
    g_assert_null(prop(b, 0, alice, PidTagTitle));
}

static void property_lists(struct book_fixture *b, gconstpointer data) {
    uint32_t sales = mid_of_entry(b, &b->sales);
    struct columns with, without, all;
    assert_ok(nspi_get_prop_list(b->session, b->f.arena, 0, sales, 1252, &with));
    assert_ok(nspi_get_prop_list(b->session, b->f.arena, NSPI_SKIP_OBJECTS, sales, 1252, &without));
    bool has_member = false, has_name = false;
    for (unsigned i = 0; i < with.n; i++) {
        has_member = has_member || with.tags[i] == PidTagAddressBookMember;
        has_name = has_name || with.tags[i] == 0x3001001E; // MS-OXNSPI_R852
        g_assert_cmpuint(PROP_TYPE(with.tags[i]), !=, PT_UNICODE);
    }
    g_assert_true(has_member && has_name);
    for (unsigned i = 0; i < without.n; i++) // MS-OXNSPI_R848
        g_assert_cmpuint(PROP_TYPE(without.tags[i]), !=, PT_OBJECT);
    assert_ok(nspi_query_columns(b->session, b->f.arena, 0, &all));
    for (unsigned i = 0; i < all.n; i++) // MS-OXNSPI_R822
        g_assert_cmpuint(PROP_TYPE(all.tags[i]) & ~PT_MV, !=, PT_UNICODE);
    assert_ok(nspi_query_columns(b->session, b->f.arena, NSPI_UNICODE_PROPTYPES, &all));
    for (unsigned i = 0; i < all.n; i++) // MS-OXNSPI_R820
        g_assert_cmpuint(PROP_TYPE(all.tags[i]) & ~PT_MV, !=, PT_STRING8);
    // MS-OXNSPI_R1693
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    stat.current = sales;
    assert_ok(nspi_get_props(b->session, b->f.arena, 0, &stat, NULL, &rows));
    g_assert_cmpmem(rows.columns.tags, rows.columns.n * 4, with.tags, with.n * 4);
    assert_ec(nspi_get_prop_list(b->session, b->f.arena, 0, 0x7777, 1252, &with),
              EC_INVALID_OBJECT);
    stat.container = 0x6666; // MS-OXNSPI_R882
    assert_ec(nspi_get_props(b->session, b->f.arena, 0, &stat, NULL, &rows), EC_INVALID_BOOKMARK);
}

// --- Explicit tables ---

static unsigned count_matches(struct book_fixture *b, const struct restriction *res) {
    struct nspi_mids mids;
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    assert_ok(nspi_get_matches(b->session, b->f.arena, &stat, res, false, 100, &name_columns, &mids,
                               &rows));
    g_assert_cmpuint(rows.n, ==, mids.n);
    g_assert_cmpuint(stat.container, ==, stat.current); // MS-OXNSPI_R1146
    return mids.n;
}

static void matches(struct book_fixture *b, gconstpointer data) {
    struct arena *a = b->f.arena;
    struct prop_value ada = prop_str(PidTagDisplayName, "ad"), anr = prop_str(PidTagAnr, "ali");
    struct prop_value list = prop_long(PidTagObjectType, 8);
    struct restriction *content =
        restriction_content(a, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagDisplayName, &ada);
    struct restriction *is_list = restriction_property(a, RELOP_EQ, PidTagObjectType, &list);
    struct restriction *named = restriction_property(a, RELOP_EQ, PidTagAnr, &anr);
    struct restriction *both[] = {named, restriction_not(a, is_list)};
    struct restriction *either[] = {content, is_list};
    g_assert_cmpuint(count_matches(b, content), ==, 1); // MS-OXNSPI_R1911
    g_assert_cmpuint(count_matches(b, is_list), ==, 1); // MS-OXNSPI_R1912
    g_assert_cmpuint(count_matches(b, named), ==, 1);
    g_assert_cmpuint(count_matches(b, restriction_not(a, is_list)), ==, 5); // MS-OXNSPI_R1910
    g_assert_cmpuint(count_matches(b, restriction_list(a, RES_AND, both, 2)), ==, 1);  // R1908
    g_assert_cmpuint(count_matches(b, restriction_list(a, RES_OR, either, 2)), ==, 2); // R1909
    g_assert_cmpuint(count_matches(b, restriction_exist(a, PidTagAddressBookTargetAddress)), ==,
                     1); // MS-OXNSPI_R1914
    struct nspi_mids mids;
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat, before = b->stat;
    // MS-OXNSPI_R1149, MS-OXNSPI_R1636
    assert_ec(nspi_get_matches(b->session, a, &stat, restriction_not(a, is_list), false, 2, NULL,
                               &mids, &rows),
              EC_TABLE_TOO_BIG);
    g_assert_cmpmem(&stat, sizeof stat, &before, sizeof before);
    stat.sort_type = NSPI_SORT_DISPLAY_NAME_W;
    assert_ec(nspi_get_matches(b->session, a, &stat, is_list, false, 9, NULL, &mids, &rows),
              EC_CALL_FAILED);
    stat = b->stat;
    stat.container = 0x4444; // MS-OXNSPI_R1122
    assert_ec(nspi_get_matches(b->session, a, &stat, is_list, false, 9, NULL, &mids, &rows),
              EC_INVALID_BOOKMARK);
    struct restriction *sub = restriction_subobject(a, 0x0E12000D, is_list); // MS-OXNSPI_R1125
    stat = b->stat;
    assert_ec(nspi_get_matches(b->session, a, &stat, sub, false, 9, NULL, &mids, &rows),
              EC_TOO_COMPLEX);
}

static void members(struct book_fixture *b, gconstpointer data) {
    struct nspi_mids mids;
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    stat.sort_type = NSPI_SORT_DISPLAY_NAME_RO;
    stat.container = PidTagAddressBookMember; // MS-OXNSPI_R1135
    stat.current = mid_of_entry(b, &b->sales);
    uint32_t sales = stat.current;
    assert_ok(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 100, &name_columns,
                               &mids, &rows));
    g_assert_cmpuint(mids.n, ==, 2);                       // MS-OXNSPI_R1144
    g_assert_cmpstr(name_of(&rows, 0), ==, "Alice Adams"); // MS-OXNSPI_R1145
    stat.container = PidTagAddressBookIsMemberOfDistributionList;
    stat.current = mid_of_entry(b, &b->bob);
    assert_ok(
        nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 100, NULL, &mids, &rows));
    g_assert_cmpuint(mids.n, ==, 1);
    g_assert_cmpuint(mids.ids[0], ==, sales);
    stat.container = PidTagDisplayName; // MS-OXNSPI_R1140
    assert_ec(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 9, NULL, &mids, &rows),
              EC_NOT_SUPPORTED);
    stat.current = 0x7777; // MS-OXNSPI_R1138
    assert_ec(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 9, NULL, &mids, &rows),
              EC_CALL_FAILED);
    stat.container = PidTagAddressBookMember; // not Alice's group: MS-OXNSPI_R1139
    stat.current = sales;
    stat.sort_type = NSPI_SORT_DISPLAY_NAME_W;
    assert_ec(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 9, NULL, &mids, &rows),
              EC_NOT_SUPPORTED);
}

static void resorting(struct book_fixture *b, gconstpointer data) {
    uint32_t ids[] = {mid_of_entry(b, &b->sales), 0x7777, mid_of_entry(b, &b->bob),
                      mid_of_entry(b, &b->alice)};
    struct nspi_mids in = {4, ids}, out;
    struct nspi_stat stat = b->stat;
    stat.current = ids[2];
    assert_ok(nspi_resort_restriction(b->session, b->f.arena, &stat, &in, &out));
    g_assert_cmpuint(out.n, ==, 3);           // MS-OXNSPI_R1197
    g_assert_cmpuint(out.ids[0], ==, ids[3]); // MS-OXNSPI_R1199
    g_assert_cmpuint(out.ids[2], ==, ids[0]);
    g_assert_cmpuint(stat.total, ==, 3); // MS-OXNSPI_R1204
    g_assert_cmpuint(stat.position, ==, 1);
    stat.current = 0x7777; // MS-OXNSPI_R1205, MS-OXNSPI_R1759
    assert_ok(nspi_resort_restriction(b->session, b->f.arena, &stat, &in, &out));
    g_assert_cmpuint(stat.position, ==, 0);
    g_assert_cmpuint(stat.current, ==, NSPI_BEGINNING_OF_TABLE);
    stat.sort_type = NSPI_SORT_PHONETIC_DISPLAY_NAME; // MS-OXNSPI_R1194
    assert_ec(nspi_resort_restriction(b->session, b->f.arena, &stat, &in, &out), EC_CALL_FAILED);
}

// --- Names ---

static void names(struct book_fixture *b, gconstpointer data) {
    const char *dn = arena_printf(b->f.arena, "EX:%s", dn_of_guid(b->f.arena, "x", &b->bob));
    const char *asked[] = {"alice", "b",    "nobody at all", "",       "=SMTP:bob@example.test",
                           dn,      "ally", "baker",         "hidden", NULL};
    static const uint32_t expected[] = {2, 1, 0, 0, 2, 2, 2, 2, 0, 0};
    struct nspi_mids mids;
    struct nspi_rows rows;
    assert_ok(nspi_resolve_names(b->session, b->f.arena, &b->stat, &name_columns, asked, 10, &mids,
                                 &rows));
    // MS-OXNSPI_R618, MS-OXNSPI_R620, MS-OXNSPI_R622, MS-OXNSPI_R623, MS-OXNSPI_R624
    g_assert_cmpmem(mids.ids, mids.n * 4, expected, sizeof expected);
    g_assert_cmpuint(rows.n, ==, 5);
    g_assert_cmpstr(name_of(&rows, 0), ==, "Alice Adams");
    g_assert_cmpstr(name_of(&rows, 1), ==, "Bob Baker");
    struct nspi_stat stat = b->stat;
    stat.container = 0x5555; // MS-OXNSPI_R1372
    assert_ec(nspi_resolve_names(b->session, b->f.arena, &stat, NULL, asked, 1, &mids, &rows),
              EC_INVALID_BOOKMARK);
    const char *dns[] = {"/o=nowhere", "/"};
    assert_ok(nspi_dn_to_mid(b->session, b->f.arena, dns, 2, &mids));
    g_assert_cmpuint(mids.ids[0], ==, 0); // MS-OXNSPI_R1260
}

// --- Special tables ---

static void hierarchy(struct book_fixture *b, gconstpointer data) {
    struct nspi_list *rows;
    unsigned n;
    uint32_t version = 0;
    assert_ok(directory_address_list_add(b->f.d, "Bakers", "(sn=Baker)"));
    assert_ok(nspi_get_special_table(b->session, b->f.arena, NSPI_UNICODE_STRINGS, &b->stat,
                                     &version, &rows, &n));
    g_assert_cmpuint(n, >=, 4);
    static const proptag_t expected[] = {0x0FFF0102, 0x36000003, 0x30050003,
                                         0xFFFD0003, 0x3001001F, 0xFFFB000B}; // R1863
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < G_N_ELEMENTS(expected); k++)
            g_assert_cmpuint(rows[i].values[k].tag, ==, expected[k]);
    struct entry_id id;
    assert_ok(entry_id_parse(b->f.arena, rows[0].values[0].bin, &id));
    g_assert_cmpstr(id.address_book.dn, ==, "/");                  // MS-OXNSPI_R1866
    g_assert_cmpuint(id.address_book.type, ==, AB_TYPE_CONTAINER); // MS-OXNSPI_R1865
    g_assert_cmpint(rows[0].values[3].l, ==, 0);
    g_assert_cmpuint(rows[1].n, ==, 6);
    g_assert_cmpuint(rows[2].n, ==, 7);
    g_assert_cmpuint(rows[2].values[6].tag, ==, PidTagAddressBookParentEntryId);
    g_assert_cmpmem(rows[2].values[6].bin.data, rows[2].values[6].bin.len,
                    rows[1].values[0].bin.data, rows[1].values[0].bin.len);
    // The rooms' list has the room alone.
    for (unsigned i = 2; i < n; i++) {
        if (strcmp(rows[i].values[4].str, "All Rooms") != 0)
            continue;
        struct nspi_stat stat = b->stat;
        struct nspi_rows found;
        stat.container = (uint32_t)rows[i].values[3].l;
        assert_ok(
            nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 9, &name_columns, &found));
        g_assert_cmpuint(found.n, ==, 1);
        g_assert_cmpstr(name_of(&found, 0), ==, "Blue Room");
    }
    // MS-OXNSPI_R748, MS-OXNSPI_R750
    assert_ok(nspi_get_special_table(b->session, b->f.arena, NSPI_UNICODE_STRINGS, &b->stat,
                                     &version, &rows, &n));
    g_assert_cmpuint(n, ==, 0);
    // MS-OXNSPI_R741
    assert_ok(nspi_get_special_table(b->session, b->f.arena,
                                     NSPI_CREATION_TEMPLATES | NSPI_UNICODE_STRINGS, &b->stat,
                                     &version, &rows, &n));
    g_assert_cmpuint(n, ==, 1);
    assert_ok(entry_id_parse(b->f.arena, rows[0].values[3].bin, &id));
    g_assert_cmpuint(id.address_book.type, ==, AB_TYPE_ONE_OFF); // MS-OXNSPI_R1996
    struct nspi_list info;
    assert_ok(nspi_get_template_info(b->session, b->f.arena, NSPI_TEMPLATE | NSPI_SCRIPT, 99,
                                     id.address_book.dn, 1252, 0, &info)); // MS-OXNSPI_R1980
    g_assert_cmpuint(info.n, ==, 2);
}

static void templates(struct book_fixture *b, gconstpointer data) {
    struct nspi_list info;
    // The flags, type, code page and locale of [MS-OXOABKT] 4.2.
    assert_ok(nspi_get_template_info(b->session, b->f.arena, 0x61, 0, NULL, 0x4e4, 0x409, &info));
    g_assert_cmpuint(info.n, ==, 1);
    g_assert_cmpuint(info.values[0].tag, ==, 0x00010102); // MS-OXNSPI_R1486
    struct wire_reader r = wire_reader(info.values[0].bin.data, info.values[0].bin.len);
    g_assert_cmpuint(wire_u32(&r), ==, 1);
    uint32_t n = wire_u32(&r);
    g_assert_cmpuint(n, >, 10);
    for (uint32_t i = 0; i < n; i++) {
        wire_skip(&r, 4 * 4);
        uint32_t type = wire_u32(&r);
        g_assert_true(type <= 8 || type == 11);
        g_assert_true(i > 0 || type == 8);
        wire_skip(&r, 3 * 4);
        uint32_t offset = wire_u32(&r);
        g_assert_cmpuint(offset, >=, 8 + n * 36);
        struct wire_reader text = wire_reader(r.data + offset, r.len - offset);
        g_assert_nonnull(wire_cstring(&text));
    }
    g_assert_true(wire_ok(&r));
    // MS-OXNSPI_R1467, MS-OXNSPI_R1469, MS-OXNSPI_R1476
    assert_ec(nspi_get_template_info(b->session, b->f.arena, 1, 0, NULL, 1200, 0x409, &info),
              EC_INVALID_CODEPAGE);
    assert_ec(nspi_get_template_info(b->session, b->f.arena, 1, 0, NULL, 4, 0x409, &info),
              EC_INVALID_CODEPAGE);
    assert_ec(nspi_get_template_info(b->session, b->f.arena, 1, 0x77, NULL, 1252, 0x409, &info),
              EC_INVALID_LOCALE);
    assert_ec(nspi_get_template_info(b->session, b->f.arena, 1, 0, "/o=no", 1252, 0x409, &info),
              EC_INVALID_LOCALE);
}

// --- Changing ---

static void certificates(struct book_fixture *b, gconstpointer data) {
    static const proptag_t tags[] = {PidTagUserX509Certificate, PidTagAddressBookX509Certificate};
    struct columns remove = {2, tags};
    struct prop_bin bins[] = {{3, (const uint8_t *)"abc"}, {1, (const uint8_t *)"\0"}};
    struct prop_value value = {.tag = PidTagUserX509Certificate};
    value.mv.n = 2;
    value.mv.bin = bins;
    struct nspi_stat stat = b->stat;
    stat.current = mid_of_entry(b, &b->alice);
    assert_ok(nspi_mod_props(b->session, b->f.arena, &stat, &remove, &value, 1));
    // MS-OXNSPI_R1301
    const struct prop_value *read = prop(b, 0, stat.current, PidTagUserX509Certificate);
    g_assert_cmpuint(read->mv.n, ==, 2);
    g_assert_cmpmem(read->mv.bin[0].data, read->mv.bin[0].len, "abc", 3);
    assert_ok(nspi_mod_props(b->session, b->f.arena, &stat, &remove, NULL, 0));
    g_assert_null(prop(b, 0, stat.current, PidTagUserX509Certificate)); // MS-OXNSPI_R1297
    // MS-OXNSPI_R1291, MS-OXNSPI_R1293, MS-OXNSPI_R1295, MS-OXNSPI_R1303
    assert_ec(nspi_mod_props(b->session, b->f.arena, &stat, NULL, &value, 1), EC_INVALID_PARAMETER);
    struct prop_value name = prop_str(PidTagDisplayName, "Queen");
    assert_ec(nspi_mod_props(b->session, b->f.arena, &stat, &remove, &name, 1), EC_ACCESS_DENIED);
    stat.current = mid_of_entry(b, &b->bob);
    assert_ec(nspi_mod_props(b->session, b->f.arena, &stat, &remove, &value, 1), EC_ACCESS_DENIED);
    stat.current = mid_of_entry(b, &b->sales);
    assert_ec(nspi_mod_props(b->session, b->f.arena, &stat, &remove, &value, 1), EC_INVALID_OBJECT);
    stat.current = 0x7777;
    assert_ec(nspi_mod_props(b->session, b->f.arena, &stat, &remove, &value, 1),
              EC_INVALID_PARAMETER);
}

static void links(struct book_fixture *b, gconstpointer data) {
    uint32_t sales = mid_of_entry(b, &b->sales), anton = mid_of_entry(b, &b->anton);
    struct prop_bin permanent = prop(b, 0, anton, PidTagEntryId)->bin;
    struct prop_bin ephemeral = prop(b, NSPI_EPHEMERAL_IDS, anton, PidTagEntryId)->bin;
    // MS-OXNSPI_R1338: not an owner
    assert_ec(
        nspi_mod_link_att(b->session, b->f.arena, 0, PidTagAddressBookMember, sales, &permanent, 1),
        EC_ACCESS_DENIED);
    char guid[GUID_STRING_SIZE];
    guid_format(&b->alice, guid);
    assert_ok(directory_set_setting(b->f.d, &b->sales, "group.owners", guid));
    // MS-OXNSPI_R1335, MS-OXNSPI_R1336
    for (int i = 0; i < 2; i++)
        assert_ok(nspi_mod_link_att(b->session, b->f.arena, 0, PidTagAddressBookMember, sales,
                                    &permanent, 1));
    g_assert_true(directory_is_member(b->f.d, &b->sales, &b->anton));
    for (int i = 0; i < 2; i++) // MS-OXNSPI_R1332, MS-OXNSPI_R1333
        assert_ok(nspi_mod_link_att(b->session, b->f.arena, NSPI_DELETE, PidTagAddressBookMember,
                                    sales, &ephemeral, 1));
    g_assert_false(directory_is_member(b->f.d, &b->sales, &b->anton));
    // MS-OXNSPI_R2002
    uint32_t alice = mid_of_entry(b, &b->alice);
    assert_ok(nspi_mod_link_att(b->session, b->f.arena, 0, PidTagAddressBookPublicDelegates, alice,
                                &permanent, 1));
    g_assert_true(directory_rights(b->f.d, &b->alice, &b->anton) & DIRECTORY_SEND_ON_BEHALF);
    // MS-OXNSPI_R1326, MS-OXNSPI_R1328, MS-OXNSPI_R1647
    assert_ec(nspi_mod_link_att(b->session, b->f.arena, 0, PidTagDisplayName, alice, &permanent, 1),
              EC_NOT_FOUND);
    assert_ec(nspi_mod_link_att(b->session, b->f.arena, 0, PidTagAddressBookMember, 0x7777,
                                &permanent, 1),
              EC_INVALID_PARAMETER);
    assert_ec(
        nspi_mod_link_att(b->session, b->f.arena, 0, PidTagAddressBookMember, alice, &permanent, 1),
        EC_ACCESS_DENIED);
    // The owner may open the members for changing, and is shown.
    struct nspi_mids mids;
    struct nspi_rows rows;
    struct nspi_stat stat = b->stat;
    stat.sort_type = NSPI_SORT_DISPLAY_NAME_W;
    stat.container = PidTagAddressBookMember;
    stat.current = sales;
    assert_ok(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 9, NULL, &mids, &rows));
    stat = b->stat;
    stat.container = PidTagAddressBookOwner;
    stat.current = sales;
    assert_ok(nspi_get_matches(b->session, b->f.arena, &stat, NULL, false, 9, NULL, &mids, &rows));
    g_assert_cmpuint(mids.n, ==, 1);
    g_assert_cmpuint(mids.ids[0], ==, alice);
}

// --- The book over time ---

static void renewal(struct book_fixture *b, gconstpointer data) {
    uint32_t bob = mid_of_entry(b, &b->bob);
    struct guid zoe = add(&b->f, DIRECTORY_USER, "zoe@example.test", "Zoe");
    struct nspi_stat stat = b->stat;
    assert_ok(nspi_update_stat(b->session, &stat, NULL));
    g_assert_cmpuint(stat.total, ==, 7);
    // MS-OXNSPI_R608, MS-OXNSPI_R610: in this and other sessions, whatever changes
    g_assert_cmpuint(mid_of_entry(b, &b->bob), ==, bob);
    uint32_t mid = mid_of_entry(b, &zoe);
    bind_as(b, &b->bob);
    g_assert_cmpuint(mid_of_entry(b, &b->bob), ==, bob);
    assert_ok(directory_remove(b->f.d, &zoe));
    stat = b->stat;
    stat.current = mid;
    assert_ec(nspi_update_stat(b->session, &stat, NULL), EC_NOT_FOUND);
    g_assert_null(prop(b, 0, mid, PidTagDisplayName));
}

static void locales(struct book_fixture *b, gconstpointer data) {
    // In Swedish Ä comes after Z ([MS-OXNSPI] 3.1.4.3.6).
    struct nspi_stat stat = b->stat;
    struct nspi_rows rows;
    stat.sort_locale = 0x41D;
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 50, &name_columns, &rows));
    g_assert_cmpstr(name_of(&rows, 5), ==, "\303\204nton Maier");
    stat = b->stat;
    stat.sort_locale = 0xFFFFFFFF; // MS-OXNSPI_R477
    assert_ok(nspi_query_rows(b->session, b->f.arena, 0, &stat, NULL, 50, &name_columns, &rows));
    g_assert_cmpuint(rows.n, ==, 6);
    for (uint32_t lcid = 0x401; lcid < 0x430; lcid++) { // more than are kept
        stat = b->stat;
        stat.sort_locale = lcid;
        assert_ok(nspi_update_stat(b->session, &stat, NULL));
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define BOOK_TEST(name, test)                                                                      \
    g_test_add("/nspi/" name, struct book_fixture, NULL, setup, test, teardown)
    BOOK_TEST("binding", binding);
    BOOK_TEST("rows in order", rows_in_order);
    BOOK_TEST("default columns", default_columns);
    BOOK_TEST("positions", positions);
    BOOK_TEST("comparing", comparing);
    BOOK_TEST("seeking", seeking);
    BOOK_TEST("properties", properties);
    BOOK_TEST("property lists", property_lists);
    BOOK_TEST("matches", matches);
    BOOK_TEST("members", members);
    BOOK_TEST("resorting", resorting);
    BOOK_TEST("names", names);
    BOOK_TEST("hierarchy", hierarchy);
    BOOK_TEST("templates", templates);
    BOOK_TEST("certificates", certificates);
    BOOK_TEST("links", links);
    BOOK_TEST("renewal", renewal);
    BOOK_TEST("locales", locales);
    return g_test_run();
}
