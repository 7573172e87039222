// Every statement of the store. Parameters are numbered in order of first use, mailbox first.
#include "store/schema_internal.h"

// --- mailbox ---
const char sql_mailbox_insert[] =
    "INSERT INTO mailbox (mbx, guid, replica, address, display_name, locale, created, next_id,"
    " next_uid_validity) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const char sql_mailbox_get[] =
    "SELECT guid, replica, address, display_name, locale, created, next_id FROM mailbox"
    " WHERE mbx = $1";
const char sql_mailbox_next_id[] = "UPDATE mailbox SET next_id = $1 WHERE mbx = $2";
const char sql_mailbox_props_get[] = "SELECT props FROM mailbox WHERE mbx = $1";
const char sql_mailbox_props_set[] = "UPDATE mailbox SET props = $1 WHERE mbx = $2";
const char sql_mailbox_uid_validity[] =
    "UPDATE mailbox SET next_uid_validity = next_uid_validity + 1 WHERE mbx = $1"
    " RETURNING next_uid_validity";

// --- folder ---
#define FOLDER_COLUMNS                                                                             \
    "fid, parent, name, container_class, type, cn, modseq, uid_validity, uid_next, n_messages,"    \
    " n_unread, n_associated, n_soft, size, created, changed, is_subscribed, is_hidden,"           \
    " (SELECT COUNT(*) FROM folder AS child WHERE child.mbx = folder.mbx AND"                      \
    " child.parent = folder.fid)"
const char sql_folder_insert[] =
    "INSERT INTO folder (mbx, fid, parent, name, name_key, container_class, type, cn, modseq,"
    " uid_validity, uid_next, n_messages, n_unread, n_associated, n_soft, size, soft_size, created,"
    " changed, is_subscribed, is_hidden, props) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
    "1, 0,"
    " 0, 0, 0, 0, 0, $11, $12, $13, $14, $15)";
const char sql_folder_get[] = "SELECT " FOLDER_COLUMNS " FROM folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_find[] =
    "SELECT fid FROM folder WHERE mbx = $1 AND parent = $2 AND name_key = $3";
const char sql_folder_children[] =
    "SELECT " FOLDER_COLUMNS " FROM folder WHERE mbx = $1 AND parent = $2 ORDER BY name_key";
const char sql_folder_all[] =
    "SELECT " FOLDER_COLUMNS " FROM folder WHERE mbx = $1 ORDER BY parent, name_key";
const char sql_folder_count_children[] =
    "SELECT COUNT(*) FROM folder WHERE mbx = $1 AND parent = $2";
const char sql_folder_counters_get[] =
    "SELECT uid_next, modseq, n_messages, n_unread, n_associated, n_soft, size, soft_size, type"
    " FROM folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_state[] = "SELECT modseq, uid_next, uid_validity, n_unread, n_messages FROM "
                                "folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_counters_set[] =
    "UPDATE folder SET uid_next = $1, modseq = $2, n_messages = $3, n_unread = $4,"
    " n_associated = $5, n_soft = $6, size = $7, soft_size = $8 WHERE mbx = $9 AND fid = $10";
const char sql_folder_move[] =
    "UPDATE folder SET parent = $1, name = $2, name_key = $3, cn = $4, changed = $5"
    " WHERE mbx = $6 AND fid = $7";
const char sql_folder_props_get[] = "SELECT props FROM folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_props_set[] =
    "UPDATE folder SET props = $1, container_class = $2, is_hidden = $3, cn = $4, changed = $5"
    " WHERE mbx = $6 AND fid = $7";
const char sql_folder_delete[] = "DELETE FROM folder WHERE mbx = $1 AND fid = $2";
const char sql_folder_subscribe[] =
    "UPDATE folder SET is_subscribed = $1 WHERE mbx = $2 AND fid = $3";
const char sql_folder_touch[] =
    "UPDATE folder SET cn = $1, changed = $2 WHERE mbx = $3 AND fid = $4";

// --- message ---
const char sql_message_insert[] =
    "INSERT INTO message (mbx, fid, uid, mid, doc, cn, read_cn, modseq, flags, received, mime_size,"
    " keywords, size, submitted, deleted, class, subject, sender, conversation, pcl) VALUES"
    " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
const char sql_message_get[] =
    "SELECT fid, uid, doc, cn, read_cn, modseq, flags, received, mime_size, keywords, size"
    " FROM message WHERE mbx = $1 AND mid = $2";
const char sql_message_full[] =
    "SELECT fid, uid, doc, cn, read_cn, modseq, flags, received, mime_size, keywords, size,"
    " submitted, deleted, class, subject, sender, conversation, pcl FROM message"
    " WHERE mbx = $1 AND mid = $2";
