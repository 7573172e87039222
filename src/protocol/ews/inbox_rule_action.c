// Actions of inbox rules: EWS's elements and stored actions ([MS-OXWSRULES] 2.2.4.11).
#include <string.h>

#include "mapi/props.h"
#include "mapi/special_folder.h"
#include "protocol/ews/inbox_rule.h"

#define ACTIONS_MAX 32
#define ADDRESSES_MAX 100

struct acting {
    struct ews_call *call;
    struct ews_mailbox *mailbox;
    GArray *errors;
    struct rule_action *items;
    unsigned n;
};

static const char *const importances[] = {"Low", "Normal", "High"};

static struct rule_action *next(struct acting *a) {
    g_assert(a->n < ACTIONS_MAX); // one for each element there is
    a->items[a->n] = (struct rule_action){0};
    return &a->items[a->n++];
}

// --- From EWS ---

static void add_move(struct acting *a, const struct ews_node *node, enum rule_action_type type,
                     const char *field) {
    struct ews_folder_ref ref;
    struct rule_action action;
    if (ews_read_folder_child(a->call, node, &ref) != EC_OK) {
        a->call->failure = (struct ews_failure){0};
        inbox_rule_error(a->errors, field, "InvalidFolderId", "");
    } else if (ref.mailbox != a->mailbox || mailbox_move_action(a->mailbox->m, a->call->arena, type,
                                                                ref.fid, &action) != EC_OK) {
        inbox_rule_error(a->errors, field, "FolderDoesNotExist", "");
    } else {
        *next(a) = action;
    }
}

static void add_send(struct acting *a, const struct ews_node *node, enum rule_action_type type,
                     uint32_t flavor, const char *field) {
    struct arena *arena = a->call->arena;
    struct rule_address *to = arena_alloc0(arena, ADDRESSES_MAX * sizeof *to);
    unsigned n = 0;
    for (const struct ews_node *c = ews_child(node, "Address"); c; c = ews_next(c)) {
        const char *address = ews_child_text(arena, c, "EmailAddress");
        if (!address || !strchr(address, '@') || strpbrk(address, " \r\n<>,;"))
            inbox_rule_error(a->errors, field, "InvalidAddress", address);
        else if (n < ADDRESSES_MAX)
            to[n++] = (struct rule_address){ews_child_text(arena, c, "Name"), address};
    }
    if (n == 0)
        inbox_rule_error(a->errors, field, "EmptyValueFound", "");
    else
        *next(a) = mailbox_send_action(arena, type, flavor, to, n);
}

static void add_categories(struct acting *a, const struct ews_node *node) {
    struct arena *arena = a->call->arena;
    const char **texts = arena_alloc0(arena, ADDRESSES_MAX * sizeof *texts);
    uint32_t n = 0;
    for (const struct ews_node *c = ews_child(node, "String"); c && n < ADDRESSES_MAX;
         c = ews_next(c))
        texts[n++] = ews_text(arena, c);
    if (n == 0) {
        inbox_rule_error(a->errors, "Action:AssignCategories", "EmptyValueFound", "");
        return;
    }
    struct rule_action *action = next(a);
    action->type = RULE_TAG;
    action->tag = (struct prop_value){.tag = PidNameKeywords};
    action->tag.mv.n = n;
    action->tag.mv.str = texts;
}

static void add_importance(struct acting *a, const struct ews_node *node) {
    const char *text = ews_text(a->call->arena, node);
    for (unsigned i = 0; i < G_N_ELEMENTS(importances); i++)
        if (strcmp(importances[i], text) == 0) {
            struct rule_action *action = next(a);
            action->type = RULE_TAG;
            action->tag = prop_long(PidTagImportance, (int32_t)i);
            return;
        }
    inbox_rule_error(a->errors, "Action:MarkImportance", "InvalidValue", text);
}

