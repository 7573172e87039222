// The full-text index: incremental, across crashes and rebuilds, shared by copies, checked.
#include "store/fulltext.h"

#include <sys/wait.h>
#include <unistd.h>

#include "convert/convert.h"
#include "db/fulltext_words.h"
#include "store/background.h"
#include "store/check.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

static void setup(struct fixture *f, gconstpointer data) {
    fixture_setup(f, data);
    struct fulltext_options options = {.policy = FULLTEXT_ON_DEMAND};
    store_set_fulltext(f->store, &options);
}

struct mail {
    const char *mime;
    uint64_t fid, mid;
    uint32_t flags;
};

static enum ec change_mail(struct mbox_tx *tx, void *ctx) {
    struct mail *m = ctx;
    ARENA_AUTO arena = arena_new();
    struct mime_message *scanned = mime_scan(arena, m->mime, strlen(m->mime));
    struct message_value *value;
    EC_TRY(convert_mime_to_message(scanned, &value));
    g_autoptr(GBytes) mime = g_bytes_new(m->mime, strlen(m->mime));
    struct message_new spec = {.value = value,
                               .mime = mime,
                               .flags = m->flags,
                               .envelope = "(envelope)",
                               .structure = "(structure)"};
    enum ec ec = message_create(tx, m->fid, &spec, &m->mid, NULL);
    message_value_free(value);
    return ec;
}

static uint64_t add(struct fixture *f, const char *subject, const char *body) {
    g_autofree char *mime =
        g_strdup_printf("From: Anna <anna@example.test>\r\nTo: bob@example.test\r\n"
                        "Subject: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
                        subject, body);
    struct mail m = {.mime = mime, .fid = FID_INBOX};
    assert_ok(mbox_write(f->mbox, change_mail, &m));
    return m.mid;
}

static struct db_fulltext_node words_node(GString *buffer, const char *text) {
    g_string_truncate(buffer, 0);
    db_words_append(buffer, text, strlen(text));
    return (struct db_fulltext_node){.kind = DB_FULLTEXT_WORDS, .words = buffer->str};
}

static bool count_hit(void *ctx, const struct fulltext_hit *hit) {
    g_assert_cmpuint(hit->doc, >, 0);
    g_assert_cmpuint(hit->fid, >, 0);
    ++*(unsigned *)ctx;
    return true;
}

// How many messages the index finds, both ways.
static unsigned find(struct fixture *f, const char *text) {
    g_autoptr(GString) buffer = g_string_new(NULL);
    struct db_fulltext_node node = words_node(buffer, text);
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_index index;
    unsigned up = 0, down = 0;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(fulltext_open(tx, &index));
    assert_ok(fulltext_find(tx, &index, &node, false, count_hit, &up));
    assert_ok(fulltext_find(tx, &index, &node, true, count_hit, &down));
    g_assert_cmpuint(up, ==, down);
    return up;
}

static struct fulltext_status status(struct fixture *f) {
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_status s;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(fulltext_get_status(tx, &s));
    return s;
}

static unsigned check(struct fixture *f, bool repair) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = repair, .with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s", (char *)faults->pdata[i]);
    return faults->len;
}

static void test_on_demand(struct fixture *f, gconstpointer data) {
    (void)data;
    add(f, "before", "Grüße aus Köln");
    background_drain(f->store);
    g_assert_false(status(f).exists); // nobody searched
    g_assert_cmpuint(status(f).n_waiting, ==, 1);
    fulltext_want(f->mbox);
    background_drain(f->store);
    g_assert_true(status(f).exists);
    g_assert_cmpuint(status(f).n_waiting, ==, 0);
    g_assert_cmpuint(find(f, "gruesse"), ==, 0);
    g_assert_cmpuint(find(f, "Grusse"), ==, 1);
    g_assert_cmpuint(find(f, "aus köln"), ==, 1);
    add(f, "later", "日本語の文書");
    background_drain(f->store);
    g_assert_cmpuint(find(f, "日本語"), ==, 1);
    g_assert_cmpuint(find(f, "anna"), ==, 2);
    g_assert_cmpuint(check(f, false), ==, 0);
}

