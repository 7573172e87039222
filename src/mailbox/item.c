// Items opened, read, changed and saved.
#include "mailbox/item_internal.h"

#include <string.h>

#include "base/text.h"
#include "convert/body.h"
#include "convert/convert.h"
#include "mailbox/public_read.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"

#define ATTACHMENTS_MAX 1024

// --- Names ---

enum ec mailbox_replica(struct mailbox *m, struct guid *out) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct mbox_info info;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(mbox_get_info(tx, arena, &info));
    *out = info.replica;
    return EC_OK;
}

struct new_name {
    const struct prop_name *name;
    uint16_t id;
};

static enum ec change_new_name(struct mbox_tx *tx, void *ctx) {
    struct new_name *n = ctx;
    return mbox_name_to_id(tx, n->name, true, &n->id);
}

enum ec mailbox_name_to_id(struct mailbox *m, const struct prop_name *name, bool create,
                           uint16_t *out) {
    *out = named_fixed_id(name);
    if (*out)
        return EC_OK;
    {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(m->mbox, &tx));
        enum ec ec = mbox_name_to_id(tx, name, false, out);
        if (ec != EC_NOT_FOUND || !create)
            return ec;
    }
    struct new_name n = {.name = name};
    EC_TRY(mbox_write(m->mbox, change_new_name, &n));
    *out = n.id;
    return EC_OK;
}

enum ec mailbox_id_to_name(struct mailbox *m, struct arena *arena, uint16_t id,
                           struct prop_name *out) {
    if (named_fixed_name(id, out))
        return EC_OK;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    return mbox_id_to_name(tx, arena, id, out);
}

// --- Opening ---

enum ec item_batch_begin(struct mailbox *m, struct item_batch **out) {
    struct mbox_tx *tx;
    EC_TRY(mbox_read(m->mbox, &tx));
    *out = g_new0(struct item_batch, 1);
    (*out)->m = m;
    (*out)->tx = tx;
    return EC_OK;
}

void item_batch_end(struct item_batch *b) {
    if (!b)
        return;
    mbox_read_end(b->tx);
    g_free(b);
}

// Which folder, what rights there, whose it is.
static enum ec look_at(struct item *i, uint64_t mid, bool with_deleted) {
    struct mbox_tx *tx = i->batch->tx;
    struct guid creator = {{0}};
    EC_TRY(message_get_row(tx, mid, &i->fid, &i->row));
    if ((i->row.flags & MSG_SOFT_DELETED) && !(with_deleted && i->m->is_owner))
        return EC_NOT_FOUND;
    EC_TRY(rights_of(i->m, tx, i->fid, &i->rights));
    if (!i->m->is_owner) {
        uint64_t fid;
        EC_TRY(message_get_creator(tx, mid, &fid, &creator));
    }
    i->is_own = i->m->is_owner || rights_is_own(i->m, &creator);
    if (!(i->rights & RIGHTS_READ_ANY) && !(i->is_own && (i->rights & RIGHTS_VISIBLE)))
        return i->rights & RIGHTS_VISIBLE ? EC_ACCESS_DENIED : EC_NOT_FOUND;
    return i->m->is_public ? read_state_apply(i->m, tx, i->fid, &i->row) : EC_OK;
}

static enum ec load(struct item *i, uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct prop_value cn;
    EC_TRY(message_open(i->batch->tx, mid, &i->message));
    i->value = message_value(i->message);
    EC_TRY(message_get_prop(i->batch->tx, i->message, arena, PidTagChangeNumber, 0, &cn));
    i->cn = short_id_of_value(cn.i8).counter;
    return EC_OK;
}

static enum ec open_in(struct item_batch *b, bool is_owned, uint64_t mid, bool with_deleted,
                       struct item **out) {
    struct item *i = g_new0(struct item, 1);
    i->m = b->m;
    i->batch = b;
    enum ec ec = look_at(i, mid, with_deleted);
    if (ec == EC_OK)
        ec = load(i, mid);
    if (ec != EC_OK) {
        item_close(i);
        return ec;
    }
    i->has_own_batch = is_owned;
    *out = i;
    return EC_OK;
}

enum ec item_batch_open(struct item_batch *b, uint64_t mid, struct item **out) {
    return open_in(b, false, mid, false, out);
}

