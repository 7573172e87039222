// Each operation of table handles, with its errors. Names like MS-OXCTABL_R1 are statements of the
// specification that the assertion above or beside them would break.
#include "store/table_text_fixture.h"

// --- Columns ---

static void test_columns_set(void) {
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    struct taker taker = taker_new();
    struct table_queried q;
    struct table_find find = {0};
    GByteArray *state;
    uint8_t mark[TABLE_BOOKMARK_SIZE] = {0};
    bool gone;
    int32_t moved;
    unsigned n;
    uint32_t rows;
    test_add(s, "a", 1, 2);
    // Before columns are set:
    assert_ec(table_query_rows(t, 0, true, 1, take, &taker, &q),
              EC_NULL_OBJECT); // MS-OXCTABL_R428 R476 R768 R867 R471 R866
    assert_ec(table_find_row(t, &find, take, &taker, &gone),
              EC_NULL_OBJECT);                              // MS-OXCTABL_R826 R827 R539
    assert_ec(table_collapse(t, 1, &rows), EC_NULL_OBJECT); // MS-OXCTABL_R8261 R8271
    assert_ec(table_expand(t, 1, 0, take, &taker, &n, &rows),
              EC_NULL_OBJECT);                                            // MS-OXCTABL_R8263 R8273
    assert_ec(table_free_bookmark(t, mark, sizeof mark), EC_NULL_OBJECT); // MS-OXCTABL_R8264 R8274
    assert_ec(table_get_collapse_state(t, 0, 0, &state),
              EC_NULL_OBJECT); // MS-OXCTABL_R8265 R8275
    assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
              EC_NULL_OBJECT); // MS-OXCTABL_R8266 R8276
    assert_ec(table_set_collapse_state(t, "", 0, mark),
              EC_NULL_OBJECT); // MS-OXCTABL_R8267 R8277
    // MS-OXCTABL_R435: tags of no type.
    static const proptag_t bad[] = {PROP_TAG(0x0037, PT_UNSPECIFIED), PROP_TAG(0x0037, PT_ERROR),
                                    PROP_TAG(0x0037, PT_NULL), PROP_TAG(0x0037, 0x0777),
                                    PROP_TAG(0x0037, PT_UNICODE | 0x2000)};
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
        g_assert_cmpint(table_status(t), ==, TABLE_COMPLETE);
        assert_ec(table_set_columns(t, &bad[i], 1, false), EC_INVALID_PARAMETER);
        // MS-OXCTABL_R429 R610: no columns until the next success. MS-OXCTABL_R421: the status says
        // so.
        assert_ec(table_query_rows(t, 0, true, 1, take, &taker, &q), EC_NULL_OBJECT);
        g_assert_cmpint(table_status(t), ==, TABLE_SETCOL_ERROR);
    }
    assert_ec(table_set_columns(t, shown, 0, false), EC_INVALID_PARAMETER);
    // MS-OXCTABL_R426 R427 R431 R432 R831: kept, and given by each reading.
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    g_assert_cmpuint(table_columns(t).n, ==, G_N_ELEMENTS(shown));
    assert_ok(table_query_rows(t, TABLE_NO_ADVANCE, true, 5, take, &taker, &q));
    assert_ok(table_query_rows(t, 0, true, 5, take, &taker, &q));
    assert_taken(taker, "a a");
    g_assert_cmpuint(table_all_columns(t).n, ==, 3); // MS-OXCTABL_R530 R531 R876 R221
    table_free(t);
}

static bool take_two(void *ctx, const struct prop_value *const *values) {
    const struct prop_value **out = ctx;
    g_assert_cmpuint(values[0]->tag, ==, PidTagSubject);
    g_assert_cmpstr(values[0]->str, ==, "a");
    g_assert_true(values[1] == NULL);
    *out = values[2];
    return true;
}

static void test_column_order(void) {
    struct test_source *s;
    struct table *t = letters(&s, 1);
    const struct prop_value *last = NULL;
    struct table_queried q;
    // MS-OXCTABL_R50 R116 R472: values in the order of the columns. PT_STRING8 is read as text.
    proptag_t columns[] = {PROP_TAG(PROP_ID(PidTagSubject), PT_STRING8), PidTagImportance,
                           PidTagInstanceNum};
    assert_ok(table_set_columns(t, columns, 3, false));
    assert_ok(table_query_rows(t, 0, true, 1, take_two, &last, &q));
    g_assert_nonnull(last);
    table_free(t);
}

