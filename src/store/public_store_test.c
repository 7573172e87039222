// The public store as data: its folders, sets of read change numbers, limits, the check.
#include "store/public_store.h"

#include "store/check.h"
#include "store/per_user.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"
#include "store/table.h"

struct test {
    struct fixture f;
    struct mbox *public;
};

static void setup(struct test *t, gconstpointer data) {
    fixture_setup(&t->f, data);
    g_assert_false(store_has_public(t->f.store));
    assert_ok(store_create_public(t->f.store, NULL));
    assert_ec(store_create_public(t->f.store, NULL), EC_COLLISION);
    g_assert_true(store_has_public(t->f.store));
    assert_ok(store_open_mailbox(t->f.store, &STORE_PUBLIC_GUID, &t->public));
    g_assert_true(mbox_is_public(t->public));
    g_assert_false(mbox_is_public(t->f.mbox));
}

static void teardown(struct test *t, gconstpointer data) {
    mbox_unref(t->public);
    fixture_teardown(&t->f, data);
}

static unsigned n_faults(struct test *t, bool repair) {
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = repair};
    unsigned n_repaired = 0;
    assert_ok(store_check_mailbox(t->f.store, &STORE_PUBLIC_GUID, &options, faults, &n_repaired));
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s", (char *)faults->pdata[i]);
    g_assert_cmpuint(n_repaired, ==, repair ? faults->len : 0);
    return faults->len;
}

static enum ec change_break(struct mbox_tx *tx, void *ctx) {
    for (const char *const *sql = ctx; *sql; sql++)
        EC_TRY(db_exec(tx->conn, *sql));
    return EC_OK;
}

static void test_check(struct test *t, gconstpointer data) {
    (void)data;
    static const char *const faults[] = {
        "INSERT INTO permission VALUES (1, 65000, 'default', 1)",
        "INSERT INTO folder_limits VALUES (1, 65001, 1, 1, 1)",
        "INSERT INTO user_read VALUES (1, 'x', 65002, x'')",
        "INSERT INTO user_read VALUES (1, 'x', 4, x'0102')",
        NULL,
    };
    g_assert_cmpuint(n_faults(t, false), ==, 0);
    assert_ok(mbox_write(t->public, change_break, (void *)faults));
    g_assert_cmpuint(n_faults(t, false), ==, 4);
    g_assert_cmpuint(n_faults(t, true), ==, 4);
    g_assert_cmpuint(n_faults(t, false), ==, 0);
}

struct change {
    struct guid user;
    struct folder_limits limits;
    uint64_t low, high;
};

static enum ec change_read(struct mbox_tx *tx, void *ctx) {
    struct change *c = ctx;
    struct idset *set;
    EC_TRY(per_user_get(tx, &c->user, FID_IPM_SUBTREE, &set));
    globset_add(per_user_own(tx, set, true), c->low, c->high);
    enum ec ec = per_user_set(tx, &c->user, FID_IPM_SUBTREE, set);
    idset_free(set);
    return ec;
}

static void test_per_user(struct test *t, gconstpointer data) {
    (void)data;
    struct change c = {.user = guid_new(), .low = 300, .high = 310};
    struct guid other = guid_new();
    struct idset *set;
    assert_ok(mbox_write(t->public, change_read, &c));
    c.low = c.high = 320;
    assert_ok(mbox_write(t->public, change_read, &c));
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(t->public, &tx));
    assert_ok(per_user_get(tx, &c.user, FID_IPM_SUBTREE, &set));
    g_assert_cmpuint(globset_count(per_user_own(tx, set, false)), ==, 12);
    idset_free(set);
    assert_ok(per_user_get(tx, &other, FID_IPM_SUBTREE, &set));
    g_assert_true(idset_is_empty(set));
    idset_free(set);
}

static enum ec change_limits(struct mbox_tx *tx, void *ctx) {
    struct change *c = ctx;
    assert_ec(folder_set_limits(tx, 0x9999, &c->limits), EC_NOT_FOUND);
    EC_TRY(folder_set_limits(tx, FID_IPM_SUBTREE, &c->limits));
    assert_ec(folder_check_limits(tx, FID_IPM_SUBTREE, 11), EC_MESSAGE_TOO_BIG);
    assert_ec(folder_check_limits(tx, FID_IPM_SUBTREE, 10), EC_QUOTA_EXCEEDED);
    assert_ok(folder_check_limits(tx, FID_IPM_SUBTREE, 9));
    return folder_check_limits(tx, FID_ROOT, UINT64_MAX); // none there
}

static void test_limits(struct test *t, gconstpointer data) {
    (void)data;
    struct change c = {.limits = {.item_size = 10, .quota = 9, .age_days = 1}};
    assert_ok(mbox_write(t->public, change_limits, &c));
}

