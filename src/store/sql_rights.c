// Statements on permissions, creators, limits and per-user read state.
#include "store/rights_internal.h"

const char sql_permission_all[] =
    "SELECT fid, member, rights FROM permission WHERE mbx = $1 ORDER BY fid, member";
const char sql_creator_get[] = "SELECT fid, creator FROM message WHERE mbx = $1 AND mid = $2";
const char sql_creator_set[] = "UPDATE message SET creator = $1 WHERE mbx = $2 AND mid = $3";
const char sql_limits_get[] =
    "SELECT item_size, quota, age_days FROM folder_limits WHERE mbx = $1 AND fid = $2";
const char sql_limits_set[] =
    "INSERT INTO folder_limits (mbx, fid, item_size, quota, age_days) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mbx, fid) DO UPDATE SET item_size = excluded.item_size,"
    " quota = excluded.quota, age_days = excluded.age_days";
const char sql_limits_drop[] = "DELETE FROM folder_limits WHERE mbx = $1 AND fid = $2";
const char sql_limits_aging[] =
    "SELECT fid, age_days FROM folder_limits WHERE mbx = $1 AND age_days > 0 ORDER BY fid";
const char sql_limits_expired[] =
    "SELECT mid FROM message WHERE mbx = $1 AND fid = $2 AND received < $3 AND (flags & 768) = 0"
    " ORDER BY uid LIMIT $4";
const char sql_user_read_get[] =
    "SELECT cns FROM user_read WHERE mbx = $1 AND member = $2 AND fid = $3";
const char sql_user_read_set[] =
    "INSERT INTO user_read (mbx, member, fid, cns) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (mbx, member, fid) DO UPDATE SET cns = excluded.cns";
const char sql_user_read_drop[] = "DELETE FROM user_read WHERE mbx = $1 AND fid = $2";
const char sql_user_read_list[] =
    "SELECT member, fid, cns FROM user_read WHERE mbx = $1 ORDER BY member, fid";
const char sql_check_permissions[] = "SELECT DISTINCT fid FROM permission WHERE mbx = $1"
                                     " AND fid NOT IN (SELECT fid FROM folder WHERE mbx = $1)";
const char sql_check_limits[] = "SELECT DISTINCT fid FROM folder_limits WHERE mbx = $1"
                                " AND fid NOT IN (SELECT fid FROM folder WHERE mbx = $1)";
const char sql_check_user_read[] = "SELECT DISTINCT fid FROM user_read WHERE mbx = $1"
                                   " AND fid NOT IN (SELECT fid FROM folder WHERE mbx = $1)";
