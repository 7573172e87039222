// A mailbox whose file is damaged: what can be read goes into a new file, which takes its place;
// the damaged one stays as FILE.damaged.
#include <string.h>

#include "base/clock.h"
#include "store/check_internal.h"

struct salvage_run {
    const struct guid *guid;
    GPtrArray *faults;
};

static enum ec largest_id(struct db_conn *conn, int64_t *out) {
    struct db_stmt *q = db_query(conn, sql_salvage_largest);
    db_bind_i64(q, 1, MBX);
    *out = db_step(q) ? db_col_i64(q, 0) : 0;
    return db_finish(q);
}

// The mailbox's own row, without which nothing opens. The address is the directory's to know.
static enum ec mend_row(struct salvage_run *run, struct db_conn *conn) {
    bool exists = false, is_sound = false;
    struct db_stmt *q = db_query(conn, sql_mailbox_get);
    db_bind_i64(q, 1, MBX);
    if (db_step(q)) {
        size_t n;
        exists = true;
        db_col_blob(q, 1, &n);
        is_sound = n == sizeof run->guid->bytes;
    }
    EC_TRY(db_finish(q));
    int64_t largest;
    EC_TRY(largest_id(conn, &largest));
    struct guid replica = guid_new();
    if (exists && !is_sound) {
        g_ptr_array_add(run->faults, g_strdup("mailbox: its replica id was lost; clients "
                                              "synchronize anew [repaired]"));
        q = db_query(conn, sql_salvage_replica);
        db_bind_blob(q, 1, replica.bytes, sizeof replica.bytes);
        db_bind_i64(q, 2, MBX);
        return db_run(q, NULL);
    }
    if (exists)
        return EC_OK;
    g_ptr_array_add(run->faults,
                    g_strdup("mailbox: its own row was lost; made anew, clients synchronize anew "
                             "[repaired]"));
    struct mbox mbox = {.guid = *run->guid, .replica = replica, .next_id = (uint64_t)largest + 1};
    struct mbox_tx tx = {.mbox = &mbox, .conn = conn, .is_writer = true, .now = clock_now()};
    struct mbox_new spec = {*run->guid, "", "", "en"};
    return mailbox_insert_row(&tx, &spec);
}

// Brings the new file as far as it can be opened; the check does the rest.
static enum ec mend_file(struct salvage_run *run, const char *file) {
    struct db_options options = {.durability = DB_DURABLE};
    struct db *db;
    struct db_conn *conn;
    EC_TRY(db_open(file, &store_schema, &options, &db));
    enum ec ec = db_write(db, &conn);
    if (ec == EC_OK) {
        ec = mend_row(run, conn);
        if (ec == EC_OK)
            ec = db_commit(conn);
        else
            db_rollback(conn);
    }
    db_close(db);
    return ec;
}

static enum ec salvage(void *ctx, const char *path, const char *file) {
    struct salvage_run *run = ctx;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    enum ec ec = db_salvage(path, &store_schema, file, lines);
    for (guint i = 0; i < lines->len; i++)
        g_ptr_array_add(run->faults, g_strconcat("salvage: ", (const char *)lines->pdata[i], NULL));
    return ec == EC_OK ? mend_file(run, file) : ec;
}

enum ec check_salvage(struct store *store, const struct guid *guid, GPtrArray *faults) {
    g_autofree char *file = store_file_beside(store, guid, "salvaging");
    struct salvage_run run = {guid, faults};
    EC_TRY(mailbox_replace(store, guid, file, "damaged", salvage, &run));
    g_ptr_array_add(faults, g_strdup("database: what could be read is in a new file, the damaged "
                                     "one is kept as FILE.damaged [repaired]"));
    return EC_OK;
}
