// Conversations over folders, for the operations on them ([MS-OXWSCONV]).
#pragma once

#include "mailbox/conversation_items.h"
#include "mailbox/find.h"
#include "protocol/ews/ews_folders.h"

#define CONVERSATION_ITEMS_MAX 1000 // of one conversation that are looked at

// An m:/t:ConversationId of the request. ErrorInvalidIdMalformed and others.
enum ec ews_read_conversation_id(struct ews_call *call, const struct ews_node *node,
                                 struct ews_mailbox **m_out, uint8_t id[16]);
