// HTML to plain text: what each element does to lines, and what text becomes on them.
#include "formats/html_text.h"

#include <string.h>

#include "formats/html_internal.h"
#include "formats/mime.h"

#define MAX_META_LOOK 4096
#define MAX_HREF 2048
#define MAX_TITLE 4096
#define MAX_LISTS 32
#define MAX_EMPTY_LINES 8
#define MAX_RUN 4096 // bytes copied between two looks at the limit

// --- Charset ---

// What a <meta> says: charset=... or content="...; charset=...".
static char *meta_charset(struct arena *arena, const char *html, size_t len) {
    struct html_reader r = html_reader(html, MIN(len, MAX_META_LOOK));
    for (struct html_token t; html_next(&r, &t);) {
        if (t.kind != HTML_OPEN || strcmp(t.name, "meta") != 0)
            continue;
        struct html_attribute a;
        for (size_t pos = 0; html_attribute_next(&t, &pos, &a);) {
            const char *value = a.value;
            size_t n = a.value_len;
            if (html_attribute_is(&a, "content")) {
                g_autofree char *lower = g_ascii_strdown(value, (gssize)n);
                const char *found = strstr(lower, "charset=");
                size_t skip = found ? (size_t)(found - lower) + 8 : n;
                value += skip;
                n -= skip;
            } else if (!html_attribute_is(&a, "charset")) {
                continue;
            }
            size_t name = 0;
            while (name < n && name < 40 &&
                   (g_ascii_isalnum(value[name]) || (value[name] && strchr("-_.:", value[name]))))
                name++;
            if (name > 0)
                return arena_strndup(arena, value, name);
        }
    }
    return NULL;
}

static const char *find_charset(struct arena *arena, const char *html, size_t len) {
    const uint8_t *b = (const uint8_t *)html;
    if (len >= 2 && ((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF)))
        return "UTF-16";
    if (g_utf8_validate_len(html, len, NULL))
        return "utf-8";
    const char *charset = meta_charset(arena, html, len);
    // A <meta> that could be read is not in UTF-16.
    return charset && g_ascii_strncasecmp(charset, "utf-16", 6) != 0 ? charset : NULL;
}

char *html_to_utf8(struct arena *arena, const void *html, size_t len, const char *charset,
                   size_t *len_out) {
    if (!charset && len > 0)
        charset = find_charset(arena, html, len);
    size_t n;
    char *text = mime_to_utf8(arena, html, len, charset, &n);
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        n -= 3;
    }
    if (len_out)
        *len_out = n;
    return text;
}

// --- Lines ---

struct list {
    bool is_numbered;
    unsigned count;
};

struct page {
    enum html_text_purpose purpose;
    GString *out;
    size_t max;
    unsigned breaks; // line ends to write before the next character
    char space;      // ' ' or '\t' to write before it; 0: none
    unsigned pre;    // <pre> open
    struct list lists[MAX_LISTS];
    unsigned n_lists; // may be more than MAX_LISTS
    char *href;       // of the link that is open; NULL: none worth showing
    size_t link_start;
};

static bool is_full(const struct page *page) {
    return page->out->len >= page->max;
}

static void want_breaks(struct page *page, unsigned n) {
    page->breaks = MAX(page->breaks, n);
    page->space = 0;
}

static void add_break(struct page *page) {
    page->breaks = MIN(page->breaks + 1, MAX_EMPTY_LINES);
    page->space = 0;
}

static void want_space(struct page *page, char space) {
    if (page->out->len > 0 && page->breaks == 0 && page->space != '\t')
        page->space = space;
}

static void before_text(struct page *page) {
    const char *end = page->purpose == HTML_TEXT_BODY ? "\r\n" : "\n";
    for (; page->breaks > 0 && page->out->len > 0; page->breaks--)
        g_string_append(page->out, end);
    page->breaks = 0;
    if (page->space)
        g_string_append_c(page->out, page->space);
    page->space = 0;
}

static void put_char(struct page *page, gunichar c) {
    if (c == 0xA0 || (c < 0x20 && page->pre && c == '\t')) {
        before_text(page);
        g_string_append_c(page->out, c == 0xA0 ? ' ' : '\t');
    } else if (c == '\n' && page->pre) {
        add_break(page);
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
        if (page->pre && c == ' ') {
            before_text(page);
            g_string_append_c(page->out, ' ');
        } else if (c != '\r' || !page->pre) {
            want_space(page, ' ');
        }
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0)) {
        return;
    } else if (page->purpose == HTML_TEXT_WORDS && (c == 0xAD || c == 0x200B || c == 0xFEFF)) {
        return; // they stand inside words and are not seen
    } else {
        before_text(page);
        g_string_append_unichar(page->out, c);
    }
}

