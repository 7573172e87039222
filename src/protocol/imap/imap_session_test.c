// Conversations: what is sent, what must come back.
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

// `target`: the mailbox, and flags and date if any.
static void append(struct imap_client *c, const char *target, const char *message) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND %s {%zu+}\r\n%s\r\n", target, strlen(message), message);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

static const char nested[] = "From: Alice <alice@example.test>\r\n"
                             "Subject: outer\r\n"
                             "MIME-Version: 1.0\r\n"
                             "Content-Type: multipart/mixed; boundary=b\r\n"
                             "\r\n"
                             "preamble\r\n"
                             "--b\r\n"
                             "\r\n"
                             "first\r\n"
                             "--b\r\n"
                             "Content-Type: message/rfc822\r\n"
                             "\r\n"
                             "Subject: inner\r\n"
                             "X-A: 1\r\n"
                             "\r\n"
                             "inner text\r\n"
                             "--b--\r\n";

static void test_not_authenticated(struct test *t, gconstpointer data) {
    struct imap_client *c = imap_client_new(&t->f, false);
    expect(c, "1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 *LOGINDISABLED*1 OK *");
    expect(c, "2 NOOP\r\n", "2 OK *");
    expect(c, "3 SELECT INBOX\r\n", "3 BAD *");
    expect(c, "4 LIST \"\" \"*\"\r\n", "4 BAD *");
    expect(c, "5 LOGIN alice wrong\r\n", "5 NO [AUTHENTICATIONFAILED] *");
    expect(c, "6 AUTHENTICATE FOO\r\n", "6 NO *");
    expect(c, "7 STARTTLS\r\n", "7 BAD *");
    expect(c, "8 LOGOUT\r\n", "* BYE *\r\n8 OK *");
    g_assert_cmpint(c->next, ==, NET_CLOSE);
    imap_client_free(c);
}

static void test_select(struct test *t, gconstpointer data) {
    append(t->other, "INBOX", "Subject: 1\r\n\r\nx\r\n");
    expect(t->c, "1 SELECT inbox\r\n",
           "* FLAGS (*)\r\n* OK [PERMANENTFLAGS (*\\*)] *\r\n* 1 EXISTS\r\n* 0 RECENT\r\n"
           "* OK [UNSEEN 1] *\r\n* OK [UIDVALIDITY *] *\r\n* OK [UIDNEXT 2] *\r\n"
           "* OK [HIGHESTMODSEQ *] *\r\n1 OK [READ-WRITE] *\r\n");
    expect(t->c, "2 EXAMINE INBOX\r\n",
           "* OK [CLOSED] ** OK [PERMANENTFLAGS ()] *2 OK [READ-ONLY] *");
    expect(t->c, "3 STORE 1 +FLAGS (\\Seen)\r\n", "3 NO *");
    expect(t->c, "4 FETCH 1 BODY[TEXT]\r\n", "* 1 FETCH (BODY[TEXT] {3}\r\nx\r\n)\r\n4 OK *");
    expect(t->c, "5 EXPUNGE\r\n", "5 NO *");
    expect(t->c, "6 SELECT nope\r\n", "*6 NO [NONEXISTENT] *");
    expect(t->c, "7 FETCH 1 FLAGS\r\n", "7 BAD *"); // a failed SELECT leaves nothing selected
    expect(t->c, "8 UNSELECT\r\n", "8 BAD *");
}

