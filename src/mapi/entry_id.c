// Reading and making entry ids.
#include "mapi/entry_id.h"

#include <string.h>

#include "base/text.h"
#include "mapi/prop_wire.h"

const struct guid ENTRY_ID_PROVIDER_PUBLIC = {
    {0x1A, 0x44, 0x73, 0x90, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0, 0xAA, 0, 0x2F, 0xC4, 0x5A}};
const struct guid ENTRY_ID_PROVIDER_STORE = {
    {0x38, 0xA1, 0xBB, 0x10, 0x05, 0xE5, 0x10, 0x1A, 0xA1, 0xBB, 8, 0, 0x2B, 0x2A, 0x56, 0xC2}};
const struct guid ENTRY_ID_PROVIDER_ADDRESS_BOOK = {
    {0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 8, 0, 0x2B, 0x2F, 0xE1, 0x82}};
const struct guid ENTRY_ID_PROVIDER_ONE_OFF = {
    {0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0, 0xDD, 1, 0x0F, 0x54, 0x02}};
const struct guid ENTRY_ID_PROVIDER_CONTACT = {
    {0xFE, 0x42, 0xAA, 0x0A, 0x18, 0xC7, 0x1A, 0x10, 0xE8, 0x85, 0x0B, 0x65, 0x1C, 0x24, 0, 0}};
const struct guid ENTRY_ID_PROVIDER_WRAPPED = {
    {0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9, 0, 0xAA, 0, 0x47, 0xFA, 0xA4}};

// The providers inside a store's entry id.
static const struct guid wrapped_private = {
    {0x1B, 0x55, 0xFA, 0x20, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0, 0xAA, 0, 0x2F, 0xC4, 0x5A}};
static const struct guid wrapped_public = {
    {0x1C, 0x83, 0x02, 0x10, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0, 0xAA, 0, 0x2F, 0xC4, 0x5A}};

enum long_term_type {
    TYPE_PRIVATE_FOLDER = 0x0001,
    TYPE_PUBLIC_FOLDER = 0x0003,
    TYPE_PRIVATE_MESSAGE = 0x0007,
    TYPE_PUBLIC_MESSAGE = 0x0009,
};
enum wrapped_store_type { STORE_PUBLIC = 0x00000006, STORE_PRIVATE = 0x0000000C };
enum contact_type { CONTACT_ADDRESS = 4, CONTACT_LIST = 5 };

#define HEADER_SIZE 20
#define FOLDER_SIZE 46
#define MESSAGE_SIZE 70
#define STORE_DLL_SIZE 14
#define CONTACT_VERSION 3

// --- Reading ---
static const char *read_string(struct wire_reader *r, struct arena *arena, bool is_unicode) {
    return prop_wire_string(r, &PROP_WIRE_ROP, arena, is_unicode);
}

static void read_store(struct wire_reader *r, struct arena *arena, struct entry_id *id) {
    id->kind = ENTRY_ID_STORE;
    wire_skip(r, 2 + STORE_DLL_SIZE + 4); // version, flag, DLL name, wrapped flags
    struct guid wrapped = wire_guid(r);
    wire_skip(r, 4);
    id->is_public = guid_equal(&wrapped, &wrapped_public);
    id->store.server = read_string(r, arena, false);
    id->store.mailbox_dn = wire_left(r) ? read_string(r, arena, false) : "";
}

static void read_address_book(struct wire_reader *r, struct arena *arena, struct entry_id *id) {
    id->kind = ENTRY_ID_ADDRESS_BOOK;
    wire_skip(r, 4); // version
    id->address_book.type = wire_u32(r);
    id->address_book.dn = read_string(r, arena, false);
}

