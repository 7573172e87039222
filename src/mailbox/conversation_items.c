// Conversations over folders: each folder has a view in order of conversation, kept like any other,
// in which one is found by binary search.
#include "mailbox/conversation_items.h"

#include "mailbox/mailbox_internal.h"
#include "mapi/props.h"
#include "store/view.h"

struct gather {
    struct mailbox *m;
    const uint8_t *id;
    unsigned max;
    GArray *found;
};

static enum ec gather_folder(struct gather *g, uint64_t fid) {
    struct sort_order sort = {.n = 2,
                              .columns = {{PidTagConversationId, SORT_ASCENDING, false},
                                          {PidTagMessageDeliveryTime, SORT_DESCENDING, false}}};
    struct view_spec spec = {.fid = fid, .kind = VIEW_CONTENTS, .sort = &sort};
    struct view *view;
    struct prop_value id = prop_bytes(PidTagConversationId, g->id, 16);
    const struct prop_value *value = &id;
    EC_TRY(view_get(g->m->mbox, &spec, &view));
    uint32_t i = view_lower_bound(view, &value, 1), end = i;
    if (i < view_count(view))
        end = view_group_end(view, 0, i);
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    enum ec ec = i < end ? mbox_read(g->m->mbox, &tx) : EC_OK;
    const proptag_t tag = PidTagConversationId;
    const struct prop_value *first = NULL;
    if (ec == EC_OK && i < end)
        ec = view_values(view, tx, arena, i, &tag, 1, 0, &first);
    if (ec == EC_OK && (!first || prop_compare(first, &id) != 0)) // where it would stand
        end = i;
    for (; ec == EC_OK && i < end && g->found->len < g->max; i++) {
        struct conversation_item item = {fid, view_at(view, i).mid};
        g_array_append_val(g->found, item);
    }
    view_unref(view);
    return ec;
}

static bool is_ignored(const struct conversation_scope *scope, uint64_t fid) {
    for (unsigned i = 0; i < scope->n_ignored; i++)
        if (scope->ignored[i] == fid)
            return true;
    return false;
}

// What may be read and holds anything.
static enum ec list_folders(struct mailbox *m, const struct conversation_scope *scope,
                            GArray *fids) {
    MBOX_TX_AUTO tx = NULL;
    ARENA_AUTO arena = arena_new();
    struct folder_list all;
    struct rights_table *table = NULL;
    EC_TRY(mbox_read(m->mbox, &tx));
    for (unsigned i = 0; i < scope->n_fids; i++) {
        EC_TRY(rights_require(m, tx, scope->fids[i], RIGHTS_READ_ANY));
        if (!is_ignored(scope, scope->fids[i]))
            g_array_append_val(fids, scope->fids[i]);
    }
    if (scope->fids)
        return EC_OK;
    EC_TRY(folder_list(tx, arena, FID_IPM_SUBTREE, true, &all));
    EC_TRY(rights_table_new(m, tx, arena, &table));
    for (unsigned i = 0; i < all.n; i++) {
        const struct folder_info *f = &all.items[i];
        if (f->type == FOLDER_TYPE_GENERIC && f->n_messages > 0 && !is_ignored(scope, f->fid) &&
            (rights_table_of(table, f->fid) & RIGHTS_READ_ANY))
            g_array_append_val(fids, f->fid);
    }
    rights_table_end(table);
    return EC_OK;
}

enum ec mailbox_conversation_items(struct mailbox *m, const struct conversation_scope *scope,
                                   const uint8_t id[16], unsigned max, GArray **out) {
    g_autoptr(GArray) fids = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct conversation_item));
    struct gather g = {m, id, max, found};
    EC_TRY(list_folders(m, scope, fids));
    for (guint i = 0; i < fids->len && found->len < max; i++) {
        enum ec ec = gather_folder(&g, g_array_index(fids, uint64_t, i));
        if (ec != EC_NOT_FOUND) // deleted just now
            EC_TRY(ec);
    }
    *out = g_steal_pointer(&found);
    return EC_OK;
}
