// Errors of EWS: what an `enum ec` is called there, what codes say, and how they are written
// (ResponseMessageType of [MS-OXWSCDATA] 2.2.4.67, faults of [MS-OXWSCDATA] 2.2.3.17).
#include <string.h>

#include "protocol/ews/ews_internal.h"

static const struct {
    enum ec ec;
    const char *code;
} codes[] = {
    {EC_OK, "NoError"},
    {EC_DISK_FULL, "ErrorInsufficientResources"},
    {EC_UNKNOWN_USER, "ErrorNonExistentMailbox"},
    {EC_DATABASE_ERROR, "ErrorInternalServerError"},
    {EC_BAD_FOLDER_NAME, "ErrorFolderSavePropertyError"},
    {EC_SEARCH_FOLDER, "ErrorInvalidFolderTypeForOperation"},
    {EC_NOT_SEARCH_FOLDER, "ErrorInvalidFolderTypeForOperation"},
    {EC_INVALID_RECIPIENTS, "ErrorInvalidRecipients"},
    {EC_SERVER_BUSY, "ErrorServerBusy"},
    {EC_SEARCH_SCOPE_VIOLATION, "ErrorInvalidOperation"},
    {EC_MESSAGE_TOO_BIG, "ErrorMessageSizeExceeded"},
    {EC_NOT_AUTHORIZED, "ErrorAccessDenied"},
    {EC_QUOTA_EXCEEDED, "ErrorQuotaExceeded"},
    {EC_SEND_AS_DENIED, "ErrorSendAsDenied"},
    {EC_TOO_MANY_OBJECTS, "ErrorDataSizeLimitExceeded"},
    {EC_FORMAT_ERROR, "ErrorInvalidRequest"},
    {EC_LOOP_DETECTED, "ErrorInvalidOperation"},
    {EC_TOO_MANY_RECIPIENTS, "ErrorInvalidRecipients"},
    {EC_DUPLICATE_OBJECT, "ErrorItemSave"},
    {EC_NOT_IMPLEMENTED, "ErrorInvalidOperation"},
    {EC_NOT_SUPPORTED, "ErrorInvalidOperation"},
    {EC_STRING_TOO_LONG, "ErrorDataSizeLimitExceeded"},
    {EC_INVALID_ENTRY_ID, "ErrorInvalidIdMalformed"},
    {EC_INVALID_OBJECT, "ErrorItemNotFound"},
    {EC_OBJECT_MODIFIED, "ErrorIrresolvableConflict"},
    {EC_OBJECT_DELETED, "ErrorItemNotFound"},
    {EC_BUSY, "ErrorServerBusy"},
    {EC_NOT_ENOUGH_DISK, "ErrorInsufficientResources"},
    {EC_NOT_ENOUGH_RESOURCES, "ErrorInsufficientResources"},
    {EC_NOT_FOUND, "ErrorItemNotFound"},
    {EC_ACCOUNT_DISABLED, "ErrorAccountDisabled"},
    {EC_TIMEOUT, "ErrorTimeoutExpired"},
    {EC_TOO_COMPLEX, "ErrorRestrictionTooComplex"},
    {EC_COMPUTED, "ErrorInvalidPropertySet"},
    {EC_CORRUPT_DATA, "ErrorCorruptData"},
    {EC_PASSWORD_EXPIRED, "ErrorPasswordExpired"},
    {EC_END_OF_SESSION, "ErrorMailboxStoreUnavailable"},
    {EC_UNEXPECTED_TYPE, "ErrorInvalidExtendedProperty"},
    {EC_TABLE_TOO_BIG, "ErrorResultSetTooBig"},
    {EC_COLLISION, "ErrorFolderExists"},
    {EC_HAS_FOLDERS, "ErrorCannotDeleteObject"},
    {EC_HAS_MESSAGES, "ErrorCannotDeleteObject"},
    {EC_FOLDER_CYCLE, "ErrorMoveCopyFailed"},
    {EC_AMBIGUOUS, "ErrorNameResolutionMultipleResults"},
    {EC_NAMED_PROP_QUOTA, "ErrorInsufficientResources"},
    {EC_ACCESS_DENIED, "ErrorAccessDenied"},
    {EC_NO_MEMORY, "ErrorNotEnoughMemory"},
    {EC_INVALID_PARAMETER, "ErrorInvalidRequest"},
    {EC_CANCEL, "ErrorRequestAborted"},
    {EC_DISK_ERROR, "ErrorInternalServerError"},
    {EC_VERSION, "ErrorIncorrectSchemaVersion"},
};

const char *ews_code_of(enum ec ec) {
    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].ec == ec)
            return codes[i].code;
    return "ErrorInternalServerError";
}

