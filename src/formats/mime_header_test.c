// Header values: fields, encoded words, parameters, addresses, dates, ids, charsets.
#include <string.h>

#include "formats/mime_internal.h"

#define FFFD "\xef\xbf\xbd"

// Names the case that is tried, in ASCII.
static void note(const char *s) {
    g_autofree char *escaped = g_strescape(s, NULL);
    g_test_message("%s", escaped);
}

static void test_words(void) {
    static const struct {
        const char *raw, *text;
    } words[] = {
        {"plain", "plain"},
        {"=?utf-8?Q?a=C3=A4_b?=", "a\xc3\xa4 b"},
        {"=?UTF-8?b?w6Q=?=", "\xc3\xa4"},
        {"x =?utf-8?q?y?= z", "x y z"},
        {"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?a?= \t =?iso-8859-1?q?=E4?=", "a\xc3\xa4"},
        {"=?utf-8?q?a?=  b", "a  b"},
        {"=?utf-8?b?w6?= =?utf-8?b?Q=?=", FFFD}, // cut inside a base64 quantum
        {"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\xc3\xa4"},
        {"=?utf-8?q?=C3?= =?utf-8?b?pA==?=", "\xc3\xa4"},
        {"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
        {"=?gb2312?b?1tA=?= =?GB2312?b?ufo=?=", "\xe4\xb8\xad\xe5\x9b\xbd"},
        {"=?gb2312?b?1g==?= =?gb2312?b?0A==?=", "\xe4\xb8\xad"},
        {"=?ks_c_5601-1987?b?x9E=?=", "\xed\x95\x9c"},
        {"=?koi8-r?q?=C1?=", "\xd0\xb0"},
        {"=?windows-1251?q?=E0?=", "\xd0\xb0"},
        {"=?iso-8859-1?q?=80?=", "\xe2\x82\xac"},
        {"=?x-nothing?q?=E4?=", "\xc3\xa4"},
        {"=?x-nothing?q?=C3=A4?=", "\xc3\xa4"},
        {"=?utf-8*de?q?a?=", "a"},
        {"=?utf-8?q?a b?=", "a b"},
        {"=?utf-8?q?=3?=", "=3"},
        {"=?utf-8?q?=zz=41?=", "=zzA"},
        {"=?utf-8?q?a=0D=0AX:_y=00?=", "a  X: y"},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"=?utf-8", "=?utf-8"},
        {"=?", "=?"},
        {"=??q?a?=", "=??q?a?="},
        {"(=?utf-8?q?a?=)", "(a)"},
        {"\xc3\xa4 raw", "\xc3\xa4 raw"},
        {"\xe4 raw", "\xc3\xa4 raw"},
        {"\xe4 =?utf-8?q?=C3=A4?=", "\xc3\xa4 \xc3\xa4"},
        {"=?utf-8?q?\?=", ""},
        {"=?us-ascii?q?=C3=A4?=", "\xc3\xa4"},
        {"=?utf-16be?b?AOQ=?=", "\xc3\xa4"},
        {"=?utf-7?q?+AOQ-?=", "\xc3\xa4"},
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        note(words[i].raw);
        g_assert_cmpstr(mime_decode_words(arena, words[i].raw, NULL), ==, words[i].text);
    }
    g_assert_cmpstr(mime_decode_words(arena, "\xc1", "koi8-r"), ==, "\xd0\xb0");
}

// --- Parameters ---

