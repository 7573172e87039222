// Storage of standard rules: a bag of properties each.
#include "store/rule.h"

#include "mapi/props.h"
#include "mapi/restriction.h"
#include "mapi/rule_actions.h"
#include "store/folder.h"
#include "store/rule_internal.h"
#include "store/store_internal.h"

#define SERVER_STATE (RULE_ERROR | RULE_PARSE_ERROR)
#define VALUE_MAX_BYTES 65535u // what fits the lengths of standard rules

// --- Reading ---

static struct prop_bin copy_bin(struct arena *arena, struct prop_bin bin) {
    return (struct prop_bin){bin.len, arena_memdup(arena, bin.data, bin.len)};
}

static struct rule rule_of(struct arena *arena, uint64_t id, int32_t sequence,
                           const struct bag *bag) {
    const char *name = bag_str(bag, PidTagRuleName), *provider = bag_str(bag, PidTagRuleProvider);
    const struct prop_value *condition = bag_get(bag, PidTagRuleCondition);
    const struct prop_value *actions = bag_get(bag, PidTagRuleActions);
    struct prop_bin none = {0, NULL};
    return (struct rule){
        .id = id,
        .sequence = sequence,
        .state = (uint32_t)bag_long(bag, PidTagRuleState, 0),
        .user_flags = (uint32_t)bag_long(bag, PidTagRuleUserFlags, 0),
        .name = arena_strdup(arena, name ? name : ""),
        .provider = arena_strdup(arena, provider ? provider : ""),
        .provider_data = copy_bin(arena, bag_bytes(bag, PidTagRuleProviderData)),
        .condition = condition ? copy_bin(arena, condition->bin) : none,
        .actions = actions ? copy_bin(arena, actions->bin) : none,
    };
}

enum ec rule_list_get(struct mbox_tx *tx, struct arena *arena, uint64_t fid,
                      struct rule_list *out) {
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct rule));
    struct folder_info folder;
    EC_TRY(folder_get(tx, arena, fid, &folder));
    struct db_stmt *q = db_query(tx->conn, sql_rule_list);
    enum ec ec = EC_OK;
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (ec == EC_OK && db_step(q)) {
        BAG_AUTO bag = NULL;
        ec = stored_bag(q, 2, &bag);
        if (ec != EC_OK)
            break;
        struct rule rule =
            rule_of(arena, (uint64_t)db_col_i64(q, 0), (int32_t)db_col_i64(q, 1), bag);
        g_array_append_val(list, rule);
    }
    EC_TRY(db_finish(q));
    EC_TRY(ec);
    *out = (struct rule_list){arena_memdup(arena, list->data, list->len * sizeof(struct rule)),
                              list->len};
    return EC_OK;
}

// --- Checking what clients send ---

static enum ec finish_bytes(struct wire_writer *w, struct arena *arena, proptag_t tag,
                            struct bag *bag) {
    GByteArray *bytes = wire_writer_take(w);
    if (!bytes)
        return EC_TOO_COMPLEX;
    struct prop_value v = prop_bytes(tag, arena_memdup(arena, bytes->data, bytes->len), bytes->len);
    g_byte_array_unref(bytes);
    return bag_set(bag, &v);
}

static enum ec set_condition(struct bag *bag, const struct prop_value *v,
                             const struct prop_wire *form) {
    ARENA_AUTO arena = arena_new();
    struct wire_reader r = wire_reader(v->bin.data, v->bin.len);
    struct restriction *res;
    EC_TRY(restriction_read(&r, form, arena, &res));
    if (wire_left(&r) > 0)
        return EC_FORMAT_ERROR;
    struct wire_writer w = wire_writer(VALUE_MAX_BYTES);
    restriction_put(&w, &PROP_WIRE_ROP, res);
    return finish_bytes(&w, arena, v->tag, bag);
}

