// The model test: random steps against a plain model; with reopening; killed at random moments and
// compared with a twin that was not; and the history of single objects under eight threads.
//
// MODEL_STEPS (10,000), MODEL_KILLS (30), MODEL_SECONDS (5) and MODEL_SEED (random) in the
// environment; the seed is printed.
#include "store/model.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/check.h"

static unsigned number_of(const char *name, unsigned otherwise) {
    const char *text = g_getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static uint32_t seed(void) {
    uint32_t n = number_of("MODEL_SEED", 0);
    if (n == 0)
        n = (uint32_t)g_get_real_time();
    g_test_message("MODEL_SEED=%u", n);
    g_printerr("# MODEL_SEED=%u\n", n);
    return n;
}

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_printerr("# fault: %s\n", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

static void test_steps(struct fixture *f, gconstpointer data) {
    (void)data;
    unsigned steps = number_of("MODEL_STEPS", 10000);
    struct model *m = model_new(f, seed(), true);
    for (unsigned i = 1; i <= steps; i++) {
        model_step(m);
        if (i % 20 == 0)
            model_compare_folder(m, m->folders->pdata[i / 20 % 4]);
        if (i % 500 == 0)
            model_compare(m);
        if (i % 4000 == 0) {
            fixture_close(f);
            fixture_open(f);
            model_compare(m);
        }
    }
    model_compare(m);
    assert_clean(f);
    model_free(m);
}

// --- Killed ---

// The child does steps and tells after each that it was done; the parent kills it.
static void child(struct fixture *f, struct model *m, int pipe_fd) {
    fixture_open(f);
    m->f = f;
    for (;;) {
        model_step(m);
        uint64_t done = m->step;
        if (write(pipe_fd, &done, sizeof done) != sizeof done)
            _exit(1);
    }
}

static uint64_t run_and_kill(struct fixture *f, struct model *m, unsigned wait_usec) {
    int fds[2];
    uint64_t last = m->step, told;
    g_assert_cmpint(pipe(fds), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child(f, m, fds[1]);
    }
    close(fds[1]);
    if (read(fds[0], &told, sizeof told) == sizeof told) // it is under way
        last = told;
    g_usleep(wait_usec);
    int status;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // not by a fault of its own
    while (read(fds[0], &told, sizeof told) == sizeof told)
        last = told;
    close(fds[0]);
    return last;
}

static void test_killed(struct fixture *f, gconstpointer data) {
    (void)data;
    struct fixture twin = {0};
    unsigned kills = number_of("MODEL_KILLS", 30);
    uint32_t n = seed();
    GRand *rand = g_rand_new_with_seed(n);
    fixture_setup(&twin, NULL);
    struct model *m = model_new(&twin, n, false); // steps the twin, knows what the other does
    for (unsigned i = 0; i < kills; i++) {
        fixture_close(f); // no thread of the parent may be in a store while it forks
        fixture_close(&twin);
        uint64_t acknowledged = run_and_kill(f, m, (unsigned)g_rand_int_range(rand, 0, 60000));
        fixture_open(f);
        fixture_open(&twin);
        while (m->step < acknowledged)
            model_step(m);
        g_autofree char *found = model_digest(f);
        g_autofree char *expected = model_digest(&twin);
        if (strcmp(found, expected) != 0) { // the step under way may have been committed
            model_step(m);
            g_free(expected);
            expected = model_digest(&twin);
        }
        g_assert_cmpstr(found, ==, expected);
        assert_clean(f);
    }
    g_printerr("# %u kills, %u steps\n", kills, (unsigned)m->step);
    g_assert_cmpuint(m->step, >, kills);
    model_free(m);
    g_rand_free(rand);
    fixture_teardown(&twin, NULL);
}

// --- Threads ---

#define THREADS 8
#define OBJECTS 6

// One operation on one message: a write of a keyword nobody else writes, or a read.
struct op {
    gint64 start, end;
    uint64_t modseq; // of the state written or read
    char keyword[24];
    bool is_write;
};

struct history {
    pthread_mutex_t lock;
    GArray *ops; // of struct op
};

struct worker {
    struct fixture *f;
    struct history *histories;
    const uint64_t *mids;
    unsigned number;
    gint64 until;
    struct op *op;
    uint64_t mid;
};

static enum ec write_keyword(struct mbox_tx *tx, void *ctx) {
    struct worker *w = ctx;
    const char *keyword = w->op->keyword;
    struct message_flags_change change = {
        .mode = FLAGS_SET, .keywords = &keyword, .n_keywords = 1, .unchanged_since = UINT64_MAX};
    struct message_row row;
    EC_TRY(message_change_flags(tx, FID_INBOX, &w->mid, 1, &change, NULL));
    EC_TRY(message_get_row(tx, w->mid, NULL, &row));
    w->op->modseq = row.modseq;
    shared_text_unref(row.keywords);
    return EC_OK;
}

static void read_keyword(struct worker *w) {
    struct message_row row;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(w->f->mbox, &tx));
    assert_ok(message_get_row(tx, w->mid, NULL, &row));
    w->op->modseq = row.modseq;
    g_strlcpy(w->op->keyword, row.keywords ? row.keywords : "", sizeof w->op->keyword);
    if (row.keywords)
        shared_text_unref(row.keywords);
}

static void *work(void *data) {
    struct worker *w = data;
    GRand *rand = g_rand_new_with_seed(w->number);
    for (unsigned n = 0; g_get_monotonic_time() < w->until; n++) {
        unsigned object = (unsigned)g_rand_int_range(rand, 0, OBJECTS);
        struct op op = {.is_write = g_rand_boolean(rand)};
        w->op = &op;
        w->mid = w->mids[object];
        if (op.is_write)
            g_snprintf(op.keyword, sizeof op.keyword, "w%u-%u", w->number, n);
        op.start = g_get_monotonic_time();
        if (op.is_write)
            assert_ok(mbox_write(w->f->mbox, write_keyword, w));
        else
            read_keyword(w);
        op.end = g_get_monotonic_time();
        pthread_mutex_lock(&w->histories[object].lock);
        g_array_append_val(w->histories[object].ops, op);
        pthread_mutex_unlock(&w->histories[object].lock);
    }
    g_rand_free(rand);
    return NULL;
}

static gint by_modseq(gconstpointer a, gconstpointer b) {
    const struct op *x = a, *y = b;
    if (x->modseq != y->modseq)
        return x->modseq < y->modseq ? -1 : 1;
    return y->is_write - x->is_write; // a state's write before its reads
}

// The change numbers order all operations; that order must agree with real time (an operation that
// ended before another began comes first) and each read must give the state written last.
static void check_history(GArray *ops) {
    gint64 latest_start = 0;
    const char *state = "";
    g_array_sort(ops, by_modseq);
    uint64_t state_modseq = 0;
    gint64 state_start = 0; // the latest start among operations on older states
    for (guint i = 0; i < ops->len; i++) {
        const struct op *op = &g_array_index(ops, struct op, i);
        if (op->modseq != state_modseq) {
            state_start = latest_start;
            state_modseq = op->modseq;
        }
        g_assert_cmpint(op->end, >=, state_start);
        latest_start = MAX(latest_start, op->start);
        if (op->is_write)
            state = op->keyword;
        else
            g_assert_cmpstr(op->keyword, ==, state);
    }
}

static void test_threads(struct fixture *f, gconstpointer data) {
    (void)data;
    struct history histories[OBJECTS];
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    uint64_t mids[OBJECTS];
    unsigned total = 0;
    gint64 until = g_get_monotonic_time() + number_of("MODEL_SECONDS", 5) * G_USEC_PER_SEC;
    for (unsigned i = 0; i < OBJECTS; i++) {
        mids[i] = fixture_add(f, FID_INBOX, "object", NULL);
        pthread_mutex_init(&histories[i].lock, NULL);
        histories[i].ops = g_array_new(FALSE, FALSE, sizeof(struct op));
    }
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){
            .f = f, .histories = histories, .mids = mids, .number = i, .until = until};
        g_assert_cmpint(pthread_create(&threads[i], NULL, work, &workers[i]), ==, 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < OBJECTS; i++) {
        total += histories[i].ops->len;
        check_history(histories[i].ops);
        g_array_unref(histories[i].ops);
        pthread_mutex_destroy(&histories[i].lock);
    }
    g_printerr("# %u operations\n", total);
    g_assert_cmpuint(total, >, 100);
    assert_clean(f);
}

#define ADD(name, fn)                                                                              \
    g_test_add("/model/" name, struct fixture, NULL, fixture_setup, fn, fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("steps", test_steps);
    ADD("killed", test_killed);
    ADD("threads", test_threads);
    return g_test_run();
}
