// BINARY ([RFC 3516]) and UIDONLY ([RFC 9586]).
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

static void append(struct imap_client *c, const char *message) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND INBOX {%zu+}\r\n%s\r\n", strlen(message), message);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

static const char encoded[] = "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                              "--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n"
                              "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\nB"
                              "\r\n--b\r\n\r\nplain\r\n"
                              "--b\r\nContent-Transfer-Encoding: x-rot13\r\n\r\nuryyb\r\n"
                              "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                              "Content-Transfer-Encoding: base64\r\n\r\naW5uZXI=\r\n--b--\r\n";

static void test_binary(struct test *t, gconstpointer data) {
    static const struct {
        const char *item, *answer;
    } cases[] = {
        {"BINARY.PEEK[1]", "BINARY[1] {11}\r\nhello world"},
        {"BINARY.PEEK[1]<6.3>", "BINARY[1]<6> {3}\r\nwor"},
        {"BINARY.PEEK[1]<6.300>", "BINARY[1]<6> {5}\r\nworld"},
        {"BINARY.PEEK[1]<60.3>", "BINARY[1]<60> {0}\r\n"},
        {"binary.size[1]", "BINARY.SIZE[1] 11"},
        {"BINARY.PEEK[2]", "BINARY[2] {2}\r\nAB"},
        {"BINARY.SIZE[2]", "BINARY.SIZE[2] 2"},
        {"BINARY.PEEK[3]", "BINARY[3] {5}\r\nplain"},
        {"BINARY.PEEK[5.1]", "BINARY[5.1] {5}\r\ninner"},
        {"BINARY.PEEK[9]", "BINARY[9] NIL"},
        {"BINARY.SIZE[9]", "BINARY.SIZE[9] 0"},
        {"(BINARY.SIZE[1] BINARY.SIZE[2] UID)", "BINARY.SIZE[1] 11 BINARY.SIZE[2] 2 UID 1"},
        {"BINARY.PEEK[]<0.10>", "BINARY[]<0> {10}\r\nSubject: x"},
    };
    append(t->c, encoded);
    expect(t->c, "s SELECT INBOX\r\n", "*s OK *");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *send = g_strdup_printf("f FETCH 1 %s\r\n", cases[i].item);
        g_autofree char *want =
            g_strdup_printf("* 1 FETCH (%s)\r\nf OK Completed\r\n", cases[i].answer);
        g_assert_cmpstr(imap_client_say(t->c, send), ==, want);
    }
    expect(t->c, "1 FETCH 1 BINARY.PEEK[4]\r\n",
           "* 1 FETCH (BINARY[4] NIL)\r\n1 NO [UNKNOWN-CTE] *");
    expect(t->c, "2 FETCH 1 (UID BINARY.SIZE[4])\r\n", "*2 NO [UNKNOWN-CTE] *");
    expect(t->c, "3 FETCH 1 BINARY[3]\r\n",
           "* 1 FETCH (BINARY[3] {5}\r\nplain FLAGS (\\Seen))*3 OK *");
    static const char *const wrong[] = {"BINARY",         "BINARY[",
                                        "BINARY[0]",      "BINARY[1.]",
                                        "BINARY[.1]",     "BINARY[1.a]",
                                        "BINARY[TEXT]",   "BINARY[1.MIME]",
                                        "BINARY.SIZE",    "BINARY.SIZE[1]<0.1>",
                                        "BINARY[1]<0.0>", "BINARY[99999999999999999999]",
                                        "BINARY.FOO[1]"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        t->c->session->n_bad = 0;
        g_autofree char *send = g_strdup_printf("w FETCH 1 %s\r\n", wrong[i]);
        expect(t->c, send, "w BAD *");
    }
}

static void test_uid_only(struct test *t, gconstpointer data) {
    static const char *const numbered[] = {"FETCH 1 FLAGS",
                                           "STORE 1 +FLAGS (\\Seen)",
                                           "COPY 1 INBOX",
                                           "MOVE 1 INBOX",
                                           "SEARCH ALL",
                                           "UID SEARCH 1:*",
                                           "UID SEARCH NOT 1",
                                           "SELECT INBOX (QRESYNC (1 1 1:5 (1 1)))",
                                           "REPLACE 1 INBOX {1+}\r\nx"};
    for (unsigned i = 0; i < 5; i++)
        append(t->c, "Subject: x\r\n\r\nx\r\n");
    expect(t->c, "1 ENABLE UIDONLY QRESYNC\r\n", "* ENABLED QRESYNC UIDONLY\r\n1 OK *");
    const char *got = imap_client_say(t->c, "2 SELECT INBOX\r\n");
    g_assert_nonnull(strstr(got, "* 5 EXISTS\r\n"));
    g_assert_null(strstr(got, "UNSEEN"));
    for (unsigned i = 0; i < G_N_ELEMENTS(numbered); i++) {
        t->c->session->n_bad = 0;
        g_autofree char *send = g_strdup_printf("n %s\r\n", numbered[i]);
        expect(t->c, send, "n BAD [UIDREQUIRED] *");
    }
    expect(t->c, "3 UID FETCH 2:3 (FLAGS)\r\n",
           "* 2 UIDFETCH (FLAGS ())\r\n* 3 UIDFETCH (FLAGS ())\r\n3 OK *");
    expect(t->c, "4 UID FETCH 2 (UID FLAGS)\r\n", "* 2 UIDFETCH (UID 2 FLAGS ())\r\n4 OK *");
    expect(t->c, "5 UID STORE 4 +FLAGS (\\Flagged)\r\n",
           "* 4 UIDFETCH (FLAGS (\\Flagged) MODSEQ (*))\r\n5 OK *");
    expect(t->other, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->other, "2 STORE 3 +FLAGS (\\Seen)\r\n", "*2 OK *");
    expect(t->other, "3 STORE 1 +FLAGS (\\Deleted)\r\n", "*3 OK *");
    expect(t->other, "4 EXPUNGE\r\n", "*4 OK *");
    expect(t->c, "6 NOOP\r\n",
           "* VANISHED 1\r\n* 3 UIDFETCH (FLAGS (\\Seen) MODSEQ (*))\r\n6 OK *");
    expect(t->c, "7 UID SEARCH UID 1:3\r\n", "* SEARCH 2 3*\r\n7 OK *");
    expect(t->c, "8 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)\r\n",
           "* VANISHED (EARLIER) 1\r\n* 2 UIDFETCH (FLAGS () MODSEQ (*))*8 OK *");
    expect(t->c, "9 UID STORE 2 +FLAGS.SILENT (\\Deleted)\r\n", "*9 OK *");
    expect(t->c, "10 EXPUNGE\r\n", "* VANISHED 2\r\n10 OK *");
    expect(t->c, "11 CLOSE\r\n", "11 OK *");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/imap/binary", struct test, NULL, setup, test_binary, teardown);
    g_test_add("/imap/uid-only", struct test, NULL, setup, test_uid_only, teardown);
    return g_test_run();
}
