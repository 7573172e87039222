// Statements on what synchronization keeps of clients.
#include "store/replica_internal.h"

const char sql_reserved_insert[] = "INSERT INTO reserved_id (mbx, low, high) VALUES ($1, $2, $3)";
const char sql_reserved_find[] = "SELECT low, high FROM reserved_id WHERE mbx = $1 AND low <= $2"
                                 " ORDER BY low DESC LIMIT 1";
const char sql_reserved_delete[] = "DELETE FROM reserved_id WHERE mbx = $1 AND low = $2";
const char sql_unused_insert[] =
    "INSERT INTO unused_id (mbx, fid, low, high) VALUES ($1, $2, $3, $4)";
const char sql_unused_find[] = "SELECT low, high FROM unused_id WHERE mbx = $1 AND fid = $2"
                               " AND low <= $3 ORDER BY low DESC LIMIT 1";
const char sql_unused_delete_inside[] = "DELETE FROM unused_id WHERE mbx = $1 AND fid = $2"
                                        " AND low >= $3 AND high <= $4";
const char sql_unused_drop[] = "DELETE FROM unused_id WHERE mbx = $1 AND fid = $2";
const char sql_folder_change_get[] = "SELECT cn, pcl FROM folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_change_set[] = "UPDATE folder SET pcl = $1 WHERE mbx = $2 AND fid = $3";
const char sql_message_change_set[] = "UPDATE message SET pcl = $1 WHERE mbx = $2 AND mid = $3";
const char sql_per_user_get[] = "SELECT source, data FROM per_user WHERE mbx = $1 AND folder = $2";
const char sql_per_user_set[] =
    "INSERT INTO per_user (mbx, folder, source, data) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (mbx, folder) DO UPDATE SET source = excluded.source, data = excluded.data";
const char sql_per_user_list[] =
    "SELECT folder FROM per_user WHERE mbx = $1 AND source = $2 ORDER BY folder LIMIT 65535";
