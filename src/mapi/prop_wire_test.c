// Property values on the wire: every type in both forms, flags, errors, limits.
#include "mapi/prop_wire.h"

#include <string.h>

#include "base/test.h"
#include "mapi/props.h"

static const char *const words[] = {"red", "", "grün"};
static const struct prop_bin chunks[] = {{3, (const uint8_t *)"abc"}, {0, NULL}};
static const int32_t longs[] = {100000, -1};
static const filetime_t times[] = {1, 2, 3};
static const struct guid guids[] = {{{1, 2, 3}}, {{4}}};
// Exists PidTagSubject; one rule action of three bytes in the form with two-byte counts.
static const uint8_t exists[] = {8, 0x1F, 0, 0x37, 0};
static const uint8_t actions[] = {1, 0, 3, 0, 9, 9, 9};

static const struct prop_value values[] = {
    {.tag = PROP_TAG(1, PT_I2), .i2 = -5},
    {.tag = PROP_TAG(2, PT_LONG), .l = 1 << 30},
    {.tag = PROP_TAG(3, PT_FLOAT), .f = 2.5f},
    {.tag = PROP_TAG(4, PT_DOUBLE), .d = -0.125},
    {.tag = PROP_TAG(5, PT_CURRENCY), .i8 = 12345678901},
    {.tag = PROP_TAG(6, PT_APPTIME), .d = 40000.5},
    {.tag = PROP_TAG(7, PT_BOOLEAN), .b = true},
    {.tag = PROP_TAG(8, PT_I8), .i8 = -1},
    {.tag = PROP_TAG(9, PT_UNICODE), .str = "päth \xf0\x9f\x92\xa9"},
    {.tag = PROP_TAG(10, PT_SYSTIME), .time = UINT64_MAX},
    {.tag = PROP_TAG(11, PT_CLSID), .guid = {{9, 8, 7}}},
    {.tag = PROP_TAG(12, PT_SVREID), .bin = {2, (const uint8_t *)"\0\1"}},
    {.tag = PROP_TAG(13, PT_SRESTRICT), .bin = {sizeof exists, exists}},
    {.tag = PROP_TAG(14, PT_BINARY), .bin = {3, (const uint8_t *)"\0\1\2"}},
    {.tag = PROP_TAG(15, PT_OBJECT), .bin = {0, NULL}},
    {.tag = PROP_TAG(16, PT_MV_BINARY), .mv = {.n = 2, .bin = chunks}},
    {.tag = PROP_TAG(17, PT_MV_UNICODE), .mv = {.n = 3, .str = words}},
    {.tag = PROP_TAG(18, PT_MV_LONG), .mv = {.n = 2, .l = longs}},
    {.tag = PROP_TAG(19, PT_MV_SYSTIME), .mv = {.n = 3, .time = times}},
    {.tag = PROP_TAG(20, PT_MV_CLSID), .mv = {.n = 2, .guid = guids}},
    {.tag = PROP_TAG(21, PT_MV_I2), .mv = {.n = 0}},
    {.tag = PROP_TAG(22, PT_ERROR), .l = EC_NOT_FOUND},
    {.tag = PROP_TAG(23, PT_NULL)},
};

