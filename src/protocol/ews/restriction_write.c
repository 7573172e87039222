// A stored restriction in EWS's words: SearchParameters of search folders, whoever made them
// ([MS-OXWSSRCH] 2.2.4.33). What has no words there (sizes, counts, parts of messages) is left out.
#include "mapi/props.h"
#include "protocol/ews/ews_folders.h"

#define DEPTH_MAX 64

struct writing {
    struct ews_call *call;
    struct ews_mailbox *m;
};

static void write_expression(struct writing *o, const struct restriction *res, unsigned depth);

// False: EWS cannot name it.
static bool can_write(const struct restriction *res, unsigned depth) {
    if (depth >= DEPTH_MAX)
        return false;
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        for (uint32_t i = 0; i < res->list.n; i++)
            if (can_write(res->list.sub[i], depth + 1))
                return true;
        return false;
    case RES_NOT:
        return can_write(res->sub, depth + 1);
    case RES_CONTENT:
        return PROP_TYPE(res->content.value.tag) == PT_UNICODE;
    case RES_PROPERTY:
        return res->property.op <= RELOP_NE && ews_mapi_type_name(PROP_TYPE(res->property.tag));
    case RES_COMPARE:
    case RES_BITMASK:
    case RES_EXIST:
        return true;
    case RES_COMMENT:
    case RES_ANNOTATION:
        return res->comment.sub && can_write(res->comment.sub, depth + 1);
    case RES_COUNT:
        return can_write(res->count.sub, depth + 1);
    default:
        return false;
    }
}

static void write_path(struct writing *o, proptag_t tag) {
    unsigned n;
    const struct ews_property *all = ews_properties(&n);
    for (unsigned i = 0; i < n; i++) {
        if (all[i].tag != tag || !(all[i].classes & EWS_ANY_ITEM) || all[i].type == EWS_BOOL)
            continue;
        ews_open(o->call->w, "t:FieldURI");
        ews_attr(o->call->w, "FieldURI", all[i].uri);
        ews_close(o->call->w);
        return;
    }
    struct ews_path path = {
        .kind = EWS_PATH_EXTENDED, .tag = tag, .name = {.kind = PROP_NAME_NONE}};
    if (PROP_IS_NAMED(tag) &&
        mailbox_id_to_name(o->m->m, o->call->arena, PROP_ID(tag), &path.name) != EC_OK)
        path.name.kind = PROP_NAME_NONE;
    ews_write_extended_uri(o->call, &path);
}

static void write_constant(struct writing *o, const struct prop_value *v) {
    ews_open(o->call->w, "t:Constant");
    const char *text = ews_value_text(o->call, v);
    ews_attr(o->call->w, "Value", text ? text : "");
    ews_close(o->call->w);
}

static const char *mode_name(uint32_t fuzzy) {
    if (fuzzy & FUZZY_PHRASE)
        return "ExactPhrase";
    if (fuzzy & FUZZY_PREFIX_ON_ANY_WORD)
        return "PrefixOnWords";
    if (fuzzy & FUZZY_PREFIX)
        return "Prefixed";
    return fuzzy & FUZZY_SUBSTRING ? "Substring" : "FullString";
}

static const char *comparison_name(uint32_t fuzzy) {
    switch (fuzzy & (FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE | FUZZY_LOOSE)) {
    case FUZZY_IGNORE_CASE:
        return "IgnoreCase";
    case FUZZY_IGNORE_NONSPACE:
        return "IgnoreNonSpacingCharacters";
    case FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE:
        return "IgnoreCaseAndNonSpacingCharacters";
    case FUZZY_LOOSE:
        return "Loose";
    case FUZZY_LOOSE | FUZZY_IGNORE_CASE:
        return "LooseAndIgnoreCase";
    case FUZZY_LOOSE | FUZZY_IGNORE_NONSPACE:
        return "LooseAndIgnoreNonSpace";
    case FUZZY_LOOSE | FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE:
        return "LooseAndIgnoreCaseAndIgnoreNonSpace";
    default:
        return "Exact";
    }
}

