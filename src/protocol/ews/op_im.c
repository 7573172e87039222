// The unified contact store ([MS-OXWSCOS] 3.1.4): groups and people of instant messaging clients.
#include <string.h>

#include "mailbox/im_list.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define NAME_MAX_CHARS 256

static enum ec say(struct ews_call *call, enum ec ec, bool is_contact) {
    switch (ec) {
    case EC_COLLISION:
        return ews_fail(call, "ErrorImGroupDisplayNameAlreadyExists", NULL);
    case EC_TOO_MANY_OBJECTS:
        return ews_fail(
            call, is_contact ? "ErrorImContactLimitReached" : "ErrorImGroupLimitReached", NULL);
    case EC_NOT_FOUND:
        return ews_fail(call, is_contact ? "ErrorInvalidImContactId" : "ErrorInvalidImGroupId",
                        NULL);
    default:
        return ec;
    }
}

// The own message that an id element names.
static enum ec read_id(struct ews_call *call, const char *element, bool is_contact,
                       struct ews_mailbox **own_out, uint64_t *mid_out) {
    const struct ews_node *node = ews_child(call->request, element);
    struct ews_item_ref ref;
    EC_TRY(ews_own_mailbox(call, own_out));
    if (!node || ews_read_item_id(call, node, &ref) != EC_OK || ref.mailbox != *own_out)
        return say(call, EC_NOT_FOUND, is_contact);
    *mid_out = ref.mid;
    return EC_OK;
}

static enum ec read_text(struct ews_call *call, const char *element, const char **out) {
    *out = ews_child_text(call->arena, call->request, element);
    if (!*out || !**out || g_utf8_strlen(*out, -1) > NAME_MAX_CHARS)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    return EC_OK;
}

