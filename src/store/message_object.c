// A message as an object: opened, read and changed in memory, saved ([MS-OXCMSG] 3.2.5.2, 3.2.5.3).
#include <string.h>

#include "base/text.h"
#include "convert/body.h"
#include "formats/mime.h"
#include "mapi/props.h"
#include "store/envelope_chunk.h"
#include "store/message_object_internal.h"
#include "store/recoverable_internal.h"
#include "store/retention_policy.h"

enum ec message_open(struct mbox_tx *tx, uint64_t mid, struct message **out) {
    ARENA_AUTO arena = arena_new();
    struct message *m = g_new0(struct message, 1);
    enum ec ec = message_full_get(tx, arena, mid, &m->row);
    if (ec == EC_OK)
        ec = contents_load(tx, m->row.doc, &m->value, &m->source);
    if (ec != EC_OK) {
        g_free(m);
        return ec;
    }
    m->guid = tx->mbox->guid;
    m->replica = tx->mbox->replica;
    m->flags = m->row.flags;
    m->keywords = g_strdup(m->row.keywords);
    if (m->row.pcl.len > 0)
        m->change = g_bytes_new(m->row.pcl.data, m->row.pcl.len);
    // What pointed into the arena.
    m->row.keywords = m->keywords;
    m->row.class = m->row.subject = m->row.sender = NULL;
    m->row.conversation = m->row.pcl = (struct prop_bin){0, NULL};
    *out = m;
    return EC_OK;
}

void message_free(struct message *m) {
    if (!m)
        return;
    message_value_free(m->value);
    g_clear_pointer(&m->change, g_bytes_unref);
    g_free(m->keywords);
    g_free(m);
}

uint64_t message_mid(const struct message *m) {
    return m->row.mid;
}

uint64_t message_fid(const struct message *m) {
    return m->row.fid;
}

struct message_value *message_value(struct message *m) {
    m->is_changed = true;
    return m->value;
}

const struct message_value *message_peek(const struct message *m) {
    return m->value;
}

// --- Properties ---

enum ec external_read(struct mbox_tx *tx, const struct prop_external *external, bool is_text,
                      GBytes **out) {
    g_autoptr(GBytes) bytes = NULL;
    if (external->len == 0) {
        *out = g_bytes_new_static("", 0);
        return EC_OK;
    }
    EC_TRY(blob_read(tx, external->blob, external->pos, external->len, &bytes));
    if (external->encoding != MIME_7BIT) {
        size_t len;
        const void *data = g_bytes_get_data(bytes, &len);
        GBytes *decoded = mime_decode(data, len, external->encoding);
        g_bytes_unref(bytes);
        bytes = decoded;
    }
    if (is_text && external->charset) {
        ARENA_AUTO arena = arena_new();
        size_t len, text_len;
        const void *data = g_bytes_get_data(bytes, &len);
        char *text = mime_to_utf8(arena, data, len, external->charset, &text_len);
        g_bytes_unref(bytes);
        bytes = g_bytes_new(text, text_len);
    }
    *out = g_steal_pointer(&bytes);
    return EC_OK;
}

static enum ec read_external_value(struct mbox_tx *tx, struct arena *arena,
                                   const struct prop_value *v, size_t max, struct prop_value *out) {
    g_autoptr(GBytes) bytes = NULL;
    if (max > 0 && v->external.len > max)
        return EC_MESSAGE_TOO_BIG;
    bool is_text = PROP_TYPE(v->tag) == PT_UNICODE;
    EC_TRY(external_read(tx, &v->external, is_text, &bytes));
    size_t len;
    const char *data = g_bytes_get_data(bytes, &len);
    if (max > 0 && len > max)
        return EC_MESSAGE_TOO_BIG;
    if (is_text)
        *out = prop_str(v->tag, text_clean(arena, data ? data : "", len, NULL));
    else
        *out = prop_bytes(v->tag, arena_memdup(arena, data, len), (uint32_t)len);
    return EC_OK;
}

