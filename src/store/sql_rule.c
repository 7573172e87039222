// Statements on rules and receive folders.
#include "store/rule_internal.h"

const char sql_rule_list[] =
    "SELECT rule, sequence, props FROM rule WHERE mbx = $1 AND fid = $2 ORDER BY sequence, rule";
const char sql_rule_get[] =
    "SELECT sequence, props FROM rule WHERE mbx = $1 AND fid = $2 AND rule = $3";
const char sql_rule_set[] =
    "INSERT INTO rule (mbx, fid, rule, sequence, props) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mbx, fid, rule) DO UPDATE SET sequence = excluded.sequence,"
    " props = excluded.props";
const char sql_rule_remove[] = "DELETE FROM rule WHERE mbx = $1 AND fid = $2 AND rule = $3";
const char sql_rule_drop_folder[] = "DELETE FROM rule WHERE mbx = $1 AND fid = $2";

const char sql_receive_list[] =
    "SELECT class, fid, changed FROM receive_folder WHERE mbx = $1 ORDER BY class";
const char sql_receive_set[] =
    "INSERT INTO receive_folder (mbx, class, fid, changed) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (mbx, class) DO UPDATE SET fid = excluded.fid, changed = excluded.changed";
const char sql_receive_remove[] = "DELETE FROM receive_folder WHERE mbx = $1 AND class = $2";
const char sql_receive_drop_folder[] = "DELETE FROM receive_folder WHERE mbx = $1 AND fid = $2";
