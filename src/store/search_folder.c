// Search criteria: set, read, restarted, stopped; kept in the wire form of restrictions.
#include "store/search_folder.h"

#include <string.h>

#include "base/log.h"
#include "store/search_folder_internal.h"

#define RESTRICTION_BYTES_MAX (1024 * 1024)

static enum ec check_folder(struct mbox_tx *tx, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    EC_TRY(folder_get(tx, arena, fid, &f));
    return f.type == FOLDER_TYPE_SEARCH ? EC_OK : EC_NOT_SEARCH_FOLDER;
}

static enum ec check_scope(struct mbox_tx *tx, uint64_t fid,
                           const struct search_criteria *criteria) {
    ARENA_AUTO arena = arena_new();
    if (criteria->n_scope == 0)
        return EC_NOT_INITIALIZED;
    if (criteria->n_scope > SEARCH_SCOPE_MAX)
        return EC_TOO_COMPLEX;
    for (unsigned i = 0; i < criteria->n_scope; i++) {
        struct folder_info f;
        if (criteria->scope[i] == fid)
            return EC_SEARCH_SCOPE_VIOLATION;
        EC_TRY(folder_get(tx, arena, criteria->scope[i], &f));
        if (f.type == FOLDER_TYPE_SEARCH)
            return EC_SEARCH_FOLDER;
    }
    return EC_OK;
}

static enum ec write_criteria(struct mbox_tx *tx, uint64_t fid,
                              const struct search_criteria *criteria) {
    struct prop_wire form = PROP_WIRE_EXTENDED;
    struct wire_writer w = wire_writer(RESTRICTION_BYTES_MAX);
    if (criteria->restriction)
        restriction_put(&w, &form, criteria->restriction);
    if (!wire_writer_ok(&w)) {
        wire_writer_clear(&w);
        return EC_TOO_COMPLEX;
    }
    g_autoptr(GByteArray) restriction = wire_writer_take(&w);
    uint32_t flags =
        STORED_RUNNING | STORED_BUILDING | (criteria->is_recursive ? STORED_RECURSIVE : 0u) |
        (criteria->is_static ? STORED_STATIC : 0u) | (criteria->wants_index ? STORED_INDEXED : 0u);
    bool is_empty = !restriction || restriction->len == 0;
    struct db_stmt *q = db_query(tx->conn, sql_search_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, flags);
    db_bind_blob(q, 4, is_empty ? (const void *)"" : restriction->data,
                 is_empty ? 0 : restriction->len);
    db_bind_blob(q, 5, criteria->scope, criteria->n_scope * sizeof *criteria->scope);
    db_bind_i64(q, 6, (int64_t)tx->mbox->next_id - 1);
    return db_run(q, NULL);
}

enum ec search_folder_set(struct mbox_tx *tx, uint64_t fid,
                          const struct search_criteria *criteria) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(check_folder(tx, fid));
    EC_TRY(check_scope(tx, fid, criteria));
    EC_TRY(search_link_clear(tx, fid));
    EC_TRY(write_criteria(tx, fid, criteria));
    atomic_store(&tx->mbox->has_search_folders, true);
    return EC_OK;
}

