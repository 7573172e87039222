// Setting people and what contacts and tasks have of their own.
#include <string.h>

#include "base/clock.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "protocol/ews/ews_properties.h"

#define RECIPIENTS_MAX 10000
#define MEMBERS_MAX 1000

// --- Mailboxes ---

enum ec ews_read_mailbox(struct ews_call *call, const struct ews_node *mailbox,
                         struct item_person *out) {
    struct directory_object *object;
    struct arena *arena = call->arena;
    *out = (struct item_person){
        .name = ews_child_text(arena, mailbox, "Name"),
        .address = ews_child_text(arena, mailbox, "EmailAddress"),
        .type = ews_child_text(arena, mailbox, "RoutingType"),
    };
    if (out->address && g_ascii_strncasecmp(out->address, "smtp:", 5) == 0)
        out->address += 5;
    if (out->type && !*out->type)
        out->type = NULL;
    if (!out->address || !*out->address) {
        // A name alone is looked up.
        struct directory_list found;
        if (!out->name ||
            directory_resolve(ews_directory(call), arena, out->name, &found) != EC_OK ||
            found.n != 1)
            return ews_fail(call, "ErrorInvalidRecipients", NULL);
        out->address = found.items[0]->address;
        out->name = found.items[0]->display_name;
        out->type = "SMTP";
        return EC_OK;
    }
    bool has_name = out->name && *out->name;
    if (!has_name)
        out->name = ews_find_user(call, out->address, &object) == EC_OK && object->display_name
                        ? object->display_name
                        : out->address;
    return EC_OK;
}

static enum item_who who_of(const struct ews_property *p) {
    return p->tag == PidTagSenderName                 ? ITEM_SENDER
           : p->tag == PidTagReceivedByName           ? ITEM_RECEIVED_BY
           : p->tag == PidTagReceivedRepresentingName ? ITEM_RECEIVED_REPRESENTING
                                                      : ITEM_FROM;
}

enum ec ews_set_sender(struct ews_update *u, const struct ews_property *p,
                       const struct ews_node *node) {
    struct item_person person;
    const struct ews_node *mailbox = ews_child(node, "Mailbox");
    if (!mailbox)
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    EC_TRY(ews_read_mailbox(u->call, mailbox, &person));
    BAG_AUTO bag = bag_new();
    item_person_set(bag, who_of(p), &person);
    for (unsigned i = 0; i < bag_count(bag); i++)
        EC_TRY(ews_update_set(u, bag_at(bag, i)));
    return EC_OK;
}

enum ec ews_remove_sender(struct ews_update *u, const struct ews_property *p, const char *index) {
    struct item_person nobody = {.name = "x", .address = "x"};
    BAG_AUTO bag = bag_new();
    item_person_set(bag, who_of(p), &nobody);
    for (unsigned i = 0; i < bag_count(bag); i++)
        item_remove(u->item, bag_at(bag, i)->tag);
    return EC_OK;
}

static int32_t kind_of(const struct ews_property *p) {
    const char *e = p->element + 2;
    return strcmp(e, "CcRecipients") == 0 || strcmp(e, "OptionalAttendees") == 0 ? 2
           : strcmp(e, "BccRecipients") == 0 || strcmp(e, "Resources") == 0      ? 3
                                                                                 : 1;
}

enum ec ews_set_recipients(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    int32_t kind = kind_of(p);
    if (ews_count(node) > RECIPIENTS_MAX)
        return EC_TOO_MANY_RECIPIENTS;
    g_autoptr(GPtrArray) bags = g_ptr_array_new_with_free_func((GDestroyNotify)bag_free);
    for (const struct ews_node *c = node->child; c; c = c->next) {
        struct item_person person;
        const struct ews_node *mailbox = ews_is(c, "Attendee") ? ews_child(c, "Mailbox") : c;
        EC_TRY(ews_read_mailbox(u->call, mailbox, &person));
        g_ptr_array_add(bags, item_recipient_new(kind, &person));
    }
    u->has_other = true;
    if (u->appends) {
        while (bags->len > 0)
            item_add_recipient_take(u->item, g_ptr_array_steal_index(bags, 0));
        return EC_OK;
    }
    item_set_recipients_take(u->item, kind, g_steal_pointer(&bags));
    return EC_OK;
}

