// Filtering HTML by lists of what is harmless.
#include "formats/html_filter.h"

#include <string.h>

#include "formats/html_internal.h"

#define VALUE_MAX 65536 // bytes of an attribute

static const char *const elements[] = {
    "a",        "abbr",       "acronym", "address", "area",    "article", "aside",  "b",      "bdo",
    "big",      "blockquote", "body",    "br",      "caption", "center",  "cite",   "code",   "col",
    "colgroup", "dd",         "del",     "details", "dfn",     "dir",     "div",    "dl",     "dt",
    "em",       "figcaption", "figure",  "font",    "footer",  "h1",      "h2",     "h3",     "h4",
    "h5",       "h6",         "head",    "header",  "hr",      "html",    "i",      "img",    "ins",
    "kbd",      "li",         "map",     "mark",    "menu",    "nav",     "ol",     "p",      "pre",
    "q",        "s",          "samp",    "section", "small",   "span",    "strike", "strong", "sub",
    "summary",  "sup",        "table",   "tbody",   "td",      "tfoot",   "th",     "thead",  "tr",
    "tt",       "u",          "ul",      "var",     "wbr",
};

static const char *const attributes[] = {
    "abbr",    "align",    "alt",   "axis",  "bgcolor", "border",  "cellpadding", "cellspacing",
    "char",    "charoff",  "class", "clear", "color",   "cols",    "colspan",     "compact",
    "coords",  "datetime", "dir",   "face",  "frame",   "headers", "height",      "hspace",
    "id",      "ismap",    "lang",  "link",  "name",    "noshade", "nowrap",      "rel",
    "rowspan", "rules",    "scope", "shape", "size",    "span",    "start",       "summary",
    "target",  "text",     "title", "type",  "usemap",  "valign",  "value",       "vlink",
    "vspace",  "width",
};
static const char *const links[] = {"href", "src", "background", "cite", "longdesc"};
static const char *const schemes[] = {"http", "https", "mailto", "cid", "ftp",
                                      "tel",  "sms",   "callto", "sip"};
// In styles, after comments and escapes are gone.
static const char *const acting[] = {"expression", "javascript", "vbscript",
                                     "@import",    "behavior",   "-moz-binding"};

struct filter {
    const struct html_filter_options *options;
    GString *out, *value;
    bool has_blocked;
};

static bool is_listed(const char *const *list, unsigned n, const char *name, size_t len) {
    for (unsigned i = 0; i < n; i++)
        if (g_ascii_strncasecmp(list[i], name, len) == 0 && list[i][len] == '\0')
            return true;
    return false;
}
#define IS_LISTED(list, name, len) is_listed(list, G_N_ELEMENTS(list), name, len)

static void put_escaped(struct filter *f, const char *s) {
    for (; *s; s++) {
        switch (*s) {
        case '&':
            g_string_append(f->out, "&amp;");
            break;
        case '<':
            g_string_append(f->out, "&lt;");
            break;
        case '>':
            g_string_append(f->out, "&gt;");
            break;
        case '"':
            g_string_append(f->out, "&quot;");
            break;
        default:
            g_string_append_c(f->out, *s);
        }
    }
}

static void put_attribute(struct filter *f, const char *name, size_t len, const char *value) {
    g_string_append_c(f->out, ' ');
    g_string_append_len(f->out, name, (gssize)len);
    g_string_append(f->out, "=\"");
    put_escaped(f, value);
    g_string_append_c(f->out, '"');
}

// --- Links ---

// Browsers pass over control characters and blanks inside a scheme.
static void squeeze(GString *s) {
    gsize n = 0;
    for (gsize i = 0; i < s->len; i++)
        if ((unsigned char)s->str[i] > 0x20 || (s->str[i] == ' ' && n > 0))
            s->str[n++] = s->str[i];
    g_string_truncate(s, n);
}

static bool is_harmless_link(const char *link) {
    size_t len = strcspn(link, ":/?#");
    if (link[len] != ':')
        return true; // relative
    return IS_LISTED(schemes, link, len);
}

static void put_inline(struct filter *f, const char *name, size_t len, const char *id) {
    g_autoptr(GString) url = g_string_new(f->options->cid_template);
    g_string_replace(url, "{id}", id, 0);
    put_attribute(f, name, len, url->str);
}

