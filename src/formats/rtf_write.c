// HTML encapsulated in RTF ([MS-OXRTFEX] 2.1.3.1): what is markup stands in {\*\htmltag} groups
// that RTF readers skip, what is formatting for RTF readers stands between \htmlrtf and \htmlrtf0.
#include "formats/rtf_write.h"

#include <string.h>

#include "formats/html_internal.h"
#include "formats/rtf_internal.h"

static const char fonts[] = "\\deff0{\\fonttbl\r\n"
                            "{\\f0\\fswiss Arial;}\r\n"
                            "{\\f1\\fmodern Courier New;}\r\n"
                            "{\\f2\\fnil\\fcharset2 Symbol;}}\r\n"
                            "{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n"
                            "\\uc1\\pard\\plain\\deftab360 \\f0\\fs24 ";

// --- Text ---

static void put_unicode(GString *out, gunichar c) {
    if (c < 0x10000) {
        g_string_append_printf(out, "\\u%d?", (int16_t)c);
        return;
    }
    c -= 0x10000;
    g_string_append_printf(out, "\\u%d?\\u%d?", (int16_t)(0xD800 + (c >> 10)),
                           (int16_t)(0xDC00 + (c & 0x3FF)));
}

// One character that is no line end; `*p` moves on.
static void put_char(GString *out, const char **p) {
    unsigned char c = (unsigned char)**p;
    if (c >= 0x80) {
        put_unicode(out, g_utf8_get_char(*p));
        *p = g_utf8_next_char(*p);
        return;
    }
    if (c == '\\' || c == '{' || c == '}')
        g_string_append_c(out, '\\');
    if (c == '\t')
        g_string_append(out, "\\tab ");
    else if (c >= ' ')
        g_string_append_c(out, (char)c);
    ++*p;
}

// Whether a line end is at `*p`, which is moved behind it.
static bool take_line_end(const char **p, const char *end) {
    if (**p != '\r' && **p != '\n')
        return false;
    *p += **p == '\r' && *p + 1 < end && (*p)[1] == '\n' ? 2 : 1;
    return true;
}

static void put_lines(GString *out, const char *p, size_t len) {
    for (const char *end = p + len; p < end;) {
        if (take_line_end(&p, end))
            g_string_append(out, "\\par\r\n");
        else
            put_char(out, &p);
    }
}

GBytes *rtf_from_text(const char *text, size_t len) {
    g_autoptr(GString) out = g_string_sized_new(len + len / 8 + 512);
    g_string_append(out, "{\\rtf1\\ansi\\ansicpg1252\\fromtext ");
    g_string_append(out, fonts);
    put_lines(out, text, len);
    g_string_append(out, "}\r\n");
    return g_string_free_to_bytes(g_steal_pointer(&out));
}

// --- HTML ---

// The number of a tag group ([MS-OXRTFEX] 2.1.3.1.4): where it stands, what kind of tag it is.
enum { IN_BODY = 0, IN_HEAD = 1, IN_HTML = 2, OUT_HTML = 3, CLOSES = 8 };
enum { TAG_HTML = 0x10, TAG_HEAD = 0x20, TAG_BODY = 0x30, TAG_P = 0x40, TAG_BR = 0x70 };
enum { TAG_PRE = 0x80, TAG_FONT = 0x90, TAG_HEADING = 0xA0, TAG_OTHER = 0xF0 };
enum { TEXT_IN_BODY = 84, TEXT_IN_HEAD = 241 };

static const struct {
    const char *name;
    unsigned kind;
    const char *open, *close; // RTF that shows it; NULL: none
} tags[] = {
    {"html", TAG_HTML, NULL, NULL},          {"head", TAG_HEAD, NULL, NULL},
    {"body", TAG_BODY, NULL, NULL},          {"p", TAG_P, NULL, "\\par\\par"},
    {"div", TAG_OTHER, NULL, "\\par"},       {"br", TAG_BR, "\\line", NULL},
    {"tr", TAG_OTHER, NULL, "\\par"},        {"td", TAG_OTHER, NULL, "\\tab"},
    {"th", TAG_OTHER, NULL, "\\tab"},        {"li", TAG_OTHER, "\\bullet\\tab", "\\par"},
    {"pre", TAG_PRE, "\\par", "\\par"},      {"hr", TAG_OTHER, "\\par", NULL},
    {"h1", TAG_HEADING, "\\b", "\\b0\\par"}, {"h2", TAG_HEADING, "\\b", "\\b0\\par"},
    {"h3", TAG_HEADING, "\\b", "\\b0\\par"}, {"h4", TAG_HEADING, "\\b", "\\b0\\par"},
    {"b", TAG_FONT, "\\b", "\\b0"},          {"strong", TAG_FONT, "\\b", "\\b0"},
    {"i", TAG_FONT, "\\i", "\\i0"},          {"em", TAG_FONT, "\\i", "\\i0"},
    {"u", TAG_FONT, "\\ul", "\\ulnone"},     {"span", TAG_FONT, NULL, NULL},
    {"font", TAG_FONT, NULL, NULL},
};

