// Places in tables and rows of them ([MS-OXNSPI] 3.1.4.5; NspiUpdateStat, NspiQueryRows,
// NspiSeekEntries, NspiGetProps, NspiGetPropList, NspiQueryColumns, NspiCompareMIds).
#include <string.h>

#include "mapi/catalogue.h"
#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

// --- Tables and places ---

static enum ec open_table(struct nspi_session *s, const struct nspi_stat *stat,
                          const struct book_table **out) {
    EC_TRY(session_book(s));
    const struct book_container *container = book_container(s->book, stat->container);
    if (!container)
        return EC_INVALID_BOOKMARK;
    return book_table(s->book, container, stat->sort_locale, out);
}

static uint32_t row_mid(const struct nspi_session *s, const struct book_table *table,
                        unsigned row) {
    return row < table->n ? s->book->mids[table->order[row]] : (uint32_t)NSPI_END_OF_TABLE;
}

// The row the STAT names before its delta counts. EC_NOT_FOUND.
static enum ec initial_row(const struct nspi_session *s, const struct book_table *table,
                           const struct nspi_stat *stat, unsigned *out) {
    if (stat->current == NSPI_BEGINNING_OF_TABLE) {
        *out = 0;
    } else if (stat->current == NSPI_END_OF_TABLE) {
        *out = table->n;
    } else if (stat->current == NSPI_CURRENT) {
        // The position is a fraction of the total that the client knows.
        uint64_t row = stat->total ? (uint64_t)table->n * stat->position / stat->total : 0;
        *out = (unsigned)MIN(row, table->n);
    } else {
        uint32_t index = book_index(s->book, stat->current);
        uint32_t row = index != UINT32_MAX ? table->place[index] : UINT32_MAX;
        if (row == UINT32_MAX)
            return EC_NOT_FOUND;
        *out = row;
    }
    return EC_OK;
}

static enum ec find_row(const struct nspi_session *s, const struct book_table *table,
                        const struct nspi_stat *stat, unsigned *initial_out, unsigned *out) {
    EC_TRY(initial_row(s, table, stat, initial_out));
    int64_t row = (int64_t)*initial_out + stat->delta;
    *out = (unsigned)CLAMP(row, 0, (int64_t)table->n);
    return EC_OK;
}

static void set_row(const struct nspi_session *s, const struct book_table *table, unsigned row,
                    struct nspi_stat *stat) {
    stat->current = row_mid(s, table, row);
    stat->position = row;
    stat->total = table->n;
    stat->delta = 0;
}

enum ec nspi_update_stat(struct nspi_session *s, struct nspi_stat *stat, int32_t *delta_out) {
    const struct book_table *table;
    unsigned initial, row;
    EC_TRY(open_table(s, stat, &table));
    EC_TRY(find_row(s, table, stat, &initial, &row));
    set_row(s, table, row, stat);
    if (delta_out)
        *delta_out = (int32_t)row - (int32_t)initial;
    return EC_OK;
}

enum ec nspi_compare_mids(struct nspi_session *s, const struct nspi_stat *stat, uint32_t a,
                          uint32_t b, int32_t *out) {
    const struct book_table *table;
    EC_TRY(open_table(s, stat, &table));
    uint32_t x = book_index(s->book, a), y = book_index(s->book, b);
    uint32_t row_a = x != UINT32_MAX ? table->place[x] : UINT32_MAX;
    uint32_t row_b = y != UINT32_MAX ? table->place[y] : UINT32_MAX;
    if (row_a == UINT32_MAX || row_b == UINT32_MAX)
        return EC_CALL_FAILED;
    *out = row_a < row_b ? -1 : row_a > row_b;
    return EC_OK;
}

// --- Rows ---

// [MS-OXNSPI] 3.1.4.1.8, constraint 6.
static const proptag_t default_columns[] = {
    PidTagAddressBookContainerId,
    PidTagObjectType,
    PidTagDisplayType,
    PROP_TAG(PROP_ID(PidTagDisplayName), PT_STRING8),
    PROP_TAG(PROP_ID(PidTagPrimaryTelephoneNumber), PT_STRING8),
    PROP_TAG(PROP_ID(PidTagDepartmentName), PT_STRING8),
    PROP_TAG(PROP_ID(PidTagOfficeLocation), PT_STRING8),
};

