// Folders as objects, finding, synchronization and feeds: what EWS stands on.
#include "mailbox/sync.h"

#include "mailbox/conversation_items.h"
#include "mailbox/event_feed.h"
#include "mailbox/find.h"
#include "mailbox/folder_object.h"
#include "mailbox/mailbox_fixture.h"
#include "mapi/props.h"
#include "store/message.h"

// --- Synchronization: a client that keeps what it was told ---

struct client {
    struct mailbox_sync_state state;
    GHashTable *items; // mid -> read
    unsigned n_created, n_updated, n_read, n_deleted, n_calls;
};

static void client_init(struct client *c) {
    *c = (struct client){.items = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
}

static void apply(struct client *c, const struct mailbox_sync_change *change) {
    uint64_t id = change->id;
    bool is_known = g_hash_table_contains(c->items, &id);
    switch (change->kind) {
    case SYNC_CREATE:
        c->n_created++;
        g_assert_false(is_known);
        g_hash_table_insert(c->items, g_memdup2(&id, sizeof id), GINT_TO_POINTER(change->is_read));
        break;
    case SYNC_UPDATE:
        c->n_updated++;
        g_assert_true(is_known);
        break;
    case SYNC_READ_STATE:
        c->n_read++;
        g_assert_true(is_known);
        g_hash_table_insert(c->items, g_memdup2(&id, sizeof id), GINT_TO_POINTER(change->is_read));
        break;
    case SYNC_DELETE:
        c->n_deleted++;
        g_assert_true(g_hash_table_remove(c->items, &id));
        break;
    }
}

static void client_step(struct client *c, struct world *w, uint64_t fid, unsigned max,
                        bool *is_last) {
    ARENA_AUTO arena = arena_new();
    struct mailbox_sync_list list;
    assert_ok(mailbox_sync_items(w->m, arena, fid, false, &c->state, max, &list));
    g_assert_cmpuint(list.n, <=, max);
    for (unsigned i = 0; i < list.n; i++)
        apply(c, &list.items[i]);
    c->state = list.next;
    c->n_calls++;
    *is_last = list.is_last;
}

static void client_sync(struct client *c, struct world *w, uint64_t fid, unsigned max) {
    bool is_last = false;
    c->n_created = c->n_updated = c->n_read = c->n_deleted = c->n_calls = 0;
    while (!is_last)
        client_step(c, w, fid, max, &is_last);
}

// What the client knows is what is there.
static void client_check(struct client *c, struct world *w, uint64_t fid) {
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(w->m, fid, &view));
    g_assert_cmpuint(mailbox_view_count(view), ==, g_hash_table_size(c->items));
    for (uint32_t i = 0; i < mailbox_view_count(view); i++) {
        uint64_t mid = mailbox_view_row(view, i)->mid;
        g_assert_true(g_hash_table_contains(c->items, &mid));
    }
    mailbox_view_free(view);
}

static void set_read(struct world *w, uint64_t fid, uint64_t mid, uint32_t flag) {
    struct mailbox_flags change = {
        .mode = MAILBOX_FLAGS_ADD, .flags = flag, .unchanged_since = UINT64_MAX};
    assert_ok(mailbox_change_flags(w->m, fid, &mid, 1, &change, NULL));
}

