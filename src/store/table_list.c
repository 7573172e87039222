// Lists of rows as a source of tables.
#include "store/table_list.h"

#include <string.h>

#include "mapi/props.h"
#include "store/store_internal.h"

struct list_row {
    struct row_key key;
    unsigned n;
    const struct prop_value *values; // without PidTagInstID and PidTagInstanceNum
};

struct list {
    struct rows base;
    struct list_source *source; // outlives its snapshots
    struct arena *arena;
    GArray *rows; // of struct list_row
    uint64_t commits;
};

struct list_source {
    struct rows_source base;
    struct list_source_spec spec;
};

static const struct list_row *row_at(const struct list *list, uint32_t i) {
    return &g_array_index(list->rows, struct list_row, i);
}

static void list_free(struct rows *rows) {
    struct list *list = (struct list *)rows;
    g_array_unref(list->rows);
    arena_free(list->arena);
    g_free(list);
}

struct arena *list_arena(struct list *list) {
    return list->arena;
}

void list_add(struct list *list, struct row_key key, const struct prop_value *values, unsigned n) {
    struct prop_value *copies = arena_alloc(list->arena, n * sizeof *copies);
    for (unsigned i = 0; i < n; i++)
        copies[i] = prop_copy(list->arena, &values[i]);
    struct list_row row = {key, n, copies};
    g_array_append_val(list->rows, row);
}

static struct row_key list_at(const struct rows *rows, uint32_t i) {
    return row_at((const struct list *)rows, i)->key;
}

static bool list_find(const struct rows *rows, struct row_key key, uint32_t *i_out) {
    for (uint32_t i = 0; i < rows->n; i++) {
        struct row_key k = list_at(rows, i);
        if (k.id == key.id && k.instance == key.instance) {
            *i_out = i;
            return true;
        }
    }
    return false;
}

// --- Values ---

struct reader {
    const struct list *list;
    struct mbox_tx *tx;
    struct arena *arena;
    const struct list_row *row;
    struct bag *more; // NULL: not asked for yet
    enum ec ec;
};

static const struct prop_value *own_value(struct arena *arena, const struct list_row *row,
                                          proptag_t tag) {
    struct prop_value v;
    if (tag == PidTagInstID)
        v = prop_i8(tag, (int64_t)row->key.id);
    else if (tag == PidTagInstanceNum)
        v = prop_long(tag, (int32_t)row->key.instance);
    else {
        for (unsigned i = 0; i < row->n; i++)
            if (row->values[i].tag == tag)
                return &row->values[i];
        return NULL;
    }
    return arena_memdup(arena, &v, sizeof v);
}

static const struct prop_value *read_value(void *ctx, proptag_t tag) {
    struct reader *r = ctx;
    const struct list_source_spec *spec = &r->list->source->spec;
    const struct prop_value *v = own_value(r->arena, r->row, tag);
    if (v || !spec->more || r->ec != EC_OK)
        return v;
    if (!r->more) {
        enum ec ec = spec->more(spec->ctx, r->tx, r->row->key, &r->more);
        if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED) // gone since
            r->more = bag_new();
        else
            r->ec = ec;
    }
    return r->more ? bag_get(r->more, tag) : NULL;
}

static enum ec list_values(const struct rows *rows, struct mbox_tx *tx, struct arena *arena,
                           uint32_t i, const proptag_t *tags, unsigned n, size_t max_bytes,
                           const struct prop_value **values) {
    const struct list *list = (const struct list *)rows;
    struct reader r = {.list = list, .tx = tx, .arena = arena, .row = row_at(list, i)};
    (void)max_bytes; // the engine cuts
    for (unsigned k = 0; k < n; k++) {
        const struct prop_value *v = read_value(&r, tags[k]);
        if (v && r.more && !own_value(arena, r.row, tags[k])) {
            struct prop_value copy = prop_copy(arena, v);
            v = arena_memdup(arena, &copy, sizeof copy);
        }
        values[k] = v;
    }
    bag_free(r.more);
    return r.ec;
}

static enum ec row_matches(const struct list *list, struct mbox_tx *tx, const struct list_row *row,
                           const struct restriction *restriction, bool *out) {
    ARENA_AUTO arena = arena_new();
    struct reader r = {.list = list, .tx = tx, .arena = arena, .row = row};
    struct restriction_source source = {.get = read_value, .ctx = &r};
    *out = restriction_matches(restriction, &source);
    bag_free(r.more);
    return r.ec;
}

static enum ec list_matches(const struct rows *rows, struct mbox_tx *tx, uint32_t i,
                            const struct restriction *restriction, bool *out) {
    const struct list *list = (const struct list *)rows;
    return row_matches(list, tx, row_at(list, i), restriction, out);
}

// --- Differences ---

static bool same_values(const struct list_row *a, const struct list_row *b) {
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (!prop_equal(&a->values[i], &b->values[i]))
            return false;
    return true;
}

static guint hash_key(gconstpointer p) {
    const struct row_key *key = p;
    return (guint)(key->id ^ key->id >> 32) * 31 + key->instance;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b) {
    const struct row_key *x = a, *y = b;
    return x->id == y->id && x->instance == y->instance;
}

