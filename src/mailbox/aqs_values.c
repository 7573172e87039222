// What stands after a property, as search nodes: words, flags, sizes, dates, kinds and people.
#include <string.h>

#include "db/fulltext_words.h"
#include "mailbox/aqs_internal.h"
#include "mapi/props.h"

static const struct aqs_property properties[] = {
    {"subject", VALUE_WORDS, 1u << TEXT_SUBJECT},
    {"title", VALUE_WORDS, 1u << TEXT_SUBJECT},
    {"body", VALUE_WORDS, 1u << TEXT_BODY},
    {"content", VALUE_WORDS, 1u << TEXT_BODY | 1u << TEXT_ATTACHMENTS},
    {"contents", VALUE_WORDS, 1u << TEXT_BODY | 1u << TEXT_ATTACHMENTS},
    {"from", VALUE_WORDS, 1u << TEXT_SENDER},
    {"sender", VALUE_WORDS, 1u << TEXT_SENDER},
    {"recipients", VALUE_WORDS, 1u << TEXT_RECIPIENTS},
    {"participants", VALUE_WORDS, 1u << TEXT_RECIPIENTS | 1u << TEXT_SENDER},
    {"attachment", VALUE_WORDS, 1u << TEXT_ATTACHMENT_NAMES | 1u << TEXT_ATTACHMENTS},
    {"attachments", VALUE_WORDS, 1u << TEXT_ATTACHMENT_NAMES | 1u << TEXT_ATTACHMENTS},
    {"attachmentnames", VALUE_WORDS, 1u << TEXT_ATTACHMENT_NAMES},
    {"to", VALUE_RECIPIENT, 1},
    {"cc", VALUE_RECIPIENT, 2},
    {"bcc", VALUE_RECIPIENT, 3},
    {"hasattachment", VALUE_FLAG, MSG_HAS_ATTACHMENTS},
    {"hasattachments", VALUE_FLAG, MSG_HAS_ATTACHMENTS},
    {"isread", VALUE_FLAG, MSG_READ},
    {"read", VALUE_FLAG, MSG_READ},
    {"isunread", VALUE_NOT_FLAG, MSG_READ},
    {"isflagged", VALUE_FLAG, MSG_FLAGGED},
    {"isdraft", VALUE_FLAG, MSG_DRAFT},
    {"has", VALUE_IS, 0},
    {"is", VALUE_IS, 0},
    {"importance", VALUE_IMPORTANCE, 0},
    {"priority", VALUE_IMPORTANCE, 0},
    {"sensitivity", VALUE_SENSITIVITY, 0},
    {"kind", VALUE_KIND, 0},
    {"category", VALUE_CATEGORY, 0},
    {"categories", VALUE_CATEGORY, 0},
    {"keywords", VALUE_CATEGORY, 0},
    {"size", VALUE_SIZE, 0},
    {"messagesize", VALUE_SIZE, 0},
    {"received", VALUE_RECEIVED, 0},
    {"date", VALUE_RECEIVED, 0},
    {"sent", VALUE_SENT, 0},
};

static const struct {
    const char *name, *class1, *class2;
} kinds[] = {
    {"email", "IPM.Note", NULL},
    {"meetings", "IPM.Appointment", "IPM.Schedule"},
    {"calendar", "IPM.Appointment", "IPM.Schedule"},
    {"contacts", "IPM.Contact", "IPM.DistList"},
    {"tasks", "IPM.Task", NULL},
    {"notes", "IPM.StickyNote", NULL},
    {"journals", "IPM.Activity", NULL},
    {"posts", "IPM.Post", NULL},
    {"rssfeeds", "IPM.Post.Rss", NULL},
    {"docs", "IPM.Document", NULL},
    {"voicemail", "IPM.Note.Microsoft.Voicemail", NULL},
    {"faxes", "IPM.Note.Microsoft.Fax", NULL},
    {"im", "IPM.Note.Microsoft.Conversation", NULL},
};

static const struct {
    const char *name;
    uint64_t from, to; // bytes
} sizes[] = {
    {"empty", 0, 1},
    {"tiny", 1, 10 << 10},
    {"small", 10 << 10, 100 << 10},
    {"medium", 100 << 10, 1 << 20},
    {"large", 1 << 20, 16 << 20},
    {"huge", 16 << 20, 128 << 20},
    {"gigantic", 128 << 20, UINT64_MAX},
};

