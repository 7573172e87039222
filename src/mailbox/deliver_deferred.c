// What rules leave to the client, and what went wrong with them, as messages in the Deferred Action
// folder ([MS-OXORULE] 2.2.6, 2.2.7, 3.2.5.1.2, 3.2.5.1.3).
#include <string.h>

#include "mailbox/deliver_hooks.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/rule.h"

#define ACTIONS_MAX (1024 * 1024) // bytes of PidTagClientActions

struct writing {
    struct mbox_tx *tx;
    struct arena *arena;
    const struct delivery_plan *plan;
    struct mbox_info info;
    uint64_t fid, mid; // of the message; mid 0: it is not kept
};

static void set_common(struct writing *w, struct bag *bag, const char *class, const char *provider,
                       uint64_t rule_folder) {
    struct prop_bin folder =
        entry_id_of_folder(w->arena, &w->info.guid, &w->info.replica, rule_folder);
    bag_set_str(bag, PidTagMessageClass, class);
    bag_set_str(bag, PidTagRuleProvider, provider);
    bag_set_bytes(bag, PidTagRuleFolderEntryId, folder.data, folder.len);
    if (w->mid) {
        struct prop_bin message =
            entry_id_of_message(w->arena, &w->info.guid, &w->info.replica, w->fid, w->mid);
        bag_set_bytes(bag, PidTagDamOriginalEntryId, message.data, message.len);
    }
}

static enum ec put(struct writing *w, struct message_value *value, uint64_t *mid_out) {
    struct message_new spec = {.value = value, .received = clock_now()};
    return message_create(w->tx, FID_DEFERRED_ACTION, &spec, mid_out, NULL);
}

// PidTagDeferredActionMessageOriginalEntryId names the message itself.
static enum ec name_itself(struct writing *w, uint64_t mid) {
    struct server_id id = {
        .is_ours = true, .folder = {1, FID_DEFERRED_ACTION}, .message = {1, mid}};
    struct prop_value v = {.tag = PidTagDeferredActionMessageOriginalEntryId,
                           .bin = server_id_bytes(w->arena, &id)};
    struct message *m;
    EC_TRY(message_open(w->tx, mid, &m));
    enum ec ec = message_set_prop(m, &v);
    if (ec == EC_OK)
        ec = message_save(w->tx, m, MESSAGE_SAVE_FORCE);
    message_free(m);
    return ec;
}

// --- Deferred action messages: one for each provider and folder of rules ---

static bool goes_with(const struct deferred_action *a, const struct deferred_action *b) {
    return a->fid == b->fid && g_strcmp0(a->provider, b->provider) == 0;
}

static enum ec put_dam(struct writing *w, guint first) {
    const GArray *all = w->plan->deferred;
    const struct deferred_action *of = &g_array_index(all, struct deferred_action, first);
    struct rule_action *actions = arena_alloc(w->arena, all->len * sizeof *actions);
    g_autoptr(GByteArray) ids = g_byte_array_new();
    struct rule_actions list = {0, actions};
    for (guint i = first; i < all->len; i++) {
        const struct deferred_action *a = &g_array_index(all, struct deferred_action, i);
        if (!goes_with(a, of))
            continue;
        actions[list.n++] = *a->action;
        guint64 id = GUINT64_TO_LE(a->id);
        g_byte_array_append(ids, (const guint8 *)&id, sizeof id);
    }
    struct wire_writer packed = wire_writer(ACTIONS_MAX);
    rule_actions_put(&packed, &PROP_WIRE_ROP, &list);
    g_autoptr(GByteArray) bytes = wire_writer_take(&packed);
    if (!bytes)
        return EC_TOO_COMPLEX;
    struct message_value *value = message_value_new();
    uint64_t mid;
    set_common(w, value->bag, "IPC.Microsoft Exchange 4.0.Deferred Action", of->provider, of->fid);
    bag_set_bool(value->bag, PidTagDamBackPatched, false);
    bag_set_bytes(value->bag, PidTagClientActions, bytes->data, bytes->len);
    bag_set_bytes(value->bag, PidTagRuleIds, ids->data, ids->len);
    enum ec ec = put(w, value, &mid);
    message_value_free(value);
    return ec == EC_OK ? name_itself(w, mid) : ec;
}

static enum ec put_dams(struct writing *w) {
    const GArray *all = w->plan->deferred;
    for (guint i = 0; all && i < all->len; i++) {
        bool is_done = false;
        for (guint k = 0; k < i; k++)
            is_done |= goes_with(&g_array_index(all, struct deferred_action, k),
                                 &g_array_index(all, struct deferred_action, i));
        if (!is_done)
            EC_TRY(put_dam(w, i));
    }
    return EC_OK;
}

// --- Deferred error messages ---

static enum ec put_dem(struct writing *w, const struct broken_rule *rule) {
    struct message_value *value = message_value_new();
    uint64_t mid;
    set_common(w, value->bag, "IPC.Microsoft Exchange 4.0.Deferred Error", rule->provider,
               rule->fid);
    bag_set_long(value->bag, PidTagRuleError, (int32_t)rule->failure);
    bag_set_long(value->bag, PidTagRuleActionType, rule->action_type);
    bag_set_long(value->bag, PidTagRuleActionNumber, rule->action_number);
    struct prop_value id = prop_i8(PidTagRuleId, (int64_t)rule->id);
    enum ec ec = bag_set(value->bag, &id);
    if (ec == EC_OK)
        ec = put(w, value, &mid);
    message_value_free(value);
    return ec;
}

// A rule is marked with the first of its errors, and told of once.
static enum ec put_dems(struct writing *w) {
    const GArray *all = w->plan->broken_rules;
    for (guint i = 0; all && i < all->len; i++) {
        const struct broken_rule *rule = &g_array_index(all, struct broken_rule, i);
        enum ec ec = rule_set_error(w->tx, rule->fid, rule->id, RULE_ERROR);
        if (ec == EC_NOT_FOUND) // taken away since
            continue;
        EC_TRY(ec);
        EC_TRY(put_dem(w, rule));
    }
    return EC_OK;
}

enum ec delivery_put_deferred(struct mbox_tx *tx, const struct delivery_plan *plan, uint64_t fid,
                              uint64_t mid) {
    ARENA_AUTO arena = arena_new();
    struct writing w = {.tx = tx, .arena = arena, .plan = plan, .fid = fid, .mid = mid};
    if (!plan->deferred && !plan->broken_rules)
        return EC_OK;
    EC_TRY(mbox_get_info(tx, arena, &w.info));
    if (mid)
        EC_TRY(put_dams(&w));
    return put_dems(&w);
}
