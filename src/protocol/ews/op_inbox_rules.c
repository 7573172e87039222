// GetInboxRules and UpdateInboxRules ([MS-OXWSRULES] 3.1.4).
#include <string.h>

#include "mapi/special_folder.h"
#include "protocol/ews/ews_operations.h"
#include "protocol/ews/inbox_rule.h"

#define OPERATIONS_MAX 1000
#define SEQUENCE_BASE 9 // Outlook's first rule has 10
#define NAME_MAX_CHARS 512

static enum ec open_mailbox(struct ews_call *call, struct ews_mailbox **out) {
    const char *address = ews_child_text(call->arena, call->request, "MailboxSmtpAddress");
    return address && *address ? ews_open_address(call, address, out) : ews_own_mailbox(call, out);
}

// A rule's id as text: the number, in the form of other ids that say nothing.
static const char *format_id(struct arena *arena, uint64_t id) {
    guint64 be = GUINT64_TO_BE(id);
    g_autofree char *text = g_base64_encode((const guchar *)&be, sizeof be);
    return arena_strdup(arena, text);
}

static bool parse_id(const char *text, uint64_t *out) {
    gsize len = 0;
    g_autofree guchar *bytes = text && strlen(text) <= 16 ? g_base64_decode(text, &len) : NULL;
    guint64 be;
    if (len != sizeof be)
        return false;
    memcpy(&be, bytes, sizeof be);
    *out = GUINT64_FROM_BE(be);
    return *out != 0;
}

// --- Get ---

static void write_rule(struct ews_call *call, struct ews_mailbox *mailbox,
                       const struct mailbox_rule *rule) {
    struct ews_writer *w = call->w;
    bool stops = rule->state & RULE_EXIT_LEVEL;
    ews_open(w, "t:Rule");
    ews_element(w, "t:RuleId", format_id(call->arena, rule->id));
    ews_element(w, "t:DisplayName", rule->name);
    ews_element_int(w, "t:Priority", MAX(1, rule->sequence - SEQUENCE_BASE));
    ews_element_bool(w, "t:IsEnabled", rule->state & RULE_ENABLED);
    struct ews_mark mark = ews_mark(w);
    bool is_error = rule->state & (RULE_ERROR | RULE_PARSE_ERROR);
    // The element before the conditions says whether what follows can be told: written, then seen.
    if (is_error)
        ews_element_bool(w, "t:IsInError", true);
    if (rule->is_strange || !inbox_rule_write_condition(call, rule->condition) ||
        !inbox_rule_write_actions(call, mailbox, &rule->actions, stops)) {
        ews_rewind(w, mark);
        ews_element_bool(w, "t:IsNotSupported", true);
        if (is_error)
            ews_element_bool(w, "t:IsInError", true);
    }
    ews_close(w);
}

// Rules of the server itself and of delegates are not the user's to see.
static bool is_shown(const struct mailbox_rule *rule) {
    return !(rule->state & RULE_ONLY_WHEN_OOF) &&
           g_ascii_strncasecmp(rule->provider, "Schedule+", 9) != 0;
}

enum ec op_get_inbox_rules(struct ews_call *call) {
    struct ews_mailbox *mailbox;
    struct mailbox_rules rules;
    bool has_blob;
    EC_TRY(open_mailbox(call, &mailbox));
    EC_TRY(mailbox_get_rules(mailbox->m, call->arena, FID_INBOX, &rules));
    EC_TRY(mailbox_has_rule_blob(mailbox->m, &has_blob));
    ews_success(call);
    ews_element_bool(call->w, "m:OutlookRuleBlobExists", has_blob);
    ews_open(call->w, "m:InboxRules");
    for (unsigned i = 0; i < rules.n; i++)
        if (is_shown(&rules.items[i]))
            write_rule(call, mailbox, &rules.items[i]);
    ews_close(call->w);
    ews_message_end(call);
    return EC_OK;
}

// --- Update ---

struct updating {
    struct ews_call *call;
    struct ews_mailbox *mailbox;
    struct mailbox_rules rules; // as they are
    struct mailbox_rule_change *changes;
    unsigned n;
    GArray *errors; // of the operation at work
};

static const struct mailbox_rule *find(const struct updating *u, uint64_t id) {
    for (unsigned i = 0; i < u->rules.n; i++)
        if (u->rules.items[i].id == id)
            return &u->rules.items[i];
    return NULL;
}

static const struct mailbox_rule *named(struct updating *u, const char *text) {
    uint64_t id;
    const struct mailbox_rule *rule = parse_id(text, &id) ? find(u, id) : NULL;
    if (!rule) {
        inbox_rule_error(u->errors, "RuleId", "RuleNotFound", text);
        return NULL;
    }
    for (unsigned i = 0; i < u->n; i++)
        if (u->changes[i].rule.id == id) {
            inbox_rule_error(u->errors, "RuleId", "DuplicatedOperationOnTheSameRule", text);
            return NULL;
        }
    return rule;
}

