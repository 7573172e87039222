// RTF as text, HTML in RTF and back.
#include "formats/rtf_text.h"

#include <string.h>

#include "base/test.h"
#include "formats/rtf_write.h"

static void check(const char *rtf, const char *expected) {
    ARENA_AUTO arena = arena_new();
    size_t len;
    const char *text = rtf_to_text(arena, rtf, strlen(rtf), "\n", 1 << 20, &len);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(len, ==, strlen(expected));
}

static void test_text(void) {
    check("", "");
    check("{\\rtf1\\ansi hello}", "hello");
    check("{\\rtf1 a\\par b\\line c\\tab d}", "a\nb\nc\td");
    check("{\\rtf1 a\r\nb\\\nc}", "ab\nc");
    check("{\\rtf1 \\{x\\}\\\\ \\~y\\_z\\-w}", "{x}\\  y-zw");
    check("{\\rtf1 {\\b bold} {\\i ital}ic}", "bold italic");
    check("{\\rtf1 \\ldblquote q\\rdblquote\\emdash\\bullet}", "“q”—•");
    check("{\\rtf1 a\\v hidden\\v0 b}", "ab");
    check("{\\rtf1 \\trowd a\\cell b\\cell\\row c}", "a\tb\t\nc");
}

static void test_left_out(void) {
    check("{\\rtf1{\\fonttbl{\\f0 Arial;}}{\\colortbl;\\red0;}{\\stylesheet{Normal;}}a}", "a");
    check("{\\rtf1{\\info{\\title T}}{\\*\\unknown x{y}z}a{\\pict 0011}b}", "ab");
    check("{\\rtf1{\\header h}{\\footer f}a}", "a");
    check("{\\rtf1{\\object\\objemb{\\*\\objdata 0102}{\\result shown}}}", "shown");
    check("{\\rtf1{\\field{\\*\\fldinst HYPERLINK \"http://x\"}{\\fldrslt link}}}", "link");
    check("{\\rtf1 a\\bin3 }}}b}", "ab");
    check("{\\rtf1 a\\bin99999 b", "a");
}

static void test_charsets(void) {
    check("{\\rtf1\\ansi caf\\'e9}", "café");
    check("{\\rtf1\\ansi\\ansicpg1251 \\'e4\\'e0}", "да");
    check("{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset0 A;}{\\f1\\fcharset204 B;}}\\f1\\'e4\\f0\\'e9}",
          "дé");
    check("{\\rtf1\\ansi\\deff1{\\fonttbl{\\f0 A;}{\\f1\\fcharset204 B;}}\\'e4{\\f0\\'e9}\\'e0}",
          "дéа");
    check("{\\rtf1\\ansi\\ansicpg932 \\'93\\'fa\\'96\\'7b}", "日本");
    check("{\\rtf1\\ansi\\ansicpg932 \\'83A}", "ア"); // the second byte stands as a character
    check("{\\rtf1\\mac caf\\'8e}", "café");
    check("{\\rtf1\\ansi\\ansicpg65001 caf\\'c3\\'a9}", "café");
    check("{\\rtf1\\ansi\\ansicpg99999 caf\\'e9}", "café");
    check("{\\rtf1 \\'zz\\'4}", "zz4");
}

static void test_unicode(void) {
    check("{\\rtf1 \\u8364?}", "€");
    check("{\\rtf1 \\u-10179?\\u-8704?}", "😀");
    check("{\\rtf1\\uc0 \\u8364 x}", "€x");
    check("{\\rtf1\\uc2 \\u8364 xyz}", "€z");
    check("{\\rtf1\\uc2 \\u8364\\'a0\\'80z}", "€z");
    check("{\\rtf1{\\uc3 \\u8364 abcd}\\u8364 ef}", "€d€f");
    check("{\\rtf1 {\\u8364}x}", "€x"); // a group's end ends the skipping
    check("{\\rtf1 \\u8216\\lquote x}", "‘x");
    check("{\\rtf1 \\u-10179?x\\u-8704?}", "\uFFFDx\uFFFD");
    check("{\\rtf1 \\u1?\\u0?\\u128?x}", "x");
}

static void test_broken(void) {
    check("hello", "hello");
    check("}}}}hello", "hello");
    check("{{{{hello", "hello");
    check("\\", "");
    check("{\\rtf1 a\\'", "a");
    check("{\\rtf1\\verylongcontrolwordthatisnotaknownwordatall99999999999999 a}", "a");
    g_autoptr(GString) deep = g_string_new("{\\rtf1 ");
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "{\\b ");
    g_string_append(deep, "x");
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "}");
    g_string_append(deep, "y}");
    check(deep->str, "xy");
}

static void check_html(const char *rtf, const char *expected) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpint(rtf_source(rtf, strlen(rtf)), ==, RTF_FROM_HTML);
    g_assert_cmpstr(rtf_to_html(arena, rtf, strlen(rtf), 1 << 20, NULL), ==, expected);
}

