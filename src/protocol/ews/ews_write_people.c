// Writing people: senders, recipients, attendees, members of lists, and contacts.
#include <string.h>

#include "directory/dn.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "protocol/ews/ews_properties.h"

// --- Mailboxes ---

void ews_write_mailbox(struct ews_call *call, const char *element, const char *name,
                       const char *address, const char *type, const char *mailbox_type) {
    struct ews_writer *w = call->w;
    if (element)
        ews_open(w, element);
    ews_open(w, "t:Mailbox");
    ews_element(w, "t:Name", name ? name : "");
    if (address && *address)
        ews_element(w, "t:EmailAddress", address);
    if (address && *address)
        ews_element(w, "t:RoutingType", type && *type ? type : "SMTP");
    if (mailbox_type && call->version >= EWS_2007_SP1)
        ews_element(w, "t:MailboxType", mailbox_type);
    ews_close(w);
    if (element)
        ews_close(w);
}

// Addresses are looked up only for opened items, which have few.
static struct directory_object *look_up(struct ews_write *o, const struct item_person *person) {
    struct directory_object *object;
    struct directory *d = ews_directory(o->call);
    struct arena *arena = o->call->arena;
    if (!o->source->item || !person->address)
        return NULL;
    bool is_dn = person->type && g_ascii_strcasecmp(person->type, "EX") == 0;
    enum ec ec = is_dn ? directory_find_dn(d, arena, person->address, &object)
                       : directory_find_address(d, arena, person->address, &object);
    return ec == EC_OK ? object : NULL;
}

static const char *mailbox_type(const struct directory_object *object) {
    if (!object)
        return "OneOff";
    switch (object->kind) {
    case DIRECTORY_GROUP:
    case DIRECTORY_DYNAMIC:
        return "PublicDL";
    case DIRECTORY_CONTACT:
        return "Contact";
    case DIRECTORY_PUBLIC_FOLDER:
        return "PublicFolder";
    default:
        return "Mailbox";
    }
}

static void put_person(struct ews_write *o, const char *element, const struct item_person *person) {
    struct directory_object *object = look_up(o, person);
    bool is_dn = object && person->type && g_ascii_strcasecmp(person->type, "EX") == 0;
    ews_write_mailbox(o->call, element, person->name, is_dn ? object->address : person->address,
                      is_dn ? "SMTP" : person->type, mailbox_type(object));
}

static bool str_of(struct ews_write *o, proptag_t tag, const char **out) {
    struct prop_value v;
    if (!ews_value(o, tag, &v) || PROP_TYPE(v.tag) != PT_UNICODE || !*v.str)
        return false;
    *out = v.str;
    return true;
}

void ews_put_sender(struct ews_write *o, const struct ews_property *p) {
    struct item_person person = {0};
    const char *smtp = NULL;
    bool has = str_of(o, p->tag, &person.name);
    has |= str_of(o, p->needs[0], &person.address);
    has |= str_of(o, p->needs[1], &smtp);
    str_of(o, p->needs[2], &person.type);
    if (!has)
        return;
    if (smtp)
        person.address = smtp, person.type = "SMTP";
    if (!person.name)
        person.name = person.address;
    put_person(o, p->element, &person);
}

static int32_t recipient_kind(const char *element) {
    return strcmp(element, "t:CcRecipients") == 0 || strcmp(element, "t:OptionalAttendees") == 0 ? 2
           : strcmp(element, "t:BccRecipients") == 0 || strcmp(element, "t:Resources") == 0      ? 3
                                                                                            : 1;
}

// The recipients of a kind; NULL: there are none.
static const GPtrArray *recipients_of(struct ews_write *o, int32_t kind) {
    struct item *item = ews_write_open(o);
    const GPtrArray *all = item ? item_value(item)->recipients : NULL;
    for (guint i = 0; all && i < all->len; i++)
        if ((bag_long(all->pdata[i], PidTagRecipientType, 1) & 0xF) == kind)
            return all;
    return NULL;
}

void ews_put_recipients(struct ews_write *o, const struct ews_property *p) {
    int32_t kind = recipient_kind(p->element);
    const GPtrArray *all = recipients_of(o, kind);
    if (!all)
        return;
    ews_open(o->w, p->element);
    for (guint i = 0; i < all->len; i++) {
        struct item_person person;
        if ((bag_long(all->pdata[i], PidTagRecipientType, 1) & 0xF) == kind &&
            item_person_get(all->pdata[i], ITEM_RECIPIENT, &person))
            put_person(o, NULL, &person);
    }
    ews_close(o->w);
}

