// What SQLite and the checksums of the pages say of a file, in lines for a person.
//
// The pages are looked through first: a page with a wrong sum cannot be read by anything else, so
// that SQLite's own check would tell of what follows from it and not of it. Which table a page is
// of is asked of a second connection, which does not compare sums.
#include <sqlite3.h>

#include "base/log.h"
#include "db/sqlite_internal.h"

static const char owner_sql[] = "SELECT name, pageno FROM dbstat";

// Page number (int64_t) -> name of a table or index.
static GHashTable *owners_of(const char *path, const GArray *pages) {
    GHashTable *owners = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    sqlite3 *handle = NULL;
    sqlite3_stmt *stmt = NULL;
    for (guint i = 0; i < pages->len; i++)
        g_hash_table_insert(owners, &g_array_index(pages, int64_t, i), NULL);
    if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, LITE_VFS) ==
            SQLITE_OK &&
        sqlite3_file_control(handle, "main", LITE_SUMS_TRUST, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(handle, owner_sql, -1, &stmt, NULL) == SQLITE_OK)
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            int64_t page = sqlite3_column_int64(stmt, 1);
            gpointer key;
            if (g_hash_table_lookup_extended(owners, &page, &key, NULL))
                g_hash_table_insert(owners, key,
                                    g_strdup((const char *)sqlite3_column_text(stmt, 0)));
        }
    sqlite3_finalize(stmt);
    sqlite3_close(handle);
    return owners;
}

static void tell_pages(const char *path, const GArray *bad, GPtrArray *faults) {
    g_autoptr(GHashTable) owners = owners_of(path, bad);
    for (guint i = 0; i < bad->len; i++) {
        int64_t page = g_array_index(bad, int64_t, i);
        const char *owner = g_hash_table_lookup(owners, &page);
        g_ptr_array_add(faults,
                        g_strdup_printf("page %" G_GINT64_FORMAT "%s%s: its checksum is wrong",
                                        (gint64)page, owner ? ", table " : "", owner ? owner : ""));
    }
}

static enum ec check_integrity(struct db_conn *conn, GPtrArray *faults) {
    sqlite3_stmt *stmt;
    const char *sql = "PRAGMA integrity_check(1000)";
    int code = sqlite3_prepare_v2(conn->handle, sql, -1, &stmt, NULL);
    if (code != SQLITE_OK)
        return lite_failure(conn, code, sql);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(stmt, 0);
        if (g_strcmp0(line, "ok") != 0)
            g_ptr_array_add(faults, g_strdup(line));
    }
    enum ec ec = EC_OK;
    if (code != SQLITE_DONE) {
        ec = lite_failure(conn, code, sql);
        if (ec == EC_CORRUPT_DATA) {
            // Too damaged to be looked through is a finding, not a failure of the check.
            g_ptr_array_add(faults, g_strdup(sqlite3_errmsg(conn->handle)));
            ec = EC_OK;
        }
    }
    sqlite3_finalize(stmt);
    return ec;
}

enum ec lite_verify(struct db_conn *conn, GPtrArray *faults) {
    g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int code = lite_sums_verify(conn->handle, bad);
    if (code != SQLITE_OK)
        return lite_failure(conn, code, "checksums");
    tell_pages(conn->db->path, bad, faults);
    // What SQLite finds then only follows from it.
    return bad->len > 0 ? EC_OK : check_integrity(conn, faults);
}

enum ec lite_verify_file(const char *path, GPtrArray *faults) {
    g_autoptr(GArray) bad = g_array_new(FALSE, FALSE, sizeof(int64_t));
    sqlite3 *handle = NULL;
    lite_sums_register();
    int code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, LITE_VFS);
    if (code == SQLITE_OK)
        code = lite_sums_verify(handle, bad);
    sqlite3_close(handle);
    if (code != SQLITE_OK)
        return lite_code_to_ec(code, 0);
    tell_pages(path, bad, faults);
    return EC_OK;
}
