// APPEND of several messages, from parts, with NULs, and REPLACE: what is sent, what must come
// back.
#include "protocol/imap/imap_fixture.h"

struct test {
    struct imap_fixture f;
    struct imap_client *c, *other;
};

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    imap_fixture_setup(&t->f);
    t->c = imap_client_new(&t->f, true);
    t->other = imap_client_new(&t->f, true);
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    imap_client_free(t->c);
    imap_client_free(t->other);
    imap_fixture_teardown(&t->f);
}

#define TWO_PARTS                                                                                  \
    "Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfirst\r\n"      \
    "--b\r\nContent-Type: text/x-y\r\n\r\nsecond\r\n--b--\r\n"

static void append(struct imap_client *c, const char *mailbox, const char *message) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND %s {%zu+}\r\n%s\r\n", mailbox, strlen(message), message);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

// --- MULTIAPPEND ---

static void test_many(struct test *t, gconstpointer data) {
    expect(t->c,
           "1 APPEND INBOX (\\Seen) {16+}\r\nSubject: a\r\n\r\na\n (\\Flagged Work) \" "
           "7-Feb-1994 21:52:25 -0800\" {16+}\r\nSubject: b\r\n\r\nb\n {16+}\r\nSubject: "
           "c\r\n\r\nc\n\r\n",
           "1 OK [APPENDUID * 1:3] *\r\n");
    expect(t->c, "2 SELECT INBOX\r\n", "** 3 EXISTS*2 OK *");
    expect(t->c, "3 FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[TEXT])\r\n",
           "* 1 FETCH (FLAGS (\\Seen) *{2}\r\na\n)\r\n"
           "* 2 FETCH (FLAGS (\\Flagged Work) INTERNALDATE \" 8-Feb-1994 05:52:25 +0000\" "
           "*{2}\r\nb\n)\r\n* 3 FETCH (FLAGS () *{2}\r\nc\n)\r\n3 OK *");
    // With go-aheads, and the whole given up at the last.
    expect(t->c, "4 APPEND INBOX {16}\r\n", "+ *\r\n");
    expect(t->c, "Subject: d\r\n\r\nd\n {16}\r\n", "+ *\r\n");
    expect(t->c, "Subject: e\r\n\r\ne\n {0}\r\n", "+ *\r\n");
    expect(t->c, "\r\n", "4 NO [CANNOT] *");
    expect(t->c, "5 STATUS INBOX (MESSAGES UIDNEXT)\r\n",
           "* STATUS INBOX (MESSAGES 3 UIDNEXT 4)\r\n5 OK *");
    expect(t->c, "6 APPEND INBOX {1+}\r\nx {1+}\r\nx {1+}\r\nx(\r\n", "6 BAD *");
    expect(t->c, "7 APPEND INBOX {1+}\r\nx (\\Seen)\r\n", "7 BAD *");
    expect(t->c, "8 APPEND Missing {1+}\r\nx {1+}\r\ny\r\n", "8 NO [TRYCREATE] *");
    expect(t->c, "9 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 3)\r\n9 OK *");
}

// The bytes of a message are no literal's header, whatever they end with.
static void test_ends_like_a_literal(struct test *t, gconstpointer data) {
    expect(t->c, "1 APPEND INBOX {17+}\r\nSubject: a\r\n\r\n{5}", "");
    expect(t->c, "\r\n", "1 OK [APPENDUID * 1] *");
    expect(t->c, "2 APPEND INBOX {17+}\r\nSubject: a\r\n\r\n{9}\r\n", "2 OK [APPENDUID * 2] *");
}

