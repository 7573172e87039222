// Code pages: names and conversions both ways.
#include "mapi/code_page.h"

#include <string.h>

#include "base/test.h"

static void test_names(void) {
    g_assert_cmpstr(code_page_charset(65001), ==, "utf-8");
    g_assert_null(code_page_charset(1));
    g_assert_cmpuint(code_page_of_charset("UTF-8"), ==, 65001);
    g_assert_cmpuint(code_page_of_charset("latin1"), ==, 28591);
    g_assert_cmpuint(code_page_of_charset("ISO_8859-15"), ==, 28605);
    g_assert_cmpuint(code_page_of_charset("x-unknown"), ==, 0);
}

static void check(unsigned code_page, const char *bytes, const char *text) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(code_page_to_utf8(arena, code_page, bytes, strlen(bytes)), ==, text);
    g_autoptr(GByteArray) back = g_byte_array_new();
    code_page_from_utf8(code_page, text, back);
    g_assert_cmpmem(back->data, back->len, bytes, strlen(bytes));
}

static void test_conversions(void) {
    check(1252, "plain", "plain");
    check(1252, "gr\xfc\xdf \x80", "grüß €");
    check(1251, "\xcf\xf0\xe8", "При");
    check(932, "\x93\xfa\x96\x7b", "日本");
    check(936, "\xc4\xe3", "你");
    check(949, "\xc7\xd1", "한");
    check(950, "\xa4\xa4", "中");
    check(20866, "\xf0", "П");
    check(50220, "\x1b$BF|\x1b(B", "日");
    check(65001, "日本", "日本");
    check(54936, "\x94\x39\xda\x33", "\xf0\x9f\x92\xa9");
}

static void test_odd(void) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(code_page_to_utf8(arena, 99999, "\xe9", 1), ==, "é");
    g_assert_cmpstr(code_page_to_utf8(arena, 65001, "\xe9", 1), ==, "\xef\xbf\xbd");
    g_assert_cmpstr(code_page_to_utf8(arena, 1252, "a\0b", 3), ==, "a");
    g_assert_cmpstr(code_page_to_utf8(arena, 932, "\x93", 1), ==, "\xef\xbf\xbd");
    g_autoptr(GByteArray) out = g_byte_array_new();
    code_page_from_utf8(1252, "日x", out);
    g_assert_cmpmem(out->data, out->len, "?x", 2);
    // Every code page of the table opens.
    for (unsigned cp = 0; cp < 66000; cp++)
        if (code_page_charset(cp))
            code_page_to_utf8(arena, cp, "\xa4\xa4", 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/code_page/names", test_names);
    g_test_add_func("/code_page/conversions", test_conversions);
    g_test_add_func("/code_page/odd", test_odd);
    return g_test_run();
}
