// ACL, QUOTA and every command in other users' and public folders: rights are honoured wherever a
// message or its numbers could leave.
#include "directory/directory.h"
#include "protocol/imap/acl.h"
#include "protocol/imap/imap_fixture.h"

struct test {
    struct imap_fixture f;
    struct directory *directory;
    struct principal bob;
    struct guid group;
    struct imap_client *alice, *guest; // guest: bob
};

static struct guid add_user(struct test *t, const char *address) {
    struct directory_object user = {.kind = DIRECTORY_USER,
                                    .address = address,
                                    .display_name = address,
                                    .protocols = DIRECTORY_ALL_PROTOCOLS};
    assert_ok(directory_add(t->directory, &user));
    struct mbox_new spec = {user.guid, address, address, "en"};
    assert_ok(store_create_mailbox(t->f.store, &spec));
    return user.guid;
}

static void setup(struct test *t, gconstpointer data) {
    (void)data;
    t->f = (struct imap_fixture){.dir = test_folder()};
    g_autofree char *path = g_build_filename(t->f.dir, "directory.db", NULL);
    struct store_options options = {.is_durable = false};
    assert_ok(store_open(t->f.dir, &options, &t->f.store));
    assert_ok(directory_open(path, &t->directory));
    assert_ok(directory_domain_add(t->directory, "example.test"));
    t->f.principal = (struct principal){.refs = 1000000,
                                        .guid = add_user(t, "alice@example.test"),
                                        .address = (char *)"alice@example.test"};
    t->bob = (struct principal){.refs = 1000000,
                                .guid = add_user(t, "bob@example.test"),
                                .address = (char *)"bob@example.test"};
    struct directory_object group = {
        .kind = DIRECTORY_GROUP, .address = "team@example.test", .display_name = "Team"};
    assert_ok(directory_add(t->directory, &group));
    t->group = group.guid;
    assert_ok(directory_member_add(t->directory, &t->group, &t->bob.guid));
    t->f.service.hostname = "imap.example.test";
    assert_ok(mailbox_service_new(t->f.store, t->directory, &t->f.service.mailboxes));
    t->alice = imap_client_new(&t->f, true);
    t->guest = imap_client_new(&t->f, false);
    assert_ok(imap_log_in(t->guest->session, &t->bob));
    expect(t->alice, "0 CREATE Shared\r\n", "0 OK *");
    expect(t->alice, "0 APPEND Shared {16+}\r\nSubject: a\r\n\r\na\n\r\n", "0 OK *");
}

static void teardown(struct test *t, gconstpointer data) {
    (void)data;
    imap_client_free(t->alice);
    imap_client_free(t->guest);
    imap_fixture_teardown(&t->f);
    directory_close(t->directory);
}

#define SHARED "\"Other Users/alice@example.test/Shared\""

// --- Letters ---

static void test_letters(struct test *t, gconstpointer data) {
    static const struct {
        uint32_t before;
        enum acl_mode mode;
        const char *letters;
        uint32_t after;
    } cases[] = {
        {0, ACL_SET, "lr", ROLE_REVIEWER},
        {0, ACL_SET, "lrswipkxtea", RIGHTS_ALL},
        {0, ACL_SET, "lrswipcda", RIGHTS_ALL},
        {RIGHTS_ALL, ACL_SET, "", 0},
        {ROLE_REVIEWER, ACL_ADD, "i", ROLE_REVIEWER | RIGHTS_CREATE},
        {ROLE_REVIEWER, ACL_ADD, "p", ROLE_REVIEWER | RIGHTS_CREATE}, // tied
        {ROLE_EDITOR, ACL_REMOVE, "e",
         ROLE_EDITOR & ~(uint32_t)(RIGHTS_DELETE_ANY | RIGHTS_DELETE_OWNED)},
        {ROLE_AUTHOR, ACL_SET, "lrswipte", ROLE_AUTHOR}, // one's own messages only, as before
        {ROLE_AUTHOR, ACL_ADD, "k", ROLE_PUBLISHING_AUTHOR},
        {ROLE_OWNER, ACL_REMOVE, "", ROLE_OWNER},
        {ROLE_OWNER, ACL_REMOVE, "a", ROLE_OWNER & ~(uint32_t)RIGHTS_OWNER}, // a contact still
    };
    uint32_t after;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(acl_apply(cases[i].before, cases[i].mode, cases[i].letters, &after));
        g_assert_cmphex(after, ==, cases[i].after);
    }
    g_assert_false(acl_apply(0, ACL_SET, "lrq", &after));
    g_assert_false(acl_apply(0, ACL_SET, "LR", &after));
    ARENA_AUTO arena = arena_new();
    g_assert_cmpstr(acl_letters(arena, RIGHTS_ALL), ==, "lrswipktexa");
    g_assert_cmpstr(acl_letters(arena, ROLE_AUTHOR), ==, "lrswipte");
    g_assert_cmpstr(acl_letters(arena, RIGHTS_FREE_BUSY | RIGHTS_CONTACT), ==, "");
}