enum ec rows_columns(struct arena *arena, const struct columns *asked, struct columns *out) {
    (void)arena;
    if (asked && asked->n > NSPI_MAX_COLUMNS)
        return EC_TABLE_TOO_BIG;
    *out = asked ? *asked : (struct columns){G_N_ELEMENTS(default_columns), default_columns};
    return EC_OK;
}

static const struct prop_value *make_row(struct nspi_session *s, struct arena *arena,
                                         uint32_t flags, const struct columns *columns,
                                         uint32_t mid, bool *has_errors) {
    struct nspi_object object;
    bool is_found = object_find(s, arena, mid, &object) == EC_OK;
    struct prop_value *row = arena_alloc(arena, (columns->n + 1) * sizeof *row);
    for (unsigned i = 0; i < columns->n; i++) {
        proptag_t column = columns->tags[i];
        // What is not found has no values ([MS-OXNSPI] 3.1.4.1.7, constraint 11).
        row[i] = is_found ? object_value(s, arena, flags, &object, column)
                          : (struct prop_value){.tag = PROP_TAG(PROP_ID(column), PT_ERROR),
                                                .l = EC_NOT_FOUND};
        if (has_errors && PROP_TYPE(row[i].tag) == PT_ERROR)
            *has_errors = true;
    }
    return row;
}

enum ec rows_make(struct nspi_session *s, struct arena *arena, uint32_t flags,
                  const struct columns *columns, const uint32_t *mids, unsigned n,
                  struct nspi_rows *out) {
    const struct prop_value **rows = arena_alloc(arena, (n + 1) * sizeof *rows);
    for (unsigned i = 0; i < n; i++)
        rows[i] = make_row(s, arena, flags, columns, mids[i], NULL);
    *out = (struct nspi_rows){*columns, n, rows};
    return EC_OK;
}

// How many rows one answer takes.
static unsigned limit_rows(uint32_t asked, unsigned there_are, const struct columns *columns) {
    unsigned most = MIN(NSPI_MAX_ROWS, NSPI_MAX_VALUES / MAX(columns->n, 1u));
    return MIN(MIN(asked, there_are), MAX(most, 1u));
}

static enum ec range(struct nspi_session *s, struct arena *arena, uint32_t flags,
                     const struct book_table *table, unsigned row, uint32_t count,
                     const struct columns *columns, struct nspi_rows *out) {
    unsigned n = limit_rows(count, table->n - row, columns);
    uint32_t *mids = arena_alloc(arena, (n + 1) * sizeof *mids);
    for (unsigned i = 0; i < n; i++)
        mids[i] = row_mid(s, table, row + i);
    return rows_make(s, arena, flags, columns, mids, n, out);
}

enum ec nspi_query_rows(struct nspi_session *s, struct arena *arena, uint32_t flags,
                        struct nspi_stat *stat, const struct nspi_mids *table, uint32_t count,
                        const struct columns *columns, struct nspi_rows *out) {
    struct columns use;
    EC_TRY(rows_columns(arena, columns, &use));
    if (table) {
        EC_TRY(session_book(s));
        if (table->n > NSPI_MAX_TABLE)
            return EC_TABLE_TOO_BIG;
        unsigned n = limit_rows(count ? count : table->n, table->n, &use);
        return rows_make(s, arena, flags, &use, table->ids, n, out);
    }
    if (count == 0)
        return EC_INVALID_PARAMETER;
    const struct book_table *whole;
    unsigned initial, row;
    EC_TRY(open_table(s, stat, &whole));
    EC_TRY(find_row(s, whole, stat, &initial, &row));
    EC_TRY(range(s, arena, flags, whole, row, count, &use, out));
    set_row(s, whole, row + out->n, stat);
    return EC_OK;
}

// --- One object ---

enum ec nspi_query_columns(struct nspi_session *s, struct arena *arena, uint32_t flags,
                           struct columns *out) {
    *out = object_columns(s, arena, 0, NULL, flags & NSPI_UNICODE_PROPTYPES);
    return EC_OK;
}

