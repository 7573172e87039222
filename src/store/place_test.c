// A store of several databases: mailboxes that move while they are used, and what a process killed
// in the middle leaves.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/check.h"
#include "store/event.h"
#include "store/rows.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

struct places {
    char *root, *dirs[3];
    struct store_database databases[2];
    struct store *store;
    struct guid guid;
};

static enum ec open_places(struct places *p) {
    struct store_options options = {.databases = p->databases, .n_databases = 2};
    return store_open(p->dirs[0], &options, &p->store);
}

static void setup(struct places *p, gconstpointer data) {
    (void)data;
    p->root = test_folder();
    static const char *const names[] = {"store", "second", "third"};
    for (unsigned i = 0; i < 3; i++)
        p->dirs[i] = g_build_filename(p->root, names[i], NULL);
    p->databases[0] = (struct store_database){"second", p->dirs[1]};
    p->databases[1] = (struct store_database){"third", p->dirs[2]};
    p->guid = guid_new();
    assert_ok(open_places(p));
    struct mbox_new spec = {p->guid, "alice@example.test", "Alice Adams", "en"};
    assert_ok(store_create_mailbox(p->store, &spec));
}

static void teardown(struct places *p, gconstpointer data) {
    (void)data;
    store_close(p->store);
    for (unsigned i = 0; i < 3; i++)
        g_free(p->dirs[i]);
    test_folder_remove(p->root);
}

static char *file_of(const struct places *p, unsigned place, const char *suffix) {
    char text[GUID_STRING_SIZE];
    guid_format(&p->guid, text);
    return g_strdup_printf("%s/%s%s", p->dirs[place], text, suffix);
}

static bool exists(const struct places *p, unsigned place, const char *suffix) {
    g_autofree char *path = file_of(p, place, suffix);
    return access(path, F_OK) == 0;
}

static void touch(const struct places *p, unsigned place, const char *suffix, const char *text) {
    g_autofree char *path = file_of(p, place, suffix);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void add(struct mbox *mbox, const char *subject) {
    struct fixture_message m = {.fid = FID_INBOX, .subject = subject, .mime = "Subject: x\r\n\r\n"};
    assert_ok(mbox_write(mbox, fixture_create, &m));
}

static unsigned count(struct mbox *mbox) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, FID_INBOX, &f));
    return f.n_messages;
}

static unsigned count_now(struct places *p) {
    MBOX_AUTO mbox = NULL;
    assert_ok(store_open_mailbox(p->store, &p->guid, &mbox));
    return count(mbox);
}

static void expect_sound(struct places *p) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    unsigned n;
    assert_ok(store_check_mailbox(p->store, &p->guid, &options, faults, &n));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

struct adder {
    struct mbox *mbox;
    unsigned n;       // atomic
    bool is_stopping; // atomic
};

static void *add_on(void *data) {
    struct adder *a = data;
    while (!__atomic_load_n(&a->is_stopping, __ATOMIC_ACQUIRE)) {
        add(a->mbox, "while it moves");
        __atomic_fetch_add(&a->n, 1, __ATOMIC_RELEASE);
        struct folder_rows *rows;
        assert_ok(folder_rows_get(a->mbox, FID_INBOX, &rows));
        g_assert_cmpuint(folder_rows_count(rows), >=, a->n);
        folder_rows_unref(rows);
    }
    return NULL;
}

