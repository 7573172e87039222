// The statements of views: a folder's messages and their properties, and columns saved.
#include "store/columns_internal.h"

// What flag_ranges_overlay needs to tell a message's state (view_row_read).
#define MESSAGE_COLUMNS "mid, uid, flags, cn, read_cn, modseq, fid"
#define LINKED_COLUMNS "m.mid, m.uid, m.flags, m.cn, m.read_cn, m.modseq, m.fid"
#define OF_FOLDER " FROM message WHERE mbx = $1 AND fid = $2"
const char sql_view_base[] = "SELECT " MESSAGE_COLUMNS OF_FOLDER " ORDER BY uid";
// The condition is that of the index message_aside (schema_view.c).
const char sql_view_base_aside[] =
    "SELECT " MESSAGE_COLUMNS OF_FOLDER " AND (flags & 768) <> 0 ORDER BY uid";
const char sql_view_links[] =
    "SELECT " LINKED_COLUMNS " FROM search_link AS l CROSS JOIN message AS m"
    " WHERE l.mbx = $1 AND l.fid = $2 AND m.mbx = l.mbx AND m.mid = l.mid ORDER BY l.mid";
const char sql_view_changed[] = "SELECT " MESSAGE_COLUMNS OF_FOLDER " AND modseq > $3";
const char sql_view_links_changed[] =
    "SELECT " LINKED_COLUMNS " FROM search_link AS l CROSS JOIN message AS m"
    " WHERE l.mbx = $1 AND l.fid = $2 AND l.cn > $3 AND m.mbx = l.mbx AND m.mid = l.mid";
const char sql_view_gone[] = "SELECT mid FROM tombstone WHERE mbx = $1 AND fid = $2 AND cn > $3";
const char sql_view_folder[] = "SELECT modseq, uid_validity, type, n_messages, n_associated, n_soft"
                               " FROM folder WHERE mbx = $1 AND fid = $2";

// --- Columns ---
const char sql_view_props[] = "SELECT props FROM message_data WHERE mbx = $1 AND doc = $2";
// The cross join keeps the engine from beginning with the wide table.
const char sql_view_bags[] =
    "SELECT m.mid, d.props FROM message AS m CROSS JOIN message_data AS d"
    " WHERE m.mbx = $1 AND m.fid = $2 AND d.mbx = m.mbx AND d.doc = m.doc ORDER BY m.uid";
#define ONE_COLUMN(column) "SELECT mid, " column OF_FOLDER " ORDER BY uid"
const char sql_view_received[] = ONE_COLUMN("received");
const char sql_view_submitted[] = ONE_COLUMN("submitted");
const char sql_view_size[] = ONE_COLUMN("size");
const char sql_view_class[] = ONE_COLUMN("class");
const char sql_view_subject[] = ONE_COLUMN("subject");
const char sql_view_conversation[] = ONE_COLUMN("conversation, subject");

// --- Saved columns ---
const char sql_view_saved_get[] = "SELECT uid_validity, modseq, count, size, data FROM view_column"
                                  " WHERE mbx = $1 AND fid = $2 AND tag = $3 ORDER BY part";
const char sql_view_saved_tags[] =
    "SELECT tag FROM view_column WHERE mbx = $1 AND fid = $2 AND part = 0 ORDER BY tag";
const char sql_view_saved_insert[] =
    "INSERT INTO view_column (mbx, fid, tag, part, uid_validity, modseq, count, size, data)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const char sql_view_saved_delete_folder[] = "DELETE FROM view_column WHERE mbx = $1 AND fid = $2";
const char sql_view_saved_delete_all[] = "DELETE FROM view_column WHERE mbx = $1";