static void test_always_and_off(struct fixture *f, gconstpointer data) {
    (void)data;
    static const enum fulltext_policy policies[] = {FULLTEXT_OFF, FULLTEXT_ALWAYS};
    for (unsigned i = 0; i < 2; i++) {
        fixture_close(f);
        struct store_options options = {0};
        struct fulltext_options fulltext = {.policy = policies[i]};
        assert_ok(store_open(f->dir, &options, &f->store));
        store_set_fulltext(f->store, &fulltext);
        assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
        add(f, "x", "y");
        fulltext_want(f->mbox);
        background_drain(f->store);
        g_assert_cmpint(status(f).exists, ==, i);
    }
    g_assert_cmpuint(find(f, "y"), ==, 2);
}

static enum ec change_copy(struct mbox_tx *tx, void *ctx) {
    return message_copy(tx, FID_INBOX, ctx, 1, FID_DRAFTS, NULL);
}

static enum ec change_move(struct mbox_tx *tx, void *ctx) {
    return message_move(tx, FID_INBOX, ctx, 1, FID_SENT_ITEMS, NULL);
}

static enum ec change_delete(struct mbox_tx *tx, void *ctx) {
    return message_delete(tx, FID_INBOX, ctx, 1, DELETE_HARD, NULL);
}

static void test_copies_share(struct fixture *f, gconstpointer data) {
    (void)data;
    uint64_t first = add(f, "first", "shared words"), second = add(f, "second", "other words");
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    assert_ok(mbox_write(f->mbox, change_copy, &first));
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    g_assert_cmpuint(find(f, "shared"), ==, 2);
    g_assert_cmpuint(status(f).n_docs, ==, 2);
    assert_ok(mbox_write(f->mbox, change_move, &first));
    g_assert_cmpuint(find(f, "shared"), ==, 2);
    assert_ok(mbox_write(f->mbox, change_delete, &second));
    g_assert_cmpuint(find(f, "other"), ==, 0); // the index still has it
    g_assert_cmpuint(find(f, "words"), ==, 2);
    g_assert_cmpuint(status(f).n_gone, ==, 1);
    g_assert_cmpuint(check(f, false), ==, 0);
    assert_ok(fulltext_rebuild(f->mbox, NULL, NULL));
    g_assert_cmpuint(status(f).n_gone, ==, 0);
    g_assert_cmpuint(status(f).n_docs, ==, 1);
    g_assert_cmpuint(find(f, "words"), ==, 2);
    g_assert_cmpuint(check(f, false), ==, 0);
    assert_ok(fulltext_forget(f->mbox));
    g_assert_false(status(f).exists);
    g_assert_cmpuint(check(f, false), ==, 0);
}

// Many slices; searches work all the time while a new index is built beside.
static void stop_after(void *ctx, uint64_t done, uint64_t left) {
    struct fixture *f = ctx;
    g_test_message("%u done, %u left", (unsigned)done, (unsigned)left);
    g_assert_cmpuint(find(f, "word7"), ==, 1);
}

static enum ec change_many(struct mbox_tx *tx, void *ctx) {
    for (unsigned i = 0; i < *(unsigned *)ctx; i++) {
        g_autofree char *mime = g_strdup_printf("Subject: many\r\n\r\ncommon word%u\r\n", i);
        struct mail m = {.mime = mime, .fid = FID_INBOX};
        EC_TRY(change_mail(tx, &m));
    }
    return EC_OK;
}

static void add_many(struct fixture *f, unsigned n) {
    assert_ok(mbox_write(f->mbox, change_many, &n));
}

static void test_rebuild_beside(struct fixture *f, gconstpointer data) {
    (void)data;
    add_many(f, 1100);
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    g_assert_cmpuint(find(f, "common"), ==, 1100);
    assert_ok(fulltext_rebuild(f->mbox, stop_after, f));
    g_assert_cmpuint(find(f, "common"), ==, 1100);
    assert_ok(fulltext_rebuild(f->mbox, stop_after, f)); // and back into the first slot
    g_assert_cmpuint(find(f, "common"), ==, 1100);
    g_assert_false(status(f).is_rebuilding);
    g_assert_cmpuint(check(f, false), ==, 0);
}

// Killed between two slices, of an index and of a rebuild: it goes on from the mark.
static void die(void *ctx, uint64_t done, uint64_t left) {
    (void)ctx, (void)left;
    if (done > 0)
        _exit(7);
}

