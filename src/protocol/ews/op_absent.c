// Operations of what this server has no part in: telephones (unified messaging) and site mailboxes
// of SharePoint. They answer as Exchange does where none of it is set up.
#include <string.h>

#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

// --- Unified messaging: nobody is enabled for it ---

enum ec op_play_on_phone(struct ews_call *call) {
    const char *number = ews_child_text(call->arena, call->request, "DialString");
    struct ews_item_ref ref;
    if (!ews_child(call->request, "ItemId"))
        return ews_fail(call, "ErrorMissingArgument", NULL);
    EC_TRY(ews_read_item_id(call, ews_child(call->request, "ItemId"), &ref));
    if (!number || !*number)
        return ews_fail(call, "ErrorInvalidPhoneNumber", NULL);
    return ews_fail(call, "ErrorUserNotUnifiedMessagingEnabled", NULL);
}

static enum ec about_a_call(struct ews_call *call) {
    const char *id = ews_attribute(ews_child(call->request, "PhoneCallId"), "Id");
    if (!id || !*id)
        return ews_fail(call, "ErrorInvalidPhoneCallId", NULL);
    return ews_fail(call, "ErrorUserNotUnifiedMessagingEnabled", NULL);
}

enum ec op_get_phone_call_information(struct ews_call *call) {
    return about_a_call(call);
}

enum ec op_disconnect_phone_call(struct ews_call *call) {
    return about_a_call(call);
}

// --- Site mailboxes: no mailbox is one ---

static enum ec about_a_team(struct ews_call *call) {
    const char *address = ews_child_text(call->arena, call->request, "EmailAddress/EmailAddress");
    struct directory_object *object;
    if (!address || ews_find_object(call, address, &object) != EC_OK)
        return ews_fail(call, "ErrorTeamMailboxNotFound", NULL);
    return ews_fail(call, "ErrorTeamMailboxNotLinkedToSharePoint", NULL);
}

enum ec op_set_team_mailbox(struct ews_call *call) {
    return about_a_team(call);
}

enum ec op_unpin_team_mailbox(struct ews_call *call) {
    return about_a_team(call);
}
