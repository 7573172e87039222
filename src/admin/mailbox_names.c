// Mailboxes as people know them.
#include "admin/mailbox_names.h"

#include "directory/directory.h"

const char *mailbox_owner_name(struct command_call *call, const struct guid *guid) {
    struct directory_object *owner;
    char text[GUID_STRING_SIZE];
    if (directory_find_guid(call->services->directory, call->arena, guid, &owner) == EC_OK)
        return owner->address;
    guid_format(guid, text);
    return arena_strdup(call->arena, text);
}
