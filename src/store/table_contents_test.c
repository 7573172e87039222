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

// --- Multi-value instances ---

static enum ec make_coloured(struct mbox_tx *tx, void *ctx) {
    static const char *const colours[] = {"red", "blue"};
    struct mail *m = ctx;
    struct message_value *value = message_value_new();
    struct prop_value v = {.tag = PidNameKeywords};
    v.mv.n = 2;
    v.mv.str = colours;
    bag_set_str(value->bag, PidTagSubject, m->subject);
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Note");
    bag_set(value->bag, &v);
    struct message_new spec = {.value = value};
    enum ec ec = message_create(tx, m->fid, &spec, &m->mid, NULL);
    message_value_free(value);
    return ec;
}

static bool take_instance(void *ctx, const struct prop_value *const *v) {
    g_string_append_printf(ctx, "%s/%d/%s ", v[0]->str, v[1]->l, v[2] ? v[2]->str : "-");
    return true;
}

static void test_instances(struct fixture *f, gconstpointer data) {
    struct mail m = {FID_INBOX, 0, "a", 0, 0, 0};
    struct table *t;
    struct table_queried q;
    g_autoptr(GString) text = g_string_new(NULL);
    proptag_t columns[] = {PidTagSubject, PidTagInstanceNum, PidNameKeywords | 0x2000};
    struct sort_order order = {
        .n = 2,
        .columns = {{PROP_TAG(PROP_ID(PidNameKeywords), PT_UNICODE), SORT_ASCENDING, true},
                    {PidTagSubject, SORT_ASCENDING, false}}};
    assert_ok(mbox_write(f->mbox, make_coloured, &m));
    add_mail(f, "plain", 1, 0);
    assert_ok(table_open_contents(f->mbox, FID_INBOX, TABLE_CONTENTS, &t));
    assert_ok(table_set_columns(t, columns, 3, false)); // by the columns alone
    assert_ok(table_query_rows(t, 0, true, 10, take_instance, text, &q));
    g_assert_cmpuint(q.n, ==, 3);
    g_string_truncate(text, 0);
    assert_ok(table_sort(t, &order, false)); // MS-OXCTABL_R448
    assert_ok(table_query_rows(t, 0, true, 10, take_instance, text, &q));
    g_assert_cmpstr(text->str, ==, "plain/0/- a/2/blue a/1/red ");
    table_free(t);
}

// --- A client that follows the events ---

static const proptag_t followed[] = {
    PidTagRowType, PidTagSubject,    PidTagImportance, PidTagContentCount, PidTagContentUnreadCount,
    PidTagInstID,  PidTagInstanceNum};

struct seen {
    uint64_t id;
    uint32_t instance;
    char *text;
};

static void seen_free(gpointer p) {
    g_free(((struct seen *)p)->text);
    g_free(p);
}

static struct seen *seen_new(const struct prop_value *const *v) {
    GString *text = g_string_new(NULL);
    struct seen *seen = g_new(struct seen, 1);
    describe(text, v);
    *seen = (struct seen){(uint64_t)v[5]->i8, (uint32_t)v[6]->l, g_string_free(text, FALSE)};
    return seen;
}

static bool see(void *ctx, const struct prop_value *const *v) {
    g_ptr_array_add(ctx, seen_new(v));
    return true;
}

static GPtrArray *read_all(struct table *t) {
    GPtrArray *rows = g_ptr_array_new_with_free_func(seen_free);
    struct table_queried q;
    int32_t moved;
    assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved));
    assert_ok(table_query_rows(t, 0, true, 10000, see, rows, &q));
    return rows;
}

struct follower {
    struct table *t;
    GPtrArray *rows;
    bool is_lost;
};

static guint place_of(const struct follower *f, const struct table_row *row) {
    for (guint i = 0; i < f->rows->len; i++) {
        const struct seen *seen = f->rows->pdata[i];
        if (seen->id == row->id && seen->instance == row->instance)
            return i;
    }
    g_error("an event of a row that is not known");
}

static void follow(void *ctx, const struct table_event *e) {
    struct follower *f = ctx;
    if (f->is_lost || e->kind == TABLE_CHANGED) {
        f->is_lost = true;
        return;
    }
    if (e->kind != TABLE_ROW_ADDED)
        g_ptr_array_remove_index(f->rows, place_of(f, &e->row));
    if (e->kind != TABLE_ROW_DELETED)
        g_ptr_array_insert(f->rows, e->is_first ? 0 : (gint)place_of(f, &e->before) + 1,
                           seen_new(e->values));
}