static void check_round_trip(const struct prop_wire *form) {
    ARENA_AUTO arena = arena_new();
    struct wire_writer w = wire_writer(10000);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        prop_wire_put_tagged(&w, form, &values[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        prop_wire_put_typed(&w, form, PROP_TYPE(values[i].tag), &values[i]);
    g_assert_true(wire_writer_ok(&w));
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    struct prop_value *back = prop_wire_tagged_array(&r, form, arena, G_N_ELEMENTS(values));
    g_assert_nonnull(back);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        g_assert_true(prop_equal(&values[i], &back[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        struct prop_value v =
            prop_wire_value(&r, form, arena, PROP_TAG(PROP_ID(values[i].tag), PT_UNSPECIFIED));
        g_assert_true(prop_equal(&values[i], &v));
    }
    g_assert_true(wire_ok(&r) && wire_left(&r) == 0);
    // Every truncation is an error.
    for (size_t cut = 0; cut < w.bytes->len; cut++) {
        g_autofree uint8_t *part = g_memdup2(w.bytes->data, MAX(cut, 1));
        struct wire_reader t = wire_reader(part, cut);
        prop_wire_tagged_array(&t, form, arena, G_N_ELEMENTS(values));
        for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
            prop_wire_value(&t, form, arena, PT_UNSPECIFIED);
        g_assert_false(wire_ok(&t));
    }
    wire_writer_clear(&w);
}

static void test_round_trip(void) {
    check_round_trip(&PROP_WIRE_ROP);
    check_round_trip(&PROP_WIRE_EXTENDED);
}

// The bytes themselves, as the specification has them.
static void test_bytes(void) {
    struct wire_writer w = wire_writer(1000);
    prop_wire_put_tagged(&w, &PROP_WIRE_ROP,
                         &(struct prop_value){.tag = PidTagSubject, .str = "Hi"});
    prop_wire_put_tagged(&w, &PROP_WIRE_ROP, &values[13]);
    prop_wire_put_value(&w, &PROP_WIRE_EXTENDED, PT_BINARY, &values[13]);
    prop_wire_put_value(&w, &PROP_WIRE_ROP, PT_STRING8,
                        &(struct prop_value){.tag = PidTagSubject, .str = "ü"});
    prop_wire_put_value(&w, &PROP_WIRE_ROP, PT_MV_LONG, &values[17]);
    static const uint8_t expected[] = {
        0x1F, 0, 0x37, 0, 'H',  0,    'i', 0, 0,    0,                // PtypString
        0x02, 1, 14,   0, 3,    0,    0,   1, 2,                      // PtypBinary
        3,    0, 0,    0, 0,    1,    2,                              // with a long count
        0xFC, 0,                                                      // PtypString8
        2,    0, 0,    0, 0xA0, 0x86, 1,   0, 0xFF, 0xFF, 0xFF, 0xFF, // multi-valued
    };
    g_assert_cmpmem(w.bytes->data, w.bytes->len, expected, sizeof expected);
    wire_writer_clear(&w);
}

static void test_string8(void) {
    ARENA_AUTO arena = arena_new();
    static const uint8_t data[] = {0x1E, 0,    0x37, 0, 0xCF, 0xF0, 0, // single
                                   0x1E, 0x10, 1,    0, 2,    0,    0,
                                   0,    'a',  0,    0}; // multi-valued
    struct prop_wire form = {2, 1251};
    struct wire_reader r = wire_reader(data, sizeof data);
    struct prop_value v = prop_wire_tagged(&r, &form, arena);
    g_assert_cmphex(v.tag, ==, PidTagSubject);
    g_assert_cmpstr(v.str, ==, "Пр");
    v = prop_wire_tagged(&r, &form, arena);
    g_assert_cmphex(v.tag, ==, PROP_TAG(1, PT_MV_UNICODE));
    g_assert_cmpuint(v.mv.n, ==, 2);
    g_assert_cmpstr(v.mv.str[0], ==, "a");
    g_assert_cmpstr(v.mv.str[1], ==, "");
    g_assert_true(wire_ok(&r) && wire_left(&r) == 0);
}

static void test_actions(void) {
    ARENA_AUTO arena = arena_new();
    struct wire_reader r = wire_reader(actions, sizeof actions);
    struct prop_value v = prop_wire_value(&r, &PROP_WIRE_ROP, arena, PidTagRuleActions);
    g_assert_true(wire_ok(&r));
    g_assert_cmpmem(v.bin.data, v.bin.len, actions, sizeof actions);
    r = wire_reader(actions, sizeof actions - 1);
    prop_wire_value(&r, &PROP_WIRE_ROP, arena, PidTagRuleActions);
    g_assert_false(wire_ok(&r));
}

static void test_flagged(void) {
    ARENA_AUTO arena = arena_new();
    struct wire_writer w = wire_writer(1000);
    struct prop_value subject = prop_str(PidTagSubject, "x");
    struct prop_value error = {.tag = PROP_TAG(0x37, PT_ERROR), .l = EC_NOT_FOUND};
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, PidTagSubject, &subject);
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, PidTagSubject, &error);
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, PidTagSubject, NULL);
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, 0x00370000, &subject);
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, 0x00370000, &error);
    prop_wire_put_flagged(&w, &PROP_WIRE_ROP, 0x0037001E, &subject);
    struct wire_reader r = wire_reader(w.bytes->data, w.bytes->len);
    struct prop_value v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, PidTagSubject);
    g_assert_true(prop_equal(&v, &subject));
    v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, PidTagSubject);
    g_assert_true(prop_equal(&v, &error));
    v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, PidTagSubject);
    g_assert_cmphex(PROP_TYPE(v.tag), ==, PT_NULL);
    v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, 0x00370000);
    g_assert_true(prop_equal(&v, &subject));
    v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, 0x00370000);
    g_assert_true(prop_equal(&v, &error));
    v = prop_wire_flagged(&r, &PROP_WIRE_ROP, arena, 0x0037001E);
    g_assert_true(prop_equal(&v, &subject));
    g_assert_true(wire_ok(&r) && wire_left(&r) == 0);
    wire_writer_clear(&w);
}