static void test_filenames(void) {
    static const struct {
        const char *header, *name;
    } names[] = {
        {"Content-Disposition: attachment; filename=a.txt", "a.txt"},
        {"Content-Disposition: attachment; filename=\"a b.txt\"", "a b.txt"},
        {"Content-Disposition: attachment; filename=a b (1).txt; size=3", "a b (1).txt"},
        {"Content-Disposition: attachment; filename = \"a\\\"b\"", "a\"b"},
        {"Content-Disposition: attachment; filename=\"C:\\dir\\x.txt\"", "C:\\dir\\x.txt"},
        {"Content-Disposition: attachment; FILENAME*=utf-8''%C3%A4.txt", "\xc3\xa4.txt"},
        {"Content-Disposition: attachment; filename*=iso-8859-1'de'%E4.txt", "\xc3\xa4.txt"},
        {"Content-Disposition: attachment; filename*0=a; filename*1=b; filename*2=c", "abc"},
        {"Content-Disposition: attachment; filename*1=b; filename*0=a", "ab"},
        {"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%A4; "
         "filename*2=\"%41\"",
         "\xc3\xa4%41"},
        {"Content-Disposition: attachment; filename=plain; filename*=utf-8''%C3%A4", "\xc3\xa4"},
        {"Content-Disposition: attachment; filename=\"=?utf-8?q?=C3=A4?=.txt\"", "\xc3\xa4.txt"},
        {"Content-Disposition: attachment; filename*0=\"=?utf-8?q?=C3\"; filename*1=\"=A4?=\"",
         "\xc3\xa4"},
        {"Content-Disposition: attachment; filename==?utf-8?q?=C3=A4?=", "\xc3\xa4"},
        {"Content-Disposition: attachment; filename=\"\xc3\xa4\"", "\xc3\xa4"},
        {"Content-Disposition: attachment; filename=\"\xe4\"", "\xc3\xa4"},
        {"Content-Disposition: attachment; filename*=\"%C3%A4\"", "\xc3\xa4"},
        {"Content-Disposition: attachment; filename*=utf-8''%", "%"},
        {"Content-Disposition: filename=a.txt", "a.txt"},
        {"Content-Disposition: attachment; filename=\"open", "open"},
        {"Content-Type: image/png; name=\"b.png\"", "b.png"},
        {"Content-Type: image/png; name*=utf-8''b%2Epng", "b.png"},
        {"Content-Type: image/png name=b.png", "b.png"},
        {"Content-Type: image/png; (c) name (d) = (e) b.png (f)", "b.png"},
        {"Content-Disposition: attachment; filename=\"\"\r\nContent-Type: image/png; name=b.png",
         "b.png"},
        {"Content-Disposition: attachment", NULL},
        {"Content-Disposition: attachment; filename*99999999=a", NULL},
        {"Content-Disposition: attachment; *=a; **; =; ;;", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ARENA_AUTO arena = arena_new();
        note(names[i].header);
        struct mime_message *m = mime_scan(arena, names[i].header, strlen(names[i].header));
        g_assert_cmpstr(mime_filename(m->root), ==, names[i].name);
    }
}

static void test_param_rows(void) {
    const char *message =
        "Content-Type: text/plain; name*1=b; Name*0*=utf-8''a; charset=UTF-8\r\n\r\n";
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, strlen(message));
    g_assert_cmpuint(m->root->n_params, ==, 4);
    g_assert_cmpstr(m->root->params[0].name, ==, "name*1");
    g_assert_cmpstr(m->root->params[1].raw, ==, "utf-8''a");
    g_assert_cmpstr(mime_param(m->root->params, 4, "name"), ==, "ab");
    g_assert_null(m->root->params[3].raw);
    g_assert_cmpstr(mime_param(m->root->params, 4, "charset"), ==, "UTF-8");
    g_autoptr(GString) many = g_string_new("Content-Type: text/plain");
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(many, "; p%d*%d*=x", i, i % 7);
    m = mime_scan(arena, many->str, many->len);
    g_assert_cmpuint(m->root->n_params, <=, 2 * MIME_MAX_PARAMS);
}

// --- Addresses ---

// "name|route|mailbox|domain" a line; "-" for NULL.
static char *describe(const struct mime_address *a) {
    GString *out = g_string_new(NULL);
    for (; a; a = a->next)
        g_string_append_printf(out, "%s%s|%s|%s|%s", out->len ? "\n" : "", a->name ? a->name : "-",
                               a->route ? a->route : "-", a->mailbox ? a->mailbox : "-",
                               a->domain ? a->domain : "-");
    return g_string_free(out, FALSE);
}