static void test_sync_items(struct world *w, gconstpointer data) {
    (void)data;
    struct client c;
    uint64_t mids[10], extra;
    client_init(&c);
    for (unsigned i = 0; i < 10; i++)
        assert_ok(world_append(w, FID_INBOX, "first", 10, &mids[i]));
    client_sync(&c, w, FID_INBOX, 3);
    g_assert_cmpuint(c.n_created, ==, 10);
    g_assert_cmpuint(c.n_calls, >=, 4);
    client_check(&c, w, FID_INBOX);

    client_sync(&c, w, FID_INBOX, 512); // nothing
    g_assert_cmpuint(c.n_created + c.n_updated + c.n_read + c.n_deleted, ==, 0);
    g_assert_cmpuint(c.n_calls, ==, 1);

    set_read(w, FID_INBOX, mids[2], MSG_READ);
    set_read(w, FID_INBOX, mids[3], MSG_FLAGGED);
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mids[4], 1));
    assert_ok(mailbox_move(w->m, FID_INBOX, &mids[5], 1, FID_DRAFTS, NULL));
    assert_ok(world_append(w, FID_INBOX, "second", 10, &extra));
    client_sync(&c, w, FID_INBOX, 2);
    g_assert_cmpuint(c.n_created, ==, 1);
    g_assert_cmpuint(c.n_updated, ==, 1);
    g_assert_cmpuint(c.n_read, ==, 1);    // MS-OXWSSYNC_R136
    g_assert_cmpuint(c.n_deleted, ==, 2); // deleted, and moved away
    client_check(&c, w, FID_INBOX);
    g_assert_true(g_hash_table_lookup(c.items, &mids[2]));

    // Came and went between two synchronizations: nothing to tell.
    assert_ok(world_append(w, FID_INBOX, "third", 10, &extra));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &extra, 1));
    client_sync(&c, w, FID_INBOX, 512);
    g_assert_cmpuint(c.n_created + c.n_deleted, ==, 0);
    g_hash_table_unref(c.items);
}

// Changes during a first synchronization in pieces are all told in the end.
static void test_sync_meanwhile(struct world *w, gconstpointer data) {
    (void)data;
    struct client c;
    uint64_t mids[9], extra;
    bool is_last;
    client_init(&c);
    for (unsigned i = 0; i < 9; i++)
        assert_ok(world_append(w, FID_INBOX, "x", 10, &mids[i]));
    client_step(&c, w, FID_INBOX, 4, &is_last); // the newest four: 8 to 5
    g_assert_false(is_last);
    set_read(w, FID_INBOX, mids[0], MSG_FLAGGED); // not told of yet
    set_read(w, FID_INBOX, mids[8], MSG_FLAGGED); // told of
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mids[7], 1));
    assert_ok(mailbox_expunge(w->m, FID_INBOX, &mids[1], 1)); // never told of: see below
    assert_ok(world_append(w, FID_INBOX, "new", 10, &extra));
    while (!is_last) {
        ARENA_AUTO arena = arena_new();
        struct mailbox_sync_list list;
        assert_ok(mailbox_sync_items(w->m, arena, FID_INBOX, false, &c.state, 4, &list));
        for (unsigned i = 0; i < list.n; i++) {
            uint64_t id = list.items[i].id;
            // A deletion of what a client does not know is harmless.
            if (list.items[i].kind == SYNC_DELETE && !g_hash_table_contains(c.items, &id))
                continue;
            apply(&c, &list.items[i]);
        }
        c.state = list.next;
        is_last = list.is_last;
    }
    client_check(&c, w, FID_INBOX);
    g_hash_table_unref(c.items);
}

static void test_sync_states(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    struct mailbox_sync_list list;
    struct mailbox_sync_state far = {
        .since = UINT64_C(1) << 40, .at = UINT64_C(1) << 40, .uid_next = 5};
    assert_ec(mailbox_sync_items(w->m, arena, FID_INBOX, false, &far, 10, &list),
              EC_INVALID_PARAMETER);
    assert_ec(mailbox_sync_folders(w->m, arena, FID_IPM_SUBTREE, &far, &list),
              EC_INVALID_PARAMETER);
    assert_ec(
        mailbox_sync_items(w->m, arena, 99999, false, &(struct mailbox_sync_state){0}, 10, &list),
        EC_NOT_FOUND);
}

