// Checksums: known values, and every bit of a page.
#include "db/page_sum.h"

#include <string.h>

#include "base/test.h"

static uint64_t sum_of(const char *text, uint64_t seed) {
    return page_sum((const uint8_t *)text, strlen(text), seed);
}

static void test_known(void) {
    g_assert_cmphex(sum_of("", 0), ==, UINT64_C(0xEF46DB3751D8E999));
    g_assert_cmphex(sum_of("a", 0), ==, UINT64_C(0xD24EC4F1A98C6E5B));
    g_assert_cmphex(sum_of("abc", 0), ==, UINT64_C(0x44BC2CF5AD770999));
    g_assert_cmphex(sum_of("abc", 1), !=, UINT64_C(0x44BC2CF5AD770999));
}

static void test_each_bit(void) {
    uint8_t page[1024];
    for (size_t i = 0; i < sizeof page; i++)
        page[i] = (uint8_t)(i * 7);
    page_sum_seal(page, sizeof page, 5);
    g_assert_true(page_sum_is_right(page, sizeof page, 5));
    g_assert_false(page_sum_is_right(page, sizeof page, 6)); // another page's place
    for (size_t bit = 0; bit < sizeof page * 8; bit++) {
        page[bit / 8] ^= (uint8_t)(1 << bit % 8);
        g_assert_false(page_sum_is_right(page, sizeof page, 5));
        page[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_hole(void) {
    uint8_t page[1024] = {0};
    g_assert_true(page_sum_is_right(page, sizeof page, 9));
    page[500] = 1;
    g_assert_false(page_sum_is_right(page, sizeof page, 9));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/db/page_sum/known", test_known);
    g_test_add_func("/db/page_sum/each bit", test_each_bit);
    g_test_add_func("/db/page_sum/hole", test_hole);
    return g_test_run();
}
