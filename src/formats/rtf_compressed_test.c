// LZFu both ways, with the examples of the document ([MS-OXRTFCP] 4).
#include "formats/rtf_compressed.h"

#include <string.h>

#include "base/test.h"

#define LIMIT (1u << 20)

static void check_unpacked(const void *data, size_t len, const char *expected) {
    g_autoptr(GBytes) out = NULL;
    assert_ok(rtf_decompress(data, len, LIMIT, &out));
    g_assert_cmpmem(g_bytes_get_data(out, NULL), g_bytes_get_size(out), expected, strlen(expected));
}

// [MS-OXRTFCP] 4.1.1 and 4.1.2, with the RTF they stand for.
static const uint8_t simple[] = {0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00,
                                 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a,
                                 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77,
                                 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0};
static const char simple_rtf[] = "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n";
static const uint8_t crossing[] = {0x1a, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x4c, 0x5a,
                                   0x46, 0x75, 0xe2, 0xd4, 0x4b, 0x51, 0x41, 0x00, 0x04, 0x20,
                                   0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01, 0x0e, 0xb0};
static const char crossing_rtf[] = "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}";

static void test_examples(void) {
    check_unpacked(simple, sizeof simple, simple_rtf);
    check_unpacked(crossing, sizeof crossing, crossing_rtf);
    // What we make of them is what the document has, byte for byte.
    g_autoptr(GBytes) a = rtf_compress(simple_rtf, strlen(simple_rtf));
    g_assert_cmpmem(g_bytes_get_data(a, NULL), g_bytes_get_size(a), simple, sizeof simple);
    g_autoptr(GBytes) b = rtf_compress(crossing_rtf, strlen(crossing_rtf));
    g_assert_cmpmem(g_bytes_get_data(b, NULL), g_bytes_get_size(b), crossing, sizeof crossing);
}

static void check_round(const void *data, size_t len) {
    g_autoptr(GBytes) packed = rtf_compress(data, len), stored = rtf_store(data, len);
    g_autoptr(GBytes) a = NULL, b = NULL;
    assert_ok(rtf_decompress(g_bytes_get_data(packed, NULL), g_bytes_get_size(packed), len, &a));
    g_assert_cmpmem(g_bytes_get_data(a, NULL), g_bytes_get_size(a), data, len);
    assert_ok(rtf_decompress(g_bytes_get_data(stored, NULL), g_bytes_get_size(stored), len, &b));
    g_assert_cmpmem(g_bytes_get_data(b, NULL), g_bytes_get_size(b), data, len);
}

static void test_round(void) {
    check_round("", 0);
    check_round("x", 1);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (unsigned alphabet = 1; alphabet <= 256; alphabet *= 4) {
        for (size_t len = 1; len < 100000; len = len * 3 + 1) {
            g_autofree uint8_t *data = g_malloc(len);
            for (size_t i = 0; i < len; i++)
                data[i] = (uint8_t)g_rand_int_range(rand, 0, (gint32)alphabet);
            check_round(data, len);
        }
    }
}

// Repetitions at every distance around the size of the ring.
static void test_distances(void) {
    for (size_t distance = 4080; distance < 4110; distance++) {
        g_autofree uint8_t *data = g_malloc(2 * distance);
        g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)distance);
        for (size_t i = 0; i < distance; i++)
            data[i] = data[i + distance] = (uint8_t)g_rand_int(rand);
        check_round(data, 2 * distance);
    }
}

static void test_shrinks(void) {
    g_autoptr(GString) rtf = g_string_new("{\\rtf1\\ansi ");
    while (rtf->len < 100000)
        g_string_append(rtf, "\\par the quick brown fox jumps over the lazy dog ");
    g_autoptr(GBytes) packed = rtf_compress(rtf->str, rtf->len);
    g_assert_cmpuint(g_bytes_get_size(packed), <, rtf->len / 5);
}

static void test_broken(void) {
    uint8_t copy[sizeof simple];
    g_autoptr(GBytes) out = NULL;
    for (size_t len = 0; len < sizeof simple; len++)
        assert_ec(rtf_decompress(simple, len, LIMIT, &out), EC_CORRUPT_DATA);
    for (size_t i = 12; i < sizeof simple; i++) { // the checksum and what it covers
        memcpy(copy, simple, sizeof copy);
        copy[i] ^= 0x10;
        assert_ec(rtf_decompress(copy, sizeof copy, LIMIT, &out), EC_CORRUPT_DATA);
    }
    memcpy(copy, simple, sizeof copy);
    copy[8] = 'X'; // no known type
    assert_ec(rtf_decompress(copy, sizeof copy, LIMIT, &out), EC_CORRUPT_DATA);
    memcpy(copy, simple, sizeof copy);
    copy[7] = 0x7f; // claims two gigabytes
    assert_ec(rtf_decompress(copy, sizeof copy, LIMIT, &out), EC_MESSAGE_TOO_BIG);
    assert_ec(rtf_decompress(simple, sizeof simple, 0x2a, &out), EC_MESSAGE_TOO_BIG);
    // One more than there is, for a NUL: the end mark counts.
    memcpy(copy, simple, sizeof copy);
    copy[4]++;
    check_unpacked(copy, sizeof copy, simple_rtf);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtf_compressed/examples", test_examples);
    g_test_add_func("/rtf_compressed/round", test_round);
    g_test_add_func("/rtf_compressed/distances", test_distances);
    g_test_add_func("/rtf_compressed/shrinks", test_shrinks);
    g_test_add_func("/rtf_compressed/broken", test_broken);
    return g_test_run();
}
