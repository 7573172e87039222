// Random operations on a handle while its rows change, against a model that keeps every visible row
// in a plain list and computes everything anew.
//
//     table_model_test [-m slow]: more rounds
#include <stdlib.h>

#include "store/table_fixture.h"

static const proptag_t shown[] = {PidTagRowType,
                                  PidTagDepth,
                                  PidTagSubject,
                                  PidTagImportance,
                                  PidTagSensitivity,
                                  PidTagContentCount,
                                  PidTagContentUnreadCount,
                                  PidTagInstID,
                                  PidTagInstanceNum,
                                  TEST_KEYWORDS};
enum { C_TYPE, C_DEPTH, C_SUBJECT, C_IMPORTANCE, C_SENSITIVITY, C_COUNT, C_UNREAD, C_ID, C_NUM };

struct model_row {
    bool is_header;
    uint64_t id; // of leaves; of headers a hash of the group
    uint32_t instance;
    char *text;        // what a client sees
    char *order;       // the values it is ordered by
    const char *group; // headers: level and values
};

struct model {
    struct table *t;
    struct test_source *s;
    struct sort_order order;
    struct restriction *restriction; // NULL: none
    struct arena *arena;
    GHashTable *toggled; // groups that are not in their initial state
    GPtrArray *rows;     // of struct model_row, as they are now
    uint32_t position;   // known to be right
    GPtrArray *client;   // what a client that follows the events sees: char *key -> text
    unsigned next_subject;
};

static void model_row_free(gpointer p) {
    struct model_row *r = p;
    g_free(r->text);
    g_free(r->order);
    g_free(r);
}

// --- The model's rows ---

static char *value_text(const struct prop_value *v) {
    if (!v)
        return g_strdup("none");
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        return g_ascii_strdown(v->str, -1);
    return g_strdup_printf("%d", v->l);
}

static char *order_text(const struct model *m, struct arena *arena, const struct test_entry *e,
                        unsigned n) {
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *v = value_text(test_value(arena, e, m->order.columns[i].tag));
        g_string_append_printf(text, "%s/", v);
    }
    return g_string_free(text, FALSE);
}

static void add_leaf(struct model *m, struct arena *arena, const struct test_entry *e) {
    struct model_row *r = g_new0(struct model_row, 1);
    r->id = test_id(e->row->id);
    r->instance = e->instance;
    r->text = g_strdup_printf("%s %d %d %d", e->row->subject ? e->row->subject : "-",
                              e->row->importance, e->row->sensitivity, (int)e->instance);
    r->order = order_text(m, arena, e, m->order.n);
    g_ptr_array_add(m->rows, r);
}

static void add_group(struct model *m, struct arena *arena, const struct test_rows *rows,
                      unsigned level, uint32_t from, uint32_t to) {
    while (from < to) {
        g_autofree char *group = order_text(m, arena, &rows->entries[from], level + 1);
        uint32_t end = from, unread = 0;
        for (; end < to; end++) {
            g_autofree char *other = order_text(m, arena, &rows->entries[end], level + 1);
            if (strcmp(group, other) != 0)
                break;
            unread += rows->entries[end].row->is_unread;
        }
        g_autofree char *key = g_strdup_printf("%u:%s", level, group);
        bool expanded = (level < m->order.n_expanded) != g_hash_table_contains(m->toggled, key);
        struct model_row *r = g_new0(struct model_row, 1);
        r->is_header = true;
        r->order = g_strdup(key);
        r->group = r->order;
        r->text =
            g_strdup_printf("%s %u (%u/%u)", expanded ? "open" : "shut", level, end - from, unread);
        g_ptr_array_add(m->rows, r);
        if (expanded && level + 1 < m->order.n_categories)
            add_group(m, arena, rows, level + 1, from, end);
        else if (expanded)
            for (uint32_t i = from; i < end; i++)
                add_leaf(m, arena, &rows->entries[i]);
        from = end;
    }
}

static void model_read(struct model *m) {
    ARENA_AUTO arena = arena_new();
    struct rows *rows;
    assert_ok(test_get(&m->s->base, &m->order, m->restriction, NULL, &rows));
    g_clear_pointer(&m->rows, g_ptr_array_unref);
    m->rows = g_ptr_array_new_with_free_func(model_row_free);
    if (m->order.n_categories > 0)
        add_group(m, arena, test_rows_of(rows), 0, 0, rows->n);
    else
        for (uint32_t i = 0; i < rows->n; i++)
            add_leaf(m, arena, &test_rows_of(rows)->entries[i]);
    rows_unref(rows);
}

