// What the parts of db/ share: the engine seam, connections, statements.
//
// `db.c` owns connections and transactions, `statement.c` statements, `schema.c` versions; all
// three know only `struct db_engine`. `sqlite.c` is the one engine now; a second one is a second
// table.
#pragma once

#include <pthread.h>

#include "db/db.h"

struct db_copying; // the engine's

struct db_engine {
    // The engine's words for the placeholders in schemas.
    const char *blob_word, *clustered_word, *rowid_word;
    bool is_file;      // a database is a file, which can be copied and renamed
    bool rowid_is_key; // rowid_word says PRIMARY KEY itself; otherwise $ROWKEY(...) does
    // A query with the table's name as $1 that gives a row when the table exists.
    const char *table_exists_sql;
    // The writer's and the readers' way into a transaction.
    const char *begin_write_sql, *begin_read_sql;

    // Makes what a new database needs before the first connection; *is_new_out: nothing was there.
    enum ec (*prepare_database)(struct db *db, bool *is_new_out);
    enum ec (*connect)(struct db_conn *conn);
    void (*disconnect)(struct db_conn *conn);
    // Before disconnect: the file's name belongs to another one now.
    void (*abandon)(struct db_conn *conn);
    // Whether the engine still has the transaction open (it may have rolled back by itself).
    bool (*in_transaction)(struct db_conn *conn);
    enum ec (*exec)(struct db_conn *conn, const char *sql); // several statements

    enum ec (*prepare)(struct db_stmt *q);
    void (*finalize)(struct db_stmt *q);
    void (*reset)(struct db_stmt *q);
    enum ec (*step)(struct db_stmt *q, bool *row_out);
    enum ec (*bind_i64)(struct db_stmt *q, int i, int64_t v);
    enum ec (*bind_text)(struct db_stmt *q, int i, const char *s);
    enum ec (*bind_blob)(struct db_stmt *q, int i, const void *data, size_t len);
    enum ec (*bind_null)(struct db_stmt *q, int i);
    int64_t (*col_i64)(struct db_stmt *q, int i);
    const char *(*col_text)(struct db_stmt *q, int i);
    const void *(*col_blob)(struct db_stmt *q, int i, size_t *len_out);
    bool (*col_is_null)(struct db_stmt *q, int i);
    int64_t (*changes)(struct db_conn *conn);
    // Calls `tick` now and then while statements run (NULL: no longer).
    void (*watch)(struct db_conn *conn, void (*tick)(void *data), void *data);

    enum ec (*checkpoint)(struct db_conn *conn, bool truncate);
    enum ec (*verify)(struct db_conn *conn, GPtrArray *faults);

    // A copy in a new file (EC_COLLISION). Of the writer's connection: takes in what it commits
    // until the end. `copy_end` frees it; the file is whole when all was well.
    enum ec (*copy_begin)(struct db_conn *conn, const char *path, struct db_copying **out);
    enum ec (*copy_step)(struct db_copying *c, unsigned pages, bool *done_out, int *percent_out);
    enum ec (*copy_end)(struct db_copying *c);

    // Whether the file lacks what only making it anew gives (checksums); making it anew in a new
    // file. Both NULL: there is no such thing.
    bool (*needs_remaking)(struct db_conn *conn);
    enum ec (*remake)(struct db_conn *conn, const char *path);
    // Reads on over damage that would only be told, to throw away what is damaged; may be NULL.
    void (*trust)(struct db_conn *conn, bool is_trusting);
    // As verify, of a file that may be too damaged for a connection, as far as that can be told.
    enum ec (*verify_file)(const char *path, GPtrArray *faults);
};

extern const struct db_engine db_sqlite;

struct db {
    const struct db_engine *engine;
    char *path;
    struct db_options options;
    uint64_t wal_bytes; // atomic: what the last commit left in the WAL

    // Of everything below. A POSIX lock, because ThreadSanitizer does not know GLib's.
    pthread_mutex_t lock;
    GPtrArray *idle;     // readers nobody uses
    unsigned in_use;     // connections handed out
    GQueue waiting;      // struct writer_wait, first come first served
    bool is_writer_busy; // somebody has the writer
    GThread *writer_thread;
    struct db_conn *writer; // NULL: closed by db_trim

    // move.c
    pthread_mutex_t open_lock; // of connecting, against the file's change of place; before `lock`
    unsigned generation;       // of `path` (atomic): connections of an older one end with their use
    bool is_retired;           // gives no more connections
    struct db_copying *copying; // of the writer; belongs to who has the writer's turn
};

struct db_conn {
    struct db *db;
    void *handle;
    unsigned generation; // db->generation when it was opened
    bool is_writer;
    bool in_transaction;
    enum ec broken; // not EC_OK: the engine gave the transaction up; the first error
    unsigned savepoints;
    unsigned statements_in_use;
    GHashTable *statements; // address of the sql -> struct db_stmt, further copies behind `next`
};

struct db_stmt {
    struct db_conn *conn;
    const char *sql; // the caller's, the key
    void *handle;    // NULL: could not be prepared; freed by db_finish
    struct db_stmt *next;
    bool is_in_use;
    bool is_done;      // stepped to the end, or failed
    bool is_unordered; // parameters do not appear as $1, $2, ... in the text
    enum ec error;
    char text[]; // a copy of the sql, to notice a caller whose "static" string changed
};

// --- db.c ---
// db_open without the versions.
enum ec db_open_as_is(const char *path, const struct db_options *options, struct db **out);
// Closes every connection of a database that nobody uses yet, and opens the writer again.
void db_close_connections(struct db *db);
enum ec db_conn_open(struct db *db, bool is_writer, struct db_conn **out);
void db_conn_close(struct db_conn *conn); // accepts NULL
// Notes that the engine has ended the transaction by itself after `error`.
void db_conn_note_error(struct db_conn *conn, enum ec error);

// The writer's turn without a transaction; db->writer may be NULL.
void db_writer_take(struct db *db);
void db_writer_give(struct db *db);
// Closes db->writer, and ends the copy that is being made of it. The caller has the writer's turn.
void db_writer_close(struct db *db);

// --- statement.c ---
void db_conn_reset_statements(struct db_conn *conn); // ends what a caller forgot to end
void db_conn_free_statements(struct db_conn *conn);

// --- schema.c ---
enum ec db_migrate(struct db *db, const struct db_schema *schema);
// One step, from version `from` to the next, in one transaction.
enum ec db_migrate_step(struct db *db, const struct db_schema *schema, int64_t from);
// 0: no table of versions, or the schema is not in it.
enum ec db_version_read(struct db_conn *conn, const char *name, int64_t *out);
int64_t db_schema_version(const struct db_schema *schema); // the newest
// The schema's SQL in the engine's words (g_free).
char *db_schema_translate(const struct db_engine *engine, const char *sql);

// --- upgrade.c ---
// Brings a file of version `found` to the newest on a copy that takes its place when it is whole.
enum ec db_upgrade(struct db *db, const struct db_schema *schema, int64_t found);
// Renames and syncs the folder.
enum ec db_file_rename(const char *from, const char *to);
void db_file_unlink(const char *path); // with its -wal and -shm
