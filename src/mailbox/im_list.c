// Groups and people of instant messaging, as messages of two folders.
#include "mailbox/im_list.h"

#include <string.h>

#include "base/text.h"
#include "mailbox/item.h"
#include "mailbox/mailbox_internal.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"

#define PREFIX "IPM.DistList.MOC."
#define WRAPPED_CONTACT 0xC3 // [MS-OXOCNTC] 2.2.2.2.1.2: a contact, its first address
#define MEMBERS_MAX IM_CONTACTS_MAX

static enum ec require_owner(const struct mailbox *m) {
    return m->is_public || !rights_are_full(m) ? EC_ACCESS_DENIED : EC_OK;
}

// --- Groups as messages ---

static bool is_group(const struct bag *bag) {
    const char *class = bag_str(bag, PidTagMessageClass);
    return class && g_ascii_strncasecmp(class, PREFIX, strlen(PREFIX)) == 0;
}

// The contact that an entry of PidLidDistributionListMembers names; 0: none.
static uint64_t member_of(struct arena *arena, struct prop_bin bytes) {
    struct entry_id id;
    if (entry_id_parse(arena, bytes, &id) != EC_OK)
        return 0;
    if (id.kind == ENTRY_ID_WRAPPED && entry_id_parse(arena, id.wrapped.entry, &id) != EC_OK)
        return 0;
    return id.kind == ENTRY_ID_MESSAGE ? id.message.counter : 0;
}

static void read_members(struct arena *arena, const struct bag *bag, struct im_group *g) {
    const struct prop_value *v = bag_get(bag, PidLidDistributionListMembers);
    unsigned n = v ? MIN(v->mv.n, (uint32_t)MEMBERS_MAX) : 0;
    g->members = arena_alloc(arena, (n + 1) * sizeof *g->members);
    for (unsigned i = 0; i < n; i++) {
        uint64_t mid = member_of(arena, v->mv.bin[i]);
        if (mid)
            g->members[g->n_members++] = mid;
    }
}

// EC_NOT_FOUND: no group, or of another folder.
static enum ec read_group(struct mbox_tx *tx, struct arena *arena, uint64_t mid,
                          struct im_group *out) {
    struct message *message;
    if (!contact_is_there(tx, mid))
        return EC_NOT_FOUND;
    EC_TRY(message_open(tx, mid, &message));
    const struct bag *bag = message_value(message)->bag;
    bool is_ours = message_fid(message) == FID_IM_CONTACT_LIST && is_group(bag);
    *out = (struct im_group){.mid = mid};
    if (is_ours) {
        const char *name = bag_str(bag, PidTagDisplayName);
        out->name = arena_strdup(arena, name ? name : "");
        out->class = arena_strdup(arena, bag_str(bag, PidTagMessageClass));
        out->address = arena_strdup(arena, bag_str(bag, PidLidEmail1EmailAddress));
        read_members(arena, bag, out);
    }
    message_free(message);
    return is_ours ? EC_OK : EC_NOT_FOUND;
}

// All groups; `rows` of the folder are those of the snapshot or the write.
static enum ec read_groups(struct mbox_tx *tx, struct arena *arena, struct im_list *out) {
    struct folder_rows *rows;
    EC_TRY(folder_rows_get(tx_mbox(tx), FID_IM_CONTACT_LIST, &rows));
    uint32_t n = MIN(folder_rows_count(rows), (uint32_t)(4 * IM_GROUPS_MAX));
    out->groups = arena_alloc0(arena, (n + 1) * sizeof *out->groups);
    for (uint32_t i = 0; i < n; i++)
        if (read_group(tx, arena, folder_rows_at(rows, i)->mid, &out->groups[out->n_groups]) ==
            EC_OK)
            out->n_groups++;
    folder_rows_unref(rows);
    return EC_OK;
}

enum ec mailbox_im_list(struct mailbox *m, struct arena *arena, struct im_list *out) {
    struct contact_list contacts;
    MBOX_TX_AUTO tx = NULL;
    *out = (struct im_list){0};
    EC_TRY(require_owner(m));
    EC_TRY(mailbox_find_contacts(m, arena, FID_QUICK_CONTACTS, "", 0, IM_CONTACTS_MAX, &contacts));
    out->contacts = contacts.items;
    out->n_contacts = contacts.n;
    EC_TRY(mbox_read(m->mbox, &tx));
    return read_groups(tx, arena, out);
}

