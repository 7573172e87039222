// Paths to properties: FieldURI, IndexedFieldURI, ExtendedFieldURI, and values of extended
// properties ([MS-OXWSCDATA] 2.2.4.42-44, [MS-OXWSXPROP]).
#include <string.h>

#include "mapi/props.h"
#include "protocol/ews/ews_internal.h"
#include "protocol/ews/ews_properties.h"

// --- Types ---

static const struct {
    const char *name;
    uint16_t type;
} mapi_types[] = {
    {"ApplicationTime", PT_APPTIME},
    {"ApplicationTimeArray", PT_MV_APPTIME},
    {"Binary", PT_BINARY},
    {"BinaryArray", PT_MV_BINARY},
    {"Boolean", PT_BOOLEAN},
    {"CLSID", PT_CLSID},
    {"CLSIDArray", PT_MV_CLSID},
    {"Currency", PT_CURRENCY},
    {"CurrencyArray", PT_MV_CURRENCY},
    {"Double", PT_DOUBLE},
    {"DoubleArray", PT_MV_DOUBLE},
    {"Float", PT_FLOAT},
    {"FloatArray", PT_MV_FLOAT},
    {"Integer", PT_LONG},
    {"IntegerArray", PT_MV_LONG},
    {"Long", PT_I8},
    {"LongArray", PT_MV_I8},
    {"Short", PT_I2},
    {"ShortArray", PT_MV_I2},
    {"SystemTime", PT_SYSTIME},
    {"SystemTimeArray", PT_MV_SYSTIME},
    {"String", PT_UNICODE},
    {"StringArray", PT_MV_UNICODE},
};

uint16_t ews_mapi_type(const char *name) {
    for (unsigned i = 0; name && i < G_N_ELEMENTS(mapi_types); i++)
        if (strcmp(mapi_types[i].name, name) == 0)
            return mapi_types[i].type;
    return 0;
}

const char *ews_mapi_type_name(uint16_t type) {
    for (unsigned i = 0; i < G_N_ELEMENTS(mapi_types); i++)
        if (mapi_types[i].type == type)
            return mapi_types[i].name;
    return NULL;
}

static const struct {
    const char *name;
    const struct guid *set;
} sets[] = {
    {"Meeting", &PSETID_Meeting},
    {"Appointment", &PSETID_Appointment},
    {"Common", &PSETID_Common},
    {"PublicStrings", &PS_PUBLIC_STRINGS},
    {"Address", &PSETID_Address},
    {"InternetHeaders", &PS_INTERNET_HEADERS},
    {"CalendarAssistant", &PSETID_CalendarAssistant},
    {"UnifiedMessaging", &PSETID_UnifiedMessaging},
    {"Task", &PSETID_Task},
    {"Sharing", &PSETID_Sharing},
};

// --- Reading paths ---

bool ews_is_path(const struct ews_node *node) {
    return ews_is(node, "FieldURI") || ews_is(node, "IndexedFieldURI") ||
           ews_is(node, "ExtendedFieldURI");
}

static enum ec fail_extended(struct ews_call *call, const struct ews_node *node) {
    return ews_fail_with(
        call, &(struct ews_failure){.code = "ErrorInvalidExtendedProperty", .path = node});
}

