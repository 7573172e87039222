// Copying properties and what an object contains to another of its kind ([MS-OXCPRPT] 2.2.10,
// 2.2.11, 3.2.5.7, 3.2.5.8).
#include "mailbox/mailbox.h"
#include "mapi/named.h"
#include "protocol/rop/props_internal.h"

enum { COPY_MOVE = 0x01, COPY_NO_OVERWRITE = 0x02, COPY_KNOWN = 0x03 };
#define CONTAINERS (ROP_IS(ROP_FOLDER) | ROP_IS(ROP_MESSAGE) | ROP_IS(ROP_ATTACHMENT))

struct copy {
    struct rop_call *call;
    struct rop_object *from, *to;
    uint8_t flags;
    GArray *problems; // NULL: what cannot be copied is left out
    struct rop_props source, target;
    struct mbox_tx *from_tx, *to_tx;
};

// --- Reading both sides ---

static void copy_end(struct copy *x) {
    rop_props_end(&x->source);
    rop_props_end(&x->target);
    mbox_read_end(x->from_tx);
    mbox_read_end(x->to_tx);
    x->from_tx = x->to_tx = NULL;
}

static enum ec copy_begin(struct copy *x) {
    struct arena *arena = x->call->arena;
    EC_TRY(mbox_read(x->from->logon->mbox, &x->from_tx));
    EC_TRY(mbox_read(x->to->logon->mbox, &x->to_tx));
    EC_TRY(rop_props_begin(x->from, x->from_tx, arena, &x->source));
    return rop_props_begin(x->to, x->to_tx, arena, &x->target);
}

// --- Named properties between two mailboxes ---

struct rename {
    struct prop_name name;
    uint16_t id;
};

static enum ec find_id(struct mbox_tx *tx, void *ctx) {
    struct rename *r = ctx;
    return mbox_name_to_id(tx, &r->name, true, &r->id);
}

// The tag of the same property in the target's mailbox.
static enum ec target_tag(struct copy *x, proptag_t tag, proptag_t *out) {
    struct rename r;
    *out = tag;
    if (!PROP_IS_NAMED(tag) || x->from->logon->mbox == x->to->logon->mbox)
        return EC_OK;
    EC_TRY(mbox_id_to_name(x->from_tx, x->call->arena, PROP_ID(tag), &r.name));
    EC_TRY(mbox_write(x->to->logon->mbox, find_id, &r));
    *out = PROP_TAG(r.id, PROP_TYPE(tag));
    return EC_OK;
}

// --- Properties ---

static bool has_value(struct copy *x, proptag_t tag) {
    struct prop_value v;
    enum ec ec = rop_props_get(&x->target, tag, 1, &v);
    return ec == EC_OK || ec == EC_NO_MEMORY;
}

// The values to set, and where each stands in the request.
struct values {
    GArray *values, *indexes; // of struct prop_value, uint16_t
};

static enum ec collect(struct copy *x, proptag_t tag, unsigned index, struct values *out) {
    struct prop_value v;
    proptag_t target;
    uint16_t at = (uint16_t)index;
    EC_TRY(rop_props_get(&x->source, tag, 0, &v));
    EC_TRY(target_tag(x, v.tag, &target));
    v.tag = target;
    if (x->flags & COPY_NO_OVERWRITE && has_value(x, target)) // MS-OXCPRPT_R879
        return EC_OK;
    g_array_append_val(out->values, v);
    g_array_append_val(out->indexes, at);
    return EC_OK;
}

static void note(struct copy *x, unsigned index, proptag_t tag, enum ec ec) {
    struct rop_problem p = {(uint16_t)index, tag, ec};
    if (x->problems)
        g_array_append_val(x->problems, p);
}

// Sets what was collected; the transactions of reading are over then.
static enum ec apply(struct copy *x, const struct values *v, const proptag_t *tags) {
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(struct rop_problem));
    if (v->values->len == 0)
        return EC_OK;
    EC_TRY(rop_set_props(x->to, (const struct prop_value *)(void *)v->values->data, v->values->len,
                         problems));
    for (guint i = 0; i < problems->len; i++) {
        const struct rop_problem *p = &g_array_index(problems, struct rop_problem, i);
        unsigned index = g_array_index(v->indexes, uint16_t, p->index);
        note(x, index, tags[index], p->ec);
    }
    return EC_OK;
}