static enum ec open_alone(struct mailbox *m, uint64_t mid, bool with_deleted, struct item **out) {
    struct item_batch *b;
    EC_TRY(item_batch_begin(m, &b));
    enum ec ec = open_in(b, true, mid, with_deleted, out);
    if (ec != EC_OK)
        item_batch_end(b);
    return ec;
}

enum ec item_open(struct mailbox *m, uint64_t mid, struct item **out) {
    return open_alone(m, mid, false, out);
}

enum ec item_open_deleted(struct mailbox *m, uint64_t mid, struct item **out) {
    return open_alone(m, mid, true, out);
}

struct item *item_of_value(struct mailbox *m, struct message_value *value) {
    struct item *i = g_new0(struct item, 1);
    i->m = m;
    i->value = value;
    i->rights = RIGHTS_ALL;
    i->is_own = true;
    return i;
}

void item_close(struct item *i) {
    if (!i)
        return;
    message_free(i->message);
    if (i->row.keywords)
        shared_text_unref(i->row.keywords);
    if (i->has_own_batch)
        item_batch_end(i->batch);
    g_free(i);
}

struct mbox_tx *item_tx(struct item *i) {
    while (i->parent)
        i = i->parent;
    return i->batch ? i->batch->tx : NULL;
}

// A message inside an attachment of a message inside an attachment: still in its MIME form.
static enum ec open_nested(struct message_value *value, unsigned attachment,
                           struct message_value **out) {
    struct attachment_value *a = value->attachments->pdata[attachment];
    if (bag_long(a->bag, PidTagAttachMethod, 0) != 5)
        return EC_NOT_SUPPORTED;
    if (!a->embedded) {
        if (!a->data)
            return EC_NOT_FOUND;
        struct message_value *inner;
        EC_TRY(item_value_of_mime(a->data, &inner));
        enum ec ec = item_value_inline(inner, a->data);
        if (ec != EC_OK) {
            message_value_free(inner);
            return ec;
        }
        a->embedded = inner;
        g_clear_pointer(&a->data, g_bytes_unref);
    }
    *out = a->embedded;
    return EC_OK;
}

enum ec item_open_embedded(struct item *parent, unsigned attachment, struct item **out) {
    struct message_value *value;
    if (attachment >= parent->value->attachments->len)
        return EC_NOT_FOUND;
    if (parent->message)
        EC_TRY(message_open_embedded(parent->batch->tx, parent->message, attachment, &value));
    else
        EC_TRY(open_nested(parent->value, attachment, &value));
    *out = item_of_value(parent->m, value);
    (*out)->parent = parent;
    (*out)->rights = parent->rights;
    (*out)->is_own = parent->is_own;
    (*out)->fid = parent->fid;
    return EC_OK;
}

// --- What it is ---

struct mailbox *item_mailbox(struct item *i) {
    return i->m;
}

uint64_t item_mid(const struct item *i) {
    return i->message ? message_mid(i->message) : 0;
}

uint64_t item_fid(const struct item *i) {
    return i->fid;
}

uint64_t item_change(const struct item *i) {
    return i->cn;
}

uint32_t item_flags(const struct item *i) {
    return i->row.flags;
}

uint64_t item_size(const struct item *i) {
    ARENA_AUTO arena = arena_new();
    struct prop_value v;
    if (i->message && message_get_prop(i->batch->tx, i->message, arena, PidTagMessageSizeExtended,
                                       0, &v) == EC_OK)
        return (uint64_t)v.i8;
    return 0;
}

const char *item_keywords(const struct item *i) {
    return i->row.keywords;
}

uint32_t item_rights(const struct item *i) {
    return i->rights;
}

bool item_is_own(const struct item *i) {
    return i->is_own;
}

const char *item_class(struct item *i) {
    const char *class = bag_str(i->value->bag, PidTagMessageClass);
    return class ? class : "IPM.Note";
}

const struct message_value *item_value(struct item *i) {
    return i->value;
}

// --- Reading ---

