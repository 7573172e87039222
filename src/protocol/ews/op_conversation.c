// FindConversation and GetConversationItems ([MS-OXWSCONV] 3.1.4.2, 3.1.4.3). A folder's view with
// one row a conversation gives the list; what is said of each is gathered from its messages here
// and in the other folders.
#include <string.h>

#include "mailbox/aqs.h"
#include "mapi/change.h"
#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_conversation.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_rows.h"

#define NAMES_MAX 100 // senders, recipients, ... told of one conversation

enum ec ews_read_conversation_id(struct ews_call *call, const struct ews_node *node,
                                 struct ews_mailbox **m_out, uint8_t out[16]) {
    struct ews_id id;
    const char *text = ews_attribute(node, "Id");
    const char *error = text ? ews_id_parse(text, &id, NULL) : "ErrorInvalidIdEmpty";
    if (error)
        return ews_fail(call, error, NULL);
    if (id.kind != EWS_ID_CONVERSATION)
        return ews_fail(call, "ErrorInvalidIdMalformed", "Not the id of a conversation.");
    memcpy(out, id.conversation, 16);
    if (!id.is_public && guid_is_zero(&id.mailbox))
        return ews_own_mailbox(call, m_out);
    return ews_open_mailbox(call, &id.mailbox, m_out);
}

// --- What is said of one conversation ---

// The properties that are gathered, in this order.
enum {
    V_SENDER,
    V_TO,
    V_RECEIVED,
    V_CATEGORIES,
    V_FLAG,
    V_ATTACHMENTS,
    V_SIZE,
    V_CLASS,
    V_IMPORTANCE,
    V_FLAGS,
    V_CHANGED,
    V_CN,
    V_TOPIC,
    V_COUNT,
};
static const proptag_t gathered[V_COUNT] = {
    [V_SENDER] = PidTagSentRepresentingName,
    [V_TO] = PidTagDisplayTo,
    [V_RECEIVED] = PidTagMessageDeliveryTime,
    [V_CATEGORIES] = PidNameKeywords,
    [V_FLAG] = PidTagFlagStatus,
    [V_ATTACHMENTS] = PidTagHasAttachments,
    [V_SIZE] = PidTagMessageSize,
    [V_CLASS] = PidTagMessageClass,
    [V_IMPORTANCE] = PidTagImportance,
    [V_FLAGS] = PidTagMessageFlags,
    [V_CHANGED] = PidTagLastModificationTime,
    [V_CN] = PidTagChangeNumber,
    [V_TOPIC] = PidTagConversationTopic,
};

struct member {
    uint64_t fid, mid, cn;
    unsigned object;
    bool is_draft;
};

// Of the messages of one folder, or of all.
struct sum {
    GPtrArray *senders, *unread_senders, *recipients, *categories, *classes; // in the arena
    GArray *members;                                                         // struct member
    filetime_t last, changed;
    int32_t flag, importance;
    uint32_t n_unread;
    int64_t size;
    bool has_attachments;
    const char *topic;
};

struct conversations {
    struct ews_call *call;
    struct ews_mailbox *m;
    uint64_t fid;
    GHashTable *readers; // fid -> struct mailbox_item_reader
    struct ews_page page;
    struct mailbox_found *found;
    GArray *ids; // 16 bytes each: with a query; NULL: the rows of `found`
};

static void sum_init(struct sum *s) {
    *s = (struct sum){.importance = 0};
    GPtrArray **lists[] = {&s->senders, &s->unread_senders, &s->recipients, &s->categories,
                           &s->classes};
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        *lists[i] = g_ptr_array_new();
    s->members = g_array_new(FALSE, FALSE, sizeof(struct member));
}

static void sum_clear(struct sum *s) {
    g_ptr_array_unref(s->senders);
    g_ptr_array_unref(s->unread_senders);
    g_ptr_array_unref(s->recipients);
    g_ptr_array_unref(s->categories);
    g_ptr_array_unref(s->classes);
    g_array_unref(s->members);
}

