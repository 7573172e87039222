// The database engine behind one interface: statements, transactions, migrations.
//
// The only place that knows an engine. The SQL itself is the dialect SQLite and PostgreSQL share
// ($1 parameters in order of first use, ON CONFLICT, RETURNING, no engine functions) and stands in
// one file of each module (store/schema.c, directory/schema.c); in schemas $BLOB, $CLUSTERED,
// $ROWID (an integer that is the row's own key within its mailbox) and, at the end of such a table,
// $ROWKEY(mbx, column) are replaced by the engine's words (SQLite: BLOB, WITHOUT ROWID, INTEGER
// PRIMARY KEY, nothing; PostgreSQL: BYTEA, nothing, BIGINT NOT NULL, PRIMARY KEY (mbx, column)).
// tests/engines/postgres_test.py prepares every statement on a PostgreSQL.
//
// A `struct db` is one database (SQLite: one file in WAL mode). It has one writer connection and as
// many readers as are in use at once; readers see a snapshot and never wait for the writer. A
// connection is used by one thread at a time.
//
//     struct db_stmt *q = db_query(conn, "SELECT name FROM folder WHERE mbx = $1 AND fid = $2");
//     db_bind_i64(q, 1, mbx), db_bind_i64(q, 2, fid);
//     while (db_step(q))
//         use(db_col_text(q, 0));
//     EC_TRY(db_finish(q));
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct db;
struct db_conn;
struct db_stmt;

// A module's schema: `steps[i]` (several statements) brings version i to version i + 1, each in one
// transaction; a newer database is EC_BAD_VERSION. An older file is brought up on a copy,
// PATH.migrating, which is verified, synced and renamed over it; the file of before stays as
// PATH.old-vN until db_forget_old. A process that is killed on the way leaves the old file, and the
// next one goes on with the copy where it was.
struct db_schema {
    const char *name;
    const char *const *steps; // ended by NULL
};

enum db_durability {
    DB_DURABLE, // a commit is on disk when db_commit returns (synchronous=FULL)
    DB_RELAXED, // survives kill -9 of the program, not power loss (caches, tests)
};

struct db_options {
    enum db_durability durability;
    unsigned cache_kib; // page cache of a connection; 0: 1,024
    bool read_only;     // never writes, needs no writer (check of a damaged file)
};

// Opens, creates if missing, migrates. EC_DISK_FULL, EC_DISK_ERROR, EC_CORRUPT_DATA,
// EC_BAD_VERSION; logged with the path and what to do.
enum ec db_open(const char *path, const struct db_schema *schema, const struct db_options *options,
                struct db **out);
// Closes; no connection may be in use. A checkpoint leaves an empty WAL. Accepts NULL.
void db_close(struct db *db);

// Closes the connections that are idle (memory back; they are opened again when needed).
void db_trim(struct db *db);

// --- Transactions ---

// A reader with a snapshot taken at its first statement. Give it back with db_read_end.
enum ec db_read(struct db *db, struct db_conn **out);
void db_read_end(struct db_conn *conn); // accepts NULL

// The writer, in a transaction (BEGIN IMMEDIATE). Waits for the thread that has it.
enum ec db_write(struct db *db, struct db_conn **out);
// Ends the transaction and gives the writer back, whatever the result. After a failed commit
// nothing of it happened. EC_DISK_FULL, EC_DISK_ERROR.
enum ec db_commit(struct db_conn *conn);
void db_rollback(struct db_conn *conn);

// Marks inside a write transaction; they nest.
enum ec db_savepoint(struct db_conn *conn);
enum ec db_savepoint_release(struct db_conn *conn);
void db_savepoint_rollback(struct db_conn *conn); // undoes and releases

// Moves committed pages from the WAL into the database when the WAL is larger than `min_bytes`;
// call outside of transactions, from a background job. Never blocks readers or the writer for long.
enum ec db_checkpoint(struct db *db, size_t min_bytes);

// --- Statements ---

