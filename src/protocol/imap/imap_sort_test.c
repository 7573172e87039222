// SORT and THREAD, by conversations.
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

static void append(struct imap_client *c, const char *header) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND INBOX \"01-Jan-2026 00:00:00 +0000\" {%zu+}\r\n%s\r\nx\r\n\r\n",
                        strlen(header) + 5, header);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

#define DAY(n) "Date: Thu, " n " Jan 2026 10:00:00 +0000\r\n"

static void test_sort(struct test *t, gconstpointer data) {
    static const struct {
        const char *criteria, *order;
    } cases[] = {
        {"ARRIVAL", "1 2 3 4"},
        {"REVERSE ARRIVAL", "1 2 3 4"}, // equal ones stay as they were
        {"DATE", "4 3 2 1"},
        {"REVERSE DATE", "1 2 3 4"},
        {"SUBJECT", "4 2 1 3"}, // "" ALPHA BETA GAMMA
        {"REVERSE SUBJECT", "3 1 2 4"},
        {"FROM", "2 3 1 4"},        // adam, bob, zoe, zoe
        {"FROM DATE", "2 3 4 1"},   // the two zoes by date
        {"DISPLAYFROM", "4 1 3 2"}, // "Ann" "B" "bob@..." "\u00c9mile"
        {"TO", "3 4 1 2"},          // none first
        {"CC", "1 2 3 4"},
        {"SIZE", "4 3 2 1"},
        {"DISPLAYTO", "3 4 1 2"},
        {"RELEVANCY DATE", "4 3 2 1"},
    };
    struct imap_client *c = t->c;
    append(c,
           "From: B <zoe@a.test>\r\nTo: m@x.test\r\nSubject: Re: beta\r\nX: aaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" DAY("08"));
    append(c, "From: =?utf-8?Q?=C3=89mile?= <adam@b.test>\r\nTo: n@x.test\r\nSubject: [x] "
              "Alpha\r\n" DAY("07"));
    append(c, "From: bob@c.test\r\nSubject: fwd: GAMMA\r\nXXXXXXXXXX: x\r\n" DAY("06"));
    append(c, "From: Ann <zoe@d.test>\r\n" DAY("01"));
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *send = g_strdup_printf("a SORT (%s) UTF-8 ALL\r\n", cases[i].criteria);
        g_autofree char *want = g_strdup_printf("* SORT %s\r\na OK *", cases[i].order);
        expect(c, send, want);
    }
    expect(c, "b UID SORT (DATE) US-ASCII NOT UID 4\r\n", "* SORT 3 2 1\r\nb OK *");
    expect(c, "c SORT RETURN (ALL) (SUBJECT) UTF-8 ALL\r\n",
           "* ESEARCH (TAG \"c\") ALL 4,2,1,3\r\nc OK *");
    expect(c, "d SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL\r\n",
           "* ESEARCH (TAG \"d\") MIN 4 MAX 3 COUNT 4\r\nd OK *");
    expect(c, "e UID SORT RETURN (PARTIAL 2:3) (SUBJECT) UTF-8 ALL\r\n",
           "* ESEARCH (TAG \"e\") UID PARTIAL (2:3 2,1)\r\ne OK *");
    expect(c, "f SORT (DATE) UTF-8 FROM nobody\r\n", "* SORT\r\nf OK *");
    // What comes and goes is in the next answer.
    append(c, "From: A <a@a.test>\r\nSubject: aaa\r\n" DAY("09"));
    expect(c, "h SORT (SUBJECT) UTF-8 ALL\r\n", "* SORT 4 5 2 1 3\r\nh OK *");
    expect(c, "i STORE 1:2 +FLAGS.SILENT (\\Deleted)\r\n", "i OK *");
    expect(c, "j EXPUNGE\r\n", "* 2 EXPUNGE\r\n* 1 EXPUNGE\r\nj OK *");
    expect(c, "k SORT (SUBJECT) UTF-8 ALL\r\n", "* SORT 2 3 1\r\nk OK *");
}