static void add_name(GPtrArray *list, const char *name) {
    if (!name || !*name || list->len >= NAMES_MAX)
        return;
    for (guint i = 0; i < list->len; i++)
        if (strcmp(list->pdata[i], name) == 0)
            return;
    g_ptr_array_add(list, (gpointer)name);
}

static const char *text_of(const struct prop_value *v) {
    return v && PROP_TYPE(v->tag) == PT_UNICODE ? v->str : NULL;
}

static void add_people(struct sum *s, struct arena *arena, const struct prop_value *const *v,
                       bool is_unread) {
    const char *sender = text_of(v[V_SENDER]), *to = text_of(v[V_TO]);
    add_name(s->senders, sender);
    if (is_unread)
        add_name(s->unread_senders, sender);
    g_auto(GStrv) names = g_strsplit(to ? to : "", "; ", NAMES_MAX);
    for (char **n = names; *n; n++)
        add_name(s->recipients, arena_strdup(arena, *n));
    for (uint32_t i = 0; v[V_CATEGORIES] && i < v[V_CATEGORIES]->mv.n; i++)
        add_name(s->categories, v[V_CATEGORIES]->mv.str[i]);
}

static void add_member(struct conversations *c, struct sum *s, const struct conversation_item *at,
                       const struct prop_value *const *v) {
    int32_t flags = v[V_FLAGS] ? v[V_FLAGS]->l : 0;
    bool is_unread = !(flags & 1);
    const char *class = text_of(v[V_CLASS]);
    struct member m = {
        .fid = at->fid,
        .mid = at->mid,
        .cn = v[V_CN] ? short_id_of_value(v[V_CN]->i8).counter : 0,
        .object = ews_class_object(ews_class_of(class)),
        .is_draft = flags & 8,
    };
    g_array_append_val(s->members, m);
    add_people(s, c->call->arena, v, is_unread);
    add_name(s->classes, class);
    s->n_unread += is_unread;
    if (v[V_RECEIVED] && v[V_RECEIVED]->time > s->last) {
        s->last = v[V_RECEIVED]->time;
        s->topic = text_of(v[V_TOPIC]);
    }
    if (v[V_CHANGED])
        s->changed = MAX(s->changed, v[V_CHANGED]->time);
    if (v[V_FLAG] && v[V_FLAG]->l)
        s->flag = MAX(s->flag, v[V_FLAG]->l);
    if (v[V_IMPORTANCE] || s->members->len == 1)
        s->importance = MAX(s->importance, v[V_IMPORTANCE] ? v[V_IMPORTANCE]->l : 1);
    s->size += v[V_SIZE] ? v[V_SIZE]->l : 0;
    s->has_attachments |= v[V_ATTACHMENTS] && v[V_ATTACHMENTS]->b;
}

static enum ec reader_for(struct conversations *c, uint64_t fid, struct mailbox_item_reader **out) {
    *out = g_hash_table_lookup(c->readers, &fid);
    if (*out)
        return EC_OK;
    EC_TRY(mailbox_item_reader_open(c->m->m, fid, out));
    g_hash_table_insert(c->readers, arena_memdup(c->call->arena, &fid, sizeof fid), *out);
    return EC_OK;
}

static enum ec gather(struct conversations *c, const uint8_t id[16], struct sum *here,
                      struct sum *all) {
    struct conversation_scope scope = {0};
    g_autoptr(GArray) items = NULL;
    EC_TRY(mailbox_conversation_items(c->m->m, &scope, id, CONVERSATION_ITEMS_MAX, &items));
    for (guint i = 0; i < items->len; i++) {
        const struct conversation_item *at = &g_array_index(items, struct conversation_item, i);
        const struct prop_value *values[V_COUNT];
        struct mailbox_item_reader *r;
        EC_TRY(reader_for(c, at->fid, &r));
        enum ec ec = mailbox_item_values(r, c->call->arena, at->mid, gathered, V_COUNT,
                                         EWS_ROW_TEXT, values);
        if (ec == EC_NOT_FOUND)
            continue;
        EC_TRY(ec);
        add_member(c, all, at, values);
        if (at->fid == c->fid)
            add_member(c, here, at, values);
    }
    return EC_OK;
}