static const struct {
    const char *code, *text;
} texts[] = {
    {"ErrorAccessDenied", "Access is denied. Check credentials and try again."},
    {"ErrorAccountDisabled", "The account is disabled."},
    {"ErrorAttachmentNestLevelLimitExceeded", "Attachments are nested too deeply."},
    {"ErrorArchiveMailboxNotEnabled", "The archive mailbox is not enabled for this user."},
    {"ErrorCannotCreateContactInNonContactFolder",
     "Contacts can be created in folders for contacts only."},
    {"ErrorCannotCreateTaskInNonTaskFolder", "Tasks can be created in folders for tasks only."},
    {"ErrorCannotCreateCalendarItemInNonCalendarFolder",
     "Calendar items can be created in calendars only."},
    {"ErrorCannotCreatePostItemInNonMailFolder", "Posts can be created in mail folders only."},
    {"ErrorCannotUseFolderIdForItemId", "Id must be the id of an item, not of a folder."},
    {"ErrorCannotUseItemIdForFolderId", "Id must be the id of a folder, not of an item."},
    {"ErrorChangeKeyRequired", "The change key is missing."},
    {"ErrorChangeKeyRequiredForWriteOperations",
     "A change key is required for this kind of change."},
    {"ErrorCorruptData", "The data is corrupt."},
    {"ErrorDataSizeLimitExceeded", "The data is larger than the limit."},
    {"ErrorFolderExists", "A folder with the specified name already exists."},
    {"ErrorFolderNotFound", "The specified folder could not be found in the store."},
    {"ErrorImpersonateUserDenied",
     "The account does not have permission to impersonate the requested user."},
    {"ErrorIncorrectSchemaVersion",
     "The operation is not part of the schema version that the request names."},
    {"ErrorInsufficientResources", "There are not enough resources for the request."},
    {"ErrorInternalServerError", "An internal server error occurred. The operation failed."},
    {"ErrorInvalidAttachmentId", "The attachment could not be found."},
    {"ErrorInvalidChangeKey", "The change key is invalid."},
    {"ErrorInvalidExtendedProperty", "The extended property attribute combination is invalid."},
    {"ErrorInvalidExtendedPropertyValue", "The extended property value is invalid."},
    {"ErrorInvalidId", "The specified Id is invalid."},
    {"ErrorInvalidIdEmpty", "The specified Id is empty."},
    {"ErrorInvalidIdMalformed", "The Id is invalid."},
    {"ErrorInvalidOperation", "The operation is not supported by this server."},
    {"ErrorInvalidPropertyAppend", "The property cannot be appended to."},
    {"ErrorInvalidPropertyDelete", "The property cannot be deleted."},
    {"ErrorInvalidPropertyRequest", "The property can not be used with this type of request."},
    {"ErrorInvalidPropertySet", "Set action is invalid for property."},
    {"ErrorInvalidRecipients", "At least one recipient isn't valid."},
    {"ErrorInvalidRequest", "The request is invalid."},
    {"ErrorInvalidSendItemSaveSettings",
     "A folder to save to was given, but SaveItemToFolder is false."},
    {"ErrorInvalidServerVersion", "The specified server version is invalid."},
    {"ErrorIrresolvableConflict",
     "The send or update operation could not be performed because the change key passed in the "
     "request does not match the current change key for the item."},
    {"ErrorItemNotFound", "The specified object was not found in the store."},
    {"ErrorMessageDispositionRequired", "Message disposition is required for this kind of item."},
    {"ErrorMessageSizeExceeded", "The message exceeds the maximum supported size."},
    {"ErrorMimeContentInvalid", "MIME content was invalid."},
    {"ErrorMimeContentInvalidBase64String", "MIME content contains an invalid Base64 string."},
    {"ErrorMissingArgument", "An argument is missing from the request."},
    {"ErrorMissingRecipients", "The message has no recipients."},
    {"ErrorMoveCopyFailed", "The move or copy operation failed."},
    {"ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it."},
    {"ErrorObjectTypeChanged", "The kind of object cannot be changed."},
    {"ErrorQuotaExceeded", "The mailbox is over its quota."},
    {"ErrorResultSetTooBig", "The answer is too large."},
    {"ErrorRestrictionTooComplex", "The request is too complex."},
    {"ErrorSavedItemFolderNotFound", "The folder to save to could not be found."},
    {"ErrorSchemaValidation", "The request failed schema validation."},
    {"ErrorSendAsDenied",
     "The user account which was used to submit this request does not have the right to send mail "
     "on behalf of the specified sending account."},
    {"ErrorServerBusy", "The server cannot service this request right now. Try again later."},
    {"ErrorToFolderNotFound", "The folder to move or copy to could not be found."},
    {"ErrorUnsupportedMapiPropertyType", "The MAPI property type is not supported."},
    {"ErrorUnsupportedPathForQuery", "The property cannot be used in a search."},
    {"ErrorUpdatePropertyMismatch",
     "The property of the path and the one of the item are not the same."},
};

const char *ews_code_text(const char *code) {
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].code, code) == 0)
            return texts[i].text;
    return "The request could not be carried out.";
}

// --- Saying what went wrong ---

enum ec ews_fail_with(struct ews_call *call, const struct ews_failure *failure) {
    call->failure = *failure;
    return EC_CALL_FAILED;
}

