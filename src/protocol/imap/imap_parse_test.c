// The argument parser and the small codecs around it, by tables.
#include "protocol/imap/imap_parse.h"

#include <string.h>

#include "base/test.h"
#include "protocol/imap/fetch.h"
#include "protocol/imap/imap_date.h"
#include "protocol/imap/imap_flags.h"
#include "protocol/imap/imap_set.h"
#include "protocol/imap/imap_utf7.h"
#include "protocol/imap/list_match.h"

static struct imap_parser parser(struct arena *arena, const char *text) {
    return (struct imap_parser){.arena = arena, .data = text, .len = strlen(text)};
}

static void test_astring(void) {
    static const struct {
        const char *text, *value; // value NULL: fails
        size_t left;
    } cases[] = {
        {"atom rest", "atom", 5},
        {"a]b", "a]b", 0},
        {"\"quoted \\\"x\\\\\"", "quoted \"x\\", 0},
        {"\"\"", "", 0},
        {"{3}\r\nabc rest", "abc", 5},
        {"{0}\r\n", "", 0},
        {"{3+}\r\nabc", "abc", 0},
        {"{3}\nabc", "abc", 0},
        {"{4}\r\nabc", NULL, 0},
        {"{99999999999999999999}\r\nabc", NULL, 0},
        {"{18446744073709551615}\r\nabc", NULL, 0},
        {"{-1}\r\n", NULL, 0},
        {"{}\r\n", NULL, 0},
        {"{3}abc", NULL, 0},
        {"{3", NULL, 0},
        {"\"open", NULL, 0},
        {"\"a\\b\"", NULL, 0},
        {"\"a\\", NULL, 0},
        {"\"a\r\nb\"", NULL, 0},
        {"(x)", NULL, 0},
        {"a{1}", "a", 3},
        {"", NULL, 0},
        {" x", NULL, 0},
        {"%", NULL, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct imap_parser p = parser(arena, cases[i].text);
        const char *value = imap_astring(&p, NULL);
        g_assert_cmpstr(value, ==, cases[i].value);
        g_assert_cmpint(imap_ok(&p), ==, value != NULL);
        if (value)
            g_assert_cmpuint(p.len - p.pos, ==, cases[i].left);
        else
            g_assert_nonnull(p.error);
    }
}

static void test_sticky_error(void) {
    ARENA_AUTO arena = arena_new();
    struct imap_parser p = parser(arena, "(a b");
    imap_expect(&p, ')');
    const char *first = p.error;
    g_assert_null(imap_atom(&p));
    g_assert_false(imap_space(&p));
    g_assert_false(imap_end(&p));
    g_assert_true(p.error == first);
}

static void test_numbers(void) {
    static const struct {
        const char *text;
        bool ok32, ok64;
        uint64_t value;
    } cases[] = {
        {"0", true, true, 0},
        {"4294967295", true, true, 4294967295u},
        {"4294967296", false, true, 4294967296u},
        {"9223372036854775799", false, true, UINT64_C(9223372036854775799)},
        {"18446744073709551616", false, false, 0},
        {"x", false, false, 0},
        {"-1", false, false, 0},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct imap_parser p = parser(arena, cases[i].text), q = p;
        uint32_t v32;
        uint64_t v64;
        g_assert_cmpint(imap_number(&p, &v32), ==, cases[i].ok32);
        g_assert_cmpint(imap_number64(&q, &v64), ==, cases[i].ok64);
        if (cases[i].ok64)
            g_assert_cmpuint(v64, ==, cases[i].value);
    }
}

static void test_sets(void) {
    static const struct {
        const char *text, *canonical; // NULL: fails
    } cases[] = {
        {"1", "1:1"},
        {"1:4,7,9:*", "1:4 7:7 9:4294967295"},
        {"*", "4294967295:4294967295"},
        {"*:4", "4294967295:4"},
        {"0", NULL},
        {"1:", NULL},
        {"", NULL},
        {"1,", NULL},
        {",1", NULL},
        {"a", NULL},
        {"4294967296", NULL},
        {"1:2:3", "1:2"}, // what is left is the caller's error
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct imap_parser p = parser(arena, cases[i].text);
        struct imap_set set;
        bool ok = imap_parse_set(&p, &set);
        g_assert_cmpint(ok, ==, cases[i].canonical != NULL);
        if (!ok)
            continue;
        g_autoptr(GString) got = g_string_new(NULL);
        for (unsigned k = 0; k < set.n; k++)
            g_string_append_printf(got, "%s%u:%u", k ? " " : "", set.ranges[k].low,
                                   set.ranges[k].high);
        g_assert_cmpstr(got->str, ==, cases[i].canonical);
    }
    const uint32_t numbers[] = {1, 2, 3, 7, 9, 10, 5};
    g_autoptr(GString) text = g_string_new(NULL);
    imap_append_set(text, numbers, G_N_ELEMENTS(numbers));
    g_assert_cmpstr(text->str, ==, "1:3,7,9:10,5");
}

static void test_literal_at_line_end(void) {
    static const struct {
        const char *line;
        bool found;
        uint64_t size;
        bool is_sync;
    } cases[] = {
        {"a LOGIN {5}\r\n", true, 5, true},
        {"a LOGIN {5+}\r\n", true, 5, false},
        {"a LOGIN {5}\n", true, 5, true},
        {"{9223372036854775808}\r\n", true, UINT64_C(9223372036854775808), true},
        {"{99999999999999999999999}\r\n", true, UINT64_MAX, true},
        {"a LOGIN {}\r\n", false, 0, false},
        {"a LOGIN {+}\r\n", false, 0, false},
        {"a LOGIN {5} \r\n", false, 0, false},
        {"5}\r\n", false, 0, false},
        {"\r\n", false, 0, false},
        {"", false, 0, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t size = 0;
        bool is_sync = false;
        bool found = imap_ends_with_literal(cases[i].line, strlen(cases[i].line), &size, &is_sync);
        g_assert_cmpint(found, ==, cases[i].found);
        if (found) {
            g_assert_cmpuint(size, ==, cases[i].size);
            g_assert_cmpint(is_sync, ==, cases[i].is_sync);
        }
    }
}

static void test_flags(void) {
    ARENA_AUTO arena = arena_new();
    struct imap_parser p = parser(arena, "(\\Seen $Junk \\FLAGGED work Work \\Recent)");
    struct imap_flags flags;
    g_assert_true(imap_parse_flags(&p, false, &flags));
    g_assert_cmpuint(flags.flags, ==, MSG_READ | MSG_FLAGGED);
    g_assert_cmpuint(flags.n_keywords, ==, 2);
    g_assert_cmpstr(imap_join_keywords(arena, &flags), ==, "$Junk work");
    g_assert_cmpstr(imap_flag_names(MSG_READ | MSG_FLAGGED), ==, "\\Flagged \\Seen");
    g_assert_cmpstr(imap_flag_names(0), ==, "");

    static const char *const wrong[] = {"(\\Foo)", "(a", "(a  b)", "\\", "(\\)", ")", "(a(b))"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        p = parser(arena, wrong[i]);
        g_assert_false(imap_parse_flags(&p, true, &flags) && imap_end(&p));
    }
    p = parser(arena, "\\Seen x");
    g_assert_true(imap_parse_flags(&p, true, &flags));
    p = parser(arena, "()");
    g_assert_true(imap_parse_flags(&p, false, &flags));
    g_assert_null(imap_join_keywords(arena, &flags));
}

static void test_dates(void) {
    static const struct {
        const char *text;
        int64_t unix_time; // -1: fails
    } cases[] = {
        {"\"17-Jul-1996 02:44:25 -0700\"", 837596665},
        {"\" 7-Feb-1994 21:52:25 +0130\"", 760652545},
        {"\"1-jan-1970 00:00:00 +0000\"", 0},
        {"\"29-Feb-2024 23:59:60 +0000\"", 1709251200},
        {"\"29-Feb-2023 00:00:00 +0000\"", -1},
        {"\"00-Jan-2023 00:00:00 +0000\"", -1},
        {"\"1-Foo-2023 00:00:00 +0000\"", -1},
        {"\"1-Jan-2023 24:00:00 +0000\"", -1},
        {"\"1-Jan-2023 00:00:00 0000\"", -1},
        {"\"1-Jan-2023 00:00:00 +0000 \"", -1},
        {"\"1-Jan-2023\"", -1},
        {"\"\"", -1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct imap_parser p = parser(arena, cases[i].text);
        filetime_t t = 0;
        bool ok = imap_parse_date_time(&p, &t);
        g_assert_cmpint(ok, ==, cases[i].unix_time >= 0);
        if (!ok)
            continue;
        g_assert_cmpint(filetime_to_unix(t), ==, cases[i].unix_time);
        struct imap_date_cache cache = {0};
        char out[IMAP_DATE_TIME_SIZE + 1] = {0};
        g_assert_true(imap_put_date_time(out, t, &cache) == out + IMAP_DATE_TIME_SIZE);
        p = parser(arena, out);
        filetime_t again;
        g_assert_true(imap_parse_date_time(&p, &again));
        g_assert_cmpuint(again, ==, t);
    }
    ARENA_AUTO arena = arena_new();
    struct imap_parser p = parser(arena, "1-Mar-2000");
    int64_t day;
    g_assert_true(imap_parse_date(&p, &day));
    g_assert_cmpint(day, ==, 11017);
}

static void test_utf7(void) {
    static const struct {
        const char *wire, *text; // text NULL: refused
    } cases[] = {
        {"INBOX", "INBOX"},
        {"a&-b", "a&b"},
        {"&AOQ-", "\xc3\xa4"},
        {"&AOQ-b&AOQ-", "\xc3\xa4"
                        "b\xc3\xa4"},
        {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5"
                                            "\xe6\x9c\xac\xe8\xaa\x9e"},
        {"&2D3eAA-", "\xf0\x9f\x98\x80"},
        {"&", NULL},          // no end
        {"&AOQ", NULL},       // no end
        {"&A-", NULL},        // less than a unit
        {"&AGE-", NULL},      // printable ASCII in base64
        {"&AOQ-&AOQ-", NULL}, // two runs where one does
        {"&2D0-", NULL},      // half of a pair
        {"&3gA-", NULL},      // the other half
        {"&AOR-", NULL},      // stray bits
        {"&AOQA-", NULL},     // a sextet too many
        {"&AAA-", NULL},      // NUL
        {"\xc3\xa4", NULL},   // 8 bit
        {"a\tb", NULL},
        {"&A!-", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        const char *text = imap_utf7_decode(arena, cases[i].wire);
        g_assert_cmpstr(text, ==, cases[i].text);
        if (text)
            g_assert_cmpstr(imap_utf7_encode(arena, text), ==, cases[i].wire);
    }
}

static void test_utf7_every_character(void) {
    for (gunichar c = 1; c < 0x30000; c += c < 0x3000 ? 1 : 17) {
        if (!g_unichar_validate(c))
            continue;
        ARENA_AUTO arena = arena_new();
        char text[32] = "x";
        int n = 1 + g_unichar_to_utf8(c, text + 1);
        text[n] = 'y';
        text[n + 1] = 0;
        const char *wire = imap_utf7_encode(arena, text);
        g_assert_cmpstr(imap_utf7_decode(arena, wire), ==, text);
    }
}

static void test_list_match(void) {
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"*", "a/b", true},
        {"%", "a/b", false},
        {"%", "a", true},
        {"a/%", "a/b", true},
        {"a/%", "a/b/c", false},
        {"a/*", "a/b/c", true},
        {"%/%", "a/b", true},
        {"inbox", "INBOX", true},
        {"Inbox/x", "INBOX/x", true},
        {"inbox/X", "INBOX/x", false},
        {"inboxes", "INBOX", false},
        {"a", "A", false},
        {"", "a", false},
        {"*b*", "abc", true},
        {"a%c", "abc", true},
        {"a%c", "a/c", false},
        {"*%", "a/b/c", true},
        {"%*", "a/b/c", true},
        {"INBOX%", "INBOX", true},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(imap_list_match(cases[i].pattern, cases[i].name), ==, cases[i].matches);
    // What makes naive matchers try for ever.
    char pattern[1001], name[4001];
    for (unsigned i = 0; i < 1000; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    memset(name, 'a', 4000);
    name[3999] = 'b';
    pattern[1000] = name[4000] = 0;
    g_assert_false(imap_list_match(pattern, name));
}

static void test_fetch_items(void) {
    static const struct {
        const char *text;
        const char *labels; // of sections, or of simple items "#kind"; NULL: fails
    } cases[] = {
        {"FLAGS", "#0"},
        {"ALL", "#0 #2 #3 #5"},
        {"fast", "#0 #2 #3"},
        {"FULL", "#0 #2 #3 #5 #7"},
        {"(UID FLAGS UID)", "#1 #0"},
        {"BODY", "#7"},
        {"BODY[]", "BODY[]"},
        {"body.peek[1.2.MIME]", "BODY[1.2.MIME]"},
        {"BODY[HEADER.FIELDS (From \"x y\")]", "BODY[HEADER.FIELDS (From \"x y\")]"},
        {"BODY[1.HEADER.FIELDS.NOT (a)]<5.7>", "BODY[1.HEADER.FIELDS.NOT (a)]<5>"},
        {"BODY[TEXT]<0.1>", "BODY[TEXT]<0>"},
        {"RFC822.HEADER", "RFC822.HEADER"},
        {"(BODY[] RFC822)", "BODY[] RFC822"},
        {"BODY[", NULL},
        {"BODY[1.]", NULL},
        {"BODY[0]", NULL},
        {"BODY[MIME]", NULL},
        {"BODY[1.FOO]", NULL},
        {"BODY[]<1>", NULL},
        {"BODY[]<1.0>", NULL},
        {"BODY[]<1.4294967296>", NULL},
        {"BODY[HEADER.FIELDS]", NULL},
        {"BODY[HEADER.FIELDS ()]", NULL},
        {"(FLAGS", NULL},
        {"()", NULL},
        {"FOO", NULL},
        {"(ALL)", NULL},
        {"BODY.PEEK", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ARENA_AUTO arena = arena_new();
        struct imap_parser p = parser(arena, cases[i].text);
        struct fetch_items items;
        bool ok = fetch_parse(&p, &items) && imap_end(&p);
        if (ok != (cases[i].labels != NULL))
            g_error("FETCH %s: %s", cases[i].text, ok ? "accepted" : p.error);
        if (!ok)
            continue;
        g_autoptr(GString) got = g_string_new(NULL);
        for (unsigned k = 0; k < items.n; k++) {
            if (k > 0)
                g_string_append_c(got, ' ');
            if (items.items[k].kind == FETCH_SECTION)
                g_string_append(got, items.items[k].section.label);
            else
                g_string_append_printf(got, "#%d", items.items[k].kind);
        }
        g_assert_cmpstr(got->str, ==, cases[i].labels);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/imap/parse/astring", test_astring);
    g_test_add_func("/imap/parse/sticky-error", test_sticky_error);
    g_test_add_func("/imap/parse/numbers", test_numbers);
    g_test_add_func("/imap/parse/sets", test_sets);
    g_test_add_func("/imap/parse/literal-at-line-end", test_literal_at_line_end);
    g_test_add_func("/imap/parse/flags", test_flags);
    g_test_add_func("/imap/parse/dates", test_dates);
    g_test_add_func("/imap/parse/fetch-items", test_fetch_items);
    g_test_add_func("/imap/utf7/table", test_utf7);
    g_test_add_func("/imap/utf7/every-character", test_utf7_every_character);
    g_test_add_func("/imap/list-match", test_list_match);
    return g_test_run();
}
