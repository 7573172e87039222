// Mailboxes, folders and messages: what is created, counted, moved and found again.
#include "store/check.h"
#include "store/event.h"
#include "store/rows.h"
#include "store/rows_saved.h"
#include "store/store_fixture.h"

static struct folder_info get_folder(struct fixture *f, struct arena *arena, uint64_t fid) {
    struct folder_info info;
    struct mbox_tx *tx;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &info));
    mbox_read_end(tx);
    return info;
}

static void assert_clean(struct fixture *f) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.with_contents = true};
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("fault: %s", (const char *)faults->pdata[i]);
    g_assert_cmpuint(faults->len, ==, 0);
}

static void test_special_folders(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct folder_list list;
    struct mbox_tx *tx;
    uint64_t fid;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_list(tx, arena, FID_ROOT, true, &list));
    unsigned n;
    special_folders(&n);
    g_assert_cmpuint(list.n, ==, n - 1);
    assert_ok(folder_find(tx, FID_IPM_SUBTREE, "INBOX", &fid)); // caselessly
    g_assert_cmpuint(fid, ==, FID_INBOX);
    BAG_AUTO props = NULL;
    assert_ok(folder_get_props(tx, FID_INBOX, &props));
    g_assert_cmpuint(bag_bytes(props, PidTagIpmAppointmentEntryId).len, ==, 46);
    g_assert_cmpstr(bag_str(props, PidTagDisplayName), ==, "Inbox");
    mbox_read_end(tx);
    assert_clean(f);
}

static void test_localized(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct mbox_new spec = {guid_new(), "bob@example.test", "Bob", "de-AT"};
    struct mbox *mbox;
    struct mbox_tx *tx;
    struct folder_info info;
    assert_ok(store_create_mailbox(f->store, &spec));
    assert_ec(store_create_mailbox(f->store, &spec), EC_COLLISION);
    assert_ok(store_open_mailbox(f->store, &spec.guid, &mbox));
    assert_ok(mbox_read(mbox, &tx));
    assert_ok(folder_get(tx, arena, FID_INBOX, &info));
    g_assert_cmpstr(info.name, ==, "Posteingang");
    mbox_read_end(tx);
    assert_ec(store_delete_mailbox(f->store, &spec.guid), EC_BUSY);
    mbox_unref(mbox);
    assert_ok(store_delete_mailbox(f->store, &spec.guid));
    assert_ec(store_open_mailbox(f->store, &spec.guid, &mbox), EC_NOT_FOUND);
}

static void test_message_round_trip(struct fixture *f, gconstpointer data) {
    static const char mime[] = "Subject: hello\r\n\r\nbody \xff\r\n";
    uint64_t mid = fixture_add(f, FID_INBOX, "hello", mime);
    fixture_close(f);
    fixture_open(f);
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    struct message_mime m;
    g_autoptr(GBytes) bytes = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_get_mime(tx, arena, mid, true, true, &m));
    g_assert_cmpuint(m.size, ==, strlen(mime));
    g_assert_cmpstr(m.envelope, ==, "(envelope)");
    assert_ok(blob_read(tx, m.blob, 0, 0, &bytes));
    g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), mime, strlen(mime));
    mbox_read_end(tx);
    struct folder_info inbox = get_folder(f, arena, FID_INBOX);
    g_assert_cmpuint(inbox.n_messages, ==, 1);
    g_assert_cmpuint(inbox.n_unread, ==, 1);
    g_assert_cmpuint(inbox.uid_next, ==, 2);
    assert_clean(f);
}

static void test_large_blob_ranges(struct fixture *f, gconstpointer data) {
    size_t len = 700 * 1000;
    g_autofree char *text = g_malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + (i * 7919 + i / 251) % 26);
    text[len] = 0;
    uint64_t first = fixture_add(f, FID_INBOX, "large", text);
    uint64_t second = fixture_add(f, FID_INBOX, "the same again", text);
    ARENA_AUTO arena = arena_new();
    struct mbox_tx *tx;
    struct message_mime a, b;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(message_get_mime(tx, arena, first, false, false, &a));
    assert_ok(message_get_mime(tx, arena, second, false, false, &b));
    g_assert_cmpuint(a.blob, ==, b.blob); // stored once
    static const struct {
        uint64_t pos, len;
    } ranges[] = {{0, 0},        {0, 10},     {262140, 10}, {262144, 262144},
                  {699990, 100}, {700000, 5}, {123, 500000}};
    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_autoptr(GBytes) bytes = NULL;
        assert_ok(blob_read(tx, a.blob, ranges[i].pos, ranges[i].len, &bytes));
        size_t want = len - MIN(ranges[i].pos, len);
        if (ranges[i].len && ranges[i].len < want)
            want = ranges[i].len;
        g_assert_cmpmem(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                        text + ranges[i].pos, want);
    }
    mbox_read_end(tx);
    assert_clean(f);
}

