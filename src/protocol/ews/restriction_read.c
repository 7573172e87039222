// Restrictions of requests as the store's ([MS-OXWSSRCH] 2.2.4.21-2.2.4.37).
//
// Most paths are one MAPI property. Some are part of one (message:IsRead), several (message:From)
// or properties of recipients and attachments: they have rows in the tables here.
#include <stdlib.h>
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_folders.h"

#define TEXT_MAX 32768 // bytes of a constant
#define ADDRESS_TAGS 4

// PidTagMessageFlags ([MS-OXCMSG] 2.2.1.6)
static const struct flag_path {
    const char *uri;
    int32_t bit;
    bool is_inverse;
} flag_paths[] = {
    {"message:IsRead", 0x01, false},      {"item:IsUnmodified", 0x02, false},
    {"item:IsSubmitted", 0x04, false},    {"item:IsDraft", 0x08, false},
    {"item:HasAttachments", 0x10, false}, {"item:IsFromMe", 0x20, false},
    {"item:IsAssociated", 0x40, false},   {"item:IsResend", 0x80, false},
};

static const struct text_path {
    const char *uri;
    proptag_t tags[ADDRESS_TAGS]; // any of them; 0 ends
} text_paths[] = {
    {"message:From",
     {PidTagSentRepresentingName, PidTagSentRepresentingSmtpAddress,
      PidTagSentRepresentingEmailAddress}},
    {"message:Sender", {PidTagSenderName, PidTagSenderSmtpAddress, PidTagSenderEmailAddress}},
    {"message:ReceivedBy", {PidTagReceivedByName, PidTagReceivedByEmailAddress}},
    {"message:ReceivedRepresenting",
     {PidTagReceivedRepresentingName, PidTagReceivedRepresentingSmtpAddress,
      PidTagReceivedRepresentingEmailAddress}},
};

static const struct recipient_path {
    const char *uri;
    int32_t type; // PidTagRecipientType
} recipient_paths[] = {
    {"message:ToRecipients", 1},       {"message:CcRecipients", 2},
    {"message:BccRecipients", 3},      {"calendar:RequiredAttendees", 1},
    {"calendar:OptionalAttendees", 2}, {"calendar:Resources", 3},
};
static const proptag_t recipient_tags[] = {PidTagDisplayName, PidTagSmtpAddress,
                                           PidTagEmailAddress};

// What one property is that has no row of its own, in sorting too.
static const struct {
    const char *uri;
    proptag_t tag;
} folder_tags[] = {
    {"folder:DisplayName", PidTagDisplayName},    {"folder:FolderClass", PidTagContainerClass},
    {"folder:TotalCount", PidTagContentCount},    {"folder:UnreadCount", PidTagContentUnreadCount},
    {"folder:ChildFolderCount", EWS_CHILD_COUNT},
};

struct reading {
    struct ews_call *call;
    struct ews_mailbox *m;
    bool is_folder;
    unsigned n; // nodes so far
};

static const struct flag_path *find_flag(const struct reading *r, const struct ews_path *path) {
    for (unsigned i = 0;
         !r->is_folder && path->kind == EWS_PATH_FIELD && i < G_N_ELEMENTS(flag_paths); i++)
        if (strcmp(flag_paths[i].uri, path->uri) == 0)
            return &flag_paths[i];
    return NULL;
}

static enum ec fail_path(struct ews_call *call, const char *code, const struct ews_path *path) {
    struct ews_failure failure = {.code = code, .path = path->node};
    return ews_fail_with(call, &failure);
}

static enum ec path_tag(const struct reading *r, const struct ews_path *path, proptag_t *out) {
    for (unsigned i = 0; r->is_folder && path->kind == EWS_PATH_FIELD; i++) {
        if (i == G_N_ELEMENTS(folder_tags))
            return fail_path(r->call, "ErrorUnsupportedPathForQuery", path);
        if (strcmp(folder_tags[i].uri, path->uri) != 0)
            continue;
        *out = folder_tags[i].tag;
        return EC_OK;
    }
    return ews_path_tag(r->call, r->m, path, out);
}