static GHashTable *index_rows(const struct list *list) {
    GHashTable *index = g_hash_table_new(hash_key, equal_keys);
    for (uint32_t i = 0; i < list->base.n; i++)
        g_hash_table_insert(index, (gpointer)&row_at(list, i)->key, GUINT_TO_POINTER(i + 1));
    return index;
}

static bool list_diff(const struct rows *from, const struct rows *to, unsigned limit,
                      row_change_fn fn, void *ctx) {
    const struct list *a = (const struct list *)from, *b = (const struct list *)to;
    g_autoptr(GHashTable) old = index_rows(a);
    g_autoptr(GHashTable) now = index_rows(b);
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(uint32_t)); // of b
    unsigned gone = 0;
    uint32_t kept = 0; // rows of a that are known to be gone or met
    for (uint32_t i = 0; i < a->base.n; i++)
        gone += !g_hash_table_contains(now, &row_at(a, i)->key);
    for (uint32_t i = 0; i < b->base.n; i++) {
        const struct list_row *row = row_at(b, i);
        guint was = GPOINTER_TO_UINT(g_hash_table_lookup(old, &row->key));
        // Rows that stand before one that stood before them have moved.
        bool moved = was && was - 1 < kept;
        if (was && !moved)
            kept = was;
        if (!was || moved || !same_values(row_at(a, was - 1), row))
            g_array_append_val(changed, i);
    }
    if (gone + changed->len > limit)
        return false;
    for (uint32_t i = 0; i < a->base.n; i++)
        if (!g_hash_table_contains(now, &row_at(a, i)->key))
            fn(ctx, ROW_GONE, row_at(a, i)->key, 0);
    for (guint k = 0; k < changed->len; k++) {
        uint32_t i = g_array_index(changed, uint32_t, k);
        const struct row_key *key = &row_at(b, i)->key;
        fn(ctx, g_hash_table_contains(old, key) ? ROW_DIFFERENT : ROW_NEW, *key, i);
    }
    return true;
}

static const struct rows_ops list_ops = {.free = list_free,
                                         .at = list_at,
                                         .find = list_find,
                                         .values = list_values,
                                         .matches = list_matches,
                                         .diff = list_diff};

// --- The source ---

static uint64_t commits_of(const struct rows_source *source) {
    return source->mbox ? atomic_load(&source->mbox->commits) : 0;
}

// Takes the rows out that do not match.
static enum ec filter(struct list *list, struct mbox_tx *tx,
                      const struct restriction *restriction) {
    guint kept = 0;
    uint32_t limit = restriction_count_limit(restriction);
    for (guint i = 0; i < list->rows->len && kept < limit; i++) {
        struct list_row row = *row_at(list, i);
        bool matches;
        EC_TRY(row_matches(list, tx, &row, restriction, &matches));
        if (matches)
            g_array_index(list->rows, struct list_row, kept++) = row;
    }
    g_array_set_size(list->rows, kept);
    return EC_OK;
}

static enum ec fill(struct list_source *s, struct mbox_tx *tx,
                    const struct restriction *restriction, struct list *list) {
    EC_TRY(s->spec.fill(s->spec.ctx, tx, list));
    if (restriction)
        EC_TRY(filter(list, tx, restriction));
    list->base.n = list->rows->len;
    return EC_OK;
}

static enum ec list_get(struct rows_source *source, const struct sort_order *order,
                        const struct restriction *restriction, struct rows *old,
                        struct rows **out) {
    struct list_source *s = (struct list_source *)source;
    MBOX_TX_AUTO tx = NULL;
    (void)order; // these tables cannot be sorted
    if (old && ((struct list *)old)->commits == commits_of(source)) {
        *out = rows_ref(old);
        return EC_OK;
    }
    if (source->mbox)
        EC_TRY(mbox_read(source->mbox, &tx));
    struct list *list = g_new0(struct list, 1);
    list->base = (struct rows){.ops = &list_ops, .refs = 1};
    list->source = s;
    list->arena = arena_new();
    list->rows = g_array_new(FALSE, FALSE, sizeof(struct list_row));
    list->commits = tx ? tx->commits : 0;
    enum ec ec = fill(s, tx, restriction, list);
    if (ec != EC_OK) {
        list_free(&list->base);
        return ec;
    }
    *out = &list->base;
    return EC_OK;
}

static void source_free(struct rows_source *source) {
    struct list_source *s = (struct list_source *)source;
    if (s->spec.free)
        s->spec.free(s->spec.ctx);
    mbox_unref(source->mbox);
    g_free(s);
}

static const struct source_ops source_ops = {source_free, list_get};

struct rows_source *list_source_new(struct mbox *mbox, const struct list_source_spec *spec) {
    struct list_source *s = g_new0(struct list_source, 1);
    s->base = (struct rows_source){.ops = &source_ops,
                                   .mbox = mbox ? mbox_ref(mbox) : NULL,
                                   .columns = spec->columns,
                                   .n_columns = spec->n_columns};
    s->spec = *spec;
    return &s->base;
}
