// The statements of the check's looking for damage (check_damage.c, check_links.c).
#include "store/check_internal.h"

const char sql_damage_docs[] =
    "SELECT doc, props, recipients FROM message_data WHERE mbx = $1 ORDER BY doc";
const char sql_damage_attachments[] =
    "SELECT doc, props FROM attachment WHERE mbx = $1 ORDER BY doc, num";
const char sql_damage_lost_docs[] =
    "SELECT m.doc FROM message AS m LEFT JOIN message_data AS d ON d.mbx = m.mbx AND"
    " d.doc = m.doc WHERE m.mbx = $1 AND d.doc IS NULL";
const char sql_damage_messages[] =
    "SELECT fid, uid, doc, subject, class, received FROM message WHERE mbx = $1";
const char sql_damage_folders[] = "SELECT fid, name, props FROM folder WHERE mbx = $1";
const char sql_damage_raw_doc[] =
    "SELECT props, recipients FROM message_data WHERE mbx = $1 AND doc = $2";
const char sql_damage_raw_mailbox[] = "SELECT props FROM mailbox WHERE mbx = $1";
const char sql_damage_drop_doc[] = "DELETE FROM message_data WHERE mbx = $1 AND doc = $2";
const char sql_damage_drop_attachments[] = "DELETE FROM attachment WHERE mbx = $1 AND doc = $2";
const char sql_damage_mime[] = "SELECT blob FROM message_mime WHERE mbx = $1 AND doc = $2";
const char sql_damage_keep[] =
    "INSERT INTO quarantine (mbx, found, what, data) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (mbx, found, what) DO NOTHING";
const char sql_damage_folder_set[] = "UPDATE folder SET props = $1 WHERE mbx = $2 AND fid = $3";
const char sql_damage_mailbox_clear[] = "UPDATE mailbox SET props = NULL WHERE mbx = $1";
const char sql_damage_modseq[] =
    "UPDATE message SET modseq = CASE WHEN cn > read_cn THEN cn ELSE read_cn END"
    " WHERE mbx = $1 AND modseq <> CASE WHEN cn > read_cn THEN cn ELSE read_cn END";
const char sql_damage_mime_flag[] =
    "UPDATE message SET flags = flags - 2048, mime_size = 0 WHERE mbx = $1 AND (flags & 2048) <> 0"
    " AND NOT EXISTS (SELECT 1 FROM message_mime AS i WHERE i.mbx = message.mbx AND"
    " i.doc = message.doc)";

// Rows that speak of folders or messages that are not there.
const char sql_links_permission[] = "DELETE FROM permission WHERE mbx = $1 AND NOT EXISTS"
                                    " (SELECT 1 FROM folder AS f WHERE f.mbx = permission.mbx"
                                    " AND f.fid = permission.fid)";
const char sql_links_search_folder[] = "DELETE FROM search_folder WHERE mbx = $1 AND NOT EXISTS"
                                       " (SELECT 1 FROM folder AS f WHERE f.mbx = search_folder.mbx"
                                       " AND f.fid = search_folder.fid)";
const char sql_links_search_link_folder[] =
    "DELETE FROM search_link WHERE mbx = $1 AND NOT EXISTS (SELECT 1 FROM folder AS f WHERE"
    " f.mbx = search_link.mbx AND f.fid = search_link.fid)";
const char sql_links_rule[] = "DELETE FROM rule WHERE mbx = $1 AND NOT EXISTS (SELECT 1 FROM"
                              " folder AS f WHERE f.mbx = rule.mbx AND f.fid = rule.fid)";
const char sql_links_receive_folder[] =
    "DELETE FROM receive_folder WHERE mbx = $1 AND fid <> 0 AND NOT EXISTS (SELECT 1 FROM folder "
    "AS f WHERE"
    " f.mbx = receive_folder.mbx AND f.fid = receive_folder.fid)";
const char sql_links_user_read[] = "DELETE FROM user_read WHERE mbx = $1 AND NOT EXISTS (SELECT 1"
                                   " FROM folder AS f WHERE f.mbx = user_read.mbx AND"
                                   " f.fid = user_read.fid)";
const char sql_links_chunk[] =
    "DELETE FROM blob_chunk WHERE mbx = $1 AND NOT EXISTS (SELECT 1 FROM blob AS b WHERE"
    " b.mbx = blob_chunk.mbx AND b.blob = blob_chunk.chunk >> 15)";

// What folders are set to do (check_settings.c).
const char sql_check_rules[] =
    "SELECT fid, rule, props FROM rule WHERE mbx = $1 ORDER BY fid, rule";
const char sql_check_criteria[] = "SELECT fid FROM search_folder WHERE mbx = $1 ORDER BY fid";

const char sql_salvage_largest[] =
    "SELECT MAX(v) FROM (SELECT MAX(cn) AS v FROM folder WHERE mbx = $1 UNION ALL"
    " SELECT MAX(fid) FROM folder WHERE mbx = $1 UNION ALL"
    " SELECT MAX(modseq) FROM folder WHERE mbx = $1 UNION ALL"
    " SELECT MAX(mid) FROM message WHERE mbx = $1 UNION ALL"
    " SELECT MAX(modseq) FROM message WHERE mbx = $1 UNION ALL"
    " SELECT MAX(doc) FROM message_data WHERE mbx = $1 UNION ALL"
    " SELECT MAX(blob) FROM blob WHERE mbx = $1 UNION ALL"
    " SELECT MAX(cn) FROM tombstone WHERE mbx = $1) AS all_ids";
const char sql_salvage_replica[] = "UPDATE mailbox SET replica = $1 WHERE mbx = $2";
