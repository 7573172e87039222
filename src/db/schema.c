// Versions of a module's schema: which one a database has, and the steps to the one it needs.
//
// A new database is made in place. An older one that is a file is brought up on a copy
// (upgrade.c), so that the file of before stays usable until the new one is whole.
#include <string.h>

#include "base/log.h"
#include "db/db_internal.h"

char *db_schema_translate(const struct db_engine *engine, const char *sql) {
    const struct {
        const char *placeholder, *word;
    } words[] = {
        {"$BLOB", engine->blob_word},
        {"$CLUSTERED", engine->clustered_word},
        {"$ROWID", engine->rowid_word},
    };
    GString *out = g_string_sized_new(strlen(sql) + 64);
    while (*sql != '\0') {
        if (g_str_has_prefix(sql, "$ROWKEY(")) {
            const char *end = strchr(sql, ')') + 1;
            if (!engine->rowid_is_key)
                g_string_append_printf(out, ", PRIMARY KEY %.*s", (int)(end - sql - 7), sql + 7);
            sql = end;
            continue;
        }
        const char *word = NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(words) && word == NULL; i++) {
            if (!g_str_has_prefix(sql, words[i].placeholder))
                continue;
            word = words[i].word;
            sql += strlen(words[i].placeholder);
        }
        if (word != NULL)
            g_string_append(out, word);
        else
            g_string_append_c(out, *sql++);
    }
    // "…) $CLUSTERED;" without a word for it is still good SQL.
    return g_string_free(out, FALSE);
}

// 0: no table of versions, or the schema is not in it.
enum ec db_version_read(struct db_conn *conn, const char *name, int64_t *out) {
    *out = 0;
    struct db_stmt *q = db_query(conn, conn->db->engine->table_exists_sql);
    db_bind_text(q, 1, "schema_version");
    bool exists = db_step(q);
    EC_TRY(db_finish(q));
    if (!exists)
        return EC_OK;
    q = db_query(conn, "SELECT version FROM schema_version WHERE name = $1");
    db_bind_text(q, 1, name);
    if (db_step(q))
        *out = db_col_i64(q, 0);
    return db_finish(q);
}

static enum ec version_write(struct db_conn *conn, const char *name, int64_t version) {
    struct db_stmt *q =
        db_query(conn, "INSERT INTO schema_version (name, version) VALUES ($1, $2) "
                       "ON CONFLICT (name) DO UPDATE SET version = excluded.version");
    db_bind_text(q, 1, name);
    db_bind_i64(q, 2, version);
    return db_run(q, NULL);
}

enum ec db_migrate_step(struct db *db, const struct db_schema *schema, int64_t from) {
    struct db_conn *conn;
    EC_TRY(db_write(db, &conn));
    enum ec ec = db_exec(conn, "CREATE TABLE IF NOT EXISTS schema_version (name TEXT NOT NULL "
                               "PRIMARY KEY, version BIGINT NOT NULL)");
    if (ec == EC_OK) {
        g_autofree char *sql = db_schema_translate(db->engine, schema->steps[from]);
        ec = db_exec(conn, sql);
    }
    if (ec == EC_OK)
        ec = version_write(conn, schema->name, from + 1);
    if (ec != EC_OK) {
        db_rollback(conn);
        return ec;
    }
    return db_commit(conn);
}

static enum ec migrate_in_place(struct db *db, const struct db_schema *schema, int64_t from,
                                int64_t to) {
    for (int64_t v = from; v < to; v++)
        EC_TRY(db_migrate_step(db, schema, v));
    return EC_OK;
}

int64_t db_schema_version(const struct db_schema *schema) {
    return (int64_t)g_strv_length((char **)schema->steps);
}

enum ec db_migrate(struct db *db, const struct db_schema *schema) {
    int64_t wanted = db_schema_version(schema), found;
    struct db_conn *conn;
    EC_TRY(db_read(db, &conn));
    enum ec ec = db_version_read(conn, schema->name, &found);
    db_read_end(conn);
    EC_TRY(ec);
    if (found > wanted || found < 0) {
        log_event(LOG_LEVEL_ERROR, "db.newer_version", "path", db->path, "schema", schema->name,
                  "version", log_i64(found), "known", log_i64(wanted), "do",
                  "run the newer version of the program that made it", NULL);
        return EC_BAD_VERSION;
    }
    if (found < wanted && db->options.read_only) {
        log_event(LOG_LEVEL_ERROR, "db.older_version", "path", db->path, "schema", schema->name,
                  "version", log_i64(found), "known", log_i64(wanted), "do",
                  "open it once for writing", NULL);
        return EC_VERSION;
    }
    if (found == wanted)
        return EC_OK;
    bool on_copy = found > 0 && db->engine->is_file;
    ec = on_copy ? db_upgrade(db, schema, found) : migrate_in_place(db, schema, found, wanted);
    if (ec != EC_OK)
        log_event(LOG_LEVEL_ERROR, "db.migration_failed", "path", db->path, "schema", schema->name,
                  "from", log_i64(found), "to", log_i64(wanted), "error", ec_text(ec), "do",
                  ec == EC_DISK_FULL
                      ? "make room for a second copy of the file; it stays as it is until then"
                      : "the file is as it was; see the events before this one",
                  NULL);
    else if (found > 0)
        log_event(LOG_LEVEL_INFO, "db.migrated", "path", db->path, "schema", schema->name, "from",
                  log_i64(found), "to", log_i64(wanted), NULL);
    return ec;
}
