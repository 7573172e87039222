// Sorting: every row gets its first key as a number; only what is equal there asks for the others.
#include "mailbox/sort.h"

#include <stdlib.h>

#include "mailbox/mailbox_internal.h"
#include "mailbox/sort_index.h"

struct item {
    uint64_t key;
    uint32_t index;
};

struct sorting {
    const struct sort_index *index;
    const uint32_t *ranks; // of texts; NULL: no column needs them
    const struct mailbox_sort_column *columns;
    unsigned n_columns;
};

static bool is_text(enum mailbox_sort_key key) {
    return key != MAILBOX_SORT_ARRIVAL && key != MAILBOX_SORT_DATE && key != MAILBOX_SORT_SIZE &&
           key != MAILBOX_SORT_RELEVANCY;
}

static uint64_t ascending_key(const struct sorting *s, enum mailbox_sort_key key,
                              const struct sort_row *r) {
    switch (key) {
    case MAILBOX_SORT_ARRIVAL:
        return r->received;
    case MAILBOX_SORT_DATE:
        return r->sent;
    case MAILBOX_SORT_SIZE:
        return r->size;
    case MAILBOX_SORT_RELEVANCY:
        return 0;
    case MAILBOX_SORT_CC:
        return s->ranks[r->cc];
    case MAILBOX_SORT_DISPLAY_FROM:
        return s->ranks[r->display_from];
    case MAILBOX_SORT_DISPLAY_TO:
        return s->ranks[r->display_to];
    case MAILBOX_SORT_FROM:
        return s->ranks[r->from];
    case MAILBOX_SORT_TO:
        return s->ranks[r->to];
    case MAILBOX_SORT_SUBJECT:
        break;
    }
    return s->ranks[r->subject];
}

static uint64_t key_of(const struct sorting *s, unsigned column, uint32_t index) {
    const struct mailbox_sort_column *c = &s->columns[column];
    uint64_t key = ascending_key(s, c->key, &s->index->rows[index]);
    return c->is_reverse ? ~key : key;
}

static int compare(const void *a, const void *b, void *ctx) {
    const struct sorting *s = ctx;
    const struct item *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    for (unsigned i = 1; i < s->n_columns; i++) {
        uint64_t k = key_of(s, i, x->index), l = key_of(s, i, y->index);
        if (k != l)
            return k < l ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

enum ec mailbox_sort(struct mailbox *m, const struct mailbox_view *view,
                     const struct mailbox_sort_column *columns, unsigned n, uint32_t *indexes,
                     uint32_t n_indexes) {
    struct sort_index *index;
    bool needs_ranks = false;
    if (n == 0 || n > MAILBOX_SORT_MAX)
        return EC_INVALID_PARAMETER;
    EC_TRY(rights_check(m, mailbox_view_fid(view), RIGHTS_READ_ANY));
    EC_TRY(sort_index_get(m, view, false, &index));
    for (unsigned i = 0; i < n; i++)
        needs_ranks |= is_text(columns[i].key);
    GArray *ranks = needs_ranks ? sort_texts_ranks(index->texts) : NULL;
    struct sorting s = {.index = index,
                        .ranks = ranks ? (const uint32_t *)(const void *)ranks->data : NULL,
                        .columns = columns,
                        .n_columns = n};
    struct item *items = g_new(struct item, n_indexes + 1);
    for (uint32_t i = 0; i < n_indexes; i++)
        items[i] = (struct item){key_of(&s, 0, indexes[i]), indexes[i]};
    qsort_r(items, n_indexes, sizeof *items, compare, &s);
    for (uint32_t i = 0; i < n_indexes; i++)
        indexes[i] = items[i].index;
    g_free(items);
    if (ranks)
        g_array_unref(ranks);
    sort_index_unref(index);
    return EC_OK;
}
