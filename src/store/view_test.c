// Views: orders, filters, instances, categories, conversations, other kinds, values, differences,
// saved columns. What random changes do to them is in view_model_test.c.
//
// Statements of [MS-OXCTABL] are named where a view decides them; positions, bookmarks and
// collapsed categories are table handles' (table_test.c).
#include "store/view.h"

#include <stdlib.h>

#include "mapi/change.h"
#include "store/background.h"
#include "store/check.h"
#include "store/columns_internal.h"
#include "store/search_folder.h"
#include "store/store_fixture.h"

#define MANY 1500 // enough for columns to be saved

struct mail {
    const char *subject, *sender;
    const char *categories[3];
    int32_t importance;
    filetime_t received;
    uint32_t flags;
    uint64_t fid, mid;
};

static enum ec do_mail(struct mbox_tx *tx, void *ctx) {
    struct mail *m = ctx;
    struct message_value *value = message_value_new();
    uint32_t n = 0;
    bag_set_str(value->bag, PidTagSubject, m->subject);
    bag_set_str(value->bag, PidTagSenderName, m->sender);
    bag_set_str(value->bag, PidTagBody, "body text");
    if (m->importance >= 0)
        bag_set_long(value->bag, PidTagImportance, m->importance);
    while (n < G_N_ELEMENTS(m->categories) && m->categories[n])
        n++;
    struct prop_value categories = {.tag = PidNameKeywords, .mv = {.n = n, .str = m->categories}};
    if (n > 0)
        bag_set(value->bag, &categories);
    struct message_new spec = {.value = value, .received = m->received, .flags = m->flags};
    enum ec ec = message_create(tx, m->fid, &spec, &m->mid, NULL);
    message_value_free(value);
    return ec;
}

static uint64_t add(struct fixture *f, struct mail mail) {
    if (!mail.fid)
        mail.fid = FID_INBOX;
    assert_ok(mbox_write(f->mbox, do_mail, &mail));
    return mail.mid;
}

static struct view *get(struct fixture *f, enum view_kind kind, const struct sort_order *sort,
                        const struct restriction *res) {
    struct view_spec spec = {FID_INBOX, kind, sort, res};
    struct view *v;
    assert_ok(view_get(f->mbox, &spec, &v));
    return v;
}

static struct view *renew(struct fixture *f, struct view *v) {
    struct view *next;
    assert_ok(view_renew(f->mbox, v, &next));
    view_unref(v);
    return next;
}

// The view shows exactly these messages.
static void assert_rows(const struct view *v, const uint64_t *mids, unsigned n) {
    g_assert_cmpuint(view_count(v), ==, n);
    for (unsigned i = 0; i < n; i++)
        g_assert_cmpuint(view_at(v, i).mid, ==, mids[i]);
}
#define ASSERT_ROWS(v, ...)                                                                        \
    assert_rows(v, (const uint64_t[]){__VA_ARGS__},                                                \
                sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static struct sort_order by(proptag_t tag, enum sort_direction direction) {
    struct sort_order order = {.n = 1, .columns = {{tag, direction, false}}};
    return order;
}

static struct restriction *contains(struct arena *arena, proptag_t tag, const char *text) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_str(tag, text);
    return restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, tag, v);
}

struct ids {
    uint64_t mid;
    enum message_delete_mode mode;
    struct message_flags_change flags;
    const char *subject;
};

static enum ec do_delete(struct mbox_tx *tx, void *ctx) {
    const struct ids *ids = ctx;
    return message_delete(tx, FID_INBOX, &ids->mid, 1, ids->mode, NULL);
}

static enum ec do_flags(struct mbox_tx *tx, void *ctx) {
    const struct ids *ids = ctx;
    return message_change_flags(tx, FID_INBOX, &ids->mid, 1, &ids->flags, NULL);
}

static enum ec do_restore(struct mbox_tx *tx, void *ctx) {
    const struct ids *ids = ctx;
    return message_restore(tx, FID_INBOX, &ids->mid, 1);
}

static enum ec do_subject(struct mbox_tx *tx, void *ctx) {
    const struct ids *ids = ctx;
    struct message *m;
    struct prop_value v = prop_str(PidTagSubject, ids->subject);
    EC_TRY(message_open(tx, ids->mid, &m));
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(tx, m, 0);
    message_free(m);
    return ec;
}