static void test_fetch_sections(struct test *t, gconstpointer data) {
    static const struct {
        const char *item, *answer;
    } cases[] = {
        {"BODY.PEEK[1]", "BODY[1] {5}\r\nfirst"},
        {"BODY.PEEK[2.HEADER]", "BODY[2.HEADER] {26}\r\nSubject: inner\r\nX-A: 1\r\n\r\n"},
        {"BODY.PEEK[2.TEXT]", "BODY[2.TEXT] {10}\r\ninner text"},
        {"BODY.PEEK[2.1]", "BODY[2.1] {10}\r\ninner text"},
        {"BODY.PEEK[2.MIME]", "BODY[2.MIME] {32}\r\nContent-Type: message/rfc822\r\n\r\n"},
        {"BODY.PEEK[1.MIME]", "BODY[1.MIME] {2}\r\n\r\n"},
        {"BODY.PEEK[2.HEADER.FIELDS (x-a)]", "BODY[2.HEADER.FIELDS (x-a)] {10}\r\nX-A: 1\r\n\r\n"},
        {"BODY.PEEK[HEADER.FIELDS (Subject NoSuch)]",
         "BODY[HEADER.FIELDS (Subject NoSuch)] {18}\r\nSubject: outer\r\n\r\n"},
        {"BODY.PEEK[2.HEADER.FIELDS.NOT (x-a)]",
         "BODY[2.HEADER.FIELDS.NOT (x-a)] {18}\r\nSubject: inner\r\n\r\n"},
        {"BODY.PEEK[3]", "BODY[3] NIL"},
        {"BODY.PEEK[1.HEADER]", "BODY[1.HEADER] NIL"},
        {"BODY.PEEK[1.1]", "BODY[1.1] NIL"},
        {"BODY.PEEK[]<0.7>", "BODY[]<0> {7}\r\nFrom: A"},
        {"BODY.PEEK[]<100000.7>", "BODY[]<100000> {0}\r\n"},
        {"BODY.PEEK[1]<2.2>", "BODY[1]<2> {2}\r\nrs"},
        {"BODY.PEEK[1]<4.9>", "BODY[1]<4> {1}\r\nt"},
        {"BODY.PEEK[TEXT]<0.8>", "BODY[TEXT]<0> {8}\r\npreamble"},
        {"UID", "UID 1"},
        {"RFC822.HEADER", "RFC822.HEADER {*}\r\nFrom: *boundary=b\r\n\r\n"},
    };
    append(t->c, "INBOX", nested);
    expect(t->c, "s SELECT INBOX\r\n", "*s OK *");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *send = g_strdup_printf("f FETCH 1 %s\r\n", cases[i].item);
        g_autofree char *want =
            g_strdup_printf("* 1 FETCH (%s)\r\nf OK Completed\r\n", cases[i].answer);
        const char *got = imap_client_say(t->c, send);
        if (strchr(cases[i].answer, '*') ? !g_pattern_match_simple(want, got)
                                         : strcmp(want, got) != 0)
            g_error("%s gave\n%s\nnot\n%s", send, got, want);
    }
    // The whole message comes back byte for byte, and reading it marks it.
    g_autofree char *whole = g_strdup_printf("* 1 FETCH (BODY[] {%zu}\r\n%s FLAGS (\\Seen))\r\n",
                                             strlen(nested), nested);
    g_assert_true(g_str_has_prefix(imap_client_say(t->c, "w FETCH 1 BODY[]\r\n"), whole));
    expect(t->c, "x FETCH 1 FLAGS\r\n", "* 1 FETCH (FLAGS (\\Seen))\r\nx OK *");
    expect(t->other, "s SELECT INBOX\r\n", "*s OK *");
    expect(t->other, "y FETCH 1 (FLAGS BODY ENVELOPE)\r\n",
           "* 1 FETCH (FLAGS (\\Seen) BODY ((\"text\" *)(\"message\" *) \"mixed\") ENVELOPE (*))*");
}

