// Server-side rules of a folder, carried out on what is delivered ([MS-OXORULE] 3.2.5.1).
//
// Carried out here: move, copy, delete, mark as read, tag, forward (all flavors but SMS), delegate
// as a redirection, bounce. Deferred actions become messages for the client (deliver_deferred.c).
// Replies are passed over.
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "directory/directory.h"
#include "mailbox/deliver_hooks.h"
#include "mapi/entry_id.h"
#include "mapi/props.h"
#include "mapi/restriction.h"
#include "mapi/rule_actions.h"
#include "store/rule.h"

#define RULES_MAX_DEPTH 8                 // folders moved through
#define RULES_MAX_OUTGOING 100            // messages one delivery may send
#define RULES_VALUE_MAX (4 * 1024 * 1024) // larger bodies count as empty
#define RULES_LOOP "X-MS-Exchange-Inbox-Rules-Loop"

struct rules_run {
    struct delivery_plan *plan;
    bool is_oof;
    uint64_t path[RULES_MAX_DEPTH]; // the folders whose rules run now
    unsigned depth;
};

// --- The message as conditions see it ---

// Whether one of the recipients of this type (0: any) is the owner.
static bool is_to_me(const struct delivery_plan *plan, int type) {
    const GPtrArray *recipients = plan->value->recipients;
    for (guint i = 0; plan->owner->address && i < recipients->len; i++) {
        const char *address = bag_str(recipients->pdata[i], PidTagSmtpAddress);
        if (address &&
            (type == 0 || bag_long(recipients->pdata[i], PidTagRecipientType, 1) == type) &&
            text_compare_folded(address, plan->owner->address) == 0)
            return true;
    }
    return false;
}

static const char *display_list(const struct delivery_plan *plan, int type) {
    g_autoptr(GString) text = g_string_new(NULL);
    const GPtrArray *recipients = plan->value->recipients;
    for (guint i = 0; i < recipients->len; i++)
        if (bag_long(recipients->pdata[i], PidTagRecipientType, 1) == type) {
            const char *name = bag_str(recipients->pdata[i], PidTagDisplayName);
            g_string_append_printf(text, "%s%s", text->len ? "; " : "", name ? name : "");
        }
    return arena_strndup(plan->arena, text->str, text->len);
}

static const struct prop_value *computed(const struct delivery_plan *plan, proptag_t tag) {
    struct prop_value v = {.tag = tag};
    switch (tag) {
    case PidTagMessageToMe:
        v.b = is_to_me(plan, 1);
        break;
    case PidTagMessageCcMe:
        v.b = is_to_me(plan, 2);
        break;
    case PidTagMessageRecipientMe:
        v.b = is_to_me(plan, 0);
        break;
    case PidTagHasAttachments:
        v.b = plan->value->attachments->len > 0;
        break;
    case PidTagMessageFlags:
        v.l = (int32_t)(plan->flags & MSG_READ ? 1 : 0) | 2 |
              (plan->value->attachments->len ? 0x10 : 0);
        break;
    case PidTagMessageSize:
        v.l = (int32_t)MIN(g_bytes_get_size(plan->delivery->mime), (gsize)INT32_MAX);
        break;
    case PidTagMessageDeliveryTime:
        v.time = plan->delivery->arrived;
        break;
    case PidTagDisplayTo:
        v.str = display_list(plan, 1);
        break;
    case PidTagDisplayCc:
        v.str = display_list(plan, 2);
        break;
    default:
        return NULL;
    }
    return arena_memdup(plan->arena, &v, sizeof v);
}

// A body that stands in the message's bytes.
static const struct prop_value *external(const struct delivery_plan *plan,
                                         const struct prop_value *v) {
    gsize len;
    const char *data = g_bytes_get_data(plan->delivery->mime, &len);
    const struct prop_external *e = &v->external;
    if (PROP_TYPE(v->tag) != PT_UNICODE || e->pos > len || e->len > len - e->pos ||
        e->len > RULES_VALUE_MAX)
        return NULL;
    g_autoptr(GBytes) bytes = mime_decode(data + e->pos, e->len, e->encoding);
    gsize n = g_bytes_get_size(bytes);
    struct prop_value out = {.tag = v->tag};
    out.str = mime_to_utf8(plan->arena, n ? g_bytes_get_data(bytes, NULL) : "", n,
                           e->charset ? e->charset : "utf-8", NULL);
    return arena_memdup(plan->arena, &out, sizeof out);
}

