// Header fields of a message, where they are.
#include "policy/fields.h"

#include <glib.h>
#include <string.h>

#include "policy/limits.h"

// The end of the field at `p`: behind the line that no continuation follows.
static const char *field_end(const char *p, const char *end) {
    for (;;) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        if (!line)
            return end;
        p = line + 1;
        if (p == end || (*p != ' ' && *p != '\t'))
            return p;
    }
}

static bool read_field(const char *p, const char *end, struct mail_field *out) {
    const char *colon = memchr(p, ':', (size_t)(end - p));
    if (!colon || colon == p)
        return false;
    size_t name = (size_t)(colon - p);
    while (name > 0 && (p[name - 1] == ' ' || p[name - 1] == '\t'))
        name--;
    for (size_t i = 0; i < name; i++)
        if (p[i] <= ' ' || p[i] == 0x7f)
            return false;
    *out = (struct mail_field){.bytes = p,
                               .len = (size_t)(end - p),
                               .name_len = name,
                               .value_at = (size_t)(colon + 1 - p)};
    return name > 0;
}

bool mail_fields_read(struct arena *arena, const char *message, size_t len,
                      struct mail_fields *out) {
    const char *p = message, *end = message + len;
    unsigned room = 32;
    *out = (struct mail_fields){.items = arena_alloc(arena, room * sizeof *out->items)};
    while (p < end && *p != '\n' && !(*p == '\r' && p + 1 < end && p[1] == '\n')) {
        const char *next = field_end(p, end);
        struct mail_field field;
        if (!read_field(p, next, &field)) {
            out->body = p;
            out->body_len = (size_t)(end - p);
            return true;
        }
        if (out->n == FIELDS_MAX)
            return false;
        if (out->n == room) {
            struct mail_field *more = arena_alloc(arena, 2 * (size_t)room * sizeof *more);
            memcpy(more, out->items, room * sizeof *more);
            out->items = more;
            room *= 2;
        }
        out->items[out->n++] = field;
        p = next;
    }
    if (p < end)
        p += *p == '\r' ? 2 : 1;
    out->body = p;
    out->body_len = (size_t)(end - p);
    return true;
}

bool mail_field_is(const struct mail_field *field, const char *name) {
    return field->name_len == strlen(name) &&
           g_ascii_strncasecmp(field->bytes, name, field->name_len) == 0;
}

const struct mail_field *mail_fields_find(const struct mail_fields *fields, const char *name,
                                          unsigned n) {
    for (unsigned i = 0; i < fields->n; i++)
        if (mail_field_is(&fields->items[i], name) && n-- == 0)
            return &fields->items[i];
    return NULL;
}

char *mail_field_value(struct arena *arena, const struct mail_field *field) {
    char *value = arena_alloc(arena, field->len - field->value_at + 1), *out = value;
    for (size_t i = field->value_at; i < field->len; i++)
        if (field->bytes[i] != '\r' && field->bytes[i] != '\n' && field->bytes[i] != 0)
            *out++ = field->bytes[i];
    *out = 0;
    return g_strstrip(value);
}
