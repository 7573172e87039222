// PermissionSet and CalendarPermissionSet: PidTagMemberRights in words ([MS-OXWSFOLD] 2.2.4.14,
// [MS-OXWSCDATA] 2.2.4.53).
#include <string.h>

#include "directory/directory.h"
#include "protocol/ews/ews_folders.h"

#define MEMBERS_MAX 1000 // of one request

struct level {
    const char *name;
    uint32_t rights;
    bool is_calendar_only;
};
// Levels by their rights, without the free/busy flags that go with them in calendars.
static const struct level levels[] = {
    {"None", ROLE_NONE, false},
    {"Owner", ROLE_OWNER, false},
    {"PublishingEditor", ROLE_PUBLISHING_EDITOR, false},
    {"Editor", ROLE_EDITOR, false},
    {"PublishingAuthor", ROLE_PUBLISHING_AUTHOR, false},
    {"Author", ROLE_AUTHOR, false},
    {"NoneditingAuthor", ROLE_NONEDITING_AUTHOR, false},
    {"Reviewer", ROLE_REVIEWER, false},
    {"Contributor", ROLE_CONTRIBUTOR, false},
    {"FreeBusyTimeOnly", RIGHTS_FREE_BUSY_SIMPLE, true},
    {"FreeBusyTimeAndSubjectAndLocation", RIGHTS_FREE_BUSY, true},
};

// What a level gives in a calendar: whoever may read everything sees free/busy details, too.
static uint32_t level_rights(const struct level *level, bool is_calendar) {
    uint32_t rights = level->rights;
    if (is_calendar && (rights & RIGHTS_READ_ANY))
        rights |= RIGHTS_FREE_BUSY;
    return rights;
}

static const char *level_of(uint32_t rights, bool is_calendar) {
    uint32_t compared = rights & (is_calendar ? RIGHTS_KNOWN : RIGHTS_KNOWN & ~RIGHTS_FREE_BUSY);
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        const struct level *l = &levels[i];
        if (l->is_calendar_only && !is_calendar)
            continue;
        // An owner who is not named as the contact is one all the same.
        uint32_t want = level_rights(l, is_calendar);
        if (compared == want ||
            (compared | RIGHTS_CONTACT) == (want | (want & RIGHTS_OWNER ? RIGHTS_CONTACT : 0u)))
            return l->name;
    }
    return "Custom";
}

// --- Writing ---

static const char *action(uint32_t rights, uint32_t any, uint32_t owned) {
    return rights & any ? "All" : rights & owned ? "Owned" : "None";
}

static const char *reads(uint32_t rights, bool is_calendar) {
    if (rights & RIGHTS_READ_ANY)
        return "FullDetails";
    if (is_calendar && (rights & RIGHTS_FREE_BUSY_DETAILED))
        return "TimeAndSubjectAndLocation";
    return is_calendar && (rights & RIGHTS_FREE_BUSY_SIMPLE) ? "TimeOnly" : "None";
}

static void write_member(struct ews_call *call, const struct mailbox_member *member,
                         bool is_calendar) {
    struct ews_writer *w = call->w;
    uint32_t rights = member->rights;
    ews_open(w, is_calendar ? "t:CalendarPermission" : "t:Permission");
    ews_open(w, "t:UserId");
    if (member->id == MEMBER_DEFAULT || member->id == MEMBER_ANONYMOUS) {
        ews_element(w, "t:DistinguishedUser",
                    member->id == MEMBER_DEFAULT ? "Default" : "Anonymous");
    } else {
        ews_element(w, "t:PrimarySmtpAddress", member->address);
        ews_element(w, "t:DisplayName", member->name);
    }
    ews_close(w);
    ews_element_bool(w, "t:CanCreateItems", rights & RIGHTS_CREATE);
    ews_element_bool(w, "t:CanCreateSubFolders", rights & RIGHTS_CREATE_SUBFOLDER);
    ews_element_bool(w, "t:IsFolderOwner", rights & RIGHTS_OWNER);
    ews_element_bool(w, "t:IsFolderVisible", rights & RIGHTS_VISIBLE);
    ews_element_bool(w, "t:IsFolderContact", rights & RIGHTS_CONTACT);
    ews_element(w, "t:EditItems", action(rights, RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED));
    ews_element(w, "t:DeleteItems", action(rights, RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED));
    ews_element(w, "t:ReadItems", reads(rights, is_calendar));
    ews_element(w, is_calendar ? "t:CalendarPermissionLevel" : "t:PermissionLevel",
                level_of(rights, is_calendar));
    ews_close(w);
}