static const struct prop_value *get_of_message(void *ctx, proptag_t tag) {
    const struct delivery_plan *plan = ctx;
    const struct prop_value *v = computed(plan, tag);
    if (!v)
        v = bag_get(plan->value->bag, tag);
    return v && v->is_external ? external(plan, v) : v;
}

static const struct prop_value *get_of_bag(void *ctx, proptag_t tag) {
    const struct prop_value *v = bag_get(ctx, tag);
    return v && v->is_external ? NULL : v;
}

static const GPtrArray *subobjects(const struct delivery_plan *plan, proptag_t tag) {
    return PROP_ID(tag) == PROP_ID(PidTagMessageRecipients)    ? plan->value->recipients
           : PROP_ID(tag) == PROP_ID(PidTagMessageAttachments) ? plan->value->attachments
                                                               : NULL;
}

static unsigned n_subobjects(void *ctx, proptag_t tag) {
    const GPtrArray *list = subobjects(ctx, tag);
    return list ? list->len : 0;
}

static struct restriction_source subobject(void *ctx, proptag_t tag, unsigned i) {
    const GPtrArray *list = subobjects(ctx, tag);
    struct bag *bag = PROP_ID(tag) == PROP_ID(PidTagMessageAttachments)
                          ? ((struct attachment_value *)list->pdata[i])->bag
                          : list->pdata[i];
    return (struct restriction_source){.get = get_of_bag, .ctx = bag};
}

// EC_FORMAT_ERROR: the condition cannot be read.
static enum ec matches(struct rules_run *run, const struct rule *rule, bool *out) {
    struct restriction *res;
    struct restriction_source source = {.get = get_of_message,
                                        .n_subobjects = n_subobjects,
                                        .subobject = subobject,
                                        .ctx = run->plan};
    *out = true;
    if (rule->condition.len == 0)
        return EC_OK;
    struct wire_reader r = wire_reader(rule->condition.data, rule->condition.len);
    EC_TRY(restriction_read(&r, &PROP_WIRE_ROP, run->plan->arena, &res));
    *out = restriction_matches(res, &source);
    return EC_OK;
}

// --- Actions ---

static const struct prop_value *find(const struct rule_recipient *r, proptag_t tag) {
    for (uint32_t i = 0; i < r->n; i++)
        if (r->values[i].tag == tag)
            return &r->values[i];
    return NULL;
}

// An internet address among a recipient's properties; NULL: none.
static const char *address_of(struct arena *arena, const struct rule_recipient *r) {
    const struct prop_value *smtp = find(r, PidTagSmtpAddress), *type = find(r, PidTagAddressType),
                            *address = find(r, PidTagEmailAddress), *id = find(r, PidTagEntryId);
    struct entry_id entry;
    if (smtp && strchr(smtp->str, '@'))
        return smtp->str;
    if (address && strchr(address->str, '@') &&
        (!type || g_ascii_strcasecmp(type->str, "SMTP") == 0))
        return address->str;
    if (id && entry_id_parse(arena, id->bin, &entry) == EC_OK && entry.kind == ENTRY_ID_ONE_OFF &&
        entry.one_off.address && strchr(entry.one_off.address, '@'))
        return entry.one_off.address;
    return NULL;
}

static bool is_one_line(const char *address) {
    return strlen(address) <= 320 && !strpbrk(address, "\r\n<> ");
}

// False: a recipient has no address that mail can go to.
static bool send_on(struct delivery_plan *plan, const struct rule_action *a) {
    const char *owner = plan->owner->address;
    bool is_good = true;
    if (!owner || delivery_has_field(plan, RULES_LOOP, owner))
        return true; // it has been here before
    const char *field = arena_printf(plan->arena, RULES_LOOP ": %s\r\n", owner);
    bool keeps = a->type == RULE_DELEGATE ||
                 (a->flavor & (RULE_FORWARD_PRESERVE_SENDER | RULE_FORWARD_UNCHANGED));
    for (uint32_t i = 0; i < a->to.n; i++) {
        const char *to = address_of(plan->arena, &a->to.items[i]);
        if (!to || !is_one_line(to)) {
            is_good = false;
            continue;
        }
        // Not back to whom it comes from.
        if ((plan->delivery->sender && text_compare_folded(to, plan->delivery->sender) == 0) ||
            plan->outgoing->len >= RULES_MAX_OUTGOING)
            continue;
        if (keeps)
            delivery_redirect(plan, OUTGOING_RULE, to, field);
        else
            delivery_send_forward(plan, to, a->flavor & RULE_FORWARD_AS_ATTACHMENT, field);
    }
    return is_good;
}

