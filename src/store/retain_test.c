// Recoverable Items, holds, and the counters that quotas read.
#include "base/clock.h"
#include "store/check.h"
#include "store/recoverable.h"
#include "store/store_fixture.h"
#include "store/usage.h"

#define DAY (UINT64_C(86400) * FILETIME_SECOND)
#define START (FILETIME_UNIX_EPOCH + UINT64_C(1700000000) * FILETIME_SECOND)

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("fault: %s", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

// One change of any kind; results stand in it.
struct act {
    enum {
        SOFT,
        HARD,
        PURGE,
        MOVE,
        RESTORE,
        HOLD,
        MAKE_FOLDER,
        DROP_FOLDER,
        DROP_FOLDER_HARD,
        SAVE,
        FORGET
    } what;
    uint64_t fid, to, mid;
    const char *name;
    bool is_on;
    enum hold_kind kind;
    filetime_t duration;
};

static enum ec save(struct mbox_tx *tx, struct act *a) {
    struct message *m;
    EC_TRY(message_open(tx, a->mid, &m));
    struct prop_value v = prop_str(PidTagSubject, a->name);
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

static enum ec do_act(struct mbox_tx *tx, void *ctx) {
    struct act *a = ctx;
    unsigned all = FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS;
    switch (a->what) {
    case SOFT:
        return message_delete(tx, a->fid, &a->mid, 1, DELETE_SOFT, NULL);
    case HARD:
        return message_delete(tx, a->fid, &a->mid, 1, DELETE_HARD, NULL);
    case PURGE:
        return message_purge(tx, a->fid, &a->mid, 1);
    case MOVE:
        return message_move(tx, a->fid, &a->mid, 1, a->to, NULL);
    case RESTORE:
        return message_restore(tx, a->fid, &a->mid, 1);
    case HOLD:
        return mbox_set_hold(tx, a->kind, a->is_on, a->duration);
    case MAKE_FOLDER:
        return folder_create(tx, a->fid, a->name, FOLDER_TYPE_GENERIC, NULL, &a->to);
    case DROP_FOLDER:
        return folder_delete(tx, a->fid, all);
    case DROP_FOLDER_HARD:
        return folder_delete(tx, a->fid, all | FOLDER_DELETE_HARD);
    case SAVE:
        return save(tx, a);
    default:
        return recoverable_forget_folders(tx, clock_now());
    }
}

static enum ec act(struct fixture *f, struct act a) {
    return mbox_write(f->mbox, do_act, &a);
}

static uint64_t make_folder(struct fixture *f, uint64_t parent, const char *name) {
    struct act a = {.what = MAKE_FOLDER, .fid = parent, .name = name};
    assert_ok(mbox_write(f->mbox, do_act, &a));
    return a.to;
}

static void hold(struct fixture *f, enum hold_kind kind, bool is_on, filetime_t duration) {
    assert_ok(
        act(f, (struct act){.what = HOLD, .kind = kind, .is_on = is_on, .duration = duration}));
}

static struct mbox_usage usage(struct fixture *f) {
    struct mbox_usage u;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    mbox_get_usage(tx, &u);
    mbox_read_end(tx);
    return u;
}

// What was counted while writing equals what is counted when the mailbox is opened.
static struct mbox_usage assert_usage_holds(struct fixture *f) {
    struct mbox_usage counted = usage(f);
    fixture_close(f);
    fixture_open(f);
    struct mbox_usage loaded = usage(f);
    g_assert_cmpuint(counted.size, ==, loaded.size);
    g_assert_cmpuint(counted.n_messages, ==, loaded.n_messages);
    g_assert_cmpuint(counted.recoverable_size, ==, loaded.recoverable_size);
    g_assert_cmpuint(counted.n_recoverable, ==, loaded.n_recoverable);
    return loaded;
}

static struct recoverable_list list(struct fixture *f, struct arena *arena) {
    struct recoverable_list l;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(recoverable_list(tx, arena, 0, 0, 100, &l));
    mbox_read_end(tx);
    return l;
}

static uint32_t count(struct fixture *f, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info info;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &info));
    mbox_read_end(tx);
    return info.n_messages;
}

static enum ec fail_after_adding(struct mbox_tx *tx, void *ctx) {
    EC_TRY(fixture_create(tx, ctx));
    return EC_CANCEL;
}

