// New items: from a value or from an internet message.
#include <string.h>

#include "base/clock.h"
#include "convert/convert.h"
#include "mailbox/item_internal.h"
#include "mailbox/public_read.h"
#include "mapi/conversation.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/public_store.h"

// --- Values ---

enum ec item_value_of_mime(GBytes *mime, struct message_value **out) {
    ARENA_AUTO arena = arena_new();
    gsize len;
    const void *data = g_bytes_get_data(mime, &len);
    struct mime_message *scanned = mime_scan(arena, data ? data : "", len);
    return convert_mime_to_message(scanned, out);
}

static enum ec inline_bag(struct bag *bag, const uint8_t *data, size_t len) {
    for (unsigned i = 0; i < bag_count(bag); i++) {
        const struct prop_value *v = bag_at(bag, i);
        const struct prop_external e = v->external;
        if (!v->is_external)
            continue;
        if (e.pos > len || e.len > len - e.pos)
            return EC_CORRUPT_DATA;
        ARENA_AUTO arena = arena_new();
        g_autoptr(GBytes) decoded = mime_decode(data + e.pos, e.len, e.encoding);
        gsize n;
        const char *bytes = g_bytes_get_data(decoded, &n);
        struct prop_value value = prop_bytes(v->tag, bytes, (uint32_t)n);
        if (PROP_TYPE(v->tag) == PT_UNICODE)
            value = prop_str(v->tag, mime_to_utf8(arena, bytes ? bytes : "", n, e.charset, NULL));
        EC_TRY(bag_set(bag, &value));
    }
    return EC_OK;
}

enum ec item_value_inline(struct message_value *value, GBytes *mime) {
    gsize len;
    const uint8_t *data = g_bytes_get_data(mime, &len);
    EC_TRY(inline_bag(value->bag, data, len));
    for (guint i = 0; i < value->attachments->len; i++) {
        struct attachment_value *a = value->attachments->pdata[i];
        struct prop_external e = a->external;
        EC_TRY(inline_bag(a->bag, data, len));
        if (e.len == 0)
            continue;
        if (e.pos > len || e.len > len - e.pos)
            return EC_CORRUPT_DATA;
        g_autoptr(GBytes) bytes = mime_decode(data + e.pos, e.len, e.encoding);
        a->external = (struct prop_external){0};
        if (bag_long(a->bag, PidTagAttachMethod, 0) == 5) {
            // A message of its own, as everywhere but in an original.
            EC_TRY(item_value_of_mime(bytes, &a->embedded));
            EC_TRY(item_value_inline(a->embedded, bytes));
        } else {
            a->data = g_steal_pointer(&bytes);
        }
    }
    return EC_OK;
}

void item_value_touch(const struct mailbox *m, struct bag *bag) {
    const struct principal *who = m->who;
    ARENA_AUTO arena = arena_new();
    bag_set_time(bag, PidTagLastModificationTime, clock_now());
    if (who->is_admin || who->is_anonymous)
        return;
    const char *name = who->display_name ? who->display_name : who->address;
    struct prop_bin id = entry_id_of_address(arena, name, "SMTP", who->address);
    bag_set_str(bag, PidTagLastModifierName, name);
    bag_set_bytes(bag, PidTagLastModifierEntryId, id.data, id.len);
}

static void set_conversation(struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    ARENA_AUTO arena = arena_new();
    const char *subject = bag_str(bag, PidTagSubject);
    struct subject_parts parts =
        subject_split(arena, subject ? subject : "", bag_str(bag, PidTagSubjectPrefix));
    if (subject) {
        bag_set_str(bag, PidTagSubjectPrefix, parts.prefix);
        bag_set_str(bag, PidTagNormalizedSubject, parts.normalized);
    }
    if (!g_str_has_prefix(class, "IPM.Note") && !g_str_has_prefix(class, "IPM.Post") &&
        !g_str_has_prefix(class, "IPM.Schedule"))
        return;
    if (!bag_str(bag, PidTagConversationTopic))
        bag_set_str(bag, PidTagConversationTopic, parts.normalized);
    if (bag_bytes(bag, PidTagConversationIndex).len == 0) {
        uint8_t index[CONVERSATION_INDEX_HEADER];
        conversation_index_start(clock_now(), NULL, index);
        bag_set_bytes(bag, PidTagConversationIndex, index, sizeof index);
    }
}

