// AddDelegate, GetDelegate, UpdateDelegate, RemoveDelegate ([MS-OXWSDLGM] 3.1.4).
#include <string.h>

#include "mailbox/delegate.h"
#include "mapi/rights.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

static const struct {
    const char *element, *path;
} folders[DELEGATE_FOLDERS] = {
    [DELEGATE_CALENDAR] = {"t:CalendarFolderPermissionLevel", "CalendarFolderPermissionLevel"},
    [DELEGATE_TASKS] = {"t:TasksFolderPermissionLevel", "TasksFolderPermissionLevel"},
    [DELEGATE_INBOX] = {"t:InboxFolderPermissionLevel", "InboxFolderPermissionLevel"},
    [DELEGATE_CONTACTS] = {"t:ContactsFolderPermissionLevel", "ContactsFolderPermissionLevel"},
    [DELEGATE_NOTES] = {"t:NotesFolderPermissionLevel", "NotesFolderPermissionLevel"},
    [DELEGATE_JOURNAL] = {"t:JournalFolderPermissionLevel", "JournalFolderPermissionLevel"},
};
static const struct {
    const char *name;
    uint32_t rights;
} levels[] = {{"None", ROLE_NONE},
              {"Editor", ROLE_EDITOR},
              {"Reviewer", ROLE_REVIEWER},
              {"Author", ROLE_AUTHOR}};
static const char *const meetings[] = {
    [MEETINGS_TO_BOTH] = "DelegatesAndMe",
    [MEETINGS_TO_DELEGATES] = "DelegatesOnly",
    [MEETINGS_TO_DELEGATES_INFORM] = "DelegatesAndSendInformationToMe",
};

// --- Reading requests ---

static enum ec open_mailbox(struct ews_call *call, struct ews_mailbox **out) {
    const struct ews_node *mailbox = ews_child(call->request, "Mailbox");
    if (!mailbox)
        return ews_fail(call, "ErrorMissingArgument", NULL);
    return ews_open_named(call, mailbox, out);
}

// The delegate a t:UserId names.
static enum ec read_user(struct ews_call *call, const struct ews_node *user,
                         const struct ews_mailbox *mailbox, struct directory_object **out) {
    const char *address = ews_child_text(call->arena, user, "PrimarySmtpAddress");
    const char *sid = ews_child_text(call->arena, user, "SID");
    if (ews_child(user, "DistinguishedUser"))
        return ews_fail(call, "ErrorDistinguishedUserNotSupported", NULL);
    if ((!address || !*address) && (!sid || !*sid))
        return ews_fail(call, "ErrorMissingUserIdInformation", NULL);
    if (!address || !*address || ews_find_object(call, address, out) != EC_OK)
        return ews_fail(call, "ErrorDelegateNoUser", NULL);
    if ((*out)->kind == DIRECTORY_CONTACT || (*out)->kind == DIRECTORY_PUBLIC_FOLDER)
        return ews_fail(call, "ErrorDelegateNoUser", NULL);
    if (guid_equal(&(*out)->guid, &mailbox->guid))
        return ews_fail(call, "ErrorDelegateCannotAddOwner", NULL);
    return EC_OK;
}

static enum ec read_level(struct ews_call *call, const char *text, uint32_t *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
        if (strcmp(levels[i].name, text) == 0) {
            *out = levels[i].rights;
            return EC_OK;
        }
    // "Custom" is told but cannot be set ([MS-OXWSDLGM] 2.2.5.2).
    return ews_fail(call, "ErrorInvalidDelegatePermission", NULL);
}

// What a t:DelegateUser says; what it does not say stays.
static enum ec read_delegate(struct ews_call *call, const struct ews_node *node,
                             struct mailbox_delegate *delegate) {
    const struct ews_node *permissions = ews_child(node, "DelegatePermissions");
    for (unsigned i = 0; i < DELEGATE_FOLDERS; i++) {
        const char *level = ews_child_text(call->arena, permissions, folders[i].path);
        if (level)
            EC_TRY(read_level(call, level, &delegate->rights[i]));
    }
    delegate->receives_meetings =
        ews_child_bool(node, "ReceiveCopiesOfMeetingMessages", delegate->receives_meetings);
    delegate->sees_private = ews_child_bool(node, "ViewPrivateItems", delegate->sees_private);
    return EC_OK;
}

static struct mailbox_delegate *find(const struct mailbox_delegate_list *list,
                                     const struct guid *guid) {
    for (unsigned i = 0; i < list->n; i++)
        if (guid_equal(&list->items[i].guid, guid))
            return &list->items[i];
    return NULL;
}

static enum ec change_meetings(struct ews_call *call, struct ews_mailbox *mailbox) {
    const char *text = ews_child_text(call->arena, call->request, "DeliverMeetingRequests");
    for (unsigned i = 0; text && i < G_N_ELEMENTS(meetings); i++)
        if (strcmp(meetings[i], text) == 0)
            return mailbox_set_delegate_meetings(mailbox->m, i);
    return EC_OK; // "NoForward" and nothing said: as it is
}

// --- Answers ---

static const char *level_name(uint32_t rights) {
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
        if (levels[i].rights == rights)
            return levels[i].name;
    return "Custom";
}

static void write_delegate(struct ews_call *call, const struct mailbox_delegate *delegate,
                           bool with_permissions) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:DelegateUser");
    ews_open(w, "t:UserId");
    ews_element(w, "t:PrimarySmtpAddress", delegate->address);
    ews_element(w, "t:DisplayName", delegate->name);
    ews_close(w);
    if (with_permissions) {
        ews_open(w, "t:DelegatePermissions");
        for (unsigned i = 0; i < DELEGATE_FOLDERS; i++)
            ews_element(w, folders[i].element, level_name(delegate->rights[i]));
        ews_close(w);
    }
    ews_element_bool(w, "t:ReceiveCopiesOfMeetingMessages", delegate->receives_meetings);
    ews_element_bool(w, "t:ViewPrivateItems", delegate->sees_private);
    ews_close(w);
}