static void test_acl(struct test *t, gconstpointer data) {
    expect(t->alice, "1 MYRIGHTS INBOX\r\n", "* MYRIGHTS INBOX \"lrswipktexa\"\r\n1 OK *");
    expect(t->alice, "2 GETACL Shared\r\n",
           "* ACL Shared \"alice@example.test\" \"lrswipktexa\"\r\n2 OK *");
    expect(t->guest, "1 MYRIGHTS " SHARED "\r\n", "1 NO [NONEXISTENT] *");
    expect(t->alice, "3 SETACL Shared BOB@example.test lr\r\n", "3 OK *");
    expect(t->alice, "4 GETACL Shared\r\n", "*\"bob@example.test\" \"lr\"\r\n4 OK *");
    expect(t->guest, "2 MYRIGHTS " SHARED "\r\n", "* MYRIGHTS " SHARED " \"lr\"\r\n2 OK *");
    expect(t->guest, "3 GETACL " SHARED "\r\n", "3 NO [NOPERM] *");
    expect(t->guest, "4 SETACL " SHARED " bob@example.test +a\r\n", "4 NO [NOPERM] *");
    expect(t->guest, "5 LISTRIGHTS " SHARED " bob@example.test\r\n", "5 NO [NOPERM] *");
    expect(t->guest, "6 DELETEACL " SHARED " bob@example.test\r\n", "6 NO [NOPERM] *");
    expect(t->alice, "5 SETACL Shared bob@example.test +swi\r\n", "5 OK *");
    expect(t->alice, "6 SETACL Shared bob@example.test -r\r\n", "6 OK *");
    expect(t->guest, "7 MYRIGHTS " SHARED "\r\n", "* MYRIGHTS " SHARED " \"lswip\"\r\n7 OK *");
    expect(t->alice, "7 LISTRIGHTS Shared bob@example.test\r\n",
           "* LISTRIGHTS Shared \"bob@example.test\" \"\" l r sw ip k te xa\r\n7 OK *");
    expect(t->alice, "8 LISTRIGHTS Shared alice@example.test\r\n",
           "* LISTRIGHTS Shared \"alice@example.test\" lrswipktexa\r\n8 OK *");
    expect(t->alice, "9 DELETEACL Shared bob@example.test\r\n", "9 OK *");
    expect(t->alice, "10 DELETEACL Shared bob@example.test\r\n", "10 OK *");
    expect(t->guest, "8 MYRIGHTS " SHARED "\r\n", "8 NO [NONEXISTENT] *");
    // Groups, everybody, nobody.
    expect(t->alice, "11 SETACL Shared team@example.test lrk\r\n", "11 OK *");
    expect(t->guest, "9 MYRIGHTS " SHARED "\r\n", "* MYRIGHTS " SHARED " \"lrk\"\r\n9 OK *");
    expect(t->alice, "12 DELETEACL Shared team@example.test\r\n", "12 OK *");
    expect(t->alice, "13 SETACL Shared anyone lr\r\n", "13 OK *");
    expect(t->alice, "14 SETACL Shared anonymous l\r\n", "14 OK *");
    expect(t->alice, "15 GETACL Shared\r\n", "*\"anyone\" \"lr\" \"anonymous\" \"l\"\r\n15 OK *");
    expect(t->guest, "10 MYRIGHTS " SHARED "\r\n", "* MYRIGHTS " SHARED " \"lr\"\r\n10 OK *");
    expect(t->alice, "16 DELETEACL Shared anyone\r\n", "16 OK *");
    expect(t->alice, "17 DELETEACL Shared anonymous\r\n", "17 OK *");
    expect(t->alice, "18 GETACL Shared\r\n",
           "* ACL Shared \"alice@example.test\" \"lrswipktexa\"\r\n18 OK *");
}