static bool take_subject(void *ctx, const struct prop_value *const *values) {
    *(char **)ctx = g_strdup(values[0]->str);
    return true;
}

static void test_long_values(void) {
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    proptag_t column = PidTagSubject;
    struct table_queried q;
    char *text;
    g_autofree char *wide = g_strnfill(1000, 'x');
    g_autofree char *clefs = g_malloc0(400 * 4 + 1); // each two UTF-16 units
    for (unsigned i = 0; i < 400; i++)
        memcpy(clefs + 4 * i, "\xF0\x9D\x84\x9E", 4);
    test_add(s, wide, -1, -1);
    test_add(s, clefs, -1, -1);
    assert_ok(table_set_columns(t, &column, 1, false));
    assert_ok(table_query_rows(t, 0, true, 1, take_subject, &text, &q));
    g_assert_cmpuint(strlen(text), ==, 255); // MS-OXCTABL_R121 R122
    g_free(text);
    assert_ok(table_query_rows(t, 0, true, 1, take_subject, &text, &q));
    g_assert_cmpuint(strlen(text), ==, 127 * 4);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_free(text);
    table_free(t);
}

// --- Instances ---

static bool take_instance(void *ctx, const struct prop_value *const *v) {
    g_string_append_printf(ctx, "%s/%d/%s ", v[0]->str, v[1]->l, v[2] ? v[2]->str : "-");
    return true;
}

static void test_instances(void) {
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    g_autoptr(GString) text = g_string_new(NULL);
    struct table_queried q;
    proptag_t columns[] = {PidTagSubject, PidTagInstanceNum, TEST_KEYWORD_INSTANCE};
    struct test_row *r = test_add(s, "a", -1, -1);
    r->keywords[0] = "red", r->keywords[1] = "blue", r->n_keywords = 2;
    test_add(s, "b", -1, -1);
    // MS-OXCTABL_R433 R12: one row a value, each with its own number.
    assert_ok(table_set_columns(t, columns, 3, false));
    assert_ok(table_query_rows(t, 0, true, 10, take_instance, text, &q));
    g_assert_cmpstr(text->str, ==, "b/0/- a/2/blue a/1/red ");
    // MS-OXCTABL_R448: sorted by the values of the instances.
    struct sort_order order = {.n = 1, .columns = {{TEST_KEYWORD, SORT_DESCENDING, true}}};
    assert_ok(table_sort(t, &order, false));
    g_string_truncate(text, 0);
    assert_ok(table_query_rows(t, 0, true, 10, take_instance, text, &q));
    g_assert_cmpstr(text->str, ==, "a/1/red a/2/blue b/0/- ");
    // MS-OXCTABL_R8: instances have one id.
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    g_assert_cmpuint(id_of_row(t, 0), ==, id_of_row(t, 1));
    // Two columns cannot be split at once.
    proptag_t two[] = {TEST_KEYWORD_INSTANCE, PROP_TAG(0x9002, PT_MV_UNICODE | 0x2000)};
    assert_ec(table_set_columns(t, two, 2, false), EC_INVALID_PARAMETER);
    assert_ec(table_set_columns(t, &two[1], 1, false), EC_INVALID_PARAMETER);
    // Without the column in the order or the columns each message stands once.
    order = order_of(1, 0, 0, PidTagSubject, SORT_ASCENDING);
    assert_ok(table_sort(t, &order, false));
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    g_assert_cmpuint(count(t), ==, 2);
    table_free(t);
}

// --- Order ---