static void test_sort_errors(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    expect(c, "a SORT (DATE) ISO-8859-1 ALL\r\n", "a NO [BADCHARSET (*)] *");
    expect(c, "b SORT (NOTHING) UTF-8 ALL\r\n", "b BAD *");
    expect(c, "c SORT () UTF-8 ALL\r\n", "c BAD *");
    expect(c, "d SORT (DATE) UTF-8\r\n", "d BAD *");
    expect(c, "e SORT DATE UTF-8 ALL\r\n", "e BAD *");
    expect(c, "f SORT (REVERSE) UTF-8 ALL\r\n", "f BAD *");
    expect(c, "g NOOP\r\n", "g OK *");
    expect(c, "h THREAD FOO UTF-8 ALL\r\n", "h BAD *");
    expect(c, "i THREAD REFERENCES KOI8-R ALL\r\n", "i NO [BADCHARSET (*)] *");
    expect(c, "j THREAD REFERENCES UTF-8\r\n", "j BAD *");
    expect(c, "k THREAD REFERENCES UTF-8 ALL\r\n", "* THREAD\r\nk OK *");
    expect(c, "l SORT (DATE) UTF-8 ALL\r\n", "* SORT\r\nl OK *");
    g_autoptr(GString) many = g_string_new("m SORT (");
    for (unsigned i = 0; i < 40; i++)
        g_string_append(many, "DATE ");
    g_string_append(many, "DATE) UTF-8 ALL\r\n");
    expect(c, many->str, "m BAD *");
}

#define MESSAGE(id, refs, subject, day)                                                            \
    "Message-ID: <" id "@x>\r\n" refs "Subject: " subject "\r\n" DAY(day)
#define REFS(ids) "References: " ids "\r\n"

static void test_thread(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    append(c, MESSAGE("a", "", "first", "01"));
    append(c, MESSAGE("b", REFS("<a@x>"), "Re: first", "02"));
    append(c, MESSAGE("c", REFS("<a@x> <b@x>"), "Re: first", "03"));
    append(c, MESSAGE("d", REFS("<a@x>"), "Re: first", "04"));
    // Answers to something that is not here.
    append(c, MESSAGE("e", REFS("<gone@x>"), "Re: second", "05"));
    append(c, MESSAGE("f", REFS("<gone@x>"), "Re: second", "06"));
    // One answer to something that is not here is a thread of its own.
    append(c, MESSAGE("g", "In-Reply-To: <away@x>\r\n", "third", "07"));
    // Only the subject ties these.
    append(c, MESSAGE("h", "", "fourth", "08"));
    append(c, MESSAGE("i", "", "Re: fourth", "09"));
    append(c, MESSAGE("j", "", "fifth", "10"));
    append(c, MESSAGE("k", "", "fifth", "11"));
    // A circle.
    append(c, MESSAGE("l", REFS("<m@x>"), "", "12"));
    append(c, MESSAGE("m", REFS("<l@x>"), "", "13"));
    append(c, MESSAGE("n", REFS("<n@x>"), "", "14"));
    append(c, "Subject: \r\n" DAY("15"));
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    expect(c, "a THREAD REFERENCES UTF-8 ALL\r\n",
           "* THREAD (1 (2 3)(4))((5)(6))(7)(8 9)((10)(11))(13 12)(14)(15)\r\na OK *");
    expect(c, "b THREAD ORDEREDSUBJECT UTF-8 1:11\r\n",
           "* THREAD (1 (2)(3)(4))(5 6)(7)(8 9)(10 11)\r\nb OK *");
    expect(c, "c UID THREAD REFERENCES UTF-8 UID 3:4\r\n", "* THREAD ((3)(4))\r\nc OK *");
    expect(c, "d THREAD REFERENCES UTF-8 2:3\r\n", "* THREAD (2 3)\r\nd OK *");
    // References come to an index that sorting has made before.
    append(c, MESSAGE("o", REFS("<a@x> <b@x> <c@x>"), "Re: first", "16"));
    expect(c, "f SORT (DATE) UTF-8 16\r\n", "* SORT 16\r\nf OK *");
    expect(c, "g THREAD REFERENCES UTF-8 1:4,16\r\n", "* THREAD (1 (2 3 16)(4))\r\ng OK *");
}