static void test_store(struct test *t, gconstpointer data) {
    for (unsigned i = 0; i < 3; i++)
        append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->other, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 STORE 1:2 +FLAGS (\\Flagged Work)\r\n",
           "* 1 FETCH (FLAGS (\\Flagged Work))\r\n* 2 FETCH (FLAGS (\\Flagged Work))\r\n2 OK *");
    expect(t->c, "3 STORE 2 -FLAGS.SILENT (Work)\r\n", "3 OK *\r\n");
    // The other session hears of all of it, once.
    expect(t->other, "2 NOOP\r\n",
           "* 1 FETCH (FLAGS (\\Flagged Work))\r\n* 2 FETCH (FLAGS (\\Flagged))\r\n2 OK *");
    expect(t->other, "3 NOOP\r\n", "3 OK *");
    expect(t->c, "4 UID STORE 3 FLAGS \\Seen\r\n", "* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n4 OK *");
    expect(t->c, "5 STORE 4 +FLAGS ()\r\n", "5 BAD *");
    expect(t->c, "6 STORE 1 FOO (a)\r\n", "6 BAD *");
    expect(t->c, "7 STORE 1 +FLAGS (\\Foo)\r\n", "7 BAD *");
    expect(t->c, "8 UID STORE 99 +FLAGS (\\Seen)\r\n", "8 OK *");
}

static void test_condstore(struct test *t, gconstpointer data) {
    append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "1 ENABLE CONDSTORE X-FOO\r\n", "* ENABLED CONDSTORE\r\n1 OK *");
    expect(t->c, "2 SELECT INBOX (CONDSTORE)\r\n", "*2 OK *");
    expect(t->c, "3 STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Deleted)\r\n",
           "* 1 FETCH (UID 1 FLAGS () MODSEQ (*))\r\n3 OK [MODIFIED 1] *");
    expect(t->c, "4 STORE 1 +FLAGS.SILENT (\\Deleted)\r\n",
           "* 1 FETCH (UID 1 MODSEQ (*))\r\n4 OK *");
    expect(t->c, "5 FETCH 1 (FLAGS) (CHANGEDSINCE 1)\r\n",
           "* 1 FETCH (FLAGS (\\Deleted) MODSEQ (*))\r\n5 OK *");
    expect(t->c, "6 FETCH 1 (FLAGS) (CHANGEDSINCE 99999999)\r\n", "6 OK *");
    expect(t->c, "7 SEARCH MODSEQ 1\r\n", "* SEARCH 1 (MODSEQ *)\r\n7 OK *");
    expect(t->c, "8 SELECT INBOX (QRESYNC (1 2))\r\n", "8 BAD *");
}

static void test_expunge_between_sessions(struct test *t, gconstpointer data) {
    for (unsigned i = 0; i < 5; i++)
        append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->other, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 STORE 2,4:5 +FLAGS.SILENT (\\Deleted)\r\n", "2 OK *");
    expect(t->c, "3 UID EXPUNGE 1:4\r\n", "* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n3 OK *");
    // FETCH, STORE and SEARCH by number must not tell of it; their numbers still count as before.
    expect(t->other, "2 FETCH 5 UID\r\n", "* 5 FETCH (UID 5)\r\n2 OK *");
    expect(t->other, "3 SEARCH ALL\r\n", "* SEARCH 1 2 3 4 5\r\n3 OK *");
    expect(t->other, "4 STORE 3 +FLAGS (\\Seen)\r\n", "* 3 FETCH (FLAGS (\\Seen))\r\n4 OK *");
    // What is expunged can still be read by whoever has not heard of it ([RFC 2180] 4.1.1).
    expect(t->other, "5 FETCH 2 BODY.PEEK[TEXT]\r\n", "* 2 FETCH (BODY[TEXT] *5 OK *");
    expect(t->other, "6 UID SEARCH UID 3\r\n",
           "* SEARCH 3\r\n* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n*6 OK *");
    expect(t->other, "7 FETCH 1:* UID\r\n",
           "* 1 FETCH (UID 1)\r\n* 2 FETCH (UID 3)\r\n* 3 FETCH (UID 5)\r\n7 OK *");
    append(t->c, "INBOX", "Subject: new\r\n\r\n");
    expect(t->other, "8 NOOP\r\n", "* 4 EXISTS\r\n* 0 RECENT\r\n8 OK *");
    expect(t->c, "9 CLOSE\r\n", "9 OK *"); // expunges 5, and says nothing
    expect(t->other, "9 NOOP\r\n", "* 3 EXPUNGE\r\n9 OK *");
}