// Into Deleted Items, as Exchange's "delete" does; only PermanentDelete is the action itself.
static void add_delete(struct acting *a) {
    struct rule_action action;
    if (mailbox_move_action(a->mailbox->m, a->call->arena, RULE_MOVE, FID_DELETED_ITEMS, &action) ==
        EC_OK)
        *next(a) = action;
}

static void refuse(struct acting *a, const struct ews_node *actions, const char *name,
                   const char *field) {
    if (ews_child(actions, name))
        inbox_rule_error(a->errors, field, "UnsupportedRule", "");
}

struct rule_actions inbox_rule_actions(struct ews_call *call, struct ews_mailbox *mailbox,
                                       const struct ews_node *actions, bool *stops_out,
                                       GArray *errors) {
    static const struct {
        const char *name, *field;
        enum rule_action_type type;
        uint32_t flavor;
    } sends[] = {
        {"ForwardAsAttachmentToRecipients", "Action:ForwardAsAttachmentToRecipients", RULE_FORWARD,
         RULE_FORWARD_AS_ATTACHMENT},
        {"ForwardToRecipients", "Action:ForwardToRecipients", RULE_FORWARD, 0},
        {"RedirectToRecipients", "Action:RedirectToRecipients", RULE_FORWARD,
         RULE_FORWARD_PRESERVE_SENDER | RULE_FORWARD_UNCHANGED},
    };
    struct acting a = {call, mailbox, errors,
                       arena_alloc0(call->arena, ACTIONS_MAX * sizeof(struct rule_action)), 0};
    const struct ews_node *node;
    guint n_errors = errors->len;
    if ((node = ews_child(actions, "AssignCategories")))
        add_categories(&a, node);
    if ((node = ews_child(actions, "CopyToFolder")))
        add_move(&a, node, RULE_COPY, "Action:CopyToFolder");
    for (unsigned i = 0; i < G_N_ELEMENTS(sends); i++)
        if ((node = ews_child(actions, sends[i].name)))
            add_send(&a, node, sends[i].type, sends[i].flavor, sends[i].field);
    if ((node = ews_child(actions, "MarkImportance")))
        add_importance(&a, node);
    if (ews_child_bool(actions, "MarkAsRead", false))
        next(&a)->type = RULE_MARK_AS_READ;
    refuse(&a, actions, "SendSMSAlertToRecipients", "Action:SendSMSAlertToRecipients");
    refuse(&a, actions, "ServerReplyWithMessage", "Action:ServerReplyWithMessage");
    if ((node = ews_child(actions, "MoveToFolder")))
        add_move(&a, node, RULE_MOVE, "Action:MoveToFolder");
    if (ews_child_bool(actions, "PermanentDelete", false))
        next(&a)->type = RULE_DELETE;
    else if (ews_child_bool(actions, "Delete", false))
        add_delete(&a);
    *stops_out = ews_child_bool(actions, "StopProcessingRules", false);
    // A rule has to do something; stopping alone counts, which needs an action that changes
    // nothing.
    if (a.n == 0 && errors->len == n_errors) {
        if (!*stops_out)
            inbox_rule_error(errors, "Actions", "MissingAction", "");
        else
            *next(&a) = (struct rule_action){
                .type = RULE_TAG, .tag = prop_bool(PidTagAlternateRecipientAllowed, true)};
    }
    return (struct rule_actions){a.n, a.items};
}

// --- To EWS ---

// What EWS tells of the actions, one place each.
struct told {
    const struct rule_action *categories, *copy, *remove, *attach, *forward, *importance, *read,
        *move, *purge, *redirect;
    uint64_t copy_fid, move_fid;
};

static bool place(const struct rule_action **slot, const struct rule_action *action) {
    if (*slot)
        return false;
    *slot = action;
    return true;
}

