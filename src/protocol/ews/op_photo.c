// GetUserPhoto and SetUserPhoto ([MS-OXWSCONT] 3.1.4.8, 3.1.4.9).
#include <string.h>

#include "mailbox/photo.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"
#include "protocol/ews/schema.h"

// The message must say HasChanged even when there is nothing.
static void write_none(struct ews_call *call, const char *code) {
    ews_open(call->w, "m:GetUserPhotoResponse");
    ews_put_result(call, ews_fail(call, code, NULL));
    ews_element_bool(call->w, "m:HasChanged", false);
    ews_close(call->w);
    call->n_messages++;
    call->n_errors++;
}

enum ec op_get_user_photo(struct ews_call *call) {
    const char *email = ews_child_text(call->arena, call->request, "Email");
    const char *size = ews_child_text(call->arena, call->request, "SizeRequested");
    struct directory_object *object;
    struct photo photo;
    if (!size || !ews_schema_is_value("t:UserPhotoSizeType", size)) {
        write_none(call, "ErrorInvalidPhotoSize");
        return EC_OK;
    }
    if (ews_find_object(call, email, &object) != EC_OK ||
        mailbox_get_photo(ews_mailboxes(call), &object->guid, &photo) != EC_OK) {
        write_none(call, "ErrorItemNotFound");
        return EC_OK;
    }
    gsize len;
    const void *data = g_bytes_get_data(photo.bytes, &len);
    ews_success(call);
    ews_element_bool(call->w, "m:HasChanged", true);
    ews_element_base64(call->w, "m:PictureData", data, len);
    ews_message_end(call);
    g_bytes_unref(photo.bytes);
    return EC_OK;
}

enum ec op_set_user_photo(struct ews_call *call) {
    const char *email = ews_child_text(call->arena, call->request, "Email");
    const struct ews_node *content = ews_child(call->request, "Content");
    struct ews_mailbox *mailbox;
    struct prop_bin bytes;
    if (!email || !content)
        return ews_fail(call, "ErrorMissingArgument", NULL);
    EC_TRY(ews_open_address(call, email, &mailbox));
    EC_TRY(ews_node_base64(call->arena, content, &bytes));
    g_autoptr(GBytes) photo = g_bytes_new(bytes.data, bytes.len);
    enum ec ec = mailbox_set_photo(mailbox->m, photo);
    if (ec == EC_FORMAT_ERROR || ec == EC_MESSAGE_TOO_BIG)
        return ews_fail(call, "ErrorInvalidPhotoSize", "The photo is too large, or no picture.");
    EC_TRY(ec);
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}