static void test_copy_move(struct test *t, gconstpointer data) {
    for (unsigned i = 0; i < 4; i++)
        append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "1 CREATE Target\r\n1b SELECT INBOX\r\n", "1 OK *1b OK *");
    expect(t->c, "2 COPY 1,3 Target\r\n", "2 OK [COPYUID * 1,3 1:2] *");
    expect(t->c, "3 COPY 1 nope\r\n", "3 NO [TRYCREATE] *");
    expect(t->c, "4 MOVE 2:3 Target\r\n",
           "* OK [COPYUID * 2:3 3:4] *\r\n* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n4 OK *");
    expect(t->c, "5 STATUS Target (MESSAGES UIDNEXT)\r\n",
           "* STATUS Target (MESSAGES 4 UIDNEXT 5)\r\n5 OK *");
    expect(t->c, "6 UID COPY 99 Target\r\n", "6 OK *");
    expect(t->c, "7 COPY 1 INBOX\r\n", "* 3 EXISTS\r\n* 0 RECENT\r\n7 OK [COPYUID *] *");
}

static void test_search(struct test *t, gconstpointer data) {
    static const struct {
        const char *keys, *found; // found NULL: BAD
    } cases[] = {
        {"ALL", " 1 2 3"},
        {"SUBJECT HELLO", " 1"},
        {"SUBJECT \"hello world\"", " 1"}, // across a folded line
        {"FROM bob", " 2"},
        {"TEXT needle", " 1 2"},
        {"BODY NEEDLE", " 1 2"},
        {"BODY \"subject: inner\"", " 3"}, // a message inside is body
        {"TEXT outer", " 3"},
        {"TEXT inner", " 3"}, // in the header of a message inside
        {"HEADER X-Foo \"\"", " 2"},
        {"HEADER X-Foo ba", " 2"},
        {"NOT TEXT needle", " 3"},
        {"OR FROM bob SUBJECT outer", " 2 3"},
        {"CHARSET UTF-8 SUBJECT {7+}\r\n\xc3\x84PFEL!", ""},
        {"CHARSET UTF-8 SUBJECT {6+}\r\n\xc3\x84PFEL", " 2"},
        {"CHARSET UTF-8 TEXT {5+}\r\nCAF\xc3\x89", " 2"},
        {"UID 2:3", " 2 3"},
        {"2:*", " 2 3"},
        {"SENTBEFORE 1-Jan-2020", " 1"},
        {"SENTON 5-Feb-2019", " 1"},
        {"SENTSINCE 1-Jan-2020", ""},
        {"SINCE 1-Jan-2015 BEFORE 1-Jan-2016", " 1"},
        {"ON 15-Jun-2015", " 1"},
        {"KEYWORD work", " 1"},
        {"UNKEYWORD Work UNSEEN", " 2 3"},
        {"(FLAGGED) (UNDELETED)", " 1"},
        {"NEW", ""},
        {"OLD", " 1 2 3"},
        {"LARGER 150", " 2 3"},
        {"SMALLER 1", ""},
        {"YOUNGER 3600", " 2 3"},
        {"FUZZY BODY needle", " 1 2"},
        {"FUZZY BODY needl", " 1 2"}, // words that go on
        {"FUZZY BODY eedle", ""},     // but begin like this
        {"FUZZY SUBJECT APFEL", " 2"},
        {"FUZZY FROM bob", " 2"},
        {"NOT FUZZY FROM bob", " 1 3"},
        {"FUZZY (BODY needle SUBJECT hello)", " 1"},
        {"FUZZY HEADER X-Foo ba", " 2"}, // as always
        {"FUZZY FLAGGED", " 1"},
        {"FUZZY", NULL},
        {"FOO", NULL},
        {"", NULL},
        {"(ALL", NULL},
        {"OR ALL", NULL},
        {"NOT", NULL},
        {"SUBJECT", NULL},
        {"SINCE 1-Foo-2000", NULL},
        {"4", NULL},
        {"SUBJECT {1+}\r\n\xff", NULL},
    };
    append(t->c, "INBOX (\\Flagged Work) \"15-Jun-2015 12:00:00 +0000\"",
           "Date: Tue, 5 Feb 2019 23:30:00 -0500\r\n"
           "Subject: hello\r\n world\r\n"
           "From: alice@example.test\r\n"
           "Content-Type: text/plain\r\n"
           "\r\n"
           "There is a Needle in this.\r\n");
    append(t->c, "INBOX",
           "Subject: =?utf-8?Q?=C3=A4pfel?=\r\n"
           "From: Bob <bob@example.test>\r\n"
           "X-Foo: bar\r\n"
           "MIME-Version: 1.0\r\n"
           "Content-Type: text/plain; charset=iso-8859-1\r\n"
           "Content-Transfer-Encoding: base64\r\n"
           "\r\n"
           "QSBuZWVkbGUgaW4gYmFzZTY0LCBhbmQgYSBjYWbpLg==\r\n");
    append(t->c, "INBOX", nested);
    expect(t->c, "s SELECT INBOX\r\n", "*s OK *");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *send = g_strdup_printf("f SEARCH %s\r\n", cases[i].keys);
        g_autofree char *want =
            cases[i].found ? g_strdup_printf("* SEARCH%s\r\nf OK Completed\r\n", cases[i].found)
                           : g_strdup("f BAD ");
        const char *got = imap_client_say(t->c, send);
        if (cases[i].found ? strcmp(got, want) != 0 : !g_str_has_prefix(got, want))
            g_error("SEARCH %s gave\n%s\nnot\n%s", cases[i].keys, got, want);
        t->c->session->n_bad = 0;
    }
    expect(t->c, "g SEARCH CHARSET KOI8-R ALL\r\n", "g NO [BADCHARSET (*)] *");
    expect(t->c, "h UID SEARCH RETURN (MIN MAX COUNT ALL) 1,3\r\n",
           "* ESEARCH (TAG \"h\") UID MIN 1 MAX 3 ALL 1,3 COUNT 2\r\nh OK *");
    expect(t->c, "i SEARCH RETURN (COUNT) SUBJECT nothing\r\n",
           "* ESEARCH (TAG \"i\") COUNT 0\r\ni OK *");
    expect(t->c, "j SEARCH RETURN (RELEVANCY ALL) FUZZY BODY needle\r\n",
           "* ESEARCH (TAG \"j\") ALL 1:2 RELEVANCY (100 100)\r\nj OK *");
}

