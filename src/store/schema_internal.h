// The mailbox database's schema and the statements on it; only store/ sees SQL.
#pragma once

#include "db/db.h"

extern const struct db_schema store_schema;
extern const char schema_view[]; // schema_view.c
extern const char schema_rights[];
extern const char schema_imap[]; // schema_imap.c

// Steps of the schema after the first, each in a file of its own.
extern const char schema_retain[];   // schema_retain.c
extern const char schema_fulltext[]; // schema_fulltext.c
extern const char schema_quarantine[];
extern const char schema_policy[];  // schema_policy.c
extern const char schema_gone[];    // schema_gone.c
extern const char schema_replica[]; // schema_replica.c

#define MBX 1 // the mailbox's number in its database
#define BLOB_CHUNK (256 * 1024)
#define BLOB_SHARE_MIN (16 * 1024) // blobs at least this large are stored once, found by hash
#define BLOB_MAX (INT64_C(2) * 1024 * 1024 * 1024)

// The statements, by what they do (sql.c).
extern const char sql_mailbox_insert[], sql_mailbox_get[], sql_mailbox_next_id[],
    sql_mailbox_props_get[], sql_mailbox_props_set[], sql_mailbox_uid_validity[];
extern const char sql_folder_insert[], sql_folder_get[], sql_folder_find[], sql_folder_children[],
    sql_folder_count_children[], sql_folder_counters_get[], sql_folder_state[],
    sql_folder_counters_set[], sql_folder_move[], sql_folder_props_get[], sql_folder_props_set[],
    sql_folder_delete[], sql_folder_subscribe[], sql_folder_touch[], sql_folder_all[];
extern const char sql_message_insert[], sql_message_get[], sql_message_by_uid[], sql_message_scan[],
    sql_message_since[], sql_message_flags_set[], sql_message_scan_all[], sql_message_delete[],
    sql_message_soft_delete[], sql_message_list[], sql_message_list_soft[], sql_message_full[],
    sql_message_update[], sql_message_mime_size[];
extern const char sql_data_insert[], sql_data_get[], sql_data_ref[], sql_data_unref[],
    sql_data_delete[];
extern const char sql_mime_insert[], sql_mime_get[], sql_mime_size[], sql_mime_scan[],
    sql_mime_delete[];
extern const char sql_attachment_insert[], sql_attachment_list[], sql_attachment_delete[];
extern const char sql_blob_insert[], sql_blob_get[], sql_blob_ref[], sql_blob_unref[],
    sql_blob_delete[], sql_blob_find[], sql_blob_chunk_insert[], sql_blob_chunk_get[],
    sql_blob_chunk_delete[];
extern const char sql_tombstone_insert[], sql_tombstone_since[], sql_tombstone_drop_folder[],
    sql_folder_tombstone_insert[], sql_folder_tombstone_since[], sql_folder_since[];
extern const char sql_snapshot_get[], sql_snapshot_insert[], sql_snapshot_delete[],
    sql_snapshot_delete_all[];
extern const char sql_delivered_insert[], sql_delivered_purge[];
extern const char sql_permission_list[], sql_permission_set[], sql_permission_remove[],
    sql_permission_drop_folder[];
extern const char sql_named_list[], sql_named_insert[];
extern const char sql_subscription_list[], sql_subscription_insert[], sql_subscription_delete[];
