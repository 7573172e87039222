// Property values and bags: every type set, read, encoded, decoded and viewed; limits; speed.
#include "mapi/bag.h"

#include <string.h>

#include "base/test.h"
#include "mapi/props.h"

#define NONE PROP_TAG(0x7777, PT_LONG)

static const char *const words[] = {"red", "", "grün"};
static const struct prop_bin chunks[] = {{3, (const uint8_t *)"abc"}, {0, NULL}};
static const int16_t shorts[] = {1, -2, 3};
static const int32_t longs[] = {100000, -1};
static const float floats[] = {1.5f};
static const double doubles[] = {0.25, -1e300};
static const int64_t larges[] = {INT64_MIN, INT64_MAX};
static const filetime_t times[] = {1, 2, 3};
static const struct guid guids[] = {{{1, 2, 3}}, {{4}}};

// One property of each type, with ids from 0x6000.
static struct bag *bag_of_all_types(void) {
    struct bag *bag = bag_new();
    const struct prop_value values[] = {
        {.tag = PROP_TAG(0x6010, PT_MV_BINARY), .mv = {.n = 2, .bin = chunks}},
        {.tag = PROP_TAG(0x6000, PT_I2), .i2 = -5},
        {.tag = PROP_TAG(0x6001, PT_LONG), .l = 1 << 30},
        {.tag = PROP_TAG(0x6002, PT_FLOAT), .f = 2.5f},
        {.tag = PROP_TAG(0x6003, PT_DOUBLE), .d = -0.125},
        {.tag = PROP_TAG(0x6004, PT_CURRENCY), .i8 = 12345678901},
        {.tag = PROP_TAG(0x6005, PT_APPTIME), .d = 40000.5},
        {.tag = PROP_TAG(0x6006, PT_BOOLEAN), .b = true},
        {.tag = PROP_TAG(0x6007, PT_I8), .i8 = -1},
        {.tag = PROP_TAG(0x6008, PT_UNICODE), .str = "päth"},
        {.tag = PROP_TAG(0x6009, PT_SYSTIME), .time = UINT64_MAX},
        {.tag = PROP_TAG(0x600A, PT_CLSID), .guid = {{9, 8, 7}}},
        {.tag = PROP_TAG(0x600B, PT_SVREID), .bin = {2, (const uint8_t *)"\0\1"}},
        {.tag = PROP_TAG(0x600C, PT_SRESTRICT), .bin = {1, (const uint8_t *)"x"}},
        {.tag = PROP_TAG(0x600D, PT_ACTIONS), .bin = {1, (const uint8_t *)"y"}},
        {.tag = PROP_TAG(0x600E, PT_BINARY), .bin = {0, NULL}},
        {.tag = PROP_TAG(0x600F, PT_OBJECT), .bin = {0, NULL}},
        {.tag = PROP_TAG(0x6011, PT_MV_UNICODE), .mv = {.n = 3, .str = words}},
        {.tag = PROP_TAG(0x6012, PT_MV_I2), .mv = {.n = 3, .i2 = shorts}},
        {.tag = PROP_TAG(0x6013, PT_MV_LONG), .mv = {.n = 2, .l = longs}},
        {.tag = PROP_TAG(0x6014, PT_MV_FLOAT), .mv = {.n = 1, .f = floats}},
        {.tag = PROP_TAG(0x6015, PT_MV_DOUBLE), .mv = {.n = 2, .d = doubles}},
        {.tag = PROP_TAG(0x6016, PT_MV_CURRENCY), .mv = {.n = 2, .i8 = larges}},
        {.tag = PROP_TAG(0x6017, PT_MV_APPTIME), .mv = {.n = 2, .d = doubles}},
        {.tag = PROP_TAG(0x6018, PT_MV_I8), .mv = {.n = 2, .i8 = larges}},
        {.tag = PROP_TAG(0x6019, PT_MV_SYSTIME), .mv = {.n = 3, .time = times}},
        {.tag = PROP_TAG(0x601A, PT_MV_CLSID), .mv = {.n = 2, .guid = guids}},
        {.tag = PROP_TAG(0x601B, PT_MV_LONG), .mv = {.n = 0}},
        {.tag = PROP_TAG(0x601C, PT_UNICODE),
         .is_external = true,
         .external = {UINT64_MAX, 1 << 20, 77, 3, "iso-8859-1"}},
        {.tag = PROP_TAG(0x601D, PT_BINARY), .is_external = true, .external = {1, 2, 3, 0, NULL}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        assert_ok(bag_set(bag, &values[i]));
    g_assert_cmpuint(bag_count(bag), ==, G_N_ELEMENTS(values));
    return bag;
}

static void assert_bags_equal(const struct bag *a, const struct bag *b) {
    g_assert_cmpuint(bag_count(a), ==, bag_count(b));
    for (unsigned i = 0; i < bag_count(a); i++)
        g_assert_true(prop_equal(bag_at(a, i), bag_at(b, i)));
}

static void test_round_trip(void) {
    BAG_AUTO bag = bag_of_all_types();
    for (unsigned i = 1; i < bag_count(bag); i++)
        g_assert_cmpuint(bag_at(bag, i)->tag, >, bag_at(bag, i - 1)->tag);
    BAG_AUTO copy = bag_copy(bag);
    assert_bags_equal(bag, copy);
    g_autoptr(GBytes) bytes = bag_encode(bag);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    BAG_AUTO back = NULL;
    assert_ok(bag_decode(data, len, &back));
    assert_bags_equal(bag, back);
    g_autoptr(GBytes) again = bag_encode(back);
    g_assert_true(g_bytes_equal(bytes, again));

    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < bag_count(bag); i++) {
        struct prop_value v;
        assert_ok(bag_view_get(data, len, arena, bag_at(bag, i)->tag, &v));
        g_assert_true(prop_equal(&v, bag_at(bag, i)));
        assert_ok(bag_view_get(data, len, arena, bag_at(bag, i)->tag & 0xFFFF0000, &v));
    }
    struct prop_value v;
    assert_ec(bag_view_get(data, len, arena, NONE, &v), EC_NOT_FOUND);
    assert_ec(bag_view_get(data, len, arena, PROP_TAG(0x6000, PT_LONG), &v), EC_NOT_FOUND);
}

static void test_empty(void) {
    BAG_AUTO bag = bag_new();
    g_autoptr(GBytes) bytes = bag_encode(bag);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    BAG_AUTO back = NULL;
    assert_ok(bag_decode(data, len, &back));
    g_assert_cmpuint(bag_count(back), ==, 0);
    struct prop_value v;
    assert_ec(bag_view_get(data, len, NULL, NONE, &v), EC_NOT_FOUND);
    assert_ec(bag_view_get("", 0, NULL, NONE, &v), EC_CORRUPT_DATA);
    bag_free(NULL);
}

// More than 64 KiB needs the wide directory.
static void test_large(void) {
    BAG_AUTO bag = bag_of_all_types();
    g_autofree char *text = g_strnfill(100000, 'x');
    bag_set_str(bag, PidTagBody, text);
    g_autoptr(GBytes) bytes = bag_encode(bag);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    BAG_AUTO back = NULL;
    assert_ok(bag_decode(data, len, &back));
    assert_bags_equal(bag, back);
    struct prop_value v;
    assert_ok(bag_view_get(data, len, NULL, PidTagBody, &v));
    g_assert_cmpstr(v.str, ==, text);
    // A decoded bag can be changed, values that it borrowed included.
    assert_ok(bag_set(back, &(struct prop_value){.tag = PidTagBody, .str = v.str + 99999}));
    g_assert_cmpstr(bag_str(back, PidTagBody), ==, "x");
}

static void test_get_and_set(void) {
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagSubject, "Hello");
    bag_set_str(bag, PidTagSubject, NULL);
    bag_set_long(bag, PidTagImportance, 2);
    bag_set_bool(bag, PidTagReadReceiptRequested, true);
    bag_set_time(bag, PidTagClientSubmitTime, 5);
    bag_set_bytes(bag, PidTagSearchKey, "key", 3);
    g_assert_cmpstr(bag_str(bag, PidTagSubject), ==, "Hello");
    g_assert_null(bag_str(bag, PidTagImportance));
    g_assert_cmpint(bag_long(bag, PidTagImportance, 1), ==, 2);
    g_assert_cmpint(bag_long(bag, PidTagPriority, -1), ==, -1);
    g_assert_true(bag_bool(bag, PidTagReadReceiptRequested, false));
    g_assert_cmpuint(bag_time(bag, PidTagClientSubmitTime), ==, 5);
    g_assert_cmpuint(bag_bytes(bag, PidTagSearchKey).len, ==, 3);
    g_assert_null(bag_get(bag, PROP_TAG(0x0037, PT_BINARY)));
    g_assert_nonnull(bag_get(bag, PROP_TAG(0x0037, PT_UNSPECIFIED)));
    // The same id with another type replaces.
    bag_set_bytes(bag, PROP_TAG(0x0037, PT_BINARY), "x", 1);
    g_assert_null(bag_str(bag, PidTagSubject));
    g_assert_cmpuint(bag_count(bag), ==, 5);
    g_assert_true(bag_remove(bag, PidTagSubject));
    g_assert_false(bag_remove(bag, PidTagSubject));
    // A value inside the bag can be the new value.
    bag_set_str(bag, PidTagSubject, "RE: Hello");
    bag_set_str(bag, PidTagSubject, bag_str(bag, PidTagSubject) + 4);
    g_assert_cmpstr(bag_str(bag, PidTagSubject), ==, "Hello");

