// Views against a model: after random changes each view must show what sorting the folder's
// messages by prop_compare in the test gives, and a view's differences must lead from the old rows
// to the new.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mapi/prop_shape.h"
#include "store/store_fixture.h"
#include "store/view.h"

#define MESSAGES_MAX 160
#define ROUNDS 40

static const char *const subjects[] = {"alpha", "Alpha",     "Beta report",  "beta REPORT",
                                       "gamma", "delta two", "\xc3\x84rger", "\xc3\xa4rger x",
                                       "",      "zeta"};
static const char *const senders[] = {"Alice", "bob", "Carol", "alice", NULL};
static const char *const categories[] = {"Red", "green", "Blue", "red"};

// --- The folder ---

struct op {
    GRand *rand;
    uint64_t mid;
    enum { OP_ADD, OP_FLAGS, OP_DELETE, OP_PURGE, OP_SAVE } what;
};

static void random_props(GRand *rand, struct bag *bag) {
    const char *sender = senders[g_rand_int_range(rand, 0, G_N_ELEMENTS(senders))];
    bag_set_str(bag, PidTagSubject, subjects[g_rand_int_range(rand, 0, G_N_ELEMENTS(subjects))]);
    if (sender)
        bag_set_str(bag, PidTagSenderName, sender);
    if (g_rand_int_range(rand, 0, 3))
        bag_set_long(bag, PidTagImportance, g_rand_int_range(rand, 0, 3));
    bag_set_time(bag, PidTagClientSubmitTime, (filetime_t)g_rand_int_range(rand, 1, 20));
    unsigned n = (unsigned)g_rand_int_range(rand, 0, 4);
    if (n > 0) {
        const char *values[4];
        for (unsigned i = 0; i < n; i++)
            values[i] = categories[g_rand_int_range(rand, 0, G_N_ELEMENTS(categories))];
        struct prop_value v = {.tag = PidNameKeywords, .mv = {.n = n, .str = values}};
        assert_ok(bag_set(bag, &v));
    }
}

static enum ec add_message(struct mbox_tx *tx, GRand *rand) {
    struct message_value *value = message_value_new();
    uint64_t mid;
    random_props(rand, value->bag);
    struct message_new spec = {.value = value,
                               .received = (filetime_t)g_rand_int_range(rand, 100, 140),
                               .flags = g_rand_boolean(rand) ? MSG_READ : 0};
    enum ec ec = message_create(tx, FID_INBOX, &spec, &mid, NULL);
    message_value_free(value);
    return ec;
}

static enum ec save_message(struct mbox_tx *tx, uint64_t mid, GRand *rand) {
    struct message *m;
    enum ec ec = message_open(tx, mid, &m);
    if (ec != EC_OK)
        return EC_OK; // soft-deleted or gone meanwhile
    random_props(rand, message_value(m)->bag);
    ec = message_save(tx, m, MESSAGE_SAVE_FORCE);
    message_free(m);
    return ec;
}

static enum ec do_op(struct mbox_tx *tx, void *ctx) {
    struct op *op = ctx;
    struct message_flags_change change = {
        .mode = g_rand_boolean(op->rand) ? FLAGS_ADD : FLAGS_REMOVE,
        .flags = g_rand_boolean(op->rand) ? MSG_READ : MSG_FLAGGED,
        .unchanged_since = UINT64_MAX};
    switch (op->what) {
    case OP_ADD:
        return add_message(tx, op->rand);
    case OP_FLAGS:
        return message_change_flags(tx, FID_INBOX, &op->mid, 1, &change, NULL);
    case OP_SAVE:
        return save_message(tx, op->mid, op->rand);
    default:
        return message_delete(tx, FID_INBOX, &op->mid, 1,
                              op->what == OP_DELETE ? DELETE_SOFT : DELETE_HARD, NULL);
    }
}

// --- The model ---

struct row {
    uint64_t mid;
    uint32_t uid, instance;
    bool is_unread;
    const struct prop_value *values[SORT_ORDER_MAX];
    const struct prop_value *maximum;
};

struct model {
    struct arena *arena;
    GArray *rows; // of struct row
    const struct view_spec *spec;
};

static const struct prop_value *value_of(struct mbox_tx *tx, struct message *m, struct arena *arena,
                                         proptag_t tag) {
    struct prop_value v;
    if (message_get_prop(tx, m, arena, tag, 0, &v) != EC_OK)
        return NULL;
    return arena_memdup(arena, &v, sizeof v);
}