static void test_folders(struct test *t, gconstpointer data) {
    expect(t->c, "1 LIST \"\" \"\"\r\n", "* LIST (\\Noselect) \"/\" \"\"\r\n1 OK *");
    expect(t->c, "2 CREATE a/b/\r\n3 LIST \"\" a%\r\n4 LIST a/ %\r\n",
           "2 OK ** LIST (\\HasChildren) \"/\" a\r\n3 OK ** LIST (\\HasNoChildren) \"/\" a/b\r\n4 "
           "OK *");
    expect(t->c, "5 DELETE a\r\n", "5 NO [HASCHILDREN] *");
    expect(t->c, "6 RENAME a/b c/d\r\n7 LIST \"\" c*\r\n",
           "6 OK ** LIST (\\HasChildren) \"/\" c\r\n* LIST (\\HasNoChildren) \"/\" c/d\r\n7 OK *");
    expect(t->c, "8 RENAME c c/d/e\r\n", "8 NO [CANNOT] *");
    expect(t->c, "9 DELETE INBOX\r\n", "9 NO [CANNOT] *");
    expect(t->c, "10 CREATE INBOX/sub\r\n11 LIST \"\" inbox/%\r\n",
           "10 OK ** LIST (\\HasNoChildren) \"/\" INBOX/sub\r\n11 OK *");
    expect(t->c, "12 LIST (SPECIAL-USE) \"\" \"*\" RETURN (SPECIAL-USE)\r\n",
           "*\\Drafts) \"/\" Drafts\r\n*\\Sent) \"/\" \"Sent Items\"\r\n12 OK *");
    expect(t->c, "13 SUBSCRIBE gone\r\n14 LSUB \"\" g*\r\n",
           "13 OK ** LSUB (\\Noselect) \"/\" gone\r\n14 OK *");
    // A remembered name becomes the folder's subscription, and outlives the folder.
    expect(t->c, "15 CREATE gone\r\n16 LSUB \"\" g*\r\n",
           "15 OK ** LSUB (\\HasNoChildren) \"/\" gone\r\n16 OK *");
    expect(t->c, "17 DELETE gone\r\n18 LSUB \"\" g*\r\n",
           "17 OK ** LSUB (\\Noselect) \"/\" gone\r\n18 OK *");
    expect(t->c, "19 UNSUBSCRIBE gone\r\n20 LSUB \"\" g*\r\n", "19 OK *\r\n20 OK *");
    expect(t->c, "21 CREATE \"x&AOQ-&-y z\"\r\n22 LIST \"\" x*\r\n",
           "21 OK ** LIST (\\HasNoChildren) \"/\" \"x&AOQ-&-y z\"\r\n22 OK *");
    expect(t->c, "23 CREATE \"bad&\"\r\n", "23 NO [CANNOT] *");
    expect(t->c, "24 CREATE \"a//b\"\r\n", "24 NO [CANNOT] *");
    expect(t->c, "25 CREATE \"\"\r\n", "25 NO *");
    expect(t->c, "26 STATUS x&AOQ-nope (MESSAGES)\r\n", "26 NO [NONEXISTENT] *");
    expect(t->c, "27 LIST \"\" (INBOX \"Dr*\") RETURN (STATUS (UNSEEN) SUBSCRIBED)\r\n",
           "* LIST (* \\Subscribed) \"/\" Drafts\r\n* STATUS Drafts (UNSEEN 0)\r\n"
           "* LIST (* \\Subscribed) \"/\" INBOX\r\n* STATUS INBOX (UNSEEN 0)\r\n27 OK *");
}

