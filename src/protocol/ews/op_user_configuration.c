// CreateUserConfiguration, GetUserConfiguration, UpdateUserConfiguration, DeleteUserConfiguration
// ([MS-OXWSUSRCFG] 3.1.4), and GetSpecificUserConfiguration, which asks for one's own.
#include <string.h>

#include "mailbox/configuration.h"
#include "protocol/ews/dictionary.h"
#include "protocol/ews/ews_operations.h"

// What a t:UserConfigurationName says.
struct named {
    struct ews_folder_ref folder;
    const char *name;
    const struct ews_node *node; // of the folder's id
};

static enum ec read_name(struct ews_call *call, const struct ews_node *node, struct named *out) {
    const char *name = ews_attribute(node, "Name");
    if (!node || !name || !*name || !node->child)
        return ews_fail(call, "ErrorMissingArgument", NULL);
    *out = (struct named){.name = name, .node = node->child};
    return ews_read_folder_id(call, node->child, &out->folder);
}

static enum ec say(struct ews_call *call, enum ec ec) {
    switch (ec) {
    case EC_COLLISION:
        return ews_fail(call, "ErrorItemSave",
                        "There is a user configuration of this name in the folder.");
    case EC_NOT_FOUND:
        return ews_fail(call, "ErrorItemNotFound", NULL);
    case EC_INVALID_PARAMETER:
        return ews_fail(call, "ErrorInvalidArgument",
                        "The name is none that a user configuration "
                        "may have.");
    case EC_MESSAGE_TOO_BIG:
        return ews_fail(call, "ErrorDataSizeLimitExceeded", NULL);
    default:
        return ec;
    }
}

// --- Create, update ---

static enum ec read_parts(struct ews_call *call, const struct ews_node *node,
                          struct configuration *c) {
    const struct ews_node *dictionary = ews_child(node, "Dictionary");
    const struct ews_node *xml = ews_child(node, "XmlData");
    const struct ews_node *binary = ews_child(node, "BinaryData");
    if (dictionary) {
        c->kinds |= CONFIGURATION_DICTIONARY;
        EC_TRY(dictionary_read(call, dictionary, &c->dictionary));
    }
    if (xml) {
        c->kinds |= CONFIGURATION_XML;
        EC_TRY(ews_node_base64(call->arena, xml, &c->xml));
    }
    if (binary) {
        c->kinds |= CONFIGURATION_BINARY;
        EC_TRY(ews_node_base64(call->arena, binary, &c->binary));
    }
    return EC_OK;
}

static enum ec put(struct ews_call *call, enum configuration_change how) {
    const struct ews_node *node = ews_child(call->request, "UserConfiguration");
    struct named named;
    struct configuration c = {0};
    EC_TRY(read_name(call, ews_child(node, "UserConfigurationName"), &named));
    c.name = named.name;
    EC_TRY(read_parts(call, node, &c));
    EC_TRY(say(
        call, mailbox_put_configuration(named.folder.mailbox->m, named.folder.fid, &c, how, NULL)));
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_create_user_configuration(struct ews_call *call) {
    return put(call, CONFIGURATION_CREATE);
}

enum ec op_update_user_configuration(struct ews_call *call) {
    return put(call, CONFIGURATION_UPDATE);
}

// --- Get ---

static void write_name(struct ews_call *call, const struct named *named) {
    ews_open(call->w, "t:UserConfigurationName");
    ews_attr(call->w, "Name", named->name);
    if (named->folder.distinguished) {
        ews_open(call->w, "t:DistinguishedFolderId");
        ews_attr(call->w, "Id", named->folder.distinguished);
        ews_close(call->w);
    } else {
        ews_write_folder_id(call, "t:FolderId", named->folder.mailbox, named->folder.fid,
                            EWS_OBJECT_FOLDER, 0);
    }
    ews_close(call->w);
}

// Which of Id, Dictionary, XmlData, BinaryData and All (a list) are asked for.
static bool is_wanted(const char *list, const char *what) {
    g_auto(GStrv) words = g_strsplit_set(list, " \t\r\n", -1);
    return g_strv_contains((const char *const *)words, what) ||
           g_strv_contains((const char *const *)words, "All");
}

static enum ec write_configuration(struct ews_call *call, const struct named *named,
                                   const struct configuration *c, const char *wanted) {
    struct ews_writer *w = call->w;
    ews_open(w, "m:UserConfiguration");
    write_name(call, named);
    if (is_wanted(wanted, "Id"))
        ews_write_item_id(call, "t:ItemId", named->folder.mailbox, named->folder.fid, c->mid,
                          EWS_OBJECT_MESSAGE, c->cn);
    if (is_wanted(wanted, "Dictionary") && c->kinds & CONFIGURATION_DICTIONARY &&
        dictionary_write(call, c->dictionary) != EC_OK)
        return ews_fail(call, "ErrorCorruptData", NULL);
    if (is_wanted(wanted, "XmlData") && c->kinds & CONFIGURATION_XML)
        ews_element_base64(w, "t:XmlData", c->xml.data, c->xml.len);
    if (is_wanted(wanted, "BinaryData") && c->kinds & CONFIGURATION_BINARY)
        ews_element_base64(w, "t:BinaryData", c->binary.data, c->binary.len);
    ews_close(w);
    return EC_OK;
}

enum ec op_get_user_configuration(struct ews_call *call) {
    const char *wanted = ews_child_text(call->arena, call->request, "UserConfigurationProperties");
    struct named named;
    struct configuration c;
    EC_TRY(read_name(call, ews_child(call->request, "UserConfigurationName"), &named));
    EC_TRY(say(call, mailbox_get_configuration(named.folder.mailbox->m, call->arena,
                                               named.folder.fid, named.name, &c)));
    ews_success(call);
    EC_TRY(write_configuration(call, &named, &c, wanted ? wanted : "All"));
    ews_message_end(call);
    return EC_OK;
}

enum ec op_delete_user_configuration(struct ews_call *call) {
    struct named named;
    EC_TRY(read_name(call, ews_child(call->request, "UserConfigurationName"), &named));
    EC_TRY(say(
        call, mailbox_delete_configuration(named.folder.mailbox->m, named.folder.fid, named.name)));
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}