enum ec ews_sort_tag(struct ews_call *call, struct ews_mailbox *m, const struct ews_path *path,
                     bool is_folder, proptag_t *out) {
    struct reading r = {.call = call, .m = m, .is_folder = is_folder};
    const struct flag_path *flag = find_flag(&r, path);
    if (flag) {
        *out = flag->bit == 0x10 ? PidTagHasAttachments : PidTagMessageFlags;
        return EC_OK;
    }
    for (unsigned i = 0; path->kind == EWS_PATH_FIELD && i < G_N_ELEMENTS(text_paths); i++)
        if (strcmp(text_paths[i].uri, path->uri) == 0) {
            *out = text_paths[i].tags[0];
            return EC_OK;
        }
    return path_tag(&r, path, out);
}

// --- Pieces ---

static struct restriction *never(struct reading *r) {
    return restriction_list(r->call->arena, RES_OR, NULL, 0);
}

static enum ec invalid(struct reading *r) {
    return ews_fail(r->call, "ErrorInvalidRestriction", NULL);
}

static const struct ews_node *path_of(const struct ews_node *node) {
    for (const struct ews_node *n = node->child; n; n = n->next)
        if (ews_is_path(n))
            return n;
    return NULL;
}

static enum ec read_path_of(struct reading *r, const struct ews_node *node, struct ews_path *out) {
    const struct ews_node *path = node ? path_of(node) : NULL;
    return path ? ews_read_path(r->call, path, out) : invalid(r);
}

static enum ec constant_of(struct reading *r, const struct ews_node *node, const char **out) {
    const char *text = ews_attribute(ews_child(node, "Constant"), "Value");
    if (!text)
        return invalid(r);
    if (strlen(text) > TEXT_MAX)
        return ews_fail(r->call, "ErrorRestrictionTooLong", NULL);
    *out = text;
    return EC_OK;
}

// The value of a constant for a property: words of enumerations, then anything of its type.
static enum ec parse_value(struct reading *r, const struct ews_path *path, proptag_t tag,
                           const char *text, struct prop_value *out) {
    const struct ews_property *p = path->kind == EWS_PATH_FIELD ? path->property : NULL;
    for (const struct ews_enum_name *n = p ? p->names : NULL; n && n->name; n++) {
        if (strcmp(n->name, text) != 0)
            continue;
        *out = prop_long(tag, n->value);
        return EC_OK;
    }
    proptag_t single = tag & ~(proptag_t)PT_MV;
    if (!ews_value_parse(r->call, single, text, out))
        return ews_fail(r->call, "ErrorInvalidValueForProperty", NULL);
    out->tag = single;
    return EC_OK;
}

static struct restriction *any_of(struct reading *r, struct restriction **list, unsigned n) {
    if (n == 1)
        return list[0];
    struct restriction **sub = arena_memdup(r->call->arena, list, n * sizeof *list);
    return restriction_list(r->call->arena, RES_OR, sub, n);
}

static struct restriction *both(struct reading *r, struct restriction *a, struct restriction *b) {
    struct restriction *list[] = {a, b};
    return restriction_list(r->call->arena, RES_AND,
                            arena_memdup(r->call->arena, list, sizeof list), 2);
}

// --- Texts: Contains, and equality with addresses ---

// What makes one condition of a string property.
struct text_test {
    uint32_t fuzzy;
    const char *text;
};

static struct restriction *test_tag(struct reading *r, proptag_t tag, const struct text_test *t) {
    struct prop_value v = prop_str(tag & ~(proptag_t)PT_MV, t->text);
    return restriction_content(r->call->arena, t->fuzzy, tag, &v);
}

static struct restriction *test_tags(struct reading *r, const proptag_t *tags, unsigned n,
                                     const struct text_test *t) {
    struct restriction *list[ADDRESS_TAGS];
    unsigned k = 0;
    for (; k < n && k < ADDRESS_TAGS && tags[k]; k++)
        list[k] = test_tag(r, tags[k], t);
    return any_of(r, list, k);
}

static struct restriction *test_recipients(struct reading *r, int32_t type,
                                           const struct text_test *t) {
    struct arena *arena = r->call->arena;
    struct prop_value v = prop_long(PidTagRecipientType, type);
    struct restriction *is_type = restriction_property(arena, RELOP_EQ, PidTagRecipientType, &v);
    struct restriction *text = test_tags(r, recipient_tags, G_N_ELEMENTS(recipient_tags), t);
    return restriction_subobject(arena, PidTagMessageRecipients, both(r, is_type, text));
}

