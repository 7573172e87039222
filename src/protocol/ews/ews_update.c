// Setting properties of items from their elements in a request: the general rules, and the
// properties that all kinds of items have.
#include <string.h>
#include <unicode/uloc.h>

#include "base/clock.h"
#include "mapi/conversation.h"
#include "mapi/props.h"
#include "protocol/ews/ews_attachments.h"
#include "protocol/ews/ews_properties.h"

void ews_update_clear(struct ews_update *u) {
    g_clear_pointer(&u->mime, g_bytes_unref);
}

enum ec ews_fail_property(struct ews_call *call, const char *code, const struct ews_property *p) {
    return ews_fail_with(call, &(struct ews_failure){.code = code, .field_uri = p->uri});
}

// What is the same without the property.
static bool is_default(const struct prop_value *v) {
    return (PROP_TYPE(v->tag) == PT_BOOLEAN && !v->b) ||
           (v->tag == PidTagImportance && v->l == 1) ||
           (v->tag == PidTagSensitivity && v->l == 0) ||
           (v->tag == PidLidReminderDelta && v->l == 0);
}

enum ec ews_update_set(struct ews_update *u, const struct prop_value *v) {
    struct prop_value old;
    // Clients send all they know; what changes nothing leaves an internet original as it is.
    enum ec ec = u->is_new ? item_get(u->item, u->call->arena, v->tag, 0, &old) : EC_NOT_FOUND;
    if (ec == EC_OK ? !prop_equal(&old, v) : !is_default(v))
        u->has_other = true;
    return item_set(u->item, v);
}

// --- By type ---

static enum ec invalid(struct ews_update *u, const struct ews_property *p) {
    return ews_fault(u->call, "ErrorSchemaValidation",
                     arena_printf(u->call->arena,
                                  "The request failed schema validation: The '%s' element is "
                                  "invalid.",
                                  p->element + 2));
}

static enum ec set_strings(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    unsigned n = 0, room = ews_count(node);
    const char **strings = arena_alloc0(u->call->arena, (room + 1) * sizeof *strings);
    for (const struct ews_node *c = node->child; c; c = c->next)
        if (ews_is(c, "String"))
            strings[n++] = c->text;
    struct prop_value v = {.tag = p->tag, .mv = {.n = n, .str = strings}};
    if (n > 0)
        return ews_update_set(u, &v);
    item_remove(u->item, p->tag);
    return EC_OK;
}

static enum ec set_enum(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    const char *text = ews_text(u->call->arena, node);
    for (const struct ews_enum_name *n = p->names; n->name; n++) {
        if (strcmp(n->name, text) != 0)
            continue;
        struct prop_value v = prop_long(p->tag, n->value);
        return ews_update_set(u, &v);
    }
    return invalid(u, p);
}

static enum ec set_by_type(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    struct prop_value v = {.tag = p->tag};
    int64_t number = 0;
    switch (p->type) {
    case EWS_STRING:
        v.str = node->text;
        break;
    case EWS_BOOL:
        if (!ews_parse_bool(node->text, &v.b))
            return invalid(u, p);
        break;
    case EWS_INT:
        if (!ews_parse_int(node->text, &number) || number < INT32_MIN || number > INT32_MAX)
            return invalid(u, p);
        v.l = (int32_t)number;
        break;
    case EWS_TIME:
        if (!ews_date_parse(u->call, node->text, &v.time))
            return invalid(u, p);
        break;
    case EWS_BASE64:
        if (ews_node_base64(u->call->arena, node, &v.bin) != EC_OK)
            return invalid(u, p);
        break;
    case EWS_STRINGS:
        return set_strings(u, p, node);
    case EWS_ENUM:
        return set_enum(u, p, node);
    default:
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    }
    return ews_update_set(u, &v);
}

enum ec ews_update_element(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    if (p->since > u->call->version)
        return invalid(u, p);
    if (p->set)
        return p->set(u, p, node);
    if (p->is_read_only || p->tag == 0)
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    return set_by_type(u, p, node);
}

// --- Whole items ---

enum ec ews_update_extended(struct ews_update *u, const struct ews_node *node) {
    struct ews_path path;
    struct prop_value v;
    uint16_t id;
    EC_TRY(ews_read_path_child(u->call, node, &path));
    if (path.kind != EWS_PATH_EXTENDED)
        return ews_fail(u->call, "ErrorInvalidExtendedProperty", NULL);
    EC_TRY(ews_read_extended_value(u->call, node, &path, &v));
    if (path.name.kind != PROP_NAME_NONE) {
        id = named_fixed_id(&path.name);
        // The names of a value that came from MIME are its own until it is stored.
        if (!id && u->value && u->value->names_are_local)
            id = message_value_local_name(u->value, &path.name);
        else if (!id)
            EC_TRY(mailbox_name_to_id(u->mailbox->m, &path.name, true, &id));
        if (!id)
            return ews_fail(u->call, "ErrorInvalidExtendedProperty", NULL);
        v.tag = PROP_TAG(id, PROP_TYPE(path.tag));
    }
    enum ec ec = item_set(u->item, &v);
    if (ec == EC_COMPUTED)
        return ews_fail_with(
            u->call, &(struct ews_failure){.code = "ErrorInvalidPropertySet", .path = path.node});
    return ec;
}