// A statement, prepared once a connection and kept by the *address* of `sql` (a string literal or
// another static string). Never NULL: a failure to prepare shows in db_step and db_finish. The same
// sql may be in use twice on a connection (nested): the second use gets another copy.
struct db_stmt *db_query(struct db_conn *conn, const char *sql);

// Parameters count from 1. Text and blobs are borrowed until db_finish. NULL text binds NULL.
void db_bind_i64(struct db_stmt *q, int i, int64_t v);
void db_bind_text(struct db_stmt *q, int i, const char *s);
void db_bind_blob(struct db_stmt *q, int i, const void *data, size_t len); // data NULL binds NULL
void db_bind_null(struct db_stmt *q, int i);

bool db_step(struct db_stmt *q); // true: a row is there

// Columns of the row count from 0. NULL gives 0, NULL and {NULL, 0}. Borrowed until the next step.
int64_t db_col_i64(struct db_stmt *q, int i);
const char *db_col_text(struct db_stmt *q, int i);
const void *db_col_blob(struct db_stmt *q, int i, size_t *len_out);
bool db_col_is_null(struct db_stmt *q, int i);

// Ends the use of a statement. The first error since db_query, or EC_OK. EC_DUPLICATE_OBJECT for a
// broken unique constraint, EC_DISK_FULL, EC_DISK_ERROR, EC_CORRUPT_DATA, EC_DATABASE_ERROR (logged
// once).
enum ec db_finish(struct db_stmt *q);

// Runs a statement without parameters that returns nothing.
enum ec db_exec(struct db_conn *conn, const char *sql);

// For statements with parameters that return nothing: steps and finishes. The number of rows
// changed goes to `*changed_out` when it is not NULL.
enum ec db_run(struct db_stmt *q, int64_t *changed_out);

// The engine's own verification of the whole database: one line for each fault found (g_free'd
// strings, "page 17, table message_data: its checksum is wrong"); empty when sound.
enum ec db_verify(struct db_conn *conn, GPtrArray *faults);
// As far as that goes for a file that does not open; none found says nothing.
enum ec db_verify_file(const char *path, GPtrArray *faults);

// A consistent copy of the database in a new file while it is in use (backup). `progress` may be
// NULL.
enum ec db_copy(struct db *db, const char *to_path, void (*progress)(void *data, int done_percent),
                void *data);

// --- Versions ---

// The version of the file and the newest one of the schema. Migrates nothing. EC_NOT_FOUND.
enum ec db_peek_version(const char *path, const struct db_schema *schema, int64_t *found_out,
                        int64_t *newest_out);
// Whether a migration left the file of before beside `path`; deleting it.
bool db_has_old(const char *path);
void db_forget_old(const char *path);

// --- Changing places while in use ---

struct db_move {
    const char *part; // the copy while it is made; what stands there is deleted
    const char *path; // where it stands when `commit` was well
    // Makes the copy, complete and synced under `part`, the one that counts, and takes the old
    // files (with -wal and -shm) away. Nobody writes meanwhile.
    enum ec (*commit)(void *ctx);
    void (*progress)(void *ctx, int percent); // may be NULL
    void *ctx;
};
// Moves the database to another file while it is used: writers wait for a few pages at a time,
// transactions that read go on with the old file. EC_BUSY: it is being moved already, or a
// transaction failed so badly that its connection was lost (try again).
enum ec db_move(struct db *db, const struct db_move *spec);

// Runs `commit`, which puts another file in the database's place, while nobody writes; when it was
// well, this `db` gives EC_END_OF_SESSION for every new transaction. Those who read go on.
enum ec db_replace(struct db *db, enum ec (*commit)(void *ctx), void *ctx);

// --- Damage ---

// Reads what can be read of the damaged database `path` (nobody writes to it meanwhile) into a new
// one at `to_path`; a line (g_free) for each thing found damaged or lost. EC_CORRUPT_DATA: nothing
// can be read.
enum ec db_salvage(const char *path, const struct db_schema *schema, const char *to_path,
                   GPtrArray *lines);
