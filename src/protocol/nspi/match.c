// Explicit tables: what a restriction matches, what a property names, and sorting them again
// (NspiGetMatches, NspiResortRestriction).
#include <stdlib.h>
#include <string.h>

#include "mapi/catalogue.h"
#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

// --- Restrictions ---

// A name to resolve in a restriction, and the entries that it means; looked up once.
struct anr {
    const struct restriction *node;
    struct directory_list found;
};

struct match {
    struct nspi_session *s;
    struct arena *arena;   // of the answer
    struct arena *scratch; // of one entry's values
    GArray *names;         // struct anr
    struct nspi_object object;
};

static bool is_anr(const struct restriction *res) {
    return (res->kind == RES_PROPERTY && PROP_ID(res->property.tag) == PROP_ID(PidTagAnr) &&
            PROP_TYPE(res->property.value.tag) == PT_UNICODE) ||
           (res->kind == RES_CONTENT && PROP_ID(res->content.tag) == PROP_ID(PidTagAnr) &&
            PROP_TYPE(res->content.value.tag) == PT_UNICODE);
}

static enum ec resolve_name(struct match *m, const struct restriction *res) {
    struct anr name = {.node = res};
    const char *text = res->kind == RES_PROPERTY ? res->property.value.str : res->content.value.str;
    enum ec ec = directory_resolve(m->s->service->directory, m->arena, text, &name.found);
    if (ec != EC_OK && ec != EC_NOT_FOUND && ec != EC_AMBIGUOUS)
        return ec;
    g_array_append_val(m->names, name);
    return EC_OK;
}

// Nodes that are not of an address book ([MS-OXNSPI] 2.2.5 has no others) are too complex.
// Restrictions are at most RESTRICTION_MAX_DEPTH deep.
static enum ec prepare(struct match *m, const struct restriction *res) {
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        for (uint32_t i = 0; i < res->list.n; i++)
            EC_TRY(prepare(m, res->list.sub[i]));
        return EC_OK;
    case RES_NOT:
        return prepare(m, res->sub);
    case RES_CONTENT:
    case RES_PROPERTY:
        return is_anr(res) ? resolve_name(m, res) : EC_OK;
    case RES_COMPARE:
    case RES_BITMASK:
    case RES_SIZE:
    case RES_EXIST:
        return EC_OK;
    default:
        return EC_TOO_COMPLEX;
    }
}

static const struct prop_value *get(void *ctx, proptag_t tag) {
    struct match *m = ctx;
    struct prop_value *v = arena_alloc(m->scratch, sizeof *v);
    *v = object_value(m->s, m->scratch, 0, &m->object, tag);
    return PROP_TYPE(v->tag) == PT_ERROR ? NULL : v;
}

static bool is_named(const struct match *m, const struct restriction *res) {
    for (guint i = 0; i < m->names->len; i++) {
        const struct anr *name = &g_array_index(m->names, struct anr, i);
        if (name->node != res)
            continue;
        for (unsigned k = 0; k < name->found.n; k++)
            if (guid_equal(&name->found.items[k]->guid, &m->object.entry->guid))
                return true;
    }
    return false;
}

static bool matches(struct match *m, const struct restriction *res) {
    struct restriction_source source = {.get = get, .ctx = m};
    switch (res->kind) {
    case RES_AND:
        for (uint32_t i = 0; i < res->list.n; i++)
            if (!matches(m, res->list.sub[i]))
                return false;
        return true;
    case RES_OR:
        for (uint32_t i = 0; i < res->list.n; i++)
            if (matches(m, res->list.sub[i]))
                return true;
        return false;
    case RES_NOT:
        return !matches(m, res->sub);
    default:
        return is_anr(res) ? is_named(m, res) : restriction_matches(res, &source);
    }
}

// A name that has to match: only what it means needs to be looked at.
static const struct anr *needed_name(const struct match *m, const struct restriction *res) {
    for (guint i = 0; i < m->names->len; i++) {
        const struct anr *name = &g_array_index(m->names, struct anr, i);
        if (name->node == res)
            return name;
        for (uint32_t k = 0; res->kind == RES_AND && k < res->list.n; k++)
            if (name->node == res->list.sub[k])
                return name;
    }
    return NULL;
}

static void consider(struct match *m, const struct restriction *filter, uint32_t index,
                     GArray *mids) {
    struct book *book = m->s->book;
    m->object = (struct nspi_object){.mid = book->mids[index], .entry = book->objects[index]};
    if (matches(m, filter))
        g_array_append_val(mids, book->mids[index]);
    arena_reset(m->scratch);
}