// --- Orders and filters ---

static void test_sort(struct fixture *f, gconstpointer data) {
    uint64_t a = add(f, (struct mail){"beta", "Zoe", .received = 30, .importance = 1});
    uint64_t b = add(f, (struct mail){"Alpha", "bob", .received = 10, .importance = 2});
    uint64_t c = add(f, (struct mail){NULL, "Carl", .received = 20, .importance = -1});
    uint64_t d = add(f, (struct mail){"BETA", "anne", .received = 40, .importance = 0});
    struct sort_order up = by(PidTagSubject, SORT_ASCENDING);
    struct sort_order down = by(PidTagSubject, SORT_DESCENDING);
    struct sort_order importance = by(PidTagImportance, SORT_ASCENDING);
    struct sort_order sender = by(PidTagSenderName, SORT_ASCENDING);
    struct view *v = get(f, VIEW_CONTENTS, NULL, NULL);
    ASSERT_ROWS(v, d, a, c, b);
    view_unref(v);
    v = get(f, VIEW_CONTENTS, &up, NULL);
    ASSERT_ROWS(v, c, b, a, d); // MS-OXCTABL_R76 MS-OXCTABL_R119 MS-OXCTABL_R437 MS-OXCTABL_R447
    view_unref(v);
    v = get(f, VIEW_CONTENTS, &down, NULL);
    ASSERT_ROWS(v, a, d, b, c); // MS-OXCTABL_R77 MS-OXCTABL_R438
    view_unref(v);
    v = get(f, VIEW_CONTENTS, &importance, NULL);
    ASSERT_ROWS(v, c, d, a, b);
    view_unref(v);
    v = get(f, VIEW_CONTENTS, &sender, NULL);
    ASSERT_ROWS(v, d, b, c, a);
    view_unref(v);
}

static void test_restrict(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a = add(f, (struct mail){"Annual report", "Zoe", .received = 1});
    uint64_t b = add(f, (struct mail){"lunch", "Zoe", .received = 2});
    uint64_t c = add(f, (struct mail){"REPORTS", "Bob", .received = 3});
    struct sort_order sort = by(PidTagMessageDeliveryTime, SORT_ASCENDING);
    struct view *v = get(f, VIEW_CONTENTS, &sort, contains(arena, PidTagSubject, "report"));
    ASSERT_ROWS(v, a, c); // MS-OXCTABL_R117 MS-OXCTABL_R451 MS-OXCTABL_R452 MS-OXCTABL_R834
    struct view *all = get(f, VIEW_CONTENTS, &sort, NULL);
    ASSERT_ROWS(all, a, b, c); // MS-OXCTABL_R118 MS-OXCTABL_R556
    view_unref(all);
    // What comes, leaves or changes is filtered alone.
    struct ids to_match = {.mid = b, .subject = "report of lunch"};
    assert_ok(mbox_write(f->mbox, do_subject, &to_match));
    struct ids gone = {.mid = a, .mode = DELETE_SOFT};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    v = renew(f, v);
    ASSERT_ROWS(v, b, c);
    view_unref(v);
    // Bodies are no column: the message is asked.
    v = get(f, VIEW_CONTENTS, &sort, contains(arena, PidTagBody, "BODY"));
    ASSERT_ROWS(v, b, c);
    view_unref(v);
    struct restriction limited = {.kind = RES_COUNT};
    limited.count.count = 1;
    limited.count.sub = contains(arena, PidTagSubject, "report");
    v = get(f, VIEW_CONTENTS, &sort, &limited);
    ASSERT_ROWS(v, b);
    view_unref(v);
}

static void test_matches(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    add(f, (struct mail){"one", "Zoe", .received = 1});
    add(f, (struct mail){"two", "Bob", .received = 2});
    struct sort_order sort = by(PidTagMessageDeliveryTime, SORT_ASCENDING);
    struct view *v = get(f, VIEW_CONTENTS, &sort, NULL);
    MBOX_TX_AUTO tx = NULL;
    bool matches;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(view_matches(v, tx, 0, contains(arena, PidTagSubject, "ON"), &matches));
    g_assert_true(matches);
    assert_ok(view_matches(v, tx, 1, contains(arena, PidTagSubject, "ON"), &matches));
    g_assert_false(matches);
    assert_ok(view_matches(v, tx, 1, contains(arena, PidTagBody, "text"), &matches));
    g_assert_true(matches);
    view_unref(v);
}