// A chain of answers as long as the folder, in steps of what one header may name.
static void test_long_chain(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    g_autoptr(GString) want = g_string_new("* THREAD (1");
    for (unsigned i = 1; i <= 300; i++) {
        g_autofree char *header =
            i == 1 ? g_strdup("Message-ID: <1@x>\r\n" DAY("01"))
                   : g_strdup_printf("Message-ID: <%u@x>\r\nIn-Reply-To: <%u@x>\r\n" DAY("01"), i,
                                     i - 1);
        append(c, header);
        if (i > 1)
            g_string_append_printf(want, " %u", i);
    }
    g_string_append(want, ")\r\na OK *");
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    expect(c, "a THREAD REFERENCES UTF-8 ALL\r\n", want->str);
    // The same from the other end: only the last is there, its parents are not.
    g_autoptr(GString) refs = g_string_new("Message-ID: <last@x>\r\nReferences:");
    for (unsigned i = 0; i < 3000; i++)
        g_string_append_printf(refs, "\r\n <r%u@x>", i);
    g_string_append(refs, "\r\n" DAY("02"));
    append(c, refs->str);
    expect(c, "c THREAD REFERENCES UTF-8 301\r\n", "* THREAD (301)\r\nc OK *");
}

static void test_search_results(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    for (unsigned i = 0; i < 5; i++)
        append(c, i % 2 ? "Subject: odd\r\n" : "Subject: even\r\n");
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    expect(c, "a FETCH $ UID\r\n", "a OK *"); // nothing yet
    expect(c, "b SEARCH RETURN (SAVE) SUBJECT even\r\n", "b OK *");
    expect(c, "c FETCH $ UID\r\n",
           "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\n* 5 FETCH (UID 5)\r\nc OK *");
    expect(c, "d UID FETCH $ FLAGS\r\n", "* 1 FETCH (FLAGS () UID 1)\r\n** 5 FETCH *d OK *");
    expect(c, "e SEARCH $ NOT 1\r\n", "* SEARCH 3 5\r\ne OK *");
    expect(c, "f SEARCH RETURN (SAVE MIN COUNT) $\r\n",
           "* ESEARCH (TAG \"f\") MIN 1 COUNT 3\r\nf OK *");
    expect(c, "g SEARCH RETURN (SAVE MAX) $\r\n", "* ESEARCH (TAG \"g\") MAX 5\r\ng OK *");
    expect(c, "h SEARCH $\r\n", "* SEARCH 5\r\nh OK *");
    expect(c, "i SEARCH RETURN (SAVE) CHARSET KOI8-R ALL\r\n", "i NO [BADCHARSET *");
    expect(c, "j SEARCH $\r\n", "* SEARCH\r\nj OK *");
    expect(c, "k SEARCH RETURN (PARTIAL 2:3) ALL\r\n",
           "* ESEARCH (TAG \"k\") PARTIAL (2:3 2:3)\r\nk OK *");
    expect(c, "l SEARCH RETURN (PARTIAL -1:-2) ALL\r\n",
           "* ESEARCH (TAG \"l\") PARTIAL (-1:-2 4:5)\r\nl OK *");
    expect(c, "m SEARCH RETURN (PARTIAL 7:9) ALL\r\n",
           "* ESEARCH (TAG \"m\") PARTIAL (7:9 NIL)\r\nm OK *");
    expect(c, "n SEARCH RETURN (PARTIAL 1:2 ALL) ALL\r\n", "n BAD *");
    expect(c, "o SEARCH RETURN (PARTIAL 0:2) ALL\r\n", "o BAD *");
    expect(c, "p SEARCH RETURN (PARTIAL -1:2) ALL\r\n", "p BAD *");
    expect(c, "q SEARCH RETURN (SAVE) ALL\r\n", "q OK *");
    expect(c, "r STORE $ +FLAGS.SILENT (\\Deleted)\r\n", "r OK *");
    expect(c, "t UID EXPUNGE $\r\n", "* 5 EXPUNGE*t OK *");
    expect(c, "u SEARCH $\r\n", "* SEARCH\r\nu OK *");
}