// Conditions of paths that are more than one property; NULL: this path is not one of them.
static struct restriction *test_compound(struct reading *r, const struct ews_path *path,
                                         const struct text_test *t) {
    static const proptag_t names[] = {PidTagAttachLongFilename, PidTagAttachFilename};
    if (r->is_folder || path->kind != EWS_PATH_FIELD)
        return NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(text_paths); i++)
        if (strcmp(text_paths[i].uri, path->uri) == 0)
            return test_tags(r, text_paths[i].tags, ADDRESS_TAGS, t);
    for (unsigned i = 0; i < G_N_ELEMENTS(recipient_paths); i++)
        if (strcmp(recipient_paths[i].uri, path->uri) == 0)
            return test_recipients(r, recipient_paths[i].type, t);
    if (strcmp(path->uri, "item:Attachments") == 0)
        return restriction_subobject(r->call->arena, PidTagMessageAttachments,
                                     test_tags(r, names, G_N_ELEMENTS(names), t));
    return NULL;
}

static bool read_fuzzy(const struct ews_node *node, uint32_t *out) {
    static const struct {
        const char *name;
        uint32_t fuzzy;
    } modes[] = {{"FullString", FUZZY_FULL},
                 {"Prefixed", FUZZY_PREFIX},
                 {"Substring", FUZZY_SUBSTRING},
                 {"PrefixOnWords", FUZZY_PREFIX_ON_ANY_WORD},
                 {"ExactPhrase", FUZZY_PHRASE}},
      comparisons[] = {
          {"Exact", 0},
          {"IgnoreCase", FUZZY_IGNORE_CASE},
          {"IgnoreNonSpacingCharacters", FUZZY_IGNORE_NONSPACE},
          {"Loose", FUZZY_LOOSE},
          {"IgnoreCaseAndNonSpacingCharacters", FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE},
          {"LooseAndIgnoreCase", FUZZY_LOOSE | FUZZY_IGNORE_CASE},
          {"LooseAndIgnoreNonSpace", FUZZY_LOOSE | FUZZY_IGNORE_NONSPACE},
          {"LooseAndIgnoreCaseAndIgnoreNonSpace",
           FUZZY_LOOSE | FUZZY_IGNORE_CASE | FUZZY_IGNORE_NONSPACE},
      };
    const char *mode = ews_attribute(node, "ContainmentMode");
    const char *comparison = ews_attribute(node, "ContainmentComparison");
    unsigned i = 0, k = 0;
    while (mode && i < G_N_ELEMENTS(modes) && strcmp(modes[i].name, mode) != 0)
        i++;
    while (comparison && k < G_N_ELEMENTS(comparisons) &&
           strcmp(comparisons[k].name, comparison) != 0)
        k++;
    if (i == G_N_ELEMENTS(modes) || k == G_N_ELEMENTS(comparisons))
        return false;
    *out = modes[i].fuzzy | comparisons[k].fuzzy;
    return true;
}

static enum ec read_contains(struct reading *r, const struct ews_node *node,
                             struct restriction **out) {
    struct ews_path path;
    struct text_test t;
    proptag_t tag;
    EC_TRY(read_path_of(r, node, &path));
    EC_TRY(constant_of(r, node, &t.text));
    if (!read_fuzzy(node, &t.fuzzy))
        return invalid(r);
    *out = test_compound(r, &path, &t);
    if (*out)
        return EC_OK;
    enum ec ec = path_tag(r, &path, &tag);
    if (ec == EC_NOT_FOUND) {
        *out = never(r);
        return EC_OK;
    }
    EC_TRY(ec);
    if (PROP_TYPE(tag & ~(proptag_t)PT_MV) != PT_UNICODE)
        return fail_path(r->call, "ErrorContainsFilterWrongType", &path);
    *out = test_tag(r, tag, &t);
    return EC_OK;
}

// --- Exists, Excludes ---

static enum ec read_exists(struct reading *r, const struct ews_node *node,
                           struct restriction **out) {
    struct ews_path path;
    proptag_t tag;
    EC_TRY(read_path_of(r, node, &path));
    enum ec ec = ews_sort_tag(r->call, r->m, &path, r->is_folder, &tag);
    if (ec == EC_CALL_FAILED)
        return fail_path(r->call, "ErrorInvalidPropertyForExists", &path);
    if (ec != EC_NOT_FOUND)
        EC_TRY(ec);
    *out = ec == EC_OK ? restriction_exist(r->call->arena, tag) : never(r);
    return EC_OK;
}

