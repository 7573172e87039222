// Dot-unstuffing: every input in one piece and byte by byte gives the same.
#include "protocol/smtp/dots.h"

#include <string.h>

#include "base/test.h"

static const struct {
    const char *in, *out; // in: ends where the message should end
    const char *rest;     // what follows is left alone
    bool has_bare;
} cases[] = {
    {".\r\n", "", "QUIT\r\n", false},
    {"a\r\n.\r\n", "a\r\n", "", false},
    {"..\r\n...a\r\n.b\r\n.\r\n", ".\r\n..a\r\nb\r\n", "MAIL", false},
    {"a\n.\n.\r\r\nb\r\n.\r\n", "a\n.\n.\r\r\nb\r\n", "x", true},
    {"a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "", true},
    {"a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "", true},
    {"a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "", true},
    {"a\r\n.\r.\r\n\r\n.\r\n", "a\r\n\r.\r\n\r\n", "", true},
    {"a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", "", true},
    {"\r\n\r\n.\r\n", "\r\n\r\n", "\r\n", false},
};

static void run(const char *in, const char *rest, size_t piece, const char *out, bool has_bare) {
    g_autofree char *whole = g_strconcat(in, rest, NULL);
    size_t len = strlen(whole), pos = 0;
    struct dots d = dots(true, false);
    g_autoptr(GByteArray) got = g_byte_array_new();
    while (d.state != DOTS_END && pos < len) {
        size_t n = MIN(piece, len - pos);
        n = dots_find_end(&d, (const uint8_t *)whole + pos, n);
        dots_decode(&d, (const uint8_t *)whole + pos, n, got);
        pos += n;
    }
    g_assert_cmpint(d.state, ==, DOTS_END);
    g_assert_cmpuint(pos, ==, strlen(in));
    g_assert_cmpmem(got->data, got->len, out, strlen(out));
    g_assert_cmpint(d.has_bare, ==, has_bare);
}

static void test_cases(void) {
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t piece = 1; piece < 20; piece++)
            run(cases[i].in, cases[i].rest, piece, cases[i].out, cases[i].has_bare);
}

static void test_fixed_lines(void) {
    struct dots d = dots(true, true);
    g_autoptr(GByteArray) got = g_byte_array_new();
    static const char in[] = "a\nb\rc\r\n.\r\n";
    dots_decode(&d, (const uint8_t *)in, strlen(in), got);
    g_assert_cmpmem(got->data, got->len, "a\r\nb\r\nc\r\n", 9);
}

static void test_chunks(void) {
    struct dots d = dots(false, false);
    g_autoptr(GByteArray) got = g_byte_array_new();
    static const char in[] = "..a\r\n.\r\n\0.\r";
    dots_decode(&d, (const uint8_t *)in, sizeof in - 1, got);
    g_assert_false(d.has_bare);
    g_assert_true(d.has_nul);
    dots_finish(&d, got);
    g_assert_true(d.has_bare);
    g_assert_cmpmem(got->data, got->len, in, sizeof in - 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dots/cases", test_cases);
    g_test_add_func("/dots/fixed-lines", test_fixed_lines);
    g_test_add_func("/dots/chunks", test_chunks);
    return g_test_run();
}