static const struct model_row *row(const struct model *m, uint32_t i) {
    return m->rows->pdata[i];
}

// --- The table's rows as text ---

static char *describe(const struct prop_value *const *v) {
    if (v[C_TYPE]->l != 1)
        return g_strdup_printf("%s %d (%d/%d)", v[C_TYPE]->l == 3 ? "open" : "shut", v[C_DEPTH]->l,
                               v[C_COUNT]->l, v[C_UNREAD]->l);
    return g_strdup_printf("%s %d %d %d", v[C_SUBJECT] ? v[C_SUBJECT]->str : "-",
                           v[C_IMPORTANCE] ? v[C_IMPORTANCE]->l : -1,
                           v[C_SENSITIVITY] ? v[C_SENSITIVITY]->l : -1, v[C_NUM]->l);
}

struct taken {
    GPtrArray *texts;
    GArray *ids;
    unsigned room;
};

static bool take(void *ctx, const struct prop_value *const *v) {
    struct taken *taken = ctx;
    if (taken->texts->len >= taken->room)
        return false;
    g_ptr_array_add(taken->texts, describe(v));
    if (taken->ids) {
        uint64_t id = (uint64_t)v[C_ID]->i8;
        g_array_append_val(taken->ids, id);
    }
    return true;
}

static struct taken taken_new(unsigned room) {
    return (struct taken){g_ptr_array_new_with_free_func(g_free),
                          g_array_new(FALSE, FALSE, sizeof(uint64_t)), room};
}

static void taken_free(struct taken *taken) {
    g_ptr_array_unref(taken->texts);
    g_array_unref(taken->ids);
}

static void check_position(struct model *m) {
    uint32_t pos, count;
    assert_ok(table_query_position(m->t, &pos, &count));
    g_assert_cmpuint(count, ==, m->rows->len);
    g_assert_cmpuint(pos, ==, m->position);
}

// --- Operations ---

static unsigned below(unsigned n) {
    return (unsigned)g_test_rand_int_range(0, (int)n);
}

static void op_query(struct model *m) {
    struct taken taken = taken_new(1 + below(12));
    struct table_queried q;
    bool forward = below(2), advance = below(3);
    unsigned max = below(14);
    unsigned left = forward ? m->rows->len - m->position : m->position;
    unsigned n = MIN(MIN(max, taken.room), left);
    assert_ok(
        table_query_rows(m->t, advance ? 0 : TABLE_NO_ADVANCE, forward, max, take, &taken, &q));
    g_assert_cmpuint(q.n, ==, n);
    g_assert_cmpuint(taken.texts->len, ==, n);
    for (unsigned i = 0; i < n; i++)
        g_assert_cmpstr(taken.texts->pdata[i], ==,
                        row(m, forward ? m->position + i : m->position - 1 - i)->text);
    g_assert_cmpint(q.origin, ==, n < left ? TABLE_CURRENT : forward ? TABLE_END : TABLE_BEGINNING);
    if (advance)
        m->position = forward ? m->position + n : m->position - n;
    taken_free(&taken);
    check_position(m);
}

static void op_seek(struct model *m) {
    enum table_origin origin = below(3);
    int32_t wanted = (int32_t)below(61) - 30, moved;
    int64_t from = origin == TABLE_BEGINNING ? 0 : origin == TABLE_END ? m->rows->len : m->position;
    int64_t to = CLAMP(from + wanted, 0, (int64_t)m->rows->len);
    assert_ok(table_seek(m->t, origin, wanted, &moved));
    g_assert_cmpint(moved, ==, to - from);
    m->position = (uint32_t)to;
    check_position(m);
}

static void op_seek_fraction(struct model *m) {
    uint32_t denominator = 1 + below(20), numerator = below(25), pos, count;
    assert_ok(table_seek_fraction(m->t, numerator, denominator));
    assert_ok(table_query_position(m->t, &pos, &count));
    double exact = numerator >= denominator ? count : (double)count * numerator / denominator;
    g_assert_cmpfloat(ABS((double)pos - exact), <=, 0.5);
    m->position = pos;
}