static void set_tag(struct delivery_plan *plan, const struct prop_value *v) {
    if (!plan->tags)
        plan->tags = g_array_new(FALSE, FALSE, sizeof(struct prop_value));
    struct prop_value copy = prop_copy(plan->arena, v);
    g_array_append_val(plan->tags, copy);
}

static void run_folder(struct rules_run *run, uint64_t fid, GArray *targets);

// The folder of a move or copy, when there is one.
static bool target_of(const struct delivery_plan *plan, const struct rule_action *a,
                      uint64_t *fid_out) {
    struct short_id id;
    struct folder_info info;
    if (!rule_action_folder(a, &id) ||
        folder_get(plan->tx, plan->arena, id.counter, &info) != EC_OK ||
        info.type != FOLDER_TYPE_GENERIC)
        return false;
    *fid_out = id.counter;
    return true;
}

struct outcome_of_rule {
    bool removes, stops; // of all rules of the folder
    // Of the rule at work:
    bool is_broken;
    enum rule_failure failure;
    int32_t action_type, action_number; // of the first action that failed
};

static void defer(struct delivery_plan *plan, uint64_t fid, const struct rule *rule,
                  const struct rule_action *action) {
    struct deferred_action deferred = {fid, rule->id, rule->provider, action};
    struct prop_value has = prop_bool(PidTagHasDeferredActionMessages, true);
    if (!plan->deferred)
        plan->deferred = g_array_new(FALSE, FALSE, sizeof deferred);
    g_array_append_val(plan->deferred, deferred);
    set_tag(plan, &has);
}

// False: it could not be carried out.
static bool act(struct rules_run *run, const struct rule_action *a, GArray *targets,
                struct outcome_of_rule *o) {
    uint64_t fid;
    switch (a->type) {
    case RULE_MOVE:
    case RULE_COPY:
        if (!target_of(run->plan, a, &fid))
            return false;
        if (a->type == RULE_MOVE) {
            run_folder(run, fid, targets);
            o->removes = true;
        } else {
            g_array_append_val(targets, fid);
        }
        break;
    case RULE_DELETE:
        o->removes = o->stops = true;
        break;
    case RULE_MARK_AS_READ:
        run->plan->flags |= MSG_READ;
        break;
    case RULE_TAG:
        set_tag(run->plan, &a->tag);
        break;
    case RULE_FORWARD:
    case RULE_DELEGATE:
        return send_on(run->plan, a);
    case RULE_BOUNCE:
        run->plan->result = a->bounce == RULE_BOUNCE_TOO_LARGE         ? EC_MESSAGE_TOO_BIG
                            : a->bounce == RULE_BOUNCE_NOT_DISPLAYABLE ? EC_NOT_SUPPORTED
                                                                       : EC_ACCESS_DENIED;
        o->removes = o->stops = true;
        break;
    case RULE_REPLY:
    case RULE_OOF_REPLY:
    case RULE_DEFER: // run_rule
        break;
    }
    return true;
}

static void note_broken(struct delivery_plan *plan, uint64_t fid, const struct rule *rule,
                        const struct outcome_of_rule *o) {
    if (rule->state & RULE_ERROR)
        return; // it is known
    if (!plan->broken_rules)
        plan->broken_rules = g_array_new(FALSE, FALSE, sizeof(struct broken_rule));
    struct broken_rule broken = {fid,        rule->id,       rule->provider,
                                 o->failure, o->action_type, o->action_number};
    g_array_append_val(plan->broken_rules, broken);
}