const char sql_message_by_uid[] =
    "SELECT mid FROM message WHERE mbx = $1 AND fid = $2 AND uid = $3";
const char sql_message_scan[] =
    "SELECT uid, mid, modseq, flags, received, mime_size, keywords FROM message"
    " WHERE mbx = $1 AND fid = $2 ORDER BY uid";
const char sql_message_since[] =
    "SELECT uid, mid, modseq, flags, received, mime_size, keywords, cn, read_cn, size FROM message"
    " WHERE mbx = $1 AND fid = $2 AND modseq > $3 ORDER BY modseq LIMIT $4";
const char sql_message_flags_set[] =
    "UPDATE message SET flags = $1, keywords = $2, cn = $3, read_cn = $4, modseq = $5"
    " WHERE mbx = $6 AND fid = $7 AND uid = $8";
// For changes since, while flag ranges are waiting: their rows look older than they are.
const char sql_message_scan_all[] =
    "SELECT uid, mid, modseq, flags, received, mime_size, keywords, cn, read_cn, size FROM message"
    " WHERE mbx = $1 AND fid = $2 ORDER BY uid";
const char sql_message_update[] =
    "UPDATE message SET flags = $1, cn = $2, modseq = $3, mime_size = $4, size = $5,"
    " submitted = $6, class = $7, subject = $8, sender = $9, conversation = $10, received = $11,"
    " keywords = $12, doc = $13 WHERE mbx = $14 AND fid = $15 AND uid = $16";
const char sql_message_mime_size[] =
    "UPDATE message SET flags = $1, mime_size = $2 WHERE mbx = $3 AND fid = $4 AND uid = $5";
const char sql_message_delete[] = "DELETE FROM message WHERE mbx = $1 AND fid = $2 AND uid = $3";
const char sql_message_soft_delete[] =
    "UPDATE message SET flags = $1, cn = $2, modseq = $3, deleted = $4"
    " WHERE mbx = $5 AND fid = $6 AND uid = $7";
const char sql_message_list[] =
    "SELECT mid, flags FROM message WHERE mbx = $1 AND fid = $2 ORDER BY uid";
const char sql_message_list_soft[] =
    "SELECT mid FROM message WHERE mbx = $1 AND fid = $2 AND deleted > 0 AND deleted < $3"
    " ORDER BY uid";

// --- contents ---
const char sql_data_insert[] =
    "INSERT INTO message_data (mbx, doc, refs, source, props, recipients)"
    " VALUES ($1, $2, 1, $3, $4, $5)";
const char sql_data_get[] =
    "SELECT refs, source, props, recipients FROM message_data WHERE mbx = $1 AND doc = $2";
const char sql_data_ref[] = "UPDATE message_data SET refs = refs + 1 WHERE mbx = $1 AND doc = $2";
const char sql_data_unref[] =
    "UPDATE message_data SET refs = refs - 1 WHERE mbx = $1 AND doc = $2 AND refs > 1";
const char sql_data_delete[] = "DELETE FROM message_data WHERE mbx = $1 AND doc = $2";
const char sql_mime_insert[] =
    "INSERT INTO message_mime (mbx, doc, blob, envelope, structure) VALUES ($1, $2, $3, $4, $5)";
const char sql_mime_size[] =
    "SELECT blob.size FROM message_mime JOIN blob ON blob.mbx = message_mime.mbx AND"
    " blob.blob = message_mime.blob WHERE message_mime.mbx = $1 AND message_mime.doc = $2";
const char sql_mime_get[] =
    "SELECT blob, envelope, structure FROM message_mime WHERE mbx = $1 AND doc = $2";
// The cross join keeps the engine from beginning with the wide table.
const char sql_mime_scan[] =
    "SELECT m.uid, m.mid, m.mime_size, x.blob, x.envelope, x.structure FROM message AS m"
    " CROSS JOIN message_mime AS x WHERE m.mbx = $1 AND m.fid = $2 AND m.uid >= $3"
    " AND m.uid <= $4 AND x.mbx = m.mbx AND x.doc = m.doc ORDER BY m.uid";
const char sql_mime_delete[] = "DELETE FROM message_mime WHERE mbx = $1 AND doc = $2";
const char sql_attachment_insert[] =
    "INSERT INTO attachment (mbx, doc, num, props, blob, pos, length, encoding, embedded)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const char sql_attachment_list[] =
    "SELECT num, props, blob, pos, length, encoding, embedded FROM attachment"
    " WHERE mbx = $1 AND doc = $2 ORDER BY num";
