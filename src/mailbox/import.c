// Adding many messages at once for the administrator: one transaction a batch, each message once.
#include <string.h>

#include "base/clock.h"
#include "convert/convert.h"
#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"

// What takes time is made before the write begins.
struct prepared {
    struct message_value *value; // borrowed from the message when that has no mail
    GString *envelope, *structure;
};

struct batch {
    struct mailbox *m;
    uint64_t fid;
    struct mailbox_import *messages;
    struct prepared *prepared;
    unsigned n;
};

// What says where a message is and who may do what with it, of the place it came from; and what is
// computed of the rest.
static bool is_of_another_place(uint16_t id) {
    static const proptag_t tags[] = {
        PidTagMessageSize,      PidTagMessageSizeExtended, PidTagParentEntryId,
        PidTagHasAttachments,   PidTagMessageFlags,        PidTagEntryId,
        PidTagRecordKey,        PidTagStoreEntryId,        PidTagStoreRecordKey,
        PidTagMappingSignature, PidTagInstanceKey,         PidTagAccess,
        PidTagAccessLevel,      PidTagObjectType,          PidTagChangeKey,
        PidTagSourceKey,        PidTagParentSourceKey,     PidTagPredecessorChangeList,
        PidTagStoreSupportMask, PidTagDisplayTo,           PidTagDisplayCc,
        PidTagDisplayBcc,       PidTagMessageStatus,       PidTagMessageDeliveryTime};
    if (id >= 0x6620 && id <= 0x67FF)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
        if (id == PROP_ID(tags[i]))
            return true;
    return false;
}

static void strip(struct bag *bag) {
    for (unsigned i = bag_count(bag); i > 0; i--) {
        proptag_t tag = bag_at(bag, i - 1)->tag;
        if (is_of_another_place(PROP_ID(tag)))
            bag_remove(bag, tag);
    }
}

static void prepare(struct prepared *p, const struct mailbox_import *message) {
    ARENA_AUTO arena = arena_new();
    if (!message->mime) {
        strip(message->value->bag);
        p->value = message->value;
        return;
    }
    gsize len;
    const void *data = g_bytes_get_data(message->mime, &len);
    struct mime_message *scanned = mime_scan(arena, data, len);
    p->envelope = g_string_new(NULL);
    p->structure = g_string_new(NULL);
    mime_imap_envelope(scanned, scanned->root, p->envelope);
    mime_imap_bodystructure(scanned, true, p->structure);
    if (convert_mime_to_message(scanned, &p->value) != EC_OK)
        p->value = NULL;
}

static enum ec add_one(struct mbox_tx *tx, struct batch *b, unsigned i) {
    const struct mailbox_import *message = &b->messages[i];
    struct message_new spec = {
        .value = b->prepared[i].value,
        .mime = message->mime,
        .envelope = b->prepared[i].envelope ? b->prepared[i].envelope->str : NULL,
        .structure = b->prepared[i].structure ? b->prepared[i].structure->str : NULL,
        .flags = message->flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED),
        .keywords = message->keywords && *message->keywords ? message->keywords : NULL,
        .received = message->received ? message->received : clock_now(),
        .delivery_id = message->import_id,
    };
    uint64_t mid;
    uint32_t uid;
    if (!b->prepared[i].value)
        return EC_CALL_FAILED;
    if (b->m->is_public)
        spec.flags &= ~(uint32_t)MSG_READ;
    EC_TRY(message_create(tx, b->fid, &spec, &mid, &uid));
    return rights_note_creator(b->m, tx, mid);
}

// A failure undoes the batch, which is then tried message by message: the transaction may hold half
// of the one that failed.
static enum ec add_all(struct mbox_tx *tx, void *ctx) {
    struct batch *b = ctx;
    EC_TRY(rights_require(b->m, tx, b->fid, RIGHTS_CREATE));
    for (unsigned i = 0; i < b->n; i++) {
        b->messages[i].result = add_one(tx, b, i);
        if (b->messages[i].result != EC_OK && b->messages[i].result != EC_DUPLICATE_OBJECT)
            return b->messages[i].result;
    }
    return EC_OK;
}

static void write_batch(struct batch *b) {
    enum ec ec = mbox_write(b->m->mbox, add_all, b);
    if (ec == EC_OK)
        return;
    if (b->n == 1) {
        b->messages[0].result = ec;
        return;
    }
    for (unsigned i = 0; i < b->n; i++) {
        struct batch one = *b;
        one.messages = &b->messages[i];
        one.prepared = &b->prepared[i];
        one.n = 1;
        write_batch(&one);
    }
}

void mailbox_import(struct mailbox *m, uint64_t fid, struct mailbox_import *messages, unsigned n) {
    if (n == 0)
        return;
    g_autofree struct prepared *prepared = g_new0(struct prepared, n);
    for (unsigned i = 0; i < n; i++)
        prepare(&prepared[i], &messages[i]);
    struct batch batch = {.m = m, .fid = fid, .messages = messages, .prepared = prepared, .n = n};
    write_batch(&batch);
    for (unsigned i = 0; i < n; i++) {
        if (!messages[i].mime)
            continue;
        message_value_free(prepared[i].value);
        g_string_free(prepared[i].envelope, TRUE);
        g_string_free(prepared[i].structure, TRUE);
    }
}
