// HTML as text: what browsers show of it, of broken HTML too.
#include "formats/html_text.h"

#include <string.h>

#include "base/test.h"

static void check(const char *html, enum html_text_purpose purpose, const char *expected) {
    ARENA_AUTO arena = arena_new();
    size_t len;
    const char *text = html_to_text(arena, html, strlen(html), "utf-8", purpose, 1 << 20, &len);
    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpuint(len, ==, strlen(expected));
}

#define check_words(html, expected) check(html, HTML_TEXT_WORDS, expected)
#define check_body(html, expected) check(html, HTML_TEXT_BODY, expected)

static void test_blocks(void) {
    check_words("", "");
    check_words("plain", "plain");
    check_words("<p>one</p><p>two</p>", "one\n\ntwo");
    check_words("one<br>two<BR/>three", "one\ntwo\nthree");
    check_words("<div>a</div><div><br></div><div>b</div>", "a\n\nb");
    check_words("<div><div><div>a</div></div></div>b", "a\nb");
    check_words("  a \r\n\t b  ", "a b");
    check_words("a<b>b</b>c <i> d</i>", "abc d");
    check_words("<h1>Title</h1>text", "Title\n\ntext");
    check_words("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc");
    check_words("a<pre>x\n  y\tz\n</pre>b", "a\n\nx\n  y\tz\n\nb");
    check_body("<p>one</p><p>two", "one\r\n\r\ntwo\r\n");
    check_body("<ul><li>a<li>b</ul><ol><li>c</li><li>d</li></ol>",
               "* a\r\n* b\r\n\r\n1. c\r\n2. d\r\n");
    check_body("<tr><td>a</td><td>b</td></tr>", "a\tb\r\n");
}

static void test_references(void) {
    check_words("&lt;&amp;&gt;&quot;&apos;", "<&>\"'");
    check_words("caf&eacute; &Omega; &#233; &#xE9; &#XE9", "café Ω é é é");
    check_words("a&nbsp;&nbsp;b", "a  b");
    check_words("&copy 2024 &amp b", "© 2024 & b");
    check_words("?a=1&copy=2&notaname;&", "?a=1&copy=2&notaname;&");
    check_words("&#128;&#150;", "€–");
    check_words("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\uFFFD\uFFFD\uFFFD\uFFFD");
    check_words("&#x1F600;", "😀");
    check_words("&#;&#x;&#xg;", "&#;&#x;&#xg;");
}

static void test_left_out(void) {
    check_words("<html><head><title>T</title><style>p{a:b}</style></head><body>x</body></html>",
                "x");
    check_words("a<script>if (1 < 2) document.write('</div>')</script>b", "ab");
    check_words("a<!-- <b>no</b> -->b<!--[if mso]>c<![endif]-->d", "abd");
    check_words("a<!>b<!-->c<!--->d<?xml version='1'?>e", "abcde");
    check_words("a<![if !mso]>b<![endif]>c", "abc");
    check_words("<textarea>a &lt; <b>b</textarea>", "a < <b>b");
    check_words("a\x01\x02\x7F\xC2\x80\x62", "ab");
    check_words("soft\xC2\xADhyphen zero\xE2\x80\x8Bwidth", "softhyphen zerowidth");
}

static void test_attributes(void) {
    check_words("<img src=x alt=\"A cat\">text", "A cat text");
    check_words("<img alt='a &lt; b'><a href=x title=\"Tip\">link</a>", "a < b Tip link");
    check_words("<img alt=one />two", "one two");
    check_words("<p title='a>b'>c", "a>b\n\nc");
    check_body("<img alt='Logo'>", "[Logo]\r\n");
    check_body("<a href=\"https://e.example/?a=1&amp;b=2\">here</a>.",
               "here <https://e.example/?a=1&b=2>.\r\n");
    check_body("<a href='https://e.example/'>https://e.example</a>", "https://e.example\r\n");
    check_body("<a href='https://e.example/'>e.example</a>", "e.example\r\n");
    check_body("<a href='mailto:a@e.example'>a@e.example</a>", "a@e.example\r\n");
    check_body("<a href='mailto:a@e.example'>Ann</a>", "Ann <a@e.example>\r\n");
    check_body("<a href='javascript:x()'>a</a><a name=b>c</a>", "ac\r\n");
}