static void check_follower(struct follower *f) {
    assert_ok(table_events(f->t, follow, f));
    GPtrArray *rows = read_all(f->t);
    for (guint i = 0; !f->is_lost && i < MAX(rows->len, f->rows->len); i++) {
        g_assert_cmpuint(rows->len, ==, f->rows->len);
        g_assert_cmpstr(((struct seen *)rows->pdata[i])->text, ==,
                        ((struct seen *)f->rows->pdata[i])->text);
    }
    g_ptr_array_unref(f->rows);
    f->rows = rows;
    f->is_lost = false;
}

static void follow_order(struct fixture *f, struct follower *follower,
                         const struct sort_order *order) {
    follower->t = NULL;
    assert_ok(table_open_contents(f->mbox, FID_INBOX, TABLE_CONTENTS, &follower->t));
    assert_ok(table_set_columns(follower->t, followed, G_N_ELEMENTS(followed), false));
    assert_ok(table_sort(follower->t, order, false));
    follower->rows = read_all(follower->t);
}

static enum ec run_set_importance(struct mbox_tx *tx, void *ctx) {
    struct mail *m = ctx;
    struct message *message;
    struct prop_value v = prop_long(PidTagImportance, m->importance);
    EC_TRY(message_open(tx, m->mid, &message));
    enum ec ec = message_set_prop(message, &v);
    if (ec == EC_OK)
        ec = message_save(tx, message, MESSAGE_SAVE_FORCE);
    message_free(message);
    return ec;
}

static void change_randomly(struct fixture *f, GArray *mids) {
    static const char *const subjects[] = {"one", "Two", "three", "four", "FIVE", "six"};
    int what = g_test_rand_int_range(0, 5);
    if (what < 2 || mids->len == 0) {
        uint64_t mid = add_mail(f, subjects[g_test_rand_int_range(0, 6)],
                                g_test_rand_int_range(0, 3), (uint32_t)g_test_rand_int_range(0, 2));
        g_array_append_val(mids, mid);
        return;
    }
    guint i = (guint)g_test_rand_int_range(0, (gint)mids->len);
    uint64_t mid = g_array_index(mids, uint64_t, i);
    struct mail change = {.mid = mid, .importance = g_test_rand_int_range(0, 3)};
    if (what == 2) {
        assert_ok(mbox_write(f->mbox, run_delete, &mid));
        g_array_remove_index_fast(mids, i);
    } else if (what == 3) {
        assert_ok(mbox_write(f->mbox, run_read, &mid));
    } else {
        assert_ok(mbox_write(f->mbox, run_set_importance, &change));
    }
}

static void test_followers(struct fixture *f, gconstpointer data) {
    static const struct sort_order orders[] = {
        {.n = 1, .columns = {{PidTagSubject, SORT_DESCENDING, false}}},
        {.n = 2,
         .n_categories = 1,
         .n_expanded = 1,
         .columns = {{PidTagImportance, SORT_ASCENDING, false},
                     {PidTagSubject, SORT_ASCENDING, false}}},
        {.n = 2,
         .n_categories = 2,
         .n_expanded = 1,
         .columns = {{PidTagSubject, SORT_ASCENDING, false},
                     {PidTagImportance, SORT_DESCENDING, false}}},
        {.n = 3,
         .n_categories = 1,
         .n_expanded = 1,
         .columns = {{PidTagSubject, SORT_DESCENDING, false},
                     {PidTagMessageDeliveryTime, SORT_MAXIMUM_CATEGORY, false},
                     {PidTagMessageDeliveryTime, SORT_DESCENDING, false}}},
    };
    struct follower followers[G_N_ELEMENTS(orders)] = {0};
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (unsigned i = 0; i < 30; i++)
        change_randomly(f, mids);
    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++)
        follow_order(f, &followers[i], &orders[i]);
    for (unsigned step = 0; step < 200; step++) {
        change_randomly(f, mids);
        for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++)
            if (g_test_rand_int_range(0, 3) == 0)
                check_follower(&followers[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(orders); i++) {
        table_free(followers[i].t);
        g_ptr_array_unref(followers[i].rows);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn)                                                                             \
    g_test_add("/store/table_contents/" name, struct fixture, NULL, fixture_setup, fn,             \
               fixture_teardown)
    TEST("contents", test_contents);
    TEST("categories", test_categories);
    TEST("maximum", test_maximum);
    TEST("instances", test_instances);
    TEST("followers", test_followers);
    return g_test_run();
}