static void test_refused(struct test *t, gconstpointer data) {
    expect(t->alice, "1 SETACL Shared alice@example.test lr\r\n", "1 NO [CANNOT] *");
    expect(t->alice, "2 DELETEACL Shared alice@example.test\r\n", "2 NO [CANNOT] *");
    expect(t->alice, "3 SETACL Shared -bob@example.test lr\r\n", "3 NO [CANNOT] *");
    expect(t->alice, "4 SETACL Shared nobody@example.test lr\r\n", "4 NO [NONEXISTENT] *");
    expect(t->alice, "5 SETACL Shared bob@example.test q\r\n", "5 BAD *");
    expect(t->alice, "6 SETACL Missing bob@example.test lr\r\n", "6 NO [NONEXISTENT] *");
    expect(t->alice, "7 SETACL Shared bob@example.test\r\n", "7 BAD *");
    expect(t->alice, "8 GETACL\r\n", "8 BAD *");
    expect(t->alice, "9 MYRIGHTS Shared x\r\n", "9 BAD *");
    expect(t->alice, "10 SETACL Shared bob@example.test {9223372036854775808}\r\n",
           "10 BAD [TOOBIG] *");
    expect(t->alice, "11 LISTRIGHTS Shared nobody@example.test\r\n", "11 NO [NONEXISTENT] *");
}

// --- Other commands with somebody else's folder ---

static void test_commands_of_a_guest(struct test *t, gconstpointer data) {
    expect(t->alice, "1 SETACL Shared bob@example.test lr\r\n", "1 OK *");
    expect(t->guest, "1 SELECT " SHARED "\r\n", "*1 OK [READ-ONLY] *");
    expect(t->guest, "2 APPEND " SHARED " {1+}\r\nx {1+}\r\ny\r\n", "*2 NO [NOPERM] *");
    expect(t->guest, "3 REPLACE 1 " SHARED " {1+}\r\nx\r\n", "3 NO [NOPERM] *");
    expect(t->guest, "4 REPLACE 1 INBOX {1+}\r\nx\r\n", "4 NO [NOPERM] *");
    expect(t->guest, "5 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 0)*");
    expect(t->guest,
           "6 APPEND INBOX CATENATE (URL \"/Other%20Users/alice@example.test/Shared/;UID=1\")\r\n",
           "*6 OK [APPENDUID * 1] *");
    expect(t->guest, "7 FETCH 1 BINARY[1]\r\n", "* 1 FETCH (BINARY[1] {2}\r\na\n)*7 OK *");
    // Writing without reading.
    expect(t->guest, "7 UNSELECT\r\n", "7 OK *");
    expect(t->alice, "2 SETACL Shared bob@example.test li\r\n", "2 OK *");
    expect(t->guest, "8 APPEND " SHARED " {1+}\r\nx\r\n", "*8 OK [APPENDUID * 2] *");
    expect(t->guest,
           "9 APPEND INBOX CATENATE (URL \"/Other%20Users/alice@example.test/Shared/;UID=1\")\r\n",
           "*9 NO [BADURL *");
    expect(t->guest, "10 STATUS " SHARED " (MESSAGES)\r\n", "*10 NO [NOPERM] *");
    // Replacing needs deleting.
    expect(t->alice, "3 SETACL Shared bob@example.test lrite\r\n", "3 OK *");
    expect(t->guest, "11 SELECT " SHARED "\r\n", "*11 OK [READ-WRITE] *");
    expect(t->guest, "12 UID REPLACE 1 " SHARED " {12+}\r\nSubject: b\r\n\r\n",
           "* OK [APPENDUID * 3] *\r\n** EXPUNGE*12 OK *");
    expect(t->guest, "13 UID REPLACE 3 INBOX {12+}\r\nSubject: c\r\n\r\n",
           "* OK [APPENDUID * 2] *\r\n** EXPUNGE*13 OK *");
    expect(t->alice, "4 STATUS Shared (MESSAGES)\r\n", "* STATUS Shared (MESSAGES 1)*");
    expect(t->alice, "5 SETACL Shared bob@example.test lri\r\n", "5 OK *");
    expect(t->guest, "14 UID REPLACE 2 INBOX {12+}\r\nSubject: d\r\n\r\n", "*14 NO [NOPERM] *");
    expect(t->guest, "15 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 2)*");
}