// --- Folders of the public store are folders like others ---

struct work {
    uint64_t a, b, copy, deep, mid, kept;
};

static unsigned n_in(struct mbox_tx *tx, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    assert_ok(folder_get(tx, arena, fid, &f));
    return f.n_messages;
}

static enum ec change_folders(struct mbox_tx *tx, void *ctx) {
    struct work *w = ctx;
    uint64_t search;
    enum folder_type general = FOLDER_TYPE_GENERIC;
    assert_ok(
        folder_create(tx, FID_PUBLIC_IPM_SUBTREE, "A", general, NULL, &w->a)); // MS-OXCFOLD_R3802
    assert_ok(folder_create(tx, FID_PUBLIC_IPM_SUBTREE, "B", general, NULL, &w->b));
    assert_ok(folder_create(tx, w->a, "deep", general, NULL, &w->deep));
    // MS-OXCFOLD_R49601, R10660202
    assert_ec(folder_create(tx, w->a, "found", FOLDER_TYPE_SEARCH, NULL, &search),
              EC_NOT_SUPPORTED);
    for (unsigned i = 0; i < 3; i++) {
        struct fixture_message m = {.fid = w->a, .subject = "one"};
        assert_ok(fixture_create(tx, &m));
        *(i ? &w->kept : &w->mid) = m.mid;
    }
    return EC_OK;
}

static enum ec change_contents(struct mbox_tx *tx, void *ctx) {
    struct work *w = ctx;
    assert_ok(message_copy(tx, w->a, &w->mid, 1, w->b, NULL)); // MS-OXCFOLD_R14502
    assert_ok(message_move(tx, w->a, &w->mid, 1, w->b, NULL));
    g_assert_cmpuint(n_in(tx, w->a), ==, 2);
    g_assert_cmpuint(n_in(tx, w->b), ==, 2);
    assert_ok(message_delete(tx, w->a, &w->kept, 1, DELETE_SOFT, NULL)); // MS-OXCFOLD_R98801
    g_assert_cmpuint(n_in(tx, w->a), ==, 1);
    assert_ok(message_delete(tx, w->a, &w->kept, 1, DELETE_HARD, NULL)); // MS-OXCFOLD_R99401
    assert_ok(folder_copy(tx, w->a, w->b, "copy", true, &w->copy));      // MS-OXCFOLD_R19702
    g_assert_cmpuint(n_in(tx, w->copy), ==, 1);
    assert_ok(folder_move(tx, w->copy, FID_PUBLIC_IPM_SUBTREE, "moved")); // MS-OXCFOLD_R17102
    assert_ok(folder_empty(tx, w->b, 0, false));                          // MS-OXCFOLD_R97501
    g_assert_cmpuint(n_in(tx, w->b), ==, 0);
    // MS-OXCFOLD_R98301
    assert_ok(folder_empty(tx, w->copy, FOLDER_DELETE_FOLDERS | FOLDER_DELETE_HARD, true));
    g_assert_cmpuint(n_in(tx, w->copy), ==, 0);
    return folder_delete(tx, w->copy, 0); // MS-OXCFOLD_R94402
}

static uint32_t n_rows(struct table *t) {
    uint32_t at, n;
    assert_ok(table_query_position(t, &at, &n));
    table_free(t);
    return n;
}

static void test_folders(struct test *t, gconstpointer data) {
    (void)data;
    struct work w;
    struct table *table;
    assert_ok(mbox_write(t->public, change_folders, &w));
    // MS-OXCFOLD_R100001: A, deep, B.
    assert_ok(table_open_hierarchy(t->public, FID_PUBLIC_IPM_SUBTREE, true, false, &table));
    g_assert_cmpuint(n_rows(table), ==, 3);
    // MS-OXCFOLD_R100501
    assert_ok(table_open_contents(t->public, w.a, TABLE_CONTENTS, &table));
    g_assert_cmpuint(n_rows(table), ==, 3);
    assert_ok(mbox_write(t->public, change_contents, &w));
    // MS-OXCFOLD_R90002
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_info f;
    assert_ok(mbox_read(t->public, &tx));
    assert_ok(folder_get(tx, arena, w.a, &f));
    g_assert_cmpstr(f.name, ==, "A");
    assert_ec(folder_get(tx, arena, w.copy, &f), EC_NOT_FOUND);
    g_assert_cmpuint(n_faults(t, false), ==, 0);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/store/public/check", struct test, NULL, setup, test_check, teardown);
    g_test_add("/store/public/folders", struct test, NULL, setup, test_folders, teardown);
    g_test_add("/store/public/per-user", struct test, NULL, setup, test_per_user, teardown);
    g_test_add("/store/public/limits", struct test, NULL, setup, test_limits, teardown);
    return g_test_run();
}
