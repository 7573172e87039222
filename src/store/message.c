// Messages: rows, creating, reading renditions ([MS-OXCMSG] 3.2.5, [MS-OXCFOLD]).
#include "store/message.h"

#include <string.h>

#include "mapi/props.h"
#include "store/blob_internal.h"
#include "store/flag_range.h"
#include "store/message_internal.h"

// --- Rows ---

static struct prop_bin copy_bin(struct arena *arena, struct db_stmt *q, int column) {
    size_t n;
    const void *data = db_col_blob(q, column, &n);
    return data ? (struct prop_bin){(uint32_t)n, arena_memdup(arena, data, n)}
                : (struct prop_bin){0, NULL};
}

// Flag changes that are not in the row yet. In a write the row gets them now, since it may be
// written next.
static enum ec bring_up_to_date(struct mbox_tx *tx, struct message_full *m) {
    struct flag_state state = {m->uid, m->flags, m->cn, m->read_cn, m->modseq};
    if (tx->is_writer) {
        EC_TRY(flag_ranges_settle_row(tx, m->fid, &state));
    } else {
        EC_TRY(flag_ranges_load(tx));
        flag_ranges_overlay(tx, m->fid, &state);
    }
    m->flags = state.flags;
    m->cn = state.cn;
    m->read_cn = state.read_cn;
    m->modseq = state.modseq;
    return EC_OK;
}

enum ec message_full_get(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                         struct message_full *out) {
    struct db_stmt *q = db_query(tx->conn, sql_message_full);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    bool found = db_step(q);
    if (found)
        *out = (struct message_full){
            .mid = mid,
            .fid = (uint64_t)db_col_i64(q, 0),
            .uid = (uint32_t)db_col_i64(q, 1),
            .doc = (uint64_t)db_col_i64(q, 2),
            .cn = (uint64_t)db_col_i64(q, 3),
            .read_cn = (uint64_t)db_col_i64(q, 4),
            .modseq = (uint64_t)db_col_i64(q, 5),
            .flags = (uint32_t)db_col_i64(q, 6),
            .received = (filetime_t)db_col_i64(q, 7),
            .mime_size = (uint64_t)db_col_i64(q, 8),
            .keywords = arena_strdup(arena, db_col_text(q, 9)),
            .size = (uint64_t)db_col_i64(q, 10),
            .submitted = (filetime_t)db_col_i64(q, 11),
            .deleted = (filetime_t)db_col_i64(q, 12),
            .class = arena_strdup(arena, db_col_text(q, 13)),
            .subject = arena_strdup(arena, db_col_text(q, 14)),
            .sender = arena_strdup(arena, db_col_text(q, 15)),
            .conversation = copy_bin(arena, q, 16),
            .pcl = copy_bin(arena, q, 17),
        };
    EC_TRY(db_finish(q));
    return found ? bring_up_to_date(tx, out) : EC_NOT_FOUND;
}

enum ec message_full_insert(struct mbox_tx *tx, const struct message_full *m) {
    struct db_stmt *q = db_query(tx->conn, sql_message_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)m->fid);
    db_bind_i64(q, 3, m->uid);
    db_bind_i64(q, 4, (int64_t)m->mid);
    db_bind_i64(q, 5, (int64_t)m->doc);
    db_bind_i64(q, 6, (int64_t)m->cn);
    db_bind_i64(q, 7, (int64_t)m->read_cn);
    db_bind_i64(q, 8, (int64_t)m->modseq);
    db_bind_i64(q, 9, m->flags);
    db_bind_i64(q, 10, (int64_t)m->received);
    db_bind_i64(q, 11, (int64_t)m->mime_size);
    db_bind_text(q, 12, m->keywords);
    db_bind_i64(q, 13, (int64_t)m->size);
    db_bind_i64(q, 14, (int64_t)m->submitted);
    db_bind_i64(q, 15, (int64_t)m->deleted);
    db_bind_text(q, 16, m->class);
    db_bind_text(q, 17, m->subject);
    db_bind_text(q, 18, m->sender);
    db_bind_blob(q, 19, m->conversation.data, m->conversation.len);
    db_bind_blob(q, 20, m->pcl.data, m->pcl.len);
    return db_run(q, NULL);
}