struct many {
    uint64_t from, to;
    const uint64_t *mids;
    unsigned n;
    GArray *out;
    struct message_flags_change flags;
    enum message_delete_mode mode;
};

static enum ec do_copy(struct mbox_tx *tx, void *ctx) {
    struct many *m = ctx;
    return message_copy(tx, m->from, m->mids, m->n, m->to, &m->out);
}

static enum ec do_move(struct mbox_tx *tx, void *ctx) {
    struct many *m = ctx;
    return message_move(tx, m->from, m->mids, m->n, m->to, &m->out);
}

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    struct many *m = ctx;
    return message_delete(tx, m->from, m->mids, m->n, m->mode, NULL);
}

static enum ec do_restore(struct mbox_tx *tx, void *ctx) {
    struct many *m = ctx;
    return message_restore(tx, m->from, m->mids, m->n);
}

static enum ec do_flags(struct mbox_tx *tx, void *ctx) {
    struct many *m = ctx;
    return message_change_flags(tx, m->from, m->mids, m->n, &m->flags, &m->out);
}

static void test_copy_move_delete(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = fixture_add(f, FID_INBOX, "one", "Subject: one\r\n\r\nx\r\n");
    struct many m = {.from = FID_INBOX, .to = FID_ARCHIVE, .mids = &mid, .n = 1};
    assert_ok(mbox_write(f->mbox, do_copy, &m));
    struct message_copied copied = g_array_index(m.out, struct message_copied, 0);
    g_array_unref(m.out);
    g_assert_cmpuint(copied.old_uid, ==, 1);
    g_assert_cmpuint(copied.new_mid, !=, mid);
    assert_clean(f);
    assert_ok(mbox_write(f->mbox, do_move, &m));
    struct message_copied moved = g_array_index(m.out, struct message_copied, 0);
    g_array_unref(m.out);
    g_assert_cmpuint(moved.new_uid, ==, 2);
    g_assert_cmpuint(get_folder(f, arena, FID_INBOX).n_messages, ==, 0);
    g_assert_cmpuint(get_folder(f, arena, FID_ARCHIVE).n_messages, ==, 2);
    assert_clean(f);

    struct many d = {.from = FID_ARCHIVE, .mids = &moved.new_mid, .n = 1, .mode = DELETE_SOFT};
    assert_ok(mbox_write(f->mbox, do_delete, &d));
    struct folder_info archive = get_folder(f, arena, FID_ARCHIVE);
    g_assert_cmpuint(archive.n_messages, ==, 1);
    g_assert_cmpuint(archive.n_soft_deleted, ==, 1);
    assert_clean(f);
    assert_ok(mbox_write(f->mbox, do_restore, &d));
    archive = get_folder(f, arena, FID_ARCHIVE);
    g_assert_cmpuint(archive.n_messages, ==, 2);
    g_assert_cmpuint(archive.n_soft_deleted, ==, 0);
    g_assert_cmpuint(archive.uid_next, ==, 4); // a restored message gets a new uid
    assert_clean(f);

    struct many h = {.from = FID_ARCHIVE, .mids = &copied.new_mid, .n = 1, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &h));
    g_assert_cmpuint(get_folder(f, arena, FID_ARCHIVE).n_messages, ==, 1);
    assert_clean(f);
}

static void test_delivered_once(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct fixture_message m = {.fid = FID_INBOX, .subject = "x", .mime = "x", .delivery_id = "q1"};
    assert_ok(mbox_write(f->mbox, fixture_create, &m));
    assert_ec(mbox_write(f->mbox, fixture_create, &m), EC_DUPLICATE_OBJECT);
    g_assert_cmpuint(get_folder(f, arena, FID_INBOX).n_messages, ==, 1);
    assert_clean(f);
}

// --- Snapshots ---

struct seen {
    unsigned removed, changed, added;
};

static void count_change(void *ctx, enum rows_change what, uint32_t index,
                         const struct message_row *row) {
    struct seen *s = ctx;
    s->removed += what == ROWS_REMOVED;
    s->changed += what == ROWS_CHANGED;
    s->added += what == ROWS_ADDED;
}

