// NUL bytes leave a message, and come back when its parts are decoded.
#include "formats/mime_binary.h"

#include <string.h>

#include "base/test.h"
#include "formats/mime.h"

static GBytes *encode(const char *text, size_t len) {
    GBytes *out = mime_encode_binary(text, len);
    gsize n;
    if (out)
        g_assert_null(memchr(g_bytes_get_data(out, &n), 0, g_bytes_get_size(out)));
    return out;
}
#define ENCODE(text) encode(text, sizeof text - 1)

static void test_single(void) {
    g_autoptr(GBytes) out = ENCODE("Subject: x\r\ncontent-transfer-encoding:\r\n binary\r\n"
                                   "Content-Type: application/x\r\n\r\na\0b\r\n\0");
    g_assert_nonnull(out);
    ARENA_AUTO arena = arena_new();
    gsize len;
    const char *data = g_bytes_get_data(out, &len);
    struct mime_message *m = mime_scan(arena, data, len);
    g_assert_cmpint(m->root->encoding, ==, MIME_BASE64);
    g_autoptr(GBytes) body = mime_decode_body(m, m->root);
    g_assert_cmpmem(g_bytes_get_data(body, NULL), g_bytes_get_size(body), "a\0b\r\n\0", 6);
    g_assert_cmpstr(mime_header_raw(arena, m, m->root, "Subject"), ==, "x");
}

static void test_nested(void) {
    static const char text[] = "Content-Type: multipart/mixed; boundary=b\r\n"
                               "Content-Transfer-Encoding: binary\r\n\r\n"
                               "--b\r\n\r\nplain\r\n"
                               "--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\1\2\r\n"
                               "--b\r\nContent-Transfer-Encoding: binary\r\n\r\nno nul\r\n"
                               "--b--\r\n";
    g_autoptr(GBytes) out = encode(text, sizeof text - 1);
    g_assert_nonnull(out);
    ARENA_AUTO arena = arena_new();
    gsize len;
    const char *data = g_bytes_get_data(out, &len);
    struct mime_message *m = mime_scan(arena, data, len);
    g_assert_cmpint(m->root->encoding, ==, MIME_8BIT);
    g_assert_cmpuint(m->n_parts, ==, 4);
    const struct mime_part *second = mime_find(m, "2"), *third = mime_find(m, "3");
    g_autoptr(GBytes) body = mime_decode_body(m, second);
    g_assert_cmpmem(g_bytes_get_data(body, NULL), g_bytes_get_size(body), "\0\1\2", 3);
    g_assert_cmpint(third->encoding, ==, MIME_BINARY); // nothing to change
}

static void test_elsewhere(void) {
    g_assert_null(ENCODE("Subject: a\0b\r\n\r\ntext"));
    g_assert_null(ENCODE("Subject: x\r\n\r\na\0b"));
    g_assert_null(ENCODE("Content-Transfer-Encoding: 8bit\r\n\r\na\0b"));
    g_assert_null(ENCODE("Content-Transfer-Encoding: base64\r\n\r\na\0b"));
    g_autoptr(GBytes) none = ENCODE("Subject: x\r\n\r\nno nul");
    g_assert_cmpmem(g_bytes_get_data(none, NULL), g_bytes_get_size(none),
                    "Subject: x\r\n\r\nno nul", 20);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime_binary/single", test_single);
    g_test_add_func("/mime_binary/nested", test_nested);
    g_test_add_func("/mime_binary/elsewhere", test_elsewhere);
    return g_test_run();
}
