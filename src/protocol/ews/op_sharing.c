// GetSharingMetadata, GetSharingFolder, RefreshSharingFolder ([MS-OXWSMSHR] 3.1.4).
//
// They are about sharing between organizations that trust one federation gateway. This server
// belongs to none, which the operations say after what is wrong with the request itself; folders
// are shared by permissions.
#include <string.h>

#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

enum ec op_get_sharing_metadata(struct ews_call *call) {
    const struct ews_node *id = ews_child(call->request, "IdOfFolderToShare");
    const char *sender = ews_child_text(call->arena, call->request, "SenderSmtpAddress");
    const struct ews_node *recipients = ews_child(call->request, "Recipients");
    struct ews_folder_ref ref;
    struct directory_object *object;
    if (!id)
        return ews_fail(call, "ErrorMissingInformationSharingFolderId", NULL);
    EC_TRY(ews_read_folder_id(call, id, &ref));
    if (!sender || ews_find_object(call, sender, &object) != EC_OK ||
        !guid_equal(&object->guid, &ref.mailbox->guid))
        return ews_fail(call, "ErrorInvalidExternalSharingInitiator", NULL);
    if (!recipients || !recipients->child)
        return ews_fail(call, "ErrorMissingRecipients", NULL);
    return ews_fail(call, "ErrorOrganizationNotFederated", NULL);
}

enum ec op_get_sharing_folder(struct ews_call *call) {
    const char *address = ews_child_text(call->arena, call->request, "SmtpAddress");
    bool has_type = ews_child(call->request, "DataType");
    bool has_id = ews_child(call->request, "SharedFolderId");
    if (!address || !strchr(address, '@'))
        return ews_fail(call, "ErrorInvalidSmtpAddress", NULL);
    if (has_type == has_id)
        return ews_fail(call, "ErrorInvalidGetSharingFolderRequest", NULL);
    return ews_fail(call, "ErrorOrganizationNotFederated", NULL);
}

enum ec op_refresh_sharing_folder(struct ews_call *call) {
    const struct ews_node *id = ews_child(call->request, "SharingFolderId");
    struct ews_folder_ref ref;
    if (!id)
        return ews_fail(call, "ErrorMissingInformationSharingFolderId", NULL);
    EC_TRY(ews_read_folder_id(call, id, &ref));
    return ews_fail(call, "ErrorSharingSynchronizationFailed",
                    "The folder is none that another organization shares.");
}