static void read_one_off(struct wire_reader *r, struct arena *arena, struct entry_id *id) {
    id->kind = ENTRY_ID_ONE_OFF;
    wire_skip(r, 2); // version
    id->one_off.flags = wire_u16(r);
    bool is_unicode = id->one_off.flags & ONE_OFF_UNICODE;
    id->one_off.display_name = read_string(r, arena, is_unicode);
    id->one_off.address_type = read_string(r, arena, is_unicode);
    id->one_off.address = read_string(r, arena, is_unicode);
}

static void read_contact(struct wire_reader *r, struct entry_id *id) {
    wire_skip(r, 4); // version
    uint32_t type = wire_u32(r);
    id->kind = type == CONTACT_LIST ? ENTRY_ID_PERSONAL_DL : ENTRY_ID_CONTACT;
    if (type != CONTACT_LIST && type != CONTACT_ADDRESS)
        wire_fail(r);
    id->contact.index = wire_u32(r);
    uint32_t len = wire_u32(r);
    id->contact.entry = (struct prop_bin){len, wire_bytes(r, len)};
}

static void read_wrapped(struct wire_reader *r, struct entry_id *id) {
    id->kind = ENTRY_ID_WRAPPED;
    id->wrapped.type = wire_u8(r);
    size_t len = wire_left(r);
    id->wrapped.entry = (struct prop_bin){(uint32_t)len, wire_bytes(r, len)};
}

// Folders and messages have the mailbox as their provider: they are known by size and type.
static void read_long_term(struct wire_reader *r, size_t size, struct entry_id *id) {
    struct wire_reader peek = *r;
    uint16_t type = wire_u16(&peek);
    bool is_public = guid_equal(&id->provider, &ENTRY_ID_PROVIDER_PUBLIC);
    if (size == FOLDER_SIZE && type == (is_public ? TYPE_PUBLIC_FOLDER : TYPE_PRIVATE_FOLDER))
        id->kind = ENTRY_ID_FOLDER;
    else if (size == MESSAGE_SIZE &&
             type == (is_public ? TYPE_PUBLIC_MESSAGE : TYPE_PRIVATE_MESSAGE))
        id->kind = ENTRY_ID_MESSAGE;
    else
        return;
    wire_skip(r, 2);
    id->is_public = is_public;
    id->folder = long_term_id_read(r);
    if (id->kind == ENTRY_ID_MESSAGE)
        id->message = long_term_id_read(r);
}

enum ec entry_id_parse(struct arena *arena, struct prop_bin bytes, struct entry_id *out) {
    if (bytes.len < HEADER_SIZE || bytes.len > ENTRY_ID_MAX)
        return EC_INVALID_ENTRY_ID;
    struct entry_id id = {.kind = ENTRY_ID_UNKNOWN};
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    memcpy(id.flags, wire_bytes(&r, sizeof id.flags), sizeof id.flags);
    id.provider = wire_guid(&r);
    if (guid_equal(&id.provider, &ENTRY_ID_PROVIDER_STORE))
        read_store(&r, arena, &id);
    else if (guid_equal(&id.provider, &ENTRY_ID_PROVIDER_ADDRESS_BOOK))
        read_address_book(&r, arena, &id);
    else if (guid_equal(&id.provider, &ENTRY_ID_PROVIDER_ONE_OFF))
        read_one_off(&r, arena, &id);
    else if (guid_equal(&id.provider, &ENTRY_ID_PROVIDER_CONTACT))
        read_contact(&r, &id);
    else if (guid_equal(&id.provider, &ENTRY_ID_PROVIDER_WRAPPED))
        read_wrapped(&r, &id);
    else
        read_long_term(&r, bytes.len, &id);
    if (!wire_ok(&r))
        return EC_INVALID_ENTRY_ID;
    *out = id;
    return EC_OK;
}

// --- Making ---
static void put_string(struct wire_writer *w, bool is_unicode, const char *s) {
    prop_wire_put_string(w, &PROP_WIRE_ROP, is_unicode, s);
}

