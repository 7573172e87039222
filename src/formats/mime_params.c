// Content-Type, Content-Disposition and their parameters, with the continuations and charsets of
// [RFC 2231] and what mail programs do instead: encoded words inside quotes, raw 8-bit, percent
// signs without a charset, values with spaces and no quotes.
//
// The rows of a part are the parameters as they stand, in order (IMAP shows them so). A parameter
// that came in pieces or with a charset gets one more row after them, with its joined value and
// without `raw`; mime_param prefers that row.
#include <string.h>

#include "formats/mime_internal.h"

#define MAX_PIECES 1000 // the highest number of a continuation

// Reads a token up to a delimiter; lower case.
static char *read_token(struct arena *arena, const char **p, const char *stop) {
    size_t n = strcspn(*p, stop);
    char *token = arena_strndup(arena, *p, n);
    for (char *c = token; *c; c++)
        *c = g_ascii_tolower(*c);
    *p += n;
    return token;
}

static char *read_quoted(struct arena *arena, const char **p) {
    const char *q = *p + 1;
    char *out = arena_alloc(arena, strlen(q) + 1), *w = out;
    while (*q && *q != '"') {
        // A backslash before a letter is a Windows path, not a quoted pair.
        if (*q == '\\' && (q[1] == '"' || q[1] == '\\'))
            q++;
        *w++ = *q++;
    }
    *w = 0;
    *p = *q ? q + 1 : q;
    return out;
}

static char *read_value(struct arena *arena, const char **p) {
    if (**p == '"')
        return read_quoted(arena, p);
    size_t n = strcspn(*p, ";");
    const char *start = *p;
    *p += n;
    while (n > 0 && mime_is_space(start[n - 1]))
        n--;
    // A comment after a token; a name with brackets or spaces in it keeps them.
    const char *space = memchr(start, ' ', n);
    if (space && space[1] == '(' && start[n - 1] == ')')
        n = (size_t)(space - start);
    return arena_strndup(arena, start, n);
}

static unsigned parse_rows(struct arena *arena, const char *p, struct mime_param *rows) {
    unsigned n = 0;
    while (n < MIME_MAX_PARAMS) {
        p = mime_skip_cfws(arena, p, NULL);
        if (*p == ';') {
            p++;
            continue;
        }
        if (!*p)
            break;
        const char *name = read_token(arena, &p, "=; \t(");
        p = mime_skip_cfws(arena, p, NULL);
        if (*p != '=' || !*name) {
            p += strcspn(p, *name && *p != '=' ? ";=" : ";");
            continue;
        }
        p = mime_skip_cfws(arena, p + 1, NULL);
        char *raw = read_value(arena, &p);
        rows[n++] = (struct mime_param){.name = name, .raw = raw, .value = raw};
        // What stands between a closing quote and the next semicolon is garbage.
        p += strcspn(p, ";");
    }
    return n;
}

// A name cut at its asterisks: "name*1*" is piece 1 of "name", extended.
struct piece {
    size_t base_len;
    int number; // -1: the value is whole
    bool is_extended;
};

static bool split_name(const char *name, struct piece *out) {
    const char *star = strchr(name, '*');
    if (!star || star == name)
        return false;
    out->base_len = (size_t)(star - name);
    out->number = -1;
    out->is_extended = false;
    const char *p = star + 1;
    if (g_ascii_isdigit(*p)) {
        int n = 0;
        while (g_ascii_isdigit(*p) && n <= MAX_PIECES)
            n = n * 10 + (*p++ - '0');
        if (n > MAX_PIECES)
            return false;
        out->number = n;
        if (*p == '*') {
            out->is_extended = true;
            p++;
        } else if (*p) {
            return false;
        }
    } else {
        out->is_extended = true;
    }
    return *p == 0;
}

static void append_percent(const char *s, GString *out) {
    for (; *s; s++) {
        int hi, lo;
        if (*s == '%' && (hi = mime_hex_value(s[1])) >= 0 && (lo = mime_hex_value(s[2])) >= 0) {
            g_string_append_c(out, (char)(hi << 4 | lo));
            s += 2;
        } else {
            g_string_append_c(out, *s);
        }
    }
}

// "charset'language'text": the charset to the arena, and where the text begins.
static const char *split_charset(struct arena *arena, const char *s, const char **charset_out) {
    const char *first = strchr(s, '\'');
    const char *second = first ? strchr(first + 1, '\'') : NULL;
    if (!second)
        return s;
    if (first > s)
        *charset_out = arena_strndup(arena, s, (size_t)(first - s));
    return second + 1;
}

// Tabs, line ends and other controls have no place in a value.
static char *without_controls(char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return text;
}

// A value of bytes: in `charset`, or UTF-8 or windows-1252 when that is NULL.
static const char *clean_value(struct arena *arena, const char *bytes, size_t len,
                               const char *charset) {
    if (!charset)
        charset = mime_is_utf8(bytes, len) ? "utf-8" : "windows-1252";
    return without_controls(mime_to_utf8(arena, bytes, len, charset, NULL));
}

