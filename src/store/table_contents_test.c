// Contents tables over a store: views under handles.
#include "mapi/change.h"
#include "store/store_fixture.h"
#include "store/table.h"

struct mail {
    uint64_t fid, mid;
    const char *subject;
    int32_t importance;
    uint32_t flags;
    filetime_t received;
};

static enum ec make_mail(struct mbox_tx *tx, void *ctx) {
    struct mail *m = ctx;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagSubject, m->subject);
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    bag_set_long(value->bag, PidTagImportance, m->importance);
    struct message_new spec = {.value = value, .flags = m->flags, .received = m->received};
    enum ec ec = message_create(tx, m->fid, &spec, &m->mid, NULL);
    message_value_free(value);
    return ec;
}

static uint64_t add_mail(struct fixture *f, const char *subject, int32_t importance,
                         uint32_t flags) {
    static filetime_t now = INT64_C(133000000000000000);
    struct mail m = {FID_INBOX, 0, subject, importance, flags, now += 10000000};
    assert_ok(mbox_write(f->mbox, make_mail, &m));
    return m.mid;
}

static enum ec run_delete(struct mbox_tx *tx, void *ctx) {
    return message_delete(tx, FID_INBOX, ctx, 1, DELETE_SOFT, NULL);
}

static enum ec run_read(struct mbox_tx *tx, void *ctx) {
    struct message_flags_change change = {
        .mode = FLAGS_ADD, .flags = MSG_READ, .unchanged_since = UINT64_MAX};
    return message_change_flags(tx, FID_INBOX, ctx, 1, &change, NULL);
}

// --- Rows as text ---

static const proptag_t shown[] = {
    PidTagRowType, PidTagSubject, PidTagImportance, PidTagContentCount, PidTagContentUnreadCount,
    PidTagInstID};

static void describe(GString *text, const struct prop_value *const *v) {
    if (text->len > 0)
        g_string_append_c(text, ' ');
    if (v[0]->l == 1)
        g_string_append(text, v[1] ? v[1]->str : "?");
    else
        g_string_append_printf(text, "%c%d(%d/%d)", v[0]->l == 3 ? '-' : '+', v[2] ? v[2]->l : -1,
                               v[3]->l, v[4]->l);
}

struct taker {
    GString *text;
    uint64_t id; // of the last row
};

static bool take(void *ctx, const struct prop_value *const *v) {
    struct taker *taker = ctx;
    describe(taker->text, v);
    taker->id = (uint64_t)v[5]->i8;
    return true;
}

#define assert_shows(t, expected)                                                                  \
    do {                                                                                           \
        g_autoptr(GString) text_ = g_string_new(NULL);                                             \
        struct taker taker_ = {text_, 0};                                                          \
        struct table_queried q_;                                                                   \
        int32_t moved_;                                                                            \
        assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved_));                                     \
        assert_ok(table_query_rows(t, 0, true, 1000, take, &taker_, &q_));                         \
        g_assert_cmpstr(text_->str, ==, expected);                                                 \
    } while (0)

static uint64_t id_of_row(struct table *t, int32_t i) {
    g_autoptr(GString) text = g_string_new(NULL);
    struct taker taker = {text, 0};
    struct table_queried q;
    int32_t moved;
    assert_ok(table_seek(t, TABLE_BEGINNING, i, &moved));
    assert_ok(table_query_rows(t, TABLE_NO_ADVANCE, true, 1, take, &taker, &q));
    return taker.id;
}

static struct table *open_table(struct fixture *f, enum table_kind kind) {
    struct table *t;
    assert_ok(table_open_contents(f->mbox, FID_INBOX, kind, &t));
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    return t;
}

static void tell(void *ctx, const struct table_event *e) {
    GString *text = ctx;
    g_string_append_printf(text, "%s%d", text->len > 0 ? "; " : "", (int)e->kind);
    if (e->values)
        describe(text, e->values);
    if (e->values && e->is_first)
        g_string_append(text, " first");
}

#define assert_events(t, expected)                                                                 \
    do {                                                                                           \
        g_autoptr(GString) text_ = g_string_new(NULL);                                             \
        assert_ok(table_events(t, tell, text_));                                                   \
        g_assert_cmpstr(text_->str, ==, expected);                                                 \
    } while (0)

// --- Tests ---

