// CreateItem and SendItem ([MS-OXWSCORE] 3.1.4.2, 3.1.4.8, [MS-OXWSMSG], [MS-OXWSCONT],
// [MS-OXWSTASK], [MS-OXWSPOST], [MS-OXWSDLIST]).
#include <string.h>

#include "base/clock.h"
#include "mailbox/receipt.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/op_items.h"

enum { MESSAGE_READ = 1, MESSAGE_UNSENT = 8 }; // PidTagMessageFlags

struct creation {
    struct ews_call *call;
    bool has_disposition, has_folder;
    enum ews_disposition disposition;
    struct ews_folder_ref folder;
};

static const struct {
    const char *element;
    enum ews_class class;
    const char *message_class;
    uint64_t folder; // by default
} kinds[] = {
    {"Message", EWS_MESSAGE, "IPM.Note", FID_DRAFTS},
    {"Item", EWS_ITEM, "IPM.Note", FID_DRAFTS},
    {"PostItem", EWS_POST, "IPM.Post", FID_INBOX},
    {"Contact", EWS_CONTACT, "IPM.Contact", FID_CONTACTS},
    {"DistributionList", EWS_LIST, "IPM.DistList", FID_CONTACTS},
    {"Task", EWS_TASK, "IPM.Task", FID_TASKS},
    {"CalendarItem", EWS_CALENDAR, "IPM.Appointment", FID_CALENDAR},
};

bool ews_read_disposition(const struct ews_node *node, enum ews_disposition *out) {
    static const char *const names[] = {"SaveOnly", "SendOnly", "SendAndSaveCopy"};
    const char *text = ews_attribute(node, "MessageDisposition");
    for (unsigned i = 0; text && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(text, names[i]) != 0)
            continue;
        *out = (enum ews_disposition)i;
        return true;
    }
    return false;
}

// --- Filling in ---

static void set_if_none(struct message_value *value, enum item_who who,
                        const struct item_person *person) {
    struct item_person old;
    if (!item_person_get(value->bag, who, &old))
        item_person_set(value->bag, who, person);
}

// A message comes from whoever makes it, as long as nothing else is said.
static void complete(struct ews_call *call, struct message_value *value, enum ews_class class) {
    const struct principal *who = call->principal;
    struct item_person self = {.name = who->display_name, .address = who->address};
    struct bag *bag = value->bag;
    if (class & (EWS_MESSAGE | EWS_POST | EWS_ITEM)) {
        set_if_none(value, ITEM_FROM, &self);
        set_if_none(value, ITEM_SENDER, &self);
    }
    if (class == EWS_POST && !bag_time(bag, PidTagClientSubmitTime))
        bag_set_time(bag, PidTagClientSubmitTime, clock_now());
    if (class == EWS_CONTACT && !bag_str(bag, PidLidFileUnder))
        bag_set_str(bag, PidLidFileUnder, bag_str(bag, PidTagDisplayName));
    if (class == EWS_LIST && !bag_str(bag, PidLidFileUnder))
        bag_set_str(bag, PidLidFileUnder, bag_str(bag, PidTagDisplayName));
    if (class == EWS_TASK && !bag_get(bag, PidLidTaskStatus)) {
        bag_set_long(bag, PidLidTaskStatus, 0);
        bag_set_bool(bag, PidLidTaskComplete, false);
        bag_set_str(bag, PidLidTaskOwner, who->display_name);
    }
}

// What stands in the row and not in the bag.
static void take_row_properties(struct message_value *value, const struct ews_update *u,
                                bool is_draft, struct item_new *spec) {
    struct bag *bag = value->bag;
    const struct prop_value *flags = bag_get(bag, PidTagMessageFlags);
    bool is_read = flags ? flags->l & MESSAGE_READ : true;
    if (flags)
        is_draft = flags->l & MESSAGE_UNSENT;
    if (u->has_read)
        is_read = u->is_read;
    spec->flags = (is_read ? MSG_READ : 0) | (is_draft ? MSG_DRAFT : 0);
    if (bag_long(bag, PidTagFlagStatus, 0) == 2)
        spec->flags |= MSG_FLAGGED;
    spec->received = bag_time(bag, PidTagMessageDeliveryTime);
    bag_remove(bag, PidTagMessageFlags);
    bag_remove(bag, PidTagMessageDeliveryTime);
}

static enum ec save(struct creation *c, struct ews_update *u, struct message_value *value,
                    enum ews_class class, uint64_t default_fid) {
    struct ews_mailbox *m = u->mailbox;
    struct item_new spec = {.value = value};
    uint64_t mid;
    // What was set beside the MIME shows in it only when it is made anew.
    if (u->mime && u->has_other)
        EC_TRY(item_value_inline(value, u->mime));
    else
        spec.mime = u->mime;
    complete(c->call, value, class);
    take_row_properties(value, u, class & (EWS_MESSAGE | EWS_ITEM), &spec);
    enum ec ec = item_create(m->m, c->has_folder ? c->folder.fid : default_fid, &spec, &mid);
    EC_TRY(ews_fail_folder(c->call, ec));
    ews_success(c->call);
    ews_open(c->call->w, "m:Items");
    EC_TRY(ews_write_ids(c->call, m, mid));
    ews_close(c->call->w);
    ews_message_end(c->call);
    return EC_OK;
}

