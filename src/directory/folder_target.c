// Mail-enabled public folders: which folder of the public store an address delivers to.
#include "directory/directory_internal.h"

const char sql_folder_target_get[] = "SELECT fid FROM folder_target WHERE guid = $1";
const char sql_folder_target_set[] = "INSERT INTO folder_target (guid, fid) VALUES ($1, $2)"
                                     " ON CONFLICT (guid) DO UPDATE SET fid = excluded.fid";
const char sql_folder_target_remove[] = "DELETE FROM folder_target WHERE guid = $1";
const char sql_folder_target_find[] =
    "SELECT " OBJECT_COLUMNS " FROM folder_target t JOIN object o ON o.guid = t.guid"
    " WHERE t.fid = $1";

enum ec directory_folder_target(struct directory *d, const struct guid *guid, uint64_t *fid_out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_folder_target_get);
    bind_guid(q, 1, guid);
    bool found = db_step(q);
    uint64_t fid = found ? (uint64_t)db_col_i64(q, 0) : 0;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    if (!found)
        return EC_NOT_FOUND;
    *fid_out = fid;
    return EC_OK;
}

enum ec folder_target_set(struct db_conn *conn, const struct guid *guid, uint64_t fid) {
    struct db_stmt *q = db_query(conn, sql_folder_target_set);
    bind_guid(q, 1, guid);
    db_bind_i64(q, 2, (int64_t)fid);
    enum ec ec = db_run(q, NULL);
    return ec == EC_DUPLICATE_OBJECT ? EC_COLLISION : ec;
}

enum ec directory_find_folder(struct directory *d, struct arena *arena, uint64_t fid,
                              struct directory_object **out) {
    struct db_conn *conn;
    EC_TRY(db_read(d->db, &conn));
    struct db_stmt *q = db_query(conn, sql_folder_target_find);
    db_bind_i64(q, 1, (int64_t)fid);
    struct directory_object *object = db_step(q) ? object_from_row(arena, q) : NULL;
    enum ec ec = db_finish(q);
    db_read_end(conn);
    EC_TRY(ec);
    if (object == NULL)
        return EC_NOT_FOUND;
    *out = object;
    return EC_OK;
}
