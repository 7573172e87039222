// A table handle: what it shows (columns, order, restriction) and its life ([MS-OXCTABL] 3.2.5.2 to
// 3.2.5.4, 3.2.5.6, 3.2.5.7, 3.2.5.13, 3.2.5.16).
#include <string.h>

#include "mapi/props.h"
#include "store/table_internal.h"

#define MV_INSTANCE 0x2000u
#define RESTRICTION_MAX_BYTES (4u * 1024 * 1024)

struct table *table_new(enum table_kind kind, struct rows_source *source_take) {
    struct table *t = g_new0(struct table, 1);
    t->kind = kind;
    t->source = source_take;
    t->toggled = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    t->bookmarks = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    t->announced = g_array_new(FALSE, FALSE, sizeof(enum table_event_kind));
    t->generation = g_random_int();
    t->is_default_order = true;
    table_forget_rows(t);
    return t;
}

void table_free(struct table *t) {
    if (!t)
        return;
    table_forget_rows(t);
    t->source->ops->free(t->source);
    arena_free(t->restriction_arena);
    g_hash_table_unref(t->toggled);
    g_hash_table_unref(t->bookmarks);
    g_array_unref(t->announced);
    g_free(t->columns);
    g_free(t->tags);
    g_free(t);
}

enum table_kind table_kind(const struct table *t) {
    return t->kind;
}

// --- Operations on rows ---

enum ec table_tx(struct table *t, struct mbox_tx **out) {
    if (!t->tx && t->source->mbox)
        EC_TRY(mbox_read(t->source->mbox, &t->tx));
    *out = t->tx;
    return EC_OK;
}

void table_end(struct table *t) {
    mbox_read_end(t->tx);
    t->tx = NULL;
}

static enum ec renew(struct table *t) {
    struct rows *newest;
    const struct sort_order *order = t->is_default_order ? NULL : &t->effective;
    EC_TRY(t->source->ops->get(t->source, order, t->restriction, t->rows, &newest));
    if (newest == t->rows) {
        rows_unref(newest);
        return EC_OK;
    }
    struct rows *old = t->rows;
    struct visible was = t->visible;
    t->rows = newest;
    t->visible = (struct visible){0};
    enum ec ec = visible_build(t, newest, NULL, &t->visible);
    if (ec == EC_OK && old)
        ec = table_move_places(t, old, &was);
    if (ec == EC_OK && !t->told)
        t->told = rows_ref(newest);
    if (ec != EC_OK) { // as before: the next operation tries again
        visible_clear(&t->visible);
        t->rows = rows_ref(old);
        t->visible = was;
        rows_unref(newest);
    } else {
        visible_clear(&was);
    }
    rows_unref(old);
    return ec;
}

enum ec table_begin(struct table *t, bool needs_columns) {
    if (needs_columns && t->n_columns == 0)
        return EC_NULL_OBJECT;
    if (t->is_order_bad || t->is_restriction_bad)
        return EC_NOT_INITIALIZED;
    enum ec ec = renew(t);
    if (ec != EC_OK)
        table_end(t);
    return ec;
}

void table_forget_rows(struct table *t) {
    rows_unref(t->rows);
    rows_unref(t->told);
    t->rows = t->told = NULL;
    visible_clear(&t->visible);
    t->cursor = (struct place){0, PLACE_FIRST};
}

void table_drop_bookmarks(struct table *t) {
    g_hash_table_remove_all(t->bookmarks);
    t->generation++;
}

// A client that asked for the work to be done asynchronously waits for its end to be told.
static void announce(struct table *t, bool is_async, enum table_event_kind kind) {
    if (is_async)
        g_array_append_val(t->announced, kind);
}

// --- Columns ---

static bool is_column(proptag_t tag) {
    uint16_t type = PROP_TYPE(tag);
    if (PROP_ID(tag) == 0)
        return false;
    if (type & MV_INSTANCE)
        return type & PT_MV &&
               prop_type_is_valid((type & ~MV_INSTANCE) == PT_MV_STRING8 ? PT_MV_UNICODE
                                                                         : type & ~MV_INSTANCE);
    switch (type) {
    case PT_UNSPECIFIED:
    case PT_NULL:
    case PT_ERROR:
        return false;
    case PT_STRING8:
    case PT_MV_STRING8:
    case PT_OBJECT:
    case PT_SRESTRICT:
    case PT_ACTIONS:
    case PT_SVREID:
        return true;
    default:
        return prop_type_is_valid(type);
    }
}