void ews_put_attendees(struct ews_write *o, const struct ews_property *p) {
    static const char *const responses[] = {"Unknown", "Organizer", "Tentative",
                                            "Accept",  "Decline",   "NoResponseReceived"};
    int32_t kind = recipient_kind(p->element);
    const GPtrArray *all = recipients_of(o, kind);
    struct ews_mark mark = ews_mark(o->w);
    unsigned n = 0;
    if (!all)
        return;
    ews_open(o->w, p->element);
    for (guint i = 0; i < all->len; i++) {
        const struct bag *bag = all->pdata[i];
        struct item_person person;
        if ((bag_long(bag, PidTagRecipientType, 1) & 0xF) != kind ||
            bag_long(bag, PidTagRecipientFlags, 0) & 2 || // the organizer
            !item_person_get(bag, ITEM_RECIPIENT, &person))
            continue;
        int32_t status = bag_long(bag, PidTagRecipientTrackStatus, 0);
        ews_open(o->w, "t:Attendee");
        put_person(o, NULL, &person);
        ews_element(o->w, "t:ResponseType",
                    status >= 0 && status < (int32_t)G_N_ELEMENTS(responses) ? responses[status]
                                                                             : "Unknown");
        ews_close(o->w);
        n++;
    }
    if (n > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, mark);
}

void ews_put_reply_to(struct ews_write *o, const struct ews_property *p) {
    struct item *item = ews_write_open(o);
    if (!item)
        return;
    GArray *people = item_reply_to_get(o->call->arena, item_value(item)->bag);
    if (people->len) {
        ews_open(o->w, p->element);
        for (guint i = 0; i < people->len; i++)
            put_person(o, NULL, &g_array_index(people, struct item_person, i));
        ews_close(o->w);
    }
    g_array_unref(people);
}

// --- Contacts ---

void ews_put_complete_name(struct ews_write *o, const struct ews_property *p) {
    static const struct {
        const char *element;
        proptag_t tag;
    } parts[] = {
        {"t:Title", PidTagDisplayNamePrefix},     {"t:FirstName", PidTagGivenName},
        {"t:MiddleName", PidTagMiddleName},       {"t:LastName", PidTagSurname},
        {"t:Suffix", PidTagGeneration},           {"t:Initials", PidTagInitials},
        {"t:FullName", PidTagDisplayName},        {"t:Nickname", PidTagNickname},
        {"t:YomiFirstName", PidLidYomiFirstName}, {"t:YomiLastName", PidLidYomiLastName},
    };
    struct ews_mark mark = ews_mark(o->w);
    unsigned n = 0;
    ews_open(o->w, p->element);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *text;
        if (!str_of(o, parts[i].tag, &text))
            continue;
        ews_element(o->w, parts[i].element, text);
        n++;
    }
    if (n > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, mark);
}

static const char *entry_of(struct ews_write *o, const struct ews_indexed *entry) {
    const char *text = NULL;
    str_of(o, ews_indexed_tag(o->source->mailbox, entry), &text);
    return text;
}

void ews_put_dictionary(struct ews_write *o, const struct ews_property *p) {
    unsigned n, n_written = 0;
    const struct ews_indexed *entries = ews_indexed_all(&n);
    struct ews_mark mark = ews_mark(o->w);
    ews_open(o->w, p->element);
    for (unsigned i = 0; i < n; i++) {
        const char *text =
            strcmp(entries[i].property, p->uri) == 0 ? entry_of(o, &entries[i]) : NULL;
        if (!text)
            continue;
        ews_open(o->w, "t:Entry");
        ews_attr(o->w, "Key", entries[i].index);
        ews_put_text(o->w, text);
        ews_close(o->w);
        n_written++;
    }
    if (n_written > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, mark);
}

