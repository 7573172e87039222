// Statements: prepared once a connection, found again by the address of their SQL.
#include <string.h>

#include "base/log.h"
#include "db/db_internal.h"

static struct db_stmt *statement_new(struct db_conn *conn, const char *sql) {
    size_t size = strlen(sql) + 1;
    struct db_stmt *q = g_malloc0(sizeof *q + size);
    q->conn = conn;
    q->sql = sql;
    memcpy(q->text, sql, size);
    q->error = conn->broken;
    if (q->error == EC_OK) {
        q->error = conn->db->engine->prepare(q);
        if (q->error != EC_OK)
            db_conn_note_error(conn, q->error);
    }
    return q;
}

// A copy nobody uses at the moment, prepared if there is none.
static struct db_stmt *statement_take(struct db_conn *conn, const char *sql) {
    struct db_stmt *first = g_hash_table_lookup(conn->statements, sql);
    for (struct db_stmt *q = first; q != NULL; q = q->next) {
        if (q->is_in_use)
            continue;
        g_assert_cmpstr(q->text, ==, sql); // the same address must be the same text
        return q;
    }
    struct db_stmt *q = statement_new(conn, sql);
    if (q->handle == NULL)
        return q;
    if (first != NULL) {
        q->next = first->next;
        first->next = q;
    } else {
        g_hash_table_insert(conn->statements, (gpointer)sql, q);
    }
    return q;
}

struct db_stmt *db_query(struct db_conn *conn, const char *sql) {
    struct db_stmt *q = statement_take(conn, sql);
    q->is_in_use = true;
    conn->statements_in_use++;
    if (q->handle != NULL)
        q->error = conn->broken;
    q->is_done = q->error != EC_OK;
    return q;
}

// Keeps the first error; nothing more happens with the statement then.
static void statement_fail(struct db_stmt *q, enum ec ec) {
    if (ec == EC_OK || q->error != EC_OK)
        return;
    q->error = ec;
    q->is_done = true;
}

void db_bind_i64(struct db_stmt *q, int i, int64_t v) {
    if (q->error == EC_OK)
        statement_fail(q, q->conn->db->engine->bind_i64(q, i, v));
}

void db_bind_text(struct db_stmt *q, int i, const char *s) {
    if (s == NULL)
        db_bind_null(q, i);
    else if (q->error == EC_OK)
        statement_fail(q, q->conn->db->engine->bind_text(q, i, s));
}

void db_bind_blob(struct db_stmt *q, int i, const void *data, size_t len) {
    if (data == NULL)
        db_bind_null(q, i);
    else if (q->error == EC_OK)
        statement_fail(q, q->conn->db->engine->bind_blob(q, i, data, len));
}

void db_bind_null(struct db_stmt *q, int i) {
    if (q->error == EC_OK)
        statement_fail(q, q->conn->db->engine->bind_null(q, i));
}

bool db_step(struct db_stmt *q) {
    if (q->is_done)
        return false;
    // The engine may have given the transaction up in another statement since.
    if (q->conn->broken != EC_OK) {
        statement_fail(q, q->conn->broken);
        return false;
    }
    bool row = false;
    enum ec ec = q->conn->db->engine->step(q, &row);
    if (ec != EC_OK) {
        db_conn_note_error(q->conn, ec);
        statement_fail(q, ec);
        return false;
    }
    q->is_done = !row;
    return row;
}

int64_t db_col_i64(struct db_stmt *q, int i) {
    return q->is_done ? 0 : q->conn->db->engine->col_i64(q, i);
}

const char *db_col_text(struct db_stmt *q, int i) {
    return q->is_done ? NULL : q->conn->db->engine->col_text(q, i);
}

const void *db_col_blob(struct db_stmt *q, int i, size_t *len_out) {
    *len_out = 0;
    return q->is_done ? NULL : q->conn->db->engine->col_blob(q, i, len_out);
}

bool db_col_is_null(struct db_stmt *q, int i) {
    return q->is_done || q->conn->db->engine->col_is_null(q, i);
}

enum ec db_finish(struct db_stmt *q) {
    g_assert(q->is_in_use);
    enum ec ec = q->error;
    q->is_in_use = false;
    q->conn->statements_in_use--;
    if (q->handle != NULL)
        q->conn->db->engine->reset(q);
    else
        g_free(q);
    return ec;
}

enum ec db_run(struct db_stmt *q, int64_t *changed_out) {
    while (db_step(q))
        continue;
    if (changed_out != NULL && q->error == EC_OK)
        *changed_out = q->conn->db->engine->changes(q->conn);
    return db_finish(q);
}

enum ec db_exec(struct db_conn *conn, const char *sql) {
    EC_TRY(conn->broken);
    enum ec ec = conn->db->engine->exec(conn, sql);
    if (ec != EC_OK)
        db_conn_note_error(conn, ec);
    return ec;
}

void db_conn_reset_statements(struct db_conn *conn) {
    if (conn->statements_in_use == 0)
        return;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, conn->statements);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        for (struct db_stmt *q = value, *next; q != NULL; q = next) {
            next = q->next;
            if (!q->is_in_use)
                continue;
            log_event(LOG_LEVEL_ERROR, "db.statement_not_finished", "sql", q->text, NULL);
            db_finish(q);
        }
    }
}

void db_conn_free_statements(struct db_conn *conn) {
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, conn->statements);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        for (struct db_stmt *q = value, *next; q != NULL; q = next) {
            next = q->next;
            conn->db->engine->finalize(q);
            g_free(q);
        }
    }
    g_hash_table_remove_all(conn->statements);
}