static void test_sync_folders(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    struct mailbox_sync_list list;
    struct mailbox_sync_state state = {0};
    struct mailbox_folder_new spec = {.name = "Projects"};
    struct mailbox_folder_new below = {.name = "2026"};
    uint64_t fid, child;
    assert_ok(mailbox_sync_folders(w->m, arena, FID_IPM_SUBTREE, &state, &list));
    g_assert_cmpuint(list.n, >, 10);
    state = list.next;
    assert_ok(mailbox_create_folder_object(w->m, FID_IPM_SUBTREE, &spec, &fid));
    assert_ok(mailbox_create_folder_object(w->m, fid, &below, &child));
    BAG_AUTO set = bag_new();
    bag_set_str(set, PidTagDisplayName, "Projects!");
    struct mailbox_folder_change change = {.set = set};
    assert_ok(mailbox_update_folder_object(w->m, fid, &change)); // newer than the one below it
    assert_ok(mailbox_sync_folders(w->m, arena, FID_IPM_SUBTREE, &state, &list));
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpint(list.items[0].kind, ==, SYNC_CREATE);
    g_assert_cmpuint(list.items[0].id, ==, fid); // the one above comes first
    g_assert_cmpuint(list.items[1].id, ==, child);
    state = list.next;
    bag_set_str(set, PidTagDisplayName, "Plans");
    assert_ok(mailbox_update_folder_object(w->m, fid, &change));
    assert_ok(mailbox_delete_folder_object(w->m, child, MAILBOX_FOLDER_HARD));
    assert_ok(mailbox_sync_folders(w->m, arena, FID_IPM_SUBTREE, &state, &list));
    g_assert_cmpuint(list.n, ==, 2);
    g_assert_cmpint(list.items[0].kind, ==, SYNC_UPDATE);
    g_assert_cmpint(list.items[1].kind, ==, SYNC_DELETE);
    g_assert_cmpuint(list.items[1].id, ==, child);
}

// --- Folders ---

static void test_folders(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    struct mailbox_folder_new spec = {.name = "A", .container_class = "IPF.Contact"};
    struct mailbox_folder_object f;
    uint64_t a, b, copy, found;
    assert_ok(mailbox_create_folder_object(w->m, FID_INBOX, &spec, &a));
    assert_ec(mailbox_create_folder_object(w->m, FID_INBOX, &spec, &b), EC_COLLISION);
    assert_ok(mailbox_get_folder_object(w->m, arena, a, true, &f));
    g_assert_cmpstr(f.container_class, ==, "IPF.Contact");
    g_assert_cmpuint(f.parent, ==, FID_INBOX);
    g_assert_nonnull(bag_get(f.props, PidTagDisplayName));
    mailbox_folder_object_clear(&f);
    assert_ok(world_append(w, a, "in it", 10, NULL));
    assert_ok(mailbox_copy_folder_object(w->m, a, FID_IPM_SUBTREE, &copy));
    assert_ok(mailbox_get_folder_object(w->m, arena, copy, false, &f));
    g_assert_cmpuint(f.n_messages, ==, 1);
    assert_ec(mailbox_move_folder_object(w->m, FID_INBOX, copy), EC_ACCESS_DENIED);
    assert_ec(mailbox_move_folder_object(w->m, copy, copy), EC_FOLDER_CYCLE);
    // Two of a name in Deleted Items.
    assert_ok(mailbox_delete_folder_object(w->m, a, MAILBOX_FOLDER_TO_TRASH));
    assert_ok(mailbox_delete_folder_object(w->m, copy, MAILBOX_FOLDER_TO_TRASH));
    assert_ok(mailbox_find_child(w->m, FID_DELETED_ITEMS, "a", &found));
    g_assert_cmpuint(found, ==, a);
    assert_ok(mailbox_find_child(w->m, FID_DELETED_ITEMS, "A1", &found));
    g_assert_cmpuint(found, ==, copy);
    assert_ec(mailbox_delete_folder_object(w->m, FID_DRAFTS, MAILBOX_FOLDER_HARD),
              EC_ACCESS_DENIED);
    assert_ok(mailbox_empty_folder_object(w->m, FID_DELETED_ITEMS, MAILBOX_FOLDER_SOFT, true));
    struct mailbox_folder_objects list;
    assert_ok(mailbox_list_folder_objects(w->m, arena, FID_DELETED_ITEMS, true, false, &list));
    g_assert_cmpuint(list.n, ==, 0);
    assert_ok(mailbox_list_deleted_folders(w->m, arena, FID_DELETED_ITEMS, false, &list));
    g_assert_cmpuint(list.n, ==, 2);
    world_assert_clean(w, &w->alice);
}

