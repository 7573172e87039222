// Predicates of inbox rules as restrictions, and restrictions as predicates.
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/inbox_rule.h"

#define TEXTS_MAX 256  // of one predicate
#define TEXT_MAX 255   // characters of one
#define ERRORS_MAX 100 // told of

enum predicate_kind {
    P_TEXTS,       // contents of a property
    P_EITHER,      // of the subject or the body
    P_RECIPIENTS,  // contents of a recipient's name or address
    P_KEYWORDS,    // one of the categories
    P_SENDERS,     // addresses
    P_SENT_TO,     // addresses among the recipients
    P_TRUE,        // a boolean property is set
    P_FALSE,       // ... is not
    P_CLASS,       // the message class begins so (`text`)
    P_CLASSES,     // is one of those named
    P_ATTACHMENTS, // PidTagMessageFlags
    P_IMPORTANCE,  // the index of a name is the value
    P_SENSITIVITY,
    P_ONLY_ME, // to me and nobody else
    P_DATES,
    P_SIZES,
    P_UNSUPPORTED,
};

struct predicate {
    const char *name, *element;
    enum predicate_kind kind;
    proptag_t tag;
    const char *text;
};

// In the schema's order.
static const struct predicate predicates[] = {
    {"Categories", "t:Categories", P_KEYWORDS, PidNameKeywords, NULL},
    {"ContainsBodyStrings", "t:ContainsBodyStrings", P_TEXTS, PidTagBody, NULL},
    {"ContainsHeaderStrings", "t:ContainsHeaderStrings", P_TEXTS, PidTagTransportMessageHeaders,
     NULL},
    {"ContainsRecipientStrings", "t:ContainsRecipientStrings", P_RECIPIENTS, 0, NULL},
    {"ContainsSenderStrings", "t:ContainsSenderStrings", P_TEXTS, PidTagSenderSmtpAddress, NULL},
    {"ContainsSubjectOrBodyStrings", "t:ContainsSubjectOrBodyStrings", P_EITHER, 0, NULL},
    {"ContainsSubjectStrings", "t:ContainsSubjectStrings", P_TEXTS, PidTagSubject, NULL},
    {"FlaggedForAction", "t:FlaggedForAction", P_UNSUPPORTED, 0, NULL},
    {"FromAddresses", "t:FromAddresses", P_SENDERS, PidTagSenderSearchKey, NULL},
    {"FromConnectedAccounts", "t:FromConnectedAccounts", P_UNSUPPORTED, 0, NULL},
    {"HasAttachments", "t:HasAttachments", P_ATTACHMENTS, PidTagMessageFlags, NULL},
    {"Importance", "t:Importance", P_IMPORTANCE, PidTagImportance, NULL},
    {"IsApprovalRequest", "t:IsApprovalRequest", P_CLASS, PidTagMessageClass,
     "IPM.Note.Microsoft.Approval.Request"},
    {"IsAutomaticForward", "t:IsAutomaticForward", P_TRUE, PidTagAutoForwarded, NULL},
    {"IsAutomaticReply", "t:IsAutomaticReply", P_CLASS, PidTagMessageClass,
     "IPM.Note.Rules.OofTemplate"},
    {"IsEncrypted", "t:IsEncrypted", P_CLASS, PidTagMessageClass, "IPM.Note.SMIME.Encrypted"},
    {"IsMeetingRequest", "t:IsMeetingRequest", P_CLASS, PidTagMessageClass,
     "IPM.Schedule.Meeting.Request"},
    {"IsMeetingResponse", "t:IsMeetingResponse", P_CLASS, PidTagMessageClass,
     "IPM.Schedule.Meeting.Resp"},
    {"IsNDR", "t:IsNDR", P_CLASS, PidTagMessageClass, "REPORT.IPM.Note.NDR"},
    {"IsPermissionControlled", "t:IsPermissionControlled", P_CLASS, PidNameContentClass,
     "rpmsg.message"},
    {"IsReadReceipt", "t:IsReadReceipt", P_CLASS, PidTagMessageClass, "REPORT.IPM.Note.IPNRN"},
    {"IsSigned", "t:IsSigned", P_CLASS, PidTagMessageClass, "IPM.Note.SMIME.MultipartSigned"},
    {"IsVoicemail", "t:IsVoicemail", P_CLASS, PidTagMessageClass, "IPM.Note.Microsoft.Voicemail"},
    {"ItemClasses", "t:ItemClasses", P_CLASSES, PidTagMessageClass, NULL},
    {"MessageClassifications", "t:MessageClassifications", P_UNSUPPORTED, 0, NULL},
    {"NotSentToMe", "t:NotSentToMe", P_FALSE, PidTagMessageToMe, NULL},
    {"SentCcMe", "t:SentCcMe", P_TRUE, PidTagMessageCcMe, NULL},
    {"SentOnlyToMe", "t:SentOnlyToMe", P_ONLY_ME, 0, NULL},
    {"SentToAddresses", "t:SentToAddresses", P_SENT_TO, PidTagSearchKey, NULL},
    {"SentToMe", "t:SentToMe", P_TRUE, PidTagMessageToMe, NULL},
    {"SentToOrCcMe", "t:SentToOrCcMe", P_TRUE, PidTagMessageRecipientMe, NULL},
    {"Sensitivity", "t:Sensitivity", P_SENSITIVITY, PidTagSensitivity, NULL},
    {"WithinDateRange", "t:WithinDateRange", P_DATES, PidTagMessageDeliveryTime, NULL},
    {"WithinSizeRange", "t:WithinSizeRange", P_SIZES, PidTagMessageSize, NULL},
};
#define FUZZY (FUZZY_SUBSTRING | FUZZY_IGNORE_CASE)

