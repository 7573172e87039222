// Search folders: criteria, building in slices, following every kind of change, crashes, deleting.
#include "store/search_folder.h"

#include "store/background.h"
#include "store/check.h"
#include "store/event.h"
#include "store/fulltext.h"
#include "store/store_fixture.h"

struct set {
    uint64_t fid;
    struct search_criteria criteria;
};

static enum ec do_set(struct mbox_tx *tx, void *ctx) {
    struct set *s = ctx;
    return search_folder_set(tx, s->fid, &s->criteria);
}

struct new_folder {
    uint64_t parent;
    const char *name;
    enum folder_type type;
    uint64_t fid;
};

static enum ec do_create(struct mbox_tx *tx, void *ctx) {
    struct new_folder *n = ctx;
    return folder_create(tx, n->parent, n->name, n->type, NULL, &n->fid);
}

static uint64_t new_folder(struct fixture *f, uint64_t parent, const char *name,
                           enum folder_type type) {
    struct new_folder n = {parent, name, type, 0};
    assert_ok(mbox_write(f->mbox, do_create, &n));
    return n.fid;
}

static struct restriction *subject_has(struct arena *arena, const char *text) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_str(PidTagSubject, text);
    return restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagSubject, v);
}

// A search folder over `scope` for subjects with `text` (NULL: everything).
static uint64_t search_for(struct fixture *f, struct arena *arena, const char *name, uint64_t scope,
                           bool is_recursive, bool is_static, const char *text) {
    uint64_t fid = new_folder(f, FID_FINDER, name, FOLDER_TYPE_SEARCH);
    struct set s = {fid,
                    {.restriction = text ? subject_has(arena, text) : NULL,
                     .scope = &scope,
                     .n_scope = 1,
                     .is_recursive = is_recursive,
                     .is_static = is_static}};
    assert_ok(mbox_write(f->mbox, do_set, &s));
    return fid;
}

static bool finds(struct fixture *f, uint64_t fid, uint64_t mid) {
    background_drain(f->store);
    MBOX_TX_AUTO tx = NULL;
    g_autoptr(GArray) mids = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(search_folder_list(tx, fid, &mids));
    for (guint i = 0; i < mids->len; i++)
        if (g_array_index(mids, uint64_t, i) == mid)
            return true;
    return false;
}

static struct folder_info info_of(struct fixture *f, struct arena *arena, uint64_t fid) {
    struct folder_info info;
    background_drain(f->store);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(folder_get(tx, arena, fid, &info));
    return info;
}

static uint32_t state_of(struct fixture *f, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct search_criteria criteria;
    uint32_t state;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(search_folder_get(tx, arena, fid, &criteria, &state));
    return state;
}

static void test_build(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a = fixture_add(f, FID_INBOX, "Annual report", NULL);
    uint64_t b = fixture_add(f, FID_INBOX, "lunch", NULL);
    uint64_t c = fixture_add(f, FID_DRAFTS, "report draft", NULL);
    uint64_t s = search_for(f, arena, "Reports", FID_INBOX, false, false, "REPORT");
    g_assert_true(finds(f, s, a)); // MS-OXCFOLD_R515, R518, R552
    g_assert_false(finds(f, s, b));
    g_assert_false(finds(f, s, c)); // outside the scope; MS-OXCFOLD_R772, R1200, R960
    // MS-OXCFOLD_R793, R1215, R785
    g_assert_cmphex(state_of(f, s), ==, SEARCH_COMPLETE | SEARCH_TWIR_TOTALLY);
    struct folder_info info = info_of(f, arena, s);
    g_assert_cmpuint(info.n_messages, ==, 1);
    g_assert_cmpuint(info.n_unread, ==, 1);
    g_assert_cmpuint(info.size, >, 0);
    (void)data;
}

static void test_many(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t deep = new_folder(f, FID_INBOX, "deep", FOLDER_TYPE_GENERIC);
    for (int i = 0; i < 700; i++)
        fixture_add(f, i % 2 ? deep : FID_INBOX, i % 3 ? "yes it is" : "no", NULL);
    uint64_t shallow = search_for(f, arena, "shallow", FID_INBOX, false, false, "yes");
    uint64_t all = search_for(f, arena, "all", FID_INBOX, true, false, "yes");
    uint64_t every = search_for(f, arena, "every", FID_IPM_SUBTREE, true, false, NULL);
    g_assert_cmpuint(info_of(f, arena, every).n_messages, ==, 700); // more than one slice
    g_assert_cmpuint(info_of(f, arena, all).n_messages, ==, 466);   // MS-OXCFOLD_R770
    g_assert_cmphex(state_of(f, all) & SEARCH_RECURSIVE, ==, SEARCH_RECURSIVE); // MS-OXCFOLD_R789
    g_assert_cmpuint(info_of(f, arena, shallow).n_messages, ==, 233);
    (void)data;
}