static bool is_unknown(const struct mailbox_member *member) {
    return member->id != MEMBER_DEFAULT && member->id != MEMBER_ANONYMOUS && !member->address;
}

enum ec ews_write_permissions(struct ews_call *call, struct ews_mailbox *m,
                              const struct mailbox_folder_object *f) {
    struct mailbox_member_list list;
    struct ews_writer *w = call->w;
    unsigned n_unknown = 0;
    bool is_calendar = ews_folder_object(f) == EWS_OBJECT_CALENDAR_FOLDER;
    EC_TRY(mailbox_permissions(m->m, call->arena, f->fid, is_calendar, &list));
    ews_open(w, "t:PermissionSet");
    ews_open(w, is_calendar ? "t:CalendarPermissions" : "t:Permissions");
    for (unsigned i = 0; i < list.n; i++) {
        if (is_unknown(&list.items[i]))
            n_unknown++;
        else
            write_member(call, &list.items[i], is_calendar);
    }
    ews_close(w);
    if (n_unknown > 0) {
        ews_open(w, "t:UnknownEntries");
        for (unsigned i = 0; i < list.n; i++)
            if (is_unknown(&list.items[i]))
                ews_element(w, "t:UnknownEntry", list.items[i].name);
        ews_close(w);
    }
    ews_close(w);
    return EC_OK;
}

// --- Reading ---

static enum ec invalid(struct ews_call *call) {
    return ews_fail(call, "ErrorInvalidPermissionSettings", NULL);
}

static enum ec read_action(struct ews_call *call, const struct ews_node *node, const char *name,
                           uint32_t any, uint32_t owned, uint32_t *rights) {
    const char *text = ews_child_text(call->arena, node, name);
    if (!text || strcmp(text, "None") == 0)
        return EC_OK;
    if (strcmp(text, "All") == 0)
        *rights |= any | owned;
    else if (strcmp(text, "Owned") == 0)
        *rights |= owned;
    else
        return invalid(call);
    return EC_OK;
}

static enum ec read_reads(struct ews_call *call, const struct ews_node *node, bool is_calendar,
                          uint32_t *rights) {
    const char *text = ews_child_text(call->arena, node, "ReadItems");
    if (!text || strcmp(text, "None") == 0)
        return EC_OK;
    if (strcmp(text, "FullDetails") == 0)
        *rights |= RIGHTS_READ_ANY | (is_calendar ? RIGHTS_FREE_BUSY : 0u);
    else if (is_calendar && strcmp(text, "TimeAndSubjectAndLocation") == 0)
        *rights |= RIGHTS_FREE_BUSY;
    else if (is_calendar && strcmp(text, "TimeOnly") == 0)
        *rights |= RIGHTS_FREE_BUSY_SIMPLE;
    else
        return invalid(call);
    return EC_OK;
}

static enum ec read_custom(struct ews_call *call, const struct ews_node *node, bool is_calendar,
                           uint32_t *out) {
    static const struct {
        const char *name;
        uint32_t right;
    } flags[] = {
        {"CanCreateItems", RIGHTS_CREATE},   {"CanCreateSubFolders", RIGHTS_CREATE_SUBFOLDER},
        {"IsFolderOwner", RIGHTS_OWNER},     {"IsFolderVisible", RIGHTS_VISIBLE},
        {"IsFolderContact", RIGHTS_CONTACT},
    };
    *out = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++)
        if (ews_child_bool(node, flags[i].name, false))
            *out |= flags[i].right;
    EC_TRY(read_action(call, node, "EditItems", RIGHTS_EDIT_ANY, RIGHTS_EDIT_OWNED, out));
    EC_TRY(read_action(call, node, "DeleteItems", RIGHTS_DELETE_ANY, RIGHTS_DELETE_OWNED, out));
    return read_reads(call, node, is_calendar, out);
}