static void put_store(struct wire_writer *w, const struct entry_id *id) {
    static const char dll[STORE_DLL_SIZE] = "emsmdb.dll";
    wire_put_u16(w, 0); // version, flag
    wire_put_bytes(w, dll, sizeof dll);
    wire_put_u32(w, 0);
    wire_put_guid(w, id->is_public ? &wrapped_public : &wrapped_private);
    wire_put_u32(w, id->is_public ? STORE_PUBLIC : STORE_PRIVATE);
    put_string(w, false, id->store.server);
    if (!id->is_public)
        put_string(w, false, id->store.mailbox_dn);
}

static void put_contact(struct wire_writer *w, const struct entry_id *id) {
    wire_put_u32(w, CONTACT_VERSION);
    wire_put_u32(w, id->kind == ENTRY_ID_CONTACT ? CONTACT_ADDRESS : CONTACT_LIST);
    wire_put_u32(w, id->kind == ENTRY_ID_CONTACT ? id->contact.index : 0xFF);
    wire_put_u32(w, id->contact.entry.len);
    wire_put_bytes(w, id->contact.entry.data, id->contact.entry.len);
}

static const struct guid *provider_of(const struct entry_id *id) {
    switch (id->kind) {
    case ENTRY_ID_STORE:
        return &ENTRY_ID_PROVIDER_STORE;
    case ENTRY_ID_ADDRESS_BOOK:
        return &ENTRY_ID_PROVIDER_ADDRESS_BOOK;
    case ENTRY_ID_ONE_OFF:
        return &ENTRY_ID_PROVIDER_ONE_OFF;
    case ENTRY_ID_CONTACT:
    case ENTRY_ID_PERSONAL_DL:
        return &ENTRY_ID_PROVIDER_CONTACT;
    case ENTRY_ID_WRAPPED:
        return &ENTRY_ID_PROVIDER_WRAPPED;
    default:
        return id->is_public ? &ENTRY_ID_PROVIDER_PUBLIC : &id->provider;
    }
}

struct prop_bin entry_id_bytes(struct arena *arena, const struct entry_id *id) {
    struct wire_writer w = wire_writer(64 * 1024);
    wire_put_bytes(&w, id->flags, sizeof id->flags);
    wire_put_guid(&w, provider_of(id));
    switch (id->kind) {
    case ENTRY_ID_UNKNOWN:
        break;
    case ENTRY_ID_FOLDER:
        wire_put_u16(&w, id->is_public ? TYPE_PUBLIC_FOLDER : TYPE_PRIVATE_FOLDER);
        long_term_id_put(&w, &id->folder);
        break;
    case ENTRY_ID_MESSAGE:
        wire_put_u16(&w, id->is_public ? TYPE_PUBLIC_MESSAGE : TYPE_PRIVATE_MESSAGE);
        long_term_id_put(&w, &id->folder);
        long_term_id_put(&w, &id->message);
        break;
    case ENTRY_ID_STORE:
        put_store(&w, id);
        break;
    case ENTRY_ID_ADDRESS_BOOK:
        wire_put_u32(&w, 1); // version
        wire_put_u32(&w, id->address_book.type);
        put_string(&w, false, id->address_book.dn);
        break;
    case ENTRY_ID_ONE_OFF:
        wire_put_u16(&w, 0); // version
        wire_put_u16(&w, id->one_off.flags | ONE_OFF_UNICODE);
        put_string(&w, true, id->one_off.display_name);
        put_string(&w, true, id->one_off.address_type);
        put_string(&w, true, id->one_off.address);
        break;
    case ENTRY_ID_CONTACT:
    case ENTRY_ID_PERSONAL_DL:
        put_contact(&w, id);
        break;
    case ENTRY_ID_WRAPPED:
        wire_put_u8(&w, id->wrapped.type);
        wire_put_bytes(&w, id->wrapped.entry.data, id->wrapped.entry.len);
        break;
    }
    struct prop_bin bytes = {(uint32_t)wire_writer_len(&w),
                             arena_memdup(arena, w.bytes->data, wire_writer_len(&w))};
    wire_writer_clear(&w);
    return bytes;
}

