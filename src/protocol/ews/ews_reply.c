// Replies and forwards made by the server: ReplyToItem, ReplyAllToItem, ForwardItem
// ([MS-OXWSMSG] 2.2.4.5-2.2.4.8, [MS-OXOMSG] 3.2.4.3, 3.2.4.4).
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "mapi/conversation.h"
#include "mapi/props.h"
#include "protocol/ews/op_items.h"

struct reply {
    struct ews_call *call;
    struct arena *arena;
    const struct ews_node *node;
    enum ews_verb verb;
    struct item *original;
    struct message_value *value;
};

// --- To whom ---

static bool is_self(const struct reply *r, const char *address) {
    return text_compare_folded(address, r->call->principal->address) == 0;
}

static bool is_among(const struct message_value *value, const char *address) {
    for (guint i = 0; i < value->recipients->len; i++) {
        struct item_person person;
        if (item_person_get(value->recipients->pdata[i], ITEM_RECIPIENT, &person) &&
            person.address && text_compare_folded(person.address, address) == 0)
            return true;
    }
    return false;
}

static void add(struct reply *r, int32_t kind, const struct item_person *person) {
    if (person->address && !is_among(r->value, person->address))
        g_ptr_array_add(r->value->recipients, item_recipient_new(kind, person));
}

static void add_author(struct reply *r) {
    const struct bag *bag = item_value(r->original)->bag;
    struct item_person person;
    GArray *people = item_reply_to_get(r->arena, bag);
    for (guint i = 0; i < people->len; i++)
        add(r, 1, &g_array_index(people, struct item_person, i));
    if (people->len == 0 &&
        (item_person_get(bag, ITEM_FROM, &person) || item_person_get(bag, ITEM_SENDER, &person)))
        add(r, 1, &person);
    g_array_unref(people);
}

static void add_others(struct reply *r) {
    const GPtrArray *all = item_value(r->original)->recipients;
    for (guint i = 0; i < all->len; i++) {
        struct item_person person;
        int32_t kind = bag_long(all->pdata[i], PidTagRecipientType, 1) & 0xF;
        if (kind != 3 && item_person_get(all->pdata[i], ITEM_RECIPIENT, &person) &&
            person.address && !is_self(r, person.address))
            add(r, kind, &person);
    }
}

// --- What it says ---

static const char *text_of(struct reply *r, proptag_t tag) {
    struct prop_value v;
    if (item_get(r->original, r->arena, tag, 0, &v) != EC_OK)
        return "";
    return PROP_TYPE(v.tag) == PT_UNICODE
               ? v.str
               : text_clean(r->arena, (const char *)v.bin.data, v.bin.len, NULL);
}

static const char *heading(struct reply *r, bool is_html) {
    const struct bag *bag = item_value(r->original)->bag;
    const char *end = is_html ? "<br>\r\n" : "\r\n";
    struct item_person from = {.name = ""};
    struct prop_value to;
    const char *subject = bag_str(bag, PidTagSubject);
    item_person_get(bag, ITEM_FROM, &from);
    const char *names =
        item_get(r->original, r->arena, PidTagDisplayTo, 0, &to) == EC_OK ? to.str : "";
    const char *sent = ews_date_format(r->call, bag_time(bag, PidTagClientSubmitTime));
    const char *text[] = {from.name, sent ? sent : "", names, subject ? subject : ""};
    if (is_html)
        for (unsigned i = 0; i < G_N_ELEMENTS(text); i++) {
            g_autofree char *escaped = g_markup_escape_text(text[i], -1);
            text[i] = arena_strdup(r->arena, escaped);
        }
    return arena_printf(r->arena, "From: %s%sSent: %s%sTo: %s%sSubject: %s%s%s", text[0], end,
                        text[1], end, text[2], end, text[3], end, end);
}

static void set_html(struct reply *r, const char *mine) {
    const char *theirs = text_of(r, PidTagHtml);
    const char *all = arena_printf(r->arena, "%s<hr>\r\n%s%s", mine, heading(r, true), theirs);
    bag_set_bytes(r->value->bag, PidTagHtml, all, strlen(all));
    bag_set_long(r->value->bag, PidTagInternetCodepage, 65001);
}

static void set_text(struct reply *r, const char *mine) {
    bag_set_str(r->value->bag, PidTagBody,
                arena_printf(r->arena, "%s\r\n\r\n________________________________\r\n%s%s", mine,
                             heading(r, false), text_of(r, PidTagBody)));
}

static void set_body(struct reply *r) {
    const struct ews_node *body = ews_child(r->node, "NewBodyContent");
    const char *type = ews_attribute(body, "BodyType");
    const char *mine = body ? body->text : "";
    if (!body || !type || strcmp(type, "HTML") == 0)
        set_html(r, mine);
    else
        set_text(r, mine);
}

static void set_thread(struct reply *r) {
    const struct bag *old = item_value(r->original)->bag;
    struct bag *bag = r->value->bag;
    const char *id = bag_str(old, PidTagInternetMessageId);
    const char *references = bag_str(old, PidTagInternetReferences);
    const char *normalized = bag_str(old, PidTagNormalizedSubject);
    const char *topic = bag_str(old, PidTagConversationTopic);
    if (!normalized) {
        const char *subject = bag_str(old, PidTagSubject);
        normalized = subject_split(r->arena, subject ? subject : "", NULL).normalized;
    }
    const char *prefix = r->verb == EWS_FORWARD ? "FW: " : "RE: ";
    bag_set_str(bag, PidTagSubject, arena_printf(r->arena, "%s%s", prefix, normalized));
    bag_set_str(bag, PidTagConversationTopic, topic ? topic : normalized);
    struct prop_bin index =
        conversation_index_reply(r->arena, bag_bytes(old, PidTagConversationIndex), clock_now());
    bag_set_bytes(bag, PidTagConversationIndex, index.data, index.len);
    if (!id)
        return;
    if (r->verb != EWS_FORWARD)
        bag_set_str(bag, PidTagInReplyToId, id);
    bag_set_str(bag, PidTagInternetReferences,
                references ? arena_printf(r->arena, "%s %s", references, id) : id);
}

