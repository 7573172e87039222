// The statements behind what IMAP's extensions ask of a mailbox.
#include "store/sql_imap.h"

// The cross join keeps the engine from beginning with the wide table.
const char sql_references_walk[] =
    "SELECT m.uid, d.props FROM message AS m CROSS JOIN message_data AS d"
    " WHERE m.mbx = $1 AND m.fid = $2 AND m.uid >= $3 AND d.mbx = m.mbx AND d.doc = m.doc"
    " ORDER BY m.uid";

const char sql_id_time_insert[] = "INSERT INTO id_time (mbx, first_id, at) VALUES ($1, $2, $3)"
                                  " ON CONFLICT (mbx, first_id) DO NOTHING";
const char sql_id_time_get[] = "SELECT at FROM id_time WHERE mbx = $1 AND first_id <= $2"
                               " ORDER BY first_id DESC LIMIT 1";
const char sql_id_time_since[] = "SELECT first_id FROM id_time WHERE mbx = $1 AND at >= $2"
                                 " ORDER BY first_id LIMIT 1";

const char sql_annotation_list[] =
    "SELECT member, entry, value FROM annotation WHERE mbx = $1 AND fid = $2 AND"
    " (member = '' OR member = $3) ORDER BY entry, member";
// The condition is that of the index annotation_use (schema_imap.c).
const char sql_annotation_uses[] =
    "SELECT fid, member, entry, value FROM annotation WHERE mbx = $1 AND member = '' AND"
    " entry = '/specialuse' ORDER BY fid";
const char sql_annotation_set[] =
    "INSERT INTO annotation (mbx, fid, member, entry, value) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mbx, fid, member, entry) DO UPDATE SET value = excluded.value";
const char sql_annotation_remove[] =
    "DELETE FROM annotation WHERE mbx = $1 AND fid = $2 AND member = $3 AND entry = $4";
const char sql_annotation_drop_folder[] = "DELETE FROM annotation WHERE mbx = $1 AND fid = $2";