static const char *const importances[] = {"Low", "Normal", "High"};
static const char *const sensitivities[] = {"Normal", "Personal", "Private", "Confidential"};

void inbox_rule_error(GArray *errors, const char *field, const char *code, const char *value) {
    struct rule_error error = {field, code, value ? value : ""};
    if (errors->len < ERRORS_MAX)
        g_array_append_val(errors, error);
}

// --- From EWS ---

struct making {
    struct ews_call *call;
    struct arena *arena;
    const char *where; // "Condition" or "Exception"
    GArray *errors;
};

static void complain(struct making *m, const struct predicate *p, const char *code,
                     const char *value) {
    inbox_rule_error(m->errors, arena_printf(m->arena, "%s:%s", m->where, p->name), code, value);
}

static struct prop_value *keep(struct arena *arena, struct prop_value v) {
    return arena_memdup(arena, &v, sizeof v);
}

static struct restriction *contains(struct arena *arena, proptag_t tag, uint32_t how,
                                    const char *text) {
    return restriction_content(arena, how, tag, keep(arena, prop_str(tag, text)));
}

static struct restriction *is_value(struct arena *arena, enum relop op, struct prop_value v) {
    return restriction_property(arena, op, v.tag, keep(arena, v));
}

// A list of restrictions as one: itself when it is alone.
static struct restriction *one_of(struct arena *arena, const GPtrArray *list) {
    if (list->len == 1)
        return list->pdata[0];
    struct restriction **sub = arena_memdup(arena, list->pdata, list->len * sizeof *sub);
    return restriction_list(arena, RES_OR, sub, list->len);
}

static struct prop_value search_key(struct arena *arena, proptag_t tag, const char *address) {
    g_autofree char *key = g_strdup_printf("SMTP:%s", address);
    g_autofree char *upper = g_utf8_strup(key, -1);
    return prop_bytes(tag, arena_memdup(arena, upper, strlen(upper) + 1),
                      (uint32_t)strlen(upper) + 1);
}

// One text of a predicate as a restriction.
static struct restriction *of_text(struct making *m, const struct predicate *p, const char *text) {
    struct arena *a = m->arena;
    struct restriction **two = arena_alloc(a, 2 * sizeof *two);
    switch (p->kind) {
    case P_EITHER:
        two[0] = contains(a, PidTagSubject, FUZZY, text);
        two[1] = contains(a, PidTagBody, FUZZY, text);
        return restriction_list(a, RES_OR, two, 2);
    case P_RECIPIENTS:
        two[0] = contains(a, PidTagDisplayName, FUZZY, text);
        two[1] = contains(a, PidTagSmtpAddress, FUZZY, text);
        return restriction_subobject(a, PidTagMessageRecipients,
                                     restriction_list(a, RES_OR, two, 2));
    case P_KEYWORDS:
        return contains(a, PROP_TAG(PROP_ID(p->tag), PT_UNICODE), FUZZY_FULL | FUZZY_IGNORE_CASE,
                        text);
    case P_SENDERS:
        return is_value(a, RELOP_EQ, search_key(a, p->tag, text));
    case P_SENT_TO:
        return restriction_subobject(a, PidTagMessageRecipients,
                                     is_value(a, RELOP_EQ, search_key(a, p->tag, text)));
    case P_CLASSES:
        return contains(a, p->tag, FUZZY_FULL | FUZZY_IGNORE_CASE, text);
    default:
        return contains(a, p->tag, FUZZY, text);
    }
}