enum ec ews_remove_recipients(struct ews_update *u, const struct ews_property *p,
                              const char *index) {
    item_set_recipients_take(u->item, kind_of(p), g_ptr_array_new());
    return EC_OK;
}

enum ec ews_set_reply_to(struct ews_update *u, const struct ews_property *p,
                         const struct ews_node *node) {
    g_autoptr(GArray) people = g_array_new(FALSE, FALSE, sizeof(struct item_person));
    if (u->appends) {
        g_array_unref(people);
        people = item_reply_to_get(u->call->arena, item_value(u->item)->bag);
    }
    for (const struct ews_node *c = node->child; c; c = c->next) {
        struct item_person person;
        EC_TRY(ews_read_mailbox(u->call, c, &person));
        g_array_append_val(people, person);
    }
    BAG_AUTO bag = bag_new();
    item_reply_to_set(bag, (const struct item_person *)(void *)people->data, people->len);
    for (unsigned i = 0; i < bag_count(bag); i++)
        EC_TRY(ews_update_set(u, bag_at(bag, i)));
    return EC_OK;
}

enum ec ews_remove_reply_to(struct ews_update *u, const struct ews_property *p, const char *index) {
    item_remove(u->item, PidTagReplyRecipientEntries);
    item_remove(u->item, PidTagReplyRecipientNames);
    return EC_OK;
}

// --- Contacts ---

static enum ec set_str(struct ews_update *u, proptag_t tag, const char *text) {
    struct prop_value v = prop_str(tag, text);
    if (text && *text)
        return ews_update_set(u, &v);
    item_remove(u->item, tag);
    return EC_OK;
}

enum ec ews_set_display_name(struct ews_update *u, const struct ews_property *p,
                             const struct ews_node *node) {
    EC_TRY(set_str(u, PidTagDisplayName, node->text));
    if (p->tag == PidLidDistributionListName)
        EC_TRY(set_str(u, PidLidDistributionListName, node->text));
    struct prop_value v;
    if (u->is_new && item_get(u->item, u->call->arena, PidTagSubject, 0, &v) != EC_OK)
        return set_str(u, PidTagSubject, node->text);
    return EC_OK;
}

// The FieldURI of the entries of a dictionary, as the table of indexed properties has it.
static const char *entry_uri(const struct ews_property *p) {
    return strcmp(p->uri, "contacts:PhoneNumbers") == 0 ? "contacts:PhoneNumber"
                                                        : "contacts:ImAddress";
}

enum ec ews_set_dictionary(struct ews_update *u, const struct ews_property *p,
                           const struct ews_node *node) {
    for (const struct ews_node *c = node->child; c; c = c->next) {
        const char *key = ews_attribute(c, "Key");
        const struct ews_indexed *entry = key ? ews_indexed_find(entry_uri(p), key) : NULL;
        if (!entry)
            return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
        proptag_t tag = ews_indexed_tag_new(u->mailbox, entry);
        if (!tag)
            return EC_NAMED_PROP_QUOTA;
        EC_TRY(set_str(u, tag, c->text));
    }
    return EC_OK;
}

static const struct {
    const char *key;
    proptag_t address, name, type, original, entry_id;
} emails[] = {
    {"EmailAddress1", PidLidEmail1EmailAddress, PidLidEmail1DisplayName, PidLidEmail1AddressType,
     PidLidEmail1OriginalDisplayName, PidLidEmail1OriginalEntryId},
    {"EmailAddress2", PidLidEmail2EmailAddress, PidLidEmail2DisplayName, PidLidEmail2AddressType,
     PidLidEmail2OriginalDisplayName, PidLidEmail2OriginalEntryId},
    {"EmailAddress3", PidLidEmail3EmailAddress, PidLidEmail3DisplayName, PidLidEmail3AddressType,
     PidLidEmail3OriginalDisplayName, PidLidEmail3OriginalEntryId},
};