static void op_find(struct model *m) {
    ARENA_AUTO arena = arena_new();
    struct taken taken = taken_new(1);
    struct prop_value v = prop_str(PidTagSubject, "");
    char text[16];
    struct table_find find = {.is_backward = below(2), .origin = below(3)};
    bool gone, is_prefix = below(2), is_caseless = below(2);
    unsigned number = below(m->next_subject + 1);
    g_snprintf(text, sizeof text, "%c%u", below(2) ? 'S' : 's', number);
    v.str = text;
    enum relop op = below(2) ? RELOP_EQ : RELOP_GE;
    find.restriction =
        is_prefix ? restriction_content(arena, FUZZY_PREFIX | (is_caseless ? FUZZY_IGNORE_CASE : 0),
                                        PidTagSubject, &v)
                  : restriction_property(arena, op, PidTagSubject, &v);
    int64_t at = find.origin == TABLE_BEGINNING ? 0
                 : find.origin == TABLE_END     ? m->rows->len
                                                : m->position;
    int64_t found = -1;
    for (int64_t i = find.is_backward ? at - 1 : at; found < 0 && i >= 0 && i < m->rows->len;
         i += find.is_backward ? -1 : 1) {
        for (unsigned k = 0; k < m->s->n; k++) {
            struct test_entry e = {&m->s->rows[k], 0};
            if (!row(m, (uint32_t)i)->is_header && test_id(e.row->id) == row(m, (uint32_t)i)->id &&
                test_entry_matches(&e, find.restriction))
                found = i;
        }
    }
    enum ec ec = table_find_row(m->t, &find, take, &taken, &gone);
    assert_ec(ec, found < 0 ? EC_NOT_FOUND : EC_OK);
    if (found >= 0) {
        g_assert_cmpstr(taken.texts->pdata[0], ==, row(m, (uint32_t)found)->text);
        m->position = (uint32_t)found;
    }
    taken_free(&taken);
    check_position(m);
}

// --- A client that follows the events ---

struct client_row {
    uint64_t id;
    uint32_t instance;
    char *text;
};

static void client_row_free(gpointer p) {
    g_free(((struct client_row *)p)->text);
    g_free(p);
}

static void client_read(struct model *m) {
    int32_t moved;
    struct table_queried q;
    struct taken taken = taken_new(UINT_MAX);
    g_clear_pointer(&m->client, g_ptr_array_unref);
    m->client = g_ptr_array_new_with_free_func(client_row_free);
    assert_ok(table_seek(m->t, TABLE_BEGINNING, 0, &moved));
    assert_ok(table_query_rows(m->t, 0, true, 10000, take, &taken, &q));
    for (guint i = 0; i < taken.texts->len; i++) {
        struct client_row *r = g_new0(struct client_row, 1);
        r->id = g_array_index(taken.ids, uint64_t, i);
        r->text = g_strdup(taken.texts->pdata[i]);
        const char *last = strrchr(r->text, ' ');
        r->instance = last[1] == '(' ? 0 : (uint32_t)atoi(last);
        g_ptr_array_add(m->client, r);
    }
    taken_free(&taken);
    assert_ok(table_seek(m->t, TABLE_BEGINNING, (int32_t)m->position, &moved));
}

static guint client_find(const struct model *m, const struct table_row *key) {
    for (guint i = 0; i < m->client->len; i++) {
        const struct client_row *r = m->client->pdata[i];
        if (r->id == key->id && r->instance == key->instance)
            return i;
    }
    g_assert_not_reached();
}

static void hear(void *ctx, const struct table_event *e) {
    struct model *m = ctx;
    if (e->kind == TABLE_CHANGED) {
        g_assert_not_reached(); // few rows
        return;
    }
    if (e->kind != TABLE_ROW_ADDED)
        g_ptr_array_remove_index(m->client, client_find(m, &e->row));
    if (e->kind == TABLE_ROW_DELETED)
        return;
    struct client_row *r = g_new0(struct client_row, 1);
    r->id = e->row.id;
    r->instance = e->row.instance;
    r->text = describe(e->values);
    guint at = e->is_first ? 0 : client_find(m, &e->before) + 1;
    g_ptr_array_insert(m->client, (int)at, r);
}

static void check_events(struct model *m) {
    assert_ok(table_events(m->t, hear, m));
    g_assert_cmpuint(m->client->len, ==, m->rows->len);
    for (guint i = 0; i < m->client->len; i++)
        g_assert_cmpstr(((struct client_row *)m->client->pdata[i])->text, ==, row(m, i)->text);
}

// --- Changes of the rows ---

static void change_one(struct model *m) {
    static char names[4096][8];
    struct test_source *s = m->s;
    unsigned what = below(4);
    if (what == 0 && s->n > 0) {
        test_remove(s, below(s->n));
        return;
    }
    struct test_row *r;
    if ((what == 1 || s->n == 0) && s->n < 60) {
        unsigned number = m->next_subject++ % 4096;
        g_snprintf(names[number], sizeof names[number], "%c%u", number % 3 ? 's' : 'S', number);
        r = test_add(s, names[number], -1, -1);
    } else if (s->n > 0) {
        r = &s->rows[below(s->n)];
    } else {
        return;
    }
    r->importance = (int32_t)below(4) - 1;
    r->sensitivity = (int32_t)below(3);
    r->is_unread = below(2);
    r->n_keywords = below(3);
    r->keywords[0] = "red", r->keywords[1] = "blue";
    s->version++;
}