static void read_rule(struct updating *u, const struct ews_node *node, struct mailbox_rule *rule) {
    struct ews_call *call = u->call;
    const char *name = ews_child_text(call->arena, node, "DisplayName");
    int64_t priority = ews_child_int(node, "Priority", 1);
    bool stops = false;
    if (!name || !*name)
        inbox_rule_error(u->errors, "DisplayName", "EmptyValueFound", "");
    else if (g_utf8_strlen(name, -1) > NAME_MAX_CHARS)
        inbox_rule_error(u->errors, "DisplayName", "StringValueTooBig", name);
    if (priority < 1 || priority > INT16_MAX)
        inbox_rule_error(u->errors, "Priority", "InvalidValue",
                         ews_child_text(call->arena, node, "Priority"));
    if (ews_child_bool(node, "IsNotSupported", false))
        inbox_rule_error(u->errors, "IsNotSupported", "NotSettable", "true");
    rule->name = name ? name : "";
    rule->sequence = (int32_t)CLAMP(priority, 1, INT16_MAX) + SEQUENCE_BASE;
    rule->provider = INBOX_RULE_PROVIDER;
    rule->condition = inbox_rule_condition(call, ews_child(node, "Conditions"),
                                           ews_child(node, "Exceptions"), u->errors);
    rule->actions =
        inbox_rule_actions(call, u->mailbox, ews_child(node, "Actions"), &stops, u->errors);
    rule->state = (ews_child_bool(node, "IsEnabled", true) ? RULE_ENABLED : 0) |
                  (stops ? RULE_EXIT_LEVEL : 0);
}

static void read_operation(struct updating *u, const struct ews_node *node) {
    struct mailbox_rule_change change = {.kind = RULE_ADD};
    const struct ews_node *rule = ews_child(node, "Rule");
    const struct mailbox_rule *old = NULL;
    const char *id = ews_child_text(u->call->arena, rule ? rule : node, "RuleId");
    if (ews_is(node, "CreateRuleOperation")) {
        if (id)
            inbox_rule_error(u->errors, "RuleId", "CreateWithRuleId", id);
    } else {
        change.kind = ews_is(node, "DeleteRuleOperation") ? RULE_REMOVE : RULE_MODIFY;
        if (!id || !(old = named(u, id))) {
            if (!id)
                inbox_rule_error(u->errors, "RuleId", "MissingParameter", "");
            return;
        }
    }
    if (change.kind != RULE_REMOVE)
        read_rule(u, rule, &change.rule);
    change.rule.id = old ? old->id : 0;
    if (old && change.kind == RULE_MODIFY)
        change.rule.provider = old->provider;
    u->changes[u->n++] = change;
}

static void write_errors(struct ews_call *call, int index, const GArray *errors) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:RuleOperationError");
    ews_element_int(w, "t:OperationIndex", index);
    ews_open(w, "t:ValidationErrors");
    for (guint i = 0; i < errors->len; i++) {
        const struct rule_error *e = &g_array_index(errors, struct rule_error, i);
        ews_open(w, "t:Error");
        ews_element(w, "t:FieldURI", e->field);
        ews_element(w, "t:ErrorCode", e->code);
        ews_element(w, "t:ErrorMessage", arena_printf(call->arena, "%s: %s", e->field, e->code));
        ews_element(w, "t:FieldValue", e->value);
        ews_close(w);
    }
    ews_close(w);
    ews_close(w);
}

// Checks all operations; what is wrong is written, and its number of operations given.
static unsigned read_operations(struct updating *u, const struct ews_node *operations) {
    unsigned n_bad = 0;
    int index = 0;
    for (const struct ews_node *o = operations->child; o; o = o->next, index++) {
        g_array_set_size(u->errors, 0);
        read_operation(u, o);
        if (u->errors->len == 0)
            continue;
        if (n_bad++ == 0) {
            ews_open(u->call->w, "m:UpdateInboxRulesResponse");
            ews_put_result(u->call, ews_fail(u->call, "ErrorInboxRulesValidationError", NULL));
            ews_open(u->call->w, "m:RuleOperationErrors");
        }
        write_errors(u->call, index, u->errors);
    }
    return n_bad;
}

static enum ec check_blob(struct ews_call *call, struct ews_mailbox *mailbox) {
    bool has_blob;
    EC_TRY(mailbox_has_rule_blob(mailbox->m, &has_blob));
    if (!has_blob)
        return EC_OK;
    if (!ews_child_bool(call->request, "RemoveOutlookRuleBlob", false))
        return ews_fail(call, "ErrorOutlookRuleBlobExists", NULL);
    return mailbox_remove_rule_blob(mailbox->m);
}

enum ec op_update_inbox_rules(struct ews_call *call) {
    struct updating u = {.call = call};
    const struct ews_node *operations = ews_child(call->request, "Operations");
    if (!operations || !operations->child || ews_count(operations) > OPERATIONS_MAX)
        return ews_fail(call, "ErrorInvalidRequest", NULL);
    EC_TRY(open_mailbox(call, &u.mailbox));
    EC_TRY(mailbox_get_rules(u.mailbox->m, call->arena, FID_INBOX, &u.rules));
    EC_TRY(check_blob(call, u.mailbox));
    u.changes = arena_alloc0(call->arena, ews_count(operations) * sizeof *u.changes);
    g_autoptr(GArray) errors = g_array_new(FALSE, FALSE, sizeof(struct rule_error));
    u.errors = errors;
    if (read_operations(&u, operations) > 0) {
        ews_close(call->w);
        ews_close(call->w);
        call->n_messages++;
        call->n_errors++;
        return EC_OK;
    }
    enum ec ec = mailbox_change_rules(u.mailbox->m, FID_INBOX, u.changes, u.n);
    if (ec == EC_NO_MEMORY)
        return ews_fail(call, "ErrorRulesOverQuota", NULL);
    EC_TRY(ec);
    ews_success(call);
    ews_message_end(call);
    return EC_OK;
}