struct prop_bin entry_id_of_folder(struct arena *arena, const struct guid *mailbox,
                                   const struct guid *replica, uint64_t fid) {
    struct entry_id id = {.kind = ENTRY_ID_FOLDER, .provider = *mailbox, .folder = {*replica, fid}};
    return entry_id_bytes(arena, &id);
}

struct prop_bin entry_id_of_message(struct arena *arena, const struct guid *mailbox,
                                    const struct guid *replica, uint64_t fid, uint64_t mid) {
    struct entry_id id = {.kind = ENTRY_ID_MESSAGE, .provider = *mailbox};
    id.folder = (struct gid){*replica, fid};
    id.message = (struct gid){*replica, mid};
    return entry_id_bytes(arena, &id);
}

struct prop_bin entry_id_of_dn(struct arena *arena, uint32_t type, const char *dn) {
    struct entry_id id = {.kind = ENTRY_ID_ADDRESS_BOOK, .address_book = {type, dn}};
    return entry_id_bytes(arena, &id);
}

struct prop_bin entry_id_of_address(struct arena *arena, const char *display_name,
                                    const char *address_type, const char *address) {
    struct entry_id id = {
        .kind = ENTRY_ID_ONE_OFF,
        .one_off = {ONE_OFF_NO_RICH_INFO | ONE_OFF_UNICODE, display_name, address_type, address}};
    return entry_id_bytes(arena, &id);
}

// --- Comparing ---
bool entry_id_equal(struct prop_bin a, struct prop_bin b) {
    ARENA_AUTO arena = arena_new();
    struct entry_id x, y;
    if (entry_id_parse(arena, a, &x) != EC_OK || entry_id_parse(arena, b, &y) != EC_OK)
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
    if (x.kind != y.kind || !guid_equal(&x.provider, &y.provider))
        return false;
    switch (x.kind) {
    case ENTRY_ID_ADDRESS_BOOK:
        return text_compare_folded(x.address_book.dn, y.address_book.dn) == 0;
    case ENTRY_ID_ONE_OFF:
        return text_compare_folded(x.one_off.address_type, y.one_off.address_type) == 0 &&
               text_compare_folded(x.one_off.address, y.one_off.address) == 0;
    case ENTRY_ID_STORE:
        return x.is_public == y.is_public &&
               text_compare_folded(x.store.mailbox_dn, y.store.mailbox_dn) == 0;
    default: // all but the flags
        return a.len == b.len && memcmp(a.data + 4, b.data + 4, a.len - 4) == 0;
    }
}

// --- Server ids ---
bool server_id_parse(struct prop_bin bytes, struct server_id *out) {
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    struct server_id id = {.is_ours = wire_u8(&r) == 1};
    if (id.is_ours) {
        id.folder = short_id_read(&r);
        id.message = short_id_read(&r);
        id.instance = wire_u32(&r);
        if (wire_left(&r))
            wire_fail(&r);
    } else if (wire_ok(&r)) {
        id.client = (struct prop_bin){bytes.len - 1, bytes.data + 1};
    }
    if (wire_ok(&r))
        *out = id;
    return wire_ok(&r);
}

struct prop_bin server_id_bytes(struct arena *arena, const struct server_id *id) {
    struct wire_writer w = wire_writer(64 * 1024);
    wire_put_u8(&w, id->is_ours);
    if (id->is_ours) {
        short_id_put(&w, id->folder);
        short_id_put(&w, id->message);
        wire_put_u32(&w, id->instance);
    } else {
        wire_put_bytes(&w, id->client.data, id->client.len);
    }
    struct prop_bin bytes = {(uint32_t)wire_writer_len(&w),
                             arena_memdup(arena, w.bytes->data, wire_writer_len(&w))};
    wire_writer_clear(&w);
    return bytes;
}
