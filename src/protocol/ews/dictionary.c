// Dictionaries of user configurations, between EWS and their stored form.
#include "protocol/ews/dictionary.h"

#include <string.h>

static const struct {
    const char *name; // UserConfigurationDictionaryObjectTypesType
    const char *mark; // in the stored form, before the value
} types[] = {
    {"DateTime", "16-"},    {"Boolean", "3-"},
    {"Byte", "6-"},         {"String", "18-"},
    {"Integer32", "9-"},    {"UnsignedInteger32", "10-"},
    {"Integer64", "11-"},   {"UnsignedInteger64", "12-"},
    {"StringArray", "1-S"}, {"ByteArray", "1-B"},
};

static int type_of_name(const char *name) {
    for (unsigned i = 0; name && i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int type_of_stored(const char *text) {
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_has_prefix(text, types[i].mark))
            return (int)i;
    return -1;
}

static bool is_array(int type) {
    return strcmp(types[type].name, "StringArray") == 0;
}

// --- From EWS ---

// Whether a text is one of the type, as far as it matters for reading it again.
static bool is_valid(struct ews_call *call, int type, const char *text) {
    int64_t n;
    bool b;
    filetime_t t;
    const char *name = types[type].name;
    if (strcmp(name, "Boolean") == 0)
        return ews_parse_bool(text, &b);
    if (strcmp(name, "DateTime") == 0)
        return ews_date_parse(call, text, &t);
    if (strcmp(name, "UnsignedInteger64") == 0) {
        guint64 u;
        return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &u, NULL);
    }
    if (strstr(name, "Integer") || strcmp(name, "Byte") == 0) {
        if (!ews_parse_int(text, &n))
            return false;
        return strcmp(name, "Byte") == 0                ? n >= 0 && n <= 255
               : strcmp(name, "Integer32") == 0         ? n >= INT32_MIN && n <= INT32_MAX
               : strcmp(name, "UnsignedInteger32") == 0 ? n >= 0 && n <= (int64_t)UINT32_MAX
                                                        : true;
    }
    return true;
}

static void put_escaped(GString *out, const char *text, size_t len) {
    g_autofree char *escaped = g_markup_escape_text(text, (gssize)len);
    g_string_append(out, escaped);
}

// The texts of an array, each as "LENGTH:TEXT".
static void put_array(GString *out, const struct ews_node *first) {
    for (const struct ews_node *v = first; v; v = ews_next(v)) {
        g_string_append_printf(out, "%zu:", v->text_len);
        put_escaped(out, v->text, v->text_len);
    }
}

static enum ec put_object(struct ews_call *call, const struct ews_node *object, GString *out) {
    const char *name = ews_child_text(call->arena, object, "Type");
    const struct ews_node *value = ews_child(object, "Value");
    int type = type_of_name(name);
    if (type < 0 || !value)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    const char *text = ews_text(call->arena, value);
    bool is_text = strcmp(types[type].name, "String") == 0;
    if (!is_array(type) && (ews_next(value) || !is_valid(call, type, text)))
        return ews_fail(call, "ErrorInvalidValueForProperty", NULL);
    g_string_append(out, types[type].mark);
    if (is_array(type))
        put_array(out, value);
    else if (is_text)
        put_escaped(out, value->text, value->text_len);
    else if (strcmp(types[type].name, "Boolean") == 0)
        g_string_append(out, ews_node_bool(value, false) ? "True" : "False");
    else
        put_escaped(out, text, strlen(text));
    return EC_OK;
}

static enum ec put_entry(struct ews_call *call, const struct ews_node *entry, GString *out,
                         GHashTable *keys) {
    const struct ews_node *key = ews_child(entry, "DictionaryKey");
    const struct ews_node *value = ews_child(entry, "DictionaryValue");
    const char *nil = ews_attribute(value, "nil");
    g_autoptr(GString) text = g_string_new(NULL);
    if (!key || !value)
        return ews_fail(call, "ErrorInvalidArgument", NULL);
    EC_TRY(put_object(call, key, text));
    if (!g_hash_table_add(keys, g_strdup(text->str)))
        return ews_fail(call, "ErrorInvalidArgument", "A key stands in the dictionary twice.");
    g_string_append_printf(out, "<e k=\"%s\"", text->str);
    if (!nil || (strcmp(nil, "true") != 0 && strcmp(nil, "1") != 0)) {
        g_string_truncate(text, 0);
        EC_TRY(put_object(call, value, text));
        g_string_append_printf(out, " v=\"%s\"", text->str);
    }
    g_string_append(out, "/>");
    return EC_OK;
}