struct flags {
    uint64_t mid;
};

static enum ec do_read_flag(struct mbox_tx *tx, void *ctx) {
    struct flags *m = ctx;
    struct message_flags_change change = {
        .mode = FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    return message_change_flags(tx, FID_INBOX, &m->mid, 1, &change, NULL);
}

static enum ec do_rename_subject(struct mbox_tx *tx, void *ctx) {
    struct message *m;
    EC_TRY(message_open(tx, *(uint64_t *)ctx, &m));
    struct prop_value v = prop_str(PidTagSubject, "nothing");
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

struct move {
    uint64_t from, mid, to, new_mid;
};

static enum ec do_move(struct mbox_tx *tx, void *ctx) {
    struct move *m = ctx;
    g_autoptr(GArray) out = NULL;
    EC_TRY(message_move(tx, m->from, &m->mid, 1, m->to, &out));
    m->new_mid = g_array_index(out, struct message_copied, 0).new_mid;
    return EC_OK;
}

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    return message_delete(tx, FID_INBOX, ctx, 1, DELETE_SOFT, NULL);
}

static void test_follow(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t s = search_for(f, arena, "Reports", FID_INBOX, true, false, "report");
    uint64_t a = fixture_add(f, FID_INBOX, "a report", NULL); // new mail
    g_assert_true(finds(f, s, a));
    g_assert_cmpuint(info_of(f, arena, s).n_unread, ==, 1);
    struct flags flags = {a};
    assert_ok(mbox_write(f->mbox, do_read_flag, &flags)); // read state
    g_assert_cmpuint(info_of(f, arena, s).n_unread, ==, 0);
    assert_ok(mbox_write(f->mbox, do_rename_subject, &a)); // contents
    g_assert_false(finds(f, s, a));                        // MS-OXCFOLD_R1096, R1097
    g_assert_cmpuint(info_of(f, arena, s).n_messages, ==, 0);

    struct move out = {FID_INBOX, fixture_add(f, FID_INBOX, "report 2", NULL), FID_DRAFTS, 0};
    g_assert_true(finds(f, s, out.mid));
    assert_ok(mbox_write(f->mbox, do_move, &out)); // out of the scope
    g_assert_false(finds(f, s, out.mid));          // MS-OXCFOLD_R1095
    struct move in = {FID_DRAFTS, out.new_mid, FID_INBOX, 0};
    assert_ok(mbox_write(f->mbox, do_move, &in)); // and back
    g_assert_true(finds(f, s, in.new_mid));
    assert_ok(mbox_write(f->mbox, do_delete, &in.new_mid));
    g_assert_false(finds(f, s, in.new_mid));
    g_assert_cmpuint(info_of(f, arena, s).n_messages, ==, 0);
    g_assert_cmpuint(info_of(f, arena, s).size, ==, 0);
    (void)data;
}

struct move_folder {
    uint64_t fid, parent;
};

static enum ec do_move_folder(struct mbox_tx *tx, void *ctx) {
    struct move_folder *m = ctx;
    return folder_move(tx, m->fid, m->parent, NULL);
}

static enum ec do_delete_folder(struct mbox_tx *tx, void *ctx) {
    return folder_delete(tx, *(uint64_t *)ctx,
                         FOLDER_DELETE_MESSAGES | FOLDER_DELETE_FOLDERS | FOLDER_DELETE_HARD);
}

static void test_follow_folders(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t s = search_for(f, arena, "Reports", FID_INBOX, true, false, "report");
    uint64_t outer = new_folder(f, FID_IPM_SUBTREE, "outer", FOLDER_TYPE_GENERIC);
    uint64_t inner = new_folder(f, outer, "inner", FOLDER_TYPE_GENERIC);
    uint64_t a = fixture_add(f, inner, "report", NULL);
    g_assert_false(finds(f, s, a));
    struct move_folder in = {outer, FID_INBOX};
    assert_ok(mbox_write(f->mbox, do_move_folder, &in));
    g_assert_true(finds(f, s, a)); // with its parent into the scope
    struct move_folder out = {outer, FID_IPM_SUBTREE};
    assert_ok(mbox_write(f->mbox, do_move_folder, &out));
    g_assert_false(finds(f, s, a));
    assert_ok(mbox_write(f->mbox, do_move_folder, &in));
    g_assert_true(finds(f, s, a));
    assert_ok(mbox_write(f->mbox, do_delete_folder, &outer));
    g_assert_false(finds(f, s, a));
    g_assert_cmpuint(info_of(f, arena, s).n_messages, ==, 0);
    (void)data;
}

struct request {
    uint64_t fid;
    bool has_restriction;
    const struct restriction *restriction;
    const uint64_t *scope;
    unsigned n;
    uint32_t flags;
};

static enum ec do_request(struct mbox_tx *tx, void *ctx) {
    const struct request *r = ctx;
    return search_folder_request(tx, r->fid, r->has_restriction, r->restriction, r->scope, r->n,
                                 r->flags);
}

static enum ec request(struct fixture *f, uint64_t fid, uint32_t flags) {
    struct request r = {.fid = fid, .flags = flags};
    return mbox_write(f->mbox, do_request, &r);
}

static void test_static(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a = fixture_add(f, FID_INBOX, "report", NULL);
    uint64_t s = search_for(f, arena, "once", FID_INBOX, false, true, "report");
    g_assert_true(finds(f, s, a)); // MS-OXCFOLD_R549
    uint64_t b = fixture_add(f, FID_INBOX, "report", NULL);
    g_assert_false(finds(f, s, b)); // MS-OXCFOLD_R1084, R1093, R784
    assert_ok(mbox_write(f->mbox, do_delete, &a));
    g_assert_true(finds(f, s, a)); // MS-OXCFOLD_R1094
    g_assert_cmphex(state_of(f, s), ==,
                    SEARCH_STATIC | SEARCH_COMPLETE | SEARCH_TWIR_TOTALLY); // MS-OXCFOLD_R795
    assert_ok(request(f, s, RESTART_SEARCH | STATIC_SEARCH));               // MS-OXCFOLD_R551, R546
    g_assert_true(finds(f, s, b));
    g_assert_false(finds(f, s, a));
    (void)data;
}

static void test_stop_and_restart(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t s = search_for(f, arena, "x", FID_INBOX, false, false, "report");
    uint64_t a = fixture_add(f, FID_INBOX, "report", NULL);
    g_assert_true(finds(f, s, a));
    assert_ok(request(f, s, STOP_SEARCH)); // MS-OXCFOLD_R673
    uint64_t b = fixture_add(f, FID_INBOX, "report", NULL);
    g_assert_true(finds(f, s, a)); // stays
    g_assert_false(finds(f, s, b));
    assert_ok(
        request(f, s, 0)); // starts again with what it had: MS-OXCFOLD_R105, R109, R1198, R1241
    g_assert_true(finds(f, s, a));
    g_assert_true(finds(f, s, b));
    uint64_t other = fixture_add(f, FID_INBOX, "lunch", NULL);
    struct request r = {s, true, subject_has(arena, "lunch"), NULL, 0, RESTART_SEARCH};
    assert_ok(mbox_write(f->mbox, do_request, &r));
    g_assert_true(finds(f, s, other)); // MS-OXCFOLD_R519
    g_assert_false(finds(f, s, a));
    (void)data;
}

static void test_bad_requests(struct fixture *f, gconstpointer data) {
    uint64_t s = new_folder(f, FID_FINDER, "s", FOLDER_TYPE_SEARCH);
    static const uint32_t bad[] = {0x10, 0x80000000, STOP_SEARCH | RESTART_SEARCH,
                                   RECURSIVE_SEARCH | SHALLOW_SEARCH,
                                   CONTENT_INDEXED_SEARCH | NON_CONTENT_INDEXED_SEARCH};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_ec(request(f, s, bad[i]), EC_INVALID_PARAMETER);   // MS-OXCFOLD_R116
    assert_ec(request(f, s, RESTART_SEARCH), EC_NOT_INITIALIZED); // MS-OXCFOLD_R1240
    assert_ec(request(f, s, STOP_SEARCH), EC_NOT_INITIALIZED);
    assert_ec(request(f, FID_INBOX, RESTART_SEARCH), EC_NOT_SEARCH_FOLDER); // MS-OXCFOLD_R570
    g_assert_cmphex((uint32_t)EC_NOT_INITIALIZED, ==, 0x80040605);          // MS-OXCFOLD_R565
    g_assert_cmphex(EC_NOT_SEARCH_FOLDER, ==, 0x461);                       // MS-OXCFOLD_R569
    g_assert_cmphex(EC_SEARCH_SCOPE_VIOLATION, ==, 0x490);                  // MS-OXCFOLD_R1243
    (void)data;
}

// What the update did not come to before the program ended, it does at the next start.
static void test_reopen(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    for (int i = 0; i < 50; i++)
        fixture_add(f, FID_INBOX, "report", NULL);
    uint64_t s = search_for(f, arena, "x", FID_INBOX, false, false, "report");
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 10; i++)
            fixture_add(f, FID_INBOX, "report", NULL);
        fixture_close(f); // drops what waits
        fixture_open(f);
        g_assert_cmpuint(info_of(f, arena, s).n_messages, ==, 60 + round * 10);
    }
    struct check_options options = {.with_contents = true};
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    fixture_close(f);
    assert_ok(store_open(f->dir, &(struct store_options){0}, &f->store));
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
    assert_ok(store_open_mailbox(f->store, &f->guid, &f->mbox));
    (void)data;
}