enum ec ews_update_all(struct ews_update *u, const struct ews_node *item, enum ews_class class) {
    for (const struct ews_node *c = item->child; c; c = c->next) {
        if (ews_is(c, "ExtendedProperty")) {
            EC_TRY(ews_update_extended(u, c));
            continue;
        }
        const struct ews_property *p =
            c->ns == EWS_NS_TYPES ? ews_property_by_element(c->name, class) : NULL;
        if (p) {
            EC_TRY(ews_update_element(u, p, c));
            continue;
        }
        // What we have not is passed over when it is empty or the schema has it elsewhere.
        if (c->ns != EWS_NS_TYPES ||
            (!ews_property_by_element(c->name, EWS_ANY_ITEM) && !ews_element_is_known(c->name)))
            return ews_fault(u->call, "ErrorSchemaValidation",
                             arena_printf(u->call->arena,
                                          "The request failed schema validation: The element '%s' "
                                          "has invalid child element '%s'.",
                                          item->name, c->name));
    }
    return EC_OK;
}

// --- Deleting ---

static enum ec delete_indexed(struct ews_update *u, const struct ews_path *path) {
    const struct ews_indexed *entry = ews_indexed_find(path->uri, path->index);
    proptag_t tag;
    if (entry && strcmp(entry->property, "contacts:EmailAddresses") == 0)
        return ews_email_remove(u, path->index);
    enum ec ec = ews_path_tag(u->call, u->mailbox, path, &tag);
    if (ec == EC_OK)
        item_remove(u->item, tag);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

// A task's recurrence cannot be read or set here yet, but clients that save a task delete what they
// do not want ([MS-OXWSTASK] 2.2.4.6).
static enum ec delete_recurrence(struct ews_update *u) {
    item_remove(u->item, PidLidTaskRecurrence);
    item_remove(u->item, PidLidTaskFRecurring);
    return EC_OK;
}

enum ec ews_update_delete(struct ews_update *u, const struct ews_path *path) {
    const struct ews_property *p = path->property;
    proptag_t tag;
    u->has_other = true;
    if (path->kind == EWS_PATH_INDEXED)
        return delete_indexed(u, path);
    if (path->kind == EWS_PATH_EXTENDED) {
        enum ec ec = ews_path_tag(u->call, u->mailbox, path, &tag);
        if (ec == EC_OK)
            item_remove(u->item, tag);
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    }
    if (p && p->remove)
        return p->remove(u, p, NULL);
    if (!p && g_strcmp0(path->uri, "task:Recurrence") == 0)
        return delete_recurrence(u);
    bool is_needed = p && (p->tag == PidTagMessageClass || p->tag == PidTagSensitivity ||
                           p->tag == PidTagImportance);
    if (!p || p->is_read_only || p->tag == 0 || is_needed)
        return ews_fail_with(u->call, &(struct ews_failure){.code = "ErrorInvalidPropertyDelete",
                                                            .path = path->node});
    item_remove(u->item, p->tag);
    return EC_OK;
}

// --- Setters ---

// A value's contents in the place of another's.
static void swap_contents(struct message_value *a, struct message_value *b) {
    struct message_value t = *a;
    *a = *b;
    *b = t;
}

// All of the new message over an old one.
static enum ec overwrite(struct ews_update *u, struct message_value *value) {
    static const proptag_t bodies[] = {PidTagBody, PidTagHtml, PidTagRtfCompressed};
    const struct message_value *old = item_value(u->item);
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++)
        item_remove(u->item, bodies[i]);
    for (unsigned i = 0; i < bag_count(value->bag); i++) {
        const struct prop_value *v = bag_at(value->bag, i);
        if (PROP_ID(v->tag) < NAMED_ID_FIRST_OWN) {
            enum ec ec = item_set(u->item, v);
            if (ec != EC_OK && ec != EC_COMPUTED)
                return ec;
        }
    }
    for (guint i = old->attachments->len; i-- > 0;)
        EC_TRY(item_remove_attachment(u->item, i));
    for (int32_t kind = 1; kind <= 3; kind++)
        item_set_recipients_take(u->item, kind, g_ptr_array_new());
    while (value->recipients->len > 0)
        item_add_recipient_take(u->item, g_ptr_array_steal_index(value->recipients, 0));
    while (value->attachments->len > 0)
        EC_TRY(item_add_attachment_take(u->item, g_ptr_array_steal_index(value->attachments, 0),
                                        NULL));
    return EC_OK;
}