struct source {
    struct mbox_tx *tx;
    struct message *m;
    struct arena *arena;
};

static const struct prop_value *get_for_restriction(void *ctx, proptag_t tag) {
    struct source *s = ctx;
    return value_of(s->tx, s->m, s->arena, tag);
}

static void add_rows(struct model *model, struct mbox_tx *tx, struct message *m,
                     const struct message_row *narrow) {
    const struct sort_order *sort = model->spec->sort;
    struct row row = {
        .mid = narrow->mid, .uid = narrow->uid, .is_unread = !(narrow->flags & MSG_READ)};
    const struct prop_value *all = NULL;
    unsigned instance_column = 0;
    for (unsigned i = 0; i < sort->n; i++) {
        const struct sort_column *c = &sort->columns[i];
        if (c->is_instance) {
            all = value_of(tx, m, model->arena, c->tag | PT_MV);
            instance_column = i;
        } else {
            row.values[i] = value_of(tx, m, model->arena, c->tag);
        }
    }
    if (!all) {
        g_array_append_val(model->rows, row);
        return;
    }
    for (uint32_t i = 0; i < all->mv.n; i++) {
        struct prop_value e = prop_element(all, i);
        row.instance = i + 1;
        row.values[instance_column] = arena_memdup(model->arena, &e, sizeof e);
        g_array_append_val(model->rows, row);
    }
}

static int compare_values(const struct prop_value *a, const struct prop_value *b) {
    return a && b ? prop_compare(a, b) : (a != NULL) - (b != NULL);
}

static unsigned maximum_of(const struct sort_order *sort) {
    for (unsigned i = 1; i < sort->n; i++)
        if (sort->columns[i].direction == SORT_MAXIMUM_CATEGORY)
            return i;
    return 0;
}

static gint compare_rows(gconstpointer a, gconstpointer b, gpointer data) {
    const struct row *x = a, *y = b;
    const struct sort_order *sort = data;
    unsigned m = maximum_of(sort);
    for (unsigned i = 0; i < sort->n; i++) {
        int c;
        if (m && i == m)
            continue;
        bool descending = sort->columns[i].direction == SORT_DESCENDING;
        if (m && i == m - 1 && compare_values(x->values[i], y->values[i]) != 0) {
            c = compare_values(x->maximum, y->maximum);
            if (c)
                return descending ? -c : c;
        }
        c = compare_values(x->values[i], y->values[i]);
        if (c)
            return descending ? -c : c;
    }
    if (x->uid != y->uid)
        return x->uid < y->uid ? -1 : 1;
    return (x->instance > y->instance) - (x->instance < y->instance);
}

static bool same_group(const struct row *a, const struct row *b, unsigned level, unsigned m) {
    for (unsigned i = 0; i <= level; i++)
        if (!(m && i == m) && compare_values(a->values[i], b->values[i]) != 0)
            return false;
    return true;
}

static void find_maxima(struct model *model) {
    unsigned m = maximum_of(model->spec->sort);
    if (!m)
        return;
    for (guint i = 0; i < model->rows->len; i++) {
        struct row *row = &g_array_index(model->rows, struct row, i);
        for (guint k = 0; k < model->rows->len; k++) {
            const struct row *other = &g_array_index(model->rows, struct row, k);
            if (same_group(row, other, m - 1, m) &&
                compare_values(other->values[m], row->maximum) > 0)
                row->maximum = other->values[m];
        }
    }
}

// The folder as it is in `tx`.
static void model_build(struct model *model, struct mbox_tx *tx, const GArray *mids) {
    for (guint i = 0; i < mids->len; i++) {
        struct message_row narrow;
        uint64_t fid;
        struct message *m;
        if (message_get_row(tx, g_array_index(mids, uint64_t, i), &fid, &narrow) != EC_OK)
            continue;
        if (narrow.keywords)
            shared_text_unref(narrow.keywords);
        uint32_t place = narrow.flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED);
        if (place != (model->spec->kind == VIEW_SOFT_DELETED ? MSG_SOFT_DELETED : 0))
            continue;
        assert_ok(message_open(tx, narrow.mid, &m));
        struct source source = {tx, m, model->arena};
        struct restriction_source rs = {.get = get_for_restriction, .ctx = &source};
        if (!model->spec->restriction || restriction_matches(model->spec->restriction, &rs))
            add_rows(model, tx, m, &narrow);
        message_free(m);
    }
    find_maxima(model);
    g_array_sort_with_data(model->rows, compare_rows, (gpointer)model->spec->sort);
}