static enum ec read_body(void *ctx, const struct prop_external *external, GBytes **out) {
    return external_read(ctx, external, external->charset != NULL, out);
}

// A body in another format than the one that is there.
static enum ec compute_body(struct mbox_tx *tx, const struct message *m, struct arena *arena,
                            proptag_t tag, size_t max, struct prop_value *out) {
    struct convert_source source = {read_body, tx};
    EC_TRY(body_get(m->value->bag, &source, arena, tag, out));
    return max > 0 && prop_size(out) > max ? EC_MESSAGE_TOO_BIG : EC_OK;
}

enum ec message_get_prop(struct mbox_tx *tx, struct message *m, struct arena *arena, uint32_t tag,
                         size_t max, struct prop_value *out) {
    if (message_computed(m, arena, tag, out))
        return EC_OK;
    const struct prop_value *v = bag_get(m->value->bag, tag);
    if (body_has(tag) && (!v || tag == PidTagNativeBody || tag == PidTagRtfInSync))
        return compute_body(tx, m, arena, tag, max, out);
    if (!v && retention_is_date(tag)) {
        *out = (struct prop_value){.tag = tag};
        return retention_date_of(tx, m->value->bag, m->row.fid, m->row.received, tag, &out->time);
    }
    if (!v)
        return EC_NOT_FOUND;
    if (v->is_external)
        return read_external_value(tx, arena, v, max, out);
    if (max > 0 && prop_size(v) > max)
        return EC_MESSAGE_TOO_BIG;
    *out = prop_copy(arena, v);
    return EC_OK;
}

// Properties that stand in the row as flags.
static bool set_flag_prop(struct message *m, const struct prop_value *v) {
    if (v->tag == PidTagFlagStatus) {
        m->flags = v->l == 2 ? m->flags | MSG_FLAGGED : m->flags & ~(uint32_t)MSG_FLAGGED;
        return false; // kept in the bag too: "complete" has no flag
    }
    if (v->tag == PidTagMessageStatus) {
        m->flags = v->l & 8 ? m->flags | MSG_DELETED : m->flags & ~(uint32_t)MSG_DELETED;
        return true;
    }
    if (v->tag == PidTagMessageFlags) {
        // Only these two can be set by a client ([MS-OXCMSG] 2.2.1.6).
        uint32_t settable = MSG_READ | MSG_DRAFT;
        uint32_t wanted = (v->l & 1 ? MSG_READ : 0u) | (v->l & 8 ? MSG_DRAFT : 0u);
        m->flags = (m->flags & ~settable) | wanted;
        return true;
    }
    if (v->tag == PidTagMessageDeliveryTime) {
        m->row.received = v->time;
        return true;
    }
    return false;
}

enum ec message_set_prop(struct message *m, const struct prop_value *v) {
    m->is_changed = true;
    if (set_flag_prop(m, v))
        return EC_OK;
    if (message_is_computed(v->tag))
        return EC_COMPUTED;
    body_replaced(m->value->bag, v->tag, &m->bodies_set);
    return bag_set(m->value->bag, v);
}

enum ec message_remove_prop(struct message *m, uint32_t tag) {
    if (message_is_computed(tag))
        return EC_COMPUTED;
    m->is_changed = true;
    if (PROP_ID(tag) == PROP_ID(PidTagFlagStatus))
        m->flags &= ~(uint32_t)MSG_FLAGGED;
    return bag_remove(m->value->bag, tag) ? EC_OK : EC_NOT_FOUND;
}

// --- Saving ---