// One of the nested messages; `delegate` NULL: without one.
static void write_message(struct ews_call *call, enum ec ec,
                          const struct mailbox_delegate *delegate, bool with_permissions) {
    ews_open(call->w, "m:DelegateUserResponseMessageType");
    ews_put_result(call, ec);
    if (ec == EC_OK && delegate)
        write_delegate(call, delegate, with_permissions);
    ews_close(call->w);
}

// --- Operations ---

enum ec op_get_delegate(struct ews_call *call) {
    struct ews_mailbox *mailbox;
    struct mailbox_delegate_list list;
    bool with_permissions = false;
    const char *include = ews_attribute(call->request, "IncludePermissions");
    if (include)
        ews_parse_bool(include, &with_permissions);
    EC_TRY(open_mailbox(call, &mailbox));
    EC_TRY(mailbox_get_delegates(mailbox->m, call->arena, &list));
    const struct ews_node *ids = ews_child(call->request, "UserIds");
    ews_success(call);
    if (list.n > 0 || ids) {
        ews_open(call->w, "m:ResponseMessages");
        for (unsigned i = 0; !ids && i < list.n; i++)
            write_message(call, EC_OK, &list.items[i], with_permissions);
        for (const struct ews_node *id = ews_child(ids, "UserId"); id; id = ews_next(id)) {
            struct directory_object *object;
            struct mailbox_delegate *delegate = NULL;
            enum ec ec = read_user(call, id, mailbox, &object);
            if (ec == EC_OK && !(delegate = find(&list, &object->guid)))
                ec = ews_fail(call, "ErrorNotDelegate", NULL);
            write_message(call, ec, delegate, with_permissions);
        }
        ews_close(call->w);
    }
    ews_element(call->w, "m:DeliverMeetingRequests", meetings[list.meetings]);
    ews_message_end(call);
    return EC_OK;
}

// Adds one or changes one; *out is how it is afterwards.
static enum ec set_one(struct ews_call *call, struct ews_mailbox *mailbox,
                       const struct ews_node *node, bool is_new, struct mailbox_delegate **out) {
    struct directory_object *object;
    struct mailbox_delegate_list list;
    struct mailbox_delegate added = {.receives_meetings = false};
    EC_TRY(read_user(call, ews_child(node, "UserId"), mailbox, &object));
    EC_TRY(mailbox_get_delegates(mailbox->m, call->arena, &list));
    struct mailbox_delegate *delegate = find(&list, &object->guid);
    if (is_new && delegate)
        return ews_fail(call, "ErrorDelegateAlreadyExists", NULL);
    if (!is_new && !delegate)
        return ews_fail(call, "ErrorNotDelegate", NULL);
    if (!delegate)
        delegate = &added;
    delegate->guid = object->guid;
    EC_TRY(read_delegate(call, node, delegate));
    EC_TRY(mailbox_set_delegate(mailbox->m, delegate));
    EC_TRY(mailbox_get_delegates(mailbox->m, call->arena, &list));
    *out = find(&list, &object->guid);
    return EC_OK;
}

static enum ec set_all(struct ews_call *call, bool is_new) {
    struct ews_mailbox *mailbox;
    struct mailbox_delegate_list list;
    const struct ews_node *users = ews_child(call->request, "DelegateUsers");
    EC_TRY(open_mailbox(call, &mailbox));
    EC_TRY(mailbox_get_delegates(mailbox->m, call->arena, &list)); // whether it is allowed at all
    EC_TRY(change_meetings(call, mailbox));
    ews_success(call);
    if (ews_child(users, "DelegateUser")) {
        ews_open(call->w, "m:ResponseMessages");
        for (const struct ews_node *n = ews_child(users, "DelegateUser"); n; n = ews_next(n)) {
            struct mailbox_delegate *delegate = NULL;
            enum ec ec = set_one(call, mailbox, n, is_new, &delegate);
            write_message(call, ec, delegate, true);
        }
        ews_close(call->w);
    }
    ews_message_end(call);
    return EC_OK;
}

enum ec op_add_delegate(struct ews_call *call) {
    return set_all(call, true);
}

enum ec op_update_delegate(struct ews_call *call) {
    return set_all(call, false);
}

static enum ec remove_one(struct ews_call *call, struct ews_mailbox *mailbox,
                          const struct ews_node *id) {
    struct directory_object *object;
    EC_TRY(read_user(call, id, mailbox, &object));
    enum ec ec = mailbox_remove_delegate(mailbox->m, &object->guid);
    return ec == EC_NOT_FOUND ? ews_fail(call, "ErrorNotDelegate", NULL) : ec;
}

enum ec op_remove_delegate(struct ews_call *call) {
    struct ews_mailbox *mailbox;
    struct mailbox_delegate_list list;
    const struct ews_node *ids = ews_child(call->request, "UserIds");
    EC_TRY(open_mailbox(call, &mailbox));
    EC_TRY(mailbox_get_delegates(mailbox->m, call->arena, &list));
    ews_success(call);
    ews_open(call->w, "m:ResponseMessages");
    for (const struct ews_node *id = ews_child(ids, "UserId"); id; id = ews_next(id))
        write_message(call, remove_one(call, mailbox, id), NULL, false);
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}