static void test_folder_rights(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    struct principal *bob = world_principal(&w->bob, "bob@example.test");
    struct mailbox *m;
    struct mailbox_folder_object f;
    struct mailbox_folder_new spec = {.name = "Bob's"};
    struct mailbox_sync_list list;
    struct mailbox_sync_state state = {0};
    uint64_t fid;
    assert_ok(mailbox_grant(w->m, "Drafts", "bob@example.test",
                            RIGHTS_VISIBLE | RIGHTS_CREATE_SUBFOLDER));
    assert_ok(mailbox_open(w->service, bob, &w->alice, &m));
    assert_ec(mailbox_get_folder_object(m, arena, FID_INBOX, false, &f), EC_NOT_FOUND);
    assert_ok(mailbox_get_folder_object(m, arena, FID_DRAFTS, false, &f));
    assert_ec(mailbox_sync_items(m, arena, FID_DRAFTS, false, &state, 10, &list), EC_ACCESS_DENIED);
    assert_ec(mailbox_empty_folder_object(m, FID_DRAFTS, MAILBOX_FOLDER_HARD, false),
              EC_ACCESS_DENIED);
    assert_ec(mailbox_create_folder_object(m, FID_INBOX, &spec, &fid), EC_NOT_FOUND);
    assert_ok(mailbox_create_folder_object(m, FID_DRAFTS, &spec, &fid));
    assert_ok(mailbox_get_folder_object(m, arena, fid, false, &f)); // whoever makes one owns it
    g_assert_true(f.rights & RIGHTS_OWNER);
    struct mailbox_feed *feed;
    struct mailbox_feed_spec watch = {.kinds = MAILBOX_EVENT_CREATED};
    assert_ec(mailbox_feed_new(m, &watch, &feed), EC_ACCESS_DENIED);
    mailbox_close(m);
    principal_unref(bob);
}

static void test_search_folder(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    uint64_t scope[] = {FID_INBOX}, fid;
    struct prop_value v = prop_str(PidTagSubject, "needle");
    struct mailbox_search_criteria search = {
        .restriction = restriction_content(arena, FUZZY_SUBSTRING, PidTagSubject, &v),
        .scope = scope,
        .n_scope = 1};
    struct mailbox_folder_new spec = {.name = "Needles", .search = &search};
    struct mailbox_folder_object f;
    struct mailbox_search_criteria got;
    struct mailbox_sync_list list;
    assert_ok(mailbox_create_folder_object(w->m, FID_FINDER, &spec, &fid));
    assert_ok(mailbox_get_folder_object(w->m, arena, fid, false, &f));
    g_assert_true(f.is_search);
    assert_ok(mailbox_get_search_criteria(w->m, arena, fid, &got));
    g_assert_cmpuint(got.n_scope, ==, 1);
    g_assert_cmpint(got.restriction->kind, ==, RES_CONTENT);
    assert_ec(
        mailbox_sync_items(w->m, arena, fid, false, &(struct mailbox_sync_state){0}, 10, &list),
        EC_SEARCH_FOLDER);
    assert_ec(mailbox_empty_folder_object(w->m, fid, MAILBOX_FOLDER_HARD, false), EC_SEARCH_FOLDER);
}

// --- Finding ---