static enum ec fail_send(struct ews_call *call, const struct message_value *value, enum ec ec) {
    if (ec == EC_INVALID_RECIPIENTS && value->recipients->len == 0)
        return ews_fail(call, "ErrorMissingRecipients", NULL);
    if (ec == EC_NOT_INITIALIZED)
        return ews_fail(call, "ErrorInternalServerError", "The server does not send mail.");
    return ec;
}

static enum ec send_new(struct creation *c, struct ews_update *u, struct message_value *value,
                        enum ews_class class) {
    struct item_send how = {.saves_copy = c->disposition == EWS_SEND_AND_SAVE};
    uint64_t copy;
    struct ews_mailbox *own = u->mailbox;
    if (u->mime)
        EC_TRY(item_value_inline(value, u->mime));
    bag_remove(value->bag, PidTagMessageFlags);
    bag_remove(value->bag, PidTagMessageDeliveryTime);
    if (c->has_folder) {
        how.copy_mailbox = c->folder.mailbox->m;
        how.copy_fid = c->folder.fid;
    }
    EC_TRY(fail_send(c->call, value, item_send_value(own->m, value, &how, &copy)));
    // Nothing is said of the copy: sending is not done yet when this is answered.
    ews_success(c->call);
    ews_element_empty(c->call->w, "m:Items");
    ews_message_end(c->call);
    return EC_OK;
}

// --- One item ---

static enum ec finish(struct creation *c, struct ews_update *u, struct message_value *value,
                      enum ews_class class, uint64_t default_fid) {
    bool is_sent = class == EWS_MESSAGE && c->disposition != EWS_SAVE_ONLY;
    return is_sent ? send_new(c, u, value, class) : save(c, u, value, class, default_fid);
}

static enum ec create_kind(struct creation *c, const struct ews_node *node, unsigned kind) {
    enum ews_class class = kinds[kind].class;
    struct ews_mailbox *m;
    if (class == EWS_MESSAGE && !c->has_disposition)
        return ews_fail(c->call, "ErrorMessageDispositionRequired", NULL);
    if (c->has_folder && (class != EWS_MESSAGE || c->disposition == EWS_SAVE_ONLY))
        m = c->folder.mailbox;
    else
        EC_TRY(ews_own_mailbox(c->call, &m));
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, kinds[kind].message_class);
    struct item *item = item_of_value(m->m, value);
    struct ews_update u = {
        .call = c->call, .mailbox = m, .item = item, .value = value, .is_new = true};
    enum ec ec = ews_update_all(&u, node, class);
    if (ec == EC_OK)
        ec = finish(c, &u, value, class, kinds[kind].folder);
    item_close(item);
    ews_update_clear(&u);
    message_value_free(value);
    return ec;
}

static enum ec create_reply(struct creation *c, const struct ews_node *node, enum ews_verb verb) {
    struct message_value *value;
    struct ews_item_ref original;
    struct ews_mailbox *m;
    if (!c->has_disposition)
        return ews_fail(c->call, "ErrorMessageDispositionRequired", NULL);
    EC_TRY(ews_own_mailbox(c->call, &m));
    if (c->has_folder && c->disposition == EWS_SAVE_ONLY)
        m = c->folder.mailbox;
    EC_TRY(ews_reply_begin(c->call, node, verb, m, &value, &original));
    struct ews_update u = {.call = c->call, .mailbox = m, .value = value, .is_new = true};
    enum ec ec = finish(c, &u, value, EWS_MESSAGE, FID_DRAFTS);
    if (ec == EC_OK && c->disposition != EWS_SAVE_ONLY)
        ews_reply_note(c->call, &original, verb);
    message_value_free(value);
    return ec;
}

// Responses that make no item.
static enum ec read_reference(struct ews_call *call, const struct ews_node *node,
                              struct ews_item_ref *out) {
    const struct ews_node *id = ews_child(node, "ReferenceItemId");
    if (!id)
        return ews_fail(call, "ErrorMissingInformationReferenceItemId",
                        "The reference to an item is missing.");
    return ews_read_item_id(call, id, out);
}

static enum ec put_nothing(struct ews_call *call) {
    ews_success(call);
    ews_element_empty(call->w, "m:Items");
    ews_message_end(call);
    return EC_OK;
}