static void test_contents(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct table *t = open_table(f, TABLE_CONTENTS);
    assert_shows(t, "");
    uint64_t b = add_mail(f, "b", 1, 0);
    add_mail(f, "a", 2, MSG_READ);
    add_mail(f, "c", 1, 0);
    add_mail(f, "hidden", 1, MSG_ASSOCIATED);
    assert_shows(t, "c a b"); // newest first
    g_assert_cmpuint(id_of_row(t, 2), ==,
                     (uint64_t)short_id_value((struct short_id){REPLID_OWN, b}));
    struct sort_order order = {.n = 1, .columns = {{PidTagSubject, SORT_ASCENDING, false}}};
    assert_ok(table_sort(t, &order, false));
    assert_shows(t, "a b c");
    assert_events(t, "");
    add_mail(f, "bb", 1, 0);
    assert_ok(mbox_write(f->mbox, run_delete, &b));
    assert_events(t, "4; 3 bb");
    assert_shows(t, "a bb c");
    struct prop_value v = prop_long(PidTagImportance, 1);
    assert_ok(
        table_restrict(t, restriction_property(arena, RELOP_EQ, PidTagImportance, &v), false));
    assert_shows(t, "bb c");
    table_free(t);
    t = open_table(f, TABLE_ASSOCIATED);
    assert_shows(t, "hidden");
    table_free(t);
    t = open_table(f, TABLE_SOFT_DELETED);
    assert_shows(t, "b");
    table_free(t);
    assert_ec(table_open_contents(f->mbox, 0x9999, TABLE_CONTENTS, &t), EC_NOT_FOUND);
    assert_ec(table_open_contents(f->mbox, FID_INBOX, TABLE_RULES, &t), EC_INVALID_PARAMETER);
}

static void test_categories(struct fixture *f, gconstpointer data) {
    uint64_t a = add_mail(f, "a", 1, 0);
    add_mail(f, "b", 2, 0);
    add_mail(f, "c", 1, MSG_READ);
    struct table *t = open_table(f, TABLE_CONTENTS);
    uint32_t rows;
    unsigned n;
    struct sort_order order = {.n = 2,
                               .n_categories = 1,
                               .n_expanded = 1,
                               .columns = {{PidTagImportance, SORT_DESCENDING, false},
                                           {PidTagSubject, SORT_ASCENDING, false}}};
    assert_ok(table_sort(t, &order, false));
    assert_shows(t, "-2(1/1) b -1(2/1) a c");
    assert_ok(table_collapse(t, id_of_row(t, 2), &rows));
    g_assert_cmpuint(rows, ==, 2);
    assert_shows(t, "-2(1/1) b +1(2/1)");
    assert_ok(mbox_write(f->mbox, run_read, &a));
    assert_events(t, "5 +1(2/0)");
    assert_ok(mbox_write(f->mbox, run_delete, &a));
    add_mail(f, "d", 0, 0);
    assert_events(t, "5 +1(1/0); 3 -0(1/1); 3 d");
    assert_ok(table_expand(t, id_of_row(t, 2), 0, take, NULL, &n, &rows));
    assert_shows(t, "-2(1/1) b -1(1/0) c -0(1/1) d");
    table_free(t);
}

// Categories in the order of their newest message, as conversations are shown.
static void test_maximum(struct fixture *f, gconstpointer data) {
    add_mail(f, "one", 1, 0);
    add_mail(f, "two", 2, 0);
    add_mail(f, "three", 1, 0);
    struct table *t = open_table(f, TABLE_CONTENTS);
    struct sort_order order = {
        .n = 3,
        .n_categories = 1,
        .n_expanded = 1,
        .columns = {{PidTagImportance, SORT_DESCENDING, false},
                    {PidTagMessageDeliveryTime, SORT_MAXIMUM_CATEGORY, false},
                    {PidTagMessageDeliveryTime, SORT_ASCENDING, false}}};
    assert_ok(table_sort(t, &order, false));
    assert_shows(t, "-1(2/2) one three -2(1/1) two"); // MS-OXCTABL_R81 R82
    add_mail(f, "four", 2, 0);
    assert_shows(t, "-2(2/2) two four -1(2/2) one three");
    table_free(t);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/store/table_contents/" name, struct fixture, NULL, fixture_setup, fn,             \
               fixture_teardown)
    TEST("contents", test_contents);
    TEST("categories", test_categories);
    TEST("maximum", test_maximum);
    return g_test_run();
}