static struct folder_rows *get_rows(struct fixture *f, uint64_t fid) {
    struct folder_rows *rows;
    assert_ok(folder_rows_get(f->mbox, fid, &rows));
    return rows;
}

// The snapshot brought up to date equals one made anew.
static void assert_rows_equal_fresh(struct fixture *f, struct folder_rows *rows, uint64_t fid) {
    fixture_close(f);
    fixture_open(f);
    struct folder_rows *fresh = get_rows(f, fid);
    g_assert_cmpuint(folder_rows_count(fresh), ==, folder_rows_count(rows));
    for (uint32_t i = 0; i < folder_rows_count(fresh); i++) {
        const struct message_row *a = folder_rows_at(fresh, i), *b = folder_rows_at(rows, i);
        g_assert_cmpuint(a->uid, ==, b->uid);
        g_assert_cmpuint(a->mid, ==, b->mid);
        g_assert_cmpuint(a->flags, ==, b->flags);
        g_assert_cmpuint(a->modseq, ==, b->modseq);
        g_assert_cmpstr(a->keywords, ==, b->keywords);
        g_assert_cmpuint(folder_rows_find_uid(fresh, a->uid), ==, i);
    }
    folder_rows_unref(fresh);
}

static enum ec forget_saved(struct mbox_tx *tx, void *ctx) {
    return rows_forget(tx, 0);
}

