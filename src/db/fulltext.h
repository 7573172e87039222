// Full-text indexes inside a database: which documents contain which words.
//
// A database has room for two indexes (slots), so that one can be built while the other is in use.
// A document is a number and up to DB_FULLTEXT_COLUMNS texts, each already split into words
// (fulltext_words.h); numbers must not be used twice, because a document cannot be taken out: who
// asks joins the answers with the documents there are, and builds a new index when too many are
// gone.
//
// Behind it: SQLite's FTS5 (contentless, with positions). Texts never become query syntax.
#pragma once

#include "db/db.h"

#define DB_FULLTEXT_SLOTS 2
#define DB_FULLTEXT_COLUMNS 8
#define DB_FULLTEXT_MAX_DEPTH 16  // of a query
#define DB_FULLTEXT_MAX_NODES 256 // of a query
#define DB_FULLTEXT_ALL_COLUMNS ((1u << DB_FULLTEXT_COLUMNS) - 1)

// In a write transaction. Creating drops what the slot had; dropping nothing is no error.
enum ec db_fulltext_create(struct db_conn *conn, unsigned slot);
enum ec db_fulltext_drop(struct db_conn *conn, unsigned slot);
// `words[i]`: words of column i, separated by spaces; NULL: none.
enum ec db_fulltext_add(struct db_conn *conn, unsigned slot, uint64_t doc,
                        const char *const words[DB_FULLTEXT_COLUMNS]);
// Brings together up to about `pages` pages of what many small additions left, so that queries stay
// fast.
enum ec db_fulltext_merge(struct db_conn *conn, unsigned slot, unsigned pages);
// The index's own consistency (in a write transaction). EC_CORRUPT_DATA when it is damaged or not
// there.
enum ec db_fulltext_verify(struct db_conn *conn, unsigned slot);

enum db_fulltext_kind {
    DB_FULLTEXT_WORDS, // the words one after the other; with is_prefix the last may go on
    DB_FULLTEXT_AND,   // its children; those of kind NOT take away, one must be of another kind
    DB_FULLTEXT_OR,
    DB_FULLTEXT_NOT, // one child; only inside AND
};
struct db_fulltext_node {
    enum db_fulltext_kind kind;
    struct db_fulltext_node *children, *next;
    const char *words; // as db_words_append makes them; an empty text matches nothing
    bool is_prefix;
    uint32_t columns; // bits; 0: all
};

// The documents that match, by number. EC_INVALID_PARAMETER: a NOT where none may be;
// EC_TOO_COMPLEX.
struct db_fulltext_cursor;
enum ec db_fulltext_query(struct db_conn *conn, unsigned slot, const struct db_fulltext_node *query,
                          bool is_descending, struct db_fulltext_cursor **out);
bool db_fulltext_next(struct db_fulltext_cursor *c, uint64_t *doc_out);
enum ec db_fulltext_end(struct db_fulltext_cursor *c); // the first error; accepts NULL

// Whether a document whose words are `words` would be found: for those not yet in an index.
bool db_fulltext_matches(const struct db_fulltext_node *query,
                         const char *const words[DB_FULLTEXT_COLUMNS]);