void ews_put_email_addresses(struct ews_write *o, const struct ews_property *p) {
    static const struct {
        const char *key;
        proptag_t address, name, type, original;
    } entries[] = {
        {"EmailAddress1", PidLidEmail1EmailAddress, PidLidEmail1DisplayName,
         PidLidEmail1AddressType, PidLidEmail1OriginalDisplayName},
        {"EmailAddress2", PidLidEmail2EmailAddress, PidLidEmail2DisplayName,
         PidLidEmail2AddressType, PidLidEmail2OriginalDisplayName},
        {"EmailAddress3", PidLidEmail3EmailAddress, PidLidEmail3DisplayName,
         PidLidEmail3AddressType, PidLidEmail3OriginalDisplayName},
    };
    struct ews_mark mark = ews_mark(o->w);
    unsigned n = 0;
    ews_open(o->w, p->element);
    for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++) {
        const char *address, *text;
        if (!str_of(o, entries[i].address, &address))
            continue;
        ews_open(o->w, "t:Entry");
        ews_attr(o->w, "Key", entries[i].key);
        if (o->call->version >= EWS_2010_SP2) {
            if (str_of(o, entries[i].name, &text))
                ews_attr(o->w, "Name", text);
            ews_attr(o->w, "RoutingType", str_of(o, entries[i].type, &text) ? text : "SMTP");
            ews_attr(o->w, "MailboxType", "Contact");
        }
        ews_put_text(o->w, address);
        ews_close(o->w);
        n++;
    }
    if (n > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, mark);
}

void ews_put_physical_addresses(struct ews_write *o, const struct ews_property *p) {
    static const char *const keys[] = {"Business", "Home", "Other"};
    static const char *const parts[] = {"Street", "City", "State", "CountryOrRegion", "PostalCode"};
    static const char *const elements[] = {"t:Street", "t:City", "t:State", "t:CountryOrRegion",
                                           "t:PostalCode"};
    struct ews_mark all = ews_mark(o->w);
    unsigned n = 0;
    ews_open(o->w, p->element);
    for (unsigned k = 0; k < G_N_ELEMENTS(keys); k++) {
        struct ews_mark mark = ews_mark(o->w);
        unsigned n_parts = 0;
        ews_open(o->w, "t:Entry");
        ews_attr(o->w, "Key", keys[k]);
        for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
            char uri[64];
            g_snprintf(uri, sizeof uri, "contacts:PhysicalAddress:%s", parts[i]);
            const struct ews_indexed *entry = ews_indexed_find(uri, keys[k]);
            const char *text = entry ? entry_of(o, entry) : NULL;
            ews_element(o->w, elements[i], text);
            n_parts += text != NULL;
        }
        if (n_parts == 0) {
            ews_rewind(o->w, mark);
            continue;
        }
        ews_close(o->w);
        n++;
    }
    if (n > 0)
        ews_close(o->w);
    else
        ews_rewind(o->w, all);
}

void ews_put_contact_source(struct ews_write *o, const struct ews_property *p) {
    ews_element(o->w, p->element, "Store");
}

// --- Members of a list ---

static bool member_of(struct arena *arena, struct prop_bin bytes, struct item_person *out) {
    struct entry_id id;
    if (entry_id_parse(arena, bytes, &id) != EC_OK)
        return false;
    if (id.kind == ENTRY_ID_WRAPPED && entry_id_parse(arena, id.wrapped.entry, &id) != EC_OK)
        return false;
    *out = (struct item_person){0};
    if (id.kind == ENTRY_ID_ONE_OFF)
        *out = (struct item_person){id.one_off.display_name, id.one_off.address,
                                    id.one_off.address_type};
    else if (id.kind == ENTRY_ID_ADDRESS_BOOK)
        *out = (struct item_person){id.address_book.dn, id.address_book.dn, "EX"};
    return out->address != NULL;
}

void ews_put_members(struct ews_write *o, const struct ews_property *p) {
    struct prop_value v;
    if (!ews_value(o, PidLidDistributionListOneOffMembers, &v) || v.mv.n == 0) {
        if (!ews_value(o, PidLidDistributionListMembers, &v) || v.mv.n == 0)
            return;
    }
    ews_open(o->w, p->element);
    for (uint32_t i = 0; i < v.mv.n; i++) {
        struct item_person person;
        g_autofree char *key = NULL;
        if (!member_of(o->call->arena, v.mv.bin[i], &person))
            continue;
        key = g_base64_encode(v.mv.bin[i].data, v.mv.bin[i].len);
        ews_open(o->w, "t:Member");
        ews_attr(o->w, "Key", key);
        put_person(o, NULL, &person);
        ews_element(o->w, "t:Status", "Normal");
        ews_close(o->w);
    }
    ews_close(o->w);
}
