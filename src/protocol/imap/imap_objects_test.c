// Ids, dates, previews and annotations: what messages and folders have beside their contents.
#include "mailbox/identity.h"
#include "mailbox/metadata.h"
#include "protocol/imap/imap_fixture.h"

struct test {
    struct imap_fixture f;
    struct imap_client *c;
};

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    imap_fixture_setup(&t->f);
    t->c = imap_client_new(&t->f, true);
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    imap_client_free(t->c);
    imap_fixture_teardown(&t->f);
}

static void append(struct imap_client *c, const char *message) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND INBOX \"01-Jan-2020 00:00:00 +0000\" {%zu+}\r\n%s\r\n",
                        strlen(message), message);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

// What stands after `name` in the answer to a command, up to ')' (g_free).
static char *value_of(struct imap_client *c, const char *command, const char *name) {
    const char *at = strstr(imap_client_say(c, command), name);
    g_assert_nonnull(at);
    at += strlen(name);
    return g_strndup(at, strcspn(at, ")"));
}

static void test_ids(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    append(c, "Subject: one\r\n\r\nx\r\n");
    append(c, "Subject: Re: one\r\n\r\ny\r\n");
    append(c, "Subject: two\r\n\r\nz\r\n");
    g_autofree char *made = value_of(c, "a CREATE Other\r\n", "[MAILBOXID (");
    g_autofree char *renamed =
        value_of(c, "b RENAME Other New\r\nb STATUS New (MAILBOXID)\r\n", "(MAILBOXID (");
    g_assert_cmpstr(made, ==, renamed);
    g_autofree char *inbox = value_of(c, "c SELECT INBOX\r\n", "[MAILBOXID (");
    g_assert_cmpstr(made, !=, inbox);
    g_autofree char *email = value_of(c, "d FETCH 1 EMAILID\r\n", "EMAILID (");
    g_autofree char *email2 = value_of(c, "e FETCH 2 EMAILID\r\n", "EMAILID (");
    g_autofree char *thread = value_of(c, "f FETCH 1 THREADID\r\n", "THREADID (");
    g_autofree char *thread2 = value_of(c, "g FETCH 2 THREADID\r\n", "THREADID (");
    g_autofree char *thread3 = value_of(c, "h FETCH 3 THREADID\r\n", "THREADID (");
    g_assert_cmpstr(email, !=, email2);
    g_assert_cmpstr(thread, ==, thread2);
    g_assert_cmpstr(thread, !=, thread3);
    g_autofree char *by_email = g_strdup_printf("i SEARCH EMAILID %s\r\n", email);
    expect(c, by_email, "* SEARCH 1\r\ni OK *");
    g_autofree char *by_thread = g_strdup_printf("j SEARCH NOT THREADID %s\r\n", thread);
    expect(c, by_thread, "* SEARCH 3\r\nj OK *");
    expect(c, "k SEARCH EMAILID nothing\r\n", "* SEARCH\r\nk OK *");
    // Copies and moved messages are the same.
    expect(c, "l COPY 1 New\r\n", "*l OK *");
    expect(c, "m MOVE 2 New\r\n", "*m OK *");
    expect(c, "n SELECT New\r\n", "*n OK *");
    g_autofree char *copy = value_of(c, "o FETCH 1 EMAILID\r\n", "EMAILID (");
    g_autofree char *moved = value_of(c, "p FETCH 2 EMAILID\r\n", "EMAILID (");
    g_assert_cmpstr(copy, ==, email);
    g_assert_cmpstr(moved, ==, email2);
}

static void test_save_date(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    append(c, "Subject: one\r\n\r\nx\r\n");
    expect(c, "a SELECT INBOX\r\n", "*a OK *");
    // It came in now, whatever its internal date says.
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *year = g_date_time_format(now, "*SAVEDATE \"*-%Y *\"*");
    const char *got = imap_client_say(c, "b FETCH 1 (SAVEDATE INTERNALDATE)\r\n");
    g_assert_true(g_pattern_match_simple(year, got));
    g_assert_true(strstr(got, "-Jan-2020 "));
    expect(c, "c SEARCH SAVEDSINCE 1-Jan-2021\r\n", "* SEARCH 1\r\nc OK *");
    expect(c, "d SEARCH SAVEDBEFORE 1-Jan-2021\r\n", "* SEARCH\r\nd OK *");
    expect(c, "e SEARCH SAVEDON 1-Jan-2020\r\n", "* SEARCH\r\ne OK *");
    expect(c, "f SEARCH SAVEDATESUPPORTED\r\n", "* SEARCH 1\r\nf OK *");
    expect(c, "g SEARCH SAVEDSINCE 1-Jan-2999\r\n", "* SEARCH\r\ng OK *");
    g_autoptr(GString) many = g_string_new("h SEARCH");
    for (unsigned i = 0; i < 100; i++)
        g_string_append(many, " SAVEDBEFORE 1-Jan-2021");
    g_string_append(many, "\r\n");
    expect(c, many->str, "h BAD *");
}

