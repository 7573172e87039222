// Reading columns from the database: a whole folder in one scan, or a message at a time.
#include <string.h>

#include "mapi/change.h"
#include "mapi/conversation.h"
#include "mapi/props.h"
#include "store/columns_internal.h"
#include "store/flag_range.h"
#include "store/message_match.h"
#include "store/message_object_internal.h"

#define SCAN_MIN 64 // living slots from which on one scan is better than reading each

bool kind_has(enum view_kind kind, uint32_t flags) {
    uint32_t place = flags & (MSG_ASSOCIATED | MSG_SOFT_DELETED);
    switch (kind) {
    case VIEW_ASSOCIATED:
        return place == MSG_ASSOCIATED;
    case VIEW_SOFT_DELETED:
        return place == MSG_SOFT_DELETED;
    default:
        return place == 0;
    }
}

// --- The slots ---

struct slot_row slot_row_read(struct mbox_tx *tx, struct db_stmt *q) {
    struct flag_state state = {.uid = (uint32_t)db_col_i64(q, 1),
                               .flags = (uint32_t)db_col_i64(q, 2),
                               .cn = (uint64_t)db_col_i64(q, 3),
                               .read_cn = (uint64_t)db_col_i64(q, 4),
                               .modseq = (uint64_t)db_col_i64(q, 5)};
    flag_ranges_overlay(tx, (uint64_t)db_col_i64(q, 6), &state);
    return (struct slot_row){(uint64_t)db_col_i64(q, 0), state.cn, state.uid, state.flags};
}

enum ec columns_scan(struct mbox_tx *tx, uint64_t fid, enum view_kind kind, bool is_search,
                     struct columns **out) {
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct slot_row));
    const char *sql = is_search               ? sql_view_links
                      : kind == VIEW_CONTENTS ? sql_view_base
                                              : sql_view_base_aside;
    EC_TRY(flag_ranges_load(tx));
    struct db_stmt *q = db_query(tx->conn, sql);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        struct slot_row row = slot_row_read(tx, q);
        if (kind_has(kind, row.flags))
            g_array_append_val(rows, row);
    }
    EC_TRY(db_finish(q));
    struct columns *cols = columns_new(fid, kind, is_search, rows->len);
    for (guint i = 0; i < rows->len; i++) {
        const struct slot_row *row = &g_array_index(rows, struct slot_row, i);
        columns_add(cols, row->mid, row->uid, row->flags);
    }
    *out = cols;
    return EC_OK;
}

// --- One message ---

static enum ec need_row(struct column_reader *r) {
    if (r->has_row)
        return EC_OK;
    EC_TRY(message_full_get(r->tx, r->arena, r->mid, &r->row));
    r->has_row = true;
    return EC_OK;
}

static enum ec need_props(struct column_reader *r) {
    if (r->has_props)
        return EC_OK;
    EC_TRY(need_row(r));
    struct db_stmt *q = db_query(r->tx->conn, sql_view_props);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)r->row.doc);
    if (db_step(q)) {
        size_t n;
        const void *data = db_col_blob(q, 0, &n);
        r->props = (struct prop_bin){(uint32_t)n, arena_memdup(r->arena, data, n)};
    }
    EC_TRY(db_finish(q));
    r->has_props = true;
    return EC_OK;
}

// The conversation a message belongs to: what its index says, otherwise its topic.
static struct prop_value conversation_of(struct arena *arena, const struct message_full *row) {
    if (row->conversation.len == 16)
        return prop_bytes(PidTagConversationId, row->conversation.data, 16);
    uint8_t *id = arena_alloc0(arena, 16);
    const char *topic = row->subject ? subject_split(arena, row->subject, NULL).normalized : NULL;
    // One without either is a conversation of its own.
    if (!conversation_id(false, (struct prop_bin){0, NULL}, topic, id))
        memcpy(id, &row->mid, sizeof row->mid);
    return prop_bytes(PidTagConversationId, id, 16);
}

