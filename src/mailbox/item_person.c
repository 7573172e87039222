// People in the properties of items: groups of name, address, type, entry id and search key
// ([MS-OXOMSG] 2.2.1, [MS-OXCMSG] 2.2.1), and the list of those to reply to ([MS-OXCDATA] 2.3.3).
#include <string.h>

#include "base/wire.h"
#include "mailbox/item.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"

#define REPLY_TO_MAX 256
#define REPLY_TO_BYTES (256u * 1024)

static const struct {
    proptag_t name, type, address, smtp, entry_id, search_key;
} groups[] = {
    [ITEM_SENDER] = {PidTagSenderName, PidTagSenderAddressType, PidTagSenderEmailAddress,
                     PidTagSenderSmtpAddress, PidTagSenderEntryId, PidTagSenderSearchKey},
    [ITEM_FROM] = {PidTagSentRepresentingName, PidTagSentRepresentingAddressType,
                   PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
                   PidTagSentRepresentingEntryId, PidTagSentRepresentingSearchKey},
    [ITEM_RECEIVED_BY] = {PidTagReceivedByName, PidTagReceivedByAddressType,
                          PidTagReceivedByEmailAddress, PidTagReceivedBySmtpAddress,
                          PidTagReceivedByEntryId, PidTagReceivedBySearchKey},
    [ITEM_RECEIVED_REPRESENTING] = {PidTagReceivedRepresentingName,
                                    PidTagReceivedRepresentingAddressType,
                                    PidTagReceivedRepresentingEmailAddress,
                                    PidTagReceivedRepresentingSmtpAddress,
                                    PidTagReceivedRepresentingEntryId,
                                    PidTagReceivedRepresentingSearchKey},
    [ITEM_READ_RECEIPT] = {PidTagReadReceiptName, PidTagReadReceiptAddressType,
                           PidTagReadReceiptEmailAddress, PidTagReadReceiptSmtpAddress,
                           PidTagReadReceiptEntryId, PidTagReadReceiptSearchKey},
    [ITEM_RECIPIENT] = {PidTagDisplayName, PidTagAddressType, PidTagEmailAddress, PidTagSmtpAddress,
                        PidTagEntryId, PidTagSearchKey},
};

bool item_person_get(const struct bag *bag, enum item_who who, struct item_person *out) {
    const char *smtp = bag_str(bag, groups[who].smtp);
    const char *address = bag_str(bag, groups[who].address);
    const char *type = bag_str(bag, groups[who].type);
    const char *name = bag_str(bag, groups[who].name);
    if (!smtp && !address && !name)
        return false;
    bool has_smtp = smtp && *smtp;
    out->address = has_smtp ? smtp : address && *address ? address : NULL;
    out->type = has_smtp ? "SMTP" : type;
    out->name = name && *name ? name : out->address ? out->address : "";
    return true;
}

void item_person_set(struct bag *bag, enum item_who who, const struct item_person *person) {
    ARENA_AUTO arena = arena_new();
    const char *type = person->type ? person->type : "SMTP";
    const char *address = person->address ? person->address : "";
    const char *name = person->name && *person->name ? person->name : address;
    bag_set_str(bag, groups[who].name, name);
    bag_set_str(bag, groups[who].type, type);
    bag_set_str(bag, groups[who].address, address);
    if (g_ascii_strcasecmp(type, "SMTP") == 0)
        bag_set_str(bag, groups[who].smtp, address);
    else
        bag_remove(bag, groups[who].smtp);
    struct prop_bin entry = entry_id_of_address(arena, name, type, address);
    bag_set_bytes(bag, groups[who].entry_id, entry.data, entry.len);
    // [MS-OXOABK] 2.2.3.9: "TYPE:ADDRESS" in capitals with its NUL.
    g_autofree char *text = g_strdup_printf("%s:%s", type, address);
    g_autofree char *key = g_ascii_strup(text, -1);
    bag_set_bytes(bag, groups[who].search_key, key, strlen(key) + 1);
}

void item_person_remove(struct bag *bag, enum item_who who) {
    bag_remove(bag, groups[who].name);
    bag_remove(bag, groups[who].type);
    bag_remove(bag, groups[who].address);
    bag_remove(bag, groups[who].smtp);
    bag_remove(bag, groups[who].entry_id);
    bag_remove(bag, groups[who].search_key);
}

struct bag *item_recipient_new(int32_t type, const struct item_person *person) {
    struct bag *bag = bag_new();
    item_person_set(bag, ITEM_RECIPIENT, person);
    bag_set_long(bag, PidTagRecipientType, type);
    bag_set_long(bag, PidTagObjectType, 6); // MAPI_MAILUSER
    bag_set_long(bag, PidTagDisplayType, 0);
    return bag;
}

// --- Whom to reply to: a FlatEntryList ---

GArray *item_reply_to_get(struct arena *arena, const struct bag *bag) {
    GArray *people = g_array_new(FALSE, TRUE, sizeof(struct item_person));
    struct prop_bin bytes = bag_bytes(bag, PidTagReplyRecipientEntries);
    struct wire_reader r = wire_reader(bytes.data, bytes.len);
    uint32_t n = wire_u32(&r);
    wire_u32(&r);
    for (uint32_t i = 0; i < MIN(n, REPLY_TO_MAX) && wire_ok(&r); i++) {
        uint32_t len = wire_u32(&r);
        const uint8_t *data = wire_bytes(&r, len);
        struct entry_id id;
        if (!data || entry_id_parse(arena, (struct prop_bin){len, data}, &id) != EC_OK)
            break;
        wire_skip(&r, MIN((size_t)(-len & 3u), wire_left(&r)));
        struct item_person person = {0};
        if (id.kind == ENTRY_ID_ONE_OFF)
            person = (struct item_person){id.one_off.display_name, id.one_off.address,
                                          id.one_off.address_type};
        else if (id.kind == ENTRY_ID_ADDRESS_BOOK)
            person = (struct item_person){id.address_book.dn, id.address_book.dn, "EX"};
        else
            continue;
        g_array_append_val(people, person);
    }
    return people;
}

void item_reply_to_set(struct bag *bag, const struct item_person *people, unsigned n) {
    ARENA_AUTO arena = arena_new();
    struct wire_writer w = wire_writer(REPLY_TO_BYTES);
    g_autoptr(GString) names = g_string_new(NULL);
    n = MIN(n, REPLY_TO_MAX);
    if (n == 0) {
        bag_remove(bag, PidTagReplyRecipientEntries);
        bag_remove(bag, PidTagReplyRecipientNames);
        return;
    }
    wire_put_u32(&w, n);
    wire_put_u32(&w, 0);
    for (unsigned i = 0; i < n; i++) {
        static const uint8_t padding[3];
        const char *address = people[i].address ? people[i].address : "";
        const char *name = people[i].name && *people[i].name ? people[i].name : address;
        struct prop_bin entry =
            entry_id_of_address(arena, name, people[i].type ? people[i].type : "SMTP", address);
        wire_put_u32(&w, entry.len);
        wire_put_bytes(&w, entry.data, entry.len);
        wire_put_bytes(&w, padding, -entry.len & 3u);
        g_string_append_printf(names, "%s%s", i ? ";" : "", name);
    }
    if (wire_writer_ok(&w)) {
        wire_patch_u32(&w, 4, (uint32_t)wire_writer_len(&w) - 8);
        bag_set_bytes(bag, PidTagReplyRecipientEntries, w.bytes->data, w.bytes->len);
        bag_set_str(bag, PidTagReplyRecipientNames, names->str);
    }
    wire_writer_clear(&w);
}