static void test_rows(struct fixture *f, gconstpointer data) {
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (int i = 0; i < 1500; i++) {
        uint64_t mid = fixture_add(f, FID_INBOX, "m", NULL);
        g_array_append_val(mids, mid);
    }
    struct folder_rows *before = get_rows(f, FID_INBOX);
    g_assert_cmpuint(folder_rows_count(before), ==, 1500);
    const uint64_t *ids = (const uint64_t *)(void *)mids->data;

    const char *const words[] = {"Work", "$Forwarded"};
    struct many flag = {.from = FID_INBOX,
                        .mids = ids + 700,
                        .n = 3,
                        .flags = {FLAGS_ADD, MSG_READ | MSG_FLAGGED, words, 2, UINT64_MAX}};
    assert_ok(mbox_write(f->mbox, do_flags, &flag));
    g_clear_pointer(&flag.out, g_array_unref);
    struct many gone = {.from = FID_INBOX, .mids = ids + 10, .n = 20, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    struct many soft = {.from = FID_INBOX, .mids = ids + 1490, .n = 10, .mode = DELETE_SOFT};
    assert_ok(mbox_write(f->mbox, do_delete, &soft));
    fixture_add(f, FID_INBOX, "new", NULL);

    struct folder_rows *after = get_rows(f, FID_INBOX);
    struct seen seen = {0};
    folder_rows_diff(before, after, count_change, &seen);
    g_assert_cmpuint(seen.removed, ==, 30);
    g_assert_cmpuint(seen.changed, ==, 3);
    g_assert_cmpuint(seen.added, ==, 1);
    g_assert_cmpuint(folder_rows_count(after), ==, 1471);
    uint32_t i = folder_rows_find_uid(after, 701);
    g_assert_cmpuint(folder_rows_at(after, i)->flags & (MSG_READ | MSG_FLAGGED), ==,
                     MSG_READ | MSG_FLAGGED);
    g_assert_cmpstr(folder_rows_at(after, i)->keywords, ==, "$Forwarded Work");
    uint32_t words_at = folder_rows_next_keywords(after, 0);
    g_assert_cmpuint(words_at, <=, i);
    for (uint32_t k = 0; k < folder_rows_count(after); k++)
        if (folder_rows_at(after, k)->keywords) {
            g_assert_cmpuint(k, ==, words_at);
            words_at = folder_rows_next_keywords(after, k + 1);
        }
    g_assert_cmpuint(words_at, ==, folder_rows_count(after));
    assert_rows_equal_fresh(f, after, FID_INBOX);

    // A soft-deleted message that is then deleted for good must not come back in an old snapshot.
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    soft.mode = DELETE_HARD;
    assert_ok(mbox_write(f->mbox, do_delete, &soft));
    struct folder_rows *last = get_rows(f, FID_INBOX);
    g_assert_cmpuint(folder_rows_count(last), ==, 1471);
    folder_rows_unref(last);
    folder_rows_unref(before);
    folder_rows_unref(after);
    assert_clean(f);
}

// The fast way for a whole range and the slow one for single messages give the same folder.
static void test_flag_ranges(struct fixture *f, gconstpointer data) {
    enum { N = 100 };
    uint64_t fast[N], slow[N];
    for (int i = 0; i < N; i++) {
        struct fixture_message m = {.fid = FID_INBOX,
                                    .subject = "m",
                                    .flags = i % 3 == 0   ? MSG_READ
                                             : i % 5 == 0 ? MSG_FLAGGED
                                                          : 0};
        assert_ok(mbox_write(f->mbox, fixture_create, &m));
        fast[i] = m.mid;
        m.fid = FID_ARCHIVE;
        assert_ok(mbox_write(f->mbox, fixture_create, &m));
        slow[i] = m.mid;
    }
    static const struct {
        enum message_flags_mode mode;
        uint32_t flags;
        unsigned first, n;
    } steps[] = {
        {FLAGS_ADD, MSG_READ, 0, N},       {FLAGS_REMOVE, MSG_READ, 10, 80},
        {FLAGS_ADD, MSG_FLAGGED, 0, N},    {FLAGS_SET, MSG_ANSWERED | MSG_READ, 0, 70},
        {FLAGS_REMOVE, MSG_FLAGGED, 0, N}, {FLAGS_SET, MSG_DELETED, 5, 90},
        {FLAGS_SET, MSG_DELETED, 0, N},
    };
    for (unsigned s = 0; s < G_N_ELEMENTS(steps); s++) {
        struct many a = {.from = FID_INBOX,
                         .mids = fast + steps[s].first,
                         .n = steps[s].n,
                         .flags = {steps[s].mode, steps[s].flags, NULL, 0, UINT64_MAX}};
        assert_ok(mbox_write(f->mbox, do_flags, &a));
        g_array_unref(a.out);
        for (unsigned i = 0; i < steps[s].n; i++) {
            struct many b = {.from = FID_ARCHIVE,
                             .mids = slow + steps[s].first + i,
                             .n = 1,
                             .flags = {steps[s].mode, steps[s].flags, NULL, 0, UINT64_MAX}};
            assert_ok(mbox_write(f->mbox, do_flags, &b));
            g_array_unref(b.out);
        }
        struct folder_rows *x = get_rows(f, FID_INBOX), *y = get_rows(f, FID_ARCHIVE);
        g_assert_cmpuint(folder_rows_unread(x), ==, folder_rows_unread(y));
        for (uint32_t i = 0; i < N; i++)
            g_assert_cmpuint(folder_rows_at(x, i)->flags, ==, folder_rows_at(y, i)->flags);
        folder_rows_unref(x);
        folder_rows_unref(y);
        assert_clean(f);
    }
}

static void test_unchanged_since(struct fixture *f, gconstpointer data) {
    uint64_t mid = fixture_add(f, FID_INBOX, "m", NULL);
    struct folder_rows *rows = get_rows(f, FID_INBOX);
    uint64_t modseq = folder_rows_at(rows, 0)->modseq;
    folder_rows_unref(rows);
    struct many m = {
        .from = FID_INBOX, .mids = &mid, .n = 1, .flags = {FLAGS_SET, MSG_READ, NULL, 0, modseq}};
    assert_ok(mbox_write(f->mbox, do_flags, &m));
    g_assert_cmpuint(m.out->len, ==, 0);
    g_array_unref(m.out);
    m.flags.flags = 0;
    assert_ok(mbox_write(f->mbox, do_flags, &m)); // changed since
    g_assert_cmpuint(m.out->len, ==, 1);
    g_array_unref(m.out);
    rows = get_rows(f, FID_INBOX);
    g_assert_cmpuint(folder_rows_at(rows, 0)->flags & MSG_READ, ==, MSG_READ);
    g_assert_cmpuint(folder_rows_unread(rows), ==, 0);
    folder_rows_unref(rows);
}

// After a close and with changes since, the saved snapshot plus what changed is the folder.
static void test_saved_rows(struct fixture *f, gconstpointer data) {
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const char *const words[] = {"Work"};
    for (int i = 0; i < 1200; i++) {
        uint64_t mid = fixture_add(f, FID_INBOX, "m", i % 7 == 0 ? "Subject: m\r\n\r\n" : NULL);
        g_array_append_val(mids, mid);
    }
    const uint64_t *ids = (const uint64_t *)(void *)mids->data;
    struct many flag = {.from = FID_INBOX,
                        .mids = ids + 3,
                        .n = 5,
                        .flags = {FLAGS_ADD, MSG_READ, words, 1, UINT64_MAX}};
    assert_ok(mbox_write(f->mbox, do_flags, &flag));
    g_clear_pointer(&flag.out, g_array_unref);
    folder_rows_unref(get_rows(f, FID_INBOX));
    fixture_close(f); // saves
    fixture_open(f);
    struct many gone = {.from = FID_INBOX, .mids = ids + 100, .n = 10, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    flag.mids = ids + 50;
    assert_ok(mbox_write(f->mbox, do_flags, &flag));
    g_clear_pointer(&flag.out, g_array_unref);
    fixture_add(f, FID_INBOX, "new", NULL);
    struct folder_rows *loaded = get_rows(f, FID_INBOX);
    g_assert_cmpuint(folder_rows_count(loaded), ==, 1191);
    g_assert_cmpuint(folder_rows_unread(loaded), ==, 1191 - 10);
    g_assert_cmpuint(folder_rows_uid_next(loaded), ==, 1202);
    // What the table alone gives, without any saved snapshot.
    assert_ok(mbox_write(f->mbox, forget_saved, NULL));
    fixture_close(f);
    fixture_open(f);
    assert_ok(mbox_write(f->mbox, forget_saved, NULL));
    struct folder_rows *fresh = get_rows(f, FID_INBOX);
    struct seen seen = {0};
    folder_rows_diff(loaded, fresh, count_change, &seen);
    g_assert_cmpuint(seen.removed + seen.added + seen.changed, ==, 0);
    for (uint32_t i = 0; i < folder_rows_count(fresh); i++) {
        const struct message_row *a = folder_rows_at(loaded, i), *b = folder_rows_at(fresh, i);
        g_assert_true(a->mid == b->mid && a->received == b->received && a->size == b->size &&
                      a->flags == b->flags);
        g_assert_cmpstr(a->keywords, ==, b->keywords);
    }
    folder_rows_unref(fresh);
    folder_rows_unref(loaded);
    assert_clean(f);
}

// --- Folders ---

struct folder_op {
    uint64_t fid, parent, out;
    const char *name;
    unsigned flags;
};

static enum ec do_create_folder(struct mbox_tx *tx, void *ctx) {
    struct folder_op *op = ctx;
    return folder_create(tx, op->parent, op->name, FOLDER_TYPE_GENERIC, NULL, &op->out);
}

static enum ec do_move_folder(struct mbox_tx *tx, void *ctx) {
    struct folder_op *op = ctx;
    return folder_move(tx, op->fid, op->parent, op->name);
}

static enum ec do_copy_folder(struct mbox_tx *tx, void *ctx) {
    struct folder_op *op = ctx;
    return folder_copy(tx, op->fid, op->parent, op->name, true, &op->out);
}

static enum ec do_delete_folder(struct mbox_tx *tx, void *ctx) {
    struct folder_op *op = ctx;
    return folder_delete(tx, op->fid, op->flags);
}

static void test_folders(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct folder_op a = {.parent = FID_IPM_SUBTREE, .name = "Projekte"};
    assert_ok(mbox_write(f->mbox, do_create_folder, &a));
    struct folder_op same = {.parent = FID_IPM_SUBTREE, .name = "PROJEKTE"};
    assert_ec(mbox_write(f->mbox, do_create_folder, &same), EC_COLLISION);
    struct folder_op empty = {.parent = FID_IPM_SUBTREE, .name = ""};
    assert_ec(mbox_write(f->mbox, do_create_folder, &empty), EC_BAD_FOLDER_NAME);
    struct folder_op b = {.parent = a.out, .name = "Sub"};
    assert_ok(mbox_write(f->mbox, do_create_folder, &b));
    fixture_add(f, b.out, "in sub", "Subject: in sub\r\n\r\n");

    struct folder_op cycle = {.fid = a.out, .parent = b.out};
    assert_ec(mbox_write(f->mbox, do_move_folder, &cycle), EC_FOLDER_CYCLE);
    struct folder_op special = {.fid = FID_INBOX, .parent = a.out};
    assert_ec(mbox_write(f->mbox, do_move_folder, &special), EC_ACCESS_DENIED);
    struct folder_op copy = {.fid = a.out, .parent = FID_IPM_SUBTREE, .name = "Copy"};
    assert_ok(mbox_write(f->mbox, do_copy_folder, &copy));
    g_assert_cmpuint(get_folder(f, arena, copy.out).n_subfolders, ==, 1);
    assert_clean(f);

    struct folder_op d = {.fid = a.out};
    assert_ec(mbox_write(f->mbox, do_delete_folder, &d), EC_HAS_FOLDERS);
    d.flags = FOLDER_DELETE_FOLDERS | FOLDER_DELETE_MESSAGES;
    assert_ok(mbox_write(f->mbox, do_delete_folder, &d));
    g_assert_cmpuint(get_folder(f, arena, FID_RECOVERABLE_DELETIONS).n_messages, ==, 1);
    struct mbox_tx *tx;
    struct folder_info info;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ec(folder_get(tx, arena, b.out, &info), EC_NOT_FOUND);
    mbox_read_end(tx);
    struct folder_op inbox = {.fid = FID_INBOX, .flags = d.flags};
    assert_ec(mbox_write(f->mbox, do_delete_folder, &inbox), EC_ACCESS_DENIED);
    assert_clean(f);
}

// --- Events ---

static void collect(void *ctx, const struct event *events, unsigned n) {
    g_array_append_vals(ctx, events, n);
}

static void test_events(struct fixture *f, gconstpointer data) {
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct event));
    struct mbox_watch *watch = mbox_watch_new(f->mbox, FID_INBOX, 0xff, collect, events);
    struct fixture_message m = {.fid = FID_INBOX, .subject = "x", .mime = "x", .delivery_id = "q1"};
    assert_ok(mbox_write(f->mbox, fixture_create, &m));
    fixture_add(f, FID_DRAFTS, "elsewhere", NULL);
    assert_ec(mbox_write(f->mbox, fixture_create, &m), EC_DUPLICATE_OBJECT); // undone: no event
    struct many d = {.from = FID_INBOX, .mids = &m.mid, .n = 1, .to = FID_ARCHIVE};
    assert_ok(mbox_write(f->mbox, do_move, &d));
    g_array_unref(d.out);
    mbox_watch_free(watch);
    fixture_add(f, FID_INBOX, "after", NULL);
    g_assert_cmpuint(events->len, ==, 3);
    g_assert_cmpint(g_array_index(events, struct event, 0).kind, ==, EVENT_CREATED);
    g_assert_cmpint(g_array_index(events, struct event, 1).kind, ==, EVENT_NEW_MAIL);
    g_assert_cmpint(g_array_index(events, struct event, 2).kind, ==, EVENT_MOVED);
    g_assert_cmpuint(g_array_index(events, struct event, 2).old_mid, ==, m.mid);
}