    BAG_AUTO other = bag_new();
    bag_set_str(other, PidTagSubject, "Bye");
    bag_set_long(other, PidTagPriority, 1);
    assert_ok(bag_merge(bag, other));
    g_assert_cmpstr(bag_str(bag, PidTagSubject), ==, "Bye");
    g_assert_cmpuint(bag_count(bag), ==, 6);
}

static void test_limits(void) {
    BAG_AUTO bag = bag_new();
    assert_ec(bag_set(bag, &(struct prop_value){.tag = PROP_TAG(1, PT_STRING8)}),
              EC_INVALID_PARAMETER);
    assert_ec(bag_set(bag, &(struct prop_value){.tag = PROP_TAG(1, PT_NULL)}),
              EC_INVALID_PARAMETER);
    assert_ec(bag_set(bag, &(struct prop_value){.tag = PROP_TAG(1, 0x3003)}), EC_INVALID_PARAMETER);
    for (unsigned i = 0; i < BAG_MAX_PROPS; i++)
        bag_set_long(bag, PROP_TAG(i + 1, PT_LONG), (int32_t)i);
    struct prop_value v = prop_long(PROP_TAG(BAG_MAX_PROPS + 1, PT_LONG), 0);
    assert_ec(bag_set(bag, &v), EC_TOO_MANY_OBJECTS);
    v.tag = PROP_TAG(1, PT_LONG);
    assert_ok(bag_set(bag, &v));
    g_autoptr(GBytes) bytes = bag_encode(bag);
    BAG_AUTO back = NULL;
    assert_ok(bag_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &back));
    assert_bags_equal(bag, back);

    g_autofree uint8_t *big = g_malloc0(BAG_MAX_BYTES);
    BAG_AUTO full = bag_new();
    v = prop_bytes(PidTagAttachDataBinary, big, BAG_MAX_BYTES);
    assert_ok(bag_set(full, &v));
    bag_set_long(full, PidTagImportance, 1);
    g_assert_cmpuint(bag_count(full), ==, 1);
    v.bin.len = 5;
    assert_ok(bag_set(full, &v));
    bag_set_long(full, PidTagImportance, 1);
    g_assert_cmpuint(bag_count(full), ==, 2);
}