static void test_errors(struct fixture *f, gconstpointer data) {
    struct sort_order sort = by(PidTagBody, SORT_ASCENDING);
    struct view_spec spec = {FID_INBOX, VIEW_CONTENTS, &sort, NULL};
    struct view *v;
    assert_ec(view_get(f->mbox, &spec, &v), EC_TOO_COMPLEX);
    spec = (struct view_spec){0x9999, VIEW_CONTENTS, NULL, NULL};
    assert_ec(view_get(f->mbox, &spec, &v), EC_NOT_FOUND);
    spec.fid = FID_INBOX;
    assert_ok(view_get(f->mbox, &spec, &v));
    g_assert_cmpuint(view_count(v), ==, 0);
    g_assert_cmpuint(view_lower_bound(v, NULL, 0), ==, 0);
    view_unref(v);
}

// --- Groups ---

static void test_instances(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a = add(f, (struct mail){"a", "x", {"red", "Blue"}, .received = 1});
    uint64_t b = add(f, (struct mail){"b", "x", {"blue"}, .received = 2});
    uint64_t c = add(f, (struct mail){"c", "x", .received = 3});
    struct sort_order sort = {.n = 2,
                              .n_categories = 1,
                              .columns = {{PidNameKeywords & ~PT_MV, SORT_ASCENDING, true},
                                          {PidTagSubject, SORT_ASCENDING, false}}};
    struct view *v = get(f, VIEW_CONTENTS, &sort, NULL);
    ASSERT_ROWS(v, c, a, b, a); // MS-OXCTABL_R433 MS-OXCTABL_R448
    g_assert_cmpuint(view_at(v, 0).instance, ==, 0);
    g_assert_cmpuint(view_at(v, 1).instance, ==, 2);
    g_assert_cmpuint(view_at(v, 3).instance, ==, 1);
    g_assert_cmpuint(view_group_end(v, 0, 1), ==, 3);
    const proptag_t tags[] = {PidTagInstID, PidTagInstanceNum, PidNameKeywords & ~PT_MV,
                              PidNameKeywords};
    const struct prop_value *first[4], *last[4];
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(view_values(v, tx, arena, 1, tags, 4, 0, first));
    assert_ok(view_values(v, tx, arena, 3, tags, 4, 0, last));
    g_assert_cmpint(first[0]->i8, ==, last[0]->i8); // MS-OXCTABL_R8
    g_assert_cmpint(first[1]->l, !=, last[1]->l);   // MS-OXCTABL_R12
    g_assert_cmpstr(first[2]->str, ==, "Blue");
    g_assert_cmpstr(last[2]->str, ==, "red");
    g_assert_cmpuint(first[3]->mv.n, ==, 2);
    uint32_t i;
    g_assert_true(view_find(v, a, 1, &i));
    g_assert_cmpuint(i, ==, 3);
    g_assert_false(view_find(v, a, 0, &i));
    view_unref(v);
}

static void test_categories(struct fixture *f, gconstpointer data) {
    uint64_t a = add(f, (struct mail){"m", "Ann", .received = 10, .importance = 1});
    uint64_t b = add(f, (struct mail){"k", "Bob", .received = 30, .flags = MSG_READ});
    uint64_t c = add(f, (struct mail){"b", "ann", .received = 20, .importance = 1});
    uint64_t d = add(f, (struct mail){"a", "Carl", .received = 15, .importance = 1});
    struct sort_order sort = {.n = 2,
                              .n_categories = 1,
                              .columns = {{PidTagSenderName, SORT_ASCENDING, false},
                                          {PidTagSubject, SORT_ASCENDING, false}}};
    struct view *v = get(f, VIEW_CONTENTS, &sort, NULL);
    ASSERT_ROWS(v, c, a, b, d); // MS-OXCTABL_R71 MS-OXCTABL_R72
    g_assert_cmpuint(view_group_end(v, 0, 0), ==, 2);
    g_assert_cmpuint(view_group_end(v, 0, 2), ==, 3);
    g_assert_cmpuint(view_unread(v, 0, 3), ==, 2);
    view_unref(v);
    // The senders in order of their newest message, newest first.
    struct sort_order maximum = {
        .n = 3,
        .n_categories = 1,
        .columns = {{PidTagSenderName, SORT_DESCENDING, false},
                    {PidTagMessageDeliveryTime, SORT_MAXIMUM_CATEGORY, false},
                    {PidTagSubject, SORT_ASCENDING, false}}};
    v = get(f, VIEW_CONTENTS, &maximum, NULL);
    ASSERT_ROWS(v, b, c, a, d); // MS-OXCTABL_R81 MS-OXCTABL_R82
    uint64_t e = add(f, (struct mail){"z", "ANN", .received = 50});
    v = renew(f, v);
    ASSERT_ROWS(v, c, a, e, b, d);
    g_assert_cmpuint(view_group_end(v, 0, 0), ==, 3);
    view_unref(v);
}