// Where the position must be after a change: at its row, or at the nearest one after it that is
// still there in the same order.
static int64_t expected_position(const struct model *m, GPtrArray *before, uint32_t position) {
    if (position == 0)
        return 0;
    if (position >= before->len)
        return m->rows->len;
    for (guint i = position; i < before->len; i++) {
        const struct model_row *old = before->pdata[i];
        for (guint k = 0; k < m->rows->len; k++) {
            const struct model_row *now = row(m, k);
            if (old->is_header == now->is_header && old->id == now->id &&
                old->instance == now->instance && strcmp(old->order, now->order) == 0)
                return k;
        }
    }
    return -1; // where it would stand: anywhere
}

static void op_change(struct model *m) {
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    int32_t moved;
    bool gone;
    uint32_t pos, count;
    GPtrArray *before = g_ptr_array_ref(m->rows);
    assert_ok(table_create_bookmark(m->t, mark));
    for (unsigned n = 1 + below(3); n > 0; n--)
        change_one(m);
    model_read(m);
    int64_t expected = expected_position(m, before, m->position);
    assert_ok(table_query_position(m->t, &pos, &count));
    if (expected >= 0 && pos != expected) {
        for (guint i = 0; i < before->len; i++)
            g_test_message("%s%s  [%s]", i == m->position ? "> " : "  ",
                           ((struct model_row *)before->pdata[i])->text,
                           ((struct model_row *)before->pdata[i])->order);
        for (guint i = 0; i < m->rows->len; i++)
            g_test_message("%s%s%s  [%s]", i == pos ? "*" : " ", i == expected ? "> " : "  ",
                           row(m, i)->text, row(m, i)->order);
    }
    if (expected >= 0)
        g_assert_cmpint(pos, ==, expected);
    uint32_t was = m->position;
    m->position = pos;
    check_position(m);
    // The bookmark follows its row.
    assert_ok(table_seek_bookmark(m->t, mark, sizeof mark, 0, &moved, &gone));
    assert_ok(table_query_position(m->t, &m->position, &count));
    if (was < before->len) {
        const struct model_row *old = before->pdata[was];
        int64_t at = -1;
        for (guint k = 0; k < m->rows->len; k++)
            if (old->is_header ? row(m, k)->is_header && strcmp(row(m, k)->group, old->group) == 0
                               : !row(m, k)->is_header && row(m, k)->id == old->id &&
                                     row(m, k)->instance == old->instance)
                at = k;
        g_assert_cmpint(gone, ==, at < 0);
        if (at >= 0)
            g_assert_cmpuint(m->position, ==, at);
    } else {
        g_assert_cmpuint(m->position, ==, m->rows->len);
        g_assert_false(gone);
    }
    assert_ok(table_free_bookmark(m->t, mark, sizeof mark));
    g_ptr_array_unref(before);
    if (below(2))
        check_events(m);
}

static void op_toggle(struct model *m) {
    uint32_t changed, i;
    unsigned n;
    int32_t moved;
    struct table_queried q;
    if (m->rows->len == 0)
        return;
    check_events(m);
    for (i = below(m->rows->len); i > 0 && !row(m, i)->is_header;)
        i--;
    if (!row(m, i)->is_header)
        return;
    struct taken taken = taken_new(5);
    g_autofree char *group = g_strdup(row(m, i)->group);
    bool was_open = g_str_has_prefix(row(m, i)->text, "open");
    assert_ok(table_seek(m->t, TABLE_BEGINNING, (int32_t)i, &moved));
    assert_ok(table_query_rows(m->t, TABLE_NO_ADVANCE, true, 1, take, &taken, &q));
    uint64_t id = g_array_index(taken.ids, uint64_t, 0);
    uint32_t before = m->rows->len;
    if (!g_hash_table_remove(m->toggled, group))
        g_hash_table_add(m->toggled, g_strdup(group));
    model_read(m);
    if (was_open) {
        assert_ec(table_expand(m->t, id, 0, take, &taken, &n, &changed), EC_NOT_COLLAPSED);
        assert_ok(table_collapse(m->t, id, &changed));
        g_assert_cmpuint(changed, ==, before - m->rows->len);
    } else {
        assert_ec(table_collapse(m->t, id, &changed), EC_NOT_EXPANDED);
        assert_ok(table_expand(m->t, id, 4, take, &taken, &n, &changed));
        g_assert_cmpuint(changed, ==, m->rows->len - before);
        g_assert_cmpuint(n, ==, MIN(4, changed));
        for (unsigned k = 0; k < n; k++)
            g_assert_cmpstr(taken.texts->pdata[1 + k], ==, row(m, i + 1 + k)->text);
    }
    taken_free(&taken);
    m->position = i;
    check_position(m);
    client_read(m);
    check_events(m);
}