static enum ec copy_tags(struct copy *x, const proptag_t *tags, unsigned n) {
    struct values v = {g_array_new(FALSE, FALSE, sizeof(struct prop_value)),
                       g_array_new(FALSE, FALSE, sizeof(uint16_t))};
    enum ec ec = copy_begin(x);
    for (unsigned i = 0; ec == EC_OK && i < n; i++) {
        enum ec one = PROP_TYPE(tags[i]) == PT_OBJECT ? EC_OK : collect(x, tags[i], i, &v);
        if (one != EC_OK)
            note(x, i, tags[i], one);
    }
    copy_end(x);
    if (ec == EC_OK)
        ec = apply(x, &v, tags);
    g_array_unref(v.values);
    g_array_unref(v.indexes);
    if (ec == EC_OK && x->flags & COPY_MOVE) // MS-OXCPRPT_R501
        ec = rop_remove_props(x->from, tags, n, NULL);
    return ec;
}

// --- What a message contains ---

static enum ec copy_attachments(struct copy *x) {
    struct rop_message *from = (struct rop_message *)x->from, *to = (struct rop_message *)x->to;
    GPtrArray *all = rop_message_value(from)->attachments;
    MBOX_TX_AUTO tx = NULL;
    EC_TRY(mbox_read(x->from->logon->mbox, &tx));
    for (guint i = 0; i < all->len; i++) {
        GPtrArray *target = rop_message_value(to)->attachments;
        if (target->len >= ROP_MAX_ATTACHMENTS)
            return EC_TOO_MANY_ATTACHMENTS;
        struct attachment_value *a = rop_attachment_copy(all->pdata[i]);
        enum ec ec = rop_attachment_detach(tx, a);
        if (ec != EC_OK) {
            attachment_value_free(a);
            return ec;
        }
        bag_set_long(a->bag, PidTagAttachNumber, (int32_t)to->next_number++);
        g_ptr_array_add(target, a);
    }
    to->is_changed = true;
    return rop_message_account(to);
}

static enum ec copy_recipients(struct copy *x) {
    struct rop_message *from = (struct rop_message *)x->from, *to = (struct rop_message *)x->to;
    GPtrArray *all = rop_message_value(from)->recipients;
    GPtrArray *target = rop_message_value(to)->recipients;
    if (all->len > ROP_MAX_RECIPIENTS)
        return EC_TOO_MANY_RECIPIENTS;
    if (x->flags & COPY_NO_OVERWRITE && target->len > 0)
        return EC_OK;
    g_ptr_array_set_size(target, 0);
    for (guint i = 0; i < all->len; i++)
        g_ptr_array_add(target, bag_copy(all->pdata[i]));
    to->is_changed = true;
    return rop_message_account(to);
}

static enum ec copy_embedded(struct copy *x) {
    struct rop_attachment *from = (struct rop_attachment *)x->from;
    struct rop_attachment *to = (struct rop_attachment *)x->to;
    MBOX_TX_AUTO tx = NULL;
    if (!from->value->embedded)
        return EC_OK;
    EC_TRY(mbox_read(x->from->logon->mbox, &tx));
    struct message_value *copy = rop_value_copy(from->value->embedded);
    enum ec ec = rop_value_detach(tx, copy);
    if (ec != EC_OK) {
        message_value_free(copy);
        return ec;
    }
    message_value_free(to->value->embedded);
    to->value->embedded = copy;
    to->is_changed = true;
    return EC_OK;
}

// --- What a folder contains ---

#define PidTagContainerContents_ PROP_TAG(0x360F, PT_OBJECT)
#define PidTagContainerHierarchy_ PROP_TAG(0x360E, PT_OBJECT)

static bool is_among(const struct columns *tags, proptag_t tag) {
    for (unsigned i = 0; i < tags->n; i++)
        if (PROP_ID(tags->tags[i]) == PROP_ID(tag))
            return true;
    return false;
}

static enum ec copy_folder_messages(struct rop_folder *from, struct rop_folder *to) {
    struct mailbox *m = from->object.logon->mailbox;
    struct mailbox_view *view;
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    EC_TRY(mailbox_view_open(m, from->fid, &view));
    for (unsigned i = 0; i < mailbox_view_count(view); i++)
        g_array_append_val(mids, mailbox_view_row(view, i)->mid);
    mailbox_view_free(view);
    const uint64_t *all = (const uint64_t *)(void *)mids->data;
    if (mids->len == 0)
        return EC_OK;
    if (from->object.logon->mbox == to->object.logon->mbox)
        return mailbox_copy(m, from->fid, all, mids->len, to->fid, NULL);
    return mailbox_copy_to(m, from->fid, all, mids->len, to->object.logon->mailbox, to->fid, NULL);
}

