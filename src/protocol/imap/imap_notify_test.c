// NOTIFY: what is told, and what is refused.
#include "protocol/imap/imap_fixture.h"
#include "protocol/imap/imap_notify.h"

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

static void append(struct imap_client *c, const char *folder) {
    g_autofree char *text =
        g_strdup_printf("ap APPEND %s {17+}\r\nSubject: x\r\n\r\ny\r\n\r\n", folder);
    expect(c, text, "*ap OK [APPENDUID * *] *\r\n");
}

// What the session is told when it is woken: there is no connection here that would wake it.
static const char *news(struct imap_client *c) {
    imap_notify_later(c->session);
    const char *got = imap_client_say(c, "n NOOP\r\n");
    g_assert_nonnull(strstr(got, "n OK "));
    return got;
}

#define expect_news(client, pattern)                                                               \
    do {                                                                                           \
        const char *got_ = news(client);                                                           \
        if (!g_pattern_match_simple(pattern, got_))                                                \
            g_error("%s:%d: got\n%s\nexpected\n%s", __FILE__, __LINE__, got_, pattern);            \
    } while (0)

static void test_mailboxes(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c, *other = t->other;
    expect(other, "a CREATE A/B\r\n", "a OK *");
    expect(c,
           "a NOTIFY SET STATUS (INBOXES (MessageNew MessageExpunge)) (SUBTREE A (MessageNew "
           "MessageExpunge FlagChange MailboxName SubscriptionChange))\r\n",
           "* STATUS A (*)\r\n* STATUS A/B (*)\r\n"
           "* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY * UNSEEN 0)\r\na OK *");
    expect_news(c, "n OK *");
    append(other, "INBOX");
    append(other, "A/B");
    append(other, "Drafts");
    expect_news(c, "n OK *\r\n* STATUS A/B (MESSAGES 1 UIDNEXT 2 UIDVALIDITY * UNSEEN 1)\r\n"
                   "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 *)\r\n");
    expect_news(c, "n OK *");
    g_assert_null(strstr(c->output->str, "STATUS"));
    // Flags count where they were asked for.
    expect(other, "b SELECT INBOX\r\n", "*b OK *");
    expect(other, "c STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "c OK *");
    expect(other, "d SELECT A/B\r\n", "*d OK *");
    expect(other, "e STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "e OK *");
    expect_news(c, "n OK *\r\n* STATUS A/B (* UNSEEN 0)\r\n");
    g_assert_null(strstr(c->output->str, "INBOX"));
    expect(other, "f CREATE A/C\r\n", "f OK *");
    expect(other, "g SUBSCRIBE A/C\r\n", "g OK *");
    expect_news(c, "n OK *\r\n* LIST (\\HasNoChildren \\Subscribed) \"/\" A/C\r\n");
    expect(other, "h RENAME A/C A/D\r\n", "h OK *");
    expect_news(c, "n OK *\r\n* LIST (*) \"/\" A/D (\"OLDNAME\" (A/C))\r\n");
    expect(other, "i UNSUBSCRIBE A/D\r\n", "i OK *");
    expect_news(c, "n OK *\r\n* LIST (\\HasNoChildren) \"/\" A/D\r\n");
    expect(other, "j DELETE A/D\r\n", "j OK *");
    expect_news(c, "n OK *\r\n* LIST (\\NonExistent) \"/\" A/D\r\n");
    expect(c, "k NOTIFY NONE\r\n", "k OK *");
    g_assert_null(c->session->notify);
    append(other, "INBOX");
    expect(c, "l NOOP\r\n", "l OK *");
    g_assert_null(strstr(c->output->str, "STATUS"));
}

static void test_selected(struct test *t, gconstpointer data) {
    struct imap_client *c = t->c, *other = t->other;
    append(other, "INBOX");
    expect(c, "a SELECT INBOX\r\n", "*a OK *");
    expect(other, "a SELECT INBOX\r\n", "*a OK *");
    expect(c,
           "b NOTIFY SET (SELECTED-DELAYED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject)])"
           " MessageExpunge FlagChange)) (PERSONAL (MessageNew MessageExpunge))\r\n",
           "b OK *");
    append(other, "INBOX");
    // Between commands: the message with what the client wants of it, no STATUS of its own folder.
    c->session->out = g_string_new(NULL);
    g_string_truncate(c->output, 0);
    g_assert_cmpint(imap_notify_run(c->session), ==, NET_READ);
    const char *want = "* 2 EXISTS\r\n* 0 RECENT\r\n* 2 FETCH (UID 2 BODY[HEADER.FIELDS (Subject)]"
                       " {14}\r\nSubject: x\r\n\r\n)\r\n";
    g_assert_cmpstr(c->session->out->str, ==, want);
    g_string_truncate(c->session->out, 0);
    // An expunge waits for a command that allows it.
    expect(other, "c UID STORE 1 +FLAGS.SILENT (\\Deleted)\r\n", "*c OK *");
    expect(other, "d EXPUNGE\r\n", "*d OK *");
    imap_notify_run(c->session);
    g_assert_cmpstr(c->session->out->str, ==, "");
    g_string_free(g_steal_pointer(&c->session->out), TRUE);
    expect(c, "e NOOP\r\n", "* 1 EXPUNGE\r\ne OK *");
    // With SELECTED it does not.
    expect(c, "f NOTIFY SET (SELECTED (MessageNew MessageExpunge))\r\n", "f OK *");
    expect(other, "g STORE 1 +FLAGS.SILENT (\\Deleted)\r\n", "g OK *");
    expect(other, "h EXPUNGE\r\n", "*h OK *");
    c->session->out = g_string_new(NULL);
    imap_notify_run(c->session);
    g_assert_cmpstr(c->session->out->str, ==, "* 1 EXPUNGE\r\n");
    g_string_free(g_steal_pointer(&c->session->out), TRUE);
}

static void test_errors(struct test *t, gconstpointer data) {
    static const struct {
        const char *arguments, *answer;
    } cases[] = {
        {"SET", "BAD"},
        {"SOME", "BAD"},
        {"NONE x", "BAD"},
        {"SET (PERSONAL)", "BAD"},
        {"SET (PERSONAL (MessageNew))", "BAD"},
        {"SET (PERSONAL (FlagChange))", "BAD"},
        {"SET (PERSONAL (MessageNew MessageExpunge)", "BAD"},
        {"SET (EVERYTHING (MessageNew MessageExpunge))", "BAD"},
        {"SET (SUBTREE (MessageNew MessageExpunge))", "BAD"},
        {"SET (SELECTED (MailboxName))", "BAD"},
        {"SET (PERSONAL (MessageNew (FLAGS) MessageExpunge))", "BAD"},
        {"SET (SELECTED (MessageNew ((((((FLAGS MessageExpunge))", "BAD"},
        {"SET (PERSONAL (AnnotationChange))", "NO [BADEVENT (*)]"},
        {"SET (PERSONAL (Foo))", "NO [BADEVENT (*)]"},
        {"SET (MAILBOXES (A \"B C\") (MessageNew MessageExpunge))", "OK"},
        {"SET (SUBTREE A NONE) (PERSONAL (MailboxName))", "OK"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct imap_client *c = imap_client_new(&t->f, true);
        g_autofree char *send = g_strdup_printf("a NOTIFY %s\r\n", cases[i].arguments);
        g_autofree char *want = g_strdup_printf("a %s *", cases[i].answer);
        expect(c, send, want);
        imap_client_free(c);
    }
}

#define ADD(name, fn) g_test_add("/imap_notify/" name, struct test, NULL, setup, fn, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("mailboxes", test_mailboxes);
    ADD("selected", test_selected);
    ADD("errors", test_errors);
    return g_test_run();
}
