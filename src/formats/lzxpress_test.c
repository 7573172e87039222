// The specification's examples, round trips at the limits of each length's form, broken input.
#include "formats/lzxpress.h"

#include <string.h>

#include "base/test.h"

static void check_round(const uint8_t *data, size_t len) {
    size_t max = len + len / 8 + 16, packed_len = 0;
    g_autofree uint8_t *packed = g_malloc(max), *back = g_malloc(len + 1);
    g_assert_true(lzxpress_encode(data, len, packed, max, &packed_len));
    assert_ok(lzxpress_decode(packed, packed_len, back, len));
    g_assert_cmpmem(back, len, data, len);
}

static void check_example(const char *text, const uint8_t *packed, size_t packed_len) {
    uint8_t out[512];
    size_t n = 0, len = strlen(text);
    assert_ok(lzxpress_decode(packed, packed_len, out, len));
    g_assert_cmpmem(out, len, text, len);
    g_assert_true(lzxpress_encode(text, len, out, sizeof out, &n));
    g_assert_cmpmem(out, n, packed, packed_len);
}

// [MS-OXCRPC] 3.1.4.11.1.2.2.5 and [MS-XCA] 3.1.
static void test_examples(void) {
    static const uint8_t alphabet[] = "\x3f\x00\x00\x00"
                                      "abcdefghijklmnopqrstuvwxyz";
    check_example("abcdefghijklmnopqrstuvwxyz", alphabet, sizeof alphabet - 1);
    static const uint8_t repeated[] = {0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
                                       0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};
    g_autoptr(GString) abc = g_string_new(NULL);
    for (unsigned i = 0; i < 100; i++)
        g_string_append(abc, "abc");
    check_example(abc->str, repeated, sizeof repeated);
}

static void test_lengths(void) {
    static const size_t at[] = {0,  1,   2,   3,   9,   10,    11,    24,    25,
                                26, 279, 280, 281, 300, 65537, 65538, 65539, 70000};
    g_autofree uint8_t *data = g_malloc0(80000);
    for (size_t i = 0; i < G_N_ELEMENTS(at); i++) {
        memset(data, 'x', 80000);
        check_round(data, at[i]);
        check_round(data, at[i] + 1);
        // Two long matches share a half byte.
        for (size_t k = 0; k < 40000; k++)
            data[k] = (uint8_t)(k % (at[i] + 1) == 0 ? k / 7 : 'y');
        check_round(data, 40000);
    }
}

static void test_random(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    uint8_t data[40000];
    for (unsigned alphabet = 1; alphabet <= 256; alphabet *= 2) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)g_rand_int_range(rand, 0, (int)alphabet);
        for (size_t len = 0; len < 100; len++)
            check_round(data, len);
        check_round(data, sizeof data);
    }
}

static void test_no_room(void) {
    static const char text[] = "abcdefghijklmnopqrstuvwxyz";
    uint8_t out[30];
    size_t n;
    for (size_t max = 0; max < 30; max++)
        g_assert_false(lzxpress_encode(text, 26, out, max, &n));
    g_assert_true(lzxpress_encode(text, 26, out, 30, &n));
}

static void test_broken(void) {
    uint8_t out[400];
    static const uint8_t before[] = {0xff, 0xff, 0xff, 0x7f, 'a', 0x08, 0x00}; // two bytes back
    assert_ec(lzxpress_decode(before, sizeof before, out, 4), EC_FORMAT_ERROR);
    static const uint8_t repeated[] = {0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
                                       0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};
    for (size_t len = 0; len < sizeof repeated; len++)
        assert_ec(lzxpress_decode(repeated, len, out, 300), EC_FORMAT_ERROR);
    assert_ec(lzxpress_decode(repeated, sizeof repeated, out, 299), EC_FORMAT_ERROR);
    assert_ec(lzxpress_decode(repeated, sizeof repeated, out, 301), EC_FORMAT_ERROR);
    static const uint8_t small[] = {0xff, 0xff, 0xff, 0x7f, 'a', 0x07, 0x00, 0x0f, 0xff, 3, 0};
    assert_ec(lzxpress_decode(small, sizeof small, out, 7), EC_FORMAT_ERROR);
}

static void test_obfuscation(void) {
    uint8_t data[] = {0x00, 0xA5, 0xFF};
    rpc_obfuscate(data, sizeof data);
    static const uint8_t hidden[] = {0xA5, 0x00, 0x5A};
    g_assert_cmpmem(data, sizeof data, hidden, sizeof hidden);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lzxpress/examples", test_examples);
    g_test_add_func("/lzxpress/lengths", test_lengths);
    g_test_add_func("/lzxpress/random", test_random);
    g_test_add_func("/lzxpress/no_room", test_no_room);
    g_test_add_func("/lzxpress/broken", test_broken);
    g_test_add_func("/lzxpress/obfuscation", test_obfuscation);
    return g_test_run();
}
