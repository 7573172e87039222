// A table over rows of the test's own that can be sorted and grouped, for the tests of the engine.
// Everything is done the slow and simple way.
#pragma once

#include <string.h>

#include "base/test.h"
#include "mapi/change.h"
#include "mapi/props.h"
#include "store/table_internal.h"

#define TEST_KEYWORDS PROP_TAG(0x9001, PT_MV_UNICODE)
#define TEST_KEYWORD PROP_TAG(0x9001, PT_UNICODE)
#define TEST_KEYWORD_INSTANCE PROP_TAG(0x9001, PT_MV_UNICODE | 0x2000)
#define TEST_MAX_ROWS 512

struct test_row {
    uint64_t id; // of the row; PidTagInstID is made of it
    const char *subject;
    int32_t importance, sensitivity; // -1: absent
    const char *keywords[3];
    unsigned n_keywords;
    bool is_unread;
};

struct test_source {
    struct rows_source base;
    struct test_row rows[TEST_MAX_ROWS];
    unsigned n;
    unsigned version; // count it up with each change
    unsigned n_values_read;
};

struct test_entry {
    const struct test_row *row;
    uint32_t instance;
};

struct test_rows {
    struct rows base;
    struct test_source *source;
    struct arena *arena;
    struct sort_order order;
    struct test_entry *entries;
    unsigned version;
};

static inline uint64_t test_id(uint64_t id) {
    return (uint64_t)short_id_value((struct short_id){REPLID_OWN, id});
}

static inline const struct prop_value *test_value(struct arena *arena, const struct test_entry *e,
                                                  proptag_t tag) {
    const struct test_row *r = e->row;
    struct prop_value v;
    switch (tag) {
    case PidTagInstID:
    case PidTagMid:
        v = prop_i8(tag, (int64_t)test_id(r->id));
        break;
    case PidTagInstanceNum:
        v = prop_long(tag, (int32_t)e->instance);
        break;
    case PidTagSubject:
        if (!r->subject)
            return NULL;
        v = prop_str(tag, r->subject);
        break;
    case PidTagImportance:
        if (r->importance < 0)
            return NULL;
        v = prop_long(tag, r->importance);
        break;
    case PidTagSensitivity:
        if (r->sensitivity < 0)
            return NULL;
        v = prop_long(tag, r->sensitivity);
        break;
    case TEST_KEYWORD:
        if (e->instance == 0)
            return NULL;
        v = prop_str(tag, r->keywords[e->instance - 1]);
        break;
    case TEST_KEYWORDS:
        if (r->n_keywords == 0)
            return NULL;
        v = (struct prop_value){.tag = tag};
        v.mv.n = r->n_keywords;
        v.mv.str = r->keywords;
        break;
    default:
        return NULL;
    }
    return arena_memdup(arena, &v, sizeof v);
}

static inline struct test_rows *test_rows_of(const struct rows *rows) {
    return (struct test_rows *)rows;
}

static inline void test_rows_free(struct rows *rows) {
    arena_free(test_rows_of(rows)->arena);
    g_free(rows);
}

static inline struct row_key test_at(const struct rows *rows, uint32_t i) {
    const struct test_entry *e = &test_rows_of(rows)->entries[i];
    return (struct row_key){test_id(e->row->id), e->instance};
}

static inline bool test_find(const struct rows *rows, struct row_key key, uint32_t *i_out) {
    for (uint32_t i = 0; i < rows->n; i++) {
        struct row_key k = test_at(rows, i);
        if (k.id == key.id && k.instance == key.instance) {
            *i_out = i;
            return true;
        }
    }
    return false;
}

static inline void test_sort_values(const struct test_rows *t, struct arena *arena,
                                    const struct test_entry *e, const struct prop_value **values) {
    for (unsigned i = 0; i < t->order.n; i++)
        values[i] = test_value(arena, e, t->order.columns[i].tag);
}

