// GKeyFile under a schema.
#include "base/config.h"

#include <string.h>

struct config {
    const struct config_item *items;
    GHashTable *values; // "section\nkey" -> text
};

static const struct config_item *find_item(const struct config_item *items, const char *section,
                                           const char *key) {
    for (const struct config_item *i = items; i->section; i++)
        if (strcmp(i->section, section) == 0 && (!key || strcmp(i->key, key) == 0))
            return i;
    return NULL;
}

static bool parse_scaled(const char *text, const char *units, const int64_t *factors,
                         int64_t *out) {
    char *end;
    if (!g_ascii_isdigit(*text))
        return false;
    guint64 n = g_ascii_strtoull(text, &end, 10);
    int64_t factor = 1;
    if (*end) {
        const char *unit = strchr(units, g_ascii_tolower(*end));
        if (!unit || end[1])
            return false;
        factor = factors[unit - units];
    }
    if (n > (guint64)(INT64_MAX / factor))
        return false;
    *out = (int64_t)n * factor;
    return true;
}

static bool parse_number(const struct config_item *item, const char *text, int64_t *out) {
    static const int64_t sizes[] = {1 << 10, 1 << 20, 1 << 30, INT64_C(1) << 40};
    static const int64_t times[] = {1, 60, 3600, 86400};
    switch (item->kind) {
    case CONFIG_SIZE:
        return parse_scaled(text, "kmgt", sizes, out);
    case CONFIG_DURATION:
        return parse_scaled(text, "smhd", times, out);
    default:
        return parse_scaled(text, "", NULL, out);
    }
}

static bool valid_address(const char *text) {
    if (!*text)
        return true;
    const char *colon = strrchr(text, ':');
    int64_t port;
    return colon && colon > text && parse_scaled(colon + 1, "", NULL, &port) && port <= 65535;
}

static bool valid_choice(const char *choices, const char *text) {
    g_auto(GStrv) all = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *)all, text);
}

static bool valid_value(const struct config_item *item, const char *text) {
    int64_t n;
    switch (item->kind) {
    case CONFIG_STRING:
        return g_utf8_validate(text, -1, NULL);
    case CONFIG_BOOL:
        return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
    case CONFIG_ADDRESS:
        return valid_address(text);
    case CONFIG_CHOICE:
        return valid_choice(item->choices, text);
    default:
        return parse_number(item, text, &n);
    }
}

static const char *kind_text(const struct config_item *item) {
    switch (item->kind) {
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_INT:
        return "a whole number";
    case CONFIG_SIZE:
        return "a size such as 500K, 50M or 2G";
    case CONFIG_DURATION:
        return "a duration such as 30s, 5m, 2h or 14d";
    case CONFIG_ADDRESS:
        return "address:port, or empty to switch it off";
    case CONFIG_CHOICE:
        return item->choices;
    default:
        return "text";
    }
}

static char *value_key(const char *section, const char *key) {
    return g_strdup_printf("%s\n%s", section, key);
}

struct config *config_new(const struct config_item *items) {
    struct config *config = g_new0(struct config, 1);
    config->items = items;
    config->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return config;
}

void config_free(struct config *config) {
    if (!config)
        return;
    g_hash_table_unref(config->values);
    g_free(config);
}

enum ec config_set(struct config *config, const char *section, const char *key, const char *value) {
    const struct config_item *item = find_item(config->items, section, key);
    if (!item)
        return EC_NOT_FOUND;
    if (!valid_value(item, value))
        return EC_INVALID_PARAMETER;
    g_hash_table_insert(config->values, value_key(section, key), g_strdup(value));
    return EC_OK;
}

static enum ec load_section(struct config *config, GKeyFile *file, const char *path,
                            const char *section, char **error_out) {
    if (!find_item(config->items, section, NULL)) {
        *error_out = g_strdup_printf("%s: there is no section [%s]; remove it or correct its name",
                                     path, section);
        return EC_INVALID_PARAMETER;
    }
    g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);
    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_string(file, section, *key, NULL);
        const struct config_item *item = find_item(config->items, section, *key);
        if (!item) {
            *error_out = g_strdup_printf("%s: [%s] has no key '%s'; remove it or correct its name",
                                         path, section, *key);
            return EC_INVALID_PARAMETER;
        }
        if (!value || config_set(config, section, *key, value) != EC_OK) {
            *error_out = g_strdup_printf("%s: [%s] %s = %s is not valid; it takes %s", path,
                                         section, *key, value ? value : "", kind_text(item));
            return EC_INVALID_PARAMETER;
        }
    }
    return EC_OK;
}

enum ec config_load(const char *path, const struct config_item *items, struct config **out,
                    char **error_out) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error)) {
        *error_out = g_strdup_printf("%s: %s", path, error->message);
        return g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? EC_NOT_FOUND
                                                                        : EC_INVALID_PARAMETER;
    }
    struct config *config = config_new(items);
    g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
    for (char **section = sections; *section; section++) {
        enum ec ec = load_section(config, file, path, *section, error_out);
        if (ec != EC_OK) {
            config_free(config);
            return ec;
        }
    }
    *out = config;
    return EC_OK;
}

const char *config_string(const struct config *config, const char *section, const char *key) {
    const struct config_item *item = find_item(config->items, section, key);
    g_assert(item);
    g_autofree char *k = value_key(section, key);
    const char *value = g_hash_table_lookup(config->values, k);
    return value ? value : item->def;
}

bool config_bool(const struct config *config, const char *section, const char *key) {
    return strcmp(config_string(config, section, key), "true") == 0;
}

int64_t config_int(const struct config *config, const char *section, const char *key) {
    const struct config_item *item = find_item(config->items, section, key);
    int64_t n = 0;
    bool valid = parse_number(item, config_string(config, section, key), &n);
    g_assert(valid);
    return n;
}

// Comment lines of at most about 78 columns.
static void append_comment(GString *out, const char *text) {
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t column = 0;
    for (char **w = words; *w; w++) {
        if (column == 0 || column + 1 + strlen(*w) > 76) {
            g_string_append(out, column ? "\n#" : "#");
            column = 1;
        }
        g_string_append_printf(out, " %s", *w);
        column += 1 + strlen(*w);
    }
    g_string_append_c(out, '\n');
}

char *config_format(const struct config *config) {
    GString *out =
        g_string_new("# Configuration of Bourse. Lines beginning with # are comments.\n"
                     "# `bourse serve` names any mistake in here; SIGHUP reads it again.\n");
    const char *section = "";
    for (const struct config_item *i = config->items; i->section; i++) {
        if (strcmp(section, i->section) != 0)
            g_string_append_printf(out, "\n[%s]\n", section = i->section);
        append_comment(out, i->help);
        if (i->choices)
            g_string_append_printf(out, "# One of: %s\n", i->choices);
        g_string_append_printf(out, "%s = %s\n", i->key, config_string(config, section, i->key));
    }
    return g_string_free(out, FALSE);
}
