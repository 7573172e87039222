// Table handles: categories, many rows, and what clients are told of changes.
#include "store/table_text_fixture.h"

// --- Categories ---

static struct table *mails(struct test_source **source_out, unsigned n_categories,
                           unsigned n_expanded) {
    struct table *t = test_table_new(TABLE_CONTENTS, source_out);
    struct test_source *s = *source_out;
    test_add(s, "a", 1, 1)->is_unread = true;
    test_add(s, "b", 1, 2);
    test_add(s, "c", 2, 1)->is_unread = true;
    test_add(s, "d", 1, 1);
    test_add(s, "e", 3, 2);
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    struct sort_order order =
        order_of(3, n_categories, n_expanded, PidTagImportance, SORT_ASCENDING, PidTagSensitivity,
                 SORT_ASCENDING, PidTagSubject, SORT_ASCENDING);
    assert_ok(table_sort(t, &order, false));
    return t;
}

static void test_categories(void) {
    struct test_source *s;
    struct table *t = mails(&s, 1, 1);
    // MS-OXCTABL_R67 R71 R72: all expanded; the further columns order the rows within.
    assert_shows(t, "-1(3/1) a d b -2(1/1) c -3(1/0) e");
    g_assert_cmpuint(count(t), ==, 8);
    table_free(t);
    t = mails(&s, 1, 0);
    assert_shows(t, "+1(3/1) +2(1/1) +3(1/0)"); // MS-OXCTABL_R66
    table_free(t);
    t = mails(&s, 2, 1);
    assert_shows(t, "-1(3/1) +1:1(2/1) +1:2(1/0) -2(1/1) +1:1(1/1) -3(1/0) +1:2(1/0)");
    table_free(t);
    t = mails(&s, 2, 2);
    assert_shows(t, "-1(3/1) -1:1(2/1) a d -1:2(1/0) b -2(1/1) -1:1(1/1) c -3(1/0) -1:2(1/0) e");
    table_free(t);
}

static void test_expand_collapse(void) {
    struct test_source *s;
    struct table *t = mails(&s, 2, 2);
    struct taker taker = taker_new();
    uint32_t rows;
    unsigned n;
    int32_t moved;
    bool gone;
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    uint64_t first = id_of_row(t, 0), inner = id_of_row(t, 1);
    assert_ok(table_seek(t, TABLE_BEGINNING, 3, &moved)); // at "d"
    assert_ok(table_create_bookmark(t, mark));
    assert_ok(table_collapse(t, inner, &rows)); // MS-OXCTABL_R573 R574
    g_assert_cmpuint(rows, ==, 2);              // MS-OXCTABL_R287
    assert_shows(t, "-1(3/1) +1:1(2/1) -1:2(1/0) b -2(1/1) -1:1(1/1) c -3(1/0) -1:2(1/0) e");
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_true(gone);                  // MS-OXCTABL_R182 R506: collapsed away
    g_assert_cmpuint(position(t), ==, 2); // the next row
    assert_ec(table_collapse(t, inner, &rows), EC_NOT_EXPANDED); // MS-OXCTABL_R577
    assert_ok(table_collapse(t, first, &rows));
    g_assert_cmpuint(rows, ==, 3);
    assert_shows(t, "+1(3/1) -2(1/1) -1:1(1/1) c -3(1/0) -1:2(1/0) e");
    assert_ec(table_expand(t, 4711, 0, take, &taker, &n, &rows), EC_NOT_FOUND); // MS-OXCTABL_R570
    assert_ec(table_collapse(t, 4711, &rows), EC_NOT_FOUND);                    // MS-OXCTABL_R576
    // MS-OXCTABL_R567 R568 R278: the state of the inner ones is kept.
    // MS-OXCTABL_R275 R280 R814 R825: the rows that came to sight.
    assert_ok(table_expand(t, first, 2, take, &taker, &n, &rows));
    g_assert_cmpuint(rows, ==, 3);
    g_assert_cmpuint(n, ==, 2); // MS-OXCTABL_R279 R281
    assert_taken(taker, "+1:1(2/1) -1:2(1/0)");
    taker = taker_new();
    assert_ec(table_expand(t, first, 0, take, &taker, &n, &rows),
              EC_NOT_COLLAPSED); // MS-OXCTABL_R571
    assert_ok(table_expand(t, inner, 9, take, &taker, &n, &rows));
    assert_taken(taker, "a d");
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_false(gone); // visible again
    g_assert_cmpuint(position(t), ==, 3);
    table_free(t);
}