static enum ec read_excludes(struct reading *r, const struct ews_node *node,
                             struct restriction **out) {
    struct ews_path path;
    proptag_t tag;
    const char *text = ews_attribute(ews_child(node, "Bitmask"), "Value");
    char *end;
    EC_TRY(read_path_of(r, node, &path));
    if (!text || !*text)
        return ews_fail(r->call, "ErrorInvalidExcludesRestriction", NULL);
    bool is_hex = g_ascii_strncasecmp(text, "0x", 2) == 0;
    guint64 mask = g_ascii_strtoull(text, &end, is_hex ? 16 : 10);
    if (*end || mask > UINT32_MAX)
        return ews_fail(r->call, "ErrorInvalidExcludesRestriction", NULL);
    enum ec ec = ews_sort_tag(r->call, r->m, &path, r->is_folder, &tag);
    if (ec == EC_NOT_FOUND) { // what is not there has no bits
        *out = restriction_list(r->call->arena, RES_AND, NULL, 0);
        return EC_OK;
    }
    EC_TRY(ec);
    if (PROP_TYPE(tag) != PT_LONG)
        return ews_fail(r->call, "ErrorInvalidExcludesRestriction", NULL);
    *out = restriction_bitmask(r->call->arena, tag, (uint32_t)mask, false);
    return EC_OK;
}

// --- Comparisons ---

static enum ec compare_flag(struct reading *r, const struct flag_path *flag, enum relop op,
                            const char *text, struct restriction **out) {
    bool wanted;
    if (!ews_parse_bool(text, &wanted))
        return ews_fail(r->call, "ErrorInvalidValueForProperty", NULL);
    if (op != RELOP_EQ && op != RELOP_NE)
        return ews_fail(r->call, "ErrorUnsupportedQueryFilter", NULL);
    wanted ^= op == RELOP_NE;
    if (flag->bit == 0x10) {
        struct prop_value v = prop_bool(PidTagHasAttachments, wanted);
        *out = restriction_property(r->call->arena, RELOP_EQ, PidTagHasAttachments, &v);
    } else {
        *out = restriction_bitmask(r->call->arena, PidTagMessageFlags, (uint32_t)flag->bit, wanted);
    }
    return EC_OK;
}

// item:ConversationId and conversation ids of messages: an EWS id, compared as the bytes in it.
static enum ec compare_conversation(struct reading *r, enum relop op, const char *text,
                                    struct restriction **out) {
    struct ews_id id;
    const char *error = ews_id_parse(text, &id, NULL);
    if (error)
        return ews_fail(r->call, error, NULL);
    if (id.kind != EWS_ID_CONVERSATION)
        return ews_fail(r->call, "ErrorInvalidValueForProperty", NULL);
    struct prop_value v = prop_bytes(
        PidTagConversationId, arena_memdup(r->call->arena, id.conversation, sizeof id.conversation),
        sizeof id.conversation);
    *out = restriction_property(r->call->arena, op, PidTagConversationId, &v);
    return EC_OK;
}

static enum ec compare_constant(struct reading *r, const struct ews_path *path, enum relop op,
                                const char *text, struct restriction **out) {
    const struct flag_path *flag = find_flag(r, path);
    struct text_test t = {FUZZY_FULL | FUZZY_IGNORE_CASE, text};
    struct prop_value v;
    proptag_t tag;
    if (flag)
        return compare_flag(r, flag, op, text, out);
    if (path->kind == EWS_PATH_FIELD && strcmp(path->uri, "item:ConversationId") == 0)
        return compare_conversation(r, op, text, out);
    if (op == RELOP_EQ || op == RELOP_NE) {
        struct restriction *compound = test_compound(r, path, &t);
        if (compound) {
            *out = op == RELOP_EQ ? compound : restriction_not(r->call->arena, compound);
            return EC_OK;
        }
    }
    enum ec ec = path_tag(r, path, &tag);
    if (ec == EC_NOT_FOUND) {
        *out = op == RELOP_NE ? restriction_list(r->call->arena, RES_AND, NULL, 0) : never(r);
        return EC_OK;
    }
    EC_TRY(ec);
    EC_TRY(parse_value(r, path, tag, text, &v));
    *out = restriction_property(r->call->arena, op, tag, &v);
    return EC_OK;
}