static void test_typed_string(void) {
    struct wire_writer w = wire_writer(100);
    prop_wire_put_typed_string(&w, NULL);
    prop_wire_put_typed_string(&w, "");
    prop_wire_put_typed_string(&w, "ab");
    prop_wire_put_typed_string(&w, "ü");
    g_assert_cmpmem(w.bytes->data, w.bytes->len, "\0\1\3ab\0\4\xFC\0\0\0", 11);
    wire_writer_clear(&w);
}

static void test_errors(void) {
    ARENA_AUTO arena = arena_new();
    // A count of values that cannot be there; an unknown type.
    static const uint8_t many[] = {3, 0x10, 1, 0, 0xFF, 0xFF, 0xFF, 0x7F, 1, 2};
    static const uint8_t odd[] = {0x77, 0, 1, 0, 0, 0};
    struct wire_reader r = wire_reader(many, sizeof many);
    struct prop_value v = prop_wire_tagged(&r, &PROP_WIRE_ROP, arena);
    g_assert_false(wire_ok(&r));
    g_assert_cmphex(PROP_TYPE(v.tag), ==, PT_NULL);
    r = wire_reader(odd, sizeof odd);
    prop_wire_tagged(&r, &PROP_WIRE_ROP, arena);
    g_assert_false(wire_ok(&r));

    struct wire_writer w = wire_writer(1000000);
    g_autofree uint8_t *big = g_malloc0(70000);
    v = prop_bytes(PidTagSearchKey, big, 70000);
    prop_wire_put_value(&w, &PROP_WIRE_EXTENDED, PT_BINARY, &v);
    g_assert_true(wire_writer_ok(&w));
    prop_wire_put_value(&w, &PROP_WIRE_ROP, PT_BINARY, &v);
    g_assert_false(wire_writer_ok(&w));
    w.failed = false;
    prop_wire_put_value(&w, &PROP_WIRE_ROP, PT_LONG, &v);
    g_assert_false(wire_writer_ok(&w));
    wire_writer_clear(&w);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prop_wire/round_trip", test_round_trip);
    g_test_add_func("/prop_wire/bytes", test_bytes);
    g_test_add_func("/prop_wire/string8", test_string8);
    g_test_add_func("/prop_wire/actions", test_actions);
    g_test_add_func("/prop_wire/flagged", test_flagged);
    g_test_add_func("/prop_wire/typed_string", test_typed_string);
    g_test_add_func("/prop_wire/errors", test_errors);
    return g_test_run();
}
