// Adding a message to a folder as a client gives it (IMAP APPEND, import).
#include "base/clock.h"
#include "convert/convert.h"
#include "mailbox/public_read.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/public_store.h"

// One message, everything made that can be made before the write begins.
struct prepared {
    GString *envelope, *structure;
    struct message_value *value;
    struct message_new spec;
    uint64_t size;
    uint32_t uid;
    uint64_t mid;
};

struct append {
    struct mailbox *m;
    uint64_t fid;
    struct prepared *messages;
    unsigned n;
    const struct mailbox_replaced *replaced; // may be NULL
    struct mailbox_limits limits;
};

static enum ec append_one(struct append *a, struct mbox_tx *tx, struct prepared *one) {
    EC_TRY(quota_admit(&a->limits, tx, a->fid, one->size, 1));
    struct message_new spec = one->spec; // a write that is tried again begins anew
    bool is_read = spec.flags & MSG_READ;
    if (a->m->is_public) {
        EC_TRY(folder_check_limits(tx, a->fid, one->size));
        spec.flags &= ~(uint32_t)MSG_READ; // it is one user's, not the message's
    }
    EC_TRY(message_create(tx, a->fid, &spec, &one->mid, &one->uid));
    EC_TRY(rights_note_creator(a->m, tx, one->mid));
    return a->m->is_public ? read_state_set(a->m, tx, a->fid, &one->mid, 1, &is_read) : EC_OK;
}

// First, so that its room counts for what takes its place.
static enum ec delete_replaced(struct append *a, struct mbox_tx *tx) {
    const struct mailbox_replaced *r = a->replaced;
    struct message_row row;
    uint64_t in;
    EC_TRY(message_get_row(tx, r->mid, &in, &row));
    if (row.keywords)
        shared_text_unref(row.keywords);
    if (in != r->fid || (row.flags & MSG_SOFT_DELETED))
        return EC_OBJECT_DELETED;
    EC_TRY(
        rights_require_items(a->m, tx, r->fid, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, &r->mid, 1));
    return message_delete(tx, r->fid, &r->mid, 1, DELETE_SOFT, NULL);
}

static enum ec change_append(struct mbox_tx *tx, void *ctx) {
    struct append *a = ctx;
    EC_TRY(rights_require(a->m, tx, a->fid, RIGHTS_CREATE));
    struct mbox_usage before;
    mbox_get_usage(tx, &before);
    if (a->replaced)
        EC_TRY(delete_replaced(a, tx));
    for (unsigned i = 0; i < a->n; i++)
        EC_TRY(append_one(a, tx, &a->messages[i]));
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

static enum ec prepare(struct mailbox *m, const struct mailbox_append *message,
                       struct prepared *out) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(message->mime, &len);
    struct mime_message *scanned = mime_scan(arena, data, len);
    out->envelope = g_string_new(NULL);
    out->structure = g_string_new(NULL);
    mime_imap_envelope(scanned, scanned->root, out->envelope);
    mime_imap_bodystructure(scanned, true, out->structure);
    EC_TRY(convert_mime_to_message(scanned, &out->value));
    set_creator(m->who, arena, out->value->bag);
    out->size = len;
    out->spec = (struct message_new){
        .value = out->value,
        .mime = message->mime,
        .envelope = out->envelope->str,
        .structure = out->structure->str,
        .flags = message->flags & MSG_CLIENT_FLAGS,
        .keywords = message->keywords && *message->keywords ? message->keywords : NULL,
        .received = message->received ? message->received : clock_now(),
    };
    return EC_OK;
}

static void clear_prepared(struct prepared *p) {
    message_value_free(p->value);
    if (p->envelope)
        g_string_free(p->envelope, TRUE);
    if (p->structure)
        g_string_free(p->structure, TRUE);
}

static enum ec append(struct mailbox *m, uint64_t fid, const struct mailbox_append *messages,
                      unsigned n, const struct mailbox_replaced *replaced,
                      struct prepared *prepared) {
    struct append a = {.m = m, .fid = fid, .messages = prepared, .n = n, .replaced = replaced};
    for (unsigned i = 0; i < n; i++)
        EC_TRY(prepare(m, &messages[i], &prepared[i]));
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &a.limits));
    return mbox_write(m->mbox, change_append, &a);
}

enum ec mailbox_append_all(struct mailbox *m, uint64_t fid, const struct mailbox_append *messages,
                           unsigned n, const struct mailbox_replaced *replaced, uint64_t *mids_out,
                           uint32_t *uids_out) {
    g_autofree struct prepared *prepared = g_new0(struct prepared, n + 1);
    enum ec ec = append(m, fid, messages, n, replaced, prepared);
    for (unsigned i = 0; i < n; i++) {
        if (ec == EC_OK && mids_out)
            mids_out[i] = prepared[i].mid;
        if (ec == EC_OK && uids_out)
            uids_out[i] = prepared[i].uid;
        clear_prepared(&prepared[i]);
    }
    return ec;
}

enum ec mailbox_append(struct mailbox *m, uint64_t fid, const struct mailbox_append *message,
                       uint64_t *mid_out, uint32_t *uid_out) {
    return mailbox_append_all(m, fid, message, 1, NULL, mid_out, uid_out);
}
