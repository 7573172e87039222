// Builders: what is written is 7-bit, folded, and reads back as what it was; decoders of bodies.
#include <string.h>

#include "formats/mime_internal.h"

// Each line ends with CRLF, is short and printable ASCII.
static void check_lines(const char *s) {
    while (*s) {
        const char *end = strstr(s, "\r\n");
        g_assert_nonnull(end);
        g_assert_cmpint(end - s, <=, 78);
        for (; s < end; s++)
            g_assert_true(*s == '\t' || ((unsigned char)*s >= ' ' && (unsigned char)*s < 0x7f));
        s = end + 2;
        g_assert_true(s[-2] == '\r');
    }
}

static char *read_back(struct arena *arena, const char *header) {
    struct mime_message *m = mime_scan(arena, header, strlen(header));
    size_t pos = 0;
    struct mime_header h;
    g_assert_true(mime_header_next(m, m->root, &pos, &h));
    g_assert_cmpuint(h.whole.len, ==, strlen(header)); // one field, whatever the text was
    return mime_header_text(arena, m, m->root, "X", NULL);
}

static void test_header(void) {
    static const char *const texts[] = {
        "plain",
        "two words",
        "",
        "\xc3\xa4",
        "plain \xc3\xa4 plain",
        "\xc3\xa4 \xc3\xb6  \xc3\xbc x",
        "a  b   c",
        "looks like =?utf-8?q?a word?= but is none",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6"
        "\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa"
        "\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5",
        "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f"
        "\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
        "a very long subject that has to be folded because it does not fit on one line of a header",
        "a very long subject that has to be folded because it does not fit \xc3\xa4 one line "
        "\xc3\xa4",
        " space in front",
        "space behind ",
        "\xc3\xa4 ",
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        mime_put_header(out, "X", texts[i]);
        g_test_message("%s", out->str);
        check_lines(out->str);
        g_assert_cmpstr(read_back(arena, out->str), ==, texts[i]);
    }
    // Nothing makes a second field, invalid UTF-8 included.
    g_autoptr(GString) out = g_string_new(NULL);
    mime_put_header(out, "X", "a\r\nEvil: b\xff");
    check_lines(out->str);
    g_assert_cmpstr(read_back(arena, out->str), ==, "a  Evil: b\xef\xbf\xbd");
    g_autofree char *word = g_strnfill(5000, 'x');
    g_string_truncate(out, 0);
    mime_put_header(out, "X", word);
    check_lines(out->str);
    g_assert_cmpstr(read_back(arena, out->str), ==, word);
}

static void test_raw_header(void) {
    g_autoptr(GString) out = g_string_new(NULL);
    for (int i = 0; i < 5; i++)
        g_string_append(out, "<0123456789012345678901234567890@example.test> ");
    g_autofree char *value = g_strdup(out->str);
    g_string_truncate(out, 0);
    mime_put_raw_header(out, "References", value);
    check_lines(out->str);
    ARENA_AUTO arena = arena_new();
    g_assert_cmpuint(g_strv_length(mime_parse_ids(arena, out->str)), ==, 5);
}

static void test_addresses(void) {
    static const char *const lists[] = {
        "a@b",
        "A B <a@b>",
        "\"B, A\" <a@b>, c@d",
        "=?utf-8?q?=C3=A4?= <a@b>",
        "\"a \\\"quoted\\\" name\" <a@b>",
        "G: a@b, C <c@d>; e@f",
        "undisclosed-recipients:;",
        "\"a b\"@c",
        "nobody",
        "\"a  b\" <c@d>",
        "=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <a@b>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) out = g_string_new(NULL);
        struct mime_address *a = mime_parse_addresses(arena, lists[i]);
        mime_put_addresses(out, "To", a);
        g_test_message("%s", out->str);
        check_lines(out->str);
        struct mime_message *m = mime_scan(arena, out->str, out->len);
        struct mime_address *b =
            mime_parse_addresses(arena, mime_header_raw(arena, m, m->root, "to"));
        for (; a && b; a = a->next, b = b->next) {
            g_assert_cmpstr(a->name, ==, b->name);
            g_assert_cmpstr(a->mailbox, ==, b->mailbox);
            g_assert_cmpstr(a->domain, ==, b->domain);
        }
        g_assert_true(!a && !b);
    }
    // Many, and one that tries to break out.
    struct mime_address list[30] = {0};
    for (int i = 0; i < 30; i++)
        list[i] = (struct mime_address){.next = i < 29 ? &list[i + 1] : NULL,
                                        .name = i % 2 ? "Some \xc3\xa4 Name" : NULL,
                                        .mailbox = i == 5 ? "a\r\nX: y" : "somebody",
                                        .domain = "example.test"};
    g_autoptr(GString) out = g_string_new(NULL);
    mime_put_addresses(out, "To", list);
    check_lines(out->str);
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, out->str, out->len);
    struct mime_header h;
    size_t pos = 0, n = 0;
    g_assert_true(mime_header_next(m, m->root, &pos, &h));
    g_assert_false(mime_header_next(m, m->root, &pos, &h));
    for (struct mime_address *a =
             mime_parse_addresses(arena, mime_header_raw(arena, m, m->root, "to"));
         a; a = a->next)
        n++;
    g_assert_cmpuint(n, ==, 30);
    g_string_truncate(out, 0);
    mime_put_addresses(out, "To", NULL);
    g_assert_cmpuint(out->len, ==, 0);
}