static int compare_rows(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void scan_named(struct match *m, const struct restriction *filter, const struct anr *name,
                       const struct book_table *table, uint32_t limit, GArray *mids) {
    uint32_t *rows = arena_alloc(m->arena, (name->found.n + 1) * sizeof *rows);
    unsigned n = 0;
    for (unsigned i = 0; i < name->found.n; i++) {
        uint32_t mid = mid_of(&m->s->service->mids, &name->found.items[i]->guid);
        uint32_t index = book_index(m->s->book, mid);
        if (index != UINT32_MAX && table->place[index] != UINT32_MAX)
            rows[n++] = table->place[index];
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    for (unsigned i = 0; i < n && mids->len <= limit; i++)
        consider(m, filter, table->order[rows[i]], mids);
}

static enum ec match_filter(struct nspi_session *s, struct arena *arena,
                            const struct nspi_stat *stat, const struct restriction *filter,
                            uint32_t limit, GArray *mids) {
    if (stat->sort_type != NSPI_SORT_DISPLAY_NAME &&
        stat->sort_type != NSPI_SORT_PHONETIC_DISPLAY_NAME)
        return EC_CALL_FAILED;
    const struct book_container *container = book_container(s->book, stat->container);
    const struct book_table *table;
    if (!container)
        return EC_INVALID_BOOKMARK;
    EC_TRY(book_table(s->book, container, stat->sort_locale, &table));
    struct match m = {s, arena, arena_new(), g_array_new(FALSE, FALSE, sizeof(struct anr)), {0}};
    enum ec ec = prepare(&m, filter);
    const struct anr *name = ec == EC_OK ? needed_name(&m, filter) : NULL;
    if (name)
        scan_named(&m, filter, name, table, limit, mids);
    for (unsigned i = 0; ec == EC_OK && !name && i < table->n && mids->len <= limit; i++)
        consider(&m, filter, table->order[i], mids);
    arena_free(m.scratch);
    g_array_free(m.names, TRUE);
    return ec;
}

// --- Properties that name entries ---

static enum ec sort_mids(struct nspi_session *s, const struct nspi_stat *stat, GArray *mids) {
    const struct book_table *gal;
    EC_TRY(book_table(s->book, &s->book->containers[CONTAINER_GAL], stat->sort_locale, &gal));
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (guint i = 0; i < mids->len; i++) {
        uint32_t index = book_index(s->book, g_array_index(mids, uint32_t, i));
        if (index != UINT32_MAX)
            g_array_append_val(rows, gal->place[index]);
    }
    if (rows->len > 0)
        qsort(rows->data, rows->len, sizeof(uint32_t), compare_rows);
    g_array_set_size(mids, 0);
    for (guint i = 0; i < rows->len; i++)
        g_array_append_val(mids, s->book->mids[gal->order[g_array_index(rows, uint32_t, i)]]);
    return EC_OK;
}

static enum ec match_property(struct nspi_session *s, struct arena *arena,
                              const struct nspi_stat *stat, bool has_name, GArray *mids) {
    struct nspi_object object;
    if (object_find(s, arena, stat->current, &object) != EC_OK)
        return EC_CALL_FAILED;
    uint16_t id = PROP_ID(stat->container);
    if (has_name)
        return EC_NOT_SUPPORTED;
    if (stat->sort_type == NSPI_SORT_DISPLAY_NAME_W && !link_may_change(s, arena, &object, id))
        return EC_NOT_SUPPORTED;
    struct directory_list list;
    EC_TRY(link_targets(s, arena, &object, id, &list));
    for (unsigned i = 0; i < list.n; i++) {
        uint32_t mid = mid_of(&s->service->mids, &list.items[i]->guid);
        g_array_append_val(mids, mid);
    }
    return sort_mids(s, stat, mids); // hidden entries are left out
}

enum ec nspi_get_matches(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                         const struct restriction *filter, bool has_name, uint32_t max_rows,
                         const struct columns *columns, struct nspi_mids *mids_out,
                         struct nspi_rows *rows_out) {
    struct columns use;
    EC_TRY(rows_columns(arena, columns, &use));
    EC_TRY(session_book(s));
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint32_t limit = MIN(max_rows, NSPI_MAX_TABLE);
    if (filter)
        EC_TRY(match_filter(s, arena, stat, filter, limit, mids));
    else
        EC_TRY(match_property(s, arena, stat, has_name, mids));
    if (mids->len > limit)
        return EC_TABLE_TOO_BIG;
    uint32_t *ids = arena_memdup(arena, mids->data, mids->len * sizeof *ids);
    *rows_out = (struct nspi_rows){0};
    if (columns) {
        unsigned most = MIN(NSPI_MAX_ROWS, NSPI_MAX_VALUES / MAX(use.n, 1u));
        EC_TRY(rows_make(s, arena, NSPI_EPHEMERAL_IDS, &use, ids, MIN(mids->len, most), rows_out));
    }
    *mids_out = (struct nspi_mids){mids->len, ids};
    stat->container = stat->current; // [MS-OXNSPI] 3.1.4.1.10, constraint 15
    return EC_OK;
}

enum ec nspi_resort_restriction(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                                const struct nspi_mids *in, struct nspi_mids *out) {
    if (stat->sort_type != NSPI_SORT_DISPLAY_NAME)
        return EC_CALL_FAILED;
    if (in->n > NSPI_MAX_TABLE)
        return EC_TABLE_TOO_BIG;
    EC_TRY(session_book(s));
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_vals(mids, in->ids, in->n);
    EC_TRY(sort_mids(s, stat, mids));
    uint32_t *ids = arena_memdup(arena, mids->data, mids->len * sizeof *ids);
    *out = (struct nspi_mids){mids->len, ids};
    unsigned row = 0;
    while (row < out->n && ids[row] != stat->current)
        row++;
    if (row == out->n) {
        stat->current = NSPI_BEGINNING_OF_TABLE;
        row = 0;
    }
    stat->position = row;
    stat->total = out->n;
    return EC_OK;
}
