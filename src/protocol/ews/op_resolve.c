// ResolveNames and ExpandDL ([MS-OXWSRSLNM] 3.1.4.1, [MS-OXWSDLIST] 3.1.4.1).
#include <string.h>

#include "base/text.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define RESOLVE_MAX 100 // what an answer may hold

// What was found: in the directory or in a contacts folder (`contact`).
struct resolution {
    const struct directory_object *object;
    const struct contact *contact;
    unsigned address;
};

struct resolving {
    struct ews_call *call;
    const char *text;
    struct ews_mailbox *mailbox; // of the contacts
    GArray *found;               // of struct resolution
    unsigned n_all;
};

static void add(struct resolving *r, const struct resolution *found) {
    r->n_all++;
    if (r->found->len < RESOLVE_MAX)
        g_array_append_vals(r->found, found, 1);
}

static enum ec in_directory(struct resolving *r) {
    struct directory_list list = {0};
    enum ec ec = directory_resolve(ews_directory(r->call), r->call->arena, r->text, &list);
    if (ec == EC_NOT_FOUND || ec == EC_INVALID_PARAMETER)
        return EC_OK;
    if (ec != EC_OK && ec != EC_AMBIGUOUS)
        return ec;
    for (unsigned i = 0; i < list.n; i++) {
        struct resolution found = {.object = list.items[i]};
        if (!list.items[i]->is_hidden)
            add(r, &found);
    }
    return EC_OK;
}

static bool is_known(const struct resolving *r, const char *address) {
    for (guint i = 0; address && i < r->found->len; i++) {
        const struct resolution *f = &g_array_index(r->found, struct resolution, i);
        const char *other = f->object ? f->object->address : f->contact->addresses[f->address];
        if (other && text_compare_folded(other, address) == 0)
            return true;
    }
    return false;
}

static enum ec in_contacts(struct resolving *r, struct ews_mailbox *mailbox, uint64_t fid) {
    struct contact_list list;
    EC_TRY(mailbox_find_contacts(mailbox->m, r->call->arena, fid, r->text, 0, RESOLVE_MAX, &list));
    r->mailbox = mailbox;
    for (unsigned i = 0; i < list.n; i++)
        for (unsigned k = 0; k < CONTACT_ADDRESSES; k++) {
            const struct contact *c = &list.items[i];
            struct resolution found = {.contact = c, .address = k};
            if ((c->is_list && k == 0) || (c->addresses[k] && !is_known(r, c->addresses[k])))
                add(r, &found);
        }
    return EC_OK;
}

// The folder of ParentFolderIds, or the contacts folder; one only.
static enum ec search_contacts(struct resolving *r) {
    struct ews_call *call = r->call;
    const struct ews_node *ids = ews_child(call->request, "ParentFolderIds");
    struct ews_folder_ref ref = {.fid = FID_CONTACTS};
    if (!ids || !ids->child) {
        enum ec ec = ews_own_mailbox(call, &ref.mailbox);
        if (ec != EC_OK) // somebody without a mailbox has no contacts
            return EC_OK;
        return in_contacts(r, ref.mailbox, ref.fid);
    }
    if (ids->child->next)
        return ews_fail(call, "ErrorResolveNamesOnlyOneContactsFolderAllowed", NULL);
    EC_TRY(ews_read_folder_id(call, ids->child, &ref));
    struct mailbox_folder_list folders;
    EC_TRY(mailbox_list_folders(ref.mailbox->m, call->arena, &folders));
    for (unsigned i = 0; i < folders.n; i++)
        if (folders.items[i].fid == ref.fid) {
            if (g_ascii_strncasecmp(folders.items[i].container_class, "IPF.Contact", 11) != 0)
                return ews_fail(call, "ErrorResolveNamesInvalidFolderType", NULL);
            return in_contacts(r, ref.mailbox, ref.fid);
        }
    return ews_fail_folder(call, EC_NOT_FOUND);
}

static enum ec search(struct resolving *r) {
    const char *scope = ews_attribute(r->call->request, "SearchScope");
    if (!scope)
        scope = "ActiveDirectoryContacts";
    bool contacts_first = g_str_has_prefix(scope, "Contacts");
    if (contacts_first)
        EC_TRY(search_contacts(r));
    if (strstr(scope, "ActiveDirectory"))
        EC_TRY(in_directory(r));
    if (!contacts_first && g_str_has_suffix(scope, "Contacts"))
        EC_TRY(search_contacts(r));
    return EC_OK;
}

static void write_resolution(struct resolving *r, const struct resolution *f, bool is_full) {
    struct ews_writer *w = r->call->w;
    ews_open(w, "t:Resolution");
    if (f->object) {
        ews_write_object(r->call, "t:Mailbox", f->object);
        if (is_full && f->object->kind != DIRECTORY_GROUP && f->object->kind != DIRECTORY_DYNAMIC)
            ews_write_object_contact(r->call, f->object);
    } else {
        ews_write_contact_mailbox(r->call, "t:Mailbox", r->mailbox, f->contact, f->address);
        if (is_full && !f->contact->is_list)
            ews_write_contact(r->call, r->mailbox, f->contact);
    }
    ews_close(w);
}

