// Flag changes of ranges against a plain model in memory: whatever is settled, reopened or killed
// in between, every way to read says the same.
#include "store/flag_range.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/shared_text.h"
#include "store/background.h"
#include "store/change.h"
#include "store/check.h"
#include "store/event.h"
#include "store/rows.h"
#include "store/store_fixture.h"

#define N_FOLDERS 2
static const uint64_t folders[N_FOLDERS] = {FID_INBOX, FID_DRAFTS};

// A message as it should be. `changed` and `read_changed`: the step of the last change of either
// kind.
struct expected {
    uint64_t mid;
    uint32_t flags;
    const char *keywords;
    int changed, read_changed;
};

struct model {
    struct fixture *f;
    GArray *rows[N_FOLDERS]; // of struct expected, in uid order
    int step;
    uint64_t modseq_at[N_FOLDERS]; // the folder's modseq after step `since_step`
    int since_step;
    unsigned n_modified; // EVENT_MODIFIED seen
};

static void on_events(void *ctx, const struct event *events, unsigned n) {
    struct model *m = ctx;
    for (unsigned i = 0; i < n; i++)
        m->n_modified += events[i].kind == EVENT_MODIFIED;
}

// --- Changes ---

struct call {
    uint64_t fid, to;
    const uint64_t *mids;
    unsigned n;
    struct message_flags_change flags;
    GArray *copied;
};

static enum ec do_flags(struct mbox_tx *tx, void *ctx) {
    struct call *c = ctx;
    return message_change_flags(tx, c->fid, c->mids, c->n, &c->flags, NULL);
}

static enum ec do_copy(struct mbox_tx *tx, void *ctx) {
    struct call *c = ctx;
    return message_copy(tx, c->fid, c->mids, c->n, c->to, &c->copied);
}

static enum ec do_move(struct mbox_tx *tx, void *ctx) {
    struct call *c = ctx;
    return message_move(tx, c->fid, c->mids, c->n, c->to, &c->copied);
}

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    struct call *c = ctx;
    return message_delete(tx, c->fid, c->mids, c->n, DELETE_SOFT, NULL);
}

static enum ec do_fail(struct mbox_tx *tx, void *ctx) {
    assert_ok(do_flags(tx, ctx));
    return EC_DISK_FULL;
}

struct bulk {
    uint64_t fid;
    unsigned n;
    uint64_t *mids;
};

static enum ec do_create(struct mbox_tx *tx, void *ctx) {
    struct bulk *b = ctx;
    for (unsigned i = 0; i < b->n; i++) {
        struct fixture_message message = {.fid = b->fid, .subject = "one"};
        EC_TRY(fixture_create(tx, &message));
        b->mids[i] = message.mid;
    }
    return EC_OK;
}

static void create(struct model *m, unsigned folder, unsigned n) {
    g_autofree uint64_t *mids = g_new(uint64_t, n);
    struct bulk b = {folders[folder], n, mids};
    assert_ok(mbox_write(m->f->mbox, do_create, &b));
    for (unsigned i = 0; i < n; i++) {
        struct expected e = {.mid = b.mids[i], .changed = m->step, .read_changed = m->step};
        g_array_append_val(m->rows[folder], e);
    }
}

static uint64_t *mids_of(const struct model *m, unsigned folder, guint first, guint n) {
    uint64_t *mids = g_new(uint64_t, n);
    for (guint i = 0; i < n; i++)
        mids[i] = g_array_index(m->rows[folder], struct expected, first + i).mid;
    return mids;
}

static void model_flags(struct model *m, struct expected *e,
                        const struct message_flags_change *change) {
    uint32_t old = e->flags;
    const char *keywords = e->keywords;
    switch (change->mode) {
    case FLAGS_ADD:
        e->flags |= change->flags;
        if (change->n_keywords)
            e->keywords = change->keywords[0];
        break;
    case FLAGS_REMOVE:
        e->flags &= ~change->flags;
        if (change->n_keywords)
            e->keywords = NULL;
        break;
    case FLAGS_SET:
        e->flags = change->flags;
        e->keywords = change->n_keywords ? change->keywords[0] : NULL;
        break;
    }
    if ((old ^ e->flags) & MSG_READ)
        e->read_changed = m->step;
    if ((old ^ e->flags) & ~(uint32_t)MSG_READ || keywords != e->keywords)
        e->changed = m->step;
    m->n_modified -= old != e->flags || keywords != e->keywords; // zero when all were told
}

