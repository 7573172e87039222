// Statements on retention policies.
#include "store/retention_policy.h"

const char sql_policy_list[] = "SELECT fid, kind, tag, days FROM retention_policy WHERE mbx = $1"
                               " ORDER BY fid, kind, tag";
const char sql_policy_clear[] = "DELETE FROM retention_policy WHERE mbx = $1";
const char sql_policy_insert[] =
    "INSERT INTO retention_policy (mbx, fid, kind, tag, days) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mbx, fid, kind, tag) DO UPDATE SET days = excluded.days";
const char sql_policy_folder[] =
    "SELECT days FROM retention_policy WHERE mbx = $1 AND fid = $2 AND kind = $3";
const char sql_policy_tag[] =
    "SELECT days FROM retention_policy WHERE mbx = $1 AND fid = 0 AND kind = $2 AND tag = $3";
