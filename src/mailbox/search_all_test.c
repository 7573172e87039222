// Searching many folders as somebody else: only what one may read is found, with the index and
// without.
#include "mailbox/mailbox_fixture.h"
#include "store/fulltext.h"

static unsigned count(struct mailbox *m, const uint64_t *fids, unsigned n_fids,
                      enum search_order order, unsigned limit) {
    struct search_scope scope = {fids, n_fids, true};
    struct search_node n = {.kind = SEARCH_WORDS, .text = "wanted"};
    g_autoptr(GArray) found = NULL;
    assert_ok(mailbox_search_all(m, &scope, &n, order, limit, NULL, NULL, &found));
    return found->len;
}

static void test_rights(struct world *w, gconstpointer data) {
    (void)data;
    uint64_t shared, inside;
    const uint64_t inbox = FID_INBOX;
    assert_ok(mailbox_create_folder(w->m, "Shared", &shared));
    assert_ok(mailbox_create_folder(w->m, "Shared/Secret", &inside));
    assert_ok(mailbox_grant(w->m, "Shared", "bob@example.test", RIGHTS_READ_ANY | RIGHTS_VISIBLE));
    assert_ok(mailbox_grant(w->m, "Shared/Secret", "bob@example.test", 0));
    assert_ok(world_append(w, FID_INBOX, "wanted 1", 10, NULL));
    assert_ok(world_append(w, shared, "wanted 2", 10, NULL));
    assert_ok(world_append(w, inside, "wanted 3", 10, NULL));
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    struct mailbox *m;
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    principal_unref(bob);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned limit = 0; limit <= 10; limit += 10)
            for (unsigned order = SEARCH_NEWEST_ARRIVED; order <= SEARCH_NEWEST_RECEIVED; order++) {
                g_assert_cmpuint(count(w->m, NULL, 0, order, limit), ==, 3);
                g_assert_cmpuint(count(m, NULL, 0, order, limit), ==, 1);
                g_assert_cmpuint(count(m, &shared, 1, order, limit), ==, 1);
                g_assert_cmpuint(count(m, &inbox, 1, order, limit), ==, 0);
                g_assert_cmpuint(count(m, &inside, 1, order, limit), ==, 0);
            }
        assert_ok(fulltext_catch_up(mailbox_mbox(w->m), NULL, NULL));
    }
    mailbox_close(m);
    world_assert_clean(w, &w->alice);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/mailbox/search-all/rights", test_rights);
    return g_test_run();
}
