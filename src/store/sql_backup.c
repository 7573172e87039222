// The statements of backup_mailbox.c.
#include "store/backup_sql.h"

const char sql_refit_mailbox[] =
    "UPDATE mailbox SET next_id = CASE WHEN next_id > $1 THEN next_id ELSE $1 END,"
    " next_uid_validity = $2 + 1 WHERE mbx = $3";
const char sql_refit_folders[] = "UPDATE folder SET uid_validity = $1 WHERE mbx = $2";
const char sql_refit_validity[] =
    "SELECT m.next_uid_validity, (SELECT MAX(f.uid_validity) FROM folder AS f WHERE f.mbx = m.mbx)"
    " FROM mailbox AS m WHERE m.mbx = $1";
