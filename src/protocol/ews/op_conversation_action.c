// ApplyConversationAction ([MS-OXWSCONV] 3.1.4.1): one change to every message of a conversation.
// The actions that begin with "Always" change what is there; nothing is remembered for messages
// that come later.
#include <string.h>

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_conversation.h"
#include "protocol/ews/ews_operations.h"

#define ACTIONS_MAX 1000
#define CATEGORIES_MAX 100

struct action {
    struct ews_call *call;
    const struct ews_node *node;
    struct ews_mailbox *m;
    uint8_t id[16];
    uint64_t context; // only messages of this folder; 0: of all
    filetime_t until; // only those received until then; 0: all
    struct ews_folder_ref target;
    enum item_delete_mode delete;
    bool is_read, suppress_receipts;
    int32_t flag;
    struct prop_value categories; // PidNameKeywords
    proptag_t retention_tag;
    struct prop_value retention;
    enum ec (*apply)(struct action *a, uint64_t mid);
};

// --- Actions on one message ---

static enum ec apply_delete(struct action *a, uint64_t mid) {
    uint64_t moved;
    return item_delete(a->m->m, mid, a->delete, &moved);
}

static enum ec apply_move(struct action *a, uint64_t mid) {
    uint64_t moved;
    return item_move(a->m->m, mid, a->target.mailbox->m, a->target.fid, &moved);
}

static enum ec apply_copy(struct action *a, uint64_t mid) {
    uint64_t copied;
    return item_copy(a->m->m, mid, a->target.mailbox->m, a->target.fid, &copied);
}

static enum ec apply_read(struct action *a, uint64_t mid) {
    return item_mark_read(a->m->m, mid, a->is_read, a->suppress_receipts);
}

static enum ec set_one(struct action *a, uint64_t mid, const struct prop_value *v,
                       proptag_t remove) {
    struct item *item;
    EC_TRY(item_open(a->m->m, mid, &item));
    enum ec ec = EC_OK;
    if (v)
        ec = item_set(item, v);
    else
        item_remove(item, remove);
    if (ec == EC_OK)
        ec = item_save(item, ITEM_SAVE_FORCE);
    item_close(item);
    return ec;
}

static enum ec apply_flag(struct action *a, uint64_t mid) {
    struct prop_value v = prop_long(PidTagFlagStatus, a->flag);
    return set_one(a, mid, a->flag ? &v : NULL, PidTagFlagStatus);
}

static enum ec apply_categories(struct action *a, uint64_t mid) {
    return set_one(a, mid, a->categories.mv.n ? &a->categories : NULL, PidNameKeywords);
}

static enum ec apply_retention(struct action *a, uint64_t mid) {
    return set_one(a, mid, a->retention.tag ? &a->retention : NULL, a->retention_tag);
}

// --- Reading an action ---

static enum ec read_delete(struct action *a) {
    const char *text = ews_child_text(a->call->arena, a->node, "DeleteType");
    a->apply = apply_delete;
    if (!text || strcmp(text, "MoveToDeletedItems") == 0)
        a->delete = ITEM_DELETE_TO_TRASH;
    else if (strcmp(text, "SoftDelete") == 0)
        a->delete = ITEM_DELETE_SOFT;
    else if (strcmp(text, "HardDelete") == 0)
        a->delete = ITEM_DELETE_HARD;
    else
        return ews_fail(a->call, "ErrorInvalidRequest", "DeleteType");
    return EC_OK;
}

static enum ec read_target(struct action *a) {
    return ews_read_folder_child(a->call, ews_child(a->node, "DestinationFolderId"), &a->target);
}

static enum ec read_flag(struct action *a) {
    const char *text = ews_child_text(a->call->arena, a->node, "Flag/FlagStatus");
    a->apply = apply_flag;
    if (text && strcmp(text, "Flagged") == 0)
        a->flag = 2;
    else if (text && strcmp(text, "Complete") == 0)
        a->flag = 1;
    else if (!text || strcmp(text, "NotFlagged") != 0)
        return ews_fail(a->call, "ErrorInvalidRequest", "Flag");
    return EC_OK;
}

static enum ec read_categories(struct action *a) {
    const struct ews_node *list = ews_child(a->node, "Categories");
    unsigned n = ews_count(list), i = 0;
    a->apply = apply_categories;
    if (n > CATEGORIES_MAX)
        return ews_fail(a->call, "ErrorInvalidRequest", "Categories");
    const char **names = arena_alloc(a->call->arena, (n + 1) * sizeof *names);
    for (const struct ews_node *c = list ? list->child : NULL; c; c = c->next)
        names[i++] = ews_text(a->call->arena, c);
    a->categories = (struct prop_value){.tag = PidNameKeywords};
    a->categories.mv.n = n;
    a->categories.mv.str = names;
    return EC_OK;
}

static enum ec read_retention(struct action *a) {
    const char *type = ews_child_text(a->call->arena, a->node, "RetentionPolicyType");
    const char *text = ews_child_text(a->call->arena, a->node, "RetentionPolicyTagId");
    struct guid guid;
    a->apply = apply_retention;
    a->retention_tag = g_strcmp0(type, "Archive") == 0 ? PidTagArchiveTag : PidTagPolicyTag;
    if (!text || !*text)
        return EC_OK;
    if (!guid_parse(text, &guid))
        return ews_fail(a->call, "ErrorInvalidRetentionTagIdGuid", NULL);
    a->retention =
        prop_bytes(a->retention_tag, arena_memdup(a->call->arena, guid.bytes, sizeof guid.bytes),
                   sizeof guid.bytes);
    return EC_OK;
}

