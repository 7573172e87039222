// GetConversationItems ([MS-OXWSCONV] 3.1.4.3): the messages of conversations, those that are the
// same message in different folders together as one node.
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_conversation.h"
#include "protocol/ews/ews_operations.h"

#define REQUESTS_MAX 100 // conversations of one request
#define STATE_SIZE 16

struct node_item {
    uint64_t fid, mid, cn;
    filetime_t received;
    const char *message_id, *parent_id; // NULL: none
};

struct reading {
    struct ews_call *call;
    struct ews_shape shape;
    unsigned max;
    bool is_descending;
    const struct ews_node *ignored;
    // Of the conversation at hand.
    struct ews_mailbox *m;
    uint8_t id[16];
    GArray *items; // struct node_item
};

// --- What is in it ---

static enum ec read_ignored(struct reading *r, GArray *fids) {
    for (const struct ews_node *n = r->ignored ? r->ignored->child : NULL; n; n = n->next) {
        struct ews_folder_ref ref;
        EC_TRY(ews_read_folder_id(r->call, n, &ref));
        if (guid_equal(&ref.mailbox->guid, &r->m->guid))
            g_array_append_val(fids, ref.fid);
    }
    return EC_OK;
}

static gint by_time(gconstpointer a, gconstpointer b) {
    const struct node_item *x = a, *y = b;
    if (x->received != y->received)
        return x->received < y->received ? -1 : 1;
    return x->mid < y->mid ? -1 : x->mid > y->mid;
}

static enum ec describe(struct reading *r, const struct conversation_item *at) {
    static const proptag_t tags[] = {PidTagMessageDeliveryTime, PidTagInternetMessageId,
                                     PidTagInReplyToId, PidTagChangeNumber};
    const struct prop_value *v[G_N_ELEMENTS(tags)];
    struct mailbox_item_reader *reader;
    EC_TRY(mailbox_item_reader_open(r->m->m, at->fid, &reader));
    enum ec ec =
        mailbox_item_values(reader, r->call->arena, at->mid, tags, G_N_ELEMENTS(tags), 0, v);
    mailbox_item_reader_close(reader);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    struct node_item item = {
        .fid = at->fid,
        .mid = at->mid,
        .received = v[0] ? v[0]->time : 0,
        .message_id = v[1] ? v[1]->str : NULL,
        .parent_id = v[2] ? v[2]->str : NULL,
        .cn = v[3] ? (uint64_t)v[3]->i8 : 0,
    };
    g_array_append_val(r->items, item);
    return EC_OK;
}

static enum ec list(struct reading *r) {
    g_autoptr(GArray) ignored = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) found = NULL;
    EC_TRY(read_ignored(r, ignored));
    struct conversation_scope scope = {.ignored = (const uint64_t *)(void *)ignored->data,
                                       .n_ignored = ignored->len};
    EC_TRY(mailbox_conversation_items(r->m->m, &scope, r->id, CONVERSATION_ITEMS_MAX, &found));
    for (guint i = 0; i < found->len; i++)
        EC_TRY(describe(r, &g_array_index(found, struct conversation_item, i)));
    g_array_sort(r->items, by_time);
    return EC_OK;
}

// --- Nodes ---

// What the client has when its state is the same.
static void make_state(const struct reading *r, uint8_t out[STATE_SIZE]) {
    uint8_t digest[32];
    gsize size = sizeof digest;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, r->id, sizeof r->id);
    for (guint i = 0; i < r->items->len; i++) {
        const struct node_item *item = &g_array_index(r->items, struct node_item, i);
        uint64_t numbers[] = {item->fid, item->mid, item->cn};
        g_checksum_update(sum, (const guchar *)numbers, sizeof numbers);
    }
    g_checksum_get_digest(sum, digest, &size);
    memcpy(out, digest, STATE_SIZE);
}

static enum ec write_item(struct reading *r, const struct node_item *at) {
    struct ews_call *call = r->call;
    struct item *item;
    struct ews_source source;
    enum ec ec = item_open(r->m->m, at->mid, &item);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    ec = ews_source_of_item(call, r->m, item, &source);
    if (ec == EC_OK)
        ec = ews_write_item(call, &r->shape, &source);
    item_close(item);
    return ec;
}

// Items of the same Message-ID are one node; the first of them leads it.
static bool leads(const struct reading *r, guint i) {
    const struct node_item *item = &g_array_index(r->items, struct node_item, i);
    for (guint k = 0; item->message_id && k < i; k++)
        if (g_strcmp0(g_array_index(r->items, struct node_item, k).message_id, item->message_id) ==
            0)
            return false;
    return true;
}