// --- Changing groups ---

static bool is_taken(const struct im_list *list, const char *name, uint64_t except) {
    for (unsigned i = 0; i < list->n_groups; i++)
        if (list->groups[i].mid != except && text_compare_folded(list->groups[i].name, name) == 0)
            return true;
    return false;
}

enum ec mailbox_add_im_group(struct mailbox *m, const char *name, const char *address,
                             uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    struct im_list list;
    EC_TRY(mailbox_im_list(m, arena, &list));
    if (list.n_groups >= IM_GROUPS_MAX)
        return EC_TOO_MANY_OBJECTS;
    if (is_taken(&list, name, 0))
        return EC_COLLISION;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, address ? IM_GROUP_DIRECTORY : IM_GROUP_OWN);
    bag_set_str(value->bag, PidTagDisplayName, name);
    bag_set_str(value->bag, PidTagSubject, name);
    bag_set_str(value->bag, PidLidDistributionListName, name);
    bag_set_str(value->bag, PidLidEmail1EmailAddress, address);
    struct item_new spec = {.value = value, .flags = MSG_READ};
    enum ec ec = item_create(m, FID_IM_CONTACT_LIST, &spec, mid_out);
    message_value_free(value);
    return ec;
}

struct group_change {
    struct mailbox *m;
    uint64_t group, contact; // contact 0: only the name
    const char *name;        // NULL: stays
    bool adds;
};

static struct prop_bin wrapped(struct arena *arena, const struct mbox_info *info, uint64_t fid,
                               uint64_t mid) {
    struct entry_id id = {.kind = ENTRY_ID_WRAPPED};
    id.wrapped.type = WRAPPED_CONTACT;
    id.wrapped.entry = entry_id_of_message(arena, &info->guid, &info->replica, fid, mid);
    return entry_id_bytes(arena, &id);
}

static enum ec change_members(struct mbox_tx *tx, struct arena *arena, struct message *message,
                              const struct group_change *c) {
    const struct prop_value *old =
        bag_get(message_value(message)->bag, PidLidDistributionListMembers);
    unsigned n_old = old ? MIN(old->mv.n, (uint32_t)MEMBERS_MAX) : 0, n = 0;
    struct prop_bin *members = arena_alloc0(arena, (n_old + 1) * sizeof *members);
    bool was_there = false;
    for (unsigned i = 0; i < n_old; i++) {
        if (member_of(arena, old->mv.bin[i]) == c->contact)
            was_there = true;
        else
            members[n++] = old->mv.bin[i];
    }
    if (!c->adds && !was_there)
        return EC_NOT_FOUND;
    if (c->adds) {
        struct mbox_info info;
        uint64_t fid;
        struct guid creator;
        EC_TRY(message_get_creator(tx, c->contact, &fid, &creator));
        EC_TRY(mbox_get_info(tx, arena, &info));
        if (n >= MEMBERS_MAX)
            return EC_TOO_MANY_OBJECTS;
        members[n++] = wrapped(arena, &info, fid, c->contact);
    }
    if (n == 0)
        return message_remove_prop(message, PidLidDistributionListMembers);
    struct prop_value v = {.tag = PidLidDistributionListMembers};
    v.mv.n = n;
    v.mv.bin = members;
    return message_set_prop(message, &v);
}

static enum ec rename_group(struct message *message, const char *name) {
    static const proptag_t tags[] = {PidTagDisplayName, PidTagSubject, PidLidDistributionListName};
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++) {
        struct prop_value v = prop_str(tags[i], name);
        EC_TRY(message_set_prop(message, &v));
    }
    return EC_OK;
}

static enum ec change_group(struct mbox_tx *tx, void *ctx) {
    const struct group_change *c = ctx;
    ARENA_AUTO arena = arena_new();
    struct im_group group;
    struct message *message;
    EC_TRY(read_group(tx, arena, c->group, &group));
    EC_TRY(message_open(tx, c->group, &message));
    enum ec ec = c->contact ? change_members(tx, arena, message, c) : EC_OK;
    if (ec == EC_OK && c->name)
        ec = rename_group(message, c->name);
    if (ec == EC_OK)
        ec = message_save(tx, message, MESSAGE_SAVE_FORCE);
    message_free(message);
    return ec;
}