static enum ec set_now(struct fixture *f, uint64_t fid, const uint64_t *scope, unsigned n) {
    struct set s = {fid, {.scope = scope, .n_scope = n}};
    return mbox_write(f->mbox, do_set, &s);
}

static void test_errors(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t s = new_folder(f, FID_FINDER, "s", FOLDER_TYPE_SEARCH);
    uint64_t other = new_folder(f, FID_FINDER, "other", FOLDER_TYPE_SEARCH);
    uint64_t inbox = FID_INBOX, missing = 0x7fffffff;
    struct search_criteria criteria;
    uint32_t state;
    assert_ec(set_now(f, FID_INBOX, &inbox, 1), EC_NOT_SEARCH_FOLDER);
    assert_ec(set_now(f, s, &s, 1), EC_SEARCH_SCOPE_VIOLATION); // MS-OXCFOLD_R1242, R1244
    assert_ec(set_now(f, s, &other, 1), EC_SEARCH_FOLDER);
    assert_ec(set_now(f, s, &missing, 1), EC_NOT_FOUND);
    assert_ec(set_now(f, s, &inbox, 0), EC_NOT_INITIALIZED); // MS-OXCFOLD_R566
    {
        MBOX_TX_AUTO tx = NULL;
        assert_ok(mbox_read(f->mbox, &tx));
        assert_ec(search_folder_get(tx, arena, s, &criteria, &state), EC_NOT_INITIALIZED);
        assert_ec(search_folder_get(tx, arena, FID_INBOX, &criteria, &state), EC_NOT_SEARCH_FOLDER);
    }
    struct fixture_message m = {.fid = s, .subject = "x"};
    assert_ec(mbox_write(f->mbox, fixture_create, &m), EC_SEARCH_FOLDER);
    assert_ok(mbox_write(f->mbox, do_delete_folder, &s));
    (void)data;
}

