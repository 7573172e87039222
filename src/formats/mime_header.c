// Header fields: walking them, unfolding their values, comments, and lists of message ids
// ([RFC 5322] 2.2, 3.2.2, 3.6.4).
#include <string.h>

#include "formats/mime_internal.h"

bool mime_name_is(const uint8_t *text, size_t len, const char *name) {
    return g_ascii_strncasecmp((const char *)text, name, len) == 0 && name[len] == 0;
}

char *mime_unfold(struct arena *arena, const uint8_t *data, size_t len, size_t max) {
    while (len > 0 && mime_is_space(data[0]))
        data++, len--;
    len = MIN(len, max);
    while (len > 0 && mime_is_space(data[len - 1]))
        len--;
    char *out = arena_alloc(arena, len + 1), *w = out;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = data[i];
        if (c >= ' ' || c == '\t')
            *w++ = (char)c;
        else if (c == '\n' || (c == '\r' && i + 1 < len && data[i + 1] == '\n')) {
            i += c == '\r';
            if (i + 1 < len && data[i + 1] == '\t') {
                i++;
                *w++ = ' ';
            }
        } else if (c == 0 || c == '\r')
            *w++ = ' ';
        else
            *w++ = (char)c;
    }
    *w = 0;
    return out;
}

// The next field of [*pos, end) of the data. The shape of a field's first line is the scanner's.
static bool next_field(const struct mime_message *m, size_t end, size_t *pos,
                       struct mime_header *out) {
    const uint8_t *data = m->data;
    while (*pos < end) {
        size_t start = *pos, colon = start;
        while (colon < end && mime_is_ftext(data[colon]))
            colon++;
        size_t name_len = colon - start;
        while (colon < end && mime_is_wsp(data[colon]))
            colon++;
        bool is_field = name_len > 0 && colon < end && data[colon] == ':';
        size_t next = is_field ? colon : start;
        do {
            const uint8_t *lf = memchr(data + next, '\n', end - next);
            next = lf ? (size_t)(lf - data) + 1 : end;
        } while (is_field && next < end && mime_is_wsp(data[next]));
        *pos = next;
        if (!is_field)
            continue;
        size_t value_end = next;
        if (data[value_end - 1] == '\n')
            value_end--;
        if (value_end > colon + 1 && data[value_end - 1] == '\r' && value_end < next)
            value_end--;
        *out = (struct mime_header){.name = {start, name_len},
                                    .value = {colon + 1, value_end - colon - 1},
                                    .whole = {start, next - start}};
        return true;
    }
    return false;
}

bool mime_header_next(const struct mime_message *m, const struct mime_part *part, size_t *pos,
                      struct mime_header *out) {
    size_t at = part->header.pos + MIN(*pos, part->header.len);
    bool found = next_field(m, part->header.pos + part->header.len, &at, out);
    *pos = at - part->header.pos;
    return found;
}

char *mime_header_value(struct arena *arena, const struct mime_message *m,
                        const struct mime_header *header, size_t max) {
    return mime_unfold(arena, m->data + header->value.pos, header->value.len, max);
}

char *mime_header_raw(struct arena *arena, const struct mime_message *m,
                      const struct mime_part *part, const char *name) {
    struct mime_header h;
    size_t len = strlen(name);
    for (size_t pos = 0; mime_header_next(m, part, &pos, &h);)
        if (h.name.len == len && mime_name_is(m->data + h.name.pos, len, name))
            return mime_unfold(arena, m->data + h.value.pos, h.value.len, MIME_MAX_FIELD);
    return NULL;
}

char *mime_header_text(struct arena *arena, const struct mime_message *m,
                       const struct mime_part *part, const char *name,
                       const char *fallback_charset) {
    char *raw = mime_header_raw(arena, m, part, name);
    return raw ? mime_decode_words(arena, raw, fallback_charset) : NULL;
}

const char *mime_skip_cfws(struct arena *arena, const char *p, const char **comment_out) {
    for (;;) {
        while (mime_is_space(*p))
            p++;
        if (*p != '(')
            return p;
        const char *start = ++p;
        unsigned depth = 1;
        for (; *p; p++) {
            if (*p == '\\' && p[1])
                p++;
            else if (*p == '(')
                depth++;
            else if (*p == ')' && --depth == 0)
                break;
        }
        if (comment_out) {
            char *text = arena_alloc(arena, (size_t)(p - start) + 1), *w = text;
            for (const char *q = start; q < p; q++) {
                if (*q == '\\' && q + 1 < p)
                    q++;
                *w++ = *q;
            }
            *w = 0;
            *comment_out = text;
        }
        if (*p)
            p++;
    }
}

char **mime_parse_ids(struct arena *arena, const char *raw) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    while (ids->len < MIME_MAX_IDS) {
        const char *open = strchr(raw, '<');
        if (!open)
            break;
        size_t n = strcspn(open + 1, "<>");
        const char *end = open + 1 + n;
        if (*end == '>' && n > 0) {
            // White space inside comes from folding by careless programs.
            char *id = arena_alloc(arena, n + 1), *w = id;
            for (size_t i = 0; i < n; i++)
                if (!mime_is_space(open[1 + i]))
                    *w++ = open[1 + i];
            *w = 0;
            if (*id)
                g_ptr_array_add(ids, id);
        }
        raw = *end == '>' ? end + 1 : end;
    }
    // A bare id without brackets, as some programs write it.
    if (ids->len == 0 && strchr(raw, '@') && !strpbrk(raw, " \t<>,;\"()"))
        g_ptr_array_add(ids, arena_strdup(arena, raw));
    g_ptr_array_add(ids, NULL);
    return arena_memdup(arena, ids->pdata, ids->len * sizeof(char *));
}