static void random_flags(struct model *m, unsigned folder, guint first, guint n) {
    static const char *const words[] = {"Work"};
    static const uint32_t flags[] = {MSG_READ, MSG_FLAGGED, MSG_READ | MSG_FLAGGED, MSG_ANSWERED,
                                     MSG_DELETED};
    g_autofree uint64_t *mids = mids_of(m, folder, first, n);
    struct call c = {.fid = folders[folder], .mids = mids, .n = n};
    bool with_keyword = g_test_rand_int_range(0, 10) == 0;
    c.flags = (struct message_flags_change){
        .mode = (enum message_flags_mode)g_test_rand_int_range(0, 3),
        .flags = flags[g_test_rand_int_range(0, G_N_ELEMENTS(flags))],
        .keywords = words,
        .n_keywords = with_keyword ? 1 : 0,
        .unchanged_since = UINT64_MAX,
    };
    if (g_test_rand_int_range(0, 12) == 0)
        assert_ec(mbox_write(m->f->mbox, do_fail, &c), EC_DISK_FULL); // and nothing of it happened
    assert_ok(mbox_write(m->f->mbox, do_flags, &c));
    for (guint i = 0; i < n; i++)
        model_flags(m, &g_array_index(m->rows[folder], struct expected, first + i), &c.flags);
}

static void random_transfer(struct model *m, unsigned from, guint first, guint n, bool is_move) {
    unsigned to = 1 - from;
    g_autofree uint64_t *mids = mids_of(m, from, first, n);
    struct call c = {.fid = folders[from], .to = folders[to], .mids = mids, .n = n};
    assert_ok(mbox_write(m->f->mbox, is_move ? do_move : do_copy, &c));
    g_assert_cmpuint(c.copied->len, ==, n);
    for (guint i = 0; i < n; i++) {
        struct expected e = g_array_index(m->rows[from], struct expected, first + i);
        e.mid = g_array_index(c.copied, struct message_copied, i).new_mid;
        e.changed = e.read_changed = m->step;
        g_array_append_val(m->rows[to], e);
    }
    if (is_move)
        g_array_remove_range(m->rows[from], first, n);
    g_array_unref(c.copied);
}

static void random_delete(struct model *m, unsigned folder, guint first, guint n) {
    g_autofree uint64_t *mids = mids_of(m, folder, first, n);
    struct call c = {.fid = folders[folder], .mids = mids, .n = n};
    assert_ok(mbox_write(m->f->mbox, do_delete, &c));
    g_array_remove_range(m->rows[folder], first, n);
}

// --- Comparing ---

static void compare_rows(struct model *m, unsigned folder) {
    struct folder_rows *rows;
    struct mbox_tx *tx;
    const GArray *expected = m->rows[folder];
    uint32_t unread = 0, first_unread = UINT32_MAX;
    assert_ok(folder_rows_get(m->f->mbox, folders[folder], &rows));
    assert_ok(mbox_read(m->f->mbox, &tx));
    g_assert_cmpuint(folder_rows_count(rows), ==, expected->len);
    for (guint i = 0; i < expected->len; i++) {
        const struct expected *e = &g_array_index(expected, struct expected, i);
        const struct message_row *row = folder_rows_at(rows, i);
        unread += !(e->flags & MSG_READ);
        if (!(e->flags & MSG_READ))
            first_unread = MIN(first_unread, i);
        g_assert_cmpuint(row->mid, ==, e->mid);
        g_assert_cmphex(row->flags & MSG_CLIENT_FLAGS, ==, e->flags);
        g_assert_cmpstr(row->keywords, ==, e->keywords);
        if (i % 7 == 0) { // the row by itself says the same
            struct message_row one;
            assert_ok(message_get_row(tx, e->mid, NULL, &one));
            g_assert_cmpuint(one.modseq, ==, row->modseq);
            g_assert_cmphex(one.flags, ==, row->flags);
            if (one.keywords)
                shared_text_unref(one.keywords);
        }
    }
    g_assert_cmpuint(folder_rows_unread(rows), ==, unread);
    g_assert_cmpuint(folder_rows_first_unread(rows), ==, MIN(first_unread, expected->len));
    mbox_read_end(tx);
    folder_rows_unref(rows);
}

