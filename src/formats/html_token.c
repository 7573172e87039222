// Cuts HTML into tags, text and comments, the way browsers recover from what is broken ([HTML]
// 13.2.5), in linear time: what was looked for and not found once is not looked for again.
#include <string.h>

#include "formats/html_internal.h"

// Elements whose content is no markup. Where one is never closed, a browser hides the rest for the
// first `n_hidden`; the others are then read as if they were not special.
static const char *const raw_elements[] = {"script", "style",  "title",   "textarea",
                                           "xmp",    "iframe", "noembed", "noframes"};
enum { n_hidden = 2 };

static bool is_space(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct html_reader html_reader(const char *html, size_t len) {
    return (struct html_reader){.p = html, .end = html + len, .raw_element = -1};
}

// --- References ---

static gunichar numeric_reference(const char **p, const char *end) {
    const char *q = *p + 2;
    bool is_hex = q < end && (*q | 0x20) == 'x';
    uint64_t code = 0;
    const char *digits = q += is_hex;
    while (q < end && (is_hex ? g_ascii_isxdigit(*q) : g_ascii_isdigit(*q))) {
        if (code < 0x1000000)
            code = code * (is_hex ? 16 : 10) + (uint64_t)g_ascii_xdigit_value(*q);
        q++;
    }
    if (q == digits)
        return 0;
    *p = q + (q < end && *q == ';');
    return html_numeric_entity(code);
}

gunichar html_reference(const char **p, const char *end) {
    const char *q = *p + 1;
    if (q < end && *q == '#')
        return numeric_reference(p, end);
    char name[32];
    size_t n = 0;
    while (q + n < end && n + 1 < sizeof name && g_ascii_isalnum(q[n])) {
        name[n] = q[n];
        n++;
    }
    name[n] = 0;
    bool is_closed = q + n < end && q[n] == ';';
    gunichar c = n ? html_entity(name) : 0;
    // Without a semicolon only the old names count, or "?a=1&int=2" would change.
    if (!c || (!is_closed && (c > 0xFF || (q + n < end && q[n] == '='))))
        return 0;
    *p = q + n + is_closed;
    return c;
}

// --- Tags ---

static void take_name(struct html_token *t, const char *p, size_t len) {
    len = MIN(len, HTML_NAME_MAX);
    for (size_t i = 0; i < len; i++)
        t->name[i] = g_ascii_tolower(p[i]);
    t->name[len] = 0;
}

// The end of the tag that is open at `p`: its '>', or NULL. A quote that is never closed is no
// quote.
static const char *tag_end(struct html_reader *r, const char *p) {
    bool is_value = false; // after '=': only there quotes open
    while (p < r->end && *p != '>') {
        if (is_value && (*p == '"' || *p == '\'')) {
            bool *none = &r->no_quote[*p == '\''];
            const char *close = *none ? NULL : memchr(p + 1, *p, (size_t)(r->end - p) - 1);
            *none |= !close;
            p = close ? close : p;
            is_value = false;
        } else if (*p == '=') {
            is_value = true;
        } else if (!is_space(*p)) {
            is_value = false;
        }
        p++;
    }
    return p < r->end ? p : NULL;
}

static void read_tag(struct html_reader *r, struct html_token *t) {
    const char *p = r->p + 1;
    t->kind = *p == '/' ? HTML_CLOSE : HTML_OPEN;
    p += *p == '/';
    const char *name = p;
    while (p < r->end && !is_space(*p) && *p != '/' && *p != '>')
        p++;
    take_name(t, name, (size_t)(p - name));
    const char *close = tag_end(r, p);
    if (!close) { // cut off in the middle of a tag: nothing of it is text
        t->kind = HTML_COMMENT;
        r->p = r->end;
        return;
    }
    t->attributes = p;
    t->attributes_len = (size_t)(close - p);
    r->p = close + 1;
    for (unsigned i = 0; t->kind == HTML_OPEN && i < G_N_ELEMENTS(raw_elements); i++)
        if (strcmp(t->name, raw_elements[i]) == 0)
            r->raw_element = (int)i;
}

// "<!" or "<?" at the start.
static void read_comment(struct html_reader *r, struct html_token *t) {
    const char *p = r->p + 2;
    size_t left = (size_t)(r->end - p);
    const char *close;
    t->kind = HTML_COMMENT;
    if (left >= 2 && p[0] == '-' && p[1] == '-') {
        p += 2;
        // "<!-->" and "<!--->" are whole comments.
        if (p < r->end && *p == '>')
            close = p + 1;
        else if (p + 1 < r->end && p[0] == '-' && p[1] == '>')
            close = p + 2;
        else if ((close = memmem(p, (size_t)(r->end - p), "-->", 3)))
            close += 3;
    } else if (left >= 7 && memcmp(p, "[CDATA[", 7) == 0) {
        close = memmem(p, left, "]]>", 3);
        close = close ? close + 3 : NULL;
    } else {
        close = memchr(p, '>', left);
        close = close ? close + 1 : NULL;
    }
    r->p = close ? close : r->end;
}

// Everything up to the end tag of the raw element; false when it is read as markup after all.
static bool read_raw(struct html_reader *r, struct html_token *t) {
    unsigned which = (unsigned)r->raw_element;
    const char *name = raw_elements[which];
    size_t len = strlen(name);
    const char *p = r->p, *close = NULL;
    r->raw_element = -1;
    while (!(r->never_closed & 1u << which) &&
           (p = memmem(p, (size_t)(r->end - p), "</", 2)) != NULL) {
        const char *after = p + 2 + len;
        if ((size_t)(r->end - p) > len + 2 && g_ascii_strncasecmp(p + 2, name, len) == 0 &&
            (is_space(*after) || *after == '>' || *after == '/')) {
            close = p;
            break;
        }
        p += 2;
    }
    if (!close) {
        r->never_closed |= 1u << which;
        if (which >= n_hidden)
            return false;
        close = r->end;
    }
    t->kind = HTML_RAW;
    take_name(t, name, len);
    r->p = close;
    return true;
}

static bool starts_markup(const char *p, const char *end) {
    if (p + 1 >= end)
        return false;
    if (p[1] == '/')
        return p + 2 < end && (g_ascii_isalpha(p[2]) || p[2] == '>');
    return g_ascii_isalpha(p[1]) || p[1] == '!' || p[1] == '?';
}

bool html_next(struct html_reader *r, struct html_token *out) {
    *out = (struct html_token){.kind = HTML_END, .raw = r->p};
    if (r->raw_element < 0 || !read_raw(r, out)) {
        if (r->p == r->end)
            return false;
        if (*r->p == '<' && starts_markup(r->p, r->end)) {
            if (r->p[1] == '!' || r->p[1] == '?')
                read_comment(r, out);
            else
                read_tag(r, out);
        } else {
            out->kind = HTML_TEXT;
            do {
                const char *lt = memchr(r->p + 1, '<', (size_t)(r->end - r->p) - 1);
                r->p = lt ? lt : r->end;
            } while (r->p < r->end && !starts_markup(r->p, r->end));
        }
    }
    out->len = (size_t)(r->p - out->raw);
    return true;
}

// --- Attributes ---

bool html_attribute_next(const struct html_token *tag, size_t *pos, struct html_attribute *out) {
    const char *p = tag->attributes + *pos, *end = tag->attributes + tag->attributes_len;
    while (p < end && (is_space(*p) || *p == '/'))
        p++;
    if (p == end)
        return false;
    *out = (struct html_attribute){.name = p, .value = ""};
    p++; // an '=' at the start belongs to the name
    while (p < end && !is_space(*p) && *p != '=' && *p != '/')
        p++;
    out->name_len = (size_t)(p - out->name);
    const char *q = p;
    while (q < end && is_space(*q))
        q++;
    if (q < end && *q == '=') {
        q++;
        while (q < end && is_space(*q))
            q++;
        char quote = q < end && (*q == '"' || *q == '\'') ? *q : 0;
        const char *close = quote ? memchr(q + 1, quote, (size_t)(end - q) - 1) : NULL;
        out->value = close ? q + 1 : q;
        if (!close)
            for (close = q; close < end && !is_space(*close);)
                close++;
        out->value_len = (size_t)(close - out->value);
        p = MIN(close + (out->value != q), end);
    }
    *pos = (size_t)(p - tag->attributes);
    return true;
}

bool html_attribute_is(const struct html_attribute *a, const char *name) {
    return a->name_len == strlen(name) && g_ascii_strncasecmp(a->name, name, a->name_len) == 0;
}

void html_attribute_text(const struct html_attribute *a, size_t max, GString *out) {
    const char *p = a->value, *end = p + MIN(a->value_len, max);
    while (p < end) {
        gunichar c = *p == '&' ? html_reference(&p, end) : 0;
        if (c)
            g_string_append_unichar(out, c);
        else
            g_string_append_c(out, *p++);
    }
}