// --- Nodes ---

struct search_node *aqs_node(struct aqs_parser *s, enum search_kind kind) {
    struct search_node *n = arena_alloc0(s->arena, sizeof *n);
    n->kind = kind;
    return n;
}

struct search_node *aqs_negate(struct aqs_parser *s, struct search_node *child) {
    struct search_node *n = aqs_node(s, SEARCH_NOT);
    n->children = child;
    return n;
}

static struct search_node *pair(struct aqs_parser *s, enum search_kind kind, struct search_node *a,
                                struct search_node *b) {
    struct search_node *n = aqs_node(s, kind);
    n->children = a;
    a->next = b;
    return n;
}

static struct search_node *number_node(struct aqs_parser *s, enum search_kind kind,
                                       uint64_t number) {
    struct search_node *n = aqs_node(s, kind);
    n->number = number;
    return n;
}

static struct search_node *restriction_node(struct aqs_parser *s, const struct restriction *r) {
    struct search_node *n = aqs_node(s, SEARCH_RESTRICTION);
    n->restriction = r;
    return n;
}

// NULL: there is no word in the text.
static struct search_node *words_node(struct aqs_parser *s, const char *text, bool is_prefix,
                                      uint32_t parts) {
    g_autoptr(GString) words = g_string_new(NULL);
    db_words_append(words, text, strlen(text));
    if (words->len == 0)
        return NULL;
    struct search_node *n = aqs_node(s, SEARCH_WORDS);
    n->text = text;
    n->is_prefix = is_prefix;
    n->parts = parts;
    return n;
}

// --- Values ---

static bool is_one_of(const char *value, const char *const *names) {
    for (; *names; names++)
        if (g_ascii_strcasecmp(value, *names) == 0)
            return true;
    return false;
}

static bool yes_or_no(const char *value, bool *out) {
    static const char *const yes[] = {"yes", "true", "1", "ja", "oui", "si", NULL};
    static const char *const no[] = {"no", "false", "0", "nein", "non", NULL};
    *out = is_one_of(value, yes);
    return *out || is_one_of(value, no);
}

static struct search_node *flag_node(struct aqs_parser *s, uint32_t flag, bool on) {
    struct search_node *n = number_node(s, SEARCH_FLAGS, flag);
    n->number2 = on ? flag : 0;
    return n;
}

static struct search_node *is_node(struct aqs_parser *s, const char *value) {
    static const struct {
        const char *name;
        uint32_t flag;
        bool on;
    } states[] = {{"read", MSG_READ, true},
                  {"unread", MSG_READ, false},
                  {"flagged", MSG_FLAGGED, true},
                  {"draft", MSG_DRAFT, true},
                  {"answered", MSG_ANSWERED, true},
                  {"attachment", MSG_HAS_ATTACHMENTS, true},
                  {"attachments", MSG_HAS_ATTACHMENTS, true}};
    for (unsigned i = 0; i < G_N_ELEMENTS(states); i++)
        if (g_ascii_strcasecmp(value, states[i].name) == 0)
            return flag_node(s, states[i].flag, states[i].on);
    return NULL;
}

static struct search_node *level_node(struct aqs_parser *s, proptag_t tag, const char *value,
                                      const char *const names[4]) {
    for (unsigned i = 0; i < 4; i++)
        if (names[i] && g_ascii_strcasecmp(value, names[i]) == 0) {
            struct prop_value *v = arena_alloc(s->arena, sizeof *v);
            *v = prop_long(tag, (int32_t)i);
            return restriction_node(s, restriction_property(s->arena, RELOP_EQ, tag, v));
        }
    return NULL;
}

static struct restriction *content(struct aqs_parser *s, uint32_t fuzzy, proptag_t tag,
                                   const char *text) {
    struct prop_value *v = arena_alloc(s->arena, sizeof *v);
    *v = prop_str(PROP_TAG(PROP_ID(tag), PT_UNICODE), text); // one of several, if it has several
    return restriction_content(s->arena, fuzzy, tag, v);
}

static struct restriction *both(struct aqs_parser *s, enum restriction_kind kind,
                                struct restriction *a, struct restriction *b) {
    struct restriction **list = arena_alloc(s->arena, 2 * sizeof *list);
    list[0] = a;
    list[1] = b;
    return restriction_list(s->arena, kind, list, 2);
}

