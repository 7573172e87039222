// Properties that name other entries: members and owners of groups, what somebody is a member or an
// owner of, delegates ([MS-OXOABK] 2.2.5, 2.2.6), and changing them (NspiModLinkAtt).
//
// Owners of a group are a setting of its entry; delegates are those who may send on behalf.
#include <string.h>

#include "directory/restriction.h"
#include "directory/setting.h"
#include "mapi/catalogue.h"
#include "protocol/nspi/limits.h"
#include "protocol/nspi/nspi_internal.h"

#define SETTING_OWNERS "group.owners" // guids, separated by commas

static enum ec owners(struct nspi_session *s, struct arena *arena, const struct guid *group,
                      struct directory_list *out) {
    const char *text;
    *out = (struct directory_list){0};
    enum ec ec = directory_setting(s->service->directory, arena, group, SETTING_OWNERS, &text);
    if (ec != EC_OK)
        return ec == EC_NOT_FOUND ? EC_OK : ec;
    return directory_guids_objects(s->service->directory, arena, text, out);
}

static bool list_has(const struct directory_list *list, const struct guid *guid) {
    for (unsigned i = 0; i < list->n; i++)
        if (guid_equal(&list->items[i]->guid, guid))
            return true;
    return false;
}

static enum ec groups_of(struct nspi_session *s, struct arena *arena, const struct guid *who,
                         struct directory_list *out) {
    struct directory *d = s->service->directory;
    struct guid *guids;
    unsigned n;
    EC_TRY(directory_groups_of(d, arena, who, &guids, &n));
    out->n = 0;
    out->items = arena_alloc0(arena, (n + 1) * sizeof *out->items);
    for (unsigned i = 0; i < n; i++) {
        struct directory_object *group;
        struct directory_list direct;
        if (directory_find_guid(d, arena, &guids[i], &group) != EC_OK || group->is_hidden)
            continue;
        // Only what names them itself; groups of groups show on the group.
        if (group->kind != DIRECTORY_GROUP ||
            (directory_members(d, arena, &guids[i], &direct) == EC_OK && list_has(&direct, who)))
            out->items[out->n++] = group;
    }
    return EC_OK;
}

static enum ec owned_by(struct nspi_session *s, struct arena *arena, const struct guid *who,
                        struct directory_list *out) {
    struct book *book = s->book;
    GPtrArray *found = g_ptr_array_new();
    for (unsigned i = 0; i < book->n; i++) {
        struct directory_list list;
        if (book->objects[i]->kind == DIRECTORY_GROUP &&
            owners(s, arena, &book->objects[i]->guid, &list) == EC_OK && list_has(&list, who))
            g_ptr_array_add(found, book->objects[i]);
    }
    out->n = found->len;
    out->items = arena_memdup(arena, found->pdata, found->len * sizeof *out->items);
    g_ptr_array_free(found, TRUE);
    return EC_OK;
}

static enum ec delegates(struct nspi_session *s, struct arena *arena, const struct guid *on,
                         struct directory_list *out) {
    struct directory_grant_list grants;
    EC_TRY(directory_grants(s->service->directory, arena, on, &grants));
    out->n = 0;
    out->items = arena_alloc0(arena, (grants.n + 1) * sizeof *out->items);
    for (unsigned i = 0; i < grants.n; i++)
        if (grants.items[i].rights & DIRECTORY_SEND_ON_BEHALF)
            out->items[out->n++] = grants.items[i].who;
    return EC_OK;
}

bool link_is_property(uint16_t id) {
    return id == PROP_ID(PidTagAddressBookMember) || id == PROP_ID(PidTagAddressBookOwner) ||
           id == PROP_ID(PidTagAddressBookOwnerBackLink) ||
           id == PROP_ID(PidTagAddressBookIsMemberOfDistributionList) ||
           id == PROP_ID(PidTagAddressBookPublicDelegates) ||
           id == PROP_ID(PidTagAddressBookManager) || id == PROP_ID(PidTagAddressBookReports);
}