enum ec ews_set_mime_content(struct ews_update *u, const struct ews_property *p,
                             const struct ews_node *node) {
    struct prop_bin bytes;
    struct message_value *value;
    if (ews_node_base64(u->call->arena, node, &bytes) != EC_OK)
        return ews_fail(u->call, "ErrorMimeContentInvalidBase64String", NULL);
    if (bytes.len == 0)
        return ews_fail(u->call, "ErrorMimeContentInvalid", NULL);
    g_autoptr(GBytes) mime = g_bytes_new(bytes.data, bytes.len);
    EC_TRY(item_value_of_mime(mime, &value));
    enum ec ec = EC_OK;
    if (u->is_new) {
        const char *class = bag_str(u->value->bag, PidTagMessageClass);
        if (class && strcmp(class, "IPM.Note") != 0)
            bag_set_str(value->bag, PidTagMessageClass, class);
        swap_contents(u->value, value);
        u->mime = g_steal_pointer(&mime);
    } else {
        ec = item_value_inline(value, mime);
        if (ec == EC_OK)
            ec = overwrite(u, value);
    }
    message_value_free(value);
    return ec;
}

enum ec ews_set_item_class(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    const char *class = ews_text(u->call->arena, node);
    if (g_ascii_strncasecmp(class, "IPM", 3) != 0 && g_ascii_strncasecmp(class, "REPORT", 6) != 0)
        return ews_fail_property(u->call, "ErrorObjectTypeChanged", p);
    enum ews_class before = ews_class_of(item_class(u->item)), after = ews_class_of(class);
    // A message may become one of any class that is no other kind of item.
    if (before != after &&
        !(before & (EWS_ANY_MESSAGE | EWS_ITEM) && after & (EWS_ANY_MESSAGE | EWS_ITEM)))
        return ews_fail_property(u->call, "ErrorObjectTypeChanged", p);
    struct prop_value v = prop_str(PidTagMessageClass, class);
    return item_set(u->item, &v);
}

enum ec ews_set_subject(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    struct subject_parts parts = subject_split(u->call->arena, node->text, NULL);
    struct prop_value v = prop_str(PidTagSubject, node->text);
    EC_TRY(ews_update_set(u, &v));
    v = prop_str(PidTagSubjectPrefix, parts.prefix);
    EC_TRY(item_set(u->item, &v));
    v = prop_str(PidTagNormalizedSubject, parts.normalized);
    return item_set(u->item, &v);
}

enum ec ews_set_body(struct ews_update *u, const struct ews_property *p,
                     const struct ews_node *node) {
    const char *type = ews_attribute(node, "BodyType");
    bool is_html = type && strcmp(type, "HTML") == 0;
    const char *text = node->text;
    struct prop_value old;
    if (u->appends &&
        item_get(u->item, u->call->arena, is_html ? PidTagHtml : PidTagBody, 0, &old) == EC_OK)
        text = is_html ? arena_printf(u->call->arena, "%.*s%s", (int)old.bin.len,
                                      (const char *)old.bin.data, text)
                       : arena_printf(u->call->arena, "%s%s", old.str, text);
    // The others go, also those that were set before in this request.
    EC_TRY(ews_remove_body(u, p, NULL));
    if (!is_html) {
        struct prop_value v = prop_str(PidTagBody, text);
        return ews_update_set(u, &v);
    }
    struct prop_value v = prop_bytes(PidTagHtml, text, (uint32_t)strlen(text));
    struct prop_value page = prop_long(PidTagInternetCodepage, 65001);
    EC_TRY(ews_update_set(u, &v));
    return item_set(u->item, &page);
}

enum ec ews_remove_body(struct ews_update *u, const struct ews_property *p, const char *index) {
    static const proptag_t bodies[] = {PidTagBody, PidTagHtml, PidTagRtfCompressed};
    for (unsigned i = 0; i < G_N_ELEMENTS(bodies); i++)
        item_remove(u->item, bodies[i]);
    return EC_OK;
}

enum ec ews_set_attachments(struct ews_update *u, const struct ews_property *p,
                            const struct ews_node *node) {
    if (!u->is_new)
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    for (const struct ews_node *c = node->child; c; c = c->next) {
        struct attachment_value *a;
        EC_TRY(ews_read_attachment(u->call, u->mailbox, c, u->depth, &a));
        EC_TRY(item_add_attachment_take(u->item, a, NULL));
        u->has_other = true;
    }
    return EC_OK;
}