static void test_usage(struct fixture *f, gconstpointer data) {
    static const char text[] = "Subject: one\r\n\r\nsome text to count\r\n";
    g_assert_cmpuint(usage(f).size, ==, 0);
    uint64_t one = fixture_add(f, FID_INBOX, "one", text);
    uint64_t size = usage(f).size;
    g_assert_cmpuint(size, >=, strlen(text));
    fixture_add(f, FID_ARCHIVE, "two", text);
    g_assert_cmpuint(usage(f).size, ==, 2 * size);
    g_assert_cmpuint(usage(f).n_messages, ==, 2);
    assert_ok(act(f, (struct act){.what = SOFT, .fid = FID_INBOX, .mid = one}));
    struct mbox_usage u = assert_usage_holds(f);
    g_assert_cmpuint(u.size, ==, size);
    g_assert_cmpuint(u.recoverable_size, ==, size);
    assert_ok(act(f, (struct act){.what = RESTORE, .fid = FID_INBOX, .mid = one}));
    g_assert_cmpuint(usage(f).size, ==, 2 * size);
    g_assert_cmpuint(usage(f).n_recoverable, ==, 0);

    // What failed does not count.
    struct fixture_message m = {.fid = FID_INBOX, .subject = "x", .mime = text};
    assert_ec(mbox_write(f->mbox, fail_after_adding, &m), EC_CANCEL);
    g_assert_cmpuint(usage(f).size, ==, 2 * size);
    assert_usage_holds(f);
    assert_clean(f);
}

static void test_deleted_folder(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t projects = make_folder(f, FID_IPM_SUBTREE, "Projects");
    uint64_t year = make_folder(f, projects, "2026/a");
    uint64_t soft = fixture_add(f, year, "soft", "a");
    clock_set(START);
    assert_ok(act(f, (struct act){.what = SOFT, .fid = year, .mid = soft}));
    fixture_add(f, year, "there", "b");
    clock_set(START + DAY);
    assert_ok(act(f, (struct act){.what = DROP_FOLDER, .fid = projects}));
    struct recoverable_list l = list(f, arena);
    g_assert_cmpuint(l.n, ==, 2);
    // The time of deletion stays with what was deleted before the folder was.
    g_assert_cmpstr(l.items[0].subject, ==, "soft");
    g_assert_cmpuint(l.items[0].deleted, ==, START);
    g_assert_cmpuint(l.items[1].deleted, ==, START + DAY);
    for (unsigned i = 0; i < l.n; i++) {
        const char *path, *class;
        MBOX_TX_AUTO tx = NULL;
        g_assert_cmpuint(l.items[i].fid, ==, FID_RECOVERABLE_DELETIONS);
        g_assert_cmpuint(l.items[i].origin, ==, year);
        assert_ok(mbox_read(f->mbox, &tx));
        assert_ok(recoverable_folder(tx, arena, year, &path, &class));
        g_assert_cmpstr(path, ==,
                        "Projects/2026\xe2\x88\x95"
                        "a");
    }
    g_assert_cmpuint(usage(f).size, ==, 0);
    assert_usage_holds(f);
    assert_clean(f);

    // Names are forgotten once nothing is left to go back there.
    clock_set(START + 2 * DAY);
    assert_ok(act(f, (struct act){.what = FORGET}));
    MBOX_TX_AUTO tx = NULL;
    const char *path;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(recoverable_folder(tx, arena, year, &path, NULL));
    assert_ec(recoverable_folder(tx, arena, projects, &path, NULL), EC_NOT_FOUND);
    clock_set(0);
}

static void test_hard_delete(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "one", "a");
    // Nothing is left to restore.
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_INBOX, .mid = mid}));
    g_assert_cmpuint(list(f, arena).n, ==, 0);
    g_assert_cmpuint(usage(f).n_recoverable, ==, 0);
    assert_clean(f);
}