static void compare_changes(struct model *m, unsigned folder) {
    ARENA_AUTO arena = arena_new();
    struct change_list list;
    struct mbox_tx *tx;
    g_autoptr(GHashTable) kinds = g_hash_table_new(g_int64_hash, g_int64_equal);
    assert_ok(mbox_read(m->f->mbox, &tx));
    assert_ok(changes_of_folder(tx, arena, folders[folder], m->modseq_at[folder], 0, &list));
    for (unsigned i = 0; i < list.n; i++) {
        if (i > 0)
            g_assert_cmpuint(list.items[i].cn, >, list.items[i - 1].cn); // each has its own
        if (list.items[i].kind != CHANGE_DELETED)
            g_hash_table_insert(kinds, &list.items[i].id,
                                GINT_TO_POINTER((int)list.items[i].kind + 1));
    }
    for (guint i = 0; i < m->rows[folder]->len; i++) {
        const struct expected *e = &g_array_index(m->rows[folder], struct expected, i);
        int kind = GPOINTER_TO_INT(g_hash_table_lookup(kinds, &e->mid));
        int wanted = e->changed > m->since_step        ? CHANGE_MESSAGE + 1
                     : e->read_changed > m->since_step ? CHANGE_READ_STATE + 1
                                                       : 0;
        g_assert_cmpint(kind, ==, wanted);
    }
    mbox_read_end(tx);
}