static bool sort_move(struct told *t, const struct rule_action *a) {
    struct short_id folder;
    if (!rule_action_folder(a, &folder))
        return false;
    if (a->type == RULE_COPY) {
        t->copy_fid = folder.counter;
        return place(&t->copy, a);
    }
    t->move_fid = folder.counter;
    return place(folder.counter == FID_DELETED_ITEMS ? &t->remove : &t->move, a);
}

static bool sort_action(struct told *t, const struct rule_action *a) {
    switch (a->type) {
    case RULE_MOVE:
    case RULE_COPY:
        return sort_move(t, a);
    case RULE_FORWARD:
        return place(a->flavor & RULE_FORWARD_AS_ATTACHMENT     ? &t->attach
                     : a->flavor & RULE_FORWARD_PRESERVE_SENDER ? &t->redirect
                                                                : &t->forward,
                     a) &&
               !(a->flavor & RULE_FORWARD_AS_SMS);
    case RULE_TAG:
        if (a->tag.tag == PidTagAlternateRecipientAllowed) // stopping alone
            return true;
        return a->tag.tag == PidNameKeywords    ? place(&t->categories, a)
               : a->tag.tag == PidTagImportance ? place(&t->importance, a)
                                                : false;
    case RULE_DELETE:
        return place(&t->purge, a);
    case RULE_MARK_AS_READ:
        return place(&t->read, a);
    default:
        return false;
    }
}

static void write_folder(struct ews_call *call, struct ews_mailbox *mailbox, const char *element,
                         uint64_t fid) {
    ews_open(call->w, element);
    ews_write_folder_id(call, "t:FolderId", mailbox, fid, EWS_OBJECT_FOLDER, 0);
    ews_close(call->w);
}

static void write_addresses(struct ews_call *call, const char *element,
                            const struct rule_action *a) {
    if (!a)
        return;
    ews_open(call->w, element);
    for (uint32_t i = 0; i < a->to.n; i++) {
        const char *name, *address = rule_recipient_address(call->arena, a, i, &name);
        ews_open(call->w, "t:Address");
        ews_element(call->w, "t:Name", name);
        if (address) {
            ews_element(call->w, "t:EmailAddress", address);
            ews_element(call->w, "t:RoutingType", "SMTP");
        }
        ews_close(call->w);
    }
    ews_close(call->w);
}

static void write_categories(struct ews_call *call, const struct rule_action *a) {
    if (!a)
        return;
    ews_open(call->w, "t:AssignCategories");
    for (uint32_t i = 0; i < a->tag.mv.n; i++)
        ews_element(call->w, "t:String", a->tag.mv.str[i]);
    ews_close(call->w);
}

bool inbox_rule_write_actions(struct ews_call *call, struct ews_mailbox *mailbox,
                              const struct rule_actions *actions, bool stops) {
    struct told t = {0};
    struct ews_writer *w = call->w;
    for (uint32_t i = 0; i < actions->n; i++)
        if (!sort_action(&t, &actions->items[i]))
            return false;
    if (t.importance && (t.importance->tag.l < 0 || t.importance->tag.l > 2))
        return false;
    ews_open(w, "t:Actions");
    write_categories(call, t.categories);
    if (t.copy)
        write_folder(call, mailbox, "t:CopyToFolder", t.copy_fid);
    if (t.remove)
        ews_element_bool(w, "t:Delete", true);
    write_addresses(call, "t:ForwardAsAttachmentToRecipients", t.attach);
    write_addresses(call, "t:ForwardToRecipients", t.forward);
    if (t.importance)
        ews_element(w, "t:MarkImportance", importances[t.importance->tag.l]);
    if (t.read)
        ews_element_bool(w, "t:MarkAsRead", true);
    if (t.move)
        write_folder(call, mailbox, "t:MoveToFolder", t.move_fid);
    if (t.purge)
        ews_element_bool(w, "t:PermanentDelete", true);
    write_addresses(call, "t:RedirectToRecipients", t.redirect);
    if (stops)
        ews_element_bool(w, "t:StopProcessingRules", true);
    ews_close(w);
    return true;
}