enum ec mailbox_rename_im_group(struct mailbox *m, uint64_t group, const char *name) {
    ARENA_AUTO arena = arena_new();
    struct im_list list;
    struct group_change c = {.m = m, .group = group, .name = name};
    EC_TRY(mailbox_im_list(m, arena, &list));
    if (is_taken(&list, name, group))
        return EC_COLLISION;
    return mbox_write(m->mbox, change_group, &c);
}

enum ec mailbox_set_im_member(struct mailbox *m, uint64_t group, uint64_t contact, bool is_member) {
    struct group_change c = {.m = m, .group = group, .contact = contact, .adds = is_member};
    EC_TRY(require_owner(m));
    return mbox_write(m->mbox, change_group, &c);
}

static enum ec remove_group(struct mbox_tx *tx, void *ctx) {
    const struct group_change *c = ctx;
    ARENA_AUTO arena = arena_new();
    struct im_group group;
    EC_TRY(read_group(tx, arena, c->group, &group));
    return message_delete(tx, FID_IM_CONTACT_LIST, &c->group, 1, DELETE_SOFT, NULL);
}

enum ec mailbox_remove_im_group(struct mailbox *m, uint64_t group) {
    struct group_change c = {.m = m, .group = group};
    EC_TRY(require_owner(m));
    return mbox_write(m->mbox, remove_group, &c);
}

// --- People ---

enum ec mailbox_add_im_contact(struct mailbox *m, const struct im_contact *contact,
                               uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    struct im_list list;
    EC_TRY(mailbox_im_list(m, arena, &list));
    if (list.n_contacts >= IM_CONTACTS_MAX)
        return EC_TOO_MANY_OBJECTS;
    const char *address = contact->im_address;
    const char *plain = g_ascii_strncasecmp(address, "sip:", 4) == 0 ? address + 4 : address;
    const char *name = contact->name && *contact->name ? contact->name : plain;
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Contact");
    bag_set_str(value->bag, PidTagDisplayName, name);
    bag_set_str(value->bag, PidTagSubject, name);
    bag_set_str(value->bag, PidLidFileUnder, name);
    bag_set_str(value->bag, PidLidInstantMessagingAddress, address);
    bag_set_str(value->bag, PidTagBusinessTelephoneNumber, contact->phone);
    if (strchr(plain, '@')) {
        bag_set_str(value->bag, PidLidEmail1EmailAddress, plain);
        bag_set_str(value->bag, PidLidEmail1AddressType, "SMTP");
        bag_set_str(value->bag, PidLidEmail1DisplayName, name);
        bag_set_str(value->bag, PidLidEmail1OriginalDisplayName, plain);
    }
    struct item_new spec = {.value = value, .flags = MSG_READ};
    enum ec ec = item_create(m, FID_QUICK_CONTACTS, &spec, mid_out);
    message_value_free(value);
    return ec;
}

static enum ec delete_quick(struct mbox_tx *tx, void *ctx) {
    const struct group_change *c = ctx;
    uint64_t fid;
    struct guid creator;
    EC_TRY(message_get_creator(tx, c->contact, &fid, &creator));
    return fid == FID_QUICK_CONTACTS ? message_delete(tx, fid, &c->contact, 1, DELETE_SOFT, NULL)
                                     : EC_OK;
}

enum ec mailbox_remove_im_contact(struct mailbox *m, uint64_t contact) {
    ARENA_AUTO arena = arena_new();
    struct im_list list;
    struct contact known;
    struct group_change c = {.m = m, .contact = contact};
    EC_TRY(mailbox_im_list(m, arena, &list));
    EC_TRY(mailbox_get_contact(m, arena, contact, &known));
    for (unsigned i = 0; i < list.n_groups; i++) {
        enum ec ec = mailbox_set_im_member(m, list.groups[i].mid, contact, false);
        if (ec != EC_OK && ec != EC_NOT_FOUND)
            return ec;
    }
    return mbox_write(m->mbox, delete_quick, &c);
}