// --- Writing a conversation ---

static void write_names(struct ews_call *call, const char *element, const GPtrArray *list,
                        const char *inner) {
    if (list->len == 0)
        return;
    ews_open(call->w, element);
    for (guint i = 0; i < list->len; i++)
        ews_element(call->w, inner, list->pdata[i]);
    ews_close(call->w);
}

static void write_members(struct conversations *c, const char *element, const struct sum *s,
                          bool only_drafts) {
    unsigned n = 0;
    for (guint i = 0; i < s->members->len; i++)
        n += !only_drafts || g_array_index(s->members, struct member, i).is_draft;
    if (n == 0)
        return;
    ews_open(c->call->w, element);
    for (guint i = 0; i < s->members->len; i++) {
        const struct member *m = &g_array_index(s->members, struct member, i);
        if (!only_drafts || m->is_draft)
            ews_write_item_id(c->call, "t:ItemId", c->m, m->fid, m->mid, m->object, m->cn);
    }
    ews_close(c->call->w);
}

static const char *flag_name(int32_t flag) {
    return flag == 2 ? "Flagged" : flag == 1 ? "Complete" : "NotFlagged";
}

static const char *importance_name(int32_t importance) {
    return importance == 0 ? "Low" : importance == 2 ? "High" : "Normal";
}

static void write_people(struct conversations *c, const struct sum *here, const struct sum *all) {
    struct ews_call *call = c->call;
    write_names(call, "t:UniqueRecipients", here->recipients, "t:String");
    write_names(call, "t:GlobalUniqueRecipients", all->recipients, "t:String");
    write_names(call, "t:UniqueUnreadSenders", here->unread_senders, "t:String");
    write_names(call, "t:GlobalUniqueUnreadSenders", all->unread_senders, "t:String");
    write_names(call, "t:UniqueSenders", here->senders, "t:String");
    write_names(call, "t:GlobalUniqueSenders", all->senders, "t:String");
    ews_element_time(call, "t:LastDeliveryTime", here->last);
    ews_element_time(call, "t:GlobalLastDeliveryTime", all->last);
    write_names(call, "t:Categories", here->categories, "t:String");
    write_names(call, "t:GlobalCategories", all->categories, "t:String");
}

static void write_figures(struct conversations *c, const struct sum *here, const struct sum *all) {
    struct ews_call *call = c->call;
    struct ews_writer *w = call->w;
    ews_element(w, "t:FlagStatus", flag_name(here->flag));
    ews_element(w, "t:GlobalFlagStatus", flag_name(all->flag));
    ews_element_bool(w, "t:HasAttachments", here->has_attachments);
    ews_element_bool(w, "t:GlobalHasAttachments", all->has_attachments);
    ews_element_int(w, "t:MessageCount", here->members->len);
    ews_element_int(w, "t:GlobalMessageCount", all->members->len);
    ews_element_int(w, "t:UnreadCount", here->n_unread);
    ews_element_int(w, "t:GlobalUnreadCount", all->n_unread);
    ews_element_int(w, "t:Size", MIN(here->size, INT32_MAX));
    ews_element_int(w, "t:GlobalSize", MIN(all->size, INT32_MAX));
    write_names(call, "t:ItemClasses", here->classes, "t:ItemClass");
    write_names(call, "t:GlobalItemClasses", all->classes, "t:ItemClass");
    ews_element(w, "t:Importance", importance_name(here->importance));
    ews_element(w, "t:GlobalImportance", importance_name(all->importance));
    write_members(c, "t:ItemIds", here, false);
    write_members(c, "t:GlobalItemIds", all, false);
}