static const char *join_pieces(struct arena *arena, const struct mime_param *rows, unsigned n,
                               const char *base, size_t base_len) {
    const struct mime_param *sorted[MIME_MAX_PARAMS] = {NULL};
    struct piece pieces[MIME_MAX_PARAMS], p;
    unsigned count = 0;
    // Rows may stand in any order; equal numbers: the first one counts.
    for (unsigned i = 0; i < n; i++) {
        if (strncmp(rows[i].name, base, base_len) != 0 || rows[i].name[base_len] != '*' ||
            !split_name(rows[i].name, &p))
            continue;
        unsigned at = count;
        while (at > 0 && pieces[at - 1].number > p.number)
            at--;
        if (at > 0 && pieces[at - 1].number == p.number)
            continue;
        memmove(sorted + at + 1, sorted + at, (count - at) * sizeof sorted[0]);
        memmove(pieces + at + 1, pieces + at, (count - at) * sizeof pieces[0]);
        sorted[at] = &rows[i];
        pieces[at] = p;
        count++;
    }
    const char *charset = NULL;
    g_autoptr(GString) bytes = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0 && pieces[0].number < 0)
            break; // a whole value wins over pieces
        const char *raw = sorted[i]->raw;
        if (i == 0 && pieces[i].is_extended)
            raw = split_charset(arena, raw, &charset);
        if (pieces[i].is_extended)
            append_percent(raw, bytes);
        else
            g_string_append(bytes, raw);
    }
    if (!charset && strstr(bytes->str, "=?"))
        return without_controls(mime_decode_words(arena, bytes->str, NULL));
    return clean_value(arena, bytes->str, bytes->len, charset);
}

static bool has_row(const struct mime_param *rows, unsigned n, const char *name, size_t len) {
    for (unsigned i = 0; i < n; i++)
        if (strncmp(rows[i].name, name, len) == 0 && rows[i].name[len] == 0)
            return true;
    return false;
}

static void parse_params(struct arena *arena, const char *p, struct mime_param **out,
                         unsigned *n_out) {
    struct mime_param rows[2 * MIME_MAX_PARAMS];
    unsigned n = parse_rows(arena, p, rows), total = n;
    for (unsigned i = 0; i < n; i++) {
        struct piece piece;
        if (split_name(rows[i].name, &piece)) {
            if (!has_row(rows + n, total - n, rows[i].name, piece.base_len)) {
                rows[total].name = arena_strndup(arena, rows[i].name, piece.base_len);
                rows[total].raw = NULL;
                rows[total].value = join_pieces(arena, rows, n, rows[i].name, piece.base_len);
                total++;
            }
        } else {
            rows[i].value = without_controls(mime_decode_words(arena, rows[i].raw, NULL));
        }
    }
    *out = total ? arena_memdup(arena, rows, total * sizeof rows[0]) : NULL;
    *n_out = total;
}

const char *mime_param(const struct mime_param *params, unsigned n, const char *name) {
    const char *found = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(params[i].name, name) != 0)
            continue;
        if (!params[i].raw)
            return params[i].value;
        if (!found)
            found = params[i].value;
    }
    return found;
}

// The subtype of a type that stands alone ("Content-Type: text", as before MIME).
static const char *default_subtype(const char *type) {
    if (strcmp(type, "text") == 0)
        return "plain";
    if (strcmp(type, "multipart") == 0)
        return "mixed";
    if (strcmp(type, "message") == 0)
        return "rfc822";
    if (strcmp(type, "application") == 0)
        return "octet-stream";
    return NULL;
}

void mime_parse_content_type(struct arena *arena, const char *value, struct mime_part *part) {
    const char *p = mime_skip_cfws(arena, value, NULL);
    const char *type = read_token(arena, &p, "/; \t(\"=");
    const char *subtype = "";
    p = mime_skip_cfws(arena, p, NULL);
    if (*p == '/') {
        p = mime_skip_cfws(arena, p + 1, NULL);
        subtype = read_token(arena, &p, "/; \t(\"=");
    }
    if (*type && !*subtype)
        subtype = default_subtype(type);
    if (!*type || !subtype) {
        type = "text";
        subtype = "plain";
    }
    part->type = type;
    part->subtype = subtype;
    // Some programs forget the first semicolon.
    if (*p != ';')
        p += strcspn(p, "; \t");
    parse_params(arena, p, &part->params, &part->n_params);
}

void mime_parse_disposition(struct arena *arena, const char *value, struct mime_part *part) {
    const char *p = mime_skip_cfws(arena, value, NULL);
    const char *token = read_token(arena, &p, "; \t(");
    if (strchr(token, '=')) {
        token = "attachment"; // parameters alone
        p = value;
    }
    if (*token)
        part->disposition = token;
    parse_params(arena, p, &part->disposition_params, &part->n_disposition_params);
}

const char *mime_filename(const struct mime_part *part) {
    const char *name = mime_param(part->disposition_params, part->n_disposition_params, "filename");
    if (!name || !*name)
        name = mime_param(part->params, part->n_params, "name");
    if (!name || !*name)
        name = mime_param(part->disposition_params, part->n_disposition_params, "name");
    if (!name || !*name)
        name = mime_param(part->params, part->n_params, "filename");
    return name && *name ? name : NULL;
}

enum mime_encoding mime_encoding_parse(const char *name) {
    static const struct {
        const char *name;
        enum mime_encoding encoding;
    } names[] = {{"7bit", MIME_7BIT},
                 {"8bit", MIME_8BIT},
                 {"binary", MIME_BINARY},
                 {"base64", MIME_BASE64},
                 {"quoted-printable", MIME_QUOTED_PRINTABLE},
                 {"x-uuencode", MIME_UUENCODE},
                 {"uuencode", MIME_UUENCODE},
                 {"x-uue", MIME_UUENCODE},
                 {"uue", MIME_UUENCODE}};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i].name) == 0)
            return names[i].encoding;
    return MIME_UNKNOWN_ENCODING;
}