static void test_html(void) {
    check_html("{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fswiss Arial;}}"
               "{\\*\\htmltag19 <html>}{\\*\\htmltag34 <head>}{\\*\\htmltag241 <title>"
               "\\'e4</title>}{\\*\\htmltag41 </head>}{\\*\\htmltag50 <body bgcolor=\"\\{x\\}\">}"
               "{\\*\\htmltag64}\\htmlrtf {\\htmlrtf0 text\\'e0{\\*\\htmltag84 &nbsp;}"
               "\\htmlrtf \\'a0\\htmlrtf0 more\\htmlrtf }\\htmlrtf0 \\htmlrtf\\par\\htmlrtf0"
               "{\\*\\mhtmltag72 old}{\\*\\htmltag72 </p>}\\par{\\*\\htmltag27 </html>}}",
               "<html><head><title>д</title></head><body bgcolor=\"{x}\">textа&nbsp;more</p>\r\n"
               "</html>");
    static const char plain[] = "{\\rtf1\\ansi\\fromtext a}", own[] = "{\\rtf1\\ansi a}",
                      late[] = "{\\rtf1\\a\\b\\c\\d\\e\\f\\g\\h\\i\\j\\fromhtml1 a}";
    g_assert_cmpint(rtf_source(plain, strlen(plain)), ==, RTF_FROM_TEXT);
    g_assert_cmpint(rtf_source(own, strlen(own)), ==, RTF_OF_ITS_OWN);
    g_assert_cmpint(rtf_source(late, strlen(late)), ==, RTF_OF_ITS_OWN);
    g_assert_cmpint(rtf_source(NULL, 0), ==, RTF_OF_ITS_OWN);
}

static void check_capsule(const char *html, const char *text) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GBytes) rtf = rtf_from_html(html, strlen(html));
    gsize len;
    const char *data = g_bytes_get_data(rtf, &len);
    g_assert_cmpint(rtf_source(data, len), ==, RTF_FROM_HTML);
    g_assert_cmpstr(rtf_to_html(arena, data, len, 1 << 20, NULL), ==, html);
    if (text)
        g_assert_cmpstr(rtf_to_text(arena, data, len, "\n", 1 << 20, NULL), ==, text);
}

static void check_made(const char *rtf, const char *body) {
    ARENA_AUTO arena = arena_new();
    g_autofree char *expected = g_strdup_printf("<html><body>\r\n%s</body></html>\r\n", body);
    g_assert_cmpstr(rtf_to_html(arena, rtf, strlen(rtf), 1 << 20, NULL), ==, expected);
}

// HTML made of RTF that has none inside.
static void test_made_html(void) {
    check_made("{\\rtf1 a}", "a");
    check_made("{\\rtf1 a {\\b b}{\\i c}\\par\\ul d\\ulnone e}",
               "a <b>b</b><i>c</i><br>\r\n<u>d</u>e");
    check_made("{\\rtf1\\b\\i x\\b0 y\\plain z}", "<b><i>x</i></b><i>y</i>z");
    check_made("{\\rtf1\\ansi 1<2 & \\u60? caf\\'e9 \\~{\\strike \\lquote}}",
               "1&lt;2 &amp; &lt; café &nbsp;<s>‘</s>");
    check_made("{\\rtf1{\\b}{\\*\\htmltag64 <p>}\\b unclosed", "<b>unclosed</b>");
    check_made("", "");
}

// HTML put into RTF comes out as it was; RTF readers see a text.
static void test_encapsulation(void) {
    check_capsule("", "");
    check_capsule(
        "<html><head><title>x</title></head>\r\n<body>\r\n<p>a <b>b</b></p></body></html>",
        " a b\n\n");
    check_capsule("a &lt; b &eacute; 日本 😀 {\\}", "a < b é 日本 😀 {\\}");
    check_capsule("<!-- {comment} --><style>p { a: b }\r\n</style>x<br>y", "x\ny");
    check_capsule("<a href=\"\\\\server\\{x}\">l</a>\ttab", NULL);
    check_capsule("<div unclosed", "");
}

static void test_from_text(void) {
    ARENA_AUTO arena = arena_new();
    static const char text[] = "one\r\ntwo {x} \\ 日本\ttab\r\n";
    g_autoptr(GBytes) rtf = rtf_from_text(text, strlen(text));
    gsize len;
    const char *data = g_bytes_get_data(rtf, &len);
    g_assert_cmpint(rtf_source(data, len), ==, RTF_FROM_TEXT);
    g_assert_cmpstr(rtf_to_text(arena, data, len, "\r\n", 1 << 20, NULL), ==, text);
}

static void test_linear(void) {
    static const char *const pieces[] = {"{",          "\\",       "\\u1?",
                                         "\\'e9\\f1 ", "{\\*\\x ", "{\\fonttbl",
                                         "\\par ",     "\\bin0 ",  "\\uc999\\u1 "};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) rtf = g_string_new("{\\rtf1 ");
        while (rtf->len < 1000000)
            g_string_append(rtf, pieces[i]);
        gint64 start = g_get_monotonic_time();
        rtf_to_text(arena, rtf->str, rtf->len, "\n", 1 << 22, NULL);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rtf_text/text", test_text);
    g_test_add_func("/rtf_text/left_out", test_left_out);
    g_test_add_func("/rtf_text/charsets", test_charsets);
    g_test_add_func("/rtf_text/unicode", test_unicode);
    g_test_add_func("/rtf_text/broken", test_broken);
    g_test_add_func("/rtf_text/html", test_html);
    g_test_add_func("/rtf_text/made_html", test_made_html);
    g_test_add_func("/rtf_text/encapsulation", test_encapsulation);
    g_test_add_func("/rtf_text/from_text", test_from_text);
    g_test_add_func("/rtf_text/linear", test_linear);
    return g_test_run();
}