enum ec nspi_get_prop_list(struct nspi_session *s, struct arena *arena, uint32_t flags,
                           uint32_t mid, uint32_t code_page, struct columns *out) {
    // Strings of 8 bits in a code page of 16: there are none.
    if (code_page == NSPI_CODE_PAGE_UNICODE)
        return EC_INVALID_CODEPAGE;
    EC_TRY(session_book(s));
    struct nspi_object object;
    if (object_find(s, arena, mid, &object) != EC_OK)
        return EC_INVALID_OBJECT;
    *out = object_columns(s, arena, flags, &object, false);
    return EC_OK;
}

enum ec nspi_get_props(struct nspi_session *s, struct arena *arena, uint32_t flags,
                       const struct nspi_stat *stat, const struct columns *columns,
                       struct nspi_rows *out) {
    EC_TRY(session_book(s));
    if (!book_container(s->book, stat->container))
        return EC_INVALID_BOOKMARK;
    struct columns use;
    if (columns) {
        EC_TRY(rows_columns(arena, columns, &use));
    } else {
        struct nspi_object object;
        if (object_find(s, arena, stat->current, &object) != EC_OK)
            return EC_INVALID_OBJECT;
        use = object_columns(s, arena, flags, &object, stat->code_page == NSPI_CODE_PAGE_UNICODE);
    }
    bool has_errors = false;
    const struct prop_value **rows = arena_alloc(arena, sizeof *rows);
    rows[0] = make_row(s, arena, flags, &use, stat->current, &has_errors);
    *out = (struct nspi_rows){use, 1, rows};
    return has_errors ? EC_ERRORS_RETURNED : EC_OK;
}

// --- Seeking ---

#define SEEK_ROWS 50

// The first id of an explicit table (in the order of `whole`) from `first` on; n: none.
static unsigned seek_mids(const struct nspi_session *s, const struct book_table *whole,
                          const struct nspi_mids *table, unsigned first) {
    for (unsigned i = 0; i < table->n; i++) {
        uint32_t index = book_index(s->book, table->ids[i]);
        if (index != UINT32_MAX && whole->place[index] != UINT32_MAX &&
            whole->place[index] >= first)
            return i;
    }
    return table->n;
}

static enum ec seek_explicit(struct nspi_session *s, struct arena *arena,
                             const struct book_table *whole, unsigned first,
                             const struct nspi_mids *table, struct nspi_stat *stat,
                             const struct columns *columns, struct nspi_rows *out) {
    if (table->n > NSPI_MAX_TABLE)
        return EC_TABLE_TOO_BIG;
    unsigned i = seek_mids(s, whole, table, first);
    if (i == table->n)
        return EC_NOT_FOUND;
    if (columns) {
        unsigned n = limit_rows(table->n - i, table->n - i, columns);
        EC_TRY(rows_make(s, arena, NSPI_EPHEMERAL_IDS, columns, table->ids + i, n, out));
    }
    stat->current = table->ids[i];
    stat->position = i;
    stat->total = table->n;
    return EC_OK;
}

enum ec nspi_seek_entries(struct nspi_session *s, struct arena *arena, struct nspi_stat *stat,
                          const struct prop_value *target, const struct nspi_mids *table,
                          const struct columns *columns, struct nspi_rows *out) {
    struct columns use;
    const struct book_table *whole;
    EC_TRY(open_table(s, stat, &whole));
    if (stat->sort_type != NSPI_SORT_DISPLAY_NAME || !target || target->tag != PidTagDisplayName)
        return EC_CALL_FAILED;
    EC_TRY(rows_columns(arena, columns, &use));
    *out = (struct nspi_rows){0};
    unsigned row = book_table_seek(s->book, whole, target->str);
    if (table)
        return seek_explicit(s, arena, whole, row, table, stat, columns, out);
    if (row == whole->n)
        return EC_NOT_FOUND;
    if (columns) // as NspiQueryRows would from there; the STAT does not move on
        EC_TRY(range(s, arena, NSPI_EPHEMERAL_IDS, whole, row, SEEK_ROWS, &use, out));
    int32_t delta = stat->delta;
    set_row(s, whole, row, stat);
    stat->delta = delta;
    return EC_OK;
}