static void test_sort(void) {
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    test_add(s, "x", 2, 1), test_add(s, "y", 1, 2), test_add(s, "Z", 2, 0), test_add(s, "a", -1, 1);
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    assert_shows(t, "x y Z a"); // MS-OXCTABL_R440: the default order
    struct sort_order order =
        order_of(2, 0, 0, PidTagImportance, SORT_DESCENDING, PidTagSensitivity, SORT_ASCENDING);
    assert_ok(table_seek(t, TABLE_BEGINNING, 2, &moved));
    assert_ok(table_create_bookmark(t, mark));
    assert_ok(table_sort(t, &order, false));
    g_assert_cmpuint(position(t), ==, 0); // MS-OXCTABL_R439
    assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R439 R505 R864 R904
    assert_shows(t, "Z x y a");     // MS-OXCTABL_R437 R119 R76 R77 R447
    sort_by_subject(t);
    assert_shows(t, "a x y Z"); // MS-OXCTABL_R438
    order = (struct sort_order){0};
    assert_ok(table_sort(t, &order, false));
    assert_shows(t, "x y Z a");
    table_free(t);
}

static void test_sort_errors(void) {
    struct test_source *s;
    struct table *t = letters(&s, 2);
    struct taker taker = taker_new();
    struct table_queried q;
    struct sort_order bad[] = {
        order_of(1, 2, 0, PidTagSubject, SORT_ASCENDING),
        order_of(1, 1, 2, PidTagSubject, SORT_ASCENDING),
        order_of(1, 0, 0, PidTagSubject, 2),
        order_of(1, 0, 0, PidTagSubject, SORT_MAXIMUM_CATEGORY),
        order_of(2, 0, 0, PidTagSubject, SORT_ASCENDING, PidTagImportance, SORT_MAXIMUM_CATEGORY),
        order_of(1, 0, 0, PROP_TAG(0x0037, PT_UNSPECIFIED), SORT_ASCENDING),
        order_of(1, 0, 0, PROP_TAG(0x3701, PT_OBJECT), SORT_ASCENDING),
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        sort_by_subject(t);
        assert_ec(table_sort(t, &bad[i], false), EC_INVALID_PARAMETER);
        // MS-OXCTABL_R442 R443: no rows until the next success.
        assert_ec(table_query_rows(t, 0, true, 1, take, &taker, &q), EC_NOT_INITIALIZED);
        g_assert_cmpint(table_status(t), ==, TABLE_SORT_ERROR); // MS-OXCTABL_R421
    }
    assert_ok(table_reset(t)); // MS-OXCTABL_R559
    g_assert_cmpint(table_status(t), ==, TABLE_COMPLETE);
    assert_ec(table_query_rows(t, 0, true, 1, take, &taker, &q),
              EC_NULL_OBJECT); // MS-OXCTABL_R560 R553 R554
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    assert_shows(t, "a b");
    assert_taken(taker, "");
    table_free(t);
}

// --- Restriction ---

static void test_restrict(void) {
    ARENA_AUTO arena = arena_new();
    struct test_source *s;
    struct table *t = letters(&s, 5);
    struct taker taker = taker_new();
    struct table_queried q;
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    assert_shows(t, "a b c d e"); // MS-OXCTABL_R454 R118
    assert_ok(table_seek(t, TABLE_BEGINNING, 3, &moved));
    assert_ok(table_create_bookmark(t, mark));
    struct restriction *res = subject_is(arena, RELOP_GE, "c");
    assert_ok(table_restrict(t, res, false));
    arena_reset(arena);                   // the table has its own copy
    g_assert_cmpuint(position(t), ==, 0); // MS-OXCTABL_R453
    assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
              EC_INVALID_BOOKMARK);    // MS-OXCTABL_R453 R865 R870 R906
    assert_shows(t, "c d e");          // MS-OXCTABL_R451 R452 R117 R834
    g_assert_cmpuint(count(t), ==, 3); // MS-OXCTABL_R138
    // A limited number of rows.
    struct restriction limited = {.kind = RES_COUNT};
    limited.count.count = 2;
    limited.count.sub = subject_is(arena, RELOP_GE, "b");
    assert_ok(table_restrict(t, &limited, false));
    assert_shows(t, "b c");
    assert_ok(table_restrict(t, NULL, false));
    assert_shows(t, "a b c d e");
    // Too deep to keep: MS-OXCTABL_R455 R456.
    res = subject_is(arena, RELOP_GE, "c");
    for (unsigned i = 0; i < RESTRICTION_MAX_DEPTH + 10; i++)
        res = restriction_not(arena, res);
    assert_ec(table_restrict(t, res, false), EC_TOO_COMPLEX);
    g_assert_cmpint(table_status(t), ==, TABLE_RESTRICT_ERROR); // MS-OXCTABL_R421
    assert_ec(table_query_rows(t, 0, true, 1, take, &taker, &q), EC_NOT_INITIALIZED);
    assert_ok(table_restrict(t, NULL, false));
    assert_shows(t, "a b c d e");
    assert_taken(taker, "");
    table_free(t);
}