// More of them, and larger, than a command may be.
static void test_many_spooled(struct test *t, gconstpointer data) {
    g_autofree char *body = g_strnfill(3000, 'x');
    g_autoptr(GString) text = g_string_new("1 APPEND INBOX");
    for (unsigned i = 0; i < 400; i++)
        g_string_append_printf(text, " {3016+}\r\nSubject: %03u\r\n\r\n%s", i, body);
    g_string_append(text, "\r\n");
    g_assert_cmpuint(text->len, >, IMAP_COMMAND_MAX);
    expect(t->c, text->str, "1 OK [APPENDUID * 1:400] *");
    expect(t->c, "2 SELECT INBOX\r\n", "*2 OK *");
    expect(t->c, "3 FETCH 400 (RFC822.SIZE BODY.PEEK[HEADER])\r\n",
           "* 400 FETCH (RFC822.SIZE 3016 BODY[HEADER] {16}\r\nSubject: 399\r\n\r\n)\r\n3 OK *");
}

static void test_limits(struct test *t, gconstpointer data) {
    t->f.service.max_message = 1000;
    expect(t->c, "1 APPEND INBOX {1001}\r\n", "1 NO [TOOBIG] *");
    expect(t->c, "2 APPEND INBOX ~{1001}\r\n", "2 NO [TOOBIG] *");
    expect(t->c, "3 APPEND INBOX {9223372036854775808}\r\n", "3 NO [TOOBIG] *");
    expect(t->c, "4 APPEND INBOX {18446744073709551616}\r\n", "4 NO [TOOBIG] *");
    expect(t->c, "5 APPEND INBOX CATENATE (TEXT {9223372036854775808}\r\n", "5 NO [TOOBIG] *");
    expect(t->c, "6 APPEND INBOX UTF8 (~{9223372036854775808}\r\n", "6 NO [TOOBIG] *");
    expect(t->c, "7 SELECT INBOX\r\n", "*7 OK *");
    expect(t->c, "8 UID REPLACE 1 INBOX {9223372036854775808}\r\n", "8 NO [TOOBIG] *");
    // What cannot end well is said before the message is sent.
    expect(t->c, "8 APPEND Missing {10}\r\n", "8 NO [TRYCREATE] *");
    expect(t->c, "8 APPEND \"Other Users/x@example.test/INBOX\" (\\Seen) {10}\r\n",
           "8 NO [TRYCREATE] *");
    expect(t->c, "8 APPEND {5}\r\n", "+ *");
    expect(t->c, "INBOX {1}\r\n", "+ *");
    expect(t->c, "x\r\n", "*8 OK *");
    // Parts that are too much together.
    g_autofree char *part = g_strnfill(600, 'x');
    g_autofree char *two = g_strdup_printf(
        "9 APPEND INBOX CATENATE (TEXT {600+}\r\n%s TEXT {600+}\r\n%s)\r\n", part, part);
    expect(t->c, two, "9 NO [TOOBIG] *");
    // What does not wait for a go-ahead ends the connection.
    expect(t->c, "10 APPEND INBOX {9223372036854775808+}\r\n", "10 NO [TOOBIG] ** BYE *");
    g_assert_cmpint(t->c->next, ==, NET_CLOSE);
}

// --- CATENATE ---