static void test_find(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    static const char *const subjects[] = {"delta", "alpha", "charlie", "bravo"};
    const proptag_t tags[] = {PidTagSubject, PidTagMessageClass};
    const struct prop_value *values[2];
    uint64_t mids[4];
    for (unsigned i = 0; i < 4; i++)
        assert_ok(world_append(w, FID_INBOX, subjects[i], 10, &mids[i]));
    struct sort_order sort = {.n = 1, .columns = {{PidTagSubject, SORT_ASCENDING, false}}};
    struct mailbox_find find = {.fid = FID_INBOX, .sort = &sort};
    struct mailbox_found *f;
    uint32_t i;
    assert_ok(mailbox_find_open(w->m, &find, &f));
    g_assert_cmpuint(mailbox_found_count(f), ==, 4);
    assert_ok(mailbox_found_values(f, arena, 0, tags, 2, 0, values));
    g_assert_cmpstr(values[0]->str, ==, "alpha");
    struct prop_value v = prop_str(PidTagSubject, "charlie");
    assert_ok(
        mailbox_found_seek(f, restriction_property(arena, RELOP_EQ, PidTagSubject, &v), false, &i));
    g_assert_cmpuint(i, ==, 2);
    g_assert_cmpuint(mailbox_found_lower_bound(f, &v), ==, 2);
    g_assert_cmpuint(mailbox_found_unread(f, 0, 4), ==, 4);
    mailbox_found_close(f);

    struct search_node words = {.kind = SEARCH_WORDS, .text = "bravo"};
    struct search_node other = {.kind = SEARCH_WORDS, .text = "alpha", .next = &words};
    struct search_node either = {.kind = SEARCH_OR, .children = &other};
    find.query = &either;
    assert_ok(mailbox_find_open(w->m, &find, &f));
    g_assert_cmpuint(mailbox_found_count(f), ==, 2);
    g_assert_cmpuint(mailbox_found_mid(f, 0), ==, mids[1]);
    g_assert_cmpuint(mailbox_found_mid(f, 1), ==, mids[3]);
    g_assert_true(mailbox_found_find(f, mids[3], &i));
    g_assert_cmpuint(i, ==, 1);
    g_assert_false(mailbox_found_find(f, mids[0], &i));
    mailbox_found_close(f);

    struct mailbox_item_reader *r;
    assert_ok(mailbox_item_reader_open(w->m, FID_INBOX, &r));
    assert_ok(mailbox_item_values(r, arena, mids[2], tags, 2, 3, values));
    g_assert_cmpstr(values[0]->str, ==, "cha"); // cut
    assert_ec(mailbox_item_values(r, arena, 999999, tags, 2, 0, values), EC_NOT_FOUND);
    mailbox_item_reader_close(r);
}

static void test_conversations(struct world *w, gconstpointer data) {
    (void)data;
    ARENA_AUTO arena = arena_new();
    uint64_t a, b;
    assert_ok(world_append(w, FID_INBOX, "Lunch", 10, &a));
    assert_ok(world_append(w, FID_INBOX, "Other", 10, NULL));
    assert_ok(world_append(w, FID_SENT_ITEMS, "Re: Lunch", 10, &b));
    const proptag_t tag = PidTagConversationId;
    const struct prop_value *id;
    struct mailbox_item_reader *r;
    assert_ok(mailbox_item_reader_open(w->m, FID_INBOX, &r));
    assert_ok(mailbox_item_values(r, arena, a, &tag, 1, 0, &id));
    mailbox_item_reader_close(r);
    g_assert_cmpuint(id->bin.len, ==, 16);
    struct conversation_scope scope = {0};
    g_autoptr(GArray) found = NULL;
    assert_ok(mailbox_conversation_items(w->m, &scope, id->bin.data, 100, &found));
    g_assert_cmpuint(found->len, ==, 2);
    g_assert_cmpuint(g_array_index(found, struct conversation_item, 0).mid, ==, a);
    g_assert_cmpuint(g_array_index(found, struct conversation_item, 1).mid, ==, b);
    uint64_t ignored = FID_SENT_ITEMS;
    scope = (struct conversation_scope){.ignored = &ignored, .n_ignored = 1};
    g_autoptr(GArray) less = NULL;
    assert_ok(mailbox_conversation_items(w->m, &scope, id->bin.data, 100, &less));
    g_assert_cmpuint(less->len, ==, 1);
    const uint8_t nobody[16] = {1};
    g_autoptr(GArray) none = NULL;
    assert_ok(mailbox_conversation_items(w->m, &scope, nobody, 100, &none));
    g_assert_cmpuint(none->len, ==, 0);
}