static enum ec write_conversation(struct conversations *c, const uint8_t id[16]) {
    struct ews_call *call = c->call;
    struct sum here, all;
    sum_init(&here);
    sum_init(&all);
    enum ec ec = gather(c, id, &here, &all);
    if (ec == EC_OK && here.members->len > 0) {
        ews_open(call->w, "t:Conversation");
        ews_write_conversation_id(call, "t:ConversationId", c->m, id);
        ews_element(call->w, "t:ConversationTopic", here.topic ? here.topic : "");
        write_people(c, &here, &all);
        write_figures(c, &here, &all);
        if (call->version >= EWS_2013) {
            ews_element_time(call, "t:LastModifiedTime", here.changed);
            ews_element_base64(call->w, "t:InstanceKey", id, 16);
            write_members(c, "t:DraftItemIds", &all, true);
        }
        ews_close(call->w);
    }
    sum_clear(&here);
    sum_clear(&all);
    return ec;
}

// --- FindConversation ---

static proptag_t sort_tag(const char *uri) {
    static const struct {
        const char *uri;
        proptag_t tag;
    } tags[] = {
        {"conversation:LastDeliveryTime", PidTagMessageDeliveryTime},
        {"conversation:GlobalLastDeliveryTime", PidTagMessageDeliveryTime},
        {"conversation:ConversationTopic", PidTagConversationTopic},
        {"conversation:Size", PidTagMessageSize},
        {"conversation:Importance", PidTagImportance},
        {"conversation:HasAttachments", PidTagHasAttachments},
        {"conversation:FlagStatus", PidTagFlagStatus},
        {"conversation:LastModifiedTime", PidTagLastModificationTime},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tags); i++)
        if (strcmp(tags[i].uri, uri) == 0)
            return tags[i].tag;
    return 0;
}

static enum ec read_sort(struct conversations *c, struct sort_order *sort) {
    const struct ews_node *list = ews_child(c->call->request, "SortOrder");
    for (const struct ews_node *n = list ? list->child : NULL; n && sort->n < SORT_ORDER_MAX;
         n = n->next) {
        const struct ews_node *field = ews_child(n, "FieldURI");
        const char *uri = ews_attribute(field, "FieldURI");
        proptag_t tag = uri ? sort_tag(uri) : 0;
        if (!tag) {
            struct ews_failure failure = {.code = "ErrorUnsupportedPathForSortGroup",
                                          .path = field};
            return ews_fail_with(c->call, &failure);
        }
        bool is_descending = g_strcmp0(ews_attribute(n, "Order"), "Descending") == 0;
        sort->columns[sort->n++] =
            (struct sort_column){tag, is_descending ? SORT_DESCENDING : SORT_ASCENDING, false};
    }
    return EC_OK;
}

// ViewFilter: the conversations that have such a message.
static enum ec read_filter(struct conversations *c, struct restriction **out) {
    struct arena *arena = c->call->arena;
    const char *filter = ews_attribute(c->call->request, "ViewFilter");
    *out = NULL;
    if (!filter || strcmp(filter, "All") == 0)
        return EC_OK;
    if (strcmp(filter, "Unread") == 0) {
        *out = restriction_bitmask(arena, PidTagMessageFlags, 1, false);
    } else if (strcmp(filter, "Flagged") == 0) {
        struct prop_value v = prop_long(PidTagFlagStatus, 2);
        *out = restriction_property(arena, RELOP_EQ, PidTagFlagStatus, &v);
    } else if (strcmp(filter, "HasAttachment") == 0) {
        struct prop_value v = prop_bool(PidTagHasAttachments, true);
        *out = restriction_property(arena, RELOP_EQ, PidTagHasAttachments, &v);
    } else {
        return ews_fail(c->call, "ErrorUnsupportedQueryFilter", "ViewFilter");
    }
    return EC_OK;
}

static enum ec id_at(struct conversations *c, uint32_t i, uint8_t out[16]) {
    const proptag_t tag = PidTagConversationId;
    const struct prop_value *v = NULL;
    if (c->ids) {
        memcpy(out, c->ids->data + 16 * (size_t)i, 16);
        return EC_OK;
    }
    EC_TRY(mailbox_found_values(c->found, c->call->arena, i, &tag, 1, 0, &v));
    memset(out, 0, 16);
    if (v && v->bin.len == 16)
        memcpy(out, v->bin.data, 16);
    return EC_OK;
}

