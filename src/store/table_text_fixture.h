// Rows of a test table as text, for the tests of table handles.
#pragma once

#include "store/table_fixture.h"

// --- Rows as text ---

static const proptag_t shown[] = {PidTagRowType,
                                  PidTagDepth,
                                  PidTagSubject,
                                  PidTagImportance,
                                  PidTagSensitivity,
                                  PidTagContentCount,
                                  PidTagContentUnreadCount,
                                  PidTagInstID,
                                  PidTagInstanceNum};
enum { C_TYPE, C_DEPTH, C_SUBJECT, C_IMPORTANCE, C_SENSITIVITY, C_COUNT, C_UNREAD, C_ID, C_NUM };

struct taker {
    GString *text;
    unsigned room; // rows taken before refusing
    bool is_backward;
    uint64_t ids[64];
    unsigned n;
};

// A leaf is its subject; a header "+1(3/2)" or "-1(3/2)": collapsed or expanded, value, counts.
static inline void describe(GString *text, const struct prop_value *const *v) {
    if (!v[C_TYPE] || v[C_TYPE]->l == 1) { // only contents have row types
        g_string_append(text, v[C_SUBJECT] ? v[C_SUBJECT]->str : "?");
        return;
    }
    const struct prop_value *value = v[C_SENSITIVITY] ? v[C_SENSITIVITY] : v[C_IMPORTANCE];
    g_string_append_printf(text, "%c", v[C_TYPE]->l == 3 ? '-' : '+');
    if (v[C_DEPTH]->l > 0)
        g_string_append_printf(text, "%d:", v[C_DEPTH]->l);
    if (value)
        g_string_append_printf(text, "%d", value->l);
    g_string_append_printf(text, "(%d/%d)", v[C_COUNT]->l, v[C_UNREAD]->l);
}

static inline bool take(void *ctx, const struct prop_value *const *values) {
    struct taker *taker = ctx;
    g_autoptr(GString) row = g_string_new(NULL);
    if (taker->n >= taker->room)
        return false;
    taker->ids[taker->n++ % 64] = (uint64_t)values[C_ID]->i8;
    describe(row, values);
    if (taker->is_backward) {
        if (taker->text->len > 0)
            g_string_prepend_c(taker->text, ' ');
        g_string_prepend(taker->text, row->str);
    } else {
        if (taker->text->len > 0)
            g_string_append_c(taker->text, ' ');
        g_string_append(taker->text, row->str);
    }
    return true;
}

static inline struct taker taker_new(void) {
    return (struct taker){.text = g_string_new(NULL), .room = UINT_MAX};
}

#define assert_taken(taker, expected)                                                              \
    do {                                                                                           \
        g_assert_cmpstr((taker).text->str, ==, expected);                                          \
        g_string_free((taker).text, TRUE);                                                         \
    } while (0)

// All rows, without moving the position.
#define assert_shows(t, expected)                                                                  \
    do {                                                                                           \
        uint8_t mark_[TABLE_BOOKMARK_SIZE];                                                        \
        int32_t moved_;                                                                            \
        bool gone_;                                                                                \
        struct taker taker_ = taker_new();                                                         \
        struct table_queried queried_;                                                             \
        assert_ok(table_create_bookmark(t, mark_));                                                \
        assert_ok(table_seek(t, TABLE_BEGINNING, 0, &moved_));                                     \
        assert_ok(table_query_rows(t, 0, true, 1000, take, &taker_, &queried_));                   \
        assert_ok(table_seek_bookmark(t, mark_, sizeof mark_, 0, &moved_, &gone_));                \
        assert_ok(table_free_bookmark(t, mark_, sizeof mark_));                                    \
        assert_taken(taker_, expected);                                                            \
    } while (0)

static inline uint64_t id_of_row(struct table *t, unsigned i) {
    struct taker taker = taker_new();
    struct table_queried q;
    int32_t moved;
    assert_ok(table_seek(t, TABLE_BEGINNING, (int32_t)i, &moved));
    assert_ok(table_query_rows(t, TABLE_NO_ADVANCE, true, 1, take, &taker, &q));
    g_string_free(taker.text, TRUE);
    g_assert_cmpuint(q.n, ==, 1);
    return taker.ids[0];
}

static inline uint32_t position(struct table *t) {
    uint32_t pos, count;
    assert_ok(table_query_position(t, &pos, &count));
    return pos;
}

static inline uint32_t count(struct table *t) {
    uint32_t pos, n;
    assert_ok(table_query_position(t, &pos, &n));
    return n;
}

static inline struct sort_order order_of(unsigned n, unsigned n_categories, unsigned n_expanded,
                                         ...) {
    struct sort_order order = {.n = n, .n_categories = n_categories, .n_expanded = n_expanded};
    va_list args;
    va_start(args, n_expanded);
    for (unsigned i = 0; i < n; i++) {
        order.columns[i].tag = va_arg(args, proptag_t);
        order.columns[i].direction = (enum sort_direction)va_arg(args, int);
    }
    va_end(args);
    return order;
}

// a..f in the order they were added.
static inline struct table *letters(struct test_source **source_out, unsigned n) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct table *t = test_table_new(TABLE_CONTENTS, source_out);
    for (unsigned i = 0; i < n; i++)
        test_add(*source_out, names[i], -1, -1);
    assert_ok(table_set_columns(t, shown, G_N_ELEMENTS(shown), false));
    return t;
}

static inline void sort_by_subject(struct table *t) {
    struct sort_order order = order_of(1, 0, 0, PidTagSubject, SORT_ASCENDING);
    assert_ok(table_sort(t, &order, false));
}

static inline struct restriction *subject_is(struct arena *arena, enum relop op, const char *text) {
    struct prop_value *v = arena_alloc(arena, sizeof *v);
    *v = prop_str(PidTagSubject, text);
    return restriction_property(arena, op, PidTagSubject, v);
}