// A value set again and again must not make the bag grow without end.
static void test_garbage(void) {
    BAG_AUTO bag = bag_new();
    bag_set_str(bag, PidTagSubject, "stays");
    g_autofree char *text = g_strnfill(10000, 'x');
    for (unsigned i = 0; i < 1000; i++) {
        text[i] = 'y';
        bag_set_str(bag, PidTagBody, text);
    }
    g_assert_cmpstr(bag_str(bag, PidTagSubject), ==, "stays");
    g_assert_cmpstr(bag_str(bag, PidTagBody), ==, text);
}

// Every truncation and every changed byte of a bag is refused or decodes to some other bag.
static void test_corrupt(void) {
    BAG_AUTO bag = bag_of_all_types();
    g_autoptr(GBytes) bytes = bag_encode(bag);
    gsize len;
    const uint8_t *data = g_bytes_get_data(bytes, &len);
    ARENA_AUTO arena = arena_new();
    for (gsize cut = 0; cut < len; cut++) {
        g_autofree uint8_t *part = g_memdup2(data, MAX(cut, 1));
        struct bag *out = NULL;
        assert_ec(bag_decode(part, cut, &out), EC_CORRUPT_DATA);
    }
    for (gsize at = 0; at < len; at++) {
        g_autofree uint8_t *changed = g_memdup2(data, len);
        changed[at] ^= 0x81;
        BAG_AUTO out = NULL;
        bag_decode(changed, len, &out);
        struct prop_value v;
        for (unsigned i = 0; i < bag_count(bag); i++)
            bag_view_get(changed, len, arena, bag_at(bag, i)->tag, &v);
    }
}