static void put_link(struct filter *f, const struct html_token *tag,
                     const struct html_attribute *a) {
    bool is_image = html_attribute_is(a, "src") || html_attribute_is(a, "background");
    squeeze(f->value);
    const char *link = f->value->str;
    if (!is_harmless_link(link))
        return;
    bool is_inline = g_ascii_strncasecmp(link, "cid:", 4) == 0;
    if (is_image && is_inline && f->options->cid_template) {
        put_inline(f, a->name, a->name_len, link + 4);
    } else if (is_image && !is_inline && f->options->blocks_images) {
        f->has_blocked = true;
    } else {
        put_attribute(f, a->name, a->name_len, link);
    }
}

// --- Styles ---

static bool is_harmless_style(struct filter *f, const char *style, size_t len) {
    g_autoptr(GString) plain = g_string_sized_new(len);
    for (size_t i = 0; i < len; i++) {
        if (style[i] == '/' && i + 1 < len && style[i + 1] == '*') {
            const char *end = g_strstr_len(style + i + 2, (gssize)(len - i - 2), "*/");
            if (!end)
                break;
            i = (size_t)(end - style) + 1;
        } else if (style[i] == '\\') {
            return false; // escapes are of no use but to hide something
        } else if ((unsigned char)style[i] > 0x20) {
            g_string_append_c(plain, g_ascii_tolower(style[i]));
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(acting); i++)
        if (strstr(plain->str, acting[i]))
            return false;
    if (f->options->blocks_images && strstr(plain->str, "url(")) {
        f->has_blocked = true;
        return false;
    }
    return true;
}

// --- Tags ---

static void put_tag(struct filter *f, const struct html_token *tag) {
    struct html_attribute a;
    size_t pos = 0;
    bool has_target = false;
    g_string_append_printf(f->out, "<%s", tag->name);
    while (html_attribute_next(tag, &pos, &a)) {
        bool is_link = IS_LISTED(links, a.name, a.name_len);
        bool is_style = html_attribute_is(&a, "style");
        if (!is_link && !is_style && !IS_LISTED(attributes, a.name, a.name_len))
            continue;
        g_string_truncate(f->value, 0);
        html_attribute_text(&a, VALUE_MAX, f->value);
        bool is_target = html_attribute_is(&a, "target");
        has_target |= is_target;
        if (is_link)
            put_link(f, tag, &a);
        else if (is_target && f->options->adds_blank)
            put_attribute(f, "target", 6, "_blank");
        else if (!is_style || is_harmless_style(f, f->value->str, f->value->len))
            put_attribute(f, a.name, a.name_len, f->value->str);
    }
    if (f->options->adds_blank && !has_target && strcmp(tag->name, "a") == 0)
        put_attribute(f, "target", 6, "_blank");
    g_string_append_c(f->out, '>');
}

static void put_token(struct filter *f, const struct html_token *token) {
    size_t n = strlen(token->name);
    bool is_style = strcmp(token->name, "style") == 0;
    bool is_kept = IS_LISTED(elements, token->name, n);
    switch (token->kind) {
    case HTML_TEXT:
        g_string_append_len(f->out, token->raw, (gssize)token->len);
        break;
    case HTML_RAW:
        if (is_style && is_harmless_style(f, token->raw, token->len))
            g_string_append_len(f->out, token->raw, (gssize)token->len);
        break;
    case HTML_OPEN:
        if (is_style)
            g_string_append(f->out, "<style>");
        else if (is_kept)
            put_tag(f, token);
        break;
    case HTML_CLOSE:
        if (is_style || is_kept)
            g_string_append_printf(f->out, "</%s>", token->name);
        break;
    default: // comments may hold what some client takes for conditions
        break;
    }
}

char *html_filter(struct arena *arena, const char *html, size_t len,
                  const struct html_filter_options *options, bool *blocked_out, size_t *len_out) {
    struct html_reader r = html_reader(html, len);
    struct html_token token;
    struct filter f = {
        .options = options, .out = g_string_sized_new(len + 1), .value = g_string_new(NULL)};
    while (html_next(&r, &token))
        put_token(&f, &token);
    char *text = arena_strndup(arena, f.out->str, f.out->len);
    if (len_out)
        *len_out = f.out->len;
    if (blocked_out)
        *blocked_out = f.has_blocked;
    g_string_free(f.out, TRUE);
    g_string_free(f.value, TRUE);
    return text;
}
