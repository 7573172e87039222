// Reading rows and finding one ([MS-OXCTABL] 3.2.5.5, 3.2.5.14).
#include "store/table_internal.h"

static enum ec give_row(struct table *t, struct arena *arena, uint32_t pos, table_row_fn row,
                        void *ctx, bool *taken_out) {
    const struct prop_value **values;
    arena_reset(arena);
    EC_TRY(table_row_values(t, arena, pos, &values));
    *taken_out = row(ctx, values);
    return EC_OK;
}

static enum ec query(struct table *t, unsigned flags, bool is_forward, unsigned max,
                     table_row_fn row, void *ctx, struct table_queried *out) {
    ARENA_AUTO arena = arena_new();
    struct table_queried q = {.origin = TABLE_CURRENT};
    bool is_shown;
    uint32_t pos = visible_pos(&t->visible, t->cursor, &is_shown);
    while (q.n < max && (is_forward ? pos < t->visible.n : pos > 0)) {
        bool taken;
        EC_TRY(give_row(t, arena, is_forward ? pos : pos - 1, row, ctx, &taken));
        if (!taken) {
            q.is_full = true;
            break;
        }
        pos = is_forward ? pos + 1 : pos - 1;
        q.n++;
    }
    if (is_forward && pos >= t->visible.n)
        q.origin = TABLE_END;
    else if (!is_forward && pos == 0)
        q.origin = TABLE_BEGINNING;
    if (!(flags & TABLE_NO_ADVANCE))
        t->cursor = visible_place(&t->visible, pos);
    *out = q;
    return EC_OK;
}

enum ec table_query_rows(struct table *t, unsigned flags, bool is_forward, unsigned max,
                         table_row_fn row, void *ctx, struct table_queried *out) {
    EC_TRY(table_begin(t, true));
    enum ec ec = query(t, flags, is_forward, max, row, ctx, out);
    table_end(t);
    return ec;
}

// --- Finding ---

// What a restriction says of where its rows stand when the table is ordered by the column it is on:
// none before `from`; and with `is_run` all of them in one run that begins there.
struct hint {
    uint32_t from;
    bool is_run;
};

// A condition on the first column of the order: equal, not before, or beginning with a text. Its
// value, or NULL when it says nothing.
static const struct prop_value *hint_value(const struct sort_column *c, const struct restriction *r,
                                           bool *is_run_out) {
    bool is_ascending = c->direction == SORT_ASCENDING;
    if (r->kind == RES_PROPERTY && r->property.tag == c->tag) {
        *is_run_out = true;
        if (r->property.op == RELOP_EQ || r->property.op == (is_ascending ? RELOP_GE : RELOP_LE))
            return &r->property.value;
    }
    if (r->kind == RES_CONTENT && r->content.tag == c->tag && is_ascending) {
        // Texts with one beginning stand together in the order, which does not see case; marks that
        // are ignored would break that.
        uint32_t place = r->content.fuzzy & 0xFFFF;
        *is_run_out = r->content.fuzzy & FUZZY_IGNORE_CASE;
        if ((place == FUZZY_FULL || place == FUZZY_PREFIX) &&
            !(r->content.fuzzy & (FUZZY_IGNORE_NONSPACE | FUZZY_LOOSE)))
            return &r->content.value;
    }
    return NULL;
}

// For a table without categories; of several conditions that all must hold the first that helps.
static struct hint find_hint(const struct table *t, const struct restriction *r) {
    const struct sort_column *c = &t->effective.columns[0];
    const struct prop_value *value = NULL;
    struct hint hint = {0, false};
    if (t->effective.n == 0 || c->is_instance || t->visible.n_levels > 0)
        return hint;
    if (r->kind == RES_AND) {
        for (uint32_t i = 0; i < r->list.n && !value; i++)
            value = hint_value(c, r->list.sub[i], &hint.is_run);
        hint.is_run = false;
    } else {
        value = hint_value(c, r, &hint.is_run);
    }
    if (!value || PROP_TYPE(value->tag) != PROP_TYPE(c->tag))
        return (struct hint){0, false};
    hint.from = t->rows->ops->lower_bound(t->rows, &value, 1);
    return hint;
}

static enum ec find_forwards(struct table *t, uint32_t pos, const struct restriction *r,
                             uint32_t *pos_out) {
    struct hint hint = r ? find_hint(t, r) : (struct hint){0, false};
    pos = MAX(pos, hint.from);
    for (; pos < t->visible.n; pos++) {
        bool matches = true;
        if (r)
            EC_TRY(table_row_matches(t, pos, r, &matches));
        if (matches) {
            *pos_out = pos;
            return EC_OK;
        }
        if (hint.is_run)
            break; // the run does not begin here or is over
    }
    return EC_NOT_FOUND;
}

static enum ec find_backwards(struct table *t, uint32_t pos, const struct restriction *r,
                              uint32_t *pos_out) {
    struct hint hint = r ? find_hint(t, r) : (struct hint){0, false};
    while (pos > hint.from) {
        bool matches = true;
        pos--;
        if (r)
            EC_TRY(table_row_matches(t, pos, r, &matches));
        if (matches) {
            *pos_out = pos;
            return EC_OK;
        }
    }
    return EC_NOT_FOUND;
}

static enum ec find(struct table *t, const struct table_find *spec, table_row_fn row, void *ctx,
                    bool *is_gone_out) {
    ARENA_AUTO arena = arena_new();
    uint32_t pos;
    bool flag;
    *is_gone_out = false;
    if (spec->bookmark)
        EC_TRY(table_bookmark_pos(t, spec->bookmark, spec->bookmark_len, &pos, is_gone_out));
    else
        pos = spec->origin == TABLE_BEGINNING ? 0
              : spec->origin == TABLE_END     ? t->visible.n
                                              : visible_pos(&t->visible, t->cursor, &flag);
    EC_TRY(spec->is_backward ? find_backwards(t, pos, spec->restriction, &pos)
                             : find_forwards(t, pos, spec->restriction, &pos));
    EC_TRY(give_row(t, arena, pos, row, ctx, &flag));
    t->cursor = visible_place(&t->visible, pos);
    return EC_OK;
}

enum ec table_find_row(struct table *t, const struct table_find *spec, table_row_fn row, void *ctx,
                       bool *is_gone_out) {
    if (!table_is_contents(t) && t->kind != TABLE_HIERARCHY && t->kind != TABLE_RULES)
        return EC_NOT_SUPPORTED;
    if (!spec->bookmark && spec->origin > TABLE_END)
        return EC_INVALID_PARAMETER;
    EC_TRY(table_begin(t, true));
    enum ec ec = find(t, spec, row, ctx, is_gone_out);
    table_end(t);
    return ec;
}