// --- Comparing ---

static void check_groups(const struct view *v, const struct model *model) {
    const struct sort_order *sort = model->spec->sort;
    unsigned m = maximum_of(sort);
    for (unsigned level = 0; level < sort->n_categories; level++)
        for (uint32_t i = 0; i < model->rows->len; i++) {
            uint32_t end = i + 1;
            const struct row *row = &g_array_index(model->rows, struct row, i);
            while (end < model->rows->len &&
                   same_group(row, &g_array_index(model->rows, struct row, end), level, m))
                end++;
            g_assert_cmpuint(view_group_end(v, level, i), ==, end);
        }
}

static void check_view(const struct view *v, const struct model *model) {
    uint32_t unread = 0, n = model->rows->len;
    g_assert_cmpuint(view_count(v), ==, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct row *row = &g_array_index(model->rows, struct row, i);
        struct view_entry e = view_at(v, i);
        uint32_t at;
        g_assert_cmpuint(e.mid, ==, row->mid);
        g_assert_cmpuint(e.uid, ==, row->uid);
        g_assert_cmpuint(e.instance, ==, row->instance);
        g_assert_true(view_find(v, row->mid, row->instance, &at));
        g_assert_cmpuint(at, ==, i);
        unread += row->is_unread;
    }
    g_assert_cmpuint(view_unread(v, 0, n), ==, unread);
    check_groups(v, model);
    if (maximum_of(model->spec->sort) || n == 0)
        return;
    // Where a row's values would stand: the first that does not come before them.
    for (uint32_t i = 0; i < n; i += 1 + n / 16)
        for (unsigned k = 1; k <= model->spec->sort->n; k++) {
            const struct row *row = &g_array_index(model->rows, struct row, i);
            uint32_t first = i;
            while (first > 0 &&
                   same_group(row, &g_array_index(model->rows, struct row, first - 1), k - 1, 0))
                first--;
            g_assert_cmpuint(view_lower_bound(v, row->values, k), ==, first);
        }
}

// --- Differences ---

struct patch {
    GArray *rows; // of struct view_entry
};

static int place_in(const GArray *rows, const struct view_entry *e) {
    for (guint i = 0; i < rows->len; i++) {
        const struct view_entry *r = &g_array_index(rows, struct view_entry, i);
        if (r->mid == e->mid && r->instance == e->instance)
            return (int)i;
    }
    return -1;
}

static void on_change(void *ctx, enum view_change what, const struct view_entry *e,
                      uint32_t index) {
    struct patch *p = ctx;
    int at = place_in(p->rows, e);
    if (what == VIEW_ROW_ADDED) {
        g_assert_cmpint(at, <, 0);
    } else {
        g_assert_cmpint(at, >=, 0);
        g_array_remove_index(p->rows, (guint)at);
    }
    // Rows that changed are taken out first and put in as told, in the order of the new view.
    if (what == VIEW_ROW_REMOVED)
        return;
    g_array_insert_val(p->rows, MIN(index, p->rows->len), *e);
}

static void collect(void *ctx, enum view_change what, const struct view_entry *e, uint32_t index) {
    if (what == VIEW_ROW_MODIFIED)
        g_array_append_vals(ctx, e, 1);
}

static void check_diff(const struct view *from, const struct view *to) {
    struct patch p = {g_array_new(FALSE, FALSE, sizeof(struct view_entry))};
    g_autoptr(GArray) modified = g_array_new(FALSE, FALSE, sizeof(struct view_entry));
    for (uint32_t i = 0; i < view_count(from); i++) {
        struct view_entry e = view_at(from, i);
        g_array_append_val(p.rows, e);
    }
    if (view_diff(from, to, 10000, collect, modified)) {
        // A client's view of it: rows that moved are moved one by one.
        for (guint i = 0; i < modified->len; i++) {
            struct view_entry *e = &g_array_index(modified, struct view_entry, i);
            int at = place_in(p.rows, e);
            g_assert_cmpint(at, >=, 0);
            g_array_remove_index(p.rows, (guint)at);
        }
        for (guint i = 0; i < modified->len; i++)
            g_array_append_val(p.rows, g_array_index(modified, struct view_entry, i));
        g_assert_true(view_diff(from, to, 10000, on_change, &p));
        g_assert_cmpuint(p.rows->len, ==, view_count(to));
        for (uint32_t i = 0; i < view_count(to); i++) {
            struct view_entry e = view_at(to, i);
            g_assert_cmpint(place_in(p.rows, &e), ==, (int)i);
        }
    }
    g_array_unref(p.rows);
}

