// POP3 conversations on sessions without sockets.
#include "base/clock.h"
#include "protocol/pop3/pop3_fixture.h"

#define LOGIN "USER alice\r\nPASS " POP3_FIXTURE_PASSWORD "\r\n"

// Fails unless the answer to `text` matches `pattern` (glob: '*' and '?').
#define expect(client, text, pattern)                                                              \
    do {                                                                                           \
        const char *got_ = pop3_client_say(client, text);                                          \
        if (!g_pattern_match_simple(pattern, got_))                                                \
            g_error("%s:%d: sent\n%s\ngot\n%s\nexpected\n%s", __FILE__, __LINE__, text, got_,      \
                    pattern);                                                                      \
    } while (0)

static void setup(struct pop3_fixture *f, gconstpointer data) {
    (void)data;
    pop3_fixture_setup(f);
}

static void teardown(struct pop3_fixture *f, gconstpointer data) {
    (void)data;
    pop3_fixture_teardown(f);
}

static unsigned count_inbox(struct pop3_fixture *f, unsigned *unread_out) {
    struct principal *p = pop3_fixture_principal(f);
    struct mailbox *m;
    struct mailbox_view *view;
    assert_ok(mailbox_open_own(f->mailboxes, p, &m));
    assert_ok(mailbox_view_open(m, FID_INBOX, &view));
    unsigned n = mailbox_view_count(view);
    *unread_out = mailbox_view_unread(view);
    mailbox_view_free(view);
    mailbox_close(m);
    principal_unref(p);
    return n;
}

