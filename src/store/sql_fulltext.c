// The statements of the full-text index.
#include "store/fulltext_internal.h"

const char sql_fulltext_states[] =
    "SELECT slot, is_live, format, watermark, n_docs FROM fulltext WHERE mbx = $1 ORDER BY slot";
const char sql_fulltext_state_set[] =
    "INSERT INTO fulltext (mbx, slot, is_live, format, watermark, n_docs)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mbx, slot) DO UPDATE SET"
    " is_live = excluded.is_live, format = excluded.format, watermark = excluded.watermark,"
    " n_docs = excluded.n_docs";
const char sql_fulltext_state_drop[] = "DELETE FROM fulltext WHERE mbx = $1 AND slot = $2";
const char sql_fulltext_states_drop[] = "DELETE FROM fulltext WHERE mbx = $1";
const char sql_fulltext_next[] =
    "SELECT doc, flags FROM message WHERE mbx = $1 AND doc > $2 ORDER BY doc LIMIT $3";
const char sql_fulltext_rows_up[] =
    "SELECT doc, fid, uid FROM message WHERE mbx = $1 AND doc >= $2 ORDER BY doc, fid, uid";
const char sql_fulltext_rows_down[] = "SELECT doc, fid, uid FROM message WHERE mbx = $1 AND doc <= "
                                      "$2 ORDER BY doc DESC, fid DESC, uid DESC";
const char sql_fulltext_doc_set[] =
    "INSERT INTO fulltext_doc (mbx, doc, head, body) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (doc) DO UPDATE SET head = excluded.head, body = excluded.body";
const char sql_fulltext_docs_gone[] =
    "DELETE FROM fulltext_doc WHERE mbx = $1 AND doc > $2 AND doc <= $3 AND NOT EXISTS"
    " (SELECT 1 FROM message AS m WHERE m.mbx = fulltext_doc.mbx AND m.doc = fulltext_doc.doc)";
const char sql_fulltext_docs_drop[] = "DELETE FROM fulltext_doc WHERE mbx = $1";
const char sql_fulltext_docs[] =
    "SELECT doc, head, body FROM fulltext_doc WHERE mbx = $1 AND head IS NOT NULL ORDER BY doc";
const char sql_fulltext_count_waiting[] =
    "SELECT COUNT(DISTINCT doc) FROM message WHERE mbx = $1 AND doc > $2";
const char sql_fulltext_count_present[] =
    "SELECT COUNT(DISTINCT doc) FROM message WHERE mbx = $1 AND doc <= $2";
const char sql_fulltext_message_doc[] = "SELECT doc, uid FROM message WHERE mbx = $1 AND mid = $2";
// The cross join keeps the engine from beginning with the wide table.
const char sql_fulltext_signatures[] =
    "SELECT m.uid, d.head, d.body FROM message AS m CROSS JOIN fulltext_doc AS d"
    " WHERE m.mbx = $1 AND m.fid = $2 AND m.uid >= $3 AND d.doc = m.doc ORDER BY m.uid";
const char sql_fulltext_missing[] =
    "SELECT DISTINCT m.doc FROM message AS m WHERE m.mbx = $1 AND m.doc <= $2 AND"
    " (m.flags & $3) = 0 AND NOT EXISTS (SELECT 1 FROM fulltext_doc AS d WHERE d.mbx = m.mbx AND"
    " d.doc = m.doc) LIMIT 100";
