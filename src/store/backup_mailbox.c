// A mailbox's file into a backup, and one from a backup into a store.
#include "store/backup_mailbox.h"

#include <glib/gstdio.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/backup_sql.h"
#include "store/store_internal.h"

enum ec store_copy_mailbox(struct store *store, const struct guid *guid, const char *to_path,
                           void (*progress)(void *ctx, int percent), void *ctx) {
    MBOX_AUTO mbox = NULL;
    EC_TRY(store_open_mailbox(store, guid, &mbox));
    return db_copy(mbox->db, to_path, progress, ctx);
}

static void describe(const char *path, GString *out, int64_t *changed) {
    GStatBuf st;
    if (g_stat(path, &st) != 0) {
        g_string_append(out, "-;");
        return;
    }
    g_string_append_printf(
        out, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld;",
        (guint64)st.st_ino, (guint64)st.st_size, (gint64)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    *changed = MAX(*changed, (int64_t)st.st_mtim.tv_sec);
}

char *store_mailbox_state(struct store *store, const struct guid *guid, int64_t *changed_out) {
    g_autofree char *path = mailbox_file(store, guid);
    g_autofree char *wal = g_strconcat(path, "-wal", NULL);
    GString *out = g_string_new(NULL);
    *changed_out = 0;
    describe(path, out, changed_out);
    // An empty WAL comes and goes with opening and closing.
    GStatBuf st;
    if (g_stat(wal, &st) == 0 && st.st_size > 0)
        describe(wal, out, changed_out);
    return g_string_free(out, g_access(path, F_OK) != 0);
}

// --- Back into a store ---

static enum ec refit(struct db_conn *conn, uint64_t last_id) {
    int64_t validity = filetime_to_unix(clock_now());
    struct db_stmt *q = db_query(conn, sql_refit_validity);
    db_bind_i64(q, 1, MBX);
    bool found = db_step(q);
    if (found)
        validity = MAX(validity, MAX(db_col_i64(q, 0), db_col_i64(q, 1) + 1));
    EC_TRY(db_finish(q));
    if (!found || validity > UINT32_MAX)
        return EC_CORRUPT_DATA;
    q = db_query(conn, sql_refit_mailbox);
    db_bind_i64(q, 1, (int64_t)last_id + 1);
    db_bind_i64(q, 2, validity);
    db_bind_i64(q, 3, MBX);
    EC_TRY(db_run(q, NULL));
    q = db_query(conn, sql_refit_folders);
    db_bind_i64(q, 1, validity);
    db_bind_i64(q, 2, MBX);
    return db_run(q, NULL);
}

enum ec store_refit_mailbox(struct store *store, const char *path, uint64_t last_id) {
    struct db_options options = mailbox_db_options(store);
    struct db *db;
    struct db_conn *conn;
    EC_TRY(db_open(path, &store_schema, &options, &db));
    enum ec ec = db_write(db, &conn);
    if (ec == EC_OK) {
        ec = refit(conn, last_id);
        if (ec == EC_OK)
            ec = db_commit(conn);
        else
            db_rollback(conn);
    }
    db_close(db);
    db_forget_old(path);
    return ec;
}

enum ec store_open_copy(const char *dir, const struct guid *guid, struct store **store_out,
                        struct mbox **mbox_out) {
    struct store_options options = {.is_durable = false};
    struct store *store;
    EC_TRY(store_open(dir, &options, &store));
    enum ec ec = store_open_mailbox(store, guid, mbox_out);
    if (ec != EC_OK) {
        store_close(store);
        return ec;
    }
    *store_out = store;
    return EC_OK;
}