// The column whose rows are multi-value instances: NULL none, EC_INVALID_PARAMETER for two.
static enum ec find_instance(const proptag_t *tags, unsigned n, const proptag_t **out) {
    *out = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (!(PROP_TYPE(tags[i]) & MV_INSTANCE))
            continue;
        if (*out && **out != tags[i])
            return EC_INVALID_PARAMETER;
        *out = &tags[i];
    }
    return EC_OK;
}

// What rows are really ordered by: the client's order or the default one, and behind it the column
// that rows are instances of ([MS-OXCTABL] 3.2.5.2).
static enum ec make_effective(const struct table *t, const struct sort_order *order, bool has_order,
                              const proptag_t *columns, unsigned n_columns, struct sort_order *out,
                              bool *is_default_out) {
    const proptag_t *instance;
    *out = has_order ? *order : (struct sort_order){0};
    *is_default_out = !has_order;
    if (!table_is_contents(t))
        return EC_OK;
    if (!has_order)
        *out = (struct sort_order){
            .n = 1, .columns = {{PidTagMessageDeliveryTime, SORT_DESCENDING, false}}};
    EC_TRY(find_instance(columns, n_columns, &instance));
    if (!instance)
        return EC_OK;
    proptag_t tag = PROP_TAG(PROP_ID(*instance), column_value_type(*instance));
    for (unsigned i = 0; i < out->n; i++)
        if (out->columns[i].is_instance)
            return out->columns[i].tag == tag ? EC_OK : EC_INVALID_PARAMETER;
    if (out->n == SORT_ORDER_MAX)
        return EC_TOO_COMPLEX;
    out->columns[out->n++] = (struct sort_column){tag, SORT_ASCENDING, true};
    *is_default_out = false;
    return EC_OK;
}

static bool same_order(const struct sort_order *a, const struct sort_order *b) {
    if (a->n != b->n || a->n_categories != b->n_categories || a->n_expanded != b->n_expanded)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (a->columns[i].tag != b->columns[i].tag ||
            a->columns[i].direction != b->columns[i].direction ||
            a->columns[i].is_instance != b->columns[i].is_instance)
            return false;
    return true;
}

// Other rows than before: instances came or went. Bookmarks keep naming rows that are no more.
static void set_effective(struct table *t, const struct sort_order *order, bool is_default) {
    if (!same_order(&t->effective, order)) {
        table_forget_rows(t);
        table_drop_bookmarks(t);
    }
    t->effective = *order;
    t->is_default_order = is_default;
}

static enum ec set_columns(struct table *t, const proptag_t *tags, unsigned n) {
    struct sort_order effective;
    bool is_default;
    if (n == 0 || n > ROW_MAX_COLUMNS)
        return EC_INVALID_PARAMETER;
    for (unsigned i = 0; i < n; i++)
        if (!is_column(tags[i]))
            return EC_INVALID_PARAMETER;
    EC_TRY(make_effective(t, &t->order, t->has_order, tags, n, &effective, &is_default));
    set_effective(t, &effective, is_default);
    t->columns = g_memdup2(tags, n * sizeof *tags);
    t->tags = g_new(proptag_t, n);
    for (unsigned i = 0; i < n; i++)
        t->tags[i] = PROP_TAG(PROP_ID(tags[i]), column_value_type(tags[i]));
    t->n_columns = n;
    return EC_OK;
}

static void drop_columns(struct table *t) {
    g_clear_pointer(&t->columns, g_free);
    g_clear_pointer(&t->tags, g_free);
    t->n_columns = 0;
}

enum ec table_set_columns(struct table *t, const proptag_t *tags, unsigned n, bool is_async) {
    drop_columns(t);
    enum ec ec = set_columns(t, tags, n);
    t->status = ec == EC_OK ? TABLE_COMPLETE : TABLE_SETCOL_ERROR;
    if (ec == EC_OK)
        announce(t, is_async, TABLE_CHANGED);
    return ec;
}

struct columns table_columns(const struct table *t) {
    return (struct columns){t->n_columns, t->columns};
}

struct columns table_all_columns(const struct table *t) {
    return (struct columns){t->source->n_columns, t->source->columns};
}

// --- Order ---