static void test_rename_inbox(struct test *t, gconstpointer data) {
    append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 RENAME INBOX Old\r\n", "* 1 EXPUNGE\r\n2 OK *");
    expect(t->c, "3 STATUS Old (MESSAGES)\r\n", "* STATUS Old (MESSAGES 1)\r\n3 OK *");
    expect(t->c, "4 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 0)\r\n4 OK *");
}

static uint64_t number_after(const char *text, const char *what) {
    const char *at = strstr(text, what);
    g_assert_nonnull(at);
    return g_ascii_strtoull(at + strlen(what), NULL, 10);
}

#define expect_printf(client, pattern, ...)                                                        \
    do {                                                                                           \
        g_autofree char *text_ = g_strdup_printf(__VA_ARGS__);                                     \
        expect(client, text_, pattern);                                                            \
    } while (0)

static void test_qresync(struct test *t, gconstpointer data) {
    for (unsigned i = 0; i < 5; i++)
        append(t->c, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "0 SELECT INBOX (QRESYNC (1 1))\r\n", "0 BAD *");
    expect(t->c, "1 ENABLE QRESYNC\r\n", "* ENABLED QRESYNC\r\n1 OK *");
    const char *selected = imap_client_say(t->c, "2 SELECT INBOX\r\n");
    unsigned validity = (unsigned)number_after(selected, "UIDVALIDITY ");
    unsigned modseq = (unsigned)number_after(selected, "HIGHESTMODSEQ ");
    expect(t->other, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->other, "2 STORE 2,4:5 +FLAGS.SILENT (\\Deleted)\r\n", "2 OK *");
    expect(t->other, "3 EXPUNGE\r\n", "* 5 EXPUNGE\r\n* 4 EXPUNGE\r\n* 2 EXPUNGE\r\n3 OK *");
    expect(t->other, "4 STORE 1 +FLAGS.SILENT (\\Flagged)\r\n", "4 OK *");
    expect(t->c, "3 NOOP\r\n",
           "* VANISHED 2,4:5\r\n* 1 FETCH (UID 1 FLAGS (\\Flagged) MODSEQ (*))\r\n3 OK *");
    expect_printf(t->c,
                  "* OK [CLOSED] **[HIGHESTMODSEQ *\r\n* VANISHED (EARLIER) 2,4:5\r\n"
                  "* 1 FETCH (UID 1 FLAGS (\\Flagged) MODSEQ (*))\r\n4 OK *",
                  "4 SELECT INBOX (QRESYNC (%u %u))\r\n", validity, modseq);
    expect_printf(t->c, "** VANISHED (EARLIER) 2\r\n5 OK *",
                  "5 SELECT INBOX (QRESYNC (%u %u 2:3 (1:2 1:2)))\r\n", validity, modseq);
    expect_printf(t->c, "*HIGHESTMODSEQ *] Highest\r\n6 OK *",
                  "6 SELECT INBOX (QRESYNC (%u %u))\r\n", validity + 1, modseq);
    expect_printf(t->c, "* VANISHED (EARLIER) 4:5\r\n* 1 FETCH (UID 1 MODSEQ (*))\r\n7 OK *",
                  "7 UID FETCH 1,4:* (UID) (CHANGEDSINCE %u VANISHED)\r\n", modseq);
    expect(t->c, "8 FETCH 1 (UID) (CHANGEDSINCE 1 VANISHED)\r\n", "8 BAD *");
    expect(t->c, "9 STORE 2 +FLAGS.SILENT (\\Deleted)\r\n", "* 2 FETCH *9 OK *");
    expect(t->c, "10 EXPUNGE\r\n", "* VANISHED 3\r\n10 OK [HIGHESTMODSEQ *] *");
    expect(t->c, "11 SELECT INBOX (QRESYNC (1 1 (1 1)\r\n", "11 BAD *");
    expect(t->c, "12 SELECT INBOX (QRESYNC)\r\n", "12 BAD *");
}