static void test_category_bookmark(void) {
    struct test_source *s;
    struct table *t = mails(&s, 1, 1);
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    assert_ok(table_seek(t, TABLE_BEGINNING, 4, &moved)); // the header of 2
    assert_ok(table_create_bookmark(t, mark));
    test_add(s, "x", 1, 1);
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_cmpuint(position(t), ==, 5);
    g_assert_false(gone);
    test_remove(s, 2); // "c": the category is gone
    assert_shows(t, "-1(4/1) a d x b -3(1/0) e");
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_true(gone);
    g_assert_cmpuint(position(t), ==, 5); // the header of 3
    table_free(t);
}

static void test_collapse_state(void) {
    struct test_source *s;
    struct table *t = mails(&s, 2, 2);
    GByteArray *state;
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    uint32_t rows;
    int32_t moved;
    bool gone;
    assert_ok(table_collapse(t, id_of_row(t, 1), &rows));
    assert_ok(table_collapse(t, id_of_row(t, 4), &rows));
    assert_shows(t, "-1(3/1) +1:1(2/1) -1:2(1/0) b +2(1/1) -3(1/0) -1:2(1/0) e");
    // MS-OXCTABL_R579 R580 R582 R301 R581: with the row "b".
    assert_ok(table_get_collapse_state(t, id_of_row(t, 3), 0, &state));
    g_assert_cmpuint(state->len, <=, TABLE_COLLAPSE_STATE_MAX); // MS-OXCTABL_R294
    table_free(t);
    t = mails(&s, 2, 2); // another handle, later
    test_add(s, "n", 1, 0);
    assert_ok(table_set_collapse_state(t, state->data, state->len, mark));
    assert_shows(t, "-1(4/1) -1:0(1/0) n +1:1(2/1) -1:2(1/0) b +2(1/1) -3(1/0) -1:2(1/0) "
                    "e");                 // MS-OXCTABL_R585 R586 R588
    g_assert_cmpuint(position(t), ==, 5); // MS-OXCTABL_R587: at "b"
    assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved));
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone)); // MS-OXCTABL_R315
    g_assert_cmpuint(position(t), ==, 5);
    // Foreign bytes.
    for (unsigned len = 0; len < state->len; len++)
        assert_ec(table_set_collapse_state(t, state->data, len, mark), EC_FORMAT_ERROR);
    for (unsigned i = 0; i < state->len; i++) {
        state->data[i] ^= 0xFF;
        table_set_collapse_state(t, state->data, state->len, mark);
        state->data[i] ^= 0xFF;
    }
    assert_ok(table_set_collapse_state(t, state->data, state->len, mark));
    table_free(t);
    t = mails(&s, 1, 1);
    assert_ec(table_set_collapse_state(t, state->data, state->len, mark), EC_INVALID_PARAMETER);
    g_byte_array_unref(state);
    table_free(t);
}

static void test_find_header(void) {
    ARENA_AUTO arena = arena_new();
    struct test_source *s;
    struct table *t = mails(&s, 1, 0);
    struct taker taker = taker_new();
    struct prop_value v = prop_long(PidTagImportance, 2);
    struct table_find find = {.restriction =
                                  restriction_property(arena, RELOP_EQ, PidTagImportance, &v)};
    bool gone;
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    assert_taken(taker, "+2(1/1)");
    table_free(t);
}

// --- A million rows ---

// Entries without data, in a hundred categories; counts what is asked of it.
struct million {
    struct rows_source base;
    struct rows rows;
    unsigned n_asked;
};

static void million_free(struct rows *rows) {
}

static struct million *million_of(const struct rows *rows) {
    return (struct million *)((char *)rows - offsetof(struct million, rows));
}

static struct row_key million_at(const struct rows *rows, uint32_t i) {
    million_of(rows)->n_asked++;
    return (struct row_key){test_id(i + 1), 0};
}