static void test_catenate(struct test *t, gconstpointer data) {
    append(t->c, "INBOX", TWO_PARTS);
    expect(t->c, "0 CREATE \"B&APw-cher %\"\r\n", "0 OK *");
    append(t->c, "\"B&APw-cher %\"", "Subject: in a folder\r\n\r\ntext\r\n");
    expect(t->c,
           "1 APPEND INBOX (\\Draft) CATENATE (TEXT {12+}\r\nSubject: a\r\n URL "
           "\"/INBOX/;UID=1/;SECTION=2.MIME\" URL \"/INBOX/;UID=1/;SECTION=2/;PARTIAL=1.3\" "
           "TEXT {3+}\r\n!\r\n)\r\n",
           "1 OK [APPENDUID * 2] *");
    expect(t->c, "2 SELECT INBOX\r\n", "*2 OK *");
    expect(t->c, "3 FETCH 2 (FLAGS BODY.PEEK[])\r\n",
           "* 2 FETCH (FLAGS (\\Draft) BODY[] {44}\r\nSubject: a\r\nContent-Type: "
           "text/x-y\r\n\r\neco!\r\n)\r\n3 OK *");
    // Of the selected folder, of another one, absolute.
    expect(t->c, "4 APPEND INBOX CATENATE (URL \";UID=1\")\r\n", "*4 OK [APPENDUID * 3] *");
    expect(t->c, "5 APPEND INBOX CATENATE (URL \"/B%C3%BCcher%20%25/;UID=1\")\r\n",
           "*5 OK [APPENDUID * 4] *");
    expect(t->c,
           "6 APPEND INBOX CATENATE (URL "
           "\"imap://alice%40example.test;AUTH=*@IMAP.example.test:143/INBOX/;UID=1\")\r\n",
           "*6 OK [APPENDUID * 5] *");
    expect(t->c, "7 FETCH 3:5 BODY.PEEK[HEADER.FIELDS (Subject)]\r\n",
           "* 3 *Subject: parts** 4 *Subject: in a folder** 5 *Subject: parts*7 OK *");
    g_autofree char *validity = g_strdup_printf("8 APPEND INBOX CATENATE (URL "
                                                "\"/INBOX;UIDVALIDITY=%u/;UID=1\")\r\n",
                                                mailbox_view_uid_validity(t->c->session->view));
    expect(t->c, validity, "*8 OK [APPENDUID * 6] *");
    // Of itself: the message that is not there yet.
    expect(t->c, "9 APPEND INBOX CATENATE (URL \"/INBOX/;UID=7\")\r\n", "9 NO [BADURL *");
}

static void test_bad_urls(struct test *t, gconstpointer data) {
    static const char *const urls[] = {
        "",
        "/",
        "/INBOX",
        "/INBOX/",
        "/INBOX/;UID=",
        "/INBOX/;UID=0",
        "/INBOX/;UID=2",
        "/INBOX/;UID=4294967296",
        "/INBOX/;UID=1x",
        "/INBOX/;UID=1/",
        "/INBOX/;UID=1/;SECTION=",
        "/INBOX/;UID=1/;SECTION=9",
        "/INBOX/;UID=1/;SECTION=HEADER]%20BODY[",
        "/INBOX/;UID=1/;SECTION=(",
        "/INBOX/;UID=1/;PARTIAL=",
        "/INBOX/;UID=1/;PARTIAL=1.0",
        "/INBOX/;UID=1/;PARTIAL=99999999999999999999",
        "/INBOX;UIDVALIDITY=1/;UID=1",
        "/INBOX;UIDVALIDITY=0/;UID=1",
        "/INBOX;UIDVALIDITY=/;UID=1",
        "/INBOX;UID=1",
        "/Missing/;UID=1",
        "/Other%20Users/bob@example.test/INBOX/;UID=1",
        "/%zz/;UID=1",
        "/%00/;UID=1",
        "/%ff/;UID=1",
        "INBOX/;UID=1",
        ";UID=1",
        "imap://elsewhere.example/INBOX/;UID=1",
        "imap://bob@imap.example.test/INBOX/;UID=1",
        "imap://imap.example.test",
        "http://imap.example.test/INBOX/;UID=1",
    };
    append(t->c, "INBOX", TWO_PARTS);
    for (unsigned i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *send =
            g_strdup_printf("a APPEND INBOX CATENATE (TEXT {3+}\r\na\r\n URL \"%s\")\r\n", urls[i]);
        const char *got = imap_client_say(t->c, send);
        if (!g_pattern_match_simple("a NO [BADURL *] *\r\n", got))
            g_error("%s gave %s", urls[i], got);
    }
    expect(t->c, "b APPEND INBOX CATENATE ()\r\n", "b BAD *");
    expect(t->c, "c APPEND INBOX CATENATE (URL)\r\n", "c BAD *");
    expect(t->c, "d APPEND INBOX CATENATE (FOO \"x\")\r\n", "d BAD *");
    expect(t->c, "e APPEND INBOX CATENATE (TEXT \"x\")\r\n", "e BAD *");
    expect(t->c, "f APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\"\r\n", "f BAD *");
    expect(t->c, "g STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 1)*");
}