static void run_rule(struct rules_run *run, uint64_t fid, const struct rule *rule, GArray *targets,
                     struct outcome_of_rule *o) {
    bool does_match;
    struct rule_actions actions;
    struct wire_reader r = wire_reader(rule->actions.data, rule->actions.len);
    o->is_broken = false;
    if (matches(run, rule, &does_match) != EC_OK ||
        (does_match &&
         rule_actions_read(&r, &PROP_WIRE_ROP, run->plan->arena, &actions) != EC_OK)) {
        o->failure = RULE_FAILURE_PARSE;
        o->action_type = o->action_number = 0;
        note_broken(run->plan, fid, rule, o);
        return;
    }
    if (!does_match)
        return;
    for (uint32_t i = 0; i < actions.n; i++) {
        const struct rule_action *a = &actions.items[i];
        if (a->type == RULE_DEFER)
            defer(run->plan, fid, rule, a);
        if (act(run, a, targets, o) || o->is_broken)
            continue;
        o->is_broken = true;
        o->failure =
            a->type == RULE_MOVE || a->type == RULE_COPY ? RULE_FAILURE_MOVE : RULE_FAILURE_EXECUTE;
        o->action_type = (int32_t)a->type;
        o->action_number = (int32_t)i;
    }
    if (rule->state & RULE_EXIT_LEVEL)
        o->stops = true;
    if (o->is_broken)
        note_broken(run->plan, fid, rule, o);
}

// Which rules of a folder are asked, in their order.
static bool is_asked(const struct rules_run *run, const struct rule *rule, bool is_stopped) {
    bool is_oof_rule = rule->state & RULE_ONLY_WHEN_OOF;
    if (!(rule->state & RULE_ENABLED) || (rule->state & RULE_PARSE_ERROR))
        return false;
    if (rule->state & RULE_SKIP_IF_SAFE && (run->plan->is_safe || run->plan->delivery->scl == -1))
        return false;
    return is_oof_rule ? run->is_oof : !is_stopped;
}

// Appends the folders in which a message that comes into `fid` ends up.
static void run_folder(struct rules_run *run, uint64_t fid, GArray *targets) {
    struct rule_list list = {0};
    struct outcome_of_rule o = {0};
    bool is_here = run->depth == RULES_MAX_DEPTH;
    for (unsigned i = 0; i < run->depth; i++)
        is_here |= run->path[i] == fid;
    if (is_here || rule_list_get(run->plan->tx, run->plan->arena, fid, &list) != EC_OK)
        list.n = 0;
    guint at = targets->len;
    if (list.n > 0) {
        run->path[run->depth++] = fid;
        for (unsigned i = 0; i < list.n; i++)
            if (is_asked(run, &list.items[i], o.stops))
                run_rule(run, fid, &list.items[i], targets, &o);
        run->depth--;
    }
    if (!o.removes)
        g_array_insert_val(targets, at, fid);
}

// Folders that were named twice get it once.
static void take_targets(struct delivery_plan *plan, const GArray *targets) {
    plan->is_dropped = targets->len == 0;
    if (targets->len == 0)
        return;
    plan->fid = g_array_index(targets, uint64_t, 0);
    for (guint i = 1; i < targets->len; i++) {
        uint64_t fid = g_array_index(targets, uint64_t, i);
        bool is_known = fid == plan->fid;
        for (guint k = 0; plan->copies && k < plan->copies->len; k++)
            is_known |= g_array_index(plan->copies, uint64_t, k) == fid;
        if (is_known)
            continue;
        if (!plan->copies)
            plan->copies = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        g_array_append_val(plan->copies, fid);
    }
}

static bool is_out_of_office(const struct delivery_plan *plan) {
    BAG_AUTO props = NULL;
    return mbox_get_props(plan->tx, &props) == EC_OK &&
           bag_bool(props, PidTagOutOfOfficeState, false);
}

enum ec delivery_rules(struct delivery_plan *plan) {
    if (plan->fid == FID_INBOX && !plan->has_inbox_rules)
        return EC_OK;
    struct rules_run run = {.plan = plan, .is_oof = is_out_of_office(plan)};
    g_autoptr(GArray) targets = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    run_folder(&run, plan->fid, targets);
    take_targets(plan, targets);
    return EC_OK;
}

// Called for every message that is kept; answers ([MS-OXWOOF]) are not made yet.
enum ec delivery_out_of_office(struct delivery_plan *plan) {
    (void)plan;
    return EC_OK;
}