static inline uint32_t test_lower_bound(const struct rows *rows,
                                        const struct prop_value *const *wanted, unsigned n) {
    struct test_rows *t = test_rows_of(rows);
    ARENA_AUTO arena = arena_new();
    struct sort_order order = t->order;
    uint32_t i = 0;
    order.n = n;
    for (; i < rows->n; i++) {
        const struct prop_value *values[SORT_ORDER_MAX];
        test_sort_values(t, arena, &t->entries[i], values);
        if (sort_order_compare(&order, values, wanted) >= 0)
            break;
    }
    return i;
}

static inline uint32_t test_group_end(const struct rows *rows, unsigned level, uint32_t i) {
    struct test_rows *t = test_rows_of(rows);
    ARENA_AUTO arena = arena_new();
    const struct prop_value *first[SORT_ORDER_MAX], *values[SORT_ORDER_MAX];
    struct sort_order order = t->order;
    order.n = level + 1;
    test_sort_values(t, arena, &t->entries[i], first);
    for (i++; i < rows->n; i++) {
        test_sort_values(t, arena, &t->entries[i], values);
        if (sort_order_compare(&order, first, values) != 0)
            break;
    }
    return i;
}

static inline uint32_t test_unread(const struct rows *rows, uint32_t from, uint32_t to) {
    uint32_t n = 0;
    for (; from < to; from++)
        n += test_rows_of(rows)->entries[from].row->is_unread;
    return n;
}

static inline enum ec test_values(const struct rows *rows, struct mbox_tx *tx, struct arena *arena,
                                  uint32_t i, const proptag_t *tags, unsigned n, size_t max_bytes,
                                  const struct prop_value **values) {
    struct test_rows *t = test_rows_of(rows);
    (void)tx, (void)max_bytes;
    for (unsigned k = 0; k < n; k++)
        values[k] = test_value(arena, &t->entries[i], tags[k]);
    t->source->n_values_read += n;
    return EC_OK;
}

struct test_reader {
    struct arena *arena;
    const struct test_entry *entry;
};

static inline const struct prop_value *test_read(void *ctx, proptag_t tag) {
    struct test_reader *r = ctx;
    return test_value(r->arena, r->entry, tag);
}

static inline bool test_entry_matches(const struct test_entry *e, const struct restriction *res) {
    ARENA_AUTO arena = arena_new();
    struct test_reader reader = {arena, e};
    struct restriction_source source = {.get = test_read, .ctx = &reader};
    return restriction_matches(res, &source);
}

static inline enum ec test_matches(const struct rows *rows, struct mbox_tx *tx, uint32_t i,
                                   const struct restriction *res, bool *out) {
    struct test_rows *t = test_rows_of(rows);
    (void)tx;
    t->source->n_values_read++;
    *out = test_entry_matches(&t->entries[i], res);
    return EC_OK;
}

static inline bool test_same_row(const struct test_row *a, const struct test_row *b) {
    return g_strcmp0(a->subject, b->subject) == 0 && a->importance == b->importance &&
           a->sensitivity == b->sensitivity && a->n_keywords == b->n_keywords &&
           memcmp(a->keywords, b->keywords, sizeof a->keywords) == 0 &&
           a->is_unread == b->is_unread;
}

static inline bool test_diff(const struct rows *from, const struct rows *to, unsigned limit,
                             row_change_fn fn, void *ctx) {
    uint32_t k;
    unsigned n = 0;
    for (int tell = 0; tell < 2; tell++) {
        for (uint32_t i = 0; i < from->n; i++)
            if (!test_find(to, test_at(from, i), &k)) {
                n++;
                if (tell)
                    fn(ctx, ROW_GONE, test_at(from, i), 0);
            }
        for (uint32_t i = 0; i < to->n; i++) {
            bool was = test_find(from, test_at(to, i), &k);
            if (was &&
                test_same_row(test_rows_of(from)->entries[k].row, test_rows_of(to)->entries[i].row))
                continue;
            n++;
            if (tell)
                fn(ctx, was ? ROW_DIFFERENT : ROW_NEW, test_at(to, i), i);
        }
        if (n > limit && !tell)
            return false;
    }
    return true;
}

