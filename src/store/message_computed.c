// Properties of a message that are computed from its row ([MS-OXCMSG] 2.2.1, [MS-OXCPRPT] 2.2.1).
#include <string.h>

#include "mapi/change.h"
#include "mapi/conversation.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/message_object_internal.h"
#include "store/replica.h"

// PidTagMessageFlags ([MS-OXCMSG] 2.2.1.6).
enum { MF_READ = 1, MF_UNMODIFIED = 2, MF_UNSENT = 8, MF_HAS_ATTACH = 0x10, MF_ASSOCIATED = 0x40 };

static int64_t wire_id(uint64_t id) {
    return short_id_value((struct short_id){REPLID_OWN, id});
}

static struct prop_bin replica_xid(const struct message *m, struct arena *arena, uint64_t counter) {
    struct gid gid = {m->replica, counter};
    struct xid xid = xid_of(&gid);
    return xid_bytes(arena, &xid);
}

typedef void (*compute)(const struct message *m, struct arena *arena, struct prop_value *out);

static void mid(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->i8 = wire_id(m->row.mid);
}

static void fid(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->i8 = wire_id(m->row.fid);
}

static void change_number(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->i8 = wire_id(m->row.cn);
}

static void message_flags(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->l = (m->flags & MSG_READ ? MF_READ : 0) |
             (m->flags & MSG_DRAFT ? MF_UNSENT : MF_UNMODIFIED) |
             (m->value->attachments->len ? MF_HAS_ATTACH : 0) |
             (m->flags & MSG_ASSOCIATED ? MF_ASSOCIATED : 0);
}

static void message_status(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->l =
        (bag_long(m->value->bag, PidTagMessageStatus, 0) & ~8) | (m->flags & MSG_DELETED ? 8 : 0);
}

static void has_attachments(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->b = m->value->attachments->len > 0;
}

static void size(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->l = (int32_t)MIN(m->row.size, (uint64_t)INT32_MAX);
}

static void size_extended(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->i8 = (int64_t)m->row.size;
}

static void delivery_time(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->time = m->row.received;
}

static void source_key(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->bin = replica_xid(m, arena, m->row.mid);
}

static struct replica_change last_change(const struct message *m, struct arena *arena) {
    struct prop_bin noted = {0, NULL};
    gsize len;
    if (m->change) {
        noted.data = g_bytes_get_data(m->change, &len);
        noted.len = (uint32_t)len;
    }
    return replica_change_decode(arena, &m->replica, m->row.cn, noted);
}

static void change_key(const struct message *m, struct arena *arena, struct prop_value *out) {
    struct replica_change change = last_change(m, arena);
    out->bin = xid_bytes(arena, &change.key);
}

static void predecessors(const struct message *m, struct arena *arena, struct prop_value *out) {
    struct replica_change change = last_change(m, arena);
    out->bin = pcl_bytes(arena, &change.pcl);
}

static void parent_source_key(const struct message *m, struct arena *arena,
                              struct prop_value *out) {
    out->bin = replica_xid(m, arena, m->row.fid);
}

static void entry_id(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->bin = entry_id_of_message(arena, &m->guid, &m->replica, m->row.fid, m->row.mid);
}

static void parent_entry_id(const struct message *m, struct arena *arena, struct prop_value *out) {
    out->bin = entry_id_of_folder(arena, &m->guid, &m->replica, m->row.fid);
}

// "Alice; Bob": display names of one kind of recipients ([MS-OXOMSG] 2.2.1.7 to 2.2.1.9).
static void display_list(const struct message *m, struct arena *arena, int kind,
                         struct prop_value *out) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < m->value->recipients->len; i++) {
        const struct bag *r = m->value->recipients->pdata[i];
        const char *name = bag_str(r, PidTagDisplayName);
        if ((bag_long(r, PidTagRecipientType, 1) & 0xf) != kind)
            continue;
        if (!name)
            name = bag_str(r, PidTagEmailAddress);
        g_string_append_printf(text, "%s%s", text->len ? "; " : "", name ? name : "");
    }
    out->str = arena_strndup(arena, text->str, text->len);
}

static void display_to(const struct message *m, struct arena *arena, struct prop_value *out) {
    display_list(m, arena, 1, out);
}

static void display_cc(const struct message *m, struct arena *arena, struct prop_value *out) {
    display_list(m, arena, 2, out);
}

static void display_bcc(const struct message *m, struct arena *arena, struct prop_value *out) {
    display_list(m, arena, 3, out);
}

static const struct {
    proptag_t tag;
    compute compute;
} table[] = {
    {PidTagMid, mid},
    {PidTagFolderId, fid},
    {PidTagChangeNumber, change_number},
    {PidTagMessageFlags, message_flags},
    {PidTagMessageStatus, message_status},
    {PidTagHasAttachments, has_attachments},
    {PidTagMessageSize, size},
    {PidTagMessageSizeExtended, size_extended},
    {PidTagMessageDeliveryTime, delivery_time},
    {PidTagSourceKey, source_key},
    {PidTagParentSourceKey, parent_source_key},
    {PidTagChangeKey, change_key},
    {PidTagPredecessorChangeList, predecessors},
    {PidTagEntryId, entry_id},
    {PidTagRecordKey, entry_id},
    {PidTagParentEntryId, parent_entry_id},
    {PidTagDisplayTo, display_to},
    {PidTagDisplayCc, display_cc},
    {PidTagDisplayBcc, display_bcc},
};

bool message_is_computed(proptag_t tag) {
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        if (PROP_ID(table[i].tag) == PROP_ID(tag))
            return true;
    return false;
}

// As views have it (columns_read.c): what the index says, otherwise the topic; a message with
// neither is a conversation of its own.
static void conversation(const struct message *m, struct arena *arena, struct prop_value *out) {
    const struct bag *bag = m->value->bag;
    struct prop_bin index = bag_bytes(bag, PidTagConversationIndex);
    const char *subject = bag_str(bag, PidTagSubject);
    uint8_t *id = arena_alloc0(arena, 16);
    *out = prop_bytes(PidTagConversationId, id, 16);
    if (index.len >= CONVERSATION_INDEX_HEADER)
        memcpy(id, index.data + 6, 16);
    else if (!conversation_id(false, (struct prop_bin){0, NULL},
                              subject ? subject_split(arena, subject, NULL).normalized : NULL, id))
        memcpy(id, &m->row.mid, sizeof m->row.mid);
}

bool message_computed(const struct message *m, struct arena *arena, proptag_t tag,
                      struct prop_value *out) {
    // The follow-up flag of mail clients without MAPI shows as PidTagFlagStatus; "complete" stays
    // in the bag.
    if (tag == PidTagFlagStatus && (m->flags & MSG_FLAGGED)) {
        *out = prop_long(tag, 2);
        return true;
    }
    if (tag == PidTagConversationId) {
        conversation(m, arena, out);
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].tag != tag &&
            !(PROP_TYPE(tag) == PT_UNSPECIFIED && PROP_ID(table[i].tag) == PROP_ID(tag)))
            continue;
        *out = (struct prop_value){.tag = table[i].tag};
        table[i].compute(m, arena, out);
        return true;
    }
    return false;
}
