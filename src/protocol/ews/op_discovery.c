// eDiscovery ([MS-OXWSEDISC] 3.1.4, [MS-OXWSGNI] 3.1.4): searching many mailboxes at once, holds,
// and what the index could not take in.
//
// Who has full access to a mailbox may search it; holds are the administrator's. There are no
// searches or holds with names of their own: a mailbox is on hold or it is not.
#include <string.h>

#include "directory/setting.h"
#include "mailbox/aqs.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_people.h"

#define MAILBOXES_MAX 500
#define PAGE_MAX 500
#define FOUND_MAX 100000
#define SIZED_MAX 1000 // whose sizes are added up
// What a mailbox is called here: a DN that ends with its guid.
#define DN_PREFIX "/o=Bourse/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn="

static const char *dn_of(struct arena *arena, const struct guid *guid) {
    char text[GUID_STRING_SIZE];
    guid_format(guid, text);
    return arena_printf(arena, DN_PREFIX "%s", text);
}

// By its DN or an address of it. EC_NOT_FOUND.
static enum ec find_mailbox(struct ews_call *call, const char *text,
                            struct directory_object **out) {
    struct guid guid;
    if (text && g_ascii_strncasecmp(text, DN_PREFIX, strlen(DN_PREFIX)) == 0)
        return guid_parse(text + strlen(DN_PREFIX), &guid)
                   ? directory_find_guid(ews_directory(call), call->arena, &guid, out)
                   : EC_NOT_FOUND;
    return ews_find_object(call, text, out);
}

static bool may_search(struct ews_call *call, const struct guid *mailbox) {
    return call->principal->is_admin || guid_equal(mailbox, &call->principal->guid) ||
           directory_rights(ews_directory(call), mailbox, &call->principal->guid) &
               DIRECTORY_FULL_ACCESS;
}

static void write_failed(struct ews_call *call, const char *mailbox, const char *text) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:FailedMailbox");
    ews_element(w, "t:Mailbox", mailbox);
    ews_element_int(w, "t:ErrorCode", 0);
    ews_element(w, "t:ErrorMessage", text);
    ews_element_bool(w, "t:IsArchive", false);
    ews_close(w);
}

// --- GetSearchableMailboxes ---

static void write_searchable(struct ews_call *call, const struct directory_object *o) {
    struct ews_writer *w = call->w;
    char guid[GUID_STRING_SIZE];
    guid_format(&o->guid, guid);
    ews_open(w, "t:SearchableMailbox");
    ews_element(w, "t:Guid", guid);
    ews_element(w, "t:PrimarySmtpAddress", o->address);
    ews_element_bool(w, "t:IsExternalMailbox", false);
    ews_element(w, "t:ExternalEmailAddress", "");
    ews_element(w, "t:DisplayName", ews_object_name(o));
    ews_element_bool(w, "t:IsMembershipGroup",
                     o->kind == DIRECTORY_GROUP || o->kind == DIRECTORY_DYNAMIC);
    ews_element(w, "t:ReferenceId", dn_of(call->arena, &o->guid));
    ews_close(w);
}

