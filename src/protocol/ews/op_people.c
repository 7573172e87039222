// FindPeople and GetPersona ([MS-OXWSPERS] 3.1.4).
//
// A persona is one entry of the directory or one contact; those of the same person are not joined.
#include <string.h>

#include "base/text.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define PAGE_MAX 1000
#define FOUND_MAX 10000

struct persona {
    const struct directory_object *object; // or
    const struct contact *contact;
    struct ews_mailbox *mailbox; // of the contact
};

// --- Writing ---

static void write_id(struct ews_call *call, const char *element, const struct persona *p) {
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

static const char *type_of(const struct persona *p) {
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

static void write_addresses(struct ews_call *call, const struct persona *p) {
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

static const char *business_phone(const struct persona *p) {
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

static void write_source(struct ews_call *call, const struct persona *p) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:Attributions");
    ews_open(w, "t:Attribution");
    ews_element(w, "t:Id", "0");
    write_id(call, "t:SourceId", p);
    ews_element(w, "t:DisplayName", p->object ? "GAL" : "Outlook");
    ews_element_bool(w, "t:IsWritable", p->contact);
    ews_element_bool(w, "t:IsQuickContact", false);
    ews_element_bool(w, "t:IsHidden", false);
    ews_close(w);
    ews_close(w);
}

static void write_details(struct ews_call *call, const struct persona *p) {
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

static void write_persona(struct ews_call *call, const char *element, const struct persona *p,
                          bool is_full) {
    const struct directory_object *o = p->object;
    const struct contact *c = p->contact;
    struct ews_writer *w = call->w;
    ews_open(w, element);
    write_id(call, "t:PersonaId", p);
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

// --- Finding ---

struct finding {
    struct ews_call *call;
    const char *query;
    unsigned offset, limit;
    GArray *found; // of struct persona: the page
    unsigned n_all;
};

static void add(struct finding *f, const struct persona *p) {
    if (f->n_all >= f->offset && f->found->len < f->limit)
        g_array_append_vals(f->found, p, 1);
    f->n_all++;
}

static enum ec in_directory(struct finding *f) {
    struct directory *d = ews_directory(f->call);
    struct directory_list list = {0};
    enum ec ec = f->query ? directory_resolve(d, f->call->arena, f->query, &list)
                          : directory_address_list_members(d, f->call->arena, "Global Address List",
                                                           0, FOUND_MAX, &list);
    if (ec == EC_NOT_FOUND || ec == EC_INVALID_PARAMETER)
        return EC_OK;
    if (ec != EC_OK && ec != EC_AMBIGUOUS)
        return ec;
    for (unsigned i = 0; i < list.n; i++) {
        struct persona p = {.object = list.items[i]};
        if (!list.items[i]->is_hidden)
            add(f, &p);
    }
    return EC_OK;
}

static enum ec in_folder(struct finding *f, struct ews_mailbox *mailbox, uint64_t fid) {
    struct contact_list list;
    EC_TRY(mailbox_find_contacts(mailbox->m, f->call->arena, fid, f->query ? f->query : "", 0,
                                 FOUND_MAX, &list));
    for (unsigned i = 0; i < list.n; i++) {
        struct persona p = {.contact = &list.items[i], .mailbox = mailbox};
        add(f, &p);
    }
    return EC_OK;
}

static enum ec search(struct finding *f) {
    struct ews_call *call = f->call;
    const struct ews_node *parent = ews_child(call->request, "ParentFolderId");
    const struct ews_node *named = ews_child(parent, "DistinguishedFolderId");
    const char *name = ews_attribute(named, "Id");
    struct ews_folder_ref ref = {.fid = FID_CONTACTS};
    if (parent && (ews_child(parent, "AddressListId") || g_strcmp0(name, "directory") == 0))
        return in_directory(f);
    if (parent && parent->child) {
        EC_TRY(ews_read_folder_id(call, parent->child, &ref));
        enum ec ec = in_folder(f, ref.mailbox, ref.fid);
        return ec == EC_NOT_FOUND || ec == EC_ACCESS_DENIED ? ews_fail_folder(call, ec) : ec;
    }
    if (!f->query)
        return ews_fail(call, "ErrorInvalidArgument", "Neither a folder nor a query is named.");
    if (ews_own_mailbox(call, &ref.mailbox) == EC_OK)
        EC_TRY(in_folder(f, ref.mailbox, ref.fid));
    else
        call->failure = (struct ews_failure){0};
    return in_directory(f);
}

enum ec op_find_people(struct ews_call *call) {
    const struct ews_node *view = ews_child(call->request, "IndexedPageItemView");
    const char *max = ews_attribute(view, "MaxEntriesReturned"),
               *offset = ews_attribute(view, "Offset");
    const char *query = ews_child_text(call->arena, call->request, "QueryString");
    int64_t limit = 100, from = 0;
    if (!view || (max && (!ews_parse_int(max, &limit) || limit < 1)) ||
        (offset && (!ews_parse_int(offset, &from) || from < 0 || from > INT32_MAX)))
        return ews_fail(call, "ErrorInvalidIndexedPagingParameters", NULL);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct persona));
    struct finding f = {.call = call,
                        .query = query && *query ? query : NULL,
                        .offset = (unsigned)from,
                        .limit = (unsigned)MIN(limit, PAGE_MAX),
                        .found = found};
    EC_TRY(search(&f));
    ews_success(call);
    ews_open(call->w, "m:People");
    for (guint i = 0; i < found->len; i++)
        write_persona(call, "t:Persona", &g_array_index(found, struct persona, i), false);
    ews_close(call->w);
    ews_element_int(call->w, "m:TotalNumberOfPeopleInView", f.n_all);
    ews_element_int(call->w, "m:FirstMatchingRowIndex", 0);
    ews_element_int(call->w, "m:FirstLoadedRowIndex", MIN(f.offset, f.n_all));
    ews_message_end(call);
    return EC_OK;
}

// --- GetPersona ---

// By what a t:PersonaId says: an entry of the directory, or a contact.
static enum ec read_id(struct ews_call *call, const struct ews_node *node, struct persona *out) {
    const char *text = ews_attribute(node, "Id");
    struct ews_id id;
    struct ews_item_ref ref;
    const char *why = ews_id_parse(text ? text : "", &id, NULL);
    if (why)
        return ews_fail(call, why, NULL);
    if (id.kind == EWS_ID_DIRECTORY) {
        struct directory_object *object;
        if (directory_find_guid(ews_directory(call), call->arena, &id.mailbox, &object) != EC_OK)
            return ews_fail(call, "ErrorItemNotFound", NULL);
        out->object = object;
        return EC_OK;
    }
    EC_TRY(ews_read_item_id(call, node, &ref));
    struct contact *c = arena_alloc0(call->arena, sizeof *c);
    enum ec ec = mailbox_get_contact(ref.mailbox->m, call->arena, ref.mid, c);
    if (ec != EC_OK)
        return ews_fail_item(call, ec);
    out->contact = c;
    out->mailbox = ref.mailbox;
    return EC_OK;
}

static enum ec find_address(struct ews_call *call, const char *address, struct persona *out) {
    struct directory_object *object;
    struct ews_mailbox *own;
    struct contact_list list;
    if (ews_find_object(call, address, &object) == EC_OK) {
        out->object = object;
        return EC_OK;
    }
    EC_TRY(ews_own_mailbox(call, &own));
    EC_TRY(mailbox_find_contacts(own->m, call->arena, FID_CONTACTS, address, 0, FOUND_MAX, &list));
    for (unsigned i = 0; i < list.n; i++)
        for (unsigned k = 0; k < CONTACT_ADDRESSES; k++)
            if (list.items[i].addresses[k] &&
                text_compare_folded(list.items[i].addresses[k], address) == 0) {
                *out = (struct persona){.contact = &list.items[i], .mailbox = own};
                return EC_OK;
            }
    return ews_fail(call, "ErrorItemNotFound", NULL);
}

enum ec op_get_persona(struct ews_call *call) {
    const struct ews_node *id = ews_child(call->request, "PersonaId");
    const char *address = ews_child_text(call->arena, call->request, "EmailAddress/EmailAddress");
    struct persona p = {0};
    if (id)
        EC_TRY(read_id(call, id, &p));
    else if (address && *address)
        EC_TRY(find_address(call, address, &p));
    else
        return ews_fail(call, "ErrorMissingArgument", NULL);
    ews_success(call);
    write_persona(call, "m:Persona", &p, true);
    ews_message_end(call);
    return EC_OK;
}
