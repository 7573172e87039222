// Client extensions ([MS-OXWSCEXT] 3.1.4): manifests that users install and clients load.
//
// A manifest is kept as it came, in a configuration of the user's mailbox, one for each extension;
// clients run it. There is no marketplace and no tokens for extensions.
#include <string.h>

#include "mailbox/configuration.h"
#include "mailbox/extensions.h"
#include "protocol/ews/ews_operations.h"

#define MANIFEST_MAX (256 * 1024)

// The extension's id in its manifest (OfficeApp/Id), in the form of our names. NULL: none.
static const char *id_of(struct ews_call *call, struct prop_bin manifest) {
    struct ews_node *root;
    struct guid guid;
    char text[GUID_STRING_SIZE];
    if (ews_node_parse(call->arena, manifest.data, manifest.len, &root, NULL) != EC_OK ||
        strcmp(root->name, "OfficeApp") != 0)
        return NULL;
    for (const struct ews_node *n = root->child; n; n = n->next)
        if (strcmp(n->name, "Id") == 0 && guid_parse(ews_text(call->arena, n), &guid)) {
            guid_format(&guid, text);
            return arena_strdup(call->arena, text);
        }
    return NULL;
}

enum ec op_get_app_manifests(struct ews_call *call) {
    struct ews_mailbox *own;
    struct extensions list;
    EC_TRY(ews_own_mailbox(call, &own));
    EC_TRY(mailbox_extensions(own->m, call->arena, &list));
    ews_success(call);
    bool is_old = !ews_child(call->request, "ApiVersionSupported");
    ews_open(call->w, is_old ? "m:Manifests" : "m:Apps");
    for (unsigned i = 0; i < list.n; i++) {
        const struct extension *e = &list.items[i];
        if (e->is_disabled)
            continue;
        if (!is_old) {
            ews_open(call->w, "t:App");
            ews_open(call->w, "t:Metadata");
            ews_close(call->w);
        }
        ews_element_base64(call->w, is_old ? "m:Manifest" : "t:Manifest", e->manifest.data,
                           e->manifest.len);
        if (!is_old)
            ews_close(call->w);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_app_marketplace_url(struct ews_call *call) {
    ews_success(call);
    ews_message_end(call); // there is none
    return EC_OK;
}

enum ec op_install_app(struct ews_call *call) {
    const struct ews_node *node = ews_child(call->request, "Manifest");
    struct ews_mailbox *own;
    struct prop_bin manifest;
    EC_TRY(ews_own_mailbox(call, &own));
    EC_TRY(ews_node_base64(call->arena, node, &manifest));
    if (manifest.len == 0 || manifest.len > MANIFEST_MAX)
        return ews_fail(call, "ErrorInvalidArgument", "The manifest is empty or too large.");
    const char *id = id_of(call, manifest);
    if (!id)
        return ews_fail(call, "ErrorInvalidExtensionId", "The manifest has no id.");
    bool is_new;
    EC_TRY(mailbox_install_extension(own->m, id, manifest, &is_new));
    ews_success(call);
    ews_element_bool(call->w, "m:WasFirstInstall", is_new);
    ews_message_end(call);
    return EC_OK;
}

static enum ec named(struct ews_call *call, enum extension_change change) {
    const char *text = ews_child_text(call->arena, call->request, "ID");
    struct ews_mailbox *own;
    struct guid guid;
    char id[GUID_STRING_SIZE];
    if (!text || !guid_parse(text, &guid))
        return ews_fail(call, "ErrorInvalidExtensionId", NULL);
    guid_format(&guid, id);
    EC_TRY(ews_own_mailbox(call, &own));
    enum ec ec = mailbox_change_extension(own->m, id, change);
    if (ec == EC_NOT_FOUND)
        return ews_fail(call, "ErrorExtensionNotFound", NULL);
    EC_TRY(ec);
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_uninstall_app(struct ews_call *call) {
    return named(call, EXTENSION_REMOVE);
}

enum ec op_disable_app(struct ews_call *call) {
    return named(call, EXTENSION_DISABLE);
}

// Tokens are signed by an authorization server of the organization, which there is none of.
enum ec op_get_client_access_token(struct ews_call *call) {
    const struct ews_node *requests = ews_child(call->request, "TokenRequests");
    const struct ews_node *first = ews_child(requests, "TokenRequest");
    if (!first || ews_count(requests) > 10)
        return ews_fail(call, "ErrorInvalidClientAccessTokenRequest", NULL);
    for (const struct ews_node *n = first; n; n = ews_next(n))
        ews_error(call, ews_fail(call, "ErrorNoOAuthServerAvailableForRequest", NULL));
    return EC_OK;
}
