// People as MAPI knows them: groups of properties, one-off entry ids ([MS-OXCDATA] 2.2.5.1), lists
// of entry ids (2.3.3), and search keys; and their addresses in header fields ([MS-OXCMAIL] 2.1.1).
#include "base/text.h"
#include "base/wire.h"
#include "convert/convert_internal.h"

const struct person_tags sender_tags = {PidTagSenderName,         PidTagSenderAddressType,
                                        PidTagSenderEmailAddress, PidTagSenderSmtpAddress,
                                        PidTagSenderEntryId,      PidTagSenderSearchKey};
const struct person_tags sent_representing_tags = {
    PidTagSentRepresentingName,         PidTagSentRepresentingAddressType,
    PidTagSentRepresentingEmailAddress, PidTagSentRepresentingSmtpAddress,
    PidTagSentRepresentingEntryId,      PidTagSentRepresentingSearchKey};
const struct person_tags read_receipt_tags = {
    PidTagReadReceiptName,        PidTagReadReceiptAddressType, PidTagReadReceiptEmailAddress,
    PidTagReadReceiptSmtpAddress, PidTagReadReceiptEntryId,     PidTagReadReceiptSearchKey};
const struct person_tags recipient_tags = {PidTagDisplayName, PidTagAddressType, PidTagEmailAddress,
                                           PidTagSmtpAddress, PidTagEntryId,     PidTagSearchKey};

static const uint8_t one_off_provider[16] = {0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19,
                                             0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02};

#define ONE_OFF_UNICODE 0x8000u
// Unicode strings, and no TNEF for this recipient.
#define ONE_OFF_FLAGS 0x9001u

static void put_utf16z(GByteArray *out, const char *s) {
    static const uint8_t nul[2] = {0};
    text_to_utf16(s, strlen(s), out);
    g_byte_array_append(out, nul, 2);
}

void one_off_put(GByteArray *out, const struct person *person) {
    static const uint8_t flags[4] = {0};
    static const uint8_t tail[4] = {0, 0, ONE_OFF_FLAGS & 0xFF, ONE_OFF_FLAGS >> 8};
    g_byte_array_append(out, flags, sizeof flags);
    g_byte_array_append(out, one_off_provider, sizeof one_off_provider);
    g_byte_array_append(out, tail, sizeof tail);
    put_utf16z(out, person->name ? person->name : "");
    put_utf16z(out, person->type ? person->type : "SMTP");
    put_utf16z(out, person->address ? person->address : "");
}

static const char *get_string(struct arena *arena, struct wire_reader *r, bool is_unicode) {
    if (!is_unicode) {
        const char *s = wire_cstring(r);
        return s ? mime_to_utf8(arena, s, strlen(s), "windows-1252", NULL) : NULL;
    }
    size_t start = r->pos;
    while (wire_ok(r) && wire_u16(r) != 0)
        ;
    return wire_ok(r) ? text_from_utf16(arena, r->data + start, r->pos - start) : NULL;
}

bool one_off_get(struct arena *arena, const void *data, size_t len, struct person *out) {
    struct wire_reader r = wire_reader(data, len);
    wire_u32(&r);
    const uint8_t *provider = wire_bytes(&r, sizeof one_off_provider);
    wire_u16(&r);
    uint16_t flags = wire_u16(&r);
    if (!provider || memcmp(provider, one_off_provider, sizeof one_off_provider) != 0)
        return false;
    bool is_unicode = flags & ONE_OFF_UNICODE;
    *out = (struct person){0};
    out->name = get_string(arena, &r, is_unicode);
    out->type = get_string(arena, &r, is_unicode);
    out->address = get_string(arena, &r, is_unicode);
    return wire_ok(&r);
}

void person_set(struct bag *bag, const struct person_tags *tags, const struct person *person) {
    const char *type = person->type ? person->type : "SMTP";
    const char *address = person->address ? person->address : "";
    bag_set_str(bag, tags->name, person->name && *person->name ? person->name : address);
    bag_set_str(bag, tags->type, type);
    bag_set_str(bag, tags->address, address);
    bag_set_str(bag, tags->smtp, person->smtp);
    g_autoptr(GByteArray) id = g_byte_array_new();
    struct person named = *person;
    if (!named.name || !*named.name)
        named.name = address;
    one_off_put(id, &named);
    bag_set_bytes(bag, tags->entry_id, id->data, id->len);
    // "TYPE:ADDRESS" in capitals, with its NUL ([MS-OXOABK] 2.2.3.5).
    g_autofree char *key = g_strconcat(type, ":", address, NULL);
    for (char *p = key; *p; p++)
        *p = g_ascii_toupper(*p);
    bag_set_bytes(bag, tags->search_key, key, strlen(key) + 1);
}

static bool is_set(const char *s) {
    return s && *s;
}

bool person_get(const struct bag *bag, const struct person_tags *tags, struct person *out) {
    *out = (struct person){.name = bag_str(bag, tags->name),
                           .type = bag_str(bag, tags->type),
                           .address = bag_str(bag, tags->address),
                           .smtp = bag_str(bag, tags->smtp)};
    return is_set(out->name) || is_set(out->address) || is_set(out->smtp);
}

