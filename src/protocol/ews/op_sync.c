// SyncFolderHierarchy and SyncFolderItems ([MS-OXWSSYNC] 3.1.4.1, 3.1.4.2): what changed since the
// state that the client sends back. What changed is mailbox/sync.h's; here it gets its elements.
#include <string.h>

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/ews_folders.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/ews_rows.h"
#include "protocol/ews/sync_state.h"

static enum ec fail_sync_folder(struct ews_call *call, enum ec ec) {
    switch (ec) {
    case EC_NOT_FOUND:
        return ews_fail(call, "ErrorSyncFolderNotFound", NULL);
    case EC_INVALID_PARAMETER:
        return ews_fail(call, "ErrorInvalidSyncStateData", NULL);
    default:
        return ews_fail_folder(call, ec);
    }
}

// The state of the request, or an empty one of the folder. MS-OXWSSYNC_R382: without a state
// everything is new.
static enum ec read_state(struct ews_call *call, enum sync_state_kind kind,
                          const struct ews_folder_ref *ref, bool with_associated,
                          struct sync_state *out) {
    const char *text = ews_child_text(call->arena, call->request, "SyncState");
    *out = (struct sync_state){
        .kind = kind,
        .mailbox = ref->mailbox->guid,
        .fid = ref->fid,
        .with_associated = with_associated,
    };
    if (!text || !*text)
        return EC_OK;
    struct sync_state given;
    if (!sync_state_parse(text, &given) || given.kind != kind || given.fid != ref->fid ||
        !guid_equal(&given.mailbox, &ref->mailbox->guid) ||
        given.with_associated != with_associated)
        return ews_fail(call, "ErrorInvalidSyncStateData", NULL);
    *out = given;
    return EC_OK;
}

static enum ec read_sync_folder(struct ews_call *call, uint64_t none, struct ews_folder_ref *out) {
    const struct ews_node *node = ews_child(call->request, "SyncFolderId");
    if (node)
        return ews_read_folder_child(call, node, out);
    if (!none)
        return ews_fail(call, "ErrorMissingArgument", "SyncFolderId");
    *out = (struct ews_folder_ref){.fid = none};
    return ews_own_mailbox(call, &out->mailbox);
}

static const char *change_element(enum mailbox_sync_kind kind) {
    static const char *const names[] = {
        [SYNC_CREATE] = "t:Create",
        [SYNC_UPDATE] = "t:Update",
        [SYNC_READ_STATE] = "t:ReadFlagChange",
        [SYNC_DELETE] = "t:Delete",
    };
    return names[kind];
}

// --- SyncFolderHierarchy ---

static enum ec write_folder_change(struct ews_call *call, const struct ews_folder_shape *shape,
                                   struct ews_mailbox *m,
                                   const struct mailbox_sync_change *change) {
    struct mailbox_folder_object f;
    if (change->kind == SYNC_DELETE) {
        ews_open(call->w, "t:Delete");
        ews_write_folder_id(call, "t:FolderId", m, change->id, EWS_OBJECT_FOLDER, 0);
        ews_close(call->w);
        return EC_OK;
    }
    enum ec ec = mailbox_get_folder_object(m->m, call->arena, change->id, shape->with_props, &f);
    if (ec == EC_NOT_FOUND) // deleted meanwhile: the next state tells
        return EC_OK;
    EC_TRY(ec);
    ews_open(call->w, change_element(change->kind));
    ec = ews_write_folder(call, shape, m, &f);
    mailbox_folder_object_clear(&f);
    ews_close(call->w);
    return ec;
}