static bool parse_number(const char *text, unsigned max, uint32_t *out) {
    bool is_hex = g_ascii_strncasecmp(text, "0x", 2) == 0;
    char *end;
    guint64 value = g_ascii_strtoull(is_hex ? text + 2 : text, &end, is_hex ? 16 : 10);
    if (end == text || *end != '\0' || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

static enum ec read_set(struct ews_call *call, const struct ews_node *node, struct ews_path *out) {
    const char *distinguished = ews_attribute(node, "DistinguishedPropertySetId");
    const char *set = ews_attribute(node, "PropertySetId");
    if (!distinguished == !set)
        return fail_extended(call, node);
    if (set)
        return guid_parse(set, &out->name.set) ? EC_OK : fail_extended(call, node);
    for (unsigned i = 0; i < G_N_ELEMENTS(sets); i++) {
        if (strcmp(sets[i].name, distinguished) != 0)
            continue;
        out->name.set = *sets[i].set;
        return EC_OK;
    }
    return fail_extended(call, node);
}

static enum ec read_extended(struct ews_call *call, const struct ews_node *node,
                             struct ews_path *out) {
    const char *tag = ews_attribute(node, "PropertyTag");
    const char *name = ews_attribute(node, "PropertyName");
    const char *lid = ews_attribute(node, "PropertyId");
    uint16_t type = ews_mapi_type(ews_attribute(node, "PropertyType"));
    out->name.kind = PROP_NAME_NONE;
    if (type == 0)
        return ews_fail_with(
            call, &(struct ews_failure){.code = "ErrorUnsupportedMapiPropertyType", .path = node});
    if (tag) {
        uint32_t id;
        if (name || lid || ews_attribute(node, "PropertySetId") ||
            ews_attribute(node, "DistinguishedPropertySetId") || !parse_number(tag, 0xFFFE, &id))
            return fail_extended(call, node);
        if (id >= 0x8000)
            return ews_fail_with(
                call, &(struct ews_failure){.code = "ErrorNoPropertyTagForCustomProperties",
                                            .text = "Named properties have no tag of their own.",
                                            .path = node});
        out->tag = PROP_TAG(id, type);
        return EC_OK;
    }
    if (!name == !lid)
        return fail_extended(call, node);
    EC_TRY(read_set(call, node, out));
    out->tag = PROP_TAG(0, type);
    if (lid) {
        int64_t value;
        if (!ews_parse_int(lid, &value) || value < 0 || value > UINT32_MAX)
            return fail_extended(call, node);
        out->name.kind = PROP_NAME_LID;
        out->name.lid = (uint32_t)value;
        return EC_OK;
    }
    if (!*name || strlen(name) > 2 * NAMED_STRING_MAX_UNITS)
        return fail_extended(call, node);
    out->name.kind = PROP_NAME_STRING;
    out->name.string = name;
    return EC_OK;
}

enum ec ews_read_path(struct ews_call *call, const struct ews_node *node, struct ews_path *out) {
    *out = (struct ews_path){.node = node};
    if (ews_is(node, "ExtendedFieldURI")) {
        out->kind = EWS_PATH_EXTENDED;
        return read_extended(call, node, out);
    }
    bool is_indexed = ews_is(node, "IndexedFieldURI");
    out->kind = is_indexed ? EWS_PATH_INDEXED : EWS_PATH_FIELD;
    out->uri = ews_attribute(node, "FieldURI");
    if (is_indexed)
        out->index = ews_attribute(node, "FieldIndex");
    if ((!is_indexed && !ews_is(node, "FieldURI")) || !out->uri || (is_indexed && !out->index))
        return ews_fault(call, "ErrorSchemaValidation",
                         "The request failed schema validation: a path to a property is wrong.");
    if (!is_indexed) {
        out->property = ews_property_find(out->uri, EWS_ANY_ITEM);
        if (!out->property && !ews_uri_is_known(out->uri))
            return ews_fault(call, "ErrorSchemaValidation",
                             arena_printf(call->arena,
                                          "The request failed schema validation: The 'FieldURI' "
                                          "attribute is invalid - The value '%s' is invalid.",
                                          out->uri));
        return EC_OK;
    }
    const struct ews_indexed *indexed = ews_indexed_find(out->uri, out->index);
    if (!indexed && strcmp(out->uri, "item:InternetMessageHeader") != 0 &&
        strcmp(out->uri, "distributionlist:Members:Member") != 0)
        return ews_fail_with(
            call, &(struct ews_failure){.code = "ErrorInvalidPropertyRequest", .path = node});
    out->property = indexed ? ews_property_find(indexed->property, EWS_ANY_ITEM) : NULL;
    return EC_OK;
}

enum ec ews_read_path_child(struct ews_call *call, const struct ews_node *node,
                            struct ews_path *out) {
    for (const struct ews_node *c = node ? node->child : NULL; c; c = c->next)
        if (ews_is_path(c))
            return ews_read_path(call, c, out);
    return ews_fail(call, "ErrorMissingArgument", "The path to a property is missing.");
}

enum ec ews_path_tag(struct ews_call *call, struct ews_mailbox *m, const struct ews_path *path,
                     proptag_t *out) {
    uint16_t id;
    struct prop_name name = path->name;
    if (path->kind == EWS_PATH_EXTENDED) {
        *out = path->tag;
        if (name.kind == PROP_NAME_NONE)
            return EC_OK;
        EC_TRY(mailbox_name_to_id(m->m, &name, false, &id));
        *out = PROP_TAG(id, PROP_TYPE(path->tag));
        return EC_OK;
    }
    if (path->kind == EWS_PATH_INDEXED) {
        if (strcmp(path->uri, "item:InternetMessageHeader") == 0) {
            g_autofree char *lower = g_ascii_strdown(path->index, -1);
            name = prop_name_string(&PS_INTERNET_HEADERS, lower);
            EC_TRY(mailbox_name_to_id(m->m, &name, false, &id));
            *out = PROP_TAG(id, PT_UNICODE);
            return EC_OK;
        }
        const struct ews_indexed *indexed = ews_indexed_find(path->uri, path->index);
        *out = indexed ? ews_indexed_tag(m, indexed) : 0;
        if (indexed && !*out)
            return EC_NOT_FOUND;
    } else {
        *out = path->property ? path->property->tag : 0;
    }
    if (*out)
        return EC_OK;
    return ews_fail_with(
        call, &(struct ews_failure){.code = "ErrorUnsupportedPathForQuery", .path = path->node});
}

// --- Writing extended properties ---

void ews_write_extended_uri(struct ews_call *call, const struct ews_path *path) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:ExtendedFieldURI");
    if (path->name.kind == PROP_NAME_NONE) {
        ews_attr(w, "PropertyTag", arena_printf(call->arena, "0x%x", PROP_ID(path->tag)));
    } else {
        const char *distinguished = ews_attribute(path->node, "DistinguishedPropertySetId");
        char set[GUID_STRING_SIZE];
        guid_format(&path->name.set, set);
        ews_attr(w, distinguished ? "DistinguishedPropertySetId" : "PropertySetId",
                 distinguished ? distinguished : set);
        if (path->name.kind == PROP_NAME_STRING)
            ews_attr(w, "PropertyName", path->name.string);
        else
            ews_attr_int(w, "PropertyId", path->name.lid);
    }
    ews_attr(w, "PropertyType", ews_mapi_type_name(PROP_TYPE(path->tag)));
    ews_close(w);
}

static const char *double_text(struct arena *arena, double d) {
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return arena_strdup(arena, g_ascii_dtostr(text, sizeof text, d));
}

const char *ews_value_text(struct ews_call *call, const struct prop_value *v) {
    struct arena *arena = call->arena;
    char guid[GUID_STRING_SIZE];
    switch (PROP_TYPE(v->tag)) {
    case PT_I2:
        return arena_printf(arena, "%d", v->i2);
    case PT_LONG:
        return arena_printf(arena, "%d", v->l);
    case PT_I8:
        return arena_printf(arena, "%" G_GINT64_FORMAT, (gint64)v->i8);
    case PT_CURRENCY:
        return double_text(arena, (double)v->i8 / 10000);
    case PT_FLOAT:
        return double_text(arena, (double)v->f);
    case PT_DOUBLE:
    case PT_APPTIME:
        return double_text(arena, v->d);
    case PT_BOOLEAN:
        return v->b ? "true" : "false";
    case PT_SYSTIME:
        return v->time ? ews_date_format(call, v->time) : "1601-01-01T00:00:00Z";
    case PT_UNICODE:
        return v->str;
    case PT_CLSID:
        guid_format(&v->guid, guid);
        return arena_strdup(arena, guid);
    case PT_BINARY:
    case PT_SVREID: {
        g_autofree char *text =
            g_base64_encode(v->bin.len ? v->bin.data : (const guchar *)"", v->bin.len);
        return arena_strdup(arena, text);
    }
    default:
        return NULL;
    }
}

// The i-th of a multi-valued property as a single one.
static struct prop_value element_of(const struct prop_value *v, uint32_t i) {
    struct prop_value one = {.tag = v->tag & ~PT_MV};
    switch (PROP_TYPE(one.tag)) {
    case PT_I2:
        one.i2 = v->mv.i2[i];
        break;
    case PT_LONG:
        one.l = v->mv.l[i];
        break;
    case PT_FLOAT:
        one.f = v->mv.f[i];
        break;
    case PT_DOUBLE:
    case PT_APPTIME:
        one.d = v->mv.d[i];
        break;
    case PT_I8:
    case PT_CURRENCY:
        one.i8 = v->mv.i8[i];
        break;
    case PT_SYSTIME:
        one.time = v->mv.time[i];
        break;
    case PT_UNICODE:
        one.str = v->mv.str[i];
        break;
    case PT_CLSID:
        one.guid = v->mv.guid[i];
        break;
    default:
        one.bin = v->mv.bin[i];
    }
    return one;
}

void ews_write_extended(struct ews_call *call, const struct ews_path *path,
                        const struct prop_value *v) {
    struct ews_writer *w = call->w;
    ews_open(w, "t:ExtendedProperty");
    ews_write_extended_uri(call, path);
    if (PROP_TYPE(v->tag) & PT_MV) {
        ews_open(w, "t:Values");
        for (uint32_t i = 0; i < v->mv.n; i++) {
            struct prop_value one = element_of(v, i);
            ews_element(w, "t:Value", ews_value_text(call, &one));
        }
        ews_close(w);
    } else {
        const char *text = ews_value_text(call, v);
        ews_element(w, "t:Value", text ? text : "");
    }
    ews_close(w);
}

// --- Reading values ---

static bool parse_integer(const char *text, int64_t min, int64_t max, int64_t *out) {
    return ews_parse_int(text, out) && *out >= min && *out <= max;
}

static bool parse_double(const char *text, double *out) {
    char *end;
    *out = g_ascii_strtod(text, &end);
    return end != text && end[strspn(end, " \t\r\n")] == '\0';
}

bool ews_value_parse(struct ews_call *call, proptag_t tag, const char *text,
                     struct prop_value *out) {
    struct ews_node node = {.text = text, .text_len = strlen(text)};
    int64_t number;
    double real;
    bool ok;
    *out = (struct prop_value){.tag = tag};
    switch (PROP_TYPE(tag)) {
    case PT_I2:
        ok = parse_integer(text, INT16_MIN, INT16_MAX, &number);
        out->i2 = ok ? (int16_t)number : 0;
        return ok;
    case PT_LONG:
        ok = parse_integer(text, INT32_MIN, UINT32_MAX, &number);
        out->l = ok ? (int32_t)number : 0;
        return ok;
    case PT_I8:
        return ews_parse_int(text, &out->i8);
    case PT_CURRENCY:
        ok = parse_double(text, &real) && real > -9e14 && real < 9e14;
        out->i8 = ok ? (int64_t)(real * 10000 + (real < 0 ? -0.5 : 0.5)) : 0;
        return ok;
    case PT_FLOAT:
        ok = parse_double(text, &real);
        out->f = (float)real;
        return ok;
    case PT_DOUBLE:
    case PT_APPTIME:
        return parse_double(text, &out->d);
    case PT_BOOLEAN:
        return ews_parse_bool(text, &out->b);
    case PT_SYSTIME:
        return ews_date_parse(call, text, &out->time);
    case PT_UNICODE:
        out->str = text;
        return true;
    case PT_CLSID:
        return guid_parse(text, &out->guid);
    case PT_BINARY:
        return ews_node_base64(call->arena, &node, &out->bin) == EC_OK;
    default:
        return false;
    }
}

// Values of an array type, put together in the arena.
static bool parse_array(struct ews_call *call, const struct ews_node *values, proptag_t tag,
                        struct prop_value *out) {
    uint32_t n = ews_count(values), i = 0;
    struct prop_value *all = arena_alloc0(call->arena, (n + 1) * sizeof *all);
    for (const struct ews_node *c = values->child; c; c = c->next, i++)
        if (!ews_is(c, "Value") || !ews_value_parse(call, tag & ~PT_MV, c->text, &all[i]))
            return false;
    *out = (struct prop_value){.tag = tag};
    out->mv.n = n;
#define GATHER(member, field, ctype)                                                               \
    do {                                                                                           \
        ctype *to = arena_alloc0(call->arena, (n + 1) * sizeof *to);                               \
        for (i = 0; i < n; i++)                                                                    \
            to[i] = all[i].field;                                                                  \
        out->mv.member = to;                                                                       \
    } while (0)
    switch (PROP_TYPE(tag)) {
    case PT_MV_I2:
        GATHER(i2, i2, int16_t);
        break;
    case PT_MV_LONG:
        GATHER(l, l, int32_t);
        break;
    case PT_MV_FLOAT:
        GATHER(f, f, float);
        break;
    case PT_MV_DOUBLE:
    case PT_MV_APPTIME:
        GATHER(d, d, double);
        break;
    case PT_MV_I8:
    case PT_MV_CURRENCY:
        GATHER(i8, i8, int64_t);
        break;
    case PT_MV_SYSTIME:
        GATHER(time, time, filetime_t);
        break;
    case PT_MV_UNICODE:
        GATHER(str, str, const char *);
        break;
    case PT_MV_CLSID:
        GATHER(guid, guid, struct guid);
        break;
    default:
        GATHER(bin, bin, struct prop_bin);
    }
#undef GATHER
    return true;
}

enum ec ews_read_extended_value(struct ews_call *call, const struct ews_node *property,
                                const struct ews_path *path, struct prop_value *out) {
    const struct ews_node *value = ews_child(property, "Value");
    const struct ews_node *values = ews_child(property, "Values");
    bool is_array = PROP_TYPE(path->tag) & PT_MV;
    bool ok = is_array ? values && parse_array(call, values, path->tag, out)
                       : value && ews_value_parse(call, path->tag, value->text, out);
    if (ok)
        return EC_OK;
    return ews_fail_with(call, &(struct ews_failure){.code = "ErrorInvalidExtendedPropertyValue",
                                                     .path = path->node});
}
