// What is left of HTML that acts.
#include "formats/html_filter.h"

#include <string.h>

#include "base/test.h"

static void test_filter(void) {
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"<p onclick=\"x()\">a &amp; b</p>", "<p>a &amp; b</p>"},
        {"<script>alert(1)</script>x", "x"},
        {"<SCRIPT>alert(1)", ""},
        {"<a href=\"javascript:x\">y</a>", "<a>y</a>"},
        {"<a href=\" java&#10;script:x\">y</a>", "<a>y</a>"},
        {"<a href=\"http://x/?a=1&amp;b=2\">y</a>", "<a href=\"http://x/?a=1&amp;b=2\">y</a>"},
        {"<a href=/x>y</a>", "<a href=\"/x\">y</a>"},
        {"<iframe src=\"http://x\"></iframe>z", "z"},
        {"<form action=x><input name=a>b</form>", "b"},
        {"<div style=\"color:red\">a</div>", "<div style=\"color:red\">a</div>"},
        {"<div style=\"width:ex/**/pression(1)\">a</div>", "<div>a</div>"},
        {"<div style=\"width:\\65xpression(1)\">a</div>", "<div>a</div>"},
        {"<style>p{color:red}</style>a", "<style>p{color:red}</style>a"},
        {"<style>@import 'x'</style>a", "<style></style>a"},
        {"<!--[if mso]><script>x</script><![endif]-->a", "a"},
        {"<img src=data:text/html,x alt=\"&quot;>\">", "<img alt=\"&quot;&gt;\">"},
        {"<meta http-equiv=refresh content=0>a<object>b</object>", "ab"},
    };
    static const struct html_filter_options none;
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpstr(html_filter(arena, cases[i].in, strlen(cases[i].in), &none, NULL, NULL), ==,
                        cases[i].out);
}

static void test_images(void) {
    static const char html[] =
        "<img src=\"http://x/a.png\"><img src=\"cid:1@x\"><a href=\"http://x\">"
        "l</a><td background=\"http://x/b\">";
    struct html_filter_options options = {.blocks_images = true};
    ARENA_AUTO arena = arena_new();
    bool blocked;
    size_t len;
    const char *text = html_filter(arena, html, strlen(html), &options, &blocked, &len);
    g_assert_cmpstr(text, ==, "<img><img src=\"cid:1@x\"><a href=\"http://x\">l</a><td>");
    g_assert_true(blocked);
    g_assert_cmpuint(len, ==, strlen(text));
    options = (struct html_filter_options){.adds_blank = true, .cid_template = "/img?{id}"};
    text = html_filter(arena, html, strlen(html), &options, &blocked, &len);
    g_assert_cmpstr(text, ==,
                    "<img src=\"http://x/a.png\"><img src=\"/img?1@x\"><a href=\"http://x\" "
                    "target=\"_blank\">l</a><td background=\"http://x/b\">");
    g_assert_false(blocked);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html-filter/filter", test_filter);
    g_test_add_func("/html-filter/images", test_images);
    return g_test_run();
}