// --- The test ---

struct watched {
    struct sort_order sort;
    struct view_spec spec;
    struct view *v;
};

static struct restriction *contains(struct arena *arena, proptag_t tag, const char *text) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_str(tag, text);
    return restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, tag, v);
}

static struct restriction *importance_is(struct arena *arena, enum relop op, int32_t importance) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_long(PidTagImportance, importance);
    return restriction_property(arena, op, PidTagImportance, v);
}

#define UP SORT_ASCENDING
#define DOWN SORT_DESCENDING

static unsigned make_specs(struct arena *arena, struct watched *w) {
    static const struct sort_order sorts[] = {
        {.n = 1, .columns = {{PidTagMessageDeliveryTime, DOWN, false}}},
        {.n = 2, .columns = {{PidTagSubject, UP, false}, {PidTagMessageSize, DOWN, false}}},
        {.n = 2, .columns = {{PidTagSenderName, DOWN, false}, {PidTagSubject, UP, false}}},
        {.n = 3,
         .n_categories = 2,
         .columns = {{PidTagImportance, UP, false},
                     {PidTagSenderName, UP, false},
                     {PidTagClientSubmitTime, DOWN, false}}},
        {.n = 2,
         .n_categories = 1,
         .columns = {{PidNameKeywords & ~PT_MV, UP, true}, {PidTagSubject, UP, false}}},
        {.n = 3,
         .n_categories = 1,
         .columns = {{PidTagSenderName, DOWN, false},
                     {PidTagMessageDeliveryTime, SORT_MAXIMUM_CATEGORY, false},
                     {PidTagSubject, UP, false}}},
        {.n = 2, .columns = {{PidTagMessageFlags, UP, false}, {PidTagFlagStatus, DOWN, false}}},
    };
    unsigned n = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(sorts); i++)
        w[n++] = (struct watched){.sort = sorts[i], .spec = {FID_INBOX, VIEW_CONTENTS, NULL, NULL}};
    struct restriction **both = arena_alloc(arena, 2 * sizeof *both);
    both[0] = contains(arena, PidTagSubject, "REPORT");
    both[1] = restriction_not(arena, importance_is(arena, RELOP_EQ, 1));
    const struct restriction *restrictions[] = {
        contains(arena, PidTagSubject, "\xc3\x84r"),
        contains(arena, PidTagSenderName, "AL"),
        restriction_list(arena, RES_AND, both, 2),
        restriction_list(arena, RES_OR, both, 2),
        importance_is(arena, RELOP_LT, 2),
        restriction_bitmask(arena, PidTagMessageFlags, 1, false),
        restriction_exist(arena, PidNameKeywords),
        contains(arena, PidTagBody, "nowhere"),
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(restrictions); i++)
        w[n++] = (struct watched){.sort = sorts[i % G_N_ELEMENTS(sorts)],
                                  .spec = {FID_INBOX, VIEW_CONTENTS, NULL, restrictions[i]}};
    w[n++] = (struct watched){.sort = sorts[1], .spec = {FID_INBOX, VIEW_SOFT_DELETED, NULL, NULL}};
    for (unsigned i = 0; i < n; i++)
        w[i].spec.sort = &w[i].sort;
    return n;
}

static void note_new(GArray *mids, uint64_t mid) {
    for (guint i = 0; i < mids->len; i++)
        if (g_array_index(mids, uint64_t, i) == mid)
            return;
    g_array_append_val(mids, mid);
}

// Messages that are there, by the plainest view.
static void learn_mids(struct fixture *f, GArray *mids) {
    struct view_spec spec = {FID_INBOX, VIEW_CONTENTS, NULL, NULL};
    struct view *v;
    assert_ok(view_get(f->mbox, &spec, &v));
    for (uint32_t i = 0; i < view_count(v); i++)
        note_new(mids, view_at(v, i).mid);
    view_unref(v);
}