static void test_addresses(void) {
    static const struct {
        const char *raw, *list;
    } lists[] = {
        {"", ""},
        {"a@b", "-|-|a|b"},
        {"<a@b>", "-|-|a|b"},
        {"A B <a@b>", "A B|-|a|b"},
        {"\"B, A\" <a@b>, c@d", "B, A|-|a|b\n-|-|c|d"},
        {"a@b (A B)", "A B|-|a|b"},
        {"<a@b> (A (x) B)", "A (x) B|-|a|b"},
        {"=?utf-8?q?=C3=A4=2C?= <a@b>", "\xc3\xa4,|-|a|b"},
        {"=?utf-8?q?A,_B?= <a@b>", "A, B|-|a|b"},
        {"=?utf-8?q?A?= =?utf-8?q?B?= <a@b>", "AB|-|a|b"},
        {"\"=?utf-8?q?A?=\" <a@b>", "A|-|a|b"},
        {"J. R. Hacker <a@b>", "J. R. Hacker|-|a|b"},
        {"\"a b\"@c", "-|-|a b|c"},
        {"<\"a\\\"b\"@c>", "-|-|a\"b|c"},
        {"a . b @ c . d", "-|-|a.b|c.d"},
        {"<@x,@y:a@b>", "-|@x,@y|a|b"},
        {"G:;", "-|-|G|-\n-|-|-|-"},
        {"undisclosed-recipients:;", "-|-|undisclosed-recipients|-\n-|-|-|-"},
        {"My Group: a@b, C <c@d>; e@f", "-|-|My Group|-\n-|-|a|b\nC|-|c|d\n-|-|-|-\n-|-|e|f"},
        {"G: a@b", "-|-|G|-\n-|-|a|b\n-|-|-|-"},
        {"a@[1.2.3.4]", "-|-|a|[1.2.3.4]"},
        {"\xc3\xa4@\xc3\xb6.de", "-|-|\xc3\xa4|\xc3\xb6.de"},
        {"\xc3\xa4 x <a@b>", "\xc3\xa4 x|-|a|b"},
        {"\xe4 <a@b>", "\xc3\xa4|-|a|b"},
        {"nobody", "-|-|nobody|"},
        {"Undisclosed <>", "Undisclosed|-||"},
        {"<>", "-|-||"},
        {"<a>", "-|-|a|"},
        {"a@b c@d", "-|-|a|b\n-|-|c|d"},
        {"John Doe j@x", "John Doe|-|j|x"},
        {"a@b <c@d>", "a@b|-|c|d"},
        {"x a@b <c@d>", "x a@b|-|c|d"},
        {"a@b@c", "-|-|a@b|c"},
        {"<a@b@c>", "-|-|a@b|c"},
        {"A <a@b", "A|-|a|b"},
        {"A <a@b, C <c@d>", "A|-|a|b\nC|-|c|d"},
        {"A <<a@b>>", "A|-||\n-|-|a|b"},
        {"a@b;c@d", "-|-|a|b\n-|-|c|d"},
        {"a@b,,c@d,", "-|-|a|b\n-|-|c|d"},
        {"\"unclosed <a@b>", "-|-|unclosed <a@b>|"},
        {"(only a comment)", ""},
        {"[x] <a@b>", "[x]|-|a|b"},
        {"A [x] B <a@b>", "A [x] B|-|a|b"},
        {"@", "-|-||"},
        {"mailto:a@b", "-|-|mailto|-\n-|-|a|b\n-|-|-|-"},
        {"A\\B <a@b>", "A\\B|-|a|b"},
        {"a.@b.c", "-|-|a.|b.c"},
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        note(lists[i].raw);
        g_autofree char *got = describe(mime_parse_addresses(arena, lists[i].raw));
        g_assert_cmpstr(got, ==, lists[i].list);
    }
}

static void test_address_limits(void) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) s = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append(s, "a@b, ");
    unsigned n = 0;
    for (struct mime_address *a = mime_parse_addresses(arena, s->str); a; a = a->next)
        n++;
    g_assert_cmpuint(n, ==, 10000);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "=?a?q?x ");
    mime_parse_addresses(arena, s->str);
    mime_decode_words(arena, s->str, NULL);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "a@b");
    mime_parse_addresses(arena, s->str);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "@ ");
    mime_parse_addresses(arena, s->str);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "a@b <");
    mime_parse_addresses(arena, s->str);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "<@a");
    mime_parse_addresses(arena, s->str);
    g_string_truncate(s, 0);
    for (int i = 0; i < 200000; i++)
        g_string_append(s, "a@b.(");
    mime_parse_addresses(arena, s->str);
}

