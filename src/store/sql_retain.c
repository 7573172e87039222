// The statements on usage, Recoverable Items, holds and passes.
#include "store/sql_retain.h"

// $2, $3: the first and the last of the Recoverable Items folders.
// A search folder only shows what is counted elsewhere.
const char sql_usage[] =
    "SELECT SUM(CASE WHEN fid BETWEEN $2 AND $3 THEN 0 ELSE size END),"
    " SUM(CASE WHEN fid BETWEEN $2 AND $3 THEN 0 ELSE n_messages + n_associated END),"
    " SUM(CASE WHEN fid BETWEEN $2 AND $3 THEN size + soft_size ELSE soft_size END),"
    " SUM(CASE WHEN fid BETWEEN $2 AND $3 THEN n_messages + n_associated + n_soft ELSE n_soft END)"
    " FROM folder WHERE mbx = $1 AND type <> 2";

const char sql_origin_set[] = "INSERT INTO recoverable (mbx, mid, origin) VALUES ($1, $2, $3)"
                              " ON CONFLICT (mbx, mid) DO UPDATE SET origin = excluded.origin";
const char sql_origin_get[] = "SELECT origin FROM recoverable WHERE mbx = $1 AND mid = $2";
const char sql_origin_drop[] = "DELETE FROM recoverable WHERE mbx = $1 AND mid = $2";

// Origins of messages that are not in Recoverable Items ($2 to $3).
#define LOST                                                                                       \
    "NOT EXISTS (SELECT 1 FROM message AS m WHERE m.mbx = recoverable.mbx AND"                     \
    " m.mid = recoverable.mid AND m.fid BETWEEN $2 AND $3)"
const char sql_origin_lost[] = "SELECT mid FROM recoverable WHERE mbx = $1 AND " LOST;
const char sql_origin_lost_drop[] = "DELETE FROM recoverable WHERE mbx = $1 AND " LOST;
const char sql_delivered_find[] = "SELECT 1 FROM delivered WHERE mbx = $1 AND delivery = $2";

const char sql_gone_insert[] =
    "INSERT INTO gone_folder (mbx, fid, path, container_class, deleted)"
    " VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mbx, fid) DO UPDATE SET path = excluded.path, deleted = excluded.deleted";
const char sql_gone_get[] =
    "SELECT path, container_class FROM gone_folder WHERE mbx = $1 AND fid = $2";
const char sql_gone_purge[] =
    "DELETE FROM gone_folder WHERE mbx = $1 AND deleted < $2 AND NOT EXISTS"
    " (SELECT 1 FROM recoverable WHERE recoverable.mbx = gone_folder.mbx AND"
    " recoverable.origin = gone_folder.fid)";

// `deleted > 0` is what the partial index is on.
#define DELETED_COLUMNS                                                                            \
    "SELECT m.mid, m.fid, m.uid, m.flags, m.deleted, m.received, m.size, m.subject, m.sender,"     \
    " m.class, (SELECT r.origin FROM recoverable AS r WHERE r.mbx = m.mbx AND r.mid = m.mid)"      \
    " FROM message AS m "
const char sql_deleted_due[] =
    DELETED_COLUMNS "WHERE m.mbx = $1 AND m.deleted > 0 AND m.deleted < $2 AND"
                    " (m.deleted > $3 OR (m.deleted = $3 AND m.mid > $4))"
                    " ORDER BY m.deleted, m.mid LIMIT $5";
const char sql_deleted_oldest[] =
    DELETED_COLUMNS "WHERE m.mbx = $1 AND m.deleted > 0 ORDER BY m.deleted, m.mid LIMIT $2";
const char sql_deleted_list[] =
    DELETED_COLUMNS "WHERE m.mbx = $1 AND m.deleted > 0 AND m.deleted >= $2 AND"
                    " (m.deleted > $2 OR m.mid > $3) ORDER BY m.deleted, m.mid LIMIT $4";

const char sql_hold_list[] = "SELECT kind, since, duration FROM hold WHERE mbx = $1";
const char sql_hold_set[] = "INSERT INTO hold (mbx, kind, since, duration) VALUES ($1, $2, $3, $4)"
                            " ON CONFLICT (mbx, kind) DO UPDATE SET duration = excluded.duration";
const char sql_hold_remove[] = "DELETE FROM hold WHERE mbx = $1 AND kind = $2";

const char sql_pass_get[] =
    "SELECT started, finished, step, fid, uid, n_seen, n_deleted, n_purged, n_archived, warned"
    " FROM pass WHERE mbx = $1 AND kind = $2";
const char sql_pass_set[] =
    "INSERT INTO pass (mbx, kind, started, finished, step, fid, uid, n_seen, n_deleted, n_purged,"
    " n_archived, warned) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    " ON CONFLICT (mbx, kind) DO UPDATE SET started = excluded.started,"
    " finished = excluded.finished, step = excluded.step, fid = excluded.fid, uid = excluded.uid,"
    " n_seen = excluded.n_seen, n_deleted = excluded.n_deleted, n_purged = excluded.n_purged,"
    " n_archived = excluded.n_archived, warned = excluded.warned";

const char sql_folder_slice[] =
    "SELECT m.uid, m.mid, m.flags, m.received, d.props FROM message AS m"
    " CROSS JOIN message_data AS d WHERE m.mbx = $1 AND m.fid = $2 AND m.uid > $3"
    " AND d.mbx = m.mbx AND d.doc = m.doc ORDER BY m.uid LIMIT $4";
const char sql_folder_total[] = "SELECT COUNT(*) FROM folder WHERE mbx = $1";
