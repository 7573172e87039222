// The statements on search folders.
#include "store/search_folder_internal.h"

const char sql_search_set[] =
    "INSERT INTO search_folder (mbx, fid, flags, restriction, scope, seen, at_fid, at_uid)"
    " VALUES ($1, $2, $3, $4, $5, $6, 0, 0) ON CONFLICT (mbx, fid) DO UPDATE SET"
    " flags = excluded.flags, restriction = excluded.restriction, scope = excluded.scope,"
    " seen = excluded.seen, at_fid = 0, at_uid = 0";
#define SEARCH_COLUMNS "fid, flags, restriction, scope, seen, at_fid, at_uid"
const char sql_search_get[] =
    "SELECT " SEARCH_COLUMNS " FROM search_folder WHERE mbx = $1 AND fid = $2";
const char sql_search_list[] =
    "SELECT " SEARCH_COLUMNS " FROM search_folder WHERE mbx = $1 AND (flags & 4) <> 0 ORDER BY fid";
const char sql_search_any[] =
    "SELECT COUNT(*) FROM search_folder WHERE mbx = $1 AND (flags & 4) <> 0";
const char sql_search_drop[] = "DELETE FROM search_folder WHERE mbx = $1 AND fid = $2";
const char sql_search_seen[] = "UPDATE search_folder SET flags = $1, seen = $2, at_fid = $3,"
                               " at_uid = $4 WHERE mbx = $5 AND fid = $6";
const char sql_search_stop[] =
    "UPDATE search_folder SET flags = flags & ~12 WHERE mbx = $1 AND fid = $2";

const char sql_link_get[] =
    "SELECT is_unread, size FROM search_link WHERE mbx = $1 AND fid = $2 AND mid = $3";
const char sql_link_set[] =
    "INSERT INTO search_link (mbx, fid, mid, cn, is_unread, size) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (mbx, fid, mid) DO UPDATE SET cn = excluded.cn, is_unread = excluded.is_unread,"
    " size = excluded.size";
const char sql_link_delete[] = "DELETE FROM search_link WHERE mbx = $1 AND fid = $2 AND mid = $3";
const char sql_link_clear[] = "DELETE FROM search_link WHERE mbx = $1 AND fid = $2";
const char sql_link_list[] = "SELECT mid FROM search_link WHERE mbx = $1 AND fid = $2 ORDER BY mid";
const char sql_link_folders[] = "SELECT fid FROM search_link WHERE mbx = $1 AND mid = $2";
// Links of a search folder to messages that are in one folder, and to messages that are gone.
const char sql_link_of_folder[] =
    "SELECT l.mid FROM search_link AS l JOIN message AS m ON m.mbx = l.mbx AND m.mid = l.mid"
    " WHERE l.mbx = $1 AND l.fid = $2 AND m.fid = $3";
const char sql_link_dangling[] =
    "SELECT l.mid FROM search_link AS l LEFT JOIN message AS m ON m.mbx = l.mbx AND m.mid = l.mid"
    " WHERE l.mbx = $1 AND l.fid = $2 AND m.mid IS NULL";
const char sql_link_counts[] = "SELECT COUNT(*), COALESCE(SUM(is_unread), 0),"
                               " COALESCE(SUM(size), 0), COALESCE(MAX(cn), 0)"
                               " FROM search_link WHERE mbx = $1 AND fid = $2";

const char sql_search_scan[] = "SELECT uid, mid, flags FROM message WHERE mbx = $1 AND fid = $2"
                               " AND uid > $3 ORDER BY uid LIMIT $4";
const char sql_search_next_id[] = "SELECT next_id FROM mailbox WHERE mbx = $1";
const char sql_search_changed_folders[] =
    "SELECT fid FROM folder WHERE mbx = $1 AND modseq > $2 ORDER BY fid";
const char sql_folder_since_ids[] =
    "SELECT fid FROM folder WHERE mbx = $1 AND cn > $2 ORDER BY fid";
const char sql_search_gone_folders[] =
    "SELECT COUNT(*) FROM folder_tombstone WHERE mbx = $1 AND cn > $2";
