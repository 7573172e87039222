// Rules of a folder between their stored form and values.
#include "mailbox/rules.h"

#include <string.h>

#include "mailbox/mailbox_internal.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "store/associated.h"

#define BLOB_CLASS "IPM.RuleOrganizer"
#define PART_MAX (256 * 1024) // bytes of a condition or of actions

// --- Reading ---

// A condition that every message meets, as Outlook writes it.
static bool is_everything(const struct restriction *condition) {
    return condition->kind == RES_EXIST && condition->exist.tag == PidTagMessageClass;
}

static void read_parts(struct arena *arena, const struct rule *from, struct mailbox_rule *to) {
    struct restriction *condition;
    struct wire_reader c = wire_reader(from->condition.data, from->condition.len);
    struct wire_reader a = wire_reader(from->actions.data, from->actions.len);
    if (from->condition.len > 0) {
        if (restriction_read(&c, &PROP_WIRE_ROP, arena, &condition) != EC_OK)
            to->is_strange = true;
        else if (!is_everything(condition))
            to->condition = condition;
    }
    if (rule_actions_read(&a, &PROP_WIRE_ROP, arena, &to->actions) != EC_OK) {
        to->actions.n = 0;
        to->is_strange = true;
    }
}

enum ec mailbox_get_rules(struct mailbox *m, struct arena *arena, uint64_t fid,
                          struct mailbox_rules *out) {
    MBOX_TX_AUTO tx = NULL;
    struct rule_list list;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, fid, RIGHTS_OWNER));
    EC_TRY(rule_list_get(tx, arena, fid, &list));
    *out = (struct mailbox_rules){arena_alloc0(arena, (list.n + 1) * sizeof *out->items), list.n};
    for (unsigned i = 0; i < list.n; i++) {
        const struct rule *r = &list.items[i];
        out->items[i] = (struct mailbox_rule){.id = r->id,
                                              .sequence = r->sequence,
                                              .state = r->state,
                                              .name = r->name ? r->name : "",
                                              .provider = r->provider ? r->provider : ""};
        read_parts(arena, r, &out->items[i]);
    }
    return EC_OK;
}

// --- Changing ---

static enum ec bytes_of(struct arena *arena, struct wire_writer *w, struct prop_bin *out) {
    g_autoptr(GByteArray) bytes = wire_writer_take(w);
    if (!bytes)
        return EC_NO_MEMORY;
    *out = (struct prop_bin){bytes->len, arena_memdup(arena, bytes->data, bytes->len)};
    return EC_OK;
}

static enum ec put_parts(struct arena *arena, const struct mailbox_rule *rule,
                         struct rule_change *to, struct prop_value *values) {
    struct wire_writer c = wire_writer(PART_MAX), a = wire_writer(PART_MAX);
    struct prop_value *condition = &values[to->n++], *actions = &values[to->n++];
    restriction_put(&c, &PROP_WIRE_ROP,
                    rule->condition ? rule->condition
                                    : restriction_exist(arena, PidTagMessageClass));
    condition->tag = PidTagRuleCondition;
    EC_TRY(bytes_of(arena, &c, &condition->bin));
    rule_actions_put(&a, &PROP_WIRE_ROP, &rule->actions);
    actions->tag = PidTagRuleActions;
    return bytes_of(arena, &a, &actions->bin);
}

static enum ec to_change(struct arena *arena, const struct mailbox_rule_change *from,
                         struct rule_change *to) {
    struct prop_value *v = arena_alloc0(arena, 8 * sizeof *v);
    const struct mailbox_rule *rule = &from->rule;
    *to = (struct rule_change){.kind = from->kind, .values = v};
    if (from->kind != RULE_ADD)
        v[to->n++] = prop_i8(PidTagRuleId, (int64_t)rule->id);
    if (from->kind == RULE_REMOVE)
        return EC_OK;
    v[to->n++] = prop_long(PidTagRuleSequence, rule->sequence);
    v[to->n++] = prop_long(PidTagRuleState, (int32_t)rule->state);
    v[to->n++] = prop_str(PidTagRuleName, rule->name);
    v[to->n++] = prop_str(PidTagRuleProvider, rule->provider);
    return put_parts(arena, rule, to, v);
}

struct rules_change {
    struct mailbox *m;
    uint64_t fid;
    const struct rule_change *changes;
    unsigned n;
};

static enum ec change_rules(struct mbox_tx *tx, void *ctx) {
    const struct rules_change *c = ctx;
    EC_TRY(rights_require(c->m, tx, c->fid, RIGHTS_OWNER));
    return rule_modify(tx, c->fid, c->changes, c->n, false, &PROP_WIRE_ROP);
}

