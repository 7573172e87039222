// Personas: an entry of the directory or a contact with all that EWS tells of people
// ([MS-OXWSPERS] 2.2.4).
#include "protocol/ews/ews_people.h"

void ews_write_persona_id(struct ews_call *call, const char *element, const struct ews_persona *p) {
    struct ews_id id = {.kind = EWS_ID_DIRECTORY};
    if (p->contact) {
        ews_write_item_id(call, element, p->mailbox, p->contact->fid, p->contact->mid,
                          p->contact->is_list ? EWS_OBJECT_LIST : EWS_OBJECT_CONTACT, 0);
        return;
    }
    id.mailbox = p->object->guid;
    ews_open(call->w, element);
    ews_attr(call->w, "Id", ews_id_format(call->arena, &id, &p->object->guid));
    ews_close(call->w);
}

static const char *type_of(const struct ews_persona *p) {
    if (p->contact)
        return p->contact->is_list ? "DistributionList" : "Person";
    switch (p->object->kind) {
    case DIRECTORY_GROUP:
    case DIRECTORY_DYNAMIC:
        return "DistributionList";
    case DIRECTORY_ROOM:
        return "Room";
    default:
        return "Person";
    }
}

static void write_addresses(struct ews_call *call, const struct ews_persona *p) {
    struct ews_writer *w = call->w;
    if (p->object) {
        ews_write_object(call, "t:EmailAddress", p->object);
        ews_open(w, "t:EmailAddresses");
        ews_write_object(call, "t:Address", p->object);
        ews_close(w);
        return;
    }
    const struct contact *c = p->contact;
    unsigned first = 0;
    while (first < CONTACT_ADDRESSES && !c->addresses[first])
        first++;
    if (first == CONTACT_ADDRESSES)
        return;
    ews_write_contact_mailbox(call, "t:EmailAddress", p->mailbox, c, first);
    ews_open(w, "t:EmailAddresses");
    for (unsigned i = first; i < CONTACT_ADDRESSES; i++)
        if (c->addresses[i])
            ews_write_contact_mailbox(call, "t:Address", p->mailbox, c, i);
    ews_close(w);
}

static const char *business_phone(const struct ews_persona *p) {
    return p->object ? p->object->phone : p->contact->business_phone;
}

static void write_phone(struct ews_call *call, const char *number, const char *type) {
    if (!number)
        return;
    ews_open(call->w, "t:PhoneNumber");
    ews_element(call->w, "t:Number", number);
    ews_element(call->w, "t:Type", type);
    ews_close(call->w);
}

// --- Values with where they come from: GetPersona only ---

static void write_attributions(struct ews_writer *w) {
    ews_open(w, "t:Attributions");
    ews_element(w, "t:Attribution", "0");
    ews_close(w);
}

static void write_value(struct ews_writer *w, const char *list, const char *value) {
    if (!value || !*value)
        return;
    ews_open(w, list);
    ews_open(w, "t:StringAttributedValue");
    ews_element(w, "t:Value", value);
    write_attributions(w);
    ews_close(w);
    ews_close(w);
}

static void write_number(struct ews_writer *w, const char *list, const char *number,
                         const char *type) {
    if (!number || !*number)
        return;
    ews_open(w, list);
    ews_open(w, "t:PhoneNumberAttributedValue");
    ews_open(w, "t:Value");
    ews_element(w, "t:Number", number);
    ews_element(w, "t:Type", type);
    ews_close(w);
    write_attributions(w);
    ews_close(w);
    ews_close(w);
}

static void write_source(struct ews_call *call, const struct ews_persona *p) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:Attributions");
    ews_open(w, "t:Attribution");
    ews_element(w, "t:Id", "0");
    ews_write_persona_id(call, "t:SourceId", p);
    ews_element(w, "t:DisplayName", p->object ? "GAL" : "Outlook");
    ews_element_bool(w, "t:IsWritable", p->contact);
    ews_element_bool(w, "t:IsQuickContact", false);
    ews_element_bool(w, "t:IsHidden", false);
    ews_close(w);
    ews_close(w);
}

static void write_details(struct ews_call *call, const struct ews_persona *p) {
    const struct directory_object *o = p->object;
    const struct contact *c = p->contact;
    struct ews_writer *w = call->w;
    write_source(call, p);
    write_value(w, "t:DisplayNames", o ? ews_object_name(o) : c->name);
    write_value(w, "t:FileAses", o ? NULL : c->file_as);
    write_value(w, "t:GivenNames", o ? o->given_name : c->given_name);
    write_value(w, "t:MiddleNames", o ? NULL : c->middle_name);
    write_value(w, "t:Surnames", o ? o->surname : c->surname);
    write_value(w, "t:Nicknames", o ? NULL : c->nickname);
    write_value(w, "t:Initials", o ? o->initials : NULL);
    write_number(w, "t:BusinessPhoneNumbers", business_phone(p), "Business");
    write_number(w, "t:HomePhones", o ? NULL : c->home_phone, "Home");
    write_number(w, "t:MobilePhones", o ? o->mobile : c->mobile_phone, "Mobile");
    write_value(w, "t:OfficeLocations", o ? o->office : c->office);
    write_value(w, "t:Titles", o ? o->title : c->title);
    write_value(w, "t:Departments", o ? o->department : c->department);
    write_value(w, "t:CompanyNames", o ? o->company : c->company);
}

void ews_write_persona(struct ews_call *call, const char *element, const struct ews_persona *p,
                       bool is_full) {
    const struct directory_object *o = p->object;
    const struct contact *c = p->contact;
    struct ews_writer *w = call->w;
    ews_open(w, element);
    ews_write_persona_id(call, "t:PersonaId", p);
    ews_element(w, "t:PersonaType", type_of(p));
    ews_element(w, "t:DisplayName", o ? ews_object_name(o) : c->name);
    ews_element(w, "t:FileAs", o ? NULL : c->file_as);
    ews_element(w, "t:GivenName", o ? o->given_name : c->given_name);
    ews_element(w, "t:MiddleName", o ? NULL : c->middle_name);
    ews_element(w, "t:Surname", o ? o->surname : c->surname);
    ews_element(w, "t:Nickname", o ? NULL : c->nickname);
    ews_element(w, "t:Title", o ? o->title : c->title);
    ews_element(w, "t:Department", o ? o->department : c->department);
    ews_element(w, "t:CompanyName", o ? o->company : c->company);
    ews_element(w, "t:Location", o ? o->office : c->office);
    write_addresses(call, p);
    write_phone(call, business_phone(p), "Business");
    ews_element_int(w, "t:RelevanceScore", INT32_MAX);
    if (is_full)
        write_details(call, p);
    ews_close(w);
}