static enum ec set_actions(struct bag *bag, const struct prop_value *v,
                           const struct prop_wire *form) {
    ARENA_AUTO arena = arena_new();
    struct wire_reader r = wire_reader(v->bin.data, v->bin.len);
    struct rule_actions actions;
    EC_TRY(rule_actions_read(&r, form, arena, &actions));
    if (wire_left(&r) > 0)
        return EC_FORMAT_ERROR;
    struct wire_writer w = wire_writer(VALUE_MAX_BYTES);
    rule_actions_put(&w, &PROP_WIRE_ROP, &actions);
    return finish_bytes(&w, arena, v->tag, bag);
}

// A property that rules have; others are refused.
static enum ec set_value(struct bag *bag, const struct prop_value *v, const struct prop_wire *form,
                         int32_t *sequence) {
    struct prop_value state;
    switch (v->tag) {
    case PidTagRuleId:
        return EC_OK; // names the rule
    case PidTagRuleSequence:
        *sequence = v->l;
        return EC_OK;
    case PidTagRuleState: // the server's bits are not for clients to set
        state = prop_long(v->tag, (int32_t)((uint32_t)v->l & ~(uint32_t)SERVER_STATE));
        return bag_set(bag, &state);
    case PidTagRuleName:
    case PidTagRuleProvider:
    case PidTagRuleLevel:
    case PidTagRuleUserFlags:
    case PidTagRuleProviderData:
        return bag_set(bag, v);
    case PidTagRuleCondition:
        return set_condition(bag, v, form);
    case PidTagRuleActions:
        return set_actions(bag, v, form);
    default:
        return EC_INVALID_PARAMETER;
    }
}

static enum ec set_values(struct bag *bag, const struct rule_change *c,
                          const struct prop_wire *form, int32_t *sequence) {
    for (unsigned i = 0; i < c->n; i++)
        EC_TRY(set_value(bag, &c->values[i], form, sequence));
    return EC_OK;
}

static const struct prop_value *find_id(const struct rule_change *c) {
    for (unsigned i = 0; i < c->n; i++)
        if (c->values[i].tag == PidTagRuleId)
            return &c->values[i];
    return NULL;
}

// --- Changing ---

static enum ec put_rule(struct mbox_tx *tx, uint64_t fid, uint64_t id, int32_t sequence,
                        const struct bag *bag) {
    g_autoptr(GBytes) bytes = bag_encode(bag);
    struct db_stmt *q = db_query(tx->conn, sql_rule_set);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)id);
    db_bind_i64(q, 4, sequence);
    db_bind_blob(q, 5, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return db_run(q, NULL);
}

static enum ec get_rule(struct mbox_tx *tx, uint64_t fid, uint64_t id, int32_t *sequence_out,
                        struct bag **out) {
    struct db_stmt *q = db_query(tx->conn, sql_rule_get);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)id);
    enum ec ec = EC_NOT_FOUND;
    if (db_step(q)) {
        *sequence_out = (int32_t)db_col_i64(q, 0);
        ec = stored_bag(q, 1, out);
    }
    enum ec query = db_finish(q);
    return query != EC_OK ? query : ec;
}

static enum ec remove_rule(struct mbox_tx *tx, uint64_t fid, uint64_t id) {
    int64_t removed;
    struct db_stmt *q = db_query(tx->conn, sql_rule_remove);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    db_bind_i64(q, 3, (int64_t)id);
    EC_TRY(db_run(q, &removed));
    return removed ? EC_OK : EC_NOT_FOUND;
}

enum ec rule_drop_folder(struct mbox_tx *tx, uint64_t fid) {
    struct db_stmt *q = db_query(tx->conn, sql_rule_drop_folder);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    return db_run(q, NULL);
}