static void test_param(void) {
    static const char *const values[] = {
        "a.txt",
        "a b.txt",
        "\"quoted\" \\ back",
        "\xc3\xa4.txt",
        "",
        "a'b%c*d",
        "line\r\nbreak",
        "a long name that goes on and on and on and on and on and on and on and on and on.txt",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6"
        "\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8.txt"};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GString) out = g_string_new("Content-Type: image/png");
        mime_put_param(out, "name", values[i]);
        g_string_append(out, "\r\n\r\n");
        g_test_message("%s", out->str);
        check_lines(out->str);
        struct mime_message *m = mime_scan(arena, out->str, out->len);
        if (i == 6) // controls do not come back
            g_assert_cmpstr(mime_filename(m->root), ==, "line  break");
        else if (g_utf8_validate(values[i], -1, NULL))
            g_assert_cmpstr(mime_filename(m->root), ==, *values[i] ? values[i] : NULL);
    }
}

static void test_date(void) {
    g_autoptr(GString) out = g_string_new(NULL);
    mime_put_date(out, "Date", 1704067200, 0);
    g_assert_cmpstr(out->str, ==, "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n");
    g_string_truncate(out, 0);
    mime_put_date(out, "Date", 1704067200, -210);
    g_assert_cmpstr(out->str, ==, "Date: Sun, 31 Dec 2023 20:30:00 -0330\r\n");
    g_string_truncate(out, 0);
    mime_put_date(out, "Date", INT64_MAX, 0);
    g_assert_cmpstr(out->str, ==, "");
}

static void check_decode(enum mime_encoding encoding, const char *in, const char *want,
                         size_t want_len) {
    g_autofree char *copy = g_memdup2(in, strlen(in));
    g_autoptr(GBytes) got = mime_decode(copy, strlen(in), encoding);
    g_test_message("%s", in);
    g_assert_cmpmem(g_bytes_get_data(got, NULL), g_bytes_get_size(got), want, want_len);
}

static void test_decode(void) {
    static const struct {
        enum mime_encoding encoding;
        const char *in, *out;
    } bodies[] = {
        {MIME_7BIT, "a=41\r\n", "a=41\r\n"},
        {MIME_UNKNOWN_ENCODING, "x", "x"},
        {MIME_BASE64, "", ""},
        {MIME_BASE64, "YWJj", "abc"},
        {MIME_BASE64, "YWJjZA==", "abcd"},
        {MIME_BASE64, "YWJjZA", "abcd"},
        {MIME_BASE64, "YWJjZGU", "abcde"},
        {MIME_BASE64, "Y W\r\nJ*j\n", "abc"},
        {MIME_BASE64, "YQ==YmM=", "abc"},
        {MIME_BASE64, "Y", ""},
        {MIME_BASE64, "====", ""},
        {MIME_QUOTED_PRINTABLE, "a=41=\r\nb=\nc= \t\r\nd  \r\n e", "aAbcd\r\n e"},
        {MIME_QUOTED_PRINTABLE, "=4=zz=", "=4=zz"},
        {MIME_QUOTED_PRINTABLE, "=c3=a4", "\xc3\xa4"},
        {MIME_QUOTED_PRINTABLE, "a \t", "a"},
        {MIME_QUOTED_PRINTABLE, "a\rb", "a\rb"},
        {MIME_UUENCODE, "x\nbegin 644 n\n#86)C\n`\nend\nmore", "abc"},
        {MIME_UUENCODE, "begin 644 name\r\n#86)C\r\n#86)C\r\n", "abcabc"},
        {MIME_UUENCODE, "begin 644 name\n#86", "a`"},
        {MIME_UUENCODE, "#86)C\n", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        check_decode(bodies[i].encoding, bodies[i].in, bodies[i].out, strlen(bodies[i].out));
}

static void test_body_round_trip(void) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (int i = 0; i < 500; i++) {
        size_t len = (size_t)g_rand_int_range(rand, 0, 400);
        g_autofree char *data = g_malloc(len + 1);
        for (size_t k = 0; k < len; k++) {
            static const char pool[] = "ab =.\t\xc3\xa4\xff";
            data[k] = pool[g_rand_int_range(rand, 0, sizeof pool)];
        }
        g_autoptr(GString) out = g_string_new("x");
        mime_put_base64(out, data, len);
        if (len)
            check_lines(out->str);
        g_autoptr(GBytes) b64 = mime_decode(out->str + 1, out->len - 1, MIME_BASE64);
        g_assert_cmpmem(g_bytes_get_data(b64, NULL), g_bytes_get_size(b64), data, len);
        g_string_truncate(out, 0);
        mime_put_quoted_printable(out, data, len);
        g_autoptr(GBytes) qp = mime_decode(out->str, out->len, MIME_QUOTED_PRINTABLE);
        g_assert_cmpmem(g_bytes_get_data(qp, NULL), g_bytes_get_size(qp), data, len);
        g_string_append(out, "\r\n");
        check_lines(out->str);
    }
    g_autoptr(GString) out = g_string_new(NULL);
    const char *text = "From me\n.\r\nb \na\tb\n\nlast";
    mime_put_quoted_printable(out, text, strlen(text));
    g_assert_cmpstr(out->str, ==, "=46rom me\r\n=2E\r\nb=20\r\na\tb\r\n\r\nlast");
}

static void test_boundary(void) {
    ARENA_AUTO arena = arena_new();
    const char *a = mime_new_boundary(arena), *b = mime_new_boundary(arena);
    g_assert_cmpstr(a, !=, b);
    g_assert_cmpuint(strlen(a), <=, 70);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime/build/header", test_header);
    g_test_add_func("/mime/build/raw-header", test_raw_header);
    g_test_add_func("/mime/build/addresses", test_addresses);
    g_test_add_func("/mime/build/param", test_param);
    g_test_add_func("/mime/build/date", test_date);
    g_test_add_func("/mime/decode", test_decode);
    g_test_add_func("/mime/body-round-trip", test_body_round_trip);
    g_test_add_func("/mime/boundary", test_boundary);
    return g_test_run();
}
