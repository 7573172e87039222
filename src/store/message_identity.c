// From the narrow row alone.
#include "store/message_identity.h"

#include <string.h>

#include "mapi/conversation.h"
#include "store/message_internal.h"

enum ec message_get_identity(struct mbox_tx *tx, uint64_t mid, struct message_identity *out) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    EC_TRY(message_full_get(tx, arena, mid, &m));
    *out = (struct message_identity){.doc = m.doc};
    if (m.conversation.len == sizeof out->conversation) {
        memcpy(out->conversation, m.conversation.data, sizeof out->conversation);
        return EC_OK;
    }
    const char *topic = m.subject ? subject_split(arena, m.subject, NULL).normalized : NULL;
    if (!conversation_id(false, (struct prop_bin){0, NULL}, topic, out->conversation))
        memcpy(out->conversation, &m.doc, sizeof m.doc);
    return EC_OK;
}
