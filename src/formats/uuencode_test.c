// Finding uuencoded files in text.
#include "formats/uuencode.h"

#include <string.h>

#include "base/test.h"
#include "formats/mime.h"

static void check(const char *text, const char *name, const char *content, size_t pos) {
    struct uuencoded u;
    g_assert_true(uuencoded_find(text, strlen(text), 0, &u));
    g_assert_cmpuint(u.pos, ==, pos);
    g_assert_cmpmem(text + u.name_pos, u.name_len, name, strlen(name));
    g_assert_cmpuint(u.size, ==, strlen(content));
    g_autoptr(GBytes) bytes = mime_decode(text + u.pos, u.len, MIME_UUENCODE);
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), content,
                    strlen(content));
    g_assert_false(uuencoded_find(text, strlen(text), u.pos + u.len, &u));
}

static void check_none(const char *text) {
    struct uuencoded u;
    g_assert_false(uuencoded_find(text, strlen(text), 0, &u));
}

static void test_found(void) {
    check("begin 644 a.txt\r\n#86)C\r\n`\r\nend\r\n", "a.txt", "abc", 0);
    check("Hi\nbegin 0755 a b\n#86)C\n \nend\nbye\n", "a b", "abc", 3);
    check("begin 644 x\nno\nbegin 644 y\n#86)C\nend", "y", "abc", 15);
    check("begin 644 a\n#86)CX\n#86)C\nend\n", "a", "abcabc", 0); // a checksum
}

static void test_none(void) {
    check_none("");
    check_none("begin 644 a.txt\n#86)C\n`\n");
    check_none("text begin 644 a.txt\n#86)C\nend\n");
    check_none("begin 644 a.txt\nnot a data line of it\nend\n");
    check_none("begin 64 a.txt\n#86)C\nend\n");
    check_none("begin 844 a.txt\n#86)C\nend\n");
    check_none("begin 644 \n#86)C\nend\n");
    check_none("begin 644 a\nend\n");
    check_none("begin with the end\nend\n");
}

static void test_linear(void) {
    g_autoptr(GString) text = g_string_new(NULL);
    struct uuencoded u;
    while (text->len < 2000000)
        g_string_append(text, "begin 644 a\n#86)C\n");
    g_assert_false(uuencoded_find(text->str, text->len, 0, &u));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uuencode/found", test_found);
    g_test_add_func("/uuencode/none", test_none);
    g_test_add_func("/uuencode/linear", test_linear);
    return g_test_run();
}
