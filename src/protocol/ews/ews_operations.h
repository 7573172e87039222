// The functions of operations.c, by the files that have them.
#pragma once

#include "protocol/ews/ews_internal.h"

// --- Items (op_*_item.c) ---

// --- Attachments (op_attachment.c) ---

// --- Folders ---

// --- Finding ---

// --- Synchronization ---

// --- Notifications ---

// --- Conversations, ids, export ---

// --- Directory ---

// --- Settings and the rest ---
