// Copies of a database in use, and a database that changes its place while it is in use.
//
// A move copies from the writer's connection, a few pages in each turn, between the transactions of
// those who write; what they commit meanwhile goes into the copy too. When the copy is complete,
// the writer's turn is kept for as long as it takes to sync, rename and open. Readers are never
// stopped: those at work end on the old file, later ones open the new one.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db_internal.h"
#include "db/limits.h"

// --- Copies ---

static enum ec copy_all(struct db *db, struct db_copying *c,
                        void (*progress)(void *data, int done_percent), void *data) {
    bool is_done = false;
    while (!is_done) {
        int percent;
        EC_TRY(db->engine->copy_step(c, DB_COPY_PAGES, &is_done, &percent));
        if (progress != NULL && !is_done)
            progress(data, percent);
    }
    return EC_OK;
}

static enum ec copy_snapshot(struct db *db, struct db_conn *conn, const char *part,
                             void (*progress)(void *data, int done_percent), void *data) {
    struct db_copying *c;
    // Pins the snapshot; without it every commit of the writer would start the copy anew.
    struct db_stmt *q = db_query(conn, db->engine->table_exists_sql);
    db_bind_text(q, 1, "");
    db_step(q);
    EC_TRY(db_finish(q));
    EC_TRY(db->engine->copy_begin(conn, part, &c));
    enum ec ec = copy_all(db, c, progress, data);
    enum ec end = db->engine->copy_end(c);
    return ec != EC_OK ? ec : end;
}

enum ec db_copy(struct db *db, const char *to_path, void (*progress)(void *data, int done_percent),
                void *data) {
    // Under another name until it is whole: half a copy must not look like a backup.
    g_autofree char *part = g_strconcat(to_path, ".part", NULL);
    struct db_conn *conn;
    if (access(to_path, F_OK) == 0)
        return EC_COLLISION;
    EC_TRY(db_read(db, &conn));
    unlink(part);
    enum ec ec = copy_snapshot(db, conn, part, progress, data);
    db_read_end(conn);
    if (ec == EC_OK)
        ec = db_file_rename(part, to_path);
    if (ec != EC_OK)
        unlink(part);
    else if (progress != NULL)
        progress(data, 100);
    return ec;
}

// --- Moves ---

struct move {
    struct db *db;
    const struct db_move *spec;
    struct db_copying *copying; // what we began; db->copying differs: it was given up
    int fd;                     // of the copy, to sync by
    int percent;
};

static enum ec begin(struct move *m) {
    struct db *db = m->db;
    db_writer_take(db);
    enum ec ec = db->is_retired ? EC_END_OF_SESSION : db->copying != NULL ? EC_BUSY : EC_OK;
    if (ec == EC_OK && db->writer == NULL)
        ec = db_conn_open(db, true, &db->writer);
    if (ec == EC_OK)
        ec = db->engine->copy_begin(db->writer, m->spec->part, &db->copying);
    if (ec == EC_OK) {
        m->copying = db->copying;
        m->fd = open(m->spec->part, O_RDONLY | O_CLOEXEC);
    }
    db_writer_give(db);
    return ec;
}

static void give_up(struct move *m) {
    struct db *db = m->db;
    db_writer_take(db);
    if (db->copying == m->copying && db->copying != NULL)
        db->engine->copy_end(g_steal_pointer(&db->copying));
    db_writer_give(db);
}

// Everything opened on the old path is closed now, or by who uses it, and the new path is what is
// opened from now on. The caller has the writer's turn and the open lock.
static void change_path(struct db *db, const char *path) {
    pthread_mutex_lock(&db->lock);
    GPtrArray *closing = db->idle;
    db->idle = g_ptr_array_new();
    if (path != NULL) {
        g_free(db->path);
        db->path = g_strdup(path);
    } else {
        db->is_retired = true;
    }
    __atomic_store_n(&db->generation, db->generation + 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&db->lock);
    for (guint i = 0; i < closing->len; i++)
        db_conn_close(closing->pdata[i]);
    g_ptr_array_free(closing, TRUE);
    db_writer_close(db);
    __atomic_store_n(&db->wal_bytes, 0, __ATOMIC_RELAXED);
}

// The last pages, and the change of place. The caller has the writer's turn, and keeps it.
static enum ec finish(struct move *m) {
    struct db *db = m->db;
    EC_TRY(db->engine->copy_end(g_steal_pointer(&db->copying)));
    pthread_mutex_lock(&db->open_lock);
    enum ec ec = m->spec->commit(m->spec->ctx);
    if (ec == EC_OK)
        change_path(db, m->spec->path);
    pthread_mutex_unlock(&db->open_lock);
    return ec;
}

static enum ec step(struct move *m, bool *done_out) {
    struct db *db = m->db;
    db_writer_take(db);
    // Somebody's failed transaction has closed the connection that was copied.
    enum ec ec = db->copying == m->copying ? EC_OK : EC_BUSY;
    bool is_copied = false;
    if (ec == EC_OK)
        ec = db->engine->copy_step(db->copying, DB_COPY_PAGES, &is_copied, &m->percent);
    if (ec == EC_OK && is_copied)
        ec = finish(m);
    db_writer_give(db);
    *done_out = is_copied;
    return ec;
}

enum ec db_move(struct db *db, const struct db_move *spec) {
    struct move m = {.db = db, .spec = spec, .fd = -1};
    unlink(spec->part);
    EC_TRY(begin(&m));
    enum ec ec = EC_OK;
    bool is_done = false;
    for (unsigned n = 1; !is_done && ec == EC_OK; n++) {
        ec = step(&m, &is_done);
        if (spec->progress != NULL && ec == EC_OK)
            spec->progress(spec->ctx, is_done ? 100 : m.percent);
        // So that little is left to sync when writers wait for it; a failure shows at the end.
        if (m.fd >= 0 && n % DB_COPY_SYNC_STEPS == 0)
            (void)!fdatasync(m.fd);
    }
    if (m.fd >= 0)
        close(m.fd);
    if (ec != EC_OK) {
        give_up(&m);
        unlink(spec->part);
    }
    return ec;
}

enum ec db_replace(struct db *db, enum ec (*commit)(void *ctx), void *ctx) {
    db_writer_take(db);
    pthread_mutex_lock(&db->open_lock);
    enum ec ec = db->is_retired ? EC_END_OF_SESSION : EC_OK;
    if (ec == EC_OK)
        ec = commit(ctx);
    if (ec == EC_OK)
        change_path(db, NULL);
    pthread_mutex_unlock(&db->open_lock);
    db_writer_give(db);
    return ec;
}