static enum ec list_folders(struct rop_folder *f, bool is_deep, GArray *out) {
    ARENA_AUTO arena = arena_new();
    MBOX_TX_AUTO tx = NULL;
    struct folder_list list;
    EC_TRY(mbox_read(f->object.logon->mbox, &tx));
    EC_TRY(folder_list(tx, arena, f->fid, is_deep, &list));
    for (unsigned i = 0; i < list.n; i++)
        g_array_append_val(out, list.items[i].fid);
    return EC_OK;
}

static enum ec copy_subfolders(struct rop_folder *from, struct rop_folder *to) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (from->object.logon->mbox != to->object.logon->mbox)
        return EC_NOT_SUPPORTED;
    EC_TRY(list_folders(from, false, fids));
    for (guint i = 0; i < fids->len; i++) {
        uint64_t copy;
        EC_TRY(mailbox_copy_folder(from->object.logon->mailbox, g_array_index(fids, uint64_t, i),
                                   to->fid, NULL, true, &copy));
    }
    return EC_OK;
}

// MS-OXCPRPT_R89602
static enum ec check_cycle(struct rop_folder *from, struct rop_folder *to) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (from->object.logon->mbox != to->object.logon->mbox)
        return EC_OK;
    if (from->fid == to->fid)
        return EC_FOLDER_CYCLE;
    EC_TRY(list_folders(from, true, fids));
    for (guint i = 0; i < fids->len; i++)
        if (g_array_index(fids, uint64_t, i) == to->fid)
            return EC_FOLDER_CYCLE;
    return EC_OK;
}

// --- The ROPs ---

// MS-OXCPRPT_R896
static enum ec check_message_cycle(const struct rop_object *from, const struct rop_object *to) {
    for (const struct rop_object *o = to; o; o = o->owner)
        if (o == from)
            return EC_LOOP_DETECTED;
    return EC_OK;
}

static enum ec begin(struct copy *x) {
    struct rop_call *c = x->call;
    EC_TRY(rop_in(c, CONTAINERS, &x->from));
    EC_TRY(rop_dest(c, CONTAINERS, &x->to));
    if (x->from->kind != x->to->kind) // MS-OXCPRPT_R508, R821
        return EC_NOT_SUPPORTED;
    if (x->flags & ~COPY_KNOWN) // MS-OXCPRPT_R880, R5070505
        return EC_INVALID_PARAMETER;
    if (x->from->kind == ROP_FOLDER && x->flags & COPY_MOVE) // MS-OXCPRPT_R881, R5070510
        return EC_NOT_SUPPORTED;
    if (x->to->kind == ROP_MESSAGE && !((struct rop_message *)x->to)->is_writable)
        return EC_ACCESS_DENIED;
    if (x->to->kind == ROP_ATTACHMENT && !((struct rop_attachment *)x->to)->is_writable)
        return EC_ACCESS_DENIED;
    return EC_OK;
}

enum ec rop_copy_properties(struct rop_call *c) {
    struct copy x = {.call = c};
    wire_u8(c->r); // WantAsynchronous
    x.flags = wire_u8(c->r);
    struct columns tags = columns_read(c->r, c->arena);
    EC_TRY(begin(&x));
    g_autoptr(GArray) problems = g_array_new(FALSE, FALSE, sizeof(struct rop_problem));
    x.problems = problems;
    EC_TRY(copy_tags(&x, tags.tags, tags.n));
    if (x.from->kind == ROP_MESSAGE && is_among(&tags, PidTagMessageRecipients))
        EC_TRY(copy_recipients(&x));
    if (x.from->kind == ROP_MESSAGE && is_among(&tags, PidTagMessageAttachments)) {
        EC_TRY(check_message_cycle(x.from, x.to));
        EC_TRY(copy_attachments(&x));
    }
    if (x.from->kind == ROP_ATTACHMENT && is_among(&tags, PidTagAttachDataObject))
        EC_TRY(copy_embedded(&x));
    rop_put_problems(c->w, problems);
    return EC_OK;
}

