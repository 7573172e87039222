// Delegates: who may work for the owner of a mailbox ([MS-OXODLGT] 2.2.2, 3.1.4).
//
// The list stands in the delegate information object, a message in the Freebusy Data folder that
// PidTagFreeBusyEntryIds names; what a delegate may do is in the lists of the folders; that they
// may send on behalf is in the directory. A delegate is set in that order, so that nobody is listed
// who lacks a right, and removed in the other.
#include "mailbox/delegate.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"

#define DELEGATES_MAX 100
#define OBJECT_INDEX 1      // of PidTagFreeBusyEntryIds ([MS-OXOSFLD] 2.2.6)
#define FLAG_SEES_PRIVATE 1 // of PidTagDelegateFlags
// A tag of our own among those the store may define: which delegates get meeting messages. Clients
// know it from the rule that sends them ([MS-OXODLGT] 2.2.2.1), which is made from this.
#define PR_DELEGATE_RECEIVES PROP_TAG(0x67F1, PT_MV_LONG)

static const uint64_t folders[DELEGATE_FOLDERS] = {
    [DELEGATE_CALENDAR] = FID_CALENDAR, [DELEGATE_TASKS] = FID_TASKS,
    [DELEGATE_INBOX] = FID_INBOX,       [DELEGATE_CONTACTS] = FID_CONTACTS,
    [DELEGATE_NOTES] = FID_NOTES,       [DELEGATE_JOURNAL] = FID_JOURNAL,
};

static enum ec require_owner(const struct mailbox *m) {
    if (m->is_public)
        return EC_NOT_SUPPORTED;
    return rights_are_full(m) ? EC_OK : EC_ACCESS_DENIED;
}

// --- The delegate information object ---

// The message the Inbox names. EC_NOT_FOUND: none yet, or it was deleted.
static enum ec find_object(struct mbox_tx *tx, uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    BAG_AUTO props = NULL;
    struct entry_id id;
    uint64_t fid;
    struct guid creator;
    EC_TRY(folder_get_props(tx, FID_INBOX, &props));
    const struct prop_value *v = bag_get(props, PidTagFreeBusyEntryIds);
    if (!v || v->mv.n <= OBJECT_INDEX ||
        entry_id_parse(arena, v->mv.bin[OBJECT_INDEX], &id) != EC_OK || id.kind != ENTRY_ID_MESSAGE)
        return EC_NOT_FOUND;
    EC_TRY(message_get_creator(tx, id.message.counter, &fid, &creator));
    *mid_out = id.message.counter;
    return fid == FID_FREEBUSY_DATA ? EC_OK : EC_NOT_FOUND;
}

static enum ec name_object_on(struct mbox_tx *tx, uint64_t fid, struct prop_bin id) {
    BAG_AUTO props = NULL;
    BAG_AUTO set = bag_new();
    struct prop_bin ids[8] = {{0, (const uint8_t *)""}};
    EC_TRY(folder_get_props(tx, fid, &props));
    const struct prop_value *v = bag_get(props, PidTagFreeBusyEntryIds);
    unsigned n = v ? MIN(v->mv.n, (uint32_t)G_N_ELEMENTS(ids)) : 0;
    for (unsigned i = 0; i < MAX(n, OBJECT_INDEX + 1); i++)
        ids[i] = i < n ? v->mv.bin[i] : (struct prop_bin){0, (const uint8_t *)""};
    ids[OBJECT_INDEX] = id;
    struct prop_value changed = {.tag = PidTagFreeBusyEntryIds,
                                 .mv = {.n = MAX(n, OBJECT_INDEX + 1), .bin = ids}};
    EC_TRY(bag_set(set, &changed));
    return folder_set_props(tx, fid, set, NULL, 0);
}