static void test_reset(void) {
    ARENA_AUTO arena = arena_new();
    struct test_source *s;
    struct table *t = letters(&s, 4);
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    struct sort_order order = order_of(1, 0, 0, PidTagSubject, SORT_DESCENDING);
    assert_ok(table_sort(t, &order, false));
    assert_ok(table_restrict(t, subject_is(arena, RELOP_GE, "c"), false));
    assert_shows(t, "d c");
    assert_ok(table_seek(t, TABLE_BEGINNING, 1, &moved));
    assert_ok(table_create_bookmark(t, mark));
    assert_ok(table_reset(t));
    g_assert_cmpuint(table_columns(t).n, ==, 0); // MS-OXCTABL_R553
    g_assert_cmpuint(position(t), ==, 0);        // MS-OXCTABL_R561
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    assert_shows(t, "a b c d"); // MS-OXCTABL_R555 R556 R557 R558 R564
    assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R562 R863 R871 R908
    table_free(t);
}

// --- Reading ---

static void test_query_rows(void) {
    struct test_source *s;
    struct table *t = letters(&s, 5);
    struct table_queried q;
    struct taker taker = taker_new();
    assert_ok(table_query_rows(t, 0, true, 2, take, &taker, &q));
    g_assert_cmpuint(q.n, ==, 2);                 // MS-OXCTABL_R112 R108 R111 R113 R463
    g_assert_cmpint(q.origin, ==, TABLE_CURRENT); // MS-OXCTABL_R726 R724 R109 R110
    g_assert_cmpuint(position(t), ==, 2);
    assert_ok(table_query_rows(t, TABLE_NO_ADVANCE, true, 2, take, &taker, &q));
    g_assert_cmpuint(position(t), ==, 2); // MS-OXCTABL_R470
    assert_ok(table_query_rows(t, 0, true, 10, take, &taker, &q));
    g_assert_cmpint(q.origin, ==, TABLE_END); // MS-OXCTABL_R725
    g_assert_cmpuint(q.n, ==, 3);
    assert_ok(table_query_rows(t, 0, true, 10, take, &taker, &q));
    g_assert_cmpuint(q.n, ==, 0); // MS-OXCTABL_R467
    g_assert_cmpint(q.origin, ==, TABLE_END);
    assert_taken(taker, "a b c d c d e"); // MS-OXCTABL_R462 R468 R474 R837
    taker = taker_new();
    taker.is_backward = true;
    assert_ok(table_query_rows(t, 0, false, 2, take, &taker, &q));
    g_assert_cmpuint(position(t), ==, 3); // MS-OXCTABL_R469
    g_assert_cmpint(q.origin, ==, TABLE_CURRENT);
    assert_ok(table_query_rows(t, 0, false, 10, take, &taker, &q));
    g_assert_cmpint(q.origin, ==, TABLE_BEGINNING); // MS-OXCTABL_R784 R896
    assert_taken(taker, "a b c d e");
    // A receiver that has place for three: MS-OXCTABL_R464 R465 R466.
    taker = taker_new();
    taker.room = 3;
    assert_ok(table_query_rows(t, 0, true, 10, take, &taker, &q));
    g_assert_true(q.is_full && q.n == 3);
    g_assert_cmpuint(position(t), ==, 3);
    assert_taken(taker, "a b c");
    taker = taker_new();
    taker.room = 0;
    assert_ok(table_query_rows(t, 0, true, 10, take, &taker, &q));
    g_assert_true(q.is_full && q.n == 0);
    g_assert_cmpuint(position(t), ==, 3);
    assert_taken(taker, "");
    table_free(t);
}

