// Entry ids: the permanent names of folders, messages, stores, users and addresses
// ([MS-OXCDATA] 2.2.4, 2.2.5, [MS-OXOCNTC] 2.2.2.2, PtypServerId [MS-OXCDATA] 2.11.1.4).
#pragma once

#include "mapi/change.h"

#define ENTRY_ID_MAX 4096 // bytes; longer ones are refused

enum entry_id_kind {
    ENTRY_ID_UNKNOWN, // of a provider that is none of these; only flags and provider are set
    ENTRY_ID_FOLDER,
    ENTRY_ID_MESSAGE,
    ENTRY_ID_STORE,
    ENTRY_ID_ADDRESS_BOOK, // an object of the address book, by its X500 DN (address type EX)
    ENTRY_ID_ONE_OFF,      // an address by itself
    ENTRY_ID_CONTACT,      // an address of a contact
    ENTRY_ID_PERSONAL_DL,  // a distribution list in a contacts folder
    ENTRY_ID_WRAPPED,      // another entry id in a distribution list's members
};

// Types of address book objects in their entry ids (also PidTagDisplayType).
enum address_book_type {
    AB_TYPE_MAIL_USER = 0x00,
    AB_TYPE_DISTRIBUTION_LIST = 0x01,
    AB_TYPE_FORUM = 0x02, // a public folder
    AB_TYPE_AGENT = 0x03,
    AB_TYPE_ORGANIZATION = 0x04,
    AB_TYPE_PRIVATE_DL = 0x05,
    AB_TYPE_REMOTE_USER = 0x06, // a mail contact
    AB_TYPE_CONTAINER = 0x100,
    AB_TYPE_TEMPLATE = 0x101,
    AB_TYPE_ONE_OFF = 0x102,
    AB_TYPE_SEARCH = 0x200,
};

enum one_off_flags {
    ONE_OFF_NO_RICH_INFO = 0x0001,
    ONE_OFF_UNICODE = 0x8000,
};

struct entry_id {
    enum entry_id_kind kind;
    uint8_t flags[4];
    struct guid
        provider;   // of folders and messages in a private store: the mailbox; set when made too
    bool is_public; // FOLDER, MESSAGE, STORE: of the public store, whose provider is fixed
    union {
        struct {
            struct gid folder;
            struct gid message; // MESSAGE
        };
        struct {
            const char *server;     // its name
            const char *mailbox_dn; // "" in the public store
        } store;
        struct {
            uint32_t type; // enum address_book_type
            const char *dn;
        } address_book;
        struct {
            uint16_t flags; // enum one_off_flags; strings are written in Unicode always
            const char *display_name, *address_type, *address;
        } one_off;
        struct {
            uint32_t index;        // CONTACT: which address: 0 to 2 electronic, 3 to 5 fax
            struct prop_bin entry; // the contact's or list's message entry id
        } contact;                 // CONTACT, PERSONAL_DL
        struct {
            uint8_t type;          // what it is and which address, as in [MS-OXOCNTC]
            struct prop_bin entry; // an entry id
        } wrapped;
    };
};

// Provider UIDs.
extern const struct guid ENTRY_ID_PROVIDER_PUBLIC;       // folders and messages of the public store
extern const struct guid ENTRY_ID_PROVIDER_STORE;        // stores
extern const struct guid ENTRY_ID_PROVIDER_ADDRESS_BOOK; // EX
extern const struct guid ENTRY_ID_PROVIDER_ONE_OFF;
extern const struct guid ENTRY_ID_PROVIDER_CONTACT;
extern const struct guid ENTRY_ID_PROVIDER_WRAPPED;

// Reads an entry id of any kind; strings and binaries are in the arena or borrowed from the bytes.
// EC_INVALID_ENTRY_ID when it is cut off, too long or contradicts itself.
enum ec entry_id_parse(struct arena *arena, struct prop_bin bytes, struct entry_id *out);

// The bytes of one (not of UNKNOWN). In the arena.
struct prop_bin entry_id_bytes(struct arena *arena, const struct entry_id *id);

// Short forms. `mailbox` is the store's provider UID (the mailbox GUID), `replica` that of its ids.
struct prop_bin entry_id_of_folder(struct arena *arena, const struct guid *mailbox,
                                   const struct guid *replica, uint64_t fid);
struct prop_bin entry_id_of_message(struct arena *arena, const struct guid *mailbox,
                                    const struct guid *replica, uint64_t fid, uint64_t mid);
struct prop_bin entry_id_of_dn(struct arena *arena, uint32_t type, const char *dn);
struct prop_bin entry_id_of_address(struct arena *arena, const char *display_name,
                                    const char *address_type, const char *address);

// Whether two entry ids name the same object: flags and the case of DNs and addresses do not count.
bool entry_id_equal(struct prop_bin a, struct prop_bin b);

// A server id (PT_SVREID): a folder (mid counter 0) or message of the same store, or bytes of a
// client.
struct server_id {
    bool is_ours;
    struct short_id folder, message;
    uint32_t instance;
    struct prop_bin client; // not ours
};
bool server_id_parse(struct prop_bin bytes, struct server_id *out);
struct prop_bin server_id_bytes(struct arena *arena, const struct server_id *id);
