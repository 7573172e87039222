// Ids of items, folders, conversations and attachments as text, and change keys
// ([MS-OXWSITEMID] 2.1).
//
// The store id inside is the entry id of MAPI, so that ids can be converted both ways. A moved
// message has a new entry id, as with Exchange; one whose folder is moved or renamed keeps it.
#include <string.h>

#include "mapi/entry_id.h"
#include "protocol/ews/ews_internal.h"

#define ID_BYTES_MAX 1024
#define ID_TEXT_MAX 2048
#define CHANGE_KEY_MAX 128

enum storage { // IdStorageType
    STORAGE_SMTP = 0,
    STORAGE_PUBLIC_FOLDER = 1,
    STORAGE_PUBLIC_ITEM = 2,
    STORAGE_MAILBOX_ITEM = 3,
    STORAGE_CONVERSATION = 4,
    STORAGE_DIRECTORY = 5,
};
enum compression { COMPRESSION_NONE = 0, COMPRESSION_RLE = 1 };

// --- Run lengths ([MS-OXWSITEMID] 2.1.3.1) ---

// The first byte of `in` is the place of the compression type. False: it does not get shorter.
static bool compress(const GByteArray *in, GByteArray *out) {
    uint8_t type = COMPRESSION_RLE;
    g_byte_array_append(out, &type, 1);
    for (guint i = 1; i < in->len;) {
        guint run = 1;
        while (run < UINT8_MAX + 2u && i + run < in->len && in->data[i] == in->data[i + run])
            run++;
        g_byte_array_append(out, &in->data[i], 1);
        if (run > 1) {
            uint8_t more = (uint8_t)(run - 2);
            g_byte_array_append(out, &in->data[i], 1);
            g_byte_array_append(out, &more, 1);
        }
        if (out->len >= in->len)
            return false;
        i += run;
    }
    return true;
}

static bool decompress(struct prop_bin in, uint8_t out[ID_BYTES_MAX], size_t *len_out) {
    size_t n = 0;
    for (uint32_t i = 1; i < in.len; i++) {
        size_t run = 1;
        if (i + 1 < in.len && in.data[i] == in.data[i + 1]) {
            if (i + 2 == in.len)
                return false; // the count is missing
            run = in.data[i + 2] + 2u;
        }
        if (run > ID_BYTES_MAX - n)
            return false;
        memset(out + n, in.data[i], run);
        n += run;
        i += run > 1 ? 2 : 0;
    }
    *len_out = n;
    return true;
}

// --- Making ---

static void put_bytes(struct wire_writer *w, struct prop_bin bytes) {
    wire_put_u16(w, (uint16_t)bytes.len);
    wire_put_bytes(w, bytes.data, bytes.len);
}

static struct prop_bin entry_of(struct arena *arena, const struct ews_id *id,
                                const struct guid *replica, bool is_folder) {
    struct entry_id entry = {.kind = is_folder ? ENTRY_ID_FOLDER : ENTRY_ID_MESSAGE,
                             .provider = id->mailbox,
                             .is_public = id->is_public,
                             .folder = {*replica, id->fid},
                             .message = {*replica, id->mid}};
    return entry_id_bytes(arena, &entry);
}

static void put_store_id(struct wire_writer *w, struct arena *arena, const struct ews_id *id,
                         const struct guid *replica) {
    bool is_folder = id->kind == EWS_ID_FOLDER;
    if (id->kind == EWS_ID_DIRECTORY) {
        wire_put_u8(w, STORAGE_DIRECTORY);
        put_bytes(w, (struct prop_bin){sizeof id->mailbox, id->mailbox.bytes});
        return;
    }
    if (id->is_public && id->kind != EWS_ID_CONVERSATION) {
        wire_put_u8(w, is_folder ? STORAGE_PUBLIC_FOLDER : STORAGE_PUBLIC_ITEM);
        if (!is_folder)
            wire_put_u8(w, 0);
        put_bytes(w, entry_of(arena, id, replica, is_folder));
        if (!is_folder)
            put_bytes(w, entry_of(arena, id, replica, true));
        return;
    }
    char moniker[GUID_STRING_SIZE];
    guid_format(&id->mailbox, moniker);
    wire_put_u8(w, id->kind == EWS_ID_CONVERSATION ? STORAGE_CONVERSATION : STORAGE_MAILBOX_ITEM);
    put_bytes(w, (struct prop_bin){GUID_STRING_SIZE - 1, (const uint8_t *)moniker});
    wire_put_u8(w, 0); // IdProcessingInstruction: Normal
    put_bytes(w, id->kind == EWS_ID_CONVERSATION
                     ? (struct prop_bin){sizeof id->conversation, id->conversation}
                     : entry_of(arena, id, replica, is_folder));
}