static void test_conversations(struct fixture *f, gconstpointer data) {
    uint64_t a = add(f, (struct mail){"Plan", "x", .received = 10});
    uint64_t b = add(f, (struct mail){"RE: Plan", "y", .received = 20});
    uint64_t c = add(f, (struct mail){"other", "x", .received = 15});
    uint64_t d = add(f, (struct mail){NULL, "x", .received = 5});
    struct view *v = get(f, VIEW_CONVERSATIONS, NULL, NULL);
    ASSERT_ROWS(v, b, c, d);
    struct ids newest = {.mid = b, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &newest));
    v = renew(f, v);
    ASSERT_ROWS(v, c, a, d);
    uint64_t e = add(f, (struct mail){"RE: plan", "y", .received = 40});
    v = renew(f, v);
    uint64_t first = view_at(v, 0).mid;
    g_assert_cmpuint(first, ==, e);
    view_unref(v);
}

// --- Other contents ---

static void test_kinds(struct fixture *f, gconstpointer data) {
    uint64_t a = add(f, (struct mail){"a", "x", .received = 1});
    uint64_t b = add(f, (struct mail){"b", "x", .received = 2});
    uint64_t fai = add(f, (struct mail){"c", "x", .received = 3, .flags = MSG_ASSOCIATED});
    struct view *contents = get(f, VIEW_CONTENTS, NULL, NULL);
    struct view *associated = get(f, VIEW_ASSOCIATED, NULL, NULL);
    struct view *deleted = get(f, VIEW_SOFT_DELETED, NULL, NULL);
    ASSERT_ROWS(contents, b, a);
    ASSERT_ROWS(associated, fai);
    g_assert_cmpuint(view_count(deleted), ==, 0);
    struct ids soft = {.mid = b, .mode = DELETE_SOFT};
    assert_ok(mbox_write(f->mbox, do_delete, &soft));
    contents = renew(f, contents);
    deleted = renew(f, deleted);
    ASSERT_ROWS(contents, a);
    ASSERT_ROWS(deleted, b);
    assert_ok(mbox_write(f->mbox, do_restore, &soft));
    contents = renew(f, contents);
    deleted = renew(f, deleted);
    b = soft.mid = view_at(contents, 0).mid; // a restored message is a new one
    ASSERT_ROWS(contents, b, a);
    g_assert_cmpuint(view_count(deleted), ==, 0);
    assert_ok(mbox_write(f->mbox, do_delete, &soft));
    deleted = renew(f, deleted);
    ASSERT_ROWS(deleted, b);
    soft.mode = DELETE_HARD; // leaves no tombstone of its own
    assert_ok(mbox_write(f->mbox, do_delete, &soft));
    deleted = renew(f, deleted);
    g_assert_cmpuint(view_count(deleted), ==, 0);
    view_unref(contents);
    view_unref(associated);
    view_unref(deleted);
}

struct search {
    uint64_t fid, scope[2];
    struct search_criteria criteria;
};

static enum ec do_search(struct mbox_tx *tx, void *ctx) {
    struct search *s = ctx;
    EC_TRY(folder_create(tx, FID_FINDER, "found", FOLDER_TYPE_SEARCH, NULL, &s->fid));
    return search_folder_set(tx, s->fid, &s->criteria);
}

