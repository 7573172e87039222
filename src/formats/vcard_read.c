// Reads vCards of all versions, tolerant: what is no line is passed over.
#include <string.h>

#include "base/text.h"
#include "formats/mime.h"
#include "formats/vcard.h"

#define MAX_PARAMS 64

// --- Lines ---

struct lines {
    struct arena *arena;
    const char *p, *end;
    bool keeps_space; // 2.1: folding keeps the white space
};

// One line of the file without its end; false at the end.
static bool take_line(const char **p, const char *end, const char **line, size_t *len) {
    if (*p >= end)
        return false;
    const char *lf = memchr(*p, '\n', (size_t)(end - *p)), *stop = lf ? lf : end;
    *line = *p;
    *len = (size_t)(stop - *p);
    while (*len > 0 && (*line)[*len - 1] == '\r')
        --*len;
    *p = lf ? lf + 1 : end;
    return true;
}

static bool is_quoted_printable(const char *line, size_t len) {
    const char *colon = memchr(line, ':', len);
    static const char word[] = "QUOTED-PRINTABLE";
    size_t head = colon ? (size_t)(colon - line) : 0, n = sizeof word - 1;
    for (size_t i = 0; i + n <= head; i++)
        if (g_ascii_strncasecmp(line + i, word, n) == 0)
            return true;
    return false;
}

// A line with those that go on with it: those that begin with white space, and after a soft line
// end of quoted-printable the next one.
static bool unfold(struct lines *l, GString *out) {
    const char *line;
    size_t len;
    g_string_truncate(out, 0);
    if (!take_line(&l->p, l->end, &line, &len))
        return false;
    g_string_append_len(out, line, (gssize)len);
    bool is_soft = is_quoted_printable(line, len);
    while (l->p < l->end) {
        bool goes_on = is_soft && out->len > 0 && out->str[out->len - 1] == '=';
        bool is_folded = *l->p == ' ' || *l->p == '\t';
        if (!goes_on && !is_folded)
            break;
        take_line(&l->p, l->end, &line, &len);
        if (goes_on)
            g_string_append_c(out, '\n'); // the decoder takes it out
        else if (!l->keeps_space)
            line++, len--;
        g_string_append_len(out, line, (gssize)len);
    }
    return true;
}

static bool is_line(const char *s, const char *name, const char *value) {
    size_t n = strlen(name);
    if (g_ascii_strncasecmp(s, name, n) != 0 || s[n] != ':')
        return false;
    s += n + 1;
    s += strspn(s, " \t");
    size_t len = strcspn(s, " \t");
    return strlen(value) == len && g_ascii_strncasecmp(s, value, len) == 0;
}

// --- A line taken apart ---

static char *upper(struct arena *arena, const char *s, size_t len) {
    char *out = arena_strndup(arena, s, len);
    for (char *p = out; *p; p++)
        *p = g_ascii_toupper(*p);
    return g_strstrip(out);
}

// The end of a parameter or value list part: at one of `stops`, outside of quotes.
static const char *part_end(const char *p, const char *stops) {
    bool is_quoted = false;
    for (; *p; p++) {
        if (*p == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && strchr(stops, *p))
            break;
    }
    return p;
}

// Quotes and the escapes of [RFC 6868] undone.
static const char *param_value(struct arena *arena, const char *s, size_t len) {
    char *out = arena_alloc(arena, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"')
            continue;
        char c = s[i];
        if (c == '^' && i + 1 < len && strchr("n^'", s[i + 1]))
            c = s[++i] == 'n' ? '\n' : s[i] == '\'' ? '"' : '^';
        out[n++] = c;
    }
    out[n] = 0;
    return out;
}

static void add_param(struct vcard_line *line, const char *name, const char *value) {
    if (line->n_params < MAX_PARAMS)
        line->params[line->n_params++] = (struct vcard_param){name, value};
}

static void read_param(struct arena *arena, const char *p, const char *end,
                       struct vcard_line *line) {
    static const char *const encodings[] = {"BASE64", "B", "QUOTED-PRINTABLE", "8BIT", "7BIT"};
    const char *equals = memchr(p, '=', (size_t)(end - p));
    if (!equals) { // 2.1: a bare word
        const char *word = upper(arena, p, (size_t)(end - p));
        const char *name = "TYPE";
        for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++)
            if (strcmp(word, encodings[i]) == 0)
                name = "ENCODING";
        add_param(line, name, word);
        return;
    }
    const char *name = upper(arena, p, (size_t)(equals - p));
    for (p = equals + 1; p <= end;) {
        const char *stop = MIN(part_end(p, ","), end);
        add_param(line, name, param_value(arena, p, (size_t)(stop - p)));
        p = stop + 1;
    }
}

