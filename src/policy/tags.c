// Reading tag lists.
#include "policy/tags.h"

#include <glib.h>
#include <string.h>

#include "policy/limits.h"

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_tag_char(char c) {
    return g_ascii_isalnum(c) || c == '_';
}

// [RFC 6376] 3.2: printable characters except the semicolon, and white space; bytes of UTF-8 are
// let through ([RFC 8616]).
static bool is_value_char(char c) {
    return is_space(c) || (unsigned char)c > ' ';
}

static bool parse_tag(struct arena *arena, const char *text, size_t start, size_t end,
                      struct tag *out) {
    const char *equals = memchr(text + start, '=', end - start);
    if (!equals)
        return false;
    size_t name_end = (size_t)(equals - text), value = name_end + 1, value_end = end;
    out->at = value;
    out->len = end - value;
    while (name_end > start && is_space(text[name_end - 1]))
        name_end--;
    if (name_end == start || !g_ascii_isalpha(text[start]))
        return false;
    for (size_t i = start; i < name_end; i++)
        if (!is_tag_char(text[i]))
            return false;
    for (size_t i = value; i < value_end; i++)
        if (!is_value_char(text[i]) || text[i] == 0x7f)
            return false;
    while (value < value_end && is_space(text[value]))
        value++;
    while (value_end > value && is_space(text[value_end - 1]))
        value_end--;
    out->name = arena_strndup(arena, text + start, name_end - start);
    out->value = arena_strndup(arena, text + value, value_end - value);
    return true;
}

bool tag_list_parse(struct arena *arena, const char *text, size_t len, struct tag_list *out) {
    *out = (struct tag_list){.items = arena_alloc(arena, TAGS_MAX * sizeof *out->items)};
    size_t at = 0;
    while (at < len) {
        const char *semicolon = memchr(text + at, ';', len - at);
        size_t end = semicolon ? (size_t)(semicolon - text) : len, start = at;
        while (start < end && is_space(text[start]))
            start++;
        at = end + 1;
        if (start == end && !semicolon)
            break; // after the last semicolon
        if (start == end || out->n == TAGS_MAX)
            return false;
        struct tag *tag = &out->items[out->n];
        if (!parse_tag(arena, text, start, end, tag) || tag_list_find(out, tag->name))
            return false;
        out->n++;
    }
    return out->n > 0;
}

const struct tag *tag_list_find(const struct tag_list *list, const char *name) {
    for (unsigned i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

const char *tag_list_get(const struct tag_list *list, const char *name) {
    const struct tag *tag = tag_list_find(list, name);
    return tag ? tag->value : NULL;
}

char *tag_compact(struct arena *arena, const char *value) {
    char *out = arena_strdup(arena, value), *to = out;
    for (const char *p = out; *p; p++)
        if (!is_space(*p))
            *to++ = *p;
    *to = 0;
    return out;
}

bool tag_base64(struct arena *arena, const char *value, size_t max, uint8_t **out,
                size_t *len_out) {
    char *compact = tag_compact(arena, value);
    size_t len = strlen(compact), padding = 0;
    while (padding < 2 && padding < len && compact[len - 1 - padding] == '=')
        padding++;
    if (len == 0 || len % 4 != 0 || len / 4 * 3 > max + 2)
        return false;
    for (size_t i = 0; i < len - padding; i++)
        if (!g_ascii_isalnum(compact[i]) && compact[i] != '+' && compact[i] != '/')
            return false;
    gsize decoded;
    g_autofree guchar *bytes = g_base64_decode(compact, &decoded);
    *out = arena_memdup(arena, bytes, decoded);
    *len_out = decoded;
    return decoded > 0 && decoded <= max;
}

bool tag_number(const char *value, uint64_t *out) {
    size_t len = strlen(value);
    if (len == 0 || len > 12 || strspn(value, "0123456789") != len)
        return false;
    *out = g_ascii_strtoull(value, NULL, 10);
    return true;
}

bool tag_has_word(const char *list, char separator, const char *word) {
    for (const char *p = list; *p;) {
        const char *end = strchr(p, separator), *last;
        end = end ? end : p + strlen(p);
        last = end;
        while (p < last && is_space(*p))
            p++;
        while (last > p && is_space(last[-1]))
            last--;
        if ((size_t)(last - p) == strlen(word) &&
            g_ascii_strncasecmp(p, word, (size_t)(last - p)) == 0)
            return true;
        p = *end ? end + 1 : end;
    }
    return false;
}