static void test_before_login(struct pop3_fixture *f, gconstpointer data) {
    struct pop3_client *c = pop3_client_new(f, false);
    expect(c, "CAPA\r\n",
           "+OK *\r\n*TOP\r\n*UIDL\r\n*PIPELINING\r\n*STLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n.\r\n");
    expect(c, "STAT\r\n", "-ERR log in first\r\n");
    expect(c, "XYZZY\r\n", "-ERR unknown command\r\n");
    expect(c, "capa now\r\n", "-ERR this command takes no argument\r\n");
    expect(c, "PASS x\r\n", "-ERR USER comes first\r\n");
    expect(c, "USER\r\n", "-ERR USER needs a name\r\n");
    expect(c, "LANG\r\n", "+OK *\r\nen English\r\n.\r\n");
    expect(c, "LANG *\r\n", "+OK en *\r\n");
    expect(c, "LANG tlh\r\n", "-ERR *\r\n");
    expect(c, "UTF8\r\n", "+OK *\r\n");
    expect(c, "AUTH\r\n", "+OK *\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    expect(c, "AUTH NOSUCH\r\n", "-ERR no such mechanism\r\n");
    expect(c, "AUTH PLAIN !!!!\r\n", "-ERR *\r\n");
    expect(c, "NOOP\r\nQUIT\r\n", "-ERR *\r\n+OK bye\r\n");
    g_assert_cmpint(c->next, ==, POP3_CLOSE);
    pop3_client_free(c);
    (void)data;
}

static void test_login(struct pop3_fixture *f, gconstpointer data) {
    struct pop3_client *c = pop3_client_new(f, false), *other = pop3_client_new(f, false);
    expect(c, "USER alice\r\nPASS wrong\r\n", "+OK *\r\n-ERR [AUTH] *\r\n");
    expect(c, "USER nobody\r\nPASS wrong\r\n", "+OK *\r\n-ERR [AUTH] *\r\n");
    expect(c, LOGIN, "+OK *\r\n+OK 0 messages\r\n");
    expect(c, "USER alice\r\n", "-ERR not after login\r\n");
    expect(other, LOGIN, "+OK *\r\n-ERR [IN-USE] *\r\n"); // one session a maildrop
    expect(c, "QUIT\r\n", "+OK bye\r\n");
    expect(other, "AUTH PLAIN\r\n", "+ \r\n");
    expect(other, "AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQgcGFzcw==\r\n", "+OK 0 messages\r\n");
    pop3_client_free(other); // without QUIT: the lock goes too
    other = pop3_client_new(f, false);
    expect(other, "AUTH PLAIN *\r\n", "-ERR *\r\n");
    expect(other, "AUTH LOGIN\r\n", "+ *\r\n");
    expect(other, "*\r\n", "-ERR *\r\n");
    expect(other, "AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQgcGFzcw==\r\n",
           "+OK 0 messages\r\n");
    pop3_client_free(other);
    pop3_client_free(c);
    (void)data;
}

static void test_reading(struct pop3_fixture *f, gconstpointer data) {
    unsigned unread;
    pop3_fixture_add(f, 1, "one\r\n.\r\n..two\r\nthree\r\n");
    pop3_fixture_add(f, 2, "no end of line");
    struct pop3_client *c = pop3_client_new(f, true);
    pop3_fixture_add(f, 3, "later"); // not in this session's maildrop
    expect(c, "STAT\r\n", "+OK 2 80\r\n");
    expect(c, "LIST\r\n", "+OK *\r\n1 44\r\n2 36\r\n.\r\n");
    expect(c, "LIST 2\r\n", "+OK 2 36\r\n");
    expect(c, "LIST 3\r\n", "-ERR no such message\r\n");
    expect(c, "LIST 0\r\nLIST x\r\nLIST 1 2\r\nLIST 99999999999999999999\r\n",
           "-ERR *\r\n-ERR *\r\n-ERR *\r\n-ERR *\r\n");
    expect(c, "UIDL\r\n", "+OK *\r\n1 ????????00000001\r\n2 ????????00000002\r\n.\r\n");
    expect(c, "UIDL 1\r\n", "+OK 1 ????????00000001\r\n");
    g_assert_cmpstr(
        pop3_client_say(c, "RETR 1\r\n"), ==,
        "+OK 44 octets\r\nSubject: message 1\r\n\r\none\r\n..\r\n...two\r\nthree\r\n.\r\n");
    g_assert_cmpstr(pop3_client_say(c, "RETR 2\r\n"), ==,
                    "+OK 36 octets\r\nSubject: message 2\r\n\r\nno end of line\r\n.\r\n");
    g_assert_cmpstr(pop3_client_say(c, "TOP 1 0\r\n"), ==,
                    "+OK top of message follows\r\nSubject: message 1\r\n\r\n.\r\n");
    g_assert_cmpstr(pop3_client_say(c, "TOP 1 2\r\n"), ==,
                    "+OK top of message follows\r\nSubject: message 1\r\n\r\none\r\n..\r\n.\r\n");
    expect(c, "TOP 1 999\r\n", "+OK *three\r\n.\r\n");
    expect(c, "TOP 1\r\nTOP\r\nTOP 1 x\r\nRETR\r\nRETR 9\r\n",
           "-ERR *\r\n-ERR *\r\n-ERR *\r\n-ERR *\r\n-ERR *\r\n");
    expect(c, "QUIT\r\n", "+OK bye\r\n");
    g_assert_cmpuint(count_inbox(f, &unread), ==, 3);
    g_assert_cmpuint(unread, ==, 1); // what was fetched is read
    pop3_client_free(c);
    (void)data;
}

static void test_deleting(struct pop3_fixture *f, gconstpointer data) {
    unsigned unread;
    for (unsigned i = 1; i <= 4; i++)
        pop3_fixture_add(f, i, "x\r\n");
    struct pop3_client *c = pop3_client_new(f, true);
    expect(c, "DELE 1\r\nDELE 1\r\n", "+OK *\r\n-ERR no such message\r\n");
    expect(c, "STAT\r\n", "+OK 3 *\r\n");
    expect(c, "RETR 1\r\n", "-ERR *\r\n");
    expect(c, "LIST\r\n", "+OK *\r\n2 *\r\n3 *\r\n4 *\r\n.\r\n");
    expect(c, "RSET\r\nSTAT\r\n", "+OK *\r\n+OK 4 *\r\n");
    expect(c, "DELE 2\r\n", "+OK *\r\n");
    pop3_client_free(c); // no QUIT: nothing is deleted
    g_assert_cmpuint(count_inbox(f, &unread), ==, 4);
    c = pop3_client_new(f, true);
    expect(c, "DELE 2\r\nDELE 4\r\nQUIT\r\n", "+OK *\r\n+OK *\r\n+OK bye\r\n");
    g_assert_cmpuint(count_inbox(f, &unread), ==, 2);
    pop3_client_free(c);
    c = pop3_client_new(f, true);
    expect(c, "UIDL\r\n", "+OK *\r\n1 ????????00000001\r\n2 ????????00000003\r\n.\r\n");
    pop3_client_free(c);
    (void)data;
}

// Fetched in order, messages are read ahead; each is still the right one, whatever comes between.
static void test_in_order(struct pop3_fixture *f, gconstpointer data) {
    enum { N = 3 * POP3_AHEAD_MESSAGES };
    for (unsigned i = 1; i <= N; i++) {
        g_autofree char *body = g_strdup_printf("body %u\r\n", i);
        pop3_fixture_add(f, i, body);
    }
    struct pop3_client *c = pop3_client_new(f, true);
    expect(c, "DELE 5\r\n", "+OK *\r\n");
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i <= N; i++) {
            g_autofree char *ask = g_strdup_printf("RETR %u\r\n", i);
            g_autofree char *answer =
                g_strdup_printf("+OK *\r\nSubject: message %u\r\n\r\nbody %u\r\n.\r\n", i, i);
            expect(c, ask, i == 5 ? "-ERR *" : answer);
            if (i == 40)
                expect(c, "TOP 2 9\r\nRETR 80\r\n", "+OK *body 2\r\n.\r\n+OK *body 80\r\n.\r\n");
        }
    }
    expect(c, "RETR 1\r\nRETR 2\r\nDELE 3\r\nRETR 3\r\nRETR 4\r\n",
           "+OK *body 1\r\n*body 2\r\n*-ERR *\r\n+OK *body 4\r\n.\r\n");
    pop3_client_free(c);
    (void)data;
}