enum ec op_get_searchable_mailboxes(struct ews_call *call) {
    const char *filter = ews_child_text(call->arena, call->request, "SearchFilter");
    uint32_t kinds = 1u << DIRECTORY_USER | 1u << DIRECTORY_SHARED | 1u << DIRECTORY_ROOM |
                     1u << DIRECTORY_EQUIPMENT;
    struct directory_list list;
    EC_TRY(directory_list(ews_directory(call), call->arena, kinds,
                          filter && *filter ? filter : NULL, 0, FOUND_MAX, &list));
    ews_success(call);
    ews_open(call->w, "m:SearchableMailboxes");
    for (unsigned i = 0; i < list.n; i++)
        if (list.items[i]->has_mailbox && may_search(call, &list.items[i]->guid))
            write_searchable(call, list.items[i]);
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

// --- SearchMailboxes ---

struct hit {
    struct ews_mailbox *mailbox;
    const char *address;
    struct search_found at;
};

struct searching {
    struct ews_call *call;
    const struct ews_node *queries;
    GArray *hits;      // of struct hit, newest first within a mailbox
    GPtrArray *failed; // names and reasons in turn
};

static void fail_mailbox(struct searching *s, const char *name, const char *why) {
    s->call->failure = (struct ews_failure){0};
    g_ptr_array_add(s->failed, (char *)(name ? name : ""));
    g_ptr_array_add(s->failed, (char *)why);
}

static void search_one(struct searching *s, const char *name, const char *query) {
    struct ews_call *call = s->call;
    struct directory_object *object;
    struct ews_mailbox *mailbox;
    g_autoptr(GArray) found = NULL;
    if (find_mailbox(call, name, &object) != EC_OK) {
        fail_mailbox(s, name, "There is no such mailbox.");
        return;
    }
    if (!may_search(call, &object->guid) ||
        ews_open_mailbox(call, &object->guid, &mailbox) != EC_OK) {
        fail_mailbox(s, name, "The mailbox may not be searched.");
        return;
    }
    struct search_scope scope = {.is_recursive = true};
    struct search_node *node = aqs_parse(call->arena, query ? query : "", &(struct aqs_options){0});
    if (mailbox_search_all(mailbox->m, &scope, node, SEARCH_NEWEST_ARRIVED, FOUND_MAX, NULL, NULL,
                           &found) != EC_OK) {
        fail_mailbox(s, name, "The search failed.");
        return;
    }
    for (guint i = 0; i < found->len && s->hits->len < FOUND_MAX; i++) {
        struct hit hit = {mailbox, object->address, g_array_index(found, struct search_found, i)};
        g_array_append_val(s->hits, hit);
    }
}

static enum ec search_all(struct searching *s) {
    unsigned n = 0;
    for (const struct ews_node *q = ews_child(s->queries, "MailboxQuery"); q; q = ews_next(q)) {
        const char *query = ews_child_text(s->call->arena, q, "Query");
        const struct ews_node *scope = ews_child(q, "MailboxSearchScopes/MailboxSearchScope");
        for (; scope; scope = ews_next(scope)) {
            if (++n > MAILBOXES_MAX)
                return ews_fail(s->call, "ErrorSearchTooManyMailboxes", NULL);
            search_one(s, ews_child_text(s->call->arena, scope, "Mailbox"), query);
        }
    }
    return n ? EC_OK : ews_fail(s->call, "ErrorInvalidArgument", NULL);
}

static void write_people(struct ews_call *call, struct item *item, const char *element,
                         int32_t type) {
    const GPtrArray *recipients = item_value(item)->recipients;
    bool is_open = false;
    for (guint i = 0; i < recipients->len; i++) {
        const struct bag *bag = recipients->pdata[i];
        const char *address = bag_str(bag, PidTagSmtpAddress);
        if (!address || !*address || bag_long(bag, PidTagRecipientType, 1) != type)
            continue;
        if (!is_open)
            ews_open(call->w, element);
        is_open = true;
        ews_element(call->w, "t:SmtpAddress", address);
    }
    if (is_open)
        ews_close(call->w);
}

static void write_text(struct ews_call *call, struct item *item, const char *element,
                       proptag_t tag) {
    struct prop_value v;
    if (item_get(item, call->arena, tag, 4096, &v) == EC_OK)
        ews_element(call->w, element, v.str);
}

static void write_moment(struct ews_call *call, struct item *item, const char *element,
                         proptag_t tag) {
    struct prop_value v;
    if (item_get(item, call->arena, tag, 0, &v) == EC_OK)
        ews_element_time(call, element, v.time);
}

// In the schema's order. `position`: what the next page is asked for by.
static void write_preview(struct searching *s, const struct hit *hit, struct item *item,
                          guint position) {
    static const char *const importances[] = {"Low", "Normal", "High"};
    struct ews_call *call = s->call;
    struct ews_writer *w = call->w;
    struct prop_value v;
    ews_open(w, "t:SearchPreviewItem");
    ews_write_item_id(call, "t:Id", hit->mailbox, hit->at.fid, hit->at.mid,
                      ews_class_object(ews_class_of(item_class(item))), item_change(item));
    ews_open(w, "t:Mailbox");
    ews_element(w, "t:MailboxId", dn_of(call->arena, &hit->mailbox->guid));
    ews_element(w, "t:PrimarySmtpAddress", hit->address);
    ews_close(w);
    ews_write_folder_id(call, "t:ParentId", hit->mailbox, hit->at.fid, EWS_OBJECT_FOLDER, 0);
    ews_element(w, "t:ItemClass", item_class(item));
    ews_element_int(w, "t:SortValue", position);
    write_text(call, item, "t:Sender", PidTagSenderName);
    write_people(call, item, "t:ToRecipients", 1);
    write_people(call, item, "t:CcRecipients", 2);
    write_people(call, item, "t:BccRecipients", 3);
    write_moment(call, item, "t:CreatedTime", PidTagCreationTime);
    write_moment(call, item, "t:ReceivedTime", PidTagMessageDeliveryTime);
    write_moment(call, item, "t:SentTime", PidTagClientSubmitTime);
    write_text(call, item, "t:Subject", PidTagSubject);
    ews_element_int(w, "t:Size", (int64_t)item_size(item));
    bool has = item_get(item, call->arena, PidTagImportance, 0, &v) == EC_OK;
    ews_element(w, "t:Importance", importances[has && v.l >= 0 && v.l <= 2 ? v.l : 1]);
    ews_element_bool(w, "t:Read", item_flags(item) & MSG_READ);
    ews_element_bool(w, "t:HasAttachment", item_value(item)->attachments->len > 0);
    ews_close(w);
}

static void write_queries(struct ews_call *call, const struct ews_node *queries) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:SearchQueries");
    for (const struct ews_node *q = ews_child(queries, "MailboxQuery"); q; q = ews_next(q)) {
        const char *query = ews_child_text(call->arena, q, "Query");
        ews_open(w, "t:MailboxQuery");
        ews_element(w, "t:Query", query ? query : "");
        ews_open(w, "t:MailboxSearchScopes");
        const struct ews_node *s = ews_child(q, "MailboxSearchScopes/MailboxSearchScope");
        for (; s; s = ews_next(s)) {
            ews_open(w, "t:MailboxSearchScope");
            ews_element(w, "t:Mailbox", ews_child_text(call->arena, s, "Mailbox"));
            ews_element(w, "t:SearchScope", "All");
            ews_close(w);
        }
        ews_close(w);
        ews_close(w);
    }
    ews_close(w);
}