// What the store computes for stored messages.
static bool value_computed(const struct message_value *value, struct arena *arena, proptag_t tag,
                           struct prop_value *out) {
    int32_t kind = tag == PidTagDisplayTo    ? 1
                   : tag == PidTagDisplayCc  ? 2
                   : tag == PidTagDisplayBcc ? 3
                                             : 0;
    if (tag == PidTagHasAttachments) {
        *out = prop_bool(tag, value->attachments->len > 0);
        return true;
    }
    if (!kind)
        return false;
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < value->recipients->len; i++) {
        const struct bag *r = value->recipients->pdata[i];
        const char *name = bag_str(r, PidTagDisplayName);
        if ((bag_long(r, PidTagRecipientType, 1) & 0xF) != kind)
            continue;
        if (!name)
            name = bag_str(r, PidTagEmailAddress);
        g_string_append_printf(text, "%s%s", text->len ? "; " : "", name ? name : "");
    }
    *out = prop_str(tag, arena_strndup(arena, text->str, text->len));
    return true;
}

static enum ec read_value(struct mbox_tx *tx, struct arena *arena, const struct prop_value *v,
                          size_t max, struct prop_value *out) {
    if (!v->is_external) {
        if (max > 0 && prop_size(v) > max)
            return EC_MESSAGE_TOO_BIG;
        *out = prop_copy(arena, v);
        return EC_OK;
    }
    if (max > 0 && v->external.len > max)
        return EC_MESSAGE_TOO_BIG;
    if (!tx)
        return EC_NOT_FOUND;
    g_autoptr(GBytes) bytes = NULL;
    EC_TRY(reader_read_external(tx, &v->external, &bytes));
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    if (PROP_TYPE(v->tag) == PT_UNICODE)
        *out = prop_str(v->tag, text_clean(arena, data ? data : "", len, NULL));
    else
        *out = prop_bytes(v->tag, arena_memdup(arena, data, len), (uint32_t)len);
    return EC_OK;
}

enum ec item_get(struct item *i, struct arena *arena, proptag_t tag, size_t max,
                 struct prop_value *out) {
    if (i->message)
        return message_get_prop(i->batch->tx, i->message, arena, tag, max, out);
    // Ids of names that are the value's own mean nothing to others.
    if (i->value->names_are_local && PROP_ID(tag) >= NAMED_ID_FIRST_OWN)
        return EC_NOT_FOUND;
    if (value_computed(i->value, arena, tag, out))
        return EC_OK;
    const struct prop_value *v = bag_get(i->value->bag, tag);
    struct mbox_tx *tx = item_tx(i);
    if (!v && body_has(tag)) {
        struct convert_source source = {reader_read_external, tx};
        EC_TRY(body_get(i->value->bag, tx ? &source : NULL, arena, tag, out));
        return max > 0 && prop_size(out) > max ? EC_MESSAGE_TOO_BIG : EC_OK;
    }
    return v ? read_value(tx, arena, v, max, out) : EC_NOT_FOUND;
}

static struct attachment_value *attachment_at(struct item *i, unsigned attachment) {
    return attachment < i->value->attachments->len ? i->value->attachments->pdata[attachment]
                                                   : NULL;
}

enum ec item_attachment_data(struct item *i, unsigned attachment, GBytes **out) {
    struct attachment_value *a = attachment_at(i, attachment);
    if (!a)
        return EC_NOT_FOUND;
    if (a->data) {
        *out = g_bytes_ref(a->data);
        return EC_OK;
    }
    struct mbox_tx *tx = item_tx(i);
    if (a->external.len > 0 && tx)
        return reader_read_external(tx, &a->external, out);
    *out = g_bytes_new(NULL, 0);
    return EC_OK;
}

enum ec item_attachment_get(struct item *i, struct arena *arena, unsigned attachment, proptag_t tag,
                            struct prop_value *out) {
    struct attachment_value *a = attachment_at(i, attachment);
    const struct prop_value *v = a ? bag_get(a->bag, tag) : NULL;
    return v ? read_value(item_tx(i), arena, v, 0, out) : EC_NOT_FOUND;
}

enum ec item_mime(struct item *i, GBytes **out) {
    if (i->message && !i->is_changed) {
        struct mailbox_reader *reader;
        EC_TRY(mailbox_reader_open(i->m, i->fid, &reader));
        enum ec ec = mailbox_read_mime(reader, item_mid(i), out);
        mailbox_reader_close(reader);
        return ec;
    }
    struct mbox_tx *tx = item_tx(i);
    struct convert_source source = {reader_read_external, tx};
    return convert_message_to_mime(i->value, tx ? &source : NULL, true, out);
}

// --- Changing ---