static void test_search_folder(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t a = add(f, (struct mail){"report a", "x", .received = 1});
    uint64_t b = add(f, (struct mail){"report b", "x", .received = 2, .fid = FID_DRAFTS});
    add(f, (struct mail){"lunch", "x", .received = 3});
    struct search s = {.scope = {FID_INBOX, FID_DRAFTS}};
    s.criteria = (struct search_criteria){
        .restriction = contains(arena, PidTagSubject, "report"), .scope = s.scope, .n_scope = 2};
    assert_ok(mbox_write(f->mbox, do_search, &s));
    background_drain(f->store);
    struct view_spec spec = {s.fid, VIEW_CONTENTS, NULL, NULL};
    struct view *v;
    assert_ok(view_get(f->mbox, &spec, &v));
    ASSERT_ROWS(v, b, a);
    uint64_t c = add(f, (struct mail){"report c", "x", .received = 4});
    struct ids gone = {.mid = a, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    background_drain(f->store);
    v = renew(f, v);
    ASSERT_ROWS(v, c, b);
    const proptag_t tag = PidTagParentFolderId;
    const struct prop_value *value;
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(view_values(v, tx, arena, 1, &tag, 1, 0, &value));
    g_assert_cmpuint(short_id_of_value(value->i8).counter, ==, FID_DRAFTS);
    view_unref(v);
}

// --- Values ---

static void test_values(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid = add(f, (struct mail){"gr\xc3\xbc\xc3\x9f"
                                        "e",
                                        "Zoe", .received = 7, .importance = 2});
    const proptag_t tags[] = {PidTagMid,         PidTagSubject,    PidTagMessageDeliveryTime,
                              PidTagImportance,  PidTagBody,       PidTagDisplayTo,
                              PidTagSensitivity, PidTagInstanceNum};
    const struct prop_value *values[G_N_ELEMENTS(tags)];
    struct view *v = get(f, VIEW_CONTENTS, NULL, NULL);
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(view_values(v, tx, arena, 0, tags, G_N_ELEMENTS(tags), 4, values));
    g_assert_cmpuint(short_id_of_value(values[0]->i8).counter, ==, mid);
    g_assert_cmpstr(values[1]->str, ==, "gr\xc3\xbc"); // cut between characters
    g_assert_cmpuint(values[2]->time, ==, 7);
    g_assert_cmpint(values[3]->l, ==, 2);
    g_assert_cmpstr(values[4]->str, ==, "body");
    g_assert_cmpstr(values[5]->str, ==, "");
    g_assert_null(values[6]);
    g_assert_cmpint(values[7]->l, ==, 0);
    mbox_read_end(g_steal_pointer(&tx));
    // A message deleted since gives what the columns know.
    struct ids gone = {.mid = mid, .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    assert_ok(mbox_read(f->mbox, &tx));
    assert_ok(view_values(v, tx, arena, 0, tags, G_N_ELEMENTS(tags), 0, values));
    g_assert_cmpuint(values[2]->time, ==, 7);
    g_assert_null(values[4]);
    view_unref(v);
}

// --- Sharing and renewing ---

static void test_shared(struct fixture *f, gconstpointer data) {
    add(f, (struct mail){"a", "x", .received = 1});
    struct view *v = get(f, VIEW_CONTENTS, NULL, NULL), *same = get(f, VIEW_CONTENTS, NULL, NULL);
    g_assert_true(v == same);
    view_unref(same);
    // A change elsewhere makes nothing anew.
    add(f, (struct mail){"b", "x", .received = 1, .fid = FID_DRAFTS});
    assert_ok(view_renew(f->mbox, v, &same));
    g_assert_true(v == same);
    view_unref(same);
    uint64_t modseq = view_modseq(v);
    add(f, (struct mail){"c", "x", .received = 2});
    assert_ok(view_renew(f->mbox, v, &same));
    g_assert_true(v != same);
    g_assert_cmpuint(view_count(v), ==, 1); // the old one stays as it was
    g_assert_cmpuint(view_count(same), ==, 2);
    g_assert_cmpuint(view_modseq(same), >, modseq);
    view_unref(same);
    view_unref(v);
}

struct told {
    enum view_change what[8];
    uint64_t mid[8];
    uint32_t index[8];
    unsigned n;
};

static void tell(void *ctx, enum view_change what, const struct view_entry *e, uint32_t index) {
    struct told *t = ctx;
    g_assert_cmpuint(t->n, <, 8);
    t->what[t->n] = what;
    t->mid[t->n] = e->mid;
    t->index[t->n++] = index;
}

static void test_diff(struct fixture *f, gconstpointer data) {
    uint64_t a = add(f, (struct mail){"a", "x", .received = 1});
    uint64_t b = add(f, (struct mail){"b", "x", .received = 2});
    uint64_t c = add(f, (struct mail){"c", "x", .received = 3});
    struct sort_order sort = by(PidTagSubject, SORT_ASCENDING);
    struct view *old = get(f, VIEW_CONTENTS, &sort, NULL);
    struct ids gone = {.mid = b, .mode = DELETE_SOFT};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    struct ids moved = {.mid = a, .subject = "z"};
    assert_ok(mbox_write(f->mbox, do_subject, &moved));
    uint64_t d = add(f, (struct mail){"d", "x", .received = 4});
    struct view *new;
    assert_ok(view_renew(f->mbox, old, &new));
    ASSERT_ROWS(new, c, d, a);
    struct told told = {.n = 0};
    g_assert_true(view_diff(old, new, 10, tell, &told));
    g_assert_cmpuint(told.n, ==, 3);
    g_assert_true(told.what[0] == VIEW_ROW_REMOVED && told.mid[0] == b);
    g_assert_true(told.what[1] == VIEW_ROW_ADDED && told.mid[1] == d && told.index[1] == 1);
    g_assert_true(told.what[2] == VIEW_ROW_MODIFIED && told.mid[2] == a && told.index[2] == 2);
    told.n = 0;
    g_assert_false(view_diff(old, new, 2, tell, &told)); // too many: none is told
    g_assert_cmpuint(told.n, ==, 0);
    view_unref(old);
    view_unref(new);
}

// --- Large folders ---

static enum ec do_many(struct mbox_tx *tx, void *ctx) {
    GRand *rand = ctx;
    for (unsigned i = 0; i < MANY; i++) {
        g_autofree char *subject = g_strdup_printf("Subject %d", g_rand_int_range(rand, 0, 500));
        g_autofree char *sender =
            g_strdup_printf("s\xc3\xa4nder %d", g_rand_int_range(rand, 0, 50));
        struct mail mail = {subject, i % 7 ? sender : NULL, .fid = FID_INBOX};
        // Times that differ in their upper bits, in their lowest, and not at all.
        mail.received = (filetime_t)g_rand_int_range(rand, 1, 300) * UINT64_C(1000000000000000) +
                        (filetime_t)g_rand_int_range(rand, 0, 9);
        mail.importance = g_rand_int_range(rand, 0, 3);
        EC_TRY(do_mail(tx, &mail));
    }
    return EC_OK;
}

static const proptag_t sorted_by[] = {PidTagSubject, PidTagSenderName, PidTagMessageDeliveryTime,
                                      PidTagImportance, PidTagConversationId};

static void note_orders(struct fixture *f, GArray *orders) {
    for (unsigned k = 0; k < G_N_ELEMENTS(sorted_by); k++) {
        struct sort_order sort = by(sorted_by[k], k % 2 ? SORT_DESCENDING : SORT_ASCENDING);
        struct view *v = get(f, VIEW_CONTENTS, &sort, NULL);
        for (uint32_t i = 0; i < view_count(v); i++) {
            uint64_t mid = view_at(v, i).mid;
            g_array_append_val(orders, mid);
        }
        view_unref(v);
    }
}

// Neighbours are in order by their values; equal ones by uid.
static void test_large_order(struct fixture *f, gconstpointer data) {
    GRand *rand = g_rand_new_with_seed(4);
    assert_ok(mbox_write(f->mbox, do_many, rand));
    for (unsigned k = 0; k + 1 < G_N_ELEMENTS(sorted_by); k++) {
        ARENA_AUTO arena = arena_new();
        const struct prop_value *last = NULL, *now;
        struct sort_order sort = by(sorted_by[k], k % 2 ? SORT_ASCENDING : SORT_DESCENDING);
        struct view *v = get(f, VIEW_CONTENTS, &sort, NULL);
        MBOX_TX_AUTO tx = NULL;
        assert_ok(mbox_read(f->mbox, &tx));
        g_assert_cmpuint(view_count(v), ==, MANY);
        for (uint32_t i = 0; i < MANY; i++, last = now) {
            assert_ok(view_values(v, tx, arena, i, &sorted_by[k], 1, 0, &now));
            int c = last && now ? prop_compare(last, now) : (last != NULL) - (now != NULL);
            if (i == 0)
                continue;
            g_assert_cmpint(k % 2 ? c : -c, <=, 0);
            g_assert_true(c != 0 || view_at(v, i - 1).uid < view_at(v, i).uid);
        }
        view_unref(v);
    }
    g_rand_free(rand);
}

static void assert_orders(struct fixture *f, const GArray *expected) {
    g_autoptr(GArray) orders = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    note_orders(f, orders);
    g_assert_cmpmem(orders->data, orders->len * sizeof(uint64_t), expected->data,
                    expected->len * sizeof(uint64_t));
}

static void reopen(struct fixture *f) {
    fixture_close(f); // saves the columns
    g_assert_cmpuint(view_memory(), ==, 0);
    fixture_open(f);
}

static enum ec do_forget(struct mbox_tx *tx, void *ctx) {
    return columns_forget(tx, *(uint64_t *)ctx);
}

static enum ec do_damage(struct mbox_tx *tx, void *ctx) {
    return db_exec(tx->conn, "UPDATE view_column SET data = X'28B52FFD0102030405' WHERE tag <> 0");
}

static enum ec do_damage_slots(struct mbox_tx *tx, void *ctx) {
    return db_exec(tx->conn, "UPDATE view_column SET size = size + 1, count = count * 2");
}

static void test_saved(struct fixture *f, gconstpointer data) {
    GRand *rand = g_rand_new_with_seed(5);
    g_autoptr(GArray) orders = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    assert_ok(mbox_write(f->mbox, do_many, rand));
    note_orders(f, orders);
    g_assert_cmpuint(orders->len, ==, MANY * G_N_ELEMENTS(sorted_by));
    reopen(f);
    assert_orders(f, orders);
    // One column alone, then the others: what was saved of them is still there.
    reopen(f);
    struct sort_order sort = by(PidTagSubject, SORT_DESCENDING);
    view_unref(get(f, VIEW_CONTENTS, &sort, NULL));
    reopen(f);
    assert_orders(f, orders);
    // Changes after the state that was saved.
    struct ids gone = {.mid = g_array_index(orders, uint64_t, 3), .mode = DELETE_HARD};
    assert_ok(mbox_write(f->mbox, do_delete, &gone));
    struct ids moved = {.mid = g_array_index(orders, uint64_t, 9), .subject = "\xc3\x84nderung"};
    assert_ok(mbox_write(f->mbox, do_subject, &moved));
    add(f, (struct mail){"subject 77", "s\xc3\x84nder 7", .received = 50, .importance = 1});
    g_array_set_size(orders, 0);
    note_orders(f, orders);
    reopen(f);
    assert_orders(f, orders);
    uint64_t fid = FID_INBOX;
    assert_ok(mbox_write(f->mbox, do_forget, &fid));
    reopen(f);
    assert_orders(f, orders);
    // What is damaged is passed over.
    reopen(f);
    assert_ok(mbox_write(f->mbox, do_damage, NULL));
    reopen(f);
    assert_orders(f, orders);
    reopen(f);
    assert_ok(mbox_write(f->mbox, do_damage_slots, NULL));
    reopen(f);
    assert_orders(f, orders);
    g_rand_free(rand);
}

struct all_read {
    GArray *mids;
};

static enum ec do_all_read(struct mbox_tx *tx, void *ctx) {
    const struct all_read *a = ctx;
    struct message_flags_change change = {
        .mode = FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    return message_change_flags(tx, FID_INBOX, (const uint64_t *)(const void *)a->mids->data,
                                a->mids->len, &change, NULL);
}

// A whole folder marked as read is one record until the background has settled it.
static void test_mark_all(struct fixture *f, gconstpointer data) {
    GRand *rand = g_rand_new_with_seed(6);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    assert_ok(mbox_write(f->mbox, do_many, rand));
    struct sort_order uid = by(PidTagMid, SORT_ASCENDING), sort = by(PidTagSubject, SORT_ASCENDING);
    struct view *v = get(f, VIEW_CONTENTS, &uid, NULL);
    for (uint32_t i = 0; i < view_count(v); i++) {
        uint64_t mid = view_at(v, i).mid;
        g_array_append_val(mids, mid);
    }
    view_unref(v);
    v = get(f, VIEW_CONTENTS, &sort, NULL);
    g_assert_cmpuint(view_unread(v, 0, MANY), ==, MANY);
    struct all_read all = {mids};
    assert_ok(mbox_write(f->mbox, do_all_read, &all));
    v = renew(f, v);
    g_assert_cmpuint(view_unread(v, 0, MANY), ==, 0);
    background_drain(f->store);
    add(f, (struct mail){"z", "x", .received = 1});
    v = renew(f, v);
    g_assert_cmpuint(view_unread(v, 0, MANY + 1), ==, 1);
    struct view *deleted = get(f, VIEW_SOFT_DELETED, NULL, NULL);
    g_assert_cmpuint(view_count(deleted), ==, 0);
    view_unref(deleted);
    // The set is copied together when much of it is dead; views go on.
    for (unsigned i = 0; i < 8; i++) {
        struct message_flags_change change = {.mode = i % 2 ? FLAGS_ADD : FLAGS_REMOVE,
                                              .flags = MSG_READ,
                                              .unchanged_since = UINT64_MAX};
        struct ids one = {.mid = g_array_index(mids, uint64_t, i), .flags = change};
        assert_ok(mbox_write(f->mbox, do_flags, &one));
        v = renew(f, v);
    }
    g_assert_cmpuint(view_count(v), ==, MANY + 1);
    view_unref(v);
    g_rand_free(rand);
}

static void test_check(struct fixture *f, gconstpointer data) {
    GRand *rand = g_rand_new_with_seed(7);
    g_autoptr(GArray) orders = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    assert_ok(mbox_write(f->mbox, do_many, rand));
    note_orders(f, orders);
    reopen(f);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    struct check_options options = {.repair = false};
    unsigned n;
    assert_ok(store_check_mailbox(f->store, &f->guid, &options, faults, &n));
    g_assert_cmpuint(faults->len, ==, 0);
    g_rand_free(rand);
}

static void test_budget(struct fixture *f, gconstpointer data) {
    GRand *rand = g_rand_new_with_seed(8);
    assert_ok(mbox_write(f->mbox, do_many, rand));
    struct sort_order sort = by(PidTagSubject, SORT_ASCENDING);
    struct view *used = get(f, VIEW_CONTENTS, &sort, NULL);
    size_t before = view_memory();
    // A row of a view by subject: the message, its place, the subject.
    g_assert_cmpuint(before / MANY, <, 100);
    view_set_memory_budget(1);
    for (unsigned k = 0; k < G_N_ELEMENTS(sorted_by); k++) {
        struct sort_order other = by(sorted_by[k], SORT_DESCENDING);
        view_unref(get(f, VIEW_CONTENTS, &other, NULL));
    }
    view_unref(get(f, VIEW_ASSOCIATED, NULL, NULL));
    g_assert_cmpuint(view_count(used), ==, MANY); // those in use are kept
    used = renew(f, used);
    view_unref(used);
    view_unref(get(f, VIEW_CONTENTS, NULL, NULL));
    view_unref(get(f, VIEW_ASSOCIATED, NULL, NULL));
    view_set_memory_budget(0);
    g_rand_free(rand);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/view/" name, struct fixture, NULL, fixture_setup, fn, fixture_teardown)
    TEST("sort", test_sort);
    TEST("restrict", test_restrict);
    TEST("matches", test_matches);
    TEST("errors", test_errors);
    TEST("instances", test_instances);
    TEST("categories", test_categories);
    TEST("conversations", test_conversations);
    TEST("kinds", test_kinds);
    TEST("search_folder", test_search_folder);
    TEST("values", test_values);
    TEST("shared", test_shared);
    TEST("diff", test_diff);
    TEST("large_order", test_large_order);
    TEST("saved", test_saved);
    TEST("mark_all", test_mark_all);
    TEST("check", test_check);
    TEST("budget", test_budget);
    return g_test_run();
}