// --- Writers ---

static gpointer write_many(gpointer data) {
    struct fixture *f = data;
    for (int i = 0; i < 200; i++)
        fixture_add(f, FID_INBOX, "t", "Subject: t\r\n\r\nx\r\n");
    return NULL;
}

static void test_writers(struct fixture *f, gconstpointer data) {
    GThread *threads[8];
    ARENA_AUTO arena = arena_new();
    for (unsigned i = 0; i < 8; i++)
        threads[i] = g_thread_new("writer", write_many, f);
    for (int i = 0; i < 50; i++)
        folder_rows_unref(get_rows(f, FID_INBOX));
    for (unsigned i = 0; i < 8; i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(get_folder(f, arena, FID_INBOX).n_messages, ==, 1600);
    struct folder_rows *rows = get_rows(f, FID_INBOX);
    g_assert_cmpuint(folder_rows_count(rows), ==, 1600);
    for (uint32_t i = 0; i < 1600; i++)
        g_assert_cmpuint(folder_rows_at(rows, i)->uid, ==, i + 1);
    folder_rows_unref(rows);
    assert_clean(f);
}

#define TEST(name, function)                                                                       \
    g_test_add(name, struct fixture, NULL, fixture_setup, function, fixture_teardown)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    TEST("/store/special-folders", test_special_folders);
    TEST("/store/localized", test_localized);
    TEST("/store/message-round-trip", test_message_round_trip);
    TEST("/store/large-blob-ranges", test_large_blob_ranges);
    TEST("/store/copy-move-delete", test_copy_move_delete);
    TEST("/store/delivered-once", test_delivered_once);
    TEST("/store/rows", test_rows);
    TEST("/store/saved-rows", test_saved_rows);
    TEST("/store/flag-ranges", test_flag_ranges);
    TEST("/store/unchanged-since", test_unchanged_since);
    TEST("/store/folders", test_folders);
    TEST("/store/events", test_events);
    TEST("/store/writers", test_writers);
    return g_test_run();
}
