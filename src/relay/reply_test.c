// Replies as servers send them, and as they should not.
#include "relay/reply.h"

#include <string.h>

#include "base/test.h"

static enum reply_parse parse(const char *text, struct reply *out, size_t *used) {
    return reply_parse((const uint8_t *)text, strlen(text), out, used, NULL, NULL);
}

static void test_lines(void) {
    struct reply r;
    size_t used;
    g_assert_cmpint(parse("250 2.1.0 Ok\r\n250 more", &r, &used), ==, REPLY_DONE);
    g_assert_cmpuint(used, ==, 14);
    g_assert_cmpuint(r.code, ==, 250);
    g_assert_cmpstr(r.status, ==, "2.1.0");
    g_assert_cmpstr(r.text, ==, "2.1.0 Ok");
    g_assert_cmpint(parse("550-5.1.1 No such\r\n550 5.1.1 user\n", &r, &used), ==, REPLY_DONE);
    g_assert_cmpstr(r.status, ==, "5.1.1");
    g_assert_cmpstr(r.text, ==, "5.1.1 No such user");
    g_assert_true(reply_is_permanent(&r));
    g_assert_cmpint(parse("250\r\n", &r, &used), ==, REPLY_DONE);
    g_assert_cmpstr(r.text, ==, "");
    g_assert_cmpint(parse("250-a\r\n250-b\r\n", &r, &used), ==, REPLY_MORE);
    g_assert_cmpint(parse("25", &r, &used), ==, REPLY_MORE);
    // A status of another class is text.
    g_assert_cmpint(parse("450 5.1.1 busy\r\n", &r, &used), ==, REPLY_DONE);
    g_assert_cmpstr(r.status, ==, "");
    g_assert_cmpint(parse("451 4.7.1234 x\r\n", &r, &used), ==, REPLY_DONE);
    g_assert_cmpstr(r.status, ==, "");
}

static void test_bad(void) {
    struct reply r;
    size_t used;
    static const char *const bad[] = {"HTTP/1.1 400 Bad Request\r\n",
                                      "2x0 what\r\n",
                                      "199 no\r\n",
                                      "250_no\r\n",
                                      "\r\n",
                                      "600 no\r\n"};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(parse(bad[i], &r, &used), ==, REPLY_BAD);
    g_autoptr(GString) text = g_string_new("250 ");
    while (text->len < RELAY_REPLY_LINE_MAX)
        g_string_append_c(text, 'x');
    g_assert_cmpint(parse(text->str, &r, &used), ==, REPLY_BAD);
    g_string_assign(text, "");
    for (unsigned i = 0; i < RELAY_REPLY_LINES_MAX; i++)
        g_string_append(text, "250-x\r\n");
    g_string_append(text, "250 x\r\n");
    g_assert_cmpint(parse(text->str, &r, &used), ==, REPLY_BAD);
    g_assert_cmpint(parse("550 a\xff\x01z\r\n", &r, &used), ==, REPLY_DONE);
    g_assert_cmpstr(r.text, ==, "a? z");
}

static void on_line(void *ctx, const char *text, size_t len) {
    extensions_read(ctx, text, len);
}

static void test_extensions(void) {
    static const char ehlo[] =
        "250-mx\r\n250-pipelining\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-STARTTLS\r\n"
        "250-AUTH=LOGIN\r\n250-AUTH DIGEST-MD5 PLAIN\r\n250-DSN\r\n250-SMTPUTF8\r\n250 "
        "CHUNKING\r\n";
    struct extensions e = {0};
    struct reply r;
    size_t used;
    g_assert_cmpint(reply_parse((const uint8_t *)ehlo, sizeof ehlo - 1, &r, &used, on_line, &e), ==,
                    REPLY_DONE);
    g_assert_true(e.is_pipelining && e.is_8bitmime && e.has_starttls && e.is_dsn && e.is_smtputf8 &&
                  e.is_chunking && e.has_auth_plain && e.has_auth_login);
    g_assert_false(e.is_binarymime || e.has_requiretls);
    g_assert_cmpuint(e.max_size, ==, 1000);
    extensions_read(&e, "SIZE 99999999999999999999999999", 31);
    extensions_read(&e, "", 0);
    extensions_read(&e, "SIZE", 4);
    g_assert_cmpuint(e.max_size, ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reply/lines", test_lines);
    g_test_add_func("/reply/bad", test_bad);
    g_test_add_func("/reply/extensions", test_extensions);
    return g_test_run();
}