static bool set_text(proptag_t tag, const char *s, struct prop_value *out) {
    *out = prop_str(tag, s);
    return s != NULL;
}

static bool of_row(struct arena *arena, proptag_t tag, const struct message_full *row,
                   struct prop_value *out) {
    *out = (struct prop_value){.tag = tag};
    switch (tag) {
    case PidTagMessageDeliveryTime:
        out->time = row->received;
        return true;
    case PidTagClientSubmitTime:
        out->time = row->submitted;
        return row->submitted != 0;
    case PidTagMessageSize:
        out->l = (int32_t)MIN(row->size, (uint64_t)INT32_MAX);
        return true;
    case PidTagMessageSizeExtended:
        out->i8 = (int64_t)row->size;
        return true;
    case PidTagMessageClass:
        return set_text(tag, row->class, out);
    case PidTagSubject:
        return set_text(tag, row->subject, out);
    case PidTagConversationId:
        *out = conversation_of(arena, row);
        return true;
    case PidTagChangeNumber:
        out->i8 = short_id_value((struct short_id){REPLID_OWN, row->cn});
        return true;
    default: // folder ids in search folders
        out->i8 = short_id_value((struct short_id){REPLID_OWN, row->fid});
        return true;
    }
}

// A property of the stored bag, with what the flags say about it.
static enum ec of_bag(struct arena *arena, proptag_t tag, struct prop_bin props, uint32_t flags,
                      struct prop_value *out, bool *has_out) {
    enum ec ec = EC_NOT_FOUND;
    if (props.len > 0)
        ec = bag_view_get(props.data, props.len, arena, tag, out);
    *has_out = ec == EC_OK && out->tag == tag;
    if (tag == PidTagFlagStatus && (flags & MSG_FLAGGED)) {
        *out = prop_long(tag, 2);
        *has_out = true;
    } else if (tag == PidTagMessageStatus) {
        int32_t stored = *has_out ? out->l & ~8 : 0;
        *out = prop_long(tag, stored | (flags & MSG_DELETED ? 8 : 0));
        *has_out = true;
    }
    return EC_OK; // a damaged bag shows as absent values; `bourse check` reports it
}

enum ec column_read(struct column_reader *r, const struct column *c, struct prop_value *out,
                    bool *has_out) {
    *has_out = false;
    switch (c->source) {
    case FROM_SLOT:
        return EC_OK;
    case FROM_ROW:
        EC_TRY(need_row(r));
        *has_out = of_row(r->arena, c->tag, &r->row, out);
        return EC_OK;
    case FROM_BAG:
        EC_TRY(need_props(r));
        return of_bag(r->arena, c->tag, r->props, r->row.flags, out, has_out);
    case FROM_MESSAGE:
        break;
    }
    if (!r->has_message) {
        enum ec ec = message_open(r->tx, r->mid, &r->m);
        if (ec == EC_CORRUPT_DATA)
            return EC_OK;
        EC_TRY(ec);
        r->has_message = true;
    }
    *has_out = message_get_prop(r->tx, r->m, r->arena, c->tag, MATCH_VALUE_MAX, out) == EC_OK;
    return EC_OK;
}

void column_reader_end(struct column_reader *r) {
    if (r->has_message)
        message_free(r->m);
    r->m = NULL;
    r->has_message = r->has_row = r->has_props = false;
}

// --- A column of a whole folder ---

static const char *sql_of(proptag_t tag) {
    switch (tag) {
    case PidTagMessageDeliveryTime:
        return sql_view_received;
    case PidTagClientSubmitTime:
        return sql_view_submitted;
    case PidTagMessageSize:
    case PidTagMessageSizeExtended:
        return sql_view_size;
    case PidTagMessageClass:
        return sql_view_class;
    case PidTagSubject:
        return sql_view_subject;
    case PidTagConversationId:
        return sql_view_conversation;
    default:
        return NULL;
    }
}