static enum ec read_read_state(struct action *a) {
    const struct ews_node *is_read = ews_child(a->node, "IsRead");
    if (!is_read)
        return ews_fail(a->call, "ErrorInvalidRequest", "IsRead");
    a->apply = apply_read;
    a->is_read = ews_node_bool(is_read, false);
    a->suppress_receipts = ews_child_bool(a->node, "SuppressReadReceipts", false);
    return EC_OK;
}

static enum ec read_kind(struct action *a) {
    const char *kind = ews_child_text(a->call->arena, a->node, "Action");
    if (!kind)
        return ews_fail(a->call, "ErrorInvalidRequest", "Action");
    if (strcmp(kind, "Delete") == 0)
        return read_delete(a);
    if (strcmp(kind, "SetReadState") == 0)
        return read_read_state(a);
    if (strcmp(kind, "Flag") == 0)
        return read_flag(a);
    if (strcmp(kind, "SetRetentionPolicy") == 0)
        return read_retention(a);
    if (strcmp(kind, "AlwaysCategorize") == 0)
        return read_categories(a);
    if (strcmp(kind, "AlwaysDelete") == 0) {
        a->delete = ITEM_DELETE_TO_TRASH;
        // Switched off, it deletes nothing.
        a->apply = ews_child_bool(a->node, "EnableAlwaysDelete", true) ? apply_delete : NULL;
        return EC_OK;
    }
    bool is_copy = strcmp(kind, "Copy") == 0;
    if (!is_copy && strcmp(kind, "Move") != 0 && strcmp(kind, "AlwaysMove") != 0)
        return ews_fail(a->call, "ErrorInvalidRequest", "Action");
    // AlwaysMove without a folder ends it.
    if (strcmp(kind, "AlwaysMove") == 0 && !ews_child(a->node, "DestinationFolderId"))
        return EC_OK;
    a->apply = is_copy ? apply_copy : apply_move;
    return read_target(a);
}

static enum ec read_action(struct action *a) {
    const struct ews_node *context = ews_child(a->node, "ContextFolderId");
    const char *until = ews_child_text(a->call->arena, a->node, "ConversationLastSyncTime");
    struct ews_folder_ref ref;
    EC_TRY(ews_read_conversation_id(a->call, ews_child(a->node, "ConversationId"), &a->m, a->id));
    if (context) {
        EC_TRY(ews_read_folder_child(a->call, context, &ref));
        a->context = ref.fid;
    }
    if (until && !ews_date_parse(a->call, until, &a->until))
        return ews_fail(a->call, "ErrorInvalidRequest", "ConversationLastSyncTime");
    return read_kind(a);
}

// --- Applying it ---

// Came after the client last looked: not meant.
static bool is_later(struct action *a, const struct conversation_item *at) {
    const proptag_t tag = PidTagMessageDeliveryTime;
    const struct prop_value *v = NULL;
    struct mailbox_item_reader *r;
    if (!a->until || mailbox_item_reader_open(a->m->m, at->fid, &r) != EC_OK)
        return false;
    enum ec ec = mailbox_item_values(r, a->call->arena, at->mid, &tag, 1, 0, &v);
    mailbox_item_reader_close(r);
    return ec == EC_OK && v && v->time > a->until;
}

static enum ec apply_all(struct action *a) {
    g_autoptr(GArray) items = NULL;
    struct conversation_scope scope = {.fids = a->context ? &a->context : NULL,
                                       .n_fids = a->context ? 1 : 0};
    EC_TRY(ews_fail_folder(a->call, mailbox_conversation_items(a->m->m, &scope, a->id,
                                                               CONVERSATION_ITEMS_MAX, &items)));
    for (guint i = 0; a->apply && i < items->len; i++) {
        const struct conversation_item *at = &g_array_index(items, struct conversation_item, i);
        bool is_there_already = a->apply == apply_move && at->fid == a->target.fid;
        if (is_there_already || is_later(a, at))
            continue;
        enum ec ec = a->apply(a, at->mid);
        if (ec != EC_NOT_FOUND) // gone meanwhile
            EC_TRY(ews_fail_item(a->call, ec));
    }
    return EC_OK;
}

enum ec op_apply_conversation_action(struct ews_call *call) {
    const struct ews_node *actions = ews_child(call->request, "ConversationActions");
    if (ews_count(actions) > ACTIONS_MAX)
        return ews_fail(call, "ErrorInvalidRequest", "Too many actions.");
    for (const struct ews_node *n = actions ? actions->child : NULL; n; n = n->next) {
        struct action a = {.call = call, .node = n};
        enum ec ec = read_action(&a);
        if (ec == EC_OK)
            ec = apply_all(&a);
        if (ec != EC_OK) {
            ews_error(call, ec);
            continue;
        }
        ews_success(call);
        ews_message_end(call);
    }
    return EC_OK;
}