static enum ec done(struct ews_call *call) {
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

// --- Writing ---

static void write_group(struct ews_call *call, const char *element, struct ews_mailbox *own,
                        const struct im_group *g) {
    struct ews_writer *w = call->w;
    ews_open(w, element);
    ews_element(w, "t:DisplayName", g->name);
    ews_element(w, "t:GroupType", g->class);
    ews_write_item_id(call, "t:ExchangeStoreId", own, FID_IM_CONTACT_LIST, g->mid, EWS_OBJECT_LIST,
                      g->cn);
    if (g->n_members > 0) {
        ews_open(w, "t:MemberCorrelationKey");
        for (unsigned i = 0; i < g->n_members; i++)
            ews_write_item_id(call, "t:ItemId", own, FID_QUICK_CONTACTS, g->members[i],
                              EWS_OBJECT_CONTACT, 0);
        ews_close(w);
    }
    ews_element(w, "t:SmtpAddress", g->address);
    ews_close(w);
}

static enum ec find_group(struct ews_call *call, struct ews_mailbox *own, uint64_t mid,
                          const struct im_group **out) {
    struct im_list list;
    EC_TRY(mailbox_im_list(own->m, call->arena, &list));
    for (unsigned i = 0; i < list.n_groups; i++)
        if (list.groups[i].mid == mid) {
            *out = &list.groups[i];
            return EC_OK;
        }
    return say(call, EC_NOT_FOUND, false);
}

static bool is_wanted(struct ews_call *call, const struct ews_node *ids, uint64_t mid) {
    for (const struct ews_node *n = ids ? ids->child : NULL; n; n = n->next) {
        struct ews_item_ref ref;
        if (ews_read_item_id(call, n, &ref) == EC_OK && ref.mid == mid)
            return true;
    }
    return false;
}

// All, or with `by_id` those that the request names.
static enum ec write_list(struct ews_call *call, bool by_id) {
    const struct ews_node *groups = ews_child(call->request, "GroupIds");
    const struct ews_node *contacts = ews_child(call->request, "ContactIds");
    struct ews_writer *w = call->w;
    struct ews_mailbox *own;
    struct im_list list;
    EC_TRY(ews_own_mailbox(call, &own));
    EC_TRY(mailbox_im_list(own->m, call->arena, &list));
    ews_success(call);
    ews_open(w, "m:ImItemList");
    ews_open(w, "t:Groups");
    for (unsigned i = 0; i < list.n_groups; i++)
        if (!by_id || is_wanted(call, groups, list.groups[i].mid))
            write_group(call, "t:ImGroup", own, &list.groups[i]);
    ews_close(w);
    ews_open(w, "t:Personas");
    for (unsigned i = 0; i < list.n_contacts; i++) {
        struct ews_persona p = {.contact = &list.contacts[i], .mailbox = own};
        if (!by_id || is_wanted(call, contacts, list.contacts[i].mid))
            ews_write_persona(call, "t:Persona", &p, false);
    }
    ews_close(w);
    ews_close(w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_im_item_list(struct ews_call *call) {
    return write_list(call, false);
}

enum ec op_get_im_items(struct ews_call *call) {
    return write_list(call, true);
}

// --- Groups ---

static enum ec add_group(struct ews_call *call, const char *name, const char *address) {
    struct ews_mailbox *own;
    const struct im_group *group;
    uint64_t mid;
    EC_TRY(ews_own_mailbox(call, &own));
    EC_TRY(say(call, mailbox_add_im_group(own->m, name, address, &mid), false));
    EC_TRY(find_group(call, own, mid, &group));
    ews_success(call);
    write_group(call, "m:ImGroup", own, group);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_add_im_group(struct ews_call *call) {
    const char *name;
    EC_TRY(read_text(call, "DisplayName", &name));
    return add_group(call, name, NULL);
}

enum ec op_add_distribution_group_to_im_list(struct ews_call *call) {
    const char *name, *address;
    struct directory_object *object;
    EC_TRY(read_text(call, "SmtpAddress", &address));
    EC_TRY(read_text(call, "DisplayName", &name));
    if (ews_find_object(call, address, &object) != EC_OK ||
        (object->kind != DIRECTORY_GROUP && object->kind != DIRECTORY_DYNAMIC))
        return ews_fail(call, "ErrorInvalidImDistributionGroupSmtpAddress", NULL);
    return add_group(call, name, object->address);
}

enum ec op_set_im_group(struct ews_call *call) {
    struct ews_mailbox *own;
    const char *name;
    uint64_t mid;
    EC_TRY(read_id(call, "GroupId", false, &own, &mid));
    EC_TRY(read_text(call, "NewDisplayName", &name));
    EC_TRY(say(call, mailbox_rename_im_group(own->m, mid, name), false));
    return done(call);
}

static enum ec remove_group(struct ews_call *call) {
    struct ews_mailbox *own;
    uint64_t mid;
    EC_TRY(read_id(call, "GroupId", false, &own, &mid));
    EC_TRY(say(call, mailbox_remove_im_group(own->m, mid), false));
    return done(call);
}

enum ec op_remove_im_group(struct ews_call *call) {
    return remove_group(call);
}

enum ec op_remove_distribution_group_from_im_list(struct ews_call *call) {
    return remove_group(call);
}

// --- People ---

// A new one goes into the group that the request names, if any.
static enum ec add_contact(struct ews_call *call, const struct im_contact *contact) {
    struct ews_mailbox *own;
    struct contact *c = arena_alloc0(call->arena, sizeof *c);
    uint64_t mid, group = 0;
    EC_TRY(ews_own_mailbox(call, &own));
    if (ews_child(call->request, "GroupId")) {
        const struct im_group *found;
        EC_TRY(read_id(call, "GroupId", false, &own, &group));
        EC_TRY(find_group(call, own, group, &found));
    }
    EC_TRY(say(call, mailbox_add_im_contact(own->m, contact, &mid), true));
    if (group)
        EC_TRY(say(call, mailbox_set_im_member(own->m, group, mid, true), false));
    EC_TRY(mailbox_get_contact(own->m, call->arena, mid, c));
    struct ews_persona p = {.contact = c, .mailbox = own};
    ews_success(call);
    ews_write_persona(call, "m:Persona", &p, false);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_add_new_im_contact_to_group(struct ews_call *call) {
    struct im_contact contact = {.name = ews_child_text(call->arena, call->request, "DisplayName")};
    EC_TRY(read_text(call, "ImAddress", &contact.im_address));
    return add_contact(call, &contact);
}

enum ec op_add_new_tel_uri_contact_to_group(struct ews_call *call) {
    struct im_contact contact = {0};
    EC_TRY(read_text(call, "ImContactSipUriAddress", &contact.im_address));
    EC_TRY(read_text(call, "ImTelephoneNumber", &contact.phone));
    return add_contact(call, &contact);
}

static enum ec set_member(struct ews_call *call, bool is_member) {
    struct ews_mailbox *own;
    struct contact known;
    uint64_t contact, group;
    EC_TRY(read_id(call, "ContactId", true, &own, &contact));
    EC_TRY(say(call, mailbox_get_contact(own->m, call->arena, contact, &known), true));
    if (!ews_child(call->request, "GroupId"))
        return done(call); // it is in the list anyway
    EC_TRY(read_id(call, "GroupId", false, &own, &group));
    EC_TRY(say(call, mailbox_set_im_member(own->m, group, contact, is_member), false));
    return done(call);
}

enum ec op_add_im_contact_to_group(struct ews_call *call) {
    return set_member(call, true);
}

enum ec op_remove_im_contact_from_group(struct ews_call *call) {
    return set_member(call, false);
}

enum ec op_remove_contact_from_im_list(struct ews_call *call) {
    struct ews_mailbox *own;
    uint64_t mid;
    EC_TRY(read_id(call, "ContactId", true, &own, &mid));
    EC_TRY(say(call, mailbox_remove_im_contact(own->m, mid), true));
    return done(call);
}

// The list is kept here from the beginning, so there is nothing to switch over.
enum ec op_set_im_list_migration_completed(struct ews_call *call) {
    bool is_completed;
    const char *text = ews_child_text(call->arena, call->request, "ImListMigrationCompleted");
    if (!text || !ews_parse_bool(text, &is_completed))
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    return done(call);
}