// A large message goes out in steps; lines that were not CRLF are.
static void test_large_and_odd(struct pop3_fixture *f, gconstpointer data) {
    g_autoptr(GString) body = g_string_new(NULL), wire = g_string_new(NULL);
    for (unsigned i = 0; i < 40000; i++) {
        g_string_append_printf(body, ".%u\r\n", i);
        g_string_append_printf(wire, "..%u\r\n", i);
    }
    pop3_fixture_add(f, 1, body->str);
    pop3_fixture_add(f, 2, "a\nb\r\n\nc\r\rd\n.\n");
    struct pop3_client *c = pop3_client_new(f, true);
    g_autofree char *expected = g_strdup_printf(
        "+OK %u octets\r\nSubject: message 1\r\n\r\n%s.\r\n", (unsigned)body->len + 22, wire->str);
    g_assert_cmpstr(pop3_client_say(c, "RETR 1\r\n"), ==, expected);
    expect(c, "RETR 2\r\n",
           "+OK *\r\nSubject: message 2\r\n\r\na\r\nb\r\n\r\nc\r\rd\r\n..\r\n.\r\n");
    pop3_client_free(c);
    (void)data;
}

// --- Who may come, and when ---

static void test_login_delay(struct pop3_fixture *f, gconstpointer data) {
    filetime_t now = filetime_from_unix(1800000000);
    f->service->settings.login_delay = 60;
    clock_set(now);
    struct pop3_client *c = pop3_client_new(f, false);
    expect(c, "CAPA\r\n", "+OK *\r\nLOGIN-DELAY 60\r\n*");
    expect(c, LOGIN "QUIT\r\n", "+OK *\r\n+OK 0 messages\r\n+OK bye\r\n");
    pop3_client_free(c);
    clock_set(now + 59 * FILETIME_SECOND);
    c = pop3_client_new(f, false);
    expect(c, LOGIN, "+OK *\r\n-ERR [LOGIN-DELAY] *\r\n");
    clock_set(now + 60 * FILETIME_SECOND); // what was refused does not count
    expect(c, LOGIN, "+OK *\r\n+OK 0 messages\r\n");
    pop3_client_free(c);
    clock_set(0);
    (void)data;
}

