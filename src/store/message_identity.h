// What stays the same of a message wherever it is put.
#pragma once

#include "store/store.h"

struct message_identity {
    uint64_t doc;             // its contents: copies share them until one is changed
    uint8_t conversation[16]; // PidTagConversationId; a message without one is its own
};
// EC_NOT_FOUND.
enum ec message_get_identity(struct mbox_tx *tx, uint64_t mid, struct message_identity *out);