static struct restriction *of_texts(struct making *m, const struct predicate *p,
                                    const struct ews_node *node) {
    bool are_addresses = p->kind == P_SENDERS || p->kind == P_SENT_TO;
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    const struct ews_node *n = ews_child(node, are_addresses ? "Address" : "String");
    for (; n; n = ews_next(n)) {
        const char *text =
            are_addresses ? ews_child_text(m->arena, n, "EmailAddress") : ews_text(m->arena, n);
        if (!text || !*text)
            complain(m, p, "EmptyValueFound", "");
        else if (g_utf8_strlen(text, -1) > TEXT_MAX || all->len >= TEXTS_MAX)
            complain(m, p, "StringValueTooBig", text);
        else if (are_addresses && !strchr(text, '@'))
            complain(m, p, "InvalidAddress", text);
        else
            g_ptr_array_add(all, of_text(m, p, text));
    }
    if (all->len == 0) {
        if (!node->child)
            complain(m, p, "EmptyValueFound", "");
        return NULL;
    }
    return one_of(m->arena, all);
}

static int index_of(const char *const *names, unsigned n, const char *text) {
    for (unsigned i = 0; i < n; i++)
        if (strcmp(names[i], text) == 0)
            return (int)i;
    return -1;
}

static struct restriction *of_name(struct making *m, const struct predicate *p,
                                   const char *const *names, unsigned n, const char *text) {
    int i = index_of(names, n, text);
    if (i < 0) {
        complain(m, p, "InvalidValue", text);
        return NULL;
    }
    return is_value(m->arena, RELOP_EQ, prop_long(p->tag, i));
}

// [MS-OXORULE] has no shape of its own for this: to me, the only one, and no copies.
static struct restriction *only_me(struct arena *a) {
    struct restriction **all = arena_alloc(a, 3 * sizeof *all);
    all[0] = is_value(a, RELOP_EQ, prop_bool(PidTagMessageToMe, true));
    all[1] = restriction_not(a, contains(a, PidTagDisplayTo, FUZZY_SUBSTRING, ";"));
    all[2] = is_value(a, RELOP_EQ, prop_str(PidTagDisplayCc, ""));
    return restriction_list(a, RES_AND, all, 3);
}

static struct restriction *range(struct making *m, const struct predicate *p, bool has_low,
                                 struct prop_value low, bool has_high, struct prop_value high) {
    struct restriction **both = arena_alloc(m->arena, 2 * sizeof *both);
    unsigned n = 0;
    if (has_low)
        both[n++] = is_value(m->arena, RELOP_GE, low);
    if (has_high)
        both[n++] = is_value(m->arena, RELOP_LE, high);
    if (n == 0) {
        complain(m, p, "MissingRangeValue", "");
        return NULL;
    }
    return restriction_list(m->arena, RES_AND, both, n);
}

static struct restriction *of_dates(struct making *m, const struct predicate *p,
                                    const struct ews_node *node) {
    const char *from = ews_child_text(m->arena, node, "StartDateTime");
    const char *to = ews_child_text(m->arena, node, "EndDateTime");
    filetime_t low = 0, high = 0;
    if ((from && !ews_date_parse(m->call, from, &low)) ||
        (to && !ews_date_parse(m->call, to, &high)) || (from && to && high < low)) {
        complain(m, p, "InvalidDateRange", from ? from : to);
        return NULL;
    }
    return range(m, p, from, prop_time(p->tag, low), to, prop_time(p->tag, high));
}