static void test_address_format(void) {
    static const char *const addresses[] = {"a@b",   "\"a b\"@c",  "\"a\\\"b\"@c",
                                            "a.b@c", "\"a..b\"@c", "nobody"};
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
        g_assert_cmpstr(mime_address_format(arena, mime_parse_addresses(arena, addresses[i])), ==,
                        addresses[i]);
}

// --- Dates, ids, fields, charsets ---

static void test_dates(void) {
    static const struct {
        const char *raw;
        int64_t unix_time;
        int zone;
    } dates[] = {
        {"Mon, 1 Jan 2024 00:00:00 +0000", 1704067200, 0},
        {"1 Jan 2024 00:00:00 +0100", 1704063600, 60},
        {"Mon,  1 Jan 2024 01:02 -0330 (x)", 1704083520, -210},
        {"Mon, 01 Jan 24 00:00:00 GMT", 1704067200, 0},
        {"Mon, 01 Jan 99 00:00:00 EST", 915166800, -300},
        {"Mon Jan  1 00:00:00 2024", 1704067200, 0},
        {"Mon, 1-Jan-2024 00:00:00 PDT", 1704092400, -420},
        {"2024-01-01T00:00:00Z", 1704067200, 0},
        {"2024-01-01T01:00:00.123+01:00", 1704067200, 60},
        {"1 January 2024 12:00:00 PM", 1704110400, 0},
        {"1 Jan 2024 12:00:00 AM", 1704067200, 0},
        {"1 (c (d)) Jan (e) 2024 00:00 (f) +0000", 1704067200, 0},
        {"29 Feb 2024 23:59:60 +0000", 1709251199, 0},
        {"1 Jan 1970 00:00:00 -0000", 0, 0},
        {"Thu, 1 Jan 1601 00:00:00 +0000", -11644473600, 0},
        {"1 Jan 2024", 1704067200, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        int64_t t = -1;
        int zone = -1;
        note(dates[i].raw);
        g_assert_true(mime_parse_date(dates[i].raw, &t, &zone));
        g_assert_cmpint(t, ==, dates[i].unix_time);
        g_assert_cmpint(zone, ==, dates[i].zone);
    }
    static const char *const bad[] = {"",
                                      "hello",
                                      "32 Jan 2024 00:00:00",
                                      "1 Foo 2024 00:00:00",
                                      "1 Jan 2024 99:99:99 +0000",
                                      "Jan 2024",
                                      "((((",
                                      "1 1 1 1 1"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mime_parse_date(bad[i], NULL, NULL));
}

static void test_ids(void) {
    ARENA_AUTO arena = arena_new();
    char **ids = mime_parse_ids(arena, "<a@b> junk <c\t@d><e@f> <> <open");
    g_assert_cmpstr(ids[0], ==, "a@b");
    g_assert_cmpstr(ids[1], ==, "c@d");
    g_assert_cmpstr(ids[2], ==, "e@f");
    g_assert_null(ids[3]);
    g_assert_cmpstr(mime_parse_ids(arena, "a@b")[0], ==, "a@b");
    g_assert_null(mime_parse_ids(arena, "see above")[0]);
}

static void test_fields(void) {
    const char *message =
        "From x\r\nA:1\r\nno field\r\nB : 2\r\n 3\r\n\t4\r\n: x\r\nC:\r\n\r\nD: 5\r\n";
    ARENA_AUTO arena = arena_new();
    struct mime_message *m = mime_scan(arena, message, strlen(message));
    struct mime_header h;
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t pos = 0; mime_header_next(m, m->root, &pos, &h);) {
        g_string_append_len(names, message + h.name.pos, (gssize)h.name.len);
        g_string_append_printf(names, "=%zu/%zu,", h.value.len, h.whole.len);
    }
    g_assert_cmpstr(names->str, ==, "A=1/5,B=10/15,C=0/4,");
    g_assert_cmpstr(mime_header_raw(arena, m, m->root, "b"), ==, "2 3 4");
    g_assert_cmpstr(mime_header_raw(arena, m, m->root, "C"), ==, "");
    g_assert_null(mime_header_raw(arena, m, m->root, "D"));
    static const char nul[] = "A: x\0y\rz\r\n\r\n";
    m = mime_scan(arena, nul, sizeof nul - 1);
    g_assert_cmpstr(mime_header_raw(arena, m, m->root, "A"), ==, "x y z");
    g_assert_cmpstr(mime_header_text(arena, m, m->root, "a", NULL), ==, "x y z");
}