const char sql_attachment_delete[] = "DELETE FROM attachment WHERE mbx = $1 AND doc = $2";

// --- blobs ---
const char sql_blob_insert[] = "INSERT INTO blob (mbx, blob, refs, size, codec, hash, data)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7)";
const char sql_blob_get[] = "SELECT size, codec, data FROM blob WHERE mbx = $1 AND blob = $2";
const char sql_blob_find[] = "SELECT blob FROM blob WHERE mbx = $1 AND hash = $2";
const char sql_blob_ref[] = "UPDATE blob SET refs = refs + $1 WHERE mbx = $2 AND blob = $3";
const char sql_blob_unref[] =
    "UPDATE blob SET refs = refs - 1 WHERE mbx = $1 AND blob = $2 RETURNING refs, size";
const char sql_blob_delete[] = "DELETE FROM blob WHERE mbx = $1 AND blob = $2";
const char sql_blob_chunk_insert[] =
    "INSERT INTO blob_chunk (mbx, chunk, data) VALUES ($1, $2, $3)";
const char sql_blob_chunk_get[] = "SELECT data FROM blob_chunk WHERE mbx = $1 AND chunk = $2";
const char sql_blob_chunk_delete[] =
    "DELETE FROM blob_chunk WHERE mbx = $1 AND chunk >= $2 AND chunk < $3";

// --- synchronization ---
const char sql_tombstone_insert[] = "INSERT INTO tombstone (mbx, fid, cn, mid, uid, flags, is_soft)"
                                    " VALUES ($1, $2, $3, $4, $5, $6, $7)";
const char sql_tombstone_since[] =
    "SELECT cn, mid, uid, flags, is_soft FROM tombstone WHERE mbx = $1 AND fid = $2 AND cn > $3"
    " ORDER BY cn LIMIT $4";
const char sql_tombstone_drop_folder[] = "DELETE FROM tombstone WHERE mbx = $1 AND fid = $2";
const char sql_folder_tombstone_insert[] =
    "INSERT INTO folder_tombstone (mbx, cn, fid, parent) VALUES ($1, $2, $3, $4)";
const char sql_folder_tombstone_since[] =
    "SELECT cn, fid, parent FROM folder_tombstone WHERE mbx = $1 AND cn > $2 ORDER BY cn";
const char sql_folder_since[] =
    "SELECT cn, fid, parent FROM folder WHERE mbx = $1 AND cn > $2 ORDER BY cn";

// --- saved snapshots ---
const char sql_snapshot_get[] = "SELECT uid_validity, modseq, size, data FROM snapshot WHERE mbx = "
                                "$1 AND fid = $2 ORDER BY part";
const char sql_snapshot_insert[] =
    "INSERT INTO snapshot (mbx, fid, part, uid_validity, modseq, size, data)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)";
const char sql_snapshot_delete[] = "DELETE FROM snapshot WHERE mbx = $1 AND fid = $2";
const char sql_snapshot_delete_all[] = "DELETE FROM snapshot WHERE mbx = $1";

// --- the rest ---
const char sql_delivered_insert[] =
    "INSERT INTO delivered (mbx, delivery, arrived) VALUES ($1, $2, $3)"
    " ON CONFLICT (mbx, delivery) DO NOTHING";
const char sql_delivered_purge[] = "DELETE FROM delivered WHERE mbx = $1 AND arrived < $2";
const char sql_permission_list[] =
    "SELECT member, rights FROM permission WHERE mbx = $1 AND fid = $2 ORDER BY member";
const char sql_permission_set[] =
    "INSERT INTO permission (mbx, fid, member, rights) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (mbx, fid, member) DO UPDATE SET rights = excluded.rights";
const char sql_permission_remove[] =
    "DELETE FROM permission WHERE mbx = $1 AND fid = $2 AND member = $3";
const char sql_permission_drop_folder[] = "DELETE FROM permission WHERE mbx = $1 AND fid = $2";
const char sql_named_list[] =
    "SELECT id, guid, lid, name FROM named_prop WHERE mbx = $1 ORDER BY id";
const char sql_named_insert[] =
    "INSERT INTO named_prop (mbx, id, guid, lid, name) VALUES ($1, $2, $3, $4, $5)";
const char sql_subscription_list[] = "SELECT path FROM subscription WHERE mbx = $1 ORDER BY path";
const char sql_subscription_insert[] =
    "INSERT INTO subscription (mbx, path) VALUES ($1, $2) ON CONFLICT (mbx, path) DO NOTHING";
const char sql_subscription_delete[] = "DELETE FROM subscription WHERE mbx = $1 AND path = $2";