// Valid UTF-8; `has_references` says whether '&' is special.
static void put_text(struct page *page, const char *p, size_t len, bool has_references) {
    for (const char *end = p + len; p < end && !is_full(page);) {
        unsigned char c = (unsigned char)*p;
        gunichar reference;
        if (c == '&' && has_references && (reference = html_reference(&p, end))) {
            put_char(page, reference);
        } else if (c > ' ' && c < 0x7F) { // mostly so
            const char *start = p++;
            while (p < end && p - start < MAX_RUN && (unsigned char)*p > ' ' &&
                   (unsigned char)*p < 0x7F && *p != '&')
                p++;
            before_text(page);
            g_string_append_len(page->out, start, p - start);
        } else if (c < 0x80) {
            put_char(page, c);
            p++;
        } else {
            put_char(page, g_utf8_get_char(p));
            p = g_utf8_next_char(p);
        }
    }
}

// --- Elements ---

enum effect {
    LINE = 1, // stands on lines of its own
    GAP,      // with an empty line around
    BREAK,
    RULE,
    CELL,
    ITEM,
    LIST,
    PRE,
    LINK,
    IMAGE,
};

static const struct {
    const char *name;
    enum effect effect;
} elements[] = {
    {"a", LINK},          {"address", LINE}, {"article", LINE}, {"aside", LINE},
    {"blockquote", GAP},  {"body", LINE},    {"br", BREAK},     {"caption", LINE},
    {"center", LINE},     {"dd", LINE},      {"details", LINE}, {"dir", LIST},
    {"div", LINE},        {"dl", GAP},       {"dt", LINE},      {"fieldset", LINE},
    {"figcaption", LINE}, {"figure", LINE},  {"footer", LINE},  {"form", LINE},
    {"h1", GAP},          {"h2", GAP},       {"h3", GAP},       {"h4", GAP},
    {"h5", GAP},          {"h6", GAP},       {"header", LINE},  {"hr", RULE},
    {"html", LINE},       {"img", IMAGE},    {"li", ITEM},      {"listing", PRE},
    {"main", LINE},       {"menu", LIST},    {"nav", LINE},     {"ol", LIST},
    {"option", LINE},     {"p", GAP},        {"pre", PRE},      {"section", LINE},
    {"summary", LINE},    {"table", LINE},   {"tbody", LINE},   {"td", CELL},
    {"textarea", LINE},   {"tfoot", LINE},   {"th", CELL},      {"thead", LINE},
    {"tr", LINE},         {"ul", LIST},      {"xmp", PRE},
};

static enum effect effect_of(const char *name) {
    size_t low = 0, high = G_N_ELEMENTS(elements);
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(name, elements[mid].name);
        if (order == 0)
            return elements[mid].effect;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return 0;
}

static bool find_attribute(const struct html_token *t, const char *name,
                           struct html_attribute *out) {
    for (size_t pos = 0; html_attribute_next(t, &pos, out);)
        if (html_attribute_is(out, name))
            return true;
    return false;
}

static void put_attribute(struct page *page, const struct html_attribute *a, size_t max) {
    g_autoptr(GString) text = g_string_new(NULL);
    html_attribute_text(a, max, text);
    g_autofree char *valid = g_utf8_make_valid(text->str, (gssize)text->len); // it may be cut
    const char *s = g_strstrip(valid);
    if (!*s)
        return;
    if (page->purpose == HTML_TEXT_BODY) {
        g_autofree char *shown = g_strdup_printf("[%s]", s);
        put_text(page, shown, strlen(shown), false);
    } else {
        want_space(page, ' ');
        put_text(page, s, strlen(s), false);
        want_space(page, ' ');
    }
}

static void open_list(struct page *page, const struct html_token *t) {
    want_breaks(page, page->n_lists == 0 ? 2 : 1);
    if (page->n_lists < MAX_LISTS)
        page->lists[page->n_lists] = (struct list){.is_numbered = strcmp(t->name, "ol") == 0};
    page->n_lists++;
}

static void open_item(struct page *page) {
    want_breaks(page, 1);
    if (page->purpose != HTML_TEXT_BODY)
        return;
    struct list *list = page->n_lists > 0 ? &page->lists[MIN(page->n_lists, MAX_LISTS) - 1] : NULL;
    g_autofree char *mark =
        list && list->is_numbered ? g_strdup_printf("%u.", ++list->count) : NULL;
    put_text(page, mark ? mark : "*", mark ? strlen(mark) : 1, false);
    page->space = ' ';
}

static void open_link(struct page *page, const struct html_token *t) {
    struct html_attribute a;
    g_clear_pointer(&page->href, g_free);
    if (page->purpose != HTML_TEXT_BODY || !find_attribute(t, "href", &a) || a.value_len > MAX_HREF)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    html_attribute_text(&a, MAX_HREF, text);
    static const char *const shown[] = {"http://", "https://", "mailto:", "ftp://", "tel:"};
    g_strstrip(text->str);
    for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
        if (g_ascii_strncasecmp(text->str, shown[i], strlen(shown[i])) == 0)
            page->href = g_strdup(text->str);
    page->link_start = page->out->len;
}

