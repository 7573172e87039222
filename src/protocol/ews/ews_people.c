// Entries of the directory and contacts as EWS elements.
#include "protocol/ews/ews_people.h"

#include <string.h>

const char *ews_mailbox_type(enum directory_kind kind) {
    switch (kind) {
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

const char *ews_object_name(const struct directory_object *object) {
    return object->display_name && *object->display_name ? object->display_name : object->address;
}

void ews_write_object(struct ews_call *call, const char *element,
                      const struct directory_object *object) {
    struct ews_writer *w = call->w;
    ews_open(w, element);
    ews_element(w, "t:Name", ews_object_name(object));
    ews_element(w, "t:EmailAddress", object->address);
    ews_element(w, "t:RoutingType", "SMTP");
    ews_element(w, "t:MailboxType", ews_mailbox_type(object->kind));
    ews_close(w);
}

static unsigned object_type(const struct contact *c) {
    return c->is_list ? EWS_OBJECT_LIST : EWS_OBJECT_CONTACT;
}

void ews_write_contact_mailbox(struct ews_call *call, const char *element,
                               const struct ews_mailbox *mailbox, const struct contact *c,
                               unsigned address) {
    struct ews_writer *w = call->w;
    ews_open(w, element);
    ews_element(w, "t:Name", c->shown_as[address] ? c->shown_as[address] : c->name);
    if (c->is_list) {
        ews_element(w, "t:RoutingType", "MAPIPDL");
    } else {
        ews_element(w, "t:EmailAddress", c->addresses[address]);
        ews_element(w, "t:RoutingType", "SMTP");
    }
    ews_element(w, "t:MailboxType", c->is_list ? "PrivateDL" : "Contact");
    ews_write_item_id(call, "t:ItemId", mailbox, c->fid, c->mid, object_type(c), c->cn);
    ews_close(w);
}

static void write_entry(struct ews_writer *w, const char *key, const char *value) {
    if (!value || !*value)
        return;
    ews_open(w, "t:Entry");
    ews_attr(w, "Key", key);
    ews_put_text(w, value);
    ews_close(w);
}

static void write_phones(struct ews_writer *w, const char *business, const char *home,
                         const char *mobile) {
    if (!business && !home && !mobile)
        return;
    ews_open(w, "t:PhoneNumbers");
    write_entry(w, "BusinessPhone", business);
    write_entry(w, "HomePhone", home);
    write_entry(w, "MobilePhone", mobile);
    ews_close(w);
}

void ews_write_object_contact(struct ews_call *call, const struct directory_object *object) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:Contact");
    ews_element(w, "t:DisplayName", ews_object_name(object));
    ews_element(w, "t:GivenName", object->given_name);
    ews_element(w, "t:Initials", object->initials);
    ews_element(w, "t:CompanyName", object->company);
    ews_open(w, "t:EmailAddresses");
    ews_open(w, "t:Entry");
    ews_attr(w, "Key", "EmailAddress1");
    if (call->version >= EWS_2010_SP2) {
        ews_attr(w, "Name", ews_object_name(object));
        ews_attr(w, "RoutingType", "SMTP");
        ews_attr(w, "MailboxType", ews_mailbox_type(object->kind));
    }
    ews_put_text(w, object->address);
    ews_close(w);
    ews_close(w);
    write_phones(w, object->phone, NULL, object->mobile);
    ews_element(w, "t:ContactSource", "ActiveDirectory");
    ews_element(w, "t:Department", object->department);
    ews_element(w, "t:JobTitle", object->title);
    ews_element(w, "t:OfficeLocation", object->office);
    ews_element(w, "t:Surname", object->surname);
    if (call->version >= EWS_2010_SP2) {
        char guid[GUID_STRING_SIZE];
        const char *at = strchr(object->address, '@');
        ews_element(w, "t:Alias",
                    arena_strndup(call->arena, object->address,
                                  at ? (size_t)(at - object->address) : strlen(object->address)));
        ews_element(w, "t:Notes", object->notes);
        guid_format(&object->guid, guid);
        ews_element(w, "t:DirectoryId", guid);
    }
    ews_close(w);
}

void ews_write_contact(struct ews_call *call, const struct ews_mailbox *mailbox,
                       const struct contact *c) {
    static const char *const keys[CONTACT_ADDRESSES] = {"EmailAddress1", "EmailAddress2",
                                                        "EmailAddress3"};
    struct ews_writer *w = call->w;
    ews_open(w, "t:Contact");
    ews_write_item_id(call, "t:ItemId", mailbox, c->fid, c->mid, object_type(c), c->cn);
    ews_element(w, "t:FileAs", c->file_as);
    ews_element(w, "t:DisplayName", c->name);
    ews_element(w, "t:GivenName", c->given_name);
    ews_element(w, "t:MiddleName", c->middle_name);
    ews_element(w, "t:Nickname", c->nickname);
    ews_element(w, "t:CompanyName", c->company);
    if (c->addresses[0] || c->addresses[1] || c->addresses[2]) {
        ews_open(w, "t:EmailAddresses");
        for (unsigned i = 0; i < CONTACT_ADDRESSES; i++)
            write_entry(w, keys[i], c->addresses[i]);
        ews_close(w);
    }
    write_phones(w, c->business_phone, c->home_phone, c->mobile_phone);
    ews_element(w, "t:ContactSource", "Store");
    ews_element(w, "t:Department", c->department);
    ews_element(w, "t:JobTitle", c->title);
    ews_element(w, "t:OfficeLocation", c->office);
    ews_element(w, "t:Surname", c->surname);
    ews_close(w);
}

enum ec ews_find_object(struct ews_call *call, const char *address, struct directory_object **out) {
    if (!address)
        return EC_NOT_FOUND;
    if (g_ascii_strncasecmp(address, "smtp:", 5) == 0)
        address += 5;
    return directory_find_address(ews_directory(call), call->arena, address, out);
}