static void test_moves_in_use(struct places *p, gconstpointer data) {
    (void)data;
    MBOX_AUTO mbox = NULL;
    assert_ok(store_open_mailbox(p->store, &p->guid, &mbox));
    struct adder a = {.mbox = mbox};
    pthread_t thread;
    pthread_create(&thread, NULL, add_on, &a);
    static const char *const tour[] = {"second", "third", "default", "third"};
    for (unsigned i = 0; i < G_N_ELEMENTS(tour); i++) {
        assert_ok(store_move_mailbox(p->store, &p->guid, tour[i], NULL, NULL));
        g_assert_cmpstr(store_database_of(p->store, &p->guid), ==, tour[i]);
        store_maintain(p->store);
        g_usleep(10000);
    }
    __atomic_store_n(&a.is_stopping, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    g_assert_cmpuint(count(mbox), ==, a.n);
    g_assert_false(exists(p, 0, ".mbx") || exists(p, 1, ".mbx"));
    g_assert_true(exists(p, 2, ".mbx"));
    g_assert_false(exists(p, 0, ".moved") || exists(p, 1, ".moved") || exists(p, 2, ".moved"));
    assert_ec(store_move_mailbox(p->store, &p->guid, "nowhere", NULL, NULL), EC_INVALID_PARAMETER);
    assert_ok(store_move_mailbox(p->store, &p->guid, "third", NULL, NULL));
    expect_sound(p);
    g_autoptr(GArray) all = NULL;
    assert_ok(store_list_mailboxes(p->store, &all));
    g_assert_cmpuint(all->len, ==, 1);
    mbox_unref(g_steal_pointer(&mbox));
    store_close(p->store);
    assert_ok(open_places(p));
    g_assert_cmpuint(count_now(p), ==, a.n);
    assert_ok(store_delete_mailbox(p->store, &p->guid));
    g_assert_false(exists(p, 2, ".mbx"));
}

// What stands on the disk after each step of a move.
static void test_killed_between_the_steps(struct places *p, gconstpointer data) {
    (void)data;
    MBOX_AUTO mbox = NULL;
    assert_ok(store_open_mailbox(p->store, &p->guid, &mbox));
    add(mbox, "one");
    mbox_unref(g_steal_pointer(&mbox));
    store_close(p->store);
    // A copy that is not complete does not count.
    touch(p, 1, ".mbx.moving", "half");
    assert_ok(open_places(p));
    g_assert_false(exists(p, 1, ".mbx.moving"));
    g_assert_cmpuint(count_now(p), ==, 1);
    store_close(p->store);
    // Noted: the copy counts, and what the old file gets is lost with it.
    g_autofree char *source = file_of(p, 0, ".mbx"), *moving = file_of(p, 1, ".mbx.moving");
    g_autofree char *bytes = NULL;
    gsize len;
    g_assert_true(g_file_get_contents(source, &bytes, &len, NULL));
    g_assert_true(g_file_set_contents(moving, bytes, (gssize)len, NULL));
    touch(p, 0, ".moved", "second");
    touch(p, 0, ".mbx", "no database");
    assert_ok(open_places(p));
    g_assert_cmpstr(store_database_of(p->store, &p->guid), ==, "second");
    g_assert_cmpuint(count_now(p), ==, 1);
    g_assert_false(exists(p, 0, ".mbx") || exists(p, 0, ".moved") || exists(p, 1, ".mbx.moving"));
    store_close(p->store);
    // Renamed already, the old one not deleted.
    touch(p, 0, ".mbx", "no database");
    touch(p, 0, ".moved", "second");
    assert_ok(open_places(p));
    g_assert_cmpuint(count_now(p), ==, 1);
    store_close(p->store);
    // The database it went to is not there: the old file is not taken for the mailbox.
    touch(p, 0, ".mbx", "no database");
    touch(p, 0, ".moved", "elsewhere");
    assert_ok(open_places(p));
    g_assert_true(exists(p, 0, ".mbx") && exists(p, 0, ".moved"));
    g_assert_cmpuint(count_now(p), ==, 1);
    g_autoptr(GArray) all = NULL;
    assert_ok(store_list_mailboxes(p->store, &all));
    g_assert_cmpuint(all->len, ==, 1);
}

static void test_killed_while_it_moves(struct places *p, gconstpointer data) {
    (void)data;
    MBOX_AUTO first = NULL;
    assert_ok(store_open_mailbox(p->store, &p->guid, &first));
    for (int i = 0; i < 50; i++)
        add(first, "before");
    mbox_unref(g_steal_pointer(&first));
    store_close(p->store);
    unsigned n = 50;
    for (unsigned i = 0; i < 8; i++) {
        int report[2];
        g_assert_cmpint(pipe(report), ==, 0);
        pid_t child = fork();
        if (child == 0) {
            // Adds and moves round and round; a byte for each message that is durable.
            MBOX_AUTO mbox = NULL;
            if (open_places(p) != EC_OK || store_open_mailbox(p->store, &p->guid, &mbox) != EC_OK)
                _exit(1);
            for (unsigned k = 0;; k++) {
                static const char *const tour[] = {"second", "third", "default"};
                add(mbox, "on the way");
                if (write(report[1], "x", 1) != 1)
                    _exit(1);
                store_move_mailbox(p->store, &p->guid, tour[k % 3], NULL, NULL);
            }
        }
        close(report[1]);
        g_usleep(60000 + 13000 * i);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        g_assert_true(WIFSIGNALED(status));
        char c;
        unsigned acknowledged = 0;
        while (read(report[0], &c, 1) == 1)
            acknowledged++;
        close(report[0]);
        assert_ok(open_places(p));
        unsigned now = count_now(p);
        g_assert_cmpuint(now, >=, n + acknowledged);
        g_assert_cmpuint(now, <=, n + acknowledged + 1);
        n = now;
        g_assert_cmpint(exists(p, 0, ".mbx") + exists(p, 1, ".mbx") + exists(p, 2, ".mbx"), ==, 1);
        expect_sound(p);
        store_close(p->store);
    }
    assert_ok(open_places(p));
}

static void woken(void *ctx, const struct event *events, unsigned n) {
    (void)events;
    *(unsigned *)ctx += n;
}

static void test_replaced_in_use(struct places *p, gconstpointer data) {
    (void)data;
    MBOX_AUTO mbox = NULL;
    MBOX_AUTO again = NULL;
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    assert_ok(store_open_mailbox(p->store, &p->guid, &mbox));
    add(mbox, "one");
    g_autofree char *next = store_file_beside(p->store, &p->guid, "restoring");
    assert_ok(db_copy(mbox->db, next, NULL, NULL));
    add(mbox, "two");
    unsigned n_woken = 0;
    struct mbox_watch *watch = mbox_watch_new(mbox, FID_INBOX, EVENT_NEW_MAIL, woken, &n_woken);
    struct mbox_tx *open;
    struct folder_info f;
    assert_ok(mbox_read(mbox, &open));
    assert_ok(folder_get(open, arena, FID_INBOX, &f));
    assert_ok(store_replace_mailbox(p->store, &p->guid, next, "replaced"));
    g_assert_cmpuint(n_woken, ==, 1);
    assert_ec(mbox_read(mbox, &tx), EC_END_OF_SESSION);
    struct fixture_message m = {.fid = FID_INBOX, .subject = "late"};
    assert_ec(mbox_write(mbox, fixture_create, &m), EC_END_OF_SESSION);
    assert_ok(store_open_mailbox(p->store, &p->guid, &again));
    g_assert_cmpuint(count(again), ==, 1);
    add(again, "three");
    assert_ok(folder_get(open, arena, FID_INBOX, &f)); // an old snapshot lives on
    g_assert_cmpuint(f.n_messages, ==, 2);
    mbox_read_end(open);
    mbox_watch_free(watch);
    store_maintain(p->store);
    mbox_unref(g_steal_pointer(&mbox));
    g_assert_cmpuint(count(again), ==, 2);
    g_assert_true(exists(p, 0, ".mbx.replaced"));
    mbox_unref(g_steal_pointer(&again));
    store_close(p->store);
    assert_ok(open_places(p));
    expect_sound(p);
    g_assert_cmpuint(count_now(p), ==, 2);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/store/place/" name, struct places, NULL, setup, function, teardown)
    ADD("moves in use", test_moves_in_use);
    ADD("killed between the steps", test_killed_between_the_steps);
    ADD("killed while it moves", test_killed_while_it_moves);
    ADD("replaced in use", test_replaced_in_use);
    return g_test_run();
}
