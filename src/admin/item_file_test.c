// Every format as every other that makes sense.
#include "admin/item_file.h"

#include <string.h>

#include "base/test.h"

static const struct item_options options = {.vcard = VCARD_3_0};

static GBytes *convert(enum item_format from, GBytes *bytes, enum item_format to) {
    struct item_file file;
    GBytes *out = NULL;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    assert_ok(item_file_open(from, data ? data : "", len, &file));
    assert_ok(item_file_write(&file, to, &options, &out));
    item_file_close(&file);
    return out;
}

static bool has(GBytes *bytes, const char *text) {
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    return data && memmem(data, len, text, strlen(text));
}

// The text of a mail survives the way through any two formats.
static void test_bodies(void) {
    static const char mail[] =
        "From: a@e.example\r\nTo: b@e.example\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/html; charset=utf-8\r\n\r\n<p>caf\xc3\xa9 <b>bold</b></p>\r\n";
    static const enum item_format all[] = {ITEM_EML,  ITEM_MSG,  ITEM_TNEF, ITEM_RTF,
                                           ITEM_LZFU, ITEM_HTML, ITEM_TEXT};
    g_autoptr(GBytes) start = g_bytes_new_static(mail, strlen(mail));
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(GBytes) middle = convert(ITEM_EML, start, all[i]);
        for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
            g_autoptr(GBytes) out = convert(all[i], middle, all[k]);
            g_autoptr(GBytes) text = convert(all[k], out, ITEM_TEXT);
            g_assert_true(has(text, "caf\xc3\xa9 bold"));
        }
    }
}

static void test_messages(void) {
    static const char mail[] =
        "From: Ann <a@e.example>\r\nTo: b@e.example\r\nSubject: =?utf-8?q?H=C3=A4?=\r\n"
        "Message-ID: <1@e.example>\r\nX-Own: thing\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
        "Content-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "JVBERg==\r\n--b--\r\n";
    g_autoptr(GBytes) start = g_bytes_new_static(mail, strlen(mail));
    static const enum item_format ways[] = {ITEM_MSG, ITEM_TNEF};
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(GBytes) middle = convert(ITEM_EML, start, ways[i]);
        g_assert_cmpint(
            item_format_of_data(g_bytes_get_data(middle, NULL), g_bytes_get_size(middle)), ==,
            ways[i]);
        g_autoptr(GBytes) back = convert(ways[i], middle, ITEM_EML);
        static const char *const lines[] = {"From: Ann <a@e.example>\r\n",
                                            "To: b@e.example\r\n",
                                            "Subject: =?utf-8?Q?H=C3=A4?=\r\n",
                                            "Message-ID: <1@e.example>\r\n",
                                            "X-Own: thing\r\n",
                                            "JVBERg==",
                                            "filename=x.pdf"};
        for (size_t k = 0; k < G_N_ELEMENTS(lines); k++)
            if (!has(back, lines[k]))
                g_error("no \"%s\" in %.*s", lines[k], (int)g_bytes_get_size(back),
                        (const char *)g_bytes_get_data(back, NULL));
    }
}

static void test_cards(void) {
    static const char cards[] =
        "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Ann Bee\r\nN:Bee;Ann\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Cy\r\nEND:VCARD\r\n";
    g_autoptr(GBytes) two = g_bytes_new_static(cards, strlen(cards));
    g_autoptr(GBytes) one = g_bytes_new_static(cards, 63);
    g_autoptr(GBytes) again = convert(ITEM_VCARD, two, ITEM_VCARD);
    g_assert_true(has(again, "VERSION:3.0\r\n") && has(again, "FN:Cy\r\n"));
    g_autoptr(GBytes) msg = convert(ITEM_VCARD, one, ITEM_MSG);
    g_autoptr(GBytes) back = convert(ITEM_MSG, msg, ITEM_VCARD);
    g_assert_true(has(back, "N:Bee;Ann;;;\r\n"));
    struct item_file file;
    GBytes *out = NULL;
    assert_ok(item_file_open(ITEM_VCARD, cards, strlen(cards), &file));
    assert_ec(item_file_write(&file, ITEM_MSG, &options, &out), EC_TOO_MANY_OBJECTS);
    item_file_close(&file);
    assert_ok(item_file_open(ITEM_TEXT, "x", 1, &file));
    assert_ec(item_file_write(&file, ITEM_VCARD, &options, &out), EC_NOT_SUPPORTED);
    item_file_close(&file);
    assert_ec(item_file_open(ITEM_MSG, "x", 1, &file), EC_FORMAT_ERROR);
    assert_ec(item_file_open(ITEM_VCARD, "x", 1, &file), EC_FORMAT_ERROR);
}

static void test_formats(void) {
    g_assert_cmpint(item_format_of_file("/a/b.EML"), ==, ITEM_EML);
    g_assert_cmpint(item_format_of_file("winmail.dat"), ==, ITEM_TNEF);
    g_assert_cmpint(item_format_of_file("/a.msg/b"), ==, ITEM_UNKNOWN);
    g_assert_cmpint(item_format_of_data("{\\rtf1 x}", 9), ==, ITEM_RTF);
    g_assert_cmpint(item_format_of_data("From: x", 7), ==, ITEM_UNKNOWN);
    g_assert_cmpstr(item_format_name(ITEM_LZFU), ==, "lzfu");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/item_file/bodies", test_bodies);
    g_test_add_func("/item_file/messages", test_messages);
    g_test_add_func("/item_file/cards", test_cards);
    g_test_add_func("/item_file/formats", test_formats);
    return g_test_run();
}
