// The functions of operations.c, by the files that have them.
#pragma once

#include "protocol/ews/ews_internal.h"

// --- Items (op_*_item.c) ---
enum ec op_get_item(struct ews_call *call);
enum ec op_create_item(struct ews_call *call);
enum ec op_update_item(struct ews_call *call);
enum ec op_delete_item(struct ews_call *call);
enum ec op_move_item(struct ews_call *call);
enum ec op_copy_item(struct ews_call *call);
enum ec op_send_item(struct ews_call *call);
enum ec op_archive_item(struct ews_call *call);
enum ec op_mark_all_items_as_read(struct ews_call *call);
enum ec op_mark_as_junk(struct ews_call *call);
enum ec op_update_item_in_recoverable_items(struct ews_call *call);

// --- Attachments (op_attachment.c) ---
enum ec op_create_attachment(struct ews_call *call);
enum ec op_get_attachment(struct ews_call *call);
enum ec op_delete_attachment(struct ews_call *call);

// --- Folders ---
enum ec op_get_folder(struct ews_call *call);
enum ec op_create_folder(struct ews_call *call);
enum ec op_create_folder_path(struct ews_call *call);
enum ec op_create_managed_folder(struct ews_call *call);
enum ec op_update_folder(struct ews_call *call);
enum ec op_delete_folder(struct ews_call *call);
enum ec op_empty_folder(struct ews_call *call);
enum ec op_move_folder(struct ews_call *call);
enum ec op_copy_folder(struct ews_call *call);

// --- Finding ---
enum ec op_find_item(struct ews_call *call);
enum ec op_find_folder(struct ews_call *call);

// --- Synchronization ---
enum ec op_sync_folder_hierarchy(struct ews_call *call);
enum ec op_sync_folder_items(struct ews_call *call);

// --- Notifications ---
enum ec op_subscribe(struct ews_call *call);
enum ec op_unsubscribe(struct ews_call *call);
enum ec op_get_events(struct ews_call *call);
enum ec op_get_streaming_events(struct ews_call *call);

// --- Conversations, ids, export ---
enum ec op_find_conversation(struct ews_call *call);
enum ec op_get_conversation_items(struct ews_call *call);
enum ec op_apply_conversation_action(struct ews_call *call);
enum ec op_convert_id(struct ews_call *call);

// --- Directory ---

// --- Settings and the rest ---