static uint32_t million_group_end(const struct rows *rows, unsigned level, uint32_t i) {
    million_of(rows)->n_asked++;
    return (i / 10000 + 1) * 10000;
}

static uint32_t million_unread(const struct rows *rows, uint32_t from, uint32_t to) {
    return (to - from) / 2;
}

static enum ec million_values(const struct rows *rows, struct mbox_tx *tx, struct arena *arena,
                              uint32_t i, const proptag_t *tags, unsigned n, size_t max_bytes,
                              const struct prop_value **values) {
    million_of(rows)->n_asked += n;
    for (unsigned k = 0; k < n; k++) {
        struct prop_value v = tags[k] == PidTagInstID ? prop_i8(tags[k], (int64_t)test_id(i + 1))
                                                      : prop_long(tags[k], (int32_t)(i / 10000));
        values[k] = tags[k] == PidTagSubject ? NULL : arena_memdup(arena, &v, sizeof v);
    }
    return EC_OK;
}

static enum ec million_get(struct rows_source *source, const struct sort_order *order,
                           const struct restriction *res, struct rows *old, struct rows **out) {
    *out = rows_ref(&((struct million *)source)->rows);
    return EC_OK;
}

static void million_source_free(struct rows_source *source) {
}

static void test_million(void) {
    static const struct rows_ops ops = {.free = million_free,
                                        .at = million_at,
                                        .group_end = million_group_end,
                                        .unread = million_unread,
                                        .values = million_values};
    static const struct source_ops source_ops = {million_source_free, million_get};
    struct million m = {.base = {.ops = &source_ops}, .rows = {&ops, 1, 1000000}};
    struct table *t = table_new(TABLE_CONTENTS, &m.base);
    struct sort_order order = order_of(1, 1, 0, PidTagImportance, SORT_ASCENDING);
    struct taker taker = taker_new();
    struct table_queried q;
    uint32_t rows;
    unsigned n;
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    assert_ok(table_sort(t, &order, false));
    g_assert_cmpuint(count(t), ==, 100);
    m.n_asked = 0;
    assert_ok(table_seek_fraction(t, 1, 2));
    assert_ok(table_query_rows(t, 0, true, 2, take, &taker, &q));
    assert_taken(taker, "+50(10000/5000) +51(10000/5000)");
    g_assert_cmpuint(m.n_asked, <, 20);
    taker = taker_new();
    assert_ok(table_expand(t, id_of_row(t, 7), 0, take, &taker, &n, &rows));
    g_assert_cmpuint(rows, ==, 10000);
    // Ids are computed once a snapshot.
    m.n_asked = 0;
    assert_ok(table_collapse(t, id_of_row(t, 7), &rows));
    assert_ok(table_expand(t, id_of_row(t, 7), 0, take, &taker, &n, &rows));
    g_assert_cmpuint(m.n_asked, <, 500);
    m.n_asked = 0;
    assert_ok(table_seek_fraction(t, 1, 2));
    assert_ok(table_query_rows(t, 0, false, 1, take, &taker, &q));
    g_assert_cmpuint(m.n_asked, <, 20);
    assert_taken(taker, "?");
    table_free(t);
}

// --- Events ---

static void tell(void *ctx, const struct table_event *e) {
    GString *text = ctx;
    static const char *const names[] = {[TABLE_CHANGED] = "changed",
                                        [TABLE_ROW_ADDED] = "added",
                                        [TABLE_ROW_DELETED] = "deleted",
                                        [TABLE_ROW_MODIFIED] = "modified",
                                        [TABLE_RESTRICTION_CHANGED] = "restricted"};
    g_string_append(text, names[e->kind]);
    if (e->kind == TABLE_ROW_DELETED)
        g_string_append(text, e->row.is_header ? " header" : " row");
    if (e->values) {
        g_string_append_c(text, ' ');
        describe(text, e->values);
        if (e->is_first)
            g_string_append(text, " first");
        else if (e->before.is_header)
            g_string_append(text, " behind header");
        else
            g_string_append_printf(text, " behind %u",
                                   (unsigned)short_id_of_value((int64_t)e->before.id).counter -
                                       1000);
    }
    g_string_append(text, "; ");
}