static void test_append(struct test *t, gconstpointer data) {
    expect(t->c, "1 APPEND INBOX {5}\r\n", "+ *\r\n");
    expect(t->c, "ab", "");
    expect(t->c, "c\r\n\r\n", "1 OK [APPENDUID * 1] *");
    expect(t->c, "2 APPEND nope {2+}\r\nxx\r\n", "2 NO [TRYCREATE] *");
    expect(t->c, "3 APPEND INBOX {0+}\r\n\r\n", "3 NO *");
    expect(t->c, "4 APPEND INBOX (\\Seen) \"1-Jan-2000 00:00:00 +0000\" {1+}\r\nx\r\n", "4 OK *");
    expect(t->c, "5 APPEND INBOX (\\Seen {1+}\r\nx\r\n", "5 BAD *");
    expect(t->c, "6 APPEND {5+}\r\nINBOX {1+}\r\nx\r\n", "6 OK *");
    expect(t->c, "7 APPEND INBOX \"x\"\r\n", "7 BAD *");
    // Too large: refused before it is sent, and the connection goes on.
    expect(t->c, "8 APPEND INBOX {9223372036854775808}\r\n", "8 NO [TOOBIG] *");
    expect(t->c, "9 NOOP\r\n", "9 OK *");
    expect(t->c, "10 APPEND INBOX {9223372036854775808+}\r\n", "10 NO [TOOBIG] *BYE *");
    g_assert_cmpint(t->c->next, ==, NET_CLOSE);
}

static void test_large_append(struct test *t, gconstpointer data) {
    size_t len = 3 * 1024 * 1024; // goes through a file
    g_autofree char *message = g_malloc(len + 1);
    memset(message, 'x', len);
    memcpy(message, "Subject: big\r\n\r\n", 16);
    message[len] = 0;
    append(t->c, "INBOX", message);
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 FETCH 1 RFC822.SIZE\r\n", "* 1 FETCH (RFC822.SIZE 3145728)\r\n2 OK *");
    const char *got = imap_client_say(t->c, "3 FETCH 1 BODY.PEEK[]\r\n");
    const char *start = strstr(got, "{3145728}\r\n");
    g_assert_nonnull(start);
    g_assert_cmpmem(start + 11, len, message, len);
}