static enum ec write_node(struct reading *r, guint at) {
    struct ews_call *call = r->call;
    const struct node_item *first = &g_array_index(r->items, struct node_item, at);
    ews_open(call->w, "t:ConversationNode");
    ews_element(call->w, "t:InternetMessageId", first->message_id);
    ews_element(call->w, "t:ParentInternetMessageId", first->parent_id);
    ews_open(call->w, "t:Items");
    for (guint i = at; i < r->items->len; i++) {
        const struct node_item *item = &g_array_index(r->items, struct node_item, i);
        if (i == at || (first->message_id && g_strcmp0(item->message_id, first->message_id) == 0))
            EC_TRY(write_item(r, item));
    }
    ews_close(call->w);
    ews_close(call->w);
    return EC_OK;
}

static enum ec write_nodes(struct reading *r) {
    unsigned n = 0;
    ews_open(r->call->w, "t:ConversationNodes");
    for (guint i = 0; i < r->items->len && n < r->max; i++) {
        guint at = r->is_descending ? r->items->len - 1 - i : i;
        if (!leads(r, at))
            continue;
        EC_TRY(write_node(r, at));
        n++;
    }
    ews_close(r->call->w);
    return EC_OK;
}

static enum ec write_answer(struct reading *r, const struct ews_node *node) {
    struct ews_call *call = r->call;
    uint8_t state[STATE_SIZE];
    struct prop_bin known = {0};
    const struct ews_node *given = ews_child(node, "SyncState");
    make_state(r, state);
    if (given && ews_node_base64(call->arena, given, &known) != EC_OK)
        return ews_fail(call, "ErrorInvalidSyncStateData", NULL);
    bool is_same = known.len == sizeof state && memcmp(known.data, state, sizeof state) == 0;
    ews_success(call);
    ews_open(call->w, "m:Conversation");
    ews_write_conversation_id(call, "t:ConversationId", r->m, r->id);
    ews_element_base64(call->w, "t:SyncState", state, sizeof state);
    if (!is_same)
        EC_TRY(write_nodes(r));
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

static enum ec get_one(struct reading *r, const struct ews_node *node) {
    EC_TRY(ews_read_conversation_id(r->call, ews_child(node, "ConversationId"), &r->m, r->id));
    g_array_set_size(r->items, 0);
    EC_TRY(list(r));
    if (r->items->len == 0)
        return ews_fail(r->call, "ErrorItemNotFound", NULL);
    struct ews_mark mark = ews_mark(r->call->w);
    unsigned n_messages = r->call->n_messages;
    enum ec ec = write_answer(r, node);
    if (ec != EC_OK) {
        ews_rewind(r->call->w, mark);
        r->call->n_messages = n_messages;
    }
    return ec;
}

static enum ec read_request(struct reading *r) {
    const struct ews_node *request = r->call->request;
    const char *order = ews_child_text(r->call->arena, request, "SortOrder");
    int64_t max = ews_child_int(request, "MaxItemsToReturn", 100);
    if (max < 1 || max > INT32_MAX)
        return ews_fail(r->call, "ErrorInvalidRequest", "MaxItemsToReturn");
    r->max = (unsigned)MIN(max, 100);
    r->is_descending = order && g_str_has_suffix(order, "Descending");
    r->ignored = ews_child(request, "FoldersToIgnore");
    if (ews_count(r->ignored) > EWS_FOLDER_ADDITIONS)
        return ews_fail(r->call, "ErrorInvalidRequest", "Too many folders.");
    return ews_read_shape(r->call, ews_child(request, "ItemShape"), false, &r->shape);
}

enum ec op_get_conversation_items(struct ews_call *call) {
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct node_item));
    struct reading r = {.call = call, .items = items};
    const struct ews_node *requests = ews_child(call->request, "Conversations");
    enum ec ec = read_request(&r);
    if (ec == EC_OK && ews_count(requests) > REQUESTS_MAX)
        ec = ews_fail(call, "ErrorInvalidRequest", "Too many conversations.");
    for (const struct ews_node *n = ec == EC_OK && requests ? requests->child : NULL; n;
         n = n->next) {
        enum ec one = get_one(&r, n);
        if (one != EC_OK)
            ews_error(call, one);
    }
    ews_shape_clear(&r.shape);
    return ec;
}