#define assert_events(t, expected)                                                                 \
    do {                                                                                           \
        g_autoptr(GString) text_ = g_string_new(NULL);                                             \
        assert_ok(table_events(t, tell, text_));                                                   \
        g_assert_cmpstr(text_->str, ==, expected);                                                 \
    } while (0)

static void test_events(void) {
    ARENA_AUTO arena = arena_new();
    struct test_source *s;
    struct table *t = letters(&s, 3);
    sort_by_subject(t);
    test_add(s, "b2", -1, -1);
    assert_events(t, ""); // nothing was read yet: MS-OXCNOTIF_R256
    g_assert_cmpuint(count(t), ==, 4);
    assert_events(t, "");
    test_add(s, "0", -1, -1);
    test_add(s, "c2", -1, -1);
    s->rows[1].importance = 1, s->version++;
    test_remove(s, 0);
    g_assert_cmpuint(count(t), ==, 5); // reading in between hides no event
    // MS-OXCNOTIF_R23 R24 R25 R261 R262 R263: what is gone, then the others with the row before
    // them.
    assert_events(t, "deleted row; added 0 first; modified b behind 4; added c2 behind 2; ");
    assert_events(t, "");
    // Many at once: MS-OXCNOTIF_R22 R264.
    for (unsigned i = 0; i < TABLE_MAX_EVENTS + 1; i++)
        test_add(s, "x", -1, -1);
    assert_events(t, "changed; ");
    // What the client does itself is no event, but the end of what it asked to be done later is.
    struct sort_order order = order_of(1, 0, 0, PidTagSubject, SORT_DESCENDING);
    assert_ok(table_sort(t, &order, false));
    assert_events(t, "");
    assert_ok(table_sort(t, &order, true));
    assert_ok(table_restrict(t, subject_is(arena, RELOP_LT, "c"), true));
    assert_events(t, "changed; restricted; "); // MS-OXCTABL_R422
    g_assert_cmpuint(count(t), ==, 3);
    s->rows[0].subject = "d", s->version++; // no longer matches
    assert_events(t, "deleted row; ");
    assert_ok(table_reset(t)); // MS-OXCNOTIF_R272 R276
    test_add(s, "y", -1, -1);
    assert_events(t, "");
    table_free(t);
}

static void test_events_of_categories(void) {
    struct test_source *s;
    struct table *t = mails(&s, 1, 1);
    uint32_t rows;
    assert_shows(t, "-1(3/1) a d b -2(1/1) c -3(1/0) e");
    test_add(s, "x", 2, 1)->is_unread = true;
    assert_events(t, "modified -2(2/2) behind 1; added x behind 2; ");
    test_add(s, "y", 4, 1);
    assert_events(t, "added -4(1/0) behind 4; added y behind header; ");
    test_remove(s, 4); // "e", the only one of 3
    assert_events(t, "deleted row; deleted header; ");
    assert_ok(table_collapse(t, id_of_row(t, 0), &rows));
    assert_events(t, "");                       // by the client itself
    s->rows[0].is_unread = false, s->version++; // within a collapsed one: only its counts
    assert_events(t, "modified +1(3/0) first; ");
    s->rows[0].importance = 2, s->version++; // out of the collapsed one
    assert_events(t, "modified +1(2/0) first; modified -2(3/2) behind header; "
                     "added a behind header; ");
    s->rows[0].importance = 1, s->version++; // and back
    assert_events(t, "deleted row; modified +1(3/0) first; modified -2(2/2) behind header; ");
    table_free(t);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/table_category/categories", test_categories);
    g_test_add_func("/store/table_category/expand collapse", test_expand_collapse);
    g_test_add_func("/store/table_category/category bookmark", test_category_bookmark);
    g_test_add_func("/store/table_category/collapse state", test_collapse_state);
    g_test_add_func("/store/table_category/find header", test_find_header);
    g_test_add_func("/store/table_category/million rows", test_million);
    g_test_add_func("/store/table_category/events", test_events);
    g_test_add_func("/store/table_category/events of categories", test_events_of_categories);
    return g_test_run();
}