// The maildrop that the login name names: locked, read and deleted from with the delegate's rights.
static void test_delegate(struct pop3_fixture *f, gconstpointer data) {
    static const struct {
        uint32_t rights;
        const char *login, *quit;
    } steps[] = {
        {0, "-ERR [AUTH] no mailbox*", "+OK bye\r\n"},
        {RIGHTS_VISIBLE | RIGHTS_READ_ANY, "+OK 1 messages\r\n", "-ERR *"},
        {RIGHTS_VISIBLE | RIGHTS_READ_ANY | RIGHTS_EDIT_ANY | RIGHTS_DELETE_ANY,
         "+OK 1 messages\r\n", "+OK bye\r\n"},
    };
    struct directory_object bob = {.kind = DIRECTORY_USER,
                                   .address = "bob@example.test",
                                   .has_mailbox = true,
                                   .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(f->directory, &bob));
    assert_ok(auth_set_password(f->auth, &bob.guid, "bob's"));
    pop3_fixture_add(f, 1, "x\r\n");
    struct principal *p = pop3_fixture_principal(f);
    struct mailbox *m;
    assert_ok(mailbox_open_own(f->mailboxes, p, &m));
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        assert_ok(mailbox_grant(m, "INBOX", "bob@example.test", steps[i].rights));
        struct pop3_client *c = pop3_client_new(f, false), *other = pop3_client_new(f, false);
        expect(c, "USER EXAMPLE/bob/alice\r\n", "+OK *");
        expect(c, "PASS bob's\r\n", steps[i].login);
        if (steps[i].rights) { // the same maildrop as its owner's
            expect(other, LOGIN, "+OK *\r\n-ERR [IN-USE] *\r\n");
            expect(c, "TOP 1 0\r\nDELE 1\r\n", "+OK *\r\n+OK *\r\n");
        }
        expect(c, "QUIT\r\n", steps[i].quit);
        pop3_client_free(c);
        pop3_client_free(other);
    }
    unsigned unread;
    g_assert_cmpuint(count_inbox(f, &unread), ==, 0);
    mailbox_close(m);
    principal_unref(p);
    (void)data;
}

static void test_bad_input(struct pop3_fixture *f, gconstpointer data) {
    struct pop3_client *c = pop3_client_new(f, true);
    g_autofree char *line = g_strnfill(3000, 'x');
    expect(c, line, "-ERR the line is too long\r\n");
    expect(c, "more\r\nNOOP\r\n", "+OK *\r\n");
    g_assert_true(g_str_has_prefix(pop3_client_send(c, "NO\0OP\r\n", 7), "-ERR "));
    g_assert_true(g_str_has_prefix(pop3_client_send(c, "NO\rOP\r\n", 7), "-ERR "));
    expect(c, "\r\n", "-ERR unknown command\r\n");
    expect(c, "NOOP\n", "+OK *\r\n");
    for (unsigned i = 0; i < POP3_MAX_ERRORS; i++)
        pop3_client_say(c, "X\r\n");
    g_assert_cmpint(c->next, ==, POP3_CLOSE);
    pop3_client_free(c);
    c = pop3_client_new(f, false);
    for (unsigned i = 0; i < POP3_MAX_LOGIN_FAILURES; i++)
        pop3_client_say(c, "AUTH PLAIN AGEAYg=\r\n");
    g_assert_cmpint(c->next, ==, POP3_CLOSE);
    pop3_client_free(c);
    (void)data;
}

#define ADD(name, fn) g_test_add("/pop3/" name, struct pop3_fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("before_login", test_before_login);
    ADD("login", test_login);
    ADD("reading", test_reading);
    ADD("deleting", test_deleting);
    ADD("in_order", test_in_order);
    ADD("large_and_odd", test_large_and_odd);
    ADD("login_delay", test_login_delay);
    ADD("delegate", test_delegate);
    ADD("bad_input", test_bad_input);
    return g_test_run();
}