static const char *decode_value(struct arena *arena, const struct vcard_line *line,
                                const char *value) {
    const char *encoding = vcard_param(line, "ENCODING");
    if (!encoding || g_ascii_strcasecmp(encoding, "QUOTED-PRINTABLE") != 0)
        return value;
    g_autoptr(GBytes) bytes = mime_decode(value, strlen(value), MIME_QUOTED_PRINTABLE);
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    const char *charset = vcard_param(line, "CHARSET");
    if (!data)
        return "";
    if (!charset && g_utf8_validate_len(data, len, NULL))
        charset = "utf-8";
    return mime_to_utf8(arena, data, len, charset ? charset : "windows-1252", NULL);
}

// The bytes of a line as UTF-8.
static const char *to_utf8(struct arena *arena, const GString *raw) {
    if (g_utf8_validate_len(raw->str, raw->len, NULL))
        return arena_strndup(arena, raw->str, raw->len);
    const char *charset = "windows-1252";
    const char *at = strcasestr(raw->str, "CHARSET=");
    const char *colon = strchr(raw->str, ':');
    if (at && colon && at < colon) {
        at += strlen("CHARSET=");
        at += *at == '"';
        charset = arena_strndup(arena, at, strcspn(at, "\";:,"));
    }
    return mime_to_utf8(arena, raw->str, raw->len, charset, NULL);
}

// False: it is no line.
static bool parse_line(struct arena *arena, const GString *raw, struct vcard_line *out) {
    struct vcard_param params[MAX_PARAMS];
    const char *p = to_utf8(arena, raw);
    *out = (struct vcard_line){.raw = p, .params = params};
    const char *end = part_end(p, ";:");
    const char *dot = memchr(p, '.', (size_t)(end - p));
    if (*end == 0 || end == p)
        return false;
    if (dot) {
        out->group = arena_strndup(arena, p, (size_t)(dot - p));
        p = dot + 1;
    }
    out->name = upper(arena, p, (size_t)(end - p));
    while (*end == ';') {
        p = end + 1;
        end = part_end(p, ";:");
        if (end > p)
            read_param(arena, p, end, out);
    }
    if (*end != ':')
        return false;
    out->params = arena_memdup(arena, params, out->n_params * sizeof *params);
    out->value = decode_value(arena, out, end + 1);
    return true;
}

// --- Cards ---

static enum vcard_version version_of(const char *p, const char *end) {
    const char *line;
    size_t len;
    while (take_line(&p, end, &line, &len)) {
        if (len > 8 && g_ascii_strncasecmp(line, "VERSION:", 8) == 0) {
            const char *digit = line + 8;
            while (digit < line + len && (*digit == ' ' || *digit == '\t'))
                digit++;
            return digit == line + len ? VCARD_3_0
                   : *digit == '2'     ? VCARD_2_1
                   : *digit == '4'     ? VCARD_4_0
                                       : VCARD_3_0;
        }
        if (len >= 9 && g_ascii_strncasecmp(line, "END:VCARD", 9) == 0)
            break;
    }
    return VCARD_3_0;
}

// Finds the line that begins a card.
static bool find_begin(struct lines *l, GString *line) {
    if (l->end - l->p >= 3 && memcmp(l->p, "\xEF\xBB\xBF", 3) == 0)
        l->p += 3;
    while (unfold(l, line))
        if (is_line(line->str, "BEGIN", "VCARD"))
            return true;
    return false;
}

// The lines of a card in a card go to the value of the line that it belongs to.
static void read_inner(struct lines *l, GString *line, struct vcard_line *owner) {
    g_autoptr(GString) text = g_string_new("BEGIN:VCARD\n");
    for (unsigned depth = 1; depth > 0 && unfold(l, line);) {
        if (is_line(line->str, "BEGIN", "VCARD"))
            depth++;
        else if (is_line(line->str, "END", "VCARD"))
            depth--;
        g_string_append_printf(text, "%s\n", to_utf8(l->arena, line));
    }
    if (owner && !*owner->value)
        owner->value = arena_strndup(l->arena, text->str, text->len);
}