static enum ec update_row(struct mbox_tx *tx, const struct message_full *m) {
    struct db_stmt *q = db_query(tx->conn, sql_message_update);
    db_bind_i64(q, 1, m->flags);
    db_bind_i64(q, 2, (int64_t)m->cn);
    db_bind_i64(q, 3, (int64_t)m->modseq);
    db_bind_i64(q, 4, (int64_t)m->mime_size);
    db_bind_i64(q, 5, (int64_t)m->size);
    db_bind_i64(q, 6, (int64_t)m->submitted);
    db_bind_text(q, 7, m->class);
    db_bind_text(q, 8, m->subject);
    db_bind_text(q, 9, m->sender);
    db_bind_blob(q, 10, m->conversation.data, m->conversation.len);
    db_bind_i64(q, 11, (int64_t)m->received);
    db_bind_text(q, 12, m->keywords);
    db_bind_i64(q, 13, (int64_t)m->doc);
    db_bind_i64(q, 14, MBX);
    db_bind_i64(q, 15, (int64_t)m->fid);
    db_bind_i64(q, 16, m->uid);
    return db_run(q, NULL);
}

enum ec message_save(struct mbox_tx *tx, struct message *m, unsigned flags) {
    ARENA_AUTO arena = arena_new();
    struct message_full now;
    EC_TRY(tx_check_writer(tx));
    if (m->row.mid == 0)
        return message_save_new(tx, m);
    enum ec ec = message_full_get(tx, arena, m->row.mid, &now);
    if (ec == EC_NOT_FOUND)
        return EC_OBJECT_DELETED;
    EC_TRY(ec);
    if (now.cn != m->row.cn && !(flags & MESSAGE_SAVE_FORCE))
        return EC_OBJECT_MODIFIED;
    if (!m->is_changed)
        return EC_OK;
    struct message_full next = now;
    // Contents may be shared with a copy: the changed ones are new, the old ones lose a reference.
    next.doc = mbox_next_id(tx);
    EC_TRY(contents_insert(tx, next.doc, m->value, m->source, &next.size));
    EC_TRY(message_keep_version(tx, &now));
    EC_TRY(contents_unref(tx, now.doc));
    next.cn = next.modseq = mbox_next_id(tx);
    uint32_t settable = MSG_CLIENT_FLAGS;
    next.flags = (now.flags & ~settable) | (m->flags & settable);
    next.flags &= ~(uint32_t)(MSG_HAS_MIME | MSG_HAS_ATTACHMENTS);
    if (m->value->attachments->len > 0)
        next.flags |= MSG_HAS_ATTACHMENTS;
    next.mime_size = 0;
    next.received = m->row.received;
    next.conversation = (struct prop_bin){0, NULL};
    message_full_describe(&next, m->value->bag);
    EC_TRY(message_count(tx, &now, -1, next.modseq));
    EC_TRY(message_count(tx, &next, 1, next.modseq));
    EC_TRY(update_row(tx, &next));
    EC_TRY(envelope_chunks_forget_uid(tx, next.fid, next.uid));
    message_publish(tx, EVENT_MODIFIED, &next, 0, 0);
    m->row.cn = next.cn;
    m->row.modseq = next.modseq;
    m->row.doc = next.doc;
    m->row.size = next.size;
    m->row.flags = m->flags = next.flags;
    m->is_changed = false;
    return EC_OK;
}

enum ec message_open_embedded(struct mbox_tx *tx, struct message *m, unsigned attachment,
                              struct message_value **out) {
    if (attachment >= m->value->attachments->len)
        return EC_NOT_FOUND;
    struct attachment_value *a = m->value->attachments->pdata[attachment];
    if (bag_long(a->bag, PidTagAttachMethod, 0) != 5)
        return EC_NOT_SUPPORTED;
    if (!a->embedded) {
        if (a->external.len == 0)
            return EC_NOT_FOUND;
        // A message/rfc822 part of the original: from now on a message of its own.
        g_autoptr(GBytes) bytes = NULL;
        EC_TRY(external_read(tx, &a->external, false, &bytes));
        EC_TRY(embedded_parse(bytes, &a->embedded));
        EC_TRY(value_settle_names(tx, a->embedded));
    }
    *out = a->embedded;
    return EC_OK;
}