struct capsule {
    GString *out;
    unsigned place; // IN_BODY, ...
};

static void put_tag(struct capsule *c, unsigned number, const char *raw, size_t len) {
    g_string_append_printf(c->out, "\r\n{\\*\\htmltag%u ", number);
    for (const char *p = raw, *end = raw + len; p < end;) {
        if (take_line_end(&p, end))
            g_string_append(c->out, "\\par ");
        else
            put_char(c->out, &p);
    }
    g_string_append_c(c->out, '}');
}

static void put_rtf(struct capsule *c, const char *rtf) {
    if (rtf)
        g_string_append_printf(c->out, "\\htmlrtf %s\\htmlrtf0 ", rtf);
}

static unsigned place_number(unsigned place, unsigned kind) {
    if (kind == TAG_HTML)
        return OUT_HTML;
    if (kind == TAG_HEAD || kind == TAG_BODY)
        return IN_HTML;
    return place;
}

static void put_element(struct capsule *c, const struct html_token *t) {
    bool closes = t->kind == HTML_CLOSE;
    unsigned kind = TAG_OTHER;
    const char *rtf = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
        if (strcmp(t->name, tags[i].name) == 0) {
            kind = tags[i].kind;
            rtf = closes ? tags[i].close : tags[i].open;
        }
    put_tag(c, kind | place_number(c->place, kind) | (closes ? CLOSES : 0), t->raw, t->len);
    put_rtf(c, rtf);
    if (kind == TAG_HEAD)
        c->place = closes ? IN_HTML : IN_HEAD;
    else if (kind == TAG_BODY)
        c->place = closes ? IN_HTML : IN_BODY;
}

// Text is what RTF readers show too; references and line ends look different there.
static void put_text(struct capsule *c, const char *p, size_t len) {
    for (const char *end = p + len; p < end;) {
        const char *start = p;
        gunichar reference = 0;
        if (take_line_end(&p, end)) {
            put_tag(c, TEXT_IN_BODY, "\n", 1);
            put_rtf(c, " ");
        } else if (*p == '&' && (reference = html_reference(&p, end))) {
            put_tag(c, TEXT_IN_BODY, start, (size_t)(p - start));
            g_string_append(c->out, "\\htmlrtf ");
            char utf8[7] = "";
            const char *q = utf8;
            g_unichar_to_utf8(reference, utf8);
            put_char(c->out, &q);
            g_string_append(c->out, "\\htmlrtf0 ");
        } else {
            put_char(c->out, &p);
        }
    }
}

static void put_token(struct capsule *c, const struct html_token *t) {
    switch (t->kind) {
    case HTML_TEXT:
        if (c->place == IN_BODY)
            put_text(c, t->raw, t->len);
        else
            put_tag(c, TEXT_IN_HEAD, t->raw, t->len);
        break;
    case HTML_OPEN:
    case HTML_CLOSE:
        put_element(c, t);
        break;
    case HTML_RAW:
    case HTML_COMMENT:
        put_tag(c, TAG_OTHER | c->place, t->raw, t->len);
        break;
    case HTML_END:
        break;
    }
}

GBytes *rtf_from_html(const char *html, size_t len) {
    struct capsule c = {.out = g_string_sized_new(len + len / 2 + 512)};
    g_string_append(c.out, "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 ");
    g_string_append(c.out, fonts);
    struct html_reader r = html_reader(html, len);
    for (struct html_token t; html_next(&r, &t);)
        put_token(&c, &t);
    g_string_append(c.out, "}\r\n");
    return g_string_free_to_bytes(c.out);
}