// In KiB.
static struct restriction *of_sizes(struct making *m, const struct predicate *p,
                                    const struct ews_node *node) {
    int64_t low = ews_child_int(node, "MinimumSize", -1);
    int64_t high = ews_child_int(node, "MaximumSize", -1);
    bool has_low = ews_child(node, "MinimumSize"), has_high = ews_child(node, "MaximumSize");
    if ((has_low && low < 0) || (has_high && high < 0)) {
        complain(m, p, "SizeLessThanZero", "");
        return NULL;
    }
    if (low > INT32_MAX / 1024 || high > INT32_MAX / 1024 || (has_low && has_high && high < low)) {
        complain(m, p, "InvalidSizeRange", "");
        return NULL;
    }
    return range(m, p, has_low, prop_long(p->tag, (int32_t)(low * 1024)), has_high,
                 prop_long(p->tag, (int32_t)(high * 1024)));
}

static struct restriction *of_flag(struct making *m, const struct predicate *p,
                                   const struct ews_node *node) {
    struct arena *a = m->arena;
    if (!ews_node_bool(node, false)) { // only "true" says something
        complain(m, p, "InvalidValue", ews_text(a, node));
        return NULL;
    }
    switch (p->kind) {
    case P_TRUE:
        return is_value(a, RELOP_EQ, prop_bool(p->tag, true));
    case P_FALSE:
        return is_value(a, RELOP_EQ, prop_bool(p->tag, false));
    case P_CLASS:
        return contains(a, p->tag, FUZZY_PREFIX | FUZZY_IGNORE_CASE, p->text);
    case P_ATTACHMENTS:
        return restriction_bitmask(a, p->tag, 0x10, true);
    default:
        return only_me(a);
    }
}

static struct restriction *of_predicate(struct making *m, const struct predicate *p,
                                        const struct ews_node *node) {
    switch (p->kind) {
    case P_IMPORTANCE:
        return of_name(m, p, importances, G_N_ELEMENTS(importances), ews_text(m->arena, node));
    case P_SENSITIVITY:
        return of_name(m, p, sensitivities, G_N_ELEMENTS(sensitivities), ews_text(m->arena, node));
    case P_DATES:
        return of_dates(m, p, node);
    case P_SIZES:
        return of_sizes(m, p, node);
    case P_UNSUPPORTED:
        complain(m, p, "UnsupportedRule", "");
        return NULL;
    case P_TRUE:
    case P_FALSE:
    case P_CLASS:
    case P_ATTACHMENTS:
    case P_ONLY_ME:
        return of_flag(m, p, node);
    default:
        return of_texts(m, p, node);
    }
}

static void add_all(struct making *m, const struct ews_node *node, bool is_exception,
                    GPtrArray *out) {
    for (unsigned i = 0; i < G_N_ELEMENTS(predicates); i++) {
        const struct ews_node *child = ews_child(node, predicates[i].name);
        struct restriction *r = child ? of_predicate(m, &predicates[i], child) : NULL;
        if (r)
            g_ptr_array_add(out, is_exception ? restriction_not(m->arena, r) : r);
    }
}

struct restriction *inbox_rule_condition(struct ews_call *call, const struct ews_node *conditions,
                                         const struct ews_node *exceptions, GArray *errors) {
    struct making m = {call, call->arena, "Condition", errors};
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    add_all(&m, conditions, false, all);
    m.where = "Exception";
    add_all(&m, exceptions, true, all);
    if (all->len == 0)
        return NULL;
    struct restriction **sub = arena_memdup(call->arena, all->pdata, all->len * sizeof *sub);
    return restriction_list(call->arena, RES_AND, sub, all->len);
}

// --- To EWS ---

// What was recognized of a restriction.
struct read_predicate {
    const struct predicate *p;
    const char *texts[TEXTS_MAX];
    unsigned n;
    const struct restriction *from; // of names and ranges
};

static bool is_key(const struct restriction *r, proptag_t tag) {
    return r->kind == RES_PROPERTY && r->property.op == RELOP_EQ && r->property.tag == tag &&
           r->property.value.bin.len > 6 && memcmp(r->property.value.bin.data, "SMTP:", 5) == 0;
}

static const char *address_of_key(struct arena *arena, const struct prop_value *v) {
    const char *text = arena_strndup(arena, (const char *)v->bin.data + 5, v->bin.len - 5);
    g_autofree char *lower = g_utf8_validate(text, -1, NULL) ? g_utf8_strdown(text, -1) : NULL;
    return lower ? arena_strdup(arena, lower) : NULL;
}