// The criteria come back as they were set.
static void test_get(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t s = search_for(f, arena, "x", FID_INBOX, true, false, "report");
    struct search_criteria criteria;
    uint32_t state;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(search_folder_get(tx, arena, s, &criteria, &state)); // MS-OXCFOLD_R120, R121
    g_assert_cmpuint(criteria.n_scope, ==, 1);
    g_assert_cmpuint(criteria.scope[0], ==, FID_INBOX); // MS-OXCFOLD_R140
    g_assert_cmpint(criteria.restriction->kind, ==, RES_CONTENT);
    g_assert_cmpstr(criteria.restriction->content.value.str, ==, "report"); // MS-OXCFOLD_R137
    (void)data;
}

static void count_links(void *ctx, const struct event *events, unsigned n) {
    int *counts = ctx;
    for (unsigned i = 0; i < n; i++) {
        if (events[i].is_link)
            counts[events[i].kind == EVENT_CREATED    ? 0
                   : events[i].kind == EVENT_MODIFIED ? 1
                                                      : 2]++;
        if (events[i].kind == EVENT_SEARCH_COMPLETE)
            counts[3]++;
    }
}

static void test_events_and_changes(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    int counts[4] = {0};
    struct mbox_watch *watch = mbox_watch_new(f->mbox, 0, ~0u, count_links, counts);
    fixture_add(f, FID_INBOX, "report", NULL);
    uint64_t s = search_for(f, arena, "x", FID_INBOX, false, false, "report");
    background_drain(f->store);
    g_assert_cmpint(counts[0], ==, 1);
    g_assert_cmpint(counts[3], ==, 1);
    uint64_t before = info_of(f, arena, s).modseq;
    uint64_t b = fixture_add(f, FID_INBOX, "report", NULL);
    background_drain(f->store);
    struct flags flags = {b};
    assert_ok(mbox_write(f->mbox, do_read_flag, &flags));
    background_drain(f->store);
    assert_ok(mbox_write(f->mbox, do_delete, &b));
    background_drain(f->store);
    g_assert_cmpint(counts[0], ==, 2);
    g_assert_cmpint(counts[1], ==, 1);
    g_assert_cmpint(counts[2], ==, 1);
    g_assert_cmpuint(info_of(f, arena, s).modseq, >, before);
    mbox_watch_free(watch);
    (void)data;
}

