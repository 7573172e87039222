// The public store as data: its folders, sets of read change numbers, limits, the check.
#include "store/public_store.h"

#include "store/check.h"
#include "store/per_user.h"
#include "store/store_fixture.h"
#include "store/store_internal.h"

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

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add("/store/public/check", struct test, NULL, setup, test_check, teardown);
    g_test_add("/store/public/per-user", struct test, NULL, setup, test_per_user, teardown);
    g_test_add("/store/public/limits", struct test, NULL, setup, test_limits, teardown);
    return g_test_run();
}