static bool is_content(const struct restriction *r, proptag_t tag, uint32_t how) {
    return r->kind == RES_CONTENT && PROP_ID(r->content.tag) == PROP_ID(tag) &&
           PROP_TYPE(r->content.value.tag) == PT_UNICODE &&
           (r->content.fuzzy & 0xFFFF) == (how & 0xFFFF);
}

static bool is_pair(const struct restriction *r, proptag_t first, proptag_t second) {
    return r->kind == RES_OR && r->list.n == 2 && is_content(r->list.sub[0], first, FUZZY) &&
           is_content(r->list.sub[1], second, FUZZY) &&
           strcmp(r->list.sub[0]->content.value.str, r->list.sub[1]->content.value.str) == 0;
}

// The text of a restriction that is one of the predicate's; NULL: it is not.
static const char *text_of(struct arena *arena, const struct predicate *p,
                           const struct restriction *r) {
    const struct restriction *sub =
        r->kind == RES_SUBOBJECT && r->subobject.tag == PidTagMessageRecipients ? r->subobject.sub
                                                                                : NULL;
    switch (p->kind) {
    case P_TEXTS:
        return is_content(r, p->tag, FUZZY) ? r->content.value.str : NULL;
    case P_EITHER:
        return is_pair(r, PidTagSubject, PidTagBody) ? r->list.sub[0]->content.value.str : NULL;
    case P_RECIPIENTS:
        return sub && is_pair(sub, PidTagDisplayName, PidTagSmtpAddress)
                   ? sub->list.sub[0]->content.value.str
                   : NULL;
    case P_KEYWORDS:
    case P_CLASSES:
        return is_content(r, p->tag, FUZZY_FULL) ? r->content.value.str : NULL;
    case P_SENDERS:
        return is_key(r, p->tag) ? address_of_key(arena, &r->property.value) : NULL;
    case P_SENT_TO:
        return sub && is_key(sub, p->tag) ? address_of_key(arena, &sub->property.value) : NULL;
    default:
        return NULL;
    }
}

static bool read_texts(struct arena *arena, const struct predicate *p, const struct restriction *r,
                       struct read_predicate *out) {
    const char *text = text_of(arena, p, r);
    if (text) {
        out->texts[0] = text;
        out->n = 1;
        return true;
    }
    if (r->kind != RES_OR || r->list.n == 0 || r->list.n > TEXTS_MAX)
        return false;
    for (out->n = 0; out->n < r->list.n; out->n++) {
        out->texts[out->n] = text_of(arena, p, r->list.sub[out->n]);
        if (!out->texts[out->n])
            return false;
    }
    return true;
}

static bool is_range(const struct restriction *r, proptag_t tag) {
    if (r->kind != RES_AND || r->list.n == 0 || r->list.n > 2)
        return false;
    for (uint32_t i = 0; i < r->list.n; i++) {
        const struct restriction *s = r->list.sub[i];
        if (s->kind != RES_PROPERTY || s->property.tag != tag ||
            (s->property.op != RELOP_GE && s->property.op != RELOP_LE))
            return false;
    }
    return true;
}

static bool is_only_me(const struct restriction *r) {
    return r->kind == RES_AND && r->list.n == 3 && r->list.sub[0]->kind == RES_PROPERTY &&
           r->list.sub[0]->property.tag == PidTagMessageToMe && r->list.sub[1]->kind == RES_NOT &&
           r->list.sub[2]->kind == RES_PROPERTY && r->list.sub[2]->property.tag == PidTagDisplayCc;
}

static bool is_equal(const struct restriction *r, proptag_t tag) {
    return r->kind == RES_PROPERTY && r->property.op == RELOP_EQ && r->property.tag == tag;
}

static bool fits(struct arena *arena, const struct predicate *p, const struct restriction *r,
                 struct read_predicate *out) {
    *out = (struct read_predicate){.p = p, .from = r};
    switch (p->kind) {
    case P_TRUE:
    case P_FALSE:
        return is_equal(r, p->tag) && r->property.value.b == (p->kind == P_TRUE);
    case P_CLASS:
        return is_content(r, p->tag, FUZZY_PREFIX) &&
               g_ascii_strcasecmp(r->content.value.str, p->text) == 0;
    case P_ATTACHMENTS:
        return r->kind == RES_BITMASK && r->bitmask.tag == p->tag && r->bitmask.mask == 0x10 &&
               r->bitmask.is_nonzero;
    case P_IMPORTANCE:
        return is_equal(r, p->tag) && r->property.value.l >= 0 &&
               r->property.value.l < (int32_t)G_N_ELEMENTS(importances);
    case P_SENSITIVITY:
        return is_equal(r, p->tag) && r->property.value.l >= 0 &&
               r->property.value.l < (int32_t)G_N_ELEMENTS(sensitivities);
    case P_ONLY_ME:
        return is_only_me(r);
    case P_DATES:
    case P_SIZES:
        return is_range(r, p->tag);
    case P_UNSUPPORTED:
        return false;
    default:
        return read_texts(arena, p, r, out);
    }
}