// The address behind the text of the link, unless they are the same.
static void close_link(struct page *page) {
    g_autofree char *href = g_steal_pointer(&page->href);
    if (!href || page->out->len == page->link_start)
        return;
    g_autofree char *text = g_strdup(page->out->str + page->link_start);
    g_strstrip(text);
    const char *bare = g_ascii_strncasecmp(href, "mailto:", 7) == 0 ? href + 7
                       : g_ascii_strncasecmp(href, "tel:", 4) == 0  ? href + 4
                                                                    : href;
    size_t n = strlen(text);
    bool is_same = g_ascii_strncasecmp(bare, text, n) == 0 &&
                   (bare[n] == 0 || (bare[n] == '/' && bare[n + 1] == 0));
    const char *host = strstr(href, "://");
    if (is_same || (host && strncmp(host + 3, text, n) == 0 && strlen(host + 3) <= n + 1))
        return;
    want_space(page, ' ');
    put_text(page, "<", 1, false);
    put_text(page, bare, strlen(bare), false);
    put_text(page, ">", 1, false);
}

static void put_rule(struct page *page) {
    static const char rule[] = "________________________________";
    want_breaks(page, 1);
    if (page->purpose == HTML_TEXT_BODY)
        put_text(page, rule, sizeof rule - 1, false);
    want_breaks(page, 1);
}

static void open_element(struct page *page, const struct html_token *t) {
    struct html_attribute a;
    if (page->purpose == HTML_TEXT_WORDS && find_attribute(t, "title", &a))
        put_attribute(page, &a, MAX_TITLE);
    switch (effect_of(t->name)) {
    case LINE:
        want_breaks(page, 1);
        break;
    case GAP:
        want_breaks(page, 2);
        break;
    case BREAK:
        add_break(page);
        break;
    case RULE:
        put_rule(page);
        break;
    case CELL:
        want_space(page, page->purpose == HTML_TEXT_BODY ? '\t' : ' ');
        break;
    case ITEM:
        open_item(page);
        break;
    case LIST:
        open_list(page, t);
        break;
    case PRE:
        want_breaks(page, 2);
        page->pre++;
        break;
    case LINK:
        open_link(page, t);
        break;
    case IMAGE:
        if (find_attribute(t, "alt", &a))
            put_attribute(page, &a, MAX_TITLE);
        break;
    }
}

static void close_element(struct page *page, const struct html_token *t) {
    switch (effect_of(t->name)) {
    case LINE:
    case ITEM:
        want_breaks(page, 1);
        break;
    case GAP:
        want_breaks(page, 2);
        break;
    case BREAK: // browsers take </br> for <br>
        add_break(page);
        break;
    case LIST:
        page->n_lists -= page->n_lists > 0;
        want_breaks(page, page->n_lists == 0 ? 2 : 1);
        break;
    case PRE:
        page->pre -= page->pre > 0;
        want_breaks(page, 2);
        break;
    case LINK:
        close_link(page);
        break;
    case RULE:
    case CELL:
    case IMAGE:
        break;
    }
}

static bool is_shown(const char *raw_element) {
    return strcmp(raw_element, "textarea") == 0 || strcmp(raw_element, "xmp") == 0;
}

static void put_token(struct page *page, const struct html_token *t) {
    switch (t->kind) {
    case HTML_TEXT:
        put_text(page, t->raw, t->len, true);
        break;
    case HTML_RAW:
        if (is_shown(t->name))
            put_text(page, t->raw, t->len, t->name[0] == 't');
        break;
    case HTML_OPEN:
        open_element(page, t);
        break;
    case HTML_CLOSE:
        close_element(page, t);
        break;
    case HTML_COMMENT:
    case HTML_END:
        break;
    }
}

char *html_to_text(struct arena *arena, const void *html, size_t len, const char *charset,
                   enum html_text_purpose purpose, size_t max, size_t *len_out) {
    ARENA_AUTO scratch = arena_new();
    size_t n;
    const char *text = html_to_utf8(scratch, html, len, charset, &n);
    struct page page = {.purpose = purpose, .max = max, .out = g_string_sized_new(MIN(n / 2, max))};
    struct html_reader r = html_reader(text, n);
    for (struct html_token t; !is_full(&page) && html_next(&r, &t);)
        put_token(&page, &t);
    g_free(page.href);
    if (purpose == HTML_TEXT_BODY && page.out->len > 0)
        g_string_append(page.out, "\r\n");
    char *out = arena_strndup(arena, page.out->str, page.out->len);
    if (len_out)
        *len_out = page.out->len;
    g_string_free(page.out, TRUE);
    return out;
}