void message_full_describe(struct message_full *m, const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    const char *sender = bag_str(bag, PidTagSentRepresentingName);
    struct prop_bin index = bag_bytes(bag, PidTagConversationIndex);
    m->class = class ? class : "IPM.Note";
    m->subject = bag_str(bag, PidTagSubject);
    m->sender = sender ? sender : bag_str(bag, PidTagSenderName);
    m->submitted = bag_time(bag, PidTagClientSubmitTime);
    // The conversation's GUID stands in bytes 6 to 21 of the index ([MS-OXOMSG] 2.2.1.3).
    if (index.len >= 22)
        m->conversation = (struct prop_bin){16, index.data + 6};
}

enum ec message_count(struct mbox_tx *tx, const struct message_full *m, int sign, uint64_t modseq) {
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, m->fid, &c));
    int64_t size = sign * (int64_t)m->size;
    if (m->flags & MSG_SOFT_DELETED) {
        c->n_soft += sign;
        c->soft_size += size;
    } else {
        c->size += size;
        if (m->flags & MSG_ASSOCIATED)
            c->n_associated += sign;
        else
            c->n_messages += sign;
        if (!(m->flags & (MSG_ASSOCIATED | MSG_READ)))
            c->n_unread += sign;
    }
    c->modseq = MAX(c->modseq, modseq);
    c->is_dirty = true;
    usage_count(tx, m, sign);
    return EC_OK;
}

void message_publish(struct mbox_tx *tx, enum event_kind kind, const struct message_full *m,
                     uint64_t old_fid, uint64_t old_mid) {
    struct event e = {.kind = kind,
                      .fid = m->fid,
                      .mid = m->mid,
                      .old_fid = old_fid,
                      .old_mid = old_mid,
                      .message_flags = m->flags,
                      .cn = m->modseq};
    tx_publish(tx, &e);
}

// --- Creating ---

static enum ec note_delivery(struct mbox_tx *tx, const char *delivery_id) {
    if (!delivery_id)
        return EC_OK;
    struct db_stmt *q = db_query(tx->conn, sql_delivered_insert);
    db_bind_i64(q, 1, MBX);
    db_bind_text(q, 2, delivery_id);
    db_bind_i64(q, 3, (int64_t)tx->now);
    int64_t changed;
    EC_TRY(db_run(q, &changed));
    return changed ? EC_OK : EC_DUPLICATE_OBJECT;
}

static enum ec insert_contents(struct mbox_tx *tx, const struct message_new *spec,
                               struct message_full *m) {
    uint64_t blob = 0;
    if (spec->mime) {
        size_t len;
        const void *data = g_bytes_get_data(spec->mime, &len);
        EC_TRY(blob_store(tx, data ? data : "", len, 1, &blob));
        m->mime_size = len;
        m->flags |= MSG_HAS_MIME;
    }
    EC_TRY(contents_insert(tx, m->doc, spec->value, blob, &m->size));
    if (!spec->mime)
        return EC_OK;
    m->size = MAX(m->size, m->mime_size);
    return contents_set_mime(tx, m->doc, blob, spec->envelope, spec->structure);
}

enum ec message_create(struct mbox_tx *tx, uint64_t fid, const struct message_new *spec,
                       uint64_t *mid_out, uint32_t *uid_out) {
    EC_TRY(tx_check_writer(tx));
    EC_TRY(note_delivery(tx, spec->delivery_id));
    struct folder_counters *c;
    EC_TRY(tx_counters(tx, fid, &c));
    if (c->type == 2)
        return EC_SEARCH_FOLDER;
    if (c->uid_next == UINT32_MAX)
        return EC_TOO_MANY_OBJECTS;
    struct message_full m = {.fid = fid};
    m.doc = mbox_next_id(tx);
    m.mid = spec->mid ? spec->mid : m.doc;
    m.flags = spec->flags & (MSG_CLIENT_FLAGS | MSG_ASSOCIATED);
    if (spec->value->attachments->len > 0)
        m.flags |= MSG_HAS_ATTACHMENTS;
    m.keywords = spec->keywords;
    m.received = spec->received ? spec->received : tx->now;
    EC_TRY(insert_contents(tx, spec, &m));
    message_full_describe(&m, spec->value->bag);
    m.cn = m.read_cn = m.modseq = mbox_next_id(tx);
    m.uid = c->uid_next++;
    EC_TRY(message_full_insert(tx, &m));
    EC_TRY(message_count(tx, &m, 1, m.modseq));
    message_publish(tx, EVENT_CREATED, &m, 0, 0);
    if (spec->is_new_mail)
        message_publish(tx, EVENT_NEW_MAIL, &m, 0, 0);
    *mid_out = m.mid;
    if (uid_out)
        *uid_out = m.uid;
    return EC_OK;
}