// An address of another system inside an internet address ([MS-OXCMAIL], "IMCEA"
// encapsulation): letters, digits, '=' and '-' stand, '/' becomes '_', the rest is "+XX".
static char *encapsulate(struct arena *arena, const char *type, const char *address) {
    g_autoptr(GString) out = g_string_new("IMCEA");
    for (const char *p = type; *p; p++)
        if (g_ascii_isalnum(*p))
            g_string_append_c(out, g_ascii_toupper(*p));
    g_string_append_c(out, '-');
    for (const char *p = address; *p && out->len < 900; p++) {
        if (g_ascii_isalnum(*p) || *p == '=' || *p == '-')
            g_string_append_c(out, *p);
        else if (*p == '/')
            g_string_append_c(out, '_');
        else
            g_string_append_printf(out, "+%02X", (unsigned char)*p);
    }
    return arena_strdup(arena, out->str);
}

struct mime_address *person_to_address(struct arena *arena, const struct person *person) {
    struct mime_address *a = arena_alloc0(arena, sizeof *a);
    const char *smtp = person->smtp;
    bool is_smtp = !is_set(person->type) || g_ascii_strcasecmp(person->type, "SMTP") == 0;
    if (!is_set(smtp) && (is_smtp || (person->address && strchr(person->address, '@'))))
        smtp = person->address;
    const char *at = is_set(smtp) ? strrchr(smtp, '@') : NULL;
    if (at) {
        a->mailbox = arena_strndup(arena, smtp, (size_t)(at - smtp));
        a->domain = arena_strdup(arena, at + 1);
        // A local part in quotes is kept unquoted.
        if (a->mailbox[0] == '"') {
            struct mime_address *parsed = mime_parse_addresses(arena, smtp);
            if (parsed && parsed->domain) {
                a->mailbox = parsed->mailbox;
                a->domain = parsed->domain;
            }
        }
    } else if (is_set(smtp) && strchr(smtp, ' ')) { // a name where an address should be
        a->mailbox = a->domain = "";
        a->name = is_set(person->name) ? person->name : smtp;
        return a;
    } else if (is_set(smtp)) {
        a->mailbox = smtp;
        a->domain = "";
    } else if (is_set(person->address)) {
        a->mailbox = encapsulate(arena, person->type, person->address);
        a->domain = "invalid";
    } else if (is_set(person->name)) {
        a->mailbox = "";
        a->domain = "";
    } else {
        return NULL;
    }
    if (is_set(person->name) && g_strcmp0(person->name, smtp) != 0)
        a->name = person->name;
    return a;
}

struct person person_from_address(struct arena *arena, const struct mime_address *a) {
    char *address = mime_address_format(arena, a);
    size_t len = strlen(address);
    if (!g_utf8_validate(address, (gssize)len, NULL))
        address = mime_to_utf8(arena, address, len, "windows-1252", NULL);
    return (struct person){.name = a->name, .type = "SMTP", .address = address, .smtp = address};
}

// FlatEntryList ([MS-OXCDATA] 2.3.3): count, size, then each entry id with its size, padded to 4.
void reply_recipients_set(struct arena *arena, struct bag *bag, const struct mime_address *list) {
    g_autoptr(GByteArray) ids = g_byte_array_new();
    g_autoptr(GString) names = g_string_new(NULL);
    static const uint8_t zeros[8] = {0};
    uint32_t count = 0;
    g_byte_array_append(ids, zeros, 8);
    for (const struct mime_address *a = list; a && count < CONVERT_MAX_RECIPIENTS; a = a->next) {
        if (!a->domain)
            continue;
        struct person person = person_from_address(arena, a);
        if (!person.name)
            person.name = person.address;
        g_string_append_printf(names, "%s%s", names->len ? ";" : "", person.name);
        guint at = ids->len;
        g_byte_array_append(ids, zeros, 4);
        one_off_put(ids, &person);
        uint32_t size = GUINT32_TO_LE(ids->len - at - 4);
        memcpy(ids->data + at, &size, 4);
        g_byte_array_append(ids, zeros, -ids->len & 3);
        count++;
    }
    if (count == 0)
        return;
    uint32_t head[2] = {GUINT32_TO_LE(count), GUINT32_TO_LE(ids->len - 8)};
    memcpy(ids->data, head, 8);
    bag_set_bytes(bag, PidTagReplyRecipientEntries, ids->data, ids->len);
    bag_set_str(bag, PidTagReplyRecipientNames, names->str);
}

struct mime_address *reply_recipients_get(struct arena *arena, const struct bag *bag) {
    struct prop_bin bin = bag_bytes(bag, PidTagReplyRecipientEntries);
    struct wire_reader r = wire_reader(bin.data, bin.len);
    uint32_t count = wire_u32(&r);
    wire_u32(&r);
    struct mime_address *first = NULL, **tail = &first;
    for (uint32_t i = 0; i < count && i < CONVERT_MAX_RECIPIENTS && wire_left(&r) > 4; i++) {
        uint32_t size = wire_u32(&r);
        const uint8_t *id = wire_bytes(&r, size);
        wire_skip(&r, MIN(-size & 3, wire_left(&r)));
        struct person person;
        if (!id || !one_off_get(arena, id, size, &person))
            continue;
        struct mime_address *a = person_to_address(arena, &person);
        if (a) {
            *tail = a;
            tail = &a->next;
        }
    }
    return first;
}