// --- Feeds ---

static void count(void *ctx) {
    g_atomic_int_inc((int *)ctx);
}

static void test_feed(struct world *w, gconstpointer data) {
    (void)data;
    int woken = 0;
    uint64_t fids[] = {FID_INBOX}, mid;
    struct mailbox_feed_spec spec = {
        .fids = fids, .n_fids = 1, .kinds = 0xFF, .wake = count, .ctx = &woken};
    struct mailbox_feed *f;
    struct mailbox_event events[8];
    bool more, is_lost;
    assert_ok(mailbox_feed_new(w->m, &spec, &f));
    assert_ok(world_append(w, FID_DRAFTS, "elsewhere", 10, NULL));
    g_assert_cmpint(woken, ==, 0);
    assert_ok(world_append(w, FID_INBOX, "here", 10, &mid));
    g_assert_cmpint(woken, >, 0);
    g_assert_cmpuint(mailbox_feed_read(f, 0, events, 8, &more, &is_lost), ==, 1);
    g_assert_cmpint(events[0].kind, ==, MAILBOX_EVENT_CREATED);
    g_assert_cmpuint(events[0].mid, ==, mid);
    g_assert_false(is_lost);
    assert_ok(mailbox_move(w->m, FID_INBOX, &mid, 1, FID_DRAFTS, NULL)); // away counts too
    g_assert_cmpuint(mailbox_feed_read(f, events[0].seq, events, 8, &more, &is_lost), ==, 1);
    g_assert_cmpint(events[0].kind, ==, MAILBOX_EVENT_MOVED);
    g_assert_cmpuint(events[0].old_mid, ==, mid);
    mailbox_feed_forget(f, events[0].seq);
    g_assert_cmpuint(mailbox_feed_read(f, 0, events, 8, &more, &is_lost), ==, 0);
    // A client that never reads loses its events, and not our memory.
    for (unsigned i = 0; i < 20; i++)
        assert_ok(world_append(w, FID_INBOX, "many", 10, &mid));
    g_autofree uint64_t *mids = g_new0(uint64_t, 21);
    struct mailbox_view *view;
    assert_ok(mailbox_view_open(w->m, FID_INBOX, &view));
    for (unsigned i = 0; i < 20; i++)
        mids[i] = mailbox_view_row(view, i)->mid;
    mailbox_view_free(view);
    for (unsigned i = 0; i <= MAILBOX_FEED_EVENTS / 20; i++) {
        struct mailbox_flags change = {.mode = i % 2 ? MAILBOX_FLAGS_REMOVE : MAILBOX_FLAGS_ADD,
                                       .flags = MSG_FLAGGED,
                                       .unchanged_since = UINT64_MAX};
        assert_ok(mailbox_change_flags(w->m, FID_INBOX, mids, 20, &change, NULL));
    }
    g_assert_cmpuint(mailbox_feed_read(f, events[0].seq, events, 8, &more, &is_lost), ==, 0);
    g_assert_true(is_lost);
    mailbox_feed_clear(f);
    uint64_t last = mailbox_feed_last(f);
    assert_ok(world_append(w, FID_INBOX, "after", 10, NULL));
    g_assert_cmpuint(mailbox_feed_read(f, last, events, 8, &more, &is_lost), ==, 1);
    g_assert_false(is_lost);
    mailbox_feed_free(f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    WORLD_TEST("/sync/items", test_sync_items);
    WORLD_TEST("/sync/meanwhile", test_sync_meanwhile);
    WORLD_TEST("/sync/states", test_sync_states);
    WORLD_TEST("/sync/folders", test_sync_folders);
    WORLD_TEST("/folder-object/changes", test_folders);
    WORLD_TEST("/folder-object/rights", test_folder_rights);
    WORLD_TEST("/folder-object/search", test_search_folder);
    WORLD_TEST("/find/rows", test_find);
    WORLD_TEST("/find/conversations", test_conversations);
    WORLD_TEST("/feed/events", test_feed);
    return g_test_run();
}