static void test_preview(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    static const struct {
        const char *message, *answer;
    } cases[] = {
        {"Subject: x\r\n\r\n Hello,\r\n\r\n  world \r\n", "PREVIEW \"Hello, world\""},
        {"Subject: x\r\n\r\n", "PREVIEW \"\""},
        {"Content-Type: text/html\r\n\r\n<style>x</style><p>One &amp;</p><p>two</p>",
         "PREVIEW \"One & two\""},
        {"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: "
         "text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
         "Gr=FC=DFe\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>no\r\n--b--\r\n",
         "PREVIEW {7}\r\nGr\xc3\xbc\xc3\x9f\x65"},
        {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
         "text/plain\r\nContent-Disposition: attachment\r\n\r\nno\r\n--b\r\nContent-Type: "
         "multipart/related; boundary=c\r\n\r\n--c\r\nContent-Type: "
         "image/png\r\n\r\nx\r\n--c\r\n\r\n"
         "yes\r\n--c--\r\n--b--\r\n",
         "PREVIEW \"yes\""},
        {"Content-Type: image/png\r\n\r\nxxx", "PREVIEW \"\""},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        append(c, cases[i].message);
    g_autoptr(GString) longer = g_string_new("Subject: x\r\n\r\n");
    for (unsigned i = 0; i < 20000; i++)
        g_string_append(longer, "word \r\n");
    append(c, longer->str);
    expect(c, "a SELECT INBOX\r\n", "*a OK *");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *send = g_strdup_printf("b FETCH %u PREVIEW\r\n", i + 1);
        g_autofree char *want =
            g_strdup_printf("* %u FETCH (%s)\r\nb OK Completed\r\n", i + 1, cases[i].answer);
        g_assert_cmpstr(imap_client_say(c, send), ==, want);
    }
    const char *got = imap_client_say(c, "c FETCH 7 (PREVIEW (LAZY) FLAGS)\r\n");
    g_assert_true(g_str_has_prefix(got, "* 7 FETCH (PREVIEW \"word word "));
    g_assert_nonnull(strstr(got, "\" FLAGS ())\r\n"));
    g_assert_cmpuint(strlen(got), <, MAILBOX_PREVIEW_MAX + 80);
    expect(c, "d FETCH 1 (PREVIEW (FOO))\r\n", "d BAD *");
    expect(c, "e UID FETCH 1:* (UID) (PARTIAL -1:-2)\r\n",
           "* 6 FETCH (UID 6)\r\n* 7 FETCH (UID 7)\r\ne OK *");
    expect(c, "f UID FETCH 1:2,4:* (UID) (PARTIAL 2:4)\r\n",
           "* 2 FETCH (UID 2)\r\n* 4 FETCH (UID 4)\r\n* 5 FETCH (UID 5)\r\nf OK *");
    expect(c, "g UID FETCH 1:* (UID) (PARTIAL 100:200)\r\n", "g OK *");
    expect(c, "h FETCH 1:* (UID) (PARTIAL 1:2)\r\n", "h BAD *");
}

static void test_special_use(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    expect(c, "a CREATE Keep (USE (\\Archive))\r\n", "a OK [MAILBOXID (*)] *");
    expect(c, "b LIST \"\" Keep\r\n", "* LIST (\\HasNoChildren \\Archive) \"/\" Keep\r\nb OK *");
    expect(c, "c LIST (SPECIAL-USE) \"\" \"K%\"\r\n", "* LIST (*\\Archive) \"/\" Keep\r\nc OK *");
    expect(c, "d CREATE Nope (USE (\\All))\r\n", "d NO [USEATTR] *");
    expect(c, "e CREATE Nope (USE (\\Archive \\Junk))\r\n", "e NO [USEATTR] *");
    expect(c, "f CREATE Nope (FOO)\r\n", "f BAD *");
    expect(c, "g LIST \"\" Nope\r\n", "g OK *");
    expect(c, "h GETMETADATA Keep /private/specialuse\r\n",
           "* METADATA Keep (/private/specialuse \"\\\\Archive\")\r\nh OK *");
    expect(c, "i SETMETADATA Keep (/private/specialuse \"\\\\Important\")\r\n", "i OK *");
    expect(c, "j LIST \"\" Keep\r\n", "* LIST (*\\Important) \"/\" Keep\r\nj OK *");
    expect(c, "k SETMETADATA Keep (/private/specialuse \"\\\\Foo\")\r\n", "k NO [CANNOT] *");
    expect(c, "l SETMETADATA Keep (/private/specialuse NIL)\r\n", "l OK *");
    expect(c, "m LIST \"\" Keep\r\n", "* LIST (\\HasNoChildren) \"/\" Keep\r\nm OK *");
    expect(c, "n CREATE Plain ()\r\n", "n BAD *");
    expect(c, "o GETMETADATA \"Sent Items\" /private/specialuse\r\n",
           "* METADATA \"Sent Items\" (/private/specialuse \"\\\\Sent\")\r\no OK *");
}