enum ec ews_set_is_read(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    if (!ews_parse_bool(node->text, &u->is_read))
        return invalid(u, p);
    u->has_read = true;
    return EC_OK;
}

static enum ec set_time(struct ews_update *u, proptag_t tag, const struct ews_node *node) {
    struct prop_value v = {.tag = tag};
    if (!node)
        return EC_OK;
    if (!ews_date_parse(u->call, node->text, &v.time))
        return ews_fail(u->call, "ErrorInvalidPropertySet", NULL);
    return item_set(u->item, &v);
}

enum ec ews_remove_flag(struct ews_update *u, const struct ews_property *p, const char *index) {
    static const proptag_t tags[] = {PidTagFlagStatus,  PidTagFlagCompleteTime, PidLidTaskStartDate,
                                     PidLidTaskDueDate, PidLidFlagRequest,      PidTagFollowupIcon};
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        item_remove(u->item, tags[i]);
    return EC_OK;
}

enum ec ews_set_flag(struct ews_update *u, const struct ews_property *p,
                     const struct ews_node *node) {
    const char *status = ews_child_text(u->call->arena, node, "FlagStatus");
    if (!status)
        return invalid(u, p);
    bool is_flagged = strcmp(status, "Flagged") == 0;
    EC_TRY(ews_remove_flag(u, p, NULL));
    if (!is_flagged && strcmp(status, "Complete") != 0)
        return EC_OK;
    struct prop_value v = prop_long(PidTagFlagStatus, is_flagged ? 2 : 1);
    EC_TRY(item_set(u->item, &v));
    if (!is_flagged) {
        v = prop_time(PidTagFlagCompleteTime, clock_now());
        EC_TRY(item_set(u->item, &v));
        return set_time(u, PidTagFlagCompleteTime, ews_child(node, "CompleteDate"));
    }
    v = prop_str(PidLidFlagRequest, "Follow up");
    EC_TRY(item_set(u->item, &v));
    v = prop_long(PidTagFollowupIcon, 6); // red
    EC_TRY(item_set(u->item, &v));
    EC_TRY(set_time(u, PidLidTaskStartDate, ews_child(node, "StartDate")));
    return set_time(u, PidLidTaskDueDate, ews_child(node, "DueDate"));
}

enum ec ews_set_culture(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    const char *text = ews_text(u->call->arena, node);
    char locale[64];
    g_strlcpy(locale, text, sizeof locale);
    g_strdelimit(locale, "-", '_');
    uint32_t lcid = uloc_getLCID(locale);
    if (lcid == 0)
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    struct prop_value v = prop_long(PidTagMessageLocaleId, (int32_t)lcid);
    return item_set(u->item, &v);
}

enum ec ews_set_retention_tag(struct ews_update *u, const struct ews_property *p,
                              const struct ews_node *node) {
    struct guid guid;
    const char *text = ews_text(u->call->arena, node);
    if (!guid_parse(text, &guid))
        return ews_fail_property(u->call, "ErrorInvalidRetentionTagIdGuid", p);
    struct prop_value v = prop_bytes(p->tag, guid.bytes, sizeof guid.bytes);
    return item_set(u->item, &v);
}

enum ec ews_set_read_receipt(struct ews_update *u, const struct ews_property *p,
                             const struct ews_node *node) {
    bool wants;
    if (!ews_parse_bool(node->text, &wants))
        return invalid(u, p);
    struct prop_value v = prop_bool(PidTagReadReceiptRequested, wants);
    EC_TRY(ews_update_set(u, &v));
    v = prop_bool(PidTagNonReceiptNotificationRequested, wants);
    return item_set(u->item, &v);
}

enum ec ews_remove_reminder(struct ews_update *u, const struct ews_property *p, const char *index) {
    static const proptag_t tags[] = {PidLidReminderSet, PidLidReminderTime,
                                     PidLidReminderSignalTime, PidLidReminderDelta};
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        item_remove(u->item, tags[i]);
    return EC_OK;
}

// The signal follows from the time and the minutes before it.
enum ec ews_set_reminder(struct ews_update *u, const struct ews_property *p,
                         const struct ews_node *node) {
    struct prop_value due, delta;
    EC_TRY(set_by_type(u, p, node));
    if (item_get(u->item, u->call->arena, PidLidReminderTime, 0, &due) != EC_OK)
        return EC_OK;
    bool has_delta = item_get(u->item, u->call->arena, PidLidReminderDelta, 0, &delta) == EC_OK;
    uint64_t before = has_delta && delta.l > 0 ? (uint64_t)delta.l * 60 * FILETIME_SECOND : 0;
    struct prop_value signal =
        prop_time(PidLidReminderSignalTime, due.time > before ? due.time - before : due.time);
    return item_set(u->item, &signal);
}