enum ec item_set(struct item *i, const struct prop_value *v) {
    i->is_changed = true;
    if (i->message)
        return message_set_prop(i->message, v);
    body_replaced(i->value->bag, v->tag, &i->bodies_set);
    return bag_set(i->value->bag, v);
}

void item_remove(struct item *i, proptag_t tag) {
    i->is_changed = true;
    if (i->message)
        message_remove_prop(i->message, tag);
    else
        bag_remove(i->value->bag, tag);
}

void item_set_recipients_take(struct item *i, int32_t type, GPtrArray *bags) {
    GPtrArray *all = i->value->recipients;
    i->is_changed = true;
    for (guint k = all->len; k-- > 0;)
        if ((bag_long(all->pdata[k], PidTagRecipientType, 1) & 0xF) == type)
            g_ptr_array_remove_index(all, k);
    for (guint k = 0; k < bags->len; k++)
        g_ptr_array_add(all, bags->pdata[k]);
    g_ptr_array_set_free_func(bags, NULL);
    g_ptr_array_unref(bags);
}

void item_add_recipient_take(struct item *i, struct bag *recipient) {
    i->is_changed = true;
    g_ptr_array_add(i->value->recipients, recipient);
}

enum ec item_add_attachment_take(struct item *i, struct attachment_value *a, unsigned *index_out) {
    if (i->value->attachments->len >= ATTACHMENTS_MAX) {
        attachment_value_free(a);
        return EC_TOO_MANY_OBJECTS;
    }
    i->is_changed = true;
    if (index_out)
        *index_out = i->value->attachments->len;
    g_ptr_array_add(i->value->attachments, a);
    return EC_OK;
}

enum ec item_remove_attachment(struct item *i, unsigned index) {
    if (!attachment_at(i, index))
        return EC_NOT_FOUND;
    i->is_changed = true;
    g_ptr_array_remove_index(i->value->attachments, index);
    return EC_OK;
}

// --- Saving ---

struct save {
    struct item *i;
    unsigned flags;
    struct mailbox_limits limits;
};

static enum ec change_save(struct mbox_tx *tx, void *ctx) {
    struct save *s = ctx;
    struct item *i = s->i;
    ARENA_AUTO arena = arena_new();
    struct mbox_usage before;
    struct message *now;
    struct prop_value cn;
    uint64_t mid = item_mid(i);
    EC_TRY(rights_require_items(i->m, tx, i->fid, RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, &mid, 1));
    enum ec ec = message_open(tx, mid, &now);
    if (ec == EC_NOT_FOUND)
        return EC_OBJECT_DELETED;
    EC_TRY(ec);
    bool is_moved = message_fid(now) != i->fid;
    ec = message_get_prop(tx, now, arena, PidTagChangeNumber, 0, &cn);
    message_free(now);
    EC_TRY(ec);
    if (is_moved)
        return EC_OBJECT_DELETED;
    // Asked here, since a write may be tried twice with the same item.
    if (short_id_of_value(cn.i8).counter != i->cn && !(s->flags & ITEM_SAVE_FORCE))
        return EC_OBJECT_MODIFIED;
    mbox_get_usage(tx, &before);
    message_value(i->message); // notes the change
    EC_TRY(message_save(tx, i->message, MESSAGE_SAVE_FORCE));
    return quota_settled(&s->limits, tx, &before);
}

// After a save: everything anew in a snapshot that has it.
static enum ec reopen(struct item *i) {
    uint64_t mid = item_mid(i);
    struct mbox_tx *tx;
    EC_TRY(mbox_read(i->m->mbox, &tx));
    mbox_read_end(i->batch->tx);
    i->batch->tx = tx;
    g_clear_pointer(&i->message, message_free);
    if (i->row.keywords)
        shared_text_unref(i->row.keywords);
    i->row.keywords = NULL;
    i->value = NULL;
    i->is_changed = false;
    EC_TRY(look_at(i, mid, true));
    return load(i, mid);
}

enum ec item_save(struct item *i, unsigned flags) {
    struct save s = {.i = i, .flags = flags};
    if (!i->message)
        return EC_NOT_SUPPORTED;
    if (!i->is_changed)
        return EC_OK;
    EC_TRY(mailbox_limits(i->m->service, mbox_guid(i->m->mbox), &s.limits));
    item_value_touch(i->m, i->value->bag);
    EC_TRY(mbox_write(i->m->mbox, change_save, &s));
    return reopen(i);
}