const char *ews_id_format(struct arena *arena, const struct ews_id *id,
                          const struct guid *replica) {
    struct wire_writer w = wire_writer(ID_BYTES_MAX);
    wire_put_u8(&w, COMPRESSION_NONE);
    put_store_id(&w, arena, id, replica);
    if (id->kind == EWS_ID_ATTACHMENT) {
        wire_put_u8(&w, (uint8_t)id->n_attachments);
        for (unsigned i = 0; i < id->n_attachments; i++)
            put_bytes(&w, (struct prop_bin){EWS_ATTACHMENT_ID, id->attachments[i]});
    }
    GByteArray *plain = wire_writer_take(&w);
    g_autoptr(GByteArray) packed = g_byte_array_sized_new(plain->len + 3);
    bool is_packed = compress(plain, packed);
    g_autofree char *text = is_packed ? g_base64_encode(packed->data, packed->len)
                                      : g_base64_encode(plain->data, plain->len);
    g_byte_array_unref(plain);
    return arena_strdup(arena, text);
}

// --- Reading ---

static struct prop_bin get_bytes(struct wire_reader *r) {
    uint16_t len = wire_u16(r);
    const uint8_t *data = wire_bytes(r, len);
    return (struct prop_bin){data ? len : 0, data};
}

static void get_entry(struct arena *arena, struct wire_reader *r, struct ews_id *out,
                      struct guid *replica_out) {
    struct prop_bin bytes = get_bytes(r);
    struct entry_id entry;
    if (!wire_ok(r) || entry_id_parse(arena, bytes, &entry) != EC_OK ||
        (entry.kind != ENTRY_ID_FOLDER && entry.kind != ENTRY_ID_MESSAGE) ||
        entry.is_public != out->is_public ||
        (!entry.is_public && !guid_equal(&entry.provider, &out->mailbox))) {
        wire_fail(r);
        return;
    }
    out->kind = entry.kind == ENTRY_ID_FOLDER ? EWS_ID_FOLDER : EWS_ID_ITEM;
    out->fid = entry.folder.counter;
    out->mid = entry.kind == ENTRY_ID_MESSAGE ? entry.message.counter : 0;
    *replica_out = entry.folder.replica;
}

static void get_moniker(struct wire_reader *r, struct guid *out) {
    struct prop_bin bytes = get_bytes(r);
    char text[GUID_STRING_SIZE];
    if (bytes.len != sizeof text - 1) {
        wire_fail(r);
        return;
    }
    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    if (!guid_parse(text, out))
        wire_fail(r);
}

static void get_store_id(struct arena *arena, struct wire_reader *r, struct ews_id *out,
                         struct guid *replica_out) {
    uint8_t storage = wire_u8(r);
    struct prop_bin bytes;
    switch (storage) {
    case STORAGE_PUBLIC_FOLDER:
    case STORAGE_PUBLIC_ITEM:
        out->is_public = true;
        out->mailbox = *mailbox_public_guid();
        if (storage == STORAGE_PUBLIC_ITEM)
            wire_u8(r);
        get_entry(arena, r, out, replica_out);
        if (storage == STORAGE_PUBLIC_ITEM)
            get_bytes(r);
        if ((storage == STORAGE_PUBLIC_ITEM) != (out->kind == EWS_ID_ITEM))
            wire_fail(r);
        break;
    case STORAGE_MAILBOX_ITEM:
        get_moniker(r, &out->mailbox);
        wire_u8(r);
        get_entry(arena, r, out, replica_out);
        break;
    case STORAGE_CONVERSATION:
        out->kind = EWS_ID_CONVERSATION;
        get_moniker(r, &out->mailbox);
        wire_u8(r);
        bytes = get_bytes(r);
        if (bytes.len == sizeof out->conversation)
            memcpy(out->conversation, bytes.data, bytes.len);
        else
            wire_fail(r);
        break;
    case STORAGE_DIRECTORY:
        out->kind = EWS_ID_DIRECTORY;
        bytes = get_bytes(r);
        if (bytes.len == sizeof out->mailbox)
            memcpy(out->mailbox.bytes, bytes.data, bytes.len);
        else
            wire_fail(r);
        break;
    default:
        wire_fail(r);
    }
}

static void get_attachments(struct wire_reader *r, struct ews_id *out) {
    out->n_attachments = wire_u8(r);
    if (out->n_attachments == 0)
        return;
    if (out->kind != EWS_ID_ITEM || out->n_attachments > EWS_ID_MAX_LEVELS) {
        wire_fail(r);
        return;
    }
    out->kind = EWS_ID_ATTACHMENT;
    for (unsigned i = 0; i < out->n_attachments; i++) {
        struct prop_bin bytes = get_bytes(r);
        if (bytes.len == EWS_ATTACHMENT_ID)
            memcpy(out->attachments[i], bytes.data, EWS_ATTACHMENT_ID);
        else
            wire_fail(r);
    }
}

