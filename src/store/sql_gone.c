// Statements on what deleted folders were.
#include "store/gone_folder.h"

const char sql_gone_state_set[] =
    "INSERT INTO gone_state (mbx, fid, parent, name, is_hidden, created, props)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (mbx, fid) DO UPDATE SET"
    " parent = excluded.parent, name = excluded.name, is_hidden = excluded.is_hidden,"
    " created = excluded.created, props = excluded.props";
const char sql_gone_state_get[] =
    "SELECT is_hidden, props FROM gone_state WHERE mbx = $1 AND fid = $2";
const char sql_gone_permissions_copy[] =
    "INSERT INTO gone_permission (mbx, fid, member, rights)"
    " SELECT mbx, fid, member, rights FROM permission WHERE mbx = $1 AND fid = $2"
    " ON CONFLICT (mbx, fid, member) DO UPDATE SET rights = excluded.rights";
const char sql_gone_permissions_get[] =
    "SELECT member, rights FROM gone_permission WHERE mbx = $1 AND fid = $2 ORDER BY member";
const char sql_gone_list[] =
    "SELECT s.fid, s.parent, s.name, s.is_hidden, s.created, g.path, g.container_class, g.deleted,"
    " (SELECT COUNT(*) FROM recoverable AS r JOIN message AS m ON m.mbx = r.mbx AND m.mid = r.mid"
    "   WHERE r.mbx = s.mbx AND r.origin = s.fid AND (m.flags & $2) = 0)"
    " FROM gone_state AS s JOIN gone_folder AS g ON g.mbx = s.mbx AND g.fid = s.fid"
    " WHERE s.mbx = $1 ORDER BY g.path, s.fid";
const char sql_gone_state_drop[] = "DELETE FROM gone_state WHERE mbx = $1 AND fid = $2";
const char sql_gone_permissions_drop[] = "DELETE FROM gone_permission WHERE mbx = $1 AND fid = $2";
const char sql_gone_name_drop[] = "DELETE FROM gone_folder WHERE mbx = $1 AND fid = $2 AND"
                                  " NOT EXISTS (SELECT 1 FROM recoverable AS r WHERE"
                                  " r.mbx = gone_folder.mbx AND r.origin = gone_folder.fid)";
const char sql_gone_state_purge[] =
    "DELETE FROM gone_state WHERE mbx = $1 AND NOT EXISTS (SELECT 1 FROM gone_folder AS g WHERE"
    " g.mbx = gone_state.mbx AND g.fid = gone_state.fid)";
const char sql_gone_permission_purge[] =
    "DELETE FROM gone_permission WHERE mbx = $1 AND NOT EXISTS (SELECT 1 FROM gone_state AS s WHERE"
    " s.mbx = gone_permission.mbx AND s.fid = gone_permission.fid)";