// What is the object's own and never goes with a copy.
static bool stays(proptag_t tag) {
    switch (PROP_ID(tag)) {
    case PROP_ID(PidTagDisplayName): // of folders, which keep their names
    case PROP_ID(PidTagMid):
    case PROP_ID(PidTagFolderId):
    case PROP_ID(PidTagMessageFlags):
    case PROP_ID(PidTagMessageStatus):
    case PROP_ID(PidTagMessageDeliveryTime):
    case PROP_ID(PidTagCreationTime):
    case PROP_ID(PidTagLastModificationTime):
    case PROP_ID(PidTagSourceKey):
    case PROP_ID(PidTagSearchKey):
    case PROP_ID(PidTagNativeBody):
    case PROP_ID(PidTagCreatorName):
    case PROP_ID(PidTagCreatorEntryId):
    case PROP_ID(PidTagLastModifierName):
    case PROP_ID(PidTagLastModifierEntryId):
        return true;
    default:
        return false;
    }
}

// The tags that RopCopyTo copies: what the object stores, not what is made of it.
static enum ec own_tags(struct copy *x, const struct columns *excluded, GArray *out) {
    const struct bag *bag = NULL;
    BAG_AUTO stored = NULL;
    if (x->from->kind == ROP_MESSAGE) {
        bag = rop_message_value((struct rop_message *)x->from)->bag;
    } else if (x->from->kind == ROP_ATTACHMENT) {
        bag = ((struct rop_attachment *)x->from)->value->bag;
    } else {
        MBOX_TX_AUTO tx = NULL;
        EC_TRY(mbox_read(x->from->logon->mbox, &tx));
        EC_TRY(folder_get_stored_props(tx, ((struct rop_folder *)x->from)->fid, &stored));
        bag = stored;
    }
    for (unsigned i = 0; i < bag_count(bag); i++) {
        proptag_t tag = bag_at(bag, i)->tag;
        bool is_name = PROP_ID(tag) == PROP_ID(PidTagDisplayName) && x->from->kind != ROP_FOLDER;
        if ((is_name || !stays(tag)) && !is_among(excluded, tag))
            g_array_append_val(out, tag);
    }
    if (x->from->kind == ROP_ATTACHMENT && !is_among(excluded, PidTagAttachDataBinary)) {
        proptag_t tag = PidTagAttachDataBinary;
        g_array_append_val(out, tag);
    }
    return EC_OK;
}

static enum ec copy_contained(struct copy *x, const struct columns *excluded) {
    if (x->from->kind == ROP_ATTACHMENT)
        return is_among(excluded, PidTagAttachDataObject) ? EC_OK : copy_embedded(x);
    if (x->from->kind == ROP_MESSAGE) {
        if (!is_among(excluded, PidTagMessageRecipients))
            EC_TRY(copy_recipients(x));
        return is_among(excluded, PidTagMessageAttachments) ? EC_OK : copy_attachments(x);
    }
    struct rop_folder *from = (struct rop_folder *)x->from, *to = (struct rop_folder *)x->to;
    if (!is_among(excluded, PidTagContainerContents_))
        EC_TRY(copy_folder_messages(from, to));
    return is_among(excluded, PidTagContainerHierarchy_) ? EC_OK : copy_subfolders(from, to);
}

enum ec rop_copy_to(struct rop_call *c) {
    struct copy x = {.call = c};
    wire_u8(c->r); // WantAsynchronous
    bool with_contained = wire_u8(c->r);
    x.flags = wire_u8(c->r);
    struct columns excluded = columns_read(c->r, c->arena);
    EC_TRY(begin(&x));
    if (x.from->kind == ROP_FOLDER && (x.from->logon->is_public || x.to->logon->is_public))
        return EC_NOT_SUPPORTED; // MS-OXCPRPT_R5070512
    if (x.from->kind == ROP_FOLDER)
        EC_TRY(check_cycle((struct rop_folder *)x.from, (struct rop_folder *)x.to));
    else
        EC_TRY(check_message_cycle(x.from, x.to));
    g_autoptr(GArray) tags = g_array_new(FALSE, FALSE, sizeof(proptag_t));
    EC_TRY(own_tags(&x, &excluded, tags));
    EC_TRY(copy_tags(&x, (const proptag_t *)(void *)tags->data, tags->len));
    if (with_contained) // MS-OXCPRPT_R181
        EC_TRY(copy_contained(&x, &excluded));
    wire_put_u16(c->w, 0); // PropertyProblemCount: only what can be written is copied
    return EC_OK;
}
