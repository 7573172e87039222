// Full-text indexes on FTS5: its tables and statements, and queries as its expressions.
//
// FTS5's own tokenizer only has to split at spaces: "ascii" takes letters, digits and all bytes
// from 0x80 as parts of words. There is no content and no column size to store, only what leads
// from a word to its documents.
#include "db/fulltext.h"

#include <string.h>

#include "db/db_internal.h"

#define COLUMNS "c0, c1, c2, c3, c4, c5, c6, c7"

// Statements are kept by their address: one set a slot.
struct slot_sql {
    const char *create, *drop, *add, *merge, *settle, *verify, *ascending, *descending;
};
#define SLOT(t)                                                                                    \
    {                                                                                              \
        .create = "CREATE VIRTUAL TABLE " t " USING fts5(" COLUMNS ", content='', columnsize=0,"   \
                  " detail=full, tokenize='ascii')",                                               \
        .drop = "DROP TABLE IF EXISTS " t,                                                         \
        .add = "INSERT INTO " t " (rowid, " COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"    \
               " $9)",                                                                             \
        .merge = "INSERT INTO " t " (" t ", rank) VALUES ('merge', $1)",                           \
        .settle = "INSERT INTO " t " (" t ", rank) VALUES ('usermerge', 2)",                       \
        .verify = "INSERT INTO " t " (" t ") VALUES ('integrity-check')",                          \
        .ascending = "SELECT rowid FROM " t " WHERE " t " MATCH $1 ORDER BY rowid",                \
        .descending = "SELECT rowid FROM " t " WHERE " t " MATCH $1 ORDER BY rowid DESC",          \
    }
static const struct slot_sql slots[DB_FULLTEXT_SLOTS] = {SLOT("fulltext_a"), SLOT("fulltext_b")};

struct db_fulltext_cursor {
    struct db_stmt *q; // NULL: nothing matches
    char *expression;
};

enum ec db_fulltext_create(struct db_conn *conn, unsigned slot) {
    EC_TRY(db_fulltext_drop(conn, slot));
    EC_TRY(db_exec(conn, slots[slot].create));
    return db_exec(conn, slots[slot].settle);
}

enum ec db_fulltext_drop(struct db_conn *conn, unsigned slot) {
    g_return_val_if_fail(slot < DB_FULLTEXT_SLOTS, EC_INVALID_PARAMETER);
    // A damaged index has to go too.
    const struct db_engine *engine = conn->db->engine;
    if (engine->trust != NULL)
        engine->trust(conn, true);
    enum ec ec = db_exec(conn, slots[slot].drop);
    if (engine->trust != NULL)
        engine->trust(conn, false);
    return ec;
}

enum ec db_fulltext_add(struct db_conn *conn, unsigned slot, uint64_t doc,
                        const char *const words[DB_FULLTEXT_COLUMNS]) {
    struct db_stmt *q = db_query(conn, slots[slot].add);
    db_bind_i64(q, 1, (int64_t)doc);
    for (int i = 0; i < DB_FULLTEXT_COLUMNS; i++)
        db_bind_text(q, i + 2, words[i] && *words[i] ? words[i] : NULL);
    return db_run(q, NULL);
}

enum ec db_fulltext_merge(struct db_conn *conn, unsigned slot, unsigned pages) {
    struct db_stmt *q = db_query(conn, slots[slot].merge);
    db_bind_i64(q, 1, pages);
    return db_run(q, NULL);
}

enum ec db_fulltext_verify(struct db_conn *conn, unsigned slot) {
    enum ec ec = db_run(db_query(conn, slots[slot].verify), NULL);
    // No such table is a database error to the engine.
    return ec == EC_DATABASE_ERROR ? EC_CORRUPT_DATA : ec;
}

// --- Expressions ---

struct writer {
    GString *out;
    unsigned n_nodes;
};

static void put_words(struct writer *w, const struct db_fulltext_node *node) {
    if (node->columns && node->columns != DB_FULLTEXT_ALL_COLUMNS) {
        g_string_append_c(w->out, '{');
        for (unsigned i = 0; i < DB_FULLTEXT_COLUMNS; i++)
            if (node->columns & 1u << i)
                g_string_append_printf(w->out, " c%u", i);
        g_string_append(w->out, " } : ");
    }
    g_string_append_c(w->out, '"');
    for (const char *s = node->words; *s; s++) {
        if (*s == '"')
            g_string_append_c(w->out, '"');
        g_string_append_c(w->out, *s);
    }
    g_string_append(w->out, node->is_prefix ? "\" *" : "\"");
}

static bool has_words(const struct db_fulltext_node *node) {
    for (const char *s = node->words ? node->words : ""; *s; s++)
        if ((unsigned char)*s >= 0x80 || g_ascii_isalnum(*s))
            return true;
    return false;
}

static enum ec put_node(struct writer *w, const struct db_fulltext_node *node, unsigned depth,
                        bool *is_empty_out);

