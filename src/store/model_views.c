// The views of a folder against the model: orders, restrictions, categories, the three kinds of
// contents, search folders.
//
// Views stay in the cache between two comparisons, so that what is compared is most often a view
// that was brought up to date by changes.
#include "store/model.h"
#include "store/view.h"

struct expected {
    uint64_t mid;
    uint32_t uid, flags;
    char subject[64];
    int32_t importance;
};

static bool is_of_kind(const struct expected *e, enum view_kind kind) {
    uint32_t place = e->flags & (MSG_SOFT_DELETED | MSG_ASSOCIATED);
    if (kind == VIEW_SOFT_DELETED)
        return place == MSG_SOFT_DELETED;
    return place == (kind == VIEW_ASSOCIATED ? MSG_ASSOCIATED : 0);
}

static GArray *messages_of(const struct model_folder *f) {
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct expected));
    for (guint i = 0; i < f->messages->len; i++) {
        const struct model_message *msg = &g_array_index(f->messages, struct model_message, i);
        struct expected e = {.mid = msg->mid,
                             .uid = msg->uid,
                             .flags = msg->flags,
                             .importance = model_importance(msg->subject)};
        model_subject(msg->subject, e.subject, sizeof e.subject);
        g_array_append_val(all, e);
    }
    return all;
}

static int compare_column(const struct expected *a, const struct expected *b,
                          const struct sort_column *column) {
    int c;
    if (column->tag == PidTagImportance) {
        c = (a->importance > b->importance) - (a->importance < b->importance);
    } else {
        struct prop_value x = prop_str(PidTagSubject, a->subject),
                          y = prop_str(PidTagSubject, b->subject);
        c = prop_compare(&x, &y);
    }
    return column->direction == SORT_DESCENDING ? -c : c;
}

static gint compare(gconstpointer a, gconstpointer b, gpointer data) {
    const struct expected *x = a, *y = b;
    const struct sort_order *sort = data;
    for (unsigned i = 0; i < sort->n; i++) {
        int c = compare_column(x, y, &sort->columns[i]);
        if (c)
            return c;
    }
    return (x->uid > y->uid) - (x->uid < y->uid);
}

enum filter { ALL, UNREAD, WITH_WORD };

static bool passes(const struct expected *e, enum filter filter) {
    if (filter == UNREAD)
        return !(e->flags & MSG_READ);
    return filter == ALL || strstr(e->subject, "report") != NULL;
}

static const struct restriction *restriction_of(struct arena *arena, enum filter filter) {
    static const struct prop_value word = {.tag = PidTagSubject, .str = "REPORT"};
    if (filter == UNREAD)
        return restriction_bitmask(arena, PidTagMessageFlags, 1, false);
    if (filter == WITH_WORD)
        return restriction_content(arena, FUZZY_SUBSTRING | FUZZY_IGNORE_CASE, PidTagSubject,
                                   &word);
    return NULL;
}

static const struct expected *row(const GArray *rows, guint i) {
    return &g_array_index(rows, struct expected, i);
}

static void compare_groups(const struct view *v, const GArray *rows,
                           const struct sort_order *sort) {
    for (guint from = 0, to; sort->n_categories > 0 && from < rows->len; from = to) {
        uint32_t unread = 0;
        for (to = from; to < rows->len && row(rows, to)->importance == row(rows, from)->importance;
             to++)
            unread += !(row(rows, to)->flags & MSG_READ);
        g_assert_cmpuint(view_group_end(v, 0, from), ==, to);
        g_assert_cmpuint(view_group_end(v, 0, to - 1), ==, to);
        g_assert_cmpuint(view_unread(v, from, to), ==, unread);
    }
}

static void compare_view(struct model *m, GArray *all, const struct view_spec *spec,
                         enum filter filter) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct expected));
    struct view *v;
    for (guint i = 0; i < all->len; i++)
        if (is_of_kind(row(all, i), spec->kind) && passes(row(all, i), filter))
            g_array_append_vals(rows, row(all, i), 1);
    g_array_sort_with_data(rows, compare, (gpointer)spec->sort);
    assert_ok(view_get(m->f->mbox, spec, &v));
    g_assert_cmpuint(view_count(v), ==, rows->len);
    for (guint i = 0; i < rows->len; i++) {
        struct view_entry e = view_at(v, i);
        g_assert_cmpuint(e.mid, ==, row(rows, i)->mid);
        g_assert_cmpuint(e.uid, ==, row(rows, i)->uid);
    }
    compare_groups(v, rows, spec->sort);
    view_unref(v);
}

static const struct sort_order by_subject = {.n = 1,
                                             .columns = {{PidTagSubject, SORT_ASCENDING, false}}};
static const struct sort_order by_importance = {
    .n = 2,
    .n_categories = 1,
    .columns = {{PidTagImportance, SORT_DESCENDING, false},
                {PidTagSubject, SORT_ASCENDING, false}}};
static const struct sort_order backwards = {.n = 1,
                                            .columns = {{PidTagSubject, SORT_DESCENDING, false}}};

void model_compare_views(struct model *m, const struct model_folder *f) {
    static const struct {
        const struct sort_order *sort;
        enum view_kind kind;
        enum filter filter;
    } views[] = {
        {&by_subject, VIEW_CONTENTS, ALL},       {&by_importance, VIEW_CONTENTS, ALL},
        {&backwards, VIEW_CONTENTS, UNREAD},     {&by_subject, VIEW_CONTENTS, WITH_WORD},
        {&by_importance, VIEW_CONTENTS, UNREAD}, {&by_subject, VIEW_SOFT_DELETED, ALL},
        {&backwards, VIEW_ASSOCIATED, ALL},
    };
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) all = messages_of(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(views); i++) {
        struct view_spec spec = {.fid = f->fid,
                                 .kind = views[i].kind,
                                 .sort = views[i].sort,
                                 .restriction = restriction_of(arena, views[i].filter)};
        compare_view(m, all, &spec, views[i].filter);
    }
}

// What a search folder found, in the order of the subject; `mids` is sorted.
void model_compare_found(struct model *m, const struct model_folder *s, const GArray *mids) {
    struct view_spec spec = {.fid = s->fid, .kind = VIEW_CONTENTS, .sort = &by_subject};
    g_autoptr(GArray) shown = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct view *v;
    assert_ok(view_get(m->f->mbox, &spec, &v));
    g_assert_cmpuint(view_count(v), ==, mids->len);
    for (uint32_t i = 0; i < view_count(v); i++) {
        struct view_entry e = view_at(v, i);
        g_array_append_val(shown, e.mid);
    }
    view_unref(v);
    g_array_sort(shown, model_by_number);
    g_assert_cmpmem(shown->data, shown->len * sizeof(uint64_t), mids->data,
                    mids->len * sizeof(uint64_t));
}
