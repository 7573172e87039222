// ConvertId ([MS-OXWSCVTID]): between the forms of an id. Ids say everything about themselves; no
// mailbox is opened, and whether there is such an object is not looked at.
#include <string.h>

#include "base/wire.h"
#include "mapi/entry_id.h"
#include "protocol/ews/convert_id.h"
#include "protocol/ews/ews_operations.h"

#define TYPE_FOLDER 1
#define TYPE_MESSAGE 9

static const char *const format_names[] = {
    [ID_EWS_LEGACY] = "EwsLegacyId", [ID_EWS] = "EwsId",     [ID_ENTRY] = "EntryId",
    [ID_HEX_ENTRY] = "HexEntryId",   [ID_STORE] = "StoreId", [ID_OWA] = "OwaId",
};

bool id_format_parse(const char *text, enum id_format *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(format_names); i++) {
        if (strcmp(format_names[i], text) != 0)
            continue;
        *out = (enum id_format)i;
        return true;
    }
    return false;
}

// --- Reading ---

static bool from_hex(struct arena *arena, const char *text, struct prop_bin *out) {
    size_t n = strlen(text);
    uint8_t *bytes = arena_alloc(arena, n / 2 + 1);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = g_ascii_xdigit_value(text[i]), low = g_ascii_xdigit_value(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    *out = (struct prop_bin){(uint32_t)(n / 2), bytes};
    return n % 2 == 0;
}

static bool from_base64(struct arena *arena, const char *text, struct prop_bin *out) {
    size_t n = strlen(text);
    uint8_t *bytes = arena_alloc(arena, n + 4);
    gint state = 0;
    guint save = 0;
    for (size_t i = 0; i < n; i++)
        if (!g_ascii_isalnum(text[i]) && !strchr("+/=", text[i]))
            return false;
    *out = (struct prop_bin){(uint32_t)g_base64_decode_step(text, n, bytes, &state, &save), bytes};
    return n > 0;
}

// The web client's form: base64 for URLs.
static const char *owa_to_base64(struct arena *arena, const char *text) {
    g_autofree char *plain = g_uri_unescape_string(text, NULL);
    if (!plain)
        return "";
    for (char *c = plain; *c; c++)
        *c = *c == '-' ? '/' : *c == '_' ? '+' : *c;
    return arena_strdup(arena, plain);
}

// An entry id with its length before and the kind of object behind it.
static bool unwrap_store(struct prop_bin *bytes) {
    if (bytes->len < 3 || bytes->data[0] + 2u != bytes->len)
        return false;
    bytes->len -= 2;
    bytes->data++;
    return true;
}

static bool of_entry(struct arena *arena, struct prop_bin bytes, struct ews_id *out,
                     struct guid *replica) {
    struct entry_id id;
    if (entry_id_parse(arena, bytes, &id) != EC_OK ||
        (id.kind != ENTRY_ID_FOLDER && id.kind != ENTRY_ID_MESSAGE))
        return false;
    bool is_message = id.kind == ENTRY_ID_MESSAGE;
    *out = (struct ews_id){
        .kind = is_message ? EWS_ID_ITEM : EWS_ID_FOLDER,
        .mailbox = id.is_public ? *mailbox_public_guid() : id.provider,
        .is_public = id.is_public,
        .fid = id.folder.counter,
        .mid = is_message ? id.message.counter : 0,
    };
    *replica = id.folder.replica;
    return true;
}

const char *id_read(struct arena *arena, enum id_format format, const char *text,
                    struct ews_id *out, struct guid *replica) {
    struct prop_bin bytes;
    if (!*text)
        return "ErrorInvalidIdEmpty";
    if (strlen(text) > CONVERT_ID_MAX)
        return "ErrorInvalidIdMonikerTooLong";
    switch (format) {
    case ID_EWS_LEGACY:
    case ID_EWS:
        return ews_id_parse(text, out, replica);
    case ID_HEX_ENTRY:
        return from_hex(arena, text, &bytes) && of_entry(arena, bytes, out, replica)
                   ? NULL
                   : "ErrorInvalidIdMalformed";
    case ID_ENTRY:
        return from_base64(arena, text, &bytes) && of_entry(arena, bytes, out, replica)
                   ? NULL
                   : "ErrorInvalidIdMalformed";
    case ID_OWA:
        text = owa_to_base64(arena, text);
        break;
    case ID_STORE:
        break;
    }
    return from_base64(arena, text, &bytes) && unwrap_store(&bytes) &&
                   of_entry(arena, bytes, out, replica)
               ? NULL
               : "ErrorInvalidIdMalformed";
}

// --- Writing ---

static struct prop_bin entry_of(struct arena *arena, const struct ews_id *id,
                                const struct guid *replica) {
    struct entry_id entry = {
        .kind = id->kind == EWS_ID_ITEM ? ENTRY_ID_MESSAGE : ENTRY_ID_FOLDER,
        .provider = id->mailbox,
        .is_public = id->is_public,
    };
    entry.folder = (struct gid){*replica, id->fid};
    entry.message = (struct gid){*replica, id->mid};
    return entry_id_bytes(arena, &entry);
}

static const char *to_base64(struct arena *arena, struct prop_bin bytes) {
    g_autofree char *text = g_base64_encode(bytes.data, bytes.len);
    return arena_strdup(arena, text);
}

static const char *to_hex(struct arena *arena, struct prop_bin bytes) {
    static const char digits[] = "0123456789ABCDEF";
    char *text = arena_alloc(arena, 2 * (size_t)bytes.len + 1);
    for (uint32_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[bytes.data[i] >> 4];
        text[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    text[2 * (size_t)bytes.len] = '\0';
    return text;
}

static struct prop_bin wrap_store(struct arena *arena, struct prop_bin entry, bool is_item) {
    uint8_t *bytes = arena_alloc(arena, entry.len + 2);
    bytes[0] = (uint8_t)entry.len;
    memcpy(bytes + 1, entry.data, entry.len);
    bytes[entry.len + 1] = is_item ? TYPE_MESSAGE : TYPE_FOLDER;
    return (struct prop_bin){entry.len + 2, bytes};
}

static const char *base64_to_owa(struct arena *arena, const char *text) {
    char *out = arena_strdup(arena, text);
    for (char *c = out; *c; c++)
        *c = *c == '/' ? '-' : *c == '+' ? '_' : *c;
    return out;
}

const char *id_write(struct arena *arena, enum id_format format, const struct ews_id *id,
                     const struct guid *replica) {
    if (format == ID_EWS || format == ID_EWS_LEGACY)
        return ews_id_format(arena, id, replica);
    if (id->kind != EWS_ID_FOLDER && id->kind != EWS_ID_ITEM)
        return NULL; // only folders and items have entry ids
    struct prop_bin entry = entry_of(arena, id, replica);
    if (format == ID_ENTRY)
        return to_base64(arena, entry);
    if (format == ID_HEX_ENTRY)
        return to_hex(arena, entry);
    const char *store = to_base64(arena, wrap_store(arena, entry, id->kind == EWS_ID_ITEM));
    return format == ID_STORE ? store : base64_to_owa(arena, store);
}

// --- The operation ---

struct converting {
    struct ews_call *call;
    enum id_format to;
};

static enum ec read_format(struct ews_call *call, const struct ews_node *node,
                           enum id_format *out) {
    const char *text = ews_attribute(node, "Format");
    return text && id_format_parse(text, out) ? EC_OK
                                              : ews_fail(call, "ErrorInvalidRequest", "Format");
}

static enum ec convert_text(struct converting *c, const struct ews_node *node, const char *name,
                            bool is_public, const char **out) {
    enum id_format from;
    struct ews_id id;
    struct guid replica = {0};
    const char *text = ews_attribute(node, name);
    EC_TRY(read_format(c->call, node, &from));
    const char *error = id_read(c->call->arena, from, text ? text : "", &id, &replica);
    if (error)
        return ews_fail(c->call, error, NULL);
    if (id.is_public != is_public)
        return ews_fail(c->call, "ErrorInvalidIdMalformed", "An id of another kind of store.");
    *out = id_write(c->call->arena, c->to, &id, &replica);
    return *out ? EC_OK : ews_fail(c->call, "ErrorUnsupportedTypeForConversion", NULL);
}

static void begin(struct converting *c, const char *type) {
    ews_success(c->call);
    ews_open(c->call->w, "m:AlternateId");
    ews_attr(c->call->w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    ews_attr(c->call->w, "xsi:type", type);
    ews_attr(c->call->w, "Format", format_names[c->to]);
}

static void finish(struct converting *c) {
    ews_close(c->call->w);
    ews_message_end(c->call);
}

static enum ec convert_private(struct converting *c, const struct ews_node *node) {
    struct ews_call *call = c->call;
    const char *mailbox = ews_attribute(node, "Mailbox"), *id;
    const char *archive = ews_attribute(node, "IsArchive");
    struct directory_object *object;
    bool is_archive = false;
    if (!mailbox || !*mailbox)
        return ews_fail(call, "ErrorMissingEmailAddress", NULL);
    if (ews_find_user(call, mailbox, &object) != EC_OK)
        return ews_fail(call, "ErrorNonExistentMailbox", NULL);
    if (archive && !ews_parse_bool(archive, &is_archive))
        return ews_fail(call, "ErrorInvalidRequest", "IsArchive");
    EC_TRY(convert_text(c, node, "Id", false, &id));
    begin(c, "t:AlternateIdType");
    ews_attr(call->w, "Id", id);
    ews_attr(call->w, "Mailbox", mailbox);
    if (is_archive)
        ews_attr_bool(call->w, "IsArchive", true);
    finish(c);
    return EC_OK;
}

static enum ec convert_public(struct converting *c, const struct ews_node *node) {
    bool is_item = ews_is(node, "AlternatePublicFolderItemId");
    const char *folder, *item = NULL;
    EC_TRY(convert_text(c, node, "FolderId", true, &folder));
    if (is_item)
        EC_TRY(convert_text(c, node, "ItemId", true, &item));
    begin(c, is_item ? "t:AlternatePublicFolderItemIdType" : "t:AlternatePublicFolderIdType");
    ews_attr(c->call->w, "FolderId", folder);
    if (is_item)
        ews_attr(c->call->w, "ItemId", item);
    finish(c);
    return EC_OK;
}

enum ec op_convert_id(struct ews_call *call) {
    struct converting c = {.call = call};
    const char *to = ews_attribute(call->request, "DestinationFormat");
    const struct ews_node *ids = ews_child(call->request, "SourceIds");
    if (!to || !id_format_parse(to, &c.to))
        return ews_fail(call, "ErrorInvalidRequest", "DestinationFormat");
    if (ews_count(ids) > EWS_MAX_IDS)
        return ews_fail(call, "ErrorInvalidRequest", "Too many ids.");
    for (const struct ews_node *id = ids ? ids->child : NULL; id; id = id->next) {
        enum ec ec;
        if (ews_is(id, "AlternateId"))
            ec = convert_private(&c, id);
        else if (ews_is(id, "AlternatePublicFolderId") || ews_is(id, "AlternatePublicFolderItemId"))
            ec = convert_public(&c, id);
        else
            ec = ews_fail(call, "ErrorInvalidRequest", NULL);
        if (ec != EC_OK)
            ews_error(call, ec);
    }
    return EC_OK;
}