static void test_seek(void) {
    struct test_source *s;
    struct table *t = letters(&s, 5);
    int32_t moved;
    assert_ok(table_seek(t, TABLE_BEGINNING, 3, &moved));
    g_assert_cmpint(moved, ==, 3);        // MS-OXCTABL_R150 R155 R161 R496 R499 R850
    g_assert_cmpuint(position(t), ==, 3); // MS-OXCTABL_R136 R137 R491 R493 R846
    assert_ok(table_seek(t, TABLE_CURRENT, -2, &moved));
    g_assert_cmpint(moved, ==, -2); // MS-OXCTABL_R160
    assert_ok(table_seek(t, TABLE_CURRENT, 100, &moved));
    g_assert_cmpint(moved, ==, 4);               // MS-OXCTABL_R152 R154 R497
    g_assert_cmpuint(position(t), ==, count(t)); // MS-OXCTABL_R139
    assert_ok(table_seek(t, TABLE_END, INT32_MIN, &moved));
    g_assert_cmpint(moved, ==, -5); // MS-OXCTABL_R159
    g_assert_cmpuint(position(t), ==, 0);
    assert_ec(table_seek(t, (enum table_origin)3, 0, &moved), EC_INVALID_PARAMETER);
    table_free(t);
}

static void test_seek_fraction(void) {
    struct test_source *s;
    struct table *t = letters(&s, 8);
    assert_ok(table_seek_fraction(t, 1, 2));
    g_assert_cmpuint(position(t), ==, 4); // MS-OXCTABL_R513 R516 R519 R855 R910 R912 R914
    assert_ok(table_seek_fraction(t, 0, 7));
    g_assert_cmpuint(position(t), ==, 0); // MS-OXCTABL_R203 R514
    assert_ok(table_seek_fraction(t, 7, 7));
    g_assert_cmpuint(position(t), ==, 8); // MS-OXCTABL_R204 R515
    assert_ok(table_seek_fraction(t, UINT32_MAX - 1, UINT32_MAX));
    g_assert_cmpuint(position(t), ==, 8);
    assert_ec(table_seek_fraction(t, 1, 0), EC_INVALID_BOOKMARK);
    table_free(t);
}

// --- Bookmarks ---

static void test_bookmarks(void) {
    struct test_source *s;
    struct table *t = letters(&s, 5);
    uint8_t mark[TABLE_BOOKMARK_SIZE], end[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    sort_by_subject(t);
    assert_ok(table_seek(t, TABLE_BEGINNING, 2, &moved));
    assert_ok(table_create_bookmark(t, mark)); // MS-OXCTABL_R522 R526 R862 R211 R213
    assert_ok(table_seek(t, TABLE_END, 0, &moved));
    assert_ok(table_create_bookmark(t, end));
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 1, &moved, &gone));
    g_assert_cmpuint(position(t), ==, 3); // MS-OXCTABL_R503 R504 R508 R861
    g_assert_cmpint(moved, ==, 1);        // MS-OXCTABL_R178 R188 R194
    g_assert_false(gone);                 // MS-OXCTABL_R183
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, -9, &moved, &gone));
    g_assert_cmpint(moved, ==, -2); // MS-OXCTABL_R180 R187 R192 R193
    // Rows come before it: it stays with its row.
    test_add(s, "aa", -1, -1);
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_cmpuint(position(t), ==, 3);
    // Its row goes to the end, and the bookmark with it.
    s->rows[2].subject = "z", s->version++;
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_false(gone);
    g_assert_cmpuint(position(t), ==, 5);
    s->rows[2].subject = "c", s->version++;
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    // Its row is deleted: the next one.
    test_remove(s, 2);
    assert_ok(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone));
    g_assert_true(gone);                  // MS-OXCTABL_R182 R506
    g_assert_cmpuint(position(t), ==, 3); // MS-OXCTABL_R184 R185: at "d"
    assert_ok(table_seek_bookmark(t, end, sizeof end, 0, &moved, &gone));
    g_assert_cmpuint(position(t), ==, 5);
    g_assert_false(gone);
    // Freed and made up ones.
    assert_ok(table_free_bookmark(t, mark, sizeof mark)); // MS-OXCTABL_R545 R548 R549
    assert_ec(table_free_bookmark(t, mark, sizeof mark), EC_INVALID_BOOKMARK); // MS-OXCTABL_R5521
    assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R511
    assert_ec(table_seek_bookmark(t, end, 7, 0, &moved, &gone), EC_INVALID_BOOKMARK);
    assert_ec(table_seek_bookmark(t, "123456789", 9, 0, &moved, &gone), EC_INVALID_BOOKMARK);
    assert_ec(table_free_bookmark(t, "", 0), EC_INVALID_BOOKMARK);
    // Not without end.
    for (unsigned i = 1; i < TABLE_MAX_BOOKMARKS; i++)
        assert_ok(table_create_bookmark(t, mark));
    assert_ec(table_create_bookmark(t, mark), EC_NOT_ENOUGH_RESOURCES);
    table_free(t); // MS-OXCTABL_R524 R546: they go with the table (the sanitizer looks)
}

