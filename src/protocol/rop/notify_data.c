// NotificationData: which fields a notification has, and their values
// ([MS-OXCNOTIF] 2.2.1.4.1.2).
#include "protocol/rop/notify_internal.h"

static const struct prop_wire form = PROP_WIRE_ROP;

static void put_ids(struct wire_writer *w, const struct event *e) {
    bool is_message = !e->is_folder;
    unsigned type = (unsigned)e->kind << 1;
    bool has_parent = type == NOTIFY_OBJECT_CREATED || type == NOTIFY_OBJECT_DELETED ||
                      type == NOTIFY_OBJECT_MOVED || type == NOTIFY_OBJECT_COPIED;
    bool has_old = type == NOTIFY_OBJECT_MOVED || type == NOTIFY_OBJECT_COPIED;
    rop_put_id(w, e->fid);
    if (is_message)
        rop_put_id(w, e->mid);
    // Of folders, and of messages in search folders.
    if (has_parent && is_message == e->is_link)
        rop_put_id(w, e->parent);
    if (has_old)
        rop_put_id(w, e->is_folder ? e->fid : e->old_fid);
    if (has_old && is_message)
        rop_put_id(w, e->old_mid);
    if (has_old && !is_message)
        rop_put_id(w, e->old_parent);
    if (type == NOTIFY_OBJECT_CREATED || type == NOTIFY_OBJECT_MODIFIED)
        wire_put_u16(w, 0); // TagCount: which properties is not told
}

// MessageFlags, UnicodeFlag, MessageClass.
static bool put_new_mail(struct wire_writer *w, struct mbox_tx *tx, const struct event *e) {
    ARENA_AUTO arena = arena_new();
    struct message *m;
    struct prop_value flags, class;
    if (message_open(tx, e->mid, &m) != EC_OK)
        return false;
    bool is_known = message_get_prop(tx, m, arena, PidTagMessageFlags, 0, &flags) == EC_OK;
    if (message_get_prop(tx, m, arena, PidTagMessageClass, 0, &class) != EC_OK)
        class = prop_str(PidTagMessageClass, "IPM.Note");
    message_free(m);
    wire_put_u32(w, is_known ? (uint32_t)flags.l : 0);
    wire_put_u8(w, 1);
    prop_wire_put_string(w, &form, true, class.str);
    return true;
}

bool notify_put_event(struct wire_writer *w, struct mbox_tx *tx, const struct event *e) {
    unsigned type = (unsigned)e->kind << 1;
    struct event told = *e;
    if (e->is_link) { // FolderId is where the message is, ParentFolderId the search folder
        struct message_row row;
        if (message_get_row(tx, e->mid, &told.fid, &row) != EC_OK)
            return false;
        if (row.keywords)
            shared_text_unref(row.keywords);
        told.parent = e->fid;
    }
    if (type == NOTIFY_SEARCH_COMPLETED) {
        wire_put_u16(w, NOTIFY_SEARCH_COMPLETED);
        rop_put_id(w, e->fid);
        return true;
    }
    wire_put_u16(w, (uint16_t)(type | (e->is_folder ? 0 : NOTIFY_MESSAGE) |
                               (e->is_link ? NOTIFY_IN_SEARCH_FOLDER : 0)));
    put_ids(w, &told);
    return type != NOTIFY_NEW_MAIL || put_new_mail(w, tx, e);
}

bool notify_put_counts(struct wire_writer *w, struct mbox_tx *tx, uint64_t fid) {
    ARENA_AUTO arena = arena_new();
    struct folder_info f;
    if (folder_get(tx, arena, fid, &f) != EC_OK)
        return false;
    wire_put_u16(w, NOTIFY_OBJECT_MODIFIED | NOTIFY_TOTAL | NOTIFY_UNREAD);
    rop_put_id(w, fid);
    wire_put_u16(w, 0);
    wire_put_u32(w, f.n_messages);
    wire_put_u32(w, f.n_unread);
    return true;
}

// --- Tables ---

// A row's id: of a folder, or the folder it is in, the message and its instance.
static void put_row_id(struct wire_writer *w, const struct rop_table *t, const struct table_row *r,
                       bool is_message) {
    if (!is_message) {
        wire_put_u64(w, r->id);
        return;
    }
    rop_put_id(w, r->id ? t->fid : 0);
    wire_put_u64(w, r->id);
    wire_put_u32(w, r->instance);
}

static void put_values(struct wire_writer *w, const struct rop_table *t,
                       const struct table_event *e) {
    struct columns all = table_columns(t->table);
    struct columns columns = {MIN(t->n_columns, all.n), all.tags};
    struct wire_writer row = wire_writer(UINT16_MAX);
    struct prop_wire as = rop_form(&t->object);
    if (e->values && columns.n > 0)
        row_put(&row, &as, &columns, e->values);
    g_autoptr(GByteArray) bytes = wire_writer_take(&row);
    wire_writer_clear(&row);
    wire_put_u16(w, bytes ? (uint16_t)bytes->len : 0);
    if (bytes)
        wire_put_bytes(w, bytes->data, bytes->len);
}

void notify_put_row(struct wire_writer *w, struct rop_table *t, const struct table_event *e) {
    static const struct table_row none;
    bool is_message = table_kind(t->table) != TABLE_HIERARCHY;
    bool is_row =
        e->kind == TABLE_ROW_ADDED || e->kind == TABLE_ROW_DELETED || e->kind == TABLE_ROW_MODIFIED;
    // Which rows the principal may see is told by the rows alone.
    if (t->hides)
        is_row = false;
    wire_put_u16(w, NOTIFY_TABLE_MODIFIED | (is_message ? NOTIFY_MESSAGE : 0));
    wire_put_u16(
        w, (uint16_t)(is_row || e->kind == TABLE_RESTRICTION_CHANGED ? e->kind : TABLE_CHANGED));
    if (!is_row)
        return;
    put_row_id(w, t, &e->row, is_message);
    if (e->kind == TABLE_ROW_DELETED)
        return;
    put_row_id(w, t, e->is_first ? &none : &e->before, is_message);
    put_values(w, t, e);
}