static struct search_node *kind_node(struct aqs_parser *s, const char *value) {
    const uint32_t how = FUZZY_PREFIX | FUZZY_IGNORE_CASE;
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        size_t len = strlen(kinds[i].name);
        bool is_singular = kinds[i].name[len - 1] == 's' && strlen(value) == len - 1 &&
                           g_ascii_strncasecmp(value, kinds[i].name, len - 1) == 0;
        if (!is_singular && g_ascii_strcasecmp(value, kinds[i].name) != 0)
            continue;
        struct restriction *r = content(s, how, PidTagMessageClass, kinds[i].class1);
        if (kinds[i].class2)
            r = both(s, RES_OR, r, content(s, how, PidTagMessageClass, kinds[i].class2));
        return restriction_node(s, r);
    }
    return NULL;
}

// Words of the index first: they are quick, and those of all recipients.
static struct search_node *recipient_node(struct aqs_parser *s, const struct aqs_token *t,
                                          uint32_t type) {
    const uint32_t how = FUZZY_SUBSTRING | FUZZY_LOOSE | FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE;
    struct search_node *words = words_node(s, t->value, !t->is_quoted, 1u << TEXT_RECIPIENTS);
    if (!words)
        return NULL;
    struct prop_value *v = arena_alloc(s->arena, sizeof *v);
    *v = prop_long(PidTagRecipientType, (int32_t)type);
    struct restriction *named = both(s, RES_OR, content(s, how, PidTagDisplayName, t->value),
                                     content(s, how, PidTagSmtpAddress, t->value));
    struct restriction *r =
        both(s, RES_AND, restriction_property(s->arena, RELOP_EQ, PidTagRecipientType, v), named);
    r = restriction_subobject(s->arena, PidTagMessageRecipients, r);
    return pair(s, SEARCH_AND, words, restriction_node(s, r));
}

static bool parse_size(const char *value, uint64_t *out) {
    static const char *const units[] = {"b", "kb", "mb", "gb"};
    char *end;
    double n = g_ascii_strtod(value, &end);
    if (end == value || !(n >= 0 && n < 1e15))
        return false;
    while (*end == ' ')
        end++;
    double factor = 1;
    if (*end == 0) {
        *out = (uint64_t)n;
        return true;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++, factor *= 1024)
        if (g_ascii_strcasecmp(end, units[i]) == 0 ||
            (i > 0 && g_ascii_toupper(*end) == g_ascii_toupper(*units[i]) && end[1] == 0)) {
            n *= factor;
            *out = n < 1e18 ? (uint64_t)n : UINT64_MAX / 2;
            return true;
        }
    return false;
}

// From `from` on, and before `to`.
static struct search_node *size_between(struct aqs_parser *s, uint64_t from, uint64_t to) {
    struct search_node *below = number_node(s, SEARCH_SIZE_SMALLER, to);
    if (from == 0)
        return below;
    return pair(s, SEARCH_AND, number_node(s, SEARCH_SIZE_LARGER, from - 1), below);
}

static struct search_node *size_node(struct aqs_parser *s, const struct aqs_token *t) {
    uint64_t from, to = 0;
    const char *dots = strstr(t->value, "..");
    bool is_named = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes) && !is_named; i++)
        if (g_ascii_strcasecmp(t->value, sizes[i].name) == 0) {
            from = sizes[i].from, to = sizes[i].to;
            is_named = true;
        }
    if (!is_named && dots) {
        if (!parse_size(arena_strndup(s->arena, t->value, (size_t)(dots - t->value)), &from) ||
            !parse_size(dots + 2, &to))
            return NULL;
        to++;
    } else if (!is_named) {
        if (!parse_size(t->value, &from))
            return NULL;
        to = from + 1;
    }
    switch (t->op) {
    case OP_LT:
        return number_node(s, SEARCH_SIZE_SMALLER, from);
    case OP_LE:
        return number_node(s, SEARCH_SIZE_SMALLER, to);
    case OP_GT:
        return number_node(s, SEARCH_SIZE_LARGER, to - 1);
    case OP_GE:
        return from ? number_node(s, SEARCH_SIZE_LARGER, from - 1) : aqs_node(s, SEARCH_ALL);
    case OP_NOT:
        return aqs_negate(s, size_between(s, from, to));
    default:
        return size_between(s, from, to);
    }
}