static enum ec check_order(const struct sort_order *order) {
    unsigned instances = 0;
    if (order->n > SORT_ORDER_MAX || order->n_categories > order->n ||
        order->n_expanded > order->n_categories)
        return EC_INVALID_PARAMETER;
    for (unsigned i = 0; i < order->n; i++) {
        const struct sort_column *c = &order->columns[i];
        uint16_t type = PROP_TYPE(c->tag);
        if (!is_column(c->tag) || type & MV_INSTANCE || type == PT_OBJECT || type == PT_SRESTRICT ||
            type == PT_ACTIONS)
            return EC_INVALID_PARAMETER;
        if (c->direction == SORT_MAXIMUM_CATEGORY ? i == 0 || i > order->n_categories
                                                  : c->direction > SORT_DESCENDING)
            return EC_INVALID_PARAMETER;
        instances += c->is_instance;
    }
    return instances > 1 ? EC_INVALID_PARAMETER : EC_OK;
}

static enum ec sort(struct table *t, const struct sort_order *order) {
    struct sort_order effective;
    bool is_default;
    EC_TRY(check_order(order));
    EC_TRY(
        make_effective(t, order, order->n > 0, t->columns, t->n_columns, &effective, &is_default));
    t->order = *order;
    t->has_order = order->n > 0;
    t->effective = effective;
    t->is_default_order = is_default;
    return EC_OK;
}

enum ec table_sort(struct table *t, const struct sort_order *order, bool is_async) {
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    enum ec ec = sort(t, order);
    table_forget_rows(t);
    table_drop_bookmarks(t);
    g_hash_table_remove_all(t->toggled);
    t->is_order_bad = ec != EC_OK;
    t->status = ec == EC_OK ? TABLE_COMPLETE : TABLE_SORT_ERROR;
    if (ec == EC_OK)
        announce(t, is_async, TABLE_CHANGED);
    return ec;
}

// --- Restriction ---

// A copy of the tree that lives with the handle, made by way of its wire form.
static enum ec copy_restriction(const struct restriction *restriction, struct arena **arena_out,
                                struct restriction **out) {
    struct prop_wire form = {4, 65001};
    struct wire_writer w = wire_writer(RESTRICTION_MAX_BYTES);
    restriction_put(&w, &form, restriction);
    GByteArray *bytes = wire_writer_take(&w);
    if (!bytes)
        return EC_TOO_COMPLEX;
    struct arena *arena = arena_new();
    struct wire_reader r = wire_reader(arena_memdup(arena, bytes->data, bytes->len), bytes->len);
    g_byte_array_unref(bytes);
    enum ec ec = restriction_read(&r, &form, arena, out);
    if (ec != EC_OK)
        arena_free(arena);
    else
        *arena_out = arena;
    return ec;
}

enum ec table_restrict(struct table *t, const struct restriction *restriction, bool is_async) {
    struct arena *arena = NULL;
    struct restriction *copy = NULL;
    if (!table_is_contents(t) && t->kind != TABLE_HIERARCHY && t->kind != TABLE_RULES)
        return EC_NOT_SUPPORTED;
    enum ec ec = restriction ? copy_restriction(restriction, &arena, &copy) : EC_OK;
    table_forget_rows(t);
    table_drop_bookmarks(t);
    if (ec == EC_OK) {
        arena_free(t->restriction_arena);
        t->restriction_arena = arena;
        t->restriction = copy;
        announce(t, is_async, TABLE_RESTRICTION_CHANGED);
    }
    t->is_restriction_bad = ec != EC_OK;
    t->status = ec == EC_OK ? TABLE_COMPLETE : TABLE_RESTRICT_ERROR;
    return ec;
}

enum ec table_reset(struct table *t) {
    if (!table_is_contents(t))
        return EC_NOT_SUPPORTED;
    drop_columns(t);
    g_clear_pointer(&t->restriction_arena, arena_free);
    t->restriction = NULL;
    t->has_order = false;
    t->order = t->effective = (struct sort_order){0};
    t->is_default_order = true;
    t->is_order_bad = t->is_restriction_bad = false;
    t->status = TABLE_COMPLETE;
    g_hash_table_remove_all(t->toggled);
    g_array_set_size(t->announced, 0);
    table_forget_rows(t);
    table_drop_bookmarks(t);
    return EC_OK;
}

// --- Status ---

enum table_status table_status(const struct table *t) {
    return t->status;
}

enum ec table_abort(struct table *t) {
    return table_is_contents(t) || t->kind == TABLE_HIERARCHY ? EC_CANCEL : EC_NOT_SUPPORTED;
}