static void make_public(struct test *t) {
    struct principal *admin = principal_admin();
    struct mailbox *m;
    assert_ok(mailbox_create_public(t->f.service.mailboxes));
    assert_ok(mailbox_open_public(t->f.service.mailboxes, admin, &m));
    assert_ok(mailbox_create_folder(m, "News", NULL));
    assert_ok(mailbox_grant(m, "News", "alice@example.test", ROLE_OWNER));
    assert_ok(mailbox_grant(m, "News", "default", 0));
    mailbox_close(m);
    principal_unref(admin);
}

#define NEWS "\"Public Folders/News\""

static void test_public_folders(struct test *t, gconstpointer data) {
    make_public(t);
    expect(t->alice, "1 GETACL " NEWS "\r\n",
           "* ACL " NEWS " \"alice@example.test\" \"lrswipktexa\"\r\n1 OK *");
    expect(t->alice, "2 GETQUOTAROOT " NEWS "\r\n", "* QUOTAROOT " NEWS "\r\n2 OK *");
    expect(t->guest, "1 MYRIGHTS " NEWS "\r\n", "1 NO [NONEXISTENT] *");
    expect(t->alice, "3 SETACL " NEWS " bob@example.test lr\r\n", "3 OK *");
    expect(t->guest, "2 MYRIGHTS " NEWS "\r\n", "* MYRIGHTS " NEWS " \"lr\"\r\n2 OK *");
    // Several at once; what alice has read is unread for bob.
    expect(t->alice,
           "4 APPEND " NEWS
           " (\\Seen) {16+}\r\nSubject: a\r\n\r\na\n {16+}\r\nSubject: b\r\n\r\nb\n\r\n",
           "4 OK [APPENDUID * 1:2] *");
    expect(t->alice, "5 STATUS " NEWS " (MESSAGES UNSEEN)\r\n",
           "* (MESSAGES 2 UNSEEN 1)\r\n5 OK *");
    expect(t->guest, "3 STATUS " NEWS " (MESSAGES UNSEEN)\r\n",
           "* (MESSAGES 2 UNSEEN 2)\r\n3 OK *");
    expect(t->guest, "4 APPEND " NEWS " {1+}\r\nx\r\n", "4 NO [NOPERM] *");
    expect(t->guest,
           "5 APPEND INBOX CATENATE (URL \"/Public%20Folders/News/;UID=2/;SECTION=HEADER\")\r\n",
           "5 OK [APPENDUID * 1] *");
    // Copies both ways, and no way back for bob.
    expect(t->guest, "6 SELECT " NEWS "\r\n", "*6 OK *");
    expect(t->guest, "7 UID COPY 1:2 INBOX\r\n", "7 OK [COPYUID * 1:2 2:3] *");
    expect(t->guest, "8 UID MOVE 1 INBOX\r\n", "8 NO *");
    expect(t->guest, "9 UID REPLACE 1 INBOX {12+}\r\nSubject: x\r\n\r\n", "9 NO [NOPERM] *");
    expect(t->guest, "10 STATUS INBOX (MESSAGES)\r\n", "* STATUS INBOX (MESSAGES 3)*");
    expect(t->guest, "11 SELECT INBOX\r\n", "*11 OK *");
    expect(t->guest, "12 COPY 1 " NEWS "\r\n", "12 NO [NOPERM] *");
    expect(t->alice, "6 SELECT Shared\r\n", "*6 OK *");
    expect(t->alice, "7 COPY 1 " NEWS "\r\n", "7 OK [COPYUID * 1 3] *");
    expect(t->alice, "8 MOVE 1 " NEWS "\r\n", "* OK [COPYUID * 1 4] *\r\n* 1 EXPUNGE\r\n8 OK *");
    // What happened while bob was away.
    expect(t->guest, "13 ENABLE QRESYNC\r\n", "*13 OK *");
    expect(t->guest, "14 SELECT " NEWS "\r\n", "*14 OK *");
    g_autofree char *resync =
        g_strdup_printf("15 SELECT " NEWS " (QRESYNC (%u %" G_GUINT64_FORMAT "))\r\n",
                        mailbox_view_uid_validity(t->guest->session->view),
                        mailbox_view_modseq(t->guest->session->view));
    expect(t->alice, "9 SELECT " NEWS "\r\n", "*9 OK *");
    expect(t->alice, "10 UID REPLACE 2 " NEWS " {16+}\r\nSubject: n\r\n\r\nn\n\r\n",
           "* OK [APPENDUID * 5] *10 OK *");
    expect(t->alice, "11 UID STORE 3 +FLAGS (\\Flagged)\r\n", "*11 OK *");
    expect(t->guest, resync,
           "** VANISHED (EARLIER) 2\r\n** 2 FETCH (UID 3 FLAGS (\\Flagged) *15 OK *");
}

