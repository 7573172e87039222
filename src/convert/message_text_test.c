// The words of whole messages: each part where it belongs, attachments of every kind, attached
// messages, the administrator's converter.
#include "convert/message_text.h"

#include <string.h>

#include "base/test.h"
#include "convert/convert_internal.h"
#include "convert/external_converter.h"
#include "formats/rtf_compressed.h"
#include "formats/rtf_write.h"

static enum ec read_mime(void *ctx, const struct prop_external *e, GBytes **out) {
    const struct mime_message *mime = ctx;
    *out = mime_decode(mime->data + e->pos, e->len, e->encoding);
    if (e->charset) {
        ARENA_AUTO arena = arena_new();
        size_t len;
        const char *text = mime_to_utf8(arena, g_bytes_get_data(*out, NULL), g_bytes_get_size(*out),
                                        e->charset, &len);
        g_bytes_unref(*out);
        *out = g_bytes_new(text, len);
    }
    return EC_OK;
}

// The words of an internet message.
static struct message_text text_of(struct arena *arena, const char *raw, const char *converter) {
    struct mime_message *mime = mime_scan(arena, raw, strlen(raw));
    struct convert_source source = {read_mime, mime};
    struct message_value *m;
    struct message_text out;
    assert_ok(convert_mime_to_message(mime, &m));
    assert_ok(message_text(m, &source, converter, arena, &out));
    message_value_free(m);
    return out;
}

#define HEADERS                                                                                    \
    "From: =?utf-8?q?J=C3=BCrgen?= <j@e.example>\r\nTo: Ann <ann@e.example>, bob@e.example\r\n"    \
    "Cc: Carl <carl@e.example>\r\nReply-To: Desk <desk@e.example>\r\n"                             \
    "Subject: =?iso-8859-1?q?Caf=E9?= menu\r\nKeywords: red, blue\r\nOrganization: Firm\r\n"       \
    "MIME-Version: 1.0\r\n"

static void test_parts(void) {
    ARENA_AUTO arena = arena_new();
    struct message_text t = text_of(arena, HEADERS "\r\nHello\r\nworld\x01\r\n", NULL);
    g_assert_cmpstr(t.parts[TEXT_SUBJECT], ==, "Café menu\n");
    g_assert_cmpstr(t.parts[TEXT_SENDER], ==, "Jürgen\nj@e.example\nDesk\ndesk@e.example\n");
    g_assert_cmpstr(t.parts[TEXT_RECIPIENTS], ==,
                    "Ann\nann@e.example\nbob@e.example\nCarl\ncarl@e.example\n");
    g_assert_cmpstr(t.parts[TEXT_BODY], ==, "Hello\nworld \n");
    g_assert_cmpstr(t.parts[TEXT_OTHER], ==, "Firm\nred\nblue\n");
    g_assert_cmpstr(t.parts[TEXT_ATTACHMENTS], ==, "");
    g_assert_cmpstr(t.parts[TEXT_ATTACHMENT_NAMES], ==, "");
}

static void test_empty(void) {
    ARENA_AUTO arena = arena_new();
    struct message_text t = text_of(arena, "", NULL);
    for (int i = 0; i < TEXT_PARTS; i++)
        g_assert_cmpstr(t.parts[i], ==, "");
}

static void test_html(void) {
    ARENA_AUTO arena = arena_new();
    struct message_text t = text_of(arena,
                                    "Content-Type: text/html; charset=koi8-r\r\n\r\n"
                                    "<p>\xC4\xC1</p><script>no</script>",
                                    NULL);
    g_assert_cmpstr(t.parts[TEXT_BODY], ==, "да\n");
#define ALTERNATIVE(text, html)                                                                    \
    "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n" text                      \
    "\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" html "\r\n--b--\r\n"
    t = text_of(arena, ALTERNATIVE("One *two*", "<p>One <b>two</b> three"), NULL);
    g_assert_cmpstr(t.parts[TEXT_BODY], ==, "One two three\n");
    t = text_of(arena, ALTERNATIVE("Get a better program", "<p>One"), NULL);
    g_assert_cmpstr(t.parts[TEXT_BODY], ==, "One\nGet a better program\n");
}