// A number written longer than needed decoded once, and encoding the bag then failed an assertion.
static void test_overlong_number(void) {
    static const uint8_t data[] = {1, 0, 1, 0, 0x1F, 0x10, 1, 0, 10, 0, 0x81, 0, 'a', 0};
    struct bag *out = NULL;
    assert_ec(bag_decode(data, sizeof data, &out), EC_CORRUPT_DATA);
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    assert_ec(bag_view_get(data, sizeof data, arena, 0x0001101F, &v), EC_CORRUPT_DATA);
}

static void test_compare(void) {
    struct prop_value a = prop_str(PidTagSubject, "ÄPFEL"), b = prop_str(PidTagSubject, "äpfel");
    g_assert_cmpint(prop_compare(&a, &b), ==, 0);
    g_assert_false(prop_equal(&a, &b));
    a = prop_bytes(PidTagSearchKey, "ab", 2), b = prop_bytes(PidTagSearchKey, "abc", 3);
    g_assert_cmpint(prop_compare(&a, &b), <, 0);
    b = prop_bytes(PidTagSearchKey, "aa", 2);
    g_assert_cmpint(prop_compare(&a, &b), >, 0);
    a = prop_long(PidTagImportance, INT32_MIN), b = prop_long(PidTagImportance, INT32_MAX);
    g_assert_cmpint(prop_compare(&a, &b), <, 0);
    a = (struct prop_value){.tag = PROP_TAG(1, PT_MV_UNICODE), .mv = {.n = 2, .str = words}};
    b = (struct prop_value){.tag = PROP_TAG(1, PT_MV_UNICODE), .mv = {.n = 3, .str = words}};
    g_assert_cmpint(prop_compare(&a, &b), <, 0);
    a = (struct prop_value){.tag = PidTagBody, .is_external = true};
    b = prop_str(PidTagBody, "a");
    g_assert_cmpint(prop_compare(&a, &b), <, 0);
    g_assert_cmpuint(prop_size(&b), ==, 2);
}

// Prints times of the hot paths; nothing is asserted, machines differ.
static void test_speed(void) {
    if (!g_test_perf())
        return;
    BAG_AUTO bag = bag_new();
    for (unsigned i = 0; i < 40; i++)
        if (i % 2)
            bag_set_long(bag, PROP_TAG(0x1000 + i, PT_LONG), (int32_t)i);
        else
            bag_set_str(bag, PROP_TAG(0x1000 + i, PT_UNICODE), "a string of usual length");
    g_autoptr(GBytes) bytes = bag_encode(bag);
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    enum { ROUNDS = 200000 };
    gint64 t0 = g_get_monotonic_time();
    for (unsigned i = 0; i < ROUNDS; i++)
        g_bytes_unref(bag_encode(bag));
    gint64 t1 = g_get_monotonic_time();
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct bag *out;
        bag_decode(data, len, &out);
        bag_free(out);
    }
    gint64 t2 = g_get_monotonic_time();
    struct prop_value v;
    for (unsigned i = 0; i < ROUNDS; i++)
        bag_view_get(data, len, NULL, PROP_TAG(0x1000 + i % 40, PT_UNSPECIFIED), &v);
    gint64 t3 = g_get_monotonic_time();
    g_test_message("%u bytes; encode %.0f ns, decode %.0f ns, view %.0f ns", (unsigned)len,
                   (double)(t1 - t0) * 1000 / ROUNDS, (double)(t2 - t1) * 1000 / ROUNDS,
                   (double)(t3 - t2) * 1000 / ROUNDS);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bag/round_trip", test_round_trip);
    g_test_add_func("/bag/empty", test_empty);
    g_test_add_func("/bag/large", test_large);
    g_test_add_func("/bag/get_and_set", test_get_and_set);
    g_test_add_func("/bag/limits", test_limits);
    g_test_add_func("/bag/garbage", test_garbage);
    g_test_add_func("/bag/corrupt", test_corrupt);
    g_test_add_func("/bag/overlong_number", test_overlong_number);
    g_test_add_func("/prop/compare", test_compare);
    g_test_add_func("/bag/speed", test_speed);
    return g_test_run();
}