static void test_charsets(void) {
    static const struct {
        const char *charset, *bytes, *text;
    } texts[] = {
        {NULL, "abc", "abc"},
        {"us-ascii", "\xe4", "\xc3\xa4"},
        {"utf-8", "\xc3\xa4\xff", "\xc3\xa4" FFFD},
        {"\"UTF-8\"", "\xc3\xa4", "\xc3\xa4"},
        {"utf-8*en", "\xc3\xa4", "\xc3\xa4"},
        {"iso-8859-1", "\x80\xe4", "\xe2\x82\xac\xc3\xa4"},
        {"ISO-8859-2", "\xb1", "\xc4\x85"},
        {"iso-8859-15", "\xa4", "\xe2\x82\xac"},
        {"Shift_JIS", "\x93\xfa", "\xe6\x97\xa5"},
        {"euc-jp", "\xc6\xfc", "\xe6\x97\xa5"},
        {"big5", "\xa4\xa4", "\xe4\xb8\xad"},
        {"gb18030", "\xd6\xd0", "\xe4\xb8\xad"},
        {"hz-gb-2312", "~{VP~}", "\xe4\xb8\xad"},
        {"euc-kr", "\xc7\xd1", "\xed\x95\x9c"},
        {"tis-620", "\xa1", "\xe0\xb8\x81"},
        {"cp850", "\x84", "\xc3\xa4"},
        {"macintosh", "\x8a", "\xc3\xa4"},
        {"windows-1255", "\xe0", "\xd7\x90"},
        {"../../etc/passwd", "\xe4", "\xc3\xa4"},
        {"utf-8,swaplfnl", "\xc3\xa4", "\xc3\xa4"},
        {"", "\xe4", "\xc3\xa4"},
        {"iso-2022-jp", "\x1b$BF|", "\xe6\x97\xa5"},
    };
    ARENA_AUTO arena = arena_new();
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        size_t len;
        note(texts[i].charset ? texts[i].charset : "none");
        const char *got =
            mime_to_utf8(arena, texts[i].bytes, strlen(texts[i].bytes), texts[i].charset, &len);
        g_assert_cmpstr(got, ==, texts[i].text);
        g_assert_cmpuint(len, ==, strlen(got));
    }
    // Longer than one piece of the conversion, with surrogates across its end.
    g_autofree char *big = g_malloc(4 * 5000);
    for (int i = 0; i < 5000; i++)
        memcpy(big + 4 * i, "\x3d\xd8\x00\xde", 4);
    size_t len;
    const char *got = mime_to_utf8(arena, big, 4 * 5000, "utf-16le", &len);
    g_assert_cmpuint(len, ==, 4 * 5000);
    g_assert_true(g_utf8_validate(got, -1, NULL));
    g_assert_cmpmem(got + 4 * 4999, 4, "\xf0\x9f\x98\x80", 4);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mime/words", test_words);
    g_test_add_func("/mime/filenames", test_filenames);
    g_test_add_func("/mime/param-rows", test_param_rows);
    g_test_add_func("/mime/addresses", test_addresses);
    g_test_add_func("/mime/address-limits", test_address_limits);
    g_test_add_func("/mime/address-format", test_address_format);
    g_test_add_func("/mime/dates", test_dates);
    g_test_add_func("/mime/ids", test_ids);
    g_test_add_func("/mime/fields", test_fields);
    g_test_add_func("/mime/charsets", test_charsets);
    return g_test_run();
}