static const char mixed[] =
    "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbody\r\n"
    "--b\r\nContent-Type: text/plain; charset=iso-8859-1; name=a.txt\r\n\r\ncaf\xE9\r\n"
    "--b\r\nContent-Type: text/html; name=b.html\r\nContent-Disposition: attachment\r\n\r\n"
    "<p>page<br>two\r\n"
    "--b\r\nContent-Type: application/octet-stream; name=c.rtf\r\n\r\n{\\rtf1 rich\\par text}\r\n"
    "--b\r\nContent-Type: text/calendar; charset=utf-8; name=d.ics\r\n"
    "Content-Transfer-Encoding: base64\r\n\r\nU1VNTUFSWTpMdW5jaA==\r\n"
    "--b\r\nContent-Type: text/x-vcard; name=e.vcf\r\n\r\nFN:Jane\r\n"
    "--b\r\nContent-Type: application/pdf; name=\"-f \xC3\xA9.pdf\"\r\n\r\nPDF words\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\n" HEADERS
    "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ninner body\r\n"
    "--c\r\nContent-Type: text/plain; name=g.txt\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "aW5uZXIgYXR0YWNobWVudA==\r\n--c--\r\n"
    "--b--\r\n";

static void test_attachments(void) {
    ARENA_AUTO arena = arena_new();
    struct message_text t = text_of(arena, mixed, NULL);
    g_assert_cmpstr(t.parts[TEXT_SUBJECT], ==, "outer\n");
    g_assert_cmpstr(t.parts[TEXT_BODY], ==, "body\n");
    g_assert_cmpstr(t.parts[TEXT_ATTACHMENT_NAMES], ==,
                    "a.txt\nb.html\nc.rtf\nd.ics\ne.vcf\n-f é.pdf\nCafé menu\n");
    g_assert_cmpstr(t.parts[TEXT_ATTACHMENTS], ==,
                    "café\npage\ntwo\nrich\ntext\nLunch\nJane\n"
                    "Café menu\nJürgen\nj@e.example\nDesk\ndesk@e.example\n"
                    "Ann\nann@e.example\nbob@e.example\nCarl\ncarl@e.example\n"
                    "Firm\nred\nblue\ninner body\ng.txt\ninner attachment\n");
}

// Messages in messages: as deep as the limit, and no deeper.
static void test_nesting(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) raw = g_string_new(NULL);
    for (int i = 0; i < 20; i++)
        g_string_append_printf(raw, "Subject: level%d\r\nContent-Type: message/rfc822\r\n\r\n", i);
    g_string_append(raw, "Subject: last\r\n\r\nbody\r\n");
    struct message_text t = text_of(arena, raw->str, NULL);
    g_assert_cmpstr(t.parts[TEXT_SUBJECT], ==, "level0\n");
    g_assert_nonnull(strstr(t.parts[TEXT_ATTACHMENTS], "level8\n"));
    g_assert_null(strstr(t.parts[TEXT_ATTACHMENTS], "level10"));
}

static void test_limit(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) raw = g_string_new("Content-Type: text/plain; charset=utf-8\r\n\r\n");
    while (raw->len < TEXT_PART_MAX + 100000)
        g_string_append(raw, "w\xC3\xB6rds ");
    struct message_text t = text_of(arena, raw->str, NULL);
    size_t len = strlen(t.parts[TEXT_BODY]);
    g_assert_cmpuint(len, >, TEXT_PART_MAX - 8);
    g_assert_cmpuint(len, <=, TEXT_PART_MAX + 1);
    g_assert_true(g_utf8_validate(t.parts[TEXT_BODY], (gssize)len, NULL));
}

// A message born in MAPI, with RTF as its only body.
static void test_rtf_body(void) {
    ARENA_AUTO arena = arena_new();
    struct message_value *m = message_value_new();
    struct message_text out;
    static const char html[] = "<p>rich <b>words</b></p>";
    g_autoptr(GBytes) rtf = rtf_from_html(html, strlen(html));
    g_autoptr(GBytes) packed = rtf_compress(g_bytes_get_data(rtf, NULL), g_bytes_get_size(rtf));
    bag_set_bytes(m->bag, PidTagRtfCompressed, g_bytes_get_data(packed, NULL),
                  g_bytes_get_size(packed));
    bag_set_str(m->bag, PidTagCompanyName, "Firm");
    bag_set_str(m->bag, PidLidLocation, "Room 1");
    bag_set_str(m->bag, PidLidEmail1AddressType, "SMTP");
    bag_set_str(m->bag, PidTagMessageClass, "IPM.Note");
    assert_ok(message_text(m, NULL, NULL, arena, &out));
    g_assert_cmpstr(out.parts[TEXT_BODY], ==, "rich words\n");
    g_assert_cmpstr(out.parts[TEXT_OTHER], ==, "Firm\nRoom 1\n");
    message_value_free(m);
}