// The conversations of the messages that a query found, each once, in their order.
static enum ec list_ids(struct conversations *c) {
    const proptag_t tag = PidTagConversationId;
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    c->ids = g_array_new(FALSE, FALSE, 16);
    for (uint32_t i = 0; i < mailbox_found_count(c->found); i++) {
        ARENA_AUTO scratch = arena_new();
        const struct prop_value *v = NULL;
        EC_TRY(mailbox_found_values(c->found, scratch, i, &tag, 1, 0, &v));
        if (v && v->bin.len == 16 && g_hash_table_add(seen, g_bytes_new(v->bin.data, v->bin.len)))
            g_array_append_vals(c->ids, v->bin.data, 1);
    }
    return EC_OK;
}

static enum ec open_list(struct conversations *c) {
    struct ews_call *call = c->call;
    const struct ews_node *node = ews_child(call->request, "QueryString");
    const char *query = node ? ews_text(call->arena, node) : "";
    struct sort_order sort = {0};
    struct restriction *filter, *condition;
    uint32_t at = 0;
    EC_TRY(read_sort(c, &sort));
    EC_TRY(read_filter(c, &filter));
    struct mailbox_find find = {
        .fid = c->fid,
        .kind = *query ? FIND_NORMAL : FIND_CONVERSATIONS,
        .sort = sort.n ? &sort : NULL,
        .restriction = filter,
        .query = *query ? aqs_parse(call->arena, query, &(struct aqs_options){0}) : NULL,
    };
    EC_TRY(ews_fail_folder(call, mailbox_find_open(c->m->m, &find, &c->found)));
    if (*query)
        EC_TRY(list_ids(c));
    if (c->page.kind == EWS_PAGE_SEEK && !c->ids) {
        EC_TRY(ews_read_restriction(call, c->m, c->page.condition, false, &condition));
        EC_TRY(mailbox_found_seek(c->found, condition, c->page.is_from_end, &at));
    }
    ews_page_cut(&c->page, c->ids ? c->ids->len : mailbox_found_count(c->found), at);
    return EC_OK;
}

static enum ec write_list(struct conversations *c) {
    struct ews_call *call = c->call;
    ews_success(call);
    ews_open(call->w, "m:Conversations");
    for (uint32_t i = c->page.from; i < c->page.to; i++) {
        uint8_t id[16];
        EC_TRY(id_at(c, i, id));
        EC_TRY(write_conversation(c, id));
    }
    ews_close(call->w);
    if (call->version >= EWS_2013) {
        ews_element_int(call->w, "m:TotalConversationsInView", c->page.total);
        ews_element_int(call->w, "m:IndexedOffset", c->page.to);
    }
    ews_message_end(call);
    return EC_OK;
}

static void conversations_clear(struct conversations *c) {
    mailbox_found_close(c->found);
    if (c->ids)
        g_array_unref(c->ids);
    g_hash_table_unref(c->readers);
}

static void conversations_init(struct conversations *c, struct ews_call *call) {
    *c = (struct conversations){.call = call};
    c->readers = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                       (GDestroyNotify)mailbox_item_reader_close);
}

enum ec op_find_conversation(struct ews_call *call) {
    struct conversations c;
    struct ews_folder_ref ref;
    conversations_init(&c, call);
    enum ec ec = ews_read_folder_child(call, ews_child(call->request, "ParentFolderId"), &ref);
    if (ec == EC_OK)
        ec = ews_read_page(call, call->request, &c.page);
    if (ec == EC_OK) {
        c.m = ref.mailbox;
        c.fid = ref.fid;
        ec = open_list(&c);
    }
    if (ec == EC_OK)
        ec = write_list(&c);
    conversations_clear(&c);
    return ec;
}