#define ADD(name, fn)                                                                              \
    g_test_add("/search_folder/" name, struct fixture, NULL, fixture_setup, fn, fixture_teardown)

// --- By words ---

struct bodied {
    const char *body;
    uint64_t mid;
};

static enum ec do_bodied(struct mbox_tx *tx, void *ctx) {
    struct bodied *b = ctx;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, "nothing to see");
    bag_set_str(value->bag, PidTagBody, b->body);
    struct message_new spec = {.value = value};
    enum ec ec = message_create(tx, FID_INBOX, &spec, &b->mid, NULL);
    message_value_free(value);
    return ec;
}

static uint64_t add_body(struct fixture *f, const char *body) {
    struct bodied b = {.body = body};
    assert_ok(mbox_write(f->mbox, do_bodied, &b));
    return b.mid;
}

// With an index and without the same is found: words that begin so, whatever came when.
static void test_words(struct fixture *f, gconstpointer data) {
    bool has_index = data != NULL;
    ARENA_AUTO arena = arena_new();
    uint64_t scope = FID_INBOX;
    uint64_t early = add_body(f, "the budget of the year"), no = add_body(f, "an embudget");
    uint64_t copy = add_body(f, "another budget");
    if (has_index)
        assert_ok(fulltext_catch_up(f->mbox, NULL, NULL));
    uint64_t unindexed = add_body(f, "budgets, not in the index yet");
    uint64_t fid = new_folder(f, FID_FINDER, "words", FOLDER_TYPE_SEARCH);
    struct prop_value v = prop_str(PidTagBody, "Budget");
    struct set s = {fid,
                    {.restriction = restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE,
                                                        PidTagBody, &v),
                     .scope = &scope,
                     .n_scope = 1,
                     .wants_index = true}};
    assert_ok(mbox_write(f->mbox, do_set, &s));
    g_assert_true(finds(f, fid, early));
    g_assert_true(finds(f, fid, copy));
    g_assert_true(finds(f, fid, unindexed));
    g_assert_false(finds(f, fid, no)); // a substring would find it
    uint64_t later = add_body(f, "a later budget"), not = add_body(f, "a later embudget");
    g_assert_true(finds(f, fid, later));
    g_assert_false(finds(f, fid, not ));
    MBOX_TX_AUTO tx = NULL;
    struct search_criteria criteria;
    uint32_t state;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(search_folder_get(tx, arena, fid, &criteria, &state));
    g_assert_cmphex(state, ==, SEARCH_COMPLETE | SEARCH_CI_TOTALLY);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD("build", test_build);
    ADD("many", test_many);
    ADD("follow", test_follow);
    ADD("follow_folders", test_follow_folders);
    ADD("static", test_static);
    ADD("bad_requests", test_bad_requests);
    ADD("get", test_get);
    ADD("stop", test_stop_and_restart);
    ADD("reopen", test_reopen);
    ADD("errors", test_errors);
    ADD("events", test_events_and_changes);
    ADD("words without an index", test_words);
    g_test_add("/store/search_folder/words", struct fixture, "indexed", fixture_setup, test_words,
               fixture_teardown);
    return g_test_run();
}
