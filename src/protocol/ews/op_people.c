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

// --- Finding ---

struct finding {
    struct ews_call *call;
    const char *query;
    unsigned offset, limit;
    GArray *found; // of struct ews_persona: the page
    unsigned n_all;
};

static void add(struct finding *f, const struct ews_persona *p) {
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
        struct ews_persona p = {.object = list.items[i]};
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
        struct ews_persona p = {.contact = &list.items[i], .mailbox = mailbox};
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
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct ews_persona));
    struct finding f = {.call = call,
                        .query = query && *query ? query : NULL,
                        .offset = (unsigned)from,
                        .limit = (unsigned)MIN(limit, PAGE_MAX),
                        .found = found};
    EC_TRY(search(&f));
    ews_success(call);
    ews_open(call->w, "m:People");
    for (guint i = 0; i < found->len; i++)
        ews_write_persona(call, "t:Persona", &g_array_index(found, struct ews_persona, i), false);
    ews_close(call->w);
    ews_element_int(call->w, "m:TotalNumberOfPeopleInView", f.n_all);
    ews_element_int(call->w, "m:FirstMatchingRowIndex", 0);
    ews_element_int(call->w, "m:FirstLoadedRowIndex", MIN(f.offset, f.n_all));
    ews_message_end(call);
    return EC_OK;
}

// --- GetPersona ---

// By what a t:PersonaId says: an entry of the directory, or a contact.
static enum ec read_id(struct ews_call *call, const struct ews_node *node,
                       struct ews_persona *out) {
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

static enum ec find_address(struct ews_call *call, const char *address, struct ews_persona *out) {
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
                *out = (struct ews_persona){.contact = &list.items[i], .mailbox = own};
                return EC_OK;
            }
    return ews_fail(call, "ErrorItemNotFound", NULL);
}

enum ec op_get_persona(struct ews_call *call) {
    const struct ews_node *id = ews_child(call->request, "PersonaId");
    const char *address = ews_child_text(call->arena, call->request, "EmailAddress/EmailAddress");
    struct ews_persona p = {0};
    if (id)
        EC_TRY(read_id(call, id, &p));
    else if (address && *address)
        EC_TRY(find_address(call, address, &p));
    else
        return ews_fail(call, "ErrorMissingArgument", NULL);
    ews_success(call);
    ews_write_persona(call, "m:Persona", &p, true);
    ews_message_end(call);
    return EC_OK;
}