// The limit `t` in what the node of its kind compares with: FILETIME, or the user's day.
static struct search_node *limit_node(struct aqs_parser *s, bool is_sent, bool is_since,
                                      filetime_t t) {
    if (!is_sent)
        return number_node(s, is_since ? SEARCH_RECEIVED_SINCE : SEARCH_RECEIVED_BEFORE, t);
    int64_t local = filetime_to_unix(t) + (int64_t)s->options->zone_minutes * 60;
    int64_t day = local / 86400 - (local % 86400 < 0);
    return number_node(s, is_since ? SEARCH_SENT_SINCE : SEARCH_SENT_BEFORE, (uint64_t)day);
}

static struct search_node *date_between(struct aqs_parser *s, bool is_sent,
                                        const struct aqs_span *span) {
    return pair(s, SEARCH_AND, limit_node(s, is_sent, true, span->from),
                limit_node(s, is_sent, false, span->to));
}

static struct search_node *date_node(struct aqs_parser *s, const struct aqs_token *t,
                                     bool is_sent) {
    struct aqs_span span, end;
    const char *dots = strstr(t->value, "..");
    if (dots) {
        const char *first = arena_strndup(s->arena, t->value, (size_t)(dots - t->value));
        if (!aqs_date(first, s->options, &span) || !aqs_date(dots + 2, s->options, &end))
            return NULL;
        span.to = end.to;
    } else if (!aqs_date(t->value, s->options, &span)) {
        return NULL;
    }
    switch (t->op) {
    case OP_LT:
        return limit_node(s, is_sent, false, span.from);
    case OP_LE:
        return limit_node(s, is_sent, false, span.to);
    case OP_GT:
        return limit_node(s, is_sent, true, span.to);
    case OP_GE:
        return limit_node(s, is_sent, true, span.from);
    case OP_NOT:
        return aqs_negate(s, date_between(s, is_sent, &span));
    default:
        return date_between(s, is_sent, &span);
    }
}

// NULL: the value is none for the property.
static struct search_node *value_node(struct aqs_parser *s, const struct aqs_token *t) {
    static const char *const importance[4] = {"low", "normal", "high", NULL};
    static const char *const sensitivity[4] = {"normal", "personal", "private", "confidential"};
    bool on;
    switch (t->property->kind) {
    case VALUE_WORDS:
        return words_node(s, t->value, !t->is_quoted, t->property->number);
    case VALUE_RECIPIENT:
        return recipient_node(s, t, t->property->number);
    case VALUE_FLAG:
    case VALUE_NOT_FLAG:
        if (!yes_or_no(t->value, &on))
            return NULL;
        return flag_node(s, t->property->number, on == (t->property->kind == VALUE_FLAG));
    case VALUE_IS:
        return is_node(s, t->value);
    case VALUE_IMPORTANCE:
        return level_node(s, PidTagImportance, t->value, importance);
    case VALUE_SENSITIVITY:
        return level_node(s, PidTagSensitivity, t->value, sensitivity);
    case VALUE_KIND:
        return kind_node(s, t->value);
    case VALUE_CATEGORY:
        return restriction_node(
            s, content(s, FUZZY_FULL | FUZZY_IGNORE_CASE, PidNameKeywords, t->value));
    case VALUE_SIZE:
        return size_node(s, t);
    case VALUE_RECEIVED:
    case VALUE_SENT:
        return date_node(s, t, t->property->kind == VALUE_SENT);
    }
    return NULL;
}

const struct aqs_property *aqs_property_named(const char *name, size_t len) {
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++)
        if (strlen(properties[i].name) == len &&
            g_ascii_strncasecmp(name, properties[i].name, len) == 0)
            return &properties[i];
    return NULL;
}

// What its property cannot take is looked for as words.
struct search_node *aqs_term(struct aqs_parser *s, struct aqs_token *t) {
    if (++s->n_terms > AQS_MAX_TERMS)
        return NULL;
    if (!t->property) {
        t->property = s->property;
        t->op = s->op;
    }
    if (!t->property)
        return words_node(s, t->value, !t->is_quoted, 0);
    struct search_node *n = value_node(s, t);
    if (!n)
        return words_node(s, t->value, !t->is_quoted, 0);
    bool has_own_not = t->property->kind >= VALUE_SIZE;
    return t->op == OP_NOT && !has_own_not ? aqs_negate(s, n) : n;
}