// A forwarded message keeps its attachments.
static enum ec copy_attachments(struct reply *r) {
    const GPtrArray *all = item_value(r->original)->attachments;
    for (guint i = 0; i < all->len; i++) {
        const struct attachment_value *old = all->pdata[i];
        struct attachment_value *a = attachment_value_new();
        bag_free(a->bag);
        a->bag = bag_copy(old->bag);
        g_ptr_array_add(r->value->attachments, a);
        if (bag_long(old->bag, PidTagAttachMethod, 0) != 5) {
            EC_TRY(item_attachment_data(r->original, i, &a->data));
            continue;
        }
        // A message inside goes on in its internet form.
        struct item *inner;
        g_autoptr(GBytes) mime = NULL;
        EC_TRY(item_open_embedded(r->original, i, &inner));
        enum ec ec = item_mime(inner, &mime);
        item_close(inner);
        if (ec == EC_OK)
            ec = item_value_of_mime(mime, &a->embedded);
        if (ec == EC_OK)
            ec = item_value_inline(a->embedded, mime);
        EC_TRY(ec);
    }
    return EC_OK;
}

// What the request says itself takes the place of what was made.
static enum ec apply_request(struct reply *r, struct ews_mailbox *target) {
    struct item *item = item_of_value(target->m, r->value);
    struct ews_update u = {
        .call = r->call, .mailbox = target, .item = item, .value = r->value, .is_new = true};
    enum ec ec = EC_OK;
    for (const struct ews_node *c = r->node->child; ec == EC_OK && c; c = c->next) {
        if (ews_is(c, "ReferenceItemId") || ews_is(c, "NewBodyContent"))
            continue;
        if (ews_is(c, "ExtendedProperty")) {
            ec = ews_update_extended(&u, c);
            continue;
        }
        const struct ews_property *p = ews_property_by_element(c->name, EWS_MESSAGE);
        ec = p ? ews_update_element(&u, p, c)
               : ews_fault(r->call, "ErrorSchemaValidation",
                           "The request failed schema validation: a reply has an unknown element.");
    }
    item_close(item);
    ews_update_clear(&u);
    return ec;
}

static enum ec make(struct reply *r, struct ews_mailbox *target) {
    bag_set_str(r->value->bag, PidTagMessageClass, "IPM.Note");
    set_thread(r);
    set_body(r);
    if (r->verb == EWS_FORWARD)
        EC_TRY(copy_attachments(r));
    else
        add_author(r);
    if (r->verb == EWS_REPLY_ALL)
        add_others(r);
    return apply_request(r, target);
}

enum ec ews_reply_begin(struct ews_call *call, const struct ews_node *node, enum ews_verb verb,
                        struct ews_mailbox *target, struct message_value **value_out,
                        struct ews_item_ref *original_out) {
    struct reply r = {.call = call, .arena = call->arena, .node = node, .verb = verb};
    struct ews_opened opened;
    const struct ews_node *id = ews_child(node, "ReferenceItemId");
    if (!id)
        return ews_fail(call, "ErrorMissingInformationReferenceItemId",
                        "The reference to an item is missing.");
    EC_TRY(ews_read_item_id(call, id, original_out));
    EC_TRY(ews_open_ref(call, original_out, &opened));
    r.original = opened.item;
    r.value = message_value_new();
    enum ec ec = item_flags(opened.item) & MSG_DRAFT
                     ? ews_fail(call, "ErrorInvalidOperation", "A draft cannot be answered.")
                     : make(&r, target);
    ews_opened_close(&opened);
    if (ec == EC_OK)
        *value_out = r.value;
    else
        message_value_free(r.value);
    return ec;
}

void ews_reply_note(struct ews_call *call, const struct ews_item_ref *original,
                    enum ews_verb verb) {
    struct item *item;
    (void)call;
    if (original->attachment || item_open(original->mailbox->m, original->mid, &item) != EC_OK)
        return;
    // [MS-OXOMSG] 2.2.2.24: the verb, and the icon that clients show for it.
    struct prop_value v = prop_long(PidTagLastVerbExecuted, (int32_t)verb);
    item_set(item, &v);
    v = prop_time(PidTagLastVerbExecutionTime, clock_now());
    item_set(item, &v);
    v = prop_long(PidTagIconIndex, verb == EWS_FORWARD ? 0x106 : 0x105);
    item_set(item, &v);
    uint64_t fid = item_fid(item);
    // Without the right to edit it nothing is noted.
    enum ec ec = item_save(item, ITEM_SAVE_FORCE);
    item_close(item);
    const char *keyword = "$Forwarded";
    struct mailbox_flags change = {.mode = MAILBOX_FLAGS_ADD, .unchanged_since = UINT64_MAX};
    if (verb == EWS_FORWARD) {
        change.keywords = &keyword;
        change.n_keywords = 1;
    } else {
        change.flags = MSG_ANSWERED;
    }
    if (ec == EC_OK)
        mailbox_change_flags(original->mailbox->m, fid, &original->mid, 1, &change, NULL);
}