// The children of one sign, joined. FTS5 has no constants: what can match nothing is left out of an
// OR, and empties an AND.
static enum ec put_list(struct writer *w, const struct db_fulltext_node *node, unsigned depth,
                        bool taken_away, const char *word, unsigned *n_out, bool *some_empty_out) {
    *n_out = 0;
    *some_empty_out = false;
    for (const struct db_fulltext_node *c = node->children; c; c = c->next) {
        if ((node->kind == DB_FULLTEXT_AND && c->kind == DB_FULLTEXT_NOT) != taken_away)
            continue;
        const struct db_fulltext_node *child = taken_away ? c->children : c;
        gsize before = w->out->len;
        bool is_empty;
        if (!child)
            return EC_INVALID_PARAMETER;
        if (*n_out > 0)
            g_string_append(w->out, word);
        EC_TRY(put_node(w, child, depth + 1, &is_empty));
        if (is_empty) {
            g_string_truncate(w->out, before);
            *some_empty_out = true;
        } else {
            ++*n_out;
        }
    }
    return EC_OK;
}

static enum ec put_node(struct writer *w, const struct db_fulltext_node *node, unsigned depth,
                        bool *is_empty_out) {
    if (depth > DB_FULLTEXT_MAX_DEPTH || ++w->n_nodes > DB_FULLTEXT_MAX_NODES)
        return EC_TOO_COMPLEX;
    unsigned n, n_not;
    bool some_empty, ignored;
    switch (node->kind) {
    case DB_FULLTEXT_WORDS:
        *is_empty_out = !has_words(node);
        if (!*is_empty_out)
            put_words(w, node);
        return EC_OK;
    case DB_FULLTEXT_OR:
        g_string_append_c(w->out, '(');
        EC_TRY(put_list(w, node, depth, false, " OR ", &n, &some_empty));
        g_string_append_c(w->out, ')');
        *is_empty_out = n == 0;
        return EC_OK;
    case DB_FULLTEXT_AND: {
        g_string_append(w->out, "((");
        EC_TRY(put_list(w, node, depth, false, " AND ", &n, &some_empty));
        if (n == 0 && !some_empty)
            return EC_INVALID_PARAMETER;
        gsize before = w->out->len;
        g_string_append(w->out, ") NOT (");
        EC_TRY(put_list(w, node, depth, true, " OR ", &n_not, &ignored));
        if (n_not == 0)
            g_string_truncate(w->out, before);
        g_string_append(w->out, "))");
        *is_empty_out = some_empty;
        return EC_OK;
    }
    default:
        return EC_INVALID_PARAMETER;
    }
}

enum ec db_fulltext_query(struct db_conn *conn, unsigned slot, const struct db_fulltext_node *query,
                          bool is_descending, struct db_fulltext_cursor **out) {
    struct writer w = {.out = g_string_new(NULL)};
    bool is_empty = false;
    enum ec ec = put_node(&w, query, 0, &is_empty);
    char *expression = g_string_free(w.out, FALSE);
    if (ec != EC_OK) {
        g_free(expression);
        return ec;
    }
    struct db_fulltext_cursor *c = g_new0(struct db_fulltext_cursor, 1);
    c->expression = expression;
    if (!is_empty) {
        c->q = db_query(conn, is_descending ? slots[slot].descending : slots[slot].ascending);
        db_bind_text(c->q, 1, expression);
    }
    *out = c;
    return EC_OK;
}

bool db_fulltext_next(struct db_fulltext_cursor *c, uint64_t *doc_out) {
    if (!c->q || !db_step(c->q))
        return false;
    *doc_out = (uint64_t)db_col_i64(c->q, 0);
    return true;
}

enum ec db_fulltext_end(struct db_fulltext_cursor *c) {
    if (!c)
        return EC_OK;
    enum ec ec = c->q ? db_finish(c->q) : EC_OK;
    g_free(c->expression);
    g_free(c);
    return ec;
}

// --- Without an index ---

// `phrase` in `words` at word boundaries; both have single spaces.
static bool has_phrase(const char *words, const char *phrase, bool is_prefix) {
    size_t len = strlen(phrase);
    for (const char *s = words; (s = strstr(s, phrase)); s++)
        if ((s == words || s[-1] == ' ') && (is_prefix || s[len] == 0 || s[len] == ' '))
            return true;
    return false;
}

bool db_fulltext_matches(const struct db_fulltext_node *node,
                         const char *const words[DB_FULLTEXT_COLUMNS]) {
    const struct db_fulltext_node *c = node->children;
    switch (node->kind) {
    case DB_FULLTEXT_WORDS:
        for (unsigned i = 0; i < DB_FULLTEXT_COLUMNS && has_words(node); i++)
            if ((node->columns == 0 || node->columns & 1u << i) && words[i] &&
                has_phrase(words[i], node->words, node->is_prefix))
                return true;
        return false;
    case DB_FULLTEXT_AND:
        for (; c; c = c->next)
            if (!db_fulltext_matches(c, words))
                return false;
        return true;
    case DB_FULLTEXT_OR:
        for (; c; c = c->next)
            if (db_fulltext_matches(c, words))
                return true;
        return false;
    case DB_FULLTEXT_NOT:
        return !(c && db_fulltext_matches(c, words));
    }
    return false;
}