static void test_broken(void) {
    check_words("a < b and c<d", "a < b and c");
    check_words("1<2 <3", "1<2 <3");
    check_words("a<b", "a");
    check_words("a<", "a<");
    check_words("a</", "a</");
    check_words("a</>b", "ab");
    check_words("<a href=\"unclosed>text</a> more", "text more");
    check_words("<style>never closed", "");
    check_words("<title>never closed <b>text</b>", "never closed text");
    check_words("<!-- never closed", "");
    check_words("<p<b>a", "a");
    check_words("</p></div>a</span>", "a");
    check_words("<veryveryverylongelementname>a", "a");
}

// A text of a million bytes of what costs most takes well under a second.
static void test_linear(void) {
    static const char *const pieces[] = {
        "<",        "<a b=\"",   "<!--",     "<title>",           "&#",   "<a b='\"", "</", "&amp",
        "<script>", "<a title=", "<ol><li>", "<a href=http://x>", "<br>", "<pre>\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) html = g_string_new(NULL);
        while (html->len < 1000000)
            g_string_append(html, pieces[i]);
        gint64 start = g_get_monotonic_time();
        html_to_text(arena, html->str, html->len, NULL, HTML_TEXT_BODY, 1 << 22, NULL);
        html_to_text(arena, html->str, html->len, NULL, HTML_TEXT_WORDS, 1 << 22, NULL);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    }
}

static void test_limit(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) html = g_string_new(NULL);
    while (html->len < 1000000)
        g_string_append(html, "<p>words");
    size_t len;
    html_to_text(arena, html->str, html->len, NULL, HTML_TEXT_WORDS, 1000, &len);
    g_assert_cmpuint(len, >=, 1000);
    g_assert_cmpuint(len, <, 6000);
}

static void check_charset(const char *html, size_t len, const char *charset, const char *expected) {
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(html_to_text(arena, html, len, charset, HTML_TEXT_WORDS, 1000, NULL), ==,
                    expected);
}

static void test_charsets(void) {
#define BYTES(s) s, sizeof(s) - 1
    check_charset(BYTES("caf\xE9"), NULL, "café");
    check_charset(BYTES("caf\xC3\xA9"), NULL, "café");
    check_charset(BYTES("<meta charset=koi8-r>\xC4\xC1"), NULL, "да");
    check_charset(BYTES("<META http-equiv=Content-Type CONTENT=\"text/html; CHARSET=windows-1251\">"
                        "\xE4\xE0"),
                  NULL, "да");
    check_charset(BYTES("<meta charset=koi8-r>\xE4\xE0"), "windows-1251", "да");
    check_charset(BYTES("<meta charset=utf-16>caf\xE9"), NULL, "café");
    check_charset(BYTES("\xFF\xFE<\0p\0>\0a\0\xE9\0"), NULL, "aé");
    check_charset(BYTES("\xEF\xBB\xBF<p>a"), NULL, "a");
    check_charset(BYTES("a\0b<p\0>c\0"), NULL, "ab\n\nc");
    check_charset(BYTES("<meta charset=nonsense>\xE9"), NULL, "é");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html_text/blocks", test_blocks);
    g_test_add_func("/html_text/references", test_references);
    g_test_add_func("/html_text/left_out", test_left_out);
    g_test_add_func("/html_text/attributes", test_attributes);
    g_test_add_func("/html_text/broken", test_broken);
    g_test_add_func("/html_text/linear", test_linear);
    g_test_add_func("/html_text/limit", test_limit);
    g_test_add_func("/html_text/charsets", test_charsets);
    return g_test_run();
}