enum ec ews_email_remove(struct ews_update *u, const char *key) {
    for (unsigned i = 0; i < G_N_ELEMENTS(emails); i++) {
        if (strcmp(emails[i].key, key) != 0)
            continue;
        item_remove(u->item, emails[i].address);
        item_remove(u->item, emails[i].name);
        item_remove(u->item, emails[i].type);
        item_remove(u->item, emails[i].original);
        item_remove(u->item, emails[i].entry_id);
    }
    return EC_OK;
}

static enum ec set_email(struct ews_update *u, unsigned i, const struct ews_node *node) {
    const char *address = ews_text(u->call->arena, node);
    const char *name = ews_attribute(node, "Name"), *type = ews_attribute(node, "RoutingType");
    if (!*address)
        return ews_email_remove(u, emails[i].key);
    if (!name)
        name = address;
    if (!type || !*type)
        type = "SMTP";
    struct prop_bin id = entry_id_of_address(u->call->arena, name, type, address);
    struct prop_value v = prop_bytes(emails[i].entry_id, id.data, id.len);
    EC_TRY(set_str(u, emails[i].address, address));
    EC_TRY(set_str(u, emails[i].name, name));
    EC_TRY(set_str(u, emails[i].type, type));
    EC_TRY(set_str(u, emails[i].original, address));
    return ews_update_set(u, &v);
}

enum ec ews_set_email_addresses(struct ews_update *u, const struct ews_property *p,
                                const struct ews_node *node) {
    for (const struct ews_node *c = node->child; c; c = c->next) {
        const char *key = ews_attribute(c, "Key");
        bool is_known = false;
        for (unsigned i = 0; key && i < G_N_ELEMENTS(emails); i++) {
            if (strcmp(emails[i].key, key) != 0)
                continue;
            EC_TRY(set_email(u, i, c));
            is_known = true;
        }
        if (!is_known)
            return ews_fail_property(u->call, "ErrorInvalidContactEmailIndex", p);
    }
    return EC_OK;
}

enum ec ews_set_physical_addresses(struct ews_update *u, const struct ews_property *p,
                                   const struct ews_node *node) {
    for (const struct ews_node *c = node->child; c; c = c->next) {
        const char *key = ews_attribute(c, "Key");
        for (const struct ews_node *part = c->child; part; part = part->next) {
            const char *uri =
                arena_printf(u->call->arena, "contacts:PhysicalAddress:%s", part->name);
            const struct ews_indexed *entry = key ? ews_indexed_find(uri, key) : NULL;
            if (!entry)
                return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
            EC_TRY(set_str(u, entry->tag, part->text));
        }
    }
    return EC_OK;
}

enum ec ews_remove_physical_addresses(struct ews_update *u, const struct ews_property *p,
                                      const char *index) {
    unsigned n;
    const struct ews_indexed *all = ews_indexed_all(&n);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(all[i].property, p->uri) == 0)
            item_remove(u->item, all[i].tag);
    return EC_OK;
}

// --- Lists ---

enum ec ews_remove_members(struct ews_update *u, const struct ews_property *p, const char *index) {
    item_remove(u->item, PidLidDistributionListMembers);
    item_remove(u->item, PidLidDistributionListOneOffMembers);
    return EC_OK;
}

// [MS-OXOCNTC] 2.2.2.2.1: both lists have the same members in the same order.
enum ec ews_set_members(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    struct arena *arena = u->call->arena;
    struct prop_value old = {0};
    unsigned room = ews_count(node), n = 0;
    if (u->appends)
        item_get(u->item, arena, PidLidDistributionListOneOffMembers, 0, &old);
    uint32_t n_old = old.tag ? old.mv.n : 0;
    if (room + n_old > MEMBERS_MAX)
        return EC_TOO_MANY_OBJECTS;
    struct prop_bin *members = arena_alloc0(arena, (room + n_old + 1) * sizeof *members);
    for (uint32_t i = 0; i < n_old; i++)
        members[n++] = old.mv.bin[i];
    for (const struct ews_node *c = node->child; c; c = c->next) {
        struct item_person person;
        const struct ews_node *mailbox = ews_child(c, "Mailbox");
        if (!mailbox)
            continue;
        EC_TRY(ews_read_mailbox(u->call, mailbox, &person));
        members[n++] = entry_id_of_address(arena, person.name, person.type ? person.type : "SMTP",
                                           person.address);
    }
    struct prop_value v = {.tag = PidLidDistributionListMembers, .mv = {.n = n, .bin = members}};
    EC_TRY(ews_update_set(u, &v));
    v.tag = PidLidDistributionListOneOffMembers;
    return ews_update_set(u, &v);
}