// --- Reading ---

enum ec message_get_row(struct mbox_tx *tx, uint64_t mid, uint64_t *fid_out,
                        struct message_row *out) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    EC_TRY(message_full_get(tx, arena, mid, &m));
    *out = (struct message_row){
        .mid = mid,
        .modseq = m.modseq,
        .received = m.received,
        .size = m.mime_size,
        .keywords = m.keywords && *m.keywords ? shared_text_new(m.keywords) : NULL,
        .uid = m.uid,
        .flags = m.flags,
    };
    if (fid_out)
        *fid_out = m.fid;
    return EC_OK;
}

enum ec message_get_cn(struct mbox_tx *tx, uint64_t mid, uint64_t *out) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    EC_TRY(message_full_get(tx, arena, mid, &m));
    *out = m.cn;
    return EC_OK;
}

enum ec message_get_read_cn(struct mbox_tx *tx, uint64_t mid, uint64_t *out) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    EC_TRY(message_full_get(tx, arena, mid, &m));
    *out = m.read_cn;
    return EC_OK;
}

enum ec message_by_uid(struct mbox_tx *tx, uint64_t fid, uint32_t uid, uint64_t *mid_out) {
    struct db_stmt *q = db_query(tx->conn, sql_message_by_uid);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, uid);
    bool found = db_step(q);
    uint64_t mid = found ? (uint64_t)db_col_i64(q, 0) : 0;
    EC_TRY(db_finish(q));
    if (!found)
        return EC_NOT_FOUND;
    *mid_out = mid;
    return EC_OK;
}

static enum ec doc_of(struct mbox_tx *tx, uint64_t mid, uint64_t *doc_out, uint64_t *size_out) {
    struct db_stmt *q = db_query(tx->conn, sql_message_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)mid);
    bool found = db_step(q);
    if (found) {
        *doc_out = (uint64_t)db_col_i64(q, 2);
        *size_out = (uint64_t)db_col_i64(q, 8);
    }
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

static char *copy_text(struct arena *arena, struct db_stmt *q, int column) {
    size_t n;
    const char *data = db_col_blob(q, column, &n);
    return arena_strndup(arena, data, n);
}

enum ec message_get_mime(struct mbox_tx *tx, struct arena *arena, uint64_t mid, bool with_envelope,
                         bool with_structure, struct message_mime *out) {
    uint64_t doc, size;
    EC_TRY(doc_of(tx, mid, &doc, &size));
    struct db_stmt *q = db_query(tx->conn, sql_mime_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    bool found = db_step(q);
    if (found)
        *out = (struct message_mime){
            .blob = (uint64_t)db_col_i64(q, 0),
            .size = size,
            .envelope = with_envelope ? copy_text(arena, q, 1) : NULL,
            .structure = with_structure ? copy_text(arena, q, 2) : NULL,
        };
    EC_TRY(db_finish(q));
    return found ? EC_OK : EC_NOT_FOUND;
}

// Whether contents shared with another message have a rendition already; its size.
static enum ec existing_mime(struct mbox_tx *tx, uint64_t doc, bool *found_out,
                             uint64_t *size_out) {
    struct db_stmt *q = db_query(tx->conn, sql_mime_size);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)doc);
    *found_out = db_step(q);
    *size_out = *found_out ? (uint64_t)db_col_i64(q, 0) : 0;
    return db_finish(q);
}

enum ec message_set_mime(struct mbox_tx *tx, uint64_t mid, GBytes *mime, const char *envelope,
                         const char *structure) {
    ARENA_AUTO arena = arena_new();
    struct message_full m;
    bool exists;
    uint64_t size;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(message_full_get(tx, arena, mid, &m));
    EC_TRY(existing_mime(tx, m.doc, &exists, &size));
    if (!exists) {
        uint64_t blob;
        size_t len;
        const void *data = g_bytes_get_data(mime, &len);
        EC_TRY(blob_store(tx, data ? data : "", len, 1, &blob));
        EC_TRY(contents_set_mime(tx, m.doc, blob, envelope, structure));
        size = len;
    }
    struct db_stmt *q = db_query(tx->conn, sql_message_mime_size);
    db_bind_i64(q, 1, m.flags | MSG_HAS_MIME);
    db_bind_i64(q, 2, (int64_t)size);
    db_bind_i64(q, 3, MBX);
    db_bind_i64(q, 4, (int64_t)m.fid);
    db_bind_i64(q, 5, m.uid);
    return db_run(q, NULL);
}