// A few bytes that ask for gigabytes.
static void test_catenate_bomb(struct test *t, gconstpointer data) {
    g_autofree char *body = g_strnfill(200000, 'x');
    g_autofree char *message = g_strdup_printf("Subject: large\r\n\r\n%s", body);
    t->f.service.max_message = 1000000;
    append(t->c, "INBOX", message);
    g_autoptr(GString) text = g_string_new("1 APPEND INBOX CATENATE (");
    for (unsigned i = 0; i < 900; i++)
        g_string_append_printf(text, "%sURL \"/INBOX/;UID=1\"", i ? " " : "");
    g_string_append(text, ")\r\n");
    expect(t->c, text->str, "1 NO [TOOBIG] *");
    g_string_truncate(text, text->len - 3);
    for (unsigned i = 0; i < 200; i++)
        g_string_append(text, " URL \"/INBOX/;UID=1\"");
    g_string_append(text, ")\r\n");
    expect(t->c, text->str, "1 BAD Too many parts*");
}

// --- Literals with NUL, UTF-8 ---

static void test_literal8(struct test *t, gconstpointer data) {
    static const char binary[] = "1 APPEND INBOX ~{53+}\r\nSubject: x\r\n"
                                 "Content-Transfer-Encoding: binary\r\n\r\na\0\xff"
                                 "b\r\n";
    imap_client_send(t->c, binary, sizeof binary - 1);
    g_assert_true(g_str_has_prefix(t->c->output->str, "1 OK [APPENDUID "));
    static const char text[] = "2 APPEND INBOX ~{15+}\r\nSubject: x\r\n\r\n\0\r\n";
    imap_client_send(t->c, text, sizeof text - 1);
    g_assert_true(g_str_has_prefix(t->c->output->str, "2 NO [UNKNOWN-CTE] "));
    expect(t->c, "3 SELECT INBOX\r\n", "** 1 EXISTS*3 OK *");
    expect(t->c, "4 FETCH 1 (BINARY.SIZE[1] BODY.PEEK[TEXT])\r\n",
           "* 1 FETCH (BINARY.SIZE[1] 4 BODY[TEXT] {10}\r\nYQD/Yg==\r\n)\r\n4 OK *");
    imap_client_say(t->c, "5 FETCH 1 BINARY.PEEK[1]\r\n");
    static const char want[] = "* 1 FETCH (BINARY[1] ~{4}\r\na\0\xff"
                               "b)\r\n5 OK Completed\r\n";
    g_assert_cmpmem(t->c->output->str, t->c->output->len, want, sizeof want - 1);
    expect(t->c, "6 FETCH 1 BINARY.PEEK[1]<2.1>\r\n",
           "* 1 FETCH (BINARY[1]<2> {1}\r\n\xff)*6 OK *");
}

static void test_utf8(struct test *t, gconstpointer data) {
    expect(t->c, "1 ENABLE UTF8=ACCEPT\r\n", "* ENABLED UTF8=ACCEPT\r\n1 OK *");
    expect(t->c, "2 APPEND INBOX UTF8 (~{20+}\r\nSubject: f\xc3\xbc\x72\r\n\r\nx\r\n)\r\n",
           "2 OK [APPENDUID * 1] *");
    expect(t->c, "3 APPEND INBOX UTF8 (~{1+}\r\nx\r\n", "3 BAD *");
    expect(t->c, "4 APPEND INBOX UTF8 \"x\"\r\n", "4 BAD *");
    expect(t->c, "5 SELECT INBOX\r\n", "*5 OK *");
    expect(t->c, "6 FETCH 1 BODY.PEEK[HEADER]\r\n", "*Subject: f\xc3\xbc\x72\r\n*6 OK *");
}

