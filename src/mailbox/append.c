// Adding a message to a folder as a client gives it (IMAP APPEND, import).
#include "base/clock.h"
#include "convert/convert.h"
#include "mailbox/public_read.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/public_store.h"

struct append {
    struct mailbox *m;
    uint64_t fid;
    struct message_new spec;
    struct mailbox_limits limits;
    uint64_t size;
    uint64_t mid;
    uint32_t uid;
};

static enum ec change_append(struct mbox_tx *tx, void *ctx) {
    struct append *a = ctx;
    EC_TRY(rights_require(a->m, tx, a->fid, RIGHTS_CREATE));
    struct mbox_usage before;
    mbox_get_usage(tx, &before);
    EC_TRY(quota_admit(&a->limits, tx, a->fid, a->size, 1));
    bool is_read = a->spec.flags & MSG_READ;
    if (a->m->is_public) {
        EC_TRY(folder_check_limits(tx, a->fid, a->size));
        a->spec.flags &= ~(uint32_t)MSG_READ; // it is one user's, not the message's
    }
    EC_TRY(message_create(tx, a->fid, &a->spec, &a->mid, &a->uid));
    EC_TRY(rights_note_creator(a->m, tx, a->mid));
    if (a->m->is_public)
        EC_TRY(read_state_set(a->m, tx, a->fid, &a->mid, 1, &is_read));
    return quota_settled(&a->limits, tx, &before);
}

// [MS-OXCMSG] 2.2.1.28, 2.2.1.29: who put it there.
static void set_creator(const struct principal *who, struct arena *arena, struct bag *bag) {
    if (who->is_admin || who->is_anonymous)
        return;
    const char *name = who->display_name ? who->display_name : who->address;
    struct prop_bin id = entry_id_of_address(arena, name, "SMTP", who->address);
    bag_set_str(bag, PidTagCreatorName, name);
    bag_set_bytes(bag, PidTagCreatorEntryId, id.data, id.len);
}

enum ec mailbox_append(struct mailbox *m, uint64_t fid, const struct mailbox_append *message,
                       uint64_t *mid_out, uint32_t *uid_out) {
    // Everything that takes time is made before the write begins.
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(message->mime, &len);
    struct mime_message *scanned = mime_scan(arena, data, len);
    g_autoptr(GString) envelope = g_string_new(NULL), structure = g_string_new(NULL);
    mime_imap_envelope(scanned, scanned->root, envelope);
    mime_imap_bodystructure(scanned, true, structure);
    struct message_value *value;
    EC_TRY(convert_mime_to_message(scanned, &value));
    set_creator(m->who, arena, value->bag);

    struct append a = {.m = m, .fid = fid, .size = len};
    a.spec = (struct message_new){
        .value = value,
        .mime = message->mime,
        .envelope = envelope->str,
        .structure = structure->str,
        .flags = message->flags & MSG_CLIENT_FLAGS,
        .keywords = message->keywords && *message->keywords ? message->keywords : NULL,
        .received = message->received ? message->received : clock_now(),
    };
    enum ec ec = mailbox_limits(m->service, mbox_guid(m->mbox), &a.limits);
    if (ec == EC_OK)
        ec = mbox_write(m->mbox, change_append, &a);
    message_value_free(value);
    if (ec != EC_OK)
        return ec;
    if (mid_out)
        *mid_out = a.mid;
    if (uid_out)
        *uid_out = a.uid;
    return EC_OK;
}