// --- Tasks ---

static enum ec set_completion(struct ews_update *u, int32_t status, filetime_t when) {
    bool is_complete = status == 2;
    struct prop_value v = prop_long(PidLidTaskStatus, status);
    EC_TRY(ews_update_set(u, &v));
    v = prop_bool(PidLidTaskComplete, is_complete);
    EC_TRY(ews_update_set(u, &v));
    if (!is_complete) {
        item_remove(u->item, PidLidTaskDateCompleted);
        return EC_OK;
    }
    v = prop_time(PidLidTaskDateCompleted, when ? when : clock_now());
    EC_TRY(ews_update_set(u, &v));
    v = (struct prop_value){.tag = PidLidPercentComplete, .d = 1.0};
    return ews_update_set(u, &v);
}

enum ec ews_set_task_status(struct ews_update *u, const struct ews_property *p,
                            const struct ews_node *node) {
    const char *text = ews_text(u->call->arena, node);
    for (const struct ews_enum_name *n = p->names; n->name; n++)
        if (strcmp(n->name, text) == 0)
            return set_completion(u, n->value, 0);
    return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
}

enum ec ews_set_complete_date(struct ews_update *u, const struct ews_property *p,
                              const struct ews_node *node) {
    filetime_t when;
    if (!ews_date_parse(u->call, node->text, &when) || when > clock_now() + 86400 * FILETIME_SECOND)
        return ews_fail_property(u->call, "ErrorInvalidCompleteDate", p);
    return set_completion(u, 2, when);
}

enum ec ews_set_percent(struct ews_update *u, const struct ews_property *p,
                        const struct ews_node *node) {
    char *end;
    double percent = g_ascii_strtod(node->text, &end);
    if (end == node->text || percent < 0 || percent > 100)
        return ews_fail_property(u->call, "ErrorInvalidPercentCompleteValue", p);
    struct prop_value v = {.tag = PidLidPercentComplete, .d = percent / 100}, status;
    EC_TRY(ews_update_set(u, &v));
    bool has_status = item_get(u->item, u->call->arena, PidLidTaskStatus, 0, &status) == EC_OK;
    if (percent >= 100)
        return set_completion(u, 2, 0);
    if (percent > 0 && (!has_status || status.l == 0 || status.l == 2))
        return set_completion(u, 1, 0);
    if (percent == 0 && has_status && status.l == 2)
        return set_completion(u, 0, 0);
    return EC_OK;
}

static enum ec set_two_times(struct ews_update *u, const struct ews_property *p,
                             const struct ews_node *node, proptag_t other) {
    struct prop_value v = {.tag = p->tag};
    if (!ews_date_parse(u->call, node->text, &v.time))
        return ews_fail_property(u->call, "ErrorInvalidPropertySet", p);
    EC_TRY(ews_update_set(u, &v));
    v.tag = other;
    return ews_update_set(u, &v);
}

enum ec ews_set_task_date(struct ews_update *u, const struct ews_property *p,
                          const struct ews_node *node) {
    return set_two_times(u, p, node,
                         p->tag == PidLidTaskStartDate ? PidLidCommonStart : PidLidCommonEnd);
}

enum ec ews_set_calendar_time(struct ews_update *u, const struct ews_property *p,
                              const struct ews_node *node) {
    return set_two_times(
        u, p, node, p->tag == PidLidAppointmentStartWhole ? PidLidCommonStart : PidLidCommonEnd);
}