static enum ec make_object(struct mbox_tx *tx, uint64_t *mid_out) {
    ARENA_AUTO arena = arena_new();
    struct mbox_info info;
    EC_TRY(mbox_get_info(tx, arena, &info));
    struct message_value *value = message_value_new();
    bag_set_str(value->bag, PidTagMessageClass, "IPM.Microsoft.ScheduleData.FreeBusy");
    bag_set_str(value->bag, PidTagSubject, "LocalFreebusy");
    bag_set_bool(value->bag, PidTagScheduleInfoDelegatorWantsCopy, true);
    bag_set_bool(value->bag, PidTagScheduleInfoDelegatorWantsInfo, false);
    bag_set_bool(value->bag, PidTagScheduleInfoDontMailDelegates, false);
    struct message_new spec = {.value = value, .flags = MSG_READ};
    enum ec ec = message_create(tx, FID_FREEBUSY_DATA, &spec, mid_out, NULL);
    message_value_free(value);
    EC_TRY(ec);
    struct prop_bin id =
        entry_id_of_message(arena, &info.guid, &info.replica, FID_FREEBUSY_DATA, *mid_out);
    EC_TRY(name_object_on(tx, FID_INBOX, id));
    return name_object_on(tx, FID_ROOT, id);
}

// --- The list as properties ---

// One delegate as the object tells it.
struct entry {
    const char *name;
    struct prop_bin id;
    int32_t flags, receives;
};

static int32_t long_at(const struct prop_value *v, unsigned i, int32_t def) {
    return v && i < v->mv.n ? v->mv.l[i] : def;
}

// In the arena.
static GArray *read_entries(struct arena *arena, const struct bag *bag) {
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(struct entry));
    const struct prop_value *ids = bag_get(bag, PidTagScheduleInfoDelegateEntryIds);
    const struct prop_value *names = bag_get(bag, PidTagScheduleInfoDelegateNamesW);
    const struct prop_value *flags = bag_get(bag, PidTagDelegateFlags);
    const struct prop_value *receives = bag_get(bag, PR_DELEGATE_RECEIVES);
    for (unsigned i = 0; ids && i < ids->mv.n && i < DELEGATES_MAX; i++) {
        struct prop_bin id = ids->mv.bin[i];
        struct entry e = {
            .name = arena_strdup(arena, names && i < names->mv.n ? names->mv.str[i] : ""),
            .id = {id.len, arena_memdup(arena, id.data, id.len)},
            .flags = long_at(flags, i, 0),
            .receives = long_at(receives, i, 0),
        };
        g_array_append_val(entries, e);
    }
    return entries;
}