const char *ews_id_parse(const char *text, struct ews_id *out, struct guid *replica_out) {
    ARENA_AUTO arena = arena_new();
    struct guid replica = {{0}};
    struct prop_bin packed;
    uint8_t plain[ID_BYTES_MAX];
    size_t len = text ? strlen(text) : 0;
    if (len == 0)
        return "ErrorInvalidIdEmpty";
    if (len > ID_TEXT_MAX)
        return "ErrorInvalidIdMalformed";
    struct ews_node node = {.text = text, .text_len = len};
    if (ews_node_base64(arena, &node, &packed) != EC_OK || packed.len < 2)
        return "ErrorInvalidIdMalformed";
    if (packed.data[0] == COMPRESSION_RLE) {
        if (!decompress(packed, plain, &len))
            return "ErrorInvalidIdMalformed";
    } else if (packed.data[0] == COMPRESSION_NONE && packed.len - 1 <= ID_BYTES_MAX) {
        len = packed.len - 1;
        memcpy(plain, packed.data + 1, len);
    } else {
        return "ErrorInvalidIdMalformed";
    }
    struct wire_reader r = wire_reader(plain, len);
    memset(out, 0, sizeof *out);
    get_store_id(arena, &r, out, &replica);
    if (wire_left(&r) > 0)
        get_attachments(&r, out);
    if (!wire_ok(&r) || wire_left(&r) > 0)
        return "ErrorInvalidIdMalformed";
    if (replica_out)
        *replica_out = replica;
    return NULL;
}

// --- Change keys: type, length, XID ---

const char *ews_change_key_format(struct arena *arena, unsigned object_type,
                                  const struct guid *replica, uint64_t cn) {
    struct wire_writer w = wire_writer(CHANGE_KEY_MAX);
    struct gid gid = {*replica, cn};
    wire_put_u32(&w, object_type);
    wire_put_u32(&w, GID_SIZE);
    gid_put(&w, &gid);
    g_autofree char *text = g_base64_encode(w.bytes->data, w.bytes->len);
    wire_writer_clear(&w);
    return arena_strdup(arena, text);
}

bool ews_change_key_parse(const char *text, uint64_t *cn_out) {
    ARENA_AUTO arena = arena_new();
    struct prop_bin bytes;
    struct ews_node node = {.text = text, .text_len = strlen(text)};
    if (node.text_len > CHANGE_KEY_MAX || ews_node_base64(arena, &node, &bytes) != EC_OK)
        return false;
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    wire_u32(&r);
    uint32_t len = wire_u32(&r);
    struct gid gid = gid_read(&r);
    if (!wire_ok(&r) || len != GID_SIZE)
        return false;
    *cn_out = gid.counter;
    return true;
}

// --- Writing elements ---

static void write_id(struct ews_call *call, const char *element, const struct ews_mailbox *m,
                     const struct ews_id *id, unsigned object_type, uint64_t cn) {
    ews_open(call->w, element);
    ews_attr(call->w, "Id", ews_id_format(call->arena, id, &m->replica));
    if (cn)
        ews_attr(call->w, "ChangeKey",
                 ews_change_key_format(call->arena, object_type, &m->replica, cn));
    ews_close(call->w);
}

void ews_write_item_id(struct ews_call *call, const char *element, const struct ews_mailbox *m,
                       uint64_t fid, uint64_t mid, unsigned object_type, uint64_t cn) {
    struct ews_id id = {
        .kind = EWS_ID_ITEM, .mailbox = m->guid, .is_public = m->is_public, .fid = fid, .mid = mid};
    write_id(call, element, m, &id, object_type, cn);
}

void ews_write_folder_id(struct ews_call *call, const char *element, const struct ews_mailbox *m,
                         uint64_t fid, unsigned object_type, uint64_t cn) {
    struct ews_id id = {
        .kind = EWS_ID_FOLDER, .mailbox = m->guid, .is_public = m->is_public, .fid = fid};
    write_id(call, element, m, &id, object_type, cn);
}

void ews_write_conversation_id(struct ews_call *call, const char *element,
                               const struct ews_mailbox *m, const uint8_t bytes[16]) {
    struct ews_id id = {.kind = EWS_ID_CONVERSATION, .mailbox = m->guid};
    memcpy(id.conversation, bytes, sizeof id.conversation);
    write_id(call, element, m, &id, 0, 0);
}