static void test_idle(struct test *t, gconstpointer data) {
    expect(t->c, "1 SELECT INBOX\r\n", "*1 OK *");
    expect(t->c, "2 IDLE\r\n", "+ *\r\n");
    append(t->other, "INBOX", "Subject: x\r\n\r\n");
    expect(t->c, "DONE\r\n", "* 1 EXISTS\r\n*2 OK *");
    expect(t->c, "3 IDLE\r\n", "+ *\r\n");
    expect(t->c, "what\r\n", "3 BAD *");
    expect(t->c, "4 NOOP\r\n", "4 OK *");
}

static void test_bad_input(struct test *t, gconstpointer data) {
    static const char *const lines[] = {
        "\r\n", "a\r\n", "a \r\n", "a FOO\r\n", "+ NOOP\r\n", "a LOGIN\r\n", "(\r\n", "a UID\r\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        const char *got = imap_client_say(t->c, lines[i]);
        g_assert_nonnull(strstr(got, " BAD "));
    }
    expect(t->c, "ok NOOP\r\n", "ok OK *"); // starts the count anew
    expect(t->c, "a LIST \"open\r\n", "a BAD *");
    expect(t->c, "b NOOP\n", "b OK *"); // a bare LF will do
    g_assert_nonnull(strstr(imap_client_send(t->c, "c LIST \"\0\" *\r\n", 14), "c BAD "));
    expect(t->c, "d LIST {3+}\r\na\r\n *\r\n", "d *");
    for (unsigned i = 0; i < IMAP_MAX_BAD; i++)
        imap_client_say(t->c, "x FOO\r\n");
    g_assert_nonnull(strstr(t->c->output->str, "BYE"));
    g_assert_cmpint(t->c->next, ==, NET_CLOSE);
}

static void test_endless_line(struct test *t, gconstpointer data) {
    g_autofree char *piece = g_malloc(60000);
    memset(piece, 'x', 60000);
    imap_client_say(t->c, "tag LIST ");
    unsigned n = 0;
    while (t->c->next != NET_CLOSE && n++ < 100)
        imap_client_send(t->c, piece, 60000);
    g_assert_cmpuint(n, <, 30);
    g_assert_nonnull(strstr(t->c->output->str, "tag BAD [TOOBIG]"));
    g_assert_nonnull(strstr(t->c->output->str, "BYE"));
}

static void test_deleted_under_the_feet(struct test *t, gconstpointer data) {
    expect(t->c, "1 CREATE x\r\n1b SELECT x\r\n", "*1b OK *");
    expect(t->other, "2 DELETE x\r\n", "2 OK *");
    expect(t->c, "3 NOOP\r\n", "* BYE *3 OK *");
    g_assert_cmpint(t->c->next, ==, NET_CLOSE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        void (*run)(struct test *t, gconstpointer data);
    } tests[] = {
        {"/imap/not-authenticated", test_not_authenticated},
        {"/imap/select", test_select},
        {"/imap/fetch-sections", test_fetch_sections},
        {"/imap/store", test_store},
        {"/imap/condstore", test_condstore},
        {"/imap/expunge-between-sessions", test_expunge_between_sessions},
        {"/imap/copy-move", test_copy_move},
        {"/imap/search", test_search},
        {"/imap/folders", test_folders},
        {"/imap/rename-inbox", test_rename_inbox},
        {"/imap/qresync", test_qresync},
        {"/imap/append", test_append},
        {"/imap/large-append", test_large_append},
        {"/imap/idle", test_idle},
        {"/imap/bad-input", test_bad_input},
        {"/imap/endless-line", test_endless_line},
        {"/imap/deleted-under-the-feet", test_deleted_under_the_feet},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, struct test, NULL, setup, tests[i].run, teardown);
    return g_test_run();
}