enum ec mailbox_change_rules(struct mailbox *m, uint64_t fid,
                             const struct mailbox_rule_change *changes, unsigned n) {
    ARENA_AUTO arena = arena_new();
    struct rule_change *stored = arena_alloc0(arena, (n + 1) * sizeof *stored);
    for (unsigned i = 0; i < n; i++)
        EC_TRY(to_change(arena, &changes[i], &stored[i]));
    struct rules_change c = {.m = m, .fid = fid, .changes = stored, .n = n};
    return mbox_write(m->mbox, change_rules, &c);
}

// --- Outlook's copy ---

enum ec mailbox_has_rule_blob(struct mailbox *m, bool *out) {
    MBOX_TX_AUTO tx = NULL;
    uint64_t mid;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(rights_require(m, tx, FID_INBOX, RIGHTS_OWNER));
    enum ec ec = associated_find(tx, FID_INBOX, BLOB_CLASS, &mid);
    *out = ec == EC_OK;
    return ec == EC_NOT_FOUND ? EC_OK : ec;
}

static enum ec remove_blob(struct mbox_tx *tx, void *ctx) {
    struct mailbox *m = ctx;
    uint64_t mid;
    EC_TRY(rights_require(m, tx, FID_INBOX, RIGHTS_OWNER));
    enum ec ec = associated_find(tx, FID_INBOX, BLOB_CLASS, &mid);
    if (ec == EC_NOT_FOUND)
        return EC_OK;
    EC_TRY(ec);
    return message_delete(tx, FID_INBOX, &mid, 1, DELETE_SOFT, NULL);
}

enum ec mailbox_remove_rule_blob(struct mailbox *m) {
    return mbox_write(m->mbox, remove_blob, m);
}

// --- Actions ---

enum ec mailbox_move_action(struct mailbox *m, struct arena *arena, enum rule_action_type type,
                            uint64_t fid, struct rule_action *out) {
    MBOX_TX_AUTO tx = NULL;
    struct folder_info info;
    EC_TRY(mbox_read(m->mbox, &tx));
    EC_TRY(folder_get(tx, arena, fid, &info));
    struct server_id id = {.is_ours = true, .folder = {1, fid}};
    *out = (struct rule_action){.type = type};
    out->move.is_in_this_store = true;
    // The same store: a byte that says nothing ([MS-OXORULE] 2.2.5.1.2.1).
    out->move.store_id = (struct prop_bin){1, (const uint8_t *)"\0"};
    out->move.folder_id = server_id_bytes(arena, &id);
    return EC_OK;
}

struct rule_action mailbox_send_action(struct arena *arena, enum rule_action_type type,
                                       uint32_t flavor, const struct rule_address *to, unsigned n) {
    struct rule_recipient *items = arena_alloc0(arena, (n + 1) * sizeof *items);
    for (unsigned i = 0; i < n; i++) {
        const char *name = to[i].name && *to[i].name ? to[i].name : to[i].address;
        struct prop_value *v = arena_alloc0(arena, 7 * sizeof *v);
        struct prop_bin id = entry_id_of_address(arena, name, "SMTP", to[i].address);
        g_autofree char *key = g_strdup_printf("SMTP:%s", to[i].address);
        g_autofree char *upper = g_ascii_strup(key, -1);
        v[0] = prop_bytes(PidTagEntryId, id.data, id.len);
        v[1] = prop_str(PidTagDisplayName, name);
        v[2] = prop_str(PidTagAddressType, "SMTP");
        v[3] = prop_str(PidTagEmailAddress, to[i].address);
        v[4] = prop_long(PidTagRecipientType, 1);
        v[5] = prop_bytes(PidTagSearchKey, arena_memdup(arena, upper, strlen(upper) + 1),
                          (uint32_t)strlen(upper) + 1);
        v[6] = prop_str(PidTagSmtpAddress, to[i].address);
        items[i] = (struct rule_recipient){.reserved = 1, .n = 7, .values = v};
    }
    struct rule_action action = {.type = type, .flavor = flavor};
    action.to.n = n;
    action.to.items = items;
    return action;
}

static const char *text_in(const struct rule_recipient *r, proptag_t tag) {
    for (uint32_t i = 0; i < r->n; i++)
        if (r->values[i].tag == tag)
            return r->values[i].str;
    return NULL;
}

const char *rule_recipient_address(struct arena *arena, const struct rule_action *action,
                                   unsigned i, const char **name_out) {
    const struct rule_recipient *r = &action->to.items[i];
    const char *address = text_in(r, PidTagSmtpAddress);
    struct entry_id id;
    *name_out = text_in(r, PidTagDisplayName);
    if (!address || !strchr(address, '@'))
        address = text_in(r, PidTagEmailAddress);
    if (address && strchr(address, '@'))
        return address;
    for (uint32_t k = 0; k < r->n; k++)
        if (r->values[k].tag == PidTagEntryId &&
            entry_id_parse(arena, r->values[k].bin, &id) == EC_OK && id.kind == ENTRY_ID_ONE_OFF &&
            strchr(id.one_off.address, '@'))
            return id.one_off.address;
    return NULL;
}
