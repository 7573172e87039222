#include "formats/xml_reader.h"

#include <string.h>

#include "base/test.h"

static const struct xml_limits limits = {.bytes = 1 << 20, .depth = 8, .nodes = 100};

static enum ec parse(struct arena *arena, const char *text, struct xml_node **out) {
    return xml_read(arena, text, strlen(text), &limits, out);
}

static void test_tree(void) {
    ARENA_AUTO arena = arena_new();
    struct xml_node *root;
    assert_ok(parse(arena,
                    "<?xml version='1.0'?><a:R xmlns:a='urn:a' v='1 &amp; 2'>\n<!-- c -->"
                    "<a:X> one <![CDATA[<two>]]> </a:X><Y xmlns='urn:y'><Z>&lt;&#x41;</Z></Y>"
                    "<a:X/></a:R>",
                    &root));
    g_assert_cmpstr(root->name, ==, "R");
    g_assert_cmpstr(root->uri, ==, "urn:a");
    g_assert_cmpstr(root->text, ==, "");
    g_assert_cmpstr(xml_attribute(root, "v"), ==, "1 & 2");
    g_assert_null(xml_attribute(root, "w"));
    struct xml_node *x = xml_child(root, "X");
    g_assert_cmpstr(x->text, ==, "one <two>");
    g_assert_nonnull(xml_next(x));
    g_assert_null(xml_next(xml_next(x)));
    g_assert_cmpstr(xml_child_text(root, "Y/Z"), ==, "<A");
    g_assert_cmpstr(xml_child(root, "Y/Z")->uri, ==, "urn:y");
    g_assert_null(xml_child(root, "Y/Q"));
    g_assert_cmpstr(xml_child_text(NULL, "Y"), ==, "");
}

static void test_refused(void) {
    static const struct {
        const char *text;
        enum ec ec;
    } cases[] = {
        {"", EC_FORMAT_ERROR},
        {"<a>", EC_FORMAT_ERROR},
        {"<a></b>", EC_FORMAT_ERROR},
        {"<a/><b/>", EC_FORMAT_ERROR},
        {"<a>&nosuch;</a>", EC_FORMAT_ERROR},
        {"<a x='1' x='2'/>", EC_FORMAT_ERROR},
        {"<a>\xff</a>", EC_FORMAT_ERROR},
        {"<!DOCTYPE a><a/>", EC_FORMAT_ERROR},
        {"<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>", EC_FORMAT_ERROR},
        {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", EC_FORMAT_ERROR},
        {"<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>", EC_TOO_COMPLEX},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct xml_node *root;
        assert_ec(parse(arena, cases[i].text, &root), cases[i].ec);
    }
    ARENA_AUTO arena = arena_new();
    struct xml_node *root;
    g_autoptr(GString) many = g_string_new("<a>");
    for (unsigned i = 0; i < 100; i++)
        g_string_append(many, "<b/>");
    g_string_append(many, "</a>");
    assert_ec(parse(arena, many->str, &root), EC_TOO_COMPLEX);
    g_autofree char *large = g_malloc0(limits.bytes + 1);
    assert_ec(xml_read(arena, large, limits.bytes + 1, &limits, &root), EC_TOO_COMPLEX);
}

static void test_writing(void) {
    g_autoptr(GString) out = g_string_new(NULL);
    xml_add_element(out, "a", "<\"&\x01\xff ä>\r");
    xml_add_element(out, "b", NULL);
    xml_add_element(out, "c", "");
    g_assert_cmpstr(out->str, ==,
                    "<a>&lt;&quot;&amp;\xef\xbf\xbd\xef\xbf\xbd ä&gt;&#13;</a><c></c>");
    ARENA_AUTO arena = arena_new();
    struct xml_node *root;
    g_string_prepend(out, "<r>");
    g_string_append(out, "</r>");
    assert_ok(parse(arena, out->str, &root));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-reader/tree", test_tree);
    g_test_add_func("/xml-reader/refused", test_refused);
    g_test_add_func("/xml-reader/writing", test_writing);
    return g_test_run();
}