static void test_rev2(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    append(c, "Subject: x\r\n");
    expect(c, "a CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 IMAP4rev2 *a OK *");
    expect(c, "b ENABLE IMAP4rev2\r\n", "* ENABLED IMAP4rev2\r\nb OK *");
    expect(c, "c SELECT inbox\r\n",
           "* FLAGS (*)\r\n* OK [PERMANENTFLAGS (*)] *\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY *] *\r\n"
           "* OK [UIDNEXT 2] *\r\n*\r\n* LIST () \"/\" INBOX\r\nc OK *");
    g_assert_null(strstr(c->output->str, "RECENT"));
    g_assert_null(strstr(c->output->str, "UNSEEN"));
    expect(c, "d SEARCH ALL\r\n", "* ESEARCH (TAG \"d\") ALL 1\r\nd OK *");
    expect(c, "e SEARCH DRAFT\r\n", "* ESEARCH (TAG \"e\")\r\ne OK *");
    expect(c, "f CREATE \"Gr\xc3\xbc\xc3\x9f\x65\"\r\n", "*f OK *");
    expect(c, "g LIST \"\" \"Gr*\"\r\n",
           "* LIST (\\HasNoChildren) \"/\" \"Gr\xc3\xbc\xc3\x9f\x65\"\r\ng OK *");
    expect(c, "h STATUS \"Gr\xc3\xbc\xc3\x9f\x65\" (MESSAGES DELETED SIZE)\r\n",
           "* STATUS \"Gr\xc3\xbc\xc3\x9f\x65\" (MESSAGES 0 SIZE 0 DELETED 0)\r\nh OK *");
    // Another session still speaks IMAP4rev1.
    struct imap_client *other = imap_client_new(&t->f, true);
    expect(other, "a LIST \"\" \"Gr*\"\r\n",
           "* LIST (\\HasNoChildren) \"/\" Gr&APwA3w-e\r\na OK *");
    expect(other, "b SELECT INBOX\r\n", "** 1 EXISTS\r\n* 0 RECENT\r\n* OK [UNSEEN 1]*b OK *");
    imap_client_free(other);
}