static enum ec write_hierarchy(struct ews_call *call, const struct ews_folder_shape *shape,
                               const struct ews_folder_ref *ref, struct sync_state *state) {
    struct mailbox_sync_list list;
    EC_TRY(fail_sync_folder(
        call, mailbox_sync_folders(ref->mailbox->m, call->arena, ref->fid, &state->at, &list)));
    state->at = list.next;
    ews_success(call);
    ews_element(call->w, "m:SyncState", sync_state_format(call->arena, state));
    ews_element_bool(call->w, "m:IncludesLastFolderInRange", true); // MS-OXWSSYNC_R4601
    ews_open(call->w, "m:Changes");
    for (unsigned i = 0; i < list.n; i++)
        EC_TRY(write_folder_change(call, shape, ref->mailbox, &list.items[i]));
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_sync_folder_hierarchy(struct ews_call *call) {
    struct ews_folder_shape shape;
    struct ews_folder_ref ref;
    struct sync_state state;
    enum ec ec = ews_read_folder_shape(call, ews_child(call->request, "FolderShape"), &shape);
    if (ec == EC_OK)
        ec = read_sync_folder(call, FID_IPM_SUBTREE, &ref);
    if (ec == EC_OK)
        ec = read_state(call, SYNC_STATE_FOLDERS, &ref, false, &state);
    if (ec == EC_OK)
        ec = write_hierarchy(call, &shape, &ref, &state);
    ews_folder_shape_clear(&shape);
    return ec;
}

// --- SyncFolderItems ---

struct sync {
    struct ews_call *call;
    struct ews_shape shape;
    struct ews_folder_ref ref;
    struct sync_state state;
    unsigned max;
    GHashTable *ignored; // mids; NULL: none
    bool opens_items;    // the shape has what rows do not have (bodies, recipients)
    struct item_batch *batch;
    struct ews_columns columns;
    struct mailbox_item_reader *reader;
};

static enum ec read_ignored(struct sync *s) {
    const struct ews_node *ids = ews_child(s->call->request, "Ignore");
    if (!ids || !ids->child)
        return EC_OK;
    if (ews_count(ids) > EWS_MAX_IDS)
        return ews_fail(s->call, "ErrorInvalidRequest", "Too many items to ignore.");
    s->ignored = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (const struct ews_node *id = ids->child; id; id = id->next) {
        struct ews_item_ref item;
        EC_TRY(ews_read_item_id(s->call, id, &item));
        if (guid_equal(&item.mailbox->guid, &s->ref.mailbox->guid))
            g_hash_table_add(s->ignored, arena_memdup(s->call->arena, &item.mid, sizeof item.mid));
    }
    return EC_OK;
}

// Whether a property is asked for by name that only an opened item has. AllProperties alone does
// not ask for them.
static bool names_contents(struct sync *s) {
    const struct ews_node *more = ews_child(s->call->request, "ItemShape/AdditionalProperties");
    for (const struct ews_node *n = more ? more->child : NULL; n; n = n->next) {
        const char *uri = ews_is(n, "FieldURI") ? ews_attribute(n, "FieldURI") : NULL;
        const struct ews_property *p = uri ? ews_property_find(uri, EWS_ANY_ITEM) : NULL;
        if ((p && p->is_only_get) || ews_is(n, "IndexedFieldURI"))
            return true;
    }
    return false;
}

static enum ec read_request(struct sync *s) {
    struct ews_call *call = s->call;
    const char *scope = ews_child_text(call->arena, call->request, "SyncScope");
    int64_t max = ews_child_int(call->request, "MaxChangesReturned", 0);
    bool with_associated = scope && strcmp(scope, "NormalAndAssociatedItems") == 0;
    s->opens_items = names_contents(s);
    EC_TRY(ews_read_shape(call, ews_child(call->request, "ItemShape"), !s->opens_items, &s->shape));
    // MS-OXWSCDATA_R1188
    if (s->shape.with_mime)
        return ews_fail(call, "ErrorInvalidPropertyRequest",
                        "Synchronization gives no MIME content.");
    if (max < 1 || max > MAILBOX_SYNC_MAX)
        return ews_fail(call, "ErrorInvalidRequest", "MaxChangesReturned");
    s->max = (unsigned)max;
    EC_TRY(read_sync_folder(call, 0, &s->ref));
    EC_TRY(read_state(call, SYNC_STATE_ITEMS, &s->ref, with_associated, &s->state));
    return read_ignored(s);
}

static enum ec write_opened(struct sync *s, const struct mailbox_sync_change *change) {
    struct ews_call *call = s->call;
    struct item *item;
    struct ews_source source;
    enum ec ec = item_batch_open(s->batch, change->id, &item);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    ews_open(call->w, change_element(change->kind));
    ec = ews_source_of_item(call, s->ref.mailbox, item, &source);
    if (ec == EC_OK)
        ec = ews_write_item(call, &s->shape, &source);
    ews_close(call->w);
    item_close(item);
    return ec;
}

static enum ec write_item_change(struct sync *s, struct arena *scratch,
                                 const struct mailbox_sync_change *change) {
    struct ews_call *call = s->call;
    struct ews_columns *c = &s->columns;
    struct ews_mailbox *m = s->ref.mailbox;
    if (s->ignored && g_hash_table_contains(s->ignored, &change->id))
        return EC_OK;
    if (change->kind == SYNC_DELETE) {
        ews_open(call->w, "t:Delete");
        ews_write_item_id(call, "t:ItemId", m, s->ref.fid, change->id, EWS_OBJECT_MESSAGE, 0);
        ews_close(call->w);
        return EC_OK;
    }
    if (s->opens_items && change->kind != SYNC_READ_STATE)
        return write_opened(s, change);
    arena_reset(scratch);
    enum ec ec =
        mailbox_item_values(s->reader, scratch, change->id, c->tags, c->n, EWS_ROW_TEXT, c->values);
    if (ec == EC_NOT_FOUND) // gone meanwhile: the next state tells
        return EC_OK;
    EC_TRY(ec);
    ews_open(call->w, change_element(change->kind));
    if (change->kind == SYNC_READ_STATE) {
        struct ews_row_facts facts = ews_columns_facts(c);
        ews_write_item_id(call, "t:ItemId", m, s->ref.fid, change->id,
                          ews_class_object(facts.class), facts.cn);
        ews_element_bool(call->w, "t:IsRead", change->is_read);
    } else {
        EC_TRY(ews_columns_write(call, c, change->id));
    }
    ews_close(call->w);
    return EC_OK;
}

static enum ec write_items(struct sync *s) {
    ARENA_AUTO scratch = arena_new();
    struct ews_call *call = s->call;
    struct mailbox_sync_list list;
    EC_TRY(fail_sync_folder(call, mailbox_sync_items(s->ref.mailbox->m, call->arena, s->ref.fid,
                                                     s->state.with_associated, &s->state.at, s->max,
                                                     &list)));
    // Opened after the list: what it names is there, or gone since.
    EC_TRY(mailbox_item_reader_open(s->ref.mailbox->m, s->ref.fid, &s->reader));
    EC_TRY(ews_columns_init(call, s->ref.mailbox, s->ref.fid, s->opens_items ? NULL : &s->shape,
                            &s->columns));
    if (s->opens_items)
        EC_TRY(item_batch_begin(s->ref.mailbox->m, &s->batch));
    s->state.at = list.next;
    ews_success(call);
    ews_element(call->w, "m:SyncState", sync_state_format(call->arena, &s->state));
    ews_element_bool(call->w, "m:IncludesLastItemInRange", list.is_last);
    ews_open(call->w, "m:Changes");
    for (unsigned i = 0; i < list.n; i++)
        EC_TRY(write_item_change(s, scratch, &list.items[i]));
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

enum ec op_sync_folder_items(struct ews_call *call) {
    struct sync s = {.call = call};
    enum ec ec = read_request(&s);
    if (ec == EC_OK)
        ec = write_items(&s);
    item_batch_end(s.batch);
    mailbox_item_reader_close(s.reader);
    if (s.ignored)
        g_hash_table_unref(s.ignored);
    ews_shape_clear(&s.shape);
    return ec;
}