enum ec dictionary_read(struct ews_call *call, const struct ews_node *dictionary,
                        struct prop_bin *out) {
    g_autoptr(GString) xml =
        g_string_new("<?xml version=\"1.0\" encoding=\"utf-8\"?><UserConfiguration>"
                     "<Info version=\"Bourse.1\"/><Data>");
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    unsigned n = 0;
    for (const struct ews_node *e = ews_child(dictionary, "DictionaryEntry"); e; e = ews_next(e)) {
        if (++n > DICTIONARY_ENTRIES_MAX)
            return ews_fail(call, "ErrorDataSizeLimitExceeded", NULL);
        EC_TRY(put_entry(call, e, xml, keys));
    }
    g_string_append(xml, "</Data></UserConfiguration>");
    *out = (struct prop_bin){(uint32_t)xml->len, arena_memdup(call->arena, xml->str, xml->len)};
    return EC_OK;
}

// --- To EWS ---

static void write_array(struct ews_writer *w, const char *text) {
    unsigned n = 0;
    while (*text) {
        char *end;
        guint64 len = g_ascii_strtoull(text, &end, 10);
        if (*end != ':' || len > strlen(end + 1))
            break;
        ews_open(w, "t:Value");
        ews_put_text_len(w, end + 1, len);
        ews_close(w);
        text = end + 1 + len;
        n++;
    }
    if (n == 0)
        ews_element(w, "t:Value", "");
}

// A stored value; false: it is none that EWS has.
static bool write_object(struct ews_writer *w, const char *element, const char *stored) {
    int type = type_of_stored(stored);
    if (type < 0)
        return false;
    const char *text = stored + strlen(types[type].mark);
    ews_open(w, element);
    ews_element(w, "t:Type", types[type].name);
    if (is_array(type))
        write_array(w, text);
    else if (strcmp(types[type].name, "Boolean") == 0)
        ews_element(w, "t:Value", g_ascii_strcasecmp(text, "true") == 0 ? "true" : "false");
    else
        ews_element(w, "t:Value", text);
    ews_close(w);
    return true;
}

static void write_entry(struct ews_writer *w, const struct ews_node *e) {
    const char *key = ews_attribute(e, "k"), *value = ews_attribute(e, "v");
    struct ews_mark mark = ews_mark(w);
    if (!key)
        return;
    ews_open(w, "t:DictionaryEntry");
    bool is_good = write_object(w, "t:DictionaryKey", key);
    if (is_good && value) {
        is_good = write_object(w, "t:DictionaryValue", value);
    } else if (is_good) {
        ews_open(w, "t:DictionaryValue");
        ews_attr(w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
        ews_attr_bool(w, "xsi:nil", true);
        ews_close(w);
    }
    ews_close(w);
    if (!is_good) // of a type that only MAPI clients know
        ews_rewind(w, mark);
}

// Clients give the elements namespaces of their own, or none.
static const struct ews_node *find(const struct ews_node *node, const char *name) {
    const struct ews_node *n = node ? node->child : NULL;
    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

enum ec dictionary_write(struct ews_call *call, struct prop_bin stored) {
    struct ews_node *root = NULL;
    if (stored.len > 0 &&
        ews_node_parse(call->arena, stored.data, stored.len, &root, NULL) != EC_OK)
        return EC_CORRUPT_DATA;
    const struct ews_node *data = find(root, "Data");
    ews_open(call->w, "t:Dictionary");
    for (const struct ews_node *e = data ? data->child : NULL; e; e = e->next)
        if (strcmp(e->name, "e") == 0)
            write_entry(call->w, e);
    ews_close(call->w);
    return EC_OK;
}