static void random_change(struct fixture *f, GRand *rand, GArray *mids) {
    int dice = g_rand_int_range(rand, 0, 10);
    struct op op = {.rand = rand};
    if (mids->len == 0 || dice < 4 + (mids->len < 20 ? 4 : 0))
        op.what = OP_ADD;
    else
        op.what = dice < 6 ? OP_FLAGS : dice < 8 ? OP_SAVE : dice < 9 ? OP_DELETE : OP_PURGE;
    if (mids->len > 0)
        op.mid = g_array_index(mids, uint64_t, g_rand_int_range(rand, 0, (gint32)mids->len));
    assert_ok(mbox_write(f->mbox, do_op, &op));
}

static void check_all(struct fixture *f, struct watched *w, unsigned n, GArray *mids) {
    MBOX_TX_AUTO tx = NULL;
    assert_ok(mbox_read(f->mbox, &tx));
    for (unsigned i = 0; i < n; i++) {
        ARENA_AUTO arena = arena_new();
        g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct row));
        struct model model = {arena, rows, &w[i].spec};
        struct view *next;
        if (w[i].v) {
            assert_ok(view_renew(f->mbox, w[i].v, &next));
            check_diff(w[i].v, next);
        } else {
            assert_ok(view_get(f->mbox, &w[i].spec, &next));
        }
        view_unref(w[i].v);
        w[i].v = next;
        model_build(&model, tx, mids);
        check_view(next, &model);
    }
}

static void test_model(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct watched w[32] = {0};
    unsigned n = make_specs(arena, w);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GRand *rand = g_rand_new_with_seed(GPOINTER_TO_UINT(data));
    for (unsigned round = 0; round < ROUNDS; round++) {
        int changes = round % 7 == 0 ? 60 : g_rand_int_range(rand, 1, 4);
        for (int i = 0; i < changes && mids->len < MESSAGES_MAX; i++)
            random_change(f, rand, mids);
        learn_mids(f, mids);
        check_all(f, w, n, mids);
        // Some views are forgotten and asked for again, some kept all the time.
        if (round % 5 == 0)
            for (unsigned i = 0; i < n; i += 3)
                g_clear_pointer(&w[i].v, view_unref);
        if (round % 11 == 0)
            view_set_memory_budget(1); // everything unused goes
        if (round % 11 == 1)
            view_set_memory_budget(0);
    }
    for (unsigned i = 0; i < n; i++)
        view_unref(w[i].v);
    view_set_memory_budget(0);
    g_rand_free(rand);
}

// --- Threads ---

struct reader {
    struct fixture *f;
    const struct view_spec *spec;
    _Atomic bool *stop;
    unsigned seed;
};

static void *read_views(void *data) {
    struct reader *r = data;
    struct view *v;
    assert_ok(view_get(r->f->mbox, r->spec, &v));
    while (!atomic_load(r->stop)) {
        struct view *next;
        assert_ok(view_renew(r->f->mbox, v, &next));
        for (uint32_t i = 0; i < view_count(next); i++) {
            struct view_entry e = view_at(next, i);
            uint32_t at;
            g_assert_true(view_find(next, e.mid, e.instance, &at));
            g_assert_cmpuint(at, ==, i);
        }
        check_diff(v, next);
        view_unref(v);
        v = next;
    }
    view_unref(v);
    return NULL;
}

static void test_threads(struct fixture *f, gconstpointer data) {
    ARENA_AUTO arena = arena_new();
    struct watched w[32] = {0};
    unsigned n = make_specs(arena, w);
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GRand *rand = g_rand_new_with_seed(42);
    _Atomic bool stop = false;
    pthread_t threads[6];
    struct reader readers[6];
    for (unsigned i = 0; i < 6; i++) {
        readers[i] = (struct reader){f, &w[(i / 2 * 3) % n].spec, &stop, i};
        g_assert_cmpint(pthread_create(&threads[i], NULL, read_views, &readers[i]), ==, 0);
    }
    for (unsigned i = 0; i < 150; i++) {
        random_change(f, rand, mids);
        if (i % 10 == 0)
            learn_mids(f, mids);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    learn_mids(f, mids);
    check_all(f, w, n, mids);
    for (unsigned i = 0; i < n; i++)
        view_unref(w[i].v);
    g_rand_free(rand);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(path, seed, fn)                                                                       \
    g_test_add(path, struct fixture, GUINT_TO_POINTER(seed), fixture_setup, fn, fixture_teardown)
    TEST("/view/model/1", 1, test_model);
    TEST("/view/model/2", 2, test_model);
    TEST("/view/threads", 0, test_threads);
    return g_test_run();
}