static void remember(struct model *m) {
    for (unsigned i = 0; i < N_FOLDERS; i++) {
        struct folder_rows *rows;
        assert_ok(folder_rows_get(m->f->mbox, folders[i], &rows));
        m->modseq_at[i] = folder_rows_modseq(rows);
        folder_rows_unref(rows);
    }
    m->since_step = m->step;
}

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = false};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("fault: %s", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

static void test_model(struct fixture *f, gconstpointer data) {
    (void)data;
    struct model m = {.f = f};
    for (unsigned i = 0; i < N_FOLDERS; i++)
        m.rows[i] = g_array_new(FALSE, FALSE, sizeof(struct expected));
    create(&m, 0, 700);
    create(&m, 1, 300);
    remember(&m);
    struct mbox_watch *watch = mbox_watch_new(f->mbox, 0, EVENT_MODIFIED, on_events, &m);
    for (m.step = 1; m.step < 250; m.step++) {
        unsigned folder = (unsigned)g_test_rand_int_range(0, N_FOLDERS);
        guint len = m.rows[folder]->len;
        guint first = (guint)g_test_rand_int_range(0, (gint)len);
        guint n = (guint)g_test_rand_int_range(1, (gint)(len - first) + 1);
        switch (g_test_rand_int_range(0, 16)) {
        default:
            random_flags(&m, folder, g_test_rand_bit() ? 0 : first, n);
            break;
        case 0:
            random_flags(&m, folder, first, 1);
            break;
        case 1:
            random_transfer(&m, folder, first, MIN(n, 40), false);
            break;
        case 2:
            random_transfer(&m, folder, first, MIN(n, len / 4), true);
            break;
        case 3:
            random_delete(&m, folder, first, MIN(n, len / 8));
            break;
        case 4:
            create(&m, folder, 60);
            break;
        case 5:
            background_drain(f->store);
            break;
        case 6:
            mbox_watch_free(watch);
            fixture_close(f);
            fixture_open(f);
            watch = mbox_watch_new(f->mbox, 0, EVENT_MODIFIED, on_events, &m);
            break;
        case 7:
            remember(&m);
            break;
        case 8:
            assert_clean(f); // with records that wait
            break;
        }
        g_assert_cmpuint(m.n_modified, ==, 0);
        for (unsigned i = 0; i < N_FOLDERS; i++) {
            compare_rows(&m, i);
            compare_changes(&m, i);
        }
    }
    mbox_watch_free(watch);
    background_drain(f->store);
    compare_rows(&m, 0);
    compare_rows(&m, 1);
    assert_clean(f);
    for (unsigned i = 0; i < N_FOLDERS; i++)
        g_array_unref(m.rows[i]);
}

// --- kill -9 between the slices ---

#define KILL_MESSAGES 5000 // more than two slices

static void mark_all(struct fixture *f, const uint64_t *mids, enum message_flags_mode mode) {
    struct call c = {.fid = FID_INBOX, .mids = mids, .n = KILL_MESSAGES};
    c.flags = (struct message_flags_change){
        .mode = mode, .flags = MSG_READ | MSG_FLAGGED, .unchanged_since = UINT64_MAX};
    assert_ok(mbox_write(f->mbox, do_flags, &c));
}

static void child(struct fixture *f, const uint64_t *mids, enum message_flags_mode mode, int out) {
    fixture_open(f);
    mark_all(f, mids, mode);
    if (write(out, "x", 1) != 1)
        _exit(1);
    background_drain(f->store);
    pause();
}

static void assert_all(struct fixture *f, const uint64_t *mids, uint32_t flags) {
    struct folder_rows *rows;
    assert_ok(folder_rows_get(f->mbox, FID_INBOX, &rows));
    g_assert_cmpuint(folder_rows_count(rows), ==, KILL_MESSAGES);
    for (uint32_t i = 0; i < KILL_MESSAGES; i++) {
        g_assert_cmpuint(folder_rows_at(rows, i)->mid, ==, mids[i]);
        g_assert_cmphex(folder_rows_at(rows, i)->flags & MSG_CLIENT_FLAGS, ==, flags);
    }
    g_assert_cmpuint(folder_rows_unread(rows), ==, flags & MSG_READ ? 0 : KILL_MESSAGES);
    folder_rows_unref(rows);
}

static void test_kill(struct fixture *f, gconstpointer data) {
    (void)data;
    g_autofree uint64_t *mids = g_new(uint64_t, KILL_MESSAGES);
    struct bulk b = {FID_INBOX, KILL_MESSAGES, mids};
    assert_ok(mbox_write(f->mbox, do_create, &b));
    for (int round = 0; round < 10; round++) {
        enum message_flags_mode mode = round % 2 ? FLAGS_REMOVE : FLAGS_ADD;
        int fds[2];
        char byte;
        fixture_close(f);
        g_assert_cmpint(pipe(fds), ==, 0);
        pid_t pid = fork();
        if (pid == 0)
            child(f, mids, mode, fds[1]);
        close(fds[1]);
        g_assert_cmpint(read(fds[0], &byte, 1), ==, 1);
        close(fds[0]);
        g_usleep((gulong)g_test_rand_int_range(0, 60000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        fixture_open(f);
        assert_all(f, mids, mode == FLAGS_ADD ? MSG_READ | MSG_FLAGGED : 0);
        assert_clean(f);
        background_drain(f->store); // goes on where it was killed
        assert_all(f, mids, mode == FLAGS_ADD ? MSG_READ | MSG_FLAGGED : 0);
    }
    assert_clean(f);
}

// More records than may wait: the oldest are settled with the change.
static void test_many(struct fixture *f, gconstpointer data) {
    (void)data;
    enum { N = 200 };
    struct model m = {.f = f};
    m.rows[0] = g_array_new(FALSE, FALSE, sizeof(struct expected));
    create(&m, 0, N);
    for (int i = 0; i < 150; i++) {
        m.step++;
        random_flags(&m, 0, 0, N - (guint)(i % 50));
    }
    compare_rows(&m, 0);
    assert_clean(f);
    g_array_unref(m.rows[0]);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/flag_range/model", struct fixture, NULL, fixture_setup, test_model,
               fixture_teardown);
    g_test_add("/flag_range/kill", struct fixture, NULL, fixture_setup, test_kill,
               fixture_teardown);
    g_test_add("/flag_range/many", struct fixture, NULL, fixture_setup, test_many,
               fixture_teardown);
    return g_test_run();
}