static void test_metadata(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    expect(c, "a SETMETADATA INBOX (/private/Comment \"mine\" /shared/comment \"ours\")\r\n",
           "a OK *");
    expect(c, "b GETMETADATA INBOX (/private/comment /shared/comment /private/none)\r\n",
           "* METADATA INBOX (/private/comment \"mine\" /shared/comment \"ours\")\r\nb OK *");
    expect(c, "c GETMETADATA INBOX /private/none\r\n", "c OK *");
    expect(c, "d SETMETADATA INBOX (/private/filters/a \"1\" /private/filters/b/c \"22\")\r\n",
           "d OK *");
    expect(c, "e GETMETADATA (DEPTH 1) INBOX /private/filters\r\n",
           "* METADATA INBOX (/private/filters/a \"1\")\r\ne OK *");
    expect(c, "f GETMETADATA INBOX (DEPTH infinity) (/private/filters)\r\n",
           "* METADATA INBOX (/private/filters/a \"1\" /private/filters/b/c \"22\")\r\nf OK *");
    expect(c, "g GETMETADATA (DEPTH infinity MAXSIZE 1) INBOX /private/filters\r\n",
           "* METADATA INBOX (/private/filters/a \"1\")\r\ng OK [METADATA LONGENTRIES 2] *");
    expect(c, "h SETMETADATA INBOX (/private/comment NIL)\r\n", "h OK *");
    expect(c, "i GETMETADATA INBOX /private/comment\r\n", "i OK *");
    // The mailbox as a whole.
    expect(c, "j SETMETADATA \"\" (/private/vendor/x \"y\")\r\n", "j OK *");
    expect(c, "k GETMETADATA \"\" /private/vendor/x\r\n",
           "* METADATA \"\" (/private/vendor/x \"y\")\r\nk OK *");
    expect(c, "l SETMETADATA \"\" (/shared/comment \"y\")\r\n", "l NO [NOPERM] *");
    // Bytes.
    static const char bytes[] = "m SETMETADATA INBOX (/private/b ~{3+}\r\na\0b)\r\n";
    g_assert_true(g_str_has_prefix(imap_client_send(c, bytes, sizeof bytes - 1), "m OK "));
    imap_client_say(c, "n GETMETADATA INBOX /private/b\r\n");
    static const char answer[] = "* METADATA INBOX (/private/b ~{3}\r\na\0b)\r\nn OK";
    g_assert_cmpuint(c->output->len, >, sizeof answer);
    g_assert_cmpmem(c->output->str, sizeof answer - 1, answer, sizeof answer - 1);
    expect(c, "o SETMETADATA INBOX (comment \"x\")\r\n", "o NO [CANNOT] *");
    expect(c, "p SETMETADATA INBOX (/private//x \"x\")\r\n", "p NO [CANNOT] *");
    expect(c, "q SETMETADATA INBOX (/private/x/ \"x\")\r\n", "q NO [CANNOT] *");
    expect(c, "r SETMETADATA INBOX ()\r\n", "r BAD *");
    expect(c, "s SETMETADATA nope (/private/x \"x\")\r\n", "s NO [NONEXISTENT] *");
    expect(c, "t GETMETADATA INBOX /private/*\r\n", "t BAD *");
    expect(c, "u GETMETADATA (FOO 1) INBOX /private/x\r\n", "u BAD *");
    g_autofree char *large = g_strnfill(METADATA_VALUE_MAX + 1, 'x');
    g_autofree char *set = g_strdup_printf("v SETMETADATA INBOX (/private/x {%d+}\r\n%s)\r\n",
                                           METADATA_VALUE_MAX + 1, large);
    expect(c, set, "v NO [METADATA MAXSIZE 65536] *");
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(GString) many = g_string_new("w SETMETADATA INBOX (");
        for (unsigned k = 0; k < 60; k++)
            g_string_append_printf(many, "%s/private/many/%u \"x\"", k ? " " : "", i * 60 + k);
        g_string_append(many, ")\r\n");
        expect(c, many->str, i ? "w NO [METADATA TOOMANY] *" : "w OK *");
    }
    expect(c, "w LIST \"\" INBOX RETURN (MYRIGHTS METADATA (/shared/comment /private/none))\r\n",
           "* LIST (*) \"/\" INBOX\r\n* MYRIGHTS INBOX \"l*\"\r\n"
           "* METADATA INBOX (/shared/comment \"ours\" /private/none NIL)\r\nw OK *");
    // They go with their folder.
    expect(c, "x CREATE Gone\r\n", "x OK *");
    expect(c, "y SETMETADATA Gone (/private/comment \"x\")\r\n", "y OK *");
    expect(c, "z DELETE Gone\r\n", "z OK *");
    expect(c, "x CREATE Gone\r\n", "x OK *");
    expect(c, "y GETMETADATA Gone /private/comment\r\n", "y OK *");
}

#define ADD(name, fn) g_test_add("/imap_objects/" name, struct test, NULL, setup, fn, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("ids", test_ids);
    ADD("save_date", test_save_date);
    ADD("preview", test_preview);
    ADD("special_use", test_special_use);
    ADD("metadata", test_metadata);
    return g_test_run();
}