static void test_position_moves(void) {
    struct test_source *s;
    struct table *t = letters(&s, 6);
    int32_t moved;
    sort_by_subject(t);
    assert_ok(table_seek(t, TABLE_BEGINNING, 3, &moved)); // at "d"
    test_add(s, "0", -1, -1);
    g_assert_cmpuint(position(t), ==, 4);
    test_remove(s, 3); // "d" itself: now at "e"
    g_assert_cmpuint(position(t), ==, 4);
    test_remove(s, 0); // "a"
    g_assert_cmpuint(position(t), ==, 3);
    s->rows[2].subject = "1", s->version++; // "e" moves to the front: the position stays, at "f"
    g_assert_cmpuint(position(t), ==, 4);
    test_remove(s, 3); // "f": at the end
    g_assert_cmpuint(position(t), ==, count(t));
    test_add(s, "g", -1, -1); // still at the end
    g_assert_cmpuint(position(t), ==, count(t));
    // At the beginning new rows there are read too.
    assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved));
    test_add(s, " ", -1, -1);
    g_assert_cmpuint(position(t), ==, 0);
    table_free(t);
}

// --- Finding ---

static void test_find_row(void) {
    ARENA_AUTO arena = arena_new();
    struct test_source *s;
    struct table *t = letters(&s, 6);
    struct taker taker = taker_new();
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    sort_by_subject(t);
    struct table_find find = {.restriction = subject_is(arena, RELOP_GT, "b")};
    assert_ok(table_find_row(t, &find, take, &taker, &gone)); // MS-OXCTABL_R534 R542 R859 R225
    g_assert_cmpuint(position(t), ==, 2);                     // MS-OXCTABL_R535
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.origin = TABLE_CURRENT;
    assert_ok(table_seek(t, TABLE_CURRENT, 1, &moved));
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    g_assert_false(gone);
    find.is_backward = true; // MS-OXCTABL_R226 R241: not the row itself
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    assert_ec(table_find_row(t, &find, take, &taker, &gone),
              EC_NOT_FOUND); // MS-OXCTABL_R536 R544001
    g_assert_cmpuint(position(t), ==, 2);
    find = (struct table_find){
        .origin = TABLE_END, .is_backward = true, .restriction = subject_is(arena, RELOP_LT, "c")};
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    assert_taken(taker, "c c d c b"); // MS-OXCTABL_R243 R540 R824 R813
    // From a bookmark.
    taker = taker_new();
    assert_ok(table_seek(t, TABLE_BEGINNING, 3, &moved));
    assert_ok(table_create_bookmark(t, mark));
    find = (struct table_find){.bookmark = mark, .bookmark_len = sizeof mark};
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    g_assert_false(gone); // MS-OXCTABL_R239
    test_remove(s, 3);
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    g_assert_true(gone); // MS-OXCTABL_R238 R240 R538 R6081
    assert_taken(taker, "d e");
    taker = taker_new();
    sort_by_subject(t);
    assert_ec(table_find_row(t, &find, take, &taker, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R537 R898
    assert_ok(table_create_bookmark(t, mark));
    assert_ok(table_restrict(t, NULL, false));
    assert_ec(table_find_row(t, &find, take, &taker, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R868 R900
    assert_ok(table_create_bookmark(t, mark));
    assert_ok(table_reset(t));
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    assert_ec(table_find_row(t, &find, take, &taker, &gone),
              EC_INVALID_BOOKMARK); // MS-OXCTABL_R869 R902
    assert_taken(taker, "");
    table_free(t);
}

static struct restriction *begins_with(struct arena *arena, const char *text, uint32_t fuzzy) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_str(PidTagSubject, text);
    return restriction_content(arena, fuzzy, PidTagSubject, v);
}

static void test_find_by_prefix(void) {
    ARENA_AUTO arena = arena_new();
    static char names[400][8];
    struct test_source *s;
    struct table *t = test_table_new(TABLE_CONTENTS, &s);
    struct table_find find = {0};
    bool gone;
    struct taker taker = taker_new();
    for (unsigned i = 0; i < 400; i++) {
        g_snprintf(names[i], sizeof names[i], "%c%03u", i % 2 ? 'N' : 'n', i);
        test_add(s, names[i], -1, -1);
    }
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    sort_by_subject(t);
    assert_ok(
        table_query_rows(t, TABLE_NO_ADVANCE, true, 0, take, &taker, &(struct table_queried){0}));
    s->n_values_read = 0;
    find.restriction = begins_with(arena, "N30", FUZZY_PREFIX | FUZZY_IGNORE_CASE);
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.restriction = begins_with(arena, "n30", FUZZY_PREFIX);
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.restriction = begins_with(arena, "N30", FUZZY_PREFIX);
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.restriction = subject_is(arena, RELOP_EQ, "n350");
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.restriction = subject_is(arena, RELOP_GE, "n3505");
    assert_ok(table_find_row(t, &find, take, &taker, &gone));
    find.restriction = begins_with(arena, "m", FUZZY_PREFIX | FUZZY_IGNORE_CASE);
    assert_ec(table_find_row(t, &find, take, &taker, &gone), EC_NOT_FOUND);
    find.restriction = subject_is(arena, RELOP_EQ, "n3505");
    assert_ec(table_find_row(t, &find, take, &taker, &gone), EC_NOT_FOUND);
    assert_taken(taker, "n300 n300 N301 n350 N351");
    g_assert_cmpuint(s->n_values_read, <, 100); // no search through all rows
    table_free(t);
}

// --- Status ---

static void test_status(void) {
    static const enum table_kind kinds[] = {TABLE_CONTENTS,    TABLE_ASSOCIATED,  TABLE_HIERARCHY,
                                            TABLE_ATTACHMENTS, TABLE_PERMISSIONS, TABLE_RULES};
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct test_source *s;
        struct table *t = test_table_new(kinds[i], &s);
        bool is_contents = kinds[i] <= TABLE_ASSOCIATED;
        bool is_hierarchy = kinds[i] == TABLE_HIERARCHY, is_rules = kinds[i] == TABLE_RULES;
        struct sort_order order = {0};
        struct taker taker = taker_new();
        struct table_find find = {0};
        struct table_queried q;
        uint8_t mark[TABLE_BOOKMARK_SIZE];
        uint32_t rows;
        unsigned n;
        int32_t moved;
        bool gone;
        GByteArray *state;
        test_add(s, "a", 1, 1);
        // MS-OXCTABL_R41 R40 R416 R625 R781 R812 R43 R54 R55 R796 R829 R830 R881 R595 R770 R596
        // R604 R883 R749 R751 R885 R889 R891: done at once, also when asked to be done later.
        assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), true));
        g_assert_cmpint(table_status(t), ==,
                        TABLE_COMPLETE); // MS-OXCTABL_R488 R132 R487 R840 R841 R842 R129 R131
        // MS-OXCTABL_R486 R485 R479 R483 R839 R860 R602 R882: nothing runs that could be aborted
        assert_ec(table_abort(t), is_contents || is_hierarchy ? EC_CANCEL : EC_NOT_SUPPORTED);
        assert_ec(
            table_sort(t, &order, true),
            is_contents
                ? EC_OK
                : EC_NOT_SUPPORTED); // MS-OXCTABL_R450 R797 R83 R84 R446 R597 R772 R598 R800 R886
        assert_ec(table_restrict(t, NULL, true),
                  is_contents || is_hierarchy || is_rules
                      ? EC_OK
                      : EC_NOT_SUPPORTED); // MS-OXCTABL_R461 R459 R832 R833 R93 R94 R798 R458 R600
                                           // R774 R822 R802 R810
        // MS-OXCTABL_R751 R758 R760 R762 R764 R766 R822: nothing is left to be done, none is busy.
        assert_ok(table_query_rows(t, 0, true, 0, take, &taker, &q)); // MS-OXCTABL_R474 R835 R836
        assert_ok(table_query_position(t, &rows, &rows));             // MS-OXCTABL_R493 R844 R845
        assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved));         // MS-OXCTABL_R499 R848 R849
        assert_ok(table_seek_fraction(t, 0, 1));                      // MS-OXCTABL_R519 R853 R854
        g_assert_cmpuint(table_all_columns(t).n, >, 0);               // MS-OXCTABL_R531 R875 R877
        assert_ec(table_create_bookmark(t, mark),
                  is_contents || is_hierarchy ? EC_OK : EC_NOT_SUPPORTED); // MS-OXCTABL_R529 R857
        assert_ec(table_seek_bookmark(t, mark, sizeof mark, 0, &moved, &gone),
                  is_contents || is_hierarchy ? EC_OK : EC_NOT_SUPPORTED); // MS-OXCTABL_R512 R852
        assert_ec(table_free_bookmark(t, mark, sizeof mark),
                  is_contents || is_hierarchy ? EC_OK : EC_NOT_SUPPORTED); // MS-OXCTABL_R547 R551
        assert_ec(table_find_row(t, &find, take, &taker, &gone),
                  is_contents || is_hierarchy || is_rules
                      ? EC_OK
                      : EC_NOT_SUPPORTED); // MS-OXCTABL_R544 R858 R874
        assert_ec(table_expand(t, 1, 0, take, &taker, &n, &rows),
                  is_contents ? EC_NOT_FOUND : EC_NOT_SUPPORTED); // MS-OXCTABL_R572
        assert_ec(table_collapse(t, 1, &rows),
                  is_contents ? EC_NOT_FOUND : EC_NOT_SUPPORTED); // MS-OXCTABL_R578
        enum ec ec = table_get_collapse_state(t, 0, 0, &state);
        assert_ec(ec, is_contents ? EC_OK : EC_NOT_SUPPORTED); // MS-OXCTABL_R584
        if (ec == EC_OK)
            g_byte_array_unref(state);
        assert_ec(table_set_collapse_state(t, "", 0, mark),
                  is_contents ? EC_FORMAT_ERROR : EC_NOT_SUPPORTED);       // MS-OXCTABL_R590
        assert_ec(table_reset(t), is_contents ? EC_OK : EC_NOT_SUPPORTED); // MS-OXCTABL_R566
        g_string_free(taker.text, TRUE);
        table_free(t);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/table/columns set", test_columns_set);
    g_test_add_func("/store/table/column order", test_column_order);
    g_test_add_func("/store/table/long values", test_long_values);
    g_test_add_func("/store/table/instances", test_instances);
    g_test_add_func("/store/table/sort", test_sort);
    g_test_add_func("/store/table/sort errors", test_sort_errors);
    g_test_add_func("/store/table/restrict", test_restrict);
    g_test_add_func("/store/table/reset", test_reset);
    g_test_add_func("/store/table/query rows", test_query_rows);
    g_test_add_func("/store/table/seek", test_seek);
    g_test_add_func("/store/table/seek fraction", test_seek_fraction);
    g_test_add_func("/store/table/bookmarks", test_bookmarks);
    g_test_add_func("/store/table/position moves", test_position_moves);
    g_test_add_func("/store/table/find", test_find_row);
    g_test_add_func("/store/table/find by prefix", test_find_by_prefix);
    g_test_add_func("/store/table/status", test_status);
    return g_test_run();
}
