// The cursors: values, bounds, sticky errors, maxima.
#include "base/wire.h"

#include <glib.h>
#include <string.h>

static void test_round_trip(void) {
    struct wire_writer w = wire_writer(1000);
    struct guid guid = guid_new();
    wire_put_u8(&w, 0xAB);
    wire_put_u16(&w, 0x1234);
    wire_put_u32(&w, 0xDEADBEEF);
    wire_put_u64(&w, UINT64_C(0x0102030405060708));
    wire_put_be16(&w, 0x1234);
    wire_put_be32(&w, 0xDEADBEEF);
    wire_put_be64(&w, UINT64_C(0x0102030405060708));
    wire_put_guid(&w, &guid);
    wire_put_varint(&w, 0);
    wire_put_varint(&w, 300);
    wire_put_varint(&w, UINT64_MAX);
    wire_put_cstring(&w, "hello");
    g_autoptr(GByteArray) bytes = wire_writer_take(&w);
    wire_writer_clear(&w);
    g_assert_cmpuint(bytes->data[1], ==, 0x34);

    struct wire_reader r = wire_reader(bytes->data, bytes->len);
    g_assert_cmphex(wire_u8(&r), ==, 0xAB);
    g_assert_cmphex(wire_u16(&r), ==, 0x1234);
    g_assert_cmphex(wire_u32(&r), ==, 0xDEADBEEF);
    g_assert_cmphex(wire_u64(&r), ==, UINT64_C(0x0102030405060708));
    g_assert_cmphex(wire_be16(&r), ==, 0x1234);
    g_assert_cmphex(wire_be32(&r), ==, 0xDEADBEEF);
    g_assert_cmphex(wire_be64(&r), ==, UINT64_C(0x0102030405060708));
    struct guid back = wire_guid(&r);
    g_assert_true(guid_equal(&guid, &back));
    g_assert_cmpuint(wire_varint(&r), ==, 0);
    g_assert_cmpuint(wire_varint(&r), ==, 300);
    g_assert_true(wire_varint(&r) == UINT64_MAX);
    g_assert_cmpstr(wire_cstring(&r), ==, "hello");
    g_assert_cmpuint(wire_left(&r), ==, 0);
    g_assert_true(wire_ok(&r));
}

static void test_reader_bounds(void) {
    static const uint8_t three[3] = {1, 2, 3};
    struct wire_reader r = wire_reader(three, 3);
    g_assert_cmpuint(wire_u32(&r), ==, 0);
    g_assert_false(wire_ok(&r));
    g_assert_cmpuint(wire_u8(&r), ==, 0); // sticky

    r = wire_reader(three, 3);
    g_assert_null(wire_bytes(&r, SIZE_MAX));
    g_assert_false(wire_ok(&r));

    r = wire_reader(three, 3);
    g_assert_null(wire_cstring(&r)); // no NUL
    g_assert_false(wire_ok(&r));

    static const uint8_t endless[11] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff};
    r = wire_reader(endless, sizeof endless);
    wire_varint(&r);
    g_assert_false(wire_ok(&r));

    r = wire_reader(three, 3);
    struct wire_reader sub = wire_sub(&r, 2);
    g_assert_cmpuint(wire_left(&sub), ==, 2);
    g_assert_cmpuint(wire_left(&r), ==, 1);
    sub = wire_sub(&r, 2);
    g_assert_false(wire_ok(&sub));
}

static void test_writer_maximum(void) {
    struct wire_writer w = wire_writer(5);
    wire_put_u32(&w, 1);
    g_assert_true(wire_writer_ok(&w));
    wire_put_u16(&w, 1);
    g_assert_false(wire_writer_ok(&w));
    wire_put_u8(&w, 1); // does nothing after the failure
    g_assert_cmpuint(wire_writer_len(&w), ==, 4);
    g_assert_null(wire_writer_take(&w));
    wire_writer_clear(&w);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/round-trip", test_round_trip);
    g_test_add_func("/wire/reader-bounds", test_reader_bounds);
    g_test_add_func("/wire/writer-maximum", test_writer_maximum);
    return g_test_run();
}