bool vcard_next(struct arena *arena, const char **p, const char *end, struct vcard *out) {
    struct lines l = {.arena = arena, .p = *p, .end = end};
    g_autoptr(GString) line = g_string_new(NULL);
    if (!find_begin(&l, line)) {
        *p = end;
        return false;
    }
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(struct vcard_line));
    out->version = version_of(l.p, end);
    l.keeps_space = out->version == VCARD_2_1;
    while (unfold(&l, line) && !is_line(line->str, "END", "VCARD")) {
        struct vcard_line one;
        if (is_line(line->str, "BEGIN", "VCARD")) {
            read_inner(&l, line,
                       lines->len ? &g_array_index(lines, struct vcard_line, lines->len - 1)
                                  : NULL);
        } else if (lines->len < VCARD_MAX_LINES && parse_line(arena, line, &one) &&
                   strcmp(one.name, "VERSION") != 0) {
            g_array_append_val(lines, one);
        }
    }
    out->n_lines = lines->len;
    out->lines = arena_memdup(arena, lines->data, lines->len * sizeof(struct vcard_line));
    *p = l.p;
    return true;
}

// --- Values ---

const char *vcard_param(const struct vcard_line *line, const char *name) {
    for (unsigned i = 0; i < line->n_params; i++)
        if (strcmp(line->params[i].name, name) == 0)
            return line->params[i].value;
    return NULL;
}

bool vcard_has_type(const struct vcard_line *line, const char *type) {
    for (unsigned i = 0; i < line->n_params; i++)
        if (strcmp(line->params[i].name, "TYPE") == 0 &&
            g_ascii_strcasecmp(line->params[i].value, type) == 0)
            return true;
    return false;
}

static const char *unescape(struct arena *arena, const char *s, size_t len) {
    char *out = arena_alloc(arena, 2 * len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool is_line_end = c == '\n' || (c == '\r' && (i + 1 == len || s[i + 1] != '\n'));
        if (c == '\\' && i + 1 < len) {
            c = s[++i];
            is_line_end = c == 'n' || c == 'N';
        } else if (c == '\r' && !is_line_end) {
            continue;
        }
        if (is_line_end)
            out[n++] = '\r';
        out[n++] = is_line_end ? '\n' : c;
    }
    out[n] = 0;
    return out;
}

// The end of a piece of a value: at `stop` with no backslash before it.
static const char *piece_end(const char *p, char stop) {
    for (; *p && *p != stop; p++)
        if (*p == '\\' && p[1])
            p++;
    return p;
}

const char *vcard_text(struct arena *arena, const struct vcard_line *line) {
    return unescape(arena, line->value, strlen(line->value));
}

const char *vcard_component(struct arena *arena, const struct vcard_line *line, unsigned i) {
    const char *p = line->value, *end = piece_end(p, ';');
    for (; i > 0 && *end; i--) {
        p = end + 1;
        end = piece_end(p, ';');
    }
    return i == 0 ? unescape(arena, p, (size_t)(end - p)) : "";
}

const char **vcard_list(struct arena *arena, const struct vcard_line *line, unsigned *n_out) {
    size_t max = 1;
    for (const char *p = line->value; *p; p++)
        max += *p == ',';
    const char **list = arena_alloc(arena, (max + 1) * sizeof *list);
    unsigned n = 0;
    for (const char *p = line->value;;) {
        const char *end = piece_end(p, ',');
        if (end > p)
            list[n++] = unescape(arena, p, (size_t)(end - p));
        if (!*end)
            break;
        p = end + 1;
    }
    list[n] = NULL;
    *n_out = n;
    return list;
}

GBytes *vcard_binary(const struct vcard_line *line) {
    const char *encoding = vcard_param(line, "ENCODING"), *data = line->value;
    bool is_base64 = encoding && (g_ascii_strcasecmp(encoding, "b") == 0 ||
                                  g_ascii_strcasecmp(encoding, "base64") == 0);
    if (!is_base64) {
        if (g_ascii_strncasecmp(data, "data:", 5) != 0)
            return NULL;
        const char *comma = strchr(data, ',');
        if (!comma || comma - data < 7 || g_ascii_strncasecmp(comma - 7, ";base64", 7) != 0)
            return NULL;
        data = comma + 1;
    }
    return mime_decode(data, strlen(data), MIME_BASE64);
}
