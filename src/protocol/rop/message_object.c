// Messages as objects of a session: opening, making and saving them ([MS-OXCMSG] 3.2.5.1 to
// 3.2.5.3).
//
// Each handle has a copy of the message in memory: what one handle changes no other sees before it
// is saved, and only the first of two that were opened before can be saved.
#include "base/clock.h"
#include "directory/directory.h"
#include "mailbox/mailbox.h"
#include "mapi/conversation.h"
#include "mapi/entry_id.h"
#include "mapi/rights.h"
#include "protocol/rop/rop_internal.h"

static void destroy_message(struct rop_object *o) {
    import_free(((struct rop_message *)o)->import);
    message_free(((struct rop_message *)o)->message);
}

struct message_value *rop_message_value(struct rop_message *m) {
    return message_value(m->message);
}

// --- Attachment numbers ---

// Attachments that came without a number are numbered in their order.
static void number_attachments(struct rop_message *m) {
    GPtrArray *all = rop_message_value(m)->attachments;
    m->next_number = 0;
    for (guint i = 0; i < all->len; i++) {
        struct attachment_value *a = all->pdata[i];
        bag_set_long(a->bag, PidTagAttachNumber, (int32_t)i);
        m->next_number = i + 1;
    }
}

int rop_attachment_index(struct rop_message *m, uint32_t number) {
    GPtrArray *all = rop_message_value(m)->attachments;
    for (guint i = 0; i < all->len; i++) {
        const struct attachment_value *a = all->pdata[i];
        if ((uint32_t)bag_long(a->bag, PidTagAttachNumber, -1) == number)
            return (int)i;
    }
    return -1;
}

// --- Opening ---

// About how much memory a value takes; contents in the mailbox take none.
static size_t size_of(const struct message_value *v, unsigned depth) {
    size_t size = sizeof *v;
    for (unsigned i = 0; i < bag_count(v->bag); i++)
        size += sizeof(struct prop_value) + prop_size(bag_at(v->bag, i));
    size += v->recipients->len * 1024;
    for (guint i = 0; i < v->attachments->len; i++) {
        const struct attachment_value *a = v->attachments->pdata[i];
        size += 1024 + (a->data ? g_bytes_get_size(a->data) : 0);
        if (a->embedded && depth < ROP_EMBEDDED_DEPTH)
            size += size_of(a->embedded, depth + 1);
    }
    return size;
}

enum ec rop_message_account(struct rop_message *m) {
    return rop_account(&m->object, size_of(rop_message_value(m), 0));
}

// Takes the message, also when it fails.
static enum ec wrap(struct rop_logon *logon, struct rop_object *owner, struct message *message,
                    struct rop_message **out) {
    struct rop_message *m = g_new0(struct rop_message, 1);
    m->message = message;
    EC_TRY(
        rop_object_init(&m->object, ROP_MESSAGE, owner ? owner : &logon->object, destroy_message));
    number_attachments(m);
    enum ec ec = rop_message_account(m);
    if (ec != EC_OK) {
        rop_object_free(&m->object);
        return ec;
    }
    *out = m;
    return EC_OK;
}

static enum ec check_place(struct rop_logon *logon, struct mbox_tx *tx, uint64_t fid, uint64_t mid,
                           uint8_t mode, struct message_row *row) {
    uint64_t in;
    EC_TRY(message_get_row(tx, mid, &in, row));
    if (row->keywords)
        shared_text_unref(row->keywords);
    if (row->flags & MSG_SOFT_DELETED && !(mode & ROP_OPEN_SOFT_DELETED)) // MS-OXCMSG_R335
        return EC_NOT_FOUND;
    if (in != fid) { // MS-OXCMSG_R1477; a search folder shows what is elsewhere
        ARENA_AUTO arena = arena_new();
        struct folder_info info;
        EC_TRY(folder_get(tx, arena, fid, &info));
        if (info.type != FOLDER_TYPE_SEARCH)
            return EC_NOT_FOUND;
    }
    return mailbox_require_items(logon->mailbox, tx, in, RIGHTS_READ_ANY, RIGHTS_VISIBLE, &mid, 1);
}

