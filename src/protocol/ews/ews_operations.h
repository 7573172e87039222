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

// --- Finding ---

// --- Synchronization ---

// --- Notifications ---

// --- Conversations, ids, export ---

// --- Directory ---

// --- Settings and the rest ---