static void test_litigation_hold(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t one = fixture_add(f, FID_INBOX, "one", "a"),
             two = fixture_add(f, FID_INBOX, "two", "b");
    hold(f, HOLD_LITIGATION, true, 0);
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_INBOX, .mid = one}));
    assert_ok(act(f, (struct act){.what = SOFT, .fid = FID_INBOX, .mid = two}));
    g_assert_cmpuint(count(f, FID_INBOX), ==, 0);
    struct recoverable_list l = list(f, arena);
    g_assert_cmpuint(l.n, ==, 2);
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_INBOX, .mid = two}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_PURGES), ==, 2);
    l = list(f, arena);
    g_assert_cmpuint(l.items[0].origin, ==, FID_INBOX);
    // Neither deleting nor moving takes it from there.
    uint64_t held = l.items[0].mid;
    assert_ec(act(f, (struct act){.what = HARD, .fid = FID_RECOVERABLE_PURGES, .mid = held}),
              EC_ACCESS_DENIED);
    assert_ec(act(f, (struct act){.what = SOFT, .fid = FID_RECOVERABLE_PURGES, .mid = held}),
              EC_ACCESS_DENIED);
    assert_ec(act(f, (struct act){.what = MOVE,
                                  .fid = FID_RECOVERABLE_PURGES,
                                  .mid = held,
                                  .to = FID_DELETED_ITEMS}),
              EC_ACCESS_DENIED);
    assert_ec(act(f, (struct act){.what = SAVE, .mid = held, .name = "forged"}), EC_ACCESS_DENIED);

    // A folder deleted for good keeps its messages too.
    uint64_t folder = make_folder(f, FID_INBOX, "below");
    fixture_add(f, folder, "three", "c");
    assert_ok(act(f, (struct act){.what = DROP_FOLDER_HARD, .fid = folder}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_PURGES), ==, 3);
    assert_clean(f);

    hold(f, HOLD_LITIGATION, false, 0);
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_RECOVERABLE_PURGES, .mid = held}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_PURGES), ==, 2);
    assert_usage_holds(f);
    assert_clean(f);
}

static void test_hold_duration(struct fixture *f, gconstpointer data) {
    clock_set(START);
    uint64_t old = fixture_add(f, FID_INBOX, "old", "a");
    clock_set(START + 20 * DAY);
    uint64_t new = fixture_add(f, FID_INBOX, "new", "b");
    hold(f, HOLD_LITIGATION, true, 10 * DAY);
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_INBOX, .mid = old}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_PURGES), ==, 0);
    assert_ok(act(f, (struct act){.what = HARD, .fid = FID_INBOX, .mid = new}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_PURGES), ==, 1);
    clock_set(0);
}

static void test_versions(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "first words", "Subject: first words\r\n\r\nx\r\n");
    assert_ok(act(f, (struct act){.what = SAVE, .mid = mid, .name = "before the hold"}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_VERSIONS), ==, 0);
    hold(f, HOLD_SINGLE_ITEM, true, 0);
    assert_ok(act(f, (struct act){.what = SAVE, .mid = mid, .name = "changed"}));
    assert_ok(act(f, (struct act){.what = SAVE, .mid = mid, .name = "changed again"}));
    struct recoverable_list l = list(f, arena);
    g_assert_cmpuint(l.n, ==, 2);
    g_assert_cmpstr(l.items[0].subject, ==, "before the hold");
    g_assert_cmpstr(l.items[1].subject, ==, "changed");
    g_assert_cmpuint(l.items[0].fid, ==, FID_RECOVERABLE_VERSIONS);
    g_assert_cmpuint(l.items[0].origin, ==, FID_INBOX);
    struct mbox_tx *tx;
    struct message *m;
    struct prop_value v;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_open(tx, l.items[0].mid, &m));
    assert_ok(message_get_prop(tx, m, arena, PidTagSubject, 0, &v));
    g_assert_cmpstr(v.str, ==, "before the hold");
    message_free(m);
    mbox_read_end(tx);
    assert_usage_holds(f);
    assert_clean(f);
    // Drafts leave nothing behind.
    struct fixture_message draft = {.fid = FID_DRAFTS, .subject = "d", .flags = MSG_DRAFT};
    assert_ok(mbox_write(f->mbox, fixture_create, &draft));
    assert_ok(act(f, (struct act){.what = SAVE, .mid = draft.mid, .name = "e"}));
    g_assert_cmpuint(count(f, FID_RECOVERABLE_VERSIONS), ==, 2);
    assert_clean(f);
}

static void test_pass(struct fixture *f, gconstpointer data) {
    struct mbox_tx *tx;
    struct mbox_pass pass;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(mbox_get_pass(tx, 1, &pass));
    g_assert_cmpuint(pass.started, ==, 0);
    mbox_read_end(tx);
}

#define TEST(name, function)                                                                       \
    g_test_add("/store/retain/" name, struct fixture, NULL, fixture_setup, function,               \
               fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST("usage", test_usage);
    TEST("deleted folder", test_deleted_folder);
    TEST("hard delete", test_hard_delete);
    TEST("litigation hold", test_litigation_hold);
    TEST("hold duration", test_hold_duration);
    TEST("versions", test_versions);
    TEST("pass", test_pass);
    return g_test_run();
}