static enum ec read_rights(struct ews_call *call, const struct ews_node *node, bool is_calendar,
                           uint32_t *out) {
    const char *name = ews_child_text(call->arena, node,
                                      is_calendar ? "CalendarPermissionLevel" : "PermissionLevel");
    if (!name)
        return invalid(call);
    if (strcmp(name, "Custom") == 0)
        return read_custom(call, node, is_calendar, out);
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (strcmp(levels[i].name, name) != 0 || (levels[i].is_calendar_only && !is_calendar))
            continue;
        *out = level_rights(&levels[i], is_calendar);
        return EC_OK;
    }
    return invalid(call);
}

static enum ec read_user(struct ews_call *call, const struct ews_node *user,
                         struct mailbox_permission_change *out) {
    const char *distinguished = ews_child_text(call->arena, user, "DistinguishedUser");
    const char *address = ews_child_text(call->arena, user, "PrimarySmtpAddress");
    struct directory_object *object;
    if (distinguished) {
        if (strcmp(distinguished, "Default") == 0)
            out->member_id = MEMBER_DEFAULT;
        else if (strcmp(distinguished, "Anonymous") == 0)
            out->member_id = MEMBER_ANONYMOUS;
        else
            return ews_fail(call, "ErrorDistinguishedUserNotSupported", NULL);
        return EC_OK;
    }
    if (!address || !*address)
        return ews_fail(call, "ErrorMissingUserIdInformation", NULL);
    enum ec ec = directory_find_address(ews_directory(call), call->arena, address, &object);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorInvalidUserInfo", "No user or group has this address.");
    EC_TRY(ec);
    out->member = &object->guid;
    return EC_OK;
}

static bool is_same_member(const struct mailbox_permission_change *a,
                           const struct mailbox_permission_change *b) {
    if (a->member && b->member)
        return guid_equal(a->member, b->member);
    return !a->member && !b->member && a->member_id == b->member_id;
}

static enum ec read_member(struct ews_call *call, const struct ews_node *node, bool is_calendar,
                           GArray *changes) {
    struct mailbox_permission_change change = {.op = PERMISSION_ADD};
    EC_TRY(read_user(call, ews_child(node, "UserId"), &change));
    EC_TRY(read_rights(call, node, is_calendar, &change.rights));
    for (guint i = 0; i < changes->len; i++)
        if (is_same_member(&change, &g_array_index(changes, struct mailbox_permission_change, i)))
            return ews_fail(call, "ErrorDuplicateUserIdsSpecified", NULL);
    g_array_append_val(changes, change);
    return EC_OK;
}

enum ec ews_set_permissions(struct ews_call *call, struct ews_mailbox *m, uint64_t fid,
                            bool is_calendar, const struct ews_node *set) {
    const struct ews_node *plain = ews_child(set, "Permissions");
    const struct ews_node *calendar = ews_child(set, "CalendarPermissions");
    const struct ews_node *list = is_calendar ? calendar : plain;
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(struct mailbox_permission_change));
    if (is_calendar && plain)
        return ews_fail(call, "ErrorCannotSetNonCalendarPermissionOnCalendarFolder", NULL);
    if (!is_calendar && calendar)
        return ews_fail(call, "ErrorCannotSetCalendarPermissionOnNonCalendarFolder", NULL);
    if (ews_count(ews_child(set, "UnknownEntries")) > 0)
        return ews_fail(call, "ErrorCannotSetPermissionUnknownEntries", NULL);
    if (ews_count(list) > MEMBERS_MAX)
        return ews_fail(call, "ErrorInvalidPermissionSettings", "Too many members.");
    for (const struct ews_node *p = list ? list->child : NULL; p; p = p->next)
        EC_TRY(read_member(call, p, is_calendar, changes));
    return ews_fail_folder(
        call, mailbox_modify_permissions(
                  m->m, fid, PERMISSIONS_REPLACE | (is_calendar ? PERMISSIONS_FREE_BUSY : 0u),
                  (const struct mailbox_permission_change *)(void *)changes->data, changes->len));
}