static enum ec write_list(struct message *message, const GArray *entries) {
    const char *names[DELEGATES_MAX];
    struct prop_bin ids[DELEGATES_MAX];
    int32_t flags[DELEGATES_MAX], receives[DELEGATES_MAX];
    unsigned n = entries->len;
    for (unsigned i = 0; i < n; i++) {
        const struct entry *e = &g_array_index(entries, struct entry, i);
        names[i] = e->name;
        ids[i] = e->id;
        flags[i] = e->flags;
        receives[i] = e->receives;
    }
    struct prop_value values[] = {
        {.tag = PidTagScheduleInfoDelegateNames, .mv = {.n = n, .str = names}},
        {.tag = PidTagScheduleInfoDelegateNamesW, .mv = {.n = n, .str = names}},
        {.tag = PidTagScheduleInfoDelegateEntryIds, .mv = {.n = n, .bin = ids}},
        {.tag = PidTagDelegateFlags, .mv = {.n = n, .l = flags}},
        {.tag = PR_DELEGATE_RECEIVES, .mv = {.n = n, .l = receives}},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        EC_TRY(n ? message_set_prop(message, &values[i])
                 : message_remove_prop(message, values[i].tag));
    return EC_OK;
}

// --- Who they are ---

static struct prop_bin entry_id_of(struct arena *arena, const struct directory_object *object) {
    return entry_id_of_address(arena, object->display_name, "SMTP", object->address);
}

// The directory's object behind an entry id; NULL: nobody of ours.
static struct directory_object *object_of(const struct mailbox *m, struct arena *arena,
                                          struct prop_bin bytes) {
    struct entry_id id;
    struct directory_object *object;
    if (entry_id_parse(arena, bytes, &id) != EC_OK || id.kind != ENTRY_ID_ONE_OFF ||
        directory_find_address(m->service->directory, arena, id.one_off.address, &object) != EC_OK)
        return NULL;
    return object;
}

static bool is_entry_of(const struct mailbox *m, const struct entry *e, const struct guid *guid) {
    ARENA_AUTO arena = arena_new();
    struct directory_object *object = object_of(m, arena, e->id);
    return object && guid_equal(&object->guid, guid);
}

// --- Changing ---

struct list_change {
    struct mailbox *m;
    const struct guid *guid; // the delegate to set or remove; NULL: only `meetings`
    const struct entry *set; // NULL: remove
    const enum delegate_meetings *meetings;
};

static enum ec change_entries(struct list_change *c, struct message *message) {
    ARENA_AUTO arena = arena_new();
    g_autoptr(GArray) entries = read_entries(arena, message_value(message)->bag);
    guint i = 0;
    while (i < entries->len &&
           !is_entry_of(c->m, &g_array_index(entries, struct entry, i), c->guid))
        i++;
    if (c->set && i == DELEGATES_MAX)
        return EC_TOO_MANY_OBJECTS;
    if (!c->set && i == entries->len)
        return EC_NOT_FOUND;
    if (!c->set)
        g_array_remove_index(entries, i);
    else if (i < entries->len)
        g_array_index(entries, struct entry, i) = *c->set;
    else
        g_array_append_vals(entries, c->set, 1);
    return write_list(message, entries);
}

// [MS-OXODLGT] 2.2.2.2.4-2.2.2.2.6
static enum ec change_meetings(struct message *message, enum delegate_meetings meetings) {
    struct prop_value copy =
        prop_bool(PidTagScheduleInfoDelegatorWantsCopy, meetings == MEETINGS_TO_BOTH);
    struct prop_value info =
        prop_bool(PidTagScheduleInfoDelegatorWantsInfo, meetings == MEETINGS_TO_DELEGATES_INFORM);
    EC_TRY(message_set_prop(message, &copy));
    return message_set_prop(message, &info);
}

static enum ec change_list(struct mbox_tx *tx, void *ctx) {
    struct list_change *c = ctx;
    uint64_t mid;
    enum ec ec = find_object(tx, &mid);
    if (ec == EC_NOT_FOUND && c->guid && !c->set)
        return EC_NOT_FOUND;
    EC_TRY(ec == EC_NOT_FOUND ? make_object(tx, &mid) : ec);
    struct message *message;
    EC_TRY(message_open(tx, mid, &message));
    ec = c->guid ? change_entries(c, message) : EC_OK;
    if (ec == EC_OK && c->meetings)
        ec = change_meetings(message, *c->meetings);
    if (ec == EC_OK)
        ec = message_save(tx, message, MESSAGE_SAVE_FORCE);
    message_free(message);
    return ec;
}

static enum ec set_folder(struct mailbox *m, uint64_t fid, const struct guid *guid,
                          uint32_t rights) {
    struct mailbox_permission_change change = {.op = rights ? PERMISSION_ADD : PERMISSION_REMOVE,
                                               .member = rights ? guid : NULL,
                                               .member_id = rights_member_id(guid),
                                               .rights = rights};
    return mailbox_modify_permissions(m, fid, 0, &change, 1);
}

static enum ec set_folders(struct mailbox *m, const struct guid *guid,
                           const uint32_t rights[DELEGATE_FOLDERS]) {
    for (unsigned i = 0; i < DELEGATE_FOLDERS; i++)
        EC_TRY(set_folder(m, folders[i], guid, rights[i]));
    // Whoever writes to the calendar writes the free/busy data too ([MS-OXODLGT] 3.1.4.1.2).
    return set_folder(m, FID_FREEBUSY_DATA, guid,
                      rights[DELEGATE_CALENDAR] & RIGHTS_CREATE ? ROLE_EDITOR : ROLE_NONE);
}

enum ec mailbox_set_delegate(struct mailbox *m, const struct mailbox_delegate *delegate) {
    ARENA_AUTO arena = arena_new();
    struct directory *d = m->service->directory;
    struct directory_object *object;
    EC_TRY(require_owner(m));
    EC_TRY(directory_find_guid(d, arena, &delegate->guid, &object));
    if (guid_equal(&object->guid, mbox_guid(m->mbox)))
        return EC_INVALID_PARAMETER;
    EC_TRY(directory_grant(d, mbox_guid(m->mbox), &object->guid, DIRECTORY_SEND_ON_BEHALF));
    EC_TRY(set_folders(m, &object->guid, delegate->rights));
    struct entry entry = {.name = object->display_name,
                          .id = entry_id_of(arena, object),
                          .flags = delegate->sees_private ? FLAG_SEES_PRIVATE : 0,
                          .receives = delegate->receives_meetings};
    struct list_change c = {.m = m, .guid = &object->guid, .set = &entry};
    return mbox_write(m->mbox, change_list, &c);
}

enum ec mailbox_remove_delegate(struct mailbox *m, const struct guid *guid) {
    static const uint32_t none[DELEGATE_FOLDERS];
    EC_TRY(require_owner(m));
    struct list_change c = {.m = m, .guid = guid};
    EC_TRY(mbox_write(m->mbox, change_list, &c));
    EC_TRY(set_folders(m, guid, none));
    enum ec ec =
        directory_revoke(m->service->directory, mbox_guid(m->mbox), guid, DIRECTORY_SEND_ON_BEHALF);
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

enum ec mailbox_set_delegate_meetings(struct mailbox *m, enum delegate_meetings meetings) {
    EC_TRY(require_owner(m));
    struct list_change c = {.m = m, .meetings = &meetings};
    return mbox_write(m->mbox, change_list, &c);
}

// --- Reading ---

static enum ec read_rights(const struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                           struct mailbox_delegate *delegate) {
    char text[GUID_STRING_SIZE];
    guid_format(&delegate->guid, text);
    for (unsigned i = 0; i < DELEGATE_FOLDERS; i++) {
        struct folder_permissions list;
        EC_TRY(folder_get_permissions(tx, arena, folders[i], &list));
        for (unsigned k = 0; k < list.n; k++)
            if (strcmp(list.items[k].member, text) == 0)
                delegate->rights[i] = rights_effective(m, folders[i], text, list.items[k].rights) &
                                      ~(uint32_t)RIGHTS_FREE_BUSY;
    }
    return EC_OK;
}

static enum ec read_delegates(struct mailbox *m, struct mbox_tx *tx, struct arena *arena,
                              const struct bag *bag, struct mailbox_delegate_list *out) {
    g_autoptr(GArray) entries = read_entries(arena, bag);
    out->items = arena_alloc0(arena, (entries->len + 1) * sizeof *out->items);
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *e = &g_array_index(entries, struct entry, i);
        struct directory_object *object = object_of(m, arena, e->id);
        if (!object)
            continue; // somebody who is no longer there
        struct mailbox_delegate *delegate = &out->items[out->n++];
        *delegate = (struct mailbox_delegate){.guid = object->guid,
                                              .name = object->display_name,
                                              .address = object->address,
                                              .sees_private = e->flags & FLAG_SEES_PRIVATE,
                                              .receives_meetings = e->receives != 0};
        EC_TRY(read_rights(m, tx, arena, delegate));
    }
    bool copy = bag_bool(bag, PidTagScheduleInfoDelegatorWantsCopy, true);
    bool info = bag_bool(bag, PidTagScheduleInfoDelegatorWantsInfo, false);
    out->meetings = copy   ? MEETINGS_TO_BOTH
                    : info ? MEETINGS_TO_DELEGATES_INFORM
                           : MEETINGS_TO_DELEGATES;
    return EC_OK;
}

enum ec mailbox_get_delegates(struct mailbox *m, struct arena *arena,
                              struct mailbox_delegate_list *out) {
    EC_TRY(require_owner(m));
    MBOX_TX_AUTO tx = NULL;
    uint64_t mid;
    *out = (struct mailbox_delegate_list){.meetings = MEETINGS_TO_BOTH};
    EC_TRY(mbox_read(m->mbox, &tx));
    enum ec ec = find_object(tx, &mid);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    struct message *message;
    EC_TRY(message_open(tx, mid, &message));
    ec = read_delegates(m, tx, arena, message_value(message)->bag, out);
    message_free(message);
    return ec;
}