// The one column that the statement gave, in its place in the row.
static bool of_scan(struct db_stmt *q, struct arena *arena, proptag_t tag, struct prop_value *out) {
    struct message_full row = {.mid = (uint64_t)db_col_i64(q, 0)};
    int64_t number = db_col_i64(q, 1);
    switch (tag) {
    case PidTagMessageDeliveryTime:
        row.received = (filetime_t)number;
        break;
    case PidTagClientSubmitTime:
        row.submitted = (filetime_t)number;
        break;
    case PidTagMessageSize:
    case PidTagMessageSizeExtended:
        row.size = (uint64_t)number;
        break;
    case PidTagMessageClass:
        row.class = db_col_text(q, 1);
        break;
    case PidTagSubject:
        row.subject = db_col_text(q, 1);
        break;
    case PidTagConversationId: {
        size_t n;
        const uint8_t *data = db_col_blob(q, 1, &n);
        row.conversation = (struct prop_bin){(uint32_t)n, data};
        row.subject = db_col_text(q, 2);
        break;
    }
    default: // not scanned
        break;
    }
    return of_row(arena, tag, &row, out);
}

// The slot of a scanned message: usually the one after the last.
static uint32_t next_slot(struct columns *cols, uint64_t mid, uint32_t *hint) {
    while (*hint < cols->n_base && columns_is_dead(cols, *hint))
        (*hint)++;
    if (*hint < cols->n_base && slot_mid(cols, *hint) == mid)
        return (*hint)++;
    return columns_find(cols, mid, cols->n);
}

static enum ec scan_column(struct mbox_tx *tx, struct columns *cols, struct column *c) {
    ARENA_AUTO arena = arena_new();
    bool is_bag = c->source == FROM_BAG;
    struct db_stmt *q = db_query(tx->conn, is_bag ? sql_view_bags : sql_of(c->tag));
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)cols->fid);
    uint32_t hint = 0;
    while (db_step(q)) {
        struct prop_value v;
        bool has = false;
        uint32_t slot = next_slot(cols, (uint64_t)db_col_i64(q, 0), &hint);
        if (slot == SLOT_NONE || columns_is_dead(cols, slot))
            continue;
        arena_reset(arena);
        if (is_bag) {
            size_t n;
            const void *data = db_col_blob(q, 1, &n);
            of_bag(arena, c->tag, (struct prop_bin){(uint32_t)n, data}, slot_flags(cols, slot), &v,
                   &has);
        } else {
            has = of_scan(q, arena, c->tag, &v);
        }
        column_put(c, slot, has ? &v : NULL);
    }
    return db_finish(q);
}

static enum ec read_slot(struct mbox_tx *tx, struct arena *arena, struct columns *cols,
                         struct column *c, uint32_t slot) {
    struct column_reader r = {.tx = tx, .arena = arena, .mid = slot_mid(cols, slot)};
    struct prop_value v;
    bool has;
    enum ec ec = column_read(&r, c, &v, &has);
    if (ec == EC_NOT_FOUND) // a link to a message that is gone
        ec = EC_OK, has = false;
    if (ec == EC_OK)
        column_put(c, slot, has ? &v : NULL);
    column_reader_end(&r);
    return ec;
}

enum ec column_load(struct mbox_tx *tx, struct columns *cols, struct column *c, uint32_t from) {
    bool can_scan = c->source == FROM_BAG || (c->source == FROM_ROW && sql_of(c->tag));
    if (c->source == FROM_SLOT)
        return EC_OK;
    if (from == 0 && can_scan && !cols->is_search && cols->kind == VIEW_CONTENTS &&
        cols->n - cols->n_dead >= SCAN_MIN)
        return scan_column(tx, cols, c);
    ARENA_AUTO arena = arena_new();
    for (uint32_t s = from; s < cols->n; s++) {
        if (columns_is_dead(cols, s))
            continue;
        arena_reset(arena);
        EC_TRY(read_slot(tx, arena, cols, c, s));
    }
    return EC_OK;
}