// The state goes through bytes into another handle.
static void op_state(struct model *m) {
    GByteArray *state;
    uint8_t mark[TABLE_BOOKMARK_SIZE];
    uint32_t rows;
    if (m->rows->len == 0 || m->order.n_categories == 0)
        return;
    check_events(m);
    struct taken taken = taken_new(1);
    int32_t moved;
    struct table_queried q;
    uint32_t i = below(m->rows->len);
    assert_ok(table_seek(m->t, TABLE_BEGINNING, (int32_t)i, &moved));
    assert_ok(table_query_rows(m->t, TABLE_NO_ADVANCE, true, 1, take, &taken, &q));
    uint64_t id = g_array_index(taken.ids, uint64_t, 0);
    assert_ok(table_get_collapse_state(m->t, id, row(m, i)->instance, &state));
    for (unsigned k = 0; k < 3; k++) // something else, and back
        if (table_collapse(m->t, id, &rows) != EC_OK)
            table_expand(m->t, id, 0, take, &taken, &(unsigned){0}, &rows);
    assert_ok(table_set_collapse_state(m->t, state->data, state->len, mark));
    assert_ok(table_free_bookmark(m->t, mark, sizeof mark));
    g_byte_array_unref(state);
    taken_free(&taken);
    m->position = i;
    check_position(m);
    check_events(m);
}

static void op_order(struct model *m) {
    static const proptag_t tags[] = {PidTagImportance, PidTagSensitivity, PidTagSubject,
                                     TEST_KEYWORD};
    struct sort_order order = {.n = 1 + below(3)};
    unsigned first = below(4);
    for (unsigned i = 0; i < order.n; i++) {
        proptag_t tag = tags[(first + i) % 4];
        order.columns[i] = (struct sort_column){tag, below(2), tag == TEST_KEYWORD};
    }
    // The first ones group; texts are not among them, as headers would match searches for them.
    while (order.n_categories < order.n && below(3) &&
           order.columns[order.n_categories].tag != PidTagSubject)
        order.n_categories++;
    order.n_expanded = below(order.n_categories + 1);
    assert_ok(table_sort(m->t, &order, false));
    m->order = order;
    m->position = 0;
    g_hash_table_remove_all(m->toggled);
    model_read(m);
    check_position(m);
    client_read(m);
}

static void op_restrict(struct model *m) {
    arena_reset(m->arena);
    m->restriction = NULL;
    struct prop_value *v = arena_alloc(m->arena, sizeof *v);
    *v = prop_long(PidTagSensitivity, (int32_t)below(3));
    if (below(2))
        m->restriction = restriction_property(m->arena, RELOP_NE, PidTagSensitivity, v);
    assert_ok(table_restrict(m->t, m->restriction, false));
    m->position = 0;
    model_read(m);
    check_position(m);
    client_read(m);
}

static void run(unsigned n_operations) {
    struct model m = {.arena = arena_new(),
                      .toggled = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    m.t = test_table_new(TABLE_CONTENTS, &m.s);
    assert_ok(table_set_columns(m.t, shown, G_N_ELEMENTS(shown), false));
    for (unsigned i = 0; i < 20; i++)
        change_one(&m);
    op_order(&m);
    for (unsigned i = 0; i < n_operations; i++) {
        unsigned what = below(40);
        if (what < 12)
            op_change(&m);
        else if (what < 20)
            op_query(&m);
        else if (what < 25)
            op_seek(&m);
        else if (what < 27)
            op_seek_fraction(&m);
        else if (what < 31)
            op_find(&m);
        else if (what < 35)
            op_toggle(&m);
        else if (what < 37)
            op_state(&m);
        else if (what < 39)
            op_order(&m);
        else
            op_restrict(&m);
    }
    table_free(m.t);
    arena_free(m.arena);
    g_hash_table_unref(m.toggled);
    g_ptr_array_unref(m.rows);
    g_ptr_array_unref(m.client);
}

static void test_model(void) {
    unsigned rounds = g_test_slow() ? 2000 : 40;
    for (unsigned i = 0; i < rounds; i++)
        run(150);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/table_model/random operations", test_model);
    return g_test_run();
}