static void test_quota(struct test *t, gconstpointer data) {
    expect(t->alice, "1 GETQUOTAROOT Shared\r\n",
           "* QUOTAROOT Shared \"\"\r\n* QUOTA \"\" (*)\r\n1 OK *");
    expect(t->alice, "2 SETQUOTA \"\" (STORAGE 512)\r\n", "2 NO [NOPERM] *");
    expect(t->alice, "3 SETQUOTA \"\" (STORAGE 9223372036854775808)\r\n", "3 BAD *");
    expect(t->alice, "4 SETACL Shared bob@example.test lr\r\n", "4 OK *");
    expect(t->guest, "1 GETQUOTAROOT " SHARED "\r\n", "* QUOTAROOT " SHARED "\r\n1 OK *");
    expect(t->guest, "2 GETQUOTA alice@example.test\r\n", "2 NO [NONEXISTENT] *");
    expect(t->alice, "5 SETACL INBOX bob@example.test lra\r\n", "5 OK *");
    expect(t->guest, "3 GETQUOTAROOT " SHARED "\r\n",
           "* QUOTAROOT " SHARED
           " \"alice@example.test\"\r\n* QUOTA \"alice@example.test\" (*)\r\n3 OK *");
    expect(t->guest, "4 GETQUOTA bob@example.test/x\r\n", "4 NO [NONEXISTENT] *");
    t->f.principal.is_admin = true;
    expect(t->alice, "6 CAPABILITY\r\n", "* QUOTASET*6 OK *");
    expect(t->alice, "7 SETQUOTA \"\" (STORAGE 512)\r\n", "* QUOTA \"\" (STORAGE * 512)\r\n7 OK *");
    expect(t->alice, "8 SETQUOTA \"\" (MESSAGE 5)\r\n", "8 NO [CANNOT] *");
    expect(t->alice, "9 SETQUOTA \"\" ()\r\n", "* QUOTA \"\" ()\r\n9 OK *");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn) g_test_add("/imap/acl/" name, struct test, NULL, setup, fn, teardown)
    TEST("letters", test_letters);
    TEST("acl", test_acl);
    TEST("refused", test_refused);
    TEST("commands-of-a-guest", test_commands_of_a_guest);
    TEST("public-folders", test_public_folders);
    TEST("quota", test_quota);
    return g_test_run();
}