static enum ec stop(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_search_stop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

static bool is_both(uint32_t flags, uint32_t a, uint32_t b) {
    return (flags & a) && (flags & b);
}

static bool is_valid_request(uint32_t flags) {
    const uint32_t known = STOP_SEARCH | RESTART_SEARCH | RECURSIVE_SEARCH | SHALLOW_SEARCH |
                           CONTENT_INDEXED_SEARCH | NON_CONTENT_INDEXED_SEARCH | STATIC_SEARCH;
    return !(flags & ~known) && !is_both(flags, STOP_SEARCH, RESTART_SEARCH) &&
           !is_both(flags, RECURSIVE_SEARCH, SHALLOW_SEARCH) &&
           !is_both(flags, CONTENT_INDEXED_SEARCH, NON_CONTENT_INDEXED_SEARCH);
}

enum ec search_folder_request(struct mbox_tx *tx, uint64_t fid, bool has_restriction,
                              const struct restriction *restriction, const uint64_t *scope,
                              unsigned n, uint32_t flags) {
    ARENA_AUTO arena = arena_new();
    struct search_criteria criteria = {0};
    uint32_t state;
    EC_TRY(tx_check_writer(tx));
    if (!is_valid_request(flags))
        return EC_INVALID_PARAMETER;
    enum ec ec = search_folder_get(tx, arena, fid, &criteria, &state);
    if (ec != EC_OK && ec != EC_NOT_INITIALIZED)
        return ec;
    if (flags & STOP_SEARCH)
        return ec == EC_OK ? stop(tx, fid) : ec;
    if (has_restriction)
        criteria.restriction = restriction;
    if (n > 0) {
        criteria.scope = scope;
        criteria.n_scope = n;
    }
    // Asked for neither, a first search is shallow; a later one goes on as it was.
    if (flags & (RECURSIVE_SEARCH | SHALLOW_SEARCH))
        criteria.is_recursive = flags & RECURSIVE_SEARCH;
    criteria.is_static = flags & STATIC_SEARCH;
    criteria.wants_index = flags & CONTENT_INDEXED_SEARCH;
    return search_folder_set(tx, fid, &criteria);
}

// --- Reading ---

static bool read_row(struct db_stmt *q, struct arena *arena, struct search_folder *out) {
    size_t len, scope_len;
    const void *bytes = db_col_blob(q, 2, &len);
    const void *scope = db_col_blob(q, 3, &scope_len);
    struct restriction *restriction = NULL;
    if (len > 0) {
        struct prop_wire form = PROP_WIRE_EXTENDED;
        struct wire_reader r = wire_reader(arena_memdup(arena, bytes, len), len);
        if (restriction_read(&r, &form, arena, &restriction) != EC_OK)
            return false;
    }
    if (scope_len == 0 || scope_len % sizeof(uint64_t) != 0)
        return false;
    uint32_t flags = (uint32_t)db_col_i64(q, 1);
    *out = (struct search_folder){
        .fid = (uint64_t)db_col_i64(q, 0),
        .flags = flags,
        .seen = (uint64_t)db_col_i64(q, 4),
        .at_fid = (uint64_t)db_col_i64(q, 5),
        .at_uid = (uint64_t)db_col_i64(q, 6),
        .criteria = {.restriction = restriction,
                     .scope = arena_memdup(arena, scope, scope_len),
                     .n_scope = (unsigned)(scope_len / sizeof(uint64_t)),
                     .is_recursive = flags & STORED_RECURSIVE,
                     .is_static = flags & STORED_STATIC,
                     .wants_index = flags & STORED_INDEXED},
    };
    return true;
}

enum ec search_folders_load(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                            struct search_folder **out, unsigned *n_out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct search_folder));
    struct db_stmt *q = db_query(tx->conn, fid ? sql_search_get : sql_search_list);
    db_bind_i64(q, 1, MBX);
    if (fid)
        db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct search_folder s;
        if (read_row(q, arena, &s))
            g_array_append_val(list, s);
        else
            log_event(LOG_LEVEL_ERROR, "store.search_folder_damaged", "mailbox", tx->mbox->address,
                      "fid", log_i64(db_col_i64(q, 0)), "do", "run `bourse check --repair`", NULL);
    }
    EC_TRY(db_finish(q));
    *n_out = list->len;
    *out = arena_memdup(arena, list->data, list->len * sizeof(struct search_folder));
    return EC_OK;
}

enum ec search_folder_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                          struct search_criteria *out, uint32_t *state_out) {
    struct search_folder *s;
    struct search_terms terms;
    unsigned n;
    EC_TRY(check_folder(tx, fid));
    EC_TRY(search_folders_load(tx, arena, fid, &s, &n));
    if (n == 0)
        return EC_NOT_INITIALIZED;
    *out = s->criteria;
    *state_out =
        (s->flags & STORED_BUILDING ? SEARCH_RUNNING | SEARCH_REBUILD : SEARCH_COMPLETE) |
        (s->flags & STORED_RECURSIVE ? SEARCH_RECURSIVE : 0u) |
        (s->flags & STORED_STATIC ? SEARCH_STATIC : 0u) |
        (search_terms_of(arena, &s->criteria, &terms) ? SEARCH_CI_TOTALLY : SEARCH_TWIR_TOTALLY);
    return EC_OK;
}

// --- With its folder ---

enum ec search_folder_deleted(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_search_drop);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    EC_TRY(db_run(q, NULL));
    q = db_query(tx->conn, sql_link_clear);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

enum ec search_folder_copied(struct mbox_tx *tx, uint64_t from, uint64_t to) {
    ARENA_AUTO arena = arena_new();
    struct search_criteria criteria;
    uint32_t state;
    enum ec ec = search_folder_get(tx, arena, from, &criteria, &state);
    if (ec != EC_OK)
        return ec == EC_NOT_INITIALIZED ? EC_OK : ec;
    return search_folder_set(tx, to, &criteria);
}