enum ec rop_message_open(struct rop_logon *logon, uint64_t fid, uint64_t mid, uint8_t mode,
                         struct rop_message **out) {
    MBOX_TX_AUTO tx = NULL;
    struct message_row row;
    struct message *message;
    struct rop_message *m;
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(check_place(logon, tx, fid, mid, mode, &row));
    EC_TRY(message_open(tx, mid, &message));
    EC_TRY(wrap(logon, NULL, message, &m));
    m->fid = message_fid(message);
    m->mid = mid;
    m->is_associated = row.flags & MSG_ASSOCIATED;
    enum ec ec = mailbox_require_items(logon->mailbox, tx, m->fid, RIGHTS_EDIT_ANY,
                                       RIGHTS_EDIT_OWNED, &mid, 1);
    m->is_writable = (mode & ROP_READ_WRITE) && ec == EC_OK;
    if ((mode & ROP_BEST_ACCESS) == ROP_READ_WRITE && ec != EC_OK) {
        rop_object_free(&m->object);
        return EC_ACCESS_DENIED;
    }
    *out = m;
    return EC_OK;
}

// --- Making ---

static struct prop_bin own_entry_id(struct rop_session *s, struct arena *arena) {
    struct directory_object self = {.guid = s->who->guid};
    return entry_id_of_dn(arena, AB_TYPE_MAIL_USER, rop_dn_of(s, arena, &self));
}

// [MS-OXCMSG] 3.2.5.2: what a new message has.
static void initialize(struct rop_session *s, struct bag *bag) {
    ARENA_AUTO arena = arena_new();
    struct guid key = guid_new();
    filetime_t now = clock_now();
    struct prop_bin self = own_entry_id(s, arena);
    bag_set_long(bag, PidTagImportance, 1);                             // MS-OXCMSG_R341
    bag_set_str(bag, PidTagMessageClass, "IPM.Note");                   // MS-OXCMSG_R342
    bag_set_long(bag, PidTagSensitivity, 0);                            // MS-OXCMSG_R343
    bag_set_long(bag, PidTagTrustSender, 1);                            // MS-OXCMSG_R352
    bag_set_time(bag, PidTagCreationTime, now);                         // MS-OXCMSG_R356
    bag_set_time(bag, PidTagLastModificationTime, now);                 // MS-OXCMSG_R357
    bag_set_bytes(bag, PidTagSearchKey, key.bytes, sizeof key.bytes);   // MS-OXCMSG_R358
    bag_set_long(bag, PidTagMessageLocaleId, (int32_t)s->lcid_string);  // MS-OXCMSG_R359
    bag_set_long(bag, PidTagLocaleId, (int32_t)s->lcid_string);         // MS-OXCMSG_R365
    bag_set_str(bag, PidTagCreatorName, s->display_name);               // MS-OXCMSG_R360
    bag_set_bytes(bag, PidTagCreatorEntryId, self.data, self.len);      // MS-OXCMSG_R361
    bag_set_str(bag, PidTagLastModifierName, s->display_name);          // MS-OXCMSG_R362
    bag_set_bytes(bag, PidTagLastModifierEntryId, self.data, self.len); // MS-OXCMSG_R363
}

enum ec rop_message_create(struct rop_logon *logon, uint64_t fid, bool is_associated,
                           struct rop_message **out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    struct rop_message *m;
    EC_TRY(mbox_read(logon->mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &info));
    EC_TRY(mailbox_require(logon->mailbox, tx, fid, RIGHTS_CREATE));
    if (info.type == FOLDER_TYPE_SEARCH)
        return EC_SEARCH_FOLDER;
    struct message_value *value = message_value_new();
    initialize(logon->object.session, value->bag);
    // In the public store who has read it is not the message's own.
    uint32_t flags =
        MSG_DRAFT | (logon->is_public ? 0 : MSG_READ) | (is_associated ? MSG_ASSOCIATED : 0);
    EC_TRY(wrap(logon, NULL, message_of_value_take(logon->mbox, fid, flags, value), &m));
    m->fid = fid;
    m->is_associated = is_associated;
    m->is_writable = m->is_changed = true;
    *out = m;
    return EC_OK;
}