enum ec ews_fail(struct ews_call *call, const char *code, const char *text) {
    return ews_fail_with(call, &(struct ews_failure){.code = code, .text = text});
}

enum ec ews_fault(struct ews_call *call, const char *code, const char *text) {
    call->is_fault = true;
    return ews_fail(call, code, text);
}

enum ec ews_fail_folder(struct ews_call *call, enum ec ec) {
    if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED)
        return ews_fail(call, "ErrorFolderNotFound", NULL);
    return ec;
}

enum ec ews_fail_item(struct ews_call *call, enum ec ec) {
    if (ec == EC_NOT_FOUND || ec == EC_OBJECT_DELETED)
        return ews_fail(call, "ErrorItemNotFound", NULL);
    return ec;
}

// --- Writing it ---

static void put_path(struct ews_writer *w, const struct ews_failure *f) {
    if (f->field_uri) {
        ews_open(w, "t:FieldURI");
        ews_attr(w, "FieldURI", f->field_uri);
        ews_close(w);
    }
    if (!f->path)
        return;
    static const char *const names[] = {"t:FieldURI", "t:IndexedFieldURI", "t:ExtendedFieldURI"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!ews_is(f->path, names[i] + 2))
            continue;
        static const char *const attributes[] = {
            "FieldURI",      "FieldIndex",  "DistinguishedPropertySetId",
            "PropertySetId", "PropertyTag", "PropertyName",
            "PropertyId",    "PropertyType"};
        ews_open(w, names[i]);
        for (unsigned k = 0; k < G_N_ELEMENTS(attributes); k++)
            if (ews_attribute(f->path, attributes[k]))
                ews_attr(w, attributes[k], ews_attribute(f->path, attributes[k]));
        ews_close(w);
    }
}

static void put_message_xml(struct ews_writer *w, const struct ews_failure *f) {
    if (!f->path && !f->values && !f->field_uri)
        return;
    ews_open(w, "m:MessageXml");
    put_path(w, f);
    for (const char *const *v = f->values; v && v[0]; v += 2) {
        ews_open(w, "t:Value");
        ews_attr(w, "Name", v[0]);
        ews_put_text(w, v[1]);
        ews_close(w);
    }
    ews_close(w);
}

// What ews_fail said, or `ec`; forgotten here.
static struct ews_failure take_failure(struct ews_call *call, enum ec ec) {
    struct ews_failure f = call->failure;
    if (!f.code || ec == EC_OK || ec != EC_CALL_FAILED)
        f = (struct ews_failure){.code = ews_code_of(ec)};
    if (!f.text)
        f.text = ews_code_text(f.code);
    call->failure = (struct ews_failure){0};
    return f;
}

void ews_put_result(struct ews_call *call, enum ec ec) {
    struct ews_writer *w = call->w;
    if (ec == EC_OK) {
        ews_attr(w, "ResponseClass", "Success");
        ews_element(w, "m:ResponseCode", "NoError");
        return;
    }
    struct ews_failure f = take_failure(call, ec);
    call->n_errors++;
    ews_attr(w, "ResponseClass", "Error");
    ews_element(w, "m:MessageText", f.text);
    ews_element(w, "m:ResponseCode", f.code);
    ews_element(w, "m:DescriptiveLinkKey", "0");
    put_message_xml(w, &f);
}

// Opens what comes before a response message.
static void begin_message(struct ews_call *call) {
    const struct ews_operation *op = call->operation;
    struct ews_writer *w = call->w;
    bool is_first = call->n_messages++ == 0;
    if (op->answer == EWS_ANSWER_MESSAGES) {
        if (is_first) {
            ews_open(w, op->response);
            ews_open(w, "m:ResponseMessages");
        }
        ews_open(w, op->message);
    } else if (op->answer == EWS_ANSWER_NESTED) {
        ews_open(w, op->response);
        ews_open(w, "m:ResponseMessage");
    } else {
        ews_open(w, op->response);
    }
}

void ews_success(struct ews_call *call) {
    begin_message(call);
    ews_put_result(call, EC_OK);
    if (call->operation->answer == EWS_ANSWER_NESTED)
        ews_close(call->w);
}

void ews_warning(struct ews_call *call, const char *code, const char *text) {
    struct ews_writer *w = call->w;
    begin_message(call);
    ews_attr(w, "ResponseClass", "Warning");
    ews_element(w, "m:MessageText", text ? text : ews_code_text(code));
    ews_element(w, "m:ResponseCode", code);
    ews_element(w, "m:DescriptiveLinkKey", "0");
    if (call->operation->answer == EWS_ANSWER_NESTED)
        ews_close(w);
}

void ews_message_end(struct ews_call *call) {
    ews_close(call->w);
}

void ews_error(struct ews_call *call, enum ec ec) {
    begin_message(call);
    ews_put_result(call, ec);
    if (call->operation->empty)
        ews_element_empty(call->w, call->operation->empty);
    ews_close(call->w);
    if (call->operation->answer == EWS_ANSWER_NESTED)
        ews_close(call->w);
}