static const struct rows_ops test_rows_ops = {test_rows_free,   test_at,        test_find,
                                              test_lower_bound, test_group_end, test_unread,
                                              test_values,      test_matches,   test_diff};

static inline int test_compare_entries(gconstpointer a, gconstpointer b, gpointer ctx) {
    const struct test_rows *t = ctx;
    const struct test_entry *x = a, *y = b;
    ARENA_AUTO arena = arena_new();
    const struct prop_value *p[SORT_ORDER_MAX], *q[SORT_ORDER_MAX];
    test_sort_values(t, arena, x, p);
    test_sort_values(t, arena, y, q);
    int c = sort_order_compare(&t->order, p, q);
    if (c == 0)
        c = x->row->id < y->row->id ? -1 : x->row->id > y->row->id;
    return c ? c : (int)x->instance - (int)y->instance;
}

static inline bool test_has_instances(const struct sort_order *order) {
    for (unsigned i = 0; i < order->n; i++)
        if (order->columns[i].is_instance)
            return true;
    return false;
}

static inline enum ec test_get(struct rows_source *base, const struct sort_order *order,
                               const struct restriction *res, struct rows *old, struct rows **out) {
    struct test_source *s = (struct test_source *)base;
    if (old && test_rows_of(old)->version == s->version) {
        *out = rows_ref(old);
        return EC_OK;
    }
    struct test_rows *t = g_new0(struct test_rows, 1);
    t->base = (struct rows){&test_rows_ops, 1, 0};
    t->source = s;
    t->arena = arena_new();
    t->version = s->version;
    if (order)
        t->order = *order;
    const struct test_row *rows = arena_memdup(t->arena, s->rows, sizeof s->rows);
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct test_entry));
    for (unsigned i = 0; i < s->n; i++) {
        bool split = test_has_instances(&t->order) && rows[i].n_keywords > 0;
        for (unsigned k = 0; k < (split ? rows[i].n_keywords : 1); k++) {
            struct test_entry e = {&rows[i], split ? k + 1 : 0};
            if (!res || test_entry_matches(&e, res))
                g_array_append_val(entries, e);
        }
    }
    g_array_sort_with_data(entries, test_compare_entries, t);
    t->base.n = entries->len;
    if (res)
        t->base.n = MIN(t->base.n, restriction_count_limit(res));
    t->entries = arena_memdup(t->arena, entries->data, entries->len * sizeof(struct test_entry));
    *out = &t->base;
    return EC_OK;
}

static inline void test_source_free(struct rows_source *base) {
    g_free(base);
}

static const struct source_ops test_source_ops = {test_source_free, test_get};
static const proptag_t test_columns[] = {PidTagInstID, PidTagSubject, PidTagImportance};

static inline struct table *test_table_new(enum table_kind kind, struct test_source **source_out) {
    struct test_source *s = g_new0(struct test_source, 1);
    s->base =
        (struct rows_source){&test_source_ops, NULL, test_columns, G_N_ELEMENTS(test_columns)};
    *source_out = s;
    return table_new(kind, &s->base);
}

static inline struct test_row *test_add(struct test_source *s, const char *subject,
                                        int32_t importance, int32_t sensitivity) {
    struct test_row *r = &s->rows[s->n++];
    *r = (struct test_row){.id = 1000 + s->version,
                           .subject = subject,
                           .importance = importance,
                           .sensitivity = sensitivity};
    s->version++;
    return r;
}

static inline void test_remove(struct test_source *s, unsigned i) {
    s->n--;
    memmove(&s->rows[i], &s->rows[i + 1], (s->n - i) * sizeof s->rows[0]);
    s->version++;
}