static enum ec compare_paths(struct reading *r, const struct ews_path *path, enum relop op,
                             const struct ews_node *other, struct restriction **out) {
    struct ews_path second;
    proptag_t a, b;
    EC_TRY(read_path_of(r, other, &second));
    enum ec ec = ews_sort_tag(r->call, r->m, path, r->is_folder, &a);
    if (ec == EC_OK)
        ec = ews_sort_tag(r->call, r->m, &second, r->is_folder, &b);
    if (ec == EC_NOT_FOUND) {
        *out = never(r);
        return EC_OK;
    }
    EC_TRY(ec);
    if (PROP_TYPE(a) != PROP_TYPE(b))
        return invalid(r);
    struct restriction *res = arena_alloc0(r->call->arena, sizeof *res);
    res->kind = RES_COMPARE;
    res->compare.op = op;
    res->compare.tag1 = a;
    res->compare.tag2 = b;
    *out = res;
    return EC_OK;
}

static enum ec read_comparison(struct reading *r, const struct ews_node *node, enum relop op,
                               struct restriction **out) {
    struct ews_path path;
    const struct ews_node *other = ews_child(node, "FieldURIOrConstant");
    const char *text;
    EC_TRY(read_path_of(r, node, &path));
    if (!other)
        return invalid(r);
    if (path_of(other))
        return compare_paths(r, &path, op, other, out);
    EC_TRY(constant_of(r, other, &text));
    return compare_constant(r, &path, op, text, out);
}

// --- The tree ---

static enum ec read_expression(struct reading *r, const struct ews_node *node, unsigned depth,
                               struct restriction **out);

static enum ec read_list(struct reading *r, const struct ews_node *node, unsigned depth,
                         enum restriction_kind kind, struct restriction **out) {
    unsigned n = 0, room = ews_count(node);
    if (room == 0)
        return invalid(r);
    if (room > RESTRICTION_MAX_NODES)
        return ews_fail(r->call, "ErrorRestrictionTooComplex", NULL);
    struct restriction **sub = arena_alloc(r->call->arena, room * sizeof(struct restriction *));
    for (const struct ews_node *c = node->child; c; c = c->next)
        EC_TRY(read_expression(r, c, depth + 1, &sub[n++]));
    *out = restriction_list(r->call->arena, kind, sub, n);
    return EC_OK;
}

static enum ec read_expression(struct reading *r, const struct ews_node *node, unsigned depth,
                               struct restriction **out) {
    static const struct {
        const char *name;
        enum relop op;
    } comparisons[] = {
        {"IsEqualTo", RELOP_EQ},     {"IsNotEqualTo", RELOP_NE},
        {"IsGreaterThan", RELOP_GT}, {"IsGreaterThanOrEqualTo", RELOP_GE},
        {"IsLessThan", RELOP_LT},    {"IsLessThanOrEqualTo", RELOP_LE},
    };
    if (depth >= RESTRICTION_MAX_DEPTH / 2 || ++r->n > RESTRICTION_MAX_NODES / 8)
        return ews_fail(r->call, "ErrorRestrictionTooComplex", NULL);
    if (ews_is(node, "And") || ews_is(node, "Or"))
        return read_list(r, node, depth, ews_is(node, "And") ? RES_AND : RES_OR, out);
    if (ews_is(node, "Not")) {
        struct restriction *sub;
        if (ews_count(node) != 1)
            return invalid(r);
        EC_TRY(read_expression(r, node->child, depth + 1, &sub));
        *out = restriction_not(r->call->arena, sub);
        return EC_OK;
    }
    if (ews_is(node, "Contains"))
        return read_contains(r, node, out);
    if (ews_is(node, "Exists"))
        return read_exists(r, node, out);
    if (ews_is(node, "Excludes"))
        return read_excludes(r, node, out);
    for (unsigned i = 0; i < G_N_ELEMENTS(comparisons); i++)
        if (ews_is(node, comparisons[i].name))
            return read_comparison(r, node, comparisons[i].op, out);
    return invalid(r);
}

enum ec ews_read_restriction(struct ews_call *call, struct ews_mailbox *m,
                             const struct ews_node *node, bool is_folder,
                             struct restriction **out) {
    struct reading r = {.call = call, .m = m, .is_folder = is_folder};
    *out = NULL;
    if (!node)
        return EC_OK;
    if (!node->child || node->child->next)
        return invalid(&r);
    return read_expression(&r, node->child, 0, out);
}