static void test_contexts(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    struct imap_client *other = imap_client_new(&t->f, true);
    append(c, "Subject: b\r\n");
    append(c, "Subject: d\r\n");
    expect(c, "s SELECT INBOX\r\n", "*s OK *");
    expect(other, "s SELECT INBOX\r\n", "*s OK *");
    expect(c, "a UID SEARCH RETURN (UPDATE COUNT) UNSEEN\r\n",
           "* ESEARCH (TAG \"a\") UID COUNT 2\r\na OK *");
    expect(c, "b SORT RETURN (UPDATE) (SUBJECT) UTF-8 SUBJECT \"\"\r\n",
           "* ESEARCH (TAG \"b\") ALL 1:2\r\nb OK *");
    append(other, "Subject: c\r\n");
    append(other, "Subject: a\r\n");
    append(other, "Subject: e\r\n");
    expect(other, "u UID STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "*u OK *");
    expect(c, "c NOOP\r\n",
           "* 5 EXISTS\r\n* 0 RECENT\r\n* 1 FETCH *\r\n"
           "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 1)\r\n"
           "* ESEARCH (TAG \"a\") UID ADDTO (0 3:5)\r\n"
           "* ESEARCH (TAG \"b\") ADDTO (1 4 3 3 5 5)\r\nc OK *");
    expect(c, "d NOOP\r\n", "d OK *");
    expect(other, "v UID STORE 3 +FLAGS.SILENT (\\Deleted)\r\n", "*v OK *");
    expect(other, "w EXPUNGE\r\n", "*w OK *");
    expect(c, "e NOOP\r\n", "* 3 EXPUNGE\r\n* ESEARCH (TAG \"a\") UID REMOVEFROM (0 3)\r\ne OK *");
    expect(c, "f CANCELUPDATE \"a\"\r\n", "f OK *");
    expect(other, "x UID STORE 1 -FLAGS.SILENT (\\Seen)\r\n", "*x OK *");
    expect(c, "g NOOP\r\n", "* 1 FETCH *g OK *");
    g_assert_null(strstr(c->output->str, "ESEARCH"));
    for (unsigned i = 0; i < 15; i++)
        expect(c, "h SEARCH RETURN (UPDATE) ALL\r\n", "* ESEARCH (TAG \"h\") ALL 1:4\r\nh OK *");
    expect(c, "i SEARCH RETURN (UPDATE) ALL\r\n", "* NO [NOUPDATE \"i\"] *\r\n* ESEARCH *i OK *");
    // They end with their folder.
    expect(c, "j SELECT INBOX\r\n", "*j OK *");
    append(other, "Subject: f\r\n");
    expect(c, "k NOOP\r\n", "* 5 EXISTS\r\n* 0 RECENT\r\nk OK *");
    imap_client_free(other);
}

static void test_multi_search(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c;
    append(c, "Subject: one\r\n");
    append(c, "Subject: two\r\n");
    expect(c, "a CREATE A/B/C\r\n", "a OK *");
    expect(c, "b SELECT INBOX\r\n", "*b OK *");
    expect(c, "c COPY 2 A\r\n", "*c OK *");
    expect(c, "d COPY 1:2 A/B\r\n", "*d OK *");
    expect(c, "e COPY 2 A/B/C\r\n", "*e OK *");
    expect(c, "f UNSELECT\r\n", "f OK *");
    expect(c, "g ESEARCH IN (MAILBOXES (INBOX A/B)) RETURN (COUNT ALL) SUBJECT two\r\n",
           "* ESEARCH (TAG \"g\" MAILBOX A/B UIDVALIDITY *) UID ALL 2 COUNT 1\r\n"
           "* ESEARCH (TAG \"g\" MAILBOX INBOX UIDVALIDITY *) UID ALL 2 COUNT 1\r\ng OK *");
    expect(c, "h ESEARCH IN (SUBTREE-ONE A) SUBJECT one\r\n",
           "* ESEARCH (TAG \"h\" MAILBOX A/B UIDVALIDITY *) UID ALL 1\r\nh OK *");
    expect(c, "i ESEARCH IN (SUBTREE A) SUBJECT two\r\n",
           "*MAILBOX A *MAILBOX A/B *MAILBOX A/B/C *");
    expect(c, "j ESEARCH IN (PERSONAL) SUBJECT nothing\r\n", "j OK *");
    expect(c, "k ESEARCH SUBJECT two\r\n", "k BAD *");
    expect(c, "l ESEARCH IN (INBOXES) 1:2\r\n", "l BAD *");
    expect(c, "m ESEARCH IN (INBOXES) RETURN (SAVE) ALL\r\n", "m BAD *");
    expect(c, "n ESEARCH IN (FOO) ALL\r\n", "n BAD *");
    expect(c, "o ESEARCH IN (PERSONAL) CHARSET KOI8-R ALL\r\n", "o NO [BADCHARSET *");
    expect(c, "p SELECT A\r\n", "*p OK *");
    expect(c, "q ESEARCH UID 1:*\r\n",
           "* ESEARCH (TAG \"q\" MAILBOX A UIDVALIDITY *) UID ALL 1\r\nq OK *");
    expect(c, "r ESEARCH IN (SELECTED INBOXES) ALL\r\n", "*MAILBOX A *MAILBOX INBOX *r OK *");
    // What is selected still is.
    expect(c, "s FETCH 1 UID\r\n", "* 1 FETCH (UID 1)\r\ns OK *");
}

#define ADD(name, fn) g_test_add("/imap_sort/" name, struct test, NULL, setup, fn, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("sort", test_sort);
    ADD("sort_errors", test_sort_errors);
    ADD("thread", test_thread);
    ADD("long_chain", test_long_chain);
    ADD("search_results", test_search_results);
    ADD("rev2", test_rev2);
    ADD("contexts", test_contexts);
    ADD("multi_search", test_multi_search);
    return g_test_run();
}