static enum ec suppress_receipt(struct creation *c, const struct ews_node *node) {
    struct ews_item_ref ref;
    struct item *item;
    EC_TRY(read_reference(c->call, node, &ref));
    EC_TRY(ews_fail_item(c->call, item_open(ref.mailbox->m, ref.mid, &item)));
    bool asks = bag_bool(item_value(item)->bag, PidTagReadReceiptRequested, false);
    uint64_t fid = item_fid(item);
    item_close(item);
    if (!asks)
        return ews_fail(c->call, "ErrorReadReceiptNotPending",
                        "The message asks for no read receipt.");
    const char *keyword = RECEIPT_KEYWORD;
    struct mailbox_flags change = {.mode = MAILBOX_FLAGS_ADD,
                                   .keywords = &keyword,
                                   .n_keywords = 1,
                                   .unchanged_since = UINT64_MAX};
    EC_TRY(mailbox_change_flags(ref.mailbox->m, fid, &ref.mid, 1, &change, NULL));
    return put_nothing(c->call);
}

static enum ec remove_item(struct creation *c, const struct ews_node *node) {
    struct ews_item_ref ref;
    EC_TRY(read_reference(c->call, node, &ref));
    EC_TRY(
        ews_fail_item(c->call, item_delete(ref.mailbox->m, ref.mid, ITEM_DELETE_TO_TRASH, NULL)));
    return put_nothing(c->call);
}

static enum ec create_one(struct creation *c, const struct ews_node *node) {
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (ews_is(node, kinds[i].element))
            return create_kind(c, node, i);
    if (ews_is(node, "ReplyToItem") || ews_is(node, "PostReplyItem"))
        return create_reply(c, node, EWS_REPLY);
    if (ews_is(node, "ReplyAllToItem"))
        return create_reply(c, node, EWS_REPLY_ALL);
    if (ews_is(node, "ForwardItem"))
        return create_reply(c, node, EWS_FORWARD);
    if (ews_is(node, "SuppressReadReceipt"))
        return suppress_receipt(c, node);
    if (ews_is(node, "RemoveItem"))
        return remove_item(c, node);
    return ews_fail(c->call, "ErrorInvalidOperation",
                    "Items of this kind cannot be made by this server.");
}

enum ec op_create_item(struct ews_call *call) {
    struct creation c = {.call = call};
    const struct ews_node *folder = ews_child(call->request, "SavedItemFolderId");
    const struct ews_node *items = ews_child(call->request, "Items");
    c.has_disposition = ews_read_disposition(call->request, &c.disposition);
    if (ews_count(items) > EWS_MAX_IDS)
        return ews_fault(call, "ErrorBatchProcessingStopped", "There are too many items.");
    enum ec folder_ec = EC_OK;
    if (folder) {
        folder_ec = ews_read_folder_child(call, folder, &c.folder);
        c.has_folder = folder_ec == EC_OK;
    }
    if (folder_ec != EC_OK)
        return folder_ec;
    for (const struct ews_node *node = items ? items->child : NULL; node; node = node->next) {
        struct ews_mark mark = ews_mark(call->w);
        unsigned n_messages = call->n_messages;
        enum ec ec = create_one(&c, node);
        if (call->is_fault)
            return ec;
        if (ec == EC_OK)
            continue;
        ews_rewind(call->w, mark);
        call->n_messages = n_messages;
        ews_error(call, ec);
    }
    return EC_OK;
}

// --- SendItem ---

struct sending {
    struct item_send how;
};

static enum ec send_one(struct ews_call *call, const struct ews_item_ref *ref, void *ctx) {
    const struct sending *s = ctx;
    struct item *item;
    uint64_t copy;
    if (ref->attachment)
        return ews_fail(call, "ErrorInvalidItemForOperationSendItem",
                        "An item in an attachment cannot be sent.");
    EC_TRY(ews_fail_item(call, item_open(ref->mailbox->m, ref->mid, &item)));
    bool is_message = ews_class_of(item_class(item)) & EWS_ANY_MESSAGE;
    bool is_stale = ref->change && ref->change != item_change(item);
    bool has_none = item_value(item)->recipients->len == 0;
    item_close(item);
    if (!ref->change)
        return ews_fail(call, "ErrorChangeKeyRequired", NULL);
    if (is_stale)
        return ews_fail(call, "ErrorStaleObject",
                        "The item was changed after its change key was read.");
    if (!is_message)
        return ews_fail(call, "ErrorInvalidItemForOperationSendItem", "Only messages can be sent.");
    if (has_none)
        return ews_fail(call, "ErrorMissingRecipients", NULL);
    EC_TRY(item_send_stored(ref->mailbox->m, ref->mid, &s->how, &copy));
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_send_item(struct ews_call *call) {
    struct sending s = {0};
    struct ews_folder_ref folder;
    const char *saves = ews_attribute(call->request, "SaveItemToFolder");
    const struct ews_node *to = ews_child(call->request, "SavedItemFolderId");
    if (!ews_parse_bool(saves, &s.how.saves_copy))
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: The required attribute "
                         "'SaveItemToFolder' is missing.");
    if (to && !s.how.saves_copy)
        return ews_fail(call, "ErrorInvalidSendItemSaveSettings", NULL);
    if (to) {
        EC_TRY(ews_read_folder_child(call, to, &folder));
        s.how.copy_mailbox = folder.mailbox->m;
        s.how.copy_fid = folder.fid;
    }
    return ews_each_item(call, ews_child(call->request, "ItemIds"), send_one, &s);
}