// Bytes of what was found; the many are not opened for it.
static uint64_t size_of(const struct searching *s, guint from, guint to) {
    uint64_t size = 0;
    for (guint i = from; i < to && i - from < SIZED_MAX; i++) {
        const struct hit *hit = &g_array_index(s->hits, struct hit, i);
        struct item *item;
        if (item_open(hit->mailbox->m, hit->at.mid, &item) != EC_OK)
            continue;
        size += item_size(item);
        item_close(item);
    }
    return size;
}

static void write_page(struct searching *s, bool is_preview) {
    struct ews_call *call = s->call;
    struct ews_writer *w = call->w;
    int64_t size = ews_child_int(call->request, "PageSize", 100);
    int64_t from = ews_child_int(call->request, "PageItemReference", -1) + 1;
    guint first = (guint)CLAMP(from, 0, (int64_t)s->hits->len);
    guint last = MIN(s->hits->len, first + (guint)CLAMP(size, 1, PAGE_MAX));
    ews_element_int(w, "t:ItemCount", s->hits->len);
    ews_element_int(w, "t:Size", (int64_t)size_of(s, 0, s->hits->len));
    ews_element_int(w, "t:PageItemCount", is_preview ? last - first : 0);
    ews_element_int(w, "t:PageItemSize", is_preview ? (int64_t)size_of(s, first, last) : 0);
    if (!is_preview)
        return;
    ews_open(w, "t:Items");
    for (guint i = first; i < last; i++) {
        const struct hit *hit = &g_array_index(s->hits, struct hit, i);
        struct item *item;
        if (item_open(hit->mailbox->m, hit->at.mid, &item) != EC_OK)
            continue; // gone meanwhile
        write_preview(s, hit, item, i);
        item_close(item);
    }
    ews_close(w);
}