// --- REPLACE ---

static void test_replace(struct test *t, gconstpointer data) {
    append(t->c, "INBOX", "Subject: one\r\n\r\n1\r\n");
    append(t->c, "INBOX", "Subject: two\r\n\r\n2\r\n");
    expect(t->c, "a CREATE Drafts2\r\n", "a OK *");
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->other, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 REPLACE 1 INBOX (\\Seen) {18+}\r\nSubject: new\r\n\r\nn\n\r\n",
           "* OK [APPENDUID * 3] *\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\n*2 OK *");
    expect(t->other, "2 NOOP\r\n", "* 1 EXPUNGE\r\n* 2 EXISTS\r\n*2 OK *");
    expect(t->c, "3 FETCH 1:* (UID FLAGS)\r\n",
           "* 1 FETCH (UID 2 FLAGS ())\r\n* 2 FETCH (UID 3 FLAGS (\\Seen))\r\n3 OK *");
    // Into another folder, and made from the old one.
    expect(t->c,
           "4 UID REPLACE 3 Drafts2 CATENATE (TEXT {12+}\r\nSubject: c\r\n URL "
           "\"/INBOX/;UID=3/;SECTION=HEADER\")\r\n",
           "* OK [APPENDUID * 1] *\r\n* 2 EXPUNGE\r\n4 OK *");
    expect(t->c, "5 STATUS Drafts2 (MESSAGES)\r\n", "* STATUS Drafts2 (MESSAGES 1)\r\n5 OK *");
    expect(t->c, "6 UID REPLACE 3 INBOX {1+}\r\nx\r\n", "6 NO [NONEXISTENT] *");
    expect(t->c, "7 REPLACE 2 INBOX {1+}\r\nx\r\n", "7 BAD *");
    expect(t->c, "8 REPLACE 1 Missing {1+}\r\nx\r\n", "8 NO [TRYCREATE] *");
    expect(t->c, "9 REPLACE 1 INBOX {1+}\r\nx {1+}\r\ny\r\n", "9 BAD *");
    expect(t->c, "10 REPLACE 1 INBOX CATENATE (URL \"/x/;UID=1\")\r\n", "10 NO [BADURL *");
    expect(t->c, "11 REPLACE 1 INBOX {0+}\r\n\r\n", "11 NO *");
    expect(t->c, "12 REPLACE 1:2,3 INBOX {1+}\r\nx\r\n", "12 BAD *");
    expect(t->c, "13 FETCH 1:* UID\r\n", "* 1 FETCH (UID 2)\r\n13 OK *");
    // Gone for the store, though this client was not told.
    expect(t->other, "3 UID STORE 2 +FLAGS (\\Deleted)\r\n", "*3 OK *");
    expect(t->other, "4 EXPUNGE\r\n", "*4 OK *");
    expect(t->c, "14 UID REPLACE 2 INBOX {1+}\r\nx\r\n", "** 1 EXPUNGE*14 NO [NONEXISTENT] *");
    expect(t->c, "15 EXAMINE Drafts2\r\n", "*15 OK *");
    expect(t->c, "16 REPLACE 1 INBOX {1+}\r\nx\r\n", "16 NO [NOPERM] *");
    expect(t->c, "17 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 0)\r\n17 OK *");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn) g_test_add("/imap/append/" name, struct test, NULL, setup, fn, teardown)
    TEST("many", test_many);
    TEST("ends-like-a-literal", test_ends_like_a_literal);
    TEST("many-spooled", test_many_spooled);
    TEST("limits", test_limits);
    TEST("catenate", test_catenate);
    TEST("bad-urls", test_bad_urls);
    TEST("catenate-bomb", test_catenate_bomb);
    TEST("literal8", test_literal8);
    TEST("utf8", test_utf8);
    TEST("replace", test_replace);
    return g_test_run();
}