static const char *comparison_element(enum relop op) {
    static const char *const names[] = {
        [RELOP_LT] = "t:IsLessThan",    [RELOP_LE] = "t:IsLessThanOrEqualTo",
        [RELOP_GT] = "t:IsGreaterThan", [RELOP_GE] = "t:IsGreaterThanOrEqualTo",
        [RELOP_EQ] = "t:IsEqualTo",     [RELOP_NE] = "t:IsNotEqualTo",
    };
    return op <= RELOP_NE ? names[op] : "t:IsEqualTo";
}

static void write_list(struct writing *o, const struct restriction *res, unsigned depth) {
    ews_open(o->call->w, res->kind == RES_AND ? "t:And" : "t:Or");
    for (uint32_t i = 0; i < res->list.n; i++)
        if (can_write(res->list.sub[i], depth + 1))
            write_expression(o, res->list.sub[i], depth + 1);
    ews_close(o->call->w);
}

static void write_comparison(struct writing *o, const struct restriction *res) {
    struct ews_writer *w = o->call->w;
    bool is_value = res->kind == RES_PROPERTY;
    ews_open(w, comparison_element(is_value ? res->property.op : res->compare.op));
    write_path(o, is_value ? res->property.tag : res->compare.tag1);
    ews_open(w, "t:FieldURIOrConstant");
    if (is_value)
        write_constant(o, &res->property.value);
    else
        write_path(o, res->compare.tag2);
    ews_close(w);
    ews_close(w);
}

static void write_contains(struct writing *o, const struct restriction *res) {
    struct ews_writer *w = o->call->w;
    ews_open(w, "t:Contains");
    ews_attr(w, "ContainmentMode", mode_name(res->content.fuzzy));
    ews_attr(w, "ContainmentComparison", comparison_name(res->content.fuzzy));
    write_path(o, res->content.tag);
    write_constant(o, &res->content.value);
    ews_close(w);
}

static void write_excludes(struct writing *o, const struct restriction *res) {
    struct ews_writer *w = o->call->w;
    if (res->bitmask.is_nonzero)
        ews_open(w, "t:Not");
    ews_open(w, "t:Excludes");
    write_path(o, res->bitmask.tag);
    ews_open(w, "t:Bitmask");
    ews_attr(w, "Value", arena_printf(o->call->arena, "0x%X", res->bitmask.mask));
    ews_close(w);
    ews_close(w);
    if (res->bitmask.is_nonzero)
        ews_close(w);
}

static void write_expression(struct writing *o, const struct restriction *res, unsigned depth) {
    struct ews_writer *w = o->call->w;
    switch (res->kind) {
    case RES_AND:
    case RES_OR:
        write_list(o, res, depth);
        break;
    case RES_NOT:
        ews_open(w, "t:Not");
        write_expression(o, res->sub, depth + 1);
        ews_close(w);
        break;
    case RES_CONTENT:
        write_contains(o, res);
        break;
    case RES_PROPERTY:
    case RES_COMPARE:
        write_comparison(o, res);
        break;
    case RES_BITMASK:
        write_excludes(o, res);
        break;
    case RES_EXIST:
        ews_open(w, "t:Exists");
        write_path(o, res->exist.tag);
        ews_close(w);
        break;
    case RES_COMMENT:
    case RES_ANNOTATION:
        write_expression(o, res->comment.sub, depth + 1);
        break;
    case RES_COUNT:
        write_expression(o, res->count.sub, depth + 1);
        break;
    default:
        break;
    }
}

void ews_write_restriction(struct ews_call *call, struct ews_mailbox *m,
                           const struct restriction *res) {
    struct writing o = {call, m};
    if (can_write(res, 0)) {
        write_expression(&o, res, 0);
        return;
    }
    // The schema wants an expression: one that says nothing.
    ews_open(call->w, "t:Exists");
    write_path(&o, PidTagMessageClass);
    ews_close(call->w);
}