enum ec op_search_mailboxes(struct ews_call *call) {
    const char *type = ews_child_text(call->arena, call->request, "ResultType");
    g_autoptr(GArray) hits = g_array_new(FALSE, FALSE, sizeof(struct hit));
    g_autoptr(GPtrArray) failed = g_ptr_array_new();
    struct searching s = {.call = call,
                          .queries = ews_child(call->request, "SearchQueries"),
                          .hits = hits,
                          .failed = failed};
    EC_TRY(search_all(&s));
    ews_success(call);
    ews_open(call->w, "m:SearchMailboxesResult");
    write_queries(call, s.queries);
    bool is_preview = g_strcmp0(type, "PreviewOnly") == 0;
    ews_element(call->w, "t:ResultType", is_preview ? "PreviewOnly" : "StatisticsOnly");
    write_page(&s, is_preview);
    if (failed->len > 0) {
        ews_open(call->w, "t:FailedMailboxes");
        for (guint i = 0; i < failed->len; i += 2)
            write_failed(call, failed->pdata[i], failed->pdata[i + 1]);
        ews_close(call->w);
    }
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_discovery_search_configuration(struct ews_call *call) {
    ews_success(call);
    ews_element_empty(call->w, "m:DiscoverySearchConfigurations"); // no search is kept
    ews_message_end(call);
    return EC_OK;
}

// --- Holds ---

enum ec op_get_hold_on_mailboxes(struct ews_call *call) {
    const char *id = ews_child_text(call->arena, call->request, "HoldId");
    if (!id || !*id)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    return ews_fail(call, "ErrorMailboxHoldNotFound", NULL);
}

enum ec op_set_hold_on_mailboxes(struct ews_call *call) {
    const char *id = ews_child_text(call->arena, call->request, "HoldId");
    const char *action = ews_child_text(call->arena, call->request, "ActionType");
    if (!id || !*id || !action)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    if (!call->principal->is_admin)
        return ews_fail(call, "ErrorAccessDenied", "Holds are set by the administrator.");
    return ews_fail(call, "ErrorMailboxHoldNotFound", NULL);
}

// --- What could not be indexed: nothing, as every search reads what the index lacks ---

enum ec op_get_non_indexable_item_statistics(struct ews_call *call) {
    const struct ews_node *mailboxes = ews_child(call->request, "Mailboxes");
    struct ews_writer *w = call->w;
    unsigned n = ews_count(mailboxes);
    if (n == 0 || n > MAILBOXES_MAX)
        return ews_fail(call, n ? "ErrorSearchTooManyMailboxes" : "ErrorInvalidArgument", NULL);
    ews_success(call);
    ews_open(w, "m:NonIndexableItemStatistics");
    for (const struct ews_node *m = ews_child(mailboxes, "LegacyDN"); m; m = ews_next(m)) {
        const char *name = ews_text(call->arena, m);
        struct directory_object *object;
        bool is_known = find_mailbox(call, name, &object) == EC_OK && object->has_mailbox &&
                        may_search(call, &object->guid);
        ews_open(w, "t:NonIndexableItemStatistic");
        ews_element(w, "t:Mailbox", name);
        ews_element_int(w, "t:ItemCount", 0);
        if (!is_known)
            ews_element(w, "t:ErrorMessage", "The mailbox may not be searched.");
        ews_close(w);
    }
    ews_close(w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_get_non_indexable_item_details(struct ews_call *call) {
    const struct ews_node *mailboxes = ews_child(call->request, "Mailboxes");
    struct ews_writer *w = call->w;
    unsigned n = ews_count(mailboxes);
    bool is_open = false;
    if (n == 0 || n > MAILBOXES_MAX)
        return ews_fail(call, n ? "ErrorSearchTooManyMailboxes" : "ErrorInvalidArgument", NULL);
    ews_success(call);
    ews_open(w, "m:NonIndexableItemDetailsResult");
    ews_element_empty(w, "t:Items");
    for (const struct ews_node *m = ews_child(mailboxes, "LegacyDN"); m; m = ews_next(m)) {
        const char *name = ews_text(call->arena, m);
        struct directory_object *object;
        if (find_mailbox(call, name, &object) == EC_OK && object->has_mailbox &&
            may_search(call, &object->guid))
            continue;
        if (!is_open)
            ews_open(w, "t:FailedMailboxes");
        is_open = true;
        write_failed(call, name, "The mailbox may not be searched.");
    }
    if (is_open)
        ews_close(w);
    ews_close(w);
    ews_message_end(call);
    return EC_OK;
}