static enum ec add_rule(struct mbox_tx *tx, uint64_t fid, const struct rule_change *c,
                        const struct prop_wire *form) {
    BAG_AUTO bag = bag_new();
    int32_t sequence = 0;
    if (find_id(c))
        return EC_INVALID_PARAMETER;
    EC_TRY(set_values(bag, c, form, &sequence));
    if (!bag_get(bag, PidTagRuleProvider) || !bag_get(bag, PidTagRuleActions))
        return EC_INVALID_PARAMETER;
    return put_rule(tx, fid, mbox_next_id(tx), sequence, bag);
}

static enum ec modify_rule(struct mbox_tx *tx, uint64_t fid, const struct rule_change *c,
                           const struct prop_wire *form) {
    BAG_AUTO bag = NULL;
    int32_t sequence;
    const struct prop_value *id = find_id(c);
    if (!id)
        return EC_INVALID_PARAMETER;
    EC_TRY(get_rule(tx, fid, (uint64_t)id->i8, &sequence, &bag));
    EC_TRY(set_values(bag, c, form, &sequence));
    return put_rule(tx, fid, (uint64_t)id->i8, sequence, bag);
}

static enum ec apply(struct mbox_tx *tx, uint64_t fid, const struct rule_change *c,
                     const struct prop_wire *form) {
    switch (c->kind) {
    case RULE_ADD:
        return add_rule(tx, fid, c, form);
    case RULE_MODIFY:
        return modify_rule(tx, fid, c, form);
    case RULE_REMOVE:
        return find_id(c) ? remove_rule(tx, fid, (uint64_t)find_id(c)->i8) : EC_INVALID_PARAMETER;
    }
    return EC_INVALID_PARAMETER;
}

static enum ec check_limits(struct mbox_tx *tx, uint64_t fid, bool *has_rules_out) {
    size_t n = 0, size = 0;
    struct db_stmt *q = db_query(tx->conn, sql_rule_list);
    db_bind_i64(q, 1, MBX);
    db_bind_i64(q, 2, (int64_t)fid);
    while (db_step(q)) {
        size_t len;
        db_col_blob(q, 2, &len);
        size += len;
        n++;
    }
    EC_TRY(db_finish(q));
    *has_rules_out = n > 0;
    return n > RULE_MAX_COUNT || size > RULE_MAX_BYTES ? EC_NO_MEMORY : EC_OK;
}

static enum ec set_has_rules(struct mbox_tx *tx, uint64_t fid, bool has_rules) {
    BAG_AUTO set = bag_new();
    bag_set_bool(set, PidTagHasRules, has_rules);
    return folder_set_props(tx, fid, set, NULL, 0);
}

// The caller's transaction (or its savepoint in mbox_write) undoes what an error leaves half done.
enum ec rule_modify(struct mbox_tx *tx, uint64_t fid, const struct rule_change *changes, unsigned n,
                    bool replace, const struct prop_wire *form) {
    ARENA_AUTO arena = arena_new();
    struct folder_info folder;
    bool has_rules;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(folder_get(tx, arena, fid, &folder));
    for (unsigned i = 0; replace && i < n; i++)
        if (changes[i].kind != RULE_ADD)
            return EC_INVALID_PARAMETER;
    if (replace)
        EC_TRY(rule_drop_folder(tx, fid));
    for (unsigned i = 0; i < n; i++)
        EC_TRY(apply(tx, fid, &changes[i], form));
    EC_TRY(check_limits(tx, fid, &has_rules));
    return set_has_rules(tx, fid, has_rules);
}

enum ec rule_set_error(struct mbox_tx *tx, uint64_t fid, uint64_t id, uint32_t bits) {
    BAG_AUTO bag = NULL;
    int32_t sequence;
    EC_TRY(tx_check_writer(tx));
    EC_TRY(get_rule(tx, fid, id, &sequence, &bag));
    uint32_t state = (uint32_t)bag_long(bag, PidTagRuleState, 0);
    bag_set_long(bag, PidTagRuleState,
                 (int32_t)((state & ~(uint32_t)SERVER_STATE) | (bits & SERVER_STATE)));
    return put_rule(tx, fid, id, sequence, bag);
}
