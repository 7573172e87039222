// Unfolds content lines and picks the values that are text for people.
#include "formats/content_lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "formats/mime.h"

#define MAX_LINE (1024u * 1024)

// Properties whose values are shown, in both formats.
static const char *const shown[] = {
    "SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "CATEGORIES",  "RESOURCES",
    "FN",      "N",           "NICKNAME", "ORG",     "TITLE",   "ROLE",        "NOTE",
    "EMAIL",   "TEL",         "ADR",      "LABEL",   "URL",     "X-WR-CALNAME"};
// Their addresses are mailto: URIs, and people are named in the parameter CN.
static const char *const people[] = {"ATTENDEE", "ORGANIZER"};

static bool is_among(const char *name, size_t len, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strlen(list[i]) == len && g_ascii_strncasecmp(name, list[i], len) == 0)
            return true;
    return false;
}

// The next whole line into `line`; false at the end.
static bool next_line(const char **p, const char *end, GString *line) {
    g_string_truncate(line, 0);
    if (*p == end)
        return false;
    do {
        const char *lf = memchr(*p, '\n', (size_t)(end - *p));
        size_t n = lf ? (size_t)(lf - *p) : (size_t)(end - *p);
        const char *start = *p;
        *p = lf ? lf + 1 : end;
        if (n > 0 && start[n - 1] == '\r')
            n--;
        if (line->len > 0 && n > 0) // the white space that marks a continuation
            start++, n--;
        if (line->len < MAX_LINE)
            g_string_append_len(line, start, (gssize)n);
    } while (line->len > 0 && *p < end && (**p == ' ' || **p == '\t'));
    return true;
}

// Old vCards carry quoted-printable values, whose lines end in '='.
static void join_soft_lines(const char **p, const char *end, GString *line) {
    while (line->len > 0 && line->str[line->len - 1] == '=' && *p < end && line->len < MAX_LINE) {
        const char *lf = memchr(*p, '\n', (size_t)(end - *p));
        size_t n = lf ? (size_t)(lf - *p) : (size_t)(end - *p);
        g_string_append(line, "\r\n");
        g_string_append_len(line, *p, (gssize)n);
        if (line->str[line->len - 1] == '\r')
            g_string_truncate(line, line->len - 1);
        *p = lf ? lf + 1 : end;
    }
}

// The ':' between name with parameters and value, outside quotes; NULL: it is no content line.
static const char *value_of(const char *line) {
    bool is_quoted = false;
    for (; *line; line++) {
        if (*line == '"')
            is_quoted = !is_quoted;
        else if (*line == ':' && !is_quoted)
            return line + 1;
    }
    return NULL;
}

static void put_value(GString *out, const char *p, size_t len, bool is_structured) {
    if (len == 0)
        return;
    for (const char *end = p + len; p < end; p++) {
        char c = *p;
        if (c == '\\' && p + 1 < end) {
            p++;
            c = *p == 'n' || *p == 'N' ? '\n' : *p;
        } else if (c == ';' && is_structured) { // between the pieces of a name or an address
            c = ' ';
        }
        if ((unsigned char)c >= ' ' || c == '\n' || c == '\t')
            g_string_append_c(out, c == 0x7F ? ' ' : c);
    }
    g_string_append_c(out, '\n');
}

static void put_person(GString *out, const char *line, const char *value) {
    const char *end = value - 1;
    for (const char *p = line; (p = memchr(p, ';', (size_t)(end - p)));) {
        p++;
        if (end - p < 3 || g_ascii_strncasecmp(p, "CN=", 3) != 0)
            continue;
        p += 3;
        bool is_quoted = p < end && *p == '"';
        p += is_quoted;
        const char *stop = p;
        while (stop < end && (is_quoted ? *stop != '"' : *stop != ';'))
            stop++;
        put_value(out, p, (size_t)(stop - p), false);
        break;
    }
    if (g_ascii_strncasecmp(value, "mailto:", 7) == 0)
        put_value(out, value + 7, strlen(value + 7), false);
}

// An encoded value in the charset that its parameter names. What is not ASCII before decoding has
// been made UTF-8 with the whole.
static const char *decode_value(struct arena *scratch, const char *value, const char *params,
                                size_t *len) {
    const char *charset = strstr(params, ";CHARSET=");
    char name[40] = "";
    if (charset)
        g_strlcpy(name, charset + 9, sizeof name);
    name[strcspn(name, ";:")] = 0;
    if (!text_is_ascii(value, *len))
        g_strlcpy(name, "utf-8", sizeof name);
    g_autoptr(GBytes) bytes = mime_decode(value, *len, MIME_QUOTED_PRINTABLE);
    return mime_to_utf8(scratch, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                        *name ? name : NULL, len);
}

static void put_line(GString *out, struct arena *scratch, const char *line) {
    const char *value = value_of(line);
    if (!value)
        return;
    size_t n = strcspn(line, ";:");
    const char *dot = memchr(line, '.', n); // a vCard group: "item1.EMAIL"
    const char *name = dot ? dot + 1 : line;
    n -= (size_t)(name - line);
    if (is_among(name, n, people, G_N_ELEMENTS(people))) {
        put_person(out, line, value);
    } else if (is_among(name, n, shown, G_N_ELEMENTS(shown))) {
        g_autofree char *params = g_ascii_strup(line, value - line);
        size_t len = strlen(value);
        if (strstr(params, "QUOTED-PRINTABLE"))
            value = decode_value(scratch, value, params, &len);
        put_value(out, value, len, true);
        arena_reset(scratch);
    }
}

char *content_lines_text(struct arena *arena, const void *data, size_t len, const char *charset,
                         size_t max, size_t *len_out) {
    ARENA_AUTO text_arena = arena_new();
    ARENA_AUTO scratch = arena_new();
    size_t n;
    const char *p = mime_to_utf8(text_arena, data, len, charset, &n), *end = p + n;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    while (out->len < max && next_line(&p, end, line)) {
        if (line->len > 0 && line->str[line->len - 1] == '=' &&
            strcasestr(line->str, "QUOTED-PRINTABLE"))
            join_soft_lines(&p, end, line);
        put_line(out, scratch, line->str);
    }
    if (len_out)
        *len_out = out->len;
    return arena_strndup(arena, out->str, out->len);
}