static void killed(struct fixture *f, bool rebuild) {
    fixture_close(f);
    pid_t pid = fork();
    if (pid == 0) {
        fixture_open(f);
        if (rebuild)
            fulltext_rebuild(f->mbox, die, NULL);
        else
            fulltext_catch_up(f->mbox, die, NULL);
        _exit(1);
    }
    int wstatus;
    g_assert_cmpint(waitpid(pid, &wstatus, 0), ==, pid);
    g_assert_cmpint(WEXITSTATUS(wstatus), ==, 7);
    fixture_open(f);
}

static void test_killed(struct fixture *f, gconstpointer data) {
    (void)data;
    add_many(f, 1200);
    killed(f, false);
    struct fulltext_status s = status(f);
    g_assert_true(s.exists);
    g_assert_cmpuint(s.n_waiting, >, 0);
    g_assert_cmpuint(s.n_docs, >, 0);
    g_assert_cmpuint(s.n_docs + s.n_waiting, ==, 1200);
    g_assert_cmpuint(check(f, false), ==, 0);
    background_drain(f->store); // opening it was enough
    g_assert_cmpuint(find(f, "common"), ==, 1200);
    killed(f, true);
    s = status(f);
    g_assert_true(s.is_rebuilding);
    g_assert_cmpuint(find(f, "common"), ==, 1200);
    g_assert_cmpuint(check(f, false), ==, 0);
    background_drain(f->store);
    g_assert_false(status(f).is_rebuilding);
    g_assert_cmpuint(find(f, "common"), ==, 1200);
    g_assert_cmpuint(check(f, false), ==, 0);
}

static enum ec change_sql(struct mbox_tx *tx, void *ctx) {
    return db_exec(tx->conn, ctx);
}

static void test_check(struct fixture *f, gconstpointer data) {
    (void)data;
    static const char *const damage[] = {
        "UPDATE fulltext SET watermark = 1 << 47",
        "UPDATE fulltext SET is_live = 0",
        "UPDATE fulltext SET slot = 9",
        "DELETE FROM fulltext_doc WHERE doc = (SELECT MIN(doc) FROM fulltext_doc)",
        "UPDATE fulltext_doc SET body = head WHERE doc = (SELECT MAX(doc) FROM fulltext_doc)",
        "DROP TABLE fulltext_a",
    };
    add_many(f, 20);
    for (unsigned i = 0; i < G_N_ELEMENTS(damage); i++) {
        assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
        g_assert_cmpuint(check(f, false), ==, 0);
        assert_ok(mbox_write(f->mbox, change_sql, (void *)damage[i]));
        g_test_message("%s", damage[i]);
        g_assert_cmpuint(check(f, false), ==, 1);
        g_assert_cmpuint(check(f, true), ==, 1);
        g_assert_cmpuint(check(f, false), ==, 0);
        g_assert_false(status(f).exists);
    }
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    g_assert_cmpuint(find(f, "common"), ==, 20);
}

