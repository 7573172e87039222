// Named properties: the wire form, fixed ids, a mailbox's own ids.
#include "mapi/named.h"

#include <string.h>

#include "base/test.h"

static const struct guid own_set = {{0xAA, 1}};

static void test_wire(void) {
    ARENA_AUTO arena = arena_new();
    struct wire_writer w = wire_writer(1000);
    struct prop_name lid = prop_name_lid(&PSETID_Common, 0x8503);
    struct prop_name string = prop_name_string(&PS_PUBLIC_STRINGS, "Keywörds");
    struct prop_name none = {.kind = PROP_NAME_NONE};
    prop_name_put(&w, &lid);
    prop_name_put(&w, &string);
    prop_name_put(&w, &none);
    g_assert_cmpuint(wire_writer_len(&w), ==, 21 + 18 + 18 + 1);
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    struct prop_name back = prop_name_read(&r, arena);
    g_assert_cmpint(back.kind, ==, PROP_NAME_LID);
    g_assert_cmpuint(back.lid, ==, 0x8503);
    back = prop_name_read(&r, arena);
    g_assert_cmpint(back.kind, ==, PROP_NAME_STRING);
    g_assert_cmpstr(back.string, ==, "Keywörds");
    g_assert_cmpint(prop_name_read(&r, arena).kind, ==, PROP_NAME_NONE);
    g_assert_true(wire_ok(&r) && wire_left(&r) == 0);
    g_assert_cmpint(prop_name_read(&r, arena).kind, ==, PROP_NAME_NONE);
    g_assert_false(wire_ok(&r));
    g_autofree char *longest = g_strnfill(NAMED_STRING_MAX_UNITS, 'x');
    string.string = longest;
    prop_name_put(&w, &string);
    g_assert_true(wire_writer_ok(&w));
    g_autofree char *longer = g_strnfill(NAMED_STRING_MAX_UNITS + 1, 'x');
    string.string = longer;
    prop_name_put(&w, &string);
    g_assert_false(wire_writer_ok(&w));
    wire_writer_clear(&w);
}

static void test_fixed(void) {
    struct named_map *map = named_map_new(10);
    struct prop_name name = prop_name_lid(&PSETID_Common, 0x8503), back;
    uint16_t id;
    assert_ok(named_map_id(map, &name, true, &id, NULL));
    g_assert_cmphex(id, ==, PROP_ID(PidLidReminderSet));
    assert_ok(named_map_name(map, id, &back));
    g_assert_cmpint(back.kind, ==, PROP_NAME_LID);
    g_assert_cmphex(back.lid, ==, 0x8503);
    name = prop_name_string(&PS_INTERNET_HEADERS, "Content-CLASS");
    assert_ok(named_map_id(map, &name, false, &id, NULL));
    g_assert_cmphex(id, ==, PROP_ID(PidNameContentClass));
    name = prop_name_lid(&PS_MAPI, 0x37);
    assert_ok(named_map_id(map, &name, false, &id, NULL));
    g_assert_cmphex(id, ==, 0x37);
    assert_ok(named_map_name(map, 0x37, &back));
    g_assert_true(guid_equal(&back.set, &PS_MAPI));
    name = prop_name_lid(&PS_MAPI, 0x9001);
    assert_ec(named_map_id(map, &name, true, &id, NULL), EC_NOT_FOUND);
    g_assert_cmpuint(named_map_count(map), ==, 0);
    named_map_free(map);
    named_map_free(NULL);
}

static void test_own(void) {
    struct named_map *map = named_map_new(3);
    struct prop_name a = prop_name_string(&own_set, "Alpha"), b = prop_name_lid(&own_set, 5);
    struct prop_name header = prop_name_string(&PS_INTERNET_HEADERS, "X-Spam-Score"), back;
    uint16_t id;
    bool is_new;
    assert_ec(named_map_id(map, &a, false, &id, &is_new), EC_NOT_FOUND);
    assert_ok(named_map_id(map, &a, true, &id, &is_new));
    g_assert_cmphex(id, ==, NAMED_ID_FIRST_OWN);
    g_assert_true(is_new);
    assert_ok(named_map_id(map, &a, true, &id, &is_new));
    g_assert_false(is_new);
    assert_ok(named_map_id(map, &b, true, &id, &is_new));
    g_assert_cmphex(id, ==, NAMED_ID_FIRST_OWN + 1);
    assert_ok(named_map_id(map, &header, true, &id, &is_new));
    assert_ok(named_map_name(map, id, &back));
    g_assert_cmpstr(back.string, ==, "x-spam-score");
    header.string = "X-SPAM-score";
    assert_ok(named_map_id(map, &header, false, &id, &is_new));
    struct prop_name c = prop_name_string(&own_set, "alpha");
    assert_ec(named_map_id(map, &c, true, &id, &is_new), EC_NAMED_PROP_QUOTA);
    named_map_forget(map, NAMED_ID_FIRST_OWN + 2);
    assert_ok(named_map_id(map, &c, true, &id, &is_new));
    assert_ec(named_map_name(map, 0xFFFE, &back), EC_NOT_FOUND);
    assert_ec(named_map_name(map, 0xFFFF, &back), EC_NOT_FOUND);

    // What one map holds, another loads.
    struct named_map *copy = named_map_new(NAMED_DEFAULT_LIMIT);
    for (unsigned i = 0; named_map_at(map, i, &id, &back); i++) {
        assert_ok(named_map_load(copy, id, &back));
        assert_ec(named_map_load(copy, id, &back), EC_CORRUPT_DATA);
    }
    g_assert_cmpuint(named_map_count(copy), ==, 3);
    assert_ok(named_map_id(copy, &b, false, &id, NULL));
    g_assert_cmphex(id, ==, NAMED_ID_FIRST_OWN + 1);
    named_map_free(copy);
    named_map_free(map);
}

static void test_impossible(void) {
    struct named_map *map = named_map_new(NAMED_DEFAULT_LIMIT);
    uint16_t id;
    struct prop_name name = prop_name_string(&own_set, "");
    assert_ec(named_map_id(map, &name, true, &id, NULL), EC_INVALID_PARAMETER);
    name.string = "\xff";
    assert_ec(named_map_id(map, &name, true, &id, NULL), EC_INVALID_PARAMETER);
    g_autofree char *longer = g_strnfill(NAMED_STRING_MAX_UNITS + 1, 'x');
    name.string = longer;
    assert_ec(named_map_id(map, &name, true, &id, NULL), EC_STRING_TOO_LONG);
    name = prop_name_lid(&own_set, 1);
    assert_ec(named_map_load(map, 0x8001, &name), EC_CORRUPT_DATA);
    assert_ec(named_map_load(map, 0xFFFF, &name), EC_CORRUPT_DATA);
    // With the last id taken, gaps are filled.
    assert_ok(named_map_load(map, NAMED_ID_LAST, &name));
    name.lid = 2;
    assert_ok(named_map_id(map, &name, true, &id, NULL));
    g_assert_cmphex(id, ==, NAMED_ID_FIRST_OWN);
    named_map_free(map);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/named/wire", test_wire);
    g_test_add_func("/named/fixed", test_fixed);
    g_test_add_func("/named/own", test_own);
    g_test_add_func("/named/impossible", test_impossible);
    return g_test_run();
}