void item_value_finish(const struct mailbox *m, struct message_value *value) {
    struct bag *bag = value->bag;
    const struct principal *who = m->who;
    ARENA_AUTO arena = arena_new();
    if (!bag_str(bag, PidTagMessageClass))
        bag_set_str(bag, PidTagMessageClass, "IPM.Note");
    if (!bag_time(bag, PidTagCreationTime))
        bag_set_time(bag, PidTagCreationTime, clock_now());
    if (bag_bytes(bag, PidTagSearchKey).len == 0) {
        struct guid key = guid_new();
        bag_set_bytes(bag, PidTagSearchKey, key.bytes, sizeof key.bytes);
    }
    set_conversation(bag);
    item_value_touch(m, bag);
    if (who->is_admin || who->is_anonymous)
        return;
    const char *name = who->display_name ? who->display_name : who->address;
    struct prop_bin id = entry_id_of_address(arena, name, "SMTP", who->address);
    bag_set_str(bag, PidTagCreatorName, name);
    bag_set_bytes(bag, PidTagCreatorEntryId, id.data, id.len);
}

// --- Creating ---

struct create {
    struct mailbox *m;
    uint64_t fid, size, mid;
    struct message_new spec;
    struct mailbox_limits limits;
};

static enum ec change_create(struct mbox_tx *tx, void *ctx) {
    struct create *c = ctx;
    struct mbox_usage before;
    struct message_new spec = c->spec; // a write that is tried again begins anew
    bool is_read = spec.flags & MSG_READ;
    ARENA_AUTO arena = arena_new();
    struct folder_info folder;
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_CREATE));
    EC_TRY(folder_get(tx, arena, c->fid, &folder));
    if (folder.type == FOLDER_TYPE_SEARCH)
        return EC_SEARCH_FOLDER;
    mbox_get_usage(tx, &before);
    EC_TRY(quota_admit(&c->limits, tx, c->fid, c->size, 1));
    if (c->m->is_public) {
        EC_TRY(folder_check_limits(tx, c->fid, c->size));
        spec.flags &= ~(uint32_t)MSG_READ; // it is one user's, not the message's
    }
    EC_TRY(message_create(tx, c->fid, &spec, &c->mid, NULL));
    EC_TRY(rights_note_creator(c->m, tx, c->mid));
    if (c->m->is_public)
        EC_TRY(read_state_set(c->m, tx, c->fid, &c->mid, 1, &is_read));
    return quota_settled(&c->limits, tx, &before);
}

static uint64_t size_of_value(const struct message_value *value) {
    uint64_t size = 0;
    for (unsigned i = 0; i < bag_count(value->bag); i++)
        size += prop_size(bag_at(value->bag, i));
    for (guint i = 0; i < value->attachments->len; i++) {
        const struct attachment_value *a = value->attachments->pdata[i];
        size += a->data ? g_bytes_get_size(a->data) : 0;
    }
    return size;
}

enum ec item_create(struct mailbox *m, uint64_t fid, const struct item_new *spec,
                    uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GString) envelope = g_string_new(NULL), structure = g_string_new(NULL);
    struct create c = {.m = m, .fid = fid};
    item_value_finish(m, spec->value);
    c.spec = (struct message_new){
        .value = spec->value,
        .flags = spec->flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED),
        .keywords = spec->keywords && *spec->keywords ? spec->keywords : NULL,
        .received = spec->received ? spec->received : clock_now(),
    };
    c.size = size_of_value(spec->value);
    if (spec->mime) {
        gsize len;
        const void *data = g_bytes_get_data(spec->mime, &len);
        struct mime_message *scanned = mime_scan(arena, data ? data : "", len);
        mime_imap_envelope(scanned, scanned->root, envelope);
        mime_imap_bodystructure(scanned, true, structure);
        c.spec.mime = spec->mime;
        c.spec.envelope = envelope->str;
        c.spec.structure = structure->str;
        c.size = len;
    }
    EC_TRY(mailbox_limits(m->service, mbox_guid(m->mbox), &c.limits));
    EC_TRY(mbox_write(m->mbox, change_create, &c));
    *mid_out = c.mid;
    return EC_OK;
}