enum ec link_targets(struct nspi_session *s, struct arena *arena, const struct nspi_object *object,
                     uint16_t id, struct directory_list *out) {
    *out = (struct directory_list){0};
    if (!link_is_property(id))
        return EC_NOT_SUPPORTED;
    const struct directory_object *entry = object->entry;
    if (!entry)
        return EC_OK;
    bool is_static = entry->kind == DIRECTORY_GROUP;
    if (id == PROP_ID(PidTagAddressBookMember))
        return is_static ? directory_members(s->service->directory, arena, &entry->guid, out)
                         : EC_OK;
    if (id == PROP_ID(PidTagAddressBookOwner))
        return is_static ? owners(s, arena, &entry->guid, out) : EC_OK;
    if (id == PROP_ID(PidTagAddressBookIsMemberOfDistributionList))
        return groups_of(s, arena, &entry->guid, out);
    if (id == PROP_ID(PidTagAddressBookOwnerBackLink))
        return owned_by(s, arena, &entry->guid, out);
    if (id == PROP_ID(PidTagAddressBookPublicDelegates) && entry->has_mailbox)
        return delegates(s, arena, &entry->guid, out);
    return EC_OK;
}

// --- Changing ---

bool link_may_change(struct nspi_session *s, struct arena *arena, const struct nspi_object *object,
                     uint16_t id) {
    if (!object->entry)
        return false;
    if (id == PROP_ID(PidTagAddressBookPublicDelegates))
        return object->entry->has_mailbox &&
               (s->who->is_admin || guid_equal(&s->who->guid, &object->entry->guid));
    struct directory_list list;
    return id == PROP_ID(PidTagAddressBookMember) && object->entry->kind == DIRECTORY_GROUP &&
           owners(s, arena, &object->entry->guid, &list) == EC_OK &&
           (s->who->is_admin || list_has(&list, &s->who->guid));
}

static enum ec change(struct directory *d, uint16_t id, bool is_delete, const struct guid *on,
                      const struct guid *who) {
    if (id == PROP_ID(PidTagAddressBookPublicDelegates))
        return is_delete ? directory_revoke(d, on, who, DIRECTORY_SEND_ON_BEHALF)
                         : directory_grant(d, on, who, DIRECTORY_SEND_ON_BEHALF);
    return is_delete ? directory_member_remove(d, on, who) : directory_member_add(d, on, who);
}

// Whether the object's display type has this property at all ([MS-OXNSPI] 3.1.4.1.15).
static bool fits(const struct directory_object *entry, uint16_t id) {
    if (id == PROP_ID(PidTagAddressBookMember))
        return object_display_type(entry) == 1;
    return entry && object_display_type(entry) == 0;
}

enum ec nspi_mod_link_att(struct nspi_session *s, struct arena *arena, uint32_t flags,
                          proptag_t tag, uint32_t mid, const struct prop_bin *entry_ids,
                          unsigned n) {
    uint16_t id = PROP_ID(tag);
    if (id != PROP_ID(PidTagAddressBookMember) && id != PROP_ID(PidTagAddressBookPublicDelegates))
        return EC_NOT_FOUND;
    if (n > NSPI_MAX_LINKS)
        return EC_TABLE_TOO_BIG;
    EC_TRY(session_book(s));
    struct nspi_object object;
    if (object_find(s, arena, mid, &object) != EC_OK)
        return EC_INVALID_PARAMETER;
    if (!fits(object.entry, id) || !link_may_change(s, arena, &object, id))
        return EC_ACCESS_DENIED;
    // All are looked up before the first is changed, so that an unknown one changes nothing.
    struct guid *who = arena_alloc(arena, (n + 1) * sizeof *who);
    for (unsigned i = 0; i < n; i++)
        if (!object_of_entry_id(s, arena, entry_ids[i], &who[i]))
            return EC_ACCESS_DENIED;
    struct directory_list now;
    EC_TRY(link_targets(s, arena, &object, id, &now));
    for (unsigned i = 0; i < n; i++) {
        bool is_delete = flags & NSPI_DELETE;
        if (list_has(&now, &who[i]) != is_delete)
            continue; // nothing to do ([MS-OXNSPI] 3.1.4.1.15)
        enum ec ec = change(s->service->directory, id, is_delete, &object.entry->guid, &who[i]);
        if (ec != EC_OK && ec != EC_COLLISION && ec != EC_NOT_FOUND)
            return EC_ACCESS_DENIED;
    }
    return EC_OK;
}