static void write_texts(struct ews_writer *w, const struct read_predicate *r) {
    bool are_addresses = r->p->kind == P_SENDERS || r->p->kind == P_SENT_TO;
    for (unsigned i = 0; i < r->n; i++) {
        if (!are_addresses) {
            ews_element(w, "t:String", r->texts[i]);
            continue;
        }
        ews_open(w, "t:Address");
        ews_element(w, "t:EmailAddress", r->texts[i]);
        ews_element(w, "t:RoutingType", "SMTP");
        ews_close(w);
    }
}

static void write_range(struct ews_call *call, const struct read_predicate *r) {
    bool is_date = r->p->kind == P_DATES;
    for (uint32_t i = 0; i < r->from->list.n; i++) {
        const struct restriction *s = r->from->list.sub[i];
        bool is_low = s->property.op == RELOP_GE;
        if (is_date)
            ews_element_time(call, is_low ? "t:StartDateTime" : "t:EndDateTime",
                             s->property.value.time);
        else
            ews_element_int(call->w, is_low ? "t:MinimumSize" : "t:MaximumSize",
                            s->property.value.l / 1024);
    }
}

static void write_predicate(struct ews_call *call, const struct read_predicate *r) {
    struct ews_writer *w = call->w;
    ews_open(w, r->p->element);
    switch (r->p->kind) {
    case P_IMPORTANCE:
        ews_put_text(w, importances[r->from->property.value.l]);
        break;
    case P_SENSITIVITY:
        ews_put_text(w, sensitivities[r->from->property.value.l]);
        break;
    case P_DATES:
    case P_SIZES:
        write_range(call, r);
        break;
    case P_TRUE:
    case P_FALSE:
    case P_CLASS:
    case P_ATTACHMENTS:
    case P_ONLY_ME:
        ews_put_text(w, "true");
        break;
    default:
        write_texts(w, r);
    }
    ews_close(w);
}

// Writes those of one kind (conditions, or exceptions) in the schema's order; false: one is none of
// ours, or stands there twice.
static bool write_side(struct ews_call *call, struct restriction *const *all, uint32_t n,
                       bool are_exceptions) {
    const struct restriction *found[G_N_ELEMENTS(predicates)] = {NULL};
    struct read_predicate *read = arena_alloc(call->arena, sizeof *read);
    unsigned count = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool is_exception = all[i]->kind == RES_NOT;
        const struct restriction *r = is_exception ? all[i]->sub : all[i];
        unsigned k = 0;
        if (is_exception != are_exceptions)
            continue;
        while (k < G_N_ELEMENTS(predicates) && !fits(call->arena, &predicates[k], r, read))
            k++;
        if (k == G_N_ELEMENTS(predicates) || found[k])
            return false;
        found[k] = r;
        count++;
    }
    if (count == 0)
        return true;
    ews_open(call->w, are_exceptions ? "t:Exceptions" : "t:Conditions");
    for (unsigned k = 0; k < G_N_ELEMENTS(predicates); k++)
        if (found[k] && fits(call->arena, &predicates[k], found[k], read))
            write_predicate(call, read);
    ews_close(call->w);
    return true;
}

bool inbox_rule_write_condition(struct ews_call *call, const struct restriction *condition) {
    struct ews_mark mark = ews_mark(call->w);
    if (!condition)
        return true;
    struct restriction *const alone[] = {(struct restriction *)condition};
    bool is_list = condition->kind == RES_AND;
    struct restriction *const *all = is_list ? condition->list.sub : alone;
    uint32_t n = is_list ? condition->list.n : 1;
    if (write_side(call, all, n, false) && write_side(call, all, n, true))
        return true;
    ews_rewind(call->w, mark);
    return false;
}
