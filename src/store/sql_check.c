// The statements of `bourse check`.
#include "store/check_internal.h"

const char sql_check_counts[] = "SELECT fid, SUM(CASE WHEN (flags & 768) = 0 THEN 1 ELSE 0 END),"
                                " SUM(CASE WHEN (flags & 769) = 0 THEN 1 ELSE 0 END),"
                                " SUM(CASE WHEN (flags & 768) = 256 THEN 1 ELSE 0 END),"
                                " SUM(CASE WHEN (flags & 512) <> 0 THEN 1 ELSE 0 END),"
                                " SUM(CASE WHEN (flags & 512) = 0 THEN size ELSE 0 END),"
                                " SUM(CASE WHEN (flags & 512) <> 0 THEN size ELSE 0 END),"
                                " MAX(uid), MAX(modseq) FROM message WHERE mbx = $1 GROUP BY fid";
const char sql_check_messages[] =
    "SELECT fid, uid, mid, doc, cn, read_cn, modseq, flags, mime_size,"
    " subject FROM message WHERE mbx = $1";
const char sql_check_docs[] =
    "SELECT doc, refs, source, props, recipients FROM message_data WHERE mbx = $1";
const char sql_check_mimes[] = "SELECT doc, blob FROM message_mime WHERE mbx = $1";
const char sql_check_attachments[] =
    "SELECT doc, num, blob, embedded, props FROM attachment WHERE mbx = $1";
const char sql_check_blobs[] = "SELECT blob, refs, size FROM blob WHERE mbx = $1";
const char sql_check_blob_refs[] = "UPDATE blob SET refs = $1 WHERE mbx = $2 AND blob = $3";
const char sql_check_doc_refs[] = "UPDATE message_data SET refs = $1 WHERE mbx = $2 AND doc = $3";
const char sql_check_tombstones[] =
    "SELECT t.fid, t.cn, t.uid FROM tombstone AS t JOIN message AS m ON m.mbx = t.mbx AND"
    " m.fid = t.fid AND m.uid = t.uid WHERE t.mbx = $1 AND (m.flags & 512) = 0";
const char sql_check_tombstone_drop[] =
    "DELETE FROM tombstone WHERE mbx = $1 AND fid = $2 AND cn = $3";
const char sql_check_next_id[] = "SELECT next_id FROM mailbox WHERE mbx = $1";
const char sql_check_ghosts[] =
    "SELECT m.fid, m.uid, m.mid FROM message AS m LEFT JOIN folder AS f ON f.mbx = m.mbx AND"
    " f.fid = m.fid WHERE m.mbx = $1 AND f.fid IS NULL";
const char sql_check_message_move[] = "UPDATE message SET fid = $1, uid = $2, modseq = $3, cn = $4"
                                      " WHERE mbx = $5 AND fid = $6 AND uid = $7";
const char sql_check_folder_parent[] = "UPDATE folder SET parent = $1 WHERE mbx = $2 AND fid = $3";
const char sql_check_message_flags[] =
    "UPDATE message SET flags = $1, mime_size = $2 WHERE mbx = $3 AND fid = $4 AND uid = $5";
