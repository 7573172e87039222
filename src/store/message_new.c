// Message objects around values that are no message of the mailbox yet: new ones, and those inside
// attachments.
#include "mapi/change.h"
#include "store/message_object_internal.h"

struct message *message_of_value_take(struct mbox *mbox, uint64_t fid, uint32_t flags,
                                      struct message_value *value) {
    struct message *m = g_new0(struct message, 1);
    m->guid = mbox->guid;
    m->replica = mbox->replica;
    m->row.fid = fid;
    m->row.flags = m->flags = flags;
    m->value = value;
    m->is_changed = true;
    return m;
}

enum ec message_save_new(struct mbox_tx *tx, struct message *m) {
    ARENA_AUTO arena = arena_new();
    uint64_t mid;
    if (m->row.fid == 0)
        return EC_NOT_SUPPORTED;
    struct message_new spec = {.value = m->value,
                               .flags = m->flags,
                               .keywords = m->keywords,
                               .received = m->row.received,
                               .mid = m->new_mid};
    EC_TRY(message_create(tx, m->row.fid, &spec, &mid, NULL));
    EC_TRY(message_full_get(tx, arena, mid, &m->row));
    m->flags = m->row.flags;
    // What points into the arena.
    m->row.keywords = m->keywords;
    m->row.class = m->row.subject = m->row.sender = NULL;
    m->row.conversation = m->row.pcl = (struct prop_bin){0, NULL};
    m->is_changed = false;
    return EC_OK;
}

void message_set_id(struct message *m, uint64_t mid) {
    m->new_mid = mid;
}

enum ec message_read_external(struct mbox_tx *tx, const struct prop_external *external,
                              bool is_text, GBytes **out) {
    return external_read(tx, external, is_text, out);
}