enum ec rop_message_of_attachment(struct rop_attachment *a, bool is_new, struct rop_message **out) {
    struct rop_logon *logon = a->object.logon;
    struct message_value *value = is_new ? message_value_new() : rop_value_copy(a->value->embedded);
    if (is_new)
        initialize(a->object.session, value->bag);
    struct message *message =
        message_of_value_take(logon->mbox, 0, MSG_READ | (is_new ? MSG_DRAFT : 0), value);
    EC_TRY(wrap(logon, &a->object, message, out));
    (*out)->fid = a->message->fid;
    (*out)->container = a;
    (*out)->is_writable = a->is_writable;
    (*out)->is_changed = is_new;
    (*out)->code_page = a->message->code_page;
    return EC_OK;
}

// --- Saving ---

struct save {
    struct rop_message *m;
    unsigned flags;
};

static enum ec save_new(struct mbox_tx *tx, void *ctx, uint64_t *mid_out) {
    struct save *s = ctx;
    EC_TRY(message_save(tx, s->m->message, 0));
    *mid_out = message_mid(s->m->message);
    return EC_OK;
}

static enum ec save_changed(struct mbox_tx *tx, void *ctx) {
    struct save *s = ctx;
    return message_save(tx, s->m->message, s->flags);
}

// What the server sets whenever a message is saved (MS-OXCMSG_R1890).
static void stamp(struct rop_message *m) {
    ARENA_AUTO arena = arena_new();
    struct rop_session *s = m->object.session;
    struct bag *bag = rop_message_value(m)->bag;
    filetime_t now = clock_now();
    struct prop_bin self = own_entry_id(s, arena);
    bag_set_time(bag, PidTagLastModificationTime, now);
    bag_set_time(bag, PidTagLocalCommitTime, now);
    bag_set_str(bag, PidTagLastModifierName, s->display_name);
    bag_set_bytes(bag, PidTagLastModifierEntryId, self.data, self.len);
    const char *subject = bag_str(bag, PidTagNormalizedSubject);
    if (subject && !bag_get(bag, PidTagConversationTopic))
        bag_set_str(bag, PidTagConversationTopic, subject);
}

static enum ec save_embedded(struct rop_message *m) {
    struct rop_attachment *a = m->container;
    struct attachment_value *value = a->value;
    message_value_free(value->embedded);
    value->embedded = rop_value_copy(rop_message_value(m));
    g_clear_pointer(&value->data, g_bytes_unref);
    value->external = (struct prop_external){0};
    bag_set_long(value->bag, PidTagAttachMethod, 5); // afEmbeddedMessage
    a->is_changed = true;
    return EC_OK;
}

enum ec rop_message_save(struct rop_message *m, unsigned flags) {
    struct save s = {m, flags};
    struct mailbox *mailbox = m->object.logon->mailbox;
    enum ec ec;
    if (!m->is_changed && !m->import && (m->mid || m->container))
        return EC_OK;
    stamp(m);
    if (m->container)
        ec = save_embedded(m);
    else if (m->import)
        ec = import_save(m, size_of(rop_message_value(m), 0));
    else if (m->mid == 0)
        ec = mailbox_put_message(mailbox, m->fid, size_of(rop_message_value(m), 0), save_new, &s);
    else
        ec = mailbox_edit_message(mailbox, m->fid, m->mid, save_changed, &s);
    EC_TRY(ec);
    if (!m->container)
        m->mid = message_mid(m->message);
    m->is_changed = false;
    return EC_OK;
}