// Words made by other rules: not asked, rebuilt in the background.
// A flipped bit in the index's own pages: whoever meets it has it built anew.
static void test_damaged(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    g_autofree char *content = NULL, *path = NULL;
    gsize len;
    for (unsigned i = 0; i < 20; i++)
        add(f, "an ordinary subject", "with some words");
    add(f, "the last one", "qzebrafishes");
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    g_assert_cmpuint(find(f, "qzebrafishes"), ==, 1);
    path = g_strdup(store_mailbox_path(f->store, arena, &f->guid));
    fixture_close(f);
    g_assert_true(g_file_get_contents(path, &content, &len, NULL));
    // A term of the index: it shares a "0" with the one before; the number of its further bytes.
    char *at = memmem(content, len, "\x0cqzebrafishes", 13);
    g_assert_nonnull(at);
    at[4] ^= 0x04;
    g_assert_true(g_file_set_contents(path, content, (gssize)len, NULL));
    fixture_open(f);
    g_autoptr(GString) buffer = g_string_new(NULL);
    struct db_fulltext_node node = words_node(buffer, "qzebrafishes");
    struct mbox_tx *tx;
    struct fulltext_index index;
    unsigned n = 0;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(fulltext_open(tx, &index));
    assert_ec(fulltext_find(tx, &index, &node, false, count_hit, &n), EC_CORRUPT_DATA);
    mbox_read_end(tx);
    fulltext_damaged(f->mbox);
    background_drain(f->store);
    g_assert_cmpuint(find(f, "qzebrafishes"), ==, 1);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s", (char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

static void test_other_format(struct fixture *f, gconstpointer data) {
    (void)data;
    add_many(f, 3);
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    assert_ok(mbox_write(f->mbox, change_sql, (void *)"UPDATE fulltext SET format = 1"));
    MBOX_TX_AUTO tx = NULL;
    struct fulltext_index index;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ec(fulltext_open(tx, &index), EC_NOT_FOUND);
    g_assert_true(status(f).is_outdated);
    g_assert_cmpuint(check(f, false), ==, 0);
    mbox_read_end(g_steal_pointer(&tx));
    fixture_close(f);
    fixture_open(f);
    background_drain(f->store);
    g_assert_false(status(f).is_outdated);
    g_assert_cmpuint(find(f, "common"), ==, 3);
}

static void test_words_of(struct fixture *f, gconstpointer data) {
    (void)data;
    uint64_t mid = add(f, "Überschrift", "Der Inhalt");
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct fulltext_words words;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(fulltext_words_of(tx, arena, mid, &words));
    g_assert_cmpstr(words.columns[TEXT_SUBJECT], ==, "uberschrift");
    g_assert_cmpstr(words.columns[TEXT_BODY], ==, "der inhalt");
    g_assert_nonnull(strstr(words.columns[TEXT_SENDER], "anna"));
    assert_ec(fulltext_words_of(tx, arena, 0xffffff, &words), EC_NOT_FOUND);
}

static void test_signatures(struct fixture *f, gconstpointer data) {
    (void)data;
    add(f, "Überschrift", "Der Inhalt der Straße");
    fixture_add(f, FID_INBOX, "without an original", NULL);
    add(f, "second", "nothing of that kind");
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    struct fulltext_signatures *s = fulltext_signatures_new(tx, FID_INBOX);
    struct grams g;
    struct grams_needle n;
    g_assert_true(fulltext_signatures_at(s, 1, &g));
    grams_needle_set(&n, "strasse", 7);
    g_assert_true(grams_may_contain(g.body, g.body_len, &n));
    g_assert_false(grams_may_contain(g.head, g.head_len, &n));
    grams_needle_set(&n, "der inhalt", 10);
    g_assert_true(grams_may_contain(g.body, g.body_len, &n));
    grams_needle_set(&n, "xyzzyplughfrobnicate", 20);
    g_assert_false(grams_may_contain(g.body, g.body_len, &n));
    grams_needle_set(&n, "xy", 2);
    g_assert_true(grams_may_contain(g.body, g.body_len, &n)); // too short to tell
    g_assert_false(fulltext_signatures_at(s, 2, &g));
    g_assert_true(fulltext_signatures_at(s, 3, &g));
    g_assert_false(fulltext_signatures_at(s, 4, &g));
    g_assert_true(fulltext_signatures_at(s, 1, &g)); // backwards too
    // What cannot be a signature tells nothing.
    grams_needle_set(&n, "xyzzyplughfrobnicate", 20);
    g_assert_true(grams_may_contain((const uint8_t *)"abc", 3, &n));
    g_assert_true(grams_may_contain(NULL, 0, &n));
    assert_ok(fulltext_signatures_free(s));
}

// Somebody else may index at the same time: each content is in it once.
static void *other_indexer(void *data) {
    struct fixture *f = data;
    assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    return NULL;
}

static void test_two_at_once(struct fixture *f, gconstpointer data) {
    (void)data;
    add_many(f, 700);
    GThread *threads[3];
    for (unsigned i = 0; i < 3; i++)
        threads[i] = g_thread_new("indexer", other_indexer, f);
    fulltext_want(f->mbox);
    for (unsigned i = 0; i < 3; i++)
        g_thread_join(threads[i]);
    background_drain(f->store);
    g_assert_cmpuint(find(f, "common"), ==, 700);
    g_assert_cmpuint(status(f).n_docs, ==, 700);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/fulltext/" name, struct fixture, NULL, setup, fn, fixture_teardown)
    TEST("on_demand", test_on_demand);
    TEST("always_and_off", test_always_and_off);
    TEST("copies_share", test_copies_share);
    TEST("rebuild_beside", test_rebuild_beside);
    TEST("killed", test_killed);
    TEST("check", test_check);
    TEST("damaged", test_damaged);
    TEST("other_format", test_other_format);
    TEST("words_of", test_words_of);
    TEST("signatures", test_signatures);
    TEST("two_at_once", test_two_at_once);
    return g_test_run();
}
