// mbox in its variants.
#include "admin/mbox_file.h"

#include "base/test.h"
#include "mapi/message_row.h"

#define FROM "From a@b.test Tue Nov 24 06:28:23 2026\n"

// The messages of `file`, each between brackets.
static char *read_all(const char *file, enum mbox_quoting quoting) {
    struct mbox_file_cursor cursor = {.data = file, .len = strlen(file), .quoting = quoting};
    struct mbox_file_entry entry;
    GString *out = g_string_new(NULL);
    while (mbox_file_next(&cursor, &entry)) {
        g_autoptr(GBytes) content = mbox_file_content(&entry);
        gsize len;
        const char *data = g_bytes_get_data(content, &len);
        g_string_append_c(out, '[');
        g_string_append_len(out, data, (gssize)len);
        g_string_append_c(out, ']');
    }
    return g_string_free(out, FALSE);
}

static void check(const char *file, const char *expected) {
    g_autofree char *got = read_all(file, MBOX_AUTO);
    g_assert_cmpstr(got, ==, expected);
}

static void test_boundaries(void) {
    check("", "");
    check("no mbox at all\n", "");
    check(FROM "A: 1\n\nx\n\n" FROM "A: 2\n\ny\n\n", "[A: 1\n\nx\n][A: 2\n\ny\n]");
    check(FROM "A: 1\n\nx\n" FROM "A: 2\n\ny\n", // no empty line between: one message
          "[A: 1\n\nx\n" FROM "A: 2\n\ny\n]");
    check(FROM "A: 1\n\nno line end", "[A: 1\n\nno line end]");
    check(FROM "A: 1\n\n\n" FROM "A: 2\n\n\n", "[A: 1\n\n][A: 2\n\n]"); // empty bodies
    check(FROM "A: 1\n\nFrom here it goes on\n\nFrom there too\n\n",
          "[A: 1\n\nFrom here it goes on\n\nFrom there too\n]");
    check("\n\n" FROM "A: 1\n\nx\n\n", "[A: 1\n\nx\n]");
    check("junk\n\n" FROM "A: 1\n\nx\n\n", "[A: 1\n\nx\n]");
    check("From a@b Tue Nov 24 06:28:23 2026\r\nA: 1\r\n\r\nx\r\n\r\n"
          "From a@b Tue Nov 24 06:28:23 2026\r\nA: 2\r\n\r\ny\r\n\r\n",
          "[A: 1\r\n\r\nx\r\n][A: 2\r\n\r\ny\r\n]");
    check(FROM FROM "A: 2\n\ny\n", "[][A: 2\n\ny\n]");
}

static void test_quoting(void) {
    check(FROM "A: 1\n\n>From x\n>>From y\n> From z\n>Fromage\n\n",
          "[A: 1\n\nFrom x\n>From y\n> From z\n>Fromage\n]");
    g_autofree char *none = read_all(FROM "A: 1\n\n>From x\n\n", MBOX_NONE);
    g_assert_cmpstr(none, ==, "[A: 1\n\n>From x\n]");
}

static void test_content_length(void) {
    // mboxcl2: nothing is quoted, the length counts.
    check(FROM "Content-Length: 49\n\n\n" FROM ">From\nxx\n\n" FROM "A: 2\n\ny\n\n",
          "[Content-Length: 49\n\n\n" FROM ">From\nxx\n][A: 2\n\ny\n]");
    // mboxcl: quoted as well.
    check(FROM "Content-Length: 8\n\n>From x\n\n" FROM "A: 2\n\ny\n\n",
          "[Content-Length: 8\n\nFrom x\n][A: 2\n\ny\n]");
    // A wrong length does not count.
    check(FROM "Content-Length: 3\n\nlonger\n\n" FROM "A: 2\n\ny\n\n",
          "[Content-Length: 3\n\nlonger\n][A: 2\n\ny\n]");
    check(FROM "Content-Length: 99999999999999999999\n\nx\n\n",
          "[Content-Length: 99999999999999999999\n\nx\n]");
    check(FROM "Content-Length: 999999999999999999\n\nx\n\n",
          "[Content-Length: 999999999999999999\n\nx\n]");
}

static void test_status(void) {
    static const char file[] =
        FROM "Subject: x\nStatus: RO\nX-Status: AF\nX-Keywords: Work  \n\ny\n\n" FROM
             "Status: open\nX-Status: really\n\nStatus: RO\n\n";
    struct mbox_file_cursor cursor = {.data = file, .len = strlen(file)};
    struct mbox_file_entry entry;
    g_assert_true(mbox_file_next(&cursor, &entry));
    g_assert_cmpuint(entry.flags, ==, MSG_READ | MSG_ANSWERED | MSG_FLAGGED);
    g_assert_cmpstr(entry.keywords, ==, "Work");
    g_assert_cmpint(filetime_to_unix(entry.date), ==, 1795501703);
    g_assert_true(mbox_file_next(&cursor, &entry));
    g_assert_cmpuint(entry.flags, ==, 0);
    g_assert_cmpstr(entry.keywords, ==, "");
    g_assert_false(mbox_file_next(&cursor, &entry));
    check(file, "[Subject: x\n\ny\n][Status: open\nX-Status: really\n\nStatus: RO\n]");
}