// --- The converter ---

static const char upper[] = "/bin/sh -c 'printf \"%s %s \" \"$1\" \"$2\"; tr a-z A-Z' sh";

static void test_converter(void) {
    ARENA_AUTO arena = arena_new();
    struct message_text t = text_of(arena, mixed, upper);
    // What is text needs no converter; a name never looks like an option.
    g_assert_nonnull(
        strstr(t.parts[TEXT_ATTACHMENTS], "Jane\napplication/pdf _f é.pdf PDF WORDS\nCafé menu\n"));
    g_assert_null(strstr(t.parts[TEXT_ATTACHMENTS], "CAF"));
    // One that fails takes nothing else away.
    t = text_of(arena, mixed, "/nonexistent/converter");
    g_assert_nonnull(strstr(t.parts[TEXT_ATTACHMENTS], "Jane\nCafé menu\n"));
    t = text_of(arena, mixed, "/bin/sh -c 'echo partial; exit 3'");
    g_assert_nonnull(strstr(t.parts[TEXT_ATTACHMENTS], "Jane\nCafé menu\n"));
    t = text_of(arena, mixed, "'unclosed quote");
    g_assert_nonnull(strstr(t.parts[TEXT_ATTACHMENTS], "Jane\nCafé menu\n"));
}

static enum ec run(const char *command, GBytes *content, int64_t timeout_ms, size_t max,
                   GString *out) {
    g_string_truncate(out, 0);
    return external_convert(command, "a/b", "name", content, timeout_ms, max, out);
}

static void test_converter_limits(void) {
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *big = g_strnfill(3000000, 'x');
    g_autoptr(GBytes) content = g_bytes_new_static(big, 3000000);
    assert_ok(run("/bin/sh -c 'cat'", content, 10000, 10000000, out));
    g_assert_cmpuint(out->len, ==, 3000000);
    // It need not read, and may read twice.
    assert_ok(run("/bin/sh -c 'echo none'", content, 10000, 100, out));
    g_assert_cmpstr(out->str, ==, "none\n");
    assert_ok(run("/bin/sh -c 'wc -c </proc/self/fd/0; wc -c'", content, 10000, 100, out));
    g_assert_cmpstr(out->str, ==, "3000000\n3000000\n");
    // Too much output ends it.
    assert_ok(run("/bin/sh -c 'cat /dev/zero'", content, 10000, 100000, out));
    g_assert_cmpuint(out->len, ==, 100000);
    // Time ends it and its children, also when it closed its output.
    gint64 start = g_get_monotonic_time();
    assert_ec(run("/bin/sh -c 'sleep 60 & sleep 60'", content, 200, 100, out), EC_TIMEOUT);
    assert_ec(run("/bin/sh -c 'exec >&-; sleep 60'", content, 200, 100, out), EC_TIMEOUT);
    assert_ec(run("/bin/sh -c 'sleep 60 & exit 0'", content, 200, 100, out), EC_TIMEOUT);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    assert_ec(run("/bin/sh -c 'exit 1'", content, 10000, 100, out), EC_CALL_FAILED);
    assert_ec(run("/nonexistent", content, 10000, 100, out), EC_NOT_FOUND);
    assert_ec(run("", content, 10000, 100, out), EC_INVALID_PARAMETER);
    // None of our files are open in it: only standard ones, and the one that lists them.
    assert_ok(run("/bin/sh -c 'ls /proc/self/fd | wc -l'", content, 10000, 100, out));
    g_assert_cmpstr(g_strstrip(out->str), ==, "4");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message_text/parts", test_parts);
    g_test_add_func("/message_text/empty", test_empty);
    g_test_add_func("/message_text/html", test_html);
    g_test_add_func("/message_text/attachments", test_attachments);
    g_test_add_func("/message_text/nesting", test_nesting);
    g_test_add_func("/message_text/limit", test_limit);
    g_test_add_func("/message_text/rtf_body", test_rtf_body);
    g_test_add_func("/message_text/converter", test_converter);
    g_test_add_func("/message_text/converter_limits", test_converter_limits);
    return g_test_run();
}