// Several are a warning, none is an error ([MS-OXWSRSLNM] 3.1.4.1).
static void write_answer(struct resolving *r) {
    struct ews_call *call = r->call;
    bool is_full = false;
    const char *full = ews_attribute(call->request, "ReturnFullContactData");
    if (full)
        ews_parse_bool(full, &is_full);
    if (r->n_all > 1)
        ews_warning(call, "ErrorNameResolutionMultipleResults", "Multiple results were found.");
    else
        ews_success(call);
    ews_open(call->w, "m:ResolutionSet");
    ews_attr_int(call->w, "TotalItemsInView", r->n_all);
    ews_attr_bool(call->w, "IncludesLastItemInRange", r->n_all == r->found->len);
    for (guint i = 0; i < r->found->len; i++)
        write_resolution(r, &g_array_index(r->found, struct resolution, i), is_full);
    ews_close(call->w);
    ews_message_end(call);
}

enum ec op_resolve_names(struct ews_call *call) {
    const char *text = ews_child_text(call->arena, call->request, "UnresolvedEntry");
    if (!text || !*text)
        return ews_fail(call, "ErrorInvalidNameForNameResolution", NULL);
    if (g_ascii_strncasecmp(text, "smtp:", 5) == 0)
        text += 5;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct resolution));
    struct resolving r = {.call = call, .text = text, .found = found};
    EC_TRY(search(&r));
    if (r.n_all == 0)
        return ews_fail(call, "ErrorNameResolutionNoResults", "No results were found.");
    write_answer(&r);
    return EC_OK;
}

// --- ExpandDL ---

static void begin_expansion(struct ews_call *call, unsigned n) {
    ews_success(call);
    ews_open(call->w, "m:DLExpansion");
    ews_attr_int(call->w, "TotalItemsInView", n);
    ews_attr_bool(call->w, "IncludesLastItemInRange", true);
}

static void end_expansion(struct ews_call *call) {
    ews_close(call->w);
    ews_message_end(call);
}

static enum ec expand_group(struct ews_call *call, const struct directory_object *group) {
    struct directory_list list;
    struct directory *d = ews_directory(call);
    EC_TRY(group->kind == DIRECTORY_DYNAMIC
               ? directory_expand(d, call->arena, &group->guid, &list)
               : directory_members(d, call->arena, &group->guid, &list));
    begin_expansion(call, list.n);
    for (unsigned i = 0; i < list.n; i++)
        ews_write_object(call, "t:Mailbox", list.items[i]);
    end_expansion(call);
    return EC_OK;
}

static enum ec expand_private(struct ews_call *call, const struct ews_node *id) {
    struct ews_item_ref ref;
    struct list_members members;
    EC_TRY(ews_read_item_id(call, id, &ref));
    enum ec ec = mailbox_list_members(ref.mailbox->m, call->arena, ref.mid, &members);
    if (ec == EC_NOT_SUPPORTED)
        return ews_fail(call, "ErrorInvalidItemForOperationExpandDL", NULL);
    if (ec != EC_OK)
        return ews_fail_item(call, ec);
    begin_expansion(call, members.n);
    for (unsigned i = 0; i < members.n; i++) {
        const struct list_member *m = &members.items[i];
        struct ews_writer *w = call->w;
        ews_open(w, "t:Mailbox");
        ews_element(w, "t:Name", m->name);
        ews_element(w, "t:EmailAddress", m->address);
        ews_element(w, "t:RoutingType", m->is_list ? "MAPIPDL" : "SMTP");
        ews_element(w, "t:MailboxType", m->is_list ? "PrivateDL" : m->mid ? "Contact" : "OneOff");
        if (m->mid)
            ews_write_item_id(call, "t:ItemId", ref.mailbox, m->fid, m->mid,
                              m->is_list ? EWS_OBJECT_LIST : EWS_OBJECT_CONTACT, 0);
        ews_close(w);
    }
    end_expansion(call);
    return EC_OK;
}

enum ec op_expand_dl(struct ews_call *call) {
    const struct ews_node *mailbox = ews_child(call->request, "Mailbox");
    const struct ews_node *id = ews_child(mailbox, "ItemId");
    const char *address = ews_child_text(call->arena, mailbox, "EmailAddress");
    struct directory_object *object;
    if (!mailbox || (!id && !address))
        return ews_fail(call, "ErrorMissingInformationEmailAddress", NULL);
    if (id)
        return expand_private(call, id);
    enum ec ec = ews_find_object(call, address, &object);
    if (ec == EC_NOT_FOUND || ec == EC_INVALID_PARAMETER)
        return ews_fail(call, "ErrorNameResolutionNoResults", "No results were found.");
    EC_TRY(ec);
    if (object->kind != DIRECTORY_GROUP && object->kind != DIRECTORY_DYNAMIC)
        return ews_fail(call, "ErrorNameResolutionNoResults", "No results were found.");
    return expand_group(call, object);
}