static void test_from_lines(void) {
    static const struct {
        const char *line;
        int64_t unix_time; // -1: no boundary
    } rows[] = {
        {"From a Tue Nov 24 06:28:23 2026", 1795501703},
        {"From a  Tue Nov 24 06:28:23 2026", 1795501703},
        {"From a Tue Nov 24 06:28 2026", 1795501680},
        {"From a Tue Nov 24 06:28:23 +0200 2026", 1795494503},
        {"From a Tue Nov 24 06:28:23 2026 -0500", 1795519703},
        {"From a Tue Nov 24 06:28:23 MET 2026", 1795501703},
        {"From \"a b\"@c Tue Nov  4 06:28:23 2026", 1793773703},
        {"From  Tue Nov 24 06:28:23 2026", 1795501703},
        {"From a Tue Nov 31 06:28:23 2026", -11644473600}, // a boundary, without a date
        {"From a Tue Nov 24 26:28:23 2026", -1},
        {"From a Tue Nov xx 06:28:23 2026", -1},
        {"From a friend", -1},
        {"from a Tue Nov 24 06:28:23 2026", -1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *file = g_strconcat(rows[i].line, "\nA: 1\n\nx\n", NULL);
        struct mbox_file_cursor cursor = {.data = file, .len = strlen(file)};
        struct mbox_file_entry entry;
        g_test_message("%s", rows[i].line);
        g_assert_cmpint(mbox_file_looks_like(file, strlen(file)), ==, rows[i].unix_time != -1);
        if (rows[i].unix_time == -1)
            continue;
        g_assert_true(mbox_file_next(&cursor, &entry));
        g_assert_cmpint(filetime_to_unix(entry.date), ==, rows[i].unix_time);
    }
}

static void test_internal(void) {
    static const char file[] =
        FROM "X-IMAP: 1700000000 0000000001\nStatus: RO\n\ntext\n\n" FROM "A: 1\n\nx\n\n";
    struct mbox_file_cursor cursor = {.data = file, .len = strlen(file)};
    struct mbox_file_entry entry;
    g_assert_true(mbox_file_next(&cursor, &entry) && entry.is_internal);
    g_assert_true(mbox_file_next(&cursor, &entry) && !entry.is_internal);
}

// What is written reads back the same, in whatever pieces it was written.
static void test_round_trip(void) {
    static const char *const messages[] = {
        "A: 1\n\nbody\n",
        "A: 1\n\nFrom x\n>From y\n>>From z\nFro\nF\n>\n>F\nFrom\nFrom ",
        "A: 1\n\n\n\n",
        "A: 1\n\n",
        "From nobody\n\nFrom nobody\n",
        "A: 1\r\n\r\nFrom x\r\n\r\n",
        "A: 1\n\nFrom a Tue Nov 24 06:28:23 2026\nx\n",
    };
    for (size_t piece = 1; piece < 12; piece++) {
        g_autoptr(GString) file = g_string_new(NULL), expected = g_string_new(NULL);
        for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++) {
            struct mbox_file_writer w;
            size_t len = strlen(messages[i]);
            mbox_file_write_from(&w, "a@b.test", filetime_from_unix(1795501703), file);
            mbox_file_write_status(&w, MSG_READ | MSG_FLAGGED, "Work", file);
            for (size_t pos = 0; pos < len; pos += piece)
                mbox_file_write(&w, messages[i] + pos, MIN(piece, len - pos), file);
            mbox_file_write_end(&w, file);
            bool ends = g_str_has_suffix(messages[i], "\n");
            g_string_append_printf(expected, "[%s%s]", messages[i], ends ? "" : "\n");
        }
        check(file->str, expected->str);
        struct mbox_file_cursor cursor = {.data = file->str, .len = file->len};
        struct mbox_file_entry entry;
        while (mbox_file_next(&cursor, &entry)) {
            g_assert_cmpuint(entry.flags, ==, MSG_READ | MSG_FLAGGED);
            g_assert_cmpstr(entry.keywords, ==, "Work");
            g_assert_cmpint(filetime_to_unix(entry.date), ==, 1795501703);
        }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mbox/boundaries", test_boundaries);
    g_test_add_func("/mbox/quoting", test_quoting);
    g_test_add_func("/mbox/content-length", test_content_length);
    g_test_add_func("/mbox/status", test_status);
    g_test_add_func("/mbox/from-lines", test_from_lines);
    g_test_add_func("/mbox/internal", test_internal);
    g_test_add_func("/mbox/round-trip", test_round_trip);
    return g_test_run();
}
